//! The link is cut in the middle of a packet, at every kind of place there is in one: everything arrives all the same, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};

use super::scene::{Scene, not_once, payload, topic};

/// Messages that are published.
const MESSAGES: u64 = 240;
/// In which PUBLISH of which connection it is cut; later connections are left alone.
const CUTS: [usize; 2] = [40, 25];

/// Where in a PUBLISH at QoS 1 the last byte is that comes through.
#[derive(Clone, Copy, Debug)]
enum Place {
    FirstByte,
    InRemainingLength,
    FixedHeader,
    InTopicLength,
    InTopic,
    Topic,
    InPacketId,
    PacketId,
    InPayload,
    AllButOne,
    /// The whole packet, and no acknowledgement of it comes back.
    Whole,
}

const PLACES: [Place; 11] = [
    Place::FirstByte,
    Place::InRemainingLength,
    Place::FixedHeader,
    Place::InTopicLength,
    Place::InTopic,
    Place::Topic,
    Place::InPacketId,
    Place::PacketId,
    Place::InPayload,
    Place::AllButOne,
    Place::Whole,
];

impl Place {
    /// How many bytes of this packet come through, whose body begins at `body`.
    fn bytes(self, packet: &[u8], body: usize) -> usize {
        let topic = usize::from(u16::from_be_bytes([packet[body], packet[body + 1]]));
        let packet_id = body + 2 + topic;
        match self {
            Place::FirstByte => 1,
            Place::InRemainingLength => 2,
            Place::FixedHeader => body,
            Place::InTopicLength => body + 1,
            Place::InTopic => body + 2 + topic / 2,
            Place::Topic => packet_id,
            Place::InPacketId => packet_id + 1,
            Place::PacketId => packet_id + 2,
            Place::InPayload => packet.len() - 100,
            Place::AllButOne => packet.len() - 1,
            Place::Whole => packet.len(),
        }
    }
}

/// Stands between a client and the broker, and cuts.
struct Cutter {
    port: u16,
    cuts: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Cutter {
    async fn start(broker: &str, place: Place) -> Cutter {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, cuts) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let broker = broker.trim_start_matches("mqtt://").to_owned();
        let counted = Arc::clone(&cuts);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let cut_in = CUTS.get(counted.load(Ordering::Relaxed)).copied();
                // One after the other, as the one client has them. An error is the end of a connection like any other.
                if through(client, &broker, cut_in, place).await.unwrap_or(false) {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Cutter { port, cuts, task }
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection to its end; whether it was cut.
async fn through(client: TcpStream, broker: &str, cut_in: Option<usize>, place: Place) -> std::io::Result<bool> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = TcpStream::connect(broker).await?.into_split();
    let up = async { tokio::io::copy(&mut from_client, &mut to_broker).await.map(|_| false) };
    let down = async {
        let (mut waiting, mut published) = (Vec::new(), 0);
        while from_broker.read_buf(&mut waiting).await? > 0 {
            while let Some((body, end)) = packet(&waiting) {
                let whole: Vec<u8> = waiting.drain(..end).collect();
                published += usize::from(whole[0] >> 4 == 3);
                if whole[0] >> 4 == 3 && cut_in == Some(published) {
                    to_client.write_all(&whole[..place.bytes(&whole, body)]).await?;
                    to_client.flush().await?;
                    return Ok(true);
                }
                to_client.write_all(&whole).await?;
            }
        }
        Ok(false)
    };
    tokio::select! {
        biased;
        cut = down => cut,
        ended = up => ended,
    }
}

/// Where the body of the first packet begins and where it ends, if it is there whole.
fn packet(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (n, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            let body = n + 2;
            return (bytes.len() >= body + length).then_some((body, body + length));
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_in_a_packet_the_link_is_cut_everything_arrives_once() {
    for protocol in ["5", "3.1.1"] {
        let Some(broker) = Mosquitto::start(&format!("cut-{protocol}")) else { return };
        let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
        let local = LocalSet::new();
        let mut waiting = Vec::new();
        let (up, mut all_up) = tokio::sync::mpsc::channel(PLACES.len());
        for place in PLACES {
            let (broker, up) = (broker.url(), up.clone());
            waiting.push(local.spawn_local(async move {
                let cutter = Cutter::start(&broker, place).await;
                let folder = tempfile::tempdir().unwrap();
                let url = format!("mqtt://127.0.0.1:{}", cutter.port);
                let text = ProfileText { protocol, shadows: false, ..ProfileText::new("Cut", url) };
                let scene = Scene::new(&text, folder.path(), folder.path());
                let mut stage = scene.start().await;
                stage.wait_until_up().await;
                up.send(()).await.unwrap();
                stage.wait_until_shown(MESSAGES).await;
                stage.stop().await;
                assert_eq!(cutter.cuts.load(Ordering::Relaxed), CUTS.len(), "{place:?}");
                let seen = scene.stored().await;
                let wrong = not_once(&seen, 1..=MESSAGES);
                assert!(wrong.is_empty(), "{protocol}, cut at {place:?}: these are not there once: {wrong:?}");
                assert_eq!(seen.len() as u64, MESSAGES, "something is there that nobody sent");
            }));
        }
        drop(up);
        local
            .run_until(async move {
                for _ in PLACES {
                    all_up.recv().await.expect("every host comes up");
                }
                for n in 1..=MESSAGES {
                    // Long enough that the remaining length takes two bytes.
                    peer.publish(&topic(n), format!("{}{:120}", payload(n), "")).await;
                }
                for one in waiting {
                    one.await.unwrap();
                }
                peer.leave().await;
            })
            .await;
    }
}
