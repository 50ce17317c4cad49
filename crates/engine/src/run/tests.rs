use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex};

use fleetlens_ipc::rows::Rows;
use fleetlens_ipc::{CONTRACT, Look, Parcel, ViewId};
use fleetlens_model::alarm::{Alarm, Condition, Priority};
use fleetlens_model::command::ANSWER_TIMEOUT_MS;
use fleetlens_model::id::{AlarmId, SeriesKey, ThingKey};
use fleetlens_model::identity::Role;
use fleetlens_model::record::{History, HistoryQuery, Write};
use fleetlens_model::time::{MonoMs, Now, WallMs};

use super::committing::RETRY_MS;
use super::*;
use crate::fleet::tests::{config, rule};
use crate::port::{Alert, Delivery, Happened, NotSent, Publish, Received, StoreFaultKind};

/// What happened at the ports, in order.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Committed(usize),
    Failed,
    Acknowledged(u64),
    /// A topic, and how long the broker may take, in milliseconds.
    Published(String, u64),
    Alerted(String),
    /// The alarm that people outside are told of.
    Happened(AlarmId),
}

type Log = Arc<Mutex<Vec<Seen>>>;

struct TestLink(Log);

impl Link for TestLink {
    fn publish(&mut self, message: Publish, left_ms: u64) -> Result<(), NotSent> {
        self.0.lock().unwrap().push(Seen::Published(message.topic, left_ms));
        Ok(())
    }
    fn subscribe(&mut self, _: Vec<String>) {}

    fn acknowledge(&mut self, deliveries: Vec<Delivery>) {
        self.0.lock().unwrap().extend(deliveries.into_iter().map(|delivery| Seen::Acknowledged(delivery.0)));
    }
}

/// A disk that fails the given number of times first, for good or not.
struct TestStore(Log, Arc<Mutex<u32>>, Fails);

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fails {
    /// It stores nothing, and may the next time.
    ForNow,
    /// A row is left out, and would be every time.
    ForGood,
    /// The cache is damaged.
    Damaged,
    /// Every command is left out for good, however many there are.
    Commands,
    /// Every alarm is.
    Alarms,
}

impl Store for TestStore {
    fn commit(&mut self, writes: Arc<Vec<Write>>) -> impl Future<Output = Result<(), StoreFault>> + Send + 'static {
        let (log, failures, fails) = (self.0.clone(), self.1.clone(), self.2);
        async move {
            tokio::task::yield_now().await;
            let mut left = failures.lock().unwrap();
            let leaves_out = writes.iter().any(|write| match fails {
                Fails::ForNow | Fails::ForGood | Fails::Damaged => false,
                Fails::Commands => matches!(write, Write::Command(_)),
                Fails::Alarms => matches!(write, Write::Alarm(_)),
            });
            if *left > 0 || leaves_out {
                *left = left.saturating_sub(1);
                log.lock().unwrap().push(Seen::Failed);
                let kind = match fails {
                    Fails::ForNow => StoreFaultKind::Passing,
                    Fails::Damaged => StoreFaultKind::Damaged,
                    Fails::ForGood | Fails::Commands | Fails::Alarms => StoreFaultKind::LeftOut,
                };
                return Err(StoreFault { message: "it failed".into(), kind });
            }
            log.lock().unwrap().push(Seen::Committed(writes.len()));
            Ok(())
        }
    }
    fn history(&mut self, _: HistoryQuery) -> impl Future<Output = Result<History, StoreFault>> + Send + 'static {
        std::future::ready(Ok(Vec::new()))
    }
    fn alarms_of(
        &mut self,
        _: ThingKey,
        _: Range<WallMs>,
        _: usize,
    ) -> impl Future<Output = Result<Vec<Alarm>, StoreFault>> + Send + 'static {
        std::future::ready(Ok(Vec::new()))
    }
    fn stats(&mut self) -> impl Future<Output = Result<StoreStats, StoreFault>> + Send + 'static {
        std::future::ready(Ok(StoreStats::default()))
    }
}

struct TestUi(mpsc::UnboundedSender<(WindowId, Parcel)>, Log);

impl Ui for TestUi {
    fn push(&mut self, window: WindowId, parcel: Parcel) -> ControlFlow<()> {
        if self.0.send((window, parcel)).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
    fn close(&mut self, window: WindowId) {
        panic!("every window in these tests listens: {window:?}");
    }
    fn alert(&mut self, alert: Alert) {
        self.1.lock().unwrap().push(Seen::Alerted(alert.title));
    }
    fn happened(&mut self, happened: Happened) {
        let alarm = match happened {
            Happened::News(news) => news.alarm,
            Happened::Settled(alarm) => alarm,
        };
        self.1.lock().unwrap().push(Seen::Happened(alarm));
    }
}

struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Now {
        let ms = self.0.elapsed().as_millis() as u64;
        Now { wall: WallMs(1_700_000_000_000 + ms as i64), mono: MonoMs(ms) }
    }
}

fn started(
    failures: u32,
    fails: Fails,
) -> (Engine, mpsc::Sender<LinkEvent>, Log, mpsc::UnboundedReceiver<(WindowId, Parcel)>) {
    let log = Log::default();
    let (link, link_events) = mpsc::channel(1_000);
    let (ui, parcels) = mpsc::unbounded_channel();
    let ports = Ports {
        link: TestLink(log.clone()),
        store: TestStore(log.clone(), Arc::new(Mutex::new(failures)), fails),
        ui: TestUi(ui, log.clone()),
        clock: TestClock(Instant::now()),
    };
    let config = FleetConfig {
        rules: vec![rule("silent", None, Condition::Silent, Priority::Critical)],
        told_from: Some(Priority::Critical),
        ..config(Role::Operator)
    };
    (start(config, Restored::default(), link_events, ports), link, log, parcels)
}

fn message(delivery: u64) -> LinkEvent {
    LinkEvent::Received(Received {
        topic: "city/v/lamp/lamp-1/telemetry".into(),
        payload: format!(r#"{{"values":{{"power_w":{delivery}}}}}"#).into_bytes(),
        retained: false,
        redelivered: false,
        packet_id: delivery as u16,
        properties: None,
        delivery: Some(Delivery(delivery)),
    })
}

/// A person asks for it.
fn dim_to_40() -> Call {
    let wish = fleetlens_ipc::Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json: None };
    let intent = fleetlens_ipc::Intent::Command {
        thing: ThingKey(1),
        shadow: String::new(),
        wishes: vec![wish],
        expires_in_ms: None,
    };
    Call::Ask { request: RequestId(4), intent }
}

async fn until(engine: &Engine, stored: u64) -> Counters {
    let mut counters = engine.counters();
    *counters.wait_for(|c| c.stored >= stored).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_before_its_row_is_committed() {
    let (engine, link, log, _parcels) = started(0, Fails::ForNow);
    for delivery in 1..=100 {
        link.send(message(delivery)).await.unwrap();
    }
    assert_eq!(until(&engine, 100).await.received, 100);
    engine.stop().await;
    let log = log.lock().unwrap();
    assert!(matches!(log.first(), Some(Seen::Committed(_))), "{log:?}");
    let acknowledged: Vec<u64> =
        log.iter().filter_map(|s| if let Seen::Acknowledged(d) = s { Some(*d) } else { None }).collect();
    assert_eq!(acknowledged, (1..=100).collect::<Vec<u64>>(), "each once, in order");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_delays_everything_and_loses_nothing() {
    let (engine, link, log, mut parcels) = started(3, Fails::ForNow);
    engine.attach(WindowId(1)).await;
    link.send(message(1)).await.unwrap();
    until(&engine, 1).await;
    let seen = log.lock().unwrap().clone();
    let first_ack = seen.iter().position(|s| matches!(s, Seen::Acknowledged(_))).unwrap();
    let commit = seen.iter().position(|s| matches!(s, Seen::Committed(_))).unwrap();
    assert_eq!(seen.iter().filter(|s| **s == Seen::Failed).count(), 3);
    assert!(commit < first_ack, "{seen:?}");
    let (_, parcel) = parcels.recv().await.unwrap();
    assert!(
        matches!(&parcel.frames[..], [Frame::Notice(Fault { code: FaultCode::Store, .. })]),
        "told once: {parcel:?}"
    );
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_last_moment_still_reaches_its_window() {
    let (engine, _link, _log, mut parcels) = started(0, Fails::ForNow);
    engine.attach(WindowId(1)).await;
    engine.call(WindowId(1), Call::Hello { contract: CONTRACT }).await;
    let done = Ok(Done::Changed);
    // Its turn comes after theirs.
    assert!(engine.figures().await.is_some());
    // Nothing else runs between the two.
    engine.stop.cancel();
    engine.answer(WindowId(1), RequestId(9), done).await;
    engine.stop().await;
    let mut frames = Vec::new();
    while let Some((_, parcel)) = parcels.recv().await {
        frames.extend(parcel.frames);
    }
    let answer = |frame: &Frame| matches!(frame, Frame::Answer { request: RequestId(9), outcome: Ok(_) });
    assert!(frames.iter().any(answer), "{frames:?}");
}

#[tokio::test(start_paused = true)]
async fn a_chart_is_read_although_nothing_can_be_written() {
    let (engine, link, log, mut parcels) = started(u32::MAX, Fails::ForNow);
    engine.attach(WindowId(1)).await;
    assert!(engine.call(WindowId(1), Call::Hello { contract: CONTRACT }).await);
    link.send(message(1)).await.unwrap();
    engine.counters().wait_for(|counters| counters.received == 1).await.unwrap();
    let at = Look::Chart { series: SeriesKey(1), until_ms: None, span_ms: 900_000, buckets: 100 };
    assert!(engine.call(WindowId(1), Call::Look { view: ViewId(1), at }).await);
    let chart = async {
        loop {
            let (_, parcel) = parcels.recv().await.unwrap();
            let is_chart = |frame: &Frame| matches!(frame, Frame::Snapshot { rows: Rows::Chart(_), .. });
            if parcel.frames.iter().any(is_chart) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), chart).await.expect("the chart");
    assert!(log.lock().unwrap().iter().all(|seen| *seen == Seen::Failed), "nothing else left");
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_cache_lets_nothing_out_and_who_asked_is_told_when_the_engine_ends() {
    let (engine, link, log, mut parcels) = started(u32::MAX, Fails::Damaged);
    link.send(LinkEvent::Up { resumed: false, granted: 1 }).await.unwrap();
    link.send(message(1)).await.unwrap();
    let mut counters = engine.counters();
    counters.wait_for(|counters| counters.things == 1).await.unwrap();
    engine.attach(WindowId(1)).await;
    engine.call(WindowId(1), dim_to_40()).await;
    // Once the next window is told, what was said before it has been heard.
    engine.attach(WindowId(2)).await;
    let mut frames = Vec::new();
    loop {
        let (window, parcel) = parcels.recv().await.unwrap();
        frames.extend(parcel.frames);
        if window == WindowId(2) {
            break;
        }
    }
    let began = Instant::now();
    engine.stop().await;
    assert!(began.elapsed() < Duration::from_millis(DRAIN_MS), "it waits for a disk that never comes");
    let log = log.lock().unwrap().clone();
    assert!(log.iter().all(|seen| *seen == Seen::Failed) && !log.is_empty(), "{log:?}");
    while let Some((_, parcel)) = parcels.recv().await {
        frames.extend(parcel.frames);
    }
    let damage = |f: &Frame| matches!(f, Frame::Notice(fault) if fault.message.contains("taken over into a new one"));
    assert!(frames.iter().any(damage), "{frames:?}");
    let answer = |f: &Frame| matches!(f, Frame::Answer { request: RequestId(4), outcome: Err(fault) } if fault.message.contains("ask again"));
    assert!(frames.iter().any(answer), "{frames:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_is_committed_before_it_is_published_and_answered() {
    let (engine, link, log, mut parcels) = started(0, Fails::ForNow);
    link.send(LinkEvent::Up { resumed: false, granted: 1 }).await.unwrap();
    link.send(message(1)).await.unwrap();
    until(&engine, 1).await;
    engine.attach(WindowId(1)).await;
    log.lock().unwrap().clear();
    engine.call(WindowId(1), dim_to_40()).await;
    let (_, parcel) = parcels.recv().await.unwrap();
    assert!(matches!(&parcel.frames[..], [Frame::Answer { outcome: Ok(_), .. }]), "{parcel:?}");
    let seen = log.lock().unwrap().clone();
    assert!(
        matches!(&seen[..], [Seen::Committed(_), Seen::Published(topic, ANSWER_TIMEOUT_MS), ..] if topic.ends_with("shadow/get")),
        "{seen:?}"
    );
    engine.stop().await;
}

/// Neither at once nor when it is looked into after its time-out.
#[tokio::test(start_paused = true)]
async fn a_command_that_is_left_out_is_neither_published_nor_answered_as_done() {
    let (engine, link, log, mut parcels) = started(0, Fails::Commands);
    link.send(LinkEvent::Up { resumed: false, granted: 1 }).await.unwrap();
    link.send(message(1)).await.unwrap();
    until(&engine, 1).await;
    engine.attach(WindowId(1)).await;
    engine.call(WindowId(1), dim_to_40()).await;
    let (_, parcel) = parcels.recv().await.unwrap();
    let outcomes: Vec<_> = parcel
        .frames
        .iter()
        .filter_map(|frame| if let Frame::Answer { outcome, .. } = frame { Some(outcome) } else { None })
        .collect();
    assert!(matches!(&outcomes[..], [Err(Fault { code: FaultCode::Store, .. })]), "{parcel:?}");

    let failures = |log: &Log| log.lock().unwrap().iter().filter(|seen| **seen == Seen::Failed).count();
    let mut shadow = 0;
    while failures(&log) < 4 {
        // Whatever the shadow is asked, it answers that nothing is wished: the command never came.
        shadow += 1;
        let payload = br#"{"state":{},"metadata":{},"version":7,"timestamp":1}"#.to_vec();
        let topic = "$aws/things/lamp-1/shadow/get/accepted".into();
        let LinkEvent::Received(answer) = message(1_000 + shadow) else { unreachable!() };
        link.send(LinkEvent::Received(Received { topic, payload, ..answer })).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(shadow < 1_000, "it is not tried again: {:?}", log.lock().unwrap());
    }
    engine.stop().await;
    let seen = log.lock().unwrap().clone();
    let sent: Vec<_> =
        seen.iter().filter(|seen| matches!(seen, Seen::Published(topic, _) if topic.ends_with("/update"))).collect();
    assert!(sent.is_empty(), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_critical_alarm_is_told_although_its_row_is_left_out() {
    let (engine, link, log, _parcels) = started(0, Fails::Alarms);
    link.send(LinkEvent::Up { resumed: false, granted: 1 }).await.unwrap();
    link.send(message(1)).await.unwrap();
    until(&engine, 1).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    engine.stop().await;
    let seen = log.lock().unwrap().clone();
    let told: Vec<_> =
        seen.iter().filter(|seen| matches!(seen, Seen::Failed | Seen::Alerted(_) | Seen::Happened(_))).collect();
    assert_eq!(told.first(), Some(&&Seen::Failed), "{told:?}");
    for told_too in [Seen::Alerted("lamp-1 silent".into()), Seen::Happened(AlarmId(1))] {
        assert_eq!(told.iter().filter(|told| ***told == told_too).count(), 1, "{told_too:?} of {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_outside_is_told_of_an_alarm_before_it_is_committed() {
    let (engine, link, log, _parcels) = started(0, Fails::ForNow);
    link.send(LinkEvent::Up { resumed: false, granted: 1 }).await.unwrap();
    link.send(message(1)).await.unwrap();
    until(&engine, 1).await;
    let before = log.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(600)).await;
    engine.stop().await;
    let seen = log.lock().unwrap().split_off(before);
    let told = seen.iter().position(|seen| *seen == Seen::Happened(AlarmId(1))).expect("it is told");
    assert!(matches!(seen[..told].last(), Some(Seen::Committed(_))), "right after its own commit: {seen:?}");
    assert_eq!(seen.iter().filter(|seen| matches!(seen, Seen::Happened(_))).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_commits_what_the_link_had_handed_over() {
    let (engine, link, log, _parcels) = started(0, Fails::ForNow);
    for delivery in 1..=50 {
        link.send(message(delivery)).await.unwrap();
    }
    engine.stop().await;
    let rows: usize = log.lock().unwrap().iter().map(|s| if let Seen::Committed(n) = s { *n } else { 0 }).sum();
    // A thing, a series, and for each message a sample and its packet id.
    assert_eq!(rows, 2 + 2 * 50);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_can_never_be_written_is_told_and_holds_nothing_up() {
    let (engine, link, log, mut parcels) = started(1, Fails::ForGood);
    engine.attach(WindowId(1)).await;
    link.send(message(1)).await.unwrap();
    let (_, parcel) = parcels.recv().await.unwrap();
    assert!(matches!(&parcel.frames[..], [Frame::Notice(Fault { code: FaultCode::Store, .. })]), "{parcel:?}");
    link.send(message(2)).await.unwrap();
    until(&engine, 1).await;
    engine.stop().await;
    let seen = log.lock().unwrap().clone();
    assert_eq!(seen.iter().filter(|s| **s == Seen::Failed).count(), 1, "not tried again: {seen:?}");
    let acknowledged = seen.iter().filter(|s| matches!(s, Seen::Acknowledged(_))).count();
    assert_eq!(acknowledged, 2, "else it would come back with the same fault for ever");
}

#[tokio::test(start_paused = true)]
async fn it_tells_how_it_stands_while_the_disk_fails_and_after() {
    let (engine, link, _, _parcels) = started(3, Fails::ForNow);
    assert!(engine.attach(WindowId(1)).await);
    link.send(LinkEvent::Up { resumed: false, granted: 1 }).await.unwrap();
    link.send(message(1)).await.unwrap();
    let figures = loop {
        let figures = engine.figures().await.unwrap();
        if figures.engine.in_flight.is_some_and(|batch| batch.failed > 1) {
            break figures;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let batch = figures.engine.in_flight.unwrap();
    assert!(batch.age_ms >= RETRY_MS && batch.writes > 0, "{batch:?}");
    assert!(figures.engine.cache_fault.is_some() && figures.engine.is_reading, "{figures:?}");
    assert_eq!((figures.engine.commits, figures.engine.last_commit_age_ms), (None, None), "no figure is not nought");
    assert_eq!((figures.link.connects, figures.link.inbox_waiting, figures.engine.windows), (1, None, 1));

    until(&engine, 1).await;
    let figures = engine.figures().await.unwrap();
    assert_eq!((figures.engine.stored, figures.engine.cache_fault), (1, None));
    let commits = figures.engine.commits.unwrap();
    assert!(commits.count >= 1 && commits.max_us >= 2 * RETRY_MS * 1_000, "{commits:?}");
    engine.stop().await;
}
