//! Topic templates: where in a topic the thing's name, kind and area stand.
//!
//! A template is a topic whose levels are words or fields in braces: `city/{area}/{kind}/{thing}/telemetry`. `{thing}` must be
//! there, unless the payload names the thing; where it is there several times, its levels joined with `/` are the name, as they
//! stand in the topic. `{value}` names the value of a payload that is nothing else, `{kind}` and `{area}` the thing's; any other name stands for a level that does not matter, and `#` at
//! the end for any number of them, none included.

use std::borrow::Cow;

use fleetlens_model::shadow::pointer_of;
use thiserror::Error;

/// The longest topic MQTT allows, in bytes (MQTT 5, section 1.5.4).
const TOPIC_MAX_BYTES: usize = 65_535;

/// A parsed template; made once, matched for every message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    levels: Vec<Level>,
    /// Whether any levels may follow.
    open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Word(String),
    Thing,
    Value,
    Kind,
    Area,
    Any,
}

/// What a template found in a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The thing's name, verbatim and not yet checked; empty where the template has none.
    pub thing: Cow<'a, str>,
    /// The kind's word.
    pub kind: Option<&'a str>,
    /// The area's word.
    pub area: Option<&'a str>,
    /// The JSON pointer of the value whose name stands in the topic, where it stands at several levels with one part for each;
    /// empty where the template has none.
    pub value: String,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// `{thing}` is missing.
    #[error("the template {0:?} does not say where the thing's name stands; write {{thing}} for its level")]
    NoThing(String),
    /// `{thing}` is there although the payload names the thing.
    #[error("the template {0:?} holds {{thing}}, but the payload names the thing; write another word in the braces")]
    TwoNames(String),
    /// A wildcard of MQTT where a field belongs.
    #[error(
        "the template {0:?} holds the wildcard {1:?}; write a field in braces instead, such as {{area}}, \
         or # as the whole last level for all that follow"
    )]
    Wildcard(String, char),
    /// Braces that do not enclose a whole level.
    #[error("the level {1:?} of the template {0:?} has stray braces; a field is a whole level, such as {{thing}}")]
    Braces(String, String),
    /// Empty, or longer than MQTT allows.
    #[error("a template needs 1 to 65535 bytes, this one has {0}")]
    Length(usize),
    /// What a broker says of itself.
    #[error("the template {0:?} is about the broker itself ($SYS), which is no thing of a city")]
    Broker(String),
    /// The first level does not say what to listen to, which would mean everything the broker has.
    #[error("the template {0:?} does not begin with a word, and would subscribe to everything the broker has")]
    Everything(String),
}

impl Template {
    /// Reads a template whose topics name the thing.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let template = Template::read(text)?;
        if template.names_thing() { Ok(template) } else { Err(TemplateError::NoThing(text.into())) }
    }

    /// Reads a template of topics whose payloads name the thing.
    pub fn parse_nameless(text: &str) -> Result<Template, TemplateError> {
        let template = Template::read(text)?;
        if template.names_thing() { Err(TemplateError::TwoNames(text.into())) } else { Ok(template) }
    }

    fn read(text: &str) -> Result<Template, TemplateError> {
        if text.is_empty() || text.len() > TOPIC_MAX_BYTES {
            return Err(TemplateError::Length(text.len()));
        }
        let (named, open) = match text.strip_suffix("/#") {
            Some(named) => (named, true),
            None => (text, false),
        };
        if let Some(c) = named.chars().find(|c| matches!(c, '#' | '+')) {
            return Err(TemplateError::Wildcard(text.into(), c));
        }
        let levels = named.split('/').map(|level| Level::parse(text, level)).collect::<Result<Vec<_>, _>>()?;
        // A topic may begin with a slash, which makes its first level empty: that alone narrows nothing.
        let first = levels.iter().find(|level| **level != Level::Word(String::new()));
        match first {
            Some(Level::Word(word)) if word == "$SYS" => Err(TemplateError::Broker(text.into())),
            Some(Level::Word(_)) => Ok(Template { levels, open }),
            Some(Level::Thing | Level::Value | Level::Kind | Level::Area | Level::Any) | None => {
                Err(TemplateError::Everything(text.into()))
            }
        }
    }

    /// Whether its topics name the thing.
    pub fn names_thing(&self) -> bool {
        self.levels.contains(&Level::Thing)
    }

    /// Whether its topics name the value.
    pub fn names_value(&self) -> bool {
        self.levels.contains(&Level::Value)
    }

    /// The MQTT filter that gets every topic of the template.
    pub fn filter(&self) -> String {
        let open = self.open.then_some("#");
        let levels: Vec<&str> = self.levels.iter().map(Level::filter).chain(open).collect();
        levels.join("/")
    }

    /// What the template finds in a topic; `None` when it is not one of its.
    pub fn find<'a>(&self, topic: &'a str) -> Option<Place<'a>> {
        let mut place = Place::default();
        let mut names = 0;
        let mut nameless = false;
        let mut given = topic.split('/');
        for level in &self.levels {
            let here = given.next()?;
            match level {
                Level::Word(word) if word == here => {}
                Level::Word(_) => return None,
                Level::Thing => {
                    place.thing = if names == 0 { here.into() } else { format!("{}/{here}", place.thing).into() };
                    names += 1;
                    nameless |= here.is_empty();
                }
                Level::Value => place.value += &pointer_of([here]),
                Level::Kind => place.kind = Some(here),
                Level::Area => place.area = Some(here),
                Level::Any => {}
            }
        }
        if nameless {
            // A part that is empty names nothing, and the rest would be another thing's.
            place.thing = Cow::default();
        }
        (self.open || given.next().is_none()).then_some(place)
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
            Some("value") => Level::Value,
            Some("kind") => Level::Kind,
            Some("area") => Level::Area,
            Some(_) => Level::Any,
        })
    }

    fn filter(&self) -> &str {
        match self {
            Level::Word(word) => word,
            Level::Thing | Level::Value | Level::Kind | Level::Area | Level::Any => "+",
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
        let found =
            Place { thing: "lamp-0417".into(), kind: Some("lamp"), area: Some("valletta"), value: String::new() };
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
    fn a_name_of_several_levels_and_a_tail_of_any_length() {
        let template = Template::parse("/hfp/v2/{journey}/{event}/{thing}/{thing}/#").unwrap();
        assert_eq!(template.filter(), "/hfp/v2/+/+/+/+/#");
        for (topic, want) in [
            ("/hfp/v2/journey/vp/0018/01029/2/17:35", Some("0018/01029")),
            ("/hfp/v2/journey/vp/0018/01029/", Some("0018/01029")),
            // As a broker matches it (MQTT 5, section 4.7.1.2).
            ("/hfp/v2/journey/vp/0018/01029", Some("0018/01029")),
            ("/hfp/v2/journey/vp/0018//x", Some("")),
            ("/hfp/v2/journey/vp/0018", None),
            ("hfp/v2/journey/vp/0018/01029", None),
        ] {
            assert_eq!(template.find(topic).map(|place| place.thing.into_owned()).as_deref(), want, "{topic}");
        }
        let nameless = Template::parse_nameless("malaga/{kind}").unwrap();
        assert_eq!(nameless.find("malaga/parking"), Some(Place { kind: Some("parking"), ..Place::default() }));
    }

    #[test]
    fn levels_that_name_the_value_make_its_pointer() {
        let template = Template::parse("home/{thing}/{value}/state/{value}").unwrap();
        assert!(template.names_value() && template.filter() == "home/+/+/state/+");
        let place = template.find("home/hall/air/state/a~b").unwrap();
        assert_eq!((place.thing.as_ref(), place.value.as_str()), ("hall", "/air/a~0b"));
    }

    #[test]
    fn what_is_no_template_is_refused_with_the_reason() {
        for (text, want) in [
            ("", TemplateError::Length(0)),
            ("#", TemplateError::Wildcard("#".into(), '#')),
            ("/#", TemplateError::Everything("/#".into())),
            ("{thing}/#", TemplateError::Everything("{thing}/#".into())),
            ("//{thing}", TemplateError::Everything("//{thing}".into())),
            ("city/#/{thing}", TemplateError::Wildcard("city/#/{thing}".into(), '#')),
            ("city/{thing}/x#", TemplateError::Wildcard("city/{thing}/x#".into(), '#')),
            ("city/#", TemplateError::NoThing("city/#".into())),
            ("city/+/x", TemplateError::Wildcard("city/+/x".into(), '+')),
            ("city/x", TemplateError::NoThing("city/x".into())),
            ("c/{thing", TemplateError::Braces("c/{thing".into(), "{thing".into())),
            ("c/{}/{thing}", TemplateError::Braces("c/{}/{thing}".into(), "{}".into())),
            ("{x}/{thing}", TemplateError::Everything("{x}/{thing}".into())),
            ("$SYS/{thing}", TemplateError::Broker("$SYS/{thing}".into())),
        ] {
            assert_eq!(Template::parse(text), Err(want), "{text}");
        }
        let both = TemplateError::TwoNames("c/{thing}".into());
        assert_eq!(Template::parse_nameless("c/{thing}"), Err(both));
    }
}
