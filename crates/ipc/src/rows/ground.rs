//! What the map stands on: where the fleet is, and where there are tiles.

use fleetlens_model::geo::GeoBox;
use serde::{Deserialize, Serialize};

/// Where the map may begin, and where its ground ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ground {
    /// The box of all things with a place, without the odd one far from all others; `None` while no thing has a place.
    pub fleet: Option<GeoBox>,
    /// The map's tiles.
    pub tiles: TileSet,
}

/// What a set of map tiles says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TileSet {
    /// The box it covers; `None` when it does not say, and then it may cover anything.
    pub bounds: Option<GeoBox>,
    /// The lowest zoom it has tiles of, 0–30.
    pub min_zoom: u8,
    /// The highest zoom it has tiles of, 0–30.
    pub max_zoom: u8,
    /// Whose data it is, plain text of at most [`ATTRIBUTION_MAX_CHARS`]; may be empty.
    pub attribution: String,
    /// Whether it is the program's own, of Malta: then open sea is all around it.
    pub built_in: bool,
    /// The side of its tiles in pixels, 256 or 512, where they are pictures; `None` for vector tiles.
    pub raster_px: Option<u16>,
}

/// The most characters of [`TileSet::attribution`].
pub const ATTRIBUTION_MAX_CHARS: usize = 200;
