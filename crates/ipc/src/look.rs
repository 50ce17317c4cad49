//! What a view looks at ([`Look`]), and how a table asks for its things ([`ThingsQuery`]).

use serde::{Deserialize, Serialize};

use fleetlens_model::alarm::Priority;
use fleetlens_model::geo::{GeoBox, LonLat};
use fleetlens_model::id::{BulkId, SeriesKey, ThingKey};
use fleetlens_model::job::JobStatus;
use fleetlens_model::kind::Kind;
use fleetlens_model::search::Only;
use fleetlens_model::time::WallMs;

use crate::boards::Asked;

/// What a view looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Look {
    /// Link, counters, identity: [`crate::rows::Status`].
    Status,
    /// Every thing in a box: packed rows, see [`crate::map`].
    Map {
        /// What the map shows, with some margin.
        area: GeoBox,
    },
    /// Where the fleet is as a whole and where there are tiles, as a map needs it to begin: [`crate::rows::Ground`]. Told anew every
    /// 500 ms at most while it changes; each time every place is looked at, so a window looks away once its map has begun.
    Ground {
        /// Only these kinds; empty for all.
        kinds: Vec<Kind>,
    },
    /// One thing with values, shadow and commands: [`crate::rows::ThingPage`].
    Thing {
        /// Which one.
        thing: ThingKey,
    },
    /// A stretch of a series, of the recent past or of any other: [`crate::rows::Chart`].
    Chart {
        /// Which series.
        series: SeriesKey,
        /// To when, by our wall clock; `None` for now, and on with it.
        until_ms: Option<WallMs>,
        /// How far back from there, in milliseconds.
        span_ms: u64,
        /// At most this many buckets, 10–4096; about one a pixel.
        buckets: u32,
    },
    /// What a query finds ([`fleetlens_model::query`]); [`crate::rows::FoundRow`], best first. Nothing of a text that is none.
    Find {
        /// What was typed.
        text: String,
        /// At most this many rows, 1–200.
        limit: u32,
    },
    /// What needs a person, worst first: [`crate::rows::AttentionRow`].
    Attention {
        /// At most this many rows, 1–200.
        limit: u32,
    },
    /// A stretch of the table of things: [`crate::rows::ThingsPage`]. The order is made at the first look and holds still; the same query
    /// with another stretch keeps it, and `again` makes it anew.
    Things {
        /// Which things, in which order.
        query: ThingsQuery,
        /// The first row wanted, from 0.
        first: u32,
        /// How many, 1–500.
        count: u32,
        /// Whether the order is to be made anew.
        again: bool,
    },
    /// The alarms: [`crate::rows::AlarmList`].
    Alarms {
        /// Which.
        scope: AlarmScope,
        /// At most this many rows, 1–2000.
        limit: u32,
    },
    /// A stretch of the table of alarms, sorted, filtered and grouped by the host: [`crate::rows::AlarmTable`].
    AlarmTable {
        /// Which alarms, in which order.
        query: Box<AlarmsQuery>,
        /// Which of its groups are folded.
        folds: Folds,
        /// The first line wanted, from 0.
        first: u32,
        /// How many, 1–500.
        count: u32,
        /// Whether somebody is in the list: then no line moves, and what is new waits and is counted.
        hold: bool,
        /// Whether what waits is to be let in although somebody is in the list.
        again: bool,
    },
    /// The commands of all things, newest first: [`crate::rows::CommandRow`].
    Commands {
        /// Which.
        scope: Scope,
        /// At most this many rows, 1–2000.
        limit: u32,
    },
    /// The bulk commands, newest first: [`crate::rows::BulkRow`].
    Bulks {
        /// At most this many rows, 1–50.
        limit: u32,
    },
    /// A bulk command and a stretch of its things, in the order of their release: [`crate::rows::BulkPage`].
    Bulk {
        /// Which one.
        bulk: BulkId,
        /// Only those that failed: rejected, expired, or nothing could be asked of them.
        failed: bool,
        /// The first row wanted, from 0.
        first: u32,
        /// How many, 1–500.
        count: u32,
    },
    /// Leaves of shadows that have been wanted and not reported for too long, oldest first: [`crate::rows::NotConvergedRow`]. How many there
    /// are in all is [`crate::rows::Status::not_converged`].
    NotConverged {
        /// At most this many rows, 1–2000.
        limit: u32,
    },
    /// The jobs of a service, newest first: [`crate::rows::JobRow`].
    Jobs,
    /// One job with a stretch of its things: [`crate::rows::JobPage`].
    Job {
        /// Its id.
        id: String,
        /// Only things with this status; `None` for all.
        only: Option<JobStatus>,
        /// The first row wanted, from 0.
        first: u32,
        /// How many, 1–500.
        count: u32,
    },
    /// Which firmware is in the field, by kind: [`crate::rows::FirmwareRow`]. Each time every thing is looked at, every 2 s at most.
    Firmware,
    /// Car parks near a place, nearest first: [`crate::rows::ParkingRow`].
    Parking {
        /// From where.
        from: LonLat,
        /// At most this many rows, 1–200.
        limit: u32,
    },
    /// The last messages of a thing as they came, oldest first: [`crate::rows::MessageRow`].
    Messages {
        /// Which one.
        thing: ThingKey,
    },
    /// What the widgets of a board show: [`crate::boards::Shown`], each in its place. What goes over things is told anew every 500 ms at
    /// most; in a fleet of more than 20 000 one query each time, in turn.
    Board {
        /// What each asks; at most [`fleetlens_model::board::WIDGETS_MAX`].
        asked: Vec<Asked>,
    },
    /// Profiles, identity and cache: [`crate::rows::Settings`].
    Settings,
}

/// Which alarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AlarmScope {
    /// Those that want something of a person, the worst first.
    #[default]
    Open,
    /// Those that people are not told of: shelved, or out of service.
    Hidden,
    /// Those that are over, newest first.
    Ended,
}

/// Which alarms a table shows, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmsQuery {
    /// Of these.
    pub scope: AlarmScope,
    /// Every word must be in the title, the sentence, the place or what to do; empty for all.
    pub text: String,
    /// Only of this priority.
    pub priority: Option<Priority>,
    /// Only of things of this kind.
    pub kind: Option<Kind>,
    /// Only those that this rule raised; empty for all.
    pub rule: String,
    /// Only those that nobody has acknowledged.
    pub unseen: bool,
    /// In this order.
    pub sort: AlarmSort,
    /// Grouped by this; `None` leaves it to the host, which groups by cause while there is a flood.
    pub group: Option<AlarmGrouping>,
}

/// What alarms are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmSort {
    /// The worst first, then the newest; those that are over by when that was, newest first.
    #[default]
    Worst,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
    /// By what people call the thing, numbers in it by their worth.
    Thing,
}

/// What alarms are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AlarmGrouping {
    /// Nothing: one list.
    #[default]
    Nothing,
    /// The rule that raised them.
    Cause,
    /// The district their things are in.
    Area,
    /// What their things are.
    Kind,
}

/// Which groups of a table are folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folds {
    /// Whether all are; `None` leaves it to the host, which folds while there is a flood.
    pub folded: Option<bool>,
    /// Groups of which the other is so, by their keys ([`crate::rows::AlarmGroupRow::key`]); of more than [`FOLDS_MAX`] the last.
    pub except: Vec<String>,
}

/// Groups that [`Folds::except`] may name.
pub const FOLDS_MAX: usize = 256;

/// Which commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Those of which something may still change.
    #[default]
    Open,
    /// Those that are over, newest first.
    Ended,
}

/// Which things a table shows, in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThingsQuery {
    /// A query ([`fleetlens_model::query`]): its words without a field must each be in the thing's name, title, street or area. Empty
    /// for all.
    pub text: String,
    /// Only these kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// Only things of this group of the profile; empty for all.
    pub group: String,
    /// Only things of which this is true.
    pub only: Only,
    /// Sorted by this, then by title.
    pub sort: SortBy,
    /// Greatest first.
    pub descending: bool,
}

/// What a table is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum SortBy {
    /// What people call it, numbers in it by their worth: lamp 9 before lamp 10.
    #[default]
    Title,
    /// Kind, in the order of [`Kind::ALL`].
    Kind,
    /// Area, then street; things of which neither is known last either way.
    Place,
    /// The kind's main value; things without one last either way.
    Value,
    /// How long ago it spoke; things that never did last either way.
    Heard,
    /// How bad its status is.
    Status,
    /// How far it is from here; things without a place last either way.
    Distance(LonLat),
}
