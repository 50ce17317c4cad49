//! Where the fleet is as a whole, so that a map can begin there: the box of every place, without the odd one far from all others.

use fleetlens_ipc::rows::{Change, Ground, Rows};
use fleetlens_model::geo::{GeoBox, LonLat};
use fleetlens_model::kind::Kind;

use super::Told;
use super::sight::sees;
use crate::fleet::{Dirty, Fleet};

/// From so many places on, one of them may be a stray.
const STRAY_AMONG: usize = 8;

/// And of more, one in so many: what is more often than that is part of the fleet, however far away.
const ONE_IN: usize = 50;

/// How far beyond the middle half of all places a place is a stray, in spreads of that half.
const FENCE: f64 = 8.0;

/// The least spread that is counted with, in degrees: things that all stand at one corner are no reason to call the next street far.
const SPREAD_MIN_DEG: f64 = 0.05;

#[derive(Debug)]
pub(super) struct GroundView {
    /// Empty for all.
    kinds: Vec<Kind>,
    shown: Option<Ground>,
}

impl GroundView {
    pub(super) fn new(kinds: Vec<Kind>) -> GroundView {
        GroundView { kinds, shown: None }
    }

    pub(super) fn soil(&self, dirty: &Dirty) -> bool {
        dirty.everything || dirty.settings || !dirty.things.is_empty()
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let is_wanted = |kind: Kind| self.kinds.is_empty() || self.kinds.contains(&kind);
        let wanted = fleet.things.values().filter(|thing| is_wanted(thing.meta.common.kind) && sees(thing, fleet));
        let places = wanted.filter_map(|thing| thing.place());
        let ground = Ground { fleet: extent(&places.collect::<Vec<_>>()), tiles: fleet.config.tiles.clone() };
        if !first && self.shown.as_ref() == Some(&ground) {
            return Told::Nothing;
        }
        self.shown = Some(ground.clone());
        let ground = Box::new(ground);
        if first { Told::All(Rows::Ground(ground)) } else { Told::Some(vec![Change::Ground(ground)]) }
    }
}

/// The box of places without strays; `None` without places. A fleet on both sides of the antimeridian is a box around the earth.
fn extent(places: &[LonLat]) -> Option<GeoBox> {
    let fence = GeoBox {
        west_deg: f64::NEG_INFINITY,
        south_deg: f64::NEG_INFINITY,
        east_deg: f64::INFINITY,
        north_deg: f64::INFINITY,
    };
    let fence = match places.len() {
        n if n >= STRAY_AMONG => {
            let (west_deg, east_deg) = fence_of(places.iter().map(|at| at.lon_deg).collect());
            let (south_deg, north_deg) = fence_of(places.iter().map(|at| at.lat_deg).collect());
            let near = GeoBox { west_deg, south_deg, east_deg, north_deg };
            let strays = places.iter().filter(|at| !near.contains(**at)).count();
            if strays <= (n / ONE_IN).max(1) { near } else { fence }
        }
        _ => fence,
    };
    let inside = places.iter().filter(|at| fence.contains(**at));
    inside.fold(None, |known: Option<GeoBox>, at| Some(known.unwrap_or(GeoBox::of(*at)).with(*at)))
}

/// Between which coordinates nothing is a stray. Finds the quartiles without sorting: a city has 100 000 things.
fn fence_of(mut degrees: Vec<f64>) -> (f64, f64) {
    let mut quartile = |part: usize| {
        let at = (degrees.len() * part / 4).min(degrees.len().saturating_sub(1));
        *degrees.select_nth_unstable_by(at, f64::total_cmp).1
    };
    let (low, high) = (quartile(1), quartile(3));
    let reach = FENCE * (high - low).max(SPREAD_MIN_DEG);
    (low - reach, high + reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Things around a place, a hundredth of a degree apart.
    fn around(lon_deg: f64, lat_deg: f64, count: usize) -> Vec<LonLat> {
        let near =
            |n: usize| LonLat { lon_deg: lon_deg + (n % 10) as f64 * 0.01, lat_deg: lat_deg + (n / 10) as f64 * 0.01 };
        (0..count).map(near).collect()
    }

    #[test]
    fn the_fleet_is_where_its_things_are_without_the_odd_one_far_away() {
        let (helsinki, malaga) = ((24.9, 60.1), (-4.5, 36.7));
        let fleet = |n, m| [around(helsinki.0, helsinki.1, n), around(malaga.0, malaga.1, m)].concat();
        for (name, places, west, east) in [
            ("nothing", vec![], None, None),
            ("one thing", fleet(1, 0), Some(24.9), Some(24.9)),
            ("two, far apart: which of them is the stray?", fleet(1, 1), Some(-4.5), Some(24.9)),
            ("one of seven is a seventh of the fleet", fleet(6, 1), Some(-4.5), Some(24.95)),
            ("one stray", fleet(7, 1), Some(24.9), Some(24.96)),
            ("two strays in fifty are a second place", fleet(48, 2), Some(-4.5), Some(24.99)),
            ("two strays in a hundred", fleet(98, 2), Some(24.9), Some(24.99)),
            ("a tenth of the fleet in another town", fleet(90, 10), Some(-4.5), Some(24.99)),
            (
                "all at one corner, and one two streets away",
                [vec![around(1.0, 1.0, 1)[0]; 20], around(1.02, 1.0, 1)].concat(),
                Some(1.0),
                Some(1.02),
            ),
        ] {
            let told = extent(&places);
            let hundredths = |degrees: f64| (degrees * 100.0).round() / 100.0;
            let (west_told, east_told) = (told.map(|b| hundredths(b.west_deg)), told.map(|b| hundredths(b.east_deg)));
            assert_eq!((west_told, east_told), (west, east), "{name}");
        }
    }
}
