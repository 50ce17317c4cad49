//! The MQTT link: one connection to one broker, kept up. It connects, backs off, subscribes anew on every connection, hands
//! messages in through a bounded channel, publishes, and acknowledges when it is told that a message is safe.
//!
//! It speaks MQTT 3.1.1 and 5 and is the only crate that knows the client library. What does not belong here: the meaning of
//! topics and payloads, storage, retries of publishes (an outbox outlives a connection; this does not).
//!
//! Delivery (docs/adr/0003-delivery.md): at QoS 1 nothing is acknowledged before [`Link::acknowledge`]; while the channel is
//! full nothing is read and the broker holds. Only live QoS 0 messages may be shed, latest-wins per topic, and they are counted.
//!
//! ```no_run
//! # async fn example() -> Result<(), fleetlens_link::LinkError> {
//! use fleetlens_link::{Event, Link, LinkConfig};
//!
//! let config = LinkConfig {
//!     filters: vec![("malta/#".to_owned(), 1)],
//!     ..LinkConfig::new("mqtt://localhost:1883", "fleetlens-4711")
//! };
//! let (link, mut events) = Link::start(config)?;
//! while let Some(event) = events.recv().await {
//!     if let Event::Received(message) = event {
//!         // …store it, and only then:
//!         if let Some(delivery) = message.delivery {
//!             link.acknowledge(delivery);
//!         }
//!     }
//! }
//! # Ok(()) }
//! ```

mod about;
mod address;
mod backoff;
mod config;
mod error;
mod event;
mod fault;
pub mod keychain;
mod overflow;
mod properties;
mod run;
mod secret;
mod session;
mod shared;
mod subscriptions;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use about::About;
pub use address::Destination;
pub use config::{Credentials, LinkConfig, Protocol};
pub use error::{LinkError, NotSent};
pub use event::{Event, Message};
pub use properties::{Mqtt5, Properties};
pub use secret::{Secret, SecretError};
pub use tls::{Tls, TlsError, What};

use run::Task;
use session::Terms;
use shared::Shared;

/// How long [`Link::stop`] gives the goodbye before it cuts the connection.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// A handle of the link. Clones are the same link; when the last one is dropped, it disconnects and ends.
#[derive(Clone, Debug)]
pub struct Link {
    shared: Arc<Shared>,
    life: Arc<Life>,
}

/// Ends the task when the last handle goes, and knows when it has ended.
#[derive(Debug)]
struct Life {
    abort: tokio::task::AbortHandle,
    ended: CancellationToken,
    asked: CancellationToken,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.asked.cancel();
    }
}

impl Link {
    /// Checks the configuration, starts the one task that keeps the connection, and returns the handle and what it tells.
    ///
    /// Returns at once; whether there is a broker comes as events. When the receiver is dropped, the link ends.
    /// Fails on a configuration that can never work and outside a Tokio runtime.
    pub fn start(config: LinkConfig) -> Result<(Link, mpsc::Receiver<Event>), LinkError> {
        let address = config.checked()?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| LinkError::NoRuntime)?;
        let shared = Arc::new(Shared::new(config.outbox));
        let (events, receiver) = mpsc::channel(config.inbox);
        let asked = CancellationToken::new();
        let ended = CancellationToken::new();
        let task = Task::new(config, address, events, Arc::clone(&shared));
        let last_breath = ended.clone().drop_guard();
        let stopping = asked.clone();
        let running = runtime.spawn(async move {
            task.run(stopping).await;
            drop(last_breath);
        });
        let life = Life { abort: running.abort_handle(), ended, asked };
        Ok((Link { shared, life: Arc::new(life) }, receiver))
    }

    /// Hands a message over to be published, without waiting. `qos` is 0 or 1, and lowered where the broker says that it takes
    /// only 0 (MQTT 5).
    ///
    /// `Ok` means that it is queued on the connection that is up now, not that the broker has it: when the link falls it may
    /// be lost, so whatever must arrive needs an answer and an outbox. At most [`LinkConfig::outbox`] messages wait.
    pub fn try_publish(&self, topic: String, payload: Vec<u8>, qos: u8, retain: bool) -> Result<(), NotSent> {
        self.shared.publish(topic, payload, Terms { qos, retain, expiry_s: None })
    }

    /// As [`Link::try_publish`], never retained, for what must not be delivered late: with MQTT 5 the broker drops what it could not
    /// hand on within `expiry_s` seconds, such as a command to a thing that is away. With 3.1.1 nobody can be told.
    pub fn try_publish_within(&self, topic: String, payload: Vec<u8>, qos: u8, expiry_s: u32) -> Result<(), NotSent> {
        self.shared.publish(topic, payload, Terms { qos, retain: false, expiry_s: Some(expiry_s) })
    }

    /// Subscribes to further filters at QoS 1, on this connection and all that follow, until the link ends. Those that are asked for
    /// already are left as they are. They are asked for a few packets at a time beside everything else, and what the broker refuses
    /// comes as [`Event::Refused`]; [`Event::Up`] does not wait for them.
    pub fn subscribe(&self, filters: Vec<String>) {
        self.shared.subscribe(filters);
    }

    /// How many publishes the broker may not have yet: at QoS 1 it has not answered, at QoS 0 they are not sent. 0 without a
    /// connection, which takes with it what was unfinished ([`Event::Down`]).
    pub fn unfinished(&self) -> usize {
        self.shared.unfinished()
    }

    /// What the last connection failed over, or the try to make one; `None` while none has. Set before [`Event::Connecting`] tells
    /// the reason in words.
    pub fn failed_over(&self) -> Option<About> {
        self.shared.failed_over()
    }

    /// Tells the broker that a message is safe with us. A delivery of a connection that is gone, or one that was already
    /// acknowledged, is ignored: the broker sends the former again.
    pub fn acknowledge(&self, delivery: u64) {
        self.shared.acknowledge(delivery);
    }

    /// Sends what is queued and a DISCONNECT, and waits until the connection is closed: at most about a second. Every clone
    /// is stopped with it.
    pub async fn stop(self) {
        self.life.asked.cancel();
        if tokio::time::timeout(STOP_WITHIN, self.life.ended.cancelled()).await.is_err() {
            self.life.abort.abort();
            self.life.ended.cancelled().await;
        }
    }
}
