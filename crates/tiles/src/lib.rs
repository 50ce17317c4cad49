//! Map tiles from a local MBTiles file (MBTiles specification 1.3): vector tiles, read only, unzipped, by the XYZ numbers
//! that maps ask with.
//!
//! What does not belong here: HTTP, Tauri, styles, the network. Reading blocks; call it where blocking is allowed.

mod connections;
mod metadata;
mod names;

use std::io::Read;
use std::path::Path;

use rusqlite::OptionalExtension;
use rusqlite::types::ValueRef;
use thiserror::Error;

use crate::connections::Connections;
pub use crate::metadata::Metadata;
pub use crate::names::PlaceName;

/// The largest tile that is handed out, unzipped. Real ones stay below half a mebibyte; more is a broken or hostile file.
pub const TILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The deepest zoom there can be: a tile's numbers fit 30 bits.
pub const ZOOM_MAX: u8 = 30;

/// An open set of tiles. Shared by reference between threads; each read uses a connection of its own.
#[derive(Debug)]
pub struct Tiles {
    connections: Connections,
    metadata: Metadata,
}

impl Tiles {
    /// Opens a file for reading; it must not change while it is open. Fails when it is missing, no MBTiles file, or holds
    /// anything but vector tiles.
    pub fn open(path: &Path) -> Result<Tiles, TilesError> {
        if !path.is_file() {
            return Err(TilesError::Missing(path.display().to_string()));
        }
        Tiles::from_connections(Connections::to_file(path))
    }

    /// Opens tiles that are part of the program. Fails like [`Tiles::open`].
    pub fn embedded(bytes: &'static [u8]) -> Result<Tiles, TilesError> {
        Tiles::from_connections(Connections::to_bytes(bytes))
    }

    fn from_connections(connections: Connections) -> Result<Tiles, TilesError> {
        let metadata = connections.with(metadata::read)??;
        connections.with(|db| db.prepare(ONE_TILE).map(drop))??;
        Ok(Tiles { connections, metadata })
    }

    /// What the set says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// One tile's bytes (Mapbox vector tile, unzipped), row 0 in the north; `None` where the set has none. Fails on numbers
    /// that no tile can have, on a tile that does not unzip, and on one over [`TILE_MAX_BYTES`].
    pub fn tile(&self, z: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, TilesError> {
        let across = 1u64 << z.min(ZOOM_MAX);
        if z > ZOOM_MAX || u64::from(x) >= across || u64::from(y) >= across {
            return Err(TilesError::NoSuchNumber { z, x, y });
        }
        // MBTiles counts rows from the south (TMS), maps count from the north.
        let row_from_south = across - 1 - u64::from(y);
        let row_from_south = u32::try_from(row_from_south).unwrap_or(u32::MAX);
        self.connections.with(|db| {
            let mut query = db.prepare_cached(ONE_TILE)?;
            let found = query.query_row((z, x, row_from_south), |row| Ok(unzip(row.get_ref(0)?))).optional()?;
            match found {
                None => Ok(None),
                Some(Ok(bytes)) => Ok(Some(bytes)),
                Some(Err(fault)) => Err(TilesError::Broken { z, x, y, fault }),
            }
        })?
    }
}

/// Both a table and the view of a deduplicating file answer to it.
const ONE_TILE: &str = "SELECT tile_data FROM tiles WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3";

/// A tile's bytes, unzipped if they are zipped.
fn unzip(stored: ValueRef) -> Result<Vec<u8>, TileFault> {
    let ValueRef::Blob(stored) = stored else { return Err(TileFault::NoBytes) };
    if !stored.starts_with(&[0x1f, 0x8b]) {
        return if stored.len() as u64 > TILE_MAX_BYTES { Err(TileFault::TooLarge) } else { Ok(stored.to_vec()) };
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a full tile from one that goes on.
    let read = flate2::read::MultiGzDecoder::new(stored).take(TILE_MAX_BYTES + 1).read_to_end(&mut bytes);
    match read {
        Err(e) => Err(TileFault::NotZipped(e.to_string())),
        Ok(_) if bytes.len() as u64 > TILE_MAX_BYTES => Err(TileFault::TooLarge),
        Ok(_) => Ok(bytes),
    }
}

/// Why tiles could not be opened or read.
#[derive(Debug, Error)]
pub enum TilesError {
    /// No such file.
    #[error("there is no tile file {0}; name an .mbtiles file with vector tiles")]
    Missing(String),
    /// SQLite says no: not a database, no table of tiles, a disk that fails.
    #[error("not a readable MBTiles file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file holds pictures.
    #[error("the file holds {0} tiles; vector tiles (pbf) are needed")]
    NotVector(String),
    /// No tile can have these numbers.
    #[error("there is no tile {z}/{x}/{y}; zoom is 0 to 30, and x and y are below 2 to the power of it")]
    NoSuchNumber {
        /// Zoom.
        z: u8,
        /// Column, from the west.
        x: u32,
        /// Row, from the north.
        y: u32,
    },
    /// The tile is in the file and cannot be used.
    #[error("tile {z}/{x}/{y} is broken: {fault}")]
    Broken {
        /// Zoom.
        z: u8,
        /// Column, from the west.
        x: u32,
        /// Row, from the north.
        y: u32,
        /// What is wrong with it.
        fault: TileFault,
    },
}

/// What is wrong with a tile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TileFault {
    /// The column holds text, a number or nothing.
    #[error("it is not a row of bytes")]
    NoBytes,
    /// It begins like gzip and is not.
    #[error("it does not unzip: {0}")]
    NotZipped(String),
    /// It would be larger than [`TILE_MAX_BYTES`].
    #[error("it is larger than 4 MiB")]
    TooLarge,
}
