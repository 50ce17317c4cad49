//! Which kinds the map shows: a switch for each, with its shape as the map draws it and how many there are.

use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use crate::components::shape::Shape;
use crate::format;
use crate::format::within;
use crate::lang::said;
use crate::state::store;

/// Which kinds the map shows, with how many there are.
#[component]
pub fn KindChips() -> impl IntoView {
    let store = store();
    let kinds = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| status.row.kinds.clone()).unwrap_or_default())
    });
    view! {
        <div class="chips" role="group" aria-label=said("Kinds on the map")>
            <For each=move || kinds.get() key=|(kind, _)| *kind let:item>
                <Chip kind=item.0 kinds />
            </For>
        </div>
    }
}

#[component]
fn Chip(kind: Kind, kinds: Memo<Vec<(Kind, u32)>>) -> impl IntoView {
    let store = store();
    let is_shown = Memo::new(move |_| store.hidden.with(|hidden| !hidden.contains(&kind)));
    let count =
        move || kinds.with(|kinds| kinds.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count));
    view! {
        <button
            type="button"
            class="chip"
            class:on=move || is_shown.get()
            data-testid="chip"
            data-kind=kind.word()
            aria-pressed=move || is_shown.get().to_string()
            title=move || {
                let kinds = within(kind.plural());
                if is_shown.get() { tr!("Hide {} on the map", kinds) } else { tr!("Show {} on the map", kinds) }
            }
            on:click=move |_| store.show(kind, !is_shown.get_untracked())
        >
            <span class="sign" aria-hidden="true"><Shape kind status=0u8 /></span>
            // Where there is little room the word is not shown, but still read out.
            <span class="word" aria-hidden="true">{said(kind.plural())}</span>
            <span class="unseen">{format!("{}, ", said(kind.plural()))}</span>
            <span class="count">{move || format::count(u64::from(count()))}</span>
        </button>
    }
}
