//! What keeps a connection from coming about, said once: a broker that is not there says no more at every try.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Reasons that were said. Crews of one city share it: they all have the same broker.
#[derive(Debug, Default)]
pub(crate) struct Complaints(Mutex<BTreeSet<String>>);

impl Complaints {
    /// Warns of what keeps `who` from connecting, unless that was said before; gives whether it was not.
    pub fn say(&self, who: &str, reason: &str) -> bool {
        // Nothing under the lock can leave it half-changed.
        let new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(reason.to_owned());
        if new {
            tracing::warn!("{who} cannot connect: {reason}; trying again");
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_once_and_another_one_again() {
        let complaints = Complaints::default();
        let said = ["nobody there", "nobody there", "no rights", "nobody there"];
        assert_eq!(said.map(|reason| complaints.say("a crew", reason)), [true, false, true, false]);
    }
}
