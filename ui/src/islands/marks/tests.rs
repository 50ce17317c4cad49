//! What is drawn, in which order, and what is hit.

use fleetlens_model::geo::LonLat;

use super::*;
use crate::islands::mercator::ORIGIN;

fn row(thing: u32, east_deg: f64, kind: Kind, status: Status, flags: u8) -> MapRow {
    let at = LonLat { lon_deg: ORIGIN.lon_deg + east_deg, lat_deg: ORIGIN.lat_deg };
    MapRow { thing: ThingKey(thing), at, kind, status, flags, level: 40 }
}

fn packed(rows: &[MapRow]) -> Vec<u8> {
    let mut bytes = Vec::new();
    rows.iter().for_each(|row| row.write(&mut bytes));
    bytes
}

/// Status, flags and level of each vertex, in the order drawn.
fn drawn(marks: &Marks) -> Vec<[u8; 3]> {
    let mut bytes = Vec::new();
    let packed = marks.pack(&mut bytes);
    assert_eq!(bytes.len(), packed.all * VERTEX_BYTES);
    bytes.chunks(VERTEX_BYTES).map(|v| [v[9], v[10], v[11]]).collect()
}

#[test]
fn the_worst_is_drawn_last_and_the_chosen_one_after_it() {
    let mut marks = Marks::default();
    marks.replace(&packed(&[
        row(1, 0.0, Kind::Lamp, Status::Critical, 0),
        row(2, 0.1, Kind::Parking, Status::Normal, 0),
        row(3, 0.2, Kind::Lamp, Status::Normal, FLAG_PENDING),
        row(4, 0.3, Kind::Lamp, Status::Warning, 0),
    ]));
    let statuses = |marks: &Marks| drawn(marks).iter().map(|v| v[0]).collect::<Vec<_>>();
    assert_eq!(statuses(&marks), [0, 0, 2, 3]);
    assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 4, calm: 2, chosen: 0, things: 4 });
    marks.select(Some(ThingKey(2)));
    assert_eq!(statuses(&marks), [0, 2, 3, 0]);
    assert_eq!(drawn(&marks)[3][1], FLAG_SELECTED);
    assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 4, calm: 1, chosen: 1, things: 4 });
}

#[test]
fn the_graphics_card_is_off_by_no_more_than_a_tenth_of_a_pixel_anywhere_at_the_deepest_zoom() {
    let mut marks = Marks::default();
    for (lon_deg, lat_deg) in [(14.18, 36.07), (24.94, 60.17), (-4.42, 36.72), (139.69, 35.68), (-155.0, -80.0)] {
        let center = local(LonLat { lon_deg, lat_deg });
        let at = Local { x: center.x + 3e-7, y: center.y - 2e-7 };
        let camera = Camera { center, zoom: 19.0, width_px: 1400.0, height_px: 900.0 };
        marks.look_from(&camera);
        let (seen, eye) = (at.from(marks.origin()), center.from(marks.origin()));
        let off = |seen: f64, eye: f64| (f64::from(seen as f32) - f64::from(eye as f32) - (seen - eye)).abs();
        let off_px = off(seen.x, eye.x).max(off(seen.y, eye.y)) * camera.scale_px();
        assert!(off_px < 2.0 * OFF_MAX_PX, "{lon_deg} {lat_deg}: {off_px}");
    }
    let (revision, zoom) = (marks.revision(), 4.0);
    marks.look_from(&Camera { center: Local::default(), zoom, width_px: 1400.0, height_px: 900.0 });
    assert_eq!(marks.revision(), revision, "from afar nothing is packed anew");
}

#[test]
fn a_row_replaces_its_thing_and_a_gone_one_takes_it_away() {
    let mut marks = Marks::default();
    marks.replace(&packed(&[1, 2, 3].map(|n| row(n, 0.0, Kind::Lamp, Status::Normal, 0))));
    let before = marks.revision();
    marks.apply(&packed(&[
        row(1, 0.0, Kind::Lamp, Status::Normal, FLAG_GONE),
        row(3, 0.0, Kind::Lamp, Status::Warning, 0),
        row(9, 0.0, Kind::Lamp, Status::Normal, FLAG_GONE),
    ]));
    assert!(marks.revision() > before);
    let drawn_now: Vec<u8> = drawn(&marks).iter().map(|v| v[0]).collect();
    assert_eq!(drawn_now, [Status::Normal.code(), Status::Warning.code()], "2 is left as it was, 3 is changed");
    marks.replace(&packed(&[row(5, 0.0, Kind::Lamp, Status::Normal, 0)]));
    assert_eq!(drawn(&marks).len(), 1, "a snapshot is everything");
}

#[test]
fn a_hidden_kind_is_neither_drawn_nor_hit() {
    let mut marks = Marks::default();
    marks.replace(&packed(&[
        row(1, 0.0, Kind::Lamp, Status::Normal, 0),
        row(2, 0.001, Kind::Parking, Status::Normal, 0),
    ]));
    let camera = Camera { center: Local::default(), zoom: 14.0, width_px: 800.0, height_px: 600.0 };
    let px = 0.001 / 360.0 * camera.scale_px();
    assert!(px > 20.0);
    assert_eq!(marks.at(&camera, 405.0, 300.0, 12.0), Some(Pointed::Thing(ThingKey(1))));
    assert_eq!(marks.at(&camera, 400.0 + px, 304.0, 12.0), Some(Pointed::Thing(ThingKey(2))));
    assert_eq!(marks.at(&camera, 400.0, 320.0, 12.0), None);
    marks.show(Kind::Lamp, false);
    assert_eq!(marks.at(&camera, 405.0, 300.0, 12.0), None);
    assert_eq!(drawn(&marks).len(), 1);
    marks.show(Kind::Lamp, true);
    assert_eq!(drawn(&marks).len(), 2);
}

#[test]
fn of_two_at_one_place_the_one_on_top_is_hit() {
    let mut marks = Marks::default();
    marks.replace(&packed(&[
        row(1, 0.0, Kind::Lamp, Status::Warning, 0),
        row(2, 0.0, Kind::Parking, Status::Normal, 0),
    ]));
    let camera = Camera { center: Local::default(), zoom: 14.0, width_px: 800.0, height_px: 600.0 };
    assert_eq!(marks.at(&camera, 400.0, 300.0, 12.0), Some(Pointed::Thing(ThingKey(1))));
}

/// Forty lamps on a few metres and one a kilometre away, at zoom 12.
fn crowd() -> Marks {
    let mut marks = Marks::default();
    let rows: Vec<MapRow> = (1..=40)
        .map(|n| row(n, 0.0002 + f64::from(n) * 1e-5, Kind::Lamp, Status::Normal, 0))
        .chain([row(41, 0.08, Kind::Lamp, Status::Normal, 0)])
        .collect();
    marks.zoom_to(12.0);
    marks.replace(&packed(&rows));
    marks
}

#[test]
fn a_crowd_is_one_badge_that_opens_to_what_it_holds() {
    let marks = crowd();
    assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 1, calm: 1, chosen: 0, things: 41 });
    let camera = Camera { center: Local::default(), zoom: 12.0, width_px: 800.0, height_px: 600.0 };
    let [cluster] = marks.clusters_in(&camera)[..] else { panic!("one cluster") };
    assert_eq!((cluster.count, cluster.need), (40, 0));
    let (x, y) = camera.project(cluster.at);
    assert_eq!(marks.at(&camera, x + 4.0, y, 3.0), Some(Pointed::Cluster(cluster.cell)));
    let (low, high) = marks.bounds(cluster.cell).unwrap();
    assert!((high.x - low.x - 39e-5 / 360.0).abs() < 1e-8 && low.y == high.y, "{low:?} {high:?}");
    let mut bytes = Vec::new();
    assert_eq!((marks.pack_badges(&mut bytes), bytes.len()), (1, badges::BADGE_BYTES));
}

#[test]
fn what_lies_within_is_found_in_crowds_too_and_what_is_picked_is_ringed() {
    let mut marks = crowd();
    let camera = Camera { center: Local::default(), zoom: 12.0, width_px: 800.0, height_px: 600.0 };
    let (far_x, _) = camera.project(local(LonLat { lon_deg: ORIGIN.lon_deg + 0.08, lat_deg: ORIGIN.lat_deg }));
    let near = marks.within(&camera, |x, _| x < far_x - 10.0);
    assert_eq!((near.len(), near.get(&ThingKey(41))), (40, None));
    let far = marks.within(&camera, |x, _| x > far_x - 10.0);
    let revision = marks.revision();
    marks.pick(far.clone());
    assert!(marks.revision() > revision);
    assert_eq!(drawn(&marks).iter().map(|v| v[1]).collect::<Vec<_>>(), [FLAG_PICKED]);
    let revision = marks.revision();
    marks.pick(far);
    assert_eq!(marks.revision(), revision, "the same again");
    marks.show(Kind::Lamp, false);
    assert_eq!(marks.within(&camera, |_, _| true).len(), 0, "what is hidden is not chosen");
}

#[test]
fn the_chosen_one_of_a_crowd_stands_by_itself() {
    let mut marks = crowd();
    marks.select(Some(ThingKey(7)));
    assert_eq!(marks.pack(&mut Vec::new()), Packed { all: 2, calm: 1, chosen: 1, things: 41 });
    let camera = Camera { center: Local::default(), zoom: 12.0, width_px: 800.0, height_px: 600.0 };
    let (x, y) = camera.project(marks.chosen().unwrap().1);
    assert_eq!(marks.at(&camera, x, y, 5.0), Some(Pointed::Thing(ThingKey(7))));
}

#[test]
fn rows_that_change_and_kinds_that_are_hidden_are_counted_in_their_cluster() {
    let mut marks = crowd();
    let only = |marks: &Marks| marks.clusters.iter().next().map(|c| (c.count, c.need));
    marks.apply(&packed(&[
        row(1, 0.0002, Kind::Lamp, Status::Critical, 0),
        row(2, 0.0002, Kind::Lamp, Status::Normal, FLAG_GONE),
        row(3, 0.08, Kind::Lamp, Status::Normal, 0),
    ]));
    assert_eq!(only(&marks), Some((38, 1)));
    marks.apply(&packed(&[row(1, 0.0002, Kind::Lamp, Status::Critical, FLAG_SEEN)]));
    assert_eq!(only(&marks), Some((38, 0)), "acknowledged");
    marks.apply(&packed(&[row(1, 0.0002, Kind::Lamp, Status::Critical, 0)]));
    marks.show(Kind::Lamp, false);
    assert_eq!(only(&marks), None);
    marks.show(Kind::Lamp, true);
    assert_eq!(only(&marks), Some((38, 1)));
    marks.zoom_to(16.5);
    assert_eq!(marks.pack(&mut Vec::new()).all, 40, "close by everything stands by itself");
}

#[test]
fn a_driver_sees_car_parks_and_nothing_of_their_state() {
    let mut marks = crowd();
    marks.apply(&packed(&[row(50, 0.01, Kind::Parking, Status::Critical, FLAG_PENDING)]));
    marks.set_plain(true);
    assert_eq!(drawn(&marks), [[Status::Normal.code(), 0, LEVEL_UNKNOWN]]);
    assert_eq!(marks.clusters.iter().count(), 0);
    marks.set_plain(false);
    assert_eq!(marks.pack(&mut Vec::new()).things, 42);
}
