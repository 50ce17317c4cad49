//! What a text means once its types are known.

use super::parse::By;
use super::window::Span;
use super::{Name, Needs};
use crate::telemetry::Value;

/// A name by its place in [`Known::names`]; windows, areas and timers are numbered likewise.
pub(super) type Nth = usize;

/// Anything.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Typed {
    /// So or not.
    Flag(Flag),
    /// A number; how often a length of time is multiplied into it: 1 for `5m`, −1 for `rate(…)`.
    Number(Number, i8),
    /// A word.
    Text(String),
    /// A value whose type only the thing knows.
    Open(Nth),
}

/// So or not.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Flag {
    Always(bool),
    /// The value is yes.
    Is(Nth),
    /// The value is this word or flag.
    Same(Nth, Value),
    /// Two values are the same, whatever they are.
    Alike(Nth, Nth),
    Compare(Box<Compare>),
    Within(Box<Within>),
    Not(Box<Flag>),
    All(Box<[Flag]>),
    Any(Box<[Flag]>),
    /// By the thing's own timer, or for so many milliseconds.
    Silent(Option<u64>),
    /// For so many milliseconds.
    NotConverged(u64),
    CommandFailed,
    Inside(Nth),
    /// Never said, or not for so many milliseconds.
    Missing(Nth, Option<u64>),
    TimedOut(Nth),
}

impl Flag {
    /// The lengths of time that it names outside of windows, in milliseconds.
    pub fn lengths_ms(&self, lengths: &mut Vec<u64>) {
        match self {
            Flag::Silent(length) | Flag::Missing(_, length) => lengths.extend(length),
            Flag::NotConverged(length_ms) => lengths.push(*length_ms),
            Flag::Not(inner) => inner.lengths_ms(lengths),
            Flag::All(parts) | Flag::Any(parts) => parts.iter().for_each(|part| part.lengths_ms(lengths)),
            Flag::Always(_)
            | Flag::Is(_)
            | Flag::Same(..)
            | Flag::Alike(..)
            | Flag::Compare(_)
            | Flag::Within(_)
            | Flag::CommandFailed
            | Flag::Inside(_)
            | Flag::TimedOut(_) => {}
        }
    }
}

/// Two numbers compared, with how they are written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Compare {
    pub left: Number,
    pub by: By,
    pub right: Number,
    pub written: [Box<str>; 2],
}

/// A number in a range, its ends included.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Within {
    pub of: Number,
    pub from: Number,
    pub to: Number,
    pub written: [Box<str>; 3],
}

/// A number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    Literal(f64),
    Of(Nth),
    Window(Nth),
    /// How far above its usual value it is, in percent.
    AboveUsual(Nth),
    /// How many of its usual spreads it is away from its usual value.
    Unusual(Nth),
    Minus(Box<Number>),
    /// Parts with whether each is taken away.
    Sum(Box<[(bool, Number)]>),
    /// Parts with whether it is divided by each.
    Product(Box<[(bool, Number)]>),
}

impl Number {
    /// Whether it is the same always.
    pub fn is_constant(&self) -> bool {
        match self {
            Number::Literal(_) => true,
            Number::Of(_) | Number::Window(_) | Number::AboveUsual(_) | Number::Unusual(_) => false,
            Number::Minus(inner) => inner.is_constant(),
            Number::Sum(parts) | Number::Product(parts) => parts.iter().all(|(_, part)| part.is_constant()),
        }
    }
}

/// What an expression names, and what follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    pub names: Vec<Name>,
    pub windows: Vec<Span>,
    pub fences: Vec<String>,
    /// At which byte of the text each is first named.
    pub fences_at: Vec<usize>,
    pub timers: Vec<String>,
    /// Limits of numbers, and those of them that are by time.
    pub limits: usize,
    pub timed_limits: usize,
    /// Names of which it asks what they usually are.
    pub usual: Vec<Nth>,
    pub clock: bool,
    pub presence: bool,
    pub convergence: bool,
    pub commands: bool,
}

impl Known {
    pub fn needs(&self) -> Needs<'_> {
        Needs {
            names: &self.names,
            fences: &self.fences,
            timers: &self.timers,
            usual: &self.usual,
            clock: self.clock || !self.windows.is_empty(),
            presence: self.presence,
            convergence: self.convergence,
            commands: self.commands,
        }
    }
}
