//! The past that a window is shown: a task that reads the cache forward, lets time pass in a [`Replay`] and sends what it tells.
//!
//! It reads like somebody from outside, in short transactions beside the writer, on threads where blocking is allowed; of what comes it holds
//! one stretch, and reads the next meanwhile. It ends with its window's way back, with its run, or when nobody asks it any more.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetlens_engine::config::FleetConfig;
use fleetlens_engine::fleet::ReadDone;
use fleetlens_engine::port::{Clock as _, Ui as _, WindowId};
use fleetlens_engine::replay::{Known, Replay, Wanted};
use fleetlens_ipc::replay::{Moment, SPEEDS};
use fleetlens_ipc::rows::{CHART_ALARMS_MAX, Settings};
use fleetlens_ipc::{Call, Fault, FaultCode};
use fleetlens_model::alarm::Alarm;
use fleetlens_model::record::Passage;
use fleetlens_model::time::WallMs;
use fleetlens_store::{AsItWas, Reading, Store};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::ports::{Sinks, SystemClock, wall_now};

/// Calls that may wait while a moment is read.
const CALLS: usize = 256;

/// How often the window is told what changed.
const FRAME: Duration = Duration::from_millis(100);

/// How often it is told the moment while that passes.
const MOMENT: Duration = Duration::from_millis(250);

/// Of what comes no more is read at once than this many samples, nor less than a minute or two seconds of our time.
const SAMPLES_MAX: usize = 200_000;
const STRETCH_MS: i64 = 60_000;
const STRETCH_OF_OURS_MS: i64 = 2_000;

/// What was received so lately may not be on the disk yet.
const UNWRITTEN_MS: i64 = 2_000;

/// No more of our own time is made up for at once: where a moment of it takes longer to work out, time goes as fast as it can.
const CATCHES_UP_MS: i64 = 250;

/// So near to its end the past is over.
const NEAR_MS: i64 = 1_000;

/// What a window is told that wants something changed.
pub const IS_PAST: &str = "this is the past: nothing is commanded, acknowledged or changed here; go back to now first";

/// What a fleet of this run is made with, at any time.
#[derive(Clone)]
pub struct Makings {
    /// As the run's own.
    pub config: FleetConfig,
    /// The cache.
    pub store: Store,
    /// The run's clock.
    pub clock: SystemClock,
    /// Where parcels go.
    pub sinks: Sinks,
    /// The run ends.
    pub ending: CancellationToken,
}

/// What the task is told.
enum Order {
    Said(Call),
    Seek(WallMs, oneshot::Sender<Result<Moment, Fault>>),
    Play(u16, oneshot::Sender<Moment>),
    Configure(Box<Settings>),
}

/// The past of one window.
#[derive(Debug)]
pub struct Player {
    /// One of the places that there are for pasts: each is a whole fleet.
    _place: OwnedSemaphorePermit,
    orders: mpsc::Sender<Order>,
    at_ms: Arc<AtomicI64>,
    /// Its run ends.
    ending: CancellationToken,
    task: JoinHandle<()>,
}

/// A past that was read and is not shown yet.
pub struct Ready {
    makings: Makings,
    reading: Arc<Mutex<Reading>>,
    known: Known,
    moment: Moment,
}

impl Ready {
    /// Reads what was known at a moment. Fails where the cache cannot be read, or holds nothing.
    pub async fn read(makings: Makings, at: WallMs) -> Result<Ready, Fault> {
        let store = makings.store.clone();
        let (reading, found) = spawn_blocking(move || {
            let reading = store.reading().map_err(unreadable)?;
            // Nobody is kept from closing it by this.
            drop(store);
            let found = look_up(&reading, at)?;
            Ok::<_, Fault>((Arc::new(Mutex::new(reading)), found))
        })
        .await
        .map_err(|_| interrupted())??;
        let (known, moment) = found;
        Ok(Ready { makings, reading, known, moment })
    }

    /// Which moment it is.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// Whether its run has ended since.
    pub fn is_over(&self) -> bool {
        self.makings.ending.is_cancelled()
    }

    /// Shows it to a window that looks at these from now on.
    pub fn show(self, window: WindowId, looks: Vec<Call>, _place: OwnedSemaphorePermit) -> Player {
        let Ready { makings, reading, known, moment } = self;
        let replay = Replay::new(makings.config.clone(), known);
        let (orders, heard) = mpsc::channel(CALLS);
        let (results, found) = mpsc::channel(CALLS);
        let at_ms = Arc::new(AtomicI64::new(moment.at_ms.0));
        let ending = makings.ending.clone();
        let mut playing = Playing {
            window,
            at_ms: Arc::clone(&at_ms),
            makings,
            reading,
            replay,
            moment,
            passed: Instant::now(),
            told: Instant::now(),
            fetching: false,
            results,
        };
        playing.replay.tell(Some(moment));
        looks.into_iter().for_each(|look| playing.hear(look));
        Player { _place, orders, at_ms, ending, task: tokio::spawn(playing.run(heard, found)) }
    }
}

impl Player {
    /// Which moment it shows.
    pub fn at(&self) -> WallMs {
        WallMs(self.at_ms.load(Ordering::Relaxed))
    }

    /// Whether its run has ended.
    pub fn run_is_over(&self) -> bool {
        self.ending.is_cancelled()
    }

    /// The window says something; false when it has ended.
    pub async fn say(&self, call: Call) -> bool {
        self.orders.send(Order::Said(call)).await.is_ok()
    }

    /// Begins to show another moment; the answer comes when it is read, or never.
    pub async fn seek(&self, at: WallMs) -> Result<oneshot::Receiver<Result<Moment, Fault>>, Fault> {
        let (tell, told) = oneshot::channel();
        if self.orders.send(Order::Seek(at, tell)).await.is_err() {
            return Err(interrupted());
        }
        Ok(told)
    }

    /// Goes on so fast, or stands still; the answer comes when a moment that was asked for before is read.
    pub async fn play(
        &self,
        speed: u16,
    ) -> Result<impl Future<Output = Result<Moment, Fault>> + Send + 'static + use<>, Fault> {
        if speed != 0 && !SPEEDS.contains(&speed) {
            let message = format!("the past goes on {SPEEDS:?} times as fast as life, and not {speed} times");
            return Err(Fault::new(FaultCode::Invalid, message));
        }
        let (tell, told) = oneshot::channel();
        if self.orders.send(Order::Play(speed, tell)).await.is_err() {
            return Err(interrupted());
        }
        Ok(async move { told.await.map_err(|_| interrupted()) })
    }

    /// Somebody else is at the screen, or something is set otherwise.
    pub async fn configure(&self, settings: Settings) {
        // One that has ended shows nothing.
        let _ = self.orders.send(Order::Configure(Box::new(settings))).await;
    }

    /// Ends it; nothing of it is on its way to the window afterwards.
    pub async fn end(self) {
        drop(self.orders);
        self.task.abort();
        // That it was aborted is known.
        let _ = self.task.await;
    }
}

enum Found {
    Chart(ReadDone),
    Comes(Result<Passage, Fault>, WallMs),
}

struct Playing {
    window: WindowId,
    /// Which moment it shows, for others.
    at_ms: Arc<AtomicI64>,
    makings: Makings,
    reading: Arc<Mutex<Reading>>,
    replay: Replay,
    moment: Moment,
    /// When time was last let pass.
    passed: Instant,
    /// When the window was last told the moment.
    told: Instant,
    /// The next stretch is on its way.
    fetching: bool,
    results: mpsc::Sender<Found>,
}

impl Playing {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>, mut found: mpsc::Receiver<Found>) {
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ending = self.makings.ending.clone();
        loop {
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                order = orders.recv() => match order {
                    Some(order) => self.order(order).await,
                    None => return,
                },
                Some(found) = found.recv() => self.found(found),
                _ = frames.tick() => self.pass(),
            }
            if self.push().is_break() {
                return;
            }
        }
    }

    async fn order(&mut self, order: Order) {
        match order {
            Order::Said(call) => self.hear(call),
            Order::Seek(at, tell) => {
                let outcome = self.seek(at).await;
                // Whoever asked may have given up.
                let _ = tell.send(outcome);
            }
            Order::Play(speed, tell) => {
                self.pass();
                self.set_speed(speed);
                let _ = tell.send(self.moment);
            }
            Order::Configure(settings) => {
                self.makings.config.who.clone_from(&settings.who);
                self.makings.config.settings.clone_from(&settings);
                self.replay.configure(*settings);
            }
        }
    }

    async fn seek(&mut self, at: WallMs) -> Result<Moment, Fault> {
        let reading = Arc::clone(&self.reading);
        let read = spawn_blocking(move || look_up(&locked(&reading), at));
        let (known, moment) = read.await.map_err(|_| interrupted())??;
        self.moment = Moment { speed: self.moment.speed, ..moment };
        self.passed = Instant::now();
        for wanted in self.replay.seek(self.makings.config.clone(), known) {
            self.want(wanted);
        }
        self.tell();
        Ok(self.moment)
    }

    fn set_speed(&mut self, speed: u16) {
        self.moment.speed = speed;
        self.passed = Instant::now();
        self.tell();
    }

    fn tell(&mut self) {
        self.told = Instant::now();
        self.replay.tell(Some(self.moment));
    }

    /// Lets as much time pass as did, so many times over; no further than is read.
    fn pass(&mut self) {
        let now = Instant::now();
        let ours_ms = i64::try_from(now.duration_since(self.passed).as_millis()).unwrap_or(0).min(CATCHES_UP_MS);
        self.passed = now;
        if self.moment.speed == 0 {
            return;
        }
        let speed = i64::from(self.moment.speed);
        let end = wall_now().plus(-UNWRITTEN_MS);
        let to = self.replay.at().plus(ours_ms.saturating_mul(speed)).min(end);
        self.replay.pass(to);
        let at = self.replay.at();
        self.moment = Moment { at_ms: at, is_other: false, ..self.moment };
        if at.plus(NEAR_MS) >= end {
            // Here is the present, which goes on while it is read.
            self.set_speed(0);
            return;
        }
        if now.duration_since(self.told) >= MOMENT {
            self.tell();
        }
        let stretch_ms = STRETCH_MS.max(STRETCH_OF_OURS_MS.saturating_mul(speed));
        let known = self.replay.known();
        if !self.fetching && known.since(at) < stretch_ms.unsigned_abs() / 2 && known < end {
            self.fetching = true;
            let (reading, results) = (Arc::clone(&self.reading), self.results.clone());
            let up_to = known.plus(stretch_ms).min(end);
            tokio::spawn(async move {
                let read = spawn_blocking(move || locked(&reading).between(known, up_to, SAMPLES_MAX));
                let outcome = match read.await {
                    Ok(outcome) => outcome.map_err(unreadable),
                    Err(_) => Err(interrupted()),
                };
                // The past may have ended meanwhile.
                let _ = results.send(Found::Comes(outcome, known)).await;
            });
        }
    }

    fn found(&mut self, found: Found) {
        match found {
            Found::Chart(done) => self.replay.read(done),
            Found::Comes(outcome, after) => {
                self.fetching = false;
                match outcome {
                    // Another moment may have been asked for since.
                    Ok(passage) if after == self.replay.known() => self.replay.comes(passage),
                    Ok(_) => {}
                    Err(fault) => {
                        tracing::warn!("the past stands still: {fault}");
                        self.replay.notice(fault);
                        self.set_speed(0);
                    }
                }
            }
        }
    }

    fn hear(&mut self, call: Call) {
        if let Some(wanted) = self.replay.call(call) {
            self.want(wanted);
        }
    }

    /// Reads what a chart needs.
    fn want(&mut self, wanted: Wanted) {
        let Wanted { ticket, query, thing, at } = wanted;
        let (store, results) = (self.makings.store.clone(), self.results.clone());
        tokio::spawn(async move {
            let outcome = store.history(query).await.map_err(|error| error.to_string());
            // A chart without them is a chart.
            let alarms = store.alarms_of(thing, query.from_ms..query.to_ms, CHART_ALARMS_MAX).await.unwrap_or_default();
            let then = |alarm: Alarm| Some(Alarm { state: alarm.state.as_of(at)?, ..alarm });
            let alarms = alarms.into_iter().filter_map(then).collect();
            let _ = results.send(Found::Chart(ReadDone { ticket, outcome, alarms })).await;
        });
    }

    fn push(&mut self) -> ControlFlow<()> {
        self.at_ms.store(self.replay.at().0, Ordering::Relaxed);
        let paced = self.makings.clock.now().mono;
        for parcel in self.replay.parcels(paced) {
            self.makings.sinks.push(self.window, parcel)?;
        }
        ControlFlow::Continue(())
    }
}

/// What was known at a moment, or at the nearer end of what the cache holds. Blocks on the disk.
fn look_up(reading: &Reading, wanted: WallMs) -> Result<(Known, Moment), Fault> {
    let began = Instant::now();
    let Some(span) = reading.span().map_err(unreadable)? else {
        return Err(Fault::new(FaultCode::NotFound, "the cache holds nothing yet that could be shown again"));
    };
    let end = wall_now().plus(-UNWRITTEN_MS).max(span.start);
    let at = wanted.clamp(span.start, end);
    let AsItWas { restored, heard_ms, shadows_unknown, alarms_unknown } = reading.as_it_was(at).map_err(unreadable)?;
    // What was received in the last seconds may not be on the disk; whoever asks for now is shown what is.
    let is_other = wanted < span.start || wanted > wall_now();
    let moment = Moment { at_ms: at, speed: 0, is_other, shadows_unknown, alarms_unknown };
    tracing::debug!(took = ?began.elapsed(), things = restored.things.len(), "a moment of the past is read");
    Ok((Known { restored, heard: heard_ms, at }, moment))
}

fn locked(reading: &Arc<Mutex<Reading>>) -> std::sync::MutexGuard<'_, Reading> {
    // A reader has no half-changed state.
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the past cannot be shown.
#[allow(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub fn unreadable(error: fleetlens_store::StoreError) -> Fault {
    Fault::new(FaultCode::Store, format!("the past cannot be read: {error}"))
}

/// Why what is asked of the past is not answered.
pub fn interrupted() -> Fault {
    Fault::new(FaultCode::Store, "the past that was shown is over; go back to now")
}
