//! The store against frames as a host sends them. Natively: signals need no page, and without a bridge nothing is said.

use std::cell::Cell;
use std::rc::Rc;

use fleetlens_ipc::rows::{Change, CommandRow, LeafId, NotConvergedRow, Rows, ThingPage, ValueRow, Why};
use fleetlens_ipc::{AlarmsQuery, Done, Fault, FaultCode, Frame, Intent, ViewId};
use fleetlens_model::command::Phase;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::{CommandId, SeriesKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::telemetry::{Quality, Source, Timed, Value};

use super::thing::Thing;
use super::*;

const LAMP: ThingKey = ThingKey(7);

fn value(series: u32, rank: u8, number: f64) -> ValueRow {
    ValueRow {
        series: SeriesKey(series),
        pointer: format!("/v{series}"),
        label: String::new(),
        unit: "%".into(),
        decimals: 0,
        rank,
        value: Value::Number(number),
        source: Source::Live,
        quality: Quality::Good,
        timed: Timed::ByDevice,
        age_ms: 0,
        old_after_ms: 60_000,
        device_ms: WallMs(0),
        received_ms: WallMs(0),
    }
}

fn command(id: u64, phase: Phase) -> CommandRow {
    CommandRow {
        id: CommandId(id),
        thing: LAMP,
        thing_title: "Lamp 7".into(),
        kind: Kind::Lamp,
        shadow: String::new(),
        direct: false,
        title: "dim to 40 %".into(),
        changes: Vec::new(),
        trace: String::new(),
        by: Actor::default(),
        phase,
        never_obeyed: false,
        steps: Vec::new(),
        sentence: String::new(),
        expires_in_ms: None,
        can_edit: false,
        takes: Vec::new(),
        can_cancel: false,
    }
}

fn page(values: Vec<ValueRow>) -> Rows {
    let head = ThingHead {
        thing: LAMP,
        name: "lamp-7".into(),
        title: "Lamp 7".into(),
        kind: Kind::Lamp,
        at: None,
        area: String::new(),
        street: String::new(),
        capacity: None,
        gateway: String::new(),
        synthetic: Vec::new(),
        convention: String::new(),
        controls: Vec::new(),
        freshness: Freshness::Live,
        heard_age_ms: Some(0),
        status: 0,
    };
    Rows::Thing(Box::new(ThingPage {
        head,
        values,
        shadows: Vec::new(),
        commands: Vec::new(),
        jobs: Vec::new(),
        alarms: Vec::new(),
        may_command: true,
        fence: String::new(),
        expiries: Vec::new(),
        schema: String::new(),
    }))
}

fn snapshot(view: u32, rows: Rows) -> Frame {
    Frame::Snapshot { view: ViewId(view), rows }
}

fn patch(view: u32, rev: u64, changes: Vec<Change>) -> Frame {
    Frame::Patch { view: ViewId(view), rev, changes }
}

/// A store that looks at the lamp in view 1.
fn with_lamp(values: Vec<ValueRow>) -> (Owner, Store) {
    let owner = Owner::new();
    let store = owner.with(|| {
        let store = Store::new();
        store.open(LAMP);
        store.frame(snapshot(1, page(values)), 0.0);
        store
    });
    (owner, store)
}

fn here(store: Store) -> Thing {
    match store.thing.get_untracked() {
        Slot::Here(thing) => thing,
        Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => panic!("no thing is open"),
    }
}

fn numbers(store: Store) -> Vec<(u32, f64)> {
    let cells = here(store).values.get_untracked();
    cells.iter().map(|cell| (cell.key.0, cell.row.with_untracked(|row| row.row.value.as_number().unwrap()))).collect()
}

#[test]
fn a_patch_sets_its_row_and_leaves_the_others_signals_alone() {
    let (_owner, store) = with_lamp(vec![value(1, 0, 40.0), value(2, 5, 61.0)]);
    let before = here(store).values.get_untracked();
    store.frame(patch(1, 2, vec![Change::Value(value(1, 0, 41.0)), Change::Value(value(3, 3, 9.0))]), 1.0);
    assert_eq!(numbers(store), [(1, 41.0), (3, 9.0), (2, 61.0)], "a new value takes its place by rank");
    assert_eq!(before[0].row.with_untracked(|row| row.at_ms), 1.0, "the card on the screen saw it");
    assert_eq!(before[1].row.with_untracked(|row| row.at_ms), 0.0);
}

#[test]
fn a_gap_shows_nothing_wrong_until_the_snapshot_mends_it() {
    let (_owner, store) = with_lamp(vec![value(1, 0, 40.0)]);
    let card = here(store).values.get_untracked()[0].row.clone();
    store.frame(patch(1, 4, vec![Change::Value(value(1, 0, 99.0))]), 1.0);
    store.frame(patch(1, 5, vec![Change::Value(value(1, 0, 98.0))]), 1.0);
    assert_eq!(numbers(store), [(1, 40.0)]);
    store.frame(snapshot(1, page(vec![value(1, 0, 50.0)])), 2.0);
    assert_eq!(card.with_untracked(|row| row.row.value.clone()), Value::Number(50.0), "the same card, no new drawer");
}

#[test]
fn holding_stops_values_but_never_commands() {
    let (_owner, store) = with_lamp(vec![value(1, 0, 40.0)]);
    store.held.set(Some(WallMs(5)));
    let settled = Change::Command(command(1, Phase::Settled));
    store.frame(patch(1, 2, vec![Change::Value(value(1, 0, 41.0)), settled]), 1.0);
    assert_eq!(numbers(store), [(1, 40.0)]);
    assert_eq!(here(store).commands.with_untracked(Vec::len), 1);
    store.hold(false, 2.0);
    store.frame(patch(1, 3, vec![Change::Value(value(1, 0, 42.0))]), 3.0);
    assert_eq!(numbers(store), [(1, 40.0)], "what was left out is made good by a snapshot first");
    store.frame(snapshot(1, page(vec![value(1, 0, 42.0)])), 4.0);
    store.frame(patch(1, 2, vec![Change::Value(value(1, 0, 43.0))]), 5.0);
    assert_eq!(numbers(store), [(1, 43.0)]);
}

#[test]
fn the_newest_command_stands_first() {
    let (_owner, store) = with_lamp(Vec::new());
    let asked = [3, 5, 4].map(|id| Change::Command(command(id, Phase::Pending)));
    store.frame(patch(1, 2, asked.into()), 1.0);
    let ids: Vec<u64> = here(store).commands.get_untracked().iter().map(|cell| cell.key.0).collect();
    assert_eq!(ids, [5, 4, 3]);
}

#[test]
fn an_answer_reaches_who_asked_and_only_once() {
    let (_owner, store) = with_lamp(Vec::new());
    let heard = Rc::new(Cell::new(0));
    let ear = Rc::clone(&heard);
    store.ask(Intent::CancelCommand { command: CommandId(1) }, move |_| ear.set(ear.get() + 1));
    let answer = |request| Frame::Answer { request: RequestId(request), outcome: Ok(Done::Cancelled(CommandId(1))) };
    store.frame(answer(9), 0.0);
    assert_eq!(heard.get(), 0);
    store.frame(answer(1), 0.0);
    store.frame(answer(1), 0.0);
    assert_eq!(heard.get(), 1);
}

#[test]
fn a_thing_that_is_gone_is_said_to_be_gone() {
    let (_owner, store) = with_lamp(vec![value(1, 0, 40.0)]);
    store.frame(snapshot(1, Rows::Missing), 1.0);
    assert!(matches!(store.thing.get_untracked(), Slot::Missing(LAMP)));
    store.close();
    store.frame(snapshot(1, page(Vec::new())), 2.0);
    assert!(matches!(store.thing.get_untracked(), Slot::Closed), "a late snapshot opens nothing");
}

#[test]
fn what_is_to_be_decided_is_forgotten_with_its_thing() {
    for (name, then, stays) in [
        ("opened once more", (|store| store.open(LAMP)) as fn(Store), true),
        ("another is opened", |store| store.open(ThingKey(8)), false),
        ("closed", Store::close, false),
    ] {
        let (owner, store) = with_lamp(Vec::new());
        owner.with(|| {
            store.decided.set(Some(command(1, Phase::Settled)));
            then(store);
            assert_eq!(store.decided.with_untracked(Option::is_some), stays, "{name}");
        });
    }
}

#[test]
fn a_window_of_another_contract_is_stranded_and_other_faults_are_notices() {
    let (_owner, store) = with_lamp(Vec::new());
    store.frame(Frame::Notice(Fault::new(FaultCode::Store, "disk full")), 0.0);
    store.frame(Frame::Notice(Fault::new(FaultCode::Store, "disk full")), 0.0);
    assert_eq!(store.notices.with_untracked(Vec::len), 1, "the same words once");
    assert_eq!(store.stranded.get_untracked(), None);
    store.frame(Frame::Notice(Fault::new(FaultCode::Contract, "old window")), 0.0);
    assert_eq!(store.stranded.get_untracked(), Some("old window".into()));
}

#[test]
fn whoever_waits_for_an_answer_is_told_when_the_line_is_cut() {
    let owner = Owner::new();
    owner.set();
    let store = Store::new();
    let heard = Rc::new(Cell::new(0));
    let hear = Rc::clone(&heard);
    store.ask(Intent::CancelCommand { command: CommandId(1) }, move |outcome| {
        let fault = outcome.unwrap_err();
        assert_eq!(fault.code, FaultCode::Unreachable, "{fault}");
        hear.set(hear.get() + 1);
    });
    assert_eq!(heard.get(), 0);
    for line in [Line::Cut, Line::Ended, Line::Locked] {
        store.line_is(line);
        assert_eq!(store.cut.get_untracked(), Some(Cut { since_ms: None, line }));
        assert!(!store.link_up.get_untracked());
    }
    assert_eq!(heard.get(), 1, "once");
    store.line_is(Line::Open);
    assert_eq!(store.cut.get_untracked(), None);
}

#[test]
fn what_is_not_converged_stands_oldest_first_is_never_held_and_leaves_by_its_id() {
    let leaf = |pointer: &str| LeafId { thing: LAMP, shadow: String::new(), pointer: pointer.into() };
    let row = |pointer: &str, since_ms: i64| NotConvergedRow {
        leaf: leaf(pointer),
        thing_title: "Lamp 7".into(),
        kind: Kind::Lamp,
        place: String::new(),
        label: pointer.into(),
        unit: String::new(),
        wanted: "1".into(),
        reported: None,
        since_ms: WallMs(since_ms),
        why: Why::NobodyHere,
        unknown_since_ms: None,
    };
    let owner = Owner::new();
    owner.with(|| {
        let store = Store::new();
        store.follow_not_converged();
        assert!(!store.not_converged.known.get_untracked());
        store.frame(snapshot(1, Rows::NotConverged(vec![row("/b", 20)])), 0.0);
        assert!(store.not_converged.known.get_untracked());
        store.held.set(Some(WallMs(5)));
        let news = vec![Change::NotConverged(row("/c", 30)), Change::NotConverged(row("/a", 10))];
        store.frame(patch(1, 2, news), 1.0);
        let stands = || {
            let cells = store.not_converged.cells.get_untracked();
            cells.iter().map(|cell| cell.key.pointer.clone()).collect::<Vec<_>>()
        };
        assert_eq!(stands(), ["/a", "/b", "/c"]);
        store.frame(patch(1, 3, vec![Change::NotConvergedGone(leaf("/b"))]), 2.0);
        assert_eq!(stands(), ["/a", "/c"]);
        store.frame(Frame::Begin, 3.0);
        assert!(stands().is_empty() && !store.not_converged.known.get_untracked(), "another fleet wants other things");
    });
}

fn status(profile: &str) -> Rows {
    Rows::Status(Box::new(Status { profile: profile.into(), ..Status::default() }))
}

#[test]
fn the_rule_that_alarms_are_shown_of_goes_with_its_profile_and_with_nothing_else() {
    let owner = Owner::new();
    owner.with(|| {
        let store = Store::new();
        store.look(Target::Status, Look::Status);
        let query = AlarmsQuery { rule: "hot".into(), unseen: true, ..AlarmsQuery::default() };
        store.look_at_alarms(query.clone());
        store.frame(snapshot(1, status("Harbour")), 0.0);
        assert_eq!(store.alarm_table.query.get_untracked(), query, "the first one is no other one");
        // A rule was saved: the same profile begins anew.
        store.frame(Frame::Begin, 1.0);
        store.frame(snapshot(1, status("Harbour")), 2.0);
        assert_eq!(store.alarm_table.query.get_untracked(), query);
        store.frame(Frame::Begin, 3.0);
        store.frame(snapshot(1, status("Waterworks")), 4.0);
        assert_eq!(store.alarm_table.query.get_untracked(), AlarmsQuery { rule: String::new(), ..query });
    });
}

fn found(thing: u32, title: &str) -> FoundRow {
    FoundRow {
        thing: ThingKey(thing),
        name: title.to_lowercase(),
        title: title.into(),
        place: String::new(),
        kind: Kind::Lamp,
        status: 0,
        at: None,
    }
}

#[test]
fn the_palettes_things_and_places_come_together_and_what_changes_later_moves_no_line() {
    let owner = Owner::new();
    owner.set();
    let store = Store::new();
    let titles = || {
        store.palette.found.with_untracked(|found| {
            (found.text.clone(), found.things.iter().map(|row| row.title.clone()).collect::<Vec<_>>())
        })
    };
    let view = |store: Store| store.inner.with_value(|inner| inner.views.of(Target::Palette)).unwrap();
    let answer_places =
        |request: u32, outcome| store.frame(Frame::Answer { request: RequestId(request), outcome }, 0.0);
    let tell = |rows| store.frame(Frame::Snapshot { view: view(store), rows: Rows::Found(rows) }, 0.0);
    store.seek(" la ", true);
    tell(vec![found(1, "Lamp 1"), found(2, "Lamp 2")]);
    assert_eq!(titles(), (String::new(), vec![]), "the places are still out");
    answer_places(1, Ok(Done::Places(Vec::new())));
    assert_eq!(titles(), ("la".into(), vec!["Lamp 1".into(), "Lamp 2".into()]));

    store.seek("lam", true);
    assert_eq!(titles().0, "la", "the old ones stay until the new ones come");
    store.seek("lamp", true);
    // The answer to a text that nobody looks for any more.
    answer_places(2, Ok(Done::Places(Vec::new())));
    tell(vec![found(2, "Lamp 2"), found(3, "Lamp 3")]);
    assert_eq!(titles().0, "la");
    answer_places(3, Err(Fault::new(FaultCode::Unreachable, "gone")));
    assert_eq!(titles(), ("lamp".into(), vec!["Lamp 2".into(), "Lamp 3".into()]));

    let patch =
        |rev, rows| store.frame(Frame::Patch { view: view(store), rev, changes: vec![Change::Found(rows)] }, 0.0);
    patch(2, vec![found(3, "Lamp 3"), found(2, "Lamp 2")]);
    assert_eq!(titles().1, ["Lamp 2", "Lamp 3"], "another order waits for another text");
    patch(3, vec![found(2, "Lamp two"), found(3, "Lamp 3")]);
    assert_eq!(titles().1, ["Lamp two", "Lamp 3"]);
    store.seek("", true);
    assert_eq!(titles(), (String::new(), vec![]));
}

#[test]
fn what_was_wrong_with_a_query_goes_with_the_table_and_its_box_is_told_of_another_query() {
    let owner = Owner::new();
    owner.set();
    let store = Store::new();
    let mistake = fleetlens_ipc::rows::QueryMistake { column: 1, message: "no".into() };
    store.things.mistake.set(Some(mistake));
    store.look_away_from_things();
    assert_eq!(store.things.mistake.get_untracked(), None);
    let before = store.things.reset.get_untracked();
    store.show_things(fleetlens_ipc::ThingsQuery { text: "kind:lamp".into(), ..fleetlens_ipc::ThingsQuery::default() });
    assert_eq!(store.things.query.get_untracked().text, "kind:lamp");
    assert!(store.things.reset.get_untracked() > before);
}
