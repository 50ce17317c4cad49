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
use crate::host::HostOptions;
use crate::run::Run;

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

/// What was told last; `None` where nothing was, or nothing that can be read.
pub fn read(cache: &Path) -> Option<Diagnostics> {
    let file = file_of(cache);
    let about = std::fs::metadata(&file).ok().filter(|about| about.is_file() && about.len() <= BYTES_MAX)?;
    let text = std::fs::read_to_string(&file).ok().filter(|_| about.len() > 0)?;
    serde_json::from_str(&text).ok()
}

/// Tells it of whatever run is in use until everything ends.
pub async fn tell(options: HostOptions, run: Arc<RwLock<Option<Run>>>, stop: CancellationToken) {
    let mut tick = interval_at(Instant::now() + FIRST, EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<PathBuf> = None;
    let mut is_refused = false;
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        let told = {
            let run = run.read().await;
            match run.as_ref() {
                Some(run) => Some((run.cache.clone(), diagnose::of_program(&options, Some(run)).await)),
                None => None,
            }
        };
        let Some((cache, figures)) = told else { continue };
        if let Some(before) = last.replace(cache.clone()).filter(|before| *before != cache) {
            take_away(&before).await;
        }
        match write(&cache, &figures).await {
            Ok(()) => is_refused = false,
            // A disk that takes nothing has said so elsewhere.
            Err(error) if !std::mem::replace(&mut is_refused, true) => {
                tracing::debug!(%error, "how the program stands cannot be written down");
            }
            Err(_) => {}
        }
    }
    if let Some(cache) = last {
        take_away(&cache).await;
    }
}

/// Whole or not at all.
async fn write(cache: &Path, figures: &Diagnostics) -> io::Result<()> {
    let text = serde_json::to_vec(figures)?;
    let file = file_of(cache);
    let mut new = file.clone().into_os_string();
    new.push(".new");
    tokio::fs::write(&new, text).await?;
    tokio::fs::rename(&new, &file).await
}

async fn take_away(cache: &Path) {
    let file = file_of(cache);
    if let Err(error) = tokio::fs::remove_file(&file).await
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::debug!(file = %file.display(), %error, "what is not so any more cannot be taken away");
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;

    #[tokio::test]
    async fn what_is_told_is_read_and_what_cannot_be_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("x.db");
        assert_eq!(read(&cache), None);
        let told = Diagnostics { made_ms: WallMs(7), ..Diagnostics::default() };
        write(&cache, &told).await.unwrap();
        assert_eq!(read(&cache), Some(told));
        for wrong in ["", "{", "{\"made_ms\":7}", "[]"] {
            std::fs::write(file_of(&cache), wrong).unwrap();
            assert_eq!(read(&cache), None, "{wrong:?}");
        }
        take_away(&cache).await;
        take_away(&cache).await;
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }
}
