//! Car parks near a place, nearest first, with how many spaces of each class are free. Never a number without its age.

use fleetlens_ipc::rows::{Change, FreeCount, ParkingRow, Rows, Spaces};
use fleetlens_model::freshness::limit_ms;
use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::Now;

use super::Told;
use super::list::place_words;
use crate::fleet::{Dirty, Fleet, Thing, interval_ms};

#[derive(Debug)]
pub(super) struct ParkingView {
    from: LonLat,
    limit: usize,
    /// What was told, without ages.
    shown: Vec<ParkingRow>,
}

impl ParkingView {
    pub(super) fn new(from: LonLat, limit: u32) -> ParkingView {
        ParkingView { from, limit: limit.clamp(1, 200) as usize, shown: Vec::new() }
    }

    pub(super) fn soil(&self, dirty: &Dirty, fleet: &Fleet) -> bool {
        dirty.everything || fleet.index.of_kind(Kind::Parking).any(|key| dirty.things.contains(&key))
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let rows = self.rows(fleet, now);
        let shown = rows.iter().map(ageless).collect();
        let before = std::mem::replace(&mut self.shown, shown);
        match first {
            true => Told::All(Rows::Parking(rows)),
            false if before == self.shown => Told::Nothing,
            false => Told::Some(vec![Change::Parking(rows)]),
        }
    }

    fn rows(&self, fleet: &Fleet, now: Now) -> Vec<ParkingRow> {
        let parks = fleet.index.of_kind(Kind::Parking).filter_map(|key| fleet.things.get(&key));
        let mut near: Vec<(f64, LonLat, &Thing)> =
            parks.filter_map(|thing| thing.place().map(|at| (self.from.distance_m(at), at, thing))).collect();
        near.sort_by(|(a, _, this), (b, _, that)| a.total_cmp(b).then(this.key.cmp(&that.key)));
        let row = |(distance_m, at, thing): &(f64, LonLat, &Thing)| ParkingRow {
            thing: thing.key,
            title: thing.title().to_string(),
            place: place_words(thing),
            at: *at,
            distance_m: *distance_m as f32,
            all: spaces(thing, "/free", thing.meta.common.capacity, fleet, now),
            accessible: spaces(thing, "/free_accessible", thing.meta.common.capacity_accessible, fleet, now),
            charging: spaces(thing, "/free_charging", thing.meta.common.capacity_charging, fleet, now),
            freshness: thing.silence.freshness(),
        };
        near.iter().take(self.limit).map(row).collect()
    }
}

fn spaces(thing: &Thing, pointer: &str, capacity: Option<u32>, fleet: &Fleet, now: Now) -> Spaces {
    Spaces { capacity, free: free(thing, pointer, capacity, fleet, now) }
}

/// How many are free. Fewer than none is no count, and a space that is not there cannot be free.
fn free(thing: &Thing, pointer: &str, capacity: Option<u32>, fleet: &Fleet, now: Now) -> Option<FreeCount> {
    let series = fleet.series_at(thing, pointer)?;
    let sample = series.latest()?;
    let Value::Number(count) = sample.value else { return None };
    (count >= 0.0).then(|| FreeCount {
        count: (count.min(f64::from(u32::MAX)) as u32).min(capacity.unwrap_or(u32::MAX)),
        age_ms: fleet.age_ms(series, &sample, now),
        old_after_ms: limit_ms(interval_ms(&thing.meta.common)),
        device_ms: sample.device_ms,
        source: fleet.source(series, &sample),
        quality: sample.quality,
    })
}

/// A row with what does not grow by itself in the window.
fn ageless(row: &ParkingRow) -> ParkingRow {
    let spaces = |spaces: &Spaces| Spaces {
        capacity: spaces.capacity,
        free: spaces.free.clone().map(|free| FreeCount { age_ms: 0, ..free }),
    };
    ParkingRow {
        all: spaces(&row.all),
        accessible: spaces(&row.accessible),
        charging: spaces(&row.charging),
        ..row.clone()
    }
}
