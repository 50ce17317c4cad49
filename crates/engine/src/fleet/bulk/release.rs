//! What time does to bulk commands: things join, batches are released, and what is known of the next ones is read before.

use fleetlens_model::audit::Event;
use fleetlens_model::bulk::{Bulk, Progress, Row, State, THINGS_MAX, Target};
use fleetlens_model::id::{BulkId, CommandId, ThingKey};
use fleetlens_model::kind::DEFAULT_EXPIRY_MS;
use fleetlens_model::time::Now;

use super::Fleet;
use super::verdict::Verdict;
use crate::fleet::commands::{Asked, EXPIRY_MS};
use crate::fleet::search::Finder;
use crate::fleet::{Effects, Outward};

/// How often it is looked for things that join, in milliseconds.
const JOIN_EVERY_MS: u64 = 5_000;

/// Things that may join at one look; the next look finds the others.
const JOIN_MAX: usize = 1_000;

/// Things of a batch that one tick asks, or finds not to be asked: each takes some 20 µs, and everything else waits meanwhile. The rest
/// of the batch follows with the next ticks.
const RELEASED_A_TICK: usize = 100;

impl Fleet {
    /// With each tick, with so many `get`s left for it. Without our link nothing is released: it would only grow old in the outbox.
    pub(in crate::fleet) fn bulks_in_time(&mut self, gets: &mut u32, now: Now, effects: &mut Effects) {
        self.judge_bulks(now, effects);
        // What cannot be written down is not sent either.
        let is_free = self.up_since.is_some() && self.cache_fault.is_none();
        let joins = self.bulks.joined.is_none_or(|at| now.mono.since(at) >= JOIN_EVERY_MS);
        // Before things join: those were kept from nothing yet.
        if is_free || joins {
            self.bulks.open().into_iter().for_each(|id| self.hold_late(id, is_free, now, effects));
        }
        if joins {
            self.bulks.joined = Some(now.mono);
            self.bulks.open().into_iter().for_each(|id| self.let_join(id, now, effects));
        }
        if !is_free {
            return;
        }
        for id in self.bulks.open() {
            self.release(id, gets, now, effects);
            self.read_ahead(id, gets, now, effects);
        }
    }

    /// What could not be released for longer than its commands may wait is not released by itself any more: a command's own end counts
    /// only from its release, and whoever asked for it is long gone.
    fn hold_late(&mut self, id: BulkId, is_free: bool, now: Now, effects: &mut Effects) {
        let Some(bulk) = self.bulks.get(id) else { return };
        let (late_ms, nothing_waits) = (bulk.late_ms(now), bulk.counts().waiting == 0);
        // No command waits for less, so most of the time nobody has to look for how long these may.
        let may_wait_ms = (late_ms > *EXPIRY_MS.start()).then(|| self.may_wait_ms(bulk));
        let Some(bulk) = self.bulks.all.get_mut(&id) else { return };
        if may_wait_ms.is_some_and(|may_wait_ms| bulk.hold_if_late(may_wait_ms, now)) {
            let detail = if let State::Held { why } = &bulk.head().state { why.clone() } else { String::new() };
            self.keep_head(id, effects);
            self.audit_bulk(None, Event::BulkPaused, id, &detail, now, effects);
        } else if is_free || nothing_waits {
            bulk.note_free(now);
        }
    }

    /// How long the commands of a bulk command may wait: of several the shortest.
    fn may_wait_ms(&self, bulk: &Bulk) -> u64 {
        let order = &bulk.head().order;
        let leaves = self.wanted_leaves(order);
        let waiting = || bulk.rows().iter().filter(|row| row.progress == Progress::Waits).map(|row| row.thing);
        let own = |thing| Some(self.expiry_ms(&self.things.get(&thing)?.meta.common, &order.shadow, &leaves));
        let may_wait_ms = order.expires_in_ms.or_else(|| waiting().filter_map(own).min()).unwrap_or(DEFAULT_EXPIRY_MS);
        may_wait_ms.clamp(*EXPIRY_MS.start(), *EXPIRY_MS.end())
    }

    /// Things that are found now and were not before.
    fn let_join(&mut self, id: BulkId, now: Now, effects: &mut Effects) {
        let Some(bulk) = self.bulks.get(id) else { return };
        let order = &bulk.head().order;
        let Target::Search(search) = &order.target else { return };
        if !order.continuous || bulk.head().state != State::Running || bulk.rows().len() >= THINGS_MAX {
            return;
        }
        let finder = Finder::new(search.clone(), &self.config.groups);
        let gone = (!search.group.is_empty() && self.group(&search.group).is_none())
            .then(|| format!("the profile has no group {:?} any more", search.group));
        let wrong = || finder.mistake().map(|mistake| format!("its search is none any more; {mistake}"));
        if let Some(why) = gone.or_else(wrong) {
            return self.hold_for(
                id,
                format!("{why}: nothing can join it; stop it, and ask for another"),
                now,
                effects,
            );
        }
        let changes = self.index.changes();
        if finder.goes_by_description() && self.bulks.described.get(&id) == Some(&changes) {
            return;
        }
        let Some(asking) = finder.ask(self, now) else { return };
        let new = self.things.values().filter(|thing| bulk.place(thing.key).is_none() && asking.finds(thing));
        let new: Vec<ThingKey> = new.take(JOIN_MAX).map(|thing| thing.key).collect();
        let rows: Vec<Row> = new
            .iter()
            .map(|thing| Row { thing: *thing, progress: self.progress_at_first(*thing, order, now) })
            .collect();
        if new.len() < JOIN_MAX {
            self.bulks.described.insert(id, changes);
        }
        if rows.is_empty() {
            return;
        }
        let Some(bulk) = self.bulks.all.get_mut(&id) else { return };
        let is_first = bulk.note_joining(now);
        let first = bulk.join(rows);
        if is_first {
            self.keep_head(id, effects);
        }
        self.keep_rows_from(id, first, effects);
    }

    /// It is held by itself, and everybody who looks is told why.
    fn hold_for(&mut self, id: BulkId, why: String, now: Now, effects: &mut Effects) {
        if self.bulks.all.get_mut(&id).is_some_and(|bulk| bulk.hold(why.clone())) {
            self.keep_head(id, effects);
            self.audit_bulk(None, Event::BulkPaused, id, &why, now, effects);
        }
    }

    /// Asks what is due of a bulk command; a thing whose shadow is not known yet waits for that.
    fn release(&mut self, id: BulkId, gets: &mut u32, now: Now, effects: &mut Effects) {
        let Some(bulk) = self.bulks.get(id) else { return };
        let due = bulk.due(now);
        if due.is_empty() {
            return;
        }
        let (order, by) = (bulk.head().order.clone(), bulk.head().by.clone());
        let (mut changed, mut is_asked) = (Vec::new(), false);
        let mut left = RELEASED_A_TICK;
        for thing in due {
            let is_read = self.is_read(thing, &order.shadow, now);
            if !is_read && (*gets == 0 || self.is_being_read(thing, &order.shadow)) {
                continue;
            }
            if left == 0 {
                break;
            }
            left -= 1;
            let verdict = self.bulk_verdict(thing, &order);
            if !matches!(verdict, Verdict::Cannot(_)) && !is_read {
                self.read_shadow(thing, &order.shadow, gets, now, effects);
                continue;
            }
            let why = match verdict {
                // Nobody confirmed that it is so already: asking is harmless, leaving it out for good is not.
                Verdict::Asks(wants) | Verdict::Seems(wants) => {
                    let command = CommandId(self.last_command + 1);
                    let is_due = self.bulks.all.get_mut(&id).is_some_and(|bulk| bulk.ask(thing, command, now));
                    if !is_due {
                        break;
                    }
                    self.bulks.of.insert(command, (id, thing));
                    let (shadow, by) = (order.shadow.clone(), by.clone());
                    let asked = Asked { thing, shadow, wants, expires_in_ms: order.expires_in_ms, by };
                    self.ask_for(asked, now, effects);
                    effects.outward.push(Outward::Kept(command));
                    is_asked = true;
                    changed.push(thing);
                    continue;
                }
                Verdict::Same => None,
                Verdict::Cannot(why) | Verdict::Lacks(why) => Some(why),
            };
            let is_left_out = self.bulks.all.get_mut(&id).is_some_and(|bulk| bulk.leave_out(thing, why));
            changed.extend(is_left_out.then_some(thing));
        }
        if is_asked {
            self.keep_head(id, effects);
        }
        // In the same batch as their commands: a kill between finds both or neither.
        self.keep_rows(id, changed, effects);
    }

    /// Asks for the shadows of those that come next.
    fn read_ahead(&mut self, id: BulkId, gets: &mut u32, now: Now, effects: &mut Effects) {
        let Some(bulk) = self.bulks.get(id).filter(|bulk| bulk.head().state == State::Running) else { return };
        let shadow = bulk.head().order.shadow.clone();
        let unread = bulk.ahead().filter(|thing| !self.is_read(*thing, &shadow, now)).take(*gets as usize);
        for thing in unread.collect::<Vec<_>>() {
            self.read_shadow(thing, &shadow, gets, now, effects);
        }
    }

    fn read_shadow(&mut self, thing: ThingKey, shadow: &str, gets: &mut u32, now: Now, effects: &mut Effects) {
        if *gets > 0 && !self.is_being_read(thing, shadow) {
            *gets -= 1;
            self.get_shadow(thing, shadow, now, effects);
        }
    }

    fn is_being_read(&self, thing: ThingKey, shadow: &str) -> bool {
        self.things.get(&thing).and_then(|thing| thing.shadows.get(shadow)).is_some_and(|s| s.asked.is_some())
    }
}
