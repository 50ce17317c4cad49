//! The one actor: owns the fleet and the windows, and performs effects through the ports.
//!
//! One batch is on its way to the disk at any time; what happens meanwhile gathers into the next. So at a low rate every message is
//! committed at once, and under load batches grow by themselves (docs/adr/0003-delivery.md). When the disk does not keep up, the
//! link is not read: the broker holds.

mod figures;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_ipc::profile::Trial;
use fleetlens_ipc::rows::Settings;
use fleetlens_ipc::{Call, Done, Fault, FaultCode, Frame, RequestId};
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::{Restored, StoreStats};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::FleetConfig;
use crate::fleet::{Counters, Effects, Fleet, Input, Outward, ReadDone};
use crate::port::{Clock, Link, LinkEvent, Store, StoreFault, StoreFaultKind, Ui, WindowId};
use crate::window::{Consequence, Windows};

pub use figures::Figures;

use figures::Timing;

/// Calls of windows that may wait.
const CALLS: usize = 256;

/// Link events handled before windows and the clock get their turn; each may be some hundred messages.
const BURST: usize = 8;

/// Effects that may gather while a batch is on its way; with more the link is not read.
const GATHER_MAX: usize = 20_000;

/// How often windows are told what changed.
const FRAME_MS: u64 = 100;

/// How often time passes for the fleet.
const TICK_MS: u64 = 250;

/// How often size and age of the cache are read.
const STATS_MS: u64 = 10_000;

/// For so long after a commit began what nobody waits for gathers: under load a commit costs more than what is in it. A message that
/// is to be acknowledged does not wait, because brokers send no more than some until they are.
const GATHER_MS: u64 = 20;

/// How long to wait before a failed batch is tried again.
const RETRY_MS: u64 = 1_000;

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
    Answered(WindowId, Frame),
    AnsweredAnew(WindowId, Frame),
    Anew,
    Configured(Box<Settings>),
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

    /// Has a window open a thing that was chosen outside it. Like [`Engine::attach`].
    pub async fn open(&self, window: WindowId, thing: ThingKey) -> bool {
        self.calls.send(FromWindow::Answered(window, Frame::Open(thing))).await.is_ok()
    }

    /// Who is at the screen and how the program is set, from now on. Like [`Engine::attach`].
    pub async fn configure(&self, settings: Settings) -> bool {
        self.calls.send(FromWindow::Configured(Box::new(settings))).await.is_ok()
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
    Stats(Result<StoreStats, StoreFault>),
}

type Commit = Pin<Box<dyn Future<Output = Result<(), StoreFault>> + Send>>;

/// A batch on its way to the disk; `retry` once it failed.
struct Committing {
    batch: Effects,
    writes: Arc<Vec<fleetlens_model::record::Write>>,
    future: Option<Commit>,
    retry: Option<Instant>,
    began: Instant,
    failed: u32,
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
            let gathered = self.gathering.writes.len() + self.gathering.outward.len();
            let may_read = link_open && gathered < GATHER_MAX;
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
                outcome = committed(&mut self.committing), if self.committing.is_some() => self.committed(outcome),
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
            if self.damaged && self.committing.as_ref().is_some_and(|committing| committing.future.is_none()) {
                self.give_up();
                break;
            }
            tokio::select! {
                outcome = committed(&mut self.committing) => self.committed(outcome),
                () = sleep_until(end) => {
                    tracing::error!("the cache did not take the last messages in time; the broker still has those of QoS 1");
                    self.give_up();
                    break;
                }
            }
        }
        self.tell_windows();
    }

    /// Nothing more can be written: whoever asked for something is told that nothing came of it.
    fn give_up(&mut self) {
        let gathered = std::mem::take(&mut self.gathering).outward;
        let failed = self.committing.take().map(|failed| failed.batch.outward).unwrap_or_default();
        for outward in failed.into_iter().chain(gathered) {
            if let Outward::Answer { window, request, .. } = outward {
                let message = "the cache could not be written and this was not kept; ask again";
                let outcome = Err(Fault::new(FaultCode::Store, message));
                self.windows.answer(window, Frame::Answer { request, outcome });
            }
        }
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
            FromWindow::Answered(window, frame) => self.windows.answer(window, frame),
            FromWindow::Configured(settings) => self.handle(Input::Configured(settings)),
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

    /// Whether the next batch waits for more.
    fn gathers_on(&self) -> bool {
        let Effects { writes, outward, .. } = &self.gathering;
        let is_some = !writes.is_empty() && writes.len() < GATHER_MAX / 2;
        is_some && outward.is_empty() && Instant::now() < self.gathers_until
    }

    /// Starts the next batch if none is on its way. A batch without writes needs no disk.
    fn commit_next(&mut self) {
        while self.committing.is_none() && !(self.gathering.writes.is_empty() && self.gathering.outward.is_empty()) {
            let mut batch = std::mem::take(&mut self.gathering);
            // The next will be about as big.
            self.gathering.writes.reserve(batch.writes.len());
            if batch.writes.is_empty() {
                self.perform(batch);
                continue;
            }
            let writes = Arc::new(std::mem::take(&mut batch.writes));
            let future: Commit = Box::pin(self.ports.store.commit(writes.clone()));
            let began = Instant::now();
            self.gathers_until = began + Duration::from_millis(GATHER_MS);
            self.committing = Some(Committing { batch, writes, future: Some(future), retry: None, began, failed: 0 });
        }
    }

    fn committed(&mut self, outcome: Option<Result<(), StoreFault>>) {
        match (outcome, self.committing.take()) {
            (Some(Ok(())), Some(done)) => {
                self.damaged = false;
                self.timing.took(done.began.elapsed(), self.ports.clock.now().mono);
                if self.stuck.take().is_some() {
                    self.handle(Input::CacheFault(None));
                }
                self.perform(done.batch);
            }
            (Some(Err(fault)), Some(failed)) if fault.kind == StoreFaultKind::LeftOut => {
                self.refused(&fault, failed.batch)
            }
            (Some(Err(fault)), Some(mut failed)) => {
                let is_damage = fault.kind == StoreFaultKind::Damaged;
                if self.stuck.is_none() || is_damage && !self.damaged {
                    tracing::error!("the cache cannot be written: {fault}");
                    self.handle(Input::CacheFault(Some(fault.to_string())));
                    let message = match fault.kind {
                        StoreFaultKind::Damaged => {
                            "the cache is damaged; what can be read is taken over into a new one. Nothing is acknowledged until \
                             it is there"
                                .to_owned()
                        }
                        StoreFaultKind::Passing | StoreFaultKind::LeftOut => {
                            format!("the cache cannot be written: {fault}. Nothing is acknowledged until it can")
                        }
                    };
                    let fault = Fault::new(FaultCode::Store, message);
                    self.windows.notice(&fault);
                    self.stuck = Some(fault);
                }
                self.damaged = is_damage;
                failed.future = None;
                failed.failed += 1;
                failed.retry = Some(Instant::now() + Duration::from_millis(RETRY_MS));
                self.committing = Some(failed);
            }
            // The pause after a failure is over: the same batch again.
            (None, Some(failed)) => {
                let future: Commit = Box::pin(self.ports.store.commit(failed.writes.clone()));
                self.committing = Some(Committing { future: Some(future), retry: None, ..failed });
            }
            (Some(_) | None, None) => {}
        }
    }

    /// A row was left out that never can be written, and must not hold up everything after it for ever; the rest of its batch is on
    /// the disk. Which row it was, the batch does not know: so nothing of it is published or answered as done. Its messages are
    /// acknowledged, since they are stored or would come back with the same fault. A command of it that is stored is looked into
    /// after its time-out like one whose answer was lost, and one that is not is left out again, because each time it is sent its row
    /// is written with it.
    fn refused(&mut self, fault: &StoreFault, batch: Effects) {
        tracing::error!("the cache left something out, which is a fault of this program: {fault}");
        let fault = Fault::new(FaultCode::Store, format!("not everything could be stored: {fault}"));
        self.windows.notice(&fault);
        let mut not_sent = BTreeSet::new();
        let kept = batch.outward.into_iter().filter_map(|outward| match outward {
            // What burns burns, whether its row is among those that are stored or not.
            Outward::Acknowledge(_) | Outward::Subscribe(_) | Outward::Read { .. } | Outward::Alert(_) => Some(outward),
            Outward::Answer { window, request, .. } => {
                Some(Outward::Answer { window, request, outcome: Err(fault.clone()) })
            }
            Outward::Publish(message) => {
                not_sent.extend(message.command);
                None
            }
        });
        let outward = kept.collect();
        self.perform(Effects { outward, ..Effects::default() });
        not_sent.into_iter().for_each(|command| self.handle(Input::NotSent(command)));
    }

    /// Everything outward of a batch whose rows are on the disk.
    fn perform(&mut self, batch: Effects) {
        let mut acknowledge = Vec::new();
        let mono = self.ports.clock.now().mono;
        // A command of several messages: once one of them left it is sent, and after one that did not the others stay here.
        let (mut sent, mut not_sent) = (BTreeSet::new(), BTreeSet::new());
        let mut kept = Vec::new();
        for outward in batch.outward {
            match outward {
                Outward::Acknowledge(delivery) => acknowledge.push(delivery),
                // Versions and tokens protect against much, but not against a wish of ten minutes ago: it is looked into instead.
                Outward::Publish(message) if message.until < mono => {
                    tracing::warn!("not sent, the disk took too long: {}", message.topic);
                    not_sent.extend(message.command);
                }
                Outward::Publish(message) if message.command.is_some_and(|command| not_sent.contains(&command)) => {}
                Outward::Publish(message) => {
                    let (topic, command) = (message.topic.clone(), message.command);
                    let left_ms = message.until.since(mono);
                    if self.ports.link.publish(message, left_ms).is_ok() {
                        sent.extend(command);
                    } else {
                        // Commands to shadows come back to it by their time-out, shadows after the next connect.
                        tracing::debug!("not sent, the link is down or full: {topic}");
                        not_sent.extend(command);
                    }
                }
                Outward::Subscribe(filters) => self.ports.link.subscribe(filters),
                Outward::Alert(alert) => self.ports.ui.alert(alert),
                Outward::Answer { window, request, outcome } => {
                    if let Ok(Done::Command(command)) = &outcome {
                        kept.push(*command);
                    }
                    self.windows.answer(window, Frame::Answer { request, outcome })
                }
                Outward::Read { ticket, query } => {
                    let read = self.ports.store.history(query);
                    let results = self.results.clone();
                    tokio::spawn(async move {
                        let outcome = read.await.map_err(|fault| fault.to_string());
                        let _ = results.send(ResultOf::Read(ReadDone { ticket, outcome })).await;
                    });
                }
            }
        }
        if !acknowledge.is_empty() {
            self.ports.link.acknowledge(acknowledge);
        }
        kept.into_iter().for_each(|command| self.handle(Input::Kept(command)));
        sent.iter().for_each(|command| self.handle(Input::Published(*command)));
        not_sent.difference(&sent).for_each(|command| self.handle(Input::NotSent(*command)));
        if batch.messages > 0 {
            self.handle(Input::Committed { messages: batch.messages });
        }
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

/// The outcome of the batch on its way, or `None` when the pause after a failure is over.
async fn committed(committing: &mut Option<Committing>) -> Option<Result<(), StoreFault>> {
    match committing {
        Some(Committing { future: Some(future), .. }) => Some(future.await),
        Some(Committing { retry: Some(at), .. }) => {
            sleep_until(*at).await;
            None
        }
        Some(Committing { future: None, retry: None, .. }) | None => std::future::pending().await,
    }
}

fn every(ms: u64) -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_millis(ms));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests;
