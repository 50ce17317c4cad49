//! Who is at the screen: the name for the record, and the role.

use fleetlens_ipc::Setting;
use fleetlens_model::identity::{Actor, Role};
use leptos::prelude::*;

use crate::components::segmented::Segmented;
use crate::lang::said;
use crate::state::store;
use crate::views::settings::{Answer, AnswerLine, Save, told};

/// The longest name, in characters.
const NAME_MAX_CHARS: usize = 80;

/// Name and role.
#[component]
pub fn PersonForm() -> impl IntoView {
    let store = store();
    let who = told(|settings| settings.who.clone());
    let roles = told(|settings| settings.roles.clone());
    let draft = RwSignal::new(None::<Actor>);
    let answer = RwSignal::new(Answer::Rest);
    let shown = Memo::new(move |_| draft.get().unwrap_or_else(|| who.get()));
    let dirty = Memo::new(move |_| draft.get().is_some_and(|draft| draft != who.get()));
    let wrong = Memo::new(move |_| shown.with(|actor| wrong_name(&actor.name)));
    let change = move |change: &dyn Fn(&mut Actor)| {
        let mut next = shown.get_untracked();
        change(&mut next);
        draft.set(Some(next));
        answer.set(Answer::Rest);
    };
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !dirty.get_untracked() || wrong.with_untracked(Option::is_some) {
            return;
        }
        let mut next = shown.get_untracked();
        next.name = next.name.trim().to_owned();
        answer.set(Answer::Asked);
        store.change_setting(Setting::Identity(next), move |outcome| {
            // The form may be gone by now.
            match outcome {
                Ok(_) => {
                    draft.try_set(None);
                    answer.try_set(Answer::Done);
                }
                Err(fault) => drop(answer.try_set(Answer::Refused(fault))),
            }
        });
    };
    let undo = move |()| {
        draft.set(None);
        answer.set(Answer::Rest);
    };
    view! {
        <form class="card" data-testid="settings-person" on:submit=save>
            <h2>{said("Who is here")}</h2>
            <label class="field">
                <span>{said("Name for the record")}</span>
                <input
                    type="text"
                    data-testid="person-name"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder=said("e.g. M. Vella")
                    aria-invalid=move || wrong.with(Option::is_some).to_string()
                    aria-describedby="person-note"
                    prop:value=move || shown.with(|actor| actor.name.clone())
                    on:input=move |event| {
                        let name = event_target_value(&event);
                        change(&move |actor| actor.name = name.clone());
                    }
                />
            </label>
            <p id="person-note" class:fault=move || wrong.with(Option::is_some) class="note">
                {move || wrong.get().unwrap_or(said("Stands beside every command and every acknowledgement."))}
            </p>
            <div class="field">
                <span>{said("Role")}</span>
                {move || {
                    let options = roles.get().into_iter().map(|role| (role, said(role.label()).to_owned())).collect();
                    let chosen = Signal::derive(move || Some(shown.with(|actor| actor.role)));
                    let choose = Callback::new(move |role| change(&move |actor| actor.role = role));
                    view! { <Segmented label=said("Role") options chosen on_choose=choose /> }
                }}
            </div>
            <p class="note">{move || role_words(shown.with(|actor| actor.role))}</p>
            <Save dirty valid=Signal::derive(move || wrong.with(Option::is_none)) answer on_undo=Callback::new(undo) />
            <AnswerLine answer done=said("Saved. It holds from now on, and after a restart.") />
        </form>
    }
}

/// What is wrong with a name; an empty one is nobody's.
fn wrong_name(name: &str) -> Option<&'static str> {
    if name.chars().any(char::is_control) {
        Some(said("A name is printable text."))
    } else if name.trim().chars().count() > NAME_MAX_CHARS {
        Some(said("A name has at most 80 characters."))
    } else {
        None
    }
}

/// What a role may do.
fn role_words(role: Role) -> &'static str {
    match role {
        Role::Operator => said("Watches and steers everything."),
        Role::Technician => said("Works on things on site: steers them and acknowledges alarms."),
        Role::Viewer => said("Sees everything, steers nothing."),
        Role::Driver => said("Looks for a place to park; sees nothing else."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_printable_text_or_nothing() {
        for (name, fine) in [("", true), ("M. Vella", true), ("a\u{7}b", false), (&"x".repeat(81), false)] {
            assert_eq!(wrong_name(name).is_none(), fine, "{name:?}");
        }
    }
}
