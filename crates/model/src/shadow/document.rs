//! The document of one shadow, and the one way it changes.

use serde::Serialize;
use serde_json::Value;

use super::limits::DOCUMENT_BYTES;
use super::merge::merge_stamped;
use super::{Leaf, Object, Rejection, delta, is_met, leaf, leaf_at, rules};

/// One shadow, classic or named. The default is the shadow that does not exist: no sections, version 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Document {
    /// What apps want; `None` where there is no such section, `{}` where it is there and empty.
    pub desired: Option<Object>,
    /// What the device says; `None` and `{}` as above.
    pub reported: Option<Object>,
    /// The shape of `desired` with `{"timestamp": epoch seconds}` for every value; arrays have an array.
    pub desired_meta: Object,
    /// The shape of `reported` with `{"timestamp": epoch seconds}` for every value; arrays have an array.
    pub reported_meta: Object,
    /// Rises by one with every accepted update; not reset by a deletion.
    pub version: u64,
    /// When the service sent or last changed it, in epoch seconds.
    pub timestamp_s: i64,
}

/// What a request says about one section.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Section {
    /// Not mentioned: stays as it is.
    #[default]
    Absent,
    /// `null`: the whole section goes.
    Remove,
    /// Merged into what is there.
    Merge(Object),
}

/// A decoded request, for every operation; `get` and `delete` leave the sections absent.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Request {
    /// For the app's section.
    pub desired: Section,
    /// For the device's section.
    pub reported: Section,
    /// The version the sender believes current; left out, no check.
    pub version: Option<u64>,
    /// At most 64 bytes; comes back on the answer.
    pub client_token: Option<String>,
}

/// What an accepted update means for a client's copy; see [`Document::follow`].
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "it is matched where it is made and kept nowhere")]
pub enum Followed {
    /// The update after the one the copy holds: the copy with it.
    Next(Document),
    /// Not newer than the copy: nothing to do.
    Old,
    /// Updates between were missed: only a `get` tells what they did.
    Gap,
}

impl Document {
    /// The document after `request`, at `now_s` (epoch seconds); `self` stays what it was.
    ///
    /// Refuses with 400 (nested too deep, `null` in an array), then 409 (another version than the current one), then 413 (the
    /// merged state over 8 KiB). A request that changes nothing is an update like any other and raises the version.
    pub fn update(&self, request: &Request, now_s: i64) -> Result<Self, Rejection> {
        for section in [&request.desired, &request.reported] {
            if let Section::Merge(patch) = section {
                rules::check(patch)?;
            }
        }
        if request.version.is_some_and(|version| version != self.version) {
            return Err(Rejection::version_conflict());
        }
        let mut next = self.clone();
        apply(&mut next.desired, &mut next.desired_meta, &request.desired, now_s);
        apply(&mut next.reported, &mut next.reported_meta, &request.reported, now_s);
        if next.state_bytes() > DOCUMENT_BYTES {
            return Err(Rejection::too_large());
        }
        next.version += 1;
        next.timestamp_s = now_s;
        Ok(next)
    }

    /// A client's copy after the service accepted an update that made `version` at `timestamp_s` (epoch seconds).
    ///
    /// An accepted update tells only the fields that were asked for, so it can be followed from the version before it alone.
    /// The service has judged it already: its limits are not applied again.
    pub fn follow(&self, desired: &Section, reported: &Section, version: u64, timestamp_s: i64) -> Followed {
        if version <= self.version {
            return Followed::Old;
        }
        if version - self.version > 1 {
            return Followed::Gap;
        }
        let mut next = Self { version, timestamp_s, ..self.clone() };
        apply(&mut next.desired, &mut next.desired_meta, desired, timestamp_s);
        apply(&mut next.reported, &mut next.reported_meta, reported, timestamp_s);
        Followed::Next(next)
    }

    /// Every outstanding desired ≠ reported value, from the root, with the metadata of `desired` for it; `None` when the device
    /// has done all that is wanted. Numbers are compared by value, so that 40 and 40.0 are no difference.
    pub fn delta(&self) -> Option<(Object, Object)> {
        let nothing = Object::new();
        let desired = self.desired.as_ref()?;
        let (state, meta) = delta::between(desired, self.reported.as_ref().unwrap_or(&nothing), &self.desired_meta);
        (!state.is_empty()).then_some((state, meta))
    }

    /// The leaves that are wanted and not reported, by pointer: those of the delta, without numbers that are within the tolerance
    /// of their pointer. It is how far a reported number may be off and still count as obeyed, as with a command.
    pub fn open_leaves(&self, tolerance: impl Fn(&str) -> f64) -> Vec<Leaf> {
        let Some((delta, _)) = self.delta() else { return Vec::new() };
        let is_open = |leaf: &Leaf| {
            let Some(want) = &leaf.desired else { return false };
            let is_so = |have: &Value| is_met(want, have, tolerance(&leaf.pointer));
            leaf_at(&delta, &leaf.pointer).is_some() && !leaf.reported.as_ref().is_some_and(is_so)
        };
        self.leaves().into_iter().filter(is_open).collect()
    }

    /// Every value of both sections by its JSON pointer, sorted by pointer; arrays and empty objects are leaves.
    pub fn leaves(&self) -> Vec<Leaf> {
        leaf::of(self)
    }

    /// Size of the state as compact JSON, in bytes, which is what the quota measures.
    pub fn state_bytes(&self) -> usize {
        #[derive(Serialize)]
        struct State<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            desired: Option<&'a Object>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reported: Option<&'a Object>,
        }
        let mut bytes = Count(0);
        // Writing to a counter and serialising maps with text keys cannot fail; if it did, nothing that large may pass.
        let state = State { desired: self.desired.as_ref(), reported: self.reported.as_ref() };
        serde_json::to_writer(&mut bytes, &state).map_or(usize::MAX, |()| bytes.0)
    }
}

fn apply(section: &mut Option<Object>, meta: &mut Object, change: &Section, now_s: i64) {
    match change {
        Section::Absent => {}
        Section::Remove => {
            *section = None;
            meta.clear();
        }
        Section::Merge(patch) => merge_stamped(section.get_or_insert_default(), meta, patch, now_s),
    }
}

/// A writer that only counts.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merge(value: Value) -> Section {
        Section::Merge(value.as_object().unwrap().clone())
    }

    fn wants(value: Value) -> Request {
        Request { desired: merge(value), ..Request::default() }
    }

    #[test]
    fn every_accepted_update_raises_the_version_and_stamps_its_values() {
        let first = Document::default().update(&wants(json!({"dim_pct": 40, "on": true})), 100).unwrap();
        assert_eq!((first.version, first.timestamp_s), (1, 100));
        let second = first.update(&wants(json!({"dim_pct": 50})), 200).unwrap();
        assert_eq!((second.version, second.timestamp_s), (2, 200));
        assert_eq!(
            second.desired_meta,
            json!({"dim_pct": {"timestamp": 200}, "on": {"timestamp": 100}}).as_object().unwrap().clone()
        );
        assert_eq!(second.update(&wants(json!({})), 300).unwrap().version, 3, "{{}} is a legal update");
    }

    #[test]
    fn a_section_goes_by_null_and_stays_when_it_is_empty() {
        let document = Document::default().update(&wants(json!({"a": 1})), 1).unwrap();
        let emptied = document.update(&wants(json!({"a": null})), 2).unwrap();
        assert_eq!((emptied.desired, emptied.desired_meta), (Some(Object::new()), Object::new()));
        let removed = document.update(&Request { desired: Section::Remove, ..Request::default() }, 2).unwrap();
        assert_eq!((removed.desired, removed.desired_meta, removed.version), (None, Object::new(), 2));
    }

    #[test]
    fn a_refused_update_says_why_in_this_order() {
        let document = Document { version: 7, ..Document::default() };
        let full = "x".repeat(DOCUMENT_BYTES);
        for (name, state, version, code) in [
            ("the current version", json!({"a":1}), Some(7), None),
            ("no version", json!({"a":1}), None, None),
            ("an older version", json!({"a":1}), Some(6), Some(409)),
            ("a newer version", json!({"a":1}), Some(8), Some(409)),
            ("too large", json!({"a":full}), Some(7), Some(413)),
            ("too large and stale", json!({"a":full}), Some(6), Some(409)),
            ("null in an array and stale", json!({"a":[null]}), Some(6), Some(400)),
        ] {
            let request = Request { version, ..wants(state) };
            assert_eq!(document.update(&request, 1).err().map(|r| r.code), code, "{name}");
        }
    }

    #[test]
    fn a_leaf_is_open_until_it_is_reported_within_its_tolerance() {
        let reported = |value: Value| Request { reported: merge(value), ..Request::default() };
        for (name, desired, report, open) in [
            ("nothing wanted", json!({}), json!({"dim_pct": 1}), vec![]),
            ("not reported", json!({"dim_pct": 40, "on": true}), json!({}), vec!["/dim_pct", "/on"]),
            ("another value", json!({"dim_pct": 40, "on": true}), json!({"dim_pct": 41, "on": true}), vec!["/dim_pct"]),
            ("near enough", json!({"dim_pct": 40}), json!({"dim_pct": 40.4}), vec![]),
            ("another leaf has no tolerance", json!({"x": 40}), json!({"x": 40.4}), vec!["/x"]),
            ("one of a branch", json!({"net": {"a": 1, "b": 2}}), json!({"net": {"a": 1}}), vec!["/net/b"]),
            ("a value in place of a branch", json!({"net": {"a": 1}}), json!({"net": 1}), vec!["/net/a"]),
        ] {
            let document =
                Document::default().update(&wants(desired), 1).unwrap().update(&reported(report), 2).unwrap();
            let leaves = document.open_leaves(|pointer| if pointer == "/dim_pct" { 0.5 } else { 0.0 });
            assert_eq!(leaves.iter().map(|leaf| leaf.pointer.as_str()).collect::<Vec<_>>(), open, "{name}");
        }
    }

    #[test]
    fn a_copy_follows_the_service_update_by_update() {
        let at_one = Document::default().update(&wants(json!({"a": 1, "b": 1})), 10).unwrap();
        let request = Request { reported: Section::Remove, ..wants(json!({"b": null, "c": 2})) };
        let at_two = at_one.update(&request, 20).unwrap();
        for (name, version, want) in [
            ("its own version", 1, Followed::Old),
            ("older", 0, Followed::Old),
            ("the next", 2, Followed::Next(at_two)),
            ("one was missed", 3, Followed::Gap),
        ] {
            assert_eq!(at_one.follow(&request.desired, &request.reported, version, 20), want, "{name}");
        }
    }

    #[test]
    fn the_merged_state_is_measured_and_its_metadata_is_not() {
        // {"desired":{"a":"…"}} is 20 bytes around the text.
        let of = |n: usize| wants(json!({"a": "x".repeat(n)}));
        let fits = Document::default().update(&of(DOCUMENT_BYTES - 20), 1).unwrap();
        assert_eq!(fits.state_bytes(), DOCUMENT_BYTES);
        assert_eq!(Document::default().update(&of(DOCUMENT_BYTES - 19), 1).unwrap_err().code, 413);
        assert_eq!(fits.update(&wants(json!({"b": 1})), 2).unwrap_err().code, 413, "small request, large result");
        assert!(fits.update(&wants(json!({"a": "y", "b": [1, 2, 3]})), 2).is_ok(), "makes room and uses it");
        let many_small = wants(json!({"a": vec![1; 3000]}));
        assert!(Document::default().update(&many_small, 1).is_ok(), "6 kB of state, 57 kB of metadata");
    }
}
