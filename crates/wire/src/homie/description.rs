//! `$description`: what a device has, in one JSON document ("Device Attributes", "Node Attributes", "Property Attributes").

use std::collections::BTreeMap;

use fleetlens_model::shadow::Object;
use serde_json::Value as Json;

use super::property::{Datatype, Property};
use super::topic::{Place, is_id};
use crate::about::{About, Steering};
use crate::json::{self, Fields};
use crate::meta::words;
use crate::telemetry::{PAYLOAD_MAX_BYTES, VALUES_MAX, check_length};
use crate::{WireError, settable};

/// Properties a device may have: each may have a target beside it, and both together may be as many as a thing has values.
pub(super) const PROPERTIES_MAX: usize = VALUES_MAX / 2;

/// Brackets of a document, and some for fields to come.
const NESTING_MAX: usize = 12;

/// About what a property takes in memory beside its texts.
const PROPERTY_BYTES: usize = 256;

/// A device as it describes itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Description {
    title: String,
    /// The device whose connection carries this one; when that is lost, so is this.
    pub(super) root: Option<String>,
    /// By `/{node}/{property}`.
    properties: BTreeMap<String, Property>,
    /// About what it takes in memory.
    pub(super) bytes: usize,
}

/// A name or a type: `None` where it is no text, which makes its object illegal.
fn text<'a>(object: &'a Object, field: &str) -> Option<Option<&'a str>> {
    match object.get(field) {
        None | Some(Json::Null) => Some(None),
        Some(Json::String(text)) => Some(Some(text)),
        Some(Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => None,
    }
}

/// A yes or no that may be left out.
fn flag(object: &Object, field: &str, default: bool) -> Option<bool> {
    match object.get(field) {
        None | Some(Json::Null) => Some(default),
        Some(Json::Bool(flag)) => Some(*flag),
        Some(Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_)) => None,
    }
}

/// A name for people, or the id where there is none.
fn named(name: Option<&str>, id: &str) -> String {
    Some(words(name.unwrap_or_default())).filter(|name| !name.is_empty()).unwrap_or_else(|| words(id))
}

impl Description {
    /// Reads a document. A node or a property that is illegal is ignored and the rest taken, as the convention wants it
    /// ("Forward compatibility"): what it says of itself later is refused.
    pub(super) fn parse(payload: &[u8]) -> Result<Description, WireError> {
        let mut fields = Fields::new(json::object(payload, PAYLOAD_MAX_BYTES, NESTING_MAX)?);
        let homie = fields.optional_string("homie")?.ok_or_else(|| json::missing("homie"))?;
        if homie != "5" && !homie.starts_with("5.") {
            return Err(json::wrong("homie", &Json::from(homie), "the convention's version, such as 5.0"));
        }
        let title = words(&fields.optional_string("name")?.unwrap_or_default());
        // Whoever names only its parent names who carries it, if only one step of the way.
        let parent = fields.optional_string("parent")?;
        let root = fields.optional_string("root")?.or(parent);
        if let Some(root) = root.as_ref().filter(|root| !is_id(root) || check_length(root).is_err()) {
            return Err(json::wrong("root", &Json::from(root.as_str()), "the id of a device, of a–z, 0–9 and -"));
        }
        let nodes = fields.optional_object("nodes")?.unwrap_or_default();
        let mut properties = BTreeMap::new();
        for (id, node) in &nodes {
            let Json::Object(node) = node else { continue };
            add_node(id, node, &mut properties);
            if properties.len() > PROPERTIES_MAX {
                return Err(WireError::TooMany { max: PROPERTIES_MAX });
            }
        }
        let bytes = payload.len() + properties.len() * PROPERTY_BYTES;
        Ok(Description { title, root, properties: tell_apart(properties), bytes })
    }

    /// Whether there is anything to listen to.
    pub(super) fn has_properties(&self) -> bool {
        !self.properties.is_empty()
    }

    /// The property of a place.
    pub(super) fn property(&self, place: &Place) -> Option<&Property> {
        self.properties.get(&place.property)
    }

    /// The property whose values have this pointer.
    pub(super) fn property_at(&self, pointer: &str) -> Option<&Property> {
        self.properties.get(pointer)
    }

    /// What it says of the thing.
    pub(super) fn about(&self) -> About {
        let name = |(pointer, property): (&String, &Property)| (pointer.clone(), property.label.clone());
        let unit = |(pointer, property): (&String, &Property)| {
            let unit = property.shown_unit();
            (!unit.is_empty()).then(|| (pointer.clone(), unit.to_owned()))
        };
        let controls = self.properties.iter().filter_map(|(pointer, property)| property.control(pointer)).collect();
        About {
            title: Some(self.title.clone()).filter(|title| !title.is_empty()),
            units: self.properties.iter().filter_map(unit).collect(),
            labels: self.properties.iter().map(name).collect(),
            steering: Some(Steering { convention: super::WORD, controls }),
            ..About::default()
        }
    }
}

/// A node's properties with the names of both, for [`tell_apart`].
type Named = BTreeMap<String, (String, Property)>;

/// Adds the properties of a node; nothing of one that is illegal.
fn add_node(id: &str, node: &Object, properties: &mut Named) {
    let (Some(name), Some(kind)) = (text(node, "name"), text(node, "type")) else { return };
    let Some(Json::Object(described)) = node.get("properties") else { return };
    if !is_id(id) {
        return;
    }
    let node_name = named(name, id);
    for (property_id, described) in described {
        let Json::Object(described) = described else { continue };
        let place = Place { property: format!("/{id}/{property_id}"), is_target: true };
        if !is_id(property_id) || check_length(&place.pointer()).is_err() {
            continue;
        }
        if let Some(mut property) = property(property_id, described) {
            let names = [id, property_id, &node_name, &property.label, kind.unwrap_or_default()];
            property.is_dangerous = settable::is_dangerous(names);
            properties.insert(place.property, (node_name.clone(), property));
        }
    }
}

/// A property, unless it is illegal.
fn property(id: &str, described: &Object) -> Option<Property> {
    let label = named(text(described, "name")?, id);
    let unit = words(text(described, "unit")?.unwrap_or_default());
    let datatype = Datatype::parse(text(described, "datatype")??, text(described, "format")?)?;
    let (is_settable, is_retained) = (flag(described, "settable", false)?, flag(described, "retained", true)?);
    Some(Property { label, unit, datatype, is_settable, is_retained, is_dangerous: false })
}

/// Puts the node's name before that of a property which is called like another.
fn tell_apart(properties: Named) -> BTreeMap<String, Property> {
    let mut called = BTreeMap::<String, usize>::new();
    for (_, property) in properties.values() {
        *called.entry(property.label.clone()).or_default() += 1;
    }
    let mut told_apart = BTreeMap::new();
    for (pointer, (node, mut property)) in properties {
        if called.get(&property.label).is_some_and(|count| *count > 1) {
            property.label = words(&format!("{node}: {}", property.label));
        }
        told_apart.insert(pointer, property);
    }
    told_apart
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(document: &Json) -> Result<Description, WireError> {
        Description::parse(document.to_string().as_bytes())
    }

    #[test]
    fn a_document_says_what_the_device_has_and_what_can_be_set() {
        let document = json!({
            "homie": "5.0", "version": 7, "name": "Weather\u{202e} mast", "type": "x", "extensions": [], "later": {},
            "nodes": {
                "roof": { "name": "Roof", "properties": {
                    "temperature": { "name": "Temperature", "datatype": "float", "unit": "°C", "format": "-20:120" },
                    "heater": { "datatype": "boolean", "settable": true, "format": "off,on" }
                }},
                "cellar": { "type": "room", "properties": {
                    "temperature": { "name": "Temperature", "datatype": "float", "unit": "°C" },
                    "door": { "name": "Door", "datatype": "enum", "format": "open,closed", "settable": true },
                    "uptime": { "datatype": "duration" },
                    "bell": { "datatype": "enum", "format": "pressed", "settable": true, "retained": false }
                }}
            }
        });
        let about = parse(&document).unwrap().about();
        let pairs = |pairs: &[(&str, &str)]| -> Vec<_> {
            pairs.iter().map(|(pointer, word)| ((*pointer).to_owned(), (*word).to_owned())).collect()
        };
        assert_eq!(about.title.as_deref(), Some("Weather mast"));
        assert_eq!(
            about.labels,
            pairs(&[
                ("/cellar/bell", "bell"),
                ("/cellar/door", "Door"),
                ("/cellar/temperature", "cellar: Temperature"),
                ("/cellar/uptime", "uptime"),
                ("/roof/heater", "heater"),
                ("/roof/temperature", "Roof: Temperature"),
            ])
        );
        assert_eq!(
            about.units,
            pairs(&[("/cellar/temperature", "°C"), ("/cellar/uptime", "s"), ("/roof/temperature", "°C")])
        );
        let controls = about.steering.unwrap().controls;
        let controls: Vec<_> = controls.iter().map(|c| (&*c.pointer, c.asks_first, c.expiry_ms)).collect();
        assert_eq!(controls, [("/cellar/door", true, 30_000), ("/roof/heater", false, 600_000)]);
    }

    #[test]
    fn what_is_illegal_is_ignored_and_the_rest_taken() {
        let good = json!({ "datatype": "float" });
        for (name, nodes, want) in [
            ("an unknown datatype", json!({"n": {"properties": {"a": {"datatype": "percent"}, "b": good}}}), "/n/b"),
            ("no datatype", json!({"n": {"properties": {"a": {}, "b": good}}}), "/n/b"),
            ("a property that is none", json!({"n": {"properties": {"a": 1, "b": good}}}), "/n/b"),
            ("a flag that is none", json!({"n": {"properties": {"a": {"datatype": "float", "settable": "yes"}}}}), ""),
            ("a name that is none", json!({"n": {"properties": {"a": {"datatype": "float", "name": 1}}}}), ""),
            ("an id that is none", json!({"n": {"properties": {"A": good, "b": good}}}), "/n/b"),
            (
                "a node's id that is none",
                json!({"N": {"properties": {"a": good}}, "m": {"properties": {"b": good}}}),
                "/m/b",
            ),
            ("a node that is none", json!({"n": 1, "m": {"properties": {"b": good}}}), "/m/b"),
            ("nothing in a node", json!({"n": {}}), ""),
            ("a longer pointer than a series has", json!({"n": {"properties": {"a".repeat(255): good}}}), ""),
        ] {
            let description = parse(&json!({"homie": "5.0", "version": 1, "name": "x", "nodes": nodes})).unwrap();
            let pointers: Vec<_> = description.properties.keys().map(String::as_str).collect();
            assert_eq!(pointers.join(" "), want, "{name}");
        }
    }

    #[test]
    fn a_document_of_another_kind_is_refused_with_the_reason() {
        let many: Object = (0..=PROPERTIES_MAX).map(|i| (format!("p{i}"), json!({"datatype": "float"}))).collect();
        for (document, says) in [
            (json!({}), "\"homie\" is missing"),
            (json!({"homie": 5}), "it must be a text"),
            (json!({"homie": "4.0"}), "\"4.0\"; it must be the convention's version, such as 5.0"),
            (json!({"homie": "5.0", "name": 1}), "\"name\""),
            (json!({"homie": "5.0", "nodes": []}), "it must be an object"),
            (json!({"homie": "5.0", "root": "a/b"}), "the id of a device"),
            (json!({"homie": "5.0", "nodes": {"n": {"properties": many}}}), "more than 256 values"),
            (json!([]), "an array where an object belongs"),
        ] {
            let refusal = parse(&document).unwrap_err().to_string();
            assert!(refusal.contains(says), "{refusal}");
        }
        assert!(Description::parse(&[b'{'; 300_000]).is_err());
        assert!(Description::parse(&b"{\"a\":".repeat(20)).is_err());
    }

    #[test]
    fn a_child_names_who_carries_it() {
        let root = |more: Json| {
            let mut document = json!({"homie": "5.0", "name": "x"});
            document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parse(&document).unwrap().root
        };
        assert_eq!(root(json!({"root": "bridge", "parent": "relay"})).as_deref(), Some("bridge"));
        assert_eq!(root(json!({"parent": "bridge"})).as_deref(), Some("bridge"));
        assert_eq!(root(json!({"children": ["a"]})), None);
    }
}
