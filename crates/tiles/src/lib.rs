//! Map tiles from a local MBTiles file (MBTiles specification 1.3) or PMTiles archive (PMTiles specification, version 3): vector tiles
//! or pictures, read only, unzipped, by the XYZ numbers that maps ask with.
//!
//! What does not belong here: HTTP, Tauri, styles, the network. Reading blocks; call it where blocking is allowed.

mod archive;
mod connections;
mod format;
mod growing;
mod metadata;
mod names;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use rusqlite::OptionalExtension;
use rusqlite::types::ValueRef;
use thiserror::Error;

use crate::archive::Archive;
pub use crate::archive::ArchiveError;
use crate::connections::Connections;
pub use crate::format::{TileFormat, check_schema, side_px};
pub use crate::growing::{Growing, KeptTile};
pub use crate::metadata::Metadata;
pub use crate::names::PlaceName;

/// The largest tile that is handed out, unzipped. Real ones stay below half a mebibyte; more is a broken or hostile file.
pub const TILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The deepest zoom there can be: a tile's numbers fit 30 bits.
pub const ZOOM_MAX: u8 = 30;

/// What an SQLite database begins with ("Database File Format", 1.3.1).
const SQLITE: &[u8] = b"SQLite format 3\0";

/// An open set of tiles. Shared by reference between threads; each read of a database uses a connection of its own.
#[derive(Debug)]
pub struct Tiles {
    from: Source,
    metadata: Metadata,
}

/// Where the tiles are.
#[derive(Debug)]
enum Source {
    Database(Connections),
    Archive(Archive),
}

impl Tiles {
    /// Opens a file for reading; it must not change while it is open. Fails when it is missing, neither MBTiles nor PMTiles, or holds
    /// tiles that cannot be shown. Whether the file is whole and its streets will be seen is [`Tiles::check`]'s.
    pub fn open(path: &Path) -> Result<Tiles, TilesError> {
        if !path.is_file() {
            return Err(TilesError::Missing(path.display().to_string()));
        }
        if head(path).is_some_and(|head| head.starts_with(archive::MAGIC)) {
            let (archive, metadata) = Archive::open(path)?;
            return Ok(Tiles { from: Source::Archive(archive), metadata }.measured());
        }
        Tiles::from_connections(Connections::to_file(path))
    }

    /// Opens a [`Growing`] for reading while it is written.
    pub fn open_growing(path: &Path) -> Result<Tiles, TilesError> {
        if !path.is_file() {
            return Err(TilesError::Missing(path.display().to_string()));
        }
        Tiles::from_connections(Connections::to_growing(path))
    }

    /// Opens tiles that are part of the program. Fails like [`Tiles::open`].
    pub fn embedded(bytes: &'static [u8]) -> Result<Tiles, TilesError> {
        Tiles::from_connections(Connections::to_bytes(bytes))
    }

    fn from_connections(connections: Connections) -> Result<Tiles, TilesError> {
        let metadata = connections.with(metadata::read)??;
        connections.with(|db| db.prepare(ONE_TILE).map(drop))??;
        Ok(Tiles { from: Source::Database(connections), metadata }.measured())
    }

    /// With the size of its pictures, if it has some; a set of which none can be looked at shows that tile by tile.
    fn measured(mut self) -> Tiles {
        let format = self.metadata.format;
        if format.is_raster() {
            let side = self.any().ok().flatten().and_then(|tile| side_px(format, &tile).ok());
            self.metadata.side_px = side.or(self.metadata.side_px);
        }
        self
    }

    /// Opens a file that a person wants for a map and looks closer: whether it is whole, its tiles are what it says, and streets will
    /// be seen. Reads some places of the file, however large it is.
    pub fn check(path: &Path) -> Result<Tiles, TilesError> {
        if path.is_file() {
            let head = head(path).unwrap_or_default();
            if !head.starts_with(SQLITE) && !head.starts_with(archive::MAGIC) {
                return Err(TilesError::Neither(path.display().to_string()));
            }
            if head.starts_with(SQLITE) {
                check_length(path)?;
            }
        }
        let tiles = Tiles::open(path)?;
        let some = tiles.any()?.ok_or(TilesError::Empty)?;
        let Metadata { format, .. } = tiles.metadata;
        if format.is_raster() {
            let side = side_px(format, &some);
            side.map_err(|why| TilesError::Unsound(format!("one of its tiles cannot be shown: {why}")))?;
        } else {
            check_schema(&tiles.metadata, &some)?;
        }
        Ok(tiles)
    }

    /// What the set says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whether it is a PMTiles archive.
    pub fn is_archive(&self) -> bool {
        matches!(self.from, Source::Archive(_))
    }

    /// One tile's bytes (a Mapbox vector tile, unzipped, or a picture), row 0 in the north; `None` where the set has none. Fails on
    /// numbers that no tile can have, on a tile that does not unzip, and on one over [`TILE_MAX_BYTES`].
    pub fn tile(&self, z: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, TilesError> {
        let across = 1u64 << z.min(ZOOM_MAX);
        if z > ZOOM_MAX || u64::from(x) >= across || u64::from(y) >= across {
            return Err(TilesError::NoSuchNumber { z, x, y });
        }
        let broken = |fault| TilesError::Broken { z, x, y, fault };
        let connections = match &self.from {
            Source::Archive(archive) => {
                let stored = archive.tile(z, x, y)?;
                return stored.map(|stored| unzip(&stored)).transpose().map_err(broken);
            }
            Source::Database(connections) => connections,
        };
        // MBTiles counts rows from the south (TMS), maps count from the north.
        let row_from_south = across - 1 - u64::from(y);
        let row_from_south = u32::try_from(row_from_south).unwrap_or(u32::MAX);
        connections.with(|db| {
            let mut query = db.prepare_cached(ONE_TILE)?;
            let found = query.query_row((z, x, row_from_south), |row| Ok(of_row(row.get_ref(0)?))).optional()?;
            found.transpose().map_err(broken)
        })?
    }

    /// Some tile of it; `None` where it has none.
    fn any(&self) -> Result<Option<Vec<u8>>, TilesError> {
        let unsound = |fault| TilesError::Unsound(format!("one of its tiles is broken: {fault}"));
        match &self.from {
            Source::Archive(archive) => archive.any()?.map(|stored| unzip(&stored)).transpose().map_err(unsound),
            Source::Database(connections) => connections.with(|db| {
                let mut query = db.prepare("SELECT tile_data FROM tiles LIMIT 1")?;
                let found = query.query_row((), |row| Ok(of_row(row.get_ref(0)?))).optional()?;
                found.transpose().map_err(unsound)
            })?,
        }
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(100).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Fails on a database that has fewer pages than it says: a download that broke off opens well enough and has holes in the map.
fn check_length(path: &Path) -> Result<(), TilesError> {
    let mut file = File::open(path).map_err(ArchiveError::Io)?;
    let mut head = [0; 100];
    file.read_exact(&mut head).map_err(|_| TilesError::Neither(path.display().to_string()))?;
    let there = file.seek(io::SeekFrom::End(0)).map_err(ArchiveError::Io)?;
    let number = |at: usize| {
        let bytes = head.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    // Bytes 16 and 17: the size of a page, 1 for 65 536; the count of pages counts where whoever wrote last knew of it.
    let page = match number(16) >> 16 {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let (pages, is_valid) = (u64::from(number(28)), number(24) == number(92));
    let said = page * pages;
    if is_valid && said > there { Err(ArchiveError::Cut { said, there }.into()) } else { Ok(()) }
}

/// Both a table and the view of a deduplicating file answer to it.
const ONE_TILE: &str = "SELECT tile_data FROM tiles WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3";

fn of_row(stored: ValueRef) -> Result<Vec<u8>, TileFault> {
    let ValueRef::Blob(stored) = stored else { return Err(TileFault::NoBytes) };
    unzip(stored)
}

/// A tile's bytes, unzipped if they are zipped; at most [`TILE_MAX_BYTES`].
pub fn unzip(stored: &[u8]) -> Result<Vec<u8>, TileFault> {
    if !stored.starts_with(&[0x1f, 0x8b]) {
        return if stored.len() as u64 > TILE_MAX_BYTES { Err(TileFault::TooLarge) } else { Ok(stored.to_vec()) };
    }
    gunzip(stored, TILE_MAX_BYTES)
}

/// What is zipped in these bytes, at most so many.
fn gunzip(stored: &[u8], max_bytes: u64) -> Result<Vec<u8>, TileFault> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a full tile from one that goes on.
    let read = flate2::read::MultiGzDecoder::new(stored).take(max_bytes + 1).read_to_end(&mut bytes);
    match read {
        Err(e) => Err(TileFault::NotZipped(e.to_string())),
        Ok(_) if bytes.len() as u64 > max_bytes => Err(TileFault::TooLarge),
        Ok(_) => Ok(bytes),
    }
}

/// Why tiles could not be opened or read.
#[derive(Debug, Error)]
pub enum TilesError {
    /// No such file.
    #[error("there is no tile file {0}; name an .mbtiles or .pmtiles file")]
    Missing(String),
    /// Another file.
    #[error("{0} is no map: neither an MBTiles nor a PMTiles file; choose one that ends in .mbtiles or .pmtiles")]
    Neither(String),
    /// SQLite says no: not a database, no table of tiles, a disk that fails.
    #[error("not a readable MBTiles file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A PMTiles archive that cannot be read.
    #[error("not a readable PMTiles file: {0}")]
    Archive(#[from] ArchiveError),
    /// The file holds something else.
    #[error("the file holds {0} tiles; vector tiles (pbf) and pictures (png, jpg, webp) can be shown")]
    Format(String),
    /// The file holds pictures, where shapes are drawn.
    #[error("the map's file holds pictures; small maps are drawn out of vector tiles")]
    Pictures,
    /// It is of another schema.
    #[error(
        "its layers are {0}, not those of the OpenMapTiles schema, so no street of it would be seen; take a map in that schema, or one of pictures"
    )]
    Schema(String),
    /// There is nothing in it.
    #[error("there is no tile in the file")]
    Empty,
    /// A tile of it is wrong.
    #[error("the file is damaged: {0}; copy or download it again")]
    Unsound(String),
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
