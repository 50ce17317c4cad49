//! Things and alarms, a row each.

use fleetlens_ipc::boards::Shown;
use fleetlens_ipc::map::Status;
use fleetlens_ipc::rows::{AlarmRow, ThingRow, ValueRow};
use fleetlens_model::board::Column;
use fleetlens_model::freshness::Freshness;
use leptos::prelude::*;
use tr::tr;

use super::widget::{Now, Waits, Wrong};
use super::words::heading;
use crate::clock::{clock, local, today};
use crate::components::shape::{PriorityShape, Shape, words as mark_words};
use crate::format::{self, Tone};
use crate::lang::said;
use crate::state::store;
use crate::views::alarms::words::sentence;
use crate::views::parking::is_driver;

#[component]
pub(super) fn TableOf(columns: Vec<Column>, now: Now) -> impl IntoView {
    let columns = StoredValue::new(columns);
    let told = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Table { total, rows }) => Some(Ok((*total, rows.len()))),
            Some(Shown::Wrong(why)) => Some(Err(why.clone())),
            Some(_) | None => None,
        })
    });
    let is_list = Memo::new(move |_| match told.get() {
        Some(Ok((total, _))) => Some(Ok(total > 0)),
        Some(Err(why)) => Some(Err(why)),
        None => None,
    });
    let counts = Memo::new(move |_| match told.get() {
        Some(Ok(counts)) => counts,
        Some(Err(_)) | None => (0, 0),
    });
    let words = move || {
        let (total, shown) = counts.get();
        total_words(total, shown)
    };
    let shown = move || 0..counts.get().1;
    // How many there are changes; the table stays, with the focus that is in it.
    move || match is_list.get() {
        None => view! { <Waits /> }.into_any(),
        Some(Err(why)) => view! { <Wrong why /> }.into_any(),
        Some(Ok(false)) => {
            view! { <p class="board-none" data-testid="board-total">{said("Nothing is found.")}</p> }.into_any()
        }
        Some(Ok(true)) => view! {
            <div class="board-scroll" tabindex="0" role="group" aria-label=said("Rows")>
                <table class="board-table">
                    <thead>
                        <tr>
                            <th scope="col">{said("Thing")}</th>
                            {columns.with_value(|columns| { columns.iter().map(head).collect_view() })}
                        </tr>
                    </thead>
                    <tbody>
                        <For each=shown key=|nth| *nth let:nth>
                            <Line nth columns now />
                        </For>
                    </tbody>
                </table>
            </div>
            <p class="board-basis" data-testid="board-total">{words}</p>
        }
        .into_any(),
    }
}

fn head(column: &Column) -> impl IntoView + use<> {
    let is_number = matches!(column, Column::Main | Column::Heard | Column::Value(_));
    view! { <th scope="col" class:number=is_number>{heading(column)}</th> }
}

fn total_words(total: u32, shown: usize) -> String {
    match total != 1 && shown < total as usize {
        true => tr!("The first {shown} of {all} things", shown, all = format::count(u64::from(total))),
        false => format::things(total.into()),
    }
}

/// A row. What it shows changes; it stays.
#[component]
fn Line(nth: usize, columns: StoredValue<Vec<Column>>, now: Now) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let driver = is_driver(store);
    let row = Memo::new(move |_| {
        now.with(|now| {
            let now = now.as_ref()?;
            let Shown::Table { rows, .. } = &now.row else { return None };
            rows.get(nth).map(|(row, values)| (row.clone(), values.clone(), now.at_ms))
        })
    });
    let thing = Memo::new(move |_| row.with(|row| row.as_ref().map(|(row, ..)| row.thing)));
    let title = Memo::new(move |_| row.with(|row| row.as_ref().map(|(row, ..)| row.title.clone())).unwrap_or_default());
    let mark =
        Memo::new(move |_| row.with(|row| row.as_ref().map(|(row, ..)| (row.kind, row.status))).unwrap_or_default());
    let cells = move || {
        let link_up = store.link_up.get();
        row.with(|row| {
            let Some((row, values, at_ms)) = row else { return Vec::new() };
            let elapsed_ms = (clock.now_ms() - at_ms).max(0.0) as u64;
            let mut values = values.iter();
            columns.with_value(|columns| {
                columns.iter().map(|column| cell(column, row, &mut values, elapsed_ms, link_up)).collect::<Vec<_>>()
            })
        })
    };
    view! {
        <tr data-testid="board-row">
            <th scope="row">
                <Shape
                    kind=Signal::derive(move || mark.get().0)
                    status=Signal::derive(move || mark.get().1)
                />
                // A driver's window has no pages of things.
                <Show when=move || !driver.get() fallback=move || view! { <span>{title}</span> }>
                    <button
                        type="button"
                        class="link"
                        on:click=move |_| {
                            if let Some(thing) = thing.get_untracked() {
                                store.open(thing);
                            }
                        }
                    >
                        {title}
                    </button>
                </Show>
            </th>
            {move || {
                cells()
                    .into_iter()
                    .map(|Cell { words, unit, tone, is_number }| {
                        view! {
                            <td class:number=is_number data-tone=tone.word()>{words}{unit.map(|unit| view! { <small>{unit}</small> })}</td>
                        }
                    })
                    .collect_view()
            }}
        </tr>
    }
}

struct Cell {
    words: String,
    unit: Option<String>,
    tone: Tone,
    is_number: bool,
}

impl Cell {
    fn words(words: String) -> Cell {
        Cell { words, unit: None, tone: Tone::Live, is_number: false }
    }
}

fn cell<'a>(
    column: &Column,
    row: &ThingRow,
    values: &mut impl Iterator<Item = &'a Option<ValueRow>>,
    elapsed_ms: u64,
    link_up: bool,
) -> Cell {
    let value = |value: Option<&ValueRow>| match value {
        None => Cell { tone: Tone::Quiet, is_number: true, ..Cell::words("–".into()) },
        Some(value) => {
            let (_, tone) = format::age_line(value, value.age_ms + elapsed_ms, link_up);
            let unit = Some(format::known(&value.unit).to_owned()).filter(|unit| !unit.is_empty());
            Cell { words: format::value(&value.value, value.decimals), unit, tone, is_number: true }
        }
    };
    match column {
        Column::Kind => Cell::words(said(row.kind.singular()).to_owned()),
        Column::Place => Cell::words(row.place.clone()),
        Column::Status => {
            let words = mark_words(row.kind, Status::from_code(row.status));
            Cell::words(words.split_once(", ").map_or(words.clone(), |(_, state)| format::capital(state)))
        }
        Column::Main => value(row.value.as_ref()),
        Column::Heard => {
            let tone = if matches!(row.freshness, Freshness::Live) { Tone::Live } else { Tone::Old };
            let words =
                row.heard_age_ms.map_or_else(|| said("never").to_owned(), |age_ms| format::age(age_ms + elapsed_ms));
            Cell { words, unit: None, tone, is_number: true }
        }
        Column::Alarm => Cell::words(row.alarm.clone()),
        Column::Value(_) => value(values.next().and_then(Option::as_ref)),
    }
}

#[component]
pub(super) fn AlarmsOf(now: Now) -> impl IntoView {
    let told = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Alarms { total, rows }) => Some(Ok((*total, rows.len()))),
            Some(Shown::Wrong(why)) => Some(Err(why.clone())),
            Some(_) | None => None,
        })
    });
    let rows = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Alarms { rows, .. }) => rows.clone(),
            Some(_) | None => Vec::new(),
        })
    });
    let is_list = Memo::new(move |_| match told.get() {
        Some(Ok((total, _))) => Some(Ok(total > 0)),
        Some(Err(why)) => Some(Err(why)),
        None => None,
    });
    let words = move || match told.get() {
        Some(Ok((total, shown))) => {
            let all = format::count(u64::from(total));
            match total != 1 && shown < total as usize {
                true => tr!("The first {shown} of {all} alarms", shown, all),
                false => tr!("1 alarm" | "{count} alarms" % total, count = all),
            }
        }
        Some(Err(_)) | None => String::new(),
    };
    move || match is_list.get() {
        None => view! { <Waits /> }.into_any(),
        Some(Err(why)) => view! { <Wrong why /> }.into_any(),
        Some(Ok(false)) => {
            view! { <p class="board-none" data-testid="board-total">{said("Nothing here needs anybody.")}</p> }
                .into_any()
        }
        Some(Ok(true)) => view! {
            <ul class="board-alarms board-scroll">
                <For each=move || rows.get() key=|row| row.id let:row>
                    <Alarm row rows />
                </For>
            </ul>
            <p class="board-basis" data-testid="board-total">{words}</p>
        }
        .into_any(),
    }
}

/// An alarm. What it says changes; it stays, with the focus that is on it.
#[component]
fn Alarm(row: AlarmRow, rows: Memo<Vec<AlarmRow>>) -> impl IntoView {
    let store = store();
    let (id, thing) = (row.id, row.thing);
    let row = Memo::new(move |before: Option<&AlarmRow>| {
        let now = rows.with(|rows| rows.iter().find(|row| row.id == id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| row.clone())
    });
    let since = move || row.with(|row| local(row.raised_ms));
    view! {
        <li>
            <button type="button" data-testid="board-alarm" on:click=move |_| store.open(thing)>
                <PriorityShape priority=Signal::derive(move || row.with(|row| row.priority)) />
                <span class="what">
                    <b>{move || row.with(|row| row.title.clone())}</b>
                    <span>{move || row.with(|row| sentence(row, |at| local(at).short(&today())))}</span>
                </span>
                <time title=move || since().exact()>{move || since().short(&today())}</time>
            </button>
        </li>
    }
}
