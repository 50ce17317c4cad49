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

/// The longest name of an area, in characters.
pub const NAME_MAX_CHARS: usize = 64;

/// The largest margin, in metres.
pub const MARGIN_MAX_M: f64 = 10_000.0;

/// Metres of a degree of latitude (IUGG mean radius).
const DEGREE_M: f64 = 111_195.08;

/// By so much a sum of degrees may be off, in metres, and more.
const ROUNDING_M: f64 = 0.001;

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
    /// Corners in their order; the last leads back to the first.
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
    /// A corner that is there already.
    #[error("corner {0} stands where the one before it does; leave one of them out")]
    Twice(usize),
    /// Nobody could say what is inside.
    #[error(
        "the edge behind corner {0} crosses or touches the one behind corner {1}; write the corners in their order around the area"
    )]
    Crosses(usize, usize),
    /// A margin.
    #[error("a margin of {0} m makes no sense; write 0 to {MARGIN_MAX_M}")]
    Margin(f64),
}

/// An area as a profile names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// What rules call it; unique in its profile.
    pub name: String,
    /// Where it is.
    pub fence: Fence,
}

/// An area with a margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Fence {
    shape: Shape,
    margin_m: f64,
    bounds: Bounds,
}

/// Between which degrees corners lie. Most places are far from most areas, which a look at these tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bounds {
    middle_lon_deg: f64,
    half_lon_deg: f64,
    south_deg: f64,
    north_deg: f64,
}

impl Bounds {
    fn of(corners: &[LonLat]) -> Bounds {
        let least = |of: fn(&LonLat) -> f64| corners.iter().map(of).fold(f64::INFINITY, f64::min);
        let most = |of: fn(&LonLat) -> f64| corners.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (west, east) = (least(|corner| corner.lon_deg), most(|corner| corner.lon_deg));
        Bounds {
            middle_lon_deg: f64::midpoint(west, east),
            half_lon_deg: (east - west) / 2.0,
            south_deg: least(|corner| corner.lat_deg),
            north_deg: most(|corner| corner.lat_deg),
        }
    }

    /// Whether a place lies between them, or no further outside than this; measured as distances to edges are.
    fn hold(&self, at: LonLat, margin_m: f64) -> bool {
        let beyond_lon_deg = apart_deg(at.lon_deg, self.middle_lon_deg).abs() - self.half_lon_deg;
        let beyond_lat_deg = (self.south_deg - at.lat_deg).max(at.lat_deg - self.north_deg);
        let most_m = margin_m + ROUNDING_M;
        beyond_lon_deg * east_m(at) <= most_m && beyond_lat_deg * DEGREE_M <= most_m
    }
}

impl Fence {
    /// An area, if it is one. `margin_m` is how far outside what was inside must be before it has left.
    pub fn new(shape: Shape, margin_m: f64) -> Result<Fence, FenceError> {
        if !(0.0..=MARGIN_MAX_M).contains(&margin_m) {
            return Err(FenceError::Margin(margin_m));
        }
        let bounds = match &shape {
            Shape::Circle { radius_m, .. } if !(*radius_m > 0.0 && *radius_m <= FENCE_MAX_M) => {
                return Err(FenceError::Radius(*radius_m));
            }
            Shape::Circle { middle, .. } if LonLat::new(middle.lon_deg, middle.lat_deg).is_none() => {
                return Err(FenceError::Middle);
            }
            Shape::Circle { .. } => Bounds::default(),
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
                is_simple(corners)?;
                Bounds::of(corners)
            }
        };
        Ok(Fence { shape, margin_m, bounds })
    }

    /// Where it is.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How far outside what was inside must be before it has left, in metres.
    pub fn margin_m(&self) -> f64 {
        self.margin_m
    }

    /// Whether a place is inside, for a thing that was inside or not before. An edge belongs to the area.
    pub fn holds(&self, at: LonLat, was_inside: bool) -> bool {
        let margin_m = if was_inside { self.margin_m } else { 0.0 };
        match &self.shape {
            Shape::Circle { middle, radius_m } => middle.distance_m(at) <= radius_m + margin_m,
            Shape::Polygon(_) if !self.bounds.hold(at, margin_m) => false,
            // Seen from the other side of the earth the short way to one corner goes east and to the next one west.
            Shape::Polygon(corners) if !is_near(corners, at) => false,
            Shape::Polygon(corners) => {
                is_within(corners, at)
                    || if margin_m > 0.0 { distance_m(corners, at) <= margin_m } else { is_on_edge(corners, at) }
            }
        }
    }
}

/// Whether no two edges meet but neighbours in their corner. Only of such a shape people and programs mean the same by its inside.
fn is_simple(corners: &[LonLat]) -> Result<(), FenceError> {
    let ends = corners.iter().cycle().skip(1);
    let edges: Vec<(LonLat, LonLat)> = corners.iter().copied().zip(ends.copied()).collect();
    if let Some(same) = edges.iter().position(|(from, to)| from == to) {
        return Err(FenceError::Twice((same + 1) % corners.len() + 1));
    }
    for (nth, one) in edges.iter().enumerate() {
        for (later, other) in edges.iter().enumerate().skip(nth + 1) {
            let meets = match (later == nth + 1, nth == 0 && later + 1 == edges.len()) {
                // A triangle's edges are all neighbours.
                (true, _) => leads_back(one.0, one.1, other.1),
                (_, true) => leads_back(other.0, other.1, one.1),
                (false, false) => crosses(*one, *other),
            };
            if meets {
                return Err(FenceError::Crosses(nth + 1, later + 1));
            }
        }
    }
    Ok(())
}

/// On which side of the way from `a` to `b` lies `c`: above 0 on its left, 0 on it.
fn side(a: LonLat, b: LonLat, c: LonLat) -> f64 {
    (b.lon_deg - a.lon_deg) * (c.lat_deg - a.lat_deg) - (b.lat_deg - a.lat_deg) * (c.lon_deg - a.lon_deg)
}

/// Whether the way from `a` over `b` to `c` goes back on itself.
fn leads_back(a: LonLat, b: LonLat, c: LonLat) -> bool {
    let ahead = (b.lon_deg - a.lon_deg) * (c.lon_deg - b.lon_deg) + (b.lat_deg - a.lat_deg) * (c.lat_deg - b.lat_deg);
    side(a, b, c) == 0.0 && ahead < 0.0
}

fn crosses((a, b): (LonLat, LonLat), (c, d): (LonLat, LonLat)) -> bool {
    let is_between = |a: LonLat, b: LonLat, c: LonLat| {
        (a.lon_deg.min(b.lon_deg)..=a.lon_deg.max(b.lon_deg)).contains(&c.lon_deg)
            && (a.lat_deg.min(b.lat_deg)..=a.lat_deg.max(b.lat_deg)).contains(&c.lat_deg)
    };
    let (of_c, of_d, of_a, of_b) = (side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b));
    let apart = |one: f64, other: f64| one != 0.0 && other != 0.0 && (one > 0.0) != (other > 0.0);
    apart(of_c, of_d) && apart(of_a, of_b)
        || of_c == 0.0 && is_between(a, b, c)
        || of_d == 0.0 && is_between(a, b, d)
        || of_a == 0.0 && is_between(c, d, a)
        || of_b == 0.0 && is_between(c, d, b)
}

/// Whether a place can be inside at all, or within the margin: no corner is further from the first than [`FENCE_MAX_M`].
fn is_near(corners: &[LonLat], at: LonLat) -> bool {
    corners.first().is_some_and(|first| first.distance_m(at) <= 2.0 * FENCE_MAX_M + MARGIN_MAX_M)
}

/// Metres of a degree of longitude there.
fn east_m(at: LonLat) -> f64 {
    DEGREE_M * at.lat_deg.to_radians().cos()
}

/// How far one longitude lies east of another, the short way round the earth.
fn apart_deg(one_deg: f64, other_deg: f64) -> f64 {
    (one_deg - other_deg + 540.0).rem_euclid(360.0) - 180.0
}

/// Each edge with its ends in metres east and north of a place.
fn edges(corners: &[LonLat], at: LonLat) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
    let east_m = east_m(at);
    let seen = move |corner: &LonLat| {
        (apart_deg(corner.lon_deg, at.lon_deg) * east_m, (corner.lat_deg - at.lat_deg) * DEGREE_M)
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

/// Whether a place is of an edge itself.
fn is_on_edge(corners: &[LonLat], at: LonLat) -> bool {
    let is_on = |((x1, y1), (x2, y2)): ((f64, f64), (f64, f64))| {
        x1 * y2 == x2 * y1 && x1.min(x2) <= 0.0 && x1.max(x2) >= 0.0 && y1.min(y2) <= 0.0 && y1.max(y2) >= 0.0
    };
    edges(corners, at).any(is_on)
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
    fn an_edge_belongs_to_the_area() {
        for (lon, lat) in
            [(14.50, 35.88), (14.54, 35.89), (14.52, 35.89), (14.51, 35.91), (14.505, 35.91), (14.50, 35.9)]
        {
            assert!(harbour(0.0).holds(at(lon, lat), false), "{lon} {lat}");
        }
    }

    #[test]
    fn what_lies_between_its_degrees_is_all_that_an_area_and_its_margin_hold() {
        let Shape::Polygon(corners) = harbour(0.0).shape else { panic!("no corners") };
        for (east, north) in (0..80).flat_map(|east| (0..60).map(move |north| (east, north))) {
            let place = at(14.4803 + f64::from(east) / 1_000.0, 35.8653 + f64::from(north) / 1_000.0);
            for margin_m in [0.0, 90.0, 1_500.0] {
                let want = is_within(&corners, place) || distance_m(&corners, place) <= margin_m;
                assert_eq!(harbour(margin_m).holds(place, true), want, "{place:?} {margin_m}");
            }
        }
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
        // Around a place; the third corner stands elsewhere.
        let polygon = |n: usize, lon: f64| {
            let turn = |nth: usize| std::f64::consts::TAU * nth as f64 / n as f64;
            let corner = |nth: usize| at(14.5 + 0.01 * turn(nth).sin(), 35.9 + 0.01 * turn(nth).cos());
            Shape::Polygon((0..n).map(|nth| if nth == 2 { at(lon, 35.9) } else { corner(nth) }).collect())
        };
        let of = |corners: &[(f64, f64)]| Shape::Polygon(corners.iter().map(|(lon, lat)| at(*lon, *lat)).collect());
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
            (of(&[(1.0, 1.0), (2.0, 1.0), (2.0, 1.0), (2.0, 2.0)]), 0.0, FenceError::Twice(3)),
            (of(&[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 1.0)]), 0.0, FenceError::Twice(1)),
            (of(&[(1.0, 1.0), (2.0, 2.0), (2.0, 1.0), (1.0, 2.0)]), 0.0, FenceError::Crosses(1, 3)),
            (of(&[(1.0, 1.0), (3.0, 1.0), (3.0, 2.0), (2.0, 1.0), (1.0, 2.0)]), 0.0, FenceError::Crosses(1, 3)),
            (of(&[(1.0, 1.0), (3.0, 1.0), (2.0, 1.0)]), 0.0, FenceError::Crosses(1, 2)),
            (of(&[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (3.0, 2.0), (3.0, 1.0)]), 0.0, FenceError::Crosses(1, 5)),
        ] {
            assert_eq!(Fence::new(shape, margin_m), Err(want));
        }
        let nowhere = Shape::Circle { middle: at(14.5, f64::NAN), radius_m: 1.0 };
        assert_eq!(Fence::new(nowhere, 0.0), Err(FenceError::Middle));
        assert!(matches!(Fence::new(circle(f64::NAN), 0.0), Err(FenceError::Radius(_))));
        assert!(matches!(Fence::new(circle(1.0), f64::NAN), Err(FenceError::Margin(_))));
        for right in [
            polygon(256, 14.501),
            of(&[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0)]),
            // Corners on a straight way are no mistake.
            of(&[(1.0, 1.0), (1.5, 1.0), (2.0, 1.0), (2.0, 2.0)]),
        ] {
            assert_eq!(Fence::new(right.clone(), 10_000.0).map(|_| ()), Ok(()), "{right:?}");
        }
    }
}
