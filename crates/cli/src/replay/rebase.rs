//! Times inside the payloads, moved so that a recording seems to happen while it is played.

use std::collections::BTreeMap;

use fleetlens_host::Profile;
use fleetlens_wire::rebase;
use serde::Serialize;

use super::pace::Pace;

/// Why a message stays as it is that the profile knows nothing of: a description, a shadow, somebody else's.
const UNREAD: &str = "no [[telemetry]] of the profile reads the topic";

/// Why every message does without a profile.
const NO_PROFILE: &str = "no --profile says where times stand";

/// Where times stand, where they come to lie, and what became of them.
pub struct Rebase {
    profile: Option<Profile>,
    pace: Pace,
    rebased: Rebased,
}

/// What became of the times in the payloads.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rebased {
    /// Messages whose times were moved.
    moved: u64,
    /// Messages that went out as they are, by the reason.
    left: BTreeMap<String, u64>,
}

impl Rebase {
    /// By the times a profile names; without one everything stays as it is.
    pub fn new(profile: Option<Profile>, pace: Pace) -> Rebase {
        Rebase { profile, pace, rebased: Rebased::default() }
    }

    /// The payload with its times moved, or as it is.
    pub fn payload(&mut self, topic: &str, payload: Vec<u8>) -> Vec<u8> {
        match self.moved(topic, &payload) {
            Ok(moved) => {
                self.rebased.moved += 1;
                moved
            }
            Err(why) => {
                *self.rebased.left.entry(why).or_default() += 1;
                payload
            }
        }
    }

    fn moved(&self, topic: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let profile = self.profile.as_ref().ok_or(NO_PROFILE)?;
        let rule = profile.telemetry.iter().find(|rule| rule.template.find(topic).is_some()).ok_or(UNREAD)?;
        rebase::moved(payload, &rule.reading, |us| self.pace.moved_us(us)).map_err(|why| why.to_string())
    }

    /// What came of it.
    pub fn told(self) -> Rebased {
        self.rebased
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_host::model::time::WallMs;

    use super::super::pace::Speed;
    use super::*;

    #[test]
    fn the_times_a_profile_names_are_moved_and_everything_else_is_counted() {
        let (first, last, now) = (WallMs(1_000_000_000_000), WallMs(1_000_000_060_000), WallMs(1_700_000_000_000));
        let pace = Pace::new(Speed::Times(1.0), first, last, now);
        let topic = "city/valletta/lamp/lamp-0417/telemetry";
        let payload = |ts: &str| format!(r#"{{ "values":{{"b":1.50}}, "ts":{ts}}}"#).into_bytes();
        let mut rebase = Rebase::new(Some(Profile::demo().unwrap()), pace);
        assert_eq!(rebase.payload(topic, payload("1000000000400")), payload("1700000000400"));
        for (topic, ts) in [(topic, "null"), (topic, "\"soon\""), ("city/valletta/lamp/lamp-0417/meta", "1")] {
            assert_eq!(rebase.payload(topic, payload(ts)), payload(ts), "{topic}");
        }
        let left = [("there is no time where the profile says".to_owned(), 2), (UNREAD.to_owned(), 1)];
        assert_eq!(rebase.told(), Rebased { moved: 1, left: left.clone().into() });

        let mut nobody_says = Rebase::new(None, pace);
        assert_eq!(nobody_says.payload(topic, payload("1000000000400")), payload("1000000000400"));
        assert_eq!(nobody_says.told().left, BTreeMap::from([(NO_PROFILE.to_owned(), 1)]));
    }
}
