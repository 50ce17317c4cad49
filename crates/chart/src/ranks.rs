//! What there is most of: a bar each, the longest first, with its name and its number.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::style::text_anchor::{HPos, VPos};

use crate::brush::Brush;
use crate::draw::{backend, px, solid};
use crate::{ChartError, Theme};

/// How high each row is, in CSS pixels: whoever makes the area gives it so many of them.
pub const ROW_CSS_PX: u32 = 24;

/// The least area, in CSS pixels.
const LEAST_CSS_PX: (f64, f64) = (200.0, ROW_CSS_PX as f64);

/// How much of the width names may take.
const NAMES_MOST: f64 = 0.52;

const BAR_CSS_PX: f64 = 12.0;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rank<'a> {
    /// What it is called; cut with an ellipsis where it is too long.
    pub name: &'a str,
    /// How many; at least 0.
    pub value: f64,
    /// The number as it is written behind the bar.
    pub label: &'a str,
}

/// Bars, with everything their picture depends on but the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranks<'a> {
    /// From the top.
    pub rows: &'a [Rank<'a>],
    /// Colours.
    pub theme: Theme,
    /// Device pixels per CSS pixel, above 0.
    pub scale: f64,
    /// As [`crate::Plot::text`].
    pub text: f64,
    /// As [`crate::Plot::font`].
    pub font: &'a str,
}

/// Draws them from the top of an area, ground included. The same ranks on the same area give the same strokes.
pub fn draw_ranks<DB: DrawingBackend>(ranks: &Ranks, root: &DrawingArea<DB, Shift>) -> Result<(), ChartError> {
    let brush = Brush { root, scale: ranks.scale, text: ranks.text, font: ranks.font };
    let (width, _) = brush.check_room(LEAST_CSS_PX)?;
    root.fill(&solid(ranks.theme.ground)).map_err(backend)?;
    let most = ranks.rows.iter().map(|row| row.value).filter(|value| value.is_finite()).fold(1.0, f64::max);
    let widest = |of: &dyn Fn(&Rank) -> f64| ranks.rows.iter().map(of).fold(0.0, f64::max);
    let names = widest(&|row| brush.width_of(row.name)).min(width * NAMES_MOST);
    let left = (names + brush.css(16.0)).round();
    let right = (width - widest(&|row| brush.width_of(row.label)) - brush.css(10.0)).round().max(left + brush.css(8.0));
    let row_px = brush.css(f64::from(ROW_CSS_PX));
    for (n, row) in (0_u32..).zip(ranks.rows) {
        let middle = f64::from(n) * row_px + row_px / 2.0;
        let name = cut(row.name, (names / brush.width_of("0")).floor() as usize);
        brush.words(&name, (0, px(middle)), ranks.theme.line, (HPos::Left, VPos::Center))?;
        let part = if row.value.is_finite() { (row.value / most).clamp(0.0, 1.0) } else { 0.0 };
        let end = (left + part * (right - left)).max(left + brush.css(2.0)).round();
        let half = brush.css(BAR_CSS_PX) / 2.0;
        brush.bar((px(left), px(middle - half)), (px(end), px(middle + half)), ranks.theme.envelope)?;
        let behind = (px(end + brush.css(6.0)), px(middle));
        brush.words(row.label, behind, ranks.theme.text, (HPos::Left, VPos::Center))?;
    }
    root.present().map_err(backend)
}

/// A name of at most so many characters, the last of them an ellipsis where it was longer.
fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most.max(1) {
        return name.to_owned();
    }
    let kept: String = name.chars().take(most.max(1) - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_ends_with_an_ellipsis() {
        for (name, most, want) in [
            ("lamp-1", 6, "lamp-1"),
            ("lamp-10", 6, "lamp-…"),
            ("nearly full", 8, "nearly…"),
            ("ħħħ", 2, "ħ…"),
            ("ab", 0, "…"),
            ("", 4, ""),
        ] {
            assert_eq!(cut(name, most), want, "{name}");
        }
    }
}
