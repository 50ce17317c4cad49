//! What a text comes to: a tree of terms, each with what it asks.

use super::field::TextField;
use super::pattern::{Pattern, Span, Text};
use crate::geo::LonLat;
use crate::shadow::Half;

/// A part of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Each of them; none is everything.
    All(Vec<Node>),
    /// One of them.
    Any(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// One term.
    Is(Term),
}

impl Default for Node {
    fn default() -> Node {
        Node::All(Vec::new())
    }
}

/// One term.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    /// A word without a field.
    Word(Pattern),
    /// A text of its description.
    Text(TextField, Text),
    /// One of these kinds, a bit each in the order of [`crate::kind::Kind::ALL`].
    Kinds(u8),
    /// One of these, a bit each in the order of [`super::STANDINGS`].
    Standings(u8),
    /// The nth of the names of groups.
    Group(usize),
    /// What is wanted is not what is reported, in this shadow, or in any; `None` for whether that is known.
    HasDelta(Option<String>, Option<bool>),
    /// Somebody says that it is there, or is not; `None` for whether anybody says.
    Connected(Option<bool>),
    /// It has an open alarm that is active, or has not; `None` for any open alarm.
    Active(Option<bool>),
    /// It has an open alarm of one of these priorities, a bit each from the lowest.
    Priorities(u8),
    /// It has an open alarm of such a rule.
    Rule(Text),
    /// So long ago it spoke, in seconds; `None` for whether it ever did.
    Age(Option<Span<f64>>),
    /// So near to a place, in metres; `None` for whether it is known where it is.
    Near(Option<(LonLat, f64)>),
    /// The nth of the values.
    Value(usize, Test),
    /// The nth of the leaves of shadows.
    Leaf(usize, Test),
}

/// What a value is to be whose type nobody knows before it is there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// There.
    Has,
    /// This: a number by its worth, `true` and `false`, a text by its words.
    Like { pattern: Pattern, number: Option<f64>, flag: Option<bool> },
    /// A number between.
    Numbers(Span<f64>),
    /// A text between, in lower case.
    Texts(Span<String>),
}

/// A leaf of a shadow, by its names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// The shadow; the classic one is the empty name.
    pub shadow: String,
    /// Which half of it.
    pub half: Half,
    /// JSON pointer within that.
    pub pointer: String,
}

/// How much there is to do to know a term; the least is asked first.
pub(super) fn cost(node: &Node) -> u32 {
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter().map(cost).sum::<u32>() + 1,
        Node::Not(part) => cost(part),
        Node::Is(term) => match term {
            Term::Kinds(_) => 1,
            Term::Standings(_) | Term::Connected(_) | Term::Active(_) | Term::Priorities(_) | Term::Rule(_) => 2,
            Term::Age(_) => 3,
            Term::Near(_) | Term::Text(..) => 5,
            Term::Word(_) => 8,
            Term::Value(..) => 12,
            Term::Group(_) => 20,
            Term::HasDelta(..) => 25,
            Term::Leaf(..) => 30,
        },
    }
}
