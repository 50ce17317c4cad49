//! What came through the connection that is up before it counted as up: a broker sends what it retained, and what it kept for our
//! session, before it has answered the last of our filters. It is judged once we are up, some of it with each look, so that a city whose
//! every value is retained does not hold up what people do. State machines hear each of a thing's words as it comes, since they go by their
//! order and number ([`Fleet::hear_detectors_early`]); what they have come to is judged like all else. So is what a thing said before it was described as it is now: what is
//! retained comes in any order, and other rules may speak of it.

use fleetlens_model::id::ThingKey;
use fleetlens_model::time::{MonoMs, Now};

use super::Watch;
use crate::fleet::{Effects, Fleet};

/// Things that one look judges for that.
const JUDGED_A_LOOK: usize = 5_000;

impl Watch {
    /// Another connection is tried: what came through the last one that did not come up is old.
    pub(in crate::fleet) fn forget_early(&mut self) {
        self.early.clear();
        self.stepped_early.clear();
    }
}

impl Fleet {
    /// Since when what is said has come through the connection that is up; `None` while none is.
    pub(super) fn heard_since(&self) -> Option<MonoMs> {
        let up = self.up_since?;
        Some(self.connecting.map_or(up, |began| began.min(up)))
    }

    /// Since when what is said has come through the connection that is up, or coming up.
    pub(super) fn coming_since(&self) -> Option<MonoMs> {
        self.heard_since().or(self.connecting)
    }

    /// A thing said something while our link does not count as up, or is described otherwise than when it said something.
    pub(in crate::fleet) fn note_unjudged(&mut self, key: ThingKey) {
        if self.connecting.is_some() || self.up_since.is_some() {
            self.watch.early.insert(key);
        }
    }

    /// Judges some of what was said before. A value that was not said then counts as missing only with the thing's next word.
    pub(super) fn judge_early(&mut self, now: Now, effects: &mut Effects) {
        for _ in 0..JUDGED_A_LOOK {
            let Some(key) = self.watch.early.pop_first() else { return };
            self.judge_unsaid(key, now, effects);
            self.go_on_from_early(key, now, effects);
        }
    }
}
