//! What a person wants done ([`Intent`]), and what came of it ([`Done`]); every intent has one answer.

use serde::{Deserialize, Serialize};

use fleetlens_model::audit::legs::LegSpread;
use fleetlens_model::audit::{Entry, Filter};
use fleetlens_model::bulk::Order;
use fleetlens_model::id::{AlarmId, BulkId, CommandId, SeriesKey, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::kind::{Control, Kind};
use fleetlens_model::query::Vocabulary;
use fleetlens_model::record::Retention;
use fleetlens_model::shadow;
use fleetlens_model::time::WallMs;

use crate::ViewId;
use crate::boards::{BoardAsk, BoardDone};
use crate::diagnostics::Diagnostics;
use crate::export::{Export, Exported};
use crate::maps::{AreaAsk, AreaDone, MapAsk, MapDone};
use crate::profile::{ProfileAsk, ProfileDone};
use crate::replay::{ReplayAsk, ReplayDone};
use crate::rows::{AlarmHealth, DryRun, MapName, PlaceRow, ShownAlarm};
use crate::rules::{RuleAsk, RuleDone};
use crate::small::Smalls;

/// Alarms that one [`Intent::Acknowledge`] may cover.
pub const ACKNOWLEDGED_MAX: usize = 10_000;

/// Entries that one [`Intent::Audit`] may ask for.
pub const AUDIT_MAX: u32 = 1_000;

/// Changes that one [`Intent::ShadowHistory`] may ask for.
pub const SHADOW_HISTORY_MAX: u32 = 100;

/// Commands over which [`Intent::Legs`] looks back.
pub const LEGS_MAX: usize = 1_000;

/// Places that one [`Intent::Places`] may ask for.
pub const PLACES_MAX: u32 = 50;

/// Things that one [`Intent::Names`] may ask for.
pub const NAMES_MAX: usize = 256;

/// How far back [`Intent::AlarmHealth`] may look, in milliseconds: a year.
pub const ALARM_HEALTH_MAX_MS: u64 = 366 * 24 * 3_600_000;

/// What a person wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Intent {
    /// Set leaves of a thing's desired state. Answered with [`Done::Command`] once it is in the outbox.
    Command {
        /// The thing.
        thing: ThingKey,
        /// The shadow; empty for the classic one.
        shadow: String,
        /// The leaves, at least one.
        wishes: Vec<Wish>,
        /// How long it may wait, in milliseconds; `None` for the control's own expiry.
        expires_in_ms: Option<u64>,
    },
    /// What can be set on things of these kinds? Answered with [`Done::Controls`].
    Controls(Vec<Kind>),
    /// What would a bulk command do? Answered with [`Done::DryRun`]; nothing is asked of any thing.
    DryRun(Box<Order>),
    /// Set leaves of many things, a batch after the other. Answered with [`Done::Bulk`] once it is on the disk.
    Bulk(Box<Order>),
    /// Hold a bulk command, or let it go on; or end it, so that nothing more is released and what has not left yet is taken back.
    /// Answered with [`Done::Bulk`].
    SteerBulk {
        /// Which one.
        bulk: BulkId,
        /// What is to become of it.
        to: Steer,
    },
    /// What would ask those things again of which a bulk command came to nothing? Answered with [`Done::Order`]; nothing is asked of any.
    BulkAgain(BulkId),
    /// Change a command that waits in the outbox and has not left. It stays the same command. Answered with [`Done::Edited`].
    EditCommand {
        /// Which one.
        command: CommandId,
        /// Other values for leaves that it sets: JSON pointer and value as JSON text; may be empty.
        values: Vec<(String, String)>,
        /// How long it may wait from now, in milliseconds; `None` leaves its end as it is.
        expires_in_ms: Option<u64>,
    },
    /// Take a command back: at once while it waits, by withdrawal when it is on the wire.
    CancelCommand {
        /// Which one.
        command: CommandId,
    },
    /// I have seen these alarms. Covers each only as it stood on the screen: one that was raised again since is left alone.
    Acknowledge {
        /// The alarms with the time each was raised, as they stood on the screen; 1 to [`ACKNOWLEDGED_MAX`].
        alarms: Vec<(AlarmId, WallMs)>,
        /// For the record; at most [`fleetlens_model::alarm::COMMENT_MAX_CHARS`], may be empty.
        comment: String,
    },
    /// Which alarms stand in the table that a view of mine shows? Answered with [`Done::Shown`], as they were last told, so that what is
    /// raised meanwhile is not among them.
    Shown {
        /// The view of a [`crate::Look::AlarmTable`].
        view: ViewId,
        /// Which of them.
        what: ShownPart,
    },
    /// Something else that a person does with alarms. Answered with [`Done::Steered`].
    Alarms {
        /// Which; 1 to [`ACKNOWLEDGED_MAX`].
        alarms: Vec<AlarmId>,
        /// What.
        to: AlarmStep,
    },
    /// Change how this program is set; it stays so after a restart. Performed by the host.
    Change(Setting),
    /// Try a broker, or read, check and keep a profile. Performed by the host, for those who may steer.
    Profile(ProfileAsk),
    /// Read, check, try or change the rules of the profile in use. Performed by the host, for those who may steer.
    Rules(RuleAsk),
    /// Read, keep or take away boards. Answered with [`Done::Boards`]. Performed by the host.
    Boards(BoardAsk),
    /// What does the audit log tell, newest first? Answered with [`Done::Audit`]. Performed by the host, for those who may steer.
    Audit {
        /// Of which entries.
        filter: Filter,
        /// At most this many, 1 to [`AUDIT_MAX`].
        limit: u32,
    },
    /// Look at the base map of the profile in use or take another. Performed by the host, for those who may steer.
    Map(MapAsk),
    /// Read, keep or take away areas of the profile in use. Performed by the host; changes are for those who may steer.
    Areas(AreaAsk),
    /// What changed in a shadow, and who did it, newest first? Answered with [`Done::ShadowHistory`]. Performed by the host from the
    /// cache, for everybody and without a broker.
    ShadowHistory {
        /// The thing.
        thing: ThingKey,
        /// The shadow; empty for the classic one.
        shadow: String,
        /// Only changes before the one of this [`Change::seq`](fleetlens_model::shadow::change::Change::seq).
        before: Option<u64>,
        /// At most this many, 1 to [`SHADOW_HISTORY_MAX`].
        limit: u32,
    },
    /// What did these series say in the last hours? Answered with [`Done::Small`]. Performed by the host from the cache, for those who see
    /// everything: only they have tables of things.
    Small {
        /// Which; at most [`SMALL_SERIES_MAX`](crate::small::SMALL_SERIES_MAX) are read.
        series: Vec<SeriesKey>,
        /// How far back, in milliseconds; at most [`SMALL_SPAN_MAX_MS`](crate::small::SMALL_SPAN_MAX_MS).
        span_ms: u64,
    },
    /// How well have the alarms served lately? Answered with [`Done::AlarmHealth`]. Performed by the host, for those who see everything.
    AlarmHealth {
        /// How far back, in milliseconds; at most [`ALARM_HEALTH_MAX_MS`].
        span_ms: u64,
        /// What the person's clock shows more than UTC, in minutes.
        utc_offset_min: i32,
    },
    /// How long does each leg of a command's way take? Answered with [`Done::Legs`]. Performed by the host, for those who may steer.
    Legs,
    /// Write something out as a file. Answered with [`Done::Exported`]. Performed by the host from the cache, for those who may steer.
    Export(Export),
    /// How does the program stand? Answered with [`Done::Diagnosed`]. Performed by the host.
    Diagnose,
    /// Which districts and streets of the fleet are called so? Answered with [`Done::Places`], of things that whoever is at the screen sees.
    Places {
        /// Words that must each be in the name of a street or its district, in any case; nothing is called nothing.
        text: String,
        /// At most this many, 1 to [`PLACES_MAX`].
        limit: u32,
    },
    /// What is there to be named in a search, beside kinds, groups and values? Answered with [`Done::Words`].
    Words,
    /// Which names stand on the map? Answered with [`Done::MapNames`]. Performed by the host, which reads them from the tiles.
    MapNames,
    /// What are these things called, at most [`NAMES_MAX`] of them? Answered with [`Done::Names`].
    Names(Vec<ThingKey>),
    /// Show this window the city as it was, or as it is again. Answered with [`Done::Replay`]. Performed by the host from the cache.
    Replay(ReplayAsk),
}

/// A part of the table of alarms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShownPart {
    /// All, those of folded groups included.
    All,
    /// A group, by its key.
    Group(String),
    /// Lines from one to another, both included; a heading stands for its group where that is folded.
    Lines {
        /// The first, from 0.
        from: u32,
        /// The last.
        to: u32,
    },
}

/// What is to become of alarms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmStep {
    /// Off the list for a time.
    Shelved {
        /// For how long, in milliseconds; at most [`fleetlens_model::alarm::state::SHELVED_MAX_MS`].
        for_ms: u64,
        /// Why; at most [`fleetlens_model::alarm::COMMENT_MAX_CHARS`], and not empty.
        reason: String,
    },
    /// Off the list until somebody takes it back, e.g. for repairs.
    OutOfService {
        /// Why; as above.
        reason: String,
    },
    /// Back on the list, from the shelf or in service again.
    PutBack,
    /// Over, of one that waits for a reset.
    Reset,
    /// Looked after by somebody; an empty name is nobody.
    Assigned {
        /// At most [`fleetlens_model::alarm::ASSIGNED_MAX_CHARS`].
        to: String,
    },
}

/// What is to become of a bulk command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Steer {
    /// Held: nothing more is released until somebody lets it go on.
    Paused,
    /// Going on.
    Resumed,
    /// Ended.
    Stopped,
}

/// One thing that can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    /// Who is at the screen. The role may be the profile's or a lesser one.
    Identity(Actor),
    /// How much the cache keeps.
    Retention(Retention),
    /// Use another profile, by its name. The windows are told to begin again ([`crate::Frame::Begin`]).
    Profile(String),
}

/// One leaf that a person wants otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// JSON pointer into `desired` (RFC 6901), e.g. `/dim_pct`.
    pub pointer: String,
    /// The wanted value as JSON text.
    pub value_json: String,
    /// The desired value that stood on the person's screen, as JSON text; `None` when there was none. If somebody changed it since, the command is rejected.
    pub seen_json: Option<String>,
}

/// What an intent led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Done {
    /// The command is in the outbox, on the disk.
    Command(CommandId),
    /// What can be set on things of each kind, in the order of the screen.
    Controls(Vec<(Kind, Vec<Control>)>),
    /// What a bulk command would do.
    DryRun(Box<DryRun>),
    /// The bulk command is on the disk, as it was asked for or steered.
    Bulk(BulkId),
    /// What would be asked for.
    Order(Box<Order>),
    /// The command is changed, on the disk.
    Edited(CommandId),
    /// The command was taken back, or its withdrawal is on its way.
    Cancelled(CommandId),
    /// So many alarms are acknowledged now, on the disk.
    Acknowledged(u32),
    /// The alarms that were asked for, at most [`ACKNOWLEDGED_MAX`], in the order of the table.
    Shown(Vec<ShownAlarm>),
    /// So many alarms stand as they were to, on the disk.
    Steered(u32),
    /// It is set, and will be after a restart.
    Changed,
    /// What came of a [`ProfileAsk`].
    Profile(ProfileDone),
    /// What came of a [`RuleAsk`].
    Rules(RuleDone),
    /// What came of a [`BoardAsk`].
    Boards(BoardDone),
    /// Entries of the audit log, newest first.
    Audit(Vec<Entry>),
    /// What came of a [`MapAsk`].
    Map(MapDone),
    /// What came of an [`AreaAsk`].
    Areas(AreaDone),
    /// Changes of a shadow, newest first.
    ShadowHistory(Vec<shadow::change::Change>),
    /// What some series said in the last hours.
    Small(Smalls),
    /// How well the alarms served.
    AlarmHealth(Box<AlarmHealth>),
    /// How long each leg took over the newest commands.
    Legs {
        /// How many commands, at most [`LEGS_MAX`].
        commands: u32,
        /// Of each leg that any of them went, in the order of the way.
        spreads: Vec<LegSpread>,
    },
    /// The file is written.
    Exported(Exported),
    /// How the program stands.
    Diagnosed(Box<Diagnostics>),
    /// Districts and streets, best first.
    Places(Vec<PlaceRow>),
    /// Districts and rules by their ids; nothing else of it is filled.
    Words(Box<Vocabulary>),
    /// Names of the map, the greatest places first.
    MapNames(Vec<MapName>),
    /// What people call the things that were asked for; nothing of those that are not known, or not for who is at the screen.
    Names(Vec<(ThingKey, String)>),
    /// What came of a [`ReplayAsk`].
    Replay(ReplayDone),
}
