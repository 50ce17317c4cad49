//! What a text would change in a shadow's desired state, worked out with the shadow's own rules. Pure.

use fleetlens_ipc::Wish;
use fleetlens_ipc::rows::LeafRow;
use fleetlens_model::shadow::limits::{DOCUMENT_BYTES, NESTING, NESTING_EVERYWHERE};
use fleetlens_model::shadow::{Document, Object, Request, Section, leaf_at, patch_of, same_value};
use serde_json::Value as Json;
use tr::tr;

use crate::format;
use crate::lang::said;

/// Fields of a whole shadow document, which are no part of `desired`.
const DOCUMENT_FIELDS: [&str; 5] = ["state", "metadata", "version", "timestamp", "clientToken"];

/// What would be right, for whoever wrote something else.
const EXAMPLE: &str = "{\"interval_s\": 60}";

/// One leaf of `desired` as it is and as it would be.
#[derive(Clone, Debug, PartialEq)]
pub struct LeafChange {
    /// JSON pointer into `desired`.
    pub pointer: String,
    /// What it holds now, as JSON text; `None` where there is nothing.
    pub before: Option<String>,
    /// What it would hold; `None` where it would be taken away.
    pub after: Option<String>,
}

/// A shadow as far as its table tells of it.
pub fn document_of(leaves: &[LeafRow]) -> Document {
    let side = |of: fn(&LeafRow) -> &Option<String>| {
        let values = leaves.iter().filter_map(|leaf| {
            let value = serde_json::from_str(of(leaf).as_deref()?).ok()?;
            Some((leaf.pointer.clone(), value))
        });
        Some(patch_of(&values.collect::<Vec<_>>()))
    };
    Document { desired: side(|leaf| &leaf.desired), reported: side(|leaf| &leaf.reported), ..Document::default() }
}

/// `desired` as people edit it: indented, keys in order.
pub fn pretty(document: &Document) -> String {
    let desired = document.desired.clone().unwrap_or_default();
    serde_json::to_string_pretty(&desired).unwrap_or_else(|_| "{}".into())
}

/// The object a text holds, or where and why it holds none.
pub fn read(text: &str) -> Result<Object, String> {
    if text.trim().is_empty() {
        return Err(tr!("Nothing stands here; an object such as {} would be right", EXAMPLE));
    }
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(other) => Err(tr!(
            "{noun} stands here; desired is an object of names and values, such as {example}",
            noun = noun(&other),
            example = EXAMPLE
        )),
        Err(error) => {
            let fault = error.to_string();
            let what = fault.split(" at line ").next().unwrap_or(&fault);
            Err(tr!(
                "Line {line}, column {column}: {what}",
                line = error.line(),
                column = error.column(),
                what = plain(what)
            ))
        }
    }
}

/// The leaves that a patch would make otherwise, by pointer: those that stay are left out, and `null` takes away.
pub fn changes(document: &Document, patch: &Object) -> Result<Vec<LeafChange>, String> {
    let has_sections = patch.get("state").is_some_and(Json::is_object);
    let is_document = has_sections && patch.keys().all(|key| DOCUMENT_FIELDS.contains(&key.as_str()));
    if is_document {
        return Err(said("This is a whole shadow document; write only what stands inside its “desired”").into());
    }
    let request = Request { desired: Section::Merge(patch.clone()), ..Request::default() };
    let next = document.update(&request, 0).map_err(|rejection| match rejection.code {
        413 => {
            tr!("With this the shadow would be larger than the {} it may have", format::bytes(DOCUMENT_BYTES as u64))
        }
        _ => rejection.message,
    })?;
    let (before, after) = (desired_leaves(document), desired_leaves(&next));
    let find = |leaves: &[(String, Json)], pointer: &str| {
        leaves.iter().find(|(known, _)| known == pointer).map(|(_, value)| value.clone())
    };
    let mut pointers: Vec<String> = before.iter().chain(&after).map(|(pointer, _)| pointer.clone()).collect();
    pointers.sort();
    pointers.dedup();
    let mut changes = Vec::new();
    for pointer in pointers {
        let (was, will) = (find(&before, &pointer), find(&after, &pointer));
        let stays = match (&was, &will) {
            (Some(was), Some(will)) => same_value(was, will),
            _ => was == will,
        };
        if stays {
            continue;
        }
        if will.as_ref().is_some_and(Json::is_object) {
            let name = format::pointer(&pointer);
            return Err(tr!("{} would be an empty object, which asks for nothing; write what it is to hold", name));
        }
        changes.push(LeafChange {
            pointer,
            before: was.map(|json| json.to_string()),
            after: will.map(|json| json.to_string()),
        });
    }
    Ok(changes)
}

/// The changes as a command takes them, or why it takes none. A leaf that goes because something else takes its place needs no
/// wish of its own; one that only goes could never be seen obeyed, since a device reports what it has.
pub fn wishes(document: &Document, changes: &[LeafChange]) -> Result<Vec<Wish>, String> {
    let set: Vec<&str> = changes.iter().filter(|c| c.after.is_some()).map(|c| c.pointer.as_str()).collect();
    let is_under = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    let gives_way = |change: &LeafChange| {
        set.iter().any(|other| is_under(&change.pointer, other) || is_under(other, &change.pointer))
    };
    let seen = |pointer: &str| Some(leaf_at(document.desired.as_ref()?, pointer)?.to_string());
    let mut wishes = Vec::new();
    for change in changes {
        match &change.after {
            Some(after) => wishes.push(Wish {
                pointer: change.pointer.clone(),
                value_json: after.clone(),
                seen_json: seen(&change.pointer),
            }),
            None if gives_way(change) => {}
            None => {
                let name = format::pointer(&change.pointer);
                return Err(tr!(
                    "null would take {} away, and no device can report that it obeyed; give it another value instead",
                    name
                ));
            }
        }
    }
    Ok(wishes)
}

/// How much of what a shadow may hold it would hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes of its state, of [`DOCUMENT_BYTES`].
    pub bytes: usize,
    /// Steps to the innermost of what is wanted, of [`NESTING`].
    pub steps: usize,
}

impl Room {
    /// What a shadow would take with this patch; `None` where it cannot be.
    pub fn with(document: &Document, patch: &Object) -> Option<Room> {
        let request = Request { desired: Section::Merge(patch.clone()), ..Request::default() };
        let next = document.update(&request, 0).ok()?;
        let steps = next.desired.as_ref().map_or(0, |desired| deepest(desired.values()));
        Some(Room { bytes: next.state_bytes(), steps })
    }

    /// As a person reads it.
    pub fn words(self) -> String {
        let (bytes, most) = (format::bytes(self.bytes as u64), format::bytes(DOCUMENT_BYTES as u64));
        let steps = self.steps;
        if steps > NESTING_EVERYWHERE {
            tr!(
                "{bytes} of {most} · {steps} of {levels} levels, more than every service takes",
                bytes,
                most,
                steps,
                levels = NESTING
            )
        } else {
            tr!("{bytes} of {most} · {steps} of {levels} levels", bytes, most, steps, levels = NESTING)
        }
    }

    /// Whether a person should look at it.
    pub fn is_tight(self) -> bool {
        self.bytes > DOCUMENT_BYTES / 10 * 9 || self.steps > NESTING_EVERYWHERE
    }
}

/// Steps to the innermost of these, they themselves being the first.
fn deepest<'a>(values: impl Iterator<Item = &'a Json>) -> usize {
    let steps = |value: &Json| match value {
        Json::Object(object) => 1 + deepest(object.values()),
        Json::Array(items) => 1 + deepest(items.iter()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 1,
    };
    values.map(steps).max().unwrap_or(0)
}

fn desired_leaves(document: &Document) -> Vec<(String, Json)> {
    document.leaves().into_iter().filter_map(|leaf| Some((leaf.pointer, leaf.desired?))).collect()
}

fn noun(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => said("True or false"),
        Json::Number(_) => said("A number"),
        Json::String(_) => said("A text"),
        Json::Array(_) => said("A list"),
        Json::Object(_) => said("An object"),
    }
}

/// The parser's words for those who do not write parsers.
fn plain(what: &str) -> String {
    match what {
        "EOF while parsing an object" => tr!("the object does not end; a {} is missing", "}"),
        "EOF while parsing a list" => tr!("the list does not end; a {} is missing", "]"),
        "EOF while parsing a string" => tr!("the text does not end; a {} is missing", "\""),
        "EOF while parsing a value" => said("a value is missing here").into(),
        "key must be a string" => tr!("a name in quotes belongs here, such as {}", "\"interval_s\""),
        "trailing comma" => said("a comma too many").into(),
        "trailing characters" => said("something stands after the end of the object").into(),
        "expected value" => said("this is no value; a text needs quotes").into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Json) -> Object {
        value.as_object().unwrap().clone()
    }

    fn leaf(pointer: &str, desired: Option<Json>, reported: Option<Json>) -> LeafRow {
        let text = |json: Option<Json>| json.map(|json| json.to_string());
        LeafRow {
            pointer: pointer.into(),
            desired: text(desired),
            reported: text(reported),
            differs: false,
            desired_ms: None,
            reported_ms: None,
        }
    }

    fn lamp() -> Document {
        document_of(&[
            leaf("/dim_pct", Some(json!(40)), Some(json!(100))),
            leaf("/list", Some(json!([1, 2])), None),
            leaf("/net/apn", Some(json!("a")), None),
            leaf("/net/retries", Some(json!(3)), None),
            leaf("/temp_c", None, Some(json!(31.5))),
        ])
    }

    fn told(patch: Json) -> Result<Vec<(String, String, String)>, String> {
        let word = |json: Option<String>| json.unwrap_or_else(|| "–".into());
        let changes = changes(&lamp(), patch.as_object().unwrap())?;
        Ok(changes.into_iter().map(|c| (c.pointer, word(c.before), word(c.after))).collect())
    }

    #[test]
    fn exactly_the_leaves_that_change_are_told() {
        for (name, patch, want) in [
            ("nothing", json!({}), vec![]),
            ("what is so already", json!({"dim_pct": 40.0, "net": {"apn": "a"}}), vec![]),
            ("one of two", json!({"dim_pct": 60, "list": [1, 2]}), vec![("/dim_pct", "40", "60")]),
            ("a list is one leaf", json!({"list": [1, 3]}), vec![("/list", "[1,2]", "[1,3]")]),
            ("null takes away", json!({"dim_pct": null}), vec![("/dim_pct", "40", "–")]),
            ("null for what is not there", json!({"x": null}), vec![]),
            ("a name that needs escapes", json!({"a/b": {"~": true}}), vec![("/a~1b/~0", "–", "true")]),
            ("only reported until now", json!({"temp_c": 20}), vec![("/temp_c", "–", "20")]),
            ("a branch goes", json!({"net": null}), vec![("/net/apn", "\"a\"", "–"), ("/net/retries", "3", "–")]),
            (
                "a value in place of a branch",
                json!({"net": 1}),
                vec![("/net", "–", "1"), ("/net/apn", "\"a\"", "–"), ("/net/retries", "3", "–")],
            ),
        ] {
            let want = want.into_iter().map(|(p, a, b)| (p.to_owned(), a.to_owned(), b.to_owned())).collect();
            assert_eq!(told(patch), Ok(want), "{name}");
        }
    }

    #[test]
    fn what_a_shadow_cannot_hold_is_refused_in_words() {
        let deep = (0..9).fold(json!(1), |inner, _| json!({ "k": inner }));
        for (patch, want) in [
            (json!({"state": {"desired": {}}, "version": 3}), "whole shadow document"),
            (json!({"x": {}}), "empty object"),
            (json!({"x": [null]}), "an array may not hold null"),
            (deep, "too many levels of nesting"),
            (json!({"x": "a".repeat(8_200)}), "larger than the 8.2"),
        ] {
            let fault = told(patch.clone()).unwrap_err();
            assert!(fault.contains(want), "{patch} → {fault}");
        }
        assert!(
            told(json!({"state": "charging"})).is_ok_and(|changes| changes.len() == 1),
            "a leaf may have that name"
        );
    }

    #[test]
    fn a_text_that_is_no_object_says_where_and_why() {
        for (text, want) in [
            (" ", "Nothing stands here; an object such as {\"interval_s\": 60} would be right"),
            ("[1]", "A list stands here; desired is an object of names and values, such as {\"interval_s\": 60}"),
            ("{\"a\": 1,\n  b: 2}", "Line 2, column 3: a name in quotes belongs here, such as \"interval_s\""),
            ("{\"a\": 1", "Line 1, column 7: the object does not end; a } is missing"),
            ("{\"a\": on}", "Line 1, column 7: this is no value; a text needs quotes"),
        ] {
            assert_eq!(read(text), Err(want.to_owned()), "{text}");
        }
    }

    #[test]
    fn wishes_do_what_was_told_and_nothing_beside_it() {
        let wish = |pointer: &str, value: &str, seen: Option<&str>| Wish {
            pointer: pointer.into(),
            value_json: value.into(),
            seen_json: seen.map(str::to_owned),
        };
        for (patch, want) in [
            (json!({"dim_pct": 60}), vec![wish("/dim_pct", "60", Some("40"))]),
            (json!({"net": 1}), vec![wish("/net", "1", Some("{\"apn\":\"a\",\"retries\":3}"))]),
            (json!({"dim_pct": {"x": 1}}), vec![wish("/dim_pct/x", "1", None)]),
        ] {
            let document = lamp();
            let object = patch.as_object().unwrap();
            let wishes = wishes(&document, &changes(&document, object).unwrap()).unwrap();
            assert_eq!(wishes, want, "{patch}");
            let read = |wish: &Wish| (wish.pointer.clone(), serde_json::from_str(&wish.value_json).unwrap());
            let sent = patch_of(&wishes.iter().map(read).collect::<Vec<_>>());
            let after = |patch: Object| {
                let request = Request { desired: Section::Merge(patch), ..Request::default() };
                document.update(&request, 0).unwrap().desired
            };
            assert_eq!(after(sent), after(object.clone()), "{patch}: what is sent does what was typed");
        }
        let gone = changes(&lamp(), json!({"net": {"apn": null}}).as_object().unwrap()).unwrap();
        assert!(wishes(&lamp(), &gone).unwrap_err().starts_with("null would take net.apn away"));
    }

    #[test]
    fn how_much_room_is_left_is_told_of_the_shadow_as_it_would_be() {
        let document = Document { desired: Some(object(json!({ "a": 1 }))), ..Document::default() };
        let room = |patch: Json| Room::with(&document, &object(patch));
        let now = room(json!({})).unwrap();
        assert_eq!((now.bytes, now.steps, now.is_tight()), (r#"{"desired":{"a":1}}"#.len(), 1, false));
        assert_eq!(now.words(), "19\u{a0}B of 8.2\u{a0}kB · 1 of 8 levels");
        let deep = room(json!({ "b": { "c": { "d": { "e": { "f": [1] } } } } })).unwrap();
        assert!(deep.steps == 6 && deep.is_tight() && deep.words().ends_with("more than every service takes"));
        let full = room(json!({ "b": "x".repeat(DOCUMENT_BYTES - 40) })).unwrap();
        assert!(full.is_tight() && full.steps == 1);
        assert_eq!(room(json!({ "b": "x".repeat(DOCUMENT_BYTES) })), None);
    }
}
