//! What is asked of the marks: what is at a point, within an outline, in the picture, in a cluster. Nothing here changes any.

use std::collections::BTreeMap;

use fleetlens_ipc::map::MapRow;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;

use super::super::badges;
use super::super::clusters::{Cell, Cluster};
use super::super::mercator::{Camera, Local};
use super::{Marks, Pointed, RANK_CHOSEN, RANK_LOUD, Seen, is_measured};

impl Marks {
    /// The things that are shown at places of the picture of which this is true (CSS pixels from its upper left), those in clusters too.
    pub fn within(&self, camera: &Camera, holds: impl Fn(f64, f64) -> bool) -> BTreeMap<ThingKey, Kind> {
        let shown = self.marks.iter().filter(|mark| self.is_shown(mark.row.kind));
        let held = shown.filter(|mark| {
            let (x, y) = camera.project(mark.at);
            holds(x, y)
        });
        held.map(|mark| (mark.row.thing, mark.row.kind)).collect()
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

    /// How many car parks say how full they are, and how many do not.
    pub fn measured(&self) -> (u32, u32) {
        let parks = self.marks.iter().filter(|mark| mark.row.kind == Kind::Parking);
        parks.fold((0, 0), |(known, unknown), mark| {
            if is_measured(mark.row.status, mark.row.level) { (known + 1, unknown) } else { (known, unknown + 1) }
        })
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
}
