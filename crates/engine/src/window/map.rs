//! The map: packed rows of every thing in a box, then only those whose row changed.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::map::{FLAG_GONE, FLAG_PENDING, FLAG_SEEN, LEVEL_UNKNOWN, MapRow, ROW_BYTES, Status};
use fleetlens_ipc::rows::{Change, Rows};
use fleetlens_model::alarm::Alarm;
use fleetlens_model::geo::GeoBox;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::Standing;

use super::Told;
use super::sight::sees;
use crate::fleet::{Dirty, Fleet, Thing};

#[derive(Debug)]
pub(super) struct MapView {
    area: GeoBox,
    shown: BTreeMap<ThingKey, MapRow>,
    changed: BTreeSet<ThingKey>,
    all: bool,
}

impl MapView {
    pub(super) fn new(area: GeoBox) -> MapView {
        MapView { area, shown: BTreeMap::new(), changed: BTreeSet::new(), all: true }
    }

    pub(super) fn soil(&mut self, dirty: &Dirty) -> bool {
        // Who is at the screen may see more now, or less.
        self.all |= dirty.everything || dirty.settings;
        if !self.all {
            self.changed.extend(&dirty.things);
        }
        self.all || !self.changed.is_empty()
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let changed = std::mem::take(&mut self.changed);
        let all = std::mem::replace(&mut self.all, false);
        let mut bytes = Vec::new();
        if all {
            fleet.things.values().for_each(|thing| self.tell_thing(thing, fleet, &mut bytes));
        } else {
            changed
                .iter()
                .filter_map(|key| fleet.things.get(key))
                .for_each(|thing| self.tell_thing(thing, fleet, &mut bytes));
        }
        match (first, bytes.len() / ROW_BYTES) {
            (true, _) => Told::All(Rows::Map(bytes)),
            (false, 0) => Told::Nothing,
            (false, _) => Told::Some(vec![Change::Map(bytes)]),
        }
    }

    fn tell_thing(&mut self, thing: &Thing, fleet: &Fleet, bytes: &mut Vec<u8>) {
        let row = map_row(thing, fleet).filter(|row| self.area.contains(row.at) && sees(thing, fleet));
        match (row, self.shown.get(&thing.key).copied()) {
            (Some(row), before) if before != Some(row) => {
                row.write(bytes);
                self.shown.insert(thing.key, row);
            }
            (None, Some(before)) => {
                MapRow { flags: FLAG_GONE, ..before }.write(bytes);
                self.shown.remove(&thing.key);
            }
            (Some(_) | None, Some(_) | None) => {}
        }
    }
}

/// A thing's mark; `None` while nobody said where it stands.
pub(super) fn map_row(thing: &Thing, fleet: &Fleet) -> Option<MapRow> {
    let at = thing.place()?;
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let is_pending = fleet.waiting_of(thing).next().is_some();
    let needs_a_person = || thing.alarms.iter().any(|id| fleet.alarms.get(*id).is_some_and(Alarm::needs_a_person));
    let flags = flag(is_pending, FLAG_PENDING) | flag(thing.alarmed.is_some() && !needs_a_person(), FLAG_SEEN);
    Some(MapRow {
        thing: thing.key,
        at,
        kind: thing.meta.common.kind,
        status: status_of(thing),
        flags,
        level: level_of(thing, fleet),
    })
}

/// What a thing's mark says.
pub(super) fn status_of(thing: &Thing) -> Status {
    match thing.standing() {
        Standing::Normal => Status::Normal,
        Standing::Unknown => Status::Unknown,
        Standing::Warning => Status::Warning,
        Standing::Critical => Status::Critical,
    }
}

fn level_of(thing: &Thing, fleet: &Fleet) -> u8 {
    let share = match thing.meta.common.kind {
        Kind::Lamp => fleet.number(thing, "/dim_pct"),
        Kind::Parking => match (fleet.number(thing, "/free"), thing.meta.common.capacity) {
            (Some(free), Some(capacity)) if capacity > 0 => Some(100.0 - 100.0 * free / f64::from(capacity)),
            (Some(_) | None, Some(_) | None) => None,
        },
        Kind::Bin => fleet.number(thing, "/fill_pct"),
        Kind::Charger => match (fleet.number(thing, "/power_kw"), fleet.number(thing, "/limit_kw")) {
            (Some(power), Some(limit)) if limit > 0.0 => Some(100.0 * power / limit),
            (Some(_) | None, Some(_) | None) => None,
        },
        // For a vehicle: where it heads, as the map draws it.
        Kind::Vehicle => fleet.number(thing, "/heading_deg").map(|deg| deg.rem_euclid(360.0) / 3.6),
        Kind::Gateway | Kind::Other => None,
    };
    share.map_or(LEVEL_UNKNOWN, |percent| percent.clamp(0.0, 100.0).round() as u8)
}
