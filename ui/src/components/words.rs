//! The box for words that narrow a list down.

use leptos::prelude::*;

use crate::components::icon::Icon;

/// Words that must be in a row. `/` leads to it.
#[component]
pub fn Words(
    /// What is typed.
    #[prop(into)]
    text: Signal<String>,
    /// Told with each letter.
    on_input: Callback<String>,
    /// What it is called.
    label: &'static str,
    /// What stands in it while it is empty.
    placeholder: &'static str,
    /// For the tests.
    testid: &'static str,
) -> impl IntoView {
    view! {
        <label class="words">
            <Icon of=icondata_lu::LuSearch />
            <input
                type="search"
                data-filter
                data-testid=testid
                aria-label=label
                placeholder=placeholder
                prop:value=move || text.get()
                on:input=move |event| on_input.run(event_target_value(&event))
            />
        </label>
    }
}
