//! What few things have any of: commands, open alarms. Eight bytes in each thing, and memory only where there is something.

use std::collections::BTreeSet;
use std::collections::btree_set::Iter;
use std::ops::Deref;

/// A set that mostly is empty; it is read as the [`BTreeSet`] that it is.
#[derive(Clone, Debug)]
#[expect(clippy::box_collection, reason = "an empty set takes three times as much where it stands")]
pub struct Seldom<T: 'static>(Option<Box<BTreeSet<T>>>);

impl<T> Seldom<T> {
    const NONE: &'static BTreeSet<T> = &BTreeSet::new();
}

impl<T> Default for Seldom<T> {
    fn default() -> Seldom<T> {
        Seldom(None)
    }
}

impl<T> Deref for Seldom<T> {
    type Target = BTreeSet<T>;

    fn deref(&self) -> &BTreeSet<T> {
        self.0.as_deref().unwrap_or(Seldom::NONE)
    }
}

impl<'a, T> IntoIterator for &'a Seldom<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: Ord> Seldom<T> {
    /// Adds a value; true when it was not there.
    pub fn insert(&mut self, value: T) -> bool {
        self.0.get_or_insert_default().insert(value)
    }

    /// Takes a value away; true when it was there. With the last one the memory goes too.
    pub fn remove(&mut self, value: &T) -> bool {
        let was_there = self.0.as_mut().is_some_and(|set| set.remove(value));
        self.0.take_if(|set| set.is_empty());
        was_there
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_and_holds_no_memory_for_nothing(done in proptest::collection::vec((any::<bool>(), 0u8..6), 0..40)) {
            let (mut seldom, mut set) = (Seldom::default(), BTreeSet::new());
            for (comes, value) in done {
                let (one, other) =
                    if comes { (seldom.insert(value), set.insert(value)) } else { (seldom.remove(&value), set.remove(&value)) };
                prop_assert_eq!(one, other);
                prop_assert_eq!(&*seldom, &set);
                prop_assert_eq!(seldom.0.is_none(), set.is_empty());
            }
        }
    }

    #[test]
    fn it_takes_eight_bytes() {
        assert_eq!(size_of::<Seldom<u64>>(), 8);
    }
}
