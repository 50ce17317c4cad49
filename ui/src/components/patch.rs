//! A patch of a shadow's desired state on its way out, however it was made: what it changes, what is wrong with it, how much room it
//! takes, what will happen to people, and Send.

mod changes;

use std::sync::Arc;

use fleetlens_ipc::{Fault, Intent, Wish};
use fleetlens_model::schema::{Schema, Violation};
use fleetlens_model::shadow::{Document, Object, leaf_at, merge};
use leptos::prelude::*;
use serde_json::Value as Json;
use tr::tr;

use crate::components::confirm::Confirm;
use crate::components::conflict::{Asked, ConflictSheet, Desk, Wanted};
use crate::components::control::Expiry;
use crate::format;
use crate::lang::said;
use crate::state::store;
use crate::state::thing::Thing;
use changes::{Room, changes, document_of, wishes};

pub use changes::{LeafChange, pretty, read};

/// What is known of a patch while it is made.
#[derive(Clone, Copy)]
pub struct Outgoing {
    /// The shadow; empty for the classic one.
    pub shadow: Signal<String>,
    /// The shadow as it is.
    pub document: Memo<Document>,
    /// What its desired state may hold; `None` where nobody says.
    pub schema: Memo<Option<Arc<Schema>>>,
    /// What would change, leaf by leaf, or why there is no patch.
    pub told: Memo<Result<Vec<LeafChange>, String>>,
    /// What the schema says against it.
    pub violations: Memo<Vec<Violation>>,
    room: Memo<Option<Room>>,
}

impl Outgoing {
    /// Of a patch for a shadow of a thing.
    pub fn of(thing: &Thing, shadow: Signal<String>, patch: Memo<Result<Object, String>>) -> Outgoing {
        let of = thing.clone();
        let document = Memo::new(move |_| {
            let shadow = shadow.get();
            let shadows = of.shadows.get();
            let table = shadows.iter().find(|cell| cell.key == shadow);
            table.map(|cell| cell.row.with(|table| document_of(&table.row.leaves))).unwrap_or_default()
        });
        let of = thing.schema.clone();
        // A kind's schema speaks of the classic shadow.
        let schema = Memo::new(move |_| of.get().filter(|_| shadow.with(String::is_empty)));
        let told = Memo::new(move |_| {
            patch.with(|patch| match patch {
                Ok(patch) if patch.is_empty() => Ok(Vec::new()),
                Ok(patch) => document.with(|document| changes(document, patch)),
                Err(why) => Err(why.clone()),
            })
        });
        let violations = Memo::new(move |_| {
            let (Some(schema), Ok(patch), Ok(changes)) = (schema.get(), patch.get(), told.get()) else {
                return Vec::new();
            };
            let mut after = document.with(|document| document.desired.clone()).unwrap_or_default();
            merge(&mut after, &patch);
            let touched: Vec<&str> = changes.iter().map(|change| change.pointer.as_str()).collect();
            if touched.is_empty() { Vec::new() } else { schema.check_change(&after, &touched) }
        });
        let room = Memo::new(move |_| {
            patch.with(|patch| document.with(|document| Room::with(document, patch.as_ref().ok()?)))
        });
        Outgoing { shadow, document, schema, told, violations, room }
    }

    /// The wishes, where it may be sent.
    fn wishes(self) -> Option<Vec<Wish>> {
        if self.violations.with(|violations| !violations.is_empty()) {
            return None;
        }
        let changes = self.told.get().ok()?;
        self.document.with(|document| wishes(document, &changes)).ok().filter(|wishes| !wishes.is_empty())
    }

    fn pointers(self) -> Vec<String> {
        self.told.with(|told| told.iter().flatten().map(|change| change.pointer.clone()).collect())
    }

    /// What will happen to people, in sentences, each once.
    fn dangers(self) -> Vec<String> {
        let Some(schema) = self.schema.get() else { return Vec::new() };
        let mut sentences: Vec<String> = Vec::new();
        self.told.with(|told| {
            for change in told.iter().flatten() {
                let value =
                    change.after.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Json::Null);
                for sentence in schema.dangers(&change.pointer, &value) {
                    if !sentences.iter().any(|known| known == sentence) {
                        sentences.push(sentence.to_owned());
                    }
                }
            }
        });
        sentences
    }

    fn asks_first(self) -> bool {
        let pointers = self.pointers();
        self.schema.get().is_some_and(|schema| pointers.iter().any(|pointer| schema.asks_first(pointer)))
    }
}

/// What leaves are called in what is told of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// As the text writes them.
    Pointers,
    /// As the schema does, with its units.
    Titles,
}

/// What will change, how long it may wait, and Send; asks first where the schema says that it is dangerous, and where somebody else
/// changed a leaf meanwhile.
#[component]
pub fn SendPatch(
    /// Of which thing.
    thing: Thing,
    /// The patch.
    outgoing: Outgoing,
    /// Whether the person has begun: what they saw then is what others may run into.
    #[prop(into)]
    begun: Signal<bool>,
    /// What leaves are called.
    names: Names,
    /// What the names of its parts begin with, for tests.
    testid: &'static str,
    /// Told once it is in the outbox.
    on_done: Callback<()>,
) -> impl IntoView {
    let store = store();
    let fault = RwSignal::new(None::<Fault>);
    let sending = RwSignal::new(false);
    let asking = RwSignal::new(false);
    let chosen_ms = RwSignal::new(None::<u64>);
    let desk = Desk::new();
    let Outgoing { shadow, document, told, room, .. } = outgoing;
    let of = thing.clone();
    let own_ms =
        Memo::new(move |_| outgoing.schema.with(|schema| of.expiry_of(&outgoing.pointers(), schema.as_deref())));
    let is_ready = Memo::new(move |_| outgoing.wishes().is_some());
    let dangers = Memo::new(move |_| outgoing.dangers());

    // What was wanted when the person began: what somebody else wants since then is asked about before anything is sent.
    let saw = StoredValue::new(Document::default());
    Effect::new(move |before: Option<(bool, String)>| {
        let now = (begun.get(), shadow.get());
        if now.0 && before.as_ref() != Some(&now) {
            saw.set_value(document.get_untracked());
        }
        now
    });

    let key = thing.key;
    let expires_in_ms = move || Some(chosen_ms.get_untracked().unwrap_or_else(|| own_ms.get_untracked()));
    let send = move || {
        let Some(wishes) = untrack(|| outgoing.wishes()) else { return };
        sending.set(true);
        fault.set(None);
        let shadow = shadow.get_untracked();
        let intent = Intent::Command { thing: key, shadow, wishes, expires_in_ms: expires_in_ms() };
        store.ask(intent, move |outcome| {
            // The drawer may have closed meanwhile; then nobody looks at these any more.
            sending.try_set(false);
            match outcome {
                Ok(_) => drop(on_done.try_run(())),
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let of = thing.clone();
    let is_run_into = move || {
        let Some(wishes) = untrack(|| outgoing.wishes()) else { return false };
        let leaves = saw.with_value(|saw| {
            let wanted = |wish: Wish| {
                let saw = saw.desired.as_ref().and_then(|desired| leaf_at(desired, &wish.pointer));
                Wanted { saw: saw.map(ToString::to_string), pointer: wish.pointer, wants: wish.value_json }
            };
            wishes.into_iter().map(wanted).collect::<Vec<_>>()
        });
        let asked = Asked { shadow: shadow.get_untracked(), leaves, expires_in_ms: expires_in_ms(), direct: false };
        desk.lay_if_changed(&of, &asked)
    };
    let press = move |_| {
        if is_run_into() {
        } else if untrack(|| outgoing.asks_first()) {
            asking.set(true);
        } else {
            send();
        }
    };
    let head = thing.head.clone();
    let asks = Signal::derive(move || tr!("Send this to {}?", head.with(|head| head.row.title.clone())));
    let of_part = move |part: &str| format!("{testid}-{part}");
    view! {
        <div data-testid=of_part("told") aria-live="polite">
            {move || match told.get() {
                Err(why) => view! { <p class="wrong" data-testid=of_part("wrong")>{why}</p> }.into_any(),
                Ok(changes) if changes.is_empty() => view! { <p class="none">{said("This changes nothing.")}</p> }.into_any(),
                Ok(changes) => view! { <Changes changes outgoing names testid /> }.into_any(),
            }}
            <Dangers dangers />
        </div>
        <div class="line">
            <Expiry chosen_ms own_ms />
            <span class="size" class:soon=move || room.get().is_some_and(Room::is_tight) data-testid=of_part("room")>
                {move || room.get().map(Room::words)}
            </span>
            <button
                type="button"
                class="send"
                data-testid=of_part("send")
                disabled=move || !is_ready.get() || sending.get()
                on:click=press
            >
                {said("Send")}
            </button>
        </div>
        {move || fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })}
        <Confirm open=asking asks yes=said("Send") on_yes=Callback::new(move |()| send())>
            {move || told.get().ok().map(|changes| view! { <Changes changes outgoing names testid /> })}
            <p>{said("One of these moves something in the street, or ends what somebody is doing.")}</p>
            <Dangers dangers />
        </Confirm>
        <ConflictSheet thing=thing.clone() desk on_done />
    }
}

/// What will happen to people.
#[component]
pub fn Dangers(
    /// In sentences, each once.
    dangers: Memo<Vec<String>>,
) -> impl IntoView {
    view! {
        <For each=move || dangers.get() key=Clone::clone let:sentence>
            <p class="danger" data-testid="danger">{format::known(&sentence).to_owned()}</p>
        </For>
    }
}

/// What will change, leaf by leaf.
#[component]
fn Changes(changes: Vec<LeafChange>, outgoing: Outgoing, names: Names, testid: &'static str) -> impl IntoView {
    let refused = outgoing.document.with_untracked(|document| wishes(document, &changes).err());
    let schema = outgoing.schema.get_untracked().filter(|_| names == Names::Titles);
    let rows = changes
        .into_iter()
        .map(|change| {
            let pointer = change.pointer.clone();
            let leaf = schema.as_deref().and_then(|schema| schema.at(&pointer));
            let name = match schema.as_deref().filter(|_| leaf.is_some()) {
                Some(schema) => view! { <span>{title(schema, &pointer)}</span> }.into_any(),
                None => view! { <code>{format::pointer(&pointer)}</code> }.into_any(),
            };
            let side = |json: Option<String>| match (json, leaf) {
                (None, _) => "–".to_owned(),
                (Some(json), Some(leaf)) => value(leaf, &json),
                (Some(json), None) => json,
            };
            view! {
                <li data-pointer=pointer>
                    {name} <span>
                        <code class="before">{side(change.before)}</code>
                        " → "
                        <code class="wanted">{side(change.after)}</code>
                    </span>
                </li>
            }
        })
        .collect_view();
    view! {
        <ul class="changes" data-testid=format!("{testid}-changes")>
            {rows}
        </ul>
        {refused.map(|why| view! { <p class="wrong" data-testid=format!("{testid}-wrong")>{why}</p> })}
    }
}

/// What a leaf of a schema is called, its groups before it: `Network · Access point`.
pub fn title(schema: &Schema, pointer: &str) -> String {
    let mut names = Vec::new();
    let mut at = String::new();
    for (token, schema) in pointer.split('/').skip(1).zip(schema.way(pointer).into_iter().skip(1)) {
        at = format!("{at}/{token}");
        names.push(own_title(schema, &at));
    }
    names.join(" · ")
}

/// What a part of a schema is called.
pub fn own_title(schema: &Schema, pointer: &str) -> String {
    if !schema.title.is_empty() {
        return schema.title.clone();
    }
    let name = pointer.rsplit('/').next().unwrap_or(pointer).replace("~1", "/").replace("~0", "~");
    fleetlens_model::kind::in_words(&name)
}

/// A value in the words of its leaf, as JSON text gives it.
pub fn value(leaf: &Schema, json: &str) -> String {
    let of = serde_json::from_str::<Json>(json).ok();
    let label = leaf.labels.iter().find(|(value, _)| Some(value) == of.as_ref());
    label.map_or_else(|| format::leaf(json, &leaf.unit), |(_, label)| label.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_called_as_its_schema_calls_it() {
        let schema = Schema::parse(
            r#"{"properties": {"net": {"title": "Network", "properties": {
                "hop_s": {"type": "number", "x-unit": "s"},
                "up": {"type": "boolean", "x-enum-labels": {"true": "Yes"}}}}}}"#,
        )
        .unwrap();
        for (pointer, json, name, words) in [
            ("/net/hop_s", "5", "Network · Hop s", "5\u{a0}s"),
            ("/net/up", "true", "Network · Up", "Yes"),
            ("/net/up", "false", "Network · Up", "off"),
        ] {
            assert_eq!(title(&schema, pointer), name);
            assert_eq!(value(schema.at(pointer).unwrap(), json), words);
        }
    }
}
