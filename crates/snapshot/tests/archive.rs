//! Tiles of a PMTiles archive go the way of those of a database, and pictures are not drawn out of pictures.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use fleetlens_snapshot::{Snapshot, SnapshotError, Theme, parcel};
use fleetlens_tiles::{Tiles, TilesError};
use tempfile::TempDir;

/// An archive of one tile, the whole earth (PMTiles specification, version 3): of kind 1, vectors, or 2, PNG.
fn archive(folder: &TempDir, kind: u8, tile: &[u8]) -> PathBuf {
    let mut root = vec![1, 0, 1];
    let mut length = tile.len();
    while length >= 0x80 {
        root.push(length as u8 | 0x80);
        length >>= 7;
    }
    root.extend([length as u8, 1]);
    let about = b"{\"attribution\":\"The port\"}";
    let mut bytes = b"PMTiles\x03".to_vec();
    let mut at = 127_u64;
    for part in [root.len(), about.len(), 0, tile.len()] {
        bytes.extend(at.to_le_bytes());
        bytes.extend((part as u64).to_le_bytes());
        at += part as u64;
    }
    bytes.extend([0; 24]);
    bytes.extend([1, 1, 1, kind, 0, 0]);
    bytes.extend([0; 25]);
    for part in [root.as_slice(), about, tile] {
        bytes.extend(part);
    }
    let path = folder.path().join("one.pmtiles");
    fs::write(&path, bytes).unwrap();
    path
}

fn earth() -> Snapshot {
    Snapshot {
        lat_deg: 0.0,
        lon_deg: 0.0,
        zoom: 1.0,
        width_px: 300,
        height_px: 200,
        scale: 1,
        theme: Theme::Dark,
        marks: Vec::new(),
        sea_around: false,
        attribution: None,
    }
}

#[test]
fn a_map_out_of_an_archive_is_drawn_like_any_other() {
    let folder = TempDir::new().unwrap();
    let malta = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles");
    let tile = Tiles::open(&malta).unwrap().tile(14, 8_852, 6_439).unwrap().unwrap();
    let tiles = Tiles::open(&archive(&folder, 1, &tile)).unwrap();
    let parcel = parcel(&tiles, &earth()).unwrap();
    let numbers: Vec<_> =
        parcel.tiles.iter().map(|(number, bytes)| (number.z, number.x, number.y, bytes == &tile)).collect();
    assert_eq!(numbers, [(0, 0, 0, true)]);
    assert_eq!(parcel.snapshot.attribution.as_deref(), Some("The port"));
}

#[test]
fn out_of_pictures_nothing_is_drawn() {
    let folder = TempDir::new().unwrap();
    let tiles = Tiles::open(&archive(&folder, 2, b"\x89PNG\r\n\x1a\n")).unwrap();
    let told = parcel(&tiles, &earth());
    assert!(matches!(told, Err(SnapshotError::Tiles(TilesError::Pictures))), "{told:?}");
}
