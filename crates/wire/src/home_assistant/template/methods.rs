//! Tests, after `is`, and methods of templates.

use serde_json::Value as Json;

use super::functions::{replace, titled};
use super::value::{Val, contains, equal, order, shown};
use super::{BUILT_MAX_BYTES, Fault};

named! {
    /// A test, after `is`.
    Test {
        Boolean: "boolean",
        Defined: "defined",
        DivisibleBy: "divisibleby",
        Equal: "eq" | "equalto" | "sameas",
        Even: "even",
        False: "false",
        Float: "float",
        Greater: "gt" | "greaterthan",
        GreaterOrEqual: "ge",
        In: "in",
        Integer: "integer",
        Iterable: "iterable" | "sequence",
        Less: "lt" | "lessthan",
        LessOrEqual: "le",
        Mapping: "mapping",
        None: "none",
        Number: "number",
        Odd: "odd",
        SaysNumber: "is_number",
        String: "string" ,
        True: "true",
        Undefined: "undefined",
        Unequal: "ne",
    }
}

named! {
    /// A method of a text, a list or an object.
    Method {
        EndsWith: "endswith",
        Get: "get",
        Keys: "keys",
        Lower: "lower",
        Lstrip: "lstrip",
        Replace: "replace",
        Rstrip: "rstrip",
        Split: "split",
        StartsWith: "startswith",
        Strip: "strip",
        Title: "title",
        Upper: "upper",
        Values: "values",
    }
}

impl Test {
    /// Whether it is written with one argument that needs no brackets.
    pub(super) fn takes_one(self) -> bool {
        matches!(
            self,
            Test::DivisibleBy
                | Test::Equal
                | Test::Greater
                | Test::GreaterOrEqual
                | Test::In
                | Test::Less
                | Test::LessOrEqual
                | Test::Unequal
        )
    }

    pub(super) fn holds(self, of: &Val<'_>, given: &[Val<'_>]) -> Result<bool, Fault> {
        let other = || given.first().ok_or_else(|| Fault::Impossible("a test misses what to test against".to_owned()));
        let whole = |value: &Val<'_>| {
            value.whole().ok_or_else(|| Fault::Impossible(format!("{} is no whole number", shown(value))))
        };
        let json = of.as_json();
        Ok(match self {
            Test::Defined => json.is_some(),
            Test::Undefined => json.is_none(),
            Test::None => json == Some(&Json::Null),
            Test::True => json == Some(&Json::Bool(true)),
            Test::False => json == Some(&Json::Bool(false)),
            Test::Boolean => json.is_some_and(Json::is_boolean),
            Test::String => json.is_some_and(Json::is_string),
            Test::Number => json.is_some_and(|json| json.is_number() || json.is_boolean()),
            Test::Integer => json.is_some_and(|json| json.is_i64() || json.is_u64()),
            Test::Float => json.is_some_and(Json::is_f64),
            Test::Mapping => json.is_some_and(Json::is_object),
            Test::Iterable => json.is_some_and(|json| json.is_array() || json.is_object() || json.is_string()),
            Test::SaysNumber => of.said_number().is_some(),
            Test::Odd => whole(of)?.rem_euclid(2) == 1,
            Test::Even => whole(of)?.rem_euclid(2) == 0,
            Test::DivisibleBy => whole(of)?.checked_rem(whole(other()?)?) == Some(0),
            Test::Equal => equal(of, other()?),
            Test::Unequal => !equal(of, other()?),
            Test::Greater => order(of, other()?)?.is_gt(),
            Test::GreaterOrEqual => order(of, other()?)?.is_ge(),
            Test::Less => order(of, other()?)?.is_lt(),
            Test::LessOrEqual => order(of, other()?)?.is_le(),
            Test::In => contains(other()?, of)?,
        })
    }
}

impl Method {
    pub(super) fn call<'a>(self, of: &Val<'a>, given: &[Val<'a>]) -> Result<Val<'a>, Fault> {
        let argument = |at: usize| given.get(at).map(|value| value.text().into_owned());
        let wanted = || argument(0).ok_or_else(|| Fault::Impossible("a method is given nothing".to_owned()));
        if matches!(self, Method::Get | Method::Keys | Method::Values) {
            let Json::Object(members) = of.there()? else {
                return Err(Fault::Impossible(format!("{} is no object", shown(of))));
            };
            if of.bytes() > BUILT_MAX_BYTES {
                return Err(Fault::TooLong);
            }
            if self == Method::Keys {
                return Ok(Val::new(Json::Array(members.keys().cloned().map(Json::String).collect())));
            }
            if self == Method::Values {
                return Ok(Val::new(Json::Array(members.values().cloned().collect())));
            }
            let found = members.get(&wanted()?).cloned().map(Val::new);
            return Ok(found.or_else(|| given.get(1).cloned()).unwrap_or_else(|| Val::new(Json::Null)));
        }
        let Json::String(text) = of.there()? else {
            return Err(Fault::Impossible(format!("{} is no text", shown(of))));
        };
        let set = argument(0);
        let stripped = |c: char| set.as_ref().map_or(c.is_whitespace(), |set| set.contains(c));
        match self {
            Method::StartsWith => Ok(Val::flag(text.starts_with(&wanted()?))),
            Method::EndsWith => Ok(Val::flag(text.ends_with(&wanted()?))),
            Method::Lower => Val::string(text.to_lowercase()),
            Method::Upper => Val::string(text.to_uppercase()),
            Method::Title => Val::string(titled(text)),
            Method::Strip => Val::string(text.trim_matches(stripped).to_owned()),
            Method::Lstrip => Val::string(text.trim_start_matches(stripped).to_owned()),
            Method::Rstrip => Val::string(text.trim_end_matches(stripped).to_owned()),
            Method::Replace => replace(text, given),
            Method::Split => {
                if text.len() > BUILT_MAX_BYTES {
                    return Err(Fault::TooLong);
                }
                let parts: Vec<Json> = match argument(0).filter(|between| !between.is_empty()) {
                    Some(between) => text.split(between.as_str()).map(Json::from).collect(),
                    None => text.split_whitespace().map(Json::from).collect(),
                };
                Ok(Val::new(Json::Array(parts)))
            }
            Method::Get | Method::Keys | Method::Values => Err(Fault::Impossible("a text has no members".to_owned())),
        }
    }
}
