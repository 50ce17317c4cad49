//! A million names that nobody has: the profile's limit of things holds, it is told once, and memory has its bound.

use fleetlens_link::Protocol::V5;
use fleetlens_model::telemetry::Value;
use fleetlens_tests::impostor::{Impostor, publish, publish_as};

use super::station::{Memory, SOON, Station};

/// The profile's limit.
const THINGS: u32 = 20_000;

/// How many of them go in one piece.
const PIECE: usize = 1_000;

/// A million as fast as they can be said, of which the link sheds what finds no place; and fewer that nobody may shed, since
/// each is to be acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_topics_are_as_many_things_as_the_profile_allows_and_one_refusal() {
    let memory = Memory::measured().await;
    for (topics, firm) in [(1_000_000, false), (150_000, true)] {
        flood(topics, firm, &memory).await;
    }
}

async fn flood(topics: usize, firm: bool, memory: &Memory) {
    let folder = tempfile::tempdir().unwrap();
    let impostor = Impostor::listen();
    let profile = format!(
        "name = \"flood\"\n[broker]\nurl = \"{}\"\n[[telemetry]]\ntemplate = \"city/{{thing}}/telemetry\"\n[limits]\nthings = {THINGS}\n",
        impostor.url()
    );
    let mut station = Station::start_with(&profile, folder.path()).await;
    let served = impostor.serve(V5).await;
    station.wait_until_up().await;
    for piece in 0..topics / PIECE {
        let one = |n| {
            let topic = format!("city/thing-{:07}/telemetry", piece * PIECE + n);
            let packet_id = firm.then_some(n as u16 + 1);
            publish_as(V5, topic.as_bytes(), packet_id, br#"{"n":1}"#)
        };
        served.say((0..PIECE).flat_map(one).collect::<Vec<u8>>()).await;
    }
    let status = station
        .wait_for("every message to be taken, refused or shed", |status| {
            (status.received + status.shed == topics as u64).then(|| status.clone())
        })
        .await;
    assert_eq!(status.things, THINGS);
    assert_eq!(status.refused, status.received - u64::from(THINGS));
    let [refusal] = &status.refusals[..] else { panic!("one refusal: {:?}", status.refusals) };
    assert!(refusal.reason.contains("limit of 20000 things"), "{refusal:?}");
    assert_eq!((refusal.topic.as_str(), refusal.count), ("city/+/telemetry", status.refused));
    assert_eq!(status.shed > 0, !firm, "what is to be acknowledged is never shed");
    assert!(status.sheds.len() <= 20);
    memory.has_grown_by_at_most(250, "a flood of names");
    served.say(publish(V5, b"city/thing-0000000/telemetry", br#"{"n":2}"#)).await;
    let page = station.desk.look_at_thing("thing-0000000").await;
    station
        .desk
        .wait_for("a known thing to be heard all the same", SOON, |desk| {
            let value = desk.value(page, "/n").map(|row| row.value.clone());
            if value == Some(Value::Number(2.0)) { Ok(()) } else { Err(format!("{value:?}")) }
        })
        .await;
    station.stop().await;
}
