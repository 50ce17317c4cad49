//! The list of alarms: a tree of one level whose lines all have one height, with an element for each line in sight and none for the
//! others, so that ten thousand scroll as well as ten. The keys go through it without the focus ever standing on a line, so that a line may
//! leave the screen.

use fleetlens_ipc::rows::AlarmLine;
use fleetlens_ipc::{AlarmScope, AlarmsQuery};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, ResizeObserver};

use super::board::Board;
use super::filters;
use super::row::Entry;
use crate::components::icon::Icon;
use crate::components::pointer::follow_pointer;
use crate::components::table::step;
use crate::format;
use crate::lang::said;
use crate::state::stretch::Seen;

/// Height of a line, in CSS pixels; `--alarm-row` in `styles/alarms.css`.
const ROW_PX: f64 = 76.0;

/// Where a line stands, in CSS pixels.
pub fn top_px(place: u32) -> f64 {
    f64::from(place) * ROW_PX
}

/// The id of a line's element.
pub fn line_id(place: u32) -> String {
    format!("alarm-line-{place}")
}

/// What is seen of a list of this height that is scrolled so far, a torn line included.
fn seen(scroll_px: f64, height_px: f64) -> Seen {
    let first = (scroll_px.max(0.0) / ROW_PX).floor() as u32;
    Seen { first, count: (height_px.max(0.0) / ROW_PX).ceil() as u32 + 1 }
}

/// How far the list must be scrolled so that a line is seen whole; as it is when it is already.
fn scroll_to(place: u32, scroll_px: f64, height_px: f64) -> f64 {
    let (top, room_px) = (top_px(place), height_px.max(ROW_PX));
    if top < scroll_px {
        top
    } else if top + ROW_PX > scroll_px + room_px {
        top + ROW_PX - room_px
    } else {
        scroll_px
    }
}

/// The list, or why there is none.
#[component]
pub fn Lines(board: Board, may: Memo<bool>) -> impl IntoView {
    let head = board.table.head;
    let is_known = Memo::new(move |_| head.with(Option::is_some));
    let is_empty = Memo::new(move |_| head.with(|head| head.as_ref().is_some_and(|head| head.lines == 0)));
    let fresh = Memo::new(move |_| head.with(|head| head.as_ref().map_or(0, |head| head.fresh)));
    let is_selectable = Memo::new(move |_| board.scope() != AlarmScope::Ended && may.get());
    let element = NodeRef::<html::Div>::new();
    scrolls(board, element);
    let total = move || head.with(|head| head.as_ref().map_or(0, |head| head.lines));
    let let_in = move |_| {
        board.store.let_alarms_in();
        // The button goes; the keys would be the page's then.
        if let Some(list) = element.get_untracked() {
            let _ = list.focus();
        }
    };
    let slots = move || board.table.slots.get().into_iter().enumerate().collect::<Vec<_>>();
    view! {
        // The button lies in what is followed, so that whoever goes to it is still in the list.
        <div
            class="alarm-lines"
            class:none=move || is_empty.get() || !is_known.get()
            on:focusin=move |_| follow_focus(board, element)
            on:focusout=move |_| leave(board, element)
        >
            <Show when=move || fresh.get() != 0>
                <button type="button" class="fresh" data-testid="let-in" on:click=let_in>
                    <Icon of=icondata_lu::LuArrowUp />
                    {move || tr!("{} new", format::count(u64::from(fresh.get())))}
                </button>
            </Show>
            <div
                class="alarm-list"
                class:selectable=move || is_selectable.get()
                data-testid="alarm-list"
                role="treegrid"
                tabindex="0"
                aria-label=said("Alarms")
                aria-rowcount=move || total().to_string()
                aria-colcount="2"
                aria-multiselectable="true"
                aria-activedescendant=move || board.at.get().map(line_id)
                node_ref=element
                on:scroll=move |_| look(board, element)
                on:keydown=move |event| hear(board, element, is_selectable.get_untracked(), &event)
            >
                <div class="extent" role="rowgroup" style:height=move || format!("{}px", top_px(total()))>
                    <For each=slots key=|(number, _)| *number let:item>
                        <Entry board shown=item.1 is_selectable />
                    </For>
                </div>
            </div>
        </div>
        <Show when=move || !is_known.get()>
            <Bones />
        </Show>
        <Show when=move || is_empty.get()>
            <Nothing board />
        </Show>
    }
}

/// Looks at the table for as long as the list is there, tells which of its lines are seen, and whether somebody is in it.
fn scrolls(board: Board, element: NodeRef<html::Div>) {
    let store = board.store;
    let observer = StoredValue::new_local(None::<ResizeObserver>);
    Effect::new(move |_| {
        let Some(list) = element.get() else { return };
        look(board, element);
        store.look_at_alarms(board.table.query.get_untracked());
        let ear = Closure::<dyn Fn()>::new(move || look(board, element)).into_js_value();
        if let Ok(watching) = ResizeObserver::new(ear.unchecked_ref()) {
            watching.observe(&list);
            observer.set_value(Some(watching));
        }
    });
    on_cleanup(move || {
        if let Some(watching) = observer.try_get_value().flatten() {
            watching.disconnect();
        }
        store.look_away_from_alarms();
    });
    Effect::new(move |before: Option<u32>| {
        let ordered = board.table.ordered.get();
        if before.is_some_and(|before| before != ordered)
            && let Some(list) = element.get_untracked()
        {
            list.set_scroll_top(0);
            look(board, element);
        }
        ordered
    });
    let inside = board.table.inside;
    follow_pointer(
        move || around(element),
        move |is_over| {
            inside.try_set(is_over || has_keys(element));
        },
    );
    Effect::new(move |before: Option<bool>| {
        let now = inside.get();
        if before.is_some_and(|before| before != now) {
            store.refold_alarms();
        }
        now
    });
}

fn look(board: Board, element: NodeRef<html::Div>) {
    if let Some(list) = element.try_get_untracked().flatten() {
        board.store.see_alarms(seen(f64::from(list.scroll_top()), f64::from(list.client_height())));
    }
}

/// The list with the button that lies over it.
fn around(list: NodeRef<html::Div>) -> Option<Element> {
    list.try_get_untracked().flatten().and_then(|list| list.parent_element())
}

/// Whether the keys are in the list, and not only the last click.
fn has_keys(list: NodeRef<html::Div>) -> bool {
    around(list).is_some_and(|around| around.query_selector(":focus-visible").ok().flatten().is_some())
}

fn is_hovered(list: NodeRef<html::Div>) -> bool {
    around(list).is_some_and(|around| around.matches(":hover").unwrap_or(false))
}

fn follow_focus(board: Board, element: NodeRef<html::Div>) {
    if has_keys(element) {
        board.table.inside.set(true);
    }
}

fn leave(board: Board, element: NodeRef<html::Div>) {
    // The element that takes the focus has it only afterwards.
    request_animation_frame(move || {
        if !has_keys(element) && !is_hovered(element) {
            board.table.inside.try_set(false);
        }
    });
}

/// The keys of the list: arrows and their like go through it, Enter opens a thing or a group, Space chooses.
fn hear(board: Board, element: NodeRef<html::Div>, is_selectable: bool, event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let Some(list) = element.get_untracked() else { return };
    let (at, key) = (board.at.get_untracked(), event.key());
    let line = at.and_then(|place| board.table.at(place));
    let total = board.table.head.with_untracked(|head| head.as_ref().map_or(0, |head| head.lines));
    let height_px = f64::from(list.client_height());
    match (key.as_str(), at, line) {
        ("Enter", Some(_), Some(AlarmLine::Group(group))) => board.turn_group(&group.key),
        ("Enter", Some(_), Some(AlarmLine::Alarm(listed))) => board.store.open(listed.row.thing),
        ("ArrowRight" | "ArrowLeft", Some(_), Some(AlarmLine::Group(group))) => {
            if group.open == (key == "ArrowLeft") {
                board.turn_group(&group.key);
            }
        }
        (" ", Some(place), Some(_)) if is_selectable => board.choose(place, event.shift_key()),
        _ => {
            let page = (height_px / ROW_PX) as u32;
            let Some(place) = step(&key, at, page, total) else { return };
            board.go_to(Some(place));
            let scroll_px = f64::from(list.scroll_top());
            let next = scroll_to(place, scroll_px, height_px);
            if next != scroll_px {
                list.set_scroll_top(next as i32);
            }
        }
    }
    board.table.inside.set(true);
    event.prevent_default();
}

/// No row is there: because nothing is wrong, or because nothing was looked for that is.
#[component]
fn Nothing(board: Board) -> impl IntoView {
    let query = board.table.query;
    let has_some = move || board.table.head.with(|head| head.as_ref().is_some_and(|head| head.of != 0));
    let is_filtered = Memo::new(move |_| !query.with(filters::is_off) && has_some());
    let all = move |_| filters::ask(board.store, |query: &mut AlarmsQuery| *query = filters::off(query));
    view! {
        <div class="nothing" data-testid="alarms-none">
            {move || {
                if is_filtered.get() {
                    view! {
                        <Icon of=icondata_lu::LuSearch />
                        <h2>{said("None of the alarms is like that")}</h2>
                        <button type="button" class="link" data-testid="alarm-filter-off" on:click=all>
                            {said("Show all")}
                        </button>
                    }
                    .into_any()
                } else {
                    let (icon, title, words) = match board.scope() {
                        AlarmScope::Hidden => (
                            icondata_lu::LuEyeOff,
                            said("Nothing is off the list"),
                            said("What somebody shelves or takes out of service stands here until it is back."),
                        ),
                        AlarmScope::Ended => (
                            icondata_lu::LuHistory,
                            said("No alarm has ended yet"),
                            said("One ends when it is not so any more and somebody has acknowledged it."),
                        ),
                        AlarmScope::Open => (
                            icondata_lu::LuCircleCheck,
                            said("Nothing needs a person"),
                            said("What does will stand here, the worst first."),
                        ),
                    };
                    view! {
                        <Icon of=icon />
                        <h2>{title}</h2>
                        <p>{words}</p>
                    }
                    .into_any()
                }
            }}
        </div>
    }
}

/// The shape of what is coming.
#[component]
fn Bones() -> impl IntoView {
    view! {
        <div class="bones skeleton" role="status" aria-label=said("Loading")>
            <div class="bone row" />
            <div class="bone row" />
            <div class="bone row" />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_follows_from_the_pixels_and_a_line_comes_into_sight_by_the_shortest_way() {
        assert_eq!(seen(0.0, 760.0), Seen { first: 0, count: 11 });
        assert_eq!(seen(76.0 * 9_000.0 + 1.0, 700.0), Seen { first: 9_000, count: 11 });
        assert_eq!(seen(-3.0, 0.0), Seen { first: 0, count: 1 });
        for (what, place, scroll_px, want) in
            [("seen", 3, 76.0, 76.0), ("above", 0, 76.0, 0.0), ("below", 10, 0.0, 76.0)]
        {
            assert_eq!(scroll_to(place, scroll_px, 760.0), want, "{what}");
        }
    }
}
