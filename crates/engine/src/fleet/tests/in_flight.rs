//! How many requests are on the wire at once.

use std::collections::BTreeMap;

use super::*;

/// A fleet of lamps that wants and reports nothing yet, connected.
fn with_lamps(lamps: usize, requests_in_flight: usize) -> Fleet {
    let config = FleetConfig { things_max: lamps, requests_in_flight, gets_per_s: 0, ..config(Role::Operator) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(1));
    for n in 0..lamps {
        give(&mut fleet, meta("lamp", &format!("lamp-{n:03}"), r#"{"interval_s":10}"#), at(1));
    }
    fleet
}

fn dim(thing: u64, shadow: &str) -> Input {
    let wish = Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json: None };
    let thing = ThingKey(thing as u32);
    let intent = Intent::Command { thing, shadow: shadow.into(), wishes: vec![wish], expires_in_ms: Some(60_000) };
    Input::Asked { window: WindowId(1), request: RequestId(1), intent }
}

/// Everything that was asked of the shadow service and not answered yet, oldest first.
#[derive(Default)]
struct Wire(Vec<Publish>);

impl Wire {
    fn take(&mut self, effects: &Effects) {
        self.0.extend(published(effects).into_iter().cloned());
    }

    /// The service, which has a shadow each, answers the oldest request.
    fn answer(&mut self, fleet: &mut Fleet, services: &mut BTreeMap<String, Service>, now: Now) {
        let request = self.0.remove(0);
        let shadow = request.topic.rsplit_once('/').unwrap().0.to_owned();
        let service = services.entry(shadow).or_insert_with(|| Service { document: Document::default() });
        for answer in service.answer_one(&request, now) {
            let effects = give(fleet, answer, now);
            self.take(&effects);
        }
    }
}

#[test]
fn no_more_requests_are_on_the_wire_than_may_be_and_all_go_out_in_their_turn() {
    let mut fleet = with_lamps(40, 5);
    let (mut wire, mut services, mut accepted) = (Wire::default(), BTreeMap::new(), Vec::new());
    for thing in 1..=40 {
        let effects = give(&mut fleet, dim(thing, ""), at(2));
        wire.take(&effects);
        assert!(wire.0.len() <= 5, "{} at once", wire.0.len());
    }
    assert_eq!(fleet.requests(), (5, 35));
    while !wire.0.is_empty() {
        let before: Vec<bool> = fleet.commands.values().map(|c| matches!(c.phase, Phase::Accepted { .. })).collect();
        wire.answer(&mut fleet, &mut services, at(3));
        assert!(wire.0.len() <= 5, "{} at once", wire.0.len());
        let now =
            fleet.commands.values().zip(before).filter(|(c, was)| !was && matches!(c.phase, Phase::Accepted { .. }));
        accepted.extend(now.map(|(command, _)| command.id.0));
    }
    assert_eq!(accepted, (1..=40).collect::<Vec<_>>(), "the oldest first, every one");
    assert_eq!(fleet.requests(), (0, 0));
}

#[test]
fn one_thing_has_its_share_and_no_more_however_many_shadows_it_has() {
    let mut fleet = with_lamps(2, 200);
    let (mut wire, mut services) = (Wire::default(), BTreeMap::new());
    for n in 0..14 {
        let effects = give(&mut fleet, dim(1, &format!("part-{n:02}")), at(2));
        wire.take(&effects);
    }
    assert_eq!(wire.0.len(), 10);
    let effects = give(&mut fleet, dim(2, ""), at(2));
    wire.take(&effects);
    assert_eq!(wire.0.len(), 11, "others are not kept out");
    while !wire.0.is_empty() {
        wire.answer(&mut fleet, &mut services, at(3));
        assert!(wire.0.iter().filter(|request| request.topic.contains("lamp-000")).count() <= 10);
    }
    assert!(fleet.commands.values().all(|command| matches!(command.phase, Phase::Accepted { .. })));
}

#[test]
fn what_is_never_answered_makes_room_when_its_time_is_up_and_what_takes_back_goes_first() {
    let mut fleet = with_lamps(4, 1);
    let first = give(&mut fleet, dim(1, ""), at(2));
    assert_eq!(published(&first).len(), 1, "it asks for the shadow, and nobody answers");
    give(&mut fleet, dim(2, ""), at(2));
    give(&mut fleet, dim(3, ""), at(2));
    // It was sent and is taken back; it waits for room like the others, in front of them.
    let id = CommandId(3);
    let sent = fleet.commands.get_mut(&id).unwrap();
    sent.phase = Phase::Sent;
    let cancel = Intent::CancelCommand { command: id };
    give(&mut fleet, Input::Asked { window: WindowId(1), request: RequestId(1), intent: cancel }, at(3));
    assert_eq!(fleet.requests(), (1, 2));
    let later = give(&mut fleet, Input::Ticked, at(13));
    let asked: Vec<&str> = published(&later).iter().map(|publish| publish.topic.as_str()).collect();
    assert_eq!(fleet.requests().0, 1, "{asked:?}");
    assert_eq!(asked, ["$aws/things/lamp-002/shadow/get"], "the way back goes first");
    give(&mut fleet, down(), at(14));
    assert_eq!(fleet.requests(), (0, 0), "nothing is on a wire that is gone");
}

#[test]
fn what_waits_for_room_expires_like_anything_else_and_never_leaves() {
    let mut fleet = with_lamps(2, 1);
    give(&mut fleet, dim(1, ""), at(2));
    give(&mut fleet, dim(2, ""), at(2));
    give(&mut fleet, Input::Ticked, at(63));
    assert_eq!(fleet.commands[&CommandId(2)].phase, Phase::Expired { withdrawal: Withdrawal::NotNeeded });
    assert_eq!(fleet.requests().1, 0);
}
