//! Payloads of 256 KiB and more: what is within the bounds arrives, what is a byte over is refused with its topic and the reason, and the
//! link stays.

use fleetlens_link::{Event, Link, LinkConfig};
use fleetlens_model::telemetry::Value;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::{told, until};
use fleetlens_wire::shadow::ANSWER_BYTES;
use fleetlens_wire::{meta::META_MAX_BYTES, telemetry::PAYLOAD_MAX_BYTES};
use serde_json::json;

use super::scene::{SOON, Scene};

const TELEMETRY: &str = "city/valletta/lamp/lamp-0000/telemetry";
const META: &str = "city/valletta/lamp/lamp-0000/meta";
const SHADOW: &str = "$aws/things/lamp-0000/shadow/get/accepted";
/// The largest packet the link takes, and what a PUBLISH needs beside topic and payload.
const PACKET: usize = 1 << 20;
const AROUND: usize = 10;

/// JSON of so many bytes: what follows its end is space.
fn of_bytes(json: &serde_json::Value, bytes: usize) -> Vec<u8> {
    let mut payload = json.to_string().into_bytes();
    assert!(payload.len() <= bytes);
    payload.resize(bytes, b' ');
    payload
}

/// With a client whose own limit is higher.
async fn publish_more_than_we_take(broker: &Mosquitto, topic: &str, payload: Vec<u8>) {
    let config =
        LinkConfig { max_packet_bytes: 2 << 20, clean_start: true, ..LinkConfig::new(broker.url(), "boaster") };
    let (link, mut events) = Link::start(config).unwrap();
    told(&mut events, "the client to be up", SOON, |event| matches!(event, Event::Up { .. }).then_some(())).await;
    link.try_publish(topic.to_owned(), payload, 1, false).unwrap();
    until("the broker to have it", SOON, async || if link.unfinished() == 0 { Ok(()) } else { Err(String::new()) })
        .await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_within_the_bounds_arrives_and_a_byte_more_is_refused_and_costs_nothing_else() {
    for protocol in ["5", "3.1.1"] {
        let Some(broker) = Mosquitto::start(&format!("size-{protocol}")) else { return };
        let folder = tempfile::tempdir().unwrap();
        let client = format!("fleetlens-size-{protocol}");
        let text = ProfileText { protocol, client_id: Some(client.clone()), ..ProfileText::new("Size", broker.url()) };
        let scene = Scene::new(&text, folder.path(), folder.path());
        let mut stage = scene.start().await;
        stage.wait_until_up().await;
        let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
        let value = |n: u64| json!({ "values": { "n": n } });
        peer.publish(TELEMETRY, value(0).to_string()).await;
        stage.wait_for("the lamp", |status| (status.things == 1).then_some(())).await;
        let page = stage.desk.look_at_thing("lamp-0000").await;
        let shadow =
            |n: u64| json!({ "state": { "reported": { "n": n } }, "version": n, "timestamp": 1_700_000_000 + n });
        let meta = |n: u64| json!({ "kind": "lamp", "name": format!("Lamp {n}") });

        let mut refused = 0;
        let (kib256, over) = (256 * 1024, 1);
        for (n, topic, payload, bound) in [
            (1, TELEMETRY, of_bytes(&value(1), PAYLOAD_MAX_BYTES), None),
            (2, TELEMETRY, of_bytes(&value(2), PAYLOAD_MAX_BYTES + over), Some(PAYLOAD_MAX_BYTES)),
            (3, META, of_bytes(&meta(3), META_MAX_BYTES), None),
            (4, META, of_bytes(&meta(4), META_MAX_BYTES + over), Some(META_MAX_BYTES)),
            (5, META, of_bytes(&meta(5), kib256), Some(META_MAX_BYTES)),
            (6, SHADOW, of_bytes(&shadow(6), kib256), None),
            (7, SHADOW, of_bytes(&shadow(7), ANSWER_BYTES), None),
            (8, SHADOW, of_bytes(&shadow(8), ANSWER_BYTES + over), Some(ANSWER_BYTES)),
            (9, TELEMETRY, of_bytes(&value(9), PACKET - AROUND - TELEMETRY.len()), Some(PAYLOAD_MAX_BYTES)),
            (10, TELEMETRY, of_bytes(&value(10), PACKET - AROUND - TELEMETRY.len() + over), Some(PACKET)),
        ] {
            // With MQTT 5 the broker knows what we take, and keeps the rest to itself.
            if bound == Some(PACKET) && protocol == "5" {
                continue;
            }
            let bytes = payload.len();
            if bytes + AROUND + topic.len() > PACKET {
                publish_more_than_we_take(&broker, topic, payload).await;
            } else {
                peer.publish(topic, payload).await;
            }
            let what = format!("{bytes} bytes on {topic}, {protocol}");
            if let Some(bound) = bound {
                refused += 1;
                let newest = stage.wait_for(&what, |status| {
                    (status.refused == refused).then(|| status.refusals.first().cloned()).flatten()
                });
                let newest = newest.await;
                let says = newest.reason.contains(&bytes.to_string()) && newest.reason.contains(&bound.to_string());
                assert!(newest.topic == topic && says, "{what}: {newest:?}");
            }
            // Whether it was taken or not, what comes next is.
            let want = if bound.is_none() && topic == TELEMETRY { n } else { 1_000 + n };
            if want > 1_000 {
                peer.publish(TELEMETRY, value(want).to_string()).await;
            }
            let seen = |desk: &Desk| {
                let number = desk.value(page, "/n").map(|row| row.value.clone());
                let told = format!("{number:?}, {:?}, {:?}", desk.page(page).head, desk.leaf(page, "/n"));
                let arrived = match topic {
                    META if bound.is_none() => told.contains(&format!("Lamp {n}")),
                    SHADOW if bound.is_none() => {
                        desk.leaf(page, "/n").is_some_and(|leaf| leaf.reported == Some(n.to_string()))
                    }
                    _ => true,
                };
                let next = number == Some(Value::Number(want as f64));
                if arrived && next { Ok(()) } else { Err(told) }
            };
            stage.desk.wait_for(&what, SOON, seen).await;
        }
        let page_now = stage.desk.page(page);
        let told = format!("{:?} {:?}", page_now.head, stage.desk.leaf(page, "/n"));
        assert!(told.contains("Lamp 3") && told.contains("\"7\""), "nothing of what was refused is shown: {told}");
        let connects = broker.log().lines().filter(|line| line.contains(&format!("as {client} "))).count();
        assert_eq!(connects, 1, "the link stays");
        peer.leave().await;
        stage.stop().await;
    }
}
