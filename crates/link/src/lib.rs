//! The MQTT link: one connection to one broker, kept up. It connects, backs off, subscribes anew on every connection, hands
//! messages in through a bounded channel, publishes, and acknowledges when it is told that a message is safe.
//!
//! It speaks MQTT 3.1.1 and 5 and is the only crate that knows the client library. What does not belong here: the meaning of
//! topics and payloads, storage, retries of publishes (an outbox outlives a connection; this does not).
//!
//! Delivery (docs/adr/0003-delivery.md): at QoS 1 nothing is acknowledged before [`Link::acknowledge`]; while the channel is
//! full nothing is read and the broker holds. What comes together is handed over together ([`Events::recv_together`]). Only live QoS 0 messages may be shed, latest-wins per topic, and they are counted.
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
mod inbox;
pub mod keychain;
mod overflow;
mod pace;
mod properties;
mod run;
mod secret;
mod session;
mod shared;
mod subscriptions;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use about::About;
pub use address::Destination;
pub use config::{Credentials, LinkConfig, Protocol};
pub use error::{LinkError, NotSent};
pub use event::{Event, Message};
pub use inbox::{Events, Next};
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
    gauge: inbox::Gauge,
}

/// Ends the task when the last handle goes, and knows when it has ended.
#[derive(Debug)]
struct Life {
    /// Cuts the connection.
    cut: CancellationToken,
    ended: CancellationToken,
    asked: CancellationToken,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.asked.cancel();
    }
}

impl Link {
    /// Checks the configuration, starts the one thread that keeps the connection, and returns the handle and what it tells.
    ///
    /// Returns at once; whether there is a broker comes as events. When the receiver is dropped, the link ends.
    /// Fails on a configuration that can never work and outside a Tokio runtime.
    pub fn start(config: LinkConfig) -> Result<(Link, Events), LinkError> {
        let address = config.checked()?;
        tokio::runtime::Handle::try_current().map_err(|_| LinkError::NoRuntime)?;
        let shared = Arc::new(Shared::new(config.outbox));
        let (inbox, events) = inbox::inbox(config.inbox);
        let gauge = events.gauge();
        let asked = CancellationToken::new();
        let ended = CancellationToken::new();
        let task = Task::new(config, address, inbox, Arc::clone(&shared));
        let last_breath = ended.clone().drop_guard();
        let (stopping, cut) = (asked.clone(), CancellationToken::new());
        let cutting = cut.clone();
        // A thread and a reactor of its own: a busy connection is left alone for moments (pace.rs), and in a reactor that is shared every
        // packet would wake somebody all the same.
        let live = move || {
            let _last_breath = last_breath;
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tracing::error!(%error, "the link has nothing to run on"),
            };
            runtime.block_on(async {
                tokio::select! {
                    () = task.run(stopping) => {}
                    () = cutting.cancelled() => {}
                }
            });
            // A file or a keychain that nobody waits for any more keeps nobody.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("fleetlens-link".to_owned());
        thread.spawn(live).map_err(|error| LinkError::NoThread(error.to_string()))?;
        let life = Life { cut, ended, asked };
        Ok((Link { shared, life: Arc::new(life), gauge }, events))
    }

    /// Hands a message over to be published, without waiting. `qos` is 0 or 1, and lowered where the broker says that it takes
    /// only 0 (MQTT 5).
    ///
    /// `Ok` means that it is queued on the connection that is up now, not that the broker has it: when the link falls it may
    /// be lost, so whatever must arrive needs an answer and an outbox. At most [`LinkConfig::outbox`] messages wait.
    pub fn try_publish(&self, topic: String, payload: Vec<u8>, qos: u8, retain: bool) -> Result<(), NotSent> {
        self.shared.publish(topic, payload, Terms { qos, retain, expiry_s: None }, None)
    }

    /// As [`Link::try_publish`], never retained, for what must not be delivered late: with MQTT 5 the broker drops what it could not
    /// hand on within `expiry_s` seconds, such as a command to a thing that is away. With 3.1.1 nobody can be told.
    pub fn try_publish_within(&self, topic: String, payload: Vec<u8>, qos: u8, expiry_s: u32) -> Result<(), NotSent> {
        self.shared.publish(topic, payload, Terms { qos, retain: false, expiry_s: Some(expiry_s) }, None)
    }

    /// As [`Link::try_publish_within`] at QoS 1, and [`Event::Acknowledged`] tells with this `receipt` when the broker has it. It never
    /// does where the broker takes only QoS 0, refuses it, or is gone before it answers.
    pub fn try_publish_told(
        &self,
        topic: String,
        payload: Vec<u8>,
        expiry_s: u32,
        receipt: u64,
    ) -> Result<(), NotSent> {
        self.shared.publish(topic, payload, Terms { qos: 1, retain: false, expiry_s: Some(expiry_s) }, Some(receipt))
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

    /// How many messages were read and not taken, and how many there may be; then nothing more is read.
    pub fn inbox(&self) -> (usize, usize) {
        self.gauge.read()
    }

    /// What the last connection failed over, or the try to make one; `None` while none has. Set before [`Event::Connecting`] tells
    /// the reason in words.
    pub fn failed_over(&self) -> Option<About> {
        self.shared.failed_over()
    }

    /// Tells the broker that a message is safe with us. A delivery of a connection that is gone, or one that was already
    /// acknowledged, is ignored: the broker sends the former again.
    pub fn acknowledge(&self, delivery: u64) {
        self.acknowledge_all([delivery]);
    }

    /// [`Link::acknowledge`] for many at a time, which leave in one packet of the network where the library lets them.
    pub fn acknowledge_all(&self, deliveries: impl IntoIterator<Item = u64>) {
        self.shared.acknowledge(deliveries);
    }

    /// Sends what is queued and a DISCONNECT, and waits until the connection is closed: at most about a second. Every clone
    /// is stopped with it.
    pub async fn stop(self) {
        self.life.asked.cancel();
        if tokio::time::timeout(STOP_WITHIN, self.life.ended.cancelled()).await.is_err() {
            self.life.cut.cancel();
            self.life.ended.cancelled().await;
        }
    }
}
