//! How something grows with something else: lines over a plane, for reports.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, TextStyle};

use crate::draw::{backend, px, solid};
use crate::geometry::TEXT_CSS_PX;
use crate::ticks::{ValueTick, value_axis, value_label};
use crate::{ChartError, Rgb, Theme};

/// Widths and distances, in CSS pixels.
const LINE_CSS_PX: f64 = 1.5;
const DOT_CSS_PX: f64 = 2.5;
const DASH_CSS_PX: (f64, f64) = (4.0, 4.0);
const ROW_CSS_PX: f64 = TEXT_CSS_PX + 3.0;
const EDGE_CSS_PX: f64 = 6.0;

/// About the width of a character, by its height: measuring would ask for a font.
const WIDTH_EM: f64 = 0.56;

/// The least area, in CSS pixels.
const LEAST_CSS_PX: (f64, f64) = (160.0, 90.0);

/// How an axis goes from its lowest to its highest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// From 0 in equal steps; values below 0 lie on the edge.
    Linear,
    /// In equal factors; only values above 0 can be shown.
    Logarithmic,
}

/// One of the two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis<'a> {
    /// What it counts, with the unit; written once.
    pub label: &'a str,
    /// How.
    pub scale: Scale,
}

/// What was measured at some values of the first axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line<'a> {
    /// What it is; written where the line ends, since colour is never the only sign.
    pub name: &'a str,
    /// Pairs of the first and the second axis' values, the former rising. What cannot be shown is left out.
    pub points: &'a [(f64, f64)],
    /// Whether it is what ours is measured against: drawn thin and dashed.
    pub baseline: bool,
}

/// Lines over a plane, with everything their picture depends on but the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth<'a> {
    /// With what it grows, from left to right.
    pub x: Axis<'a>,
    /// What grows, from the bottom to the top.
    pub y: Axis<'a>,
    /// What was measured.
    pub lines: &'a [Line<'a>],
    /// A value of the second axis that should not be passed, and what it is called.
    pub goal: Option<(f64, &'a str)>,
    /// Colours.
    pub theme: Theme,
    /// Device pixels per CSS pixel, above 0.
    pub scale: f64,
    /// As [`crate::Plot::text`].
    pub text: f64,
    /// As [`crate::Plot::font`].
    pub font: &'a str,
}

/// An axis with its span and labels.
struct Laid {
    low: f64,
    high: f64,
    ticks: Vec<ValueTick>,
    scale: Scale,
}

impl Laid {
    /// `most` labels at most, or a few more on a logarithmic axis. Without a value it spans something all the same.
    fn out(scale: Scale, values: impl Iterator<Item = f64>, most: usize) -> Laid {
        let shown = values.filter(|value| value.is_finite() && (scale == Scale::Linear || *value > 0.0));
        let (min, max) = shown.fold((f64::INFINITY, 0.0_f64), |(min, max), value| (min.min(value), max.max(value)));
        match scale {
            Scale::Linear => {
                let axis = value_axis(0.0, max, Some((0.0, f64::MAX)), 3, most);
                Laid { low: 0.0, high: axis.high, ticks: axis.ticks, scale }
            }
            Scale::Logarithmic => {
                let (min, max) = if min <= max { (min, max) } else { (1.0, 1.0) };
                let (first, last) = (min.log10().floor() as i32, max.log10().ceil() as i32);
                let last = last.max(first + 1);
                let few = last - first < 3;
                let steps: &[f64] = if few { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let ticks = (first..=last)
                    .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
                    .filter(|value| *value <= 10f64.powi(last) * 1.000_001)
                    .map(|value| ValueTick { value, label: value_label(value, value, 9) })
                    .collect();
                Laid { low: 10f64.powi(first), high: 10f64.powi(last), ticks, scale }
            }
        }
    }

    /// Where a value is between the lowest (0) and the highest (1); `None` where it cannot be shown.
    fn part(&self, value: f64) -> Option<f64> {
        let part = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic if value > 0.0 => (value / self.low).log10() / (self.high / self.low).log10(),
            Scale::Logarithmic => return None,
        };
        part.is_finite().then(|| part.clamp(0.0, 1.0))
    }
}

/// Draws it over the whole of an area, ground included. The same growth on the same area gives the same strokes.
pub fn draw_growth<DB: DrawingBackend>(growth: &Growth, root: &DrawingArea<DB, Shift>) -> Result<(), ChartError> {
    if !(growth.scale.is_finite() && growth.scale > 0.0) {
        return Err(ChartError::NoScale);
    }
    let (width_px, height_px) = root.dim_in_pixel();
    let css = |length: f64| length * growth.scale;
    let (width, height) = (f64::from(width_px), f64::from(height_px));
    if width < css(LEAST_CSS_PX.0) || height < css(LEAST_CSS_PX.1) {
        return Err(ChartError::NoRoom { width_px, height_px });
    }
    let points = || growth.lines.iter().flat_map(|line| line.points);
    let goal = growth.goal.map(|(value, _)| value);
    let (top, bottom) = (css(ROW_CSS_PX + 6.0).round(), (height - css(2.0 * ROW_CSS_PX + EDGE_CSS_PX)).round());
    let rows = ((bottom - top) / css(34.0)).round().clamp(1.0, 8.0) as usize;
    let y = Laid::out(growth.y.scale, points().map(|point| point.1).chain(goal), rows);
    let digits = y.ticks.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(0);
    let names = growth.lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
    let width_of = |characters: usize| css(characters as f64 * TEXT_CSS_PX * WIDTH_EM);
    let left = (width_of(digits.max(3)) + css(10.0)).round().min(width / 3.0);
    let right = (width - width_of(names) - css(16.0)).round().max(left + width / 4.0);
    let columns = ((right - left) / css(64.0)).floor().max(1.0) as usize;
    let x = Laid::out(growth.x.scale, points().map(|point| point.0), columns);
    let pen = Pen { growth, root, x, y, left, right, top, bottom };
    root.fill(&solid(growth.theme.ground)).map_err(backend)?;
    pen.axes()?;
    pen.goal()?;
    pen.lines()?;
    root.present().map_err(backend)
}

/// One drawing: what, where, on what. Lengths are device pixels.
struct Pen<'a, 'g, DB: DrawingBackend> {
    growth: &'a Growth<'g>,
    root: &'a DrawingArea<DB, Shift>,
    x: Laid,
    y: Laid,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl<DB: DrawingBackend> Pen<'_, '_, DB> {
    fn css(&self, length: f64) -> f64 {
        length * self.growth.scale
    }

    fn hair(&self) -> i32 {
        px(self.css(1.0)).max(1)
    }

    fn at(&self, (x, y): (f64, f64)) -> Option<(i32, i32)> {
        Some((px(self.left + self.x.part(x)? * (self.right - self.left)), self.y_of(y)?))
    }

    fn y_of(&self, value: f64) -> Option<i32> {
        Some(px(self.bottom - self.y.part(value)? * (self.bottom - self.top)))
    }

    fn axes(&self) -> Result<(), ChartError> {
        let theme = self.growth.theme;
        let (left, right, bottom) = (px(self.left), px(self.right), px(self.bottom));
        for tick in &self.y.ticks {
            let Some(y) = self.y_of(tick.value) else { continue };
            self.bar((left, y), (right, y + self.hair()), theme.grid)?;
            let end = (left - px(self.css(6.0)), y);
            self.words(&tick.label, end, theme.text, Pos::new(HPos::Right, VPos::Center))?;
        }
        self.bar((left, bottom), (right, bottom + self.hair()), theme.grid)?;
        let mut free_from = f64::NEG_INFINITY;
        for tick in &self.x.ticks {
            let Some(part) = self.x.part(tick.value) else { continue };
            let x = self.left + part * (self.right - self.left);
            self.bar((px(x), bottom), (px(x) + self.hair(), bottom + px(self.css(4.0))), theme.grid)?;
            let half = self.width_of(&tick.label) / 2.0;
            // A label over another says nothing; its tick stays.
            if x - half >= free_from {
                let under = (px(x), bottom + px(self.css(6.0)));
                self.words(&tick.label, under, theme.text, Pos::new(HPos::Center, VPos::Top))?;
                free_from = x + half + self.css(6.0);
            }
        }
        let corner = (px(self.css(2.0)), px(self.css(2.0)));
        self.words(self.growth.y.label, corner, theme.text, Pos::new(HPos::Left, VPos::Top))?;
        let below = (right, bottom + px(self.css(6.0 + ROW_CSS_PX)));
        self.words(self.growth.x.label, below, theme.text, Pos::new(HPos::Right, VPos::Top))
    }

    fn goal(&self) -> Result<(), ChartError> {
        let Some((value, name)) = self.growth.goal else { return Ok(()) };
        let Some(y) = self.y_of(value) else { return Ok(()) };
        let mark = self.growth.theme.mark;
        self.dashes((px(self.left), y), (px(self.right), y), mark)?;
        let over = (px(self.left + self.css(4.0)), y - px(self.css(2.0)));
        self.words(name, over, mark, Pos::new(HPos::Left, VPos::Bottom))
    }

    fn lines(&self) -> Result<(), ChartError> {
        let theme = self.growth.theme;
        let mut ends = Vec::new();
        for line in self.growth.lines {
            let points: Vec<(i32, i32)> = line.points.iter().filter_map(|point| self.at(*point)).collect();
            let Some(end) = points.last() else { continue };
            let colour = if line.baseline { theme.envelope } else { theme.line };
            if line.baseline {
                for pair in points.windows(2) {
                    if let [from, to] = pair {
                        self.dashes(*from, *to, colour)?;
                    }
                }
            } else {
                let width = u32::try_from(px(self.css(LINE_CSS_PX))).unwrap_or(1).max(1);
                self.element(&PathElement::new(points.clone(), solid(colour).stroke_width(width)))?;
            }
            for point in &points {
                let size = px(self.css(DOT_CSS_PX)).max(1);
                self.element(&Circle::new(*point, size, solid(colour).filled()))?;
            }
            ends.push((end.1, line.name, colour));
        }
        // From the top, each at least a row below the one before: lines that end together are still told apart.
        ends.sort_by_key(|end| end.0);
        let row = px(self.css(ROW_CSS_PX));
        let mut free_from = i32::MIN;
        // Where they would run out of the picture all move up.
        let count = i32::try_from(ends.len()).unwrap_or(i32::MAX);
        let lowest = px(self.bottom).saturating_sub(row.saturating_mul(count - 1));
        for (n, (y, name, colour)) in (0..).zip(ends) {
            let y = y.min(lowest + row * n).max(free_from);
            let beside = (px(self.right + self.css(8.0)), y);
            self.words(
                name,
                beside,
                if colour == theme.line { theme.line } else { theme.text },
                Pos::new(HPos::Left, VPos::Center),
            )?;
            free_from = y + row;
        }
        Ok(())
    }

    /// A dashed line, of strokes, since backends dash differently.
    fn dashes(&self, from: (i32, i32), to: (i32, i32), colour: Rgb) -> Result<(), ChartError> {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = dx.hypot(dy).max(1.0);
        let at = |along: f64| {
            let part = along.min(length) / length;
            (from.0 + px(dx * part), from.1 + px(dy * part))
        };
        let (dash, gap) = (self.css(DASH_CSS_PX.0).max(1.0), self.css(DASH_CSS_PX.1).max(1.0));
        let mut along = 0.0;
        while along < length {
            let stroke = solid(colour).stroke_width(u32::try_from(self.hair()).unwrap_or(1));
            self.element(&PathElement::new(vec![at(along), at(along + dash)], stroke))?;
            along += dash + gap;
        }
        Ok(())
    }

    fn bar(&self, from: (i32, i32), to: (i32, i32), colour: Rgb) -> Result<(), ChartError> {
        self.element(&Rectangle::new([from, to], solid(colour).filled()))
    }

    fn words(&self, text: &str, at: (i32, i32), colour: Rgb, anchor: Pos) -> Result<(), ChartError> {
        let colour = solid(colour);
        let font = (self.growth.font, self.css(TEXT_CSS_PX) * self.growth.text).into_font();
        self.element(&Text::new(text, at, TextStyle::from(font).color(&colour).pos(anchor)))
    }

    fn width_of(&self, text: &str) -> f64 {
        self.css(text.chars().count() as f64 * TEXT_CSS_PX * WIDTH_EM)
    }

    fn element<'e, E>(&self, element: &'e E) -> Result<(), ChartError>
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<DB>,
    {
        self.root.draw(element).map_err(backend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(laid: &Laid) -> Vec<&str> {
        laid.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn a_logarithmic_axis_is_labelled_at_powers_of_ten_and_between_them_where_there_is_room() {
        let of = |values: &[f64]| Laid::out(Scale::Logarithmic, values.iter().copied(), 5);
        assert_eq!(
            labels(&of(&[1_000.0, 100_000.0])),
            ["1000", "2000", "5000", "10\u{202f}000", "20\u{202f}000", "50\u{202f}000", "100\u{202f}000"]
        );
        assert_eq!(labels(&of(&[0.02, 300.0])), ["0.01", "0.1", "1", "10", "100", "1000"]);
        let one = of(&[10.0]);
        assert!(one.low < one.high && one.part(10.0).is_some());
        for nothing in [&[][..], &[0.0, -1.0, f64::NAN]] {
            let laid = of(nothing);
            assert!(laid.low < laid.high && !laid.ticks.is_empty(), "{nothing:?}");
        }
        assert_eq!((of(&[1.0]).part(0.0), of(&[1.0, 100.0]).part(10.0)), (None, Some(0.5)));
    }

    #[test]
    fn a_linear_axis_begins_at_nothing() {
        let laid = Laid::out(Scale::Linear, [40.0, 90.0].into_iter(), 4);
        assert_eq!((laid.low, labels(&laid)[0]), (0.0, "0"));
        assert!(laid.high > 90.0 && laid.part(0.0) == Some(0.0));
        assert!(Laid::out(Scale::Linear, [].into_iter(), 4).high > 0.0);
    }
}
