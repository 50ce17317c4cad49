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

pub mod address;
pub mod boards;
pub mod diagnostics;
mod export;
mod intent;
mod look;
pub mod map;
pub mod maps;
pub mod profile;
pub mod replay;
pub mod rows;
pub mod rules;
pub mod small;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

pub use fleetlens_model as model;
use fleetlens_model::id::ThingKey;
pub use fleetlens_model::search::{Only, Search};

pub use crate::export::{
    CHART_COLUMNS_MAX, CHART_LINES_MAX, ChartColumn, EXPORT_MAX_BYTES, Export, Exported, HEADING_MAX_CHARS,
    PICTURE_MAX_BYTES, Picture, ZONE_MAX_CHARS,
};
pub use crate::intent::{
    ACKNOWLEDGED_MAX, ALARM_HEALTH_MAX_MS, AUDIT_MAX, AlarmStep, Done, Intent, LEGS_MAX, NAMES_MAX, PLACES_MAX,
    SHADOW_HISTORY_MAX, Setting, ShownPart, Steer, Wish,
};
pub use crate::look::{
    AlarmGrouping, AlarmScope, AlarmSort, AlarmsQuery, FOLDS_MAX, Folds, Look, Scope, SortBy, ThingsQuery,
};
use crate::profile::Trial;
use crate::replay::Moment;
use crate::rows::{Change, Rows};

/// Raised whenever the meaning of any byte changes; a window and a host of different numbers refuse each other.
pub const CONTRACT: u16 = 23;

/// How many parcels may be on their way to one window.
pub const PARCELS_IN_FLIGHT: usize = 3;

/// The largest call a host reads from a window, in bytes: an acknowledgement of [`ACKNOWLEDGED_MAX`] alarms, and then some.
pub const CALL_MAX_BYTES: usize = 256 * 1024;

/// Rows of a [`rows::DryRun`].
pub const DRY_RUN_ROWS: usize = 200;

/// Reasons of a [`rows::DryRun`].
pub const DRY_RUN_REASONS: usize = 20;

/// Sentences of a [`rows::DryRun`] about what will happen to people.
pub const DRY_RUN_DANGERS: usize = 20;

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
    /// The first word: a window of this [`CONTRACT`] is here. Forgets whatever the window looked at before; what it asked before, e.g.
    /// since [`Frame::Begin`], is still answered.
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
    /// The map stands on the screen with what is known: for the first time, for the first time with something on it, and for the
    /// first time since the link is up.
    Drawn {
        /// How many things it shows.
        things: u32,
        /// Whether the ground below them is all there.
        on_ground: bool,
    },
    /// A person wants something done; answered by one [`Frame::Answer`].
    Ask {
        /// The request's number.
        request: RequestId,
        /// What is wanted.
        intent: Intent,
    },
}

/// What a host sends at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// Rises by one, those of the past from [`replay::PARCELS_FROM`] on; acknowledged with [`Call::Seen`].
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
    /// How far the try of a broker is that this window asked for ([`profile::ProfileAsk::Try`]).
    Trial(Box<Trial>),
    /// Somebody chose this thing outside the window, e.g. by its notification: open it.
    Open(ThingKey),
    /// What the views of this window show from here on is the past, and which moment of it; `None` for the present again.
    Past(Option<Moment>),
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
    use fleetlens_model::bulk::Order;
    use fleetlens_model::id::AlarmId;
    use fleetlens_model::time::WallMs;

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
