//! From a text to a tree whose types nobody has looked at yet.
//!
//! Loosest first: `or`, `and`, `not`, comparisons and `in`, `+ -`, `* /`, a sign. Sums, products, `and` and `or` are lists, so that a
//! tree is only as deep as brackets, `not` and signs make it; those are counted.

use std::ops::Range;

use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{alt, not, opt, preceded, terminated};
use winnow::error::ErrMode;
use winnow::prelude::*;
use winnow::stream::{Location, Stream};
use winnow::token::{literal, one_of, take, take_till, take_while};

use super::{DEPTH_MAX, Mistake, TEXT_MAX_BYTES};
use crate::reading::{self, Parsed, Wrong, spaces, wrong, wrong_at};

/// A part of the text.
#[derive(Debug)]
pub(super) struct Tree {
    /// Its bytes.
    pub at: Range<usize>,
    /// What it is.
    pub is: Is,
}

/// What a part of the text is.
#[derive(Debug)]
pub(super) enum Is {
    /// A number, in seconds where `time` is 1.
    Number { value: f64, time: i8 },
    /// A word in quotes.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A value by its parts, `battery.level`, or by its pointer.
    Name(Written),
    /// A function with what is in its brackets.
    Call { name: String, given: Vec<Tree> },
    /// `not`
    Not(Box<Tree>),
    /// A sign before something.
    Minus(Box<Tree>),
    /// `and`
    All(Vec<Tree>),
    /// `or`
    Any(Vec<Tree>),
    /// A comparison.
    Compare(Box<Tree>, By, Box<Tree>),
    /// `in 210..250`; the flag says that it is written with `not`.
    Within { of: Box<Tree>, from: Box<Tree>, to: Box<Tree>, not: bool },
    /// Parts with whether each is taken away.
    Sum(Vec<(bool, Tree)>),
    /// Parts with whether it is divided by each.
    Product(Vec<(bool, Tree)>),
}

/// How a value is named.
#[derive(Debug)]
pub(super) enum Written {
    /// `battery.level`
    Parts(Vec<String>),
    /// `/battery/level`
    Pointer(String),
    /// `$input.x.y`, without the sign
    Dollar(Vec<String>),
}

/// How two sides are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Equal,
    Unequal,
    Above,
    AtLeast,
    Below,
    AtMost,
}

type Input<'t> = reading::Input<'t, u16>;

/// Reads a text whole.
pub(super) fn parse(text: &str) -> Result<Tree, Mistake> {
    reading::whole(text, TEXT_MAX_BYTES, "the condition", any_of, after)
}

/// What is said of something behind a part that is complete.
fn after(found: char, input: &Input<'_>) -> String {
    let rest: &str = input.input.as_ref();
    match found {
        ')' => "there is no ( for this )".into(),
        '=' | '<' | '>' | '!' => "two comparisons in a row; write \"and\" between them".into(),
        _ => {
            let word: String = rest.chars().take_while(|c| is_name_char(*c)).take(40).collect();
            let found = if word.is_empty() { found.to_string() } else { word };
            format!("expected and, or, a comparison or the end, found {found:?}")
        }
    }
}

fn symbol<'t>(sign: &'static str) -> impl Parser<Input<'t>, &'t str, ErrMode<Wrong>> {
    preceded(multispace0, literal(sign))
}

fn keyword<'t>(word: &'static str) -> impl Parser<Input<'t>, &'t str, ErrMode<Wrong>> {
    preceded(multispace0, terminated(literal(word), not(one_of(is_name_char))))
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn any_of(input: &mut Input<'_>) -> Parsed<Tree> {
    let mut parts = vec![all_of(input)?];
    while opt(alt((keyword("or"), symbol("||")))).parse_next(input)?.is_some() {
        parts.push(all_of(input)?);
    }
    Ok(list(parts, Is::Any))
}

fn all_of(input: &mut Input<'_>) -> Parsed<Tree> {
    let mut parts = vec![negation(input)?];
    while opt(alt((keyword("and"), symbol("&&")))).parse_next(input)?.is_some() {
        parts.push(negation(input)?);
    }
    Ok(list(parts, Is::All))
}

/// One part alone is itself.
fn list(mut parts: Vec<Tree>, of: impl Fn(Vec<Tree>) -> Is) -> Tree {
    let at = span(parts.first(), parts.last());
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    Tree { at, is: of(parts) }
}

fn span(first: Option<&Tree>, last: Option<&Tree>) -> Range<usize> {
    first.map_or(0, |tree| tree.at.start)..last.map_or(0, |tree| tree.at.end)
}

fn negation(input: &mut Input<'_>) -> Parsed<Tree> {
    spaces(input)?;
    let start = input.current_token_start();
    let bang = terminated(literal("!"), not(literal("=")));
    if opt(alt((keyword("not"), bang))).parse_next(input)?.is_none() {
        return comparison(input);
    }
    let inner = deeper(input, negation)?;
    Ok(Tree { at: start..inner.at.end, is: Is::Not(Box::new(inner)) })
}

/// Reads something one step further in.
fn deeper<'t, T>(input: &mut Input<'t>, inner: impl Fn(&mut Input<'t>) -> Parsed<T>) -> Parsed<T> {
    if input.state >= DEPTH_MAX {
        return Err(wrong(input, format!("this is nested too deeply; at most {DEPTH_MAX} steps are read")));
    }
    input.state += 1;
    let tree = inner(input)?;
    input.state -= 1;
    Ok(tree)
}

fn comparison(input: &mut Input<'_>) -> Parsed<Tree> {
    let left = sum(input)?;
    let sign = alt((
        symbol(">=").value(By::AtLeast),
        symbol("<=").value(By::AtMost),
        symbol("!=").value(By::Unequal),
        symbol("==").value(By::Equal),
        symbol("=").value(By::Equal),
        symbol(">").value(By::Above),
        symbol("<").value(By::Below),
    ));
    if let Some(by) = opt(sign).parse_next(input)? {
        let right = sum(input)?;
        return Ok(Tree { at: left.at.start..right.at.end, is: Is::Compare(Box::new(left), by, Box::new(right)) });
    }
    let within = alt(((keyword("not"), keyword("in")).value(true), keyword("in").value(false)));
    let Some(not) = opt(within).parse_next(input)? else { return Ok(left) };
    let from = sum(input)?;
    if opt(symbol("..")).parse_next(input)?.is_none() {
        spaces(input)?;
        return Err(wrong(input, "expected the other end of the range; write \"in 210..250\""));
    }
    let to = sum(input)?;
    let at = left.at.start..to.at.end;
    Ok(Tree { at, is: Is::Within { of: Box::new(left), from: Box::new(from), to: Box::new(to), not } })
}

fn sum(input: &mut Input<'_>) -> Parsed<Tree> {
    let mut parts = vec![(false, product(input)?)];
    while let Some(sign) = opt(alt((symbol("+"), symbol("-")))).parse_next(input)? {
        parts.push((sign == "-", product(input)?));
    }
    Ok(signed(parts, Is::Sum))
}

fn product(input: &mut Input<'_>) -> Parsed<Tree> {
    let mut parts = vec![(false, sign(input)?)];
    while let Some(sign_of) = opt(alt((symbol("*"), symbol("/")))).parse_next(input)? {
        parts.push((sign_of == "/", sign(input)?));
    }
    Ok(signed(parts, Is::Product))
}

fn signed(mut parts: Vec<(bool, Tree)>, of: impl Fn(Vec<(bool, Tree)>) -> Is) -> Tree {
    let at = span(parts.first().map(|(_, tree)| tree), parts.last().map(|(_, tree)| tree));
    if parts.len() == 1
        && let Some((_, only)) = parts.pop()
    {
        return only;
    }
    Tree { at, is: of(parts) }
}

fn sign(input: &mut Input<'_>) -> Parsed<Tree> {
    spaces(input)?;
    let start = input.current_token_start();
    let Some(sign_of) = opt(one_of(['-', '+'])).parse_next(input)? else { return atom(input) };
    let inner = deeper(input, sign)?;
    let at = start..inner.at.end;
    let is = match sign_of {
        '-' => Is::Minus(Box::new(inner)),
        _ if matches!(inner.is, Is::Number { .. }) => inner.is,
        // A sum of one part, which must be a number as well.
        _ => Is::Sum(vec![(false, inner)]),
    };
    Ok(Tree { at, is })
}

/// Whatever stands there must be a value: nothing in this grammar goes on otherwise.
fn atom(input: &mut Input<'_>) -> Parsed<Tree> {
    spaces(input)?;
    let start = input.current_token_start();
    let is = match input.peek_token() {
        Some('(') => return brackets(input),
        Some('0'..='9') => number(input)?,
        Some('.') if is_fraction(input) => number(input)?,
        Some(quote @ ('"' | '\'')) => Is::Text(quoted(input, quote)?),
        Some('`') => {
            let pointer = quoted(input, '`')?;
            if !pointer.starts_with('/') {
                let why = format!("{pointer:?} is not a JSON pointer; write `/{pointer}`");
                return Err(wrong_at(start, why));
            }
            Is::Name(Written::Pointer(pointer))
        }
        Some('/') => {
            let ends = |c: char| c.is_whitespace() || "<>=!()+*,`\"'&|".contains(c);
            let rest: &str = input.input.as_ref();
            let length = rest.find(ends).unwrap_or(rest.len());
            // `/low../high` is a range.
            let length = rest.find("..").map_or(length, |dots| dots.min(length));
            // Characters are taken, and bytes were found.
            let characters = rest.get(..length).map_or(0, |pointer| pointer.chars().count());
            Is::Name(Written::Pointer(take(characters).parse_next(input)?.to_owned()))
        }
        Some('$') => {
            literal("$").parse_next(input)?;
            Is::Name(Written::Dollar(parts(input)?))
        }
        Some(c) if is_name_char(c) => word(input)?,
        found => {
            let found = found.map_or("the end".to_owned(), |c| format!("{c:?}"));
            return Err(wrong(input, format!("expected a value, a number or a condition, found {found}")));
        }
    };
    Ok(Tree { at: start..input.previous_token_end(), is })
}

fn brackets(input: &mut Input<'_>) -> Parsed<Tree> {
    let start = input.current_token_start();
    literal("(").parse_next(input)?;
    let inner = deeper(input, any_of)?;
    close(input, start)?;
    Ok(Tree { at: start..input.previous_token_end(), is: inner.is })
}

fn close(input: &mut Input<'_>, open: usize) -> Parsed<()> {
    if opt(symbol(")")).parse_next(input)?.is_some() {
        return Ok(());
    }
    spaces(input)?;
    match input.peek_token() {
        None => Err(wrong_at(open, "there is no ) for this (")),
        Some(found) => Err(wrong(input, format!("expected ), found {found:?}"))),
    }
}

/// Whether `.5` stands here, and no end of a range.
fn is_fraction(input: &Input<'_>) -> bool {
    let rest: &str = input.input.as_ref();
    rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A number, or a length of time: `5m`, `1 min`, `1h 30m`.
fn number(input: &mut Input<'_>) -> Parsed<Is> {
    let start = input.current_token_start();
    let (mut value, time) = one_number(input)?;
    while let Some(more) = if time == 1 { further_time(input)? } else { None } {
        value += more;
    }
    let mistake = |why: &str| Err(wrong_at(start, why));
    if opt(symbol("%")).parse_next(input)?.is_some() && time == 1 {
        return mistake("a length of time has no %");
    }
    if !value.is_finite() {
        return mistake("this number is too large to reckon with");
    }
    Ok(Is::Number { value, time })
}

/// The next part of a length of time. Any other number there is a mistake that is told of where it stands.
fn further_time(input: &mut Input<'_>) -> Parsed<Option<f64>> {
    let before = input.checkpoint();
    spaces(input)?;
    if matches!(input.peek_token(), Some('0'..='9'))
        && let (more, 1) = one_number(input)?
    {
        return Ok(Some(more));
    }
    input.reset(&before);
    Ok(None)
}

fn one_number(input: &mut Input<'_>) -> Parsed<(f64, i8)> {
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1);
    let whole = (digit1, opt(('.', digit1))).void();
    let fraction = ('.', digit1).void();
    let digits = (alt((whole, fraction)), opt(exponent)).take().parse_next(input)?;
    let value: f64 = digits.parse().unwrap_or(f64::NAN);
    let before = input.checkpoint();
    spaces(input)?;
    let unit_at = input.current_token_start();
    let unit: &str = take_while(0.., is_name_char).parse_next(input)?;
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "" | "and" | "or" | "in" | "not" => {
            input.reset(&before);
            return Ok((value, 0));
        }
        other => {
            let why = format!("{other:?} is no unit; lengths of time are written in ms, s, m or min, h and d");
            return Err(wrong_at(unit_at, why));
        }
    };
    Ok((value * seconds, 1))
}

/// A text between quotes, which cannot stand in it.
fn quoted(input: &mut Input<'_>, quote: char) -> Parsed<String> {
    let start = input.current_token_start();
    one_of(quote).parse_next(input)?;
    let text: &str = take_till(0.., quote).parse_next(input)?;
    match opt(one_of(quote)).parse_next(input)? {
        Some(_) => Ok(text.to_owned()),
        None => Err(wrong_at(start, format!("there is no second {quote} for this one"))),
    }
}

/// Words with dots between them, and places in lists: `phases[0].volt`.
fn parts(input: &mut Input<'_>) -> Parsed<Vec<String>> {
    let first: Parsed<&str> = take_while(1.., is_name_char).parse_next(input);
    let Ok(first) = first else { return Err(wrong(input, "expected the name of a value")) };
    let mut parts = vec![first.to_owned()];
    loop {
        let dot = preceded('.', take_while(1.., is_name_char));
        let place = (literal("["), digit1, literal("]")).map(|(_, nth, _): (&str, &str, &str)| nth);
        match opt(alt((dot, place))).parse_next(input)? {
            Some(part) => parts.push(part.to_owned()),
            None => return Ok(parts),
        }
    }
}

/// A name, a function, `true`, `false`, or one of the conditions that need no brackets.
fn word(input: &mut Input<'_>) -> Parsed<Is> {
    let at = input.current_token_start();
    let parts = parts(input)?;
    let only = if let [only] = &parts[..] { only.as_str() } else { "" };
    match only {
        "true" => return Ok(Is::Flag(true)),
        "false" => return Ok(Is::Flag(false)),
        "and" | "or" | "not" | "in" => {
            let why = format!("expected a value, a number or a condition, found {only:?}");
            return Err(wrong_at(at, why));
        }
        "" => return Ok(Is::Name(Written::Parts(parts))),
        _ => {}
    }
    let before = input.checkpoint();
    spaces(input)?;
    let open = input.current_token_start();
    if opt(literal("(")).parse_next(input)?.is_none() {
        input.reset(&before);
        let is_condition = matches!(only, "silent" | "not_converged" | "command_failed");
        let call = || Is::Call { name: only.to_owned(), given: Vec::new() };
        return Ok(if is_condition { call() } else { Is::Name(Written::Parts(parts)) });
    }
    let mut given = Vec::new();
    if opt(symbol(")")).parse_next(input)?.is_none() {
        given.push(deeper(input, any_of)?);
        while opt(symbol(",")).parse_next(input)?.is_some() {
            given.push(deeper(input, any_of)?);
        }
        close(input, open)?;
    }
    Ok(Is::Call { name: only.to_owned(), given })
}
