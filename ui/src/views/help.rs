//! The keys, on one sheet. Only what exists is listed.

use leptos::prelude::*;

use crate::components::modal::Modal;

/// Every key of the window, and what it does. [`crate::keys`] is where they are heard.
pub const KEYS: [(&[&str], &str); 6] = [
    (&["/"], "Find things"),
    (&["↑", "↓", "Enter"], "Go through what was found, and open it"),
    (&["Esc"], "One step back: list, page, drawer"),
    (&["Space"], "Hold live values still, and go on"),
    (&["G", "M"], "Go to the map"),
    (&["?"], "These keys"),
];

/// The sheet.
#[component]
pub fn Help(
    /// Whether it is there.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <Modal open label="Keys" testid="keys">
            <h2>"Keys"</h2>
            <dl class="keys">
                {KEYS
                    .iter()
                    .map(|(keys, what)| {
                        let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
                        view! {
                            <dt>{keys}</dt>
                            <dd>{*what}</dd>
                        }
                    })
                    .collect_view()}
            </dl>
            <div class="answers">
                <button type="button" class="plain" on:click=move |_| open.set(false)>
                    "Close"
                </button>
            </div>
        </Modal>
    }
}
