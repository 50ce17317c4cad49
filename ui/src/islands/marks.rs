//! The marks on the map as Rust keeps them: one row a thing, packed into vertices for the graphics card in the order in which
//! they must be drawn, worst last. Pure: the graphics card is [`super::live_layer`]'s business.

use std::collections::HashMap;

use fleetlens_ipc::map::{self, FLAG_GONE, FLAG_PENDING, MapRow, Status};
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;

use super::mercator::{Camera, Local, local};

/// Bytes of one vertex: x and y as f32, then kind, status, flags and level as bytes.
pub const VERTEX_BYTES: usize = 12;

/// In a vertex's flags, beside the contract's: the thing in the drawer.
const FLAG_SELECTED: u8 = 0x40;

/// In a vertex's flags, beside the contract's: the thing under the pointer.
const FLAG_HOVERED: u8 = 0x80;

/// From this rank on a mark is drawn over the names of places, which lie over the calm ones.
const RANK_LOUD: u8 = 3;

/// How many vertices were packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// All of them.
    pub all: usize,
    /// The first ones, which nothing is wrong with.
    pub calm: usize,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    row: MapRow,
    at: Local,
}

/// Every thing the map view holds.
#[derive(Debug, Default)]
pub struct Marks {
    marks: Vec<Mark>,
    place_of: HashMap<ThingKey, usize>,
    hidden: Vec<Kind>,
    selected: Option<ThingKey>,
    hovered: Option<ThingKey>,
    revision: u64,
}

impl Marks {
    /// Takes a snapshot in place of everything.
    pub fn replace(&mut self, packed: &[u8]) {
        self.marks.clear();
        self.place_of.clear();
        self.apply(packed);
        self.revision += 1;
    }

    /// Takes changed rows; those that are gone are taken away.
    pub fn apply(&mut self, packed: &[u8]) {
        for row in map::read(packed) {
            if row.flags & FLAG_GONE != 0 {
                self.remove(row.thing);
            } else {
                self.put(row);
            }
        }
        self.revision += 1;
    }

    fn put(&mut self, row: MapRow) {
        let mark = Mark { row, at: local(row.at) };
        match self.place_of.get(&row.thing).and_then(|place| self.marks.get_mut(*place)) {
            Some(known) => *known = mark,
            None => {
                self.place_of.insert(row.thing, self.marks.len());
                self.marks.push(mark);
            }
        }
    }

    fn remove(&mut self, thing: ThingKey) {
        let Some(place) = self.place_of.remove(&thing) else { return };
        self.marks.swap_remove(place);
        if let Some(moved) = self.marks.get(place) {
            self.place_of.insert(moved.row.thing, place);
        }
    }

    /// Shows or hides a kind.
    pub fn show(&mut self, kind: Kind, shown: bool) {
        self.hidden.retain(|hidden| *hidden != kind);
        if !shown {
            self.hidden.push(kind);
        }
        self.revision += 1;
    }

    /// Marks the thing in the drawer.
    pub fn select(&mut self, thing: Option<ThingKey>) {
        if self.selected != thing {
            self.selected = thing;
            self.revision += 1;
        }
    }

    /// Marks the thing under the pointer.
    pub fn hover(&mut self, thing: Option<ThingKey>) {
        if self.hovered != thing {
            self.hovered = thing;
            self.revision += 1;
        }
    }

    /// Rises whenever [`Marks::pack`] would answer otherwise.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Writes the vertices of what is shown, worst last.
    pub fn pack(&self, into: &mut Vec<u8>) -> Packed {
        into.clear();
        let mut shown: Vec<&Mark> = self.marks.iter().filter(|mark| self.is_shown(mark.row.kind)).collect();
        shown.sort_by_key(|mark| (self.rank(&mark.row), mark.row.thing));
        for mark in &shown {
            into.extend_from_slice(&(mark.at.x as f32).to_le_bytes());
            into.extend_from_slice(&(mark.at.y as f32).to_le_bytes());
            let flags = (mark.row.flags & FLAG_PENDING) | self.flags(mark.row.thing);
            into.extend_from_slice(&[mark.row.kind.code(), mark.row.status.code(), flags, mark.row.level]);
        }
        let calm = shown.partition_point(|mark| self.rank(&mark.row) < RANK_LOUD);
        Packed { all: shown.len(), calm }
    }

    /// The shown thing nearest to a point of the picture, within a distance in CSS pixels; of two equally near, the one drawn on top.
    pub fn at(&self, camera: &Camera, x_px: f64, y_px: f64, within_px: f64) -> Option<ThingKey> {
        self.marks
            .iter()
            .filter(|mark| self.is_shown(mark.row.kind))
            .filter_map(|mark| {
                let (x, y) = camera.project(mark.at);
                let away = (x - x_px).hypot(y - y_px);
                (away <= within_px).then_some((away, self.rank(&mark.row), mark.row.thing))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2)))
            .map(|(_, _, thing)| thing)
    }

    fn is_shown(&self, kind: Kind) -> bool {
        !self.hidden.contains(&kind)
    }

    fn rank(&self, row: &MapRow) -> u8 {
        if self.selected == Some(row.thing) || self.hovered == Some(row.thing) {
            return RANK_LOUD + 2;
        }
        match row.status {
            Status::Critical => RANK_LOUD + 1,
            Status::Warning => RANK_LOUD,
            Status::Normal | Status::Unknown if row.flags & FLAG_PENDING != 0 => 2,
            // A car park is larger than a lamp and would hide it.
            Status::Normal | Status::Unknown if row.kind == Kind::Lamp => 1,
            Status::Normal | Status::Unknown => 0,
        }
    }

    fn flags(&self, thing: ThingKey) -> u8 {
        let selected = if self.selected == Some(thing) { FLAG_SELECTED } else { 0 };
        let hovered = if self.hovered == Some(thing) { FLAG_HOVERED } else { 0 };
        selected | hovered
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::geo::LonLat;

    use super::*;
    use crate::islands::mercator::ORIGIN;

    fn row(thing: u32, east_deg: f64, kind: Kind, status: Status, flags: u8) -> MapRow {
        let at = LonLat { lon_deg: ORIGIN.lon_deg + east_deg, lat_deg: ORIGIN.lat_deg };
        MapRow { thing: ThingKey(thing), at, kind, status, flags, level: 40 }
    }

    fn packed(rows: &[MapRow]) -> Vec<u8> {
        let mut bytes = Vec::new();
        rows.iter().for_each(|row| row.write(&mut bytes));
        bytes
    }

    /// Status, flags and level of each vertex, in the order drawn.
    fn drawn(marks: &Marks) -> Vec<[u8; 3]> {
        let mut bytes = Vec::new();
        let packed = marks.pack(&mut bytes);
        assert_eq!(bytes.len(), packed.all * VERTEX_BYTES);
        bytes.chunks(VERTEX_BYTES).map(|v| [v[9], v[10], v[11]]).collect()
    }

    #[test]
    fn the_worst_is_drawn_last_and_the_chosen_one_after_it() {
        let mut marks = Marks::default();
        marks.replace(&packed(&[
            row(1, 0.0, Kind::Lamp, Status::Critical, 0),
            row(2, 0.1, Kind::Parking, Status::Normal, 0),
            row(3, 0.2, Kind::Lamp, Status::Normal, FLAG_PENDING),
            row(4, 0.3, Kind::Lamp, Status::Warning, 0),
        ]));
        let statuses = |marks: &Marks| drawn(marks).iter().map(|v| v[0]).collect::<Vec<_>>();
        assert_eq!(statuses(&marks), [0, 0, 2, 3]);
        assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 4, calm: 2 });
        marks.select(Some(ThingKey(2)));
        assert_eq!(statuses(&marks), [0, 2, 3, 0]);
        assert_eq!(drawn(&marks)[3][1], FLAG_SELECTED);
    }

    #[test]
    fn a_row_replaces_its_thing_and_a_gone_one_takes_it_away() {
        let mut marks = Marks::default();
        marks.replace(&packed(&[1, 2, 3].map(|n| row(n, 0.0, Kind::Lamp, Status::Normal, 0))));
        let before = marks.revision();
        marks.apply(&packed(&[
            row(1, 0.0, Kind::Lamp, Status::Normal, FLAG_GONE),
            row(3, 0.0, Kind::Lamp, Status::Warning, 0),
            row(9, 0.0, Kind::Lamp, Status::Normal, FLAG_GONE),
        ]));
        assert!(marks.revision() > before);
        let drawn_now: Vec<u8> = drawn(&marks).iter().map(|v| v[0]).collect();
        assert_eq!(drawn_now, [Status::Normal.code(), Status::Warning.code()], "2 is left as it was, 3 is changed");
        marks.replace(&packed(&[row(5, 0.0, Kind::Lamp, Status::Normal, 0)]));
        assert_eq!(drawn(&marks).len(), 1, "a snapshot is everything");
    }

    #[test]
    fn a_hidden_kind_is_neither_drawn_nor_hit() {
        let mut marks = Marks::default();
        marks.replace(&packed(&[
            row(1, 0.0, Kind::Lamp, Status::Normal, 0),
            row(2, 0.001, Kind::Parking, Status::Normal, 0),
        ]));
        let camera = Camera { center: Local::default(), zoom: 14.0, width_px: 800.0, height_px: 600.0 };
        let px = 0.001 / 360.0 * camera.scale_px();
        assert!(px > 20.0);
        assert_eq!(marks.at(&camera, 405.0, 300.0, 12.0), Some(ThingKey(1)));
        assert_eq!(marks.at(&camera, 400.0 + px, 304.0, 12.0), Some(ThingKey(2)));
        assert_eq!(marks.at(&camera, 400.0, 320.0, 12.0), None);
        marks.show(Kind::Lamp, false);
        assert_eq!(marks.at(&camera, 405.0, 300.0, 12.0), None);
        assert_eq!(drawn(&marks).len(), 1);
        marks.show(Kind::Lamp, true);
        assert_eq!(drawn(&marks).len(), 2);
    }

    #[test]
    fn of_two_at_one_place_the_one_on_top_is_hit() {
        let mut marks = Marks::default();
        marks.replace(&packed(&[
            row(1, 0.0, Kind::Lamp, Status::Warning, 0),
            row(2, 0.0, Kind::Parking, Status::Normal, 0),
        ]));
        let camera = Camera { center: Local::default(), zoom: 14.0, width_px: 800.0, height_px: 600.0 };
        assert_eq!(marks.at(&camera, 400.0, 300.0, 12.0), Some(ThingKey(1)));
    }
}
