//! What was asked of a thing, and how far it got: asked → accepted → settled, each with its time.

mod decide;
mod edit;
mod legs;

use fleetlens_ipc::Intent;
use fleetlens_ipc::rows::{CommandRow, StepRow};
use fleetlens_model::command::{Phase, Step, Withdrawal};
use fleetlens_model::id::CommandId;
use leptos::prelude::*;
use tr::tr;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::clock::{Aged, clock, local, today};
use crate::components::conflict::{ConflictSheet, Desk};
use crate::format;
use crate::lang::{said, term};
use crate::state::thing::{Cell, Thing};
use crate::state::{Store, store};
use decide::{Decide, decide_here};
pub use decide::{DecideThere, Newest};
pub use edit::Edit;
pub use legs::{LegFigures, Legs};

/// How many ended commands are listed before "more".
const ENDED_SHOWN: usize = 3;

/// Whether the person here may have things do something, and take it back.
pub fn may_command(store: Store) -> Memo<bool> {
    Memo::new(move |_| {
        store.status.with(|status| status.as_ref().is_some_and(|status| status.row.who.role.may_command()))
    })
}

/// How a command stands, as far as colour and shape go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A person still waits for it.
    Waiting,
    /// Obeyed.
    Settled,
    /// Refused.
    Rejected,
    /// Its time ran out before the shadow took it.
    Expired,
    /// The shadow took it and the device did not do it in its time.
    NeverObeyed,
    /// Taken back, or another took its place.
    Ended,
}

impl Standing {
    /// Of a command.
    pub fn of(phase: &Phase, never_obeyed: bool) -> Standing {
        match phase {
            Phase::Expired { .. } if never_obeyed => Standing::NeverObeyed,
            Phase::Pending | Phase::Sent | Phase::Accepted { .. } => Standing::Waiting,
            Phase::Settled => Standing::Settled,
            Phase::Rejected { .. } => Standing::Rejected,
            Phase::Expired { .. } => Standing::Expired,
            Phase::Overtaken { .. } | Phase::Cancelled { .. } => Standing::Ended,
        }
    }

    /// For the style sheets and the tests.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Settled => "settled",
            Standing::Rejected => "rejected",
            Standing::Expired => "expired",
            Standing::NeverObeyed => "never-obeyed",
            Standing::Ended => "ended",
        }
    }
}

/// A step's word in English.
fn step_label(step: Step) -> &'static str {
    match step {
        Step::Asked => term("Asked"),
        Step::Edited => term("Changed"),
        Step::Sent => term("Sent"),
        Step::Accepted => term("Accepted"),
        Step::Rejected => term("Rejected"),
        Step::Settled => term("Settled"),
        Step::Overtaken => term("Overtaken"),
        Step::Expired => term("Expired"),
        Step::Cancelled => term("Cancelled"),
        Step::Withdrawn => term("Withdrawn"),
    }
}

/// A step's word in `data-step`.
fn step_word(step: Step) -> String {
    step_label(step).to_lowercase()
}

/// The step that is waited for, and what for.
fn next_step(phase: &Phase, direct: bool, link_up: bool) -> Option<(Step, &'static str)> {
    match phase {
        Phase::Pending if link_up => Some((Step::Sent, said("about to go out"))),
        Phase::Pending => Some((Step::Sent, said("waits for the link"))),
        Phase::Sent if direct => Some((Step::Settled, said("waits for the device"))),
        Phase::Sent => Some((Step::Accepted, said("waits for the answer"))),
        Phase::Accepted { .. } => Some((Step::Settled, said("waits for the device"))),
        Phase::Expired { withdrawal: Withdrawal::Needed } | Phase::Cancelled { withdrawal: Withdrawal::Needed } => {
            Some((
                Step::Withdrawn,
                if link_up { said("being withdrawn") } else { said("will be withdrawn when the link is back") },
            ))
        }
        Phase::Rejected { .. }
        | Phase::Settled
        | Phase::Overtaken { .. }
        | Phase::Expired { .. }
        | Phase::Cancelled { .. } => None,
    }
}

/// Every command of a thing, newest first.
#[component]
pub fn Commands(
    /// Whose commands.
    thing: Thing,
) -> impl IntoView {
    let commands = RwSignal::from(thing.commands.clone());
    let its = StoredValue::new(thing.clone());
    let (desk, by_leaf) = (Desk::new(), Newest::of([commands]));
    decide_here(&thing, by_leaf, desk);
    let all = RwSignal::new(false);
    let count = Memo::new(move |_| commands.with(Vec::len));
    // Only what has ended folds away: an open one, and the way to take it back, are always there.
    let rows = move || {
        let mut ended = 0;
        let mut shown = |cell: &Cell<CommandId, CommandRow>| {
            let open = cell.row.with(|row| row.row.phase.is_open());
            ended += usize::from(!open);
            open || all.get() || ended <= ENDED_SHOWN
        };
        commands.with(|rows| rows.iter().filter(|cell| shown(cell)).cloned().collect::<Vec<_>>())
    };
    let listed = Memo::new(move |_| if all.get() { count.get() } else { open_ones_and_some(&commands.get()) });
    let section = NodeRef::<leptos::html::Section>::new();
    let newest = Memo::new(move |_| commands.with(|rows| rows.first().map(|cell| cell.key)));
    Effect::new(move |before: Option<Option<CommandId>>| {
        let newest = newest.get();
        if before.is_some_and(|before| before < newest) {
            // Who sends wants to see what comes of it, and the drawer may be longer than the screen.
            request_animation_frame(move || show_newest(section));
        }
        newest
    });
    view! {
        <section class="commands" data-testid="commands" node_ref=section>
            <Show when=move || count.get() != 0>
                <h2>{said("Commands")}</h2>
                <For each=rows key=|cell| cell.key let:cell>
                    <Command cell thing=its.get_value() newest=by_leaf desk />
                </For>
                <Show when=move || { listed.get() < count.get() }>
                    <button type="button" class="link" on:click=move |_| all.set(true)>
                        {move || tr!("{} earlier", count.get() - listed.get())}
                    </button>
                </Show>
            </Show>
            <ConflictSheet thing desk />
        </section>
    }
}

/// Brings the newest command into sight, with room below for the steps to come (`scroll-margin` in the style sheet).
fn show_newest(section: NodeRef<leptos::html::Section>) {
    // The page may be closed before the next picture is drawn.
    let section = section.try_get_untracked().flatten();
    let newest = section.and_then(|section| section.query_selector(".command").ok().flatten());
    if let Some(newest) = newest {
        let nearest = ScrollIntoViewOptions::new();
        nearest.set_block(ScrollLogicalPosition::Nearest);
        newest.scroll_into_view_with_scroll_into_view_options(&nearest);
    }
}

fn open_ones_and_some(rows: &[Cell<CommandId, CommandRow>]) -> usize {
    let open = rows.iter().filter(|cell| cell.row.with(|row| row.row.phase.is_open())).count();
    open + (rows.len() - open).min(ENDED_SHOWN)
}

#[component]
fn Command(cell: Cell<CommandId, CommandRow>, thing: Thing, newest: Newest, desk: Desk) -> impl IntoView {
    let id = cell.key;
    let row = RwSignal::from(cell.row);
    let title = Memo::new(move |_| row.with(|row| format::capital(&row.row.title)));
    let sentence = Memo::new(move |_| row.with(|row| row.row.sentence.clone()));
    let standing = Memo::new(move |_| row.with(|row| Standing::of(&row.row.phase, row.row.never_obeyed)));
    view! {
        <article
            class="command"
            data-testid="command"
            data-command=id.0.to_string()
            data-standing=move || standing.get().word()
        >
            <header>
                <b>{title}</b>
                <span class="sentence" data-testid="sentence">{sentence}</span>
                {thing.may_command.then(|| view! { <Edit row id /> <Cancel row id /> <Decide row thing newest desk /> })}
            </header>
            <Steps row />
            <Legs row />
        </article>
    }
}

/// What happened to a command so far, and what is waited for.
#[component]
pub fn Steps(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
) -> impl IntoView {
    let steps = Memo::new(move |_| row.with(|row| row.row.steps.clone()));
    view! {
        <ol class="steps">
            <For each=move || told(&steps.get()) key=|(place, step)| (*place, step.step, step.at_ms) let:item>
                <StepItem row step=item.1 />
            </For>
            <NextStep row />
        </ol>
    }
}

/// The way back, while there is one.
#[component]
pub fn Cancel(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
    /// Its id.
    id: CommandId,
) -> impl IntoView {
    let store = store();
    let can_cancel = Memo::new(move |_| row.with(|row| row.row.can_cancel));
    let asked = RwSignal::new(false);
    let cancel = move |_| {
        asked.set(true);
        store.ask(Intent::CancelCommand { command: id }, move |outcome| {
            asked.try_set(false);
            if let Err(fault) = outcome {
                store.notify(fault.message);
            }
        });
    };
    let name = move || row.with(|row| called(said("Take back"), &row.row));
    view! {
        <Show when=move || can_cancel.get()>
            <button
                type="button"
                class="link"
                data-testid="cancel"
                aria-label=name
                disabled=move || asked.get()
                on:click=cancel
            >
                {said("Take back")}
            </button>
        </Show>
    }
}

/// What a button of a command is called: in a list the same word stands in every line.
fn called(word: &str, row: &CommandRow) -> String {
    format!("{word}: {}, {}", row.title, row.thing_title)
}

#[component]
fn StepItem(row: RwSignal<Aged<CommandRow>>, step: StepRow) -> impl IntoView {
    let began_ms = row.with_untracked(|row| row.row.steps.first().map(|first| first.at_ms));
    let by = row.with_untracked(|row| row.row.by.name.clone());
    let is_first = step.step == Step::Asked;
    let never_obeyed = row.with_untracked(|row| row.row.never_obeyed);
    let label =
        if never_obeyed && step.step == Step::Expired { said("Never obeyed") } else { said(step_label(step.step)) };
    let when = match began_ms {
        Some(began_ms) if !is_first => format::delay(step.at_ms.since(began_ms)),
        _ => local(step.at_ms).millis(&today()),
    };
    let note = match (step.note.split_once(' '), step.note.as_str()) {
        (Some(("by", by)), _) => tr!(" by {}", by),
        (_, "") if is_first && !by.is_empty() => tr!(" by {}", by),
        (_, "") => String::new(),
        (_, note) => format!(" · {note}"),
    };
    view! {
        <li data-step=step_word(step.step) data-state=state_of(step.step) title=local(step.at_ms).exact()>
            <b>{label}</b>
            {when}
            {note}
        </li>
    }
}

#[component]
fn NextStep(row: RwSignal<Aged<CommandRow>>) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let next = Memo::new(move |_| row.with(|row| next_step(&row.row.phase, row.row.direct, store.link_up.get())));
    let left = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        row.with(|row| {
            let left_ms = row.row.expires_in_ms?.saturating_sub(row.elapsed_ms(now_ms));
            Some(format!(" · {}", tr!("expires in {}", format::age(left_ms))))
        })
    });
    move || {
        next.get().map(|(step, why)| {
            view! {
                <li data-step=step_word(step) data-state="waiting">
                    <b>{said(step_label(step))}</b>
                    {why}
                    <span data-testid="expires">{move || left.get()}</span>
                </li>
            }
        })
    }
}

/// What the mark before a step says.
fn state_of(step: Step) -> &'static str {
    match step {
        Step::Asked | Step::Edited | Step::Sent | Step::Accepted | Step::Settled | Step::Withdrawn => "done",
        Step::Rejected => "rejected",
        Step::Expired => "expired",
        Step::Overtaken | Step::Cancelled => "ended",
    }
}

/// The steps worth a line: that it went out is said by the answer, once there is one.
fn told(steps: &[StepRow]) -> Vec<(usize, StepRow)> {
    let is_answered = |place: usize| steps.get(place + 1).is_some();
    steps.iter().cloned().enumerate().filter(|(place, step)| step.step != Step::Sent || !is_answered(*place)).collect()
}

/// What waits, as one quiet violet card each: for the phone, where the timeline is further down.
#[component]
pub fn WaitingCards(
    /// Whose commands.
    thing: Thing,
) -> impl IntoView {
    let commands = RwSignal::from(thing.commands);
    let waiting = move || {
        let is_waiting = |cell: &Cell<CommandId, CommandRow>| cell.row.with(|row| row.row.phase.is_waiting());
        commands.with(|rows| rows.iter().filter(|cell| is_waiting(cell)).cloned().collect::<Vec<_>>())
    };
    view! {
        <For each=waiting key=|cell| cell.key let:cell>
            <WaitingCard cell />
        </For>
    }
}

#[component]
fn WaitingCard(cell: Cell<CommandId, CommandRow>) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let row = RwSignal::from(cell.row);
    let lead = move || row.with(|row| waiting_words(&row.row.phase, store.link_up.get()));
    let title = move || row.with(|row| row.row.title.clone());
    let detail = move || {
        let now_ms = clock.now_ms();
        row.with(|row| {
            let changes =
                row.row.changes.iter().map(|(pointer, before, wanted)| will(pointer, before.as_deref(), wanted));
            let left = row.row.expires_in_ms.map(|ms| ms.saturating_sub(row.elapsed_ms(now_ms)));
            let left = left.map(|ms| tr!("expires in {}", format::age(ms)));
            left.into_iter().chain(changes).collect::<Vec<_>>().join(" · ")
        })
    };
    view! {
        <div class="waiting-card" data-testid="waiting">
            <p>
                <b>{lead}": "</b>
                {title}
            </p>
            <p class="detail">{detail}</p>
        </div>
    }
}

/// What a command changes of a leaf: what was wanted before, and what is then.
fn will(pointer: &str, before: Option<&str>, wanted: &str) -> String {
    let leaf = format::pointer(pointer);
    match before {
        Some(before) => tr!("will change {leaf} {before} → {wanted}", leaf, before, wanted),
        None => tr!("will set {leaf} to {wanted}, nothing was wanted before", leaf, wanted),
    }
}

fn waiting_words(phase: &Phase, link_up: bool) -> &'static str {
    match phase {
        Phase::Pending if !link_up => said("Waiting to be sent"),
        Phase::Pending => said("About to go out"),
        Phase::Sent => said("Sent, not yet answered"),
        Phase::Accepted { .. } => said("Accepted, not yet obeyed"),
        Phase::Rejected { .. }
        | Phase::Settled
        | Phase::Overtaken { .. }
        | Phase::Expired { .. }
        | Phase::Cancelled { .. } => said("Ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_follows_from_the_phase() {
        let needed = Withdrawal::Needed;
        for (phase, link_up, want) in [
            (Phase::Pending, false, Some(Step::Sent)),
            (Phase::Sent, true, Some(Step::Accepted)),
            (Phase::Accepted { version: 3 }, true, Some(Step::Settled)),
            (Phase::Settled, true, None),
            (Phase::Rejected { code: 409, reason: String::new() }, true, None),
            (Phase::Expired { withdrawal: needed }, false, Some(Step::Withdrawn)),
            (Phase::Expired { withdrawal: Withdrawal::Done }, false, None),
            (Phase::Cancelled { withdrawal: needed }, true, Some(Step::Withdrawn)),
        ] {
            assert_eq!(next_step(&phase, false, link_up).map(|(step, _)| step), want, "{phase:?}");
        }
    }

    #[test]
    fn what_nobody_wanted_before_is_no_value_to_change() {
        assert_eq!(will("/dim_pct", Some("100"), "40"), "will change dim_pct 100 → 40");
        assert_eq!(will("/dim_pct", None, "40"), "will set dim_pct to 40, nothing was wanted before");
    }

    #[test]
    fn rejected_and_expired_never_look_alike() {
        let rejected = Standing::of(&Phase::Rejected { code: 413, reason: String::new() }, false);
        let expired = Standing::of(&Phase::Expired { withdrawal: Withdrawal::NotNeeded }, false);
        let never_obeyed = Standing::of(&Phase::Expired { withdrawal: Withdrawal::Done }, true);
        let words = [rejected, expired, never_obeyed].map(Standing::word);
        assert_eq!(words, ["rejected", "expired", "never-obeyed"]);
        assert_ne!(state_of(Step::Rejected), state_of(Step::Expired));
    }
}
