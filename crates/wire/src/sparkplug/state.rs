//! STATE: whether a host application is there (specification, section 6.4.27). It is checked and says nothing of any thing.

use super::topic::STATE;
use crate::{WireError, json};

/// The largest STATE message, in bytes.
const STATE_MAX_BYTES: usize = 1_024;

/// The host application whose STATE a topic is.
pub(super) fn host_of(topic: &str) -> Option<&str> {
    topic.strip_prefix(STATE).filter(|host| !host.contains('/'))
}

/// Checks a message: `{"online":true,"timestamp":1486144502122}`; empty where it was taken back.
pub(super) fn check(payload: &[u8]) -> Result<(), WireError> {
    if payload.is_empty() {
        return Ok(());
    }
    let state = json::object(payload, STATE_MAX_BYTES, 2)?;
    let online = state.get("online").ok_or_else(|| json::missing("online"))?;
    let time = state.get("timestamp").ok_or_else(|| json::missing("timestamp"))?;
    if !online.is_boolean() {
        return Err(json::wrong("online", online, "true or false"));
    }
    if !time.is_u64() {
        return Err(json::wrong("timestamp", time, "a whole number of milliseconds since 1970"));
    }
    Ok(())
}
