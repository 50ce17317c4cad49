//! Bulk commands: asked for by a person, released by [`fleetlens_model::bulk`], each thing of them by an ordinary command
//! (docs/adr/0012-bulk.md).
//!
//! The row of a thing is written with its command, and whatever happens to a command comes here from the one place where its row is
//! written. Whether a bulk command ends itself is looked at with each tick, not while its commands change.

mod again;
mod dry_run;
mod release;
mod verdict;

use std::collections::{BTreeMap, HashMap, HashSet};

use fleetlens_ipc::{Fault, FaultCode, Steer};
use fleetlens_model::audit::Event;
use fleetlens_model::bulk::{
    BULKS_MAX, Bulk, Head, Order, Outcome, Progress, ROWS_MAX, Row, State, THINGS_MAX, Target, WISHES_MAX,
};
use fleetlens_model::command::{Command, Input, Phase};
use fleetlens_model::id::{BulkId, CommandId, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::record::Write;
use fleetlens_model::time::{MonoMs, Now, WallMs};

use super::search::Finder;
use super::{Effects, Fleet};

/// Bulk commands that may be open for things that are found later: each of them is a walk through all things every few seconds.
const CONTINUOUS_MAX: usize = 10;

/// Every bulk command that is kept.
#[derive(Debug, Default)]
pub(crate) struct Bulks {
    all: BTreeMap<BulkId, Bulk>,
    /// Whose command it is.
    of: HashMap<CommandId, (BulkId, ThingKey)>,
    /// When it was last looked for things that joined, and how descriptions stood for each.
    joined: Option<MonoMs>,
    described: HashMap<BulkId, u64>,
}

impl Bulks {
    /// Newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &Bulk> {
        self.all.values().rev()
    }

    pub(crate) fn get(&self, id: BulkId) -> Option<&Bulk> {
        self.all.get(&id)
    }

    /// Which one a command is part of.
    pub(super) fn of_command(&self, id: CommandId) -> Option<BulkId> {
        self.of.get(&id).map(|(bulk, _)| *bulk)
    }

    /// A command is no longer known; what came of it stands in its row.
    pub(super) fn forget_command(&mut self, id: CommandId) {
        self.of.remove(&id);
    }

    fn open(&self) -> Vec<BulkId> {
        self.all.values().filter(|bulk| bulk.head().state.is_open()).map(|bulk| bulk.head().id).collect()
    }
}

impl Fleet {
    /// Bulk commands as the cache knew them, after the commands: those say where they stand.
    pub(super) fn restore_bulks(&mut self, kept: Vec<(Head, Vec<Row>)>, now: Now) {
        for (head, rows) in kept {
            let id = head.id;
            let mut bulk = Bulk::restored(head, rows, now);
            let asked = bulk.rows().iter().filter_map(|row| match row.progress {
                Progress::Asked { command, .. } => Some((row.thing, command)),
                Progress::Waits | Progress::Same | Progress::Cannot { .. } => None,
            });
            for (thing, command) in asked.collect::<Vec<_>>() {
                match self.commands.get(&command).filter(|command| command.thing == thing) {
                    Some(known) => {
                        bulk.tell(thing, command, &known.phase, known.is_never_obeyed(), last_step(known, now));
                        self.bulks.of.insert(command, (id, thing));
                    }
                    // Over long ago, or lost.
                    None => drop(bulk.lose(thing)),
                }
            }
            self.bulks.all.insert(id, bulk);
        }
    }

    /// Checks a bulk command and keeps it, or says why not.
    pub(super) fn bulk(&mut self, order: Order, now: Now, effects: &mut Effects) -> Result<BulkId, Fault> {
        let invalid = |message: String| Fault::new(FaultCode::Invalid, message);
        check(&order).map_err(invalid)?;
        let open = self.bulks.all.values().filter(|bulk| bulk.head().state.is_open());
        if order.continuous && open.filter(|bulk| bulk.head().order.continuous).count() >= CONTINUOUS_MAX {
            let why = format!("{CONTINUOUS_MAX} bulk commands wait for things that join; stop one of them first");
            return Err(invalid(why));
        }
        let meant = self.meant(&order.target, now).map_err(invalid)?;
        let rows: Vec<Row> = meant
            .into_iter()
            .map(|thing| Row { thing, progress: self.progress_at_first(thing, &order, now) })
            .collect();
        let waits = rows.iter().filter(|row| row.progress == Progress::Waits).count();
        if waits == 0 && !order.continuous {
            return Err(invalid(nothing_to_do(&rows)));
        }
        self.make_room(rows.len(), effects)?;
        let id = BulkId(self.bulks.all.last_key_value().map_or(0, |(last, _)| last.0) + 1);
        let target = match order.target {
            // Its rows name them.
            Target::Things(_) => Target::Things(Vec::new()),
            search @ Target::Search(_) => search,
        };
        let (by, state) = (self.config.who.clone(), State::Running);
        let order = Order { target, ..order };
        let head = Head {
            id,
            by: by.clone(),
            asked_ms: now.wall,
            order,
            state,
            released_ms: None,
            ended_ms: None,
            gone_on_ms: None,
            joined_ms: None,
        };
        let mut bulk = Bulk::new(head);
        bulk.note_free(now);
        bulk.join(rows);
        self.bulks.all.insert(id, bulk);
        self.bulks.described.insert(id, self.index.changes());
        self.keep_head(id, effects);
        self.keep_rows_from(id, 0, effects);
        let detail = self.bulks.get(id).map(asked_words).unwrap_or_default();
        self.audit_bulk(Some(&by), Event::BulkAsked, id, &detail, now, effects);
        Ok(id)
    }

    /// A person holds a bulk command, lets it go on, or ends it.
    pub(super) fn steer_bulk(
        &mut self,
        id: BulkId,
        to: Steer,
        now: Now,
        effects: &mut Effects,
    ) -> Result<BulkId, Fault> {
        let by = self.config.who.clone();
        let not_found = || Fault::new(FaultCode::NotFound, "this bulk command is not known here");
        let bulk = self.bulks.get(id).ok_or_else(not_found)?;
        // Those that nothing more happens to are nobody's concern.
        let concerned =
            bulk.rows().iter().filter(|row| matches!(row.progress.outcome(), Outcome::Waiting | Outcome::Open));
        concerned.map(|row| row.thing).try_for_each(|thing| self.check_fence(thing))?;
        let bulk = self.bulks.all.get_mut(&id).ok_or_else(not_found)?;
        let (done, event) = match to {
            Steer::Paused => (bulk.pause(true, now), Event::BulkPaused),
            Steer::Resumed => (bulk.pause(false, now), Event::BulkResumed),
            Steer::Stopped => (bulk.stop(by.clone(), now), Event::BulkStopped),
        };
        if !done {
            let why = match (&bulk.head().state, to) {
                (State::Running, Steer::Paused | Steer::Resumed | Steer::Stopped) => "it is running already",
                (State::Paused | State::Held { .. }, Steer::Paused | Steer::Resumed | Steer::Stopped) => {
                    "it is held already"
                }
                (State::Aborted { .. } | State::Stopped { .. } | State::Done, _) => "it has already ended",
            };
            return Err(Fault::new(FaultCode::TooLate, why));
        }
        self.keep_head(id, effects);
        self.audit_bulk(Some(&by), event, id, "", now, effects);
        if to == Steer::Stopped {
            self.take_back_pending(id, Some(&by), now, effects);
        }
        Ok(id)
    }

    /// A command took a step: if it is one of a bulk command, that hears of it.
    pub(super) fn tell_bulk(&mut self, command: &Command, now: Now, effects: &mut Effects) {
        let Some((id, thing)) = self.bulks.of.get(&command.id).copied() else { return };
        let Some(bulk) = self.bulks.all.get_mut(&id) else { return };
        let is_kept = bulk.tell(thing, command.id, &command.phase, command.is_never_obeyed(), last_step(command, now));
        self.dirty.bulks.insert(id);
        if is_kept {
            self.keep_rows(id, [thing], effects);
        }
    }

    /// Those of whom too many failed, and those that are through, end.
    fn judge_bulks(&mut self, now: Now, effects: &mut Effects) {
        for id in self.bulks.open() {
            let Some(bulk) = self.bulks.all.get_mut(&id) else { continue };
            if !bulk.judge(now) {
                continue;
            }
            let (event, detail) = match &bulk.head().state {
                State::Aborted { why } => (Event::BulkAborted, why.clone()),
                State::Done => (Event::BulkDone, counts_words(bulk)),
                State::Running | State::Paused | State::Held { .. } | State::Stopped { .. } => continue,
            };
            self.keep_head(id, effects);
            self.audit_bulk(None, event, id, &detail, now, effects);
            if event == Event::BulkAborted {
                self.take_back_pending(id, None, now, effects);
            }
        }
    }

    /// What of a bulk command has not left yet need not leave any more.
    fn take_back_pending(&mut self, id: BulkId, by: Option<&Actor>, now: Now, effects: &mut Effects) {
        let Some(bulk) = self.bulks.get(id) else { return };
        let pending = bulk.rows().iter().filter_map(|row| match &row.progress {
            Progress::Asked { command, phase: Phase::Pending, .. } => Some(*command),
            Progress::Asked { .. } | Progress::Waits | Progress::Same | Progress::Cannot { .. } => None,
        });
        for pending in pending.collect::<Vec<_>>() {
            let Some(command) = self.commands.get_mut(&pending) else { continue };
            if command.apply(Input::Cancelled(by.unwrap_or(&Actor::default())), now) {
                command.cancelled_by = by.cloned();
                let after = command.clone();
                self.changed(&after, now, effects);
            }
        }
    }

    /// The things that are meant, in the order of their titles where they are looked for.
    fn meant(&self, target: &Target, now: Now) -> Result<Vec<ThingKey>, String> {
        let meant: Vec<ThingKey> = match target {
            Target::Things(things) => {
                if let Some(unknown) = things.iter().find(|thing| !self.things.contains_key(thing)) {
                    return Err(format!("there is no thing {} here", unknown.0));
                }
                let mut seen = HashSet::new();
                things.iter().copied().filter(|thing| seen.insert(*thing)).collect()
            }
            Target::Search(search) => {
                let finder = Finder::new(search.clone(), &self.config.groups);
                if let Some(mistake) = finder.mistake() {
                    return Err(format!("the search is none; {mistake}"));
                }
                finder.by_title(self, now)
            }
        };
        if meant.len() > THINGS_MAX {
            let many = meant.len();
            return Err(format!(
                "{many} things are meant; a bulk command is for at most {THINGS_MAX}, so say it narrower"
            ));
        }
        Ok(meant)
    }

    /// Lets the oldest that have ended go, until there is room for one more with so many things.
    fn make_room(&mut self, things: usize, effects: &mut Effects) -> Result<(), Fault> {
        loop {
            let rows: usize = self.bulks.all.values().map(|bulk| bulk.rows().len()).sum();
            if self.bulks.all.len() < BULKS_MAX && rows + things <= ROWS_MAX {
                return Ok(());
            }
            let oldest = self.bulks.all.values().find(|bulk| !bulk.head().state.is_open());
            let Some(id) = oldest.map(|bulk| bulk.head().id) else {
                let why = format!("at most {BULKS_MAX} bulk commands with {ROWS_MAX} things are open; stop one first");
                return Err(Fault::new(FaultCode::Invalid, why));
            };
            self.bulks.all.remove(&id);
            self.bulks.described.remove(&id);
            self.bulks.of.retain(|_, (of, _)| *of != id);
            self.dirty.bulks.insert(id);
            effects.writes.push(Write::BulkGone(id));
        }
    }

    fn keep_head(&mut self, id: BulkId, effects: &mut Effects) {
        if let Some(bulk) = self.bulks.all.get(&id) {
            effects.writes.push(Write::Bulk(Box::new(bulk.head().clone())));
        }
        self.dirty.bulks.insert(id);
    }

    fn keep_rows(&mut self, id: BulkId, things: impl IntoIterator<Item = ThingKey>, effects: &mut Effects) {
        let Some(bulk) = self.bulks.all.get(&id) else { return };
        let row = |place: u32| Some((place, bulk.rows().get(place as usize)?.clone()));
        let rows: Box<[_]> = things.into_iter().filter_map(|thing| row(bulk.place(thing)?)).collect();
        if !rows.is_empty() {
            effects.writes.push(Write::BulkRows { bulk: id, rows });
        }
        self.dirty.bulks.insert(id);
    }

    fn keep_rows_from(&mut self, id: BulkId, first: u32, effects: &mut Effects) {
        let Some(bulk) = self.bulks.all.get(&id) else { return };
        let new = bulk.rows().iter().skip(first as usize).map(|row| row.thing);
        self.keep_rows(id, new.collect::<Vec<_>>(), effects);
    }
}

fn check(order: &Order) -> Result<(), String> {
    order.rollout.check()?;
    if order.wishes.is_empty() || order.wishes.len() > WISHES_MAX {
        return Err(format!("a bulk command sets 1 to {WISHES_MAX} leaves, this one {}", order.wishes.len()));
    }
    match &order.target {
        Target::Things(things) if things.is_empty() => Err("no thing was chosen".to_owned()),
        Target::Things(_) if order.continuous => {
            Err("no thing can join those that were chosen one by one; choose a search or a group".to_owned())
        }
        Target::Things(_) | Target::Search(_) => Ok(()),
    }
}

fn nothing_to_do(rows: &[Row]) -> String {
    let same = rows.iter().filter(|row| row.progress == Progress::Same).count();
    match rows {
        [] => "no thing is found".to_owned(),
        [Row { progress: Progress::Cannot { why }, .. }] => why.clone(),
        rows => {
            format!("none of {} things would be asked: {same} are so already, {} cannot", rows.len(), rows.len() - same)
        }
    }
}

fn asked_words(bulk: &Bulk) -> String {
    let Order { wishes, rollout, continuous, .. } = &bulk.head().order;
    let wishes = wishes.iter().map(|wish| format!("{} = {}", wish.pointer, wish.value_json));
    let later = if *continuous { " and those that join" } else { "" };
    format!(
        "{} things{later}, {} every {} s: {}",
        bulk.rows().len(),
        rollout.batch,
        rollout.every_s,
        wishes.collect::<Vec<_>>().join(", ")
    )
}

fn counts_words(bulk: &Bulk) -> String {
    let counts = bulk.counts();
    format!("{} settled, {} failed, {} ended otherwise", counts.settled, counts.failed(), counts.ended)
}

fn last_step(command: &Command, now: Now) -> WallMs {
    command.steps.last().map_or(now.wall, |(_, at)| *at)
}
