//! Who is believed: the registry before retained descriptions, these before telemetry, that before the topic.

use fleetlens_model::described::Commons;
use std::sync::Arc;

use fleetlens_wire::registry::{Columns, read_csv};
use fleetlens_wire::telemetry::{Fact, Use};

use super::*;

fn with(registry: &str, described: bool) -> FleetConfig {
    let mut config = config(Role::Viewer);
    config.registry = Arc::new(read_csv(registry.as_bytes(), &Columns::new()).unwrap());
    config.registry_name = "things.csv".into();
    config.telemetry[0].template = Template::parse("city/{area}/{kind}/{thing}").unwrap();
    config.telemetry[0].reading =
        Reading { uses: [("/label".to_owned(), Use::Says(Fact::Title))].into(), ..Reading::default() };
    if !described {
        config.meta.clear();
    }
    config
}

fn started(config: FleetConfig) -> (Fleet, Effects) {
    let mut fleet = Fleet::new(config, Restored { installation: 1, ..Restored::default() }, at(0));
    let effects = give(&mut fleet, Input::Started, at(0));
    (fleet, effects)
}

fn meta(fleet: &Fleet, name: &str) -> Meta {
    fleet.things[&fleet.by_name[name]].meta.whole()
}

#[test]
fn a_thing_of_the_registry_is_there_before_it_speaks() {
    let (mut fleet, effects) = started(with("id,kind,lat,lon\nlamp-1,lamp,35.9,14.5\nx,robot,1,1\n", true));
    let [Write::Refused { topic, reason, .. }, Write::Thing { .. }] = effects.writes.as_slice() else {
        panic!("{:?}", effects.writes)
    };
    assert_eq!(topic, "things.csv");
    assert!(reason.starts_with("line 3: there is no kind \"robot\""), "{reason}");
    give(&mut fleet, up(), at(1));
    give(&mut fleet, Input::Ticked, at(10_000));
    let thing = &fleet.things[&fleet.by_name["lamp-1"]];
    assert_eq!((thing.place(), thing.silence.freshness()), (LonLat::new(14.5, 35.9), Freshness::Never));
    assert_eq!(fleet.counters().things, 1);
    let (_, full) = started(FleetConfig { things_max: 1, ..with("id\na\nb\nc\n", true) });
    assert!(matches!(full.writes.as_slice(), [Write::Thing { .. }, Write::Refused { .. }]), "{:?}", full.writes);
}

#[test]
fn each_field_is_of_the_best_witness_that_says_it() {
    for (name, row, described, messages, want) in [
        ("the topic alone", "", false, vec![("city/v/bin/t", "{}")], (Kind::Bin, "", "v")),
        ("telemetry", "", false, vec![("city/v/bin/t", r#"{"label":"said"}"#)], (Kind::Bin, "said", "v")),
        (
            "telemetry fills what a description leaves open",
            "",
            true,
            vec![("city/v/bin/t/meta", r#"{"area":"described"}"#), ("city/v/bin/t", r#"{"label":"said"}"#)],
            (Kind::Bin, "said", "described"),
        ),
        (
            "a description is stronger, whichever came first",
            "",
            true,
            vec![("city/v/bin/t", r#"{"label":"said"}"#), ("city/v/bin/t/meta", r#"{"name":"described"}"#)],
            (Kind::Bin, "described", "v"),
        ),
        (
            "the registry is stronger than all, where it says something",
            "t,lamp,listed,",
            true,
            vec![
                ("city/v/bin/t/meta", r#"{"name":"described","area":"described"}"#),
                ("city/v/bin/t", r#"{"label":"said"}"#),
            ],
            (Kind::Lamp, "listed", "described"),
        ),
        (
            "the topic fills what the registry leaves open",
            "t,,listed,",
            false,
            vec![("city/v/bin/t", r#"{"label":"said"}"#)],
            (Kind::Bin, "listed", "v"),
        ),
        ("a description taken back", "t,,listed,", true, vec![("city/v/bin/t/meta", "")], (Kind::Bin, "listed", "v")),
    ] {
        let (mut fleet, _) = started(with(&format!("id,kind,name,area\n{row}\n"), described));
        for (topic, payload) in messages {
            give(&mut fleet, telemetry(topic, payload), at(1));
        }
        let meta = meta(&fleet, "t");
        assert_eq!((meta.kind, meta.title.as_str(), meta.area.as_str()), want, "{name}");
    }
}

#[test]
fn what_the_registry_says_anew_reaches_things_of_the_cache_and_is_written_once() {
    let restored = |title: &str| Restored {
        things: vec![(
            ThingKey(7),
            ThingName::new("t").unwrap(),
            Commons::default().describe(Meta { title: title.into(), ..Meta::default() }, &mut Texts::default()),
        )],
        ..Restored::default()
    };
    for (cached, writes) in [("old", 1), ("listed", 0)] {
        let mut fleet = Fleet::new(with("id,name\nt,listed\n", true), restored(cached), at(0));
        let effects = give(&mut fleet, Input::Started, at(0));
        assert_eq!((effects.writes.len(), meta(&fleet, "t").title.as_str()), (writes, "listed"), "{cached}");
    }
    let (mut fleet, _) = started(with("id,name\nt,listed\n", false));
    give(&mut fleet, telemetry("city/v/bin/t", r#"{"label":"said","fill":1}"#), at(1));
    let again = give(&mut fleet, telemetry("city/v/bin/t", r#"{"label":"said otherwise","fill":2}"#), at(2));
    assert!(matches!(again.writes.as_slice(), [Write::Sample(_)]), "{:?}", again.writes);
}
