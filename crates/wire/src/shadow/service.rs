//! Payloads of the service's answers. `now_s` is the service's clock in epoch seconds.

use fleetlens_model::shadow::{Document, Object, Rejection, Request, Section};
use serde_json::{Value, json};

/// `get/accepted`: the whole document, with `delta` where the device has something left to do.
pub fn encode_got(document: &Document, now_s: i64, token: Option<&str>) -> Vec<u8> {
    let (mut state, mut metadata) = sections(document);
    if let Some((open, times)) = document.delta() {
        state.insert("delta".into(), Value::Object(open));
        metadata.insert("delta".into(), Value::Object(times));
    }
    let answer = json!({ "state": state, "metadata": metadata, "version": document.version, "timestamp": now_s });
    finish(answer, token)
}

/// `update/accepted`: what was asked, as it was asked (`null` included), with the metadata of what is now there.
///
/// `after` is the document that `request` made.
pub fn encode_updated(request: &Request, after: &Document) -> Vec<u8> {
    let (mut state, mut metadata) = (Object::new(), Object::new());
    for (name, section, times) in
        [("desired", &request.desired, &after.desired_meta), ("reported", &request.reported, &after.reported_meta)]
    {
        match section {
            Section::Absent => {}
            Section::Remove => {
                state.insert(name.into(), Value::Null);
            }
            Section::Merge(patch) => {
                state.insert(name.into(), Value::Object(patch.clone()));
                metadata.insert(name.into(), Value::Object(times_of(patch, times)));
            }
        }
    }
    let answer =
        json!({ "state": state, "metadata": metadata, "version": after.version, "timestamp": after.timestamp_s });
    finish(answer, request.client_token.as_deref())
}

/// `update/delta`; `None` when there is no difference, and then nothing is sent.
pub fn encode_delta(document: &Document, token: Option<&str>) -> Option<Vec<u8>> {
    let (open, times) = document.delta()?;
    let answer =
        json!({ "state": open, "metadata": times, "version": document.version, "timestamp": document.timestamp_s });
    Some(finish(answer, token))
}

/// `update/documents`: both documents whole, without `delta`. A shadow just made has an empty `previous`.
pub fn encode_documents(previous: &Document, current: &Document, token: Option<&str>) -> Vec<u8> {
    let whole = |document: &Document| {
        let (state, metadata) = sections(document);
        json!({ "state": state, "metadata": metadata, "version": document.version })
    };
    let answer = json!({ "previous": whole(previous), "current": whole(current), "timestamp": current.timestamp_s });
    finish(answer, token)
}

/// `delete/accepted`: the version the shadow had.
pub fn encode_deleted(version: u64, now_s: i64, token: Option<&str>) -> Vec<u8> {
    finish(json!({ "version": version, "timestamp": now_s }), token)
}

/// `…/rejected`.
pub fn encode_rejected(rejection: &Rejection, now_s: i64, token: Option<&str>) -> Vec<u8> {
    finish(json!({ "code": rejection.code, "message": rejection.message, "timestamp": now_s }), token)
}

fn finish(mut answer: Value, token: Option<&str>) -> Vec<u8> {
    if let (Some(token), Value::Object(answer)) = (token, &mut answer) {
        answer.insert("clientToken".into(), token.into());
    }
    answer.to_string().into_bytes()
}

/// `state` and `metadata` of a document; a section that is not there is left out of both.
fn sections(document: &Document) -> (Object, Object) {
    let (mut state, mut metadata) = (Object::new(), Object::new());
    for (name, section, times) in [
        ("desired", &document.desired, &document.desired_meta),
        ("reported", &document.reported, &document.reported_meta),
    ] {
        if let Some(section) = section {
            state.insert(name.into(), Value::Object(section.clone()));
            metadata.insert(name.into(), Value::Object(times.clone()));
        }
    }
    (state, metadata)
}

/// The part of `times` that belongs to the values of `patch`.
fn times_of(patch: &Object, times: &Object) -> Object {
    let part = |key: &String, value: &Value| {
        let time = times.get(key)?;
        match (value, time) {
            (Value::Object(patch), Value::Object(times)) => Some(Value::Object(times_of(patch, times))),
            (_, time) => Some(time.clone()),
        }
    };
    patch.iter().filter_map(|(key, value)| Some((key.clone(), part(key, value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &[u8]) -> Value {
        serde_json::from_slice(payload).unwrap()
    }

    fn request(desired: Value) -> Request {
        Request {
            desired: Section::Merge(desired.as_object().unwrap().clone()),
            client_token: Some("t".into()),
            ..Request::default()
        }
    }

    #[test]
    fn an_accepted_update_holds_only_what_was_asked() {
        let before = Document::default().update(&request(json!({"a": 1, "b": {"c": 1, "d": 1}, "e": 1})), 10).unwrap();
        let asked = request(json!({"b": {"c": 2}, "e": null}));
        let after = before.update(&asked, 20).unwrap();
        assert_eq!(
            read(&encode_updated(&asked, &after)),
            json!({
                "state": {"desired": {"b": {"c": 2}, "e": null}},
                "metadata": {"desired": {"b": {"c": {"timestamp": 20}}}},
                "version": 2, "timestamp": 20, "clientToken": "t",
            })
        );
        assert_eq!(
            read(&encode_documents(&before, &after, None)),
            json!({
                "previous": {
                    "state": {"desired": {"a": 1, "b": {"c": 1, "d": 1}, "e": 1}},
                    "metadata": {"desired": {
                        "a": {"timestamp": 10}, "b": {"c": {"timestamp": 10}, "d": {"timestamp": 10}}, "e": {"timestamp": 10},
                    }},
                    "version": 1,
                },
                "current": {
                    "state": {"desired": {"a": 1, "b": {"c": 2, "d": 1}}},
                    "metadata": {"desired": {"a": {"timestamp": 10}, "b": {"c": {"timestamp": 20}, "d": {"timestamp": 10}}}},
                    "version": 2,
                },
                "timestamp": 20,
            })
        );
    }

    #[test]
    fn a_section_that_is_gone_is_in_no_answer() {
        let before = Document::default().update(&request(json!({"a": 1})), 10).unwrap();
        let asked = Request { desired: Section::Remove, ..Request::default() };
        let after = before.update(&asked, 20).unwrap();
        assert_eq!(
            read(&encode_updated(&asked, &after)),
            json!({"state": {"desired": null}, "metadata": {}, "version": 2, "timestamp": 20})
        );
        assert_eq!(
            read(&encode_got(&after, 30, Some("g"))),
            json!({"state": {}, "metadata": {}, "version": 2, "timestamp": 30, "clientToken": "g"})
        );
        assert_eq!(encode_delta(&after, None), None);
    }

    #[test]
    fn a_get_tells_the_delta_and_the_time_of_the_answer() {
        let document = Document::default().update(&request(json!({"a": 1})), 10).unwrap();
        assert_eq!(
            read(&encode_got(&document, 30, None)),
            json!({
                "state": {"desired": {"a": 1}, "delta": {"a": 1}},
                "metadata": {"desired": {"a": {"timestamp": 10}}, "delta": {"a": {"timestamp": 10}}},
                "version": 1, "timestamp": 30,
            })
        );
    }

    #[test]
    fn refusals_and_deletions_are_short() {
        assert_eq!(
            read(&encode_rejected(&Rejection::version_conflict(), 5, Some("t"))),
            json!({"code": 409, "message": "Version conflict", "timestamp": 5, "clientToken": "t"})
        );
        assert_eq!(read(&encode_deleted(4, 5, None)), json!({"version": 4, "timestamp": 5}));
    }
}
