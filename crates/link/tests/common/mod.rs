//! A real broker, a scripted one, and waiting for events.

#![allow(dead_code, reason = "each test program uses its part")]

pub mod mosquitto;
pub mod peer;

use std::io::Write;
use std::time::Duration;

use fleetlens_link::{Event, Events, Link, LinkConfig, Message, NotSent, Protocol};
use tokio::time::timeout;

pub const BOTH: [Protocol; 2] = [Protocol::V4, Protocol::V5];

/// Far more than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A persistent session with these filters.
pub fn config(url: &str, protocol: Protocol, client_id: &str, filters: &[(&str, u8)]) -> LinkConfig {
    let filters = filters.iter().map(|(filter, qos)| ((*filter).to_owned(), *qos)).collect();
    LinkConfig { protocol, filters, ..LinkConfig::new(url, client_id) }
}

pub async fn next(events: &mut Events) -> Event {
    timeout(PATIENCE, events.recv()).await.expect("an event in time").expect("the link lives")
}

/// The first event `pick` makes something of; those before it are dropped.
pub async fn until<T>(events: &mut Events, what: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let mut passed = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let event = events.recv().await.unwrap_or_else(|| panic!("{what}: the link ended after {passed:?}"));
            passed.push(format!("{event:?}"));
            if let Some(found) = pick(event) {
                return found;
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("no {what} in time"))
}

/// Whether the session was there before.
pub async fn up(events: &mut Events) -> bool {
    until(
        events,
        "Up",
        |event| if let Event::Up { session_present, .. } = event { Some(session_present) } else { None },
    )
    .await
}

pub async fn message(events: &mut Events) -> Message {
    until(events, "message", |event| if let Event::Received(message) = event { Some(message) } else { None }).await
}

/// The reason of the next failed attempt.
pub async fn failure(events: &mut Events) -> String {
    until(events, "failure", |event| if let Event::Connecting { reason } = event { reason } else { None }).await
}

/// A link that only publishes, and is up.
pub async fn publisher(url: &str, protocol: Protocol) -> (Link, Events) {
    let config = LinkConfig {
        clean_start: true,
        session_expiry_s: 0,
        outbox: 10_000,
        ..config(url, protocol, "publisher", &[])
    };
    let (link, mut events) = Link::start(config).unwrap();
    up(&mut events).await;
    (link, events)
}

pub fn publish(link: &Link, topic: &str, payload: &str, qos: u8) -> Result<(), NotSent> {
    link.try_publish(topic.to_owned(), payload.into(), qos, false)
}

/// Waits until so many publishes are unfinished.
pub async fn reaches(link: &Link, unfinished: usize) {
    let reached = async {
        while link.unfinished() != unfinished {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, reached)
        .await
        .unwrap_or_else(|_| panic!("{} and not {unfinished} unfinished", link.unfinished()));
}

/// Tells past the test harness, which swallows what a passing test prints, that a test is skipped and why. Where `CI` is set,
/// nothing may be skipped and this fails.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}, and with CI set no test may be skipped");
    // Whoever closed our stderr does not want to know.
    _ = writeln!(std::io::stderr(), "skipped: {why}");
}
