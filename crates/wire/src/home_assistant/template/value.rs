//! Values of templates: JSON, and what is not there. Numbers, texts and truth behave as Python's do.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value as Json;

use super::{Arithmetic, BUILT_MAX_BYTES, Binary, Fault};
use crate::quote::quote;

/// A value, borrowed as long as possible.
#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    /// Not there; how it was called.
    Undefined(String),
    There(Cow<'a, Json>),
}

impl<'a> Val<'a> {
    pub(super) fn of(json: &'a Json) -> Val<'a> {
        Val::There(Cow::Borrowed(json))
    }

    pub(super) fn new(json: Json) -> Val<'static> {
        Val::There(Cow::Owned(json))
    }

    pub(super) fn flag(flag: bool) -> Val<'static> {
        Val::new(Json::Bool(flag))
    }

    pub(super) fn int(n: i64) -> Val<'static> {
        Val::new(Json::from(n))
    }

    pub(super) fn string(text: String) -> Result<Val<'static>, Fault> {
        if text.len() > BUILT_MAX_BYTES { Err(Fault::TooLong) } else { Ok(Val::new(Json::String(text))) }
    }

    /// A number; what is none, such as the result of a division by nearly nothing, cannot be gone on with.
    pub(super) fn float(n: f64) -> Result<Val<'static>, Fault> {
        let number = serde_json::Number::from_f64(n).map(Json::Number).map(Val::new);
        number.ok_or_else(|| Fault::Impossible("a number is beyond 64-bit floating point".to_owned()))
    }

    /// The value, or the complaint that it is not there.
    pub(super) fn there(&self) -> Result<&Json, Fault> {
        match self {
            Val::There(json) => Ok(json),
            Val::Undefined(name) => Err(Fault::Undefined(quote(name, 40))),
        }
    }

    pub(super) fn as_json(&self) -> Option<&Json> {
        match self {
            Val::There(json) => Some(json),
            Val::Undefined(_) => None,
        }
    }

    pub(super) fn into_json(self) -> Json {
        match self {
            Val::There(json) => json.into_owned(),
            Val::Undefined(_) => Json::String(String::new()),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self.as_json() {
            None | Some(Json::Null) => false,
            Some(Json::Bool(flag)) => *flag,
            Some(Json::Number(n)) => n.as_f64() != Some(0.0),
            Some(Json::String(text)) => !text.is_empty(),
            Some(Json::Array(items)) => !items.is_empty(),
            Some(Json::Object(members)) => !members.is_empty(),
        }
    }

    /// Roughly what touching all of it touches.
    pub(super) fn bytes(&self) -> usize {
        self.as_json().map_or(0, bytes)
    }

    /// Its brackets within each other.
    pub(super) fn depth(&self) -> usize {
        self.as_json().map_or(0, depth)
    }

    /// As it is written out; lists and objects as JSON.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self.as_json() {
            None => Cow::Borrowed(""),
            Some(Json::String(text)) => Cow::Borrowed(text),
            Some(Json::Null) => Cow::Borrowed("None"),
            Some(Json::Bool(true)) => Cow::Borrowed("True"),
            Some(Json::Bool(false)) => Cow::Borrowed("False"),
            Some(json @ (Json::Number(_) | Json::Array(_) | Json::Object(_))) => Cow::Owned(json.to_string()),
        }
    }

    /// Its number: of a number or a flag, not of a text.
    pub(super) fn number(&self) -> Option<f64> {
        match self.as_json()? {
            Json::Number(n) => n.as_f64(),
            Json::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// Its whole number, where it is written as one.
    pub(super) fn whole(&self) -> Option<i64> {
        match self.as_json()? {
            Json::Number(n) => n.as_i64(),
            Json::Bool(flag) => Some(i64::from(*flag)),
            Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// The number it is or says, as `float` takes it.
    pub(super) fn said_number(&self) -> Option<f64> {
        let said = match self.as_json()? {
            Json::String(text) => text.trim().parse().ok(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => self.number(),
        };
        said.filter(|n: &f64| n.is_finite())
    }
}

fn bytes(json: &Json) -> usize {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => 8,
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(|item| 8 + bytes(item)).sum(),
        Json::Object(members) => members.iter().map(|(name, value)| 8 + name.len() + bytes(value)).sum(),
    }
}

fn depth(json: &Json) -> usize {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
    }
}

/// What a value is called in a complaint.
pub(super) fn shown(value: &Val<'_>) -> String {
    match value.as_json() {
        None => "nothing".to_owned(),
        Some(Json::Array(_)) => "a list".to_owned(),
        Some(Json::Object(_)) => "an object".to_owned(),
        Some(json @ (Json::Null | Json::Bool(_) | Json::Number(_))) => json.to_string(),
        Some(Json::String(text)) => format!("{:?}", quote(text, 40)),
    }
}

/// A member, an element or a letter; negative indices count from the end.
pub(super) fn get<'a>(of: Val<'a>, at: &Val<'_>) -> Result<Val<'a>, Fault> {
    of.there()?;
    let found = match &of {
        Val::There(Cow::Borrowed(json)) => member(json, at).map(Val::of),
        Val::There(Cow::Owned(json)) => member(json, at).cloned().map(Val::new),
        Val::Undefined(_) => None,
    };
    let letter = || match of.as_json()? {
        Json::String(text) => {
            let n = index(text.chars().count(), at.whole()?)?;
            text.chars().nth(n).map(|c| Val::new(Json::String(c.to_string())))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
    };
    Ok(found.or_else(letter).unwrap_or_else(|| Val::Undefined(at.text().into_owned())))
}

fn member<'a>(json: &'a Json, at: &Val<'_>) -> Option<&'a Json> {
    match json {
        Json::Object(members) => members.get(at.text().as_ref()),
        Json::Array(items) => items.get(index(items.len(), at.whole()?)?),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

fn index(len: usize, at: i64) -> Option<usize> {
    let from_end = || len.checked_sub(usize::try_from(at.checked_neg()?).ok()?);
    usize::try_from(at).ok().or_else(from_end).filter(|at| *at < len)
}

/// A stretch of a text or a list.
pub(super) fn slice(of: &Val<'_>, from: Option<&Val<'_>>, to: Option<&Val<'_>>) -> Result<Val<'static>, Fault> {
    let bound = |at: Option<&Val<'_>>, len: usize, open: usize| -> Result<usize, Fault> {
        let Some(at) = at else { return Ok(open) };
        let at = at.whole().ok_or_else(|| Fault::Impossible(format!("{} is no place in a text", shown(at))))?;
        let from_end = || len.saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX));
        Ok(usize::try_from(at).unwrap_or_else(|_| from_end()).min(len))
    };
    let stretch = |len: usize| Ok::<_, Fault>((bound(from, len, 0)?, bound(to, len, len)?));
    match of.there()? {
        Json::String(text) => {
            let (from, to) = stretch(text.chars().count())?;
            Val::string(text.chars().skip(from).take(to.saturating_sub(from)).collect())
        }
        Json::Array(items) => {
            let (from, to) = stretch(items.len())?;
            Ok(Val::new(Json::Array(items.iter().skip(from).take(to.saturating_sub(from)).cloned().collect())))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => {
            Err(Fault::Impossible(format!("{} has no stretches", shown(of))))
        }
    }
}

/// What an operator makes of two values.
pub(super) fn binary(op: Binary, left: &Val<'_>, right: &Val<'_>) -> Result<Val<'static>, Fault> {
    let flag = |flag| Ok(Val::flag(flag));
    match op {
        Binary::Equal => flag(equal(left, right)),
        Binary::Unequal => flag(!equal(left, right)),
        Binary::Less => flag(order(left, right)?.is_lt()),
        Binary::LessOrEqual => flag(order(left, right)?.is_le()),
        Binary::Greater => flag(order(left, right)?.is_gt()),
        Binary::GreaterOrEqual => flag(order(left, right)?.is_ge()),
        Binary::In => flag(contains(right, left)?),
        Binary::NotIn => flag(!contains(right, left)?),
        Binary::Concat => join(&left.text(), &right.text()),
        Binary::Calculate(Arithmetic::Add) => match (left.there()?, right.there()?) {
            (Json::String(left), Json::String(right)) => join(left, right),
            (Json::Array(one), Json::Array(other)) => {
                if left.bytes() + right.bytes() > BUILT_MAX_BYTES {
                    return Err(Fault::TooLong);
                }
                Ok(Val::new(Json::Array(one.iter().chain(other).cloned().collect())))
            }
            _ => calculate(Arithmetic::Add, left, right),
        },
        Binary::Calculate(op) => calculate(op, left, right),
    }
}

fn join(left: &str, right: &str) -> Result<Val<'static>, Fault> {
    if left.len() + right.len() > BUILT_MAX_BYTES {
        return Err(Fault::TooLong);
    }
    Val::string([left, right].concat())
}

/// Only numbers are calculated with: a text is not repeated by a multiplication, nor a list.
fn calculate(op: Arithmetic, left: &Val<'_>, right: &Val<'_>) -> Result<Val<'static>, Fault> {
    left.there()?;
    right.there()?;
    let number = |value: &Val<'_>| {
        value.number().ok_or_else(|| Fault::Impossible(format!("{} is no number to calculate with", shown(value))))
    };
    let (a, b) = (number(left)?, number(right)?);
    if b == 0.0 && matches!(op, Arithmetic::Divide | Arithmetic::FloorDivide | Arithmetic::Remainder) {
        return Err(Fault::Impossible("something is divided by zero".to_owned()));
    }
    let whole = left.whole().zip(right.whole()).and_then(|(a, b)| match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide => None,
        // As Python does: towards less, and with the sign of what is divided by.
        Arithmetic::FloorDivide => {
            let towards_zero = a.checked_div(b)?;
            towards_zero.checked_sub(i64::from(a.checked_rem(b)? != 0 && (a < 0) != (b < 0)))
        }
        Arithmetic::Remainder => {
            let of_a = a.checked_rem(b)?;
            if of_a != 0 && (of_a < 0) != (b < 0) { of_a.checked_add(b) } else { Some(of_a) }
        }
        Arithmetic::Power => a.checked_pow(u32::try_from(b).ok()?),
    });
    if let Some(whole) = whole {
        return Ok(Val::int(whole));
    }
    Val::float(match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::FloorDivide => (a / b).floor(),
        Arithmetic::Remainder => a - b * (a / b).floor(),
        Arithmetic::Power => a.powf(b),
    })
}

/// 1 is 1.0 is true; what is not there is only itself.
pub(super) fn equal(left: &Val<'_>, right: &Val<'_>) -> bool {
    match (left.as_json(), right.as_json()) {
        (Some(a), Some(b)) => match (left.number(), right.number()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

pub(super) fn order(left: &Val<'_>, right: &Val<'_>) -> Result<Ordering, Fault> {
    let order = match (left.there()?, right.there()?) {
        (Json::String(left), Json::String(right)) => Some(left.cmp(right)),
        _ => left.number().zip(right.number()).and_then(|(left, right)| left.partial_cmp(&right)),
    };
    order.ok_or_else(|| Fault::Impossible(format!("{} is not compared with {}", shown(left), shown(right))))
}

pub(super) fn contains(all: &Val<'_>, one: &Val<'_>) -> Result<bool, Fault> {
    match all.there()? {
        Json::String(text) => Ok(text.contains(one.text().as_ref())),
        Json::Array(items) => Ok(items.iter().any(|item| equal(&Val::of(item), one))),
        Json::Object(members) => Ok(members.contains_key(one.text().as_ref())),
        Json::Null | Json::Bool(_) | Json::Number(_) => Err(Fault::Impossible(format!("{} holds nothing", shown(all)))),
    }
}
