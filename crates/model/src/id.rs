//! Names and interned keys (docs/adr/0001-identity.md).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::shared::SharedText;
use crate::text::is_hidden;

/// The longest thing name in bytes. AWS allows 128; other brokers' fleets are given twice that.
pub const THING_NAME_MAX_BYTES: usize = 256;

/// A thing within one cache; handed out by the engine in order of appearance, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThingKey(pub u32);

/// A series of values of one thing: (thing, JSON pointer); handed out like [`ThingKey`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeriesKey(pub u32);

/// A command within one cache; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub u64);

/// An alarm within one cache; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlarmId(pub u64);

/// A bulk command within one cache; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BulkId(pub u64);

/// A thing's name exactly as the broker spelled it: 1–256 bytes of UTF-8 without hidden characters ([`is_hidden`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ThingName(SharedText);

/// Why a text is not a thing's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing between two slashes, or an empty field.
    #[error("a thing's name is empty; it needs at least one character")]
    Empty,
    /// More than [`THING_NAME_MAX_BYTES`].
    #[error("a thing's name has {0} bytes; at most 256 are allowed")]
    TooLong(usize),
    /// A control character, or one that turns the reading direction or has no width: it could hide or forge what a person reads.
    #[error("a thing's name holds the hidden character {0:?}; names are printable text")]
    Hidden(char),
}

impl ThingName {
    /// Takes `name` verbatim, or says why it cannot be one.
    pub fn new(name: impl Into<SharedText>) -> Result<ThingName, NameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > THING_NAME_MAX_BYTES {
            return Err(NameError::TooLong(name.len()));
        }
        match name.chars().find(|c| is_hidden(*c)) {
            Some(c) => Err(NameError::Hidden(c)),
            None => Ok(ThingName(name)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, for somebody who keeps it too.
    pub fn shared(&self) -> SharedText {
        self.0.clone()
    }
}

impl TryFrom<String> for ThingName {
    type Error = NameError;
    fn try_from(name: String) -> Result<ThingName, NameError> {
        ThingName::new(name)
    }
}

impl From<ThingName> for String {
    fn from(name: ThingName) -> String {
        name.0.as_str().to_owned()
    }
}

impl std::fmt::Display for ThingName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_verbatim_or_refused_with_the_reason() {
        for (name, want) in [
            ("lamp-0417", Ok(())),
            ("Straße 3 / rechts", Ok(())),
            ("", Err(NameError::Empty)),
            ("مصباح-٧", Ok(())),
            ("a\u{7}b", Err(NameError::Hidden('\u{7}'))),
            ("lamp-\u{202e}1", Err(NameError::Hidden('\u{202e}'))),
            ("lamp-1\u{200b}", Err(NameError::Hidden('\u{200b}'))),
        ] {
            assert_eq!(ThingName::new(name).map(|n| assert_eq!(n.as_str(), name)), want, "{name:?}");
        }
        assert_eq!(ThingName::new("x".repeat(257)), Err(NameError::TooLong(257)));
    }
}
