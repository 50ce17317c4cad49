//! What a request may hold, before it is merged.

use serde_json::Value;

use super::limits::NESTING;
use super::{Object, Rejection};

/// Refuses (400) a section that nests deeper than [`NESTING`] steps or holds `null` anywhere inside an array.
pub(super) fn check(section: &Object) -> Result<(), Rejection> {
    check_object(section, 1, false)
}

fn check_object(object: &Object, steps: usize, in_array: bool) -> Result<(), Rejection> {
    object.values().try_for_each(|value| check_value(value, steps, in_array))
}

/// `steps` is how many keys and indices lead to `value`.
fn check_value(value: &Value, steps: usize, in_array: bool) -> Result<(), Rejection> {
    if steps > NESTING {
        return Err(Rejection::bad_request(format!("JSON contains too many levels of nesting; maximum is {NESTING}")));
    }
    match value {
        Value::Object(object) => check_object(object, steps + 1, in_array),
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, steps + 1, true)),
        Value::Null if in_array => {
            Err(Rejection::bad_request("State contains an invalid node: an array may not hold null"))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(steps: usize, innermost: Value) -> Value {
        (0..steps).fold(innermost, |inner, _| json!({ "k": inner }))
    }

    #[test]
    fn nesting_is_counted_in_steps_from_the_section() {
        for (name, section, code) in [
            ("eight keys", nested(8, json!(1)), None),
            ("eight keys to {}", nested(8, json!({})), None),
            ("nine keys", nested(9, json!(1)), Some(400)),
            ("nine keys to null", nested(9, Value::Null), Some(400)),
            ("seven keys and an index", nested(7, json!([1])), None),
            ("eight keys and an index", nested(8, json!([1])), Some(400)),
            ("null in an array", json!({"a":[null]}), Some(400)),
            ("null in an array in an array", json!({"a":[[1,null]]}), Some(400)),
            ("null in an object in an array", json!({"a":[{"b":null}]}), Some(400)),
            ("null as a deletion", json!({"a":{"b":null}}), None),
            ("an empty array", json!({"a":[]}), None),
        ] {
            let got = check(section.as_object().unwrap()).err().map(|rejection| rejection.code);
            assert_eq!(got, code, "{name}");
        }
    }
}
