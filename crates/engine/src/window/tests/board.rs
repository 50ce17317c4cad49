use fleetlens_ipc::ThingsQuery;
use fleetlens_ipc::boards::{Asked, BoardFigure, Shown};
use fleetlens_model::board::{LINES_MAX, Line, Of, TABLE_COLUMNS_MAX};
use fleetlens_model::identity::{Actor, Role};

use super::super::board::BoardView;
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

/// Lamps and bins, more than are asked for at once.
fn very_big_fleet() -> Fleet {
    let mut fleet = big_fleet();
    fleet.config.things_max = 30_000;
    for n in 0..20_010 {
        let topic = format!("city/x/{}/t{n}/telemetry", if n % 2 == 0 { "lamp" } else { "bin" });
        give(&mut fleet, telemetry(&topic, r#"{"values":{"temp_c":1}}"#), at(1));
    }
    fleet
}

fn lamps_and_bins() -> Vec<Asked> {
    vec![figure("kind:lamp", Of::Count, ""), figure("kind:bin", Of::Count, "")]
}

fn counts(shown: &[Shown]) -> Vec<Option<u32>> {
    let count = |shown: &Shown| if let Shown::Figure(told) = shown { Some(told.things) } else { None };
    shown.iter().map(count).collect()
}

#[test]
fn in_a_big_fleet_the_queries_of_a_board_take_turns_until_each_is_as_new_as_the_last_change() {
    let mut fleet = very_big_fleet();
    let (mut windows, _) = looking(Look::Board { asked: lamps_and_bins() }, &mut fleet);
    let told = frames(&mut windows, &mut fleet, at(2));
    let [Frame::Snapshot { rows: Rows::Board(shown), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(counts(shown), [None, None], "nothing is walked through for the first answer");
    let mut told = Vec::new();
    for second in 3..8 {
        if second == 4 {
            // The bins had their turn, the lamps did not.
            give(&mut fleet, telemetry("city/x/bin/new/telemetry", r#"{"values":{"temp_c":1}}"#), at(4));
        }
        for frame in frames(&mut windows, &mut fleet, at(second)) {
            let Frame::Patch { changes, .. } = frame else { panic!("{frame:?}") };
            for change in changes {
                let Change::Board { at, shown } = change else { panic!("{change:?}") };
                told.push((second, at, counts(&[*shown])));
            }
        }
        seen(&mut windows, &mut fleet, u64::MAX);
    }
    assert_eq!(told, [(3, 1, vec![Some(10_005)]), (4, 0, vec![Some(10_005)]), (5, 1, vec![Some(10_006)])]);

    let who = Actor { name: "Ada".into(), role: Role::Driver };
    let settings = Box::new(Settings { who, ..fleet.config.settings.clone() });
    give(&mut fleet, Input::Configured(settings), at(8));
    let told = frames(&mut windows, &mut fleet, at(8));
    let [Frame::Snapshot { rows: Rows::Board(shown), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(counts(shown), [None, None], "nothing stays that a driver may not see");
}

#[test]
fn what_is_asked_as_before_keeps_its_answer_while_a_big_board_is_arranged() {
    let fleet = very_big_fleet();
    let whole = |told: Told| {
        let Told::All(Rows::Board(shown)) = told else { panic!("it is told whole") };
        shown
    };
    let mut held = BoardView::new(lamps_and_bins(), &fleet);
    held.tell(true, &fleet, at(2));
    held.tell(false, &fleet, at(3));
    held.tell(false, &fleet, at(4));
    assert!(!held.waits());
    let lamps = figure("kind:lamp", Of::Count, "");
    let mut now = BoardView::after(&held, vec![figure("kind:parking", Of::Count, ""), lamps], &fleet);
    assert_eq!(counts(&whole(now.tell(true, &fleet, at(5)))), [None, Some(10_005)]);
    let Told::Some(changes) = now.tell(false, &fleet, at(6)) else { panic!("a patch") };
    assert!(matches!(changes.as_slice(), [Change::Board { at: 0, .. }]), "what is new comes first: {changes:?}");
    assert!(now.waits(), "and the others have their turn");
    held.soil(&Dirty { settings: true, ..Dirty::default() });
    let mut now = BoardView::after(&held, lamps_and_bins(), &fleet);
    assert_eq!(counts(&whole(now.tell(true, &fleet, at(7)))), [None, None], "somebody else is there");
}

#[test]
fn a_window_asks_of_each_thing_no_more_than_a_board_can_hold() {
    let mut fleet = bins();
    let line = Line { thing: "b1".into(), value: "/fill_pct".into() };
    let values = vec!["/fill_pct".to_owned(); 10_000];
    let asked = vec![
        Asked::Table { query: "kind:bin".into(), values },
        Asked::Lines(vec![line; 10_000]),
        figure(&"a".repeat(10_000), Of::Count, ""),
    ];
    let shown = board(&mut fleet, asked);
    let Shown::Table { rows, .. } = &shown[0] else { panic!("{:?}", shown[0]) };
    assert!(rows.iter().all(|(_, values)| values.len() == TABLE_COLUMNS_MAX));
    assert!(matches!(&shown[1], Shown::Lines(lines) if lines.len() == LINES_MAX));
    assert!(matches!(&shown[2], Shown::Wrong(why) if why.contains("at most 1000 are read")), "{:?}", shown[2]);
}
