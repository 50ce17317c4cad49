//! Only the things of one of the profile's groups.

use leptos::prelude::*;

use super::ask;
use crate::lang::said;
use crate::state::store;

/// A choice among the groups; nothing where the profile names none.
#[component]
pub fn GroupChoice() -> impl IntoView {
    let store = store();
    let groups = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| status.row.groups.clone()).unwrap_or_default())
    });
    let chosen = Memo::new(move |_| store.things.query.with(|query| query.group.clone()));
    let choose = move |event| {
        let group = event_target_value(&event);
        ask(store, move |query| query.group = group);
    };
    view! {
        <Show when=move || groups.with(|groups| !groups.is_empty())>
            <select class="of-group" data-testid="things-group" aria-label=said("Group") on:change=choose>
                <option value="" selected=move || chosen.with(String::is_empty)>
                    {said("Every group")}
                </option>
                <For each=move || groups.get() key=String::clone let:group>
                    <option value=group.clone() selected={
                        let group = group.clone();
                        move || chosen.with(|chosen| *chosen == group)
                    }>{group.clone()}</option>
                </For>
            </select>
        </Show>
    }
}
