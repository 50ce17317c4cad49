//! The groups of things that a profile names, and which of them are left to the person here.

use fleetlens_model::group::{Group, NAME_MAX_CHARS};
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
}

/// The groups as they are written, checked.
pub(super) fn groups(written: Vec<WrittenGroup>) -> Result<Vec<Group>, Mistake> {
    let mut groups: Vec<Group> = Vec::new();
    for one in written {
        let at = one.name.span();
        let wrong = |why: String| Mistake::new(at.clone(), why);
        let name = one.name.into_inner().trim().to_owned();
        let chars = name.chars().count();
        if chars == 0 || chars > NAME_MAX_CHARS || name.chars().any(char::is_control) {
            return Err(wrong(format!("the group's name has {chars} characters; 1 to {NAME_MAX_CHARS} are right")));
        }
        if groups.iter().any(|group| group.name == name) {
            return Err(wrong(format!("there are two groups {name:?}")));
        }
        if groups.len() == GROUPS_MAX {
            return Err(wrong(format!("a profile has at most {GROUPS_MAX} groups")));
        }
        if one.things.len().max(one.areas.len()) > LISTED_MAX {
            return Err(wrong(format!("a group lists at most {LISTED_MAX} things and as many areas")));
        }
        let words: Vec<String> = one.words.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let search = one.search.as_ref().map(search).transpose()?;
        let says_nothing = one.kinds.is_empty() && one.areas.is_empty() && words.is_empty() && search.is_none();
        if says_nothing && one.things.is_empty() {
            let why = "the group says nothing of its things; write kinds, areas, words, search or things";
            return Err(wrong(why.to_owned()));
        }
        groups.push(Group { name, kinds: one.kinds, areas: one.areas, words, search, things: one.things });
    }
    Ok(groups)
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
    if groups.iter().any(|group| group.name == known && !group.goes_by_description()) {
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
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let there =
        if names.is_empty() { "there is no [[group]]".to_owned() } else { format!("there are: {}", names.join(", ")) };
    Err(Mistake::new(name.span(), format!("no group is called {:?}; {there}", name.get_ref())))
}
