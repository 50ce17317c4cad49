//! The device-shadow service as a function: a message in, its answers out. Knows nothing of brokers, clocks and threads.

use std::collections::{HashMap, HashSet};

use fleetlens_model::shadow::limits::DELETED_VERSION_S;
use fleetlens_model::shadow::{Document, Rejection, Request, Section};
use fleetlens_wire::shadow::service::{
    encode_deleted, encode_delta, encode_documents, encode_got, encode_rejected, encode_updated,
};
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, client_token_of, decode_request};

/// Every shadow of a city, in memory.
///
/// Keeps the rules of `fleetlens_model::shadow`; what is its own is existence: 404, and the version of a deleted shadow, which
/// one made again within 48 h goes on from (developer guide, "Interacting with shadows"). There is no access control and no
/// throttling here, so 401 and 429 are never answered, and 403 only where [`Shadows::refusing`] says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shadows {
    documents: HashMap<Key, Document>,
    deleted: HashMap<Key, Deleted>,
    /// Things of which nothing may be wanted.
    refused: HashSet<String>,
}

/// Thing and shadow name; `None` is the classic shadow.
type Key = (String, Option<String>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Deleted {
    version: u64,
    at_s: i64,
}

impl Shadows {
    /// The same, and every update of these things' desired state is refused (403): a demo of access control.
    pub fn refusing(self, things: HashSet<String>) -> Self {
        Self { refused: things, ..self }
    }

    /// The answers to one message, to be published in this order; `now_s` is epoch seconds. Empty for what is no request.
    pub fn handle(&mut self, topic: &str, payload: &[u8], now_s: i64) -> Vec<(String, Vec<u8>)> {
        let Ok(topic) = ShadowTopic::parse(topic) else {
            return Vec::new();
        };
        let ShadowTopicKind::Request(op) = topic.kind else {
            return Vec::new();
        };
        let request = match decode_request(op, payload) {
            Ok(request) => request,
            Err(rejection) => return vec![reject(&topic, op, &rejection, client_token_of(payload).as_deref(), now_s)],
        };
        let answered = match op {
            Op::Get => self.get(&topic, &request, now_s),
            Op::Update => self.update(&topic, &request, now_s),
            Op::Delete => self.delete(&topic, &request, now_s),
        };
        answered
            .unwrap_or_else(|rejection| vec![reject(&topic, op, &rejection, request.client_token.as_deref(), now_s)])
    }

    /// The document of a shadow, where there is one.
    pub fn document(&self, thing: &str, shadow: Option<&str>) -> Option<&Document> {
        self.documents.get(&(thing.to_owned(), shadow.map(str::to_owned)))
    }

    /// Puts a document in place of whatever is there, without a word to anybody: how a test or a saved state begins.
    pub fn restore(&mut self, thing: &str, shadow: Option<&str>, document: Document) {
        self.documents.insert((thing.to_owned(), shadow.map(str::to_owned)), document);
    }

    fn get(&self, topic: &ShadowTopic, request: &Request, now_s: i64) -> Result<Vec<(String, Vec<u8>)>, Rejection> {
        let document = self.documents.get(&key(topic)).ok_or_else(|| missing(topic))?;
        let payload = encode_got(document, now_s, request.client_token.as_deref());
        Ok(vec![answer(topic, ShadowTopicKind::Accepted(Op::Get), payload)])
    }

    fn update(
        &mut self,
        topic: &ShadowTopic,
        request: &Request,
        now_s: i64,
    ) -> Result<Vec<(String, Vec<u8>)>, Rejection> {
        if request.desired != Section::Absent && self.refused.contains(&topic.thing) {
            return Err(Rejection { code: 403, message: "Forbidden: the thing is under local control".into() });
        }
        let key = key(topic);
        let previous = match self.documents.get(&key) {
            Some(document) => document.clone(),
            None => Document { version: self.remembered(&key, now_s), ..Document::default() },
        };
        let current = previous.update(request, now_s)?;
        let token = request.client_token.as_deref();
        let mut answers = vec![answer(topic, ShadowTopicKind::Accepted(Op::Update), encode_updated(request, &current))];
        if let Some(delta) = encode_delta(&current, token) {
            answers.push(answer(topic, ShadowTopicKind::Delta, delta));
        }
        answers.push(answer(topic, ShadowTopicKind::Documents, encode_documents(&previous, &current, token)));
        self.deleted.remove(&key);
        self.documents.insert(key, current);
        Ok(answers)
    }

    fn delete(
        &mut self,
        topic: &ShadowTopic,
        request: &Request,
        now_s: i64,
    ) -> Result<Vec<(String, Vec<u8>)>, Rejection> {
        let key = key(topic);
        let version = self.documents.get(&key).ok_or_else(|| missing(topic))?.version;
        if request.version.is_some_and(|wanted| wanted != version) {
            return Err(Rejection::version_conflict());
        }
        self.documents.remove(&key);
        self.deleted.retain(|_, deleted| now_s - deleted.at_s <= DELETED_VERSION_S);
        self.deleted.insert(key, Deleted { version, at_s: now_s });
        let payload = encode_deleted(version, now_s, request.client_token.as_deref());
        Ok(vec![answer(topic, ShadowTopicKind::Accepted(Op::Delete), payload)])
    }

    /// The version a shadow that does not exist goes on from.
    fn remembered(&self, key: &Key, now_s: i64) -> u64 {
        self.deleted
            .get(key)
            .filter(|deleted| now_s - deleted.at_s <= DELETED_VERSION_S)
            .map_or(0, |deleted| deleted.version)
    }
}

fn key(topic: &ShadowTopic) -> Key {
    (topic.thing.clone(), topic.shadow.clone())
}

fn missing(topic: &ShadowTopic) -> Rejection {
    Rejection::no_shadow(topic.shadow.as_deref().unwrap_or(&topic.thing))
}

fn answer(topic: &ShadowTopic, kind: ShadowTopicKind, payload: Vec<u8>) -> (String, Vec<u8>) {
    (topic.with_kind(kind).to_string(), payload)
}

fn reject(topic: &ShadowTopic, op: Op, rejection: &Rejection, token: Option<&str>, now_s: i64) -> (String, Vec<u8>) {
    answer(topic, ShadowTopicKind::Rejected(op), encode_rejected(rejection, now_s, token))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const UPDATE: &str = "$aws/things/a/shadow/update";
    const GET: &str = "$aws/things/a/shadow/get";
    const DELETE: &str = "$aws/things/a/shadow/delete";

    fn ask(shadows: &mut Shadows, topic: &str, payload: Value, now_s: i64) -> Vec<(String, Value)> {
        let payload = if payload.is_null() { Vec::new() } else { payload.to_string().into_bytes() };
        let answers = shadows.handle(topic, &payload, now_s);
        answers.into_iter().map(|(topic, payload)| (topic, serde_json::from_slice(&payload).unwrap())).collect()
    }

    fn topics(answers: &[(String, Value)]) -> Vec<&str> {
        answers.iter().map(|(topic, _)| topic.strip_prefix("$aws/things/a/shadow/").unwrap()).collect()
    }

    #[test]
    fn an_update_answers_accepted_delta_and_documents_with_one_version() {
        let mut shadows = Shadows::default();
        let wish = json!({"state": {"desired": {"on": true}}, "clientToken": "t"});
        let answers = ask(&mut shadows, UPDATE, wish, 10);
        assert_eq!(topics(&answers), ["update/accepted", "update/delta", "update/documents"]);
        assert_eq!(answers[0].1["version"], 1);
        assert_eq!(answers[1].1["version"], 1);
        assert_eq!(answers[2].1["current"]["version"], 1);
        assert!(answers.iter().all(|(_, payload)| payload["clientToken"] == "t"));

        let answers = ask(&mut shadows, UPDATE, json!({"state": {"reported": {"temp_c": 20}}}), 11);
        assert_eq!(topics(&answers), ["update/accepted", "update/delta", "update/documents"], "the wish is still open");
        assert_eq!(answers[1].1["state"], json!({"on": true}));

        let answers = ask(&mut shadows, UPDATE, json!({"state": {"reported": {"on": true}}}), 12);
        assert_eq!(topics(&answers), ["update/accepted", "update/documents"], "nothing is open");
    }

    #[test]
    fn a_refused_request_changes_nothing_and_answers_once() {
        let mut shadows = Shadows::default();
        ask(&mut shadows, UPDATE, json!({"state": {"desired": {"on": true}}}), 10);
        let before = shadows.clone();
        for (payload, code, token) in [
            (json!({"state": {"desired": {"on": false}}, "version": 9, "clientToken": "t"}), 409, json!("t")),
            (json!({"state": 1, "clientToken": "t"}), 400, json!("t")),
            (json!({"state": {"desired": {"a": [null]}}, "clientToken": "t"}), 400, json!("t")),
            (json!({"state": {"desired": {"a": "x".repeat(9000)}}}), 413, Value::Null),
            (json!([]), 400, Value::Null),
        ] {
            let answers = ask(&mut shadows, UPDATE, payload, 11);
            assert_eq!(topics(&answers), ["update/rejected"]);
            assert_eq!((&answers[0].1["code"], &answers[0].1["clientToken"]), (&json!(code), &token));
            assert_eq!(shadows, before);
        }
    }

    #[test]
    fn a_deleted_shadow_goes_on_counting_for_48_hours() {
        for (name, later_s, version) in
            [("at once", 0, 3), ("after 48 h", DELETED_VERSION_S, 3), ("later", DELETED_VERSION_S + 1, 1)]
        {
            let mut shadows = Shadows::default();
            ask(&mut shadows, UPDATE, json!({"state": {"desired": {"a": 1}}}), 10);
            ask(&mut shadows, UPDATE, json!({"state": {"desired": {"a": 2}}}), 10);
            let answers = ask(&mut shadows, DELETE, Value::Null, 20);
            assert_eq!(answers[0].1, json!({"version": 2, "timestamp": 20}));
            assert_eq!(topics(&ask(&mut shadows, GET, Value::Null, 20)), ["get/rejected"]);
            assert_eq!(ask(&mut shadows, DELETE, Value::Null, 20)[0].1["code"], 404);
            let answers = ask(&mut shadows, UPDATE, json!({"state": {"desired": {"b": 1}}}), 20 + later_s);
            assert_eq!(answers[0].1["version"], version, "{name}");
            assert_eq!(
                answers[2].1["current"]["state"],
                json!({"desired": {"b": 1}}),
                "{name}: nothing is left of the old one"
            );
        }
    }

    #[test]
    fn named_and_classic_shadows_are_apart() {
        let mut shadows = Shadows::default();
        let named = "$aws/things/a/shadow/name/config/";
        ask(&mut shadows, &format!("{named}update"), json!({"state": {"desired": {"a": 1}}}), 10);
        let answers = ask(&mut shadows, GET, Value::Null, 10);
        assert_eq!(answers[0].1["message"], "No shadow exists with name: 'a'");
        let answers = ask(&mut shadows, "$aws/things/a/shadow/name/other/get", Value::Null, 10);
        assert_eq!(answers[0].1["message"], "No shadow exists with name: 'other'");
        let answers = ask(&mut shadows, &format!("{named}get"), Value::Null, 10);
        assert_eq!(answers[0].0, format!("{named}get/accepted"));
    }

    #[test]
    fn what_is_wanted_of_a_refused_thing_is_forbidden_and_what_it_reports_is_not() {
        let mut shadows = Shadows::default().refusing(["a".to_owned()].into());
        for (topic, payload, want) in [
            (UPDATE, json!({"state": {"desired": {"on": true}}}), "update/rejected"),
            (UPDATE, json!({"state": {"desired": null}}), "update/rejected"),
            (UPDATE, json!({"state": {"reported": {"on": true}}}), "update/accepted"),
            (GET, Value::Null, "get/accepted"),
        ] {
            let answers = ask(&mut shadows, topic, payload.clone(), 10);
            assert_eq!(topics(&answers)[0], want, "{payload}");
            assert_eq!(answers[0].1["code"] == 403, want.ends_with("rejected"), "{payload}");
        }
        let other = shadows.handle("$aws/things/b/shadow/update", br#"{"state":{"desired":{"on":true}}}"#, 10);
        assert!(other[0].0.ends_with("update/accepted"), "{other:?}");
    }

    #[test]
    fn what_is_no_request_gets_no_answer() {
        let mut shadows = Shadows::default();
        for topic in ["$aws/things/a/shadow/get/accepted", "$aws/things/a b/shadow/get", "city/x/lamp/a/telemetry"] {
            assert_eq!(shadows.handle(topic, b"{}", 1), []);
        }
        assert_eq!(shadows, Shadows::default());
    }
}
