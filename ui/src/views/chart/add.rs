//! Adding a value to the chart: another one of this thing, or one of a thing that is found by its name.

use std::time::Duration;

use fleetlens_ipc::rows::{FoundRow, ValueRow};
use leptos::html;
use leptos::prelude::*;
use tr::tr;

use super::{Added, Desk};
use crate::components::popover::Popover;
use crate::components::shape::Shape;
use crate::format;
use crate::lang::said;
use crate::state::chart::{Traced, VALUES_MOST, sides};
use crate::state::thing::Thing;
use crate::views::query::{Wrong, mistake_of, vocabulary};

/// How long typing must rest before the host is asked.
const REST: Duration = Duration::from_millis(120);

/// Things that are listed; of more, more of a name is typed.
const LISTED: usize = 8;

/// The button, and what it opens.
#[component]
pub fn AddValue(desk: Desk, thing: Thing) -> impl IntoView {
    let refused = RwSignal::new(None::<String>);
    let card = NodeRef::<html::Div>::new();
    let add = Callback::new(move |row: ValueRow| match why_not(desk, &row) {
        Some(why) => refused.set(Some(why)),
        None => {
            refused.set(None);
            desk.added.update(|added| added.push(Added::of(&row)));
            // The button under the focus goes away: the card has it then, so that Escape still closes the card.
            if let Some(card) = card.get_untracked() {
                // Fails only for a card that is not on the page.
                let _ = card.focus();
            }
        }
    });
    view! {
        <Popover testid="add-value" label=said("Add a value to the chart") words=|| said("Add a value…")>
            <div class="add-value" node_ref=card tabindex="-1">
                <h3>{said("Of this thing")}</h3>
                <Values desk rows=own(&thing) add />
                <Others desk add />
                {move || refused.get().map(|why| view! { <p class="fault" role="alert" data-testid="add-refused">{why}</p> })}
            </div>
        </Popover>
    }
}

/// Why a value cannot be added.
fn why_not(desk: Desk, row: &ValueRow) -> Option<String> {
    let added = desk.added.get_untracked();
    if desk.series.with_untracked(Vec::len) >= VALUES_MOST {
        return Some(tr!("A chart shows {} values at most; take one off first.", VALUES_MOST));
    }
    let charted = desk.charted.get_untracked()?;
    let first = desk.store.charts.held.with_untracked(|held| {
        held.get(&Traced { series: charted, is_before: false }).map(|chart| (chart.unit.clone(), chart.is_flag))
    })?;
    let new = Added::of(row);
    let measured: Vec<(&str, bool)> = std::iter::once((first.0.as_str(), first.1))
        .chain(added.iter().filter(|one| one.series != charted).map(|one| (one.unit.as_str(), one.is_flag)))
        .chain([(new.unit.as_str(), new.is_flag)])
        .collect();
    sides(&measured).contains(&None).then(|| {
        let mut units: Vec<String> = measured.iter().map(|one| unit(*one)).collect();
        let third = units.pop().unwrap_or_default();
        units.dedup();
        units.sort();
        units.dedup();
        match units.as_slice() {
            [one, other] => tr!(
                "A chart has two axes, and they are in {one} and {other}; {label} is in {third}.",
                one,
                other,
                label = format::known(&row.label),
                third
            ),
            units => tr!(
                "A chart has two axes, and they are in {units}; {label} is in {third}.",
                units = units.join(", "),
                label = format::known(&row.label),
                third
            ),
        }
    })
}

fn unit((unit, is_flag): (&str, bool)) -> String {
    match (unit, is_flag) {
        (_, true) => said("on and off").to_owned(),
        ("", false) => said("bare numbers").to_owned(),
        (unit, false) => unit.to_owned(),
    }
}

/// The values of this thing that can be drawn.
fn own(thing: &Thing) -> Signal<Vec<ValueRow>> {
    let values = thing.values.clone();
    Signal::derive(move || {
        values.get().iter().map(|cell| cell.row.with(|row| row.row.clone())).filter(can_be_drawn).collect()
    })
}

fn can_be_drawn(row: &ValueRow) -> bool {
    row.value.as_number().is_some()
}

#[component]
fn Values(desk: Desk, #[prop(into)] rows: Signal<Vec<ValueRow>>, add: Callback<ValueRow>) -> impl IntoView {
    // Only what a button says: a new number makes no new button under the pointer.
    let listed = Memo::new(move |_| {
        let there = desk.series.get();
        let rows = rows.get();
        rows.into_iter()
            .filter(|row| !there.contains(&row.series))
            .map(|row| (row.series, format::known(&row.label).to_owned(), row.unit.clone()))
            .collect::<Vec<_>>()
    });
    let choose = move |series| {
        let row = rows.with_untracked(|rows| rows.iter().find(|row| row.series == series).cloned());
        if let Some(row) = row {
            add.run(row);
        }
    };
    view! {
        <ul class="values-to-add">
            <For each=move || listed.get() key=|(series, ..)| *series let:one>
                <li>
                    <button type="button" class="line" data-testid="add-this" on:click=move |_| choose(one.0)>
                        {one.1} <small>{one.2}</small>
                    </button>
                </li>
            </For>
        </ul>
        <Show when=move || listed.with(Vec::is_empty)>
            <p class="none">{said("All its values are on the chart.")}</p>
        </Show>
    }
}

#[component]
fn Others(desk: Desk, add: Callback<ValueRow>) -> impl IntoView {
    let store = desk.store;
    let text = RwSignal::new(String::new());
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let typed = move |event| {
        text.set(event_target_value(&event));
        store.other.set(None);
        if let Some(handle) = resting.get_value() {
            handle.clear();
        }
        let look = move || store.find_other(&text.try_get_untracked().unwrap_or_default());
        resting.set_value(set_timeout_with_handle(look, REST).ok());
    };
    on_cleanup(move || {
        if let Some(handle) = resting.try_get_value().flatten() {
            handle.clear();
        }
        store.look_away_from_others();
    });
    let found = move || {
        let mut rows = store.others.get().unwrap_or_default();
        rows.truncate(LISTED);
        rows
    };
    let is_choosing = move || store.other.with(Option::is_none);
    let words = vocabulary(store);
    let mistake = Memo::new(move |_| text.with(|text| words.with(|words| mistake_of(text, words.groups()))));
    let is_empty = move || is_choosing() && store.others.with(|rows| rows.as_ref().is_some_and(Vec::is_empty));
    let nothing = move || is_empty() && mistake.with(Option::is_none);
    let is_wrong = Memo::new(move |_| is_empty() && mistake.with(Option::is_some));
    let title = move || store.other.with(|other| other.as_ref().map(|(title, _)| title.clone()).unwrap_or_default());
    let rows = Signal::derive(move || {
        let rows = store.other.with(|other| other.as_ref().map(|(_, rows)| rows.clone())).unwrap_or_default();
        rows.into_iter().filter(can_be_drawn).collect::<Vec<_>>()
    });
    view! {
        <label>
            <h3>{said("Of another thing")}</h3>
            <input
                type="search"
                data-testid="find-other"
                placeholder=said("Name, street or district")
                autocomplete="off"
                spellcheck="false"
                prop:value=move || text.get()
                on:input=typed
            />
        </label>
        <Show
            when=is_choosing
            fallback=move || view! {
                <p class="of">{title}</p>
                <Values desk rows add />
            }
        >
            <ul class="values-to-add">
                <For each=found key=|row| (row.thing, row.status) let:row>
                    <Other row store=desk.store />
                </For>
            </ul>
        </Show>
        <Show when=nothing>
            <p class="none">{said("Nothing has such a name.")}</p>
        </Show>
        <Show when=move || is_wrong.get()>
            <p class="query-wrong" role="status" data-testid="other-wrong">
                {move || mistake.get().map(|mistake| view! { <Wrong text=text.get() mistake /> })}
            </p>
        </Show>
    }
}

#[component]
fn Other(row: FoundRow, store: crate::state::Store) -> impl IntoView {
    let thing = row.thing;
    view! {
        <li>
            <button type="button" class="line" data-testid="other" on:click=move |_| store.look_at_other(thing)>
                <Shape kind=Signal::stored(row.kind) status=Signal::stored(row.status) />
                {row.title}
                <small>{row.place}</small>
            </button>
        </li>
    }
}
