//! Orders over the things that change only when a description does: by kind, and by title as people read it. Kept as things come,
//! so that a count or a sorted table does not begin with a walk over the whole city.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use fleetlens_model::described::Described;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::search::found_by;

use super::Thing;
use super::keyed::Keyed;

/// The longest run of digits that is compared by its worth; longer ones compare as text.
const DIGITS_MAX: u8 = 40;

/// Who is where in the orders of descriptions.
#[derive(Debug, Default)]
pub(crate) struct Index {
    kinds: BTreeMap<Kind, BTreeSet<ThingKey>>,
    /// Made when somebody first looks at a table, since a start and a program without a window need none.
    titles: OnceLock<BTreeSet<(String, ThingKey)>>,
    /// What each is found by, made when somebody first looks for something.
    words: OnceLock<Keyed<ThingKey, Box<str>>>,
    changes: u64,
}

impl Index {
    /// A thing is described like this from now on.
    pub(super) fn enter(&mut self, thing: &Thing) {
        self.kinds.entry(thing.meta.common.kind).or_default().insert(thing.key);
        if let Some(titles) = self.titles.get_mut() {
            titles.insert((natural(thing.title()), thing.key));
        }
        if let Some(all) = self.words.get_mut() {
            all.insert(thing.key, words(thing));
        }
        self.changes += 1;
    }

    /// A thing is about to be described otherwise.
    pub(super) fn leave(&mut self, thing: &Thing) {
        if let Some(things) = self.kinds.get_mut(&thing.meta.common.kind) {
            things.remove(&thing.key);
        }
        if let Some(titles) = self.titles.get_mut() {
            titles.remove(&(natural(thing.title()), thing.key));
        }
    }

    /// The things of a kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = ThingKey> + '_ {
        self.kinds.get(&kind).into_iter().flatten().copied()
    }

    /// How many things there are of each kind, in the order of [`Kind::ALL`]; kinds without things left out.
    pub(crate) fn counts(&self) -> Vec<(Kind, u32)> {
        let count = |kind| u32::try_from(self.kinds.get(&kind).map_or(0, BTreeSet::len)).unwrap_or(u32::MAX);
        Kind::ALL.into_iter().map(|kind| (kind, count(kind))).filter(|(_, count)| *count > 0).collect()
    }

    /// Every thing by title, numbers in it by their worth.
    pub(crate) fn by_title(&self, things: &Keyed<ThingKey, Thing>) -> impl DoubleEndedIterator<Item = ThingKey> + '_ {
        let all = || things.values().map(|thing| (natural(thing.title()), thing.key)).collect();
        self.titles.get_or_init(all).iter().map(|(_, key)| *key)
    }

    /// What a thing is found by: title, name, street and area in lower case.
    pub(crate) fn words(&self, thing: ThingKey, things: &Keyed<ThingKey, Thing>) -> &str {
        let all = || {
            let mut all = Keyed::default();
            things.values().for_each(|thing| all.insert(thing.key, words(thing)));
            all
        };
        self.words.get_or_init(all).get(&thing).map_or("", |words| words)
    }

    /// Rises whenever a thing is new or described otherwise.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }
}

fn words(thing: &Thing) -> Box<str> {
    let Described { title, street, area, .. } = &thing.meta;
    found_by(title, thing.name.as_str(), street, area).into()
}

/// A text as a key whose byte order is the order people expect: case does not count, and a number counts by its worth. A run of
/// digits is written as its length without leading zeros, one character below every letter, and the digits.
pub(crate) fn natural(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut key = String::with_capacity(lower.len() + 4);
    let mut rest = lower.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (words, number) = rest.split_at(at);
        let (digits, after) = number.split_at(number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len()));
        let worth = digits.trim_start_matches('0');
        key.push_str(words);
        key.push(char::from(b'0' + u8::try_from(worth.len()).map_or(DIGITS_MAX, |len| len.min(DIGITS_MAX))));
        key.push_str(worth);
        rest = after;
    }
    key.push_str(rest);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_title_count_by_their_worth() {
        let want = [
            "Bin",
            "Bin 0",
            "bin 7",
            "Bin 9",
            "BIN 10",
            "Bin 10a",
            "Bin 99999999999",
            "Bin A",
            "Lamp 2-3",
            "Lamp 2-11",
            "Lamp 10-1",
        ];
        for (i, pair) in want.windows(2).enumerate() {
            assert!(natural(pair[0]) < natural(pair[1]), "{i}: {pair:?}");
        }
        assert_eq!(natural("Lamp 007"), natural("lamp 7"));
        assert!(natural(&"9".repeat(50)) > natural(&"1".repeat(50)), "longer than anybody counts, as text");
    }
}
