//! What a person should know although nobody asked, e.g. that the cache cannot be written. The element around them is a live region.

use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::{About, store};

/// The notices, oldest first, each until it is dismissed.
#[component]
pub fn Notices() -> impl IntoView {
    let store = store();
    view! {
        <div class="notices" data-testid="notices">
            <CacheFault />
            <For each=move || store.notices.get() key=|notice| notice.id let:notice>
                <div class="notice" class:done=notice.about == About::Done>
                    <Icon of=if notice.about == About::Done { icondata_lu::LuCheck } else { icondata_lu::LuTriangleAlert } />
                    <p>{notice.message}</p>
                    <button
                        type="button"
                        class="tool"
                        title=said("Dismiss")
                        aria-label=said("Dismiss")
                        on:click=move |_| store.dismiss(notice.id)
                    >
                        <Icon of=icondata_lu::LuX />
                    </button>
                </div>
            </For>
        </div>
    }
}

/// The cache cannot be written: over everything, in words, until it can again. It cannot be dismissed, since while it
/// lasts the picture comes to a stand.
#[component]
fn CacheFault() -> impl IntoView {
    let store = store();
    let fault = Memo::new(move |_| store.status.with(|status| status.as_ref().and_then(|s| s.row.cache_fault.clone())));
    let tried = move || fault.get().map(|fault| tr!("{}. It is tried again every second.", format::capital(&fault)));
    view! {
        <Show when=move || fault.with(Option::is_some)>
            <section class="cache-fault" role="alert" data-testid="cache-fault">
                <Icon of=icondata_lu::LuHardDrive />
                <div>
                    <b>{said("The cache cannot be written")}</b>
                    <p>{said("Until it can be, what is asked of things waits. What comes is shown live until some thousand messages wait for the disk; then the broker holds those with a guarantee (QoS 1), and the others are left out and counted.")}</p>
                    <p class="reason">{tried}</p>
                </div>
            </section>
        </Show>
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
                            <h1>{said("Fleetlens has no host")}</h1>
                            <p>{reason}</p>
                        </div>
                    }
                })
        }}
    }
}
