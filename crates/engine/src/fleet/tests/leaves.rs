use fleetlens_model::shadow::Section;
use serde_json::json;

use super::*;

/// What is late: shadow, pointer, wanted, reported, seconds since.
fn late(fleet: &Fleet, s: u64) -> Vec<(String, String, String, Option<String>, u64)> {
    let told = |late: &LateLeaf| {
        let (_, leaf) = fleet.late_leaf(late).unwrap();
        let reported = leaf.reported.as_deref().map(str::to_owned);
        let since_s = at(s).wall.since(leaf.since_ms) / 1000;
        (late.shadow.to_string(), late.pointer.to_string(), leaf.wanted.to_string(), reported, since_s)
    };
    let told: Vec<_> = fleet.leaves().late().map(told).collect();
    assert_eq!(told.len(), fleet.leaves().late_count());
    told
}

fn pointers(fleet: &Fleet, s: u64) -> Vec<String> {
    late(fleet, s).into_iter().map(|(_, pointer, ..)| pointer).collect()
}

/// The service says that the lamp's shadow has changed so, and a second passes.
fn change(fleet: &mut Fleet, service: &mut Service, state: serde_json::Value, s: u64) {
    let report = service.report(state, at(s));
    give(fleet, report, at(s));
    give(fleet, Input::Ticked, at(s + 1));
}

#[test]
fn a_leaf_is_late_after_its_time_and_no_longer_when_it_is_so_or_nobody_wants_it() {
    let (mut fleet, mut service) = with_lamp();
    change(&mut fleet, &mut service, json!({"desired":{"dim_pct":40}}), 10);
    give(&mut fleet, Input::Ticked, at(309));
    assert_eq!(late(&fleet, 309), [], "the rule's five minutes are not over");
    fleet.take_dirty();
    give(&mut fleet, Input::Ticked, at(310));
    assert!(fleet.take_dirty().not_converged);
    let leaf = ("".to_string(), "/dim_pct".to_string(), "40".to_string(), Some("100".to_string()), 300);
    assert_eq!(late(&fleet, 310), [leaf]);

    change(&mut fleet, &mut service, json!({"reported":{"dim_pct":70}}), 320);
    assert_eq!(late(&fleet, 320)[0].4, 310, "another wrong value is no new beginning");
    assert!(fleet.take_dirty().not_converged);
    change(&mut fleet, &mut service, json!({"reported":{"firmware":"3"}}), 330);
    assert_eq!(pointers(&fleet, 330), ["/dim_pct"]);
    change(&mut fleet, &mut service, json!({"reported":{"dim_pct":40.3}}), 340);
    assert_eq!(late(&fleet, 340), [], "within the tolerance of a command");

    change(&mut fleet, &mut service, json!({"desired":{"x":1}}), 400);
    give(&mut fleet, Input::Ticked, at(700));
    assert_eq!(pointers(&fleet, 700), ["/x"]);
    change(&mut fleet, &mut service, json!({"desired":{"x":null}}), 701);
    assert_eq!(late(&fleet, 701), []);
}

#[test]
fn another_wish_has_its_own_time_and_a_thing_that_leaves_what_it_did_does_so_from_then_on() {
    let (mut fleet, mut service) = with_lamp();
    change(&mut fleet, &mut service, json!({"desired":{"dim_pct":40}}), 10);
    change(&mut fleet, &mut service, json!({"desired":{"dim_pct":60}}), 200);
    give(&mut fleet, Input::Ticked, at(499));
    assert_eq!(late(&fleet, 499), []);
    give(&mut fleet, Input::Ticked, at(500));
    assert_eq!(pointers(&fleet, 500), ["/dim_pct"]);
    change(&mut fleet, &mut service, json!({"reported":{"dim_pct":60}}), 510);
    change(&mut fleet, &mut service, json!({"reported":{"dim_pct":100}}), 10_000);
    assert_eq!(late(&fleet, 10_001), [], "wanted for hours, and so until a moment ago");
    give(&mut fleet, Input::Ticked, at(10_300));
    assert_eq!(late(&fleet, 10_300)[0].4, 300);
}

#[test]
fn losing_our_link_makes_nothing_late_and_nothing_so() {
    let (mut fleet, mut service) = with_lamp();
    change(&mut fleet, &mut service, json!({"desired":{"on":false}}), 10);
    change(&mut fleet, &mut service, json!({"desired":{"dim_pct":40}}), 200);
    give(&mut fleet, Input::Ticked, at(310));
    assert_eq!(pointers(&fleet, 310), ["/on"]);
    give(&mut fleet, down(), at(320));
    for s in [321, 1_000, 2_000] {
        give(&mut fleet, Input::Ticked, at(s));
        assert_eq!(pointers(&fleet, s), ["/on"]);
    }
    let lamp = &fleet.things[&ThingKey(1)];
    assert_eq!(fleet.unconfirmed_since(lamp, ""), Some(at(320).wall));
    give(&mut fleet, up(), at(2_001));
    give(&mut fleet, Input::Ticked, at(2_002));
    assert_eq!(pointers(&fleet, 2_002), ["/on"], "being back is not knowing");
    let effects = give(&mut fleet, Input::Opened(ThingKey(1)), at(2_015));
    converse(&mut fleet, &mut service, effects, at(2_015));
    give(&mut fleet, Input::Ticked, at(2_016));
    assert_eq!(pointers(&fleet, 2_016), ["/on", "/dim_pct"], "the oldest first");
    assert_eq!(fleet.unconfirmed_since(&fleet.things[&ThingKey(1)], ""), None);
}

#[test]
fn what_was_late_when_we_last_listened_is_late_after_a_restart_without_a_broker() {
    let (mut fleet, mut service) = with_lamp();
    change(&mut fleet, &mut service, json!({"desired":{"on":false}}), 10);
    change(&mut fleet, &mut service, json!({"desired":{"dim_pct":40}}), 200);
    let mut texts = Texts::default();
    let document = Packed::of(&service.document, &mut texts);
    let restored = Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        shadows: vec![(ThingKey(1), "".into(), document, at(201).wall)],
        link_seen_ms: Some(at(350).wall),
        texts,
        ..Restored::default()
    };
    let mut again = Fleet::new(config(Role::Operator), restored, at(90_000));
    assert_eq!(late(&again, 90_000), [], "nothing of the cache is opened at the start");
    give(&mut again, Input::Ticked, at(90_001));
    assert_eq!(pointers(&again, 90_001), ["/on"], "the dimming had waited only 150 s when we last listened");
    give(&mut again, up(), at(90_010));
    let effects = give(&mut again, Input::Opened(ThingKey(1)), at(90_010));
    service.report(json!({"reported":{"on":false}}), at(90_010));
    converse(&mut again, &mut service, effects, at(90_010));
    give(&mut again, Input::Ticked, at(90_011));
    assert_eq!(pointers(&again, 90_011), ["/dim_pct"]);
}

#[test]
fn the_profile_says_for_how_long_else_the_rule_else_ten_minutes() {
    let rules =
        |after_ms| vec![rule("stubborn", Some(Kind::Lamp), Condition::NotConverged { after_ms }, Priority::Warning)];
    for (profiles, rules, want_s) in [
        (None, Vec::new(), 600),
        (None, rules(30_000), 30),
        (None, Rule::usual(), 300),
        (Some(120_000), rules(30_000), 120),
    ] {
        let config = FleetConfig { not_converged_after_ms: profiles, rules, ..config(Role::Operator) };
        let mut fleet = Fleet::new(config, Restored::default(), at(0));
        let mut service = Service { document: Document::default() };
        give(&mut fleet, up(), at(1));
        give(&mut fleet, lamp_is_there(), at(1));
        change(&mut fleet, &mut service, json!({"desired":{"dim_pct":40}}), 10);
        give(&mut fleet, Input::Ticked, at(10 + want_s - 1));
        assert_eq!(late(&fleet, 10), []);
        give(&mut fleet, Input::Ticked, at(10 + want_s));
        assert_eq!(pointers(&fleet, 10), ["/dim_pct"], "{want_s} s");
    }
}

#[test]
fn a_shadow_made_to_want_a_thousand_things_costs_as_much_as_one_command() {
    let (mut fleet, mut service) = with_lamp();
    let many: serde_json::Map<String, serde_json::Value> = (0..500).map(|n| (format!("k{n:03}"), json!(n))).collect();
    let wants = Request { desired: Section::Merge(many), ..Request::default() };
    service.document = service.document.update(&wants, at(10).wall.as_s()).unwrap();
    change(&mut fleet, &mut service, json!({"desired":{"k000":0}}), 11);
    give(&mut fleet, Input::Ticked, at(400));
    assert_eq!(late(&fleet, 400).len(), 32);
}

#[test]
fn a_named_shadow_is_looked_at_too() {
    let (mut fleet, _) = with_lamp();
    let wants =
        decode_request(Op::Update, br#"{"state":{"desired":{"ssid":"city"},"reported":{"ssid":"old"}}}"#).unwrap();
    let document = Document::default().update(&wants, at(10).wall.as_s()).unwrap();
    let documents = service::encode_documents(&Document::default(), &document, None);
    let topic = ShadowTopic::new("lamp-1", Some("network".into()), ShadowTopicKind::Documents).to_string();
    give(&mut fleet, telemetry(&topic, &String::from_utf8(documents).unwrap()), at(10));
    give(&mut fleet, Input::Ticked, at(310));
    let leaf = ("network".to_string(), "/ssid".to_string(), "\"city\"".to_string(), Some("\"old\"".to_string()), 300);
    assert_eq!(late(&fleet, 310), [leaf]);
}
