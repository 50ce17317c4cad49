//! The packets of mqttjs's tests, good ones and malformed ones, sent by a broker in the middle of a connection.

use std::time::Duration;

use fleetlens_link::Protocol;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::impostor::{Impostor, Served, publish};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;
use serde::Deserialize;

use super::station::{Station, beside_each_other, down, resident_mb};

const FILE: &str = "mqtt/packet_vectors.json";

/// How many brokers send packets at the same time; each has a host of its own.
const LANES: usize = 4;

/// A host that has lost so many connections waits for seconds, so a new one takes its place on the same cache.
const FALLS: usize = 3;

/// How long a packet may leave open what becomes of it, before the broker says something more, and then hangs up: one that
/// announces more bytes than it has takes what follows for its own.
const UNDECIDED: Duration = Duration::from_millis(1500);

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Clone, Deserialize)]
struct Vector {
    name: String,
    /// Absent where the case is about what a library must not send.
    #[serde(default)]
    bytes_hex: String,
}

impl Vector {
    fn bytes(&self) -> Vec<u8> {
        let byte = |at| u8::from_str_radix(&self.bytes_hex[at..at + 2], 16).unwrap();
        (0..self.bytes_hex.len()).step_by(2).map(byte).collect()
    }
}

/// What became of the packets of a lane.
#[derive(Debug, Default)]
struct Outcome {
    /// What came after them was taken on the same connection.
    lived: Vec<String>,
    /// They ended the connection, with this sentence.
    ended: Vec<(String, String)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_packet_a_broker_sends_is_more_than_the_end_of_a_connection() {
    let Some(file) = place::data(FILE) else { return };
    let file: File = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let vectors: Vec<Vector> = file.vectors.into_iter().filter(|vector| !vector.bytes_hex.is_empty()).collect();
    assert!(vectors.len() > 100, "{} packets", vectors.len());
    for protocol in [Protocol::V4, Protocol::V5] {
        let before_mb = resident_mb();
        let lane = |lane| sent(protocol, vectors.iter().skip(lane).step_by(LANES).cloned().collect(), lane);
        let mut all = Outcome::default();
        for Outcome { lived, ended } in beside_each_other((0..LANES).map(lane)).await {
            all.lived.extend(lived);
            all.ended.extend(ended);
        }
        assert_eq!(all.lived.len() + all.ended.len(), vectors.len(), "{protocol}: every packet was sent");
        let lived = |name: &str| all.lived.iter().any(|lived| lived == name);
        for name in ["pingresp", "minimal publish"] {
            assert!(
                lived(name) || protocol == Protocol::V5,
                "{protocol}: {name} ended the connection: {:?}",
                all.ended
            );
        }
        for name in
            ["minimal connect", "connack with return code 0", "subscribe to one topic", "pingreq", "Not supported"]
        {
            assert!(!lived(name), "{protocol}: after {name} the connection went on");
        }
        for (name, sentence) in &all.ended {
            assert!(sentence.contains("127.0.0.1:") && sentence.len() < 500, "{protocol}, {name}: {sentence}");
        }
        let grown_mb = resident_mb().saturating_sub(before_mb);
        assert!(grown_mb < 150, "{protocol}: {grown_mb} MB more than before");
    }
}

/// Sends packets one after the other, each followed by a good message; at the end a good broker takes the port over.
async fn sent(protocol: Protocol, vectors: Vec<Vector>, lane: usize) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let impostor = Impostor::listen();
    let mut outcome = Outcome::default();
    let mut station = Station::start(&impostor.url(), protocol, folder.path()).await;
    let mut served = impostor.serve(protocol).await;
    let mut number = 0;
    for vector in vectors {
        station.wait_until_up().await;
        number += 1;
        let Some(sentence) = ends(&mut station, &served, protocol, &vector, number).await else {
            outcome.lived.push(vector.name);
            continue;
        };
        outcome.ended.push((vector.name, sentence));
        if outcome.ended.len() % FALLS == 0 {
            station.stop().await;
            station = Station::start(&impostor.url(), protocol, folder.path()).await;
        }
        served = impostor.serve(protocol).await;
    }
    station.wait_until_up().await;
    let (port, things) = (impostor.port(), station.status().things);
    drop((served, impostor));
    let Some(mosquitto) = Mosquitto::start_at(&format!("hostile-{protocol}-{lane}"), port) else { return outcome };
    let peer = Peer::connect(&mosquitto.url(), "good", &[]).await;
    peer.publish_retained("city/a/lamp/good/telemetry", r#"{"values":{"n":1}}"#).await;
    station.wait_for("a message of the good broker", |status| (status.things > things).then_some(())).await;
    peer.leave().await;
    station.stop().await;
    outcome
}

/// What a person reads when the packet has ended the connection, if it has.
async fn ends(
    station: &mut Station,
    served: &Served,
    protocol: Protocol,
    vector: &Vector,
    number: usize,
) -> Option<String> {
    let things = station.status().things;
    let good = |n: usize| {
        let topic = format!("city/a/lamp/{protocol}-{n}/telemetry");
        publish(protocol, topic.as_bytes(), br#"{"values":{"n":1}}"#)
    };
    served.say([vector.bytes(), good(number)].concat()).await;
    for _ in 0..2 {
        let seen = station.try_wait_for(UNDECIDED, |status| match down(status) {
            Some(sentence) => Some(Some(sentence)),
            None => (status.things > things).then_some(None),
        });
        match seen.await {
            Some(Some(sentence)) => return Some(sentence),
            Some(None) => return None,
            None => served.say(good(number)).await,
        }
    }
    served.hang_up();
    Some(station.wait_until_down().await)
}
