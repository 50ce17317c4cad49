//! The language in which things are looked for, as a person meets it: what can come next, what is wrong, and the sheet that says how it
//! is written. The window reads it with the code of the engine.

use fleetlens_ipc::rows::QueryMistake;
use fleetlens_model::kind::Schemas;
use fleetlens_model::query::{Choice, Completion, Query, Vocabulary, complete};
use leptos::html;
use leptos::prelude::*;
use tr::tr;

use crate::components::marked::Marked;
use crate::components::modal::Modal;
use crate::lang::{said, term};
use crate::state::Store;

/// What there is to be named, and whether that is known: before the host spoke nobody knows which groups there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// What there is to be named.
    pub all: Vocabulary,
    is_known: bool,
}

impl Words {
    /// The groups of the profile; `None` while nobody knows them.
    pub fn groups(&self) -> Option<&[String]> {
        self.is_known.then_some(&self.all.groups)
    }
}

/// What there is to be named: kinds, groups, districts and rules as they are, the values and settings of those kinds.
pub fn vocabulary(store: Store) -> Memo<Words> {
    Memo::new(move |_| {
        let (kinds, groups, is_known) = store.status.with(|status| {
            let row = status.as_ref().map(|status| &status.row);
            let kinds = row.map(|row| row.kinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>());
            (kinds.unwrap_or_default(), row.map(|row| row.groups.clone()).unwrap_or_default(), row.is_some())
        });
        let name = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
        let fields = kinds.iter().flat_map(|kind| kind.fields().iter());
        let values = each_once(fields.map(|field| name(field.pointer)));
        let controls = kinds.iter().flat_map(|kind| Schemas::of_the_program().controls_of_kind(*kind));
        let settings = each_once(controls.map(|control| name(&control.pointer)));
        let leaves = ["reported", "desired"]
            .into_iter()
            .flat_map(|half| settings.iter().map(move |name| format!("shadow.{half}.{name}")));
        let (areas, rules) = store.words.with(|words| (words.areas.clone(), words.rules.clone()));
        Words { all: Vocabulary { leaves: leaves.collect(), kinds, groups, areas, values, rules }, is_known }
    })
}

/// A box in which a query is typed, with what can come next in it. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Completing {
    /// What stands in the box.
    pub text: RwSignal<String>,
    /// The box.
    pub input: NodeRef<html::Input>,
    cursor: RwSignal<usize>,
    completion: Memo<Completion>,
}

impl Completing {
    /// Of an empty box, or one with a text.
    pub fn new(text: RwSignal<String>, words: Memo<Words>) -> Completing {
        let cursor = RwSignal::new(0_usize);
        let complete = move |_: Option<&Completion>| {
            text.with(|text| words.with(|words| complete(text, cursor.get(), &words.all)))
        };
        Completing { text, input: NodeRef::new(), cursor, completion: Memo::new(complete) }
    }

    /// Follows the cursor of the box.
    pub fn look_at_cursor(self) {
        if let Some(input) = self.input.get_untracked() {
            let place = input.selection_start().ok().flatten().unwrap_or(0);
            let byte = self.text.with_untracked(|text| byte_of(text, place));
            if self.cursor.get_untracked() != byte {
                self.cursor.set(byte);
            }
        }
    }

    /// What can come next; tracked.
    pub fn choices(self) -> Vec<Choice> {
        self.completion.with(|next| next.choices.clone())
    }

    /// What can come next where something has begun; tracked.
    pub fn begun(self) -> Vec<Choice> {
        let start = self.completion.with(|next| next.replaces.start);
        if self.text.with(|text| has_begun(text, self.cursor.get(), start)) { self.choices() } else { Vec::new() }
    }

    /// Puts a choice into the box, with the cursor behind it, and gives the text; who asked sets it.
    pub fn put(self, choice: &Choice) -> String {
        let (put, behind) =
            self.text.with_untracked(|text| self.completion.with_untracked(|next| next.put(text, choice)));
        if let Some(input) = self.input.get_untracked() {
            input.set_value(&put);
            let place = place_of(&put, behind);
            // Fails only for a box that is no text.
            let _ = input.set_selection_range(place, place);
        }
        self.cursor.set(behind);
        put
    }
}

/// Whether something has begun that can be completed: a letter of it, or the sign behind a field.
fn has_begun(text: &str, cursor: usize, start: usize) -> bool {
    let before = text.get(..cursor).unwrap_or_default();
    start < cursor || before.ends_with([':', '<', '>', '='])
}

/// The byte of a place as a browser counts it, in UTF-16 units.
fn byte_of(text: &str, place: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= place as usize {
            return at;
        }
        units += c.len_utf16();
    }
    text.len()
}

/// The place of a byte as a browser counts it.
fn place_of(text: &str, byte: usize) -> u32 {
    let units = text.get(..byte).map_or(0, |before| before.encode_utf16().count());
    u32::try_from(units).unwrap_or(u32::MAX)
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

/// What is wrong with a text, where these are all the groups there are; while nobody knows them, none is wrong.
pub fn mistake_of(text: &str, groups: Option<&[String]>) -> Option<QueryMistake> {
    let check = |query: Query| groups.map_or(Ok(()), |groups| query.check_groups(groups.iter().map(String::as_str)));
    let wrong = Query::read(text).and_then(check).err()?;
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
        <span><b>{tr!("Column {}: ", column)}</b>{message}</span>
    }
}

/// What is written, and what it finds.
const EXAMPLES: [(&str, &str); 16] = [
    ("moro 12", term("each word in the name, title, street or district")),
    ("\"triq aldo moro\"", term("these words in this order")),
    ("kind:lamp area:Marsa", term("both; AND may be written between")),
    ("kind:lamp OR kind:bin", term("one of them; kind:(lamp OR bin) is the same")),
    ("lamp -moro", term("not this; NOT moro is the same")),
    ("thingName:lamp-00*", term("names that begin so; ? is one character")),
    ("fill_pct>80", term("a measured value; value.NAME for any other name")),
    ("fill_pct:[50 TO 80}", term("from 50 to below 80; * is an open end")),
    ("shadow.reported.dim_pct:100", term("what its shadow reports; shadow.desired.… what is wanted")),
    ("hasDelta:true", term("wanted and not reported")),
    ("connectivity.connected:false", term("it is not there")),
    ("alarm.priority>=warning", term("an open alarm; alarm.rule and alarm.active too")),
    ("age:>1h", term("silent for longer; s, m, h, d")),
    ("near:35.899,14.514,500m", term("so near to latitude and longitude")),
    ("group:\"Marsa crew\"", term("a group of the profile")),
    ("gateway:*", term("it has one, whichever")),
];

/// The sheet.
#[component]
pub fn Syntax(
    /// Whether it is there.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <Modal open label=said("How to find things") testid="query-help">
            <h2>{said("How to find things")}</h2>
            <p>{said("Words are looked for in names, titles, streets and districts. Fields ask for more, as in AWS IoT's fleet index:")}</p>
            <dl class="examples">
                {EXAMPLES
                    .iter()
                    .map(|(text, about)| view! { <dt><code>{*text}</code></dt> <dd>{said(about)}</dd> })
                    .collect_view()}
            </dl>
            <div class="answers">
                <button type="button" class="plain" on:click=move |_| open.set(false)>{said("Close")}</button>
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
            assert_eq!(mistake_of(text, Some(&["Marsa crew".to_owned()])), None, "{text}");
        }
        assert_eq!(mistake_of("group:Nobody", Some(&[])).map(|mistake| mistake.column), Some(7));
        assert_eq!(mistake_of("group:Nobody", None), None, "nobody knows yet which groups there are");
    }

    #[test]
    fn places_of_a_browser_are_found_in_a_text_and_back() {
        for (text, place, byte) in
            [("kind:", 5, 5), ("ħal", 1, 2), ("🚮x", 2, 4), ("🚮x", 3, 5), ("", 0, 0), ("a", 9, 1)]
        {
            assert_eq!(byte_of(text, place), byte, "{text}");
            if place as usize <= text.encode_utf16().count() {
                assert_eq!(place_of(text, byte), place, "{text}");
            }
        }
    }

    #[test]
    fn nothing_is_proposed_before_something_has_begun() {
        for (text, start, want) in
            [("ki", 0, true), ("kind:", 5, true), ("age:<", 5, true), ("lamp ", 5, false), ("", 0, false)]
        {
            assert_eq!(has_begun(text, text.len(), start), want, "{text}");
        }
    }
}
