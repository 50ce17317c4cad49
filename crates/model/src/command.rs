//! A command's life, from the outbox to the device and back, as a pure state machine (docs/adr/0004-commands.md).
//!
//! [`Command::apply`] folds what happened into it; [`Command::next`] says what should be sent now. Neither touches the world.

mod edit;
mod next;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use edit::{EDITS_MAX, NotEdited};
pub use next::{Action, ShadowView};

use crate::id::{CommandId, ThingKey};
use crate::identity::Actor;
use crate::shadow::{Rejection, is_met, same_value};
use crate::time::{MonoMs, Now, WallMs};

/// An answer that has not come after this long is asked for with a `get`.
pub const ANSWER_TIMEOUT_MS: u64 = 10_000;

/// One leaf a person wants otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Want {
    /// JSON pointer into `desired`.
    pub pointer: String,
    /// The wanted value.
    pub value: Json,
    /// How far a reported number may be off and still count as obeyed.
    pub tolerance: f64,
    /// The desired value before ours, as the person saw it: what a conflict is measured by. `None`: it was not there.
    pub before: Option<Json>,
    /// What a withdrawal puts back: `before`, or what an unfinished command of ours that this one overtook would have put back.
    pub restore: Option<Json>,
}

impl Want {
    /// Whether a reported value obeys this want: numbers within the tolerance, everything else by equality.
    pub fn is_met_by(&self, have: &Json) -> bool {
        is_met(&self.value, have, self.tolerance)
    }

    fn stands_in(&self, desired: Option<&Json>) -> bool {
        desired.is_some_and(|have| same_value(have, &self.value))
    }
}

/// Where a command stands. These words are stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// In the outbox, not on the wire.
    Pending,
    /// On the wire; no answer yet.
    Sent,
    /// The shadow wants it; the device has not obeyed yet.
    Accepted {
        /// The shadow's version with it.
        version: u64,
    },
    /// The shadow service said no, or somebody else changed a leaf we touch.
    Rejected {
        /// As shadow-protocol.md lists them; 409 for a changed leaf.
        code: u16,
        /// Why, for a person.
        reason: String,
    },
    /// The device reports what was wanted.
    Settled,
    /// A newer command for one of its leaves took its place.
    Overtaken {
        /// The newer one.
        by: CommandId,
    },
    /// Its time ran out first.
    Expired {
        /// Whether it still has to be taken out of `desired`.
        withdrawal: Withdrawal,
    },
    /// A person took it back.
    Cancelled {
        /// Whether it still has to be taken out of `desired`.
        withdrawal: Withdrawal,
    },
}

/// Taking a command out of `desired` again, so that it cannot fire later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Withdrawal {
    /// It never reached the wire.
    NotNeeded,
    /// To do, as soon as the link lets us.
    Needed,
    /// Done: none of its leaves stands in `desired` because of it.
    Done,
    /// The shadow service refused it for good, with this code: the command may still happen.
    Refused {
        /// As shadow-protocol.md lists them.
        code: u16,
    },
    /// It was sent by a convention that has no way to take a command back: it may still happen.
    Impossible,
}

impl Phase {
    /// Whether anything of ours may still change: neither settled, nor refused, nor fully withdrawn.
    pub fn is_open(&self) -> bool {
        match self {
            Phase::Pending | Phase::Sent | Phase::Accepted { .. } => true,
            Phase::Expired { withdrawal } | Phase::Cancelled { withdrawal } => *withdrawal == Withdrawal::Needed,
            Phase::Rejected { .. } | Phase::Settled | Phase::Overtaken { .. } => false,
        }
    }

    /// Whether a person still waits for it.
    pub fn is_waiting(&self) -> bool {
        match self {
            Phase::Pending | Phase::Sent | Phase::Accepted { .. } => true,
            Phase::Expired { .. }
            | Phase::Cancelled { .. }
            | Phase::Rejected { .. }
            | Phase::Settled
            | Phase::Overtaken { .. } => false,
        }
    }
}

/// A step of a command's past, for the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// A person asked; it is in the outbox.
    Asked,
    /// A person changed it while it waited.
    Edited,
    /// It went out.
    Sent,
    /// The shadow took it.
    Accepted,
    /// It was refused.
    Rejected,
    /// The device reports it.
    Settled,
    /// A newer command took its place.
    Overtaken,
    /// Its time ran out.
    Expired,
    /// A person took it back.
    Cancelled,
    /// It is out of `desired` again.
    Withdrawn,
}

/// One request of ours that is on the wire, for this run and this link only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing is on the wire.
    #[default]
    Idle,
    /// Our update met a 409: the shadow must be looked at.
    Conflicted {
        /// The version it was based on.
        base: u64,
    },
    /// A `get` was asked for; counts `gets` to know a newer answer.
    Getting {
        /// When.
        since: MonoMs,
        /// [`ShadowView::gets`] at that moment.
        gets: u64,
        /// The version on which an update was just refused with 409, if that is why.
        refused: Option<u64>,
    },
    /// Our update was published.
    Waiting {
        /// When.
        since: MonoMs,
        /// The version it was based on, 0 when there was no shadow.
        base: u64,
    },
}

/// A command, whole. Everything but `attempt` and `deadline` is kept in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Its id within the cache.
    pub id: CommandId,
    /// The thing it is for.
    pub thing: ThingKey,
    /// The shadow; empty for the classic one.
    pub shadow: String,
    /// Goes with every request and comes back with its answer, and is its trace in the audit log ([`crate::trace::trace_id`]); at most 64
    /// bytes.
    pub token: String,
    /// What is wanted, at least one leaf.
    pub wants: Vec<Want>,
    /// Who asked.
    pub by: Actor,
    /// Who took it back, if anybody did.
    pub cancelled_by: Option<Actor>,
    /// When it must not happen any more.
    pub expires_ms: WallMs,
    /// Where it stands.
    pub phase: Phase,
    /// What happened so far, oldest first.
    pub steps: Vec<(Step, WallMs)>,
    /// What is on the wire now.
    pub attempt: Attempt,
    /// The same end by the clock that cannot be set back; `None` after a restart, when only the wall clock is left.
    pub deadline: Option<MonoMs>,
}

/// What can happen to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Input<'a> {
    /// A request with its token was accepted, at this version.
    Accepted {
        /// The shadow's version with it.
        version: u64,
    },
    /// A request with its token was rejected.
    Rejected(&'a Rejection),
    /// The shadow is known anew (after a `get`, or because somebody changed it).
    Shadow(ShadowView<'a>),
    /// A newer command for all of its leaves exists.
    Overtaken {
        /// The newer one.
        by: CommandId,
    },
    /// Somebody else wants one of its leaves otherwise now; the sentence says which.
    Overwritten(String),
    /// A person takes it back.
    Cancelled(&'a Actor),
    /// Of a thing without a shadow: since it was sent, the thing reports everything that was wanted.
    Obeyed,
    /// Of a thing without a shadow: what was to be sent did not leave.
    NotSent,
    /// Of a thing without a shadow: it cannot be sent, and waiting will not help; the sentence says why.
    Unsendable(String),
    /// Of a thing without a shadow: what was sent cannot be taken back.
    NoWayBack,
    /// Our link fell: whatever was on the wire may or may not have arrived.
    LinkLost,
    /// Time passed.
    TimePassed,
}

impl Command {
    /// Folds one input into the command; true when something that is stored changed.
    pub fn apply(&mut self, input: Input<'_>, now: Now) -> bool {
        let before = self.phase.clone();
        let steps = self.steps.len();
        match input {
            Input::Accepted { version } => self.accepted(version, now),
            Input::Rejected(rejection) => self.rejected(rejection, now),
            Input::Shadow(view) => self.shadow_known(view, now),
            Input::Overtaken { by } if self.phase.is_waiting() => {
                self.enter(Phase::Overtaken { by }, Step::Overtaken, now)
            }
            Input::Overtaken { .. } => {}
            Input::Overwritten(reason) if matches!(self.phase, Phase::Accepted { .. }) => {
                self.enter(Phase::Rejected { code: 409, reason }, Step::Rejected, now);
            }
            Input::Overwritten(_) => {}
            Input::Cancelled(by) if self.phase.is_waiting() => {
                let withdrawal = self.withdrawal_now();
                self.cancelled_by = Some(by.clone());
                self.enter(Phase::Cancelled { withdrawal }, Step::Cancelled, now);
            }
            Input::Cancelled(_) => {}
            Input::Obeyed if self.phase == Phase::Sent => self.enter(Phase::Settled, Step::Settled, now),
            Input::Obeyed => {}
            Input::NotSent if self.phase == Phase::Sent => {
                self.phase = Phase::Pending;
                self.steps.pop_if(|(step, _)| *step == Step::Sent);
                // Not at once again: the queue is full, or it is too large every time.
                self.attempt = Attempt::Waiting { since: now.mono, base: 0 };
            }
            Input::NotSent => {}
            Input::Unsendable(reason) if self.phase == Phase::Pending => {
                self.enter(Phase::Rejected { code: 400, reason }, Step::Rejected, now);
            }
            Input::Unsendable(_) => {}
            Input::NoWayBack if !self.phase.is_waiting() && self.phase.is_open() => {
                self.end_withdrawal(Withdrawal::Impossible);
            }
            Input::NoWayBack => {}
            Input::LinkLost => self.attempt = Attempt::Idle,
            Input::TimePassed => self.time_passed(now),
        }
        self.phase != before || self.steps.len() != steps
    }

    /// When a step was last taken.
    pub fn at(&self, step: Step) -> Option<WallMs> {
        self.steps.iter().rev().find(|(s, _)| *s == step).map(|(_, at)| *at)
    }

    /// Whether the shadow wanted it and the device did not do it in its time: another thing than one that never came so far.
    pub fn is_never_obeyed(&self) -> bool {
        matches!(self.phase, Phase::Expired { .. }) && self.at(Step::Accepted).is_some()
    }

    /// Milliseconds until it must not happen any more, by whichever clock says sooner; 0 when that is past.
    pub fn left_ms(&self, now: Now) -> u64 {
        let wall = self.expires_ms.since(now.wall);
        self.deadline.map_or(wall, |end| end.since(now.mono).min(wall))
    }

    /// When time alone changes something of it next, by either clock: its end, or that of waiting for an answer. Nothing does while both
    /// are later than now.
    pub fn due(&self) -> (Option<MonoMs>, Option<WallMs>) {
        let is_waiting = self.phase.is_waiting();
        let answer = match self.attempt {
            Attempt::Idle | Attempt::Conflicted { .. } => None,
            Attempt::Getting { since, .. } | Attempt::Waiting { since, .. } => Some(since.plus(ANSWER_TIMEOUT_MS)),
        };
        let end = self.deadline.filter(|_| is_waiting);
        (answer.into_iter().chain(end).min(), is_waiting.then_some(self.expires_ms))
    }

    /// Whether both touch the same leaf of the same shadow, or one holds the other's.
    pub fn overlaps(&self, other: &Command) -> bool {
        self.thing == other.thing
            && self.shadow == other.shadow
            && self
                .wants
                .iter()
                .any(|a| other.wants.iter().any(|b| within(&a.pointer, &b.pointer) || within(&b.pointer, &a.pointer)))
    }

    fn accepted(&mut self, version: u64, now: Now) {
        match self.phase {
            Phase::Sent => self.enter(Phase::Accepted { version }, Step::Accepted, now),
            // Nothing of it has left: the answer is to somebody who says our token.
            Phase::Pending => {}
            Phase::Expired { withdrawal: Withdrawal::Needed } | Phase::Cancelled { withdrawal: Withdrawal::Needed } => {
                // The answer may be to the command itself, which overtook its own end, or to the withdrawal: only a look at the shadow tells.
                self.attempt = Attempt::Idle;
            }
            // Late news of something thought to be out of `desired`: look again.
            Phase::Expired { withdrawal: Withdrawal::Done } => {
                self.phase = Phase::Expired { withdrawal: Withdrawal::Needed }
            }
            Phase::Cancelled { withdrawal: Withdrawal::Done } => {
                self.phase = Phase::Cancelled { withdrawal: Withdrawal::Needed }
            }
            Phase::Accepted { .. }
            | Phase::Rejected { .. }
            | Phase::Settled
            | Phase::Overtaken { .. }
            | Phase::Expired { .. }
            | Phase::Cancelled { .. } => {}
        }
    }

    fn rejected(&mut self, rejection: &Rejection, now: Now) {
        match self.phase {
            // 409 may be the answer to our own success, or a change that does not concern our leaves: look before judging.
            Phase::Sent if rejection.code == 409 => self.conflicted(),
            // Busy or broken for a moment: the time-out brings us back without hammering.
            Phase::Sent if rejection.is_transient() => {}
            Phase::Sent => {
                let refusal = Phase::Rejected { code: rejection.code, reason: rejection.message.clone() };
                self.enter(refusal, Step::Rejected, now);
            }
            Phase::Expired { withdrawal: Withdrawal::Needed } | Phase::Cancelled { withdrawal: Withdrawal::Needed } => {
                match rejection.code {
                    409 => self.conflicted(),
                    _ if rejection.is_transient() => {}
                    code => self.end_withdrawal(Withdrawal::Refused { code }),
                }
            }
            Phase::Pending
            | Phase::Accepted { .. }
            | Phase::Rejected { .. }
            | Phase::Settled
            | Phase::Overtaken { .. }
            | Phase::Expired { .. }
            | Phase::Cancelled { .. } => {}
        }
    }

    fn shadow_known(&mut self, view: ShadowView<'_>, now: Now) {
        let newer_than_ours = match (&self.phase, self.attempt) {
            (Phase::Accepted { version }, _) => view.version >= *version,
            (Phase::Sent, Attempt::Waiting { base, .. }) => view.version > base,
            (Phase::Sent, Attempt::Idle | Attempt::Conflicted { .. } | Attempt::Getting { .. }) => false,
            (
                Phase::Pending
                | Phase::Rejected { .. }
                | Phase::Settled
                | Phase::Overtaken { .. }
                | Phase::Expired { .. }
                | Phase::Cancelled { .. },
                _,
            ) => false,
        };
        if newer_than_ours && self.is_obeyed(view) {
            self.enter(Phase::Settled, Step::Settled, now);
        }
    }

    /// Reported equals every want, and nothing else is wanted in its place.
    fn is_obeyed(&self, view: ShadowView<'_>) -> bool {
        self.wants.iter().all(|want| {
            let wanted_still = view.desired(&want.pointer).is_none_or(|desired| same_value(desired, &want.value));
            wanted_still && view.reported(&want.pointer).is_some_and(|have| want.is_met_by(have))
        })
    }

    /// Why an accepted command can no longer be obeyed: somebody else wants one of its leaves otherwise.
    pub fn overwritten(&self, view: ShadowView<'_>) -> Option<String> {
        let Phase::Accepted { version } = self.phase else { return None };
        if view.version <= version {
            return None;
        }
        let other = |want: &Want| {
            let desired = view.desired(&want.pointer)?;
            (!same_value(desired, &want.value))
                .then(|| format!("somebody else set {} to {desired} meanwhile", want.pointer))
        };
        self.wants.iter().find_map(other)
    }

    /// Leaves the leaves that `newer` sets to it; true when none is left and the command is overtaken as a whole.
    pub fn yield_to(&mut self, newer: &Command) -> bool {
        let theirs = |want: &Want| {
            newer.wants.iter().any(|w| within(&want.pointer, &w.pointer) || within(&w.pointer, &want.pointer))
        };
        if self.wants.iter().all(theirs) {
            return true;
        }
        self.wants.retain(|want| !theirs(want));
        false
    }

    fn conflicted(&mut self) {
        self.attempt = match self.attempt {
            Attempt::Waiting { base, .. } => Attempt::Conflicted { base },
            Attempt::Idle | Attempt::Conflicted { .. } | Attempt::Getting { .. } => Attempt::Idle,
        };
    }

    fn end_withdrawal(&mut self, as_it_is: Withdrawal) {
        self.attempt = Attempt::Idle;
        match &mut self.phase {
            Phase::Expired { withdrawal } | Phase::Cancelled { withdrawal } => *withdrawal = as_it_is,
            Phase::Pending
            | Phase::Sent
            | Phase::Accepted { .. }
            | Phase::Rejected { .. }
            | Phase::Settled
            | Phase::Overtaken { .. } => {}
        }
    }

    fn time_passed(&mut self, now: Now) {
        if self.phase.is_waiting() && self.left_ms(now) == 0 {
            let withdrawal = self.withdrawal_now();
            self.enter(Phase::Expired { withdrawal }, Step::Expired, now);
        }
        let since = match self.attempt {
            Attempt::Idle | Attempt::Conflicted { .. } => return,
            Attempt::Getting { since, .. } | Attempt::Waiting { since, .. } => since,
        };
        if now.mono.since(since) >= ANSWER_TIMEOUT_MS {
            self.attempt = Attempt::Idle;
        }
    }

    fn withdrawal_now(&self) -> Withdrawal {
        if self.phase == Phase::Pending { Withdrawal::NotNeeded } else { Withdrawal::Needed }
    }

    fn enter(&mut self, phase: Phase, step: Step, now: Now) {
        self.phase = phase;
        self.attempt = Attempt::Idle;
        self.steps.push((step, now.wall));
    }
}

/// Whether `a` is the leaf `b` or lies below it.
fn within(a: &str, b: &str) -> bool {
    a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
