use super::*;

#[test]
fn being_back_raises_nothing_from_the_cache_and_keeps_what_was_raised() {
    let (mut fleet, mut service) = with_lamp();
    let report = service.report(serde_json::json!({"desired":{"dim_pct":40}}), at(2));
    give(&mut fleet, report, at(2));
    give(&mut fleet, Input::Ticked, at(200));
    assert_eq!(alarms(&fleet), [], "not yet five minutes");
    give(&mut fleet, down(), at(201));
    give(&mut fleet, up(), at(2_000));
    give(&mut fleet, Input::Ticked, at(2_001));
    assert_eq!(alarms(&fleet), [], "nobody has said yet that it is still so");
    let effects = give(&mut fleet, Input::Opened(ThingKey(1)), at(2_015));
    converse(&mut fleet, &mut service, effects, at(2_015));
    give(&mut fleet, Input::Ticked, at(2_016));
    assert_eq!(alarms(&fleet), [("lamp-1", "not-converged", true)]);
    give(&mut fleet, down(), at(2_017));
    give(&mut fleet, up(), at(3_000));
    give(&mut fleet, Input::Ticked, at(3_001));
    assert_eq!(alarms(&fleet), [("lamp-1", "not-converged", true)], "being back clears nothing either");
}

#[test]
fn what_is_wanted_and_not_so_is_told_after_its_time_in_todays_words_and_clears_when_it_is_so() {
    let (mut fleet, mut service) = with_lamp();
    let tell = |fleet: &mut Fleet, service: &mut Service, state: serde_json::Value, s| {
        let report = service.report(state, at(s));
        give(fleet, report, at(s));
        give(fleet, Input::Ticked, at(s + 1));
    };
    let sentence = |fleet: &Fleet| fleet.alarms.of(AlarmScope::Open).next().map(|alarm| alarm.sentence.clone());
    tell(&mut fleet, &mut service, serde_json::json!({"desired":{"dim_pct":40}}), 10);
    assert!(raised_by_ticks(&mut fleet, 12..309).is_empty());
    assert_eq!(raised_by_ticks(&mut fleet, 310..312).len(), 1);
    assert_eq!(sentence(&fleet).as_deref(), Some("wanted dim_pct 40, reports 100"));
    tell(&mut fleet, &mut service, serde_json::json!({"reported":{"dim_pct":70}}), 320);
    assert_eq!(sentence(&fleet).as_deref(), Some("wanted dim_pct 40, reports 70"));
    tell(&mut fleet, &mut service, serde_json::json!({"reported":{"dim_pct":40}}), 330);
    assert_eq!(alarms(&fleet), [("lamp-1", "not-converged", false)]);
    assert_eq!(fleet.things[&ThingKey(1)].alarmed, None);
}

#[test]
fn of_a_silent_thing_nobody_says_that_it_does_not_obey() {
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, lamp_says(2, 60.0), at(2));
    let report = service.report(serde_json::json!({"desired":{"dim_pct":40}}), at(10));
    give(&mut fleet, report, at(10));
    assert_eq!(raised_by_ticks(&mut fleet, 11..1_000), [("lamp-1".to_string(), "silent".to_string())]);
    give(&mut fleet, lamp_says(1_000, 60.0), at(1_000));
    assert_eq!(raised_by_ticks(&mut fleet, 1_001..1_003).len(), 1, "it speaks, and still does not obey");
    assert_eq!(alarms(&fleet), [("lamp-1", "not-converged", true), ("lamp-1", "silent", false)]);
}

#[test]
fn a_command_that_failed_is_told_until_one_succeeds_and_a_second_failure_is_news() {
    let (mut fleet, mut service) = with_lamp();
    let fail = |fleet: &mut Fleet, id: u64, s: u64| {
        let effects = give(fleet, dim_to("40", None), at(s));
        assert_eq!(published(&effects).len(), 1);
        let no = refused(fleet, id, 400);
        give(fleet, no, at(s));
        give(fleet, Input::Ticked, at(s + 1));
    };
    fail(&mut fleet, 1, 10);
    let first = fleet.alarms.of(AlarmScope::Open).next().unwrap().clone();
    assert_eq!(
        (first.rule.as_str(), first.sentence.as_str(), first.state.times),
        ("command-failed", "command refused: no", 1)
    );
    fleet.acknowledge(&[(first.id, first.raised_ms())], "", at(12), &mut Effects::default()).unwrap();
    assert!(raised_by_ticks(&mut fleet, 13..60).is_empty(), "seen is seen");
    fail(&mut fleet, 2, 60);
    let second = fleet.alarms.of(AlarmScope::Open).next().unwrap().clone();
    assert_eq!((second.id, second.state.times, second.state.acknowledged.is_none()), (first.id, 2, true));
    let effects = give(&mut fleet, dim_to("70", None), at(70));
    converse(&mut fleet, &mut service, effects, at(70));
    let report = service.report(serde_json::json!({"reported":{"dim_pct":70}}), at(71));
    give(&mut fleet, report, at(71));
    give(&mut fleet, Input::Ticked, at(72));
    assert_eq!(alarms(&fleet), [("lamp-1", "command-failed", false)]);
}

/// A lamp whose command was accepted, never obeyed, and is to be taken back: what is sent for that, at 71 s.
fn with_an_expired_command() -> (Fleet, Service, Effects) {
    let (mut fleet, mut service) = with_lamp();
    let effects = give(&mut fleet, dim_to("40", Some(60_000)), at(10));
    converse(&mut fleet, &mut service, effects, at(10));
    let effects = give(&mut fleet, Input::Ticked, at(71));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::Needed });
    (fleet, service, effects)
}

/// Acknowledges the one open alarm, and gives it.
fn seen(fleet: &mut Fleet, s: u64) -> Alarm {
    let alarm = fleet.alarms.of(AlarmScope::Open).next().unwrap().clone();
    fleet.acknowledge(&[(alarm.id, alarm.raised_ms())], "", at(s), &mut Effects::default()).unwrap();
    fleet.alarms.get(alarm.id).unwrap().clone()
}

#[test]
fn taking_a_failed_command_back_is_no_second_failure_and_neither_is_a_clock_that_is_set_back() {
    let (mut fleet, mut service, effects) = with_an_expired_command();
    let alarm = seen(&mut fleet, 71);
    assert_eq!((alarm.sentence.as_str(), alarm.state.times), ("command accepted, never obeyed", 1));
    converse(&mut fleet, &mut service, effects, at(75));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::Done });
    assert!(raised_by_ticks(&mut fleet, 76..90).is_empty());
    for s in 90..100 {
        let an_hour_less = Now { wall: at(s).wall.plus(-3_600_000), mono: at(s).mono };
        assert_eq!(kept(&give(&mut fleet, Input::Ticked, an_hour_less)), Vec::<&Alarm>::new());
    }
    assert_eq!(fleet.alarms.get(alarm.id), Some(&alarm));
}

#[test]
fn a_clock_set_back_between_the_failure_and_the_look_raises_once() {
    let (mut fleet, _) = with_lamp();
    give(&mut fleet, Input::Ticked, at(9));
    give(&mut fleet, dim_to("40", None), at(10));
    let no = refused(&fleet, 1, 400);
    give(&mut fleet, no, at(10));
    let raised: usize = (11..20)
        .map(|s| Now { wall: at(s).wall.plus(-3_600_000), mono: at(s).mono })
        .map(|now| kept(&give(&mut fleet, Input::Ticked, now)).len())
        .sum();
    assert_eq!(raised, 1);
}

#[test]
fn what_cannot_be_taken_back_is_told_again_since_it_may_still_happen() {
    let (mut fleet, mut service, effects) = with_an_expired_command();
    let told = seen(&mut fleet, 71);
    let mut updates = Effects::default();
    service.answer(&effects, at(75)).into_iter().for_each(|input| fleet.handle(input, at(75), &mut updates));
    assert!(published(&updates)[0].topic.ends_with("/update"), "{updates:?}");
    let no = refused(&fleet, 1, 403);
    give(&mut fleet, no, at(76));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::Refused { code: 403 } });
    assert_eq!(raised_by_ticks(&mut fleet, 77..90).len(), 1);
    let alarm = seen(&mut fleet, 90);
    assert_eq!(
        (alarm.id, alarm.state.times, alarm.sentence.as_str()),
        (told.id, 2, "command could not be taken back (403); it may still happen")
    );

    // A restart tells nothing again, and neither does a day on which nothing else is asked for.
    let restored = Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        commands: fleet.commands.values().cloned().collect(),
        alarms: vec![alarm.clone()],
        last_alarm: 1,
        last_command: 1,
        ..Restored::default()
    };
    let mut again = Fleet::new(config(Role::Operator), restored, at(100));
    give(&mut again, up(), at(101));
    give(&mut again, Input::Ticked, at(102));
    give(&mut again, Input::Ticked, at(100_000));
    let kept = again.alarms.get(alarm.id).unwrap();
    assert!(kept.state.stands_like(&alarm.state) && kept.sentence == alarm.sentence, "{kept:?}");
}
