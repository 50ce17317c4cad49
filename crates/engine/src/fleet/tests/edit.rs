//! A command that waits is changed.

use fleetlens_ipc::FaultCode;
use fleetlens_model::audit::{By, Event};

use super::*;

fn edit(values: &[(&str, &str)], expires_in_ms: Option<u64>) -> Input {
    let values = values.iter().map(|(pointer, json)| ((*pointer).into(), (*json).into())).collect();
    let intent = Intent::EditCommand { command: CommandId(1), values, expires_in_ms };
    Input::Asked { window: WindowId(1), request: RequestId(3), intent }
}

fn outcome(effects: &Effects) -> Result<Done, Fault> {
    let answer = |outward: &Outward| {
        if let Outward::Answer { outcome, .. } = outward { Some(outcome.clone()) } else { None }
    };
    effects.outward.iter().rev().find_map(answer).unwrap()
}

#[test]
fn what_waits_for_the_link_is_changed_and_goes_out_as_it_is_then() {
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, down(), at(2));
    give(&mut fleet, dim_to("40", Some(60_000)), at(3));
    let effects = give(&mut fleet, edit(&[("/dim_pct", "60")], Some(600_000)), at(4));
    assert_eq!(outcome(&effects), Ok(Done::Edited(CommandId(1))));
    let told = audit::entries(&effects);
    assert_eq!((told[0].event, told[0].detail.as_str()), (Event::Edited, "/dim_pct = 60; expires in 600 s"));
    assert!(matches!(&told[0].by, By::Person(who) if who.name == "M. Vella"), "{told:?}");
    let kept = effects.writes.iter().any(|write| matches!(write, Write::Command(row) if row.wants[0].value == 60));
    assert!(kept, "{effects:?}");
    // Its first end passes.
    give(&mut fleet, Input::Ticked, at(70));
    let effects = give(&mut fleet, up(), at(80));
    converse(&mut fleet, &mut service, effects, at(80));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 2 });
    assert_eq!(service.document.desired.as_ref().unwrap()["dim_pct"], 60);
    assert_eq!(fleet.commands.len(), 1, "it is the same command");
}

#[test]
fn a_nearer_end_holds_as_well() {
    let (mut fleet, _) = with_lamp();
    give(&mut fleet, down(), at(2));
    give(&mut fleet, dim_to("40", Some(600_000)), at(3));
    give(&mut fleet, edit(&[], Some(5_000)), at(4));
    give(&mut fleet, Input::Ticked, at(10));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::NotNeeded });
}

#[test]
fn what_cannot_be_changed_so_is_refused_with_a_sentence_and_stays_as_it_was() {
    let (mut fleet, _) = with_lamp();
    give(&mut fleet, down(), at(2));
    give(&mut fleet, dim_to("40", Some(60_000)), at(3));
    let before = fleet.commands[&CommandId(1)].clone();
    for (values, code, says) in [
        (vec![("/dim_pct", "140")], FaultCode::Invalid, "outside 0–100 %"),
        (vec![("/on", "true")], FaultCode::Invalid, "does not set /on"),
        (vec![("/dim_pct", "{")], FaultCode::Invalid, "not JSON"),
        (vec![], FaultCode::Invalid, "nothing is to be changed"),
    ] {
        let fault = outcome(&give(&mut fleet, edit(&values, None), at(4))).unwrap_err();
        assert!(fault.code == code && fault.message.contains(says), "{values:?}: {fault:?}");
        assert_eq!(fleet.commands[&CommandId(1)], before, "{values:?}");
    }
    let effects = give(&mut fleet, up(), at(5));
    assert!(!published(&effects).is_empty());
    let mut service = Service { document: Document::default() };
    let document = service.report(serde_json::json!({"desired":{"dim_pct":100},"reported":{"dim_pct":100}}), at(1));
    give(&mut fleet, document, at(5));
    converse(&mut fleet, &mut service, effects, at(5));
    let fault = outcome(&give(&mut fleet, edit(&[("/dim_pct", "60")], None), at(6))).unwrap_err();
    assert_eq!(fault.code, FaultCode::TooLate, "{fault:?}");

    for role in [Role::Viewer, Role::Driver] {
        let mut fleet = Fleet::new(config(role), Restored::default(), at(0));
        let fault = outcome(&give(&mut fleet, edit(&[("/dim_pct", "60")], None), at(1))).unwrap_err();
        assert_eq!(fault.code, FaultCode::Forbidden);
    }
}

#[test]
fn accepted_and_never_obeyed_is_another_word_than_expired() {
    for (accepted, want) in [(true, Event::NeverObeyed), (false, Event::Expired)] {
        let (mut fleet, mut service) = with_lamp();
        let effects = give(&mut fleet, dim_to("40", Some(60_000)), at(2));
        if accepted {
            converse(&mut fleet, &mut service, effects, at(2));
        }
        let told = audit::entries(&give(&mut fleet, Input::Ticked, at(63)));
        assert_eq!(told.iter().map(|entry| entry.event).collect::<Vec<_>>(), [want]);
        assert_eq!(fleet.commands[&CommandId(1)].is_never_obeyed(), accepted);
    }
}

#[test]
fn a_value_that_would_set_other_leaves_is_refused_and_nothing_is_changed() {
    let (mut fleet, _) = with_lamp();
    give(&mut fleet, down(), at(2));
    give(&mut fleet, dim_to("40", None), at(3));
    let before = fleet.commands[&CommandId(1)].clone();
    let effects = give(&mut fleet, edit(&[("/dim_pct", r#"{"a":1}"#)], None), at(4));
    assert!(outcome(&effects).is_err(), "{effects:?}");
    assert_eq!(fleet.commands[&CommandId(1)], before);
}
