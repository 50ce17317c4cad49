//! A thing with everything known of it: its series, its shadows.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::alarm::Priority;
use fleetlens_model::freshness::Silence;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, CommandId, SeriesKey, ThingKey, ThingName};
use fleetlens_model::shadow::Document;
use fleetlens_model::telemetry::Sample;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{MonoMs, WallMs};

use super::watch::OpenLeaf;

/// By what a thing is spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A template of the profile, or a shadow.
    Template,
    /// A convention, by its word.
    Convention(&'static str),
}

/// A thing with everything known of it.
#[derive(Clone, Debug)]
pub struct Thing {
    /// Its key.
    pub key: ThingKey,
    /// Its name.
    pub name: ThingName,
    /// Its description.
    pub meta: Meta,
    /// Where it said that it is: `/lat` and `/lon` of one message.
    pub said_at: Option<LonLat>,
    /// Its series by JSON pointer.
    pub series: BTreeMap<String, SeriesKey>,
    /// By what it was first spoken of in this run.
    pub spoken_of: Option<Witness>,
    /// Its silence timer.
    pub silence: Silence,
    /// When it last spoke, by the clock that ages are measured with; `None` when that was in an earlier run.
    pub heard: Option<MonoMs>,
    /// Its shadows by name; the classic one is the empty name.
    pub shadows: BTreeMap<String, Shadow>,
    /// Its commands, oldest first.
    pub commands: BTreeSet<CommandId>,
    /// Its open alarms.
    pub alarms: BTreeSet<AlarmId>,
    /// The worst of those that are active.
    pub alarmed: Option<Priority>,
    /// Title, name, street and area in lower case, for finding it.
    pub words: String,
}

impl Thing {
    /// What people call it: its title, else its name.
    pub fn title(&self) -> &str {
        if self.meta.title.is_empty() { self.name.as_str() } else { &self.meta.title }
    }

    /// Where it is. One that moves is where it last said; one that does not is where its description says, and where nobody
    /// described a place, where it said itself.
    pub fn place(&self) -> Option<LonLat> {
        if self.meta.kind.moves() { self.said_at.or(self.meta.at) } else { self.meta.at.or(self.said_at) }
    }
}

/// A series with its latest value.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its thing.
    pub thing: ThingKey,
    /// JSON pointer of its value.
    pub pointer: String,
    /// Its latest value.
    pub latest: Option<Sample>,
    /// When that was received, in this run.
    pub received: Option<MonoMs>,
}

/// A shadow as far as we know it.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// The document; `None` when there is none or none is known.
    pub document: Option<Document>,
    /// When we last heard of it.
    pub heard_ms: WallMs,
    /// A `get` was answered since the link is up.
    pub current: bool,
    /// `get`s answered in this run.
    pub gets: u64,
    /// An unanswered `get`.
    pub asked: Option<MonoMs>,
    /// The version we knew when we asked. Versions never go back: an answer to our own question below it comes from a service that
    /// began anew.
    pub asked_at: u64,
    /// Heard of since the link is up.
    pub heard_now: bool,
    /// The version it had when it was deleted: what is not above it is from before.
    pub deleted_at: u64,
    /// What it wants and does not report.
    pub open: Option<OpenLeaf>,
}
