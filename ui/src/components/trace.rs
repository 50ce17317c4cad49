//! A small chart as one line of a table has it: the mean as a line over the span from the smallest to the largest, no axes. Two paths of
//! SVG: some thirty rows of fifty points are less work than as many canvases, and follow the theme by themselves.
//!
//! **The scale.** Shares (%) go from 0 to 100 in every row, so that rows can be compared. Anything else goes from its own smallest to its
//! own largest value in this time; but a row whose values differ by less than a fiftieth of the greatest is a level line in the middle,
//! because a trembling last digit is no event. A bucket in which nothing was said is a gap.

use std::fmt::Write;

use fleetlens_ipc::small::SmallPoint;
use tr::tr;

use crate::format;

/// The picture's size, in units of its own; it is stretched to its cell.
pub const WIDTH: f32 = 100.0;
/// Its height.
pub const HEIGHT: f32 = 20.0;

/// What stays free above and below, so that a line at the edge is as wide as elsewhere.
const EDGE: f32 = 1.5;

/// Values that differ by a smaller share of the greatest are level.
const LEVEL: f32 = 0.02;

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paths {
    /// From the smallest to the largest.
    pub band: String,
    /// The mean.
    pub line: String,
}

/// The scale of a row: what lies at the lower and at the upper edge.
fn scale(points: &[SmallPoint], unit: &str) -> (f32, f32) {
    if unit == "%" {
        return (0.0, 100.0);
    }
    let low = points.iter().map(|point| point.min).fold(f32::INFINITY, f32::min);
    let high = points.iter().map(|point| point.max).fold(f32::NEG_INFINITY, f32::max);
    let greatest = low.abs().max(high.abs());
    if high - low > greatest * LEVEL {
        return (low, high);
    }
    let (middle, half) = (f32::midpoint(low, high), (greatest * LEVEL).max(f32::MIN_POSITIVE * 1e6));
    (middle - half, middle + half)
}

/// The paths of a row. `count`: how many buckets there are, with those in which nothing was said.
pub fn paths(points: &[SmallPoint], count: u32, unit: &str) -> Paths {
    let mut drawn = Paths::default();
    if points.is_empty() || count == 0 {
        return drawn;
    }
    let (low, high) = scale(points, unit);
    let step = WIDTH / count as f32;
    let x = |point: &SmallPoint| (f32::from(point.nth) + 0.5) * step;
    let y = |value: f32| {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        EDGE + (1.0 - share) * (HEIGHT - 2.0 * EDGE)
    };
    for run in points.chunk_by(|one, next| next.nth == one.nth.saturating_add(1)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        // One bucket alone is as wide as it is.
        let ends = (x(first) - step / 2.0, x(last) + step / 2.0);
        // Writing into a text does not fail.
        let _ = write!(drawn.line, "M{:.1} {:.1}", ends.0, y(first.mean));
        let _ = write!(drawn.band, "M{:.1} {:.1}", ends.0, y(first.max));
        for point in run {
            let _ = write!(drawn.line, "L{:.1} {:.1}", x(point), y(point.mean));
            let _ = write!(drawn.band, "L{:.1} {:.1}", x(point), y(point.max));
        }
        let _ = write!(drawn.line, "L{:.1} {:.1}", ends.1, y(last.mean));
        let _ = write!(drawn.band, "L{:.1} {:.1}L{:.1} {:.1}", ends.1, y(last.max), ends.1, y(last.min));
        for point in run.iter().rev() {
            let _ = write!(drawn.band, "L{:.1} {:.1}", x(point), y(point.min));
        }
        let _ = write!(drawn.band, "L{:.1} {:.1}Z", ends.0, y(first.min));
    }
    drawn
}

/// Between which numbers it went: `12–98 %`.
pub fn range_words(points: &[SmallPoint], decimals: u8, unit: &str) -> String {
    let low = points.iter().map(|point| point.min).fold(f32::INFINITY, f32::min);
    let high = points.iter().map(|point| point.max).fold(f32::NEG_INFINITY, f32::max);
    if low > high {
        return String::new();
    }
    let number = |value: f32| format::number(f64::from(value), decimals);
    let (low, high) = (number(low), number(high));
    let unit = if unit.is_empty() { String::new() } else { format!("\u{202f}{unit}") };
    if low == high { format!("{low}{unit}") } else { tr!("{low} to {high}{unit}", low, high, unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(nth: u8, min: f32, max: f32) -> SmallPoint {
        SmallPoint { nth, min, max, mean: f32::midpoint(min, max) }
    }

    #[test]
    fn a_gap_is_a_gap_and_what_was_said_once_is_seen() {
        let drawn = paths(&[point(0, 0.0, 100.0), point(1, 50.0, 50.0), point(4, 100.0, 100.0)], 10, "%");
        assert_eq!(drawn.line, "M0.0 10.0L5.0 10.0L15.0 10.0L20.0 10.0M40.0 1.5L45.0 1.5L50.0 1.5");
        assert_eq!(drawn.band.matches('Z').count(), 2, "{}", drawn.band);
        assert_eq!(paths(&[], 49, "%"), Paths::default());
        assert_eq!(paths(&[point(0, 1.0, 1.0)], 0, ""), Paths::default());
    }

    #[test]
    fn shares_compare_others_fill_their_row_and_a_trembling_digit_is_level() {
        for (name, points, unit, want) in [
            ("shares", vec![point(0, 40.0, 60.0)], "%", (0.0, 100.0)),
            ("its own span", vec![point(0, 10.0, 12.0), point(1, 11.0, 14.0)], "°C", (10.0, 14.0)),
            ("a trembling digit", vec![point(0, 230.0, 231.0)], "V", (225.88, 235.12)),
        ] {
            let (low, high) = scale(&points, unit);
            assert!((low - want.0).abs() < 0.01 && (high - want.1).abs() < 0.01, "{name}: {low} to {high}");
        }
        for level in [0.0, -3.0, f32::MAX / 4.0] {
            let line = paths(&[point(0, level, level)], 1, "").line;
            assert_eq!(line, "M0.0 10.0L50.0 10.0L100.0 10.0", "{level}");
        }
    }

    #[test]
    fn the_words_say_between_what_it_went() {
        let said = |points: &[SmallPoint], unit| range_words(points, 0, unit).replace('\u{202f}', " ");
        assert_eq!(said(&[point(0, 12.0, 30.0), point(3, 8.0, 98.0)], "%"), "8 to 98 %");
        assert_eq!(said(&[point(0, 5.0, 5.0)], ""), "5");
        assert_eq!(said(&[], "%"), "");
    }
}
