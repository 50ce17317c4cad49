//! What is known by a key that the fleet itself hands out in order: a place in a row instead of a search, which every value of every
//! message would begin with.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use fleetlens_model::id::{SeriesKey, ThingKey};

/// How far ahead of the row a key may be and still lengthen it. A cache that somebody wrote by hand may hold any key.
const GAP_MAX: usize = 4_096;

/// A key that is a small number.
pub(crate) trait Number: Copy {
    fn number(self) -> u32;
    fn of(number: u32) -> Self;
}

impl Number for ThingKey {
    fn number(self) -> u32 {
        self.0
    }

    fn of(number: u32) -> ThingKey {
        ThingKey(number)
    }
}

impl Number for SeriesKey {
    fn number(self) -> u32 {
        self.0
    }

    fn of(number: u32) -> SeriesKey {
        SeriesKey(number)
    }
}

/// A map in the order of its keys.
#[derive(Debug)]
pub(crate) struct Keyed<K, V> {
    row: Vec<Option<V>>,
    /// Keys far beyond the row; all of them are higher than those of the row.
    far: BTreeMap<u32, V>,
    count: usize,
    key: PhantomData<K>,
}

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Keyed<K, V> {
        Keyed { row: Vec::new(), far: BTreeMap::new(), count: 0, key: PhantomData }
    }
}

impl<K: Number, V> Keyed<K, V> {
    /// Makes room for so many more, and a few beyond them, so that a row that is filled at a start is not moved again and again.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.row.reserve_exact(more.saturating_add(more / 16).saturating_add(1));
    }

    /// Puts a value in its place; what was there is gone.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let number = key.number();
        let at = number as usize;
        let before = if at < self.row.len() + GAP_MAX {
            if at >= self.row.len() {
                self.row.resize_with(at + 1, || None);
                // What the row reached is in it.
                let beyond = self.far.split_off(&number);
                for (number, value) in std::mem::replace(&mut self.far, beyond) {
                    if let Some(place) = self.row.get_mut(number as usize) {
                        *place = Some(value);
                    }
                }
            }
            let far = self.far.remove(&number);
            self.row.get_mut(at).and_then(|place| place.replace(value)).or(far)
        } else {
            self.far.insert(number, value)
        };
        self.count += usize::from(before.is_none());
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self.row.get(key.number() as usize) {
            Some(place) => place.as_ref(),
            None => self.far.get(&key.number()),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.row.get_mut(key.number() as usize) {
            Some(place) => place.as_mut(),
            None => self.far.get_mut(&key.number()),
        }
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The key after the highest; the first is 1.
    pub(crate) fn next_key(&self) -> K {
        let far = self.far.last_key_value().map(|(number, _)| *number);
        let near = || self.row.iter().rposition(Option::is_some).and_then(|at| u32::try_from(at).ok());
        K::of(far.or_else(near).unwrap_or(0) + 1)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.row.iter().flatten().chain(self.far.values())
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.row.iter_mut().flatten().chain(self.far.values_mut())
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let near =
            self.row.iter().enumerate().filter_map(|(at, place)| Some((u32::try_from(at).ok()?, place.as_ref()?)));
        near.chain(self.far.iter().map(|(number, value)| (*number, value)))
            .map(|(number, value)| (K::of(number), value))
    }
}

/// Only tests look without asking.
#[cfg(test)]
impl<K: Number, V> std::ops::Index<&K> for Keyed<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).unwrap_or_else(|| panic!("there is nothing at {}", key.number()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_out_of_all_order_costs_no_memory() {
        let mut keyed = Keyed::<SeriesKey, u8>::default();
        keyed.insert(SeriesKey(u32::MAX - 1), 1);
        keyed.insert(SeriesKey(1), 2);
        assert!(keyed.row.len() < 10);
        assert_eq!((keyed.len(), keyed.next_key()), (2, SeriesKey(u32::MAX)));
        assert_eq!(keyed.values().copied().collect::<Vec<_>>(), [2, 1]);
    }

    proptest! {
        #[test]
        fn it_is_a_map_in_the_order_of_its_keys(
            inserted in proptest::collection::vec((prop_oneof![0u32..50, 0u32..20_000], any::<u8>()), 0..200),
        ) {
            let (mut keyed, mut map) = (Keyed::<ThingKey, u8>::default(), BTreeMap::new());
            for (key, value) in inserted {
                keyed.insert(ThingKey(key), value);
                map.insert(ThingKey(key), value);
                prop_assert_eq!(keyed.get(&ThingKey(key)), Some(&value));
            }
            prop_assert_eq!(keyed.len(), map.len());
            prop_assert!(keyed.iter().eq(map.iter().map(|(key, value)| (*key, value))));
            prop_assert!(keyed.values().eq(map.values()));
            prop_assert_eq!(keyed.next_key().0, map.last_key_value().map_or(0, |(last, _)| last.0) + 1);
        }
    }
}
