use std::collections::BTreeMap;

use fleetlens_model::alarm::detected::Detected;
use fleetlens_model::record::Placed;

use super::*;

/// Over 70 bar for two minutes is dangerous, three readings at or below lead back.
const PUMP: &str = include_str!("../../../../../tests/fixtures/detectors/pump.json");

/// It says something at least each minute, whatever.
const HEARTBEAT: &str = r#"{
  "initialStateName": "Alive",
  "states": [
    {
      "stateName": "Alive",
      "onEnter": { "events": [{ "eventName": "wind", "actions": [{ "setTimer": { "timerName": "beat", "seconds": 60 } }] }] },
      "onInput": {
        "events": [{ "eventName": "beat", "condition": "!timeout('beat')", "actions": [{ "resetTimer": { "timerName": "beat" } }] }],
        "transitionEvents": [{ "eventName": "lost", "condition": "timeout('beat')", "nextState": "Lost" }]
      }
    },
    { "stateName": "Lost", "onInput": { "transitionEvents": [{ "eventName": "back", "condition": "true", "nextState": "Alive" }] } }
  ]
}"#;

fn machine(id: &str, document: &str, state: &str) -> Rule {
    let detected = Detected::read(document, &[state.to_owned()]).unwrap();
    rule(id, Some(Kind::Other), Condition::Detected(Box::new(detected)), Priority::Critical)
}

fn pumps() -> Fleet {
    let mut fleet = fleet_with(vec![machine("pressure", PUMP, "Dangerous")]);
    give(&mut fleet, up(), at(0));
    fleet
}

fn bar(thing: &str, s: u64, bar: f64) -> Input {
    says("pump", thing, s, &format!(r#"{{"pressure_bar":{bar}}}"#))
}

/// The last row of each thing and rule that was written.
#[derive(Default)]
struct Disk(BTreeMap<(ThingKey, String), Placed>);

impl Disk {
    fn take(&mut self, effects: &Effects) -> usize {
        let mut written = 0;
        for write in &effects.writes {
            if let Write::Position(placed) = write {
                // As it is on the disk.
                let read = serde_json::from_str(&serde_json::to_string(placed).unwrap()).unwrap();
                self.0.insert((placed.thing, placed.rule.clone()), read);
                written += 1;
            }
            if let Write::PositionGone { thing, rule } = write {
                self.0.remove(&(*thing, rule.clone()));
            }
        }
        written
    }

    fn restored(&self, fleet: &Fleet, listened_s: u64) -> Restored {
        Restored {
            things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
            series: vec![(SeriesKey(1), ThingKey(1), "/pressure_bar".into())],
            positions: self.0.values().cloned().collect(),
            alarms: fleet.alarms.of(AlarmScope::Open).cloned().collect(),
            link_seen_ms: Some(at(listened_s).wall),
            ..Restored::default()
        }
    }
}

#[test]
fn a_state_machine_raises_and_clears_by_words_and_by_timers_two_things_apart() {
    let mut fleet = pumps();
    give(&mut fleet, bar("p1", 10, 80.0), at(10));
    give(&mut fleet, bar("p2", 50, 60.0), at(50));
    give(&mut fleet, bar("p2", 60, 75.0), at(60));
    give(&mut fleet, bar("p2", 100, 65.0), at(100));
    give(&mut fleet, bar("p2", 110, 90.0), at(110));
    assert!(raised_by_ticks(&mut fleet, 111..130).is_empty());
    let effects = give(&mut fleet, Input::Ticked, at(130));
    let [alarm] = kept(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(
        (alarm.thing, alarm.sentence.as_str(), alarm.what_to_do.as_str()),
        (ThingKey(1), "Dangerous: pressure_bar 80, breaches 3", "go there")
    );
    assert!(raised_by_ticks(&mut fleet, 131..230).is_empty());
    assert_eq!(raised_by_ticks(&mut fleet, 230..231), [("p2".to_string(), "pressure".to_string())]);
    for (s, value, still) in
        [(240, 60.0, true), (250, 75.0, true), (260, 60.0, true), (270, 60.0, true), (280, 60.0, false)]
    {
        give(&mut fleet, bar("p1", s, value), at(s));
        assert_eq!(alarms(&fleet), [("p1", "pressure", still), ("p2", "pressure", true)], "{s}");
    }
}

#[test]
fn it_hears_only_messages_with_its_values_and_nothing_that_is_replayed() {
    let mut fleet = pumps();
    give(&mut fleet, bar("p1", 10, 80.0), at(10));
    raised_by_ticks(&mut fleet, 11..140);
    // Three readings lead back; another message, the same one again, and one that the broker kept are none.
    for s in [140, 150] {
        give(&mut fleet, bar("p1", s, 60.0), at(s));
        give(&mut fleet, bar("p1", s, 60.0), at(s));
        give(&mut fleet, says("pump", "p1", s, r#"{"rpm":900}"#), at(s));
        let payload = format!(r#"{{"ts":{},"values":{{"pressure_bar":60}}}}"#, at(s + 1).wall.0);
        let retained = Received { retained: true, ..message("city/v/pump/p1/telemetry", &payload) };
        give(&mut fleet, Input::Link(LinkEvent::Received(retained)), at(s));
        assert_eq!(alarms(&fleet), [("p1", "pressure", true)], "{s}");
    }
    give(&mut fleet, bar("p1", 160, 60.0), at(160));
    assert_eq!(alarms(&fleet), [("p1", "pressure", false)]);
}

#[test]
fn a_restart_in_the_middle_of_a_timer_goes_on_where_it_was() {
    let (mut fleet, mut disk) = (pumps(), Disk::default());
    assert_eq!(disk.take(&give(&mut fleet, bar("p1", 10, 60.0), at(10))), 1);
    assert_eq!(disk.take(&give(&mut fleet, bar("p1", 20, 61.0), at(20))), 0, "what changes nothing is not written");
    disk.take(&give(&mut fleet, bar("p1", 30, 80.0), at(30)));
    // The link was last seen up 50 s into the timer, and the program comes back much later.
    let config = FleetConfig { rules: vec![machine("pressure", PUMP, "Dangerous")], ..config(Role::Operator) };
    let mut again = Fleet::new(config, disk.restored(&fleet, 80), at(9_000));
    give(&mut again, up(), at(9_000));
    assert!(raised_by_ticks(&mut again, 9_001..9_300).is_empty(), "nobody has said anything since");
    give(&mut again, bar("p1", 9_300, 80.0), at(9_300));
    assert!(raised_by_ticks(&mut again, 9_301..9_370).is_empty());
    assert_eq!(raised_by_ticks(&mut again, 9_370..9_371).len(), 1, "50 s of 120 had passed");
}

#[test]
fn a_second_restart_before_the_next_word_lets_no_timer_run_twice() {
    let (mut fleet, mut disk) = (pumps(), Disk::default());
    disk.take(&give(&mut fleet, bar("p1", 30, 80.0), at(30)));
    let config = FleetConfig { rules: vec![machine("pressure", PUMP, "Dangerous")], ..config(Role::Operator) };
    // 50 s of 120 had passed; then a minute up without a word of the pump, and a rule is saved.
    let mut second = Fleet::new(config.clone(), disk.restored(&fleet, 80), at(9_000));
    give(&mut second, up(), at(9_000));
    for s in 9_001..9_060 {
        disk.take(&give(&mut second, Input::Ticked, at(s)));
    }
    let mut third = Fleet::new(config, disk.restored(&second, 9_060), at(9_100));
    give(&mut third, up(), at(9_100));
    give(&mut third, bar("p1", 9_200, 80.0), at(9_200));
    assert!(raised_by_ticks(&mut third, 9_201..9_270).is_empty());
    assert_eq!(raised_by_ticks(&mut third, 9_270..9_271).len(), 1);
}

#[test]
fn a_timer_of_a_rule_that_is_not_for_the_thing_any_more_raises_nothing() {
    let (mut fleet, mut disk) = (pumps(), Disk::default());
    disk.take(&give(&mut fleet, bar("p1", 30, 80.0), at(30)));
    disk.take(&give(&mut fleet, meta("pump", "p1", r#"{"kind":"lamp"}"#), at(40)));
    assert!(raised_by_ticks(&mut fleet, 41..400).is_empty());
    // Back before the cache has heard that it left: what is written is where it is.
    disk.take(&give(&mut fleet, meta("pump", "p1", r#"{"kind":"other"}"#), at(400)));
    disk.take(&give(&mut fleet, bar("p1", 401, 80.0), at(401)));
    disk.take(&give(&mut fleet, meta("pump", "p1", r#"{"kind":"lamp"}"#), at(401)));
    disk.take(&give(&mut fleet, meta("pump", "p1", r#"{"kind":"other"}"#), at(401)));
    disk.take(&give(&mut fleet, bar("p1", 402, 80.0), at(402)));
    disk.take(&give(&mut fleet, Input::Ticked, at(403)));
    assert_eq!(disk.0.len(), 1);
}

#[test]
fn an_alarm_and_its_state_are_after_a_restart_what_they_were() {
    let (mut fleet, mut disk) = (pumps(), Disk::default());
    disk.take(&give(&mut fleet, bar("p1", 10, 80.0), at(10)));
    for s in 11..140 {
        disk.take(&give(&mut fleet, Input::Ticked, at(s)));
    }
    disk.take(&give(&mut fleet, bar("p1", 140, 60.0), at(140)));
    assert_eq!(alarms(&fleet), [("p1", "pressure", true)]);
    let config = FleetConfig { rules: vec![machine("pressure", PUMP, "Dangerous")], ..config(Role::Operator) };
    let mut again = Fleet::new(config, disk.restored(&fleet, 150), at(900));
    give(&mut again, up(), at(900));
    for (s, still) in [(910, true), (920, false)] {
        give(&mut again, bar("p1", s, 60.0), at(s));
        assert_eq!(alarms(&again), [("p1", "pressure", still)], "the third reading leads back");
    }
}

#[test]
fn while_we_do_not_listen_timers_stand_still_and_nothing_is_raised() {
    let (mut fleet, mut disk) = (pumps(), Disk::default());
    disk.take(&give(&mut fleet, bar("p1", 10, 80.0), at(10)));
    disk.take(&give(&mut fleet, down(), at(70)));
    assert_eq!(disk.0.values().map(|placed| placed.running_ms).collect::<Vec<_>>(), [None]);
    assert!(raised_by_ticks(&mut fleet, 71..1_000).is_empty());
    give(&mut fleet, up(), at(1_000));
    assert!(raised_by_ticks(&mut fleet, 1_001..1_500).is_empty());
    disk.take(&give(&mut fleet, bar("p1", 1_500, 80.0), at(1_500)));
    assert_eq!(disk.0.values().map(|placed| placed.running_ms).collect::<Vec<_>>(), [Some(at(1_500).wall)]);
    assert!(raised_by_ticks(&mut fleet, 1_501..1_560).is_empty());
    assert_eq!(raised_by_ticks(&mut fleet, 1_560..1_561).len(), 1, "60 s of 120 had passed");
}

/// Our link begins to come up.
fn connecting() -> Input {
    Input::Link(LinkEvent::Connecting { reason: None })
}

#[test]
fn words_that_queued_for_our_session_are_heard_in_their_order_and_told_once_the_link_is_up() {
    let (mut fleet, mut disk) = (pumps(), Disk::default());
    give(&mut fleet, bar("p1", 10, 80.0), at(10));
    assert_eq!(raised_by_ticks(&mut fleet, 11..140).len(), 1);
    give(&mut fleet, down(), at(140));
    give(&mut fleet, connecting(), at(900));
    // What the broker kept of all is no word, also now; two readings of three have come when this connection ends.
    let payload = format!(r#"{{"ts":{},"values":{{"pressure_bar":60}}}}"#, at(899).wall.0);
    let retained = Received { retained: true, ..message("city/v/pump/p1/telemetry", &payload) };
    give(&mut fleet, Input::Link(LinkEvent::Received(retained)), at(901));
    disk.take(&give(&mut fleet, bar("p1", 902, 60.0), at(902)));
    disk.take(&give(&mut fleet, bar("p1", 903, 61.0), at(903)));
    assert_eq!(disk.0.len(), 1, "with the batch that is acknowledged");
    give(&mut fleet, down(), at(904));
    give(&mut fleet, connecting(), at(910));
    give(&mut fleet, bar("p1", 911, 62.0), at(911));
    give(&mut fleet, Input::Ticked, at(912));
    assert_eq!(alarms(&fleet), [("p1", "pressure", true)], "nothing clears without a link");
    give(&mut fleet, up(), at(913));
    give(&mut fleet, Input::Ticked, at(914));
    assert_eq!(alarms(&fleet), [("p1", "pressure", false)]);
}

#[test]
fn what_is_timed_goes_on_after_early_words_when_the_link_is_up_and_comes_and_goes_unseen() {
    let mut fleet = fleet_with(vec![machine("pressure", PUMP, "Dangerous")]);
    give(&mut fleet, connecting(), at(0));
    give(&mut fleet, bar("p1", 1, 80.0), at(1));
    // Back before we were up.
    [80.0, 60.0, 60.0, 60.0]
        .into_iter()
        .zip(2..)
        .for_each(|(value, s)| drop(give(&mut fleet, bar("p2", s, value), at(s))));
    assert!(raised_by_ticks(&mut fleet, 6..300).is_empty());
    give(&mut fleet, up(), at(300));
    assert!(raised_by_ticks(&mut fleet, 301..421).is_empty(), "two minutes of listening");
    assert_eq!(raised_by_ticks(&mut fleet, 421..422), [("p1".to_string(), "pressure".to_string())]);
    assert!(raised_by_ticks(&mut fleet, 422..900).is_empty());
    assert_eq!(alarms(&fleet), [("p1", "pressure", true)]);
}

#[test]
fn one_that_looks_at_no_value_hears_every_message_and_people_have_its_alarm_as_any_other() {
    let mut fleet = fleet_with(vec![machine("quiet", HEARTBEAT, "Lost")]);
    give(&mut fleet, up(), at(0));
    (0..5).for_each(|n| drop(give(&mut fleet, says("pump", "p1", n * 50, r#"{"rpm":1}"#), at(n * 50))));
    assert!(raised_by_ticks(&mut fleet, 201..260).is_empty());
    assert_eq!(raised_by_ticks(&mut fleet, 260..261).len(), 1);
    let alarm = fleet.alarms.get(AlarmId(1)).unwrap().clone();
    assert_eq!(alarm.sentence, "Lost");
    fleet.acknowledge(&[(alarm.id, alarm.raised_ms())], "", at(270), &mut Effects::default()).unwrap();
    give(&mut fleet, says("pump", "p1", 280, r#"{"rpm":1}"#), at(280));
    assert_eq!((alarms(&fleet), fleet.alarms.of(AlarmScope::Ended).count()), (vec![], 1));
}

#[test]
fn without_its_rule_nobody_knows_a_state_any_more() {
    let (mut fleet, mut disk) = (pumps(), Disk::default());
    disk.take(&give(&mut fleet, bar("p1", 10, 80.0), at(10)));
    raised_by_ticks(&mut fleet, 11..140);
    let mut without =
        Fleet::new(FleetConfig { rules: Vec::new(), ..config(Role::Operator) }, disk.restored(&fleet, 80), at(900));
    disk.take(&give(&mut without, Input::Ticked, at(901)));
    assert!(disk.0.is_empty());
    give(&mut without, up(), at(902));
    assert!(without.alarms.of(AlarmScope::Open).all(|alarm| !alarm.is_active()), "nobody would say that it is over");

    // It is a lamp from now on, and the rule is about others.
    disk.take(&give(&mut fleet, bar("p1", 140, 81.0), at(140)));
    give(&mut fleet, meta("pump", "p1", r#"{"kind":"lamp"}"#), at(141));
    give(&mut fleet, bar("p1", 142, 80.0), at(142));
    disk.take(&give(&mut fleet, Input::Ticked, at(143)));
    assert!(disk.0.is_empty() && alarms(&fleet).iter().all(|(_, _, active)| !active), "{:?}", alarms(&fleet));
}
