//! STATE: whether a host application is there (specification, section 6.4.27).

use fleetlens_model::freshness::Presence;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;

use super::topic::STATE;
use super::{INTERVAL_S, WORD};
use crate::telemetry::{About, Fact, Steering, Telemetry};
use crate::{WireError, json};

/// The largest STATE message, in bytes.
const STATE_MAX_BYTES: usize = 1_024;

/// The host application whose STATE a topic is.
pub(super) fn host_of(topic: &str) -> Option<&str> {
    topic.strip_prefix(STATE).filter(|host| !host.contains('/'))
}

/// What a message says of the host application, which is a thing of its topic's name with one value, `/online`:
/// `{"online":true,"timestamp":1486144502122}`. Empty where it was taken back, which says nothing.
pub(super) fn read(host: &str, payload: &[u8]) -> Result<Vec<Telemetry>, WireError> {
    if payload.is_empty() {
        return Ok(Vec::new());
    }
    let state = json::object(payload, STATE_MAX_BYTES, 2)?;
    let online = state.get("online").ok_or_else(|| json::missing("online"))?;
    let time = state.get("timestamp").ok_or_else(|| json::missing("timestamp"))?;
    let Some(is_online) = online.as_bool() else { return Err(json::wrong("online", online, "true or false")) };
    let Some(at_ms) = time.as_u64().and_then(|ms| i64::try_from(ms).ok()) else {
        return Err(json::wrong("timestamp", time, "a whole number of milliseconds since 1970"));
    };
    let mut about = About { interval_s: Some(INTERVAL_S), ..About::default() };
    about.say(Fact::Title, &format!("Host application {host}"));
    about.steering = Some(Steering { convention: WORD, controls: Vec::new() });
    about.labels.push(("/online".to_owned(), "Online".to_owned()));
    Ok(vec![Telemetry {
        thing: Some(format!("{STATE}{host}")),
        claimed: Some(WallMs(at_ms)),
        values: vec![("/online".to_owned(), Value::Flag(is_online))],
        about,
        presence: Some(if is_online { Presence::Here } else { Presence::Gone }),
        ..Telemetry::default()
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_application_is_there_or_not() {
        for (payload, want) in [
            (r#"{"online":true,"timestamp":1486144502122}"#, Some((Value::Flag(true), Presence::Here))),
            (r#"{"online":false,"timestamp":1486144502122}"#, Some((Value::Flag(false), Presence::Gone))),
            ("", None),
        ] {
            let said = read("scada", payload.as_bytes()).unwrap();
            let said = said.first().map(|said| (said.values[0].1.clone(), said.presence.unwrap()));
            assert_eq!(said, want, "{payload}");
        }
        for payload in
            ["ONLINE", r#"{"online":1,"timestamp":1}"#, r#"{"online":true}"#, r#"{"online":true,"timestamp":-1}"#]
        {
            assert!(read("scada", payload.as_bytes()).is_err(), "{payload}");
        }
    }
}
