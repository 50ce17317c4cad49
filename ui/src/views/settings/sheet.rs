//! The settings on the phone: a sheet over whatever one looks at, and the button that opens it, which says who is here.

use leptos::prelude::*;

use crate::components::icon::Icon;
use crate::components::modal::Modal;
use crate::lang::said;
use crate::state::store;
use crate::views::diagnostics::DiagnosticsView;
use crate::views::settings::cache::CacheForm;
use crate::views::settings::person::PersonForm;
use crate::views::settings::profiles::Profiles;
use crate::views::settings::sound::SoundCard;
use crate::views::settings::{About, Coming, Look};
use crate::views::status_bar::who_words;

/// Whether the sheet is there.
#[derive(Clone, Copy)]
struct IsOpen(RwSignal<bool>);

/// What opens the sheet, to be set to true; `None` in a window without one.
pub fn settings_sheet() -> Option<RwSignal<bool>> {
    use_context().map(|IsOpen(open)| open)
}

/// The sheet around the whole window, so that it outlives a change of role, which changes everything else.
#[component]
pub fn WithSettingsSheet(
    /// The window, from which it is opened.
    children: Children,
) -> impl IntoView {
    let open = RwSignal::new(false);
    provide_context(IsOpen(open));
    view! {
        {children()}
        <Modal open label=said("Settings") class="modal sheet" testid="settings-sheet">
            <header class="modal-head">
                <h2>{said("Settings")}</h2>
                <button type="button" class="plain" data-testid="settings-close" on:click=move |_| open.set(false)>
                    {said("Close")}
                </button>
            </header>
            <Inside />
        </Modal>
    }
}

/// What the phone lets one set.
#[component]
fn Inside() -> impl IntoView {
    let store = store();
    store.follow_settings();
    let is_known = Memo::new(move |_| store.settings.with(Option::is_some));
    // Opened again, it shows the settings.
    on_cleanup(move || {
        store.diagnosing.try_set(false);
    });
    view! {
        <Show
            when=move || !store.diagnosing.get()
            fallback=|| view! { <section data-testid="diagnostics" aria-label=said("Diagnostics")><DiagnosticsView /></section> }
        >
            <Show when=move || is_known.get() fallback=|| view! { <Coming /> }>
                <PersonForm />
                <Profiles />
                <CacheForm />
                <Look />
                <SoundCard />
                <About />
            </Show>
        </Show>
    }
}

/// Who is here, and the way to the settings.
#[component]
pub fn WhoButton() -> impl IntoView {
    let (store, IsOpen(open)) = (store(), expect_context());
    let words = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| who_words(&status.row)).unwrap_or_default())
    });
    view! {
        <button
            type="button"
            class="who-button"
            data-testid="to-settings"
            aria-haspopup="dialog"
            on:click=move |_| open.set(true)
        >
            <Icon of=icondata_lu::LuSettings />
            <span class="unseen">{said("Settings: ")}</span>
            <span data-testid="status-who">{words}</span>
        </button>
    }
}
