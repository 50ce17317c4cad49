//! What is wanted and has not been so for too long.

use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// A leaf of a shadow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeafId {
    /// The thing.
    pub thing: ThingKey,
    /// The shadow; empty for the classic one.
    pub shadow: String,
    /// JSON pointer into `desired`.
    pub pointer: String,
}

/// A leaf that has been wanted and not reported for too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotConvergedRow {
    /// Which one.
    pub leaf: LeafId,
    /// What people call the thing.
    pub thing_title: String,
    /// What it is.
    pub kind: Kind,
    /// Street and area; may be empty.
    pub place: String,
    /// What the value is called; the pointer without its slash where nobody gave it a name.
    pub label: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// What is wanted, as JSON text; at most 200 characters of it.
    pub wanted: String,
    /// What is reported in its place, as JSON text, at most 200 characters of it; `None` for nothing.
    pub reported: Option<String>,
    /// Since when, as far as anybody knows.
    pub since_ms: WallMs,
    /// Why, as far as anybody knows.
    pub why: Why,
    /// Since when nobody knows whether it is still so, because we do not listen or the shadow was not confirmed since.
    pub unknown_since_ms: Option<WallMs>,
}

/// Why a thing does not do what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It does not speak: perhaps it has not heard of it.
    Silent {
        /// Its last word.
        since_ms: WallMs,
    },
    /// The last command from here for this leaf was refused.
    Rejected {
        /// As shadow-protocol.md lists them; 409 when somebody else changed the leaf.
        code: u16,
        /// The reason, for a person.
        reason: String,
    },
    /// The thing itself said that it would not.
    Refused {
        /// Its reason, at most 200 characters of it.
        reason: String,
    },
    /// A command from here was accepted, and the thing has not obeyed.
    NeverObeyed {
        /// Who asked; may be empty.
        by: String,
    },
    /// It had obeyed a command from here, and does something else since.
    NoLonger {
        /// When it was seen to have obeyed.
        settled_ms: WallMs,
    },
    /// Nobody here asked for it: the wish is somebody else's.
    NobodyHere,
    /// Who asked was forgotten.
    Unknown,
}
