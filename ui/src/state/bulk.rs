//! Bulk commands as the window holds them: the list, and the one that is open with a stretch of its things.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::{BulkPage, BulkRow, BulkThingRow};
use fleetlens_model::id::{BulkId, ThingKey};
use leptos::prelude::*;

use super::Store;
use super::cells::List;
use super::views::Target;
use crate::clock::Aged;

/// The most bulk commands the list asks for: all that are kept.
const LIMIT: u32 = 50;

/// How many things of a bulk command are shown at once.
pub const STRETCH: u32 = 100;

/// What is looked at of a bulk command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which one.
    pub bulk: BulkId,
    /// Only things that failed.
    pub failed: bool,
    /// The first thing, from 0.
    pub first: u32,
}

/// Bulk commands. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Bulks {
    /// All that are kept, newest first; there while somebody follows them ([`Store::follow_bulks`]).
    pub all: List<BulkId, BulkRow>,
    /// What is open of one, if one is.
    pub seen: RwSignal<Option<Seen>>,
    /// The one that is open; `None` until it comes.
    pub head: RwSignal<Option<BulkRow>>,
    /// How many things the stretch is of.
    pub total: RwSignal<u32>,
    /// The stretch.
    pub rows: List<ThingKey, BulkThingRow>,
}

impl Bulks {
    pub(super) fn new() -> Bulks {
        Bulks {
            all: List::new(),
            seen: RwSignal::new(None),
            head: RwSignal::new(None),
            total: RwSignal::new(0),
            rows: List::new(),
        }
    }

    pub(super) fn put(self, row: BulkRow, at_ms: f64) {
        let id = row.id;
        self.all.put(id, Aged { row, at_ms }, |other| other.id < id);
    }

    pub(super) fn replace_page(self, page: BulkPage, at_ms: f64) {
        self.head.set(Some(page.head));
        self.total.set(page.total);
        self.rows.replace(page.rows, at_ms, |row| row.thing);
    }

    pub(super) fn put_row(self, row: BulkThingRow, at_ms: f64) {
        let thing = row.thing;
        self.rows.put(thing, Aged { row, at_ms }, |_| false);
    }

    pub(super) fn clear(self) {
        self.all.clear();
        self.close();
    }

    fn close(self) {
        self.seen.set(None);
        self.head.set(None);
        self.rows.clear();
    }
}

impl Store {
    /// Looks at the bulk commands for as long as the owner lives: [`Store::bulks`] holds them.
    pub fn follow_bulks(self) {
        self.follow(Target::Bulks, Look::Bulks { limit: LIMIT });
    }

    /// Opens a bulk command, or another stretch of it.
    pub fn look_at_bulk(self, seen: Seen) {
        let is_same = self.bulks.seen.with_untracked(|before| before.is_some_and(|before| before.bulk == seen.bulk));
        if !is_same {
            self.bulks.head.set(None);
        }
        self.bulks.rows.clear();
        self.bulks.seen.set(Some(seen));
        let Seen { bulk, failed, first } = seen;
        self.look(Target::Bulk, Look::Bulk { bulk, failed, first, count: STRETCH });
    }

    /// Closes it.
    pub fn look_away_from_bulk(self) {
        self.away(Target::Bulk);
        self.bulks.close();
    }
}
