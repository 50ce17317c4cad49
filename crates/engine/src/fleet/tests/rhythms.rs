use std::collections::BTreeMap;

use fleetlens_model::alarm::rhythm::Day;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::record::HistoryQuery;
use fleetlens_wire::time::Zone;

use super::*;

/// Monday, 0:00 in Malta, in seconds.
const MONDAY: u64 = 434_800;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn unusual() -> Vec<Rule> {
    vec![rule("odd", Some(Kind::Lamp), so("above_usual(power_w) > 30", 0.0, Terms::default()), Priority::Warning)]
}

fn malta(rules: Vec<Rule>, restored: Restored, s: u64) -> Fleet {
    let zone = Zone::parse("Europe/Malta").unwrap();
    let config = FleetConfig { rules, zone, things_max: 10_000, ..config(Role::Operator) };
    Fleet::new(config, restored, at(s))
}

/// A hundred watts on working days from 8:00 to 18:00, else ten.
fn power(s: u64) -> f64 {
    let hour = (s - MONDAY) % DAY / HOUR;
    let is_work = (s - MONDAY) / DAY % 7 < 5 && (8..18).contains(&hour);
    if is_work { 100.0 } else { 10.0 }
}

/// So many days of a lamp's word each twenty minutes; what was written of its rhythm, as it stands in the end.
fn live(fleet: &mut Fleet, days: std::ops::Range<u64>) -> BTreeMap<u8, Day> {
    let mut written = BTreeMap::new();
    for s in (MONDAY + days.start * DAY..MONDAY + days.end * DAY).step_by(1_200) {
        let effects = give(fleet, lamp_says(s, power(s)), at(s));
        written.extend(days_of(&effects));
    }
    written
}

fn days_of(effects: &Effects) -> impl Iterator<Item = (u8, Day)> + '_ {
    effects.writes.iter().filter_map(|write| {
        let Write::Rhythm { series: SeriesKey(1), weekday, day } = write else { return None };
        Some((*weekday, Day::clone(day)))
    })
}

fn sentence(effects: &Effects) -> Option<String> {
    kept(effects).first().map(|alarm| alarm.sentence.clone())
}

fn asked(effects: &Effects) -> Option<HistoryQuery> {
    effects.outward.iter().find_map(|out| if let Outward::Recall(query) = out { Some(*query) } else { None })
}

/// The cache as it would be found: the thing, its series, and what was written of it.
fn restored(fleet: &Fleet, rhythms: Vec<(SeriesKey, u8, Day)>) -> Restored {
    Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        series: vec![(SeriesKey(1), ThingKey(1), "/power_w".into())],
        rhythms,
        ..Restored::default()
    }
}

#[test]
fn what_is_far_above_its_usual_hour_is_told_in_those_words_before_and_after_a_restart() {
    let mut fleet = malta(unusual(), Restored::default(), MONDAY);
    give(&mut fleet, up(), at(MONDAY));
    let written = live(&mut fleet, 0..28);
    assert!(fleet.alarms.of(AlarmScope::Open).next().is_none(), "an ordinary month is not odd");
    // Twenty minutes to eleven of a Tuesday.
    let odd = MONDAY + 29 * DAY + 10 * HOUR + 2_400;
    let mut again = malta(
        unusual(),
        restored(&fleet, written.into_iter().map(|(weekday, day)| (SeriesKey(1), weekday, day)).collect()),
        odd,
    );
    give(&mut again, up(), at(odd));
    for fleet in [&mut fleet, &mut again] {
        let effects = give(fleet, lamp_says(odd, 138.0), at(odd));
        assert_eq!(
            sentence(&effects).as_deref(),
            Some("power 38 % above its usual Tuesday 10:00, more than 30 %"),
            "{effects:?}"
        );
        let effects = give(fleet, lamp_says(odd + 60, 101.0), at(odd + 60));
        assert!(kept(&effects).first().is_some_and(|alarm| !alarm.is_active()), "{effects:?}");
    }
    assert!(asked(&give(&mut again, Input::Ticked, at(odd + 61))).is_none(), "what is known needs no history");
}

#[test]
fn nothing_is_told_before_enough_is_known_and_a_night_is_no_day() {
    let mut fleet = malta(unusual(), Restored::default(), MONDAY);
    give(&mut fleet, up(), at(MONDAY));
    live(&mut fleet, 0..6);
    let at_ten = |day: u64| MONDAY + day * DAY + 10 * HOUR;
    assert!(kept(&give(&mut fleet, lamp_says(at_ten(6), 900.0), at(at_ten(6)))).is_empty(), "six days are too few");
    live(&mut fleet, 7..30);
    // What is usual of a Wednesday noon is odd of its night.
    let night = MONDAY + 30 * DAY + 3 * HOUR;
    let effects = give(&mut fleet, lamp_says(night, 100.0), at(night));
    assert_eq!(sentence(&effects).as_deref(), Some("power 900 % above its usual Wednesday 03:00, more than 30 %"));
}

#[test]
fn a_gap_in_our_listening_and_what_is_replayed_teach_nothing() {
    let mut fleet = malta(unusual(), Restored::default(), MONDAY);
    give(&mut fleet, up(), at(MONDAY));
    live(&mut fleet, 0..21);
    // The link is down for a Monday and a half.
    give(&mut fleet, down(), at(MONDAY + 21 * DAY));
    let back = MONDAY + 22 * DAY + 12 * HOUR;
    give(&mut fleet, up(), at(back));
    let replayed = |s: u64, power_w: u32| {
        let payload = format!(r#"{{"ts":{},"values":{{"power_w":{power_w}}}}}"#, at(s).wall.0);
        Input::Link(LinkEvent::Received(Received {
            retained: true,
            ..message("city/v/lamp/lamp-1/telemetry", &payload)
        }))
    };
    (0..5).for_each(|n| drop(give(&mut fleet, replayed(back + n, 0), at(back + n))));
    // What is usual of a Tuesday noon is odd of the Monday's midnight at which we last listened.
    give(&mut fleet, replayed(back + 9, 100), at(back + 9));
    assert!(fleet.alarms.of(AlarmScope::Open).next().is_none());
    live(&mut fleet, 23..28);
    let at_ten = MONDAY + 28 * DAY + 10 * HOUR;
    give(&mut fleet, lamp_says(at_ten, 100.0), at(at_ten));
    let usual = fleet.watch.rhythms.usual(SeriesKey(1), at(at_ten).wall).unwrap();
    assert_eq!((usual.when().as_str(), usual.value, usual.spread), ("Monday 10:00", 100.0, 1.0));
}

#[test]
fn a_rule_that_was_written_today_knows_the_weeks_before_from_the_cache() {
    let mut before = malta(Vec::new(), Restored::default(), MONDAY);
    give(&mut before, up(), at(MONDAY));
    give(&mut before, lamp_says(MONDAY, 10.0), at(MONDAY));
    let odd = MONDAY + 29 * DAY + 10 * HOUR + 60;
    let mut fleet = malta(unusual(), restored(&before, Vec::new()), odd);
    give(&mut fleet, up(), at(odd));
    assert!(kept(&give(&mut fleet, lamp_says(odd, 138.0), at(odd))).is_empty());
    let query = asked(&give(&mut fleet, Input::Ticked, at(odd + 1))).unwrap();
    assert_eq!((query.series, query.bucket_ms), (SeriesKey(1), 3_600_000));
    assert_eq!(query.to_ms.since(query.from_ms), 56 * 86_400_000);
    assert!(query.to_ms <= at(odd).wall, "the hour that is is learned from what is heard");
    // An hour in the middle of which nothing was heard is not there.
    let hours = (0..29 * 24).map(|hour| MONDAY + hour * HOUR).filter(|s| !((s - MONDAY) / HOUR).is_multiple_of(5));
    let bucket = |s: u64| {
        let value = power(s);
        Bucket { start_ms: at(s).wall, min: value - 2.0, max: value + 2.0, sum: value * 3.0, last: value, count: 3 }
    };
    let buckets: Vec<Bucket> = hours.map(bucket).collect();
    let effects = give(&mut fleet, Input::Recalled { series: SeriesKey(1), buckets }, at(odd + 2));
    assert_eq!(days_of(&effects).count(), 7);
    let effects = give(&mut fleet, lamp_says(odd + 30, 138.0), at(odd + 30));
    assert_eq!(sentence(&effects).as_deref(), Some("power 38 % above its usual Tuesday 10:00, more than 30 %"));
    assert!(asked(&give(&mut fleet, Input::Ticked, at(odd + 31))).is_none(), "once");
}

#[test]
fn a_thing_that_is_new_has_no_history_and_what_cannot_be_read_holds_nothing_up() {
    let mut fleet = malta(unusual(), Restored::default(), MONDAY);
    give(&mut fleet, up(), at(MONDAY));
    live(&mut fleet, 0..1);
    assert!(asked(&give(&mut fleet, Input::Ticked, at(MONDAY + DAY))).is_none());
    // Two at once, and the next when one is answered, with whatever.
    let things: Vec<_> = (1..=4u32)
        .map(|n| {
            let name = ThingName::new(format!("l{n}")).unwrap();
            let mut commons = Commons::default();
            let meta = Meta { kind: Kind::Lamp, ..Default::default() };
            (ThingKey(n), name, commons.describe(meta, &mut Texts::default()))
        })
        .collect();
    let series = (1..=4).map(|n| (SeriesKey(n), ThingKey(n), "/power_w".into())).collect();
    let mut fleet = malta(unusual(), Restored { things, series, ..Restored::default() }, MONDAY);
    give(&mut fleet, up(), at(MONDAY));
    (1..=4)
        .for_each(|n| drop(give(&mut fleet, says("lamp", &format!("l{n}"), MONDAY, r#"{"power_w":1}"#), at(MONDAY))));
    let recalls = |effects: &Effects| effects.outward.iter().filter(|out| matches!(out, Outward::Recall(_))).count();
    assert_eq!(recalls(&give(&mut fleet, Input::Ticked, at(MONDAY + 1))), 2);
    assert_eq!(recalls(&give(&mut fleet, Input::Ticked, at(MONDAY + 2))), 0);
    let answer = |n| Input::Recalled { series: SeriesKey(n), buckets: Vec::new() };
    assert_eq!([1, 2, 3, 4].map(|n| recalls(&give(&mut fleet, answer(n), at(MONDAY + 3)))), [1, 1, 0, 0]);
}

#[test]
fn what_no_rule_asks_any_more_is_forgotten() {
    let mut fleet = malta(unusual(), Restored::default(), MONDAY);
    give(&mut fleet, up(), at(MONDAY));
    let written = live(&mut fleet, 0..8);
    let gone = |effects: &Effects| effects.writes.contains(&Write::RhythmGone(SeriesKey(1)));
    let rows = || written.iter().map(|(weekday, day)| (SeriesKey(1), *weekday, day.clone())).collect();
    let mut kept = malta(unusual(), restored(&fleet, rows()), MONDAY);
    assert!(!gone(&give(&mut kept, Input::Ticked, at(MONDAY + 9 * DAY))));
    // Of a week the history may know more: the run before may have ended too early to ask.
    give(&mut kept, up(), at(MONDAY + 9 * DAY));
    give(&mut kept, lamp_says(MONDAY + 9 * DAY, 10.0), at(MONDAY + 9 * DAY));
    assert!(asked(&give(&mut kept, Input::Ticked, at(MONDAY + 9 * DAY))).is_some());
    let mut without = malta(Vec::new(), restored(&fleet, rows()), MONDAY);
    assert!(gone(&give(&mut without, Input::Ticked, at(MONDAY + 9 * DAY))));
    // It is a bin from now on, and the rule is about lamps.
    give(&mut fleet, meta("lamp", "lamp-1", r#"{"kind":"bin"}"#), at(MONDAY + 9 * DAY));
    assert_eq!(fleet.things[&ThingKey(1)].meta.common.kind, Kind::Bin);
    give(&mut fleet, lamp_says(MONDAY + 9 * DAY, 10.0), at(MONDAY + 9 * DAY));
    assert!(gone(&give(&mut fleet, Input::Ticked, at(MONDAY + 9 * DAY))));
    assert_eq!(fleet.watch.rhythms.usual(SeriesKey(1), at(MONDAY + 9 * DAY).wall), None);
}

#[test]
fn how_full_a_car_park_usually_is_is_known_from_its_free_spaces() {
    let text = "above_usual(level) > 50";
    let rules = vec![rule("crowded", Some(Kind::Parking), so(text, 0.0, Terms::default()), Priority::Warning)];
    let mut fleet = malta(rules, Restored::default(), MONDAY);
    give(&mut fleet, up(), at(MONDAY));
    give(&mut fleet, meta("parking", "p1", r#"{"name":"P1","capacity":200}"#), at(MONDAY));
    for s in (MONDAY..MONDAY + 22 * DAY).step_by(1_200) {
        // Half full, always.
        give(&mut fleet, says("parking", "p1", s, r#"{"free":100}"#), at(s));
    }
    let odd = MONDAY + 22 * DAY;
    let effects = give(&mut fleet, says("parking", "p1", odd, r#"{"free":40}"#), at(odd));
    assert_eq!(sentence(&effects).as_deref(), Some("level 60 % above its usual Tuesday 00:00, more than 50 %"));
}
