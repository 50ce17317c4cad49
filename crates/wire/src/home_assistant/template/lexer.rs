//! From the text of a template to its words.

use serde_json::Value as Json;

use super::Fault;
use crate::quote::quote;

/// A word of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Text outside of all braces.
    Raw(String),
    /// `{{`
    EmitOpens,
    /// `{%`
    BlockOpens,
    /// `}}` or `%}`
    Closes,
    Name(String),
    Literal(Json),
    Sign(&'static str),
}

/// Longer ones first, so that `//` is not two divisions.
const SIGNS: [&str; 25] = [
    "==", "!=", "<=", ">=", "//", "**", "<", ">", "=", "+", "-", "*", "/", "%", "~", "|", "(", ")", "[", "]", "{", "}",
    ",", ":", ".",
];

/// All words of a template.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut rest = source;
    // Whether the braces before this text ask for the space after them to be taken away.
    let mut trim = false;
    loop {
        let (mut raw, opens, inside) = match opening(rest) {
            Some((raw, opens, inside)) => (raw, opens, inside),
            None => (rest, "", ""),
        };
        if trim {
            raw = raw.trim_start();
        }
        let inside = match inside.strip_prefix('-').filter(|_| !opens.is_empty()) {
            Some(inside) => {
                raw = raw.trim_end();
                inside
            }
            // `{%+` only keeps what is kept anyway.
            None => inside.strip_prefix('+').filter(|_| opens == "{%").unwrap_or(inside),
        };
        if !raw.is_empty() {
            tokens.push(Token::Raw(raw.to_owned()));
        }
        rest = match opens {
            "" => return Ok(tokens),
            "{#" => {
                let (comment, after) = inside.split_once("#}").ok_or_else(|| open("{#", "#}"))?;
                trim = comment.ends_with('-');
                after
            }
            "{{" => {
                tokens.push(Token::EmitOpens);
                words(inside, "}}", &mut trim, &mut tokens)?
            }
            _ => {
                tokens.push(Token::BlockOpens);
                words(inside, "%}", &mut trim, &mut tokens)?
            }
        };
    }
}

/// The text before the next braces, which they are, and the text after them.
fn opening(text: &str) -> Option<(&str, &'static str, &str)> {
    let found = ["{{", "{%", "{#"].into_iter().filter_map(|braces| Some((text.find(braces)?, braces))).min();
    let (at, braces) = found?;
    let (before, after) = text.split_at_checked(at)?;
    Some((before, braces, after.strip_prefix(braces)?))
}

fn open(opens: &str, closes: &str) -> Fault {
    Fault::Unreadable(format!("{opens} is never closed by {closes}"))
}

/// Takes words up to the braces that close; what is left after them.
fn words<'a>(text: &'a str, closes: &str, trim: &mut bool, tokens: &mut Vec<Token>) -> Result<&'a str, Fault> {
    let mut rest = text;
    let mut depth = 0_usize;
    loop {
        rest = rest.trim_start();
        if depth == 0 {
            let trimming = rest.strip_prefix('-').and_then(|rest| rest.strip_prefix(closes));
            *trim = trimming.is_some();
            if let Some(after) = trimming.or_else(|| rest.strip_prefix(closes)) {
                tokens.push(Token::Closes);
                return Ok(after);
            }
        }
        let Some(first) = rest.chars().next() else {
            return Err(open(if closes == "}}" { "{{" } else { "{%" }, closes));
        };
        let (token, after) = if first == '"' || first == '\'' {
            text_literal(rest, first)?
        } else if first.is_ascii_digit() {
            number(rest)?
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            (Token::Name(name.to_owned()), after)
        } else {
            let sign = SIGNS.into_iter().find_map(|sign| Some((sign, rest.strip_prefix(sign)?)));
            let (sign, after) =
                sign.ok_or_else(|| Fault::Unreadable(format!("{first:?} has no meaning in a template")))?;
            match sign {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            (Token::Sign(sign), after)
        };
        tokens.push(token);
        rest = after;
    }
}

fn number(text: &str) -> Result<(Token, &str), Fault> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let mut end = digits(text);
    let after = |end: usize| text.get(end..).unwrap_or("");
    if let Some(fraction) = after(end).strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        end += 1 + digits(fraction);
    }
    if let Some(exponent) = after(end).strip_prefix(['e', 'E']) {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if unsigned.starts_with(|c: char| c.is_ascii_digit()) {
            end += 1 + (exponent.len() - unsigned.len()) + digits(unsigned);
        }
    }
    let (written, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let written = written.replace('_', "");
    let whole = written.parse::<i64>().ok().map(Json::from);
    let read = || serde_json::Number::from_f64(written.parse().ok()?).map(Json::Number);
    let number = whole.or_else(read);
    let number = number.ok_or_else(|| Fault::Unreadable(format!("{:?} is no number", quote(&written, 40))))?;
    Ok((Token::Literal(number), rest))
}

fn text_literal(text: &str, quotes: char) -> Result<(Token, &str), Fault> {
    let mut written = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quotes {
            let rest = text.get(at + c.len_utf8()..).unwrap_or("");
            return Ok((Token::Literal(Json::String(written)), rest));
        }
        match (c, c == '\\') {
            (c, false) => written.push(c),
            (_, true) => match chars.next().map(|(_, c)| c) {
                Some('n') => written.push('\n'),
                Some('t') => written.push('\t'),
                Some('r') => written.push('\r'),
                Some(c @ ('\\' | '\'' | '"')) => written.push(c),
                Some(c) => written.extend(['\\', c]),
                None => break,
            },
        }
    }
    Err(Fault::Unreadable(format!("a text is never closed by {quotes}")))
}
