//! The engine's ports over the crates that know the world.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fleetlens_engine::port::{
    self, Alert, Delivery, Happened, LinkEvent, NotSent, Publish, Qos, Received, StoreFault, StoreFaultKind, WindowId,
};
use fleetlens_ipc::diagnostics::LinkFigures;
use fleetlens_ipc::rows::MessageProperties;
use fleetlens_ipc::{Parcel, encode};
use fleetlens_link::{Event, Next, Properties};
use fleetlens_model::alarm::Alarm;
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::record::{History, HistoryQuery, StoreStats, Write};
use fleetlens_model::time::{MonoMs, Now, WallMs};
use tokio::sync::broadcast;

use crate::reach::Teller;

/// Where a window's parcels go, as bytes; `Break` means that the window is gone. Must not block, nor call the host.
pub type Sink = Box<dyn Fn(Vec<u8>) -> ControlFlow<()> + Send>;

/// The way to the broker, which comes up after the engine does; until then nothing can be sent.
#[derive(Clone, Debug, Default)]
pub struct LinkPort(Arc<OnceLock<fleetlens_link::Link>>);

impl LinkPort {
    /// The link is there now. A second one is not taken.
    pub fn connect(&self, link: fleetlens_link::Link) {
        if self.0.set(link).is_err() {
            tracing::error!("a second link was started and is not used");
        }
    }

    /// What only the link knows, beside what the engine knows of it; nothing before there is a link.
    pub fn tell(&self, figures: LinkFigures) -> LinkFigures {
        let Some(link) = self.0.get() else { return figures };
        let whole = |n: usize| Some(u64::try_from(n).unwrap_or(u64::MAX));
        let (waiting, places) = link.inbox();
        let unfinished = whole(link.unfinished());
        LinkFigures { inbox_waiting: whole(waiting), inbox_places: whole(places), unfinished, ..figures }
    }
}

impl port::Link for LinkPort {
    fn publish(&mut self, message: Publish, left_ms: u64) -> Result<(), NotSent> {
        let link = self.0.get().ok_or(NotSent)?;
        let qos = match message.qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
        };
        let Publish { topic, payload, retain, command, .. } = message;
        // What the broker is to keep for those who come later has no end.
        let sent = match command {
            Some(command) => link.try_publish_told(topic, payload, expiry_s(left_ms), command.0),
            None if retain => link.try_publish(topic, payload, qos, true),
            None => link.try_publish_within(topic, payload, qos, expiry_s(left_ms)),
        };
        sent.map_err(|reason| {
            tracing::debug!(%reason, "not sent");
            NotSent
        })
    }

    fn subscribe(&mut self, filters: Vec<String>) {
        // Whoever learns of a filter has heard a message, so there is a link.
        if let Some(link) = self.0.get() {
            link.subscribe(filters);
        }
    }

    fn acknowledge(&mut self, deliveries: Vec<Delivery>) {
        if let Some(link) = self.0.get() {
            link.acknowledge_all(deliveries.into_iter().map(|delivery| delivery.0));
        }
    }
}

/// Whole seconds, so that nothing is handed on late; at least one, because some brokers take none for no end.
fn expiry_s(left_ms: u64) -> u32 {
    u32::try_from(left_ms / 1000).unwrap_or(u32::MAX).max(1)
}

fn properties_of(its: Properties) -> MessageProperties {
    let Properties { content_type, response_topic, expiry_s, user, left_out } = its;
    let left_out = u32::try_from(left_out).unwrap_or(u32::MAX);
    MessageProperties { content_type, response_topic, expiry_s, user, left_out }
}

/// What the link tells, in the engine's words.
pub fn told(next: Next) -> LinkEvent {
    match next {
        Next::Messages(batch) => LinkEvent::Messages(batch),
        Next::Event(event) => link_event(event),
    }
}

fn link_event(event: Event) -> LinkEvent {
    match event {
        Event::Connecting { reason } => LinkEvent::Connecting { reason },
        Event::Up { session_present, granted } => {
            tracing::info!(session_present, "connected");
            LinkEvent::Up { resumed: session_present, granted }
        }
        Event::Down { reason } => {
            tracing::warn!(reason, "the link is down");
            LinkEvent::Down { reason }
        }
        Event::Received(message) => LinkEvent::Received(Received {
            topic: message.topic,
            payload: message.payload,
            retained: message.retained,
            redelivered: message.redelivered,
            packet_id: message.packet_id,
            properties: message.properties.map(|properties| Box::new(properties_of(*properties))),
            delivery: message.delivery.map(Delivery),
        }),
        Event::Shed { topics } => LinkEvent::Shed { topics },
        Event::Acknowledged { receipt } => LinkEvent::Acknowledged { command: CommandId(receipt) },
        Event::Refused { topic, reason, delivery } => {
            LinkEvent::Refused { topic, reason, delivery: delivery.map(Delivery) }
        }
    }
}

/// The cache.
#[derive(Clone, Debug)]
pub struct StorePort(pub fleetlens_store::Store);

impl port::Store for StorePort {
    fn commit(&mut self, writes: Arc<Vec<Write>>) -> impl Future<Output = Result<(), StoreFault>> + Send + 'static {
        let done = self.0.commit(writes);
        async move { done.await.map_err(fault) }
    }

    fn history(&mut self, query: HistoryQuery) -> impl Future<Output = Result<History, StoreFault>> + Send + 'static {
        let found = self.0.history(query);
        async move { found.await.map_err(fault) }
    }

    fn alarms_of(
        &mut self,
        thing: ThingKey,
        span: Range<WallMs>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Alarm>, StoreFault>> + Send + 'static {
        let found = self.0.alarms_of(thing, span, most);
        async move { found.await.map_err(fault) }
    }

    fn stats(&mut self) -> impl Future<Output = Result<StoreStats, StoreFault>> + Send + 'static {
        let measured = self.0.stats();
        async move { measured.await.map_err(fault) }
    }
}

fn fault(error: fleetlens_store::StoreError) -> StoreFault {
    let kind = match &error {
        error if error.is_permanent() => StoreFaultKind::LeftOut,
        error if error.is_broken_file() => StoreFaultKind::Damaged,
        _ => StoreFaultKind::Passing,
    };
    StoreFault { kind, message: error.to_string() }
}

/// Alerts that a slow listener may leave waiting; the oldest beyond it are lost to it.
const ALERTS: usize = 32;

/// The attached windows, and whoever tells people outside them.
#[derive(Clone)]
pub struct Sinks {
    windows: Arc<Mutex<BTreeMap<WindowId, Sink>>>,
    alerts: broadcast::Sender<Told>,
    run: u64,
    /// The way to people who are not before any window, if the profile names some.
    reach: Option<Teller>,
}

/// An alert with the run it comes from: keys of things mean something only within one.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Which run of the host.
    pub run: u64,
    /// What a person should see.
    pub alert: Alert,
}

impl Default for Sinks {
    fn default() -> Sinks {
        Sinks { windows: Arc::default(), alerts: broadcast::Sender::new(ALERTS), run: 0, reach: None }
    }
}

impl Sinks {
    /// A window is there.
    pub fn insert(&self, window: WindowId, sink: Sink) {
        self.lock().insert(window, sink);
    }

    /// A window is gone.
    pub fn remove(&self, window: WindowId) {
        self.lock().remove(&window);
    }

    /// Whether a window is there.
    pub fn holds(&self, window: WindowId) -> bool {
        self.lock().contains_key(&window)
    }

    /// The windows there are.
    pub fn windows(&self) -> Vec<WindowId> {
        self.lock().keys().copied().collect()
    }

    /// The same windows, for another run.
    pub fn of_run(&self, run: u64) -> Sinks {
        Sinks { run, ..self.clone() }
    }

    /// The same ones, for a run of a profile that names people who are not before any window.
    pub fn reaching(self, reach: Option<Teller>) -> Sinks {
        Sinks { reach, ..self }
    }

    /// What is told outside the windows from now on.
    pub fn alerts(&self) -> broadcast::Receiver<Told> {
        self.alerts.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<WindowId, Sink>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl port::Ui for Sinks {
    fn push(&mut self, window: WindowId, parcel: Parcel) -> ControlFlow<()> {
        let bytes = match encode(&parcel) {
            Ok(bytes) => bytes,
            Err(error) => {
                // Cannot happen with our own types; a window without this parcel would wait for ever, so it starts anew.
                tracing::error!(%error, "a parcel could not be packed");
                return ControlFlow::Break(());
            }
        };
        let mut sinks = self.lock();
        let pushed = sinks.get(&window).map_or(ControlFlow::Break(()), |sink| sink(bytes));
        if pushed.is_break() {
            sinks.remove(&window);
        }
        pushed
    }

    fn close(&mut self, window: WindowId) {
        self.remove(window);
    }

    fn alert(&mut self, alert: Alert) {
        // Nobody may be there to tell, such as in a browser or without a window.
        let _ = self.alerts.send(Told { run: self.run, alert });
    }

    fn happened(&mut self, happened: Happened) {
        if let Some(reach) = &self.reach {
            reach.tell(happened);
        }
    }
}

/// The clocks of this computer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    /// [`mono_now`] at the start.
    start_ms: u64,
}

impl SystemClock {
    /// A clock whose monotonic time begins at `start`, which lies in this run.
    pub fn since(start: Instant) -> SystemClock {
        let ago_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
        SystemClock { start_ms: mono_now().saturating_sub(ago_ms) }
    }
}

impl port::Clock for SystemClock {
    fn now(&self) -> Now {
        Now { wall: wall_now(), mono: MonoMs(mono_now().saturating_sub(self.start_ms)) }
    }
}

/// Milliseconds by a clock that goes on while the computer sleeps: what was said before the night is a night old in the morning.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn mono_now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (s, ns) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    s.saturating_mul(1000).saturating_add(ns / 1_000_000)
}

/// Milliseconds by the standard library's clock, which goes on during sleep on Windows and stands still on macOS.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn mono_now() -> u64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    // Far enough from zero that a process's start lies after it.
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(86_400_000)
}

/// The wall clock; 1970 when it stands before that.
pub fn wall_now() -> WallMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use fleetlens_engine::port::{Link, Ui};
    use fleetlens_ipc::decode;
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn before_there_is_a_link_nothing_is_sent_and_nothing_breaks() {
        let mut port = LinkPort::default();
        let message = Publish {
            topic: "a".into(),
            payload: Vec::new(),
            qos: Qos::AtLeastOnce,
            retain: false,
            until: MonoMs(u64::MAX),
            command: None,
        };
        assert_eq!(port.publish(message, 1), Err(NotSent));
        port.acknowledge(vec![Delivery(7)]);
    }

    #[test]
    fn what_is_left_of_a_command_is_told_in_seconds_that_never_last_longer() {
        for (left_ms, want) in [(0, 1), (999, 1), (1_999, 1), (60_000, 60), (u64::MAX, u32::MAX)] {
            assert_eq!(expiry_s(left_ms), want, "{left_ms} ms");
        }
    }

    #[test]
    fn a_window_that_is_gone_is_forgotten() {
        let mut sinks = Sinks::default();
        let (sent, mut parcels) = mpsc::unbounded_channel();
        sinks.insert(
            WindowId(1),
            Box::new(
                move |bytes| if sent.send(bytes).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) },
            ),
        );
        let parcel = Parcel { number: 1, frames: Vec::new() };
        assert!(sinks.push(WindowId(1), parcel.clone()).is_continue());
        assert_eq!(decode::<Parcel>(&parcels.try_recv().unwrap()), Ok(parcel.clone()));
        assert!(sinks.push(WindowId(2), parcel.clone()).is_break(), "a stranger");
        drop(parcels);
        assert!(sinks.push(WindowId(1), parcel.clone()).is_break());
        assert!(sinks.windows().is_empty());
    }

    #[test]
    fn the_link_keeps_its_words_on_the_way_to_the_engine() {
        let message = fleetlens_link::Message {
            topic: "t".into(),
            payload: vec![1],
            qos: 1,
            retained: true,
            redelivered: true,
            packet_id: 9,
            properties: Some(Box::new(Properties { expiry_s: Some(7), left_out: 1, ..Properties::default() })),
            delivery: Some(4),
        };
        let received = Received {
            topic: "t".into(),
            payload: vec![1],
            retained: true,
            redelivered: true,
            packet_id: 9,
            properties: Some(Box::new(MessageProperties {
                expiry_s: Some(7),
                left_out: 1,
                ..MessageProperties::default()
            })),
            delivery: Some(Delivery(4)),
        };
        let word = || "why".to_owned();
        for (event, want) in [
            (Event::Received(message), LinkEvent::Received(received)),
            (Event::Up { session_present: true, granted: 1 }, LinkEvent::Up { resumed: true, granted: 1 }),
            (Event::Down { reason: word() }, LinkEvent::Down { reason: word() }),
            (Event::Connecting { reason: Some(word()) }, LinkEvent::Connecting { reason: Some(word()) }),
            (Event::Acknowledged { receipt: 6 }, LinkEvent::Acknowledged { command: CommandId(6) }),
            (Event::Shed { topics: vec![("t".into(), 3)] }, LinkEvent::Shed { topics: vec![("t".into(), 3)] }),
            (
                Event::Refused { topic: "t".into(), reason: word(), delivery: Some(5) },
                LinkEvent::Refused { topic: "t".into(), reason: word(), delivery: Some(Delivery(5)) },
            ),
        ] {
            assert_eq!(link_event(event), want);
        }
    }
}
