//! Vector tiles (Mapbox Vector Tile specification 2.1), read carefully and written plainly.
//!
//! What strangers' files hold is read here and nowhere else: what `maplibre` gets to read is what we wrote.

use fleetlens_snapshot::frame::{Frame, TileNumber};
use geozero::mvt::{Message, Tile, tile};

use crate::error::DrawError;
use crate::ribbon::{Point, whole};

/// A tile's side in its own units, as `maplibre` takes it.
pub const EXTENT: f64 = 4_096.0;

/// How far beyond the picture's edge shapes are kept, in tile units: wider than half the widest street.
const MARGIN: f64 = 256.0;

/// The most points a picture's shapes may have.
pub const POINTS_MAX: usize = 1_000_000;

/// A ring or a line, in units of the picture's tile, which is [`EXTENT`] units wide.
pub type Line = Vec<(f64, f64)>;

/// What a feature is.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Points.
    Points(Line),
    /// Lines.
    Lines(Vec<Line>),
    /// Rings: each outer one (clockwise on the screen) followed by its holes.
    Rings(Vec<Line>),
}

/// A feature with the words that we look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// OpenMapTiles' `class`, or nothing.
    pub class: String,
    /// Its name in Latin letters where it has one.
    pub name: String,
    /// How important a place is; small is important.
    pub rank: i64,
    /// Where it is.
    pub shape: Shape,
}

/// From the units of one tile to those of the picture.
#[derive(Clone, Copy, Debug)]
struct Onto {
    x: f64,
    y: f64,
    scale: f64,
}

/// Reads a tile: the features of each layer, in the picture's units. `side_px` is what [`EXTENT`] units are in the picture.
pub fn read(
    number: TileNumber,
    bytes: &[u8],
    frame: &Frame,
    side_px: f64,
) -> Result<Vec<(String, Vec<Feature>)>, DrawError> {
    let broken = |what: String| DrawError::Tile(number, what);
    let tile = Tile::decode(bytes).map_err(|error| broken(format!("it is no vector tile: {error}")))?;
    let place = frame.tile_place(number);
    let unit = EXTENT / side_px;
    let mut layers = Vec::new();
    for layer in tile.layers {
        let extent = f64::from(layer.extent.unwrap_or(4_096).max(1));
        let onto = Onto { x: place.corner.x * unit, y: place.corner.y * unit, scale: place.side_px * unit / extent };
        let mut features = Vec::new();
        for feature in &layer.features {
            let shape = shape(feature, onto)
                .ok_or_else(|| broken(format!("a shape in its layer {:?} is cut short", layer.name)))?;
            features.push(Feature {
                class: word(&layer, feature, "class"),
                name: Some(word(&layer, feature, "name:latin"))
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| word(&layer, feature, "name")),
                rank: rank(&layer, feature),
                shape,
            });
        }
        layers.push((layer.name, features));
    }
    Ok(layers)
}

/// The value of a feature's tag.
fn value<'a>(layer: &'a tile::Layer, feature: &tile::Feature, key: &str) -> Option<&'a tile::Value> {
    let key = layer.keys.iter().position(|known| known == key)?;
    let pair = feature.tags.chunks_exact(2).find(|pair| pair.first().is_some_and(|k| *k as usize == key))?;
    layer.values.get(*pair.last()? as usize)
}

fn word(layer: &tile::Layer, feature: &tile::Feature, key: &str) -> String {
    value(layer, feature, key).and_then(|value| value.string_value.clone()).unwrap_or_default()
}

fn rank(layer: &tile::Layer, feature: &tile::Feature) -> i64 {
    let Some(value) = value(layer, feature, "rank") else { return i64::MAX };
    let whole = value.int_value.or(value.sint_value).or(value.uint_value.map(|v| i64::try_from(v).unwrap_or(i64::MAX)));
    let broken = value.double_value.or(value.float_value.map(f64::from)).map(|v| v as i64);
    whole.or(broken).unwrap_or(i64::MAX)
}

/// A feature's geometry (specification, 4.3); `None` when its commands end early.
fn shape(feature: &tile::Feature, onto: Onto) -> Option<Shape> {
    let lines = lines(&feature.geometry, onto)?;
    Some(match feature.r#type.and_then(tile::GeomType::from_i32) {
        Some(tile::GeomType::Polygon) => Shape::Rings(rings(lines)),
        Some(tile::GeomType::Linestring) => Shape::Lines(lines),
        Some(tile::GeomType::Point | tile::GeomType::Unknown) | None => {
            Shape::Points(lines.into_iter().flatten().collect())
        }
    })
}

/// The points that each MoveTo begins. A LineTo before any MoveTo, and an unknown command, end it early.
fn lines(commands: &[u32], onto: Onto) -> Option<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    let (mut x, mut y) = (0i64, 0i64);
    let mut commands = commands.iter().copied();
    while let Some(command) = commands.next() {
        let (id, count) = (command & 7, command >> 3);
        match id {
            1 | 2 => {
                for _ in 0..count {
                    x = x.saturating_add(zigzag(commands.next()?));
                    y = y.saturating_add(zigzag(commands.next()?));
                    let at = (onto.x + x as f64 * onto.scale, onto.y + y as f64 * onto.scale);
                    match id {
                        1 => lines.push(vec![at]),
                        _ => lines.last_mut()?.push(at),
                    }
                }
            }
            7 => {} // a ring is closed by itself
            _ => return None,
        }
    }
    Some(lines)
}

fn zigzag(value: u32) -> i64 {
    i64::from((value >> 1) as i32 ^ -((value & 1) as i32))
}

/// The rings near the picture: cut at its edges, without those that cover nothing. A hole whose outer ring is not there goes with it.
fn rings(lines: Vec<Line>) -> Vec<Line> {
    let mut kept = Vec::new();
    let mut outer_is_kept = false;
    for line in lines {
        let is_outer = area(&line) > 0.0;
        if !is_outer && !outer_is_kept {
            continue;
        }
        let cut = cut(line);
        let is_seen = cut.len() >= 3 && area(&cut).abs() > 1.0;
        if is_outer {
            outer_is_kept = is_seen;
        }
        if is_seen {
            kept.push(cut);
        }
    }
    kept
}

/// Twice the area within a ring, positive when it turns clockwise on the screen.
fn area(ring: &[(f64, f64)]) -> f64 {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|((x1, y1), (x2, y2))| x1 * y2 - x2 * y1).sum()
}

/// A ring cut at a box a little larger than the picture (Sutherland and Hodgman's way, an edge at a time).
pub fn cut(ring: Line) -> Line {
    let (low, high) = (-MARGIN, EXTENT + MARGIN);
    let at_x = |edge: f64| move |a: (f64, f64), b: (f64, f64)| (edge, a.1 + (b.1 - a.1) * (edge - a.0) / (b.0 - a.0));
    let at_y = |edge: f64| move |a: (f64, f64), b: (f64, f64)| (a.0 + (b.0 - a.0) * (edge - a.1) / (b.1 - a.1), edge);
    let ring = cut_at(ring, |p| p.0 >= low, at_x(low));
    let ring = cut_at(ring, |p| p.0 <= high, at_x(high));
    let ring = cut_at(ring, |p| p.1 >= low, at_y(low));
    cut_at(ring, |p| p.1 <= high, at_y(high))
}

fn cut_at(
    ring: Line,
    is_in: impl Fn((f64, f64)) -> bool,
    crossing: impl Fn((f64, f64), (f64, f64)) -> (f64, f64),
) -> Line {
    let Some(mut before) = ring.last().copied() else { return ring };
    let mut kept = Vec::with_capacity(ring.len());
    for point in ring {
        if is_in(point) != is_in(before) {
            kept.push(crossing(before, point));
        }
        if is_in(point) {
            kept.push(point);
        }
        before = point;
    }
    kept
}

/// The pieces of a line near the picture, without points that lie on their neighbours.
pub fn near(line: &[(f64, f64)], least: f64) -> Vec<Line> {
    let (low, high) = (-MARGIN, EXTENT + MARGIN);
    let is_apart = |a: (f64, f64), b: (f64, f64)| {
        a.0.max(b.0) < low || a.0.min(b.0) > high || a.1.max(b.1) < low || a.1.min(b.1) > high
    };
    let mut pieces: Vec<Line> = Vec::new();
    let mut piece: Line = Vec::new();
    let (Some(mut before), Some(end)) = (line.first().copied(), line.last().copied()) else { return pieces };
    for point in line.iter().copied().skip(1) {
        let is_short = (point.0 - before.0).hypot(point.1 - before.1) < least;
        if is_short && point != end {
            continue;
        }
        if is_apart(before, point) {
            pieces.extend(Some(std::mem::take(&mut piece)).filter(|piece| piece.len() > 1));
        } else {
            if piece.is_empty() {
                piece.push(before);
            }
            piece.push(point);
        }
        before = point;
    }
    pieces.extend(Some(piece).filter(|piece| piece.len() > 1));
    pieces
}

/// Areas in whole units, each its outer ring and its holes.
pub type Areas = Vec<Vec<Vec<Point>>>;

/// A ring in whole units; `None` where nothing is left of it.
pub fn ring(line: &[(f64, f64)]) -> Option<Vec<Point>> {
    let mut ring: Vec<Point> = line.iter().map(|(x, y)| (whole(*x), whole(*y))).collect();
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    (ring.len() >= 3).then_some(ring)
}

/// A tile of these layers, in which every feature is an area.
pub fn write<'a>(layers: impl IntoIterator<Item = (&'a str, &'a Areas)>) -> Box<[u8]> {
    let layer = |(name, areas): (&str, &Areas)| tile::Layer {
        version: 2,
        name: name.to_owned(),
        features: areas.iter().map(|rings| feature(rings)).collect(),
        keys: Vec::new(),
        values: Vec::new(),
        extent: Some(EXTENT as u32),
    };
    Tile { layers: layers.into_iter().map(layer).collect() }.encode_to_vec().into_boxed_slice()
}

fn feature(rings: &[Vec<Point>]) -> tile::Feature {
    let mut geometry = Vec::new();
    let mut at = (0i32, 0i32);
    for ring in rings {
        let Some((first, rest)) = ring.split_first() else { continue };
        let mut go = |to: Point, geometry: &mut Vec<u32>| {
            let zigzag = |value: i32| ((value << 1) ^ (value >> 31)) as u32;
            geometry.extend([zigzag(to.0.wrapping_sub(at.0)), zigzag(to.1.wrapping_sub(at.1))]);
            at = to;
        };
        geometry.push(1 | 1 << 3);
        go(*first, &mut geometry);
        geometry.push(2 | (rest.len() as u32) << 3);
        rest.iter().for_each(|point| go(*point, &mut geometry));
        geometry.push(7 | 1 << 3);
    }
    tile::Feature { id: None, tags: Vec::new(), r#type: Some(tile::GeomType::Polygon as i32), geometry }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Onto = Onto { x: 0.0, y: 0.0, scale: 1.0 };

    #[test]
    fn commands_are_read_as_the_specification_says() {
        // The examples of 4.3.5: a line, and two lines.
        assert_eq!(lines(&[9, 4, 4, 18, 0, 16, 16, 0], PLAIN), Some(vec![vec![(2.0, 2.0), (2.0, 10.0), (10.0, 10.0)]]));
        let two = lines(&[9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8], PLAIN).unwrap();
        assert_eq!(two.last(), Some(&vec![(1.0, 1.0), (3.0, 5.0)]));
        for (name, commands) in [
            ("a line without a beginning", vec![18, 0, 16, 16, 0]),
            ("cut in the middle of a point", vec![9, 4]),
            ("four billion points that are not there", vec![u32::MAX - 6]),
            ("an unknown command", vec![11, 1, 1]),
        ] {
            assert_eq!(lines(&commands, PLAIN), None, "{name}");
        }
    }

    #[test]
    fn rings_are_cut_at_the_picture_and_holes_go_with_their_outer_ring() {
        let square = |x: f64, y: f64, side: f64| vec![(x, y), (x + side, y), (x + side, y + side), (x, y + side)];
        let turned = |mut ring: Line| {
            ring.reverse();
            ring
        };
        let far = square(9_000.0, 0.0, 100.0);
        let cases = [
            ("inside", vec![square(10.0, 10.0, 50.0)], 1),
            ("beside it", vec![far.clone(), turned(square(9_010.0, 10.0, 20.0))], 0),
            ("with a hole", vec![square(0.0, 0.0, 900.0), turned(square(100.0, 100.0, 50.0))], 2),
            ("a hole far away", vec![square(0.0, 0.0, 90_000.0), turned(far)], 1),
        ];
        for (name, lines, want) in cases {
            assert_eq!(rings(lines).len(), want, "{name}");
        }
        let whole = &rings(vec![square(-90_000.0, -90_000.0, 900_000.0)])[0];
        assert_eq!(area(whole), 2.0 * (EXTENT + 2.0 * MARGIN).powi(2));
    }

    #[test]
    fn what_is_written_is_read() {
        let areas: Areas = vec![vec![vec![(0, 0), (10, 0), (10, -3)], vec![(2, 1), (1, 2), (5, 5), (4, 4)]]];
        let tile = Tile::decode(&*write([("a", &areas)])).unwrap();
        let read = lines(&tile.layers[0].features[0].geometry, PLAIN).unwrap();
        let want: Vec<Line> =
            areas[0].iter().map(|ring| ring.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect()).collect();
        assert_eq!(read, want);
    }

    #[test]
    fn only_the_pieces_of_a_line_that_are_near_are_kept() {
        let line = [
            (-9_000.0, 10.0),
            (-8_000.0, 10.0),
            (10.0, 10.0),
            (10.1, 10.0),
            (50.0, 10.0),
            (9_000.0, 10.0),
            (9_900.0, 10.0),
        ];
        let near = near(&line, 1.0);
        assert_eq!(near, [vec![(-8_000.0, 10.0), (10.0, 10.0), (50.0, 10.0), (9_000.0, 10.0)]]);
    }
}
