//! The question before something happens that nobody takes back: what it is, and two answers.

use leptos::prelude::*;

use crate::components::modal::Modal;
use crate::lang::said;

/// Asks, and does it only when the person says so. One is open at a time.
#[component]
pub fn Confirm(
    /// Whether it is there; set to false by either answer.
    open: RwSignal<bool>,
    /// The question.
    #[prop(into)]
    asks: Signal<String>,
    /// The word for doing it.
    #[prop(into)]
    yes: Signal<String>,
    /// The word for leaving it.
    #[prop(default = said("Do nothing"))]
    no: &'static str,
    /// Told when the person says so.
    on_yes: Callback<()>,
    /// What will happen.
    children: ChildrenFn,
) -> impl IntoView {
    let answer = move |_| {
        open.set(false);
        on_yes.run(());
    };
    view! {
        <Modal open label=asks testid="confirm">
            <h2>{move || asks.get()}</h2>
            {children()}
            <div class="answers">
                <button type="button" class="plain" data-testid="confirm-no" on:click=move |_| open.set(false)>
                    {no}
                </button>
                <button type="button" class="send" data-testid="confirm-yes" on:click=answer>
                    {move || yes.get()}
                </button>
            </div>
        </Modal>
    }
}
