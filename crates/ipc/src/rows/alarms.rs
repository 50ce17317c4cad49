//! Alarms and how many there are.

use fleetlens_model::alarm::health::Verdict;
use fleetlens_model::alarm::state::Standing;
use fleetlens_model::alarm::{Acknowledgement, Priority};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

use crate::look::AlarmGrouping;

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
    /// Active, not acknowledged, and no more than worth knowing: they need no person.
    pub advisory: u32,
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
    /// What makes it mean nothing now, by design: `mode maintenance`; empty where nothing does.
    pub suppressed: String,
    /// How many silent things stand behind this one gateway.
    pub mutes: u32,
}

/// A flood: more alarms than one person can take in ([`fleetlens_model::alarm::flood`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloodRow {
    /// Since when.
    pub since_ms: WallMs,
    /// How many alarms it has had, those that began it included.
    pub count: u64,
}

/// A stretch of the table of alarms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmTable {
    /// What is said of the whole.
    pub head: AlarmTableHead,
    /// The place of the first line, from 0.
    pub first: u32,
    /// The lines.
    pub lines: Vec<AlarmLine>,
}

/// What is said of a table of alarms as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmTableHead {
    /// How many lines it has, headings included.
    pub lines: u32,
    /// How many alarms, those of folded groups included.
    pub alarms: u32,
    /// How many groups.
    pub groups: u32,
    /// How many alarms wait to be let in, since somebody is in the list.
    pub fresh: u32,
    /// How many are in the scope before anything is filtered away.
    pub of: u32,
    /// What it is grouped by.
    pub group: AlarmGrouping,
    /// Whether its groups are folded unless a person unfolded them.
    pub folded: bool,
    /// Whether it is grouped and folded because of a flood, and not by anybody's choice.
    pub by_itself: bool,
    /// The rules that have alarms in the scope: id and name, by name; at most 64.
    pub causes: Vec<(String, String)>,
}

/// A line of the table of alarms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AlarmLine {
    /// A heading, before its alarms or in place of them.
    Group(AlarmGroupRow),
    /// An alarm.
    Alarm(Box<ListedAlarm>),
}

/// The heading of a group of alarms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmGroupRow {
    /// What it is known by.
    pub key: String,
    /// What its alarms have in common; empty where that is not known, as of things without a district.
    pub title: String,
    /// What to do about them, where all want the same.
    pub what_to_do: String,
    /// How many alarms.
    pub count: u32,
    /// How many of them nobody has acknowledged.
    pub unseen: u32,
    /// How bad the worst of them is.
    pub worst: Priority,
    /// When the newest became so.
    pub newest_ms: WallMs,
    /// Whether its alarms are listed.
    pub open: bool,
}

/// An alarm in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedAlarm {
    /// The alarm.
    pub row: AlarmRow,
    /// Whether it is the first of several that began together ([`fleetlens_model::alarm::first_out`]).
    pub first: bool,
    /// Whether it has left the list, and stands there only because somebody is in it.
    pub gone: bool,
}

/// An alarm as it stood in the table, for [`crate::Intent::Acknowledge`] and what else is done with many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownAlarm {
    /// Its id.
    pub id: AlarmId,
    /// When it was raised the last time.
    pub raised_ms: WallMs,
    /// Whether there is anything to acknowledge.
    pub unseen: bool,
    /// What is wrong: `Bin 0012 nearly full`.
    pub title: String,
}

/// How well the alarms served over a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmHealth {
    /// The span in words.
    pub told: String,
    /// When the cache begins, where that is within what was asked for.
    pub begins: Option<WallMs>,
    /// When we last listened, as far as the cache knows.
    pub listened: Option<WallMs>,
    /// Alarms that were raised.
    pub raised: u64,
    /// The figures of ISA-18.2 and EEMUA 191, and ours.
    pub figures: Vec<HealthFigure>,
    /// Pictures over time: what each shows, and SVG whose colours are custom properties of the page.
    pub pictures: Vec<(String, String)>,
    /// The rules that raised most: id, name, how often; the most first, at most ten.
    pub by_rule: Vec<(String, String, u64)>,
    /// The things that raised most: key, name for people, place, how often; the most first, at most ten.
    pub by_thing: Vec<(ThingKey, String, String, u64)>,
    /// Of how many that is, in words: `of 214 alarms`.
    pub of_all: String,
}

/// A figure with what it should be, and whether it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthFigure {
    /// What is measured.
    pub name: String,
    /// With its unit; a dash where there is too little to tell.
    pub value: String,
    /// What it should be.
    pub target: String,
    /// Whether it is.
    pub verdict: Verdict,
    /// What it is made of.
    pub note: String,
}
