//! The map's tiles as a page asks for them, whatever carries the question: a path of three numbers.

use fleetlens_ipc::rows::{ATTRIBUTION_MAX_CHARS, TileSet};
use fleetlens_tiles::{Metadata, TilesError};

use crate::Host;

/// The media type of a Mapbox vector tile, and of none.
pub const VECTOR_TILE: &str = "application/x-protobuf";

/// The deepest zoom of tiles that do not say it, as OpenMapTiles makes them.
const USUAL_MAX_ZOOM: u8 = 14;

/// The side of pictures of which none could be looked at.
const USUAL_SIDE_PX: u16 = 256;

/// What a map gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileAnswer {
    /// A tile, unzipped.
    Tile {
        /// A vector tile or a picture.
        bytes: Vec<u8>,
        /// Its media type.
        media: &'static str,
    },
    /// The sea beyond the map's edge: nothing, and nothing wrong.
    Beyond,
    /// Nothing at this path is a tile; the sentence says what would be.
    NoTile(String),
    /// Not now, e.g. without a network; whoever still wants it asks again.
    Later(String),
    /// The map's file cannot be read.
    Unreadable(String),
}

impl Host {
    /// The tile at `/z/x/y`, fetched where the map comes from an address. Not for a runtime of one thread. Cancelled, nothing is fetched.
    pub async fn tile_of(&self, path: &str) -> TileAnswer {
        let Some(online) = self.online().await else { return tokio::task::block_in_place(|| self.tile_at(path)) };
        match (number(path), online) {
            (None, _) => TileAnswer::NoTile(format!("{path} is no tile; ask for /z/x/y")),
            (Some((z, x, y)), _) if z > 30 || u64::from(x.max(y)) >= 1 << z => {
                TileAnswer::NoTile(format!("there is no tile {path}"))
            }
            (Some((z, x, y)), Ok(online)) => online.tile(z, x, y).await,
            (Some(_), Err(why)) => TileAnswer::Unreadable(why),
        }
    }

    /// The tile at `/z/x/y` as it is on the disk. Blocks on the disk: not for an async thread.
    pub fn tile_at(&self, path: &str) -> TileAnswer {
        let Some((z, x, y)) = number(path) else {
            return TileAnswer::NoTile(format!("{path} is no tile; ask for /z/x/y"));
        };
        let tiles = self.tiles();
        match tiles.tile(z, x, y) {
            Ok(Some(bytes)) => TileAnswer::Tile { bytes, media: tiles.metadata().format.media_type() },
            Ok(None) => TileAnswer::Beyond,
            Err(error @ TilesError::NoSuchNumber { .. }) => TileAnswer::NoTile(error.to_string()),
            Err(error) => {
                tracing::warn!(%error, path, "a tile cannot be read");
                TileAnswer::Unreadable(error.to_string())
            }
        }
    }
}

/// What the windows are told of the tiles. The built-in ones do not say whose data they are.
pub fn tile_set(said: &Metadata, built_in: bool) -> TileSet {
    let attribution = match &said.attribution {
        Some(text) => plain(text),
        None if built_in => "© OpenStreetMap contributors".into(),
        None => String::new(),
    };
    let min_zoom = said.min_zoom.unwrap_or(0);
    TileSet {
        bounds: said.bounds,
        min_zoom,
        max_zoom: said.max_zoom.unwrap_or(USUAL_MAX_ZOOM).max(min_zoom),
        attribution,
        built_in,
        raster_px: said.format.is_raster().then_some(said.side_px.unwrap_or(USUAL_SIDE_PX)),
    }
}

/// What stands between the tags of a piece of HTML, at most [`ATTRIBUTION_MAX_CHARS`] of it.
pub(crate) fn plain(html: &str) -> String {
    let mut in_tag = false;
    let is_text = |c: &char| {
        let was_in_tag = in_tag;
        in_tag = if was_in_tag { *c != '>' } else { *c == '<' };
        !was_in_tag && !in_tag && !c.is_control()
    };
    html.chars().filter(is_text).take(ATTRIBUTION_MAX_CHARS).collect()
}

/// `/z/x/y`, all of it digits.
fn number(path: &str) -> Option<(u8, u32, u32)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let mut next = || parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let number = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    parts.next().is_none().then_some(number)
}

#[cfg(test)]
mod tests {
    use fleetlens_tiles::TileFormat;

    use super::*;

    #[test]
    fn an_attribution_is_text_without_the_tags_around_it() {
        let said = |attribution: &str| Metadata { attribution: Some(attribution.into()), ..Metadata::default() };
        for (html, want) in [
            ("© City of Málaga", "© City of Málaga"),
            (r#"<a href="https://osm.example" onclick="x()">© OSM</a> &amp; others"#, "© OSM &amp; others"),
            ("a < b", "a "),
            ("<<b>i</b>\u{7}", "i"),
        ] {
            assert_eq!(tile_set(&said(html), false).attribution, want, "{html}");
        }
        assert_eq!(tile_set(&said(&"©".repeat(5_000)), false).attribution.chars().count(), ATTRIBUTION_MAX_CHARS);
        assert_eq!(tile_set(&Metadata::default(), false).attribution, "", "nobody knows whose they are");
        assert!(tile_set(&Metadata::default(), true).attribution.contains("OpenStreetMap"));
    }

    #[test]
    fn pictures_are_told_with_their_size() {
        let said = |format, side_px| Metadata { format, side_px, ..Metadata::default() };
        for (format, side_px, want) in [
            (TileFormat::Vector, None, None),
            (TileFormat::Png, Some(512), Some(512)),
            (TileFormat::Webp, None, Some(256)),
        ] {
            assert_eq!(tile_set(&said(format, side_px), false).raster_px, want, "{format:?}");
        }
    }

    #[test]
    fn only_three_numbers_are_a_tile() {
        assert_eq!(number("/14/8852/6439"), Some((14, 8852, 6439)));
        for wrong in [
            "",
            "/",
            "/14",
            "/14/1",
            "/14/1/2/3",
            "/14/1/2/",
            "14/1/2",
            "/a/1/2",
            "/14/-1/2",
            "/14/+1/2",
            "/300/1/2",
            "/14//2",
            "/14/1/2.pbf",
            "/14/1/99999999999",
        ] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
