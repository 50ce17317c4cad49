//! Messages of other people's making: lists, things named in the payload, things that tell of themselves.

use fleetlens_wire::pointer::Pointer;
use fleetlens_wire::telemetry::{Shape, Whose};

use super::*;

/// Car parks on one topic, named by the entities; `described` where the profile has retained descriptions too.
fn parks(described: bool) -> Fleet {
    let mut config = config(Role::Viewer);
    config.telemetry = vec![TelemetryRule {
        template: Template::parse_nameless("ngsi").unwrap(),
        reading: Reading { shape: Shape::Fiware, whose: Whose::Shape, ..Reading::default() },
        kind: None,
        interval_s: Some(900),
    }];
    if !described {
        config.meta.clear();
    }
    let mut fleet = Fleet::new(config, Restored::default(), at(0));
    give(&mut fleet, up(), at(0));
    fleet
}

fn park(id: &str, rest: &str) -> String {
    format!(r#"{{"id":"{id}","type":"OffStreetParking"{rest}}}"#)
}

fn says(fleet: &mut Fleet, payload: &str) -> Effects {
    give(fleet, telemetry("ngsi", payload), at(1))
}

#[test]
fn a_list_is_taken_whole_or_leaves_nothing_behind() {
    let mut fleet = parks(false);
    let values: String = (0..400).map(|i| format!(",\"v{i}\":1")).collect();
    let more: String = (400..600).map(|i| format!(",\"v{i}\":1")).collect();
    let list = |parks: &[String]| format!("[{}]", parks.join(","));
    let name = "n".repeat(257);
    for (payload, reason) in [
        (list(&[park("a", ""), park("b", ""), park("c", ""), park("d", "")]), "limit of 3 things"),
        (list(&[park("a", ",\"availableSpotNumber\":1"), park("\\u0007", "")]), "hidden character"),
        (list(&[park("a", ""), park(&name, "")]), "257 bytes"),
        (list(&[park("a", &values), park("a", &more)]), "a would have more than 512 series"),
    ] {
        let effects = says(&mut fleet, &payload);
        let [Write::Refused { reason: why, .. }] = effects.writes.as_slice() else { panic!("{:?}", effects.writes) };
        assert!(why.contains(reason), "{why}");
        assert!(fleet.things.is_empty() && fleet.series.is_empty(), "{reason}");
    }
    says(&mut fleet, &list(&[park("a", &values), park("b", &values), park("a", "")]));
    assert_eq!((fleet.things.len(), fleet.series.len()), (2, 800));
    assert_eq!(fleet.counters().refused, 4);
    for name in ["a", "b"] {
        let log = fleet.messages.after(fleet.by_name[name], 0);
        assert_eq!(log.len(), 1, "the one message, on the page of each thing it named");
    }
    let effects = says(&mut fleet, "[]");
    assert_eq!((effects.messages, effects.writes.len()), (1, 0), "it says nothing, and that is no mistake");
}

#[test]
fn a_thing_tells_of_itself_unless_a_retained_description_knows_better() {
    let told = r#","name":"Salitre","totalSpotNumber":342,"address":{"streetAddress":"Calle Salitre"}"#;
    let mut fleet = parks(false);
    let effects = says(&mut fleet, &park("p", told));
    assert!(matches!(effects.writes.last(), Some(Write::Thing { .. })), "{:?}", effects.writes);
    let meta = fleet.things[&ThingKey(1)].meta.whole();
    assert_eq!((meta.kind, meta.title.as_str(), meta.capacity), (Kind::Parking, "Salitre", Some(342)));
    assert_eq!((meta.street.as_str(), meta.interval_s), ("Calle Salitre", 900));
    assert_eq!(says(&mut fleet, &park("p", told)).writes, [], "said again it is no news");
    says(&mut fleet, &park("p", r#","totalSpotNumber":300"#));
    assert_eq!(fleet.things[&ThingKey(1)].meta, Meta { capacity: Some(300), ..meta.clone() }, "it was rebuilt");

    let mut fleet = parks(true);
    let described = r#"{"name":"Car park 1","capacity":340,"interval_s":60}"#;
    give(&mut fleet, telemetry("city/v/parking/p/meta", described), at(1));
    says(&mut fleet, &park("p", told));
    let meta = fleet.things[&ThingKey(1)].meta.whole();
    assert_eq!((meta.title.as_str(), meta.capacity), ("Car park 1", Some(340)));
    assert_eq!(meta.street, "Calle Salitre", "what the description leaves open");
}

#[test]
fn a_rule_says_what_its_things_are() {
    let mut config = config(Role::Viewer);
    config.telemetry = vec![TelemetryRule {
        template: Template::parse("/hfp/{thing}/{thing}/#").unwrap(),
        reading: Reading { envelope: Pointer::parse("/*").unwrap(), ..Reading::default() },
        kind: Some(Kind::Vehicle),
        interval_s: None,
    }];
    let mut fleet = Fleet::new(config, Restored::default(), at(0));
    give(&mut fleet, telemetry("/hfp/18/1029/x", r#"{"VP":{"lat":60.2,"lon":24.8}}"#), at(1));
    give(&mut fleet, telemetry("/hfp/18/1029", r#"{"DUE":{"lat":null,"lon":null,"dl":-5}}"#), at(2));
    let thing = &fleet.things[&fleet.by_name["18/1029"]];
    assert_eq!(
        (thing.meta.common.kind, thing.place()),
        (Kind::Vehicle, LonLat::new(24.8, 60.2)),
        "it is where it last was"
    );
    assert_eq!(thing.series.len(), 3);
}
