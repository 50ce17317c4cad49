//! The table of things as the window holds it: a stretch of rows around what is shown, and one slot for each row on the screen.
//! A slot is an element that stays; while the table scrolls, slots that leave at one end come in at the other with other rows.

use fleetlens_ipc::rows::{QueryMistake, ThingRow, ThingsPage};
use fleetlens_ipc::{Look, ThingsQuery};
use fleetlens_model::id::SeriesKey;
use leptos::prelude::*;

use super::Store;
use super::stretch::{self, Held, Slot};
use super::views::Target;
use crate::clock::Aged;
use crate::format::is_number;
pub use crate::state::stretch::Seen;

/// A row on the screen.
pub type RowSlot = Slot<ThingRow>;

/// The table of things. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Things {
    /// What the table was asked for.
    pub query: RwSignal<ThingsQuery>,
    /// How many things the query finds; `None` before the first answer.
    pub total: RwSignal<Option<u32>>,
    /// How many rows would stand elsewhere if the order were made anew.
    pub moved: RwSignal<u32>,
    /// What the host says is wrong with what it was asked for.
    pub mistake: RwSignal<Option<QueryMistake>>,
    /// Whether another query or another order was asked for and has not come; what is shown is still the old one.
    pub asking: RwSignal<bool>,
    /// Rises with each order that was made anew, so that the table goes to its top.
    pub ordered: RwSignal<u32>,
    /// The rows on the screen, in no order. The list changes only when the window becomes larger.
    pub slots: RwSignal<Vec<ArcRwSignal<RowSlot>>>,
    /// Rises when the query was set by something else than its box, which then shows it, whatever stands there.
    pub reset: RwSignal<u32>,
    seen: StoredValue<Seen>,
    held: StoredValue<Held<ThingRow>>,
}

impl Things {
    pub(super) fn new() -> Things {
        Things {
            query: RwSignal::new(ThingsQuery::default()),
            total: RwSignal::new(None),
            moved: RwSignal::new(0),
            mistake: RwSignal::new(None),
            asking: RwSignal::new(false),
            ordered: RwSignal::new(0),
            slots: RwSignal::new(Vec::new()),
            reset: RwSignal::new(0),
            seen: StoredValue::new(Seen::default()),
            held: StoredValue::new(Held::default()),
        }
    }

    /// The row at a place, if it is here.
    pub fn at(self, place: u32) -> Option<ThingRow> {
        self.held.with_value(|held| held.at(place).map(|row| row.row.clone()))
    }

    /// What is seen of the table.
    pub(super) fn seen_now(self) -> Seen {
        self.seen.get_value()
    }

    /// The series of the main values of the rows in view, where those are numbers.
    pub(super) fn series_in_view(self) -> Vec<SeriesKey> {
        let Seen { first, count } = self.seen.get_value();
        self.held.with_value(|held| {
            let rows = (first..first.saturating_add(count)).filter_map(|place| held.at(place));
            let values = rows.filter_map(|row| row.row.value.as_ref());
            values.filter(|value| is_number(&value.value)).map(|value| value.series).collect()
        })
    }

    pub(super) fn replace(self, page: ThingsPage, at_ms: f64) {
        let rows = page.rows.into_iter().map(|row| Aged { row, at_ms }).collect();
        self.held.set_value(Held { first: page.first, rows, asked: false });
        self.moved.set(page.moved);
        if self.mistake.with_untracked(|mistake| *mistake != page.mistake) {
            self.mistake.set(page.mistake);
        }
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
        if is_here {
            self.slots.with_untracked(|slots| stretch::set(slots, place, row));
        }
    }

    pub(super) fn clear(self) {
        self.held.set_value(Held::default());
        self.total.set(None);
        self.moved.set(0);
        self.mistake.set(None);
        self.fill();
    }

    fn fill(self) {
        let (seen, total) = (self.seen.get_value(), self.total.get_untracked().unwrap_or(0));
        self.slots.with_untracked(|slots| self.held.with_value(|held| stretch::fill(slots, held, seen, total)));
    }
}

impl Store {
    /// Looks at the table of things with a query; the rows of the old one stay until the answer comes.
    pub fn look_at_things(self, query: ThingsQuery) {
        self.things.query.set(query);
        self.order_things(false);
    }

    /// Shows the table with a query that nobody typed into its box; asks for it where the table is looked at.
    pub fn show_things(self, query: ThingsQuery) {
        if self.inner.with_value(|inner| inner.views.is_open(Target::Things)) {
            self.look_at_things(query);
        } else {
            // The table asks for it as soon as it is there.
            self.things.query.set(query);
        }
        self.things.reset.update(|times| *times += 1);
    }

    /// Makes the table's order anew.
    pub fn sort_things_again(self) {
        self.order_things(true);
    }

    /// Tells which rows of the table are seen; asks for those that are not here.
    pub fn see_things(self, seen: Seen) {
        self.things.seen.set_value(seen);
        stretch::grow(self.things.slots, seen);
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
        let (first, count) = stretch::stretch(Seen { first: 0, ..things.seen.get_value() });
        self.look(Target::Things, Look::Things { query: things.query.get_untracked(), first, count, again });
    }
}
