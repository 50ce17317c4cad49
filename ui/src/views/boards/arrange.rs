//! How a person arranges: by pointer and by keys.

use fleetlens_model::board::{COLUMNS, Place, Shows};
use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::widget::title_of;
use super::{Desk, FormOf, desk};
use crate::state::boards::{Boards, Laid, Uid};
use crate::state::store;

/// A row of the grid with the space below it, in CSS pixels; `--board-row` and the gap of styles/boards.css.
const ROW_PX: f64 = 52.0 + GAP_PX;

/// Between two widgets, in CSS pixels.
const GAP_PX: f64 = 12.0;

/// What is held, and how everything was when it was taken.
#[derive(Clone, Debug)]
struct Hold {
    from_px: (f64, f64),
    sizes: bool,
    place: Place,
    column_px: f64,
    before: Laid,
}

/// What pointer and keys do to one widget.
#[derive(Clone, Copy)]
pub(super) struct Hands {
    uid: Uid,
    boards: Boards,
    desk: Desk,
    element: NodeRef<html::Section>,
    hold: StoredValue<Option<Hold>>,
    /// Whether a pointer holds it.
    pub is_held: RwSignal<bool>,
}

impl Hands {
    pub(super) fn new(uid: Uid, element: NodeRef<html::Section>) -> Hands {
        let (hold, is_held) = (StoredValue::new(None), RwSignal::new(false));
        Hands { uid, boards: store().boards, desk: desk(), element, hold, is_held }
    }

    fn place(self) -> Option<Place> {
        self.boards.laid.with_untracked(|laid| laid.widget(self.uid).map(|widget| widget.place))
    }

    /// A pointer takes it, by its head to move it or by its corner to size it.
    pub(super) fn takes(self, event: &ev::PointerEvent, sizes: bool) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let on_button = target.is_some_and(|target| target.closest("button").ok().flatten().is_some());
        let (Some(place), Some(grid)) = (self.place(), self.desk.grid.get_untracked()) else { return };
        if !self.boards.editing.get_untracked() || event.button() != 0 || on_button || is_one_column(&grid) {
            return;
        }
        event.prevent_default();
        if let Some(held) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
            // Fails only for a pointer that is gone already.
            let _ = held.set_pointer_capture(event.pointer_id());
        }
        if let Some(element) = self.element.get_untracked() {
            // Fails only for what is not on the page.
            let _ = element.focus();
        }
        let column_px = (grid.get_bounding_client_rect().width() + GAP_PX) / f64::from(COLUMNS);
        let from_px = (f64::from(event.client_x()), f64::from(event.client_y()));
        let before = self.boards.laid.get_untracked();
        self.hold.set_value(Some(Hold { from_px, sizes, place, column_px, before }));
        self.is_held.set(true);
        self.desk.holds.set(true);
    }

    pub(super) fn moves(self, event: &ev::PointerEvent) {
        let Some(hold) = self.hold.get_value() else { return };
        let (dx_px, dy_px) =
            (f64::from(event.client_x()) - hold.from_px.0, f64::from(event.client_y()) - hold.from_px.1);
        let cells = |px: f64, cell_px: f64| (px / cell_px.max(1.0)).round() as i32;
        let next = stepped(hold.place, cells(dx_px, hold.column_px), cells(dy_px, ROW_PX), hold.sizes);
        if Some(next) == self.place() {
            return;
        }
        // Always from how it was: what gave way comes back when the pointer goes on.
        let mut laid = hold.before;
        if let Some(nth) = laid.nth(self.uid) {
            laid.board.put(nth, next);
        }
        self.boards.laid.set(laid);
    }

    pub(super) fn lets_go(self) {
        let hold = self.hold.try_update_value(Option::take).flatten();
        self.is_held.set(false);
        self.desk.holds.set(false);
        if let (Some(hold), Some(place)) = (hold, self.place()) {
            self.boards.remember(hold.before);
            // It may be elsewhere in the order of reading now.
            self.desk.wanted.set(Some(self.uid));
            self.boards.said.set(crate::state::boards::place_words(place));
        }
    }

    /// Takes it away. The focus goes to the next in the order of reading, else to what adds one: on nothing it would begin at the top.
    pub(super) fn takes_away(self) {
        let title = self.boards.laid.with_untracked(|laid| laid.widget(self.uid).map(title_of)).unwrap_or_default();
        match self.boards.remove(self.uid, &title) {
            Some(next) => self.desk.wanted.set(Some(next)),
            // After the button that was pressed is gone from the page.
            None => request_animation_frame(|| {
                let button = document().query_selector(".board-add button").ok().flatten();
                if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                    // Fails only for a button that is not on the page.
                    let _ = button.focus();
                }
            }),
        }
    }

    /// A key on the widget itself.
    pub(super) fn key(self, event: &ev::KeyboardEvent) {
        let is_own = event.target() == self.element.get_untracked().map(|it| it.unchecked_into());
        let has_other = event.ctrl_key() || event.alt_key() || event.meta_key();
        if !self.boards.editing.get_untracked() || !is_own || has_other {
            return;
        }
        let (dx, dy) = match event.key().as_str() {
            "ArrowLeft" => (-1, 0),
            "ArrowRight" => (1, 0),
            "ArrowUp" => (0, -1),
            "ArrowDown" => (0, 1),
            "Enter" => {
                event.prevent_default();
                let shows = self.boards.laid.with_untracked(|laid| laid.widget(self.uid).map(|it| it.shows.clone()));
                if !matches!(shows, Some(Shows::Unread { .. }) | None) {
                    self.desk.form.set(Some(FormOf::Known(self.uid)));
                }
                return;
            }
            "Delete" | "Backspace" => {
                event.prevent_default();
                return self.takes_away();
            }
            _ => return,
        };
        event.prevent_default();
        if let Some(place) = self.place() {
            self.boards.put(self.uid, stepped(place, dx, dy, event.shift_key()));
            // It may be elsewhere in the order of reading now.
            self.desk.wanted.set(Some(self.uid));
        }
    }
}

/// In a narrow window everything is in one column, and only the keys move it.
fn is_one_column(grid: &Element) -> bool {
    let style = window().get_computed_style(grid).ok().flatten();
    style.and_then(|style| style.get_property_value("display").ok()).is_some_and(|display| display != "grid")
}

/// So many cells further, or larger.
fn stepped(place: Place, dx: i32, dy: i32, sizes: bool) -> Place {
    let add = |n: u16, by: i32| u16::try_from((i32::from(n) + by).max(0)).unwrap_or(u16::MAX);
    let Place { x, y, w, h } = place;
    if sizes {
        // It grows as far as the edge, and does not move for more.
        let w = add(w, dx).clamp(1, COLUMNS - x);
        Place { x, y, w, h: add(h, dy).max(1) }.fitted()
    } else {
        Place { x: add(x, dx).min(COLUMNS - w), y: add(y, dy), w, h }.fitted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_widget_goes_and_grows_as_far_as_the_edge() {
        let place = Place { x: 8, y: 1, w: 3, h: 2 };
        for (dx, dy, sizes, want) in [
            (1, 0, false, (9, 1, 3, 2)),
            (5, 0, false, (9, 1, 3, 2)),
            (-20, -20, false, (0, 0, 3, 2)),
            (0, 3, false, (8, 4, 3, 2)),
            (1, 1, true, (8, 1, 4, 3)),
            (9, 0, true, (8, 1, 4, 2)),
            (-9, -9, true, (8, 1, 1, 1)),
        ] {
            let Place { x, y, w, h } = stepped(place, dx, dy, sizes);
            assert_eq!((x, y, w, h), want, "{dx} {dy} {sizes}");
        }
    }
}
