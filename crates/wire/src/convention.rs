//! Conventions: fleets that describe themselves, each by rules of its own (Home Assistant's discovery, Sparkplug B, Homie,
//! Zigbee2MQTT).
//!
//! Templates of a profile need no memory; a convention has one, because what a message means was said by an earlier one: which
//! topics a device speaks on, what type a property has, which name an alias stands for. So each is a state machine behind one
//! interface: topic and payload in; what is said of things, what to listen to and what to send out. No clocks, no I/O; everything it
//! remembers is bounded. What it remembers is kept in memory only: the broker's retained messages say it again after every connect, or
//! the convention asks for it.

use std::fmt::Debug;

use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::WireError;
use crate::home_assistant::HomeAssistant;
use crate::homie::Homie;
use crate::sparkplug::{Sparkplug, SparkplugSetting};
use crate::telemetry::Telemetry;
use crate::zigbee2mqtt::Zigbee2Mqtt;

/// Things one convention remembers; a message of a further one is refused.
pub const THINGS_MAX: usize = 200_000;

/// A message that came in.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The payload; empty where a retained message was taken back.
    pub payload: &'a [u8],
    /// Replayed by the broker on subscribe.
    pub retained: bool,
    /// When we received it.
    pub at: WallMs,
}

/// A message that a convention wants sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic; no wildcards.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
}

/// What a convention made of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Understood {
    /// What is said of things; each names its thing. May be empty: a message may be about what is to come only.
    pub said: Vec<Telemetry>,
    /// Filters to subscribe to from now on, if that is not done already. Never with a wildcard in the first level.
    pub listen: Vec<String>,
    /// What the convention itself wants sent, such as the wish for a birth that was missed. Never retained; at least once.
    pub send: Vec<Outgoing>,
    /// Why nothing could be made of the message although it brought about `send`: data of a node whose birth was missed.
    pub refused: Option<WireError>,
}

impl Understood {
    /// What one message says of one thing.
    pub fn of(said: Telemetry) -> Understood {
        Understood { said: vec![said], ..Understood::default() }
    }
}

/// One convention and what it remembers.
pub trait Convention: Debug + Send {
    /// Its word in profiles and on the screen.
    fn word(&self) -> &'static str;

    /// What to subscribe to before anything is known.
    fn filters(&self) -> Vec<String>;

    /// Whether a topic is one of its. A message of such a topic is read by it and by nothing else.
    fn reads(&self, topic: &str) -> bool;

    /// Takes a message whole, or says why not (or in [`Understood::refused`]) and remembers nothing of it.
    fn read(&mut self, message: Incoming<'_>) -> Result<Understood, WireError>;

    /// A thing of this convention was known in an earlier run.
    fn expect(&mut self, _thing: &str) {}

    /// A new connection is about to be made, with a new session or an old one: what cannot be known to be so still is forgotten. Messages
    /// of the new connection may come before our link counts as up.
    fn connecting(&mut self) {}

    /// What it wants sent by itself, a few messages at a time: asked for some times a second while the link is up.
    fn ask(&mut self, _at: WallMs) -> Vec<Outgoing> {
        Vec::new()
    }

    /// What to send so that the thing does what is wanted, leaf by leaf (JSON pointers of its controls).
    fn command(&self, thing: &str, wants: &[(&str, &Json)], at: WallMs) -> Result<Vec<Outgoing>, NoCommand>;
}

/// Why a convention cannot say what to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCommand {
    /// The thing has not described itself since the link is up; it is worth waiting.
    #[error("the thing has not described itself since the link is up")]
    NotKnownYet,
    /// The thing cannot be commanded so, and waiting will not help. A sentence for the screen.
    #[error("{0}")]
    Impossible(String),
}

/// A convention as a profile sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Home Assistant's MQTT discovery.
    HomeAssistant {
        /// What announcements begin with, `homeassistant` unless somebody changed it.
        prefix: String,
    },
    /// Sparkplug B, checked.
    Sparkplug(SparkplugSetting),
    /// Homie 5.
    Homie {
        /// The first levels of every topic, `homie` unless somebody changed it.
        domain: String,
    },
    /// Zigbee2MQTT.
    Zigbee2Mqtt {
        /// Its base topic, `zigbee2mqtt` unless somebody changed it.
        base: String,
    },
}

impl Setting {
    /// The convention with nothing remembered.
    pub fn start(&self) -> Box<dyn Convention> {
        match self {
            Setting::HomeAssistant { prefix } => Box::new(HomeAssistant::new(prefix.clone())),
            Setting::Sparkplug(setting) => Box::new(Sparkplug::new(setting.clone())),
            Setting::Homie { domain } => Box::new(Homie::new(domain.clone())),
            Setting::Zigbee2Mqtt { base } => Box::new(Zigbee2Mqtt::new(base.clone())),
        }
    }

    /// Whether it listens to topics that only its messages name, as many as there are things.
    pub fn learns_topics(&self) -> bool {
        match self {
            Setting::HomeAssistant { .. } | Setting::Homie { .. } | Setting::Zigbee2Mqtt { .. } => true,
            Setting::Sparkplug(_) => false,
        }
    }
}
