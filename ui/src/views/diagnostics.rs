//! How the program stands, in figures that are asked for every second while somebody looks, and the report of it that can be mailed.

mod cache;
mod cards;
mod copy_report;
mod words;

use fleetlens_ipc::diagnostics::Diagnostics;
use leptos::html;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{clock, local, today};
use crate::components::coming::Coming;
use crate::lang::said;
use crate::state::section::Section;
use crate::state::store;
use crate::views::settings::sheet::settings_sheet;

use cache::CacheCard;
use cards::{DropsCard, EngineCard, LinkCard, ProgramCard};
use copy_report::CopyReport;

type Told = RwSignal<Option<Diagnostics>>;

/// The way here, from wherever one is.
#[component]
pub fn ToDiagnostics() -> impl IntoView {
    let (store, sheet) = (store(), settings_sheet());
    let go = move |_| {
        match sheet {
            // Set again, it would be made anew.
            Some(open) if !open.get_untracked() => open.set(true),
            Some(_) => {}
            None => store.go(Section::Settings),
        }
        store.diagnosing.set(true);
    };
    view! {
        <button type="button" class="link" data-testid="to-diagnostics" on:click=go>
            {said("Diagnostics")}
        </button>
    }
}

/// The page: a heading with what can be done, and the cards.
#[component]
pub fn DiagnosticsView() -> impl IntoView {
    let (store, clock) = (store(), clock());
    let told: Told = RwSignal::new(None);
    let trouble = RwSignal::new(None::<String>);
    // One question at a time: a host that is slow is not asked more often.
    let is_asked = StoredValue::new(false);
    Effect::new(move |_| {
        clock.now_ms();
        if is_asked.get_value() || store.cut.get_untracked().is_some() {
            return;
        }
        is_asked.set_value(true);
        store.diagnose(move |outcome| {
            // The page may be closed by now.
            is_asked.try_set_value(false);
            match outcome {
                Ok(now) => {
                    told.try_set(Some(now));
                    trouble.try_set(None);
                }
                Err(fault) => drop(trouble.try_set(Some(fault.message))),
            }
        });
    });
    // It is opened from the end of the settings, which scroll on the phone.
    let head = NodeRef::<html::Header>::new();
    Effect::new(move |_| {
        if let Some(head) = head.get() {
            head.scroll_into_view();
        }
    });
    let is_known = Memo::new(move |_| told.with(Option::is_some));
    let as_of = Memo::new(move |_| told.with(|told| told.as_ref().map(|all| local(all.made_ms).seconds(&today()))));
    view! {
        <header class="sheet-head diagnosis-head" node_ref=head>
            <button
                type="button"
                class="plain"
                data-testid="diagnostics-back"
                on:click=move |_| store.diagnosing.set(false)
            >
                {said("Back to settings")}
            </button>
            <h1>{said("Diagnostics")}</h1>
            <span class="total" data-testid="diagnostics-as-of">{move || as_of.get().map(|at| tr!("as of {}", at))}</span>
            <span class="space" />
            <CopyReport told />
        </header>
        <div class="sheet-body diagnosis-body">
            {move || trouble.get().map(|why| view! { <p class="fault">{why}</p> })}
            <Show when=move || is_known.get() fallback=|| view! { <Coming rows=3 class="diagnosis" /> }>
                <div class="diagnosis">
                    <div class="column">
                        <LinkCard told />
                        <DropsCard told />
                    </div>
                    <div class="column">
                        <EngineCard told />
                        <ProgramCard told />
                    </div>
                    <div class="column">
                        <CacheCard told />
                    </div>
                </div>
            </Show>
        </div>
    }
}
