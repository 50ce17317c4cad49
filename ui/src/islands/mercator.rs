//! Web mercator in doubles, and the map's camera over it. Pure.
//!
//! Positions are kept relative to [`ORIGIN`], because a single-precision float over the whole world is off by two metres, which
//! shows as jitter when zoomed in; over a city it is off by a fraction of a millimetre.

use fleetlens_model::geo::{GeoBox, LonLat};

/// Where local positions count from: the harbour of Valletta.
pub const ORIGIN: LonLat = LonLat { lon_deg: 14.51, lat_deg: 35.9 };

/// Pixels of the world at zoom 0, as MapLibre counts.
const WORLD_PX: f64 = 512.0;

/// The pole of the projection, degrees.
const LATITUDE_MAX_DEG: f64 = 85.051_129;

/// A position on the mercator square, relative to [`ORIGIN`]; the world is 1 wide, y grows southwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Local {
    /// Eastwards.
    pub x: f64,
    /// Southwards.
    pub y: f64,
}

/// The local position of a place.
pub fn local(at: LonLat) -> Local {
    let (x, y) = world(at);
    let (x0, y0) = world(ORIGIN);
    Local { x: x - x0, y: y - y0 }
}

fn world(at: LonLat) -> (f64, f64) {
    let lat = at.lat_deg.clamp(-LATITUDE_MAX_DEG, LATITUDE_MAX_DEG).to_radians();
    let y = 0.5 - (lat.tan() + 1.0 / lat.cos()).ln() / std::f64::consts::TAU;
    (at.lon_deg / 360.0 + 0.5, y)
}

/// What the map shows: north up, from straight above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// The middle of the picture.
    pub center: Local,
    /// MapLibre's zoom.
    pub zoom: f64,
    /// Width of the picture, CSS pixels.
    pub width_px: f64,
    /// Height of the picture, CSS pixels.
    pub height_px: f64,
}

impl Camera {
    /// CSS pixels of one local unit, which is the whole world.
    pub fn scale_px(&self) -> f64 {
        WORLD_PX * self.zoom.exp2()
    }

    /// Where a local position is in the picture, CSS pixels from its upper left.
    pub fn project(&self, at: Local) -> (f64, f64) {
        let scale = self.scale_px();
        (self.width_px / 2.0 + (at.x - self.center.x) * scale, self.height_px / 2.0 + (at.y - self.center.y) * scale)
    }
}

/// A box grown by a share of its own size on every side, within the earth.
pub fn with_margin(area: GeoBox, share: f64) -> GeoBox {
    let (dx, dy) = ((area.east_deg - area.west_deg) * share, (area.north_deg - area.south_deg) * share);
    GeoBox {
        west_deg: (area.west_deg - dx).max(GeoBox::EARTH.west_deg),
        south_deg: (area.south_deg - dy).max(GeoBox::EARTH.south_deg),
        east_deg: (area.east_deg + dx).min(GeoBox::EARTH.east_deg),
        north_deg: (area.north_deg + dy).min(GeoBox::EARTH.north_deg),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_lands_where_the_map_draws_it() {
        let camera = Camera {
            center: local(LonLat { lon_deg: 14.507, lat_deg: 35.8955 }),
            zoom: 14.15,
            width_px: 1000.0,
            height_px: 800.0,
        };
        let scale = 512.0 * 14.15_f64.exp2();
        let (x, y) = camera.project(local(LonLat { lon_deg: 14.517, lat_deg: 35.8955 }));
        assert!((x - (500.0 + 0.01 / 360.0 * scale)).abs() < 1e-6, "{x}");
        assert!((y - 400.0).abs() < 1e-6, "{y}");
        // A hundredth of a degree of latitude is longer than one of longitude by 1 / cos(latitude).
        let (_, y) = camera.project(local(LonLat { lon_deg: 14.507, lat_deg: 35.8955 + 0.01 }));
        let want = 0.01 / 360.0 * scale / 35.9005_f64.to_radians().cos();
        assert!(((400.0 - y) - want).abs() < 0.01, "{y} {want}");
    }

    #[test]
    fn single_precision_holds_a_tenth_of_a_pixel_at_the_deepest_zoom() {
        let at = local(LonLat { lon_deg: 14.183_333_3, lat_deg: 36.074_444_4 });
        let lost = (at.x - f64::from(at.x as f32)).abs().max((at.y - f64::from(at.y as f32)).abs());
        assert!(lost * 512.0 * 20_f64.exp2() < 0.1, "{lost}");
    }

    #[test]
    fn a_margin_stays_on_the_earth() {
        let all = with_margin(GeoBox::EARTH, 0.5);
        assert_eq!(all, GeoBox::EARTH);
    }
}
