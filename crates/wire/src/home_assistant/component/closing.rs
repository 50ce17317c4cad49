//! What opens and closes: covers, valves and locks. Their commands are asked first and not sent late.

use fleetlens_model::kind::Takes;
use fleetlens_model::telemetry::Value;
use serde_json::Value as Json;

use super::super::entity::{Inside, Known, Means, Sends};
use super::super::fields::Fields;
use super::build::Build;
use crate::{WireError, json};

/// The words of states: the name of the setting, what it is unless said otherwise, and ours.
type States = [(&'static str, &'static str, &'static str)];

const COVER: &States = &[
    ("state_open", "open", "open"),
    ("state_opening", "opening", "opening"),
    ("state_closed", "closed", "closed"),
    ("state_closing", "closing", "closing"),
    ("state_stopped", "stopped", "stopped"),
];

const LOCK: &States = &[
    ("state_locked", "LOCKED", "locked"),
    ("state_unlocked", "UNLOCKED", "unlocked"),
    ("state_locking", "LOCKING", "locking"),
    ("state_unlocking", "UNLOCKING", "unlocking"),
    ("state_jammed", "JAMMED", "jammed"),
    ("state_open", "OPEN", "open"),
    ("state_opening", "OPENING", "opening"),
];

/// The words of commands: the name of the setting, what it is unless said otherwise, the state that obeys, and the button.
type Commands = [(&'static str, Option<&'static str>, &'static str, &'static str)];

const CLOSING: &Commands = &[
    ("payload_open", Some("OPEN"), "open", "Open"),
    ("payload_close", Some("CLOSE"), "closed", "Close"),
    ("payload_stop", Some("STOP"), "stopped", "Stop"),
];

/// A cover that tells its position tells apart from that how it moves.
const STOPPING: &Commands = &[("payload_stop", Some("STOP"), "stopped", "Stop")];

/// A valve has no state of standing still half-way, so nothing would tell whether it stopped.
const VALVE: &Commands =
    &[("payload_open", Some("OPEN"), "open", "Open"), ("payload_close", Some("CLOSE"), "closed", "Close")];

const LOCKING: &Commands = &[
    ("payload_lock", Some("LOCK"), "locked", "Lock"),
    ("payload_unlock", Some("UNLOCK"), "unlocked", "Unlock"),
    ("payload_open", None, "open", "Open"),
];

fn states(fields: &Fields<'_>, states: &States) -> Result<Means, WireError> {
    let word = |(name, default, ours): &(&str, &str, &str)| {
        Ok((fields.word_or(name, default)?, Value::Text((*ours).to_owned())))
    };
    states.iter().map(word).collect::<Result<_, WireError>>().map(Means::Words)
}

/// What can be chosen, and what is sent for it; a setting that is null takes its choice away.
fn commands(fields: &Fields<'_>, all: &Commands) -> Result<(Takes, Sends), WireError> {
    let mut offered = Vec::new();
    let mut sent = Vec::new();
    for (name, default, state, button) in all {
        let payload = fields.word(name)?.or_else(|| default.map(str::to_owned));
        if let Some(payload) = payload.filter(|_| !fields.is_null(name)) {
            offered.push(((*state).into(), (*button).into()));
            sent.push((Json::from(*state), payload));
        }
    }
    Ok((Takes::Choice(offered.into()), Sends::Words(sent)))
}

/// The ends of a position, and what one step of it is in per cent.
fn ends(build: &mut Build<'_>) -> Result<(f64, f64), WireError> {
    let fields = build.fields;
    let closed = fields.number("position_closed")?.unwrap_or(0.0);
    let open = fields.number("position_open")?.unwrap_or(100.0);
    if open == closed {
        return Err(json::wrong("position_open", &Json::from(open), "another number than position_closed"));
    }
    build.knows("position_open", open);
    build.knows("position_closed", closed);
    Ok((closed, 100.0 / (open - closed)))
}

fn share() -> Takes {
    Takes::Range { min: 0.0, max: 100.0, step: 1.0, unit: "%".into() }
}

fn half_a_step(per: f64) -> f64 {
    per.abs() / 2.0 + 1e-6
}

/// A cover. Where it tells its position, that says whether it is open; its state then only says how it moves, and often nothing but that.
pub(super) fn cover(build: &mut Build<'_>) -> Result<(), WireError> {
    build.asks_first();
    let fields = build.fields;
    let (zero, per) = ends(build)?;
    let inside = Inside::Perhaps("position");
    let (topics, templates) = (["position_topic"], ["position_template"]);
    let tells_position = build.value("", &topics, &templates, inside, Means::OpenAbove { zero, per })?;
    let state = if tells_position { "/movement" } else { "" };
    let tells_state =
        build.value(state, &["state_topic"], &["value_template"], Inside::Nothing, states(&fields, COVER)?)?;
    let offered = if tells_state && !tells_position { CLOSING } else { VALVE };
    let (takes, sends) = commands(&fields, offered)?;
    if let Some(steer) = build.steer("", "command_topic", "command_template", takes, sends)? {
        build.steers(steer);
    }
    if !tells_position {
        return tilt(build);
    }
    let (takes, sends) = commands(&fields, STOPPING)?;
    if let Some(steer) = build.steer("/movement", "command_topic", "command_template", takes, sends)?
        && !fields.is_null("payload_stop")
    {
        build.steers(steer);
    }
    build.value("/position", &topics, &templates, inside, Means::Number { zero, per })?;
    build.unit("/position", "%");
    let sends = Sends::Number { zero, per, whole: true };
    if let Some(mut steer) = build.steer("/position", "set_position_topic", "set_position_template", share(), sends)? {
        steer.known_as = Some(("position", Known::Wanted));
        steer.control.tolerance = half_a_step(per);
        build.steers(steer);
    }
    tilt(build)
}

/// How its slats stand, which is read only.
fn tilt(build: &mut Build<'_>) -> Result<(), WireError> {
    let degrees = Means::Number { zero: 0.0, per: 1.0 };
    if build.value("/tilt", &["tilt_status_topic"], &["tilt_status_template"], Inside::Nothing, degrees)? {
        build.unit("/tilt", "%");
    }
    Ok(())
}

/// A valve tells its state or, if it says so, its position; both may stand in an object.
pub(super) fn valve(build: &mut Build<'_>) -> Result<(), WireError> {
    build.asks_first();
    let fields = build.fields;
    let template = "command_template";
    if !fields.flag("reports_position")? {
        let known = states(&fields, COVER.get(..4).unwrap_or(COVER))?;
        build.value("", &["state_topic"], &["value_template"], Inside::Perhaps("state"), known)?;
        let (takes, sends) = commands(&fields, VALVE)?;
        if let Some(steer) = build.steer("", "command_topic", template, takes, sends)? {
            build.steers(steer);
        }
        return Ok(());
    }
    let (zero, per) = ends(build)?;
    let position = Means::Number { zero, per };
    build.value("/position", &["state_topic"], &["value_template"], Inside::Perhaps("position"), position)?;
    build.unit("/position", "%");
    let sends = Sends::Number { zero, per, whole: true };
    if let Some(mut steer) = build.steer("/position", "command_topic", template, share(), sends)? {
        steer.known_as = Some(("position", Known::Wanted));
        steer.control.tolerance = half_a_step(per);
        build.steers(steer);
    }
    Ok(())
}

/// A lock that wants a code is shown and not commanded: we have none.
pub(super) fn lock(build: &mut Build<'_>) -> Result<(), WireError> {
    build.asks_first();
    let fields = build.fields;
    build.value("", &["state_topic"], &["value_template"], Inside::Nothing, states(&fields, LOCK)?)?;
    let (takes, sends) = commands(&fields, LOCKING)?;
    if let Some(steer) = build.steer("", "command_topic", "command_template", takes, sends)?
        && fields.get("code_format").is_none()
    {
        build.steers(steer);
    }
    Ok(())
}
