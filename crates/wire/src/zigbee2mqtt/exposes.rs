//! `exposes`: what a device can say and do ("Exposes").

use std::collections::BTreeMap;

use fleetlens_model::kind::{Control, Takes};
use fleetlens_model::shadow::{Object, pointer_of};
use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use serde_json::Value as Json;

use crate::meta::words;
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::{VALUES_MAX, check_length};
use crate::{WireError, json, settable};

/// Bits of `access`.
const PUBLISHED: u64 = 1;
const SETTABLE: u64 = 2;

/// A value of a device.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exposed {
    /// The member of the state, and of what is sent.
    pub(super) property: String,
    /// What it is called on the screen.
    pub(super) label: String,
    /// Empty for none.
    pub(super) unit: String,
    form: Form,
    /// Whether it is published and can be set by itself.
    is_settable: bool,
    /// Whether it configures the device, and is not what the device is for.
    pub(super) is_config: bool,
    is_dangerous: bool,
    /// Its place in the list.
    pub(super) rank: usize,
}

/// What its values are.
#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// On and off, as the device writes them.
    Flag {
        on: Json,
        off: Json,
    },
    /// One of these words.
    Words(Vec<String>),
    Number {
        min: Option<f64>,
        max: Option<f64>,
        step: f64,
    },
    Text,
    /// Whatever the state says; it cannot be set.
    Plain,
}

/// Where in the list an entry stands.
#[derive(Clone, Copy)]
struct Within<'a> {
    /// The pointer its own are below.
    pointer: &'a str,
    /// The specific type around it, such as `light`.
    specific: &'a str,
    /// Whether it is a part of a composite, which is set as a whole.
    is_part: bool,
    /// What the device is, in its maker's words.
    what: &'a str,
}

/// Reads the entries of a list at `at`. Types that are not known are left out: there will be more.
pub(super) fn parse(list: &[Json], what: &str, at: &str) -> Result<BTreeMap<String, Exposed>, WireError> {
    let mut found = BTreeMap::new();
    add_all(list, Within { pointer: "", specific: "", is_part: false, what }, at, &mut found)?;
    Ok(found)
}

fn add_all(
    list: &[Json],
    within: Within<'_>,
    at: &str,
    found: &mut BTreeMap<String, Exposed>,
) -> Result<(), WireError> {
    list.iter().enumerate().try_for_each(|(index, item)| {
        let at = format!("{at}/{index}");
        let Json::Object(entry) = item else { return Err(json::wrong(&at, item, "an object")) };
        add(entry, within, &at, found)
    })
}

fn text<'a>(entry: &'a Object, field: &str) -> Option<&'a str> {
    entry.get(field).and_then(Json::as_str)
}

/// Adds an entry and what is within it.
fn add(entry: &Object, within: Within<'_>, at: &str, found: &mut BTreeMap<String, Exposed>) -> Result<(), WireError> {
    let kind = text(entry, "type").ok_or_else(|| json::missing(&format!("{at}/type")))?;
    let property = text(entry, "property").or_else(|| text(entry, "name"));
    let pointer = property.map(|property| format!("{}{}", within.pointer, pointer_of([property])));
    if let Some(pointer) = &pointer {
        check_length(pointer)?;
    }
    let features = match entry.get("features") {
        Some(Json::Array(features)) => Some(features),
        None | Some(Json::Null) => None,
        Some(other) => return Err(json::wrong(&format!("{at}/features"), other, "a list")),
    };
    match (kind, features, property, pointer) {
        ("composite", Some(features), _, Some(pointer)) => {
            add_all(features, Within { pointer: &pointer, is_part: true, ..within }, &format!("{at}/features"), found)
        }
        ("binary" | "numeric" | "enum" | "text", _, Some(property), Some(pointer)) => {
            if !found.contains_key(&pointer) {
                let exposed = exposed(entry, kind, property, within, found.len());
                found.insert(pointer, exposed);
            }
            if found.len() > VALUES_MAX { Err(WireError::TooMany { max: VALUES_MAX }) } else { Ok(()) }
        }
        ("list" | "composite" | "binary" | "numeric" | "enum" | "text", ..) => Ok(()),
        // A specific type, such as a light: its features are values of the device itself.
        (specific, Some(features), ..) => {
            add_all(features, Within { specific, ..within }, &format!("{at}/features"), found)
        }
        (_, None, ..) => Ok(()),
    }
}

fn exposed(entry: &Object, kind: &str, property: &str, within: Within<'_>, rank: usize) -> Exposed {
    let name = text(entry, "name").unwrap_or(property);
    let label = words(text(entry, "label").unwrap_or_default());
    let mut label = if label.is_empty() { settable::in_words(name) } else { label };
    if let Some(endpoint) = text(entry, "endpoint").filter(|endpoint| !label.contains(endpoint)) {
        label = words(&format!("{label} ({})", endpoint.replace('_', " ")));
    }
    let access = entry.get("access").and_then(Json::as_u64).unwrap_or(0);
    let is_door = matches!(within.specific, "lock" | "cover");
    // What a plain switch switches only its maker's words tell.
    let switched = if within.specific == "switch" { within.what } else { "" };
    Exposed {
        property: property.to_owned(),
        label,
        unit: words(text(entry, "unit").unwrap_or_default()),
        form: form(entry, kind, is_door),
        is_settable: !within.is_part && access & (PUBLISHED | SETTABLE) == PUBLISHED | SETTABLE,
        is_config: text(entry, "category") == Some("config"),
        is_dangerous: is_door || settable::is_dangerous([property, switched]),
        rank,
    }
}

fn form(entry: &Object, kind: &str, is_door: bool) -> Form {
    let number = |field: &str| entry.get(field).and_then(Json::as_f64);
    match kind {
        "binary" => match (entry.get("value_on"), entry.get("value_off")) {
            (Some(Json::String(on)), Some(Json::String(off))) if is_door || !is_on_and_off(on, off) => {
                Form::Words(vec![on.clone(), off.clone()])
            }
            (Some(on), Some(off)) if on != off => Form::Flag { on: on.clone(), off: off.clone() },
            (Some(_) | None, Some(_) | None) => Form::Plain,
        },
        "enum" => {
            let values = entry.get("values").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            // Numbers would be reported as numbers, and STOP never is: a cover that stopped is open or closed.
            let word = |value: &Json| value.as_str().filter(|word| word.len() <= TEXT_MAX_BYTES).map(str::to_owned);
            let is_state = |word: &Result<String, ()>| !(is_door && word.as_deref() == Ok("STOP"));
            let words: Result<_, ()> = values.iter().map(|value| word(value).ok_or(())).filter(is_state).collect();
            words.map_or(Form::Plain, Form::Words)
        }
        "numeric" => {
            let bounds = (number("value_min"), number("value_max"));
            let (min, max) = if matches!(bounds, (Some(min), Some(max)) if min >= max) { (None, None) } else { bounds };
            let width = max.zip(min).map_or(f64::INFINITY, |(max, min)| max - min);
            let step = number("value_step").filter(|step| *step > 0.0);
            Form::Number { min, max, step: step.unwrap_or(if width <= 10.0 { 0.1 } else { 1.0 }) }
        }
        "text" => Form::Text,
        _ => Form::Plain,
    }
}

/// Whether two words are on and off, so that a switch says the same; `LOCK` and `UNLOCK` need buttons of their own.
fn is_on_and_off(on: &str, off: &str) -> bool {
    let pair = (on.to_ascii_lowercase(), off.to_ascii_lowercase());
    let pair = (pair.0.as_str(), pair.1.as_str());
    matches!(
        pair,
        ("on", "off")
            | ("true", "false")
            | ("yes", "no")
            | ("enable", "disable")
            | ("enabled", "disabled")
            | ("1", "0")
    )
}

/// Whether a value is that of JSON.
fn is_same(value: &Value, json: &Json) -> bool {
    match value {
        Value::Flag(flag) => json.as_bool() == Some(*flag),
        Value::Number(number) => json.as_f64() == Some(*number),
        Value::Text(text) => json.as_str() == Some(text),
    }
}

impl Exposed {
    /// A value as it is shown: on and off as a flag.
    pub(super) fn read(&self, value: Value) -> Value {
        match &self.form {
            Form::Flag { on, .. } if is_same(&value, on) => Value::Flag(true),
            Form::Flag { off, .. } if is_same(&value, off) => Value::Flag(false),
            Form::Flag { .. } | Form::Words(_) | Form::Number { .. } | Form::Text | Form::Plain => value,
        }
    }

    /// How a person sets it.
    pub(super) fn control(&self, pointer: &str) -> Option<Control> {
        let takes = match &self.form {
            Form::Flag { .. } => Takes::Switch,
            Form::Words(words) => settable::choice(words.iter().map(String::as_str))?,
            Form::Number { min, max, step } => settable::range(*min, *max, *step, &self.unit),
            Form::Text => Takes::Text { max_chars: settable::TEXT_MAX_CHARS },
            Form::Plain => return None,
        };
        self.is_settable.then(|| settable::control(pointer, &self.label, takes, self.is_dangerous))
    }

    /// What is sent to set it, or a sentence why there is nothing.
    pub(super) fn write(&self, pointer: &str, wanted: &Json) -> Result<Json, String> {
        let control = self.control(pointer).ok_or_else(|| format!("{} cannot be set", self.label))?;
        control.check(wanted).map_err(|why| quote(&why, QUOTE_MAX_CHARS))?;
        match (&self.form, wanted) {
            (Form::Flag { on, .. }, Json::Bool(true)) => Ok(on.clone()),
            (Form::Flag { off, .. }, _) => Ok(off.clone()),
            (Form::Words(_) | Form::Number { .. } | Form::Text | Form::Plain, wanted) => Ok(wanted.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn controls(exposes: &Json, what: &str) -> Vec<Control> {
        let found = parse(exposes.as_array().unwrap(), what, "").unwrap();
        found.iter().filter_map(|(pointer, exposed)| exposed.control(pointer)).collect()
    }

    fn range(min: f64, max: f64, step: f64, unit: &str) -> Takes {
        Takes::Range { min, max, step, unit: unit.to_owned().into() }
    }

    fn buttons(words: &[(&str, &str)]) -> Takes {
        let words = words.iter().map(|(word, label)| ((*word).to_owned().into(), (*label).to_owned().into()));
        Takes::Choice(words.collect::<Vec<_>>().into())
    }

    #[test]
    fn a_control_takes_what_the_device_does() {
        let one = |kind: &str, more: Json| {
            let mut entry = json!({"type": kind, "name": "it", "property": "it", "access": 7});
            entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            entry
        };
        let words: Vec<String> = (0..33).map(|i| format!("w{i}")).collect();
        for (name, entry, want) in [
            ("on and off", one("binary", json!({"value_on": "ON", "value_off": "OFF"})), Some((Takes::Switch, 0.0))),
            ("a flag", one("binary", json!({"value_on": true, "value_off": false})), Some((Takes::Switch, 0.0))),
            (
                "two words",
                one("binary", json!({"value_on": "AUTO", "value_off": "by_hand"})),
                Some((buttons(&[("AUTO", "Auto"), ("by_hand", "By hand")]), 0.0)),
            ),
            ("a binary without words", one("binary", json!({})), None),
            (
                "a number",
                one("numeric", json!({"value_min": 7, "value_max": 30, "value_step": 0.5, "unit": "°C"})),
                Some((range(7.0, 30.0, 0.5, "°C"), 0.25)),
            ),
            (
                "a level",
                one("numeric", json!({"value_min": 0, "value_max": 254})),
                Some((range(0.0, 254.0, 1.0, ""), 0.5)),
            ),
            (
                "an offset",
                one("numeric", json!({"value_min": -2, "value_max": 2})),
                Some((range(-2.0, 2.0, 0.1, ""), 0.05)),
            ),
            ("a number without bounds", one("numeric", json!({"unit": "%"})), Some((range(0.0, 100.0, 1.0, "%"), 0.5))),
            (
                "bounds in no order",
                one("numeric", json!({"value_min": 5, "value_max": 5})),
                Some((range(-1e6, 1e6, 1.0, ""), 0.5)),
            ),
            (
                "an enum",
                one("enum", json!({"values": ["off", "fan_only"]})),
                Some((buttons(&[("off", "Off"), ("fan_only", "Fan only")]), 0.0)),
            ),
            ("an enum with numbers", one("enum", json!({"values": ["off", 5]})), None),
            ("an enum without values", one("enum", json!({})), None),
            ("more words than buttons", one("enum", json!({"values": words})), None),
            ("a text", one("text", json!({})), Some((Takes::Text { max_chars: 255 }, 0.0))),
            ("a list", one("list", json!({"item_type": {"type": "numeric"}})), None),
            ("a type to come", one("hologram", json!({})), None),
            ("what is never reported", one("enum", json!({"values": ["blink"], "access": 2})), None),
            ("what can only be read", one("numeric", json!({"access": 5})), None),
        ] {
            let found = controls(&json!([entry]), "");
            let found = found.first().map(|control| (control.takes.clone(), control.tolerance));
            assert_eq!(found, want, "{name}");
        }
    }

    #[test]
    fn locks_and_covers_have_their_own_words_and_ask_first() {
        let lock = json!([{"type": "lock", "features": [
            {"type": "binary", "name": "state", "label": "State", "property": "state", "value_on": "LOCK", "value_off": "UNLOCK", "access": 7},
            {"type": "enum", "name": "lock_state", "property": "lock_state", "values": ["locked", "unlocked"], "access": 1}]}]);
        let cover = json!([{"type": "cover", "features": [
            {"type": "enum", "name": "state", "property": "state", "values": ["OPEN", "CLOSE", "STOP"], "access": 3}]}]);
        let old_cover = json!([{"type": "cover", "features": [
            {"type": "binary", "name": "state", "property": "state", "value_on": "ON", "value_off": "OFF", "access": 7}]}]);
        for (exposes, words) in [
            (lock, [("LOCK", "Lock"), ("UNLOCK", "Unlock")]),
            (cover, [("OPEN", "Open"), ("CLOSE", "Close")]),
            (old_cover, [("ON", "On"), ("OFF", "Off")]),
        ] {
            let [control] = controls(&exposes, "").try_into().unwrap();
            assert_eq!(control.takes, buttons(&words));
            assert_eq!((control.asks_first, control.expiry_ms), (true, 30_000));
        }
    }

    #[test]
    fn a_switch_asks_first_where_its_maker_calls_it_a_valve() {
        let switch = json!([{"type": "switch", "features": [
            {"type": "binary", "name": "state", "property": "state", "value_on": "ON", "value_off": "OFF", "access": 7}]},
            {"type": "binary", "name": "child_lock", "property": "child_lock", "value_on": "LOCK", "value_off": "UNLOCK", "access": 3}]);
        let asks = |what| controls(&switch, what).iter().map(|control| control.asks_first).collect::<Vec<_>>();
        assert_eq!(asks("Smart plug"), [false, false]);
        assert_eq!(asks("Zigbee smart water valve"), [false, true], "not the child lock");
    }

    #[test]
    fn values_of_composites_have_names_and_no_controls() {
        let light = json!([{"type": "light", "endpoint": "top_left", "features": [
            {"type": "composite", "name": "color_xy", "property": "color_left", "features": [
                {"type": "numeric", "name": "x", "label": "X", "property": "x", "access": 7},
                {"type": "composite", "name": "deep", "property": "a/b", "features": [
                    {"type": "numeric", "name": "min_level", "unit": "lx", "property": "min_level", "access": 7}]}]},
            {"type": "numeric", "name": "brightness", "label": "Brightness", "endpoint": "top_left", "property": "brightness_left", "access": 7}]}]);
        let found = parse(light.as_array().unwrap(), "", "").unwrap();
        let found: Vec<_> =
            found.iter().map(|(p, it)| (p.as_str(), it.label.as_str(), it.unit.as_str(), it.is_settable)).collect();
        assert_eq!(
            found,
            [
                ("/brightness_left", "Brightness (top left)", "", true),
                ("/color_left/a~1b/min_level", "Min level", "lx", false),
                ("/color_left/x", "X", "", false),
            ]
        );
    }
}
