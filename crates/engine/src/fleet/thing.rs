//! A thing with everything known of it: its series, its shadows.

use std::sync::Arc;

use fleetlens_model::alarm::Priority;
use fleetlens_model::described::Described;
use fleetlens_model::freshness::{Freshness, Silence};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, CommandId, ThingKey, ThingName};
use fleetlens_model::query::Standing;
use fleetlens_model::shadow::Packed;
use fleetlens_model::time::{MonoMs, Now, WallMs};

use super::few::Few;
use super::rules::Ruled;
use super::seldom::Seldom;
use super::series::SeriesOf;
use super::watch::{Asked, OpenLeaf};

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
    pub meta: Described,
    /// Where it said that it is: `/lat` and `/lon` of one message. Most say nothing of it.
    pub said_at: Option<Box<LonLat>>,
    /// Its series by JSON pointer.
    pub series: SeriesOf,
    /// By what it was first spoken of in this run.
    pub spoken_of: Option<Witness>,
    /// Its silence timer.
    pub silence: Silence,
    /// When it last spoke, by the clock that ages are measured with; `None` when that was in an earlier run.
    pub heard: Option<MonoMs>,
    /// Its shadows by name; the classic one is the empty name.
    pub shadows: Few<Shadow>,
    /// Its commands, oldest first.
    pub commands: Seldom<CommandId>,
    /// Its open alarms.
    pub alarms: Seldom<AlarmId>,
    /// The worst of those that are active.
    pub alarmed: Option<Priority>,
    /// Which rules speak of it, worked out for its description.
    pub(super) ruled: Ruled,
    /// What rules name of it; made for so many descriptions and series of it.
    pub(super) judged: (u32, u32, Arc<[Asked]>),
    /// How often it was described otherwise.
    pub(super) described: u32,
    /// The round in which it was last noted as dirty.
    pub(super) soiled: u64,
}

impl Thing {
    /// What people call it: its title, else its name.
    pub fn title(&self) -> &str {
        if self.meta.title.is_empty() { self.name.as_str() } else { &self.meta.title }
    }

    /// How it stands: the worst that people are told of it, else whether anything is known of it. Silent without an alarm is what
    /// stands behind a silent gateway: nothing is known of it, and it is not its fault.
    pub fn standing(&self) -> Standing {
        match (self.alarmed, self.silence.freshness()) {
            (Some(Priority::Critical), _) => Standing::Critical,
            (Some(Priority::Warning), _) => Standing::Warning,
            (Some(Priority::Advisory) | None, Freshness::Live) => Standing::Normal,
            (
                Some(Priority::Advisory) | None,
                Freshness::Silent { .. } | Freshness::Never | Freshness::Unknown { .. },
            ) => Standing::Unknown,
        }
    }

    /// How long ago it spoke; by the clock that cannot be set where it spoke in this run.
    pub fn heard_age_ms(&self, now: Now) -> Option<u64> {
        match (self.heard, self.silence.last_heard()) {
            (Some(at), _) => Some(now.mono.since(at)),
            (None, Some(at)) => Some(now.wall.since(at)),
            (None, None) => None,
        }
    }

    /// Where it is. One that moves is where it last said; one that does not is where its description says, and where nobody
    /// described a place, where it said itself.
    pub fn place(&self) -> Option<LonLat> {
        let said_at = || self.said_at.as_deref().copied();
        if self.meta.common.kind.moves() { said_at().or(self.meta.at) } else { self.meta.at.or_else(said_at) }
    }
}

/// A shadow as far as we know it.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// The document; `None` when there is none or none is known.
    pub document: Option<Packed>,
    /// When we last heard of it.
    pub heard_ms: WallMs,
    /// A `get` was answered since the link is up.
    pub current: bool,
    /// `get`s answered in this run, each when it was the newest: an earlier one may be from before what was sent since, and so may be
    /// the answer to a question of somebody else.
    pub gets: u32,
    /// An unanswered `get`.
    pub asked: Option<MonoMs>,
    /// The number of our newest `get`.
    pub asked_nr: u64,
    /// The version we knew when we asked. Versions never go back: an answer to our own question below it comes from a service that
    /// began anew.
    pub asked_at: u64,
    /// Heard of since the link is up.
    pub heard_now: bool,
    /// The version it had when it was deleted: what is not above it is from before.
    pub deleted_at: u64,
    /// What it wants and does not report, as far as that was worked out; oldest first.
    pub open: Box<[OpenLeaf]>,
    /// Whether that was worked out; of what the cache knew it is when there is time.
    pub is_judged: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_takes_no_more_than_it_must() {
        // A hundred thousand of them: ten bytes more are a megabyte.
        assert!(size_of::<Option<Thing>>() <= 288, "{}", size_of::<Option<Thing>>());
    }
}
