//! Everything the program tells of itself, put together: [`Diagnostics`] is made here and nowhere else.

use std::path::Path;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fleetlens_ipc::CONTRACT;
use fleetlens_ipc::diagnostics::{Diagnostics, DiskFigures, ProgramFigures};
use fleetlens_model::figures::CacheFigures;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::host::HostOptions;
use crate::log;
use crate::ports::wall_now;
use crate::reach::Reaching;
use crate::run::Run;

/// How long a part has to tell how it stands; what is stuck has no figures, which tells something too.
const WITHIN: Duration = Duration::from_millis(800);

/// The cache is read anew after this, or after twenty times what it took, so that looking costs it little.
const CACHE_EVERY: Duration = Duration::from_secs(1);
const CACHE_SHARE: u32 = 20;

/// Lines of trouble, and characters of each.
const TROUBLES: usize = 5;
const TROUBLE_MAX_CHARS: usize = 300;

/// What the cache told last, when, and how long that took.
#[derive(Debug, Default)]
pub struct LastCache {
    told: StdMutex<Option<(Instant, Duration, CacheFigures)>>,
    /// Held while it is read: by one, however many ask and however long it takes.
    reading: Arc<Mutex<()>>,
}

/// How a run of a profile stands; without one, the program alone.
pub async fn of_run(options: &HostOptions, run: Option<&Run>) -> Diagnostics {
    let folder = options.data_dir.clone();
    let troubles = tokio::task::spawn_blocking(move || troubles(&folder));
    let cache = async {
        match run {
            Some(run) => cache(run).await,
            None => None,
        }
    };
    let (cache, figures) = tokio::join!(cache, of_program(options, run));
    // The look into the log ends badly only while everything ends.
    Diagnostics { cache, troubles: troubles.await.unwrap_or_default(), ..figures }
}

/// Of that what only the program itself knows, and no file of its does.
pub async fn of_program(options: &HostOptions, run: Option<&Run>) -> Diagnostics {
    let mut all =
        Diagnostics { made_ms: wall_now(), program: program(Some(options.started)), ..Diagnostics::default() };
    let Some(run) = run else { return all };
    all.disk = Some(disk(&run.cache));
    all.writer = Some(run.store().writer_figures());
    all.reach = run.reaching.as_ref().map(Reaching::figures);
    let figures = match run.engine() {
        Some(engine) => timeout(WITHIN, engine.figures()).await.ok().flatten(),
        None => None,
    };
    if let Some(figures) = figures {
        all.link = Some(run.port.tell(figures.link));
        all.engine = Some(figures.engine);
        all.drops = Some(figures.drops);
    }
    all
}

async fn cache(run: &Run) -> Option<CacheFigures> {
    let last = Arc::clone(&run.last_cache);
    let known = last.told().clone();
    if let Some((at, took, figures)) = &known
        && at.elapsed() < CACHE_EVERY.max(*took * CACHE_SHARE)
    {
        return Some(figures.clone());
    }
    if let Ok(reads) = Arc::clone(&last.reading).try_lock_owned() {
        let (last, figures) = (Arc::clone(&last), run.store().figures());
        tokio::spawn(async move {
            let began = Instant::now();
            match figures.await {
                Ok(figures) => *last.told() = Some((Instant::now(), began.elapsed(), figures)),
                Err(error) => tracing::warn!(%error, "the cache does not tell how it stands"),
            }
            drop(reads);
        });
    }
    // What it told before is worth more than nothing; its age is among it.
    _ = timeout(WITHIN, last.reading.lock()).await;
    let told = last.told().clone().or(known);
    told.map(|(_, _, figures)| figures)
}

impl LastCache {
    fn told(&self) -> MutexGuard<'_, Option<(Instant, Duration, CacheFigures)>> {
        // It is replaced whole.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The program and the machine; `started` is when this process began, of a program that runs on.
pub fn program(started: Option<Instant>) -> ProgramFigures {
    ProgramFigures {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        contract: CONTRACT,
        sqlite: fleetlens_store::sqlite_version().to_owned(),
        schema: fleetlens_store::SCHEMA,
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        uptime_ms: started.map(|started| u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)),
        resident_bytes: started.and_then(|_| resident_bytes()),
        log_file: log::path().map(|path| path.display().to_string()),
        log_dropped: started.map(|_| log::dropped()),
    }
}

/// Memory of this process that is in use, where the system tells it in a file.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The disk that a cache is on, or will be.
pub fn disk(cache: &Path) -> DiskFigures {
    let there = cache.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let (free_bytes, whole_bytes) = match room(there) {
        Some((free, whole)) => (Some(free), Some(whole)),
        None => (None, None),
    };
    DiskFigures { file: cache.display().to_string(), free_bytes, whole_bytes }
}

#[cfg(unix)]
fn room(folder: &Path) -> Option<(u64, u64)> {
    let about = rustix::fs::statvfs(folder).ok()?;
    Some((about.f_bavail.checked_mul(about.f_frsize)?, about.f_blocks.checked_mul(about.f_frsize)?))
}

/// The standard library does not tell it.
#[cfg(not(unix))]
fn room(_: &Path) -> Option<(u64, u64)> {
    None
}

/// The last lines of the log that tell of trouble, none of them long.
fn troubles(data_dir: &Path) -> Vec<String> {
    let mut lines = log::troubles(data_dir);
    let lines = lines.split_off(lines.len().saturating_sub(TROUBLES));
    lines.iter().map(|line| line.chars().take(TROUBLE_MAX_CHARS).collect()).collect()
}
