//! An entity that was announced: where its values come from and how its commands go out.

use std::cell::OnceCell;

use fleetlens_model::kind::Control;
use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use serde_json::Value as Json;

use super::HomeAssistantError;
use super::availability::Availability;
use super::template::{Fault, Fuel, Template};
use crate::quote::quote;
use crate::{WireError, json};

/// Brackets within each other in a state.
const NESTING_MAX: usize = 16;

/// What is said where nothing is known.
const NOTHING: [&str; 4] = ["", "None", "unknown", "unavailable"];

/// What is said where no number is known.
const NO_NUMBER: [&str; 4] = ["nan", "NaN", "null", "none"];

/// An entity, ready to be read and commanded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entity {
    /// Where its value stands; those it has beside it stand below.
    pub(super) pointer: String,
    /// What complaints call it.
    pub(super) called: String,
    pub(super) readings: Vec<Reading>,
    pub(super) steers: Vec<Steer>,
    pub(super) availability: Availability,
    /// After how many seconds without a word it is not to be believed any more.
    pub(super) expire_after_s: Option<u32>,
    /// By pointer.
    pub(super) labels: Vec<(String, String)>,
    /// By pointer.
    pub(super) units: Vec<(String, String)>,
    /// What its templates know beside the message.
    pub(super) constants: Vec<(&'static str, Json)>,
}

impl Entity {
    /// Every topic it listens to.
    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        let of_values = self.readings.iter().map(|reading| reading.topic.as_str());
        of_values.chain(self.availability.sources.iter().map(|source| source.topic.as_str()))
    }

    /// How one of its leaves is commanded, if it can be.
    pub(super) fn steer(&self, pointer: &str) -> Option<&Steer> {
        self.steers.iter().find(|steer| steer.control.pointer == pointer)
    }

    /// What a template makes of a message; `None` where it asks for what the message does not carry.
    pub(super) fn rendered(
        &self,
        template: &Template,
        message: &Message<'_>,
        fuel: &mut Fuel,
    ) -> Result<Option<String>, WireError> {
        let value = message.value();
        let mut given = vec![("value", value)];
        if let Ok(json) = message.json() {
            given.push(("value_json", json));
        }
        given.extend(self.constants.iter().map(|(name, json)| (*name, json)));
        match (template.render(&given, fuel), message.json()) {
            (Ok(text), _) => Ok(Some(text)),
            (Err(Fault::Undefined(_)), Ok(_)) => Ok(None),
            (Err(Fault::Undefined(_)), Err(not_json)) => Err(not_json.clone()),
            (Err(fault), _) => Err(self.failed("template", &fault)),
        }
    }

    pub(super) fn failed(&self, field: &str, fault: &Fault) -> WireError {
        let (entity, field, why) = (self.called.clone(), field.to_owned(), fault.to_string());
        HomeAssistantError::Template { entity, field, why }.into()
    }
}

/// A message of a topic that somebody listens to, looked at as often as there are templates and parsed once.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) text: &'a str,
    value: OnceCell<Json>,
    json: OnceCell<Result<Json, WireError>>,
}

impl<'a> Message<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, value: OnceCell::new(), json: OnceCell::new() }
    }

    fn value(&self) -> &Json {
        self.value.get_or_init(|| Json::String(self.text.to_owned()))
    }

    fn json(&self) -> Result<&Json, &WireError> {
        let read = || json::document(self.text.as_bytes(), crate::telemetry::PAYLOAD_MAX_BYTES, NESTING_MAX);
        self.json.get_or_init(read).as_ref()
    }
}

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) pointer: String,
    pub(super) topic: String,
    pub(super) template: Option<Template>,
    pub(super) inside: Inside,
    pub(super) means: Means,
}

/// Whether a value stands in an object, after the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// It is all there is.
    Nothing,
    /// In an object in this member, else all there is.
    Perhaps(&'static str),
    /// In this member; what is no object does not say it.
    Member(&'static str),
}

/// What a text means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Means {
    /// (n − zero) × per.
    Number { zero: f64, per: f64 },
    /// Open above this many, else closed: where only a position is told.
    OpenAbove { zero: f64, per: f64 },
    /// One of these words.
    Words(Vec<(String, Value)>),
    /// One of these words, or a text for itself.
    WordsOrText(Vec<(String, Value)>),
    /// A text.
    Text,
}

impl Reading {
    /// The value, or `None` where the message does not say it.
    pub(super) fn read(
        &self,
        entity: &Entity,
        message: &Message<'_>,
        fuel: &mut Fuel,
    ) -> Result<Option<Value>, WireError> {
        fuel.spend(message.text.len() / 16).map_err(|fault| entity.failed("state", &fault))?;
        let rendered = match &self.template {
            Some(template) => match entity.rendered(template, message, fuel)? {
                Some(text) => Some(text),
                None => return Ok(None),
            },
            None => None,
        };
        let text = rendered.as_deref().unwrap_or(message.text).trim();
        let (name, needed) = match self.inside {
            Inside::Nothing => return self.means.read(entity, text),
            Inside::Perhaps(name) => (name, false),
            Inside::Member(name) => (name, true),
        };
        let parsed;
        let whole = if rendered.is_none() {
            message.json().ok()
        } else {
            parsed = json::document(text.as_bytes(), crate::telemetry::PAYLOAD_MAX_BYTES, NESTING_MAX).ok();
            parsed.as_ref()
        };
        match whole {
            Some(Json::Object(members)) => match members.get(name) {
                None | Some(Json::Null) => Ok(None),
                Some(Json::String(text)) => self.means.read(entity, text),
                Some(Json::Bool(flag)) => self.means.read(entity, if *flag { "True" } else { "False" }),
                Some(json @ (Json::Number(_) | Json::Array(_) | Json::Object(_))) => {
                    self.means.read(entity, &json.to_string())
                }
            },
            _ if needed => Ok(None),
            _ => self.means.read(entity, text),
        }
    }
}

impl Means {
    fn read(&self, entity: &Entity, text: &str) -> Result<Option<Value>, WireError> {
        let refused = |wanted: String| {
            let (entity, given) = (entity.called.clone(), quote(text, 60));
            Err(HomeAssistantError::State { entity, given, wanted }.into())
        };
        let number = || text.parse().ok().filter(|n: &f64| n.is_finite());
        if let Means::Words(words) | Means::WordsOrText(words) = self
            && let Some((_, value)) = words.iter().find(|(word, _)| word == text)
        {
            return Ok(Some(value.clone()));
        }
        if NOTHING.contains(&text) {
            return Ok(None);
        }
        match self {
            Means::Number { .. } | Means::OpenAbove { .. } if NO_NUMBER.contains(&text) => Ok(None),
            Means::Number { zero, per } => match number().map(|n| (n - zero) * per).filter(|n| n.is_finite()) {
                Some(n) => Ok(Some(Value::Number(n))),
                None => refused("a number".to_owned()),
            },
            Means::OpenAbove { zero, per } => match number() {
                Some(n) => Ok(Some(Value::Text(if (n - zero) * per > 0.0 { "open" } else { "closed" }.to_owned()))),
                None => refused("a number".to_owned()),
            },
            Means::Words(words) => {
                let words: Vec<String> =
                    words.iter().take(8).map(|(word, _)| format!("{:?}", quote(word, 20))).collect();
                refused(words.join(" or "))
            }
            Means::WordsOrText(_) | Means::Text if text.len() > TEXT_MAX_BYTES => {
                refused(format!("a text of at most {TEXT_MAX_BYTES} bytes"))
            }
            Means::WordsOrText(_) | Means::Text => Ok(Some(Value::Text(text.to_owned()))),
        }
    }
}

/// How one leaf is commanded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Steer {
    pub(super) control: Control,
    pub(super) topic: String,
    pub(super) template: Option<Template>,
    /// The template where the wish is "off", if it is another.
    pub(super) off_template: Option<Template>,
    pub(super) sends: Sends,
    /// Another name that templates have for it.
    pub(super) known_as: Option<(&'static str, Known)>,
    /// What goes to which topic before it.
    pub(super) before: Option<(String, String)>,
    /// What goes to which topic after it.
    pub(super) after: Option<(String, String)>,
    /// The leaf that is set to its most where the wish is "on": what lights have that are switched on by their brightness.
    pub(super) on_by: Option<String>,
    /// The leaf that must not be switched off with the same command, since this switches it on.
    pub(super) needs_on: Option<String>,
}

/// What a template knows by a second name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// What the person wants.
    Wanted,
    /// What is sent for it.
    Sent,
}

/// What is sent for a wish.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sends {
    /// The payload that stands for it.
    Words(Vec<(Json, String)>),
    /// wish ÷ per + zero, rounded where the device knows only whole ones.
    Number { zero: f64, per: f64, whole: bool },
    /// It itself.
    Itself,
    /// An object with what is always in it and, by this name, the rest.
    InObject(Vec<(&'static str, String)>, &'static str, Box<Sends>),
}

impl Sends {
    /// What to send for a wish, before any template; `None` where nothing stands for it.
    pub(super) fn value(&self, want: &Json) -> Option<Json> {
        match self {
            Sends::Words(words) => {
                let word = words.iter().find(|(one, _)| one == want).map(|(_, word)| word.clone());
                word.map(Json::String)
            }
            Sends::Number { zero, per, whole } => {
                let n = want.as_f64()? / per + zero;
                json_number(if *whole { n.round() } else { n })
            }
            Sends::Itself => Some(want.clone()),
            Sends::InObject(fixed, name, inner) => {
                let mut object: serde_json::Map<String, Json> =
                    fixed.iter().map(|(name, value)| ((*name).to_owned(), Json::from(value.as_str()))).collect();
                object.insert((*name).to_owned(), inner.value(want)?);
                Some(Json::Object(object))
            }
        }
    }
}

/// A number without a fraction where it has none, as Home Assistant writes it.
pub(super) fn json_number(n: f64) -> Option<Json> {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        return Some(Json::from(n as i64));
    }
    serde_json::Number::from_f64(n).map(Json::Number)
}
