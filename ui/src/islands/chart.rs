//! A chart on a canvas of the page: `fleetlens_chart` draws, this finds the canvas, its size and its colours.

use std::collections::BTreeMap;

use fleetlens_chart::{
    AlarmMark, ChartError, Geometry, Mark, Measure, Plot, Rgb, Side, Stretch, Stroke, Theme, Trace, nearest,
};
use fleetlens_ipc::rows::Chart;
use fleetlens_model::alarm::Priority;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use web_sys::HtmlCanvasElement;

use crate::clock::utc_offset_min;
use crate::format;
use crate::lang::said;
use crate::state::chart::{Traced, WEEK_MS, on_axes};
use crate::theme::{rgb, token};

/// The family of the labels.
const FONT: &str = "Inter Variable, system-ui, sans-serif";

/// How each value is drawn, in the order in which they were added: a tone with a dash of its own, so that nobody needs to see a colour.
pub const TONES: [(&str, Stroke); 4] = [
    ("--chart-line", Stroke::Solid),
    ("--chart-2", Stroke::Dashed(8, 3)),
    ("--chart-3", Stroke::Dashed(2, 3)),
    ("--chart-4", Stroke::Dashed(14, 4)),
];

/// What a chart's picture depends on besides its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What is shown.
    pub stretch: Stretch,
    /// The series, in the order in which they were added; those that do not fit on two axes are left out.
    pub series: Vec<SeriesKey>,
    /// Those that are drawn: who is taken off by the legend keeps its tone and its axis.
    pub hidden: Vec<SeriesKey>,
    /// The token of the surface it stands on.
    pub ground: &'static str,
}

/// What a chart is drawn on.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Device pixels per CSS pixel.
    pub scale: f64,
    /// What the backend's text size is multiplied with.
    pub text: f64,
    /// Whether the unit of a single axis is written beside it; on the screen the heading says it.
    pub has_units: bool,
}

impl Paper {
    fn screen(scale: f64) -> Paper {
        Paper { scale, text: 1.0, has_units: false }
    }
}

/// Where the pointer is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Under {
    /// The moment, in the middle of a bucket of the first value that has one there.
    pub at_ms: WallMs,
    /// From left, in CSS pixels.
    pub x_px: f64,
    /// What was measured there, with how far from the top it lies.
    pub values: Vec<(Traced, Bucket, f64)>,
    /// Upper and lower edge of the plotted area.
    pub edges_px: (f64, f64),
}

/// Fits the canvas to its element and draws. A canvas too small for a chart is left empty.
pub fn draw(canvas: &HtmlCanvasElement, charts: &BTreeMap<Traced, Chart>, frame: &Frame) -> Result<(), ChartError> {
    let scale = ratio();
    let (width_px, height_px) = device_size(canvas, scale);
    if canvas.width() != width_px || canvas.height() != height_px {
        canvas.set_width(width_px);
        canvas.set_height(height_px);
    }
    let Some(backend) = CanvasBackend::with_canvas_object(canvas.clone()) else {
        return Err(ChartError::Backend("the canvas gave no context".into()));
    };
    let root = backend.into_drawing_area();
    with_plot(charts, frame, Paper::screen(scale), |plot, _| fleetlens_chart::draw(plot, &root))
}

/// What the pointer at a place of the canvas (CSS pixels) is over.
pub fn under(canvas: &HtmlCanvasElement, charts: &BTreeMap<Traced, Chart>, frame: &Frame, x_px: f64) -> Option<Under> {
    let scale = ratio();
    let (width_px, height_px) = device_size(canvas, scale);
    with_plot(charts, frame, Paper::screen(scale), |plot, lines| {
        let geometry = Geometry::of(plot, width_px, height_px).ok()?;
        let mut found = None;
        let mut values = Vec::new();
        // Drawn last is what lies on top: the first value.
        for (nth, (trace, traced)) in plot.traces.iter().zip(lines).enumerate().rev() {
            let Some(bucket) = nearest(plot, nth, x_px * scale, width_px, height_px).copied() else { continue };
            let y_px = geometry.y_px(trace.side, bucket.mean())? / scale;
            let at_ms = bucket.start_ms.plus(trace.shift_ms);
            found = found.or(Some((at_ms, geometry.bucket_x_px(trace, &bucket) / scale)));
            values.push((*traced, bucket, y_px));
        }
        let edges_px = (geometry.top_px / scale, geometry.bottom_px / scale);
        let (at_ms, x_px) = found?;
        Some(Under { at_ms, x_px, values, edges_px })
    })
}

/// The plotted area of the canvas, in CSS pixels: left, right and lower edge.
pub fn area(canvas: &HtmlCanvasElement, charts: &BTreeMap<Traced, Chart>, frame: &Frame) -> Option<(f64, f64, f64)> {
    let scale = ratio();
    let (width_px, height_px) = device_size(canvas, scale);
    with_plot(charts, frame, Paper::screen(scale), |plot, _| {
        let geometry = Geometry::of(plot, width_px, height_px).ok()?;
        Some((geometry.left_px / scale, geometry.right_px / scale, geometry.bottom_px / scale))
    })
}

/// The tone of a value, for what stands beside the canvas.
pub fn tone(series: &[SeriesKey], of: SeriesKey) -> (&'static str, Stroke) {
    let nth = series.iter().position(|series| *series == of).unwrap_or(0);
    TONES.get(nth).copied().unwrap_or(("--chart-line", Stroke::Solid))
}

/// Makes the plot of a frame; beside it which line each trace is.
pub fn with_plot<T>(
    charts: &BTreeMap<Traced, Chart>,
    frame: &Frame,
    paper: Paper,
    use_it: impl FnOnce(&Plot, &[Traced]) -> T,
) -> T {
    let shown = on_axes(charts, &frame.series);
    let (mut traces, mut lines) = (Vec::new(), Vec::new());
    // The week before lies behind everything, and the first value on top.
    for is_before in [true, false] {
        for (series, _, side) in shown.iter().rev() {
            let traced = Traced { series: *series, is_before };
            let (Some(side), Some(chart)) = (side, charts.get(&traced)) else { continue };
            if frame.hidden.contains(series) {
                continue;
            }
            let (token, stroke) = tone(&frame.series, *series);
            let line = colour(token, Theme::DARK.line);
            traces.push(Trace {
                buckets: &chart.buckets,
                bucket_ms: chart.bucket_ms,
                gap_ms: chart.gap_ms,
                shift_ms: if is_before { WEEK_MS } else { 0 },
                side: *side,
                stroke: if is_before { Stroke::Faint } else { stroke },
                line,
                envelope: if token == "--chart-line" { colour("--chart-band", Theme::DARK.envelope) } else { line },
            });
            lines.push(traced);
        }
    }
    let of_side = |side: Side| shown.iter().find(|(_, _, one)| *one == Some(side)).map(|(_, chart, _)| measure(chart));
    let first = shown.first().map(|(_, chart, _)| *chart);
    let marks: Vec<Mark> = first
        .into_iter()
        .flat_map(|chart| &chart.marks)
        .map(|mark| Mark { at_ms: mark.at_ms, label: &mark.label })
        .collect();
    let alarms: Vec<AlarmMark> = first
        .into_iter()
        .flat_map(|chart| &chart.alarms)
        .map(|alarm| AlarmMark {
            raised_ms: alarm.raised_ms,
            cleared_ms: alarm.cleared_ms,
            priority: alarm.priority,
            colour: of_priority(alarm.priority),
        })
        .collect();
    let right = of_side(Side::Right);
    let left = of_side(Side::Left).unwrap_or(Measure { unit: "", decimals: 0, limits: None, states: None });
    let plot = Plot {
        traces: &traces,
        // Of one value alone the heading says the unit.
        left: Measure { unit: if right.is_some() || paper.has_units { left.unit } else { "" }, ..left },
        right,
        from_ms: frame.stretch.from_ms,
        until_ms: frame.stretch.until_ms,
        utc_offset_min: utc_offset_min(frame.stretch.until_ms),
        marks: &marks,
        alarms: &alarms,
        theme: theme(frame.ground),
        scale: paper.scale,
        text: paper.text,
        font: FONT,
    };
    use_it(&plot, &lines)
}

fn measure(chart: &Chart) -> Measure<'_> {
    let states = chart.is_flag.then_some((said("Off"), said("On")));
    Measure { unit: format::known(&chart.unit), decimals: chart.decimals, limits: chart.limits, states }
}

fn of_priority(priority: Priority) -> Rgb {
    match priority {
        Priority::Advisory => colour("--muted", Theme::DARK.text),
        Priority::Warning => colour("--warn", Theme::DARK.text),
        Priority::Critical => colour("--crit", Theme::DARK.text),
    }
}

fn colour(name: &str, fallback: Rgb) -> Rgb {
    rgb(&token(name)).unwrap_or(fallback)
}

fn theme(ground: &str) -> Theme {
    Theme {
        ground: colour(ground, Theme::DARK.ground),
        grid: colour("--chart-grid", Theme::DARK.grid),
        text: colour("--faint", Theme::DARK.text),
        line: colour("--chart-line", Theme::DARK.line),
        envelope: colour("--chart-band", Theme::DARK.envelope),
        mark: colour("--pending", Theme::DARK.mark),
    }
}

fn ratio() -> f64 {
    web_sys::window().map_or(1.0, |window| window.device_pixel_ratio()).clamp(0.5, 4.0)
}

fn device_size(canvas: &HtmlCanvasElement, scale: f64) -> (u32, u32) {
    let px = |css: i32| (f64::from(css) * scale).round().max(0.0) as u32;
    (px(canvas.client_width()), px(canvas.client_height()))
}
