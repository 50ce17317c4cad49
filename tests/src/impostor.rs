//! A broker that is none: it greets, subscribes and pings as MQTT has it, and says besides what the test wants.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fleetlens_link::Protocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the next caller may take: a link that failed a few times waits some seconds between its tries.
const CALLS_WITHIN: Duration = Duration::from_secs(40);

/// What may wait to be said.
const WAITING: usize = 64;

const CONNECT: u8 = 0x10;
const SUBSCRIBE: u8 = 0x82;
const PINGREQ: u8 = 0xC0;
const PUBLISH_QOS1: u8 = 0x32;

/// Somebody who listens where a broker should.
pub struct Impostor {
    listener: TcpListener,
    port: u16,
}

/// What it answers to every filter of a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// QoS 1.
    Grants,
    /// A refusal.
    Refuses,
    /// Nothing at all.
    Nothing,
}

impl Impostor {
    /// Listens on a free loopback port.
    pub fn listen() -> Impostor {
        Impostor::listen_at(0)
    }

    /// Listens on this port.
    pub fn listen_at(port: u16) -> Impostor {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option of every socket");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).expect("the port is free");
        let listener = socket.listen(64).expect("the port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        Impostor { listener, port }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `mqtt://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// The next caller, whose CONNECT is read and not answered.
    pub async fn accept(&self) -> Caller {
        let accepted = timeout(CALLS_WITHIN, self.listener.accept()).await;
        let (stream, _) = accepted.expect("a caller in time").expect("a listener accepts");
        stream.set_nodelay(true).expect("an option of every stream");
        let (mut reads, writes) = stream.into_split();
        let first = packet_of(&mut reads).await.map(|(first, _)| first);
        assert_eq!(first.ok(), Some(CONNECT), "every caller begins with a CONNECT");
        Caller { reads, writes }
    }

    /// The next caller, greeted and subscribed.
    pub async fn serve(&self, protocol: Protocol) -> Served {
        self.serve_with(protocol, connack(protocol), Answer::Grants).await
    }

    /// The next caller, greeted with these bytes and answered like this.
    pub async fn serve_with(&self, protocol: Protocol, greeting: Vec<u8>, answer: Answer) -> Served {
        let Caller { reads, mut writes } = self.accept().await;
        // Whoever has gone meanwhile is noticed where somebody waits for them.
        let _ = writes.write_all(&greeting).await;
        let (say, mut told) = mpsc::channel::<Vec<u8>>(WAITING);
        let saying = tokio::spawn(async move {
            while let Some(bytes) = told.recv().await {
                if writes.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        let (answers, answering) = (say.clone(), Arc::new(AtomicBool::new(true)));
        let (left, gone) = watch::channel(());
        let listening = tokio::spawn({
            let answering = Arc::clone(&answering);
            async move {
                answer_all(reads, protocol, answer, &answering, answers).await;
                drop(left);
            }
        });
        Served { say, answering, gone, saying, listening }
    }
}

/// A connection on which only the CONNECT was read.
pub struct Caller {
    reads: OwnedReadHalf,
    writes: OwnedWriteHalf,
}

impl Caller {
    /// Says something.
    pub async fn say(&mut self, bytes: &[u8]) {
        // Whoever has gone meanwhile is noticed where somebody waits for them.
        let _ = self.writes.write_all(bytes).await;
    }

    /// Waits until the caller has hung up.
    pub async fn wait_until_gone(&mut self) {
        let mut rest = [0; 1024];
        while self.reads.read(&mut rest).await.is_ok_and(|bytes| bytes > 0) {}
    }
}

/// A connection whose SUBSCRIBEs, PINGREQs and publishes at QoS 1 are answered. Dropping it hangs up.
pub struct Served {
    say: mpsc::Sender<Vec<u8>>,
    answering: Arc<AtomicBool>,
    gone: watch::Receiver<()>,
    saying: JoinHandle<()>,
    listening: JoinHandle<()>,
}

impl Served {
    /// Says something between the answers; waits while the caller does not read.
    pub async fn say(&self, bytes: impl Into<Vec<u8>>) {
        // Whoever has gone meanwhile is noticed where somebody waits for them.
        let _ = self.say.send(bytes.into()).await;
    }

    /// Answers nothing more.
    pub fn stop_answering(&self) {
        self.answering.store(false, Ordering::Relaxed);
    }

    /// Waits until the caller has hung up.
    pub async fn wait_until_gone(&self) {
        // Nothing is ever sent on it: it ends.
        let _ = self.gone.clone().changed().await;
    }

    /// Closes the connection.
    pub fn hang_up(&self) {
        self.saying.abort();
        self.listening.abort();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// What a broker owes its client.
async fn answer_all(
    mut reads: OwnedReadHalf,
    protocol: Protocol,
    answer: Answer,
    answering: &AtomicBool,
    say: mpsc::Sender<Vec<u8>>,
) {
    while let Ok((first, body)) = packet_of(&mut reads).await {
        let reply = match first {
            _ if !answering.load(Ordering::Relaxed) => continue,
            SUBSCRIBE if answer == Answer::Nothing => continue,
            SUBSCRIBE => suback(protocol, &body, answer),
            PINGREQ => vec![0xD0, 0],
            PUBLISH_QOS1 => {
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                packet(0x40, &body[2 + topic..4 + topic])
            }
            _ => continue,
        };
        if say.send(reply).await.is_err() {
            return;
        }
    }
}

/// First byte and body of the next packet.
async fn packet_of(reads: &mut OwnedReadHalf) -> io::Result<(u8, Vec<u8>)> {
    let first = reads.read_u8().await?;
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = reads.read_u8().await?;
        length |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    reads.read_exact(&mut body).await?;
    Ok((first, body))
}

/// An answer for every filter of a SUBSCRIBE's body.
fn suback(protocol: Protocol, body: &[u8], answer: Answer) -> Vec<u8> {
    let code = match (answer, protocol) {
        (Answer::Grants | Answer::Nothing, _) => 1,
        (Answer::Refuses, Protocol::V4) => 0x80,
        (Answer::Refuses, Protocol::V5) => 0x87,
    };
    // The packet id, of MQTT 5 the (empty) properties, then filters with their lengths and an octet of options each.
    let mut reply = body[..2].to_vec();
    let mut rest = &body[2..];
    if protocol == Protocol::V5 {
        reply.push(0);
        rest = &rest[1 + usize::from(rest[0])..];
    }
    while let [high, low, after @ ..] = rest {
        reply.push(code);
        rest = &after[usize::from(u16::from_be_bytes([*high, *low])) + 1..];
    }
    packet(0x90, &reply)
}

/// A packet: its first byte, its length, its body.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut left = body.len();
    loop {
        let seven = (left % 128) as u8;
        left /= 128;
        bytes.push(if left > 0 { seven | 0x80 } else { seven });
        if left == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

/// A CONNACK that accepts, without a session.
pub fn connack(protocol: Protocol) -> Vec<u8> {
    match protocol {
        Protocol::V4 => packet(0x20, &[0, 0]),
        Protocol::V5 => packet(0x20, &[0, 0, 0]),
    }
}

/// A PUBLISH at QoS 0.
pub fn publish(protocol: Protocol, topic: &[u8], payload: &[u8]) -> Vec<u8> {
    publish_as(protocol, topic, None, payload)
}

/// A PUBLISH; a packet id makes it QoS 1.
pub fn publish_as(protocol: Protocol, topic: &[u8], packet_id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(topic.len()).expect("a topic has at most 65535 bytes");
    let id = packet_id.map(u16::to_be_bytes);
    let id = id.as_ref().map_or(&[][..], |id| &id[..]);
    let no_properties: &[u8] = if protocol == Protocol::V5 { &[0] } else { &[] };
    let first = if packet_id.is_some() { PUBLISH_QOS1 } else { 0x30 };
    packet(first, &[&length.to_be_bytes(), topic, id, no_properties, payload].concat())
}
