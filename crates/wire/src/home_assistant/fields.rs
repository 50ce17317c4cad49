//! What an announcement says, word by word, each checked as it is asked for.

use fleetlens_model::shadow::Object;
use serde_json::Value as Json;

use super::HomeAssistantError;
use super::template::Template;
use crate::quote::quote;
use crate::{WireError, json};

/// The longest topic that is listened or spoken to, in bytes.
const TOPIC_MAX_BYTES: usize = 1024;

/// The longest word of an announcement, such as a payload or an option, in bytes.
const WORD_MAX_BYTES: usize = 1024;

/// Options of one choice.
const OPTIONS_MAX: usize = 256;

/// An entity as it was announced, with its names in full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    object: &'a Object,
    /// What `~` stands for.
    base: Option<&'a str>,
    /// What complaints call the entity.
    called: &'a str,
}

impl<'a> Fields<'a> {
    /// The words of an object; `~` in topics stands for `base` unless the object says otherwise.
    pub(super) fn new(object: &'a Object, base: Option<&'a str>, called: &'a str) -> Self {
        let own = object.get("~").and_then(Json::as_str).filter(|base| base.len() <= TOPIC_MAX_BYTES);
        Self { object, base: own.or(base), called }
    }

    /// The same entity's words in an object within it.
    pub(super) fn within(self, object: &'a Object) -> Self {
        Self { object, ..self }
    }

    pub(super) fn called(&self) -> &'a str {
        self.called
    }

    /// What stands there, if it is anything.
    pub(super) fn get(&self, name: &str) -> Option<&'a Json> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Whether it is there and empty, as payloads are that must not be sent.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(Json::is_null)
    }

    /// A word; numbers and flags are words as Python writes them.
    pub(super) fn word(&self, name: &str) -> Result<Option<String>, WireError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value {
            Json::String(text) if text.len() <= WORD_MAX_BYTES => Ok(Some(text.clone())),
            Json::Bool(flag) => Ok(Some(if *flag { "True" } else { "False" }.to_owned())),
            Json::Number(number) => Ok(Some(number.to_string())),
            Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                Err(json::wrong(name, value, "a text of at most 1024 bytes"))
            }
        }
    }

    /// A word, or what it is unless said otherwise.
    pub(super) fn word_or(&self, name: &str, default: &str) -> Result<String, WireError> {
        Ok(self.word(name)?.unwrap_or_else(|| default.to_owned()))
    }

    /// A number, also one that is written as a text.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, WireError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        let number = number.filter(|n: &f64| n.is_finite());
        number.map(Some).ok_or_else(|| json::wrong(name, value, "a number"))
    }

    /// Whether something is so; not said is not so.
    pub(super) fn flag(&self, name: &str) -> Result<bool, WireError> {
        match self.get(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(value) => Err(json::wrong(name, value, "true or false")),
        }
    }

    /// A list of words, if it is there.
    pub(super) fn words(&self, name: &str) -> Result<Option<Vec<String>>, WireError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Json::Array(items) = value else { return Err(json::wrong(name, value, "a list of texts")) };
        if items.len() > OPTIONS_MAX {
            return Err(WireError::TooLong { given: items.len(), max: OPTIONS_MAX });
        }
        let word = |item: &Json| match item {
            Json::String(text) if text.len() <= WORD_MAX_BYTES => Ok(text.clone()),
            Json::Number(number) => Ok(number.to_string()),
            Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                Err(json::wrong(name, item, "a list of texts of at most 1024 bytes"))
            }
        };
        items.iter().map(word).collect::<Result<_, _>>().map(Some)
    }

    /// A topic to listen or to speak to, if it is there. Never one that means several, nor one of the broker itself.
    pub(super) fn topic(&self, name: &str) -> Result<Option<String>, WireError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Json::String(given) = value else { return Err(json::wrong(name, value, "a topic")) };
        let mut topic = given.clone();
        if let Some(base) = self.base {
            if let Some(rest) = topic.strip_prefix('~') {
                topic = format!("{base}{rest}");
            } else if let Some(rest) = topic.strip_suffix('~') {
                topic = format!("{rest}{base}");
            }
        }
        let is_one = !topic.is_empty()
            && topic.len() <= TOPIC_MAX_BYTES
            && !topic.starts_with('$')
            && !topic.contains(|c: char| matches!(c, '+' | '#') || c.is_control());
        if is_one {
            return Ok(Some(topic));
        }
        Err(HomeAssistantError::Topic {
            field: name.to_owned(),
            entity: self.called.to_owned(),
            topic: quote(&topic, 80),
        }
        .into())
    }

    /// A template, if it is there and not empty.
    pub(super) fn template(&self, name: &str) -> Result<Option<Template>, WireError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Json::String(source) = value else { return Err(json::wrong(name, value, "a template")) };
        if source.is_empty() {
            return Ok(None);
        }
        let read = Template::parse(source).map(Some);
        read.map_err(|fault| {
            let entity = self.called.to_owned();
            HomeAssistantError::Template { entity, field: name.to_owned(), why: fault.to_string() }.into()
        })
    }

    /// The first of several templates that is there.
    pub(super) fn template_of(&self, names: &[&str]) -> Result<Option<Template>, WireError> {
        for name in names {
            if let Some(template) = self.template(name)? {
                return Ok(Some(template));
            }
        }
        Ok(None)
    }
}
