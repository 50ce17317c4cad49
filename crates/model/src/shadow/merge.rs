//! Merging a request's part of a section into what is there: RFC 7396 on objects, with the time of every value beside it.

use serde_json::{Value, json};

use super::Object;

/// Merges `patch` into `target`: objects deeply, `null` deletes the property, everything else (arrays too) replaces it whole.
pub fn merge(target: &mut Object, patch: &Object) {
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else if let Value::Object(inner) = value {
            if let Some(target) = object_under(target, key) {
                merge(target, inner);
            }
        } else {
            target.insert(key.clone(), value.clone());
        }
    }
}

/// Like [`merge`], and stamps every value it writes with `now_s` (epoch seconds) at the same place of `times`.
pub(super) fn merge_stamped(target: &mut Object, times: &mut Object, patch: &Object, now_s: i64) {
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
            times.remove(key);
        } else if let Value::Object(inner) = value {
            if !target.get(key).is_some_and(Value::is_object) {
                times.remove(key); // the time of a value that is no longer there
            }
            if let (Some(target), Some(times)) = (object_under(target, key), object_under(times, key)) {
                merge_stamped(target, times, inner, now_s);
            }
        } else {
            target.insert(key.clone(), value.clone());
            times.insert(key.clone(), stamp(value, now_s));
        }
    }
}

/// The object at `key`, made where there is none or something else; so it is never `None`.
pub(super) fn object_under<'a>(target: &'a mut Object, key: &str) -> Option<&'a mut Object> {
    let slot = target.entry(key).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Object::new());
    }
    slot.as_object_mut()
}

/// Metadata of one value: an object and an array mirror their shape, everything else is `{"timestamp": now_s}`.
fn stamp(value: &Value, now_s: i64) -> Value {
    match value {
        Value::Object(object) => Value::Object(object.iter().map(|(k, v)| (k.clone(), stamp(v, now_s))).collect()),
        Value::Array(items) => Value::Array(items.iter().map(|v| stamp(v, now_s)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!({ "timestamp": now_s }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_merge_deletes_by_null_and_replaces_arrays_whole() {
        for (name, target, patch, want) in [
            ("a new key", json!({"a":1}), json!({"b":2}), json!({"a":1,"b":2})),
            ("deep", json!({"a":{"x":1,"y":2}}), json!({"a":{"y":3}}), json!({"a":{"x":1,"y":3}})),
            ("null deletes", json!({"a":{"x":1,"y":2}}), json!({"a":{"y":null}}), json!({"a":{"x":1}})),
            ("the last property leaves {}", json!({"a":{"x":1}}), json!({"a":{"x":null}}), json!({"a":{}})),
            ("null of nothing", json!({}), json!({"a":null}), json!({})),
            ("array", json!({"a":[1,2,3]}), json!({"a":[4]}), json!({"a":[4]})),
            ("scalar to object", json!({"a":1}), json!({"a":{"x":null,"y":1}}), json!({"a":{"y":1}})),
            ("object to scalar", json!({"a":{"x":1}}), json!({"a":1}), json!({"a":1})),
            ("{} over a scalar", json!({"a":1}), json!({"a":{}}), json!({"a":{}})),
            ("{} over an object", json!({"a":{"x":1}}), json!({"a":{}}), json!({"a":{"x":1}})),
        ] {
            let mut plain = object(target.clone());
            merge(&mut plain, &object(patch.clone()));
            assert_eq!(Value::Object(plain), want, "{name}");
            let (mut stamped, mut times) = (object(target), Object::new());
            merge_stamped(&mut stamped, &mut times, &object(patch), 7);
            assert_eq!(Value::Object(stamped), want, "{name}, stamped");
        }
    }

    #[test]
    fn only_what_a_merge_writes_is_stamped_anew() {
        let (mut target, mut times) = (Object::new(), Object::new());
        merge_stamped(&mut target, &mut times, &object(json!({"a":{"x":1},"c":[1,{"d":2}],"e":5})), 10);
        merge_stamped(&mut target, &mut times, &object(json!({"a":{"y":2},"e":{"f":1}})), 20);
        assert_eq!(
            Value::Object(times),
            json!({
                "a": {"x": {"timestamp": 10}, "y": {"timestamp": 20}},
                "c": [{"timestamp": 10}, {"d": {"timestamp": 10}}],
                "e": {"f": {"timestamp": 20}},
            })
        );
    }

    #[test]
    fn a_property_named_timestamp_is_a_property() {
        let (mut target, mut times) = (Object::new(), Object::new());
        merge_stamped(&mut target, &mut times, &object(json!({"a":1})), 10);
        merge_stamped(&mut target, &mut times, &object(json!({"a":{"timestamp":3}})), 20);
        assert_eq!(Value::Object(times), json!({"a": {"timestamp": {"timestamp": 20}}}));
    }
}
