//! Bulk commands: the list of them, and one with what came of each of its things.

pub mod compose;
mod dry_run;
mod typed;
mod words;

use fleetlens_ipc::rows::{BulkRow, BulkThingRow};
use fleetlens_ipc::{Done, Export, Intent, Steer};
use fleetlens_model::bulk::{Counts, Progress};
use fleetlens_model::id::BulkId;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{Aged, local, today};
use crate::components::back::Back;
use crate::components::confirm::Confirm;
use crate::components::export::ExportLine;
use crate::components::segmented::Segmented;
use crate::components::shape::Shape;
use crate::form::{Form, form};
use crate::format;
use crate::lang::said;
use crate::state::bulk::{STRETCH, Seen};
use crate::state::store;
use crate::views::commands::may_command;
use compose::{Again, Compose, ComposeSheet};
use words::{counts_words, outcome_word, parts, rollout_words, standing, state_sentence, state_word};

/// Those that are kept, newest first; nothing where there is none.
#[component]
pub fn BulkList() -> impl IntoView {
    let store = store();
    store.follow_bulks();
    let all = store.bulks.all;
    view! {
        <Show when=move || all.cells.with(|cells| !cells.is_empty())>
            <section class="orders bulks" data-testid="bulks" aria-label=said("Bulk commands")>
                <h2>{said("Bulk commands")}</h2>
                <ul>
                    <For each=move || all.cells.get() key=|cell| cell.key let:cell>
                        <Item row=RwSignal::from(cell.row) id=cell.key />
                    </For>
                </ul>
            </section>
        </Show>
    }
}

#[component]
fn Item(row: RwSignal<Aged<BulkRow>>, id: BulkId) -> impl IntoView {
    let store = store();
    let read = move |read: fn(&BulkRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
    let title = read(|row| format::capital(&row.title));
    let of = read(of_words);
    let counts = Memo::new(move |_| row.with(|row| (row.row.counts, row.row.state.is_open())));
    let state = move || row.with(|row| state_word(&row.row.state, store.link_up.get()));
    let code = move || row.with(|row| row.row.state.word());
    let at = read(|row| local(row.asked_ms).seconds(&today()));
    let exact = read(|row| local(row.asked_ms).exact());
    let open = move |_| store.look_at_bulk(Seen { bulk: id, failed: false, first: 0 });
    view! {
        <li class="bulk" data-testid="bulk" data-bulk=id.0.to_string() data-state=code>
            <button type="button" class="choose-bulk" data-testid="bulk-open" on:click=open>
                <span class="state">{state}</span>
                <span class="what">
                    <b>{title}</b>
                    <span>{of}</span>
                </span>
                <Bar counts />
                <time title=exact>{at}</time>
            </button>
        </li>
    }
}

/// `lamps of Marsa · by M. Vella`.
fn of_words(row: &BulkRow) -> String {
    let by = if row.by.name.is_empty() { said(row.by.role.label()) } else { &row.by.name };
    if row.continuous {
        tr!("{target}, and those that join · by {by}", target = row.target, by)
    } else {
        tr!("{target} · by {by}", target = row.target, by)
    }
}

/// What came of its things, as a bar and as words.
#[component]
fn Bar(counts: Memo<(Counts, bool)>) -> impl IntoView {
    let words = move || counts.with(|(counts, is_open)| counts_words(counts, *is_open));
    let part = |(class, n, word): (&'static str, u32, &'static str)| {
        view! { <i class=class style:flex-grow=n.to_string() title=format!("{} {word}", format::count(u64::from(n))) /> }
    };
    view! {
        <span class="came">
            <span class="bulk-bar" aria-hidden="true">
                {move || {
                    counts.with(|(counts, is_open)| parts(counts, *is_open)).into_iter().map(part).collect_view()
                }}
            </span>
            <span class="counts" data-testid="bulk-counts">{words}</span>
        </span>
    }
}

/// One of them, in the place of the commands.
#[component]
pub fn BulkView() -> impl IntoView {
    let store = store();
    let head = store.bulks.head;
    on_cleanup(move || store.look_away_from_bulk());
    let read = move |read: fn(&BulkRow) -> String| {
        Memo::new(move |_| head.with(|row| row.as_ref().map(read).unwrap_or_default()))
    };
    let title = read(|row| format::capital(&row.title));
    let rollout = read(|row| rollout_words(&row.rollout));
    let asked = read(|row| format!("{} · {}", of_words(row), local(row.asked_ms).seconds(&today())));
    let state = move || {
        head.with(|row| row.as_ref().map(|row| state_word(&row.state, store.link_up.get())).unwrap_or(said("loading…")))
    };
    let code = move || head.with(|row| row.as_ref().map(|row| row.state.word()));
    let sentence = move || head.with(|row| row.as_ref().map(|row| state_sentence(row, store.link_up.get())));
    let counts = Memo::new(move |_| {
        head.with(|row| row.as_ref().map(|row| (row.counts, row.state.is_open())).unwrap_or_default())
    });
    let may = may_command(store);
    let what = Signal::derive(move || store.bulks.seen.get().map(|seen| Export::Bulk(seen.bulk)));
    // Files are looked through at a desk.
    let may_export = move || may.get() && form() == Form::Desktop;
    let compose = Compose::new();
    view! {
        <section class="sheet outbox one-bulk" data-testid="bulk-view" aria-label=said("Bulk command") data-state=code>
            <header class="sheet-head">
                <Back to=said("All commands") testid="bulk-back" on_back=move |()| store.look_away_from_bulk() />
                <h1>{title}</h1>
                <p class="total state" role="status" data-testid="bulk-state">{state}</p>
                <span class="space" />
                <AskAgain counts compose />
                <Steering counts />
            </header>
            <div class="sheet-body">
                <p class="asked-by">{asked} " · " {rollout}</p>
                <p class="sentence" role="status" data-testid="bulk-sentence">{sentence}</p>
                <Bar counts />
                <Things counts />
                <Show when=may_export>
                    <ExportLine what />
                </Show>
            </div>
            <ComposeSheet compose />
        </section>
    }
}

/// The way to ask those again that failed.
#[component]
fn AskAgain(counts: Memo<(Counts, bool)>, compose: Compose) -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let is_any = move || may.get() && counts.with(|(counts, _)| counts.failed() + counts.cannot > 0);
    let busy = RwSignal::new(false);
    let ask = move |_| {
        let Some(Seen { bulk, .. }) = store.bulks.seen.get_untracked() else { return };
        let title = store.bulks.head.with_untracked(|row| row.as_ref().map(|row| format::capital(&row.title)));
        busy.set(true);
        let pick = |done| if let Done::Order(order) = done { Some(*order) } else { None };
        store.ask_for(Intent::BulkAgain(bulk), pick, move |outcome| {
            // Another one may be open by now.
            if busy.try_set(false).is_some() || store.bulks.seen.get_untracked().map(|seen| seen.bulk) != Some(bulk) {
                return;
            }
            match outcome {
                Ok(order) => compose.begin_again(Again { order, title: title.unwrap_or_default() }),
                Err(fault) => store.notify(fault.message),
            }
        });
    };
    view! {
        <Show when=is_any>
            <button type="button" class="plain" data-testid="bulk-again" disabled=move || busy.get() on:click=ask>
                {said("Ask the failed again…")}
            </button>
        </Show>
    }
}

/// Hold, go on, stop.
#[component]
fn Steering(counts: Memo<(Counts, bool)>) -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let (busy, asking) = (RwSignal::new(false), RwSignal::new(false));
    let code = Memo::new(move |_| store.bulks.head.with(|row| row.as_ref().map(|row| row.state.word())));
    let steer = move |to| {
        let Some(Seen { bulk, .. }) = store.bulks.seen.get_untracked() else { return };
        busy.set(true);
        store.ask(Intent::SteerBulk { bulk, to }, move |outcome| {
            busy.try_set(false);
            if let Err(fault) = outcome {
                store.notify(fault.message);
            }
        });
    };
    let stops = move || {
        let waiting = counts.with(|(counts, _)| counts.waiting);
        tr!(
            "1 thing will not be asked, and what has not left yet is taken back. What was sent already goes on. It cannot be started again."
                | "{shown} things will not be asked, and what has not left yet is taken back. What was sent already goes on. It cannot be started again."
                    % waiting,
            shown = format::count(u64::from(waiting))
        )
    };
    view! {
        <Show when=move || may.get() && matches!(code.get(), Some("running" | "held"))>
            <Show
                when=move || code.get() == Some("running")
                fallback=move || {
                    view! {
                        <button type="button" class="plain" data-testid="bulk-resume" disabled=move || busy.get() on:click=move |_| steer(Steer::Resumed)>
                            {said("Go on")}
                        </button>
                    }
                }
            >
                <button type="button" class="plain" data-testid="bulk-pause" disabled=move || busy.get() on:click=move |_| steer(Steer::Paused)>
                    {said("Hold")}
                </button>
            </Show>
            <button type="button" class="plain" data-testid="bulk-stop" disabled=move || busy.get() on:click=move |_| asking.set(true)>
                {tr!("for good" => "Stop")}
            </button>
        </Show>
        <Confirm open=asking asks=said("Stop it?") yes=said("Stop it") on_yes=Callback::new(move |()| steer(Steer::Stopped))>
            <p>{stops}</p>
        </Confirm>
    }
}

/// What came of each, a stretch at a time.
#[component]
fn Things(counts: Memo<(Counts, bool)>) -> impl IntoView {
    let store = store();
    let bulks = store.bulks;
    let is_open = Memo::new(move |_| counts.with(|(_, is_open)| *is_open));
    let chosen = Signal::derive(move || bulks.seen.with(|seen| seen.map(|seen| seen.failed)));
    let first = Memo::new(move |_| bulks.seen.with(|seen| seen.map_or(0, |seen| seen.first)));
    let go = move |change: fn(&mut Seen)| {
        if let Some(mut seen) = bulks.seen.get_untracked() {
            change(&mut seen);
            store.look_at_bulk(seen);
        }
    };
    let choose = Callback::new(move |failed| {
        if let Some(seen) = bulks.seen.get_untracked() {
            store.look_at_bulk(Seen { failed, first: 0, ..seen });
        }
    });
    let last = move || (first.get() + STRETCH).min(bulks.total.get());
    let is_longer = move || bulks.total.get() > STRETCH;
    let is_last = move || last() >= bulks.total.get();
    let where_words = move || match bulks.total.get() {
        0 => String::new(),
        total => {
            let (from, until) = (first.get() + 1, last());
            tr!("{from}–{until} of {total}", from, until, total = format::count(u64::from(total)))
        }
    };
    let options = vec![(false, said("All").to_owned()), (true, said("Failed").to_owned())];
    view! {
        <section class="orders" data-testid="bulk-things" aria-label=said("Its things")>
            <h2>
                {said("Its things")}
                <Segmented label=said("Only things that") options chosen on_choose=choose />
                <span class="space" />
                <span class="stretch" role="status">{where_words}</span>
                <Show when=is_longer>
                    <button
                        type="button"
                        class="link"
                        data-testid="bulk-earlier"
                        disabled=move || first.get() == 0
                        on:click=move |_| go(|seen| seen.first = seen.first.saturating_sub(STRETCH))
                    >
                        {said("Earlier")}
                    </button>
                    <button
                        type="button"
                        class="link"
                        data-testid="bulk-later"
                        disabled=is_last
                        on:click=move |_| go(|seen| seen.first += STRETCH)
                    >
                        {said("Later")}
                    </button>
                </Show>
            </h2>
            <ul>
                <For each=move || bulks.rows.cells.get() key=|cell| cell.key let:cell>
                    <ThingItem row=RwSignal::from(cell.row) is_open />
                </For>
            </ul>
            <Show when=move || bulks.rows.known.get() && bulks.rows.cells.with(Vec::is_empty)>
                <div class="nothing small" data-testid="bulk-none">
                    <b>{said("None")}</b>
                    <p>{said("No thing of it has failed.")}</p>
                </div>
            </Show>
        </section>
    }
}

#[component]
fn ThingItem(row: RwSignal<Aged<BulkThingRow>>, is_open: Memo<bool>) -> impl IntoView {
    let store = store();
    let (thing, kind) = row.with_untracked(|row| (row.row.thing, row.row.kind));
    let read = move |read: fn(&BulkThingRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
    let title = read(|row| row.title.clone());
    let place = read(|row| row.place.clone());
    let sentence = read(|row| row.sentence.clone());
    let at = read(|row| asked_ms(row).map(|at| local(at).seconds(&today())).unwrap_or_default());
    let outcome = move || row.with(|row| outcome_word(&row.row.progress, is_open.get()));
    let standing = move || row.with(|row| standing(&row.row.progress));
    view! {
        <li class="order bulk-thing" data-testid="bulk-thing" data-thing=thing.0.to_string() data-standing=standing>
            <span class="phase" data-testid="bulk-outcome">{outcome}</span>
            <button type="button" class="whose" on:click=move |_| store.open(thing)>
                <Shape kind status=0u8 />
                <span>{title}</span>
            </button>
            <span class="where">{place}</span>
            <span class="sentence">{sentence}</span>
            <time>{at}</time>
        </li>
    }
}

fn asked_ms(row: &BulkThingRow) -> Option<fleetlens_model::time::WallMs> {
    match row.progress {
        Progress::Asked { at_ms, .. } => Some(at_ms),
        Progress::Waits | Progress::Same | Progress::Cannot { .. } => None,
    }
}
