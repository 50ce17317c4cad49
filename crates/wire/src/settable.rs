//! Controls out of what conventions say of values that can be set: bounds for those that have none, words for buttons, and what is
//! dangerous enough to ask first.

use std::borrow::Cow;

use fleetlens_model::kind::{BARRIER_EXPIRY_MS, Control, DEFAULT_EXPIRY_MS, Takes, Word};

use crate::meta::words;

/// Words a choice may have; more are no row of buttons, and such a value can be read only.
pub(crate) const CHOICE_MAX: usize = 32;

/// Characters of a text that a person may set. What a device reports has to fit a value, which has 1024 bytes.
pub(crate) const TEXT_MAX_CHARS: u16 = 255;

/// Where a number ends that nobody gave an end.
const OPEN_END: f64 = 1_000_000.0;

/// Words in names of what may hurt somebody, or lets somebody in.
const DANGEROUS: [&str; 15] = [
    "alarm", "barrier", "bollard", "cover", "door", "garage", "gate", "lock", "locked", "shutter", "shutters", "siren",
    "unlock", "valve", "valves",
];

/// Whether one of these names speaks of a lock, a door, a valve or a siren: the screen asks first, and a command that came late
/// must not happen any more. A child lock only locks buttons.
pub(crate) fn is_dangerous<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().any(|name| {
        let parts = || name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        parts().any(|part| DANGEROUS.contains(&part.as_str())) && !parts().any(|part| part == "child")
    })
}

/// The control of a value.
pub(crate) fn control(pointer: &str, label: &str, takes: Takes, dangerous: bool) -> Control {
    Control {
        pointer: Cow::Owned(pointer.to_owned()),
        label: Cow::Owned(label.to_owned()),
        tolerance: match &takes {
            Takes::Range { step, .. } => step / 2.0,
            Takes::Switch | Takes::Choice(_) | Takes::Text { .. } => 0.0,
        },
        takes,
        asks_first: dangerous,
        expiry_ms: if dangerous { BARRIER_EXPIRY_MS } else { DEFAULT_EXPIRY_MS },
        dangers: Vec::new(),
        switch_words: None,
    }
}

/// A number within bounds. One without bounds gets such as a person would type: 0 to 100 for a share, a million each way for
/// anything else.
pub(crate) fn range(min: Option<f64>, max: Option<f64>, step: f64, unit: &str) -> Takes {
    let (low, high) = if unit == "%" { (0.0, 100.0) } else { (-OPEN_END, OPEN_END) };
    let (min, max) = match (min, max) {
        (Some(min), Some(max)) => (min, max),
        (Some(min), None) => (min, if min < high { high } else { min + OPEN_END }),
        (None, Some(max)) => (if max > low { low } else { max - OPEN_END }, max),
        (None, None) => (low, high),
    };
    Takes::Range { min, max, step, unit: Cow::Owned(unit.to_owned()) }
}

/// One of these words; `None` where there are none, or too many for buttons.
pub(crate) fn choice<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Takes> {
    let values: Vec<Word> =
        values.into_iter().map(|value| (Cow::Owned(value.to_owned()), Cow::Owned(in_words(value)))).collect();
    (1..=CHOICE_MAX).contains(&values.len()).then_some(Takes::Choice(Cow::Owned(values)))
}

/// A device's word as a person writes it: `NOT_FULLY_LOCKED` is "Not fully locked".
pub(crate) fn in_words(word: &str) -> String {
    let mut text = words(&word.replace('_', " "));
    if !text.chars().any(char::is_lowercase) {
        text = text.to_lowercase();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_doors_and_valves_ask_first_and_those_of_lamps_do_not() {
        for (name, dangerous) in [
            ("Garage door", true),
            ("front-door", true),
            ("valve_state", true),
            ("Zigbee smart water VALVE", true),
            ("siren", true),
            ("child_lock", false),
            ("block", false),
            ("light", false),
            ("", false),
        ] {
            assert_eq!(is_dangerous([name]), dangerous, "{name}");
        }
        let valve = control("/valve", "Valve", Takes::Switch, true);
        assert_eq!((valve.asks_first, valve.expiry_ms), (true, 30_000));
    }

    #[test]
    fn a_number_has_bounds_even_where_nobody_gave_them() {
        let bounds = |min, max, unit| {
            let Takes::Range { min, max, .. } = range(min, max, 1.0, unit) else { panic!("{unit}") };
            (min, max)
        };
        for (given, want) in [
            ((Some(2.0), Some(6.0), ""), (2.0, 6.0)),
            ((None, None, "%"), (0.0, 100.0)),
            ((None, None, "W"), (-1e6, 1e6)),
            ((Some(5.0), None, ""), (5.0, 1e6)),
            ((Some(5e6), None, ""), (5e6, 6e6)),
            ((None, Some(-5e6), ""), (-6e6, -5e6)),
            ((None, Some(120.0), "%"), (0.0, 120.0)),
        ] {
            assert_eq!(bounds(given.0, given.1, given.2), want, "{given:?}");
        }
    }

    #[test]
    fn a_devices_word_is_written_as_people_write() {
        for (word, want) in [
            ("LOCK", "Lock"),
            ("not_fully_locked", "Not fully locked"),
            ("iPhone", "IPhone"),
            ("", ""),
            ("\u{202e}", ""),
        ] {
            assert_eq!(in_words(word), want, "{word}");
        }
        assert_eq!(choice([]), None);
        assert_eq!(choice(["a"; CHOICE_MAX + 1]), None);
    }
}
