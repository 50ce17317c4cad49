//! What kinds of things a city has, what their values are called, and which of their leaves a person may set.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The kind of a thing. Its shape on the map, its words and its controls follow from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A car park, counted as a whole.
    Parking,
    /// A street lamp.
    Lamp,
    /// Whatever the profile does not say; shown with its raw values.
    #[default]
    Other,
}

impl Kind {
    /// Every kind, in the order of the screen.
    pub const ALL: [Kind; 3] = [Kind::Parking, Kind::Lamp, Kind::Other];

    /// The kind a word of a topic or of a meta message names; unknown words are [`Kind::Other`].
    pub fn from_word(word: &str) -> Kind {
        match word {
            "parking" => Kind::Parking,
            "lamp" => Kind::Lamp,
            _ => Kind::Other,
        }
    }

    /// The word in topics, rows and profiles.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Parking => "parking",
            Kind::Lamp => "lamp",
            Kind::Other => "other",
        }
    }

    /// What one of them is called.
    pub fn singular(self) -> &'static str {
        match self {
            Kind::Parking => "Car park",
            Kind::Lamp => "Lamp",
            Kind::Other => "Thing",
        }
    }

    /// What many of them are called.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Parking => "Car parks",
            Kind::Lamp => "Lamps",
            Kind::Other => "Other things",
        }
    }

    /// The small number that stands for the kind in packed map rows and in the cache.
    pub fn code(self) -> u8 {
        match self {
            Kind::Parking => 1,
            Kind::Lamp => 2,
            Kind::Other => 0,
        }
    }

    /// The kind of a [`Kind::code`]; unknown codes are [`Kind::Other`].
    pub fn from_code(code: u8) -> Kind {
        Kind::ALL.into_iter().find(|kind| kind.code() == code).unwrap_or_default()
    }

    /// What a person may set on a thing of this kind, in the order of the screen.
    pub fn controls(self) -> &'static [Control] {
        match self {
            Kind::Lamp => LAMP,
            Kind::Parking => PARKING,
            Kind::Other => &[],
        }
    }

    /// The control of a leaf, if the kind has one there.
    pub fn control(self, pointer: &str) -> Option<&'static Control> {
        self.controls().iter().find(|control| control.pointer == pointer)
    }

    /// Words for a value of this kind, or `None`: then the pointer itself is shown.
    pub fn field(self, pointer: &str) -> Option<&'static Field> {
        let fields = match self {
            Kind::Parking => PARKING_FIELDS,
            Kind::Lamp => LAMP_FIELDS,
            Kind::Other => &[],
        };
        fields.iter().find(|field| field.pointer == pointer)
    }
}

/// How a value of a kind is called and shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// JSON pointer of the value.
    pub pointer: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// Its unit on the screen; empty for counts.
    pub unit: &'static str,
    /// Digits after the decimal point.
    pub decimals: u8,
    /// Its place on the screen, smaller first; the first is charted when a thing is opened.
    pub rank: u8,
}

const fn field(pointer: &'static str, label: &'static str, unit: &'static str, decimals: u8, rank: u8) -> Field {
    Field { pointer, label, unit, decimals, rank }
}

const PARKING_FIELDS: &[Field] = &[
    field("/free", "Free", "spaces", 0, 0),
    field("/free_accessible", "Free, accessible", "spaces", 0, 1),
    field("/free_charging", "Free, charging", "spaces", 0, 2),
    field("/barrier", "Barrier", "", 0, 3),
];

const LAMP_FIELDS: &[Field] = &[
    field("/power_w", "Power", "W", 1, 1),
    field("/dim_pct", "Dim", "%", 0, 0),
    field("/temp_c", "Lamp temp.", "°C", 1, 2),
    field("/burning_h", "Burning hours", "h", 0, 3),
    field("/on", "Switched on", "", 0, 4),
    field("/interval_s", "Sampling interval", "s", 0, 5),
];

/// A leaf of `desired` that people set from the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// JSON pointer into `desired`.
    pub pointer: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
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
#[derive(Clone, Copy, Debug, PartialEq)]
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
        unit: &'static str,
    },
    /// On or off.
    Switch,
    /// One of these words: (value, what the button says).
    Choice(&'static [(&'static str, &'static str)]),
}

/// How long a command waits when nothing else is said: 10 minutes.
pub const DEFAULT_EXPIRY_MS: u64 = 600_000;

/// Opening a barrier for a car that left a minute ago is dangerous: 30 seconds.
pub const BARRIER_EXPIRY_MS: u64 = 30_000;

const LAMP: &[Control] = &[
    Control {
        pointer: "/dim_pct",
        label: "Dim to",
        takes: Takes::Range { min: 0.0, max: 100.0, step: 5.0, unit: "%" },
        asks_first: false,
        expiry_ms: DEFAULT_EXPIRY_MS,
        tolerance: 0.5,
    },
    Control {
        pointer: "/on",
        label: "Switched on",
        takes: Takes::Switch,
        asks_first: false,
        expiry_ms: DEFAULT_EXPIRY_MS,
        tolerance: 0.0,
    },
];

const PARKING: &[Control] = &[Control {
    pointer: "/barrier",
    label: "Barrier",
    takes: Takes::Choice(&[("open", "Open"), ("closed", "Close")]),
    asks_first: true,
    expiry_ms: BARRIER_EXPIRY_MS,
    tolerance: 0.0,
}];

impl Control {
    /// Checks a value before it may become a command; the error is the sentence for the screen.
    pub fn check(&self, value: &Json) -> Result<(), String> {
        match self.takes {
            Takes::Range { min, max, unit, .. } => match value.as_f64() {
                Some(n) if (min..=max).contains(&n) => Ok(()),
                Some(n) => Err(format!("{} {n} {unit} is outside {min}–{max} {unit}", self.label)),
                None => Err(format!("{} takes a number from {min} to {max} {unit}, not {value}", self.label)),
            },
            Takes::Switch if value.is_boolean() => Ok(()),
            Takes::Switch => Err(format!("{} takes true or false, not {value}", self.label)),
            Takes::Choice(words) if words.iter().any(|(word, _)| value == word) => Ok(()),
            Takes::Choice(words) => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(format!("{} takes one of {}, not {value}", self.label, words.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_control_takes_only_what_the_device_understands() {
        let dim = Kind::Lamp.control("/dim_pct").unwrap();
        let on = Kind::Lamp.control("/on").unwrap();
        let barrier = Kind::Parking.control("/barrier").unwrap();
        for (control, value, fine) in [
            (dim, json!(40), true),
            (dim, json!(100.0), true),
            (dim, json!(101), false),
            (dim, json!("40"), false),
            (on, json!(true), true),
            (on, json!(1), false),
            (barrier, json!("open"), true),
            (barrier, json!("ajar"), false),
            (barrier, json!(null), false),
        ] {
            assert_eq!(control.check(&value).is_ok(), fine, "{} {value}", control.pointer);
        }
    }

    #[test]
    fn codes_and_words_lead_back_to_their_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), kind);
            assert_eq!(Kind::from_word(kind.word()), kind);
        }
        assert_eq!(Kind::from_code(250), Kind::Other);
    }
}
