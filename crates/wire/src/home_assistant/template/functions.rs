//! Filters and functions of templates: those of Jinja's and Home Assistant's that need nothing but their arguments and whose
//! results are bounded.

use serde_json::Value as Json;

use super::value::{Val, order, shown};
use super::{BUILT_MAX_BYTES, Fault};

/// Brackets within each other that are read, and that are put together.
pub(super) const NESTING_MAX: usize = 16;

/// What a filter or a function is given.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) plain: Vec<Val<'a>>,
    pub(super) named: Vec<(&'a str, Val<'a>)>,
}

impl<'a> Given<'a> {
    fn get(&self, at: usize, name: &str) -> Option<&Val<'a>> {
        self.plain.get(at).or_else(|| self.named.iter().find(|(given, _)| *given == name).map(|(_, value)| value))
    }
}

named! {
    /// A filter.
    Filter {
        Abs: "abs",
        Add: "add",
        BitAnd: "bitwise_and",
        BitOr: "bitwise_or",
        Bool: "bool",
        Capitalize: "capitalize",
        Count: "length" | "count",
        Default: "default" | "d",
        First: "first",
        Float: "float",
        FromJson: "from_json",
        Iif: "iif",
        Int: "int",
        IsDefined: "is_defined",
        IsNumber: "is_number",
        Join: "join",
        Last: "last",
        List: "list",
        Lower: "lower",
        Max: "max",
        Min: "min",
        Multiply: "multiply",
        Replace: "replace",
        Round: "round",
        String: "string",
        Sum: "sum",
        Title: "title",
        ToJson: "tojson" | "to_json",
        Trim: "trim",
        Upper: "upper",
    }
}

named! {
    /// A function.
    Function {
        Bool: "bool",
        Float: "float",
        Iif: "iif",
        Int: "int",
        IsNumber: "is_number",
        Max: "max",
        Min: "min",
    }
}

impl Function {
    pub(super) fn call<'a>(self, given: &Given<'a>) -> Result<Val<'a>, Fault> {
        let first =
            given.plain.first().cloned().ok_or_else(|| Fault::Impossible("a function is given nothing".into()))?;
        let rest = Given { plain: given.plain.iter().skip(1).cloned().collect(), named: given.named.clone() };
        let filter = match self {
            Function::Bool => Filter::Bool,
            Function::Float => Filter::Float,
            Function::Iif => Filter::Iif,
            Function::Int => Filter::Int,
            Function::IsNumber => Filter::IsNumber,
            Function::Max | Function::Min => {
                let filter = if self == Function::Max { Filter::Max } else { Filter::Min };
                if rest.plain.is_empty() {
                    return filter.apply(first, &rest);
                }
                let all = given.plain.iter().map(|one| one.there().cloned()).collect::<Result<Vec<Json>, Fault>>()?;
                return filter.apply(Val::new(Json::Array(all)), &Given::default());
            }
        };
        filter.apply(first, &rest)
    }
}

impl Filter {
    pub(super) fn apply<'a>(self, of: Val<'a>, given: &Given<'a>) -> Result<Val<'a>, Fault> {
        let number = || {
            of.there()?;
            of.said_number().ok_or_else(|| Fault::Impossible(format!("{} is no number", shown(&of))))
        };
        let against = || {
            let other = given.get(0, "amount").ok_or_else(|| Fault::Impossible("a filter misses its number".into()))?;
            other.said_number().ok_or_else(|| Fault::Impossible(format!("{} is no number", shown(other))))
        };
        // A number that cannot be read is the default, where there is one.
        let or_default = |at: usize, read: Result<Val<'a>, Fault>| match (read, given.get(at, "default")) {
            (Err(_), Some(default)) => Ok(default.clone()),
            (read, _) => read,
        };
        match self {
            Filter::Default => {
                let falsy_too = given.get(1, "boolean").is_some_and(Val::is_true);
                let is_there = of.as_json().is_some() && (!falsy_too || of.is_true());
                let default = || given.get(0, "default_value").cloned().unwrap_or_else(|| Val::new(Json::from("")));
                Ok(if is_there { of } else { default() })
            }
            Filter::IsDefined => of.there().map(|_| of.clone()),
            Filter::Iif => {
                let none = given.get(2, "if_none").filter(|_| matches!(of.as_json(), None | Some(Json::Null)));
                let (at, name) = if of.is_true() { (0, "if_true") } else { (1, "if_false") };
                let plain = || Val::flag(of.is_true());
                Ok(none.or_else(|| given.get(at, name)).cloned().unwrap_or_else(plain))
            }
            Filter::IsNumber => Ok(Val::flag(of.said_number().is_some())),
            Filter::Float => or_default(0, number().and_then(Val::float)),
            Filter::Int => or_default(0, whole(&of)),
            Filter::Bool => or_default(0, flag(&of)),
            Filter::Round => or_default(2, number().and_then(|n| round(n, given))),
            Filter::Abs => {
                let n = number()?;
                of.whole().and_then(i64::checked_abs).map_or_else(|| Val::float(n.abs()), |n| Ok(Val::int(n)))
            }
            Filter::Multiply => Val::float(number()? * against()?),
            Filter::Add => Val::float(number()? + against()?),
            Filter::BitAnd | Filter::BitOr => {
                let whole = |value: Option<&Val<'_>>| {
                    let whole = value.and_then(|value| value.whole());
                    whole.ok_or_else(|| Fault::Impossible("bits are those of whole numbers".to_owned()))
                };
                let (a, b) = (whole(Some(&of))?, whole(given.plain.first())?);
                Ok(Val::int(if self == Filter::BitAnd { a & b } else { a | b }))
            }
            Filter::Lower => Val::string(of.text().to_lowercase()),
            Filter::Upper => Val::string(of.text().to_uppercase()),
            Filter::Capitalize => Val::string(capitalized(&of.text())),
            Filter::Title => Val::string(titled(&of.text())),
            Filter::Trim => Val::string(of.text().trim().to_owned()),
            Filter::String => Val::string(of.text().into_owned()),
            Filter::Replace => replace(&of.text(), &given.plain),
            Filter::Count => {
                let count = match of.there()? {
                    Json::String(text) => text.chars().count(),
                    Json::Array(items) => items.len(),
                    Json::Object(members) => members.len(),
                    Json::Null | Json::Bool(_) | Json::Number(_) => {
                        return Err(Fault::Impossible(format!("{} has no length", shown(&of))));
                    }
                };
                Ok(Val::int(i64::try_from(count).unwrap_or(i64::MAX)))
            }
            Filter::List => Ok(Val::new(Json::Array(items(&of)?))),
            Filter::First | Filter::Last => {
                let mut items = items(&of)?;
                let one = if self == Filter::First { items.drain(..).next() } else { items.pop() };
                Ok(one.map_or_else(|| Val::Undefined("an element".to_owned()), Val::new))
            }
            Filter::Max | Filter::Min => {
                let mut best = None::<Json>;
                for item in items(&of)? {
                    let better = match &best {
                        Some(best) => {
                            let order = order(&Val::of(&item), &Val::of(best))?;
                            if self == Filter::Max { order.is_gt() } else { order.is_lt() }
                        }
                        None => true,
                    };
                    if better {
                        best = Some(item);
                    }
                }
                Ok(best.map_or_else(|| Val::Undefined("an element".to_owned()), Val::new))
            }
            Filter::Sum => {
                let mut sum = Val::int(0);
                for item in items(&of)? {
                    sum =
                        super::value::binary(super::Binary::Calculate(super::Arithmetic::Add), &sum, &Val::new(item))?;
                }
                Ok(sum)
            }
            Filter::Join => {
                let between = given.get(0, "d").map(|between| between.text().into_owned()).unwrap_or_default();
                let mut joined = String::new();
                for (n, item) in items(&of)?.into_iter().enumerate() {
                    if n > 0 {
                        joined.push_str(&between);
                    }
                    joined.push_str(&Val::new(item).text());
                    if joined.len() > BUILT_MAX_BYTES {
                        return Err(Fault::TooLong);
                    }
                }
                Val::string(joined)
            }
            Filter::ToJson => Val::string(of.there()?.to_string()),
            Filter::FromJson => {
                let text = of.text();
                let read = crate::json::document(text.as_bytes(), BUILT_MAX_BYTES, NESTING_MAX);
                read.map(Val::new).map_err(|_| Fault::Impossible(format!("{} is not JSON", shown(&of))))
            }
        }
    }
}

/// The whole number a value is or says; a fraction is cut off.
fn whole(of: &Val<'_>) -> Result<Val<'static>, Fault> {
    of.there()?;
    if let Some(n) = of.whole().or_else(|| of.text().trim().parse().ok()) {
        return Ok(Val::int(n));
    }
    match of.said_number() {
        // Beyond this not every whole number is one of floating point.
        Some(n) if n.abs() < 9e15 => Ok(Val::int(n.trunc() as i64)),
        Some(_) | None => Err(Fault::Impossible(format!("{} is no whole number", shown(of)))),
    }
}

/// What people write for yes and no.
fn flag(of: &Val<'_>) -> Result<Val<'static>, Fault> {
    of.there()?;
    let said = match of.text().trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "enable" => Some(true),
        "0" | "false" | "no" | "off" | "disable" => Some(false),
        _ => of.number().map(|n| n != 0.0),
    };
    said.map(Val::flag).ok_or_else(|| Fault::Impossible(format!("{} is neither yes nor no", shown(of))))
}

/// As Home Assistant rounds: half to even, and to a whole number where no digits are asked for.
fn round(n: f64, given: &Given<'_>) -> Result<Val<'static>, Fault> {
    let digits = given.get(0, "precision").and_then(Val::whole).unwrap_or(0).clamp(-300, 15) as i32;
    let unit = 10_f64.powi(digits);
    let method = given.get(1, "method").map(|method| method.text().into_owned()).unwrap_or_default();
    let rounded = match (method.as_str(), usize::try_from(digits)) {
        ("ceil", _) => (n * unit).ceil() / unit,
        ("floor", _) => (n * unit).floor() / unit,
        ("half", _) => (n * 2.0).round_ties_even() / 2.0,
        // Written out and read back, which is exact.
        ("" | "common", Ok(digits)) => format!("{n:.digits$}").parse().unwrap_or(n),
        ("" | "common", Err(_)) => (n * unit).round_ties_even() / unit,
        _ => return Err(Fault::Impossible("a number is rounded in a way that is not known here".to_owned())),
    };
    if digits == 0 && rounded.abs() < 9e15 { Ok(Val::int(rounded as i64)) } else { Val::float(rounded) }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect()).unwrap_or_default()
}

pub(super) fn titled(text: &str) -> String {
    text.split_inclusive(|c: char| !c.is_alphanumeric()).map(capitalized).collect()
}

pub(super) fn replace(text: &str, given: &[Val<'_>]) -> Result<Val<'static>, Fault> {
    let [old, new, ..] = given else {
        return Err(Fault::Impossible("a replacement names what to replace, and by what".to_owned()));
    };
    let (old, new) = (old.text(), new.text());
    if old.is_empty() {
        return Err(Fault::Impossible("nothing cannot be replaced".to_owned()));
    }
    let times = text.matches(old.as_ref()).count();
    if times.saturating_mul(new.len()) > BUILT_MAX_BYTES {
        return Err(Fault::TooLong);
    }
    Val::string(text.replace(old.as_ref(), &new))
}

/// What a list holds, an object is keyed by or a text is spelled with.
fn items(of: &Val<'_>) -> Result<Vec<Json>, Fault> {
    if of.bytes() > BUILT_MAX_BYTES {
        return Err(Fault::TooLong);
    }
    match of.there()? {
        Json::Array(items) => Ok(items.clone()),
        Json::Object(members) => Ok(members.keys().cloned().map(Json::String).collect()),
        Json::String(text) => Ok(text.chars().map(|c| Json::String(c.to_string())).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) => Err(Fault::Impossible(format!("{} is no list", shown(of)))),
    }
}
