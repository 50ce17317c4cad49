//! One alarm: what is asked of it, whatever its state came from.

use thiserror::Error;

use super::state::State;
use super::{Acknowledgement, Alarm, Priority, Rule};
use crate::id::{AlarmId, ThingKey};
use crate::time::WallMs;

/// Why an acknowledgement does not cover an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotAcknowledged {
    /// It was over before.
    #[error("the alarm is over already")]
    Ended,
    /// It stands otherwise now than it stood on the screen.
    #[error("the alarm was raised again meanwhile; look at it as it is now")]
    RaisedAgain,
    /// Somebody was quicker.
    #[error("{0} has acknowledged it already")]
    Already(String),
}

impl Alarm {
    /// An alarm of a rule that has just been raised.
    pub fn raised(id: AlarmId, thing: ThingKey, rule: &Rule, sentence: String, state: State) -> Alarm {
        Alarm {
            id,
            thing,
            rule: rule.id.clone(),
            name: rule.name.clone(),
            priority: rule.priority,
            sentence,
            what_to_do: rule.what_to_do.clone(),
            assigned: String::new(),
            state,
        }
    }

    /// Whether it is so now, as far as we listen.
    pub fn is_active(&self) -> bool {
        self.state.active
    }

    /// Whether it still wants something of a person.
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// When it last became news; goes with an acknowledgement.
    pub fn raised_ms(&self) -> WallMs {
        self.state.raised_ms.unwrap_or_default()
    }

    /// Who has seen it as it stands.
    pub fn seen(&self) -> Option<&Acknowledgement> {
        self.state.acknowledged.as_ref()
    }

    /// Whether it needs a person: it is so now and more than worth knowing, people are told of it, and nobody has said that they saw it.
    pub fn needs_a_person(&self) -> bool {
        self.priority > Priority::Advisory
            && self.state.active
            && self.state.acknowledged.is_none()
            && !self.state.is_hidden()
    }

    /// When it was over; `None` while it is open, or hidden and so still listed.
    pub fn ended_ms(&self) -> Option<WallMs> {
        if self.is_open() || self.state.is_hidden() {
            return None;
        }
        let seen_ms = self.seen().map(|seen| seen.at_ms);
        Some(self.state.cleared_ms.max(seen_ms).unwrap_or_else(|| self.raised_ms()))
    }
}

/// A length of time in words, as people write it: `45 s`, `1 min 30 s`, `5 min`, `2 h`, `3 d 4 h`. Milliseconds are left out.
pub fn duration(ms: u64) -> String {
    let s = ms / 1_000;
    let two = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{big} {big_unit}") } else { format!("{big} {big_unit} {small} {small_unit}") }
    };
    match s {
        0..60 => format!("{s} s"),
        60..3_600 => two(s / 60, "min", s % 60, "s"),
        3_600..86_400 => two(s / 3_600, "h", s / 60 % 60, "min"),
        _ => two(s / 86_400, "d", s / 3_600 % 24, "h"),
    }
}
