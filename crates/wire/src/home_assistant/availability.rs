//! Whether an entity is there, as its availability topics say.
//!
//! Source: Home Assistant, "MQTT", "Availability": one topic or a list of them; `availability_mode` all, any or latest, which is
//! the default.

use fleetlens_model::freshness::Presence;
use serde_json::Value as Json;

use super::fields::Fields;
use super::template::Template;
use crate::{WireError, json};

/// Availability topics of one entity.
const SOURCES_MAX: usize = 32;

/// What says whether an entity is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Availability {
    pub(super) sources: Vec<Source>,
    mode: Mode,
    /// What the last one to speak said.
    latest: Option<bool>,
}

/// One topic of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) topic: String,
    pub(super) template: Option<Template>,
    pub(super) available: String,
    pub(super) not_available: String,
    said: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    All,
    Any,
    #[default]
    Latest,
}

impl Source {
    /// What a text of it says, if it is one of the two.
    pub(super) fn says(&self, text: &str) -> Option<bool> {
        if text == self.available {
            return Some(true);
        }
        (text == self.not_available).then_some(false)
    }
}

impl Availability {
    /// Reads it out of an announcement.
    pub(super) fn read(fields: Fields<'_>) -> Result<Availability, WireError> {
        let mode = match fields.word_or("availability_mode", "latest")?.as_str() {
            "all" => Mode::All,
            "any" => Mode::Any,
            "latest" => Mode::Latest,
            other => return Err(json::wrong("availability_mode", &Json::from(other), "all, any or latest")),
        };
        let mut sources = Vec::new();
        if let Some(topic) = fields.topic("availability_topic")? {
            sources.push(source(fields, topic, "availability_template")?);
        }
        let list = match fields.get("availability") {
            Some(Json::Array(list)) => list.as_slice(),
            Some(one @ Json::Object(_)) => std::slice::from_ref(one),
            Some(value) => return Err(json::wrong("availability", value, "a list of objects with a topic each")),
            None => &[],
        };
        if list.len() > SOURCES_MAX {
            return Err(WireError::TooLong { given: list.len(), max: SOURCES_MAX });
        }
        for one in list {
            let Json::Object(object) = one else {
                return Err(json::wrong("availability", one, "a list of objects with a topic each"));
            };
            let object = super::abbreviations::entity(object.clone());
            let fields = fields.within(&object);
            let topic = fields.topic("topic")?.ok_or_else(|| json::missing("availability/topic"))?;
            sources.push(source(fields, topic, "value_template")?);
        }
        Ok(Availability { sources, mode, latest: None })
    }

    /// Takes what a source said.
    pub(super) fn take(&mut self, source: usize, said: bool) {
        if let Some(source) = self.sources.get_mut(source) {
            source.said = Some(said);
            self.latest = Some(said);
        }
    }

    /// Forgets what was said: our link was down, and it may have changed.
    pub(super) fn forget(&mut self) {
        self.latest = None;
        self.sources.iter_mut().for_each(|source| source.said = None);
    }

    /// Whether the entity is there, as far as that is known.
    fn is_there(&self) -> Option<bool> {
        let said = |what| self.sources.iter().any(|source| source.said == Some(what));
        let all = |what| self.sources.iter().all(|source| source.said == Some(what));
        match self.mode {
            Mode::Latest => self.latest,
            Mode::All if said(false) => Some(false),
            Mode::All => all(true).then_some(true),
            Mode::Any if said(true) => Some(true),
            Mode::Any => all(false).then_some(false),
        }
    }
}

/// Whether a thing is there, of whose entities these are: as long as one of them is. Those without availability do not say.
pub(super) fn presence<'a>(entities: impl Iterator<Item = &'a Availability>) -> Option<Presence> {
    let mut none_is = None;
    for entity in entities.filter(|entity| !entity.sources.is_empty()) {
        match entity.is_there() {
            Some(true) => return Some(Presence::Here),
            Some(false) => none_is = none_is.or(Some(true)),
            None => none_is = Some(false),
        }
    }
    none_is.filter(|none_is| *none_is).map(|_| Presence::Gone)
}

fn source(fields: Fields<'_>, topic: String, template: &str) -> Result<Source, WireError> {
    Ok(Source {
        topic,
        template: fields.template(template)?,
        available: fields.word_or("payload_available", "online")?,
        not_available: fields.word_or("payload_not_available", "offline")?,
        said: None,
    })
}
