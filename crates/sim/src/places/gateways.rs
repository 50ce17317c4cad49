//! Radio gateways: one in each district with many bins and lamps, and in a large city more in each.

use std::collections::HashMap;

use fleetlens_model::geo::LonLat;

use super::assets::Assets;
use super::{Mast, Spot};
use crate::roads::flat_m;

/// How far from the first the further gateways of a district stand, in degrees.
const APART_DEG: f64 = 0.004;
/// The golden angle, in radians: however many there are, they stand apart.
const TURN: f64 = 2.399_963;

/// The first `count` gateways. The districts with the most of `carried`, the bins and lamps of an ordinary city, come first.
pub(super) fn of<'a>(assets: &Assets, carried: impl Iterator<Item = &'a Spot>, count: usize) -> Vec<Mast> {
    let mut counts = HashMap::<&str, usize>::new();
    carried.for_each(|spot| *counts.entry(&spot.area).or_default() += 1);
    let mut areas: Vec<_> = assets.areas.iter().filter_map(|area| Some((area.name.as_str(), area.at()?))).collect();
    areas.sort_by_key(|(name, _)| (std::cmp::Reverse(counts.get(name).copied().unwrap_or_default()), *name));
    let in_rounds = (0..).flat_map(|round: u32| areas.iter().map(move |area| (round, area)));
    let count = if areas.is_empty() { 0 } else { count };
    let masts = in_rounds.take(count).zip(1..).filter_map(|((round, (area, centre)), number)| {
        let (name, far_deg) = match round {
            0 => (format!("Gateway {area}"), 0.0),
            round => (format!("Gateway {area} {}", round + 1), APART_DEG * f64::from(round).sqrt()),
        };
        let turn = TURN * f64::from(round);
        let place = |degrees: f64| (degrees * 1e6).round() / 1e6;
        let at =
            LonLat::new(place(centre.lon_deg + far_deg * turn.cos()), place(centre.lat_deg + far_deg * turn.sin()))?;
        let thing = format!("gateway-{number:04}");
        let synthetic = vec!["name", "lat", "lon"];
        Some(Mast { spot: Spot { thing, name, at, area: (*area).to_owned(), street: None, synthetic } })
    });
    masts.collect()
}

/// The mast nearest to a place, by its place in the list; `None` only of none.
pub fn nearest(masts: &[Mast], at: LonLat) -> Option<usize> {
    let masts = masts.iter().enumerate();
    masts.min_by(|a, b| flat_m(a.1.spot.at, at).total_cmp(&flat_m(b.1.spot.at, at))).map(|(index, _)| index)
}
