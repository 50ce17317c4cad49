//! What a tile file says of itself (MBTiles specification 1.3, "Metadata").

use fleetlens_model::geo::GeoBox;
use rusqlite::{Connection, OptionalExtension};

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
}

/// Reads the table of metadata. Values that make no sense are left out; only a format other than `pbf` is an error.
pub fn read(db: &Connection) -> Result<Metadata, TilesError> {
    let mut query = db.prepare("SELECT value FROM metadata WHERE name = ?1")?;
    let mut word = |name: &str| query.query_row([name], |row| row.get::<_, Option<String>>(0)).optional();
    let format = word("format")?.flatten();
    if let Some(format) = format.filter(|format| format != "pbf") {
        return Err(TilesError::NotVector(format));
    }
    let mut text = |name| word(name).map(|value| value.flatten().filter(|value| !value.trim().is_empty()));
    let zoom = |text: Option<String>| text.and_then(|t| t.trim().parse::<u8>().ok()).filter(|z| *z <= ZOOM_MAX);
    Ok(Metadata {
        name: text("name")?,
        attribution: text("attribution")?,
        min_zoom: zoom(text("minzoom")?),
        max_zoom: zoom(text("maxzoom")?),
        bounds: text("bounds")?.and_then(|bounds| geo_box(&bounds)),
    })
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
