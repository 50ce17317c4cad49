//! A row of the table of things. Its element stays while the table scrolls; what it shows changes.

use fleetlens_ipc::map::Status;
use fleetlens_ipc::rows::ThingRow;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;
use web_sys::HtmlInputElement;

use crate::clock::{Aged, clock, local};
use crate::components::shape::Shape;
use crate::components::table::{Grid, row_id, top_px};
use crate::format::{self, Tone};
use crate::lang::said;
use crate::state::small::Back;
use crate::state::store;
use crate::state::things::RowSlot;
use crate::views::things::back::BackCell;

/// How many rows stand for those that are coming.
const BONES: u32 = 24;

/// One row.
#[component]
pub fn Row(
    /// What it shows.
    shown: ArcRwSignal<RowSlot>,
    /// The table it is in.
    grid: Grid,
    /// Told of the place that was clicked.
    on_choose: Callback<u32>,
    /// Told of the place that is chosen or not any more, and whether with Shift; `None` where that is not offered.
    on_mark: Signal<Option<Callback<(u32, bool)>>>,
) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let slot = RwSignal::from(shown);
    let place = Memo::new(move |_| slot.with(|slot| slot.place));
    let thing = Memo::new(move |_| slot.with(|slot| slot.row.as_ref().map(|row| row.row.thing)));
    let kind = Memo::new(move |_| read(slot, |row| row.kind));
    let status = Memo::new(move |_| read(slot, |row| row.status));
    let text = move |words: fn(&ThingRow) -> String| move || read(slot, words);
    let value = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        slot.with(|slot| slot.row.as_ref().map(|row| value_words(row, now_ms, store.link_up.get())).unwrap_or_default())
    });
    let heard = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        slot.with(|slot| slot.row.as_ref().map(|row| heard_words(row, now_ms)).unwrap_or_default())
    });
    let is_open = move || thing.get().is_some() && thing.get() == store.selected.get();
    let is_at = move || place.get().is_some() && place.get() == grid.at.get();
    let is_marked = move || thing.get().is_some_and(|thing| store.chosen.has(thing));
    let mark = move |event: leptos::ev::MouseEvent| {
        if let Some((place, on_mark)) = place.get_untracked().zip(on_mark.get_untracked()) {
            on_mark.run((place, event.shift_key()));
        }
        // The box has turned by itself, whatever came of it.
        event_target::<HtmlInputElement>(&event).set_checked(untrack(is_marked));
    };
    // Neither where it is over, or nobody knows: only nobody has acknowledged it yet.
    let is_so = move |so: Status| Status::from_code(status.get()) == so;
    view! {
        <div
            class="tr"
            role="row"
            class:bone-row=move || thing.get().is_none()
            class:at=is_at
            class:open=is_open
            id=move || place.get().map(row_id)
            aria-rowindex=move || place.get().map(|place| (place + 2).to_string())
            aria-selected=move || is_open().to_string()
            data-testid="things-row"
            data-thing=move || thing.get().map(|thing| thing.0.to_string())
            style:display=move || if place.get().is_some() { "" } else { "none" }
            style:transform=move || format!("translateY({}px)", top_px(place.get().unwrap_or(0)))
            on:click=move |_| {
                if let Some(place) = place.get_untracked() {
                    on_choose.run(place);
                }
            }
        >
            <div class="td mark" role="gridcell" on:click=|event| event.stop_propagation()>
                <Show when=move || on_mark.get().is_some() && thing.get().is_some()>
                    <input
                        type="checkbox"
                        // The keys go through the table itself: Space chooses the row they are on.
                        tabindex="-1"
                        data-testid="mark"
                        aria-label=move || tr!("Choose {}", text(|row| row.title.clone())())
                        prop:checked=is_marked
                        on:click=mark
                    />
                </Show>
            </div>
            <div class="td state" role="gridcell">
                <Shape kind status />
            </div>
            <div class="td title" role="gridcell" title=text(|row| row.name.clone())>
                <b>{text(|row| row.title.clone())}</b>
                <span>{text(other_name)}</span>
            </div>
            <div class="td kind" role="gridcell">{text(|row| said(row.kind.singular()).to_owned())}</div>
            <div class="td place" role="gridcell" title=text(|row| row.place.clone())>{text(|row| row.place.clone())}</div>
            <div
                class="td value"
                role="gridcell"
                data-tone=move || value.with(|value| value.tone.word())
                title=move || value.with(|value| value.title.clone())
            >
                <b>{move || value.with(|value| value.number.clone())}</b>
                <small>{move || value.with(|value| format::known(&value.unit).to_owned())}</small>
                <span>{move || value.with(|value| value.age.clone())}</span>
            </div>
            <Show when=move || store.small.back.get() != Back::Off>
                <BackCell row=slot />
            </Show>
            <div
                class="td heard"
                role="gridcell"
                class:old=move || heard.with(|(_, old)| *old)
                title=text(|row| freshness_title(row.freshness))
            >
                {move || heard.with(|(words, _)| words.clone())}
            </div>
            <div
                class="td wrong"
                class:crit=move || is_so(Status::Critical)
                class:warn=move || is_so(Status::Warning)
                role="gridcell"
                title=text(|row| row.alarm.clone())
            >
                {text(|row| row.alarm.clone())}
            </div>
            <div class="td pending" role="gridcell">{text(pending_words)}</div>
        </div>
    }
}

/// Something of a row that is here; its default while it is on its way.
fn read<T: Default>(slot: RwSignal<RowSlot>, read: fn(&ThingRow) -> T) -> T {
    slot.with(|slot| slot.row.as_ref().map(|row| read(&row.row)).unwrap_or_default())
}

/// The name, where people call it otherwise.
fn other_name(row: &ThingRow) -> String {
    if row.name == row.title { String::new() } else { row.name.clone() }
}

fn pending_words(row: &ThingRow) -> String {
    match row.pending {
        0 => String::new(),
        n => tr!("{} pending", format::count(u64::from(n))),
    }
}

fn freshness_title(freshness: Freshness) -> String {
    match freshness {
        Freshness::Never => said("No value yet").into(),
        Freshness::Live => said("Speaks").into(),
        Freshness::Silent { since_ms } => tr!("Silent since {}", local(since_ms).exact()),
        Freshness::Unknown { since_ms } => tr!("Unknown since {}, when our link fell", local(since_ms).exact()),
    }
}

/// A value in a cell: its number, its unit, and how old it is.
#[derive(Clone, Debug, PartialEq)]
struct ValueWords {
    number: String,
    unit: String,
    /// Only the age while the value is live; what it is as well when it is not.
    age: String,
    title: String,
    tone: Tone,
}

impl Default for ValueWords {
    fn default() -> ValueWords {
        ValueWords {
            number: String::new(),
            unit: String::new(),
            age: String::new(),
            title: String::new(),
            tone: Tone::Quiet,
        }
    }
}

fn value_words(row: &Aged<ThingRow>, now_ms: f64, link_up: bool) -> ValueWords {
    let Some(value) = &row.row.value else { return ValueWords::default() };
    let age_ms = value.age_ms + row.elapsed_ms(now_ms);
    let (line, tone) = format::age_line(value, age_ms, link_up);
    let age = match tone {
        Tone::Live => format::age(age_ms),
        Tone::Quiet | Tone::Old => line.clone(),
    };
    let label =
        if value.label.is_empty() { format::pointer(&value.pointer) } else { format::known(&value.label).to_owned() };
    ValueWords {
        number: format::value(&value.value, value.decimals),
        unit: format::known(&value.unit).to_owned(),
        age,
        title: format!("{label}: {line}"),
        tone,
    }
}

/// How long ago it spoke, and whether that is too long.
fn heard_words(row: &Aged<ThingRow>, now_ms: f64) -> (String, bool) {
    let words = match row.row.heard_age_ms {
        Some(age_ms) => format::age(age_ms + row.elapsed_ms(now_ms)),
        None => said("never").into(),
    };
    (words, !matches!(row.row.freshness, Freshness::Live))
}

/// What stands in the table before the first answer.
#[component]
pub fn Bones() -> impl IntoView {
    let small = store().small;
    (0..BONES)
        .map(|place| {
            view! {
                <div class="tr bone-row" aria-hidden="true" style:transform=format!("translateY({}px)", top_px(place))>
                    <div class="td mark" />
                    <div class="td state">
                        <Shape kind=Kind::Other status=0u8 />
                    </div>
                    <div class="td title" />
                    <div class="td kind" />
                    <div class="td place" />
                    <div class="td value" />
                    <Show when=move || small.back.get() != Back::Off>
                        <div class="td trace" />
                    </Show>
                    <div class="td heard" />
                    <div class="td wrong" />
                    <div class="td pending" />
                </div>
            }
        })
        .collect_view()
}
