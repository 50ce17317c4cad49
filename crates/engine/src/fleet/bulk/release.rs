//! What time does to bulk commands: things join, batches are released, and what is known of the next ones is read before.

use fleetlens_model::bulk::{Row, State, THINGS_MAX, Target};
use fleetlens_model::id::{BulkId, CommandId, ThingKey};
use fleetlens_model::time::Now;

use super::Fleet;
use super::verdict::Verdict;
use crate::fleet::commands::Asked;
use crate::fleet::search::Finder;
use crate::fleet::{Effects, Outward};

/// How often it is looked for things that join, in milliseconds.
const JOIN_EVERY_MS: u64 = 5_000;

/// Things that may join at one look; the next look finds the others.
const JOIN_MAX: usize = 1_000;

impl Fleet {
    /// With each tick. Without our link nothing is released: it would only grow old in the outbox.
    pub(in crate::fleet) fn bulks_in_time(&mut self, now: Now, effects: &mut Effects) {
        self.judge_bulks(now, effects);
        if self.bulks.joined.is_none_or(|at| now.mono.since(at) >= JOIN_EVERY_MS) {
            self.bulks.joined = Some(now.mono);
            self.bulks.open().into_iter().for_each(|id| self.let_join(id, now, effects));
        }
        // What cannot be written down is not sent either.
        if self.up_since.is_none() || self.cache_fault.is_some() {
            return;
        }
        // A tick is a quarter of a second.
        let mut gets = self.config.gets_per_s.div_ceil(4);
        for id in self.bulks.open() {
            self.release(id, &mut gets, now, effects);
            self.read_ahead(id, &mut gets, now, effects);
        }
    }

    /// Things that are found now and were not before.
    fn let_join(&mut self, id: BulkId, now: Now, effects: &mut Effects) {
        let Some(bulk) = self.bulks.get(id) else { return };
        let order = &bulk.head().order;
        let Target::Search(search) = &order.target else { return };
        if !order.continuous || bulk.head().state != State::Running || bulk.rows().len() >= THINGS_MAX {
            return;
        }
        let finder = Finder::new(search.clone());
        let changes = self.index.changes();
        if finder.goes_by_description() && self.bulks.described.get(&id) == Some(&changes) {
            return;
        }
        let new = self.things.values().filter(|thing| bulk.place(thing.key).is_none() && finder.finds(thing, self));
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
        let first = self.bulks.all.get_mut(&id).map(|bulk| bulk.join(rows));
        self.keep_rows_from(id, first.unwrap_or(u32::MAX), effects);
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
        for thing in due {
            let verdict = self.bulk_verdict(thing, &order);
            if !matches!(verdict, Verdict::Cannot(_)) && !self.is_read(thing, &order.shadow, now) {
                self.read_shadow(thing, &order.shadow, gets, now, effects);
                continue;
            }
            let why = match verdict {
                Verdict::Asks(wants) => {
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
        let is_asked =
            self.things.get(&thing).and_then(|thing| thing.shadows.get(shadow)).is_some_and(|s| s.asked.is_some());
        if *gets > 0 && !is_asked {
            *gets -= 1;
            self.get_shadow(thing, shadow, now, effects);
        }
    }
}
