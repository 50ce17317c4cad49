//! What a bulk command means for a thing: nothing, something, or that nothing can be asked of it.

use super::*;

#[test]
fn what_is_not_left_to_the_person_here_is_left_out_of_a_bulk_command() {
    let mut city = city(2);
    let crew =
        fleetlens_model::group::Group { name: "Crew".into(), things: vec!["lamp-2".into()], ..Default::default() };
    (city.fleet.config.groups, city.fleet.config.scope) = (vec![crew], Some(vec!["Crew".into()]));
    let run = city.dry_run(order(lamps(), 2), at(1));
    assert_eq!((run.changes, run.cannot), (1, 1));
    let id = city.start(order(lamps(), 2), at(1));
    let mut names = Vec::new();
    (1..20).for_each(|s| names.extend(asked(&city.give(Input::Ticked, at(s)))));
    assert_eq!((names, city.counts(id).cannot), (vec!["lamp-2".to_owned()], 1));
    // What concerns things that are not theirs they do not steer either.
    city.fleet.config.scope = Some(vec![]);
    let refused = city.ask(Intent::SteerBulk { bulk: id, to: Steer::Stopped }, at(20)).0.unwrap_err();
    assert_eq!((refused.code, city.state(id)), (FaultCode::Forbidden, State::Running));
}

#[test]
fn what_nobody_confirmed_since_the_link_is_up_is_not_so_already() {
    let mut city = city(2);
    for number in 1..=2 {
        let so = serde_json::json!({"desired":{"dim_pct":40},"reported":{"dim_pct":40}});
        let report = reported(city.services.get_mut(&lamp_name(number)).unwrap(), &lamp_name(number), so, at(1));
        city.give(report, at(1));
    }
    (1..5).for_each(|s| drop(city.give(Input::Ticked, at(s))));
    give(&mut city.fleet, down(), at(5));
    let mut gone = BTreeMap::new();
    gone.extend(city.services.remove_entry("lamp-2"));
    city.give(up(), at(6));
    let id = city.start(order(lamps(), 2), at(6));
    (6..40).for_each(|s| drop(city.give(Input::Ticked, at(s))));
    let rows = city.fleet.bulks.get(id).unwrap().rows();
    assert_eq!(rows[0].progress, Progress::Same, "its shadow was read");
    assert!(command_of(&rows[1].progress).is_some(), "nobody answers for lamp-2: {rows:?}");
}

#[test]
fn what_a_thing_of_a_convention_said_before_the_link_fell_does_not_say_that_it_is_so_now() {
    for is_heard_again in [false, true] {
        let mut fleet = direct::city();
        give(&mut fleet, up(), at(1));
        direct::announce(&mut fleet, "garden", at(2));
        give(&mut fleet, down(), at(3));
        give(&mut fleet, up(), at(4));
        if is_heard_again {
            direct::announce(&mut fleet, "garden", at(5));
        }
        let wishes = vec![bulk::Wish { pointer: "/pump/rate".into(), value_json: "40".into() }];
        let target = Target::Things(vec![fleet.by_name["garden"]]);
        let order = Order { wishes, ..order(target, 1) };
        let run = fleet.dry_run(&order, at(6)).unwrap();
        assert_eq!((run.changes, run.same), if is_heard_again { (0, 1) } else { (1, 0) });
        let asked = fleet.bulk(order, at(6), &mut Effects::default());
        assert_eq!(asked.is_ok(), !is_heard_again, "{asked:?}");
    }
}

#[test]
fn what_is_missing_beside_a_wish_is_missing_only_once_the_shadow_was_read() {
    let text = r#"{"type": "object", "properties": {"net": {"type": "object", "required": ["apn"], "properties": {
        "apn": {"type": "string"}, "mtu": {"type": "integer", "maximum": 9000}}}}}"#;
    let mut city = city(2);
    let schema = fleetlens_model::kind::KindSchema::parse(text).unwrap();
    city.fleet.config.schemas.put(Kind::Lamp, schema);
    let has = serde_json::json!({"desired":{"net":{"apn":"city","mtu":9}}});
    // It was told while nobody listened.
    drop(reported(city.services.get_mut("lamp-1").unwrap(), "lamp-1", has, at(0)));
    let wish = |value: &str| vec![bulk::Wish { pointer: "/net/mtu".into(), value_json: value.into() }];
    let refused = city.ask(Intent::Bulk(Box::new(Order { wishes: wish("9001"), ..order(lamps(), 2) })), at(1)).0;
    assert!(refused.unwrap_err().message.contains("2 cannot"), "wrong whatever stands beside it");
    let id = city.start(Order { wishes: wish("1500"), ..order(lamps(), 2) }, at(1));
    (1..5).for_each(|s| drop(city.give(Input::Ticked, at(s))));
    let rows = city.fleet.bulks.get(id).unwrap().rows();
    assert!(command_of(&rows[0].progress).is_some(), "{rows:?}");
    assert!(matches!(&rows[1].progress, Progress::Cannot { why } if why.contains("needs “apn”")), "{rows:?}");
}

#[test]
fn what_is_dangerous_is_asked_about_whatever_has_a_control_and_whoever_is_there() {
    let text = r#"{"type": "object", "properties": {
        "net": {"type": "object", "properties": {"apn": {"type": "string", "x-danger": "It may be gone."}}},
        "plan": {"x-danger": "It runs at once.", "type": "array"}, "dim_pct": {"type": "integer"}}}"#;
    let mut city = city(1);
    let schema = fleetlens_model::kind::KindSchema::parse(text).unwrap();
    city.fleet.config.schemas.put(Kind::Lamp, schema);
    let of = |kinds: Vec<Kind>| Target::Search(Search { kinds, ..Search::default() });
    for (name, continuous, kinds, pointer, value, want) in [
        ("a control", false, vec![Kind::Lamp], "/net/apn", "\"a\"", true),
        ("an object around one", false, vec![Kind::Lamp], "/net", r#"{"apn":"a"}"#, true),
        ("no control takes a list", false, vec![Kind::Lamp], "/plan", "[1]", true),
        ("none can, for now", false, vec![Kind::Lamp], "/net/apn", "7", true),
        ("nothing dangerous", true, vec![Kind::Lamp], "/dim_pct", "40", false),
        ("nobody is there yet", false, vec![Kind::Parking], "/barrier", "\"open\"", false),
        ("nobody is there yet, and joins", true, vec![Kind::Parking], "/barrier", "\"open\"", true),
        ("whoever joins", true, vec![], "/barrier", "\"open\"", true),
    ] {
        let wishes = vec![bulk::Wish { pointer: pointer.into(), value_json: value.into() }];
        let run = city.dry_run(Order { wishes, continuous, ..order(of(kinds), 2) }, at(1));
        assert_eq!(run.asks_first, want, "{name}: {run:?}");
    }
}
