//! The chart of the open thing: which series, how far back, the picture, and what the pointer is over.

use fleetlens_ipc::rows::{Chart, Status};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ResizeObserver};

use crate::clock::{Aged, clock, local, today};
use crate::components::segmented::Segmented;
use crate::format;
use crate::islands::chart::{Frame, Under, draw, under};
use crate::state::store;
use crate::state::thing::Thing;
use crate::theme::theme;

/// How far back a chart can go, in milliseconds.
const SPANS: [(u64, &str); 7] = [
    (900_000, "15 m"),
    (3_600_000, "1 h"),
    (21_600_000, "6 h"),
    (86_400_000, "24 h"),
    (604_800_000, "7 d"),
    (2_592_000_000, "30 d"),
    (31_536_000_000, "1 y"),
];

/// What a chart starts with: an hour, or a quarter of one while the cache does not reach back half an hour.
fn first_span_ms(status: Option<&Status>) -> u64 {
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

/// The chart with its choice of span.
#[component]
pub fn ChartPanel(
    /// Whose values.
    thing: Thing,
    /// Which of them; follows the cards.
    charted: RwSignal<Option<SeriesKey>>,
) -> impl IntoView {
    let store = store();
    let span_ms = RwSignal::new(store.status.with_untracked(|status| first_span_ms(status.as_ref().map(|s| &s.row))));
    let width_px = RwSignal::new(0.0_f64);
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
    let buckets = Memo::new(move |_| ((width_px.get() / PX_PER_BUCKET / 40.0).round() * 40.0) as u32);
    Effect::new(move |_| {
        if let (Some(series), buckets @ 10..) = (charted.get(), buckets.get()) {
            store.look_at_chart(series, span_ms.get(), buckets.min(4096));
        }
    });
    let heading = move || {
        let chart = store.chart.get();
        let named = chart.map(|chart| (chart.row.label, chart.row.unit));
        let named = named.or_else(|| label_of(&thing, charted.get()?));
        named.map(|(label, unit)| if unit.is_empty() { label } else { format!("{label}, {unit}") })
    };
    let spans = SPANS.map(|(ms, word)| (ms, word.to_owned())).to_vec();
    view! {
        <Show when=move || charted.get().is_some()>
            <section class="chart" data-testid="chart">
                <div class="head">
                    <h2>{heading.clone()}</h2>
                    <Segmented
                        label="How far back"
                        options=spans.clone()
                        chosen=Signal::derive(move || Some(span_ms.get()))
                        on_choose=Callback::new(move |ms| span_ms.set(ms))
                    />
                </div>
                <Canvas width_px />
            </section>
        </Show>
    }
}

fn label_of(thing: &Thing, series: SeriesKey) -> Option<(String, String)> {
    let rows = thing.values.get();
    let cell = rows.iter().find(|cell| cell.key == series)?;
    cell.row.with(|row| Some((row.row.label.clone(), row.row.unit.clone())))
}

#[component]
fn Canvas(width_px: RwSignal<f64>) -> impl IntoView {
    let (store, clock, theme) = (store(), clock(), theme());
    let canvas = NodeRef::<html::Canvas>::new();
    let size = RwSignal::new((0, 0));
    let pointer_px = RwSignal::new(None::<f64>);
    observe_size(canvas, size, width_px);

    // The right edge moves on with the clock, a pixel at a time.
    let until = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        store.chart.with(|chart| chart.as_ref().map(|chart| edge(chart, now_ms, size.get().0, store.held.get())))
    });
    let failed = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        let (Some(canvas), Some(until_ms)) = (canvas.get(), until.get()) else { return };
        theme.get();
        if size.get().0 == 0 {
            return;
        }
        let drawn = store.chart.with(|chart| {
            chart.as_ref().map(|chart| draw(&canvas, &chart.row, &Frame { until_ms, ground: "--surface" }))
        });
        failed.set(drawn.and_then(Result::err).map(|error| error.to_string()));
    });

    let over = Memo::new(move |_| {
        let (x_px, until_ms, canvas) = (pointer_px.get()?, until.get()?, canvas.get()?);
        store.chart.with(|chart| under(&canvas, &chart.as_ref()?.row, &Frame { until_ms, ground: "--surface" }, x_px))
    });
    let is_empty =
        Memo::new(move |_| store.chart.with(|chart| chart.as_ref().is_some_and(|c| c.row.buckets.is_empty())));
    let is_loading = Memo::new(move |_| store.chart.with(Option::is_none));
    let says = Memo::new(move |_| store.chart.with(|chart| chart.as_ref().map(summary)));
    view! {
        <div
            class="plot"
            class:loading=move || is_loading.get()
            on:pointermove=move |event| pointer_px.set(Some(f64::from(event.offset_x())))
            on:pointerleave=move |_| pointer_px.set(None)
        >
            <canvas node_ref=canvas role="img" aria-label=move || says.get().unwrap_or_else(|| "chart is loading".into()) />
            <Show when=move || is_empty.get()>
                <p class="none">"No value is known of this time."</p>
            </Show>
            {move || failed.get().map(|words| view! { <p class="none">{words}</p> })}
            {move || over.get().map(|over| view! { <Crosshair over /> })}
        </div>
    }
}

#[component]
fn Crosshair(over: Under) -> impl IntoView {
    let store = store();
    let said = store.chart.with_untracked(|chart| chart.as_ref().map(|chart| pointed(&chart.row, &over)));
    let (value, time) = said.unwrap_or_default();
    let px = |n: f64| format!("{n}px");
    let (top, bottom) = over.edges_px;
    view! {
        <div
            class="crosshair"
            style:left=px(over.x_px)
            style:top=px(top)
            style:height=px(bottom - top)
        />
        <div class="dot" style:left=px(over.x_px) style:top=px(over.y_px) />
        <div class="pointed" data-testid="pointed" class:flip=move || { over.x_px > 180.0 } style:left=px(over.x_px)>
            <b>{value}</b>
            <span>{time}</span>
        </div>
    }
}

fn pointed(chart: &Chart, over: &Under) -> (String, String) {
    let unit = |text: String| if chart.unit.is_empty() { text } else { format!("{text} {}", chart.unit) };
    let (min, max) = (format::number(over.bucket.min, chart.decimals), format::number(over.bucket.max, chart.decimals));
    let mean = format::number(over.bucket.mean(), chart.decimals);
    let value = if min == max { unit(mean) } else { format!("{} ({min} – {max})", unit(mean)) };
    let at = local(over.bucket.start_ms);
    (value, if chart.bucket_ms < 60_000 { at.seconds(&today()) } else { at.short(&today()) })
}

/// The right edge: the frame's own, moved on by the time since, in whole pixels; still while live values are held.
fn edge(chart: &Aged<Chart>, now_ms: f64, width_px: i32, held: Option<WallMs>) -> WallMs {
    let pixel_ms = (chart.row.span_ms / u64::try_from(width_px.max(1)).unwrap_or(1)).max(1000);
    let passed_ms = chart.elapsed_ms(now_ms) / pixel_ms * pixel_ms;
    let until_ms = chart.row.until_ms.plus(i64::try_from(passed_ms).unwrap_or(0));
    held.map_or(until_ms, |held| held.min(until_ms).max(chart.row.until_ms))
}

/// What the picture shows, for those who do not see it.
fn summary(chart: &Aged<Chart>) -> String {
    let chart = &chart.row;
    let ends = chart.buckets.iter().fold(None::<(f64, f64)>, |ends, bucket| {
        let (low, high) = ends.unwrap_or((bucket.min, bucket.max));
        Some((low.min(bucket.min), high.max(bucket.max)))
    });
    match (ends, chart.buckets.last()) {
        (Some((low, high)), Some(last)) => format!(
            "{}, {} to {} {}, last {}",
            chart.label,
            format::number(low, chart.decimals),
            format::number(high, chart.decimals),
            chart.unit,
            format::number(last.last, chart.decimals)
        ),
        _ => format!("{}, no value is known of this time", chart.label),
    }
}

/// Tells the size of the canvas's element whenever it changes.
fn observe_size(canvas: NodeRef<html::Canvas>, size: RwSignal<(i32, i32)>, width_px: RwSignal<f64>) {
    let observer = StoredValue::new_local(None::<ResizeObserver>);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let element: HtmlCanvasElement = canvas.clone();
        let measure = move || {
            let now = (element.client_width(), element.client_height());
            if size.try_get_untracked().is_some_and(|known| known != now) {
                size.set(now);
                width_px.set(f64::from(now.0));
            }
        };
        measure();
        let ear = Closure::<dyn Fn()>::new(measure).into_js_value();
        if let Ok(watching) = ResizeObserver::new(ear.unchecked_ref()) {
            watching.observe(&canvas);
            observer.set_value(Some(watching));
        }
    });
    on_cleanup(move || {
        if let Some(watching) = observer.try_get_value().flatten() {
            watching.disconnect();
        }
    });
}
