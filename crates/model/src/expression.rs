//! The language of rules: a small typed one, `fill_pct >= 90 and not silent`, `avg(level, 5m) >= 80 %`, `rate(temp_c, 10m) > 5 / 1min`.
//!
//! A text is read once, with every mistake told by its column, and becomes an [`Expression`] that knows what it needs. It is judged
//! against [`Facts`] and has three answers: so, not so, and [`Unknown`] with the reason. Nothing here reads a clock, and nothing a
//! text says can cost more than the bounds below. docs/adr/0014-rules.md says what was decided.

mod calls;
mod check;
mod eval;
mod fences;
mod mistake;
mod parse;
mod say;
mod tree;
mod window;

use serde::{Deserialize, Serialize};

pub use eval::{Facts, Said, Silence, Unknown, Whereabouts, Word};
pub use mistake::Mistake;
pub use say::Words;
pub use window::Memory;

use crate::telemetry::Value;
use crate::time::{Now, WallMs};
use tree::{Flag, Known, Typed};

/// The longest text, in bytes.
pub const TEXT_MAX_BYTES: usize = 1_000;

/// How deep brackets, `not` and signs may be nested.
pub const DEPTH_MAX: u16 = 16;

/// The most values one expression may name.
pub const NAMES_MAX: usize = 16;

/// The most windows one expression may have; each keeps at most [`WINDOW_BUCKETS`] and two buckets a thing, some 400 bytes.
pub const WINDOWS_MAX: usize = 8;

/// The shortest window, in milliseconds.
pub const WINDOW_MIN_MS: u64 = 1_000;

/// The longest window, and the longest time of `silent`, `not_converged` and `missing`, in milliseconds: a day.
pub const WINDOW_MAX_MS: u64 = 86_400_000;

/// Into how many buckets the length of a window is cut. What lies in a window is known to a bucket: it is up to a twelfth longer than
/// it says.
pub const WINDOW_BUCKETS: u64 = 12;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// The value at this JSON pointer.
    Value(String),
    /// `level`: how full the thing is, 0–100 %.
    Level,
    /// `$input.NAME.path` of a detector model: the input's name and a JSON pointer.
    Input(String, String),
    /// `$variable.NAME` of a detector model.
    Variable(String),
}

/// Which words a text may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    /// Rules of a profile.
    Rules,
    /// Conditions of a detector model: `$input…`, `$variable…` and `timeout("…")` are the names there.
    Detector,
}

/// What an expression needs to be judged, so that it is judged only when one of these is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs<'a> {
    /// Values; the nth is what [`Facts::word`] is asked for.
    pub names: &'a [Name],
    /// Named areas; the nth is what [`Facts::is_inside`] is asked for.
    pub fences: &'a [String],
    /// Timers of a detector model; the nth is what [`Facts::timed_out`] is asked for.
    pub timers: &'a [String],
    /// Those of the names of which [`Facts::usual`] is asked: their rhythm has to be learned.
    pub usual: &'a [usize],
    /// It may turn with time alone: it has a window, or a length of silence.
    pub clock: bool,
    /// It asks whether the thing is silent, or for how long.
    pub presence: bool,
    /// It asks whether what is wanted is so.
    pub convergence: bool,
    /// It asks whether the last command failed.
    pub commands: bool,
}

/// A condition that was read and understood. On the wire and on the disk it is its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression {
    text: String,
    root: Flag,
    known: Known,
}

/// A condition of a detector model. It is not written down by itself: its text is a part of the model's document, and as a rule's
/// condition it could not be read again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guard {
    root: Flag,
    known: Known,
}

/// A text that gives a value of any type: what a detector model sets a variable to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Formula {
    root: Typed,
    known: Known,
}

impl Expression {
    /// Reads a condition of a rule.
    pub fn read(text: &str) -> Result<Expression, Mistake> {
        let tree = parse::parse(text)?;
        let (root, known) = check::condition(&tree, Language::Rules, text)?;
        Ok(Expression { text: text.to_owned(), root, known })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it needs.
    pub fn needs(&self) -> Needs<'_> {
        self.known.needs()
    }

    /// Whether it looks at values over time.
    pub fn has_windows(&self) -> bool {
        !self.known.windows.is_empty()
    }

    /// The lengths of time by which it may turn without a word, in milliseconds: those of its windows, and of `silent(30m)`.
    pub fn lengths_ms(&self) -> Vec<u64> {
        let mut lengths = self.known.windows.iter().map(|window| window.length_ms).collect();
        self.root.lengths_ms(&mut lengths);
        lengths
    }

    /// Whether a [`Memory`] is kept for each of its things.
    pub fn remembers(&self) -> bool {
        self.has_windows() || !self.known.fences.is_empty()
    }

    /// What is wrong with the nth of the areas it names, with its place in the text.
    pub fn mistake_of_fence(&self, nth: usize, why: impl Into<String>) -> Mistake {
        Mistake::at(&self.text, self.known.fences_at.get(nth).copied().unwrap_or(0), why)
    }

    /// Whether it asks only what is so now: values, areas, whether the thing is silent, whether a value is missing.
    pub fn is_momentary(&self) -> bool {
        let needs = self.needs();
        !(self.has_windows() || needs.clock || needs.convergence || needs.commands) && needs.usual.is_empty()
    }

    /// Whether it can say something of a thing that has none of the values it names.
    pub fn speaks_without_values(&self) -> bool {
        let needs = self.needs();
        needs.names.is_empty() || needs.presence || needs.convergence || needs.commands
    }

    /// Whether a deadband means something: there is exactly one limit, and it is of a plain number, not of one by time. To be equal is
    /// no limit, because there is no side from which to come back.
    pub fn takes_deadband(&self) -> bool {
        self.known.limits == 1 && self.known.timed_limits == 0
    }

    /// An empty memory for one thing, of which we listen from now on.
    pub fn memory(&self, now: Now) -> Memory {
        Memory::begun(&self.known.windows, now.mono)
    }

    /// The nth name said a value, dated `at`. Keeps what its windows need; of a value that is no number only that there was one.
    pub fn hear(&self, memory: &mut Memory, nth: usize, value: &Value, at: WallMs, now: Now) {
        memory.hear(&self.known.windows, nth, value, at, now.mono);
    }

    /// We did not listen for `gap_ms`: windows in which that leaves a hole begin anew.
    pub fn missed(&self, memory: &mut Memory, gap_ms: u64, now: Now) {
        memory.missed(&self.known.windows, gap_ms, now.mono);
    }

    /// Whether it is so. `deadband` is how far beyond its limit a number must come back before it is not; 0 while no alarm is active.
    pub fn is_so(&self, memory: &Memory, facts: &impl Facts, deadband: f64, now: Now) -> Result<bool, Unknown> {
        eval::Judge { known: &self.known, memory, facts, now: now.mono }.flag(&self.root, self.slack(deadband))
    }

    /// Of several limits nobody could say which is meant; and from an endless deadband nothing would ever come back.
    fn slack(&self, deadband: f64) -> f64 {
        if deadband.is_finite() && self.takes_deadband() { deadband.max(0.0) } else { 0.0 }
    }

    /// What was seen that makes it so, for people: `average of level over 5 min 84 %, 80 % or more for 2 min`. The nth of `words` is
    /// of the nth name.
    pub fn sentence(
        &self,
        memory: &Memory,
        facts: &impl Facts,
        words: &[Words<'_>],
        on_delay_ms: u64,
        now: Now,
    ) -> String {
        let judge = eval::Judge { known: &self.known, memory, facts, now: now.mono };
        say::Speaker { judge, words }.sentence(&self.root, on_delay_ms)
    }

    /// Why nobody knows, for people: `fill_pct is not a number`.
    pub fn why(&self, unknown: Unknown) -> String {
        unknown.words(&self.known)
    }
}

impl Guard {
    /// Reads a condition.
    pub fn read(text: &str) -> Result<Guard, Mistake> {
        let tree = parse::parse(text)?;
        let (root, known) = check::condition(&tree, Language::Detector, text)?;
        Ok(Guard { root, known })
    }

    /// What it needs.
    pub fn needs(&self) -> Needs<'_> {
        self.known.needs()
    }

    /// Whether it is so.
    pub fn is_so(&self, facts: &impl Facts, now: Now) -> Result<bool, Unknown> {
        eval::Judge { known: &self.known, memory: &Memory::none(), facts, now: now.mono }.flag(&self.root, 0.0)
    }

    /// Why nobody knows, for people.
    pub fn why(&self, unknown: Unknown) -> String {
        unknown.words(&self.known)
    }
}

impl Formula {
    /// Reads a text that gives a value.
    pub fn read(text: &str) -> Result<Formula, Mistake> {
        let tree = parse::parse(text)?;
        let (root, known) = check::formula(&tree, Language::Detector, text)?;
        Ok(Formula { root, known })
    }

    /// What it needs.
    pub fn needs(&self) -> Needs<'_> {
        self.known.needs()
    }

    /// Its value.
    pub fn value(&self, facts: &impl Facts, now: Now) -> Result<Value, Unknown> {
        eval::Judge { known: &self.known, memory: &Memory::none(), facts, now: now.mono }.value(&self.root)
    }

    /// Why nobody knows, for people.
    pub fn why(&self, unknown: Unknown) -> String {
        unknown.words(&self.known)
    }
}

impl TryFrom<String> for Expression {
    type Error = Mistake;

    fn try_from(text: String) -> Result<Expression, Mistake> {
        Expression::read(&text)
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> String {
        expression.text
    }
}

#[cfg(test)]
mod tests;
