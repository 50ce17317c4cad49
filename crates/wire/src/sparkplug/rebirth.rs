//! Asking nodes for their births: once, and then seldomer and seldomer.

use std::collections::BTreeMap;

use fleetlens_model::time::WallMs;

use super::birth::NODE_CONTROL;
use super::datatype::Datatype;
use super::payload::{self, Carried, Metric};
use super::topic::{Topic, Verb, written};
use crate::convention::Outgoing;

/// A node that was asked is not asked again before this, in milliseconds, born or not…
const WAIT_MS: u64 = 30_000;

/// …which doubles with every time there is reason to ask again soon after, this often at most: to 32 minutes. We may not be allowed to
/// ask, or a birth of the node be one that we refuse.
const DOUBLINGS_MAX: u32 = 6;

/// How long after a wait there must have been no reason to ask, in milliseconds, for a reason to be a new one.
const CALM_MS: u64 = 600_000;

/// Nodes whose waits are remembered. While so many wait, others are not asked.
const ASKED_MAX: usize = 10_000;

/// The nodes that were asked for a birth, and when they may be again.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    waits: BTreeMap<String, Wait>,
    /// When those whose wait was over were last forgotten to make room.
    swept: Option<WallMs>,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    since: WallMs,
    /// At least 1.
    times: u32,
}

impl Wait {
    fn ms(&self) -> u64 {
        WAIT_MS << self.times.saturating_sub(1).min(DOUBLINGS_MAX)
    }

    /// Whether it is too early to ask again. A clock that was set back makes nobody wait for ever.
    fn holds(&self, at: WallMs) -> bool {
        at >= self.since && at.since(self.since) < self.ms()
    }

    /// The wait after this one.
    fn next(&self, at: WallMs) -> Wait {
        let is_calm = at.since(self.since) >= self.ms() + CALM_MS;
        Wait { since: at, times: if is_calm { 1 } else { self.times.saturating_add(1) } }
    }
}

impl Asked {
    /// The wish for the birth of a message's node, unless it was told a short while ago (section 5.17; the metric goes by its name, which
    /// never has an alias).
    pub(super) fn ask(&mut self, topic: &Topic<'_>, at: WallMs) -> Option<Outgoing> {
        let node = topic.descriptor();
        let wait = match self.waits.get(&node).copied() {
            Some(wait) if wait.holds(at) => return None,
            Some(wait) => wait.next(at),
            None if self.has_room(at) => Wait { since: at, times: 1 },
            None => return None,
        };
        self.waits.insert(node, wait);
        let rebirth = Metric {
            name: Some(format!("{NODE_CONTROL}Rebirth")),
            timestamp: Some(payload::written(at)),
            datatype: Some(Datatype::Boolean.number()),
            value: Some(Carried::Boolean(true)),
            ..Metric::default()
        };
        Some(Outgoing {
            topic: written(topic.group, Verb::NodeCommand, topic.node, None),
            payload: payload::encode(&[rebirth], at, None),
        })
    }

    /// The link is another: who did not answer may have, and who was not allowed to hear us may be now.
    pub(super) fn connecting(&mut self) {
        self.waits.values_mut().for_each(|wait| wait.times = 1);
    }

    /// Whether one more can be remembered; looked through for that now and then only, since a flood may ask again and again.
    fn has_room(&mut self, at: WallMs) -> bool {
        let is_due = self.swept.is_none_or(|swept| at < swept || at.since(swept) >= WAIT_MS);
        if self.waits.len() >= ASKED_MAX && is_due {
            self.swept = Some(at);
            self.waits.retain(|_, wait| wait.holds(at));
        }
        self.waits.len() < ASKED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds at which a node is asked that gives a reason every so often.
    fn asked_s(asked: &mut Asked, from_s: i64, until_s: i64, every_s: usize) -> Vec<i64> {
        let topic = Topic::parse("spBv1.0/g/NDATA/n").unwrap();
        (from_s..until_s).step_by(every_s).filter(|s| asked.ask(&topic, WallMs::from_s(*s)).is_some()).collect()
    }

    #[test]
    fn who_gives_reason_again_and_again_is_asked_seldomer() {
        let mut asked = Asked::default();
        assert_eq!(asked_s(&mut asked, 0, 8_000, 1), [0, 30, 90, 210, 450, 930, 1_890, 3_810, 5_730, 7_650]);
        assert_eq!(asked_s(&mut asked, 10_200, 10_240, 1), [10_200, 10_230], "after a calm while it is a new reason");
        assert_eq!(asked_s(&mut asked, 5, 6, 1), [5], "nobody waits for ever when the clock was set back");
        let mut slow = Asked::default();
        assert_eq!(asked_s(&mut slow, 0, 500, 60), [0, 60, 120, 240, 480], "however seldom it speaks");
        slow.connecting();
        assert_eq!(asked_s(&mut slow, 490, 520, 1), [510], "a new link is a new chance, but not before half a minute");
    }

    #[test]
    fn a_flood_of_names_is_not_answered_with_a_flood_of_wishes() {
        let mut asked = Asked::default();
        let mut flood = |at: WallMs| {
            let is_asked = |n: &usize| {
                let topic = format!("spBv1.0/g/NDATA/{}-{n}", at.0);
                asked.ask(&Topic::parse(&topic).unwrap(), at).is_some()
            };
            (0..ASKED_MAX + 100).filter(is_asked).count()
        };
        assert_eq!([flood(WallMs(0)), flood(WallMs(1)), flood(WallMs(WAIT_MS as i64))], [ASKED_MAX, 0, ASKED_MAX]);
    }
}
