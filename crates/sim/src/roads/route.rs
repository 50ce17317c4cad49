//! The quickest way: A* by driving time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{FASTEST_KMH, Node, Roads, flat_m};

/// A piece of road in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub(super) edge: u32,
    /// From the first end to the second.
    pub(super) onward: bool,
}

/// The best way known to a crossing.
#[derive(Clone, Copy)]
struct Known {
    cost_ms: u64,
    by: Option<(Node, Step)>,
}

const UNKNOWN: Known = Known { cost_ms: u64::MAX, by: None };

impl Roads {
    /// The quickest way, one-way roads respected; empty from a crossing to itself and where there is none.
    pub fn route(&self, from: Node, to: Node) -> Vec<Step> {
        let Some(goal) = self.at(to).filter(|_| self.are_connected(from, to)) else { return Vec::new() };
        let least_ms = |node| self.at(node).map_or(0, |at| drive_ms(flat_m(at, goal), FASTEST_KMH));
        let mut known = vec![UNKNOWN; self.len()];
        if let Some(first) = known.get_mut(from as usize) {
            first.cost_ms = 0;
        }
        let mut open = BinaryHeap::from([Reverse((least_ms(from), 0, from))]);
        while let Some(Reverse((_, cost_ms, node))) = open.pop() {
            if node == to {
                break;
            }
            if known.get(node as usize).is_none_or(|best| best.cost_ms < cost_ms) {
                continue; // a better way was found since
            }
            for step in self.leaving.get(node as usize).into_iter().flatten().copied() {
                let (Some(next), Some(edge)) = (self.end(step), self.edges.get(step.edge as usize)) else { continue };
                let cost_ms = cost_ms + drive_ms(edge.length_m, edge.speed_kmh).max(1);
                if let Some(best) = known.get_mut(next as usize).filter(|best| cost_ms < best.cost_ms) {
                    *best = Known { cost_ms, by: Some((node, step)) };
                    open.push(Reverse((cost_ms + least_ms(next), cost_ms, next)));
                }
            }
        }
        let mut route = Vec::new();
        let mut node = to;
        while let Some((before, step)) = known.get(node as usize).and_then(|best| best.by) {
            route.push(step);
            node = before;
        }
        route.reverse();
        route
    }
}

fn drive_ms(length_m: f64, speed_kmh: f64) -> u64 {
    (length_m * 3_600.0 / speed_kmh) as u64
}

#[cfg(test)]
mod tests {
    use fleetlens_model::geo::LonLat;

    use super::*;

    #[test]
    fn a_route_leads_from_crossing_to_crossing_and_never_turns_on_the_road() {
        let roads = Roads::read().unwrap();
        let nearest = |lon, lat| roads.nearest(LonLat::new(lon, lat).unwrap()).unwrap();
        let (valletta, mdina) = (nearest(14.5137, 35.899), nearest(14.4036, 35.8858));
        let route = roads.route(valletta, mdina);
        let km = route.iter().map(|step| roads.edges[step.edge as usize].length_m).sum::<f64>() / 1000.0;
        assert!((10.5..18.0).contains(&km), "Valletta to Mdina is some 13 km by road, not {km}");
        let mut here = valletta;
        for (at, step) in route.iter().enumerate() {
            assert!(roads.leaving[here as usize].contains(step), "step {at} may not be driven from {here}");
            here = roads.end(*step).unwrap();
        }
        assert_eq!(here, mdina);
        assert!(route.windows(2).all(|pair| pair[0].edge != pair[1].edge), "a U-turn");
    }

    #[test]
    fn there_is_no_way_across_the_sea_and_none_is_needed_to_stay() {
        let roads = Roads::read().unwrap();
        let nearest = |lon, lat| roads.nearest(LonLat::new(lon, lat).unwrap()).unwrap();
        let (valletta, victoria) = (nearest(14.5137, 35.899), nearest(14.2396, 36.0443));
        for (from, to) in [(valletta, victoria), (valletta, valletta), (valletta, u32::MAX), (u32::MAX, valletta)] {
            assert_eq!(roads.route(from, to), []);
        }
    }
}
