//! A snapshot by hand: `cargo run -p fleetlens-snapshot --example picture -- PROGRAM TILES PNG LAT LON ZOOM [dark|light] [SCALE]`.
//! Prints how long it took.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use fleetlens_snapshot::{Mark, Sign, Snapshot, Theme, draw};
use fleetlens_tiles::Tiles;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [program, tiles, png, lat_deg, lon_deg, zoom, rest @ ..] = arguments.as_slice() else {
        return Err("give PROGRAM TILES PNG LAT LON ZOOM [dark|light] [SCALE]".into());
    };
    let (lat_deg, lon_deg) = (lat_deg.parse()?, lon_deg.parse()?);
    let mark = |north: f64, east: f64, sign, label: &str| Mark {
        lat_deg: lat_deg + north,
        lon_deg: lon_deg + east,
        sign,
        label: Some(label.into()).filter(|label: &String| !label.is_empty()),
    };
    let snapshot = Snapshot {
        lat_deg,
        lon_deg,
        zoom: zoom.parse()?,
        width_px: 440,
        height_px: 240,
        scale: rest.get(1).map_or(Ok(1), |scale| scale.parse())?,
        theme: if rest.first().is_some_and(|theme| theme == "light") { Theme::Light } else { Theme::Dark },
        marks: vec![
            mark(0.0018, -0.004, Sign::Calm, ""),
            mark(-0.0012, 0.003, Sign::Unknown, ""),
            mark(0.0012, 0.0036, Sign::Warning, "Car park"),
            mark(0.0, 0.0, Sign::Critical, "Waste bin 117"),
        ],
        sea_around: true,
        attribution: Some("© OpenStreetMap contributors".into()),
    };
    let tiles = Tiles::open(Path::new(tiles))?;
    let start = Instant::now();
    let picture = draw(Path::new(program), &tiles, &snapshot)?;
    println!("{} ms, {} bytes", start.elapsed().as_millis(), picture.len());
    Ok(fs::write(png, picture)?)
}
