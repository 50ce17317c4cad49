//! What is known of one device, and how it is told.

use std::collections::BTreeMap;

use fleetlens_model::freshness::Presence;
use serde_json::Value as Json;

use super::WORD;
use super::description::Description;
use super::property::Property;
use super::topic::Place;
use crate::about::{About, Steering};
use crate::meta::words;
use crate::telemetry::Telemetry;
use crate::{WireError, json};

/// How often a thing speaks that speaks when something changes: silence alone says nothing. 7 days.
const INTERVAL_S: u32 = 604_800;

/// Alerts one device may have at a time.
pub(super) const ALERTS_MAX: usize = 64;

/// The longest alert that is read, in bytes; the screen shows its beginning.
pub(super) const ALERT_MAX_BYTES: usize = 4 * 1024;

/// The longest state that is looked at, in bytes.
pub(super) const STATE_MAX_BYTES: usize = 64;

/// About what a device takes in memory beside its texts.
pub(super) const DEVICE_BYTES: usize = 512;

/// What is known of a device.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// Its own; without one it does not exist.
    pub(super) state: Option<State>,
    pub(super) description: Option<Description>,
    /// What came before both were known.
    pub(super) aside: BTreeMap<Place, Aside>,
    /// By their ids, as they are shown.
    pub(super) alerts: BTreeMap<String, String>,
    /// What was last said of its being there.
    pub(super) told: Option<Presence>,
}

/// A property's payload, to be read later.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) text: String,
    pub(super) is_retained: bool,
}

/// A device's own state ("Device Lifecycle").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Init,
    Ready,
    Disconnected,
    Sleeping,
    Lost,
}

impl State {
    pub(super) fn parse(text: &str) -> Result<State, WireError> {
        match text {
            "init" => Ok(State::Init),
            "ready" => Ok(State::Ready),
            "disconnected" => Ok(State::Disconnected),
            "sleeping" => Ok(State::Sleeping),
            "lost" => Ok(State::Lost),
            _ => Err(json::wrong(
                "$state",
                &Json::from(text),
                "init, ready, disconnected, sleeping or lost; alerts have topics of their own in Homie 5",
            )),
        }
    }
}

impl Device {
    pub(super) fn is_lost(&self) -> bool {
        self.state == Some(State::Lost)
    }

    /// Whether it is there, where that can be said. While it begins it is not here yet, and not gone if it was here.
    pub(super) fn presence(&self, is_root_lost: bool) -> Option<Presence> {
        match self.state? {
            _ if is_root_lost => Some(Presence::Gone),
            State::Init => None,
            State::Ready => Some(Presence::Here),
            State::Sleeping => Some(Presence::Asleep),
            State::Disconnected | State::Lost => Some(Presence::Gone),
        }
    }

    /// Whether there is nothing to remember of it.
    pub(super) fn is_empty(&self) -> bool {
        self.state.is_none() && self.description.is_none() && self.aside.is_empty() && self.alerts.is_empty()
    }

    /// Says what the device is, if it exists. Whoever took its description back has no controls any more.
    pub(super) fn tell_about(&self, said: &mut Telemetry) -> bool {
        let about = self.description.as_ref().map_or_else(no_controls, Description::about);
        said.about = About { interval_s: Some(INTERVAL_S), ..about };
        self.state.is_some()
    }

    /// Says what was kept aside, as far as it fits the description, and gives the bytes that are free now. The rest is left out:
    /// the message that is read now is none of theirs and cannot be refused for them.
    pub(super) fn tell_aside(&mut self, said: &mut Telemetry) -> usize {
        let Some(description) = &self.description else { return 0 };
        let mut bytes = 0;
        for (place, aside) in std::mem::take(&mut self.aside) {
            bytes += entry_bytes(&place.property, &aside.text);
            if let Some(property) = description.property(&place)
                && (property.is_retained || !aside.is_retained)
                && let Ok(value) = property.datatype.read(&aside.text, &place.property)
            {
                name_target(&place, property, &mut said.about);
                said.values.push((place.pointer(), value));
            }
        }
        said.values.sort_by(|(a, _), (b, _)| a.cmp(b));
        bytes
    }

    /// Its alerts, to be told.
    pub(super) fn all_alerts(&self) -> Vec<(String, Option<String>)> {
        self.alerts.iter().map(|(id, shown)| (id.clone(), Some(shown.clone()))).collect()
    }

    /// Says that it does not exist any more.
    pub(super) fn farewell(&mut self, id: &str) -> Telemetry {
        self.told = Some(Presence::Gone);
        Telemetry {
            about: About { interval_s: Some(INTERVAL_S), ..no_controls() },
            presence: self.told,
            alerts: self.alerts.keys().map(|alert| (alert.clone(), None)).collect(),
            ..said_of(id)
        }
    }
}

/// Something said of a device.
pub(super) fn said_of(id: &str) -> Telemetry {
    let about = About { interval_s: Some(INTERVAL_S), ..About::default() };
    Telemetry { thing: Some(id.to_owned()), about, ..Telemetry::default() }
}

/// About what an entry with these texts takes in memory.
pub(super) fn entry_bytes(name: &str, text: &str) -> usize {
    128 + name.len() + text.len()
}

/// Says the name and unit of what a property is to become: not before it is, since most devices have no targets.
pub(super) fn name_target(place: &Place, property: &Property, about: &mut About) {
    if place.is_target {
        about.labels.push((place.pointer(), words(&format!("{} target", property.label))));
        if !property.shown_unit().is_empty() {
            about.units.push((place.pointer(), property.shown_unit().to_owned()));
        }
    }
}

/// Takes the controls away.
fn no_controls() -> About {
    About { steering: Some(Steering { convention: WORD, controls: Vec::new() }), ..About::default() }
}
