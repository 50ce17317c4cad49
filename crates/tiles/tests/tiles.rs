//! Against the tiles the demo city ships and against files that are wrong in every way we thought of.
#![cfg(test)]

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use fleetlens_tiles::{TILE_MAX_BYTES, TileFault, Tiles, TilesError};
use rusqlite::Connection;
use tempfile::TempDir;

fn malta() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles")
}

/// The tile that holds a position, as the map computes it (Web Mercator).
fn number_of(z: u8, lon_deg: f64, lat_deg: f64) -> (u32, u32) {
    let across = f64::from(1u32 << z);
    let lat = lat_deg.to_radians();
    let y = (1.0 - (lat.tan() + 1.0 / lat.cos()).ln() / std::f64::consts::PI) / 2.0;
    (((lon_deg + 180.0) / 360.0 * across) as u32, (y * across) as u32)
}

/// A file with these tiles, rows as stored (from the south).
fn file(folder: &TempDir, metadata: &[(&str, &str)], tiles: &[(u8, u32, u32, Vec<u8>)]) -> PathBuf {
    let path = folder.path().join("a map, 50 % #1?.mbtiles");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE metadata (name text, value text);
         CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob);",
    )
    .unwrap();
    for pair in metadata {
        db.execute("INSERT INTO metadata (name, value) VALUES (?1, ?2)", *pair).unwrap();
    }
    for tile in tiles {
        db.execute(
            "INSERT INTO tiles (zoom_level, tile_column, tile_row, tile_data) VALUES (?1, ?2, ?3, ?4)",
            (tile.0, tile.1, tile.2, &tile.3),
        )
        .unwrap();
    }
    path
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_demo_citys_tiles_are_there_and_unzipped() {
    let tiles = Tiles::open(&malta()).unwrap();
    let about = tiles.metadata();
    assert_eq!((about.min_zoom, about.max_zoom), (Some(6), Some(14)));
    let bounds = about.bounds.unwrap();
    assert!(bounds.west_deg < 14.51 && 14.51 < bounds.east_deg && bounds.south_deg < 35.9 && 35.9 < bounds.north_deg);
    // Valletta, at every zoom there is: were the rows not flipped, this would be the sea off Cape Agulhas.
    for z in 6..=14 {
        let (x, y) = number_of(z, 14.5126, 35.8977);
        let tile = tiles.tile(z, x, y).unwrap().unwrap_or_else(|| panic!("no tile {z}/{x}/{y}"));
        assert!(!tile.starts_with(&[0x1f, 0x8b]), "still zipped");
        // A vector tile is a message of layers (field 3), each with its name (field 1) as text.
        assert_eq!(tile[0], 0x1a);
        assert!(tile.windows(5).any(|w| w == b"water"), "{z}/{x}/{y} has no water");
    }
    let (x, y) = number_of(14, 14.5126, 35.8977);
    assert!(tiles.tile(14, x, y).unwrap().unwrap().windows(7).any(|w| w == b"Vallett"));
}

#[test]
fn a_tile_that_is_not_there_is_none_and_a_number_that_cannot_be_is_an_error() {
    let tiles = Tiles::open(&malta()).unwrap();
    for (z, x, y) in [(0, 0, 0), (14, 0, 0), (30, (1 << 30) - 1, (1 << 30) - 1)] {
        assert!(matches!(tiles.tile(z, x, y), Ok(None)), "{z}/{x}/{y}");
    }
    for (z, x, y) in [(0, 1, 0), (0, 0, 1), (14, 1 << 14, 0), (31, 0, 0), (255, u32::MAX, u32::MAX)] {
        assert!(matches!(tiles.tile(z, x, y), Err(TilesError::NoSuchNumber { .. })), "{z}/{x}/{y}");
    }
}

#[test]
fn many_threads_read_at_once_from_a_file_and_from_the_program_itself() {
    let bytes: &'static [u8] = std::fs::read(malta()).unwrap().leak();
    let (file, embedded) = (Tiles::open(&malta()).unwrap(), Tiles::embedded(bytes).unwrap());
    assert_eq!(file.metadata(), embedded.metadata());
    let (x, y) = number_of(14, 14.5126, 35.8977);
    std::thread::scope(|scope| {
        for shift in 0..8 {
            let (file, embedded) = (&file, &embedded);
            scope.spawn(move || {
                for dy in 0..8 {
                    let (a, b) =
                        (file.tile(14, x + shift, y + dy).unwrap(), embedded.tile(14, x + shift, y + dy).unwrap());
                    assert_eq!(a, b);
                }
            });
        }
    });
}

#[test]
fn rows_are_counted_from_the_north_and_tiles_may_be_stored_unzipped() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, &[("format", "pbf")], &[(2, 1, 0, zipped(b"south")), (2, 1, 3, b"north".to_vec())]);
    let tiles = Tiles::open(&path).unwrap();
    assert_eq!(tiles.tile(2, 1, 0).unwrap().unwrap(), b"north");
    assert_eq!(tiles.tile(2, 1, 3).unwrap().unwrap(), b"south");
}

#[test]
fn a_broken_tile_says_what_is_wrong_and_harms_no_other() {
    let folder = TempDir::new().unwrap();
    let bomb = zipped(&vec![0; TILE_MAX_BYTES as usize + 1]);
    assert!(bomb.len() < 100_000, "a small file that unzips to a large one");
    let mut torn = zipped(b"half of it is missing");
    torn.truncate(20);
    let path = file(
        &folder,
        &[],
        &[
            (1, 0, 0, bomb),
            (1, 0, 1, torn),
            (1, 1, 0, vec![7; TILE_MAX_BYTES as usize + 1]),
            (1, 1, 1, b"fine".to_vec()),
        ],
    );
    let tiles = Tiles::open(&path).unwrap();
    for (x, y, want) in [(0, 1, "larger than 4 MiB"), (0, 0, "does not unzip"), (1, 1, "larger than 4 MiB")] {
        let error = tiles.tile(1, x, y).unwrap_err();
        assert!(matches!(error, TilesError::Broken { .. }) && error.to_string().contains(want), "{x}/{y}: {error}");
    }
    assert_eq!(tiles.tile(1, 1, 0).unwrap().unwrap(), b"fine");

    let db = Connection::open(&path).unwrap();
    db.execute("UPDATE tiles SET tile_data = NULL", ()).unwrap();
    let error = Tiles::open(&path).unwrap().tile(1, 1, 0).unwrap_err();
    assert!(matches!(error, TilesError::Broken { fault: TileFault::NoBytes, .. }), "{error}");
}

#[test]
fn what_is_no_file_of_tiles_is_refused_on_opening() {
    let folder = TempDir::new().unwrap();
    let gone = folder.path().join("gone.mbtiles");
    assert!(matches!(Tiles::open(&gone), Err(TilesError::Missing(_))));
    assert!(!gone.exists(), "opening must not make a file");
    assert!(matches!(Tiles::open(folder.path()), Err(TilesError::Missing(_))));

    let noise = folder.path().join("noise.mbtiles");
    std::fs::write(&noise, vec![42; 20_000]).unwrap();
    assert!(matches!(Tiles::open(&noise), Err(TilesError::Sqlite(_))));
    assert!(matches!(Tiles::embedded(b"not a database at all"), Err(TilesError::Sqlite(_))));

    let torn = folder.path().join("torn.mbtiles");
    let whole = std::fs::read(malta()).unwrap();
    std::fs::write(&torn, &whole[..whole.len() / 3]).unwrap();
    let (x, y) = number_of(14, 14.5126, 35.8977);
    let read = Tiles::open(&torn).and_then(|tiles| tiles.tile(14, x, y));
    assert!(
        matches!(read, Err(TilesError::Sqlite(_))),
        "a file that ends early must not be taken for a map of the sea"
    );

    let others = file(&folder, &[("format", "avif")], &[]);
    let error = Tiles::open(&others).unwrap_err();
    assert!(error.to_string().starts_with("the file holds avif tiles"), "{error}");
}

#[test]
fn metadata_that_makes_no_sense_is_left_out() {
    let folder = TempDir::new().unwrap();
    let wrong =
        [("format", "pbf"), ("minzoom", "-1"), ("maxzoom", "99"), ("bounds", "14,36,13,35"), ("attribution", " ")];
    let tiles = Tiles::open(&file(&folder, &wrong, &[])).unwrap();
    assert_eq!(tiles.metadata(), &fleetlens_tiles::Metadata::default());
}

#[test]
fn a_view_that_never_ends_is_given_up_and_a_value_without_measure_is_not_read() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, &[("name", "Endless")], &[]);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "DROP TABLE tiles;
         CREATE VIEW tiles AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n)
         SELECT 1 AS zoom_level, i AS tile_column, 0 AS tile_row, NULL AS tile_data FROM n WHERE i < 0;",
    )
    .unwrap();
    let begun = std::time::Instant::now();
    let told = Tiles::check(&path).unwrap_err().to_string();
    assert!(told.contains("interrupted") && begun.elapsed().as_secs() < 30, "{told}");

    db.execute("INSERT INTO metadata (name, value) VALUES ('attribution', hex(zeroblob(5000000)))", ()).unwrap();
    db.execute_batch("DROP VIEW tiles; CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data);").unwrap();
    db.execute("INSERT INTO tiles VALUES (0, 0, 0, zeroblob(20000000))", ()).unwrap();
    let tiles = Tiles::open(&path).unwrap();
    assert_eq!((tiles.metadata().name.as_deref(), tiles.metadata().attribution.as_deref()), (Some("Endless"), None));
    assert!(tiles.tile(0, 0, 0).unwrap_err().to_string().contains("too big"));
}
