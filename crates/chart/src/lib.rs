//! Charts over any plotters backend: a canvas in the window, SVG in reports and goldens.
//!
//! What does not belong here: I/O, a clock, text layout that asks a browser, any sentence but the axes' labels. The same
//! [`Plot`] at the same size gives the same strokes, and [`geometry::Geometry`] tells a pointer where they are. [`Stretch`] is the
//! arithmetic of zooming and panning, [`draw_captioned`] a picture that is taken out of the program. For reports there are
//! [`Growth`] (how what was measured grows with something other than time), [`Counts`] (how many there were, over time) and [`Ranks`]
//! (what there is most of).
//!
//! Everything is laid out in device pixels, whole ones for hair lines, so that a grid is sharp at every [`Plot::scale`].

mod alarms;
mod brush;
mod caption;
mod counts;
mod draw;
pub mod geometry;
mod growth;
mod ranks;
mod series;
pub mod stretch;
mod ticks;

use fleetlens_model::downsample::Bucket;
use fleetlens_model::time::WallMs;
use thiserror::Error;

pub use crate::alarms::AlarmMark;
pub use crate::caption::{Caption, Entry, draw_captioned};
pub use crate::counts::{Counts, Goal, Shape, draw_counts};
pub use crate::draw::draw;
pub use crate::geometry::{Geometry, nearest};
pub use crate::growth::{Axis, Growth, Line, Scale, draw_growth};
pub use crate::ranks::{ROW_CSS_PX, Rank, Ranks, draw_ranks};
pub use crate::stretch::Stretch;
pub use crate::ticks::Clock;

/// Red, green, blue, each 0–255.
pub type Rgb = (u8, u8, u8);

/// The colours of a chart. None of them is the colour of what can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Behind everything; the whole area is filled with it.
    pub ground: Rgb,
    /// Hair lines.
    pub grid: Rgb,
    /// Labels; at least 4.5 : 1 on the ground.
    pub text: Rgb,
    /// The means.
    pub line: Rgb,
    /// Between the smallest and the largest value, drawn with [`Theme::ENVELOPE_ALPHA`].
    pub envelope: Rgb,
    /// Moments: wanted, not yet so.
    pub mark: Rgb,
}

impl Theme {
    /// How much of the envelope's colour lies over the ground, 0–1.
    pub const ENVELOPE_ALPHA: f64 = 0.24;

    /// On the drawer's dark ground.
    pub const DARK: Theme = Theme {
        ground: (21, 26, 33),
        grid: (38, 47, 58),
        text: (142, 155, 171),
        line: (201, 211, 222),
        envelope: (142, 155, 171),
        mark: (168, 139, 250),
    };

    /// On the drawer's light ground.
    pub const LIGHT: Theme = Theme {
        ground: (255, 255, 255),
        grid: (221, 227, 234),
        text: (86, 99, 115),
        line: (51, 64, 79),
        envelope: (86, 99, 115),
        mark: (107, 70, 214),
    };
}

/// A moment worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// When; outside the plot's span it is left out.
    pub at_ms: WallMs,
    /// What, in a few words, in a row of its own above the plotted area; left out where it would lie over another mark's words or
    /// the unit. May be empty.
    pub label: &'a str,
}

/// [`Plot::text`] for plotters' SVG backend, which writes a font size 1.24 times smaller than the one it is given.
pub const SVG_TEXT: f64 = 1.24;

/// The values of one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure<'a> {
    /// Their unit, written once; may be empty.
    pub unit: &'a str,
    /// Digits after the point that the values have; ticks are never finer.
    pub decimals: u8,
    /// The least and the greatest value there can be, where that is known: the axis does not go beyond them for headroom's sake.
    pub limits: Option<(f64, f64)>,
    /// The words for 0 and 1 where there is nothing else: what is drawn then is a band of states, not a line between numbers.
    pub states: Option<(&'a str, &'a str)>,
}

/// Which axis a trace is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// The one left of the plotted area.
    #[default]
    Left,
    /// The one right of it.
    Right,
}

/// How the means are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// One line.
    #[default]
    Solid,
    /// Dashes and the room between them, in CSS pixels, as thick as a line.
    Dashed(u8, u8),
    /// A thin dashed line without an envelope: of another time, behind what is now.
    Faint,
}

/// One series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trace<'a> {
    /// In the order of time; those outside the span are left out.
    pub buckets: &'a [Bucket],
    /// Width of a bucket, at least 1.
    pub bucket_ms: u64,
    /// A stretch longer than this without a bucket is a gap and stays one.
    pub gap_ms: u64,
    /// How much later than it was it is drawn: a week, where it is compared with now.
    pub shift_ms: i64,
    /// The axis it is measured by.
    pub side: Side,
    /// Its line.
    pub stroke: Stroke,
    /// Colour of the line.
    pub line: Rgb,
    /// Colour between the smallest and the largest value, drawn with [`Theme::ENVELOPE_ALPHA`].
    pub envelope: Rgb,
}

impl Trace<'_> {
    /// Whether two neighbours belong to one stretch, so that a line joins them.
    pub(crate) fn are_joined(&self, earlier: &Bucket, later: &Bucket) -> bool {
        let apart_ms = u64::try_from(later.start_ms.0.saturating_sub(earlier.start_ms.0)).unwrap_or(0);
        apart_ms.saturating_sub(self.bucket_ms) <= self.gap_ms
    }
}

/// Series over a stretch of time, with everything their picture depends on but the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plot<'a> {
    /// What is drawn; the later ones lie over the earlier ones.
    pub traces: &'a [Trace<'a>],
    /// The axis left.
    pub left: Measure<'a>,
    /// The axis right, where there is a second one.
    pub right: Option<Measure<'a>>,
    /// Left edge.
    pub from_ms: WallMs,
    /// Right edge, after the left one.
    pub until_ms: WallMs,
    /// What the person's clock shows more than UTC, in minutes. One for the whole span: on the two days a year when clocks
    /// change, one side is labelled an hour off.
    pub utc_offset_min: i32,
    /// Moments, in any order.
    pub marks: &'a [Mark<'a>],
    /// Alarms, in any order; they have a lane of their own under the axis of time.
    pub alarms: &'a [AlarmMark],
    /// Colours.
    pub theme: Theme,
    /// Device pixels per CSS pixel, above 0.
    pub scale: f64,
    /// What the backend's text size is multiplied with, so that a label is as tall as it says: 1 on a canvas, [`SVG_TEXT`] in SVG.
    pub text: f64,
    /// Family of the labels as CSS names it, e.g. `Inter Variable, sans-serif`.
    pub font: &'a str,
}

impl<'a> Plot<'a> {
    /// Whether nothing is known of the span: [`draw`] then shows only the time axis, and the words are the caller's.
    pub fn is_empty(&self) -> bool {
        self.traces.iter().all(|trace| self.visible(trace).next().is_none())
    }

    /// How an axis measures; nothing for the right one where there is none.
    pub(crate) fn measure(&self, side: Side) -> Option<Measure<'a>> {
        match side {
            Side::Left => Some(self.left),
            Side::Right => self.right,
        }
    }

    /// The marks within the span, in the order of time.
    fn marks_shown(&self) -> Vec<&'a Mark<'a>> {
        let (from, until) = (self.from_ms, self.until_ms);
        let mut marks: Vec<&Mark> =
            self.marks.iter().filter(|mark| mark.at_ms >= from && mark.at_ms <= until).collect();
        marks.sort_by_key(|mark| mark.at_ms);
        marks
    }

    /// The buckets of a trace that reach into the span and hold a finite mean.
    fn visible(&self, trace: &Trace<'a>) -> impl Iterator<Item = &'a Bucket> + use<'a> {
        let width_ms = i64::try_from(trace.bucket_ms.max(1)).unwrap_or(i64::MAX);
        let (from, until) =
            (self.from_ms.0.saturating_sub(trace.shift_ms), self.until_ms.0.saturating_sub(trace.shift_ms));
        trace.buckets.iter().filter(move |bucket| {
            bucket.start_ms.0.saturating_add(width_ms) > from
                && bucket.start_ms.0 <= until
                && bucket.mean().is_finite()
                && bucket.min.is_finite()
                && bucket.max.is_finite()
        })
    }
}

/// Why a chart could not be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChartError {
    /// There is less room than a line needs.
    #[error("a chart of {width_px}×{height_px} px has no room; it needs at least 60×40 CSS px")]
    NoRoom {
        /// Width given, in device pixels.
        width_px: u32,
        /// Height given, in device pixels.
        height_px: u32,
    },
    /// The right edge is not after the left one.
    #[error("a chart from {from_ms} until {until_ms} has no span; its end must be after its start")]
    NoSpan {
        /// Left edge given, epoch milliseconds.
        from_ms: i64,
        /// Right edge given, epoch milliseconds.
        until_ms: i64,
    },
    /// The scale is no positive number.
    #[error("a chart needs device pixels per CSS pixel above 0")]
    NoScale,
    /// The backend refused a stroke.
    #[error("the chart could not be drawn: {0}")]
    Backend(String),
}
