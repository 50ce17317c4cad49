//! What can come next while somebody types: fields, what they may be, and what stands between terms.
//!
//! It reads what is before the cursor loosely, because half a query is always a mistake.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::field::{BEGINNINGS, FIELDS, Field, PRIORITIES, STANDINGS, TextField, bare_values, field};
use crate::kind::Kind;

/// The most choices that are given.
pub const CHOICES_MAX: usize = 12;

/// So many letters within a name are no chance.
const LIKELY_CHARS: usize = 3;

/// What is there to be named, as far as somebody gives it. A few hundred of each are enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Kinds of which there are things; all of them where none is given.
    pub kinds: Vec<Kind>,
    /// Groups of the profile.
    pub groups: Vec<String>,
    /// Districts.
    pub areas: Vec<String>,
    /// Names of values that were seen, with dots between their parts.
    pub values: Vec<String>,
    /// Leaves of shadows that were seen, as fields: `shadow.reported.dim_pct`.
    pub leaves: Vec<String>,
    /// Rules of alarms by their ids.
    pub rules: Vec<String>,
}

/// What can come next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The bytes of the text that a choice stands for.
    pub replaces: Range<usize>,
    /// The likeliest first, at most [`CHOICES_MAX`].
    pub choices: Vec<Choice>,
}

/// One of the ways to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is put into the text.
    pub text: String,
    /// What it is, for people; may be empty.
    pub about: String,
    /// Whether something has to follow at once: it is a field, or the beginning of one.
    pub goes_on: bool,
}

impl Completion {
    /// The text with a choice in its place, and the byte behind it.
    pub fn put(&self, text: &str, choice: &Choice) -> (String, usize) {
        let (before, after) = (text.get(..self.replaces.start), text.get(self.replaces.end..));
        let (before, after) = (before.unwrap_or(text), after.unwrap_or_default());
        // What goes on has its sign perhaps already.
        let after = if choice.text.ends_with(':') { after.strip_prefix(':').unwrap_or(after) } else { after };
        let space = if choice.goes_on || after.starts_with([' ', ')']) { "" } else { " " };
        (format!("{before}{}{space}{after}", choice.text), before.len() + choice.text.len() + space.len())
    }
}

/// What can come at a cursor, which is a byte of the text; nothing where it is none.
pub fn complete(text: &str, cursor: usize, words: &Vocabulary) -> Completion {
    let (Some(before), Some(after)) = (text.get(..cursor), text.get(cursor..)) else { return Completion::default() };
    let place = Place::of(before);
    if place.is_closed {
        return Completion::default();
    }
    let typed = before.get(place.start..).unwrap_or_default();
    let in_quotes = typed.starts_with('"');
    let word_end = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == '.');
    let rest = after.find(word_end).unwrap_or(after.len());
    let rest = if in_quotes { after.find('"').map_or(rest, |quote| quote + 1) } else { rest };
    let sign = before.get(..place.start).and_then(|before| before.trim_end().chars().next_back());
    let has_sign = sign.is_some_and(|sign| matches!(sign, '<' | '>' | '='));
    let mut choices = match &place.field {
        Some(name) => values(name, has_sign, words),
        None if in_quotes => Vec::new(),
        None => fields(typed, place.is_behind_a_term, words),
    };
    let typed = typed.trim_start_matches('"').to_lowercase();
    let begins = |choice: &Choice| choice.text.trim_start_matches('"').to_lowercase().starts_with(&typed);
    // What stands somewhere in it is meant only where that is more than chance.
    let has = |choice: &Choice| typed.chars().count() >= LIKELY_CHARS && choice.text.to_lowercase().contains(&typed);
    choices.retain(|choice| begins(choice) || has(choice));
    // What begins so comes first.
    choices.sort_by_key(|choice| !begins(choice));
    if matches!(choices.as_slice(), [only] if only.text.trim_matches('"').to_lowercase() == typed) {
        choices.clear();
    }
    choices.truncate(CHOICES_MAX);
    Completion { replaces: place.start..cursor + rest, choices }
}

/// Where a cursor stands.
#[derive(Debug, Default)]
struct Place {
    /// Where what is typed begins, in bytes.
    start: usize,
    /// The field of which it is what that is to be.
    field: Option<String>,
    /// A term is before it.
    is_behind_a_term: bool,
    /// Nothing can be said: it stands in a range.
    is_closed: bool,
}

impl Place {
    fn of(before: &str) -> Place {
        let mut place = Place::default();
        // The field of each bracket that is open.
        let mut open: Vec<Option<String>> = Vec::new();
        let (mut quoted, mut escaped) = (false, false);
        // The word before the spaces that a sign may stand behind.
        let mut last = "";
        for (at, c) in before.char_indices() {
            let next = at + c.len_utf8();
            if std::mem::take(&mut escaped) {
                continue;
            }
            let context = || open.last().cloned().flatten();
            match c {
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                _ if quoted => {}
                ']' | '}' if place.is_closed => {
                    place = Place { start: next, field: context(), is_behind_a_term: true, is_closed: false };
                }
                _ if place.is_closed => {}
                '(' => {
                    let field = place.field.take().filter(|_| place.start == at);
                    open.push(field.clone());
                    place = Place { start: next, field, ..Place::default() };
                }
                ')' => {
                    open.pop();
                    let field = open.last().cloned().flatten();
                    place = Place { start: next, field, is_behind_a_term: true, is_closed: false };
                }
                ':' | '<' | '>' if place.field.is_none() => {
                    let word = before.get(place.start..at).unwrap_or_default();
                    place.field = Some(if word.is_empty() && c != ':' { last } else { word }.to_owned());
                    place.start = next;
                }
                '<' | '>' | '=' if place.start == at => place.start = next,
                '[' | '{' if place.field.is_some() && place.start == at => place.is_closed = true,
                '-' | '+' if place.start == at && place.field.is_none() => place.start = next,
                c if c.is_whitespace() => {
                    let word = before.get(place.start..at).unwrap_or_default();
                    let is_between = matches!(word, "AND" | "OR" | "NOT");
                    last = if word.is_empty() { last } else { word };
                    // Spaces may stand around a sign.
                    let waits = place.field.is_some() && word.is_empty() && context().is_none();
                    if waits && before.get(..at).is_some_and(|before| before.ends_with(['<', '>', '='])) {
                        place.start = next;
                    } else {
                        let is_behind_a_term = if word.is_empty() { place.is_behind_a_term } else { !is_between };
                        place = Place { start: next, field: context(), is_behind_a_term, is_closed: false };
                    }
                }
                _ => {}
            }
        }
        place
    }
}

fn choice(text: impl Into<String>, about: impl Into<String>, goes_on: bool) -> Choice {
    Choice { text: text.into(), about: about.into(), goes_on }
}

/// What begins a term, or stands between two.
fn fields(typed: &str, is_behind_a_term: bool, words: &Vocabulary) -> Vec<Choice> {
    let between = [("AND", "and"), ("OR", "or")].into_iter().filter(|_| is_behind_a_term);
    let not = [("NOT", "not")];
    let operators = between.chain(not).map(|(word, about)| choice(word, format!("{about} …"), true));
    // AWS's own word for a name is read; it is not what is proposed.
    let is_asked = |name: &str| name != "thingName" || typed.to_lowercase().starts_with("thing");
    let fixed = FIELDS.iter().filter(|(name, _)| is_asked(name));
    let fixed = fixed.map(|(name, about)| choice(format!("{name}:"), *about, true));
    let label_of = |name: &str| bare_values().find(|(bare, _)| *bare == name).map(|(_, label)| label);
    let seen = words.values.iter().map(|name| match label_of(name) {
        Some(label) => choice(format!("{name}:"), format!("{label}, its latest value"), true),
        None => choice(format!("value.{name}:"), "its latest value", true),
    });
    let bare = bare_values().filter(|_| words.values.is_empty());
    let bare = bare.map(|(name, label)| choice(format!("{name}:"), format!("{label}, its latest value"), true));
    let leaves = words.leaves.iter().map(|name| choice(format!("{name}:"), "in its shadow", true));
    let begins = BEGINNINGS.iter().map(|(name, about)| choice(*name, *about, true));
    let mut all: Vec<Choice> = Vec::new();
    // Between two terms nothing is likelier, and who writes in capitals means nothing else.
    if is_behind_a_term && typed.chars().all(|c| c.is_ascii_uppercase()) {
        all.extend(operators);
        all.extend(fixed);
    } else {
        all.extend(fixed);
        all.extend(seen);
        all.extend(bare);
        all.extend(leaves);
        all.extend(begins);
        all.extend(operators);
    }
    // "and the" is no field, but "AND" begins as it does.
    all.iter_mut().filter(|choice| matches!(choice.text.as_str(), "AND" | "OR" | "NOT")).for_each(|choice| {
        choice.text.push(' ');
    });
    all
}

/// What a field may be.
fn values(name: &str, has_sign: bool, words: &Vocabulary) -> Vec<Choice> {
    let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
    let plain = |word: &str| choice(word, "", false);
    let texts = |texts: &[String]| texts.iter().map(|text| choice(in_quotes_if_needed(text), "", false)).collect();
    let Ok(field) = field(&parts) else { return Vec::new() };
    match field {
        Field::Kind => {
            let there = |kind: &Kind| words.kinds.is_empty() || words.kinds.contains(kind);
            Kind::ALL.into_iter().filter(there).map(|kind| choice(kind.word(), kind.plural(), false)).collect()
        }
        Field::Status => STANDINGS.iter().map(|(_, word)| plain(word)).collect(),
        Field::Priority => PRIORITIES.iter().map(|word| plain(word)).collect(),
        Field::HasDelta(_) | Field::Connected | Field::Active => ["true", "false"].map(plain).to_vec(),
        Field::Group => texts(&words.groups),
        Field::Text(TextField::Area) => texts(&words.areas),
        Field::Rule => texts(&words.rules),
        Field::Age if has_sign => ["10m", "1h", "1d"].map(plain).to_vec(),
        Field::Age => ["<10m", "<1h", ">1h", ">1d"]
            .map(|age| choice(age, if age.starts_with('<') { "younger" } else { "older" }, false))
            .to_vec(),
        Field::Text(TextField::Name | TextField::Title | TextField::Street | TextField::Gateway)
        | Field::Near
        | Field::Value(_)
        | Field::Leaf { .. } => Vec::new(),
    }
}

/// A text as a query reads it: as it is, else in quotes.
pub fn in_quotes_if_needed(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Vocabulary {
        Vocabulary {
            kinds: vec![Kind::Lamp, Kind::Bin],
            groups: vec!["Marsa crew".into(), "Depot".into()],
            areas: vec!["Ħal Qormi".into(), "Marsa".into()],
            values: vec!["fill_pct".into(), "vibration.x".into()],
            leaves: vec!["shadow.reported.dim_pct".into(), "shadow.desired.dim_pct".into()],
            rules: vec!["bin-full".into()],
        }
    }

    /// What can come where `|` stands.
    fn at(text: &str) -> (String, Completion) {
        let cursor = text.find('|').unwrap();
        let text = text.replace('|', "");
        let completion = complete(&text, cursor, &words());
        (text, completion)
    }

    #[test]
    fn what_can_come_next_depends_on_where_one_is() {
        for (text, want) in [
            ("ki|", vec!["kind:"]),
            ("-ki|", vec!["kind:"]),
            ("kind:|", vec!["lamp", "bin"]),
            ("kind:L|", vec!["lamp"]),
            ("kind:lamp|", vec![]),
            ("kind:(lamp OR b|", vec!["bin"]),
            ("(kind:b|", vec!["bin"]),
            ("group:|", vec!["\"Marsa crew\"", "Depot"]),
            ("group:\"mar|", vec!["\"Marsa crew\""]),
            ("area:qor|", vec!["\"Ħal Qormi\""]),
            ("fill|", vec!["fill_pct:"]),
            ("vib|", vec!["value.vibration.x:"]),
            ("dim|", vec!["shadow.reported.dim_pct:", "shadow.desired.dim_pct:"]),
            ("connectivity.connected:t|", vec!["true"]),
            ("alarm.pri|", vec!["alarm.priority:"]),
            ("alarm.rule:|", vec!["bin-full"]),
            ("age|", vec!["age:"]),
            ("age:|", vec!["<10m", "<1h", ">1h", ">1d"]),
            ("age:<|", vec!["10m", "1h", "1d"]),
            ("age > 1|", vec!["10m", "1h", "1d"]),
            ("fill_pct:[5|", vec![]),
            ("fill_pct:[50 TO 8|", vec![]),
            ("fill_pct:[50 TO 80] kin|", vec!["kind:"]),
            ("fill_pct > |", vec![]),
            ("thingN|", vec!["thingName:"]),
            ("\"ki|", vec![]),
            ("kind\\:|", vec![]),
        ] {
            let choices: Vec<String> = at(text).1.choices.into_iter().map(|choice| choice.text).collect();
            assert_eq!(choices, want, "{text}");
        }
        let behind = at("kind:lamp |").1.choices;
        assert_eq!(
            behind.iter().take(3).map(|choice| choice.text.as_str()).collect::<Vec<_>>(),
            ["AND ", "OR ", "NOT "]
        );
        assert!(!at("|").1.choices.iter().any(|choice| choice.text == "AND "), "nothing is before it");
    }

    #[test]
    fn a_choice_takes_the_place_of_what_was_typed() {
        for (text, want) in [
            ("ki|", "kind:|"),
            ("lamp -ki|n area:x", "lamp -kind:| area:x"),
            ("ki|nd:lamp", "kind:|lamp"),
            ("kind:l|", "kind:lamp |"),
            ("kind:(l| OR bin)", "kind:(lamp| OR bin)"),
            ("group:\"mar|sa\" x", "group:\"Marsa crew\"| x"),
            ("triq kind:lamp A|", "triq kind:lamp AND |"),
        ] {
            let (typed, completion) = at(text);
            let (mut put, cursor) = completion.put(&typed, completion.choices.first().unwrap());
            put.insert(cursor, '|');
            assert_eq!(put, want, "{text}");
        }
    }

    #[test]
    fn a_cursor_within_a_character_or_beyond_the_end_says_nothing() {
        assert_eq!(complete("ħ", 1, &words()), Completion::default());
        assert_eq!(complete("a", 2, &words()), Completion::default());
    }
}
