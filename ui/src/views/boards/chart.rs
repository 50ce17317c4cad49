//! Values over time in a widget: the lines that the board names, always up to now.

use fleetlens_chart::stretch::{Read, Stand};
use fleetlens_ipc::boards::Shown;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use leptos::html;
use leptos::prelude::*;
use tr::tr;

use super::widget::{Now, Waits, Wrong};
use crate::clock::clock;
use crate::components::size::watch_size;
use crate::format;
use crate::islands::chart::{Frame, draw};
use crate::lang::said;
use crate::state::boards::{Lines, Uid};
use crate::state::chart::Traced;
use crate::state::store;
use crate::theme::theme;
use crate::views::chart::swatch;

/// About one bucket for this many CSS pixels.
const PX_PER_BUCKET: f64 = 1.5;

/// A line of the picture: its series and whose it is.
type Line = (SeriesKey, String);

#[component]
pub(super) fn ChartOf(uid: Uid, hours: u32, now: Now) -> impl IntoView {
    let told = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Lines(lines)) => Some(lines.clone()),
            Some(_) | None => None,
        })
    });
    let lines = Memo::new(move |_| told.get().map(|lines| lines.into_iter().flatten().collect::<Vec<Line>>()));
    let missing = Memo::new(move |_| {
        told.with(|told| told.as_ref().map_or(0, |it| it.iter().filter(|one| one.is_none()).count()))
    });
    let is_there = Memo::new(move |_| lines.with(|lines| lines.as_ref().map(|lines| !lines.is_empty())));
    view! {
        {move || match is_there.get() {
            None => view! { <Waits /> }.into_any(),
            Some(false) => view! { <Wrong why=said("nothing here has said these values") /> }.into_any(),
            Some(true) => view! { <Picture uid hours lines /> }.into_any(),
        }}
        <Show when=move || is_there.get() == Some(true) && missing.get() != 0>
            <p class="board-basis" role="status">
                {move || tr!(
                    "1 line is of something that has not said its value" | "{n} lines are of what has not said its value"
                        % missing.get()
                )}
            </p>
        </Show>
    }
}

#[component]
fn Picture(uid: Uid, hours: u32, lines: Memo<Option<Vec<Line>>>) -> impl IntoView {
    let (store, clock, theme) = (store(), clock(), theme());
    let held = store.boards.lines_of(uid);
    let span_ms = i64::from(hours) * 3_600_000;
    let stand = Stand::Follows { span_ms };
    let canvas = NodeRef::<html::Canvas>::new();
    let size = RwSignal::new((0, 0));
    watch_size(canvas, size);
    let series = Memo::new(move |_| {
        lines.with(|lines| lines.iter().flatten().map(|(series, _)| *series).collect::<Vec<SeriesKey>>())
    });
    // In steps, so that a widget that is being made wider asks once.
    let buckets = Memo::new(move |_| ((f64::from(size.get().0) / PX_PER_BUCKET / 40.0).round() * 40.0) as u32);
    let asked = StoredValue::new(Vec::<SeriesKey>::new());
    Effect::new(move |_| {
        let (all, buckets) = (series.get(), buckets.get());
        if buckets < 10 {
            return;
        }
        for gone in asked.get_value().into_iter().filter(|one| !all.contains(one)) {
            store.look_away_from_line(uid, gone);
        }
        for one in &all {
            store.look_at_line(uid, *one, Read::of(stand, buckets.min(4096)));
        }
        asked.set_value(all);
    });
    on_cleanup(move || {
        for one in asked.try_get_value().unwrap_or_default() {
            store.look_away_from_line(uid, one);
        }
    });
    let now = Memo::new(move |_| {
        let now = store.held.get().or_else(|| store.wall_now(clock.now_ms()))?;
        let pixel_ms = (span_ms / i64::from(size.get().0.max(1))).max(1_000);
        Some(WallMs(now.0.div_euclid(pixel_ms).saturating_add(1).saturating_mul(pixel_ms)))
    });
    Effect::new(move |_| {
        let (Some(canvas), Some(now)) = (canvas.get(), now.get()) else { return };
        theme.follow();
        if size.get().0 == 0 {
            return;
        }
        let frame =
            Frame { stretch: stand.stretch(now), series: series.get(), hidden: Vec::new(), ground: "--surface" };
        let drawn = held.with(|held| draw(&canvas, held, &frame));
        if let Err(error) = drawn {
            web_sys::console::warn_1(&error.to_string().into());
        }
    });
    let says = move || {
        let of: Vec<String> = lines.with(|lines| {
            lines.iter().flatten().map(|(series, title)| format!("{title}: {}", newest(held, *series))).collect()
        });
        tr!("{values} over {span}", values = of.join("; "), span = span_words(hours))
    };
    view! {
        <canvas class="board-plot" node_ref=canvas role="img" aria-label=says data-testid="board-plot" />
        <ul class="board-lines">
            <For each=move || lines.get().unwrap_or_default() key=Clone::clone let:line>
                <li>
                    {swatch(&series.get_untracked(), line.0)}
                    <span>{line.1.clone()}</span>
                    <b>{move || newest(held, line.0)}</b>
                </li>
            </For>
            <li class="board-span">{span_words(hours)}</li>
        </ul>
    }
}

/// What it was last, with its name and its unit; tracked.
fn newest(held: Lines, series: SeriesKey) -> String {
    held.with(|held| {
        let Some(chart) = held.get(&Traced { series, is_before: false }) else { return String::new() };
        let last =
            chart.buckets.last().map_or_else(|| "–".to_owned(), |last| format::number(last.last, chart.decimals));
        format!("{} {last} {}", format::known(&chart.label), format::known(&chart.unit)).trim_end().to_owned()
    })
}

fn span_words(hours: u32) -> String {
    match hours {
        hours if hours > 24 && hours % 24 == 0 => tr!("the last day" | "the last {n} days" % hours / 24),
        hours => tr!("the last hour" | "the last {n} hours" % hours),
    }
}
