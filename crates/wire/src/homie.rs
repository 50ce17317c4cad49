//! Homie 5: devices that describe themselves in one document and speak property by property.
//!
//! Source: The Homie Convention, v5.0.0 (homieiot.github.io); its sections are named where a rule comes from one.
//!
//! | topic below `{domain}/5/` | what is made of it |
//! |---|---|
//! | `{device}/$state` | whether the thing is there ("Device Lifecycle"). `ready` is here, `sleeping` asleep, `disconnected` and `lost` gone; `init` is known and not here yet. Empty: the device was removed, it is gone |
//! | `{device}/$description` | its name, its properties with their names and units, its controls ("Device Attributes") |
//! | `{device}/{node}/{property}` | the value `/{node}/{property}` |
//! | `{device}/{node}/{property}/$target` | the value `/{node}/{property}/target`: what the property is to become, called after it ("Target attribute") |
//! | `{device}/$alert/{id}` | an alarm of the thing; empty clears it ("Alert topic") |
//! | `{device}/{node}/{property}/set` | written, never retained ("Property command topic"); of others' nothing is made |
//! | `{device}/$log/…`, `$broadcast/…`, other attributes | nothing: they say nothing of the state of a thing |
//!
//! **A device exists once it has a state**, and its values are told once it has a description too. Whatever comes before (the broker
//! replays what is retained in any order) is kept aside and told then; what of it does not fit the description is left out. So every
//! order ends in the same state. Its properties are asked for when it has described itself.
//!
//! **A lost root** means that every device of its tree is lost ("Device hierarchy"): the last will of the connection only names the
//! root. `root` says who that is, or `parent` where somebody forgot it; `children` says nothing that these do not.
//!
//! **After the link was down** everything is learnt anew. What the broker has not said again two minutes later has been taken back
//! meanwhile: the device is gone, the alert cleared.
//!
//! **Values** are numbers, flags and texts; a duration is a number of seconds, a colour and JSON are texts as they are. A number
//! outside its format's bounds is taken, one that is no number is refused, and so is anything else that does not fit its datatype. An
//! event of the moment (`retained: false`) is a value when it comes; one that is replayed is none, it happened long ago.
//!
//! **Not made:** controls for events of the moment (sent late or twice they would do harm, and no report settles them) and for JSON;
//! extensions; JSON schemas.

mod description;
mod device;
mod property;
#[cfg(test)]
mod tests;
mod topic;

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::freshness::Presence;
use fleetlens_model::telemetry::TEXT_MAX_BYTES;
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::WireError;
use crate::convention::{Convention, Incoming, NoCommand, Outgoing, THINGS_MAX, Understood};
use crate::meta::words;
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::room::Room;
use crate::telemetry::{Telemetry, VALUES_MAX};
use description::Description;
use device::{ALERT_MAX_BYTES, ALERTS_MAX, Aside, DEVICE_BYTES, Device, STATE_MAX_BYTES, State};
use topic::{Place, Topic};

const WORD: &str = "homie";

/// Devices one root may carry: its last will is news of each.
const TREE_MAX: usize = 20_000;

/// How long after the first message since the link is up whatever is retained has been replayed, in milliseconds.
const REPLAYED_AFTER_MS: u64 = 120_000;

/// The convention and the devices it knows.
#[derive(Debug)]
pub struct Homie {
    /// `{domain}/5/`.
    prefix: String,
    devices: BTreeMap<String, Device>,
    /// The devices of each root.
    trees: BTreeMap<String, BTreeSet<String>>,
    room: Room,
    before: Before,
}

/// What was known when the link fell and was not said again since.
#[derive(Debug, Default)]
struct Before {
    /// The alerts of each device that existed.
    alerts: BTreeMap<String, BTreeSet<String>>,
    /// The bytes that they take.
    room: Room,
    /// When the first message came.
    since: Option<WallMs>,
}

impl Before {
    /// Keeps a device with its alerts. A link that falls again and again never gets as far as to tell what is gone, while each time
    /// others may be there. What was known first stays, and of what finds no place beside it nobody is told that it is gone: it falls
    /// silent as things do.
    fn keep(&mut self, id: String, alerts: impl Iterator<Item = String>) {
        if !self.alerts.contains_key(&id)
            && (self.alerts.len() >= THINGS_MAX || self.room.exchange(0, DEVICE_BYTES + id.len()).is_err())
        {
            return;
        }
        let known = self.alerts.entry(id).or_default();
        for alert in alerts {
            let is_news = !known.contains(&alert) && known.len() < ALERTS_MAX;
            if is_news && self.room.exchange(0, device::entry_bytes(&alert, "")).is_ok() {
                known.insert(alert);
            }
        }
    }
}

impl Homie {
    /// The devices of a domain: one level or more, without wildcards; `homie` where nobody chose another ("Base Topic").
    pub fn new(domain: String) -> Homie {
        Homie {
            prefix: domain + "/5/",
            devices: BTreeMap::new(),
            trees: BTreeMap::new(),
            room: Room::default(),
            before: Before::default(),
        }
    }

    /// Notes in `said` whether the device is there, if that is news. It is lost when its root is ("Device hierarchy").
    fn tell_presence(&mut self, id: &str, said: &mut Telemetry) {
        let root = self.devices.get(id).and_then(|device| device.description.as_ref()?.root.as_ref());
        let is_lost = root.and_then(|root| self.devices.get(root)).is_some_and(Device::is_lost);
        if let Some(device) = self.devices.get_mut(id) {
            let presence = device.presence(is_lost).filter(|presence| device.told != Some(*presence));
            device.told = presence.or(device.told);
            said.presence = presence;
        }
    }

    /// Tells of the devices of a root that they are lost, or that they are not any more.
    fn tell_tree(&mut self, root: &str, said: &mut Vec<Telemetry>) {
        let Some(tree) = self.trees.remove(root) else { return };
        for id in tree.iter().filter(|id| *id != root) {
            let mut one = device::said_of(id);
            self.tell_presence(id, &mut one);
            if one.presence.is_some() {
                said.push(one);
            }
        }
        self.trees.insert(root.to_owned(), tree);
    }

    /// The device, known from now on; `more` bytes are taken for it where `less` were.
    fn device(&mut self, id: &str, less: usize, more: usize) -> Result<&mut Device, WireError> {
        if self.devices.contains_key(id) {
            self.room.exchange(less, more)?;
        } else if self.devices.len() < THINGS_MAX {
            self.room.exchange(0, DEVICE_BYTES + id.len() + more)?;
        } else {
            return Err(WireError::Full { max: THINGS_MAX, what: "things" });
        }
        Ok(self.devices.entry(id.to_owned()).or_default())
    }

    /// Forgets the device if nothing of it is left.
    fn tidy(&mut self, id: &str) {
        if self.devices.get(id).is_some_and(Device::is_empty) {
            self.devices.remove(id);
            self.room.give(DEVICE_BYTES + id.len());
        }
    }

    /// Tells what was kept aside of a device that is known now.
    fn tell_aside(&mut self, id: &str, said: &mut Telemetry) {
        if let Some(device) = self.devices.get_mut(id) {
            self.room.give(device.tell_aside(said));
        }
    }

    fn state(&mut self, id: &str, payload: &[u8]) -> Result<Vec<Telemetry>, WireError> {
        if payload.is_empty() {
            return Ok(self.removed(id));
        }
        let state = State::parse(text(payload, STATE_MAX_BYTES)?)?;
        let device = self.device(id, 0, 0)?;
        let was = device.state.replace(state);
        let mut said = device::said_of(id);
        if was.is_none() {
            said.alerts = device.all_alerts();
        }
        // Told again whenever it is ready anew: whoever waits to command it hears of it.
        if was != Some(state) && (was.is_none() || state == State::Ready) && device.tell_about(&mut said) {
            self.tell_aside(id, &mut said);
        }
        self.tell_presence(id, &mut said);
        let mut all = vec![said];
        if (was == Some(State::Lost)) != (state == State::Lost) {
            self.tell_tree(id, &mut all);
        }
        Ok(all)
    }

    /// The device was removed. Its other topics are taken back after this one, and say nothing more.
    fn removed(&mut self, id: &str) -> Vec<Telemetry> {
        let was = self.devices.get_mut(id).and_then(|device| device.state.take());
        let Some((device, was)) = self.devices.get_mut(id).zip(was) else { return Vec::new() };
        let mut all = vec![device.farewell(id)];
        if was == State::Lost {
            self.tell_tree(id, &mut all);
        }
        self.tidy(id);
        all
    }

    fn description(&mut self, id: &str, payload: &[u8]) -> Result<Understood, WireError> {
        let description = if payload.is_empty() { None } else { Some(Description::parse(payload)?) };
        let old = self.devices.get(id).and_then(|device| device.description.as_ref());
        let old_root = old.and_then(|old| old.root.clone());
        let new_root = description.as_ref().and_then(|new| new.root.clone());
        let old_bytes = old.map_or(0, |old| old.bytes);
        let tree = new_root.as_ref().filter(|root| old_root.as_ref() != Some(*root)).and_then(|it| self.trees.get(it));
        if tree.is_some_and(|tree| tree.len() >= TREE_MAX) {
            return Err(WireError::Full { max: TREE_MAX, what: "devices of one root" });
        }
        let has_properties = description.as_ref().is_some_and(Description::has_properties);
        let bytes = description.as_ref().map_or(0, |new| new.bytes);
        self.device(id, old_bytes, bytes)?.description = description;
        if old_root != new_root {
            if let Some(root) = old_root {
                self.leave(&root, id);
            }
            if let Some(root) = new_root {
                self.trees.entry(root).or_default().insert(id.to_owned());
            }
        }
        let mut understood = Understood::default();
        if has_properties {
            let properties = format!("{}{id}/+/+", self.prefix);
            understood.listen = vec![format!("{properties}/$target"), properties];
        }
        let mut said = device::said_of(id);
        if self.devices.get(id).is_some_and(|device| device.tell_about(&mut said)) {
            self.tell_aside(id, &mut said);
            self.tell_presence(id, &mut said);
            understood.said.push(said);
        }
        self.tidy(id);
        Ok(understood)
    }

    /// Takes a device out of the tree of a root.
    fn leave(&mut self, root: &str, id: &str) {
        if let Some(tree) = self.trees.get_mut(root) {
            tree.remove(id);
            if tree.is_empty() {
                self.trees.remove(root);
            }
        }
    }

    fn alert(&mut self, id: &str, alert: &str, payload: &[u8]) -> Result<Vec<Telemetry>, WireError> {
        let shown = words(text(payload, ALERT_MAX_BYTES)?);
        // An alert of nothing but what cannot be shown is one all the same.
        let shown = if shown.is_empty() { words(alert) } else { shown };
        let shown = Some(shown).filter(|_| !payload.is_empty());
        let known = self.devices.get(id);
        let old = known.and_then(|device| device.alerts.get(alert));
        if shown.is_some() && old.is_none() && known.is_some_and(|device| device.alerts.len() >= ALERTS_MAX) {
            return Err(WireError::Full { max: ALERTS_MAX, what: "alerts of one device" });
        }
        let bytes = |text: &String| device::entry_bytes(alert, text);
        let (less, more) = (old.map_or(0, bytes), shown.as_ref().map_or(0, bytes));
        let device = self.device(id, less, more)?;
        match &shown {
            Some(shown) => device.alerts.insert(alert.to_owned(), shown.clone()),
            None => device.alerts.remove(alert),
        };
        let exists = device.state.is_some();
        self.tidy(id);
        let said = Telemetry { alerts: vec![(alert.to_owned(), shown)], ..device::said_of(id) };
        Ok(if exists { vec![said] } else { Vec::new() })
    }

    fn value(&mut self, id: &str, place: Place, message: Incoming<'_>) -> Result<Vec<Telemetry>, WireError> {
        let text = text(message.payload, TEXT_MAX_BYTES)?;
        let device = self.devices.get(id);
        let known = device.and_then(|device| device.state.zip(device.description.as_ref()));
        let property = known.map(|(state, description)| (state, description.property(&place)));
        match property {
            // A retained value that is taken back was not said to be otherwise.
            Some((_, Some(_))) if text.is_empty() => Ok(Vec::new()),
            Some((_, Some(property))) if !property.is_retained && message.retained => Ok(Vec::new()),
            Some((_, Some(property))) => {
                let value = property.datatype.read(text, &place.pointer())?;
                let mut said = device::said_of(id);
                device::name_target(&place, property, &mut said.about);
                said.values.push((place.pointer(), value));
                Ok(vec![said])
            }
            Some((State::Init, None)) | None => self.set_aside(id, place, text, message.retained),
            Some((State::Ready | State::Disconnected | State::Sleeping | State::Lost, None)) if text.is_empty() => {
                Ok(Vec::new())
            }
            Some((State::Ready | State::Disconnected | State::Sleeping | State::Lost, None)) => {
                Err(WireError::NotDescribed { pointer: quote(&place.property, QUOTE_MAX_CHARS) })
            }
        }
    }

    /// Keeps what cannot be read yet.
    fn set_aside(
        &mut self,
        id: &str,
        place: Place,
        text: &str,
        is_retained: bool,
    ) -> Result<Vec<Telemetry>, WireError> {
        let known = self.devices.get(id);
        let old = known.and_then(|device| device.aside.get(&place));
        let bytes = |text: &str| device::entry_bytes(&place.property, text);
        let less = old.map_or(0, |old| bytes(&old.text));
        if text.is_empty() {
            if let Some(device) = self.devices.get_mut(id) {
                device.aside.remove(&place);
                self.room.give(less);
                self.tidy(id);
            }
            return Ok(Vec::new());
        }
        if old.is_none() && known.is_some_and(|device| device.aside.len() >= VALUES_MAX) {
            return Err(WireError::Full { max: VALUES_MAX, what: "values of a device that has not described itself" });
        }
        let device = self.device(id, less, bytes(text))?;
        device.aside.insert(place, Aside { text: text.to_owned(), is_retained });
        Ok(Vec::new())
    }

    /// Once everything retained has been replayed: what was known before and is not there any more is taken back.
    fn miss(&mut self, now: WallMs, said: &mut Vec<Telemetry>) {
        if self.before.alerts.is_empty() {
            return;
        }
        let since = *self.before.since.get_or_insert(now);
        if now.since(since) < REPLAYED_AFTER_MS {
            return;
        }
        for (id, alerts) in std::mem::take(&mut self.before).alerts {
            let device = self.devices.get(&id).filter(|device| device.state.is_some());
            let mut one = device.map_or_else(|| Device::default().farewell(&id), |_| device::said_of(&id));
            let is_over = |alert: &String| device.is_none_or(|device| !device.alerts.contains_key(alert));
            one.alerts = alerts.into_iter().filter(is_over).map(|alert| (alert, None)).collect();
            if device.is_none() || !one.alerts.is_empty() {
                said.push(one);
            }
        }
    }
}

/// A payload as text.
fn text(payload: &[u8], max_bytes: usize) -> Result<&str, WireError> {
    if payload.len() > max_bytes {
        return Err(WireError::TooLarge { given: payload.len(), max: max_bytes });
    }
    std::str::from_utf8(payload).map_err(|error| WireError::NotUtf8 { at: error.valid_up_to() })
}

impl Convention for Homie {
    fn word(&self) -> &'static str {
        WORD
    }

    fn filters(&self) -> Vec<String> {
        ["+/$state", "+/$description", "+/$alert/+"].map(|rest| format!("{}{rest}", self.prefix)).to_vec()
    }

    fn reads(&self, topic: &str) -> bool {
        topic.starts_with(&self.prefix)
    }

    fn read(&mut self, message: Incoming<'_>) -> Result<Understood, WireError> {
        let Some(rest) = message.topic.strip_prefix(&self.prefix) else { return Ok(Understood::default()) };
        let said = |said| Understood { said, ..Understood::default() };
        let mut understood = match topic::parse(rest)? {
            Topic::State(id) => self.state(id, message.payload).map(said),
            Topic::Description(id) => self.description(id, message.payload),
            Topic::Alert(id, alert) => self.alert(id, alert, message.payload).map(said),
            Topic::Value(id, place) => self.value(id, place, message).map(said),
            Topic::Other => Ok(Understood::default()),
        }?;
        self.miss(message.at, &mut understood.said);
        Ok(understood)
    }

    fn connecting(&mut self) {
        for (id, device) in std::mem::take(&mut self.devices) {
            if device.state.is_some() {
                self.before.keep(id, device.alerts.into_keys());
            }
        }
        self.before.since = None;
        self.trees.clear();
        self.room = Room::default();
    }

    fn command(&self, thing: &str, wants: &[(&str, &Json)], _at: WallMs) -> Result<Vec<Outgoing>, NoCommand> {
        // Whoever is not there does not hear, since commands are not retained; it may come back before they expire.
        let device = self.devices.get(thing).ok_or(NoCommand::NotKnownYet)?;
        let hears = matches!(device.state, Some(State::Ready | State::Sleeping)) && device.told != Some(Presence::Gone);
        let description = device.description.as_ref().filter(|_| hears).ok_or(NoCommand::NotKnownYet)?;
        let one = |(pointer, wanted): &(&str, &Json)| {
            let settable = description.property_at(pointer).filter(|property| property.control(pointer).is_some());
            let Some(property) = settable else {
                return Err(NoCommand::Impossible(format!("the device has nothing to set at {}", quote(pointer, 80))));
            };
            let payload = property.write(wanted).map_err(NoCommand::Impossible)?;
            Ok(Outgoing { topic: format!("{}{thing}{pointer}/set", self.prefix), payload })
        };
        wants.iter().map(one).collect()
    }
}
