//! The recipe of `assets/malta/{areas,streets,addresses}.json`: what the demo city needs of the map besides the tiles.
//!
//! ```text
//! FLEET_DATA=../shared/data cargo run -p fleetlens-sim --example make_streets
//! ```
//!
//! Reads `maps/malta-latest.osm.pbf` of `$FLEET_DATA` (else `../shared/data`) and `assets/malta/places.geojson`, and writes
//!
//! - **areas**: the cities, towns and villages, so that a thing belongs to the nearest one;
//! - **streets**: named streets around the Grand Harbour and Marsamxett as simplified lines, the first of them a
//!   few main streets, because the first lamps are put there;
//! - **addresses**: the nearest named street of every car park, street lamp, bin and charger of `places.geojson`, by "lon,lat".

#![allow(clippy::indexing_slicing, reason = "run by hand on a known file: what is missing there should stop it")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::path::{Path, PathBuf};

use osmpbf::{Element, ElementReader};
use serde_json::{Value, json};

const ATTRIBUTION: &str = "© OpenStreetMap contributors, ODbL 1.0";
/// Streets are taken from here: west, south, east, north.
const HARBOUR: [f64; 4] = [14.477, 35.880, 14.532, 35.926];
/// The first lamps stand in these streets, some 35 m apart, in this order: nine and a half kilometres are 271 lamps.
const FIRST: [(&str, &str); 13] = [
    ("Valletta", "Triq ir-Repubblika"),
    ("Sliema", "Triq it-Torri"),
    ("Floriana", "Triq Sant'Anna"),
    ("Ta' Xbiex", "Xatt l-Imsida"),
    ("Valletta", "Triq il-Merkanti"),
    ("Msida", "Triq Il-Wied ta l-Imsida"),
    ("Valletta", "Triq San Pawl"),
    ("Floriana", "Triq Sarria"),
    ("Valletta", "Triq Melita"),
    ("Gżira", "Triq Manwel Dimech"),
    ("Msida", "Triq Il-Kappillan Mifsud"),
    ("Sliema", "Triq Rodolfu"),
    ("Pietà", "Triq l-Orsolini"),
];
/// Roads that carry lamps or an address.
const ROADS: [&str; 9] = [
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "pedestrian",
    "residential",
    "living_street",
    "unclassified",
    "service",
];
/// A car park farther from any named street than this has no address, in metres.
const ADDRESS_WITHIN_M: f64 = 250.0;
/// Lines may leave the real street by this much, in metres.
const SIMPLIFY_M: f64 = 2.0;

type Point = [f64; 2];

struct Road {
    name: String,
    class: usize,
    nodes: Vec<i64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("FLEET_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let (roads, areas, points) = read(&data.join("maps/malta-latest.osm.pbf"))?;
    let assets = root.join("assets/malta");
    let places: Value = serde_json::from_slice(&std::fs::read(assets.join("places.geojson"))?)?;

    let streets = streets(&roads, &areas, &points);
    let addresses = addresses(&places, &roads, &points);
    write(
        &assets.join("areas.json"),
        "areas",
        areas.iter().map(|(name, at)| json!({"name": name, "at": at})).collect(),
    )?;
    write(&assets.join("streets.json"), "streets", streets)?;
    write(&assets.join("addresses.json"), "addresses", addresses)?;
    Ok(())
}

/// Named roads, areas by name, and the positions of all nodes used.
#[allow(clippy::type_complexity)]
fn read(extract: &Path) -> Result<(Vec<Road>, BTreeMap<String, Point>, HashMap<i64, Point>), Box<dyn Error>> {
    let (mut roads, mut areas, mut points) = (Vec::new(), BTreeMap::new(), HashMap::new());
    ElementReader::from_path(extract)?.for_each(|element| match element {
        Element::Node(node) => {
            points.insert(node.id(), [node.lon(), node.lat()]);
            if let Some(name) = area(node.tags()) {
                areas.insert(name, rounded([node.lon(), node.lat()]));
            }
        }
        Element::DenseNode(node) => {
            points.insert(node.id(), [node.lon(), node.lat()]);
            if let Some(name) = area(node.tags()) {
                areas.insert(name, rounded([node.lon(), node.lat()]));
            }
        }
        Element::Way(way) => {
            let tag = |key| way.tags().find_map(|(k, v)| (k == key).then_some(v));
            let class = tag("highway").and_then(|class| ROADS.iter().position(|road| *road == class));
            if let (Some(name), Some(class)) = (tag("name"), class) {
                roads.push(Road { name: name.to_owned(), class, nodes: way.refs().collect() });
            }
        }
        Element::Relation(_) => {}
    })?;
    Ok((roads, areas, points))
}

/// The name of a city, town or village, in English where it has one there (as on road signs: Msida, not L-Imsida).
fn area<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let (mut place, mut name, mut english) = (None, None, None);
    for (key, value) in tags {
        match key {
            "place" => place = Some(value),
            "name" => name = Some(value),
            "name:en" => english = Some(value),
            _ => {}
        }
    }
    matches!(place?, "city" | "town" | "village").then(|| english.or(name).map(str::to_owned)).flatten()
}

/// Named streets of the harbour region: those of [`FIRST`], then all others by area and name.
fn streets(roads: &[Road], areas: &BTreeMap<String, Point>, points: &HashMap<i64, Point>) -> Vec<Value> {
    struct Street {
        name: String,
        area: String,
        length_m: f64,
        line: Vec<Point>,
    }
    let mut by_name = BTreeMap::<(&str, usize), Vec<Vec<i64>>>::new();
    for road in roads {
        let inside = road
            .nodes
            .iter()
            .filter_map(|id| points.get(id))
            .all(|&[lon, lat]| lon > HARBOUR[0] && lat > HARBOUR[1] && lon < HARBOUR[2] && lat < HARBOUR[3]);
        if inside {
            by_name.entry((&road.name, road.class)).or_default().push(road.nodes.clone());
        }
    }
    let mut all = Vec::new();
    for ((name, _), pieces) in by_name {
        for nodes in joined(pieces) {
            let line: Vec<Point> = nodes.iter().filter_map(|id| points.get(id).copied()).collect();
            let length_m: f64 = line.windows(2).map(|pair| metres(pair[0], pair[1])).sum();
            let Some(area) = nearest_area(areas, line[line.len() / 2]) else { continue };
            let line: Vec<Point> = simplified(&line).into_iter().map(rounded).collect();
            if length_m >= 40.0 && line.len() > 1 {
                all.push(Street { name: name.to_owned(), area, length_m, line });
            }
        }
    }
    all.sort_by(|a, b| (b.length_m, &a.name).partial_cmp(&(a.length_m, &b.name)).unwrap_or(std::cmp::Ordering::Equal));

    let of = |(area, name): (&str, &str)| {
        let here = all.iter().enumerate().filter(move |(_, street)| street.area == area && street.name == name);
        here.filter(|(_, street)| street.length_m >= 100.0).map(|(index, _)| index).collect::<Vec<_>>()
    };
    let first: Vec<usize> = FIRST.into_iter().flat_map(of).collect();
    let taken: HashSet<usize> = first.iter().copied().collect();
    let mut rest: Vec<usize> = (0..all.len()).filter(|index| !taken.contains(index)).collect();
    rest.sort_by(|&a, &b| (&all[a].area, &all[a].name).cmp(&(&all[b].area, &all[b].name)));
    let total_m: f64 = all.iter().map(|street| street.length_m).sum();
    for &index in &first {
        println!("{:5.0} m  {}, {}", all[index].length_m, all[index].name, all[index].area);
    }
    let first_m: f64 = first.iter().map(|&index| all[index].length_m).sum();
    println!("{} streets, {total_m:.0} m, of which the first {} with {first_m:.0} m", all.len(), first.len());
    let order = first.into_iter().chain(rest);
    order.map(|index| json!({"name": all[index].name, "area": all[index].area, "line": all[index].line})).collect()
}

/// The nearest named street of every place that the demo city uses.
fn addresses(places: &Value, roads: &[Road], points: &HashMap<i64, Point>) -> Vec<Value> {
    let lines: Vec<(&str, Vec<Point>)> = roads
        .iter()
        .map(|road| (road.name.as_str(), road.nodes.iter().filter_map(|id| points.get(id).copied()).collect()))
        .collect();
    let features = places["features"].as_array().into_iter().flatten();
    let wanted = features.filter(|f| f["properties"]["kind"] != "traffic_signals");
    let mut found = Vec::new();
    for feature in wanted {
        let at = &feature["geometry"]["coordinates"];
        let Some(here) = at[0].as_f64().zip(at[1].as_f64()).map(|(lon, lat)| [lon, lat]) else { continue };
        let nearest = lines
            .iter()
            .flat_map(|(name, line)| line.windows(2).map(move |pair| (to_segment_m(here, pair[0], pair[1]), *name)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((distance_m, street)) = nearest
            && distance_m <= ADDRESS_WITHIN_M
        {
            found.push(json!({"at": at, "street": street}));
        }
    }
    println!("{} addresses", found.len());
    found
}

/// Ways that end where another begins, made one, so that lamps keep their distance over the joint.
fn joined(mut pieces: Vec<Vec<i64>>) -> Vec<Vec<i64>> {
    let mut lines = Vec::new();
    while let Some(mut line) = pieces.pop() {
        while let Some(at) = pieces.iter().position(|piece| {
            piece.first() == line.last()
                || piece.last() == line.last()
                || piece.last() == line.first()
                || piece.first() == line.first()
        }) {
            let mut piece = pieces.swap_remove(at);
            if piece.last() == line.last() || piece.first() == line.first() {
                piece.reverse();
            }
            if piece.first() == line.last() {
                line.extend(piece.into_iter().skip(1));
            } else {
                piece.pop();
                piece.extend(line);
                line = piece;
            }
        }
        lines.push(line);
    }
    lines
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

fn nearest_area(areas: &BTreeMap<String, Point>, here: Point) -> Option<String> {
    let nearest = areas.iter().min_by(|a, b| metres(*a.1, here).total_cmp(&metres(*b.1, here)));
    nearest.map(|(name, _)| name.clone())
}

/// Flat metres around the point; exact enough for an island of 30 km.
fn metres([lon_a, lat_a]: Point, [lon_b, lat_b]: Point) -> f64 {
    let (x, y) = ((lon_b - lon_a) * 90_200.0, (lat_b - lat_a) * 110_950.0);
    x.hypot(y)
}

fn to_segment_m(p: Point, a: Point, b: Point) -> f64 {
    let flat = |[lon, lat]: Point| [(lon - a[0]) * 90_200.0, (lat - a[1]) * 110_950.0];
    let ([px, py], [bx, by]) = (flat(p), flat(b));
    let length2 = bx * bx + by * by;
    let along = if length2 > 0.0 { ((px * bx + py * by) / length2).clamp(0.0, 1.0) } else { 0.0 };
    (px - along * bx).hypot(py - along * by)
}

/// Five decimals are one metre here.
fn rounded(point: Point) -> Point {
    point.map(|degrees| (degrees * 1e5).round() / 1e5)
}

fn write(path: &Path, what: &str, rows: Vec<Value>) -> Result<(), Box<dyn Error>> {
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    let text = format!("{{\"attribution\":\"{ATTRIBUTION}\",\"{what}\":[\n{}\n]}}\n", rows.join(",\n"));
    std::fs::write(path, &text)?;
    println!("{} {what}, {} bytes: {}", rows.len(), text.len(), path.file_name().unwrap_or_default().to_string_lossy());
    Ok(())
}
