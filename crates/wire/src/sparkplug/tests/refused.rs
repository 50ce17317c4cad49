//! What is refused, in which words, and what it leaves behind: nothing.

use super::*;
use crate::REFUSAL_MAX_CHARS;
use crate::telemetry::PAYLOAD_MAX_BYTES;
use crate::testing::chance;

#[test]
fn a_death_of_another_connection_kills_nobody() {
    let host = &mut listening(true);
    let (earlier, mut node) = (EdgeNode::new("g", "n", 254), EdgeNode::new("g", "n", 255));
    assert_eq!(short(&hear(host, &earlier.death(T0), T0).unwrap()), ["g/n Gone"], "of a birth that we missed");
    hear(host, &node.birth(&[], T0), T0).unwrap();
    let late = hear(host, &earlier.death(T0), T0);
    assert_eq!(
        late.unwrap_err().to_string(),
        "its bdSeq is 254 and that of the birth 255: it is the death of an earlier connection"
    );
    assert_eq!(short(&hear(host, &node.death(T0), T0).unwrap()), ["g/n Gone"]);
}

#[test]
fn a_refused_birth_leaves_nobody_sure_of_the_old_one() {
    let (mut node, own, pibrella) = pi();
    let host = &mut listening(false);
    hear(host, &node.birth(&own, T0), T0).unwrap();
    hear(host, &node.device_birth("Pibrella", &pibrella, T0), T0).unwrap();
    let twice = [number("a", 1.0), number("a", 2.0)];
    let device = |node: &mut EdgeNode| node.device_data("Pibrella", &[Metric::by_alias(1, Carried::Boolean(true))], T0);

    assert!(hear(host, &node.device_birth("Pibrella", &twice, T0), T0).is_err());
    assert!(refusal(hear(host, &device(&mut node), T0)).starts_with("the birth of this device (DBIRTH)"));
    assert_eq!(host.command("Sparkplug B Devices/Raspberry Pi/Pibrella", &[], T0), Err(NoCommand::NotKnownYet));
    assert!(hear(host, &node.birth(&twice, T0), T0).is_err());
    assert_eq!(hear(host, &device(&mut node), T0), Err(SparkplugError::NodeUnborn.into()));
    assert_eq!(host.weight, host.nodes.values().map(Node::weight).fold(Weight::default(), Weight::plus));
    assert_eq!(hear(host, &node.death(T0), T0).unwrap().said.len(), 2, "but both are there, and die");
}

#[test]
fn what_cannot_be_read_says_why() {
    let typed = |datatype: u32, value| Metric { datatype: Some(datatype), value, ..number("a", 0.0) };
    let int = |n| Some(Carried::Int(n));
    let many = |n: usize| (0..n).map(|n| number(&n.to_string(), 0.0)).collect::<Vec<Metric>>();
    let uneven = PropertySet { keys: vec!["a".into()], values: vec![Property::default(); 2] };
    let long = "x".repeat(300);
    for (metrics, want) in [
        (vec![Metric::default()], "a metric has no name; births name every one, and data calls it by name or alias"),
        (
            vec![Metric { datatype: None, ..number("a", 0.0) }],
            "the metric \"a\" has no datatype; births give every one's",
        ),
        (vec![typed(0, None)], "the metric \"a\" is of datatype 0; those of metrics are 1 to 19 and 22 to 34"),
        (vec![typed(20, None)], "the metric \"a\" is of datatype 20; those of metrics are 1 to 19 and 22 to 34"),
        (vec![typed(35, None)], "the metric \"a\" is of datatype 35; those of metrics are 1 to 19 and 22 to 34"),
        (vec![typed(1, int(300))], "the metric \"a\" carries 300; its datatype is Int8"),
        (vec![typed(11, int(1))], "the metric \"a\" carries a whole number; its datatype is Boolean"),
        (vec![number("a/b", 0.0), number("a/b", 0.0)], "two values are called \"/a/b\"; a message may say each once"),
        (
            vec![number("a", 0.0).aliased(5), number("b", 0.0).aliased(5)],
            "two metrics have the alias 5; each has its own",
        ),
        (
            vec![Metric { is_historical: Some(true), ..number("a", 0.0) }],
            "the metric \"a\" is historical and has no timestamp; nobody can say of when it is",
        ),
        (
            vec![Metric { timestamp: Some(u64::MAX), ..number("a", 0.0) }],
            "a timestamp is 18446744073709551615; it must be in milliseconds since 1970",
        ),
        (
            vec![Metric { properties: Some(uneven), ..number("a", 0.0) }],
            "a metric has 1 keys and 2 values of properties; there must be as many of both",
        ),
        (many(511), "the payload carries more than 512 values"),
        (many(5_000), "the payload carries more than 4096 values"),
        (
            vec![number(&long, 0.0)],
            &format!("the name of a value, \"/{}…\", has 301 bytes; at most 256 are allowed", "x".repeat(199)),
        ),
    ] {
        let host = &mut listening(true);
        let refused = hear(host, &EdgeNode::new("g", "n", 0).birth(&metrics, T0), T0).unwrap_err().to_string();
        assert_eq!(refused, want);
        assert_eq!((host.nodes.len(), host.weight), (0, Weight::default()), "nothing is remembered of {metrics:?}");
    }
    for (payload, want) in [
        (vec![0x18, 0x80, 0x02], "the sequence number is 256; it must be 0 to 255"),
        (vec![], "the sequence number is missing; only NDEATH has none"),
        (
            b"\x22\x12SPBV1.0_COMPRESSED".to_vec(),
            "the payload is compressed; Fleetlens reads plain Sparkplug B, so switch compression off at the edge node",
        ),
        (vec![0; PAYLOAD_MAX_BYTES + 1], "the payload has 262145 bytes; at most 262144 are read"),
    ] {
        let host = &mut listening(true);
        let birth = Outgoing { topic: "spBv1.0/g/NBIRTH/n".into(), payload };
        assert_eq!(hear(host, &birth, T0).unwrap_err().to_string(), want);
    }
    for payload in [&b"{\"seq\":0}"[..], &[0x12, 0x05, 0x0a], &[0x12, 0x03, 0x0a, 0x01, 0xff]] {
        let birth = Outgoing { topic: "spBv1.0/g/NBIRTH/n".into(), payload: payload.to_vec() };
        let refused = hear(&mut listening(true), &birth, T0).unwrap_err().to_string();
        assert!(refused.starts_with("the payload is not a Sparkplug B protobuf: "), "{refused}");
    }
}

#[test]
fn data_that_does_not_fit_its_birth_says_why() {
    let born = [number("a", 0.0).aliased(5), flag("b", false)];
    for (metric, want, asks) in [
        (
            Metric::by_alias(6, Carried::Double(1.0)),
            "it calls a metric by the alias 6, which the birth did not give to any",
            true,
        ),
        (number("c", 1.0), "it tells of the metric \"c\", which the birth did not name", true),
        (flag("a", true), "the metric \"a\" is of datatype 11 now and was of 10 in the birth", true),
        (
            Metric::by_alias(5, Carried::Boolean(true)),
            "the metric \"a\" carries true or false; its datatype is Double",
            false,
        ),
        (Metric::default(), "a metric has no name; births name every one, and data calls it by name or alias", false),
    ] {
        let host = &mut listening(true);
        let mut node = EdgeNode::new("g", "n", 0);
        hear(host, &node.birth(&born, T0), T0).unwrap();
        let outcome = hear(host, &node.data(&[number("a", 1.0), metric.clone()], T0), T0);
        assert_eq!(outcome.as_ref().is_ok_and(|understood| understood.send.len() == 1), asks, "{metric:?}");
        assert_eq!(refusal(outcome), want);
        let said = hear(host, &node.data(&[number("a", 2.0)], T0), T0).unwrap();
        assert_eq!(short(&said), ["g/n @0 /a=2"], "the next message is read");
    }
}

#[test]
fn what_the_broker_kept_is_of_an_earlier_time() {
    let host = &mut listening(true);
    let birth = EdgeNode::new("g", "n", 0).birth(&[], T0);
    let retained = Incoming { topic: &birth.topic, payload: &birth.payload, retained: true, at: T0 };
    assert_eq!(host.read(retained), Err(SparkplugError::Retained.into()));
    assert!(host.nodes.is_empty());
}

#[test]
fn the_state_of_a_host_is_checked() {
    let host = &mut listening(false);
    for (payload, want) in [
        (r#"{"online":true,"timestamp":1486144502122}"#, None),
        ("", None),
        ("ONLINE", Some("the payload is not JSON: expected value at line 1 column 1")),
        (r#"{"timestamp":1}"#, Some("the field \"online\" is missing")),
        (r#"{"online":1,"timestamp":1}"#, Some("the field \"online\" is 1; it must be true or false")),
        (
            r#"{"online":true,"timestamp":-1}"#,
            Some("the field \"timestamp\" is -1; it must be a whole number of milliseconds since 1970"),
        ),
    ] {
        let message = Incoming { topic: "spBv1.0/STATE/scada", payload: payload.as_bytes(), retained: true, at: T0 };
        let outcome = host.read(message);
        match want {
            None => assert_eq!(outcome.unwrap().said.len(), usize::from(!payload.is_empty()), "{payload}"),
            Some(want) => assert_eq!(outcome.unwrap_err().to_string(), want),
        }
    }
}

#[test]
fn a_hostile_fleet_fills_no_memory() {
    let host = &mut listening(false);
    let mut node = EdgeNode::new("g", "n", 0);
    hear(host, &node.birth(&[], T0), T0).unwrap();
    for n in 0..DEVICES_MAX {
        hear(host, &node.device_birth(&n.to_string(), &[], T0), T0).unwrap();
    }
    let refused = hear(host, &node.device_birth("one more", &[], T0), T0).unwrap_err();
    assert_eq!(refused.to_string(), "4096 devices of this edge node are known already; no more are remembered");

    let full = Weight { things: crate::convention::THINGS_MAX, bytes: 0 };
    host.weight = full;
    let birth = EdgeNode::new("g", "m", 0).birth(&[], T0);
    let refused = hear(host, &birth, T0).unwrap_err();
    assert_eq!(refused.to_string(), "200000 edge nodes and devices are known already; no more are remembered");
    host.weight = Weight { things: 1, bytes: node::BIRTHS_MAX_BYTES };
    let refused = hear(host, &birth, T0).unwrap_err();
    assert_eq!(refused.to_string(), "the births known already fill 268435456 bytes; no more are remembered");
    assert_eq!(host.nodes.len(), 1);

    // Metrics of no bytes are counted before they are read.
    let payload = [0x12, 0x00].repeat(PAYLOAD_MAX_BYTES / 2);
    let empty = Outgoing { topic: "spBv1.0/g/NBIRTH/n".into(), payload };
    assert_eq!(hear(host, &empty, T0), Err(WireError::TooMany { max: 4_096 }));
}

/// Every message of a conversation with bytes changed, cut off and put in, at every topic, in any order.
#[test]
fn garbage_is_refused_in_few_words_and_harms_nobody() {
    let (mut node, own, pibrella) = pi();
    let good = [
        node.birth(&own, T0),
        node.device_birth("Pibrella", &pibrella, T0),
        node.data(&[Metric::by_alias(7, Carried::Float(1.0))], T0),
        node.device_data("Pibrella", &[Metric::by_alias(1, Carried::Boolean(true))], T0),
        node.device_death("Pibrella", T0),
        node.death(T0),
    ];
    let mut topics: Vec<String> = good.iter().map(|message| message.topic.clone()).collect();
    topics
        .extend(["spBv1.0/STATE/a", "spBv1.0/\u{202e}/NBIRTH/\u{10ffff}", "spBv1.0/a\nb/DDATA/c/d"].map(str::to_owned));
    topics.push(format!("spBv1.0/{}", "\u{10ffff}/".repeat(9_000)));
    let mut below = chance(0x9e37_79b9_7f4a_7c15);
    let host = &mut listening(true);
    let (mut taken, mut refused) = (0, 0);
    for n in 0..40_000 {
        let mut payload = good[below(good.len())].payload.clone();
        for _ in 0..below(4) {
            match (below(3), payload.len()) {
                (_, 0) | (0, _) => payload.insert(below(payload.len() + 1), below(256) as u8),
                (1, length) => payload[below(length)] = below(256) as u8,
                (_, length) => payload.truncate(below(length)),
            }
        }
        let topic = &topics[below(topics.len())];
        match host.read(Incoming { topic, payload: &payload, retained: n % 50 == 0, at: at_s(n) }) {
            Ok(understood) if understood.refused.is_none() => {
                short(&understood);
                taken += 1;
            }
            Ok(understood) => {
                refused += 1;
                assert!(refusal(Ok(understood)).chars().count() <= REFUSAL_MAX_CHARS);
            }
            Err(why) => {
                refused += 1;
                assert!(why.to_string().chars().count() <= REFUSAL_MAX_CHARS, "{why}");
            }
        }
        let weighed = host.nodes.values().map(Node::weight).fold(Weight::default(), Weight::plus);
        assert_eq!(host.weight, weighed);
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} taken, {refused} refused");
    host.connecting();
    for message in good {
        hear(host, &message, T0).unwrap();
    }
}
