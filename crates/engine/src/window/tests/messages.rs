use fleetlens_ipc::rows::{MessageProperties, MessageRow};

use super::*;
use crate::fleet::Input;
use crate::port::{Delivery, LinkEvent, Received};

const LAMP: Look = Look::Messages { thing: ThingKey(1) };

fn received(topic: &str, payload: &[u8]) -> Received {
    Received {
        topic: topic.into(),
        payload: payload.to_vec(),
        retained: false,
        redelivered: false,
        packet_id: 0,
        properties: None,
        delivery: None,
    }
}

fn snapshot(frames: &[Frame]) -> Vec<MessageRow> {
    let [Frame::Snapshot { rows: Rows::Messages(rows), .. }] = frames else { panic!("{frames:?}") };
    rows.clone()
}

#[test]
fn a_thing_shows_every_message_that_named_it_as_it_came() {
    let mut fleet = city();
    let link = |message| Input::Link(LinkEvent::Received(message));
    let at_qos_1 =
        Received { packet_id: 7, delivery: Some(Delivery(1)), ..received("city/v/lamp/lamp-1/telemetry", b"{") };
    give(&mut fleet, link(at_qos_1.clone()), at(2));
    let properties = Some(Box::new(MessageProperties { expiry_s: Some(7), ..MessageProperties::default() }));
    let again = Received { redelivered: true, properties: properties.clone(), ..at_qos_1 };
    give(&mut fleet, link(again), at(3));
    give(&mut fleet, link(received("$aws/things/lamp-1/shadow/get/accepted", b"\xff!")), at(4));
    give(&mut fleet, link(received("city/v/lamp/stranger/telemetry", b"{")), at(5));
    let refused = LinkEvent::Refused {
        topic: "city/v/lamp/lamp-1/telemetry".into(),
        reason: "too large".into(),
        delivery: Some(Delivery(2)),
    };
    give(&mut fleet, Input::Link(refused), at(6));
    let (mut windows, _) = looking(LAMP, &mut fleet);
    let rows = snapshot(&frames(&mut windows, &mut fleet, at(6)));
    let short: Vec<_> =
        rows.iter().map(|r| (r.topic.as_str(), r.payload.len(), r.qos, r.retained, r.refused.is_some())).collect();
    assert_eq!(
        short,
        [
            ("city/v/lamp/lamp-1/meta", 55, 0, true, false),
            ("city/v/lamp/lamp-1/telemetry", 44, 0, false, false),
            ("city/v/lamp/lamp-1/telemetry", 1, 1, false, true),
            ("city/v/lamp/lamp-1/telemetry", 1, 1, false, false),
            ("$aws/things/lamp-1/shadow/get/accepted", 4, 0, false, true),
            ("city/v/lamp/lamp-1/telemetry", 0, 1, false, true),
        ]
    );
    assert_eq!(rows[4].payload, "\u{fffd}!", "bytes that are no text are shown as such");
    assert_eq!((&rows[2].properties, &rows[3].properties), (&None, &properties), "with what it carried besides");
    assert!(rows[3].repeated && rows.iter().filter(|row| row.repeated).count() == 1, "{rows:?}");
    assert!(!fleet.by_name.contains_key("stranger"), "what cannot be read makes no thing");
}

#[test]
fn each_new_message_is_told_once_and_of_a_burst_the_last_twenty() {
    let mut fleet = city();
    let (mut windows, _) = looking(LAMP, &mut fleet);
    assert_eq!(snapshot(&frames(&mut windows, &mut fleet, at(2))).len(), 2);
    assert_eq!(frames(&mut windows, &mut fleet, at(3)), [], "nothing new");
    (0..30).for_each(|i| drop(give(&mut fleet, lamp_says(4, f64::from(i)), at(4))));
    let told = frames(&mut windows, &mut fleet, at(4));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    let powers: Vec<&str> =
        changes
            .iter()
            .map(|c| {
                if let Change::Message(row) = c { row.payload.split(':').next_back().unwrap() } else { panic!("{c:?}") }
            })
            .collect();
    assert_eq!((powers.len(), powers.first(), powers.last()), (20, Some(&"10}}"), Some(&"29}}")));
    give(&mut fleet, telemetry("city/v/lamp/other/telemetry", r#"{"values":{"on":true}}"#), at(5));
    assert_eq!(frames(&mut windows, &mut fleet, at(5)), [], "somebody else's");
}

#[test]
fn a_long_payload_is_cut_and_its_length_told() {
    let mut fleet = city();
    let long = vec![b'x'; 5_000];
    give(&mut fleet, Input::Link(LinkEvent::Received(received("city/v/lamp/lamp-1/telemetry", &long))), at(2));
    let (mut windows, _) = looking(LAMP, &mut fleet);
    let rows = snapshot(&frames(&mut windows, &mut fleet, at(2)));
    assert_eq!((rows[2].payload.len(), rows[2].bytes), (2_048, 5_000));
    let (mut windows, _) = looking(Look::Messages { thing: ThingKey(9) }, &mut fleet);
    assert_eq!(
        frames(&mut windows, &mut fleet, at(2)),
        [Frame::Snapshot { view: ViewId(1), rows: Rows::Missing }],
        "of a thing that nobody knows"
    );
}
