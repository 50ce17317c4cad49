//! A table of any length: a scrolling grid with a row element for each row on the screen and none for the others. The keyboard
//! goes through it without the focus ever standing on a row, so that a row may leave the screen.
//!
//! What rows there are and what they say is the caller's: a row places itself with [`top_px`].

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::ResizeObserver;

/// Height of a row, in CSS pixels; `--row` in `styles/table.css`.
pub const ROW_PX: f64 = 30.0;

/// Height of the heading, which stays while the rows scroll, in CSS pixels; `--head` in `styles/table.css`.
pub const HEAD_PX: f64 = 32.0;

/// Where a row stands below the heading, in CSS pixels.
pub fn top_px(place: u32) -> f64 {
    f64::from(place) * ROW_PX
}

/// What is seen of a table: the first row, from 0, and how many fit, a torn one included.
pub fn seen(scroll_px: f64, height_px: f64) -> (u32, u32) {
    let first = (scroll_px.max(0.0) / ROW_PX).floor();
    let count = ((height_px - HEAD_PX).max(0.0) / ROW_PX).ceil() + 1.0;
    (first as u32, count as u32)
}

/// How far a table must be scrolled so that a row is seen whole; as it is when it is already.
pub fn scroll_to(place: u32, scroll_px: f64, height_px: f64) -> f64 {
    let (top, room_px) = (top_px(place), (height_px - HEAD_PX).max(ROW_PX));
    if top < scroll_px {
        top
    } else if top + ROW_PX > scroll_px + room_px {
        top + ROW_PX - room_px
    } else {
        scroll_px
    }
}

/// Where a key leads from a row; `None` for keys that lead nowhere. `page`: how many rows fit.
pub fn step(key: &str, at: Option<u32>, page: u32, total: u32) -> Option<u32> {
    let last = total.checked_sub(1)?;
    let page = page.saturating_sub(2).max(1);
    let from = at.unwrap_or(0).min(last);
    match (key, at) {
        // The first press only shows where one is.
        ("ArrowDown" | "ArrowUp" | "PageDown" | "PageUp", None) => Some(0),
        ("ArrowDown", Some(_)) => Some((from + 1).min(last)),
        ("ArrowUp", Some(_)) => Some(from.saturating_sub(1)),
        ("PageDown", Some(_)) => Some((from + page).min(last)),
        ("PageUp", Some(_)) => Some(from.saturating_sub(page)),
        ("Home", _) => Some(0),
        ("End", _) => Some(last),
        _ => None,
    }
}

/// Where one is in a table, and what is seen of it.
#[derive(Clone, Copy)]
pub struct Grid {
    /// The row the keys are on.
    pub at: RwSignal<Option<u32>>,
    element: NodeRef<html::Div>,
    seen: StoredValue<(u32, u32)>,
    tell: Callback<(u32, u32)>,
}

impl Grid {
    /// A table at its top. `tell` hears which rows are seen, whenever others are.
    pub fn new(tell: Callback<(u32, u32)>) -> Grid {
        let grid = Grid { at: RwSignal::new(None), element: NodeRef::new(), seen: StoredValue::new((0, 0)), tell };
        Effect::new(move |_| {
            if let Some(element) = grid.element.get() {
                grid.look();
                grid.follow_size(&element);
            }
        });
        grid
    }

    /// Goes to the first row, as a new order is read from its top.
    pub fn to_top(self) {
        self.at.set(None);
        if let Some(element) = self.element.get_untracked() {
            element.set_scroll_top(0);
        }
        self.look();
    }

    /// Puts the keys on a row and brings it into sight.
    pub fn go(self, place: u32) {
        self.at.set(Some(place));
        if let Some(element) = self.element.get_untracked() {
            let (scroll, height) = (f64::from(element.scroll_top()), f64::from(element.client_height()));
            let next = scroll_to(place, scroll, height);
            if next != scroll {
                element.set_scroll_top(next as i32);
            }
        }
    }

    fn look(self) {
        let Some(element) = self.element.get_untracked() else { return };
        let now = seen(f64::from(element.scroll_top()), f64::from(element.client_height()));
        if self.seen.get_value() != now {
            self.seen.set_value(now);
            self.tell.run(now);
        }
    }

    fn follow_size(self, element: &web_sys::Element) {
        let resized = Closure::<dyn Fn()>::new(move || self.look());
        // Fails only where there are no observers; then a window that grows shows its new rows when it scrolls.
        let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) else { return };
        observer.observe(element);
        let kept = StoredValue::new_local(Some((observer, resized)));
        on_cleanup(move || {
            kept.update_value(|kept| {
                if let Some((observer, _)) = kept.take() {
                    observer.disconnect();
                }
            });
        });
    }
}

/// The table: a heading that stays, and rows that place themselves.
#[component]
pub fn Table(
    /// Where one is.
    grid: Grid,
    /// How many rows there are in all.
    #[prop(into)]
    total: Signal<u32>,
    /// What it is called.
    label: &'static str,
    /// For the tests.
    testid: &'static str,
    /// How many columns it has.
    #[prop(into)]
    columns: Signal<u32>,
    /// Told of the row on which Enter was pressed.
    on_enter: Callback<u32>,
    /// Told of the row on which Space was pressed, and whether with Shift; `None` where rows cannot be chosen.
    #[prop(into)]
    on_mark: Signal<Option<Callback<(u32, bool)>>>,
    /// Whether the rows shown are no longer those asked for.
    #[prop(into)]
    busy: Signal<bool>,
    /// The heading's cells.
    heading: Children,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let keys = move |event: leptos::ev::KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || !is_own(&event) {
            return;
        }
        let at = grid.at.get_untracked();
        let (_, page) = grid.seen.get_value();
        if event.key() == "Enter" {
            if let Some(place) = at {
                event.prevent_default();
                on_enter.run(place);
            }
        } else if let Some((place, on_mark)) = at.zip(on_mark.get_untracked()).filter(|_| event.key() == " ") {
            event.prevent_default();
            on_mark.run((place, event.shift_key()));
        } else if let Some(place) = step(&event.key(), at, page, total.get_untracked()) {
            event.prevent_default();
            grid.go(place);
        }
    };
    view! {
        <div
            class="table"
            role="grid"
            tabindex="0"
            aria-label=label
            aria-rowcount=move || (total.get() + 1).to_string()
            aria-colcount=move || columns.get().to_string()
            aria-busy=move || busy.get().to_string()
            aria-activedescendant=move || grid.at.get().map(row_id)
            data-testid=testid
            node_ref=grid.element
            on:scroll=move |_| grid.look()
            on:keydown=keys
        >
            <div class="thead" role="rowgroup">
                <div class="tr" role="row" aria-rowindex="1">
                    {heading()}
                </div>
            </div>
            <div class="tbody" role="rowgroup" style:height=move || format!("{}px", top_px(total.get()))>
                {children()}
            </div>
        </div>
    }
}

/// The id of a row's element.
pub fn row_id(place: u32) -> String {
    format!("row-{place}")
}

/// Whether a key was pressed on the table itself, not on a button in its heading.
fn is_own(event: &leptos::ev::KeyboardEvent) -> bool {
    event.target() == event.current_target()
}

/// How a table is sorted by one of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorted {
    /// By another one.
    No,
    /// Least first.
    Ascending,
    /// Greatest first.
    Descending,
}

impl Sorted {
    /// The word of `aria-sort`.
    pub fn word(self) -> &'static str {
        match self {
            Sorted::No => "none",
            Sorted::Ascending => "ascending",
            Sorted::Descending => "descending",
        }
    }
}

/// A column's heading that sorts.
#[component]
pub fn SortHead(
    /// Its name.
    label: &'static str,
    /// The class of its column.
    class: &'static str,
    /// How the table is sorted by it.
    #[prop(into)]
    sorted: Signal<Sorted>,
    /// Told when the person wants it sorted by this column, or the other way round.
    on_sort: Callback<()>,
) -> impl IntoView {
    view! {
        <div class=["th", class].join(" ") role="columnheader" aria-sort=move || sorted.get().word()>
            <button type="button" data-testid="sort" data-column=class on:click=move |_| on_sort.run(())>
                <span>{label}</span>
                <svg class="arrow" viewBox="0 0 8 8" aria-hidden="true">
                    <path d=move || match sorted.get() {
                        Sorted::No => "M4 1 6 3.2H2Z M4 7 2 4.8h4Z",
                        Sorted::Ascending => "M4 1.6 7 6H1Z",
                        Sorted::Descending => "M4 6.4 1 2h6Z",
                    } />
                </svg>
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_follows_from_the_pixels() {
        for (scroll_px, height_px, want) in [
            (0.0, 332.0, (0, 11)),
            (29.9, 332.0, (0, 11)),
            (30.0, 332.0, (1, 11)),
            (299_970.0, 347.0, (9999, 12)),
            (-40.0, 332.0, (0, 11)),
            (0.0, 0.0, (0, 1)),
        ] {
            assert_eq!(seen(scroll_px, height_px), want, "{scroll_px} {height_px}");
        }
    }

    #[test]
    fn a_row_is_brought_into_sight_by_the_shortest_way() {
        let height_px = HEAD_PX + 10.0 * ROW_PX;
        for (what, place, scroll_px, want) in [
            ("seen already", 5, 90.0, 90.0),
            ("above", 1, 90.0, 30.0),
            ("below", 13, 90.0, 120.0),
            ("torn at the lower edge", 10, 20.0, 30.0),
            ("torn at the upper edge", 0, 20.0, 0.0),
        ] {
            assert_eq!(scroll_to(place, scroll_px, height_px), want, "{what}");
        }
    }

    #[test]
    fn keys_lead_through_the_table_and_never_out_of_it() {
        for (key, at, total, want) in [
            ("ArrowDown", None, 100, Some(0)),
            ("ArrowDown", Some(3), 100, Some(4)),
            ("ArrowDown", Some(99), 100, Some(99)),
            ("ArrowUp", Some(0), 100, Some(0)),
            ("PageDown", Some(3), 100, Some(13)),
            ("PageUp", Some(3), 100, Some(0)),
            ("Home", Some(50), 100, Some(0)),
            ("End", None, 100, Some(99)),
            ("ArrowDown", Some(50), 10, Some(9)),
            ("End", None, 0, None),
            ("a", Some(3), 100, None),
        ] {
            assert_eq!(step(key, at, 12, total), want, "{key} from {at:?}");
        }
    }
}
