use fleetlens_ipc::rows::LeafTakes;
use fleetlens_ipc::{Scope, Wish};
use fleetlens_model::command::Phase;
use fleetlens_model::kind::KindSchema;

use super::*;
use crate::fleet::Input;

fn ask(fleet: &mut Fleet, intent: Intent, s: u64) {
    let asked = Input::Asked { window: WINDOW, request: RequestId(1), intent };
    let effects = give(fleet, asked, at(s));
    assert!(effects.outward.iter().any(|o| matches!(o, Outward::Answer { outcome: Ok(_), .. })), "{effects:?}");
}

/// Sets a leaf of its own each time, so that no command takes another's place.
fn wish(fleet: &mut Fleet, leaf: &str, s: u64) {
    let wish = Wish { pointer: format!("/{leaf}"), value_json: "1".into(), seen_json: None };
    let intent =
        Intent::Command { thing: ThingKey(1), shadow: String::new(), wishes: vec![wish], expires_in_ms: Some(60_000) };
    ask(fleet, intent, s);
}

fn ids(frames: &[Frame]) -> Vec<u64> {
    let [Frame::Snapshot { rows: Rows::Commands(rows), .. }] = frames else { panic!("{frames:?}") };
    rows.iter().map(|row| row.id.0).collect()
}

#[test]
fn a_row_says_what_is_said_of_its_leaves_while_it_can_be_changed() {
    let mut fleet = city();
    let text = r#"{"properties": {
        "net": {"x-danger": "It may be gone for a while.", "type": "object", "properties": {"hops": {"type": "number"}}},
        "mode": {"enum": ["open", "closed"], "x-danger": {"closed": "Look."}}}}"#;
    fleet.config.schemas.put(Kind::Lamp, KindSchema::parse(text).unwrap());
    give(&mut fleet, down(), at(2));
    for (shadow, s) in [("", 3), ("network", 4)] {
        let wish =
            |pointer: &str, json: &str| Wish { pointer: pointer.into(), value_json: json.into(), seen_json: None };
        let wishes = vec![wish("/net/hops", "7"), wish("/mode", "\"open\"")];
        let intent = Intent::Command { thing: ThingKey(1), shadow: shadow.into(), wishes, expires_in_ms: Some(60_000) };
        ask(&mut fleet, intent, s);
    }
    let (mut outbox, _) = looking(Look::Commands { scope: Scope::Open, limit: 2 }, &mut fleet);
    let frames = frames(&mut outbox, &mut fleet, at(5));
    let [Frame::Snapshot { rows: Rows::Commands(rows), .. }] = &frames[..] else { panic!("{frames:?}") };
    let [named, classic] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(named.takes, vec![LeafTakes::default(); 2], "a kind speaks of the classic shadow");
    let [hops, mode] = &classic.takes[..] else { panic!("{classic:?}") };
    assert!(hops.control.is_none(), "no touch sets a number without bounds, and still it is dangerous");
    assert_eq!(hops.dangers, [(String::new(), "It may be gone for a while.".to_owned())]);
    assert_eq!(mode.control.as_ref().map(|control| control.pointer.as_ref()), Some("/mode"));
    assert_eq!(mode.dangers, [("\"closed\"".to_owned(), "Look.".to_owned())]);

    ask(&mut fleet, Intent::CancelCommand { command: classic.id }, 6);
    let (mut history, _) = looking(Look::Commands { scope: Scope::Ended, limit: 2 }, &mut fleet);
    let frames = super::frames(&mut history, &mut fleet, at(7));
    let [Frame::Snapshot { rows: Rows::Commands(rows), .. }] = &frames[..] else { panic!("{frames:?}") };
    assert!(matches!(&rows[..], [row] if row.takes.is_empty()), "{rows:?}");
}

fn changes(windows: &mut Windows, fleet: &mut Fleet, s: u64) -> Vec<(&'static str, u64)> {
    seen(windows, fleet, u64::MAX);
    let frames = frames(windows, fleet, at(s));
    let changes =
        frames.iter().flat_map(|f| if let Frame::Patch { changes, .. } = f { changes } else { panic!("{f:?}") });
    let short = |c: &Change| {
        if let Change::CommandGone(id) = c {
            return ("gone", id.0);
        }
        let Change::Command(row) = c else { panic!("{c:?}") };
        (if matches!(row.phase, Phase::Cancelled { .. }) { "cancelled" } else { "waits" }, row.id.0)
    };
    changes.map(short).collect()
}

#[test]
fn a_command_leaves_the_outbox_for_the_history_when_it_is_over() {
    let mut fleet = city();
    give(&mut fleet, down(), at(2));
    ["a", "b", "c"].iter().for_each(|leaf| wish(&mut fleet, leaf, 2));
    let look = |scope, limit| Look::Commands { scope, limit };
    let (mut outbox, _) = looking(look(Scope::Open, 2), &mut fleet);
    assert_eq!(ids(&frames(&mut outbox, &mut fleet, at(2))), [3, 2], "the newest of them first");
    let (mut history, _) = looking(look(Scope::Ended, 10), &mut fleet);
    assert!(ids(&frames(&mut history, &mut fleet, at(2))).is_empty());

    ask(&mut fleet, Intent::CancelCommand { command: fleetlens_model::id::CommandId(3) }, 3);
    let dirty = fleet.take_dirty();
    [&mut outbox, &mut history].into_iter().for_each(|windows| windows.soil(&dirty, &fleet));
    assert_eq!(changes(&mut outbox, &mut fleet, 3), [("gone", 3), ("waits", 1)], "and the next one comes into view");
    assert_eq!(changes(&mut history, &mut fleet, 3), [("cancelled", 3)]);

    wish(&mut fleet, "d", 4);
    assert_eq!(changes(&mut outbox, &mut fleet, 4), [("gone", 1), ("waits", 4)]);
    give(&mut fleet, lamp_says(5, 3.0), at(5));
    assert_eq!(changes(&mut outbox, &mut fleet, 5), [], "telemetry is no news of a command");
}

#[test]
fn a_title_that_came_later_stands_on_the_commands_too() {
    let mut fleet = city();
    wish(&mut fleet, "a", 2);
    let (mut windows, _) = looking(Look::Commands { scope: Scope::Open, limit: 10 }, &mut fleet);
    frames(&mut windows, &mut fleet, at(2));
    give(&mut fleet, telemetry("city/v/lamp/lamp-1/meta", r#"{"name":"Harbour lamp"}"#), at(3));
    let told = frames(&mut windows, &mut fleet, at(3));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(matches!(&changes[..], [Change::Command(row)] if row.thing_title == "Harbour lamp"), "{changes:?}");
}
