//! Announcements: what is published on a discovery topic, as one entity or as a device with all of its.

use std::collections::BTreeSet;

use fleetlens_model::id::ThingName;
use fleetlens_model::shadow::{Object, pointer_of};
use serde_json::Value as Json;

use super::component;
use super::entity::Entity;
use super::fields::Fields;
use super::{HomeAssistantError, abbreviations, weight};
use crate::meta::words;
use crate::quote::quote;
use crate::telemetry::{PAYLOAD_MAX_BYTES, VALUES_MAX};
use crate::{WireError, json};

/// Brackets within each other in an announcement.
const NESTING_MAX: usize = 12;

/// What remembering one announcement may take, in bytes.
const REMEMBERED_MAX_BYTES: usize = 8 * 1024 * 1024;

/// What the components of a device share unless they say otherwise (Home Assistant, "MQTT", "Device discovery payload").
const SHARED: [&str; 8] = [
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "command_topic",
    "payload_available",
    "payload_not_available",
    "state_topic",
];

/// Where an announcement was published: `<prefix>/<component>/[<node>/]<object>/config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    component: &'a str,
    node: Option<&'a str>,
    object: &'a str,
}

impl<'a> Place<'a> {
    /// The place of a topic below the prefix; `None` for topics of another shape.
    pub(super) fn find(below_prefix: &'a str) -> Option<Place<'a>> {
        let mut levels = below_prefix.strip_suffix("/config")?.split('/');
        let (component, second) = (levels.next()?, levels.next()?);
        let (node, object) = match levels.next() {
            Some(third) => (Some(second), third),
            None => (None, second),
        };
        levels.next().is_none().then_some(Place { component, node, object })
    }

    /// Whether its levels are what Home Assistant takes ("MQTT", "Discovery topic").
    pub(super) fn check(&self, topic: &str) -> Result<(), WireError> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_id = |text: &str| !text.is_empty() && text.chars().all(|c| is_word(c) || c == '-');
        let is_fine = !self.component.is_empty()
            && self.component.chars().all(is_word)
            && is_id(self.object)
            && self.node.is_none_or(is_id);
        let refused = || HomeAssistantError::DiscoveryTopic { topic: format!("{:?}", quote(topic, 200)) }.into();
        if is_fine { Ok(()) } else { Err(refused()) }
    }
}

/// What one discovery topic announces.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Announcement {
    /// Whose entities these are.
    pub(super) thing: String,
    /// What people call it; empty when that is not said.
    pub(super) title: String,
    /// Where it is said to stand; empty when that is not said.
    pub(super) area: String,
    pub(super) entities: Vec<Entity>,
    /// What remembering it is counted as.
    pub(super) bytes: usize,
    /// Said since our link is up.
    pub(super) is_fresh: bool,
}

impl Announcement {
    /// Whether it was said before, apart from what has been heard of its entities since.
    pub(super) fn says_the_same_as(&self, other: &Announcement) -> bool {
        let unheard = |entity: &Entity| {
            let mut entity = entity.clone();
            entity.availability.forget();
            entity
        };
        self.thing == other.thing
            && (self.title.as_str(), self.area.as_str()) == (other.title.as_str(), other.area.as_str())
            && self.bytes == other.bytes
            && self.entities.iter().map(unheard).eq(other.entities.iter().map(unheard))
    }
}

/// What a payload on a discovery topic is.
#[derive(Debug)]
pub(super) enum Said {
    /// Nothing that changes anything: it only moves entities from one discovery topic to another.
    Migration,
    Announcement(Announcement),
}

/// Reads a payload; `taken` are the pointers that other announcements of a thing hold.
pub(super) fn read<'t>(
    place: Place<'_>,
    topic: &str,
    payload: &[u8],
    taken: impl FnOnce(&str) -> BTreeSet<&'t str>,
) -> Result<Said, WireError> {
    let root = abbreviations::entity(json::object(payload, PAYLOAD_MAX_BYTES, NESTING_MAX)?);
    if root.get("migrate_discovery") == Some(&Json::Bool(true)) {
        return Ok(Said::Migration);
    }
    let device = match root.get("device") {
        None | Some(Json::Null) => None,
        Some(Json::Object(device)) => Some(abbreviations::device(device.clone())),
        Some(value) => return Err(json::wrong("device", value, "an object")),
    };
    let fields = Fields::new(&root, None, "the announcement");
    let mut thing = device.as_ref().map(identity).transpose()?.flatten();
    if thing.is_none() && place.component != "device" {
        thing = fields.word("unique_id")?.filter(|id| !id.is_empty());
    }
    let thing = thing.unwrap_or_else(|| match place.node {
        Some(node) => format!("{node}/{}", place.object),
        None => place.object.to_owned(),
    });
    ThingName::new(thing.as_str()).map_err(HomeAssistantError::from)?;
    let says =
        |name: &str| device.as_ref().and_then(|device| device.get(name)).and_then(Json::as_str).unwrap_or_default();
    let (title, area) = (words(says("name")), words(says("suggested_area")));
    let mut announcement =
        Announcement { title, area, entities: Vec::new(), bytes: 2 * topic.len(), is_fresh: true, thing };
    let mut taken: BTreeSet<String> = taken(&announcement.thing).into_iter().map(str::to_owned).collect();
    if place.component == "device" {
        device_form(&mut announcement, topic, &root, &mut taken)?;
    } else {
        let named = without_owner(place.object, &announcement, place.node);
        let named = if named.is_empty() { place.component } else { named };
        let called = called(place.component, place.object);
        add(&mut announcement, (place.component, &called), named, &root, None, &mut taken)?;
        weigh(&mut announcement, topic, 0)?;
        if announcement.title.is_empty() && device.is_none() {
            announcement.title = words(&fields.word("name")?.unwrap_or_default());
        }
    }
    Ok(Said::Announcement(announcement))
}

/// The name of a device: its first identifier, else what it is connected by.
fn identity(device: &Object) -> Result<Option<String>, WireError> {
    let word = |value: &Json| match value {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
    };
    let found = match (device.get("identifiers"), device.get("connections")) {
        (Some(Json::Array(all)), _) if !all.is_empty() => all.first().and_then(word),
        (Some(one @ (Json::String(_) | Json::Number(_))), _) => word(one),
        // Pairs of how and where: ["mac", "02:5b:26:a8:dc:12"].
        (_, Some(connections)) => connections.pointer("/0/1").and_then(word),
        (_, None) => return Ok(None),
    };
    let wanted = "an object with a text in identifiers or connections";
    found.map(Some).ok_or_else(|| json::wrong("device", &Json::Object(device.clone()), wanted))
}

/// An object's name without that of the device, which many put before it.
fn without_owner<'a>(object: &'a str, of: &Announcement, node: Option<&str>) -> &'a str {
    let title = of.title.to_lowercase().replace(' ', "_");
    for owner in [of.thing.as_str(), title.as_str(), node.unwrap_or_default()] {
        let begins = object.get(..owner.len()).filter(|begin| !owner.is_empty() && begin.eq_ignore_ascii_case(owner));
        if let Some(rest) = begins.and_then(|_| object.get(owner.len()..)) {
            if rest.is_empty() {
                return rest;
            }
            if let Some(rest) = rest.strip_prefix(['_', '-']).filter(|rest| !rest.is_empty()) {
                return rest;
            }
        }
    }
    object
}

fn device_form(
    of: &mut Announcement,
    topic: &str,
    root: &Object,
    taken: &mut BTreeSet<String>,
) -> Result<(), WireError> {
    let components = match root.get("components") {
        Some(Json::Object(components)) => components,
        Some(value) => return Err(json::wrong("components", value, "an object with a component for each name")),
        None => return Err(json::missing("components")),
    };
    if components.len() > VALUES_MAX {
        return Err(WireError::TooLong { given: components.len(), max: VALUES_MAX });
    }
    let base = root.get("~").and_then(Json::as_str);
    for (name, component) in components {
        let Json::Object(component) = component else {
            return Err(json::wrong(&format!("components/{name}"), component, "an object"));
        };
        let mut component = abbreviations::entity(component.clone());
        let Some(Json::String(platform)) = component.remove("platform") else {
            return Err(json::missing(&format!("components/{name}/platform")));
        };
        // A platform alone takes the component back.
        if component.is_empty() {
            continue;
        }
        let availability = component.keys().any(|key| key.starts_with("availability"));
        for shared in SHARED {
            let is_whether = shared.contains("availab");
            if let Some(value) = root.get(shared)
                && !(is_whether && availability)
                && !component.contains_key(shared)
            {
                component.insert(shared.to_owned(), value.clone());
            }
        }
        let counted = of.entities.len();
        add(of, (&platform, &called(&platform, name)), name, &component, base, taken)?;
        weigh(of, topic, counted)?;
    }
    Ok(())
}

/// Counts what the entities weigh that came after the first `counted`.
fn weigh(announcement: &mut Announcement, topic: &str, counted: usize) -> Result<(), WireError> {
    let new = announcement.entities.iter().skip(counted);
    announcement.bytes += new.map(|entity| weight::entity(entity, topic)).sum::<usize>();
    if announcement.bytes > REMEMBERED_MAX_BYTES {
        return Err(HomeAssistantError::TooHeavy { max: REMEMBERED_MAX_BYTES }.into());
    }
    Ok(())
}

/// What complaints call an entity.
fn called(component: &str, name: &str) -> String {
    format!("the {} {:?}", quote(component, 30), quote(name, 60))
}

/// Adds an entity to an announcement, under a pointer that no other of the thing has.
fn add(
    to: &mut Announcement,
    (component, called): (&str, &str),
    name: &str,
    object: &Object,
    base: Option<&str>,
    taken: &mut BTreeSet<String>,
) -> Result<(), WireError> {
    let fields = Fields::new(object, base, called);
    let mut pointer = pointer_of([name]);
    if taken.contains(&pointer) {
        pointer = pointer_of([format!("{name}_{component}").as_str()]);
    }
    if taken.contains(&pointer) {
        return Err(WireError::Twice { pointer: quote(&pointer, 200) });
    }
    // Where a thing is stands at its root, unless something else does.
    let is_free = !["/lat", "/lon"].iter().any(|place| taken.contains(*place) || pointer == *place);
    let place = if is_free { String::new() } else { pointer.clone() };
    let label = match fields.word("name")?.map(|name| words(&name)).filter(|name| !name.is_empty()) {
        // An older habit: "Kitchen Temperature" of the device "Kitchen".
        Some(name) => match name.strip_prefix(to.title.as_str()).map(str::trim) {
            Some(rest) if !to.title.is_empty() && !rest.is_empty() => rest.to_owned(),
            Some(_) | None => name,
        },
        None if fields.is_null("name") => spelled(component),
        None => spelled(name),
    };
    let Some(entity) = component::entity(component, pointer, place, fields, label)? else { return Ok(()) };
    taken.extend([entity.pointer.clone()]);
    taken.extend(entity.readings.iter().map(|reading| reading.pointer.clone()));
    if taken.len() > VALUES_MAX {
        return Err(WireError::TooMany { max: VALUES_MAX });
    }
    to.entities.push(entity);
    Ok(())
}

/// A name of a program as people write it: `power_on` is "Power on".
fn spelled(name: &str) -> String {
    let name = words(&name.replace('_', " "));
    let mut chars = name.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
