//! A thing as the window holds it: a signal for each row, so that a value that changes redraws itself and nothing else.

use fleetlens_ipc::rows::{CommandRow, ShadowTable, ThingHead, ThingPage, ValueRow};
use fleetlens_model::id::{CommandId, SeriesKey, ThingKey};
use fleetlens_model::kind::Control;
use leptos::prelude::*;

use crate::clock::Aged;

/// A row by its key, in a signal of its own.
pub struct Cell<K, T: 'static> {
    /// Never changes.
    pub key: K,
    /// The row as it is now.
    pub row: ArcRwSignal<Aged<T>>,
}

impl<K: Clone, T> Clone for Cell<K, T> {
    fn clone(&self) -> Self {
        Cell { key: self.key.clone(), row: self.row.clone() }
    }
}

/// Rows in the order of the screen. The list changes only when a row comes or goes.
pub type Cells<K, T> = ArcRwSignal<Vec<Cell<K, T>>>;

/// What the drawer or the page shows.
#[derive(Clone)]
pub enum Slot {
    /// No thing is open.
    Closed,
    /// Asked for; nothing came yet.
    Loading(ThingKey),
    /// The host knows no such thing.
    Missing(ThingKey),
    /// Here it is.
    Here(Thing),
}

impl Slot {
    /// Which thing is open.
    pub fn key(&self) -> Option<ThingKey> {
        match self {
            Slot::Closed => None,
            Slot::Loading(key) | Slot::Missing(key) => Some(*key),
            Slot::Here(thing) => Some(thing.key),
        }
    }
}

/// A thing, whole.
#[derive(Clone)]
pub struct Thing {
    /// Which one.
    pub key: ThingKey,
    /// Name, place, freshness.
    pub head: ArcRwSignal<Aged<ThingHead>>,
    /// Values, in the order of the screen.
    pub values: Cells<SeriesKey, ValueRow>,
    /// Shadows, the classic one first.
    pub shadows: Cells<String, ShadowTable>,
    /// Commands, newest first.
    pub commands: Cells<CommandId, CommandRow>,
    /// Whether the person here may command it.
    pub may_command: bool,
    /// The profile's own expiries by pointer, in milliseconds.
    expiries: Vec<(String, u64)>,
}

impl Thing {
    /// Takes a page.
    pub fn new(page: ThingPage, at_ms: f64) -> Thing {
        let thing = Thing {
            key: page.head.thing,
            head: ArcRwSignal::new(Aged { row: page.head.clone(), at_ms }),
            values: ArcRwSignal::new(Vec::new()),
            shadows: ArcRwSignal::new(Vec::new()),
            commands: ArcRwSignal::new(Vec::new()),
            may_command: page.may_command,
            expiries: page.expiries.clone(),
        };
        thing.replace(page, at_ms);
        thing
    }

    /// Takes a page of the same thing in place of what is here, keeping the signals of rows that stay.
    pub fn replace(&self, page: ThingPage, at_ms: f64) {
        self.head.set(Aged { row: page.head, at_ms });
        replace(&self.values, page.values, at_ms, |row| row.series);
        replace(&self.shadows, page.shadows, at_ms, |table| table.name.clone());
        replace(&self.commands, page.commands, at_ms, |row| row.id);
    }

    /// How long a command of a control may wait unless the person says otherwise: as the profile has it, else the control.
    pub fn expiry_ms(&self, control: &Control) -> u64 {
        let own = self.expiries.iter().find(|(pointer, _)| pointer == control.pointer);
        own.map_or(control.expiry_ms, |(_, ms)| *ms)
    }

    /// A value as it is now, new or known.
    pub fn value(&self, row: ValueRow, at_ms: f64) {
        let rank = (row.rank, row.series);
        put(&self.values, row.series, Aged { row, at_ms }, |other| rank < (other.rank, other.series));
    }

    /// A shadow as it is now, new or known.
    pub fn shadow(&self, table: ShadowTable, at_ms: f64) {
        let name = table.name.clone();
        put(&self.shadows, name.clone(), Aged { row: table, at_ms }, |other| name < other.name);
    }

    /// A shadow that is no more.
    pub fn shadow_gone(&self, name: &str) {
        self.shadows.update(|cells| cells.retain(|cell| cell.key != name));
    }

    /// A command as it is now, new or known.
    pub fn command(&self, row: CommandRow, at_ms: f64) {
        let id = row.id;
        put(&self.commands, id, Aged { row, at_ms }, |other| id > other.id);
    }
}

fn cell<K, T: Send + Sync>(key: K, row: Aged<T>) -> Cell<K, T> {
    Cell { key, row: ArcRwSignal::new(row) }
}

fn replace<K: Clone + PartialEq + Send + Sync + 'static, T: Send + Sync>(
    cells: &Cells<K, T>,
    rows: Vec<T>,
    at_ms: f64,
    key_of: impl Fn(&T) -> K,
) {
    let known = cells.get_untracked();
    let next: Vec<Cell<K, T>> = rows
        .into_iter()
        .map(|row| {
            let key = key_of(&row);
            let row = Aged { row, at_ms };
            match known.iter().find(|cell| cell.key == key) {
                Some(known) => {
                    known.row.set(row);
                    known.clone()
                }
                None => cell(key, row),
            }
        })
        .collect();
    let same = known.len() == next.len() && known.iter().zip(&next).all(|(a, b)| a.key == b.key);
    if !same {
        cells.set(next);
    }
}

/// Sets a known row, or puts a new one before the first that `goes_before` says it precedes.
fn put<K: Clone + PartialEq + Send + Sync + 'static, T: Send + Sync>(
    cells: &Cells<K, T>,
    key: K,
    row: Aged<T>,
    goes_before: impl Fn(&T) -> bool,
) {
    let known = cells.with_untracked(|cells| cells.iter().find(|cell| cell.key == key).cloned());
    match known {
        Some(known) => known.row.set(row),
        None => cells.update(|cells| {
            let place = cells.iter().position(|other| other.row.with_untracked(|other| goes_before(&other.row)));
            cells.insert(place.unwrap_or(cells.len()), cell(key, row));
        }),
    }
}
