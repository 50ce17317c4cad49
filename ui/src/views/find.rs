//! Finding things: the box, and the list of what was found, best first. Arrow keys go through it, Enter opens.

use fleetlens_ipc::rows::FoundRow;
use leptos::prelude::*;
use std::time::Duration;
use tr::tr;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::components::icon::Icon;
use crate::components::shape::Shape;
use crate::lang::said;
use crate::state::{FIND_LIMIT, Store};
use crate::views::query::{Completing, Words, Wrong, mistake_of, vocabulary};

/// The key that takes what can come next.
const TAB: &str = "Tab";

/// How long typing must rest before the host is asked.
const REST: Duration = Duration::from_millis(90);

/// What the find box and its list share.
#[derive(Clone, Copy)]
pub struct Finder {
    /// What was typed.
    pub text: RwSignal<String>,
    /// Which row the arrow keys are on.
    pub at: RwSignal<usize>,
    /// Whether the list is there.
    pub open: RwSignal<bool>,
    /// The box, for `/`, with what can come next in it.
    completing: Completing,
    words: Memo<Words>,
    /// Rises whenever a row was chosen.
    pub chosen: RwSignal<u32>,
    /// Enter was pressed before the answer to what stands in the box was there.
    hurried: StoredValue<bool>,
    store: Store,
}

impl Finder {
    /// Whether the list stands on the screen; reactive.
    fn is_shown(&self) -> bool {
        self.open.get() && self.text.with(|text| !text.trim().is_empty())
    }

    fn is_shown_now(self) -> bool {
        untrack(|| self.is_shown())
    }

    /// Nothing typed.
    pub fn new(store: Store) -> Finder {
        let (text, words) = (RwSignal::new(String::new()), vocabulary(store));
        let finder = Finder {
            text,
            at: RwSignal::new(0),
            open: RwSignal::new(false),
            completing: Completing::new(text, words),
            words,
            chosen: RwSignal::new(0),
            hurried: StoredValue::new(false),
            store,
        };
        Effect::new(move |_| {
            finder.store.found_for.track();
            if finder.is_answered() && finder.hurried.get_value() {
                finder.hurried.set_value(false);
                finder.choose_at(0);
            }
        });
        let resting = StoredValue::new(None::<TimeoutHandle>);
        Effect::new(move |_| {
            let text = finder.text.get();
            if let Some(handle) = resting.get_value() {
                handle.clear();
            }
            resting.set_value(set_timeout_with_handle(move || store.find(&text), REST).ok());
        });
        Effect::new(move |_| {
            let row = finder.row_id().and_then(|id| document().get_element_by_id(&id));
            if let Some(row) = row {
                let nearest = ScrollIntoViewOptions::new();
                nearest.set_block(ScrollLogicalPosition::Nearest);
                row.scroll_into_view_with_scroll_into_view_options(&nearest);
            }
        });
        finder
    }

    /// Puts the cursor into the box.
    pub fn focus(self) {
        if let Some(input) = self.completing.input.get_untracked() {
            // Fails only for a box that is not on the page.
            let _ = input.focus();
            input.select();
        }
    }

    /// Takes the list away, then the text; false when there was neither.
    pub fn step_back(self) -> bool {
        if self.open.get_untracked() && !self.text.with_untracked(String::is_empty) {
            self.open.set(false);
        } else if !self.text.with_untracked(String::is_empty) {
            self.text.set(String::new());
        } else {
            return false;
        }
        if let Some(input) = self.completing.input.get_untracked() {
            // Fails only for a box that is not on the page.
            let _ = input.blur();
        }
        true
    }

    /// Whether the rows are those of what stands in the box.
    fn is_answered(self) -> bool {
        self.text.with_untracked(|text| self.store.found_for.with_untracked(|found_for| text.trim() == found_for))
    }

    fn choose_at(self, at: usize) {
        let row = self.store.found.with_untracked(|rows| rows.as_ref()?.get(at).cloned());
        if let Some(row) = row {
            self.choose(&row);
        }
    }

    fn choose(self, row: &FoundRow) {
        self.open.set(false);
        self.store.open(row.thing);
        self.chosen.update(|times| *times += 1);
        if let Some(input) = self.completing.input.get_untracked() {
            // Fails only for a box that is not on the page.
            let _ = input.blur();
        }
    }

    /// The id of the row that the arrow keys are on, while it is there.
    fn row_id(self) -> Option<String> {
        let at = self.at.get();
        let is_there =
            self.open.get() && self.store.found.with(|rows| rows.as_ref().is_some_and(|rows| at < rows.len()));
        is_there.then(|| format!("found-{at}"))
    }

    fn count(self) -> usize {
        self.store.found.with_untracked(|rows| rows.as_ref().map_or(0, Vec::len))
    }

    fn key(self, event: &leptos::ev::KeyboardEvent) {
        match event.key().as_str() {
            "ArrowDown" => {
                event.prevent_default();
                self.open.set(true);
                self.at.update(|at| *at = (*at + 1).min(self.count().saturating_sub(1)));
            }
            "ArrowUp" => {
                event.prevent_default();
                self.at.update(|at| *at = at.saturating_sub(1));
            }
            "Tab" if !event.shift_key() && self.is_shown_now() => {
                let Some(choice) = untrack(|| self.completing.begun()).into_iter().next() else { return };
                event.prevent_default();
                self.text.set(self.completing.put(&choice));
                self.at.set(0);
            }
            "Enter" if self.is_answered() => self.choose_at(self.at.get_untracked()),
            // The rows are still those of an earlier text: the answer to this one chooses.
            "Enter" => {
                self.hurried.set_value(true);
                self.store.find(&self.text.get_untracked());
            }
            _ => {}
        }
    }
}

/// The finder of the window.
pub fn finder() -> Finder {
    expect_context()
}

/// The box.
#[component]
pub fn FindBox(
    /// What stands in it while it is empty.
    hint: &'static str,
) -> impl IntoView {
    let finder = finder();
    let typed = move |event| {
        finder.text.set(event_target_value(&event));
        finder.completing.look_at_cursor();
        finder.at.set(0);
        finder.hurried.set_value(false);
        finder.open.set(true);
    };
    let count = move || {
        let rows = finder.store.found.with(|rows| rows.as_ref().map(Vec::len))?;
        let more = if rows >= usize::try_from(FIND_LIMIT).unwrap_or(usize::MAX) { "+" } else { "" };
        Some(tr!("{} found", format!("{rows}{more}")))
    };
    view! {
        <div class="find" role="search">
            <Icon of=icondata_lu::LuSearch />
            <input
                type="text"
                role="combobox"
                node_ref=finder.completing.input
                data-testid="find"
                aria-label=said("Find things")
                aria-expanded=move || finder.is_shown().to_string()
                aria-controls=move || finder.is_shown().then_some("found")
                aria-autocomplete="list"
                aria-activedescendant=move || finder.row_id()
                autocomplete="off"
                spellcheck="false"
                placeholder=hint
                prop:value=move || finder.text.get()
                on:input=typed
                on:focus=move |_| {
                    finder.open.set(true);
                    finder.store.ask_for_words();
                }
                on:keyup=move |_| finder.completing.look_at_cursor()
                on:click=move |_| finder.completing.look_at_cursor()
                on:keydown=move |event| finder.key(&event)
            />
            <Show
                when=move || finder.text.with(|text| !text.is_empty())
                fallback=|| view! { <kbd>"/"</kbd> }
            >
                <span class="count">{count}</span>
                <button
                    type="button"
                    class="clear"
                    title=said("Clear (Esc)")
                    on:click=move |_| {
                        finder.text.set(String::new());
                        finder.focus();
                    }
                >
                    <Icon of=icondata_lu::LuX />
                </button>
            </Show>
        </div>
    }
}

/// What was found.
#[component]
pub fn Found() -> impl IntoView {
    let finder = finder();
    let store = finder.store;
    let is_shown = Memo::new(move |_| finder.is_shown());
    let rows = move || store.found.get().unwrap_or_default().into_iter().enumerate().collect::<Vec<_>>();
    let is_empty = move || store.found.with(|rows| rows.as_ref().is_some_and(Vec::is_empty));
    let next = Memo::new(move |_| finder.completing.begun().into_iter().next());
    let mistake =
        Memo::new(move |_| finder.text.with(|text| finder.words.with(|words| mistake_of(text, words.groups()))));
    view! {
        <Show when=move || is_shown.get()>
            <div class="found" tabindex="-1">
                <Show when=move || next.with(Option::is_some)>
                    <p class="found-next" data-testid="found-next">
                        <kbd>{TAB}</kbd>
                        {move || next.get().map(|choice| view! { <code>{choice.text}</code> <span>{choice.about}</span> })}
                    </p>
                </Show>
                <ul id="found" role="listbox" aria-label=said("Found things") data-testid="found">
                    <For each=rows key=|(place, row)| (*place, row.thing, row.status, row.title.clone()) let:item>
                        <FoundItem place=item.0 row=item.1 />
                    </For>
                </ul>
                <Show when=move || mistake.with(Option::is_some)>
                    <p class="query-wrong" role="status" data-testid="found-wrong">
                        {move || mistake.get().map(|mistake| view! { <Wrong text=finder.text.get() mistake /> })}
                    </p>
                </Show>
                <Show when=move || is_empty() && mistake.with(Option::is_none)>
                    <p class="none" data-testid="found-none">
                        {move || tr!("Nothing matches “{}”. ", finder.text.with(|text| text.trim().to_owned()))}
                        <span>{said("Names, titles, streets and districts are searched; kind:lamp and other fields ask for more.")}</span>
                    </p>
                </Show>
            </div>
        </Show>
    }
}

#[component]
fn FoundItem(place: usize, row: FoundRow) -> impl IntoView {
    let finder = finder();
    let is_at = move || finder.at.get() == place;
    let chosen = row.clone();
    let name = (row.name != row.title).then(|| row.name.clone());
    view! {
        <li
            id=format!("found-{place}")
            role="option"
            class:at=is_at
            aria-selected=move || is_at().to_string()
            data-testid="found-row"
            data-thing=row.thing.0.to_string()
            on:pointermove=move |_| finder.at.set(place)
            // Before the box loses the focus, which would take the list away.
            on:mousedown=move |event| {
                event.prevent_default();
                finder.choose(&chosen);
            }
        >
            <Shape kind=row.kind status=row.status />
            <div>
                <b>{row.title}</b>
                <span class="place">{row.place}</span>
            </div>
            <span class="name">{name}</span>
        </li>
    }
}
