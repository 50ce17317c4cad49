//! The vectors over MQTT: a service with the documents of all cases, and an app that asks.

use std::collections::HashMap;

use fleetlens_model::shadow::Rejection;
use fleetlens_sim::shadows::Shadows;
use fleetlens_sim::{BrokerAt, ShadowService};
use fleetlens_tests::peer::Peer;
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, answer_filters};
use serde_json::Value;

use crate::case::Case;
use crate::document;

/// The name the vectors give the shadow that is not there.
const NAMED: &str = "simShadow1";

/// Asks every case, of a classic and of a named shadow, and checks every answer.
pub async fn answers_all(at: &BrokerAt, cases: &[Case]) {
    let mut shadows = Shadows::default();
    for (number, case) in cases.iter().enumerate() {
        for shadow in [None, Some(NAMED)] {
            if let Some(before) = &case.before {
                shadows.restore(&thing(number, case), shadow, before.clone());
            }
        }
    }
    let mut service = ShadowService::start(at, shadows).unwrap();
    service.ready().await;
    let filters = answer_filters("+", None).into_iter().chain(answer_filters("+", Some("+"))).collect::<Vec<_>>();
    let app = Peer::connect(&at.url, "vectors", &filters.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (number, case) in cases.iter().enumerate() {
        for shadow in [None, Some(NAMED)] {
            let answers = ask(&app, case, &thing(number, case), shadow).await;
            check(case, &answers);
        }
    }
    app.leave().await;
    let kept = service.stop().await;
    // What the service holds in the end is what it answered.
    for (number, case) in cases.iter().enumerate().filter(|(_, case)| case.op == Some(Op::Update)) {
        match kept.document(&thing(number, case), None) {
            Some(document) => case.check_after(document, false),
            None => assert!(case.expected.get("rejected").is_some(), "{}", case.name),
        }
    }
}

/// A thing for every case; where the vector names a shadow that is not there, the thing has that name for its classic one.
fn thing(number: usize, case: &Case) -> String {
    let is_named = case.op == Some(Op::Get) && case.before.is_none();
    if is_named { NAMED.to_owned() } else { format!("case-{number}") }
}

/// Publishes the request and, behind it, a `get`: when that is answered, all answers to the request are there.
async fn ask(app: &Peer, case: &Case, thing: &str, shadow: Option<&str>) -> HashMap<ShadowTopicKind, Value> {
    let of = |kind| ShadowTopic::new(thing, shadow.map(str::to_owned), kind);
    let last = format!("last-{thing}");
    app.forget();
    if let Some(op) = case.op {
        app.publish(&of(ShadowTopicKind::Request(op)).to_string(), case.payload.clone()).await;
    }
    app.publish(&of(ShadowTopicKind::Request(Op::Get)).to_string(), fleetlens_wire::shadow::encode_get(&last)).await;

    let mut answers = HashMap::new();
    app.wait_for(&format!("the answers to {}", case.name), |message| {
        let topic = ShadowTopic::parse(&message.topic).ok()?;
        let payload: Value = serde_json::from_slice(&message.payload).unwrap();
        let is_last = payload["clientToken"] == last.as_str();
        // The `get` behind a request that is a `get` itself must not take the place of its answer.
        if !(is_last && case.op == Some(Op::Get)) && topic.thing == thing && topic.shadow.as_deref() == shadow {
            answers.insert(topic.kind, payload);
        }
        is_last.then_some(())
    })
    .await;
    answers
}

fn check(case: &Case, answers: &HashMap<ShadowTopicKind, Value>) {
    let (name, expected) = (&case.name, &case.expected);
    let Some(op) = case.op else {
        let got = &answers[&ShadowTopicKind::Accepted(Op::Get)];
        assert_eq!(got["state"]["delta"], expected["delta"], "{name}");
        let desired = &got["metadata"]["desired"];
        let delta = got["metadata"]["delta"].as_object().unwrap();
        assert!(!delta.is_empty() && delta.iter().all(|(key, time)| is_part_of(time, &desired[key])), "{name}");
        return;
    };
    let refusal = answers.get(&ShadowTopicKind::Rejected(op)).map(|payload| Rejection {
        code: u16::try_from(payload["code"].as_u64().unwrap()).unwrap(),
        message: payload["message"].as_str().unwrap().to_owned(),
    });
    case.check_refusal(refusal.as_ref());
    let accepted = answers.get(&ShadowTopicKind::Accepted(op));
    assert_eq!(accepted.is_some(), refusal.is_none(), "{name}: exactly one of accepted and rejected");
    let changed = [ShadowTopicKind::Delta, ShadowTopicKind::Documents].iter().any(|kind| answers.contains_key(kind));
    assert!(!(refusal.is_some() && changed), "{name}: refused, and yet something changed");

    if let (Some(want), Some(accepted)) = (expected["accepted"].as_object(), accepted) {
        for field in want.get("has").and_then(Value::as_array).into_iter().flatten() {
            assert!(accepted.get(field.as_str().unwrap()).is_some(), "{name}: accepted has no {field}");
        }
        if want.contains_key("has") {
            assert_eq!(accepted["version"], want["version"], "{name}");
        } else {
            assert_eq!(timeless(accepted), timeless(&expected["accepted"]), "{name}");
        }
    }
    let delta = answers.get(&ShadowTopicKind::Delta);
    if let Some(want) = expected.get("delta") {
        assert_eq!(delta.map_or(&Value::Null, |delta| &delta["state"]), want, "{name}");
    }
    if let Some(want) = expected.get("delta_message") {
        assert_eq!(timeless(delta.unwrap()), timeless(want), "{name}");
    }
    if let Some(want) = expected.get("documents") {
        assert_eq!(timeless(&answers[&ShadowTopicKind::Documents]), timeless(want), "{name}");
    }
    if op == Op::Update
        && let Some(got) = answers.get(&ShadowTopicKind::Accepted(Op::Get))
    {
        case.check_after(&document(got), false);
        if let Some(get) = expected.get("get") {
            let mut got = got.clone();
            got.as_object_mut().unwrap().remove("clientToken");
            assert_eq!(timeless(&got), timeless(get), "{name}");
        }
    }
}

/// Whether the times of a delta are those of what is wanted.
fn is_part_of(time: &Value, of: &Value) -> bool {
    match (time, of) {
        (Value::Object(time), Value::Object(of)) => {
            time.iter().all(|(key, time)| of.get(key).is_some_and(|of| is_part_of(time, of)))
        }
        (time, of) => time == of,
    }
}

/// Every time replaced by 0: the service has its own clock.
fn timeless(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let field = |(key, value): (&String, &Value)| {
                let value = if key == "timestamp" && value.is_number() { Value::from(0) } else { timeless(value) };
                (key.clone(), value)
            };
            object.iter().map(field).collect()
        }
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
