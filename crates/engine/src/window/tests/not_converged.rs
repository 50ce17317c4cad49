use fleetlens_ipc::Wish;
use fleetlens_ipc::rows::{NotConvergedRow, Why};

use super::*;
use crate::fleet::Input;

/// The lamp's shadow as a service would tell it: what it wants and reports of `/dim_pct`, and its version.
fn shadow(wants: u64, reports: u64, version: u64, s: u64) -> Input {
    let at_s = at(s).wall.as_s();
    let time = format!(r#"{{"dim_pct":{{"timestamp":{at_s}}}}}"#);
    let state = format!(r#"{{"desired":{{"dim_pct":{wants}}},"reported":{{"dim_pct":{reports}}}}}"#);
    let current =
        format!(r#"{{"state":{state},"metadata":{{"desired":{time},"reported":{time}}},"version":{version}}}"#);
    let payload = format!(r#"{{"previous":{{"state":{{}}}},"current":{current},"timestamp":{at_s}}}"#);
    telemetry("$aws/things/lamp-1/shadow/update/documents", &payload)
}

fn rows(frames: &[Frame]) -> Vec<NotConvergedRow> {
    let [Frame::Snapshot { rows: Rows::NotConverged(rows), .. }] = frames else { panic!("{frames:?}") };
    rows.clone()
}

fn listed(fleet: &mut Fleet, s: u64) -> Vec<NotConvergedRow> {
    let (mut windows, _) = looking(Look::NotConverged { limit: 10 }, fleet);
    rows(&frames(&mut windows, fleet, at(s)))
}

fn dim(fleet: &mut Fleet, value: u64, seen: u64, s: u64) {
    let wish = Wish { pointer: "/dim_pct".into(), value_json: value.to_string(), seen_json: Some(seen.to_string()) };
    let expires_in_ms = Some(86_400_000);
    let intent = Intent::Command { thing: ThingKey(1), shadow: String::new(), wishes: vec![wish], expires_in_ms };
    give(fleet, Input::Asked { window: WINDOW, request: RequestId(1), intent }, at(s));
}

/// The service's answer to the newest command.
fn answer(fleet: &Fleet, word: &str, rest: &str) -> Input {
    let (_, newest) = fleet.commands.last_key_value().unwrap();
    telemetry(
        &format!("$aws/things/lamp-1/shadow/update/{word}"),
        &format!(r#"{{{rest},"clientToken":"{}"}}"#, newest.token),
    )
}

#[test]
fn the_list_says_what_is_wanted_and_reported_and_since_when_and_changes_row_by_row() {
    let mut fleet = city();
    give(&mut fleet, shadow(40, 100, 1, 2), at(2));
    give(&mut fleet, Input::Ticked, at(200));
    let (mut windows, _) = looking(Look::NotConverged { limit: 10 }, &mut fleet);
    assert_eq!(rows(&frames(&mut windows, &mut fleet, at(200))), []);
    give(&mut fleet, lamp_says(302, 60.0), at(302));
    give(&mut fleet, Input::Ticked, at(302));
    let told = frames(&mut windows, &mut fleet, at(302));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    let [Change::NotConverged(row)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((row.thing_title.as_str(), row.label.as_str(), row.unit.as_str()), ("Lamp 1", "Level when on", "%"));
    assert_eq!((row.wanted.as_str(), row.reported.as_deref(), row.since_ms), ("40", Some("100"), at(2).wall));
    assert_eq!((&row.why, row.unknown_since_ms), (&Why::NobodyHere, None));
    assert_eq!(list::status(&fleet, at(302)).not_converged, 1);

    seen(&mut windows, &mut fleet, 2);
    give(&mut fleet, lamp_says(303, 61.0), at(303));
    assert!(frames(&mut windows, &mut fleet, at(303)).is_empty(), "telemetry is no news of a leaf");
    give(&mut fleet, down(), at(304));
    let told = frames(&mut windows, &mut fleet, at(304));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(
        matches!(&changes[..], [Change::NotConverged(row)] if row.unknown_since_ms == Some(at(304).wall)),
        "{changes:?}"
    );
    give(&mut fleet, up(), at(305));
    give(&mut fleet, shadow(40, 40, 2, 306), at(306));
    let told = frames(&mut windows, &mut fleet, at(306));
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(matches!(&changes[..], [Change::NotConvergedGone(leaf)] if leaf.pointer == "/dim_pct"), "{changes:?}");
    assert_eq!(list::status(&fleet, at(306)).not_converged, 0);
}

#[test]
fn the_reason_is_the_silence_else_the_newest_command_that_reached_the_leaf() {
    let why = |fleet: &mut Fleet, s: u64| {
        give(fleet, lamp_says(s, 60.0), at(s));
        give(fleet, Input::Ticked, at(s));
        let rows = listed(fleet, s);
        let [row] = &rows[..] else { panic!("{rows:?}") };
        row.why.clone()
    };
    let mut fleet = city();
    give(&mut fleet, shadow(100, 100, 1, 2), at(2));
    give(&mut fleet, lamp_says(10, 60.0), at(10));
    dim(&mut fleet, 40, 100, 10);
    give(&mut fleet, shadow(40, 100, 2, 11), at(11));
    let said = answer(&fleet, "accepted", r#""state":{"desired":{"dim_pct":40}},"version":2,"timestamp":1"#);
    give(&mut fleet, said, at(11));
    assert_eq!(why(&mut fleet, 400), Why::NeverObeyed { by: "M. Vella".into() });

    dim(&mut fleet, 60, 40, 401);
    assert_eq!(why(&mut fleet, 402), Why::NeverObeyed { by: "M. Vella".into() }, "what still waits tells nothing");
    let said = answer(&fleet, "rejected", r#""code":413,"message":"too large""#);
    give(&mut fleet, said, at(403));
    assert_eq!(why(&mut fleet, 404), Why::Rejected { code: 413, reason: "too large".into() });

    give(&mut fleet, shadow(40, 40, 3, 500), at(500));
    give(&mut fleet, shadow(40, 100, 4, 600), at(600));
    give(&mut fleet, shadow(55, 100, 5, 700), at(700));
    for s in 1_000..1_060 {
        give(&mut fleet, Input::Ticked, at(s));
    }
    give(&mut fleet, Input::Ticked, at(1_100));
    let rows = listed(&mut fleet, 1_100);
    assert!(matches!(&rows[..], [row] if matches!(row.why, Why::Silent { .. }) && row.wanted == "55"), "{rows:?}");
}

#[test]
fn what_the_thing_itself_refused_is_told_with_its_reason_while_it_speaks_of_this_wish() {
    // The wish is of second 10; what the thing said of it, and when.
    let why = |refused: &str, said_s: u64| {
        let mut fleet = city();
        let (wished_s, said_s) = (at(10).wall.as_s(), at(said_s).wall.as_s());
        let current = format!(
            r#"{{"state":{{"desired":{{"dim_pct":40}},"reported":{{"dim_pct":100,"refused":{refused}}}}},
                "metadata":{{"desired":{{"dim_pct":{{"timestamp":{wished_s}}}}},
                "reported":{{"dim_pct":{{"timestamp":{said_s}}},"refused":{{"timestamp":{said_s}}}}}}},"version":2}}"#
        );
        let payload = format!(r#"{{"previous":{{"state":{{}}}},"current":{current},"timestamp":{said_s}}}"#);
        give(&mut fleet, telemetry("$aws/things/lamp-1/shadow/update/documents", &payload), at(20));
        give(&mut fleet, lamp_says(400, 60.0), at(400));
        give(&mut fleet, Input::Ticked, at(400));
        let rows = listed(&mut fleet, 400);
        let [row] = &rows[..] else { panic!("{rows:?}") };
        row.why.clone()
    };
    let refused = Why::Refused { reason: "under local control".into() };
    assert_eq!(why(r#""dim_pct: under local control""#, 11), refused);
    assert_eq!(why(r#""on, dim_pct: under local control""#, 10), refused);
    assert_eq!(why(r#""dim_pct: under local control""#, 9), Why::NobodyHere, "that was of an older wish");
    assert_eq!(why(r#""dim: under local control""#, 11), Why::NobodyHere, "another value's");
    assert_eq!(why("true", 11), Why::NobodyHere);
    let long = why(&format!(r#""dim_pct: {}""#, "x".repeat(1_000)), 11);
    assert!(matches!(&long, Why::Refused { reason } if reason.chars().count() == 201), "{long:?}");
}

#[test]
fn what_was_obeyed_and_left_again_is_told_apart_from_what_never_was() {
    let mut fleet = city();
    give(&mut fleet, shadow(100, 100, 1, 2), at(2));
    dim(&mut fleet, 40, 100, 10);
    let said = answer(&fleet, "accepted", r#""state":{"desired":{"dim_pct":40}},"version":2,"timestamp":1"#);
    give(&mut fleet, said, at(11));
    give(&mut fleet, shadow(40, 40, 3, 12), at(12));
    give(&mut fleet, shadow(40, 100, 4, 100), at(100));
    give(&mut fleet, lamp_says(400, 60.0), at(400));
    give(&mut fleet, Input::Ticked, at(400));
    let left = listed(&mut fleet, 400);
    assert_eq!(left[0].why, Why::NoLonger { settled_ms: at(12).wall }, "{left:?}");
    assert_eq!(left[0].since_ms, at(100).wall);
    give(&mut fleet, shadow(70, 100, 5, 401), at(401));
    give(&mut fleet, lamp_says(800, 60.0), at(800));
    give(&mut fleet, Input::Ticked, at(800));
    assert_eq!(listed(&mut fleet, 800)[0].why, Why::NobodyHere, "somebody else has asked for something since");
}
