use super::*;

#[test]
fn after_a_connect_shadows_are_asked_for_at_the_profiles_pace() {
    let mut fleet = Fleet::new(
        FleetConfig { things_max: 500, gets_per_s: 40, ..config(Role::Operator) },
        Restored::default(),
        at(0),
    );
    give(&mut fleet, up(), at(0));
    for i in 0..200 {
        give(&mut fleet, telemetry(&format!("city/v/lamp/lamp-{i}/meta"), r#"{"name":"x"}"#), at(0));
    }
    let mut asked = 0;
    for quarter in 0..=8 {
        let now = Now { mono: MonoMs(at(0).mono.0 + quarter * 250), ..at(0) };
        asked += published(&give(&mut fleet, Input::Ticked, now)).len();
    }
    assert_eq!(asked, 80, "two seconds at forty a second");
}

#[test]
fn a_deleted_shadow_is_gone_and_an_older_document_does_not_bring_it_back() {
    let (mut fleet, mut service) = with_lamp();
    let late = service.report(serde_json::json!({"reported":{"dim_pct":99}}), at(2));
    let topic = ShadowTopic::new("lamp-1", None, ShadowTopicKind::Accepted(Op::Delete)).to_string();
    give(&mut fleet, telemetry(&topic, r#"{"version":2,"timestamp":1700000003}"#), at(3));
    give(&mut fleet, late, at(3));
    assert_eq!(fleet.things[&ThingKey(1)].shadows[""].document, None);
    let again = service.report(serde_json::json!({"reported":{"dim_pct":98}}), at(4));
    give(&mut fleet, again, at(4));
    assert_eq!(fleet.things[&ThingKey(1)].shadows[""].document.as_ref().unwrap().version, 3);
}

#[test]
fn a_service_that_began_anew_is_believed_and_a_command_still_arrives() {
    let (mut fleet, mut service) = with_lamp();
    for s in 2..20 {
        let report = service.report(serde_json::json!({"reported":{"dim_pct":s}}), at(s));
        give(&mut fleet, report, at(s));
    }
    service.document = Document::default();
    let mut effects = Effects::default();
    let report = service.report(serde_json::json!({"reported":{"dim_pct":55}}), at(30));
    fleet.handle(report, at(30), &mut effects);
    converse(&mut fleet, &mut service, effects, at(30));
    let known = fleet.things[&ThingKey(1)].shadows[""].document.as_ref().unwrap();
    assert_eq!((known.version, &known.open().reported.as_ref().unwrap()["dim_pct"]), (1, &serde_json::json!(55)));
    let wish = Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json: None };
    let intent = Intent::Command { thing: ThingKey(1), shadow: String::new(), wishes: vec![wish], expires_in_ms: None };
    let effects = give(&mut fleet, Input::Asked { window: WindowId(1), request: RequestId(1), intent }, at(31));
    converse(&mut fleet, &mut service, effects, at(31));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 2 });
}

#[test]
fn a_thing_first_met_through_its_shadow_learns_what_its_topic_says() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(
        &mut fleet,
        telemetry("$aws/things/lamp-1/shadow/get/accepted", r#"{"state":{},"version":1,"timestamp":1}"#),
        at(1),
    );
    assert_eq!(fleet.things[&ThingKey(1)].meta.common.kind, Kind::Other);
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    assert_eq!(
        (fleet.things[&ThingKey(1)].meta.common.kind, fleet.things[&ThingKey(1)].meta.area.as_str()),
        (Kind::Lamp, "v")
    );
}

#[test]
fn a_shadow_that_does_not_answer_is_asked_again() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    let mut asked = Vec::new();
    for s in 0..25 {
        if !published(&give(&mut fleet, Input::Ticked, at(s))).is_empty() {
            asked.push(s);
        }
    }
    assert_eq!(asked, [1, 11, 21]);
}

#[test]
fn only_the_answer_to_our_newest_question_tells_what_became_of_a_request() {
    for (whose, counts) in [("newest", true), ("nobody's", true), ("earlier", false), ("somebody else's", false)] {
        let (mut fleet, mut service) = with_lamp();
        let effects = give(&mut fleet, Input::Ticked, at(2));
        assert!(published(&effects).is_empty(), "{effects:?}");
        // It is sent and arrives; the answer is lost, and it expires: now it is to be taken back.
        let sent = give(&mut fleet, dim_to("40", Some(5_000)), at(2));
        let before = service.document.clone();
        assert!(!service.answer(&sent, at(2)).is_empty());
        let looks = give(&mut fleet, Input::Ticked, at(8));
        let ask: serde_json::Value = serde_json::from_slice(&published(&looks)[0].payload).unwrap();
        let newest = ask["clientToken"].as_str().unwrap();
        let (prefix, number) = newest.rsplit_once('g').unwrap();
        let number: u64 = number.parse().unwrap();
        let token = match whose {
            "newest" => Some(newest.to_owned()),
            "earlier" => Some(format!("{prefix}g{}", number - 1)),
            "somebody else's" => Some("fl-9-g1".to_owned()),
            _ => None,
        };
        let old = service::encode_got(&before, at(8).wall.as_s(), token.as_deref());
        let topic = ShadowTopic::new("lamp-1", None, ShadowTopicKind::Accepted(Op::Get)).to_string();
        give(&mut fleet, telemetry(&topic, &String::from_utf8(old).unwrap()), at(8));
        let is_over = phase(&fleet) == Phase::Expired { withdrawal: Withdrawal::Done };
        assert_eq!(is_over, counts, "{whose}: {:?}", phase(&fleet));
    }
}
