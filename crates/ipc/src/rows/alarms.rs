//! Alarms and how many there are.

use fleetlens_model::alarm::state::Standing;
use fleetlens_model::alarm::{Acknowledgement, Priority};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// How many alarms there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmCounts {
    /// Open: active, or not acknowledged.
    pub open: u32,
    /// Active now, as far as we listen.
    pub active: u32,
    /// Open and not acknowledged.
    pub unacknowledged: u32,
    /// Active, critical and not acknowledged.
    pub critical: u32,
    /// Shelved or out of service: open or not, people are not told of them. None of the others counts them.
    pub hidden: u32,
}

/// The alarms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmList {
    /// How many there are in all.
    pub counts: AlarmCounts,
    /// Open ones worst first, then the newest; ended ones newest first.
    pub rows: Vec<AlarmRow>,
}

/// Who took an alarm off the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Who, when, and why.
    pub by: Acknowledgement,
    /// Until when it is shelved; `None` of one that is out of service, until somebody takes it back.
    pub until_ms: Option<WallMs>,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// Its id.
    pub id: AlarmId,
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub thing_title: String,
    /// What it is.
    pub kind: Kind,
    /// Street and area; may be empty.
    pub place: String,
    /// Where the thing is.
    pub at: Option<LonLat>,
    /// How bad.
    pub priority: Priority,
    /// What is wrong: `Bin 0012 nearly full`.
    pub title: String,
    /// What was seen: `fill 96 %, 90 % or more for 2 min`.
    pub sentence: String,
    /// What usually causes it; may be empty.
    pub cause: String,
    /// What happens when nobody acts; may be empty.
    pub consequence: String,
    /// What to do.
    pub what_to_do: String,
    /// Whether it is so now, as far as we listen.
    pub active: bool,
    /// Since when our own link is down, so that nobody knows whether it is still so.
    pub unknown_since_ms: Option<WallMs>,
    /// When it became so the last time; goes with [`crate::Intent::Acknowledge`].
    pub raised_ms: WallMs,
    /// When it ceased to be so.
    pub cleared_ms: Option<WallMs>,
    /// How often it became so since it is open.
    pub times: u32,
    /// Who saw it.
    pub acknowledged: Option<Acknowledgement>,
    /// What a person sees first of it.
    pub standing: Standing,
    /// Who took it off the list, why, and until when.
    pub hidden: Option<Hidden>,
    /// How long a person has from when it was raised, in milliseconds.
    pub time_available_ms: Option<u64>,
    /// Who looks after it; may be empty.
    pub assigned: String,
    /// How many silent things stand behind this one gateway.
    pub mutes: u32,
}
