//! Whether a value is as its schema says, and in which words it is not.

use serde_json::Value as Json;

use super::{NumberBounds, Schema, Type, VIOLATIONS_MAX, Violation};
use crate::shadow::{Object, pointer_of, same_value};
use crate::text::shown;

/// Characters of a value that stand in a sentence.
const VALUE_MAX_CHARS: usize = 40;

/// Names that are told of those that would be right.
const NAMES_MAX: usize = 8;

impl Schema {
    /// Everything that is wrong with a value, at most [`VIOLATIONS_MAX`]; nothing where it is as it should be.
    pub fn check(&self, value: &Json) -> Vec<Violation> {
        let mut found = Found { all: Vec::new(), keep: &|_| true };
        self.look(value, "", &mut found);
        found.all
    }

    /// What is wrong with desired state as it would be `after` a change, as far as the change has to do with it: the touched values,
    /// what is in them, and the objects around them. What was wrong before elsewhere is nobody's who did not touch it.
    pub fn check_change(&self, after: &Object, touched: &[&str]) -> Vec<Violation> {
        let is_in =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        let keep = |pointer: &str| touched.iter().any(|touched| is_in(touched, pointer) || is_in(pointer, touched));
        let mut found = Found { all: Vec::new(), keep: &keep };
        for pointer in touched {
            if let Some(schema) = self.way(pointer).into_iter().find(|schema| schema.read_only) {
                found.add(pointer, || format!("{} cannot be set: only the thing itself says it", schema.name(pointer)));
            }
        }
        self.look(&Json::Object(after.clone()), "", &mut found);
        found.all
    }

    fn look(&self, value: &Json, pointer: &str, found: &mut Found<'_>) {
        if !(found.keep)(pointer) || found.all.len() >= VIOLATIONS_MAX {
            return;
        }
        if let Some(types) = self.types.as_ref().filter(|types| !types.iter().any(|of| of.is_of(value))) {
            return found.add(pointer, || self.wrong_type(types, value, pointer));
        }
        if let Some(one_of) = self.one_of.as_ref().filter(|one_of| !one_of.iter().any(|of| same_value(of, value))) {
            let words: Vec<String> = one_of.iter().map(word).collect();
            let takes = if words.len() == 1 { "only" } else { "one of" };
            let (name, words, given) = (self.name(pointer), few(words.iter().map(String::as_str)), word(value));
            return found.add(pointer, || format!("{name} takes {takes} {words}, not {given}"));
        }
        match value {
            Json::Number(number) => {
                if let Some(why) = number.as_f64().and_then(|n| self.wrong_number(n, pointer)) {
                    found.add(pointer, || why);
                }
            }
            Json::String(text) => {
                let chars = text.chars().count() as u64;
                let name = || self.name(pointer);
                if let Some(max) = self.max_chars.filter(|max| chars > *max) {
                    found.add(pointer, || format!("{} takes at most {max} characters, not {chars}", name()));
                } else if let Some(min) = self.min_chars.filter(|min| chars < *min) {
                    found.add(pointer, || format!("{} takes at least {min} characters, not {chars}", name()));
                }
            }
            Json::Array(items) => self.look_into_list(items, pointer, found),
            Json::Object(object) => self.look_into_object(object, pointer, found),
            Json::Null | Json::Bool(_) => {}
        }
    }

    fn look_into_list(&self, items: &[Json], pointer: &str, found: &mut Found<'_>) {
        let count = items.len() as u64;
        if let Some(max) = self.max_items.filter(|max| count > *max) {
            found.add(pointer, || format!("{} takes at most {max} items, not {count}", self.name(pointer)));
        } else if let Some(min) = self.min_items.filter(|min| count < *min) {
            found.add(pointer, || format!("{} takes at least {min} items, not {count}", self.name(pointer)));
        }
        let Some(of) = &self.items else { return };
        for (nth, item) in items.iter().enumerate() {
            of.look(item, &format!("{pointer}/{nth}"), found);
        }
    }

    fn look_into_object(&self, object: &Object, pointer: &str, found: &mut Found<'_>) {
        for name in self.required.iter().filter(|name| !object.contains_key(*name)) {
            let what = self.properties.iter().find(|(known, _)| known == name);
            let titled = what.map(|(_, schema)| schema.title.as_str()).filter(|title| !title.is_empty());
            let titled = titled.map(|title| format!(" ({title})")).unwrap_or_default();
            found.add(pointer, || format!("{} needs “{}”{titled} as well", self.name(pointer), shown(name)));
        }
        for (name, value) in object {
            let inner = format!("{pointer}{}", pointer_of([name.as_str()]));
            match (self.properties.iter().find(|(known, _)| known == name), &self.additional) {
                (Some((_, schema)), _) => schema.look(value, &inner, found),
                (None, Some(additional)) if additional.types.as_ref().is_some_and(Vec::is_empty) => {
                    let known = few(self.properties.iter().map(|(name, _)| name.as_str()));
                    let known = if known.is_empty() { "nothing is".into() } else { known };
                    found.add(&inner, || format!("“{}” is not known here; known: {known}", shown(name)));
                }
                (None, Some(additional)) => additional.look(value, &inner, found),
                (None, None) => {}
            }
        }
    }

    fn wrong_type(&self, types: &[Type], value: &Json, pointer: &str) -> String {
        let name = self.name(pointer);
        if types.is_empty() {
            return format!("{name} takes no value at all");
        }
        let NumberBounds { min, max, .. } = self.number;
        let numeric = types.iter().any(|of| matches!(of, Type::Number | Type::Integer));
        let range = match (min, max) {
            (Some(min), Some(max)) if numeric => format!(" from {min} to {}", self.with_unit(max)),
            _ => String::new(),
        };
        let nouns: Vec<&str> = types.iter().map(|of| of.noun()).collect();
        format!("{name} takes {}{range}, not {}", nouns.join(" or "), word(value))
    }

    fn wrong_number(&self, n: f64, pointer: &str) -> Option<String> {
        let NumberBounds { min, max, above, below, multiple_of } = self.number;
        let (name, given) = (self.name(pointer), self.with_unit(n));
        let of = |limit: Option<f64>, is_wrong: fn(f64, f64) -> bool| limit.filter(|limit| is_wrong(n, *limit));
        if let (Some(min), Some(max)) = (min, max)
            && !(min..=max).contains(&n)
        {
            return Some(format!("{name} {given} is outside {min}–{}", self.with_unit(max)));
        }
        let (word, limit) = if let Some(limit) = of(min, |n, limit| n < limit) {
            ("at least", limit)
        } else if let Some(limit) = of(max, |n, limit| n > limit) {
            ("at most", limit)
        } else if let Some(limit) = of(above, |n, limit| n <= limit) {
            ("more than", limit)
        } else if let Some(limit) = of(below, |n, limit| n >= limit) {
            ("less than", limit)
        } else {
            let step = multiple_of.filter(|step| !is_multiple(n, *step))?;
            return Some(format!("{name} {given} is no multiple of {}", self.with_unit(step)));
        };
        Some(format!("{name} takes {word} {}, not {given}", self.with_unit(limit)))
    }

    fn with_unit(&self, n: f64) -> String {
        format!("{n} {}", self.unit).trim_end().to_owned()
    }

    /// What people call the value at a pointer.
    pub fn name(&self, pointer: &str) -> String {
        match pointer.rsplit_once('/') {
            _ if !self.title.is_empty() => self.title.clone(),
            None => "this".into(),
            Some((_, last)) => format!("“{}”", shown(&last.replace("~1", "/").replace("~0", "~"))),
        }
    }
}

impl Type {
    /// Whether a value is of this type.
    pub fn is_of(self, value: &Json) -> bool {
        match self {
            Type::Null => value.is_null(),
            Type::Boolean => value.is_boolean(),
            Type::Integer => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
            Type::Number => value.is_number(),
            Type::Text => value.is_string(),
            Type::List => value.is_array(),
            Type::Object => value.is_object(),
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Boolean => "true or false",
            Type::Integer => "a whole number",
            Type::Number => "a number",
            Type::Text => "a text",
            Type::List => "a list",
            Type::Object => "an object",
        }
    }
}

/// Whether a number is a whole multiple of another, as far as both can be written in binary: 0.3 is one of 0.1.
pub(crate) fn is_multiple(n: f64, of: f64) -> bool {
    let times = n / of;
    if !times.is_finite() {
        return n % of == 0.0;
    }
    (times - times.round()).abs() <= 4.0 * f64::EPSILON * times.abs().max(1.0)
}

/// A value as it stands in a sentence.
fn word(value: &Json) -> String {
    let text = value.to_string();
    let mut clipped: String = text.chars().take(VALUE_MAX_CHARS).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    shown(&clipped).into_owned()
}

fn few<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.map(|name| shown(name).into_owned());
    let mut told: Vec<String> = names.by_ref().take(NAMES_MAX).collect();
    if names.next().is_some() {
        told.push("…".into());
    }
    told.join(", ")
}

/// What was found, and where it is looked for.
struct Found<'a> {
    all: Vec<Violation>,
    keep: &'a dyn Fn(&str) -> bool,
}

impl Found<'_> {
    fn add(&mut self, pointer: &str, sentence: impl FnOnce() -> String) {
        if self.all.len() < VIOLATIONS_MAX && (self.keep)(pointer) {
            let mut sentence = sentence();
            if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
                sentence.replace_range(..1, &first);
            }
            self.all.push(Violation { pointer: pointer.to_owned(), sentence });
        }
    }
}
