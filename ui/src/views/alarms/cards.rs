//! The open alarms of one thing, on top of its page: what is wrong, what to do, who has seen it.

use fleetlens_ipc::AlarmStep;
use fleetlens_ipc::rows::AlarmRow;
use fleetlens_model::id::AlarmId;
use leptos::prelude::*;
use tr::tr;

use super::acknowledge::{AcknowledgeDialog, Asked, Desk, may_acknowledge};
use super::row::Told;
use super::steps::waits_for_reset;
use crate::clock::{clock, local};
use crate::components::shape::PriorityShape;
use crate::format;
use crate::lang::{Language, language, said};
use crate::state::cells::Cell;
use crate::state::store;
use crate::state::thing::Thing;

/// The cards; nothing while nothing is wrong.
#[component]
pub fn AlarmCards(
    /// Whose alarms.
    thing: Thing,
) -> impl IntoView {
    let alarms = RwSignal::from(thing.alarms);
    let desk = Desk::new();
    view! {
        <Show when=move || alarms.with(|alarms| !alarms.is_empty())>
            <section class="alarm-cards" data-testid="thing-alarms" aria-label=said("Open alarms")>
                <For each=move || alarms.get() key=|cell| cell.key let:cell>
                    <AlarmCard cell desk />
                </For>
            </section>
        </Show>
        <AcknowledgeDialog desk />
    }
}

/// One alarm, with everything a person should know.
#[component]
pub fn AlarmCard(
    /// The alarm.
    cell: Cell<AlarmId, AlarmRow>,
    /// Where it is acknowledged.
    desk: Desk,
) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let id = cell.key;
    let row = RwSignal::from(cell.row);
    let told = Told::of(Memo::new(move |_| Some(row.with(|row| row.row.clone()))));
    let may = may_acknowledge(store);
    let is_unseen = Memo::new(move |_| row.with(|row| Asked::may_be(&row.row)));
    let is_latched = Memo::new(move |_| row.with(|row| waits_for_reset(&row.row)));
    let reset = move |_| {
        store.steer_alarms(vec![id], AlarmStep::Reset, move |outcome| {
            if let Err(fault) = outcome {
                store.notify(fault.message);
            }
        });
    };
    let why = Memo::new(move |_| row.with(|row| why(&row.row)));
    let raised_ms = Memo::new(move |_| row.with(|row| row.row.raised_ms));
    let age = Memo::new(move |_| Some(format::age(store.wall_now(clock.now_ms())?.since(raised_ms.get()))));
    let press = move |_| desk.ask(vec![row.with_untracked(|row| Asked::of(&row.row))]);
    view! {
        <article
            class="alarm-card"
            data-testid="alarm-card"
            data-alarm=id.0.to_string()
            data-priority=move || told.priority.get().label().to_lowercase()
            data-state=move || told.word.get()
        >
            <PriorityShape priority=told.priority />
            <div class="said">
                <h2>
                    {told.title} <time title=move || local(raised_ms.get()).exact()>{move || age.get()}</time>
                </h2>
                <p class="seen">{told.sentence}</p>
                <Show when=move || told.what_to_do.with(|what| !what.is_empty())>
                    <p class="do" data-testid="what-to-do">{told.what_to_do}</p>
                </Show>
                <Show when=move || why.with(|why| !why.is_empty())>
                    <p class="why">{why}</p>
                </Show>
                <footer>
                    <span class="state" data-testid="alarm-state">{told.state}</span>
                    <Show when=move || is_latched.get() && may.get()>
                        <button type="button" class="plain" data-testid="alarm-reset" on:click=reset>
                            {said("Reset")}
                        </button>
                    </Show>
                    <Show when=move || is_unseen.get() && may.get()>
                        <button type="button" class="plain" data-testid="alarm-acknowledge" on:click=press>
                            {said("Acknowledge")}
                        </button>
                    </Show>
                </footer>
            </div>
        </article>
    }
}

/// What causes it and what follows, as far as the rule says; nothing of what is back.
fn why(row: &AlarmRow) -> String {
    if !row.active {
        return String::new();
    }
    let cause = (!row.cause.is_empty()).then(|| tr!("Usually {}.", inner(&row.cause)));
    let consequence = (!row.consequence.is_empty()).then(|| tr!("Otherwise {}.", inner(&row.consequence)));
    [cause, consequence].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A sentence inside another one.
fn inner(text: &str) -> String {
    let text = text.trim_end_matches('.');
    // German writes its nouns large wherever they stand, and nobody here can tell which words are some.
    if language() == Language::German { text.to_owned() } else { uncapital(text) }
}

/// A sentence's first word inside another sentence; what is written in capitals stays so.
fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::alarm;
    use super::*;

    #[test]
    fn cause_and_consequence_are_one_paragraph() {
        for (cause, consequence, want) in [
            ("", "", ""),
            ("A round that was left out", "", "Usually a round that was left out."),
            ("a burnt bag", "GPS and all burn.", "Usually a burnt bag. Otherwise GPS and all burn."),
        ] {
            let row = AlarmRow { cause: cause.into(), consequence: consequence.into(), ..alarm(1, 0) };
            assert_eq!(why(&row), want);
        }
    }
}
