use fleetlens_ipc::rows::{QueryMistake, ThingRow, ThingsPage};
use fleetlens_ipc::{Only, SortBy, ThingsQuery};
use fleetlens_model::geo::LonLat;
use fleetlens_model::group::Group;
use fleetlens_model::identity::Role;
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Restored;
use fleetlens_model::telemetry::Value;
use fleetlens_wire::template::Template;

use super::*;
use crate::config::{FleetConfig, TelemetryRule};
use crate::fleet::Input;
use crate::fleet::tests::config;

/// Kind, name, title, area, street, longitude, main value.
type Told = (&'static str, &'static str, &'static str, &'static str, &'static str, f64, Option<f64>);

const CITY: [Told; 6] = [
    ("bin", "b-10", "Bin 10", "Marsa", "Triq is-Serkin", 14.50, Some(40.0)),
    ("bin", "b-9", "Bin 9", "Marsa", "Triq Aldo Moro", 14.51, Some(95.0)),
    ("lamp", "l-1", "Avenue lamp", "Birgu", "", 14.54, Some(100.0)),
    ("lamp", "l-2", "", "", "", 14.52, None),
    ("parking", "p-1", "Car park", "Birgu", "Xatt", 14.53, Some(5.0)),
    ("bin", "b-11", "bin 011", "Marsa", "Triq is-Serkin", 14.55, Some(40.0)),
];

pub(super) fn big_fleet() -> Fleet {
    let mut config = FleetConfig { things_max: 1_000, ..config(Role::Operator) };
    // Topics that say nothing of an area.
    config.meta.push(Template::parse("things/{kind}/{thing}/meta").unwrap());
    let template = Template::parse("things/{kind}/{thing}/telemetry").unwrap();
    config.telemetry.extend(config.telemetry.first().cloned().map(|rule| TelemetryRule { template, ..rule }));
    let mut fleet = Fleet::new(config, Restored::default(), at(0));
    give(&mut fleet, up(), at(0));
    fleet
}

fn described(kind: &str, name: &str, title: &str, area: &str, street: &str, lon: f64) -> Input {
    let payload =
        format!(r#"{{"name":"{title}","area":"{area}","street":"{street}","lat":35.9,"lon":{lon},"interval_s":30}}"#);
    telemetry(&format!("things/{kind}/{name}/meta"), &payload)
}

fn says(kind: &str, name: &str, pointer: &str, value: f64) -> Input {
    telemetry(&format!("things/{kind}/{name}/telemetry"), &format!(r#"{{"values":{{"{pointer}":{value}}}}}"#))
}

fn main_of(kind: &str) -> &'static str {
    let field = Kind::from_word(kind).main_field().unwrap();
    field.pointer.strip_prefix('/').unwrap()
}

fn city() -> Fleet {
    let mut fleet = big_fleet();
    for (i, (kind, name, title, area, street, lon, value)) in CITY.into_iter().enumerate() {
        give(&mut fleet, described(kind, name, title, area, street, lon), at(i as u64));
        if let Some(value) = value {
            give(&mut fleet, says(kind, name, main_of(kind), value), at(i as u64));
        }
    }
    fleet
}

fn look(query: ThingsQuery, first: u32, count: u32, again: bool) -> Look {
    Look::Things { query, first, count, again }
}

fn page_of(frames: &[Frame]) -> ThingsPage {
    let [Frame::Snapshot { rows: Rows::Things(page), .. }] = frames else { panic!("{frames:?}") };
    page.clone()
}

fn names(rows: &[ThingRow]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

fn changes(frames: Vec<Frame>) -> Vec<Change> {
    frames
        .into_iter()
        .flat_map(|f| if let Frame::Patch { changes, .. } = f { changes } else { panic!("{f:?}") })
        .collect()
}

/// What is new, as seen by a window that keeps up.
fn told(windows: &mut Windows, fleet: &mut Fleet, now: Now) -> Vec<Frame> {
    seen(windows, fleet, u64::MAX);
    frames(windows, fleet, now)
}

#[test]
fn a_table_is_sorted_by_what_it_is_asked_for_then_by_title() {
    let here = LonLat { lon_deg: 14.50, lat_deg: 35.9 };
    let sorted = |sort| ThingsQuery { sort, ..ThingsQuery::default() };
    let falling = |sort| ThingsQuery { descending: true, ..sorted(sort) };
    for (name, query, want) in [
        ("title", sorted(SortBy::Title), ["l-1", "b-9", "b-10", "b-11", "p-1", "l-2"]),
        ("title, falling", falling(SortBy::Title), ["l-2", "p-1", "b-11", "b-10", "b-9", "l-1"]),
        ("kind", sorted(SortBy::Kind), ["p-1", "l-1", "l-2", "b-9", "b-10", "b-11"]),
        ("place, none last", sorted(SortBy::Place), ["l-1", "p-1", "b-9", "b-10", "b-11", "l-2"]),
        ("place, falling, none last", falling(SortBy::Place), ["b-10", "b-11", "b-9", "p-1", "l-1", "l-2"]),
        ("value, none last", sorted(SortBy::Value), ["p-1", "b-10", "b-11", "b-9", "l-1", "l-2"]),
        ("value, falling, none last", falling(SortBy::Value), ["l-1", "b-9", "b-10", "b-11", "p-1", "l-2"]),
        ("heard, never last", sorted(SortBy::Heard), ["b-11", "p-1", "l-1", "b-9", "b-10", "l-2"]),
        ("heard, falling, never last", falling(SortBy::Heard), ["b-10", "b-9", "l-1", "p-1", "b-11", "l-2"]),
        ("status", falling(SortBy::Status), ["l-2", "l-1", "b-9", "b-10", "b-11", "p-1"]),
        ("distance", sorted(SortBy::Distance(here)), ["b-10", "b-9", "l-2", "p-1", "l-1", "b-11"]),
    ] {
        let mut fleet = city();
        let (mut windows, _) = looking(look(query, 0, 100, false), &mut fleet);
        let page = page_of(&frames(&mut windows, &mut fleet, at(10)));
        // The thing without a title is called by its name, l-2; the table's last by title.
        assert_eq!((names(&page.rows), page.total, page.moved), (want.to_vec(), 6, 0), "{name}");
    }
}

#[test]
fn a_table_holds_only_what_is_asked_for() {
    let mut fleet = city();
    give(&mut fleet, Input::Ticked, at(93));
    give(&mut fleet, says("bin", "b-9", "fill_pct", 95.0), at(93));
    give(&mut fleet, says("parking", "p-1", "free", 4.0), at(93));
    give(&mut fleet, Input::Ticked, at(94));
    let wish = fleetlens_ipc::Wish { pointer: "/interval_s".into(), value_json: "60".into(), seen_json: None };
    let intent = Intent::Command { thing: ThingKey(2), shadow: String::new(), wishes: vec![wish], expires_in_ms: None };
    give(&mut fleet, Input::Asked { window: WINDOW, request: RequestId(1), intent }, at(94));
    let of_marsa =
        Group { name: "Marsa".into(), words: vec!["moro".into()], things: vec!["l-1".into()], ..Group::default() };
    fleet.config.groups.push(of_marsa);
    let all = ThingsQuery::default;
    for (name, query, want) in [
        ("a group", ThingsQuery { group: "Marsa".into(), ..all() }, vec!["l-1", "b-9"]),
        ("a group nobody named", ThingsQuery { group: "marsa".into(), ..all() }, vec![]),
        ("words, in any order and case", ThingsQuery { text: "serkin BIN".into(), ..all() }, vec!["b-10", "b-11"]),
        ("kinds", ThingsQuery { kinds: vec![Kind::Lamp, Kind::Parking], ..all() }, vec!["l-1", "p-1", "l-2"]),
        ("silent", ThingsQuery { only: Only::Silent, ..all() }, vec!["l-1", "b-10"]),
        ("alarmed, seen or not", ThingsQuery { only: Only::Alarmed, ..all() }, vec!["l-1", "b-9", "b-10"]),
        ("pending", ThingsQuery { only: Only::Pending, ..all() }, vec!["b-9"]),
        ("both", ThingsQuery { text: "bin".into(), only: Only::Silent, ..all() }, vec!["b-10"]),
        ("nothing", ThingsQuery { text: "tram".into(), ..all() }, vec![]),
    ] {
        let (mut windows, _) = looking(look(query, 0, 100, false), &mut fleet);
        let page = page_of(&frames(&mut windows, &mut fleet, at(94)));
        assert_eq!((names(&page.rows), page.total as usize), (want.clone(), want.len()), "{name}");
    }
}

#[test]
fn a_row_says_what_the_table_shows_of_a_thing() {
    let mut fleet = city();
    let query = ThingsQuery { text: "b-9".into(), ..ThingsQuery::default() };
    let (mut windows, _) = looking(look(query, 0, 10, false), &mut fleet);
    let page = page_of(&frames(&mut windows, &mut fleet, at(10)));
    let row = &page.rows[0];
    let value = row.value.as_ref().unwrap();
    assert_eq!((row.title.as_str(), row.place.as_str()), ("Bin 9", "Triq Aldo Moro · Marsa"));
    assert_eq!((&value.value, value.unit.as_str(), value.age_ms), (&Value::Number(95.0), "%", 9_000));
    assert_eq!((row.heard_age_ms, row.pending, row.alarm.as_str(), row.distance_m), (Some(9_000), 0, "", None));
}

#[test]
fn the_order_holds_still_and_says_how_far_it_has_drifted() {
    let mut fleet = city();
    let by_value = ThingsQuery { sort: SortBy::Value, ..ThingsQuery::default() };
    let (mut windows, _) = looking(look(by_value.clone(), 0, 3, false), &mut fleet);
    let first = page_of(&frames(&mut windows, &mut fleet, at(10)));
    assert_eq!(names(&first.rows), ["p-1", "b-10", "b-11"]);

    give(&mut fleet, says("parking", "p-1", "free", 500.0), at(11));
    let patch = changes(told(&mut windows, &mut fleet, at(11)));
    let [Change::ThingRow { at: 0, row }] = &patch[..] else { panic!("{patch:?}") };
    assert_eq!((row.name.as_str(), &row.value.as_ref().unwrap().value), ("p-1", &Value::Number(500.0)));
    assert_eq!(changes(told(&mut windows, &mut fleet, at(12))), [Change::ThingsMoved(1)], "two seconds after the look");
    give(&mut fleet, says("lamp", "l-1", "dim_pct", 10.0), at(12));
    give(&mut fleet, says("lamp", "l-2", "dim_pct", 11.0), at(12));
    assert_eq!(
        told(&mut windows, &mut fleet, at(13)),
        [],
        "rows elsewhere are nobody's business, and it is too soon to count"
    );
    assert_eq!(changes(told(&mut windows, &mut fleet, at(14))), [Change::ThingsMoved(3)]);

    let call = |view| Call::Look { view: ViewId(1), at: view };
    windows.call(WINDOW, call(look(by_value.clone(), 3, 3, false)), &mut fleet, at(15));
    let rest = page_of(&told(&mut windows, &mut fleet, at(15)));
    assert_eq!((names(&rest.rows), rest.first, rest.moved), (vec!["b-9", "l-1", "l-2"], 3, 3), "the same order");
    windows.call(WINDOW, call(look(by_value, 0, 3, true)), &mut fleet, at(16));
    let anew = page_of(&told(&mut windows, &mut fleet, at(16)));
    assert_eq!(
        (names(&anew.rows), anew.moved),
        (vec!["l-1", "l-2", "b-10"], 0),
        "sorted again because a person said so"
    );
}

#[test]
fn ages_that_only_grow_are_not_told_and_one_that_began_anew_is() {
    let mut fleet = city();
    let (mut windows, _) = looking(look(ThingsQuery::default(), 0, 10, false), &mut fleet);
    frames(&mut windows, &mut fleet, at(10));
    for s in 11..20 {
        assert_eq!(told(&mut windows, &mut fleet, at(s)), [], "{s}");
    }
    let again = r#"{"ts":1700000001000,"values":{"fill_pct":95.0}}"#;
    give(&mut fleet, telemetry("things/bin/b-9/telemetry", again), at(20));
    changes(told(&mut windows, &mut fleet, at(20)));
    give(&mut fleet, telemetry("things/bin/b-9/telemetry", again), at(30));
    let patch = changes(told(&mut windows, &mut fleet, at(30)));
    let [Change::ThingRow { at: 1, row }] = &patch[..] else { panic!("{patch:?}") };
    assert_eq!(row.heard_age_ms, Some(0), "the same value said again is a word of the thing");
}

#[test]
fn what_is_new_is_let_in_where_it_moves_nobody_and_counted_where_it_would() {
    let mut fleet = big_fleet();
    let (mut windows, _) = looking(look(ThingsQuery::default(), 0, 3, false), &mut fleet);
    assert_eq!(page_of(&frames(&mut windows, &mut fleet, at(1))).total, 0);
    give(&mut fleet, described("bin", "b-5", "Bin 5", "", "", 14.5), at(2));
    give(&mut fleet, described("bin", "b-7", "Bin 7", "", "", 14.5), at(2));
    let patch = changes(told(&mut windows, &mut fleet, at(3)));
    let [Change::Things(page)] = &patch[..] else { panic!("{patch:?}") };
    assert_eq!((names(&page.rows), page.total), (vec!["b-5", "b-7"], 2), "an empty table fills by itself");
    give(&mut fleet, described("bin", "b-3", "Bin 3", "", "", 14.5), at(28));
    let patch = changes(told(&mut windows, &mut fleet, at(29)));
    let [Change::Things(page)] = &patch[..] else { panic!("{patch:?}") };
    assert_eq!(
        (names(&page.rows), page.moved),
        (vec!["b-3", "b-5", "b-7"], 0),
        "a broker tells a city over its first seconds"
    );
    for (s, name, title, want) in
        [(34, "b-9", "Bin 9", 0), (36, "b-6", "Bin 6", 1), (38, "b-1", "Bin 1", 2), (40, "b-10", "Bin 10", 3)]
    {
        give(&mut fleet, described("bin", name, title, "", "", 14.5), at(s));
        let patch = changes(told(&mut windows, &mut fleet, at(s + 1)));
        match (&patch[..], want) {
            ([Change::Things(page)], 0) => assert_eq!(page.total, 4, "behind everything"),
            ([Change::ThingsMoved(moved)], want) => assert_eq!(*moved, want, "{name}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
    for (s, again) in [(50, true), (60, false)] {
        let only_bins = ThingsQuery { kinds: vec![Kind::Bin], ..ThingsQuery::default() };
        windows.call(WINDOW, Call::Look { view: ViewId(1), at: look(only_bins, 0, 3, again) }, &mut fleet, at(s));
        assert_eq!(page_of(&told(&mut windows, &mut fleet, at(s))).moved, 0);
        give(&mut fleet, described("bin", &format!("a-{s}"), "Bin 0", "", "", 14.5), at(s + 3));
        let patch = changes(told(&mut windows, &mut fleet, at(s + 3)));
        assert_eq!(patch, [Change::ThingsMoved(1)], "a new order is no new link");
        windows.call(WINDOW, Call::LookAway { view: ViewId(1) }, &mut fleet, at(s + 4));
    }
}

#[test]
fn losing_the_link_tells_every_row_of_the_stretch_and_no_other() {
    let mut fleet = city();
    let (mut windows, _) = looking(look(ThingsQuery::default(), 1, 2, false), &mut fleet);
    frames(&mut windows, &mut fleet, at(10));
    give(&mut fleet, down(), at(11));
    let patch = changes(told(&mut windows, &mut fleet, at(11)));
    let places = |c: &Change| if let Change::ThingRow { at, row } = c { Some((*at, row.status)) } else { None };
    let unknown = map::Status::Unknown.code();
    assert_eq!(patch.iter().filter_map(places).collect::<Vec<_>>(), [(1, unknown), (2, unknown)]);
    assert_eq!(patch.len(), 2);
}

/// Which things of the city a query finds, by title, and what is wrong with it.
fn asked(text: &str, fleet: &mut Fleet, now: Now) -> (Vec<String>, Option<(u32, String)>) {
    let query = ThingsQuery { text: text.into(), ..ThingsQuery::default() };
    let (mut windows, _) = looking(look(query, 0, 100, false), fleet);
    let page = page_of(&frames(&mut windows, fleet, now));
    assert_eq!(page.total as usize, page.rows.len(), "{text}");
    let mistake = page.mistake.map(|QueryMistake { column, message }| (column, message));
    (names(&page.rows).into_iter().map(str::to_owned).collect(), mistake)
}

#[test]
fn a_query_is_asked_of_what_is_known_of_each_thing() {
    let mut fleet = city();
    let crew =
        |name: &str, search: &str| Group { name: name.into(), search: Query::read(search).ok(), ..Group::default() };
    fleet.config.groups = vec![crew("Full bins", "kind:bin fill_pct>90"), crew("Birgu crew", "area:birgu")];
    give(&mut fleet, Input::Ticked, at(93));
    for (text, want) in [
        ("kind:bin AND fill_pct:[40 TO 90]", vec!["b-10", "b-11"]),
        ("fill_pct>90", vec!["b-9"]),
        ("value.fill_pct:40 OR value.free:*", vec!["b-10", "b-11", "p-1"]),
        ("dim_pct:100", vec!["l-1"]),
        ("kind:(lamp OR parking) area:Birgu", vec!["l-1", "p-1"]),
        ("street:serkin", vec!["b-10", "b-11"]),
        ("area:mar*", vec!["b-9", "b-10", "b-11"]),
        ("NOT area:*", vec!["l-2"]),
        ("thingName:b-1?", vec!["b-10", "b-11"]),
        ("title:[bin TO c]", vec!["b-9", "b-10", "b-11"]),
        ("group:\"Full bins\"", vec!["b-9"]),
        ("group:birgu", vec!["l-1", "p-1"]),
        ("kind:bin NOT group:full", vec!["b-10", "b-11"]),
        ("alarm.active:true kind:lamp", vec!["l-1"]),
        ("alarm.active:true OR kind:parking", vec!["l-1", "b-9", "b-10", "p-1"]),
        ("kind:bin alarm.active:false", vec!["b-11"]),
        ("alarm.rule:*", vec!["l-1", "b-9", "b-10"]),
        ("connectivity.connected:false", vec!["l-1", "b-9", "b-10"]),
        ("connectivity.connected:true", vec!["b-11", "p-1"]),
        ("NOT connectivity.connected:*", vec!["l-2"]),
        ("age:<89s", vec!["b-11"]),
        ("age:*", vec!["l-1", "b-9", "b-10", "b-11", "p-1"]),
        ("near:35.9,14.5,1km", vec!["b-9", "b-10"]),
        ("hasDelta:*", vec![]),
    ] {
        assert_eq!(
            asked(text, &mut fleet, at(93)),
            (want.iter().map(|name| (*name).to_owned()).collect(), None),
            "{text}"
        );
    }
}

#[test]
fn a_mistake_is_told_by_its_column_and_the_table_stays_as_it_was() {
    let mut fleet = city();
    let (_, mistake) = asked("bin kimd:lamp", &mut fleet, at(10));
    let (column, message) = mistake.unwrap();
    assert_eq!((column, message.contains("there is kind")), (5, true), "{message}");
    assert_eq!(asked("group:Nobody", &mut fleet, at(10)).1.unwrap().0, 7, "nor is a group of which nobody knows");

    let of = |text: &str| ThingsQuery { text: text.into(), ..ThingsQuery::default() };
    let (mut windows, _) = looking(look(of("kind:bin"), 0, 100, false), &mut fleet);
    let before = page_of(&frames(&mut windows, &mut fleet, at(10)));
    windows.call(
        WINDOW,
        Call::Look { view: ViewId(1), at: look(of("kind:bin fil_pct>5"), 0, 100, false) },
        &mut fleet,
        at(10),
    );
    let after = page_of(&told(&mut windows, &mut fleet, at(10)));
    assert_eq!((names(&after.rows), after.total), (names(&before.rows), before.total));
    assert_eq!(after.mistake.unwrap().column, 10);
    windows.call(
        WINDOW,
        Call::Look { view: ViewId(1), at: look(of("kind:bin fill_pct>90"), 0, 100, false) },
        &mut fleet,
        at(10),
    );
    let right = page_of(&told(&mut windows, &mut fleet, at(10)));
    assert_eq!((names(&right.rows), right.mistake), (vec!["b-9"], None));
}

#[test]
fn a_table_by_values_counts_what_would_join() {
    let mut fleet = city();
    let query = ThingsQuery { text: "fill_pct>90".into(), ..ThingsQuery::default() };
    let (mut windows, _) = looking(look(query, 0, 100, false), &mut fleet);
    assert_eq!(names(&page_of(&frames(&mut windows, &mut fleet, at(40))).rows), ["b-9"]);
    give(&mut fleet, says("bin", "b-10", "fill_pct", 97.0), at(41));
    let changes = changes(told(&mut windows, &mut fleet, at(45)));
    let page = changes.iter().find_map(|change| if let Change::Things(page) = change { Some(page) } else { None });
    assert_eq!(page.map(|page| names(&page.rows)), Some(vec!["b-9", "b-10"]), "{changes:?}");
}
