use super::*;

#[test]
fn a_message_becomes_rows_and_a_latest_value() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    let effects = give(&mut fleet, lamp_says(3, 61.5), at(4));
    assert!(matches!(
        &effects.writes[..],
        [
            Write::Series { series: SeriesKey(1), thing: ThingKey(1), .. },
            Write::Sample(Sample { value: Value::Number(61.5), .. })
        ]
    ));
    let series = &fleet.series[&SeriesKey(1)];
    let sample = series.latest().unwrap();
    assert_eq!(fleet.age_ms(series, &sample, at(10)), 7_000, "aged from the device's own time");
    assert_eq!(fleet.source(series, &sample), Source::Live);
    give(&mut fleet, lamp_says(1, 10.0), at(5));
    assert_eq!(
        fleet.series[&SeriesKey(1)].latest().unwrap().value,
        Value::Number(61.5),
        "a late sample is history, not news"
    );
}

#[test]
fn what_cannot_be_read_is_counted_with_its_reason_and_acknowledged() {
    let mut fleet = fleet();
    for (topic, payload, reason) in [
        ("elsewhere", "{}", "no template of the profile reads this topic"),
        ("city/v/lamp/lamp-1/telemetry", "{", "the payload is not JSON"),
        ("$aws/things/x/tunnels/notify", "{}", "shadow"),
        ("$aws/things/x/jobs/notify", "{}", "\"jobs\" is missing"),
        ("city/v/lamp//telemetry", r#"{"values":{}}"#, "name is empty"),
    ] {
        let received = Received { packet_id: 7, delivery: Some(Delivery(7)), ..message(topic, payload) };
        let effects = give(&mut fleet, Input::Link(LinkEvent::Received(received)), at(1));
        let Some(Write::Refused { reason: why, .. }) = effects.writes.last() else { panic!("{topic}: {effects:?}") };
        assert!(why.contains(reason), "{topic}: {why}");
        assert_eq!(effects.outward, [Outward::Acknowledge(Delivery(7))], "{topic}");
        assert_eq!(effects.messages, 0);
    }
    assert_eq!(fleet.counters().refused, 5);
    for i in 0..3 {
        give(&mut fleet, telemetry(&format!("city/v/lamp/l{i}/telemetry"), r#"{"values":{"a":1}}"#), at(1));
    }
    for name in ["l3", "l4", "l5"] {
        let topic = format!("city/v/lamp/{name}/telemetry");
        let effects = give(&mut fleet, telemetry(&topic, r#"{"values":{"a":1}}"#), at(1));
        let Some(Write::Refused { topic, reason, .. }) = effects.writes.last() else { panic!("{effects:?}") };
        assert!(reason.contains("limit of 3 things"), "{reason}");
        assert_eq!(topic, "city/+/+/+/telemetry", "a flood of names is counted in one place");
    }
    let row = fleet.refusals.front().unwrap();
    assert_eq!((row.count, fleet.refusals.len()), (3, 6));
}

#[test]
fn what_a_person_reads_of_a_stranger_hides_nothing_and_turns_nothing() {
    let mut fleet = fleet();
    let topic = "city/v/lamp/lamp-\u{202e}1/telemetry";
    give(&mut fleet, telemetry(topic, r#"{"values":{"a":1}}"#), at(1));
    give(&mut fleet, telemetry(&format!("x/{}", "\u{202e}".repeat(60_000)), "{}"), at(1));
    let rows: Vec<_> = fleet.refusals.iter().collect();
    assert_eq!(rows[1].topic, "city/v/lamp/lamp-\\u{202e}1/telemetry");
    assert!(rows[1].reason.contains("hidden character"), "{}", rows[1].reason);
    assert_eq!(rows[0].topic.chars().count(), 256);
    assert!(rows.iter().all(|row| !row.topic.contains('\u{202e}') && !row.reason.contains('\u{202e}')), "{rows:?}");
}

#[test]
fn a_redelivered_message_is_acknowledged_and_not_stored_again() {
    let mut fleet = fleet();
    let first = Received {
        packet_id: 5,
        delivery: Some(Delivery(1)),
        ..message("city/v/lamp/lamp-1/telemetry", r#"{"values":{"power_w":1}}"#)
    };
    let again = Received { redelivered: true, delivery: Some(Delivery(2)), ..first.clone() };
    let other = Received { payload: br#"{"values":{"power_w":2}}"#.to_vec(), ..again.clone() };
    give(&mut fleet, Input::Link(LinkEvent::Received(first.clone())), at(1));
    let effects = give(&mut fleet, Input::Link(LinkEvent::Received(again)), at(2));
    assert!(effects.writes.is_empty());
    assert_eq!(effects.outward, [Outward::Acknowledge(Delivery(2))]);
    let effects = give(&mut fleet, Input::Link(LinkEvent::Received(other)), at(2));
    assert_eq!(effects.messages, 1, "the same packet id with another message is another message");
    let effects = give(&mut fleet, Input::Link(LinkEvent::Received(first)), at(3));
    assert_eq!(effects.messages, 1, "without DUP it was sent on purpose");
}

#[test]
fn the_cache_alone_gives_the_same_picture() {
    let (mut fleet, service) = with_lamp();
    let effects = give(&mut fleet, lamp_says(2, 61.5), at(3));
    let latest =
        effects.writes.iter().filter_map(|w| if let Write::Sample(s) = w { Some(s.clone()) } else { None }).collect();
    let thing = &fleet.things[&ThingKey(1)];
    let restored = Restored {
        things: vec![(thing.key, thing.name.clone(), thing.meta.clone())],
        series: vec![(SeriesKey(1), ThingKey(1), "/power_w".into())],
        latest,
        shadows: vec![(ThingKey(1), "".into(), Packed::of(&service.document, &mut Texts::default()), at(1).wall)],
        link_seen_ms: Some(at(5).wall),
        ..Restored::default()
    };
    let again = Fleet::new(config(Role::Operator), restored, at(3_600));
    let (series, thing) = (&again.series[&SeriesKey(1)], &again.things[&ThingKey(1)]);
    assert_eq!(again.link, LinkState::Starting);
    assert_eq!(thing.meta.common.kind, Kind::Lamp);
    assert_eq!(thing.silence.freshness(), Freshness::Unknown { since_ms: at(5).wall });
    assert_eq!(again.source(series, &series.latest().unwrap()), Source::Cached);
    assert_eq!(again.age_ms(series, &series.latest().unwrap(), at(3_600)), 3_598_000);
}

#[test]
fn strangers_make_no_things_no_endless_shadows_and_no_half_messages() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, telemetry("$aws/things/ghost/shadow/get/rejected", r#"{"code":404,"message":"x"}"#), at(1));
    assert!(fleet.things.is_empty());
    give(&mut fleet, lamp_is_there(), at(1));
    for i in 0..100 {
        let topic = format!("$aws/things/lamp-1/shadow/name/s{i}/get/accepted");
        give(&mut fleet, telemetry(&topic, r#"{"state":{},"version":1,"timestamp":1}"#), at(1));
    }
    assert_eq!(fleet.things[&ThingKey(1)].shadows.len(), 64);
    for i in 0..3 {
        let values: Vec<String> = (0..200).map(|n| format!("\"v{i}_{n}\":1")).collect();
        let payload = format!(r#"{{"values":{{{}}}}}"#, values.join(","));
        give(&mut fleet, telemetry("city/v/lamp/lamp-1/telemetry", &payload), at(1));
    }
    assert_eq!(fleet.things[&ThingKey(1)].series.len(), 400, "the third did not fit and left nothing behind");
}

#[test]
fn a_value_said_twice_is_kept_once() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    fleet.take_dirty();
    let effects = give(&mut fleet, lamp_says(1, 60.0), at(2));
    assert!(!effects.writes.iter().any(|w| matches!(w, Write::Sample(_))), "{effects:?}");
    assert!(fleet.take_dirty().samples.is_empty(), "nor twice in an open chart");
}
