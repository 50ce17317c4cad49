//! A word that opens a card with more about it.

use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Node};

/// A button in a line of text, and the card above it while it is open. Escape, a click elsewhere and the focus leaving close it.
#[component]
pub fn Popover(
    /// For the tests, on the button; the card has `-card` after it.
    testid: &'static str,
    /// What the card is called.
    label: &'static str,
    /// Which side of the button the card keeps to: `start` or `end`.
    #[prop(default = "start")]
    side: &'static str,
    /// A class for the button while it has something to say.
    #[prop(into, default = Signal::stored(false))]
    loud: Signal<bool>,
    /// The button's words.
    #[prop(into)]
    words: ViewFn,
    /// The card's content; made anew each time it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let (around, button) = (NodeRef::<html::Span>::new(), NodeRef::<html::Button>::new());
    let children = StoredValue::new(children);
    let is_inside = move |target: Option<web_sys::EventTarget>| {
        let node = target.and_then(|target| target.dyn_into::<Node>().ok());
        around.get_untracked().is_some_and(|around| around.contains(node.as_ref()))
    };
    let elsewhere = window_event_listener(ev::pointerdown, move |event| {
        if open.get_untracked() && !is_inside(event.target()) {
            open.set(false);
        }
    });
    on_cleanup(move || elsewhere.remove());
    let keys = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.prevent_default();
            open.set(false);
            if let Some(button) = button.get_untracked() {
                let element: &HtmlElement = &button;
                // Fails only for a button that is not on the page.
                let _ = element.focus();
            }
        }
    };
    let left = move |event: ev::FocusEvent| {
        if event.related_target().is_some() && !is_inside(event.related_target()) {
            open.set(false);
        }
    };
    view! {
        <span class="popover" data-side=side node_ref=around on:keydown=keys on:focusout=left>
            <button
                type="button"
                node_ref=button
                data-testid=testid
                class:loud=move || loud.get()
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {words.run()}
            </button>
            <Show when=move || open.get()>
                <div class="popover-card" role="group" aria-label=label tabindex="-1" data-testid=format!("{testid}-card")>
                    {children.with_value(|children| children())}
                </div>
            </Show>
        </span>
    }
}
