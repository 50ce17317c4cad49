//! Who is connected: `$aws/events/presence/{connected|disconnected}/{clientId}`.

use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use super::{count, moment, object, optional_word, word};
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::{WireError, json};

const PREFIX: &str = "$aws/events/presence/";

/// What to subscribe to for the presence of every client.
pub const PRESENCE_FILTERS: [&str; 2] = ["$aws/events/presence/connected/+", "$aws/events/presence/disconnected/+"];

/// How long to wait after a client left before its thing is called gone, in milliseconds: most come back at once ("Lifecycle
/// events", best practices, names five seconds).
pub const RETURN_WITHIN_MS: u64 = 5_000;

/// After how long away a client is counted from the beginning again, in milliseconds.
const FORGOTTEN_AFTER_MS: i64 = 3_600_000;

/// A client came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Whose: the thing's name where the client connected as an exclusive thing, else the client's id, which AWS recommends to be
    /// the thing's name. Not checked yet.
    pub thing: String,
    /// Whether it came.
    pub connected: bool,
    /// When.
    pub at: WallMs,
    /// Which connection of the client, rising; its beginning and its end have the same number.
    pub version: u64,
    /// Why it went, in the service's word, such as `CONNECTION_LOST`; empty where nobody said and for one that came.
    pub reason: String,
}

impl Presence {
    /// Whether this is news after `earlier` of the same client: events come twice and out of order. A connection's end follows its
    /// beginning; a lower number is later only where the service has begun to count anew, after the client was away for an hour.
    pub fn follows(&self, earlier: &Presence) -> bool {
        let after = |a: &Presence, b: &Presence| (a.version, !a.connected) > (b.version, !b.connected);
        let counted_anew = |late: &Presence, early: &Presence| {
            late.version < early.version && late.at.0.saturating_sub(early.at.0) >= FORGOTTEN_AFTER_MS
        };
        counted_anew(self, earlier) || (after(self, earlier) && !counted_anew(earlier, self))
    }
}

/// Whether a topic is one of presence.
pub fn is_presence(topic: &str) -> bool {
    topic.starts_with(PREFIX)
}

/// Reads an event of presence. What topic and payload say of the same must agree.
pub fn decode_presence(topic: &str, payload: &[u8]) -> Result<Presence, WireError> {
    let foreign = || WireError::NotAnEvent { topic: quote(topic, QUOTE_MAX_CHARS) };
    let (kind, client) = topic.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')).ok_or_else(foreign)?;
    let connected = match kind {
        "connected" => true,
        "disconnected" => false,
        _ => return Err(foreign()),
    };
    let event = object(payload)?;
    for (field, wanted, why) in
        [("eventType", kind, "what its topic says"), ("clientId", client, "the client of its topic")]
    {
        let given = word(&event, field)?;
        if given != wanted {
            return Err(json::wrong(field, &Json::from(given), why));
        }
    }
    let reason = if connected { None } else { optional_word(&event, "disconnectReason")? };
    Ok(Presence {
        thing: optional_word(&event, "thingName")?.unwrap_or_else(|| client.to_owned()),
        connected,
        at: moment(&event, "timestamp")?.ok_or_else(|| json::missing("timestamp"))?,
        version: count(&event, "versionNumber")?.ok_or_else(|| json::missing("versionNumber"))?,
        reason: reason.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(connected: bool, version: u64, at_s: i64) -> Presence {
        Presence { thing: "t".into(), connected, at: WallMs(at_s * 1_000), version, reason: String::new() }
    }

    #[test]
    fn who_comes_and_who_goes_is_read() {
        let came = r#"{"clientId":"lamp-1","timestamp":1573002230757,"eventType":"connected","sessionIdentifier":"a4666d2a",
            "principalIdentifier":"12345678901234567890123456789012","ipAddress":"192.0.2.0","versionNumber":3}"#;
        let read = decode_presence("$aws/events/presence/connected/lamp-1", came.as_bytes()).unwrap();
        let want = Presence { thing: "lamp-1".into(), at: WallMs(1_573_002_230_757), ..event(true, 3, 0) };
        assert_eq!(read, want);
        let went = r#"{"clientId":"c/7","thingName":"lamp-1","timestamp":1573002340451,"eventType":"disconnected",
            "clientInitiatedDisconnect":false,"disconnectReason":"CONNECTION_LOST","versionNumber":3}"#;
        let read = decode_presence("$aws/events/presence/disconnected/c/7", went.as_bytes()).unwrap();
        assert_eq!((read.thing.as_str(), read.connected, read.reason.as_str()), ("lamp-1", false, "CONNECTION_LOST"));
        assert!(read.follows(&want) && !want.follows(&read));
    }

    #[test]
    fn events_are_put_in_order_by_their_numbers() {
        for (name, earlier, later) in [
            ("an end follows its beginning", event(true, 3, 10), event(false, 3, 10)),
            ("another connection follows", event(false, 3, 10), event(true, 4, 10)),
            ("also where the clocks of the service differ", event(false, 3, 10), event(true, 4, 9)),
            ("counted anew after an hour away", event(false, 30, 10), event(true, 0, 3_700)),
        ] {
            assert!(later.follows(&earlier), "{name}");
            assert!(!earlier.follows(&later), "{name}: not the other way");
            assert!(!later.follows(&later), "{name}: twice is no news");
        }
        assert!(!event(true, 2, 60).follows(&event(false, 3, 10)), "late by a minute is only late");
    }

    #[test]
    fn what_is_no_event_is_refused_with_the_reason() {
        let topic = "$aws/events/presence/connected/a";
        for (topic, payload, says) in [
            ("$aws/events/presence/gone/a", "{}", "is none of the events that are read"),
            ("$aws/events/presence/connected", "{}", "is none of the events that are read"),
            (topic, "", "not JSON"),
            (topic, "[]", "an array where an object belongs"),
            (topic, r#"{"clientId":"a"}"#, "\"eventType\" is missing"),
            (topic, r#"{"clientId":"b","eventType":"connected"}"#, "the client of its topic"),
            (topic, r#"{"clientId":"a","eventType":"disconnected"}"#, "what its topic says"),
            (topic, r#"{"clientId":"a","eventType":"connected"}"#, "\"timestamp\" is missing"),
            (topic, r#"{"clientId":"a","eventType":"connected","timestamp":1}"#, "\"versionNumber\" is missing"),
            (topic, r#"{"clientId":"a","eventType":"connected","timestamp":1,"versionNumber":-1}"#, "from 0"),
            (topic, r#"{"clientId":"a","eventType":"connected","timestamp":"x","versionNumber":1}"#, "a time in"),
        ] {
            let error = decode_presence(topic, payload.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{topic} {payload}: {error}");
        }
    }
}
