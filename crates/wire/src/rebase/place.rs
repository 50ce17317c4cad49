//! Where in the text of a payload its values stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use fleetlens_model::shadow::pointer_of;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Where the numbers, words and texts stand that these plain pointers lead to. Of a name that is there twice the last counts, as
/// it does for who reads the message. `text` is known to be JSON, and not deeply nested: each level is a call.
pub fn find(text: &str, wanted: &BTreeSet<String>) -> Option<Vec<Range<usize>>> {
    let mut walk = Walk { text, wanted, found: BTreeMap::new() };
    walk.value(0, String::new())?;
    let mut found: Vec<Range<usize>> = walk.found.into_values().collect();
    found.sort_by_key(|at| at.start);
    Some(found)
}

struct Walk<'a> {
    text: &'a str,
    wanted: &'a BTreeSet<String>,
    found: BTreeMap<String, Range<usize>>,
}

impl Walk<'_> {
    /// Goes through the value that begins there; gives its end.
    fn value(&mut self, at: usize, pointer: String) -> Option<usize> {
        let at = self.past_space(at);
        match self.text.as_bytes().get(at)? {
            b'{' => self.members(at + 1, |walk, at, _| {
                let key = walk.read::<String>(at)?;
                let name: String = serde_json::from_str(walk.text.get(key.clone())?).ok()?;
                let colon = walk.past_space(key.end);
                Some((colon + 1, format!("{pointer}{}", pointer_of([name.as_str()]))))
            }),
            b'[' => self.members(at + 1, |_, at, number| Some((at, format!("{pointer}/{number}")))),
            _ => {
                let value = self.read::<IgnoredAny>(at)?;
                let end = value.end;
                if self.wanted.contains(&pointer) {
                    self.found.insert(pointer, value);
                }
                Some(end)
            }
        }
    }

    /// Goes through what stands between brackets; `begin` says, from where a member begins, where its value does and its pointer.
    fn members(
        &mut self,
        mut at: usize,
        begin: impl Fn(&Self, usize, usize) -> Option<(usize, String)>,
    ) -> Option<usize> {
        for number in 0_usize.. {
            at = self.past_space(at);
            match self.text.as_bytes().get(at)? {
                b'}' | b']' => break,
                b',' => at = self.past_space(at + 1),
                _ => {}
            }
            let (value, pointer) = begin(self, at, number)?;
            at = self.value(value, pointer)?;
        }
        Some(at + 1)
    }

    /// The value that begins there, without the space before it.
    fn read<'b, T: Deserialize<'b>>(&'b self, at: usize) -> Option<Range<usize>> {
        let at = self.past_space(at);
        let mut values = serde_json::Deserializer::from_str(self.text.get(at..)?).into_iter::<T>();
        values.next()?.ok()?;
        Some(at..at + values.byte_offset())
    }

    /// The next place with something else than space.
    fn past_space(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_stand() {
        let text = r#" {"a" : [ {"t": 1}, {"t" :2 , "t":-3.0e1}, "}" ,[],{} ], "b~/c":{"":"x\"}\u00e9"} , "n":null} "#;
        for (pointer, want) in [
            ("/a/0/t", Some("1")),
            ("/a/1/t", Some("-3.0e1")),
            ("/a/2", Some("\"}\"")),
            ("/a/4", None),
            ("/a/5", None),
            ("/a/00", None),
            ("/b~0~1c/", Some("\"x\\\"}\\u00e9\"")),
            ("/n", Some("null")),
            ("/n/x", None),
            ("/x", None),
            ("", None),
        ] {
            let found = find(text, &BTreeSet::from([pointer.to_owned()])).unwrap();
            assert_eq!(found.first().and_then(|at| text.get(at.clone())), want, "{pointer}");
        }
        let both = find(text, &["/n", "/a/0/t"].map(str::to_owned).into()).unwrap();
        let both: Vec<_> = both.into_iter().filter_map(|at| text.get(at)).collect();
        assert_eq!(both, ["1", "null"], "in the order of the text");
        assert_eq!(find("12", &BTreeSet::from([String::new()])), Some(vec![Range { start: 0, end: 2 }]));
        for broken in ["", "{", "{\"a\":1", "[1", "nul"] {
            assert_eq!(find(broken, &BTreeSet::new()), None, "{broken}");
        }
    }
}
