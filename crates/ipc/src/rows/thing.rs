//! A thing's page: its head, its values, its shadows, its messages.

use fleetlens_model::freshness::Freshness;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::kind::{Control, Kind};
use fleetlens_model::telemetry::{Quality, Source, Timed, Value};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

use super::{AlarmRow, CommandRow, ThingJobRow};

/// One thing, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThingPage {
    /// Name, place, freshness.
    pub head: ThingHead,
    /// Values in the order of the screen.
    pub values: Vec<ValueRow>,
    /// Shadows by name, the classic one first.
    pub shadows: Vec<ShadowTable>,
    /// Commands, newest first, at most 20.
    pub commands: Vec<CommandRow>,
    /// The jobs that it is part of, newest first, at most 20.
    pub jobs: Vec<ThingJobRow>,
    /// Its open alarms, worst first.
    pub alarms: Vec<AlarmRow>,
    /// Whether the person here may command it.
    pub may_command: bool,
    /// Why the person here may not although the role may: it is not in their groups. Empty where nothing is in the way.
    pub fence: String,
    /// How long a command may wait where the profile says otherwise than the kind's controls: JSON pointer, milliseconds.
    pub expiries: Vec<(String, u64)>,
    /// What its desired state may hold: the text of a [`fleetlens_model::schema::Schema`]; empty where nobody says.
    pub schema: String,
}

/// What stands at the top of a thing's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThingHead {
    /// The thing.
    pub thing: ThingKey,
    /// Its name, verbatim.
    pub name: String,
    /// What people call it; the name where nobody gave one.
    pub title: String,
    /// Its kind.
    pub kind: Kind,
    /// Where it stands.
    pub at: Option<LonLat>,
    /// District; may be empty.
    pub area: String,
    /// Street; may be empty.
    pub street: String,
    /// Spaces in all, for a car park.
    pub capacity: Option<u32>,
    /// The name of the gateway that carries what it says; may be empty.
    pub gateway: String,
    /// Which of these were made up.
    pub synthetic: Vec<String>,
    /// The convention that carries its commands, in the words of the profile; empty for a thing with a shadow or none.
    pub convention: String,
    /// What can be set on it, in the order of the screen; whether the person here may is [`ThingPage::may_command`].
    pub controls: Vec<Control>,
    /// What its last word is worth.
    pub freshness: Freshness,
    /// Age of its last word, `None` when it never said one.
    pub heard_age_ms: Option<u64>,
    /// [`crate::map::Status::code`].
    pub status: u8,
}

/// One value with what it is and how old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueRow {
    /// Its series.
    pub series: SeriesKey,
    /// JSON pointer.
    pub pointer: String,
    /// Its name on the screen.
    pub label: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// Its place on the screen, smaller first.
    pub rank: u8,
    /// The value.
    pub value: Value,
    /// Live, retained or cached.
    pub source: Source,
    /// How far to trust it.
    pub quality: Quality,
    /// Whose clock dated it.
    pub timed: Timed,
    /// Its age as of the frame.
    pub age_ms: u64,
    /// From this age on it is shown as old, in milliseconds: three intervals, at least a minute.
    pub old_after_ms: u64,
    /// The exact time it is aged by.
    pub device_ms: WallMs,
    /// When we received it.
    pub received_ms: WallMs,
}

/// A shadow as a table of leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowTable {
    /// Empty for the classic shadow.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// Whether what we know was confirmed by the broker since the link is up; else it is from the cache.
    pub current: bool,
    /// When we last heard of it.
    pub heard_ms: WallMs,
    /// Its leaves, by pointer.
    pub leaves: Vec<LeafRow>,
}

/// A leaf of a shadow, both sides as JSON text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeafRow {
    /// JSON pointer.
    pub pointer: String,
    /// What is wanted; `None` when `desired` does not hold it.
    pub desired: Option<String>,
    /// What the device says; `None` when `reported` does not hold it.
    pub reported: Option<String>,
    /// Whether it is wanted and not yet so.
    pub differs: bool,
    /// When `desired` last changed here.
    pub desired_ms: Option<WallMs>,
    /// When `reported` last changed here.
    pub reported_ms: Option<WallMs>,
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// The topic.
    pub topic: String,
    /// The payload as text, at most 2048 bytes of it; bytes that are no UTF-8 as U+FFFD.
    pub payload: String,
    /// How many bytes the payload has in all.
    pub bytes: u32,
    /// When it came.
    pub received_ms: WallMs,
    /// Whether the broker replayed it on subscribe.
    pub retained: bool,
    /// Whether it was delivered before and is stored already, so that nothing came of it this time.
    pub repeated: bool,
    /// 0 or 1.
    pub qos: u8,
    /// What it carried besides, with MQTT 5; `None` when nothing.
    pub properties: Option<Box<MessageProperties>>,
    /// Why it was refused, if it was.
    pub refused: Option<String>,
}

/// What a message of MQTT 5 carried besides its payload (MQTT 5, 3.3.2.3), as far as it helps a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageProperties {
    /// What the payload is, such as `application/json`; at most 256 bytes of it.
    pub content_type: Option<String>,
    /// Where an answer is expected; at most 256 bytes of it.
    pub response_topic: Option<String>,
    /// How long it was still to be delivered, in seconds from its arrival.
    pub expiry_s: Option<u32>,
    /// The first 16 user properties, at most 256 bytes of a name and of a value.
    pub user: Vec<(String, String)>,
    /// How many user properties there were beyond those.
    pub left_out: u32,
}
