//! In which areas a thing is, with a memory: at an edge it is where it was.

use crate::alarm::fence::Fence;
use crate::geo::LonLat;

/// What is remembered of the areas of one expression and one thing, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fences {
    /// It is known where the thing is.
    located: u8,
    /// It is known on which side of the edge that is.
    decided: u8,
    /// It is inside.
    inside: u8,
}

impl Fences {
    pub fn move_to<'f>(&mut self, at: LonLat, fences: impl IntoIterator<Item = Option<&'f Fence>>) {
        for (nth, fence) in fences.into_iter().enumerate() {
            let Some(fence) = fence else { continue };
            self.located |= bit(nth);
            let (if_outside, if_inside) = (fence.holds(at, false), || fence.holds(at, true));
            match self.inside(nth) {
                _ if if_outside => self.decide(nth, true),
                Some(true) => self.decide(nth, if_inside()),
                Some(false) => {}
                None if !if_inside() => self.decide(nth, false),
                // Between the edge and the margin, and nobody remembers where it came from.
                None => {}
            }
        }
    }

    pub fn inside(self, nth: usize) -> Option<bool> {
        (self.decided & bit(nth) != 0).then_some(self.inside & bit(nth) != 0)
    }

    pub fn undecided(self) -> impl Iterator<Item = usize> {
        (0..u8::BITS as usize).filter(move |nth| self.located & !self.decided & bit(*nth) != 0)
    }

    pub fn decide(&mut self, nth: usize, inside: bool) {
        self.decided |= bit(nth);
        self.inside = if inside { self.inside | bit(nth) } else { self.inside & !bit(nth) };
    }
}

/// None of an area beyond the last that an expression may name.
fn bit(nth: usize) -> u8 {
    u32::try_from(nth).ok().and_then(|nth| 1u8.checked_shl(nth)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::fence::Shape;

    #[test]
    fn at_an_edge_a_thing_is_where_it_was_and_undecided_where_nobody_remembers() {
        let middle = LonLat { lon_deg: 14.5, lat_deg: 35.9 };
        let circle = |radius_m| Fence::new(Shape::Circle { middle, radius_m }, 100.0).unwrap();
        let (small, large) = (circle(200.0), circle(1_000.0));
        // So many metres north of the middle.
        let north = |m: f64| LonLat { lat_deg: 35.9 + m / 111_195.0, ..middle };
        let mut fences = Fences::default();
        let mut moved = |m: f64| {
            fences.move_to(north(m), [Some(&small), None, Some(&large)]);
            (fences.inside(0), fences.inside(1), fences.inside(2), fences.undecided().collect::<Vec<_>>())
        };
        assert_eq!(moved(250.0), (None, None, Some(true), vec![0]));
        assert_eq!(moved(190.0), (Some(true), None, Some(true), vec![]));
        assert_eq!(moved(250.0), (Some(true), None, Some(true), vec![]));
        assert_eq!(moved(310.0), (Some(false), None, Some(true), vec![]));
        assert_eq!(moved(250.0), (Some(false), None, Some(true), vec![]));
        assert_eq!(moved(1_050.0), (Some(false), None, Some(true), vec![]));
        assert_eq!(moved(1_200.0), (Some(false), None, Some(false), vec![]));
        let mut fences = Fences::default();
        fences.move_to(north(250.0), [Some(&small)]);
        fences.decide(0, false);
        assert_eq!((fences.inside(0), fences.undecided().next(), fences.inside(8)), (Some(false), None, None));
    }
}
