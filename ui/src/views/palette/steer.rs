//! A control of a thing on a sheet of its own: the one that the thing's page has, with the questions that it asks there.

use std::sync::Arc;
use std::time::Duration;

use fleetlens_model::kind::Control;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::components::control::{Composer, Draft};
use crate::components::modal::Modal;
use crate::format;
use crate::lang::said;
use crate::state::store;
use crate::state::thing::Thing;
use crate::views::commands::may_command;

/// What is steered.
#[derive(Clone)]
pub struct Steered {
    /// The thing.
    pub thing: Thing,
    /// What of it.
    pub control: Arc<Control>,
    /// What it begins with.
    pub wants: Option<Draft>,
}

/// The sheet, while something is steered.
#[component]
pub fn SteerSheet(steered: RwSignal<Option<Steered>>) -> impl IntoView {
    let store = store();
    let open = RwSignal::new(false);
    let may = may_command(store);
    Effect::new(move |_| {
        if steered.with(Option::is_some) {
            open.set(true);
            // What was said already is one key away.
            set_timeout(focus_send, Duration::ZERO);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            steered.set(None);
        }
    });
    // It is gone with the thing: whose key is another fleet's means something else there.
    Effect::new(move |_| {
        let key = steered.with_untracked(|steered| steered.as_ref().map(|steered| steered.thing.key));
        if store.selected.get() != key || !may.get() {
            open.set(false);
        }
    });
    let label = Signal::derive(move || {
        steered
            .with(|steered| {
                let steered = steered.as_ref()?;
                let title = steered.thing.head.with(|head| head.row.title.clone());
                Some(format!("{}, {title}", format::capital(format::known(&steered.control.label))))
            })
            .unwrap_or_default()
    });
    let content = move || {
        let Steered { thing, control, wants } = steered.get_untracked()?;
        let (head, place) = (thing.head.clone(), thing.head.clone());
        let sent = Callback::new(move |()| open.set(false));
        Some(view! {
            <h2>{move || head.with(|head| head.row.title.clone())}</h2>
            <p>{move || place.with(|head| format::place(&head.row.street, &head.row.area))}</p>
            <section class="controls" data-testid="palette-control">
                {match wants {
                    Some(begins) => view! { <Composer thing control begins on_sent=sent /> }.into_any(),
                    None => view! { <Composer thing control on_sent=sent /> }.into_any(),
                }}
            </section>
            <div class="answers">
                <button type="button" class="plain" data-testid="palette-steer-close" on:click=move |_| open.set(false)>
                    {said("Close")}
                </button>
            </div>
        })
    };
    view! {
        <Modal open label testid="palette-steer">
            {content()}
        </Modal>
    }
}

fn focus_send() {
    let send = document().query_selector("[data-testid=palette-steer][open] .send:not(:disabled)");
    if let Some(send) = send.ok().flatten().and_then(|send| send.dyn_into::<HtmlElement>().ok()) {
        // Fails only for a button that is not on the page.
        let _ = send.focus();
    }
}
