//! What the lists of commands say in a line, and the way from it to the thing.

use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;

use crate::components::shape::Shape;
use crate::state::store;
use crate::views::find::finder;

/// How it stands, what it is, and whose; pressed, it opens the thing.
#[component]
pub fn Choose(
    /// Whose.
    thing: ThingKey,
    /// What that is.
    kind: Kind,
    /// How it stands, in two or three words.
    #[prop(into)]
    phase: Signal<String>,
    /// What it is.
    #[prop(into)]
    what: Signal<String>,
    /// More about that.
    #[prop(into)]
    told: Signal<String>,
    /// What people call the thing.
    #[prop(into)]
    whose: Signal<String>,
    /// Where it is; may be empty.
    #[prop(into, default = Signal::default())]
    place: Signal<String>,
) -> impl IntoView {
    let (store, finder) = (store(), finder());
    let is_open = move || store.selected.get() == Some(thing);
    let choose = move |_| {
        store.open(thing);
        finder.chosen.update(|times| *times += 1);
    };
    view! {
        <button
            type="button"
            class="choose"
            data-testid="order-choose"
            aria-current=move || is_open().to_string()
            on:click=choose
        >
            <span class="phase">{move || phase.get()}</span>
            <span class="what">
                <b>{move || what.get()}</b>
                <span data-testid="sentence">{move || told.get()}</span>
            </span>
            <span class="whose" title=move || place.get()>
                <Shape kind status=0u8 />
                <span>{move || whose.get()}</span>
            </span>
        </button>
    }
}
