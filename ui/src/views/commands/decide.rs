//! What a person can do about a command that came to nothing: decide whose value holds where somebody else changed one of its leaves,
//! else ask for it again.

use std::collections::BTreeMap;

use fleetlens_ipc::rows::CommandRow;
use fleetlens_model::command::{Phase, Withdrawal};
use fleetlens_model::id::{CommandId, ThingKey};
use leptos::prelude::*;
use tr::tr;

use super::called;
use crate::clock::Aged;
use crate::components::conflict::{Asked, Desk, Wanted, desired_at};
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::store;
use crate::state::thing::Thing;
use crate::views::find::finder;

/// A leaf of one thing: its shadow and its pointer.
type Leaf = (ThingKey, String, String);

/// The newest command for each leaf, of those that a window lists. Copy.
#[derive(Clone, Copy)]
pub struct Newest(Memo<BTreeMap<Leaf, CommandId>>);

impl Newest {
    /// Of these lists.
    pub fn of(lists: impl IntoIterator<Item = RwSignal<Vec<Cell<CommandId, CommandRow>>>>) -> Newest {
        let lists: Vec<_> = lists.into_iter().collect();
        Newest(Memo::new(move |_| {
            let mut newest = BTreeMap::new();
            for cell in lists.iter().flat_map(|list| list.get()) {
                // Untracked: a command may wait for another value, never for another leaf.
                cell.row.with_untracked(|row| note(&mut newest, &row.row));
            }
            newest
        }))
    }

    /// What is left to be done about a command; nothing where a later one went on from there. Tracked.
    fn way_on(self, row: &CommandRow) -> Option<Way> {
        self.0.with(|newest| way_on(row).filter(|_| !goes_on(newest, row)))
    }
}

/// What to do about a command that came to nothing, unless a later one went on from there.
#[component]
pub fn Decide(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
    /// Of which thing.
    thing: Thing,
    /// Among which commands.
    newest: Newest,
    /// Where it is decided.
    desk: Desk,
) -> impl IntoView {
    let way = Memo::new(move |_| row.with(|row| newest.way_on(&row.row)));
    let thing = StoredValue::new(thing);
    let press = move |()| {
        if let Some(way) = way.get_untracked() {
            thing.with_value(|thing| row.with_untracked(|row| lay(way, &row.row, thing, desk)));
        }
    };
    view! { <WayOn row way on_press=Callback::new(press) /> }
}

/// The same in the lists of all things: it is decided on the page of its thing, where it stands what is wanted now.
#[component]
pub fn DecideThere(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
    /// Among which commands.
    newest: Newest,
) -> impl IntoView {
    let (store, finder) = (store(), finder());
    let way = Memo::new(move |_| row.with(|row| newest.way_on(&row.row)));
    let press = move |()| {
        let row = row.with_untracked(|row| row.row.clone());
        // In this order: what opens another thing forgets what was to be decided of the one before.
        store.open(row.thing);
        store.decided.set(Some(row));
        finder.chosen.update(|times| *times += 1);
    };
    view! { <WayOn row way on_press=Callback::new(press) /> }
}

#[component]
fn WayOn(row: RwSignal<Aged<CommandRow>>, way: Memo<Option<Way>>, on_press: Callback<()>) -> impl IntoView {
    let name = move || way.get().map(|way| row.with(|row| called(way.label(), &row.row)));
    view! {
        <Show when=move || way.get().is_some()>
            <button
                type="button"
                class="link"
                data-testid=move || way.get().map(Way::word)
                aria-label=name
                on:click=move |_| on_press.run(())
            >
                {move || way.get().map(Way::label)}
            </button>
        </Show>
    }
}

/// Lays on the desk of a thing's page what was pressed in a list ([`DecideThere`]), or says why not.
pub fn decide_here(thing: &Thing, newest: Newest, desk: Desk) {
    let (store, thing) = (store(), thing.clone());
    Effect::new(move |_| {
        // The page of the thing that was open before is told as well; it is not for that one.
        let Some(row) = store.decided.get().filter(|row| row.thing == thing.key) else { return };
        store.decided.set(None);
        match untrack(|| newest.way_on(&row)) {
            _ if !thing.may_command => store.notify(cannot_words(&row.thing_title, &thing.fence)),
            Some(way) => lay(way, &row, &thing, desk),
            None => store.notify(later_words(&row.thing_title)),
        }
    });
}

/// Why nothing is asked of a thing.
fn cannot_words(title: &str, fence: &str) -> String {
    if fence.is_empty() {
        tr!("Nothing can be asked of {} here.", title)
    } else {
        tr!("Nothing can be asked of {title} here: {fence}.", title, fence)
    }
}

/// Why a command is not asked for again.
fn later_words(title: &str) -> String {
    tr!("A later command is about the same value of {}; it stands on its page.", title)
}

fn lay(way: Way, row: &CommandRow, thing: &Thing, desk: Desk) {
    let mut asked = asked(row);
    match way {
        Way::Compare => desk.lay(asked),
        // What is wanted now is what the person sees now: nobody ran into anything.
        Way::Again => {
            let now = |leaf: &Wanted| untrack(|| desired_at(thing, &asked.shadow, &leaf.pointer));
            let saw: Vec<_> = asked.leaves.iter().map(now).collect();
            asked.leaves.iter_mut().zip(saw).for_each(|(leaf, saw)| leaf.saw = saw);
            desk.lay_again(asked);
        }
    }
}

/// What can be done about a command that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Somebody else changed one of its leaves.
    Compare,
    /// It was refused, its time ran out, or it was taken back.
    Again,
}

impl Way {
    fn label(self) -> &'static str {
        match self {
            Way::Compare => said("Compare and choose"),
            Way::Again => said("Ask again"),
        }
    }

    /// For the tests.
    fn word(self) -> &'static str {
        match self {
            Way::Compare => "decide",
            Way::Again => "ask-again",
        }
    }
}

/// What can be done, if anything. Not while the command is being taken back: then it is not over. What has no shadow has nothing to
/// compare either.
fn way_on(row: &CommandRow) -> Option<Way> {
    let is_over = |withdrawal: &Withdrawal| *withdrawal != Withdrawal::Needed;
    match &row.phase {
        Phase::Rejected { code: 409, .. } if !row.direct => Some(Way::Compare),
        Phase::Rejected { .. } => Some(Way::Again),
        Phase::Expired { withdrawal } | Phase::Cancelled { withdrawal } => is_over(withdrawal).then_some(Way::Again),
        Phase::Pending | Phase::Sent | Phase::Accepted { .. } | Phase::Settled | Phase::Overtaken { .. } => None,
    }
}

/// The leaves that a command is for.
fn leaves(row: &CommandRow) -> impl Iterator<Item = Leaf> {
    row.changes.iter().map(|(pointer, ..)| (row.thing, row.shadow.clone(), pointer.clone()))
}

/// Notes a command at its leaves, where none is newer.
fn note(newest: &mut BTreeMap<Leaf, CommandId>, row: &CommandRow) {
    for leaf in leaves(row) {
        let known = newest.entry(leaf).or_insert(row.id);
        *known = row.id.max(*known);
    }
}

/// Whether another command wants something of the same leaf later than this one.
fn goes_on(newest: &BTreeMap<Leaf, CommandId>, row: &CommandRow) -> bool {
    leaves(row).any(|leaf| newest.get(&leaf).is_some_and(|newest| *newest > row.id))
}

/// What it asked for, as it stood on the screen then.
fn asked(row: &CommandRow) -> Asked {
    let wanted = |(pointer, saw, wants): &(String, Option<String>, String)| Wanted {
        pointer: pointer.clone(),
        saw: saw.clone(),
        wants: wants.clone(),
    };
    let leaves = row.changes.iter().map(wanted).collect();
    Asked { shadow: row.shadow.clone(), leaves, expires_in_ms: None, direct: row.direct }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::identity::Actor;
    use fleetlens_model::kind::Kind;

    use super::*;

    #[test]
    fn why_nothing_is_asked_is_said() {
        let why = "this profile leaves only things of Marsa to you";
        assert_eq!(cannot_words("Lamp 7", why), format!("Nothing can be asked of Lamp 7 here: {why}."));
        assert_eq!(cannot_words("Lamp 7", ""), "Nothing can be asked of Lamp 7 here.");
    }

    #[test]
    fn what_came_to_nothing_is_decided_or_asked_again_once() {
        let command = |id, phase, pointer: &str| CommandRow {
            id: CommandId(id),
            thing: ThingKey(1),
            thing_title: String::new(),
            kind: Kind::Lamp,
            shadow: String::new(),
            direct: false,
            title: String::new(),
            changes: vec![(pointer.into(), Some("100".into()), "40".into())],
            trace: String::new(),
            by: Actor::default(),
            phase,
            never_obeyed: false,
            steps: Vec::new(),
            sentence: String::new(),
            expires_in_ms: None,
            can_edit: false,
            takes: Vec::new(),
            can_cancel: false,
        };
        let refused = |code| Phase::Rejected { code, reason: String::new() };
        let first = command(1, refused(409), "/dim_pct");
        let (needed, done) = (Withdrawal::Needed, Withdrawal::Done);
        for (phase, want) in [
            (refused(409), Some(Way::Compare)),
            (refused(413), Some(Way::Again)),
            (Phase::Expired { withdrawal: done }, Some(Way::Again)),
            (Phase::Cancelled { withdrawal: Withdrawal::NotNeeded }, Some(Way::Again)),
            (Phase::Expired { withdrawal: needed }, None),
            (Phase::Cancelled { withdrawal: needed }, None),
            (Phase::Sent, None),
            (Phase::Settled, None),
        ] {
            let row = command(1, phase, "/dim_pct");
            assert_eq!(way_on(&row), want, "{:?}", row.phase);
            let without_shadow = way_on(&CommandRow { direct: true, ..row });
            assert_eq!(without_shadow, want.map(|_| Way::Again), "without a shadow there is nothing to compare");
        }
        for (other, want) in [
            (command(2, Phase::Pending, "/dim_pct"), true),
            (command(2, Phase::Pending, "/on"), false),
            (CommandRow { shadow: "network".into(), ..command(2, Phase::Pending, "/dim_pct") }, false),
            (CommandRow { thing: ThingKey(2), ..command(2, Phase::Pending, "/dim_pct") }, false),
            (first.clone(), false),
        ] {
            for rows in [[&first, &other], [&other, &first]] {
                let mut newest = BTreeMap::new();
                rows.into_iter().for_each(|row| note(&mut newest, row));
                assert_eq!(goes_on(&newest, &first), want, "{other:?}");
            }
        }
        let leaf = Wanted { pointer: "/dim_pct".into(), saw: Some("100".into()), wants: "40".into() };
        assert_eq!(asked(&first).leaves, [leaf]);
    }
}
