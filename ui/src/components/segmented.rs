//! A choice of a few, side by side.

use leptos::prelude::*;

/// One of several words; arrow keys move within it as in every radio group.
#[component]
pub fn Segmented<T: Copy + PartialEq + Send + Sync + 'static>(
    /// What the group is called.
    #[prop(into)]
    label: String,
    /// The values with their words.
    options: Vec<(T, String)>,
    /// The chosen value; `None` chooses nothing.
    #[prop(into)]
    chosen: Signal<Option<T>>,
    /// Told when the person chooses.
    on_choose: Callback<T>,
) -> impl IntoView {
    let values: Vec<T> = options.iter().map(|(value, _)| *value).collect();
    let step = move |by: isize| {
        let at = values.iter().position(|value| Some(*value) == chosen.get_untracked()).unwrap_or(0);
        let next = at.checked_add_signed(by).filter(|next| *next < values.len());
        if let Some(value) = next.and_then(|next| values.get(next)) {
            on_choose.run(*value);
        }
    };
    let keys = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => {
            event.prevent_default();
            step(1);
        }
        "ArrowLeft" | "ArrowUp" => {
            event.prevent_default();
            step(-1);
        }
        _ => {}
    };
    let buttons = options
        .into_iter()
        .map(|(value, word)| {
            let is_chosen = move || chosen.get() == Some(value);
            view! {
                <button
                    type="button"
                    role="radio"
                    aria-checked=move || is_chosen().to_string()
                    class:on=is_chosen
                    on:click=move |_| on_choose.run(value)
                >
                    {word}
                </button>
            }
        })
        .collect_view();
    view! {
        <div class="segmented" role="radiogroup" aria-label=label on:keydown=keys>
            {buttons}
        </div>
    }
}
