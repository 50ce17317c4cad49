//! Reads a schema from its text. Every keyword is one that is understood, an annotation that changes nothing, or a mistake that is
//! told with its place.

use serde_json::Value as Json;

use super::{EXPIRY_MAX_S, LIST_MAX, SCHEMA_MAX_BYTES, SCHEMAS_MAX, Schema, SchemaError, Type, WORDS_MAX_CHARS};
use crate::json::{Held, Member, Node, line_of};
use crate::shadow::limits::NESTING;
use crate::shadow::pointer_of;
use crate::text::shown;

/// The dialect; other ones give some of these words another meaning.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What says something to people or programs and nothing of values.
const ANNOTATIONS: [&str; 6] = ["$comment", "$id", "deprecated", "examples", "format", "writeOnly"];

/// What is understood, for the sentence about what is not.
const UNDERSTOOD: &str = "type, enum, const, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength, \
     items, minItems, maxItems, properties, required, additionalProperties, title, description, default, readOnly, x-unit, x-step, \
     x-danger, x-expiry, x-tolerance and x-enum-labels";

const TYPES: [(&str, Type); 7] = [
    ("null", Type::Null),
    ("boolean", Type::Boolean),
    ("integer", Type::Integer),
    ("number", Type::Number),
    ("string", Type::Text),
    ("array", Type::List),
    ("object", Type::Object),
];

impl Schema {
    /// Reads a schema of at most [`SCHEMA_MAX_BYTES`], [`NESTING`] deep, of at most [`SCHEMAS_MAX`] schemas in all.
    pub fn parse(text: &str) -> Result<Schema, SchemaError> {
        if text.len() > SCHEMA_MAX_BYTES {
            let why = format!("a schema of {} bytes is over the limit of {SCHEMA_MAX_BYTES}", text.len());
            return Err(SchemaError { line: 1, pointer: String::new(), why });
        }
        let node = Node::read(text).map_err(|error| {
            let said = error.to_string();
            let why = said.split(" at line ").next().unwrap_or(&said).to_owned();
            SchemaError { line: error.line().max(1), pointer: String::new(), why: format!("not JSON: {why}") }
        })?;
        Reader { text, count: 0 }.schema(&node, "", 0)
    }
}

struct Reader<'a> {
    text: &'a str,
    count: usize,
}

type Read<T> = Result<T, SchemaError>;

impl Reader<'_> {
    fn wrong<T>(&self, at: usize, pointer: &str, why: impl Into<String>) -> Read<T> {
        let pointer = shown(pointer).into_owned();
        Err(SchemaError { line: line_of(self.text, at), pointer, why: why.into() })
    }

    fn schema(&mut self, node: &Node, pointer: &str, depth: usize) -> Read<Schema> {
        self.count += 1;
        if self.count > SCHEMAS_MAX {
            return self.wrong(node.at, pointer, format!("more than {SCHEMAS_MAX} schemas in one are too many"));
        }
        if depth > NESTING {
            return self.wrong(
                node.at,
                pointer,
                format!("a shadow nests at most {NESTING} deep, and so does its schema"),
            );
        }
        let members = match &node.held {
            Held::Object(members) => members,
            Held::Scalar(Json::Bool(true)) => return Ok(Schema::default()),
            Held::Scalar(Json::Bool(false)) => return Ok(Schema { types: Some(Vec::new()), ..Schema::default() }),
            Held::Scalar(_) | Held::List(_) => {
                return self.wrong(node.at, pointer, "a schema is an object, or true or false");
            }
        };
        self.each_once(members, pointer)?;
        let mut schema = Schema::default();
        for member in members {
            let inner = format!("{pointer}{}", pointer_of([member.name.as_str()]));
            self.keyword(&mut schema, member, &inner, depth)?;
        }
        self.fits_together(&schema, node, pointer)?;
        Ok(schema)
    }

    fn each_once(&self, members: &[Member], pointer: &str) -> Read<()> {
        for (nth, member) in members.iter().enumerate() {
            if members.iter().take(nth).any(|other| other.name == member.name) {
                let why = format!("“{}” stands here twice; only one of them could hold", shown(&member.name));
                return self.wrong(member.at, pointer, why);
            }
        }
        Ok(())
    }

    fn keyword(&mut self, schema: &mut Schema, member: &Member, pointer: &str, depth: usize) -> Read<()> {
        let Member { at, name, value } = member;
        match name.as_str() {
            "type" => schema.types = Some(self.types(value, pointer)?),
            "title" => schema.title = self.words(value, pointer)?,
            "description" => schema.description = self.words(value, pointer)?,
            "readOnly" => schema.read_only = self.flag(value, pointer)?,
            "default" => schema.default = Some(value.json()),
            "enum" => schema.one_of = Some(self.values(value, pointer)?),
            "const" => schema.one_of = Some(vec![value.json()]),
            "minimum" => schema.number.min = Some(self.number(value, pointer)?),
            "maximum" => schema.number.max = Some(self.number(value, pointer)?),
            "exclusiveMinimum" => schema.number.above = Some(self.number(value, pointer)?),
            "exclusiveMaximum" => schema.number.below = Some(self.number(value, pointer)?),
            "multipleOf" => schema.number.multiple_of = Some(self.above_zero(value, pointer)?),
            "minLength" => schema.min_chars = Some(self.count(value, pointer)?),
            "maxLength" => schema.max_chars = Some(self.count(value, pointer)?),
            "minItems" => schema.min_items = Some(self.count(value, pointer)?),
            "maxItems" => schema.max_items = Some(self.count(value, pointer)?),
            "items" => schema.items = Some(Box::new(self.schema(value, pointer, depth + 1)?)),
            "additionalProperties" => {
                let inner = self.schema(value, pointer, depth + 1)?;
                schema.additional = (inner != Schema::default()).then(|| Box::new(inner));
            }
            "properties" => {
                let Held::Object(members) = &value.held else {
                    return self.wrong(value.at, pointer, "properties is an object of names and schemas");
                };
                self.each_once(members, pointer)?;
                for Member { name, value, .. } in members {
                    let inner = format!("{pointer}{}", pointer_of([name.as_str()]));
                    schema.properties.push((name.clone(), self.schema(value, &inner, depth + 1)?));
                }
            }
            "required" => {
                for name in self.values(value, pointer)? {
                    let Json::String(name) = name else {
                        return self.wrong(value.at, pointer, "required is a list of names");
                    };
                    schema.required.push(name);
                }
            }
            "x-unit" => schema.unit = self.words(value, pointer)?,
            "x-step" => schema.step = Some(self.above_zero(value, pointer)?),
            "x-tolerance" => {
                schema.tolerance = self.number(value, pointer)?;
                if schema.tolerance < 0.0 {
                    return self.wrong(value.at, pointer, "a tolerance is 0 or more");
                }
            }
            "x-expiry" => {
                let s = self.count(value, pointer)?;
                if !(1..=EXPIRY_MAX_S).contains(&s) {
                    return self.wrong(value.at, pointer, format!("an expiry of {s} s is outside 1–{EXPIRY_MAX_S} s"));
                }
                schema.expiry_ms = Some(s * 1_000);
            }
            "x-danger" => match &value.held {
                Held::Object(members) => {
                    for (value, words) in self.by_value(members, pointer)? {
                        schema.dangers.push((Some(value), words));
                    }
                }
                Held::Scalar(_) | Held::List(_) => schema.dangers.push((None, self.words(value, pointer)?)),
            },
            "x-enum-labels" => {
                let Held::Object(members) = &value.held else {
                    return self.wrong(value.at, pointer, "x-enum-labels is an object of values and their labels");
                };
                schema.labels = self.by_value(members, pointer)?;
            }
            "$schema" if value.held == Held::Scalar(DIALECT.into()) => {}
            "$schema" => return self.wrong(value.at, pointer, format!("only the dialect {DIALECT} is understood")),
            known if ANNOTATIONS.contains(&known) => {}
            unknown => {
                let why = format!("“{}” is not understood here; understood are {UNDERSTOOD}", shown(unknown));
                return self.wrong(*at, pointer, why);
            }
        }
        Ok(())
    }

    /// Mistakes that no single keyword makes.
    fn fits_together(&self, schema: &Schema, node: &Node, pointer: &str) -> Read<()> {
        let at = |keyword: &str| node.place(&format!("/{keyword}"));
        let bounds = schema.number;
        let nothing = "nothing can be both, so nothing could ever be set";
        for (low, high, keyword) in [
            (bounds.min, bounds.max, "maximum"),
            (schema.min_chars.map(|n| n as f64), schema.max_chars.map(|n| n as f64), "maxLength"),
            (schema.min_items.map(|n| n as f64), schema.max_items.map(|n| n as f64), "maxItems"),
        ] {
            if let (Some(low), Some(high)) = (low, high)
                && low > high
            {
                return self.wrong(at(keyword), pointer, format!("at least {low} and at most {high}: {nothing}"));
            }
        }
        let is_offered = |value: &Json| match &schema.one_of {
            Some(one_of) => one_of.contains(value),
            None => value.is_boolean(),
        };
        let dangers = schema.dangers.iter().filter_map(|(value, _)| value.as_ref()).map(|value| (value, "x-danger"));
        let labels = schema.labels.iter().map(|(value, _)| (value, "x-enum-labels"));
        if let Some((value, keyword)) = dangers.chain(labels).find(|(value, _)| !is_offered(value)) {
            let why =
                format!("{keyword} speaks of {value}, which is none of the values of its enum, nor true or false");
            return self.wrong(at(keyword), pointer, why);
        }
        let takes = |name: &String| {
            schema.properties.iter().any(|(known, _)| known == name)
                || schema.additional.as_ref().is_none_or(|of| of.types.as_ref().is_none_or(|types| !types.is_empty()))
        };
        if let Some(name) = schema.required.iter().find(|name| !takes(name)) {
            let why = format!("“{}” is required and not among the properties: {nothing}", shown(name));
            return self.wrong(at("required"), pointer, why);
        }
        if let Some(violation) = schema.default.as_ref().and_then(|value| schema.check(value).into_iter().next()) {
            let why = format!("the default is not as its own schema says: {}", violation.sentence);
            return self.wrong(at("default"), pointer, why);
        }
        Ok(())
    }

    fn types(&self, value: &Node, pointer: &str) -> Read<Vec<Type>> {
        let known = |word: &Json| TYPES.iter().find(|(name, _)| word == name).map(|(_, of)| *of);
        let words = match &value.held {
            Held::List(words) => words.iter().map(Node::json).collect(),
            Held::Scalar(word) => vec![word.clone()],
            Held::Object(_) => Vec::new(),
        };
        let types: Vec<Type> = words.iter().filter_map(known).collect();
        if types.is_empty() || types.len() < words.len() {
            let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
            return self.wrong(value.at, pointer, format!("a type is one of {}, or a list of them", names.join(", ")));
        }
        Ok(types)
    }

    fn words(&self, value: &Node, pointer: &str) -> Read<String> {
        match &value.held {
            Held::Scalar(Json::String(text)) if text.chars().count() <= WORDS_MAX_CHARS => Ok(shown(text).into_owned()),
            Held::Scalar(_) | Held::List(_) | Held::Object(_) => {
                self.wrong(value.at, pointer, format!("a text of at most {WORDS_MAX_CHARS} characters belongs here"))
            }
        }
    }

    fn flag(&self, value: &Node, pointer: &str) -> Read<bool> {
        match value.held {
            Held::Scalar(Json::Bool(flag)) => Ok(flag),
            Held::Scalar(_) | Held::List(_) | Held::Object(_) => {
                self.wrong(value.at, pointer, "true or false belongs here")
            }
        }
    }

    fn number(&self, value: &Node, pointer: &str) -> Read<f64> {
        let number = if let Held::Scalar(scalar) = &value.held { scalar.as_f64() } else { None };
        number.map_or_else(|| self.wrong(value.at, pointer, "a number belongs here"), Ok)
    }

    fn above_zero(&self, value: &Node, pointer: &str) -> Read<f64> {
        let number = self.number(value, pointer)?;
        if number > 0.0 { Ok(number) } else { self.wrong(value.at, pointer, "a number above 0 belongs here") }
    }

    /// A whole number from 0, also written `2.0`.
    fn count(&self, value: &Node, pointer: &str) -> Read<u64> {
        let number = self.number(value, pointer)?;
        if number.fract() == 0.0 && (0.0..=1e15).contains(&number) {
            return Ok(number as u64);
        }
        self.wrong(value.at, pointer, "a whole number from 0 belongs here")
    }

    fn values(&self, value: &Node, pointer: &str) -> Read<Vec<Json>> {
        match &value.held {
            Held::List(items) if items.len() <= LIST_MAX => Ok(items.iter().map(Node::json).collect()),
            Held::List(_) | Held::Scalar(_) | Held::Object(_) => {
                self.wrong(value.at, pointer, format!("a list of at most {LIST_MAX} values belongs here"))
            }
        }
    }

    /// What is said of each value: a name is a text's own, or the JSON of a number or of true and false.
    fn by_value(&self, members: &[Member], pointer: &str) -> Read<Vec<(Json, String)>> {
        self.each_once(members, pointer)?;
        let read = |member: &Member| {
            let value = match serde_json::from_str(&member.name) {
                Ok(value @ (Json::Bool(_) | Json::Number(_))) => value,
                Ok(_) | Err(_) => Json::String(member.name.clone()),
            };
            Ok((value, self.words(&member.value, &format!("{pointer}{}", pointer_of([member.name.as_str()])))?))
        };
        members.iter().take(LIST_MAX).map(read).collect()
    }
}
