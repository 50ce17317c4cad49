//! The demo city: an MQTT broker, the device-shadow service, and the things of Malta: car parks, street lamps, bins,
//! chargers, vehicles and gateways.
//!
//! [`start`] brings it up, [`City::stop`] ends it; `fleetlens sim` is the same from a shell. Each part is usable alone: the
//! [`broker`] in tests, the [`service`] on any broker. What it simulates is a function: [`shadows`] (a request in, answers
//! out), [`jobs`] (the same for jobs), [`device`] (seed, device and simulated time in, values out) and [`crew`] (what devices hear in, what they say out) do no
//! I/O and read no clock.
//!
//! What does not belong here: anything the product needs with real devices. Nothing but the host's demo, the command line and
//! tests uses this crate.

pub mod broker;
mod city;
mod complaints;
pub mod crew;
pub mod device;
pub mod dice;
pub mod faults;
pub mod jobs;
mod muster;
mod outgoing;
pub mod places;
pub mod roads;
pub mod service;
pub mod shadows;
pub mod sky;

use std::net::SocketAddr;

pub use fleetlens_link::{Credentials, Secret};

pub use broker::Broker;
pub use city::{City, CityOptions, Counts, JobPace, Only, devices, start};
pub use faults::Faults;
pub use outgoing::Message;
pub use service::{JobService, ShadowService};

/// A broker of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerAt {
    /// As [`fleetlens_link::LinkConfig::url`].
    pub url: String,
    /// User name and password.
    pub credentials: Option<Credentials>,
}

/// Why the demo city cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A file this was built with is broken; only a wrong build can do that.
    #[error("the built-in file {file} cannot be read: {why}")]
    Asset {
        /// Of `assets/malta`.
        file: &'static str,
        /// In the parser's words.
        why: String,
    },
    /// The embedded broker does not come up.
    #[error("the embedded broker cannot listen at {address}: {why}; give another address, or port 0 for a free one")]
    Broker {
        /// Where it should listen.
        address: SocketAddr,
        /// In the broker's words.
        why: String,
    },
    /// The work was cut short, because the runtime ends.
    #[error("the start of the city was interrupted")]
    Interrupted,
    /// A number that makes no city.
    #[error("{given} {what} is no city; give a number above 0")]
    Number {
        /// What the number counts.
        what: &'static str,
        /// What was given.
        given: f64,
    },
    /// The broker's address, or what follows from it, can never work.
    #[error(transparent)]
    Link(#[from] fleetlens_link::LinkError),
}
