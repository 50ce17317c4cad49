//! What AWS IoT Core tells beside shadows: who connects and who leaves, how jobs go, and commands with their answers.
//!
//! All of it is said by the service on reserved topics, and only to who subscribes to each: `$aws/#` closes the connection. The
//! service may say things twice and in another order than they happened. Source: AWS IoT Core developer guide, "Lifecycle
//! events", "Jobs events", "Jobs device MQTT API" and "Remote commands".

mod commands;
mod jobs;
mod presence;

use fleetlens_model::shadow::Object;
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::{WireError, json, time};

pub use commands::{CommandOutcome, CommandSubject, CommandTold, decode_command};
pub use jobs::{JOB_FILTERS, JobChange, JobState, JobTold, JobWaiting, decode_job, is_job};
pub use presence::{PRESENCE_FILTERS, Presence, RETURN_WITHIN_MS, decode_presence, is_presence};

/// The largest message of a service, in bytes (AWS IoT Core, service quotas: 128 KiB).
pub const EVENT_MAX_BYTES: usize = 128 * 1024;

/// Brackets within each other: a job's document is its author's.
const NESTING_MAX: usize = 32;

/// The longest id or reason that is kept, in bytes; a client's id may have 128, a command's reason 1 024.
const WORD_MAX_BYTES: usize = 1_024;

/// The object of a message.
fn object(payload: &[u8]) -> Result<Object, WireError> {
    json::object(payload, EVENT_MAX_BYTES, NESTING_MAX)
}

/// A text that must be there.
fn word(object: &Object, field: &'static str) -> Result<String, WireError> {
    optional_word(object, field)?.ok_or_else(|| json::missing(field))
}

/// A text that may be there.
fn optional_word(object: &Object, field: &'static str) -> Result<Option<String>, WireError> {
    match object.get(field).filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(Json::String(text)) if text.len() <= WORD_MAX_BYTES => Ok(Some(text.clone())),
        Some(value) => Err(json::wrong(field, value, "a text of at most 1024 bytes")),
    }
}

/// A whole number that may be there.
fn count(object: &Object, field: &'static str) -> Result<Option<u64>, WireError> {
    match object.get(field).filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| json::wrong(field, value, "a whole number from 0")),
    }
}

/// A time, which some of these services write in seconds, some in milliseconds, and jobs as a text of digits.
fn moment(object: &Object, field: &'static str) -> Result<Option<WallMs>, WireError> {
    let Some(value) = object.get(field) else { return Ok(None) };
    let digits = value.as_str().and_then(|text| text.parse::<u64>().ok()).map(Json::from);
    time::read(digits.as_ref().unwrap_or(value), field, None)
}

/// The thing at the end of an Amazon resource name, `arn:aws:iot:eu-central-1:123456789012:thing/lamp-1`.
fn thing_of(arn: &str) -> Option<&str> {
    let (_, thing) = arn.rsplit_once(":thing/")?;
    (arn.starts_with("arn:") && !thing.is_empty()).then_some(thing)
}
