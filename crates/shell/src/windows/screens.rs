//! Where a window stands, and where it is put when its screen is gone. Pure.

use serde::{Deserialize, Serialize};

/// How much of a window's upper edge must be seen, in physical pixels: as much as a person needs to take hold of it.
const SEEN_WIDTH: i64 = 160;
const SEEN_HEIGHT: i64 = 24;

/// How high the edge is by which a window is held.
const EDGE_HEIGHT: i64 = 40;

/// The smallest that a remembered window is.
const SMALLEST: (u32, u32) = (400, 300);

/// A window's place or a screen's, in physical pixels of the whole desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rect {
    /// From the left; below zero on a screen left of the first.
    pub x: i32,
    /// From the top.
    pub y: i32,
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
}

impl Rect {
    /// The same, a little to the right and below, so that both are seen.
    pub fn beside(self) -> Rect {
        const STEP: i32 = 36;
        Rect { x: self.x.saturating_add(STEP), y: self.y.saturating_add(STEP), ..self }
    }

    fn right(self) -> i64 {
        i64::from(self.x) + i64::from(self.width)
    }

    fn bottom(self) -> i64 {
        i64::from(self.y) + i64::from(self.height)
    }

    /// Whether a person can take hold of it on this screen.
    fn is_held_on(self, screen: Rect) -> bool {
        let width = self.right().min(screen.right()) - i64::from(self.x.max(screen.x));
        let edge = (i64::from(self.y) + EDGE_HEIGHT).min(screen.bottom()) - i64::from(self.y.max(screen.y));
        width >= SEEN_WIDTH.min(i64::from(self.width)) && edge >= SEEN_HEIGHT
    }
}

/// Where a window is put that stood there: where it stood, if one of these screens shows enough of it, else in the middle of the first. It
/// is never larger than its screen. Without any screen nobody knows better than the file.
pub fn onto(stood: Rect, screens: &[Rect]) -> Rect {
    let held = screens.iter().find(|screen| stood.is_held_on(**screen));
    let Some(screen) = held.or_else(|| screens.first()).copied() else { return stood };
    let size = |was: u32, least: u32, most: u32| was.max(least).min(most);
    let width = size(stood.width, SMALLEST.0, screen.width);
    let height = size(stood.height, SMALLEST.1, screen.height);
    if held.is_some() {
        return Rect { width, height, ..stood };
    }
    let middle = |from: i32, room: u32, takes: u32| from.saturating_add(((room - takes) / 2).cast_signed());
    Rect { x: middle(screen.x, screen.width, width), y: middle(screen.y, screen.height, height), width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rect(x: i32, y: i32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    #[test]
    fn a_window_comes_back_where_it_stood_and_onto_a_screen_that_is_there() {
        let (first, left) = (rect(0, 0, 1920, 1080), rect(-1280, 0, 1280, 1024));
        for (name, stood, screens, want) in [
            ("where it stood", rect(100, 50, 1440, 900), vec![first], rect(100, 50, 1440, 900)),
            ("on the other screen", rect(-1200, 10, 1000, 800), vec![first, left], rect(-1200, 10, 1000, 800)),
            ("whose screen is gone", rect(-1200, 10, 1000, 800), vec![first], rect(460, 140, 1000, 800)),
            ("half out of it", rect(1500, 700, 1000, 800), vec![first], rect(1500, 700, 1000, 800)),
            ("a corner of it", rect(1900, 700, 1000, 800), vec![first], rect(460, 140, 1000, 800)),
            ("its upper edge is out", rect(100, -500, 1000, 800), vec![first], rect(460, 140, 1000, 800)),
            ("a smaller screen", rect(0, 0, 3840, 2160), vec![first], rect(0, 0, 1920, 1080)),
            ("a smaller screen, far away", rect(9_000, 0, 3840, 2160), vec![first], first),
            ("no size", rect(10, 10, 0, 0), vec![first], rect(10, 10, 400, 300)),
            (
                "a screen smaller than the smallest",
                rect(0, 0, 800, 600),
                vec![rect(0, 0, 300, 200)],
                rect(0, 0, 300, 200),
            ),
            ("no screen is known", rect(7, 8, 900, 700), vec![], rect(7, 8, 900, 700)),
            (
                "numbers of nobody's",
                rect(i32::MAX, i32::MIN, u32::MAX, u32::MAX),
                vec![rect(i32::MAX, i32::MAX, u32::MAX, u32::MAX)],
                rect(i32::MAX, i32::MAX, u32::MAX, u32::MAX),
            ),
        ] {
            assert_eq!(onto(stood, &screens), want, "{name}");
        }
    }

    #[test]
    fn a_window_beside_another_is_seen_and_its_numbers_end_nowhere() {
        assert_eq!(rect(10, 20, 900, 700).beside(), rect(46, 56, 900, 700));
        assert_eq!(rect(i32::MAX, 0, 1, 1).beside().x, i32::MAX);
    }
}
