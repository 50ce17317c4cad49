//! Areas that rules speak of by name: `inside("harbour")`.
//!
//! A position at an edge jumps to and fro by some metres, so what is inside has left only when it is further outside than the margin.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::geo::LonLat;

/// The most corners of a polygon.
pub const CORNERS_MAX: usize = 256;

/// The largest radius, and the largest distance between corners, in metres.
pub const FENCE_MAX_M: f64 = 500_000.0;

/// The largest margin, in metres.
pub const MARGIN_MAX_M: f64 = 10_000.0;

/// Metres of a degree of latitude (IUGG mean radius).
const DEGREE_M: f64 = 111_195.08;

/// The shape of an area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A place and everything around it.
    Circle {
        /// Its middle.
        middle: LonLat,
        /// In metres, above 0.
        radius_m: f64,
    },
    /// Corners in their order; the last leads back to the first. Where its edges cross, what lies within an even number of turns is
    /// outside.
    Polygon(Vec<LonLat>),
}

/// Why an area is none.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum FenceError {
    /// A radius.
    #[error("a radius of {0} m makes no sense; write more than 0 and at most {FENCE_MAX_M}")]
    Radius(f64),
    /// A middle.
    #[error("the middle of a circle is a place on the earth")]
    Middle,
    /// Corners.
    #[error("an area has 3 to {CORNERS_MAX} corners, this one {0}")]
    Corners(usize),
    /// Corners far apart, or the area lies on both sides of the 180th degree.
    #[error(
        "corner {0} is too far from the first; write one at most {FENCE_MAX_M} m from it, on the same side of the 180th degree"
    )]
    TooLarge(usize),
    /// A margin.
    #[error("a margin of {0} m makes no sense; write 0 to {MARGIN_MAX_M}")]
    Margin(f64),
}

/// An area with a margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Fence {
    shape: Shape,
    margin_m: f64,
}

impl Fence {
    /// An area, if it is one. `margin_m` is how far outside what was inside must be before it has left.
    pub fn new(shape: Shape, margin_m: f64) -> Result<Fence, FenceError> {
        if !(0.0..=MARGIN_MAX_M).contains(&margin_m) {
            return Err(FenceError::Margin(margin_m));
        }
        match &shape {
            Shape::Circle { radius_m, .. } if !(*radius_m > 0.0 && *radius_m <= FENCE_MAX_M) => {
                return Err(FenceError::Radius(*radius_m));
            }
            Shape::Circle { middle, .. } if LonLat::new(middle.lon_deg, middle.lat_deg).is_none() => {
                return Err(FenceError::Middle);
            }
            Shape::Circle { .. } => {}
            Shape::Polygon(corners) => {
                let Some(first) = corners.first().filter(|_| (3..=CORNERS_MAX).contains(&corners.len())) else {
                    return Err(FenceError::Corners(corners.len()));
                };
                let is_far = |corner: &LonLat| {
                    let is_beyond = (corner.lon_deg - first.lon_deg).abs() > 180.0;
                    // A coordinate that is no number is far from everything.
                    is_beyond || !(0.0..=FENCE_MAX_M).contains(&first.distance_m(*corner))
                };
                if let Some(far) = corners.iter().position(is_far) {
                    return Err(FenceError::TooLarge(far + 1));
                }
            }
        }
        Ok(Fence { shape, margin_m })
    }

    /// Whether a place is inside, for a thing that was inside or not before. An edge belongs to the area.
    pub fn holds(&self, at: LonLat, was_inside: bool) -> bool {
        let margin_m = if was_inside { self.margin_m } else { 0.0 };
        match &self.shape {
            Shape::Circle { middle, radius_m } => middle.distance_m(at) <= radius_m + margin_m,
            // Seen from the other side of the earth the short way to one corner goes east and to the next one west.
            Shape::Polygon(corners) if !is_near(corners, at) => false,
            Shape::Polygon(corners) => is_within(corners, at) || distance_m(corners, at) <= margin_m,
        }
    }
}

/// Whether a place can be inside at all, or within the margin: no corner is further from the first than [`FENCE_MAX_M`].
fn is_near(corners: &[LonLat], at: LonLat) -> bool {
    corners.first().is_some_and(|first| first.distance_m(at) <= 2.0 * FENCE_MAX_M + MARGIN_MAX_M)
}

/// Each edge with its ends in metres east and north of a place.
fn edges(corners: &[LonLat], at: LonLat) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
    let east_m = DEGREE_M * at.lat_deg.to_radians().cos();
    let seen = move |corner: &LonLat| {
        // The short way round the earth.
        let apart_deg = (corner.lon_deg - at.lon_deg + 540.0).rem_euclid(360.0) - 180.0;
        (apart_deg * east_m, (corner.lat_deg - at.lat_deg) * DEGREE_M)
    };
    let ends = corners.iter().cycle().skip(1).take(corners.len());
    corners.iter().zip(ends).map(move |(from, to)| (seen(from), seen(to)))
}

/// Counts the edges that a line to the east crosses.
fn is_within(corners: &[LonLat], at: LonLat) -> bool {
    let crosses = |((x1, y1), (x2, y2)): ((f64, f64), (f64, f64))| {
        (y1 > 0.0) != (y2 > 0.0) && x1 + (x2 - x1) * y1 / (y1 - y2) >= 0.0
    };
    edges(corners, at).filter(|edge| crosses(*edge)).count() % 2 == 1
}

/// How far the nearest edge is.
fn distance_m(corners: &[LonLat], at: LonLat) -> f64 {
    let to_edge = |((x1, y1), (x2, y2)): ((f64, f64), (f64, f64))| {
        let (dx, dy) = (x2 - x1, y2 - y1);
        let length = dx * dx + dy * dy;
        let along = if length > 0.0 { (-(x1 * dx + y1 * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
        (x1 + along * dx).hypot(y1 + along * dy)
    };
    edges(corners, at).map(to_edge).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon_deg: f64, lat_deg: f64) -> LonLat {
        LonLat { lon_deg, lat_deg }
    }

    /// An L around Valletta's harbour: what is missing of the square is its north-east.
    fn harbour(margin_m: f64) -> Fence {
        let corners = [(14.50, 35.88), (14.54, 35.88), (14.54, 35.89), (14.51, 35.89), (14.51, 35.91), (14.50, 35.91)];
        Fence::new(Shape::Polygon(corners.map(|(lon, lat)| at(lon, lat)).into()), margin_m).unwrap()
    }

    #[test]
    fn a_place_is_inside_a_polygon_or_not() {
        for (lon, lat, want) in [
            (14.505, 35.90, true),
            (14.53, 35.885, true),
            (14.53, 35.90, false),
            (14.49, 35.90, false),
            (14.55, 35.885, false),
            (14.505, 35.92, false),
            (14.505, 35.87, false),
        ] {
            assert_eq!(harbour(0.0).holds(at(lon, lat), false), want, "{lon} {lat}");
        }
    }

    #[test]
    fn what_is_inside_leaves_only_beyond_the_margin() {
        // 0.001° of longitude are 90 m here.
        let edge = at(14.541, 35.885);
        for (margin_m, was_inside, want) in
            [(0.0, true, false), (80.0, true, false), (100.0, true, true), (100.0, false, false)]
        {
            assert_eq!(harbour(margin_m).holds(edge, was_inside), want, "{margin_m} {was_inside}");
        }
        let circle = Fence::new(Shape::Circle { middle: at(14.54, 35.885), radius_m: 50.0 }, 50.0).unwrap();
        assert!(!circle.holds(edge, false) && circle.holds(edge, true));
        assert!(circle.holds(at(14.5404, 35.885), false));
    }

    #[test]
    fn an_area_at_the_180th_degree_is_measured_the_short_way() {
        let corners = [(179.98, -17.0), (180.0, -17.0), (180.0, -16.98), (179.98, -16.98)];
        let fence = Fence::new(Shape::Polygon(corners.map(|(lon, lat)| at(lon, lat)).into()), 300.0).unwrap();
        assert!(fence.holds(at(179.99, -16.99), false));
        assert!(fence.holds(at(-179.998, -16.99), true) && !fence.holds(at(-179.99, -16.99), true));
    }

    #[test]
    fn the_other_side_of_the_earth_is_outside() {
        let polygon = harbour(0.0);
        for place in [at(14.52 - 180.0, 35.885), at(14.52 - 180.0, -35.885), at(14.52, -35.885), at(f64::NAN, 35.885)] {
            assert!(!polygon.holds(place, false) && !harbour(MARGIN_MAX_M).holds(place, true), "{place:?}");
        }
    }

    #[test]
    fn what_is_no_area_is_refused() {
        let circle = |radius_m| Shape::Circle { middle: at(14.5, 35.9), radius_m };
        let polygon = |n: usize, lon: f64| {
            Shape::Polygon((0..n).map(|nth| at(if nth == 2 { lon } else { 14.5 }, 35.9)).collect())
        };
        for (shape, margin_m, want) in [
            (circle(0.0), 0.0, FenceError::Radius(0.0)),
            (circle(500_001.0), 0.0, FenceError::Radius(500_001.0)),
            (circle(1.0), -1.0, FenceError::Margin(-1.0)),
            (circle(1.0), 10_001.0, FenceError::Margin(10_001.0)),
            (polygon(2, 14.5), 0.0, FenceError::Corners(2)),
            (polygon(257, 14.5), 0.0, FenceError::Corners(257)),
            (polygon(3, 25.0), 0.0, FenceError::TooLarge(3)),
            (polygon(3, -179.0), 0.0, FenceError::TooLarge(3)),
            (polygon(3, f64::NAN), 0.0, FenceError::TooLarge(3)),
        ] {
            assert_eq!(Fence::new(shape, margin_m), Err(want));
        }
        let nowhere = Shape::Circle { middle: at(14.5, f64::NAN), radius_m: 1.0 };
        assert_eq!(Fence::new(nowhere, 0.0), Err(FenceError::Middle));
        assert!(matches!(Fence::new(circle(f64::NAN), 0.0), Err(FenceError::Radius(_))));
        assert!(matches!(Fence::new(circle(1.0), f64::NAN), Err(FenceError::Margin(_))));
        assert!(Fence::new(polygon(256, 14.6), 10_000.0).is_ok());
    }
}
