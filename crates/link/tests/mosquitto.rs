//! The link against a real broker, at both versions of MQTT.

#![cfg(test)]
#![allow(clippy::wildcard_enum_match_arm, reason = "any other event is the failure")]

mod common;

use std::collections::HashMap;

use common::mosquitto::Mosquitto;
use common::{BOTH, PATIENCE, config, message, next, publish, publisher, until, up};
use fleetlens_link::{Credentials, Event, Link, LinkConfig, NotSent, Protocol, Secret};
use tokio::time::timeout;

#[tokio::test]
async fn a_message_arrives_with_its_guarantee_and_its_flags() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let (sender, mut told) = publisher(&broker.url(), protocol).await;
        sender.try_publish("city/kept".into(), b"old".to_vec(), 1, true).unwrap();
        // Who subscribes before the broker has it is sent it as news. It takes them in order, so it has it when it has the next.
        sender.try_publish_told("elsewhere".into(), Vec::new(), 60, 1).unwrap();
        assert_eq!(next(&mut told).await, Event::Acknowledged { receipt: 1 }, "{protocol}");
        let filters = [("city/#", 1), ("loose/#", 0)];
        let (link, mut events) = Link::start(config(&broker.url(), protocol, "receiver", &filters)).unwrap();
        assert_eq!(next(&mut events).await, Event::Connecting { reason: None });
        // The replay may come before or after the last SUBACK.
        let mut seen = HashMap::new();
        let mut was_up = false;
        while seen.is_empty() || !was_up {
            match next(&mut events).await {
                Event::Received(message) => _ = seen.insert(message.topic.clone(), message),
                Event::Up { .. } => was_up = true,
                other => panic!("{other:?}"),
            }
        }
        publish(&sender, "city/live", "one", 1).unwrap();
        publish(&sender, "city/loose", "two", 0).unwrap();
        publish(&sender, "loose/firm", "three", 1).unwrap();
        while seen.len() < 4 {
            let message = message(&mut events).await;
            seen.insert(message.topic.clone(), message);
        }
        for (topic, payload, qos, retained) in [
            ("city/kept", "old", 1, true),
            ("city/live", "one", 1, false),
            ("city/loose", "two", 0, false),
            ("loose/firm", "three", 0, false),
        ] {
            let message = &seen[topic];
            assert_eq!(message.payload, payload.as_bytes(), "{protocol} {topic}");
            assert_eq!(
                (message.qos, message.retained, message.redelivered),
                (qos, retained, false),
                "{protocol} {topic}"
            );
            assert_eq!(
                (message.packet_id != 0, message.delivery.is_some()),
                (qos == 1, qos == 1),
                "{protocol} {topic}"
            );
        }
        link.stop().await;
    }
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_and_what_was_does_not() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let (sender, _events) = publisher(&broker.url(), protocol).await;
        let config = config(&broker.url(), protocol, &format!("receiver {protocol}"), &[("city/#", 1)]);
        let (link, mut events) = Link::start(config.clone()).unwrap();
        assert!(!up(&mut events).await, "a new session");
        for payload in ["a", "b", "c"] {
            publish(&sender, "city/x", payload, 1).unwrap();
        }
        let mut first = Vec::new();
        for _ in 0..3 {
            first.push(message(&mut events).await);
        }
        link.acknowledge(first[0].delivery.unwrap());
        link.acknowledge(first[0].delivery.unwrap()); // twice is once
        link.stop().await; // sends what is queued

        publish(&sender, "city/x", "d", 1).unwrap();
        let (link, mut events) = Link::start(config).unwrap();
        let mut again = Vec::new();
        let mut session = None;
        while again.len() < 3 || session.is_none() {
            match next(&mut events).await {
                Event::Received(message) => again.push(message),
                Event::Up { session_present, .. } => session = Some(session_present),
                Event::Connecting { reason: None } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(session, Some(true), "{protocol}");
        let payloads: Vec<_> = again.iter().map(|m| m.payload.as_slice()).collect();
        assert_eq!(payloads, [b"b", b"c", b"d"], "{protocol}");
        // What came while nobody was there may carry the flag too: Mosquitto sets it on everything it holds.
        assert!(again[..2].iter().all(|m| m.redelivered), "{protocol}: {again:?}");
        let ids = |messages: &[fleetlens_link::Message]| messages.iter().map(|m| m.packet_id).collect::<Vec<_>>();
        assert_eq!(ids(&again[..2]), ids(&first[1..]), "{protocol}: the same packet ids");
        again.iter().for_each(|message| link.acknowledge(message.delivery.unwrap()));
        link.stop().await;
    }
}

#[tokio::test]
async fn whoever_gives_a_receipt_is_told_when_the_broker_has_the_message_and_nobody_else_is() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let (link, mut events) = publisher(&broker.url(), protocol).await;
        publish(&link, "city/x", "untold", 1).unwrap();
        link.try_publish_told("city/x".into(), b"a".to_vec(), 60, 7).unwrap();
        publish(&link, "city/x", "loose", 0).unwrap();
        link.try_publish_told("city/y".into(), b"b".to_vec(), 60, 8).unwrap();
        for receipt in [7, 8] {
            assert_eq!(next(&mut events).await, Event::Acknowledged { receipt }, "{protocol}");
        }
        link.stop().await;
    }
}

#[tokio::test]
async fn an_acknowledgement_of_an_earlier_connection_is_ignored() {
    let Some(mut broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let receiver = config(&broker.url(), protocol, &format!("receiver {protocol}"), &[("city/#", 1)]);
        let (link, mut events) = Link::start(receiver).unwrap();
        up(&mut events).await;
        let (sender, _sender_events) = publisher(&broker.url(), protocol).await;
        publish(&sender, "city/x", "held", 1).unwrap();
        let held = message(&mut events).await;
        sender.stop().await;

        for round in 0..2 {
            broker.stop();
            until(&mut events, "Down", |event| matches!(event, Event::Down { .. }).then_some(())).await;
            broker.start_again();
            let again = message(&mut events).await;
            assert_eq!(again.payload, b"held", "{protocol}, round {round}");
            assert!(again.redelivered, "{protocol}, round {round}");
            assert_eq!(again.packet_id, held.packet_id, "{protocol}: the same packet id");
            assert_ne!(again.delivery, held.delivery, "{protocol}: another delivery");
            // Were it taken for this connection's, the second round would see nothing.
            link.acknowledge(held.delivery.unwrap());
            if round == 1 {
                link.acknowledge(again.delivery.unwrap());
            }
            // There and back: whatever was queued before has reached the broker.
            up(&mut events).await;
            publish(&link, "city/echo", "", 0).unwrap();
            assert_eq!(message(&mut events).await.topic, "city/echo", "{protocol}");
        }
        link.stop().await;
    }
}

#[tokio::test]
async fn a_broker_killed_and_started_again_is_found_and_asked_anew() {
    let Some(mut broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let receiver = config(&broker.url(), protocol, "receiver", &[("city/#", 1), ("other/#", 0)]);
        let (link, mut events) = Link::start(receiver).unwrap();
        up(&mut events).await;
        broker.kill();
        let reason =
            until(&mut events, "Down", |event| if let Event::Down { reason } = event { Some(reason) } else { None });
        assert!(reason.await.contains("closed the connection"), "{protocol}");
        assert_eq!(publish(&link, "city/x", "lost", 1), Err(NotSent::Down), "{protocol}");
        let reason = until(&mut events, "no broker", |event| match event {
            Event::Connecting { reason: Some(reason) } if reason.contains("no broker listens") => Some(reason),
            _ => None,
        });
        assert!(reason.await.contains("start it"), "{protocol}");

        broker.start_again();
        assert!(!up(&mut events).await, "{protocol}: the kill lost the session");
        publish(&link, "city/x", "to myself", 1).unwrap();
        let back = message(&mut events).await;
        assert_eq!(back.payload, b"to myself", "{protocol}");
        link.stop().await;
    }
}

#[tokio::test]
async fn a_full_inbox_makes_the_broker_hold_what_is_firm() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let receiver = LinkConfig {
            inbox: 3,
            ..config(&broker.url(), protocol, &format!("receiver {protocol}"), &[("city/#", 1)])
        };
        let (link, mut events) = Link::start(receiver).unwrap();
        up(&mut events).await;
        let (sender, _sender_events) = publisher(&broker.url(), protocol).await;
        for n in 0..300 {
            publish(&sender, "city/x", &n.to_string(), 1).unwrap();
        }
        // Full, and nobody reads.
        timeout(PATIENCE, async {
            while events.len() < 3 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{protocol}: the inbox fills; {} of 3", events.len()));
        for n in 0..300 {
            match next(&mut events).await {
                Event::Received(message) => {
                    assert_eq!(message.payload, n.to_string().as_bytes(), "{protocol}");
                    link.acknowledge(message.delivery.unwrap());
                }
                other => panic!("{protocol}: {other:?}"),
            }
        }
        link.stop().await;
    }
}

#[tokio::test]
async fn live_qos_0_gives_way_when_the_inbox_is_full_and_is_counted() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let filters = [("live/#", 0), ("end", 1)];
        let receiver = LinkConfig { inbox: 4, ..config(&broker.url(), protocol, "receiver", &filters) };
        let (link, mut events) = Link::start(receiver).unwrap();
        up(&mut events).await;
        let (sender, _sender_events) = publisher(&broker.url(), protocol).await;
        for n in 0..2_000 {
            publish(&sender, &format!("live/{}", n % 10), &n.to_string(), 0).unwrap();
        }
        publish(&sender, "end", "", 1).unwrap();
        timeout(PATIENCE, async {
            while events.len() < 4 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the inbox fills");

        let (mut received, mut shed, mut ended) = (0, 0, false);
        let mut latest = HashMap::new();
        while received + shed < 2_000 || !ended {
            match next(&mut events).await {
                Event::Received(message) if message.topic == "end" => ended = true,
                Event::Received(message) => {
                    received += 1;
                    let value: u32 = String::from_utf8(message.payload).unwrap().parse().unwrap();
                    let before = latest.insert(message.topic, value);
                    assert!(before < Some(value), "{protocol}: never an older value after a newer one");
                }
                Event::Shed { topics } => shed += topics.iter().map(|(_, n)| n).sum::<u64>(),
                other => panic!("{protocol}: {other:?}"),
            }
        }
        assert!(shed > 0, "{protocol}: four places cannot hold 2 000");
        assert_eq!(received + shed, 2_000, "{protocol}: every one is received or counted");
        for (topic, value) in &latest {
            assert_eq!(
                *value,
                1_990 + topic.strip_prefix("live/").unwrap().parse::<u32>().unwrap(),
                "{protocol}: the last of {topic}"
            );
        }
        assert_eq!(latest.len(), 10, "{protocol}");
        link.stop().await;
    }
}

#[tokio::test]
async fn answers_of_the_shadow_service_are_never_shed() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let receiver = LinkConfig { inbox: 2, ..config(&broker.url(), protocol, "receiver", &[("$aws/#", 0)]) };
        let (link, mut events) = Link::start(receiver).unwrap();
        up(&mut events).await;
        let (sender, _sender_events) = publisher(&broker.url(), protocol).await;
        for n in 0..300 {
            publish(&sender, "$aws/things/lamp-1/shadow/update/accepted", &n.to_string(), 0).unwrap();
        }
        for n in 0..300 {
            match next(&mut events).await {
                Event::Received(message) => assert_eq!(message.payload, n.to_string().as_bytes(), "{protocol}"),
                other => panic!("{protocol}: {other:?}"),
            }
        }
        link.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_grants_less_than_was_asked_for_is_told() {
    let Some(broker) = Mosquitto::start("max_qos 0") else { return };
    for protocol in BOTH {
        let filters = [("firm/#", 1), ("loose/#", 0)];
        let (link, mut events) = Link::start(config(&broker.url(), protocol, "receiver", &filters)).unwrap();
        let told = until(&mut events, "Refused", |event| match event {
            Event::Refused { topic, reason, delivery: None } => Some((topic, reason)),
            _ => None,
        });
        let (topic, reason) = told.await;
        assert_eq!(topic, "firm/#", "{protocol}");
        assert!(reason.starts_with("the broker grants QoS 0 only"), "{protocol}: {reason}");
        assert!(matches!(next(&mut events).await, Event::Up { .. }), "{protocol}: and only of that one");
        if protocol == Protocol::V5 {
            // It has told its limit, and would end the connection over a publish above it.
            publish(&link, "firm/x", "1", 1).unwrap();
            let back = message(&mut events).await;
            assert_eq!((back.payload.as_slice(), back.qos), (&b"1"[..], 0));
        }
        link.stop().await;
    }
}

#[tokio::test]
async fn a_retained_message_above_our_limit_does_not_keep_us_out_for_ever() {
    let Some(broker) = Mosquitto::start("") else { return };
    let large =
        LinkConfig { max_packet_bytes: 4 << 20, ..config(&broker.url(), Protocol::V5, "publisher", &[("big", 0)]) };
    let (sender, mut echo) = Link::start(large).unwrap();
    up(&mut echo).await;
    sender.try_publish("big".into(), vec![b'x'; 2 << 20], 1, true).unwrap();
    assert_eq!(message(&mut echo).await.payload.len(), 2 << 20, "the broker has it");
    let (link, mut events) = Link::start(config(&broker.url(), Protocol::V4, "receiver", &[("#", 1)])).unwrap();
    let refused = until(&mut events, "Refused", |event| match event {
        Event::Refused { topic, reason, delivery } => Some((topic, reason, delivery)),
        Event::Down { reason } => panic!("{reason}"),
        _ => None,
    });
    let (topic, reason, delivery) = refused.await;
    assert_eq!(topic, "big");
    assert!(reason.contains("too large"), "{reason}");
    link.acknowledge(delivery.expect("it can be acknowledged"));
    publish(&sender, "small", "1", 1).unwrap();
    assert_eq!(message(&mut events).await.topic, "small", "on the same connection");
}

#[tokio::test]
async fn many_filters_are_all_subscribed_before_it_is_up() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let names: Vec<String> = (0..30).map(|n| format!("f/{n}/#")).collect();
        let filters: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let (link, mut events) = Link::start(config(&broker.url(), protocol, "receiver", &filters)).unwrap();
        up(&mut events).await;
        for n in 0..30 {
            publish(&link, &format!("f/{n}/x"), "", 1).unwrap();
        }
        let mut topics = Vec::new();
        for _ in 0..30 {
            let message = message(&mut events).await;
            link.acknowledge(message.delivery.unwrap()); // or the broker stops after the twentieth
            topics.push(message.topic);
        }
        assert_eq!(topics, (0..30).map(|n| format!("f/{n}/x")).collect::<Vec<_>>(), "{protocol}");
        link.stop().await;
    }
}

#[tokio::test]
async fn a_publish_the_broker_does_not_allow_is_told_with_its_topic() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("acl");
    std::fs::write(&rules, "topic read #\ntopic readwrite open/#\n").unwrap();
    let Some(broker) = Mosquitto::start(&format!("acl_file {}", rules.display())) else { return };
    // MQTT 3.1.1 has no word for it.
    let (link, mut events) = Link::start(config(&broker.url(), Protocol::V5, "sender", &[])).unwrap();
    up(&mut events).await;
    publish(&link, "open/x", "", 1).unwrap();
    publish(&link, "shut/x", "", 1).unwrap();
    let refused = next(&mut events).await;
    let reason = "the broker does not let us publish to it".to_owned();
    assert_eq!(refused, Event::Refused { topic: "shut/x".into(), reason, delivery: None });
    link.stop().await;
}

#[tokio::test]
async fn a_broker_that_wants_credentials_gets_them_or_says_no() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("passwords");
    let made = std::process::Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(&passwords)
        .args(["ada", "secret"])
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        common::skip("no mosquitto_passwd");
        return;
    }
    let Some(broker) = Mosquitto::start(&format!("allow_anonymous false\npassword_file {}", passwords.display()))
    else {
        return;
    };
    for protocol in BOTH {
        for (credentials, says) in [
            (None, Some("give user and password")),
            (Some(("ada", "wrong")), Some("\"ada\"")),
            (Some(("ada", "secret")), None),
        ] {
            let credentials = credentials.map(|(user, password)| Credentials {
                user: user.to_owned(),
                password: Some(Secret::Given(password.to_owned())),
            });
            let config = LinkConfig { credentials, ..config(&broker.url(), protocol, "c", &[]) };
            let (link, mut events) = Link::start(config).unwrap();
            match says {
                None => _ = up(&mut events).await,
                Some(says) => {
                    let reason = common::failure(&mut events).await;
                    assert!(reason.contains(says), "{protocol}: {reason}");
                }
            }
            link.stop().await;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_published_is_refused_at_once() {
    let Some(broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let small = LinkConfig { outbox: 2, max_packet_bytes: 300, ..config(&broker.url(), protocol, "sender", &[]) };
        let (link, mut events) = Link::start(small).unwrap();
        assert_eq!(publish(&link, "a", "early", 1), Err(NotSent::Down), "{protocol}");
        up(&mut events).await;
        assert_eq!(publish(&link, "a/#", "", 1), Err(NotSent::Topic("a/#".into())), "{protocol}");
        assert_eq!(publish(&link, "", "", 1), Err(NotSent::Topic(String::new())), "{protocol}");
        assert_eq!(publish(&link, "a", "", 2), Err(NotSent::Qos(2)), "{protocol}");
        assert_eq!(
            publish(&link, "a", &"x".repeat(300), 1),
            Err(NotSent::TooLarge { bytes: 311, most: 300 }),
            "{protocol}"
        );
        // On one thread the link cannot send in between.
        assert_eq!(publish(&link, "a", "1", 1), Ok(()), "{protocol}");
        assert_eq!(publish(&link, "a", "2", 0), Ok(()), "{protocol}");
        assert_eq!(publish(&link, "a", "3", 1), Err(NotSent::Full { waiting: 2 }), "{protocol}");
        timeout(PATIENCE, async {
            while publish(&link, "a", "4", 1).is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("there is room again once they are sent");
        link.stop().await;
    }
}

#[tokio::test]
async fn filters_that_become_known_later_are_subscribed_at_once_and_on_every_connection() {
    let Some(mut broker) = Mosquitto::start("") else { return };
    for protocol in BOTH {
        let id = format!("late {protocol}");
        let config = LinkConfig { clean_start: true, ..config(&broker.url(), protocol, &id, &[("first/#", 1)]) };
        let (link, mut events) = Link::start(config).unwrap();
        link.subscribe(vec!["early/0".into()]); // before there is a connection
        up(&mut events).await;
        // More than one packet takes, some of them twice.
        link.subscribe((0..30).map(|n| format!("late/{}", n % 20)).collect());
        for _ in 0..2 {
            let (sender, _events) = publisher(&broker.url(), protocol).await;
            for topic in ["early/0", "late/0", "late/19"] {
                // Retained, so that it comes whether the subscription or the message was first.
                sender.try_publish(topic.to_owned(), b"x".to_vec(), 1, true).unwrap();
            }
            let mut missing = std::collections::HashSet::from(["early/0", "late/0", "late/19"]);
            while !missing.is_empty() {
                let message = message(&mut events).await;
                missing.remove(message.topic.as_str());
                message.delivery.into_iter().for_each(|delivery| link.acknowledge(delivery));
            }
            sender.stop().await;
            broker.stop();
            broker.start_again();
            up(&mut events).await;
        }
        link.stop().await;
    }
}
