//! What a person draws around things on the map to choose them: a box, or a line by hand. Pure.

/// Points of a line closer to each other than this say nothing new, in CSS pixels.
const STEP_PX: f64 = 3.0;

/// The most points of a line; a hand that goes on for longer makes them coarser.
const POINTS_MAX: usize = 2_000;

/// With less than this in both directions nothing was drawn: it was a click, in CSS pixels.
const CLICK_PX: f64 = 4.0;

/// How it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// From corner to corner.
    Box,
    /// By hand.
    Lasso,
}

/// What was drawn so far, in CSS pixels of the picture. The last point is joined with the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    tool: Tool,
    points: Vec<(f64, f64)>,
}

impl Outline {
    /// Begins at a point.
    pub fn begin(tool: Tool, at: (f64, f64)) -> Outline {
        Outline { tool, points: vec![at] }
    }

    /// The pointer is here now.
    pub fn go(&mut self, (x, y): (f64, f64)) {
        let Some(&(first_x, first_y)) = self.points.first() else { return };
        match self.tool {
            Tool::Box => self.points = vec![(first_x, first_y), (x, first_y), (x, y), (first_x, y)],
            Tool::Lasso => {
                let is_far = self.points.last().is_none_or(|last| (last.0 - x).hypot(last.1 - y) >= STEP_PX);
                if is_far && self.points.len() >= POINTS_MAX {
                    let mut nth = 0;
                    self.points.retain(|_| {
                        nth += 1;
                        nth % 2 == 1
                    });
                }
                if is_far {
                    self.points.push((x, y));
                }
            }
        }
    }

    /// Whether it is no more than a click.
    pub fn is_click(&self) -> bool {
        let bounds = |of: fn(&(f64, f64)) -> f64| {
            let (low, high) = self.points.iter().map(of).fold((f64::MAX, f64::MIN), |(l, h), n| (l.min(n), h.max(n)));
            high - low
        };
        bounds(|point| point.0) < CLICK_PX && bounds(|point| point.1) < CLICK_PX
    }

    /// Whether a point lies within: a ray from it crosses the outline an odd number of times.
    pub fn holds(&self, x: f64, y: f64) -> bool {
        let next = self.points.iter().cycle().skip(1);
        let crosses = |(a, b): &(&(f64, f64), &(f64, f64))| {
            (a.1 > y) != (b.1 > y) && x < a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0)
        };
        self.points.iter().zip(next).filter(crosses).count() % 2 == 1
    }

    /// As SVG writes the points of a polygon.
    pub fn points(&self) -> String {
        self.points.iter().map(|(x, y)| format!("{x:.0},{y:.0}")).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(tool: Tool, points: &[(f64, f64)]) -> Outline {
        let mut outline = Outline::begin(tool, points[0]);
        points[1..].iter().for_each(|at| outline.go(*at));
        outline
    }

    #[test]
    fn a_box_holds_what_is_between_its_corners_whichever_was_first() {
        for corners in [[(10.0, 10.0), (50.0, 30.0)], [(50.0, 30.0), (10.0, 10.0)]] {
            let outline = drawn(Tool::Box, &corners);
            assert!(outline.holds(11.0, 11.0) && outline.holds(49.0, 29.0) && !outline.is_click());
            assert!(!outline.holds(9.0, 20.0) && !outline.holds(51.0, 20.0) && !outline.holds(20.0, 31.0));
        }
    }

    #[test]
    fn a_line_by_hand_holds_what_is_within_it_and_not_its_bays() {
        // The letter U: what lies between its arms is outside.
        let u =
            [(0.0, 0.0), (10.0, 0.0), (10.0, 40.0), (30.0, 40.0), (30.0, 0.0), (40.0, 0.0), (40.0, 50.0), (0.0, 50.0)];
        let outline = drawn(Tool::Lasso, &u);
        assert!(outline.holds(5.0, 20.0) && outline.holds(35.0, 20.0) && outline.holds(20.0, 45.0));
        assert!(!outline.holds(20.0, 20.0));
    }

    #[test]
    fn a_trembling_hand_draws_nothing_and_a_long_line_stays_short() {
        assert!(drawn(Tool::Box, &[(5.0, 5.0), (7.0, 8.0)]).is_click());
        assert!(drawn(Tool::Lasso, &[(5.0, 5.0), (6.0, 6.0)]).is_click());
        let mut outline = Outline::begin(Tool::Lasso, (0.0, 0.0));
        (0..20_000).for_each(|n| outline.go((f64::from(n % 400) * 10.0, f64::from(n / 400) * 10.0)));
        assert!(outline.points.len() <= POINTS_MAX);
    }
}
