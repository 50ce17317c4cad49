//! The short way and the long way of a message.

use proptest::prelude::*;

use super::*;
use crate::fleet::route::Routes;

/// A fleet with rules about values, that knows the short way or does not.
fn city(knows_routes: bool) -> Fleet {
    let over =
        |id: &str, pointer: &str, on_delay_ms| rule(id, None, over(pointer, 50.0, 5.0, on_delay_ms), Priority::Warning);
    let rules = vec![over("strong", "/power_w", 0), over("long strong", "/power_w", 10_000), over("far", "/lat", 0)];
    let config = FleetConfig { rules, ..config(Role::Operator) };
    let mut fleet = Fleet::new(config, Restored::default(), at(0));
    if !knows_routes {
        fleet.routes = Routes::new(&[]);
    }
    fleet
}

fn any_message() -> impl Strategy<Value = Input> {
    let member = prop_oneof![
        (30u32..60).prop_map(|n| format!("\"power_w\":{n}.5")),
        Just("\"on\":true".to_owned()),
        Just("\"state\":\"on\"".to_owned()),
        (0u32..3).prop_map(|n| format!("\"lat\":{n},\"lon\":14.5")),
        (0u32..2).prop_map(|n| format!("\"door\":{{\"open\":{n}}}")),
        Just("\"on\":null".to_owned()),
        Just("\"on\":[".to_owned()),
    ];
    let values = prop_oneof![
        4 => (30u32..60).prop_map(|n| format!("\"power_w\":{n}.5,\"on\":true,\"lat\":1.25,\"lon\":2")),
        2 => proptest::collection::vec(member, 0..4).prop_map(|members| members.join(",")),
    ];
    let said = (1u32..5, 0u64..100, values, any::<bool>(), proptest::option::weighted(0.3, 1u16..3), any::<bool>());
    let said = said.prop_map(|(thing, ts, values, dated, packet_id, redelivered)| {
        let ts = if dated { format!("\"ts\":{},", at(ts).wall.0) } else { String::new() };
        let payload = format!("{{{ts}\"values\":{{{values}}}}}");
        let said = message(&format!("city/v/lamp/lamp-{thing}/telemetry"), &payload);
        let packet_id = packet_id.unwrap_or(0);
        let delivery = (packet_id > 0).then_some(Delivery(u64::from(packet_id)));
        Received { packet_id, delivery, redelivered: redelivered && packet_id > 0, ..said }
    });
    let meta = (
        1u32..5,
        prop_oneof![Just("\"synthetic\":[\"power_w\"]"), Just("\"name\":\"Lamp\""), Just("\"kind\":\"vehicle\"")],
    );
    prop_oneof![
        20 => said.clone().prop_map(|said| Input::Link(LinkEvent::Received(said))),
        2 => said.prop_map(|said| Input::Link(LinkEvent::Received(Received { retained: true, ..said }))),
        2 => meta.prop_map(|(thing, words)| {
            Input::Link(LinkEvent::Received(message(&format!("city/v/lamp/lamp-{thing}/meta"), &format!("{{{words}}}"))))
        }),
        1 => Just(Input::Ticked),
        1 => Just(up()),
        1 => Just(down()),
    ]
}

proptest! {
    #[test]
    fn both_ways_lead_to_the_same(inputs in proptest::collection::vec((any_message(), 0u64..15), 1..80)) {
        let (mut short, mut long) = (city(true), city(false));
        let mut s = 0;
        for (input, passed) in inputs {
            s += passed;
            prop_assert_eq!(give(&mut short, input.clone(), at(s)), give(&mut long, input, at(s)));
        }
        prop_assert_eq!(short.counters(), long.counters());
        prop_assert_eq!(format!("{:?}", short.series), format!("{:?}", long.series));
        prop_assert_eq!(format!("{:?}", short.things), format!("{:?}", long.things));
        prop_assert_eq!(&short.dirty.things, &long.dirty.things);
        prop_assert_eq!(short.dirty.samples, long.dirty.samples);
    }
}

#[test]
fn a_message_like_the_last_goes_the_short_way_until_something_is_otherwise() {
    let mut fleet = city(true);
    let says = |n: u64| format!(r#"{{"ts":{},"values":{{"power_w":{n},"on":true}}}}"#, at(n).wall.0);
    let short = |fleet: &mut Fleet, payload: &str| {
        let topic = "city/v/lamp/lamp-1/telemetry";
        let heard = message(topic, payload);
        let mut effects = Effects::default();
        let was_short = fleet.route(&heard.heard(), at(1), &mut effects).is_some();
        if was_short {
            assert_eq!(effects.writes.len(), 2, "{effects:?}");
        } else {
            assert_eq!(effects, Effects::default(), "nothing is changed");
            give(fleet, telemetry(topic, payload), at(1));
        }
        was_short
    };
    for (name, payload, want) in [
        ("a new thing", says(1), false),
        ("its second word", says(2), false),
        ("and from then on", says(3), true),
        ("another value", r#"{"values":{"power_w":1,"on":true,"temp_c":2}}"#.into(), false),
        ("which is not there any more", says(4), false),
        ("and as before", says(5), true),
        ("nonsense", r#"{"values":{"power_w":"#.into(), false),
        ("and as before", says(6), true),
    ] {
        assert_eq!(short(&mut fleet, &payload), want, "{name}");
    }
    give(&mut fleet, lamp_is_there(), at(2));
    assert!(!short(&mut fleet, &says(7)), "it is described otherwise");
    assert!(short(&mut fleet, &says(8)));
}
