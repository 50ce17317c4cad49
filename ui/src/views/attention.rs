//! What needs a person, worst first: the card over the map, and the list on the phone.

use fleetlens_ipc::map::Status;
use fleetlens_ipc::rows::AttentionRow;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{clock, local, today};
use crate::components::icon::Icon;
use crate::components::shape::Shape;
use crate::format;
use crate::lang::said;
use crate::state::section::Section;
use crate::state::store;
use crate::views::alarms::acknowledge::{AcknowledgeDialog, Asked, Desk, may_acknowledge};

/// The card; not there while nothing needs a person.
#[component]
pub fn AttentionCard() -> impl IntoView {
    let store = store();
    let folded = RwSignal::new(false);
    let count = Memo::new(move |_| store.attention.with(|attention| attention.row.count));
    view! {
        <Show when=move || count.get() != 0>
            <section class="attention" data-testid="attention" class:folded=move || folded.get() aria-label=said("Needs a person")>
                <div class="head">
                    <button
                        type="button"
                        class="turner"
                        data-testid="attention-fold"
                        aria-expanded=move || (!folded.get()).to_string()
                        on:click=move |_| folded.update(|folded| *folded = !*folded)
                    >
                        {move || {
                            if folded.get() {
                                view! { <Icon of=icondata_lu::LuChevronUp /> }
                            } else {
                                view! { <Icon of=icondata_lu::LuChevronDown /> }
                            }
                        }}
                        <b>{said("Needs a person")}</b>
                        <span class="count" data-testid="attention-count" aria-live="polite">
                            {move || format::count(u64::from(count.get()))}
                        </span>
                    </button>
                    <button
                        type="button"
                        class="link"
                        data-testid="all-alarms"
                        title=said("All alarms (G A)")
                        on:click=move |_| store.go(Section::Alarms)
                    >
                        {said("All alarms")}
                    </button>
                </div>
                <Show when=move || !folded.get()>
                    <AttentionList />
                </Show>
            </section>
        </Show>
    }
}

/// The rows.
#[component]
pub fn AttentionList() -> impl IntoView {
    let store = store();
    let rows = move || store.attention.with(|attention| attention.row.rows.clone());
    let hidden = Memo::new(move |_| {
        store.attention.with(|attention| {
            let listed = u32::try_from(attention.row.rows.len()).unwrap_or(u32::MAX);
            attention.row.count.saturating_sub(listed)
        })
    });
    let (desk, may) = (Desk::new(), may_acknowledge(store));
    view! {
        <ul class="attention-list">
            <For each=rows key=|row| (row.alarm, row.thing, row.title.clone()) let:first>
                <AttentionItem first desk may />
            </For>
        </ul>
        <AcknowledgeDialog desk />
        <Show when=move || hidden.get() != 0>
            <p class="none">{move || tr!("and {} more, less urgent", format::count(u64::from(hidden.get())))}</p>
        </Show>
    }
}

/// One thing; what is said of it changes in place, so that a focused row stays focused.
#[component]
fn AttentionItem(first: AttentionRow, desk: Desk, may: Memo<bool>) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let thing = first.thing;
    let title = first.title.clone();
    let row = Memo::new(move |before: Option<&AttentionRow>| {
        let is_it =
            |row: &&AttentionRow| (row.alarm, row.thing, &row.title) == (first.alarm, first.thing, &first.title);
        let now = store.attention.with(|attention| attention.row.rows.iter().find(is_it).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let status = Memo::new(move |_| row.with(|row| row.status));
    let is_critical = move || Status::from_code(status.get()) == Status::Critical;
    let age = Memo::new(move |_| {
        let now = store.wall_now(clock.now_ms())?;
        row.with(|row| Some(format::age(now.since(row.since_ms))))
    });
    let since = move || row.with(|row| tr!("since {}", local(row.since_ms).seconds(&today())));
    let is_open = move || store.selected.get() == Some(thing);
    let press = move |_| desk.ask(vec![row.with_untracked(Asked::of_attention)]);
    let label = Memo::new(move |_| tr!("Acknowledge {}", row.with(|row| row.title.clone())));
    view! {
        <li class:crit=is_critical>
            <button
                type="button"
                class="needs"
                data-testid="attention-row"
                data-thing=thing.0.to_string()
                aria-current=move || is_open().to_string()
                on:click=move |_| store.open(thing)
            >
                <Shape kind=Kind::Other status />
                <span class="what">
                    <b>{title}</b>
                    // What was seen and what to do about it: each begins a line.
                    {move || row.with(lines).into_iter().map(|line| view! { <span>{line}</span> }).collect_view()}
                </span>
                <time title=since>{move || age.get()}</time>
            </button>
            <Show when=move || may.get()>
                <button
                    type="button"
                    class="tool"
                    data-testid="attention-acknowledge"
                    title=said("Acknowledge")
                    aria-label=label
                    on:click=press
                >
                    <Icon of=icondata_lu::LuCheck />
                </button>
            </Show>
        </li>
    }
}

/// What was seen, and what to do about it as the drawer says it.
fn lines(row: &AttentionRow) -> Vec<String> {
    [row.sentence.clone(), format::capital(&row.what_to_do)].into_iter().filter(|line| !line.is_empty()).collect()
}
