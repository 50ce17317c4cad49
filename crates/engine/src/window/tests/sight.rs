use fleetlens_ipc::{AlarmScope, Scope, ThingsQuery};
use fleetlens_model::id::BulkId;

use super::*;

const AREA: Look = Look::Map { area: GeoBox::EARTH };

/// A lamp and a car park, which has a place as well.
fn city_with_a_car_park() -> Fleet {
    let mut fleet = city();
    let lot = r#"{"name":"Lot 1","lat":35.8,"lon":14.4}"#;
    give(&mut fleet, telemetry("city/v/parking/lot-1/meta", lot), at(1));
    give(&mut fleet, telemetry("city/v/parking/lot-1/telemetry", r#"{"values":{"free":7}}"#), at(1));
    fleet
}

fn who_is_there(fleet: &mut Fleet, role: Role) {
    let who = Actor { name: "A. Borg".into(), role };
    let settings = Box::new(Settings { who, ..fleet.config.settings.clone() });
    give(fleet, Input::Configured(settings), at(1));
}

fn changes(told: &[Frame]) -> Vec<Change> {
    let of = |frame: &Frame| if let Frame::Patch { changes, .. } = frame { changes.clone() } else { Vec::new() };
    told.iter().flat_map(of).collect()
}

#[test]
fn a_driver_may_look_at_car_parks_and_at_nothing_else() {
    let of = |fleet: &Fleet, name: &str, pointer: &str| {
        let thing = &fleet.things[&fleet.by_name[name]];
        (thing.key, thing.series.get(pointer, &fleet.series).unwrap())
    };
    let known = city_with_a_car_park();
    let ((lamp, watts), (lot, free)) = (of(&known, "lamp-1", "/power_w"), of(&known, "lot-1", "/free"));
    let chart = |series| Look::Chart { series, until_ms: None, span_ms: 60_000, buckets: 10 };
    let from = fleetlens_model::geo::LonLat { lon_deg: 14.4, lat_deg: 35.8 };
    for (look, may) in [
        (Look::Status, true),
        (AREA, true),
        (Look::Ground { kinds: Vec::new() }, true),
        (Look::Thing { thing: lot }, true),
        (Look::Thing { thing: lamp }, false),
        (chart(free), true),
        (chart(watts), false),
        (Look::Find { text: "lot".into(), limit: 9 }, false),
        (Look::Attention { limit: 9 }, false),
        (Look::Things { query: ThingsQuery::default(), first: 0, count: 9, again: false }, false),
        (Look::Alarms { scope: AlarmScope::Open, limit: 9 }, false),
        (Look::Commands { scope: Scope::Open, limit: 9 }, false),
        (Look::Bulks { limit: 9 }, false),
        (Look::Bulk { bulk: BulkId(1), failed: false, first: 0, count: 9 }, false),
        (Look::NotConverged { limit: 9 }, false),
        (Look::Jobs, false),
        (Look::Job { id: "a".into(), only: None, first: 0, count: 9 }, false),
        (Look::Firmware, false),
        (Look::Parking { from, limit: 9 }, true),
        (Look::Messages { thing: lot }, false),
        (Look::Settings, true),
        (Look::Board { asked: Vec::new() }, true),
    ] {
        for role in Role::ALL {
            let mut fleet = city_with_a_car_park();
            who_is_there(&mut fleet, role);
            let (mut windows, consequence) = looking(look.clone(), &mut fleet);
            let told = frames(&mut windows, &mut fleet, at(1));
            let is_missing = matches!(&told[..], [Frame::Snapshot { rows: Rows::Missing, .. }]);
            let is_there = !matches!(look, Look::Bulk { .. } | Look::Job { .. });
            // A chart is told once its past was read.
            let is_chart = matches!(look, Look::Chart { .. });
            let may = may || role != Role::Driver;
            assert_eq!(is_missing, !may || !is_there, "{look:?} for {role:?}: {told:?}");
            if is_chart || matches!(look, Look::Thing { .. }) {
                assert_eq!(consequence.is_some(), may, "nothing is read and asked for either: {look:?} for {role:?}");
            }
        }
    }
}

#[test]
fn what_a_driver_may_not_see_goes_when_the_driver_comes_and_is_there_again_after() {
    let mut fleet = city_with_a_car_park();
    let (mut windows, _) = looking(Look::Jobs, &mut fleet);
    let looks = [AREA, Look::Ground { kinds: Vec::new() }];
    for (view, at_what) in (2..).map(ViewId).zip(looks) {
        windows.call(WINDOW, Call::Look { view, at: at_what }, &mut fleet, at(1));
    }
    let jobs = |told: &[Frame]| {
        let of = |frame: &Frame| matches!(frame, Frame::Snapshot { view: ViewId(1), rows: Rows::Jobs(_) });
        let gone = |frame: &Frame| matches!(frame, Frame::Snapshot { view: ViewId(1), rows: Rows::Missing });
        (told.iter().any(of), told.iter().any(gone))
    };
    let extent = |told: &[Frame]| {
        let whole = told.iter().find_map(|frame| {
            if let Frame::Snapshot { rows: Rows::Ground(ground), .. } = frame { Some(ground.clone()) } else { None }
        });
        let changed = changes(told)
            .into_iter()
            .find_map(|change| if let Change::Ground(ground) = change { Some(ground) } else { None });
        whole.or(changed).and_then(|ground| ground.fleet).map(|area| area.east_deg)
    };
    let first = frames(&mut windows, &mut fleet, at(1));
    assert_eq!((jobs(&first), extent(&first)), ((true, false), Some(14.5)));
    who_is_there(&mut fleet, Role::Driver);
    let told = frames(&mut windows, &mut fleet, at(2));
    assert_eq!((jobs(&told), extent(&told)), ((false, true), Some(14.4)));
    let marks = changes(&told).into_iter().find_map(|change| {
        if let Change::Map(bytes) = change { Some(map::read(&bytes).collect::<Vec<_>>()) } else { None }
    });
    let marks = marks.unwrap();
    assert!(matches!(&marks[..], [lamp] if lamp.flags & map::FLAG_GONE != 0 && lamp.kind == Kind::Lamp), "{marks:?}");
    seen(&mut windows, &mut fleet, u64::MAX);
    assert_eq!(jobs(&frames(&mut windows, &mut fleet, at(3))), (false, false), "told once");
    who_is_there(&mut fleet, Role::Viewer);
    assert_eq!(jobs(&frames(&mut windows, &mut fleet, at(4))), (true, false));
}

#[test]
fn names_are_told_of_what_one_sees_and_of_no_more_than_a_map_has_room_for() {
    let mut fleet = city_with_a_car_park();
    let (lamp, lot) = (fleet.by_name["lamp-1"], fleet.by_name["lot-1"]);
    let (mut windows, _) = looking(AREA, &mut fleet);
    let mut names = |things: Vec<ThingKey>, fleet: &mut Fleet| {
        let call = Call::Ask { request: RequestId(7), intent: Intent::Names(things) };
        assert_eq!(windows.call(WINDOW, call, fleet, at(2)), None);
        seen(&mut windows, fleet, u64::MAX);
        let told = frames(&mut windows, fleet, at(2));
        let answer = told.into_iter().find_map(|frame| {
            if let Frame::Answer { request: RequestId(7), outcome } = frame { Some(outcome) } else { None }
        });
        match answer {
            Some(Ok(Done::Names(names))) => Ok(names.into_iter().map(|(thing, _)| thing).collect::<Vec<_>>()),
            Some(Err(fault)) => Err(fault.code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(names(vec![lot, ThingKey(999), lamp], &mut fleet), Ok(vec![lot, lamp]));
    assert_eq!(names(vec![lot; NAMES_MAX + 1], &mut fleet), Err(FaultCode::Invalid));
    who_is_there(&mut fleet, Role::Driver);
    assert_eq!(names(vec![lot, lamp], &mut fleet), Ok(vec![lot]));
}
