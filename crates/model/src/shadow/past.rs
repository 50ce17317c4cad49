//! A shadow as it was before a change of it: the change is taken back, leaf by leaf. What cannot be taken back exactly is not guessed.

use serde_json::Value;

use super::change::{Change, ChangedLeaf, Side, TEXT_MAX_CHARS};
use super::{Document, Object};

impl Document {
    /// The document before this change, which made it what it is; `None` where the change does not tell all of it: it had more leaves
    /// than are named, or what was there before, or where, is cut. When a value that was taken back had been said is not known.
    pub fn before(mut self, change: &Change) -> Option<Document> {
        if change.more > 0 {
            return None;
        }
        // What came goes first: a leaf that took the place of a branch makes room for it again.
        let (gone, changed): (Vec<_>, Vec<_>) = change.leaves.iter().partition(|leaf| leaf.before.is_none());
        for leaf in gone.into_iter().chain(changed) {
            self.take_back(leaf)?;
        }
        self.version = self.version.min(change.version.saturating_sub(1));
        Some(self)
    }

    fn take_back(&mut self, leaf: &ChangedLeaf) -> Option<()> {
        if is_cut(&leaf.pointer) {
            return None;
        }
        let keys: Vec<String> = leaf.pointer.split('/').skip(1).map(unescape).collect();
        let (section, times) = match leaf.side {
            Side::Desired => (&mut self.desired, &mut self.desired_meta),
            Side::Reported => (&mut self.reported, &mut self.reported_meta),
        };
        remove(times, &keys);
        match &leaf.before {
            Some(before) if is_cut(before) => return None,
            Some(before) => put(section.get_or_insert_default(), &keys, serde_json::from_str(before).ok()?)?,
            None => {
                if let Some(inner) = section {
                    remove(inner, &keys);
                }
                section.take_if(|inner| inner.is_empty());
            }
        }
        Some(())
    }
}

/// Whether a text may be only the beginning of one ([`super::change::shortened`]).
fn is_cut(text: &str) -> bool {
    text.ends_with('…') && text.chars().count() >= TEXT_MAX_CHARS
}

/// One key of a JSON pointer (RFC 6901, section 4).
fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

fn put(object: &mut Object, keys: &[String], value: Value) -> Option<()> {
    match keys {
        [] => None,
        [last] => {
            object.insert(last.clone(), value);
            Some(())
        }
        [first, rest @ ..] => {
            let inner = object.entry(first.clone()).or_insert_with(|| Value::Object(Object::new()));
            if !inner.is_object() {
                *inner = Value::Object(Object::new());
            }
            put(inner.as_object_mut()?, rest, value)
        }
    }
}

/// Takes a leaf away, and what holds nothing but it.
fn remove(object: &mut Object, keys: &[String]) {
    match keys {
        [] => {}
        [last] => drop(object.remove(last)),
        [first, rest @ ..] => {
            if let Some(inner) = object.get_mut(first).and_then(Value::as_object_mut) {
                remove(inner, rest);
                if inner.is_empty() {
                    object.remove(first);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::change::{Author, between};
    use super::*;
    use crate::time::WallMs;

    const HEARD: WallMs = WallMs(1_700_000_009_000);

    fn document(version: u64, desired: Value, reported: Value) -> Document {
        let object = |value: Value| value.as_object().cloned();
        Document { desired: object(desired), reported: object(reported), version, ..Document::default() }
    }

    fn change(before: &Document, after: &Document) -> Change {
        let (leaves, more) = between(before, after, HEARD);
        Change { seq: 1, version: after.version, heard_ms: HEARD, by: Author::Unheard, leaves, more }
    }

    fn section() -> impl Strategy<Value = Option<Object>> {
        let leaf =
            prop_oneof![any::<bool>().prop_map(Value::from), (-3_i32..3).prop_map(Value::from), Just(json!([1]))];
        let value = leaf.prop_recursive(2, 8, 3, |inner| {
            prop::collection::btree_map("[ab/~]", inner, 1..3)
                .prop_map(|inner| Value::Object(inner.into_iter().collect()))
        });
        // A section with nothing in it is as good as none: no change tells one from the other.
        let object = prop::collection::btree_map("[a-c]", value, 1..4);
        prop::option::of(object.prop_map(|object| object.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn taking_changes_back_leads_to_what_was_before_them(
            states in prop::collection::vec((section(), section()), 1..6),
        ) {
            let states: Vec<Document> = (1..).zip(states).map(|(version, (desired, reported))| Document { desired, reported, version, ..Document::default() }).collect();
            let mut now = states.last().cloned();
            for pair in states.windows(2).rev() {
                now = now.and_then(|now| now.before(&change(&pair[0], &pair[1])));
                prop_assert_eq!(now.as_ref(), Some(&pair[0]));
            }
        }
    }

    #[test]
    fn what_is_not_told_whole_is_not_guessed() {
        let (few, many) = (document(1, json!({}), json!({"a": 1})), (0..40).map(|n| (format!("l{n}"), json!(n))));
        let many = document(2, json!({}), Value::Object(many.collect()));
        assert_eq!(many.clone().before(&change(&few, &many)), None, "more leaves than are named");
        let long = document(1, json!({"text": "x".repeat(300)}), json!({}));
        let short = document(2, json!({"text": "x"}), json!({}));
        assert_eq!(short.clone().before(&change(&long, &short)), None, "what was there is cut");
        assert_eq!(long.clone().before(&change(&short, &long)).unwrap().desired, short.desired, "what came may be cut");
    }

    #[test]
    fn the_time_of_what_was_taken_back_is_not_known_and_that_of_the_rest_is() {
        let at = |s: i64| json!({"timestamp": s});
        let mut after = document(7, json!({"on": true, "dim": 10}), json!(null));
        after.desired_meta = json!({"on": at(9), "dim": at(3)}).as_object().cloned().unwrap();
        let before = document(5, json!({"on": false, "dim": 10}), json!(null));
        let told = after.clone().before(&change(&before, &after)).unwrap();
        assert_eq!((told.version, told.desired), (6, before.desired));
        assert_eq!(Value::Object(told.desired_meta), json!({"dim": at(3)}));
    }
}
