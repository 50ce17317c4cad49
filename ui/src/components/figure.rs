//! One value: its name, its number with unit, what it is and how old.

use fleetlens_ipc::rows::ValueRow;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::{Quality, Timed};
use leptos::prelude::*;

use crate::clock::{clock, local};
use crate::format;
use crate::state::store;
use crate::state::thing::Cell;

/// A value's card. Where the value has a number, the card is a button that charts it.
#[component]
pub fn Figure(
    /// The value.
    cell: Cell<SeriesKey, ValueRow>,
    /// Of how many, e.g. the spaces of a car park.
    #[prop(into)]
    of: Signal<Option<u32>>,
    /// Which series is charted.
    charted: RwSignal<Option<SeriesKey>>,
) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let series = cell.key;
    let row = RwSignal::from(cell.row);
    let number = Memo::new(move |_| row.with(|row| format::value(&row.row.value, row.row.decimals)));
    let age = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        row.with(|row| format::age_line(&row.row, row.row.age_ms + row.elapsed_ms(now_ms), store.link_up.get()))
    });
    let whole = Memo::new(move |_| row.with(|row| whole_of(&row.row, of.get())));
    let unit = Memo::new(move |_| {
        let of = whole.get().map(|whole| format!("of {} ", format::count(u64::from(whole)))).unwrap_or_default();
        row.with(|row| format!("{of}{}", row.row.unit))
    });
    // A number is never cut: a long one is smaller.
    let size = Memo::new(move |_| match number.with(|n| n.chars().count()) + unit.with(|unit| unit.chars().count()) {
        0..7 => "",
        7..12 if whole.get().is_none() => "long",
        8..20 if whole.get().is_some() => "",
        _ => "longest",
    });
    let is_charted = move || charted.get() == Some(series);
    let (pointer, label, has_number) =
        row.with_untracked(|row| (row.row.pointer.clone(), row.row.label.clone(), row.row.value.as_number().is_some()));
    let tone = move || age.with(|(_, tone)| tone.word());
    let inside = view! {
        <span class="label">{label}</span>
        <strong class="number" data-size=move || size.get()>
            {number} <small>{unit}</small>
        </strong>
        <span class="age" data-testid="age">{move || age.with(|(line, _)| line.clone())}</span>
    };
    let title = move || row.with(|row| title_of(&row.row));
    if has_number {
        view! {
            <button
                type="button"
                class="figure"
                class:wide=move || whole.get().is_some()
                class:charted=is_charted
                data-testid="value"
                data-pointer=pointer
                data-tone=tone
                title=title
                aria-pressed=move || is_charted().to_string()
                on:click=move |_| charted.set(Some(series))
            >
                {inside}
            </button>
        }
        .into_any()
    } else {
        view! {
            <div class="figure" data-testid="value" data-pointer=pointer data-tone=tone title=title>
                {inside}
            </div>
        }
        .into_any()
    }
}

/// The whole of which a value is a part, where it is known and not less than the part, which broken counters claim.
fn whole_of(row: &ValueRow, of: Option<u32>) -> Option<u32> {
    let part = row.value.as_number().filter(|_| row.pointer == "/free")?;
    of.filter(|whole| part <= f64::from(*whole))
}

/// The exact times, and what is doubtful about the value.
fn title_of(row: &ValueRow) -> String {
    let clock = match row.timed {
        Timed::ByDevice => "measured",
        Timed::ByUs => "no time of its own; taken as",
    };
    let doubt = match row.quality {
        Quality::Good => "",
        Quality::Stale => "\nthe device itself calls it old",
        Quality::Estimated => "\nits own time was not believed",
        Quality::Synthetic => "\nmade up by the demo city",
    };
    let (device, received) = (local(row.device_ms).exact(), local(row.received_ms).exact());
    format!("{clock} {device}\nreceived {received}{doubt}")
}
