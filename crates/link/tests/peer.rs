//! The link against brokers that misbehave, by script.

#![cfg(test)]
#![allow(clippy::wildcard_enum_match_arm, reason = "any other event is the failure")]

mod common;

use std::time::{Duration, Instant};

use common::peer::{DISCONNECT, Peer, connack, packet, publish};
use common::{BOTH, PATIENCE, config, failure, message, next, reaches, until, up};
use fleetlens_link::{Event, Link, NotSent, Protocol};
use tokio::time::timeout;

#[tokio::test]
async fn each_refusal_of_a_connection_says_what_to_change() {
    let close: &[u8] = b"";
    for (name, protocol, answer, want) in [
        ("the version, 3.1.1", Protocol::V4, connack(Protocol::V4, 1), "choose MQTT 5"),
        ("the version, 5", Protocol::V5, connack(Protocol::V5, 0x84), "choose MQTT 3.1.1"),
        (
            "the version, as an MQTT 5 broker tells one of 3.1.1",
            Protocol::V4,
            connack(Protocol::V4, 0x84),
            "choose MQTT 5",
        ),
        ("the version, as a 3.1.1 broker tells one of 5", Protocol::V5, connack(Protocol::V4, 1), "not speak MQTT 5"),
        ("the client id", Protocol::V4, connack(Protocol::V4, 2), "client id"),
        ("the client id, 5", Protocol::V5, connack(Protocol::V5, 0x85), "client id"),
        ("not now", Protocol::V4, connack(Protocol::V4, 3), "not taking connections just now"),
        ("the password", Protocol::V4, connack(Protocol::V4, 4), "give user and password"),
        ("the password, 5", Protocol::V5, connack(Protocol::V5, 0x86), "give user and password"),
        ("no rights", Protocol::V4, connack(Protocol::V4, 5), "give user and password"),
        ("something else, 5", Protocol::V5, connack(Protocol::V5, 0x97), "quota exceeded"),
        ("a web server", Protocol::V4, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "does not speak MQTT 3.1.1"),
        ("a web server, 5", Protocol::V5, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "does not speak MQTT 5"),
        ("somebody who hangs up", Protocol::V4, close.to_vec(), "may not be an MQTT broker"),
        ("somebody who hangs up, 5", Protocol::V5, close.to_vec(), "may not be an MQTT broker"),
    ] {
        let peer = Peer::new().await;
        let (link, mut events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let mut caller = peer.accept().await;
        caller.packet().await.unwrap();
        caller.send(&answer).await;
        drop(caller);
        let reason = failure(&mut events).await;
        assert!(reason.contains(want), "{name}: {reason}");
        assert_eq!(link.try_publish("a".into(), vec![], 0, false), Err(NotSent::Down), "{name}");
    }
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let peer = Peer::new().await;
    let url = peer.url();
    drop(peer);
    for protocol in BOTH {
        let (_link, mut events) = Link::start(config(&url, protocol, "c", &[])).unwrap();
        assert_eq!(next(&mut events).await, Event::Connecting { reason: None });
        let reason = failure(&mut events).await;
        assert!(reason.starts_with("no broker listens at 127.0.0.1:"), "{protocol}: {reason}");
    }
}

#[tokio::test]
async fn a_refused_filter_is_told_and_the_others_go_on() {
    for (protocol, code, want) in [
        (Protocol::V4, 0x80, "does not let us subscribe"),
        (Protocol::V5, 0x87, "does not let us subscribe"),
        (Protocol::V5, 0x8F, "topic filter invalid"),
    ] {
        let peer = Peer::new().await;
        let filters = [("a/#", 1), ("secret/#", 1), ("b", 0)];
        let (_link, mut events) = Link::start(config(&peer.url(), protocol, "c", &filters)).unwrap();
        let mut caller = peer.greet(protocol).await;
        assert_eq!(next(&mut events).await, Event::Connecting { reason: None });
        caller.answer_subscribe(protocol, &[1, code, 0]).await;
        match next(&mut events).await {
            Event::Refused { topic, reason, delivery: None } => {
                assert_eq!(topic, "secret/#", "{protocol}");
                assert!(reason.contains(want), "{protocol}: {reason}");
            }
            other => panic!("{protocol}: {other:?}"),
        }
        // The lowest of what was granted: b is asked for at QoS 0.
        assert_eq!(next(&mut events).await, Event::Up { session_present: false, granted: 0 }, "{protocol}");
        caller.send(&publish(protocol, b"a/x", None, b"1")).await;
        assert_eq!(message(&mut events).await.topic, "a/x", "{protocol}");
    }
}

#[tokio::test]
async fn it_is_up_only_after_the_last_suback_and_asks_for_at_most_eight_at_once() {
    for protocol in BOTH {
        let peer = Peer::new().await;
        let names: Vec<String> = (0..11).map(|n| format!("f/{n}")).collect();
        let filters: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let (link, mut events) = Link::start(config(&peer.url(), protocol, "c", &filters)).unwrap();
        let mut caller = peer.greet(protocol).await;
        assert_eq!(next(&mut events).await, Event::Connecting { reason: None });
        caller.answer_subscribe(protocol, &[1; 8]).await;
        // What the session kept for us may come before the rest is answered, and can be acknowledged, but nothing goes out.
        caller.send(&publish(protocol, b"f/1", Some(7), b"early")).await;
        let early = message(&mut events).await;
        assert_eq!(link.try_publish("x".into(), vec![], 0, false), Err(NotSent::Down), "{protocol}: not up yet");
        link.acknowledge(early.delivery.unwrap());
        caller.answer_subscribe(protocol, &[1; 3]).await;
        assert_eq!(caller.packet().await.unwrap(), (0x40, vec![0, 7]), "{protocol}: PUBACK");
        assert_eq!(next(&mut events).await, Event::Up { session_present: false, granted: 1 }, "{protocol}");
    }
}

#[tokio::test]
async fn a_publish_is_unfinished_until_the_broker_answers_and_without_a_guarantee_until_it_is_sent() {
    for protocol in BOTH {
        let peer = Peer::new().await;
        let (link, mut events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        for (topic, qos) in [("a", 1), ("b", 0), ("c", 1)] {
            link.try_publish(topic.into(), vec![], qos, false).unwrap();
        }
        for _ in 0..3 {
            caller.packet().await.unwrap();
        }
        reaches(&link, 2).await;
        caller.send(&packet(0x40, &[0, 1])).await;
        reaches(&link, 1).await;
        drop(caller);
        reaches(&link, 0).await;
        assert!(matches!(next(&mut events).await, Event::Down { .. }), "{protocol}: and the loss is told");
    }
}

#[tokio::test]
async fn a_topic_that_is_not_utf_8_is_counted_and_the_link_comes_back() {
    // MQTT 3.1.1: the library gives up the connection; so it is made again, ever more slowly, and what came before is not lost.
    let peer = Peer::new().await;
    let (_link, mut events) = Link::start(config(&peer.url(), Protocol::V4, "c", &[])).unwrap();
    for round in 0..3 {
        let mut caller = peer.greet(Protocol::V4).await;
        up(&mut events).await;
        let mut bytes = publish(Protocol::V4, b"good", None, b"1");
        bytes.extend(publish(Protocol::V4, b"ba\xFFd", None, b"2"));
        caller.send(&bytes).await;
        assert_eq!(message(&mut events).await.topic, "good", "round {round}");
        assert!(matches!(next(&mut events).await, Event::Down { .. }), "round {round}");
        match next(&mut events).await {
            Event::Refused { reason, delivery: None, .. } => {
                assert!(reason.contains("not UTF-8"), "round {round}: {reason}")
            }
            other => panic!("round {round}: {other:?}"),
        }
    }

    // MQTT 5: it is refused like any other message, and can be acknowledged.
    let peer = Peer::new().await;
    let (link, mut events) = Link::start(config(&peer.url(), Protocol::V5, "c", &[])).unwrap();
    let mut caller = peer.greet(Protocol::V5).await;
    up(&mut events).await;
    caller.send(&publish(Protocol::V5, b"ba\xFFd", Some(9), b"2")).await;
    match next(&mut events).await {
        Event::Refused { topic, reason, delivery } => {
            assert_eq!((topic.as_str(), reason.as_str()), ("ba\u{FFFD}d", "the topic is not UTF-8"));
            link.acknowledge(delivery.unwrap());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(caller.packet().await.unwrap(), (0x40, vec![0, 9]), "PUBACK");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_acknowledged_and_the_link_goes_on() {
    // MQTT 3.1.1 cannot tell the broker our limit: the message comes, and would come again with every session.
    let peer = Peer::new().await;
    let config =
        fleetlens_link::LinkConfig { max_packet_bytes: 300, ..config(&peer.url(), Protocol::V4, "c", &[("a/#", 1)]) };
    let (link, mut events) = Link::start(config).unwrap();
    let mut caller = peer.greet(Protocol::V4).await;
    caller.answer_subscribe(Protocol::V4, &[1]).await;
    up(&mut events).await;
    caller.send(&publish(Protocol::V4, b"a/big", Some(9), &[b'x'; 400])).await;
    match next(&mut events).await {
        Event::Refused { topic, reason, delivery } => {
            assert_eq!(topic, "a/big");
            assert!(reason.contains("400 bytes") && reason.contains("up to 300"), "{reason}");
            link.acknowledge(delivery.expect("it can be acknowledged"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(caller.packet().await.unwrap(), (0x40, vec![0, 9]), "PUBACK");
    caller.send(&publish(Protocol::V4, b"a/small", None, &[b'x'; 200])).await;
    assert_eq!(message(&mut events).await.topic, "a/small", "on the same connection");
}

#[tokio::test]
async fn a_packet_that_cannot_be_read_at_all_is_counted_and_says_what_to_do() {
    // One that announces 17 MiB, and one above what a broker of MQTT 5 was told.
    let enormous = [0x30, 0x80, 0x80, 0xC0, 0x08];
    for (protocol, bytes, want) in [
        (Protocol::V4, enormous.to_vec(), ["at most 16777216 can be read", "choose MQTT 5"]),
        (
            Protocol::V5,
            publish(Protocol::V5, b"big", None, &[b'x'; 400]),
            ["at most 300 can be read", "clear the message at the broker"],
        ),
    ] {
        let peer = Peer::new().await;
        let config = fleetlens_link::LinkConfig { max_packet_bytes: 300, ..config(&peer.url(), protocol, "c", &[]) };
        let (_link, mut events) = Link::start(config).unwrap();
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        caller.send(&bytes).await;
        let refused = until(&mut events, "Refused", |event| match event {
            Event::Refused { reason, .. } => Some(reason),
            _ => None,
        });
        let reason = refused.await;
        assert!(want.iter().all(|want| reason.contains(want)), "{protocol}: {reason}");
    }
}

#[tokio::test]
async fn a_second_connack_and_a_topic_alias_end_the_connection_and_what_came_before_is_kept() {
    let aliased = |alias: u8| packet(0x30, &[0, 1, b'a', 3, 0x23, 0, alias]);
    for (protocol, bytes, want) in [
        (Protocol::V4, connack(Protocol::V4, 0), "a second CONNACK"),
        (Protocol::V5, connack(Protocol::V5, 0), "a second CONNACK"),
        (Protocol::V5, aliased(1), "topic alias 1, which we did not offer"),
        (
            Protocol::V5,
            [aliased(1), aliased(2), publish(Protocol::V5, b"after", None, b"")].concat(),
            "topic alias 1, which we did not offer",
        ),
    ] {
        let peer = Peer::new().await;
        let (_link, mut events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        caller.send(&[publish(protocol, b"before", None, b"1"), bytes].concat()).await;
        assert_eq!(message(&mut events).await.topic, "before", "{protocol}");
        match next(&mut events).await {
            Event::Down { reason } => assert!(reason.contains(want), "{protocol}: {reason}"),
            other => panic!("{protocol}: {other:?}"),
        }
        // And the next connection is one like any other.
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        caller.send(&publish(protocol, b"again", None, b"1")).await;
        assert_eq!(message(&mut events).await.topic, "again", "{protocol}");
    }
}

#[tokio::test]
async fn a_keep_alive_of_none_is_ours_and_does_not_end_the_connection() {
    let peer = Peer::new().await;
    let (_link, mut events) = Link::start(config(&peer.url(), Protocol::V5, "c", &[])).unwrap();
    let mut caller = peer.accept().await;
    caller.packet().await.unwrap();
    // Server Keep Alive 0: the broker wants no pings (MQTT 5, 3.2.2.3.14).
    caller.send(&packet(0x20, &[0, 0, 3, 0x13, 0, 0])).await;
    up(&mut events).await;
    for n in 0..200_u8 {
        caller.send(&publish(Protocol::V5, b"a", None, &[n])).await;
        assert_eq!(message(&mut events).await.payload, [n], "still on the first connection");
    }
}

#[tokio::test]
async fn stopping_sends_what_is_queued_and_says_goodbye() {
    for protocol in BOTH {
        let peer = Peer::new().await;
        let (link, mut events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        link.try_publish("last".into(), b"words".to_vec(), 0, false).unwrap();
        let other = link.clone();
        link.stop().await;
        assert_eq!(caller.packet().await.unwrap().0, 0x30, "{protocol}: PUBLISH");
        assert_eq!(caller.packet().await.unwrap().0, DISCONNECT, "{protocol}");
        assert_eq!(caller.packet().await, None, "{protocol}: and hangs up");
        assert_eq!(timeout(PATIENCE, events.recv()).await.unwrap(), None, "{protocol}: the channel ends");
        assert_eq!(other.try_publish("a".into(), vec![], 0, false), Err(NotSent::Down), "{protocol}");
        timeout(PATIENCE, other.stop()).await.expect("stopping what is stopped does nothing");
    }
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_broker_that_is_stuck() {
    let peer = Peer::new().await;
    for protocol in BOTH {
        // One that never answers CONNECT, and one whose in-flight window is full.
        let (link, _events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let _silent = peer.accept().await;
        let start = Instant::now();
        link.stop().await;
        assert!(start.elapsed() < Duration::from_secs(5), "{protocol}: {:?}", start.elapsed());

        let many = fleetlens_link::LinkConfig { outbox: 5_000, ..config(&peer.url(), protocol, "c", &[]) };
        let (link, mut events) = Link::start(many).unwrap();
        let _deaf = peer.greet(protocol).await;
        up(&mut events).await;
        for _ in 0..3_000 {
            link.try_publish("a".into(), vec![], 1, false).unwrap();
        }
        let start = Instant::now();
        link.stop().await;
        assert!(start.elapsed() < Duration::from_secs(5), "{protocol}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_link_nobody_holds_or_hears_ends_by_itself() {
    for protocol in BOTH {
        let peer = Peer::new().await;
        let (link, mut events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        drop(link);
        assert_eq!(caller.packet().await.unwrap().0, DISCONNECT, "{protocol}: no handle");
        assert_eq!(timeout(PATIENCE, events.recv()).await.unwrap(), None, "{protocol}");

        let (_link, mut events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        drop(events);
        assert_eq!(caller.packet().await.unwrap().0, DISCONNECT, "{protocol}: no ear");
    }
}

#[tokio::test]
async fn a_broker_that_says_goodbye_is_quoted() {
    for (code, want) in [(0x8B, "ended the connection: server shutting down"), (0x8E, "another program connected")] {
        let peer = Peer::new().await;
        let (_link, mut events) = Link::start(config(&peer.url(), Protocol::V5, "c", &[])).unwrap();
        let mut caller = peer.greet(Protocol::V5).await;
        up(&mut events).await;
        caller.send(&packet(DISCONNECT, &[code, 0])).await;
        match next(&mut events).await {
            Event::Down { reason } => assert!(reason.contains(want), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

/// A broker may wait for us before it goes on: with all of ours on the way that it takes at once, and more behind them, what we have
/// safe is acknowledged all the same.
#[tokio::test]
async fn what_is_safe_is_acknowledged_although_the_broker_answers_none_of_ours() {
    /// As many as the library has on the way at once (`session.rs`), and some that have to wait.
    const OURS: usize = 1_000 + 20;
    let peer = Peer::new().await;
    let (link, mut events) = Link::start(config(&peer.url(), Protocol::V4, "c", &[])).unwrap();
    let mut caller = peer.greet(Protocol::V4).await;
    up(&mut events).await;
    for n in 0..OURS {
        link.try_publish("ours".into(), vec![], 1, false).unwrap();
        if n < 1_000 {
            assert_eq!(caller.packet().await.unwrap().0, 0x32, "{n}");
        }
    }
    for packet_id in [9, 10, 11] {
        caller.send(&publish(Protocol::V4, b"theirs", Some(packet_id), b"x")).await;
        link.acknowledge(message(&mut events).await.delivery.unwrap());
        let began = Instant::now();
        assert_eq!(caller.packet().await.unwrap(), (0x40, packet_id.to_be_bytes().to_vec()));
        assert!(began.elapsed() < Duration::from_secs(2), "it waited for the next ping: {:?}", began.elapsed());
    }
}
