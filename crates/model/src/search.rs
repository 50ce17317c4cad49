//! What a table of things shows and what a bulk command or a rule may be for: everything of which something is true.

use serde::{Deserialize, Serialize};

use crate::kind::Kind;

/// Which things are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// A query ([`crate::query`]); its words without a field must each be in the thing's name, title, street or area. Empty for all.
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

/// What a thing is found by, in lower case.
pub fn found_by(title: &str, name: &str, street: &str, area: &str) -> String {
    format!("{title}\n{name}\n{street}\n{area}").to_lowercase()
}
