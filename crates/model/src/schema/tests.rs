use proptest::prelude::*;
use serde_json::json;

use super::*;

fn schema(json: Json) -> Schema {
    Schema::parse(&json.to_string()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[test]
fn a_value_fits_as_the_specification_says() {
    for (keywords, fits, does_not) in [
        (json!(true), vec![json!(null), json!({"a": [1]})], vec![]),
        (json!(false), vec![], vec![json!(null), json!({})]),
        (json!({"type": "integer"}), vec![json!(1), json!(1.0), json!(-7)], vec![json!(1.1), json!("1"), json!(true)]),
        (json!({"type": "number"}), vec![json!(1), json!(1.5)], vec![json!("1"), json!(null), json!([1])]),
        (json!({"type": "string"}), vec![json!(""), json!("1")], vec![json!(1), json!({}), json!(null)]),
        (json!({"type": "boolean"}), vec![json!(false)], vec![json!(0), json!("true")]),
        (json!({"type": "null"}), vec![json!(null)], vec![json!(0), json!(false), json!("")]),
        (json!({"type": ["array", "object"]}), vec![json!([1]), json!({"a": 1})], vec![json!(1), json!(null)]),
        // Bounds are of numbers and say nothing of anything else.
        (json!({"minimum": -2}), vec![json!(-2), json!(-1.9), json!("x")], vec![json!(-2.0001), json!(-3)]),
        (json!({"maximum": 300}), vec![json!(300), json!(300.0), json!("x")], vec![json!(300.5)]),
        (json!({"exclusiveMinimum": 1.1}), vec![json!(1.2), json!("x")], vec![json!(1.1), json!(0.6)]),
        (json!({"exclusiveMaximum": 3}), vec![json!(2.2)], vec![json!(3.0), json!(3.5)]),
        (json!({"multipleOf": 1.5}), vec![json!(0), json!(4.5), json!("x")], vec![json!(35)]),
        (json!({"multipleOf": 0.0001}), vec![json!(0.0075)], vec![json!(0.00751)]),
        (json!({"multipleOf": 0.1}), vec![json!(0.3), json!(-0.7)], vec![json!(0.35)]),
        (json!({"multipleOf": 0.5}), vec![json!(1e308)], vec![]),
        (json!({"multipleOf": 0.123456789}), vec![], vec![json!(1e308)]),
        (json!({"maxLength": 2}), vec![json!("fo"), json!("💩💩"), json!(100)], vec![json!("foo")]),
        (json!({"minLength": 2.0}), vec![json!("fo"), json!(1)], vec![json!("f"), json!("💩")]),
        (
            json!({"enum": [6, "foo", [], true, {"foo": 12}]}),
            vec![json!([]), json!(6.0), json!({"foo": 12})],
            vec![json!(null), json!(1), json!({"foo": false}), json!({"foo": 12, "boo": 42})],
        ),
        (json!({"enum": [false]}), vec![json!(false)], vec![json!(0), json!(0.0), json!(null)]),
        (json!({"const": [{"a": 1}]}), vec![json!([{"a": 1}])], vec![json!([{"a": true}]), json!([])]),
        (
            json!({"items": {"type": "integer"}}),
            vec![json!([]), json!([1, 2]), json!({"0": "x"})],
            vec![json!([1, "x"])],
        ),
        (
            json!({"minItems": 1, "maxItems": 2}),
            vec![json!([1]), json!([1, 2]), json!("")],
            vec![json!([]), json!([1, 2, 3])],
        ),
        (
            json!({"properties": {"foo": {"type": "integer"}, "bar": false}}),
            vec![json!({}), json!({"foo": 1, "x": []}), json!([])],
            vec![json!({"foo": "x"}), json!({"bar": 1})],
        ),
        (
            json!({"properties": {"a/b": {"type": "integer"}}, "required": ["a/b"]}),
            vec![json!({"a/b": 1}), json!(12)],
            vec![json!({}), json!({"a/b": null})],
        ),
        (
            json!({"properties": {"foo": {}}, "additionalProperties": false}),
            vec![json!({"foo": 1}), json!([1]), json!("x")],
            vec![json!({"foo": 1, "quux": true})],
        ),
        (json!({"additionalProperties": {"type": "boolean"}}), vec![json!({"x": true})], vec![json!({"x": 1})]),
        (
            json!({"default": 3, "title": "T", "$comment": "c", "examples": [1], "format": "date", "deprecated": true}),
            vec![json!("x")],
            vec![],
        ),
    ] {
        let schema = schema(keywords.clone());
        for value in fits {
            assert_eq!(schema.check(&value), [], "{keywords} takes {value}");
        }
        for value in does_not {
            assert_ne!(schema.check(&value), [], "{keywords} does not take {value}");
        }
    }
}

const LAMP: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["on"],
  "properties": {
    "dim_pct": { "title": "Dim to", "type": "integer", "minimum": 0, "maximum": 100, "multipleOf": 5, "x-unit": "%" },
    "on": { "title": "Switched on", "type": "boolean" },
    "mode": { "enum": ["eco", "full"] },
    "serial": { "type": "string", "readOnly": true },
    "net": {
      "title": "Network", "type": "object", "required": ["apn"], "x-expiry": 60,
      "x-danger": "It may be gone for a while.",
      "properties": {
        "apn": { "type": "string", "minLength": 1, "maxLength": 8, "x-expiry": 30 },
        "pause_s": { "type": "number", "exclusiveMinimum": 0, "x-unit": "s" },
        "dns": { "type": "array", "maxItems": 2, "items": { "type": "string" } }
      }
    }
  }
}"#;

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_would_be_right() {
    let lamp = Schema::parse(LAMP).unwrap();
    for (value, want) in [
        (json!({"on": true, "dim_pct": 105}), vec![("/dim_pct", "Dim to 105 % is outside 0–100 %")]),
        (json!({"on": true, "dim_pct": 42}), vec![("/dim_pct", "Dim to 42 % is no multiple of 5 %")]),
        (
            json!({"on": true, "dim_pct": "dark"}),
            vec![("/dim_pct", "Dim to takes a whole number from 0 to 100 %, not \"dark\"")],
        ),
        (json!({"on": 1}), vec![("/on", "Switched on takes true or false, not 1")]),
        (json!({"on": true, "mode": "max"}), vec![("/mode", "“mode” takes one of \"eco\", \"full\", not \"max\"")]),
        (json!({}), vec![("", "This needs “on” (Switched on) as well")]),
        (
            json!({"on": true, "dimm": 1}),
            vec![("/dimm", "“dimm” is not known here; known: dim_pct, on, mode, serial, net")],
        ),
        (
            json!({"on": true, "net": {"apn": "a long name", "pause_s": 0, "dns": ["a", 1, "b"]}}),
            vec![
                ("/net/apn", "“apn” takes at most 8 characters, not 11"),
                ("/net/dns", "“dns” takes at most 2 items, not 3"),
                ("/net/dns/1", "“1” takes a text, not 1"),
                ("/net/pause_s", "“pause_s” takes more than 0 s, not 0 s"),
            ],
        ),
        (json!({"on": true, "net": {"apn": ""}}), vec![("/net/apn", "“apn” takes at least 1 characters, not 0")]),
        (json!({"on": true, "net": {}}), vec![("/net", "Network needs “apn” as well")]),
        (json!([]), vec![("", "This takes an object, not []")]),
    ] {
        let told = lamp.check(&value);
        let mut told: Vec<_> = told.iter().map(|v| (v.pointer.as_str(), v.sentence.as_str())).collect();
        // A value's members are in their own order where the whole program is built, and by name where this crate is alone.
        told.sort_unstable();
        assert_eq!(told, want, "{value}");
    }
    let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("k{n}"), json!(1))).collect();
    assert_eq!(lamp.check(&many.into()).len(), VIOLATIONS_MAX);
    let endless = schema(json!({"enum": ["x".repeat(100)]})).check(&json!("y\u{202e}".repeat(100)));
    assert!(endless[0].sentence.chars().count() < 600 && !endless[0].sentence.contains('\u{202e}'), "{endless:?}");
}

#[test]
fn a_change_is_judged_by_what_it_touches() {
    let lamp = Schema::parse(LAMP).unwrap();
    for (name, after, touched, want) in [
        ("all is well", json!({"on": true, "dim_pct": 40}), vec!["/dim_pct"], vec![]),
        (
            "what is wrong elsewhere is another's",
            json!({"on": true, "dim_pct": 40, "mode": 7, "x": 1}),
            vec!["/dim_pct"],
            vec![],
        ),
        ("what it touches is its own", json!({"on": true, "mode": 7}), vec!["/mode"], vec!["/mode"]),
        ("what is in it as well", json!({"on": true, "net": {"apn": 7}}), vec!["/net"], vec!["/net/apn"]),
        ("around it nothing may be missing", json!({"net": {"pause_s": 1}}), vec!["/net/pause_s"], vec!["", "/net"]),
        ("a name nobody knows", json!({"on": true, "x": 1}), vec!["/x"], vec!["/x"]),
        ("what only the thing says", json!({"on": true, "serial": "7"}), vec!["/serial"], vec!["/serial"]),
        ("a name that only begins alike", json!({"on": true, "mode": 7, "mod": 1}), vec!["/mod"], vec!["/mod"]),
    ] {
        let told = lamp.check_change(after.as_object().unwrap(), &touched);
        assert_eq!(told.iter().map(|v| v.pointer.as_str()).collect::<Vec<_>>(), want, "{name}");
    }
}

#[test]
fn the_nearest_expiry_holds_and_every_danger() {
    let lamp = Schema::parse(LAMP).unwrap();
    for (pointer, expiry_ms, dangers) in [
        ("/net/apn", Some(30_000), 1),
        ("/net/pause_s", Some(60_000), 1),
        ("/on", None, 0),
        ("/net/x/y", Some(60_000), 1),
    ] {
        assert_eq!(lamp.expiry_ms(pointer), expiry_ms, "{pointer}");
        assert_eq!(lamp.dangers(pointer, &json!(true)).len(), dangers, "{pointer}");
        assert_eq!(lamp.asks_first(pointer), dangers > 0);
    }
    let barrier = schema(json!({"properties": {"b": {"enum": ["open", "closed"], "x-danger": {"closed": "Look."}}}}));
    assert_eq!(barrier.dangers("/b", &json!("closed")), ["Look."]);
    assert!(barrier.dangers("/b", &json!("open")).is_empty() && barrier.asks_first("/b"));
    let leaves: Vec<String> = lamp.leaves().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(leaves, ["/dim_pct", "/on", "/mode", "/serial", "/net/apn", "/net/pause_s", "/net/dns"]);
    assert_eq!(lamp.at("/net/dns/1").and_then(|item| item.types.clone()), Some(vec![Type::Text]));
    assert_eq!(lamp.at("/net/dns/x"), None);
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    let deep = format!("{}true{}", "{\"items\":".repeat(9), "}".repeat(9));
    let wide =
        json!({"properties": (0..300).map(|n| (format!("k{n:03}"), json!(true))).collect::<serde_json::Map<_, _>>()});
    for (text, line, pointer, want) in [
        (
            "{\n  \"type\": \"object\",\n  \"pattern\": \"x\"\n}",
            3,
            "/pattern",
            "“pattern” is not understood here; understood are type",
        ),
        ("{\n\"properties\": {\n\"a\": {\n\"$ref\": \"#\"}}}", 4, "/properties/a/$ref", "not understood"),
        ("{\"oneOf\": []}", 1, "/oneOf", "not understood"),
        ("{\"x-dangre\": \"It bites.\"}", 1, "/x-dangre", "not understood"),
        ("{\"$schema\": \"http://json-schema.org/draft-04/schema#\"}", 1, "/$schema", "only the dialect"),
        ("{\"type\": \"int\"}", 1, "/type", "one of null, boolean, integer"),
        ("{\"type\": []}", 1, "/type", "one of null"),
        ("{\"minimum\": \"0\"}", 1, "/minimum", "a number belongs here"),
        ("{\"multipleOf\": 0}", 1, "/multipleOf", "above 0"),
        ("{\"maxLength\": -1}", 1, "/maxLength", "a whole number from 0"),
        ("{\"minimum\": 5,\n \"maximum\": 4}", 2, "", "nothing could ever be set"),
        ("{\"minItems\": 5, \"maxItems\": 4}", 1, "", "nothing could ever be set"),
        ("{\"title\": 7}", 1, "/title", "at most 400 characters"),
        ("{\"properties\": []}", 1, "/properties", "an object of names and schemas"),
        ("{\"properties\": {\n\"a\": 7}}", 2, "/properties/a", "a schema is an object, or true or false"),
        ("{\"properties\": {\"a\": true,\n\"a\": false}}", 2, "/properties", "“a” stands here twice"),
        ("{\"type\": \"object\",\n\"type\": \"null\"}", 2, "", "“type” stands here twice"),
        ("{\"required\": [1]}", 1, "/required", "a list of names"),
        (
            "{\"required\": [\"a\"], \"additionalProperties\": false}",
            1,
            "",
            "“a” is required and not among the properties",
        ),
        ("{\"type\": \"integer\",\n\"default\": 1.5}", 2, "", "the default is not as its own schema says"),
        ("{\"enum\": [\"a\"], \"x-enum-labels\": {\"b\": \"B\"}}", 1, "", "x-enum-labels speaks of \"b\""),
        ("{\"type\": \"number\", \"x-danger\": {\"7\": \"Run.\"}}", 1, "", "x-danger speaks of 7"),
        ("{\"x-expiry\": 0}", 1, "/x-expiry", "outside 1–"),
        ("{\"x-tolerance\": -1}", 1, "/x-tolerance", "0 or more"),
        ("{\"readOnly\": 1}", 1, "/readOnly", "true or false"),
        ("{\n\"a\" 1}", 2, "", "not JSON: expected `:`"),
        ("", 1, "", "not JSON"),
        ("[]", 1, "", "a schema is an object"),
        (&deep, 1, "/items/items/items/items/items/items/items/items/items", "nests at most 8"),
        (&wide.to_string(), 1, "/properties/k255", "more than 256"),
        (&" ".repeat(SCHEMA_MAX_BYTES + 1), 1, "", "over the limit"),
    ] {
        let error = Schema::parse(text).unwrap_err();
        assert_eq!((error.line, error.pointer.as_str()), (line, pointer), "{error}");
        assert!(error.why.contains(want), "{error}");
    }
    let said = Schema::parse("{\n\"pattern\": 1}").unwrap_err().to_string();
    assert!(said.starts_with("line 2, at /pattern: “pattern” is not"), "{said}");
}

/// A schema's text with a value that fits it and, where there is one, a value that does not.
type Case = (Json, Json, Option<Json>);

fn leaf() -> impl Strategy<Value = Case> {
    prop_oneof![
        (-1_000i64..1_000, 1i64..100, 1i64..7).prop_flat_map(|(min, steps, step)| {
            let max = min + steps * step;
            // Multiples count from nought, wherever the range begins.
            let first = min.div_euclid(step) * step + if min.rem_euclid(step) == 0 { 0 } else { step };
            (
                0..=(max - first).div_euclid(step),
                prop_oneof![Just(json!(max + 1)), Just(json!(min - 1)), Just(json!("x"))],
            )
                .prop_map(move |(nth, outside)| {
                    let keywords = json!({"type": "integer", "minimum": min, "maximum": max, "multipleOf": step});
                    (keywords, json!(first + nth * step), Some(outside))
                })
        }),
        any::<bool>().prop_map(|on| (json!({"type": "boolean"}), json!(on), Some(json!(1)))),
        prop::collection::btree_set("[a-z]{1,4}", 1..6).prop_map(|words| {
            let words: Vec<String> = words.into_iter().collect();
            (json!({"enum": words}), json!(words[words.len() / 2]), Some(json!("ABC")))
        }),
        (".{0,8}", 8u64..20).prop_map(|(text, max)| {
            (json!({"type": "string", "maxLength": max}), json!(text), Some(json!("x".repeat(max as usize + 1))))
        }),
        Just((json!(true), json!([null]), None)),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let object = (prop::collection::btree_map("[a-z/~]{1,5}", inner.clone(), 1..4), any::<bool>()).prop_map(
            |(of, strict)| {
                let part = |pick: fn(&Case) -> Json| of.iter().map(|(k, c)| (k.clone(), pick(c))).collect::<Json>();
                let (properties, right) = (part(|c| c.0.clone()), part(|c| c.1.clone()));
                let mut wrong = right.clone();
                let broken = of.iter().find_map(|(name, case)| Some((name, case.2.clone()?)));
                match broken {
                    Some((name, value)) => wrong[name] = value,
                    None if strict => wrong["ANOTHER"] = json!(1),
                    None => wrong = json!(7),
                }
                let mut keywords =
                    json!({"type": "object", "properties": properties, "required": of.keys().collect::<Vec<_>>()});
                if strict {
                    keywords["additionalProperties"] = json!(false);
                }
                (keywords, right, Some(wrong))
            },
        );
        let list = (inner, 0usize..3).prop_map(|((items, right, wrong), count)| {
            let keywords = json!({"type": "array", "items": items, "maxItems": 3});
            let wrong = wrong.map_or_else(|| json!(vec![right.clone(); 4]), |wrong| json!([wrong]));
            (keywords, json!(vec![right; count]), Some(wrong))
        });
        prop_oneof![object, list]
    })
}

proptest! {
    #[test]
    fn what_is_made_of_a_schema_fits_it_and_what_is_not_does_not((keywords, right, wrong) in case()) {
        let schema = Schema::parse(&keywords.to_string()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(schema.check(&right), vec![]);
        if let Some(wrong) = wrong {
            let told = schema.check(&wrong);
            prop_assert!(!told.is_empty(), "{} takes {}", keywords, wrong);
            prop_assert!(told.iter().all(|v| wrong.pointer(&v.pointer).is_some()), "{:?}", told);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in r#"[\{\}\[\]":,a-z0-9 \\\n]{0,60}"#) {
        let _ = Schema::parse(&text);
    }
}
