//! The files of `assets/malta`, as built into the program.

use fleetlens_model::geo::LonLat;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::SimError;

/// What must be shown wherever these places are.
pub const ATTRIBUTION: &str = "© OpenStreetMap contributors";

const PLACES: &str = include_str!("../../../../assets/malta/places.geojson");
const AREAS: &str = include_str!("../../../../assets/malta/areas.json");
const STREETS: &str = include_str!("../../../../assets/malta/streets.json");
const ADDRESSES: &str = include_str!("../../../../assets/malta/addresses.json");

pub(super) struct Assets {
    /// In the file's order.
    pub features: Vec<Feature>,
    pub areas: Vec<Area>,
    /// In the order in which lamps are put along them.
    pub streets: Vec<Street>,
    addresses: Vec<Address>,
}

/// One point of OSM, with the tags this uses.
pub(super) struct Feature {
    pub at: LonLat,
    pub tags: Tags,
}

#[derive(Deserialize)]
pub(super) struct Tags {
    pub kind: String,
    pub name: Option<String>,
    #[serde(rename = "name:en")]
    pub name_en: Option<String>,
    pub parking: Option<String>,
    pub access: Option<String>,
    pub fee: Option<String>,
    pub capacity: Option<String>,
    #[serde(rename = "capacity:disabled")]
    pub accessible: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Area {
    pub name: String,
    at: [f64; 2],
}

#[derive(Deserialize)]
pub(super) struct Street {
    pub name: String,
    pub area: String,
    /// At least two points, degrees east and north.
    pub line: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Address {
    at: [f64; 2],
    street: String,
}

#[derive(Deserialize)]
struct Collection {
    features: Vec<RawFeature>,
}

#[derive(Deserialize)]
struct RawFeature {
    geometry: Geometry,
    properties: Tags,
}

#[derive(Deserialize)]
struct Geometry {
    coordinates: [f64; 2],
}

#[derive(Deserialize)]
struct Areas {
    areas: Vec<Area>,
}

#[derive(Deserialize)]
struct Streets {
    streets: Vec<Street>,
}

#[derive(Deserialize)]
struct Addresses {
    addresses: Vec<Address>,
}

pub(super) fn read() -> Result<Assets, SimError> {
    let collection: Collection = parse("places.geojson", PLACES)?;
    let features = collection.features.into_iter().filter_map(|raw| {
        let [lon, lat] = raw.geometry.coordinates;
        Some(Feature { at: LonLat::new(lon, lat)?, tags: raw.properties })
    });
    Ok(Assets {
        features: features.collect(),
        areas: parse::<Areas>("areas.json", AREAS)?.areas,
        streets: parse::<Streets>("streets.json", STREETS)?.streets,
        addresses: parse::<Addresses>("addresses.json", ADDRESSES)?.addresses,
    })
}

fn parse<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, SimError> {
    serde_json::from_str(text).map_err(|error| SimError::Asset { file, why: error.to_string() })
}

impl Assets {
    /// The nearest city, town or village.
    pub fn area(&self, at: LonLat) -> String {
        let nearest = self.areas.iter().min_by(|a, b| a.distance_m(at).total_cmp(&b.distance_m(at)));
        nearest.map_or_else(|| "Malta".to_owned(), |area| area.name.clone())
    }

    /// The street the recipe found for a point of `places.geojson`.
    pub fn street(&self, at: LonLat) -> Option<String> {
        let here = |address: &&Address| address.at == [at.lon_deg, at.lat_deg];
        self.addresses.iter().find(here).map(|address| address.street.clone())
    }

    /// Points of a kind, in the file's order.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Feature> {
        self.features.iter().filter(move |feature| feature.tags.kind == kind)
    }
}

impl Area {
    /// Its centre.
    pub fn at(&self) -> Option<LonLat> {
        LonLat::new(self.at[0], self.at[1])
    }

    fn distance_m(&self, at: LonLat) -> f64 {
        self.at().map_or(f64::INFINITY, |centre| centre.distance_m(at))
    }
}
