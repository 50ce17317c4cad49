//! Bulk commands: the list of them, what became of each of their things, and what one would do.

use fleetlens_model::bulk::{Counts, Progress, Rollout, State};
use fleetlens_model::id::{BulkId, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// A bulk command without its things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkRow {
    /// Its id.
    pub id: BulkId,
    /// Who asked.
    pub by: Actor,
    /// When.
    pub asked_ms: WallMs,
    /// When it ended.
    pub ended_ms: Option<WallMs>,
    /// What is wanted, in words: `dim to 40 %`.
    pub title: String,
    /// Of which things, in words: `what is found by “triq”, lamps`.
    pub target: String,
    /// Where it stands.
    pub state: State,
    /// What came of its things.
    pub counts: Counts,
    /// How fast.
    pub rollout: Rollout,
    /// Whether things that are found later are asked too.
    pub continuous: bool,
}

/// A bulk command with a stretch of its things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkPage {
    /// It.
    pub head: BulkRow,
    /// How many of its things the look is for.
    pub total: u32,
    /// Where the stretch begins, from 0.
    pub first: u32,
    /// The stretch; shorter than asked for only at its end.
    pub rows: Vec<BulkThingRow>,
}

/// What came of one of its things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkThingRow {
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Street and area; may be empty.
    pub place: String,
    /// How far it is.
    pub progress: Progress,
    /// The same as a sentence for the screen.
    pub sentence: String,
}

/// What a bulk command would do, before anybody asks for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DryRun {
    /// How many things are meant.
    pub things: u32,
    /// Those that would be asked.
    pub changes: u32,
    /// Of those the ones that are silent or were never heard: they are asked, and obey when they are back in time.
    pub offline: u32,
    /// Those whose shadow was not read since the link is up, so that it is told as it was known last; they are being read.
    pub unread: u32,
    /// Those that are so already, and would not be asked.
    pub same: u32,
    /// Those of which it cannot be asked.
    pub cannot: u32,
    /// Why not, with how many each, the most first; at most [`crate::DRY_RUN_REASONS`].
    pub reasons: Vec<(String, u32)>,
    /// Some of them: those that cannot first, then those that are offline, then what else would change; at most
    /// [`crate::DRY_RUN_ROWS`].
    pub rows: Vec<DryRunRow>,
    /// How long a command waits where the person does not say, in milliseconds: the shortest and the longest of those that would be
    /// asked; `None` when none would.
    pub own_expiry_ms: Option<(u64, u64)>,
    /// Whether a leaf is touched that is asked about in words before it is sent, of a thing that is meant or of a kind that may join.
    pub asks_first: bool,
    /// What will happen to people, in sentences, each once; at most [`crate::DRY_RUN_DANGERS`], and none although it is asked first
    /// where nobody says.
    pub dangers: Vec<String>,
}

/// What would become of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DryRunRow {
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Street and area; may be empty.
    pub place: String,
    /// What would change: pointer, what it is now, what is wanted; values as JSON text.
    pub changes: Vec<(String, Option<String>, String)>,
    /// Whether it is silent or was never heard.
    pub offline: bool,
    /// Why it cannot be asked, if so.
    pub cannot: Option<String>,
}
