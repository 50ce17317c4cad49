//! What a person can do about a command that came to nothing: decide whose value holds where somebody else changed one of its leaves,
//! else ask for it again.

use fleetlens_ipc::rows::CommandRow;
use fleetlens_model::command::{Phase, Withdrawal};
use fleetlens_model::id::CommandId;
use leptos::prelude::*;

use crate::clock::Aged;
use crate::components::conflict::{Asked, Desk, Wanted, desired_at};
use crate::state::store;
use crate::state::thing::Thing;
use crate::views::find::finder;

/// What to do about a command that came to nothing, unless a later one went on from there.
#[component]
pub fn Decide(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
    /// Of which thing.
    thing: Thing,
    /// Where it is decided.
    desk: Desk,
) -> impl IntoView {
    let commands = RwSignal::from(thing.commands.clone());
    let way = Memo::new(move |_| {
        let row = row.with(|row| row.row.clone());
        let is_left =
            || commands.with(|cells| !cells.iter().any(|cell| cell.row.with(|other| goes_on(&row, &other.row))));
        way_on(&row).filter(|_| is_left())
    });
    let thing = StoredValue::new(thing);
    let press = move |_| {
        if let Some(way) = way.get_untracked() {
            thing.with_value(|thing| row.with_untracked(|row| lay(way, &row.row, thing, desk)));
        }
    };
    view! {
        <Show when=move || way.get().is_some()>
            <button type="button" class="link" data-testid=move || way.get().map(Way::word) on:click=press>
                {move || way.get().map(Way::label)}
            </button>
        </Show>
    }
}

/// The same in the lists of all things: it is decided on the page of its thing, where it stands what is wanted now.
#[component]
pub fn DecideThere(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
    /// Its id.
    id: CommandId,
) -> impl IntoView {
    let (store, finder) = (store(), finder());
    let way = Memo::new(move |_| row.with(|row| way_on(&row.row)));
    let thing = row.with_untracked(|row| row.row.thing);
    let press = move |_| {
        store.decided.set(Some((thing, id)));
        store.open(thing);
        finder.chosen.update(|times| *times += 1);
    };
    view! {
        <Show when=move || way.get().is_some()>
            <button type="button" class="link" data-testid=move || way.get().map(Way::word) on:click=press>
                {move || way.get().map(Way::label)}
            </button>
        </Show>
    }
}

/// Lays on the desk of a thing's page what was pressed in a list ([`DecideThere`]).
pub fn decide_here(thing: &Thing, desk: Desk) {
    let (store, thing) = (store(), thing.clone());
    Effect::new(move |_| {
        let Some((key, id)) = store.decided.get() else { return };
        store.decided.set(None);
        let cells = thing.commands.get_untracked();
        let cell = cells.iter().find(|cell| cell.key == id).filter(|_| key == thing.key && thing.may_command);
        if let Some(cell) = cell {
            cell.row
                .with_untracked(|row| way_on(&row.row).into_iter().for_each(|way| lay(way, &row.row, &thing, desk)));
        }
    });
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
            Way::Compare => "Compare and choose",
            Way::Again => "Ask again",
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

/// What can be done, if anything. Not while the command is being taken back: then it is not over; nor about what has no shadow, where
/// there is nothing to compare.
fn way_on(row: &CommandRow) -> Option<Way> {
    let is_over = |withdrawal: &Withdrawal| *withdrawal != Withdrawal::Needed;
    match &row.phase {
        _ if row.direct => None,
        Phase::Rejected { code: 409, .. } => Some(Way::Compare),
        Phase::Rejected { .. } => Some(Way::Again),
        Phase::Expired { withdrawal } | Phase::Cancelled { withdrawal } => is_over(withdrawal).then_some(Way::Again),
        Phase::Pending | Phase::Sent | Phase::Accepted { .. } | Phase::Settled | Phase::Overtaken { .. } => None,
    }
}

/// Whether another command wants something of the same leaf later than this one.
fn goes_on(row: &CommandRow, other: &CommandRow) -> bool {
    let is_touched = |pointer: &str| other.changes.iter().any(|(of, ..)| of == pointer);
    other.id > row.id && other.shadow == row.shadow && row.changes.iter().any(|(pointer, ..)| is_touched(pointer))
}

/// What it asked for, as it stood on the screen then.
fn asked(row: &CommandRow) -> Asked {
    let wanted = |(pointer, saw, wants): &(String, Option<String>, String)| Wanted {
        pointer: pointer.clone(),
        saw: saw.clone(),
        wants: wants.clone(),
    };
    Asked { shadow: row.shadow.clone(), leaves: row.changes.iter().map(wanted).collect(), expires_in_ms: None }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::ThingKey;
    use fleetlens_model::identity::Actor;
    use fleetlens_model::kind::Kind;

    use super::*;

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
            assert_eq!(
                way_on(&CommandRow { direct: true, ..row }),
                None,
                "without a shadow there is nothing to compare"
            );
        }
        for (other, want) in [
            (command(2, Phase::Pending, "/dim_pct"), true),
            (command(2, Phase::Pending, "/on"), false),
            (CommandRow { shadow: "network".into(), ..command(2, Phase::Pending, "/dim_pct") }, false),
            (first.clone(), false),
        ] {
            assert_eq!(goes_on(&first, &other), want, "{other:?}");
        }
        let leaf = Wanted { pointer: "/dim_pct".into(), saw: Some("100".into()), wants: "40".into() };
        assert_eq!(asked(&first).leaves, [leaf]);
    }
}
