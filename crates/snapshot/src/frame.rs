//! Where a picture lies on Mercator's world, and which tiles it takes.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::Snapshot;

/// A tile's side at its own zoom, in CSS pixels.
const TILE_PX: f64 = 512.0;

/// A picture takes no more tiles than this; 1 024 pixels need nine.
pub const TILES_MAX: usize = 25;

/// What is less of a tile than this share of its side is none of it: a picture that is one tile takes that one, however its middle was
/// rounded.
const TOUCH: f64 = 1e-6;

/// How far from the edge of a picture that shows several places they are at least, in CSS pixels.
const FIT_MARGIN_PX: f64 = 40.0;

/// A tile's numbers, row 0 in the north.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TileNumber {
    /// Zoom.
    pub z: u8,
    /// Column, from the west.
    pub x: u32,
    /// Row, from the north.
    pub y: u32,
}

/// Where something lies in the picture, in CSS pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// Where a tile lies in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TilePlace {
    /// Its upper left corner.
    pub corner: Place,
    /// Its side in CSS pixels.
    pub side_px: f64,
}

/// The picture on the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    zoom: f64,
    /// The upper left corner, in CSS pixels from the world's.
    corner: Place,
    width_px: f64,
    height_px: f64,
}

impl Frame {
    /// Of a request, which must have been checked.
    pub fn of(snapshot: &Snapshot) -> Frame {
        let (width_px, height_px) = (f64::from(snapshot.width_px), f64::from(snapshot.height_px));
        let middle = on_world(snapshot.lat_deg, snapshot.lon_deg, snapshot.zoom);
        let corner = Place { x: middle.x - width_px / 2.0, y: middle.y - height_px / 2.0 };
        Frame { zoom: snapshot.zoom, corner, width_px, height_px }
    }

    /// Where a point of the earth lies; outside the picture as well.
    pub fn place(&self, lat_deg: f64, lon_deg: f64) -> Place {
        let at = on_world(lat_deg, lon_deg, self.zoom);
        Place { x: at.x - self.corner.x, y: at.y - self.corner.y }
    }

    /// Where a tile lies; outside the picture as well.
    pub fn tile_place(&self, tile: TileNumber) -> TilePlace {
        let side_px = self.side_px(tile.z);
        let corner =
            Place { x: f64::from(tile.x) * side_px - self.corner.x, y: f64::from(tile.y) * side_px - self.corner.y };
        TilePlace { corner, side_px }
    }

    /// The tiles of the picture out of a set with these zooms, from the north-west; beyond the world's edge there are none. `None`
    /// when there would be more than [`TILES_MAX`]: the set begins nearer than the picture.
    pub fn tiles(&self, min_zoom: u8, max_zoom: u8) -> Option<Vec<TileNumber>> {
        let z = (self.zoom.floor() as u8).clamp(min_zoom, max_zoom.max(min_zoom)).min(30);
        let (side_px, across) = (self.side_px(z), 1u32 << z);
        // Saturating: left of the world's edge is 0.
        let range = |from_px: f64, length_px: f64| {
            let first = (from_px / side_px + TOUCH).floor().max(0.0) as u32;
            let end = ((from_px + length_px) / side_px - TOUCH).ceil().max(0.0) as u32;
            first..end.min(across)
        };
        let (columns, rows) = (range(self.corner.x, self.width_px), range(self.corner.y, self.height_px));
        if columns.len().saturating_mul(rows.len()) > TILES_MAX {
            return None;
        }
        Some(rows.flat_map(|y| columns.clone().map(move |x| TileNumber { z, x, y })).collect())
    }

    fn side_px(&self, z: u8) -> f64 {
        TILE_PX * (self.zoom - f64::from(z)).exp2()
    }
}

/// A picture's middle and zoom: as near as `max_zoom`, or as far away as all these places (degrees north and east) need to be in it with
/// a margin. `None` without a place. Around the antimeridian it shows the whole world.
pub fn fit(places: &[(f64, f64)], width_px: u32, height_px: u32, max_zoom: f64) -> Option<(f64, f64, f64)> {
    let on_world = |(lat_deg, lon_deg): &(f64, f64)| on_world(*lat_deg, *lon_deg, 0.0);
    let (mut low, mut high) = places.first().map(|first| (on_world(first), on_world(first)))?;
    for place in places.iter().map(on_world) {
        (low.x, low.y) = (low.x.min(place.x), low.y.min(place.y));
        (high.x, high.y) = (high.x.max(place.x), high.y.max(place.y));
    }
    let zoom = |room_px: u32, length: f64| ((f64::from(room_px) - 2.0 * FIT_MARGIN_PX).max(1.0) / length).log2();
    let zoom = zoom(width_px, high.x - low.x).min(zoom(height_px, high.y - low.y)).clamp(0.0, max_zoom);
    let lat_deg = (PI * (1.0 - (low.y + high.y) / TILE_PX)).sinh().atan().to_degrees();
    Some((lat_deg, ((low.x + high.x) / 2.0 / TILE_PX - 0.5) * 360.0, zoom))
}

/// In CSS pixels from the world's upper left corner.
fn on_world(lat_deg: f64, lon_deg: f64, zoom: f64) -> Place {
    let side_px = TILE_PX * zoom.exp2();
    let y = lat_deg.clamp(-89.9, 89.9).to_radians().tan().asinh() / PI;
    Place { x: (lon_deg / 360.0 + 0.5) * side_px, y: (1.0 - y) / 2.0 * side_px }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    fn frame(lat_deg: f64, lon_deg: f64, zoom: f64, width_px: u32, height_px: u32) -> Frame {
        Frame::of(&Snapshot {
            lat_deg,
            lon_deg,
            zoom,
            width_px,
            height_px,
            scale: 1,
            theme: Theme::Dark,
            marks: Vec::new(),
            sea_around: false,
            attribution: None,
        })
    }

    #[test]
    fn the_middle_is_in_the_middle_and_north_is_up() {
        let frame = frame(35.9, 14.5, 14.3, 400, 200);
        let middle = frame.place(35.9, 14.5);
        assert!((middle.x - 200.0).abs() < 1e-6 && (middle.y - 100.0).abs() < 1e-6, "{middle:?}");
        let north_east = frame.place(35.901, 14.501);
        assert!(north_east.x > 200.0 && north_east.y < 100.0, "{north_east:?}");
    }

    #[test]
    fn a_picture_takes_the_tiles_it_touches() {
        for (name, frame, zooms, want) in [
            ("inside one tile", frame(35.8989, 14.5146, 14.0, 16, 16), (6, 14), Some(vec![(14, 8_852, 6_439)])),
            ("nearer than the tiles", frame(35.8989, 14.5146, 17.5, 16, 16), (6, 14), Some(vec![(14, 8_852, 6_439)])),
            ("the whole world", frame(0.0, 0.0, 0.0, 512, 512), (0, 14), Some(vec![(0, 0, 0)])),
            ("over the world's edge", frame(0.0, 180.0, 1.0, 64, 512), (0, 14), Some(vec![(1, 1, 0), (1, 1, 1)])),
            ("farther than the tiles", frame(0.0, 0.0, 2.0, 1_024, 1_024), (8, 14), None),
        ] {
            let tiles = frame.tiles(zooms.0, zooms.1);
            let numbers = tiles.map(|tiles| tiles.into_iter().map(|t| (t.z, t.x, t.y)).collect::<Vec<_>>());
            assert_eq!(numbers, want, "{name}");
        }
        assert_eq!(frame(35.9, 14.5, 14.0, 1_024, 1_024).tiles(6, 14).map(|tiles| tiles.len()), Some(9));
    }

    #[test]
    fn a_picture_of_several_places_has_all_of_them_and_one_of_a_single_place_is_near() {
        assert_eq!(fit(&[], 400, 200, 15.0), None);
        let near = |got: (f64, f64, f64), want: (f64, f64, f64)| {
            (got.0 - want.0).abs() < 1e-9 && (got.1 - want.1).abs() < 1e-9 && (got.2 - want.2).abs() < 1e-9
        };
        let one = fit(&[(35.9, 14.5)], 400, 200, 15.0).unwrap();
        assert!(near(one, (35.9, 14.5, 15.0)), "{one:?}");
        let places = [(35.9, 14.5), (35.92, 14.46), (35.85, 14.52)];
        let (lat_deg, lon_deg, zoom) = fit(&places, 400, 200, 15.0).unwrap();
        let frame = frame(lat_deg, lon_deg, zoom, 400, 200);
        let edges = places.map(|(lat_deg, lon_deg)| {
            let Place { x, y } = frame.place(lat_deg, lon_deg);
            x.min(y).min(400.0 - x).min(200.0 - y)
        });
        assert!(edges.iter().all(|edge| *edge > 39.9), "{edges:?} from the nearest edge");
        assert!(edges.iter().any(|edge| *edge < 40.1), "it is farther away than it need be: {edges:?}");
    }

    #[test]
    fn a_tile_lies_where_its_points_do() {
        let frame = frame(35.9, 14.5, 15.0, 400, 200);
        let tile = frame.tiles(6, 14).unwrap()[0];
        let place = frame.tile_place(tile);
        assert!((place.side_px - 1_024.0).abs() < 1e-9);
        let west_deg = f64::from(tile.x) / f64::from(1u32 << 14) * 360.0 - 180.0;
        assert!((frame.place(35.9, west_deg).x - place.corner.x).abs() < 1e-6);
    }
}
