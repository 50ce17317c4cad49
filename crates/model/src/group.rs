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
}

impl Group {
    /// Whether a thing is in it. The facts answer for the names of [`Group::search`].
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

    /// Whether only descriptions decide who is in it, so that nobody comes or goes with a message.
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
            search: None,
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
}
