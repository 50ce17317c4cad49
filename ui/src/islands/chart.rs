//! A chart on a canvas of the page: `fleetlens_chart` draws, this finds the canvas, its size and its colours.

use fleetlens_chart::{ChartError, Geometry, Mark, Plot, Rgb, Theme, nearest};
use fleetlens_ipc::rows::Chart;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::time::WallMs;
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use web_sys::HtmlCanvasElement;

use crate::clock::utc_offset_min;
use crate::theme::{rgb, token};

/// The family of the labels.
const FONT: &str = "Inter Variable, system-ui, sans-serif";

/// What a chart's picture depends on besides its data.
pub struct Frame {
    /// Right edge.
    pub until_ms: WallMs,
    /// The token of the surface it stands on.
    pub ground: &'static str,
}

/// Where the pointer is over: a bucket and its place in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Under {
    /// What was measured.
    pub bucket: Bucket,
    /// From left.
    pub x_px: f64,
    /// From the top.
    pub y_px: f64,
    /// Upper and lower edge of the plotted area.
    pub edges_px: (f64, f64),
}

/// Fits the canvas to its element and draws. A canvas too small for a chart is left empty.
pub fn draw(canvas: &HtmlCanvasElement, chart: &Chart, frame: &Frame) -> Result<(), ChartError> {
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
    with_plot(chart, frame, |plot| fleetlens_chart::draw(plot, &root))
}

/// What the pointer at a place of the canvas (CSS pixels) is over.
pub fn under(canvas: &HtmlCanvasElement, chart: &Chart, frame: &Frame, x_px: f64) -> Option<Under> {
    let scale = ratio();
    let (width_px, height_px) = device_size(canvas, scale);
    with_plot(chart, frame, |plot| {
        let geometry = Geometry::of(plot, width_px, height_px).ok()?;
        let bucket = *nearest(plot, x_px * scale, width_px, height_px)?;
        Some(Under {
            bucket,
            x_px: geometry.bucket_x_px(&bucket) / scale,
            y_px: geometry.y_px(bucket.mean())? / scale,
            edges_px: (geometry.top_px / scale, geometry.bottom_px / scale),
        })
    })
}

fn with_plot<T>(chart: &Chart, frame: &Frame, use_it: impl FnOnce(&Plot) -> T) -> T {
    let span_ms = i64::try_from(chart.span_ms).unwrap_or(i64::MAX);
    let marks: Vec<Mark> = chart.marks.iter().map(|mark| Mark { at_ms: mark.at_ms, label: &mark.label }).collect();
    use_it(&Plot {
        buckets: &chart.buckets,
        bucket_ms: chart.bucket_ms,
        gap_ms: chart.gap_ms,
        from_ms: WallMs(frame.until_ms.0.saturating_sub(span_ms)),
        until_ms: frame.until_ms,
        utc_offset_min: utc_offset_min(frame.until_ms),
        unit: "", // the heading names it
        decimals: chart.decimals,
        limits: chart.limits,
        marks: &marks,
        theme: theme(frame.ground),
        scale: ratio(),
        text: 1.0,
        font: FONT,
    })
}

fn theme(ground: &str) -> Theme {
    let colour = |name: &str, fallback: Rgb| rgb(&token(name)).unwrap_or(fallback);
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
