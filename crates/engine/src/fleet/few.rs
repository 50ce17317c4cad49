//! What a thing has a few of by name: series, shadows. One piece of memory as long as what is in it, since there are hundreds of
//! thousands of them and each changes a few times in its life; a map would bring room for eleven.

use fleetlens_model::shared::SharedText;

/// A map in the order of its names.
#[derive(Clone, Debug, PartialEq)]
pub struct Few<V>(Box<[(SharedText, V)]>);

impl<V> Default for Few<V> {
    fn default() -> Few<V> {
        Few(Box::default())
    }
}

impl<V> Few<V> {
    fn at(&self, name: &str) -> Result<usize, usize> {
        // The classic shadow, which most is asked of. An empty text lies nowhere, and to compare with what lies nowhere takes processors
        // with masked loads (AVX-512) as long as a miss of memory.
        if name.is_empty() {
            return if self.0.first().is_some_and(|(known, _)| known.is_empty()) { Ok(0) } else { Err(0) };
        }
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// What has this name.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.get_key_value(name).map(|(_, value)| value)
    }

    /// What has this name, with the name.
    pub fn get_key_value(&self, name: &str) -> Option<(&SharedText, &V)> {
        let (name, value) = self.0.get(self.at(name).ok()?)?;
        Some((name, value))
    }

    /// What has this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        let at = self.at(name).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether something has this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.at(name).is_ok()
    }

    /// Gives this name to a value; what had it is gone.
    pub fn insert(&mut self, name: SharedText, value: V) {
        match self.at(&name) {
            Ok(at) => {
                if let Some(place) = self.0.get_mut(at) {
                    *place = (name, value);
                }
            }
            Err(at) => {
                let mut all = std::mem::take(&mut self.0).into_vec();
                all.reserve_exact(1);
                all.insert(at, (name, value));
                self.0 = all.into_boxed_slice();
            }
        }
    }

    /// Gives their names to many values at once.
    pub fn extend(&mut self, more: impl IntoIterator<Item = (SharedText, V)>) {
        if self.is_empty() {
            let mut all: Vec<(SharedText, V)> = more.into_iter().collect();
            all.sort_by(|(one, _), (other, _)| one.cmp(other));
            // Of a name that is given twice the last counts, as it does one by one.
            all.reverse();
            all.dedup_by(|(one, _), (other, _)| one == other);
            all.reverse();
            self.0 = all.into_boxed_slice();
        } else {
            more.into_iter().for_each(|(name, value)| self.insert(name, value));
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&SharedText, &V)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Their names.
    pub fn keys(&self) -> impl Iterator<Item = &SharedText> {
        self.0.iter().map(|(name, _)| name)
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// All of them, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

/// Only tests look without asking.
#[cfg(test)]
impl<V> std::ops::Index<&str> for Few<V> {
    type Output = V;

    fn index(&self, name: &str) -> &V {
        self.get(name).unwrap_or_else(|| panic!("nothing is called {name:?}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_the_order_of_its_names(
            at_once in proptest::collection::vec(("[a-f]{0,2}", any::<u8>()), 0..12),
            one_by_one in proptest::collection::vec(("[a-f]{0,2}", any::<u8>()), 0..12),
        ) {
            let (mut few, mut map) = (Few::default(), BTreeMap::new());
            few.extend(at_once.iter().map(|(name, value)| (SharedText::from(name.as_str()), *value)));
            map.extend(at_once);
            for (name, value) in one_by_one {
                few.insert(name.as_str().into(), value);
                map.insert(name, value);
            }
            prop_assert!(few.iter().map(|(name, value)| (name.as_str(), value)).eq(map.iter().map(|(n, v)| (n.as_str(), v))));
            prop_assert_eq!((few.len(), few.is_empty()), (map.len(), map.is_empty()));
            for (name, value) in &map {
                prop_assert_eq!(few.get(name), Some(value));
            }
            prop_assert_eq!(few.get("none"), None);
        }
    }
}
