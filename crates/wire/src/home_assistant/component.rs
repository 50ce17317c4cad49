//! What each component of Home Assistant has: its values, and what can be set of them.

mod aspects;
mod build;
mod closing;
mod light;

use fleetlens_model::kind::Takes;
use fleetlens_model::telemetry::Value;
use serde_json::Value as Json;

use super::entity::{Entity, Inside, Known, Means, Sends};
use super::fields::Fields;
use crate::{WireError, json, settable};
use build::{Build, flags};

/// Device classes whose sensors say numbers although no unit is needed.
const COUNTED: [&str; 3] = ["aqi", "ph", "power_factor"];

/// Makes an entity of an announcement; `None` for components that have nothing to show.
pub(super) fn entity(
    component: &str,
    pointer: String,
    place: String,
    fields: Fields<'_>,
    label: String,
) -> Result<Option<Entity>, WireError> {
    let mut build = Build::new(pointer, fields, label)?;
    match component {
        "sensor" => sensor(&mut build)?,
        "binary_sensor" => {
            let words = flags(&fields, ("payload_on", "ON"), ("payload_off", "OFF"))?;
            build.value("", &["state_topic"], &["value_template"], Inside::Nothing, Means::Words(words))?;
        }
        "switch" => switch(&mut build)?,
        "siren" => siren(&mut build)?,
        "light" => light::light(&mut build)?,
        "number" => number(&mut build)?,
        "select" => select(&mut build)?,
        "text" => text(&mut build)?,
        "cover" => closing::cover(&mut build)?,
        "valve" => closing::valve(&mut build)?,
        "lock" => closing::lock(&mut build)?,
        "climate" => aspects::climate(&mut build)?,
        "water_heater" => aspects::water_heater(&mut build)?,
        "humidifier" => aspects::humidifier(&mut build)?,
        "fan" => aspects::fan(&mut build)?,
        "device_tracker" => tracker(&mut build, &place)?,
        "update" => {
            let installed = Inside::Perhaps("installed_version");
            build.value("/installed_version", &["state_topic"], &["value_template"], installed, Means::Text)?;
            let latest = Inside::Member("latest_version");
            if fields.get("latest_version_topic").is_some() {
                let templates = ["latest_version_template"];
                build.value("/latest_version", &["latest_version_topic"], &templates, Inside::Nothing, Means::Text)?;
            } else {
                build.value("/latest_version", &["state_topic"], &["value_template"], latest, Means::Text)?;
            }
        }
        "event" => {
            let inside = Inside::Perhaps("event_type");
            build.value("", &["state_topic"], &["value_template"], inside, Means::Text)?;
        }
        // They have no state, even where their device has one for all: nothing to show, and nothing would tell that they obeyed.
        "button" | "camera" | "device_automation" | "image" | "infrared" | "notify" | "scene" | "tag" => {}
        // Whatever else has a state says it as a text.
        _ => {
            let topics = ["state_topic", "activity_state_topic"];
            let templates = ["value_template", "activity_value_template"];
            build.value("", &topics, &templates, Inside::Perhaps("state"), Means::Text)?;
        }
    }
    build.finish()
}

fn sensor(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    let class = fields.word("device_class")?.unwrap_or_default();
    let says = |name| fields.get(name).is_some();
    let is_number = says("unit_of_measurement")
        || says("state_class")
        || says("suggested_display_precision")
        || COUNTED.contains(&class.as_str());
    let means = if is_number { Means::Number { zero: 0.0, per: 1.0 } } else { Means::Text };
    build.value("", &["state_topic"], &["value_template"], Inside::Nothing, means)?;
    let unit = fields.word("unit_of_measurement")?.unwrap_or_default();
    build.unit("", &unit);
    Ok(())
}

fn switch(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    let (on, off) = (fields.word_or("payload_on", "ON")?, fields.word_or("payload_off", "OFF")?);
    let words = flags(&fields, ("state_on", &on), ("state_off", &off))?;
    build.value("", &["state_topic"], &["value_template"], Inside::Nothing, Means::Words(words))?;
    if let Some(steer) = build.steer("", "command_topic", "command_template", Takes::Switch, on_off(on, off))? {
        build.steers(steer);
    }
    Ok(())
}

/// A siren speaks and understands objects, where no template says otherwise.
fn siren(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    build.asks_first();
    let (on, off) = (fields.word_or("payload_on", "ON")?, fields.word_or("payload_off", "OFF")?);
    let words = flags(&fields, ("state_on", &on), ("state_off", &off))?;
    let templates = ["state_value_template", "value_template"];
    build.value("", &["state_topic"], &templates, Inside::Perhaps("state"), Means::Words(words))?;
    let mut sends = on_off(on, off);
    if fields.get("command_template").is_none() {
        sends = Sends::InObject(Vec::new(), "state", Box::new(sends));
    }
    if let Some(mut steer) = build.steer("", "command_topic", "command_template", Takes::Switch, sends)? {
        steer.off_template = fields.template("command_off_template")?;
        steer.known_as = Some(("state", Known::Sent));
        build.steers(steer);
    }
    Ok(())
}

fn number(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    let means = Means::Number { zero: 0.0, per: 1.0 };
    build.value("", &["state_topic"], &["value_template"], Inside::Nothing, means)?;
    let unit = fields.word("unit_of_measurement")?.unwrap_or_default();
    build.unit("", &unit);
    let (min, max) = (fields.number("min")?.unwrap_or(1.0), fields.number("max")?.unwrap_or(100.0));
    let step = fields.number("step")?.unwrap_or(1.0);
    let takes = range(("min", min), max, ("step", step), &unit)?;
    let sends = Sends::Number { zero: 0.0, per: 1.0, whole: false };
    if let Some(steer) = build.steer("", "command_topic", "command_template", takes, sends)? {
        build.steers(steer);
    }
    Ok(())
}

/// A range from which a person can choose something.
fn range(min: (&str, f64), max: f64, step: (&str, f64), unit: &str) -> Result<Takes, WireError> {
    if min.1 >= max {
        return Err(json::wrong(min.0, &Json::from(min.1), "less than the greatest value"));
    }
    if step.1 <= 0.0 {
        return Err(json::wrong(step.0, &Json::from(step.1), "more than 0"));
    }
    Ok(Takes::Range { min: min.1, max, step: step.1, unit: crate::meta::words(unit).into() })
}

fn select(build: &mut Build<'_>) -> Result<(), WireError> {
    let options = build.fields.words("options")?.ok_or_else(|| json::missing("options"))?;
    let words = options.iter().map(|word| (word.clone(), Value::Text(word.clone()))).collect();
    build.value("", &["state_topic"], &["value_template"], Inside::Nothing, Means::WordsOrText(words))?;
    if let Some(takes) = settable::choice(options.iter().map(String::as_str))
        && let Some(steer) = build.steer("", "command_topic", "command_template", takes, Sends::Itself)?
    {
        build.steers(steer);
    }
    Ok(())
}

/// What is typed in as a password is neither read nor offered: it would stand on the screen and in the cache.
fn text(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    if fields.word_or("mode", "text")? == "password" {
        return Ok(());
    }
    build.value("", &["state_topic"], &["value_template"], Inside::Nothing, Means::Text)?;
    let max = fields.number("max")?.unwrap_or(255.0).clamp(1.0, 255.0);
    let takes = Takes::Text { max_chars: max as u16 };
    if let Some(steer) = build.steer("", "command_topic", "command_template", takes, Sends::Itself)? {
        build.steers(steer);
    }
    Ok(())
}

/// Where it is stands in the attributes; the state only says which zone that is in.
fn tracker(build: &mut Build<'_>, place: &str) -> Result<(), WireError> {
    let fields = build.fields;
    let mut words = Vec::new();
    for (name, default) in [("payload_home", "home"), ("payload_not_home", "not_home")] {
        words.push((fields.word_or(name, default)?, Value::Text(default.to_owned())));
    }
    build.value("", &["state_topic"], &["value_template"], Inside::Nothing, Means::WordsOrText(words))?;
    let number = || Means::Number { zero: 0.0, per: 1.0 };
    let (topics, templates) = (["json_attributes_topic"], ["json_attributes_template"]);
    for (name, pointer) in [("latitude", "/lat"), ("longitude", "/lon")] {
        build.value_at(format!("{place}{pointer}"), &topics, &templates, Inside::Member(name), number())?;
    }
    for (name, sub, unit) in
        [("gps_accuracy", "/gps_accuracy", "m"), ("battery_level", "/battery", "%"), ("speed", "/speed", "")]
    {
        if build.value(sub, &topics, &templates, Inside::Member(name), number())? {
            build.unit(sub, unit);
        }
    }
    Ok(())
}

/// The payloads of a switch.
fn on_off(on: String, off: String) -> Sends {
    Sends::Words(vec![(Json::Bool(true), on), (Json::Bool(false), off)])
}
