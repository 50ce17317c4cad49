//! Where the demo city's things stand and what they are: the car parks, lamps, bins, chargers and roads of OpenStreetMap, more
//! lamps and bins along real streets, and what OSM does not know, generated and listed as synthetic.

mod assets;
mod bins;
mod car_parks;
mod census;
mod chargers;
mod garages;
mod gateways;
mod lamps;
mod streets;

use std::sync::Arc;

use fleetlens_model::geo::LonLat;

pub use self::assets::ATTRIBUTION;
pub use self::census::Census;
pub use self::gateways::nearest;
use crate::SimError;
use crate::dice::Dice;
use crate::roads::{Node, Roads};

/// Car parks of the whole island.
pub const CAR_PARKS: usize = 824;
/// Lamps of a city of ordinary size: the real ones and some along the main streets.
pub const LAMPS: usize = 300;
/// Bins of the whole island.
pub const BINS: usize = 400;
/// Charging points of the whole island.
pub const CHARGERS: usize = 42;
/// Vehicles of a city of ordinary size.
pub const VEHICLES: usize = 60;
/// Gateways of a city of ordinary size.
pub const GATEWAYS: usize = 24;

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

/// A waste bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    /// Where.
    pub spot: Spot,
    /// What it is for.
    pub holds: Holds,
}

/// What a bin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// What people drop in passing; emptied every day.
    Litter,
    /// Glass, paper, plastics; emptied twice a week.
    Recycling,
    /// What households bring; emptied every other day.
    Household,
}

impl Holds {
    /// What people call such a bin.
    pub fn word(self) -> &'static str {
        match self {
            Self::Litter => "Bin",
            Self::Recycling => "Recycling",
            Self::Household => "Skip",
        }
    }
}

/// A charging point for vehicles.
#[derive(Clone, Debug, PartialEq)]
pub struct ChargePoint {
    /// Where.
    pub spot: Spot,
    /// The most it gives, in kilowatts.
    pub rated_kw: f64,
}

/// Where a vehicle begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Garage {
    /// Where.
    pub spot: Spot,
    /// The crossing it stands at.
    pub node: Node,
}

/// Where a radio gateway hangs.
#[derive(Clone, Debug, PartialEq)]
pub struct Mast {
    /// Where.
    pub spot: Spot,
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
    /// In the order of their names.
    pub bins: Vec<Bin>,
    /// In the order of their names.
    pub chargers: Vec<ChargePoint>,
    /// In the order of their names.
    pub garages: Vec<Garage>,
    /// In the order of their names.
    pub masts: Vec<Mast>,
    /// What the vehicles drive on.
    pub roads: Arc<Roads>,
    /// The crossings at which vehicles charge.
    pub charging: Arc<[Node]>,
}

impl Places {
    /// The same for the same seed and number, and a larger city holds every thing of a smaller one; how many of each kind is
    /// what [`Census`] says. Fails only when the files this was built with are broken.
    pub fn of(things: usize, dice: Dice) -> Result<Self, SimError> {
        let assets = assets::read()?;
        let roads = Roads::read()?;
        let census = Census::of(things);
        let mut lamps = lamps::along(&assets, census.lamps.max(LAMPS), dice);
        let mut bins = bins::of(&assets, census.bins.max(BINS), dice);
        let ordinary = lamps.iter().take(LAMPS).map(|lamp| &lamp.spot);
        let ordinary = ordinary.chain(bins.iter().take(BINS).map(|bin| &bin.spot));
        let masts = gateways::of(&assets, ordinary, census.gateways);
        lamps.truncate(census.lamps);
        bins.truncate(census.bins);
        Ok(Self {
            car_parks: car_parks::of(&assets, census.car_parks, dice),
            lamps,
            bins,
            chargers: chargers::of(&assets, census.chargers, dice),
            garages: garages::of(&assets, &roads, census.vehicles, dice),
            masts,
            charging: garages::charging(&assets, &roads).into(),
            roads,
        })
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
        let Places { car_parks, lamps, bins, chargers, garages, masts, roads: _, charging: _ } = places;
        let standing = car_parks.iter().map(|p| &p.spot).chain(lamps.iter().map(|l| &l.spot));
        let more = bins.iter().map(|b| &b.spot).chain(chargers.iter().map(|c| &c.spot));
        let others = garages.iter().map(|g| &g.spot).chain(masts.iter().map(|m| &m.spot));
        standing.chain(more).chain(others).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_city_and_another_seed_another() {
        assert_eq!(places(1_500, 1), places(1_500, 1));
        assert_ne!(places(1_500, 1), places(1_500, 2));
        let capacities = |seed| places(1_650, seed).car_parks.iter().map(|p| p.capacity).collect::<Vec<_>>();
        assert_ne!(capacities(1), capacities(2));
    }

    #[test]
    fn a_city_has_as_many_things_as_asked_for() {
        for things in [0, 1, 10, 100, 1_650, 1_651, 20_000] {
            let places = places(things, 1);
            let census = Census {
                car_parks: places.car_parks.len(),
                lamps: places.lamps.len(),
                bins: places.bins.len(),
                chargers: places.chargers.len(),
                vehicles: places.garages.len(),
                gateways: places.masts.len(),
            };
            assert_eq!(census, Census::of(things), "{things}");
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
        assert!(apart.len() > 11_850, "{} of 12 000 positions are different", apart.len());
    }

    #[test]
    fn what_osm_knows_is_kept_and_what_it_does_not_know_is_marked() {
        let places = places(1_650, 1);
        let known = |field| places.car_parks.iter().filter(|p| !p.spot.synthetic.contains(&field)).count();
        assert_eq!((known("capacity"), known("capacity_accessible")), (31, 9));
        assert!(known("name") > 50 && known("name") < 100, "{}", known("name"));
        for park in &places.car_parks {
            assert!(park.capacity > 0 && park.accessible + park.charging <= park.capacity, "{park:?}");
        }
        let barriers = places.car_parks.iter().filter(|p| p.barrier).count();
        assert!((30..80).contains(&barriers), "{barriers}");
        let mapped = places.lamps.iter().filter(|l| !l.spot.synthetic.contains(&"lat")).count();
        assert_eq!(mapped, 29, "the real lamps");
        assert!(places.bins.iter().all(|bin| !bin.spot.synthetic.contains(&"lat")), "the real bins");
        let in_valletta = places.lamps.iter().filter(|l| l.spot.area == "Valletta").count();
        assert!(in_valletta > 50, "{in_valletta}");
    }

    #[test]
    fn gateways_hang_in_districts_and_the_nearest_one_carries() {
        let places = places(1_650, 1);
        let spots = places.bins.iter().map(|bin| &bin.spot).chain(places.lamps.iter().map(|lamp| &lamp.spot));
        let mut carries = vec![0; GATEWAYS];
        for spot in spots {
            let nearest = nearest(&places.masts, spot.at).unwrap();
            let far_m = |mast: &Mast| mast.spot.at.distance_m(spot.at);
            let best = places.masts.iter().map(far_m).fold(f64::INFINITY, f64::min);
            assert!(far_m(&places.masts[nearest]) < best * 1.01 + 1.0, "{}", spot.thing);
            carries[nearest] += 1;
        }
        assert!(carries.iter().filter(|carried| (5..=80).contains(*carried)).count() > 15, "{carries:?}");
        let districts: HashSet<_> = places.masts.iter().map(|mast| &mast.spot.area).collect();
        assert_eq!(districts.len(), GATEWAYS);
        assert_eq!(nearest(&[], places.masts[0].spot.at), None);
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
