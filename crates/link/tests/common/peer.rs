//! A broker that does what the script says: for what no real one can be made to do.

use fleetlens_link::Protocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::PATIENCE;

pub const CONNECT: u8 = 0x10;
pub const SUBSCRIBE: u8 = 0x82;
pub const DISCONNECT: u8 = 0xE0;

pub struct Peer {
    listener: TcpListener,
}

pub struct Caller {
    stream: TcpStream,
}

impl Peer {
    pub async fn new() -> Peer {
        Peer { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.listener.local_addr().unwrap())
    }

    /// The next connection.
    pub async fn accept(&self) -> Caller {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.expect("a caller in time").unwrap();
        Caller { stream }
    }

    /// The next connection, greeted.
    pub async fn greet(&self, protocol: Protocol) -> Caller {
        let mut caller = self.accept().await;
        assert_eq!(caller.packet().await.unwrap().0, CONNECT);
        caller.send(&connack(protocol, 0)).await;
        caller
    }
}

impl Caller {
    /// First byte and body of the next packet; `None` when the caller has hung up.
    pub async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = timeout(PATIENCE, async {
            let first = self.stream.read_u8().await.ok()?;
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = self.stream.read_u8().await.ok()?;
                length |= usize::from(byte & 0x7F) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((first, body))
        });
        read.await.expect("a packet in time")
    }

    /// Answers the next SUBSCRIBE with these codes.
    pub async fn answer_subscribe(&mut self, protocol: Protocol, codes: &[u8]) {
        let (first, body) = self.packet().await.unwrap();
        assert_eq!(first, SUBSCRIBE);
        let mut answer = body[..2].to_vec();
        if protocol == Protocol::V5 {
            answer.push(0);
        }
        answer.extend_from_slice(codes);
        self.send(&packet(0x90, &answer)).await;
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
}

/// A packet of less than 16 KiB.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    if body.len() < 128 {
        bytes.push(body.len() as u8);
    } else {
        bytes.extend([(body.len() % 128) as u8 | 0x80, (body.len() / 128) as u8]);
    }
    bytes.extend_from_slice(body);
    bytes
}

/// A CONNACK without a session.
pub fn connack(protocol: Protocol, code: u8) -> Vec<u8> {
    match protocol {
        Protocol::V4 => packet(0x20, &[0, code]),
        Protocol::V5 => packet(0x20, &[0, code, 0]),
    }
}

/// A PUBLISH; `packet_id` makes it QoS 1.
pub fn publish(protocol: Protocol, topic: &[u8], packet_id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend_from_slice(topic);
    body.extend(packet_id.map(u16::to_be_bytes).into_iter().flatten());
    if protocol == Protocol::V5 {
        body.push(0);
    }
    body.extend_from_slice(payload);
    packet(if packet_id.is_some() { 0x32 } else { 0x30 }, &body)
}
