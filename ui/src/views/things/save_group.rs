//! A search that is kept: it becomes a group of the profile, with whatever it finds from then on.

use fleetlens_ipc::profile::{KeptGroup, ProfileAsk};
use fleetlens_ipc::{Intent, Only, ThingsQuery};
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::components::modal::Modal;
use crate::lang::said;
use crate::state::{Store, store};
use crate::views::commands::may_command;

/// What of a query a group holds: its words and its kinds. `None` where it has neither.
fn held(query: &ThingsQuery) -> Option<(String, Vec<fleetlens_model::kind::Kind>)> {
    let search = query.text.trim().to_owned();
    (!search.is_empty() || !query.kinds.is_empty()).then(|| (search, query.kinds.clone()))
}

/// What of a query a group does not hold, in words.
fn left_out(query: &ThingsQuery) -> Option<String> {
    let group = &query.group;
    match (query.only, group.is_empty()) {
        (Only::All, true) => None,
        (Only::All, false) => Some(tr!("Not kept with it: that only things of the group “{group}” are shown.", group)),
        (Only::Alarmed, true) => Some(said("Not kept with it: that only alarmed things are shown.").to_owned()),
        (Only::Alarmed, false) => Some(tr!(
            "Not kept with it: that only alarmed things are shown, and that only things of the group “{group}” are shown.",
            group
        )),
        (Only::Silent, true) => Some(said("Not kept with it: that only silent things are shown.").to_owned()),
        (Only::Silent, false) => Some(tr!(
            "Not kept with it: that only silent things are shown, and that only things of the group “{group}” are shown.",
            group
        )),
        (Only::Pending, true) => {
            Some(said("Not kept with it: that only things with a pending command are shown.").to_owned())
        }
        (Only::Pending, false) => Some(tr!(
            "Not kept with it: that only things with a pending command are shown, and that only things of the group “{group}” are shown.",
            group
        )),
    }
}

/// The button, for those who may change the profile, where there is something to keep; with its sheet. The demo city's profile comes with
/// the program and cannot be changed.
#[component]
pub fn SaveGroup() -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let is_kept = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().is_some_and(|status| !status.row.demo && !status.row.undecided))
    });
    let is_there = Memo::new(move |_| {
        let has_something = || store.things.query.with(|query| held(query).is_some());
        may.get() && is_kept.get() && has_something() && store.things.mistake.with(Option::is_none)
    });
    let open = RwSignal::new(false);
    view! {
        <Show when=move || is_there.get()>
            <button
                type="button"
                class="clear"
                title=said("Save as group…")
                aria-label=said("Save as group…")
                data-testid="save-group"
                on:click=move |_| open.set(true)
            >
                <Icon of=icondata_lu::LuBookmarkPlus />
            </button>
        </Show>
        <Modal open label=said("Save as group") testid="save-group-sheet">
            <Sheet open />
        </Modal>
    }
}

#[component]
fn Sheet(open: RwSignal<bool>) -> impl IntoView {
    let store = store();
    // As the table shows it, not as it may be typed meanwhile.
    let query = store.things.query.get_untracked();
    let (search, kinds) = held(&query).unwrap_or_default();
    let finds = words(&search, &kinds);
    let name = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<String>);
    let sending = RwSignal::new(false);
    let is_taken = Memo::new(move |_| name.with(|name| is_group(store, name.trim())));
    let keep = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if sending.get_untracked() {
            return;
        }
        let group = KeptGroup {
            name: name.with_untracked(|name| name.trim().to_owned()),
            search: search.clone(),
            kinds: kinds.clone(),
            replaces: is_taken.get_untracked(),
        };
        sending.set(true);
        fault.set(None);
        store.ask(Intent::Profile(ProfileAsk::KeepGroup(Box::new(group))), move |outcome| {
            // The sheet may have closed meanwhile; then nobody looks at these any more.
            sending.try_set(false);
            match outcome {
                // It stands among the groups from now on.
                Ok(_) => drop(open.try_set(false)),
                Err(error) => drop(fault.try_set(Some(error.message))),
            }
        });
    };
    let word = move || if is_taken.get() { said("Replace the group") } else { said("Save") };
    view! {
        <h2>{said("Save as group")}</h2>
        <form class="save-group" on:submit=keep>
            <p>{said("A group has what is found now, and what will be: ")} <code data-testid="save-group-finds">{finds}</code></p>
            {left_out(&query).map(|words| view! { <p data-testid="save-group-left-out">{words}</p> })}
            <label>
                {said("Name")}
                <input
                    type="text"
                    autofocus
                    data-testid="save-group-name"
                    autocomplete="off"
                    maxlength="64"
                    prop:value=move || name.get()
                    on:input=move |event| {
                        fault.set(None);
                        name.set(event_target_value(&event));
                    }
                />
            </label>
            <Show when=move || is_taken.get()>
                <p class="save-group-taken" role="status" data-testid="save-group-taken">
                    {said("There is a group of this name. Replacing it changes what everything that names it goes by: rules, searches, and what is left to people. The profile begins anew with it.")}
                </p>
            </Show>
            {move || fault.get().map(|why| view! { <p class="fault" role="alert" data-testid="save-group-fault">{why}</p> })}
            <div class="answers">
                <button type="button" class="plain" on:click=move |_| open.set(false)>
                    {said("Do nothing")}
                </button>
                <button
                    type="submit"
                    class="send"
                    data-testid="save-group-yes"
                    disabled=move || sending.get() || name.with(|name| name.trim().is_empty())
                >
                    {word}
                </button>
            </div>
        </form>
    }
}

fn is_group(store: Store, name: &str) -> bool {
    store
        .status
        .with(|status| status.as_ref().is_some_and(|status| status.row.groups.iter().any(|group| group == name)))
}

/// The kinds and the search as one query reads them.
fn words(search: &str, kinds: &[fleetlens_model::kind::Kind]) -> String {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let kinds = match kinds.as_slice() {
        [] => String::new(),
        [one] => format!("kind:{one}"),
        some => format!("kind:({})", some.join(" OR ")),
    };
    match (kinds.is_empty(), search.is_empty()) {
        (false, false) => format!("{kinds} and {search}"),
        (_, true) => kinds,
        (true, false) => search.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::Kind;

    use super::*;

    #[test]
    fn a_group_holds_words_and_kinds_and_says_what_it_does_not_hold() {
        let query = ThingsQuery { text: " moro ".into(), kinds: vec![Kind::Lamp, Kind::Bin], ..ThingsQuery::default() };
        let (search, kinds) = held(&query).unwrap();
        assert_eq!(words(&search, &kinds), "kind:(lamp OR bin) and moro");
        assert_eq!((words("", &[Kind::Bin]), words("moro", &[])), ("kind:bin".to_owned(), "moro".to_owned()));
        assert_eq!(left_out(&query), None);
        let narrow = ThingsQuery { only: Only::Silent, group: "Crew".into(), ..ThingsQuery::default() };
        assert_eq!(held(&narrow), None, "nothing of it can be kept");
        let told =
            "Not kept with it: that only silent things are shown, and that only things of the group “Crew” are shown.";
        assert_eq!(left_out(&narrow).as_deref(), Some(told));
    }
}
