//! What each kind's desired state may hold, and the controls that follow from it. Those that come with the program are files in
//! `assets/kinds`; a profile may bring its own.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Control, Kind};
use crate::schema::{Schema, SchemaError};
use crate::thing::Meta;

/// Those that come with the program.
const BUILT_IN: [(Kind, &str); 6] = [
    (Kind::Parking, include_str!("../../../../assets/kinds/parking.schema.json")),
    (Kind::Lamp, include_str!("../../../../assets/kinds/lamp.schema.json")),
    (Kind::Bin, include_str!("../../../../assets/kinds/bin.schema.json")),
    (Kind::Charger, include_str!("../../../../assets/kinds/charger.schema.json")),
    (Kind::Vehicle, include_str!("../../../../assets/kinds/vehicle.schema.json")),
    (Kind::Gateway, include_str!("../../../../assets/kinds/gateway.schema.json")),
];

static OF_THE_PROGRAM: LazyLock<Schemas> = LazyLock::new(|| {
    // A test reads each of them; one that could not be read would leave its kind without controls, and nothing else.
    let read = |(kind, text): (Kind, &str)| Some((kind, Arc::new(KindSchema::parse(text).ok()?)));
    Schemas { of: BUILT_IN.into_iter().filter_map(read).collect() }
});

/// The schema of a kind's desired state, in the classic shadow of its things.
#[derive(Clone, Debug, PartialEq)]
pub struct KindSchema {
    /// What it says.
    pub schema: Schema,
    /// Its text, as a window gets it.
    pub text: String,
    /// What a person may set with one touch, in the order of the text.
    pub controls: Vec<Control>,
}

impl KindSchema {
    /// Reads one; what is desired is an object, so its schema must be of one.
    pub fn parse(text: &str) -> Result<KindSchema, SchemaError> {
        let schema = Schema::parse(text)?;
        let is_of_object = schema.types.as_ref().is_none_or(|types| types.contains(&crate::schema::Type::Object));
        if !is_of_object || schema.one_of.is_some() {
            let why = "what is desired is an object; \"type\": \"object\" with \"properties\" would be right".into();
            return Err(SchemaError { line: 1, pointer: String::new(), why });
        }
        let of = |(pointer, leaf): &(String, &Schema)| {
            let is_said_only = schema.way(pointer).into_iter().any(|schema| schema.read_only);
            if is_said_only { None } else { Control::of(&schema, pointer, leaf) }
        };
        let controls = schema.leaves().iter().filter_map(of).collect();
        Ok(KindSchema { schema, text: text.to_owned(), controls })
    }
}

/// The schema of every kind that has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Schemas {
    of: BTreeMap<Kind, Arc<KindSchema>>,
}

impl Default for Schemas {
    fn default() -> Schemas {
        Schemas::of_the_program().clone()
    }
}

impl Schemas {
    /// Those that come with the program.
    pub fn of_the_program() -> &'static Schemas {
        &OF_THE_PROGRAM
    }

    /// Puts one in the place of what a kind had.
    pub fn put(&mut self, kind: Kind, schema: KindSchema) {
        self.of.insert(kind, Arc::new(schema));
    }

    /// What a kind's desired state may hold; `None` where nobody says.
    pub fn of_kind(&self, kind: Kind) -> Option<&KindSchema> {
        self.of.get(&kind).map(Arc::as_ref)
    }

    /// What the desired state of a thing may hold. A thing of a convention has none: it says itself what can be set.
    pub fn of(&self, meta: &Meta) -> Option<&KindSchema> {
        self.of_kind(meta.kind).filter(|_| meta.convention.is_empty())
    }

    /// What a person may set on things of a kind, in the order of the screen.
    pub fn controls_of_kind(&self, kind: Kind) -> &[Control] {
        self.of_kind(kind).map_or(&[], |of| &of.controls)
    }

    /// The control of a leaf, if the kind has one there.
    pub fn control_of_kind(&self, kind: Kind, pointer: &str) -> Option<&Control> {
        self.controls_of_kind(kind).iter().find(|control| control.pointer == pointer)
    }

    /// What a person may set on a thing, in the order of the screen.
    pub fn controls<'a>(&'a self, meta: &'a Meta) -> &'a [Control] {
        if meta.convention.is_empty() { self.controls_of_kind(meta.kind) } else { &meta.controls }
    }

    /// The control of a leaf, if there is one.
    pub fn control<'a>(&'a self, meta: &'a Meta, pointer: &str) -> Option<&'a Control> {
        self.controls(meta).iter().find(|control| control.pointer == pointer)
    }

    /// How far a reported number may be from the wanted one and still count as obeyed; in the leaf's unit.
    pub fn tolerance(&self, meta: &Meta, pointer: &str) -> f64 {
        match self.of(meta) {
            Some(of) => of.schema.at(pointer).map_or(0.0, |leaf| leaf.tolerance),
            None => self.control(meta, pointer).map_or(0.0, |control| control.tolerance),
        }
    }

    /// How long a command for a leaf may wait, in milliseconds, where that is said.
    pub fn expiry_ms(&self, meta: &Meta, pointer: &str) -> Option<u64> {
        match self.of(meta) {
            Some(of) => of.schema.expiry_ms(pointer),
            None => self.control(meta, pointer).map(|control| control.expiry_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::{BARRIER_EXPIRY_MS, DEFAULT_EXPIRY_MS, Takes};

    #[test]
    fn every_schema_of_the_program_can_be_read() {
        for (kind, text) in BUILT_IN {
            let of = KindSchema::parse(text).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
            assert!(!of.controls.is_empty(), "{kind:?}");
            assert_eq!(Schemas::of_the_program().of_kind(kind), Some(&of));
        }
        assert_eq!(Schemas::default().of_kind(Kind::Other), None);
    }

    #[test]
    fn a_control_takes_only_what_the_device_understands() {
        let control = |kind, pointer| Schemas::of_the_program().control_of_kind(kind, pointer).unwrap();
        let (dim, on) = (control(Kind::Lamp, "/dim_pct"), control(Kind::Lamp, "/on"));
        let (barrier, interval) = (control(Kind::Parking, "/barrier"), control(Kind::Bin, "/interval_s"));
        for (control, value, fine) in [
            (dim, json!(40), true),
            (dim, json!(100.0), true),
            (dim, json!(101), false),
            (dim, json!("40"), false),
            (on, json!(true), true),
            (on, json!(1), false),
            (barrier, json!("open"), true),
            (barrier, json!("ajar"), false),
            (barrier, json!(null), false),
            (interval, json!(60), true),
            (interval, json!(0), false),
        ] {
            assert_eq!(control.check(&value).is_ok(), fine, "{} {value}", control.pointer);
        }
        assert_eq!((barrier.asks_first, barrier.expiry_ms), (true, BARRIER_EXPIRY_MS));
        assert_eq!((dim.asks_first, dim.expiry_ms, dim.tolerance), (false, DEFAULT_EXPIRY_MS, 0.5));
        let enabled = control(Kind::Charger, "/enabled");
        assert_eq!(enabled.switch_words, Some(("Yes".into(), "No".into())));
        assert_eq!(on.switch_words, None);
        assert_eq!(barrier.dangers_of(&json!("closed")), ["Look first whether somebody stands under it."]);
    }

    #[test]
    fn controls_follow_from_the_leaves_of_a_schema() {
        let of = KindSchema::parse(
            r#"{"type": "object", "properties": {
                "z": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2, "x-unit": "m"},
                "net": {"title": "Network", "x-expiry": 30, "x-danger": "It may be gone for a while.", "type": "object",
                    "properties": {"apn": {"title": "Access point", "type": "string", "maxLength": 20},
                                   "retries": {"type": "integer", "minimum": 0}}},
                "mode": {"enum": ["eco", "full"], "x-enum-labels": {"full": "Full power"}},
                "serial": {"type": "string", "readOnly": true},
                "days": {"type": "array", "items": {"type": "integer"}},
                "quiet": {"type": ["boolean"]},
                "any": {}
            }}"#,
        )
        .unwrap();
        let brief =
            |c: &Control| (c.pointer.to_string(), c.label.to_string(), c.takes.clone(), c.asks_first, c.expiry_ms);
        let words = vec![("eco".into(), "Eco".into()), ("full".into(), "Full power".into())];
        let range = Takes::Range { min: 2.0, max: 8.0, step: 2.0, unit: "m".into() };
        assert_eq!(
            of.controls.iter().map(brief).collect::<Vec<_>>(),
            [
                ("/z".into(), "Z".into(), range, false, DEFAULT_EXPIRY_MS),
                ("/net/apn".into(), "Access point".into(), Takes::Text { max_chars: 20 }, true, 30_000),
                ("/mode".into(), "Mode".into(), Takes::Choice(words.into()), false, DEFAULT_EXPIRY_MS),
                ("/quiet".into(), "Quiet".into(), Takes::Switch, false, DEFAULT_EXPIRY_MS),
            ]
        );
        for (text, why) in [("{\"type\": \"array\"}", "is an object"), ("{\"enum\": [{}]}", "is an object")] {
            assert!(KindSchema::parse(text).unwrap_err().why.contains(why), "{text}");
        }
    }
}
