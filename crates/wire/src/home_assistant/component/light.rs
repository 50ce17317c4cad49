//! Lights, in their three schemas: a topic for each property, objects, or templates. Colours are neither read nor offered.

use fleetlens_model::kind::Takes;
use fleetlens_model::telemetry::Value;
use serde_json::Value as Json;

use super::super::entity::{Inside, Known, Means, Sends};
use super::build::{Build, flags};
use super::on_off;
use crate::{WireError, json};

/// A light; its brightness is a share of its scale, since people think in per cent.
pub(super) fn light(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    let scale = fields.number("brightness_scale")?.unwrap_or(255.0);
    if scale < 1.0 {
        return Err(json::wrong("brightness_scale", &Json::from(scale), "at least 1"));
    }
    match fields.word_or("schema", "basic")?.as_str() {
        "basic" | "default" => basic(build, scale),
        "json" => in_objects(build, scale),
        "template" => by_templates(build),
        other => Err(json::wrong("schema", &Json::from(other), "basic, json or template")),
    }
}

fn share(scale: f64) -> (Means, Takes, Sends) {
    let per = 100.0 / scale;
    let takes = Takes::Range { min: 1.0, max: 100.0, step: 1.0, unit: "%".into() };
    (Means::Number { zero: 0.0, per }, takes, Sends::Number { zero: 0.0, per, whole: true })
}

/// Half a step of the device, and a little for what floating point loses.
fn half_a_step(scale: f64) -> f64 {
    50.0 / scale + 1e-6
}

fn basic(build: &mut Build<'_>, scale: f64) -> Result<(), WireError> {
    let fields = build.fields;
    let (on, off) = (fields.word_or("payload_on", "ON")?, fields.word_or("payload_off", "OFF")?);
    let words = flags(&fields, ("payload_on", "ON"), ("payload_off", "OFF"))?;
    build.value(
        "",
        &["state_topic"],
        &["state_value_template", "value_template"],
        Inside::Nothing,
        Means::Words(words),
    )?;
    let order = fields.word_or("on_command_type", "last")?;
    let by_brightness = order == "brightness";
    let can_dim = fields.get("brightness_command_topic").is_some() && fields.get("brightness_state_topic").is_some();
    if let Some(mut steer) =
        build.steer("", "command_topic", "command_template", Takes::Switch, on_off(on.clone(), off))?
        && (can_dim || !by_brightness)
    {
        steer.template = None;
        // Nobody says how bright "on" is: Home Assistant then takes the most.
        steer.on_by = Some(format!("{}/brightness", build.pointer())).filter(|_| by_brightness);
        build.steers(steer);
    }
    let (means, takes, sends) = share(scale);
    build.value("/brightness", &["brightness_state_topic"], &["brightness_value_template"], Inside::Nothing, means)?;
    build.unit("/brightness", "%");
    let (topic, template) = ("brightness_command_topic", "brightness_command_template");
    if let Some(mut steer) = build.steer("/brightness", topic, template, takes, sends)? {
        steer.control.tolerance = half_a_step(scale);
        let on = fields.topic("command_topic")?.map(|topic| (topic, on));
        match order.as_str() {
            "first" => steer.before = on,
            "last" => steer.after = on,
            _ => {}
        }
        steer.needs_on = Some(build.pointer().to_owned());
        build.steers(steer);
    }
    Ok(())
}

fn in_objects(build: &mut Build<'_>, scale: f64) -> Result<(), WireError> {
    let fields = build.fields;
    let words = || vec![("ON".to_owned(), Value::Flag(true)), ("OFF".to_owned(), Value::Flag(false))];
    build.value("", &["state_topic"], &[], Inside::Member("state"), Means::Words(words()))?;
    let states = Sends::InObject(Vec::new(), "state", Box::new(on_off("ON".to_owned(), "OFF".to_owned())));
    if let Some(steer) = build.steer("", "command_topic", "", Takes::Switch, states)? {
        build.steers(steer);
    }
    let modes = fields.words("supported_color_modes")?.unwrap_or_default();
    if !fields.flag("brightness")? && modes.iter().all(|mode| mode == "onoff") {
        return Ok(());
    }
    let (means, takes, sends) = share(scale);
    build.value("/brightness", &["state_topic"], &[], Inside::Member("brightness"), means)?;
    build.unit("/brightness", "%");
    let sends = Sends::InObject(vec![("state", "ON".to_owned())], "brightness", Box::new(sends));
    if let Some(mut steer) = build.steer("/brightness", "command_topic", "", takes, sends)? {
        steer.control.tolerance = half_a_step(scale);
        steer.needs_on = Some(build.pointer().to_owned());
        build.steers(steer);
    }
    Ok(())
}

fn by_templates(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    let words = vec![("on".to_owned(), Value::Flag(true)), ("off".to_owned(), Value::Flag(false))];
    if fields.get("state_template").is_some() {
        build.value("", &["state_topic"], &["state_template"], Inside::Nothing, Means::Words(words))?;
        let sends = on_off("on".to_owned(), "off".to_owned());
        if let Some(mut steer) = build.steer("", "command_topic", "command_on_template", Takes::Switch, sends)? {
            steer.off_template = fields.template("command_off_template")?;
            steer.known_as = Some(("state", Known::Sent));
            build.steers(steer);
        }
    }
    if fields.get("brightness_template").is_some() {
        let (means, takes, sends) = share(255.0);
        build.value("/brightness", &["state_topic"], &["brightness_template"], Inside::Nothing, means)?;
        build.unit("/brightness", "%");
        if let Some(mut steer) = build.steer("/brightness", "command_topic", "command_on_template", takes, sends)? {
            steer.control.tolerance = half_a_step(255.0);
            steer.known_as = Some(("brightness", Known::Sent));
            steer.needs_on = Some(build.pointer().to_owned());
            build.steers(steer);
        }
    }
    Ok(())
}
