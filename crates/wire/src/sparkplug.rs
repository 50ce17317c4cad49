//! Sparkplug B 3.0: edge nodes and the devices behind them, which say once what they have and then only what changes.
//!
//! ```text
//! spBv1.0/GROUP/NBIRTH|NDATA|NDEATH/NODE           a node's metrics, what changed of them, its end (its last will)
//! spBv1.0/GROUP/DBIRTH|DDATA|DDEATH/NODE/DEVICE    the same of a device behind it
//! spBv1.0/GROUP/NCMD|DCMD/NODE[/DEVICE]            what is to be set, from us or other hosts; not listened to
//! spBv1.0/STATE/HOST                               whether a host application is there; JSON
//! ```
//!
//! **Things.** A node is the thing `GROUP/NODE`, a device `GROUP/NODE/DEVICE`, and the node its gateway. `/` in a metric's name makes
//! folders: `Outputs/LEDs/Green` is the value `/Outputs/LEDs/Green`. `bdSeq` and `Node Control/…` are the protocol's own: neither
//! values nor controls. Only changes are said (section 4.2.1), so silence alone means nothing for a week.
//!
//! **Values.** Every metric is dated by its own timestamp, else by its message's; historical ones by nothing but their own. Numbers
//! become 64-bit floating point, which is exact to 2⁵³; a `DateTime` becomes a text of RFC 3339. Nothing is said by `is_null`, by NaN and
//! the infinities, by texts of more than 1 KiB, and by what is not one value: `DataSet`, `Template`, `Bytes`, `File` and arrays, whose
//! inside is not looked at. The `Quality` STALE (500) is told with the value, BAD (0) leaves it out. `engUnit` is the unit.
//!
//! **Births.** Data means nothing without a birth, and births are not retained (section 6.4.19): who joins late waits for the next, or
//! asks for it with `Node Control/Rebirth`, where the profile allows that. So it is after every loss of our own link, and when a sequence
//! number is left out: the lost message may have been a birth that gave the aliases to other metrics. Until the node's next birth what is
//! called by an alias is refused and what is called by name is read. Births and deaths say all that they say in themselves and are read
//! whatever was lost before them. We do not wait for late messages (the reorder time-out of section 5.9 is a host's own choice): MQTT
//! keeps the order of a connection.
//!
//! **Deaths.** An NDEATH is believed where its `bdSeq` is the birth's; then the node and every device of it are gone. So is a device that
//! is not born again before its reborn node goes on with data (section 6.4.20).
//!
//! **Commands** go out as NCMD and DCMD, by alias where the birth gave one and else by name, with the birth's datatype and without a
//! sequence number. The specification wants them at QoS 0 (section 6.4.23); we send at least once, which to a node that subscribes at
//! QoS 0 is the same. Sparkplug does not say what may be set: see [`SparkplugSetting::writable`].
//!
//! **Not read:** Sparkplug A; compressed payloads (an extension); the copies of births that some brokers keep below
//! `$sparkplug/certificates`; members of templates. We are no *primary* host: we publish no STATE.
//!
//! Source: Eclipse Sparkplug specification 3.0.0, whose sections are named throughout.

mod birth;
mod control;
mod datatype;
pub mod edge;
mod error;
mod node;
mod payload;
mod rebirth;
mod setting;
mod state;
mod topic;

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::freshness::Presence;
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use self::birth::Birth;
use self::control::Writable;
use self::node::{DEVICES_MAX, Node, Session, Weight};
use self::payload::Payload;
use self::rebirth::Asked;
use self::topic::{NAMESPACE, STATE, Topic, Verb, written};
use crate::WireError;
use crate::convention::{Convention, Incoming, NoCommand, Outgoing, Understood};
use crate::telemetry::{About, Fact, Telemetry};

pub use datatype::Datatype;
pub use error::SparkplugError;
pub use setting::{SettingError, SparkplugSetting};

/// The word in profiles.
pub const WORD: &str = "sparkplug";

/// Quiet nodes that wait to be asked for their births; others are asked when they speak.
const MISSED_MAX: usize = 10_000;

/// How many of them are asked at once.
const ASKED_AT_ONCE: usize = 10;

/// How often a node or device speaks, in seconds: it need not within a week.
const INTERVAL_S: u32 = 604_800;

/// The convention, and what it remembers of births.
#[derive(Clone, Debug)]
pub struct Sparkplug {
    group: Option<String>,
    host: Option<String>,
    rebirth: bool,
    writable: Writable,
    /// By descriptor, `GROUP/NODE`.
    nodes: BTreeMap<String, Node>,
    weight: Weight,
    asked: Asked,
    /// Nodes that are known and whose births are not, to be asked for them although they are quiet. By descriptor.
    missed: BTreeSet<String>,
}

impl Sparkplug {
    /// A convention that remembers nothing yet. Of a setting that [`SparkplugSetting::check`] refuses it reads nothing.
    pub fn new(setting: SparkplugSetting) -> Sparkplug {
        let SparkplugSetting { group, host, rebirth, writable } = setting;
        let writable = Writable(writable);
        let (nodes, weight, asked) = (BTreeMap::new(), Weight::default(), Asked::default());
        Sparkplug { group, host, rebirth, writable, nodes, weight, asked, missed: BTreeSet::new() }
    }

    /// What a message of an edge node says; what it leaves behind is remembered only if it is taken.
    fn take(&mut self, topic: &Topic<'_>, payload: &Payload) -> Result<Vec<Telemetry>, WireError> {
        match (topic.verb, topic.device) {
            (Verb::NodeBirth, _) => self.node_birth(topic, payload),
            (Verb::NodeDeath, _) => self.node_death(topic, payload),
            (Verb::DeviceBirth, Some(device)) => self.device_birth(topic, device, payload),
            (Verb::DeviceDeath, Some(device)) => self.device_death(topic, device, payload),
            (Verb::NodeData | Verb::DeviceData, device) => self.data(topic, device, payload),
            // A device's topic without a device is none, and commands are for edge nodes.
            (Verb::DeviceBirth | Verb::DeviceDeath, None) | (Verb::NodeCommand | Verb::DeviceCommand, _) => {
                Ok(Vec::new())
            }
        }
    }

    fn node_birth(&mut self, topic: &Topic<'_>, payload: &Payload) -> Result<Vec<Telemetry>, WireError> {
        let seq = payload.seq.ok_or(SparkplugError::NoSeq)?;
        let (birth, about) = Birth::read(payload, &self.writable)?;
        let name = topic.descriptor();
        let mut said = vec![born(topic, about, payload)];
        said.extend(birth.say(&name, payload, true)?);
        let known = self.nodes.get(&name);
        let node = Node {
            session: Some(Session { birth, bd_seq: birth::bd_seq(payload), seq, certain: true }),
            devices: known
                .into_iter()
                .flat_map(|node| node.devices.keys().map(|device| (device.clone(), None)))
                .collect(),
        };
        self.weight = self.weight.exchange(known.map(Node::weight).unwrap_or_default(), node.weight())?;
        self.nodes.insert(name, node);
        Ok(said)
    }

    fn node_death(&mut self, topic: &Topic<'_>, payload: &Payload) -> Result<Vec<Telemetry>, WireError> {
        let (name, given) = (topic.descriptor(), birth::bd_seq(payload));
        if let Some(session) = self.nodes.get(&name).and_then(|node| node.session.as_ref())
            && session.bd_seq != given
        {
            return Err(SparkplugError::OtherDeath { given, born: session.bd_seq }.into());
        }
        // The death of a node whose birth we missed is as true.
        let node = self.nodes.remove(&name);
        self.weight = self.weight.without(node.as_ref().map(Node::weight).unwrap_or_default());
        let devices = node.into_iter().flat_map(|node| node.devices.into_keys());
        let devices: Vec<Telemetry> = devices.map(|device| gone(format!("{name}/{device}"), None)).collect();
        Ok(std::iter::once(gone(name, None)).chain(devices).collect())
    }

    fn device_birth(
        &mut self,
        topic: &Topic<'_>,
        device: &str,
        payload: &Payload,
    ) -> Result<Vec<Telemetry>, WireError> {
        let node = self.nodes.get_mut(&topic.descriptor()).ok_or(SparkplugError::NodeUnborn)?;
        step_over(node, payload)?;
        let (birth, about) = Birth::read(payload, &self.writable)?;
        let mut said = vec![born(topic, about, payload)];
        said.extend(birth.say(&topic.thing(), payload, true)?);
        let known = node.devices.get(device);
        if known.is_none() && node.devices.len() >= DEVICES_MAX {
            return Err(SparkplugError::Devices { max: DEVICES_MAX }.into());
        }
        let old = known.map(|birth| Weight::of(device, birth.as_ref())).unwrap_or_default();
        self.weight = self.weight.exchange(old, Weight::of(device, Some(&birth)))?;
        node.devices.insert(device.to_owned(), Some(birth));
        Ok(said)
    }

    fn device_death(
        &mut self,
        topic: &Topic<'_>,
        device: &str,
        payload: &Payload,
    ) -> Result<Vec<Telemetry>, WireError> {
        let node = self.nodes.get_mut(&topic.descriptor()).ok_or(SparkplugError::NodeUnborn)?;
        step_over(node, payload)?;
        let birth = node.devices.remove(device).ok_or(SparkplugError::DeviceUnborn)?;
        self.weight = self.weight.without(Weight::of(device, birth.as_ref()));
        Ok(vec![gone(topic.thing(), payload.sent)])
    }

    fn data(
        &mut self,
        topic: &Topic<'_>,
        device: Option<&str>,
        payload: &Payload,
    ) -> Result<Vec<Telemetry>, WireError> {
        let name = topic.descriptor();
        let node = self.nodes.get_mut(&name).ok_or(SparkplugError::NodeUnborn)?;
        let session = node.session.as_mut().ok_or(SparkplugError::NodeUnborn)?;
        session.step(payload.seq.ok_or(SparkplugError::NoSeq)?)?;
        let birth = match device {
            None => &session.birth,
            Some(device) => {
                let birth = node.devices.get(device).and_then(Option::as_ref).filter(|birth| !birth.is_empty());
                birth.ok_or(SparkplugError::DeviceUnborn)?
            }
        };
        let mut said = birth.say(&topic.thing(), payload, session.certain)?;
        for device in node.take_unborn() {
            self.weight = self.weight.without(Weight::of(&device, None));
            said.push(gone(format!("{name}/{device}"), None));
        }
        Ok(said)
    }

    /// A birth was refused: what it would have changed is not what it was.
    fn doubt(&mut self, topic: &Topic<'_>) {
        let Some(node) = self.nodes.get_mut(&topic.descriptor()) else { return };
        let old = node.weight();
        match (topic.verb, topic.device.and_then(|device| node.devices.get_mut(device))) {
            (Verb::NodeBirth, _) => node.forget_births(),
            // It is there, and nobody knows what its metrics are.
            (Verb::DeviceBirth, Some(birth)) => *birth = Some(Birth::default()),
            (
                Verb::NodeData
                | Verb::NodeDeath
                | Verb::DeviceBirth
                | Verb::DeviceData
                | Verb::DeviceDeath
                | Verb::NodeCommand
                | Verb::DeviceCommand,
                _,
            ) => return,
        }
        self.weight = self.weight.without(old).plus(node.weight());
    }

    /// Whether messages of the topic's node were lost since its birth.
    fn is_uncertain(&self, topic: &Topic<'_>) -> bool {
        let session = self.nodes.get(&topic.descriptor()).and_then(|node| node.session.as_ref());
        session.is_some_and(|session| !session.certain)
    }

    /// The wish for the births of the topic's node, where the profile allows it and it was not told just now.
    fn wish(&mut self, topic: &Topic<'_>, at: WallMs) -> Vec<Outgoing> {
        if self.rebirth { self.asked.ask(topic, at).into_iter().collect() } else { Vec::new() }
    }
}

impl Convention for Sparkplug {
    fn word(&self) -> &'static str {
        WORD
    }

    fn filters(&self) -> Vec<String> {
        let group = self.group.as_deref().unwrap_or("+");
        let state = self.host.as_ref().map(|host| format!("{STATE}{host}"));
        Verb::HEARD.into_iter().map(|verb| verb.filter(group)).chain(state).collect()
    }

    fn reads(&self, topic: &str) -> bool {
        let is_ours = |set: &Option<String>, name: &str| set.as_ref().is_none_or(|set| set == name);
        if let Some(host) = state::host_of(topic) {
            return is_ours(&self.host, host);
        }
        let group = topic.strip_prefix(NAMESPACE).and_then(|rest| rest.split('/').next());
        group.is_some_and(|group| is_ours(&self.group, group))
    }

    fn read(&mut self, message: Incoming<'_>) -> Result<Understood, WireError> {
        if let Some(host) = state::host_of(message.topic) {
            return state::read(host, message.payload).map(|said| Understood { said, ..Understood::default() });
        }
        let topic = Topic::parse(message.topic)?;
        if matches!(topic.verb, Verb::NodeCommand | Verb::DeviceCommand) {
            return Ok(Understood::default());
        }
        if message.retained {
            return Err(SparkplugError::Retained.into());
        }
        match payload::decode(message.payload).and_then(|payload| self.take(&topic, &payload)) {
            Ok(said) => {
                let send = if self.is_uncertain(&topic) { self.wish(&topic, message.at) } else { Vec::new() };
                Ok(Understood { said, send, ..Understood::default() })
            }
            Err(refused) => {
                self.doubt(&topic);
                let send = if wants_birth(&refused) { self.wish(&topic, message.at) } else { Vec::new() };
                if send.is_empty() {
                    return Err(refused);
                }
                Ok(Understood { send, refused: Some(refused), ..Understood::default() })
            }
        }
    }

    fn connecting(&mut self) {
        // Births may have been missed; the names of devices are kept, so that it is told when they are not born again.
        self.nodes.values_mut().for_each(Node::forget_births);
        self.weight = self.nodes.values().map(Node::weight).fold(Weight::default(), Weight::plus);
        self.asked.connecting();
        if self.rebirth {
            self.missed.extend(self.nodes.keys().take(MISSED_MAX).cloned());
        }
    }

    fn expect(&mut self, thing: &str) {
        // A host application's thing is its topic, and no node.
        let mut parts = thing.strip_prefix(STATE).map_or(thing, |_| "").split('/');
        if let (Some(group), Some(node)) = (parts.next(), parts.next())
            && self.rebirth
            && self.missed.len() < MISSED_MAX
            && self.group.as_deref().is_none_or(|ours| ours == group)
        {
            self.missed.insert(format!("{group}/{node}"));
        }
    }

    fn ask(&mut self, at: WallMs) -> Vec<Outgoing> {
        let (mut wishes, mut later) = (Vec::new(), Vec::new());
        for _ in 0..ASKED_AT_ONCE {
            let Some(name) = self.missed.pop_first() else { break };
            let is_born = self.nodes.get(&name).is_some_and(|node| node.session.is_some());
            let Some((group, node)) = name.split_once('/').filter(|_| !is_born) else { continue };
            // What an earlier run kept in a cache is as little to be trusted as a message.
            let topic = written(group, Verb::NodeData, node, None);
            let Ok(topic) = Topic::parse(&topic) else { continue };
            match self.asked.ask(&topic, at) {
                Some(wish) => wishes.push(wish),
                // It was asked a short while ago, on a connection that did not last.
                None => later.push(name),
            }
        }
        self.missed.extend(later);
        wishes
    }

    fn command(&self, thing: &str, wants: &[(&str, &Json)], at: WallMs) -> Result<Vec<Outgoing>, NoCommand> {
        let mut parts = thing.splitn(3, '/');
        let (Some(group), Some(node), device) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoCommand::Impossible("only edge nodes and their devices can be commanded".into()));
        };
        let known = self.nodes.get(&format!("{group}/{node}")).ok_or(NoCommand::NotKnownYet)?;
        let session = known.session.as_ref().ok_or(NoCommand::NotKnownYet)?;
        let (verb, birth) = match device {
            None => (Verb::NodeCommand, Some(&session.birth)),
            Some(device) => (Verb::DeviceCommand, known.devices.get(device).and_then(Option::as_ref)),
        };
        let birth = birth.filter(|birth| !birth.is_empty()).ok_or(NoCommand::NotKnownYet)?;
        if birth.has_aliases() && !session.certain {
            return Err(NoCommand::NotKnownYet);
        }
        let payload = control::command(birth, wants, at)?;
        Ok(vec![Outgoing { topic: written(group, verb, node, device), payload }])
    }
}

/// Follows the node's sequence with a message that is whole in itself, whatever was lost before it.
fn step_over(node: &mut Node, payload: &Payload) -> Result<(), SparkplugError> {
    let session = node.session.as_mut().ok_or(SparkplugError::NodeUnborn)?;
    match session.step(payload.seq.ok_or(SparkplugError::NoSeq)?) {
        Ok(()) | Err(SparkplugError::Gap { .. }) => Ok(()),
        Err(refused) => Err(refused),
    }
}

/// What a birth says of the thing itself.
fn born(topic: &Topic<'_>, mut about: About, payload: &Payload) -> Telemetry {
    about.say(Fact::Title, topic.device.unwrap_or(topic.node));
    about.interval_s = Some(INTERVAL_S);
    about.gateway = topic.device.map(|_| topic.descriptor());
    let (thing, presence) = (Some(topic.thing()), Some(Presence::Here));
    Telemetry { thing, claimed: payload.sent, about, presence, ..Telemetry::default() }
}

/// A thing's end. A DDEATH is of when it was sent (section 5.7), an NDEATH of when it is heard (section 5.5): it was written when its
/// node connected.
fn gone(thing: String, claimed: Option<WallMs>) -> Telemetry {
    Telemetry { thing: Some(thing), claimed, presence: Some(Presence::Gone), ..Telemetry::default() }
}

fn wants_birth(refused: &WireError) -> bool {
    if let WireError::Sparkplug(refused) = refused { refused.wants_birth() } else { false }
}

#[cfg(test)]
mod tests;
