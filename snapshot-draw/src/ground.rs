//! The ground of one picture: areas by kind, streets by class as the areas they cover, and the names to write.

use fleetlens_snapshot::frame::Frame;
use fleetlens_snapshot::parcel::{Land, Parcel};

use crate::areas::Area;
use crate::error::DrawError;
use crate::palette::{Palette, Rgb};
use crate::ribbon::ribbon;
use crate::roads::Road;
use crate::tile::{self, Areas, EXTENT, Feature, Line, POINTS_MAX, Shape};

/// Points nearer to each other than this are one, in CSS pixels.
const POINT_PX: f64 = 0.3;

/// By how much the land ends before what the tiles cover, in CSS pixels.
const SEAM_PX: f64 = 1.0;

/// How wide a stream is, in CSS pixels.
const STREAM_PX: f64 = 1.2;

/// What a layer of the picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sea, below everything.
    Sea,
    /// The ground: everywhere, or where the tiles lie.
    Land,
    /// See there.
    Area(Area),
    /// Streams.
    Stream,
    /// The edge of a class of streets.
    Edge(Road),
    /// A class of streets.
    Road(Road),
}

impl Kind {
    /// Its colour; `None` where it is not drawn.
    pub fn colour(self, palette: &Palette, zoom: f64) -> Option<Rgb> {
        match self {
            Kind::Sea => Some(palette.water),
            Kind::Land => Some(palette.land),
            Kind::Area(area) => area.colour(palette, zoom),
            Kind::Stream => Some(palette.water),
            Kind::Edge(_) => Some(palette.casing),
            Kind::Road(road) => Some(road.colour(palette)),
        }
    }
}

/// One layer of the picture.
pub struct Layer {
    /// What it is; its debug form is its name for `maplibre`.
    pub kind: Kind,
    /// What it covers.
    pub areas: Areas,
}

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOf {
    /// A city, a town, a village, a quarter: OpenMapTiles' `class`, from important to small.
    Place(u8),
    /// A bay, a sea.
    Water,
    /// A street.
    Street,
}

/// A name, and where it may be written, in CSS pixels: a point, or a street's course.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Of what.
    pub of: NameOf,
    /// How important among its like; small is important.
    pub rank: i64,
    /// Where.
    pub at: Line,
}

/// What is drawn.
pub struct Ground {
    /// From below; none is empty.
    pub layers: Vec<Layer>,
    /// What may be written, in no order.
    pub names: Vec<Name>,
}

impl Ground {
    /// Sorts what the tiles hold. Fails on a tile that is none, and on more than can be drawn.
    pub fn read(parcel: &Parcel, frame: &Frame) -> Result<Ground, DrawError> {
        let zoom = parcel.snapshot.zoom;
        let side_px = f64::from(parcel.snapshot.width_px.max(parcel.snapshot.height_px));
        let unit = EXTENT / side_px;
        let mut heap = Heap::new(zoom, unit);
        for (number, bytes) in &parcel.tiles {
            for (layer, features) in tile::read(*number, bytes, frame, side_px)? {
                features.iter().for_each(|feature| heap.add(&layer, feature));
            }
            if heap.points() > POINTS_MAX {
                let what = format!("the picture would have more than {POINTS_MAX} points; zoom in");
                return Err(DrawError::Tile(*number, what));
            }
        }
        let land = parcel.land.map(|land| land_within(land, frame, unit));
        Ok(heap.pile(land))
    }
}

/// What is gathered before it is piled up.
struct Heap {
    zoom: f64,
    /// Units of the picture's tile a CSS pixel.
    unit: f64,
    areas: Vec<(Area, Areas)>,
    streams: Areas,
    roads: Vec<(Road, Areas, Areas)>,
    names: Vec<Name>,
}

impl Heap {
    fn new(zoom: f64, unit: f64) -> Heap {
        Heap {
            zoom,
            unit,
            areas: Area::ALL.map(|area| (area, Areas::new())).into(),
            streams: Areas::new(),
            roads: Road::all().map(|road| (road, Areas::new(), Areas::new())).collect(),
            names: Vec::new(),
        }
    }

    fn points(&self) -> usize {
        let areas = self.areas.iter().map(|(_, areas)| areas).chain([&self.streams]);
        let roads = self.roads.iter().flat_map(|(_, inner, casing)| [inner, casing]);
        areas.chain(roads).flatten().flatten().map(Vec::len).sum()
    }

    fn add(&mut self, layer: &str, feature: &Feature) {
        match &feature.shape {
            Shape::Rings(rings) => self.add_area(layer, &feature.class, rings),
            Shape::Lines(lines) => {
                for line in lines {
                    self.add_line(layer, feature, line);
                }
            }
            Shape::Points(points) => {
                if let Some(of) = name_of_point(layer, &feature.class) {
                    points.iter().for_each(|point| self.add_name(feature, of, &[*point]));
                }
            }
        }
    }

    fn add_area(&mut self, layer: &str, class: &str, rings: &[Line]) {
        let Some(area) = Area::of(layer, class) else { return };
        let rings: Vec<_> = rings.iter().filter_map(|line| tile::ring(line)).collect();
        if let Some((_, areas)) = self.areas.iter_mut().find(|(known, _)| *known == area)
            && !rings.is_empty()
        {
            areas.push(rings);
        }
    }

    fn add_line(&mut self, layer: &str, feature: &Feature, line: &[(f64, f64)]) {
        let unit = self.unit;
        let pieces = tile::near(line, POINT_PX * unit);
        let draw = |width_px: f64, into: &mut Areas| {
            let mut rings = Vec::new();
            pieces.iter().for_each(|piece| ribbon(piece, width_px * unit, &mut rings));
            into.extend(rings.into_iter().map(|ring| vec![ring]));
        };
        match layer {
            "waterway" => draw(STREAM_PX, &mut self.streams),
            "transportation" => {
                let road = Road::of_class(&feature.class);
                let Some((road, inner, casing)) = self.roads.iter_mut().find(|(known, ..)| Some(*known) == road) else {
                    return;
                };
                if let Some(width_px) = road.width_px(self.zoom) {
                    draw(width_px, inner);
                    if let Some(casing_px) = road.casing_px(self.zoom) {
                        draw(width_px + 2.0 * casing_px, casing);
                    }
                }
            }
            "transportation_name" if Road::of_class(&feature.class).is_some() => {
                pieces.iter().for_each(|piece| self.add_name(feature, NameOf::Street, piece));
            }
            _ => {}
        }
    }

    fn add_name(&mut self, feature: &Feature, of: NameOf, at: &[(f64, f64)]) {
        if !feature.name.is_empty() {
            let at = at.iter().map(|(x, y)| (x / self.unit, y / self.unit)).collect();
            self.names.push(Name { text: feature.name.clone(), of, rank: feature.rank, at });
        }
    }

    /// Everything from below: sea and land, areas, the edges of all streets, the streets.
    fn pile(self, land: Option<Line>) -> Ground {
        let side = EXTENT as i32;
        let all = vec![vec![vec![(0, 0), (side, 0), (side, side), (0, side)]]];
        let mut layers = match land {
            None => vec![Layer { kind: Kind::Land, areas: all }],
            Some(land) => vec![
                Layer { kind: Kind::Sea, areas: all },
                Layer { kind: Kind::Land, areas: tile::ring(&land).map(|ring| vec![ring]).into_iter().collect() },
            ],
        };
        layers.extend(self.areas.into_iter().map(|(area, areas)| Layer { kind: Kind::Area(area), areas }));
        // Houses stand beside streams, and streams run below bridges.
        layers.push(Layer { kind: Kind::Stream, areas: self.streams });
        let mut streets = Vec::new();
        for (road, areas, casing) in self.roads {
            layers.push(Layer { kind: Kind::Edge(road), areas: casing });
            streets.push(Layer { kind: Kind::Road(road), areas });
        }
        layers.extend(streets);
        layers.retain(|layer| !layer.areas.is_empty());
        Ground { layers, names: self.names }
    }
}

/// The box that the tiles cover, cut at the picture; a little less of it, so that no seam is left where the water of the tiles ends.
fn land_within(land: Land, frame: &Frame, unit: f64) -> Line {
    let north_west = frame.place(land.north_deg, land.west_deg);
    let south_east = frame.place(land.south_deg, land.east_deg);
    let (west, north) = ((north_west.x + SEAM_PX) * unit, (north_west.y + SEAM_PX) * unit);
    let (east, south) = ((south_east.x - SEAM_PX) * unit, (south_east.y - SEAM_PX) * unit);
    tile::cut(vec![(west, north), (east, north), (east, south), (west, south)])
}

/// What a point's name is of; `None` for what is not written.
fn name_of_point(layer: &str, class: &str) -> Option<NameOf> {
    match (layer, class) {
        ("place", "city") => Some(NameOf::Place(0)),
        ("place", "town") => Some(NameOf::Place(1)),
        ("place", "village") => Some(NameOf::Place(2)),
        ("place", "suburb" | "quarter") => Some(NameOf::Place(3)),
        ("place", "hamlet" | "neighbourhood" | "locality" | "island") => Some(NameOf::Place(4)),
        ("water_name", _) => Some(NameOf::Water),
        _ => None,
    }
}
