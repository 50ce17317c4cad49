//! The filter of the table: a query. Below the box stands what can come next while somebody types, and, once typing rests, what is wrong;
//! meanwhile the table stays as it is.

use std::time::Duration;

use fleetlens_model::query::Choice;
use leptos::prelude::*;

use super::ask;
use super::save_group::SaveGroup;
use crate::components::icon::Icon;
use crate::lang::said;
use crate::state::store;
use crate::views::query::{Completing, Syntax, Wrong, mistake_of, vocabulary};

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
    let open = RwSignal::new(Open::No);
    let at = RwSignal::new(None::<usize>);
    let help = RwSignal::new(false);
    let words = vocabulary(store);
    let completing = Completing::new(text, words);
    store.ask_for_words();
    let choices = Memo::new(move |_| match open.get() {
        Open::No => Vec::new(),
        Open::Typing => completing.begun(),
        Open::Asked => completing.choices(),
    });
    let is_listed = Memo::new(move |_| choices.with(|choices| !choices.is_empty()));
    let mistake = Memo::new(move |_| text.with(|text| words.with(|words| mistake_of(text, words.groups()))));
    // Half a query always is wrong: it is told once typing rests.
    let is_patient = RwSignal::new(false);
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(handle) = resting.get_value() {
            handle.clear();
        }
    };
    on_cleanup(stop);
    let ask_typed = move || {
        let trimmed = text.with_untracked(|text| text.trim().to_owned());
        ask(store, move |query| query.text = trimmed);
    };
    let set = move |typed: String| {
        stop();
        is_patient.set(true);
        text.set(typed);
        let handle = if mistake.get_untracked().is_none() {
            is_patient.set(false);
            set_timeout_with_handle(ask_typed, REST)
        } else {
            set_timeout_with_handle(move || is_patient.set(false), PATIENCE)
        };
        resting.set_value(handle.ok());
    };
    // What becomes right by itself, as when the groups become known, is asked for then; what is typed, when typing rests.
    Effect::new(move |before: Option<(String, bool)>| {
        let (typed, is_wrong) = (text.get(), mistake.with(Option::is_some));
        if before.is_some_and(|(before, was_wrong)| was_wrong && before == typed) && !is_wrong {
            ask_typed();
        }
        (typed, is_wrong)
    });
    // Whatever else sets the query sets the box, whatever stands there.
    Effect::new(move |before: Option<u32>| {
        let times = store.things.reset.get();
        if before.is_some_and(|before| before != times) {
            stop();
            text.set(store.things.query.with_untracked(|query| query.text.clone()));
            is_patient.set(false);
        }
        times
    });
    let accept_at = move |nth: usize| {
        let choice = choices.with_untracked(|choices| choices.get(nth).cloned());
        if let Some(choice) = choice {
            let put = completing.put(&choice);
            at.set(None);
            open.set(Open::Typing);
            set(put);
        }
    };
    let look_at_cursor = move || completing.look_at_cursor();
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
        let of_text = || Some((text.get(), mistake.get()?));
        let of_host = || {
            let mistake = store.things.mistake.get()?;
            Some((store.things.query.with(|query| query.text.clone()), mistake))
        };
        if is_patient.get() { None } else { of_text().or_else(of_host) }
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
                    node_ref=completing.input
                    aria-label=said("Filter things")
                    aria-autocomplete="list"
                    aria-expanded=move || is_listed.get().to_string()
                    aria-controls=move || is_listed.get().then_some("query-choices")
                    aria-activedescendant=active
                    aria-invalid=move || is_wrong.get().to_string()
                    aria-describedby=move || is_told.get().then_some("query-wrong")
                    placeholder=said("Name, street, or kind:lamp …")
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
                    <button type="button" class="clear" title=said("Clear (Esc)") aria-label=said("Clear") on:click=move |_| set(String::new())>
                        <Icon of=icondata_lu::LuX />
                    </button>
                </Show>
                <SaveGroup />
                <button
                    type="button"
                    class="clear"
                    title=said("How to find things")
                    aria-label=said("How to find things")
                    data-testid="query-syntax"
                    on:click=move |_| help.set(true)
                >
                    <Icon of=icondata_lu::LuCircleHelp />
                </button>
            </div>
            <Show when=move || is_listed.get()>
                <ul id="query-choices" class="offers" role="listbox" aria-label=said("What can come next") data-testid="query-choices">
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
