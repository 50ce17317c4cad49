//! What the app tells about itself while it runs, for `cargo xtask run` and tests: a small JSON file, replaced once a second.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fleetlens_engine::fleet::Counters;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the file is replaced.
const EVERY: Duration = Duration::from_secs(1);

/// Writes the file every second and once more at the end. `started` is when the process began.
pub async fn write(path: PathBuf, started: Instant, mut counters: watch::Receiver<Counters>, stop: CancellationToken) {
    let mut first_live_ms = None;
    let mut told = false;
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let end = tokio::select! {
            () = stop.cancelled() => true,
            _ = tick.tick() => false,
            // Whoever waits for live data on the screen should not wait for the next second as well.
            seen = counters.wait_for(|now| now.live_seen), if first_live_ms.is_none() => seen.is_err(),
        };
        let now = *counters.borrow_and_update();
        if now.live_seen && first_live_ms.is_none() {
            first_live_ms = u64::try_from(started.elapsed().as_millis()).ok();
        }
        let line = summary(&now, first_live_ms);
        if let Err(error) = replace(&path, &line).await
            && !std::mem::replace(&mut told, true)
        {
            tracing::warn!(path = %path.display(), %error, "the summary cannot be written");
        }
        if end {
            return;
        }
    }
}

fn summary(now: &Counters, first_live_ms: Option<u64>) -> String {
    let first_live_ms = first_live_ms.map_or("null".to_owned(), |ms| ms.to_string());
    let Counters { things, received, stored, refused, shed, repeated, .. } = now;
    format!(
        "{{\"things\":{things},\"received\":{received},\"stored\":{stored},\"refused\":{refused},\"shed\":{shed},\"repeated\":{repeated},\"first_live_ms\":{first_live_ms}}}\n"
    )
}

/// Whole or not at all: readers never see half a file.
async fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    tokio::fs::write(&beside, text).await?;
    tokio::fs::rename(&beside, path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_file_tells_the_counters_and_when_live_data_was_first_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        let (counters, shown) = watch::channel(Counters { things: 3, ..Counters::default() });
        let stop = CancellationToken::new();
        let writer = tokio::spawn(write(path.clone(), Instant::now(), shown, stop.clone()));
        let read = async |want: &str| {
            let found = async {
                while !std::fs::read_to_string(&path).is_ok_and(|text| text.contains(want)) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), found).await.unwrap_or_else(|_| panic!("no {want}"));
        };
        read("{\"things\":3,\"received\":0,\"stored\":0,\"refused\":0,\"shed\":0,\"repeated\":0,\"first_live_ms\":null}\n").await;
        counters.send_replace(Counters {
            things: 3,
            received: 9,
            stored: 8,
            refused: 1,
            live_seen: true,
            ..Counters::default()
        });
        read("\"received\":9,\"stored\":8,\"refused\":1,\"shed\":0,\"repeated\":0,\"first_live_ms\":").await;
        assert!(!std::fs::read_to_string(&path).unwrap().contains("null"));
        stop.cancel();
        writer.await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
