//! Where something stands in a payload: a JSON pointer (RFC 6901), with `*` for the only member of an object whose name does
//! not matter: `/*/tst` finds the time in `{"VP":{"tst":…}}` and in `{"DUE":{"tst":…}}`.

use fleetlens_model::shadow::pointer_of;
use serde_json::Value as Json;
use thiserror::Error;

use crate::WireError;
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// A parsed pointer; made once, followed for every message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Name(String),
    Only,
}

/// Why a text is no pointer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PointerError {
    /// It does not begin with a slash.
    #[error("{0:?} is not a JSON pointer; write \"/{0}\"")]
    Slash(String),
    /// A tilde that escapes nothing (RFC 6901, section 3).
    #[error("{0:?} is not a JSON pointer; write ~0 for ~ and ~1 for / within a name")]
    Escape(String),
}

/// Where a pointer led in one payload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found<'a> {
    /// The plain pointer, with names for every `*`.
    pub(crate) at: String,
    /// What stands there.
    pub(crate) value: &'a Json,
}

impl Pointer {
    /// Reads a pointer; the empty one leads to the whole payload.
    pub fn parse(text: &str) -> Result<Pointer, PointerError> {
        if text.is_empty() {
            return Ok(Pointer::default());
        }
        let Some(names) = text.strip_prefix('/') else { return Err(PointerError::Slash(text.into())) };
        let part = |name: &str| match name {
            "*" => Ok(Part::Only),
            name => unescape(name).map(Part::Name).ok_or_else(|| PointerError::Escape(text.into())),
        };
        Ok(Pointer { parts: names.split('/').map(part).collect::<Result<_, _>>()? })
    }

    /// The name it follows where it is one step deep; empty for the whole payload, `None` where it leads deeper or to any member.
    pub(crate) fn name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Name(name)] if !name.is_empty() => Some(name),
            [Part::Name(_) | Part::Only] | [_, _, ..] => None,
        }
    }

    /// What it leads to; `None` where there is nothing. Where `*` stands for one of several members the payload is refused:
    /// nobody said which.
    pub(crate) fn find<'a>(&self, whole: &'a Json) -> Result<Option<Found<'a>>, WireError> {
        let mut found = Found { at: String::new(), value: whole };
        for part in &self.parts {
            let next = match (part, found.value) {
                (Part::Name(name), Json::Object(object)) => object.get_key_value(name),
                (Part::Name(name), Json::Array(items)) => {
                    let item = name.parse().ok().and_then(|index: usize| items.get(index));
                    item.map(|item| (name, item))
                }
                (Part::Only, Json::Object(object)) => {
                    let mut members = object.iter();
                    match (members.next(), members.next()) {
                        (Some(only), None) => Some(only),
                        (Some(_) | None, Some(_) | None) => {
                            let pointer = quote(&found.at, QUOTE_MAX_CHARS);
                            return Err(WireError::NotAlone { pointer, given: object.len() });
                        }
                    }
                }
                (Part::Only, Json::Array(_))
                | (Part::Name(_) | Part::Only, Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => None,
            };
            let Some((name, value)) = next else { return Ok(None) };
            found.at.push_str(&pointer_of([name.as_str()]));
            found.value = value;
        }
        Ok(Some(found))
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Name(name) => f.write_str(&pointer_of([name.as_str()])),
            Part::Only => f.write_str("/*"),
        })
    }
}

/// A name as it is without `~0` and `~1`; `None` when a tilde stands for nothing.
fn unescape(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '~' => match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            c => c,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_leads_to_one_place_or_to_none() {
        let whole = json!({"VP": {"a~/b": [1, {"c": 2}], "x": null}});
        for (pointer, want) in [
            ("", Some(("", whole.clone()))),
            ("/VP/a~0~1b/1/c", Some(("/VP/a~0~1b/1/c", json!(2)))),
            ("/*/a~0~1b/0", Some(("/VP/a~0~1b/0", json!(1)))),
            ("/*/x", Some(("/VP/x", json!(null)))),
            ("/DUE", None),
            ("/VP/a~0~1b/7", None),
            ("/VP/a~0~1b/*", None),
            ("/VP/x/*", None),
        ] {
            let read = Pointer::parse(pointer).unwrap();
            assert_eq!(read.to_string(), pointer);
            let found = read.find(&whole).unwrap().map(|found| (found.at, found.value.clone()));
            assert_eq!(found, want.map(|(at, value)| (at.to_owned(), value)), "{pointer}");
        }
        for (given, count) in [(json!({}), 0), (json!({"a": 1, "b": 2}), 2)] {
            let error = Pointer::parse("/*").unwrap().find(&given).unwrap_err();
            assert_eq!(error, WireError::NotAlone { pointer: String::new(), given: count });
        }
    }

    #[test]
    fn what_is_no_pointer_is_told() {
        assert_eq!(Pointer::parse("values"), Err(PointerError::Slash("values".into())));
        for text in ["/a~", "/a~2"] {
            assert_eq!(Pointer::parse(text), Err(PointerError::Escape(text.into())));
        }
    }
}
