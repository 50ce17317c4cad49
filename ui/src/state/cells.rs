//! Rows by their keys, each in a signal of its own, so that a row that changes redraws itself and nothing else.

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

/// A list that fills a view of its own: rows in the host's order, and whether it has come at all.
pub struct List<K: 'static, T: 'static> {
    /// The rows, in the host's order. The list changes only when a row comes or goes.
    pub cells: RwSignal<Vec<Cell<K, T>>>,
    /// Whether the host has answered; before, the list is not empty but unknown.
    pub known: RwSignal<bool>,
}

impl<K, T> Clone for List<K, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, T> Copy for List<K, T> {}

impl<K: Clone + PartialEq + Send + Sync + 'static, T: Send + Sync> List<K, T> {
    /// Nothing is known yet.
    pub fn new() -> List<K, T> {
        List { cells: RwSignal::new(Vec::new()), known: RwSignal::new(false) }
    }

    /// Takes rows in place of what is here.
    pub fn replace(self, rows: Vec<T>, at_ms: f64, key_of: impl Fn(&T) -> K) {
        replace(&self.cells.into(), rows, at_ms, key_of);
        self.known.set(true);
    }

    /// Takes a row as it is now; one that is new goes before the first that `goes_before` says it precedes.
    pub fn put(self, key: K, row: Aged<T>, goes_before: impl Fn(&T) -> bool) {
        put(&self.cells.into(), key, row, goes_before);
    }

    /// Takes a row away.
    pub fn remove(self, key: &K) {
        remove(&self.cells.into(), key);
    }

    /// Forgets everything.
    pub fn clear(self) {
        self.known.set(false);
        self.cells.set(Vec::new());
    }
}

fn cell<K, T: Send + Sync>(key: K, row: Aged<T>) -> Cell<K, T> {
    Cell { key, row: ArcRwSignal::new(row) }
}

/// Takes rows in place of what is here, keeping the signals of rows that stay.
pub fn replace<K: Clone + PartialEq + Send + Sync + 'static, T: Send + Sync>(
    cells: &Cells<K, T>,
    rows: Vec<T>,
    at_ms: f64,
    key_of: impl Fn(&T) -> K,
) {
    let known = cells.get_untracked();
    let next: Vec<Cell<K, T>> = rows
        .into_iter()
        .enumerate()
        .map(|(place, row)| {
            let key = key_of(&row);
            let row = Aged { row, at_ms };
            // Most rows stand where they stood.
            let same = known.get(place).filter(|cell| cell.key == key);
            match same.or_else(|| known.iter().find(|cell| cell.key == key)) {
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
pub fn put<K: Clone + PartialEq + Send + Sync + 'static, T: Send + Sync>(
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

/// Takes a row away.
pub fn remove<K: PartialEq + Send + Sync + 'static, T: Send + Sync>(cells: &Cells<K, T>, key: &K) {
    if cells.with_untracked(|cells| cells.iter().any(|cell| cell.key == *key)) {
        cells.update(|cells| cells.retain(|cell| cell.key != *key));
    }
}
