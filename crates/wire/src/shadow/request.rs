//! Requests: what apps and devices publish, and how the service reads it.

use fleetlens_model::shadow::limits::{CLIENT_TOKEN_BYTES, PAYLOAD_BYTES};
use fleetlens_model::shadow::{Object, Rejection, Request, Section};
use serde_json::{Value, json};

use super::Op;
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// A `get`: nothing but the token its answer is matched by.
pub fn encode_get(token: &str) -> Vec<u8> {
    json!({ "clientToken": token }).to_string().into_bytes()
}

/// A `delete`.
pub fn encode_delete(token: &str) -> Vec<u8> {
    encode_get(token)
}

/// An app's `update`: `null` in `desired` deletes. With `version` it is refused (409) unless that is the current one.
pub fn encode_update(desired: &Object, version: Option<u64>, token: &str) -> Vec<u8> {
    encode("desired", desired, version, token)
}

/// A device's `update`: what it is now. Apps never send this.
pub fn encode_report(reported: &Object, token: &str) -> Vec<u8> {
    encode("reported", reported, None, token)
}

fn encode(section: &str, patch: &Object, version: Option<u64>, token: &str) -> Vec<u8> {
    let mut request = json!({ "state": { section: patch }, "clientToken": token });
    if let (Some(version), Value::Object(request)) = (version, &mut request) {
        request.insert("version".into(), version.into());
    }
    request.to_string().into_bytes()
}

/// Reads a request, for the service. `get` and `delete` may be empty; unknown members beside `state` are passed over.
///
/// Refuses with 413 (over 128 KiB), 415 (not UTF-8) or 400 (anything else), in the words of the developer guide, "Device
/// Shadow error messages". `"state": null` clears both sections (the guide says that it "does not delete the shadow").
pub fn decode_request(op: Op, payload: &[u8]) -> Result<Request, Rejection> {
    if payload.len() > PAYLOAD_BYTES {
        return Err(Rejection::too_large());
    }
    let text = std::str::from_utf8(payload).map_err(|_| Rejection::unsupported_encoding())?;
    if text.is_empty() && op != Op::Update {
        return Ok(Request::default());
    }
    // serde_json refuses more than 128 levels, so a hostile payload cannot exhaust the stack.
    let value: Value = serde_json::from_str(text).map_err(|error| bad(format!("Invalid JSON: {error}")))?;
    let Value::Object(mut object) = value else {
        return Err(bad("Invalid JSON: a request is an object"));
    };
    let client_token = match object.remove("clientToken") {
        None => None,
        Some(Value::String(token)) if token.len() <= CLIENT_TOKEN_BYTES => Some(token),
        Some(_) => return Err(bad("Invalid clientToken")),
    };
    let version = match object.remove("version") {
        None => None,
        Some(version) => Some(version.as_u64().ok_or_else(|| bad("Invalid version"))?),
    };
    let (desired, reported) = match op {
        Op::Get | Op::Delete => (Section::Absent, Section::Absent),
        Op::Update => sections(object.remove("state"))?,
    };
    Ok(Request { desired, reported, version, client_token })
}

fn sections(state: Option<Value>) -> Result<(Section, Section), Rejection> {
    let Some(state) = state else {
        return Err(bad("Missing required node: state"));
    };
    if state.is_null() {
        return Ok((Section::Remove, Section::Remove));
    }
    let Value::Object(mut state) = state else {
        return Err(bad("State node must be an object"));
    };
    let desired = section(state.remove("desired"), "Desired node must be an object")?;
    let reported = section(state.remove("reported"), "Reported node must be an object")?;
    if let Some(other) = state.keys().next() {
        return Err(bad(format!("State contains an invalid node: '{}'", quote(other, QUOTE_MAX_CHARS))));
    }
    Ok((desired, reported))
}

/// A section as a request or an accepted update carries it.
pub(super) fn section(value: Option<Value>, otherwise: &str) -> Result<Section, Rejection> {
    let Some(value) = value else {
        return Ok(Section::Absent);
    };
    if value.is_null() {
        return Ok(Section::Remove);
    }
    if let Value::Object(patch) = value { Ok(Section::Merge(patch)) } else { Err(bad(otherwise)) }
}

/// The token of a request that is being refused, where it has a usable one, so that even a refusal finds its sender.
pub fn client_token_of(payload: &[u8]) -> Option<String> {
    if payload.len() > PAYLOAD_BYTES {
        return None;
    }
    let value: Value = serde_json::from_slice(payload).ok()?;
    value.get("clientToken")?.as_str().filter(|token| token.len() <= CLIENT_TOKEN_BYTES).map(str::to_owned)
}

fn bad(message: impl Into<String>) -> Rejection {
    Rejection::bad_request(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_an_app_and_a_device_send_is_what_the_service_reads() {
        let patch = object(json!({"dim_pct": 40, "old": null}));
        let token = Some("fl-1".to_owned());
        assert_eq!(
            decode_request(Op::Update, &encode_update(&patch, Some(7), "fl-1")),
            Ok(Request {
                desired: Section::Merge(patch.clone()),
                reported: Section::Absent,
                version: Some(7),
                client_token: token.clone()
            })
        );
        assert_eq!(
            decode_request(Op::Update, &encode_report(&patch, "fl-1")),
            Ok(Request {
                desired: Section::Absent,
                reported: Section::Merge(patch),
                version: None,
                client_token: token.clone()
            })
        );
        for op in [Op::Get, Op::Delete] {
            assert_eq!(decode_request(op, &encode_get("fl-1")).unwrap().client_token, token);
            assert_eq!(decode_request(op, b""), Ok(Request::default()), "empty");
        }
    }

    #[test]
    fn a_request_is_refused_with_the_code_and_the_reason() {
        let long = json!({"state": {}, "clientToken": "x".repeat(65)}).to_string();
        let deep = format!("{{\"state\":{}", "[".repeat(500));
        let large = vec![b' '; PAYLOAD_BYTES + 1];
        for (payload, code, message) in [
            (&b""[..], 400, "Invalid JSON"),
            (b"{", 400, "Invalid JSON"),
            (b"[]", 400, "Invalid JSON"),
            (b"{\"state\":{}} x", 400, "Invalid JSON"),
            (b"{\"state\":{\"desired\":{\"a\":NaN}}}", 400, "Invalid JSON"),
            (deep.as_bytes(), 400, "Invalid JSON"),
            (b"\xff\xfe", 415, "UTF-8"),
            (&large, 413, "exceeds"),
            (b"{}", 400, "Missing required node: state"),
            (b"{\"state\":1}", 400, "State node must be an object"),
            (b"{\"state\":{\"desired\":1}}", 400, "Desired node must be an object"),
            (b"{\"state\":{\"reported\":[]}}", 400, "Reported node must be an object"),
            (b"{\"state\":{\"delta\":{}}}", 400, "invalid node: 'delta'"),
            (b"{\"state\":{},\"version\":\"1\"}", 400, "Invalid version"),
            (b"{\"state\":{},\"version\":-1}", 400, "Invalid version"),
            (b"{\"state\":{},\"version\":1.5}", 400, "Invalid version"),
            (b"{\"state\":{},\"clientToken\":1}", 400, "Invalid clientToken"),
            (long.as_bytes(), 400, "Invalid clientToken"),
        ] {
            let rejection = decode_request(Op::Update, payload).unwrap_err();
            assert_eq!(rejection.code, code, "{message}");
            assert!(rejection.message.contains(message), "{} lacks {message:?}", rejection.message);
        }
        assert_eq!(decode_request(Op::Get, b"{").unwrap_err().code, 400);
    }

    #[test]
    fn null_clears_and_nothing_is_left_alone() {
        for (state, desired, reported) in [
            (json!({}), Section::Absent, Section::Absent),
            (json!({"desired": null}), Section::Remove, Section::Absent),
            (json!({"reported": {}}), Section::Absent, Section::Merge(Object::new())),
            (Value::Null, Section::Remove, Section::Remove),
        ] {
            let request = decode_request(Op::Update, json!({"state": state}).to_string().as_bytes()).unwrap();
            assert_eq!((request.desired, request.reported), (desired, reported), "{state}");
        }
    }

    #[test]
    fn a_refusal_finds_its_sender_where_the_payload_allows() {
        for (payload, want) in [
            (&br#"{"state":1,"clientToken":"a"}"#[..], Some("a")),
            (br#"{"clientToken":1}"#, None),
            (b"{", None),
            (b"", None),
        ] {
            assert_eq!(client_token_of(payload).as_deref(), want);
        }
    }
}
