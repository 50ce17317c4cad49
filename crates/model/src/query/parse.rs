//! From a text to a tree that nobody has understood yet.
//!
//! Loosest first: `OR`, then `AND` or nothing between two terms, then `NOT`, `-` and `+`. What stands in brackets behind a field is
//! asked of that field.

use std::ops::Range;

use winnow::ascii::multispace0;
use winnow::combinator::{alt, eof, opt, peek, preceded, terminated};
use winnow::error::ErrMode;
use winnow::prelude::*;
use winnow::stream::{Location, Stream};
use winnow::token::{any, literal, one_of};

use super::{DEPTH_MAX, Mistake, TERMS_MAX, TEXT_MAX_BYTES, WILD_MAX};
use crate::reading::{self, Parsed, Wrong, spaces, wrong, wrong_at};

/// A part of the text.
#[derive(Debug)]
pub(super) enum Tree {
    /// `AND`, or nothing between.
    All(Vec<Tree>),
    /// `OR`
    Any(Vec<Tree>),
    /// `NOT`, `-`
    Not(Box<Tree>),
    /// A word alone.
    Word(Written),
    /// A field with what it is to be.
    Is(Name, Value),
}

/// The name of a field, in its parts.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub at: usize,
    /// As it is written.
    pub text: String,
    pub parts: Vec<String>,
}

/// What a field is to be.
#[derive(Debug)]
pub(super) enum Value {
    Text(Written),
    Range { at: usize, from: Written, from_in: bool, to: Written, to_in: bool },
    Compare(By, Written),
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// A text as it is written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// Its bytes.
    pub at: Range<usize>,
    /// Its characters; wildcards where neither quotes nor a backslash say otherwise.
    pub glyphs: Vec<Glyph>,
    pub quoted: bool,
}

/// A character of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    Char(char),
    /// One that is meant as it is: in quotes, or behind a backslash.
    Literal(char),
    /// `*`: any characters, or none.
    Many,
    /// `?`: any one.
    One,
}

impl Written {
    /// What it says, with wildcards as they are written.
    pub(super) fn text(&self) -> String {
        text_of(&self.glyphs)
    }

    /// Whether it is `*` alone.
    pub(super) fn is_anything(&self) -> bool {
        !self.glyphs.is_empty() && self.glyphs.iter().all(|glyph| *glyph == Glyph::Many)
    }

    /// Some letters are two in lower case, in which texts are compared.
    fn chars_in_lower_case(&self) -> usize {
        let chars = |glyph: &Glyph| match glyph {
            Glyph::Char(c) | Glyph::Literal(c) => c.to_lowercase().count(),
            Glyph::Many | Glyph::One => 1,
        };
        self.glyphs.iter().map(chars).sum()
    }

    /// Whether it has wildcards.
    pub(super) fn is_wild(&self) -> bool {
        self.glyphs.iter().any(|glyph| matches!(glyph, Glyph::Many | Glyph::One))
    }
}

fn text_of(glyphs: &[Glyph]) -> String {
    let char = |glyph: &Glyph| match glyph {
        Glyph::Char(c) | Glyph::Literal(c) => *c,
        Glyph::Many => '*',
        Glyph::One => '?',
    };
    glyphs.iter().map(char).collect()
}

#[derive(Debug, Default)]
struct Counted {
    depth: u16,
    terms: usize,
}

type Input<'t> = reading::Input<'t, Counted>;

/// Reads a text whole.
pub(super) fn parse(text: &str) -> Result<Tree, Mistake> {
    let root = |input: &mut Input<'_>| any_of(input, None);
    reading::whole(text, TEXT_MAX_BYTES, "the query", root, |_, _| "there is no ( for this )".to_owned())
}

/// `AND`, `OR` or `NOT`, where it stands as a word of its own.
fn keyword<'t>(word: &'static str) -> impl Parser<Input<'t>, (), ErrMode<Wrong>> {
    let ends = alt((eof.void(), one_of(|c: char| c.is_whitespace() || "()\"".contains(c)).void()));
    preceded(multispace0, terminated(literal(word), peek(ends))).void()
}

fn any_of(input: &mut Input<'_>, field: Option<&Name>) -> Parsed<Tree> {
    let mut parts = vec![all_of(input, field)?];
    while opt(keyword("OR")).parse_next(input)?.is_some() {
        parts.push(all_of(input, field)?);
    }
    Ok(list(parts, Tree::Any))
}

fn all_of(input: &mut Input<'_>, field: Option<&Name>) -> Parsed<Tree> {
    let mut parts = vec![negation(input, field)?];
    loop {
        if opt(keyword("AND")).parse_next(input)?.is_none() {
            spaces(input)?;
            let ends = matches!(input.peek_token(), None | Some(')'));
            if ends || opt(peek(keyword("OR"))).parse_next(input)?.is_some() {
                return Ok(list(parts, Tree::All));
            }
        }
        parts.push(negation(input, field)?);
    }
}

/// One part alone is itself.
fn list(mut parts: Vec<Tree>, of: impl Fn(Vec<Tree>) -> Tree) -> Tree {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    of(parts)
}

fn negation(input: &mut Input<'_>, field: Option<&Name>) -> Parsed<Tree> {
    spaces(input)?;
    if opt(keyword("NOT")).parse_next(input)?.is_some() {
        return deeper(input, |input| negation(input, field)).map(|inner| Tree::Not(Box::new(inner)));
    }
    let rest: &str = input.input.as_ref();
    // A sign stands right before what it is of; alone it is a word.
    let sign = rest.chars().next().filter(|c| matches!(c, '-' | '+'));
    // Of a field, what follows it may be a number.
    let is_sign = rest
        .chars()
        .nth(1)
        .is_some_and(|c| !c.is_whitespace() && c != ')' && !(field.is_some() && (c.is_ascii_digit() || c == '.')));
    match sign.filter(|_| is_sign) {
        None => atom(input, field),
        Some(sign) => {
            any.parse_next(input)?;
            let inner = deeper(input, |input| negation(input, field))?;
            Ok(if sign == '-' { Tree::Not(Box::new(inner)) } else { inner })
        }
    }
}

/// Reads something one step further in.
fn deeper<'t, T>(input: &mut Input<'t>, inner: impl FnOnce(&mut Input<'t>) -> Parsed<T>) -> Parsed<T> {
    if input.state.depth >= DEPTH_MAX {
        return Err(wrong(input, format!("this is nested too deeply; at most {DEPTH_MAX} steps are read")));
    }
    input.state.depth += 1;
    let tree = inner(input)?;
    input.state.depth -= 1;
    Ok(tree)
}

fn atom(input: &mut Input<'_>, field: Option<&Name>) -> Parsed<Tree> {
    spaces(input)?;
    let at = input.current_token_start();
    for word in ["AND", "OR"] {
        if opt(peek(keyword(word))).parse_next(input)?.is_some() {
            let why = format!("expected a word or a field before {word}; for the word itself write \"{word}\"");
            return Err(wrong_at(at, why));
        }
    }
    match input.peek_token() {
        None => Err(wrong_at(at, "expected a word or a field, found the end")),
        Some(')') => Err(wrong_at(at, "expected a word or a field, found )")),
        Some('(') => brackets(input, field),
        Some(_) => {
            input.state.terms += 1;
            if input.state.terms > TERMS_MAX {
                return Err(wrong_at(at, format!("this is one term too many; at most {TERMS_MAX} are read")));
            }
            match field {
                Some(field) => Ok(Tree::Is(field.clone(), value(input, field)?)),
                None => word_or_term(input),
            }
        }
    }
}

fn brackets(input: &mut Input<'_>, field: Option<&Name>) -> Parsed<Tree> {
    let open = input.current_token_start();
    literal("(").parse_next(input)?;
    let inner = deeper(input, |input| any_of(input, field))?;
    spaces(input)?;
    match opt(literal(")")).parse_next(input)? {
        Some(_) => Ok(inner),
        None => Err(wrong_at(open, "there is no ) for this (")),
    }
}

fn word_or_term(input: &mut Input<'_>) -> Parsed<Tree> {
    let at = input.current_token_start();
    let no_field = |sign: char| format!("expected a field before {sign}, as in fill_pct{sign}50");
    match input.peek_token() {
        Some('"') => {
            let word = quoted(input)?;
            return match input.peek_token() {
                Some(':' | '<' | '>') => Err(wrong_at(at, "a field is written without quotes")),
                _ => Ok(Tree::Word(word)),
            };
        }
        Some(sign @ (':' | '<' | '>')) => return Err(wrong_at(at, no_field(sign))),
        Some('[' | '{') => {
            return Err(wrong_at(
                at,
                "a range stands behind a field: fill_pct:[50 TO 100]; a text with [ stands in quotes",
            ));
        }
        _ => {}
    }
    let word = bare(input, |c| "()\":<>".contains(c))?;
    let before = input.checkpoint();
    if input.peek_token() != Some(':') {
        spaces(input)?;
        if !matches!(input.peek_token(), Some('<' | '>')) {
            input.reset(&before);
            return Ok(Tree::Word(word));
        }
    }
    let field = name(&word)?;
    if opt(literal(":")).parse_next(input)?.is_some() && input.peek_token() == Some('(') {
        return brackets(input, Some(&field));
    }
    Ok(Tree::Is(field.clone(), value(input, &field)?))
}

/// A word as the name of a field: its parts stand between dots that no backslash is before.
fn name(word: &Written) -> Parsed<Name> {
    let at = word.at.start;
    if word.is_wild() {
        return Err(wrong_at(at, format!("the name of a field has no wildcards: {}", word.text())));
    }
    let parts: Vec<String> = word.glyphs.split(|glyph| *glyph == Glyph::Char('.')).map(text_of).collect();
    if parts.iter().any(String::is_empty) {
        return Err(wrong_at(at, "the name of a field has something on both sides of each dot"));
    }
    Ok(Name { at, text: word.text(), parts })
}

fn value(input: &mut Input<'_>, field: &Name) -> Parsed<Value> {
    let at = input.current_token_start();
    let sign = alt((
        literal(">=").value(By::AtLeast),
        literal("<=").value(By::AtMost),
        literal(">").value(By::Above),
        literal("<").value(By::Below),
    ));
    if let Some(by) = opt(sign).parse_next(input)? {
        spaces(input)?;
        return Ok(Value::Compare(by, text(input, field, |c| "()\"".contains(c))?));
    }
    match input.peek_token() {
        Some('[' | '{') => range(input, at, field),
        _ => Ok(Value::Text(text(input, field, |c| "()\"".contains(c))?)),
    }
}

/// What a field is to be, in quotes or not.
fn text(input: &mut Input<'_>, field: &Name, ends: impl Fn(char) -> bool) -> Parsed<Written> {
    let at = input.current_token_start();
    let written = match input.peek_token() {
        Some('"') => quoted(input)?,
        _ => bare(input, ends)?,
    };
    if written.glyphs.is_empty() && !written.quoted {
        return Err(wrong_at(
            at,
            format!("expected what {} is to be; {}:* is whether it is there", field.text, field.text),
        ));
    }
    Ok(written)
}

fn range(input: &mut Input<'_>, at: usize, field: &Name) -> Parsed<Value> {
    let how = "a range is written [50 TO 100], or {50 TO 100} without its ends";
    let from_in = any.parse_next(input)? == '[';
    spaces(input)?;
    let ends = |c: char| "()\"]}".contains(c);
    let from = text(input, field, ends)?;
    spaces(input)?;
    if opt(terminated(literal("TO"), peek(one_of(char::is_whitespace)))).parse_next(input)?.is_none() {
        return Err(wrong(input, format!("expected TO; {how}")));
    }
    spaces(input)?;
    let to = text(input, field, ends)?;
    spaces(input)?;
    match opt(one_of([']', '}'])).parse_next(input)? {
        Some(close) => Ok(Value::Range { at, from, from_in, to, to_in: close == ']' }),
        None => Err(wrong(input, format!("expected ] or }}; {how}"))),
    }
}

/// A text without quotes, as far as it goes.
fn bare(input: &mut Input<'_>, ends: impl Fn(char) -> bool) -> Parsed<Written> {
    let start = input.current_token_start();
    let mut glyphs = Vec::new();
    while let Some(c) = input.peek_token() {
        if c.is_whitespace() || ends(c) {
            break;
        }
        let at = input.current_token_start();
        any.parse_next(input)?;
        glyphs.push(match c {
            '\\' => match opt(any).parse_next(input)? {
                Some(escaped) => Glyph::Literal(escaped),
                None => return Err(wrong_at(at, "behind \\ stands the character that is meant as it is")),
            },
            '*' => Glyph::Many,
            '?' => Glyph::One,
            c => Glyph::Char(c),
        });
    }
    let written = Written { at: start..input.current_token_start(), glyphs, quoted: false };
    let chars = written.chars_in_lower_case();
    if written.is_wild() && chars > WILD_MAX {
        return Err(wrong_at(
            start,
            format!("a text with * or ? has at most {WILD_MAX} characters; this one has {chars}"),
        ));
    }
    Ok(written)
}

/// A text in quotes; `\"` and `\\` stand for themselves in it.
fn quoted(input: &mut Input<'_>) -> Parsed<Written> {
    let start = input.current_token_start();
    any.parse_next(input)?;
    let mut glyphs = Vec::new();
    loop {
        match opt(any).parse_next(input)? {
            None => return Err(wrong_at(start, "there is no second \" for this one")),
            Some('"') => return Ok(Written { at: start..input.current_token_start(), glyphs, quoted: true }),
            Some('\\') => match opt(any).parse_next(input)? {
                None => return Err(wrong_at(start, "there is no second \" for this one")),
                Some(c) => glyphs.push(Glyph::Literal(c)),
            },
            Some(c) => glyphs.push(Glyph::Literal(c)),
        }
    }
}
