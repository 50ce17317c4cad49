//! What a tile file says of itself (MBTiles specification 1.3, "Metadata").

use fleetlens_model::geo::GeoBox;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use serde::Deserialize;

use crate::format::TileFormat;
use crate::{TilesError, ZOOM_MAX};

/// What a tile file says of itself; what it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Its name.
    pub name: Option<String>,
    /// Whose data it is; may hold HTML, which is shown as text and never as HTML.
    pub attribution: Option<String>,
    /// The lowest zoom it has tiles of.
    pub min_zoom: Option<u8>,
    /// The highest zoom it has tiles of.
    pub max_zoom: Option<u8>,
    /// The box it covers.
    pub bounds: Option<GeoBox>,
    /// What its tiles are; vector tiles where it is not said.
    pub format: TileFormat,
    /// The layers of its vector tiles; empty where it is not said.
    pub layers: Vec<String>,
    /// The side of its pictures, 256 or 512 pixels; `None` of vector tiles, and where none could be looked at.
    pub side_px: Option<u16>,
}

/// The part of `json` that is used (MBTiles specification 1.3, "Vector tileset metadata").
#[derive(Default, Deserialize)]
struct About {
    #[serde(default)]
    vector_layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    id: String,
}

/// Reads the table of metadata. Values that make no sense are left out; only a format that cannot be shown is an error.
pub fn read(db: &Connection) -> Result<Metadata, TilesError> {
    let mut query = db.prepare("SELECT value FROM metadata WHERE name = ?1")?;
    // What is too large to be read says nothing, like what is not there.
    let mut word = |name: &str| match query.query_row([name], |row| row.get::<_, Option<String>>(0)) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::TooBig) => Ok(None),
        read => read.optional(),
    };
    let format = match word("format")?.flatten() {
        Some(said) => TileFormat::of_word(&said).ok_or(TilesError::Format(said))?,
        None => TileFormat::default(),
    };
    let mut text = |name| word(name).map(|value| value.flatten().filter(|value| !value.trim().is_empty()));
    let zoom = |text: Option<String>| text.and_then(|t| t.trim().parse::<u8>().ok()).filter(|z| *z <= ZOOM_MAX);
    Ok(Metadata {
        name: text("name")?,
        attribution: text("attribution")?,
        min_zoom: zoom(text("minzoom")?),
        max_zoom: zoom(text("maxzoom")?),
        bounds: text("bounds")?.and_then(|bounds| geo_box(&bounds)),
        format,
        layers: text("json")?.map(|json| layers(&json)).unwrap_or_default(),
        side_px: text("fleetlens_side_px")?.and_then(|side| side.parse().ok()).filter(|side| is_side(format, *side)),
    })
}

/// What it says of its pictures before it has any.
fn is_side(format: TileFormat, side_px: u16) -> bool {
    format.is_raster() && matches!(side_px, 256 | 512)
}

fn layers(json: &str) -> Vec<String> {
    let about: About = serde_json::from_str(json).unwrap_or_default();
    about.vector_layers.into_iter().map(|layer| layer.id).collect()
}

/// `west,south,east,north` in degrees.
fn geo_box(text: &str) -> Option<GeoBox> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let [west_deg, south_deg, east_deg, north_deg] = numbers.ok()?.try_into().ok()?;
    let sound = (-180.0..=180.0).contains(&west_deg)
        && (-90.0..=90.0).contains(&south_deg)
        && (west_deg..=180.0).contains(&east_deg)
        && (south_deg..=90.0).contains(&north_deg);
    sound.then_some(GeoBox { west_deg, south_deg, east_deg, north_deg })
}

#[cfg(test)]
mod tests {
    use crate::{Growing, Tiles};

    #[test]
    fn a_map_without_a_tile_yet_says_the_side_of_its_pictures() {
        let folder = tempfile::tempdir().unwrap();
        for (n, format, said, want) in [
            (1, "png", "512", Some(512)),
            (2, "jpg", "256", Some(256)),
            (3, "png", "7", None),
            (4, "png", "much", None),
            (5, "pbf", "512", None),
        ] {
            let path = folder.path().join(format!("{n}.mbtiles"));
            let words = [("format", format.to_owned()), ("fleetlens_side_px", said.to_owned())];
            drop(Growing::create(&path, &words, 1_000, true).unwrap());
            assert_eq!(Tiles::open_growing(&path).unwrap().metadata().side_px, want, "{format} {said}");
        }
    }
}
