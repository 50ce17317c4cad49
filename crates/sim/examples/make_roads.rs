//! The recipe of `assets/malta/roads.json`: the roads that the demo city's vehicles drive on.
//!
//! ```text
//! FLEET_DATA=../shared/data cargo run -p fleetlens-sim --example make_roads
//! ```
//!
//! Reads `maps/malta-latest.osm.pbf` of `$FLEET_DATA` (else `../shared/data`). Keeps the public roads for cars, cut where they
//! meet, and of these what can be reached from everywhere and left again: one network on Malta and one on Gozo. The file:
//!
//! - **nodes**: `[lon, lat, lon, lat, …]` in hundred-thousandths of a degree (about a metre), each pair as the difference from
//!   the one before;
//! - **edges**: `[from, to, class, one-way, lon, lat, …]`: two nodes by their place in the list, the place of the road's class
//!   in `classes`, 1 if only from `from` to `to`, and the points between them as differences, the first from `from`.

#![allow(clippy::indexing_slicing, reason = "run by hand on a known file: what is missing there should stop it")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use osmpbf::{Element, ElementReader};

const ATTRIBUTION: &str = "© OpenStreetMap contributors, ODbL 1.0";
/// Values of `highway` for roads that cars use; a link counts as what it links.
const CLASSES: [&str; 8] =
    ["motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street"];
/// Networks smaller than this are islands of the data, not of the sea, in nodes.
const NETWORK_MIN: usize = 200;
/// Lines may leave the real road by this much, in metres.
const SIMPLIFY_M: f64 = 3.0;

/// Hundred-thousandths of a degree, east and north.
type Point = [i64; 2];
/// By OpenStreetMap's number.
type Points = HashMap<i64, Point>;

struct Way {
    class: usize,
    one_way: bool,
    nodes: Vec<i64>,
}

struct Edge {
    from: i64,
    to: i64,
    class: usize,
    one_way: bool,
    between: Vec<Point>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("FLEET_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let (ways, points) = read(&data.join("maps/malta-latest.osm.pbf"))?;
    let edges = connected(edges(&ways, &points));
    let text = written(&edges, &points)?;
    std::fs::write(root.join("assets/malta/roads.json"), &text)?;
    println!("{} edges, {} bytes", edges.len(), text.len());
    Ok(())
}

/// Public roads for cars, in the direction one may drive, and the positions of all nodes.
fn read(extract: &Path) -> Result<(Vec<Way>, Points), Box<dyn Error>> {
    let (mut ways, mut points) = (Vec::new(), HashMap::new());
    let point = |lon: f64, lat: f64| [lon, lat].map(|degrees| (degrees * 1e5).round() as i64);
    ElementReader::from_path(extract)?.for_each(|element| match element {
        Element::Node(node) => _ = points.insert(node.id(), point(node.lon(), node.lat())),
        Element::DenseNode(node) => _ = points.insert(node.id(), point(node.lon(), node.lat())),
        Element::Way(way) => ways.extend(road(&way)),
        Element::Relation(_) => {}
    })?;
    Ok((ways, points))
}

fn road(way: &osmpbf::Way<'_>) -> Option<Way> {
    let tag = |key| way.tags().find_map(|(k, v)| (k == key).then_some(v));
    let word = tag("highway")?;
    let word = word.strip_suffix("_link").unwrap_or(word);
    let class = CLASSES.iter().position(|class| *class == word)?;
    let closed = |key| matches!(tag(key), Some("no" | "private" | "customers" | "destination" | "delivery"));
    if ["access", "vehicle", "motor_vehicle"].into_iter().any(closed) || tag("area") == Some("yes") {
        return None;
    }
    let mut nodes: Vec<i64> = way.refs().collect();
    let one_way = match tag("oneway") {
        Some("yes" | "true" | "1") => true,
        Some("-1" | "reverse") => {
            nodes.reverse();
            true
        }
        Some("no") => false,
        _ => matches!(tag("junction"), Some("roundabout" | "circular")) || word == "motorway",
    };
    (nodes.len() > 1).then_some(Way { class, one_way, nodes })
}

/// The ways, cut where two of them meet.
fn edges(ways: &[Way], points: &Points) -> Vec<Edge> {
    let mut used = HashMap::<i64, usize>::new();
    for way in ways {
        let ends = [way.nodes.first(), way.nodes.last()];
        // Twice for an end, so that every end is a node of the network.
        way.nodes.iter().chain(ends.into_iter().flatten()).for_each(|node| *used.entry(*node).or_default() += 1);
    }
    let mut edges = Vec::new();
    for way in ways {
        let mut piece = Vec::new();
        for &node in &way.nodes {
            piece.push(node);
            if piece.len() > 1 && used[&node] > 1 {
                let line: Vec<Point> = piece.iter().filter_map(|node| points.get(node).copied()).collect();
                let line = simplified(&line);
                if piece[0] != node && line.len() > 1 {
                    edges.push(Edge {
                        from: piece[0],
                        to: node,
                        class: way.class,
                        one_way: way.one_way,
                        between: line[1..line.len() - 1].to_vec(),
                    });
                }
                piece = vec![node];
            }
        }
    }
    edges
}

/// Those edges between which one can drive to and fro.
fn connected(edges: Vec<Edge>) -> Vec<Edge> {
    let (mut onward, mut back) = (BTreeMap::<i64, Vec<i64>>::new(), BTreeMap::<i64, Vec<i64>>::new());
    for edge in &edges {
        let mut link = |from, to| {
            onward.entry(from).or_default().push(to);
            back.entry(to).or_default().push(from);
        };
        link(edge.from, edge.to);
        if !edge.one_way {
            link(edge.to, edge.from);
        }
    }
    let mut network = HashMap::new();
    for &start in onward.keys() {
        if network.contains_key(&start) {
            continue;
        }
        // What start reaches and what reaches start.
        let there = reached(start, &onward);
        let both: Vec<i64> = reached(start, &back).into_iter().filter(|node| there.contains(node)).collect();
        if both.len() >= NETWORK_MIN {
            println!("a network of {} nodes", both.len());
        }
        let name = (both.len() >= NETWORK_MIN).then_some(start);
        both.into_iter().for_each(|node| _ = network.insert(node, name));
    }
    let of = |node| network.get(&node).copied().flatten();
    edges.into_iter().filter(|edge| of(edge.from).is_some() && of(edge.from) == of(edge.to)).collect()
}

fn reached(start: i64, links: &BTreeMap<i64, Vec<i64>>) -> HashSet<i64> {
    let (mut seen, mut open) = (HashSet::from([start]), vec![start]);
    while let Some(node) = open.pop() {
        open.extend(links.get(&node).into_iter().flatten().filter(|next| seen.insert(**next)));
    }
    seen
}

fn written(edges: &[Edge], points: &Points) -> Result<String, Box<dyn Error>> {
    let mut nodes: Vec<i64> = edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    // By place and not by number: neighbours have small differences.
    nodes.sort_by_key(|node| (points[node][0] / 200, points[node][1], points[node][0], *node));
    nodes.dedup();
    let number: HashMap<i64, usize> = nodes.iter().enumerate().map(|(at, node)| (*node, at)).collect();
    println!("{} nodes", nodes.len());
    let lines: Vec<String> = differences([0, 0], nodes.iter().map(|node| points[node]))
        .chunks(40)
        .map(|chunk| chunk.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
        .collect();
    let mut rows = Vec::new();
    for edge in edges {
        let mut row = format!("[{},{},{},{}", number[&edge.from], number[&edge.to], edge.class, u8::from(edge.one_way));
        for difference in differences(points[&edge.from], edge.between.iter().copied()) {
            write!(row, ",{difference}")?;
        }
        rows.push((number[&edge.from], number[&edge.to], row + "]"));
    }
    rows.sort();
    let rows: Vec<String> = rows.into_iter().map(|(_, _, row)| row).collect();
    let classes = CLASSES.map(|class| format!("\"{class}\"")).join(",");
    Ok(format!(
        "{{\"attribution\":\"{ATTRIBUTION}\",\"classes\":[{classes}],\"nodes\":[\n{}\n],\"edges\":[\n{}\n]}}\n",
        lines.join(",\n"),
        rows.join(",\n"),
    ))
}

fn differences(mut before: Point, line: impl Iterator<Item = Point>) -> Vec<i64> {
    let mut differences = Vec::new();
    for point in line {
        differences.extend([point[0] - before[0], point[1] - before[1]]);
        before = point;
    }
    differences
}

/// Douglas and Peucker's line simplification.
fn simplified(line: &[Point]) -> Vec<Point> {
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else { return Vec::new() };
    let inner = line.iter().enumerate().skip(1).take(line.len().saturating_sub(2));
    let farthest = inner.map(|(i, &p)| (i, to_segment_m(p, first, last))).max_by(|a, b| a.1.total_cmp(&b.1));
    match farthest {
        Some((i, distance_m)) if distance_m > SIMPLIFY_M => {
            let mut left = simplified(&line[..=i]);
            left.pop();
            left.extend(simplified(&line[i..]));
            left
        }
        _ => vec![first, last],
    }
}

/// Flat metres; exact enough for an island of 30 km.
fn to_segment_m(p: Point, a: Point, b: Point) -> f64 {
    let flat = |[lon, lat]: Point| [(lon - a[0]) as f64 * 0.902, (lat - a[1]) as f64 * 1.1095];
    let ([px, py], [bx, by]) = (flat(p), flat(b));
    let length2 = bx * bx + by * by;
    let along = if length2 > 0.0 { ((px * bx + py * by) / length2).clamp(0.0, 1.0) } else { 0.0 };
    (px - along * bx).hypot(py - along * by)
}
