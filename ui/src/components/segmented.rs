//! A choice of a few, side by side.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// One of several words; arrow keys move within it as in every radio group.
#[component]
pub fn Segmented<T: Clone + PartialEq + Send + Sync + 'static>(
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
    let values: Vec<T> = options.iter().map(|(value, _)| value.clone()).collect();
    let first = values.first().cloned();
    let group = NodeRef::<leptos::html::Div>::new();
    let step = move |by: isize| {
        let at = values.iter().position(|value| Some(value) == chosen.get_untracked().as_ref());
        // With nothing chosen yet any arrow chooses the first.
        let next = at.map_or(Some(0), |at| at.checked_add_signed(by)).filter(|next| *next < values.len());
        if let Some((next, value)) = next.and_then(|next| Some((next, values.get(next)?))) {
            on_choose.run(value.clone());
            focus(group, next);
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
            let chosen_by = value.clone();
            let (of, first) = (value.clone(), first.clone());
            let is_chosen = move || chosen.get().as_ref() == Some(&of);
            let is_on = is_chosen.clone();
            let of = value;
            // One stop for Tab, as in every radio group: the chosen one, or the first while nothing is chosen.
            let is_stop = move || chosen.get().or_else(|| first.clone()).as_ref() == Some(&of);
            view! {
                <button
                    type="button"
                    role="radio"
                    aria-checked=move || is_chosen().to_string()
                    tabindex=move || if is_stop() { "0" } else { "-1" }
                    class:on=is_on
                    on:click=move |_| on_choose.run(chosen_by.clone())
                >
                    {word}
                </button>
            }
        })
        .collect_view();
    view! {
        <div class="segmented" role="radiogroup" aria-label=label node_ref=group on:keydown=keys>
            {buttons}
        </div>
    }
}

/// Takes the focus along to the nth button, so that Space presses what is chosen.
fn focus(group: NodeRef<leptos::html::Div>, nth: usize) {
    let button = group.get_untracked().and_then(|group| group.children().item(u32::try_from(nth).ok()?));
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        // Fails only for a button that is not on the page.
        let _ = button.focus();
    }
}
