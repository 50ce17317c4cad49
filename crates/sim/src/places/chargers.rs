//! The charging points of OpenStreetMap.

use std::collections::HashMap;

use super::assets::Assets;
use super::bins::numbered;
use super::{ChargePoint, Spot};
use crate::dice::Dice;

/// What charging points in streets give at most, in kilowatts: three phases of 32 A, and some of 16 A.
const RATED_KW: [f64; 4] = [22.0, 22.0, 22.0, 11.0];

/// The first `count` charging stations, in the file's order.
pub(super) fn of(assets: &Assets, count: usize, dice: Dice) -> Vec<ChargePoint> {
    let mut named = HashMap::new();
    let stations = assets.of_kind("charging_station").take(count).zip(1..);
    stations
        .map(|(feature, number)| {
            let thing = format!("charger-{number:04}");
            let (area, street) = (assets.area(feature.at), assets.street(feature.at));
            let mut synthetic = vec!["rated_kw"];
            let name = feature.tags.name_en.clone().or_else(|| feature.tags.name.clone()).unwrap_or_else(|| {
                synthetic.push("name");
                numbered("Charger", street.as_deref().unwrap_or(&area), &mut named)
            });
            let rated_kw = dice.throw(&thing, "rated").pick(&RATED_KW).copied().unwrap_or(22.0);
            ChargePoint { spot: Spot { thing, name, at: feature.at, area, street, synthetic }, rated_kw }
        })
        .collect()
}
