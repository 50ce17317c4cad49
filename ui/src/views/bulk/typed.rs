//! What is typed with a name above it.

use leptos::prelude::*;

/// What such a field holds, as text.
pub type Field = RwSignal<String>;

/// The field.
#[component]
pub fn Typed(
    /// What it is called.
    label: &'static str,
    /// What is typed.
    field: Field,
    /// For the tests.
    testid: &'static str,
    /// What stands in it while it is empty.
    #[prop(default = "")]
    placeholder: &'static str,
    /// Whether it takes a whole number.
    #[prop(optional)]
    number: bool,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type=if number { "number" } else { "text" }
                min=number.then_some("0")
                inputmode=if number { "numeric" } else { "text" }
                data-testid=testid
                placeholder=placeholder
                autocomplete="off"
                spellcheck="false"
                prop:value=field
                on:input=move |event| field.set(event_target_value(&event))
            />
        </label>
    }
}
