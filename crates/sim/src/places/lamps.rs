//! Street lamps: the few that OpenStreetMap has, and more along real streets.

use fleetlens_model::geo::LonLat;

use super::assets::Assets;
use super::streets::{Row, along as beside};
use super::{LAMPS, LampPost, Spot};
use crate::dice::Dice;

/// How lamps stand along a street.
const ROW: Row = Row { spacing_m: 35.0, aside_m: 4.0 };

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
    let mut made = beside(&assets.streets, ROW).map(|place| Place {
        at: place.at,
        area: place.street.area.clone(),
        street: Some(place.street.name.clone()),
        mapped: false,
    });
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
