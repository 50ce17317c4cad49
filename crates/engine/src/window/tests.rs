use fleetlens_ipc::map;
use fleetlens_ipc::rows::{Change, Ground, LinkState, Rows, Settings};
use fleetlens_model::downsample::Bucket;
use fleetlens_model::geo::GeoBox;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::{Kind, Schemas};
use fleetlens_model::time::WallMs;

use super::*;
use crate::fleet::Input;

mod alarm_table;
mod alarms;
mod board;
mod commands;
mod jobs;
mod messages;
mod not_converged;
mod parking;
mod places;
mod sight;
mod things;

use crate::fleet::tests::{at, down, fleet, give, lamp_is_there, lamp_says, telemetry, up};

const WINDOW: WindowId = WindowId(1);

fn city() -> Fleet {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    fleet
}

fn looking(at_what: Look, fleet: &mut Fleet) -> (Windows, Option<Consequence>) {
    let mut windows = Windows::default();
    windows.attach(WINDOW);
    windows.call(WINDOW, Call::Hello { contract: CONTRACT }, fleet, at(1));
    let dirty = fleet.take_dirty();
    windows.soil(&dirty, fleet);
    let consequence = windows.call(WINDOW, Call::Look { view: ViewId(1), at: at_what }, fleet, at(1));
    (windows, consequence)
}

fn frames(windows: &mut Windows, fleet: &mut Fleet, now: Now) -> Vec<Frame> {
    let dirty = fleet.take_dirty();
    windows.soil(&dirty, fleet);
    windows.parcels(fleet, now).into_iter().flat_map(|(_, parcel)| parcel.frames).collect()
}

fn seen(windows: &mut Windows, fleet: &mut Fleet, parcel: u64) {
    windows.call(WINDOW, Call::Seen { parcel }, fleet, at(1));
}

#[test]
fn a_map_is_told_whole_and_then_only_what_changed_on_it() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Map { area: GeoBox::EARTH }, &mut fleet);
    let first = frames(&mut windows, &mut fleet, at(1));
    let [Frame::Snapshot { rows: Rows::Map(bytes), .. }] = &first[..] else { panic!("{first:?}") };
    assert_eq!(map::read(bytes).count(), 1);
    give(&mut fleet, lamp_says(2, 61.0), at(2));
    assert!(frames(&mut windows, &mut fleet, at(2)).is_empty(), "another power is no other mark");
    give(&mut fleet, down(), at(3));
    let told = frames(&mut windows, &mut fleet, at(3));
    let [Frame::Patch { rev: 2, changes, .. }] = &told[..] else { panic!("{told:?}") };
    let [Change::Map(bytes)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(map::read(bytes).next().unwrap().status, map::Status::Unknown);
}

#[test]
fn a_thing_outside_the_box_is_not_told() {
    let mut fleet = city();
    let elsewhere = GeoBox { west_deg: 0.0, south_deg: 0.0, east_deg: 1.0, north_deg: 1.0 };
    let (mut windows, _) = looking(Look::Map { area: elsewhere }, &mut fleet);
    let told = frames(&mut windows, &mut fleet, at(1));
    assert_eq!(told, [Frame::Snapshot { view: ViewId(1), rows: Rows::Map(Vec::new()) }]);
}

#[test]
fn a_page_is_patched_row_by_row_with_rising_revisions() {
    let mut fleet = city();
    let (mut windows, consequence) = looking(Look::Thing { thing: ThingKey(1) }, &mut fleet);
    assert_eq!(consequence, Some(Consequence::Opened(ThingKey(1))));
    let first = frames(&mut windows, &mut fleet, at(1));
    let [Frame::Snapshot { rows: Rows::Thing(page), .. }] = &first[..] else { panic!("{first:?}") };
    assert_eq!((page.head.title.as_str(), page.values.len(), page.may_command), ("Lamp 1", 1, true));
    for (rev, power_w) in [(2, 61.0), (3, 62.0)] {
        seen(&mut windows, &mut fleet, rev);
        give(&mut fleet, lamp_says(rev, power_w), at(rev));
        let told = frames(&mut windows, &mut fleet, at(rev));
        let [Frame::Patch { rev: told_rev, changes, .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(*told_rev, rev);
        assert!(changes.iter().any(|c| matches!(c, Change::Value(row) if row.pointer == "/power_w")), "{changes:?}");
    }
    assert!(frames(&mut windows, &mut fleet, at(60)).is_empty(), "ages grow in the window, not on the wire");
}

#[test]
fn a_page_says_who_may_command_as_soon_as_the_identity_changes_and_never_of_a_name_no_shadow_has() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Thing { thing: ThingKey(1) }, &mut fleet);
    let may_command = |frames: &[Frame]| {
        let [Frame::Snapshot { rows: Rows::Thing(page), .. }] = frames else { panic!("{frames:?}") };
        page.may_command
    };
    assert!(may_command(&frames(&mut windows, &mut fleet, at(1))));
    let who = Actor { name: "A. Borg".into(), role: Role::Viewer };
    let settings = Box::new(Settings { who, ..fleet.config.settings.clone() });
    give(&mut fleet, Input::Configured(settings), at(2));
    assert!(!may_command(&frames(&mut windows, &mut fleet, at(2))));

    let mut fleet = city();
    give(&mut fleet, telemetry("city/v/lamp/lamp 2/telemetry", r#"{"values":{"on":true}}"#), at(2));
    let (mut windows, _) = looking(Look::Thing { thing: ThingKey(2) }, &mut fleet);
    assert!(!may_command(&frames(&mut windows, &mut fleet, at(2))), "a space is in no shadow's name");
}

#[test]
fn a_page_is_told_whole_when_its_thing_may_hold_something_else() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Thing { thing: ThingKey(1) }, &mut fleet);
    let schemas = Schemas::of_the_program();
    for (s, kind) in [(1, Kind::Lamp), (2, Kind::Bin)] {
        let told = frames(&mut windows, &mut fleet, at(s));
        let [Frame::Snapshot { rows: Rows::Thing(page), .. }] = &told[..] else { panic!("{told:?}") };
        let of = schemas.of_kind(kind).unwrap();
        assert_eq!((page.head.kind, &page.schema, &page.head.controls), (kind, &of.text, &of.controls));
        give(&mut fleet, telemetry("city/v/bin/lamp-1/meta", r#"{"name":"Bin 1"}"#), at(2));
    }
    assert!(frames(&mut windows, &mut fleet, at(2)).is_empty(), "and not again for nothing");
}

#[test]
fn a_window_that_does_not_keep_up_gets_the_latest_state_and_no_queue() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Thing { thing: ThingKey(1) }, &mut fleet);
    let mut parcels = 0;
    for s in 2..50 {
        give(&mut fleet, lamp_says(s, s as f64), at(s));
        parcels += usize::from(!frames(&mut windows, &mut fleet, at(s)).is_empty());
    }
    assert_eq!(parcels, PARCELS_IN_FLIGHT);
    seen(&mut windows, &mut fleet, 3);
    let told = frames(&mut windows, &mut fleet, at(50));
    let [Frame::Patch { rev: 4, changes, .. }] = &told[..] else { panic!("{told:?}") };
    let latest = changes.iter().find_map(|c| if let Change::Value(row) = c { Some(row.value.clone()) } else { None });
    assert_eq!(latest, Some(fleetlens_model::telemetry::Value::Number(49.0)));
}

#[test]
fn the_ground_is_told_at_once_and_again_when_the_fleet_comes_or_grows() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    let (mut windows, _) = looking(Look::Ground { kinds: Vec::new() }, &mut fleet);
    let fleet_of = |ground: &Ground| ground.fleet.map(|area| (area.west_deg, area.east_deg));
    let told = frames(&mut windows, &mut fleet, at(1));
    let [Frame::Snapshot { rows: Rows::Ground(ground), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(fleet_of(ground), None, "nobody has a place yet");
    give(&mut fleet, lamp_is_there(), at(1));
    assert!(frames(&mut windows, &mut fleet, at(1)).is_empty(), "half a second apart");
    let told = frames(&mut windows, &mut fleet, at(2));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    let [Change::Ground(ground)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(fleet_of(ground), Some((14.5, 14.5)));
    give(&mut fleet, lamp_says(3, 60.0), at(3));
    assert!(frames(&mut windows, &mut fleet, at(3)).is_empty(), "the lamp stands where it stood");
    windows.call(
        WINDOW,
        Call::Look { view: ViewId(1), at: Look::Ground { kinds: vec![Kind::Parking] } },
        &mut fleet,
        at(4),
    );
    let told = frames(&mut windows, &mut fleet, at(4));
    let [Frame::Snapshot { rows: Rows::Ground(ground), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(fleet_of(ground), None, "a lamp is no car park");
}

#[test]
fn looking_again_starts_again_and_looking_away_ends_it() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Thing { thing: ThingKey(1) }, &mut fleet);
    frames(&mut windows, &mut fleet, at(1));
    windows.call(WINDOW, Call::Look { view: ViewId(1), at: Look::Thing { thing: ThingKey(7) } }, &mut fleet, at(1));
    let told = frames(&mut windows, &mut fleet, at(1));
    assert_eq!(told, [Frame::Snapshot { view: ViewId(1), rows: Rows::Missing }]);
    windows.call(WINDOW, Call::LookAway { view: ViewId(1) }, &mut fleet, at(1));
    give(&mut fleet, lamp_says(5, 9.0), at(5));
    assert!(frames(&mut windows, &mut fleet, at(5)).is_empty());
}

#[test]
fn a_chart_counts_every_sample_once_although_they_go_on_coming_while_the_past_is_read() {
    let mut fleet = city();
    let look = Look::Chart { series: SeriesKey(1), until_ms: None, span_ms: 900_000, buckets: 300 };
    let (mut windows, consequence) = looking(look, &mut fleet);
    let Some(Consequence::Read(Outward::Read { ticket, query, thing: ThingKey(1) })) = consequence else {
        panic!("{consequence:?}")
    };
    assert_eq!((query.up_to_seq, query.bucket_ms), (1, 5_000));
    give(&mut fleet, lamp_says(3, 70.0), at(3));
    assert!(frames(&mut windows, &mut fleet, at(3)).is_empty(), "nothing before the past is there");
    let start_ms = WallMs(at(1).wall.0.div_euclid(5_000) * 5_000);
    let past = Bucket { start_ms, min: 60.0, max: 60.0, sum: 60.0, last: 60.0, count: 1 };
    windows.read(ReadDone { ticket, outcome: Ok(vec![past]), alarms: Vec::new() }, &fleet);
    let told = frames(&mut windows, &mut fleet, at(4));
    let [Frame::Snapshot { rows: Rows::Chart(chart), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(chart.buckets.iter().map(|b| b.count).sum::<u32>(), 2);
    assert_eq!((chart.label.as_str(), chart.unit.as_str()), ("Power", "W"));
    windows.read(ReadDone { ticket, outcome: Ok(vec![past]), alarms: Vec::new() }, &fleet);
    assert!(frames(&mut windows, &mut fleet, at(4)).is_empty(), "an answer counts once");
}

#[test]
fn a_chart_of_the_past_stays_where_it_is_and_takes_what_is_late() {
    let mut fleet = city();
    let until = at(1).wall.plus(-60_000);
    let look = Look::Chart { series: SeriesKey(1), until_ms: Some(until), span_ms: 900_000, buckets: 300 };
    let (mut windows, consequence) = looking(look, &mut fleet);
    let Some(Consequence::Read(Outward::Read { ticket, query, .. })) = consequence else { panic!("{consequence:?}") };
    assert_eq!(query.to_ms, until);
    let from = query.from_ms;
    let bucket = |start_ms| Bucket { start_ms, min: 60.0, max: 60.0, sum: 60.0, last: 60.0, count: 1 };
    windows.read(ReadDone { ticket, outcome: Ok(vec![bucket(from)]), alarms: Vec::new() }, &fleet);
    let told = frames(&mut windows, &mut fleet, at(2));
    let [Frame::Snapshot { rows: Rows::Chart(chart), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((chart.until_ms, chart.buckets.len()), (until, 1));
    give(&mut fleet, lamp_says(3, 70.0), at(3));
    assert!(frames(&mut windows, &mut fleet, at(3)).is_empty(), "what is said now is not of that time");
    let late = Dirty { samples: vec![(SeriesKey(1), until.plus(-1_000), 9.0)], ..Default::default() };
    windows.soil(&late, &fleet);
    let told = frames(&mut windows, &mut fleet, at(900));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(matches!(&changes[..], [Change::Bucket(late)] if late.start_ms < until), "{changes:?}");
}

#[test]
fn a_chart_shows_the_alarms_that_look_at_its_value_as_they_were_and_as_they_change() {
    use fleetlens_model::alarm::{Alarm, state::State};
    let mut fleet = city();
    let look = Look::Chart { series: SeriesKey(1), until_ms: None, span_ms: 900_000, buckets: 300 };
    let (mut windows, consequence) = looking(look, &mut fleet);
    let Some(Consequence::Read(Outward::Read { ticket, .. })) = consequence else { panic!("{consequence:?}") };
    let read = |id, raised_s: i64, cleared_s: Option<i64>| Alarm {
        id: fleetlens_model::id::AlarmId(id),
        thing: ThingKey(1),
        rule: "gone".into(),
        name: "dark".into(),
        priority: fleetlens_model::alarm::Priority::Warning,
        sentence: String::new(),
        what_to_do: String::new(),
        assigned: String::new(),
        state: State::told(
            at(1).wall.plus(raised_s * 1_000),
            cleared_s.map(|cleared_s| at(1).wall.plus(cleared_s * 1_000)),
            1,
            None,
        ),
    };
    let alarms = vec![read(901, -300, Some(-200)), read(902, -5_000, Some(-4_000)), read(903, -5_000, None)];
    windows.read(ReadDone { ticket, outcome: Ok(Vec::new()), alarms }, &fleet);
    let told = frames(&mut windows, &mut fleet, at(2));
    let [Frame::Snapshot { rows: Rows::Chart(chart), .. }] = &told[..] else { panic!("{told:?}") };
    let mut shown: Vec<(u64, bool)> = chart.alarms.iter().map(|a| (a.id.0, a.cleared_ms.is_some())).collect();
    shown.sort_unstable();
    assert_eq!(shown, [(901, true), (903, false)], "one that was over before the span is left out");
}

#[test]
fn finding_wants_every_word_and_puts_beginnings_first() {
    let mut fleet = city();
    for (name, title) in [("b-1", "Old lamp street"), ("b-2", "Lamp 17")] {
        let payload = format!(r#"{{"name":"{title}","street":"Triq ix-Xatt"}}"#);
        give(&mut fleet, telemetry(&format!("city/v/lamp/{name}/meta"), &payload), at(1));
    }
    for (text, want) in
        [("lamp", vec!["Lamp 1", "Lamp 17", "Old lamp street"]), ("xatt OLD", vec!["Old lamp street"]), ("", vec![])]
    {
        let (mut windows, _) = looking(Look::Find { text: text.into(), limit: 20 }, &mut fleet);
        let told = frames(&mut windows, &mut fleet, at(1));
        let [Frame::Snapshot { rows: Rows::Found(rows), .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(rows.iter().map(|r| r.title.as_str()).collect::<Vec<_>>(), want, "{text}");
    }
}

#[test]
fn a_window_built_for_another_contract_is_told_so() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Status, &mut fleet);
    windows.call(WINDOW, Call::Hello { contract: CONTRACT + 1 }, &mut fleet, at(1));
    let told = frames(&mut windows, &mut fleet, at(1));
    assert!(matches!(&told[..], [Frame::Notice(Fault { code: FaultCode::Contract, .. })]), "{told:?}");
    windows.call(WINDOW, Call::Look { view: ViewId(1), at: Look::Status }, &mut fleet, at(1));
    assert!(frames(&mut windows, &mut fleet, at(1)).is_empty(), "they refuse each other");
}

/// As a page asks in the moment in which its profile is chosen anew: the host answers, and then it says Hello.
#[test]
fn what_was_asked_before_a_window_began_anew_is_answered_after_it() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Status, &mut fleet);
    frames(&mut windows, &mut fleet, at(1));
    windows.begin();
    assert!(matches!(&frames(&mut windows, &mut fleet, at(1))[..], [Frame::Begin]));
    windows.answer(WINDOW, Frame::Answer { request: RequestId(7), outcome: Ok(Done::Changed) });
    windows.begin();
    windows.call(WINDOW, Call::Hello { contract: CONTRACT }, &mut fleet, at(1));
    let told = frames(&mut windows, &mut fleet, at(1));
    assert!(matches!(&told[..], [Frame::Answer { request: RequestId(7), .. }]), "{told:?}");
}

#[test]
fn counters_wait_half_a_second_and_a_lost_link_does_not() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Status, &mut fleet);
    frames(&mut windows, &mut fleet, at(2));
    let soon = |ms| Now { mono: MonoMs(at(2).mono.0 + ms), ..at(2) };
    give(&mut fleet, lamp_says(2, 61.0), soon(100));
    assert!(frames(&mut windows, &mut fleet, soon(100)).is_empty(), "one message more is no news yet");
    give(&mut fleet, down(), soon(200));
    let told = frames(&mut windows, &mut fleet, soon(200));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    let [Change::Status(status)] = &changes[..] else { panic!("{changes:?}") };
    assert!(matches!(status.link, LinkState::Connecting { .. }), "{:?}", status.link);
}

#[test]
fn live_values_count_as_seen_when_the_window_has_drawn_them() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Map { area: GeoBox::EARTH }, &mut fleet);
    frames(&mut windows, &mut fleet, at(1));
    seen(&mut windows, &mut fleet, 1);
    windows.call(WINDOW, Call::Drawn { things: 0, on_ground: true }, &mut fleet, at(1));
    assert!(!fleet.counters().live_seen, "an empty map shows nothing live");
    windows.call(WINDOW, Call::Drawn { things: 1, on_ground: true }, &mut fleet, at(1));
    assert!(fleet.counters().live_seen);
}

#[test]
fn a_picture_is_the_first_when_it_shows_something_or_there_is_nothing_to_show() {
    for (name, mut fleet, things, want) in [
        ("nothing of a city", city(), 0, false),
        ("a lamp of it", city(), 1, true),
        ("nothing, and there is nothing", fleet(), 0, true),
    ] {
        let (mut windows, _) = looking(Look::Map { area: GeoBox::EARTH }, &mut fleet);
        for on_ground in [false, true] {
            windows.call(WINDOW, Call::Drawn { things, on_ground }, &mut fleet, at(1));
            let counters = fleet.counters();
            assert_eq!((counters.shown, counters.drawn), (want, want && on_ground), "{name}");
        }
    }
}

#[test]
fn a_window_that_asks_and_never_says_what_it_has_seen_is_let_go() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Status, &mut fleet);
    let listens = WindowId(2);
    windows.attach(listens);
    let answer = || Frame::Answer { request: RequestId(1), outcome: Err(Fault::new(FaultCode::Invalid, "no")) };
    for round in 0..10_000u64 {
        for window in [WINDOW, listens] {
            windows.answer(window, answer());
        }
        assert_eq!(windows.detach_unheard().len(), usize::from(round == SAID_MAX as u64 + 3), "round {round}");
        let told = windows.parcels(&fleet, at(round));
        if let Some((_, parcel)) = told.into_iter().find(|(window, _)| *window == listens) {
            windows.call(listens, Call::Seen { parcel: parcel.number }, &mut fleet, at(round));
        }
    }
    assert_eq!(
        windows.windows.keys().copied().collect::<Vec<_>>(),
        [listens],
        "who listens may ask as much as it likes"
    );
    windows.answer(WINDOW, answer());
    windows.call(WINDOW, Call::Look { view: ViewId(2), at: Look::Status }, &mut fleet, at(1));
    assert_eq!(windows.windows.len(), 1, "nothing is kept for it any more");
}
