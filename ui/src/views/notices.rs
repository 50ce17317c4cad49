//! What a person should know although nobody asked, e.g. that the cache cannot be written. The element around them is a live region.

use leptos::prelude::*;

use crate::components::icon::Icon;
use crate::state::store;

/// The notices, oldest first, each until it is dismissed.
#[component]
pub fn Notices() -> impl IntoView {
    let store = store();
    view! {
        <div class="notices" data-testid="notices">
            <For each=move || store.notices.get() key=|notice| notice.id let:notice>
                <div class="notice">
                    <Icon of=icondata_lu::LuTriangleAlert />
                    <p>{notice.message}</p>
                    <button
                        type="button"
                        class="tool"
                        title="Dismiss"
                        aria-label="Dismiss"
                        on:click=move |_| store.dismiss(notice.id)
                    >
                        <Icon of=icondata_lu::LuX />
                    </button>
                </div>
            </For>
        </div>
    }
}

/// Why the window has nothing to show at all; over everything else.
#[component]
pub fn Stranded() -> impl IntoView {
    let store = store();
    view! {
        {move || {
            store
                .stranded
                .get()
                .map(|reason| {
                    view! {
                        <div class="stranded" role="alert" data-testid="stranded">
                            <Icon of=icondata_lu::LuUnplug />
                            <h1>"Fleetlens has no host"</h1>
                            <p>{reason}</p>
                        </div>
                    }
                })
        }}
    }
}
