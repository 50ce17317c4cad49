//! MQTT 3.1.1.

// The library's enums are matched here; what this crate does not use of them is of no concern to it.
#![expect(clippy::wildcard_enum_match_arm, reason = "enums of the client library, which grow without us")]

use rumqttc::{
    AsyncClient, ClientError, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, MqttOptions, Outgoing,
    Packet, PubAck, QoS, StateError, SubscribeFilter, SubscribeReasonCode, mqttbytes,
};

use super::{IN_FLIGHT_MAX, NotTaken, Step, Terms, Through, keep_alive, network_options};
use crate::address::Address;
use crate::config::LinkConfig;
use crate::fault::{Fault, Refusal};

/// What the library may read, whatever our own limit is: it gives up the connection over a larger packet, and MQTT 3.1.1 has no
/// way to tell the broker our limit, so a message that is retained or at QoS 1 would end every connection anew. Between the two
/// limits it is refused and acknowledged like any other message (run.rs).
const READ_MAX_BYTES: u32 = 16 << 20;

pub(crate) struct Session {
    events: EventLoop,
    read_max_bytes: u32,
    /// What ended it, until everything that was read before has been handed on.
    fault: Option<Fault>,
}

impl Session {
    pub fn new(config: &LinkConfig, at: &Address, through: Through, places: usize) -> (Session, AsyncClient) {
        let mut options = MqttOptions::new(&config.client_id, at.for_library(), at.port);
        let bytes = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        let read_max_bytes = config.max_packet_bytes.max(READ_MAX_BYTES);
        options
            .set_keep_alive(keep_alive(config))
            .set_clean_session(config.clean_start)
            .set_max_packet_size(bytes(read_max_bytes), bytes(config.max_packet_bytes))
            .set_inflight(IN_FLIGHT_MAX)
            .set_manual_acks(true)
            .set_transport(through.transport);
        if let Some((user, password)) = through.login {
            options.set_credentials(user, password);
        }
        let (client, mut events) = AsyncClient::new(options, places);
        events.set_network_options(network_options());
        (Session { events, read_max_bytes, fault: None }, client)
    }

    pub async fn poll(&mut self) -> Result<Step, Fault> {
        if self.fault.is_none() {
            match self.events.poll().await {
                Ok(event) => return Ok(step(event)),
                Err(error) => self.fault = Some(fault(error, self.read_max_bytes)),
            }
        }
        // The library reads ahead: messages that came before the end are still good.
        match (self.events.state.events.pop_front(), &self.fault) {
            (Some(event), _) => Ok(step(event)),
            (None, Some(fault)) => Err(fault.clone()),
            (None, None) => Ok(Step::Other),
        }
    }
}

impl Session {
    pub fn read_ahead(&mut self) -> Option<Step> {
        self.events.state.events.pop_front().map(step)
    }

    pub async fn acknowledge(&mut self, packet_ids: &[u16]) -> Result<(), Fault> {
        // Without a connection there is nobody to tell, and the next poll says so.
        let Some(network) = self.events.network.as_mut() else { return Ok(()) };
        let most = self.read_max_bytes;
        let faulty = |error| fault(ConnectionError::MqttState(error), most);
        for packet_id in packet_ids {
            network.write(Packet::PubAck(PubAck::new(*packet_id))).await.map_err(faulty)?;
        }
        network.flush().await.map_err(faulty)
    }
}

fn step(event: Event) -> Step {
    match event {
        Event::Incoming(packet) => incoming(packet),
        Event::Outgoing(packet) => outgoing(packet),
    }
}

fn incoming(packet: Incoming) -> Step {
    match packet {
        Incoming::ConnAck(ack) => {
            let session_present = ack.session_present;
            Step::Greeted { session_present, packet_max_bytes: None, keep_alive_s: None, qos_max: None }
        }
        Incoming::Publish(publish) => Step::Published {
            payload: publish.payload,
            qos: publish.qos as u8,
            retained: publish.retain,
            redelivered: publish.dup,
            packet_id: publish.pkid,
            properties: None,
            topic: Ok(publish.topic),
        },
        Incoming::SubAck(ack) => {
            let answer = |code: &SubscribeReasonCode| match code {
                SubscribeReasonCode::Success(granted) => Ok(*granted as u8),
                SubscribeReasonCode::Failure => Err("the broker does not let us subscribe to it".to_owned()),
            };
            Step::Subscribed { packet_id: ack.pkid, answers: ack.return_codes.iter().map(answer).collect() }
        }
        Incoming::PubAck(ack) => Step::PublishAnswered { packet_id: ack.pkid, refusal: None },
        _ => Step::Other,
    }
}

/// Also of the fifth version: the library has one enum for both.
pub(super) fn outgoing(packet: Outgoing) -> Step {
    match packet {
        Outgoing::Publish(packet_id) => Step::PublishSent { packet_id },
        Outgoing::Subscribe(packet_id) => Step::SubscribeSent { packet_id },
        Outgoing::Disconnect => Step::GoodbyeSent,
        _ => Step::Other,
    }
}

pub(super) fn subscribe(client: &AsyncClient, filters: &[(String, u8)]) -> Result<(), NotTaken> {
    let filters = filters.iter().map(|(filter, qos)| SubscribeFilter::new(filter.clone(), qos_of(*qos)));
    taken(client.try_subscribe_many(filters))
}

pub(super) fn publish(client: &AsyncClient, topic: String, payload: Vec<u8>, terms: Terms) -> Result<(), NotTaken> {
    taken(client.try_publish(topic, qos_of(terms.qos), terms.retain, payload))
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
        ConnectionError::NetworkTimeout => Fault::NoAnswer,
        ConnectionError::FlushTimeout => Fault::Silent,
        ConnectionError::ConnectionRefused(code) => Fault::Refused(match code {
            ConnectReturnCode::RefusedProtocolVersion => Refusal::Protocol,
            ConnectReturnCode::BadClientId => Refusal::ClientId,
            ConnectReturnCode::ServiceUnavailable => Refusal::Unavailable,
            ConnectReturnCode::BadUserNamePassword => Refusal::Credentials,
            ConnectReturnCode::NotAuthorized => Refusal::NotAuthorized,
            ConnectReturnCode::Success => Refusal::Other("it said success".to_owned()),
        }),
        ConnectionError::NotConnAck(_) => Fault::NotUnderstood("the first packet is not a CONNACK".to_owned()),
        ConnectionError::MqttState(StateError::AwaitPingResp) => Fault::Silent,
        ConnectionError::MqttState(StateError::ConnectionAborted) => Fault::Closed,
        ConnectionError::MqttState(StateError::Deserialization(error)) => match error {
            mqttbytes::Error::TopicNotUtf8 => Fault::TopicNotUtf8,
            mqttbytes::Error::PayloadSizeLimitExceeded(bytes) => Fault::TooLarge { bytes, most },
            // A broker that speaks only MQTT 5 answers with its own code.
            mqttbytes::Error::InvalidConnectReturnCode(0x84) => Fault::Refused(Refusal::Protocol),
            mqttbytes::Error::Io(error) => Fault::of_stream(&error),
            other => Fault::NotUnderstood(other.to_string()),
        },
        ConnectionError::MqttState(StateError::WrongPacket) => Fault::of_a_client(),
        ConnectionError::MqttState(StateError::Unsolicited(packet_id)) => Fault::of_nobody(packet_id),
        other => Fault::Other(other.to_string()),
    }
}
