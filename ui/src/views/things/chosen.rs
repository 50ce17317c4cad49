//! What is chosen in the table, and what can be done with it.

use fleetlens_model::bulk::Target;
use leptos::prelude::*;
use tr::tr;

use crate::format;
use crate::lang::said;
use crate::state::chosen::search_of;
use crate::state::store;
use crate::views::bulk::compose::{Compose, ComposeSheet};
use crate::views::commands::may_command;

/// The box in the heading: all that this search finds, or nothing.
#[component]
pub fn MarkAll() -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let is_all = move || store.chosen.all.with(Option::is_some);
    let press = move |_| {
        let is_all = store.chosen.all.with_untracked(Option::is_some);
        store.chosen.clear();
        if !is_all {
            store.chosen.all.set(Some(store.things.query.with_untracked(search_of)));
        }
    };
    view! {
        <div class="th mark" role="columnheader">
            <Show when=move || may.get()>
                <input
                    type="checkbox"
                    data-testid="mark-all"
                    aria-label=said("Choose all things of this search")
                    prop:checked=is_all
                    prop:indeterminate=move || !is_all() && store.chosen.things.with(|things| !things.is_empty())
                    on:click=press
                />
            </Show>
        </div>
    }
}

/// How many are chosen, all of the search, and the way to command them; nothing while none is chosen.
#[component]
pub fn ChosenBar() -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let compose = Compose::new();
    let total = move || store.things.total.get().unwrap_or(0);
    // Another search finds others: all of the old one is not meant any more.
    Effect::new(move |_| {
        let search = store.things.query.with(search_of);
        if store.chosen.all.with_untracked(|all| all.as_ref().is_some_and(|all| *all != search)) {
            store.chosen.all.set(None);
        }
    });
    let is_any = Memo::new(move |_| may.get() && store.chosen.target().is_some());
    let is_some_only = move || store.chosen.all.with(Option::is_none);
    let words = move || match store.chosen.target() {
        Some(Target::Things(things)) => tr!("{} chosen", format::count(things.len() as u64)),
        Some(Target::Search(_)) => tr!("All {} of this search chosen", format::count(u64::from(total()))),
        None => String::new(),
    };
    let all = move |_| store.chosen.all.set(Some(store.things.query.with_untracked(search_of)));
    let press = move |_| {
        if let Some(target) = untrack(|| store.chosen.target()) {
            compose.begin(target, store);
        }
    };
    view! {
        <Show when=move || is_any.get()>
            <div class="chosen-bar" role="group" aria-label=said("What is chosen") data-testid="chosen-bar">
                <p role="status" data-testid="chosen-count">{words}</p>
                <Show when=is_some_only>
                    <button type="button" class="link" data-testid="choose-all" on:click=all>
                        {move || tr!("All {} of this search", format::count(u64::from(total())))}
                    </button>
                </Show>
                <button type="button" class="link" data-testid="choose-none" on:click=move |_| store.chosen.clear()>
                    {said("Choose none")}
                </button>
                <span class="space" />
                <button type="button" class="send" data-testid="bulk-begin" on:click=press>
                    {said("Command…")}
                </button>
            </div>
        </Show>
        <ComposeSheet compose />
    }
}
