//! What a person may set on things: the controls of each kind, and those that a thing's convention tells of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Kind;

pub(super) fn of(kind: Kind) -> &'static [Control] {
    match kind {
        Kind::Parking => PARKING,
        Kind::Lamp => LAMP,
        Kind::Charger => CHARGER,
        Kind::Bin | Kind::Vehicle | Kind::Gateway => INTERVAL_ONLY,
        Kind::Other => &[],
    }
}

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

const fn text(text: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(text)
}

/// How long a command waits when nothing else is said: 10 minutes.
pub const DEFAULT_EXPIRY_MS: u64 = 600_000;

/// How often a thing speaks may be told to it at its next waking: 7 days.
pub const INTERVAL_EXPIRY_MS: u64 = 7 * 86_400_000;

/// Opening a barrier for a car that left a minute ago is dangerous: 30 seconds.
pub const BARRIER_EXPIRY_MS: u64 = 30_000;

const INTERVAL: Control = Control {
    pointer: text("/interval_s"),
    label: text("Sampling interval"),
    takes: Takes::Range { min: 5.0, max: 3_600.0, step: 5.0, unit: text("s") },
    asks_first: false,
    expiry_ms: INTERVAL_EXPIRY_MS,
    tolerance: 0.0,
};

const INTERVAL_ONLY: &[Control] = &[INTERVAL];

const CHARGER: &[Control] = &[
    Control {
        pointer: text("/limit_kw"),
        label: text("Limit to"),
        takes: Takes::Range { min: 0.0, max: 22.0, step: 1.0, unit: text("kW") },
        asks_first: false,
        expiry_ms: DEFAULT_EXPIRY_MS,
        tolerance: 0.05,
    },
    Control {
        pointer: text("/enabled"),
        label: text("In service"),
        takes: Takes::Switch,
        // Taking it out of service ends the session of whoever charges there.
        asks_first: true,
        expiry_ms: DEFAULT_EXPIRY_MS,
        tolerance: 0.0,
    },
    INTERVAL,
];

const LAMP: &[Control] = &[
    Control {
        pointer: text("/dim_pct"),
        label: text("Dim to"),
        takes: Takes::Range { min: 0.0, max: 100.0, step: 5.0, unit: text("%") },
        asks_first: false,
        expiry_ms: DEFAULT_EXPIRY_MS,
        tolerance: 0.5,
    },
    Control {
        pointer: text("/on"),
        label: text("Switched on"),
        takes: Takes::Switch,
        asks_first: false,
        expiry_ms: DEFAULT_EXPIRY_MS,
        tolerance: 0.0,
    },
    INTERVAL,
];

const BARRIER: &[Word] = &[(text("open"), text("Open")), (text("closed"), text("Close"))];

const PARKING: &[Control] = &[
    Control {
        pointer: text("/barrier"),
        label: text("Barrier"),
        takes: Takes::Choice(Cow::Borrowed(BARRIER)),
        asks_first: true,
        expiry_ms: BARRIER_EXPIRY_MS,
        tolerance: 0.0,
    },
    INTERVAL,
];

impl Control {
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
