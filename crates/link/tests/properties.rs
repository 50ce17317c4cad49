//! What MQTT 5 carries beside messages, byte by byte and with Mosquitto.

#![cfg(test)]
#![allow(clippy::wildcard_enum_match_arm, reason = "any other event is the failure")]

mod common;

use std::time::Duration;

use common::mosquitto::Mosquitto;
use common::peer::{CONNECT, Peer, connack, packet};
use common::{BOTH, config, failure, message, next, publisher, reaches, up};
use fleetlens_link::{Event, Link, LinkConfig, Mqtt5, Properties, Protocol};

/// A text as MQTT writes it.
fn text(of: &str) -> Vec<u8> {
    [&(of.len() as u16).to_be_bytes(), of.as_bytes()].concat()
}

/// A PUBLISH at QoS 0 with these properties.
fn publish(topic: &str, properties: &[Vec<u8>], payload: &str) -> Vec<u8> {
    let properties = properties.concat();
    let body = [text(topic), vec![properties.len() as u8], properties, payload.as_bytes().to_vec()].concat();
    packet(0x30, &body)
}

fn holds(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn what_the_profile_says_to_the_broker_is_in_the_connect() {
    let peer = Peer::new().await;
    let mqtt5 = Mqtt5 {
        user_properties: vec![("team".into(), "lights".into())],
        receive_maximum: Some(7),
        topic_alias_maximum: 3,
        request_problem_information: Some(false),
    };
    let config = LinkConfig { mqtt5, ..config(&peer.url(), Protocol::V5, "c", &[]) };
    let (_link, _events) = Link::start(config).unwrap();
    let (first, connect) = peer.accept().await.packet().await.unwrap();
    assert_eq!(first, CONNECT);
    let user = [vec![0x26], text("team"), text("lights")].concat();
    for (name, part) in [
        ("receive maximum", &[0x21, 0, 7][..]),
        ("topic alias maximum", &[0x22, 0, 3]),
        ("request problem information", &[0x17, 0]),
        ("user property", &user),
    ] {
        assert!(holds(&connect, part), "{name}: {connect:02x?}");
    }
}

#[tokio::test]
async fn a_message_brings_its_properties_and_an_alias_stands_for_its_topic() {
    let peer = Peer::new().await;
    let mqtt5 = Mqtt5 { topic_alias_maximum: 3, ..Mqtt5::default() };
    let config = LinkConfig { mqtt5, ..config(&peer.url(), Protocol::V5, "c", &[]) };
    let (_link, mut events) = Link::start(config).unwrap();
    let mut caller = peer.greet(Protocol::V5).await;
    up(&mut events).await;
    let full = [
        [vec![0x03], text("application/json")].concat(),
        [vec![0x08], text("answers/here")].concat(),
        vec![0x02, 0, 0, 0x0E, 0x10],
        [vec![0x26], text("from"), text("north")].concat(),
        vec![0x23, 0, 2],
    ];
    caller.send(&publish("city/a", &full, "1")).await;
    caller.send(&publish("", &[vec![0x23, 0, 2]], "2")).await;
    caller.send(&publish("city/b", &[vec![0x23, 0, 2]], "3")).await;
    caller.send(&publish("", &[vec![0x23, 0, 2]], "4")).await;
    let properties = Properties {
        content_type: Some("application/json".into()),
        response_topic: Some("answers/here".into()),
        expiry_s: Some(3600),
        user: vec![("from".into(), "north".into())],
        left_out: 0,
    };
    for (topic, payload, properties) in [
        ("city/a", "1", Some(Box::new(properties))),
        ("city/a", "2", None),
        ("city/b", "3", None),
        ("city/b", "4", None),
    ] {
        let message = message(&mut events).await;
        assert_eq!((message.topic.as_str(), message.payload.as_slice()), (topic, payload.as_bytes()));
        assert_eq!(message.properties, properties, "{payload}");
    }
    // Nobody knows what such a message is about.
    caller.send(&publish("", &[vec![0x23, 0, 3]], "5")).await;
    assert!(failure(&mut events).await.contains("topic alias 3 of no topic"));
    let mut caller = peer.greet(Protocol::V5).await;
    caller.send(&publish("city/a", &[vec![0x23, 0, 4]], "6")).await;
    assert!(failure(&mut events).await.contains("topic alias 4, which we did not offer"));
}

#[tokio::test]
async fn a_message_that_must_not_be_late_says_so_to_the_broker_with_mqtt_5() {
    for (protocol, want) in [(Protocol::V4, &b"\x00\x01go"[..]), (Protocol::V5, b"\x00\x01\x05\x02\x00\x00\x00\x07go")]
    {
        let peer = Peer::new().await;
        let (link, mut events) = Link::start(config(&peer.url(), protocol, "c", &[])).unwrap();
        let mut caller = peer.greet(protocol).await;
        up(&mut events).await;
        link.try_publish_within("open".into(), b"go".to_vec(), 1, 7).unwrap();
        assert_eq!(caller.packet().await.unwrap(), (0x32, [&text("open"), want].concat()), "{protocol}");
    }
}

#[tokio::test]
async fn what_a_broker_says_about_a_refusal_is_told_and_kept_on_one_line() {
    let peer = Peer::new().await;
    let (link, mut events) = Link::start(config(&peer.url(), Protocol::V5, "c", &[])).unwrap();
    let mut caller = peer.greet(Protocol::V5).await;
    up(&mut events).await;
    link.try_publish("open".into(), Vec::new(), 1, false).unwrap();
    caller.packet().await.unwrap();
    let why = [vec![0x1F], text("the barrier\nis sealed")].concat();
    caller.send(&packet(0x40, &[&[0, 1, 0x97, why.len() as u8], &why[..]].concat())).await;
    match next(&mut events).await {
        Event::Refused { topic, reason, .. } => {
            assert_eq!(topic, "open");
            assert!(reason.contains("quota exceeded (it says: the barrier\u{fffd}is sealed)"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    drop(caller);
    let mut caller = peer.accept().await;
    caller.packet().await.unwrap();
    caller.send(&connack(Protocol::V5, 0)).await;
    let why = [vec![0x1F], text("maintenance")].concat();
    caller.send(&packet(0xE0, &[&[0x8B, why.len() as u8], &why[..]].concat())).await;
    assert!(failure(&mut events).await.contains("closed the connection"));
    assert!(failure(&mut events).await.contains("ended the connection: maintenance"));
}

/// A thing that is away hears, when it is back, what still matters, and not that it was to open an hour ago.
#[tokio::test]
async fn mosquitto_delivers_no_message_whose_time_is_over() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let thing = config(&broker.url(), Protocol::V5, &format!("barrier {protocol}"), &[("open/#", 1)]);
        let (away, mut events) = Link::start(thing.clone()).unwrap();
        up(&mut events).await;
        away.stop().await;

        let (sender, _sender_events) = publisher(&broker.url(), protocol).await;
        for (topic, expiry_s) in [("open/soon", 1), ("open/today", 86_400)] {
            sender.try_publish_within(topic.into(), b"go".to_vec(), 1, expiry_s).unwrap();
        }
        reaches(&sender, 0).await;
        // The broker's clock is what the test is about; it counts in whole seconds.
        tokio::time::sleep(Duration::from_millis(3_100)).await;

        let (back, mut events) = Link::start(thing).unwrap();
        let first = message(&mut events).await;
        let left_s = first.properties.and_then(|properties| properties.expiry_s);
        match protocol {
            Protocol::V5 => {
                assert_eq!(first.topic, "open/today");
                assert!(left_s.is_some_and(|left_s| (86_000..86_400).contains(&left_s)), "{left_s:?}");
            }
            // Whoever sends it with 3.1.1 cannot say it.
            Protocol::V4 => assert_eq!((first.topic.as_str(), left_s), ("open/soon", None)),
        }
        back.stop().await;
        sender.stop().await;
    }
}
