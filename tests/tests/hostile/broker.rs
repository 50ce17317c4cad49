//! Brokers that behave badly in other ways than with one odd packet: each is told in words that say what to change, costs no
//! more memory than a packet may have, and is forgotten as soon as a good one is there.

use std::time::Duration;

use fleetlens_ipc::rows::LinkState;
use fleetlens_link::Protocol::{self, V4, V5};
use fleetlens_tests::impostor::{Answer, Impostor, Served, connack, packet, publish};

use super::station::{Memory, Station, beside_each_other};

/// The longest length a packet can announce (MQTT 3.1.1, 2.2.3).
const LONGEST: [u8; 4] = [0xFF, 0xFF, 0xFF, 0x7F];

/// How a broker misbehaves.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// It answers CONNECT with these bytes.
    Greets(&'static [u8]),
    /// It answers CONNECT with bytes that mean nothing, for as long as they are read.
    Babbles,
    /// It accepts the connection and never says a word.
    IsSilent,
    /// It never answers a SUBSCRIBE.
    ForgetsSubscriptions,
    /// It says these bytes when everything is well.
    Says(&'static [u8]),
    /// It begins a packet and sends an octet of it a second, too busy for pings.
    Trickles,
    /// It tells us with many words to go away.
    Scolds,
}

#[tokio::test]
async fn each_way_to_misbehave_has_its_sentence_and_a_good_broker_is_welcome_after_it() {
    let memory = Memory::measured().await;
    let manners: [(Manner, Protocol, &str); 16] = [
        (Manner::Babbles, V4, "does not speak MQTT 3.1.1"),
        (Manner::Babbles, V5, "does not speak MQTT 5"),
        (Manner::Greets(&[0xD0, 0]), V5, "not a CONNACK"),
        (Manner::IsSilent, V4, "does not answer; check the address"),
        (Manner::IsSilent, V5, "does not answer; check the address"),
        (Manner::ForgetsSubscriptions, V4, "does not answer our subscriptions"),
        (Manner::ForgetsSubscriptions, V5, "does not answer our subscriptions"),
        (Manner::Says(&[0x30, LONGEST[0], LONGEST[1], LONGEST[2], LONGEST[3]]), V4, "a packet of 268435455 bytes"),
        (Manner::Says(&[0x30, LONGEST[0], LONGEST[1], LONGEST[2], LONGEST[3]]), V5, "a packet of 268435455 bytes"),
        (Manner::Says(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]), V4, "not MQTT 3.1.1"),
        (Manner::Says(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]), V5, "not MQTT 5"),
        // A topic longer than its packet; a topic alias; a DISCONNECT with a code that does not exist.
        (Manner::Says(&[0x30, 4, 0xFF, 0xFF, b'a', b'b']), V4, "not MQTT 3.1.1"),
        (Manner::Says(&[0x30, 7, 0, 1, b'a', 3, 0x23, 0, 1]), V5, "topic alias 1"),
        (Manner::Says(&[0xE0, 2, 0x05, 0]), V5, "not MQTT 5"),
        (Manner::Scolds, V5, "ended the connection: xxxx"),
        (Manner::Trickles, V5, "answers no ping"),
    ];
    let each = manners.into_iter().map(|(manner, protocol, says)| misbehaves(manner, protocol, says));
    beside_each_other(each).await;
    memory.has_grown_by_at_most(200, "sixteen hosts");
}

async fn misbehaves(manner: Manner, protocol: Protocol, says: &str) {
    let folder = tempfile::tempdir().unwrap();
    let impostor = Impostor::listen();
    let mut station = Station::start(&impostor.url(), protocol, folder.path()).await;
    let acts = tokio::task::spawn_local(async move {
        let _connection = acts(&impostor, manner, protocol).await;
        impostor
    });
    let sentence = station.wait_until_down().await;
    assert!(sentence.contains(says) && sentence.chars().count() < 700, "{manner:?}, {protocol}: {sentence}");
    assert!(!sentence.contains(['\u{202e}', '\n']), "{sentence:?}");
    let impostor = acts.await.unwrap();
    let served = impostor.serve(protocol).await;
    station.wait_until_up().await;
    served.say(publish(protocol, b"city/a/lamp/good/telemetry", br#"{"values":{"n":1}}"#)).await;
    station.wait_for("a good message", |status| (status.things > 0).then_some(())).await;
    station.stop().await;
}

/// Until the caller has had enough of it.
async fn acts(impostor: &Impostor, manner: Manner, protocol: Protocol) {
    match manner {
        Manner::Greets(bytes) => {
            let mut caller = impostor.accept().await;
            caller.say(bytes).await;
            caller.wait_until_gone().await;
        }
        Manner::Babbles => {
            let mut caller = impostor.accept().await;
            // The first octet is the type of no packet.
            caller.say(&[0x05; 1 << 20]).await;
            caller.wait_until_gone().await;
        }
        Manner::IsSilent => impostor.accept().await.wait_until_gone().await,
        Manner::ForgetsSubscriptions => {
            let served = impostor.serve_with(protocol, connack(protocol), Answer::Nothing).await;
            served.wait_until_gone().await;
        }
        Manner::Says(bytes) => {
            let served = impostor.serve(protocol).await;
            served.say(bytes).await;
            served.wait_until_gone().await;
        }
        Manner::Trickles => trickles(impostor).await,
        Manner::Scolds => {
            let served = impostor.serve(protocol).await;
            let words = format!("\u{202e}{}", "x".repeat(60_000));
            let reason = [&[0x1F][..], &(words.len() as u16).to_be_bytes(), words.as_bytes()].concat();
            // Unspecified error; the length of the properties in three octets, as it has to be for so many.
            let (n, mut body) = (reason.len(), vec![0x80]);
            body.extend([n as u8 | 0x80, (n >> 7) as u8 | 0x80, (n >> 14) as u8]);
            served.say(packet(0xE0, &[body, reason].concat())).await;
            served.wait_until_gone().await;
        }
    }
}

/// With a keep-alive of five seconds, so that this test has not to wait for ours.
async fn trickles(impostor: &Impostor) {
    let greeting = packet(0x20, &[0, 0, 3, 0x13, 0, 5]);
    let served: Served = impostor.serve_with(V5, greeting, Answer::Grants).await;
    // Of a message of a kilobyte: the pings' answers become a part of it.
    served.say([0x30, 0x80, 0x08]).await;
    served.stop_answering();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let trickle = async {
        loop {
            second.tick().await;
            served.say([0]).await;
        }
    };
    tokio::select! {
        () = trickle => {}
        () = served.wait_until_gone() => {}
    }
}

#[tokio::test]
async fn refused_subscriptions_are_counted_with_their_filters_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let impostor = Impostor::listen();
    for protocol in [V4, V5] {
        let mut station = Station::start(&impostor.url(), protocol, folder.path()).await;
        let served = impostor.serve_with(protocol, connack(protocol), Answer::Refuses).await;
        station.wait_until_up().await;
        let refusals =
            station.wait_for("the refusals", |status| (status.refused >= 2).then(|| status.refusals.clone()));
        let refusals = refusals.await;
        for filter in ["city/+/+/+/telemetry", "city/+/+/+/meta"] {
            let refused = refusals.iter().find(|refused| refused.topic == filter);
            assert!(refused.is_some_and(|r| r.reason.contains("does not let us subscribe")), "{filter}: {refusals:?}");
        }
        served.say(publish(protocol, b"city/a/lamp/l-1/telemetry", br#"{"values":{"n":1}}"#)).await;
        station.wait_for("a message that came all the same", |status| (status.things > 0).then_some(())).await;
        station.stop().await;
    }
}

/// Messages that come faster than anybody can store them, for as long as the connection lasts: memory has its bound, what is
/// shed is counted, and the window is answered all the while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_never_stops_talking_fills_no_memory() {
    let memory = Memory::measured().await;
    for protocol in [V4, V5] {
        let folder = tempfile::tempdir().unwrap();
        let impostor = Impostor::listen();
        let mut station = Station::start(&impostor.url(), protocol, folder.path()).await;
        let served = impostor.serve(protocol).await;
        station.wait_until_up().await;
        let payload = format!(r#"{{"values":{{"text":"{}"}}}}"#, "x".repeat(1000));
        // 512 MB; each is the same thing's, so that only the way there is measured and not the fleet.
        let one = publish(protocol, b"city/a/lamp/loud/telemetry", payload.as_bytes()).repeat(1024);
        for _ in 0..512 {
            served.say(one.clone()).await;
        }
        let (received, shed) = station
            .wait_for("everything to be read", |status| {
                (status.received + status.shed >= 512 * 1024).then_some((status.received, status.shed))
            })
            .await;
        assert!(received > 1000, "{protocol}: {received} taken, {shed} shed");
        memory.has_grown_by_at_most(250, &protocol.to_string());
        assert!(matches!(station.status().link, LinkState::Up { .. }));
        station.stop().await;
    }
}
