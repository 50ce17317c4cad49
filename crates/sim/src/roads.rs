//! The roads of Malta and Gozo as a network, and the quickest way from one crossing to another.

mod route;

use std::sync::Arc;

use fleetlens_model::geo::LonLat;
use serde::Deserialize;

use crate::SimError;

pub use route::Step;

const FILE: &str = "roads.json";
const ROADS: &str = include_str!("../../../assets/malta/roads.json");

/// What a car drives at on a free road, in km/h, by the class of the road in OpenStreetMap. Malta allows 80, in towns 50.
const SPEEDS_KMH: [(&str, f64); 8] = [
    ("motorway", 75.0),
    ("trunk", 68.0),
    ("primary", 55.0),
    ("secondary", 48.0),
    ("tertiary", 42.0),
    ("unclassified", 35.0),
    ("residential", 28.0),
    ("living_street", 12.0),
];
/// The highest of them.
const FASTEST_KMH: f64 = 75.0;

/// Metres of a degree of longitude and of latitude here; exact enough for an archipelago of 45 km.
const METRES: [f64; 2] = [90_200.0, 110_950.0];

/// A crossing or an end of a road, by its place in the list.
pub type Node = u32;

/// A network of roads; every crossing can be reached from every other one of the same island.
#[derive(Debug, PartialEq)]
pub struct Roads {
    nodes: Vec<LonLat>,
    edges: Vec<Edge>,
    /// What leaves each node.
    leaving: Vec<Vec<Step>>,
    /// Which island each node is on.
    islands: Vec<Node>,
}

/// A piece of road between two crossings.
#[derive(Debug, PartialEq)]
struct Edge {
    ends: [Node; 2],
    /// With both ends.
    line: Vec<LonLat>,
    length_m: f64,
    speed_kmh: f64,
}

#[derive(Deserialize)]
struct File {
    classes: Vec<String>,
    nodes: Vec<i64>,
    edges: Vec<Vec<i64>>,
}

impl Roads {
    /// The network this was built with (`examples/make_roads.rs` says how the file is made). Fails only when the file is broken.
    pub fn read() -> Result<Arc<Self>, SimError> {
        let fault = |why: &str| SimError::Asset { file: FILE, why: why.to_owned() };
        let file: File = serde_json::from_str(ROADS).map_err(|error| fault(&error.to_string()))?;
        let nodes = points([0, 0], &file.nodes).ok_or_else(|| fault("a crossing is nowhere"))?;
        let edges = file.edges.iter().map(|row| edge(row, &nodes, &file.classes));
        let edges = edges.collect::<Option<Vec<_>>>().ok_or_else(|| fault("a road leads nowhere"))?;
        let mut leaving = vec![Vec::new(); nodes.len()];
        for (number, (edge, one_way)) in edges.iter().enumerate() {
            let [from, to] = edge.ends;
            let edge = number as u32;
            if let Some(leaving) = leaving.get_mut(from as usize) {
                leaving.push(Step { edge, onward: true });
            }
            if let Some(leaving) = leaving.get_mut(to as usize).filter(|_| !one_way) {
                leaving.push(Step { edge, onward: false });
            }
        }
        let edges = edges.into_iter().map(|(edge, _)| edge).collect();
        let mut roads = Self { nodes, edges, leaving, islands: Vec::new() };
        roads.islands = roads.islands();
        Ok(Arc::new(roads))
    }

    /// How many crossings there are; they are numbered from 0.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none; never of the built-in network.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Where a crossing is; `None` of a number that is none.
    pub fn at(&self, node: Node) -> Option<LonLat> {
        self.nodes.get(node as usize).copied()
    }

    /// The nearest crossing as the crow flies; `None` only without any.
    pub fn nearest(&self, at: LonLat) -> Option<Node> {
        let nodes = (0..).zip(&self.nodes);
        nodes.min_by(|a, b| flat_m(*a.1, at).total_cmp(&flat_m(*b.1, at))).map(|(node, _)| node)
    }

    /// Whether there is a way from one crossing to the other.
    pub fn are_connected(&self, a: Node, b: Node) -> bool {
        self.islands.get(a as usize).is_some_and(|island| self.islands.get(b as usize) == Some(island))
    }

    /// The points of a piece of road in the direction it is driven.
    pub fn line(&self, step: Step) -> Vec<LonLat> {
        let mut line = self.edges.get(step.edge as usize).map_or_else(Vec::new, |edge| edge.line.clone());
        if !step.onward {
            line.reverse();
        }
        line
    }

    /// What a car drives at there on a free road, in km/h.
    pub fn speed_kmh(&self, step: Step) -> f64 {
        self.edges.get(step.edge as usize).map_or(FASTEST_KMH, |edge| edge.speed_kmh)
    }

    /// How far a place is from the nearest road, in metres.
    pub fn off_road_m(&self, at: LonLat) -> f64 {
        let pieces = self.edges.iter().flat_map(|edge| edge.line.iter().zip(edge.line.iter().skip(1)));
        pieces.map(|(a, b)| to_piece_m(at, *a, *b)).fold(f64::INFINITY, f64::min)
    }

    /// The crossing a piece of road leads to.
    fn end(&self, step: Step) -> Option<Node> {
        let [from, to] = self.edges.get(step.edge as usize)?.ends;
        Some(if step.onward { to } else { from })
    }

    /// The first crossing of every crossing's island. One-way roads count both ways: the recipe keeps only what leads back.
    fn islands(&self) -> Vec<Node> {
        let mut islands = vec![None; self.nodes.len()];
        for first in 0..self.nodes.len() as Node {
            let mut open = vec![first];
            while let Some(node) = open.pop() {
                let Some(island @ None) = islands.get_mut(node as usize) else { continue };
                *island = Some(first);
                let leaving = self.leaving.get(node as usize).into_iter().flatten();
                open.extend(leaving.filter_map(|step| self.end(*step)));
            }
        }
        islands.into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// A row of the file: `[from, to, class, one-way, lon, lat, …]`; whether it is one-way stands beside it.
fn edge(row: &[i64], nodes: &[LonLat], classes: &[String]) -> Option<(Edge, bool)> {
    let [from, to, class, one_way, between @ ..] = row else { return None };
    let (from, to) = (Node::try_from(*from).ok()?, Node::try_from(*to).ok()?);
    let (first, last) = (*nodes.get(from as usize)?, *nodes.get(to as usize)?);
    let word = classes.get(usize::try_from(*class).ok()?)?;
    let (_, speed_kmh) = SPEEDS_KMH.iter().find(|(class, _)| class == word)?;
    let origin = [first.lon_deg, first.lat_deg].map(|degrees| (degrees * 1e5).round() as i64);
    let mut line = vec![first];
    line.extend(points(origin, between)?);
    line.push(last);
    let length_m = line.iter().zip(line.iter().skip(1)).map(|(a, b)| flat_m(*a, *b)).sum();
    Some((Edge { ends: [from, to], line, length_m, speed_kmh: *speed_kmh }, *one_way == 1))
}

/// Points from their differences in hundred-thousandths of a degree.
fn points(mut before: [i64; 2], differences: &[i64]) -> Option<Vec<LonLat>> {
    let point = |pair: &[i64]| {
        let &[lon, lat] = pair else { return None };
        before = [before[0] + lon, before[1] + lat];
        LonLat::new(before[0] as f64 / 1e5, before[1] as f64 / 1e5)
    };
    differences.chunks(2).map(point).collect()
}

/// Metres between two places as if the earth were flat; a tenth of the work of a great circle and 0.1 % off.
pub(crate) fn flat_m(a: LonLat, b: LonLat) -> f64 {
    ((b.lon_deg - a.lon_deg) * METRES[0]).hypot((b.lat_deg - a.lat_deg) * METRES[1])
}

/// Metres from a place to a straight piece of road.
fn to_piece_m(p: LonLat, a: LonLat, b: LonLat) -> f64 {
    let flat = |q: LonLat| [(q.lon_deg - a.lon_deg) * METRES[0], (q.lat_deg - a.lat_deg) * METRES[1]];
    let ([px, py], [bx, by]) = (flat(p), flat(b));
    let length2 = bx * bx + by * by;
    let along = if length2 > 0.0 { ((px * bx + py * by) / length2).clamp(0.0, 1.0) } else { 0.0 };
    (px - along * bx).hypot(py - along * by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon_deg: f64, lat_deg: f64) -> LonLat {
        LonLat::new(lon_deg, lat_deg).unwrap()
    }

    #[test]
    fn malta_and_gozo_are_two_networks() {
        let roads = Roads::read().unwrap();
        assert!(roads.len() > 15_000, "{}", roads.len());
        let mut islands = roads.islands.clone();
        islands.sort_unstable();
        islands.dedup();
        assert_eq!(islands.len(), 2);
        let [valletta, mdina, victoria] = [(14.5137, 35.899), (14.4036, 35.8858), (14.2396, 36.0443)]
            .map(|(lon, lat)| roads.nearest(at(lon, lat)).unwrap());
        assert!(roads.are_connected(valletta, mdina) && !roads.are_connected(valletta, victoria));
        assert!(roads.off_road_m(roads.at(mdina).unwrap()) < 0.01);
        assert!(roads.off_road_m(at(14.6, 35.95)) > 1_000.0, "the sea has no roads");
    }

    #[test]
    fn every_class_of_road_has_a_speed_and_none_is_faster_than_the_fastest() {
        let roads = Roads::read().unwrap();
        assert!(roads.edges.iter().all(|edge| (10.0..=FASTEST_KMH).contains(&edge.speed_kmh)));
        assert!(roads.edges.iter().any(|edge| edge.speed_kmh > 60.0));
    }
}
