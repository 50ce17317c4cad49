//! Things of a convention: known before the link counts as up, commanded once, never settled by what they said before.

use fleetlens_wire::convention::Setting;

use super::*;

const DESCRIPTION: &str = r#"{"homie":"5.0","version":1,"name":"Garden","nodes":{"pump":{"properties":{
    "on":{"datatype":"boolean","settable":true},"rate":{"datatype":"integer","format":"0:100","settable":true}}}}}"#;

pub(super) fn city() -> Fleet {
    let conventions = vec![Setting::Homie { domain: "homie".into() }];
    let config = FleetConfig { conventions, things_max: 10, ..config(Role::Operator) };
    Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0))
}

fn retained(topic: &str, payload: &str) -> Input {
    Input::Link(LinkEvent::Received(Received { retained: true, ..message(topic, payload) }))
}

pub(super) fn announce(fleet: &mut Fleet, thing: &str, now: Now) {
    for (topic, payload) in
        [("$description", DESCRIPTION), ("pump/on", "false"), ("pump/rate", "40"), ("$state", "ready")]
    {
        give(fleet, retained(&format!("homie/5/{thing}/{topic}"), payload), now);
    }
}

fn connecting() -> Input {
    Input::Link(LinkEvent::Connecting { reason: None })
}

fn known(fleet: &Fleet, name: &str) -> Thing {
    fleet.things[&fleet.by_name[name]].clone()
}

fn wish(fleet: &mut Fleet, wishes: &[(&str, &str)], now: Now) -> (CommandId, Effects) {
    let thing = fleet.by_name["garden"];
    let wish = |(pointer, value): &(&str, &str)| Wish {
        pointer: (*pointer).into(),
        value_json: (*value).into(),
        seen_json: None,
    };
    let wishes = wishes.iter().map(wish).collect();
    let intent = Intent::Command { thing, shadow: String::new(), wishes, expires_in_ms: None };
    let effects = give(fleet, Input::Asked { window: WindowId(1), request: RequestId(1), intent }, now);
    (CommandId(fleet.last_command), effects)
}

fn phase(fleet: &Fleet, id: CommandId) -> Phase {
    fleet.commands[&id].phase.clone()
}

#[test]
fn what_the_broker_replays_before_the_link_counts_as_up_is_not_forgotten() {
    let mut fleet = city();
    give(&mut fleet, connecting(), at(1));
    announce(&mut fleet, "garden", at(1));
    give(&mut fleet, up(), at(2));
    let garden = known(&fleet, "garden");
    assert_eq!((garden.silence.freshness(), garden.meta.common.controls.len()), (Freshness::Live, 2));
    let (id, effects) = wish(&mut fleet, &[("/pump/on", "true")], at(3));
    assert_eq!(published(&effects).len(), 1, "it can be commanded at once");
    assert_eq!(phase(&fleet, id), Phase::Sent);
    for s in 4..200 {
        give(&mut fleet, Input::Ticked, at(s));
    }
    assert_eq!(known(&fleet, "garden").silence.freshness(), Freshness::Live, "nobody called it gone");

    give(&mut fleet, down(), at(200));
    give(&mut fleet, connecting(), at(200));
    give(&mut fleet, up(), at(201));
    assert!(matches!(known(&fleet, "garden").silence.freshness(), Freshness::Unknown { .. }), "nobody knows yet");
}

#[test]
fn only_what_is_said_after_it_was_sent_settles_a_command() {
    let mut fleet = city();
    give(&mut fleet, connecting(), at(1));
    give(&mut fleet, up(), at(1));
    announce(&mut fleet, "garden", at(2));
    let (id, _) = wish(&mut fleet, &[("/pump/on", "false")], at(3));
    give(&mut fleet, telemetry("homie/5/garden/pump/rate", "41"), at(4));
    assert_eq!(phase(&fleet, id), Phase::Sent, "it was off before, which says nothing");
    give(&mut fleet, retained("homie/5/garden/pump/on", "false"), at(5));
    assert_eq!(phase(&fleet, id), Phase::Sent, "a replay of this connection is from before");
    give(&mut fleet, down(), at(6));
    give(&mut fleet, connecting(), at(7));
    announce(&mut fleet, "garden", at(7));
    assert_eq!(phase(&fleet, id), Phase::Settled, "what is retained now was said since, or is so still");

    give(&mut fleet, up(), at(8));
    let (id, _) = wish(&mut fleet, &[("/pump/on", "true")], at(9));
    give(&mut fleet, telemetry("homie/5/garden/pump/on", "true"), at(9));
    assert_eq!(phase(&fleet, id), Phase::Settled);
}

#[test]
fn what_did_not_leave_waits_and_is_not_hurried() {
    let mut fleet = city();
    give(&mut fleet, connecting(), at(1));
    give(&mut fleet, up(), at(1));
    announce(&mut fleet, "garden", at(2));
    let (id, effects) = wish(&mut fleet, &[("/pump/on", "true"), ("/pump/rate", "50")], at(3));
    assert_eq!(published(&effects).len(), 2);
    give(&mut fleet, Input::NotSent(id), at(3));
    assert_eq!(phase(&fleet, id), Phase::Pending);
    assert_eq!(fleet.commands[&id].steps.len(), 1, "the timeline does not say that it was sent");
    assert!(published(&give(&mut fleet, Input::Ticked, at(4))).is_empty());
    let again = give(&mut fleet, Input::Ticked, at(13));
    assert_eq!((published(&again).len(), phase(&fleet, id)), (2, Phase::Sent), "after a pause, all of it");
}

#[test]
fn an_announcement_takes_over_nothing_that_others_speak_of() {
    let mut fleet = city();
    give(&mut fleet, connecting(), at(1));
    give(&mut fleet, up(), at(1));
    give(&mut fleet, lamp_says(2, 60.0), at(2));
    announce(&mut fleet, "lamp-1", at(3));
    let lamp = known(&fleet, "lamp-1");
    assert!(lamp.meta.common.convention.is_empty() && lamp.meta.common.controls.is_empty());
    let refused = fleet.counters.refused;
    assert!(fleet.refusals[0].reason.contains("known here from elsewhere"), "{:?}", fleet.refusals[0]);
    announce(&mut fleet, "garden", at(4));
    give(&mut fleet, retained("homie/5/garden/$state", "lost"), at(5));
    assert_eq!(fleet.counters.refused, refused, "of its own it speaks as it likes");
}

/// What it is told to subscribe to.
fn listens(effects: &Effects) -> Vec<&str> {
    let filters = effects.outward.iter().filter_map(|o| if let Outward::Subscribe(all) = o { Some(all) } else { None });
    filters.flatten().map(String::as_str).collect()
}

#[test]
fn a_list_that_is_refused_for_one_thing_does_not_silence_those_that_are_known() {
    let conventions = vec![Setting::Zigbee2Mqtt { base: "z".into() }];
    let config = FleetConfig { conventions, things_max: 2, ..config(Role::Operator) };
    let city = |things| Fleet::new(config.clone(), Restored { things, ..Restored::default() }, at(0));
    let list = |names: &[&str]| {
        let device = |name: &&str| {
            let expose = r#"{"type":"numeric","name":"power","property":"power","access":1}"#;
            format!(
                r#"{{"ieee_address":"0x{name}","type":"Router","supported":true,"interview_completed":true,
                    "friendly_name":"{name}","definition":{{"exposes":[{expose}]}}}}"#
            )
        };
        let devices: Vec<String> = names.iter().map(device).collect();
        retained("z/bridge/devices", &format!("[{}]", devices.join(",")))
    };
    let mut fleet = city(Vec::new());
    let new = give(&mut fleet, list(&["a/1", "a/2", "a/3"]), at(2));
    assert!(fleet.refusals[0].reason.contains("limit of 2 things"), "{:?}", fleet.refusals);
    assert_eq!((listens(&new), fleet.things.len()), (Vec::new(), 0), "of things that are not taken nothing is heard");

    let mut fleet = city(Vec::new());
    give(&mut fleet, list(&["a/1", "a/2"]), at(3));
    let mut fleet = city(fleet.things.values().map(|it| (it.key, it.name.clone(), it.meta.clone())).collect());
    assert_eq!(fleet.things.len(), 2, "after a restart");
    let grown = give(&mut fleet, list(&["a/1", "a/2", "a/3"]), at(4));
    assert!(listens(&grown).contains(&"z/a/1") && listens(&grown).contains(&"z/a/2"), "{:?}", listens(&grown));
    assert_eq!(fleet.things.len(), 2, "the third is not taken");
    give(&mut fleet, up(), at(5));
    give(&mut fleet, telemetry("z/a/1", r#"{"power":4}"#), at(6));
    assert!(fleet.series_at(&known(&fleet, "a/1"), "/power").is_some());
}
