//! Times inside telemetry, moved: so that what was recorded once seems to happen while it is played. Everything else in a payload
//! stays as it is, to the byte, and a time stays written as it was.

mod place;
mod written;

use serde_json::Value as Json;
use thiserror::Error;

use crate::telemetry::{NESTING_MAX, PAYLOAD_MAX_BYTES, Reading, Shape};
use crate::time::Zone;
use crate::{fiware, json, senml};

/// Why a payload stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotMoved {
    /// Such messages have no time of their own.
    #[error("the profile names no time for the topic")]
    Untimed,
    /// There is none in this one, or none whose zone is known, or it cannot be read at all.
    #[error("there is no time where the profile says")]
    NoTime,
}

/// The payload with its times moved by `to`, which takes and gives microseconds since 1970: the times that date its values, of
/// all messages it lists. One that is counted from now on (RFC 8428, section 4.5.3) moves by itself.
pub fn moved(payload: &[u8], reading: &Reading, to: impl Fn(i64) -> i64) -> Result<Vec<u8>, NotMoved> {
    if reading.shape == Shape::Json && reading.time.is_none() {
        return Err(NotMoved::Untimed);
    }
    replaced(payload, reading, to).ok_or(NotMoved::NoTime)
}

fn replaced(payload: &[u8], reading: &Reading, to: impl Fn(i64) -> i64) -> Option<Vec<u8>> {
    let whole = json::document(payload, PAYLOAD_MAX_BYTES, NESTING_MAX).ok()?;
    let text = std::str::from_utf8(payload).ok()?;
    let mut times = Vec::new();
    for pointer in pointers(&whole, reading) {
        let at = place::find(text, &pointer)?;
        if let Some(time) = written::moved(text.get(at.clone())?, reading.zone.as_ref(), &to) {
            times.push((at, time));
        }
    }
    times.sort_by_key(|(at, _)| at.start);
    let mut moved = String::with_capacity(text.len());
    let mut end = 0;
    for (at, time) in &times {
        moved.push_str(text.get(end..at.start)?);
        moved.push_str(time);
        end = at.end;
    }
    moved.push_str(text.get(end..)?);
    (!times.is_empty()).then(|| moved.into_bytes())
}

/// Where the times of a payload may stand.
fn pointers(whole: &Json, reading: &Reading) -> Vec<String> {
    let Ok(Some(list)) = reading.list.find(whole) else { return Vec::new() };
    let items: Vec<(String, &Json)> = match list.value {
        Json::Array(items) => items.iter().enumerate().map(|(n, item)| (format!("{}/{n}", list.at), item)).collect(),
        other => vec![(list.at, other)],
    };
    let mut found = Vec::new();
    for (at, item) in items {
        let inside = match (reading.shape, &reading.time) {
            (Shape::Json | Shape::Fiware, Some(pointer)) => pointer.find(item).ok().flatten().map(|time| time.at).into_iter().collect(),
            (Shape::Json, None) => Vec::new(),
            (Shape::Fiware, None) => fiware::times(item),
            (Shape::Senml, _) => senml::times(item),
        };
        found.extend(inside.into_iter().map(|time| format!("{at}{time}")));
    }
    found
}
