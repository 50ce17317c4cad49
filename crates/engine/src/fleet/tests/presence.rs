//! Who is connected, as AWS says it: twice, out of order, and with clients that are no things; and on topics that a profile names.

use super::*;

fn event(connected: bool, client: &str, version: u64, s: u64) -> Input {
    let word = if connected { "connected" } else { "disconnected" };
    let at_ms = at(s).wall.0;
    telemetry(
        &format!("$aws/events/presence/{word}/{client}"),
        &format!(r#"{{"clientId":"{client}","timestamp":{at_ms},"eventType":"{word}","versionNumber":{version}}}"#),
    )
}

fn live() -> Fleet {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    fleet
}

fn freshness(fleet: &Fleet) -> Freshness {
    fleet.things[&fleet.by_name["lamp-1"]].silence.freshness()
}

#[test]
fn who_left_and_did_not_come_back_at_once_is_gone() {
    let came = |version, s| event(true, "lamp-1", version, s);
    let went = |version, s| event(false, "lamp-1", version, s);
    for (name, events, is_gone) in [
        ("nobody spoke of it", vec![], false),
        ("it left", vec![went(3, 2)], true),
        ("it came back at once", vec![went(3, 2), came(4, 3)], false),
        ("the end came after the next beginning", vec![came(4, 3), went(3, 2)], false),
        ("another took its name while it was there", vec![came(4, 3), went(3, 2), went(4, 4)], true),
        ("twice", vec![went(3, 2), went(3, 2)], true),
        ("the beginning came after the end", vec![went(3, 2), came(3, 1)], true),
        ("another client", vec![event(false, "lamp-2", 3, 2)], false),
    ] {
        let mut fleet = live();
        for event in events {
            give(&mut fleet, event, at(4));
        }
        give(&mut fleet, Input::Ticked, at(5));
        assert_eq!(freshness(&fleet), Freshness::Live, "{name}: it has five seconds");
        give(&mut fleet, Input::Ticked, at(10));
        give(&mut fleet, Input::Ticked, at(12));
        let silent = matches!(freshness(&fleet), Freshness::Silent { .. });
        assert_eq!((silent, fleet.things.len()), (is_gone, 1), "{name}");
        give(&mut fleet, came(9, 13), at(13));
        assert_eq!(freshness(&fleet), Freshness::Live, "{name}: back again");
        assert_eq!(fleet.counters().refused, 0, "{name}");
    }
}

#[test]
fn what_is_no_event_is_refused_and_a_lost_link_leaves_nobody_gone() {
    let mut fleet = live();
    give(&mut fleet, telemetry("$aws/events/presence/disconnected/lamp-1", "{}"), at(2));
    assert_eq!(fleet.counters().refused, 1);
    give(&mut fleet, event(false, "lamp-1", 3, 2), at(2));
    give(&mut fleet, Input::Link(LinkEvent::Down { reason: "x".into() }), at(3));
    give(&mut fleet, up(), at(20));
    give(&mut fleet, Input::Ticked, at(21));
    give(&mut fleet, Input::Ticked, at(23));
    assert!(!matches!(freshness(&fleet), Freshness::Silent { .. }), "{:?}", freshness(&fleet));
}

#[test]
fn presence_is_subscribed_to_only_where_the_profile_says_so() {
    let quiet = config(Role::Viewer);
    let asked = FleetConfig { presence: true, ..quiet.clone() };
    let of = |config: &FleetConfig| config.filters().into_iter().filter(|f| f.contains("presence")).collect::<Vec<_>>();
    assert_eq!(of(&quiet), [""; 0]);
    assert_eq!(of(&asked), ["$aws/events/presence/connected/+", "$aws/events/presence/disconnected/+"]);
}

#[test]
fn a_topic_of_the_profile_says_who_is_there() {
    let mut config = config(Role::Operator);
    // Within what telemetry takes as well: the more particular one counts.
    config.telemetry[0].template = Template::parse("city/{area}/{kind}/{thing}/#").unwrap();
    let lwt = Template::parse("city/{area}/{kind}/{thing}/LWT").unwrap();
    config.availability =
        vec![Availability { template: lwt, pointer: None, online: "Online".into(), offline: "Offline".into() }];
    assert_eq!(config.filters()[0], "city/+/+/+/LWT");
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    let says = |thing: &str, word: &str| telemetry(&format!("city/v/lamp/{thing}/LWT"), word);
    for (s, word, want) in
        [(2, "Online", false), (3, "", false), (4, "Offline", true), (5, "", true), (6, "Online", false)]
    {
        give(&mut fleet, says("lamp-1", word), at(s));
        give(&mut fleet, Input::Ticked, at(s));
        let silent = matches!(freshness(&fleet), Freshness::Silent { .. });
        assert_eq!(silent, want, "{word:?} at {s}");
    }
    assert_eq!((fleet.counters().refused, fleet.things.len()), (0, 1));
    give(&mut fleet, says("lamp-1", "offline"), at(7));
    assert_eq!((fleet.counters().refused, freshness(&fleet)), (1, Freshness::Live), "another word says nothing");
    give(&mut fleet, says("lamp-2", ""), at(8));
    assert_eq!(fleet.things.len(), 1, "nothing is said of nobody");
    // As a broker hands it over after a connect, before the thing itself has said anything.
    let retained = Received { retained: true, ..message("city/v/lamp/lamp-2/LWT", "Online") };
    give(&mut fleet, Input::Link(LinkEvent::Received(retained)), at(8));
    let second = |fleet: &Fleet| fleet.things[&fleet.by_name["lamp-2"]].silence.freshness();
    assert_eq!((fleet.things.len(), second(&fleet)), (2, Freshness::Never), "that is no value of its own");
    give(&mut fleet, telemetry("city/v/lamp/lamp-2/telemetry", r#"{"values":{"power_w":1}}"#), at(9));
    let meta = &fleet.things[&fleet.by_name["lamp-2"]].meta;
    assert_eq!((meta.common.kind, meta.area.as_ref()), (Kind::Lamp, "v"), "what it measures says where it is");
    assert_eq!(second(&fleet), Freshness::Live);
}
