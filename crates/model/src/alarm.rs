//! Alarms: rules that say what needs a person, and what became of it.
//!
//! An alarm has two independent bits, *active* and *acknowledged* (ISA-18.2, OPC UA Part 9): it is open while it is active or
//! nobody has acknowledged it. Losing our own link neither raises nor clears one (ARCHITECTURE.md, invariant 7).

pub mod detected;
pub mod detector;
pub mod fence;
pub mod first_out;
pub mod flood;
pub mod health;
mod life;
pub mod rhythm;
pub mod state;
mod stopwatch;
mod things;
mod usual;

use serde::{Deserialize, Serialize};

use crate::expression::Expression;
use crate::id::{AlarmId, ThingKey};
use crate::identity::Actor;
use crate::time::WallMs;
use detected::Detected;
use state::{State, Terms};

pub use life::{NotAcknowledged, duration};
pub use things::{Closeness, Members, Things};
pub use usual::NOT_CONVERGED_AFTER_MS;

/// The longest name of whoever looks after an alarm, in characters.
pub const ASSIGNED_MAX_CHARS: usize = 60;

/// The longest comment of an acknowledgement, in characters.
pub const COMMENT_MAX_CHARS: usize = 500;

/// How much it matters. Greater is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Worth knowing; nothing is lost if it waits for the next round.
    Advisory,
    /// Needs a look today.
    Warning,
    /// Needs a person at once; also told outside the window.
    Critical,
}

impl Priority {
    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Priority::Advisory => "Advisory",
            Priority::Warning => "Warning",
            Priority::Critical => "Critical",
        }
    }
}

/// A condition in the language of rules ([`crate::expression`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// What must be so.
    pub expression: Expression,
    /// How far a number must come back from its limit before it is not so any more, in the value's unit; 0 where the expression takes
    /// none ([`Expression::takes_deadband`]).
    pub deadband: f64,
}

/// When a rule's alarm is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// What the thing says, and what else is known of it, is so.
    When(Box<When>),
    /// The thing should have spoken and did not (docs/adr/0002-clocks.md). Of a thing whose gateway is silent only the gateway's
    /// is raised.
    Silent,
    /// Desired and reported differ for longer than `after_ms`, with no command of ours still waiting.
    NotConverged {
        /// In milliseconds.
        after_ms: u64,
    },
    /// The newest command was refused, or accepted and never obeyed.
    CommandFailed,
    /// The state machine of each thing is in one of certain states.
    Detected(Box<Detected>),
    /// The thing itself says so, and says when it is over; no rule of a profile has this.
    Told,
}

/// A rule: for which things, when, how bad, and what a person should know.
///
/// Of several rules about silence (or about convergence, or about failed commands) one speaks of a thing: the first that is for a
/// group or a search it belongs to, else the first that names its kind, else the first that is for all. Rules about values all do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name for programs, unique within a profile: `bin-full`.
    pub id: String,
    /// Its name for people, said of one thing: `nearly full`.
    pub name: String,
    /// Which things it is for.
    #[serde(flatten)]
    pub things: Things,
    /// When it is active.
    pub condition: Condition,
    /// While this is so, its alarm means nothing by design: it goes on being judged, and people are not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Expression>,
    /// How it behaves besides: delays, a latch, telling again, and what follows where nobody knows.
    pub terms: Terms,
    /// How bad that is.
    pub priority: Priority,
    /// How long a person has until its consequence, in milliseconds; `None` where nobody said.
    pub time_available_ms: Option<u64>,
    /// What usually causes it; may be empty.
    pub cause: String,
    /// What happens when nobody acts; may be empty.
    pub consequence: String,
    /// What to do about it.
    pub what_to_do: String,
}

/// Who saw it, when, and what they said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: Actor,
    /// When, by our wall clock.
    pub at_ms: WallMs,
    /// At most [`COMMENT_MAX_CHARS`]; may be empty.
    pub comment: String,
}

/// One alarm of one thing, as it is and as the cache keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its id.
    pub id: AlarmId,
    /// The thing.
    pub thing: ThingKey,
    /// The rule's id.
    pub rule: String,
    /// The rule's name when it was raised: `nearly full`.
    pub name: String,
    /// How bad.
    pub priority: Priority,
    /// What was seen: `fill 96 %, 90 % or more for 2 min`.
    pub sentence: String,
    /// What to do about it, as the rule said when it was raised.
    pub what_to_do: String,
    /// Who looks after it; empty while nobody is named.
    pub assigned: String,
    /// How it stands.
    pub state: State,
}
