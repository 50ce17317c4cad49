//! What was seen, in words: only the parts that make a condition so.

use super::eval::{Facts, Judge, Said, Word};
use super::parse::By;
use super::tree::{Compare, Flag, Nth, Number, Within};
use super::window::Of;
use super::{Name, Unknown};
use crate::alarm::duration;
use crate::telemetry::Value;

/// How a value is called and written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Words<'a> {
    /// Its name on the screen: `Fill`.
    pub label: &'a str,
    /// Its unit; may be empty.
    pub unit: &'a str,
    /// Digits after the point; as many as the number needs where nobody said.
    pub decimals: Option<u8>,
}

/// One who looks and has words for it.
pub(super) struct Speaker<'a, F> {
    pub judge: Judge<'a, F>,
    pub words: &'a [Words<'a>],
}

impl<F: Facts> Speaker<'_, F> {
    pub fn sentence(&self, flag: &Flag, on_delay_ms: u64) -> String {
        let said = self.flag(flag, true).unwrap_or_else(|| "it is so".into());
        if on_delay_ms == 0 { said } else { format!("{said} for {}", duration(on_delay_ms)) }
    }

    /// Why a condition is as it is `wanted` to be; `None` of one that is not, or has no words.
    fn flag(&self, flag: &Flag, wanted: bool) -> Option<String> {
        match flag {
            Flag::Always(_) | Flag::TimedOut(_) | Flag::Alike(..) => None,
            Flag::Is(nth) => Some(self.same(*nth, &Value::Flag(true), wanted)),
            Flag::Same(nth, value) => Some(self.same(*nth, value, wanted)),
            Flag::Compare(compare) => Some(self.compare(compare, wanted)),
            Flag::Within(within) => Some(self.within(within, wanted)),
            Flag::Not(inner) => self.flag(inner, !wanted),
            Flag::All(parts) => self.joined(parts, wanted, wanted),
            Flag::Any(parts) => self.joined(parts, wanted, !wanted),
            Flag::Silent(_) => Some(match (wanted, self.judge.facts.silence()) {
                (true, Some(silence)) => format!("no word for {}", duration(silence.quiet_ms)),
                (true, None) => "no word".into(),
                (false, _) => "it speaks".into(),
            }),
            Flag::NotConverged(_) => Some(match (wanted, self.judge.facts.not_converged_ms()) {
                (true, Some(ms)) => format!("wanted and not so for {}", duration(ms)),
                (true, None) => "wanted and not so".into(),
                (false, _) => "all is as wanted".into(),
            }),
            Flag::CommandFailed => Some(if wanted { "a command failed" } else { "no command failed" }.into()),
            Flag::Inside(nth) => {
                let area = self.judge.known.fences.get(*nth)?;
                Some(if wanted { format!("in {area}") } else { format!("outside {area}") })
            }
            Flag::Missing(nth, _) => Some(if wanted {
                format!("says no {}", self.label(*nth))
            } else {
                format!("says {}", self.label(*nth))
            }),
        }
    }

    /// The parts that are so where all must be, or only those that are.
    fn joined(&self, parts: &[Flag], wanted: bool, all: bool) -> Option<String> {
        let counts = |part: &&Flag| all || self.judge.flag(part, 0.0) == Ok(wanted);
        let said: Vec<String> = parts.iter().filter(counts).filter_map(|part| self.flag(part, wanted)).collect();
        (!said.is_empty()).then(|| said.join(" and "))
    }

    fn same(&self, nth: Nth, value: &Value, wanted: bool) -> String {
        let label = self.label(nth);
        match value {
            Value::Flag(flag) => format!("{label}: {}", if *flag == wanted { "yes" } else { "no" }),
            Value::Text(text) if wanted => format!("{label} {text}"),
            Value::Text(text) => match self.judge.facts.word(nth) {
                Word::Said(Said::Text(have)) => format!("{label} {have}, not {text}"),
                Word::Said(Said::Number(_) | Said::Flag(_)) | Word::Never | Word::Unheard => {
                    format!("{label} not {text}")
                }
            },
            Value::Number(number) => format!("{label} {number}"),
        }
    }

    fn compare(&self, compare: &Compare, wanted: bool) -> String {
        let Compare { left, by, right, written: [left_written, right_written] } = compare;
        let by = if wanted { *by } else { by.opposite() };
        let seen = self.seen(left, left_written);
        let limit = self.limit(right, right_written, left);
        match by {
            By::Equal => seen,
            By::Unequal => format!("{seen}, not {limit}"),
            By::Above => format!("{seen}, more than {limit}"),
            By::AtLeast => format!("{seen}, {limit} or more"),
            By::Below => format!("{seen}, less than {limit}"),
            By::AtMost => format!("{seen}, {limit} or less"),
        }
    }

    fn within(&self, within: &Within, wanted: bool) -> String {
        let Within { of, from, to, written: [of_written, from_written, to_written] } = within;
        let (from, to) = (self.limit(from, from_written, &Number::Literal(0.0)), self.limit(to, to_written, of));
        let not = if wanted { "" } else { "not " };
        format!("{}, {not}within {from} to {to}", self.seen(of, of_written))
    }

    /// A number with what it is called.
    fn seen(&self, number: &Number, written: &str) -> String {
        let value = self.judge.number(number);
        match number {
            Number::Of(nth) if self.judge.known.names.get(*nth) == Some(&Name::Level) => {
                format!("{} full", self.with_unit(value, Some(*nth)))
            }
            Number::Of(nth) => format!("{} {}", self.label(*nth), self.with_unit(value, Some(*nth))),
            Number::Window(nth) => self.windowed(*nth, value),
            Number::AboveUsual(nth) => self.against_usual(*nth),
            Number::Unusual(nth) => {
                let times = value.map_or("unknown".into(), |times| format!("{times:.1}"));
                format!("{}, {times} times its usual spread", self.against_usual(*nth))
            }
            Number::Literal(_) | Number::Minus(_) | Number::Sum(_) | Number::Product(_) => {
                format!("{written} is {}", self.with_unit(value, None))
            }
        }
    }

    /// `power 38 % above its usual Tuesday 10:00`
    fn against_usual(&self, nth: Nth) -> String {
        let label = self.label(nth);
        let (Some(usual), Ok(have)) = (self.judge.facts.usual(nth), self.judge.number(&Number::Of(nth))) else {
            return format!("{label} against its usual");
        };
        let (apart, side) = (have - usual.value, if have < usual.value { "below" } else { "above" });
        let pct = (apart * 100.0 / usual.value).abs();
        // Of nothing there are no percents.
        let apart = if pct.is_finite() { format!("{pct:.0} %") } else { self.with_unit(Ok(apart.abs()), Some(nth)) };
        format!("{label} {apart} {side} its usual {}", usual.when())
    }

    fn windowed(&self, nth: Nth, value: Result<f64, Unknown>) -> String {
        let Some(span) = self.judge.known.windows.get(nth) else { return String::new() };
        let (label, over) = (self.label(span.value), duration(span.length_ms));
        let with_unit = |value| self.with_unit(value, Some(span.value));
        match span.of {
            Of::Average => format!("average of {label} over {over} {}", with_unit(value)),
            Of::Least => format!("least {label} in {over} {}", with_unit(value)),
            Of::Greatest => format!("greatest {label} in {over} {}", with_unit(value)),
            Of::Count => format!("{} values of {label} in {over}", self.with_unit(value, None)),
            Of::Last => format!("{label} {}", with_unit(value)),
            Of::Delta => format!("{label} changed by {} in {over}", with_unit(value)),
            // A person reads it in the window's own length.
            Of::Rate => {
                let in_window = value.map(|by_s| by_s * span.length_ms as f64 / 1_000.0);
                format!("{label} changes by {} in {over}", with_unit(in_window))
            }
        }
    }

    /// A limit, in the unit of what is held against it.
    fn limit(&self, limit: &Number, written: &str, of: &Number) -> String {
        match limit {
            Number::Literal(number) if matches!(of, Number::AboveUsual(_)) => format!("{number} %"),
            Number::Literal(number) => format!("{number}{}", self.unit(self.measured(of))),
            constant if constant.is_constant() => written.to_owned(),
            Number::Of(_) | Number::Window(_) | Number::AboveUsual(_) | Number::Unusual(_) => self.seen(limit, written),
            Number::Minus(_) | Number::Sum(_) | Number::Product(_) => {
                format!("{written}, which is {}", self.with_unit(self.judge.number(limit), None))
            }
        }
    }

    /// The value whose unit a number has.
    fn measured(&self, number: &Number) -> Option<Nth> {
        match number {
            Number::Of(nth) => Some(*nth),
            Number::Window(nth) => {
                let span = self.judge.known.windows.get(*nth)?;
                (!matches!(span.of, Of::Count | Of::Rate)).then_some(span.value)
            }
            Number::Minus(inner) => self.measured(inner),
            Number::Literal(_) | Number::AboveUsual(_) | Number::Unusual(_) | Number::Sum(_) | Number::Product(_) => {
                None
            }
        }
    }

    fn with_unit(&self, value: Result<f64, Unknown>, nth: Option<Nth>) -> String {
        let Ok(number) = value else { return "unknown".into() };
        let decimals = nth.and_then(|nth| self.words.get(nth)).and_then(|words| words.decimals);
        let decimals = usize::from(decimals.unwrap_or_else(|| Value::Number(number).decimals()));
        format!("{number:.decimals$}{}", self.unit(nth))
    }

    fn unit(&self, nth: Option<Nth>) -> String {
        let unit = nth.and_then(|nth| self.words.get(nth)).map_or("", |words| words.unit);
        if unit.is_empty() { String::new() } else { format!(" {unit}") }
    }

    fn label(&self, nth: Nth) -> String {
        match (self.words.get(nth), self.judge.known.names.get(nth)) {
            (Some(words), _) if !words.label.is_empty() => words.label.to_lowercase(),
            (_, Some(name)) => name.words().into_owned(),
            (_, None) => "a value".into(),
        }
    }
}

impl By {
    fn opposite(self) -> By {
        match self {
            By::Equal => By::Unequal,
            By::Unequal => By::Equal,
            By::Above => By::AtMost,
            By::AtLeast => By::Below,
            By::Below => By::AtLeast,
            By::AtMost => By::Above,
        }
    }
}
