//! The grid: what lies over what, where there is room, and what gives way to what is moved.

use super::{Board, COLUMNS, HEIGHT_MAX, Place, ROWS_MAX, Widget};

impl Place {
    /// The same within the grid.
    #[must_use]
    pub fn fitted(self) -> Place {
        let (w, h) = (self.w.clamp(1, COLUMNS), self.h.clamp(1, HEIGHT_MAX));
        Place { x: self.x.min(COLUMNS - w), y: self.y.min(ROWS_MAX), w, h }
    }

    /// The first row below it.
    pub fn end(self) -> u16 {
        self.y.saturating_add(self.h)
    }

    /// Whether two have a cell in common.
    pub fn lies_over(self, other: Place) -> bool {
        let apart = |from: u16, length: u16, other: u16, its: u16| {
            from.saturating_add(length) <= other || other.saturating_add(its) <= from
        };
        !apart(self.x, self.w, other.x, other.w) && !apart(self.y, self.h, other.y, other.h)
    }

    /// In the order of reading: from the top, then from the left.
    pub fn reading(self) -> (u16, u16) {
        (self.y, self.x)
    }
}

impl Board {
    /// The numbers of its widgets in the order of reading.
    pub fn in_reading_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.widgets.len()).collect();
        order.sort_by_key(|nth| self.widgets.get(*nth).map(|widget| widget.place.reading()));
        order
    }

    /// The first row below everything.
    pub fn rows(&self) -> u16 {
        self.widgets.iter().map(|widget| widget.place.end()).max().unwrap_or(0)
    }

    /// The first place from the top where this much is free.
    pub fn free(&self, w: u16, h: u16) -> Place {
        let size = Place { x: 0, y: 0, w, h }.fitted();
        let is_free = |place: &Place| !self.widgets.iter().any(|widget| widget.place.lies_over(*place));
        let places = (0..=self.rows()).flat_map(|y| (0..=COLUMNS - size.w).map(move |x| Place { x, y, ..size }));
        // Below everything it is free, however far down that is.
        places.into_iter().find(is_free).unwrap_or(Place { y: self.rows(), ..size })
    }

    /// Puts a widget there; what it would lie over gives way downwards, and what that would lie over in turn.
    pub fn put(&mut self, nth: usize, place: Place) {
        let Some(widget) = self.widgets.get_mut(nth) else { return };
        widget.place = place.fitted();
        let mut order = self.in_reading_order();
        order.retain(|one| *one != nth);
        order.insert(0, nth);
        self.settle(&order);
    }

    /// Moves what lies over another downwards until nothing does; says which moved. The first in the order stays.
    pub(super) fn settle(&mut self, order: &[usize]) -> Vec<usize> {
        let (mut settled, mut moved): (Vec<Place>, Vec<usize>) = (Vec::new(), Vec::new());
        for nth in order {
            let Some(Widget { place, .. }) = self.widgets.get_mut(*nth) else { continue };
            let was = *place;
            while let Some(below) = settled.iter().find(|other| other.lies_over(*place)) {
                place.y = below.end();
            }
            if *place != was {
                moved.push(*nth);
            }
            settled.push(*place);
        }
        moved
    }
}
