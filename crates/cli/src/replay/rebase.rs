//! Times inside payloads, moved so that a recording seems to happen while it is played. Everything else in a payload stays as it
//! is, to the byte.

use std::ops::Range;

use fleetlens_host::Profile;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::pace::Pace;
use super::written;

/// Why a message goes out as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Left {
    /// Nobody says where its time stands.
    #[serde(rename = "no [[telemetry]] of the profile reads the topic")]
    Unread,
    /// It has no time of its own.
    #[serde(rename = "the profile names no time for the topic")]
    Untimed,
    /// There is nothing, or nothing that is a time in UTC or with its zone, where the profile says.
    #[serde(rename = "there is no time where the profile says")]
    Missing,
}

/// Where times stand, and where they come to lie.
pub struct Rebase {
    profile: Option<Profile>,
    pace: Pace,
}

impl Rebase {
    /// By the times a profile names; without one everything is left as it is.
    pub fn new(profile: Option<Profile>, pace: Pace) -> Rebase {
        Rebase { profile, pace }
    }

    /// The payload with its time moved, or why it stays as it is.
    pub fn payload(&self, topic: &str, payload: &[u8]) -> Result<Vec<u8>, Left> {
        let mut rules = self.profile.iter().flat_map(|profile| &profile.telemetry);
        let rule = rules.find(|rule| rule.template.find(topic).is_some()).ok_or(Left::Unread)?;
        let pointer = rule.reading.time.as_ref().ok_or(Left::Untimed)?;
        self.moved(payload, &pointer.to_string()).ok_or(Left::Missing)
    }

    fn moved(&self, payload: &[u8], pointer: &str) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(payload).ok()?;
        let at = find(text, pointer)?;
        let time = written::moved(text.get(at.clone())?, |us| self.pace.moved_us(us))?;
        Some([text.get(..at.start)?, &time, text.get(at.end..)?].concat().into_bytes())
    }
}

/// Where in a JSON text the value of a pointer (RFC 6901) stands; `None` where the text is not JSON or has no such value. Of a name
/// that stands there twice the last counts, as it does for who reads the message.
fn find(text: &str, pointer: &str) -> Option<Range<usize>> {
    let mut at = value(text, 0)?;
    if !text.get(at.end..)?.trim_start().is_empty() {
        return None;
    }
    for token in pointer.split('/').skip(1) {
        at = member(text, at.start, &token.replace("~1", "/").replace("~0", "~"))?;
    }
    Some(at)
}

/// The value of a member of the object, or of an element of the array, that begins there.
fn member(text: &str, at: usize, name: &str) -> Option<Range<usize>> {
    let is_object = match text.as_bytes().get(at)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut found = None;
    let mut at = at + 1;
    for number in 0_usize.. {
        at = past_space(text, at);
        if text.get(at..)?.starts_with(['}', ']']) {
            break;
        }
        let is_it = if is_object {
            let key: Range<usize> = read::<String>(text, at)?;
            let is_it = serde_json::from_str::<String>(text.get(key.clone())?).ok()? == name;
            at = past_space(text, key.end) + 1; // the colon
            is_it
        } else {
            number.to_string() == name
        };
        let value = value(text, at)?;
        at = past_space(text, value.end);
        if is_it {
            found = Some(value);
        }
        if text.get(at..)?.starts_with(',') {
            at += 1;
        }
    }
    found
}

/// The JSON value that begins there, without the space before it.
fn value(text: &str, at: usize) -> Option<Range<usize>> {
    read::<IgnoredAny>(text, at)
}

fn read<'a, T: Deserialize<'a>>(text: &'a str, at: usize) -> Option<Range<usize>> {
    let at = past_space(text, at);
    let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<T>();
    values.next()?.ok()?;
    Some(at..at + values.byte_offset())
}

/// The next place with something else than space.
fn past_space(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len()
}

#[cfg(test)]
mod tests {
    use fleetlens_host::model::time::WallMs;

    use super::super::pace::Speed;
    use super::*;

    #[test]
    fn a_value_is_found_where_it_stands() {
        let text = r#" {"a" : [ {"t": 1}, {"t" :2 , "t":3}, "}" ], "b~/c":{"":"x\"}"} , "n":null} "#;
        for (pointer, want) in [
            ("", Some(text.trim())),
            ("/a/0/t", Some("1")),
            ("/a/1/t", Some("3")),
            ("/a/2", Some("\"}\"")),
            ("/a/3", None),
            ("/a/00", None),
            ("/b~0~1c/", Some("\"x\\\"}\"")),
            ("/n", Some("null")),
            ("/n/x", None),
            ("/x", None),
        ] {
            assert_eq!(find(text, pointer).map(|at| &text[at]), want, "{pointer}");
        }
        let deep = "[".repeat(10_000);
        for broken in ["", "{", "{\"a\":1", "{\"a\":1}}", "{\"a\":1,,}", "nul", &deep] {
            assert_eq!(find(broken, "/a"), None, "{broken}");
        }
    }

    #[test]
    fn only_the_time_of_a_payload_changes() {
        let pace = Pace::new(
            Speed::Times(1.0),
            WallMs(1_000_000_000_000),
            WallMs(1_000_000_060_000),
            WallMs(1_700_000_000_000),
        );
        let rebase = Rebase::new(Some(Profile::demo().unwrap()), pace);
        let topic = "city/valletta/lamp/lamp-0417/telemetry";
        let moved = rebase.payload(topic, br#"{ "values":{"b":1.50,"a":1e2}, "ts":1000000000400}"#).unwrap();
        assert_eq!(std::str::from_utf8(&moved).unwrap(), r#"{ "values":{"b":1.50,"a":1e2}, "ts":1700000000400}"#);
        for (topic, payload, want) in [
            (topic, &b"{\"values\":{}}"[..], Left::Missing),
            (topic, b"{\"ts\":\"soon\",\"values\":{}}", Left::Missing),
            (topic, b"\xff", Left::Missing),
            ("city/valletta/lamp/lamp-0417/meta", b"{\"ts\":1}", Left::Unread),
        ] {
            assert_eq!(rebase.payload(topic, payload), Err(want), "{topic}");
        }
        assert_eq!(Rebase::new(None, pace).payload(topic, b"{\"ts\":1}"), Err(Left::Unread));
    }
}
