//! What the command palette asks of the host: things, places of the fleet, names of the map; and the words that searches can be completed
//! with.

use fleetlens_ipc::rows::{FoundRow, MapName, PlaceRow};
use fleetlens_ipc::{Done, Intent, Look};
use fleetlens_model::geo::GeoBox;
use fleetlens_model::query::Vocabulary;
use leptos::prelude::*;

use super::Store;
use super::section::Section;
use super::views::Target;

/// How many things the palette lists, so few that places are seen below them; all of them are one line away, in the table.
pub const THINGS_LISTED: u32 = 7;

/// How many places of the fleet it lists.
const PLACES_LISTED: u32 = 6;

/// A place that a person wants to see on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// What it is called.
    pub name: String,
    /// All of it; of a name on the map only where that stands.
    pub area: GeoBox,
    /// How close a name on the map is looked at, in MapLibre's zoom; of what has a size the whole of it is shown.
    pub zoom: Option<f64>,
}

/// What was found for a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The text, which may be older than what stands in the box; empty while nothing was looked for.
    pub text: String,
    /// Things, best first.
    pub things: Vec<FoundRow>,
    /// Districts and streets of the fleet, best first.
    pub places: Vec<PlaceRow>,
}

/// Answers to what was asked last, until all of them are there.
#[derive(Clone, Debug, Default)]
struct Coming {
    text: String,
    things: Option<Vec<FoundRow>>,
    places: Option<Vec<PlaceRow>>,
}

/// What was found for the palette. Copy: it is a bundle of signals.
#[derive(Clone, Copy)]
pub struct Palette {
    /// Whether it is there.
    pub open: RwSignal<bool>,
    /// What was found last. Things and places change together, so that a list changes once for each text.
    pub found: RwSignal<Found>,
    /// Names that stand on the map; asked once for each map.
    pub map_names: RwSignal<Vec<MapName>>,
    /// Where somebody wants to look, and how often somebody wanted that.
    pub spot: RwSignal<Option<(u32, Spot)>>,
    coming: StoredValue<Coming>,
    has_asked: StoredValue<bool>,
}

impl Palette {
    pub(super) fn new() -> Palette {
        Palette {
            open: RwSignal::new(false),
            found: RwSignal::new(Found::default()),
            map_names: RwSignal::new(Vec::new()),
            spot: RwSignal::new(None),
            coming: StoredValue::new(Coming::default()),
            has_asked: StoredValue::new(false),
        }
    }

    /// The things that were looked for.
    pub(super) fn take(self, things: Vec<FoundRow>) {
        self.coming.update_value(|coming| coming.things = Some(things));
        self.settle();
    }

    /// What is told of them later. The list stays in its order while somebody may be about to choose from it.
    pub(super) fn change(self, things: Vec<FoundRow>) {
        let keys = |rows: &[FoundRow]| rows.iter().map(|row| row.thing).collect::<Vec<_>>();
        if self.found.with_untracked(|found| keys(&found.things) == keys(&things)) {
            self.found.update(|found| found.things = things);
        }
    }

    fn take_places(self, text: &str, places: Vec<PlaceRow>) {
        self.coming.update_value(|coming| {
            if coming.text == text {
                coming.places = Some(places);
            }
        });
        self.settle();
    }

    fn settle(self) {
        let found = self.coming.try_update_value(|coming| match (&mut coming.things, &mut coming.places) {
            (Some(things), Some(places)) => {
                let (things, places) = (std::mem::take(things), std::mem::take(places));
                Some(Found { text: std::mem::take(coming).text, things, places })
            }
            (Some(_) | None, Some(_) | None) => None,
        });
        if let Some(found) = found.flatten() {
            self.found.set(found);
        }
    }

    /// Another fleet, and perhaps another map.
    pub(super) fn clear(self) {
        self.open.set(false);
        self.map_names.set(Vec::new());
        self.has_asked.set_value(false);
    }
}

impl Store {
    /// Looks for things, where somebody may see them, and for places; an empty text ends both. What was found before stays until all of the
    /// answer is there.
    pub fn seek(self, text: &str, sees_things: bool) {
        let text = text.trim().to_owned();
        let things = (!sees_things).then(Vec::new);
        self.palette.coming.set_value(Coming { text: text.clone(), things, places: None });
        if text.is_empty() {
            self.palette.found.set(Found::default());
            self.away(Target::Palette);
            return;
        }
        if sees_things {
            self.look(Target::Palette, Look::Find { text: text.clone(), limit: THINGS_LISTED });
        }
        let intent = Intent::Places { text: text.clone(), limit: PLACES_LISTED };
        let pick = |done| if let Done::Places(places) = done { Some(places) } else { None };
        // Without an answer there are none: the things are shown all the same.
        self.ask_for(intent, pick, move |found| self.palette.take_places(&text, found.unwrap_or_default()));
    }

    /// Asks for the names of the map, once.
    pub fn ask_for_map_names(self) {
        if self.palette.has_asked.get_value() {
            return;
        }
        self.palette.has_asked.set_value(true);
        let pick = |done| if let Done::MapNames(names) = done { Some(names) } else { None };
        self.ask_for(Intent::MapNames, pick, move |names| match names {
            Ok(names) => self.palette.map_names.set(names),
            Err(_) => self.palette.has_asked.set_value(false),
        });
    }

    /// Asks for what can be named in a search. A fault leaves what was known: it only completes what somebody types.
    pub fn ask_for_words(self) {
        let pick = |done| if let Done::Words(words) = done { Some(*words) } else { None };
        self.ask_for(Intent::Words, pick, move |words| {
            if let Ok(words) = words
                && self.words.with_untracked(|known| *known != words)
            {
                self.words.set(words);
            }
        });
    }

    /// Shows a place on the map.
    pub fn show_spot(self, spot: Spot) {
        self.go(Section::Map);
        let times = self.palette.spot.with_untracked(|last| last.as_ref().map_or(0, |(times, _)| *times));
        self.palette.spot.set(Some((times + 1, spot)));
    }
}

/// Nothing known yet.
pub(super) fn no_words() -> RwSignal<Vocabulary> {
    RwSignal::new(Vocabulary::default())
}
