//! MQTT 5.

// The library's enums are matched here; what this crate does not use of them is of no concern to it.
#![expect(clippy::wildcard_enum_match_arm, reason = "enums of the client library, which grow without us")]

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, DisconnectReasonCode, Filter, PubAckReason, Publish, PublishProperties, SubscribeReasonCode,
};
use rumqttc::v5::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, Incoming, MqttOptions, StateError, mqttbytes,
};

use super::{
    CONNECT_WITHIN_S, IN_FLIGHT_MAX, NotTaken, Requests, Step, Terms, Through, keep_alive, network_options, v4,
};
use crate::address::Address;
use crate::config::LinkConfig;
use crate::fault::{Fault, Refusal};
use crate::properties::{Properties, said};

/// Publishes at QoS 1 that a broker may have sent us unacknowledged, where the profile does not say.
const RECEIVE_MAXIMUM: u16 = 1_000;

pub(crate) struct Session {
    events: EventLoop,
    packet_max_bytes: u32,
    keep_alive: Duration,
    /// Topics by the number the broker gave them. The library hands a message on before it looks its alias up, with an empty topic.
    aliases: HashMap<u16, Vec<u8>>,
    /// What ended it, until everything that was read before has been handed on.
    fault: Option<Fault>,
    requests: Requests,
    /// Packets whose PUBACK waits for room in the library's queue.
    acknowledged: VecDeque<u16>,
}

/// The library's two halves.
pub(super) fn start(config: &LinkConfig, at: &Address, through: Through, places: usize) -> (EventLoop, AsyncClient) {
    let mut options = MqttOptions::new(&config.client_id, at.for_library(), at.port);
    let said = &config.mqtt5;
    let receive_maximum = said.receive_maximum.unwrap_or(RECEIVE_MAXIMUM);
    options
        .set_keep_alive(keep_alive(config))
        .set_clean_start(config.clean_start)
        .set_session_expiry_interval(Some(config.session_expiry_s))
        .set_receive_maximum(Some(receive_maximum))
        .set_topic_alias_max(Some(said.topic_alias_maximum).filter(|most| *most > 0))
        .set_request_problem_info(said.request_problem_information.map(u8::from))
        .set_user_properties(said.user_properties.clone())
        .set_max_packet_size(Some(config.max_packet_bytes))
        .set_outgoing_inflight_upper_limit(IN_FLIGHT_MAX)
        .set_connection_timeout(CONNECT_WITHIN_S)
        .set_network_options(network_options())
        .set_manual_acks(true)
        .set_transport(through.transport);
    if let Some((user, password)) = through.login {
        options.set_credentials(user, password);
    }
    let (client, events) = AsyncClient::new(options, places);
    (events, client)
}

impl Session {
    pub fn new(config: &LinkConfig, events: EventLoop, requests: Requests) -> Session {
        let (packet_max_bytes, keep_alive) = (config.max_packet_bytes, keep_alive(config));
        let (aliases, acknowledged) = (HashMap::new(), VecDeque::new());
        Session { events, packet_max_bytes, keep_alive, aliases, fault: None, requests, acknowledged }
    }

    /// Queues the PUBACKs of these packets, as there is room.
    pub fn acknowledge(&mut self, packet_ids: &[u16]) {
        self.acknowledged.extend(packet_ids);
        while let Some(packet_id) = self.acknowledged.pop_front() {
            if !self.requests.acknowledge_held(packet_id) {
                self.acknowledged.push_front(packet_id);
                return;
            }
        }
    }

    pub async fn poll(&mut self) -> Result<Step, Fault> {
        if self.fault.is_none() {
            match self.events.poll().await {
                Ok(event) => return self.step(event),
                Err(error) => self.fault = Some(fault(error, self.packet_max_bytes)),
            }
        }
        // The library reads ahead: messages that came before the end are still good.
        match (self.events.state.events.pop_front(), &self.fault) {
            (Some(event), _) => self.step(event),
            (None, Some(fault)) => Err(fault.clone()),
            (None, None) => Ok(Step::Other),
        }
    }

    pub fn read_ahead(&mut self) -> Option<Result<Step, Fault>> {
        let event = self.events.state.events.pop_front()?;
        Some(self.step(event))
    }

    /// An event, unless it is one that a broker may not send and the library does not mind.
    fn step(&mut self, event: Event) -> Result<Step, Fault> {
        match event {
            Event::Incoming(Incoming::Publish(mut publish)) => {
                self.name(&mut publish).map_err(|fault| self.fault.insert(fault).clone())?;
                Ok(published(publish))
            }
            Event::Incoming(packet) => {
                if matches!(packet, Incoming::ConnAck(_)) {
                    self.ping_no_more_seldom_than_we_would();
                }
                Ok(incoming(packet))
            }
            Event::Outgoing(packet) => {
                if matches!(packet, Outgoing::PubAck(_)) {
                    self.requests.acknowledged();
                    self.acknowledge(&[]);
                }
                Ok(v4::outgoing(packet))
            }
        }
    }

    /// Puts the topic in the place of its alias, and remembers a new one (MQTT 5, 3.3.2.3.4).
    fn name(&mut self, publish: &mut Publish) -> Result<(), Fault> {
        let Some(alias) = publish.properties.as_ref().and_then(|properties| properties.topic_alias) else {
            return Ok(());
        };
        if alias == 0 || alias > self.events.options.topic_alias_max().unwrap_or(0) {
            return Err(Fault::NotUnderstood(format!("the topic alias {alias}, which we did not offer")));
        }
        if publish.topic.is_empty() {
            let known = self.aliases.get(&alias).cloned();
            let known = known.ok_or_else(|| Fault::NotUnderstood(format!("the topic alias {alias} of no topic")))?;
            publish.topic = known.into();
        } else {
            self.aliases.insert(alias, publish.topic.to_vec());
        }
        Ok(())
    }

    /// The library takes the keep-alive that a broker names as it is: 0, which means none, as a ping without a pause, and
    /// hours as hours in which nobody would notice that the connection is dead. To ping more often is always allowed
    /// (MQTT 5, 3.1.2.10).
    fn ping_no_more_seldom_than_we_would(&mut self) {
        let named = self.events.options.keep_alive();
        if named.is_zero() || named > self.keep_alive {
            self.events.options.set_keep_alive(self.keep_alive);
        }
    }
}

fn published(publish: Publish) -> Step {
    let properties = publish.properties.and_then(|its| {
        Properties::of(its.content_type, its.response_topic, its.message_expiry_interval, its.user_properties)
    });
    Step::Published {
        topic: match std::str::from_utf8(&publish.topic) {
            Ok(topic) => Ok(topic.to_owned()),
            Err(_) => Err(String::from_utf8_lossy(&publish.topic).into_owned()),
        },
        payload: publish.payload,
        qos: publish.qos as u8,
        retained: publish.retain,
        redelivered: publish.dup,
        packet_id: publish.pkid,
        properties,
    }
}

fn incoming(packet: Incoming) -> Step {
    match packet {
        Incoming::ConnAck(ack) => Step::Greeted {
            session_present: ack.session_present,
            packet_max_bytes: ack.properties.as_ref().and_then(|properties| properties.max_packet_size),
            keep_alive_s: ack
                .properties
                .as_ref()
                .and_then(|properties| properties.server_keep_alive)
                .filter(|s| *s > 0),
            qos_max: ack.properties.as_ref().and_then(|properties| properties.max_qos),
        },
        Incoming::SubAck(ack) => {
            let why = ack.properties.and_then(|properties| properties.reason_string);
            let answer = |code| subscribe_answer(code).map_err(|refused| because(refused, why.as_deref()));
            Step::Subscribed { packet_id: ack.pkid, answers: ack.return_codes.iter().map(answer).collect() }
        }
        Incoming::PubAck(ack) => {
            let why = ack.properties.and_then(|properties| properties.reason_string);
            let refusal = match ack.reason {
                PubAckReason::Success | PubAckReason::NoMatchingSubscribers => None,
                PubAckReason::NotAuthorized => Some("the broker does not let us publish to it".to_owned()),
                other => Some(format!("the broker did not take the message: {}", words(&other))),
            };
            Step::PublishAnswered {
                packet_id: ack.pkid,
                refusal: refusal.map(|refused| because(refused, why.as_deref())),
            }
        }
        _ => Step::Other,
    }
}

/// With what the broker says about it in words, if it does (MQTT 5, 3.4.2.2.2).
fn because(refused: String, why: Option<&str>) -> String {
    match why {
        Some(why) if !why.is_empty() => format!("{refused} (it says: {})", said(why)),
        Some(_) | None => refused,
    }
}

fn subscribe_answer(code: &SubscribeReasonCode) -> Result<u8, String> {
    match code {
        SubscribeReasonCode::Success(granted) => Ok(*granted as u8),
        SubscribeReasonCode::NotAuthorized => Err("the broker does not let us subscribe to it".to_owned()),
        other => Err(format!("the broker did not take the subscription: {}", words(other))),
    }
}

/// `NotAuthorized` as `not authorized`.
fn words(code: &impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

pub(super) fn subscribe(client: &AsyncClient, filters: &[(String, u8)]) -> Result<(), NotTaken> {
    taken(client.try_subscribe_many(filters.iter().map(|(filter, qos)| Filter::new(filter.clone(), qos_of(*qos)))))
}

pub(super) fn publish(client: &AsyncClient, topic: String, payload: Vec<u8>, terms: Terms) -> Result<(), NotTaken> {
    let Terms { qos, retain, expiry_s } = terms;
    taken(match expiry_s {
        None => client.try_publish(topic, qos_of(qos), retain, payload),
        message_expiry_interval => {
            let properties = PublishProperties { message_expiry_interval, ..PublishProperties::default() };
            client.try_publish_with_properties(topic, qos_of(qos), retain, payload, properties)
        }
    })
}

pub(super) fn acknowledge(client: &AsyncClient, packet_id: u16) -> Result<(), NotTaken> {
    // Only the packet id of it is used.
    let mut publish = Publish::new("", QoS::AtLeastOnce, Vec::new(), None);
    publish.pkid = packet_id;
    taken(client.try_ack(&publish))
}

fn taken(outcome: Result<(), ClientError>) -> Result<(), NotTaken> {
    outcome.map_err(|_| NotTaken)
}

fn qos_of(qos: u8) -> QoS {
    if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}

fn fault(error: ConnectionError, most: u32) -> Fault {
    match error {
        ConnectionError::Io(error) => Fault::of_connecting(&error),
        error @ (ConnectionError::Tls(_) | ConnectionError::Websocket(_) | ConnectionError::ResponseValidation(_)) => {
            Fault::of_handshake(&error)
        }
        ConnectionError::MqttState(StateError::Io(error)) => Fault::of_stream(&error),
        ConnectionError::Timeout(_) => Fault::NoAnswer,
        ConnectionError::ConnectionRefused(code)
        | ConnectionError::MqttState(StateError::ConnFail { reason: code }) => Fault::Refused(refusal(code)),
        ConnectionError::NotConnAck(_) => Fault::NotUnderstood("the first packet is not a CONNACK".to_owned()),
        ConnectionError::MqttState(StateError::AwaitPingResp) => Fault::Silent,
        ConnectionError::MqttState(StateError::ConnectionAborted) => Fault::Closed,
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => Fault::Told {
            session_taken_over: reason_code == DisconnectReasonCode::SessionTakenOver,
            text: reason_string.map_or_else(|| words(&reason_code), |text| said(&text)),
        },
        ConnectionError::MqttState(StateError::IncomingPacketTooLarge { pkt_size, .. }) => {
            Fault::TooLarge { bytes: pkt_size, most }
        }
        ConnectionError::MqttState(StateError::Deserialization(error)) => match error {
            mqttbytes::Error::TopicNotUtf8 => Fault::TopicNotUtf8,
            mqttbytes::Error::PayloadSizeLimitExceeded { pkt_size, .. } => Fault::TooLarge { bytes: pkt_size, most },
            mqttbytes::Error::Io(error) => Fault::of_stream(&error),
            // The library reads no DISCONNECT without a body, which is a goodbye without a reason (MQTT 5, 3.14.2.1).
            mqttbytes::Error::PayloadRequired => {
                Fault::NotUnderstood("an empty packet, or a goodbye without a reason".to_owned())
            }
            // The library has one error for the codes of all packets.
            mqttbytes::Error::InvalidConnectReturnCode(code) => {
                Fault::NotUnderstood(format!("the reason code {code} where there is no such"))
            }
            other => Fault::NotUnderstood(other.to_string()),
        },
        ConnectionError::MqttState(StateError::WrongPacket) => Fault::of_a_client(),
        ConnectionError::MqttState(StateError::Unsolicited(packet_id)) => Fault::of_nobody(packet_id),
        other => Fault::Other(other.to_string()),
    }
}

fn refusal(code: ConnectReturnCode) -> Refusal {
    match code {
        ConnectReturnCode::RefusedProtocolVersion | ConnectReturnCode::UnsupportedProtocolVersion => Refusal::Protocol,
        ConnectReturnCode::BadClientId | ConnectReturnCode::ClientIdentifierNotValid => Refusal::ClientId,
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::BadAuthenticationMethod => Refusal::Credentials,
        ConnectReturnCode::NotAuthorized | ConnectReturnCode::Banned => Refusal::NotAuthorized,
        ConnectReturnCode::ServiceUnavailable
        | ConnectReturnCode::ServerUnavailable
        | ConnectReturnCode::ServerBusy => Refusal::Unavailable,
        other => Refusal::Other(words(&other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_becomes_words() {
        assert_eq!(words(&SubscribeReasonCode::TopicFilterInvalid), "topic filter invalid");
    }
}
