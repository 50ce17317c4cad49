//! A bulk command: the same wish for many things, released in batches (docs/adr/0012-bulk.md).
//!
//! Each of its things gets one ordinary command, of which everything holds that holds of any (docs/adr/0004-commands.md). The bulk
//! command only says when which thing is asked, keeps what came of each, and ends itself where too many fail.

mod order;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use order::{BATCH_MAX, EVERY_MAX_S, Order, Rollout, Target, WISHES_MAX, Wish};

use crate::command::Phase;
use crate::id::{BulkId, CommandId, ThingKey};
use crate::identity::Actor;
use crate::time::{MonoMs, Now, WallMs};

/// Things that one bulk command may be for.
pub const THINGS_MAX: usize = 20_000;

/// Bulk commands that are kept; of more the oldest that has ended goes.
pub const BULKS_MAX: usize = 50;

/// Things in all bulk commands that are kept; of more the oldest that has ended goes.
pub const ROWS_MAX: usize = 100_000;

/// Where a bulk command stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Batches are released.
    Running,
    /// A person holds it: nothing more is released, what was released goes on.
    Paused,
    /// Too many failed.
    Aborted {
        /// In a sentence.
        why: String,
    },
    /// A person ended it.
    Stopped {
        /// Who.
        by: Actor,
    },
    /// All of its things are through.
    Done,
    /// It holds itself until a person looked at it.
    Held {
        /// In a sentence.
        why: String,
    },
}

impl State {
    /// The word that is stored and exported.
    pub fn word(&self) -> &'static str {
        match self {
            State::Running => "running",
            State::Paused | State::Held { .. } => "held",
            State::Aborted { .. } => "aborted",
            State::Stopped { .. } => "stopped",
            State::Done => "done",
        }
    }

    /// Whether anything may still be released.
    pub fn is_open(&self) -> bool {
        match self {
            State::Running | State::Paused | State::Held { .. } => true,
            State::Aborted { .. } | State::Stopped { .. } | State::Done => false,
        }
    }
}

/// A bulk command without its things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its id within the cache.
    pub id: BulkId,
    /// Who asked.
    pub by: Actor,
    /// When.
    pub asked_ms: WallMs,
    /// What for.
    pub order: Order,
    /// Where it stands.
    pub state: State,
    /// When a thing was last released.
    pub released_ms: Option<WallMs>,
    /// When it ended.
    pub ended_ms: Option<WallMs>,
    /// When a person last let it go on.
    #[serde(default)]
    pub gone_on_ms: Option<WallMs>,
    /// When things last joined while nothing waited: before that nothing was kept from its release.
    #[serde(default)]
    pub joined_ms: Option<WallMs>,
}

/// How far one of its things is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Not released.
    Waits,
    /// It has a command.
    Asked {
        /// Which one.
        command: CommandId,
        /// Where that stands, or how it ended.
        phase: Phase,
        /// Since when.
        at_ms: WallMs,
        /// Whether its time ran out after the shadow took it: the thing did not obey. Rows of before say it never.
        #[serde(default)]
        never_obeyed: bool,
    },
    /// It is so already: nothing was asked of it.
    Same,
    /// Nothing can be asked of it.
    Cannot {
        /// Why, in a sentence.
        why: String,
    },
}

/// One of its things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which one.
    pub thing: ThingKey,
    /// How far it is.
    pub progress: Progress,
}

/// What came of a thing, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not released.
    Waiting,
    /// Its command waits, is on its way or was not obeyed yet.
    Open,
    /// It obeyed.
    Settled,
    /// Its command was rejected.
    Rejected,
    /// Its command's time ran out before anybody took it.
    Expired,
    /// Its command was taken, and its time ran out.
    NeverObeyed,
    /// Its command was taken back, or another took its place.
    Ended,
    /// It was so already.
    Same,
    /// Nothing can be asked of it.
    Cannot,
}

impl Outcome {
    /// Whether it did not become so, and no person meant that.
    pub fn is_failed(self) -> bool {
        match self {
            Outcome::Rejected | Outcome::Expired | Outcome::NeverObeyed | Outcome::Cannot => true,
            Outcome::Waiting | Outcome::Open | Outcome::Settled | Outcome::Ended | Outcome::Same => false,
        }
    }
}

impl Progress {
    /// What of it is counted.
    pub fn outcome(&self) -> Outcome {
        match self {
            Progress::Waits => Outcome::Waiting,
            Progress::Same => Outcome::Same,
            Progress::Cannot { .. } => Outcome::Cannot,
            Progress::Asked { phase, never_obeyed, .. } => match phase {
                Phase::Pending | Phase::Sent | Phase::Accepted { .. } => Outcome::Open,
                Phase::Settled => Outcome::Settled,
                Phase::Rejected { .. } => Outcome::Rejected,
                Phase::Expired { .. } if *never_obeyed => Outcome::NeverObeyed,
                Phase::Expired { .. } => Outcome::Expired,
                Phase::Overtaken { .. } | Phase::Cancelled { .. } => Outcome::Ended,
            },
        }
    }
}

/// How many things there are of each [`Outcome`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// [`Outcome::Waiting`].
    pub waiting: u32,
    /// [`Outcome::Open`].
    pub open: u32,
    /// [`Outcome::Settled`].
    pub settled: u32,
    /// [`Outcome::Rejected`].
    pub rejected: u32,
    /// [`Outcome::Expired`].
    pub expired: u32,
    /// [`Outcome::NeverObeyed`].
    pub never_obeyed: u32,
    /// [`Outcome::Ended`].
    pub ended: u32,
    /// [`Outcome::Same`].
    pub same: u32,
    /// [`Outcome::Cannot`].
    pub cannot: u32,
}

impl Counts {
    /// Those that did not do what was asked of them.
    pub fn failed(&self) -> u32 {
        self.rejected + self.expired + self.never_obeyed
    }

    /// Those that did it or failed. Who took a command back says nothing about its thing.
    pub fn finished(&self) -> u32 {
        self.settled + self.failed()
    }

    fn of(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::Waiting => &mut self.waiting,
            Outcome::Open => &mut self.open,
            Outcome::Settled => &mut self.settled,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Expired => &mut self.expired,
            Outcome::NeverObeyed => &mut self.never_obeyed,
            Outcome::Ended => &mut self.ended,
            Outcome::Same => &mut self.same,
            Outcome::Cannot => &mut self.cannot,
        }
    }
}

/// What may be released in the time that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    /// When the next batch may begin.
    next: MonoMs,
    /// What is left of this one until then.
    left: u32,
}

/// A bulk command, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Bulk {
    head: Head,
    rows: Vec<Row>,
    places: HashMap<ThingKey, u32>,
    /// All before it were released, or never are.
    first_waiting: usize,
    counts: Counts,
    turn: Option<Turn>,
    /// When nothing kept it from releasing last, in this run.
    free: Option<Now>,
}

impl Bulk {
    /// A new one, without things.
    pub fn new(head: Head) -> Bulk {
        let (rows, places) = (Vec::new(), HashMap::new());
        Bulk { head, rows, places, first_waiting: 0, counts: Counts::default(), turn: None, free: None }
    }

    /// One that was kept. The next batch waits out what is left of its time by the wall clock, and never longer than that whole time.
    pub fn restored(head: Head, rows: Vec<Row>, now: Now) -> Bulk {
        let every_ms = u64::from(head.order.rollout.every_s) * 1_000;
        let left_ms = head.released_ms.map_or(0, |last| every_ms.saturating_sub(now.wall.since(last)));
        let mut bulk = Bulk::new(head);
        bulk.join(rows);
        bulk.turn = Some(Turn { next: now.mono.plus(left_ms), left: 0 });
        bulk
    }

    /// Everything of it but its things.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Its things, in the order in which they are released.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many there are of each outcome.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Where a thing stands among its things, from 0.
    pub fn place(&self, thing: ThingKey) -> Option<u32> {
        self.places.get(&thing).copied()
    }

    /// Further things, behind those that are there; known ones and what is over [`THINGS_MAX`] are left out. Gives the place of the
    /// first one that is new.
    pub fn join(&mut self, rows: impl IntoIterator<Item = Row>) -> u32 {
        let first = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        for row in rows {
            if self.rows.len() >= THINGS_MAX {
                break;
            }
            let place = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            if self.places.contains_key(&row.thing) {
                continue;
            }
            self.places.insert(row.thing, place);
            *self.counts.of(row.progress.outcome()) += 1;
            self.rows.push(row);
        }
        first
    }

    /// The next things to ask something of, at most a batch; none while it does not run or the last batch is too young.
    pub fn due(&self, now: Now) -> Vec<ThingKey> {
        let room = if self.head.state == State::Running { self.room(now) } else { 0 };
        self.waiting().take(room as usize).collect()
    }

    /// The things that will be due next, at most a batch, whatever the time.
    pub fn ahead(&self) -> impl Iterator<Item = ThingKey> + '_ {
        self.waiting().take(self.head.order.rollout.batch as usize)
    }

    /// A thing is released: its command is this one. False, and nothing is changed, for one that is not due.
    pub fn ask(&mut self, thing: ThingKey, command: CommandId, now: Now) -> bool {
        let room = self.room(now);
        let waits = self.row(thing).is_some_and(|row| row.progress == Progress::Waits);
        if self.head.state != State::Running || room == 0 || !waits {
            return false;
        }
        self.set(thing, Progress::Asked { command, phase: Phase::Pending, at_ms: now.wall, never_obeyed: false });
        // From the last one on: so no stretch of that length holds more than a batch.
        let next = now.mono.plus(u64::from(self.head.order.rollout.every_s) * 1_000);
        self.turn = Some(Turn { next, left: room - 1 });
        self.head.released_ms = Some(now.wall);
        true
    }

    /// Nothing is asked of a thing that waits; `why` is `None` where it is so already. False for one that does not wait.
    pub fn leave_out(&mut self, thing: ThingKey, why: Option<String>) -> bool {
        let waits = self.row(thing).is_some_and(|row| row.progress == Progress::Waits);
        if waits {
            self.set(thing, why.map_or(Progress::Same, |why| Progress::Cannot { why }));
        }
        waits
    }

    /// The command of a thing took a step, at this time. True when the row has to be kept anew: until its end its command says where it stands.
    pub fn tell(&mut self, thing: ThingKey, told: CommandId, phase: &Phase, never_obeyed: bool, at_ms: WallMs) -> bool {
        let Some(Row { progress: Progress::Asked { command, phase: known, never_obeyed: was, .. }, .. }) =
            self.row(thing)
        else {
            return false;
        };
        if *command != told || (known, *was) == (phase, never_obeyed) {
            return false;
        }
        self.set(thing, Progress::Asked { command: told, phase: phase.clone(), at_ms, never_obeyed });
        !phase.is_waiting()
    }

    /// The command of a thing is not known any more, so nobody knows what came of it. False for one that has none that waits.
    pub fn lose(&mut self, thing: ThingKey) -> bool {
        let is_open = self.row(thing).is_some_and(|row| row.progress.outcome() == Outcome::Open);
        if is_open {
            let why = "its command was lost with a damaged part of the cache; look what the thing does".to_owned();
            self.set(thing, Progress::Cannot { why });
        }
        is_open
    }

    /// A person holds it, or lets it go on. False where there is nothing to hold.
    pub fn pause(&mut self, held: bool, now: Now) -> bool {
        let is_held = matches!(self.head.state, State::Paused | State::Held { .. });
        let can = if held { self.head.state == State::Running } else { is_held };
        if can && held {
            self.head.state = State::Paused;
        } else if can {
            self.head.state = State::Running;
            // Whoever lets it go on wants it now: what was before that does not count.
            (self.head.gone_on_ms, self.free) = (Some(now.wall), Some(now));
        }
        can
    }

    /// Nothing keeps it from releasing at this time.
    pub fn note_free(&mut self, now: Now) {
        self.free = Some(now);
    }

    /// Things are about to join. True when nothing has waited, so that what waits from now on is late only by what comes after this; the
    /// head has to be kept anew then, or a restart would not know it.
    pub fn note_joining(&mut self, now: Now) -> bool {
        let waited = self.waiting().next().is_some();
        if !waited {
            self.head.joined_ms = Some(now.wall);
        }
        !waited
    }

    /// For how long what waits could have been released and was not, in milliseconds, by whichever clock says more: one that is set back
    /// hides nothing, and one that stands still while a computer sleeps neither.
    pub fn late_ms(&self, now: Now) -> u64 {
        if self.head.state != State::Running || self.waiting().next().is_none() {
            return 0;
        }
        // A time that is still to come was noted by a clock that was wrong: what is late by the right one would pass for timely until then.
        let was = |at: &WallMs| *at <= now.wall;
        if self.free.is_none() && !was(&self.head.asked_ms) {
            // Nothing that is kept says for how long it has waited.
            return u64::MAX;
        }
        let every_ms = i64::from(self.head.order.rollout.every_s) * 1_000;
        let turn = self.head.released_ms.filter(was).map(|last| last.plus(every_ms));
        // Of this run, which the other clock measures as well.
        let free = self.free.map(|free| free.wall);
        let since = [turn, free, self.head.gone_on_ms.filter(was), self.head.joined_ms.filter(was)]
            .into_iter()
            .flatten()
            .fold(self.head.asked_ms, WallMs::max);
        let turn = self.turn.map_or(MonoMs(0), |turn| turn.next);
        let by_mono = self.free.map_or(0, |free| now.mono.since(free.mono.max(turn)));
        now.wall.since(since).max(by_mono)
    }

    /// It holds itself where what waits is late by more than its commands may wait: nobody knows whether it is still wanted. True when it
    /// does.
    pub fn hold_if_late(&mut self, may_wait_ms: u64, now: Now) -> bool {
        let is_late = self.late_ms(now) > may_wait_ms;
        if is_late {
            let why = format!(
                "nothing could be released for longer than a command of it may wait ({})",
                crate::alarm::duration(may_wait_ms)
            );
            self.head.state = State::Held { why };
        }
        is_late
    }

    /// It holds itself until a person looked at it, because `why`. False where it does not run.
    pub fn hold(&mut self, why: String) -> bool {
        let runs = self.head.state == State::Running;
        if runs {
            self.head.state = State::Held { why };
        }
        runs
    }

    /// A person ends it. False when it has ended.
    pub fn stop(&mut self, by: Actor, now: Now) -> bool {
        let can = self.head.state.is_open();
        if can {
            self.end(State::Stopped { by }, now);
        }
        can
    }

    /// Whether it ends by itself now: because all is done, or because too many failed. True when it did.
    pub fn judge(&mut self, now: Now) -> bool {
        if !self.head.state.is_open() {
            return false;
        }
        let (counts, rollout) = (self.counts, self.head.order.rollout);
        if counts.waiting + counts.open == 0 && !self.head.order.continuous {
            self.end(State::Done, now);
            return true;
        }
        let (failed, finished) = (counts.failed(), counts.finished());
        let is_over = |pct: u8| u64::from(failed) * 100 >= u64::from(pct) * u64::from(finished);
        match rollout.abort_at_pct {
            Some(pct) if finished >= rollout.abort_after && is_over(pct) => {
                let why = format!("{failed} of {finished} that finished have failed; it aborts at {pct} %");
                self.end(State::Aborted { why }, now);
                true
            }
            Some(_) | None => false,
        }
    }

    fn end(&mut self, state: State, now: Now) {
        self.head.state = state;
        self.head.ended_ms = Some(now.wall);
    }

    /// How many may be released now.
    fn room(&self, now: Now) -> u32 {
        match self.turn {
            Some(turn) if now.mono < turn.next => turn.left,
            Some(_) | None => self.head.order.rollout.batch,
        }
    }

    fn waiting(&self) -> impl Iterator<Item = ThingKey> + '_ {
        let rest = self.rows.get(self.first_waiting..).unwrap_or_default();
        rest.iter().filter(|row| row.progress == Progress::Waits).map(|row| row.thing)
    }

    fn row(&self, thing: ThingKey) -> Option<&Row> {
        self.rows.get(self.place(thing)? as usize)
    }

    fn set(&mut self, thing: ThingKey, progress: Progress) {
        let Some(row) = self.places.get(&thing).and_then(|place| self.rows.get_mut(*place as usize)) else { return };
        *self.counts.of(row.progress.outcome()) -= 1;
        *self.counts.of(progress.outcome()) += 1;
        row.progress = progress;
        while self.rows.get(self.first_waiting).is_some_and(|row| row.progress != Progress::Waits) {
            self.first_waiting += 1;
        }
    }
}

#[cfg(test)]
mod tests;
