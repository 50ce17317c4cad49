use fleetlens_ipc::FaultCode;
use fleetlens_model::alarm::COMMENT_MAX_CHARS;

use super::*;

/// Three hot lamps, raised at 1, 2 and 3 s.
fn hot() -> Fleet {
    let mut fleet = fleet_with(vec![rule("hot", None, over("/temp_c", 60.0, 0.0, 0), Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    for s in 1..=3 {
        give(&mut fleet, temp(s, s, 70), at(s));
    }
    fleet
}

fn temp(lamp: u64, s: u64, temp_c: i32) -> Input {
    says("lamp", &format!("l{lamp}"), s, &format!(r#"{{"temp_c":{temp_c}}}"#))
}

fn acknowledge(alarms: &[(u64, u64)], comment: &str) -> Input {
    let alarms = alarms.iter().map(|(id, s)| (AlarmId(*id), at(*s).wall)).collect();
    let intent = Intent::Acknowledge { alarms, comment: comment.into() };
    Input::Asked { window: WindowId(1), request: RequestId(9), intent }
}

fn answer(effects: &Effects) -> Result<Done, Fault> {
    let [Outward::Answer { outcome, .. }] = &effects.outward[..] else { panic!("{effects:?}") };
    outcome.clone()
}

#[test]
fn an_acknowledgement_is_kept_with_who_when_and_why_in_one_transaction_also_without_a_link() {
    let mut fleet = hot();
    give(&mut fleet, down(), at(10));
    let effects = give(&mut fleet, acknowledge(&[(1, 1), (2, 2), (2, 2)], " on my\nway "), at(20));
    assert_eq!(answer(&effects), Ok(Done::Acknowledged(2)));
    for alarm in kept(&effects) {
        let seen = alarm.state.acknowledged.clone().unwrap();
        assert_eq!((seen.by.name.as_str(), seen.at_ms, seen.comment.as_str()), ("M. Vella", at(20).wall, "on my way"));
        assert!(alarm.is_active());
    }
    assert_eq!(kept(&effects).len(), 2);
    let counts = fleet.alarms.counts();
    assert_eq!((counts.open, counts.active, counts.unacknowledged, fleet.alarms.needing_count()), (3, 3, 1, 1));
    assert_eq!(fleet.things[&ThingKey(1)].alarmed, Some(Priority::Warning), "it still is so");
}

#[test]
fn it_covers_what_stood_on_the_screen_and_says_why_where_it_covers_nothing() {
    let mut fleet = hot();
    // 1 clears and is raised again at 11; 2 is seen and over; 3 is as it was.
    give(&mut fleet, temp(1, 10, 20), at(10));
    give(&mut fleet, temp(1, 11, 70), at(11));
    give(&mut fleet, temp(2, 12, 20), at(12));
    assert_eq!(answer(&give(&mut fleet, acknowledge(&[(2, 2)], ""), at(13))), Ok(Done::Acknowledged(1)));
    let long = "x".repeat(COMMENT_MAX_CHARS + 1);
    for (asked, comment, code, says) in [
        (vec![(1, 1)], "", FaultCode::TooLate, "raised again meanwhile"),
        (vec![(2, 2)], "", FaultCode::TooLate, "over already"),
        (vec![(99, 1)], "", FaultCode::NotFound, "not known here"),
        (vec![(3, 3)], long.as_str(), FaultCode::Invalid, "501 characters; at most 500"),
        (vec![], "", FaultCode::Invalid, "1 to 10000"),
    ] {
        let effects = give(&mut fleet, acknowledge(&asked, comment), at(20));
        let fault = answer(&effects).unwrap_err();
        assert_eq!(fault.code, code, "{fault}");
        assert!(fault.message.contains(says), "{fault}");
        assert!(kept(&effects).is_empty());
    }
    let effects = give(&mut fleet, acknowledge(&[(1, 1), (2, 2), (3, 3), (99, 1)], ""), at(20));
    assert_eq!(answer(&effects), Ok(Done::Acknowledged(1)), "of many those that it covers");
    let fault = answer(&give(&mut fleet, acknowledge(&[(3, 3)], ""), at(21))).unwrap_err();
    assert!(fault.message.contains("M. Vella has acknowledged it already"), "{fault}");
}

#[test]
fn who_only_watches_acknowledges_nothing() {
    for (role, may) in [(Role::Operator, true), (Role::Technician, true), (Role::Viewer, false), (Role::Driver, false)]
    {
        let mut fleet = hot();
        fleet.config.who.role = role;
        let effects = give(&mut fleet, acknowledge(&[(1, 1)], ""), at(5));
        match answer(&effects) {
            Ok(done) => assert_eq!((done, may), (Done::Acknowledged(1), true), "{role:?}"),
            Err(fault) => assert_eq!((fault.code, may), (FaultCode::Forbidden, false), "{role:?}"),
        }
    }
}

#[test]
fn of_alarms_that_are_over_the_newest_two_thousand_stay_in_memory() {
    let mut fleet = fleet_with(vec![rule("hot", None, over("/temp_c", 60.0, 0.0, 0), Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    for round in 1..=2_003 {
        let s = round * 3;
        give(&mut fleet, temp(1, s, 70), at(s));
        give(&mut fleet, acknowledge(&[(round, s)], ""), at(s + 1));
        give(&mut fleet, temp(1, s + 2, 20), at(s + 2));
    }
    let ended: Vec<u64> = fleet.alarms.of(AlarmScope::Ended).map(|alarm| alarm.id.0).collect();
    assert_eq!((ended.len(), ended.first(), ended.last()), (2_000, Some(&2_003), Some(&4)));
    assert_eq!(fleet.alarms.get(AlarmId(3)), None);
    assert_eq!(fleet.alarms.counts(), fleetlens_ipc::rows::AlarmCounts::default());
}
