//! Street lamps: the few that OpenStreetMap has, and more along real streets.

use fleetlens_model::geo::LonLat;

use super::assets::{Assets, Street};
use super::{LAMPS, LampPost, Spot};
use crate::dice::Dice;

/// How far apart lamps stand, in metres.
const SPACING_M: f64 = 35.0;
/// How far from the middle of the street, in metres.
const ASIDE_M: f64 = 4.0;
/// Where the first lamp of a street stands, as a share of the spacing, pass by pass: each pass falls between those before it.
const PASSES: [f64; 8] = [0.25, 0.75, 0.5, 0.0, 0.375, 0.875, 0.125, 0.625];

/// Power of the lamps in use, in watts.
const RATED_W: [f64; 4] = [38.0, 56.0, 72.0, 96.0];

/// The first `count` lamps. Along the main streets first, then the real ones (so that a city of ordinary size has them all),
/// then along all other streets, and then closer and closer.
pub(super) fn along(assets: &Assets, count: usize, dice: Dice) -> Vec<LampPost> {
    let real: Vec<Place> = assets
        .of_kind("street_lamp")
        .map(|feature| Place {
            at: feature.at,
            area: assets.area(feature.at),
            street: assets.street(feature.at),
            mapped: true,
        })
        .collect();
    let in_streets = LAMPS.saturating_sub(real.len()).min(count);
    let mut made = PASSES.iter().flat_map(|&phase| assets.streets.iter().flat_map(move |street| places(street, phase)));
    let mut all: Vec<Place> = made.by_ref().take(in_streets).collect();
    all.extend(real);
    if count > all.len() {
        all.extend(made.take(count - all.len()));
    }
    // Eight passes are some 60 000 lamps; beyond that there are that many lamps twice, a little aside.
    let once = all.len();
    while all.len() < count && once > 0 {
        let Some(Place { at, area, street, mapped: _ }) = all.get(all.len() - once).cloned() else { break };
        let at = LonLat::new(at.lon_deg + 0.000_01, at.lat_deg + 0.000_01).unwrap_or(at);
        all.push(Place { at, area, street, mapped: false });
    }
    all.truncate(count);
    all.into_iter().enumerate().map(|(index, place)| lamp(index + 1, place, dice)).collect()
}

#[derive(Clone)]
struct Place {
    at: LonLat,
    area: String,
    street: Option<String>,
    mapped: bool,
}

fn lamp(number: usize, place: Place, dice: Dice) -> LampPost {
    let thing = format!("lamp-{number:04}");
    let rated_w = dice.throw(&thing, "rated").pick(&RATED_W).copied().unwrap_or(56.0);
    let synthetic = if place.mapped { vec!["name"] } else { vec!["name", "lat", "lon"] };
    let name = format!("Lamp {number:04}");
    LampPost { spot: Spot { thing, name, at: place.at, area: place.area, street: place.street, synthetic }, rated_w }
}

/// Places along one street, on alternate sides.
fn places(street: &Street, phase: f64) -> Vec<Place> {
    let mut places = Vec::new();
    let mut next_m = SPACING_M * phase;
    let mut walked_m = 0.0;
    for pair in street.line.windows(2) {
        let &[[lon_a, lat_a], [lon_b, lat_b]] = pair else { continue };
        let (Some(a), Some(b)) = (LonLat::new(lon_a, lat_a), LonLat::new(lon_b, lat_b)) else { continue };
        let length_m = a.distance_m(b);
        while next_m < walked_m + length_m {
            let along = (next_m - walked_m) / length_m;
            let side = if places.len() % 2 == 0 { ASIDE_M } else { -ASIDE_M } / length_m;
            // At right angles to the street; a degree of longitude is 0.81 of one of latitude here.
            let lon = lon_a + (lon_b - lon_a) * along - (lat_b - lat_a) / 0.81 * side;
            let lat = lat_a + (lat_b - lat_a) * along + (lon_b - lon_a) * 0.81 * side;
            if let Some(at) = LonLat::new((lon * 1e6).round() / 1e6, (lat * 1e6).round() / 1e6) {
                places.push(Place { at, area: street.area.clone(), street: Some(street.name.clone()), mapped: false });
            }
            next_m += SPACING_M;
        }
        walked_m += length_m;
    }
    places
}
