//! The map's tiles as a page asks for them, whatever carries the question: a path of three numbers.

use fleetlens_tiles::TilesError;

use crate::Host;

/// The media type of [`TileAnswer::Tile`]: a Mapbox vector tile.
pub const VECTOR_TILE: &str = "application/x-protobuf";

/// What a map gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileAnswer {
    /// A tile, unzipped.
    Tile(Vec<u8>),
    /// The sea beyond the map's edge: nothing, and nothing wrong.
    Beyond,
    /// Nothing at this path is a tile; the sentence says what would be.
    NoTile(String),
    /// The map's file cannot be read.
    Unreadable(String),
}

impl Host {
    /// The tile at `/z/x/y`. Blocks on the disk: not for an async thread.
    pub fn tile_at(&self, path: &str) -> TileAnswer {
        let Some((z, x, y)) = number(path) else {
            return TileAnswer::NoTile(format!("{path} is no tile; ask for /z/x/y"));
        };
        match self.tile(z, x, y) {
            Ok(Some(tile)) => TileAnswer::Tile(tile),
            Ok(None) => TileAnswer::Beyond,
            Err(error @ TilesError::NoSuchNumber { .. }) => TileAnswer::NoTile(error.to_string()),
            Err(error) => {
                tracing::warn!(%error, path, "a tile cannot be read");
                TileAnswer::Unreadable(error.to_string())
            }
        }
    }
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
    use super::*;

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
