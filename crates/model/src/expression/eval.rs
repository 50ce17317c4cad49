//! What an expression says of a thing now: so, not so, or nobody knows.
//!
//! Kleene's three values: `and` is not so when one part is not, whatever nobody knows of the others; `or` is so when one part is.

use std::borrow::Cow;

use super::parse::By;
use super::tree::{Compare, Flag, Known, Nth, Number, Typed, Within};
use super::{Memory, Name};
use crate::alarm::rhythm::Usual;
use crate::telemetry::Value;
use crate::time::MonoMs;

/// Which part of a range is right again whatever the deadband: one of half the range would leave nothing to come back to.
const RIGHT_AGAIN_LEAST: f64 = 0.1;

/// What an expression asks of the thing that it is judged of. What nobody can answer is `None` or [`Word::Unheard`].
pub trait Facts {
    /// The latest value of the nth name ([`super::Needs::names`]).
    fn word(&self, nth: usize) -> Word<'_>;

    /// How long we have listened to the thing without the nth name, in milliseconds.
    fn unsaid_ms(&self, _nth: usize) -> Option<u64> {
        None
    }

    /// Whether the thing is silent. Of one that is, windows and `missing` say nothing.
    fn silence(&self) -> Option<Silence> {
        None
    }

    /// How long something has been wanted and not reported, in milliseconds; 0 when all is as wanted.
    fn not_converged_ms(&self) -> Option<u64> {
        None
    }

    /// Whether the newest command failed.
    fn command_failed(&self) -> Option<bool> {
        None
    }

    /// Whether the thing is in the nth area ([`super::Needs::fences`], [`crate::alarm::fence`]).
    fn is_inside(&self, _nth: usize) -> Whereabouts {
        Whereabouts::Unheard
    }

    /// What the nth name usually is at this hour, where enough is known ([`crate::alarm::rhythm`]).
    fn usual(&self, _nth: usize) -> Option<Usual> {
        None
    }

    /// Whether the nth timer ([`super::Needs::timers`]) ran out just now.
    fn timed_out(&self, _nth: usize) -> bool {
        false
    }
}

/// Where a thing is, seen from an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In it.
    Inside,
    /// Not in it.
    Outside,
    /// The thing speaks, and nobody ever said where it is.
    Nowhere,
    /// We do not know: the thing has not said where it is since our link is up.
    Unheard,
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Word<'a> {
    /// The thing said it since our link is up.
    Said(Said<'a>),
    /// The thing spoke and has no such value.
    Never,
    /// We do not know: the thing has not spoken since our link is up, or the link is down.
    Unheard,
}

/// A value as it lies somewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Said<'a> {
    /// A finite number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A word.
    Text(Cow<'a, str>),
}

impl<'a> From<&'a Value> for Said<'a> {
    fn from(value: &'a Value) -> Said<'a> {
        match value {
            Value::Number(number) => Said::Number(*number),
            Value::Flag(flag) => Said::Flag(*flag),
            Value::Text(text) => Said::Text(Cow::Borrowed(text)),
        }
    }
}

impl Said<'_> {
    fn is(&self, value: &Value) -> Option<bool> {
        match (self, value) {
            (Said::Number(have), Value::Number(want)) => Some(have == want),
            (Said::Flag(have), Value::Flag(want)) => Some(have == want),
            (Said::Text(have), Value::Text(want)) => Some(have == want),
            (Said::Number(_) | Said::Flag(_) | Said::Text(_), _) => None,
        }
    }

    fn owned(self) -> Value {
        match self {
            Said::Number(number) => Value::Number(number),
            Said::Flag(flag) => Value::Flag(flag),
            Said::Text(text) => Value::Text(text.into_owned()),
        }
    }
}

/// How long a thing has said nothing, counted while we listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// In milliseconds.
    pub quiet_ms: u64,
    /// Whether that is too long for it ([`crate::freshness`]).
    pub is_silent: bool,
    /// Whether it has spoken since our link is up: of one that has not, a short silence says nothing, because it may be the rest of a
    /// long one.
    pub has_spoken: bool,
}

/// Why nobody knows. A greater one is the reason that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// The thing speaks and does not say the nth name, or says it too seldom for its window.
    NoData(usize),
    /// The thing speaks and nobody ever said where it is.
    NoPlace,
    /// The nth name is of another type than the expression needs.
    WrongType(usize),
    /// The result is no number: something was divided by zero, or is too large.
    NotFinite,
    /// We have not listened for long enough. Nothing follows from it.
    Unheard,
}

impl Unknown {
    pub(super) fn words(self, known: &Known) -> String {
        let name = |nth: Nth| known.names.get(nth).map_or("a value".into(), |name| name.words());
        match self {
            Unknown::NoData(nth) => format!("no data of {}", name(nth)),
            Unknown::NoPlace => "no data of where it is".into(),
            Unknown::WrongType(nth) => format!("{} is of another type than the rule needs", name(nth)),
            Unknown::NotFinite => "the result is no number: something is divided by zero, or too large".into(),
            Unknown::Unheard => "not heard for long enough yet".into(),
        }
    }
}

impl Name {
    /// As a person writes it.
    pub(super) fn words(&self) -> Cow<'_, str> {
        match self {
            Name::Value(pointer) => Cow::Borrowed(pointer.strip_prefix('/').unwrap_or(pointer)),
            Name::Level => Cow::Borrowed("level"),
            Name::Input(input, pointer) => Cow::Owned(format!("$input.{input}{}", pointer.replace('/', "."))),
            Name::Variable(name) => Cow::Owned(format!("$variable.{name}")),
        }
    }
}

/// One look.
pub(super) struct Judge<'a, F> {
    pub known: &'a Known,
    pub memory: &'a Memory,
    pub facts: &'a F,
    pub now: MonoMs,
}

impl<F: Facts> Judge<'_, F> {
    /// `slack` moves every limit so that what is so stays so for longer; negative inside a `not`.
    pub fn flag(&self, flag: &Flag, slack: f64) -> Result<bool, Unknown> {
        match flag {
            Flag::Always(always) => Ok(*always),
            Flag::Is(nth) => self.same(*nth, &Value::Flag(true)),
            Flag::Same(nth, value) => self.same(*nth, value),
            Flag::Alike(one, other) => {
                let (one, said) = (self.said(*one)?, (other, self.said(*other)?));
                said.1.is(&one.owned()).ok_or(Unknown::WrongType(*said.0))
            }
            Flag::Compare(compare) => self.compare(compare, slack),
            Flag::Within(within) => self.within(within, slack),
            Flag::Not(inner) => self.flag(inner, -slack).map(|so| !so),
            Flag::All(parts) => self.first(parts, slack, false),
            Flag::Any(parts) => self.first(parts, slack, true),
            Flag::Silent(length_ms) => {
                let silence = self.facts.silence().ok_or(Unknown::Unheard)?;
                match length_ms {
                    None => Ok(silence.is_silent),
                    Some(length_ms) if silence.quiet_ms >= *length_ms => Ok(true),
                    Some(_) if silence.has_spoken => Ok(false),
                    Some(_) => Err(Unknown::Unheard),
                }
            }
            Flag::NotConverged(after_ms) => {
                // Just now is not yet: 0 means that all is as wanted.
                Ok(self.facts.not_converged_ms().ok_or(Unknown::Unheard)? >= (*after_ms).max(1))
            }
            Flag::CommandFailed => self.facts.command_failed().ok_or(Unknown::Unheard),
            Flag::Inside(nth) => match self.facts.is_inside(*nth) {
                Whereabouts::Inside => Ok(true),
                Whereabouts::Outside => Ok(false),
                Whereabouts::Nowhere => Err(Unknown::NoPlace),
                Whereabouts::Unheard => Err(Unknown::Unheard),
            },
            Flag::Missing(..) if self.is_silent() => Err(Unknown::Unheard),
            Flag::Missing(nth, None) => match self.facts.word(*nth) {
                Word::Said(_) => Ok(false),
                Word::Never => Ok(true),
                Word::Unheard => Err(Unknown::Unheard),
            },
            Flag::Missing(nth, Some(length_ms)) => {
                let is_long = self.facts.unsaid_ms(*nth).ok_or(Unknown::Unheard)? >= *length_ms;
                match self.facts.word(*nth) {
                    _ if is_long => Ok(true),
                    Word::Said(_) => Ok(false),
                    // Not since our link is up: it may have been missing for long before.
                    Word::Never | Word::Unheard => Err(Unknown::Unheard),
                }
            }
            Flag::TimedOut(nth) => Ok(self.facts.timed_out(*nth)),
        }
    }

    fn is_silent(&self) -> bool {
        self.facts.silence().is_some_and(|silence| silence.is_silent)
    }

    /// The value that decides if a part has it; else its opposite, unless nobody knows one of the parts.
    fn first(&self, parts: &[Flag], slack: f64, decides: bool) -> Result<bool, Unknown> {
        let mut unknown: Option<Unknown> = None;
        for part in parts {
            match self.flag(part, slack) {
                Ok(so) if so == decides => return Ok(decides),
                Ok(_) => {}
                Err(why) => unknown = unknown.max(Some(why)),
            }
        }
        unknown.map_or(Ok(!decides), Err)
    }

    fn said(&self, nth: Nth) -> Result<Said<'_>, Unknown> {
        match self.facts.word(nth) {
            Word::Said(said) => Ok(said),
            Word::Never => Err(Unknown::NoData(nth)),
            Word::Unheard => Err(Unknown::Unheard),
        }
    }

    fn same(&self, nth: Nth, value: &Value) -> Result<bool, Unknown> {
        self.said(nth)?.is(value).ok_or(Unknown::WrongType(nth))
    }

    fn compare(&self, compare: &Compare, slack: f64) -> Result<bool, Unknown> {
        let (left, right) = (self.number(&compare.left)?, self.number(&compare.right)?);
        Ok(match compare.by {
            By::Equal => left == right,
            By::Unequal => left != right,
            // Right again is what lies the deadband from the limit, itself included.
            By::Above | By::AtLeast if slack > 0.0 => left > right - slack,
            By::Below | By::AtMost if slack > 0.0 => left < right + slack,
            By::Above => left > right - slack,
            By::AtLeast => left >= right - slack,
            By::Below => left < right + slack,
            By::AtMost => left <= right + slack,
        })
    }

    fn within(&self, within: &Within, slack: f64) -> Result<bool, Unknown> {
        let (of, from, to) = (self.number(&within.of)?, self.number(&within.from)?, self.number(&within.to)?);
        let most = ((to - from).max(0.0)) * (1.0 - RIGHT_AGAIN_LEAST) / 2.0;
        let slack = slack.max(-most);
        let (from, to) = (from - slack, to + slack);
        Ok(if slack > 0.0 { from < of && of < to } else { from <= of && of <= to })
    }

    pub fn number(&self, number: &Number) -> Result<f64, Unknown> {
        let number = match number {
            Number::Literal(number) => return Ok(*number),
            Number::Of(nth) => {
                return match self.said(*nth)? {
                    Said::Number(number) => Ok(number),
                    Said::Flag(_) | Said::Text(_) => Err(Unknown::WrongType(*nth)),
                };
            }
            // Of a silent thing its silence is the news, not what it therefore did not say.
            Number::Window(_) if self.is_silent() => return Err(Unknown::Unheard),
            Number::Window(nth) => return self.memory.tell(&self.known.windows, *nth, self.now),
            Number::AboveUsual(nth) => {
                // Of what is not said nothing has to be learned first.
                let have = self.number(&Number::Of(*nth))?;
                self.facts.usual(*nth).ok_or(Unknown::Unheard)?.above_pct(have)
            }
            Number::Unusual(nth) => {
                let have = self.number(&Number::Of(*nth))?;
                self.facts.usual(*nth).ok_or(Unknown::Unheard)?.unusual(have)
            }
            Number::Minus(inner) => -self.number(inner)?,
            Number::Sum(parts) => {
                self.fold(parts, 0.0, |sum, minus, part| if minus { sum - part } else { sum + part })?
            }
            Number::Product(parts) => {
                self.fold(parts, 1.0, |product, divided, part| if divided { product / part } else { product * part })?
            }
        };
        if number.is_finite() { Ok(number) } else { Err(Unknown::NotFinite) }
    }

    fn fold(&self, parts: &[(bool, Number)], from: f64, of: impl Fn(f64, bool, f64) -> f64) -> Result<f64, Unknown> {
        let (mut all, mut unknown) = (from, None::<Unknown>);
        for (other_way, part) in parts {
            match self.number(part) {
                Ok(part) => all = of(all, *other_way, part),
                Err(why) => unknown = unknown.max(Some(why)),
            }
        }
        unknown.map_or(Ok(all), Err)
    }

    pub fn value(&self, typed: &Typed) -> Result<Value, Unknown> {
        Ok(match typed {
            Typed::Flag(flag) => Value::Flag(self.flag(flag, 0.0)?),
            Typed::Number(number, _) => Value::Number(self.number(number)?),
            Typed::Text(text) => Value::Text(text.clone()),
            Typed::Open(nth) => self.said(*nth)?.owned(),
        })
    }
}
