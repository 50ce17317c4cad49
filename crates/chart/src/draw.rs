//! The strokes.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use crate::brush::Brush;
use crate::ticks::ValueAxis;
use crate::{ChartError, Geometry, Plot, Rgb, Side, alarms, series};

/// Distances, in CSS pixels.
const DASH_CSS_PX: (f64, f64) = (3.0, 3.0);
const GAP_OF_WORDS_CSS_PX: f64 = 5.0;

/// Draws a plot over the whole of an area, ground included. The same plot on the same area gives the same strokes.
pub fn draw<DB: DrawingBackend>(plot: &Plot, root: &DrawingArea<DB, Shift>) -> Result<(), ChartError> {
    let (width_px, height_px) = root.dim_in_pixel();
    Geometry::of(plot, width_px, height_px)?;
    root.fill(&solid(plot.theme.ground)).map_err(backend)?;
    draw_over(plot, root)?;
    root.present().map_err(backend)
}

/// The same on a ground that is there.
pub(crate) fn draw_over<DB: DrawingBackend>(plot: &Plot, root: &DrawingArea<DB, Shift>) -> Result<(), ChartError> {
    let (width_px, height_px) = root.dim_in_pixel();
    let geometry = Geometry::of(plot, width_px, height_px)?;
    let brush = Brush { root, scale: plot.scale, text: plot.text, font: plot.font };
    let pen = Pen { plot, geometry: &geometry, brush: &brush, width_px };
    pen.grid()?;
    for trace in plot.traces {
        series::draw(trace, plot, &geometry, &brush)?;
    }
    alarms::draw(plot, &geometry, &brush)?;
    pen.marks()
}

/// One drawing: what, where, on what.
struct Pen<'a, 'p, DB: DrawingBackend> {
    plot: &'a Plot<'p>,
    geometry: &'a Geometry,
    brush: &'a Brush<'a, DB>,
    width_px: u32,
}

impl<DB: DrawingBackend> Pen<'_, '_, DB> {
    fn css(&self, px: f64) -> f64 {
        self.brush.css(px)
    }

    fn grid(&self) -> Result<(), ChartError> {
        let (g, theme, brush) = (self.geometry, self.plot.theme, self.brush);
        // Of two axes the left one has the lines; with both, nobody knows which line is whose.
        if let Some(axis) = &g.left {
            self.values(axis, Side::Left, true)?;
        }
        if let Some(axis) = &g.right {
            self.values(axis, Side::Right, g.left.is_none())?;
        }
        let bottom = px(g.bottom_px);
        brush.bar((px(g.left_px), bottom), (px(g.right_px), bottom + brush.hair()), theme.grid)?;
        for tick in &g.times {
            let x = px(g.x_px(tick.at_ms));
            brush.bar((x, bottom), (x + brush.hair(), bottom + px(self.css(4.0))), theme.grid)?;
            // A label that would be cut by an edge is left out; its tick stays.
            let half = brush.width_of(&tick.label) / 2.0;
            if f64::from(x) - half >= 0.0 && f64::from(x) + half <= f64::from(self.width_px) {
                let at = (x, bottom + px(self.css(6.0) + g.lane_px));
                brush.words(&tick.label, at, theme.text, (HPos::Center, VPos::Top))?;
            }
        }
        if g.left.is_some() && !self.plot.left.unit.is_empty() {
            let at = (px(self.unit_begins_at()), px(self.css(2.0)));
            brush.words(self.plot.left.unit, at, theme.text, (HPos::Left, VPos::Top))?;
        }
        match (&g.right, self.plot.right) {
            (Some(_), Some(right)) if !right.unit.is_empty() => {
                let at = (self.width(), px(self.css(2.0)));
                brush.words(right.unit, at, theme.text, (HPos::Right, VPos::Top))
            }
            _ => Ok(()),
        }
    }

    /// Right edge of the area, with a little room.
    fn width(&self) -> i32 {
        i32::try_from(self.width_px).unwrap_or(i32::MAX) - px(self.css(2.0))
    }

    fn values(&self, axis: &ValueAxis, side: Side, has_lines: bool) -> Result<(), ChartError> {
        let (g, theme, brush) = (self.geometry, self.plot.theme, self.brush);
        let (left, right) = (px(g.left_px), px(g.right_px));
        for tick in &axis.ticks {
            let Some(y) = g.y_px(side, tick.value).map(px) else { continue };
            // Two hair lines almost on each other look like a mistake: the axis itself stands in for the lowest one.
            if has_lines && g.bottom_px - f64::from(y) > self.css(4.0) {
                brush.bar((left, y), (right, y + brush.hair()), theme.grid)?;
            }
            let (x, anchor) = match side {
                Side::Left => (left - px(self.css(6.0)), HPos::Right),
                Side::Right => (right + px(self.css(6.0)), HPos::Left),
            };
            brush.words(&tick.label, (x, y), theme.text, (anchor, VPos::Center))?;
        }
        Ok(())
    }

    fn marks(&self) -> Result<(), ChartError> {
        let (g, theme) = (self.geometry, self.plot.theme);
        let marks = self.plot.marks_shown();
        let (gap, at_y) = (self.css(GAP_OF_WORDS_CSS_PX), px(self.css(2.0)));
        let mut free_from = self.unit_ends_at() + gap;
        for (i, mark) in marks.iter().enumerate() {
            let x = g.x_px(mark.at_ms);
            self.dashes(px(x))?;
            let width = self.brush.width_of(mark.label);
            let next = marks.get(i + 1).map_or(self.unit_right_begins_at(), |next| g.x_px(next.at_ms) - gap);
            let (right_of, left_of) = (x + gap, x - gap - width);
            if mark.label.is_empty() {
                continue;
            } else if right_of >= free_from && right_of + width <= next {
                self.brush.words(mark.label, (px(right_of), at_y), theme.mark, (HPos::Left, VPos::Top))?;
                free_from = right_of + width + gap;
            } else if left_of >= free_from {
                self.brush.words(mark.label, (px(x - gap), at_y), theme.mark, (HPos::Right, VPos::Top))?;
                free_from = x + gap;
            }
        }
        Ok(())
    }

    /// Where the unit begins, from left: over the digits when it is short, and it runs on to the right when it is not.
    fn unit_begins_at(&self) -> f64 {
        let over_digits = self.geometry.left_px - self.css(6.0) - self.brush.width_of(self.plot.left.unit);
        over_digits.max(self.css(2.0))
    }

    /// Where the words of marks may begin, from left.
    fn unit_ends_at(&self) -> f64 {
        if self.plot.left.unit.is_empty() || self.geometry.left.is_none() {
            0.0
        } else {
            self.unit_begins_at() + self.brush.width_of(self.plot.left.unit)
        }
    }

    /// Where the words of marks must end, from left.
    fn unit_right_begins_at(&self) -> f64 {
        match (&self.geometry.right, self.plot.right) {
            (Some(_), Some(right)) => f64::from(self.width()) - self.brush.width_of(right.unit),
            _ => f64::from(self.width_px),
        }
    }

    /// A dashed line from its words to the bottom, of bars, since backends dash differently.
    fn dashes(&self, x: i32) -> Result<(), ChartError> {
        let (dash, period) = (px(self.css(DASH_CSS_PX.0)).max(1), px(self.css(DASH_CSS_PX.0 + DASH_CSS_PX.1)).max(2));
        let (top, bottom) = (px(self.css(2.0)), px(self.geometry.bottom_px));
        let mut y = top;
        while y < bottom {
            let to = (x + self.brush.hair(), (y + dash).min(bottom));
            self.brush.bar((x, y), to, self.plot.theme.mark)?;
            y += period;
        }
        Ok(())
    }
}

/// The nearest whole pixel.
pub(crate) fn px(length: f64) -> i32 {
    length.round() as i32
}

pub(crate) fn solid((r, g, b): Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

pub(crate) fn backend<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> ChartError {
    ChartError::Backend(error.to_string())
}
