//! Topic templates: where in a topic the thing's name, kind and area stand.
//!
//! A template is a topic whose levels are words or fields in braces: `city/{area}/{kind}/{thing}/telemetry`. `{thing}` must be
//! there exactly once; `{kind}` and `{area}` may be; any other name stands for a level that does not matter.

use thiserror::Error;

/// The longest topic MQTT allows, in bytes (MQTT 5, section 1.5.4).
const TOPIC_MAX_BYTES: usize = 65_535;

/// A parsed template; made once, matched for every message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Word(String),
    Thing,
    Kind,
    Area,
    Any,
}

/// What a template found in a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The thing's name, verbatim and not yet checked.
    pub thing: &'a str,
    /// The kind's word.
    pub kind: Option<&'a str>,
    /// The area's word.
    pub area: Option<&'a str>,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// `{thing}` is missing or there twice.
    #[error("the template {0:?} names {{thing}} {1} times; it must stand there exactly once")]
    ThingNotOnce(String, usize),
    /// A wildcard of MQTT where a field belongs.
    #[error("the template {0:?} holds the wildcard {1:?}; write a field in braces instead, such as {{area}}")]
    Wildcard(String, char),
    /// Braces that do not enclose a whole level.
    #[error("the level {1:?} of the template {0:?} has stray braces; a field is a whole level, such as {{thing}}")]
    Braces(String, String),
    /// Empty, or longer than MQTT allows.
    #[error("a template needs 1 to 65535 bytes, this one has {0}")]
    Length(usize),
    /// The first level does not say what to listen to, which would mean everything the broker has.
    #[error(
        "the template {0:?} begins with a field, which would subscribe to every topic of that depth; begin with a word"
    )]
    Everything(String),
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        if text.is_empty() || text.len() > TOPIC_MAX_BYTES {
            return Err(TemplateError::Length(text.len()));
        }
        if let Some(c) = text.chars().find(|c| matches!(c, '#' | '+')) {
            return Err(TemplateError::Wildcard(text.into(), c));
        }
        let levels = text.split('/').map(|level| Level::parse(text, level)).collect::<Result<Vec<_>, _>>()?;
        match levels.iter().filter(|level| **level == Level::Thing).count() {
            1 => {}
            n => return Err(TemplateError::ThingNotOnce(text.into(), n)),
        }
        if !matches!(levels.first(), Some(Level::Word(_))) {
            return Err(TemplateError::Everything(text.into()));
        }
        Ok(Template { levels })
    }

    /// The MQTT filter that gets every topic of the template.
    pub fn filter(&self) -> String {
        let levels: Vec<&str> = self.levels.iter().map(Level::filter).collect();
        levels.join("/")
    }

    /// What the template finds in a topic; `None` when it is not one of its.
    pub fn find<'a>(&self, topic: &'a str) -> Option<Place<'a>> {
        let mut place = Place::default();
        let mut given = topic.split('/');
        for level in &self.levels {
            let here = given.next()?;
            match level {
                Level::Word(word) if word == here => {}
                Level::Word(_) => return None,
                Level::Thing => place.thing = here,
                Level::Kind => place.kind = Some(here),
                Level::Area => place.area = Some(here),
                Level::Any => {}
            }
        }
        given.next().is_none().then_some(place)
    }
}

impl Level {
    fn parse(whole: &str, level: &str) -> Result<Level, TemplateError> {
        let field = level.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let inner = field.unwrap_or(level);
        if inner.contains(['{', '}']) || field == Some("") {
            return Err(TemplateError::Braces(whole.into(), level.into()));
        }
        Ok(match field {
            None => Level::Word(level.into()),
            Some("thing") => Level::Thing,
            Some("kind") => Level::Kind,
            Some("area") => Level::Area,
            Some(_) => Level::Any,
        })
    }

    fn filter(&self) -> &str {
        match self {
            Level::Word(word) => word,
            Level::Thing | Level::Kind | Level::Area | Level::Any => "+",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_finds_its_fields_and_nothing_in_other_topics() {
        let template = Template::parse("city/{area}/{kind}/{thing}/telemetry").unwrap();
        assert_eq!(template.filter(), "city/+/+/+/telemetry");
        let found = Place { thing: "lamp-0417", kind: Some("lamp"), area: Some("valletta") };
        for (topic, want) in [
            ("city/valletta/lamp/lamp-0417/telemetry", Some(found)),
            ("city/valletta/lamp/lamp-0417/meta", None),
            ("city/valletta/lamp/lamp-0417/telemetry/more", None),
            ("city/valletta/lamp/lamp-0417", None),
            ("", None),
            ("/////", None),
        ] {
            assert_eq!(template.find(topic), want, "{topic}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_the_reason() {
        for (text, want) in [
            ("", TemplateError::Length(0)),
            ("city/#", TemplateError::Wildcard("city/#".into(), '#')),
            ("city/+/x", TemplateError::Wildcard("city/+/x".into(), '+')),
            ("city/x", TemplateError::ThingNotOnce("city/x".into(), 0)),
            ("c/{thing}/{thing}", TemplateError::ThingNotOnce("c/{thing}/{thing}".into(), 2)),
            ("c/{thing", TemplateError::Braces("c/{thing".into(), "{thing".into())),
            ("c/{}/{thing}", TemplateError::Braces("c/{}/{thing}".into(), "{}".into())),
            ("{x}/{thing}", TemplateError::Everything("{x}/{thing}".into())),
        ] {
            assert_eq!(Template::parse(text), Err(want), "{text}");
        }
    }
}
