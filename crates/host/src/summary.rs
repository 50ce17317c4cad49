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
    let (mut first_drawn_ms, mut first_live_ms) = (None, None);
    let mut told = false;
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let end = tokio::select! {
            () = stop.cancelled() => true,
            _ = tick.tick() => false,
            // Whoever waits for the first picture, or for live data in it, should not wait for the next second as well.
            seen = counters.wait_for(|now| is_new(now.drawn, first_drawn_ms) || is_new(now.live_seen, first_live_ms)),
                if first_drawn_ms.is_none() || first_live_ms.is_none() => seen.is_err(),
        };
        let now = *counters.borrow_and_update();
        for (happened, first_ms) in [(now.drawn, &mut first_drawn_ms), (now.live_seen, &mut first_live_ms)] {
            if is_new(happened, *first_ms) {
                *first_ms = u64::try_from(started.elapsed().as_millis()).ok();
            }
        }
        let line = summary(&now, first_drawn_ms, first_live_ms);
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

fn is_new(happened: bool, first_ms: Option<u64>) -> bool {
    happened && first_ms.is_none()
}

fn summary(now: &Counters, first_drawn_ms: Option<u64>, first_live_ms: Option<u64>) -> String {
    let or_null = |ms: Option<u64>| ms.map_or("null".to_owned(), |ms| ms.to_string());
    let (first_drawn_ms, first_live_ms) = (or_null(first_drawn_ms), or_null(first_live_ms));
    let Counters { things, received, stored, refused, shed, repeated, .. } = now;
    format!(
        "{{\"things\":{things},\"received\":{received},\"stored\":{stored},\"refused\":{refused},\"shed\":{shed},\"repeated\":{repeated},\"first_drawn_ms\":{first_drawn_ms},\"first_live_ms\":{first_live_ms}}}\n"
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
    async fn the_file_tells_the_counters_and_when_something_and_live_data_were_first_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        let (counters, shown) = watch::channel(Counters { things: 3, ..Counters::default() });
        let stop = CancellationToken::new();
        let writer = tokio::spawn(write(path.clone(), Instant::now(), shown, stop.clone()));
        let read_until = async |want: &str, is_there: bool| {
            let found = async {
                while !std::fs::read_to_string(&path).is_ok_and(|text| text.contains(want) == is_there) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), found).await.unwrap_or_else(|_| panic!("no {want}"));
        };
        read_until("{\"things\":3,\"received\":0,\"stored\":0,\"refused\":0,\"shed\":0,\"repeated\":0,\"first_drawn_ms\":null,\"first_live_ms\":null}\n", true).await;
        counters.send_replace(Counters { things: 3, drawn: true, ..Counters::default() });
        read_until("\"first_drawn_ms\":null", false).await;
        read_until("\"first_live_ms\":null", true).await;
        counters.send_replace(Counters {
            things: 3,
            received: 9,
            stored: 8,
            refused: 1,
            drawn: true,
            live_seen: true,
            ..Counters::default()
        });
        read_until("\"received\":9,\"stored\":8,\"refused\":1,\"shed\":0,\"repeated\":0,\"first_drawn_ms\":", true)
            .await;
        assert!(!std::fs::read_to_string(&path).unwrap().contains("null"));
        stop.cancel();
        writer.await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
