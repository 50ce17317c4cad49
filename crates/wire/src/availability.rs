//! Whether a thing is there, where a topic of its own says so: a word or a flag, mostly retained and left behind as the last will
//! (`tele/{thing}/LWT` with `Online` and `Offline`).

use fleetlens_model::freshness::Presence;
use serde_json::Value as Json;

use crate::pointer::Pointer;
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::template::Template;
use crate::{WireError, json};

/// The largest payload, in bytes.
const PAYLOAD_MAX_BYTES: usize = 4_096;

/// Brackets in each other of one that is JSON.
const NESTING_MAX: usize = 8;

/// One sort of such topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Which topics, and whose.
    pub template: Template,
    /// Where the word stands in a payload of JSON; `None` for a payload that is the word and nothing else.
    pub pointer: Option<Pointer>,
    /// What it says of a thing that is there.
    pub online: String,
    /// What it says of one that is gone.
    pub offline: String,
}

impl Availability {
    /// Reads a payload; an empty one says nothing: the retained message was taken back.
    pub fn decode(&self, payload: &[u8]) -> Result<Option<Presence>, WireError> {
        if payload.is_empty() {
            return Ok(None);
        }
        let said = match &self.pointer {
            None if payload.len() > PAYLOAD_MAX_BYTES => {
                return Err(WireError::TooLarge { given: payload.len(), max: PAYLOAD_MAX_BYTES });
            }
            None => json::text(payload)?.trim().to_owned(),
            Some(at) => {
                let whole = json::document(payload, PAYLOAD_MAX_BYTES, NESTING_MAX)?;
                match at.find(&whole)?.ok_or_else(|| json::missing(&at.to_string()))?.value {
                    Json::String(word) => word.clone(),
                    single @ (Json::Bool(_) | Json::Number(_)) => single.to_string(),
                    other @ (Json::Null | Json::Array(_) | Json::Object(_)) => {
                        return Err(json::wrong(&at.to_string(), other, "a word, a number or a flag"));
                    }
                }
            }
        };
        // A cleared last will, a boot message, a third word: what it means is the profile's to say, not ours to guess.
        match said {
            said if said == self.online => Ok(Some(Presence::Here)),
            said if said == self.offline => Ok(Some(Presence::Gone)),
            said => Err(WireError::NoAvailability {
                given: quote(&said, QUOTE_MAX_CHARS),
                online: quote(&self.online, QUOTE_MAX_CHARS),
                offline: quote(&self.offline, QUOTE_MAX_CHARS),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pointer: Option<&str>, online: &str, offline: &str) -> Availability {
        Availability {
            template: Template::parse("tele/{thing}/LWT").unwrap(),
            pointer: pointer.map(|pointer| Pointer::parse(pointer).unwrap()),
            online: online.into(),
            offline: offline.into(),
        }
    }

    #[test]
    fn a_word_or_a_place_in_json_says_who_is_there() {
        let (plain, nested) = (at(None, "Online", "Offline"), at(Some("/connected"), "true", "false"));
        let numbered = at(Some("/state/code"), "1", "0");
        for (of, payload, want) in [
            (&plain, "Online", Some(Presence::Here)),
            (&plain, "Offline\n", Some(Presence::Gone)),
            (&plain, "", None),
            (&nested, r#"{"connected":true}"#, Some(Presence::Here)),
            (&nested, r#"{"connected":"false","rssi":-70}"#, Some(Presence::Gone)),
            (&nested, "", None),
            (&numbered, r#"{"state":{"code":0}}"#, Some(Presence::Gone)),
        ] {
            assert_eq!(of.decode(payload.as_bytes()).unwrap(), want, "{payload}");
        }
    }

    #[test]
    fn what_says_neither_is_refused_with_both_words() {
        let (plain, nested) = (at(None, "Online", "Offline"), at(Some("/connected"), "true", "false"));
        let long = "x".repeat(5_000);
        for (of, payload, says) in [
            (&plain, "online", "says \"online\"; the profile knows \"Online\" and \"Offline\""),
            (&plain, long.as_str(), "at most 4096 are read"),
            (&nested, "{}", "\"/connected\" is missing"),
            (&nested, r#"{"connected":null}"#, "a word, a number or a flag"),
            (&nested, "true", "is missing"),
            (&nested, "{", "not JSON"),
        ] {
            let error = of.decode(payload.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{payload}: {error}");
        }
        assert!(plain.decode(b"\xff").unwrap_err().to_string().contains("UTF-8"));
    }
}
