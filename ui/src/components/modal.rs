//! A question over everything else. The browser's own modal dialog keeps the focus inside, gives it back afterwards, and
//! closes on Escape.

use leptos::html;
use leptos::prelude::*;

/// A dialog that is there while `open` holds.
#[component]
pub fn Modal(
    /// Whether it is there; set to false when the person closes it.
    open: RwSignal<bool>,
    /// What it is called.
    #[prop(into)]
    label: Signal<String>,
    /// For the style sheets.
    #[prop(default = "modal")]
    class: &'static str,
    /// For the tests.
    #[prop(default = "dialog")]
    testid: &'static str,
    /// Whether Escape and a click beside it close it; what was typed in it would be lost.
    #[prop(into, default = true.into())]
    lets_go: Signal<bool>,
    /// What it holds; made anew each time it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if !open.get() {
            dialog.close();
        } else if !dialog.open() {
            // Fails only for a dialog that is not on the page, and then there is nothing to show it on.
            let _ = dialog.show_modal();
        }
    });
    // A click on the veil hits the dialog itself, one inside hits a child.
    let veil = move |event: leptos::ev::MouseEvent| {
        if lets_go.get_untracked() && event.target().as_ref() == dialog.get_untracked().as_deref().map(AsRef::as_ref) {
            open.set(false);
        }
    };
    // What Escape asks for.
    let cancel = move |event: leptos::ev::Event| {
        if !lets_go.get_untracked() {
            event.prevent_default();
        }
    };
    // The browser tells of a closing only later, when it may have been opened again.
    let closed = move |_| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            open.set(false);
        }
    };
    view! {
        <dialog
            class=class
            data-testid=testid
            node_ref=dialog
            aria-label=label
            on:close=closed
            on:cancel=cancel
            on:click=veil
        >
            {move || open.get().then(|| view! { <div class="modal-body">{children()}</div> })}
        </dialog>
    }
}
