//! A stretch of the table of things.
//!
//! **The order holds still.** It is made at the first look at a query and kept: another stretch of the same query is a slice of it,
//! and a row that changes stays where it is. What would stand elsewhere is only counted, and a person says when to sort again. Two
//! exceptions jump under nobody's eyes: things that are new are let in by themselves where they belong behind the stretch, and anywhere
//! while the link is young, since a broker tells a city only over its first seconds.

mod order;

use std::collections::BTreeSet;

use fleetlens_ipc::rows::{Change, QueryMistake, Rows, ThingRow, ThingsPage, ValueRow};
use fleetlens_ipc::{SortBy, ThingsQuery};
use fleetlens_model::id::ThingKey;
use fleetlens_model::query::Mistake;
use fleetlens_model::time::{MonoMs, Now};

use super::Told;
use super::alarms::worst_words;
use super::list::place_words;
use super::map::status_of;
use super::page::{heard_age_ms, value_row, younger};
use crate::fleet::{Dirty, Fleet, Thing};
use order::{Order, main_value};

/// How often it is counted at most what would stand elsewhere, for tables up to [`COUNTED_AT_ONCE`]; larger ones in proportion less
/// often, so that a big city costs no more a second than a small one.
const COUNT_EVERY_MS: u64 = 2_000;

/// How often so many things may be walked through at most, in milliseconds.
pub(super) fn walked_every_ms(things: usize) -> u64 {
    COUNT_EVERY_MS * (things as u64).div_ceil(COUNTED_AT_ONCE).max(1)
}

/// How long after the link came up new things are let in wherever they belong, in milliseconds.
const YOUNG_MS: u64 = 30_000;

/// Things that are sorted anew without a thought.
const COUNTED_AT_ONCE: u64 = 20_000;

#[derive(Debug)]
pub(super) struct ThingsView {
    /// What was asked for last.
    asked: ThingsQuery,
    /// What is wrong with that; then the table stays as it was before.
    mistake: Option<QueryMistake>,
    order: Order,
    first: usize,
    count: usize,
    /// The order as it was made; `None` before the first look.
    held: Option<Vec<ThingKey>>,
    /// The stretch as it was told, and when.
    shown: Vec<(ThingRow, MonoMs)>,
    changed: BTreeSet<ThingKey>,
    everything: bool,
    /// Something happened since the last count that may put things elsewhere.
    stale: bool,
    /// The fleet's descriptions as of the last count.
    described: u64,
    counted: MonoMs,
    moved: u32,
}

impl ThingsView {
    /// A look at a stretch of a query. Where the view was at that query before, its order is kept; where what is asked for is wrong,
    /// whatever it showed is.
    pub(super) fn look(
        before: Option<ThingsView>,
        query: ThingsQuery,
        (first, count): (u32, u32),
        again: bool,
        fleet: &Fleet,
    ) -> ThingsView {
        let before = match before {
            Some(held) if !again && held.asked == query => return held.at(first, count),
            other => other,
        };
        let order = Order::new(query.clone(), &fleet.config.groups);
        let mistake = order.mistake().map(|Mistake { column, why, .. }| QueryMistake {
            column: u32::try_from(*column).unwrap_or(u32::MAX),
            message: why.clone(),
        });
        match before.filter(|_| mistake.is_some()) {
            Some(held) => ThingsView { asked: query, mistake, ..held }.at(first, count),
            None => ThingsView::new(query, mistake, order).at(first, count),
        }
    }

    fn new(asked: ThingsQuery, mistake: Option<QueryMistake>, order: Order) -> ThingsView {
        ThingsView {
            asked,
            mistake,
            order,
            first: 0,
            count: 0,
            held: None,
            shown: Vec::new(),
            changed: BTreeSet::new(),
            everything: false,
            stale: false,
            described: 0,
            counted: MonoMs(0),
            moved: 0,
        }
    }

    /// The same order, another stretch.
    fn at(self, first: u32, count: u32) -> ThingsView {
        ThingsView { first: first as usize, count: count.clamp(1, 500) as usize, ..self }
    }

    pub(super) fn soil(&mut self, dirty: &Dirty, fleet: &Fleet) -> bool {
        self.everything |= dirty.everything;
        let shown = self.shown.iter().map(|(row, _)| row.thing);
        self.changed.extend(shown.filter(|key| dirty.things.contains(key)));
        self.stale |= if self.order.goes_by_description() {
            fleet.index.changes() != self.described
        } else {
            dirty.everything || !dirty.things.is_empty()
        };
        self.everything || !self.changed.is_empty() || self.stale
    }

    /// Whether it has something to say later although nothing else happens.
    pub(super) fn waits(&self) -> bool {
        self.stale
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let everything = std::mem::take(&mut self.everything);
        let changed = std::mem::take(&mut self.changed);
        if first || self.held.is_none() {
            if self.held.is_none() {
                self.hold(self.order.make(fleet, now), fleet, now);
            }
            return Told::All(Rows::Things(self.page(fleet, now)));
        }
        let mut changes = Vec::new();
        let moved = self.moved;
        if self.count_is_due(fleet, now) {
            let fresh = self.order.make(fleet, now);
            let held = self.held.as_deref().unwrap_or_default();
            let drift = order::drift(held, &fresh);
            let is_young = fleet.up_since.is_some_and(|up| now.mono.since(up) < YOUNG_MS);
            let moves_nobody = || stretch(&fresh, self.first, self.count).starts_with(self.stretch());
            if drift.only_new && drift.moved() > 0 && (is_young || moves_nobody()) {
                self.hold(fresh, fleet, now);
                return Told::Some(vec![Change::Things(self.page(fleet, now))]);
            }
            self.count(drift.moved(), fleet, now);
        }
        for (i, (row, told)) in self.shown.iter_mut().enumerate() {
            let thing = fleet.things.get(&row.thing).filter(|_| everything || changed.contains(&row.thing));
            let Some(thing) = thing else { continue };
            let new = thing_row(thing, &self.order.query, fleet, now);
            if differs(row, &new, now.mono.since(*told)) {
                let at = u32::try_from(self.first + i).unwrap_or(u32::MAX);
                changes.push(Change::ThingRow { at, row: new.clone() });
                (*row, *told) = (new, now.mono);
            }
        }
        if self.moved != moved {
            changes.push(Change::ThingsMoved(self.moved));
        }
        Told::Some(changes)
    }

    fn count_is_due(&self, fleet: &Fleet, now: Now) -> bool {
        // What is looked at for it, which by more than words is every thing, however few are found.
        let found = self.held.as_ref().map_or(0, Vec::len);
        let looked_at = if self.order.goes_by_description() { found } else { fleet.things.len() };
        self.stale && now.mono.since(self.counted) >= walked_every_ms(looked_at)
    }

    fn count(&mut self, moved: u32, fleet: &Fleet, now: Now) {
        self.moved = moved;
        (self.stale, self.described, self.counted) = (false, fleet.index.changes(), now.mono);
    }

    fn hold(&mut self, order: Vec<ThingKey>, fleet: &Fleet, now: Now) {
        self.held = Some(order);
        self.count(0, fleet, now);
    }

    fn stretch(&self) -> &[ThingKey] {
        stretch(self.held.as_deref().unwrap_or_default(), self.first, self.count)
    }

    /// The stretch as it is now, remembered as told.
    fn page(&mut self, fleet: &Fleet, now: Now) -> ThingsPage {
        let things = self.stretch().iter().filter_map(|key| fleet.things.get(key));
        let rows: Vec<ThingRow> = things.map(|thing| thing_row(thing, &self.order.query, fleet, now)).collect();
        self.shown = rows.iter().map(|row| (row.clone(), now.mono)).collect();
        ThingsPage {
            total: u32::try_from(self.held.as_ref().map_or(0, Vec::len)).unwrap_or(u32::MAX),
            first: u32::try_from(self.first).unwrap_or(u32::MAX),
            rows,
            moved: self.moved,
            mistake: self.mistake.clone(),
        }
    }
}

fn stretch(order: &[ThingKey], first: usize, count: usize) -> &[ThingKey] {
    let from = first.min(order.len());
    order.get(from..from.saturating_add(count).min(order.len())).unwrap_or_default()
}

/// Whether anything but ages differs, or an age is younger than it would have become by itself.
fn differs(before: &ThingRow, row: &ThingRow, elapsed_ms: u64) -> bool {
    let value_age = |row: &ThingRow| row.value.as_ref().map(|value| value.age_ms);
    ageless(before) != ageless(row)
        || younger(before.heard_age_ms, row.heard_age_ms, elapsed_ms)
        || younger(value_age(before), value_age(row), elapsed_ms)
}

fn ageless(row: &ThingRow) -> ThingRow {
    let value = row.value.clone().map(|value| ValueRow { age_ms: 0, ..value });
    ThingRow { heard_age_ms: None, value, ..row.clone() }
}

/// A thing as a row of a table that is sorted by nothing in particular.
pub(super) fn row_of(thing: &Thing, fleet: &Fleet, now: Now) -> ThingRow {
    thing_row(thing, &ThingsQuery::default(), fleet, now)
}

fn thing_row(thing: &Thing, query: &ThingsQuery, fleet: &Fleet, now: Now) -> ThingRow {
    let at = thing.place();
    let distance_m = match query.sort {
        SortBy::Distance(from) => at.map(|at| from.distance_m(at) as f32),
        SortBy::Title | SortBy::Kind | SortBy::Place | SortBy::Value | SortBy::Heard | SortBy::Status => None,
    };
    ThingRow {
        thing: thing.key,
        name: thing.name.as_str().to_string(),
        title: thing.title().to_string(),
        kind: thing.meta.common.kind,
        place: place_words(thing),
        at,
        status: status_of(thing).code(),
        value: main_value(thing, fleet).and_then(|(pointer, _)| value_row(thing, pointer, fleet, now)),
        freshness: thing.silence.freshness(),
        heard_age_ms: heard_age_ms(thing, now),
        pending: u32::try_from(fleet.waiting_of(thing).count()).unwrap_or(u32::MAX),
        alarm: worst_words(thing, fleet),
        distance_m,
    }
}
