//! Starting the process that draws, and ending it when it does not end by itself.

use std::env;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use fleetlens_tiles::{Tiles, TilesError};
use thiserror::Error;

use crate::frame::Frame;
use crate::parcel::{Land, Parcel};
use crate::{RequestError, Snapshot, exit};

/// How long drawing may take. It takes a third of a second where all drawing is done by the processor.
pub const USUAL_TIME: Duration = Duration::from_secs(10);

/// The largest picture that is taken; 2 048 by 2 048 pixels of a map need less than half of it.
pub const PNG_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// How much is kept of what the program says on its standard error.
const SAID_MAX_BYTES: u64 = 4 * 1024;

/// The deepest zoom of tiles that do not say it, as OpenMapTiles makes them.
const TILES_ZOOM_USUAL: u8 = 14;

/// The first bytes of a PNG (RFC 2083, 3.1).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Windows' word for it ("Process Creation Flags").
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// How long the program has to end after it closed its outputs, before it is asked again.
const ENDING: Duration = Duration::from_millis(1);

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// No picture can be like that.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It would take more tiles than a small picture should.
    #[error("the tiles begin at zoom {min_zoom}, too near for a picture at zoom {zoom}; zoom in")]
    TooFar {
        /// The set's lowest zoom.
        min_zoom: u8,
        /// What was asked for.
        zoom: f64,
    },
    /// The tiles cannot be read.
    #[error(transparent)]
    Tiles(#[from] TilesError),
    /// The program is not there, or may not be started.
    #[error("cannot start {program}, which draws the maps of notifications: {source}")]
    Start {
        /// Its path.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// There is nothing to draw with; trying again will not help.
    #[error("{0}")]
    NoDriver(String),
    /// The program says why it cannot draw this.
    #[error("the map was not drawn: {0}")]
    Refused(String),
    /// The program broke; the last it said is here.
    #[error("the program that draws maps ended with {status}: {said}")]
    Crashed {
        /// How.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
    /// It did not end, and was ended.
    #[error("drawing a map took longer than {} ms and was ended", .0.as_millis())]
    TimedOut(Duration),
    /// Something came that is no picture, or too large a one.
    #[error("the program that draws maps gave {0} bytes that are no PNG of at most {PNG_MAX_BYTES} bytes")]
    NoPicture(usize),
}

/// Where the program lies in a finished app and in a development build: beside the program that runs. Whether it is there is told by
/// drawing. `None` where the system does not say what runs.
pub fn program_beside() -> Option<PathBuf> {
    let name = format!("fleetlens-snapshot{}", env::consts::EXE_SUFFIX);
    env::current_exe().ok().map(|running| running.with_file_name(name))
}

/// Draws a picture with this program, within [`USUAL_TIME`]; PNG. Blocks: call it where blocking is allowed.
pub fn draw(program: &Path, tiles: &Tiles, snapshot: &Snapshot) -> Result<Vec<u8>, SnapshotError> {
    draw_within(program, tiles, snapshot, USUAL_TIME)
}

/// Draws a picture as [`draw`] does, in this time.
pub fn draw_within(
    program: &Path,
    tiles: &Tiles,
    snapshot: &Snapshot,
    within: Duration,
) -> Result<Vec<u8>, SnapshotError> {
    draw_parcel(program, parcel(tiles, snapshot)?, within)
}

/// Draws what has been read already, as [`draw_within`] does. However it ends, the process is gone when this returns.
pub fn draw_parcel(program: &Path, parcel: Parcel, within: Duration) -> Result<Vec<u8>, SnapshotError> {
    let until = Instant::now() + within;
    let mut command = Command::new(program);
    // Without a console of its own, which would flash up.
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, CREATE_NO_WINDOW);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| SnapshotError::Start { program: program.display().to_string(), source })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read says why on its standard error, or runs out of time.
        thread::spawn(move || drop(parcel.write(&mut stdin)));
    }
    let picture = child.stdout.take().map(|from| gather(from, PNG_MAX_BYTES));
    let said = child.stderr.take().map(|from| gather(from, SAID_MAX_BYTES));
    let (Some(picture), Some(said)) = (wait(picture, until), wait(said, until)) else {
        end(&mut child);
        return Err(SnapshotError::TimedOut(within));
    };
    let Some(status) = ended(&mut child, until) else {
        return Err(SnapshotError::TimedOut(within));
    };
    // Before its exit code: whom nobody listens to any more may end badly for that.
    if picture.len() as u64 > PNG_MAX_BYTES {
        return Err(SnapshotError::NoPicture(picture.len()));
    }
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(0) if picture.starts_with(PNG) => Ok(picture),
        Some(0) => Err(SnapshotError::NoPicture(picture.len())),
        // Its sentence is the last line: drivers write before it.
        Some(exit::NO_DRIVER) => Err(SnapshotError::NoDriver(last_line(&said))),
        Some(exit::REQUEST | exit::TILE) => Err(SnapshotError::Refused(last_line(&said))),
        _ => Err(SnapshotError::Crashed { status, said }),
    }
}

/// The request with its tiles, and with what the tiles say of whose they are. Blocks on the disk. Fails on what no picture can be, and
/// where the file cannot be read.
pub fn parcel(tiles: &Tiles, snapshot: &Snapshot) -> Result<Parcel, SnapshotError> {
    snapshot.check()?;
    let said = tiles.metadata();
    if said.format.is_raster() {
        return Err(TilesError::Pictures.into());
    }
    let min_zoom = said.min_zoom.unwrap_or(0);
    let numbers = Frame::of(snapshot)
        .tiles(min_zoom, said.max_zoom.unwrap_or(TILES_ZOOM_USUAL))
        .ok_or(SnapshotError::TooFar { min_zoom, zoom: snapshot.zoom })?;
    let mut found = Vec::new();
    for number in numbers {
        if let Some(bytes) = tiles.tile(number.z, number.x, number.y)? {
            found.push((number, bytes));
        }
    }
    let mut snapshot = snapshot.clone();
    snapshot.attribution = snapshot.attribution.or_else(|| said.attribution.clone());
    let land = said.bounds.filter(|_| snapshot.sea_around).map(|bounds| Land {
        west_deg: bounds.west_deg,
        south_deg: bounds.south_deg,
        east_deg: bounds.east_deg,
        north_deg: bounds.north_deg,
    });
    Ok(Parcel { snapshot, land, tiles: found })
}

/// Reads on a thread of its own until the end, or one byte more than there may be; what comes after that is not waited for.
fn gather(from: impl Read + Send + 'static, max_bytes: u64) -> Receiver<Vec<u8>> {
    let (done, gathered) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks ends like one that is closed: the exit code says the rest.
        let _ = from.take(max_bytes + 1).read_to_end(&mut bytes);
        let _ = done.send(bytes); // nobody waits any more
    });
    gathered
}

fn wait(gathered: Option<Receiver<Vec<u8>>>, until: Instant) -> Option<Vec<u8>> {
    gathered?.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
}

/// How the program ended, which closed its outputs; `None` when it does not end and had to be ended.
fn ended(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= until {
            end(child);
            return None;
        }
        // The standard library waits for a child for ever or not at all. The outputs are closed by now, so this is a turn or two.
        thread::sleep(ENDING);
    }
}

fn last_line(said: &str) -> String {
    said.lines().next_back().unwrap_or_default().trim().to_owned()
}

/// Ends it at once, and waits so that no dead process is left.
fn end(child: &mut Child) {
    let _ = child.kill(); // it may have ended meanwhile
    let _ = child.wait();
}
