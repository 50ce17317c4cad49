//! How the program stands, in a small file beside the cache: for whoever looks from another process (`fleetlens doctor`), and for
//! whoever wants to know afterwards how it stood when it ended without a word. A program that ends takes its file away.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fleetlens_ipc::diagnostics::Diagnostics;
use tokio::sync::RwLock;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::diagnose;
use crate::doctor::mask;
use crate::host::HostOptions;
use crate::ports::wall_now;
use crate::run::Run;
use crate::whole;

/// When it is told first: by then there is something to tell.
const FIRST: Duration = Duration::from_secs(2);

/// And how often from then on.
const EVERY: Duration = Duration::from_secs(10);

/// What is older than this is not told any more: three were missed.
pub const FRESH_MS: u64 = 35_000;

/// More is no word of ours.
const BYTES_MAX: u64 = 1024 * 1024;

/// The file of a cache.
pub fn file_of(cache: &Path) -> PathBuf {
    let mut beside = cache.as_os_str().to_owned();
    beside.push(".standing.json");
    beside.into()
}

/// What is found where a program tells how it stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Nothing: none runs, or it ended in order.
    Absent,
    /// Something that cannot be read, as of another version.
    Unreadable,
    /// What was told last.
    Told(Box<Diagnostics>),
}

/// Looks for what was told last.
pub fn read(cache: &Path) -> Standing {
    let file = file_of(cache);
    let read = || -> io::Result<Diagnostics> {
        let about = std::fs::metadata(&file)?;
        if !about.is_file() || about.len() > BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(serde_json::from_slice(&std::fs::read(&file)?)?)
    };
    match read() {
        Ok(told) => Standing::Told(Box::new(told)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Standing::Absent,
        Err(_) => Standing::Unreadable,
    }
}

/// Tells it of whatever run is in use until everything ends; what an earlier program left behind for `cache` is gone then, too.
pub async fn tell(options: HostOptions, cache: PathBuf, run: Arc<RwLock<Option<Run>>>, stop: CancellationToken) {
    let mut tick = interval_at(Instant::now() + FIRST, EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut cache, mut last) = (cache, Diagnostics::default());
    let mut is_refused = false;
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        // Whoever holds it opens a cache, which may take minutes: it runs all the same, and stands as it stood.
        if let Ok(run) = run.try_read()
            && let Some(run) = run.as_ref()
        {
            if run.cache != cache {
                take_away(&cache).await;
                cache.clone_from(&run.cache);
            }
            last = diagnose::of_program(&options, Some(run)).await;
        }
        let told = Diagnostics { made_ms: wall_now(), ..last.clone() };
        match write(&cache, &told).await {
            Ok(()) => is_refused = false,
            // A disk that takes nothing has said so elsewhere.
            Err(error) if !std::mem::replace(&mut is_refused, true) => {
                tracing::debug!(%error, "how the program stands cannot be written down");
            }
            Err(_) => {}
        }
    }
    take_away(&cache).await;
}

/// Nothing secret is in it, and yet it is for its owner alone: topics and names of people are.
async fn write(cache: &Path, figures: &Diagnostics) -> io::Result<()> {
    let mut json = serde_json::to_value(figures)?;
    mask(&mut json);
    whole::replace(&file_of(cache), &serde_json::to_vec(&json)?).await
}

async fn take_away(cache: &Path) {
    let file = file_of(cache);
    for file in [whole::new_of(&file), file] {
        if let Err(error) = tokio::fs::remove_file(&file).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(file = %file.display(), %error, "what is not so any more cannot be taken away");
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;

    #[tokio::test]
    async fn what_is_told_is_read_without_secrets_and_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("x.db");
        assert_eq!(read(&cache), Standing::Absent);
        let troubles = vec!["mqtts://ada:hunter2@h refused".to_owned()];
        write(&cache, &Diagnostics { made_ms: WallMs(7), troubles, ..Diagnostics::default() }).await.unwrap();
        let Standing::Told(told) = read(&cache) else { panic!("{:?}", read(&cache)) };
        assert_eq!((told.made_ms, told.troubles.join("")), (WallMs(7), "mqtts://…@h refused".to_owned()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(file_of(&cache)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for wrong in ["", "{", "{\"made_ms\":7}", "[]"] {
            std::fs::write(file_of(&cache), wrong).unwrap();
            assert_eq!(read(&cache), Standing::Unreadable, "{wrong:?}");
        }
        std::fs::write(whole::new_of(&file_of(&cache)), "left behind").unwrap();
        take_away(&cache).await;
        take_away(&cache).await;
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }
}
