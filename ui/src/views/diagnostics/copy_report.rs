//! The report of everything, for the clipboard.

use fleetlens_ipc::diagnostics::report;
use leptos::html;
use leptos::prelude::*;

use super::Told;
use crate::components::clipboard::copy;
use crate::components::icon::Icon;
use crate::lang::said;

/// Puts the report into the clipboard; where the page may not, it shows it, chosen, to be copied by hand.
#[component]
pub(super) fn CopyReport(told: Told) -> impl IntoView {
    let shown = RwSignal::new(said("Copy report"));
    let by_hand = RwSignal::new(None::<String>);
    let area = NodeRef::<html::Textarea>::new();
    let press = move |_| {
        let Some(text) = told.with_untracked(|told| told.as_ref().map(|all| report(all, &[]))) else { return };
        leptos::task::spawn_local(async move {
            let is_copied = copy(&text).await.is_ok();
            shown.try_set(if is_copied { said("Copied") } else { said("Copy it from below") });
            by_hand.try_set((!is_copied).then_some(text));
        });
        set_timeout(
            move || {
                shown.try_set(said("Copy report"));
            },
            std::time::Duration::from_secs(4),
        );
    };
    Effect::new(move |_| {
        if let Some(area) = area.get() {
            area.select();
        }
    });
    view! {
        <button
            type="button"
            class="send copy-report"
            data-testid="copy-report"
            disabled=move || told.with(Option::is_none)
            on:click=press
        >
            <Icon of=icondata_lu::LuCopy />
            <span aria-live="polite" data-testid="copy-said">{move || shown.get()}</span>
        </button>
        {move || {
            by_hand
                .get()
                .map(|text| {
                    view! {
                        <textarea
                            class="by-hand"
                            data-testid="report-by-hand"
                            aria-label=said("Report")
                            readonly=true
                            rows="8"
                            node_ref=area
                            prop:value=text
                        />
                    }
                })
        }}
    }
}
