//! The one actor: owns the fleet and the windows, and performs effects through the ports.
//!
//! One batch is on its way to the disk at any time; what happens meanwhile gathers into the next. So at a low rate every message is
//! committed at once, and under load batches grow by themselves (docs/adr/0003-delivery.md). When the disk does not keep up, the
//! link is not read: the broker holds.

mod committing;
mod figures;

use std::time::Duration;

use fleetlens_ipc::profile::Trial;
use fleetlens_ipc::rows::Settings;
use fleetlens_ipc::{Call, Done, Fault, FaultCode, Frame, RequestId};
use fleetlens_model::audit::Event;
use fleetlens_model::group::Group;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::identity;
use fleetlens_model::record::{History, Restored, StoreStats};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::FleetConfig;
use crate::fleet::{Counters, Effects, Fleet, Input, ReadDone};
use crate::port::{Clock, Link, LinkEvent, Store, StoreFault, Ui, WindowId};
use crate::window::{Consequence, Windows};

pub use figures::Figures;

use committing::Committing;
use figures::Timing;

/// Calls of windows that may wait.
const CALLS: usize = 256;

/// Link events handled before windows and the clock get their turn; each may be some hundred messages.
const BURST: usize = 8;

/// Effects that may gather while a batch is on its way; with more the link is not read.
const GATHER_MAX: usize = 20_000;

/// Nor beyond about so many bytes: a shadow may be half a megabyte.
const GATHER_BYTES: usize = 32 << 20;

/// How often windows are told what changed.
const FRAME_MS: u64 = 100;

/// How often time passes for the fleet.
const TICK_MS: u64 = 250;

/// How often size and age of the cache are read.
const STATS_MS: u64 = 10_000;

/// How long a shutdown may go on committing; a host gives the whole end of the engine a little more.
const DRAIN_MS: u64 = 2_400;

/// The three ways to the world, and the clock.
pub struct Ports<L, S, U, C> {
    /// To the broker.
    pub link: L,
    /// To the cache.
    pub store: S,
    /// To the windows.
    pub ui: U,
    /// Both clocks.
    pub clock: C,
}

/// What reaches the actor from windows, or from the host on their behalf.
enum FromWindow {
    Attached(WindowId),
    Said(WindowId, Call),
    Detached(WindowId),
    Hushed(WindowId, oneshot::Sender<()>),
    Answered(WindowId, Frame),
    AnsweredAnew(WindowId, Frame),
    Anew,
    Configured(Box<Settings>),
    Grouped(Vec<Group>),
    Set(identity::Actor, Event, String, oneshot::Sender<()>),
    Diagnosed(oneshot::Sender<Figures>),
}

/// A running engine.
pub struct Engine {
    calls: mpsc::Sender<FromWindow>,
    counters: watch::Receiver<Counters>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts the actor on the current tokio runtime. Windows attached at once see what the cache knew.
pub fn start<L: Link, S: Store, U: Ui, C: Clock>(
    config: FleetConfig,
    restored: Restored,
    link_events: mpsc::Receiver<LinkEvent>,
    ports: Ports<L, S, U, C>,
) -> Engine {
    let (calls, calls_in) = mpsc::channel(CALLS);
    let (counters_out, counters) = watch::channel(Counters::default());
    let stop = CancellationToken::new();
    let fleet = Fleet::new(config, restored, ports.clock.now());
    let (results, results_in) = mpsc::channel(CALLS);
    let actor = Actor {
        fleet,
        windows: Windows::default(),
        ports,
        gathering: Effects::default(),
        committing: None,
        gathers_until: Instant::now(),
        results,
        counters: counters_out,
        stuck: None,
        damaged: false,
        timing: Timing::default(),
        connects: 0,
    };
    let task = tokio::spawn(actor.run(calls_in, link_events, results_in, stop.clone()));
    Engine { calls, counters, stop, task }
}

impl Engine {
    /// A window is here. Waits while too many calls are queued; false when the engine has stopped.
    pub async fn attach(&self, window: WindowId) -> bool {
        self.calls.send(FromWindow::Attached(window)).await.is_ok()
    }

    /// A window says something. Like [`Engine::attach`].
    pub async fn call(&self, window: WindowId, call: Call) -> bool {
        self.calls.send(FromWindow::Said(window, call)).await.is_ok()
    }

    /// A window is gone. Like [`Engine::attach`].
    pub async fn detach(&self, window: WindowId) -> bool {
        self.calls.send(FromWindow::Detached(window)).await.is_ok()
    }

    /// A window looks at nothing of the present any more; once it resolves nothing of a view is on its way to it. What it asks is answered as
    /// before. False when the engine has stopped.
    pub async fn hush(&self, window: WindowId) -> bool {
        let (tell, told) = oneshot::channel();
        self.calls.send(FromWindow::Hushed(window, tell)).await.is_ok() && told.await.is_ok()
    }

    /// Answers a window's request that the host has performed itself. Like [`Engine::attach`].
    pub async fn answer(&self, window: WindowId, request: RequestId, outcome: Result<Done, Fault>) -> bool {
        self.calls.send(FromWindow::Answered(window, Frame::Answer { request, outcome })).await.is_ok()
    }

    /// Tells a window something nobody asked for. Like [`Engine::attach`].
    pub async fn tell(&self, window: WindowId, fault: Fault) -> bool {
        self.calls.send(FromWindow::Answered(window, Frame::Notice(fault))).await.is_ok()
    }

    /// Tells a window how far the try of a broker is that it asked for. Like [`Engine::attach`].
    pub async fn trial(&self, window: WindowId, trial: Trial) -> bool {
        self.calls.send(FromWindow::Answered(window, Frame::Trial(Box::new(trial)))).await.is_ok()
    }

    /// Tells a window that what it is shown from here on is the present again. Like [`Engine::attach`].
    pub async fn past_is_over(&self, window: WindowId) -> bool {
        self.calls.send(FromWindow::Answered(window, Frame::Past(None))).await.is_ok()
    }

    /// Has a window open a thing that was chosen outside it. Like [`Engine::attach`].
    pub async fn open(&self, window: WindowId, thing: ThingKey) -> bool {
        self.calls.send(FromWindow::Answered(window, Frame::Open(thing))).await.is_ok()
    }

    /// Who is at the screen and how the program is set, from now on. Like [`Engine::attach`].
    pub async fn configure(&self, settings: Settings) -> bool {
        self.calls.send(FromWindow::Configured(Box::new(settings))).await.is_ok()
    }

    /// These are the groups from now on: those of before, unchanged, and new ones, which no rule names yet. Like [`Engine::attach`].
    pub async fn regroup(&self, groups: Vec<Group>) -> bool {
        self.calls.send(FromWindow::Grouped(groups)).await.is_ok()
    }

    /// Has the audit log told what a person set that the host keeps, or what the host refused them, in words without any secret. Once it resolves it is on its way to the
    /// disk, and there at the latest when the engine has stopped; false when that has stopped before.
    pub async fn audit(&self, by: identity::Actor, event: Event, detail: String) -> bool {
        let (tell, told) = oneshot::channel();
        self.calls.send(FromWindow::Set(by, event, detail, tell)).await.is_ok() && told.await.is_ok()
    }

    /// Answers a window's request for another profile and tells every window to begin again, in one: what a window hears first of an
    /// engine that is new to it says so. Like [`Engine::attach`].
    pub async fn answer_anew(&self, window: WindowId, request: RequestId, outcome: Result<Done, Fault>) -> bool {
        self.calls.send(FromWindow::AnsweredAnew(window, Frame::Answer { request, outcome })).await.is_ok()
    }

    /// Tells every window to begin again: this engine is new to them. Like [`Engine::attach`].
    pub async fn begin_anew(&self) -> bool {
        self.calls.send(FromWindow::Anew).await.is_ok()
    }

    /// How it stands, now; `None` when it has stopped. Waits its turn like every call.
    pub async fn figures(&self) -> Option<Figures> {
        let (tell, told) = oneshot::channel();
        self.calls.send(FromWindow::Diagnosed(tell)).await.ok()?;
        told.await.ok()
    }

    /// Counts since the start, as they change.
    pub fn counters(&self) -> watch::Receiver<Counters> {
        self.counters.clone()
    }

    /// Drains what the link has handed over, commits it and ends; at most a few seconds. Stop the link first.
    pub async fn stop(mut self) {
        self.ended().await;
    }

    /// Like [`Engine::stop`], but cuts it short after this time; false if it had to. When it returns nothing of the engine runs any
    /// more.
    pub async fn stop_within(mut self, within: Duration) -> bool {
        let in_time = tokio::time::timeout(within, self.ended()).await.is_ok();
        if !in_time {
            self.task.abort();
            // It ends at its next look around; that it was aborted is known.
            let _ = self.task.await;
        }
        in_time
    }

    async fn ended(&mut self) {
        self.stop.cancel();
        if let Err(e) = (&mut self.task).await {
            tracing::error!("the engine ended badly: {e}");
        }
    }
}

enum ResultOf {
    Read(ReadDone),
    Recalled(SeriesKey, Result<History, StoreFault>),
    Stats(Result<StoreStats, StoreFault>),
}

struct Actor<L, S, U, C> {
    fleet: Fleet,
    windows: Windows,
    ports: Ports<L, S, U, C>,
    gathering: Effects,
    committing: Option<Committing>,
    /// What nobody waits for gathers until then.
    gathers_until: Instant,
    results: mpsc::Sender<ResultOf>,
    counters: watch::Sender<Counters>,
    /// Why the last commit failed; told once to every window.
    stuck: Option<Fault>,
    /// Whether it failed for damage.
    damaged: bool,
    /// How long batches took.
    timing: Timing,
    /// How often the link came up.
    connects: u64,
}

impl<L: Link, S: Store, U: Ui, C: Clock> Actor<L, S, U, C> {
    async fn run(
        mut self,
        mut calls: mpsc::Receiver<FromWindow>,
        mut link_events: mpsc::Receiver<LinkEvent>,
        mut results: mpsc::Receiver<ResultOf>,
        stop: CancellationToken,
    ) {
        let mut frames = every(FRAME_MS);
        let mut ticks = every(TICK_MS);
        let mut stats = every(STATS_MS);
        let mut burst = Vec::with_capacity(BURST);
        let mut link_open = true;
        self.fleet.set_charted(self.windows.has_charts());
        self.handle(Input::Started);
        loop {
            if !self.gathers_on() {
                self.commit_next();
            }
            self.read_at_once();
            let may_read = link_open && self.has_room();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(call) = calls.recv() => {
                    self.heard(call);
                    while let Ok(call) = calls.try_recv() {
                        self.heard(call);
                    }
                    self.tell_windows();
                }
                outcome = committing::outcome(&mut self.committing), if self.committing.is_some() => self.committed(outcome),
                Some(result) = results.recv() => self.result(result),
                () = sleep_until(self.gathers_until), if self.gathers_on() => {}
                _ = ticks.tick() => self.handle(Input::Ticked),
                _ = frames.tick() => self.tell_windows(),
                _ = stats.tick() => self.read_stats(),
                n = link_events.recv_many(&mut burst, BURST), if may_read => {
                    link_open = n > 0;
                    let now = self.ports.clock.now();
                    for event in burst.drain(..) {
                        self.connects += u64::from(matches!(event, LinkEvent::Up { .. }));
                        self.fleet.handle(Input::Link(event), now, &mut self.gathering);
                    }
                }
            }
        }
        // Of what came in the last moment only answers still matter: nobody would give them again.
        while let Ok(call) = calls.try_recv() {
            if let FromWindow::Answered(window, frame) = call {
                self.windows.answer(window, frame);
            }
        }
        self.drain(link_events).await;
    }

    /// Takes what the link has handed over already and puts it on the disk. It cannot be acknowledged any more; when the broker sends
    /// it again, it is known.
    async fn drain(mut self, mut link_events: mpsc::Receiver<LinkEvent>) {
        link_events.close();
        while let Ok(event) = link_events.try_recv() {
            self.handle(Input::Link(event));
        }
        let end = Instant::now() + Duration::from_millis(DRAIN_MS);
        loop {
            self.commit_next();
            if self.committing.is_none() {
                break;
            }
            // One that is on its way may still get there.
            if self.damaged && self.committing.as_ref().is_some_and(Committing::rests) {
                self.give_up();
                break;
            }
            tokio::select! {
                outcome = committing::outcome(&mut self.committing) => self.committed(outcome),
                () = sleep_until(end) => {
                    tracing::error!("the cache did not take the last messages in time; the broker still has those of QoS 1");
                    self.give_up();
                    break;
                }
            }
        }
        self.tell_windows();
    }

    fn handle(&mut self, input: Input) {
        let now = self.ports.clock.now();
        self.fleet.handle(input, now, &mut self.gathering);
    }

    fn heard(&mut self, call: FromWindow) {
        match call {
            FromWindow::Attached(window) => {
                self.windows.attach(window);
                if let Some(fault) = &self.stuck {
                    self.windows.answer(window, Frame::Notice(fault.clone()));
                }
            }
            FromWindow::Detached(window) => self.windows.detach(window),
            FromWindow::Hushed(window, heard) => {
                self.windows.hush(window);
                // Whoever asked may have given up.
                let _ = heard.send(());
            }
            FromWindow::Answered(window, frame) => self.windows.answer(window, frame),
            FromWindow::Grouped(groups) => {
                // What changed before is told of the groups of before.
                self.soil();
                self.fleet.regroup(groups);
                self.windows.regroup(&self.fleet, self.ports.clock.now());
            }
            FromWindow::Configured(settings) => self.handle(Input::Configured(settings)),
            FromWindow::Set(by, event, detail, heard) => {
                self.handle(Input::Set { by, event, detail });
                // Whoever asked may have given up.
                let _ = heard.send(());
            }
            FromWindow::Anew => self.windows.begin(),
            // Whoever asked may have given up.
            FromWindow::Diagnosed(tell) => drop(tell.send(self.figures())),
            FromWindow::AnsweredAnew(window, frame) => {
                self.windows.answer(window, frame);
                self.windows.begin();
            }
            FromWindow::Said(window, call) => {
                self.soil();
                let now = self.ports.clock.now();
                match self.windows.call(window, call, &mut self.fleet, now) {
                    Some(Consequence::Ask { request, intent }) => self.handle(Input::Asked { window, request, intent }),
                    Some(Consequence::Opened(thing)) => self.handle(Input::Opened(thing)),
                    Some(Consequence::Read(read)) => self.gathering.outward.push(read),
                    None => {}
                }
            }
        }
        self.fleet.set_charted(self.windows.has_charts());
    }

    fn result(&mut self, result: ResultOf) {
        match result {
            ResultOf::Read(done) => {
                if let Err(fault) = &done.outcome {
                    self.windows.notice(&Fault::new(FaultCode::Store, format!("the cache cannot be read: {fault}")));
                }
                self.soil();
                self.windows.read(done, &self.fleet);
                self.tell_windows();
            }
            ResultOf::Recalled(series, recalled) => {
                let buckets = recalled.unwrap_or_else(|fault| {
                    tracing::warn!("the history of a value cannot be read to learn what is usual: {fault}");
                    History::new()
                });
                self.handle(Input::Recalled { series, buckets });
            }
            ResultOf::Stats(Ok(stats)) => self.handle(Input::Measured(stats)),
            ResultOf::Stats(Err(fault)) => tracing::warn!("the cache cannot be measured: {fault}"),
        }
    }

    fn read_stats(&mut self) {
        let stats = self.ports.store.stats();
        let results = self.results.clone();
        tokio::spawn(async move {
            let _ = results.send(ResultOf::Stats(stats.await)).await;
        });
    }

    fn soil(&mut self) {
        let dirty = self.fleet.take_dirty();
        self.windows.soil(&dirty, &self.fleet);
    }

    fn tell_windows(&mut self) {
        self.soil();
        let now = self.ports.clock.now();
        for window in self.windows.detach_unheard() {
            tracing::warn!(window = window.0, "a window asks and never says what it has seen; it is told nothing more");
            self.ports.ui.close(window);
        }
        for (window, parcel) in self.windows.parcels(&self.fleet, now) {
            if self.ports.ui.push(window, parcel).is_break() {
                self.windows.detach(window);
            }
        }
        self.counters.send_if_modified(|shown| {
            let counters = self.fleet.counters();
            std::mem::replace(shown, counters) != counters
        });
    }
}

fn every(ms: u64) -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_millis(ms));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests;
