//! From what a person wishes to the leaves a command sets: any pointer, any value, for any kind, within the bounds of a shadow.

use fleetlens_ipc::Wish;
use fleetlens_model::command::Want;
use fleetlens_model::kind::Schemas;
use fleetlens_model::schema::Schema;
use fleetlens_model::shadow::limits::NESTING;
use fleetlens_model::shadow::{Object, leaf_at, merge, patch_of, pointer_of};
use fleetlens_model::thing::Meta;
use serde_json::Value as Json;

/// Leaves one command may set.
const LEAVES_MAX: usize = 32;

/// Bytes of one wanted value.
const WISH_MAX_BYTES: usize = 2048;

/// Bytes of a pointer.
const POINTER_MAX_BYTES: usize = 256;

/// Violations that are told of one command.
const TOLD_MAX: usize = 3;

/// Wishes as wants; what a thing's convention says can be set is checked against its control. An object is wished leaf by leaf, as the
/// shadow service merges it: what it does not name stays as it is.
pub(super) fn wants(meta: &Meta, schemas: &Schemas, wishes: &[Wish]) -> Result<Vec<Want>, String> {
    let mut wants = Vec::new();
    for wish in wishes {
        let (value, seen) = read(wish)?;
        leaves((meta, schemas), &wish.pointer, value, seen.as_ref(), &mut wants)?;
    }
    if wants.is_empty() || wants.len() > LEAVES_MAX {
        return Err(format!("a command sets 1 to {LEAVES_MAX} leaves, this one {}", wants.len()));
    }
    for (i, want) in wants.iter().enumerate() {
        let holds = |inner: &&Want| inner.pointer.strip_prefix(&want.pointer).is_some_and(|rest| rest.starts_with('/'));
        let twice = wants.iter().skip(i + 1).find(|other| other.pointer == want.pointer);
        if let Some(other) = twice.or_else(|| wants.iter().find(holds)) {
            return Err(format!("{} and {} run into each other; set one of them", want.pointer, other.pointer));
        }
    }
    Ok(wants)
}

/// Checks what the classic shadow's desired state would be with these wants against the schema of the kind, as far as they touch it.
pub(super) fn check(schema: &Schema, mut desired: Object, wants: &[Want]) -> Result<(), String> {
    let leaves: Vec<(String, Json)> = wants.iter().map(|want| (want.pointer.clone(), want.value.clone())).collect();
    merge(&mut desired, &patch_of(&leaves));
    let touched: Vec<&str> = wants.iter().map(|want| want.pointer.as_str()).collect();
    let violations = schema.check_change(&desired, &touched);
    let told: Vec<&str> = violations.iter().take(TOLD_MAX).map(|violation| violation.sentence.as_str()).collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("; ")) }
}

/// The wanted value, and what stood on the person's screen.
fn read(wish: &Wish) -> Result<(Json, Option<Json>), String> {
    let pointer = &wish.pointer;
    if !pointer.starts_with('/') || pointer.len() > POINTER_MAX_BYTES {
        return Err(format!("{pointer:?} is no JSON pointer; one begins with a slash, such as /dim_pct"));
    }
    let bytes = wish.value_json.len();
    if bytes > WISH_MAX_BYTES {
        return Err(format!("the value for {pointer} has {bytes} bytes; at most {WISH_MAX_BYTES} are sent"));
    }
    let read = |what: &str, text: &str| {
        serde_json::from_str::<Json>(text).map_err(|e| format!("{what} of {pointer} is not JSON: {e}"))
    };
    let value = read("the wanted value", &wish.value_json)?;
    Ok((value, wish.seen_json.as_deref().map(|text| read("the value seen", text)).transpose()?))
}

fn leaves(
    of: (&Meta, &Schemas),
    pointer: &str,
    value: Json,
    seen: Option<&Json>,
    wants: &mut Vec<Want>,
) -> Result<(), String> {
    match value {
        Json::Object(inner) if !inner.is_empty() => {
            let nothing = Object::new();
            let seen = seen.and_then(Json::as_object).unwrap_or(&nothing);
            inner.into_iter().try_for_each(|(key, value)| {
                let below = pointer_of([key.as_str()]);
                leaves(of, &format!("{pointer}{below}"), value, leaf_at(seen, &below), wants)
            })
        }
        Json::Object(_) => Err(format!("the object for {pointer} is empty; name at least one leaf in it")),
        Json::Null => Err(format!("null would take {pointer} away, which no device can report as done; give a value")),
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            let steps = pointer.matches('/').count() + depth(&value);
            if steps > NESTING {
                return Err(format!("{pointer} nests {steps} deep; a shadow holds at most {NESTING}"));
            }
            if holds_null(&value) {
                return Err(format!("the list for {pointer} holds null, which a shadow refuses"));
            }
            let (meta, schemas) = of;
            if let Some(control) = meta.controls.iter().find(|control| control.pointer == pointer) {
                control.check(&value)?;
            }
            let (tolerance, before) = (schemas.tolerance(meta, pointer), seen.cloned());
            wants.push(Want { pointer: pointer.to_string(), value, tolerance, restore: before.clone(), before });
            Ok(())
        }
    }
}

/// How many indices and keys lead to the innermost value.
fn depth(value: &Json) -> usize {
    match value {
        Json::Array(items) => items.iter().map(depth).max().map_or(0, |inner| inner + 1),
        Json::Object(inner) => inner.values().map(depth).max().map_or(0, |inner| inner + 1),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
    }
}

fn holds_null(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.iter().any(holds_null),
        Json::Object(inner) => inner.values().any(holds_null),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::Kind;
    use serde_json::json;

    use super::*;

    fn of(kind: Kind) -> Meta {
        Meta { kind, ..Meta::default() }
    }

    fn wish(pointer: &str, value: &str, seen: Option<&str>) -> Wish {
        Wish { pointer: pointer.into(), value_json: value.into(), seen_json: seen.map(str::to_string) }
    }

    #[test]
    fn any_value_may_be_wished_anywhere_and_an_object_is_wished_leaf_by_leaf() {
        for (name, wish, want) in [
            ("a number", wish("/x", "4", Some("3")), vec![("/x", json!(4), Some(json!(3)))]),
            ("a list with an object", wish("/x", r#"[{"a":1}]"#, None), vec![("/x", json!([{"a":1}]), None)]),
            (
                "an object over an object",
                wish("/net", r#"{"apn":"city","dns":{"a/b":"::1"}}"#, Some(r#"{"apn":"old","mtu":9}"#)),
                vec![("/net/apn", json!("city"), Some(json!("old"))), ("/net/dns/a~1b", json!("::1"), None)],
            ),
            ("an object over a number", wish("/net", r#"{"apn":1}"#, Some("5")), vec![("/net/apn", json!(1), None)]),
        ] {
            let wants = wants(&of(Kind::Gateway), &Schemas::default(), &[wish]).unwrap();
            let got: Vec<_> = wants.iter().map(|w| (w.pointer.as_str(), w.value.clone(), w.before.clone())).collect();
            assert_eq!(got, want, "{name}");
            assert!(wants.iter().all(|w| w.restore == w.before), "{name}");
        }
    }

    #[test]
    fn what_no_shadow_holds_is_refused_with_a_sentence() {
        let long = format!("\"{}\"", "x".repeat(WISH_MAX_BYTES));
        let deep = format!("{}1{}", "[".repeat(8), "]".repeat(8));
        let many = format!("{{{}}}", (0..33).map(|i| format!("\"k{i}\":1")).collect::<Vec<_>>().join(","));
        for (wishes, says) in [
            (vec![wish("x", "1", None)], "no JSON pointer"),
            (vec![wish("/x", "{", None)], "not JSON"),
            (vec![wish("/x", "null", None)], "would take /x away"),
            (vec![wish("/x", r#"{"a":null}"#, None)], "would take /x/a away"),
            (vec![wish("/x", "{}", None)], "is empty"),
            (vec![wish("/x", "[[null]]", None)], "holds null"),
            (vec![wish("/x", &long, None)], "bytes; at most 2048"),
            (vec![wish("/x", &deep, None)], "nests 9 deep"),
            (vec![wish("/x", &many, None)], "1 to 32 leaves, this one 33"),
            (vec![], "1 to 32 leaves, this one 0"),
            (vec![wish("/x/a", "1", None), wish("/x", "2", None)], "/x and /x/a run into each other"),
            (vec![wish("/x", "1", None), wish("/x", "2", None)], "/x and /x run into each other"),
        ] {
            let refused = wants(&of(Kind::Bin), &Schemas::default(), &wishes).unwrap_err();
            assert!(refused.contains(says), "{refused}");
        }
    }

    #[test]
    fn what_the_schema_of_the_kind_does_not_allow_is_refused_at_its_leaf() {
        let schema = Schema::parse(
            r#"{"type": "object", "additionalProperties": false, "properties": {
                "dim_pct": {"title": "Dim to", "type": "integer", "minimum": 0, "maximum": 100, "x-tolerance": 0.5},
                "serial": {"type": "string", "readOnly": true},
                "net": {"title": "Network", "type": "object", "required": ["apn"], "properties": {
                    "apn": {"type": "string"},
                    "dns": {"type": "array", "maxItems": 2, "items": {
                        "type": "object", "properties": {"port": {"type": "integer"}}, "additionalProperties": false}}}}}}"#,
        )
        .unwrap();
        for (name, desired, wishes, says) in [
            ("as it should be", json!({}), vec![wish("/dim_pct", "40", None)], None),
            ("a fraction", json!({}), vec![wish("/dim_pct", "40.5", None)], Some("Dim to takes a whole number")),
            ("too much", json!({}), vec![wish("/dim_pct", "101", None)], Some("Dim to 101 is outside 0–100")),
            ("no such leaf", json!({}), vec![wish("/x", "1", None)], Some("“x” is not known here")),
            (
                "what only it says",
                json!({}),
                vec![wish("/serial", "\"7\"", None)],
                Some("only the thing itself says it"),
            ),
            (
                "an object of its leaves",
                json!({}),
                vec![wish("/net", r#"{"apn":"a","dns":[{"port":53}]}"#, None)],
                None,
            ),
            (
                "a leaf in a list",
                json!({}),
                vec![wish("/net", r#"{"apn":"a","dns":[{"port":"x"}]}"#, None)],
                Some("“port” takes"),
            ),
            (
                "a name in a list",
                json!({}),
                vec![wish("/net", r#"{"apn":"a","dns":[{"p":1}]}"#, None)],
                Some("“p” is not known"),
            ),
            (
                "a list too long",
                json!({}),
                vec![wish("/net", r#"{"apn":"a","dns":[{},{},{}]}"#, None)],
                Some("at most 2 items"),
            ),
            (
                "something missing beside it",
                json!({}),
                vec![wish("/net/dns", "[]", None)],
                Some("Network needs “apn” as well"),
            ),
            ("which is there already", json!({"net": {"apn": "a"}}), vec![wish("/net/dns", "[]", None)], None),
            ("what is wrong elsewhere", json!({"old": 1}), vec![wish("/dim_pct", "40", None)], None),
            (
                "each of several",
                json!({}),
                vec![wish("/x", "1", None), wish("/dim_pct", "-1", None)],
                Some("here; known"),
            ),
        ] {
            let wants = wants(&of(Kind::Lamp), &Schemas::default(), &wishes).unwrap();
            let told = check(&schema, desired.as_object().cloned().unwrap(), &wants);
            match says {
                Some(says) => assert!(told.as_ref().is_err_and(|told| told.contains(says)), "{name}: {told:?}"),
                None => assert_eq!(told, Ok(()), "{name}"),
            }
        }
    }
}
