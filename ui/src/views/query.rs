//! The language in which things are looked for, as a person meets it: what can come next, what is wrong, and the sheet that says how it
//! is written. The window reads it with the code of the engine.

use fleetlens_ipc::rows::QueryMistake;
use fleetlens_model::kind::Schemas;
use fleetlens_model::query::{Query, Vocabulary};
use leptos::prelude::*;

use crate::components::marked::Marked;
use crate::components::modal::Modal;
use crate::state::Store;

/// What there is to be named: kinds and groups as they are, the values and settings of those kinds.
pub fn vocabulary(store: Store) -> Memo<Vocabulary> {
    Memo::new(move |_| {
        let (kinds, groups) = store.status.with(|status| {
            let row = status.as_ref().map(|status| &status.row);
            let kinds = row.map(|row| row.kinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>());
            (kinds.unwrap_or_default(), row.map(|row| row.groups.clone()).unwrap_or_default())
        });
        let name = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
        let fields = kinds.iter().flat_map(|kind| kind.fields().iter());
        let values = each_once(fields.map(|field| name(field.pointer)));
        let controls = kinds.iter().flat_map(|kind| Schemas::of_the_program().controls_of_kind(*kind));
        let settings = each_once(controls.map(|control| name(&control.pointer)));
        let leaves = ["reported", "desired"]
            .into_iter()
            .flat_map(|half| settings.iter().map(move |name| format!("shadow.{half}.{name}")));
        Vocabulary { leaves: leaves.collect(), kinds, groups, values, ..Vocabulary::default() }
    })
}

fn each_once(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// What is wrong with a text, where these are all the groups there are.
pub fn mistake_of(text: &str, groups: &[String]) -> Option<QueryMistake> {
    let read = Query::read(text).and_then(|query| query.check_groups(groups.iter().map(String::as_str)));
    let wrong = read.err()?;
    Some(QueryMistake { column: u32::try_from(wrong.column).unwrap_or(u32::MAX), message: wrong.why })
}

/// What is wrong, under the box: the text with its place marked, and the sentence.
#[component]
pub fn Wrong(
    /// The text that is wrong.
    text: String,
    /// What is wrong with it.
    mistake: QueryMistake,
) -> impl IntoView {
    let QueryMistake { column, message } = mistake;
    view! {
        <Marked text column />
        <span><b>{format!("Column {column}: ")}</b>{message}</span>
    }
}

/// What is written, and what it finds.
const EXAMPLES: [(&str, &str); 16] = [
    ("moro 12", "each word in the name, title, street or district"),
    ("\"triq aldo moro\"", "these words in this order"),
    ("kind:lamp area:Marsa", "both; AND may be written between"),
    ("kind:lamp OR kind:bin", "one of them; kind:(lamp OR bin) is the same"),
    ("lamp -moro", "not this; NOT moro is the same"),
    ("thingName:lamp-00*", "names that begin so; ? is one character"),
    ("fill_pct>80", "a measured value; value.NAME for any other name"),
    ("fill_pct:[50 TO 80}", "from 50 to below 80; * is an open end"),
    ("shadow.reported.dim_pct:100", "what its shadow reports; shadow.desired.… what is wanted"),
    ("hasDelta:true", "wanted and not reported"),
    ("connectivity.connected:false", "it is not there"),
    ("alarm.priority>=warning", "an open alarm; alarm.rule and alarm.active too"),
    ("age:>1h", "silent for longer; s, m, h, d"),
    ("near:35.899,14.514,500m", "so near to latitude and longitude"),
    ("group:\"Marsa crew\"", "a group of the profile"),
    ("gateway:*", "it has one, whichever"),
];

/// The sheet.
#[component]
pub fn Syntax(
    /// Whether it is there.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <Modal open label="How to find things" testid="query-help">
            <h2>"How to find things"</h2>
            <p>"Words are looked for in names, titles, streets and districts. Fields ask for more, as in AWS IoT's fleet index:"</p>
            <dl class="examples">
                {EXAMPLES
                    .iter()
                    .map(|(text, about)| view! { <dt><code>{*text}</code></dt> <dd>{*about}</dd> })
                    .collect_view()}
            </dl>
            <div class="answers">
                <button type="button" class="plain" on:click=move |_| open.set(false)>"Close"</button>
            </div>
        </Modal>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_one() {
        for (text, _) in EXAMPLES {
            assert_eq!(mistake_of(text, &["Marsa crew".to_owned()]), None, "{text}");
        }
        assert_eq!(mistake_of("group:Nobody", &[]).map(|mistake| mistake.column), Some(7));
    }
}
