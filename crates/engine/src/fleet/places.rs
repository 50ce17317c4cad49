//! What the fleet's places are called: districts and streets in which things are, for who looks for one of them, or names it in a search.

use std::collections::HashMap;

use fleetlens_ipc::PLACES_MAX;
use fleetlens_ipc::rows::PlaceRow;
use fleetlens_model::geo::{GeoBox, LonLat};
use fleetlens_model::kind::Kind;
use fleetlens_model::query::{TEXT_MAX_BYTES, Vocabulary};

use super::{Fleet, Thing};

/// Districts that are told for searches, those with the most things: more make no list to choose from.
const AREAS_TOLD: usize = 500;

/// Words that a place is looked for by; each is looked for in each name, and no street is called by more.
const WORDS_MAX: usize = 8;

/// A place that is meant: how many things are there, and where.
struct Place<'a> {
    name: &'a str,
    within: &'a str,
    is_street: bool,
    area: GeoBox,
    things: u32,
}

/// What stands in one street of one district, either of which may be unknown.
struct Stretch<'a> {
    street: &'a str,
    district: &'a str,
    things: u32,
    /// Those of which it is known where they are, and where that is.
    placed: u32,
    area: Option<GeoBox>,
}

impl Fleet {
    /// Districts and streets whose names have all of these words, first the one of just that name, then those that begin so, then those with the most things. By a walk
    /// through all things, once each time somebody asks; names are looked at once each. A text that is longer than any search is no name.
    pub(super) fn places(&self, text: &str, limit: u32) -> Vec<PlaceRow> {
        if text.len() > TEXT_MAX_BYTES {
            return Vec::new();
        }
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX).collect();
        let Some(first) = words.first() else { return Vec::new() };
        let whole = words.join(" ");
        let has = |name: &str| words.iter().all(|word| name.contains(word));
        // Whether it is meant, for each name that was met.
        let mut places: HashMap<(&str, &str, bool), Option<Place<'_>>> = HashMap::new();
        for stretch in self.stretches() {
            let Some(area) = stretch.area else { continue };
            for (name, within, is_street) in [(stretch.district, "", false), (stretch.street, stretch.district, true)] {
                if name.is_empty() {
                    continue;
                }
                // A street is found by its district as well, but not by that alone.
                let is_meant = || {
                    let lower = name.to_lowercase();
                    let of_itself = words.iter().any(|word| lower.contains(word));
                    of_itself && has(&format!("{lower} {}", within.to_lowercase()))
                };
                let new = || is_meant().then_some(Place { name, within, is_street, area, things: 0 });
                if let Some(place) = places.entry((name, within, is_street)).or_insert_with(new) {
                    let GeoBox { west_deg, south_deg, east_deg, north_deg } = area;
                    let south_west = LonLat { lon_deg: west_deg, lat_deg: south_deg };
                    place.area = place.area.with(south_west).with(LonLat { lon_deg: east_deg, lat_deg: north_deg });
                    place.things += stretch.placed;
                }
            }
        }
        let mut found: Vec<Place<'_>> = places.into_values().flatten().collect();
        found.sort_by_cached_key(|place| {
            let lower = place.name.to_lowercase();
            (
                lower != whole,
                !lower.starts_with(first),
                place.is_street,
                std::cmp::Reverse(place.things),
                place.name,
                place.within,
            )
        });
        found.truncate(limit.clamp(1, PLACES_MAX) as usize);
        let row = |place: Place<'_>| PlaceRow {
            name: place.name.to_owned(),
            within: place.within.to_owned(),
            is_street: place.is_street,
            area: place.area,
            things: place.things,
        };
        found.into_iter().map(row).collect()
    }

    /// Districts and rules, for what can come next in a search. Whoever does not see everything searches for nothing.
    pub(super) fn words_of_searches(&self) -> Vocabulary {
        if !self.config.who.role.sees_everything() {
            return Vocabulary::default();
        }
        let mut things: HashMap<&str, u32> = HashMap::new();
        for stretch in self.stretches().into_iter().filter(|stretch| !stretch.district.is_empty()) {
            *things.entry(stretch.district).or_default() += stretch.things;
        }
        let mut areas: Vec<(u32, &str)> = things.into_iter().map(|(area, things)| (things, area)).collect();
        areas.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
        areas.truncate(AREAS_TOLD);
        Vocabulary {
            areas: areas.into_iter().map(|(_, area)| area.to_owned()).collect(),
            rules: self.config.rules.iter().map(|rule| rule.id.clone()).collect(),
            ..Vocabulary::default()
        }
    }

    /// The streets of the districts with what is seen there. Equal names mostly lie in memory once, and are told apart by where: those that
    /// do not are here twice.
    fn stretches(&self) -> Vec<Stretch<'_>> {
        let mut stretches: HashMap<(usize, usize), Stretch<'_>> = HashMap::new();
        for thing in self.things.values().filter(|thing| self.is_seen(thing)) {
            let (street, district): (&str, &str) = (&thing.meta.street, &thing.meta.area);
            let new = || Stretch { street, district, things: 0, placed: 0, area: None };
            let lies = (street.as_ptr() as usize, district.as_ptr() as usize);
            let stretch = stretches.entry(lies).or_insert_with(new);
            stretch.things += 1;
            if let Some(at) = thing.place() {
                stretch.placed += 1;
                stretch.area = Some(stretch.area.map_or_else(|| GeoBox::of(at), |area| area.with(at)));
            }
        }
        stretches.into_values().collect()
    }

    /// Whether who is at the screen sees a thing: a driver car parks, everybody else everything.
    pub(crate) fn is_seen(&self, thing: &Thing) -> bool {
        self.config.who.role.sees_everything() || thing.meta.common.kind == Kind::Parking
    }
}
