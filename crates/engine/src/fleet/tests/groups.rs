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

/// Rules for a crew of one place, and for the bins of one street, in a city with that crew.
fn crew(rules: Vec<Rule>) -> Fleet {
    let crew = Group { name: "Crew".into(), areas: vec!["Marsa".into()], ..Group::default() };
    let config = FleetConfig { rules, groups: vec![crew], ..config(Role::Operator) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(0));
    fleet
}

fn of_crew(rule: Rule) -> Rule {
    Rule { things: Things { group: "Crew".into(), ..rule.things }, ..rule }
}

fn bin_in(area: &str, street: &str) -> Input {
    meta("bin", "b1", &format!(r#"{{"name":"Bin 1","interval_s":60,"area":"{area}","street":"{street}"}}"#))
}

fn full(ts_s: u64) -> Input {
    says("bin", "b1", ts_s, r#"{"fill_pct":96}"#)
}

#[test]
fn a_rule_for_a_group_or_a_search_speaks_of_a_thing_as_long_as_that_is_described_so() {
    let street = Things { kind: Some(Kind::Bin), search: "triq MORO".into(), ..Things::default() };
    let over = |limit| over("/fill_pct", limit, 0.0, 0);
    let mut fleet = crew(vec![
        of_crew(rule("crew-full", Some(Kind::Bin), over(90.0), Priority::Warning)),
        Rule { things: street, ..rule("street-full", None, over(80.0), Priority::Critical) },
    ]);
    give(&mut fleet, bin_in("Sliema", "Triq il-Kbira"), at(1));
    give(&mut fleet, full(2), at(2));
    assert_eq!(alarms(&fleet), [], "neither rule is for it");
    give(&mut fleet, bin_in("Marsa", "Triq Aldo Moro"), at(3));
    give(&mut fleet, full(4), at(4));
    assert_eq!(alarms(&fleet), [("b1", "crew-full", true), ("b1", "street-full", true)]);

    let effects = give(&mut fleet, bin_in("Hamrun", "Triq Aldo Moro"), at(5));
    let [over] = kept(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((over.rule.as_str(), over.is_active(), over.seen().is_none()), ("crew-full", false, true));
    assert_eq!(alarms(&fleet), [("b1", "crew-full", false), ("b1", "street-full", true)], "nobody has seen it yet");
    give(&mut fleet, full(6), at(6));
    assert_eq!(alarms(&fleet), [("b1", "crew-full", false), ("b1", "street-full", true)]);
    give(&mut fleet, bin_in("Marsa", "Triq il-Kbira"), at(7));
    give(&mut fleet, full(8), at(8));
    assert_eq!(alarms(&fleet), [("b1", "crew-full", true), ("b1", "street-full", false)], "the same alarm once more");
}

#[test]
fn what_runs_towards_an_alarm_of_a_group_ends_with_being_in_it() {
    let delayed = over("/fill_pct", 90.0, 0.0, 60_000);
    let mut fleet = crew(vec![of_crew(rule("crew-full", None, delayed, Priority::Warning))]);
    give(&mut fleet, bin_in("Marsa", ""), at(1));
    give(&mut fleet, full(2), at(2));
    give(&mut fleet, bin_in("Sliema", ""), at(3));
    assert!(raised_by_ticks(&mut fleet, 4..120).is_empty());
}

#[test]
fn the_silence_of_a_thing_is_told_of_by_the_rule_that_names_it_most_closely() {
    let silent = |id: &str| rule(id, None, Condition::Silent, Priority::Warning);
    let mut fleet = crew(vec![silent("silent"), of_crew(silent("crew-silent"))]);
    give(&mut fleet, bin_in("Marsa", ""), at(1));
    give(&mut fleet, full(2), at(2));
    raised_by_ticks(&mut fleet, 3..400);
    assert_eq!(alarms(&fleet), [("b1", "crew-silent", true)]);
    give(&mut fleet, bin_in("Sliema", ""), at(400));
    give(&mut fleet, Input::Ticked, at(401));
    assert_eq!(alarms(&fleet), [("b1", "crew-silent", false), ("b1", "silent", true)]);
    give(&mut fleet, full(402), at(402));
    assert_eq!(alarms(&fleet), [("b1", "crew-silent", false), ("b1", "silent", false)]);
}

#[test]
fn a_failed_command_is_told_of_again_by_the_rule_that_takes_the_place_of_another() {
    let failed = |id: &str| rule(id, None, Condition::CommandFailed, Priority::Warning);
    let mut fleet = crew(vec![failed("failed"), of_crew(failed("crew-failed"))]);
    let lamp = |area: &str| meta("lamp", "lamp-1", &format!(r#"{{"interval_s":600,"area":"{area}"}}"#));
    give(&mut fleet, lamp("Marsa"), at(1));
    let mut service = Service { document: Document::default() };
    let report = service.report(serde_json::json!({"desired":{"dim_pct":100},"reported":{"dim_pct":100}}), at(1));
    give(&mut fleet, report, at(1));
    let effects = give(&mut fleet, Input::Opened(ThingKey(1)), at(1));
    converse(&mut fleet, &mut service, effects, at(1));
    give(&mut fleet, dim_to("40", None), at(2));
    let no = refused(&fleet, 1, 400);
    give(&mut fleet, no, at(3));
    give(&mut fleet, Input::Ticked, at(4));
    assert_eq!(alarms(&fleet), [("lamp-1", "crew-failed", true)]);
    give(&mut fleet, lamp("Sliema"), at(5));
    raised_by_ticks(&mut fleet, 6..8);
    assert_eq!(alarms(&fleet), [("lamp-1", "crew-failed", false), ("lamp-1", "failed", true)]);
}

#[test]
fn what_is_left_to_somebody_is_also_what_is_in_a_group_within_theirs() {
    let inner = Group { name: "Marsa crew".into(), areas: vec!["V".into()], ..Group::default() };
    let outer = Group { name: "Crew".into(), groups: vec!["Marsa crew".into()], ..Group::default() };
    let config =
        FleetConfig { groups: vec![outer, inner], scope: Some(vec!["Crew".into()]), ..config(Role::Technician) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    let effects = give(&mut fleet, dim_to("40", None), at(1));
    assert!(matches!(outcome(&effects), Ok(Done::Command(_))), "{effects:?}");
}
