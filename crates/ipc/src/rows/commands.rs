//! Commands, on a page and in the outbox.

use fleetlens_model::command::{Phase, Step};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::kind::{Control, Kind};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// A command with its past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandRow {
    /// Its id.
    pub id: CommandId,
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub thing_title: String,
    /// What it is.
    pub kind: Kind,
    /// The shadow; empty for the classic one.
    pub shadow: String,
    /// Whether it goes straight to the thing, with no shadow that could accept it or take it back.
    pub direct: bool,
    /// In words: `dim to 40 %`.
    pub title: String,
    /// What it changes: pointer, before, wanted; values as JSON text.
    pub changes: Vec<(String, Option<String>, String)>,
    /// Its trace in the audit log.
    pub trace: String,
    /// Who asked.
    pub by: Actor,
    /// Where it stands.
    pub phase: Phase,
    /// Whether the shadow took it and the device did not do it in its time: not the same as expired before anybody had it.
    pub never_obeyed: bool,
    /// What happened so far, oldest first.
    pub steps: Vec<StepRow>,
    /// The sentence for the screen: "accepted, not yet obeyed".
    pub sentence: String,
    /// Time left until it must not happen any more; `None` once it ended.
    pub expires_in_ms: Option<u64>,
    /// Whether it has not left yet, so that it can be changed.
    pub can_edit: bool,
    /// What is said of the leaves in `changes`, one each in their order; empty once it has left.
    pub takes: Vec<LeafTakes>,
    /// Whether it can still be taken back.
    pub can_cancel: bool,
}

/// What is said of a leaf that a waiting command sets, so that a window can say it before the command is changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeafTakes {
    /// Its control; `None` where none sets it.
    pub control: Option<Control>,
    /// What will happen to people, in sentences, each for the value of this JSON text, or for any where it is empty. With any a window
    /// asks first.
    pub dangers: Vec<(String, String)>,
}

/// One step of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// What happened.
    pub step: Step,
    /// When.
    pub at_ms: WallMs,
    /// More about it, e.g. the version or the reason; may be empty.
    pub note: String,
}
