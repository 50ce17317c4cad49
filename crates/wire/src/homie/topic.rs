//! The topics below `{domain}/5/`.

use fleetlens_model::id::THING_NAME_MAX_BYTES;

use crate::WireError;
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::check_length;

/// What a topic is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic<'a> {
    /// `{device}/$state`.
    State(&'a str),
    /// `{device}/$description`.
    Description(&'a str),
    /// `{device}/$alert/{id}`.
    Alert(&'a str, &'a str),
    /// `{device}/{node}/{property}`, or that with `/$target`.
    Value(&'a str, Place),
    /// Nothing that says anything of a thing: logs, broadcasts, commands, and attributes of versions to come, which are to be
    /// ignored ("Forward compatibility").
    Other,
}

/// A property, or what it is to become.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Its pointer in the description: `/{node}/{property}`.
    pub(super) property: String,
    /// Whether it is the property's `$target`.
    pub(super) is_target: bool,
}

impl Place {
    /// The pointer of its values.
    pub(super) fn pointer(&self) -> String {
        if self.is_target { target_of(&self.property) } else { self.property.clone() }
    }
}

/// The pointer of the values a property is to become. No property has it: their pointers have two levels.
pub(super) fn target_of(property: &str) -> String {
    format!("{property}/target")
}

/// Whether a level is an id: lower-case letters, digits and hyphens ("Topic IDs").
pub(super) fn is_id(level: &str) -> bool {
    !level.is_empty() && level.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Reads what follows `{domain}/5/`.
pub(super) fn parse(rest: &str) -> Result<Topic<'_>, WireError> {
    let foreign = || WireError::ForeignTopic {
        topic: quote(rest, QUOTE_MAX_CHARS),
        wanted: "DEVICE/$state, DEVICE/$description, DEVICE/$alert/ID or DEVICE/NODE/PROPERTY, each of a–z, 0–9 and -",
    };
    let mut levels = rest.split('/');
    let device = levels.next().unwrap_or_default();
    if device == "$broadcast" {
        return Ok(Topic::Other);
    }
    if !is_id(device) || device.len() > THING_NAME_MAX_BYTES {
        return Err(foreign());
    }
    let place = |node, property, is_target| {
        let place = Place { property: format!("/{node}/{property}"), is_target };
        check_length(&place.pointer())?;
        Ok(Topic::Value(device, place))
    };
    match (levels.next(), levels.next(), levels.next(), levels.next()) {
        (Some("$state"), None, ..) => Ok(Topic::State(device)),
        (Some("$description"), None, ..) => Ok(Topic::Description(device)),
        (Some("$alert"), Some(id), None, _) if is_id(id.strip_prefix('$').unwrap_or(id)) => {
            check_length(id)?;
            Ok(Topic::Alert(device, id))
        }
        (Some("$alert"), ..) => Err(foreign()),
        (Some(attribute), ..) if attribute.starts_with('$') => Ok(Topic::Other),
        (Some(node), Some(property), None, _) if is_id(node) && is_id(property) => place(node, property, false),
        (Some(node), Some(property), Some("$target"), None) if is_id(node) && is_id(property) => {
            place(node, property, true)
        }
        (Some(node), Some(attribute), ..) if is_id(node) && attribute.starts_with('$') => Ok(Topic::Other),
        (Some(node), Some(property), Some(last), None)
            if is_id(node) && is_id(property) && (last == "set" || last.starts_with('$')) =>
        {
            Ok(Topic::Other)
        }
        (Some(_) | None, ..) => Err(foreign()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_one_of_the_conventions_or_refused() {
        let value = |device, property: &str, is_target| {
            Some(Topic::Value(device, Place { property: property.to_owned(), is_target }))
        };
        for (topic, want) in [
            ("super-car/$state", Some(Topic::State("super-car"))),
            ("super-car/$description", Some(Topic::Description("super-car"))),
            ("super-car/$alert/battery", Some(Topic::Alert("super-car", "battery"))),
            ("super-car/$alert/$low", Some(Topic::Alert("super-car", "$low"))),
            ("super-car/$log/warn", Some(Topic::Other)),
            ("super-car/$soon/x/y/z", Some(Topic::Other)),
            ("super-car/engine/$soon", Some(Topic::Other)),
            ("super-car/engine/speed", value("super-car", "/engine/speed", false)),
            ("super-car/engine/speed/$target", value("super-car", "/engine/speed", true)),
            ("super-car/engine/speed/set", Some(Topic::Other)),
            ("super-car/engine/speed/$soon", Some(Topic::Other)),
            ("$broadcast/security/alert", Some(Topic::Other)),
            ("", None),
            ("super-car", None),
            ("super-car/engine", None),
            ("super-car/engine/speed/get", None),
            ("super-car/engine/speed/set/x", None),
            ("super-car/$alert", None),
            ("super-car/$alert/a/b", None),
            ("Super_car/$state", None),
            ("super-car/Engine/speed", None),
        ] {
            assert_eq!(parse(topic).ok(), want, "{topic}");
        }
        let refusal = parse("Super_car/$state").unwrap_err().to_string();
        assert!(refusal.contains("Super_car") && refusal.contains("DEVICE/$state"), "{refusal}");
        assert!(parse(&format!("{}/$state", "a".repeat(257))).is_err());
        assert!(parse(&format!("a/{}/b", "n".repeat(300))).is_err());
    }
}
