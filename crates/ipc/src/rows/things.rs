//! Things in lists: what was found, what needs a person, the table.

use fleetlens_model::freshness::Freshness;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

use super::ValueRow;

/// A thing that matches what was typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundRow {
    /// The thing.
    pub thing: ThingKey,
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Street and area, for telling two apart.
    pub place: String,
    /// Its kind.
    pub kind: Kind,
    /// [`crate::map::Status::code`].
    pub status: u8,
    /// Where it stands.
    pub at: Option<LonLat>,
}

/// What needs a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// All of them.
    pub count: u32,
    /// The worst ones.
    pub rows: Vec<AttentionRow>,
}

/// One thing that needs a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttentionRow {
    /// The alarm that says so; goes with [`crate::Intent::Acknowledge`].
    pub alarm: AlarmId,
    /// The thing.
    pub thing: ThingKey,
    /// `Lamp 0417 does what nobody asked`: what is wrong, in words.
    pub title: String,
    /// What was seen, as it stands with the rule; may be empty.
    pub sentence: String,
    /// What to do about it, as it stands with the rule; may be empty.
    pub what_to_do: String,
    /// [`crate::map::Status::code`], Warning or Critical.
    pub status: u8,
    /// Since when: when the alarm was raised the last time; goes with [`crate::Intent::Acknowledge`].
    pub since_ms: WallMs,
}

/// A stretch of the table of things.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThingsPage {
    /// How many things the query finds.
    pub total: u32,
    /// Where the stretch begins, from 0.
    pub first: u32,
    /// The stretch; shorter than asked for only at the end of the table.
    pub rows: Vec<ThingRow>,
    /// How many things would stand elsewhere, be new or leave, if the order were made anew. Those that only close up behind one that
    /// moves are not counted.
    pub moved: u32,
    /// What is wrong with the query; then all else is as it was before.
    pub mistake: Option<QueryMistake>,
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryMistake {
    /// The character of the text at which it goes wrong, from 1.
    pub column: u32,
    /// What was found and what would be right.
    pub message: String,
}

/// One thing in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThingRow {
    /// The thing.
    pub thing: ThingKey,
    /// Its name, verbatim.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Its kind.
    pub kind: Kind,
    /// Street and area; may be empty.
    pub place: String,
    /// Where it is now.
    pub at: Option<LonLat>,
    /// [`crate::map::Status::code`].
    pub status: u8,
    /// Its kind's main value, if it has said one; else its first by pointer.
    pub value: Option<ValueRow>,
    /// What its last word is worth.
    pub freshness: Freshness,
    /// Age of its last word, `None` when it never said one.
    pub heard_age_ms: Option<u64>,
    /// Commands that wait or are on their way.
    pub pending: u32,
    /// Its worst open alarm, in words; empty for none.
    pub alarm: String,
    /// How far it is, in metres, where the table is sorted by that.
    pub distance_m: Option<f32>,
}
