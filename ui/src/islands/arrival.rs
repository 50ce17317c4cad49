//! Where the map begins, and how it follows a fleet that is still arriving: at first, and never against a person's hand. Pure.

use fleetlens_ipc::rows::{Ground, TileSet};
use fleetlens_model::geo::{GeoBox, LonLat};

use super::map::Covered;
use super::mercator::{Camera, local, place};

/// Where the map of the built-in tiles begins: Valletta, close enough for its streets.
const VALLETTA: Sight = Sight { center: LonLat { lon_deg: 14.507, lat_deg: 35.8955 }, zoom: 14.1 };

/// Where a map begins of which nobody knows anything: all of the earth.
const EARTH: Sight = Sight { center: LonLat { lon_deg: 10.0, lat_deg: 25.0 }, zoom: 1.5 };

/// How long a fleet that has begun to arrive is followed, in milliseconds: a broker tells what is retained in the first seconds, and
/// vehicles speak every few.
pub const ARRIVES_MS: f64 = 20_000.0;

/// The closest that the map comes to a fleet by itself, e.g. to one that is a single thing: its street and the next ones.
const CLOSEST: f64 = 15.0;

/// What the map shows, without its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// The middle of the picture.
    pub center: LonLat,
    /// MapLibre's zoom.
    pub zoom: f64,
}

/// A picture's size in CSS pixels, and what lies over its edges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Its width.
    pub width_px: f64,
    /// Its height.
    pub height_px: f64,
    /// What lies over it.
    pub covered: Covered,
}

impl Sight {
    /// All of a box in the free part of a picture.
    pub fn of(area: GeoBox, frame: Frame) -> Sight {
        let Frame { width_px, height_px, covered } = frame;
        let low = local(LonLat { lon_deg: area.west_deg, lat_deg: area.north_deg });
        let high = local(LonLat { lon_deg: area.east_deg, lat_deg: area.south_deg });
        let free = (width_px - covered.right_px, height_px - covered.top_px - covered.bottom_px);
        let (middle, zoom) = Camera::fitting(low, high, free.0, free.1);
        let camera = Camera { center: middle, zoom: zoom.clamp(0.0, CLOSEST), width_px, height_px };
        // As far as the middle of what is free lies from the middle of the picture, the picture's lies on the other side of the box's.
        let center = camera
            .unproject((width_px + covered.right_px) / 2.0, (height_px - covered.top_px + covered.bottom_px) / 2.0);
        Sight { center: place(center), zoom: camera.zoom }
    }

    /// As one word, for the page's storage.
    pub fn word(self) -> String {
        format!("{:.6} {:.6} {:.2}", self.center.lon_deg, self.center.lat_deg, self.zoom)
    }

    /// The inverse of [`Sight::word`]; `None` for anything else.
    pub fn from_word(word: &str) -> Option<Sight> {
        let mut numbers = word.split(' ').map(|part| part.parse::<f64>().ok());
        let mut next = || numbers.next().flatten();
        let (center, zoom) = (LonLat::new(next()?, next()?)?, next()?);
        ((0.0..=24.0).contains(&zoom) && numbers.next().is_none()).then_some(Sight { center, zoom })
    }

    /// Where a map begins: where the person left it, else where the fleet is, else where its tiles are.
    pub fn first(left: Option<Sight>, ground: &Ground, frame: Frame) -> Sight {
        let fleet = ground.fleet.filter(|fleet| !is_home(*fleet, &ground.tiles));
        match (left, fleet, ground.tiles.bounds) {
            (Some(left), _, _) => left,
            (None, Some(fleet), _) => Sight::of(fleet, frame),
            (None, None, _) if ground.tiles.built_in => VALLETTA,
            (None, None, Some(bounds)) => Sight::of(bounds, frame),
            (None, None, None) => EARTH,
        }
    }
}

/// Whether a fleet lives where the built-in tiles have a beginning of their own.
fn is_home(fleet: GeoBox, tiles: &TileSet) -> bool {
    let middle =
        LonLat { lon_deg: (fleet.west_deg + fleet.east_deg) / 2.0, lat_deg: (fleet.south_deg + fleet.north_deg) / 2.0 };
    tiles.built_in && tiles.bounds.is_some_and(|bounds| bounds.contains(middle))
}

/// How far the fleet's arrival is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Arrival {
    /// Nothing with a place is known.
    #[default]
    Awaited,
    /// It has begun to arrive, and the map shows what there was of it.
    Followed {
        /// When the first of it came, by the window's monotonic clock.
        since_ms: f64,
        /// What the map shows of it.
        shown: GeoBox,
    },
    /// The map moves by a person's hand only.
    Over,
}

impl Arrival {
    /// The arrival on a map that began just now.
    pub fn begin(left: Option<Sight>, fleet: Option<GeoBox>, now_ms: f64) -> Arrival {
        match (left, fleet) {
            (Some(_), _) => Arrival::Over,
            (None, Some(shown)) => Arrival::Followed { since_ms: now_ms, shown },
            (None, None) => Arrival::Awaited,
        }
    }

    /// The fleet is here now; what the map goes to, if it is to move.
    pub fn fleet_is(&mut self, ground: &Ground, now_ms: f64) -> Option<GeoBox> {
        let fleet = ground.fleet?;
        let since_ms = match *self {
            Arrival::Over => return None,
            Arrival::Awaited => now_ms,
            Arrival::Followed { .. } if self.is_done(now_ms) => {
                *self = Arrival::Over;
                return None;
            }
            Arrival::Followed { shown, .. } if covers(shown, fleet) => return None,
            Arrival::Followed { since_ms, .. } => since_ms,
        };
        *self = Arrival::Followed { since_ms, shown: fleet };
        (!is_home(fleet, &ground.tiles)).then_some(fleet)
    }

    /// Whether the map goes along with it.
    pub fn is_followed(self) -> bool {
        matches!(self, Arrival::Followed { .. })
    }

    /// Whether it was followed for long enough.
    pub fn is_done(self, now_ms: f64) -> bool {
        matches!(self, Arrival::Followed { since_ms, .. } if now_ms - since_ms > ARRIVES_MS)
    }

    /// Whether nothing more of it moves the map.
    pub fn is_over(self) -> bool {
        self == Arrival::Over
    }
}

fn covers(area: GeoBox, other: GeoBox) -> bool {
    area.contains(LonLat { lon_deg: other.west_deg, lat_deg: other.south_deg })
        && area.contains(LonLat { lon_deg: other.east_deg, lat_deg: other.north_deg })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame =
        Frame { width_px: 1376.0, height_px: 824.0, covered: Covered { top_px: 0.0, right_px: 0.0, bottom_px: 0.0 } };
    const MALTA: GeoBox = GeoBox { west_deg: 14.15, south_deg: 35.78, east_deg: 14.6, north_deg: 36.1 };
    const HELSINKI: GeoBox = GeoBox { west_deg: 24.6, south_deg: 60.1, east_deg: 25.2, north_deg: 60.4 };

    fn ground(fleet: Option<GeoBox>) -> Ground {
        Ground { fleet, tiles: TileSet { bounds: Some(MALTA), built_in: true, ..TileSet::default() } }
    }

    fn own(fleet: Option<GeoBox>, bounds: Option<GeoBox>) -> Ground {
        Ground { fleet, tiles: TileSet { bounds, ..TileSet::default() } }
    }

    #[test]
    fn a_map_begins_where_it_was_left_else_at_the_fleet_else_at_its_tiles() {
        let left = Sight { center: LonLat { lon_deg: 1.0, lat_deg: 2.0 }, zoom: 9.0 };
        let in_malta = GeoBox { west_deg: 14.2, east_deg: 14.5, ..MALTA };
        for (name, left, ground, want) in [
            ("left somewhere", Some(left), ground(Some(HELSINKI)), left),
            ("a fleet elsewhere", None, ground(Some(HELSINKI)), Sight::of(HELSINKI, FRAME)),
            ("the demo city", None, ground(Some(in_malta)), VALLETTA),
            ("nothing known", None, ground(None), VALLETTA),
            ("own tiles, nothing known", None, own(None, Some(HELSINKI)), Sight::of(HELSINKI, FRAME)),
            ("own tiles, a fleet", None, own(Some(in_malta), Some(MALTA)), Sight::of(in_malta, FRAME)),
            ("nothing at all", None, own(None, None), EARTH),
        ] {
            assert_eq!(Sight::first(left, &ground, FRAME), want, "{name}");
        }
    }

    #[test]
    fn a_box_is_shown_whole_and_a_single_thing_with_its_streets() {
        let sight = Sight::of(HELSINKI, FRAME);
        let corners = |sight: Sight, Frame { width_px, height_px, .. }| {
            let camera = Camera { center: local(sight.center), zoom: sight.zoom, width_px, height_px };
            [(24.6, 60.4), (25.2, 60.1)].map(|(lon_deg, lat_deg)| camera.project(local(LonLat { lon_deg, lat_deg })))
        };
        let [(west, north), (east, south)] = corners(sight, FRAME);
        assert!(west > 100.0 && north > 100.0 && east < 1276.0 && south < 724.0, "{west} {north} {east} {south}");
        let covered = Covered { top_px: 120.0, right_px: 60.0, bottom_px: 48.0 };
        let phone = Frame { width_px: 390.0, height_px: 480.0, covered };
        let [(west, north), (east, south)] = corners(Sight::of(HELSINKI, phone), phone);
        assert!(west > 0.0 && north > 120.0 && east < 330.0 && south < 432.0, "{west} {north} {east} {south}");
        assert!(
            (west + east - 330.0).abs() < 1.0 && (north + south - 552.0).abs() < 2.0,
            "in the middle of what is free"
        );
        let one = GeoBox { east_deg: 24.6, north_deg: 60.1, ..HELSINKI };
        assert_eq!(Sight::of(one, FRAME).zoom, CLOSEST);
        assert!(Sight::of(GeoBox::EARTH, phone).zoom >= 0.0);
    }

    #[test]
    fn an_arriving_fleet_is_followed_for_a_while_and_then_never_again() {
        let first = GeoBox { west_deg: 24.9, south_deg: 60.2, east_deg: 24.9, north_deg: 60.2 };
        let mut arrival = Arrival::begin(None, None, 0.0);
        assert_eq!(arrival.fleet_is(&ground(None), 60_000.0), None, "however long it takes");
        assert_eq!(arrival.fleet_is(&ground(Some(first)), 90_000.0), Some(first));
        assert_eq!(arrival.fleet_is(&ground(Some(HELSINKI)), 91_000.0), Some(HELSINKI), "the rest of it");
        assert_eq!(arrival.fleet_is(&ground(Some(first)), 92_000.0), None, "within what is shown");
        let wider = GeoBox { west_deg: 20.0, ..HELSINKI };
        assert_eq!(arrival.fleet_is(&ground(Some(wider)), 90_001.0 + ARRIVES_MS), None, "it has arrived");
        assert!(arrival.is_over());
        let mut arrival = Arrival::begin(None, Some(MALTA), 0.0);
        assert_eq!(arrival.fleet_is(&ground(Some(GeoBox { east_deg: 14.7, ..MALTA })), 10.0), None, "at home");
        assert!(!arrival.is_over());
        let left = Sight::from_word("24.9 60.2 12");
        assert!(Arrival::begin(left, Some(HELSINKI), 0.0).is_over(), "a person chose what to look at");
    }

    #[test]
    fn a_sight_comes_back_from_its_word_and_nothing_else_is_one() {
        let sight = Sight { center: LonLat { lon_deg: -4.421_375, lat_deg: 36.72 }, zoom: 13.25 };
        assert_eq!(Sight::from_word(&sight.word()), Some(sight));
        for wrong in ["", "1 2", "1 2 3 4", "200 0 3", "1 2 99", "NaN 2 3", "1,2,3", "0 0 3"] {
            assert_eq!(Sight::from_word(wrong), None, "{wrong:?}");
        }
    }
}
