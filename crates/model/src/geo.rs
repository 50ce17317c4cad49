//! Positions on the earth (WGS 84) and boxes of them.

use serde::{Deserialize, Serialize};

/// The earth's mean radius in metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A position: degrees east and north. Longitude −180…180, latitude −90…90.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LonLat {
    /// Degrees east.
    pub lon_deg: f64,
    /// Degrees north.
    pub lat_deg: f64,
}

impl LonLat {
    /// A position, or `None` when a coordinate is not finite, out of range, or both are exactly zero (what broken feeds send).
    pub fn new(lon_deg: f64, lat_deg: f64) -> Option<LonLat> {
        let on_earth = (-180.0..=180.0).contains(&lon_deg) && (-90.0..=90.0).contains(&lat_deg);
        (on_earth && (lon_deg != 0.0 || lat_deg != 0.0)).then_some(LonLat { lon_deg, lat_deg })
    }

    /// Great-circle distance in metres (haversine).
    pub fn distance_m(self, other: LonLat) -> f64 {
        let (lat1, lat2) = (self.lat_deg.to_radians(), other.lat_deg.to_radians());
        let dlat = (lat2 - lat1) / 2.0;
        let dlon = (other.lon_deg - self.lon_deg).to_radians() / 2.0;
        let h = dlat.sin().powi(2) + lat1.cos() * lat2.cos() * dlon.sin().powi(2);
        2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()
    }
}

/// A box on the map, edges included. Never crosses the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeoBox {
    /// Western edge, degrees.
    pub west_deg: f64,
    /// Southern edge, degrees.
    pub south_deg: f64,
    /// Eastern edge, degrees.
    pub east_deg: f64,
    /// Northern edge, degrees.
    pub north_deg: f64,
}

impl GeoBox {
    /// The box of one place.
    pub fn of(at: LonLat) -> GeoBox {
        GeoBox { west_deg: at.lon_deg, south_deg: at.lat_deg, east_deg: at.lon_deg, north_deg: at.lat_deg }
    }

    /// The smallest box with this one and a place in it.
    #[must_use]
    pub fn with(self, at: LonLat) -> GeoBox {
        GeoBox {
            west_deg: self.west_deg.min(at.lon_deg),
            south_deg: self.south_deg.min(at.lat_deg),
            east_deg: self.east_deg.max(at.lon_deg),
            north_deg: self.north_deg.max(at.lat_deg),
        }
    }

    /// The whole earth.
    pub const EARTH: GeoBox = GeoBox { west_deg: -180.0, south_deg: -90.0, east_deg: 180.0, north_deg: 90.0 };

    /// Whether `at` lies inside or on an edge.
    pub fn contains(&self, at: LonLat) -> bool {
        (self.west_deg..=self.east_deg).contains(&at.lon_deg) && (self.south_deg..=self.north_deg).contains(&at.lat_deg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_that_are_none_are_refused() {
        assert!(LonLat::new(14.5, 35.9).is_some());
        for (lon, lat) in [(0.0, 0.0), (181.0, 0.0), (0.0, 91.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert_eq!(LonLat::new(lon, lat), None, "{lon} {lat}");
        }
    }

    #[test]
    fn valletta_to_mdina_is_eleven_kilometres() {
        let valletta = LonLat::new(14.5146, 35.8989).unwrap();
        let mdina = LonLat::new(14.4036, 35.8858).unwrap();
        let d = valletta.distance_m(mdina);
        assert!((9_900.0..10_300.0).contains(&d), "{d}");
    }
}
