//! The strokes of one series: an envelope with the means over it, or a band of states.

use fleetlens_model::downsample::Bucket;
use plotters::backend::DrawingBackend;
use plotters::element::{Circle, DashedPathElement, PathElement, Polygon, Rectangle};
use plotters::style::Color;

use crate::brush::Brush;
use crate::draw::{px, solid};
use crate::{ChartError, Geometry, Plot, Rgb, Stroke, Theme, Trace};

/// Widths, in CSS pixels.
const LINE_CSS_PX: f64 = 1.5;
const FAINT_CSS_PX: f64 = 1.0;
const DOT_CSS_PX: f64 = 2.5;

/// Of a faint line.
const FAINT_DASH: (u8, u8) = (3, 3);

/// How much of a state's colour lies over the ground, 0–1; between the means and the greatest value it is an envelope's.
const STATE_ALPHA: f64 = 0.5;

/// Draws a trace, stretch by stretch.
pub(crate) fn draw<DB: DrawingBackend>(
    trace: &Trace,
    plot: &Plot,
    geometry: &Geometry,
    brush: &Brush<'_, DB>,
) -> Result<(), ChartError> {
    let Some(axis) = geometry.axis(trace.side) else { return Ok(()) };
    // Where values beyond the two states were said, they are numbers after all, and so is the axis.
    let states = plot.measure(trace.side).and_then(|measure| measure.states);
    let is_band = states.is_some() && axis.high < 2.0 && axis.low > -1.0 && axis.ticks.len() == 2;
    let pen = Pen { trace, geometry, brush, is_band };
    let mut stretch: Vec<&Bucket> = Vec::new();
    for bucket in plot.visible(trace) {
        if stretch.last().is_some_and(|last| !trace.are_joined(last, bucket)) {
            pen.stretch(&stretch)?;
            stretch.clear();
        }
        stretch.push(bucket);
    }
    pen.stretch(&stretch)
}

/// A line as a stroke has it.
pub(crate) fn line<DB: DrawingBackend>(
    brush: &Brush<'_, DB>,
    points: &[(i32, i32)],
    colour: Rgb,
    stroke: Stroke,
) -> Result<(), ChartError> {
    let css = |length: f64| u32::try_from(px(brush.css(length))).unwrap_or(1).max(1);
    let dashed = |(dash, room): (u8, u8), width: f64| {
        let (dash, room) = (css(f64::from(dash)), css(f64::from(room)));
        let style = solid(colour).stroke_width(css(width));
        brush.element(&DashedPathElement::new(points.iter().copied(), dash, room, style))
    };
    match stroke {
        Stroke::Solid => brush.element(&PathElement::new(points, solid(colour).stroke_width(css(LINE_CSS_PX)))),
        Stroke::Dashed(dash, room) => dashed((dash, room), LINE_CSS_PX),
        Stroke::Faint => dashed(FAINT_DASH, FAINT_CSS_PX),
    }
}

struct Pen<'a, 'p, DB: DrawingBackend> {
    trace: &'a Trace<'p>,
    geometry: &'a Geometry,
    brush: &'a Brush<'a, DB>,
    is_band: bool,
}

impl<DB: DrawingBackend> Pen<'_, '_, DB> {
    fn y(&self, value: f64) -> i32 {
        px(self.geometry.y_px(self.trace.side, value).unwrap_or(self.geometry.bottom_px))
    }

    fn at(&self, bucket: &Bucket, value: f64) -> (i32, i32) {
        (px(self.geometry.bucket_x_px(self.trace, bucket)), self.y(value))
    }

    /// Buckets without a gap between them: the envelope, over it the means. One alone is a dot and, if it has a height, a bar.
    fn stretch(&self, buckets: &[&Bucket]) -> Result<(), ChartError> {
        if self.is_band {
            return self.band(buckets);
        }
        let (trace, brush) = (self.trace, self.brush);
        let envelope = solid(trace.envelope).mix(Theme::ENVELOPE_ALPHA);
        let has_envelope = trace.stroke != Stroke::Faint;
        match buckets {
            [] => Ok(()),
            [only] => {
                let ((x, low), (_, high)) = (self.at(only, only.min), self.at(only, only.max));
                if has_envelope && low != high {
                    let half = px(brush.css(DOT_CSS_PX));
                    brush.element(&Rectangle::new([(x - half, high), (x + half, low)], envelope.filled()))?;
                }
                let radius = px(brush.css(DOT_CSS_PX)).max(1);
                brush.element(&Circle::new(self.at(only, only.mean()), radius, solid(trace.line).filled()))
            }
            many => {
                if has_envelope && many.iter().any(|bucket| self.at(bucket, bucket.min) != self.at(bucket, bucket.max))
                {
                    let over = many.iter().map(|bucket| self.at(bucket, bucket.max));
                    let under = many.iter().rev().map(|bucket| self.at(bucket, bucket.min));
                    brush.element(&Polygon::new(over.chain(under).collect::<Vec<_>>(), envelope))?;
                }
                let means: Vec<_> = many.iter().map(|bucket| self.at(bucket, bucket.mean())).collect();
                line(brush, &means, trace.line, trace.stroke)
            }
        }
    }

    /// States: each bucket as wide as it lasts and as high as the share of its samples that were so. Full is on all the time.
    fn band(&self, buckets: &[&Bucket]) -> Result<(), ChartError> {
        let (trace, geometry, brush) = (self.trace, self.geometry, self.brush);
        let width_ms = i64::try_from(trace.bucket_ms.max(1)).unwrap_or(i64::MAX);
        let x = |at| px(geometry.x_px(at));
        let mut edge = Vec::with_capacity(buckets.len() * 2);
        for (nth, bucket) in buckets.iter().enumerate() {
            let begins = bucket.start_ms.plus(trace.shift_ms);
            // What was said holds until something else is said.
            let ends = buckets.get(nth + 1).map_or(begins.plus(width_ms), |next| next.start_ms.plus(trace.shift_ms));
            let (left, right) = (x(begins), x(ends));
            let (off, mean, most) = (self.y(0.0), self.y(bucket.mean()), self.y(bucket.max));
            if trace.stroke != Stroke::Faint && right > left {
                if most < mean {
                    let colour = solid(trace.envelope).mix(Theme::ENVELOPE_ALPHA);
                    brush.element(&Rectangle::new([(left, most), (right, mean)], colour.filled()))?;
                }
                if mean < off {
                    let colour = solid(trace.envelope).mix(STATE_ALPHA);
                    brush.element(&Rectangle::new([(left, mean), (right, off)], colour.filled()))?;
                }
            }
            edge.extend([(left, mean), (right, mean)]);
        }
        if edge.is_empty() { Ok(()) } else { line(brush, &edge, trace.line, trace.stroke) }
    }
}
