use fleetlens_ipc::ThingsQuery;
use fleetlens_ipc::boards::{Asked, BoardFigure, Shown};
use fleetlens_model::board::{Line, Of};
use fleetlens_model::identity::{Actor, Role};

use super::things::big_fleet;
use super::*;

fn figure(query: &str, of: Of, value: &str) -> Asked {
    Asked::Figure { query: query.into(), of, value: value.into() }
}

fn board(fleet: &mut Fleet, asked: Vec<Asked>) -> Vec<Shown> {
    let (mut windows, _) = looking(Look::Board { asked }, fleet);
    let told = frames(&mut windows, fleet, at(5));
    let [Frame::Snapshot { rows: Rows::Board(shown), .. }] = &told[..] else { panic!("{told:?}") };
    shown.clone()
}

/// Three bins, one of which has never said how full it is, and a car park.
fn bins() -> Fleet {
    let mut fleet = big_fleet();
    for (name, fill) in [("b1", Some(10.0)), ("b2", Some(40.0)), ("b3", None)] {
        give(&mut fleet, telemetry(&format!("city/x/bin/{name}/meta"), r#"{"lat":35.9,"lon":14.5}"#), at(1));
        if let Some(fill) = fill {
            let payload = format!(r#"{{"values":{{"fill_pct":{fill}}}}}"#);
            give(&mut fleet, telemetry(&format!("city/x/bin/{name}/telemetry"), &payload), at(1));
        }
    }
    give(&mut fleet, telemetry("city/x/parking/p1/meta", r#"{"capacity":50,"lat":35.9,"lon":14.5}"#), at(1));
    give(&mut fleet, telemetry("city/x/parking/p1/telemetry", r#"{"values":{"free":20}}"#), at(1));
    fleet
}

#[test]
fn a_figure_goes_over_what_the_table_counts_and_says_how_many_of_them_spoke() {
    for (of, want) in [
        (Of::Count, Some(3.0)),
        (Of::Sum, Some(50.0)),
        (Of::Mean, Some(25.0)),
        (Of::Min, Some(10.0)),
        (Of::Max, Some(40.0)),
    ] {
        let mut fleet = bins();
        let shown = board(&mut fleet, vec![figure("kind:bin", of, "/fill_pct")]);
        let [Shown::Figure(told)] = &shown[..] else { panic!("{shown:?}") };
        assert_eq!((told.number, told.things), (want, 3), "{of:?}");
        let spoke = if of == Of::Count { 3 } else { 2 };
        assert_eq!((told.with_value, told.not_live), (spoke, 0), "{of:?}");
        let query = ThingsQuery { text: "kind:bin".into(), ..ThingsQuery::default() };
        let (mut windows, _) = looking(Look::Things { query, first: 0, count: 10, again: false }, &mut fleet);
        let told = frames(&mut windows, &mut fleet, at(5));
        let [Frame::Snapshot { rows: Rows::Things(page), .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(page.total, 3);
    }
}

#[test]
fn what_cannot_be_shown_says_why_and_costs_no_other_widget() {
    let line = |thing: &str, value: &str| Line { thing: thing.into(), value: value.into() };
    let mut fleet = bins();
    give(&mut fleet, telemetry("city/x/lamp/l9/telemetry", r#"{"values":{"fill_pct":1}}"#), at(1));
    let shown = board(
        &mut fleet,
        vec![
            figure("kind:lmp", Of::Count, ""),
            figure("", Of::Sum, "/fill_pct"),
            figure("kind:bin", Of::Sum, "/weight_kg"),
            Asked::Gauge(line("b1", "/fill_pct")),
            Asked::Gauge(line("b9", "/fill_pct")),
            Asked::Gauge(line("b3", "/fill_pct")),
            Asked::Lines(vec![line("b1", "/fill_pct"), line("b3", "/fill_pct")]),
            Asked::Parks { query: String::new() },
        ],
    );
    let wrong = |shown: &Shown, says: &str| matches!(shown, Shown::Wrong(why) if why.contains(says));
    assert!(wrong(&shown[0], "column 6"), "{:?}", shown[0]);
    assert!(wrong(&shown[1], "ask for one kind"), "{:?}", shown[1]);
    let Shown::Figure(BoardFigure { number: None, things: 3, with_value: 0, .. }) = &shown[2] else {
        panic!("nobody said it: {:?}", shown[2])
    };
    let Shown::Gauge(gauge) = &shown[3] else { panic!("{:?}", shown[3]) };
    assert_eq!((gauge.scale, gauge.title.as_str()), (Some((0.0, 100.0)), "b1"));
    assert!(wrong(&shown[4], "nothing here is called \"b9\""), "{:?}", shown[4]);
    assert!(wrong(&shown[5], "has never said"), "{:?}", shown[5]);
    let Shown::Lines(lines) = &shown[6] else { panic!("{:?}", shown[6]) };
    assert!(matches!(lines.as_slice(), [Some(_), None]), "{lines:?}");
    let Shown::Parks { parks, left_out: 0 } = &shown[7] else { panic!("{:?}", shown[7]) };
    assert!(matches!(parks.as_slice(), [(_, 50)]), "{parks:?}");
}

#[test]
fn a_widget_is_told_again_only_when_it_shows_something_else() {
    let mut fleet = bins();
    let asked = vec![figure("kind:bin", Of::Sum, "/fill_pct"), figure("kind:lamp", Of::Count, "")];
    let (mut windows, _) = looking(Look::Board { asked }, &mut fleet);
    frames(&mut windows, &mut fleet, at(5));
    give(&mut fleet, telemetry("city/x/bin/b1/telemetry", r#"{"values":{"fill_pct":10}}"#), at(6));
    assert_eq!(frames(&mut windows, &mut fleet, at(6)), [], "the same again");
    give(&mut fleet, telemetry("city/x/bin/b1/telemetry", r#"{"values":{"fill_pct":20}}"#), at(7));
    let told = frames(&mut windows, &mut fleet, at(7));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    let [Change::Board { at: 0, shown }] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(matches!(**shown, Shown::Figure(BoardFigure { number: Some(60.0), .. })), "{shown:?}");
}

#[test]
fn a_driver_sees_on_a_board_car_parks_and_nothing_else() {
    let mut fleet = bins();
    fleet.config.who = Actor { name: "Ada".into(), role: Role::Driver };
    let line = |thing: &str, value: &str| Line { thing: thing.into(), value: value.into() };
    let shown = board(
        &mut fleet,
        vec![
            figure("", Of::Count, ""),
            figure("kind:bin", Of::Sum, "/fill_pct"),
            Asked::Table { query: String::new(), values: vec!["/fill_pct".into()] },
            Asked::Map { query: String::new(), area: None },
            Asked::Alarms { unseen: false, query: String::new() },
            Asked::Gauge(line("b1", "/fill_pct")),
            Asked::Lines(vec![line("b1", "/fill_pct"), line("p1", "/free")]),
        ],
    );
    assert!(matches!(&shown[0], Shown::Figure(BoardFigure { things: 1, .. })), "{:?}", shown[0]);
    assert!(matches!(&shown[1], Shown::Figure(BoardFigure { things: 0, number: None, .. })), "{:?}", shown[1]);
    assert!(matches!(&shown[2], Shown::Table { total: 1, rows } if rows.len() == 1), "{:?}", shown[2]);
    assert!(matches!(&shown[3], Shown::Map { total: 1, .. }), "{:?}", shown[3]);
    assert!(matches!(&shown[4], Shown::Wrong(_)), "{:?}", shown[4]);
    assert!(matches!(&shown[5], Shown::Wrong(why) if why.contains("nothing here is called")), "{:?}", shown[5]);
    assert!(matches!(&shown[6], Shown::Lines(lines) if lines[0].is_none() && lines[1].is_some()), "{:?}", shown[6]);
}

#[test]
fn in_a_big_fleet_the_queries_of_a_board_take_turns() {
    let mut fleet = big_fleet();
    fleet.config.things_max = 30_000;
    for n in 0..20_010 {
        let topic = format!("city/x/{}/t{n}/telemetry", if n % 2 == 0 { "lamp" } else { "bin" });
        give(&mut fleet, telemetry(&topic, r#"{"values":{"temp_c":1}}"#), at(1));
    }
    let asked = vec![figure("kind:lamp", Of::Count, ""), figure("kind:bin", Of::Count, "")];
    let (mut windows, _) = looking(Look::Board { asked }, &mut fleet);
    assert_eq!(frames(&mut windows, &mut fleet, at(2)).len(), 1, "at first all of them at once");
    for (n, kind) in [(0, "lamp"), (1, "bin")] {
        give(&mut fleet, telemetry(&format!("city/x/{kind}/new{n}/telemetry"), r#"{"values":{"temp_c":1}}"#), at(3));
    }
    let mut told = Vec::new();
    for second in 3..6 {
        for frame in frames(&mut windows, &mut fleet, at(second)) {
            let Frame::Patch { changes, .. } = frame else { panic!("{frame:?}") };
            told.extend(changes.iter().map(|change| {
                let Change::Board { at, .. } = change else { panic!("{change:?}") };
                (second, *at)
            }));
        }
        seen(&mut windows, &mut fleet, u64::MAX);
    }
    told.sort_by_key(|(_, at)| *at);
    let (seconds, widgets): (Vec<u64>, Vec<u32>) = told.into_iter().unzip();
    assert_eq!(widgets, [0, 1], "each is told");
    assert_ne!(seconds[0], seconds[1], "one after the other");
}
