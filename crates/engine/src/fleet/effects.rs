//! What comes into the fleet, and what must happen because of it.

use std::collections::BTreeSet;

use fleetlens_ipc::rows::Settings;
use fleetlens_ipc::{Done, Fault, Intent, RequestId};
use fleetlens_model::alarm::{Alarm, Priority};
use fleetlens_model::audit::Event;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::{AlarmId, BulkId, CommandId, SeriesKey, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::record::{HistoryQuery, StoreStats, Write};
use fleetlens_model::time::WallMs;

use crate::port::{Alert, Delivery, Happened, LinkEvent, Publish, WindowId};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The engine runs: what the profile knows without the broker is taken. Once, before everything else.
    Started,
    /// The link said something.
    Link(LinkEvent),
    /// A person at a window wants something done.
    Asked {
        /// Which window gets the answer.
        window: WindowId,
        /// Which request it answers.
        request: RequestId,
        /// What is wanted.
        intent: Intent,
    },
    /// A person opened a thing: its shadow is asked for before those of others.
    Opened(ThingKey),
    /// Rows of this many messages are on the disk.
    Committed {
        /// Messages, refused ones not counted.
        messages: u64,
    },
    /// What the history knows of a series that was to be recalled; nothing where it could not be read.
    Recalled {
        /// The series.
        series: SeriesKey,
        /// Its hours.
        buckets: Vec<Bucket>,
    },
    /// Size and age of the cache were read.
    Measured(StoreStats),
    /// The program was set otherwise.
    Configured(Box<Settings>),
    /// A person set something that the host keeps, such as a profile, or may not.
    Set {
        /// Who.
        by: Actor,
        /// What came of it.
        event: Event,
        /// What, for the audit log.
        detail: String,
    },
    /// The row of a command that was just asked for is on the disk.
    Kept(CommandId),
    /// A message of a command was handed to the link.
    Published(CommandId),
    /// A message of a command could not be handed to the link: it did not leave.
    NotSent(CommandId),
    /// The cache cannot be written, and why; or it can again.
    CacheFault(Option<String>),
    /// Time passed.
    Ticked,
}

/// What must happen because of inputs: first all writes in one transaction, then the rest in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// For the store.
    pub writes: Vec<Write>,
    /// Everything else.
    pub outward: Vec<Outward>,
    /// Bytes of the messages among the inputs: what is to be written is about as much.
    pub bytes: usize,
    /// How many of the messages among the inputs were taken (not refused, not known already).
    pub messages: u64,
}

/// What leaves the engine after its rows are on the disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Outward {
    /// To the broker.
    Publish(Publish),
    /// To the broker: further filters.
    Subscribe(Vec<String>),
    /// To the broker: a message is safe with us.
    Acknowledge(Delivery),
    /// To a window.
    Answer {
        /// Which window.
        window: WindowId,
        /// Which request.
        request: RequestId,
        /// What came of it.
        outcome: Result<Done, Fault>,
    },
    /// To ourselves: the row of a command is on the disk for which nobody waits for an answer.
    Kept(CommandId),
    /// To a person, outside the windows.
    Alert(Alert),
    /// To people who are not before any window.
    Happened(Happened),
    /// To the store, on behalf of a window's chart.
    Read {
        /// Whose chart.
        ticket: ReadTicket,
        /// What to read.
        query: HistoryQuery,
        /// Of which thing the alarms of that time are read.
        thing: ThingKey,
    },
    /// To the store, on our own behalf: what a series said in the last weeks.
    Recall(HistoryQuery),
}

/// Whose read it was; the number tells an answer to an older question apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTicket {
    /// The window.
    pub window: WindowId,
    /// Its view.
    pub view: fleetlens_ipc::ViewId,
    /// Rises with every call of a window.
    pub look: u64,
}

/// An answered read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadDone {
    /// Whose.
    pub ticket: ReadTicket,
    /// The buckets, or why there are none.
    pub outcome: Result<Vec<Bucket>, String>,
    /// The alarms of that time.
    pub alarms: Vec<Alarm>,
}

/// Counts since the start, for the status bar and the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Things known.
    pub things: u64,
    /// Messages received.
    pub received: u64,
    /// Messages whose rows are on the disk.
    pub stored: u64,
    /// Messages refused.
    pub refused: u64,
    /// QoS 0 messages shed.
    pub shed: u64,
    /// Redelivered messages that were stored already.
    pub repeated: u64,
    /// Values received live in this run.
    pub live_values: u64,
    /// Alarms that need a person.
    pub needing: u32,
    /// How bad the worst of them is; `None` where there is none.
    pub worst: Option<Priority>,
    /// A window has drawn what is known on its map, live or out of the cache, be the ground there or not.
    pub shown: bool,
    /// A window has drawn that over all of the ground.
    pub drawn: bool,
    /// A window has drawn the map while live values were there.
    pub live_seen: bool,
}

/// What changed since the windows were last told.
#[derive(Clone, Debug, Default)]
pub struct Dirty {
    /// Things of which anything changed.
    pub things: BTreeSet<ThingKey>,
    /// Something changed for every thing: the link came or went.
    pub everything: bool,
    /// Numeric samples, for open charts.
    pub samples: Vec<(SeriesKey, WallMs, f64)>,
    /// Commands asked for, as marks on charts.
    pub asked: Vec<CommandId>,
    /// Commands of which anything changed, or that are no longer kept.
    pub commands: BTreeSet<CommandId>,
    /// Bulk commands of which anything changed, or that are no longer kept.
    pub bulks: BTreeSet<BulkId>,
    /// Alarms of which anything changed, or that are no longer kept.
    pub alarms: BTreeSet<AlarmId>,
    /// Jobs of which anything changed, or that are no longer kept.
    pub jobs: BTreeSet<String>,
    /// Leaves that are wanted and not reported for too long came, went or changed.
    pub not_converged: bool,
    /// How the program is set.
    pub settings: bool,
}
