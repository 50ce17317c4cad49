//! From a tree to one with types: every mistake of meaning is told here, with its column.

use super::calls;
use super::parse::{By, Is, Tree, Written};
use super::tree::{Compare, Flag, Known, Nth, Number, Typed, Within};
use super::{Language, Mistake, NAMES_MAX, Name};
use crate::telemetry::{TEXT_MAX_BYTES, Value};

/// What can be multiplied with lengths of time has at most this many of them.
const TIME_MAX: i8 = 3;

pub(super) fn condition(tree: &Tree, language: Language, text: &str) -> Result<(Flag, Known), Mistake> {
    let mut check = Check { language, text, known: Known::default() };
    let root = check.flag(tree)?;
    Ok((root, check.known))
}

pub(super) fn formula(tree: &Tree, language: Language, text: &str) -> Result<(Typed, Known), Mistake> {
    let mut check = Check { language, text, known: Known::default() };
    let root = check.typed(tree)?;
    Ok((root, check.known))
}

/// The text that is checked, and what it has named so far.
pub(super) struct Check<'a> {
    pub language: Language,
    text: &'a str,
    pub known: Known,
}

impl Check<'_> {
    pub fn mistake<T>(&self, tree: &Tree, why: impl Into<String>) -> Result<T, Mistake> {
        Err(Mistake::at(self.text, tree.at.start, why))
    }

    /// How a part is written.
    pub fn written(&self, tree: &Tree) -> &str {
        self.text.get(tree.at.clone()).unwrap_or_default()
    }

    /// A part that must be so or not so.
    pub fn flag(&mut self, tree: &Tree) -> Result<Flag, Mistake> {
        match self.typed(tree)? {
            Typed::Flag(flag) => Ok(flag),
            Typed::Open(nth) => Ok(Flag::Is(nth)),
            Typed::Number(..) => {
                let why = format!("{:?} is a number and no condition; compare it with a limit", self.written(tree));
                self.mistake(tree, why)
            }
            Typed::Text(_) => {
                let why = format!("{} is a word and no condition; compare a value with it", self.written(tree));
                self.mistake(tree, why)
            }
        }
    }

    /// A part that must be a number, and its time.
    fn number(&mut self, tree: &Tree) -> Result<(Number, i8), Mistake> {
        let what = match self.typed(tree)? {
            Typed::Number(number, time) => return Ok((number, time)),
            Typed::Open(nth) => return Ok((Number::Of(nth), 0)),
            Typed::Text(_) => "a word",
            Typed::Flag(_) => "so or not so",
        };
        let why = format!("{} is {what}; a number is needed here", self.written(tree));
        self.mistake(tree, why)
    }

    pub fn typed(&mut self, tree: &Tree) -> Result<Typed, Mistake> {
        Ok(match &tree.is {
            Is::Number { value, time } => Typed::Number(Number::Literal(*value), *time),
            Is::Text(text) if text.len() > TEXT_MAX_BYTES => return self.mistake(tree, "this word is too long"),
            Is::Text(text) => Typed::Text(text.clone()),
            Is::Flag(flag) => Typed::Flag(Flag::Always(*flag)),
            Is::Name(_) => Typed::Open(self.name(tree)?),
            Is::Call { name, given } => calls::call(self, tree, name, given)?,
            Is::Not(inner) => Typed::Flag(Flag::Not(Box::new(self.flag(inner)?))),
            Is::All(parts) => Typed::Flag(Flag::All(self.flags(parts)?)),
            Is::Any(parts) => Typed::Flag(Flag::Any(self.flags(parts)?)),
            Is::Minus(inner) => {
                let (number, time) = self.number(inner)?;
                Typed::Number(Number::Minus(Box::new(number)), time)
            }
            Is::Sum(parts) => self.sum(parts)?,
            Is::Product(parts) => self.product(tree, parts)?,
            Is::Compare(left, by, right) => Typed::Flag(self.compare(left, *by, right)?),
            Is::Within { of, from, to, not } => {
                let within = Flag::Within(Box::new(self.within(of, from, to)?));
                Typed::Flag(if *not { Flag::Not(Box::new(within)) } else { within })
            }
        })
    }

    fn flags(&mut self, parts: &[Tree]) -> Result<Box<[Flag]>, Mistake> {
        parts.iter().map(|part| self.flag(part)).collect()
    }

    fn sum(&mut self, parts: &[(bool, Tree)]) -> Result<Typed, Mistake> {
        let mut summed = Vec::with_capacity(parts.len());
        let mut first = None;
        for (minus, part) in parts {
            let (number, time) = self.number(part)?;
            if let Some((first_time, written)) = &first
                && *first_time != time
            {
                let why =
                    format!("{} and {written} cannot be added: {}", self.written(part), unlike(*first_time, time));
                return self.mistake(part, why);
            }
            first.get_or_insert_with(|| (time, self.written(part).to_owned()));
            summed.push((*minus, number));
        }
        Ok(Typed::Number(Number::Sum(summed.into()), first.map_or(0, |(time, _)| time)))
    }

    fn product(&mut self, tree: &Tree, parts: &[(bool, Tree)]) -> Result<Typed, Mistake> {
        let (mut multiplied, mut times) = (Vec::with_capacity(parts.len()), 0i8);
        for (divided, part) in parts {
            let (number, time) = self.number(part)?;
            times = if *divided { times.saturating_sub(time) } else { times.saturating_add(time) };
            if times.abs() > TIME_MAX {
                return self.mistake(tree, "so many lengths of time cannot be multiplied");
            }
            multiplied.push((*divided, number));
        }
        Ok(Typed::Number(Number::Product(multiplied.into()), times))
    }

    fn compare(&mut self, left: &Tree, by: By, right: &Tree) -> Result<Flag, Mistake> {
        let (one, other) = (self.typed(left)?, self.typed(right)?);
        let is_same = match by {
            By::Equal => Some(true),
            By::Unequal => Some(false),
            By::Above | By::AtLeast | By::Below | By::AtMost => None,
        };
        if let Some(is_same) = is_same {
            let same = match (&one, &other) {
                (Typed::Open(nth), Typed::Text(text)) | (Typed::Text(text), Typed::Open(nth)) => {
                    Some(Flag::Same(*nth, Value::Text(text.clone())))
                }
                (Typed::Open(nth), Typed::Flag(Flag::Always(flag)))
                | (Typed::Flag(Flag::Always(flag)), Typed::Open(nth)) => Some(Flag::Same(*nth, Value::Flag(*flag))),
                (Typed::Flag(flag), Typed::Flag(Flag::Always(wanted)))
                | (Typed::Flag(Flag::Always(wanted)), Typed::Flag(flag)) => {
                    Some(if *wanted { flag.clone() } else { Flag::Not(Box::new(flag.clone())) })
                }
                (Typed::Open(one), Typed::Open(other)) if self.language == Language::Detector => {
                    Some(Flag::Alike(*one, *other))
                }
                (Typed::Open(_), Typed::Open(_)) => {
                    let word = self.written(right);
                    let why = format!("{word} is the name of a value here; the word is written \"{word}\"");
                    return self.mistake(right, why);
                }
                (Typed::Flag(_) | Typed::Number(..) | Typed::Text(_) | Typed::Open(_), _) => None,
            };
            if let Some(same) = same {
                return Ok(if is_same { same } else { Flag::Not(Box::new(same)) });
            }
        }
        let (left_number, left_time) = self.as_number(left, one)?;
        let (right_number, right_time) = self.as_number(right, other)?;
        self.alike(right, left_time, right_time, [left, right])?;
        if is_same.is_none() {
            self.limit(left_time);
        }
        let written = [left, right].map(|side| self.written(side).into());
        Ok(Flag::Compare(Box::new(Compare { left: left_number, by, right: right_number, written })))
    }

    fn as_number(&mut self, tree: &Tree, typed: Typed) -> Result<(Number, i8), Mistake> {
        match typed {
            Typed::Number(number, time) => Ok((number, time)),
            Typed::Open(nth) => Ok((Number::Of(nth), 0)),
            Typed::Text(_) | Typed::Flag(_) => {
                let why = format!("{} is no number and cannot be compared like this", self.written(tree));
                self.mistake(tree, why)
            }
        }
    }

    fn within(&mut self, of: &Tree, from: &Tree, to: &Tree) -> Result<Within, Mistake> {
        let written = [of, from, to].map(|part| self.written(part).into());
        let (of_number, time) = self.number(of)?;
        let (from_number, from_time) = self.number(from)?;
        let (to_number, to_time) = self.number(to)?;
        self.alike(from, time, from_time, [of, from])?;
        self.alike(to, time, to_time, [of, to])?;
        // Both ends are one limit: a value comes back from either the same way.
        self.limit(time);
        if let (Number::Literal(low), Number::Literal(high)) = (&from_number, &to_number)
            && low > high
        {
            return self.mistake(from, format!("nothing is in {low}..{high}; write the lower end first"));
        }
        Ok(Within { of: of_number, from: from_number, to: to_number, written })
    }

    /// Counts a limit of what is so much by time, or of a plain number.
    fn limit(&mut self, time: i8) {
        self.known.limits += 1;
        self.known.timed_limits += usize::from(time != 0);
    }

    /// Two numbers may be compared only when both are by time, or neither.
    fn alike(&self, at: &Tree, left: i8, right: i8, sides: [&Tree; 2]) -> Result<(), Mistake> {
        if left == right {
            return Ok(());
        }
        let [one, other] = sides.map(|side| self.written(side));
        let why = format!("{one} and {other} cannot be compared: {}", unlike(left, right));
        self.mistake(at, why)
    }

    /// The place of a value among those that are named.
    pub fn name(&mut self, tree: &Tree) -> Result<Nth, Mistake> {
        let Is::Name(written) = &tree.is else {
            let why = format!("expected the name of a value, found {}", self.written(tree));
            return self.mistake(tree, why);
        };
        let name = match (written, self.language) {
            (Written::Dollar(parts), Language::Detector) => match &parts[..] {
                [word, input, path @ ..] if word == "input" && !path.is_empty() => {
                    Name::Input(input.clone(), pointer(path))
                }
                [word, name] if word == "variable" => Name::Variable(name.clone()),
                _ => return self.mistake(tree, "write $input.NAME.path or $variable.name"),
            },
            (Written::Dollar(_), Language::Rules) => {
                return self.mistake(tree, "names with $ are for detector models; write the value's own name");
            }
            (Written::Pointer(_) | Written::Parts(_), Language::Detector) => {
                let why = format!("{} is no name here; write $input.NAME.path or $variable.name", self.written(tree));
                return self.mistake(tree, why);
            }
            (Written::Pointer(pointer), Language::Rules) if has_wrong_tilde(pointer) => {
                let why = format!("{pointer} is not a JSON pointer; a ~ is written ~0 there, and a / in a name ~1");
                return self.mistake(tree, why);
            }
            (Written::Pointer(pointer), Language::Rules) => Name::Value(pointer.clone()),
            (Written::Parts(parts), Language::Rules) if *parts == ["level"] => Name::Level,
            (Written::Parts(parts), Language::Rules) => Name::Value(pointer(parts)),
        };
        let names = &mut self.known.names;
        if let Some(nth) = names.iter().position(|known| *known == name) {
            return Ok(nth);
        }
        if names.len() == NAMES_MAX {
            return self.mistake(tree, format!("at most {NAMES_MAX} values may be named"));
        }
        names.push(name);
        Ok(names.len() - 1)
    }
}

/// RFC 6901, section 3.
fn has_wrong_tilde(pointer: &str) -> bool {
    pointer.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1']))
}

fn pointer(parts: &[String]) -> String {
    parts.iter().flat_map(|part| ["/", part]).collect()
}

/// Why two numbers do not go together.
fn unlike(one: i8, other: i8) -> &'static str {
    match (one, other) {
        (1, 0) | (0, 1) => "one is a length of time, the other a plain number",
        (-1, 0) | (0, -1) => "one is so much by time, the other a plain number; write the limit as 5 / 1h",
        _ => "one has more lengths of time in it than the other",
    }
}
