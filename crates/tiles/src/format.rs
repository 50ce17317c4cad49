//! What a set's tiles are: streets and houses as shapes, or pictures of them.

use crate::names::layers_of;
use crate::{Metadata, TilesError};

/// The layers of the OpenMapTiles schema by which it is known: at least one of them is in every map that shows land, and other schemas
/// call theirs otherwise (openmaptiles.org/schema).
const KNOWN_BY: [&str; 4] = ["transportation", "building", "place", "water_name"];

/// Those of its layers that are in a tile without anything to know it by.
const BARE: [&str; 6] = ["water", "waterway", "landcover", "landuse", "boundary", "park"];

/// How many layers of a strange schema a sentence names.
const LAYERS_SAID: usize = 5;

/// What a set's tiles are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TileFormat {
    /// Mapbox vector tiles.
    #[default]
    Vector,
    /// Pictures.
    Png,
    /// Pictures.
    Jpeg,
    /// Pictures.
    Webp,
}

impl TileFormat {
    /// As MBTiles writes it in `format`.
    pub fn of_word(word: &str) -> Option<TileFormat> {
        match word.trim().to_ascii_lowercase().as_str() {
            "pbf" | "mvt" => Some(TileFormat::Vector),
            "png" => Some(TileFormat::Png),
            "jpg" | "jpeg" => Some(TileFormat::Jpeg),
            "webp" => Some(TileFormat::Webp),
            _ => None,
        }
    }

    /// The media type of one tile.
    pub fn media_type(self) -> &'static str {
        match self {
            TileFormat::Vector => "application/x-protobuf",
            TileFormat::Png => "image/png",
            TileFormat::Jpeg => "image/jpeg",
            TileFormat::Webp => "image/webp",
        }
    }

    /// Whether they are pictures.
    pub fn is_raster(self) -> bool {
        match self {
            TileFormat::Vector => false,
            TileFormat::Png | TileFormat::Jpeg | TileFormat::Webp => true,
        }
    }
}

/// The side of a picture in pixels as maps use it: 256, or 512 for anything larger. Fails in words on what is no picture of this kind.
pub fn side_px(format: TileFormat, tile: &[u8]) -> Result<u16, String> {
    let found = imagesize::image_type(tile).map_err(|_| "it is no picture that is known".to_owned())?;
    let is_said = match format {
        TileFormat::Png => found == imagesize::ImageType::Png,
        TileFormat::Jpeg => found == imagesize::ImageType::Jpeg,
        TileFormat::Webp => found == imagesize::ImageType::Webp,
        TileFormat::Vector => false,
    };
    if !is_said {
        return Err(format!("it is no {} picture", format.media_type().trim_start_matches("image/")));
    }
    let size = imagesize::blob_size(tile).map_err(|error| format!("its size cannot be read: {error}"))?;
    if size.width != size.height || !(64..=4096).contains(&size.width) {
        return Err(format!("it has {} by {} pixels; square ones can be shown", size.width, size.height));
    }
    Ok(if size.width <= 256 { 256 } else { 512 })
}

/// Fails where streets and places would stay unseen, because their layers are called otherwise. Judged by what the set says of itself,
/// else by one of its tiles.
pub fn check_schema(said: &Metadata, tile: &[u8]) -> Result<(), TilesError> {
    let is_known = |layers: &[String]| layers.iter().any(|layer| KNOWN_BY.contains(&layer.as_str()));
    // A tile of the sea has nothing but water, which every schema calls so.
    let is_bare = |layers: &[String]| layers.iter().all(|layer| BARE.contains(&layer.as_str()));
    let of_tile = layers_of(tile).ok_or_else(|| TilesError::Unsound("one of its tiles is no vector tile".into()))?;
    let layers = if said.layers.is_empty() { of_tile } else { said.layers.clone() };
    if is_known(&layers) || said.layers.is_empty() && is_bare(&layers) {
        return Ok(());
    }
    let mut named = layers.iter().take(LAYERS_SAID).map(String::as_str).collect::<Vec<_>>().join(", ");
    if layers.len() > LAYERS_SAID {
        named.push_str(", …");
    }
    Err(TilesError::Schema(named))
}
