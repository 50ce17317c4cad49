//! One value: its name, its number with unit, what it is and how old.

use fleetlens_ipc::rows::ValueRow;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::{Quality, Timed};
use leptos::prelude::*;
use tr::tr;

use crate::clock::{clock, local};
use crate::format;
use crate::lang::said;
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
        let whole = whole.get().map(|whole| format::count(u64::from(whole)));
        row.with(|row| {
            let unit = format::known(&row.row.unit);
            whole.map_or_else(|| unit.to_owned(), |whole| tr!("of {whole} {unit}", whole, unit))
        })
    });
    let size = Memo::new(move |_| {
        let chars = |text: &String| text.chars().count();
        size_of(number.with(chars), unit.with(chars), whole.get().is_some())
    });
    let is_charted = move || charted.get() == Some(series);
    let (pointer, label, has_number) = row.with_untracked(|row| {
        (row.row.pointer.clone(), format::known(&row.row.label).to_owned(), row.row.value.as_number().is_some())
    });
    let tone = move || age.with(|(_, tone)| tone.word());
    let inside = view! {
        <span class="label">{label}</span>
        <strong class="number" data-size=move || size.get().word()>
            <span>{number}</span>
            <small>{unit}</small>
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

/// How large a number is written. One is never cut: a long one is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// As large as any.
    Full,
    /// As large, with a smaller unit, so that it stands beside others of its size.
    SmallUnit,
    /// Smaller.
    Long,
    /// As text, on several lines.
    Longest,
}

impl Size {
    /// The word for the style sheets.
    fn word(self) -> &'static str {
        match self {
            Size::Full => "",
            Size::SmallUnit => "small-unit",
            Size::Long => "long",
            Size::Longest => "longest",
        }
    }
}

/// The size at which so many characters and so many of the unit stand on one line of a card; a wide one has room for twice as many.
fn size_of(number: usize, unit: usize, wide: bool) -> Size {
    let room = if wide { 2 } else { 1 };
    match (number, unit) {
        _ if number <= 5 * room && number + unit <= 7 * room => Size::Full,
        _ if number <= 5 * room => Size::SmallUnit,
        _ if number <= 9 * room && number + unit <= 11 * room => Size::Long,
        _ => Size::Longest,
    }
}

/// The whole of which a value is a part, where it is known and not less than the part, which broken counters claim.
fn whole_of(row: &ValueRow, of: Option<u32>) -> Option<u32> {
    let part = row.value.as_number().filter(|_| row.pointer == "/free")?;
    of.filter(|whole| part <= f64::from(*whole))
}

/// The exact times, and what is doubtful about the value.
fn title_of(row: &ValueRow) -> String {
    let device = local(row.device_ms).exact();
    let clock = match row.timed {
        Timed::ByDevice => tr!("measured {}", device),
        Timed::ByUs => tr!("no time of its own; taken as {}", device),
    };
    let received = tr!("received {}", local(row.received_ms).exact());
    let doubt = match row.quality {
        Quality::Good => return [clock, received].join("\n"),
        Quality::Stale => said("the device itself calls it old"),
        Quality::Estimated => said("its own time was not believed"),
        Quality::Synthetic => said("made up by the demo city"),
    };
    [clock.as_str(), &received, doubt].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beside_each_other_have_one_size_whatever_their_units() {
        for (number, unit, wide, want) in [
            ("71.0", "°C", false, Size::Full),
            ("12.4", "µg/m³", false, Size::SmallUnit),
            ("230.4", "V", false, Size::Full),
            ("1 234.5", "kWh", false, Size::Long),
            ("Available", "", false, Size::Long),
            ("Waiting for the cable", "", false, Size::Longest),
            ("117", "of 120 spaces", true, Size::SmallUnit),
            ("17", "of 60 spaces", true, Size::Full),
        ] {
            assert_eq!(size_of(number.chars().count(), unit.chars().count(), wide), want, "{number} {unit}");
        }
    }
}
