//! The rules of a profile that writes none.

use super::state::Terms;
use super::{Condition, Priority, Rule, Things};

/// Wanted and not reported for longer than this needs a look, when no rule says otherwise (ms).
pub const NOT_CONVERGED_AFTER_MS: u64 = 5 * 60_000;

impl Rule {
    /// What needs a person whatever the things are: silence, what is wanted and not so, and commands that failed.
    pub fn usual() -> Vec<Rule> {
        let rule = |id: &str, condition, cause: &str, consequence: &str, what_to_do: &str| Rule {
            id: id.into(),
            name: id.replace('-', " "),
            things: Things::default(),
            condition,
            unless: None,
            terms: Terms::default(),
            priority: Priority::Warning,
            time_available_ms: None,
            cause: cause.into(),
            consequence: consequence.into(),
            what_to_do: what_to_do.into(),
        };
        vec![
            rule(
                "silent",
                Condition::Silent,
                "power, radio, or the device itself",
                "what is shown of it is old, and commands do not reach it",
                "check power and radio",
            ),
            rule(
                "not-converged",
                Condition::NotConverged { after_ms: NOT_CONVERGED_AFTER_MS },
                "the device did not obey, or somebody set it on the spot",
                "it does something else than was wanted",
                "check the device, then send again",
            ),
            rule(
                "command-failed",
                Condition::CommandFailed,
                "the shadow refused it, or the device did not obey in time",
                "what was asked for did not happen",
                "read why on the thing's page, then send again or go there",
            ),
        ]
    }
}
