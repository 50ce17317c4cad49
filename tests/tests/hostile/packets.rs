//! The packets of mqttjs's tests, good ones and malformed ones, sent by a broker in the middle of a connection.

use std::time::Duration;

use fleetlens_link::Protocol;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::impostor::{Impostor, Served, publish};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;
use serde::Deserialize;

use super::station::{Memory, Station, beside_each_other, down};

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
        let byte = |at: usize| u8::from_str_radix(self.bytes_hex.get(at..at + 2).unwrap(), 16).unwrap();
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
    let memory = Memory::measured().await;
    for protocol in [Protocol::V4, Protocol::V5] {
        let lane = |lane| sent(protocol, vectors.iter().skip(lane).step_by(LANES).cloned().collect(), lane);
        let mut all = Outcome::default();
        for Outcome { lived, ended } in beside_each_other((0..LANES).map(lane)).await {
            all.lived.extend(lived);
            all.ended.extend(ended);
        }
        assert_eq!(all.lived.len() + all.ended.len(), vectors.len(), "{protocol}: every packet was sent");
        let lived = |name: &str| all.lived.iter().any(|lived| lived == name);
        let (good, second_greeting) = match protocol {
            Protocol::V4 => ("minimal publish", "connack with return code 0"),
            Protocol::V5 => (
                "publish MQTT 5 with duplicate user property including empty-string value",
                "connack MQTT 5 with properties",
            ),
        };
        for name in ["pingresp", good] {
            assert!(lived(name), "{protocol}: {name} ended the connection, or is not there: {:?}", all.ended);
        }
        for name in [second_greeting, "minimal connect", "subscribe to one topic", "pingreq", "Not supported"] {
            assert!(!lived(name), "{protocol}: after {name} the connection went on");
        }
        for (name, sentence) in &all.ended {
            let is_ours = sentence.contains("127.0.0.1:") && !sentence.contains("Mqtt state") && sentence.len() < 500;
            assert!(is_ours, "{protocol}, {name}: {sentence}");
        }
        println!("{protocol}: {} packets lived through, {} ended the connection", all.lived.len(), all.ended.len());
        memory.has_grown_by_at_most(150, &protocol.to_string());
    }
}

/// Sends packets one after the other, each followed by a good message; at the end a good broker takes the port over.
async fn sent(protocol: Protocol, vectors: Vec<Vector>, lane: usize) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let mut impostor = Impostor::listen();
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
            // On another port: where the earlier host was about to come back, it may have left a connection.
            impostor = Impostor::listen();
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
