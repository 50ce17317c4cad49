//! Lucide's icons, as lines in the colour of the text beside them.

use icondata_core::IconData;
use leptos::prelude::*;

/// One icon; decoration only, the control around it carries the name.
#[component]
pub fn Icon(
    /// Which one, e.g. `icondata_lu::LuMap`.
    of: &'static IconData,
) -> impl IntoView {
    view! {
        <svg
            class="icon"
            class:onward=points_along(of)
            viewBox=of.view_box.unwrap_or("0 0 24 24")
            fill="none"
            stroke="currentColor"
            stroke-width="1.75"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
            inner_html=of.data
        />
    }
}

/// Whether it points along the way people read, which turns with the language: back, or further in.
fn points_along(icon: &'static IconData) -> bool {
    [icondata_lu::LuChevronRight, icondata_lu::LuArrowLeft].iter().any(|one| std::ptr::eq(*one, icon))
}
