//! PMTiles archives, made here as the specification says and wrong in every way we thought of; and what is said of a file before it
//! becomes a map.
#![cfg(test)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use fleetlens_tiles::{TileFormat, Tiles, TilesError};
use rusqlite::Connection;
use tempfile::TempDir;

/// A PNG of so many pixels a side, as far as its size is looked at.
fn png(side: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(side.to_be_bytes());
    bytes.extend(side.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// A vector tile with nothing but these layers (Mapbox Vector Tile 2.1).
fn vector(layers: &[&str]) -> Vec<u8> {
    let layer = |name: &&str| {
        let text = [&[0x0a, name.len() as u8], name.as_bytes(), &[0x78, 2]].concat();
        [&[0x1a, text.len() as u8], text.as_slice()].concat()
    };
    layers.iter().flat_map(layer).collect()
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn varint(mut value: u64, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Entries of number, run, length and place, as columns.
fn directory(entries: &[(u64, u32, u64, u64)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(entries.len() as u64, &mut bytes);
    let mut last = 0;
    for (id, ..) in entries {
        varint(id - last, &mut bytes);
        last = *id;
    }
    entries.iter().for_each(|(_, run, ..)| varint((*run).into(), &mut bytes));
    entries.iter().for_each(|(_, _, length, _)| varint(*length, &mut bytes));
    entries.iter().for_each(|(.., at)| varint(at + 1, &mut bytes));
    zipped(&bytes)
}

struct Written {
    kind: u8,
    packed: u8,
    zooms: (u8, u8),
    about: &'static str,
}

const VECTOR: Written =
    Written { kind: 1, packed: 2, zooms: (0, 1), about: r#"{"name":"Harbour","attribution":"© Port"}"# };
const PICTURES: Written = Written { kind: 2, packed: 1, ..VECTOR };

/// An archive of the tiles 0/0/0 and, behind a second directory, 1/0/0 to 1/1/1, which are one.
fn archive(folder: &TempDir, as_: &Written, first: &[u8], others: &[u8]) -> PathBuf {
    let leaf = directory(&[(1, 4, others.len() as u64, first.len() as u64)]);
    let root = directory(&[(0, 1, first.len() as u64, 0), (1, 0, leaf.len() as u64, 0)]);
    let about = zipped(as_.about.as_bytes());
    let mut bytes = b"PMTiles\x03".to_vec();
    let mut at = 127_u64;
    for part in [root.len(), about.len(), leaf.len(), first.len() + others.len()] {
        bytes.extend(at.to_le_bytes());
        bytes.extend((part as u64).to_le_bytes());
        at += part as u64;
    }
    bytes.extend([0; 24]);
    bytes.extend([1, 2, as_.packed, as_.kind, as_.zooms.0, as_.zooms.1]);
    for degrees in [14.1_f64, 35.7, 14.6, 36.1] {
        bytes.extend(((degrees * 1e7) as i32).to_le_bytes());
    }
    bytes.extend([0; 9]);
    assert_eq!(bytes.len(), 127);
    for part in [root, about, leaf, first.to_vec(), others.to_vec()] {
        bytes.extend(part);
    }
    let path = folder.path().join("a map.pmtiles");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn an_archive_is_read_as_a_database_is() {
    let folder = TempDir::new().unwrap();
    let (first, others) = (vector(&["water", "place"]), vector(&["transportation"]));
    let path = archive(&folder, &VECTOR, &zipped(&first), &zipped(&others));
    let tiles = Tiles::check(&path).unwrap();
    let about = tiles.metadata();
    assert_eq!((about.min_zoom, about.max_zoom, about.format), (Some(0), Some(1), TileFormat::Vector));
    assert_eq!((about.name.as_deref(), about.attribution.as_deref()), (Some("Harbour"), Some("© Port")));
    let bounds = about.bounds.unwrap();
    assert!((bounds.west_deg - 14.1).abs() < 1e-6 && (bounds.north_deg - 36.1).abs() < 1e-6, "{bounds:?}");
    assert!(tiles.is_archive());
    assert_eq!(tiles.tile(0, 0, 0).unwrap(), Some(first));
    for (x, y) in [(0, 0), (0, 1), (1, 1), (1, 0)] {
        assert_eq!(tiles.tile(1, x, y).unwrap(), Some(others.clone()), "{x}/{y}");
    }
    assert_eq!(tiles.tile(2, 0, 0).unwrap(), None);
    assert!(matches!(tiles.tile(1, 2, 0), Err(TilesError::NoSuchNumber { .. })));
    assert!(tiles.names(10).unwrap().is_empty());
}

#[test]
fn pictures_are_known_with_their_size() {
    let folder = TempDir::new().unwrap();
    let path = archive(&folder, &PICTURES, &png(256), &png(256));
    let tiles = Tiles::check(&path).unwrap();
    assert_eq!((tiles.metadata().format, tiles.metadata().side_px), (TileFormat::Png, Some(256)));
    assert_eq!(tiles.tile(1, 1, 1).unwrap(), Some(png(256)));
    assert!(tiles.names(10).unwrap().is_empty(), "names are not read out of pictures");
    let large = Tiles::check(&archive(&folder, &PICTURES, &png(512), &png(512))).unwrap();
    assert_eq!(large.metadata().side_px, Some(512));

    let db = Connection::open(folder.path().join("raster.mbtiles")).unwrap();
    db.execute_batch(
        "CREATE TABLE metadata (name text, value text);
         CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob);
         INSERT INTO metadata VALUES ('format', 'png');",
    )
    .unwrap();
    assert!(matches!(Tiles::check(&folder.path().join("raster.mbtiles")), Err(TilesError::Empty)));
    db.execute("INSERT INTO tiles VALUES (0, 0, 0, ?1)", [png(512)]).unwrap();
    let tiles = Tiles::check(&folder.path().join("raster.mbtiles")).unwrap();
    assert_eq!((tiles.metadata().side_px, tiles.is_archive()), (Some(512), false));
}

#[test]
fn a_file_that_is_no_map_is_told_in_one_sentence() {
    let folder = TempDir::new().unwrap();
    let words = folder.path().join("notes.pmtiles");
    fs::write(&words, "where the keys are").unwrap();
    let told = |path: &Path| Tiles::check(path).unwrap_err().to_string();
    assert!(told(&words).contains("is no map: neither an MBTiles nor a PMTiles file"), "{}", told(&words));

    let (tile, protomaps) = (zipped(&vector(&["place"])), zipped(&vector(&["roads", "places", "water", "earth"])));
    for (as_, first, why) in [
        (Written { kind: 5, ..VECTOR }, &tile, "of a kind that cannot be shown (avif)"),
        (Written { packed: 3, ..VECTOR }, &tile, "packed with brotli; write it anew with gzip"),
        (Written { zooms: (3, 2), ..VECTOR }, &tile, "the zooms it says make no sense"),
        (
            Written { about: "{", ..VECTOR },
            &protomaps,
            "its layers are roads, places, water, earth, not those of the OpenMapTiles",
        ),
        (Written { about: r#"{"vector_layers":[{"id":"streets"}]}"#, ..VECTOR }, &tile, "its layers are streets"),
        (VECTOR, &b"no tile at all".to_vec(), "the file is damaged: one of its tiles is no vector tile"),
        (PICTURES, &tile, "one of its tiles cannot be shown: it is no picture that is known"),
        (PICTURES, &b"\xff\xd8\xff\xe0jpegs are other pictures".to_vec(), "it is no png picture"),
    ] {
        let path = archive(&folder, &as_, first, first);
        assert!(told(&path).contains(why), "{why}: {}", told(&path));
    }
}

#[test]
fn an_archive_that_was_cut_off_or_changed_is_refused_and_harms_nobody() {
    let folder = TempDir::new().unwrap();
    let tile = zipped(&vector(&["place"]));
    let path = archive(&folder, &VECTOR, &tile, &tile);
    let whole = fs::read(&path).unwrap();
    for length in [0, 7, 8, 100, 127, 150, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(Tiles::check(&path).is_err(), "{length} bytes");
    }
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(Tiles::check(&path).unwrap_err().to_string().contains("the file is cut off"));
    // Each byte of what leads to the tiles in turn, so that every length and place is another one once.
    for place in 0..whole.len() - 2 * tile.len() {
        for other in [0, 0x7f, 0xff] {
            let mut changed = whole.clone();
            changed[place] = other;
            fs::write(&path, changed).unwrap();
            if let Ok(tiles) = Tiles::check(&path) {
                drop(tiles.tile(0, 0, 0));
                drop(tiles.tile(1, 1, 1));
            }
        }
    }
}

#[test]
fn a_download_of_a_database_that_broke_off_is_seen_before_it_is_a_map() {
    let malta = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles");
    let tiles = Tiles::check(&malta).unwrap();
    assert!(tiles.metadata().layers.iter().any(|layer| layer == "transportation"), "{:?}", tiles.metadata());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("malta.mbtiles");
    let whole = fs::read(malta).unwrap();
    fs::write(&path, &whole[..whole.len() / 3 * 2]).unwrap();
    let told = Tiles::check(&path).unwrap_err().to_string();
    assert!(told.contains("cut off") && told.contains("copy or download it again"), "{told}");
}

#[test]
fn archives_that_others_wrote_are_read() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/maps/webp2.pmtiles");
    if !shared.exists() {
        eprintln!("skipped: there is no {}", shared.display());
        return;
    }
    let tiles = Tiles::check(&shared).unwrap();
    assert_eq!(tiles.metadata().format, TileFormat::Webp);
    assert!(tiles.tile(0, 0, 0).unwrap().is_some_and(|tile| tile.starts_with(b"RIFF")));
}
