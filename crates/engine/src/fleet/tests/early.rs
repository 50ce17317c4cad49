//! What a broker says before our link counts as up.

use super::*;

fn hot() -> Vec<Rule> {
    vec![rule("hot", None, over("temp_c", 60.0, 0.0, 0), Priority::Warning)]
}

fn connecting() -> Input {
    Input::Link(LinkEvent::Connecting { reason: None })
}

fn lamp_has(thing: &str, ts_s: u64, temp_c: u32) -> Input {
    let Input::Link(LinkEvent::Received(message)) = says("lamp", thing, ts_s, &format!(r#"{{"temp_c":{temp_c}}}"#))
    else {
        panic!("it is a message")
    };
    Input::Link(LinkEvent::Received(Received { retained: true, ..message }))
}

#[test]
fn what_is_said_before_the_link_counts_as_up_is_judged_when_it_does() {
    let mut fleet = fleet_with(hot());
    give(&mut fleet, connecting(), at(0));
    give(&mut fleet, lamp_has("l1", 1, 70), at(1));
    give(&mut fleet, lamp_has("l2", 1, 20), at(1));
    give(&mut fleet, Input::Ticked, at(2));
    assert_eq!(alarms(&fleet), [], "we do not listen yet");
    give(&mut fleet, up(), at(3));
    give(&mut fleet, Input::Ticked, at(4));
    assert_eq!(alarms(&fleet), [("l1", "hot", true)]);

    // What stands returns by it, and nothing else does.
    give(&mut fleet, says("lamp", "l2", 5, r#"{"temp_c":70}"#), at(5));
    give(&mut fleet, down(), at(10));
    give(&mut fleet, connecting(), at(20));
    give(&mut fleet, lamp_has("l2", 21, 20), at(21));
    assert_eq!(alarms(&fleet), [("l1", "hot", true), ("l2", "hot", true)], "nothing clears without a link");
    give(&mut fleet, up(), at(22));
    raised_none_and_ticked(&mut fleet, 23..30);
    assert_eq!(alarms(&fleet), [("l1", "hot", true), ("l2", "hot", false)]);
}

/// Lets some seconds pass in which nothing is raised.
fn raised_none_and_ticked(fleet: &mut Fleet, seconds: std::ops::Range<u64>) {
    for s in seconds {
        let effects = give(fleet, Input::Ticked, at(s));
        assert!(kept(&effects).iter().all(|alarm| !alarm.is_active()), "{effects:?}");
    }
}

#[test]
fn what_came_through_a_connection_that_never_came_up_is_old() {
    let mut fleet = fleet_with(hot());
    give(&mut fleet, connecting(), at(0));
    give(&mut fleet, lamp_has("l1", 1, 70), at(1));
    give(&mut fleet, down(), at(2));
    give(&mut fleet, connecting(), at(3_000));
    give(&mut fleet, up(), at(3_001));
    raised_none_and_ticked(&mut fleet, 3_002..3_010);
    assert_eq!(alarms(&fleet), []);
    // An older value that is replayed is none either, and a missing one is not counted by looking.
    let alert = Terms { no_data: Policy::Alert, ..Terms::default() };
    let mut fleet = fleet_with(vec![rule("hot", None, so("volt > 250", 0.0, alert), Priority::Warning)]);
    give(&mut fleet, connecting(), at(0));
    give(&mut fleet, says("lamp", "l1", 1, r#"{"temp_c":70}"#), at(1));
    give(&mut fleet, up(), at(2));
    raised_none_and_ticked(&mut fleet, 3..10);
    give(&mut fleet, says("lamp", "l1", 11, r#"{"temp_c":70}"#), at(11));
    assert_eq!(alarms(&fleet), []);
    give(&mut fleet, says("lamp", "l1", 12, r#"{"temp_c":70}"#), at(12));
    assert_eq!(alarms(&fleet), [("l1", "hot", true)]);
}

#[test]
fn a_value_that_comes_before_its_description_is_judged_by_the_rules_of_what_is_described() {
    let mut fleet = fleet_with(vec![rule("hot", Some(Kind::Bin), over("temp_c", 60.0, 0.0, 0), Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    let says = |s: u64, temp_c: u32| says("lamp", "b1", s, &format!(r#"{{"temp_c":{temp_c}}}"#));
    give(&mut fleet, says(1, 70), at(1));
    give(&mut fleet, meta("bin", "b1", r#"{"interval_s":600}"#), at(2));
    assert_eq!(raised_by_ticks(&mut fleet, 3..6).len(), 1);
    // What was said through the last connection is no word of it.
    give(&mut fleet, says(7, 20), at(7));
    give(&mut fleet, down(), at(9));
    give(&mut fleet, connecting(), at(9));
    give(&mut fleet, up(), at(10));
    let effects = give(&mut fleet, meta("bin", "b1", r#"{"interval_s":300}"#), at(11));
    assert!(kept(&effects).is_empty());
    raised_none_and_ticked(&mut fleet, 12..20);
    assert_eq!(alarms(&fleet), [("b1", "hot", false)]);
}
