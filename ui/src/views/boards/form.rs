//! The form of a widget. What is right is said by the code that reads files.

use fleetlens_model::board::{Asks, Field, NAME_MAX_CHARS, Shows, WIDGETS_MAX};
use leptos::prelude::*;
use tr::tr;

use super::words::kind_words;
use super::{FormOf, desk};
use crate::components::modal::Modal;
use crate::format;
use crate::lang::said;
use crate::state::store;

/// What stands in the fields of a new one.
fn first_texts(word: &str) -> Vec<String> {
    let texts: &[&str] = match word {
        "figure" => &["", "count", ""],
        "chart" => &["", "24"],
        "table" => &["", "place\nvalue\nheard"],
        "list" => &["attention", ""],
        "heat" => &["kind:parking", "4"],
        _ => &[],
    };
    Shows::fields_of(word)
        .iter()
        .enumerate()
        .map(|(n, _)| texts.get(n).copied().unwrap_or_default().to_owned())
        .collect()
}

#[component]
pub(super) fn WidgetForm() -> impl IntoView {
    let boards = store().boards;
    let desk = desk();
    let open = RwSignal::new(false);
    let word = RwSignal::new("");
    let title = RwSignal::new(String::new());
    let texts = RwSignal::new(Vec::<String>::new());
    // Told once somebody wanted it so: an empty form is no mistake.
    let pressed = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(of) = desk.form.get() else { return open.set(false) };
        match of {
            FormOf::New(kind) => {
                word.set(kind);
                title.set(String::new());
                texts.set(first_texts(kind));
            }
            FormOf::Known(uid) => {
                let known = boards.laid.with_untracked(|laid| laid.widget(uid).cloned());
                let Some(known) = known else { return open.set(false) };
                word.set(known.shows.word());
                title.set(known.title);
                texts.set(known.shows.fields());
            }
        }
        pressed.set(false);
        open.set(true);
    });
    Effect::new(move |_| {
        if !open.get() && desk.form.get_untracked().is_some() {
            desk.form.set(None);
        }
    });
    let read = Memo::new(move |_| Shows::of_fields(word.get(), &texts.get()));
    let is_full = move || {
        matches!(desk.form.get(), Some(FormOf::New(_)))
            && boards.laid.with(|laid| laid.board.widgets.len() >= WIDGETS_MAX)
    };
    let wrong = move || {
        if is_full() {
            return Some(tr!("A board has at most {} widgets.", WIDGETS_MAX));
        }
        let why = read.with(|read| read.as_ref().err().cloned())?;
        pressed.get().then(|| format!("{}.", format::capital(&why)))
    };
    let keep = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        pressed.set(true);
        let (Some(of), Ok(shows)) = (desk.form.get_untracked(), read.get_untracked()) else { return };
        let name: String = title.get_untracked().trim().chars().take(NAME_MAX_CHARS).collect();
        match of {
            FormOf::New(_) => {
                let Some(uid) = boards.add(name, shows) else { return };
                desk.wanted.set(Some(uid));
            }
            FormOf::Known(uid) => {
                boards.change(said("Changed"), |laid| {
                    let nth = laid.nth(uid);
                    if let Some(widget) = nth.and_then(|nth| laid.board.widgets.get_mut(nth)) {
                        widget.title = name;
                        widget.shows = shows;
                    }
                });
                desk.wanted.set(Some(uid));
            }
        }
        open.set(false);
    };
    let label = Signal::derive(move || kind_words(word.get()).0.to_owned());
    let is_new = move || matches!(desk.form.get(), Some(FormOf::New(_)));
    view! {
        <Modal open label class="modal board-sheet" testid="board-form">
            <h2>{label}</h2>
            <form on:submit=keep>
                <label class="board-field">
                    <span>{said("Title")}</span>
                    <input
                        type="text"
                        data-testid="board-field-title"
                        maxlength=NAME_MAX_CHARS.to_string()
                        placeholder=said("what it shows")
                        prop:value=title
                        on:input=move |event| title.set(event_target_value(&event))
                    />
                </label>
                {move || {
                    Shows::fields_of(word.get())
                        .iter()
                        .enumerate()
                        .map(|(nth, field)| view! { <OneField nth field=*field texts /> })
                        .collect_view()
                }}
                <p class="wrong" role="alert" data-testid="board-form-wrong">{wrong}</p>
                <div class="answers">
                    <button type="button" class="plain" on:click=move |_| open.set(false)>{said("Cancel")}</button>
                    <button type="submit" class="send" data-testid="board-form-keep" disabled=is_full>
                        {move || if is_new() { said("Add") } else { said("Change") }}
                    </button>
                </div>
            </form>
        </Modal>
    }
}

#[component]
fn OneField(nth: usize, field: Field, texts: RwSignal<Vec<String>>) -> impl IntoView {
    let Field { key, label, hint, asks } = field;
    let text = Memo::new(move |_| texts.with(|texts| texts.get(nth).cloned().unwrap_or_default()));
    let typed = move |value: String| {
        texts.update(|texts| {
            if let Some(text) = texts.get_mut(nth) {
                *text = value;
            }
        });
    };
    let testid = format!("board-field-{key}");
    let input = match asks {
        Asks::Line | Asks::Query => view! {
            <input
                type="text"
                class:mono=asks == Asks::Query
                data-testid=testid
                spellcheck="false"
                autocomplete="off"
                prop:value=text
                on:input=move |event| typed(event_target_value(&event))
            />
        }
        .into_any(),
        Asks::Lines => view! {
            <textarea
                data-testid=testid
                spellcheck="false"
                rows="4"
                prop:value=text
                on:input=move |event| typed(event_target_value(&event))
            />
        }
        .into_any(),
        Asks::Choice(options) => {
            // One that a file says and the form does not offer stays as it is.
            let other = move || {
                let now = text.get();
                (!options.iter().any(|(value, _)| *value == now)).then(|| {
                    let value = now.clone();
                    view! { <option value=value selected=true>{now}</option> }
                })
            };
            let options = options
                .iter()
                .map(|(value, words)| {
                    view! { <option value=*value selected=move || text.get() == *value>{said(words)}</option> }
                })
                .collect_view();
            view! {
                <select class="choice" data-testid=testid on:change=move |event| typed(event_target_value(&event))>
                    {options}
                    {other}
                </select>
            }
            .into_any()
        }
    };
    view! {
        <label class="board-field">
            <span>{said(label)}</span>
            {input}
            {(!hint.is_empty()).then(|| view! { <small>{said(hint)}</small> })}
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_widget_asks_for_nothing_that_it_can_do_without() {
        for (word, is_ready) in [
            ("figure", true),
            ("chart", false),
            ("table", true),
            ("map", true),
            ("list", true),
            ("gauge", false),
            ("heat", true),
            ("text", false),
        ] {
            assert_eq!(Shows::of_fields(word, &first_texts(word)).is_ok(), is_ready, "{word}");
        }
    }
}
