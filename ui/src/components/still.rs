//! A list that holds still while somebody is in it: what is new waits and is counted, what is gone stays where it was.

use leptos::prelude::*;

use crate::state::cells::Cell;

/// A list as it is shown.
pub struct Still<K: Send + Sync + 'static, T: Send + Sync + 'static> {
    /// The rows on the screen.
    pub shown: Signal<Vec<Cell<K, T>>>,
    /// How many rows wait to be shown.
    pub fresh: Memo<usize>,
    /// Whether somebody is in the list, by pointer or focus.
    pub inside: RwSignal<bool>,
    /// Rises when what waits is to be shown although somebody is in the list.
    let_in: RwSignal<u32>,
}

impl<K: Send + Sync, T: Send + Sync> Clone for Still<K, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Send + Sync, T: Send + Sync> Copy for Still<K, T> {}

impl<K: Clone + PartialEq + Send + Sync + 'static, T: Send + Sync> Still<K, T> {
    /// Shows a list.
    pub fn of(cells: RwSignal<Vec<Cell<K, T>>>) -> Still<K, T> {
        let (inside, let_in) = (RwSignal::new(false), RwSignal::new(0));
        let kept = StoredValue::new((0, Vec::new()));
        let shown = Signal::derive(move || {
            let now = cells.get();
            let (times, held) = (let_in.get(), inside.get());
            kept.update_value(|(before, rows)| {
                // An empty list has nothing that could jump.
                if !held || *before != times || rows.is_empty() {
                    *rows = now;
                    *before = times;
                }
            });
            kept.with_value(|(_, rows): &(u32, Vec<Cell<K, T>>)| rows.clone())
        });
        let fresh = Memo::new(move |_| {
            let shown = shown.get();
            let is_new = |cell: &&Cell<K, T>| !shown.iter().any(|other| other.key == cell.key);
            cells.with(|now| now.iter().filter(is_new).count())
        });
        Still { shown, fresh, inside, let_in }
    }

    /// Shows what waits.
    pub fn let_in(self) {
        self.let_in.update(|times| *times += 1);
    }

    /// Whether a row that is shown has left the list meanwhile.
    pub fn is_gone(self, cells: RwSignal<Vec<Cell<K, T>>>, key: &K) -> bool {
        self.inside.get() && !cells.with(|now| now.iter().any(|cell| cell.key == *key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Aged;

    fn cell(key: u32) -> Cell<u32, ()> {
        Cell { key, row: ArcRwSignal::new(Aged { row: (), at_ms: 0.0 }) }
    }

    #[test]
    fn nothing_jumps_under_the_pointer() {
        let owner = Owner::new();
        owner.with(|| {
            let cells = RwSignal::new(vec![cell(2), cell(1)]);
            let still = Still::of(cells);
            let shown = || still.shown.get_untracked().iter().map(|cell| cell.key).collect::<Vec<_>>();
            assert_eq!(shown(), [2, 1]);
            still.inside.set(true);
            cells.set(vec![cell(4), cell(3), cell(2)]);
            assert_eq!((shown(), still.fresh.get_untracked()), (vec![2, 1], 2));
            assert!(still.is_gone(cells, &1) && !still.is_gone(cells, &2));
            still.let_in();
            assert_eq!((shown(), still.fresh.get_untracked()), (vec![4, 3, 2], 0));
            cells.set(vec![cell(5), cell(4)]);
            assert_eq!(shown(), [4, 3, 2]);
            still.inside.set(false);
            assert_eq!(shown(), [5, 4]);
        });
    }
}
