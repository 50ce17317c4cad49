//! Groups of things that a profile names: a crew's district, a depot, the lamps behind one contract.

use crate::kind::Kind;
use crate::query::{Facts, Query, TextField};

/// The longest name of a group, in characters.
pub const NAME_MAX_CHARS: usize = 64;

/// Things under one name. Those that are listed are in it; so is every other of which all that is said holds, where anything is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What people call it; unique in its profile.
    pub name: String,
    /// Its things have one of these kinds; any where none is said.
    pub kinds: Vec<Kind>,
    /// Its things are in one of these districts; anywhere where none is said. Case does not count.
    pub areas: Vec<String>,
    /// What its things are found by holds each of these, in lower case.
    pub words: Vec<String>,
    /// What its things are found by, where it is a saved search.
    pub search: Option<Query>,
    /// Names of things that are in it whatever else is said.
    pub things: Vec<String>,
    /// Names of other groups of the profile, whose things are in it whatever else is said.
    pub groups: Vec<String>,
}

/// The groups whose things are those of the named one: that itself, first, and every one within it, each once. None where nobody has
/// the name; a group that is within itself is left out there.
pub fn within<'a>(name: &str, all: &'a [Group]) -> Vec<&'a Group> {
    let named = |name: &str| all.iter().find(|group| group.name == name);
    let mut found: Vec<&Group> = named(name).into_iter().collect();
    let mut next = 0;
    while let Some(group) = found.get(next) {
        next += 1;
        for inner in group.groups.iter().filter_map(|name| named(name)) {
            if !found.iter().any(|known| known.name == inner.name) {
                found.push(inner);
            }
        }
    }
    found
}

/// The way from a group back to itself, by the names of the groups on it, if it is within itself; the last is the first again.
pub fn ring<'a>(name: &'a str, all: &'a [Group]) -> Option<Vec<&'a str>> {
    // Each with the one that leads to it.
    let mut seen: Vec<(&str, Option<usize>)> = vec![(name, None)];
    let mut next = 0;
    while let Some((at, _)) = seen.get(next).copied() {
        let inner = all.iter().find(|group| group.name == at).map_or(&[][..], |group| group.groups.as_slice());
        for inner in inner {
            if inner == name {
                let mut way = vec![name];
                let mut back = Some(next);
                while let Some((on_it, before)) = back.and_then(|place| seen.get(place).copied()) {
                    way.push(on_it);
                    back = before;
                }
                way.reverse();
                return Some(way);
            }
            if !seen.iter().any(|(known, _)| known == inner) {
                seen.push((inner, Some(next)));
            }
        }
        next += 1;
    }
    None
}

impl Group {
    /// Whether a thing is in it by what it says itself; who asks looks at each of [`within`]. The facts answer for the names of
    /// [`Group::search`].
    pub fn has(&self, of: &impl Facts) -> bool {
        let is_said =
            !(self.kinds.is_empty() && self.areas.is_empty() && self.words.is_empty()) || self.search.is_some();
        let is_of_kind = self.kinds.is_empty() || self.kinds.contains(&of.kind());
        let is_in = |area: &str| self.areas.iter().any(|of| of.to_lowercase() == area.to_lowercase());
        let is_there = || self.areas.is_empty() || is_in(of.text(TextField::Area));
        let is_found = || {
            self.words.iter().all(|word| of.words().contains(word.as_str()))
                && self.search.as_ref().is_none_or(|search| search.finds(of))
        };
        let is_listed = || {
            let name = of.text(TextField::Name);
            self.things.iter().any(|thing| thing == name)
        };
        is_said && is_of_kind && is_there() && is_found() || is_listed()
    }

    /// Whether only descriptions decide about what it says itself, so that nobody comes or goes with a message.
    pub fn goes_by_description(&self) -> bool {
        self.search.as_ref().is_none_or(Query::goes_by_description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::AsDescribed;

    #[test]
    fn in_a_group_is_what_is_listed_and_what_fits_all_that_is_said() {
        let lamps = Group {
            name: "Marsa lamps".into(),
            kinds: vec![Kind::Lamp],
            areas: vec!["Ħal Qormi".into(), "Marsa".into()],
            words: vec!["triq".into()],
            things: vec!["bin-1".into()],
            ..Group::default()
        };
        let listed = Group { things: vec!["bin-1".into()], ..Group::default() };
        let search = Query::read("street:moro OR kind:bin").ok();
        let saved = Group { search, areas: vec!["Marsa".into()], ..Group::default() };
        for (group, name, kind, area, words, is_in) in [
            (&lamps, "l-1", Kind::Lamp, "marsa", "lamp 1 triq aldo moro", true),
            (&lamps, "l-2", Kind::Lamp, "ĦAL QORMI", "triq", true),
            (&lamps, "l-3", Kind::Lamp, "Sliema", "triq", false),
            (&lamps, "l-4", Kind::Lamp, "Marsa", "pjazza", false),
            (&lamps, "b-2", Kind::Bin, "Marsa", "triq", false),
            (&lamps, "bin-1", Kind::Bin, "Sliema", "", true),
            (&listed, "bin-1", Kind::Bin, "", "", true),
            (&listed, "bin-2", Kind::Bin, "", "", false),
            (&Group::default(), "bin-2", Kind::Bin, "", "", false),
            (&saved, "bin-2", Kind::Bin, "marsa", "", true),
            (&saved, "bin-2", Kind::Bin, "Sliema", "", false),
            (&saved, "l-2", Kind::Lamp, "Marsa", "", false),
        ] {
            let of = AsDescribed { name, title: "", kind, street: "", area, gateway: "", words };
            assert_eq!(group.has(&of), is_in, "{name} in {}", group.name);
        }
    }

    #[test]
    fn groups_hold_each_other_as_deep_as_one_likes_and_never_in_a_ring() {
        let group = |name: &str, groups: &[&str]| Group {
            name: name.into(),
            groups: groups.iter().map(|name| (*name).to_owned()).collect(),
            ..Group::default()
        };
        let tree = [
            group("city", &["north", "south"]),
            group("north", &["depot"]),
            group("south", &["depot"]),
            group("depot", &[]),
        ];
        let names =
            |of: &str, all: &[Group]| within(of, all).iter().map(|group| group.name.clone()).collect::<Vec<_>>();
        assert_eq!(names("city", &tree), ["city", "north", "south", "depot"]);
        assert_eq!(names("depot", &tree), ["depot"]);
        assert!(names("nobody", &tree).is_empty());
        assert!(tree.iter().all(|group| ring(&group.name, &tree).is_none()));

        let rings =
            [group("a", &["b"]), group("b", &["c", "d"]), group("c", &["a"]), group("d", &["d"]), group("e", &["a"])];
        assert_eq!(ring("a", &rings), Some(vec!["a", "b", "c", "a"]));
        assert_eq!(ring("d", &rings), Some(vec!["d", "d"]));
        assert_eq!(ring("e", &rings), None, "it leads into a ring and is in none");
        assert_eq!(names("e", &rings), ["e", "a", "b", "c", "d"], "a ring ends nowhere else either");
    }
}
