//! Where a chart's strokes are, for drawing them and for the pointer that asks what it is over.

use fleetlens_model::downsample::Bucket;
use fleetlens_model::time::WallMs;

use crate::alarms;
use crate::ticks::{self, TimeTick, ValueAxis};
use crate::{ChartError, Plot, Side, Trace};

/// Size of the labels, in CSS pixels.
pub(crate) const TEXT_CSS_PX: f64 = 11.0;

/// Width of a digit of that size, in CSS pixels: 0.6 em in Inter's tabular figures, rounded up for other fonts.
const DIGIT_CSS_PX: f64 = 6.8;

/// How far a pointer may be from a value that stands alone, in CSS pixels.
const REACH_CSS_PX: f64 = 16.0;

/// The least area a chart can be drawn on, in CSS pixels.
const LEAST_CSS_PX: (f64, f64) = (60.0, 40.0);

/// A chart laid out at one size. All lengths are device pixels from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// Left edge of the plotted area; labels of values stand left of it.
    pub left_px: f64,
    /// Right edge.
    pub right_px: f64,
    /// Upper edge; the unit and the words of marks stand above it.
    pub top_px: f64,
    /// Lower edge; labels of time stand below it.
    pub bottom_px: f64,
    /// Height of the lane of alarms under the axis of time; 0 where there is none.
    pub lane_px: f64,
    pub(crate) left: Option<ValueAxis>,
    pub(crate) right: Option<ValueAxis>,
    pub(crate) times: Vec<TimeTick>,
    from_ms: WallMs,
    until_ms: WallMs,
}

impl Geometry {
    /// Lays a plot out. Fails when the area, the span or the scale leaves nothing to draw on.
    pub fn of(plot: &Plot, width_px: u32, height_px: u32) -> Result<Geometry, ChartError> {
        if !(plot.scale.is_finite() && plot.scale > 0.0) {
            return Err(ChartError::NoScale);
        }
        if plot.until_ms <= plot.from_ms {
            return Err(ChartError::NoSpan { from_ms: plot.from_ms.0, until_ms: plot.until_ms.0 });
        }
        let css = |px: f64| px * plot.scale;
        let (width, height) = (f64::from(width_px), f64::from(height_px));
        if width < css(LEAST_CSS_PX.0) || height < css(LEAST_CSS_PX.1) {
            return Err(ChartError::NoRoom { width_px, height_px });
        }
        // The unit and the words of marks have a row of their own: nothing is written over the line.
        let units = [Some(plot.left), plot.right].into_iter().flatten().map(|measure| measure.unit);
        let has_words = units.into_iter().any(|unit| !unit.is_empty())
            || plot.marks_shown().iter().any(|mark| !mark.label.is_empty());
        let top_px = css(if has_words { TEXT_CSS_PX + 7.0 } else { 6.0 }).round();
        let lane_px = if alarms::shown(plot).next().is_some() { css(alarms::LANE_CSS_PX).round() } else { 0.0 };
        let bottom_px = (height - css(TEXT_CSS_PX + 8.0) - lane_px).round();
        let axis = |side| value_axis(plot, side, (bottom_px - top_px) / plot.scale);
        let (left, right) = (axis(Side::Left), axis(Side::Right));
        let margin = |axis: &Option<ValueAxis>| {
            // At least three digits, so that a line does not jump sideways when its values grow from 9 to 100.
            let digits = axis.iter().flat_map(|v| &v.ticks).map(|t| t.label.chars().count()).max().unwrap_or(0);
            css(digits.max(3) as f64 * DIGIT_CSS_PX + 8.0).round()
        };
        let left_px = margin(&left).min(width / 2.0);
        let right_px = (width - if right.is_some() { margin(&right).min(width / 4.0) } else { css(6.0) }).round();
        let most = ((right_px - left_px) / css(64.0)).floor().max(1.0) as usize;
        let times = ticks::time_ticks(plot.from_ms, plot.until_ms, plot.utc_offset_min, most);
        Ok(Geometry {
            left_px,
            right_px,
            top_px,
            bottom_px,
            lane_px,
            left,
            right,
            times,
            from_ms: plot.from_ms,
            until_ms: plot.until_ms,
        })
    }

    /// Where a moment is, from left; outside the span it lies on the edge.
    pub fn x_px(&self, at: WallMs) -> f64 {
        let span = self.until_ms.0.saturating_sub(self.from_ms.0) as f64;
        let part = (at.0.saturating_sub(self.from_ms.0) as f64 / span).clamp(0.0, 1.0);
        self.left_px + part * (self.right_px - self.left_px)
    }

    /// Which moment lies at a distance from left; left and right of the plotted area it is the span's edge.
    pub fn time_at(&self, x_px: f64) -> WallMs {
        let part = ((x_px - self.left_px) / (self.right_px - self.left_px)).clamp(0.0, 1.0);
        let span = self.until_ms.0.saturating_sub(self.from_ms.0) as f64;
        self.from_ms.plus((part * span).round() as i64)
    }

    /// Where a value of an axis is, from the top; `None` when nothing is known, and therefore no scale.
    pub fn y_px(&self, side: Side, value: f64) -> Option<f64> {
        let axis = self.axis(side)?;
        let part = ((value - axis.low) / (axis.high - axis.low)).clamp(0.0, 1.0);
        Some(self.bottom_px - part * (self.bottom_px - self.top_px))
    }

    pub(crate) fn axis(&self, side: Side) -> Option<&ValueAxis> {
        match side {
            Side::Left => self.left.as_ref(),
            Side::Right => self.right.as_ref(),
        }
    }

    /// Where a bucket of a trace is, from left: its middle, for the newest one no later than the right edge.
    pub fn bucket_x_px(&self, trace: &Trace, bucket: &Bucket) -> f64 {
        let half_ms = i64::try_from(trace.bucket_ms.max(1) / 2).unwrap_or(i64::MAX);
        self.x_px(bucket.start_ms.plus(half_ms).plus(trace.shift_ms))
    }
}

/// The scale of an axis' values within the span, labelled about every 34 CSS pixels; the words of its states where it has those.
fn value_axis(plot: &Plot, side: Side, height_css_px: f64) -> Option<ValueAxis> {
    let measure = plot.measure(side)?;
    let traces = plot.traces.iter().filter(|trace| trace.side == side);
    let (min, max) =
        traces.flat_map(|trace| plot.visible(trace)).fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), bucket| {
            (min.min(bucket.min).min(bucket.mean()), max.max(bucket.max).max(bucket.mean()))
        });
    if min > max {
        return None;
    }
    if let Some((off, on)) = measure.states.filter(|_| min >= 0.0 && max <= 1.0) {
        return Some(ticks::state_axis(off, on));
    }
    let most = (height_css_px / 34.0).round().clamp(1.0, 8.0) as usize;
    Some(ticks::value_axis(min, max, measure.limits, measure.decimals, most))
}

/// The bucket of a trace that a pointer is over, by the geometry [`crate::draw()`] draws with: within a stretch the nearest one;
/// where nothing is known, `None`, except close to an end or to a value that stands alone. `None` too where nothing could be drawn.
pub fn nearest<'a>(plot: &Plot<'a>, nth: usize, x_px: f64, width_px: u32, height_px: u32) -> Option<&'a Bucket> {
    let geometry = Geometry::of(plot, width_px, height_px).ok()?;
    let trace = plot.traces.get(nth)?;
    let (mut before, mut after) = (None, None);
    for bucket in plot.visible(trace) {
        if geometry.bucket_x_px(trace, bucket) <= x_px {
            before = Some(bucket);
        } else {
            after = Some(bucket);
            break;
        }
    }
    let away = |bucket: &Bucket| (geometry.bucket_x_px(trace, bucket) - x_px).abs();
    let close = |bucket: &&Bucket| away(bucket) <= REACH_CSS_PX * plot.scale;
    match (before, after) {
        (Some(before), Some(after)) => {
            let nearer = if away(before) <= away(after) { before } else { after };
            Some(nearer).filter(|bucket| trace.are_joined(before, after) || close(bucket))
        }
        (Some(only), None) | (None, Some(only)) => Some(only).filter(close),
        (None, None) => None,
    }
}
