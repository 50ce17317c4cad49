//! Which firmware is in the field: what each thing reports of it in its classic shadow, else as a value.

use std::collections::{BTreeMap, HashMap};

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Packed;
use fleetlens_model::shared::SharedText;
use fleetlens_model::telemetry::Value;
use fleetlens_model::text::shown;

use super::{Fleet, Thing};

/// Where a thing says its firmware, unless the profile names one place.
const USUAL: [&str; 2] = ["/fw", "/firmware"];

/// The longest version that is told, in characters.
const VERSION_MAX_CHARS: usize = 64;

/// Things of each version, `None` where they do not say.
pub(crate) type Versions = BTreeMap<Option<String>, u32>;

/// Of shadows of one shape: which place stands at which pointer.
type Places = HashMap<SharedText, Vec<Option<usize>>>;

impl Fleet {
    /// The versions in the field by kind. Goes through all things, and unpacks no shadow.
    pub(crate) fn firmware(&self) -> BTreeMap<Kind, Versions> {
        let named = self.config.firmware.as_deref();
        let pointers: Vec<&str> = named.map_or_else(|| USUAL.to_vec(), |named| vec![named]);
        let mut places = Places::new();
        let mut kinds: BTreeMap<Kind, Versions> = BTreeMap::new();
        for thing in self.things.values() {
            let version = self.version_of(thing, &pointers, &mut places);
            *kinds.entry(thing.meta.common.kind).or_default().entry(version).or_default() += 1;
        }
        kinds
    }

    fn version_of(&self, thing: &Thing, pointers: &[&str], places: &mut Places) -> Option<String> {
        let document = thing.shadows.get("").and_then(|shadow| shadow.document.as_ref());
        if let Some(reported) = document.and_then(|document| reported(document, pointers, places)) {
            return Some(reported);
        }
        let value = |pointer: &&str| self.series_at(thing, pointer)?.latest();
        match pointers.iter().find_map(value)?.value {
            Value::Text(text) => Some(cut(&text)),
            Value::Number(number) => Some(number.to_string()),
            Value::Flag(_) => None,
        }
    }
}

fn reported(document: &Packed, pointers: &[&str], places: &mut Places) -> Option<String> {
    if !places.contains_key(document.shape()) {
        let found = pointers.iter().map(|pointer| document.place_in_reported(pointer)).collect();
        places.insert(document.shape().clone(), found);
    }
    let places = places.get(document.shape())?;
    let json = places.iter().flatten().find_map(|place| document.value(*place))?;
    match serde_json::from_str(json).ok()? {
        serde_json::Value::String(text) => Some(cut(&text)),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    }
}

fn cut(text: &str) -> String {
    shown(text).chars().take(VERSION_MAX_CHARS).collect()
}
