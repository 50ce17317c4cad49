//! Asking nodes for their births: once, and then seldomer and seldomer.

use std::collections::BTreeMap;

use fleetlens_model::time::WallMs;

use super::birth::NODE_CONTROL;
use super::datatype::Datatype;
use super::payload::{self, Carried, Metric};
use super::topic::{Topic, Verb, written};
use crate::convention::Outgoing;

/// A node that was asked is not asked again before this, in milliseconds…
const WAIT_MS: u64 = 30_000;

/// …which doubles with every time it does not answer, this often at most: to 32 minutes. It may not be allowed to us, or its birth be
/// one that we refuse.
const DOUBLINGS_MAX: u32 = 6;

/// Nodes that are waited for. While so many are, others are not asked.
const ASKED_MAX: usize = 10_000;

/// The nodes that were asked for a birth and have not been born since.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(BTreeMap<String, Wait>);

#[derive(Clone, Copy, Debug)]
struct Wait {
    since: WallMs,
    times: u32,
}

impl Wait {
    /// Whether it is too early to ask again. A clock that was set back makes nobody wait for ever.
    fn holds(&self, at: WallMs) -> bool {
        let wait_ms = WAIT_MS << self.times.saturating_sub(1).min(DOUBLINGS_MAX);
        at >= self.since && at.since(self.since) < wait_ms
    }
}

impl Asked {
    /// The wish for the birth of a message's node, unless it was told a short while ago (section 5.9; the metric goes by its name, which
    /// never has an alias).
    pub(super) fn ask(&mut self, topic: &Topic<'_>, at: WallMs) -> Option<Outgoing> {
        let node = topic.descriptor();
        if self.0.len() >= ASKED_MAX && !self.0.contains_key(&node) {
            return None;
        }
        let wait = self.0.entry(node).or_insert(Wait { since: at, times: 0 });
        if wait.times > 0 && wait.holds(at) {
            return None;
        }
        *wait = Wait { since: at, times: wait.times.saturating_add(1) };
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

    /// The node was born.
    pub(super) fn answered(&mut self, node: &str) {
        self.0.remove(node);
    }

    /// The link is another: whoever was asked may have answered while we could not hear it.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_asked_seldomer() {
        let mut asked = Asked::default();
        let topic = Topic::parse("spBv1.0/g/NDATA/n").unwrap();
        let mut times_s = Vec::new();
        for s in 0..8_000 {
            if asked.ask(&topic, WallMs::from_s(s)).is_some() {
                times_s.push(s);
            }
        }
        assert_eq!(times_s, [0, 30, 90, 210, 450, 930, 1_890, 3_810, 5_730, 7_650]);
        assert!(asked.ask(&topic, WallMs::from_s(5)).is_some(), "the clock was set back");
        asked.answered("g/n");
        assert!(asked.ask(&topic, WallMs::from_s(6)).is_some(), "and it is a new question");
    }

    #[test]
    fn a_flood_of_names_is_not_answered_with_a_flood_of_wishes() {
        let mut asked = Asked::default();
        let wishes = (0..ASKED_MAX + 100).filter(|n| {
            let topic = format!("spBv1.0/g/NDATA/{n}");
            asked.ask(&Topic::parse(&topic).unwrap(), WallMs(0)).is_some()
        });
        assert_eq!(wishes.count(), ASKED_MAX);
        asked.forget();
        assert!(asked.ask(&Topic::parse("spBv1.0/g/NDATA/new").unwrap(), WallMs(0)).is_some());
    }
}
