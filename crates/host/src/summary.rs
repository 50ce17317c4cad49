//! What the app tells about itself while it runs, for `cargo xtask run` and tests: a small JSON file, replaced once a second.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fleetlens_engine::fleet::Counters;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::whole;

/// How often the file is replaced.
const EVERY: Duration = Duration::from_secs(1);

/// Writes the file every second and once more at the end. `started` is when the process began.
pub async fn write(path: PathBuf, started: Instant, mut counters: watch::Receiver<Counters>, stop: CancellationToken) {
    let mut firsts = Firsts::default();
    let mut told = false;
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let end = tokio::select! {
            () = stop.cancelled() => true,
            _ = tick.tick() => false,
            // Whoever waits for the first picture, or for live data in it, should not wait for the next second as well.
            seen = counters.wait_for(|now| firsts.is_news(now)), if !firsts.are_all() => seen.is_err(),
        };
        let now = *counters.borrow_and_update();
        firsts.note(&now, started);
        let line = summary(&now, firsts);
        if let Err(error) = whole::replace(&path, line.as_bytes()).await
            && !std::mem::replace(&mut told, true)
        {
            tracing::warn!(path = %path.display(), %error, "the summary cannot be written");
        }
        if end {
            return;
        }
    }
}

/// When a window first showed what is known, when over all of its ground, and when live values, in milliseconds since the start.
#[derive(Clone, Copy, Debug, Default)]
struct Firsts([Option<u64>; 3]);

impl Firsts {
    fn happened(now: &Counters) -> [bool; 3] {
        [now.shown, now.drawn, now.live_seen]
    }

    fn is_news(&self, now: &Counters) -> bool {
        Self::happened(now).into_iter().zip(self.0).any(|(happened, first_ms)| happened && first_ms.is_none())
    }

    fn are_all(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    fn note(&mut self, now: &Counters, started: Instant) {
        for (happened, first_ms) in Self::happened(now).into_iter().zip(&mut self.0) {
            if happened && first_ms.is_none() {
                *first_ms = u64::try_from(started.elapsed().as_millis()).ok();
            }
        }
    }
}

fn summary(now: &Counters, firsts: Firsts) -> String {
    let [shown, drawn, live] = firsts.0.map(|ms| ms.map_or("null".to_owned(), |ms| ms.to_string()));
    let Counters { things, received, stored, refused, shed, repeated, .. } = now;
    format!(
        "{{\"things\":{things},\"received\":{received},\"stored\":{stored},\"refused\":{refused},\"shed\":{shed},\"repeated\":{repeated},\"first_shown_ms\":{shown},\"first_drawn_ms\":{drawn},\"first_live_ms\":{live}}}\n"
    )
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
        read_until("{\"things\":3,\"received\":0,\"stored\":0,\"refused\":0,\"shed\":0,\"repeated\":0,\"first_shown_ms\":null,\"first_drawn_ms\":null,\"first_live_ms\":null}\n", true).await;
        counters.send_replace(Counters { things: 3, shown: true, ..Counters::default() });
        read_until("\"first_shown_ms\":null", false).await;
        read_until("\"first_drawn_ms\":null", true).await;
        counters.send_replace(Counters { things: 3, shown: true, drawn: true, ..Counters::default() });
        read_until("\"first_drawn_ms\":null", false).await;
        read_until("\"first_live_ms\":null", true).await;
        counters.send_replace(Counters {
            things: 3,
            received: 9,
            stored: 8,
            refused: 1,
            shown: true,
            drawn: true,
            live_seen: true,
            ..Counters::default()
        });
        read_until("\"received\":9,\"stored\":8,\"refused\":1,\"shed\":0,\"repeated\":0,\"first_shown_ms\":", true)
            .await;
        assert!(!std::fs::read_to_string(&path).unwrap().contains("null"));
        stop.cancel();
        writer.await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
