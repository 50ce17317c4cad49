//! What views are made of. Every age is as of the frame; the window adds its own monotonic time.
//!
//! Here is what a view can hold and how it changes; the rows themselves are in a module for each kind of view.

mod alarms;
mod bulk;
mod chart;
mod commands;
mod ground;
mod jobs;
mod not_converged;
mod parking;
mod places;
mod settings;
mod status;
mod thing;
mod things;

use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::{AlarmId, BulkId, CommandId};
use serde::{Deserialize, Serialize};

use crate::boards::Shown;

pub use alarms::{
    AlarmCounts, AlarmGroupRow, AlarmHealth, AlarmLine, AlarmList, AlarmRow, AlarmTable, AlarmTableHead, FloodRow,
    HealthFigure, Hidden, ListedAlarm, ShownAlarm,
};
pub use bulk::{BulkPage, BulkRow, BulkThingRow, DryRun, DryRunRow};
pub use chart::{CHART_ALARMS_MAX, Chart, ChartAlarm, ChartMark};
pub use commands::{CommandRow, LeafTakes, StepRow};
pub use ground::{ATTRIBUTION_MAX_CHARS, Ground, TileSet};
pub use jobs::{FirmwareRow, JobPage, JobRow, ThingJobRow};
pub use not_converged::{LeafId, NotConvergedRow, Why};
pub use parking::{FreeCount, ParkingRow, Spaces};
pub use places::{MapName, PlaceRow};
pub use settings::{ProfileRow, Settings};
pub use status::{LinkState, RefusalRow, ShedRow, Status};
pub use thing::{LeafRow, MessageProperties, MessageRow, ShadowTable, ThingHead, ThingPage, ValueRow};
pub use things::{Attention, AttentionRow, FoundRow, QueryMistake, ThingRow, ThingsPage};

/// A view's whole content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rows {
    /// Of [`crate::Look::Status`].
    Status(Box<Status>),
    /// Of [`crate::Look::Map`]: packed [`crate::map`] rows.
    Map(Vec<u8>),
    /// Of [`crate::Look::Ground`].
    Ground(Box<Ground>),
    /// Of [`crate::Look::Thing`].
    Thing(Box<ThingPage>),
    /// Of [`crate::Look::Chart`].
    Chart(Chart),
    /// Of [`crate::Look::Find`].
    Found(Vec<FoundRow>),
    /// Of [`crate::Look::Attention`].
    Attention(Attention),
    /// Of [`crate::Look::Things`].
    Things(ThingsPage),
    /// Of [`crate::Look::Alarms`].
    Alarms(AlarmList),
    /// Of [`crate::Look::AlarmTable`].
    AlarmTable(Box<AlarmTable>),
    /// Of [`crate::Look::Commands`].
    Commands(Vec<CommandRow>),
    /// Of [`crate::Look::Bulks`].
    Bulks(Vec<BulkRow>),
    /// Of [`crate::Look::Bulk`].
    Bulk(Box<BulkPage>),
    /// Of [`crate::Look::NotConverged`].
    NotConverged(Vec<NotConvergedRow>),
    /// Of [`crate::Look::Jobs`].
    Jobs(Vec<JobRow>),
    /// Of [`crate::Look::Job`].
    Job(Box<JobPage>),
    /// Of [`crate::Look::Firmware`].
    Firmware(Vec<FirmwareRow>),
    /// Of [`crate::Look::Parking`].
    Parking(Vec<ParkingRow>),
    /// Of [`crate::Look::Messages`].
    Messages(Vec<MessageRow>),
    /// Of [`crate::Look::Board`].
    Board(Vec<Shown>),
    /// Of [`crate::Look::Settings`].
    Settings(Box<Settings>),
    /// What the view looks at does not exist (any more), or is not for who is at the screen.
    Missing,
}

/// One change of a view. Each replaces what it names; nothing is added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// The status as it is now.
    Status(Box<Status>),
    /// Packed map rows, each replacing the one of its thing, or taking it away (`FLAG_GONE`).
    Map(Vec<u8>),
    /// What the map stands on, as it is now.
    Ground(Box<Ground>),
    /// A thing's head as it is now.
    Head(ThingHead),
    /// A value as it is now, new or known, by its series.
    Value(ValueRow),
    /// A shadow as it is now, new or known, by its name.
    Shadow(ShadowTable),
    /// A shadow that is no more, by its name.
    ShadowGone(String),
    /// A command as it is now, new or known, by its id.
    Command(CommandRow),
    /// A bucket as it is now, new or known, by its start. The window drops what leaves the span.
    Bucket(Bucket),
    /// A mark of a chart, new.
    Mark(ChartMark),
    /// An alarm of [`crate::Look::Chart`], new or changed.
    ChartAlarm(ChartAlarm),
    /// The found rows as they are now.
    Found(Vec<FoundRow>),
    /// What needs a person, as it is now.
    Attention(Attention),
    /// The table's stretch as it is now: the order was made anew.
    Things(ThingsPage),
    /// A row of the table as it is now.
    ThingRow {
        /// Its place in the order, from 0; within the stretch.
        at: u32,
        /// The row.
        row: ThingRow,
    },
    /// How many things would stand elsewhere in the table, be new in it or leave it, if its order were made anew.
    ThingsMoved(u32),
    /// An alarm as it is now, new or known, by its id.
    Alarm(AlarmRow),
    /// An alarm that left the list, by its id.
    AlarmGone(AlarmId),
    /// How many alarms there are now.
    AlarmCounts(AlarmCounts),
    /// The table of alarms as it is now: other lines are in its stretch.
    AlarmTable(Box<AlarmTable>),
    /// What is said of the table of alarms as a whole.
    AlarmTableHead(Box<AlarmTableHead>),
    /// A line of the table of alarms as it is now.
    AlarmLine {
        /// Its place, from 0; within the stretch.
        at: u32,
        /// The line.
        line: AlarmLine,
    },
    /// A command that left the list, by its id.
    CommandGone(CommandId),
    /// A bulk command as it is now, new or known, by its id; in the list, or the one that is looked at.
    Bulk(Box<BulkRow>),
    /// A bulk command that left the list, by its id.
    BulkGone(BulkId),
    /// The things of the bulk command that is looked at, as they are now: others are in the stretch.
    BulkPage(Box<BulkPage>),
    /// A thing of the bulk command that is looked at, as it is now.
    BulkThing {
        /// Its place among those that are looked at, from 0; within the stretch.
        at: u32,
        /// The row.
        row: BulkThingRow,
    },
    /// A leaf that is wanted and not so for too long, as it is now, new or known, by its id.
    NotConverged(NotConvergedRow),
    /// A leaf that left that list.
    NotConvergedGone(LeafId),
    /// A job as it is now, new or known, by its id; also that of an open page.
    Job(JobRow),
    /// A job that is not kept any more, by its id.
    JobGone(String),
    /// The page of a job as it is now: things came or went.
    JobPage(Box<JobPage>),
    /// A thing's part of a job as it is now: of a job's page by the thing's name, of a thing's page, new or known, by the job's id.
    ThingJob(ThingJobRow),
    /// A job that left a thing's page, by its id.
    ThingJobGone(String),
    /// The versions in the field, as they are now.
    Firmware(Vec<FirmwareRow>),
    /// The car parks near the place, as they are now.
    Parking(Vec<ParkingRow>),
    /// A message, the newest.
    Message(MessageRow),
    /// What a widget of the board shows, as it is now.
    Board {
        /// Which one, from 0.
        at: u32,
        /// What.
        shown: Box<Shown>,
    },
    /// The settings as they are now.
    Settings(Box<Settings>),
}
