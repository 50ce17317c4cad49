//! Which things a table shows, in which order, and how far an order has drifted from one that was made earlier.

use std::cmp::Ordering;
use std::collections::HashMap;

use fleetlens_ipc::{Search, SortBy, ThingsQuery};
use fleetlens_model::group::Group;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::Mistake;
use fleetlens_model::time::Now;

use crate::fleet::{Finder, Fleet, Series, Thing};
use crate::window::map::status_of;
use crate::window::page::heard_age_ms;

/// A query, ready to be asked often.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) query: ThingsQuery,
    finder: Finder,
}

impl Order {
    pub(super) fn new(query: ThingsQuery, groups: &[Group]) -> Order {
        let ThingsQuery { text, kinds, group, only, .. } = query.clone();
        Order { query, finder: Finder::new(Search { text, kinds, group, only }, groups) }
    }

    /// What is wrong with what it is asked for; then it is of nothing.
    pub(super) fn mistake(&self) -> Option<&Mistake> {
        self.finder.mistake()
    }

    /// Whether only descriptions decide about it, and no value, age or command.
    pub(super) fn goes_by_description(&self) -> bool {
        self.finder.goes_by_description() && matches!(self.query.sort, SortBy::Title | SortBy::Kind | SortBy::Place)
    }

    /// Every thing the query finds, in its order as of now.
    pub(super) fn make(&self, fleet: &Fleet, now: Now) -> Vec<ThingKey> {
        let mut titled = self.finder.by_title(fleet, now);
        if matches!(self.query.sort, SortBy::Title) && self.query.descending {
            titled.reverse();
        }
        let found: Vec<&Thing> = titled.iter().filter_map(|key| fleet.things.get(key)).collect();
        let by_rank = |thing: &Thing| Kind::ALL.iter().position(|kind| *kind == thing.meta.common.kind);
        match self.query.sort {
            SortBy::Title => titled,
            SortBy::Kind => self.sorted(&found, by_rank, Ord::cmp),
            SortBy::Place => self.sorted(&found, place, Ord::cmp),
            SortBy::Value => self.sorted(&found, |thing| main_value(thing, fleet)?.1.number(), f64::total_cmp),
            SortBy::Heard => self.sorted(&found, |thing| heard_age_ms(thing, now), Ord::cmp),
            SortBy::Status => self.sorted(&found, |thing| Some(status_of(thing)), Ord::cmp),
            SortBy::Distance(from) => {
                self.sorted(&found, |thing| thing.place().map(|at| from.distance_m(at)), f64::total_cmp)
            }
        }
    }

    /// By a key, those without one last either way. The sort is stable and `found` stands by title: so does what is equal.
    fn sorted<'a, K>(
        &self,
        found: &[&'a Thing],
        key: impl Fn(&'a Thing) -> Option<K>,
        compare: impl Fn(&K, &K) -> Ordering,
    ) -> Vec<ThingKey> {
        let mut keyed: Vec<(Option<K>, ThingKey)> = found.iter().map(|thing| (key(thing), thing.key)).collect();
        keyed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) if self.query.descending => compare(b, a),
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        keyed.into_iter().map(|(_, key)| key).collect()
    }
}

/// Area, then street.
fn place(thing: &Thing) -> Option<(&str, &str)> {
    let place = (thing.meta.area.as_str(), thing.meta.street.as_str());
    (place != ("", "")).then_some(place)
}

/// The value that stands for a thing in a table, with its pointer: its kind's main one, else its first by pointer.
pub(super) fn main_value<'a>(thing: &'a Thing, fleet: &'a Fleet) -> Option<(&'a str, &'a Series)> {
    let said = |series: &'a Series| series.device_ms().map(|_| (series.pointer.as_str(), series));
    let main = thing.meta.common.kind.main_field().and_then(|field| fleet.series_at(thing, field.pointer));
    main.and_then(said).or_else(|| thing.series.iter().filter_map(|key| fleet.series.get(&key)).find_map(said))
}

/// How far an order has drifted from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drift {
    /// The fewest things that would have to be put elsewhere.
    elsewhere: usize,
    new: usize,
    gone: usize,
    /// All that stood there stand there in the same order.
    pub(super) only_new: bool,
}

impl Drift {
    /// How many things would stand elsewhere, be new or leave.
    pub(super) fn moved(self) -> u32 {
        u32::try_from(self.elsewhere + self.new + self.gone).unwrap_or(u32::MAX)
    }
}

/// What lies between two orders. One thing that goes from the top to the bottom is one that moves, not all that close up behind it:
/// those that stay are the longest run of things that stand in both in the same order (patience sorting).
pub(super) fn drift(held: &[ThingKey], fresh: &[ThingKey]) -> Drift {
    let places: HashMap<ThingKey, usize> = held.iter().enumerate().map(|(place, key)| (*key, place)).collect();
    let mut common = 0;
    // The lowest last place of a run of each length so far.
    let mut runs: Vec<usize> = Vec::new();
    for place in fresh.iter().filter_map(|key| places.get(key)) {
        common += 1;
        let longer_than = runs.partition_point(|last| last < place);
        match runs.get_mut(longer_than) {
            Some(last) => *last = *place,
            None => runs.push(*place),
        }
    }
    let (new, gone) = (fresh.len() - common, held.len() - common);
    let elsewhere = common - runs.len();
    Drift { elsewhere, new, gone, only_new: elsewhere == 0 && gone == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_counts_those_that_move_and_not_those_that_close_up() {
        for (name, held, fresh, moved, only_new) in [
            ("the same", vec![1, 2, 3, 4], vec![1, 2, 3, 4], 0, true),
            ("the first goes last", vec![1, 2, 3, 4], vec![2, 3, 4, 1], 1, false),
            ("the other way round", vec![1, 2, 3, 4], vec![4, 3, 2, 1], 3, false),
            ("one is new", vec![1, 2], vec![1, 3, 2], 1, true),
            ("one left", vec![1, 2, 3], vec![1, 3], 1, false),
            ("one left, one is new, one moves", vec![1, 2, 3, 4], vec![5, 3, 4, 1], 3, false),
            ("all are new", vec![], vec![1, 2], 2, true),
        ] {
            let keys = |order: Vec<u32>| order.into_iter().map(ThingKey).collect::<Vec<_>>();
            let drift = drift(&keys(held), &keys(fresh));
            assert_eq!((drift.moved(), drift.only_new), (moved, only_new), "{name}");
        }
    }
}
