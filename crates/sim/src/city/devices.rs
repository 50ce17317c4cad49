//! Everybody who lives in a city.

use std::sync::Arc;

use fleetlens_model::kind::Kind;

use crate::device::{Device, interval_s};
use crate::dice::Dice;
use crate::places::{Census, Places, nearest};
use crate::{CityOptions, SimError};

/// Every device of a city: gateways first, then what stands in the streets, then what drives there.
pub fn devices(options: &CityOptions, dice: Dice, sim_ms: i64) -> Result<Vec<Device>, SimError> {
    let mut places = Places::of(options.things, dice)?;
    let Census { car_parks, lamps, bins, chargers, vehicles, gateways } = Census::of(options.things);
    let per_s = |count: usize, kind| count as f64 / f64::from(interval_s(kind));
    let ordinary = per_s(car_parks, Kind::Parking)
        + per_s(lamps, Kind::Lamp)
        + per_s(bins, Kind::Bin)
        + per_s(chargers, Kind::Charger)
        + per_s(vehicles, Kind::Vehicle)
        + per_s(gateways, Kind::Gateway);
    let faster = options.rate.map_or(1.0, |rate| rate / ordinary.max(f64::MIN_POSITIVE));
    let interval_ms = |kind| ((f64::from(interval_s(kind)) * 1000.0 / faster) as u64).max(1);

    let masts = std::mem::take(&mut places.masts);
    let names: Vec<Arc<str>> = masts.iter().map(|mast| Arc::from(mast.spot.thing.as_str())).collect();
    let mut carries = vec![0; masts.len()];
    // Bins and lamps have radios of little power; the rest has mains and a network of its own.
    let mut carrier = |at| {
        let nearest = nearest(&masts, at)?;
        if let Some(carries) = carries.get_mut(nearest) {
            *carries += 1;
        }
        names.get(nearest).cloned()
    };
    let mut carried: Vec<Device> = Vec::with_capacity(options.things);
    for post in std::mem::take(&mut places.lamps) {
        let gateway = carrier(post.spot.at);
        carried.push(Device::lamp(post, dice, interval_ms(Kind::Lamp), sim_ms).carried_by(gateway));
    }
    for bin in std::mem::take(&mut places.bins) {
        let gateway = carrier(bin.spot.at);
        carried.push(Device::bin(bin, dice, interval_ms(Kind::Bin)).carried_by(gateway));
    }
    let garages = std::mem::take(&mut places.garages);
    let gateways = masts.into_iter().zip(carries);
    let gateways = gateways.map(|(mast, carries)| Device::gateway(mast, carries, dice, interval_ms(Kind::Gateway)));
    let parks = std::mem::take(&mut places.car_parks).into_iter();
    let parks = parks.map(|park| Device::car_park(park, dice, interval_ms(Kind::Parking)));
    let points = std::mem::take(&mut places.chargers).into_iter();
    let points = points.map(|point| Device::charger(point, dice, interval_ms(Kind::Charger), sim_ms));
    let vehicles = garages.into_iter();
    let vehicles = vehicles.map(|garage| Device::vehicle(garage, &places, dice, interval_ms(Kind::Vehicle), sim_ms));
    Ok(gateways.chain(parks).chain(carried).chain(points).chain(vehicles).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wednesday, 14 January 2026, 00:00 in Malta.
    const MIDNIGHT: i64 = 1_768_345_200_000;

    /// What a city says of itself at four hours of a day, without shadows.
    fn day(seed: u64) -> Vec<Vec<u8>> {
        let options = CityOptions { things: 400, seed, ..CityOptions::default() };
        let mut said = Vec::new();
        for mut device in devices(&options, Dice::new(seed), MIDNIGHT).unwrap() {
            said.push(device.meta());
            for hour in [3, 8, 13, 19] {
                let sim_ms = MIDNIGHT + hour * 3_600_000;
                device.tick(sim_ms);
                said.push(device.telemetry(hour, sim_ms));
            }
        }
        said
    }

    #[test]
    fn the_same_seed_gives_the_same_city_byte_for_byte() {
        assert_eq!(day(4), day(4));
        assert_ne!(day(4), day(5));
    }

    #[test]
    fn a_rate_is_shared_by_all_devices() {
        for (things, rate) in [(1_650, None), (1_650, Some(500.0)), (5_000, Some(50.0)), (20, Some(1.0))] {
            let options = CityOptions { things, rate, ..CityOptions::default() };
            let devices = devices(&options, Dice::new(1), MIDNIGHT).unwrap();
            let per_s: f64 = devices.iter().map(|device| 1000.0 / device.interval_ms() as f64).sum();
            let want = rate.unwrap_or(79.7);
            assert!((per_s / want - 1.0).abs() < 0.02, "{things} things: {per_s} a second, not {want}");
        }
    }
}
