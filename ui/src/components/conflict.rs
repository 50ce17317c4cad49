//! Somebody else changed what a person wants otherwise, or a person asks again for what came to nothing: what they saw, what it is now,
//! what they want, and whose holds, leaf by leaf.

mod choice;

use fleetlens_ipc::rows::LeafRow;
use fleetlens_ipc::{Fault, Intent};
use fleetlens_model::kind::Control;
use fleetlens_model::schema::Schema;
use fleetlens_model::shadow::{leaf_at, patch_of};
use fleetlens_model::text::shown;
use leptos::prelude::*;
use serde_json::Value as Json;
use tr::tr;

use crate::components::control::{in_its_words, now_of};
use crate::components::modal::Modal;
use crate::components::segmented::Segmented;
use crate::format;
use crate::lang::said;
use crate::state::store;
use crate::state::thing::Thing;
use choice::{Chosen, Since, Whose, is_ours, wishes};

pub use choice::Wanted;

/// What a person asked of one shadow, or is about to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The shadow; empty for the classic one.
    pub shadow: String,
    /// The leaves, at least one.
    pub leaves: Vec<Wanted>,
    /// How long it may wait, in milliseconds; `None` for the controls' own expiry.
    pub expires_in_ms: Option<u64>,
    /// Whether it goes straight to a thing that has no shadow.
    pub direct: bool,
}

/// Why a person looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Others ran into it.
    Changed,
    /// It came to nothing, and is wanted again.
    Again,
}

impl Why {
    fn heading(self) -> &'static str {
        match self {
            Why::Changed => said("Somebody changed this meanwhile"),
            Why::Again => said("Ask for this again?"),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Why::Changed => said("Choose for each value whose holds. Nothing is sent before you do."),
            Why::Again => {
                said("It goes out as a new command, with its own time to wait. Nothing is sent before you say so.")
            }
        }
    }
}

/// Where that is laid when others ran into it.
#[derive(Clone, Copy)]
pub struct Desk {
    asked: RwSignal<Asked>,
    why: RwSignal<Why>,
    open: RwSignal<bool>,
}

impl Desk {
    /// An empty one.
    pub fn new() -> Desk {
        Desk { asked: RwSignal::new(Asked::default()), why: RwSignal::new(Why::Changed), open: RwSignal::new(false) }
    }

    /// Asks whose values hold.
    pub fn lay(self, asked: Asked) {
        self.lay_for(Why::Changed, asked);
    }

    /// Asks whether what came to nothing is wanted again.
    pub fn lay_again(self, asked: Asked) {
        self.lay_for(Why::Again, asked);
    }

    fn lay_for(self, why: Why, asked: Asked) {
        self.asked.set(asked);
        self.why.set(why);
        self.open.set(true);
    }

    /// Asks, where somebody else changed a leaf since the person looked; false when nobody did.
    pub fn lay_if_changed(self, thing: &Thing, asked: &Asked) -> bool {
        let is_changed = |leaf: &Wanted| {
            let now = desired_at(thing, &asked.shadow, &leaf.pointer);
            let cells = thing.commands.get();
            let rows: Vec<_> = cells.iter().map(|cell| cell.row.with(|row| row.row.clone())).collect();
            leaf.since(now.as_deref()) == Since::Changed
                && !is_ours(rows.iter(), &asked.shadow, &leaf.pointer, now.as_deref())
        };
        let is_changed = untrack(|| asked.leaves.iter().any(is_changed));
        if is_changed {
            self.lay(asked.clone());
        }
        is_changed
    }
}

/// What is wanted of a leaf now, as JSON text, be it an inner object; tracked.
pub fn desired_at(thing: &Thing, shadow: &str, pointer: &str) -> Option<String> {
    let shadows = thing.shadows.get();
    let table = shadows.iter().find(|cell| cell.key == shadow)?;
    let desired = table.row.with(|table| {
        let read = |leaf: &LeafRow| {
            let value = serde_json::from_str(leaf.desired.as_deref()?).ok()?;
            Some((leaf.pointer.clone(), value))
        };
        patch_of(&table.row.leaves.iter().filter_map(read).collect::<Vec<_>>())
    });
    leaf_at(&desired, pointer).map(ToString::to_string)
}

/// What a leaf is at now, for the person who decides: what is wanted of it; of a thing without a shadow what it last said. Tracked.
fn stands_at(thing: &Thing, asked: &Asked, pointer: &str) -> Option<String> {
    if asked.direct { now_of(thing, pointer) } else { desired_at(thing, &asked.shadow, pointer) }
}

/// The sheet; there while something lies on the desk.
#[component]
pub fn ConflictSheet(
    /// Of which thing.
    thing: Thing,
    /// What lies on it.
    desk: Desk,
    /// Told once it is decided: what is the person's is in the outbox, the rest stays as others want it.
    #[prop(into, default = Callback::new(|()| ()))]
    on_done: Callback<()>,
) -> impl IntoView {
    let label = Signal::derive(move || desk.why.get().heading().to_owned());
    view! {
        <Modal open=desk.open label class="modal conflict" testid="conflict">
            <Decision thing=thing.clone() desk on_done />
        </Modal>
    }
}

#[component]
fn Decision(thing: Thing, desk: Desk, on_done: Callback<()>) -> impl IntoView {
    let store = store();
    let whole = desk.asked.get_untracked();
    let Asked { shadow, leaves: asked, expires_in_ms, .. } = whole.clone();
    let why = desk.why.get_untracked();
    let key = thing.key;
    let leaves = StoredValue::new(asked.clone());
    let chosen = RwSignal::new(Chosen::new());
    let fault = RwSignal::new(None::<Fault>);
    let sending = RwSignal::new(false);
    let each = |at: fn(&Thing, &Asked, &str) -> Option<String>| {
        let (of, whole) = (thing.clone(), whole.clone());
        Memo::new(move |_| whole.leaves.iter().map(|leaf| at(&of, &whole, &leaf.pointer)).collect::<Vec<_>>())
    };
    let now = each(|thing, asked, pointer| desired_at(thing, &asked.shadow, pointer));
    let stands = each(stands_at);
    let wishes = Memo::new(move |_| {
        now.with(|now| chosen.with(|chosen| leaves.with_value(|leaves| wishes(leaves, now, chosen))))
    });
    let done = move || {
        desk.open.try_set(false);
        on_done.try_run(());
    };
    let of_shadow = shadow.clone();
    let send = move |_| {
        let Some(wishes) = wishes.get_untracked() else { return };
        if wishes.is_empty() {
            return done();
        }
        sending.set(true);
        fault.set(None);
        let intent = Intent::Command { thing: key, shadow: of_shadow.clone(), wishes, expires_in_ms };
        store.ask(intent, move |outcome| {
            // The drawer may have closed meanwhile; then nobody looks at these any more.
            sending.try_set(false);
            match outcome {
                Ok(_) => done(),
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let controls = thing.head.with_untracked(|head| head.row.controls.clone());
    // Controls and a kind's schema speak of the classic shadow.
    let schema = thing.schema.get_untracked().filter(|_| shadow.is_empty());
    let control_of = move |pointer: &str| {
        controls.iter().find(|control| control.pointer == pointer).filter(|_| shadow.is_empty()).cloned()
    };
    let rows: Vec<(usize, Wanted, Option<Control>)> = asked
        .into_iter()
        .enumerate()
        .map(|(nth, leaf)| {
            let control = control_of(&leaf.pointer);
            (nth, leaf, control)
        })
        .collect();
    let warnings: Vec<(String, String)> = rows
        .iter()
        .filter_map(|(_, leaf, control)| {
            Some((leaf.pointer.clone(), warning(control.as_ref(), schema.as_deref(), leaf)?))
        })
        .collect();
    let warned = move || {
        let sent = wishes.get().unwrap_or_default();
        let of = warnings.iter().filter(|(pointer, _)| sent.iter().any(|wish| wish.pointer == *pointer));
        of.map(|(_, words)| view! { <p class="warned">{words.clone()}</p> }).collect_view()
    };
    let is_undecided = move || wishes.with(Option::is_none);
    view! {
        <h2>{why.heading()}</h2>
        <p>{why.words()}</p>
        <ul class="clashes">
            {rows.into_iter().map(|(nth, leaf, control)| view! { <Clash nth leaf control why now stands chosen /> }).collect_view()}
        </ul>
        {warned}
        {move || fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })}
        <div class="answers">
            <button type="button" class="plain" data-testid="conflict-no" on:click=move |_| desk.open.set(false)>
                {said("Not now")}
            </button>
            <button
                type="button"
                class="send"
                data-testid="conflict-yes"
                disabled=move || is_undecided() || sending.get()
                on:click=send
            >
                {move || wishes.with(|wishes| answer(wishes.as_ref().map(Vec::len)))}
            </button>
        </div>
    }
}

/// One leaf: three values, and whose holds.
#[component]
fn Clash(
    nth: usize,
    leaf: Wanted,
    control: Option<Control>,
    why: Why,
    now: Memo<Vec<Option<String>>>,
    stands: Memo<Vec<Option<String>>>,
    chosen: RwSignal<Chosen>,
) -> impl IntoView {
    let name = control
        .as_ref()
        .map_or_else(|| format::pointer(&leaf.pointer), |control| format::known(&control.label).to_owned());
    let words = move |json: Option<&str>| match (json, &control) {
        (None, _) => said("nothing").to_owned(),
        (Some(json), Some(control)) => in_its_words(control, json),
        (Some(json), None) => shown(json).into_owned(),
    };
    let (saw, wants) = (words(leaf.saw.as_deref()), words(Some(&leaf.wants)));
    let nth_of = move |of: Memo<Vec<Option<String>>>| of.with(|of| of.get(nth).cloned().flatten());
    let its_now = Memo::new(move |_| nth_of(now));
    let is_now = move || words(nth_of(stands).as_deref());
    let of = leaf.clone();
    let since = Memo::new(move |_| of.since(its_now.get().as_deref()));
    let (of, pointer) = (leaf.clone(), leaf.pointer.clone());
    let whose = Signal::derive(move || chosen.with(|chosen| of.whose(its_now.get().as_deref(), chosen)));
    let choose = Callback::new(move |whose| {
        chosen.update(|chosen| drop(chosen.insert(pointer.clone(), (whose, its_now.get_untracked()))));
    });
    let label = StoredValue::new(tr!("Whose value of {} holds", name));
    // Asked again and touched by nobody, there is nothing to compare and nobody to give way to.
    let is_clash = Memo::new(move |_| why == Why::Changed || since.get() == Since::Changed);
    view! {
        <li class="clash" data-testid="clash" data-pointer=leaf.pointer.clone() data-since=move || since_word(since.get())>
            <b>{name}</b>
            <dl>
                <Show when=move || is_clash.get()>
                    <div>
                        <dt>{said("you saw")}</dt>
                        <dd>{saw.clone()}</dd>
                    </div>
                </Show>
                <div class="is-now">
                    <dt>{said("it is now")}</dt>
                    <dd data-testid="clash-now">{is_now}</dd>
                </div>
                <div class="mine">
                    <dt>{said("you want")}</dt>
                    <dd>{wants}</dd>
                </div>
            </dl>
            <Show
                when=move || since.get() != Since::Same
                fallback=|| view! { <p class="none">{said("It is wanted so already.")}</p> }
            >
                <Show when=move || is_clash.get()>
                    <Segmented
                        label=label.get_value()
                        options=vec![(Whose::Mine, said("Mine").to_owned()), (Whose::Theirs, said("Theirs").to_owned())]
                        chosen=whose
                        on_choose=choose
                    />
                </Show>
            </Show>
        </li>
    }
}

/// For the style sheets and the tests.
fn since_word(since: Since) -> &'static str {
    match since {
        Since::Unchanged => "unchanged",
        Since::Same => "same",
        Since::Changed => "changed",
    }
}

/// What the button does with so many wishes; `None` while something has to be chosen.
fn answer(wishes: Option<usize>) -> String {
    match wishes {
        None => said("Choose first").into(),
        Some(0) => said("Leave it as it is").into(),
        Some(1) => said("Send").into(),
        Some(many) => tr!("Send {} values", many),
    }
}

/// What happens to people beyond a leaf that is asked about before it is sent, be there a control for it or not.
fn warning(control: Option<&Control>, schema: Option<&Schema>, leaf: &Wanted) -> Option<String> {
    let by_schema = schema.is_some_and(|schema| schema.asks_first(&leaf.pointer));
    if !by_schema && !control.is_some_and(|control| control.asks_first) {
        return None;
    }
    let value = serde_json::from_str(&leaf.wants).unwrap_or(Json::Null);
    let mut sentences = vec![said("This moves something in the street, or ends what somebody is doing.")];
    let of_schema = schema.map(|schema| schema.dangers(&leaf.pointer, &value)).unwrap_or_default();
    let of_control = control.map(|control| control.dangers_of(&value)).unwrap_or_default();
    for sentence in of_schema.into_iter().chain(of_control).map(format::known) {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    Some(sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::{Kind, Schemas};

    use super::*;

    fn of_kind(kind: Kind, pointer: &str) -> &'static Control {
        Schemas::of_the_program().control_of_kind(kind, pointer).unwrap()
    }

    #[test]
    fn what_is_asked_about_before_it_is_sent_is_warned_of_here_too() {
        let leaf = |pointer: &str, wants: &str| Wanted { pointer: pointer.into(), saw: None, wants: wants.into() };
        let barrier = of_kind(Kind::Parking, "/barrier");
        let closes = warning(Some(barrier), None, &leaf("/barrier", "\"closed\"")).unwrap();
        assert!(closes.contains("in the street") && closes.contains("stands under it"), "{closes}");
        let dim = of_kind(Kind::Lamp, "/dim_pct");
        assert_eq!(warning(Some(dim), None, &leaf("/dim_pct", "40")), None);
    }

    #[test]
    fn what_the_schema_asks_about_is_warned_of_without_a_control() {
        let schema = Schema::parse(
            r#"{"properties": {"net": {"properties": {
                "apn": {"type": "string", "x-danger": "It may never be heard again."}, "retries": {"type": "integer"}}}}}"#,
        )
        .unwrap();
        let leaf = |pointer: &str, wants: &str| Wanted { pointer: pointer.into(), saw: None, wants: wants.into() };
        let apn = warning(None, Some(&schema), &leaf("/net/apn", "\"a\"")).unwrap();
        assert!(apn.contains("in the street") && apn.ends_with("It may never be heard again."), "{apn}");
        assert_eq!(warning(None, Some(&schema), &leaf("/net/retries", "3")), None);
        assert_eq!(warning(None, None, &leaf("/net/apn", "\"a\"")), None, "of another shadow nobody says anything");
        let control = Control::of(&schema, "/net/apn", schema.at("/net/apn").unwrap());
        assert!(control.is_some());
        let both = warning(control.as_ref(), Some(&schema), &leaf("/net/apn", "\"a\"")).unwrap();
        assert_eq!(both, apn, "said by both, it is said once");
    }

    #[test]
    fn the_button_says_what_it_does() {
        let words: Vec<String> = [None, Some(0), Some(1), Some(2)].into_iter().map(answer).collect();
        assert_eq!(words, ["Choose first", "Leave it as it is", "Send", "Send 2 values"]);
    }
}
