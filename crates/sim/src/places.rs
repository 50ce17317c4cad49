//! Where the demo city's things stand and what they are: the car parks and lamps of OpenStreetMap, more lamps along real streets,
//! and what OSM does not know, generated and listed as synthetic.

mod assets;
mod car_parks;
mod lamps;

pub use assets::ATTRIBUTION;
use fleetlens_model::geo::LonLat;

use crate::SimError;
use crate::dice::Dice;

/// Car parks of the whole island.
pub const CAR_PARKS: usize = 824;
/// Lamps of a city of ordinary size: the real ones and some along the main streets.
pub const LAMPS: usize = 300;

/// What every thing has on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// The thing's name: `lamp-0417`, `parking-0033`; valid for AWS.
    pub thing: String,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub at: LonLat,
    /// The nearest city, town or village.
    pub area: String,
    /// The street, where one is near.
    pub street: Option<String>,
    /// The fields of its description that nobody measured or mapped.
    pub synthetic: Vec<&'static str>,
}

/// A car park.
#[derive(Clone, Debug, PartialEq)]
pub struct CarPark {
    /// Where.
    pub spot: Spot,
    /// All spaces, of every class.
    pub capacity: u32,
    /// Spaces for people with a badge, among `capacity`.
    pub accessible: u32,
    /// Spaces with a charger, among `capacity`.
    pub charging: u32,
    /// Whether there is a barrier to steer.
    pub barrier: bool,
    /// OSM's `access`, where it says.
    pub access: Option<String>,
    /// Whether parking costs money, where OSM says.
    pub fee: Option<bool>,
    /// Who fills it.
    pub used_for: UsedFor,
}

/// A street lamp.
#[derive(Clone, Debug, PartialEq)]
pub struct LampPost {
    /// Where.
    pub spot: Spot,
    /// Power at full light, in watts.
    pub rated_w: f64,
}

/// What people come to a car park for; its day follows from it. Generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedFor {
    /// Work: full in the morning.
    Offices,
    /// Living: full at night.
    Homes,
    /// Shopping: full in the late morning and the late afternoon.
    Shops,
    /// Restaurants and bars: full in the evening.
    Evenings,
    /// Swimming: full around noon, at weekends most.
    Beach,
}

/// The places of a city of `things` things.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// In the order of their names.
    pub car_parks: Vec<CarPark>,
    /// In the order of their names.
    pub lamps: Vec<LampPost>,
}

impl Places {
    /// The same for the same seed and number, and a larger city holds every thing of a smaller one.
    ///
    /// Up to 1 124 things keep the proportion of car parks and lamps; beyond that more lamps line the streets. Fails only when
    /// the files this was built with are broken.
    pub fn of(things: usize, dice: Dice) -> Result<Self, SimError> {
        let assets = assets::read()?;
        let car_parks =
            if things >= CAR_PARKS + LAMPS { CAR_PARKS } else { (things * CAR_PARKS).div_ceil(CAR_PARKS + LAMPS) };
        let lamps = lamps::along(&assets, things.saturating_sub(car_parks), dice);
        Ok(Self { car_parks: car_parks::of(&assets, car_parks, dice), lamps })
    }
}

/// A name as it may stand in a topic and a thing's name: lower case, without accents, words joined by `-`.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'ħ' => 'h',
            'ġ' => 'g',
            'ċ' => 'c',
            'ż' => 'z',
            'à' | 'á' => 'a',
            'è' | 'é' => 'e',
            'ì' | 'í' => 'i',
            'ò' | 'ó' => 'o',
            'ù' | 'ú' => 'u',
            c if c.is_ascii_alphanumeric() => c,
            '\'' | '’' | '`' => continue,
            _ => '-',
        };
        if plain != '-' || !slug.is_empty() && !slug.ends_with('-') {
            slug.push(plain);
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use fleetlens_model::shadow::parse_thing_name;

    use super::*;

    fn places(things: usize, seed: u64) -> Places {
        Places::of(things, Dice::new(seed)).unwrap()
    }

    fn spots(places: &Places) -> Vec<&Spot> {
        places.car_parks.iter().map(|p| &p.spot).chain(places.lamps.iter().map(|l| &l.spot)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_city_and_another_seed_another() {
        assert_eq!(places(1_500, 1), places(1_500, 1));
        assert_ne!(places(1_500, 1), places(1_500, 2));
        let capacities = |seed| places(1_124, seed).car_parks.iter().map(|p| p.capacity).collect::<Vec<_>>();
        assert_ne!(capacities(1), capacities(2));
    }

    #[test]
    fn a_city_has_as_many_things_as_asked_for() {
        for (things, car_parks) in [(0, 0), (1, 1), (10, 8), (100, 74), (1_124, 824), (1_125, 824), (20_000, 824)] {
            let places = places(things, 1);
            assert_eq!((places.car_parks.len(), places.lamps.len()), (car_parks, things - car_parks), "{things}");
        }
    }

    #[test]
    fn a_larger_city_holds_every_thing_of_a_smaller_one() {
        let (small, large) = (places(200, 3), places(5_000, 3));
        let large: HashSet<_> = spots(&large).into_iter().map(|spot| format!("{spot:?}")).collect();
        for spot in spots(&small) {
            assert!(large.contains(&format!("{spot:?}")), "{spot:?}");
        }
    }

    #[test]
    fn every_thing_has_a_valid_unique_name_and_stands_on_malta() {
        let places = places(12_000, 1);
        let mut names = HashSet::new();
        for spot in spots(&places) {
            assert!(parse_thing_name(&spot.thing).is_ok() && names.insert(&spot.thing), "{}", spot.thing);
            assert!((14.15..14.60).contains(&spot.at.lon_deg) && (35.78..36.10).contains(&spot.at.lat_deg), "{spot:?}");
            assert!(!spot.name.is_empty() && !slug(&spot.area).is_empty(), "{spot:?}");
        }
        let apart: HashSet<_> =
            spots(&places).iter().map(|s| ((s.at.lon_deg * 1e6) as i64, (s.at.lat_deg * 1e6) as i64)).collect();
        assert!(apart.len() > 11_900, "{} of 12 000 positions are different", apart.len());
    }

    #[test]
    fn what_osm_knows_is_kept_and_what_it_does_not_know_is_marked() {
        let places = places(1_124, 1);
        let known = |field| places.car_parks.iter().filter(|p| !p.spot.synthetic.contains(&field)).count();
        assert_eq!((known("capacity"), known("accessible")), (31, 9));
        assert!(known("name") > 50 && known("name") < 100, "{}", known("name"));
        for park in &places.car_parks {
            assert!(park.capacity > 0 && park.accessible + park.charging <= park.capacity, "{park:?}");
        }
        let barriers = places.car_parks.iter().filter(|p| p.barrier).count();
        assert!((30..80).contains(&barriers), "{barriers}");
        let mapped = places.lamps.iter().filter(|l| !l.spot.synthetic.contains(&"lat")).count();
        assert_eq!(mapped, 29, "the real lamps");
        let in_valletta = places.lamps.iter().filter(|l| l.spot.area == "Valletta").count();
        assert!(in_valletta > 50, "{in_valletta}");
    }

    #[test]
    fn a_slug_is_plain_letters() {
        for (name, want) in [
            ("Valletta", "valletta"),
            ("Ħaż-Żebbuġ", "haz-zebbug"),
            ("Ta' Xbiex", "ta-xbiex"),
            ("Saint Julian's", "saint-julians"),
            ("  L-Imġarr / Mġarr ", "l-imgarr-mgarr"),
            ("Pietà", "pieta"),
        ] {
            assert_eq!(slug(name), want);
        }
    }
}
