//! JSON telemetry: an object of values, with or without an envelope around it and a time beside it.
//!
//! `{"ts":1700000000000,"values":{"power_w":61.8,"door":{"open":false}}}` with the envelope `/values` and the time `/ts` gives
//! `/power_w` = 61.8 and `/door/open` = false at that time. Nested objects become longer pointers, array elements `…/0`.
//! `null` says nothing. Numbers beyond `f64` are not JSON numbers to us and refuse the message.

use fleetlens_model::shadow::{Object, pointer_of};
use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::{WireError, json};

/// The largest telemetry payload, in bytes (what a 256-KiB document needs; AWS allows 128 KiB).
pub const PAYLOAD_MAX_BYTES: usize = 256 * 1024;

/// Values one message may carry.
pub const VALUES_MAX: usize = 512;

/// The longest JSON pointer of a value, in bytes; each becomes a series with a row, an index entry and a place on the screen.
pub const POINTER_MAX_BYTES: usize = 256;

/// Brackets within each other.
const NESTING_MAX: usize = 8;

/// Seconds and milliseconds since the epoch are told apart here: 10¹¹ ms is March 1973, 10¹¹ s the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// Where in a payload the values and the time stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// JSON pointer of the object of values; empty for the whole payload.
    pub values: String,
    /// JSON pointer of the time, epoch seconds or milliseconds; `None` when there is none. Inside the values it is taken out of them.
    pub time: Option<String>,
}

/// What a telemetry message says.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// The device's time, not judged yet.
    pub claimed: Option<WallMs>,
    /// Pointer (after the envelope) and value, sorted by pointer.
    pub values: Vec<(String, Value)>,
}

/// Reads a telemetry payload, or says why not. All or nothing: a message with one bad value is refused as a whole, so that nobody
/// takes half of it for all of it.
pub fn decode(payload: &[u8], envelope: &Envelope) -> Result<Telemetry, WireError> {
    let whole = Json::Object(json::object(payload, PAYLOAD_MAX_BYTES, NESTING_MAX)?);
    let claimed = envelope.time.as_deref().map(|pointer| time_at(&whole, pointer)).transpose()?.flatten();
    let values = whole.pointer(&envelope.values).ok_or_else(|| json::missing(&envelope.values))?;
    let Json::Object(values) = values else {
        return Err(json::wrong(&envelope.values, values, "an object of values"));
    };
    let time_inside = envelope.time.as_deref().and_then(|t| t.strip_prefix(envelope.values.as_str()));
    let mut found = Vec::with_capacity(values.len());
    collect(values, "", time_inside, &mut found)?;
    // By pointer, not as sent: whether a JSON object keeps its order depends on who else in the program wants it to.
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Telemetry { claimed, values: found })
}

fn time_at(whole: &Json, pointer: &str) -> Result<Option<WallMs>, WireError> {
    match whole.pointer(pointer) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(ms) if (MILLISECONDS_FROM..=9e15).contains(&ms) => Ok(Some(WallMs(ms as i64))),
            Some(s) if (0.0..MILLISECONDS_FROM).contains(&s) => Ok(Some(WallMs((s * 1000.0) as i64))),
            Some(_) | None => Err(json::wrong(pointer, value, "a time in seconds or milliseconds since 1970")),
        },
    }
}

fn collect(object: &Object, at: &str, skip: Option<&str>, found: &mut Vec<(String, Value)>) -> Result<(), WireError> {
    for (name, value) in object {
        let pointer = format!("{at}{}", pointer_of([name.as_str()]));
        if skip != Some(pointer.as_str()) {
            collect_value(value, pointer, skip, found)?;
        }
    }
    Ok(())
}

fn collect_value(
    value: &Json,
    pointer: String,
    skip: Option<&str>,
    found: &mut Vec<(String, Value)>,
) -> Result<(), WireError> {
    // Before going deeper: what lies below would only be longer, and a long name copied for each of thousands is a load by itself.
    if pointer.len() > POINTER_MAX_BYTES {
        let (given, max) = (pointer.len(), POINTER_MAX_BYTES);
        return Err(WireError::NameTooLong { pointer: quote(&pointer, QUOTE_MAX_CHARS), given, max });
    }
    let value = match value {
        Json::Null => return Ok(()),
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => match number.as_f64() {
            Some(n) if n.is_finite() => Value::Number(n),
            Some(_) | None => return Err(json::wrong(&pointer, value, "a number that fits 64-bit floating point")),
        },
        Json::String(text) if text.len() > TEXT_MAX_BYTES => {
            return Err(json::wrong(&pointer, value, "a text of at most 1024 bytes"));
        }
        Json::String(text) => Value::Text(text.clone()),
        Json::Object(inner) => return collect(inner, &pointer, skip, found),
        Json::Array(items) => {
            return items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| collect_value(item, format!("{pointer}/{i}"), skip, found));
        }
    };
    if found.len() >= VALUES_MAX {
        return Err(WireError::TooMany { max: VALUES_MAX });
    }
    found.push((pointer, value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(values: &str, time: Option<&str>) -> Envelope {
        Envelope { values: values.into(), time: time.map(Into::into) }
    }

    #[test]
    fn values_are_series_after_the_envelope_is_taken_off() {
        let n = Value::Number;
        for (name, payload, envelope, claimed, values) in [
            ("bare", r#"{"b":2,"a":1}"#, envelope("", None), None, vec![("/a", n(1.0)), ("/b", n(2.0))]),
            (
                "thingsboard",
                r#"{"ts":1700000000123,"values":{"power_w":61.8,"on":true}}"#,
                envelope("/values", Some("/ts")),
                Some(1_700_000_000_123),
                vec![("/on", Value::Flag(true)), ("/power_w", n(61.8))],
            ),
            (
                "the time lies among the values",
                r#"{"VP":{"tsi":1700000000,"spd":3}}"#,
                envelope("/VP", Some("/VP/tsi")),
                Some(1_700_000_000_000),
                vec![("/spd", n(3.0))],
            ),
            (
                "nested, an array, nothing",
                r#"{"a":{"b~/c":"x"},"l":[1,null],"n":null}"#,
                envelope("", Some("/ts")),
                None,
                vec![("/a/b~0~1c", Value::Text("x".into())), ("/l/0", n(1.0))],
            ),
        ] {
            let got = decode(payload.as_bytes(), &envelope).unwrap();
            assert_eq!(got.claimed, claimed.map(WallMs), "{name}");
            let want: Vec<(String, Value)> = values.into_iter().map(|(p, v)| (p.to_string(), v)).collect();
            assert_eq!(got.values, want, "{name}");
        }
    }

    #[test]
    fn the_longest_name_is_kept() {
        for name in ["n".repeat(255), "~".repeat(127) + "n"] {
            let payload = format!(r#"{{"{name}":1}}"#);
            let values = decode(payload.as_bytes(), &envelope("", None)).unwrap().values;
            assert_eq!(values[0].0.len(), POINTER_MAX_BYTES, "{name}");
        }
    }

    #[test]
    fn a_bad_payload_is_refused_whole_and_says_why() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        let many: String = (0..600).map(|i| format!("\"v{i}\":1,")).collect();
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(1025));
        let named = |name: &str| format!(r#"{{"values":{{"{name}":1}}}}"#);
        let nested = |length: usize| format!(r#"{{"{0}":{{"{0}":1}}}}"#, "n".repeat(length));
        for (name, payload, says) in [
            ("empty", String::new(), "not JSON"),
            ("an array", "[1]".into(), "an array where an object belongs"),
            ("beyond f64", r#"{"values":{"a":1e999}}"#.into(), "not JSON"),
            ("deep", deep, "not JSON: recursion limit"),
            ("many", format!("{{\"values\":{{{}\"z\":1}}}}", many), "more than 512 values"),
            ("long text", format!(r#"{{"values":{long}}}"#), "at most 1024 bytes"),
            ("a long name", named(&"n".repeat(256)), "nnn…\", has 257 bytes; at most 256"),
            ("a long name of two bytes a letter", named(&"ħ".repeat(128)), "has 257 bytes; at most 256"),
            ("names long together", format!(r#"{{"values":{}}}"#, nested(130)), "has 262 bytes; at most 256"),
            ("escapes count as they are kept", named(&"~".repeat(128)), "has 257 bytes; at most 256"),
            ("no envelope", r#"{"a":1}"#.into(), "\"/values\" is missing"),
            ("values are no object", r#"{"values":3}"#.into(), "an object of values"),
            ("a time that is none", r#"{"ts":"now","values":{}}"#.into(), "a time in seconds or milliseconds"),
            ("a time before 1970", r#"{"ts":-5,"values":{}}"#.into(), "a time in seconds or milliseconds"),
            ("huge", " ".repeat(PAYLOAD_MAX_BYTES + 1), "at most 262144"),
        ] {
            let error = decode(payload.as_bytes(), &envelope("/values", Some("/ts"))).unwrap_err().to_string();
            assert!(error.contains(says), "{name}: {error}");
        }
        let error = decode(b"{\"values\":{\"a\":\"\xff\"}}", &envelope("/values", None)).unwrap_err().to_string();
        assert!(error.contains("not UTF-8 from byte"), "{error}");
    }
}
