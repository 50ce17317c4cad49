//! Things that a person chose in the table or on the map, to have them all do something.

use std::collections::BTreeMap;

use fleetlens_ipc::{Search, ThingsQuery};
use fleetlens_model::bulk::Target;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;

/// What is chosen. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Chosen {
    /// One by one, each with its kind.
    pub things: RwSignal<BTreeMap<ThingKey, Kind>>,
    /// All that this search finds, whatever is chosen one by one.
    pub all: RwSignal<Option<Search>>,
    /// The place that was chosen last, from where Shift goes on.
    last: StoredValue<Option<u32>>,
}

/// The search of a table.
pub fn search_of(query: &ThingsQuery) -> Search {
    let ThingsQuery { text, kinds, group, only, .. } = query.clone();
    Search { text, kinds, group, only }
}

/// The places from where somebody chose last to here, when that goes on from there.
fn range(last: Option<u32>, place: u32) -> std::ops::RangeInclusive<u32> {
    let last = last.unwrap_or(place);
    last.min(place)..=last.max(place)
}

impl Chosen {
    pub(super) fn new() -> Chosen {
        let (things, all) = (RwSignal::new(BTreeMap::new()), RwSignal::new(None));
        Chosen { things, all, last: StoredValue::new(None) }
    }

    /// Whether a thing is chosen; tracked.
    pub fn has(self, thing: ThingKey) -> bool {
        self.all.with(Option::is_some) || self.things.with(|things| things.contains_key(&thing))
    }

    /// Chooses the thing at a place, or takes it out again; with `goes_on` chooses all from the last one to it. Where all of a search is
    /// chosen nothing is chosen after it. `at` gives what stands at a place. False, and nothing is changed, where not all of those are
    /// here.
    pub fn toggle(self, place: u32, goes_on: bool, at: impl Fn(u32) -> Option<(ThingKey, Kind)>) -> bool {
        let last = self.last.get_value().filter(|_| goes_on);
        let Some(meant) = range(last, place).map(&at).collect::<Option<Vec<_>>>() else { return false };
        let Some((this, _)) = at(place) else { return false };
        // All but one is no search.
        if self.all.with_untracked(Option::is_some) {
            self.clear();
            return true;
        }
        self.things.update(|things| {
            let is_out = things.contains_key(&this) && last.is_none();
            for (thing, kind) in meant {
                if is_out {
                    things.remove(&thing);
                } else {
                    things.insert(thing, kind);
                }
            }
        });
        self.last.set_value(Some(place));
        true
    }

    /// Nothing is chosen any more.
    pub fn clear(self) {
        self.things.set(BTreeMap::new());
        self.all.set(None);
        self.last.set_value(None);
    }

    /// What is meant; `None` where nothing is chosen. Tracked.
    pub fn target(self) -> Option<Target> {
        if let Some(search) = self.all.get() {
            return Some(Target::Search(search));
        }
        let things: Vec<ThingKey> = self.things.with(|things| things.keys().copied().collect());
        (!things.is_empty()).then_some(Target::Things(things))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: u32) -> Option<(ThingKey, Kind)> {
        (place < 20).then_some((ThingKey(100 + place), Kind::Lamp))
    }

    fn keys(chosen: Chosen) -> Vec<u32> {
        chosen.things.with_untracked(|things| things.keys().map(|thing| thing.0 - 100).collect())
    }

    #[test]
    fn shift_chooses_all_between_and_nothing_where_not_all_of_it_is_here() {
        let chosen = Chosen::new();
        assert!(chosen.toggle(7, true, at), "the first one, with or without Shift");
        assert!(chosen.toggle(4, true, at));
        assert_eq!(keys(chosen), [4, 5, 6, 7]);
        assert!(chosen.toggle(5, false, at));
        assert_eq!(keys(chosen), [4, 6, 7]);
        assert!(!chosen.toggle(30, true, at));
        assert_eq!(keys(chosen), [4, 6, 7]);
        assert_eq!(untrack(|| chosen.target()), Some(Target::Things([104, 106, 107].map(ThingKey).to_vec())));
        chosen.all.set(Some(Search::default()));
        assert_eq!(untrack(|| chosen.target()), Some(Target::Search(Search::default())));
        assert!(chosen.toggle(9, false, at), "all but one is no search");
        assert_eq!(untrack(|| chosen.target()), None);
    }
}
