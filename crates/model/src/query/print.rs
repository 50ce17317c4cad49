//! A query as it is understood, as text again: the cheap parts first, brackets only where they are needed, one way to write each.

use std::fmt::{self, Display, Formatter, Write};

use super::Query;
use super::field::{PRIORITIES, STANDINGS, TextField};
use super::parse::Glyph;
use super::pattern::{Pattern, Span, Text};
use super::tree::{Leaf, Node, Term, Test};
use crate::kind::Kind;
use crate::shadow::Half;

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.node(&self.root, false, f)
    }
}

impl Query {
    fn node(&self, node: &Node, is_inner: bool, f: &mut Formatter<'_>) -> fmt::Result {
        match node {
            Node::All(parts) if parts.is_empty() => f.write_str("*"),
            Node::All(parts) => self.list(parts, " AND ", is_inner, f),
            Node::Any(parts) => self.list(parts, " OR ", is_inner, f),
            Node::Not(part) => {
                f.write_str("NOT ")?;
                self.node(part, true, f)
            }
            Node::Is(term) => self.term(term, f),
        }
    }

    fn list(&self, parts: &[Node], between: &str, is_inner: bool, f: &mut Formatter<'_>) -> fmt::Result {
        if is_inner {
            f.write_char('(')?;
        }
        for (nth, part) in parts.iter().enumerate() {
            if nth > 0 {
                f.write_str(between)?;
            }
            self.node(part, true, f)?;
        }
        if is_inner { f.write_char(')') } else { Ok(()) }
    }

    fn term(&self, term: &Term, f: &mut Formatter<'_>) -> fmt::Result {
        match term {
            Term::Word(pattern) => pattern_in(pattern, f),
            Term::Text(field, text) => text_in(word_of(*field), text, f),
            Term::Kinds(bits) => words_in("kind", *bits, &Kind::ALL.map(Kind::word), f),
            Term::Standings(bits) => words_in("status", *bits, &STANDINGS.map(|(_, word)| word), f),
            Term::Priorities(bits) => words_in("alarm.priority", *bits, &PRIORITIES, f),
            Term::Group(nth) => self.names.groups.get(*nth).map_or(Ok(()), |group| text_in("group", group, f)),
            Term::HasDelta(None, want) => flag_in("hasDelta", *want, f),
            Term::HasDelta(Some(shadow), want) => flag_in(&format!("{}hasDelta", before(shadow)), *want, f),
            Term::Connected(want) => flag_in("connectivity.connected", *want, f),
            Term::Active(want) => flag_in("alarm.active", *want, f),
            Term::Rule(rule) => text_in("alarm.rule", rule, f),
            Term::Age(None) => f.write_str("age:*"),
            Term::Age(Some(span)) => span_in("age", span, |seconds| format!("{seconds}s"), f),
            Term::Near(None) => f.write_str("near:*"),
            Term::Near(Some((at, within_m))) => write!(f, "near:{},{},{within_m}m", at.lat_deg, at.lon_deg),
            Term::Value(nth, test) => {
                let name = self.names.values.get(*nth).map(|pointer| format!("value{}", path(pointer)));
                test_in(&name.unwrap_or_default(), test, f)
            }
            Term::Leaf(nth, test) => {
                let name = self.names.leaves.get(*nth).map(leaf_name);
                test_in(&name.unwrap_or_default(), test, f)
            }
        }
    }
}

fn word_of(field: TextField) -> &'static str {
    match field {
        TextField::Name => "name",
        TextField::Title => "title",
        TextField::Street => "street",
        TextField::Area => "area",
        TextField::Gateway => "gateway",
    }
}

/// The field that is asked for a leaf.
fn leaf_name(leaf: &Leaf) -> String {
    let section = match leaf.half {
        Half::Desired => "desired",
        Half::Reported => "reported",
    };
    format!("{}{section}{}", before(&leaf.shadow), path(&leaf.pointer))
}

fn before(shadow: &str) -> String {
    if shadow.is_empty() { "shadow.".to_owned() } else { format!("shadow.name.{}.", escaped(shadow)) }
}

/// `/a/b` as `.a.b`.
fn path(pointer: &str) -> String {
    let key = |key: &str| escaped(&key.replace("~1", "/").replace("~0", "~"));
    pointer.split('/').skip(1).map(|step| format!(".{}", key(step))).collect()
}

/// A part of a field's name, or a text with wildcards around it, with a backslash before what means something else there.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut so_far, c| {
        if !(c.is_alphanumeric() || c == '_') {
            so_far.push('\\');
        }
        so_far.push(c);
        so_far
    })
}

fn pattern_in(pattern: &Pattern, f: &mut Formatter<'_>) -> fmt::Result {
    if let Some(plain) = pattern.plain() {
        return quoted(plain, f);
    }
    for glyph in pattern.glyphs() {
        match glyph {
            Glyph::Char(c) | Glyph::Literal(c) => f.write_str(&escaped(&c.to_string()))?,
            Glyph::Many => f.write_char('*')?,
            Glyph::One => f.write_char('?')?,
        }
    }
    Ok(())
}

/// Words are words; everything else stands in quotes.
fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    let is_plain = !text.is_empty() && text.chars().all(char::is_alphanumeric);
    if is_plain && !["and", "or", "not", "to"].contains(&text) {
        return f.write_str(text);
    }
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

fn text_in(name: &str, text: &Text, f: &mut Formatter<'_>) -> fmt::Result {
    match text {
        Text::Has => write!(f, "{name}:*"),
        Text::Like(pattern) => {
            write!(f, "{name}:")?;
            pattern_in(pattern, f)
        }
        Text::Between(span) => span_in(name, span, |end| in_quotes(end), f),
    }
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn words_in(name: &str, bits: u8, words: &[&str], f: &mut Formatter<'_>) -> fmt::Result {
    let meant: Vec<&str> =
        words.iter().enumerate().filter(|(nth, _)| bits & 1 << nth != 0).map(|(_, word)| *word).collect();
    match meant.as_slice() {
        [one] => write!(f, "{name}:{one}"),
        all if all.len() == words.len() => write!(f, "{name}:*"),
        some => write!(f, "{name}:({})", some.join(" OR ")),
    }
}

fn flag_in(name: &str, want: Option<bool>, f: &mut Formatter<'_>) -> fmt::Result {
    match want {
        Some(want) => write!(f, "{name}:{want}"),
        None => write!(f, "{name}:*"),
    }
}

fn test_in(name: &str, test: &Test, f: &mut Formatter<'_>) -> fmt::Result {
    match test {
        Test::Has => write!(f, "{name}:*"),
        Test::Like { pattern, .. } => {
            write!(f, "{name}:")?;
            pattern_in(pattern, f)
        }
        Test::Numbers(span) => span_in(name, span, f64::to_string, f),
        Test::Texts(span) => span_in(name, span, |end| in_quotes(end), f),
    }
}

fn span_in<T>(name: &str, span: &Span<T>, end: impl Fn(&T) -> String, f: &mut Formatter<'_>) -> fmt::Result {
    let (open, close) = (if span.from_in { '[' } else { '{' }, if span.to_in { ']' } else { '}' });
    let [from, to] = [&span.from, &span.to].map(|of| of.as_ref().map_or_else(|| "*".to_owned(), &end));
    write!(f, "{name}:{open}{from} TO {to}{close}")
}
