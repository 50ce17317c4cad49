//! Desired state as text, for what no control sets: what is wrong with it while one types, at its line, and exactly what would change
//! before it is sent.

use fleetlens_model::json::{Node, line_of};
use leptos::html::Textarea;
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::components::numbered::Numbered;
use crate::components::patch::{Names, Outgoing, SendPatch, pretty, read};
use crate::lang::said;
use crate::state::thing::Thing;

/// What an editor starts with: nothing is wanted.
const NOTHING: &str = "{}";

/// The editor, folded away until it is wanted; nothing at all for who may not command, nor of a thing that says itself what can be set.
#[component]
pub fn JsonEditor(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let may_command = thing.may_command && thing.head.with_untracked(|head| head.row.convention.is_empty());
    let thing = StoredValue::new(thing);
    view! {
        <Show when=move || may_command>
            <section class="json-editor" data-testid="json-editor">
                <button
                    type="button"
                    class="fold"
                    data-testid="json-fold"
                    aria-expanded=move || open.get().to_string()
                    on:click=move |_| open.update(|open| *open = !*open)
                >
                    <span class="turn" class:down=move || open.get()>
                        <Icon of=icondata_lu::LuChevronRight />
                    </span>
                    {said("Set anything else as JSON")}
                </button>
                <Show when=move || open.get()>
                    <Editor thing=thing.get_value() />
                </Show>
            </section>
        </Show>
    }
}

#[component]
fn Editor(thing: Thing) -> impl IntoView {
    let shadow = RwSignal::new(String::new());
    let text = RwSignal::new(NOTHING.to_owned());
    let patch = Memo::new(move |_| text.with(|text| read(text)));
    let outgoing = Outgoing::of(&thing, shadow.into(), patch);
    let wrong = Memo::new(move |_| {
        let violations = outgoing.violations.get();
        text.with(|text| lines_of(text, violations.iter().map(|v| (v.pointer.as_str(), v.sentence.as_str()))))
    });
    let broken = Memo::new(move |_| text.with(|text| broken_line(text)));
    let begun = Memo::new(move |_| text.with(|text| text.trim() != NOTHING));
    let is_wrong = move || outgoing.told.with(Result::is_err) || wrong.with(|wrong| !wrong.is_empty());
    let on_done = Callback::new(move |()| drop(text.try_set(NOTHING.to_owned())));
    let fill = move |_| text.set(outgoing.document.with_untracked(pretty));

    let area = NodeRef::<Textarea>::new();
    let marked = Signal::derive(move || {
        let lines = wrong.with(|wrong| wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>());
        lines.into_iter().chain(broken.get()).collect::<Vec<_>>()
    });
    let go_to = move |line: usize| {
        let Some(area) = area.get_untracked() else { return };
        let (from, to) = text.with_untracked(|text| span_of(text, line));
        // Fails only for a field that is not on the page.
        let _ = (area.focus(), area.set_selection_range(from, to));
    };
    view! {
        <div class="editor">
            <div class="line">
                <Shadows thing=thing.clone() shadow />
                <button type="button" class="link" data-testid="json-fill" on:click=fill>
                    {said("Begin with what is wanted now")}
                </button>
            </div>
            <Numbered
                text
                wrong=marked
                invalid=Signal::derive(is_wrong)
                label=said("Desired state as JSON")
                described_by="json-violations"
                testid="json-text"
                area
            />
            <ul class="violations" id="json-violations" data-testid="json-violations" aria-live="polite">
                <For each=move || wrong.get() key=Clone::clone let:one>
                    <li class="wrong" data-testid="json-violation">
                        <button type="button" class="link" on:click=move |_| go_to(one.0)>
                            {tr!("Line {}", one.0)}
                        </button>
                        " "
                        {one.1}
                    </li>
                </For>
            </ul>
            <SendPatch thing=thing.clone() outgoing begun names=Names::Pointers testid="json" on_done />
        </div>
    }
}

/// Which shadow is edited, where there is a choice.
#[component]
fn Shadows(thing: Thing, shadow: RwSignal<String>) -> impl IntoView {
    let shadows = RwSignal::from(thing.shadows);
    let named = Memo::new(move |_| {
        let keys = shadows.with(|cells| cells.iter().map(|cell| cell.key.clone()).collect::<Vec<_>>());
        keys.into_iter().filter(|key| !key.is_empty()).collect::<Vec<_>>()
    });
    view! {
        <Show when=move || named.with(|named| !named.is_empty())>
            <label class="which">
                {said("Shadow ")}
                <select data-testid="json-shadow" on:change=move |event| shadow.set(event_target_value(&event))>
                    <option value="" selected=move || shadow.with(String::is_empty)>
                        {said("classic")}
                    </option>
                    <For each=move || named.get() key=Clone::clone let:name>
                        <option value=name.clone()>{name.clone()}</option>
                    </For>
                </select>
            </label>
        </Show>
    }
}

/// Sentences about places of a text, each with the line of its place, in the order of the text.
fn lines_of<'a>(text: &str, told: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(usize, String)> {
    let Ok(node) = Node::read(text) else { return Vec::new() };
    let mut lines: Vec<(usize, String)> =
        told.map(|(pointer, sentence)| (line_of(text, node.place(pointer)), sentence.to_owned())).collect();
    lines.sort();
    lines
}

/// The line where a text stops being JSON.
fn broken_line(text: &str) -> Option<usize> {
    Node::read(text).err().map(|error| error.line())
}

/// Where a line begins and ends, in the units of a page's texts (UTF-16).
fn span_of(text: &str, line: usize) -> (u32, u32) {
    let units = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
    let from = text.split_inclusive('\n').take(line.saturating_sub(1)).map(units).sum();
    let length = text.lines().nth(line.saturating_sub(1)).map_or(0, units);
    (from, from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_stands_at_the_line_of_its_leaf() {
        let text = "{\n  \"net\": {\n    \"apn\": 7\n  },\n  \"on\": 1\n}";
        let told = [("/on", "b"), ("/net/apn", "a"), ("/net", "c"), ("", "d")];
        let want = [(1, "d"), (2, "c"), (3, "a"), (5, "b")].map(|(line, sentence)| (line, sentence.to_owned()));
        assert_eq!(lines_of(text, told.into_iter()), want);
        assert_eq!(lines_of("{", [("", "x")].into_iter()), []);
        assert_eq!((broken_line("{\n\"a\": 1,\n}"), broken_line("{}")), (Some(3), None));
    }

    #[test]
    fn a_line_is_found_in_the_units_of_the_page() {
        let text = "{\n\"💩\": 1,\n\"b\": 2}";
        assert_eq!((span_of(text, 1), span_of(text, 2), span_of(text, 3)), ((0, 1), (2, 10), (11, 18)));
    }
}
