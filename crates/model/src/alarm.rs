//! Alarms: rules that say what needs a person, and what became of it.
//!
//! An alarm has two independent bits, *active* and *acknowledged* (ISA-18.2, OPC UA Part 9): it is open while it is active or
//! nobody has acknowledged it. Losing our own link neither raises nor clears one (ARCHITECTURE.md, invariant 7).

pub mod detector;
pub mod fence;
pub mod flood;
pub mod health;
mod life;
pub mod rhythm;
pub mod state;
mod stopwatch;
mod usual;
mod value;

use serde::{Deserialize, Serialize};

use crate::id::{AlarmId, ThingKey};
use crate::identity::Actor;
use crate::kind::Kind;
use crate::telemetry::Value;
use crate::time::WallMs;

pub use life::NotAcknowledged;
pub use usual::NOT_CONVERGED_AFTER_MS;
pub use value::{Seen, Turn, Verdict, Wait, duration, turn};

/// The longest comment of an acknowledgement, in characters.
pub const COMMENT_MAX_CHARS: usize = 500;

/// How much it matters. Greater is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Needs a look today.
    Warning,
    /// Needs a person at once; also told outside the window.
    Critical,
}

impl Priority {
    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Priority::Warning => "Warning",
            Priority::Critical => "Critical",
        }
    }
}

/// What a threshold looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// The value at this JSON pointer.
    Value(String),
    /// How full the thing is, 0–100 %: a car park's share taken, a bin's fill.
    Level,
}

/// Which side of a limit is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// At the limit or above it.
    Above,
    /// At the limit or below it.
    Below,
}

/// A limit of a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// What is looked at.
    pub measure: Measure,
    /// Which side is wrong.
    pub side: Side,
    /// The limit, in the value's unit.
    pub limit: f64,
    /// How far a value must come back from the limit before the alarm clears, in the value's unit; at least 0.
    pub deadband: f64,
    /// How long it must be wrong without a break before the alarm is raised, in milliseconds of listening.
    pub on_delay_ms: u64,
}

/// A word or a yes-or-no that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Equals {
    /// JSON pointer of the value that is looked at.
    pub pointer: String,
    /// The value that is wrong: a text or a flag. A value of another type says nothing.
    pub value: Value,
    /// How long it must be wrong without a break before the alarm is raised, in milliseconds of listening.
    pub on_delay_ms: u64,
}

/// When a rule's alarm is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A number is beyond a limit.
    Threshold(Threshold),
    /// A text or a flag is the wrong one.
    Equals(Equals),
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
    /// The thing itself says so, and says when it is over; no rule of a profile has this.
    Told,
}

/// A rule: for which things, when, how bad, and what a person should know.
///
/// Of several rules about silence (or about convergence, or about failed commands) one speaks of a thing: the first that names its
/// kind, else the first that names none. Rules about values all do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name for programs, unique within a profile: `bin-full`.
    pub id: String,
    /// Its name for people, said of one thing: `nearly full`.
    pub name: String,
    /// Which kind it looks at; `None` for all.
    pub kind: Option<Kind>,
    /// When it is active.
    pub condition: Condition,
    /// How bad that is.
    pub priority: Priority,
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
    /// Whether it is so now, as far as we listen.
    pub active: bool,
    /// When it became so the last time.
    pub raised_ms: WallMs,
    /// When it ceased to be so; `None` while it is active.
    pub cleared_ms: Option<WallMs>,
    /// How often it became so since it is open; at least 1.
    pub times: u32,
    /// Who saw it, if anybody did since it was raised the last time.
    pub acknowledged: Option<Acknowledgement>,
}

impl Alarm {
    /// Whether it still wants something: it is active, or nobody has acknowledged it.
    pub fn is_open(&self) -> bool {
        self.active || self.acknowledged.is_none()
    }
}
