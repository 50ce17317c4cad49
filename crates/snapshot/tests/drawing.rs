//! The real program, the tiles the demo city ships, and whatever draws on this machine: lavapipe where there is no graphics card.
//!
//! `cargo xtask test` builds the program first; by hand: `cargo build` in the folder `snapshot-draw`, with the target folder of the app.
#![cfg(test)]

use std::collections::HashSet;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use fleetlens_snapshot::frame::{Frame, TileNumber};
use fleetlens_snapshot::parcel::Parcel;
use fleetlens_snapshot::{Mark, Sign, Snapshot, SnapshotError, Theme, draw, draw_parcel, exit, parcel};
use fleetlens_tiles::Tiles;

type Rgb = [u8; 3];

/// Far longer than it takes on a machine that compiles something at the same time.
const WITHIN: Duration = Duration::from_secs(120);

/// How many broken tiles are tried.
const GNAWED: u32 = 12;

/// Palettes of `snapshot-draw`, as far as they are looked for.
const DARK: [Rgb; 3] = [[0x16, 0x1c, 0x23], [0x0a, 0x0f, 0x16], [0xef, 0x5a, 0x5a]];
const LIGHT: [Rgb; 3] = [[0xf1, 0xf2, 0xf0], [0xc3, 0xd7, 0xe4], [0xc4, 0x2b, 0x2b]];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn malta() -> PathBuf {
    root().join("assets/malta/malta.mbtiles")
}

/// The program, from `FLEETLENS_BIN_DIR` or else the folder cargo builds into; `None` when nobody built it, which is told.
fn program() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = std::env::var_os("FLEETLENS_BIN_DIR").map_or_else(|| target.join("debug"), PathBuf::from);
    let program = folder.join(format!("fleetlens-snapshot{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        skip(&format!("{} is not built", program.display()));
        return None;
    }
    Some(program)
}

/// Tells past the test harness, which swallows what a passing test prints, that a test is skipped and why. Where `CI` is set, nothing may
/// be skipped.
fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}, and with CI set no test may be skipped");
    // Nobody may be there to read it.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Valletta with an alarm in its middle.
fn valletta(theme: Theme) -> Snapshot {
    let (lat_deg, lon_deg) = (35.8989, 14.5146);
    Snapshot {
        lat_deg,
        lon_deg,
        zoom: 14.0,
        width_px: 440,
        height_px: 240,
        scale: 1,
        theme,
        marks: vec![Mark { lat_deg, lon_deg, sign: Sign::Critical, label: Some("Waste bin 117".into()) }],
        sea_around: true,
        attribution: Some("© OpenStreetMap contributors".into()),
    }
}

/// Draws it; `None` where nothing on this machine draws, which is told.
fn drawn(snapshot: &Snapshot) -> Option<Picture> {
    let parcel = parcel(&Tiles::open(&malta()).unwrap(), snapshot).unwrap();
    match draw_parcel(&program()?, parcel, WITHIN) {
        Ok(png) => Some(Picture::read(&png)),
        Err(SnapshotError::NoDriver(why)) => {
            skip(&why);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<Rgb>,
}

impl Picture {
    fn read(png: &[u8]) -> Picture {
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgba);
        let rgb = bytes.chunks_exact(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Picture { width: info.width as usize, height: info.height as usize, rgb }
    }

    fn at(&self, x: f64, y: f64) -> Rgb {
        self.rgb[y as usize * self.width + x as usize]
    }

    fn colours(&self) -> usize {
        self.rgb.iter().collect::<HashSet<_>>().len()
    }

    /// Which share of the picture has this colour.
    fn share_of(&self, colour: Rgb) -> f64 {
        self.rgb.iter().filter(|pixel| **pixel == colour).count() as f64 / self.rgb.len() as f64
    }
}

#[test]
fn valletta_is_drawn_with_land_and_sea_where_they_are() {
    for (theme, [land, water, critical]) in [(Theme::Dark, DARK), (Theme::Light, LIGHT)] {
        for scale in [1, 2] {
            let snapshot = Snapshot { scale, ..valletta(theme) };
            let Some(picture) = drawn(&snapshot) else { return };
            let name = format!("{theme:?} at {scale}");
            let scale = f64::from(scale);
            assert_eq!((picture.width, picture.height), ((440.0 * scale) as usize, (240.0 * scale) as usize), "{name}");
            assert!(picture.colours() > 500, "{name}: {} colours", picture.colours());
            let frame = Frame::of(&snapshot);
            let at = |lat_deg: f64, lon_deg: f64| {
                let place = frame.place(lat_deg, lon_deg);
                picture.at(place.x * scale, place.y * scale)
            };
            assert_eq!(at(35.9040, 14.5085), water, "{name}: Marsamxett harbour");
            assert_eq!(at(35.8965, 14.5206), water, "{name}: the Grand Harbour");
            assert_eq!(at(35.8989, 14.5146), critical, "{name}: the mark");
            assert!((0.1..0.8).contains(&picture.share_of(water)), "{name}: {} of it is sea", picture.share_of(water));
            assert!((0.02..0.6).contains(&picture.share_of(land)), "{name}: {} of it is land", picture.share_of(land));
        }
    }
}

#[test]
fn what_is_asked_for_is_seen() {
    let snapshot = valletta(Theme::Light);
    let Some(whole) = drawn(&snapshot) else { return };
    let differs = |other: &Snapshot, in_rows: std::ops::Range<usize>| {
        let other = drawn(other).unwrap();
        let of = |picture: &Picture| picture.rgb[in_rows.start * 440..in_rows.end * 440].to_vec();
        of(&whole).iter().zip(of(&other)).filter(|(a, b)| *a != b).count()
    };
    let change = |change: fn(&mut Snapshot)| {
        let mut other = snapshot.clone();
        change(&mut other);
        other
    };
    for (name, other, rows, least) in [
        ("the attribution is in the lowest rows", change(|s| s.attribution = None), 225..240, 200),
        ("a label", change(|s| s.marks[0].label = None), 100..140, 500),
        ("the shape", change(|s| s.marks[0].sign = Sign::Warning), 100..140, 50),
        ("the place", change(|s| s.lat_deg += 0.01), 0..240, 20_000),
        ("the zoom", change(|s| s.zoom = 13.5), 0..240, 20_000),
    ] {
        let differing = differs(&other, rows);
        assert!(differing > least, "{name}: {differing} pixels differ");
    }
    assert_eq!(differs(&snapshot, 0..240), 0, "the same is drawn the same");
}

#[test]
fn a_tile_that_is_none_fails_its_own_picture_and_no_other() {
    let Some(program) = program() else { return };
    let tiles = Tiles::open(&malta()).unwrap();
    let whole = parcel(&tiles, &valletta(Theme::Dark)).unwrap();
    let first = &whole.tiles[0].1;
    for (name, bytes, want) in [
        ("no tile at all", b"<html>not here</html>".to_vec(), Some("it is no vector tile")),
        ("a cut one", first[..first.len() / 2].to_vec(), Some("it is no vector tile")),
        // One layer "a" with one line whose command asks for more points than there are.
        (
            "a shape that asks for half a billion points",
            vec![0x1a, 0x10, 0x0a, 1, b'a', 0x12, 0x09, 0x18, 2, 0x22, 0x05, 0xfa, 0xff, 0xff, 0xff, 0x0f, 0x78, 2],
            Some("is cut short"),
        ),
        ("noise", (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect(), Some("tile")),
        ("an empty one", Vec::new(), None),
    ] {
        let mut parcel = whole.clone();
        parcel.tiles[0].1 = bytes;
        match (draw_parcel(&program, parcel, WITHIN), want) {
            (Err(SnapshotError::NoDriver(why)), None) => skip(&why),
            (Ok(png), None) => assert!(png.len() > 1_000, "{name}"),
            (Err(SnapshotError::Refused(error)), Some(words)) => assert!(error.contains(words), "{name}: {error}"),
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

/// Bytes here and there replaced, the same ones each time.
fn gnawed(bytes: &[u8], seed: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    for _ in 0..1 + seed % 3 {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let at = state as usize % bytes.len();
        bytes[at] = (state >> 24) as u8;
    }
    bytes
}

#[test]
fn a_gnawed_tile_is_drawn_or_refused_and_nothing_breaks() {
    let Some(program) = program() else { return };
    let whole = parcel(&Tiles::open(&malta()).unwrap(), &valletta(Theme::Dark)).unwrap();
    let mut drawn = 0;
    for seed in 0..GNAWED {
        let mut parcel = whole.clone();
        parcel.tiles[0].1 = gnawed(&whole.tiles[0].1, seed);
        match draw_parcel(&program, parcel, WITHIN) {
            Ok(_) => drawn += 1,
            Err(SnapshotError::Refused(_)) => {}
            Err(SnapshotError::NoDriver(why)) => return skip(&why),
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    assert!((1..GNAWED).contains(&drawn), "{drawn} of {GNAWED} were drawn: they are gnawed too little or too much");
}

#[test]
fn a_broken_tile_file_is_told_with_its_tile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.mbtiles");
    let mut bytes = fs::read(malta()).unwrap();
    // Behind the beginning of every zipped tile something else.
    let begin = [0x1f, 0x8b, 0x08];
    let found: Vec<usize> = (0..bytes.len() - 40).filter(|at| bytes[*at..].starts_with(&begin)).collect();
    found.into_iter().for_each(|at| bytes[at + 12..at + 40].fill(0xff));
    fs::write(&path, bytes).unwrap();
    let tiles = Tiles::open(&path).unwrap();
    let error = draw("/nowhere".as_ref(), &tiles, &valletta(Theme::Dark)).unwrap_err();
    assert!(error.to_string().contains("does not unzip"), "{error}");
}

#[test]
fn without_a_vulkan_driver_it_says_what_to_install() {
    let Some(program) = program() else { return };
    let parcel = Parcel {
        snapshot: valletta(Theme::Dark),
        land: None,
        tiles: vec![(TileNumber { z: 14, x: 8_852, y: 6_439 }, Vec::new())],
    };
    // The loader of Vulkan looks for drivers where this says, and nowhere else (Vulkan-Loader, "Driver Interface").
    let mut child = Command::new(program)
        .env("VK_ICD_FILENAMES", "/nowhere/driver.json")
        .env("VK_DRIVER_FILES", "/nowhere/driver.json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    parcel.write(&mut child.stdin.take().unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(exit::NO_DRIVER)), "{said}");
    assert!(said.contains("mesa-vulkan-drivers"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(output.stdout.is_empty());
}
