//! A command that still waits is changed by the person: other values for its leaves, another end.

use serde_json::Value as Json;

use super::{Command, Phase, Step, Want};
use crate::time::{MonoMs, Now, WallMs};

/// How often one command may be changed; whoever wants more takes it back and asks anew. Its steps are kept with it.
pub const EDITS_MAX: usize = 32;

/// Why a command is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEdited {
    /// It went out, or is over.
    #[error("the command waits no longer; take it back, or ask anew")]
    Left,
    /// [`EDITS_MAX`].
    #[error("the command was changed {EDITS_MAX} times already; take it back and ask anew")]
    TooOften,
}

impl Command {
    /// Changes a command that has not left yet. It stays the same command, with its token, its place in the order and what the person
    /// saw when they asked, by which a conflict is measured. `values` are for leaves it sets: pointer, value, tolerance; others are
    /// passed over. `expiry_ms` is counted from now; `None` leaves the end as it is.
    pub fn edit(&mut self, values: &[(String, Json, f64)], expiry_ms: Option<u64>, now: Now) -> Result<(), NotEdited> {
        if self.phase != Phase::Pending {
            return Err(NotEdited::Left);
        }
        if self.steps.iter().filter(|(step, _)| *step == Step::Edited).count() >= EDITS_MAX {
            return Err(NotEdited::TooOften);
        }
        for want in &mut self.wants {
            if let Some((_, value, tolerance)) = values.iter().find(|(pointer, ..)| *pointer == want.pointer) {
                *want = Want { value: value.clone(), tolerance: *tolerance, ..want.clone() };
            }
        }
        if let Some(ms) = expiry_ms {
            (self.expires_ms, self.deadline) = ends_in(ms, now);
        }
        self.steps.push((Step::Edited, now.wall));
        Ok(())
    }
}

/// The end of something that may take so long from now, by both clocks.
fn ends_in(ms: u64, now: Now) -> (WallMs, Option<MonoMs>) {
    (now.wall.plus(i64::try_from(ms).unwrap_or(i64::MAX)), Some(now.mono.plus(ms)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{at, command, sent};
    use super::*;

    #[test]
    fn a_command_that_waits_is_changed_and_stays_the_same_command() {
        let mut waits = command(Some(json!(100)));
        let values = [("/dim_pct".to_owned(), json!(60), 1.0), ("/on".to_owned(), json!(true), 0.0)];
        assert_eq!(waits.edit(&values, None, at(5)), Ok(()));
        let before = command(Some(json!(100)));
        let want = Want { value: json!(60), tolerance: 1.0, ..before.wants[0].clone() };
        assert_eq!((&waits.wants, waits.expires_ms, waits.deadline), (&vec![want], before.expires_ms, before.deadline));
        assert_eq!((waits.id, &waits.token), (before.id, &before.token));
        assert_eq!(waits.at(Step::Edited), Some(at(5).wall));

        assert_eq!(waits.edit(&[], Some(2_000), at(6)), Ok(()));
        assert_eq!((waits.expires_ms, waits.left_ms(at(7))), (at(8).wall, 1_000));
        assert_eq!(waits.wants[0].value, json!(60));
    }

    #[test]
    fn what_left_or_is_over_is_changed_no_more_and_nothing_is_changed_for_ever() {
        let mut away = sent();
        let before = away.clone();
        assert_eq!(away.edit(&[("/dim_pct".to_owned(), json!(60), 0.5)], Some(1), at(2)), Err(NotEdited::Left));
        assert_eq!(away, before);
        let mut waits = command(None);
        for n in 0..EDITS_MAX {
            assert_eq!(waits.edit(&[], Some(60_000), at(n as u64)), Ok(()));
        }
        assert_eq!(waits.edit(&[], Some(60_000), at(99)), Err(NotEdited::TooOften));
    }
}
