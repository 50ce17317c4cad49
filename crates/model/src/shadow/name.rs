//! The grammar of AWS's names. It is checked where a shadow topic is built or read, not on every thing (ADR 1).

use super::limits::{SHADOW_NAME_CHARS, THING_NAME_CHARS};

/// Why a name is not one AWS would take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a {what} name is empty; it needs 1 to {max} characters of A-Z a-z 0-9 : _ -")]
    Empty {
        /// "thing" or "shadow".
        what: &'static str,
        /// The longest name allowed, in characters.
        max: usize,
    },
    /// More characters than the quota allows.
    #[error("a {what} name has {length} characters; at most {max} are allowed")]
    TooLong {
        /// "thing" or "shadow".
        what: &'static str,
        /// What was given, in characters.
        length: usize,
        /// The longest name allowed, in characters.
        max: usize,
    },
    /// A character outside the grammar.
    #[error("a {what} name holds {character:?}; only A-Z a-z 0-9 : _ - are allowed")]
    Character {
        /// "thing" or "shadow".
        what: &'static str,
        /// The first character that is not allowed.
        character: char,
    },
}

/// Gives the name back when it is a thing name: 1 to 128 characters of `[A-Za-z0-9:_-]`.
pub fn parse_thing_name(name: &str) -> Result<&str, NameError> {
    check(name, "thing", THING_NAME_CHARS)
}

/// Gives the name back when it is a shadow name: 1 to 64 characters of `[A-Za-z0-9:_-]`.
pub fn parse_shadow_name(name: &str) -> Result<&str, NameError> {
    check(name, "shadow", SHADOW_NAME_CHARS)
}

fn check<'a>(name: &'a str, what: &'static str, max: usize) -> Result<&'a str, NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { what, max });
    }
    if let Some(character) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-'))) {
        return Err(NameError::Character { what, character });
    }
    if name.len() > max {
        return Err(NameError::TooLong { what, length: name.len(), max });
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_awss_grammar_and_length() {
        for (name, thing, shadow) in [
            ("lamp-0417", true, true),
            ("Urn:x_y-9", true, true),
            ("", false, false),
            ("a b", false, false),
            ("a/b", false, false),
            ("a+", false, false),
            ("lämp", false, false),
            (&"x".repeat(64), true, true),
            (&"x".repeat(65), true, false),
            (&"x".repeat(128), true, false),
            (&"x".repeat(129), false, false),
        ] {
            assert_eq!(parse_thing_name(name).is_ok(), thing, "thing {name:?}");
            assert_eq!(parse_shadow_name(name).is_ok(), shadow, "shadow {name:?}");
        }
    }

    #[test]
    fn the_message_says_what_is_wrong() {
        assert_eq!(
            parse_thing_name("a/b").unwrap_err().to_string(),
            "a thing name holds '/'; only A-Z a-z 0-9 : _ - are allowed"
        );
    }
}
