//! Detector models: state machines as AWS IoT Events writes them (developer guide, "Create a detector model"), one for each thing.
//!
//! The document is theirs, states, events, conditions and variables; what it does outwards there (messages, functions) it does not do
//! here: [`Detector::left_out`] says what. Which states are alarms is said by the rule, not by the document. What is not understood
//! is refused with its place. Timers count while we listen, like every delay of an alarm.

mod read;
mod step;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::state::Judged;
use super::stopwatch::Stopwatch;
use crate::expression::{Formula, Guard, Mistake, Name, Needs, Word};
use crate::telemetry::Value;
use crate::time::Now;

/// The largest document, in bytes.
pub const DETECTOR_MAX_BYTES: usize = 64 * 1024;

/// The most states of a model.
pub const STATES_MAX: usize = 32;

/// The most events of a list, and the most actions of an event.
pub const EVENTS_MAX: usize = 32;

/// The most variables, and the most timers.
pub const VARIABLES_MAX: usize = 32;

/// The longest timer, in seconds: a year and a day, as there.
pub const TIMER_MAX_S: u64 = 31_622_400;

/// Why a document is not taken.
#[derive(Debug, Error)]
pub enum DetectorError {
    /// It is too large.
    #[error("the detector model has {0} bytes; at most {DETECTOR_MAX_BYTES} are read")]
    TooLarge(usize),
    /// It is no JSON, or not of this shape.
    #[error("the detector model is not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// An expression in it is wrong.
    #[error("{place}: {mistake} in {text:?}")]
    Expression {
        /// State, list and event.
        place: String,
        /// The expression.
        text: String,
        /// What is wrong with it.
        mistake: Mistake,
    },
    /// Anything else.
    #[error("{place}: {why}")]
    Wrong {
        /// State, list and event, or what it is about.
        place: String,
        /// What was found and what would be right.
        why: String,
    },
}

/// A model that was read and understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    states: Vec<DetectorState>,
    initial: usize,
    /// Variables are set at once, not when all conditions of a list were looked at (`SERIAL`).
    is_serial: bool,
    left_out: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct DetectorState {
    name: String,
    is_alarm: bool,
    on_enter: Vec<Event>,
    on_input: Vec<Event>,
    /// Each with the state it leads to.
    transitions: Vec<(Event, usize)>,
    on_exit: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq)]
struct Event {
    /// Where it stands in the document.
    place: String,
    condition: Option<Guard>,
    actions: Vec<Action>,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    SetVariable(String, Formula),
    SetTimer(String, Length),
    ResetTimer(String),
    ClearTimer(String),
}

/// How long a timer runs.
#[derive(Clone, Debug, PartialEq)]
enum Length {
    Seconds(u64),
    /// A formula whose value is a number of seconds.
    Formula(Formula),
}

/// Where one thing is in a model. Can be written down at any moment; a restart is a lost link. Of a number that is a variable JSON may
/// lose the last digit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The name of its state; `None` until it has said something.
    pub state: Option<String>,
    /// What was set.
    pub variables: BTreeMap<String, Value>,
    timers: BTreeMap<String, Timer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Timer {
    length_ms: u64,
    watch: Stopwatch,
    /// It ran out, and says nothing more until it is reset.
    is_over: bool,
}

impl Timer {
    fn begun(length_ms: u64, now: Now) -> Timer {
        Timer { length_ms, watch: Stopwatch::begun(now.mono), is_over: false }
    }

    /// How long it still runs; `None` while it stands still, and when it ran out before.
    fn left_ms(&self, now: Now) -> Option<u64> {
        let runs = self.watch.is_running() && !self.is_over;
        runs.then(|| self.length_ms.saturating_sub(self.watch.ran_ms(now.mono)))
    }
}

/// What a thing said, by the input's name and a JSON pointer.
pub trait Inputs {
    /// The latest value there.
    fn word(&self, input: &str, pointer: &str) -> Word<'_>;
}

/// What happens to a thing's detector.
#[derive(Debug)]
pub enum Happened<'a, I> {
    /// It said something.
    Heard(&'a I),
    /// We listen from now on to what it said last, of which each message was a step before: what is timed goes on.
    WentOn(&'a I),
    /// Time went by; with what it said last.
    TimePassed(&'a I),
    /// We do not listen any more, or the program has started.
    LinkLost,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where the thing is from now on.
    pub position: Position,
    /// What the rule's alarm is told ([`super::state::Input::Judged`]).
    pub judged: Judged,
    /// The first thing that could not be worked out, with its place; what it belongs to counts as not so, as there.
    pub trouble: Option<String>,
    /// Whether the position is another one than before in more than how long its timers have run: worth writing down.
    pub is_news: bool,
}

impl Detector {
    /// Reads a document: that of `create-detector-model`, or its `detectorModelDefinition` alone. `alarms` names the states that are
    /// alarms, at least one.
    pub fn read(json: &str, alarms: &[&str]) -> Result<Detector, DetectorError> {
        read::read(json, alarms)
    }

    /// What the document does outwards there and nothing does here, each with its place: `state Dangerous, onEnter, event Tell: sns`.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Inputs it looks at, each with a JSON pointer, sorted.
    pub fn inputs(&self) -> Vec<(&str, &str)> {
        let mut inputs = Vec::new();
        for needs in self.needs() {
            inputs.extend(needs.names.iter().filter_map(|name| match name {
                Name::Input(input, pointer) => Some((input.as_str(), pointer.as_str())),
                Name::Variable(_) | Name::Value(_) | Name::Level => None,
            }));
        }
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    fn needs(&self) -> impl Iterator<Item = Needs<'_>> {
        self.events().flat_map(|event| {
            let formulas = event.actions.iter().filter_map(|action| match action {
                Action::SetVariable(_, formula) | Action::SetTimer(_, Length::Formula(formula)) => {
                    Some(formula.needs())
                }
                Action::SetTimer(_, Length::Seconds(_)) | Action::ResetTimer(_) | Action::ClearTimer(_) => None,
            });
            event.condition.iter().map(Guard::needs).chain(formulas)
        })
    }

    fn events(&self) -> impl Iterator<Item = &Event> {
        self.states.iter().flat_map(|state| {
            let transitions = state.transitions.iter().map(|(event, _)| event);
            state.on_enter.iter().chain(&state.on_input).chain(&state.on_exit).chain(transitions)
        })
    }

    /// Folds in what happened to one thing. One step is one look at the state's events, and at most one transition.
    pub fn step<I: Inputs>(&self, position: Position, happened: Happened<'_, I>, now: Now) -> Step {
        step::step(self, position, happened, now)
    }
}

impl Position {
    /// After how many milliseconds the next timer runs out; `None` while none runs.
    pub fn due_in_ms(&self, now: Now) -> Option<u64> {
        self.timers.values().filter_map(|timer| timer.left_ms(now)).min()
    }

    /// As it was written down, when we went on listening for so many milliseconds before the program ended. What would have run out by
    /// then would have done so then: nothing runs out by this.
    pub fn ran_on(mut self, for_ms: u64) -> Position {
        for timer in self.timers.values_mut().filter(|timer| !timer.is_over) {
            timer.watch.ran_on(for_ms, timer.length_ms.saturating_sub(1));
        }
        self
    }
}

#[cfg(test)]
mod tests;
