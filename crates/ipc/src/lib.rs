//! The whole contract between host and window: what a window says ([`Call`]), what it is sent ([`Parcel`]), and the codes
//! of what can go wrong ([`Fault`]). One codec (postcard) for every transport; positions travel as packed bytes.
//!
//! What does not belong here: I/O, transports, how anything is drawn or computed. The crate compiles to wasm.
//!
//! **How a view lives.** The window says [`Call::Look`] with a number of its own choosing; the host answers with a
//! [`Frame::Snapshot`] at revision 1 and then sends [`Frame::Patch`]es whose revision rises by exactly one. On a gap the window
//! says `Look` again (the same number) and gets a new snapshot at revision 1. Everything that is sent at once is one [`Parcel`];
//! the window says [`Call::Seen`] with its number after it was applied, and the host never has more than
//! [`PARCELS_IN_FLIGHT`] unseen ones on their way: what changes meanwhile is coalesced to its latest state.

pub mod diagnostics;
pub mod map;
pub mod profile;
pub mod rows;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

pub use fleetlens_model as model;
use fleetlens_model::audit::legs::LegSpread;
use fleetlens_model::audit::{Entry, Filter};
use fleetlens_model::bulk::Order;
use fleetlens_model::geo::{GeoBox, LonLat};
use fleetlens_model::id::{AlarmId, BulkId, CommandId, SeriesKey, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::job::JobStatus;
use fleetlens_model::kind::{Control, Kind};
use fleetlens_model::record::Retention;
pub use fleetlens_model::search::{Only, Search};
use fleetlens_model::shadow;
use fleetlens_model::time::WallMs;

use crate::diagnostics::Diagnostics;
use crate::profile::{ProfileAsk, ProfileDone, Trial};
use crate::rows::{Change, DryRun, Rows};

/// Raised whenever the meaning of any byte changes; a window and a host of different numbers refuse each other.
pub const CONTRACT: u16 = 12;

/// How many parcels may be on their way to one window.
pub const PARCELS_IN_FLIGHT: usize = 3;

/// The largest call a host reads from a window, in bytes: an acknowledgement of [`ACKNOWLEDGED_MAX`] alarms, and then some.
pub const CALL_MAX_BYTES: usize = 256 * 1024;

/// Alarms that one [`Intent::Acknowledge`] may cover.
pub const ACKNOWLEDGED_MAX: usize = 10_000;

/// Entries that one [`Intent::Audit`] may ask for.
pub const AUDIT_MAX: u32 = 1_000;

/// Changes that one [`Intent::ShadowHistory`] may ask for.
pub const SHADOW_HISTORY_MAX: u32 = 100;
/// Rows of a [`rows::DryRun`].
pub const DRY_RUN_ROWS: usize = 200;

/// Reasons of a [`rows::DryRun`].
pub const DRY_RUN_REASONS: usize = 20;

/// Commands over which [`Intent::Legs`] looks back.
pub const LEGS_MAX: usize = 1_000;

/// A view's number, chosen by the window, unique within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ViewId(pub u32);

/// A request's number, chosen by the window; its answer carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u32);

/// What a window says to its host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// The first word: a window of this [`CONTRACT`] is here. Forgets whatever the window looked at before.
    Hello {
        /// The contract the window was built for.
        contract: u16,
    },
    /// Show me this, from now on. With a number already in use: show me this instead, from the start.
    Look {
        /// The view's number.
        view: ViewId,
        /// What it looks at.
        at: Look,
    },
    /// I no longer look at it.
    LookAway {
        /// The view's number.
        view: ViewId,
    },
    /// Everything up to this parcel is on the screen.
    Seen {
        /// The parcel's number.
        parcel: u64,
    },
    /// The map with its ground and live things stands on the screen for the first time since the link is up.
    Drawn {
        /// How many things it shows.
        things: u32,
    },
    /// A person wants something done; answered by one [`Frame::Answer`].
    Ask {
        /// The request's number.
        request: RequestId,
        /// What is wanted.
        intent: Intent,
    },
}

/// What a view looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Look {
    /// Link, counters, identity: [`rows::Status`].
    Status,
    /// Every thing in a box: packed rows, see [`map`].
    Map {
        /// What the map shows, with some margin.
        area: GeoBox,
    },
    /// Where the fleet is as a whole and where there are tiles, as a map needs it to begin: [`rows::Ground`]. Told anew every
    /// 500 ms at most while it changes; each time every place is looked at, so a window looks away once its map has begun.
    Ground {
        /// Only these kinds; empty for all.
        kinds: Vec<Kind>,
    },
    /// One thing with values, shadow and commands: [`rows::ThingPage`].
    Thing {
        /// Which one.
        thing: ThingKey,
    },
    /// The recent past of a series: [`rows::Chart`].
    Chart {
        /// Which series.
        series: SeriesKey,
        /// How far back, in milliseconds.
        span_ms: u64,
        /// At most this many buckets, 10–4096; about one a pixel.
        buckets: u32,
    },
    /// Things whose name, title, street or area holds every word of the text; [`rows::FoundRow`], best first.
    Find {
        /// What was typed.
        text: String,
        /// At most this many rows, 1–200.
        limit: u32,
    },
    /// What needs a person, worst first: [`rows::AttentionRow`].
    Attention {
        /// At most this many rows, 1–200.
        limit: u32,
    },
    /// A stretch of the table of things: [`rows::ThingsPage`]. The order is made at the first look and holds still; the same query
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
    /// The alarms: [`rows::AlarmList`].
    Alarms {
        /// Which.
        scope: Scope,
        /// At most this many rows, 1–2000.
        limit: u32,
    },
    /// The commands of all things, newest first: [`rows::CommandRow`].
    Commands {
        /// Which.
        scope: Scope,
        /// At most this many rows, 1–2000.
        limit: u32,
    },
    /// The bulk commands, newest first: [`rows::BulkRow`].
    Bulks {
        /// At most this many rows, 1–50.
        limit: u32,
    },
    /// A bulk command and a stretch of its things, in the order of their release: [`rows::BulkPage`].
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
    /// Leaves of shadows that have been wanted and not reported for too long, oldest first: [`rows::NotConvergedRow`]. How many there
    /// are in all is [`rows::Status::not_converged`].
    NotConverged {
        /// At most this many rows, 1–2000.
        limit: u32,
    },
    /// The jobs of a service, newest first: [`rows::JobRow`].
    Jobs,
    /// One job with a stretch of its things: [`rows::JobPage`].
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
    /// Which firmware is in the field, by kind: [`rows::FirmwareRow`]. Each time every thing is looked at, every 2 s at most.
    Firmware,
    /// Car parks near a place, nearest first: [`rows::ParkingRow`].
    Parking {
        /// From where.
        from: LonLat,
        /// At most this many rows, 1–200.
        limit: u32,
    },
    /// The last messages of a thing as they came, oldest first: [`rows::MessageRow`].
    Messages {
        /// Which one.
        thing: ThingKey,
    },
    /// Profiles, identity and cache: [`rows::Settings`].
    Settings,
}

/// Which alarms or commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Those of which something may still change, or that nobody has acknowledged.
    #[default]
    Open,
    /// Those that are over, newest first.
    Ended,
}

/// Which things a table shows, in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThingsQuery {
    /// Every word must be in the thing's name, title, street or area; empty for all.
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
    /// Change how this program is set; it stays so after a restart. Performed by the host.
    Change(Setting),
    /// Try a broker, or read, check and keep a profile. Performed by the host, for those who may steer.
    Profile(ProfileAsk),
    /// What does the audit log tell, newest first? Answered with [`Done::Audit`]. Performed by the host, for those who may steer.
    Audit {
        /// Of which entries.
        filter: Filter,
        /// At most this many, 1 to [`AUDIT_MAX`].
        limit: u32,
    },
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
    /// How long does each leg of a command's way take? Answered with [`Done::Legs`]. Performed by the host, for those who may steer.
    Legs,
    /// How does the program stand? Answered with [`Done::Diagnosed`]. Performed by the host.
    Diagnose,
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
    /// Use another profile, by its name. The windows are told to begin again ([`Frame::Begin`]).
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

/// What a host sends at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// Rises by one; acknowledged with [`Call::Seen`].
    pub number: u64,
    /// In order.
    pub frames: Vec<Frame>,
}

/// One thing a window is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Frame {
    /// A view from the start, at revision 1.
    Snapshot {
        /// The view.
        view: ViewId,
        /// Everything it shows.
        rows: Rows,
    },
    /// What changed in a view since its last revision.
    Patch {
        /// The view.
        view: ViewId,
        /// One more than the last.
        rev: u64,
        /// The changes, in order.
        changes: Vec<Change>,
    },
    /// The answer to an [`Call::Ask`].
    Answer {
        /// The request's number.
        request: RequestId,
        /// What came of it.
        outcome: Result<Done, Fault>,
    },
    /// Something a person should know although nobody asked, e.g. that the cache cannot be written.
    Notice(Fault),
    /// The host began anew, e.g. with another profile: say Hello and look again. What was shown is of another fleet.
    Begin,
    /// How far the try of a broker is that this window asked for ([`ProfileAsk::Try`]).
    Trial(Box<Trial>),
    /// Somebody chose this thing outside the window, e.g. by its notification: open it.
    Open(ThingKey),
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
    /// The command is changed, on the disk.
    Edited(CommandId),
    /// The command was taken back, or its withdrawal is on its way.
    Cancelled(CommandId),
    /// So many alarms are acknowledged now, on the disk.
    Acknowledged(u32),
    /// It is set, and will be after a restart.
    Changed,
    /// What came of a [`ProfileAsk`].
    Profile(ProfileDone),
    /// Entries of the audit log, newest first.
    Audit(Vec<Entry>),
    /// Changes of a shadow, newest first.
    ShadowHistory(Vec<shadow::change::Change>),
    /// How long each leg took over the newest commands.
    Legs {
        /// How many commands, at most [`LEGS_MAX`].
        commands: u32,
        /// Of each leg that any of them went, in the order of the way.
        spreads: Vec<LegSpread>,
    },
    /// How the program stands.
    Diagnosed(Box<Diagnostics>),
}

/// What went wrong, for a program (`code`) and for a person (`message`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("{message}")]
pub struct Fault {
    /// Stable; tests and translations go by it.
    pub code: FaultCode,
    /// A sentence that says what was given and what would be right.
    pub message: String,
}

/// The codes of [`Fault`]s. Only ever added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FaultCode {
    /// The role may not do this.
    Forbidden,
    /// No such thing, series or command.
    NotFound,
    /// The request itself is wrong.
    Invalid,
    /// It is too late: the command already ended.
    TooLate,
    /// The cache could not be read or written.
    Store,
    /// Window and host were built for different contracts.
    Contract,
    /// Window and host lost each other before the answer came: whether it was done is not known. Said by the window itself.
    Unreachable,
}

impl Fault {
    /// A fault with a sentence.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into() }
    }
}

/// Why bytes are no message of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// More than [`CALL_MAX_BYTES`].
    #[error("a call of {0} bytes is over the limit of {CALL_MAX_BYTES}")]
    TooLarge(usize),
    /// Not a message of this contract.
    #[error("not a message of contract {CONTRACT}: {0}")]
    Malformed(String),
}

/// A message as bytes.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, CodecError> {
    postcard::to_stdvec(message).map_err(|e| CodecError::Malformed(e.to_string()))
}

/// A message from bytes that must be exactly one.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(CodecError::Malformed(format!("{} bytes too many", rest.len()))),
        Err(e) => Err(CodecError::Malformed(e.to_string())),
    }
}

/// A window's call from bytes; bounded, since a browser may send anything.
pub fn decode_call(bytes: &[u8]) -> Result<Call, CodecError> {
    if bytes.len() > CALL_MAX_BYTES {
        return Err(CodecError::TooLarge(bytes.len()));
    }
    decode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_survives_the_wire_and_anything_else_is_refused() {
        let call = Call::Look { view: ViewId(7), at: Look::Find { text: "Triq".into(), limit: 20 } };
        let bytes = encode(&call).unwrap();
        assert_eq!(decode_call(&bytes), Ok(call));
        assert!(matches!(decode_call(&bytes[..bytes.len() - 1]), Err(CodecError::Malformed(_))));
        assert!(matches!(decode_call(&[bytes, vec![0]].concat()), Err(CodecError::Malformed(_))));
        assert!(matches!(decode_call(&[250, 250]), Err(CodecError::Malformed(_))));
        assert_eq!(decode_call(&vec![0; CALL_MAX_BYTES + 1]), Err(CodecError::TooLarge(CALL_MAX_BYTES + 1)));
        let told = CodecError::TooLarge(CALL_MAX_BYTES + 1).to_string();
        assert_eq!(told, "a call of 262145 bytes is over the limit of 262144");
    }

    #[test]
    fn a_bulk_command_for_as_many_things_as_there_may_be_fits_into_a_call() {
        use fleetlens_model::bulk::{Rollout, THINGS_MAX, Target, WISHES_MAX, Wish};
        let wish = Wish { pointer: "/p".repeat(128), value_json: format!("\"{}\"", "x".repeat(2_046)) };
        let order = Order {
            target: Target::Things(vec![ThingKey(u32::MAX); THINGS_MAX]),
            shadow: "s".repeat(64),
            wishes: vec![wish; WISHES_MAX],
            expires_in_ms: Some(u64::MAX),
            rollout: Rollout::default(),
            continuous: false,
        };
        let call = Call::Ask { request: RequestId(u32::MAX), intent: Intent::Bulk(Box::new(order)) };
        assert_eq!(decode_call(&encode(&call).unwrap()), Ok(call));
    }

    #[test]
    fn as_many_alarms_as_may_be_acknowledged_at_once_fit_into_a_call_whatever_their_numbers() {
        let widest = (AlarmId(u64::MAX), WallMs(i64::MIN));
        let comment = "\u{1F4A1}".repeat(fleetlens_model::alarm::COMMENT_MAX_CHARS);
        let intent = Intent::Acknowledge { alarms: vec![widest; ACKNOWLEDGED_MAX], comment };
        let call = Call::Ask { request: RequestId(u32::MAX), intent };
        assert_eq!(decode_call(&encode(&call).unwrap()), Ok(call));
    }
}
