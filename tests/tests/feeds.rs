//! Feeds of real cities that nobody here made, through Mosquitto into a cache, with nothing but the profiles we ship: what
//! each says last is what is known of its things, and what is odd is harmless or refused with the reason.
#![cfg(test)]

use std::time::Duration;

#[path = "feeds/hsl.rs"]
mod hsl;
#[path = "feeds/listener.rs"]
mod listener;
#[path = "feeds/malaga.rs"]
mod malaga;
#[path = "feeds/parking.rs"]
mod parking;
#[path = "feeds/presence.rs"]
mod presence;
#[path = "feeds/registry.rs"]
mod registry;
#[path = "feeds/samples.rs"]
mod samples;
#[path = "feeds/shapes.rs"]
mod shapes;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(30);
