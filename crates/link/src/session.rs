//! The client library behind one face for both versions of MQTT: one connection, never reused after an error, because a
//! session lost with publishes in flight can livelock the library's event loop.

mod v4;
mod v5;

use std::time::Duration;

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
const IN_FLIGHT_MAX: u16 = 1000;

/// Acknowledgements share the library's queue with publishes and must always fit: at most every packet id once.
const ACKNOWLEDGEMENTS_MAX: usize = u16::MAX as usize;

/// The half that is polled.
pub(crate) enum Session {
    V4(Box<v4::Session>),
    V5(Box<v5::Session>),
}

/// The half that takes requests, without waiting.
#[derive(Clone, Debug)]
pub(crate) enum Requests {
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
        payload: Vec<u8>,
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
        let places = config.outbox + ACKNOWLEDGEMENTS_MAX + config.filters.len() + LATER_UNANSWERED;
        match config.protocol {
            Protocol::V4 => {
                let (session, requests) = v4::Session::new(config, at, through, places);
                (Session::V4(Box::new(session)), Requests::V4(requests))
            }
            Protocol::V5 => {
                let (session, requests) = v5::Session::new(config, at, through, places);
                (Session::V5(Box::new(session)), Requests::V5(requests))
            }
        }
    }

    /// The next step. Not to be dropped half-way while the connection is to live: a packet on its way out would be lost.
    pub async fn poll(&mut self) -> Result<Step, Fault> {
        match self {
            Session::V4(session) => session.poll().await,
            Session::V5(session) => session.poll().await,
        }
    }
}

impl Requests {
    /// Asks for these filters in one packet.
    pub fn subscribe(&self, filters: &[(String, u8)]) -> Result<(), NotTaken> {
        match self {
            Requests::V4(client) => v4::subscribe(client, filters),
            Requests::V5(client) => v5::subscribe(client, filters),
        }
    }

    /// Queues a message.
    pub fn publish(&self, topic: String, payload: Vec<u8>, terms: Terms) -> Result<(), NotTaken> {
        match self {
            Requests::V4(client) => v4::publish(client, topic, payload, terms),
            Requests::V5(client) => v5::publish(client, topic, payload, terms),
        }
    }

    /// Queues the PUBACK of a packet.
    pub fn acknowledge(&self, packet_id: u16) -> Result<(), NotTaken> {
        match self {
            Requests::V4(client) => v4::acknowledge(client, packet_id),
            Requests::V5(client) => v5::acknowledge(client, packet_id),
        }
    }

    /// Queues a DISCONNECT behind everything else.
    pub fn say_goodbye(&self) -> Result<(), NotTaken> {
        match self {
            Requests::V4(client) => client.try_disconnect().map_err(|_| NotTaken),
            Requests::V5(client) => client.try_disconnect().map_err(|_| NotTaken),
        }
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
