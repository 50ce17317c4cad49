//! The shape of what is coming, so that no heading stands over nothing.

use leptos::prelude::*;

use crate::lang::said;

/// As many grey rows as will probably stand there.
#[component]
pub fn Coming(
    rows: usize,
    /// Its place in a layout of its own, for the style sheets.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    view! {
        <div class=["coming", class].join(" ") role="status" aria-label=said("Loading")>
            {(0..rows).map(|_| view! { <div class="bone" /> }).collect_view()}
        </div>
    }
}
