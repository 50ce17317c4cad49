//! The choice of the small charts, and the cell that shows one.

use std::time::Duration;

use leptos::prelude::*;
use tr::tr;

use crate::clock::Aged;
use crate::components::trace::{self, HEIGHT, Paths, WIDTH};
use crate::format;
use crate::format::within;
use crate::lang::said;
use crate::state::small::Back;
use crate::state::store;
use crate::state::things::RowSlot;

/// Where the choice is kept, for all profiles.
const KEY: &str = "fleetlens.small";

/// How often it is looked whether the table rests and shows rows without their charts.
const LOOK: Duration = Duration::from_millis(250);

/// How far back the small charts go, or that there are none.
#[component]
pub fn BackChoice() -> impl IntoView {
    let store = store();
    let small = store.small;
    let storage = || window().local_storage().ok().flatten();
    if let Some(word) = storage().and_then(|storage| storage.get_item(KEY).ok().flatten()) {
        small.choose(Back::of_word(&word).unwrap_or_default());
    }
    let look = move || {
        if small.back.get_untracked() != Back::Off && has_room() {
            store.ask_for_small();
        }
    };
    let looking = set_interval_with_handle(look, LOOK).ok();
    on_cleanup(move || {
        if let Some(looking) = looking {
            looking.clear();
        }
    });
    let choose = move |event| {
        let back = Back::of_word(&event_target_value(&event)).unwrap_or_default();
        small.choose(back);
        if let Some(storage) = storage() {
            // A full or forbidden storage only costs the choice at the next start.
            let _ = storage.set_item(KEY, back.word());
        }
    };
    view! {
        <select class="of-group" data-testid="things-back" aria-label=said("Small charts") on:change=choose>
            {Back::ALL
                .map(|(back, word, label)| {
                    view! { <option value=word selected=move || small.back.get() == back>{said(label)}</option> }
                })
                .collect_view()}
        </select>
    }
}

/// Whether the column stands in the table: a narrow one has none (`table.css`).
fn has_room() -> bool {
    let head = document().query_selector(".th.trace").ok().flatten();
    head.is_some_and(|head| head.client_width() > 0)
}

/// What a cell shows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shown {
    paths: Paths,
    /// Between which numbers.
    range: String,
    /// All of it, as a sentence.
    words: String,
}

/// The small chart of a row's main value: nothing for words and switches, and while it has not come.
#[component]
pub fn BackCell(
    /// The row.
    row: RwSignal<RowSlot>,
) -> impl IntoView {
    let slot = row;
    let small = store().small;
    let value = Memo::new(move |_| {
        slot.with(|slot| {
            let value = slot.row.as_ref().and_then(|Aged { row, .. }| row.value.as_ref())?;
            value.value.as_number().filter(|_| format::is_number(&value.value))?;
            Some((value.series, value.unit.clone(), value.decimals))
        })
    });
    let shown = Memo::new(move |_| {
        let Some((series, unit, decimals)) = value.get() else { return Shown::default() };
        let Some(kept) = small.of(series) else { return Shown::default() };
        let back = within(small.back.get().label());
        let Some(points) = kept.small.map(|small| small.points) else {
            let words = tr!("The {back} could not be read", back);
            return Shown { words, range: said("not read").into(), ..Shown::default() };
        };
        let points = points.as_slice();
        let range = trace::range_words(points, decimals, &unit);
        let words = match range.is_empty() {
            true => tr!("Nothing was said in the {back}", back),
            false => tr!("{range} in the {back}", range, back),
        };
        Shown { paths: trace::paths(points, kept.count, &unit), range, words }
    });
    // The newest belongs to the value beside it, which is told as it changes.
    let newest = move || {
        slot.with(|slot| {
            let value = slot.row.as_ref().and_then(|row| row.row.value.as_ref());
            value.map(|value| {
                let at = crate::clock::local(value.device_ms).exact();
                (format::value(&value.value, value.decimals), value.unit.clone(), at)
            })
        })
    };
    // For who goes through the rows by keyboard and hovers over nothing.
    let newest_short = move || {
        slot.with(|slot| {
            let value = slot.row.as_ref().and_then(|row| row.row.value.as_ref());
            value.map(|value| {
                let at = crate::clock::local(value.device_ms).short(&crate::clock::today());
                tr!("{value} at {at}", value = format::value(&value.value, value.decimals), at = at)
            })
        })
    };
    let has = move || shown.with(|shown| !shown.words.is_empty());
    let words = move || {
        let words = shown.with(|shown| shown.words.clone());
        match newest() {
            Some((value, unit, at)) => tr!("{words}; newest {value} {unit} at {at}", words, value, unit, at),
            None => words,
        }
    };
    view! {
        <div class="td trace" role="gridcell" title=move || has().then(words)>
            <Show when=has>
                <svg
                    class="trace-picture"
                    data-testid="trace"
                    role="img"
                    aria-label=words
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                >
                    <path class="trace-band" d=move || shown.with(|shown| shown.paths.band.clone()) />
                    <path class="trace-line" d=move || shown.with(|shown| shown.paths.line.clone()) />
                </svg>
                <span class="trace-range" aria-hidden="true">
                    <span>{move || shown.with(|shown| shown.range.clone())}</span>
                    <span>{newest_short}</span>
                </span>
            </Show>
        </div>
    }
}
