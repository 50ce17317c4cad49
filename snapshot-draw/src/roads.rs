//! The classes of streets, and how wide each is drawn.

use crate::palette::{Palette, Rgb};

/// Streets that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// Ways on foot.
    Path,
    /// Railways.
    Rail,
    /// Ways to a door.
    Service,
    /// Small streets.
    Minor,
    /// Larger streets.
    Middle,
    /// The largest streets.
    Major,
}

/// How a class is drawn.
struct Look {
    road: Road,
    /// OpenMapTiles' words for `class`.
    classes: &'static [&'static str],
    /// Nothing of it is drawn farther away than this.
    from_zoom: f64,
    /// CSS pixels at zoom 10 and 16, as in the window's map.
    widths_px: (f64, f64),
}

/// From below.
const LOOKS: [Look; 6] = [
    Look { road: Road::Path, classes: &["path"], from_zoom: 14.5, widths_px: (0.2, 1.8) },
    Look { road: Road::Rail, classes: &["rail", "transit"], from_zoom: 11.0, widths_px: (0.5, 2.0) },
    Look { road: Road::Service, classes: &["service", "track", "raceway"], from_zoom: 13.0, widths_px: (0.2, 4.5) },
    Look { road: Road::Minor, classes: &["minor", "busway"], from_zoom: 11.5, widths_px: (0.4, 8.0) },
    Look { road: Road::Middle, classes: &["secondary", "tertiary"], from_zoom: 9.0, widths_px: (0.9, 11.5) },
    Look { road: Road::Major, classes: &["motorway", "trunk", "primary"], from_zoom: 6.0, widths_px: (1.3, 14.0) },
];

/// By how much the width grows from one zoom to the next, as in the window's map.
const GROWTH: f64 = 1.6;

/// Streets narrower than this have no edge, in CSS pixels.
const CASED_FROM_PX: f64 = 1.2;

impl Road {
    /// All of them, from below.
    pub fn all() -> impl Iterator<Item = Road> {
        LOOKS.iter().map(|look| look.road)
    }

    /// By OpenMapTiles' `class`; `None` for what is no street, and ferries.
    pub fn of_class(class: &str) -> Option<Road> {
        LOOKS.iter().find(|look| look.classes.contains(&class)).map(|look| look.road)
    }

    /// How wide, in CSS pixels; `None` where it is not drawn.
    pub fn width_px(self, zoom: f64) -> Option<f64> {
        let look = LOOKS.iter().find(|look| look.road == self)?;
        let (from, to) = look.widths_px;
        // MapLibre's `["interpolate", ["exponential", 1.6], ["zoom"], 10, from, 16, to]`, going on beyond 16.
        let share = (GROWTH.powf(zoom - 10.0) - 1.0) / (GROWTH.powf(6.0) - 1.0);
        (zoom >= look.from_zoom).then(|| (from + (to - from) * share).max(0.5))
    }

    /// How wide its edge is on each side, in CSS pixels; `None` where it has none.
    pub fn casing_px(self, zoom: f64) -> Option<f64> {
        match self {
            Road::Path | Road::Rail => None,
            Road::Service | Road::Minor | Road::Middle | Road::Major => {
                self.width_px(zoom).filter(|width| *width >= CASED_FROM_PX).map(|width| (width * 0.09).clamp(0.6, 1.2))
            }
        }
    }

    /// Its colour.
    pub fn colour(self, palette: &Palette) -> Rgb {
        match self {
            Road::Path => palette.path,
            Road::Rail => palette.rail,
            Road::Service | Road::Minor => palette.minor,
            Road::Middle => palette.road,
            Road::Major => palette.major,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_street_is_as_wide_as_on_the_windows_map() {
        for (road, zoom, want) in [
            (Road::Major, 10.0, Some(1.3)),
            (Road::Major, 16.0, Some(14.0)),
            (Road::Minor, 10.0, None),
            (Road::Path, 13.0, None),
            (Road::Service, 13.0, Some(1.0)),
        ] {
            let width = road.width_px(zoom);
            assert_eq!(width.map(|w| (w * 10.0).round() / 10.0), want, "{road:?} at {zoom}");
        }
        assert_eq!(Road::of_class("trunk"), Some(Road::Major));
        assert_eq!(Road::of_class("ferry"), None);
    }
}
