//! The rows of the list of alarms. All have one height, and only those in sight are drawn, so that two thousand scroll as well as
//! twenty.

use fleetlens_ipc::AlarmScope;
use fleetlens_ipc::rows::AlarmRow;
use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, HtmlElement, ResizeObserver};

use super::Board;
use super::order::in_sight;
use super::words::{State, sentence, state, what_to_do};
use crate::clock::{Aged, clock, local, today};
use crate::components::icon::Icon;
use crate::components::pointer::follow_pointer;
use crate::components::shape::Shape;
use crate::format;
use crate::state::cells::Cell;
use crate::state::store;

/// Height of a row, in CSS pixels; `--alarm-row` in `styles/alarms.css`.
const ROW_PX: f64 = 76.0;

/// The list, or why there is none.
#[component]
pub fn Rows(board: Board, may: Memo<bool>) -> impl IntoView {
    let is_known = board.list.known;
    let is_empty = Memo::new(move |_| board.shown.with(Vec::is_empty));
    let fresh = move || format!("{} new", format::count(board.still.fresh.get() as u64));
    view! {
        <Show when=move || board.still.fresh.get() != 0>
            <button type="button" class="fresh" data-testid="let-in" on:click=move |_| board.still.let_in()>
                <Icon of=icondata_lu::LuArrowUp />
                {fresh}
            </button>
        </Show>
        <Show when=move || is_known.get() fallback=|| view! { <Bones /> }>
            <Show when=move || !is_empty.get() fallback=move || view! { <Nothing board /> }>
                <Scroller board may />
            </Show>
        </Show>
    }
}

#[component]
fn Scroller(board: Board, may: Memo<bool>) -> impl IntoView {
    let element = NodeRef::<html::Ul>::new();
    let seen = RwSignal::new((0.0_f64, 0.0_f64));
    let look = move || {
        if let Some(list) = element.get_untracked() {
            seen.set((f64::from(list.scroll_top()), f64::from(list.client_height())));
        }
    };
    let observer = StoredValue::new_local(None::<ResizeObserver>);
    Effect::new(move |_| {
        let Some(list) = element.get() else { return };
        look();
        let ear = Closure::<dyn Fn()>::new(look).into_js_value();
        if let Ok(watching) = ResizeObserver::new(ear.unchecked_ref()) {
            watching.observe(&list);
            observer.set_value(Some(watching));
        }
    });
    on_cleanup(move || {
        if let Some(watching) = observer.try_get_value().flatten() {
            watching.disconnect();
        }
    });
    let count = Memo::new(move |_| board.shown.with(Vec::len));
    let range = Memo::new(move |_| {
        let (top_px, height_px) = seen.get();
        in_sight(count.get(), ROW_PX, top_px, height_px)
    });
    let drawn = move || {
        let range = range.get();
        let place = |(nth, id): (usize, &AlarmId)| (nth, *id);
        board
            .shown
            .with(|shown| shown.iter().enumerate().map(place).skip(range.start).take(range.len()).collect::<Vec<_>>())
    };
    let inside = board.still.inside;
    let list = move || element.get_untracked().map(|list| list.unchecked_into::<Element>());
    follow_pointer(list, move |is_over| {
        inside.try_set(is_over || has_focus(element));
    });
    // An element that is taken away loses its focus, but not every engine tells.
    on_cleanup(move || {
        inside.try_set(false);
    });
    let left = move |event: leptos::ev::FocusEvent| {
        let to = event.related_target().and_then(|to| to.dyn_into::<web_sys::Node>().ok());
        let stays = element.get_untracked().is_some_and(|list| list.contains(to.as_ref()));
        if !stays && !is_hovered(element) {
            inside.set(false);
        }
    };
    let is_selectable = Memo::new(move |_| board.scope != AlarmScope::Ended && may.get());
    view! {
        <ul
            class="alarm-list"
            class:selectable=move || is_selectable.get()
            data-testid="alarm-list"
            node_ref=element
            on:scroll=move |_| look()
            on:focusin=move |_| inside.set(true)
            on:focusout=left
            on:keydown=move |event| walk(&event)
        >
            <li class="extent" aria-hidden="true" style:height=move || format!("{}px", count.get() as f64 * ROW_PX) />
            <For each=drawn key=|(nth, id)| (*nth, *id) let:at>
                {board.cell(at.1).map(|cell| view! { <Row board cell nth=at.0 is_selectable /> })}
            </For>
        </ul>
    }
}

fn has_focus(list: NodeRef<html::Ul>) -> bool {
    let focused = document().active_element();
    list.get_untracked().is_some_and(|list| focused.is_some_and(|focused| list.contains(Some(focused.as_ref()))))
}

fn is_hovered(list: NodeRef<html::Ul>) -> bool {
    list.get_untracked().is_some_and(|list| list.matches(":hover").unwrap_or(false))
}

/// The arrows go from row to row.
fn walk(event: &KeyboardEvent) {
    let down = match event.key().as_str() {
        "ArrowDown" => true,
        "ArrowUp" => false,
        _ => return,
    };
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    let row = target.and_then(|target| target.closest("li").ok().flatten());
    let next = row.and_then(|row| if down { row.next_element_sibling() } else { row.previous_element_sibling() });
    let button = next.and_then(|next| next.query_selector(".alarm-open").ok().flatten());
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        // Fails only for a button that is not on the page.
        let _ = button.focus();
    }
}

#[component]
fn Row(board: Board, cell: Cell<AlarmId, AlarmRow>, nth: usize, is_selectable: Memo<bool>) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let id = cell.key;
    let row = RwSignal::from(cell.row);
    let told = Told::of(row);
    let (thing, at) = row.with_untracked(|row| (row.row.thing, row.row.raised_ms));
    let is_chosen = Memo::new(move |_| board.chosen.with(|chosen| chosen.contains(&id)));
    let is_gone = Memo::new(move |_| board.still.is_gone(board.list.cells, &id));
    let can_choose = Memo::new(move |_| !is_gone.get());
    let raised_ms = Memo::new(move |_| row.with(|row| row.row.raised_ms));
    let age = Memo::new(move |_| Some(format::age(store.wall_now(clock.now_ms())?.since(raised_ms.get()))));
    let is_open = move || store.selected.get() == Some(thing);
    let tick = move |event: MouseEvent| {
        event.prevent_default();
        board.choose(id, event.shift_key());
    };
    let state_words = move || match (is_gone.get(), board.scope) {
        (true, AlarmScope::Open) => "Over, or off the list".to_owned(),
        (true, AlarmScope::Hidden) => "Back on the list, or over".to_owned(),
        (true, AlarmScope::Ended) | (false, _) => told.state.get(),
    };
    let label = move || format!("Choose {}", told.title.get());
    view! {
        <li
            class="alarm"
            class:gone=move || is_gone.get()
            data-testid="alarm"
            data-alarm=id.0.to_string()
            data-thing=thing.0.to_string()
            data-raised=at.0.to_string()
            data-priority=move || told.priority.get().label().to_lowercase()
            data-state=move || told.word.get()
            style:transform=format!("translateY({}px)", nth as f64 * ROW_PX)
        >
            <Show when=move || is_selectable.get()>
                <span class="pick">
                    <input
                        type="checkbox"
                        data-testid="alarm-pick"
                        aria-label=label
                        disabled=move || !can_choose.get()
                        prop:checked=move || is_chosen.get()
                        on:click=tick
                    />
                </span>
            </Show>
            <button
                type="button"
                class="alarm-open"
                data-testid="alarm-open"
                aria-current=move || is_open().to_string()
                on:click=move |_| store.open(thing)
            >
                <span class="how-bad">
                    <Shape kind=told.kind status=told.status />
                    {move || told.priority.get().label()}
                </span>
                <span class="what">
                    <b title=told.title>{told.title}</b>
                    <span class="seen" title=told.sentence>
                        {told.sentence}
                    </span>
                    <span class="do" title=told.what_to_do>
                        {told.what_to_do}
                    </span>
                </span>
                <span class="where" title=told.place>
                    {told.place}
                </span>
                <span class="since">
                    <time title=move || local(raised_ms.get()).exact()>{move || age.get()}</time>
                    <span>{move || local(raised_ms.get()).short(&today())}</span>
                </span>
                <span class="state" data-testid="alarm-state" title=state_words>
                    {state_words}
                </span>
            </button>
        </li>
    }
}

/// What a row says, each part by itself.
#[derive(Clone, Copy)]
pub struct Told {
    /// What is wrong.
    pub title: Memo<String>,
    /// What was seen, with how often and what stands behind it.
    pub sentence: Memo<String>,
    /// What to do.
    pub what_to_do: Memo<String>,
    /// Street and area.
    pub place: Memo<String>,
    /// The state as a sentence.
    pub state: Memo<String>,
    /// The state as a word for the style sheets.
    pub word: Memo<&'static str>,
    /// How bad.
    pub priority: Memo<Priority>,
    /// What it is.
    pub kind: Memo<fleetlens_model::kind::Kind>,
    /// [`fleetlens_ipc::map::Status::code`].
    pub status: Memo<u8>,
}

impl Told {
    /// Of a row.
    pub fn of(row: RwSignal<Aged<AlarmRow>>) -> Told {
        let read = move |read: fn(&AlarmRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
        Told {
            title: read(|row| row.title.clone()),
            sentence: read(|row| sentence(row, |at| local(at).short(&today()))),
            what_to_do: read(what_to_do),
            place: read(|row| row.place.clone()),
            state: read(|row| state(row, |at| local(at).short(&today()))),
            word: Memo::new(move |_| row.with(|row| State::of(&row.row).word())),
            priority: Memo::new(move |_| row.with(|row| row.row.priority)),
            kind: Memo::new(move |_| row.with(|row| row.row.kind)),
            status: Memo::new(move |_| row.with(|row| status_of(row.row.priority))),
        }
    }
}

fn status_of(priority: Priority) -> u8 {
    match priority {
        Priority::Warning => fleetlens_ipc::map::Status::Warning,
        Priority::Critical => fleetlens_ipc::map::Status::Critical,
    }
    .code()
}

/// No row is there: because nothing is wrong, or because nothing was looked for that is.
#[component]
fn Nothing(board: Board) -> impl IntoView {
    let is_filtered =
        Memo::new(move |_| !board.filter.with(super::order::Filter::is_off) && !board.list.cells.with(Vec::is_empty));
    view! {
        <div class="nothing" data-testid="alarms-none">
            {move || {
                if is_filtered.get() {
                    view! {
                        <Icon of=icondata_lu::LuSearch />
                        <h2>"None of the alarms is like that"</h2>
                        <button
                            type="button"
                            class="link"
                            data-testid="alarm-filter-off"
                            on:click=move |_| board.filter.set(super::order::Filter::default())
                        >
                            "Show all"
                        </button>
                    }
                    .into_any()
                } else if board.scope == AlarmScope::Hidden {
                    view! {
                        <Icon of=icondata_lu::LuEyeOff />
                        <h2>"Nothing is off the list"</h2>
                        <p>"What somebody shelves or takes out of service stands here until it is back."</p>
                    }
                    .into_any()
                } else if board.scope == AlarmScope::Ended {
                    view! {
                        <Icon of=icondata_lu::LuHistory />
                        <h2>"No alarm has ended yet"</h2>
                        <p>"One ends when it is not so any more and somebody has acknowledged it."</p>
                    }
                    .into_any()
                } else {
                    view! {
                        <Icon of=icondata_lu::LuCircleCheck />
                        <h2>"Nothing needs a person"</h2>
                        <p>"What does will stand here, the worst first."</p>
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
        <div class="bones skeleton" role="status" aria-label="Loading">
            <div class="bone row" />
            <div class="bone row" />
            <div class="bone row" />
        </div>
    }
}
