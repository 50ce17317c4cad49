//! The commands of all things: what waits, with the time it has left, what was waited for in vain, and what came of the others.

mod choose;

use fleetlens_ipc::Scope;
use fleetlens_ipc::rows::CommandRow;
use fleetlens_model::command::{Phase, Withdrawal};
use fleetlens_model::id::CommandId;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::clock::{Aged, clock, local, today};
use crate::components::coming::Coming;
use crate::components::icon::Icon;
use crate::components::pointer::follow_pointer;
use crate::components::still::Still;
use crate::form::{Form, form};
use crate::format;
use crate::lang::said;
use crate::state::cells::{Cell, List};
use crate::state::store;
use crate::views::audit::AuditView;
use crate::views::bulk::{BulkList, BulkView};
use crate::views::commands::{Cancel, DecideThere, Edit, LegFigures, Legs, Newest, Standing, Steps, may_command};
use crate::views::not_converged::NotConvergedList;

pub use choose::Choose;

/// From this much time left on, in milliseconds, the countdown is told in amber.
const SOON_MS: u64 = 60_000;

/// The section.
#[component]
pub fn OutboxView() -> impl IntoView {
    let store = store();
    store.follow_commands(Scope::Open);
    store.follow_commands(Scope::Ended);
    let (open, ended) = (store.commands.open, store.commands.ended);
    let may_audit = may_command(store);
    let auditing = RwSignal::new(false);
    let is_bulk = Memo::new(move |_| store.bulks.seen.with(Option::is_some));
    let newest = Newest::of([open.cells, ended.cells]);
    let how_many = Memo::new(move |_| ended.cells.with(Vec::len));
    view! {
        <Show when=move || !auditing.get() fallback=move || view! { <AuditView open=auditing /> }>
            <Show when=move || !is_bulk.get() fallback=|| view! { <BulkView /> }>
            <section class="sheet outbox" data-testid="commands-view" aria-label=said("Commands")>
                <header class="sheet-head">
                    <h1>{said("Commands")}</h1>
                    <p class="total" role="status" data-testid="outbox-total">{move || waiting_words(open)}</p>
                    <span class="space" />
                    <Show when=move || may_audit.get()>
                        <button type="button" class="plain" data-testid="to-audit" on:click=move |_| auditing.set(true)>
                            {said("Audit log")}
                        </button>
                    </Show>
                </header>
                <div class="sheet-body">
                    <Orders list=open label=said("Outbox") testid="outbox" scope=Scope::Open newest />
                    <BulkList />
                    <NotConvergedList />
                    // Where the time goes is looked into at a desk.
                    {(form() == Form::Desktop).then(|| view! { <LegFigures ended=how_many /> })}
                    <Orders list=ended label=said("History") testid="history" scope=Scope::Ended newest />
                </div>
            </section>
            </Show>
        </Show>
    }
}

fn waiting_words(open: List<CommandId, CommandRow>) -> String {
    if !open.known.get() {
        return said("counting…").into();
    }
    match open.cells.with(Vec::len) {
        0 => said("none waits").into(),
        waiting => tr!(
            "1 wanted and not yet so" | "{shown} wanted and not yet so" % waiting,
            shown = format::count(waiting as u64)
        ),
    }
}

/// One of the two lists.
#[component]
fn Orders(
    list: List<CommandId, CommandRow>,
    label: &'static str,
    testid: &'static str,
    scope: Scope,
    newest: Newest,
) -> impl IntoView {
    let still = Still::of(list.cells);
    let element = NodeRef::<leptos::html::Section>::new();
    let section = move || element.get_untracked().map(|section| section.unchecked_into::<Element>());
    follow_pointer(section, move |is_over| {
        still.inside.try_set(is_over);
    });
    let is_empty = move || list.known.get() && still.shown.with(Vec::is_empty);
    let fresh = move || tr!("{} new", format::count(still.fresh.get() as u64));
    view! {
        <section
            class="orders"
            data-testid=testid
            aria-label=label
            node_ref=element
        >
            <h2>
                {label}
                <Show when=move || still.fresh.get() != 0>
                    <button type="button" class="link" data-testid="let-in" on:click=move |_| still.let_in()>
                        {fresh}
                    </button>
                </Show>
            </h2>
            <Show when=move || list.known.get() fallback=|| view! { <Coming rows=3 /> }>
                <ul>
                    <For each=move || still.shown.get() key=|cell| cell.key let:cell>
                        <Order cell still list scope newest />
                    </For>
                </ul>
            </Show>
            <Show when=is_empty>
                <Nothing scope />
            </Show>
        </section>
    }
}

/// One command.
#[component]
fn Order(
    cell: Cell<CommandId, CommandRow>,
    still: Still<CommandId, CommandRow>,
    list: List<CommandId, CommandRow>,
    scope: Scope,
    newest: Newest,
) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let may = may_command(store);
    let id = cell.key;
    let row = RwSignal::from(cell.row);
    let unfolded = RwSignal::new(false);
    let (thing, kind) = row.with_untracked(|row| (row.row.thing, row.row.kind));
    let read = move |read: fn(&CommandRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
    let title = read(|row| format::capital(&row.title));
    let whose = read(|row| row.thing_title.clone());
    let sentence = read(|row| row.sentence.clone());
    let by = read(by_words);
    let asked = read(|row| row.steps.first().map(|step| local(step.at_ms).seconds(&today())).unwrap_or_default());
    let exact = read(|row| row.steps.first().map(|step| local(step.at_ms).exact()).unwrap_or_default());
    let is_gone = Memo::new(move |_| still.is_gone(list.cells, &id));
    let told =
        Signal::derive(
            move || if is_gone.get() { said("has ended; see the history").to_owned() } else { sentence.get() },
        );
    let standing = Memo::new(move |_| row.with(|row| Standing::of(&row.row.phase, row.row.never_obeyed)));
    let phase = Memo::new(move |_| {
        row.with(|row| phase_word(&row.row.phase, row.row.never_obeyed, store.link_up.get())).to_owned()
    });
    let left_ms = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        row.with(|row| left_ms(row, now_ms))
    });
    let left = move || left_ms.get().map(|ms| tr!("expires in {}", format::age(ms)));
    view! {
        <li class="order" class:gone=move || is_gone.get() data-testid="order" data-command=id.0.to_string() data-standing=move || standing.get().word()>
            <div class="order-line">
                <button
                    type="button"
                    class="tool fold"
                    data-testid="steps"
                    aria-label=move || if unfolded.get() { said("Hide its steps") } else { said("Show its steps") }
                    aria-expanded=move || unfolded.get().to_string()
                    on:click=move |_| unfolded.update(|unfolded| *unfolded = !*unfolded)
                >
                    <Icon of=icondata_lu::LuChevronRight />
                </button>
                <Choose thing kind phase what=title told whose />
                <span class="by">{by}</span>
                <time title=exact>{asked}</time>
                <span class="left" class:soon=move || left_ms.get().is_some_and(|ms| ms < SOON_MS) data-testid="left">{left}</span>
                <span class="back">
                    <Show when=move || may.get()>
                        {match scope {
                            Scope::Open => view! {
                                <Edit row id />
                                <Cancel row id />
                            }
                            .into_any(),
                            Scope::Ended => view! { <DecideThere row newest /> }.into_any(),
                        }}
                    </Show>
                </span>
            </div>
            <Show when=move || unfolded.get()>
                <div class="order-steps">
                    <Steps row />
                    <Changes row />
                    <Legs row />
                </div>
            </Show>
        </li>
    }
}

/// What it changes, leaf by leaf.
#[component]
fn Changes(row: RwSignal<Aged<CommandRow>>) -> impl IntoView {
    let changes = Memo::new(move |_| row.with(|row| row.row.changes.clone()));
    let lines = move || {
        let line = |(pointer, before, wanted): (String, Option<String>, String)| {
            let is_new = before.is_none();
            view! {
                <li>
                    <code>{format::pointer(&pointer)}</code>
                    " "
                    {before.map(|before| view! { <code>{before}</code> " → " })}
                    <code>{wanted}</code>
                    {is_new.then(|| said(", nothing was wanted before"))}
                </li>
            }
        };
        changes.get().into_iter().map(line).collect_view()
    };
    view! { <ul class="leaves" aria-label=said("What it changes")>{lines}</ul> }
}

/// Time left until it must not happen any more, in milliseconds; `None` once it ended.
fn left_ms(row: &Aged<CommandRow>, now_ms: f64) -> Option<u64> {
    row.row.expires_in_ms.map(|left_ms| left_ms.saturating_sub(row.elapsed_ms(now_ms)))
}

fn by_words(row: &CommandRow) -> String {
    if row.by.name.is_empty() { said(row.by.role.label()).into() } else { row.by.name.clone() }
}

/// Where a command stands, in two or three words.
fn phase_word(phase: &Phase, never_obeyed: bool, link_up: bool) -> &'static str {
    match phase {
        Phase::Pending if !link_up => said("Waits for the link"),
        Phase::Pending => said("About to go out"),
        Phase::Sent => said("Sent"),
        Phase::Accepted { .. } => said("Accepted"),
        Phase::Rejected { .. } => said("Rejected"),
        Phase::Settled => said("Settled"),
        Phase::Overtaken { .. } => said("Overtaken"),
        Phase::Expired { .. } if never_obeyed => said("Never obeyed"),
        Phase::Expired { withdrawal: Withdrawal::Needed } => said("Expired, taking back"),
        Phase::Expired { withdrawal: Withdrawal::Impossible } => said("Sent, never obeyed"),
        Phase::Expired { .. } => said("Expired"),
        Phase::Cancelled { withdrawal: Withdrawal::Needed } => said("Taking back"),
        Phase::Cancelled { withdrawal: Withdrawal::Impossible } => said("Too late"),
        Phase::Cancelled { .. } => said("Taken back"),
    }
}

/// What stands in a list while it is empty.
#[component]
fn Nothing(scope: Scope) -> impl IntoView {
    let (head, words) = match scope {
        Scope::Open => (
            said("Nothing waits"),
            said("What you ask of a thing stands here until the thing has obeyed, refused, or its time ran out."),
        ),
        Scope::Ended => {
            (said("No command has ended yet"), said("The newest will stand on top, each with what came of it."))
        }
    };
    view! {
        <div class="nothing small" data-testid="orders-none">
            <b>{head}</b>
            <p>{words}</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_waits_says_for_what_and_never_looks_ended() {
        let needed = Withdrawal::Needed;
        assert_eq!(phase_word(&Phase::Expired { withdrawal: Withdrawal::Done }, true, true), "Never obeyed");
        for (phase, link_up, want) in [
            (Phase::Pending, false, "Waits for the link"),
            (Phase::Pending, true, "About to go out"),
            (Phase::Expired { withdrawal: needed }, true, "Expired, taking back"),
            (Phase::Expired { withdrawal: Withdrawal::Done }, true, "Expired"),
            (Phase::Cancelled { withdrawal: needed }, false, "Taking back"),
            (Phase::Cancelled { withdrawal: Withdrawal::NotNeeded }, false, "Taken back"),
        ] {
            assert_eq!(phase_word(&phase, false, link_up), want, "{phase:?}");
        }
    }
}
