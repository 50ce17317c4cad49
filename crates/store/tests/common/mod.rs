//! A small city to store, and nothing else.

#![allow(dead_code, reason = "each test program uses its part")]

use std::sync::Arc;

use fleetlens_model::alarm::rhythm::Rhythm;
use fleetlens_model::alarm::state::{self, Shelving};
use fleetlens_model::alarm::{Acknowledgement, Alarm, Priority};
use fleetlens_model::audit::{By, Entry, Event};
use fleetlens_model::bulk::{Head, Order, Progress, Rollout, Row, State, Target, Wish};
use fleetlens_model::command::{Attempt, Command, Phase, Step, Want, Withdrawal};
use fleetlens_model::described::Commons;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, BulkId, CommandId, SeriesKey, ThingKey, ThingName};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::job::{Execution, Job, JobCounts, JobStanding, JobStatus, Report, Said, ThingJob};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::{Placed, Restored, StoreStats, Write};
use fleetlens_model::search::{Only, Search};
use fleetlens_model::shadow::change::{Author, Change, ChangedLeaf, Side};
use fleetlens_model::shadow::{Document, Packed};
use fleetlens_model::shared::Texts;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Store, StoreError};
use serde_json::json;

/// Some moment of 2026.
pub const T0: i64 = 1_780_000_000_000;

pub fn commit(store: &Store, writes: Vec<Write>) -> Result<(), StoreError> {
    block_on(store.commit(Arc::new(writes)))
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn thing(key: u32, name: &str) -> Write {
    Write::Thing { thing: ThingKey(key), name: ThingName::new(name).unwrap(), meta: Box::default() }
}

pub fn series(key: u32, thing: u32, pointer: &str) -> Write {
    Write::Series { series: SeriesKey(key), thing: ThingKey(thing), pointer: pointer.to_owned() }
}

/// A number dated by the device, `ms` after [`T0`].
pub fn sample(series: u32, seq: u64, ms: i64, value: f64) -> Sample {
    Sample {
        series: SeriesKey(series),
        device_ms: WallMs(T0 + ms),
        received_ms: WallMs(T0 + ms + 40),
        seq,
        value: Value::Number(value),
        source: Source::Live,
        quality: Quality::Good,
        timed: Timed::ByDevice,
    }
}

pub fn command(id: u64, thing: u32, phase: Phase) -> Command {
    Command {
        id: CommandId(id),
        thing: ThingKey(thing),
        shadow: String::new(),
        token: format!("fl-00000000000011d7-{id}"),
        wants: vec![Want {
            pointer: "/dim_pct".into(),
            value: json!(40),
            tolerance: 0.5,
            before: Some(json!(100)),
            restore: Some(json!(100)),
        }],
        by: Actor { name: "M. Vella".into(), role: Role::Operator },
        cancelled_by: None,
        expires_ms: WallMs(T0 + 600_000),
        phase,
        steps: vec![(Step::Asked, WallMs(T0)), (Step::Sent, WallMs(T0 + 1))],
        attempt: Attempt::Idle,
        deadline: None,
    }
}

/// An alarm raised `id` ms after [`T0`] and, with `ended_ms`, cleared a second before it was acknowledged then.
pub fn alarm(id: u64, thing: u32, ended_ms: Option<i64>) -> Alarm {
    let raised_ms = WallMs(T0 + id.cast_signed());
    let cleared_ms = ended_ms.map(|at| WallMs(T0 + at - 1_000));
    Alarm {
        id: AlarmId(id),
        thing: ThingKey(thing),
        rule: "lamp-hot".into(),
        name: "hot".into(),
        priority: Priority::Warning,
        sentence: "temperature 81 °C, 75 °C or more for 30 s".into(),
        what_to_do: "Look whether the fan turns.".into(),
        assigned: String::new(),
        state: state::State::told(raised_ms, cleared_ms, 1, ended_ms.map(seen_at)),
    }
}

/// An alarm that stands otherwise.
pub fn stands(mut alarm: Alarm, how: impl FnOnce(&mut state::State)) -> Alarm {
    how(&mut alarm.state);
    alarm
}

pub fn seen_at(ms: i64) -> Acknowledgement {
    let by = Actor { name: "J. Borg".into(), role: Role::Technician };
    Acknowledgement { by, at_ms: WallMs(T0 + ms), comment: "seen: \"fan\" is \u{d6}lverschmiert".into() }
}

/// A step of the audit log, `seq` ms after [`T0`].
pub fn entry(seq: u64) -> Entry {
    let by = match seq % 5 {
        1 => By::Person(Actor { name: "M. Vella".into(), role: Role::Operator }),
        2 => By::Program,
        3 => By::Service,
        4 => By::Broker,
        _ => By::Device,
    };
    Entry {
        seq,
        at_ms: WallMs(T0 + seq.cast_signed()),
        by,
        thing: "lamp-0417".into(),
        shadow: if seq.is_multiple_of(2) { "light".into() } else { String::new() },
        command: (!seq.is_multiple_of(5)).then_some(CommandId(seq)),
        trace: if seq.is_multiple_of(5) { String::new() } else { "01ARYZ6S41TSV4RRFFQ69G5FAV".into() },
        event: Event::ALL[seq as usize % Event::ALL.len()],
        after_ms: (seq > 1).then_some(20),
        detail: format!("step {seq} \u{d6}l"),
    }
}

/// A change of a shadow, `seq` ms after [`T0`].
pub fn change(seq: u64) -> Change {
    let command = CommandId(seq);
    let by = match seq % 6 {
        1 => Author::Person { actor: Actor { name: "M. Vella".into(), role: Role::Operator }, command },
        2 => Author::Device,
        3 => Author::Program { command },
        4 => Author::Other { token: Some("01ARYZ6S41T…".into()) },
        5 => Author::Other { token: None },
        _ => Author::Unheard,
    };
    let leaf = |side, before: Option<&str>, after: Option<&str>| ChangedLeaf {
        side,
        pointer: "/dim_pct".into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        at_ms: WallMs::from_s(1_780_000_000),
    };
    Change {
        seq,
        version: seq + 7,
        heard_ms: WallMs(T0 + seq.cast_signed()),
        by,
        leaves: vec![leaf(Side::Desired, Some("\"Öl…"), Some("40")), leaf(Side::Reported, None, Some("{}"))],
        more: u32::try_from(seq % 3).unwrap(),
    }
}

/// [`change`] of a shadow of a thing.
pub fn changed(thing: u32, shadow: &str, seq: u64) -> Write {
    Write::ShadowChanged { thing: ThingKey(thing), name: shadow.to_owned(), change: Box::new(change(seq)) }
}

/// A bulk command for two things: one has the command 1, which has not ended, the other waits.
pub fn bulk(id: u64, state: State) -> (Head, Vec<Row>) {
    let order = Order {
        target: Target::Search(Search {
            text: "triq".into(),
            kinds: vec![Kind::Lamp],
            group: "Marsa".into(),
            only: Only::Silent,
        }),
        shadow: String::new(),
        wishes: vec![Wish { pointer: "/dim_pct".into(), value_json: "40".into() }],
        expires_in_ms: Some(60_000),
        rollout: Rollout::default(),
        continuous: true,
    };
    let by = Actor { name: "M. Vella".into(), role: Role::Operator };
    let head = Head {
        id: BulkId(id),
        by,
        asked_ms: WallMs(T0),
        order,
        state,
        released_ms: None,
        ended_ms: None,
        gone_on_ms: None,
        joined_ms: None,
    };
    let asked =
        Progress::Asked { command: CommandId(id), phase: Phase::Pending, at_ms: WallMs(T0 + 1), never_obeyed: false };
    let rows = [(1, asked), (2, Progress::Waits), (3, Progress::Cannot { why: "\"Lamp 3\" has none".into() })];
    (head, rows.map(|(thing, progress)| Row { thing: ThingKey(thing), progress }).into())
}

/// As the engine writes it at first.
pub fn bulk_writes((head, rows): &(Head, Vec<Row>)) -> [Write; 2] {
    let rows = (0..).zip(rows.iter().cloned()).collect();
    [Write::Bulk(Box::new(head.clone())), Write::BulkRows { bulk: head.id, rows }]
}

/// One of everything, in the order the engine writes it, and what a start should bring back.
pub fn one_of_everything() -> (Vec<Write>, Restored) {
    let (mut writes, mut restored) = one_of_schema_7();
    let learned = rhythm();
    for (series, weekday) in [(1, 0), (1, 6), (3, 2)] {
        let day = learned.day(weekday).unwrap().clone();
        writes.push(Write::Rhythm { series: SeriesKey(series), weekday, day: Box::new(day.clone()) });
        restored.rhythms.push((SeriesKey(series), weekday, day));
    }
    restored.rhythms.sort_by_key(|(series, weekday, _)| (*weekday, *series));
    // Of one nothing is learned any more.
    let day = learned.day(1).unwrap().clone();
    writes.push(Write::Rhythm { series: SeriesKey(2), weekday: 1, day: Box::new(day) });
    writes.push(Write::RhythmGone(SeriesKey(2)));
    for placed in [placed(1, "pump", Some(T0 + 4)), placed(2, "pump", None)] {
        writes.push(Write::Position(Box::new(placed.clone())));
        restored.positions.push(placed);
    }
    writes.push(Write::Position(Box::new(placed(3, "gone", None))));
    writes.push(Write::PositionGone { thing: ThingKey(3), rule: "gone".into() });
    (writes, restored)
}

/// Four weeks of a value every twenty minutes.
pub fn rhythm() -> Rhythm {
    let mut rhythm = Rhythm::default();
    for n in 0..=28 * 72 {
        let at = 1_780_000_000_000 + n * 1_200_000;
        rhythm.hear(f64::from(u32::try_from(at / 3_600_000 % 24).unwrap()) - 7.3, WallMs(at));
    }
    rhythm
}

/// Where a thing is in a rule's state machine, with a variable and a timer.
pub fn placed(thing: u32, rule: &str, running_ms: Option<i64>) -> Placed {
    let position = r#"{"state":"Danger","variables":{"breaches":{"Number":2.0}},"timers":{"t":{"length_ms":60000,"watch":{"gathered_ms":7},"is_over":false}}}"#;
    let position = serde_json::from_str(position).unwrap();
    Placed { thing: ThingKey(thing), rule: rule.into(), position, running_ms: running_ms.map(WallMs) }
}

/// One of everything there was in schema 7.
pub fn one_of_schema_7() -> (Vec<Write>, Restored) {
    let (mut writes, mut restored) = one_of_schema_6();
    // Also one that is over but for its shelf.
    let shelving = Shelving { until_ms: WallMs(T0 + 3_600_000), by: seen_at(12) };
    let shelved = stands(alarm(5, 1, Some(2_000)), |state| state.shelved = Some(shelving));
    let shelved = Alarm { assigned: "J. Borg".into(), ..shelved };
    writes.push(Write::Alarm(Box::new(shelved.clone())));
    restored.alarms.push(shelved);
    restored.last_alarm = 5;
    (writes, restored)
}

/// One of everything there was in schema 6.
pub fn one_of_schema_6() -> (Vec<Write>, Restored) {
    let (mut writes, mut restored) = one_of_schema_5();
    writes.extend((1..=6).map(|seq| changed(1, "", seq)));
    writes.push(changed(2, "light", 7));
    restored.last_change = 7;
    let aborted = bulk(2, State::Aborted { why: "3 of 4 failed".into() });
    let gone = bulk(3, State::Done);
    for bulk in [bulk(1, State::Running), aborted] {
        writes.extend(bulk_writes(&bulk));
        restored.bulks.push(bulk);
    }
    writes.extend(bulk_writes(&gone));
    writes.push(Write::BulkGone(BulkId(3)));
    let (job, parts) = job("rollout-1");
    writes.push(Write::Job(Box::new(job.clone())));
    writes.extend(parts.iter().cloned().map(|part| Write::ThingJob(Box::new(part))));
    (restored.jobs, restored.thing_jobs) = (vec![job], parts);
    (writes, restored)
}

/// A job over two things, of which one is done and the other unknown to the cache.
pub fn job(id: &str) -> (Job, Vec<ThingJob>) {
    let report = |status, version, said: &str| Report {
        status,
        at: WallMs(T0 + 5_000),
        version,
        said: Some(Said { progress_pct: version.map(|_| 40), text: said.to_owned() }),
        queued_ms: Some(WallMs(T0)),
        started_ms: None,
        what: Some("firmware_update 2.5.0".into()),
    };
    let reports = [
        ("lamp-0417", report(JobStatus::InProgress, Some((1, 3)), "step: \u{d6}l")),
        ("nobody", report(JobStatus::Failed, None, "reason: \"checksum\"")),
    ];
    let mut job = Job::new(id);
    job.told(WallMs(T0 + 9_000), JobStanding::Canceling, Some(JobCounts { queued: 7, ..JobCounts::default() }));
    let parts = reports.map(|(thing, report)| {
        job.touched(&report);
        let mut execution = Execution::default();
        execution.take(&report);
        ThingJob { job: id.to_owned(), thing: thing.into(), execution }
    });
    (job, parts.into())
}

/// One of everything there was in schema 5.
pub fn one_of_schema_5() -> (Vec<Write>, Restored) {
    let (mut writes, mut restored) = one_of_schema_3();
    writes.extend((1..=8).map(|seq| Write::Audit(Box::new(entry(seq)))));
    restored.last_audit = 8;
    (writes, restored)
}

/// One of everything there was in schemas 3 and 4.
pub fn one_of_schema_3() -> (Vec<Write>, Restored) {
    let (mut writes, mut restored) = one_of_schema_2();
    let active = Alarm { priority: Priority::Critical, ..alarm(1, 1, None) };
    let seen = stands(alarm(2, 2, None), |state| {
        (state.acknowledged, state.times, state.owed) = (Some(seen_at(9)), 3, false);
    });
    let returned = stands(alarm(3, 3, None), |state| {
        (state.active, state.cleared_ms) = (false, Some(WallMs(T0 + 50)));
    });
    let charger = Meta {
        kind: Kind::Charger,
        capacity: Some(2),
        capacity_accessible: Some(1),
        capacity_charging: Some(2),
        gateway: "gw-01".into(),
        ..Meta::default()
    };
    let name = ThingName::new("charger-1").unwrap();
    writes.push(Write::Thing { thing: ThingKey(5), name: name.clone(), meta: Box::new(charger.clone()) });
    let charger = restored.commons.describe(charger, &mut restored.texts);
    restored.things.push((ThingKey(5), name, charger));
    // Raised, and then over.
    let ended = alarm(4, 4, Some(5_000));
    writes.extend(
        [&active, &seen, &returned, &alarm(4, 4, None), &ended].map(|alarm| Write::Alarm(Box::new(alarm.clone()))),
    );
    restored.alarms = vec![active, seen, returned, ended];
    restored.last_alarm = 4;
    (writes, restored)
}

/// One of everything there was in schema 2.
pub fn one_of_schema_2() -> (Vec<Write>, Restored) {
    let (mut writes, mut restored) = one_of_schema_1();
    for (key, name, silent) in [(2, "lamp-0418", &[true][..]), (3, "lamp-0419", &[true, false]), (4, "lamp-0420", &[])]
    {
        writes.push(thing(key, name));
        writes.extend(silent.iter().map(|silent| Write::Silent { thing: ThingKey(key), silent: *silent }));
        let nothing = restored.commons.describe(Meta::default(), &mut restored.texts);
        restored.things.push((ThingKey(key), ThingName::new(name).unwrap(), nothing));
    }
    // Described anew, and silent as before.
    writes.push(thing(2, "lamp-0418"));
    restored.silent = vec![ThingKey(2)];
    let refused = Withdrawal::Refused { code: 403 };
    let mut cancelled = command(5, 2, Phase::Cancelled { withdrawal: refused });
    cancelled.cancelled_by = Some(Actor { name: "J. Borg".into(), role: Role::Technician });
    let mut expired = command(6, 2, Phase::Expired { withdrawal: refused });
    expired.wants = [(Some(json!(30)), Some(json!(100))), (Some(json!(30)), None), (None, Some(json!(100)))]
        .into_iter()
        .map(|(before, restore)| Want { before, restore, ..expired.wants[0].clone() })
        .collect();
    for command in [cancelled, expired] {
        writes.push(Write::Command(Box::new(command.clone())));
        restored.commands.push(command);
    }
    restored.last_command = 6;
    (writes, restored)
}

/// One of everything there was in schema 1.
pub fn one_of_schema_1() -> (Vec<Write>, Restored) {
    let lamp = Meta {
        kind: Kind::Lamp,
        title: "Triq ir-Repubblika 3".into(),
        at: LonLat::new(14.5123, 35.8977),
        area: "Valletta".into(),
        street: "Triq ir-Repubblika".into(),
        interval_s: 30,
        capacity: None,
        synthetic: vec!["title".into()],
        units: vec![("/power_w".into(), "W".into())],
        ..Meta::default()
    };
    let document = Document {
        desired: json!({"dim_pct": 40, "nested": {"a": [1, 2]}}).as_object().cloned(),
        reported: None,
        desired_meta: json!({"dim_pct": {"timestamp": 1_780_000_000}}).as_object().cloned().unwrap(),
        reported_meta: Default::default(),
        version: 7,
        timestamp_s: 1_780_000_000,
    };
    let samples = [
        sample(1, 10, 0, 31.5),
        Sample { value: Value::Flag(true), source: Source::Retained, quality: Quality::Stale, ..sample(2, 11, 5, 0.0) },
        Sample {
            value: Value::Text("Straße \"open\"".into()),
            quality: Quality::Synthetic,
            timed: Timed::ByUs,
            ..sample(3, 12, -7, 0.0)
        },
    ];
    let commands = vec![
        command(1, 1, Phase::Settled),
        command(2, 1, Phase::Accepted { version: 7 }),
        command(3, 1, Phase::Expired { withdrawal: Withdrawal::Needed }),
        command(4, 1, Phase::Rejected { code: 409, reason: "Version conflict".into() }),
    ];
    let name = ThingName::new("lamp-0417").unwrap();
    let mut writes = vec![
        Write::Thing { thing: ThingKey(1), name: name.clone(), meta: Box::new(lamp.clone()) },
        series(1, 1, "/power_w"),
        series(2, 1, "/on"),
        series(3, 1, "/state"),
    ];
    writes.extend(samples.iter().cloned().map(Write::Sample));
    for (shadow, document) in [("", Some(document.clone())), ("gone", Some(document.clone())), ("gone", None)] {
        let name = shadow.to_owned();
        writes.push(Write::Shadow {
            thing: ThingKey(1),
            name,
            document: document.map(Box::new),
            heard_ms: WallMs(T0 + 3),
        });
    }
    writes.extend(commands.iter().cloned().map(Box::new).map(Write::Command));
    writes.push(Write::Unacked { packet_id: 9, digest: u64::MAX - 3 });
    writes.push(Write::Unacked { packet_id: 3, digest: 17 });
    writes.push(Write::Refused { topic: "malta/x".into(), reason: "not JSON".into(), at_ms: WallMs(T0) });
    writes.push(Write::LinkSeen { at_ms: WallMs(T0 + 99) });
    let (mut texts, mut commons) = (Texts::default(), Commons::default());
    let restored = Restored {
        installation: 4711,
        things: vec![(ThingKey(1), name, commons.describe(lamp, &mut texts))],
        silent: Vec::new(),
        series: [(1, "/power_w"), (2, "/on"), (3, "/state")]
            .map(|(key, pointer)| (SeriesKey(key), ThingKey(1), pointer.into()))
            .to_vec(),
        latest: samples.to_vec(),
        shadows: vec![(ThingKey(1), "".into(), Packed::of(&document, &mut texts), WallMs(T0 + 3))],
        commands,
        bulks: Vec::new(),
        jobs: Vec::new(),
        thing_jobs: Vec::new(),
        alarms: Vec::new(),
        rhythms: Vec::new(),
        positions: Vec::new(),
        last_alarm: 0,
        last_audit: 0,
        last_change: 0,
        last_command: 4,
        last_seq: 12,
        unacked: vec![(3, 17), (9, u64::MAX - 3)],
        link_seen_ms: Some(WallMs(T0 + 99)),
        stats: StoreStats { oldest_ms: Some(WallMs(T0 - 7)), samples: 3, ..Default::default() },
        texts,
        commons,
    };
    (writes, restored)
}

/// Without what depends on the page size.
pub fn without_bytes(mut restored: Restored) -> Restored {
    let StoreStats { oldest_ms, samples, .. } = restored.stats;
    restored.stats = StoreStats { oldest_ms, samples, ..StoreStats::default() };
    restored
}

/// Waits for what comes about on a thread of the store's.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < std::time::Duration::from_secs(60), "waited in vain until {what}");
        // Asking on and on would keep a processor from what is waited for.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// What is read when it has been the same for a second: what a settling was made of goes bit by bit after it, and its space with it.
pub fn at_rest<T: PartialEq>(read: impl Fn() -> T) -> T {
    let (mut since, mut last) = (std::time::Instant::now(), read());
    while since.elapsed() < std::time::Duration::from_secs(1) {
        // Nothing tells that nothing more comes; asking on and on would keep a processor from what may come.
        std::thread::sleep(std::time::Duration::from_millis(50));
        let now = read();
        if now != last {
            (since, last) = (std::time::Instant::now(), now);
        }
    }
    last
}
