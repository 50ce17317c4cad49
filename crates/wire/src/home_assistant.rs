//! Home Assistant's MQTT discovery: devices that announce themselves, and speak on topics of their own choice.
//!
//! Source: Home Assistant's documentation, "MQTT" (sections "MQTT discovery", "Discovery messages", "Device discovery payload",
//! "Availability", "Supported abbreviations"), the pages of its MQTT platforms ("MQTT sensor" …) and "Templating".
//!
//! **Topics.** `<prefix>/<component>/[<node>/]<object>/config` announces an entity, `<prefix>/device/[<node>/]<object>/config` a
//! device with all of its (`components`). An empty payload takes the announcement back; in the device form a component with its
//! platform alone is taken back. A `migrate_discovery` payload changes nothing. Short names and `~` are read as the documentation
//! has them. The topics of states and availability are the announcer's choice; each is listened to once it was announced, and one
//! with a wildcard, or that begins with `$`, refuses the announcement.
//!
//! **Things.** A thing is a device: its first identifier, else its first connection, is its name; without a device the `unique_id`
//! is, else the object. A value stands at `/object` (without the device's name before it), those an entity has beside it below:
//! `/kitchen/brightness`. Where two entities of a device have the same object, the later one is `/object_component`. What kind of
//! thing it is nobody says, and it is not guessed.
//!
//! **Values.** `sensor` (a number where it has a unit, a state class or a precision, else a text), `binary_sensor`, `switch`,
//! `light` (on, brightness), `number`, `select`, `text`, `cover` (open or not, how it moves, position, tilt), `valve`, `lock`,
//! `climate`, `water_heater`, `humidifier`, `fan`, `siren`, `device_tracker` (`/lat` and `/lon` out of its attributes), `update`
//! (versions), `event` (the last type), whether Home Assistant would enable them or not. Any other component with a state topic
//! says that as a text; `button`, `scene`, `notify`, `tag`, `camera`, `image` and `device_automation` have none and are not shown.
//! `unknown`, `unavailable`, `None` and nothing at all say nothing, and neither does a template that asks for what a message does
//! not carry: devices send parts. Not read: colours, effects, passwords (`text` in mode `password`), attributes other than a
//! tracker's, `off_delay`, `last_reset_value_template`, payloads that are not UTF-8.
//!
//! **Commands** go to the announced topic in the announced words, through `command_template` where there is one, for whatever can
//! be told to have obeyed: an entity without a state topic is not offered, nor is one with a code, nor a choice of more than 32
//! words. Covers, valves, locks, sirens and what is called so are asked first. Whether announcements ask for it or not, nothing is
//! retained.
//!
//! **Freshness.** Availability says whether a thing is there: as long as one of its entities is. `expire_after` is how often it
//! speaks, the shortest of its entities'; without any its silence means nothing.
//!
//! **Bounds.** [`THINGS_MAX`] things, 512 values each; 400 000 topics to listen to; 256 KiB for an announcement, 200 MiB for what is
//! remembered of all of them and 8 MiB of one. The templates of a message share a bounded number of steps.

mod abbreviations;
mod announcement;
mod availability;
mod command;
mod component;
mod entity;
mod fault;
mod fields;
mod heard;
mod template;
mod weight;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fleetlens_model::freshness::Presence;
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::convention::{Convention, Incoming, NoCommand, Outgoing, THINGS_MAX, Understood};
use crate::room::Room;
use crate::telemetry::{About, PAYLOAD_MAX_BYTES, Steering, Telemetry, VALUES_MAX, add};
use crate::{WireError, json};
use announcement::{Announcement, Place, Said};
use entity::{Entity, Message};
use heard::Heard;
use template::Fuel;

pub use fault::HomeAssistantError;

/// The prefix Home Assistant has unless it was set otherwise.
pub const DEFAULT_PREFIX: &str = "homeassistant";

/// The word of this convention.
const WORD: &str = "home-assistant";

/// Topics that are listened to beside those of discovery: for each thing one for its state and one for its availability.
const LISTENED_MAX: usize = 2 * THINGS_MAX;

/// How often a thing speaks that only speaks when something changes, in seconds: 7 days, the longest there is.
const BY_EXCEPTION_S: u32 = 604_800;

/// What is known of the devices that announced themselves.
#[derive(Debug)]
pub struct HomeAssistant {
    prefix: String,
    /// By discovery topic.
    announced: HashMap<String, Announcement>,
    /// Of every thing, the discovery topics that announced it.
    things: HashMap<String, BTreeSet<String>>,
    /// Of every topic that is listened to, the discovery topics that asked for it.
    listeners: HashMap<String, BTreeSet<String>>,
    /// What was last heard there, for entities that are announced after it.
    heard: Heard,
    room: Room,
}

impl HomeAssistant {
    /// Discovery below a prefix, usually [`DEFAULT_PREFIX`]. Below one with wildcards, an empty one or one of the broker's own
    /// (`$…`) nothing is listened to.
    pub fn new(prefix: String) -> HomeAssistant {
        HomeAssistant {
            prefix,
            announced: HashMap::new(),
            things: HashMap::new(),
            listeners: HashMap::new(),
            heard: Heard::default(),
            room: Room::default(),
        }
    }

    /// The place of a discovery topic; `None` for any other topic.
    fn place<'a>(&self, topic: &'a str) -> Option<Place<'a>> {
        Place::find(topic.strip_prefix(self.prefix.as_str())?.strip_prefix('/')?)
    }

    fn announcements(&self, thing: &str) -> impl Iterator<Item = &Announcement> {
        self.things.get(thing).into_iter().flatten().filter_map(|topic| self.announced.get(topic))
    }

    fn entities(&self, thing: &str) -> impl Iterator<Item = &Entity> {
        self.announcements(thing).flat_map(|announcement| &announcement.entities)
    }

    /// What all announcements together say of a thing.
    fn about(&self, thing: &str) -> About {
        let said = |text: fn(&Announcement) -> &String| {
            self.announcements(thing).map(text).find(|text| !text.is_empty()).cloned()
        };
        let expires = self.entities(thing).filter_map(|entity| entity.expire_after_s).min();
        let words = |words: fn(&Entity) -> &Vec<(String, String)>| {
            self.entities(thing).flat_map(words).cloned().collect::<Vec<_>>()
        };
        let controls =
            self.entities(thing).flat_map(|entity| &entity.steers).map(|steer| steer.control.clone()).collect();
        About {
            title: said(|announcement| &announcement.title),
            area: said(|announcement| &announcement.area),
            interval_s: Some(expires.unwrap_or(BY_EXCEPTION_S).clamp(1, BY_EXCEPTION_S)),
            units: words(|entity| &entity.units),
            labels: words(|entity| &entity.labels),
            steering: Some(Steering { convention: WORD, controls }),
            ..About::default()
        }
    }

    fn presence(&self, thing: &str) -> Option<Presence> {
        availability::presence(self.entities(thing).map(|entity| &entity.availability))
    }

    fn announce(&mut self, place: Place<'_>, message: Incoming<'_>) -> Result<Understood, WireError> {
        let topic = message.topic;
        place.check(topic)?;
        if message.payload.is_empty() {
            return Ok(self.take_back(topic));
        }
        let others = |thing: &str| {
            let others = self.things.get(thing).into_iter().flatten().filter(|other| other.as_str() != topic);
            let others = others.filter_map(|other| self.announced.get(other)).flat_map(|other| &other.entities);
            others
                .flat_map(|entity| {
                    entity.readings.iter().map(|reading| reading.pointer.as_str()).chain([entity.pointer.as_str()])
                })
                .collect()
        };
        let announcement = match announcement::read(place, topic, message.payload, others)? {
            Said::Migration => return Ok(Understood::default()),
            Said::Announcement(announcement) => announcement,
        };
        if announcement.entities.is_empty() {
            return Ok(self.take_back(topic));
        }
        if let Some(before) = self.announced.get_mut(topic).filter(|before| before.says_the_same_as(&announcement)) {
            before.is_fresh = true;
            let listen: BTreeSet<String> = before.entities.iter().flat_map(Entity::topics).map(str::to_owned).collect();
            let said = vec![self.described(announcement.thing)];
            return Ok(Understood { said, listen: listen.into_iter().collect(), ..Understood::default() });
        }
        let before = self.announced.get(topic);
        let values: usize = self.entities(&announcement.thing).map(|entity| entity.readings.len()).sum();
        let replaced = before.filter(|before| before.thing == announcement.thing);
        let replaced: usize =
            replaced.into_iter().flat_map(|old| &old.entities).map(|entity| entity.readings.len()).sum();
        let added: usize = announcement.entities.iter().map(|entity| entity.readings.len()).sum();
        if values - replaced + added > VALUES_MAX {
            return Err(WireError::TooMany { max: VALUES_MAX });
        }
        if !self.things.contains_key(&announcement.thing) && self.things.len() >= THINGS_MAX {
            return Err(WireError::Full { max: THINGS_MAX, what: "things" });
        }
        let asked: BTreeSet<&str> = announcement.entities.iter().flat_map(Entity::topics).collect();
        let new = asked.into_iter().filter(|topic| !self.listeners.contains_key(*topic)).count();
        if self.listeners.len() + new > LISTENED_MAX {
            return Err(WireError::Full { max: LISTENED_MAX, what: "topics to listen to" });
        }
        self.room.exchange(before.map_or(0, |before| before.bytes), announcement.bytes)?;
        Ok(self.remember(topic, announcement))
    }

    /// An announcement was taken back: those of its entities that are left, if any, still are the thing.
    fn take_back(&mut self, topic: &str) -> Understood {
        let Some(gone) = self.forget(topic, &BTreeSet::new()) else { return Understood::default() };
        self.room.give(gone.bytes);
        Understood::of(self.described(gone.thing))
    }

    /// Takes an announcement that was found to be in order.
    fn remember(&mut self, topic: &str, announcement: Announcement) -> Understood {
        let thing = announcement.thing.clone();
        let listen: BTreeSet<String> =
            announcement.entities.iter().flat_map(Entity::topics).map(str::to_owned).collect();
        let moved = self.forget(topic, &listen).map(|before| before.thing).filter(|before| *before != thing);
        for asked in &listen {
            self.listeners.entry(asked.clone()).or_default().insert(topic.to_owned());
        }
        self.things.entry(thing.clone()).or_default().insert(topic.to_owned());
        self.announced.insert(topic.to_owned(), announcement);
        let mut said = Vec::new();
        // What was heard before it was announced; what of that cannot be read was refused when it came, or will be.
        for asked in &listen {
            let Some((payload, at)) = self.heard.get(asked) else { continue };
            let payload = payload.to_owned();
            let only = BTreeSet::from([topic.to_owned()]);
            if let Ok(told) = self.take(asked, &payload, &only) {
                said.extend(told.into_iter().map(|told| Telemetry { claimed: Some(at), ..told }));
            }
        }
        said.insert(0, self.described(thing));
        said.extend(moved.map(|before| self.described(before)));
        Understood { said, listen: listen.into_iter().collect(), ..Understood::default() }
    }

    /// A thing as it is known now; one that nobody announces any more is gone.
    fn described(&self, thing: String) -> Telemetry {
        let presence = if self.things.contains_key(&thing) { self.presence(&thing) } else { Some(Presence::Gone) };
        Telemetry { about: self.about(&thing), presence, thing: Some(thing), ..Telemetry::default() }
    }

    /// Forgets what a discovery topic announced, and what was heard for it except on the topics to `keep`.
    fn forget(&mut self, topic: &str, keep: &BTreeSet<String>) -> Option<Announcement> {
        let announcement = self.announced.remove(topic)?;
        for asked in announcement.entities.iter().flat_map(Entity::topics) {
            if let Some(listeners) = self.listeners.get_mut(asked) {
                listeners.remove(topic);
                if listeners.is_empty() {
                    self.listeners.remove(asked);
                    if !keep.contains(asked) {
                        self.heard.forget(asked);
                    }
                }
            }
        }
        if let Some(topics) = self.things.get_mut(&announcement.thing) {
            topics.remove(topic);
            if topics.is_empty() {
                self.things.remove(&announcement.thing);
            }
        }
        Some(announcement)
    }

    /// Takes a message of a topic for those who listen there, whole or not at all.
    fn take(&mut self, topic: &str, text: &str, listeners: &BTreeSet<String>) -> Result<Vec<Telemetry>, WireError> {
        let message = Message::new(text);
        let mut fuel = Fuel::of_a_message();
        let mut said: BTreeMap<String, Telemetry> = BTreeMap::new();
        let mut answers = Vec::new();
        for by in listeners {
            let Some(announcement) = self.announced.get(by) else { continue };
            for (at, entity) in announcement.entities.iter().enumerate() {
                for reading in entity.readings.iter().filter(|reading| reading.topic == topic) {
                    if let Some(value) = reading.read(entity, &message, &mut fuel)? {
                        let told = said.entry(announcement.thing.clone()).or_default();
                        add(reading.pointer.clone(), value, &mut told.values)?;
                    }
                }
                for (n, source) in entity.availability.sources.iter().enumerate() {
                    if source.topic != topic {
                        continue;
                    }
                    let answer = match &source.template {
                        Some(template) => {
                            entity.rendered(template, &message, &mut fuel)?.and_then(|text| source.says(&text))
                        }
                        None => source.says(text.trim()),
                    };
                    if let Some(answer) = answer {
                        answers.push((by, at, n, answer));
                    }
                }
            }
        }
        // From here on nothing fails any more.
        let mut told_of = BTreeSet::new();
        for (by, at, n, answer) in answers {
            if let Some(announcement) = self.announced.get_mut(by)
                && let Some(entity) = announcement.entities.get_mut(at)
            {
                entity.availability.take(n, answer);
                told_of.insert(announcement.thing.clone());
            }
        }
        for thing in told_of {
            if let Some(presence) = self.presence(&thing) {
                said.entry(thing).or_default().presence = Some(presence);
            }
        }
        let sorted = |(thing, mut told): (String, Telemetry)| {
            told.values.sort_by(|(a, _), (b, _)| a.cmp(b));
            Telemetry { thing: Some(thing), ..told }
        };
        Ok(said.into_iter().map(sorted).collect())
    }
}

impl Convention for HomeAssistant {
    fn word(&self) -> &'static str {
        WORD
    }

    fn filters(&self) -> Vec<String> {
        let prefix = &self.prefix;
        if prefix.is_empty() || prefix.starts_with('$') || prefix.contains(['+', '#']) {
            return Vec::new();
        }
        vec![format!("{prefix}/+/+/config"), format!("{prefix}/+/+/+/config")]
    }

    fn reads(&self, topic: &str) -> bool {
        self.place(topic).is_some() || self.listeners.contains_key(topic)
    }

    fn read(&mut self, message: Incoming<'_>) -> Result<Understood, WireError> {
        let (given, max) = (message.payload.len(), PAYLOAD_MAX_BYTES);
        if given > max {
            return Err(WireError::TooLarge { given, max });
        }
        if let Some(place) = self.place(message.topic) {
            return self.announce(place, message);
        }
        let text = json::text(message.payload)?;
        // Taken out while they are asked, since what they answer is remembered.
        let Some((topic, listeners)) = self.listeners.remove_entry(message.topic) else {
            return Ok(Understood::default());
        };
        let said = self.take(message.topic, text, &listeners);
        self.listeners.insert(topic, listeners);
        let said = said?;
        self.heard.put(message.topic, text, message.at);
        Ok(Understood { said, ..Understood::default() })
    }

    /// What was announced still tells which topics to read, but whether it is so still is known only when it is announced again.
    fn connecting(&mut self) {
        self.heard = Heard::default();
        for announcement in self.announced.values_mut() {
            announcement.is_fresh = false;
            announcement.entities.iter_mut().for_each(|entity| entity.availability.forget());
        }
    }

    fn command(&self, thing: &str, wants: &[(&str, &Json)], _: WallMs) -> Result<Vec<Outgoing>, NoCommand> {
        if !self.announcements(thing).any(|announcement| announcement.is_fresh) {
            return Err(NoCommand::NotKnownYet);
        }
        let mut send = Vec::new();
        for (pointer, want) in wants {
            let found = self.announcements(thing).find_map(|announcement| {
                let mut entities = announcement.entities.iter();
                let found = entities.find_map(|entity| Some((entity, entity.steer(pointer)?)));
                found.map(|(entity, steer)| (announcement.is_fresh, entity, steer))
            });
            let (entity, steer) = match found {
                Some((true, entity, steer)) => (entity, steer),
                Some((false, _, _)) => return Err(NoCommand::NotKnownYet),
                None => return Err(NoCommand::Impossible(format!("{pointer} of this thing cannot be set"))),
            };
            let off = |on: &String| wants.iter().any(|(pointer, want)| pointer == on && **want == Json::Bool(false));
            if steer.needs_on.as_ref().is_some_and(off) {
                let label = &steer.control.label;
                return Err(NoCommand::Impossible(format!(
                    "{label} is set by switching on; it cannot be switched off as well"
                )));
            }
            send.extend(command::outgoing(entity, steer, want)?);
        }
        Ok(send)
    }
}

#[cfg(test)]
mod tests;
