//! Whatever happens, in whatever order.

use proptest::prelude::*;

use super::*;

fn any_input() -> impl Strategy<Value = Input> {
    let value = prop_oneof![Just("40"), Just("70"), Just("{")];
    prop_oneof![
        Just(up()),
        Just(down()),
        Just(lamp_is_there()),
        Just(Input::Ticked),
        Just(Input::Opened(ThingKey(1))),
        (0u64..50, 0.0f64..100.0).prop_map(|(ts, w)| lamp_says(ts, w)),
        (value, proptest::option::of(1_000u64..90_000)).prop_map(|(v, e)| dim_to(v, e)),
        (1u64..4).prop_map(|id| Input::Asked {
            window: WindowId(1),
            request: RequestId(1),
            intent: Intent::CancelCommand { command: CommandId(id) }
        }),
        (1u16..4, any::<bool>(), 0u64..3).prop_map(|(packet_id, redelivered, n)| {
            let payload = format!(r#"{{"values":{{"power_w":{n},"mode":"m{n}"}}}}"#);
            let m = message("city/v/lamp/lamp-1/telemetry", &payload);
            Input::Link(LinkEvent::Received(Received { packet_id, redelivered, delivery: Some(Delivery(n)), ..m }))
        }),
        (1u64..6, prop_oneof![Just("accepted"), Just("rejected")]).prop_map(|(v, verb)| {
            let payload = format!(
                r#"{{"code":409,"message":"x","state":{{"desired":{{"dim_pct":40}}}},"metadata":{{}},"version":{v},"timestamp":1,"clientToken":"fl-0000000000000abc-1"}}"#
            );
            telemetry(&format!("$aws/things/lamp-1/shadow/update/{verb}"), &payload)
        }),
    ]
}

proptest! {
    #[test]
    fn the_same_inputs_give_the_same_effects(inputs in proptest::collection::vec((any_input(), 0u64..40), 1..60)) {
        let (mut one, mut two) = (fleet(), fleet());
        let mut s = 0;
        for (input, passed) in inputs {
            s += passed;
            prop_assert_eq!(give(&mut one, input.clone(), at(s)), give(&mut two, input, at(s)));
        }
        prop_assert_eq!(one.counters(), two.counters());
    }

    #[test]
    fn whatever_happens_nothing_is_published_while_the_link_is_down(inputs in proptest::collection::vec((any_input(), 0u64..40), 1..60)) {
        let mut fleet = fleet();
        let mut s = 0;
        for (input, passed) in inputs {
            s += passed;
            let effects = give(&mut fleet, input, at(s));
            prop_assert!(fleet.up_since.is_some() || published(&effects).is_empty());
        }
    }
}
