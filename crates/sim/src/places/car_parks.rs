//! The car parks of OpenStreetMap, with what it lacks made up.

use std::collections::HashMap;

use super::assets::{Assets, Feature};
use super::{CarPark, Spot, UsedFor};
use crate::dice::{Dice, Throw};

/// A charger this near belongs to the car park, in metres.
const CHARGER_WITHIN_M: f64 = 80.0;

/// Areas where people work, go out and swim; elsewhere they live.
const WORK: [&str; 9] =
    ["Valletta", "Floriana", "Sliema", "Msida", "Gżira", "Ta' Xbiex", "Birkirkara", "Marsa", "San Ġwann"];
const EVENING: [&str; 6] = ["Saint Julian's", "Sliema", "Buġibba", "Qawra", "Marsascala", "Gżira"];
const BEACH: [&str; 8] =
    ["Mellieha", "Manikata", "Xlendi", "Marsalforn", "Birzebbugia", "Marsaxlokk", "Il-Qajjenza", "Ix-Xemxija"];

/// The first `count` car parks by rank: those with a barrier first, then those people know by name, then the rest by the dice;
/// so that a small city has something to steer and a larger one holds it.
pub(super) fn of(assets: &Assets, count: usize, dice: Dice) -> Vec<CarPark> {
    let chargers: Vec<&Feature> = assets.of_kind("charging_station").collect();
    let mut named = HashMap::<String, u32>::new();
    let parks = assets.of_kind("parking").enumerate();
    let mut parks: Vec<CarPark> =
        parks.map(|(index, feature)| park(assets, feature, index + 1, &chargers, &mut named, dice)).collect();
    parks.sort_by_cached_key(|park| {
        let unnamed = park.spot.synthetic.contains(&"name");
        (!park.barrier, unnamed, dice.throw(&park.spot.thing, "rank").unit().to_bits())
    });
    parks.truncate(count);
    parks.sort_by(|a, b| a.spot.thing.cmp(&b.spot.thing));
    parks
}

fn park(
    assets: &Assets,
    feature: &Feature,
    number: usize,
    chargers: &[&Feature],
    named: &mut HashMap<String, u32>,
    dice: Dice,
) -> CarPark {
    let thing = format!("parking-{number:04}");
    let tags = &feature.tags;
    let (area, street) = (assets.area(feature.at), assets.street(feature.at));
    let mut synthetic = Vec::new();

    let mut throw = dice.throw(&thing, "spaces");
    let capacity = count(tags.capacity.as_deref()).unwrap_or_else(|| {
        synthetic.push("capacity");
        capacity(tags.parking.as_deref(), &mut throw)
    });
    let accessible = tags.accessible.as_deref().map(|tag| count(Some(tag)).unwrap_or(0)).unwrap_or_else(|| {
        synthetic.push("capacity_accessible");
        if capacity >= 12 { (f64::from(capacity) * throw.between(0.02, 0.05)).ceil() as u32 } else { 0 }
    });
    let accessible = accessible.min(capacity);
    synthetic.push("capacity_charging"); // OSM knows the chargers, not how many spaces each serves
    let near = chargers.iter().filter(|charger| charger.at.distance_m(feature.at) <= CHARGER_WITHIN_M).count() as u32;
    let charging = match tags.parking.as_deref() {
        Some("multi-storey" | "underground") => near * 2 + throw.between(2.0, 9.0) as u32,
        _ => near * 2,
    };
    let charging = charging.min((capacity - accessible) / 2);

    let name = tags.name_en.clone().or_else(|| tags.name.clone()).unwrap_or_else(|| {
        synthetic.push("name");
        let place = street.as_deref().unwrap_or(&area);
        let nth = named.entry(place.to_owned()).and_modify(|nth| *nth += 1).or_insert(1);
        if *nth == 1 { format!("Car park {place}") } else { format!("Car park {place} {nth}") }
    });
    let fee = tags.fee.as_deref().map(|fee| fee != "no"); // "yes", or what it costs
    let barrier = fee == Some(true) || matches!(tags.parking.as_deref(), Some("multi-storey" | "underground"));
    CarPark {
        used_for: used_for(&area, &mut dice.throw(&thing, "use")),
        spot: Spot { thing, name, at: feature.at, area, street, synthetic },
        capacity,
        accessible,
        charging,
        barrier,
        access: tags.access.clone(),
        fee,
    }
}

/// A count as people write it in OSM, if it is one.
fn count(tag: Option<&str>) -> Option<u32> {
    tag?.trim().parse().ok().filter(|count| (1..=10_000).contains(count))
}

fn capacity(parking: Option<&str>, throw: &mut Throw) -> u32 {
    let (low, high) = match parking {
        Some("multi-storey" | "underground") => (120.0, 600.0),
        Some("rooftop") => (60.0, 180.0),
        Some("street_side") => (5.0, 24.0),
        Some("lane") => (4.0, 14.0),
        Some(_) | None => (12.0, 160.0),
    };
    // Squared: there are more small ones than large ones.
    let share = throw.unit();
    (low + (high - low) * share * share).round() as u32
}

fn used_for(area: &str, throw: &mut Throw) -> UsedFor {
    let mut choices = vec![UsedFor::Homes, UsedFor::Homes, UsedFor::Shops];
    for (areas, use_there) in [(&WORK[..], UsedFor::Offices), (&EVENING, UsedFor::Evenings), (&BEACH, UsedFor::Beach)] {
        if areas.contains(&area) {
            choices.extend([use_there; 4]);
        }
    }
    throw.pick(&choices).copied().unwrap_or(UsedFor::Homes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::assets;

    #[test]
    fn every_area_named_here_is_on_the_map() {
        let assets = assets::read().unwrap();
        for name in WORK.iter().chain(&EVENING).chain(&BEACH) {
            assert!(assets.areas.iter().any(|area| area.name == *name), "{name}");
        }
    }
}
