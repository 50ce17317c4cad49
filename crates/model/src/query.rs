//! The language in which things are looked for: `kind:lamp AND shadow.reported.dim_pct:[50 TO 100] AND NOT connectivity.connected:true`.
//!
//! It is the language of AWS IoT's fleet index as far as that is documented ("Query syntax", "Example thing queries" in the AWS IoT
//! Core Developer Guide), over what is known here. Words without a field are what a person types: each must be in the thing's name,
//! title, street or area. A text is read once, with every mistake told by its column, and asked of [`Facts`], the cheapest part first.
//! Nothing here reads a clock, and nothing a text says can cost more than the bounds below. docs/adr/0016-queries.md says what was
//! decided and what AWS does otherwise.

mod check;
mod complete;
mod eval;
mod field;
mod parse;
mod pattern;
mod print;
#[cfg(test)]
mod tests;
mod tree;

use crate::kind::Kind;

pub use complete::{CHOICES_MAX, Choice, Completion, Vocabulary, complete, in_quotes_if_needed};
pub use eval::{AsDescribed, Fact, Facts, Held};
pub use field::{STANDINGS, Standing, TextField};
pub use pattern::{Pattern, Text};
pub use tree::Leaf;

pub use crate::expression::Mistake;
use tree::Node;

/// The longest text, in bytes.
pub const TEXT_MAX_BYTES: usize = 1_000;

/// How deep brackets, `NOT` and `-` may be nested.
pub const DEPTH_MAX: u16 = 16;

/// The most terms of one query: words, and fields with what they are to be.
pub const TERMS_MAX: usize = 32;

/// The most characters of a text with `*` or `?` in it: it is held against every word of every thing, and each may go back to the last
/// `*` at every character.
pub const WILD_MAX: usize = 64;

/// A query that was read and understood. The default finds everything.
#[derive(Clone, Debug, Default)]
pub struct Query {
    text: String,
    root: Node,
    names: Names,
}

/// What a query names, so that whoever answers it can look each up once. The nth is what [`Facts`] are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Names {
    groups: Vec<Text>,
    /// Where the first that names each stands in the text, in bytes.
    groups_at: Vec<usize>,
    values: Vec<String>,
    leaves: Vec<Leaf>,
    /// The first term that asks what no description says: its byte, and its field as it is written.
    beyond_description: Option<(usize, String)>,
}

/// Equal texts are equal queries.
impl PartialEq for Query {
    fn eq(&self, other: &Query) -> bool {
        self.text == other.text
    }
}

impl Eq for Query {}

impl Query {
    /// Reads a text. One of nothing but spaces finds everything.
    pub fn read(text: &str) -> Result<Query, Mistake> {
        if text.trim().is_empty() && text.len() <= TEXT_MAX_BYTES {
            return Ok(Query { text: text.to_owned(), ..Query::default() });
        }
        let tree = parse::parse(text)?;
        let (root, names) = check::check(&tree, text)?;
        Ok(Query { text: text.to_owned(), root, names })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it finds everything.
    pub fn is_everything(&self) -> bool {
        matches!(&self.root, Node::All(parts) if parts.is_empty())
    }

    /// Whether a thing of which these facts are known is found.
    pub fn finds(&self, facts: &impl Facts) -> bool {
        eval::finds(&self.root, facts)
    }

    /// The kinds of which a thing may be that it finds, in the order of [`Kind::ALL`]; none of the others need be asked.
    pub fn kinds(&self) -> Vec<Kind> {
        eval::kinds(&self.root)
    }

    /// Whether only things with an open alarm can be found.
    pub fn needs_an_alarm(&self) -> bool {
        eval::needs_an_alarm(&self.root)
    }

    /// The names of groups it asks for; the nth is what [`Facts::is_in`] is asked.
    pub fn groups(&self) -> &[Text] {
        &self.names.groups
    }

    /// The JSON pointers of values it asks for; the nth is what [`Facts::value`] is asked.
    pub fn values(&self) -> &[String] {
        &self.names.values
    }

    /// The leaves of shadows it asks for; the nth is what [`Facts::leaf`] is asked.
    pub fn leaves(&self) -> &[Leaf] {
        &self.names.leaves
    }

    /// Whether only descriptions decide about it, and no value, age, alarm or shadow. Of groups that depends on them: whoever knows
    /// them asks them too.
    pub fn goes_by_description(&self) -> bool {
        self.names.beyond_description.is_none()
    }

    /// What is wrong with it where only descriptions may decide and no group is named: in a rule's things and in a group. `place` is
    /// what it stands in, for the sentence: `a rule's search`.
    pub fn only_by_description(&self, place: &str, instead: &str) -> Result<(), Mistake> {
        if let Some((at, field)) = &self.names.beyond_description {
            let why = format!(
                "{place} asks only what is described of a thing, and {field} changes with its messages; {instead}"
            );
            return Err(Mistake::at(&self.text, *at, why));
        }
        self.no_groups(place)
    }

    /// What is wrong with it where no group may be named.
    pub fn no_groups(&self, place: &str) -> Result<(), Mistake> {
        match self.names.groups_at.first() {
            Some(at) => Err(Mistake::at(
                &self.text,
                *at,
                format!("{place} names no group; write what the group says of its things"),
            )),
            None => Ok(()),
        }
    }

    /// What is wrong with it where these are all the groups there are: one that it names is none of them.
    pub fn check_groups<'a>(&self, there: impl IntoIterator<Item = &'a str> + Clone) -> Result<(), Mistake> {
        for (group, at) in self.names.groups.iter().zip(&self.names.groups_at) {
            if matches!(group, Text::Like(_)) && !there.clone().into_iter().any(|name| group.holds(name)) {
                let names: Vec<&str> = there.clone().into_iter().take(NAMED_MAX).collect();
                let there = match names.as_slice() {
                    [] => "the profile has none".to_owned(),
                    names => format!("there are: {}", names.join(", ")),
                };
                return Err(Mistake::at(&self.text, *at, format!("no group is called that; {there}")));
            }
        }
        Ok(())
    }
}

/// So many names stand in a sentence.
const NAMED_MAX: usize = 8;
