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
