//! Which things are meant by what a person looks for.

use fleetlens_ipc::{Only, Search};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::search::Words;

use super::{Fleet, Thing};

/// A search, ready to be asked of many things.
#[derive(Debug)]
pub(crate) struct Finder {
    search: Search,
    words: Words,
}

impl Finder {
    pub(crate) fn new(search: Search) -> Finder {
        let words = Words::typed(&search.text);
        Finder { search, words }
    }

    /// Whether only descriptions decide about it, and no value, age or command.
    pub(crate) fn goes_by_description(&self) -> bool {
        self.search.only == Only::All
    }

    /// Whether a thing is meant.
    pub(crate) fn finds(&self, thing: &Thing, fleet: &Fleet) -> bool {
        let Search { kinds, group, only, .. } = &self.search;
        (kinds.is_empty() || kinds.contains(&thing.meta.common.kind))
            && (self.words.is_empty() || self.words.are_in(fleet.index.words(thing.key, &fleet.things)))
            && (group.is_empty() || fleet.group(group).is_some_and(|group| fleet.is_in(group, thing)))
            && match only {
                Only::All => true,
                Only::Alarmed => !thing.alarms.is_empty(),
                Only::Silent => matches!(thing.silence.freshness(), Freshness::Silent { .. }),
                Only::Pending => fleet.waiting_of(thing).next().is_some(),
            }
    }
}
