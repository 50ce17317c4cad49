//! Waste bins: those of OpenStreetMap, and in a large city more along its streets.

use std::collections::HashMap;

use super::assets::{Assets, Feature};
use super::streets::{Row, along};
use super::{Bin, Holds, Spot};
use crate::dice::Dice;

/// Bins that are added stand like this: a little farther from the road than lamps, and much farther apart.
const ROW: Row = Row { spacing_m: 110.0, aside_m: 6.0 };

/// The first `count` bins: the mapped ones in the file's order, then others along the streets.
pub(super) fn of(assets: &Assets, count: usize, dice: Dice) -> Vec<Bin> {
    let mut named = HashMap::new();
    let mapped = assets.features.iter().filter_map(|feature| Some((feature, holds(&feature.tags.kind)?)));
    let mut bins: Vec<Bin> = mapped
        .take(count)
        .zip(1..)
        .map(|((feature, holds), number)| mapped_bin(assets, feature, holds, number, &mut named))
        .collect();
    let more = along(&assets.streets, ROW).take(count - bins.len()).collect::<Vec<_>>();
    for place in more {
        let thing = format!("bin-{:04}", bins.len() + 1);
        let mut throw = dice.throw(&thing, "holds");
        let holds = if throw.one_in(3) { Holds::Recycling } else { Holds::Litter };
        let street = place.street.name.clone();
        let name = numbered(holds.word(), &street, &mut named);
        let spot = Spot {
            thing,
            name,
            at: place.at,
            area: place.street.area.clone(),
            street: Some(street),
            synthetic: vec!["name", "lat", "lon"],
        };
        bins.push(Bin { spot, holds });
    }
    bins
}

fn mapped_bin(
    assets: &Assets,
    feature: &Feature,
    holds: Holds,
    number: usize,
    named: &mut HashMap<String, usize>,
) -> Bin {
    let (area, street) = (assets.area(feature.at), assets.street(feature.at));
    let mut synthetic = Vec::new();
    let name = feature.tags.name_en.clone().or_else(|| feature.tags.name.clone()).unwrap_or_else(|| {
        synthetic.push("name");
        numbered(holds.word(), street.as_deref().unwrap_or(&area), named)
    });
    Bin { spot: Spot { thing: format!("bin-{number:04}"), name, at: feature.at, area, street, synthetic }, holds }
}

/// "Bin Triq Melita", and the next one there "Bin Triq Melita 2".
pub(super) fn numbered(word: &str, place: &str, named: &mut HashMap<String, usize>) -> String {
    let name = format!("{word} {place}");
    let nth = named.entry(name.clone()).and_modify(|nth| *nth += 1).or_insert(1);
    if *nth == 1 { name } else { format!("{name} {nth}") }
}

fn holds(kind: &str) -> Option<Holds> {
    match kind {
        "waste_basket" => Some(Holds::Litter),
        "recycling" => Some(Holds::Recycling),
        "waste_disposal" => Some(Holds::Household),
        _ => None,
    }
}
