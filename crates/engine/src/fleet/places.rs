//! What the fleet's places are called: districts and streets in which things are, for who looks for one of them, or names it in a search.

use std::collections::HashMap;

use fleetlens_ipc::PLACES_MAX;
use fleetlens_ipc::rows::PlaceRow;
use fleetlens_model::geo::GeoBox;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::Vocabulary;

use super::{Fleet, Thing};

/// Districts that are told for searches, those with the most things: more make no list to choose from.
const AREAS_TOLD: usize = 500;

/// A place while things are gone through: how many are there, and where.
struct Place<'a> {
    name: &'a str,
    within: &'a str,
    is_street: bool,
    area: GeoBox,
    things: u32,
}

impl Fleet {
    /// Districts and streets whose names have all of these words, first the one of just that name, then those that begin so, then those with the most things. By a walk
    /// through all things, once each time somebody asks.
    pub(super) fn places(&self, text: &str, limit: u32) -> Vec<PlaceRow> {
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(first) = words.first() else { return Vec::new() };
        let whole = words.join(" ");
        let has = |name: &str| words.iter().all(|word| name.contains(word));
        // Whether it is meant, for each name that was met.
        let mut places: HashMap<(&str, &str, bool), Option<Place<'_>>> = HashMap::new();
        for thing in self.things.values().filter(|thing| self.is_seen(thing)) {
            let Some(at) = thing.place() else { continue };
            let (street, area): (&str, &str) = (&thing.meta.street, &thing.meta.area);
            for (name, within, is_street) in [(area, "", false), (street, area, true)] {
                if name.is_empty() {
                    continue;
                }
                // A street is found by its district as well, but not by that alone.
                let is_meant = || {
                    let lower = name.to_lowercase();
                    let of_itself = words.iter().any(|word| lower.contains(word));
                    of_itself && has(&format!("{lower} {}", within.to_lowercase()))
                };
                let new = || is_meant().then(|| Place { name, within, is_street, area: GeoBox::of(at), things: 0 });
                if let Some(place) = places.entry((name, within, is_street)).or_insert_with(new) {
                    place.area = place.area.with(at);
                    place.things += 1;
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
        for thing in self.things.values().filter(|thing| !thing.meta.area.is_empty()) {
            *things.entry(&thing.meta.area).or_default() += 1;
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

    /// Whether who is at the screen sees a thing: a driver car parks, everybody else everything.
    pub(crate) fn is_seen(&self, thing: &Thing) -> bool {
        self.config.who.role.sees_everything() || thing.meta.common.kind == Kind::Parking
    }
}
