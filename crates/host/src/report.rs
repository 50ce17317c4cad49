//! The report of a span of time with its maps (`fleetlens_report`), as the window and the command line make it.

use std::path::Path;

use fleetlens_report::{Asked, Drawn, Map, ReportError, html};
use fleetlens_snapshot::{Mark, SCALE_MAX, Snapshot, SnapshotError, Theme, draw, program_beside};
use fleetlens_store::Reading;

use crate::pictures::{Ground, mark};

/// A map's size, in CSS pixels: two stand beside each other on the page.
const MAP_PX: (u32, u32) = (460, 300);

/// Makes the page; its maps are drawn by the program beside the one that runs. Blocks on the disk and on that program, some ten
/// seconds for each of four pictures at the worst, usually a second for all; asks `goes_on` before each.
pub fn report(
    reading: &Reading,
    asked: &Asked,
    ground: &Ground,
    goes_on: &dyn Fn() -> bool,
) -> Result<String, ReportError> {
    let program = program_beside();
    html(reading, asked, &mut |map| {
        let program = program.as_deref().ok_or_else(|| "the system does not say which program runs".to_owned())?;
        drawn(program, ground, map, goes_on)
    })
}

/// A map in both sets of colours, or why there is none.
fn drawn(program: &Path, ground: &Ground, map: &Map, goes_on: &dyn Fn() -> bool) -> Result<Drawn, String> {
    let marks = || -> Vec<Mark> {
        map.places.iter().map(|place| mark(place.at, place.priority, place.label.clone())).collect()
    };
    let snapshot = |theme| {
        let snapshot = ground.snapshot(marks(), MAP_PX.0, MAP_PX.1, theme);
        // Sharp on paper too.
        let snapshot = snapshot.map(|snapshot| Snapshot { scale: SCALE_MAX, ..snapshot });
        snapshot.ok_or_else(|| "nothing of it lies on the map of this profile".to_owned())
    };
    let png = |snapshot: &Snapshot| match goes_on() {
        true => draw(program, &ground.tiles, snapshot).map_err(|error| why(&error)),
        false => Err("Fleetlens is closing".to_owned()),
    };
    let light = snapshot(Theme::Light)?;
    let off_map = map.places.len().saturating_sub(light.marks.len());
    Ok(Drawn { light: png(&light)?, dark: png(&snapshot(Theme::Dark)?)?, off_map })
}

fn why(error: &SnapshotError) -> String {
    tracing::warn!(%error, "a report comes without a map");
    error.to_string()
}
