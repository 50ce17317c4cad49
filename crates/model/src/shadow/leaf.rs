//! The values of a shadow one by one, each under its JSON pointer (RFC 6901): what a table shows and a command touches.

use std::collections::BTreeMap;

use serde_json::Value;

use super::merge::object_under;
use super::{Document, Object};

/// One value of a shadow, wanted and reported side by side.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Leaf {
    /// From the section's root: `/config/dim_pct`, with `~` as `~0` and `/` as `~1` (RFC 6901).
    pub pointer: String,
    /// What is wanted, where it is.
    pub desired: Option<Value>,
    /// What the device says, where it does.
    pub reported: Option<Value>,
    /// When it was last wanted, epoch seconds by the service's clock; of an array the newest of its items.
    pub desired_at_s: Option<i64>,
    /// When it was last reported, epoch seconds by the service's clock; of an array the newest of its items.
    pub reported_at_s: Option<i64>,
}

/// See [`Document::leaves`].
pub(super) fn of(document: &Document) -> Vec<Leaf> {
    let mut leaves = BTreeMap::<String, Leaf>::new();
    if let Some(desired) = &document.desired {
        walk(desired, &document.desired_meta, "", &mut |pointer, value, at_s| {
            let leaf = leaves.entry(pointer).or_default();
            (leaf.desired, leaf.desired_at_s) = (Some(value.clone()), at_s);
        });
    }
    if let Some(reported) = &document.reported {
        walk(reported, &document.reported_meta, "", &mut |pointer, value, at_s| {
            let leaf = leaves.entry(pointer).or_default();
            (leaf.reported, leaf.reported_at_s) = (Some(value.clone()), at_s);
        });
    }
    leaves.into_iter().map(|(pointer, leaf)| Leaf { pointer, ..leaf }).collect()
}

fn walk(section: &Object, times: &Object, above: &str, visit: &mut impl FnMut(String, &Value, Option<i64>)) {
    for (key, value) in section {
        let pointer = format!("{above}/{}", escape(key));
        let time = times.get(key);
        match value.as_object().filter(|inner| !inner.is_empty()) {
            Some(inner) => {
                let nothing = Object::new();
                walk(inner, time.and_then(Value::as_object).unwrap_or(&nothing), &pointer, visit);
            }
            None => visit(pointer, value, time.and_then(newest_s)),
        }
    }
}

/// The newest timestamp anywhere in a leaf's metadata.
pub(super) fn newest_s(times: &Value) -> Option<i64> {
    match times {
        Value::Number(time) => time.as_i64(),
        Value::Object(inner) => inner.values().filter_map(newest_s).max(),
        Value::Array(items) => items.iter().filter_map(newest_s).max(),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// The value under `pointer`, which may be an inner object; `None` for the root, for what is not there and for what lies
/// inside an array, since arrays are leaves.
pub fn leaf_at<'a>(section: &'a Object, pointer: &str) -> Option<&'a Value> {
    let mut steps = steps(pointer)?;
    let mut value = section.get(&steps.next()?)?;
    for step in steps {
        value = value.as_object()?.get(&step)?;
    }
    Some(value)
}

/// The smallest object that holds every given value under its pointer: the `desired` of a command. `null` is kept (it deletes).
///
/// A later pointer wins over an earlier one it runs into; a text that is no pointer (it must begin with `/`) is left out.
pub fn patch_of(leaves: &[(String, Value)]) -> Object {
    let mut patch = Object::new();
    for (pointer, value) in leaves {
        if let Some(steps) = steps(pointer) {
            put(&mut patch, &steps.collect::<Vec<_>>(), value);
        }
    }
    patch
}

fn put(object: &mut Object, steps: &[String], value: &Value) {
    match steps {
        [] => {}
        [last] => {
            object.insert(last.clone(), value.clone());
        }
        [first, rest @ ..] => {
            if let Some(inner) = object_under(object, first) {
                put(inner, rest, value);
            }
        }
    }
}

/// The JSON pointer that goes through these keys.
pub fn pointer_of<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    keys.into_iter().map(|key| format!("/{}", escape(key))).collect()
}

pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The keys of a pointer; `None` when it does not begin with `/`, as every pointer but the root's does.
fn steps(pointer: &str) -> Option<impl Iterator<Item = String>> {
    Some(pointer.strip_prefix('/')?.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Request, Section};
    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn leaves_lay_wanted_and_reported_side_by_side() {
        let document = Document::default()
            .update(
                &Request {
                    desired: Section::Merge(object(json!({"a":{"x":1},"l":[1,2],"e":{}}))),
                    ..Request::default()
                },
                10,
            )
            .and_then(|d| {
                d.update(
                    &Request {
                        reported: Section::Merge(object(json!({"a":{"x":2,"y~/":true}}))),
                        ..Request::default()
                    },
                    20,
                )
            })
            .unwrap();
        let leaf = |pointer: &str, desired, reported, desired_at_s, reported_at_s| Leaf {
            pointer: pointer.into(),
            desired,
            reported,
            desired_at_s,
            reported_at_s,
        };
        assert_eq!(
            document.leaves(),
            [
                leaf("/a/x", Some(json!(1)), Some(json!(2)), Some(10), Some(20)),
                leaf("/a/y~0~1", None, Some(json!(true)), None, Some(20)),
                leaf("/e", Some(json!({})), None, None, None),
                leaf("/l", Some(json!([1, 2])), None, Some(10), None),
            ]
        );
    }

    #[test]
    fn a_pointer_finds_what_it_names() {
        let section = object(json!({"a":{"b":1,"c/d":{"~":2}},"l":[5],"":3}));
        for (pointer, want) in [
            ("/a/b", Some(json!(1))),
            ("/a/c~1d/~0", Some(json!(2))),
            ("/a/c~1d", Some(json!({"~":2}))),
            ("/l", Some(json!([5]))),
            ("/", Some(json!(3))),
            ("", None),
            ("a", None),
            ("/l/0", None),
            ("/a/x", None),
            ("/a/b/x", None),
        ] {
            assert_eq!(leaf_at(&section, pointer).cloned(), want, "{pointer:?}");
        }
    }

    #[test]
    fn a_patch_holds_exactly_the_leaves_it_was_made_of() {
        for (name, leaves, want) in [
            ("none", vec![], json!({})),
            ("two of one object", vec![("/a/b", json!(1)), ("/a/c", Value::Null)], json!({"a":{"b":1,"c":null}})),
            ("escapes", vec![("/a~1b/~0", json!(1))], json!({"a/b":{"~":1}})),
            ("the later wins", vec![("/a", json!(1)), ("/a/b", json!(2))], json!({"a":{"b":2}})),
            ("no pointer", vec![("a", json!(1)), ("", json!(2))], json!({})),
        ] {
            let leaves: Vec<_> = leaves.into_iter().map(|(pointer, value)| (pointer.to_owned(), value)).collect();
            assert_eq!(Value::Object(patch_of(&leaves)), want, "{name}");
        }
    }

    #[test]
    fn a_pointer_is_made_of_its_keys() {
        assert_eq!(pointer_of(["a", "b/c", "~"]), "/a/b~1c/~0");
    }
}
