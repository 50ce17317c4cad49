//! Whether a thing is found.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::field::{STANDINGS, Standing, TextField};
use super::pattern::Text;
use super::tree::{Node, Term, Test};
use crate::alarm::Priority;
use crate::geo::LonLat;
use crate::kind::Kind;

/// Every kind, as bits.
const ALL_KINDS: u8 = (1 << Kind::ALL.len()) - 1;

/// What is known of one thing. Each is asked only when it decides.
pub trait Facts {
    /// What it is found by ([`crate::search::found_by`]).
    fn words(&self) -> &str;

    /// A text of its description; its title is its name where it has none. Empty for none.
    fn text(&self, field: TextField) -> &str;

    /// Whether a text of its description is so. Whoever knows many things of one street may know it already.
    fn text_is(&self, field: TextField, text: &Text) -> bool {
        text.holds(self.text(field))
    }

    /// What it is.
    fn kind(&self) -> Kind;

    /// How it stands.
    fn standing(&self) -> Standing;

    /// Whether it is in a group of the nth name ([`super::Query::groups`]).
    fn is_in(&self, nth: usize) -> bool;

    /// Whether something is wanted and not reported, in this shadow or in any; `None` where it has none.
    fn has_delta(&self, shadow: Option<&str>) -> Option<bool>;

    /// Whether it is there, where anybody says.
    fn is_connected(&self) -> Option<bool>;

    /// Whether this is true of one of its open alarms: its rule, its priority, whether it is active.
    fn any_alarm(&self, is: &mut dyn FnMut(&str, Priority, bool) -> bool) -> bool;

    /// How long ago it spoke, in seconds.
    fn age_s(&self) -> Option<f64>;

    /// Where it is.
    fn place(&self) -> Option<LonLat>;

    /// The nth of the values ([`super::Query::values`]).
    fn value(&self, nth: usize) -> Option<Fact<'_>>;

    /// The nth of the leaves ([`super::Query::leaves`]).
    fn leaf(&self, nth: usize) -> Held<'_>;
}

/// A value as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact<'a> {
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A text.
    Text(Cow<'a, str>),
}

/// What stands at a place in a shadow.
#[derive(Clone, Debug, PartialEq)]
pub enum Held<'a> {
    /// Nothing.
    Nothing,
    /// A value.
    Value(Fact<'a>),
    /// A list or an object.
    Whole(Json),
}

impl<'a> Fact<'a> {
    /// A value of JSON by its text; `None` for `null`, and for what is no single value.
    pub fn of_json(text: &'a str) -> Option<Fact<'a>> {
        match text {
            "true" => Some(Fact::Flag(true)),
            "false" => Some(Fact::Flag(false)),
            "null" => None,
            _ => match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                Some(plain) if !plain.contains('\\') => Some(Fact::Text(Cow::Borrowed(plain))),
                Some(_) => serde_json::from_str(text).ok().map(|said: String| Fact::Text(Cow::Owned(said))),
                None => text.parse().ok().map(Fact::Number),
            },
        }
    }

    fn of(json: &Json) -> Option<Fact<'_>> {
        match json {
            Json::Bool(flag) => Some(Fact::Flag(*flag)),
            Json::Number(number) => number.as_f64().map(Fact::Number),
            Json::String(text) => Some(Fact::Text(Cow::Borrowed(text))),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }
}

pub(super) fn finds(node: &Node, facts: &impl Facts) -> bool {
    match node {
        Node::All(parts) => parts.iter().all(|part| finds(part, facts)),
        Node::Any(parts) => parts.iter().any(|part| finds(part, facts)),
        Node::Not(part) => !finds(part, facts),
        Node::Is(term) => is(term, facts),
    }
}

fn is(term: &Term, facts: &impl Facts) -> bool {
    let same = |want: Option<bool>, is: Option<bool>| match want {
        Some(want) => is == Some(want),
        None => is.is_some(),
    };
    match term {
        Term::Word(pattern) => pattern.is_in(facts.words()),
        Term::Text(field, text) => facts.text_is(*field, text),
        Term::Kinds(kinds) => kinds & bit_of(facts.kind()) != 0,
        Term::Standings(standings) => {
            let standing = facts.standing();
            let nth = STANDINGS.iter().position(|(of, _)| *of == standing);
            nth.is_some_and(|nth| standings & 1 << nth != 0)
        }
        Term::Group(nth) => facts.is_in(*nth),
        Term::HasDelta(shadow, want) => same(*want, facts.has_delta(shadow.as_deref())),
        Term::Connected(want) => same(*want, facts.is_connected()),
        Term::Active(None) => facts.any_alarm(&mut |_, _, _| true),
        Term::Active(Some(want)) => *want == facts.any_alarm(&mut |_, _, active| active),
        Term::Priorities(bits) => facts.any_alarm(&mut |_, priority, _| {
            let nth = Priority::FROM_LOWEST.iter().position(|of| *of == priority);
            nth.is_some_and(|nth| bits & 1 << nth != 0)
        }),
        Term::Rule(rule) => facts.any_alarm(&mut |of, _, _| rule.holds(of)),
        Term::Age(span) => facts.age_s().is_some_and(|age_s| span.as_ref().is_none_or(|span| span.holds(&age_s))),
        Term::Near(circle) => {
            facts.place().is_some_and(|at| circle.is_none_or(|(from, within_m)| from.distance_m(at) <= within_m))
        }
        Term::Value(nth, test) => facts.value(*nth).is_some_and(|fact| holds(test, &fact)),
        Term::Leaf(nth, test) => match facts.leaf(*nth) {
            Held::Nothing => false,
            Held::Value(fact) => holds(test, &fact),
            Held::Whole(json) => *test == Test::Has || holds_one(test, &json),
        },
    }
}

/// Whether one value of a list is so; an object is no value.
fn holds_one(test: &Test, json: &Json) -> bool {
    let Json::Array(values) = json else { return false };
    values.iter().filter_map(Fact::of).any(|fact| holds(test, &fact))
}

fn holds(test: &Test, fact: &Fact<'_>) -> bool {
    match (test, fact) {
        (Test::Has, _) => true,
        (Test::Like { number, .. }, Fact::Number(is)) => number.is_some_and(|number| number == *is),
        (Test::Like { flag, .. }, Fact::Flag(is)) => *flag == Some(*is),
        (Test::Like { pattern, .. }, Fact::Text(text)) => pattern.holds(text),
        (Test::Numbers(span), Fact::Number(is)) => span.holds(is),
        (Test::Texts(span), Fact::Text(text)) => span.holds::<str>(text.to_lowercase().as_str()),
        (Test::Numbers(_), Fact::Flag(_) | Fact::Text(_)) | (Test::Texts(_), Fact::Flag(_) | Fact::Number(_)) => false,
    }
}

fn bit_of(kind: Kind) -> u8 {
    Kind::ALL.iter().position(|of| *of == kind).map_or(0, |nth| 1 << nth)
}

/// The kinds of which a thing may be that is found.
pub(super) fn kinds(node: &Node) -> Vec<Kind> {
    let bits = kinds_in(node);
    Kind::ALL.into_iter().filter(|kind| bits & bit_of(*kind) != 0).collect()
}

fn kinds_in(node: &Node) -> u8 {
    match node {
        Node::All(parts) => parts.iter().fold(ALL_KINDS, |bits, part| bits & kinds_in(part)),
        Node::Any(parts) => parts.iter().fold(0, |bits, part| bits | kinds_in(part)),
        Node::Not(part) => match part.as_ref() {
            Node::Is(Term::Kinds(bits)) => ALL_KINDS & !bits,
            Node::All(_) | Node::Any(_) | Node::Not(_) | Node::Is(_) => ALL_KINDS,
        },
        Node::Is(Term::Kinds(bits)) => *bits,
        Node::Is(_) => ALL_KINDS,
    }
}

pub(super) fn needs_an_alarm(node: &Node) -> bool {
    match node {
        Node::All(parts) => parts.iter().any(needs_an_alarm),
        Node::Any(parts) => !parts.is_empty() && parts.iter().all(needs_an_alarm),
        Node::Not(_) => false,
        Node::Is(term) => matches!(term, Term::Active(None | Some(true)) | Term::Priorities(_) | Term::Rule(_)),
    }
}

/// Facts of a description alone; of everything else it says that nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct AsDescribed<'a> {
    /// Its name.
    pub name: &'a str,
    /// What people call it; may be empty.
    pub title: &'a str,
    /// What it is.
    pub kind: Kind,
    /// The street it stands in.
    pub street: &'a str,
    /// The district it is in.
    pub area: &'a str,
    /// Behind which gateway it is.
    pub gateway: &'a str,
    /// What it is found by ([`crate::search::found_by`]).
    pub words: &'a str,
}

impl Facts for AsDescribed<'_> {
    fn words(&self) -> &str {
        self.words
    }

    fn text(&self, field: TextField) -> &str {
        match field {
            TextField::Name => self.name,
            TextField::Title if self.title.is_empty() => self.name,
            TextField::Title => self.title,
            TextField::Street => self.street,
            TextField::Area => self.area,
            TextField::Gateway => self.gateway,
        }
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn standing(&self) -> Standing {
        Standing::Unknown
    }

    fn is_in(&self, _: usize) -> bool {
        false
    }

    fn has_delta(&self, _: Option<&str>) -> Option<bool> {
        None
    }

    fn is_connected(&self) -> Option<bool> {
        None
    }

    fn any_alarm(&self, _: &mut dyn FnMut(&str, Priority, bool) -> bool) -> bool {
        false
    }

    fn age_s(&self) -> Option<f64> {
        None
    }

    fn place(&self) -> Option<LonLat> {
        None
    }

    fn value(&self, _: usize) -> Option<Fact<'_>> {
        None
    }

    fn leaf(&self, _: usize) -> Held<'_> {
        Held::Nothing
    }
}
