//! The strokes that charts of counts share: whole pixels, sharp on every backend.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Drawable, PointCollection, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, TextStyle};

use crate::draw::{backend, px, solid};
use crate::geometry::TEXT_CSS_PX;
use crate::{ChartError, Rgb};

/// About the width of a character, by its height: measuring would ask for a font.
const WIDTH_EM: f64 = 0.56;

const DASH_CSS_PX: (f64, f64) = (4.0, 4.0);

/// What draws on what, and how big. Lengths that it is given in CSS pixels it makes device pixels.
pub(crate) struct Brush<'a, DB: DrawingBackend> {
    pub root: &'a DrawingArea<DB, Shift>,
    pub scale: f64,
    pub text: f64,
    pub font: &'a str,
}

impl<DB: DrawingBackend> Brush<'_, DB> {
    /// Fails where a chart of at least `least` CSS pixels has no room.
    pub fn check_room(&self, least: (f64, f64)) -> Result<(f64, f64), ChartError> {
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(ChartError::NoScale);
        }
        let (width_px, height_px) = self.root.dim_in_pixel();
        let (width, height) = (f64::from(width_px), f64::from(height_px));
        if width < self.css(least.0) || height < self.css(least.1) {
            return Err(ChartError::NoRoom { width_px, height_px });
        }
        Ok((width, height))
    }

    pub fn css(&self, length: f64) -> f64 {
        length * self.scale
    }

    /// A hair line's width: one CSS pixel, at least one device pixel.
    pub fn hair(&self) -> i32 {
        px(self.css(1.0)).max(1)
    }

    /// A filled rectangle: sharp on every backend, which a line on whole coordinates is not on a canvas.
    pub fn bar(&self, from: (i32, i32), to: (i32, i32), colour: Rgb) -> Result<(), ChartError> {
        self.element(&Rectangle::new([from, to], solid(colour).filled()))
    }

    /// A dashed hair line from left to right, of bars, since backends dash differently.
    pub fn dashes(&self, left: f64, right: f64, y: i32, colour: Rgb) -> Result<(), ChartError> {
        let (dash, gap) = (self.css(DASH_CSS_PX.0).max(1.0), self.css(DASH_CSS_PX.1).max(1.0));
        let mut x = left;
        while x < right {
            self.bar((px(x), y), (px((x + dash).min(right)), y + self.hair()), colour)?;
            x += dash + gap;
        }
        Ok(())
    }

    pub fn words(&self, text: &str, at: (i32, i32), colour: Rgb, anchor: (HPos, VPos)) -> Result<(), ChartError> {
        let colour = solid(colour);
        let font = (self.font, self.css(TEXT_CSS_PX) * self.text).into_font();
        let anchor = Pos::new(anchor.0, anchor.1);
        self.element(&Text::new(text, at, TextStyle::from(font).color(&colour).pos(anchor)))
    }

    /// About how wide a label is.
    pub fn width_of(&self, text: &str) -> f64 {
        self.css(text.chars().count() as f64 * TEXT_CSS_PX * WIDTH_EM)
    }

    pub fn element<'e, E>(&self, element: &'e E) -> Result<(), ChartError>
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<DB>,
    {
        self.root.draw(element).map_err(backend)
    }
}
