//! A text that people write, with its line numbers; lines where something is wrong stand out.

use leptos::html::{Div, Textarea};
use leptos::prelude::*;

/// The field with its numbers.
#[component]
pub fn Numbered(
    /// What is written.
    text: RwSignal<String>,
    /// The lines where something is wrong, from 1.
    #[prop(into)]
    wrong: Signal<Vec<usize>>,
    /// Whether anything is wrong with it.
    #[prop(into)]
    invalid: Signal<bool>,
    /// What it is called.
    label: &'static str,
    /// Where it is said what is wrong: the id of an element.
    described_by: &'static str,
    /// For tests.
    testid: &'static str,
    /// The field itself.
    #[prop(default = NodeRef::new())]
    area: NodeRef<Textarea>,
) -> impl IntoView {
    let numbers = NodeRef::<Div>::new();
    let lines = Memo::new(move |_| text.with(|text| text.split('\n').count()));
    let scroll = move |_| {
        if let (Some(area), Some(numbers)) = (area.get_untracked(), numbers.get_untracked()) {
            numbers.set_scroll_top(area.scroll_top());
        }
    };
    let number = move |n: usize| view! { <span class:wrong=move || wrong.with(|wrong| wrong.contains(&n))>{n}</span> };
    view! {
        <div class="numbered">
            <div class="numbers" aria-hidden="true" node_ref=numbers>
                {move || (1..=lines.get()).map(number).collect_view()}
            </div>
            <textarea
                node_ref=area
                data-testid=testid
                aria-label=label
                aria-invalid=move || invalid.get().to_string()
                aria-describedby=described_by
                wrap="off"
                rows="6"
                spellcheck="false"
                autocomplete="off"
                autocapitalize="off"
                prop:value=text
                on:scroll=scroll
                on:input=move |event| text.set(event_target_value(&event))
            />
        </div>
    }
}
