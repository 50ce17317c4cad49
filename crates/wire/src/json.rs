//! Reading JSON that strangers sent: bounded in size and depth, and every complaint names the field.

use fleetlens_model::shadow::Object;
use serde_json::Value;

use crate::WireError;
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// What `payload` is, of at most `max_bytes` and `max_nesting` brackets.
pub(crate) fn document(payload: &[u8], max_bytes: usize, max_nesting: usize) -> Result<Value, WireError> {
    if payload.len() > max_bytes {
        return Err(WireError::TooLarge { given: payload.len(), max: max_bytes });
    }
    let text = text(payload)?;
    // serde_json itself stops at 128 brackets, before the stack does.
    let value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    if deeper_than(&value, max_nesting) {
        return Err(WireError::TooDeep { max: max_nesting });
    }
    Ok(value)
}

/// A payload as text.
pub(crate) fn text(payload: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(payload).map_err(|error| WireError::NotUtf8 { at: error.valid_up_to() })
}

/// [`document`] where only an object will do.
pub(crate) fn object(payload: &[u8], max_bytes: usize, max_nesting: usize) -> Result<Object, WireError> {
    match document(payload, max_bytes, max_nesting)? {
        Value::Object(object) => Ok(object),
        Value::Array(_) => Err(WireError::NotAnObject { given: "an array" }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(WireError::NotAnObject { given: "a single value" })
        }
    }
}

fn deeper_than(value: &Value, max: usize) -> bool {
    match value {
        Value::Object(object) => max == 0 || object.values().any(|inner| deeper_than(inner, max - 1)),
        Value::Array(items) => max == 0 || items.iter().any(|inner| deeper_than(inner, max - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The highest version read. Services count in signed 64-bit numbers, and so does our cache; from a
/// higher one no client could go on.
const VERSION_MAX: u64 = i64::MAX.cast_unsigned();

/// An object being taken apart field by field. `null` counts as absent where a field is optional.
pub(crate) struct Fields(Object);

impl Fields {
    pub(crate) fn new(object: Object) -> Self {
        Self(object)
    }

    /// The value of `field`, if it is there and `test` holds.
    pub(crate) fn take_if(&mut self, field: &str, test: impl Fn(&Value) -> bool) -> Option<Value> {
        if self.0.get(field).is_some_and(test) { self.0.remove(field) } else { None }
    }

    pub(crate) fn u64(&mut self, field: &str) -> Result<u64, WireError> {
        let value = self.required(field)?;
        value.as_u64().ok_or_else(|| wrong(field, &value, "a whole number from 0"))
    }

    /// A shadow's version, up to [`VERSION_MAX`].
    pub(crate) fn version(&mut self) -> Result<u64, WireError> {
        let value = self.required("version")?;
        let version = value.as_u64().filter(|version| *version <= VERSION_MAX);
        version.ok_or_else(|| wrong("version", &value, "a whole number from 0 to 9223372036854775807"))
    }

    pub(crate) fn i64(&mut self, field: &str) -> Result<i64, WireError> {
        let value = self.required(field)?;
        value.as_i64().ok_or_else(|| wrong(field, &value, "a whole number"))
    }

    pub(crate) fn object(&mut self, field: &str) -> Result<Object, WireError> {
        self.optional_object(field)?.ok_or_else(|| missing(field))
    }

    pub(crate) fn optional_object(&mut self, field: &str) -> Result<Option<Object>, WireError> {
        let Some(value) = self.optional(field) else { return Ok(None) };
        if let Value::Object(object) = value { Ok(Some(object)) } else { Err(wrong(field, &value, "an object")) }
    }

    pub(crate) fn optional_string(&mut self, field: &str) -> Result<Option<String>, WireError> {
        let Some(value) = self.optional(field) else { return Ok(None) };
        if let Value::String(text) = value { Ok(Some(text)) } else { Err(wrong(field, &value, "a text")) }
    }

    fn required(&mut self, field: &str) -> Result<Value, WireError> {
        self.optional(field).ok_or_else(|| missing(field))
    }

    fn optional(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }
}

/// A complaint in the parser's words, which may quote a whole text.
pub(crate) fn not_json(error: &serde_json::Error) -> WireError {
    WireError::NotJson { why: quote(&error.to_string(), QUOTE_MAX_CHARS) }
}

/// A complaint about a field that is not there.
pub(crate) fn missing(field: &str) -> WireError {
    WireError::Missing { field: quote(field, QUOTE_MAX_CHARS) }
}

/// A complaint with at most 40 characters of what was given.
pub(crate) fn wrong(field: &str, given: &Value, wanted: &'static str) -> WireError {
    let given = given.to_string();
    let short: String = given.chars().take(40).collect();
    let given = if short.len() < given.len() { format!("{short}…") } else { given };
    WireError::WrongType { field: quote(field, QUOTE_MAX_CHARS), given, wanted }
}
