//! A command that waits is changed: another value for what it sets, another end.

use fleetlens_ipc::rows::CommandRow;
use fleetlens_ipc::{Fault, Intent};
use fleetlens_model::id::CommandId;
use leptos::prelude::*;
use serde_json::Value as Json;

use crate::clock::{Aged, clock};
use crate::components::control::Expiry;
use crate::components::modal::Modal;
use crate::format;
use crate::state::store;

/// The way to change it, while it has not left.
#[component]
pub fn Edit(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
    /// Its id.
    id: CommandId,
) -> impl IntoView {
    let can_edit = Memo::new(move |_| row.with(|row| row.row.can_edit));
    let open = RwSignal::new(false);
    let label = Signal::derive(|| "Change what waits".to_owned());
    view! {
        // What leaves while somebody changes it says so in the sheet.
        <Show when=move || can_edit.get() || open.get()>
            <button type="button" class="link" data-testid="edit" on:click=move |_| open.set(true)>
                "Edit"
            </button>
            <Modal open label class="modal conflict" testid="edit-sheet">
                <Form row id open />
            </Modal>
        </Show>
    }
}

#[component]
fn Form(row: RwSignal<Aged<CommandRow>>, id: CommandId, open: RwSignal<bool>) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let (title, changes, left_ms) = row.with_untracked(|row| {
        let left_ms = row.row.expires_in_ms.map(|ms| ms.saturating_sub(row.elapsed_ms(untrack(|| clock.now_ms()))));
        (format::capital(&row.row.title), row.row.changes.clone(), left_ms.unwrap_or_default())
    });
    let fields: Vec<Field> = changes.iter().map(|(pointer, _, wanted)| Field::of(pointer, wanted)).collect();
    let typed = RwSignal::new(fields.iter().map(|field| field.text.clone()).collect::<Vec<_>>());
    let kept = StoredValue::new(fields.clone());
    let chosen_ms = RwSignal::new(None::<u64>);
    let fault = RwSignal::new(None::<Fault>);
    let sending = RwSignal::new(false);
    let has_left = Memo::new(move |_| row.with(|row| !row.row.can_edit));
    let values = Memo::new(move |_| typed.with(|typed| kept.with_value(|fields| changed(fields, typed))));
    let is_nothing = move || values.with(Vec::is_empty) && chosen_ms.get().is_none();
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if untrack(is_nothing) || has_left.get_untracked() || sending.get_untracked() {
            return;
        }
        sending.set(true);
        fault.set(None);
        let expires_in_ms = chosen_ms.get_untracked();
        let intent = Intent::EditCommand { command: id, values: values.get_untracked(), expires_in_ms };
        store.ask(intent, move |outcome| {
            sending.try_set(false);
            match outcome {
                Ok(_) => drop(open.try_set(false)),
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let inputs = fields.into_iter().enumerate().map(|(nth, field)| view! { <Line nth field typed /> }).collect_view();
    view! {
        <form on:submit=send>
            <h2>"Change what waits"</h2>
            <p>{title}" has not left yet. It keeps its place among the commands that wait."</p>
            <div class="edit-lines">{inputs} <Expiry chosen_ms own_ms=left_ms /></div>
            <Show when=move || has_left.get()>
                <p class="fault" role="alert" data-testid="edit-left">
                    "It has left meanwhile. Take it back, or ask anew."
                </p>
            </Show>
            {move || fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })}
            <div class="answers">
                <button type="button" class="plain" data-testid="edit-no" on:click=move |_| open.set(false)>
                    "Leave it"
                </button>
                <button
                    type="submit"
                    class="send"
                    data-testid="edit-yes"
                    disabled=move || is_nothing() || has_left.get() || sending.get()
                >
                    "Change it"
                </button>
            </div>
        </form>
    }
}

#[component]
fn Line(nth: usize, field: Field, typed: RwSignal<Vec<String>>) -> impl IntoView {
    let put = move |text: String| {
        typed.update(|typed| {
            if let Some(of) = typed.get_mut(nth) {
                *of = text;
            }
        });
    };
    let name = format::pointer(&field.pointer);
    let input = match field.shape {
        Shape::Flag => {
            let on = field.text == "true";
            view! {
                <select data-testid="edit-value" on:change=move |event| put(event_target_value(&event))>
                    <option value="true" selected=on>"on"</option>
                    <option value="false" selected=!on>"off"</option>
                </select>
            }
            .into_any()
        }
        Shape::Number | Shape::Word | Shape::Json => view! {
            <input
                type="text"
                data-testid="edit-value"
                inputmode=if field.shape == Shape::Number { "decimal" } else { "text" }
                prop:value=field.text
                on:input=move |event| put(event_target_value(&event))
            />
        }
        .into_any(),
    };
    view! {
        <label class="edit-line">
            <span>{name}</span>
            {input}
        </label>
    }
}

/// How a value is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Number,
    Flag,
    /// A text without its quotation marks.
    Word,
    Json,
}

/// A leaf that the command sets, and its value as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    pointer: String,
    shape: Shape,
    text: String,
}

impl Field {
    fn of(pointer: &str, wanted: &str) -> Field {
        let (shape, text) = match serde_json::from_str::<Json>(wanted) {
            Ok(Json::String(word)) => (Shape::Word, word),
            Ok(Json::Number(_)) => (Shape::Number, wanted.to_owned()),
            Ok(Json::Bool(_)) => (Shape::Flag, wanted.to_owned()),
            Ok(Json::Null | Json::Array(_) | Json::Object(_)) | Err(_) => (Shape::Json, wanted.to_owned()),
        };
        Field { pointer: pointer.to_owned(), shape, text }
    }

    /// What was typed, as JSON text. The engine says what is wrong with it.
    fn json(&self, typed: &str) -> String {
        match self.shape {
            Shape::Word => Json::from(typed).to_string(),
            Shape::Number | Shape::Flag | Shape::Json => typed.trim().to_owned(),
        }
    }
}

/// The leaves whose value is another one now.
fn changed(fields: &[Field], typed: &[String]) -> Vec<(String, String)> {
    let other = fields.iter().zip(typed).filter(|(field, typed)| field.json(typed) != field.json(&field.text));
    other.map(|(field, typed)| (field.pointer.clone(), field.json(typed))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_typed_as_people_write_it_and_only_what_changed_is_sent() {
        let fields = [Field::of("/dim_pct", "40"), Field::of("/barrier", "\"open\""), Field::of("/on", "true")];
        assert_eq!(fields[1], Field { pointer: "/barrier".into(), shape: Shape::Word, text: "open".into() });
        let typed = |texts: [&str; 3]| texts.map(str::to_owned);
        assert_eq!(changed(&fields, &typed(["40", "open", "true"])), []);
        let want = [("/dim_pct".to_owned(), "60".to_owned()), ("/barrier".to_owned(), "\"closed\"".to_owned())];
        assert_eq!(changed(&fields, &typed([" 60 ", "closed", "true"])), want);
        assert_eq!(changed(&fields, &typed(["40", "open", "false"])), [("/on".to_owned(), "false".to_owned())]);
    }
}
