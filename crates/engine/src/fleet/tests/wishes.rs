use fleetlens_model::kind::{KindSchema, Schemas};
use fleetlens_model::shadow::Rejection;

use super::*;

const GATEWAY: &str = "city/v/gateway/gw-1/telemetry";

fn wish(pointer: &str, value: &str) -> Input {
    let wish = Wish { pointer: pointer.into(), value_json: value.into(), seen_json: None };
    let intent =
        Intent::Command { thing: ThingKey(1), shadow: String::new(), wishes: vec![wish], expires_in_ms: Some(60_000) };
    Input::Asked { window: WindowId(1), request: RequestId(9), intent }
}

fn answer(kind: ShadowTopicKind, payload: Vec<u8>) -> Input {
    telemetry(&ShadowTopic::new("gw-1", None, kind).to_string(), &String::from_utf8(payload).unwrap())
}

#[test]
fn a_thing_that_never_had_a_shadow_gets_one_by_the_first_wish() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(1));
    give(&mut fleet, telemetry(GATEWAY, r#"{"values":{"heard":3}}"#), at(1));
    let effects = give(&mut fleet, wish("/net", r#"{"apn":"city"}"#), at(2));
    let [get] = &published(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(get.topic, "$aws/things/gw-1/shadow/get", "what is there is looked at first");
    let token = decode_request(Op::Get, &get.payload).unwrap().client_token;
    let none = Rejection { code: 404, message: "No shadow exists with name: 'gw-1'".into() };
    let payload = service::encode_rejected(&none, at(2).wall.as_s(), token.as_deref());
    let effects = give(&mut fleet, answer(ShadowTopicKind::Rejected(Op::Get), payload), at(2));
    let [update] = &published(&effects)[..] else { panic!("{effects:?}") };
    let request = decode_request(Op::Update, &update.payload).unwrap();
    assert_eq!(request.version, None, "there is no version to go by yet");

    let mut service = Service { document: Document::default() };
    converse(&mut fleet, &mut service, effects, at(3));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 1 });
    assert_eq!(service.document.desired, serde_json::json!({"net":{"apn":"city"}}).as_object().cloned());
    let payload = serde_json::json!({"state":{"reported":{"net":{"apn":"city","mtu":1280}}}}).to_string();
    let next = service.document.update(&decode_request(Op::Update, payload.as_bytes()).unwrap(), 9).unwrap();
    let payload = service::encode_documents(&service.document, &next, None);
    give(&mut fleet, answer(ShadowTopicKind::Documents, payload), at(4));
    assert_eq!(
        phase(&fleet),
        Phase::Settled,
        "the leaf that was wished is reported; what else stands beside it is no matter"
    );
}

#[test]
fn what_the_profile_says_a_kind_may_hold_binds_every_command_for_the_classic_shadow() {
    let mut schemas = Schemas::default();
    let schema = r#"{"additionalProperties": false, "properties": {
        "net": {"x-expiry": 30, "properties": {"apn": {"type": "string"}, "hop_s": {"type": "number", "x-tolerance": 2}}}}}"#;
    schemas.put(Kind::Gateway, KindSchema::parse(schema).unwrap());
    let config = FleetConfig { schemas, ..config(Role::Operator) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, telemetry(GATEWAY, r#"{"values":{"heard":3}}"#), at(1));
    for (pointer, value, shadow, want) in [
        ("/net", r#"{"apn":7}"#, "", Err("“apn” takes a text, not 7")),
        ("/net/wifi/x", "1", "", Ok(())),
        ("/interval_s", "60", "", Err("“interval_s” is not known here; known: net")),
        ("/interval_s", "60", "config", Ok(())),
        ("/net", r#"{"apn":"city","hop_s":60}"#, "", Ok(())),
    ] {
        let wish = Wish { pointer: pointer.into(), value_json: value.into(), seen_json: None };
        let (thing, shadow) = (ThingKey(1), shadow.to_owned());
        let intent = Intent::Command { thing, shadow, wishes: vec![wish], expires_in_ms: None };
        let effects = give(&mut fleet, Input::Asked { window: WindowId(1), request: RequestId(9), intent }, at(2));
        let [Outward::Answer { outcome, .. }] = &effects.outward[..] else { panic!("{effects:?}") };
        match (outcome, want) {
            (Ok(Done::Command(_)), Ok(())) => {}
            (Err(fault), Err(says)) => assert!(fault.message.contains(says), "{pointer} {value}: {fault}"),
            other => panic!("{pointer} {value}: {other:?}"),
        }
    }
    let command = fleet.commands.values().last().unwrap();
    assert_eq!(command.wants.iter().map(|want| want.tolerance).collect::<Vec<_>>(), [0.0, 2.0]);
    assert_eq!(command.expires_ms, at(32).wall, "the group's own expiry");
}
