//! What goes wrong in a city on purpose, so that an app can be seen to bear it. Which things and when follow from the seed.

mod ill;
mod mangle;
mod outbreak;
mod spell;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use self::ill::Ill;
pub use self::outbreak::{Outbreak, Stricken};
pub use self::spell::Spell;

/// A way in which things go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A gateway without power: it and all it carries say and hear nothing, until it is back.
    DeadGateway,
    /// A thing says and hears nothing for some minutes, again and again.
    Silence,
    /// What a thing measures does not change for a quarter of an hour.
    StuckSensor,
    /// Now and then a value that cannot be.
    Nonsense,
    /// Now and then a payload that is no JSON, or not the right one.
    Malformed,
    /// Every other message comes twice.
    Duplicate,
    /// For a minute or more messages are held back, and then come at once with their old times.
    Late,
    /// Every third message comes after its successor.
    OutOfOrder,
    /// Commands are refused: by the shadow service, or by the device, which reports its old values and why.
    Refusal,
    /// Commands are obeyed after half a minute or more.
    Slow,
}

impl Fault {
    /// All of them, those that concern most things first.
    pub const ALL: [Fault; 10] = [
        Fault::DeadGateway,
        Fault::Silence,
        Fault::StuckSensor,
        Fault::Nonsense,
        Fault::Malformed,
        Fault::Duplicate,
        Fault::Late,
        Fault::OutOfOrder,
        Fault::Refusal,
        Fault::Slow,
    ];

    /// What it is called on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::DeadGateway => "dead-gateway",
            Self::Silence => "silence",
            Self::StuckSensor => "stuck-sensor",
            Self::Nonsense => "nonsense",
            Self::Malformed => "malformed",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::OutOfOrder => "out-of-order",
            Self::Refusal => "refusal",
            Self::Slow => "slow",
        }
    }
}

/// Which faults a city has; none by default.
///
/// Its text is `none`, `all`, or some words with commas between: `silence,late`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(BTreeSet<Fault>);

impl Faults {
    /// Every one.
    pub fn all() -> Self {
        Self(Fault::ALL.into())
    }

    /// Whether it has this one.
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// Whether nothing goes wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        Self(faults.into_iter().collect())
    }
}

/// A word that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no fault is called {given:?}; give all, or some of {}", Faults::all().words())]
pub struct NoFault {
    given: String,
}

impl FromStr for Faults {
    type Err = NoFault;

    fn from_str(text: &str) -> Result<Self, NoFault> {
        match text {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::default()),
            _ => {}
        }
        let one = |word: &str| {
            let fault = Fault::ALL.into_iter().find(|fault| fault.word() == word.trim());
            fault.ok_or_else(|| NoFault { given: word.trim().to_owned() })
        };
        text.split(',').map(one).collect()
    }
}

impl Faults {
    fn words(&self) -> String {
        self.0.iter().map(|fault| fault.word()).collect::<Vec<_>>().join(",")
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0 => f.write_str("none"),
            count if count == Fault::ALL.len() => f.write_str("all"),
            _ => f.write_str(&self.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_given_by_their_words() {
        for (text, want) in [
            ("all", Some(Faults::all())),
            ("none", Some(Faults::default())),
            ("late, silence", Some([Fault::Silence, Fault::Late].into_iter().collect())),
            ("slow", Some([Fault::Slow].into_iter().collect())),
            ("", None),
            ("silence,", None),
            ("Silence", None),
            ("fire", None),
        ] {
            let faults = text.parse::<Faults>().ok();
            assert_eq!(faults, want, "{text:?}");
            if let Some(faults) = faults {
                assert_eq!(faults.to_string().parse(), Ok(faults));
            }
        }
        let refused = "fire".parse::<Faults>().unwrap_err().to_string();
        assert!(refused.contains("\"fire\"") && Fault::ALL.iter().all(|f| refused.contains(f.word())), "{refused}");
    }
}
