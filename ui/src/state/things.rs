//! The table of things as the window holds it: a stretch of rows around what is shown, and one slot for each row on the screen.
//! A slot is an element that stays; while the table scrolls, slots that leave at one end come in at the other with other rows.

use fleetlens_ipc::rows::{ThingRow, ThingsPage};
use fleetlens_ipc::{Look, ThingsQuery};
use leptos::prelude::*;

use super::Store;
use super::views::Target;
use crate::clock::Aged;

/// Rows that are kept ready above and below what is seen.
const SPARE: u32 = 6;

/// The most rows a stretch may have.
const STRETCH_MAX: u32 = 500;

/// A row on the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSlot {
    /// Which place of the table it shows, from 0; `None` for a slot the table is too short for.
    pub place: Option<u32>,
    /// What stands there; `None` while it is asked for.
    pub row: Option<Aged<ThingRow>>,
}

/// What is seen of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The first row, from 0.
    pub first: u32,
    /// How many rows fit.
    pub count: u32,
}

/// The table of things. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Things {
    /// What the table was asked for.
    pub query: RwSignal<ThingsQuery>,
    /// How many things the query finds; `None` before the first answer.
    pub total: RwSignal<Option<u32>>,
    /// How many rows would stand elsewhere if the order were made anew.
    pub moved: RwSignal<u32>,
    /// Whether another query or another order was asked for and has not come; what is shown is still the old one.
    pub asking: RwSignal<bool>,
    /// Rises with each order that was made anew, so that the table goes to its top.
    pub ordered: RwSignal<u32>,
    /// The rows on the screen, in no order. The list changes only when the window becomes larger.
    pub slots: RwSignal<Vec<ArcRwSignal<RowSlot>>>,
    seen: StoredValue<Seen>,
    held: StoredValue<Held>,
}

/// The rows the window has.
#[derive(Clone, Debug, Default)]
struct Held {
    first: u32,
    rows: Vec<Aged<ThingRow>>,
    /// The stretch that was asked for and has not come.
    asked: bool,
}

impl Held {
    fn at(&self, place: u32) -> Option<&Aged<ThingRow>> {
        self.rows.get(usize::try_from(place.checked_sub(self.first)?).ok()?)
    }

    fn put(&mut self, place: u32, row: Aged<ThingRow>) -> bool {
        let at = place.checked_sub(self.first).and_then(|at| self.rows.get_mut(usize::try_from(at).ok()?));
        at.map(|known| *known = row).is_some()
    }

    fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.rows.len()).unwrap_or(u32::MAX))
    }

    /// The stretch to ask for: none while half a screen around what is seen is here, or while one is on its way.
    fn missing(&self, seen: Seen, total: u32) -> Option<(u32, u32)> {
        let half = seen.count / 2;
        let (first, count) = stretch(seen);
        // Of a window that is higher than a stretch, what a stretch can hold is enough: more never comes.
        let from = seen.first.saturating_sub(half).max(first);
        let to = seen.first.saturating_add(seen.count + half).min(first.saturating_add(count)).min(total);
        let is_here = from >= self.first && to <= self.end();
        (!is_here && !self.asked).then_some((first, count))
    }
}

/// Three screens around what is seen.
fn stretch(seen: Seen) -> (u32, u32) {
    let screen = seen.count.clamp(16, STRETCH_MAX / 3);
    (seen.first.saturating_sub(screen), 3 * screen)
}

/// Which place a slot shows: the one within reach of what is seen that is congruent to its number, so that scrolling by one row
/// changes one slot.
fn place_of(slot: u32, slots: u32, seen: Seen, total: u32) -> Option<u32> {
    let top = seen.first.saturating_sub(SPARE);
    let turn = (slot + slots - top % slots.max(1)) % slots.max(1);
    Some(top + turn).filter(|place| *place < total)
}

impl Things {
    pub(super) fn new() -> Things {
        Things {
            query: RwSignal::new(ThingsQuery::default()),
            total: RwSignal::new(None),
            moved: RwSignal::new(0),
            asking: RwSignal::new(false),
            ordered: RwSignal::new(0),
            slots: RwSignal::new(Vec::new()),
            seen: StoredValue::new(Seen::default()),
            held: StoredValue::new(Held::default()),
        }
    }

    /// The row at a place, if it is here.
    pub fn at(self, place: u32) -> Option<ThingRow> {
        self.held.with_value(|held| held.at(place).map(|row| row.row.clone()))
    }

    pub(super) fn replace(self, page: ThingsPage, at_ms: f64) {
        let rows = page.rows.into_iter().map(|row| Aged { row, at_ms }).collect();
        self.held.set_value(Held { first: page.first, rows, asked: false });
        self.moved.set(page.moved);
        if self.total.get_untracked() != Some(page.total) {
            self.total.set(Some(page.total));
        }
        if self.asking.get_untracked() {
            self.asking.set(false);
            // Whatever was seen, the new order is seen from its top.
            self.seen.update_value(|seen| seen.first = 0);
            self.ordered.update(|times| *times += 1);
        }
        self.fill();
    }

    pub(super) fn put(self, place: u32, row: ThingRow, at_ms: f64) {
        let row = Aged { row, at_ms };
        let is_here = self.held.try_update_value(|held| held.put(place, row.clone())).unwrap_or(false);
        if !is_here {
            return;
        }
        self.slots.with_untracked(|slots| {
            let shows = |slot: &&ArcRwSignal<RowSlot>| slot.with_untracked(|slot| slot.place == Some(place));
            if let Some(slot) = slots.iter().find(shows) {
                slot.set(RowSlot { place: Some(place), row: Some(row) });
            }
        });
    }

    pub(super) fn clear(self) {
        self.held.set_value(Held::default());
        self.total.set(None);
        self.moved.set(0);
        self.fill();
    }

    /// Gives every slot its place and its row, touching only those that change.
    fn fill(self) {
        let (seen, total) = (self.seen.get_value(), self.total.get_untracked().unwrap_or(0));
        self.slots.with_untracked(|slots| {
            let count = u32::try_from(slots.len()).unwrap_or(0);
            self.held.with_value(|held| {
                for (number, slot) in (0..count).zip(slots) {
                    let place = place_of(number, count, seen, total);
                    let next = RowSlot { place, row: place.and_then(|place| held.at(place)).cloned() };
                    if slot.with_untracked(|slot| *slot != next) {
                        slot.set(next);
                    }
                }
            });
        });
    }

    /// As many slots as what is seen and its spare rows need; never fewer than there are.
    fn grow(self, seen: Seen) {
        let wanted = usize::try_from(seen.count + 2 * SPARE + 1).unwrap_or(0);
        if self.slots.with_untracked(Vec::len) < wanted {
            self.slots.update(|slots| slots.resize_with(wanted, ArcRwSignal::default));
        }
    }
}

impl Store {
    /// Looks at the table of things with a query; the rows of the old one stay until the answer comes.
    pub fn look_at_things(self, query: ThingsQuery) {
        self.things.query.set(query);
        self.order_things(false);
    }

    /// Makes the table's order anew.
    pub fn sort_things_again(self) {
        self.order_things(true);
    }

    /// Tells which rows of the table are seen; asks for those that are not here.
    pub fn see_things(self, seen: Seen) {
        self.things.seen.set_value(seen);
        self.things.grow(seen);
        self.things.fill();
        self.ask_for_things();
    }

    /// Nobody looks at the table any more.
    pub fn look_away_from_things(self) {
        self.away(Target::Things);
        self.things.held.update_value(|held| held.asked = false);
        self.things.clear();
    }

    /// Asks for what is seen of the table and not here, if anything is.
    pub(super) fn ask_for_things(self) {
        let things = self.things;
        let Some(total) = things.total.get_untracked() else { return };
        let seen = things.seen.get_value();
        if let Some((first, count)) = things.held.with_value(|held| held.missing(seen, total)) {
            things.held.update_value(|held| held.asked = true);
            let query = things.query.get_untracked();
            self.look(Target::Things, Look::Things { query, first, count, again: false });
        }
    }

    pub(super) fn order_things(self, again: bool) {
        let things = self.things;
        things.asking.set(true);
        things.held.update_value(|held| held.asked = true);
        let (first, count) = stretch(Seen { first: 0, ..things.seen.get_value() });
        self.look(Target::Things, Look::Things { query: things.query.get_untracked(), first, count, again });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolling_by_a_row_gives_one_slot_another_place() {
        let places = |first| (0..20).map(|slot| place_of(slot, 20, Seen { first, count: 7 }, 1000)).collect::<Vec<_>>();
        for first in [0, 5, 6, 7, 99] {
            let (before, after) = (places(first), places(first + 1));
            let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
            assert_eq!(changed, usize::from(first + 1 > SPARE), "from {first}");
            let mut shown: Vec<u32> = after.into_iter().flatten().collect();
            shown.sort_unstable();
            let top = (first + 1).saturating_sub(SPARE);
            assert_eq!(shown, (top..top + 20).collect::<Vec<_>>(), "every place once");
        }
        let short = (0..20).filter_map(|slot| place_of(slot, 20, Seen { first: 0, count: 7 }, 3)).count();
        assert_eq!(short, 3, "a short table leaves slots empty");
    }

    #[test]
    fn rows_are_asked_for_once_and_before_they_are_seen() {
        let rows = |n| (0..n).map(|_| Aged { row: row(), at_ms: 0.0 }).collect::<Vec<_>>();
        let here = Held { first: 60, rows: rows(90), asked: false };
        for (what, first, total, want) in [
            ("in the middle", 90, 1000, None),
            ("near the end of what is here", 130, 1000, Some((100, 90))),
            ("above it", 70, 1000, Some((40, 90))),
            ("far away", 900, 1000, Some((870, 90))),
            ("at the end of the table nothing is missing below", 120, 150, None),
        ] {
            assert_eq!(here.missing(Seen { first, count: 30 }, total), want, "{what}");
        }
        let tall = Seen { first: 300, count: 240 };
        let (first, count) = here.missing(tall, 1000).expect("it is far away");
        let held = Held { first, rows: rows(count), asked: false };
        assert_eq!(held.missing(tall, 1000), None, "a window higher than a stretch asks once");
        let waiting = Held { asked: true, ..here };
        assert_eq!(waiting.missing(Seen { first: 900, count: 30 }, 1000), None, "one ask at a time");
    }

    fn row() -> ThingRow {
        ThingRow {
            thing: fleetlens_model::id::ThingKey(1),
            name: String::new(),
            title: String::new(),
            kind: fleetlens_model::kind::Kind::Lamp,
            place: String::new(),
            at: None,
            status: 0,
            value: None,
            freshness: fleetlens_model::freshness::Freshness::Never,
            heard_age_ms: None,
            pending: 0,
            alarm: String::new(),
            distance_m: None,
        }
    }
}
