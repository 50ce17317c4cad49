//! Answers: what the service publishes, read by apps and devices.

use fleetlens_model::shadow::{Document, Object, Rejection, Section};
use serde_json::Value;

use super::{Op, ShadowTopic, ShadowTopicKind};
use crate::WireError;
use crate::json::{self, Fields};
use crate::quote::{QUOTE_MAX_CHARS, REFUSAL_MAX_CHARS, quote};

/// Largest answer read, in bytes. `documents` carries two documents of 8 KiB and their metadata, which for arrays of small
/// numbers is some fourteen times the state; larger than this is no shadow service.
pub const ANSWER_BYTES: usize = 512 * 1024;

/// Deepest answer read, in brackets: the service's own go to 13, and other services allow a little more.
const ANSWER_NESTING: usize = 32;

/// What the service said.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To a `get`: the whole document.
    Got {
        /// As it is now; its time is that of the answer.
        document: Document,
        /// The request's token, where it had one.
        token: Option<String>,
    },
    /// To an `update`, everybody's: only the fields that were asked for. `Document::follow` applies it to a copy.
    Updated {
        /// What the request said about the app's section; `Remove` when it was set to `null`.
        desired: Section,
        /// What the request said about the device's section.
        reported: Section,
        /// The document's version after it.
        version: u64,
        /// When, in epoch seconds by the service's clock.
        timestamp_s: i64,
        /// The request's token, where it had one.
        token: Option<String>,
    },
    /// To a `delete`.
    Deleted {
        /// The version the shadow had; one made again goes on from it.
        version: u64,
        /// The request's token, where it had one.
        token: Option<String>,
    },
    /// A refusal.
    Rejected {
        /// Of which operation.
        op: Op,
        /// Why.
        rejection: Rejection,
        /// The request's token, where it had a usable one.
        token: Option<String>,
    },
    /// Every outstanding desired ≠ reported value, from the root.
    Delta {
        /// The wanted values.
        state: Object,
        /// The version of the update that was accepted with it.
        version: u64,
        /// When, in epoch seconds by the service's clock.
        timestamp_s: i64,
        /// The token of the request that caused it.
        token: Option<String>,
    },
    /// The whole document after an update. (The one before is on the wire too; nobody here needs it.)
    Documents {
        /// After the update.
        current: Document,
        /// The request's token, where it had one.
        token: Option<String>,
    },
}

/// Reads an answer that came on `topic`.
///
/// Fails on a topic that is no answer's, on more than [`ANSWER_BYTES`], on bad JSON, on a missing or wrongly typed field and on a
/// version above `i64::MAX`. A refusal's message is cut to [`REFUSAL_MAX_CHARS`].
/// Metadata and tokens may be missing everywhere, and a refusal's code and message need nothing beside them (developer guide).
pub fn decode_answer(topic: &ShadowTopic, payload: &[u8]) -> Result<Answer, WireError> {
    let read = || json::object(payload, ANSWER_BYTES, ANSWER_NESTING);
    match topic.kind {
        ShadowTopicKind::Request(_) => Err(not_an_answer(topic)),
        ShadowTopicKind::Accepted(Op::Get) => {
            let mut fields = Fields::new(read()?);
            let timestamp_s = fields.i64("timestamp")?;
            Ok(Answer::Got { document: document(&mut fields, timestamp_s)?, token: token(&mut fields)? })
        }
        ShadowTopicKind::Accepted(Op::Update) => {
            let mut fields = Fields::new(read()?);
            let mut state = Fields::new(fields.object("state")?);
            Ok(Answer::Updated {
                desired: section(&mut state, "desired")?,
                reported: section(&mut state, "reported")?,
                version: fields.version()?,
                timestamp_s: fields.i64("timestamp")?,
                token: token(&mut fields)?,
            })
        }
        ShadowTopicKind::Accepted(Op::Delete) => {
            let mut fields = Fields::new(read()?);
            Ok(Answer::Deleted { version: fields.version()?, token: token(&mut fields)? })
        }
        ShadowTopicKind::Rejected(op) => {
            let mut fields = Fields::new(read()?);
            let code = fields.u64("code")?;
            let code = u16::try_from(code).map_err(|_| WireError::WrongType {
                field: "code".into(),
                given: code.to_string(),
                wanted: "a code up to 65535",
            })?;
            let message = quote(&fields.optional_string("message")?.unwrap_or_default(), REFUSAL_MAX_CHARS - 1);
            Ok(Answer::Rejected { op, rejection: Rejection { code, message }, token: token(&mut fields)? })
        }
        ShadowTopicKind::Delta => {
            let mut fields = Fields::new(read()?);
            Ok(Answer::Delta {
                state: fields.object("state")?,
                version: fields.version()?,
                timestamp_s: fields.i64("timestamp")?,
                token: token(&mut fields)?,
            })
        }
        ShadowTopicKind::Documents => {
            let mut fields = Fields::new(read()?);
            let timestamp_s = fields.i64("timestamp")?;
            let mut current = Fields::new(fields.object("current")?);
            Ok(Answer::Documents { current: document(&mut current, timestamp_s)?, token: token(&mut fields)? })
        }
    }
}

fn document(fields: &mut Fields, timestamp_s: i64) -> Result<Document, WireError> {
    let mut state = Fields::new(fields.object("state")?);
    let mut metadata = Fields::new(fields.optional_object("metadata")?.unwrap_or_default());
    Ok(Document {
        desired: state.optional_object("desired")?,
        reported: state.optional_object("reported")?,
        desired_meta: metadata.optional_object("desired")?.unwrap_or_default(),
        reported_meta: metadata.optional_object("reported")?.unwrap_or_default(),
        version: fields.version()?,
        timestamp_s,
    })
}

fn section(state: &mut Fields, name: &str) -> Result<Section, WireError> {
    if state.take_if(name, Value::is_null).is_some() {
        return Ok(Section::Remove);
    }
    Ok(state.optional_object(name)?.map_or(Section::Absent, Section::Merge))
}

fn not_an_answer(topic: &ShadowTopic) -> WireError {
    WireError::NotAnAnswer { topic: quote(&topic.to_string(), QUOTE_MAX_CHARS) }
}

fn token(fields: &mut Fields) -> Result<Option<String>, WireError> {
    fields.optional_string("clientToken")
}

#[cfg(test)]
mod tests {
    use fleetlens_model::shadow::Request;
    use serde_json::json;

    use super::super::service::*;
    use super::*;

    fn topic(kind: ShadowTopicKind) -> ShadowTopic {
        ShadowTopic::new("lamp-1", Some("config".into()), kind)
    }

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_app_reads_what_the_service_writes() {
        let request = Request {
            desired: Section::Merge(object(json!({"a": [1, 2], "b": null}))),
            reported: Section::Remove,
            client_token: Some("t".into()),
            ..Request::default()
        };
        let before = Document { version: 6, ..Document::default() };
        let after = before.update(&request, 20).unwrap();
        let rejection = Rejection::no_shadow("config");
        let token = Some("t".to_owned());
        for (kind, payload, want) in [
            (
                ShadowTopicKind::Accepted(Op::Get),
                encode_got(&after, 30, None),
                Answer::Got { document: Document { timestamp_s: 30, ..after.clone() }, token: None },
            ),
            (
                ShadowTopicKind::Accepted(Op::Update),
                encode_updated(&request, &after),
                Answer::Updated {
                    desired: request.desired.clone(),
                    reported: Section::Remove,
                    version: 7,
                    timestamp_s: 20,
                    token: token.clone(),
                },
            ),
            (
                ShadowTopicKind::Accepted(Op::Delete),
                encode_deleted(7, 30, Some("t")),
                Answer::Deleted { version: 7, token: token.clone() },
            ),
            (
                ShadowTopicKind::Rejected(Op::Get),
                encode_rejected(&rejection, 30, Some("t")),
                Answer::Rejected { op: Op::Get, rejection: rejection.clone(), token: token.clone() },
            ),
            (
                ShadowTopicKind::Delta,
                encode_delta(&after, Some("t")).unwrap(),
                Answer::Delta {
                    state: object(json!({"a": [1, 2]})),
                    version: 7,
                    timestamp_s: 20,
                    token: token.clone(),
                },
            ),
            (
                ShadowTopicKind::Documents,
                encode_documents(&before, &after, Some("t")),
                Answer::Documents { current: after.clone(), token },
            ),
        ] {
            assert_eq!(decode_answer(&topic(kind), &payload).unwrap(), want, "{kind:?}");
        }
    }

    #[test]
    fn a_bad_answer_says_what_is_wrong() {
        let deep = format!(
            r#"{{"state":{}{},"version":1,"timestamp":1}}"#,
            "{\"a\":".repeat(40),
            "1".to_owned() + &"}".repeat(40)
        );
        let large = vec![b' '; ANSWER_BYTES + 1];
        for (kind, payload, want) in [
            (ShadowTopicKind::Request(Op::Get), &b"{}"[..], "is where shadow requests go"),
            (ShadowTopicKind::Delta, b"", "not JSON"),
            (ShadowTopicKind::Delta, b"{\"a\":", "not JSON"),
            (ShadowTopicKind::Delta, b"\xff", "not UTF-8"),
            (ShadowTopicKind::Delta, b"[]", "an array where an object belongs"),
            (ShadowTopicKind::Delta, &large, "524289 bytes; at most 524288"),
            (ShadowTopicKind::Delta, deep.as_bytes(), "deeper than 32"),
            (ShadowTopicKind::Delta, b"{\"version\":1}", "\"state\" is missing"),
            (ShadowTopicKind::Delta, br#"{"state":{},"version":1}"#, "\"timestamp\" is missing"),
            (ShadowTopicKind::Delta, br#"{"state":{},"version":-1,"timestamp":1}"#, "\"version\" is -1"),
            (ShadowTopicKind::Delta, br#"{"state":3,"version":1,"timestamp":1}"#, "\"state\" is 3"),
            (ShadowTopicKind::Rejected(Op::Get), br#"{"code":70000}"#, "\"code\" is 70000"),
            (ShadowTopicKind::Rejected(Op::Get), br#"{"code":400,"clientToken":5}"#, "\"clientToken\" is 5"),
            (
                ShadowTopicKind::Accepted(Op::Get),
                br#"{"state":{"desired":[]},"version":1,"timestamp":1}"#,
                "\"desired\" is []",
            ),
        ] {
            let error = decode_answer(&topic(kind), payload).unwrap_err().to_string();
            assert!(error.contains(want), "{error:?} lacks {want:?}");
        }
    }

    #[test]
    fn a_version_beyond_signed_counting_is_refused_in_every_answer() {
        let document = |version: u64| json!({"state": {}, "version": version});
        let whole = |version: u64| json!({"state": {}, "version": version, "timestamp": 1});
        let documents = |version: u64| json!({"current": document(version), "timestamp": 1});
        let last = i64::MAX.cast_unsigned();
        for (kind, answer) in [
            (ShadowTopicKind::Accepted(Op::Get), &whole as &dyn Fn(u64) -> Value),
            (ShadowTopicKind::Accepted(Op::Update), &whole),
            (ShadowTopicKind::Accepted(Op::Delete), &whole),
            (ShadowTopicKind::Delta, &whole),
            (ShadowTopicKind::Documents, &documents),
        ] {
            let read = |version: u64| decode_answer(&topic(kind), answer(version).to_string().as_bytes());
            for version in [0, last] {
                assert!(read(version).is_ok(), "{kind:?} {version}");
            }
            for version in [last + 1, u64::MAX] {
                let error = read(version).unwrap_err().to_string();
                assert!(error.contains(&format!("\"version\" is {version}")), "{kind:?}: {error}");
                assert!(error.contains("from 0 to 9223372036854775807"), "{kind:?}: {error}");
            }
        }
    }

    #[test]
    fn a_refusal_needs_no_more_than_its_code() {
        assert_eq!(
            decode_answer(&topic(ShadowTopicKind::Rejected(Op::Update)), br#"{"code":429}"#).unwrap(),
            Answer::Rejected {
                op: Op::Update,
                rejection: Rejection { code: 429, message: String::new() },
                token: None
            }
        );
    }
}
