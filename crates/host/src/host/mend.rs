//! A cache that has to be opened anew while the app runs: one that turned out to be damaged, or one that could not be written and can be
//! now. The run in use ends, its cache is opened as a start does it, and the same profile goes on. What was not acknowledged the broker
//! says again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock as StdRwLock};
use std::time::Duration;

use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_store::StoreError;
use fleetlens_tiles::Tiles;
use tokio::sync::{Mutex, RwLock, mpsc};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Host, HostError, around, prepare};
use crate::ports::Sinks;
use crate::run::{Prepared, Run};
use crate::settings::Home;
use crate::vigil::Vigil;

/// What came of it.
#[derive(Clone, Copy)]
enum Outcome {
    /// There was nothing to mend.
    Nothing,
    /// It cannot be done now, and what runs runs on.
    Later,
    Mended,
    /// One that was only read is open for writing.
    MayBeWritten,
    /// Nothing runs any more.
    Ended,
}

/// From one mending to the next at the least, twice as long when they follow each other: what a dying disk breaks again and again is kept beside the cache
/// each time.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(86_400);

/// How long the cache may take to be let go of, and how often that is looked at.
const LET_GO_WITHIN: Duration = Duration::from_secs(120);
const LOOKS_AGAIN: Duration = Duration::from_millis(250);

/// Opens the cache of the run in use anew when it has to be.
pub struct Mender {
    home: Arc<Mutex<Home>>,
    run: Arc<RwLock<Option<Run>>>,
    sinks: Sinks,
    runs: Arc<AtomicU64>,
    tiles: Arc<StdRwLock<Arc<Tiles>>>,
    first_words: Arc<StdRwLock<Vec<Fault>>>,
    mend: mpsc::Sender<()>,
    vigil: Vigil,
    ending: CancellationToken,
    ended: CancellationToken,
}

impl Mender {
    /// For the runs of this host.
    pub fn of(host: &Host) -> Mender {
        Mender {
            home: Arc::clone(&host.home),
            run: Arc::clone(&host.run),
            sinks: host.sinks.clone(),
            runs: Arc::clone(&host.runs),
            tiles: Arc::clone(&host.tiles),
            first_words: Arc::clone(&host.first_words),
            mend: host.mend.clone(),
            vigil: host.vigil.clone(),
            ending: host.ending.clone(),
            ended: host.ended.clone(),
        }
    }

    /// Until everything ends.
    pub async fn run(self, mut asked: mpsc::Receiver<()>) {
        let ending = self.ending.clone();
        let (mut pause, mut last): (Duration, Option<Instant>) = (PAUSE, None);
        loop {
            let asked = tokio::select! {
                () = ending.cancelled() => return,
                asked = asked.recv() => asked,
            };
            if asked.is_none() {
                return;
            }
            let outcome = self.mend().await;
            let rests = match outcome {
                Outcome::Nothing => continue,
                Outcome::Ended => return,
                Outcome::MayBeWritten => LOOKS_AGAIN,
                Outcome::Later => PAUSE,
                Outcome::Mended => {
                    let is_often = last.is_some_and(|last| last.elapsed() < pause * 2);
                    pause = if is_often { (pause * 2).min(PAUSE_MAX) } else { PAUSE };
                    last = Some(Instant::now());
                    pause
                }
            };
            tokio::select! {
                () = ending.cancelled() => return,
                () = sleep(rests) => {}
            }
            if matches!(outcome, Outcome::Later) {
                // Who asked asks once. A wish that waits already is as good.
                _ = self.mend.try_send(());
            }
        }
    }

    async fn mend(&self) -> Outcome {
        // In the order in which everybody takes them.
        let home = self.home.lock().await;
        let mut run = self.run.write().await;
        let (options, file) = match run.as_ref() {
            None => return Outcome::Ended,
            Some(run) if !run.wants_mending() => return Outcome::Nothing,
            Some(run) => (run.options.clone(), run.file.clone()),
        };
        // Before anything ends: what has nothing to do with the cache ends nothing.
        let (its, of) = (options.clone(), file.clone());
        let checked = tokio::task::spawn_blocking(move || Prepared::check(&its, of)).await;
        if let Err(error) = checked.unwrap_or(Err(HostError::Interrupted)) {
            tracing::warn!(%error, "the cache is not opened anew for now");
            return Outcome::Later;
        }
        let Some(before) = run.take() else { return Outcome::Ended };
        if before.store().only_read().is_none() {
            self.tell_that_it_takes_time(&before).await;
        }
        let was_only_read = before.store().only_read().is_some();
        let city = before.end_but_city().await;
        let end = Instant::now() + LET_GO_WITHIN;
        let prepared = loop {
            if self.ending.is_cancelled() {
                break None;
            }
            let prepared = tokio::select! {
                // What is salvaged by half the next start begins anew.
                () = self.ending.cancelled() => break None,
                prepared = prepare(options.clone(), file.clone()) => prepared,
            };
            match prepared {
                Ok(prepared) => break Some(prepared),
                // Its last reader or a copy of its log is on the way out.
                Err(HostError::Store(StoreError::InUse { .. })) if Instant::now() < end => sleep(LOOKS_AGAIN).await,
                Err(error) => {
                    self.vigil.tell(format!("the cache could not be opened anew: {error}"));
                    break None;
                }
            }
        };
        let Some(prepared) = prepared else {
            if let Some(city) = city {
                city.stop().await;
            }
            // Whoever stops the host waits for the lock and finds nothing left to end.
            self.ended.cancel();
            return Outcome::Ended;
        };
        // One that can only be read as before rests as long as one that was mended: what it wanted room for may want more than there is.
        let is_written_again = was_only_read && prepared.store.only_read().is_none();
        let outcome = if is_written_again { Outcome::MayBeWritten } else { Outcome::Mended };
        let number = self.runs.fetch_add(1, Ordering::AcqRel) + 1;
        let mut around = around(&options, &home, &prepared, &self.sinks.of_run(number), &self.vigil, &self.mend);
        around.city = city;
        *self.tiles.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&prepared.tiles);
        let word = self.told(&prepared);
        let next = Run::start(prepared, around);
        if let Some(engine) = next.engine() {
            for window in self.sinks.windows() {
                engine.attach(window).await;
                if let Some(word) = &word {
                    engine.tell(window, word.clone()).await;
                }
            }
            engine.begin_anew().await;
        }
        *run = Some(next);
        outcome
    }

    /// While a cache is salvaged nobody answers: who looks at a window is told beforehand why.
    async fn tell_that_it_takes_time(&self, run: &Run) {
        let Some(engine) = run.engine() else { return };
        let word = "the cache is damaged; what can be read of it is saved now, which may take a minute. Meanwhile nothing here is new, \
                    and the broker keeps what it sends at QoS 1";
        for window in self.sinks.windows() {
            engine.tell(window, Fault::new(FaultCode::Store, word)).await;
        }
        // It takes its calls and tells its windows at the next frame.
        sleep(LOOKS_AGAIN).await;
    }

    /// What became of the cache, for every window that is there or comes.
    fn told(&self, prepared: &Prepared) -> Option<Fault> {
        let word = prepared.first_word.clone();
        let mut words = self.first_words.write().unwrap_or_else(PoisonError::into_inner);
        // That nothing can be kept is over, or is said again.
        words.retain(|known| !known.message.starts_with(crate::run::NOTHING_KEPT));
        words.extend(word.clone());
        word
    }
}
