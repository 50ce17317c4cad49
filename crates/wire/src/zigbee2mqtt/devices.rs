//! `bridge/devices`: the list of a bridge's devices.

use std::collections::BTreeMap;

use fleetlens_model::id::ThingName;
use fleetlens_model::kind::Control;
use serde_json::Value as Json;

use super::WORD;
use super::exposes::{self, Exposed};
use crate::about::{About, Steering};
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::{WireError, json};

/// The largest list that is read, in bytes; every device has some 5 kB of it.
pub const LIST_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Brackets within each other: a list of devices with their definitions, of lists of composites of values.
pub(super) const LIST_NESTING_MAX: usize = 32;

/// Devices one list may have.
const DEVICES_MAX: usize = 10_000;

/// A device as the list has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Device {
    /// Its IEEE address, which it keeps when it is renamed; empty where the list leaves it out.
    pub(super) address: String,
    /// Whether the bridge was told to leave it alone.
    pub(super) is_disabled: bool,
    /// Its values by their pointers.
    pub(super) exposes: BTreeMap<String, Exposed>,
}

/// Whether a friendly name is one a thing may have, and a topic.
pub(super) fn is_name(name: &str) -> bool {
    ThingName::new(name).is_ok() && !name.contains(['+', '#'])
}

/// Reads a list, by friendly names. The coordinator is no thing: it is the bridge's own radio.
pub(super) fn parse(payload: &[u8]) -> Result<BTreeMap<String, Device>, WireError> {
    let whole = json::document(payload, LIST_MAX_BYTES, LIST_NESTING_MAX)?;
    let Json::Array(list) = &whole else { return Err(json::wrong("bridge/devices", &whole, "a list of devices")) };
    if list.len() > DEVICES_MAX {
        return Err(WireError::TooLong { given: list.len(), max: DEVICES_MAX });
    }
    let mut devices = BTreeMap::new();
    for (index, item) in list.iter().enumerate() {
        let at = |field: &str| format!("/{index}{field}");
        let Json::Object(device) = item else { return Err(json::wrong(&at(""), item, "a device, which is an object")) };
        if device.get("type").and_then(Json::as_str) == Some("Coordinator") {
            continue;
        }
        let name = device.get("friendly_name").ok_or_else(|| json::missing(&at("/friendly_name")))?;
        let Some(name) = name.as_str().filter(|name| is_name(name)) else {
            return Err(json::wrong(&at("/friendly_name"), name, "1 to 256 bytes without +, # and control characters"));
        };
        let definition = device.get("definition").and_then(Json::as_object);
        let exposes = match definition.and_then(|definition| definition.get("exposes")) {
            Some(Json::Array(exposes)) => {
                let what = definition.and_then(|definition| definition.get("description")).and_then(Json::as_str);
                exposes::parse(exposes, what.unwrap_or_default(), &at("/definition/exposes"))?
            }
            // Of a device that is not supported the list only has the name.
            None | Some(Json::Null) => BTreeMap::new(),
            Some(other) => return Err(json::wrong(&at("/definition/exposes"), other, "a list")),
        };
        let address = device.get("ieee_address").and_then(Json::as_str).unwrap_or_default();
        let is_disabled = device.get("disabled").and_then(Json::as_bool).unwrap_or(false);
        let device = Device { address: address.chars().take(32).collect(), is_disabled, exposes };
        if devices.insert(name.to_owned(), device).is_some() {
            return Err(WireError::Twice { pointer: quote(name, QUOTE_MAX_CHARS) });
        }
    }
    Ok(devices)
}

impl Device {
    /// What the list says of it.
    pub(super) fn about(&self) -> About {
        let unit =
            |(pointer, it): (&String, &Exposed)| (!it.unit.is_empty()).then(|| (pointer.clone(), it.unit.clone()));
        About {
            units: self.exposes.iter().filter_map(unit).collect(),
            labels: self.exposes.iter().map(|(pointer, it)| (pointer.clone(), it.label.clone())).collect(),
            steering: Some(Steering { convention: WORD, controls: self.controls() }),
            ..About::default()
        }
    }

    /// What can be set, in the order of the list; what configures it comes after what it is for.
    fn controls(&self) -> Vec<Control> {
        if self.is_disabled {
            return Vec::new();
        }
        let mut controls: Vec<_> =
            self.exposes.iter().filter_map(|(pointer, it)| Some((it, it.control(pointer)?))).collect();
        controls.sort_by_key(|(it, _)| (it.is_config, it.rank));
        controls.into_iter().map(|(_, control)| control).collect()
    }

    /// The member of a `set` object that does what is wanted, or a sentence why there is none.
    pub(super) fn command(&self, pointer: &str, wanted: &Json) -> Result<(String, Json), String> {
        let exposed = self.exposes.get(pointer).filter(|it| !self.is_disabled && it.control(pointer).is_some());
        match exposed {
            Some(exposed) => Ok((exposed.property.clone(), exposed.write(pointer, wanted)?)),
            None => Err(format!("the device has nothing to set at {}", quote(pointer, QUOTE_MAX_CHARS))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_of_another_kind_is_refused_with_the_reason() {
        let exposes = |exposes: Json| json!([{"friendly_name": "a", "definition": {"exposes": exposes}}]);
        let many: Vec<Json> = (0..=512)
            .map(|i| json!({"type": "numeric", "name": "n", "property": format!("p{i}"), "access": 1}))
            .collect();
        for (list, says) in [
            (json!({}), "\"bridge/devices\" is {}; it must be a list of devices"),
            (json!([1]), "\"/0\" is 1; it must be a device"),
            (json!([{}]), "\"/0/friendly_name\" is missing"),
            (json!([{"friendly_name": 7}]), "1 to 256 bytes"),
            (json!([{"friendly_name": "a+"}]), "without +, #"),
            (json!([{"friendly_name": "a\u{7}"}]), "control characters"),
            (json!([{"friendly_name": "a"}, {"friendly_name": "a"}]), "two values are called \"a\""),
            (exposes(json!({})), "\"/0/definition/exposes\" is {}; it must be a list"),
            (exposes(json!([1])), "\"/0/definition/exposes/0\" is 1; it must be an object"),
            (exposes(json!([{"name": "x"}])), "\"/0/definition/exposes/0/type\" is missing"),
            (exposes(json!([{"type": "light", "features": 1}])), "/0/features"),
            (exposes(json!([{"type": "numeric", "property": "x".repeat(300)}])), "at most 256 are allowed"),
            (exposes(Json::from(many)), "more than 512 values"),
            (Json::from(vec![Json::Null; DEVICES_MAX + 1]), "lists 10001 entries"),
        ] {
            let refusal = parse(list.to_string().as_bytes()).unwrap_err().to_string();
            assert!(refusal.contains(says), "{says}: {refusal}");
        }
        assert!(parse(&vec![b'['; LIST_MAX_BYTES + 1]).unwrap_err().to_string().contains("at most 4194304"));
        assert!(parse("[".repeat(100).as_bytes()).is_err());
    }

    #[test]
    fn a_device_that_is_not_supported_has_a_name_and_the_coordinator_is_none() {
        let list = json!([
            {"friendly_name": "Coordinator", "type": "Coordinator", "definition": null},
            {"friendly_name": "my_sensor", "type": "Router", "definition": null, "ieee_address": "0x00"},
        ]);
        let devices = parse(list.to_string().as_bytes()).unwrap();
        assert_eq!(devices.keys().collect::<Vec<_>>(), ["my_sensor"]);
        assert!(devices["my_sensor"].exposes.is_empty());
    }
}
