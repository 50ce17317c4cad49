//! One case of `docs_vectors.json`: what is there before, what is asked, and what must be true afterwards.

use fleetlens_model::shadow::{Document, Rejection, leaf_at};
use fleetlens_wire::shadow::Op;
use serde_json::{Value, json};

use crate::document;

/// What the vectors say in words about the document before, in JSON.
const IN_WORDS: [(&str, &str); 3] = [
    (
        "any shadow whose desired has \"engine\"",
        r#"{"state": {"desired": {"engine": "ON", "color": {"r": 10}}}, "version": 3}"#,
    ),
    (
        "any shadow with a desired section",
        r#"{"state": {"desired": {"color": "green"}, "reported": {"color": "blue"}}, "version": 8}"#,
    ),
    ("shadow at version 4", r#"{"state": {"reported": {"color": "blue"}}, "version": 4}"#),
];

pub struct Case {
    pub name: String,
    /// `None` where only the delta of a document is asked.
    pub op: Option<Op>,
    pub before: Option<Document>,
    pub payload: Vec<u8>,
    /// When it happens, epoch seconds: the vector's own time where it tells one.
    pub now_s: i64,
    pub expected: Value,
}

impl Case {
    pub fn of(vector: &Value) -> Self {
        let name = vector["name"].as_str().unwrap().to_owned();
        let given = &vector["shadow_before"];
        let before = if let Some(words) = given.as_str() {
            let in_words =
                IN_WORDS.iter().find(|(known, _)| *known == words).unwrap_or_else(|| panic!("{name}: {words}"));
            Some(document(&serde_json::from_str(in_words.1).unwrap()))
        } else if given.is_null() {
            vector.get("state").map(|state| document(&json!({ "state": state })))
        } else {
            Some(document(given))
        };
        let op = match vector["op"].as_str().unwrap() {
            "get" => Some(Op::Get),
            "update" => Some(Op::Update),
            "delete" => Some(Op::Delete),
            "delta_only" => None,
            other => panic!("{name}: {other}"),
        };
        let update = &vector["update"];
        let payload = if update.is_null() { Vec::new() } else { update.to_string().into_bytes() };
        let expected = vector["expected"].clone();
        let now_s = expected["accepted"]["timestamp"].as_i64().unwrap_or(1_700_000_000);
        Self { name, op, before, payload, now_s, expected }
    }

    /// Whether it was refused exactly when, and as, the vector says.
    pub fn check_refusal(&self, refused: Option<&Rejection>) {
        let (name, want) = (&self.name, &self.expected["rejected"]);
        assert_eq!(refused.is_some(), !want.is_null(), "{name}: {refused:?}");
        let Some(refused) = refused else { return };
        if let Some(code) = self.expected["code"].as_u64() {
            assert_eq!(u64::from(refused.code), code, "{name}");
        } else {
            assert_eq!(refused.code, 400, "{name}: the guide names no code, so a bad request");
        }
        if let Some(message) = want["message"].as_str() {
            assert_eq!(refused.message, message, "{name}");
        }
    }

    /// Whether the document afterwards is as the vector says; with its times only where the clock was the vector's.
    pub fn check_after(&self, after: &Document, with_times: bool) {
        let name = &self.name;
        let section = |which: &str| if which == "desired" { &after.desired } else { &after.reported };
        if let Some(want) = self.expected.get("after") {
            let want_document = document(want);
            assert_eq!((&after.desired, &after.reported), (&want_document.desired, &want_document.reported), "{name}");
            if want["version"].is_u64() {
                assert_eq!(after.version, want_document.version, "{name}");
            }
            if with_times && want["metadata"].is_object() {
                let times = (&after.desired_meta, &after.reported_meta);
                assert_eq!(times, (&want_document.desired_meta, &want_document.reported_meta), "{name}");
            }
        }
        for path in self.expected["after_state_lacks"].as_array().into_iter().flatten() {
            let mut steps = path.as_str().unwrap().splitn(2, '.');
            let in_section = section(steps.next().unwrap());
            let there = match steps.next() {
                None => in_section.is_some(),
                Some(rest) => {
                    in_section.as_ref().is_some_and(|s| leaf_at(s, &format!("/{}", rest.replace('.', "/"))).is_some())
                }
            };
            assert!(!there, "{name}: {path} is still there");
        }
        for (which, want) in self.expected["after_contains"].as_object().into_iter().flatten() {
            let have = section(which).as_ref().unwrap_or_else(|| panic!("{name}: no {which}"));
            for (key, value) in want.as_object().unwrap() {
                assert_eq!(have.get(key), Some(value), "{name}");
            }
        }
    }
}
