//! The client library behind one face for both versions of MQTT: one connection, never reused after an error, because a
//! session lost with publishes in flight can livelock the library's event loop.

mod v4;
mod v5;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::about::About;
use crate::address::{Address, Carrier};
use crate::config::{Credentials, LinkConfig, Protocol};
use crate::fault::Fault;
use crate::properties::Properties;
use crate::secret;
use crate::subscriptions::LATER_UNANSWERED;
use crate::tls::{Tls, TlsError};

/// A connection that takes longer to come about has failed.
const CONNECT_WITHIN_S: u64 = 10;

/// Publishes at QoS 1 that may be on the way without an answer; the packet id starts again from 1 after this many.
pub(crate) const IN_FLIGHT_MAX: u16 = 1000;

/// The half that is polled.
pub(crate) enum Session {
    V4(Box<v4::Session>),
    V5(Box<v5::Session>),
}

/// PUBACKs that may stand in the library's queue at version 5, which they share with publishes. A place there takes some 400 bytes and
/// is never given back, a packet id of ours two.
const ACKNOWLEDGEMENTS_QUEUED: usize = 4_096;

/// The half that takes requests, without waiting.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    client: Client,
    /// How many were made and went into the library's queue, acknowledgements left out.
    made: Arc<AtomicUsize>,
    /// Acknowledgements in the library's queue.
    acknowledging: Arc<AtomicUsize>,
    /// And those that wait for room there; none overtakes them (MQTT 5, 4.6).
    held: Arc<AtomicUsize>,
}

#[derive(Clone, Debug)]
enum Client {
    V4(rumqttc::AsyncClient),
    V5(rumqttc::v5::AsyncClient),
}

/// How a message goes out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Above 1 counts as 1.
    pub qos: u8,
    pub retain: bool,
    /// How long the broker may take to hand it on, in seconds; nothing at version 3.1.1.
    pub expiry_s: Option<u32>,
}

/// What came of one step of the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// CONNACK. The limits are the broker's, where it names them.
    Greeted { session_present: bool, packet_max_bytes: Option<u32>, keep_alive_s: Option<u16>, qos_max: Option<u8> },
    /// PUBLISH; the topic is an error where it is not UTF-8.
    Published {
        topic: Result<String, String>,
        payload: Bytes,
        qos: u8,
        retained: bool,
        redelivered: bool,
        packet_id: u16,
        properties: Option<Box<Properties>>,
    },
    /// A SUBSCRIBE of ours went out; they go in the order of the requests.
    SubscribeSent { packet_id: u16 },
    /// SUBACK: for each filter the QoS granted or why not.
    Subscribed { packet_id: u16, answers: Vec<Result<u8, String>> },
    /// A PUBLISH of ours went out; they go in the order of the requests. 0 at QoS 0.
    PublishSent { packet_id: u16 },
    /// PUBACK.
    PublishAnswered { packet_id: u16, refusal: Option<String> },
    /// Our DISCONNECT went out.
    GoodbyeSent,
    /// Nothing that concerns anybody else.
    Other,
}

/// What a connection is made through, read anew for each: certificates are renewed and tokens expire.
pub(crate) struct Through {
    transport: rumqttc::Transport,
    login: Option<(String, String)>,
}

impl Through {
    /// Reads what is needed, away from the runtime's own threads.
    pub async fn prepare(config: &LinkConfig, at: &Address) -> Result<Through, Fault> {
        let (tls, carrier) = (config.tls.clone(), at.carrier);
        let reading = tokio::task::spawn_blocking(move || transport(&tls, carrier));
        let transport = match tokio::time::timeout(secret::READ_WITHIN, reading).await {
            Ok(Ok(transport)) => transport.map_err(|error| Fault::Unprepared(error.about(), error.to_string()))?,
            Ok(Err(error)) => {
                let why = format!("our certificates cannot be read: {error}");
                return Err(Fault::Unprepared(About::Broker, why));
            }
            Err(_) => {
                let late = "our certificates cannot be read in time; are they on a drive of the network?";
                return Err(Fault::Unprepared(About::Broker, late.to_owned()));
            }
        };
        let login = match &config.credentials {
            None => None,
            Some(Credentials { user, password: None }) => Some((user.clone(), String::new())),
            Some(Credentials { user, password: Some(password) }) => {
                let password = password.read().await;
                let unread = |error: secret::SecretError| Fault::Unprepared(About::Password, error.to_string());
                Some((user.clone(), password.map_err(unread)?))
            }
        };
        Ok(Through { transport, login })
    }
}

fn transport(tls: &Tls, carrier: Carrier) -> Result<rumqttc::Transport, TlsError> {
    let tls = || Ok(rumqttc::TlsConfiguration::Rustls(tls.client()?));
    Ok(match carrier {
        Carrier::Tcp => rumqttc::Transport::Tcp,
        Carrier::Tls => rumqttc::Transport::Tls(tls()?),
        Carrier::WebSocket => rumqttc::Transport::Ws,
        Carrier::EncryptedWebSocket => rumqttc::Transport::Wss(tls()?),
    })
}

/// The request was not taken: the library's queue is full or its session is gone.
#[derive(Debug)]
pub(crate) struct NotTaken;

impl Session {
    /// Prepares a connection; it is made at the first poll.
    pub fn new(config: &LinkConfig, at: &Address, through: Through) -> (Session, Requests) {
        let places = config.outbox + ACKNOWLEDGEMENTS_QUEUED + config.filters.len() + LATER_UNANSWERED;
        match config.protocol {
            Protocol::V4 => {
                let (session, requests) = v4::Session::new(config, at, through, places);
                (Session::V4(Box::new(session)), Requests::of(Client::V4(requests)))
            }
            Protocol::V5 => {
                let (events, client) = v5::start(config, at, through, places);
                let requests = Requests::of(Client::V5(client));
                (Session::V5(Box::new(v5::Session::new(config, events, requests.clone()))), requests)
            }
        }
    }

    /// The next step. Not to be dropped half-way while the connection is to live and a request is on its way ([`Requests::made`]):
    /// it would be lost.
    pub async fn poll(&mut self) -> Result<Step, Fault> {
        match self {
            Session::V4(session) => session.poll().await,
            Session::V5(session) => session.poll().await,
        }
    }

    /// A step that was made already: the library reads ahead.
    pub fn read_ahead(&mut self) -> Option<Result<Step, Fault>> {
        match self {
            Session::V4(session) => session.read_ahead().map(Ok),
            Session::V5(session) => session.read_ahead(),
        }
    }

    /// Sends the PUBACKs of these packets together, where [`Requests::acknowledge`] leaves it to this.
    pub async fn acknowledge(&mut self, packet_ids: &[u16]) -> Result<(), Fault> {
        match self {
            Session::V4(session) => session.acknowledge(packet_ids).await,
            // The library has no way to it but its queue.
            Session::V5(session) => {
                session.acknowledge(packet_ids);
                Ok(())
            }
        }
    }
}

impl Requests {
    fn of(client: Client) -> Requests {
        Requests { client, made: Arc::default(), acknowledging: Arc::default(), held: Arc::default() }
    }

    /// How many requests were made, which come back as [`Step::SubscribeSent`], [`Step::PublishSent`] or [`Step::GoodbyeSent`].
    pub fn made(&self) -> usize {
        self.made.load(Ordering::Acquire)
    }

    /// Counted first: whoever sees that nothing was made also knows that nothing is on its way.
    fn make(&self, request: impl FnOnce(&Client) -> Result<(), NotTaken>) -> Result<(), NotTaken> {
        self.made.fetch_add(1, Ordering::AcqRel);
        request(&self.client).inspect_err(|_| _ = self.made.fetch_sub(1, Ordering::AcqRel))
    }

    /// Asks for these filters in one packet.
    pub fn subscribe(&self, filters: &[(String, u8)]) -> Result<(), NotTaken> {
        self.make(|client| match client {
            Client::V4(client) => v4::subscribe(client, filters),
            Client::V5(client) => v5::subscribe(client, filters),
        })
    }

    /// Queues a message.
    pub fn publish(&self, topic: String, payload: Vec<u8>, terms: Terms) -> Result<(), NotTaken> {
        self.make(|client| match client {
            Client::V4(client) => v4::publish(client, topic, payload, terms),
            Client::V5(client) => v5::publish(client, topic, payload, terms),
        })
    }

    /// Queues the PUBACK of a packet; `None` where [`Session::acknowledge`] sends many together, or as there is room.
    pub fn acknowledge(&self, packet_id: u16) -> Option<Result<(), NotTaken>> {
        match &self.client {
            Client::V4(_) => None,
            Client::V5(client) => {
                let queued = if self.held.load(Ordering::Acquire) > 0 { None } else { self.queue(client, packet_id) };
                if queued.is_none() {
                    self.held.fetch_add(1, Ordering::AcqRel);
                }
                queued
            }
        }
    }

    /// Queues the PUBACK of a packet that waited; false while there is no room.
    fn acknowledge_held(&self, packet_id: u16) -> bool {
        let Client::V5(client) = &self.client else { return true };
        let queued = self.queue(client, packet_id).is_some();
        if queued {
            self.held.fetch_sub(1, Ordering::AcqRel);
        }
        queued
    }

    fn queue(&self, client: &rumqttc::v5::AsyncClient, packet_id: u16) -> Option<Result<(), NotTaken>> {
        if self.acknowledging.fetch_add(1, Ordering::AcqRel) >= ACKNOWLEDGEMENTS_QUEUED {
            self.acknowledged();
            return None;
        }
        Some(v5::acknowledge(client, packet_id).inspect_err(|_| self.acknowledged()))
    }

    /// A PUBACK has left the library's queue.
    fn acknowledged(&self) {
        self.acknowledging.fetch_sub(1, Ordering::AcqRel);
    }

    /// Queues a DISCONNECT behind everything else.
    pub fn say_goodbye(&self) -> Result<(), NotTaken> {
        self.make(|client| match client {
            Client::V4(client) => client.try_disconnect().map_err(|_| NotTaken),
            Client::V5(client) => client.try_disconnect().map_err(|_| NotTaken),
        })
    }
}

/// Small packets leave at once: an acknowledgement that waits for company delays the broker's next messages.
fn network_options() -> rumqttc::NetworkOptions {
    let mut options = rumqttc::NetworkOptions::new();
    options.set_tcp_nodelay(true);
    options.set_connection_timeout(CONNECT_WITHIN_S);
    options
}

fn keep_alive(config: &LinkConfig) -> Duration {
    Duration::from_secs(u64::from(config.keep_alive_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_in_the_librarys_queue_waits_and_nothing_overtakes_it() {
        let config = LinkConfig::new("mqtt://nowhere", "c");
        let address = Address::of("mqtt://nowhere").expect("it is an address");
        let through = Through::prepare(&config, &address).await.unwrap_or_else(|_| panic!("it needs nothing"));
        let (mut session, requests) = Session::new(&config, &address, through);
        for packet_id in 1..=5_000 {
            let queued = requests.acknowledge(packet_id).is_some_and(|queued| queued.is_ok());
            assert_eq!(queued, usize::from(packet_id) <= ACKNOWLEDGEMENTS_QUEUED, "{packet_id}");
        }
        let queued = requests.acknowledging.load(Ordering::Acquire);
        assert_eq!((queued, requests.held.load(Ordering::Acquire)), (ACKNOWLEDGEMENTS_QUEUED, 904));
        // One leaves, but who waited longer is first.
        requests.acknowledged();
        assert!(requests.acknowledge(5_001).is_none());
        let held: Vec<u16> = (4_097..=5_001).collect();
        session.acknowledge(&held).await.unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!(requests.held.load(Ordering::Acquire), 904, "one more went in");
        (0..2_000).for_each(|_| requests.acknowledged());
        session.acknowledge(&[]).await.unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!(requests.held.load(Ordering::Acquire), 0);
        assert!(requests.acknowledge(5_002).is_some());
    }
}
