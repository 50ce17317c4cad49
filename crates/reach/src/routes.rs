//! Which notice goes where and when: a pure state machine. Time is an argument, and so is chance; what has to be written and sent
//! comes out as [`Effects`].
//!
//! A notice enters once for each route that is for it and leaves it once: delivered, given up (refused, or tried for too long) or
//! left out because too many were waiting; the latter two are counted. Notices of one route that wait together are sent together.
//! There is one attempt at a time a route, and what was tried together is tried together again under the same delivery id.

mod line;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::{Now, WallMs};

use crate::notice::{Event, Notice, Occurrence};
use crate::outbox::{Kept, Record, Waiting};
use crate::quiet::Quiet;
use crate::retry::{Outcome, Patience};

use line::Line;
use watch::Watch;

/// So many occurrences are remembered as told, so that one that is told once more is not sent once more.
const REMEMBERED_MAX: usize = 10_000;

/// Alarms that are over of which the journal remembers what was told.
const ENDED_MAX: usize = 1_000;

/// While something is held back by quiet hours, their end is looked for so often, in milliseconds: it is the wall clock's, and that
/// one may be set.
const LOOK_MS: u64 = 5_000;

/// Which notices go through one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Unique among all.
    pub name: String,
    /// Alarms of this priority and above.
    pub from: Priority,
    /// How long an alarm must be active without anybody acknowledging it before it goes here, in milliseconds; 0 for at once.
    pub after_ms: u64,
    /// Whether it is also told here that an alarm is over.
    pub cleared: bool,
    /// When nothing is sent here.
    pub quiet: Option<Quiet>,
    /// Alarms of this priority and above are sent in quiet hours as well; `None` for none.
    pub at_once: Option<Priority>,
}

impl Route {
    /// Whether a notice has to wait now.
    fn holds(&self, notice: &Notice, at: WallMs) -> bool {
        let waits = self.at_once.is_none_or(|at_once| notice.priority < at_once);
        waits && self.quiet.as_ref().is_some_and(|quiet| quiet.is_quiet(at))
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// An alarm was raised, told again, or is over. The same event told twice is told once, within a run as far as the last 10 000
    /// events; over a restart as far as the last 16 of an alarm, for those that are active and the last 1 000 that are over.
    Told(Notice),
    /// Somebody has acknowledged an alarm.
    Acknowledged(AlarmId),
    /// What became of a [`Parcel`].
    Answered {
        /// Its route.
        route: String,
        /// Its delivery id.
        delivery: String,
        /// What became of it.
        outcome: Outcome,
    },
    /// Nothing but time.
    TimePassed,
}

/// What is sent through one route at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// The route's name.
    pub route: String,
    /// The same for every attempt, also after a restart, and unlike that of every other parcel: 32 hexadecimal digits.
    pub delivery: String,
    /// When this attempt begins.
    pub at: WallMs,
    /// At least one, the oldest first.
    pub notices: Vec<Notice>,
    /// Notices of this route that were given up or left out since the last parcel.
    pub left_out: u64,
}

/// What has to be done, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// To be written.
    pub put: Vec<Record>,
    /// To be removed.
    pub removed: Vec<u64>,
    /// To be sent, and answered with [`Input::Answered`].
    pub parcels: Vec<Parcel>,
}

/// How one route stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The route's name.
    pub route: String,
    /// Notices that wait, also for the end of quiet hours, or are on their way.
    pub waiting: usize,
    /// Notices delivered since the start.
    pub delivered: u64,
    /// Notices left out since the start, because too many were waiting.
    pub left_out: u64,
    /// Notices given up since the start: refused, or tried for too long.
    pub given_up: u64,
    /// Why the last attempt failed; `None` once one did not.
    pub fault: Option<String>,
}

/// All routes with what waits in them, and the alarms that may still escalate.
#[derive(Debug)]
pub struct Routes {
    lines: Vec<Line>,
    watch: Watch,
    remembered: Remembered,
    /// The rows of alarms that are over, in the order in which they ended.
    ended: VecDeque<u64>,
    next_key: u64,
    patience: Patience,
}

impl Routes {
    /// Goes on with what a journal holds. What is in it for a route that is no more is removed and counted in the effects' `removed`;
    /// what was on its way is tried again at once.
    pub fn new(routes: Vec<Route>, patience: Patience, journal: Vec<Record>, now: Now) -> (Routes, Effects) {
        let mut journal = journal;
        journal.sort_by_key(|record| record.key);
        let mut this = Routes {
            lines: routes.into_iter().map(Line::new).collect(),
            watch: Watch::default(),
            remembered: Remembered::default(),
            ended: VecDeque::new(),
            next_key: journal.last().map_or(1, |record| record.key.saturating_add(1)),
            patience,
        };
        let mut effects = Effects::default();
        for Record { key, kept } in journal {
            match kept {
                Kept::Watched(watched) => {
                    watched.occurrences.iter().for_each(|one| _ = this.remembered.is_new(*one));
                    this.watch.resume(key, watched, now);
                }
                Kept::Ended(occurrences) => {
                    occurrences.iter().for_each(|one| _ = this.remembered.is_new(*one));
                    this.ended.push_back(key);
                }
                Kept::Waiting(waiting) => {
                    _ = this.remembered.is_new(waiting.notice.occurrence());
                    match this.lines.iter_mut().find(|line| line.route.name == waiting.route) {
                        Some(line) => line.resume(key, waiting, now),
                        None => effects.removed.push(key),
                    }
                }
            }
        }
        (this, effects)
    }

    /// Folds one input. `roll`, 0 to 1, is random.
    pub fn handle(&mut self, input: Input, now: Now, roll: f64) -> Effects {
        let mut effects = Effects::default();
        match input {
            Input::Told(notice) => self.told(notice.bounded(), now, &mut effects),
            Input::Acknowledged(alarm) => {
                if self.watch.acknowledge(alarm) {
                    let spared = self.call_off(alarm, &mut effects);
                    effects.put.extend(self.watch.has_not_told(alarm, &spared));
                }
            }
            Input::Answered { route, delivery, outcome } => {
                if let Some(line) = self.lines.iter_mut().find(|line| line.route.name == route) {
                    line.answered(&delivery, outcome, &self.patience, now, roll, &mut effects);
                }
            }
            Input::TimePassed => {}
        }
        self.escalate(now, &mut effects);
        self.lines.iter_mut().for_each(|line| line.send(now, &mut effects));
        // A row that was both written and removed meanwhile is removed.
        let removed: BTreeSet<u64> = effects.removed.iter().copied().collect();
        effects.put.retain(|record| !removed.contains(&record.key));
        effects
    }

    /// How long nothing has to be done if nothing happens, in milliseconds; `None` for ever.
    pub fn idle_ms(&self, now: Now) -> Option<u64> {
        let lines = self.lines.iter().filter_map(|line| line.idle_ms(now));
        lines.chain(self.watch.idle_ms(now)).min()
    }

    /// How every route stands, in the order of the profile.
    pub fn figures(&self) -> Vec<Figures> {
        self.lines.iter().map(Line::figures).collect()
    }

    /// Alarms that were no longer watched for escalation since the start, because there were too many.
    pub fn unwatched(&self) -> u64 {
        self.watch.left_out()
    }

    fn told(&mut self, notice: Notice, now: Now, effects: &mut Effects) {
        if !self.remembered.is_new(notice.occurrence()) {
            return;
        }
        let direct = |line: &Line| line.route.after_ms == 0 && line.route.from <= notice.priority;
        if notice.event == Event::Cleared {
            self.ended(&notice, effects);
            return;
        }
        let is_for_us = self.lines.iter().any(|line| line.route.from <= notice.priority);
        let steps = self.lines.iter().map(|line| line.route.after_ms).filter(|after_ms| *after_ms > 0);
        let soonest_ms = steps.min();
        let told = match is_for_us {
            true => self.watch.begin(&notice, &mut self.next_key, soonest_ms, now, effects),
            false => Vec::new(),
        };
        let entered = self.enter(&notice, effects, |line| direct(line) || told.contains(&line.route.name));
        effects.put.extend(self.watch.has_told(notice.alarm, entered));
    }

    /// An alarm is over: whoever was told of it hears that. Of one that we do not know, those who would have been told at once.
    fn ended(&mut self, notice: &Notice, effects: &mut Effects) {
        let watched = self.watch.end(notice.alarm);
        let spared = self.call_off(notice.alarm, effects);
        let entered = self.enter(notice, effects, |line| {
            let was_told = match &watched {
                Some((_, watched)) => watched.told.contains(&line.route.name),
                None => line.route.after_ms == 0 && line.route.from <= notice.priority,
            };
            line.route.cleared && was_told && !spared.contains(&line.route.name)
        });
        let (key, mut occurrences) = match watched {
            Some((key, watched)) => (key, watched.occurrences),
            None if entered.is_empty() => return,
            None => (fresh(&mut self.next_key), Vec::new()),
        };
        occurrences.push(notice.occurrence());
        effects.put.push(Record { key, kept: Kept::Ended(occurrences) });
        self.ended.push_back(key);
        if self.ended.len() > ENDED_MAX {
            effects.removed.extend(self.ended.pop_front());
        }
    }

    /// Puts a notice into the routes that are for it; their names.
    fn enter(&mut self, notice: &Notice, effects: &mut Effects, is_for: impl Fn(&Line) -> bool) -> Vec<String> {
        let mut names = Vec::new();
        for line in self.lines.iter_mut().filter(|line| is_for(line)) {
            names.push(line.route.name.clone());
            let waiting = Waiting { route: line.route.name.clone(), notice: notice.clone(), batch: None };
            line.enter(fresh(&mut self.next_key), waiting, effects);
        }
        names
    }

    /// An alarm was acknowledged or is over: what would only have told that it is not, and nobody was sent yet, is not sent.
    /// The routes that so never hear of it.
    fn call_off(&mut self, alarm: AlarmId, effects: &mut Effects) -> Vec<String> {
        let spared =
            self.lines.iter_mut().filter_map(|line| line.call_off(alarm, effects).then(|| line.route.name.clone()));
        spared.collect()
    }

    /// Sends on what has waited for too long.
    fn escalate(&mut self, now: Now, effects: &mut Effects) {
        if !self.watch.is_due(now) {
            return;
        }
        let steps: Vec<&Route> = self.lines.iter().map(|line| &line.route).filter(|route| route.after_ms > 0).collect();
        for (notice, names, record) in self.watch.escalated(&steps, now) {
            self.enter(&notice, effects, |line| names.contains(&line.route.name));
            effects.put.push(record);
        }
        let steps: Vec<&Route> = self.lines.iter().map(|line| &line.route).filter(|route| route.after_ms > 0).collect();
        self.watch.look_again(&steps, now);
    }
}

/// The next key of the journal.
fn fresh(next_key: &mut u64) -> u64 {
    let key = *next_key;
    *next_key = next_key.saturating_add(1);
    key
}

/// What was told lately.
#[derive(Debug, Default)]
struct Remembered {
    known: BTreeSet<Occurrence>,
    in_order: VecDeque<Occurrence>,
}

impl Remembered {
    /// Whether it was not told before; it is from now on.
    fn is_new(&mut self, occurrence: Occurrence) -> bool {
        if !self.known.insert(occurrence) {
            return false;
        }
        self.in_order.push_back(occurrence);
        if self.in_order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// Rows by key, the oldest first.
type ByKey<T> = BTreeMap<u64, T>;
