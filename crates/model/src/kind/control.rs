//! What a person may set on things with one touch: the controls of each kind, which follow from its schema, and those that a thing's
//! convention tells of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::schema::{Schema, Type, is_multiple};
use crate::text::shown;

/// The longest text where a schema does not say how long it may be, in characters.
const TEXT_MAX_CHARS: u16 = 255;

/// Steps of a range for which nobody said how far apart its values are.
const STEPS: f64 = 100.0;

/// A leaf that people set from the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// JSON pointer: into `desired` of a thing with a shadow, else the value that tells whether it was obeyed.
    pub pointer: Cow<'static, str>,
    /// Its name on the screen.
    pub label: Cow<'static, str>,
    /// What it takes.
    pub takes: Takes,
    /// Whether the screen asks in words before it is sent.
    pub asks_first: bool,
    /// How long a command may wait before it must not happen any more, in milliseconds.
    pub expiry_ms: u64,
    /// How far a reported number may be from the wanted one and still count as obeyed; in the leaf's unit.
    pub tolerance: f64,
    /// What will happen to people, in sentences, each for the value of this JSON text, or for any where it is empty.
    #[serde(default)]
    pub dangers: Vec<(String, String)>,
    /// What true and false are called, for a switch; `None` for on and off.
    #[serde(default)]
    pub switch_words: Option<(String, String)>,
}

/// The values a control takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Takes {
    /// A number from `min` to `max` in steps.
    Range {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Distance of two values.
        step: f64,
        /// Its unit.
        unit: Cow<'static, str>,
    },
    /// On or off.
    Switch,
    /// One of these words: (value, what the button says).
    Choice(Cow<'static, [Word]>),
    /// Any text of at most this many characters.
    Text {
        /// At least 1.
        max_chars: u16,
    },
}

/// A word of a choice: the value, and what the button says.
pub type Word = (Cow<'static, str>, Cow<'static, str>);

/// How long a command waits when nothing else is said: 10 minutes.
pub const DEFAULT_EXPIRY_MS: u64 = 600_000;

/// Opening a barrier for a car that left a minute ago is dangerous: 30 seconds.
pub const BARRIER_EXPIRY_MS: u64 = 30_000;

impl Control {
    /// The control of a leaf of a schema; `None` for what takes more than a touch: lists, numbers without bounds, mixed types.
    pub fn of(root: &Schema, pointer: &str, leaf: &Schema) -> Option<Control> {
        let [of] = leaf.types.as_deref().unwrap_or(&[Type::Text]) else { return None };
        let takes = match (of, &leaf.one_of) {
            (Type::Text, Some(values)) => {
                Takes::Choice(values.iter().map(|value| word(leaf, value)).collect::<Option<_>>()?)
            }
            (Type::Boolean, None) => Takes::Switch,
            (Type::Number | Type::Integer, None) => {
                let every = leaf.number.multiple_of.or((*of == Type::Integer).then_some(1.0));
                // A slider counts its steps from its least value, so that must itself be one that is taken.
                let within = |bound: f64, round: fn(f64) -> f64| match every {
                    Some(every) if !is_multiple(bound, every) => round(bound / every) * every,
                    Some(_) | None => bound,
                };
                let (min, max) = (within(leaf.number.min?, f64::ceil), within(leaf.number.max?, f64::floor));
                let whole = |step: f64| if *of == Type::Integer { step.round().max(1.0) } else { step };
                let step = leaf.step.or(leaf.number.multiple_of).unwrap_or_else(|| whole((max - min) / STEPS));
                let is_range = max > min && leaf.number.above.is_none() && leaf.number.below.is_none();
                is_range.then(|| Takes::Range { min, max, step, unit: leaf.unit.clone().into() })?
            }
            (Type::Text, None) if leaf.types.is_some() => {
                let max = leaf.max_chars.map_or(TEXT_MAX_CHARS, |max| u16::try_from(max).unwrap_or(u16::MAX));
                Takes::Text { max_chars: max.max(1) }
            }
            (Type::Null | Type::Boolean | Type::Number | Type::Integer | Type::Text | Type::List | Type::Object, _) => {
                return None;
            }
        };
        let name = pointer.rsplit('/').next().unwrap_or(pointer).replace("~1", "/").replace("~0", "~");
        let label = if leaf.title.is_empty() { in_words(&name) } else { leaf.title.clone() };
        let word_of =
            |value: bool| leaf.labels.iter().find(|(of, _)| *of == Json::Bool(value)).map(|(_, word)| word.clone());
        let way = root.way(pointer);
        let dangers = way.into_iter().flat_map(|schema| &schema.dangers);
        Some(Control {
            pointer: pointer.to_owned().into(),
            label: label.into(),
            takes,
            asks_first: root.asks_first(pointer),
            expiry_ms: root.expiry_ms(pointer).unwrap_or(DEFAULT_EXPIRY_MS),
            tolerance: leaf.tolerance,
            dangers: dangers
                .map(|(of, sentence)| (of.as_ref().map(Json::to_string).unwrap_or_default(), sentence.clone()))
                .collect(),
            switch_words: word_of(true).zip(word_of(false)),
        })
    }

    /// What will happen to people when it becomes this value, in sentences.
    pub fn dangers_of(&self, value: &Json) -> Vec<&str> {
        let value = value.to_string();
        self.dangers
            .iter()
            .filter(|(of, _)| of.is_empty() || *of == value)
            .map(|(_, sentence)| sentence.as_str())
            .collect()
    }

    /// Checks a value before it may become a command; the error is the sentence for the screen.
    pub fn check(&self, value: &Json) -> Result<(), String> {
        match &self.takes {
            Takes::Range { min, max, unit, .. } => match value.as_f64() {
                Some(n) if (*min..=*max).contains(&n) => Ok(()),
                Some(n) => Err(format!("{} {n} {unit} is outside {min}–{max} {unit}", self.label)),
                None => Err(format!("{} takes a number from {min} to {max} {unit}, not {value}", self.label)),
            },
            Takes::Switch if value.is_boolean() => Ok(()),
            Takes::Switch => Err(format!("{} takes true or false, not {value}", self.label)),
            Takes::Choice(words) if words.iter().any(|(word, _)| value == word.as_ref()) => Ok(()),
            Takes::Choice(words) => {
                let words: Vec<&str> = words.iter().map(|(word, _)| word.as_ref()).collect();
                Err(format!("{} takes one of {}, not {value}", self.label, words.join(", ")))
            }
            Takes::Text { max_chars } => match value.as_str().map(|text| text.chars().count()) {
                Some(chars) if chars <= usize::from(*max_chars) => Ok(()),
                Some(chars) => Err(format!("{} takes at most {max_chars} characters, not {chars}", self.label)),
                None => Err(format!("{} takes a text, not {value}", self.label)),
            },
        }
    }
}

/// A text of an enum and what its button says; `None` for a value that is no text.
fn word(leaf: &Schema, value: &Json) -> Option<Word> {
    let text = value.as_str()?;
    let label =
        leaf.labels.iter().find(|(of, _)| of == value).map_or_else(|| in_words(text), |(_, label)| label.clone());
    Some((text.to_owned().into(), label.into()))
}

/// A name as people write it: `quiet_hours` is "Quiet hours".
pub fn in_words(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    let words = shown(words.trim());
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
