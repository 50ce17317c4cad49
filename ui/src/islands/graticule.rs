//! Lines of latitude and longitude where there is no other ground, with their degrees, so that a person knows where things are. Pure.

use fleetlens_model::geo::{GeoBox, LonLat};
use serde_json::{Value as Json, json};

use super::mercator::{Camera, place, with_margin};

/// How far apart the lines may be, in ten-thousandths of a degree.
const STEPS: [i64; 18] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 300_000];

/// Units of [`STEPS`] in a degree.
const DEGREE: f64 = 10_000.0;

/// How near two lines may come, in CSS pixels.
const CELL_PX: f64 = 140.0;

/// How near two labels of a line may come, in CSS pixels.
const LABEL_PX: f64 = 180.0;

/// How much more than the picture is drawn, so that a short pan needs no new lines.
const MARGIN: f64 = 0.5;

/// No picture needs more lines of one direction.
const LINES_MAX: usize = 200;

/// The northernmost and southernmost line, degrees: mercator ends there.
const LATITUDE_MAX_DEG: f64 = 85.0;

/// The lines for a picture and what lies around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Graticule {
    area: GeoBox,
    meridians: Axis,
    parallels: Axis,
    /// Where there is another ground.
    covered: Option<GeoBox>,
}

/// Lines of one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    /// From line to line, one of [`STEPS`].
    step: i64,
    /// From label to label along the lines that cross these, in steps.
    label_every: i64,
}

impl Axis {
    fn of(px_per_deg: f64) -> Axis {
        let px = |step: i64| step as f64 / DEGREE * px_per_deg;
        let step = STEPS.into_iter().find(|step| px(*step) >= CELL_PX).unwrap_or(300_000);
        Axis { step, label_every: if px(step) >= LABEL_PX { 1 } else { 2 } }
    }

    fn degrees(self, number: i64) -> f64 {
        (number * self.step) as f64 / DEGREE
    }

    /// The numbers of the lines between two degrees.
    fn between(self, low_deg: f64, high_deg: f64) -> impl Iterator<Item = i64> {
        let number = |degrees: f64| degrees * DEGREE / self.step as f64;
        (number(low_deg).ceil() as i64..=number(high_deg).floor() as i64).take(LINES_MAX)
    }

    /// The degrees of the labels between two degrees: in the middle between two lines, where none crosses.
    fn labels(self, low_deg: f64, high_deg: f64) -> impl Iterator<Item = f64> {
        let middle = move |number: i64| self.degrees(number) + self.step as f64 / DEGREE / 2.0;
        let labelled = move |number: &i64| number.rem_euclid(self.label_every) == 0;
        self.between(low_deg, high_deg).filter(labelled).map(middle).filter(move |at| *at <= high_deg)
    }

    /// `24.95° E`; as many decimals as the step needs.
    fn words(self, number: i64, (positive, negative): (&str, &str)) -> String {
        let decimals = (0..4).find(|decimals| self.step % (10_000 / 10_i64.pow(*decimals)) == 0).unwrap_or(4);
        let degrees = self.degrees(number);
        let side = match degrees {
            0.0 => return "0°".into(),
            at if at.abs() >= 180.0 => "",
            at if at > 0.0 => positive,
            _ => negative,
        };
        format!("{:.*}° {side}", decimals as usize, degrees.abs()).trim_end().to_owned()
    }
}

impl Graticule {
    /// The lines for a picture, but none where another ground covers it.
    pub fn of(camera: &Camera, covered: Option<GeoBox>) -> Graticule {
        let area = with_margin(seen(camera), MARGIN);
        let (meridians, parallels) = axes(camera);
        Graticule { area, meridians, parallels, covered }
    }

    /// Whether these lines do for a picture.
    pub fn is_for(&self, camera: &Camera) -> bool {
        let (seen, (meridians, parallels)) = (seen(camera), axes(camera));
        (meridians, parallels) == (self.meridians, self.parallels)
            && self.area.contains(LonLat { lon_deg: seen.west_deg, lat_deg: seen.south_deg })
            && self.area.contains(LonLat { lon_deg: seen.east_deg, lat_deg: seen.north_deg })
    }

    /// The lines as GeoJSON (RFC 7946): line strings, and points with a `label`.
    pub fn geojson(&self) -> Json {
        let GeoBox { west_deg: west, south_deg: south, east_deg: east, north_deg: north } = self.area;
        let (south, north) = (south.max(-LATITUDE_MAX_DEG), north.min(LATITUDE_MAX_DEG));
        let mut features = Vec::new();
        for number in self.meridians.between(west, east) {
            let lon = self.meridians.degrees(number);
            let hole = self.covered.filter(|hole| (hole.west_deg..=hole.east_deg).contains(&lon));
            let hole = hole.map(|hole| (hole.south_deg, hole.north_deg));
            features.extend(outside((south, north), hole).map(|(from, to)| line([[lon, from], [lon, to]])));
            let words = self.meridians.words(number, ("E", "W"));
            let labels = self.parallels.labels(south, north).filter(|lat| self.is_bare(lon, *lat));
            features.extend(labels.map(|lat| label([lon, lat], &words)));
        }
        for number in self.parallels.between(south, north) {
            let lat = self.parallels.degrees(number);
            let hole = self.covered.filter(|hole| (hole.south_deg..=hole.north_deg).contains(&lat));
            let hole = hole.map(|hole| (hole.west_deg, hole.east_deg));
            features.extend(outside((west, east), hole).map(|(from, to)| line([[from, lat], [to, lat]])));
            let words = self.parallels.words(number, ("N", "S"));
            let labels = self.meridians.labels(west, east).filter(|lon| self.is_bare(*lon, lat));
            features.extend(labels.map(|lon| label([lon, lat], &words)));
        }
        json!({ "type": "FeatureCollection", "features": features })
    }

    fn is_bare(&self, lon_deg: f64, lat_deg: f64) -> bool {
        self.covered.is_none_or(|covered| !covered.contains(LonLat { lon_deg, lat_deg }))
    }
}

/// What a camera shows, within the earth.
pub fn seen(camera: &Camera) -> GeoBox {
    let (first, last) = (place(camera.unproject(0.0, 0.0)), place(camera.unproject(camera.width_px, camera.height_px)));
    let seen =
        GeoBox { west_deg: first.lon_deg, south_deg: last.lat_deg, east_deg: last.lon_deg, north_deg: first.lat_deg };
    with_margin(seen, 0.0)
}

fn axes(camera: &Camera) -> (Axis, Axis) {
    let px_per_deg = camera.scale_px() / 360.0;
    // A degree of latitude is longer in the picture the farther from the equator.
    let stretch = place(camera.center).lat_deg.clamp(-LATITUDE_MAX_DEG, LATITUDE_MAX_DEG).to_radians().cos();
    (Axis::of(px_per_deg), Axis::of(px_per_deg / stretch))
}

/// What is left of a stretch without a hole in it.
fn outside((from, to): (f64, f64), hole: Option<(f64, f64)>) -> impl Iterator<Item = (f64, f64)> {
    let (first, second) = match hole {
        None => ((from, to), (to, to)),
        Some((begin, end)) => ((from, to.min(begin)), (from.max(end), to)),
    };
    [first, second].into_iter().filter(|(from, to)| from < to)
}

fn line(coordinates: [[f64; 2]; 2]) -> Json {
    json!({ "type": "Feature", "properties": {}, "geometry": { "type": "LineString", "coordinates": coordinates } })
}

fn label(coordinates: [f64; 2], words: &str) -> Json {
    let geometry = json!({ "type": "Point", "coordinates": coordinates });
    json!({ "type": "Feature", "properties": { "label": words }, "geometry": geometry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::islands::mercator::local;

    fn camera(lon_deg: f64, lat_deg: f64, zoom: f64, (width_px, height_px): (f64, f64)) -> Camera {
        Camera { center: local(LonLat { lon_deg, lat_deg }), zoom, width_px, height_px }
    }

    /// Lines and labels, as their coordinates and words.
    fn drawn(graticule: &Graticule) -> (Vec<Json>, Vec<(f64, f64, String)>) {
        let json = graticule.geojson();
        let (mut lines, mut labels) = (Vec::new(), Vec::new());
        for feature in json["features"].as_array().unwrap() {
            let at = &feature["geometry"]["coordinates"];
            match feature["properties"]["label"].as_str() {
                Some(words) => labels.push((at[0].as_f64().unwrap(), at[1].as_f64().unwrap(), words.to_owned())),
                None => lines.push(at.clone()),
            }
        }
        (lines, labels)
    }

    #[test]
    fn at_every_zoom_and_size_lines_are_a_hand_apart_and_some_of_them_are_named() {
        for (lon, lat) in [(24.9, 60.2), (-4.4, 36.7), (0.0, 0.0), (-70.0, -33.0), (179.0, 70.0)] {
            for size in [(1376.0, 824.0), (960.0, 624.0), (390.0, 400.0)] {
                for zoom in (6..76).map(|quarter| f64::from(quarter) / 4.0) {
                    let camera = camera(lon, lat, zoom, size);
                    let graticule = Graticule::of(&camera, None);
                    let (lines, labels) = drawn(&graticule);
                    let named = labels.iter().filter(|(lon_deg, lat_deg, _)| {
                        camera.shows(camera.project(local(LonLat { lon_deg: *lon_deg, lat_deg: *lat_deg })), -10.0)
                    });
                    let what = format!("{lon} {lat} at zoom {zoom} in {size:?}");
                    assert!(lines.len() < 80, "{what}: {} lines", lines.len());
                    assert!(named.count() >= 1, "{what}: nothing says where this is");
                    assert!(graticule.is_for(&camera), "{what}");
                }
            }
        }
    }

    #[test]
    fn lines_are_drawn_anew_for_another_zoom_and_beyond_their_margin() {
        let here = camera(24.9, 60.2, 11.0, (1000.0, 800.0));
        let graticule = Graticule::of(&here, None);
        let east = |px: f64| Camera { center: here.unproject(500.0 + px, 400.0), ..here };
        assert!(graticule.is_for(&east(490.0)) && !graticule.is_for(&east(510.0)));
        assert!(!graticule.is_for(&Camera { zoom: 13.0, ..here }));
    }

    #[test]
    fn where_there_are_tiles_there_are_no_lines() {
        let tiles = GeoBox { west_deg: 14.15, south_deg: 35.78, east_deg: 14.6, north_deg: 36.1 };
        let graticule = Graticule::of(&camera(14.4, 35.9, 10.0, (1200.0, 900.0)), Some(tiles));
        let (lines, labels) = drawn(&graticule);
        assert!(!lines.is_empty() && !labels.is_empty());
        assert!(
            labels.iter().all(|(lon_deg, lat_deg, _)| !tiles.contains(LonLat { lon_deg: *lon_deg, lat_deg: *lat_deg }))
        );
        for line in &lines {
            let middle = |part: usize| (line[0][part].as_f64().unwrap() + line[1][part].as_f64().unwrap()) / 2.0;
            assert!(!tiles.contains(LonLat { lon_deg: middle(0), lat_deg: middle(1) }), "{line}");
        }
        let inside = Graticule::of(&camera(14.4, 35.9, 15.0, (1200.0, 900.0)), Some(tiles));
        assert_eq!(drawn(&inside), (Vec::new(), Vec::new()));
    }

    #[test]
    fn degrees_are_written_as_exactly_as_the_lines_stand() {
        for (step, number, want) in [
            (300_000, 1, "30° E"),
            (10_000, -4, "4° W"),
            (5_000, 49, "24.5° E"),
            (2_000, 124, "24.8° E"),
            (500, 499, "24.95° E"),
            (100, 0, "0°"),
            (5, 49_801, "24.9005° E"),
            (2, -5, "0.0010° W"),
            (300_000, 6, "180°"),
        ] {
            assert_eq!(Axis { step, label_every: 1 }.words(number, ("E", "W")), want);
        }
    }
}
