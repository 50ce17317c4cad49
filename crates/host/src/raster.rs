//! The base map as pictures, for windows on machines without a graphics card (docs/adr/0019-ground-without-a-card.md): tiles that the
//! program beside ours draws out of the same file as everybody's, one process a tile, and that are kept on the disk.
//!
//! Drawing takes some tenths of a second, and a person who moves the map asks for more than can be drawn. So what was asked for last is
//! drawn first, what nobody waits for any more is not drawn at all, and what does not fit into the queue is told to come again.

mod kept;

use std::collections::{HashMap, VecDeque};
use std::f64::consts::PI;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use fleetlens_model::geo::GeoBox;
use fleetlens_snapshot::{Snapshot, SnapshotError, Theme, draw_within, program_beside};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use xxhash_rust::xxh3::Xxh3;

use crate::Host;
use crate::pictures::Ground;
use crate::tiles::tile_set;
use kept::Kept;

/// The media type of [`RasterAnswer::Picture`].
pub const RASTER_TILE: &str = "image/png";

/// A tile's side, in CSS pixels: as large as the vector tile it is made of.
const SIDE_PX: u32 = 512;

/// The deepest zoom that is drawn; nearer ones are drawn larger by the page.
pub const RASTER_ZOOM_MAX: u8 = 19;

/// How many tiles wait: four screens of them.
const WAITING_MAX: usize = 64;

/// How many are drawn at once: each is a process that uses every core for a part of its time.
const DRAWN_AT_ONCE: usize = 2;

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(10);

/// How long one that could not be drawn is not tried again: whoever still wants it is told why at once, and others are drawn meanwhile.
const FAILED_FOR: Duration = Duration::from_secs(180);

/// How many of these are remembered: every tile of some screens.
const FAILED_MAX: usize = 256;

/// Their folder in the data folder.
const FOLDER: &str = "ground";

/// How much of the disk they may take, some thousand tiles.
const KEPT_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Rises when the same request is drawn otherwise, so that nothing of an earlier version is shown.
const LOOK: u32 = 1;

/// What a map without a graphics card gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RasterAnswer {
    /// A PNG of 512 by 512 pixels.
    Picture(Arc<[u8]>),
    /// Beyond what the map's file covers: nothing, and nothing wrong.
    Beyond,
    /// Nothing at this path is a tile; the sentence says what would be.
    NoTile(String),
    /// Not now: too many are waited for, or this one could not be drawn. Whoever still wants it asks again.
    Later(String),
    /// There is nothing to draw with, and asking again does not help.
    Never(String),
}

/// One tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Number {
    theme: Theme,
    z: u8,
    x: u32,
    y: u32,
}

impl Host {
    /// The picture at `/{dark or light}/z/x/y.png`. Cancelling it takes it out of the queue.
    pub async fn raster_at(&self, path: &str) -> RasterAnswer {
        let Some(number) = number(path) else {
            return RasterAnswer::NoTile(format!("{path} is no tile; ask for /dark/z/x/y.png or /light/z/x/y.png"));
        };
        let Some((ground, file)) = self.ground_and_file().await else {
            return RasterAnswer::Later("Fleetlens is closing".into());
        };
        if ground.tiles.metadata().format.is_raster() {
            return RasterAnswer::NoTile("the tiles of this map are pictures already; ask for /z/x/y".into());
        }
        self.rasters.draw(number, ground, file).await
    }
}

/// The pictures of a program. Clones are the same.
#[derive(Clone, Debug)]
pub struct Rasters {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `None` where the system does not say what runs.
    program: Option<PathBuf>,
    kept: Kept,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// What was asked for last is at the end.
    waiting: Vec<Wanted>,
    /// What is being drawn, with who asked for it since.
    under_way: HashMap<String, Vec<Ear>>,
    /// What could not be drawn, oldest first.
    failed: VecDeque<Failed>,
    drawing: usize,
    /// Why there is nothing to draw with.
    hopeless: Option<String>,
    ended: bool,
}

/// Who waits for a tile.
type Ear = oneshot::Sender<RasterAnswer>;

/// A tile that somebody waits for.
#[derive(Debug)]
struct Wanted {
    name: String,
    number: Number,
    ground: Ground,
    ears: Vec<Ear>,
}

/// A tile that could not be drawn.
#[derive(Debug)]
struct Failed {
    name: String,
    at: Instant,
    why: String,
}

impl Rasters {
    /// Pictures in this data folder, drawn by the program beside the one that runs. Touches nothing.
    pub fn new(data_dir: &Path) -> Rasters {
        Rasters::drawn_by(program_beside(), data_dir, KEPT_MAX_BYTES)
    }

    fn drawn_by(program: Option<PathBuf>, data_dir: &Path, max_bytes: u64) -> Rasters {
        let kept = Kept::new(data_dir.join(FOLDER), max_bytes);
        Rasters { inner: Arc::new(Inner { program, kept, queue: Mutex::default() }) }
    }

    /// Nothing more is drawn; what waits is told so.
    pub fn end(&self) {
        let mut queue = self.inner.queue();
        queue.ended = true;
        queue.waiting.clear();
    }

    async fn draw(&self, number: Number, ground: Ground, file: Option<PathBuf>) -> RasterAnswer {
        let set = tile_set(ground.tiles.metadata(), ground.built_in);
        if number.z < set.min_zoom || set.bounds.is_some_and(|bounds| !meet(bounds, number.area())) {
            return RasterAnswer::Beyond;
        }
        let inner = Arc::clone(&self.inner);
        let looked = spawn_blocking(move || {
            let name = name_of(number, file.as_deref(), inner.program.as_deref());
            let known = inner.kept.read(&name);
            (name, known)
        });
        let name = match looked.await {
            Ok((_, Some(known))) => return RasterAnswer::Picture(known.into()),
            Ok((name, None)) => name,
            Err(_) => return RasterAnswer::Later("the kept tiles could not be read".into()),
        };
        let (ear, answer) = oneshot::channel();
        if let Some(refusal) = self.inner.ask(Wanted { name, number, ground, ears: vec![ear] }) {
            return refusal;
        }
        self.inner.begin();
        answer.await.unwrap_or_else(|_| RasterAnswer::Later("too many tiles are asked for at once".into()))
    }
}

impl Inner {
    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a tile to the end of the queue, where it comes first; who waits longest goes where there are too many. For one that is being
    /// drawn somebody else waits as well.
    fn ask(&self, mut wanted: Wanted) -> Option<RasterAnswer> {
        let mut queue = self.queue();
        if queue.ended {
            return Some(RasterAnswer::Later("Fleetlens is closing".into()));
        }
        if let Some(why) = &queue.hopeless {
            return Some(RasterAnswer::Never(why.clone()));
        }
        while queue.failed.front().is_some_and(|failed| failed.at.elapsed() >= FAILED_FOR) {
            queue.failed.pop_front();
        }
        if let Some(failed) = queue.failed.iter().find(|failed| failed.name == wanted.name) {
            return Some(RasterAnswer::Later(failed.why.clone()));
        }
        if let Some(ears) = queue.under_way.get_mut(&wanted.name) {
            ears.append(&mut wanted.ears);
            return None;
        }
        queue.waiting.retain(|waiting| waiting.ears.iter().any(|ear| !ear.is_closed()));
        if let Some(known) = queue.waiting.iter().position(|waiting| waiting.name == wanted.name) {
            wanted.ears.extend(queue.waiting.remove(known).ears);
        }
        queue.waiting.push(wanted);
        if queue.waiting.len() > WAITING_MAX {
            // Dropping it tells whoever waits.
            queue.waiting.remove(0);
        }
        None
    }

    /// Draws until nothing waits, if there is room for one more that does.
    fn begin(self: &Arc<Self>) {
        {
            let mut queue = self.queue();
            if queue.drawing >= DRAWN_AT_ONCE {
                return;
            }
            queue.drawing += 1;
        }
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(wanted) = inner.next() {
                let (worker, name) = (Arc::clone(&inner), wanted.name.clone());
                if spawn_blocking(move || worker.answer(wanted)).await.is_err() {
                    // A picture that cannot be made costs that picture; whoever waits is told by the ears that are dropped.
                    inner.queue().under_way.remove(&name);
                }
            }
        });
    }

    fn next(&self) -> Option<Wanted> {
        let mut queue = self.queue();
        while let Some(wanted) = queue.waiting.pop() {
            if wanted.ears.iter().any(|ear| !ear.is_closed()) {
                queue.under_way.insert(wanted.name.clone(), Vec::new());
                return Some(wanted);
            }
        }
        queue.drawing -= 1;
        None
    }

    /// Draws one, keeps it and tells who waits. Blocks.
    fn answer(&self, Wanted { name, number, ground, mut ears }: Wanted) {
        let answer = match self.kept.read(&name) {
            Some(known) => RasterAnswer::Picture(known.into()),
            None => self.drawn(&name, number, &ground),
        };
        {
            let mut queue = self.queue();
            ears.extend(queue.under_way.remove(&name).unwrap_or_default());
            match &answer {
                RasterAnswer::Never(why) => {
                    queue.hopeless = Some(why.clone());
                    ears.extend(queue.waiting.drain(..).flat_map(|waiting| waiting.ears));
                }
                RasterAnswer::Later(why) => {
                    queue.failed.push_back(Failed { name, at: Instant::now(), why: why.clone() });
                    if queue.failed.len() > FAILED_MAX {
                        queue.failed.pop_front();
                    }
                }
                RasterAnswer::Picture(_) | RasterAnswer::Beyond | RasterAnswer::NoTile(_) => {}
            }
        }
        for ear in ears {
            let _ = ear.send(answer.clone()); // nobody waits any more
        }
    }

    fn drawn(&self, name: &str, number: Number, ground: &Ground) -> RasterAnswer {
        let Some(program) = &self.program else {
            return RasterAnswer::Never("the system does not say where the program that draws maps is".into());
        };
        match draw_within(program, &ground.tiles, &number.snapshot(ground.built_in), WITHIN) {
            Ok(png) => {
                self.kept.keep(name, &png);
                RasterAnswer::Picture(png.into())
            }
            Err(error @ (SnapshotError::NoDriver(_) | SnapshotError::Start { .. })) => {
                tracing::warn!(%error, "maps without a graphics card have no streets from now on");
                RasterAnswer::Never(error.to_string())
            }
            Err(
                error @ (SnapshotError::Request(_)
                | SnapshotError::TooFar { .. }
                | SnapshotError::Tiles(_)
                | SnapshotError::Refused(_)
                | SnapshotError::Crashed { .. }
                | SnapshotError::TimedOut(_)
                | SnapshotError::NoPicture(_)),
            ) => {
                tracing::warn!(%error, ?number, "a tile is not drawn");
                RasterAnswer::Later(error.to_string())
            }
        }
    }
}

impl Number {
    fn word(self) -> &'static str {
        match self.theme {
            Theme::Dark => "dark",
            Theme::Light => "light",
        }
    }

    /// The part of the earth it shows.
    fn area(self) -> GeoBox {
        let (north_deg, west_deg) = corner(self.z, self.x.into(), self.y.into());
        let (south_deg, east_deg) = corner(self.z, f64::from(self.x) + 1.0, f64::from(self.y) + 1.0);
        GeoBox { west_deg, south_deg, east_deg, north_deg }
    }

    /// What is asked for, without words in the corner: the window says whose map it is.
    fn snapshot(self, built_in: bool) -> Snapshot {
        let (lat_deg, lon_deg) = corner(self.z, f64::from(self.x) + 0.5, f64::from(self.y) + 0.5);
        Snapshot {
            lat_deg,
            lon_deg,
            zoom: self.z.into(),
            width_px: SIDE_PX,
            height_px: SIDE_PX,
            scale: 1,
            theme: self.theme,
            marks: Vec::new(),
            sea_around: built_in,
            attribution: Some(String::new()),
        }
    }
}

/// Degrees north and east of a place on Mercator's world, in tiles of a zoom from its upper left.
fn corner(z: u8, x: f64, y: f64) -> (f64, f64) {
    let across = f64::from(z).exp2();
    ((PI * (1.0 - 2.0 * y / across)).sinh().atan().to_degrees(), x / across * 360.0 - 180.0)
}

fn meet(a: GeoBox, b: GeoBox) -> bool {
    a.west_deg < b.east_deg && b.west_deg < a.east_deg && a.south_deg < b.north_deg && b.south_deg < a.north_deg
}

/// What a picture is kept as: everything that it depends on, and its numbers for whoever looks into the folder.
fn name_of(number: Number, file: Option<&Path>, program: Option<&Path>) -> String {
    let mut of = Xxh3::new();
    of.update(env!("CARGO_PKG_VERSION").as_bytes());
    of.update(&LOOK.to_le_bytes());
    for file in [file, program] {
        of.update(&stamp(file).to_le_bytes());
    }
    let Number { z, x, y, .. } = number;
    format!("{:016x}-{}-{z}-{x}-{y}.png", of.digest(), number.word())
}

/// Another number for another file, and for the same after it was written again.
fn stamp(file: Option<&Path>) -> u64 {
    let Some(path) = file else { return 0 };
    let mut of = Xxh3::new();
    of.update(path.as_os_str().as_encoded_bytes());
    if let Ok(about) = path.metadata() {
        of.update(&about.len().to_le_bytes());
        let since = about.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        of.update(&since.map_or(0, |since| since.as_nanos()).to_le_bytes());
    }
    of.digest()
}

/// `/dark/z/x/y.png`: a theme, and numbers that a tile can have.
fn number(path: &str) -> Option<Number> {
    let mut parts = path.strip_prefix('/')?.strip_suffix(".png")?.split('/');
    let theme = match parts.next()? {
        "dark" => Theme::Dark,
        "light" => Theme::Light,
        _ => return None,
    };
    let mut next = || parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let (z, x, y): (u8, u32, u32) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let is_one = parts.next().is_none() && z <= RASTER_ZOOM_MAX && x >> z == 0 && y >> z == 0;
    is_one.then_some(Number { theme, z, x, y })
}

#[cfg(test)]
mod tests;
