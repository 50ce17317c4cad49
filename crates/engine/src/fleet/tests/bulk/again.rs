//! Those that failed are asked again; what is said of danger; and named shadows.

use super::*;

#[test]
fn those_that_failed_are_asked_again_and_nobody_else() {
    let mut city = city(3);
    let id = city.start(order(lamps(), 3), at(1));
    for s in 1..80 {
        city.give(Input::Ticked, at(s));
        if s == 5 {
            city.obeys(2, at(s));
        }
    }
    assert_eq!(city.counts(id), Counts { settled: 1, never_obeyed: 2, ..Counts::default() });
    let (answer, effects) = city.ask(Intent::BulkAgain(id), at(81));
    assert!(effects.writes.is_empty() && published(&effects).is_empty(), "{effects:?}");
    let Ok(Done::Order(again)) = answer else { panic!("{answer:?}") };
    let things = ["lamp-1", "lamp-3"].map(|name| city.fleet.by_name[name]).to_vec();
    assert_eq!(*again, Order { target: Target::Things(things), ..order(lamps(), 3) });
    let second = city.start(*again, at(82));
    let mut names = Vec::new();
    (82..90).for_each(|s| names.extend(asked(&city.give(Input::Ticked, at(s)))));
    assert_eq!(names, ["lamp-1", "lamp-3"]);
    let none = city.ask(Intent::BulkAgain(second), at(90)).0.unwrap_err();
    assert_eq!((none.code, none.message.as_str()), (FaultCode::Invalid, "no thing of this bulk command has failed"));
    assert_eq!(city.ask(Intent::BulkAgain(BulkId(7)), at(90)).0.unwrap_err().code, FaultCode::NotFound);
    city.fleet.config.who.role = Role::Viewer;
    assert_eq!(city.ask(Intent::BulkAgain(id), at(91)).0.unwrap_err().code, FaultCode::Forbidden);
}

#[test]
fn what_will_happen_to_people_is_said_once_also_where_no_control_takes_the_value() {
    let text = r#"{"type": "object", "properties": {
        "plan": {"x-danger": "It runs at once.", "type": "array"},
        "mode": {"enum": ["open", "closed"], "x-danger": {"closed": "Nobody comes in."}}}}"#;
    let mut city = city(3);
    let schema = fleetlens_model::kind::KindSchema::parse(text).unwrap();
    city.fleet.config.schemas.put(Kind::Lamp, schema);
    for (pointer, value, want) in [
        ("/plan", "[1]", &["It runs at once."][..]),
        ("/mode", "\"closed\"", &["Nobody comes in."][..]),
        ("/mode", "\"open\"", &[][..]),
    ] {
        let wishes = vec![bulk::Wish { pointer: pointer.into(), value_json: value.into() }];
        let run = city.dry_run(Order { wishes, ..order(lamps(), 2) }, at(1));
        assert!(run.asks_first, "{pointer} {value}");
        assert_eq!(run.dangers, want, "{pointer} {value}");
    }
}

#[test]
fn a_named_shadow_is_commanded_where_it_has_the_leaf_and_the_kind_says_nothing_of_it() {
    let text = r#"{"type": "object", "properties": {"dim_pct": {"type": "integer", "minimum": 0, "maximum": 100, "x-danger": "Dark."}}}"#;
    let mut city = city(2);
    let schema = fleetlens_model::kind::KindSchema::parse(text).unwrap();
    city.fleet.config.schemas.put(Kind::Lamp, schema);
    let plan = a_shadow();
    let documents = service::encode_documents(&Document::default(), &plan.document, None);
    let topic = ShadowTopic::new("lamp-1", Some("plan".into()), ShadowTopicKind::Documents).to_string();
    give(&mut city.fleet, telemetry(&topic, &String::from_utf8(documents).unwrap()), at(1));
    let wishes = vec![bulk::Wish { pointer: "/dim_pct".into(), value_json: "400".into() }];
    let of_plan = Order { shadow: "plan".into(), wishes, ..order(lamps(), 2) };
    let run = city.fleet.dry_run(&of_plan, at(2)).unwrap();
    assert_eq!((run.changes, run.cannot, run.asks_first), (1, 1, false), "{run:?}");
    assert_eq!(run.rows[1].changes, [("/dim_pct".to_owned(), Some("100".to_owned()), "400".to_owned())]);
    let wrong = Order { shadow: "no shadow".into(), ..of_plan };
    assert_eq!(city.fleet.dry_run(&wrong, at(2)).unwrap().cannot, 2);
}

#[test]
fn a_dry_run_says_how_long_commands_wait_by_themselves() {
    let mut city = city(2);
    city.fleet.config.expiry_ms.push(("/dim_pct".into(), 30_000));
    assert_eq!(city.dry_run(order(lamps(), 2), at(1)).own_expiry_ms, Some((30_000, 30_000)), "as the profile says");
    let two = |value: &str| bulk::Wish { pointer: "/on".into(), value_json: value.into() };
    let run = city.dry_run(Order { wishes: vec![two("false")], ..order(lamps(), 2) }, at(1));
    assert_eq!(run.own_expiry_ms, Some((600_000, 600_000)), "as the control says");
    let nobody = Target::Search(Search { text: "no such thing".into(), ..Search::default() });
    assert_eq!(city.dry_run(order(nobody, 2), at(1)).own_expiry_ms, None);
}
