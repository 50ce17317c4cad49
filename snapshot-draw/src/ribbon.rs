//! Lines as areas: `maplibre` 0.0.3 draws every line equally thin, so a street becomes the area that it covers.

/// A point of the picture's own tile; whole numbers, because that is what tiles hold.
pub type Point = (i32, i32);

/// Steps of the half circle at the end of a piece, up to which half width in tile units: more would not be seen. A hair's end is straight.
const STEPS: [(f64, u32); 2] = [(8.0, 1), (20.0, 3)];

/// The steps of anything wider.
const STEPS_WIDE: u32 = 7;

/// Appends a line's pieces, each with round ends, which also join them. They overlap, which nobody sees in one colour; a single
/// outline would cross itself at every sharp bend.
pub fn ribbon(line: &[(f64, f64)], width: f64, into: &mut Vec<Vec<Point>>) {
    for pair in line.windows(2) {
        if let [from, to] = pair {
            into.extend(capsule(*from, *to, width / 2.0));
        }
    }
}

/// The area at most `radius` away from a piece of a line; `None` for one without a length.
fn capsule(from: (f64, f64), to: (f64, f64), radius: f64) -> Option<Vec<Point>> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    if dx.hypot(dy) < 1e-9 {
        return None;
    }
    let along = dy.atan2(dx);
    let steps = STEPS.iter().find(|(below, _)| radius < *below).map_or(STEPS_WIDE, |(_, steps)| *steps);
    let end = |(x, y): (f64, f64), start_rad: f64| {
        (0..=steps).map(move |step| {
            let angle = start_rad + std::f64::consts::PI * f64::from(step) / f64::from(steps);
            (whole(x + radius * angle.cos()), whole(y + radius * angle.sin()))
        })
    };
    let quarter = std::f64::consts::FRAC_PI_2;
    let mut ring: Vec<Point> = end(to, along - quarter).chain(end(from, along + quarter)).collect();
    ring.dedup();
    (ring.len() >= 3).then_some(ring)
}

/// The farthest from the picture that anything reaches, in tile units: a broken tile may say any number, and beyond this a float of 32
/// bits, with which `maplibre` works, tells no two of them apart.
const FARTHEST: f64 = 8_388_608.0;

/// The nearest whole number that is not too far away.
pub fn whole(value: f64) -> i32 {
    value.round().clamp(-FARTHEST, FARTHEST) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_a_line_covers_its_width() {
        let mut rings = Vec::new();
        ribbon(&[(0.0, 0.0), (100.0, 0.0), (100.0, 0.0), (100.0, 50.0)], 20.0, &mut rings);
        assert_eq!(rings.len(), 2, "a piece without a length is none");
        let (xs, ys): (Vec<i32>, Vec<i32>) = rings[0].iter().copied().unzip();
        assert_eq!((xs.iter().min(), xs.iter().max()), (Some(&-9), Some(&109)));
        assert_eq!((ys.iter().min(), ys.iter().max()), (Some(&-10), Some(&10)));
    }
}
