//! Components that are several values beside each other, each with topics of its own: climate, water heaters, humidifiers, fans.

use fleetlens_model::kind::Takes;
use fleetlens_model::telemetry::Value;

use super::super::entity::{Inside, Means, Sends};
use super::build::{Build, flags};
use super::{on_off, range};
use crate::{WireError, settable};

/// One value of a component and how it is set.
struct Aspect {
    /// Where it stands, below the entity.
    sub: &'static str,
    /// The topic and the template that tell it.
    state: (&'static str, &'static str),
    /// The topic and the template that set it; empty where nothing does.
    command: (&'static str, &'static str),
    is: Is,
}

/// What an aspect is.
enum Is {
    /// One of the words of this list, or of these.
    Choice(&'static str, &'static [&'static str]),
    /// A temperature in the unit of the component.
    Temperature,
    /// A humidity in per cent, between these two settings.
    Humidity(&'static str, &'static str),
    Text,
}

const NONE: (&str, &str) = ("", "");

const TEMPERATURE: Aspect = Aspect {
    sub: "/temperature",
    state: ("temperature_state_topic", "temperature_state_template"),
    command: ("temperature_command_topic", "temperature_command_template"),
    is: Is::Temperature,
};

const CURRENT_TEMPERATURE: Aspect = Aspect {
    sub: "/current_temperature",
    state: ("current_temperature_topic", "current_temperature_template"),
    command: NONE,
    is: Is::Temperature,
};

const CURRENT_HUMIDITY: Aspect = Aspect {
    sub: "/current_humidity",
    state: ("current_humidity_topic", "current_humidity_template"),
    command: NONE,
    is: Is::Humidity("", ""),
};

const TARGET_HUMIDITY: Aspect = Aspect {
    sub: "/target_humidity",
    state: ("target_humidity_state_topic", "target_humidity_state_template"),
    command: ("target_humidity_command_topic", "target_humidity_command_template"),
    is: Is::Humidity("min_humidity", "max_humidity"),
};

const ACTION: Aspect =
    Aspect { sub: "/action", state: ("action_topic", "action_template"), command: NONE, is: Is::Text };

const PRESET: Aspect = Aspect {
    sub: "/preset_mode",
    state: ("preset_mode_state_topic", "preset_mode_value_template"),
    command: ("preset_mode_command_topic", "preset_mode_command_template"),
    is: Is::Choice("preset_modes", &[]),
};

const fn mode(default: &'static [&'static str]) -> Aspect {
    Aspect {
        sub: "/mode",
        state: ("mode_state_topic", "mode_state_template"),
        command: ("mode_command_topic", "mode_command_template"),
        is: Is::Choice("modes", default),
    }
}

const CLIMATE: &[Aspect] = &[
    mode(&["auto", "off", "cool", "heat", "dry", "fan_only"]),
    TEMPERATURE,
    Aspect {
        sub: "/temperature_low",
        state: ("temperature_low_state_topic", "temperature_low_state_template"),
        command: ("temperature_low_command_topic", "temperature_low_command_template"),
        is: Is::Temperature,
    },
    Aspect {
        sub: "/temperature_high",
        state: ("temperature_high_state_topic", "temperature_high_state_template"),
        command: ("temperature_high_command_topic", "temperature_high_command_template"),
        is: Is::Temperature,
    },
    CURRENT_TEMPERATURE,
    TARGET_HUMIDITY,
    CURRENT_HUMIDITY,
    ACTION,
    Aspect {
        sub: "/fan_mode",
        state: ("fan_mode_state_topic", "fan_mode_state_template"),
        command: ("fan_mode_command_topic", "fan_mode_command_template"),
        is: Is::Choice("fan_modes", &["auto", "low", "medium", "high"]),
    },
    Aspect {
        sub: "/swing_mode",
        state: ("swing_mode_state_topic", "swing_mode_state_template"),
        command: ("swing_mode_command_topic", "swing_mode_command_template"),
        is: Is::Choice("swing_modes", &["on", "off"]),
    },
    PRESET,
];

const WATER_HEATER: &[Aspect] = &[
    mode(&["off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance"]),
    TEMPERATURE,
    CURRENT_TEMPERATURE,
];

const HUMIDIFIER: &[Aspect] = &[TARGET_HUMIDITY, CURRENT_HUMIDITY, ACTION, mode(&[])];

const FAN: &[Aspect] = &[
    PRESET,
    Aspect {
        sub: "/direction",
        state: ("direction_state_topic", "direction_value_template"),
        command: ("direction_command_topic", "direction_command_template"),
        is: Is::Choice("", &["forward", "reverse"]),
    },
];

/// A thermostat; temperatures from 7 to 35 °C in steps of 1 unless it says otherwise.
pub(super) fn climate(build: &mut Build<'_>) -> Result<(), WireError> {
    CLIMATE.iter().try_for_each(|aspect| add(build, aspect, (7.0, 35.0)))
}

/// A water heater; 43 to 60 °C unless it says otherwise.
pub(super) fn water_heater(build: &mut Build<'_>) -> Result<(), WireError> {
    WATER_HEATER.iter().try_for_each(|aspect| add(build, aspect, (43.3, 60.0)))
}

/// A humidifier, which is switched like a fan.
pub(super) fn humidifier(build: &mut Build<'_>) -> Result<(), WireError> {
    switched(build)?;
    HUMIDIFIER.iter().try_for_each(|aspect| add(build, aspect, (7.0, 35.0)))
}

/// A fan; its speed is a share of its range.
pub(super) fn fan(build: &mut Build<'_>) -> Result<(), WireError> {
    switched(build)?;
    speed(build)?;
    let fields = build.fields;
    let (on, off) = ("oscillate_on", "oscillate_off");
    let words = flags(&fields, ("payload_oscillation_on", on), ("payload_oscillation_off", off))?;
    let templates = ["oscillation_value_template"];
    build.value("/oscillation", &["oscillation_state_topic"], &templates, Inside::Nothing, Means::Words(words))?;
    let sends = on_off(fields.word_or("payload_oscillation_on", on)?, fields.word_or("payload_oscillation_off", off)?);
    let (topic, template) = ("oscillation_command_topic", "oscillation_command_template");
    if let Some(steer) = build.steer("/oscillation", topic, template, Takes::Switch, sends)? {
        build.steers(steer);
    }
    FAN.iter().try_for_each(|aspect| add(build, aspect, (7.0, 35.0)))
}

fn switched(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    let words = flags(&fields, ("payload_on", "ON"), ("payload_off", "OFF"))?;
    let templates = ["state_value_template", "value_template"];
    build.value("", &["state_topic"], &templates, Inside::Nothing, Means::Words(words))?;
    let sends = on_off(fields.word_or("payload_on", "ON")?, fields.word_or("payload_off", "OFF")?);
    if let Some(steer) = build.steer("", "command_topic", "command_template", Takes::Switch, sends)? {
        build.steers(steer);
    }
    Ok(())
}

/// Of speeds 1 to 3 the first is a third of full speed, and 0 stands still.
fn speed(build: &mut Build<'_>) -> Result<(), WireError> {
    let fields = build.fields;
    let min = fields.number("speed_range_min")?.unwrap_or(1.0).round();
    let max = fields.number("speed_range_max")?.unwrap_or(100.0).round();
    range(("speed_range_min", min - 1.0), max, ("", 1.0), "%")?;
    let (zero, per) = (min - 1.0, 100.0 / (max - min + 1.0));
    let (topics, templates) = (["percentage_state_topic"], ["percentage_value_template"]);
    build.value("/percentage", &topics, &templates, Inside::Nothing, Means::Number { zero, per })?;
    build.unit("/percentage", "%");
    let takes = Takes::Range { min: per, max: 100.0, step: per, unit: "%".into() };
    let sends = Sends::Number { zero, per, whole: true };
    let (topic, template) = ("percentage_command_topic", "percentage_command_template");
    // A fan of a single speed is switched, not set.
    if let Some(mut steer) = build.steer("/percentage", topic, template, takes, sends)?.filter(|_| per < 100.0) {
        steer.control.tolerance = per / 2.0 + 1e-6;
        build.steers(steer);
    }
    Ok(())
}

fn add(build: &mut Build<'_>, aspect: &Aspect, temperatures: (f64, f64)) -> Result<(), WireError> {
    let fields = build.fields;
    let number = Means::Number { zero: 0.0, per: 1.0 };
    let plain = Sends::Number { zero: 0.0, per: 1.0, whole: false };
    let (means, unit, takes, sends) = match aspect.is {
        Is::Text => (Means::Text, "", None, Sends::Itself),
        Is::Choice(list, default) => {
            let options = fields.words(list)?.unwrap_or_else(|| default.iter().map(|&word| word.to_owned()).collect());
            let words = options.iter().map(|word| (word.clone(), Value::Text(word.clone()))).collect();
            (Means::WordsOrText(words), "", settable::choice(options.iter().map(String::as_str)), Sends::Itself)
        }
        Is::Humidity(min, max) => {
            let (from, to) = (fields.number(min)?.unwrap_or(0.0), fields.number(max)?.unwrap_or(100.0));
            (number, "%", Some(range((min, from), to, ("", 1.0), "%")?), plain)
        }
        Is::Temperature => {
            let fahrenheit = fields.word("temperature_unit")?.is_some_and(|unit| unit == "F");
            let unit = if fahrenheit { "°F" } else { "°C" };
            let scale = |celsius: f64| if fahrenheit { celsius * 1.8 + 32.0 } else { celsius };
            let min = fields.number("min_temp")?.unwrap_or_else(|| scale(temperatures.0));
            let max = fields.number("max_temp")?.unwrap_or_else(|| scale(temperatures.1));
            let step = fields.number("temp_step")?.unwrap_or(1.0);
            (number, unit, Some(range(("min_temp", min), max, ("temp_step", step), unit)?), plain)
        }
    };
    let (topic, template) = aspect.state;
    if !build.value(aspect.sub, &[topic], &[template, "value_template"], Inside::Nothing, means)? {
        return Ok(());
    }
    build.unit(aspect.sub, unit);
    let (topic, template) = aspect.command;
    if let Some(takes) = takes
        && let Some(steer) = build.steer(aspect.sub, topic, template, takes, sends)?
    {
        build.steers(steer);
    }
    Ok(())
}
