//! Fleets that describe themselves, through Mosquitto: what a device announces is on the desk with nothing but the convention's name
//! in the profile, and a command goes out the way it wants and is settled only when the device says so.
#![cfg(test)]

use std::time::Duration;

#[path = "conventions/home_assistant.rs"]
mod home_assistant;
#[path = "conventions/homie.rs"]
mod homie;
#[path = "conventions/sparkplug.rs"]
mod sparkplug;
#[path = "conventions/square.rs"]
mod square;
#[path = "conventions/zigbee2mqtt.rs"]
mod zigbee2mqtt;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(60);
