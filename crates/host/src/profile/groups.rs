//! The groups of things that a profile names, and which of them are left to the person here.

use std::ops::Range;

use fleetlens_model::group::{Group, NAME_MAX_CHARS, ring, within};
use fleetlens_model::kind::Kind;
use fleetlens_model::query::Query;
use serde::Deserialize;
use toml::Spanned;

use super::Mistake;

/// The most groups of a profile: as many as a list on a screen can be chosen from.
const GROUPS_MAX: usize = 200;

/// The most things, districts or words that one group lists.
const LISTED_MAX: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenGroup {
    name: Spanned<String>,
    #[serde(default)]
    kinds: Vec<Kind>,
    #[serde(default)]
    areas: Vec<String>,
    #[serde(default)]
    words: String,
    search: Option<Spanned<String>>,
    #[serde(default)]
    things: Vec<String>,
    groups: Option<Spanned<Vec<String>>>,
}

/// The groups as they are written, checked.
pub(super) fn groups(written: Vec<WrittenGroup>) -> Result<Vec<Group>, Mistake> {
    let mut groups: Vec<Group> = Vec::new();
    let mut nested: Vec<Range<usize>> = Vec::new();
    for one in written {
        let at = one.name.span();
        let wrong = |why: String| Mistake::new(at.clone(), why);
        let name = one.name.into_inner().trim().to_owned();
        check_name(&name).map_err(wrong)?;
        if groups.iter().any(|group| group.name == name) {
            return Err(wrong(format!("there are two groups {name:?}")));
        }
        if groups.len() == GROUPS_MAX {
            return Err(wrong(format!("a profile has at most {GROUPS_MAX} groups")));
        }
        let within = one.groups.as_ref().map(|groups| groups.get_ref().clone()).unwrap_or_default();
        if one.things.len().max(one.areas.len()).max(within.len()) > LISTED_MAX {
            return Err(wrong(format!("a group lists at most {LISTED_MAX} things and as many areas")));
        }
        let words: Vec<String> = one.words.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let search = one.search.as_ref().map(search).transpose()?;
        let says_nothing = one.kinds.is_empty() && one.areas.is_empty() && words.is_empty() && search.is_none();
        if says_nothing && one.things.is_empty() && within.is_empty() {
            let why = "the group says nothing of its things; write kinds, areas, words, search, things or groups";
            return Err(wrong(why.to_owned()));
        }
        nested.push(one.groups.map_or(at, |groups| groups.span()));
        groups.push(Group {
            name,
            kinds: one.kinds,
            areas: one.areas,
            words,
            search,
            things: one.things,
            groups: within,
        });
    }
    check_nested(&groups, &nested)?;
    Ok(groups)
}

/// What is wrong with the name of a group.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_MAX_CHARS {
        return Err(format!("the group's name has {chars} characters; 1 to {NAME_MAX_CHARS} are right"));
    }
    if name.chars().any(char::is_control) {
        return Err("the group's name has a sign in it that cannot be seen; write it without".to_owned());
    }
    Ok(())
}

/// Groups within groups are there, and none is within itself.
fn check_nested(groups: &[Group], at: &[Range<usize>]) -> Result<(), Mistake> {
    for (group, at) in groups.iter().zip(at) {
        if let Some(name) = group.groups.iter().find(|name| !groups.iter().any(|known| known.name == **name)) {
            return Err(Mistake::new(at.clone(), missing(name, groups)));
        }
        if let Some(way) = ring(&group.name, groups) {
            let way: Vec<String> = way.into_iter().map(|name| format!("{name:?}")).collect();
            let why = format!("the group is within itself: {}; take one of them out", way.join(" has "));
            return Err(Mistake::new(at.clone(), why));
        }
    }
    Ok(())
}

/// A saved search. It names no group, so that none goes round in a ring.
fn search(written: &Spanned<String>) -> Result<Query, Mistake> {
    let text = written.get_ref();
    let read = Query::read(text).and_then(|query| {
        query.no_groups("a group's search")?;
        Ok(query)
    });
    let query = read.map_err(|mistake| Mistake::new(written.span(), format!("{text:?}, {mistake}")))?;
    if query.text().trim().is_empty() {
        return Err(Mistake::new(
            written.span(),
            "the search is empty; write what finds the group's things, or leave it out",
        ));
    }
    Ok(query)
}

/// The names of groups that the person here may steer, where the profile says so; each must be one of the profile's.
pub(super) fn scope(written: Option<Vec<Spanned<String>>>, groups: &[Group]) -> Result<Option<Vec<String>>, Mistake> {
    let Some(written) = written else { return Ok(None) };
    let theirs = |name| described(name, groups, "what is left to a person");
    written.iter().map(theirs).collect::<Result<Vec<_>, _>>().map(Some)
}

/// The name of a group in which nobody is that comes and goes with messages.
pub(super) fn described(name: &Spanned<String>, groups: &[Group], what: &str) -> Result<String, Mistake> {
    let known = known(name, groups)?;
    if within(&known, groups).into_iter().any(|group| !group.goes_by_description()) {
        let why = format!(
            "{what} goes by what is described, and who is in {known:?} changes with each message; name another group"
        );
        return Err(Mistake::new(name.span(), why));
    }
    Ok(known)
}

/// The name of a group, which must be one of the profile's.
fn known(name: &Spanned<String>, groups: &[Group]) -> Result<String, Mistake> {
    if groups.iter().any(|group| group.name == *name.get_ref()) {
        return Ok(name.get_ref().clone());
    }
    Err(Mistake::new(name.span(), missing(name.get_ref(), groups)))
}

fn missing(name: &str, groups: &[Group]) -> String {
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let there =
        if names.is_empty() { "there is no [[group]]".to_owned() } else { format!("there are: {}", names.join(", ")) };
    format!("no group is called {name:?}; {there}")
}
