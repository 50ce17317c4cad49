//! The program that draws small maps for notifications and reports: a request with its tiles comes through standard input
//! (`fleetlens_snapshot::parcel`), a PNG goes out through standard output, and what is wrong is one sentence on standard error with
//! an exit code (`fleetlens_snapshot::exit`).
//!
//! The ground is drawn by `maplibre` (maplibre-rs), which fills polygons and nothing else that we need: so areas are sorted by what
//! they are, streets become ribbons as wide as they are drawn, and all of it is handed over as one tile that is the picture. Words
//! and marks go on top.
//!
//! What does not belong here: files, the network, which alarm is shown.

mod areas;
mod error;
mod ground;
mod labels;
mod marks;
mod palette;
mod render;
mod ribbon;
mod roads;
mod text;
mod tile;

use std::io::{self, Write};
use std::process::ExitCode;

use fleetlens_snapshot::frame::Frame;
use fleetlens_snapshot::parcel::Parcel;
use tiny_skia::Pixmap;

use crate::error::DrawError;
use crate::ground::Ground;
use crate::palette::Palette;

fn main() -> ExitCode {
    match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.code())
        }
    }
}

fn answer() -> Result<(), DrawError> {
    let parcel = Parcel::read(&mut io::stdin().lock())?;
    let png = draw(&parcel)?.encode_png().map_err(|error| DrawError::Picture(error.to_string()))?;
    let mut out = io::stdout().lock();
    out.write_all(&png).and_then(|()| out.flush()).map_err(DrawError::Out)
}

fn draw(parcel: &Parcel) -> Result<Pixmap, DrawError> {
    let snapshot = &parcel.snapshot;
    let (frame, palette) = (Frame::of(snapshot), Palette::of(snapshot.theme));
    let ground = Ground::read(parcel, &frame)?;
    let mut picture = render::render(snapshot, &ground, &palette)?;
    let mut taken = marks::places(snapshot, &frame);
    let attribution = labels::attribution(snapshot);
    taken.extend(attribution.iter().map(labels::Line::extent));
    let of_marks = marks::labels(snapshot, &frame, &mut taken);
    labels::names(&mut picture, snapshot, &ground.names, &mut taken, &palette);
    marks::draw(&mut picture, snapshot, &frame, &of_marks, &palette);
    if let Some(line) = attribution {
        labels::sign(&mut picture, snapshot, &line, &palette);
    }
    Ok(picture)
}
