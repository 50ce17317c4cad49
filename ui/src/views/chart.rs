//! The chart of the open thing: which values, which time, the picture, and what the pointer is over.

mod add;
mod canvas;
mod legend;
mod save;

use fleetlens_chart::Stretch;
use fleetlens_chart::stretch::Stand;
use fleetlens_ipc::rows::{Chart, Status, ValueRow};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use leptos::html;
use leptos::prelude::*;

use crate::clock::{clock, local, today};
use crate::components::icon::Icon;
use crate::components::segmented::Segmented;
use crate::format;
use crate::islands::chart::Frame;
use crate::lang::{said, term};
use crate::state::chart::{Traced, reads};
use crate::state::thing::Thing;
use crate::state::{Store, store};
use crate::views::chart::add::AddValue;
use crate::views::chart::canvas::Canvas;
use crate::views::chart::legend::Legend;
pub use crate::views::chart::legend::swatch;
use crate::views::chart::save::Save;

/// How far back a chart can go at one press, in milliseconds.
const SPANS: [(i64, &str); 7] = [
    (900_000, term("15 m")),
    (3_600_000, term("1 h")),
    (21_600_000, term("6 h")),
    (86_400_000, term("24 h")),
    (604_800_000, term("7 d")),
    (2_592_000_000, term("30 d")),
    (31_536_000_000, term("1 y")),
];

/// What a chart starts with: an hour, or a quarter of one while the cache does not reach back half an hour.
fn first_span_ms(status: Option<&Status>) -> i64 {
    let reach_ms = status.and_then(|status| Some(status.wall_ms.since(status.oldest_sample_ms?)));
    if reach_ms.is_some_and(|reach_ms| reach_ms >= 1_800_000) { 3_600_000 } else { 900_000 }
}

/// About one bucket for this many CSS pixels.
const PX_PER_BUCKET: f64 = 1.5;

/// The first value of a thing that has a number.
pub fn first_series(thing: &Thing) -> Option<SeriesKey> {
    let rows = thing.values.get();
    let has = |of: fn(&Value) -> bool| {
        rows.iter().find(|cell| cell.row.with_untracked(|row| of(&row.row.value))).map(|cell| cell.key)
    };
    // Yes and no make a chart too, but a poor one.
    has(|value| matches!(value, Value::Number(_))).or_else(|| has(|value| value.as_number().is_some()))
}

/// A value that was added to the chart, as it was known then.
#[derive(Clone, Debug, PartialEq)]
struct Added {
    series: SeriesKey,
    unit: String,
    is_flag: bool,
}

impl Added {
    fn of(row: &ValueRow) -> Added {
        Added { series: row.series, unit: row.unit.clone(), is_flag: matches!(row.value, Value::Flag(_)) }
    }
}

/// What the parts of the chart share.
#[derive(Clone, Copy)]
struct Desk {
    store: Store,
    /// Which of the thing's values; follows the cards.
    charted: RwSignal<Option<SeriesKey>>,
    /// Those that were added.
    added: RwSignal<Vec<Added>>,
    /// Those that the legend took off the picture.
    hidden: RwSignal<Vec<SeriesKey>>,
    /// On what it stands.
    stand: RwSignal<Stand>,
    /// What it goes back to.
    follows_ms: RwSignal<i64>,
    /// Whether the week before is drawn behind.
    compares: RwSignal<bool>,
    /// Width of the picture, in CSS pixels.
    width_px: RwSignal<f64>,
    /// The picture.
    canvas: NodeRef<html::Canvas>,
    /// All values, the thing's first.
    series: Memo<Vec<SeriesKey>>,
    /// Now, as far as live values are not held, in steps of what a pixel is wide.
    now: Memo<Option<WallMs>>,
    /// What is shown.
    stretch: Memo<Option<Stretch>>,
}

impl Desk {
    fn new(store: Store, charted: RwSignal<Option<SeriesKey>>) -> Desk {
        let clock = clock();
        let first_ms = store.status.with_untracked(|status| first_span_ms(status.as_ref().map(|s| &s.row)));
        let added = RwSignal::new(Vec::<Added>::new());
        let stand = RwSignal::new(Stand::Follows { span_ms: first_ms });
        let width_px = RwSignal::new(0.0_f64);
        let series = Memo::new(move |_| {
            let first = charted.get();
            let others = added.with(|added| added.iter().map(|one| one.series).collect::<Vec<_>>());
            first.into_iter().chain(others.into_iter().filter(|one| Some(*one) != first)).collect()
        });
        let now = Memo::new(move |_| {
            let now = store.held.get().or_else(|| store.wall_now(clock.now_ms()))?;
            let span_ms = match stand.get() {
                Stand::Follows { span_ms } => span_ms,
                // It only matters for whether it follows again.
                Stand::Stays(_) => 60_000,
            };
            let pixel_ms = (span_ms / (width_px.get().max(1.0) as i64).max(1)).max(1_000);
            Some(WallMs(now.0.div_euclid(pixel_ms).saturating_add(1).saturating_mul(pixel_ms)))
        });
        let stretch = Memo::new(move |_| {
            let stand = stand.get();
            match stand {
                Stand::Stays(stretch) => Some(stretch),
                Stand::Follows { .. } => Some(stand.stretch(now.get()?)),
            }
        });
        let (hidden, compares) = (RwSignal::new(Vec::new()), RwSignal::new(false));
        let follows_ms = RwSignal::new(first_ms);
        let canvas = NodeRef::new();
        Desk { store, charted, added, hidden, stand, follows_ms, compares, width_px, canvas, series, now, stretch }
    }

    /// Gives the picture the focus.
    fn focus(self) {
        if let Some(canvas) = self.canvas.get_untracked() {
            // Fails only for a canvas that is not on the page.
            let _ = canvas.focus();
        }
    }

    /// Shows a stretch of time.
    fn show(self, stretch: Stretch) {
        if let Some(now) = self.now.get_untracked() {
            self.stand.set(Stand::on(stretch, now));
        }
    }

    /// Goes back to following now.
    fn follow(self) {
        self.stand.set(Stand::Follows { span_ms: self.follows_ms.get_untracked() });
    }

    fn follow_for(self, span_ms: i64) {
        self.follows_ms.set(span_ms);
        self.follow();
    }

    fn zoom(self, factor: f64) {
        if let Some(now) = self.now.get_untracked() {
            self.stand.update(|stand| *stand = stand.zoomed(factor, now));
        }
    }

    /// Goes on by a part of what is shown; back where it is negative.
    fn step(self, part: f64) {
        if let Some(stretch) = self.stretch.get_untracked() {
            self.show(stretch.moved((stretch.span_ms() as f64 * part).round() as i64));
        }
    }

    fn stays(self) -> bool {
        matches!(self.stand.get(), Stand::Stays(_))
    }

    /// What the picture depends on besides its data.
    fn frame(self) -> Option<Frame> {
        let (stretch, hidden) = (self.stretch.get()?, self.hidden.get());
        Some(Frame { stretch, series: self.series.get(), hidden, ground: "--surface" })
    }

    /// From when to when, in words.
    fn span(self) -> Option<String> {
        let (stretch, now) = (self.stretch.get()?, self.now.get()?);
        let is_of_this_week = now.since(stretch.from_ms) < 6 * 86_400_000;
        let (from, until) = (local(stretch.from_ms), local(stretch.until_ms));
        Some(format::stretch((&from, &until), stretch.span_ms(), is_of_this_week, &today()))
    }

    /// The same with the day and the year, for what leaves the program: it is looked at on another day.
    fn dated_span(self) -> Option<String> {
        let stretch = self.stretch.get()?;
        let (from, until) = (local(stretch.from_ms), local(stretch.until_ms));
        Some(format::stretch((&from, &until), stretch.span_ms(), false, &format::LocalTime::default()))
    }

    fn with_first<T>(self, read: impl FnOnce(&Chart) -> T) -> Option<T> {
        let series = self.charted.get()?;
        self.store.charts.held.with(|held| held.get(&Traced { series, is_before: false }).map(read))
    }
}

/// The chart with its choice of values and time.
#[component]
pub fn ChartPanel(
    /// Whose values.
    thing: Thing,
    /// Which of them; follows the cards.
    charted: RwSignal<Option<SeriesKey>>,
) -> impl IntoView {
    let store = store();
    let desk = Desk::new(store, charted);
    let of = thing.clone();
    Effect::new(move |_| {
        // Only a choice is set: setting "none" again would wake this effect for ever.
        if charted.get().is_none()
            && let Some(first) = first_series(&of)
        {
            charted.set(Some(first));
        }
    });
    // The number of buckets follows the width in steps, so that a drawer that is being opened asks once.
    let buckets = Memo::new(move |_| ((desk.width_px.get() / PX_PER_BUCKET / 40.0).round() * 40.0) as u32);
    let wanted = Memo::new(move |_| match (buckets.get(), desk.now.get()) {
        (buckets @ 10.., Some(now)) => Some(
            desk.series.with(|series| reads(series, desk.stand.get(), desk.compares.get(), buckets.min(4096), now)),
        ),
        _ => None,
    });
    Effect::new(move |_| {
        if let Some(wanted) = wanted.get() {
            store.look_at_charts(&wanted);
        }
    });
    let named = thing.clone();
    let heading = move || {
        let known = desk.with_first(|chart| (chart.label.clone(), chart.unit.clone()));
        let known = known.or_else(|| label_of(&named, charted.get()?));
        known.map(|(label, unit)| if unit.is_empty() { label } else { format!("{label}, {unit}") })
    };
    let spans = SPANS.map(|(ms, word)| (ms, said(word).to_owned())).to_vec();
    let chosen = move || match desk.stand.get() {
        // Of another span than those none is chosen, and the keys begin with the first.
        Stand::Follows { span_ms } => Some(span_ms).filter(|ms| SPANS.iter().any(|(one, _)| one == ms)),
        Stand::Stays(_) => None,
    };
    let title = thing.clone();
    view! {
        <Show when=move || charted.get().is_some()>
            <section class="chart" data-testid="chart">
                <div class="head">
                    <h2>{heading.clone()}</h2>
                    <Segmented
                        label=said("How far back")
                        options=spans.clone()
                        chosen=Signal::derive(chosen)
                        on_choose=Callback::new(move |ms| desk.follow_for(ms))
                    />
                </div>
                <Canvas desk />
                <Legend desk />
                <Steps desk />
                <div class="more">
                    <button
                        type="button"
                        class="pill"
                        data-testid="compare"
                        aria-pressed=move || desk.compares.get().to_string()
                        on:click=move |_| desk.compares.update(|compares| *compares = !*compares)
                    >
                        {said("Week before")}
                    </button>
                    <AddValue desk thing=title.clone() />
                    <Save desk thing=title.clone() />
                </div>
            </section>
        </Show>
    }
}

/// Which time is shown, and going through it without a pointer's gestures.
#[component]
fn Steps(desk: Desk) -> impl IntoView {
    let tool = move |testid: &'static str,
                     title: &'static str,
                     icon: &'static icondata_core::IconData,
                     act: fn(Desk)| {
        view! {
            <button type="button" class="tool" data-testid=testid title=title aria-label=title on:click=move |_| act(desk)>
                <Icon of=icon />
            </button>
        }
    };
    view! {
        <div class="through" role="group" aria-label=said("Which time")>
            {tool("earlier", said("Earlier (←)"), icondata_lu::LuChevronLeft, |desk| desk.step(-0.5))}
            {tool("later", said("Later (→)"), icondata_lu::LuChevronRight, |desk| desk.step(0.5))}
            {tool("zoom-out", said("Longer (−)"), icondata_lu::LuZoomOut, |desk| desk.zoom(2.0))}
            {tool("zoom-in", said("Shorter (+)"), icondata_lu::LuZoomIn, |desk| desk.zoom(0.5))}
            <span class="span" data-testid="span">{move || desk.span()}</span>
            <button
                type="button"
                class="pill"
                data-testid="now"
                title=said("Back to now (End)")
                disabled=move || !desk.stays()
                on:click=move |_| desk.follow()
            >
                {said("Now")}
            </button>
        </div>
    }
}

fn label_of(thing: &Thing, series: SeriesKey) -> Option<(String, String)> {
    let rows = thing.values.get();
    let cell = rows.iter().find(|cell| cell.key == series)?;
    cell.row.with(|row| Some((row.row.label.clone(), row.row.unit.clone())))
}
