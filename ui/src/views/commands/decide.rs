//! A command that ended because somebody else changed one of its leaves: the way to decide whose value holds.

use fleetlens_ipc::rows::CommandRow;
use fleetlens_model::command::Phase;
use fleetlens_model::id::CommandId;
use leptos::prelude::*;

use crate::clock::Aged;
use crate::components::conflict::{Asked, Desk, Wanted};
use crate::state::cells::Cell;

/// What to do about a command that somebody else ran into, unless a later one went on from there.
#[component]
pub fn Decide(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
    /// All commands of its thing.
    commands: RwSignal<Vec<Cell<CommandId, CommandRow>>>,
    /// Where it is decided.
    desk: Desk,
) -> impl IntoView {
    let is_run_into = Memo::new(move |_| row.with(|row| was_run_into(&row.row)));
    let is_open = move || {
        let row = row.with(|row| row.row.clone());
        is_run_into.get()
            && !commands.with(|cells| cells.iter().any(|cell| cell.row.with(|other| goes_on(&row, &other.row))))
    };
    view! {
        <Show when=is_open>
            <button
                type="button"
                class="link"
                data-testid="decide"
                on:click=move |_| desk.lay(row.with_untracked(|row| asked(&row.row)))
            >
                "Compare and choose"
            </button>
        </Show>
    }
}

/// Whether a command ended because somebody else changed one of its leaves.
fn was_run_into(row: &CommandRow) -> bool {
    matches!(row.phase, Phase::Rejected { code: 409, .. }) && !row.direct
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
    fn what_somebody_ran_into_is_decided_once_and_of_nothing_else() {
        let command = |id, phase, pointer: &str| CommandRow {
            id: CommandId(id),
            thing: ThingKey(1),
            thing_title: String::new(),
            kind: Kind::Lamp,
            shadow: String::new(),
            direct: false,
            title: String::new(),
            changes: vec![(pointer.into(), Some("100".into()), "40".into())],
            by: Actor::default(),
            phase,
            steps: Vec::new(),
            sentence: String::new(),
            expires_in_ms: None,
            can_cancel: false,
        };
        let refused = |code| Phase::Rejected { code, reason: String::new() };
        let first = command(1, refused(409), "/dim_pct");
        assert!(was_run_into(&first));
        assert!(!was_run_into(&command(1, refused(413), "/dim_pct")), "a refusal is no conflict");
        assert!(
            !was_run_into(&CommandRow { direct: true, ..first.clone() }),
            "without a shadow there is nothing to compare"
        );
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
