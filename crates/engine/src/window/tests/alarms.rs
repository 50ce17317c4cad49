use fleetlens_ipc::AlarmScope;
use fleetlens_ipc::rows::{AlarmCounts, AlarmList, AlarmRow, Attention};
use fleetlens_model::alarm::{Condition, Priority};
use fleetlens_model::id::AlarmId;
use fleetlens_model::kind::Kind;

use super::*;
use crate::fleet::Input;
use crate::fleet::tests::{fleet_with, meta, over, rule, says};

/// Two warm lamps in Marsa (raised at 1 and 2 s) and a bin that burns since 3 s.
fn troubled() -> Fleet {
    let mut fleet = fleet_with(vec![
        rule("warm", Some(Kind::Lamp), over("/temp_c", 60.0, 0.0, 0), Priority::Warning),
        rule("burning", Some(Kind::Bin), over("/temp_c", 60.0, 0.0, 0), Priority::Critical),
        rule("silent", Some(Kind::Gateway), Condition::Silent, Priority::Critical),
    ]);
    give(&mut fleet, up(), at(0));
    for (kind, thing) in [("lamp", "l1"), ("lamp", "l2"), ("bin", "b1")] {
        let payload = format!(
            r#"{{"name":"{}","street":"Triq il-Kbira","area":"Marsa","lat":35.9,"lon":14.5}}"#,
            thing.to_uppercase()
        );
        give(&mut fleet, meta(kind, thing, &payload), at(0));
    }
    for (kind, thing, s) in [("lamp", "l1", 1), ("lamp", "l2", 2), ("bin", "b1", 3)] {
        give(&mut fleet, temp(kind, thing, s, 70), at(s));
    }
    fleet
}

fn temp(kind: &str, thing: &str, s: u64, temp_c: i32) -> Input {
    says(kind, thing, s, &format!(r#"{{"temp_c":{temp_c}}}"#))
}

fn acknowledge(fleet: &mut Fleet, alarm: u64, raised: u64, s: u64) {
    let intent = Intent::Acknowledge { alarms: vec![(AlarmId(alarm), at(raised).wall)], comment: "on my way".into() };
    let effects = give(fleet, Input::Asked { window: WINDOW, request: RequestId(1), intent }, at(s));
    assert!(matches!(&effects.outward[..], [Outward::Answer { outcome: Ok(_), .. }]), "{effects:?}");
}

fn list(told: &[Frame]) -> AlarmList {
    let [Frame::Snapshot { rows: Rows::Alarms(list), .. }] = told else { panic!("{told:?}") };
    list.clone()
}

fn changes(told: &[Frame]) -> Vec<Change> {
    let [Frame::Patch { changes, .. }] = told else { panic!("{told:?}") };
    changes.clone()
}

fn titles(rows: &[AlarmRow]) -> Vec<&str> {
    rows.iter().map(|row| row.title.as_str()).collect()
}

#[test]
fn open_alarms_stand_worst_first_and_are_patched_row_by_row() {
    let mut fleet = troubled();
    let (mut windows, _) = looking(Look::Alarms { scope: AlarmScope::Open, limit: 100 }, &mut fleet);
    let open = list(&frames(&mut windows, &mut fleet, at(4)));
    assert_eq!(titles(&open.rows), ["B1 burning", "L2 warm", "L1 warm"]);
    assert_eq!(open.counts, AlarmCounts { open: 3, active: 3, unacknowledged: 3, critical: 1, hidden: 0, advisory: 0 });
    let row = &open.rows[0];
    assert_eq!((row.place.as_str(), row.at.is_some(), row.kind), ("Triq il-Kbira · Marsa", true, Kind::Bin));
    assert_eq!(
        (row.sentence.as_str(), row.cause.as_str(), row.consequence.as_str(), row.what_to_do.as_str()),
        ("temperature 70.0 °C, 60 °C or more", "a cause", "a consequence", "go there")
    );
    assert_eq!((row.raised_ms, row.times, row.unknown_since_ms, row.mutes), (at(3).wall, 1, None, 0));

    // Seen: the row and the counts. Seen and over: the row leaves, and stands in the history.
    acknowledge(&mut fleet, 3, 3, 5);
    let told = changes(&frames(&mut windows, &mut fleet, at(5)));
    let [Change::Alarm(row), Change::AlarmCounts(counts)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(row.acknowledged.as_ref().map(|seen| seen.comment.as_str()), Some("on my way"));
    assert_eq!(*counts, AlarmCounts { unacknowledged: 2, critical: 0, ..open.counts });
    give(&mut fleet, temp("bin", "b1", 6, 20), at(6));
    let told = changes(&frames(&mut windows, &mut fleet, at(6)));
    assert_eq!(told[0], Change::AlarmGone(AlarmId(3)));
    assert!(frames(&mut windows, &mut fleet, at(60)).is_empty(), "nothing changes by waiting");
    let (mut windows, _) = looking(Look::Alarms { scope: AlarmScope::Ended, limit: 100 }, &mut fleet);
    let ended = list(&frames(&mut windows, &mut fleet, at(7)));
    assert_eq!((titles(&ended.rows), ended.rows[0].cleared_ms), (vec!["B1 burning"], Some(at(6).wall)));
}

#[test]
fn a_list_that_is_full_drops_its_last_for_a_worse_one() {
    let mut fleet = troubled();
    give(&mut fleet, temp("bin", "b1", 4, 20), at(4));
    acknowledge(&mut fleet, 3, 3, 4);
    let (mut windows, _) = looking(Look::Alarms { scope: AlarmScope::Open, limit: 1 }, &mut fleet);
    assert_eq!(titles(&list(&frames(&mut windows, &mut fleet, at(5))).rows), ["L2 warm"]);
    give(&mut fleet, temp("bin", "b1", 6, 90), at(6));
    let told = changes(&frames(&mut windows, &mut fleet, at(6)));
    assert!(
        matches!(&told[..], [Change::Alarm(row), Change::AlarmGone(AlarmId(2)), Change::AlarmCounts(_)] if row.id == AlarmId(4)),
        "{told:?}"
    );
}

#[test]
fn without_a_link_rows_say_since_when_nobody_knows_until_each_thing_is_heard_again() {
    let mut fleet = troubled();
    let (mut windows, _) = looking(Look::Alarms { scope: AlarmScope::Open, limit: 100 }, &mut fleet);
    frames(&mut windows, &mut fleet, at(4));
    give(&mut fleet, down(), at(10));
    let unknown = |told: Vec<Change>| -> Vec<(u64, Option<WallMs>)> {
        let row = |change| if let Change::Alarm(row) = change { Some((row.id.0, row.unknown_since_ms)) } else { None };
        told.into_iter().map(|change| row(change).expect("neither raised nor cleared")).collect()
    };
    let since = Some(at(10).wall);
    let told = changes(&frames(&mut windows, &mut fleet, at(10)));
    assert_eq!(unknown(told), [(3, since), (2, since), (1, since)]);
    give(&mut fleet, up(), at(5_000));
    assert!(frames(&mut windows, &mut fleet, at(5_000)).is_empty(), "being back is not yet knowing");
    seen(&mut windows, &mut fleet, 2);
    give(&mut fleet, temp("lamp", "l1", 5_001, 70), at(5_001));
    assert_eq!(unknown(changes(&frames(&mut windows, &mut fleet, at(5_001)))), [(1, None)]);
}

#[test]
fn a_silent_gateways_row_counts_what_stands_behind_it() {
    let mut fleet = troubled();
    give(&mut fleet, meta("gateway", "gw", r#"{"name":"Gateway Marsa-2","interval_s":20}"#), at(10));
    give(&mut fleet, says("gateway", "gw", 10, r#"{"heard":2}"#), at(10));
    for lamp in ["l3", "l4"] {
        give(&mut fleet, meta("lamp", lamp, r#"{"interval_s":60,"gateway":"gw"}"#), at(10));
        give(&mut fleet, temp("lamp", lamp, 10, 20), at(10));
    }
    for s in 11..100 {
        give(&mut fleet, Input::Ticked, at(s));
    }
    let (mut windows, _) = looking(Look::Alarms { scope: AlarmScope::Open, limit: 100 }, &mut fleet);
    let row = |list: &AlarmList| (list.rows[0].title.clone(), list.rows[0].mutes);
    assert_eq!(row(&list(&frames(&mut windows, &mut fleet, at(100)))), ("Gateway Marsa-2 silent".to_string(), 0));
    for s in 101..300 {
        give(&mut fleet, Input::Ticked, at(s));
    }
    let told = changes(&frames(&mut windows, &mut fleet, at(300)));
    let [Change::Alarm(row)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((row.title.as_str(), row.mutes), ("Gateway Marsa-2 silent", 2));
}

#[test]
fn what_needs_a_person_is_active_and_not_acknowledged() {
    let mut fleet = troubled();
    let (mut windows, _) = looking(Look::Attention { limit: 2 }, &mut fleet);
    let told = frames(&mut windows, &mut fleet, at(4));
    let [Frame::Snapshot { rows: Rows::Attention(Attention { count: 3, rows }), .. }] = &told[..] else {
        panic!("{told:?}")
    };
    let [worst, next] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((worst.title.as_str(), worst.alarm, worst.since_ms), ("B1 burning", AlarmId(3), at(3).wall));
    let words = (worst.sentence.as_str(), worst.what_to_do.as_str(), worst.status);
    assert_eq!(words, ("temperature 70.0 °C, 60 °C or more", "go there", 3));
    assert_eq!((next.title.as_str(), next.status), ("L2 warm", 2));
    acknowledge(&mut fleet, 3, 3, 5);
    give(&mut fleet, temp("lamp", "l2", 5, 20), at(5));
    let told = changes(&frames(&mut windows, &mut fleet, at(5)));
    let [Change::Attention(Attention { count: 1, rows })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(rows[0].title, "L1 warm");
}

#[test]
fn status_page_and_map_tell_of_the_same_alarms() {
    let mut fleet = troubled();
    acknowledge(&mut fleet, 3, 3, 4);
    give(&mut fleet, temp("lamp", "l2", 4, 20), at(4));
    let (mut windows, _) = looking(Look::Status, &mut fleet);
    let told = frames(&mut windows, &mut fleet, at(5));
    let [Frame::Snapshot { rows: Rows::Status(status), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(status.attention, 1);
    assert_eq!(
        status.alarms,
        AlarmCounts { open: 3, active: 2, unacknowledged: 2, critical: 0, hidden: 0, advisory: 0 }
    );

    let (mut windows, _) = looking(Look::Map { area: GeoBox::EARTH }, &mut fleet);
    let told = frames(&mut windows, &mut fleet, at(5));
    let [Frame::Snapshot { rows: Rows::Map(bytes), .. }] = &told[..] else { panic!("{told:?}") };
    let marks: Vec<(map::Status, u8)> = map::read(bytes).map(|row| (row.status, row.flags)).collect();
    let want = [(map::Status::Warning, 0), (map::Status::Normal, 0), (map::Status::Critical, map::FLAG_SEEN)];
    assert_eq!(marks, want, "seen is not over, and needs nobody");

    let (mut windows, _) = looking(Look::Thing { thing: ThingKey(1) }, &mut fleet);
    let told = frames(&mut windows, &mut fleet, at(5));
    let [Frame::Snapshot { rows: Rows::Thing(page), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((titles(&page.alarms), page.head.status), (vec!["L1 warm"], map::Status::Warning.code()));
    give(&mut fleet, temp("lamp", "l1", 6, 20), at(6));
    let told = changes(&frames(&mut windows, &mut fleet, at(6)));
    assert!(told.iter().any(|c| matches!(c, Change::Alarm(row) if !row.active)), "{told:?}");
    acknowledge(&mut fleet, 1, 1, 7);
    let told = changes(&frames(&mut windows, &mut fleet, at(7)));
    assert!(told.contains(&Change::AlarmGone(AlarmId(1))), "{told:?}");
}
