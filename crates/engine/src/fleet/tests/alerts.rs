use super::*;
use crate::port::AlertPlace;

/// Bins that burn at 60 °C, and lamps that are only warm.
fn fires() -> Fleet {
    let mut fleet = fleet_with(vec![
        rule("burning", Some(Kind::Bin), over("/temp_c", 60.0, 0.0, 0), Priority::Critical),
        rule("warm", Some(Kind::Lamp), over("/temp_c", 60.0, 0.0, 0), Priority::Warning),
    ]);
    give(&mut fleet, up(), at(0));
    fleet
}

fn burns(bin: u64, s: u64, temp_c: i32) -> Input {
    says("bin", &format!("b{bin}"), s, &format!(r#"{{"temp_c":{temp_c}}}"#))
}

/// What is told by a tick.
fn told(fleet: &mut Fleet, s: u64) -> Vec<Alert> {
    let effects = give(fleet, Input::Ticked, at(s));
    effects.outward.into_iter().filter_map(|o| if let Outward::Alert(alert) = o { Some(alert) } else { None }).collect()
}

#[test]
fn a_critical_alarm_is_told_once_and_a_warning_is_not() {
    let mut fleet = fires();
    give(&mut fleet, says("lamp", "l1", 1, r#"{"temp_c":70}"#), at(1));
    give(&mut fleet, burns(1, 1, 71), at(1));
    let [alert] = &told(&mut fleet, 2)[..] else { panic!() };
    assert_eq!(
        (alert.title.as_str(), alert.body.as_str()),
        ("b1 burning", "temperature 71.0 °C, 60 °C or more · go there")
    );
    assert_eq!(fleet.alarms.get(alert.alarm).map(|alarm| alarm.thing), Some(alert.thing));
    give(&mut fleet, burns(1, 3, 75), at(3));
    assert_eq!(told(&mut fleet, 4), []);
    // Raised again: told again. Over before anybody could be told: not told.
    give(&mut fleet, burns(1, 5, 20), at(5));
    give(&mut fleet, burns(1, 6, 80), at(6));
    assert_eq!(told(&mut fleet, 7).len(), 1);
    give(&mut fleet, burns(2, 8, 80), at(8));
    give(&mut fleet, burns(2, 8, 20), at(8));
    assert_eq!(told(&mut fleet, 9), []);
    // Raised twice before anybody could be told: told once.
    [80, 20, 80].into_iter().for_each(|temp_c| drop(give(&mut fleet, burns(2, 10, temp_c), at(10))));
    assert_eq!(told(&mut fleet, 11).len(), 1);
}

#[test]
fn a_flood_is_told_as_one() {
    let mut fleet = fires();
    (1..=3).for_each(|bin| drop(give(&mut fleet, burns(bin, 1, 70), at(1))));
    assert_eq!(told(&mut fleet, 2).len(), 3, "a few are told one by one");
    (4..=15).for_each(|bin| drop(give(&mut fleet, burns(bin, 3, 70), at(3))));
    let [alert] = &told(&mut fleet, 4)[..] else { panic!() };
    assert_eq!(
        (alert.title.as_str(), alert.body.as_str()),
        ("12 critical alarms", "b4 burning, b5 burning, b6 burning and 9 more")
    );
    let mut later = Vec::new();
    for s in 5..=30 {
        if s <= 12 {
            give(&mut fleet, burns(100 + s, s, 70), at(s));
        }
        later.extend(told(&mut fleet, s).into_iter().map(|alert| (s, alert.title)));
    }
    assert_eq!(later, [(14, "8 critical alarms".to_string())], "and what follows after a while, again as one");
}

#[test]
fn what_is_told_says_where_it_is_and_a_flood_where_the_first_of_it_are() {
    let mut fleet = fires();
    // Each stands on a meridian of its own.
    let burns_at = |bin: u32| says("bin", &format!("b{bin}"), 1, &format!(r#"{{"temp_c":70,"lat":35.5,"lon":{bin}}}"#));
    give(&mut fleet, burns(900, 1, 70), at(1));
    give(&mut fleet, burns_at(1), at(1));
    let alerts = told(&mut fleet, 2);
    let places: Vec<_> = alerts.iter().map(|alert| &alert.places[..]).collect();
    let want = AlertPlace { at: LonLat { lon_deg: 1.0, lat_deg: 35.5 }, priority: Priority::Critical };
    assert_eq!(places, [&[][..], &[want]], "nobody knows where the first is");
    (2..=100).for_each(|bin| drop(give(&mut fleet, burns_at(bin), at(3))));
    let [flood] = &told(&mut fleet, 4)[..] else { panic!() };
    assert_eq!((flood.title.as_str(), flood.places.len()), ("99 critical alarms", ALERT_PLACES_MAX));
    assert_eq!(flood.places.first().map(|place| place.at.lon_deg), Some(2.0));
}

#[test]
fn what_was_there_at_the_start_is_not_told() {
    let mut fleet = fires();
    give(&mut fleet, burns(1, 1, 70), at(1));
    let alarms = fleet.alarms.of(AlarmScope::Open).cloned().collect();
    let restored = Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        alarms,
        last_alarm: 1,
        ..Restored::default()
    };
    let config = FleetConfig { rules: fleet.config.rules.clone(), ..config(Role::Operator) };
    let mut again = Fleet::new(config, restored, at(100));
    give(&mut again, up(), at(101));
    give(&mut again, burns(1, 102, 70), at(102));
    assert_eq!(told(&mut again, 103), []);
    assert_eq!(again.alarms.counts().critical, 1);
}
