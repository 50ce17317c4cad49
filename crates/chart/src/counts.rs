//! How many there were, over time: columns or steps that stand on zero, with the numbers that should not be passed.

use fleetlens_model::time::WallMs;
use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{PathElement, Polygon};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use crate::brush::Brush;
use crate::draw::{backend, px, solid};
use crate::geometry::TEXT_CSS_PX;
use crate::ticks::{Clock, TimeTick, ValueAxis, clock_ticks, value_axis};
use crate::{ChartError, Rgb, Theme};

/// The least area, in CSS pixels.
const LEAST_CSS_PX: (f64, f64) = (160.0, 80.0);

const LINE_CSS_PX: f64 = 1.5;

/// Between the end of a goal's line and its name.
const NAME_GAP_CSS_PX: f64 = 8.0;

/// From one name to the next.
const NAME_ROW_CSS_PX: f64 = TEXT_CSS_PX + 2.0;

/// How the numbers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One column each: what happened within each stretch of time.
    Columns,
    /// A line in steps over an area: what was so at each moment.
    Steps,
}

/// A number that should not be passed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal<'a> {
    /// The number.
    pub value: f64,
    /// What it is called; written where its line ends.
    pub name: &'a str,
    /// The colour of its line, of its name, and of columns above it.
    pub colour: Rgb,
}

/// Numbers over time, with everything their picture depends on but the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts<'a> {
    /// How they are shown.
    pub shape: Shape,
    /// One after the other, at least 0; what is not finite is taken for 0.
    pub values: &'a [f64],
    /// When the first one begins; what lies outside the span is cut.
    pub begins_ms: WallMs,
    /// How long each is, in milliseconds, at least 1.
    pub each_ms: u64,
    /// Left edge.
    pub from_ms: WallMs,
    /// Right edge, after the left one.
    pub until_ms: WallMs,
    /// What the person's clock shows, from when on; see [`Clock`].
    pub clock: &'a [Clock],
    /// From the lowest to the highest. One is shown when a value comes above the one before it; the first always.
    pub goals: &'a [Goal<'a>],
    /// What is counted; written once over the numbers.
    pub unit: &'a str,
    /// The least room left and right of what is drawn, in CSS pixels: charts over each other with the same have their times over each
    /// other.
    pub margins: (f64, f64),
    /// Colours.
    pub theme: Theme,
    /// Device pixels per CSS pixel, above 0.
    pub scale: f64,
    /// As [`crate::Plot::text`].
    pub text: f64,
    /// As [`crate::Plot::font`].
    pub font: &'a str,
}

impl<'a> Counts<'a> {
    fn values(&self) -> impl Iterator<Item = f64> + use<'a> {
        self.values.iter().map(|value| if value.is_finite() { value.max(0.0) } else { 0.0 })
    }

    fn goals_shown(&self) -> impl Iterator<Item = &'a Goal<'a>> {
        let most = self.values().fold(0.0, f64::max);
        let before = std::iter::once(0.0).chain(self.goals.iter().map(|goal| goal.value));
        let first = self.goals.first().map(|goal| goal.value);
        self.goals
            .iter()
            .zip(before)
            .filter(move |(goal, before)| most > *before || Some(goal.value) == first)
            .map(|(g, _)| g)
    }

    /// The colour of a column: that of the highest goal it is above.
    fn colour_of(&self, value: f64) -> Rgb {
        let passed = self.goals.iter().rev().find(|goal| value > goal.value);
        passed.map_or(self.theme.line, |goal| goal.colour)
    }
}

/// Draws them over the whole of an area, ground included. The same counts on the same area give the same strokes.
pub fn draw_counts<DB: DrawingBackend>(counts: &Counts, root: &DrawingArea<DB, Shift>) -> Result<(), ChartError> {
    let brush = Brush { root, scale: counts.scale, text: counts.text, font: counts.font };
    let (width, height) = brush.check_room(LEAST_CSS_PX)?;
    if counts.until_ms <= counts.from_ms {
        return Err(ChartError::NoSpan { from_ms: counts.from_ms.0, until_ms: counts.until_ms.0 });
    }
    let css = |length: f64| brush.css(length);
    let (top, bottom) = (css(TEXT_CSS_PX + 9.0).round(), (height - css(TEXT_CSS_PX + 9.0)).round());
    let most = counts.values().chain(counts.goals_shown().map(|goal| goal.value)).fold(1.0, f64::max);
    let rows = ((bottom - top) / css(34.0)).round().clamp(1.0, 8.0) as usize;
    // Whole numbers at the axis: half an alarm is nothing that anybody counts.
    let values = value_axis(0.0, most, Some((0.0, f64::MAX)), 0, rows);
    let digits = values.ticks.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(0);
    let names = counts.goals_shown().map(|goal| brush.width_of(goal.name) + css(NAME_GAP_CSS_PX)).fold(0.0, f64::max);
    let left =
        css(digits.max(2) as f64 * TEXT_CSS_PX * 0.62 + 10.0).max(css(counts.margins.0)).round().min(width / 3.0);
    let right = (width - names.max(css(counts.margins.1)).max(css(2.0)).min(width / 3.0)).round();
    let columns = ((right - left) / css(72.0)).floor().max(1.0) as usize;
    let times = clock_ticks(counts.from_ms, counts.until_ms, counts.clock, columns);
    let pen = Pen { counts, brush, values, times, width, left, right, top, bottom };
    root.fill(&solid(counts.theme.ground)).map_err(backend)?;
    pen.grid()?;
    match counts.shape {
        Shape::Columns => pen.columns()?,
        Shape::Steps => pen.steps()?,
    }
    pen.goals()?;
    root.present().map_err(backend)
}

/// One drawing: what, where, on what. Lengths are device pixels.
struct Pen<'a, 'c, DB: DrawingBackend> {
    counts: &'a Counts<'c>,
    brush: Brush<'a, DB>,
    values: ValueAxis,
    times: Vec<TimeTick>,
    width: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl<DB: DrawingBackend> Pen<'_, '_, DB> {
    fn x_of(&self, at: WallMs) -> f64 {
        let span = self.counts.until_ms.0.saturating_sub(self.counts.from_ms.0) as f64;
        let part = at.0.saturating_sub(self.counts.from_ms.0) as f64 / span;
        self.left + part.clamp(0.0, 1.0) * (self.right - self.left)
    }

    fn y_of(&self, value: f64) -> f64 {
        self.bottom - (value / self.values.high).clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    /// Each value with its left and right edge.
    fn stretches(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let each_ms = i64::try_from(self.counts.each_ms.max(1)).unwrap_or(i64::MAX);
        (0_i64..).zip(self.counts.values()).map(move |(n, value)| {
            let from = self.counts.begins_ms.plus(each_ms.saturating_mul(n));
            (self.x_of(from), self.x_of(from.plus(each_ms)), value)
        })
    }

    fn grid(&self) -> Result<(), ChartError> {
        let (brush, theme) = (&self.brush, self.counts.theme);
        let (left, right, bottom) = (px(self.left), px(self.right), px(self.bottom));
        for tick in &self.values.ticks {
            let y = px(self.y_of(tick.value));
            if bottom - y > brush.hair() {
                brush.bar((left, y), (right, y + brush.hair()), theme.grid)?;
            }
            let at = (left - px(brush.css(8.0)), y);
            brush.words(&tick.label, at, theme.text, (HPos::Right, VPos::Center))?;
        }
        let at = (px(brush.css(1.0)), px(brush.css(1.0)));
        brush.words(self.counts.unit, at, theme.text, (HPos::Left, VPos::Top))?;
        for tick in &self.times {
            let x = self.x_of(tick.at_ms);
            brush.bar((px(x), bottom), (px(x) + brush.hair(), bottom + px(brush.css(4.0))), theme.envelope)?;
            // A label that would be cut by an edge is left out; its tick stays.
            let half = brush.width_of(&tick.label) / 2.0;
            if x - half >= 0.0 && x + half <= self.width {
                let at = (px(x), bottom + px(brush.css(7.0)));
                brush.words(&tick.label, at, theme.text, (HPos::Center, VPos::Top))?;
            }
        }
        Ok(())
    }

    fn columns(&self) -> Result<(), ChartError> {
        for (left, right, value) in self.stretches() {
            let (from, to) = (px(left), px(right));
            if value <= 0.0 || to <= from {
                continue;
            }
            // A gap between columns that are wide enough for one.
            let gap = if right - left >= self.brush.css(4.0) { self.brush.hair() } else { 0 };
            // Whatever happened is seen.
            let top = px(self.y_of(value)).min(px(self.bottom) - self.brush.hair());
            self.brush.bar((from + gap, top), (to, px(self.bottom)), self.counts.colour_of(value))?;
        }
        self.ground()
    }

    fn steps(&self) -> Result<(), ChartError> {
        let theme = self.counts.theme;
        let mut line: Vec<(i32, i32)> = Vec::new();
        for (left, right, value) in self.stretches() {
            let (from, to, y) = (px(left), px(right), px(self.y_of(value)));
            if to > from {
                line.extend([(from, y), (to, y)]);
            }
        }
        if let Some((first, last)) = line.first().zip(line.last()) {
            let foot = px(self.bottom);
            let area: Vec<(i32, i32)> =
                [(first.0, foot)].into_iter().chain(line.iter().copied()).chain([(last.0, foot)]).collect();
            self.brush.element(&Polygon::new(area, solid(theme.envelope).mix(Theme::ENVELOPE_ALPHA)))?;
            let width = u32::try_from(px(self.brush.css(LINE_CSS_PX))).unwrap_or(1).max(1);
            self.brush.element(&PathElement::new(line, solid(theme.line).stroke_width(width)))?;
        }
        self.ground()
    }

    /// The line on which everything stands, over what stands on it.
    fn ground(&self) -> Result<(), ChartError> {
        let bottom = px(self.bottom);
        self.brush.bar(
            (px(self.left), bottom),
            (px(self.right), bottom + self.brush.hair()),
            self.counts.theme.envelope,
        )
    }

    fn goals(&self) -> Result<(), ChartError> {
        let beside = px(self.right + self.brush.css(NAME_GAP_CSS_PX));
        let mut free_to = f64::INFINITY;
        for goal in self.counts.goals_shown() {
            let y = self.y_of(goal.value);
            self.brush.dashes(self.left, self.right, px(y), goal.colour)?;
            // From the lowest up, each at least a row above the one before.
            let at = y.min(free_to);
            self.brush.words(goal.name, (beside, px(at)), goal.colour, (HPos::Left, VPos::Center))?;
            free_to = at - self.brush.css(NAME_ROW_CSS_PX);
        }
        Ok(())
    }
}
