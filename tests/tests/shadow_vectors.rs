//! The shared shadow vectors, topic vectors and merge vectors: against the model and, over MQTT, against the demo city's shadow
//! service on the embedded broker and on Mosquitto.
//!
//! A case our text (shadow-protocol.md) decides otherwise stands in a table with its reason; a row of a table that no case needs
//! fails as well. Without the data (`FLEET_DATA`, else `../shared/data`) they say "skipped: no data".
#![cfg(test)]

#[path = "shadow_vectors/case.rs"]
mod case;
#[path = "shadow_vectors/service.rs"]
mod service;

use case::Case;
use fleetlens_model::shadow::{Document, Object, merge};
use fleetlens_sim::{Broker, BrokerAt};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::place;
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, decode_request};
use serde_json::{Value, json};

/// Cases of `shadow/docs_vectors.json` that our text decides otherwise: name and reason. It decides none otherwise so far.
const DOCS_OTHERWISE: &[(&str, &str)] = &[];

/// Cases of RFC 7396 that a shadow cannot meet: (original, patch) and the reason.
fn merges_otherwise() -> Vec<(Value, Value, &'static str)> {
    let sections = "desired and reported are objects: anything else in their place is refused (400)";
    let removal = "null in place of a section removes it, which is Section::Remove and not a merge";
    vec![
        (json!(["a", "b"]), json!(["c", "d"]), sections),
        (json!({"a": "b"}), json!(["c"]), sections),
        (json!({"a": "foo"}), json!(null), removal),
        (json!({"a": "foo"}), json!("bar"), sections),
        (json!([1, 2]), json!({"a": "b", "c": null}), sections),
    ]
}

fn cases() -> Option<Vec<Case>> {
    let vectors = read("shadow/docs_vectors.json")?;
    let cases: Vec<Case> = vectors.as_array().unwrap().iter().map(Case::of).collect();
    assert!(cases.len() >= 12, "only {} cases", cases.len());
    for (name, reason) in DOCS_OTHERWISE {
        assert!(cases.iter().any(|case| case.name == *name), "{name} ({reason}) is no case any more");
    }
    Some(cases.into_iter().filter(|case| !DOCS_OTHERWISE.iter().any(|(name, _)| case.name == *name)).collect())
}

#[test]
fn the_model_decides_as_the_guide_says() {
    let Some(cases) = cases() else { return };
    for case in cases {
        let name = &case.name;
        match case.op {
            None => {
                let (open, times) = case.before.as_ref().unwrap().delta().unwrap();
                assert_eq!(Some(&Value::Object(open.clone())), case.expected.get("delta"), "{name}");
                let desired = &case.before.as_ref().unwrap().desired_meta;
                assert!(
                    times
                        .iter()
                        .all(|(key, time)| open.contains_key(key) && desired.contains_key(key) && !time.is_null())
                );
            }
            Some(Op::Update) => {
                let before = case.before.clone().unwrap_or_default();
                let after =
                    decode_request(Op::Update, &case.payload).and_then(|request| before.update(&request, case.now_s));
                case.check_refusal(after.as_ref().err());
                let after = after.unwrap_or(before);
                case.check_after(&after, true);
                if let Some(delta) = case.expected.get("delta") {
                    let open = after.delta().map_or(Value::Null, |(open, _)| Value::Object(open));
                    assert_eq!(&open, delta, "{name}");
                }
            }
            // Existence is the service's affair; the model only has to read the request.
            Some(op @ (Op::Get | Op::Delete)) => {
                decode_request(op, &case.payload).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn the_service_on_the_embedded_broker_answers_as_the_guide_says() {
    let Some(cases) = cases() else { return };
    let broker = Broker::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    service::answers_all(&BrokerAt { url: broker.url(), credentials: None }, &cases).await;
    broker.stop().await;
}

#[tokio::test]
async fn the_service_on_mosquitto_answers_as_the_guide_says() {
    let Some(cases) = cases() else { return };
    let Some(broker) = Mosquitto::start("shadow-vectors") else { return };
    service::answers_all(&BrokerAt { url: broker.url(), credentials: None }, &cases).await;
}

#[test]
fn topics_are_read_and_refused_as_the_sdk_does() {
    let Some(vectors) = read("shadow/topic_vectors.json") else { return };
    let list = |name: &str| vectors[name].as_array().unwrap().clone();
    let text = |case: &Value, field: &str| case[field].as_str().unwrap_or_default().to_owned();
    assert!(list("valid").len() >= 22 && list("invalid").len() >= 17);
    for case in list("valid") {
        let (given, op, suffix) = (text(&case, "topic"), text(&case, "op"), text(&case, "suffix"));
        let topic = ShadowTopic::parse(&given).unwrap_or_else(|error| panic!("{given}: {error}"));
        assert_eq!(
            (&topic.thing, topic.shadow.clone().unwrap_or_default()),
            (&text(&case, "thing"), text(&case, "shadow"))
        );
        let want = match topic.kind {
            ShadowTopicKind::Request(op) => (op.word(), ""),
            ShadowTopicKind::Accepted(op) => (op.word(), "accepted"),
            ShadowTopicKind::Rejected(op) => (op.word(), "rejected"),
            ShadowTopicKind::Delta => ("update", "delta"),
            ShadowTopicKind::Documents => ("update", "documents"),
        };
        assert_eq!((op.as_str(), suffix.as_str()), want, "{given}");
        assert_eq!(topic.to_string(), given);
    }
    for case in list("invalid") {
        let given = text(&case, "topic");
        assert!(ShadowTopic::parse(&given).is_err(), "{given} was taken, the SDK says {}", case["expected_status"]);
    }
}

#[test]
fn objects_merge_as_rfc_7396_says() {
    let (Some(table), Some(examples)) =
        (read("json-merge-patch/index.json"), read("json-merge-patch/merge_tests.json"))
    else {
        return;
    };
    let pick = |case: &Value, names: [&str; 2]| names.iter().find_map(|name| case.get(name)).unwrap().clone();
    let all = table.as_array().unwrap().iter().chain(examples.as_array().unwrap());
    let mut otherwise = merges_otherwise();
    let mut agreed = 0;
    for case in all {
        let (original, patch) = (pick(case, ["original", "doc"]), pick(case, ["patch", "patch"]));
        let want = pick(case, ["result", "expected"]);
        if let Some(at) = otherwise.iter().position(|(o, p, _)| (o, p) == (&original, &patch)) {
            let (_, _, reason) = otherwise.remove(at);
            println!("otherwise: {original} with {patch}: {reason}");
            continue;
        }
        let (Value::Object(mut target), Value::Object(patch)) = (original, patch) else {
            panic!("a case without objects and without a reason: {case}");
        };
        merge(&mut target, &patch);
        assert_eq!(Value::Object(target), want, "{case}");
        agreed += 1;
    }
    assert_eq!(otherwise.len(), 0, "no case is like {otherwise:?} any more");
    assert!(agreed >= 13, "only {agreed} cases");
}

/// A file of vectors, where there is one.
fn read(file: &str) -> Option<Value> {
    let text = place::data_text(file)?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}")))
}

/// The document of a vector: `{"state": {…}, "metadata": {…}, "version": 7}`, of which only the state must be there.
fn document(from: &Value) -> Document {
    let section = |part: &str, name: &str| from[part][name].as_object().cloned();
    let times = |name: &str, section: &Option<Object>| {
        let given = from["metadata"][name].as_object().cloned();
        // A document without metadata gets that of an update of long ago, so that there is something to tell in deltas.
        given.unwrap_or_else(|| section.as_ref().map(|section| stamped(section, 1)).unwrap_or_default())
    };
    let (desired, reported) = (section("state", "desired"), section("state", "reported"));
    Document {
        desired_meta: times("desired", &desired),
        reported_meta: times("reported", &reported),
        desired,
        reported,
        version: from["version"].as_u64().unwrap_or(1),
        timestamp_s: 1,
    }
}

/// The metadata a section has when all of it was written at `at_s`.
fn stamped(section: &Object, at_s: i64) -> Object {
    use fleetlens_model::shadow::{Request, Section};
    let request = Request { desired: Section::Merge(section.clone()), ..Request::default() };
    Document::default().update(&request, at_s).unwrap().desired_meta
}
