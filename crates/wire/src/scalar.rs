//! A payload that is one value and nothing else, as many small devices write it: `23.5`, `true`, `"open"`, `ON`.
//!
//! What is JSON is read as such; of the rest what counts as a number elsewhere (`+5`, `.5`) is one, and any other text is itself:
//! `ON` is no `true`, because only the device knows whether its words mean yes and no. The topic says whose value it is, and it or
//! the profile how it is called. It is as old as its arrival.

use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use serde_json::Value as Json;

use crate::telemetry::{Reading, Telemetry, add, check_length, finish};
use crate::template::Place;
use crate::{WireError, json};

/// The longest payload: a text of the most bytes a value may have, each escaped as `\u0000`.
const SCALAR_MAX_BYTES: usize = 6 * TEXT_MAX_BYTES + 2;

/// Reads one value. An empty payload says nothing: a retained message was taken back.
pub(crate) fn decode(payload: &[u8], reading: &Reading, place: &Place<'_>) -> Result<Vec<Telemetry>, WireError> {
    if payload.len() > SCALAR_MAX_BYTES {
        return Err(WireError::TooLarge { given: payload.len(), max: SCALAR_MAX_BYTES });
    }
    let text = std::str::from_utf8(payload).map_err(|error| WireError::NotUtf8 { at: error.valid_up_to() })?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let pointer = if reading.value.is_empty() { place.value.as_str() } else { reading.value.as_str() };
    if pointer.is_empty() {
        return Err(json::missing("value"));
    }
    check_length(pointer)?;
    let mut said = Telemetry::default();
    if let Some(value) = value(text, pointer)? {
        add(pointer.to_owned(), value, &mut said.values)?;
    }
    Ok(vec![finish(said, reading)?])
}

/// The value that a text is; `None` for `null`.
fn value(text: &str, pointer: &str) -> Result<Option<Value>, WireError> {
    let too_great = || json::wrong(pointer, &Json::from(text), "a number that fits 64-bit floating point");
    let value = match serde_json::from_str::<Json>(text) {
        Ok(Json::Null) => return Ok(None),
        Ok(Json::Bool(flag)) => Value::Flag(flag),
        Ok(Json::Number(number)) => Value::Number(number.as_f64().filter(|n| n.is_finite()).ok_or_else(too_great)?),
        Ok(Json::String(text)) => Value::Text(text),
        Ok(Json::Array(_)) => return Err(WireError::NotScalar { given: "an array" }),
        Ok(Json::Object(_)) => return Err(WireError::NotScalar { given: "an object" }),
        // What begins like JSON and is none was cut off or never was a value.
        Err(error) if text.starts_with(['{', '[', '"']) => return Err(json::not_json(&error)),
        Err(_) if text.chars().any(char::is_control) => return Err(WireError::NotScalar { given: "no text" }),
        // Words that Rust takes for numbers, such as inf, are words.
        Err(_) if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => {
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Number(number),
                Ok(_) if text.chars().any(|c| c.is_ascii_digit()) => return Err(too_great()),
                Ok(_) | Err(_) => Value::Text(text.to_owned()),
            }
        }
        Err(_) => Value::Text(text.to_owned()),
    };
    match &value {
        Value::Text(text) if text.len() > TEXT_MAX_BYTES => {
            Err(json::wrong(pointer, &Json::from(text.as_str()), "a text of at most 1024 bytes"))
        }
        Value::Number(_) | Value::Flag(_) | Value::Text(_) => Ok(Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;
    use crate::telemetry::{Shape, Use, decode_at};

    fn read(payload: &[u8], reading: &Reading) -> Result<Vec<Telemetry>, WireError> {
        let place = Place { value: "/temperature".into(), ..Place::default() };
        decode_at(payload, reading, &place, WallMs(0))
    }

    fn scalar() -> Reading {
        Reading { shape: Shape::Scalar, ..Reading::default() }
    }

    #[test]
    fn a_value_is_what_it_looks_like() {
        let (n, word) = (Value::Number, |text: &str| Value::Text(text.into()));
        let long = "x".repeat(TEXT_MAX_BYTES);
        for (payload, want) in [
            ("23.5", n(23.5)),
            (" 23.5\r\n", n(23.5)),
            ("-1e3", n(-1000.0)),
            ("+5", n(5.0)),
            (".5", n(0.5)),
            ("007", n(7.0)),
            ("true", Value::Flag(true)),
            ("\"open\"", word("open")),
            ("\"23.5\"", word("23.5")),
            ("ON", word("ON")),
            ("inf", word("inf")),
            ("-inf", word("-inf")),
            ("23,5", word("23,5")),
            ("2026-11-21T08:00:00Z", word("2026-11-21T08:00:00Z")),
            ("Ħamrun", word("Ħamrun")),
            (long.as_str(), word(&long)),
        ] {
            let said =
                read(payload.as_bytes(), &scalar()).unwrap_or_else(|error| panic!("{payload}: {error}")).remove(0);
            assert_eq!(said.values, [("/temperature".to_owned(), want)], "{payload}");
            assert_eq!((said.thing, said.claimed), (None, None));
        }
        assert_eq!(read(b"", &scalar()), Ok(vec![]), "taken back");
        assert_eq!(read(b"null", &scalar()), Ok(vec![Telemetry::default()]), "heard, and nothing said");
    }

    #[test]
    fn the_profile_names_it_or_puts_it_to_another_use() {
        let named = Reading { value: "/level".into(), ..scalar() };
        assert_eq!(read(b"3", &named).unwrap()[0].values, [("/level".to_owned(), Value::Number(3.0))]);
        let to = Use::As { pointer: "/temp_c".into(), times: 0.1, least: None };
        let renamed = Reading { uses: [("/temperature".to_owned(), to)].into(), ..scalar() };
        assert_eq!(read(b"215", &renamed).unwrap()[0].values, [("/temp_c".to_owned(), Value::Number(21.5))]);
    }

    #[test]
    fn what_is_not_one_value_is_refused_with_the_reason() {
        let long = "x".repeat(TEXT_MAX_BYTES + 1);
        let huge = " ".repeat(SCALAR_MAX_BYTES + 1);
        let deep = "[".repeat(4_000);
        for (payload, says) in [
            ("{\"a\":1}".as_bytes(), "is an object where a single value belongs"),
            (b"[1]", "is an array where a single value belongs"),
            (b"{\"a\":", "not JSON"),
            (b"\"open", "not JSON"),
            (deep.as_bytes(), "not JSON"),
            (b"1e999", "is \"1e999\"; it must be a number that fits"),
            (b"+1e999", "a number that fits"),
            (b"a\x00b", "is no text where a single value belongs"),
            (b"\xff\xd8\xff", "not UTF-8 from byte 0"),
            (long.as_bytes(), "at most 1024 bytes"),
            (huge.as_bytes(), "at most 6146"),
        ] {
            let error = read(payload, &scalar()).unwrap_err().to_string();
            assert!(error.contains(says), "{}: {error}", String::from_utf8_lossy(payload));
        }
        let nameless = decode_at(b"3", &scalar(), &Place::default(), WallMs(0)).unwrap_err().to_string();
        assert!(nameless.contains("\"value\" is missing"), "{nameless}");
    }
}
