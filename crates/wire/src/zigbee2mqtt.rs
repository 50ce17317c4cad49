//! Zigbee2MQTT: a bridge that lists its devices with what they can do, and publishes each one's state as an object.
//!
//! Source: zigbee2mqtt.io, "MQTT Topics and Messages", "Exposes" and "Device availability"; zigbee-herdsman-converters for what
//! `exposes` look like on the wire.
//!
//! | topic below `{base}/` | what is made of it |
//! |---|---|
//! | `bridge/devices` | the list: a thing each, but the coordinator, by its friendly name; what its values are called, their units, its controls. Whoever is not on it any more is gone; who was renamed is another thing |
//! | `bridge/state` | `online` or `offline`, or that as `{"state":…}`. While the bridge is off, all its things are gone |
//! | `bridge/event` | `device_leave`: that thing is gone until it joins or speaks again |
//! | `{name}` | the values: every leaf by its pointer, a switch as a flag by its `value_on` and `value_off`. `last_seen` is their time. Names may hold slashes |
//! | `{name}/availability` | whether the thing is there, as `bridge/state` |
//! | `{name}/set` | written as an object, never retained; of others' and of `{name}/get` nothing is made |
//! | `bridge/…` otherwise | nothing: groups, logs, requests and answers say nothing of a thing |
//!
//! **What to listen to.** Not `{base}/#`: that would bring `bridge/logging` and everything else of the bridge. The list tells the names
//! with slashes, which no wildcard of one level gets; they are asked for one by one.
//!
//! **Order.** The list says how values are to be read. What came before it since the link is up is read again by it when it comes, so
//! that every order ends in the same state. Names that are not on the list (groups, mostly) are things with plain values and no controls.
//! So is everything if the list never comes because it is larger than what the link or [`LIST_MAX_BYTES`] let through: a list has some
//! 5 kB for a device, the link takes packets of 1 MiB unless the profile says otherwise, and a broker drops in silence what it may
//! not send. Only names with slashes are not asked for then.
//!
//! **Presence.** A bridge that is off takes all with it. Otherwise a thing is there as its availability says; where that is not
//! configured it is there while the bridge is. Most things are quiet for hours, and their silence alone means nothing.
//!
//! **Controls** are what can be set and is published too: a switch for a binary of on and off, buttons for an enum and for a binary of
//! other words (`LOCK`, `UNLOCK`), a number in its bounds. Locks, covers, valves and sirens ask first and do not wait long. None are
//! made for what is never reported, since nothing would settle them (`effect`, `identify`, a cover's `STOP`), for parts of a composite,
//! which mean something only together (`color`), for lists, and for an enum of more than 32 words.
//!
//! **Not read:** output by attribute (`experimental.output`), since a name could not be told from an attribute; the object `device`
//! within a state, since the list says it; presets.

mod devices;
mod exposes;
#[cfg(test)]
mod tests;
mod thing;
mod values;

use std::collections::BTreeMap;

use fleetlens_model::shadow::Object;
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::about::About;
use crate::convention::{Convention, Incoming, NoCommand, Outgoing, Understood};
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::{NESTING_MAX, PAYLOAD_MAX_BYTES, Telemetry};
use crate::{WireError, json};
pub use devices::LIST_MAX_BYTES;
use thing::{INTERVAL_S, Thing, farewell, online, said_of};

const WORD: &str = "zigbee2mqtt";

/// Names one bridge may have, on its list or not; a network has some hundreds.
const NAMES_MAX: usize = 20_000;

/// Bytes of states that are kept until the list comes. What is more is read without it until it is said again.
const KEPT_MAX_BYTES: usize = 8 * 1024 * 1024;

/// The bridge and what is known of its things.
#[derive(Debug)]
pub struct Zigbee2Mqtt {
    /// `{base}/`.
    prefix: String,
    /// Whether the bridge says that it runs.
    is_online: Option<bool>,
    /// Whether the list came since the link is up.
    is_listed: bool,
    /// By friendly name.
    things: BTreeMap<String, Thing>,
    /// Bytes of [`Thing::kept`].
    kept_bytes: usize,
}

/// What a topic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic<'a> {
    BridgeState,
    Devices,
    Event,
    State(&'a str),
    Availability(&'a str),
    Other,
}

impl Zigbee2Mqtt {
    /// The things of a bridge: its base topic, one level or more, without wildcards; `zigbee2mqtt` where nobody chose another.
    pub fn new(base: String) -> Zigbee2Mqtt {
        Zigbee2Mqtt { prefix: base + "/", is_online: None, is_listed: false, things: BTreeMap::new(), kept_bytes: 0 }
    }

    /// What a topic below the base is about. A name on the list comes first: it may hold any word.
    fn topic<'a>(&self, rest: &'a str) -> Result<Topic<'a>, WireError> {
        let is_listed = |name: &str| self.things.get(name).is_some_and(|thing| thing.device.is_some());
        let (topic, name) = match (rest.strip_prefix("bridge/"), rest.strip_suffix("/availability")) {
            (Some("state"), _) => return Ok(Topic::BridgeState),
            (Some("devices"), _) => return Ok(Topic::Devices),
            (Some("event"), _) => return Ok(Topic::Event),
            (Some(_), _) => return Ok(Topic::Other),
            (None, _) if rest == "bridge" => return Ok(Topic::Other),
            (None, Some(name)) if !is_listed(rest) => (Topic::Availability(name), name),
            (None, Some(_) | None) if is_listed(rest) => (Topic::State(rest), rest),
            (None, Some(_) | None) if rest.split('/').skip(1).any(|level| matches!(level, "set" | "get")) => {
                return Ok(Topic::Other);
            }
            (None, Some(_) | None) => (Topic::State(rest), rest),
        };
        if devices::is_name(name) {
            return Ok(topic);
        }
        Err(WireError::ForeignTopic {
            topic: quote(rest, QUOTE_MAX_CHARS),
            wanted: "NAME, NAME/availability and bridge/…, with names of 1 to 256 bytes without control characters",
        })
    }

    /// The name, known from now on.
    fn thing(&mut self, name: &str) -> Result<&mut Thing, WireError> {
        if self.things.len() >= NAMES_MAX && !self.things.contains_key(name) {
            return Err(WireError::Full { max: NAMES_MAX, what: "names of one bridge" });
        }
        Ok(self.things.entry(name.to_owned()).or_default())
    }

    fn state(&mut self, name: &str, payload: &[u8]) -> Result<Vec<Telemetry>, WireError> {
        // A retained state that is taken back was not said to be otherwise.
        if payload.is_empty() {
            return Ok(Vec::new());
        }
        let object = json::object(payload, PAYLOAD_MAX_BYTES, NESTING_MAX)?;
        let device = self.things.get(name).and_then(|thing| thing.device.as_ref());
        let mut said = values::read(&object, device)?;
        // Without the list nobody knows whether `lamp/state` is a name or an attribute.
        let is_thing = device.is_some() || !name.contains('/');
        if self.is_listed && !is_thing {
            return Ok(Vec::new());
        }
        let (is_listed, is_online, kept_bytes) = (self.is_listed, self.is_online, self.kept_bytes);
        let thing = self.thing(name)?;
        let left = kept_bytes - thing.kept.take().map_or(0, |kept| kept.len());
        let is_kept = !is_listed && left + payload.len() <= KEPT_MAX_BYTES;
        thing.kept = is_kept.then(|| payload.to_vec());
        thing.has_spoken |= is_thing;
        thing.has_left = false;
        said.thing = Some(name.to_owned());
        said.about = if thing.is_described {
            About { interval_s: Some(INTERVAL_S), ..About::default() }
        } else {
            thing.about(name)
        };
        thing.is_described = is_thing;
        thing.tell_presence(is_online, &mut said);
        self.kept_bytes = left + if is_kept { payload.len() } else { 0 };
        Ok(if is_thing { vec![said] } else { Vec::new() })
    }

    fn availability(&mut self, name: &str, payload: &[u8]) -> Result<Vec<Telemetry>, WireError> {
        let (is_available, is_online) = (online(payload)?, self.is_online);
        let thing = self.thing(name)?;
        thing.is_available = is_available;
        let mut said = said_of(name);
        thing.tell_presence(is_online, &mut said);
        Ok(if said.presence.is_some() { vec![said] } else { Vec::new() })
    }

    fn bridge_state(&mut self, payload: &[u8]) -> Result<Vec<Telemetry>, WireError> {
        self.is_online = online(payload)?;
        let mut all = Vec::new();
        for (name, thing) in &mut self.things {
            let mut said = said_of(name);
            thing.tell_presence(self.is_online, &mut said);
            if said.presence.is_some() {
                all.push(said);
            }
        }
        Ok(all)
    }

    /// Takes the list. Of two lists the later holds as a whole.
    fn list(&mut self, payload: &[u8]) -> Result<Understood, WireError> {
        if payload.is_empty() {
            return Ok(Understood::default());
        }
        let mut devices = devices::parse(payload)?;
        let others = self.things.keys().filter(|name| !devices.contains_key(*name)).count();
        if devices.len() + others > NAMES_MAX {
            return Err(WireError::Full { max: NAMES_MAX, what: "names of one bridge" });
        }
        let mut understood = Understood::default();
        self.things.retain(|name, thing| {
            let is_gone = thing.device.is_some() && !devices.contains_key(name);
            if is_gone {
                understood.said.push(farewell(name));
            }
            // What has only a topic with a slash was no name of a thing.
            !is_gone && (devices.contains_key(name) || !name.contains('/') || thing.has_spoken)
        });
        for name in devices.keys() {
            self.things.entry(name.clone()).or_default();
        }
        for (name, thing) in &mut self.things {
            let kept = thing.kept.take();
            let Some(device) = devices.remove(name) else { continue };
            if name.contains('/') {
                understood.listen.push(format!("{}{name}", self.prefix));
                understood.listen.push(format!("{}{name}/availability", self.prefix));
            }
            let is_news = thing.device.as_ref() != Some(&device);
            thing.device = Some(device);
            let mut said = said_of(name);
            if is_news && let Some(kept) = kept {
                thing.tell_again(&kept, &mut said);
            }
            thing.tell_presence(self.is_online, &mut said);
            if is_news || !thing.is_described {
                said.about = thing.about(name);
                thing.is_described = true;
                understood.said.push(said);
            } else if said.presence.is_some() {
                understood.said.push(said);
            }
        }
        self.kept_bytes = 0;
        self.is_listed = true;
        Ok(understood)
    }

    fn event(&mut self, payload: &[u8]) -> Result<Vec<Telemetry>, WireError> {
        let mut fields = json::Fields::new(json::object(payload, PAYLOAD_MAX_BYTES, devices::LIST_NESTING_MAX)?);
        let kind = fields.optional_string("type")?.ok_or_else(|| json::missing("type"))?;
        let data = fields.optional_object("data")?.unwrap_or_default();
        let has_left = match kind.as_str() {
            "device_leave" => true,
            "device_joined" | "device_announce" => false,
            _ => return Ok(Vec::new()),
        };
        let text = |field: &str| data.get(field).and_then(Json::as_str);
        let is_meant = |name: &str, thing: &Thing| {
            let address = thing.device.as_ref().map(|device| device.address.as_str());
            text("friendly_name") == Some(name) || (address.is_some() && text("ieee_address") == address)
        };
        let meant = self.things.iter_mut().find(|(name, thing)| is_meant(name, thing));
        let Some((name, thing)) = meant else { return Ok(Vec::new()) };
        thing.has_left = has_left;
        let mut said = said_of(name);
        thing.tell_presence(self.is_online, &mut said);
        Ok(if said.presence.is_some() { vec![said] } else { Vec::new() })
    }
}

impl Convention for Zigbee2Mqtt {
    fn word(&self) -> &'static str {
        WORD
    }

    fn filters(&self) -> Vec<String> {
        ["bridge/state", "bridge/devices", "bridge/event", "+", "+/availability"]
            .map(|rest| format!("{}{rest}", self.prefix))
            .to_vec()
    }

    fn reads(&self, topic: &str) -> bool {
        topic.starts_with(&self.prefix)
    }

    fn read(&mut self, message: Incoming<'_>) -> Result<Understood, WireError> {
        let Some(rest) = message.topic.strip_prefix(&self.prefix) else { return Ok(Understood::default()) };
        let said = |said| Understood { said, ..Understood::default() };
        match self.topic(rest)? {
            Topic::BridgeState => self.bridge_state(message.payload).map(said),
            Topic::Devices => self.list(message.payload),
            Topic::Event if message.payload.is_empty() => Ok(Understood::default()),
            Topic::Event => self.event(message.payload).map(said),
            Topic::State(name) => self.state(name, message.payload).map(said),
            Topic::Availability(name) => self.availability(name, message.payload).map(said),
            Topic::Other => Ok(Understood::default()),
        }
    }

    /// The list is kept to be compared with the next one: who is missing there is gone.
    fn connecting(&mut self) {
        self.is_online = None;
        self.is_listed = false;
        self.kept_bytes = 0;
        self.things.retain(|_, thing| thing.device.is_some());
        for thing in self.things.values_mut() {
            *thing = Thing { device: thing.device.take(), ..Thing::default() };
        }
    }

    fn command(&self, thing: &str, wants: &[(&str, &Json)], _at: WallMs) -> Result<Vec<Outgoing>, NoCommand> {
        let known = self.things.get(thing).filter(|thing| !thing.has_left);
        let device = known.and_then(|thing| thing.device.as_ref());
        // A bridge that is off does not hear, since commands are not retained; it may come back before they expire.
        let hears = self.is_listed && self.is_online != Some(false);
        let device = device.filter(|_| hears).ok_or(NoCommand::NotKnownYet)?;
        let mut set = Object::new();
        for (pointer, wanted) in wants {
            let (property, value) = device.command(pointer, wanted).map_err(NoCommand::Impossible)?;
            set.insert(property, value);
        }
        let payload = Json::Object(set).to_string().into_bytes();
        Ok(vec![Outgoing { topic: format!("{}{thing}/set", self.prefix), payload }])
    }
}
