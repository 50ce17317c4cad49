//! Shadows that want what is not reported, and commands that ended badly.

use std::ops::Bound;
use std::sync::Arc;

use fleetlens_model::alarm::{Alarm, Condition, Rule};
use fleetlens_model::command::{Command, Phase, Step, Withdrawal};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::time::{Now, WallMs};

use super::OpenLeaf;
use crate::fleet::{Effects, Fleet, Thing};

/// Things that one tick looks at: with ten thousand that are concerned each has its turn every five seconds.
const LOOKED_A_TICK: usize = 500;

/// A command that failed needs a look for this long, unless a later one succeeded or it may still happen (ms).
pub(crate) const FAILED_FOR_MS: u64 = 24 * 3_600_000;

/// Which failure of a thing's commands it is: what comes later is greater. An id and no time, since a wall clock can be set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Failed {
    command: CommandId,
    /// It could not be taken back either, which is known later than that it failed, and is worse.
    may_still_happen: bool,
}

/// What became of a thing's newest command that ended.
struct Failure {
    which: Failed,
    /// When it failed; a withdrawal that is refused after that does not move it.
    at: WallMs,
    what: String,
}

/// Whether desired and reported have differed for too long.
enum Convergence {
    Fine,
    Open(String),
    /// Nobody said anything since we are back, or the thing does not speak: what was told of it stands.
    Unknown,
}

impl Fleet {
    /// With each tick while we listen: the next of the things that are concerned, in turn.
    pub(in crate::fleet) fn look_at_shadows_and_commands(&mut self, now: Now, effects: &mut Effects) {
        let (concerned, last) = (&self.watch.concerned, self.watch.looked_at);
        let from_the_start = concerned.range(..=last);
        let next = concerned.range((Bound::Excluded(last), Bound::Unbounded)).chain(from_the_start);
        for key in next.take(LOOKED_A_TICK).copied().collect::<Vec<_>>() {
            self.watch.looked_at = key;
            // What the cache brought waits until it was looked into.
            if self.watch.leaves.is_doubted(key) {
                continue;
            }
            self.watch.concerned.remove(&key);
            if self.look_at_thing(key, now, effects) {
                self.look_at(key);
            }
        }
    }

    /// Whether it has to be looked at again although nothing new happens to it.
    fn look_at_thing(&mut self, key: ThingKey, now: Now, effects: &mut Effects) -> bool {
        self.become_late(key, now);
        let Some(thing) = self.things.get(&key) else { return false };
        let ruled = thing.ruled;
        let failure = self.failure(thing).filter(|failure| failure.needs_a_look(now));
        let again = failure.is_some() || thing.shadows.values().any(|shadow| !shadow.open.is_empty());
        let rule = self.rules.not_converged(ruled).cloned();
        let convergence = rule.as_ref().map(|rule| self.convergence(thing, rule, now));
        if let (Some(rule), Some(convergence)) = (rule, convergence) {
            match convergence {
                Convergence::Fine => self.clear(key, &rule, now, effects),
                Convergence::Open(what) => self.raise_or_reword(key, &rule, what, now, effects),
                Convergence::Unknown => {}
            }
        }
        if let Some(rule) = self.rules.command_failed(ruled).cloned() {
            match failure {
                None => self.clear(key, &rule, now, effects),
                Some(failure) => self.raise_failure(key, &rule, failure, now, effects),
            }
        } else {
            // A rule that speaks of it again has told nothing yet.
            self.forget_told(key);
        }
        again
    }

    /// No alarm tells of a thing's failed commands any more.
    pub(in crate::fleet) fn forget_told(&mut self, key: ThingKey) {
        self.watch.told.remove(&key);
    }

    /// The newest command that ended, if it ended badly.
    fn failure(&self, thing: &Thing) -> Option<Failure> {
        let newest_first = thing.commands.iter().rev().filter_map(|id| self.commands.get(id));
        for command in newest_first {
            let (step, may_still_happen, what) = match outcome(command) {
                Outcome::Good => return None,
                Outcome::None => continue,
                Outcome::Bad { step, may_still_happen, what } => (step, may_still_happen, what),
            };
            let which = Failed { command: command.id, may_still_happen };
            return Some(Failure { which, at: command.at(step)?, what });
        }
        None
    }

    /// What failed after what was told is something new. The rest is told already, in these words or in others.
    fn raise_failure(&mut self, key: ThingKey, rule: &Arc<Rule>, failure: Failure, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        let is_active = self.open_alarm(thing, &rule.id).is_some_and(Alarm::is_active);
        let is_news = self.watch.told.get(&key).is_none_or(|told| failure.which > *told);
        match (is_active, is_news) {
            (true, true) => self.raise_again(key, rule, failure.what, now, effects),
            (true, false) => self.raise_or_reword(key, rule, failure.what, now, effects),
            (false, true) => self.raise(key, rule, failure.what, now, effects),
            (false, false) => {}
        }
        if is_news {
            self.watch.told.insert(key, failure.which);
        }
    }

    /// What an alarm from before the start tells of is told. Of one that is older than the failure nobody can say that it does.
    pub(super) fn remember_told(&mut self, key: ThingKey) {
        let Some(thing) = self.things.get(&key).filter(|_| !self.watch.told.contains_key(&key)) else { return };
        let rule = self.rules.command_failed(thing.ruled);
        let Some(alarm) = rule.and_then(|rule| self.open_alarm(thing, &rule.id)).filter(|alarm| alarm.is_active())
        else {
            return;
        };
        if let Some(failure) = self.failure(thing).filter(|failure| failure.at <= alarm.raised_ms()) {
            self.watch.told.insert(key, failure.which);
        }
    }

    fn convergence(&self, thing: &Thing, rule: &Rule, now: Now) -> Convergence {
        let Condition::NotConverged { after_ms } = rule.condition else { return Convergence::Unknown };
        let open = thing.shadows.values().find_map(|shadow| Some((shadow.current, shadow.open.first()?)));
        // Of a shadow that was not confirmed since we are back nothing new is said, nor of a thing whose silence explains it.
        match open {
            None => Convergence::Fine,
            Some((false, _)) => Convergence::Unknown,
            Some((true, open)) => {
                let long = now.wall.since(open.since_ms) >= after_ms;
                let ours = thing.commands.iter().filter_map(|id| self.commands.get(id));
                let waits = ours.into_iter().any(|command| command.phase.is_open());
                match (long && !waits, thing.silence.freshness()) {
                    (false, _) => Convergence::Fine,
                    (true, Freshness::Silent { .. }) => Convergence::Unknown,
                    (true, Freshness::Never | Freshness::Live | Freshness::Unknown { .. }) => {
                        Convergence::Open(words(open))
                    }
                }
            }
        }
    }

    /// How long something has been wanted of a thing and not reported, in milliseconds, with no command of ours still waiting; 0 when
    /// all is as wanted, `None` where nobody has said so since we are back.
    pub(super) fn not_converged_ms(&self, thing: &Thing, now: Now) -> Option<u64> {
        if thing.shadows.values().any(|shadow| !shadow.current) || self.watch.leaves.is_doubted(thing.key) {
            return None;
        }
        let waits = thing.commands.iter().filter_map(|id| self.commands.get(id)).any(|command| command.phase.is_open());
        let open = thing.shadows.values().filter_map(|shadow| shadow.open.first()).map(|open| open.since_ms).min();
        Some(open.filter(|_| !waits).map_or(0, |since_ms| now.wall.since(since_ms)))
    }

    /// Whether the newest command of a thing failed, lately enough to matter.
    pub(super) fn has_failed_command(&self, thing: &Thing, now: Now) -> bool {
        self.failure(thing).is_some_and(|failure| failure.needs_a_look(now))
    }

    /// While it lasts the device may report something else that is not wanted either.
    fn raise_or_reword(&mut self, key: ThingKey, rule: &Arc<Rule>, what: String, now: Now, effects: &mut Effects) {
        self.raise(key, rule, what.clone(), now, effects);
        let Some(thing) = self.things.get(&key) else { return };
        let other = self.open_alarm(thing, &rule.id).filter(|alarm| alarm.is_active() && alarm.sentence != what);
        if let Some(mut alarm) = other.cloned() {
            alarm.sentence = what;
            self.keep_alarm(alarm, effects);
        }
    }
}

/// What an alarm says of a leaf: `wanted dim_pct 40, reports 100`.
fn words(leaf: &OpenLeaf) -> String {
    let name = leaf.pointer.strip_prefix('/').unwrap_or(&leaf.pointer);
    let reported = leaf.reported.as_deref().unwrap_or("nothing there");
    format!("wanted {name} {}, reports {reported}", leaf.wanted)
}

impl Failure {
    /// What may still happen needs one until a later command succeeds.
    fn needs_a_look(&self, now: Now) -> bool {
        self.which.may_still_happen || now.wall.since(self.at) < FAILED_FOR_MS
    }
}

/// How a command ended.
enum Outcome {
    /// Not yet, or nobody wanted it any more.
    None,
    Good,
    Bad {
        /// The step with which it did.
        step: Step,
        may_still_happen: bool,
        what: String,
    },
}

fn outcome(command: &Command) -> Outcome {
    let bad = |step, what: String| Outcome::Bad { step, may_still_happen: false, what };
    let not_taken_back = |step, code: u16| {
        let what = format!("command could not be taken back ({code}); it may still happen");
        Outcome::Bad { step, may_still_happen: true, what }
    };
    match &command.phase {
        Phase::Rejected { reason, .. } => bad(Step::Rejected, format!("command refused: {reason}")),
        Phase::Expired { withdrawal: Withdrawal::Refused { code } } => not_taken_back(Step::Expired, *code),
        Phase::Cancelled { withdrawal: Withdrawal::Refused { code } } => not_taken_back(Step::Cancelled, *code),
        Phase::Expired { .. } if command.at(Step::Accepted).is_some() => {
            bad(Step::Expired, "command accepted, never obeyed".to_string())
        }
        Phase::Expired { .. } => bad(Step::Expired, "command not answered in time".to_string()),
        Phase::Settled => Outcome::Good,
        Phase::Pending | Phase::Sent | Phase::Accepted { .. } | Phase::Overtaken { .. } | Phase::Cancelled { .. } => {
            Outcome::None
        }
    }
}
