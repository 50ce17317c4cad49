//! Whatever happens, in whatever order.

use fleetlens_model::audit::Event;
use proptest::prelude::*;

use super::*;

/// Stands for the token of the first command, which nobody knows before it is asked for.
const TOKEN: &str = "TOKEN";

/// An input with that token in its place.
fn meant(input: Input, fleet: &Fleet) -> Input {
    let Input::Link(LinkEvent::Received(Received { topic, payload, .. })) = &input else { return input };
    if !topic.starts_with("$aws/") {
        return input;
    }
    let token = fleet.commands.get(&CommandId(1)).map_or(TOKEN, |command| &command.token);
    telemetry(topic, &std::str::from_utf8(payload).unwrap().replace(TOKEN, token))
}

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
                r#"{{"code":409,"message":"x","state":{{"desired":{{"dim_pct":40}}}},"metadata":{{}},"version":{v},"timestamp":1,"clientToken":"{TOKEN}"}}"#
            );
            telemetry(&format!("$aws/things/lamp-1/shadow/update/{verb}"), &payload)
        }),
        (1u64..6, prop_oneof![Just("QUEUED"), Just("IN_PROGRESS"), Just("x")]).prop_map(|(v, status)| {
            let payload = format!(r#"{{"timestamp":{v},"jobs":{{"{status}":[{{"jobId":"j","versionNumber":{v}}}]}}}}"#);
            telemetry("$aws/things/lamp-1/jobs/notify", &payload)
        }),
    ]
}

/// The row of the command that an update is sent for, as the same effects keep it.
pub(super) fn row_of<'a>(update: &Publish, effects: &'a Effects) -> Option<&'a Command> {
    let request = decode_request(Op::Update, &update.payload).unwrap();
    let mut rows = effects
        .writes
        .iter()
        .filter_map(|write| if let Write::Command(command) = write { Some(&**command) } else { None });
    rows.find(|command| request.client_token.as_ref() == Some(&command.token))
}

proptest! {
    #[test]
    fn the_same_inputs_give_the_same_effects(inputs in proptest::collection::vec((any_input(), 0u64..40), 1..60)) {
        let (mut one, mut two) = (fleet(), fleet());
        let mut s = 0;
        for (input, passed) in inputs {
            s += passed;
            let input = meant(input, &one);
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
            let input = meant(input, &fleet);
            let effects = give(&mut fleet, input, at(s));
            prop_assert!(fleet.up_since.is_some() || published(&effects).is_empty());
        }
    }

    #[test]
    fn whatever_happens_nothing_is_asked_of_a_shadow_without_its_commands_row(inputs in proptest::collection::vec((any_input(), 0u64..40), 1..60)) {
        let (mut fleet, _) = with_lamp();
        let mut s = 2;
        for (input, passed) in inputs {
            s += passed;
            let input = meant(input, &fleet);
            let effects = give(&mut fleet, input, at(s));
            for update in published(&effects).into_iter().filter(|message| message.topic.ends_with("/update")) {
                prop_assert!(row_of(update, &effects).is_some(), "{effects:?}");
            }
        }
    }

    #[test]
    fn whatever_happens_the_log_is_told_every_step_of_every_command_once_and_in_order(inputs in proptest::collection::vec((any_input(), 0u64..40), 1..60)) {
        let (mut fleet, _) = with_lamp();
        let (mut s, mut told) = (2, Vec::new());
        for (input, passed) in inputs {
            s += passed;
            let input = meant(input, &fleet);
            let effects = give(&mut fleet, input, at(s));
            told.extend(audit::entries(&effects));
            for input in audit::performed(&effects) {
                told.extend(audit::entries(&give(&mut fleet, input, at(s))));
            }
        }
        prop_assert!((1..).zip(&told).all(|(seq, entry)| entry.seq == seq), "{told:?}");
        for command in fleet.commands.values() {
            let of = told.iter().filter(|entry| entry.trace == command.token).map(|entry| entry.event);
            let outside = [Event::Refused, Event::Committed, Event::Published, Event::Acknowledged, Event::NotPublished, Event::NotWithdrawn];
            let steps: Vec<Event> = of.filter(|event| !outside.contains(event)).collect();
            prop_assert_eq!(steps, audit::told_steps(command));
        }
    }

    #[test]
    fn without_a_link_only_a_things_own_word_changes_an_alarm_and_the_counts_are_always_right(
        inputs in proptest::collection::vec((any_input(), 0u64..40), 1..80),
    ) {
        let mut rules = Rule::usual();
        rules.push(rule("strong", None, over("/power_w", 50.0, 10.0, 20_000), Priority::Critical));
        let mut fleet = fleet_with(rules);
        let mut s = 0;
        for (input, passed) in inputs {
            s += passed;
            let was_up = fleet.up_since.is_some();
            let heard = matches!(input, Input::Link(LinkEvent::Received(_)));
            let effects = give(&mut fleet, input, at(s));
            // A message may overtake the word that the link is up; it tells that its thing is not silent.
            let fine = |alarm: &&Alarm| was_up || fleet.up_since.is_some() || heard && !alarm.is_active();
            prop_assert!(kept(&effects).iter().all(fine), "{effects:?}");
            // What is kept as things change is what a walk would count.
            let open: Vec<&Alarm> = fleet.alarms.of(AlarmScope::Open).collect();
            let count = |what: fn(&Alarm) -> bool| open.iter().filter(|alarm| what(alarm)).count() as u32;
            let counts = fleet.alarms.counts();
            prop_assert_eq!((counts.open, counts.active), (count(Alarm::is_open), count(|alarm| alarm.is_active())));
            prop_assert_eq!(counts.unacknowledged, count(|alarm| alarm.state.acknowledged.is_none()));
            prop_assert_eq!(fleet.alarms.needing_count(), count(Alarm::needs_a_person));
            for thing in fleet.things.values() {
                let worst = open.iter().filter(|alarm| alarm.thing == thing.key && alarm.is_active());
                prop_assert_eq!(thing.alarmed, worst.map(|alarm| alarm.priority).max());
            }
        }
    }
}
