//! Which things a rule is for.
//!
//! Only what is described of a thing decides: its kind, its group, and a query that asks no more than that. What changes with its messages
//! belongs in the rule's condition, where a delay and a deadband are; a rule that came and went with each message would end its own alarms.

use serde::{Deserialize, Serialize};

use crate::group::{Group, within};
use crate::kind::Kind;
use crate::query::{AsDescribed, Facts, Query};

/// Which things a rule is for: those of which all that is said holds; all of them, where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Things {
    /// Of this kind; `None` for any.
    pub kind: Option<Kind>,
    /// In this group of the profile; empty for any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Found by this query, which asks only what is described ([`Query::only_by_description`]); empty for any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub search: String,
}

/// How closely a rule says what it is for. Of rules of which only one speaks of a thing it is one of the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// Everything.
    All,
    /// A kind.
    Kind,
    /// A group, a search, or both.
    Narrow,
}

impl From<Kind> for Things {
    fn from(kind: Kind) -> Things {
        Things { kind: Some(kind), ..Things::default() }
    }
}

impl Things {
    /// How closely it says them.
    pub fn closeness(&self) -> Closeness {
        match self.kind {
            _ if !self.group.is_empty() || !self.search.is_empty() => Closeness::Narrow,
            Some(_) => Closeness::Kind,
            None => Closeness::All,
        }
    }
}

/// The things of a rule, ready to be asked of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    kind: Option<Kind>,
    /// The group with those within it; `None` for any thing.
    groups: Option<Vec<Group>>,
    search: Query,
}

impl Members {
    /// The things of a rule of a profile with these groups; `None` where it names none of them, or a search that is none.
    pub fn new(things: &Things, groups: &[Group]) -> Option<Members> {
        let named: Vec<Group> = within(&things.group, groups).into_iter().cloned().collect();
        let groups = match things.group.as_str() {
            "" => None,
            _ if named.is_empty() => return None,
            _ => Some(named),
        };
        Some(Members { kind: things.kind, groups, search: Query::read(&things.search).ok()? })
    }

    /// Whether things of this kind may be among them.
    pub fn may_be(&self, kind: Kind) -> bool {
        self.kind.is_none_or(|of| of == kind)
    }

    /// Whether a thing that is described like this is one of them.
    pub fn have(&self, of: &AsDescribed<'_>) -> bool {
        let is_in = |groups: &Vec<Group>| groups.iter().any(|group| group.has(of));
        self.may_be(of.kind()) && self.groups.as_ref().is_none_or(is_in) && self.search.finds(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_for_things_of_which_all_holds_that_it_says() {
        let marsa = Group { name: "Marsa crew".into(), areas: vec!["Marsa".into()], ..Group::default() };
        let all = Group { name: "All crews".into(), groups: vec!["Marsa crew".into()], ..Group::default() };
        let groups = [marsa, all];
        let things = |kind, group: &str, search: &str| Things { kind, group: group.into(), search: search.into() };
        for (of, is_for, closeness) in [
            (things(None, "", ""), [true; 3], Closeness::All),
            (Kind::Lamp.into(), [true, true, false], Closeness::Kind),
            (things(None, "Marsa crew", ""), [true, false, true], Closeness::Narrow),
            (things(None, "All crews", ""), [true, false, true], Closeness::Narrow),
            (things(Some(Kind::Lamp), "Marsa crew", ""), [true, false, false], Closeness::Narrow),
            (things(None, "", "MORO triq"), [true, true, false], Closeness::Narrow),
            (things(Some(Kind::Bin), "Marsa crew", "moro"), [false; 3], Closeness::Narrow),
            (things(None, "", "kind:lamp NOT area:marsa"), [false, true, false], Closeness::Narrow),
        ] {
            let members = Members::new(&of, &groups).unwrap();
            let have = [
                ("l1", Kind::Lamp, "marsa", "lamp 1\nl1\ntriq aldo moro\nmarsa"),
                ("l2", Kind::Lamp, "Sliema", "lamp 2\nl2\ntriq aldo moro\nsliema"),
                ("b1", Kind::Bin, "Marsa", "bin 1\nb1\npjazza\nmarsa"),
            ];
            let described =
                |(name, kind, area, words)| AsDescribed { name, title: "", kind, street: "", area, gateway: "", words };
            let have = have.map(|of| members.have(&described(of)));
            assert_eq!((have, of.closeness()), (is_for, closeness), "{of:?}");
        }
        assert_eq!(Members::new(&things(None, "marsa crew", ""), &groups), None, "no group is called that");
    }

    #[test]
    fn a_rule_for_a_kind_is_written_as_ever() {
        let json = serde_json::to_string(&Things::from(Kind::Lamp)).unwrap();
        assert_eq!(json, r#"{"kind":"lamp"}"#);
        assert_eq!(serde_json::from_str::<Things>(&json).unwrap(), Kind::Lamp.into());
    }
}
