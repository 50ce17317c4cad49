//! From what is written to what it means: fields are known, what they are to be fits them, and the cheap parts come first.

use super::field::{Field, PRIORITIES, STANDINGS, TextField, field};
use super::parse::{By, Name, Tree, Value, Written};
use super::pattern::{Pattern, Span, Text};
use super::tree::{Leaf, Node, Term, Test, cost};
use super::{Mistake, Names};
use crate::geo::LonLat;
use crate::kind::Kind;

type Checked<T> = Result<T, (usize, String)>;

/// What a tree means.
pub(super) fn check(tree: &Tree, text: &str) -> Result<(Node, Names), Mistake> {
    let mut check = Check { names: Names::default(), has_field: has_field(tree) };
    let root = check.node(tree).map_err(|(at, why)| Mistake::at(text, at, why))?;
    Ok((root, check.names))
}

fn has_field(tree: &Tree) -> bool {
    match tree {
        Tree::All(parts) | Tree::Any(parts) => parts.iter().any(has_field),
        Tree::Not(inner) => has_field(inner),
        Tree::Word(_) => false,
        Tree::Is(..) => true,
    }
}

struct Check {
    names: Names,
    /// Somebody writes a query, and not just words.
    has_field: bool,
}

impl Check {
    fn node(&mut self, tree: &Tree) -> Checked<Node> {
        Ok(match tree {
            Tree::All(parts) => one_or(self.nodes(parts, true)?, Node::All),
            Tree::Any(parts) => one_or(united(self.nodes(parts, false)?), Node::Any),
            Tree::Not(inner) => match self.node(inner)? {
                Node::Not(twice) => *twice,
                inner @ (Node::All(_) | Node::Any(_) | Node::Is(_)) => Node::Not(Box::new(inner)),
            },
            Tree::Word(word) => self.word(word)?,
            Tree::Is(name, value) => self.is(name, value)?,
        })
    }

    /// What is of the same sort within is one list with it, the cheapest part first.
    fn nodes(&mut self, parts: &[Tree], is_all: bool) -> Checked<Vec<Node>> {
        let mut nodes = Vec::with_capacity(parts.len());
        for part in parts {
            match self.node(part)? {
                Node::All(inner) if is_all => nodes.extend(inner),
                Node::Any(inner) if !is_all => nodes.extend(inner),
                node @ (Node::All(_) | Node::Any(_) | Node::Not(_) | Node::Is(_)) => nodes.push(node),
            }
        }
        nodes.sort_by_key(cost);
        Ok(nodes)
    }

    fn word(&self, word: &Written) -> Checked<Node> {
        if word.is_anything() {
            return Ok(Node::default());
        }
        let text = word.text();
        let is_bare = !word.quoted;
        let at = word.at.start;
        for (meant, writes) in [("AND", ["and", "&&"]), ("OR", ["or", "||"]), ("NOT", ["not", "!"])] {
            if is_bare && self.has_field && writes.contains(&text.to_lowercase().as_str()) {
                return Err((at, format!("write {meant}; for the word itself write \"{text}\"")));
            }
        }
        if is_bare
            && let Some((name, value)) = text.split_once('=')
            && field(&name.split('.').map(str::to_owned).collect::<Vec<_>>()).is_ok()
        {
            return Err((at, format!("write {name}:{value}; for the text itself write \"{text}\"")));
        }
        Ok(Node::Is(Term::Word(Pattern::of(word))))
    }

    fn is(&mut self, name: &Name, value: &Value) -> Checked<Node> {
        let of = field(&name.parts).map_err(|why| (name.at, why))?;
        if !of.is_described() && self.names.beyond_description.is_none() {
            self.names.beyond_description = Some((name.at, name.text.clone()));
        }
        Ok(Node::Is(match of {
            Field::Text(of @ (TextField::Title | TextField::Street | TextField::Area)) => {
                Term::Text(of, text(name, value, Pattern::of_words)?)
            }
            Field::Text(of @ (TextField::Name | TextField::Gateway)) => Term::Text(of, text(name, value, Pattern::of)?),
            Field::Kind => {
                let words = Kind::ALL.map(Kind::word);
                Term::Kinds(one_of(name, value, &words)?)
            }
            Field::Status => Term::Standings(one_of(name, value, &STANDINGS.map(|(_, word)| word))?),
            Field::Priority => Term::Priorities(one_of(name, value, &PRIORITIES)?),
            Field::Group => {
                let at = match value {
                    Value::Text(written) | Value::Compare(_, written) => written.at.start,
                    Value::Range { at, .. } => *at,
                };
                Term::Group(self.group(at, text(name, value, Pattern::of_words)?))
            }
            Field::HasDelta(shadow) => Term::HasDelta(shadow, flag(name, value)?),
            Field::Connected => Term::Connected(flag(name, value)?),
            Field::Active => Term::Active(flag(name, value)?),
            Field::Rule => Term::Rule(text(name, value, Pattern::of)?),
            Field::Age => Term::Age(age(value)?),
            Field::Near => Term::Near(near(name, value)?),
            Field::Value(pointer) => Term::Value(place(&mut self.names.values, pointer), test(name, value)?),
            Field::Leaf { shadow, half, pointer } => {
                Term::Leaf(place(&mut self.names.leaves, Leaf { shadow, half, pointer }), test(name, value)?)
            }
        }))
    }

    fn group(&mut self, at: usize, group: Text) -> usize {
        let before = self.names.groups.len();
        let place = place(&mut self.names.groups, group);
        if place == before {
            self.names.groups_at.push(at);
        }
        place
    }
}

/// Of kinds, standings and priorities that may be the one or the other one term is made.
fn united(parts: Vec<Node>) -> Vec<Node> {
    let mut united: Vec<Node> = Vec::with_capacity(parts.len());
    for part in parts {
        let is_in = united.iter_mut().any(|known| match (known, &part) {
            (Node::Is(Term::Kinds(known)), Node::Is(Term::Kinds(more)))
            | (Node::Is(Term::Standings(known)), Node::Is(Term::Standings(more)))
            | (Node::Is(Term::Priorities(known)), Node::Is(Term::Priorities(more))) => {
                *known |= more;
                true
            }
            _ => false,
        });
        if !is_in {
            united.push(part);
        }
    }
    united
}

fn one_or(mut parts: Vec<Node>, of: impl Fn(Vec<Node>) -> Node) -> Node {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    of(parts)
}

/// Where something stands in a list; at its end from now on where it did not.
fn place<T: PartialEq>(list: &mut Vec<T>, of: T) -> usize {
    list.iter().position(|known| *known == of).unwrap_or_else(|| {
        list.push(of);
        list.len() - 1
    })
}

/// A text: words, or a range of them.
fn text(name: &Name, value: &Value, pattern: impl Fn(&Written) -> Pattern) -> Checked<Text> {
    Ok(match value {
        Value::Text(written) if written.is_anything() => Text::Has,
        Value::Text(written) => Text::Like(pattern(written)),
        Value::Range { .. } | Value::Compare(..) => {
            let span = span(name, value, |written| Ok(written.text().to_lowercase()))?;
            Text::Between(ordered(value, span)?)
        }
    })
}

/// `true`, `false`, or `*` for whether anybody knows.
fn flag(name: &Name, value: &Value) -> Checked<Option<bool>> {
    let Value::Text(written) = value else { return Err((name.at, format!("{} is true or false", name.text))) };
    match written.text().to_lowercase().as_str() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ if written.is_anything() => Ok(None),
        other => Err((written.at.start, format!("{} is true or false, not {other:?}", name.text))),
    }
}

/// Which of some words are meant, a bit each. What stands in an order can be compared.
fn one_of(name: &Name, value: &Value, words: &[&str]) -> Checked<u8> {
    let there = || words.join(", ");
    let place_of = |written: &Written| {
        let text = written.text().to_lowercase();
        let unknown = || (written.at.start, format!("{} is none of {text:?}; there are: {}", name.text, there()));
        words.iter().position(|word| **word == text).ok_or_else(unknown)
    };
    let bit = |meant: &dyn Fn(usize, &str) -> bool| {
        words.iter().enumerate().filter(|(nth, word)| meant(*nth, word)).fold(0, |bits, (nth, _)| bits | 1 << nth)
    };
    match value {
        Value::Text(written) => {
            let pattern = Pattern::of(written);
            match bit(&|_, word| pattern.holds(word)) {
                0 => {
                    Err((written.at.start, format!("no {} is {:?}; there are: {}", name.text, written.text(), there())))
                }
                bits => Ok(bits),
            }
        }
        Value::Range { at, .. } if name.text != "alarm.priority" => {
            Err((*at, format!("{} has no order; write {}:({})", name.text, name.text, words.join(" OR "))))
        }
        Value::Compare(_, written) if name.text != "alarm.priority" => {
            Err((written.at.start, format!("{} has no order; write {}:({})", name.text, name.text, words.join(" OR "))))
        }
        Value::Range { .. } | Value::Compare(..) => {
            let span = span(name, value, place_of)?;
            match bit(&|nth, _| span.holds(&nth)) {
                0 => Err((name.at, format!("nothing is in this range; there are: {}", there()))),
                bits => Ok(bits),
            }
        }
    }
}

/// A value of which nobody knows the type before it is there.
fn test(name: &Name, value: &Value) -> Checked<Test> {
    let is_text = |written: &Written| !written.is_anything() && (written.quoted || number(&written.text()).is_none());
    let as_number = |written: &Written| {
        let text = written.text();
        let why = || (written.at.start, format!("{text:?} is no number; a text to compare with stands in quotes"));
        number(&text).filter(|_| !written.quoted).ok_or_else(why)
    };
    Ok(match value {
        Value::Text(written) if written.is_anything() => Test::Has,
        Value::Text(written) => {
            let text = written.text();
            let flag = match text.to_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            Test::Like { pattern: Pattern::of(written), number: number(&text), flag }
        }
        Value::Range { from, to, .. } if [from, to].into_iter().any(|end| is_text(end) && end.quoted) => {
            Test::Texts(ordered(value, span(name, value, as_text)?)?)
        }
        Value::Compare(_, written) if written.quoted => Test::Texts(span(name, value, as_text)?),
        Value::Range { .. } | Value::Compare(..) => Test::Numbers(ordered(value, span(name, value, as_number)?)?),
    })
}

fn as_text(written: &Written) -> Checked<String> {
    if written.quoted {
        return Ok(written.text().to_lowercase());
    }
    Err((written.at.start, "both ends of a range are numbers, or texts in quotes".to_owned()))
}

/// A finite number as JSON and people write it; no words.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.').then_some(())?;
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// What lies between, or on one side of, what is written.
fn span<T>(name: &Name, value: &Value, end: impl Fn(&Written) -> Checked<T>) -> Checked<Span<T>> {
    let open = Span { from: None, from_in: false, to: None, to_in: false };
    let one_end = |written: &Written| if written.is_anything() { Ok(None) } else { end(written).map(Some) };
    Ok(match value {
        Value::Text(written) => {
            return Err((written.at.start, format!("{} is written with < or >, or as a range [a TO b]", name.text)));
        }
        Value::Range { from, from_in, to, to_in, .. } => {
            Span { from: one_end(from)?, from_in: *from_in, to: one_end(to)?, to_in: *to_in }
        }
        Value::Compare(By::Above, written) => Span { from: Some(end(written)?), ..open },
        Value::Compare(By::AtLeast, written) => Span { from: Some(end(written)?), from_in: true, ..open },
        Value::Compare(By::Below, written) => Span { to: Some(end(written)?), ..open },
        Value::Compare(By::AtMost, written) => Span { to: Some(end(written)?), to_in: true, ..open },
    })
}

/// A range whose ends stand the right way round.
fn ordered<T: PartialOrd>(value: &Value, span: Span<T>) -> Checked<Span<T>> {
    match (value, &span.from, &span.to) {
        (Value::Range { at, .. }, Some(from), Some(to)) if from > to => {
            Err((*at, "nothing is in this range: its first end is above its second".to_owned()))
        }
        _ => Ok(span),
    }
}

/// How long ago, in seconds.
fn age(value: &Value) -> Checked<Option<Span<f64>>> {
    let how = "a length of time is written with its unit: 30s, 10m, 2h, 7d";
    let seconds = |written: &Written| {
        let text = written.text();
        let why = || (written.at.start, format!("{text:?} is none; {how}"));
        let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
        let unit_s = match text.get(digits.len()..) {
            Some("s") => 1.0,
            Some("m" | "min") => 60.0,
            Some("h") => 3_600.0,
            Some("d") => 86_400.0,
            _ => return Err(why()),
        };
        number(digits).map(|many| many * unit_s).filter(|s| *s >= 0.0 && s.is_finite()).ok_or_else(why)
    };
    match value {
        Value::Text(written) if written.is_anything() => Ok(None),
        Value::Text(written) => {
            let text = written.text();
            seconds(written)?;
            Err((written.at.start, format!("an age is compared: age:<{text} for younger, age:>{text} for older")))
        }
        Value::Range { .. } | Value::Compare(..) => {
            let name = Name { at: 0, text: "age".to_owned(), parts: Vec::new() };
            Ok(Some(ordered(value, span(&name, value, seconds)?)?))
        }
    }
}

/// A place and how far from it, in metres. AWS's way of writing it is read too: `geo_distance,LAT,LON,500m`.
fn near(name: &Name, value: &Value) -> Checked<Option<(LonLat, f64)>> {
    let how = "a place is written as latitude, longitude and distance: near:35.899,14.514,500m";
    let Value::Text(written) = value else { return Err((name.at, how.to_owned())) };
    if written.is_anything() {
        return Ok(None);
    }
    let text = written.text();
    let wrong = |why: &str| (written.at.start, format!("{why}; {how}"));
    let parts: Vec<&str> = text.strip_prefix("geo_distance,").unwrap_or(&text).split(',').map(str::trim).collect();
    let [lat, lon, distance] = parts.as_slice() else { return Err(wrong("three parts stand between commas")) };
    let (Some(lat), Some(lon)) = (number(lat), number(lon)) else {
        return Err(wrong("latitude and longitude are degrees"));
    };
    let at = LonLat::new(lon, lat).ok_or_else(|| wrong("this is no place on the earth"))?;
    let digits = distance.trim_end_matches(|c: char| c.is_alphabetic());
    let unit_m = match distance.get(digits.len()..) {
        Some("m") => 1.0,
        Some("km") => 1_000.0,
        _ => return Err(wrong("a distance is in m or km")),
    };
    let within_m = number(digits).map(|many| many * unit_m).filter(|m| *m >= 0.0 && m.is_finite());
    Ok(Some((at, within_m.ok_or_else(|| wrong("a distance is a number of m or km"))?)))
}
