//! A command that waits is changed: another value for what it sets, another end.

use fleetlens_ipc::rows::{CommandRow, LeafTakes};
use fleetlens_ipc::{Fault, Intent};
use fleetlens_model::id::CommandId;
use leptos::prelude::*;
use serde_json::Value as Json;
use tr::tr;

use super::called;
use crate::clock::{Aged, clock};
use crate::components::confirm::Confirm;
use crate::components::control::{self, Expiry};
use crate::components::modal::Modal;
use crate::components::patch::Dangers;
use crate::format;
use crate::lang::said;
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
    let label = Signal::derive(|| said("Change what waits").to_owned());
    let name = move || row.with(|row| called(said("Edit"), &row.row));
    view! {
        // What leaves while somebody changes it says so in the sheet.
        <Show when=move || can_edit.get() || open.get()>
            <button
                type="button"
                class="link"
                data-testid="edit"
                aria-label=name
                on:click=move |_| open.set(true)
            >
                {said("Edit")}
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
    let (title, whose, fields, left_ms) = row.with_untracked(|row| {
        let left_ms = row.row.expires_in_ms.map(|ms| ms.saturating_sub(row.elapsed_ms(untrack(|| clock.now_ms()))));
        let whose = row.row.thing_title.clone();
        (format::capital(&row.row.title), whose, Field::all(&row.row), left_ms.unwrap_or_default())
    });
    let typed = RwSignal::new(fields.iter().map(|field| field.text.clone()).collect::<Vec<_>>());
    let kept = StoredValue::new(fields.clone());
    let chosen_ms = RwSignal::new(None::<u64>);
    let fault = RwSignal::new(None::<Fault>);
    let sending = RwSignal::new(false);
    let has_left = Memo::new(move |_| row.with(|row| !row.row.can_edit));
    let values = Memo::new(move |_| typed.with(|typed| kept.with_value(|fields| changed(fields, typed))));
    let is_nothing = move || values.with(Vec::is_empty) && chosen_ms.get().is_none();
    let is_wrong = Memo::new(move |_| {
        typed.with(|typed| {
            kept.with_value(|fields| fields.iter().zip(typed).any(|(field, typed)| field.wrong(typed).is_some()))
        })
    });
    // Of all that it would want then: what stays as it was leaves with the rest, and a longer life is one more chance to happen.
    let dangers = Memo::new(move |_| {
        if is_nothing() { Vec::new() } else { typed.with(|typed| kept.with_value(|fields| dangers(fields, typed))) }
    });
    let asks_first = kept.with_value(|fields| fields.iter().any(Field::asks_first));
    let asking = RwSignal::new(false);
    let cannot = move || is_nothing() || is_wrong.get() || has_left.get() || sending.get();
    let send = move || {
        if untrack(cannot) {
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
    let press = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if untrack(cannot) {
        } else if asks_first {
            asking.set(true);
        } else {
            send();
        }
    };
    let asks = Signal::derive(move || tr!("Change what waits for {}?", whose));
    let will = move || {
        let line = |(name, before, after): (String, String, String)| {
            view! {
                <li>
                    <span>{name}</span>
                    <span>
                        <code class="before">{before}</code>
                        " → "
                        <code class="wanted">{after}</code>
                    </span>
                </li>
            }
        };
        let lines = typed.with(|typed| kept.with_value(|fields| will(fields, typed)));
        (!lines.is_empty() && !is_wrong.get()).then(|| {
            view! {
                <ul class="changes" data-testid="edit-will">
                    {lines.into_iter().map(line).collect_view()}
                </ul>
            }
        })
    };
    let inputs = fields.into_iter().enumerate().map(|(nth, field)| view! { <Line nth field typed /> }).collect_view();
    view! {
        <form on:submit=press>
            <h2>{said("Change what waits")}</h2>
            <p>{tr!("{} has not left yet. It keeps its place among the commands that wait.", title)}</p>
            <div class="edit-lines">{inputs} <Expiry chosen_ms own_ms=left_ms /></div>
            <div aria-live="polite">{will} <Dangers dangers /></div>
            <Show when=move || has_left.get()>
                <p class="fault" role="alert" data-testid="edit-left">
                    {said("It has left meanwhile. Take it back, or ask anew.")}
                </p>
            </Show>
            {move || fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })}
            <div class="answers">
                <button type="button" class="plain" data-testid="edit-no" on:click=move |_| open.set(false)>
                    {said("Leave it")}
                </button>
                <button
                    type="submit"
                    class="send"
                    data-testid="edit-yes"
                    disabled=cannot
                >
                    {said("Change it")}
                </button>
            </div>
        </form>
        <Confirm open=asking asks yes=said("Change it") no=said("Leave it") on_yes=Callback::new(move |()| send())>
            {will}
            <p>{said("It moves something in the street, or ends what somebody is doing.")}</p>
            <Dangers dangers />
        </Confirm>
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
    let name = field.name();
    let of = field.clone();
    let wrong = Memo::new(move |_| typed.with(|typed| typed.get(nth).and_then(|typed| of.wrong(typed))));
    let input = match field.shape {
        Shape::Flag => {
            let on = field.text == "true";
            view! {
                <select data-testid="edit-value" on:change=move |event| put(event_target_value(&event))>
                    <option value="true" selected=on>{said("on")}</option>
                    <option value="false" selected=!on>{said("off")}</option>
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
        {move || wrong.get().map(|why| view! { <p class="wrong" role="alert" data-testid="edit-wrong">{why}</p> })}
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
#[derive(Clone, Debug, PartialEq)]
struct Field {
    pointer: String,
    shape: Shape,
    text: String,
    takes: LeafTakes,
}

impl Field {
    /// Those of a command.
    fn all(row: &CommandRow) -> Vec<Field> {
        let takes = row.takes.iter().cloned().chain(std::iter::repeat_with(LeafTakes::default));
        row.changes.iter().zip(takes).map(|((pointer, _, wanted), takes)| Field::of(pointer, wanted, takes)).collect()
    }

    fn of(pointer: &str, wanted: &str, takes: LeafTakes) -> Field {
        let (shape, text) = match serde_json::from_str::<Json>(wanted) {
            Ok(Json::String(word)) => (Shape::Word, word),
            Ok(Json::Number(_)) => (Shape::Number, wanted.to_owned()),
            Ok(Json::Bool(_)) => (Shape::Flag, wanted.to_owned()),
            Ok(Json::Null | Json::Array(_) | Json::Object(_)) | Err(_) => (Shape::Json, wanted.to_owned()),
        };
        Field { pointer: pointer.to_owned(), shape, text, takes }
    }

    fn name(&self) -> String {
        self.takes
            .control
            .as_ref()
            .map_or_else(|| format::pointer(&self.pointer), |control| format::known(&control.label).to_owned())
    }

    /// What was typed, in words.
    fn in_words(&self, typed: &str) -> String {
        let json = self.json(typed);
        match &self.takes.control {
            Some(control) => control::in_its_words(control, &json),
            None => json,
        }
    }

    /// What cannot be of another value than it has. What speaks of several leaves, and leaves without a control, the engine checks.
    fn wrong(&self, typed: &str) -> Option<String> {
        let json = self.json(typed);
        if json == self.json(&self.text) {
            return None;
        }
        let Ok(value) = serde_json::from_str::<Json>(&json) else {
            let (name, typed) = (self.name(), format!("{:?}", typed.trim()));
            return Some(match self.shape {
                Shape::Number => tr!("{name} takes a number, not {typed}", name, typed),
                Shape::Flag | Shape::Word | Shape::Json => tr!("{name} takes JSON, not {typed}", name, typed),
            });
        };
        self.takes.control.as_ref().and_then(|control| control.check(&value).err())
    }

    /// Whether the screen asks before it is changed.
    fn asks_first(&self) -> bool {
        !self.takes.dangers.is_empty()
    }

    /// What was typed, as JSON text.
    fn json(&self, typed: &str) -> String {
        match self.shape {
            Shape::Word => Json::from(typed).to_string(),
            Shape::Number | Shape::Flag | Shape::Json => typed.trim().to_owned(),
        }
    }
}

/// What will happen to people, in sentences, each once.
fn dangers(fields: &[Field], typed: &[String]) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for (field, typed) in fields.iter().zip(typed) {
        let value = serde_json::from_str::<Json>(&field.json(typed)).map(|value| value.to_string()).unwrap_or_default();
        let told = field.takes.dangers.iter().filter(|(of, _)| of.is_empty() || *of == value);
        for (_, sentence) in told {
            if !sentences.contains(sentence) {
                sentences.push(sentence.clone());
            }
        }
    }
    sentences
}

/// What becomes otherwise: what a leaf is called, what waits, and what would wait then.
fn will(fields: &[Field], typed: &[String]) -> Vec<(String, String, String)> {
    let other = fields.iter().zip(typed).filter(|(field, typed)| field.json(typed) != field.json(&field.text));
    other.map(|(field, typed)| (field.name(), field.in_words(&field.text), field.in_words(typed))).collect()
}

/// The leaves whose value is another one now.
fn changed(fields: &[Field], typed: &[String]) -> Vec<(String, String)> {
    let other = fields.iter().zip(typed).filter(|(field, typed)| field.json(typed) != field.json(&field.text));
    other.map(|(field, typed)| (field.pointer.clone(), field.json(typed))).collect()
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::{Kind, Schemas};

    use super::*;

    fn field(pointer: &str, wanted: &str) -> Field {
        Field::of(pointer, wanted, LeafTakes::default())
    }

    fn of_kind(kind: Kind, pointer: &str, wanted: &str) -> Field {
        let control = Schemas::of_the_program().control_of_kind(kind, pointer).unwrap().clone();
        let dangers = control.dangers.clone();
        Field::of(pointer, wanted, LeafTakes { control: Some(control), dangers })
    }

    #[test]
    fn what_hits_people_is_asked_about_and_told_and_the_rest_is_not() {
        let (lamp, charger) = (of_kind(Kind::Lamp, "/dim_pct", "40"), of_kind(Kind::Charger, "/enabled", "true"));
        assert!(!lamp.asks_first() && charger.asks_first());
        let told = |typed: &str| dangers(&[lamp.clone(), charger.clone()], &["40".into(), typed.into()]);
        assert!(told("true").is_empty());
        assert!(matches!(&told("false")[..], [one] if one.contains("session ends")), "{:?}", told("false"));
        let barrier = of_kind(Kind::Parking, "/barrier", "\"closed\"");
        assert!(barrier.asks_first(), "whichever way it moves");
        assert_eq!(
            will(&[barrier, lamp], &["open".into(), "40".into()]),
            [("Barrier".to_owned(), "closed".to_owned(), "open".to_owned())],
        );
    }

    #[test]
    fn what_cannot_be_is_told_where_it_is_typed() {
        let (lamp, barrier) = (of_kind(Kind::Lamp, "/dim_pct", "40"), of_kind(Kind::Parking, "/barrier", "\"closed\""));
        for (field, typed, says) in [
            (&lamp, "60", None),
            (&lamp, "140", Some("outside 0–100")),
            (&lamp, "", Some("takes a number")),
            (&lamp, "a lot", Some("takes a number, not \"a lot\"")),
            (&barrier, "open", None),
            (&barrier, "ajar", Some("takes one of")),
        ] {
            let wrong = field.wrong(typed);
            assert_eq!(wrong.is_some(), says.is_some(), "{typed}: {wrong:?}");
            assert!(wrong.unwrap_or_default().contains(says.unwrap_or_default()), "{typed}");
        }
        assert_eq!(field("/list", "[1]").wrong("[1, 2"), Some("list takes JSON, not \"[1, 2\"".into()));
        // What was asked for once is nobody's mistake now.
        assert_eq!(of_kind(Kind::Lamp, "/dim_pct", "140").wrong("140"), None);
    }

    #[test]
    fn a_value_is_typed_as_people_write_it_and_only_what_changed_is_sent() {
        let fields = [field("/dim_pct", "40"), field("/barrier", "\"open\""), field("/on", "true")];
        assert_eq!((fields[1].shape, fields[1].text.as_str()), (Shape::Word, "open"));
        let typed = |texts: [&str; 3]| texts.map(str::to_owned);
        assert_eq!(changed(&fields, &typed(["40", "open", "true"])), []);
        let want = [("/dim_pct".to_owned(), "60".to_owned()), ("/barrier".to_owned(), "\"closed\"".to_owned())];
        assert_eq!(changed(&fields, &typed([" 60 ", "closed", "true"])), want);
        assert_eq!(changed(&fields, &typed(["40", "open", "false"])), [("/on".to_owned(), "false".to_owned())]);
    }
}
