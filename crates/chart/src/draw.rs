//! The strokes.

use fleetlens_model::downsample::Bucket;
use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};

use crate::geometry::TEXT_CSS_PX;
use crate::{ChartError, Geometry, Plot, Rgb, Theme};

/// Widths and distances, in CSS pixels.
const LINE_CSS_PX: f64 = 1.5;
const DOT_CSS_PX: f64 = 2.5;
const DASH_CSS_PX: (f64, f64) = (3.0, 3.0);
const GAP_OF_WORDS_CSS_PX: f64 = 5.0;

/// Draws a plot over the whole of an area, ground included. The same plot on the same area gives the same strokes.
pub fn draw<DB: DrawingBackend>(plot: &Plot, root: &DrawingArea<DB, Shift>) -> Result<(), ChartError> {
    let (width_px, height_px) = root.dim_in_pixel();
    let geometry = Geometry::of(plot, width_px, height_px)?;
    let pen = Pen { plot, geometry: &geometry, root, width_px };
    root.fill(&solid(plot.theme.ground)).map_err(backend)?;
    pen.grid()?;
    pen.series()?;
    pen.marks()?;
    root.present().map_err(backend)
}

/// One drawing: what, where, on what.
struct Pen<'a, 'p, DB: DrawingBackend> {
    plot: &'a Plot<'p>,
    geometry: &'a Geometry,
    root: &'a DrawingArea<DB, Shift>,
    width_px: u32,
}

impl<DB: DrawingBackend> Pen<'_, '_, DB> {
    fn css(&self, px: f64) -> f64 {
        px * self.plot.scale
    }

    /// A hair line's width: one CSS pixel, at least one device pixel.
    fn hair(&self) -> i32 {
        px(self.css(1.0)).max(1)
    }

    fn grid(&self) -> Result<(), ChartError> {
        let (g, theme) = (self.geometry, self.plot.theme);
        let (left, right) = (px(g.left_px), px(g.right_px));
        for tick in g.values.iter().flat_map(|axis| &axis.ticks) {
            let Some(y) = g.y_px(tick.value).map(px) else { continue };
            // Two hair lines almost on each other look like a mistake: the axis itself stands in for the lowest one.
            if g.bottom_px - f64::from(y) > self.css(4.0) {
                self.bar((left, y), (right, y + self.hair()), theme.grid)?;
            }
            let at = (left - px(self.css(6.0)), y);
            self.words(&tick.label, at, theme.text, Pos::new(HPos::Right, VPos::Center))?;
        }
        let bottom = px(g.bottom_px);
        self.bar((left, bottom), (right, bottom + self.hair()), theme.grid)?;
        for tick in &g.times {
            let x = px(g.x_px(tick.at_ms));
            self.bar((x, bottom), (x + self.hair(), bottom + px(self.css(4.0))), theme.grid)?;
            // A label that would be cut by an edge is left out; its tick stays.
            let half = self.width_of(&tick.label) / 2.0;
            if f64::from(x) - half >= 0.0 && f64::from(x) + half <= f64::from(self.width_px) {
                let at = (x, bottom + px(self.css(6.0)));
                self.words(&tick.label, at, theme.text, Pos::new(HPos::Center, VPos::Top))?;
            }
        }
        if g.values.is_some() && !self.plot.unit.is_empty() {
            let at = (px(self.unit_begins_at()), px(self.css(2.0)));
            self.words(self.plot.unit, at, theme.text, Pos::new(HPos::Left, VPos::Top))?;
        }
        Ok(())
    }

    fn series(&self) -> Result<(), ChartError> {
        let mut stretch: Vec<&Bucket> = Vec::new();
        for bucket in self.plot.visible() {
            if stretch.last().is_some_and(|last| !self.plot.are_joined(last, bucket)) {
                self.stretch(&stretch)?;
                stretch.clear();
            }
            stretch.push(bucket);
        }
        self.stretch(&stretch)
    }

    /// Buckets without a gap between them: the envelope, over it the means. One alone is a dot and, if it has a height, a bar.
    fn stretch(&self, buckets: &[&Bucket]) -> Result<(), ChartError> {
        let theme = self.plot.theme;
        let at = |bucket: &Bucket, value: f64| {
            let y_px = self.geometry.y_px(value).unwrap_or(self.geometry.bottom_px);
            (px(self.geometry.bucket_x_px(bucket)), px(y_px))
        };
        let envelope = solid(theme.envelope).mix(Theme::ENVELOPE_ALPHA);
        match buckets {
            [] => Ok(()),
            [only] => {
                let ((x, low), (_, high)) = (at(only, only.min), at(only, only.max));
                if low != high {
                    let half = px(self.css(DOT_CSS_PX));
                    self.element(&Rectangle::new([(x - half, high), (x + half, low)], envelope.filled()))?;
                }
                let dot =
                    Circle::new(at(only, only.mean()), px(self.css(DOT_CSS_PX)).max(1), solid(theme.line).filled());
                self.element(&dot)
            }
            many => {
                if many.iter().any(|bucket| at(bucket, bucket.min) != at(bucket, bucket.max)) {
                    let over = many.iter().map(|bucket| at(bucket, bucket.max));
                    let under = many.iter().rev().map(|bucket| at(bucket, bucket.min));
                    self.element(&Polygon::new(over.chain(under).collect::<Vec<_>>(), envelope))?;
                }
                let means: Vec<_> = many.iter().map(|bucket| at(bucket, bucket.mean())).collect();
                let width = u32::try_from(px(self.css(LINE_CSS_PX))).unwrap_or(1).max(1);
                self.element(&PathElement::new(means, solid(theme.line).stroke_width(width)))
            }
        }
    }

    fn marks(&self) -> Result<(), ChartError> {
        let (g, theme) = (self.geometry, self.plot.theme);
        let marks = self.plot.marks_shown();
        let (gap, at_y) = (self.css(GAP_OF_WORDS_CSS_PX), px(self.css(2.0)));
        let mut free_from = self.unit_ends_at() + gap;
        for (i, mark) in marks.iter().enumerate() {
            let x = g.x_px(mark.at_ms);
            self.dashes(px(x))?;
            let width = self.width_of(mark.label);
            let next = marks.get(i + 1).map_or(f64::from(self.width_px), |next| g.x_px(next.at_ms) - gap);
            let (right_of, left_of) = (x + gap, x - gap - width);
            if mark.label.is_empty() {
                continue;
            } else if right_of >= free_from && right_of + width <= next {
                self.words(mark.label, (px(right_of), at_y), theme.mark, Pos::new(HPos::Left, VPos::Top))?;
                free_from = right_of + width + gap;
            } else if left_of >= free_from {
                self.words(mark.label, (px(x - gap), at_y), theme.mark, Pos::new(HPos::Right, VPos::Top))?;
                free_from = x + gap;
            }
        }
        Ok(())
    }

    /// Where the unit begins, from left: over the digits when it is short, and it runs on to the right when it is not.
    fn unit_begins_at(&self) -> f64 {
        let over_digits = self.geometry.left_px - self.css(6.0) - self.width_of(self.plot.unit);
        over_digits.max(self.css(2.0))
    }

    /// Where the words of marks may begin, from left.
    fn unit_ends_at(&self) -> f64 {
        if self.plot.unit.is_empty() || self.geometry.values.is_none() {
            0.0
        } else {
            self.unit_begins_at() + self.width_of(self.plot.unit)
        }
    }

    /// A dashed line from its words to the bottom, of bars, since backends dash differently.
    fn dashes(&self, x: i32) -> Result<(), ChartError> {
        let (dash, period) = (px(self.css(DASH_CSS_PX.0)).max(1), px(self.css(DASH_CSS_PX.0 + DASH_CSS_PX.1)).max(2));
        let (top, bottom) = (px(self.css(2.0)), px(self.geometry.bottom_px));
        let mut y = top;
        while y < bottom {
            self.bar((x, y), (x + self.hair(), (y + dash).min(bottom)), self.plot.theme.mark)?;
            y += period;
        }
        Ok(())
    }

    /// A filled rectangle: sharp on every backend, which a line on whole coordinates is not on a canvas.
    fn bar(&self, from: (i32, i32), to: (i32, i32), colour: Rgb) -> Result<(), ChartError> {
        self.element(&Rectangle::new([from, to], solid(colour).filled()))
    }

    fn words(&self, text: &str, at: (i32, i32), colour: Rgb, anchor: Pos) -> Result<(), ChartError> {
        let colour = solid(colour);
        let font = (self.plot.font, self.css(TEXT_CSS_PX) * self.plot.text).into_font();
        let style = TextStyle::from(font).color(&colour).pos(anchor);
        self.element(&Text::new(text, at, style))
    }

    /// About how wide a label is: measuring would ask the page for a layout at every label.
    fn width_of(&self, text: &str) -> f64 {
        self.css(text.chars().count() as f64 * TEXT_CSS_PX * 0.56)
    }

    fn element<'e, E>(&self, element: &'e E) -> Result<(), ChartError>
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<DB>,
    {
        self.root.draw(element).map_err(backend)
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
