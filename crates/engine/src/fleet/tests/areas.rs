//! Areas that rules name, and vehicles that drive in and out of them.

use super::*;
use fleetlens_model::alarm::fence::{Area, Fence, Shape};

/// A harbour of 500 m around a place, with a margin of 100 m.
fn harbour() -> Area {
    let shape = Shape::Circle { middle: LonLat { lon_deg: 14.5, lat_deg: 35.9 }, radius_m: 500.0 };
    Area { name: "harbour".into(), fence: Fence::new(shape, 100.0).unwrap() }
}

fn with(rules: Vec<Rule>) -> FleetConfig {
    FleetConfig { rules, areas: vec![harbour()], things_max: 10, ..config(Role::Operator) }
}

/// A connected fleet with the harbour, this rule, and a vehicle.
fn city(judging: Judging) -> Fleet {
    let rules = vec![rule("there", Some(Kind::Vehicle), judging, Priority::Warning)];
    let mut fleet = Fleet::new(with(rules), Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("vehicle", "v1", r#"{"name":"Sweeper 1","interval_s":60}"#), at(0));
    fleet
}

/// A vehicle is so many metres north of the harbour's middle.
fn is_at(ts_s: u64, north_m: f64) -> Input {
    let lat = 35.9 + north_m / 111_195.0;
    says("vehicle", "v1", ts_s, &format!(r#"{{"lat":{lat},"lon":14.5,"speed_kmh":20}}"#))
}

/// What is raised and cleared, and when, while a vehicle says where it is and a tick comes each second.
fn told(fleet: &mut Fleet, drives: &[(u64, f64)], until: std::ops::Range<u64>) -> Vec<(u64, bool, String)> {
    let mut told = Vec::new();
    for s in until {
        let mut effects = Effects::default();
        for (ts, north_m) in drives.iter().filter(|(ts, _)| *ts == s) {
            fleet.handle(is_at(*ts, *north_m), at(s), &mut effects);
        }
        fleet.handle(Input::Ticked, at(s), &mut effects);
        told.extend(kept(&effects).into_iter().map(|alarm| (s, alarm.is_active(), alarm.sentence.clone())));
    }
    told
}

#[test]
fn a_vehicle_drives_in_and_out_and_has_left_only_beyond_the_margin() {
    // An edge at 500 m, a margin up to 600 m.
    let drives =
        [(1, 900.0), (11, 550.0), (21, 490.0), (31, 550.0), (41, 490.0), (51, 590.0), (61, 610.0), (71, 550.0)];
    let terms = Terms::default();
    let stays = |on_delay_ms| Terms { on_delay_ms, ..terms };
    for (name, judging, want) in [
        ("it enters", so("inside('harbour')", 0.0, terms), vec![(21, true, "in harbour"), (61, false, "in harbour")]),
        (
            "it stays",
            so("inside('harbour')", 0.0, stays(30_000)),
            vec![(51, true, "in harbour for 30 s"), (61, false, "in harbour for 30 s")],
        ),
        ("it does not stay for so long", so("inside('harbour')", 0.0, stays(60_000)), vec![]),
        (
            "it leaves",
            so("not inside('harbour')", 0.0, terms),
            vec![(1, true, "outside harbour"), (21, false, "outside harbour"), (61, true, "outside harbour")],
        ),
        (
            "it enters and is fast",
            so("inside('harbour') and speed_kmh > 10", 0.0, terms),
            vec![
                (21, true, "in harbour and speed 20 km/h, more than 10 km/h"),
                (61, false, "in harbour and speed 20 km/h, more than 10 km/h"),
            ],
        ),
    ] {
        let mut fleet = city(judging);
        let told = told(&mut fleet, &drives, 0..100);
        let told: Vec<(u64, bool, &str)> =
            told.iter().map(|(s, active, words)| (*s, *active, words.as_str())).collect();
        assert_eq!(told, want, "{name}");
    }
}

#[test]
fn of_a_vehicle_that_never_said_where_it_is_there_are_no_data() {
    let terms = Terms { no_data: Policy::Alert, ..Terms::default() };
    let mut fleet = city(so("inside('harbour')", 0.0, terms));
    let speaks = |s| says("vehicle", "v1", s, r#"{"speed_kmh":20}"#);
    assert!(kept(&give(&mut fleet, speaks(1), at(1))).is_empty(), "once alone means nothing");
    let effects = give(&mut fleet, speaks(2), at(2));
    let [alarm] = kept(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(alarm.sentence, "no data of where it is");
    // Nonsense is no place either, and then it is far away.
    assert!(kept(&give(&mut fleet, says("vehicle", "v1", 3, r#"{"lat":0,"lon":0}"#), at(3))).is_empty());
    give(&mut fleet, is_at(4, 900.0), at(4));
    assert_eq!(alarms(&fleet), [("v1", "there", false)]);
    let mut keeps = city(so("not inside('harbour')", 0.0, Terms::default()));
    give(&mut keeps, speaks(1), at(1));
    give(&mut keeps, speaks(2), at(2));
    assert_eq!(alarms(&keeps), []);
}

#[test]
fn where_a_vehicle_was_before_our_link_came_up_is_no_news_of_it() {
    let mut fleet = city(so("inside('harbour')", 0.0, Terms::default()));
    give(&mut fleet, is_at(1, 0.0), at(1));
    assert_eq!(alarms(&fleet), [("v1", "there", true)]);
    give(&mut fleet, down(), at(10));
    give(&mut fleet, up(), at(20));
    let unknown = |fleet: &Fleet| fleet.alarms.get(AlarmId(1)).unwrap().state.unknown_since;
    assert!(kept(&give(&mut fleet, says("vehicle", "v1", 21, r#"{"speed_kmh":20}"#), at(21))).is_empty());
    assert_eq!(unknown(&fleet), Some(at(10).wall), "it speaks and does not say where it is");
    give(&mut fleet, is_at(22, 550.0), at(22));
    assert_eq!(
        (alarms(&fleet), unknown(&fleet)),
        (vec![("v1", "there", true)], None),
        "in the margin, and it was inside"
    );
    give(&mut fleet, is_at(23, 610.0), at(23));
    assert_eq!(alarms(&fleet), [("v1", "there", false)]);
}

#[test]
fn after_a_start_a_vehicle_at_the_edge_is_where_its_alarm_says() {
    for (text, drives, at_the_edge, further, active) in [
        ("inside('harbour')", vec![490.0, 550.0], 560.0, 610.0, [true, false]),
        ("inside('harbour')", vec![900.0, 550.0], 560.0, 490.0, [false, true]),
        ("not inside('harbour')", vec![900.0, 550.0], 560.0, 490.0, [true, false]),
        ("not inside('harbour')", vec![490.0, 550.0], 560.0, 610.0, [false, true]),
        ("inside('harbour') and speed_kmh > 10", vec![490.0, 550.0], 560.0, 610.0, [true, false]),
    ] {
        let mut fleet = city(so(text, 0.0, Terms::default()));
        for (s, north_m) in (1..).zip(drives) {
            give(&mut fleet, is_at(s, north_m), at(s));
        }
        let restored = Restored {
            things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
            series: fleet.series.iter().map(|(key, series)| (key, series.thing, series.pointer.clone())).collect(),
            latest: fleet.series.iter().filter_map(|(key, series)| series.sample(key)).collect(),
            alarms: fleet.alarms.of(AlarmScope::Open).cloned().collect(),
            last_alarm: 1,
            link_seen_ms: Some(at(50).wall),
            ..Restored::default()
        };
        let mut again = Fleet::new(with(fleet.config.rules.clone()), restored, at(100));
        give(&mut again, up(), at(101));
        let is_active = |fleet: &Fleet| alarms(fleet).first().is_some_and(|(_, _, active)| *active);
        let mut stood = vec![];
        for (s, north_m) in [(102, at_the_edge), (103, further)] {
            give(&mut again, is_at(s, north_m), at(s));
            stood.push(is_active(&again));
        }
        assert_eq!(stood, active, "{text}");
    }
}

#[test]
fn what_stands_still_is_where_it_is_described() {
    let rules =
        vec![rule("there", Some(Kind::Lamp), so("inside('harbour')", 0.0, Terms::default()), Priority::Warning)];
    let mut fleet = Fleet::new(with(rules), Restored::default(), at(0));
    give(&mut fleet, up(), at(0));
    let lamp = |lat: f64| meta("lamp", "l1", &format!(r#"{{"interval_s":60,"lat":{lat},"lon":14.5}}"#));
    let speaks = |s| says("lamp", "l1", s, r#"{"power_w":40}"#);
    for (s, lat, want) in
        [(1, 35.92, vec![]), (10, 35.901, vec![("l1", "there", true)]), (20, 35.95, vec![("l1", "there", false)])]
    {
        give(&mut fleet, lamp(lat), at(s));
        give(&mut fleet, speaks(s + 1), at(s + 1));
        assert_eq!(alarms(&fleet), want, "{lat}");
    }
}
