//! The window's own source, read token by token: what is translated in it, and what is not and should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};

/// Texts that are the same in every language: names, notations, and what is read by no person.
#[rustfmt::skip]
const SAME_EVERYWHERE: &[&str] = &[
    "Fleetlens", "Fleetlens ", "English", "Deutsch", "MQTT", "QoS", "JSON", "CSV", "PNG", "SVG",
    "Control+K",
    "Escape",
    "Enter",
    "Home",
    "End",
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    "PageUp",
    "PageDown",
    "Android",
    "Channel",
    "Feature",
    "FeatureCollection",
    "LineString",
    "Point",
    "Inter Variable, system-ui, sans-serif",
    "{words} · Fleetlens",
    "v {}",
    "v {number}",
    "v {number} · {}",
    "M{:.1} {:.1}",
    "L{:.1} {:.1}",
    "L{:.1} {:.1}L{:.1} {:.1}",
    "shape ok",
    "shape unknown",
    "shape warn",
    "shape crit",
    "shape advisory",
    // What the parser of JSON says, by which its faults are told apart.
    " at line ",
    "EOF while parsing an object",
    "EOF while parsing a list",
    "EOF while parsing a string",
    "EOF while parsing a value",
    "key must be a string",
    "trailing comma",
    "trailing characters",
    "expected value",
    // For the console and for engineers.
    "it holds no words",
    "no page",
    "no canvas",
    "vertex array",
    "a parcel that is no bytes",
    "the canvas gave no context",
    "the numbers of the map's badges could not be drawn",
    "the map could not be recoloured",
    "the lines of the map cannot be drawn",
    "the page has no {name}",
    "Home Assistant",
    "Tab",
    "ArrowLeft ArrowRight ArrowUp ArrowDown Shift+ArrowRight Shift+ArrowDown Enter Delete",
    "ArrowLeft ArrowRight + - End",
    "Zigbee2MQTT",
    "Homie",
    "Sparkplug B",
    " OR ",
    "place\nvalue\nheard",
    "{kinds} and {search}",
];

/// Macros whose words are for engineers.
const FOR_ENGINEERS: &[&str] =
    &["panic", "assert", "assert_eq", "assert_ne", "debug_assert", "unreachable", "warn", "error", "log"];

/// Attributes that a person reads or hears.
const READ: &[&str] = &[
    "title",
    "aria-label",
    "aria-description",
    "aria-roledescription",
    "aria-valuetext",
    "placeholder",
    "alt",
    "label",
];

/// Attributes whose words are notation, whatever they look like.
const NOTATION: &[&str] = &[
    "class",
    "style",
    "id",
    "type",
    "role",
    "d",
    "viewBox",
    "points",
    "transform",
    "rel",
    "href",
    "src",
    "for",
    "name",
    "autocomplete",
    "inputmode",
    "pattern",
    "accept",
    "preserveAspectRatio",
    "aria-controls",
    "aria-labelledby",
    "aria-describedby",
    "aria-live",
    "key",
    "kind",
    "testid",
    "fill",
    "stroke",
];

/// A text as gettext knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) plural: Option<String>,
    pub(super) context: Option<String>,
}

/// What a source file holds.
#[derive(Default)]
pub(super) struct Found {
    pub(super) messages: BTreeSet<Message>,
    /// Texts for a person that nobody translates.
    pub(super) bare: Vec<String>,
}

fn text_of(literal: &Literal) -> Option<String> {
    let source = literal.to_string();
    let is_text = source.starts_with('"') || source.starts_with("r\"") || source.starts_with("r#");
    let parsed: Result<Vec<TokenTree>, _> = source.parse::<TokenStream>().map(|tokens| tokens.into_iter().collect());
    if !is_text || parsed.is_err() {
        return None;
    }
    let inner = match source.strip_prefix('r') {
        Some(raw) => return Some(raw.trim_matches('#').trim_matches('"').to_owned()),
        None => source.strip_prefix('"')?.strip_suffix('"')?.to_owned(),
    };
    let mut text = String::new();
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next()? {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'u' => {
                let code: String = letters.by_ref().skip(1).take_while(|c| *c != '}').collect();
                text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
            }
            '\n' => while letters.next_if(|c| c.is_whitespace()).is_some() {},
            other => text.push(other),
        }
    }
    Some(text)
}

/// The text without what is filled in.
fn words(text: &str) -> String {
    let mut depth = 0_u32;
    let kept = text.chars().filter(|c| match c {
        '{' => {
            depth += 1;
            false
        }
        '}' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    kept.collect()
}

/// Whether a text of the code looks like one for a person: it begins with a capital and goes on small, or holds words with spaces.
fn is_for_a_person(text: &str) -> bool {
    let words = words(text);
    let mut letters = words.trim().chars();
    let begins = letters.next().is_some_and(|c| c.is_ascii_uppercase())
        && letters.next().is_some_and(|c| c.is_ascii_lowercase());
    let is_notation = words.contains(['/', '<', '=', '_', '#']) && !words.contains(". ");
    let has_words =
        words.split_whitespace().filter(|word| word.len() > 1 && word.chars().all(char::is_alphabetic)).count() > 1;
    !is_notation
        && (begins
            || has_words
            || (words.starts_with(' ') || words.ends_with(' ')) && words.chars().any(char::is_alphabetic))
}

impl Found {
    fn suspect(&mut self, text: &str) {
        if !SAME_EVERYWHERE.contains(&text) {
            self.bare.push(text.to_owned());
        }
    }

    /// `tr!("context" => "one" | "many" % n, …)`; gives back what follows the texts.
    fn message(&mut self, group: &Group) -> TokenStream {
        let mut message = Message { text: String::new(), plural: None, context: None };
        let mut tokens = group.stream().into_iter();
        let mut is_plural = false;
        for token in tokens.by_ref() {
            match token {
                TokenTree::Literal(literal) => {
                    let Some(text) = text_of(&literal) else { break };
                    if is_plural { message.plural = Some(text) } else { message.text = text }
                }
                TokenTree::Punct(punct) if punct.as_char() == '=' => {
                    message.context = Some(std::mem::take(&mut message.text))
                }
                TokenTree::Punct(punct) if punct.as_char() == '|' => is_plural = true,
                TokenTree::Punct(punct) if punct.as_char() == '>' => {}
                TokenTree::Group(group) => {
                    self.code(group.stream());
                    break;
                }
                TokenTree::Punct(_) | TokenTree::Ident(_) => break,
            }
        }
        self.messages.insert(message);
        tokens.collect()
    }

    fn code(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let here = at;
            let next = |ahead: usize| tokens.get(here + ahead);
            at += 1;
            match token {
                TokenTree::Punct(hash) if hash.as_char() == '#' => {
                    let after_bang = matches!(next(1), Some(TokenTree::Punct(bang)) if bang.as_char() == '!');
                    let Some(TokenTree::Group(attribute)) = next(1 + usize::from(after_bang)) else { continue };
                    let is_test = attribute.stream().to_string().replace(' ', "") == "cfg(test)";
                    at += 1 + usize::from(after_bang);
                    if is_test {
                        // The item that only tests see: up to its body or its semicolon.
                        while let Some(token) = tokens.get(at) {
                            at += 1;
                            let ends = match token {
                                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                                TokenTree::Punct(punct) => punct.as_char() == ';',
                                TokenTree::Ident(_) | TokenTree::Literal(_) => false,
                            };
                            if ends {
                                break;
                            }
                        }
                    }
                }
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    let is_macro = matches!(next(1), Some(TokenTree::Punct(bang)) if bang.as_char() == '!');
                    match (is_macro, next(1), next(2)) {
                        (true, _, Some(TokenTree::Group(group))) => {
                            at += 2;
                            match name.as_str() {
                                "tr" => {
                                    let rest = self.message(group);
                                    self.code(rest);
                                }
                                "view" => self.view(group.stream()),
                                name if FOR_ENGINEERS.contains(&name) => {}
                                _ => self.code(group.stream()),
                            }
                        }
                        (false, Some(TokenTree::Group(group)), _) if matches!(name.as_str(), "said" | "term") => {
                            let first = group.stream().into_iter().next();
                            if let Some(TokenTree::Literal(literal)) = first {
                                at += 1;
                                let text = text_of(&literal).unwrap_or_default();
                                self.messages.insert(Message { text, plural: None, context: None });
                            }
                        }
                        (false, Some(TokenTree::Group(_)), _) if name == "expect" => at += 1,
                        _ => {}
                    }
                }
                TokenTree::Group(group) => self.code(group.stream()),
                TokenTree::Literal(literal) => {
                    if is_compared(&tokens, here) {
                        continue;
                    }
                    if let Some(text) = text_of(literal).filter(|text| is_for_a_person(text)) {
                        self.suspect(&text);
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn view(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let before: String = tokens
                        .get(at.saturating_sub(2)..at)
                        .unwrap_or_default()
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                    match before.as_str() {
                        "tr!" => {
                            let rest = self.message(group);
                            self.code(rest);
                        }
                        "view!" => self.view(group.stream()),
                        text if text.ends_with("said") || text.ends_with("term") => {
                            let said: TokenStream =
                                [TokenTree::from(proc_macro2::Ident::new("said", group.span())), token.clone()]
                                    .into_iter()
                                    .collect();
                            self.code(said);
                        }
                        _ => self.code(group.stream()),
                    }
                }
                TokenTree::Literal(literal) => {
                    let Some(text) = text_of(literal) else { continue };
                    let is_value =
                        at > 0 && matches!(tokens.get(at - 1), Some(TokenTree::Punct(punct)) if punct.as_char() == '=');
                    let attribute = if is_value { attribute_before(&tokens, at - 1) } else { String::new() };
                    let has_words = text.chars().any(char::is_alphabetic);
                    let is_bare = match attribute.as_str() {
                        "" => !is_value && has_words,
                        name if READ.contains(&name) => has_words,
                        name if NOTATION.contains(&name) || name.starts_with("data-") || name.contains(':') => false,
                        _ => is_for_a_person(&text),
                    };
                    if is_bare {
                        self.suspect(&text);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

/// Whether a literal is a pattern or one side of a comparison: the name of a key, not a text.
fn is_compared(tokens: &[TokenTree], at: usize) -> bool {
    let mark = |at: Option<usize>, wanted: &[char]| matches!(at.and_then(|at| tokens.get(at)), Some(TokenTree::Punct(punct)) if wanted.contains(&punct.as_char()));
    let is_arm = mark(at.checked_add(1), &['=']) && mark(at.checked_add(2), &['>']);
    let is_one_of = mark(at.checked_add(1), &['|']) || mark(at.checked_sub(1), &['|']);
    let is_side = mark(at.checked_sub(1), &['=']) && mark(at.checked_sub(2), &['=', '!']);
    is_arm || is_one_of || is_side
}

/// `aria-label` of `… aria-label="…"`, where the equals sign stands at `at`.
fn attribute_before(tokens: &[TokenTree], at: usize) -> String {
    let mut name = String::new();
    let mut at = at;
    let mut wants_name = true;
    while at > 0 {
        at -= 1;
        match tokens.get(at) {
            Some(TokenTree::Ident(part)) if wants_name => {
                name.insert_str(0, &part.to_string());
                wants_name = false;
            }
            Some(TokenTree::Punct(punct)) if !wants_name && matches!(punct.as_char(), '-' | ':') => {
                name.insert(0, punct.as_char());
                wants_name = true;
            }
            _ => break,
        }
    }
    name
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.file_stem().is_some_and(|stem| stem != "tests" && stem != "gallery")
        {
            files.push(path);
        }
    }
}

/// What each source file of the window holds, by its path below `src`.
pub(super) fn window() -> BTreeMap<String, Found> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let read = |path: PathBuf| {
        let mut found = Found::default();
        found.code(fs::read_to_string(&path).unwrap().parse().unwrap());
        (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), found)
    };
    files.into_iter().map(read).collect()
}
