//! The marks on the map as Rust keeps them: one row a thing, packed into vertices for the graphics card in the order in which
//! they must be drawn, worst last; crowds as [`super::clusters`]. Pure: the graphics card is [`super::live_layer`]'s business.

mod asked;

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

    /// Where a thing was, the oldest first, and how long ago as a share of [`super::trails::TRAIL_MS`].
    pub fn trail(&self, thing: ThingKey, now_ms: f64) -> impl Iterator<Item = (Local, f64)> + '_ {
        self.trails.of(thing, now_ms)
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
mod tests;
