//! What is known of one name, and how it is told.

use fleetlens_model::freshness::Presence;
use serde_json::Value as Json;

use super::WORD;
use super::devices::Device;
use super::values;
use crate::about::{About, Steering};
use crate::meta::words;
use crate::telemetry::{NESTING_MAX, PAYLOAD_MAX_BYTES, Telemetry};
use crate::{WireError, json};

/// How often a thing speaks that speaks when something changes: silence alone says nothing. 7 days.
pub(super) const INTERVAL_S: u32 = 604_800;

/// The longest `online` that is looked at, in bytes.
const ONLINE_MAX_BYTES: usize = 256;

/// What is known of one name.
#[derive(Debug, Default)]
pub(super) struct Thing {
    /// What the list says of it.
    pub(super) device: Option<Device>,
    /// Whether that was told since the link is up.
    pub(super) is_described: bool,
    /// Whether it said values.
    pub(super) has_spoken: bool,
    /// Whether it left the network.
    pub(super) has_left: bool,
    pub(super) is_available: Option<bool>,
    /// Its last state before the list, to be read again by it.
    pub(super) kept: Option<Vec<u8>>,
    /// What was last said of its being there.
    pub(super) told: Option<Presence>,
}

impl Thing {
    /// Whether it is told of: what only has a topic of its own may be long gone.
    fn is_thing(&self) -> bool {
        self.device.is_some() || self.has_spoken
    }

    fn presence(&self, is_bridge_online: Option<bool>) -> Option<Presence> {
        let is_off = self.has_left || self.device.as_ref().is_some_and(|device| device.is_disabled);
        match (is_bridge_online, self.is_available) {
            (Some(false), _) | (_, Some(false)) => Some(Presence::Gone),
            (Some(true) | None, Some(true) | None) if is_off => Some(Presence::Gone),
            (Some(true) | None, Some(true)) | (Some(true), None) => Some(Presence::Here),
            (None, None) => None,
        }
    }

    /// Says whether it is there, if that is news.
    pub(super) fn tell_presence(&mut self, is_bridge_online: Option<bool>, said: &mut Telemetry) {
        if self.is_thing() {
            said.presence = self.presence(is_bridge_online).filter(|presence| self.told != Some(*presence));
            self.told = said.presence.or(self.told);
        }
    }

    /// Says what it is.
    pub(super) fn about(&self, name: &str) -> About {
        let described = self.device.as_ref().map(Device::about).unwrap_or_default();
        let title = Some(words(name)).filter(|title| !title.is_empty());
        About { title, interval_s: Some(INTERVAL_S), ..described }
    }

    /// Reads again by the list what was said before it. It was taken already, so that there is nobody to refuse it to.
    pub(super) fn tell_again(&mut self, kept: &[u8], said: &mut Telemetry) {
        let object = json::object(kept, PAYLOAD_MAX_BYTES, NESTING_MAX);
        if let Ok(read) = object.and_then(|object| values::read(&object, self.device.as_ref())) {
            self.has_spoken = true;
            said.claimed = read.claimed;
            said.values = read.values;
        }
    }
}

/// Something said of a thing.
pub(super) fn said_of(name: &str) -> Telemetry {
    let about = About { interval_s: Some(INTERVAL_S), ..About::default() };
    Telemetry { thing: Some(name.to_owned()), about, ..Telemetry::default() }
}

/// Says that a thing is not on the list any more.
pub(super) fn farewell(name: &str) -> Telemetry {
    let mut said = said_of(name);
    said.presence = Some(Presence::Gone);
    said.about.steering = Some(Steering { convention: WORD, controls: Vec::new() });
    said
}

/// Whether the payload says that somebody is there: a word, or that as the member `state`. An empty one says nothing.
pub(super) fn online(payload: &[u8]) -> Result<Option<bool>, WireError> {
    const WANTED: &str = "online or offline";
    let word = match payload {
        [] => return Ok(None),
        [b'{', ..] => match json::object(payload, ONLINE_MAX_BYTES, 1)?.remove("state") {
            Some(Json::String(word)) => word,
            Some(other) => return Err(json::wrong("state", &other, WANTED)),
            None => return Err(json::missing("state")),
        },
        word if word.len() > ONLINE_MAX_BYTES => {
            return Err(WireError::TooLarge { given: word.len(), max: ONLINE_MAX_BYTES });
        }
        word => match std::str::from_utf8(word) {
            Ok(word) => word.to_owned(),
            Err(error) => return Err(WireError::NotUtf8 { at: error.valid_up_to() }),
        },
    };
    match word.as_str() {
        "online" => Ok(Some(true)),
        "offline" => Ok(Some(false)),
        _ => Err(json::wrong("state", &Json::from(word), WANTED)),
    }
}
