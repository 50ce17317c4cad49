//! The marks on the map as Rust keeps them: one row a thing, packed into vertices for the graphics card in the order in which
//! they must be drawn, worst last; crowds as [`super::clusters`]. Pure: the graphics card is [`super::live_layer`]'s business.

use std::collections::{BTreeMap, HashMap};

use fleetlens_ipc::map::{self, FLAG_GONE, FLAG_PENDING, FLAG_SEEN, LEVEL_UNKNOWN, MapRow, Status};
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;

use super::badges;
use super::clusters::{Cell, Cluster, Clusters, Member};
use super::mercator::{Camera, Local, local};
use super::trails::Trails;

/// Bytes of one vertex: x and y as f32, then kind, status, flags and level as bytes.
pub const VERTEX_BYTES: usize = 12;

/// In a vertex's flags, beside the contract's: chosen together with others.
pub const FLAG_PICKED: u8 = 0x20;

/// In a vertex's flags, beside the contract's: the thing in the drawer.
pub const FLAG_SELECTED: u8 = 0x40;

/// In a vertex's flags, beside the contract's: the thing under the pointer.
pub const FLAG_HOVERED: u8 = 0x80;

/// From this rank on a mark is drawn over the names of places, which lie over the calm ones.
const RANK_LOUD: u8 = 4;

/// What a person points at: drawn over everything, also over badges.
const RANK_CHOSEN: u8 = RANK_LOUD + 2;

/// How far a position may be off on the graphics card, in CSS pixels: what no eye sees while the map is moved.
const OFF_MAX_PX: f64 = 0.1;

/// What was packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// All vertices.
    pub all: usize,
    /// The first ones, which nothing is wrong with.
    pub calm: usize,
    /// The last ones, which a person points at.
    pub chosen: usize,
    /// How many things the picture stands for, those in clusters too.
    pub things: usize,
}

/// What is at a point of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointed {
    /// A thing.
    Thing(ThingKey),
    /// A cluster.
    Cluster(Cell),
}

/// A thing that is drawn by itself, somewhere in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Which one.
    pub thing: ThingKey,
    /// What it is.
    pub kind: Kind,
    /// What its mark says.
    pub status: Status,
    /// 0–100 or [`LEVEL_UNKNOWN`].
    pub level: u8,
    /// Where, in CSS pixels from the upper left.
    pub at: (f64, f64),
    /// Whether it needs a person or is chosen.
    pub is_loud: bool,
    rank: u8,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    row: MapRow,
    at: Local,
}

impl Mark {
    fn member(&self) -> Member {
        Member {
            at: self.at,
            moves: self.row.kind.moves(),
            status: self.row.status,
            is_seen: self.row.flags & FLAG_SEEN != 0,
            is_pending: self.row.flags & FLAG_PENDING != 0,
        }
    }
}

/// Every thing the map view holds.
#[derive(Debug, Default)]
pub struct Marks {
    marks: Vec<Mark>,
    place_of: HashMap<ThingKey, usize>,
    clusters: Clusters,
    hidden: Vec<Kind>,
    /// Car parks only, without a state: what a driver sees.
    is_plain: bool,
    picked: BTreeMap<ThingKey, Kind>,
    selected: Option<ThingKey>,
    hovered: Option<ThingKey>,
    hovered_cluster: Option<Cell>,
    /// What packed positions count from.
    origin: Local,
    trails: Trails,
    /// The page's clock when it was told last.
    now_ms: f64,
    revision: u64,
}

impl Marks {
    /// Takes a snapshot in place of everything.
    pub fn replace(&mut self, packed: &[u8]) {
        self.marks.clear();
        self.place_of.clear();
        self.clusters.clear();
        // Another part of the city is looked at: what is still there goes on along its trail.
        self.apply(packed);
        let place_of = &self.place_of;
        self.trails.keep(|thing| place_of.contains_key(&thing));
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

    /// What the page's clock shows, for the trails of what comes next.
    pub fn tell_time(&mut self, now_ms: f64) {
        self.now_ms = now_ms;
    }

    fn put(&mut self, row: MapRow) {
        let mark = Mark { row, at: local(row.at) };
        if row.kind == Kind::Vehicle {
            self.trails.passes(row.thing, mark.at, self.now_ms);
        }
        let (before, now) = (self.place_of.get(&row.thing).copied(), mark.member());
        match before.and_then(|place| self.marks.get_mut(place)) {
            Some(known) => {
                let (was, kind) = (known.member(), known.row.kind);
                *known = mark;
                if was != now || kind != row.kind {
                    self.count_out(kind, &was);
                    self.count_in(row.kind, &now);
                }
            }
            None => {
                self.place_of.insert(row.thing, self.marks.len());
                self.marks.push(mark);
                self.count_in(row.kind, &now);
            }
        }
    }

    fn remove(&mut self, thing: ThingKey) {
        let Some(place) = self.place_of.remove(&thing) else { return };
        let gone = self.marks.swap_remove(place);
        self.trails.forget(thing);
        self.count_out(gone.row.kind, &gone.member());
        if let Some(moved) = self.marks.get(place) {
            self.place_of.insert(moved.row.thing, place);
        }
    }

    fn count_in(&mut self, kind: Kind, member: &Member) {
        if self.is_gathered(kind) {
            self.clusters.add(member);
        }
    }

    fn count_out(&mut self, kind: Kind, member: &Member) {
        if self.is_gathered(kind) {
            self.clusters.take(member);
        }
    }

    fn gather(&mut self) {
        self.clusters.clear();
        for place in 0..self.marks.len() {
            if let Some(mark) = self.marks.get(place).copied() {
                self.count_in(mark.row.kind, &mark.member());
            }
        }
        self.revision += 1;
    }

    /// The picture shows this zoom: at another step of it, crowds are others.
    pub fn zoom_to(&mut self, zoom: f64) {
        if self.clusters.go_to(zoom) {
            self.gather();
        }
    }

    /// The picture is taken from here: packed positions count from a place in it, as far as single precision needs that.
    pub fn look_from(&mut self, camera: &Camera) {
        let away = camera.center.from(self.origin);
        let off_px = away.x.abs().max(away.y.abs()) * f64::from(f32::EPSILON) / 2.0 * camera.scale_px();
        if off_px > OFF_MAX_PX {
            self.origin = camera.center;
            self.revision += 1;
        }
    }

    /// What packed positions count from.
    pub fn origin(&self) -> Local {
        self.origin
    }

    /// Shows or hides a kind.
    pub fn show(&mut self, kind: Kind, shown: bool) {
        self.hidden.retain(|hidden| *hidden != kind);
        if !shown {
            self.hidden.push(kind);
        }
        self.gather();
    }

    /// Shows car parks only, each by itself and without a state, as a driver sees them; or everything again.
    pub fn set_plain(&mut self, is_plain: bool) {
        if self.is_plain != is_plain {
            self.is_plain = is_plain;
            self.gather();
        }
    }

    /// Marks the thing in the drawer.
    pub fn select(&mut self, thing: Option<ThingKey>) {
        if self.selected != thing {
            self.selected = thing;
            self.revision += 1;
        }
    }

    /// Marks what is chosen to do something together.
    pub fn pick(&mut self, picked: BTreeMap<ThingKey, Kind>) {
        if self.picked != picked {
            self.picked = picked;
            self.revision += 1;
        }
    }

    /// The things that are shown at places of the picture of which this is true (CSS pixels from its upper left), those in clusters too.
    pub fn within(&self, camera: &Camera, holds: impl Fn(f64, f64) -> bool) -> BTreeMap<ThingKey, Kind> {
        let shown = self.marks.iter().filter(|mark| self.is_shown(mark.row.kind));
        let held = shown.filter(|mark| {
            let (x, y) = camera.project(mark.at);
            holds(x, y)
        });
        held.map(|mark| (mark.row.thing, mark.row.kind)).collect()
    }

    /// Marks the thing under the pointer.
    pub fn hover(&mut self, thing: Option<ThingKey>) {
        if self.hovered != thing {
            self.hovered = thing;
            self.revision += 1;
        }
    }

    /// Marks the cluster under the pointer, or the one that has the keyboard.
    pub fn hover_cluster(&mut self, cell: Option<Cell>) {
        if self.hovered_cluster != cell {
            self.hovered_cluster = cell;
            self.revision += 1;
        }
    }

    /// Rises whenever [`Marks::pack`] or [`Marks::pack_badges`] would answer otherwise.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Writes the vertices of what is shown by itself, worst last.
    pub fn pack(&self, into: &mut Vec<u8>) -> Packed {
        into.clear();
        let mut things = 0;
        let mut drawn: Vec<(u8, &Mark)> = Vec::new();
        for mark in self.marks.iter().filter(|mark| self.is_shown(mark.row.kind)) {
            things += 1;
            let rank = self.rank(&mark.row);
            if rank == RANK_CHOSEN || !self.clusters.hides(mark.at) {
                drawn.push((rank, mark));
            }
        }
        drawn.sort_unstable_by_key(|(rank, mark)| (*rank, mark.row.thing));
        for (_, mark) in &drawn {
            let at = mark.at.from(self.origin);
            into.extend_from_slice(&(at.x as f32).to_le_bytes());
            into.extend_from_slice(&(at.y as f32).to_le_bytes());
            into.extend_from_slice(&self.look(&mark.row));
        }
        let below = |rank: u8| drawn.partition_point(|(of, _)| *of < rank);
        Packed { all: drawn.len(), calm: below(RANK_LOUD), chosen: drawn.len() - below(RANK_CHOSEN), things }
    }

    /// Kind, status, flags and level of a vertex.
    fn look(&self, row: &MapRow) -> [u8; 4] {
        if self.is_plain {
            return [row.kind.code(), Status::Normal.code(), 0, LEVEL_UNKNOWN];
        }
        let flags = (row.flags & FLAG_PENDING) | self.flags(row.thing);
        // One that does not say where it heads heads where it went.
        let is_lost = row.kind == Kind::Vehicle && row.level == LEVEL_UNKNOWN;
        let level = self.trails.heading(row.thing).filter(|_| is_lost).unwrap_or(row.level);
        [row.kind.code(), row.status.code(), flags, level]
    }

    /// What is drawn by itself in the picture and a little beyond it, what matters most first; each of a kind of which this is true.
    pub fn seen(&self, camera: &Camera, of: impl Fn(Kind) -> bool) -> Vec<Seen> {
        const BEYOND_PX: f64 = 60.0;
        let shown = self.marks.iter().filter(|mark| self.is_shown(mark.row.kind) && of(mark.row.kind));
        let mut seen: Vec<Seen> = shown
            .filter_map(|mark| {
                let (at, rank) = (camera.project(mark.at), self.rank(&mark.row));
                let is_drawn = rank == RANK_CHOSEN || !self.clusters.hides(mark.at);
                let MapRow { thing, kind, status, level, .. } = mark.row;
                (is_drawn && camera.shows(at, BEYOND_PX)).then_some(Seen {
                    thing,
                    kind,
                    status,
                    level,
                    at,
                    is_loud: rank >= RANK_LOUD,
                    rank,
                })
            })
            .collect();
        seen.sort_unstable_by_key(|seen| (std::cmp::Reverse(seen.rank), seen.thing));
        seen
    }

    /// Where a thing was, the oldest first, and how long ago as a share of [`super::trails::TRAIL_MS`].
    pub fn trail(&self, thing: ThingKey, now_ms: f64) -> impl Iterator<Item = (Local, f64)> + '_ {
        self.trails.of(thing, now_ms)
    }

    /// How many car parks say how full they are, and how many do not.
    pub fn measured(&self) -> (u32, u32) {
        let parks = self.marks.iter().filter(|mark| mark.row.kind == Kind::Parking);
        parks.fold((0, 0), |(known, unknown), mark| {
            if is_measured(mark.row.status, mark.row.level) { (known + 1, unknown) } else { (known, unknown + 1) }
        })
    }

    /// Writes the badges of the clusters, worst last; how many.
    pub fn pack_badges(&self, into: &mut Vec<u8>) -> usize {
        into.clear();
        let clusters = self.badges();
        for (cluster, is_hovered) in &clusters {
            let placed = Cluster { at: cluster.at.from(self.origin), ..*cluster };
            badges::pack(&placed, *is_hovered, into);
        }
        clusters.len()
    }

    /// The clusters in the order in which they are drawn, worst last, and whether each is under the pointer.
    pub fn badges(&self) -> Vec<(Cluster, bool)> {
        let hovered = |cluster: Cluster| (cluster, self.hovered_cluster == Some(cluster.cell));
        let mut clusters: Vec<(Cluster, bool)> = self.clusters.iter().map(hovered).collect();
        clusters.sort_unstable_by_key(|(cluster, _)| (cluster.worst, cluster.cell));
        clusters
    }

    /// What is at a point of the picture: the chosen thing, a cluster, or the shown thing nearest to it within a distance in CSS
    /// pixels; of two equally near, the one drawn on top.
    pub fn at(&self, camera: &Camera, x_px: f64, y_px: f64, within_px: f64) -> Option<Pointed> {
        let away = |at: Local| {
            let (x, y) = camera.project(at);
            (x - x_px).hypot(y - y_px)
        };
        if let Some((thing, at)) = self.chosen()
            && away(at) <= within_px
        {
            return Some(Pointed::Thing(thing));
        }
        let badge = self.clusters.iter().find(|cluster| away(cluster.at) <= badges::radius_px(cluster.count));
        if let Some(cluster) = badge {
            return Some(Pointed::Cluster(cluster.cell));
        }
        self.marks
            .iter()
            .filter(|mark| self.is_shown(mark.row.kind))
            .map(|mark| (away(mark.at), mark))
            .filter(|(away, mark)| *away <= within_px && !self.clusters.hides(mark.at))
            .map(|(away, mark)| (away, self.rank(&mark.row), mark.row.thing))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2)))
            .map(|(_, _, thing)| Pointed::Thing(thing))
    }

    /// The chosen thing and where it is, while the map holds it.
    pub fn chosen(&self) -> Option<(ThingKey, Local)> {
        let thing = self.selected?;
        let mark = self.marks.get(*self.place_of.get(&thing)?)?;
        self.is_shown(mark.row.kind).then_some((thing, mark.at))
    }

    /// The clusters in the picture, worst first, then the largest.
    pub fn clusters_in(&self, camera: &Camera) -> Vec<Cluster> {
        let mut clusters: Vec<Cluster> =
            self.clusters.iter().filter(|cluster| camera.shows(camera.project(cluster.at), 0.0)).collect();
        clusters.sort_unstable_by_key(|c| (std::cmp::Reverse((c.worst, c.count)), c.cell));
        clusters
    }

    /// One cluster.
    pub fn cluster(&self, cell: Cell) -> Option<Cluster> {
        self.clusters.get(cell)
    }

    /// What a cluster holds, by kind, the most first.
    pub fn kinds(&self, cell: Cell) -> Vec<(Kind, u32)> {
        let mut kinds: Vec<(Kind, u32)> = Kind::ALL.map(|kind| (kind, 0)).to_vec();
        for mark in self.marks.iter().filter(|mark| self.is_gathered(mark.row.kind)) {
            if self.clusters.cluster_at(mark.at) == Some(cell)
                && let Some((_, count)) = kinds.iter_mut().find(|(kind, _)| *kind == mark.row.kind)
            {
                *count += 1;
            }
        }
        kinds.retain(|(_, count)| *count != 0);
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        kinds
    }

    /// The box of what a cluster holds: its upper left and its lower right.
    pub fn bounds(&self, cell: Cell) -> Option<(Local, Local)> {
        let shown = self.marks.iter().filter(|mark| self.is_gathered(mark.row.kind));
        let inside = shown.map(|mark| mark.at).filter(|at| self.clusters.cluster_at(*at) == Some(cell));
        inside.fold(None, |bounds: Option<(Local, Local)>, at| {
            let (low, high) = bounds.unwrap_or((at, at));
            let low = Local { x: low.x.min(at.x), y: low.y.min(at.y) };
            Some((low, Local { x: high.x.max(at.x), y: high.y.max(at.y) }))
        })
    }

    fn is_shown(&self, kind: Kind) -> bool {
        if self.is_plain { kind == Kind::Parking } else { !self.hidden.contains(&kind) }
    }

    /// Whether things of a kind are counted into clusters.
    fn is_gathered(&self, kind: Kind) -> bool {
        !self.is_plain && self.is_shown(kind)
    }

    fn rank(&self, row: &MapRow) -> u8 {
        if self.selected == Some(row.thing) || self.hovered == Some(row.thing) {
            return RANK_CHOSEN;
        }
        match (row.status, row.kind) {
            (Status::Critical, _) => RANK_LOUD + 1,
            (Status::Warning, _) => RANK_LOUD,
            (Status::Normal | Status::Unknown, _) if row.flags & FLAG_PENDING != 0 => 3,
            // What moves is drawn over what stands, and a car park is larger than a lamp and would hide it.
            (Status::Normal | Status::Unknown, Kind::Vehicle) => 2,
            (Status::Normal | Status::Unknown, Kind::Lamp | Kind::Bin | Kind::Charger | Kind::Gateway) => 1,
            (Status::Normal | Status::Unknown, Kind::Parking | Kind::Other) => 0,
        }
    }

    fn flags(&self, thing: ThingKey) -> u8 {
        let selected = if self.selected == Some(thing) { FLAG_SELECTED } else { 0 };
        let hovered = if self.hovered == Some(thing) { FLAG_HOVERED } else { 0 };
        let picked = if self.picked.contains_key(&thing) { FLAG_PICKED } else { 0 };
        selected | hovered | picked
    }
}

/// Whether a level is what the thing says now, and not what nobody knows.
pub fn is_measured(status: Status, level: u8) -> bool {
    level != LEVEL_UNKNOWN && status != Status::Unknown
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
        assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 4, calm: 2, chosen: 0, things: 4 });
        marks.select(Some(ThingKey(2)));
        assert_eq!(statuses(&marks), [0, 2, 3, 0]);
        assert_eq!(drawn(&marks)[3][1], FLAG_SELECTED);
        assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 4, calm: 1, chosen: 1, things: 4 });
    }

    #[test]
    fn the_graphics_card_is_off_by_no_more_than_a_tenth_of_a_pixel_anywhere_at_the_deepest_zoom() {
        let mut marks = Marks::default();
        for (lon_deg, lat_deg) in [(14.18, 36.07), (24.94, 60.17), (-4.42, 36.72), (139.69, 35.68), (-155.0, -80.0)] {
            let center = local(LonLat { lon_deg, lat_deg });
            let at = Local { x: center.x + 3e-7, y: center.y - 2e-7 };
            let camera = Camera { center, zoom: 19.0, width_px: 1400.0, height_px: 900.0 };
            marks.look_from(&camera);
            let (seen, eye) = (at.from(marks.origin()), center.from(marks.origin()));
            let off = |seen: f64, eye: f64| (f64::from(seen as f32) - f64::from(eye as f32) - (seen - eye)).abs();
            let off_px = off(seen.x, eye.x).max(off(seen.y, eye.y)) * camera.scale_px();
            assert!(off_px < 2.0 * OFF_MAX_PX, "{lon_deg} {lat_deg}: {off_px}");
        }
        let (revision, zoom) = (marks.revision(), 4.0);
        marks.look_from(&Camera { center: Local::default(), zoom, width_px: 1400.0, height_px: 900.0 });
        assert_eq!(marks.revision(), revision, "from afar nothing is packed anew");
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
        assert_eq!(marks.at(&camera, 405.0, 300.0, 12.0), Some(Pointed::Thing(ThingKey(1))));
        assert_eq!(marks.at(&camera, 400.0 + px, 304.0, 12.0), Some(Pointed::Thing(ThingKey(2))));
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
        assert_eq!(marks.at(&camera, 400.0, 300.0, 12.0), Some(Pointed::Thing(ThingKey(1))));
    }

    /// Forty lamps on a few metres and one a kilometre away, at zoom 12.
    fn crowd() -> Marks {
        let mut marks = Marks::default();
        let rows: Vec<MapRow> = (1..=40)
            .map(|n| row(n, 0.0002 + f64::from(n) * 1e-5, Kind::Lamp, Status::Normal, 0))
            .chain([row(41, 0.08, Kind::Lamp, Status::Normal, 0)])
            .collect();
        marks.zoom_to(12.0);
        marks.replace(&packed(&rows));
        marks
    }

    #[test]
    fn a_crowd_is_one_badge_that_opens_to_what_it_holds() {
        let marks = crowd();
        assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 1, calm: 1, chosen: 0, things: 41 });
        let camera = Camera { center: Local::default(), zoom: 12.0, width_px: 800.0, height_px: 600.0 };
        let [cluster] = marks.clusters_in(&camera)[..] else { panic!("one cluster") };
        assert_eq!((cluster.count, cluster.need), (40, 0));
        let (x, y) = camera.project(cluster.at);
        assert_eq!(marks.at(&camera, x + 4.0, y, 3.0), Some(Pointed::Cluster(cluster.cell)));
        let (low, high) = marks.bounds(cluster.cell).unwrap();
        assert!((high.x - low.x - 39e-5 / 360.0).abs() < 1e-8 && low.y == high.y, "{low:?} {high:?}");
        let mut bytes = Vec::new();
        assert_eq!((marks.pack_badges(&mut bytes), bytes.len()), (1, badges::BADGE_BYTES));
    }

    #[test]
    fn what_lies_within_is_found_in_crowds_too_and_what_is_picked_is_ringed() {
        let mut marks = crowd();
        let camera = Camera { center: Local::default(), zoom: 12.0, width_px: 800.0, height_px: 600.0 };
        let (far_x, _) = camera.project(local(LonLat { lon_deg: ORIGIN.lon_deg + 0.08, lat_deg: ORIGIN.lat_deg }));
        let near = marks.within(&camera, |x, _| x < far_x - 10.0);
        assert_eq!((near.len(), near.get(&ThingKey(41))), (40, None));
        let far = marks.within(&camera, |x, _| x > far_x - 10.0);
        let revision = marks.revision();
        marks.pick(far.clone());
        assert!(marks.revision() > revision);
        assert_eq!(drawn(&marks).iter().map(|v| v[1]).collect::<Vec<_>>(), [FLAG_PICKED]);
        let revision = marks.revision();
        marks.pick(far);
        assert_eq!(marks.revision(), revision, "the same again");
        marks.show(Kind::Lamp, false);
        assert_eq!(marks.within(&camera, |_, _| true).len(), 0, "what is hidden is not chosen");
    }

    #[test]
    fn the_chosen_one_of_a_crowd_stands_by_itself() {
        let mut marks = crowd();
        marks.select(Some(ThingKey(7)));
        assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 2, calm: 1, chosen: 1, things: 41 });
        let camera = Camera { center: Local::default(), zoom: 12.0, width_px: 800.0, height_px: 600.0 };
        let (x, y) = camera.project(marks.chosen().unwrap().1);
        assert_eq!(marks.at(&camera, x, y, 5.0), Some(Pointed::Thing(ThingKey(7))));
    }

    #[test]
    fn rows_that_change_and_kinds_that_are_hidden_are_counted_in_their_cluster() {
        let mut marks = crowd();
        let only = |marks: &Marks| marks.clusters.iter().next().map(|c| (c.count, c.need));
        marks.apply(&packed(&[
            row(1, 0.0002, Kind::Lamp, Status::Critical, 0),
            row(2, 0.0002, Kind::Lamp, Status::Normal, FLAG_GONE),
            row(3, 0.08, Kind::Lamp, Status::Normal, 0),
        ]));
        assert_eq!(only(&marks), Some((38, 1)));
        marks.apply(&packed(&[row(1, 0.0002, Kind::Lamp, Status::Critical, FLAG_SEEN)]));
        assert_eq!(only(&marks), Some((38, 0)), "acknowledged");
        marks.apply(&packed(&[row(1, 0.0002, Kind::Lamp, Status::Critical, 0)]));
        marks.show(Kind::Lamp, false);
        assert_eq!(only(&marks), None);
        marks.show(Kind::Lamp, true);
        assert_eq!(only(&marks), Some((38, 1)));
        marks.zoom_to(16.5);
        assert_eq!(marks.pack(&mut Vec::new()).all, 40, "close by everything stands by itself");
    }

    #[test]
    fn a_driver_sees_car_parks_and_nothing_of_their_state() {
        let mut marks = crowd();
        marks.apply(&packed(&[row(50, 0.01, Kind::Parking, Status::Critical, FLAG_PENDING)]));
        marks.set_plain(true);
        assert_eq!(drawn(&marks), [[Status::Normal.code(), 0, LEVEL_UNKNOWN]]);
        assert_eq!(marks.clusters.iter().count(), 0);
        marks.set_plain(false);
        assert_eq!(marks.pack(&mut Vec::new()).things, 42);
    }
}
