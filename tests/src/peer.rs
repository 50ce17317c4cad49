//! An MQTT client of the test's own, to play a device or to look on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetlens_link::{Event, Link, LinkConfig, Message, Protocol};
use tokio::task::JoinHandle;

use crate::wait::until;

/// How long a broker on this machine may take for anything.
const WITHIN: Duration = Duration::from_secs(20);

/// How long it may take until somebody is back on it: a link that failed often waits up to half a minute before it tries again.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// How many messages are kept; the oldest go first.
const KEPT: usize = 100_000;

/// A connected client that remembers what it heard.
pub struct Peer {
    link: Link,
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    ups: usize,
    is_up: bool,
    last: String,
    messages: VecDeque<Message>,
}

impl Peer {
    /// Connects and subscribes at QoS 1; resolves when the broker has answered every filter.
    pub async fn connect(url: &str, name: &str, filters: &[&str]) -> Peer {
        Peer::connect_with(url, name, filters, Protocol::V5).await
    }

    /// [`Peer::connect`] with a version of MQTT.
    pub async fn connect_with(url: &str, name: &str, filters: &[&str], protocol: Protocol) -> Peer {
        let config = LinkConfig {
            protocol,
            clean_start: true,
            session_expiry_s: 0,
            filters: filters.iter().map(|filter| ((*filter).to_owned(), 1)).collect(),
            ..LinkConfig::new(url, format!("test-{name}"))
        };
        let (link, mut events) = Link::start(config).unwrap_or_else(|e| panic!("the client {name} cannot be: {e}"));
        let heard = Arc::new(Mutex::new(Heard::default()));
        let task = tokio::spawn({
            let (link, heard) = (link.clone(), Arc::clone(&heard));
            async move {
                while let Some(event) = events.recv().await {
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    match event {
                        Event::Received(message) => {
                            if let Some(delivery) = message.delivery {
                                link.acknowledge(delivery);
                            }
                            heard.messages.push_back(message);
                            if heard.messages.len() > KEPT {
                                heard.messages.pop_front();
                            }
                        }
                        Event::Up { .. } => {
                            heard.is_up = true;
                            heard.ups += 1;
                        }
                        Event::Down { reason } => {
                            heard.is_up = false;
                            heard.last = reason;
                        }
                        Event::Connecting { reason } => heard.last = reason.unwrap_or_default(),
                        Event::Acknowledged { .. } => {}
                        Event::Shed { topics } => heard.last = format!("messages shed: {topics:?}"),
                        Event::Refused { topic, reason, .. } => heard.last = format!("{topic}: {reason}"),
                    }
                }
            }
        });
        let peer = Peer { link, heard, task };
        peer.wait_until_up().await;
        peer
    }

    /// Waits until the link is up, after the broker was away.
    pub async fn wait_until_up(&self) {
        until("the test's own client to connect", BACK_WITHIN, async || {
            let heard = self.heard();
            if heard.is_up { Ok(()) } else { Err(heard.last.clone()) }
        })
        .await;
    }

    /// Hands a message to the broker at QoS 1; waits while the queue is full.
    pub async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.send(topic, payload.into(), 1, false).await;
    }

    /// [`Peer::publish`] at QoS 0: nobody says that it came.
    pub async fn say(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.send(topic, payload.into(), 0, false).await;
    }

    /// [`Peer::publish`], and the broker keeps it.
    pub async fn publish_retained(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.send(topic, payload.into(), 1, true).await;
    }

    /// [`Peer::publish`], and the broker drops it where it cannot hand it on within so many seconds.
    pub async fn publish_within(&self, topic: &str, payload: impl Into<Vec<u8>>, expiry_s: u32) {
        let payload = payload.into();
        until(&format!("room to publish on {topic}"), WITHIN, async || {
            self.link.try_publish_within(topic.to_owned(), payload.clone(), 1, expiry_s).map_err(|e| e.to_string())
        })
        .await;
    }

    async fn send(&self, topic: &str, payload: Vec<u8>, qos: u8, retain: bool) {
        until(&format!("room to publish on {topic}"), WITHIN, async || {
            self.link.try_publish(topic.to_owned(), payload.clone(), qos, retain).map_err(|e| e.to_string())
        })
        .await;
    }

    /// The first message, of all heard so far or yet to come, of which `pick` makes something.
    pub async fn wait_for<T>(&self, what: &str, mut pick: impl FnMut(&Message) -> Option<T>) -> T {
        self.wait_for_within(what, WITHIN, &mut pick).await
    }

    /// [`Peer::wait_for`] with a time-out of its own.
    pub async fn wait_for_within<T>(
        &self,
        what: &str,
        within: Duration,
        mut pick: impl FnMut(&Message) -> Option<T>,
    ) -> T {
        until(what, within, async || {
            let heard = self.heard();
            heard.messages.iter().find_map(&mut pick).ok_or_else(|| {
                let last: Vec<&str> = heard.messages.iter().rev().take(5).map(|m| m.topic.as_str()).collect();
                format!("{} messages, the last ones on {last:?}", heard.messages.len())
            })
        })
        .await
    }

    /// How many of the messages heard so far are wanted.
    pub fn count(&self, mut wanted: impl FnMut(&Message) -> bool) -> usize {
        self.heard().messages.iter().filter(|message| wanted(message)).count()
    }

    /// Forgets what was heard so far, so that the next wait sees only what comes.
    pub fn forget(&self) {
        self.heard().messages.clear();
    }

    /// Sends what is queued, says goodbye and ends.
    pub async fn leave(self) {
        self.link.stop().await;
        self.task.await.unwrap_or_else(|e| panic!("the client's task ended badly: {e}"));
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
