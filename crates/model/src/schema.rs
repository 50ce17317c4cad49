//! What a kind's desired state may hold: a schema of JSON Schema 2020-12's keywords that a form can be made of, with a few of our
//! own. docs/guide/profiles.md lists them.
//!
//! A schema that says something we do not understand is refused with its place, because a check that looks only at half of what it
//! was told lets through what it should not. Reading and checking are bounded; nothing here follows references or runs patterns.

mod check;
mod read;

use serde_json::Value as Json;
use thiserror::Error;

pub(crate) use check::is_multiple;

use crate::json::first_token;

/// The largest schema, in bytes of its text.
pub const SCHEMA_MAX_BYTES: usize = 32 * 1024;

/// The most schemas within one, itself counted.
pub const SCHEMAS_MAX: usize = 256;

/// The most values of an `enum`, and of names in `required`.
pub const LIST_MAX: usize = 64;

/// The longest text of a schema that people read, in characters.
pub const WORDS_MAX_CHARS: usize = 400;

/// The most violations that are told of one value.
pub const VIOLATIONS_MAX: usize = 32;

/// The longest `x-expiry`, in seconds: 30 days.
pub const EXPIRY_MAX_S: u64 = 30 * 86_400;

/// What a value must be, and what people are told of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// `type`: one of these; `None` for any, empty for the schema `false`, which nothing fits.
    pub types: Option<Vec<Type>>,
    /// `title`: its name on the screen; may be empty.
    pub title: String,
    /// `description`: what it does, in a sentence; may be empty.
    pub description: String,
    /// `readOnly`: only the thing itself says it.
    pub read_only: bool,
    /// `default`: what a thing does that nobody told otherwise.
    pub default: Option<Json>,
    /// `enum` or `const`: one of these.
    pub one_of: Option<Vec<Json>>,
    /// What holds of a number.
    pub number: NumberBounds,
    /// `minLength`, in characters.
    pub min_chars: Option<u64>,
    /// `maxLength`, in characters.
    pub max_chars: Option<u64>,
    /// `items`: what every item of a list must be.
    pub items: Option<Box<Schema>>,
    /// `minItems`.
    pub min_items: Option<u64>,
    /// `maxItems`.
    pub max_items: Option<u64>,
    /// `properties`, in the order of the text.
    pub properties: Vec<(String, Schema)>,
    /// `required`: names an object must have.
    pub required: Vec<String>,
    /// `additionalProperties`: what names must hold that are not in `properties`; `None` for anything.
    pub additional: Option<Box<Schema>>,
    /// `x-unit`: of a number; may be empty.
    pub unit: String,
    /// `x-step`: how far apart a screen offers values; they may lie between.
    pub step: Option<f64>,
    /// `x-danger`: what will happen to people, for this value or, without one, for any. With any a screen asks first.
    pub dangers: Vec<(Option<Json>, String)>,
    /// `x-expiry`: how long a command for it may wait, in milliseconds.
    pub expiry_ms: Option<u64>,
    /// `x-tolerance`: how far a reported number may be from the wanted one and still count as obeyed; at least 0.
    pub tolerance: f64,
    /// `x-enum-labels`: what values are called on the screen.
    pub labels: Vec<(Json, String)>,
}

/// A type of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `integer`: a number without a fraction, `1.0` among them.
    Integer,
    /// `number`
    Number,
    /// `string`
    Text,
    /// `array`
    List,
    /// `object`
    Object,
}

/// What holds of a number; a value that is none is not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NumberBounds {
    /// `minimum`
    pub min: Option<f64>,
    /// `maximum`
    pub max: Option<f64>,
    /// `exclusiveMinimum`
    pub above: Option<f64>,
    /// `exclusiveMaximum`
    pub below: Option<f64>,
    /// `multipleOf`, above 0.
    pub multiple_of: Option<f64>,
}

/// Where a value is not as its schema says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer of what is wrong; of something that is missing, of the object it is missing from.
    pub pointer: String,
    /// What was given and what would be right.
    pub sentence: String,
}

/// Why a text is no schema that is understood here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}{}: {why}", if pointer.is_empty() { String::new() } else { format!(", at {pointer}") })]
pub struct SchemaError {
    /// The line of the text, from 1.
    pub line: usize,
    /// JSON pointer into the text; empty for all of it.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub why: String,
}

impl Schema {
    /// The schemas on the way to a pointer, outermost first, as far as this one says anything of it.
    pub fn way<'a>(&'a self, pointer: &str) -> Vec<&'a Schema> {
        let (mut way, mut rest) = (vec![self], pointer);
        while let (Some(last), Some((token, after))) = (way.last().copied(), first_token(rest)) {
            let Some(inner) = last.inner(&token) else { break };
            way.push(inner);
            rest = after;
        }
        way
    }

    /// What it says of the value at a pointer; `None` where it says nothing.
    pub fn at(&self, pointer: &str) -> Option<&Schema> {
        let (mut schema, mut rest) = (self, pointer);
        while let Some((token, after)) = first_token(rest) {
            schema = schema.inner(&token)?;
            rest = after;
        }
        Some(schema)
    }

    fn inner(&self, token: &str) -> Option<&Schema> {
        let named = self.properties.iter().find(|(name, _)| name == token).map(|(_, schema)| schema);
        let item = || self.items.as_deref().filter(|_| token.bytes().all(|byte| byte.is_ascii_digit()));
        named.or_else(item).or(self.additional.as_deref())
    }

    /// How long a command for the value at a pointer may wait, in milliseconds: what is said nearest to it.
    pub fn expiry_ms(&self, pointer: &str) -> Option<u64> {
        self.way(pointer).into_iter().rev().find_map(|schema| schema.expiry_ms)
    }

    /// Whether a screen asks before the value at a pointer is sent.
    pub fn asks_first(&self, pointer: &str) -> bool {
        self.way(pointer).into_iter().any(|schema| !schema.dangers.is_empty())
    }

    /// What will happen to people when the value at a pointer becomes this one, in sentences, outermost first.
    pub fn dangers<'a>(&'a self, pointer: &str, value: &Json) -> Vec<&'a str> {
        let way = self.way(pointer);
        let leaf = self.at(pointer);
        let of = |schema: &'a Schema| {
            let is_leaf = leaf.is_some_and(|leaf| std::ptr::eq(leaf, schema));
            schema.dangers.iter().filter(move |(of, _)| of.as_ref().is_none_or(|of| is_leaf && of == value))
        };
        way.into_iter().flat_map(of).map(|(_, sentence)| sentence.as_str()).collect()
    }

    /// Whether nothing can be in it but objects: its leaves are what it names.
    pub fn is_group(&self) -> bool {
        !self.properties.is_empty() && self.types.as_ref().is_none_or(|types| types.contains(&Type::Object))
    }

    /// The leaves that it names: pointer and schema, groups gone through, in the order of the text.
    pub fn leaves(&self) -> Vec<(String, &Schema)> {
        let mut leaves = Vec::new();
        self.collect("", &mut leaves);
        leaves
    }

    fn collect<'a>(&'a self, pointer: &str, leaves: &mut Vec<(String, &'a Schema)>) {
        for (name, schema) in &self.properties {
            let pointer = format!("{pointer}{}", crate::shadow::pointer_of([name.as_str()]));
            if schema.is_group() {
                schema.collect(&pointer, leaves);
            } else {
                leaves.push((pointer, schema));
            }
        }
    }
}

#[cfg(test)]
mod tests;
