//! What the device has not done yet.

use serde_json::{Number, Value};

use super::Object;

/// The part of `desired` that `reported` lacks or holds otherwise, and the part of `times` that belongs to it.
///
/// Only `desired` is walked: what is reported and not desired is no difference (developer guide, "Delta state").
pub(super) fn between(desired: &Object, reported: &Object, times: &Object) -> (Object, Object) {
    let (mut state, mut meta) = (Object::new(), Object::new());
    for (key, want) in desired {
        let time = times.get(key);
        let (open, open_time) = match (want, reported.get(key)) {
            (Value::Object(want), Some(Value::Object(have))) => {
                let nothing = Object::new();
                let (inner, inner_times) = between(want, have, time.and_then(Value::as_object).unwrap_or(&nothing));
                if inner.is_empty() {
                    continue;
                }
                (Value::Object(inner), Some(Value::Object(inner_times)))
            }
            (want, Some(have)) if same_value(want, have) => continue,
            (want, _) => (want.clone(), time.cloned()),
        };
        state.insert(key.clone(), open);
        if let Some(open_time) = open_time {
            meta.insert(key.clone(), open_time);
        }
    }
    (state, meta)
}

/// Whether two JSON values are the same to a shadow: by shape, and numbers by value (40 is 40.0; JSON knows one kind of number).
pub fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whether a reported value does what is wanted: numbers within the tolerance, everything else by equality.
pub fn is_met(want: &Value, have: &Value, tolerance: f64) -> bool {
    match (want.as_f64(), have.as_f64()) {
        (Some(wanted), Some(had)) => (wanted - had).abs() <= tolerance.max(f64::EPSILON * wanted.abs()),
        _ => same_value(want, have),
    }
}

/// Whole numbers exactly (a 64-bit identifier must not be rounded), all others as `f64`.
fn same_number(a: &Number, b: &Number) -> bool {
    let whole = |n: &Number| n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a == b,
        (Some(_) | None, Some(_) | None) => a.as_f64() == b.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Document, Request, Section};
    use super::*;

    fn document(desired: Value, reported: Value) -> Document {
        let section = |v: Value| v.as_object().cloned().map_or(Section::Absent, Section::Merge);
        let request = Request { desired: section(desired), reported: section(reported), ..Request::default() };
        Document::default().update(&request, 9).unwrap()
    }

    #[test]
    fn the_delta_is_every_open_wish_from_the_root() {
        for (name, desired, reported, want) in [
            ("converged", json!({"a":1}), json!({"a":1,"b":2}), None),
            ("nothing wanted", Value::Null, json!({"a":1}), None),
            ("nothing reported", json!({"a":1}), Value::Null, Some(json!({"a":1}))),
            ("another value", json!({"a":1,"b":2}), json!({"a":1,"b":3}), Some(json!({"b":2}))),
            (
                "nested",
                json!({"l":{"c":{"r":255,"g":255}}}),
                json!({"l":{"c":{"r":255,"g":0}}}),
                Some(json!({"l":{"c":{"g":255}}})),
            ),
            ("arrays whole", json!({"a":[1,2]}), json!({"a":[1,3]}), Some(json!({"a":[1,2]}))),
            ("{} is met by any object", json!({"a":{}}), json!({"a":{"x":1}}), None),
            ("{} is not met by a scalar", json!({"a":{}}), json!({"a":1}), Some(json!({"a":{}}))),
            ("{} is not met by nothing", json!({"a":{}}), json!({}), Some(json!({"a":{}}))),
            ("numbers by value", json!({"a":40,"b":[1.0]}), json!({"a":40.0,"b":[1]}), None),
            ("a text is no number", json!({"a":"1"}), json!({"a":1}), Some(json!({"a":"1"}))),
            (
                "large whole numbers exactly",
                json!({"a":9_007_199_254_740_993_u64}),
                json!({"a":9_007_199_254_740_992_u64}),
                Some(json!({"a":9_007_199_254_740_993_u64})),
            ),
        ] {
            let got = document(desired, reported).delta();
            assert_eq!(got.map(|(state, _)| Value::Object(state)), want, "{name}");
        }
    }

    #[test]
    fn the_metadata_of_a_delta_is_that_of_what_is_wanted() {
        let (_, meta) = document(json!({"a":{"b":[1,2],"c":1}}), json!({"a":{"c":1}})).delta().unwrap();
        assert_eq!(Value::Object(meta), json!({"a":{"b":[{"timestamp":9},{"timestamp":9}]}}));
    }
}
