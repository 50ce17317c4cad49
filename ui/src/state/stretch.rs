//! A stretch of a table that the host holds: the rows around what is seen, and one slot for each row on the screen. A slot is an element
//! that stays; while the table scrolls, slots that leave at one end come in at the other with other rows.

use leptos::prelude::*;

use crate::clock::Aged;

/// Rows that are kept ready above and below what is seen.
const SPARE: u32 = 6;

/// The most rows a stretch may have.
const STRETCH_MAX: u32 = 500;

/// A row on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot<T> {
    /// Which place of the table it shows, from 0; `None` for a slot the table is too short for.
    pub place: Option<u32>,
    /// What stands there; `None` while it is asked for.
    pub row: Option<Aged<T>>,
}

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot { place: None, row: None }
    }
}

/// What is seen of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The first row, from 0.
    pub first: u32,
    /// How many rows fit.
    pub count: u32,
}

/// The rows the window has.
#[derive(Clone, Debug)]
pub struct Held<T> {
    /// The place of the first.
    pub first: u32,
    /// The rows.
    pub rows: Vec<Aged<T>>,
    /// The stretch that was asked for and has not come.
    pub asked: bool,
}

impl<T> Default for Held<T> {
    fn default() -> Held<T> {
        Held { first: 0, rows: Vec::new(), asked: false }
    }
}

impl<T> Held<T> {
    /// The row at a place, if it is here.
    pub fn at(&self, place: u32) -> Option<&Aged<T>> {
        self.rows.get(usize::try_from(place.checked_sub(self.first)?).ok()?)
    }

    /// Takes a row as it is now; says whether it is one of those here.
    pub fn put(&mut self, place: u32, row: Aged<T>) -> bool {
        let at = place.checked_sub(self.first).and_then(|at| self.rows.get_mut(usize::try_from(at).ok()?));
        at.map(|known| *known = row).is_some()
    }

    fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.rows.len()).unwrap_or(u32::MAX))
    }

    /// The stretch to ask for: none while half a screen around what is seen is here, or while one is on its way.
    pub fn missing(&self, seen: Seen, total: u32) -> Option<(u32, u32)> {
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
pub fn stretch(seen: Seen) -> (u32, u32) {
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

/// Gives every slot its place and its row, touching only those that change.
pub fn fill<T: Clone + PartialEq + Send + Sync + 'static>(
    slots: &[ArcRwSignal<Slot<T>>],
    held: &Held<T>,
    seen: Seen,
    total: u32,
) {
    let count = u32::try_from(slots.len()).unwrap_or(0);
    for (number, slot) in (0..count).zip(slots) {
        let place = place_of(number, count, seen, total);
        let next = Slot { place, row: place.and_then(|place| held.at(place)).cloned() };
        if slot.with_untracked(|slot| *slot != next) {
            slot.set(next);
        }
    }
}

/// Sets the slot that shows a place, if one does.
pub fn set<T: Send + Sync + 'static>(slots: &[ArcRwSignal<Slot<T>>], place: u32, row: Aged<T>) {
    let shows = |slot: &&ArcRwSignal<Slot<T>>| slot.with_untracked(|slot| slot.place == Some(place));
    if let Some(slot) = slots.iter().find(shows) {
        slot.set(Slot { place: Some(place), row: Some(row) });
    }
}

/// As many slots as what is seen and its spare rows need; never fewer than there are.
pub fn grow<T: Send + Sync + 'static>(slots: RwSignal<Vec<ArcRwSignal<Slot<T>>>>, seen: Seen) {
    let wanted = usize::try_from(seen.count + 2 * SPARE + 1).unwrap_or(0);
    if slots.with_untracked(Vec::len) < wanted {
        slots.update(|slots| slots.resize_with(wanted, ArcRwSignal::default));
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
        let rows = |n| (0..n).map(|_| Aged { row: (), at_ms: 0.0 }).collect::<Vec<_>>();
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
}
