//! Web mercator in doubles, and the map's camera over it. Pure.
//!
//! Positions are kept relative to [`ORIGIN`] and given to the graphics card relative to a place in the picture
//! ([`super::marks::Marks::look_from`]), because a single-precision float over the whole world is off by two metres, which shows as
//! jitter when zoomed in; over a city it is off by a fraction of a millimetre.

use fleetlens_model::geo::{GeoBox, LonLat};

/// Where local positions count from: the harbour of Valletta.
pub const ORIGIN: LonLat = LonLat { lon_deg: 14.51, lat_deg: 35.9 };

/// Pixels of the world at zoom 0, as MapLibre counts.
pub const WORLD_PX: f64 = 512.0;

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

/// The place at a local position; the inverse of [`local`].
pub fn place(at: Local) -> LonLat {
    let (x0, y0) = world(ORIGIN);
    let lat = ((0.5 - (at.y + y0)) * std::f64::consts::TAU).sinh().atan();
    LonLat { lon_deg: (at.x + x0 - 0.5) * 360.0, lat_deg: lat.to_degrees() }
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

impl Local {
    /// As seen from another position.
    pub fn from(self, origin: Local) -> Local {
        Local { x: self.x - origin.x, y: self.y - origin.y }
    }
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

impl Camera {
    /// Which local position is at a point of the picture; the inverse of [`Camera::project`].
    pub fn unproject(&self, x_px: f64, y_px: f64) -> Local {
        let scale = self.scale_px();
        Local {
            x: self.center.x + (x_px - self.width_px / 2.0) / scale,
            y: self.center.y + (y_px - self.height_px / 2.0) / scale,
        }
    }

    /// The middle and the zoom at which a box fills two thirds of a picture of this size.
    pub fn fitting(low: Local, high: Local, width_px: f64, height_px: f64) -> (Local, f64) {
        let middle = Local { x: (low.x + high.x) / 2.0, y: (low.y + high.y) / 2.0 };
        let zoom = |size_px: f64, size: f64| (size_px.max(1.0) / 1.5 / (size.max(1e-12) * WORLD_PX)).log2();
        (middle, zoom(width_px, high.x - low.x).min(zoom(height_px, high.y - low.y)))
    }

    /// Whether a point is in the picture, or at most this many pixels outside.
    pub fn shows(&self, (x_px, y_px): (f64, f64), beyond_px: f64) -> bool {
        (-beyond_px..=self.width_px + beyond_px).contains(&x_px)
            && (-beyond_px..=self.height_px + beyond_px).contains(&y_px)
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
    fn a_point_of_the_picture_leads_back_to_its_place() {
        let mdina = LonLat { lon_deg: 14.403, lat_deg: 35.886 };
        let camera = Camera { center: local(mdina), zoom: 13.3, width_px: 800.0, height_px: 600.0 };
        let back = place(camera.unproject(400.0, 300.0));
        assert!(back.distance_m(mdina) < 0.001, "{back:?}");
        let at = camera.unproject(12.0, 590.0);
        let (x, y) = camera.project(at);
        assert!((x - 12.0).abs() < 1e-6 && (y - 590.0).abs() < 1e-6);
        assert!(local(place(at)).x - at.x < 1e-12 && camera.shows((x, y), 0.0) && !camera.shows((-9.0, y), 8.0));
    }

    #[test]
    fn a_box_fits_the_picture_in_both_directions() {
        let (low, high) = (Local { x: -1e-4, y: 0.0 }, Local { x: 3e-4, y: 1e-4 });
        let (center, zoom) = Camera::fitting(low, high, 900.0, 600.0);
        let camera = Camera { center, zoom, width_px: 900.0, height_px: 600.0 };
        let ((west, north), (east, south)) = (camera.project(low), camera.project(high));
        assert!((east - west - 600.0).abs() < 1e-6 && (west + east - 900.0).abs() < 1e-6, "{west} {east}");
        assert!(south - north < 400.0 && (north + south - 600.0).abs() < 1e-6, "{north} {south}");
        assert!(Camera::fitting(low, low, 900.0, 600.0).1 > 20.0, "a single place: as close as one likes");
    }

    #[test]
    fn a_margin_stays_on_the_earth() {
        let all = with_margin(GeoBox::EARTH, 0.5);
        assert_eq!(all, GeoBox::EARTH);
    }
}
