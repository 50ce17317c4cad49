//! What people do with alarms beside acknowledging them.

use fleetlens_ipc::{AlarmStep, FaultCode};
use fleetlens_model::alarm::state::Standing;
use fleetlens_model::audit::Event;

use super::*;

/// One hot lamp, raised at 1 s; the alarm waits for a reset.
fn hot() -> Fleet {
    let terms = Terms { latches: true, ..Terms::default() };
    let mut fleet = fleet_with(vec![rule("hot", None, so("temp_c > 60", 0.0, terms), Priority::Critical)]);
    give(&mut fleet, up(), at(0));
    give(&mut fleet, says("lamp", "l1", 1, r#"{"temp_c":70}"#), at(1));
    fleet
}

fn steer(fleet: &mut Fleet, to: AlarmStep, s: u64) -> Effects {
    let intent = Intent::Alarms { alarms: vec![AlarmId(1)], to };
    give(fleet, Input::Asked { window: WindowId(1), request: RequestId(9), intent }, at(s))
}

fn answer(effects: &Effects) -> Result<Done, Fault> {
    let answers = effects
        .outward
        .iter()
        .filter_map(|outward| if let Outward::Answer { outcome, .. } = outward { Some(outcome.clone()) } else { None });
    let [one] = &answers.collect::<Vec<_>>()[..] else { panic!("{effects:?}") };
    one.clone()
}

fn audited(effects: &Effects) -> Vec<(Event, String)> {
    let entries = effects.writes.iter().filter_map(|write| {
        if let Write::Audit(entry) = write { Some((entry.event, entry.detail.clone())) } else { None }
    });
    entries.collect()
}

fn standing(fleet: &Fleet) -> Standing {
    fleet.alarms.get(AlarmId(1)).unwrap().state.standing()
}

fn shelve(for_ms: u64, reason: &str) -> AlarmStep {
    AlarmStep::Shelved { for_ms, reason: reason.into() }
}

#[test]
fn what_is_shelved_is_off_the_list_and_the_map_is_counted_and_comes_back_by_itself() {
    let mut fleet = hot();
    let effects = steer(&mut fleet, shelve(60_000, "being repaired"), 10);
    assert_eq!(answer(&effects), Ok(Done::Steered(1)));
    assert_eq!(audited(&effects), [(Event::AlarmShelved, "hot: for 1 min: being repaired".into())]);
    let counts = fleet.alarms.counts();
    assert_eq!((counts.open, counts.active, counts.critical, counts.hidden), (0, 0, 0, 1));
    assert_eq!((standing(&fleet), fleet.things[&ThingKey(1)].alarmed), (Standing::Shelved, None));
    assert_eq!(fleet.alarms.of(AlarmScope::Hidden).count(), 1);

    let mut told = Vec::new();
    for s in 11..=70 {
        let effects = give(&mut fleet, Input::Ticked, at(s));
        told.extend(audited(&effects).into_iter().map(|(event, _)| (s, event)));
        let alerts = effects.outward.iter().filter(|outward| matches!(outward, Outward::Alert(_)));
        told.extend(alerts.map(|_| (s, Event::Asked)));
    }
    assert_eq!(told, [(70, Event::AlarmUnshelved), (70, Event::Asked)], "and people are told that it is still so");
    let counts = fleet.alarms.counts();
    assert_eq!((counts.open, counts.active, counts.hidden, standing(&fleet)), (1, 1, 0, Standing::Active));
}

#[test]
fn what_cleared_on_the_shelf_and_waits_for_a_reset_can_be_reset_and_is_over() {
    let mut fleet = hot();
    for (to, s, says) in [
        (AlarmStep::Reset, 5, "still active"),
        (AlarmStep::PutBack, 5, "not shelved"),
        (shelve(60_000, " "), 5, "reason"),
        (shelve(8 * 86_400_000, "long"), 5, "7 days"),
        (AlarmStep::OutOfService { reason: "\n".into() }, 5, "say why"),
        (AlarmStep::Assigned { to: "x".repeat(61) }, 5, "at most 60"),
    ] {
        let before = fleet.alarms.get(AlarmId(1)).cloned();
        let fault = answer(&steer(&mut fleet, to.clone(), s)).unwrap_err();
        assert!(fault.message.contains(says), "{to:?}: {fault:?}");
        assert_eq!(fleet.alarms.get(AlarmId(1)).cloned(), before, "{to:?}");
    }
    steer(&mut fleet, AlarmStep::OutOfService { reason: "its driver is changed".into() }, 10);
    steer(&mut fleet, AlarmStep::Assigned { to: "J. Borg".into() }, 11);
    assert_eq!(fleet.alarms.get(AlarmId(1)).unwrap().assigned, "J. Borg");
    give(&mut fleet, says("lamp", "l1", 20, r#"{"temp_c":20}"#), at(20));
    assert_eq!(standing(&fleet), Standing::OutOfService);
    steer(&mut fleet, shelve(60_000, "and shelved"), 25);
    let effects = steer(&mut fleet, AlarmStep::PutBack, 30);
    assert_eq!(audited(&effects), [(Event::AlarmInService, "hot".into())]);
    assert_eq!((standing(&fleet), fleet.alarms.counts().open), (Standing::Latched, 1));
    let seen = vec![(AlarmId(1), fleet.alarms.get(AlarmId(1)).unwrap().raised_ms())];
    fleet.acknowledge(&seen, "", at(31), &mut Effects::default()).unwrap();
    assert_eq!(fleet.alarms.counts().open, 1, "acknowledging is not resetting");
    assert_eq!(answer(&steer(&mut fleet, AlarmStep::Reset, 32)), Ok(Done::Steered(1)));
    assert_eq!((fleet.alarms.counts().open, fleet.alarms.of(AlarmScope::Ended).count()), (0, 1));
    let fault = answer(&steer(&mut fleet, shelve(60_000, "late"), 33)).unwrap_err();
    assert_eq!(fault.code, FaultCode::TooLate);
}

#[test]
fn a_link_that_is_cut_under_five_thousand_alarms_raises_none_clears_none_and_writes_nothing() {
    let mut fleet = fleet_with(vec![rule("hot", None, over("/temp_c", 60.0, 0.0, 0), Priority::Critical)]);
    give(&mut fleet, up(), at(0));
    for n in 0..5_000 {
        give(&mut fleet, says("lamp", &format!("l{n}"), 1, r#"{"temp_c":70}"#), at(1));
    }
    let counts = fleet.alarms.counts();
    assert_eq!((counts.open, counts.active), (5_000, 5_000));
    let mut alarmed = 0;
    for (input, s) in [(down(), 10), (Input::Ticked, 5_000), (up(), 90_000), (Input::Ticked, 90_001)] {
        let effects = give(&mut fleet, input, at(s));
        alarmed += kept(&effects).len();
        assert_eq!(fleet.alarms.counts(), counts);
        let unknown = fleet.alarms.of(AlarmScope::Open).filter(|alarm| alarm.state.unknown_since.is_some()).count();
        assert_eq!(unknown, 5_000, "nobody knows of any whether it is still so");
    }
    assert_eq!(alarmed, 0);
    let effects = give(&mut fleet, says("lamp", "l7", 90_002, r#"{"temp_c":20}"#), at(90_002));
    assert_eq!(kept(&effects).len(), 1, "what speaks again says so of itself");
    assert_eq!(fleet.alarms.counts().active, 4_999);
}
