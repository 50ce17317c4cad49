use fleetlens_ipc::rows::{LinkState, Rows, Status, ThingPage};
use fleetlens_ipc::{Intent, RequestId, Scope};
use fleetlens_model::alarm::Priority;
use fleetlens_model::alarm::state::State;
use fleetlens_model::described::Commons;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::{AlarmId, SeriesKey, ThingName};
use fleetlens_model::shared::Texts;
use fleetlens_model::telemetry::{Quality, Source, Timed, Value};
use fleetlens_model::thing::Meta;

use super::*;
use crate::fleet::tests::config;

const T0: i64 = 1_700_000_000_000;
const LAMP: ThingKey = ThingKey(1);

fn at(s: i64) -> WallMs {
    WallMs(T0 + s * 1_000)
}

fn said(s: i64, power_w: f64) -> Sample {
    Sample {
        series: SeriesKey(1),
        device_ms: at(s),
        received_ms: at(s),
        seq: 1,
        value: Value::Number(power_w),
        source: Source::Live,
        quality: Quality::Good,
        timed: Timed::ByDevice,
    }
}

fn alarm(state: State) -> Alarm {
    let (rule, name, sentence) = ("hot".to_owned(), "too hot".to_owned(), "71 °C".to_owned());
    let (what_to_do, assigned) = (String::new(), String::new());
    Alarm {
        id: AlarmId(7),
        thing: LAMP,
        rule,
        name,
        priority: Priority::Warning,
        sentence,
        what_to_do,
        assigned,
        state,
    }
}

/// A lamp that is to speak every ten seconds and last did at `heard`.
fn known(heard: i64, moment: i64, alarms: Vec<Alarm>) -> Known {
    let (mut texts, mut commons) = (Texts::default(), Commons::default());
    let meta = Meta { title: "Lamp 1".into(), interval_s: 10, ..Meta::default() };
    let restored = Restored {
        things: vec![(LAMP, ThingName::new("lamp-1").unwrap(), commons.describe(meta, &mut texts))],
        series: vec![(SeriesKey(1), LAMP, texts.get("/power_w"))],
        latest: vec![said(heard, 10.0)],
        alarms,
        last_seq: 1,
        link_seen_ms: Some(at(heard)),
        texts,
        commons,
        ..Restored::default()
    };
    Known { restored, heard: Some(at(heard)), at: at(moment) }
}

fn look(replay: &mut Replay, view: u32, look: Look) -> Option<Wanted> {
    replay.call(Call::Look { view: ViewId(view), at: look })
}

/// What every view shows, told from the start.
fn shown(replay: &mut Replay) -> (Status, ThingPage) {
    look(replay, 1, Look::Status);
    look(replay, 2, Look::Thing { thing: LAMP });
    let (mut status, mut page) = (None, None);
    for parcel in replay.parcels(MonoMs(0)) {
        replay.call(Call::Seen { parcel: parcel.number });
        for frame in parcel.frames {
            if let Frame::Snapshot { rows, .. } = frame {
                if let Rows::Status(told) = rows {
                    status = Some(*told);
                } else if let Rows::Thing(told) = rows {
                    page = Some(*told);
                }
            }
        }
    }
    (status.unwrap(), page.unwrap())
}

fn power(page: &ThingPage) -> (Value, Source, u64) {
    let row = page.values.iter().find(|row| row.pointer == "/power_w").unwrap();
    (row.value.clone(), row.source, row.age_ms)
}

#[test]
fn a_lamp_is_as_old_as_it_was_and_whoever_steers_looks_on() {
    let mut replay = Replay::new(config(Role::Operator), known(100, 104, Vec::new()));
    let (status, page) = shown(&mut replay);
    assert_eq!(power(&page), (Value::Number(10.0), Source::Live, 4_000));
    assert_eq!((status.wall_ms, status.who.role, page.may_command), (at(104), Role::Viewer, false));
    assert!(matches!(status.link, LinkState::Up { .. }));
    let command = Intent::Command { thing: LAMP, shadow: String::new(), wishes: Vec::new(), expires_in_ms: None };
    assert_eq!(replay.call(Call::Ask { request: RequestId(1), intent: command }), None);
    assert!(replay.parcels(MonoMs(1)).is_empty(), "nobody hears it");
}

#[test]
fn what_comes_is_shown_when_it_came_and_who_says_nothing_falls_silent_without_an_alarm() {
    let mut replay = Replay::new(config(Role::Operator), known(100, 104, Vec::new()));
    let raised = State::told(at(112), None, 1, None);
    let passage = Passage {
        until: at(400),
        samples: vec![said(110, 50.0)],
        shadows: Vec::new(),
        alarms: vec![(at(112), alarm(raised.clone())), (at(115), alarm(State::told(at(112), Some(at(115)), 1, None)))],
    };
    replay.comes(passage);
    replay.pass(at(109));
    assert_eq!(power(&shown(&mut replay).1).0, Value::Number(10.0));
    replay.pass(at(113));
    let (status, page) = shown(&mut replay);
    assert_eq!(power(&page), (Value::Number(50.0), Source::Live, 3_000));
    assert_eq!((status.attention, page.alarms.len()), (1, 1));
    replay.pass(at(116));
    assert_eq!(shown(&mut replay).0.attention, 0, "it was cleared then");

    // A minute later nobody knows whether anybody listened.
    replay.pass(at(300));
    let (status, page) = shown(&mut replay);
    assert!(matches!(status.link, LinkState::Connecting { .. }), "{:?}", status.link);
    assert!(matches!(page.head.freshness, Freshness::Unknown { .. } | Freshness::Silent { .. }));
    assert_eq!(status.alarms.open, 1, "no rule raises anything in the past, the usual one about silence among them");
    replay.pass(at(1_000));
    assert_eq!(replay.at(), at(400), "no further than is known");
}

#[test]
fn another_moment_tells_every_view_from_the_start_and_charts_end_there() {
    let mut replay = Replay::new(config(Role::Viewer), known(100, 104, Vec::new()));
    let chart = Look::Chart { series: SeriesKey(1), until_ms: None, span_ms: 60_000, buckets: 60 };
    let wanted = look(&mut replay, 3, chart).unwrap();
    assert_eq!((wanted.query.to_ms, wanted.query.up_to_seq), (at(104).plus(1), ALL));
    replay.read(ReadDone { ticket: wanted.ticket, outcome: Ok(Vec::new()), alarms: Vec::new() });
    shown(&mut replay);
    let again = replay.seek(config(Role::Viewer), known(50, 52, Vec::new()));
    assert_eq!(again.iter().map(|wanted| wanted.query.to_ms).collect::<Vec<_>>(), [at(52).plus(1)]);
    assert_ne!(again[0].ticket, wanted.ticket, "what is read of the moment before is not taken for it");
    let parcels = replay.parcels(MonoMs(0));
    assert!(parcels.iter().all(|parcel| parcel.number > PARCELS_FROM));
    let views: Vec<u32> = parcels
        .iter()
        .flat_map(|parcel| &parcel.frames)
        .filter_map(|frame| if let Frame::Snapshot { view, .. } = frame { Some(view.0) } else { None })
        .collect();
    assert_eq!(views, [1, 2], "the chart waits for what is read");
    assert_eq!(shown(&mut replay).0.wall_ms, at(52));
    look(&mut replay, 4, Look::Commands { scope: Scope::Open, limit: 5 });
}

#[test]
fn what_came_late_is_on_a_chart_once() {
    let mut replay = Replay::new(config(Role::Viewer), known(100, 104, Vec::new()));
    let chart = Look::Chart { series: SeriesKey(1), until_ms: None, span_ms: 60_000, buckets: 60 };
    let wanted = look(&mut replay, 3, chart).unwrap();
    replay.read(ReadDone { ticket: wanted.ticket, outcome: Ok(Vec::new()), alarms: Vec::new() });
    // What is read of the time up to the moment has the first already, although it came after it.
    let late = Sample { device_ms: at(102), ..said(106, 30.0) };
    let samples = vec![late, said(107, 50.0)];
    replay.comes(Passage { until: at(110), samples, shadows: Vec::new(), alarms: Vec::new() });
    replay.pass(at(110));
    let frames = replay.parcels(MonoMs(0)).into_iter().flat_map(|parcel| parcel.frames);
    let chart = frames.filter_map(|frame| {
        if let Frame::Snapshot { rows: Rows::Chart(chart), .. } = frame { Some(chart) } else { None }
    });
    let counts: Vec<u32> = chart.flat_map(|chart| chart.buckets).map(|bucket| bucket.count).collect();
    assert_eq!(counts, [1]);
}

#[test]
fn where_nothing_was_received_nobody_listened() {
    let stood = State::told(at(90), None, 1, None);
    let mut replay = Replay::new(config(Role::Operator), known(100, 500, vec![alarm(stood)]));
    let (status, page) = shown(&mut replay);
    assert!(matches!(status.link, LinkState::Connecting { .. }));
    assert_eq!(power(&page).1, Source::Cached);
    assert_eq!((page.head.freshness, status.attention), (Freshness::Unknown { since_ms: at(100) }, 1));
}
