//! A set of tiles that grows while it is read: what was fetched from a server, kept in the shape of an MBTiles file, at most so many
//! bytes of it.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use crate::{TilesError, ZOOM_MAX};

/// How long one waits for another that writes.
const BUSY: Duration = Duration::from_secs(2);

/// How much goes at once where there is too much: one part of so many.
const PART_OUT: i64 = 16;

/// A set of tiles that is written. One connection; another process may read beside it.
#[derive(Debug)]
pub struct Growing {
    inner: Mutex<Inner>,
    max_bytes: u64,
}

#[derive(Debug)]
struct Inner {
    db: Connection,
    bytes: u64,
}

/// A tile that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTile {
    /// As it came, zipped or not.
    pub bytes: Vec<u8>,
    /// When it came, in seconds since 1970.
    pub at_s: i64,
}

impl Growing {
    /// A new file, for its owner alone, with these words about it. Fails where there is one already. `lasting` writes so that a machine
    /// that stops loses nothing; else the file is of use only when it was written to its end.
    pub fn create(path: &Path, words: &[(&str, String)], max_bytes: u64, lasting: bool) -> Result<Growing, TilesError> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(crate::ArchiveError::Io)?;
        let db = Connection::open(path)?;
        db.execute_batch(if lasting { LASTING } else { ONCE })?;
        db.execute_batch(TABLES)?;
        for (name, value) in words {
            db.execute("INSERT INTO metadata (name, value) VALUES (?1, ?2)", (name, value))?;
        }
        db.busy_timeout(BUSY)?;
        Ok(Growing { inner: Mutex::new(Inner { db, bytes: 0 }), max_bytes })
    }

    /// One that is there.
    pub fn open(path: &Path, max_bytes: u64) -> Result<Growing, TilesError> {
        if !path.is_file() {
            return Err(TilesError::Missing(path.display().to_string()));
        }
        let db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        db.execute_batch(LASTING)?;
        let bytes = sum(&db)?;
        Ok(Growing { inner: Mutex::new(Inner { db, bytes }), max_bytes })
    }

    /// What it says of itself under a name.
    pub fn word(&self, name: &str) -> Result<Option<String>, TilesError> {
        let inner = self.lock();
        let mut query = inner.db.prepare_cached("SELECT value FROM metadata WHERE name = ?1")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    /// A tile, row 0 in the north.
    pub fn get(&self, z: u8, x: u32, y: u32) -> Result<Option<KeptTile>, TilesError> {
        let inner = self.lock();
        let mut query = inner.db.prepare_cached(
            "SELECT tile_data, fetched_s FROM tiles WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3",
        )?;
        let found =
            query.query_row((z, x, from_south(z, y)), |row| Ok(KeptTile { bytes: row.get(0)?, at_s: row.get(1)? }));
        Ok(found.optional()?)
    }

    /// Keeps a tile; the oldest go where there are too many.
    pub fn put(&self, z: u8, x: u32, y: u32, tile: &KeptTile) -> Result<(), TilesError> {
        let mut inner = self.lock();
        inner
            .db
            .prepare_cached(
                "INSERT OR REPLACE INTO tiles (zoom_level, tile_column, tile_row, tile_data, fetched_s) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((z, x, from_south(z, y), &tile.bytes, tile.at_s))?;
        inner.bytes += tile.bytes.len() as u64;
        while inner.bytes > self.max_bytes {
            let count: i64 = inner.db.query_row("SELECT count(*) FROM tiles", (), |row| row.get(0))?;
            inner.db.execute(
                "DELETE FROM tiles WHERE rowid IN (SELECT rowid FROM tiles ORDER BY fetched_s, rowid LIMIT ?1)",
                [(count / PART_OUT).max(1)],
            )?;
            inner.bytes = sum(&inner.db)?;
        }
        Ok(())
    }

    /// What its tiles take, about.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// What one of its tiles of this zoom takes in the mean; `None` where it has none.
    pub fn mean_bytes(&self, z: u8) -> Result<Option<u64>, TilesError> {
        let inner = self.lock();
        let mean: Option<f64> =
            inner
                .db
                .query_row("SELECT avg(length(tile_data)) FROM tiles WHERE zoom_level = ?1", [z], |row| row.get(0))?;
        Ok(mean.map(|mean| mean as u64))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Readers beside a writer, and nothing lost but what came last.
const LASTING: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

/// No file beside it; of use only when all of it was written.
const ONCE: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;";

/// MBTiles 1.3, with the time beside each tile.
const TABLES: &str = "CREATE TABLE metadata (name TEXT NOT NULL, value TEXT NOT NULL);
    CREATE TABLE tiles (zoom_level INTEGER NOT NULL, tile_column INTEGER NOT NULL, tile_row INTEGER NOT NULL, tile_data BLOB NOT NULL,
        fetched_s INTEGER NOT NULL);
    CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row);
    CREATE INDEX tile_age ON tiles (fetched_s);";

fn sum(db: &Connection) -> Result<u64, TilesError> {
    let sum: i64 = db.query_row("SELECT coalesce(sum(length(tile_data)), 0) FROM tiles", (), |row| row.get(0))?;
    Ok(u64::try_from(sum).unwrap_or_default())
}

/// MBTiles counts rows from the south (TMS).
fn from_south(z: u8, y: u32) -> u32 {
    let across = 1u64 << z.min(ZOOM_MAX);
    u32::try_from((across - 1).saturating_sub(u64::from(y))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tiles;

    fn tile(bytes: usize, at_s: i64) -> KeptTile {
        KeptTile { bytes: vec![7; bytes], at_s }
    }

    #[test]
    fn what_is_kept_is_read_as_a_map_while_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mbtiles");
        let words = [("format", "png".to_owned()), ("maxzoom", "3".to_owned())];
        let growing = Growing::create(&path, &words, 1_000, true).unwrap();
        assert!(Growing::create(&path, &words, 1_000, true).is_err(), "nothing is written over");
        let tiles = Tiles::open_growing(&path).unwrap();
        assert_eq!((tiles.tile(3, 1, 2).unwrap(), tiles.metadata().max_zoom), (None, Some(3)));
        growing.put(3, 1, 2, &tile(10, 5)).unwrap();
        assert_eq!(tiles.tile(3, 1, 2).unwrap(), Some(vec![7; 10]));
        assert_eq!(growing.get(3, 1, 2).unwrap(), Some(tile(10, 5)));
        drop(growing);
        let growing = Growing::open(&path, 1_000).unwrap();
        assert_eq!(
            (growing.bytes(), growing.mean_bytes(3).unwrap(), growing.mean_bytes(4).unwrap()),
            (10, Some(10), None)
        );
        assert_eq!(growing.word("format").unwrap().as_deref(), Some("png"));
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let growing = Growing::create(&folder.path().join("a.mbtiles"), &[], 1_000, true).unwrap();
        for n in 0..30 {
            growing.put(5, n, 0, &tile(100, i64::from(n))).unwrap();
        }
        assert!(growing.bytes() <= 1_000, "{}", growing.bytes());
        assert_eq!(growing.get(5, 0, 0).unwrap(), None);
        assert!(growing.get(5, 29, 0).unwrap().is_some());
    }
}
