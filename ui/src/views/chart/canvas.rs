//! The picture itself, and what a pointer, a finger or a key does to it.

use fleetlens_chart::Stretch;
use fleetlens_ipc::rows::Chart;
use fleetlens_model::time::WallMs;
use leptos::ev;
use leptos::prelude::*;
use tr::tr;

use super::Desk;
use crate::clock::{local, today};
use crate::components::size::watch_size;
use crate::format;
use crate::islands::chart::{Frame, Under, area, draw, tone, under};
use crate::lang::said;
use crate::state::chart::Traced;
use crate::theme::theme;

/// A drag shorter than this was a click, in CSS pixels.
const CLICK_PX: f64 = 5.0;

/// How near the pointer has to be to where an alarm was raised, in CSS pixels.
const ALARM_REACH_PX: f64 = 6.0;

/// Alarms that are told of at once under the pointer.
const ALARMS_TOLD: usize = 3;

/// What a drag does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Drag {
    /// It marks a stretch, which is shown when it ends.
    Brush { from_px: f64, to_px: f64 },
    /// It moves what was shown when it began.
    Pan { from_px: f64, of: Stretch },
    /// Two fingers: what was shown when the second came, and where they were.
    Pinch { from_px: (f64, f64), of: Stretch },
}

/// The fingers and the pointer that are down, by their number.
type Down = Vec<(i32, f64)>;

#[component]
pub fn Canvas(desk: Desk) -> impl IntoView {
    let (charts, theme) = (desk.store.charts, theme());
    let canvas = desk.canvas;
    let size = RwSignal::new((0, 0));
    let pointer_px = RwSignal::new(None::<f64>);
    let drag = RwSignal::new(None::<Drag>);
    watch_size(canvas, size);
    Effect::new(move |_| desk.width_px.set(f64::from(size.get().0)));

    let frame = Memo::new(move |_| desk.frame());
    let failed = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        let (Some(canvas), Some(frame)) = (canvas.get(), frame.get()) else { return };
        theme.follow();
        if size.get().0 == 0 {
            return;
        }
        let drawn = charts.held.with(|held| draw(&canvas, held, &frame));
        failed.set(drawn.err().map(|error| error.to_string()));
    });

    let over = Memo::new(move |_| {
        if matches!(drag.get(), Some(Drag::Brush { .. })) {
            return None;
        }
        let (x_px, frame, canvas) = (pointer_px.get()?, frame.get()?, canvas.get()?);
        charts.held.with(|held| under(&canvas, held, &frame, x_px))
    });
    let is_empty = Memo::new(move |_| {
        let stretch = desk.stretch.get();
        desk.with_first(|chart| stretch.is_some_and(|stretch| shown(chart, stretch).next().is_none())).unwrap_or(false)
    });
    let is_loading = Memo::new(move |_| desk.with_first(|_| ()).is_none());
    let is_reading = Memo::new(move |_| charts.waits.with(|waits| !waits.is_empty()));
    let says = Memo::new(move |_| {
        let (stretch, span) = (desk.stretch.get()?, desk.span()?);
        desk.with_first(|chart| format!("{}; {span}", summary(chart, stretch)))
    });
    let hands = Hands { desk, drag, down: StoredValue::new(Vec::new()), frame };
    let brushed = move || match drag.get() {
        Some(Drag::Brush { from_px, to_px }) if (to_px - from_px).abs() >= CLICK_PX => Some((from_px, to_px)),
        _ => None,
    };
    view! {
        <div
            class="plot"
            class:loading=move || is_loading.get()
            class:reading=move || is_reading.get()
            class:grabbing=move || matches!(drag.get(), Some(Drag::Pan { .. }))
            on:pointermove=move |event| {
                pointer_px.set(Some(f64::from(event.offset_x())));
                hands.moves(&event);
            }
            on:pointerleave=move |_| pointer_px.set(None)
            on:pointerdown=move |event| hands.presses(&event)
            on:pointerup=move |event| hands.lets_go(&event)
            on:pointercancel=move |event| hands.gives_up(&event)
            on:dblclick=move |_| desk.follow()
            on:wheel=move |event| hands.wheels(&event)
        >
            <canvas
                node_ref=canvas
                role="application"
                aria-roledescription=said("chart")
                tabindex="0"
                aria-label=move || says.get().unwrap_or_else(|| said("chart is loading").into())
                aria-keyshortcuts="ArrowLeft ArrowRight + - End"
                title=said("Drag to look closer, Shift and drag to move, double click for now; Ctrl and wheel to zoom, or the wheel alone once the chart is clicked")
                on:keydown=move |event| key(desk, &event)
            />
            <Show when=move || is_empty.get()>
                <p class="none">{said("No value is known of this time.")}</p>
            </Show>
            {move || failed.get().map(|words| view! { <p class="none">{words}</p> })}
            {move || brushed().map(|(one, other)| brush(one, other))}
            {move || over.get().map(|over| view! { <Crosshair desk over /> })}
        </div>
    }
}

fn brush(one: f64, other: f64) -> impl IntoView {
    let (left, width) = (one.min(other), (one - other).abs());
    view! { <div class="brush" style:left=format!("{left}px") style:width=format!("{width}px") /> }
}

/// What a key does to a chart that has the focus.
fn key(desk: Desk, event: &ev::KeyboardEvent) {
    if event.ctrl_key() || event.alt_key() || event.meta_key() {
        return;
    }
    let part = if event.shift_key() { 1.0 } else { 0.125 };
    match event.key().as_str() {
        "ArrowLeft" => desk.step(-part),
        "ArrowRight" => desk.step(part),
        "+" | "=" => desk.zoom(0.5),
        "-" | "_" => desk.zoom(2.0),
        "End" => desk.follow(),
        _ => return,
    }
    event.prevent_default();
}

/// What pointers do to a chart.
#[derive(Clone, Copy)]
struct Hands {
    desk: Desk,
    drag: RwSignal<Option<Drag>>,
    down: StoredValue<Down>,
    frame: Memo<Option<Frame>>,
}

impl Hands {
    /// Left, right and lower edge of the plotted area.
    fn area(self) -> Option<(f64, f64, f64)> {
        let (canvas, frame) = (self.desk.canvas.get_untracked()?, self.frame.get_untracked()?);
        self.desk.store.charts.held.with_untracked(|held| area(&canvas, held, &frame))
    }

    /// The moment at a place of the canvas, in a stretch that fills the plotted area.
    fn at(self, x_px: f64, of: Stretch) -> Option<WallMs> {
        let (left, right, _) = self.area()?;
        let part = ((x_px - left) / (right - left).max(1.0)).clamp(0.0, 1.0);
        Some(of.from_ms.plus((part * of.span_ms() as f64).round() as i64))
    }

    /// How much time lies in so many pixels.
    fn ms(self, px: f64, of: Stretch) -> Option<i64> {
        let (left, right, _) = self.area()?;
        Some((px / (right - left).max(1.0) * of.span_ms() as f64).round() as i64)
    }

    fn has_focus(self) -> bool {
        let focused = document().active_element();
        self.desk.canvas.get_untracked().is_some_and(|canvas| focused.as_ref() == Some(canvas.as_ref()))
    }

    fn presses(self, event: &ev::PointerEvent) {
        let (Some(canvas), Some(of)) = (self.desk.canvas.get_untracked(), self.desk.stretch.get_untracked()) else {
            return;
        };
        if event.button() != 0 {
            return;
        }
        let x_px = f64::from(event.offset_x());
        let down = self.down.try_update_value(|down| {
            down.retain(|(id, _)| *id != event.pointer_id());
            down.push((event.pointer_id(), x_px));
            down.clone()
        });
        // Fails only for a pointer that is gone already.
        let _ = canvas.set_pointer_capture(event.pointer_id());
        let is_on_axis = self.area().is_some_and(|(_, _, bottom)| f64::from(event.offset_y()) > bottom);
        self.drag.set(match down.as_deref() {
            Some([(_, one), (_, other)]) => Some(Drag::Pinch { from_px: (*one, *other), of }),
            // A finger has no Shift, and its place on the glass is what it holds on to.
            _ if event.shift_key() || is_on_axis || event.pointer_type() == "touch" => {
                Some(Drag::Pan { from_px: x_px, of })
            }
            _ => Some(Drag::Brush { from_px: x_px, to_px: x_px }),
        });
    }

    fn moves(self, event: &ev::PointerEvent) {
        let Some(drag) = self.drag.get_untracked() else { return };
        let x_px = f64::from(event.offset_x());
        self.down.update_value(|down| {
            if let Some(known) = down.iter_mut().find(|(id, _)| *id == event.pointer_id()) {
                known.1 = x_px;
            }
        });
        match drag {
            Drag::Brush { from_px, .. } => self.drag.set(Some(Drag::Brush { from_px, to_px: x_px })),
            Drag::Pan { from_px, of } if (x_px - from_px).abs() >= CLICK_PX => {
                if let Some(ms) = self.ms(from_px - x_px, of) {
                    self.desk.show(of.moved(ms));
                }
            }
            Drag::Pan { .. } => {}
            Drag::Pinch { from_px, of } => self.pinches(from_px, of),
        }
    }

    fn pinches(self, from_px: (f64, f64), of: Stretch) {
        let down = self.down.get_value();
        let [(_, one), (_, other)] = down.as_slice() else { return };
        let (before, after) = ((from_px.1 - from_px.0).abs().max(1.0), (other - one).abs().max(1.0));
        let (was, is) = (from_px.0.midpoint(from_px.1), one.midpoint(*other));
        let Some(at) = self.at(was, of) else { return };
        let zoomed = of.zoomed(at, before / after);
        if let Some(ms) = self.ms(was - is, zoomed) {
            self.desk.show(zoomed.moved(ms));
        }
    }

    fn lets_go(self, event: &ev::PointerEvent) {
        if let Some(Drag::Brush { from_px, to_px }) = self.drag.get_untracked()
            && (to_px - from_px).abs() >= CLICK_PX
            && let Some(of) = self.desk.stretch.get_untracked()
            && let (Some(one), Some(other)) = (self.at(from_px, of), self.at(to_px, of))
        {
            self.desk.show(Stretch::between(one, other));
        }
        self.gives_up(event);
    }

    fn gives_up(self, event: &ev::PointerEvent) {
        self.down.update_value(|down| down.retain(|(id, _)| *id != event.pointer_id()));
        self.drag.set(None);
    }

    /// Turned, a wheel zooms at the pointer; moved sideways it pans. Without Ctrl it is the page's, which lies under a chart that nobody
    /// turned to.
    fn wheels(self, event: &ev::WheelEvent) {
        let Some(of) = self.desk.stretch.get_untracked() else { return };
        if !event.ctrl_key() && !self.has_focus() {
            return;
        }
        event.prevent_default();
        // Lines and pages as pixels, as browsers count them.
        let px = match event.delta_mode() {
            0 => 1.0,
            1 => 16.0,
            _ => 400.0,
        };
        let (across, along) = (event.delta_x() * px, event.delta_y() * px);
        if across.abs() > along.abs() {
            if let Some(ms) = self.ms(across, of) {
                self.desk.show(of.moved(ms));
            }
        } else if let Some(at) = self.at(f64::from(event.offset_x()), of) {
            // A pinch on a touchpad is a wheel with Ctrl, in smaller steps.
            let strength = if event.ctrl_key() { 0.01 } else { 0.002 };
            self.desk.show(of.zoomed(at, (along * strength).clamp(-0.7, 0.7).exp()));
        }
    }
}

#[component]
fn Crosshair(desk: Desk, over: Under) -> impl IntoView {
    let series = desk.series.get_untracked();
    let several = over.values.len() > 1;
    let first = desk.with_first(|chart| chart.thing);
    let told = |held: &std::collections::BTreeMap<Traced, Chart>| {
        let line = |(traced, bucket, _): &(Traced, fleetlens_model::downsample::Bucket, f64)| {
            let chart = held.get(traced)?;
            let of = if first == Some(chart.thing) { String::new() } else { format!("{}: ", chart.thing_title) };
            let name = format!("{of}{}", format::known(&chart.label));
            let name = if traced.is_before { tr!("{}, week before", name) } else { name };
            Some((tone(&series, traced.series).0, traced.is_before, name, pointed(chart, bucket)))
        };
        over.values.iter().filter_map(line).collect::<Vec<_>>()
    };
    let lines = desk.store.charts.held.with_untracked(told);
    let alarms = desk.with_first(|chart| alarms(chart, &over, desk)).unwrap_or_default();
    let bucket_ms = desk.with_first(|chart| chart.bucket_ms).unwrap_or(60_000);
    let at = local(over.at_ms);
    let time = if bucket_ms < 60_000 { at.seconds(&today()) } else { at.short(&today()) };
    let px = |n: f64| format!("{n}px");
    let (top, bottom) = over.edges_px;
    let x_px = over.x_px;
    let dots = over
        .values
        .iter()
        .map(|(traced, _, y_px)| {
            let colour = format!("var({})", tone(&series, traced.series).0);
            view! { <div class="dot" style:left=px(x_px) style:top=px(*y_px) style:background=colour /> }
        })
        .collect_view();
    let lines = lines
        .into_iter()
        .map(|(tone, is_before, name, value)| {
            let swatch = several.then(|| {
                view! { <i class="sample" class:before=is_before style:border-color=format!("var({tone})") /> }
            });
            let name = several.then(|| view! { <em>{name}</em> });
            view! { <p>{swatch} {name} <b>{value}</b></p> }
        })
        .collect_view();
    let alarms = alarms.into_iter().map(|words| view! { <p class="alarm">{words}</p> }).collect_view();
    view! {
        <div
            class="crosshair"
            style:left=px(x_px)
            style:top=px(top)
            style:height=px(bottom - top)
        />
        {dots}
        <div
            class="pointed"
            data-testid="pointed"
            class:flip=move || { x_px > desk.width_px.get_untracked() / 2.0 }
            style:left=px(x_px)
        >
            {lines}
            {alarms}
            <span>{time}</span>
        </div>
    }
}

fn pointed(chart: &Chart, bucket: &fleetlens_model::downsample::Bucket) -> String {
    if chart.is_flag && bucket.min >= 0.0 && bucket.max <= 1.0 {
        return match (bucket.min > 0.5, bucket.max > 0.5) {
            (true, _) => said("On").to_owned(),
            (_, false) => said("Off").to_owned(),
            (false, true) => tr!("On {} of {} times", format::number(bucket.sum, 0), bucket.count),
        };
    }
    let unit = |text: String| if chart.unit.is_empty() { text } else { format!("{text} {}", chart.unit) };
    let (min, max) = (format::number(bucket.min, chart.decimals), format::number(bucket.max, chart.decimals));
    let mean = format::number(bucket.mean(), chart.decimals);
    if min == max { unit(mean) } else { format!("{} ({min} – {max})", unit(mean)) }
}

/// The alarms that were so at the pointer, or began near it, the worst first.
fn alarms(chart: &Chart, over: &Under, desk: Desk) -> Vec<String> {
    let Some(stretch) = desk.stretch.get_untracked() else { return Vec::new() };
    let reach_ms = (ALARM_REACH_PX / desk.width_px.get_untracked().max(1.0) * stretch.span_ms() as f64) as i64;
    let (from, until) = (over.at_ms.plus(-reach_ms), over.at_ms.plus(reach_ms));
    let mut there: Vec<_> = chart
        .alarms
        .iter()
        .filter(|alarm| alarm.raised_ms <= until && alarm.cleared_ms.is_none_or(|cleared| cleared >= from))
        .collect();
    there.sort_by_key(|alarm| (std::cmp::Reverse(alarm.priority), std::cmp::Reverse(alarm.raised_ms)));
    let words = |alarm: &&fleetlens_ipc::rows::ChartAlarm| {
        let raised = local(alarm.raised_ms).short(&today());
        let priority = said(alarm.priority.label());
        let over = alarm.cleared_ms.map(|cleared| local(cleared).short(&today()));
        let name = &alarm.name;
        match over {
            Some(over) => tr!("{priority}: {name}, raised {raised}, over {over}", priority, name, raised, over),
            None => tr!("{priority}: {name}, raised {raised}", priority, name, raised),
        }
    };
    there.iter().take(ALARMS_TOLD).map(words).collect()
}

/// The buckets of a chart within what is shown.
fn shown(chart: &Chart, stretch: Stretch) -> impl Iterator<Item = &fleetlens_model::downsample::Bucket> {
    let width_ms = i64::try_from(chart.bucket_ms).unwrap_or(i64::MAX);
    chart
        .buckets
        .iter()
        .filter(move |bucket| bucket.start_ms.plus(width_ms) > stretch.from_ms && bucket.start_ms <= stretch.until_ms)
}

/// What the picture shows, for those who do not see it.
fn summary(chart: &Chart, stretch: Stretch) -> String {
    let ends = shown(chart, stretch).fold(None::<(f64, f64)>, |ends, bucket| {
        let (low, high) = ends.unwrap_or((bucket.min, bucket.max));
        Some((low.min(bucket.min), high.max(bucket.max)))
    });
    match (ends, shown(chart, stretch).last()) {
        (Some((low, high)), Some(last)) => tr!(
            "{label}, {low} to {high} {unit}, last {last}",
            label = format::known(&chart.label),
            low = format::number(low, chart.decimals),
            high = format::number(high, chart.decimals),
            unit = format::known(&chart.unit),
            last = format::number(last.last, chart.decimals)
        ),
        _ => tr!("{}, no value is known of this time", chart.label),
    }
}
