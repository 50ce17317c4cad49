//! A crew at its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fleetlens_link::{Event, Events};
use tokio_util::sync::CancellationToken;

use crate::complaints::Complaints;
use crate::crew::{Crew, Moment};
use crate::muster::Muster;
use crate::outgoing::{LOOK_AGAIN, Message, Outgoing};

/// Things a crew does before it looks at its connection again.
const WORK_AT_ONCE: usize = 256;
/// While so many messages wait, devices are silent rather than late.
const WAITING_MAX: usize = 4_000;

/// What all crews of a city have done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub published: AtomicU64,
    pub heard: AtomicU64,
}

/// Real and simulated time, from one beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    began: Instant,
    sim_begin_ms: i64,
    speed: f64,
}

impl Clock {
    pub fn new(sim_begin_ms: Option<i64>, speed: f64) -> Self {
        Self { began: Instant::now(), sim_begin_ms: sim_begin_ms.unwrap_or_else(wall_ms), speed }
    }

    pub fn now(&self) -> Moment {
        let passed = self.began.elapsed();
        let simulated_ms = (passed.as_secs_f64() * 1000.0 * self.speed) as i64;
        let mono_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        Moment { mono_ms, wall_ms: wall_ms(), sim_ms: self.sim_begin_ms.saturating_add(simulated_ms) }
    }

    fn at(&self, mono_ms: u64) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.began + Duration::from_millis(mono_ms))
    }
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// What the crews of a city share.
#[derive(Clone)]
pub(super) struct Shared {
    pub clock: Clock,
    pub tally: Arc<Tally>,
    pub complaints: Arc<Complaints>,
    pub muster: Arc<Muster>,
}

/// A crew at its connection.
pub(super) struct Shift {
    crew: Crew,
    outgoing: Outgoing,
    shared: Shared,
    /// Whether the muster knows.
    arrived: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down,
    /// Connected and subscribed, until the others are as well.
    Waiting,
    Working,
}

impl Shift {
    /// Not connected yet.
    pub fn new(crew: Crew, outgoing: Outgoing, shared: Shared) -> Self {
        Self { crew, outgoing, shared, arrived: false, state: State::Down }
    }

    /// Until it is stopped, over lost connections.
    pub async fn run(mut self, mut events: Events, stop: CancellationToken) {
        let mut out = Vec::new();
        loop {
            let room = self.outgoing.len() < WAITING_MAX;
            let due = self
                .crew
                .next_due_ms()
                .filter(|_| self.state == State::Working && room)
                .map(|due_ms| self.shared.clock.at(due_ms));
            let muster = Arc::clone(&self.shared.muster);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                event = events.recv() => match event {
                    Some(event) => self.hear(event, &mut out),
                    None => break,
                },
                () = muster.complete(), if self.state == State::Waiting => {
                    self.state = State::Working;
                    self.crew.connected(self.shared.clock.now());
                }
                () = tokio::time::sleep(LOOK_AGAIN), if self.outgoing.len() > 0 => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    self.crew.work(self.shared.clock.now(), WORK_AT_ONCE, &mut out);
                }
            }
            out.drain(..).for_each(|message| self.outgoing.publish(message));
            let published = self.outgoing.flush();
            self.shared.tally.published.fetch_add(published, Ordering::Relaxed);
        }
        self.outgoing.stop().await;
    }

    fn hear(&mut self, event: Event, out: &mut Vec<Message>) {
        match event {
            Event::Up { .. } => {
                self.state = State::Waiting;
                if !std::mem::replace(&mut self.arrived, true) {
                    self.shared.muster.arrive();
                }
            }
            Event::Down { reason } => {
                tracing::warn!(reason, "devices lost their broker");
                self.state = State::Down;
                self.crew.disconnected();
                self.outgoing.clear();
            }
            Event::Connecting { reason: Some(reason) } => _ = self.shared.complaints.say("the devices", &reason),
            Event::Connecting { reason: None } | Event::Acknowledged { .. } => {}
            Event::Shed { topics } => tracing::warn!(?topics, "messages to devices were shed"),
            Event::Refused { topic, reason, delivery } => {
                tracing::warn!(topic, reason, "refused");
                if let Some(delivery) = delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
            Event::Received(message) => {
                self.shared.tally.heard.fetch_add(1, Ordering::Relaxed);
                if !message.retained {
                    self.crew.hear(&message.topic, &message.payload, self.shared.clock.now(), out);
                }
                if let Some(delivery) = message.delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
        }
    }
}
