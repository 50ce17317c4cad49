//! Rows of things along real streets.

use fleetlens_model::geo::LonLat;

use super::assets::Street;

/// How a row of things stands along a street.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// How far apart, in metres.
    pub spacing_m: f64,
    /// How far from the middle of the street, in metres.
    pub aside_m: f64,
}

/// A place beside a street.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    pub at: LonLat,
    pub street: &'a Street,
}

/// Where the first thing of a street stands, as a share of the spacing, pass by pass: each pass falls between those before it.
const PASSES: [f64; 8] = [0.25, 0.75, 0.5, 0.0, 0.375, 0.875, 0.125, 0.625];

/// Places along all streets, then again between them, and so on; they end when the row stands eight times as close.
pub(super) fn along(streets: &[Street], row: Row) -> impl Iterator<Item = Beside<'_>> {
    PASSES.iter().flat_map(move |&phase| streets.iter().flat_map(move |street| places(street, phase, row)))
}

/// Places along one street, on alternate sides.
fn places(street: &Street, phase: f64, row: Row) -> Vec<Beside<'_>> {
    let mut places = Vec::new();
    let mut next_m = row.spacing_m * phase;
    let mut walked_m = 0.0;
    for pair in street.line.windows(2) {
        let &[[lon_a, lat_a], [lon_b, lat_b]] = pair else { continue };
        let (Some(a), Some(b)) = (LonLat::new(lon_a, lat_a), LonLat::new(lon_b, lat_b)) else { continue };
        let length_m = a.distance_m(b);
        while next_m < walked_m + length_m {
            let along = (next_m - walked_m) / length_m;
            let side = if places.len() % 2 == 0 { row.aside_m } else { -row.aside_m } / length_m;
            // At right angles to the street; a degree of longitude is 0.81 of one of latitude here.
            let lon = lon_a + (lon_b - lon_a) * along - (lat_b - lat_a) / 0.81 * side;
            let lat = lat_a + (lat_b - lat_a) * along + (lon_b - lon_a) * 0.81 * side;
            if let Some(at) = LonLat::new((lon * 1e6).round() / 1e6, (lat * 1e6).round() / 1e6) {
                places.push(Beside { at, street });
            }
            next_m += row.spacing_m;
        }
        walked_m += length_m;
    }
    places
}
