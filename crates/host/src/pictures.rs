//! The small map that a notification carries: drawn by a process of its own beside the program (docs/adr/0015-snapshots.md), kept in a
//! few files that take turns. No picture is worth an alarm that is told late, so everything here has an end.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fleetlens_engine::port::{Alert, AlertPlace};
use fleetlens_model::alarm::Priority;
use fleetlens_model::geo::LonLat;
use fleetlens_snapshot::{Mark, Sign, Snapshot, SnapshotError, Theme, draw_within, program_beside};
use fleetlens_tiles::Tiles;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::tiles::tile_set;

/// A picture's width, in pixels.
const WIDTH_PX: u32 = 400;

/// A picture's height, in pixels.
const HEIGHT_PX: u32 = 240;

/// How long a notification waits for its picture; drawing takes a tenth of it where nothing else is done.
const WITHIN: Duration = Duration::from_secs(2);

/// Pictures that are kept: who shows notifications reads a file when it is told of it, or when a person opens its list.
const FILES: usize = 8;

/// Their folder in the data folder.
const FOLDER: &str = "pictures";

/// The map that pictures are of.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Its tiles.
    pub tiles: Arc<Tiles>,
    /// Whether they are those of the program.
    pub built_in: bool,
}

impl Ground {
    /// What is asked for to see those of these marks that the map has, later ones over earlier ones; `None` where it has none of them.
    pub fn snapshot(&self, mut marks: Vec<Mark>, width_px: u32, height_px: u32, theme: Theme) -> Option<Snapshot> {
        let set = tile_set(self.tiles.metadata(), self.built_in);
        let on_map = |mark: &Mark| {
            let at = LonLat { lon_deg: mark.lon_deg, lat_deg: mark.lat_deg };
            set.bounds.is_none_or(|bounds| bounds.contains(at))
        };
        marks.retain(on_map);
        let snapshot = Snapshot::of(marks, width_px, height_px, theme)?;
        let attribution = Some(set.attribution).filter(|text| !text.is_empty());
        Some(Snapshot { sea_around: self.built_in, attribution, ..snapshot })
    }
}

/// The pictures of a program, one drawn at a time.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// `None` where the system does not say what runs.
    program: Option<PathBuf>,
    /// How long each may take, waiting for its turn included.
    pub within: Duration,
    turn: Arc<Mutex<Turn>>,
}

/// Whose turn it is has this.
#[derive(Debug)]
struct Turn {
    folder: PathBuf,
    /// The number of the next file.
    next: usize,
    /// There is nothing to draw with, which has been told.
    is_hopeless: bool,
}

impl Pictures {
    /// Pictures in this data folder, drawn by the program beside the one that runs. Touches nothing.
    pub fn new(data_dir: &Path) -> Pictures {
        Pictures::drawn_by(program_beside(), data_dir, WITHIN)
    }

    fn drawn_by(program: Option<PathBuf>, data_dir: &Path, within: Duration) -> Pictures {
        let folder = data_dir.join(FOLDER);
        // Who shows notifications stands in another folder than we do.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Pictures { program, within, turn: Arc::new(Mutex::new(Turn { folder, next: 0, is_hopeless: false })) }
    }

    /// Removes what an earlier run of the program left.
    pub async fn clear(&self) {
        self.turn.lock().await.clear();
    }

    /// Draws where an alert is and returns the file, a PNG of [`WIDTH_PX`] by [`HEIGHT_PX`] pixels. `None`, with the reason in
    /// the log, where none can be drawn in time, and without a word where there is nothing to show: an alert without a place on the
    /// map. Who does not wait for it any more gets none, and the next one begins when this one has ended.
    pub async fn draw(&self, alert: &Alert, ground: &Ground, theme: Theme, until: Instant) -> Option<PathBuf> {
        let snapshot = snapshot_of(&alert.places, ground, theme)?;
        let program = self.program.clone()?;
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let tiles = Arc::clone(&ground.tiles);
        let left = until.saturating_duration_since(Instant::now());
        // It cannot be told to stop, but what it waits for is ended in time.
        spawn_blocking(move || turn_of(turn, &program, &tiles, &snapshot, left)).await.ok().flatten()
    }
}

/// What is asked for: the places that the map has, those of the first alarms on top; `None` where it has none of them.
fn snapshot_of(places: &[AlertPlace], ground: &Ground, theme: Theme) -> Option<Snapshot> {
    // Small maps are drawn out of vector tiles.
    if ground.tiles.metadata().format.is_raster() {
        return None;
    }
    // The notification's headline names it.
    let marks = places.iter().rev().map(|place| mark(place.at, place.priority, None)).collect();
    ground.snapshot(marks, WIDTH_PX, HEIGHT_PX, theme)
}

/// An alarm on a map.
pub fn mark(at: LonLat, priority: Priority, label: Option<String>) -> Mark {
    let sign = match priority {
        Priority::Advisory => Sign::Calm,
        Priority::Warning => Sign::Warning,
        Priority::Critical => Sign::Critical,
    };
    Mark { lat_deg: at.lat_deg, lon_deg: at.lon_deg, sign, label }
}

/// Draws one and lets the next have its turn.
fn turn_of(
    mut turn: OwnedMutexGuard<Turn>,
    program: &Path,
    tiles: &Tiles,
    snapshot: &Snapshot,
    left: Duration,
) -> Option<PathBuf> {
    if turn.is_hopeless || left.is_zero() {
        return None;
    }
    match draw_within(program, tiles, snapshot, left) {
        Ok(png) => turn.keep(&png),
        Err(SnapshotError::NoDriver(why)) => {
            turn.is_hopeless = true;
            tracing::warn!(why, "notifications come without their map from now on");
            None
        }
        Err(
            error @ (SnapshotError::Request(_)
            | SnapshotError::TooFar { .. }
            | SnapshotError::Tiles(_)
            | SnapshotError::Start { .. }
            | SnapshotError::Refused(_)
            | SnapshotError::Crashed { .. }
            | SnapshotError::TimedOut(_)
            | SnapshotError::NoPicture(_)),
        ) => {
            tracing::warn!(%error, "a notification comes without its map");
            None
        }
    }
}

impl Turn {
    fn file(&self, number: usize) -> PathBuf {
        self.folder.join(format!("alarm-{number}.png"))
    }

    /// What a file is called until it is whole.
    fn fresh(&self) -> PathBuf {
        self.folder.join("alarm.png.new")
    }

    /// Writes it in the place of the oldest.
    fn keep(&mut self, png: &[u8]) -> Option<PathBuf> {
        let (fresh, file) = (self.fresh(), self.file(self.next));
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| remove(&fresh))
            .and_then(|()| write(&fresh, png))
            .and_then(|()| fs::rename(&fresh, &file));
        if let Err(error) = written {
            tracing::warn!(file = %file.display(), %error, "a notification comes without its map, which cannot be kept");
            return None;
        }
        self.next = (self.next + 1) % FILES;
        Some(file)
    }

    fn clear(&self) {
        for file in (0..FILES).map(|number| self.file(number)).chain([self.fresh()]) {
            if let Err(error) = remove(&file) {
                tracing::warn!(file = %file.display(), %error, "the map of an earlier notification cannot be removed");
            }
        }
    }
}

/// Removes a file, if there is one.
fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// For its owner alone: it says where something is wrong.
fn write(file: &Path, png: &[u8]) -> io::Result<()> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(png)
}

#[cfg(test)]
mod tests;
