//! Where the vehicles of the city begin.

use fleetlens_model::geo::LonLat;

use super::assets::Assets;
use super::{Garage, Spot};
use crate::dice::Dice;
use crate::roads::{Node, Roads};

/// What drives for a city, the commonest first and twice.
const WORK: [&str; 5] = ["Service van", "Service van", "Sweeper", "Collection truck", "Inspection car"];

/// The first `count` vehicles, each at a crossing that the dice chose.
pub(super) fn of(assets: &Assets, roads: &Roads, count: usize, dice: Dice) -> Vec<Garage> {
    let vehicles = (1..=count).filter_map(|number| {
        let thing = format!("vehicle-{number:04}");
        let mut throw = dice.throw(&thing, "garage");
        let node = throw.below(roads.len()) as Node;
        let at = roads.at(node)?;
        let word = throw.pick(&WORK).copied().unwrap_or("Service van");
        let synthetic = vec!["name", "lat", "lon"];
        let name = format!("{word} {number:02}");
        Some(Garage { spot: Spot { thing, name, at, area: assets.area(at), street: None, synthetic }, node })
    });
    vehicles.collect()
}

/// The crossings nearest to all chargers of the island, where vehicles charge.
pub(super) fn charging(assets: &Assets, roads: &Roads) -> Vec<Node> {
    let chargers = assets.of_kind("charging_station").map(|feature| feature.at);
    chargers.filter_map(|at: LonLat| roads.nearest(at)).collect()
}
