//! What waits for a person: a bulk command that somebody holds, and one that holds itself because nobody knows whether it is still wanted.

use super::*;

#[test]
fn what_is_held_stays_held_after_a_restart_and_without_our_link_nothing_is_released() {
    let mut city = city(3);
    let id = city.start(order(lamps(), 1), at(1));
    city.give(Input::Ticked, at(2));
    assert_eq!(city.ask(Intent::SteerBulk { bulk: id, to: Steer::Paused }, at(3)).0, Ok(Done::Bulk(id)));
    let mut again = city_of(3, city.restored(), at(4));
    again.services = city.services;
    again.give(up(), at(4));
    (4..30).for_each(|s| assert!(asked(&again.give(Input::Ticked, at(s))).is_empty()));
    give(&mut again.fleet, down(), at(30));
    (30..300).for_each(|s| drop(again.give(Input::Ticked, at(s))));
    assert_eq!(again.state(id), State::Paused, "what a person holds waits for that person");
    let at = |s: u64| at(s + 300);
    assert_eq!(again.ask(Intent::SteerBulk { bulk: id, to: Steer::Resumed }, at(31)).0, Ok(Done::Bulk(id)));
    let refused = again.ask(Intent::SteerBulk { bulk: id, to: Steer::Resumed }, at(31)).0;
    assert_eq!(refused.unwrap_err().code, FaultCode::TooLate);
    let before = again.counts(id).waiting;
    (31..40).for_each(|s| drop(again.give(Input::Ticked, at(s))));
    assert_eq!(again.counts(id).waiting, before);
    again.give(up(), at(40));
    (40..60).for_each(|s| drop(again.give(Input::Ticked, at(s))));
    assert!(again.counts(id).waiting < before);
}

/// `None` where nobody holds it.
fn held_why(city: &City, id: BulkId) -> Option<String> {
    if let State::Held { why } = city.state(id) { Some(why) } else { None }
}

#[test]
fn what_could_not_be_released_for_longer_than_its_commands_may_wait_waits_for_a_person() {
    let why = "nothing could be released for longer than a command of it may wait (1 min)";
    for is_restarted in [false, true] {
        let mut city = city(3);
        give(&mut city.fleet, down(), at(1));
        let id = city.start(order(lamps(), 2), at(1));
        if is_restarted {
            let services = std::mem::take(&mut city.services);
            city = City { services, ..city_of(3, city.restored(), at(40_000)) };
        } else {
            (2..30).for_each(|s| drop(city.give(Input::Ticked, at(s))));
        }
        assert_eq!(city.state(id), State::Running, "as far as anybody looked");
        // The link is back before anything else happens: a computer wakes up.
        city.give(up(), at(40_000));
        let effects = city.give(Input::Ticked, at(40_001));
        assert_eq!((held_why(&city, id).as_deref(), asked(&effects).len()), (Some(why), 0), "{is_restarted}");
        let told: Vec<_> = entries(&effects).into_iter().map(|entry| (entry.event, entry.by, entry.detail)).collect();
        assert_eq!(told, [(Event::BulkPaused, By::Program, format!("bulk command 1: {why}"))]);
        assert!(effects.writes.iter().any(|write| matches!(write, Write::Bulk(head) if head.state == city.state(id))));
        (40_002..40_200).for_each(|s| assert!(asked(&city.give(Input::Ticked, at(s))).is_empty()));
        let refused = city.ask(Intent::SteerBulk { bulk: id, to: Steer::Paused }, at(40_200)).0.unwrap_err();
        assert_eq!(refused.message, "it is held already");
        city.ask(Intent::SteerBulk { bulk: id, to: Steer::Resumed }, at(40_200)).0.unwrap();
        let mut names = Vec::new();
        (40_200..40_240).for_each(|s| names.extend(asked(&city.give(Input::Ticked, at(s)))));
        assert_eq!(names.len(), 3, "{is_restarted}");
    }
}

#[test]
fn how_long_a_bulk_command_may_wait_its_controls_say_where_the_person_does_not() {
    let mut city = city(1);
    give(&mut city.fleet, meta("parking", "lot-1", "{}"), at(0));
    give(&mut city.fleet, down(), at(1));
    let wish = |pointer: &str, value: &str| bulk::Wish { pointer: pointer.into(), value_json: value.into() };
    let of = |kind, wish| Order {
        target: Target::Search(Search { kinds: vec![kind], ..Search::default() }),
        wishes: vec![wish],
        expires_in_ms: None,
        ..order(lamps(), 2)
    };
    let barriers = city.start(of(Kind::Parking, wish("/barrier", r#""open""#)), at(1));
    let lamps = city.start(of(Kind::Lamp, wish("/dim_pct", "40")), at(1));
    for (until, want) in [(30, [false, false]), (40, [true, false]), (600, [true, false]), (610, [true, true])] {
        (until - 10..=until).for_each(|s| drop(city.give(Input::Ticked, at(s))));
        assert_eq!([barriers, lamps].map(|id| held_why(&city, id).is_some()), want, "at {until} s");
    }
}

#[test]
fn a_bulk_command_for_what_joins_is_held_only_where_something_waited_before_the_gap() {
    for waits in [false, true] {
        let mut city = city(2);
        let rollout = Rollout { abort_at_pct: None, ..order(lamps(), 1).rollout };
        let id = city.start(Order { continuous: true, rollout, ..order(lamps(), 1) }, at(1));
        let until = if waits { 5 } else { 30 };
        (1..until).for_each(|s| drop(city.give(Input::Ticked, at(s))));
        assert_eq!(city.counts(id).waiting > 0, waits);
        let services = std::mem::take(&mut city.services);
        city = City { services, ..city_of(2, city.restored(), at(40_000)) };
        city.give(up(), at(40_000));
        city.services.insert("lamp-3".into(), a_shadow());
        give(&mut city.fleet, meta("lamp", "lamp-3", "{}"), at(40_000));
        let mut names = Vec::new();
        (40_000..40_030).for_each(|s| names.extend(asked(&city.give(Input::Ticked, at(s)))));
        assert_eq!((names.contains(&"lamp-3".to_owned()), held_why(&city, id).is_some()), (!waits, waits));
    }
}

#[test]
fn what_joined_a_moment_before_a_restart_was_kept_from_nothing() {
    let mut city = city(1);
    let id = city.start(Order { continuous: true, ..order(lamps(), 1) }, at(1));
    (1..20_000).step_by(10).for_each(|s| drop(city.give(Input::Ticked, at(s))));
    city.obeys(1, at(20_000));
    // Nobody answers for its shadow yet, so it is not asked before the program is killed.
    give(&mut city.fleet, meta("lamp", "lamp-2", "{}"), at(20_000));
    let effects: Vec<Effects> = (20_000..20_008).map(|s| city.give(Input::Ticked, at(s))).collect();
    assert_eq!(city.counts(id).waiting, 1);
    let mut kept = effects
        .iter()
        .flat_map(|effects| &effects.writes)
        .filter_map(|write| if let Write::Bulk(head) = write { Some((**head).clone()) } else { None });
    assert_eq!(
        kept.next_back().as_ref(),
        city.fleet.bulks.get(id).map(|bulk| bulk.head()),
        "a restart knows when it joined"
    );
    let services = std::mem::take(&mut city.services);
    let mut again = City { services, ..city_of(2, city.restored(), at(20_010)) };
    again.services.insert("lamp-2".into(), a_shadow());
    again.give(up(), at(20_010));
    let mut names = Vec::new();
    (20_010..20_030).for_each(|s| names.extend(asked(&again.give(Input::Ticked, at(s)))));
    assert_eq!((names, held_why(&again, id)), (vec!["lamp-2".to_owned()], None));
}

#[test]
fn what_goes_on_with_a_search_that_is_none_any_more_waits_for_a_person_and_says_why() {
    let crew =
        || fleetlens_model::group::Group { name: "Crew".into(), things: vec!["lamp-1".into()], ..Default::default() };
    for (search, why) in [
        (
            Search { text: "group:Crew".into(), ..Search::default() },
            "its search is none any more; column 7: no group is called that",
        ),
        (Search { group: "Crew".into(), ..Search::default() }, "the profile has no group \"Crew\" any more"),
    ] {
        let mut city = city(2);
        city.fleet.config.groups = vec![crew()];
        let id = city.start(Order { continuous: true, ..order(Target::Search(search), 1) }, at(1));
        (1..20).for_each(|s| drop(city.give(Input::Ticked, at(s))));
        assert_eq!((held_why(&city, id), city.counts(id).waiting), (None, 0), "it goes on");
        city.fleet.config.groups.clear();
        let told: Vec<Effects> = (20..40).map(|s| city.give(Input::Ticked, at(s))).collect();
        let held = held_why(&city, id).unwrap();
        assert!(held.starts_with(why) && held.contains("nothing can join it"), "{held}");
        let paused = told.iter().flat_map(entries).filter(|entry| entry.event == Event::BulkPaused).count();
        assert_eq!(paused, 1, "told once");
    }
}
