//! What is left to the person here, and what is not.

use super::*;
use fleetlens_ipc::FaultCode;
use fleetlens_model::group::Group;

/// Lamps in one place are left to a technician; the lamp of these tests is in another one, or there.
fn left(areas: &str) -> Fleet {
    let crew = Group { name: "Crew".into(), areas: vec![areas.into()], ..Group::default() };
    let config = FleetConfig { groups: vec![crew], scope: Some(vec!["Crew".into()]), ..config(Role::Technician) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    fleet
}

fn outcome(effects: &Effects) -> &Result<Done, Fault> {
    let Some(Outward::Answer { outcome, .. }) = effects.outward.last() else { panic!("{effects:?}") };
    outcome
}

#[test]
fn what_is_not_theirs_is_refused_and_told_and_what_is_theirs_is_done() {
    let mut fleet = left("sliema");
    let effects = give(&mut fleet, dim_to("40", None), at(1));
    let Err(fault) = outcome(&effects) else { panic!("{effects:?}") };
    assert_eq!(fault.code, FaultCode::Forbidden);
    assert!(fault.message.contains("only things of Crew"), "{fault}");
    assert!(matches!(&effects.writes[..], [Write::Audit(_)]), "{effects:?}");
    assert!(published(&effects).is_empty());

    let mut fleet = left("V");
    let effects = give(&mut fleet, dim_to("40", None), at(1));
    assert!(matches!(outcome(&effects), Ok(Done::Command(_))), "{effects:?}");
}

#[test]
fn a_command_from_before_is_not_taken_back_by_whom_the_thing_is_not_left_to() {
    let mut fleet = left("v");
    give(&mut fleet, dim_to("40", None), at(1));
    fleet.config.scope = Some(vec![]);
    let cancel = Intent::CancelCommand { command: CommandId(1) };
    let effects = give(&mut fleet, Input::Asked { window: WindowId(1), request: RequestId(2), intent: cancel }, at(2));
    assert!(matches!(outcome(&effects), Err(Fault { code: FaultCode::Forbidden, .. })), "{effects:?}");
    assert!(fleet.commands[&CommandId(1)].phase.is_waiting());
    let edit = Intent::EditCommand { command: CommandId(1), values: Vec::new(), expires_in_ms: Some(60_000) };
    let effects = give(&mut fleet, Input::Asked { window: WindowId(1), request: RequestId(3), intent: edit }, at(2));
    assert!(matches!(outcome(&effects), Err(Fault { code: FaultCode::Forbidden, .. })), "{effects:?}");
}
