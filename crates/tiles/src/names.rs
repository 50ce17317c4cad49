//! The names of places that stand in vector tiles (Mapbox Vector Tile 2.1, layer `place` of OpenMapTiles), read from tiles that are still
//! few: what a person looks for by name are towns and their parts, and those stand in them.

use std::collections::HashSet;

use fleetlens_model::geo::LonLat;
use prost::Message;

use crate::{Tiles, TilesError};

/// The most tiles that are read for names.
const TILES_MAX: u64 = 64;

/// The deepest zoom that is read: beyond it come names of single farms.
const ZOOM_MAX: u8 = 13;

/// The longest name that is taken, in characters.
const NAME_MAX_CHARS: usize = 80;

/// The layer of OpenMapTiles that names places.
const LAYER: &str = "place";

/// What is named, the greatest first; anything else comes last.
const CLASSES: [&str; 12] = [
    "continent",
    "country",
    "state",
    "province",
    "city",
    "town",
    "island",
    "village",
    "suburb",
    "quarter",
    "hamlet",
    "neighbourhood",
];

/// A name that stands on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceName {
    /// As the map writes it.
    pub name: String,
    /// What it is the name of: `town`, `village`, …
    pub class: String,
    /// Where it stands.
    pub at: LonLat,
}

#[derive(Clone, PartialEq, Message)]
struct Tile {
    #[prost(message, repeated, tag = "3")]
    layers: Vec<Layer>,
}

#[derive(Clone, PartialEq, Message)]
struct Layer {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    features: Vec<Feature>,
    #[prost(string, repeated, tag = "3")]
    keys: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    values: Vec<Value>,
    #[prost(uint32, optional, tag = "5")]
    extent: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Feature {
    #[prost(uint32, repeated, tag = "2")]
    tags: Vec<u32>,
    #[prost(uint32, repeated, tag = "4")]
    geometry: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
}

impl Tiles {
    /// The names of its places, the greatest places first and at most this many. Reads some dozens of tiles: blocks as long as that takes.
    /// None where the set does not say where it lies. A tile that is none is left out.
    pub fn names(&self, most: usize) -> Result<Vec<PlaceName>, TilesError> {
        if self.metadata().format.is_raster() {
            return Ok(Vec::new());
        }
        let Some(area) = self.metadata().bounds else { return Ok(Vec::new()) };
        let (from, to) = (self.metadata().min_zoom.unwrap_or(0), self.metadata().max_zoom.unwrap_or(ZOOM_MAX));
        let corners = |zoom: u8| {
            let north_west = LonLat { lon_deg: area.west_deg, lat_deg: area.north_deg };
            (tile_of(north_west, zoom), tile_of(LonLat { lon_deg: area.east_deg, lat_deg: area.south_deg }, zoom))
        };
        let few = |zoom: &u8| {
            let ((west, north), (east, south)) = corners(*zoom);
            u64::from(east - west + 1) * u64::from(south - north + 1) <= TILES_MAX
        };
        let Some(zoom) = (from..=to.min(ZOOM_MAX)).rev().find(few) else { return Ok(Vec::new()) };
        let ((west, north), (east, south)) = corners(zoom);
        let mut found = Vec::new();
        for (x, y) in (west..=east).flat_map(|x| (north..=south).map(move |y| (x, y))) {
            if let Some(bytes) = self.tile(zoom, x, y)? {
                found.extend(names_in(&bytes, zoom, x, y));
            }
        }
        found.sort_by(|one, other| (order(&one.class), &one.name).cmp(&(order(&other.class), &other.name)));
        // What stands near an edge stands in the tile beyond it as well.
        let mut seen = HashSet::new();
        let about = |degrees: f64| (degrees * 50.0).round() as i64;
        found.retain(|one| seen.insert((one.name.clone(), about(one.at.lon_deg), about(one.at.lat_deg))));
        found.truncate(most);
        Ok(found)
    }
}

fn order(class: &str) -> usize {
    CLASSES.iter().position(|known| *known == class).unwrap_or(CLASSES.len())
}

/// The tile of a place, within the earth's.
fn tile_of(at: LonLat, zoom: u8) -> (u32, u32) {
    let tiles = f64::from(1_u32 << zoom);
    let lat = at.lat_deg.clamp(-85.0, 85.0).to_radians();
    let x = (at.lon_deg + 180.0) / 360.0 * tiles;
    let y = (1.0 - lat.tan().asinh() / std::f64::consts::PI) / 2.0 * tiles;
    let within = |place: f64| place.clamp(0.0, tiles - 1.0) as u32;
    (within(x), within(y))
}

/// The layers of a vector tile; `None` of bytes that are none.
pub fn layers_of(bytes: &[u8]) -> Option<Vec<String>> {
    Some(Tile::decode(bytes).ok()?.layers.into_iter().map(|layer| layer.name).collect())
}

/// Names of one tile; none of bytes that are no tile.
fn names_in(bytes: &[u8], zoom: u8, x: u32, y: u32) -> Vec<PlaceName> {
    let Ok(tile) = Tile::decode(bytes) else { return Vec::new() };
    let of_places = tile.layers.iter().filter(|layer| layer.name == LAYER);
    of_places.flat_map(|layer| layer.features.iter().filter_map(|one| name_of(layer, one, zoom, x, y))).collect()
}

fn name_of(layer: &Layer, feature: &Feature, zoom: u8, x: u32, y: u32) -> Option<PlaceName> {
    let said = |wanted: &str| {
        let mut pairs = feature.tags.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
        let (_, value) = pairs.find(|(key, _)| layer.keys.get(*key as usize).is_some_and(|key| key == wanted))?;
        layer.values.get(value as usize)?.text.clone()
    };
    let name = said("name:latin").or_else(|| said("name")).filter(|name| !name.trim().is_empty())?;
    if name.chars().count() > NAME_MAX_CHARS {
        return None;
    }
    // The first place it is at: "move to", then both steps in zigzag.
    let [command, dx, dy] = feature.geometry.get(..3)? else { return None };
    if command & 7 != 1 {
        return None;
    }
    let step = |zigzag: u32| f64::from((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32));
    let (extent, tiles) = (f64::from(layer.extent.unwrap_or(4096).max(1)), f64::from(1_u32 << zoom));
    let across = (f64::from(x) + step(*dx) / extent) / tiles;
    let down = (f64::from(y) + step(*dy) / extent) / tiles;
    let lat_deg = (std::f64::consts::PI * (1.0 - 2.0 * down)).sinh().atan().to_degrees();
    let at = LonLat::new(across * 360.0 - 180.0, lat_deg)?;
    Some(PlaceName { name, class: said("class").unwrap_or_default(), at })
}

#[cfg(test)]
mod tests {
    use super::*;

    static MALTA: &[u8] = include_bytes!("../../../assets/malta/malta.mbtiles");

    #[test]
    fn the_names_of_malta_stand_where_they_are() {
        let names = Tiles::embedded(MALTA).unwrap().names(5_000).unwrap();
        let valletta = names.iter().find(|one| one.name == "Valletta").unwrap();
        assert!(
            (valletta.at.lon_deg - 14.514).abs() < 0.01 && (valletta.at.lat_deg - 35.899).abs() < 0.01,
            "{valletta:?}"
        );
        assert!(names.len() > 50, "{}", names.len());
        let twice = names.iter().filter(|one| one.name == "Il-Marsa").count();
        assert_eq!(twice, 1, "what stands in two tiles is told once");
        let (first, last) = (names.first().unwrap(), names.last().unwrap());
        assert!(order(&first.class) <= order(&last.class), "{first:?} before {last:?}");
        assert_eq!(Tiles::embedded(MALTA).unwrap().names(3).unwrap().len(), 3);
    }

    #[test]
    fn bytes_that_are_no_tile_name_nothing() {
        for bytes in [&b""[..], b"no tile", &[0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
            assert!(names_in(bytes, 12, 0, 0).is_empty(), "{bytes:?}");
        }
        let broken = Layer {
            name: LAYER.into(),
            features: vec![Feature { tags: vec![0, 9, 7], geometry: vec![9] }],
            ..Layer::default()
        };
        assert!(names_in(&Tile { layers: vec![broken] }.encode_to_vec(), 12, 0, 0).is_empty());
    }
}
