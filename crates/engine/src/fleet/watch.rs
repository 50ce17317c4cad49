//! What needs a person: the profile's rules against what things say, whether they speak at all, and what became of commands.
//!
//! Only while we listen: while our own link is down nothing is raised and nothing cleared (invariant 7). Conditions are judged as
//! values come, and those that turn with time or with other things than values with each tick of some things in turn; silence when its
//! timer runs out, shadows and commands on a look with each tick at some of those things of which either is open.

mod conditions;
mod convergence;
mod design;
mod detectors;
mod due;
mod early;
mod facts;
mod leaves;
mod places;
mod rhythms;
mod silence;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fleetlens_model::alarm::detector::Position;
use fleetlens_model::alarm::state::State;
use fleetlens_model::expression::Memory;
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::Placed;
use fleetlens_model::time::{MonoMs, Now};

use super::rules::RuleAt;
use super::{Effects, Fleet};

pub(super) use conditions::Asked;
pub(crate) use convergence::FAILED_FOR_MS;
pub(super) use due::Due;
pub use leaves::OpenLeaf;
pub(crate) use leaves::{LateLeaf, Leaves};
pub(super) use rhythms::Rhythms;

/// What is being waited for, so that a look each second is short however big the city is.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// What runs towards an alarm that there is not yet.
    pending: BTreeMap<(ThingKey, RuleAt), State>,
    /// When time alone may change an alarm, or what is pending.
    due: due::Dues,
    /// What the windows and areas of conditions keep.
    memories: HashMap<ThingKey, Vec<(RuleAt, Memory)>>,
    /// What is usual for the values of which rules ask that.
    pub(super) rhythms: Rhythms,
    /// Where things are in the state machines of rules.
    positions: BTreeMap<(ThingKey, RuleAt), Position>,
    /// Where they are not any more and the cache still says so.
    positions_gone: Vec<(ThingKey, String)>,
    /// Where the cache says otherwise of those of rules that there are: how it is, `None` where they are nowhere any more.
    positions_owed: BTreeMap<(ThingKey, RuleAt), Option<Placed>>,
    /// What state machines could not work out and the log was told of, by the rule.
    troubles: BTreeSet<(String, String)>,
    /// Things of which a condition may turn without a word of theirs.
    timed: BTreeSet<ThingKey>,
    /// The last of them that was judged.
    timed_at: ThingKey,
    /// Things that spoke before our link counted as up, or that were described otherwise since they did.
    early: BTreeSet<ThingKey>,
    /// State machines that such words have led on.
    stepped_early: BTreeSet<(ThingKey, RuleAt)>,
    /// What is wanted and not reported for too long.
    pub(super) leaves: Leaves,
    /// Things with a leaf that is wanted and not reported, or a command that ended badly.
    concerned: BTreeSet<ThingKey>,
    /// The last of them that was looked at.
    looked_at: ThingKey,
    /// The last failed command of each thing that an alarm has told of.
    told: BTreeMap<ThingKey, convergence::Failed>,
    /// Silent things of which it is not decided yet whether they are silent themselves or their gateway is.
    undecided: BTreeSet<ThingKey>,
    /// What stands behind each gateway, by its name.
    carried: HashMap<String, silence::Carried>,
    /// Gateways that spoke again after they had been silent, and when.
    back: BTreeMap<ThingKey, MonoMs>,
    /// Alarms that things raised themselves since our link is up.
    pub(super) retold: BTreeSet<(ThingKey, String)>,
    /// When those that things still have must all have come.
    pub(super) retell_by: Option<MonoMs>,
}

impl Watch {
    /// Whether it is open of something silent whose silence that is.
    pub(super) fn is_undecided(&self) -> bool {
        !self.undecided.is_empty()
    }
}

impl Fleet {
    /// One look, each second while we listen.
    pub(super) fn look(&mut self, now: Now, effects: &mut Effects) {
        self.fall_silent(now, effects);
        self.decide_silence(now, effects);
        self.judge_early(now, effects);
        self.judge_timed(now, effects);
        self.end_delays(now, effects);
        self.forget_untold(now, effects);
    }

    /// Our link is up. Nothing is said yet of what nobody has spoken of since; but the profile may be another than last time.
    pub(super) fn watch_again(&mut self, now: Now, effects: &mut Effects) {
        let alarmed = self.things.values().filter(|thing| !thing.alarms.is_empty()).map(|thing| thing.key);
        for key in alarmed.collect::<Vec<_>>() {
            self.clear_unruled(key, now, effects);
            self.follow_design(key, now, effects);
            self.remember_told(key);
            self.look_at(key);
        }
        self.ask_all(now);
        self.await_alarms(now);
        self.remember_gap(now);
        self.doubt_silence();
        self.expect_told(now);
    }

    /// Our link fell: nobody knows of any alarm whether it is still so, and delays stand still.
    pub(super) fn stop_watching(&mut self, now: Now, effects: &mut Effects) {
        self.watch.due.clear();
        self.pause_detectors(now, effects);
        self.watch.retell_by = None;
        self.pause_pending(now);
        self.doubt_alarms(now);
    }

    /// Something happened to a thing's shadow or to a command for it.
    pub(super) fn look_at(&mut self, key: ThingKey) {
        self.watch.concerned.insert(key);
    }
}
