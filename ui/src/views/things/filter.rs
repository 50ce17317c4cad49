//! The filter of the table: a query. Below the box stands what can come next while somebody types, and, once typing rests, what is wrong;
//! meanwhile the table stays as it is.

use std::time::Duration;

use fleetlens_ipc::rows::QueryMistake;
use fleetlens_model::query::{Choice, complete};
use leptos::html;
use leptos::prelude::*;

use super::ask;
use crate::components::icon::Icon;
use crate::state::store;
use crate::views::query::{Syntax, Wrong, mistake_of, vocabulary};

/// How long typing must rest before the host is asked.
const REST: Duration = Duration::from_millis(120);

/// How long it must rest before anybody is told that what stands there is wrong: half a query always is.
const PATIENCE: Duration = Duration::from_millis(700);

/// When the list of what can come next is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    No,
    /// While somebody types, where something has begun.
    Typing,
    /// Somebody asked what there is.
    Asked,
}

/// The box with everything that belongs to it.
#[component]
pub fn Filter() -> impl IntoView {
    let store = store();
    let text = RwSignal::new(store.things.query.with_untracked(|query| query.text.clone()));
    let cursor = RwSignal::new(0_usize);
    let open = RwSignal::new(Open::No);
    let at = RwSignal::new(None::<usize>);
    let wrong = RwSignal::new(None::<(String, QueryMistake)>);
    let help = RwSignal::new(false);
    let input = NodeRef::<html::Input>::new();
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let words = vocabulary(store);
    let completion = Memo::new(move |_| text.with(|text| words.with(|words| complete(text, cursor.get(), words))));
    let choices = Memo::new(move |_| match open.get() {
        Open::No => Vec::new(),
        Open::Typing
            if text.with(|text| has_begun(text, cursor.get(), completion.with(|next| next.replaces.start))) =>
        {
            completion.with(|next| next.choices.clone())
        }
        Open::Typing => Vec::new(),
        Open::Asked => completion.with(|next| next.choices.clone()),
    });
    let is_listed = Memo::new(move |_| choices.with(|choices| !choices.is_empty()));
    let stop = move || {
        if let Some(handle) = resting.get_value() {
            handle.clear();
        }
    };
    on_cleanup(stop);
    let set = move |typed: String| {
        stop();
        text.set(typed.clone());
        let trimmed = typed.trim().to_owned();
        let handle = match mistake_of(&typed, &words.with_untracked(|words| words.groups.clone())) {
            None => {
                wrong.set(None);
                set_timeout_with_handle(move || ask(store, move |query| query.text = trimmed), REST)
            }
            Some(mistake) => set_timeout_with_handle(move || wrong.set(Some((typed, mistake))), PATIENCE),
        };
        resting.set_value(handle.ok());
    };
    // Whatever else empties the filter empties the box.
    Effect::new(move |_| {
        let asked = store.things.query.with(|query| query.text.clone());
        if asked.is_empty() && !text.with_untracked(String::is_empty) && wrong.with_untracked(Option::is_none) {
            text.set(String::new());
        }
    });
    let look_at_cursor = move || {
        if let Some(input) = input.get_untracked() {
            let place = input.selection_start().ok().flatten().unwrap_or(0);
            let byte = text.with_untracked(|text| byte_of(text, place));
            if cursor.get_untracked() != byte {
                cursor.set(byte);
            }
        }
    };
    let accept = move |choice: &Choice| {
        let (put, behind) =
            text.with_untracked(|text| completion.with_untracked(|completion| completion.put(text, choice)));
        if let Some(input) = input.get_untracked() {
            input.set_value(&put);
            let place = place_of(&put, behind);
            // Fails only for a box that is no text.
            let _ = input.set_selection_range(place, place);
        }
        cursor.set(behind);
        at.set(None);
        open.set(Open::Typing);
        set(put);
    };
    let accept_at = move |nth: usize| {
        let choice = choices.with_untracked(|choices| choices.get(nth).cloned());
        if let Some(choice) = choice {
            accept(&choice);
        }
    };
    let typed = move |event| {
        set(event_target_value(&event));
        look_at_cursor();
        at.set(None);
        open.set(Open::Typing);
    };
    let keys = move |event: leptos::ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        let is_open = is_listed.get_untracked();
        let many = choices.with_untracked(Vec::len);
        match (event.key().as_str(), at.get_untracked()) {
            ("ArrowDown", _) if !is_open => {
                look_at_cursor();
                open.set(Open::Asked);
            }
            ("ArrowDown", now) => at.set(Some(now.map_or(0, |now| (now + 1).min(many.saturating_sub(1))))),
            ("ArrowUp", now) if is_open => at.set(now.and_then(|now| now.checked_sub(1))),
            // Whoever has gone to none of them goes on with what was typed.
            ("Tab", Some(now)) if is_open && !event.shift_key() => accept_at(now),
            ("Enter", Some(now)) if is_open => accept_at(now),
            ("Escape", _) if is_open => {
                open.set(Open::No);
                at.set(None);
            }
            ("Escape", _) if !text.with_untracked(String::is_empty) => set(String::new()),
            _ => return,
        }
        event.prevent_default();
    };
    let active = move || at.get().filter(|_| is_listed.get()).map(|nth| format!("query-choice-{nth}"));
    let told = move || {
        wrong.get().or_else(|| {
            let mistake = store.things.mistake.get()?;
            Some((store.things.query.with(|query| query.text.clone()), mistake))
        })
    };
    let is_wrong = Memo::new(move |_| told().is_some());
    let is_told = Memo::new(move |_| is_wrong.get() && !is_listed.get());
    let rows = move || choices.get().into_iter().enumerate().collect::<Vec<_>>();
    view! {
        <div class="asking">
            <div class="find filter" class:wrong=move || is_wrong.get()>
                <Icon of=icondata_lu::LuListFilter />
                <input
                    type="text"
                    role="combobox"
                    data-filter
                    data-testid="things-filter"
                    node_ref=input
                    aria-label="Filter things"
                    aria-autocomplete="list"
                    aria-expanded=move || is_listed.get().to_string()
                    aria-controls=move || is_listed.get().then_some("query-choices")
                    aria-activedescendant=active
                    aria-invalid=move || is_wrong.get().to_string()
                    aria-describedby=move || is_told.get().then_some("query-wrong")
                    placeholder="Name, street, or kind:lamp …"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    prop:value=move || text.get()
                    on:input=typed
                    on:keydown=keys
                    on:keyup=move |_| look_at_cursor()
                    on:click=move |_| look_at_cursor()
                    on:blur=move |_| open.set(Open::No)
                />
                <Show when=move || text.with(|text| !text.is_empty())>
                    <button type="button" class="clear" title="Clear (Esc)" aria-label="Clear" on:click=move |_| set(String::new())>
                        <Icon of=icondata_lu::LuX />
                    </button>
                </Show>
                <button
                    type="button"
                    class="clear"
                    title="How to find things"
                    aria-label="How to find things"
                    data-testid="query-syntax"
                    on:click=move |_| help.set(true)
                >
                    <Icon of=icondata_lu::LuCircleHelp />
                </button>
            </div>
            <Show when=move || is_listed.get()>
                <ul id="query-choices" class="offers" role="listbox" aria-label="What can come next" data-testid="query-choices">
                    <For each=rows key=|(nth, choice)| (*nth, choice.text.clone()) let:item>
                        <Offer nth=item.0 choice=item.1 at on_choose=Callback::new(accept_at) />
                    </For>
                </ul>
            </Show>
            <Show when=move || is_told.get()>
                <p id="query-wrong" class="query-wrong" role="status" data-testid="query-wrong">
                    {move || told().map(|(text, mistake)| view! { <Wrong text mistake /> })}
                </p>
            </Show>
            <Syntax open=help />
        </div>
    }
}

#[component]
fn Offer(nth: usize, choice: Choice, at: RwSignal<Option<usize>>, on_choose: Callback<usize>) -> impl IntoView {
    let is_at = move || at.get() == Some(nth);
    view! {
        <li
            id=format!("query-choice-{nth}")
            role="option"
            class:at=is_at
            aria-selected=move || is_at().to_string()
            data-testid="query-choice"
            // Before the box loses the focus, which would take the list away.
            on:mousedown=move |event| {
                event.prevent_default();
                on_choose.run(nth);
            }
        >
            <code>{choice.text}</code>
            <span>{choice.about}</span>
        </li>
    }
}

/// Whether something has begun that can be completed: a letter of it, or the sign behind a field.
fn has_begun(text: &str, cursor: usize, start: usize) -> bool {
    let before = text.get(..cursor).unwrap_or_default();
    start < cursor || before.ends_with([':', '<', '>', '='])
}

/// The byte of a place as a browser counts it, in UTF-16 units.
fn byte_of(text: &str, place: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= place as usize {
            return at;
        }
        units += c.len_utf16();
    }
    text.len()
}

/// The place of a byte as a browser counts it.
fn place_of(text: &str, byte: usize) -> u32 {
    let units = text.get(..byte).map_or(0, |before| before.encode_utf16().count());
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_a_browser_are_found_in_a_text_and_back() {
        for (text, place, byte) in
            [("kind:", 5, 5), ("ħal", 1, 2), ("🚮x", 2, 4), ("🚮x", 3, 5), ("", 0, 0), ("a", 9, 1)]
        {
            assert_eq!(byte_of(text, place), byte, "{text}");
            if place as usize <= text.encode_utf16().count() {
                assert_eq!(place_of(text, byte), place, "{text}");
            }
        }
    }

    #[test]
    fn nothing_is_proposed_before_something_has_begun() {
        for (text, start, want) in
            [("ki", 0, true), ("kind:", 5, true), ("age:<", 5, true), ("lamp ", 5, false), ("", 0, false)]
        {
            assert_eq!(has_begun(text, text.len(), start), want, "{text}");
        }
    }
}
