//! The way back from one of a list to the list.

use leptos::prelude::*;

use crate::components::icon::Icon;

/// An arrow before the heading; its name says where it leads.
#[component]
pub fn Back(
    /// Where it leads: `All jobs`.
    to: &'static str,
    /// For the tests.
    testid: &'static str,
    /// Goes there.
    #[prop(into)]
    on_back: Callback<()>,
) -> impl IntoView {
    view! {
        <button type="button" class="tool" data-testid=testid title=to aria-label=to on:click=move |_| on_back.run(())>
            <Icon of=icondata_lu::LuArrowLeft />
        </button>
    }
}
