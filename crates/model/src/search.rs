//! What a table of things shows and what a bulk command or a rule may be for: everything of which something is true.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::kind::Kind;

/// The most words of a search that count.
pub const WORDS_MAX: usize = 8;

/// The longest search that is written down, in characters.
pub const TEXT_MAX_CHARS: usize = 200;

/// Which things are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Every word must be in the thing's name, title, street or area; empty for all.
    pub text: String,
    /// Only these kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// Only things of this group of the profile; empty for all.
    pub group: String,
    /// Only things of which this is true.
    pub only: Only,
}

/// What must be true of a thing to be among those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Only {
    /// Nothing.
    #[default]
    All,
    /// It has an open alarm.
    Alarmed,
    /// It should have spoken and did not.
    Silent,
    /// A command waits or is on its way.
    Pending,
}

/// The words of a search. Case does not count, nor their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

/// Why a search that is written down is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SearchError {
    /// It finds everything.
    #[error("the search is empty; write words of a thing's title, name, street or district, or leave it out")]
    Empty,
    /// Nobody would look for that.
    #[error("a search is one line of at most {TEXT_MAX_CHARS} characters")]
    Long,
    /// Some would not count.
    #[error("the search has {0} words; at most {WORDS_MAX} count")]
    Words(usize),
}

impl Words {
    /// What somebody types: the first [`WORDS_MAX`] words of it, none of an empty text.
    pub fn typed(text: &str) -> Words {
        Words(text.to_lowercase().split_whitespace().take(WORDS_MAX).map(str::to_owned).collect())
    }

    /// What is written down to be kept, where nothing may be left out unsaid.
    pub fn written(text: &str) -> Result<Words, SearchError> {
        if text.chars().count() > TEXT_MAX_CHARS || text.chars().any(char::is_control) {
            return Err(SearchError::Long);
        }
        match text.split_whitespace().count() {
            0 => Err(SearchError::Empty),
            1..=WORDS_MAX => Ok(Words::typed(text)),
            more => Err(SearchError::Words(more)),
        }
    }

    /// Whether it finds everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each of them is in what a thing is found by ([`found_by`]).
    pub fn are_in(&self, found_by: &str) -> bool {
        self.0.iter().all(|word| found_by.contains(word.as_str()))
    }
}

/// What a thing is found by, in lower case.
pub fn found_by(title: &str, name: &str, street: &str, area: &str) -> String {
    format!("{title}\n{name}\n{street}\n{area}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_found_by_every_word_of_a_search() {
        let found_by = found_by("Lamp 12", "l-0012", "Triq Aldo Moro", "Ħal Qormi");
        for (text, is_found) in
            [("", true), ("  LAMP ", true), ("moro 0012", true), ("ħAL qormi", true), ("lamp 12 bin", false)]
        {
            assert_eq!(Words::typed(text).are_in(&found_by), is_found, "{text}");
        }
        let nine = "lamp 0012 triq aldo moro qormi a o bin";
        assert!(Words::typed(nine).are_in(&found_by), "the ninth word does not count");
    }

    #[test]
    fn what_is_written_down_says_all_that_it_means() {
        assert_eq!(Words::written(" Triq  moro"), Ok(Words(vec!["triq".into(), "moro".into()])));
        for (text, want) in [
            ("", SearchError::Empty),
            ("  ", SearchError::Empty),
            ("a b c d e f g h i", SearchError::Words(9)),
            ("a\tb", SearchError::Long),
            (&"a".repeat(201), SearchError::Long),
        ] {
            assert_eq!(Words::written(text), Err(want), "{text}");
        }
        assert!(Words::written(&"a".repeat(200)).is_ok_and(|words| !words.is_empty()));
    }
}
