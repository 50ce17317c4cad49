//! The history of a shadow: what a document says otherwise than the one before it, leaf by leaf, and who made it so.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::leaf::{escape, newest_s};
use super::{Document, Object, same_value};
use crate::id::CommandId;
use crate::identity::Actor;
use crate::time::WallMs;

/// Leaves that one [`Change`] names; of more it says how many they are.
pub const LEAVES_MAX: usize = 32;

/// The longest value and the longest pointer of a [`ChangedLeaf`], in characters; of a longer one the beginning and `…`.
pub const TEXT_MAX_CHARS: usize = 256;

/// Changes of one shadow that are kept, the newest.
pub const CHANGES_KEPT: u64 = 500;

/// The longest [`Author::Other`] token, in characters; whoever makes one cuts it ([`shortened`]).
pub const TOKEN_MAX_CHARS: usize = 12;

/// One change of a shadow: leaves that became otherwise at once, as far as we heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its number among the changes of all shadows: from 1, rising. Those of one shadow may have any numbers between them.
    pub seq: u64,
    /// The shadow's version with it.
    pub version: u64,
    /// When we heard of it.
    pub heard_ms: WallMs,
    /// Who made it.
    pub by: Author,
    /// What changed, at least one leaf and at most [`LEAVES_MAX`]: `desired` first.
    pub leaves: Vec<ChangedLeaf>,
    /// How many leaves changed beyond those.
    pub more: u32,
}

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// The device: only it writes `reported`.
    Device,
    /// A person here, by a command; also whoever took one back.
    Person {
        /// Who.
        actor: Actor,
        /// The command.
        command: CommandId,
    },
    /// This program, which takes a command back whose time ran out.
    Program {
        /// The command.
        command: CommandId,
    },
    /// Another app.
    Other {
        /// Its request's token, where it had one; at most [`TOKEN_MAX_CHARS`], without hidden characters.
        token: Option<String>,
    },
    /// Whoever did it did it unheard: while we were away, or in a message that never came. It may be several, at several times.
    Unheard,
}

/// Which section a leaf belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What apps want.
    Desired,
    /// What the device says.
    Reported,
}

/// One value that became another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedLeaf {
    /// In which section.
    pub side: Side,
    /// From the section's root (RFC 6901); at most [`TEXT_MAX_CHARS`].
    pub pointer: String,
    /// What it was, as JSON text of at most [`TEXT_MAX_CHARS`]; `None` where it was not there.
    pub before: Option<String>,
    /// What it is; `None` where it is gone.
    pub after: Option<String>,
    /// When, by the service's clock where its metadata say so, in whole seconds; else when we heard of it.
    pub at_ms: WallMs,
}

impl Change {
    /// When the last of its leaves changed.
    pub fn at_ms(&self) -> WallMs {
        self.leaves.iter().map(|leaf| leaf.at_ms).max().unwrap_or(self.heard_ms)
    }
}

/// The leaves that `after` holds otherwise than `before`, at most [`LEAVES_MAX`], and how many there are beyond those. Numbers are
/// compared by value, and when a value was said last is no difference. Arrays and empty objects are leaves.
pub fn between(before: &Document, after: &Document, heard: WallMs) -> (Vec<ChangedLeaf>, u32) {
    let mut found = Found { heard, leaves: Vec::new(), more: 0 };
    let nothing = Object::new();
    for (side, was, is, times) in [
        (Side::Desired, &before.desired, &after.desired, &after.desired_meta),
        (Side::Reported, &before.reported, &after.reported, &after.reported_meta),
    ] {
        found.objects(side, "", was.as_ref().unwrap_or(&nothing), is.as_ref().unwrap_or(&nothing), Some(times));
    }
    (found.leaves, found.more)
}

struct Found {
    heard: WallMs,
    leaves: Vec<ChangedLeaf>,
    more: u32,
}

impl Found {
    fn objects(&mut self, side: Side, above: &str, was: &Object, is: &Object, times: Option<&Object>) {
        let time = |key: &String| times.and_then(|times| times.get(key));
        for (key, value) in was {
            self.values(side, above, key, (Some(value), is.get(key)), time(key));
        }
        for (key, value) in is.iter().filter(|(key, _)| !was.contains_key(*key)) {
            self.values(side, above, key, (None, Some(value)), time(key));
        }
    }

    fn values(
        &mut self,
        side: Side,
        above: &str,
        key: &str,
        (was, is): (Option<&Value>, Option<&Value>),
        time: Option<&Value>,
    ) {
        if let (Some(was), Some(is)) = (was, is)
            && same_value(was, is)
        {
            return;
        }
        let pointer = format!("{above}/{}", escape(key));
        let (inner_was, inner_is) = (was.and_then(branch), is.and_then(branch));
        // A leaf in the place of a branch is one that came or went, beside all of the branch.
        let (leaf_was, leaf_is) = (was.filter(|_| inner_was.is_none()), is.filter(|_| inner_is.is_none()));
        if leaf_was.is_some() || leaf_is.is_some() {
            self.leaf(side, &pointer, leaf_was, leaf_is, time);
        }
        if inner_was.is_some() || inner_is.is_some() {
            let nothing = Object::new();
            let (was, is) = (inner_was.unwrap_or(&nothing), inner_is.unwrap_or(&nothing));
            self.objects(side, &pointer, was, is, time.and_then(Value::as_object));
        }
    }

    fn leaf(&mut self, side: Side, pointer: &str, was: Option<&Value>, is: Option<&Value>, time: Option<&Value>) {
        if self.leaves.len() >= LEAVES_MAX {
            self.more = self.more.saturating_add(1);
            return;
        }
        // What is gone has no time of its own any more.
        let at_ms = is.and(time).and_then(newest_s).map_or(self.heard, WallMs::from_s);
        let text = |value: &Value| shortened(value.to_string(), TEXT_MAX_CHARS);
        self.leaves.push(ChangedLeaf {
            side,
            pointer: shortened(pointer.to_owned(), TEXT_MAX_CHARS),
            before: was.map(text),
            after: is.map(text),
            at_ms,
        });
    }
}

/// An object with something in it, which is no leaf.
fn branch(value: &Value) -> Option<&Object> {
    value.as_object().filter(|inner| !inner.is_empty())
}

/// A text of at most so many characters: of a longer one the beginning and `…`.
pub fn shortened(text: String, most_chars: usize) -> String {
    if text.len() <= most_chars || text.chars().nth(most_chars).is_none() {
        return text;
    }
    text.chars().take(most_chars.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HEARD: WallMs = WallMs(1_700_000_009_000);

    fn document(desired: Value, reported: Value) -> Document {
        let object = |value: Value| value.as_object().cloned();
        Document { desired: object(desired), reported: object(reported), ..Document::default() }
    }

    fn told(before: &Document, after: &Document) -> Vec<String> {
        let told = |leaf: &ChangedLeaf| {
            let side = if leaf.side == Side::Desired { "d" } else { "r" };
            let value = |json: &Option<String>| json.clone().unwrap_or_else(|| "–".into());
            format!("{side} {} {} → {}", leaf.pointer, value(&leaf.before), value(&leaf.after))
        };
        between(before, after, HEARD).0.iter().map(told).collect()
    }

    #[test]
    fn what_is_otherwise_is_told_leaf_by_leaf_and_what_is_not_is_not() {
        let nothing = Value::Null;
        for (name, before, after, want) in [
            ("the same", (json!({"a": 1}), json!({"b": [1]})), (json!({"a": 1.0}), json!({"b": [1]})), vec![]),
            (
                "one of two",
                (json!({"a": 1, "b": 2}), json!({})),
                (json!({"a": 1, "b": 3}), json!({})),
                vec!["d /b 2 → 3"],
            ),
            (
                "both sections",
                (json!({"a": 1}), json!({"a": 0})),
                (json!({"a": 2}), json!({"a": 1})),
                vec!["d /a 1 → 2", "r /a 0 → 1"],
            ),
            (
                "a section that comes",
                (nothing.clone(), json!({})),
                (json!({"a": "x"}), json!({})),
                vec!["d /a – → \"x\""],
            ),
            ("a section that goes", (json!({"a": 1}), json!({})), (nothing, json!({})), vec!["d /a 1 → –"]),
            (
                "within a branch",
                (json!({}), json!({"net": {"a/b": 1, "c": 2}})),
                (json!({}), json!({"net": {"a/b": 5, "c": 2}})),
                vec!["r /net/a~1b 1 → 5"],
            ),
            (
                "a leaf where a branch was",
                (json!({"net": {"a": 1, "b": 2}}), json!({})),
                (json!({"net": 7}), json!({})),
                vec!["d /net – → 7", "d /net/a 1 → –", "d /net/b 2 → –"],
            ),
            (
                "a list is one leaf",
                (json!({"l": [1, 2]}), json!({})),
                (json!({"l": [1, 3]}), json!({})),
                vec!["d /l [1,2] → [1,3]"],
            ),
            ("an empty object is a leaf", (json!({}), json!({})), (json!({"e": {}}), json!({})), vec!["d /e – → {}"]),
        ] {
            let (before, after) = (document(before.0, before.1), document(after.0, after.1));
            assert_eq!(told(&before, &after), want, "{name}");
            assert!(told(&after, &after).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_leaf_has_the_time_its_metadata_say_and_what_is_gone_the_time_it_was_missed() {
        let meta = json!({"a": {"timestamp": 1_700_000_001}, "l": [{"timestamp": 3}, {"timestamp": 1_700_000_002}]});
        let after = Document {
            desired_meta: meta.as_object().unwrap().clone(),
            ..document(json!({"a": 1, "l": [1, 2], "x": 1}), Value::Null)
        };
        let (leaves, _) = between(&document(json!({"gone": 1}), Value::Null), &after, HEARD);
        let times: Vec<_> = leaves.iter().map(|leaf| (leaf.pointer.as_str(), leaf.at_ms)).collect();
        let s = WallMs::from_s;
        assert_eq!(times, [("/gone", HEARD), ("/a", s(1_700_000_001)), ("/l", s(1_700_000_002)), ("/x", HEARD)]);
    }

    #[test]
    fn many_leaves_are_counted_and_long_ones_cut() {
        let many: Object = (0..40).map(|n| (format!("leaf-{n:02}"), json!(n))).collect();
        let (leaves, more) = between(&Document::default(), &document(Value::Object(many), Value::Null), HEARD);
        assert_eq!((leaves.len(), more), (LEAVES_MAX, 8));
        let long = document(json!({"k".repeat(300): "ü".repeat(300)}), Value::Null);
        let (leaves, _) = between(&Document::default(), &long, HEARD);
        let after = leaves[0].after.clone().unwrap();
        assert_eq!((after.chars().count(), leaves[0].pointer.chars().count()), (TEXT_MAX_CHARS, TEXT_MAX_CHARS));
        assert!(after.starts_with("\"üü") && after.ends_with('…'), "{after}");
        let fits = document(json!({"a": "ü".repeat(TEXT_MAX_CHARS - 2)}), Value::Null);
        let after = between(&Document::default(), &fits, HEARD).0[0].after.clone().unwrap();
        assert!(after.ends_with('"'), "{after}");
    }
}
