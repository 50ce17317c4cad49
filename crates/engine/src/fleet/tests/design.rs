//! Alarms that mean nothing by design while something else is so.

use super::*;
use fleetlens_model::alarm::fence::{Area, Fence, Shape};
use fleetlens_model::alarm::state::Standing;

/// A charger with a critical fault, but for the time in which it is being repaired.
fn fault(unless: &str) -> Rule {
    let unless = Some(Expression::read(unless).unwrap());
    Rule { unless, ..rule("fault", None, so("state = 'fault'", 0.0, Terms::default()), Priority::Critical) }
}

fn with(rules: Vec<Rule>) -> FleetConfig {
    let shape = Shape::Circle { middle: LonLat { lon_deg: 14.5, lat_deg: 35.9 }, radius_m: 500.0 };
    let depot = Area { name: "depot".into(), fence: Fence::new(shape, 100.0).unwrap() };
    FleetConfig { rules, areas: vec![depot], ..config(Role::Operator) }
}

fn chargers(rules: Vec<Rule>) -> Fleet {
    let mut fleet = Fleet::new(with(rules), Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("charger", "c1", r#"{"interval_s":60}"#), at(0));
    fleet
}

fn charger(ts_s: u64, state: &str, mode: &str) -> Input {
    says("charger", "c1", ts_s, &format!(r#"{{"state":"{state}","mode":"{mode}"}}"#))
}

/// How its alarm stands, if there is one, and how many are open and off the list.
fn stands(fleet: &Fleet) -> (Option<Standing>, u32, u32) {
    let counts = fleet.alarms.counts();
    let standing = fleet.alarms.get(AlarmId(1)).map(|alarm| alarm.state.standing());
    (standing, counts.open, counts.hidden)
}

/// What a tick tells outside the windows.
fn alerts(fleet: &mut Fleet, s: u64) -> usize {
    let effects = give(fleet, Input::Ticked, at(s));
    effects.outward.iter().filter(|outward| matches!(outward, Outward::Alert(_))).count()
}

#[test]
fn what_is_suppressed_by_design_is_off_the_list_and_comes_back_by_itself() {
    let mut fleet = chargers(vec![fault("mode = 'maintenance'")]);
    give(&mut fleet, charger(1, "fault", "maintenance"), at(1));
    assert_eq!(stands(&fleet), (Some(Standing::Suppressed), 0, 1));
    let alarm = fleet.alarms.get(AlarmId(1)).unwrap().clone();
    assert_eq!((alarm.state.suppressed.as_deref(), alarm.is_active()), (Some("mode maintenance"), true));
    assert_eq!((alerts(&mut fleet, 2), fleet.things[&ThingKey(1)].alarmed), (0, None), "nobody is told");
    assert!(kept(&give(&mut fleet, charger(3, "fault", "maintenance"), at(3))).is_empty(), "nothing new");

    let effects = give(&mut fleet, charger(4, "fault", "auto"), at(4));
    assert_eq!(kept(&effects).len(), 1, "it is on the disk");
    assert_eq!((stands(&fleet), alerts(&mut fleet, 5)), ((Some(Standing::Active), 1, 0), 1));

    // Told, and then suppressed again: what people know of stays theirs to acknowledge.
    give(&mut fleet, charger(6, "fault", "maintenance"), at(6));
    assert_eq!(stands(&fleet), (Some(Standing::Suppressed), 0, 1));
    give(&mut fleet, charger(7, "available", "maintenance"), at(7));
    assert_eq!(stands(&fleet), (Some(Standing::Suppressed), 0, 1));
    give(&mut fleet, charger(8, "available", "auto"), at(8));
    assert_eq!((stands(&fleet), alerts(&mut fleet, 9)), ((Some(Standing::Returned), 1, 0), 0));
}

#[test]
fn what_came_and_went_in_the_meantime_wants_nothing_of_anybody() {
    let mut fleet = chargers(vec![fault("mode = 'maintenance'")]);
    give(&mut fleet, charger(1, "fault", "maintenance"), at(1));
    // Both in one message.
    give(&mut fleet, charger(2, "available", "auto"), at(2));
    assert_eq!((stands(&fleet), alerts(&mut fleet, 3)), ((Some(Standing::Normal), 0, 0), 0));
    assert_eq!(fleet.alarms.of(AlarmScope::Ended).count(), 1, "and it is in the history");
    assert!(fleet.watch.pending(ThingKey(1), 0).is_none(), "nothing is kept of it");
    give(&mut fleet, charger(4, "available", "maintenance"), at(4));
    assert!(fleet.watch.pending(ThingKey(1), 0).is_none());
}

#[test]
fn what_nobody_has_said_suppresses_nothing_and_ends_nothing() {
    let mut fleet = chargers(vec![fault("mode = 'maintenance'")]);
    give(&mut fleet, says("charger", "c1", 1, r#"{"state":"fault"}"#), at(1));
    assert_eq!(stands(&fleet), (Some(Standing::Active), 1, 0));
    let mut fleet = chargers(vec![fault("mode = 'maintenance'")]);
    give(&mut fleet, charger(1, "fault", "maintenance"), at(1));
    let alarm = fleet.alarms.get(AlarmId(1)).unwrap().clone();
    let restored = |alarm: &Alarm| Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        series: fleet.series.iter().map(|(key, series)| (key, series.thing, series.pointer.clone())).collect(),
        latest: fleet.series.iter().filter_map(|(key, series)| series.sample(key)).collect(),
        alarms: vec![alarm.clone()],
        last_alarm: 1,
        ..Restored::default()
    };
    let mut again = Fleet::new(with(fleet.config.rules.clone()), restored(&alarm), at(100));
    give(&mut again, up(), at(101));
    assert_eq!(stands(&again), (Some(Standing::Suppressed), 0, 1), "as it was");
    give(&mut again, says("charger", "c1", 102, r#"{"state":"fault"}"#), at(102));
    assert_eq!(stands(&again), (Some(Standing::Suppressed), 0, 1), "as it was: it says nothing of its mode");
    give(&mut again, charger(103, "fault", "auto"), at(103));
    assert_eq!(stands(&again), (Some(Standing::Active), 1, 0));

    // The rule does not say so any more.
    let plain = Rule { unless: None, ..fault("true") };
    let mut plain = Fleet::new(with(vec![plain]), restored(&alarm), at(100));
    give(&mut plain, up(), at(101));
    assert_eq!(stands(&plain).2, 0);
    give(&mut plain, charger(102, "fault", "maintenance"), at(102));
    assert_eq!((stands(&plain), alerts(&mut plain, 103)), ((Some(Standing::Active), 1, 0), 1));
}

#[test]
fn a_delay_runs_on_and_silence_can_be_by_design_too() {
    let silent = rule("silent", None, Condition::Silent, Priority::Critical);
    let unless = Some(Expression::read("mode = 'maintenance'").unwrap());
    let mut fleet = chargers(vec![Rule { unless: unless.clone(), ..silent }]);
    give(&mut fleet, charger(1, "available", "maintenance"), at(1));
    raised_by_ticks(&mut fleet, 2..400);
    assert_eq!(stands(&fleet), (Some(Standing::Suppressed), 0, 1));
    give(&mut fleet, charger(400, "available", "maintenance"), at(400));
    give(&mut fleet, charger(401, "available", "auto"), at(401));
    assert_eq!(stands(&fleet), (Some(Standing::Normal), 0, 0));

    let late = so("state = 'fault'", 0.0, Terms { on_delay_ms: 10_000, ..Terms::default() });
    let mut fleet = chargers(vec![Rule { unless, ..rule("fault", None, late, Priority::Critical) }]);
    give(&mut fleet, charger(1, "fault", "auto"), at(1));
    give(&mut fleet, charger(5, "fault", "maintenance"), at(5));
    raised_by_ticks(&mut fleet, 6..15);
    assert_eq!(stands(&fleet), (Some(Standing::Suppressed), 0, 1), "its delay was over meanwhile");
}

#[test]
fn in_the_depot_a_fault_is_nobodys_alarm_and_at_its_edge_all_stays_as_it_was() {
    let mut fleet = chargers(vec![fault("inside('depot')")]);
    let mut is_at = |s: u64, north_m: f64| {
        let lat = 35.9 + north_m / 111_195.0;
        let input = says("vehicle", "c1", s, &format!(r#"{{"lat":{lat},"lon":14.5,"state":"fault"}}"#));
        give(&mut fleet, input, at(s));
        stands(&fleet).0
    };
    let (active, suppressed) = (Some(Standing::Active), Some(Standing::Suppressed));
    for (s, north_m, want) in
        [(1, 900.0, active), (2, 550.0, active), (3, 490.0, suppressed), (4, 550.0, suppressed), (5, 610.0, active)]
    {
        assert_eq!(is_at(s, north_m), want, "{north_m}");
    }
}
