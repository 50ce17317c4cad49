//! From JSON to values: every leaf of an object by its pointer, renamed, counted and bounded.

use fleetlens_model::shadow::{Object, pointer_of};
use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use serde_json::Value as Json;

use super::{About, Fact, POINTER_MAX_BYTES, Reading, Telemetry, Use, VALUES_MAX};
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::{WireError, json};

/// Adds every leaf below `at` to `found`, except those at a pointer of `skip`.
pub(super) fn collect(
    object: &Object,
    at: &str,
    skip: &[&str],
    found: &mut Vec<(String, Value)>,
) -> Result<(), WireError> {
    for (name, value) in object {
        let pointer = format!("{at}{}", pointer_of([name.as_str()]));
        if !skip.contains(&pointer.as_str()) {
            collect_value(value, pointer, skip, found)?;
        }
    }
    Ok(())
}

/// Adds a value, or every leaf of it.
pub(crate) fn collect_value(
    value: &Json,
    pointer: String,
    skip: &[&str],
    found: &mut Vec<(String, Value)>,
) -> Result<(), WireError> {
    // Before going deeper: what lies below would only be longer, and a long name copied for each of thousands is a load by itself.
    check_length(&pointer)?;
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
    add(pointer, value, found)
}

/// Adds a value unless there are as many as there may be.
pub(crate) fn add(pointer: String, value: Value, found: &mut Vec<(String, Value)>) -> Result<(), WireError> {
    if found.len() >= VALUES_MAX {
        return Err(WireError::TooMany { max: VALUES_MAX });
    }
    found.push((pointer, value));
    Ok(())
}

/// Refuses a pointer that is too long for a series.
pub(crate) fn check_length(pointer: &str) -> Result<(), WireError> {
    if pointer.len() > POINTER_MAX_BYTES {
        let (given, max) = (pointer.len(), POINTER_MAX_BYTES);
        return Err(WireError::NameTooLong { pointer: quote(pointer, QUOTE_MAX_CHARS), given, max });
    }
    Ok(())
}

/// Puts values to the use the rule has for them, and in order; two of one name are refused, since nobody said which is meant.
pub(crate) fn finish(mut said: Telemetry, reading: &Reading) -> Result<Telemetry, WireError> {
    if !reading.uses.is_empty() {
        let given = std::mem::take(&mut said.values);
        for (pointer, value) in given {
            match reading.uses.get(&pointer) {
                None => said.values.push((pointer, value)),
                Some(Use::Nothing) => {}
                Some(Use::Says(fact)) => tell(&mut said.about, *fact, &value),
                Some(Use::As { least: Some(least), .. }) if value.as_number().is_some_and(|n| n < *least) => {}
                Some(Use::As { pointer: name, times, .. }) => {
                    said.values.push((name.clone(), scaled(value, *times, &pointer)?));
                }
            }
        }
        rename_units(&mut said.about.units, reading);
    }
    // By pointer, not as sent: whether a JSON object keeps its order depends on who else in the program wants it to.
    said.values.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut pairs = said.values.iter().zip(said.values.iter().skip(1));
    match pairs.find(|((a, _), (b, _))| a == b) {
        Some(((pointer, _), _)) => Err(WireError::Twice { pointer: quote(pointer, QUOTE_MAX_CHARS) }),
        None => Ok(said),
    }
}

/// Units follow their values; that of a value which is multiplied is another, and its kind knows which.
fn rename_units(units: &mut Vec<(String, String)>, reading: &Reading) {
    units.retain_mut(|(pointer, _)| match reading.uses.get(pointer) {
        None => true,
        Some(Use::As { pointer: name, times, .. }) if *times == 1.0 => {
            pointer.clone_from(name);
            true
        }
        Some(Use::As { .. } | Use::Nothing | Use::Says(_)) => false,
    });
}

/// A number in the unit of its new name; anything else stays as it is.
pub(crate) fn scaled(value: Value, times: f64, pointer: &str) -> Result<Value, WireError> {
    match value {
        // Not multiplied by one, so that a value that is only renamed stays what it was to the last bit.
        Value::Number(n) if times != 1.0 => {
            let scaled = n * times;
            if scaled.is_finite() {
                return Ok(Value::Number(scaled));
            }
            Err(json::wrong(
                pointer,
                &Json::from(n),
                "a number that fits 64-bit floating point in the unit of its new name",
            ))
        }
        Value::Number(_) | Value::Flag(_) | Value::Text(_) => Ok(value),
    }
}

fn tell(about: &mut About, fact: Fact, value: &Value) {
    match value {
        Value::Number(number) => about.count(fact, *number),
        Value::Text(text) => about.say(fact, text),
        Value::Flag(_) => {}
    }
}

/// A thing's name out of a payload: a text, or a whole number as many feeds count their things.
pub(crate) fn named(value: &Json, at: &str) -> Result<String, WireError> {
    match value {
        Json::String(text) if !text.is_empty() => Ok(text.clone()),
        Json::Number(number) if number.is_u64() || number.is_i64() => Ok(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            Err(json::wrong(at, value, "the thing's name, a text or a whole number"))
        }
    }
}
