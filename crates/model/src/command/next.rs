//! What a command should send now.

use serde_json::Value as Json;

use super::{Attempt, Command, Input, Phase, Step, Withdrawal};
use crate::shadow::{Document, Object, leaf_at, patch_of, same_value};
use crate::time::Now;

/// What we know of the shadow that a command is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShadowView<'a> {
    /// The newest document; `None` when there is none (404) or none is known.
    pub document: Option<&'a Document>,
    /// Its version, 0 without one.
    pub version: u64,
    /// Whether a `get` was answered since the link is up, so that versions are worth sending.
    pub current: bool,
    /// How many `get`s were answered since the start.
    pub gets: u64,
}

impl<'a> ShadowView<'a> {
    /// The desired value at a pointer.
    pub fn desired(&self, pointer: &str) -> Option<&'a Json> {
        self.document.and_then(|d| d.desired.as_ref()).and_then(|section| leaf_at(section, pointer))
    }

    /// The reported value at a pointer.
    pub fn reported(&self, pointer: &str) -> Option<&'a Json> {
        self.document.and_then(|d| d.reported.as_ref()).and_then(|section| leaf_at(section, pointer))
    }
}

/// What to put on the wire for a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask for the shadow; its answer is a [`super::Input::Shadow`].
    Get,
    /// Publish an update of `desired`.
    Update {
        /// The patch; nulls take leaves away.
        desired: Object,
        /// The version it is based on; `None` where there is no shadow yet.
        version: Option<u64>,
    },
}

impl Command {
    /// Decides what to send now, and remembers that it is on the wire. Call it after every input and whenever the link is up;
    /// `None` means wait. Only while the link is up.
    pub fn next(&mut self, view: ShadowView<'_>, now: Now) -> Option<Action> {
        // A computer that slept hears the broker before the next tick: what is over must not leave now.
        if self.phase.is_waiting() && self.left_ms(now) == 0 {
            self.apply(Input::TimePassed, now);
        }
        let withdrawing = matches!(
            self.phase,
            Phase::Expired { withdrawal: Withdrawal::Needed } | Phase::Cancelled { withdrawal: Withdrawal::Needed }
        );
        match (&self.phase, self.attempt) {
            (_, Attempt::Waiting { .. }) => None,
            (Phase::Pending, _) if view.current => self.publish(view, now),
            (Phase::Pending, Attempt::Idle | Attempt::Conflicted { .. }) => self.get(None, view, now),
            // It may have arrived although we heard no answer: look first (ADR 4).
            (Phase::Sent, Attempt::Idle) => self.get(None, view, now),
            (Phase::Sent, Attempt::Conflicted { base }) => self.get(Some(base), view, now),
            (_, Attempt::Idle) if withdrawing => self.get(None, view, now),
            (_, Attempt::Conflicted { base }) if withdrawing => self.get(Some(base), view, now),
            (_, Attempt::Getting { gets, refused, .. }) if view.gets > gets => {
                if refused == Some(view.version) {
                    // A service that refuses the very version it tells contradicts itself: once per time-out is enough.
                    self.attempt = Attempt::Waiting { since: now.mono, base: view.version };
                    None
                } else if withdrawing {
                    self.withdraw(view, now)
                } else if self.phase == Phase::Sent {
                    self.look_after_sending(view, now)
                } else {
                    None
                }
            }
            (_, Attempt::Getting { .. }) => None,
            (
                Phase::Accepted { .. }
                | Phase::Rejected { .. }
                | Phase::Settled
                | Phase::Overtaken { .. }
                | Phase::Expired { .. }
                | Phase::Cancelled { .. },
                Attempt::Idle | Attempt::Conflicted { .. },
            ) => None,
        }
    }

    /// Whether [`Command::next`] begins a request now: nothing of the command is on the wire, and something is to be.
    pub fn begins_a_request(&self) -> bool {
        let is_idle = !self.is_on_the_wire();
        match &self.phase {
            Phase::Pending | Phase::Sent => is_idle,
            Phase::Expired { withdrawal } | Phase::Cancelled { withdrawal } => {
                is_idle && *withdrawal == Withdrawal::Needed
            }
            Phase::Accepted { .. } | Phase::Rejected { .. } | Phase::Settled | Phase::Overtaken { .. } => false,
        }
    }

    /// Whether an answer to a request of it is waited for.
    pub fn is_on_the_wire(&self) -> bool {
        matches!(self.attempt, Attempt::Getting { .. } | Attempt::Waiting { .. })
    }

    /// Of a thing without a shadow: whether it is to be sent now, which it is once. It is never sent again by itself, since nothing
    /// tells whether it arrived but the thing that obeys. Only while the link is up.
    pub fn send_once(&mut self, now: Now) -> bool {
        if self.phase.is_waiting() && self.left_ms(now) == 0 {
            self.apply(Input::TimePassed, now);
        }
        let is_to_be_sent = self.phase == Phase::Pending && self.attempt == Attempt::Idle;
        if is_to_be_sent {
            self.enter(Phase::Sent, Step::Sent, now);
        }
        is_to_be_sent
    }

    fn get(&mut self, refused: Option<u64>, view: ShadowView<'_>, now: Now) -> Option<Action> {
        self.attempt = Attempt::Getting { since: now.mono, gets: view.gets, refused };
        Some(Action::Get)
    }

    fn publish(&mut self, view: ShadowView<'_>, now: Now) -> Option<Action> {
        if let Some(reason) = self.conflict(view) {
            self.enter(Phase::Rejected { code: 409, reason }, Step::Rejected, now);
            return None;
        }
        if self.phase == Phase::Pending {
            self.enter(Phase::Sent, Step::Sent, now);
        }
        self.attempt = Attempt::Waiting { since: now.mono, base: view.version };
        let leaves: Vec<(String, Json)> = self.wants.iter().map(|w| (w.pointer.clone(), w.value.clone())).collect();
        Some(Action::Update { desired: patch_of(&leaves), version: view.document.map(|d| d.version) })
    }

    fn look_after_sending(&mut self, view: ShadowView<'_>, now: Now) -> Option<Action> {
        if self.wants.iter().all(|w| w.stands_in(view.desired(&w.pointer))) {
            self.enter(Phase::Accepted { version: view.version }, Step::Accepted, now);
            self.shadow_known(view, now);
            return None;
        }
        self.publish(view, now)
    }

    /// A leaf we touch that neither we nor the person's own screen left as it is now.
    fn conflict(&self, view: ShadowView<'_>) -> Option<String> {
        self.wants.iter().find_map(|want| {
            let now = view.desired(&want.pointer);
            let unchanged = match (now, &want.before) {
                (Some(now), Some(before)) => same_value(now, before),
                (None, None) => true,
                // The device may clear a leaf it has obeyed; that is no change of mind of anybody's.
                (None, Some(_)) => true,
                (Some(_), None) => false,
            };
            let why = || match now {
                Some(now) => format!("somebody else set {} to {now} meanwhile", want.pointer),
                None => format!("somebody else removed {} meanwhile", want.pointer),
            };
            (!unchanged && !want.stands_in(now)).then(why)
        })
    }

    fn withdraw(&mut self, view: ShadowView<'_>, now: Now) -> Option<Action> {
        if let Some(obeyed_s) = self.obeyed_at_s(view) {
            // The device did it while nobody looked. Putting the old value back would undo what was asked for.
            if obeyed_s <= self.expires_ms.as_s() {
                self.enter(Phase::Settled, Step::Settled, now);
            } else {
                self.end_withdrawal(Withdrawal::Done);
            }
            return None;
        }
        let ours = self.wants.iter().filter(|w| w.stands_in(view.desired(&w.pointer)));
        let back: Vec<(String, Json)> = ours
            .filter(|w| w.restore.as_ref().is_none_or(|restore| !same_value(restore, &w.value)))
            .map(|w| (w.pointer.clone(), w.restore.clone().unwrap_or(Json::Null)))
            .collect();
        if back.is_empty() {
            self.end_withdrawal(Withdrawal::Done);
            self.steps.push((Step::Withdrawn, now.wall));
            return None;
        }
        self.attempt = Attempt::Waiting { since: now.mono, base: view.version };
        Some(Action::Update { desired: patch_of(&back), version: view.document.map(|d| d.version) })
    }

    /// When the device reported the last of the wants, in epoch seconds, if it reports them all and nothing else is wanted.
    fn obeyed_at_s(&self, view: ShadowView<'_>) -> Option<i64> {
        let document = view.document.filter(|_| self.is_obeyed(view))?;
        let leaves = document.leaves();
        let reported = |want: &super::Want| {
            let leaf = leaves.iter().find(|leaf| leaf.pointer == want.pointer)?;
            leaf.reported_at_s
        };
        Some(self.wants.iter().filter_map(reported).max().unwrap_or(document.timestamp_s))
    }
}
