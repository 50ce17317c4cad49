use serde_json::json;

use super::*;
use crate::identity::Role;
use crate::shadow::{Document, Request, Section};

pub(super) fn at(s: u64) -> Now {
    Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1000), mono: MonoMs(1_000 + s * 1000) }
}

fn vella() -> Actor {
    Actor { name: "M. Vella".into(), role: Role::Operator }
}

pub(super) fn command(before: Option<Json>) -> Command {
    Command {
        id: CommandId(7),
        thing: ThingKey(1),
        shadow: String::new(),
        token: "fl-1-7".into(),
        wants: vec![Want {
            pointer: "/dim_pct".into(),
            value: json!(40),
            tolerance: 0.5,
            restore: before.clone(),
            before,
        }],
        by: vella(),
        cancelled_by: None,
        expires_ms: at(600).wall,
        phase: Phase::Pending,
        steps: vec![(Step::Asked, at(0).wall)],
        attempt: Attempt::Idle,
        deadline: Some(at(600).mono),
    }
}

fn document(version: u64, desired: Json, reported: Json) -> Document {
    let merge = |v: Json| v.as_object().map_or(Section::Absent, |o| Section::Merge(o.clone()));
    let request = Request { desired: merge(desired), reported: merge(reported), ..Request::default() };
    Document { version: version - 1, ..Document::default() }.update(&request, 1).unwrap()
}

fn view(document: &Document, gets: u64) -> ShadowView<'_> {
    ShadowView { document: Some(document), version: document.version, current: true, gets }
}

/// A command that is on the wire, based on version 2.
pub(super) fn sent() -> Command {
    let mut c = command(Some(json!(100)));
    let base = document(2, json!({"dim_pct": 100}), json!({"dim_pct": 100}));
    let action = c.next(view(&base, 1), at(1)).unwrap();
    assert_eq!(
        action,
        Action::Update { desired: json!({"dim_pct": 40}).as_object().unwrap().clone(), version: Some(2) }
    );
    assert_eq!(c.phase, Phase::Sent);
    c
}

#[test]
fn a_command_settles_only_on_a_report_of_its_own_leaves() {
    let obeyed = document(4, json!({"dim_pct": 40}), json!({"dim_pct": 40.2}));
    let other = document(4, json!({"dim_pct": 40}), json!({"dim_pct": 100, "on": true}));
    let stale = document(2, json!({"dim_pct": 100}), json!({"dim_pct": 40}));
    let yes = || Input::Accepted { version: 3 };
    for (name, inputs, want) in [
        ("accepted is not done", vec![yes()], Phase::Accepted { version: 3 }),
        ("the report overtakes the answer", vec![Input::Shadow(view(&obeyed, 1)), yes()], Phase::Settled),
        ("a report of other leaves", vec![yes(), Input::Shadow(view(&other, 1))], Phase::Accepted { version: 3 }),
        ("a report from before", vec![Input::Shadow(view(&stale, 1))], Phase::Sent),
        ("accepted and obeyed", vec![yes(), Input::Shadow(view(&obeyed, 1))], Phase::Settled),
        (
            "refused for good",
            vec![Input::Rejected(&Rejection { code: 413, message: "too large".into() })],
            Phase::Rejected { code: 413, reason: "too large".into() },
        ),
        (
            "busy is not refused",
            vec![Input::Rejected(&Rejection { code: 429, message: "slow down".into() })],
            Phase::Sent,
        ),
    ] {
        let mut c = sent();
        for input in inputs {
            c.apply(input, at(2));
        }
        assert_eq!(c.phase, want, "{name}");
    }
}

#[test]
fn a_409_is_looked_into_before_it_is_called_a_rejection() {
    let conflict = Rejection { code: 409, message: "Version conflict".into() };
    for (name, now_in_shadow, want) in [
        ("our own success", json!({"dim_pct": 40}), Phase::Accepted { version: 9 }),
        ("an unrelated change", json!({"dim_pct": 100, "on": false}), Phase::Sent),
        (
            "somebody else changed our leaf",
            json!({"dim_pct": 70}),
            Phase::Rejected { code: 409, reason: "somebody else set /dim_pct to 70 meanwhile".into() },
        ),
    ] {
        let mut c = sent();
        c.apply(Input::Rejected(&conflict), at(2));
        assert_eq!(c.phase, Phase::Sent, "{name}: not rejected yet");
        let newer = document(9, now_in_shadow, json!({"dim_pct": 100}));
        assert_eq!(c.next(view(&newer, 1), at(2)), Some(Action::Get), "{name}");
        assert_eq!(c.next(view(&newer, 1), at(2)), None, "{name}: one get at a time");
        let action = c.next(view(&newer, 2), at(3));
        assert_eq!(c.phase, want, "{name}");
        if want == Phase::Sent {
            let Some(Action::Update { version, .. }) = action else { panic!("{name}: {action:?}") };
            assert_eq!(version, Some(9), "{name}: rebased");
        }
    }
}

#[test]
fn a_command_whose_answer_was_lost_is_asked_after_and_not_repeated_blindly() {
    let mut c = sent();
    c.apply(Input::LinkLost, at(3));
    let arrived = document(3, json!({"dim_pct": 40}), json!({"dim_pct": 40}));
    assert_eq!(c.next(view(&arrived, 1), at(9)), Some(Action::Get));
    assert_eq!(c.next(view(&arrived, 2), at(9)), None);
    assert_eq!(c.phase, Phase::Settled, "it had arrived and was obeyed while we were away");
    assert_eq!(
        c.steps.iter().map(|(s, _)| *s).collect::<Vec<_>>(),
        [Step::Asked, Step::Sent, Step::Accepted, Step::Settled]
    );
}

#[test]
fn an_unanswered_request_is_asked_after_when_its_time_is_up() {
    let mut c = sent();
    let base = document(2, json!({"dim_pct": 100}), json!({"dim_pct": 100}));
    c.apply(Input::TimePassed, at(10));
    assert_eq!(c.next(view(&base, 1), at(10)), None);
    c.apply(Input::TimePassed, at(11));
    assert_eq!(c.next(view(&base, 1), at(11)), Some(Action::Get));
}

#[test]
fn a_pending_command_that_expires_is_never_sent() {
    let mut c = command(Some(json!(100)));
    c.apply(Input::TimePassed, at(600));
    assert_eq!(c.phase, Phase::Expired { withdrawal: Withdrawal::NotNeeded });
    assert!(!c.phase.is_open());
    let base = document(2, json!({"dim_pct": 100}), json!({}));
    assert_eq!(c.next(view(&base, 1), at(601)), None);
}

#[test]
fn an_expired_command_is_taken_out_of_desired_again_and_nothing_else_is() {
    let ours = json!({"dim_pct": 40});
    for (name, before, found, back) in [
        ("what was there comes back", Some(json!(100)), ours.clone(), Some(json!({"dim_pct": 100}))),
        ("what was not there goes", None, ours.clone(), Some(json!({"dim_pct": null}))),
        ("what others changed stays", Some(json!(100)), json!({"dim_pct": 70}), None),
        ("what was wanted all along stays", Some(json!(40)), ours, None),
    ] {
        let mut c = sent();
        c.wants[0].restore = before;
        c.apply(Input::Accepted { version: 3 }, at(2));
        c.apply(Input::TimePassed, at(700));
        assert_eq!(c.phase, Phase::Expired { withdrawal: Withdrawal::Needed }, "{name}");
        let found = document(5, found, json!({"dim_pct": 100}));
        assert_eq!(c.next(view(&found, 1), at(700)), Some(Action::Get), "{name}");
        let action = c.next(view(&found, 2), at(701));
        match back {
            Some(back) => {
                let want = Action::Update { desired: back.as_object().unwrap().clone(), version: Some(5) };
                assert_eq!(action, Some(want), "{name}");
                c.apply(Input::Accepted { version: 6 }, at(702));
                let after = document(6, json!({"dim_pct": 100}), json!({"dim_pct": 100}));
                assert_eq!(c.next(view(&after, 2), at(702)), Some(Action::Get), "{name}: looks again");
                assert_eq!(c.next(view(&after, 3), at(703)), None, "{name}");
            }
            None => assert_eq!(action, None, "{name}"),
        }
        assert_eq!(c.phase, Phase::Expired { withdrawal: Withdrawal::Done }, "{name}");
        assert!(!c.phase.is_open(), "{name}");
    }
}

#[test]
fn a_clock_set_back_prolongs_nothing_and_one_set_forward_ends_it() {
    let mut back = command(None);
    let set_back = Now { wall: at(0).wall.plus(-86_400_000), mono: at(600).mono };
    back.apply(Input::TimePassed, set_back);
    assert_eq!(back.phase, Phase::Expired { withdrawal: Withdrawal::NotNeeded });
    let mut restarted = command(None);
    restarted.deadline = None;
    restarted.apply(Input::TimePassed, Now { wall: at(601).wall, mono: MonoMs(5) });
    assert_eq!(restarted.phase, Phase::Expired { withdrawal: Withdrawal::NotNeeded });
}

#[test]
fn taking_back_ends_it_at_once_before_the_wire_and_by_withdrawal_after() {
    let mut waiting = command(None);
    waiting.apply(Input::Cancelled(&vella()), at(1));
    assert_eq!(waiting.phase, Phase::Cancelled { withdrawal: Withdrawal::NotNeeded });
    let mut away = sent();
    away.apply(Input::Cancelled(&vella()), at(2));
    assert_eq!(away.phase, Phase::Cancelled { withdrawal: Withdrawal::Needed });
    let mut done = sent();
    done.apply(Input::Accepted { version: 3 }, at(2));
    let obeyed = document(4, json!({"dim_pct": 40}), json!({"dim_pct": 40}));
    done.apply(Input::Shadow(view(&obeyed, 1)), at(3));
    assert!(!done.apply(Input::Cancelled(&vella()), at(4)), "what is done is done");
}

#[test]
fn a_command_waits_for_the_shadow_and_is_refused_when_somebody_was_faster() {
    let mut c = command(Some(json!(100)));
    let cached = document(2, json!({"dim_pct": 100}), json!({}));
    let old = ShadowView { current: false, ..view(&cached, 0) };
    assert_eq!(c.next(old, at(1)), Some(Action::Get));
    let moved = document(5, json!({"dim_pct": 70}), json!({}));
    assert_eq!(c.next(view(&moved, 1), at(2)), None);
    assert_eq!(c.phase, Phase::Rejected { code: 409, reason: "somebody else set /dim_pct to 70 meanwhile".into() });
    let mut first = command(None);
    let none = ShadowView { document: None, version: 0, current: true, gets: 1 };
    let Some(Action::Update { version: None, .. }) = first.next(none, at(1)) else {
        panic!("no shadow yet: no version")
    };
}

#[test]
fn commands_overlap_when_one_leaf_is_or_holds_the_others() {
    for (a, b, want) in
        [("/dim_pct", "/dim_pct", true), ("/light", "/light/dim", true), ("/light", "/lightness", false)]
    {
        let (mut x, mut y) = (command(None), command(None));
        x.wants[0].pointer = a.into();
        y.wants[0].pointer = b.into();
        assert_eq!(x.overlaps(&y), want, "{a} {b}");
        y.thing = ThingKey(2);
        assert!(!x.overlaps(&y));
    }
}

#[test]
fn what_the_device_did_while_nobody_looked_is_not_undone() {
    for (name, reported_at_s, want) in
        [("in time", 5, Phase::Settled), ("too late", 601, Phase::Expired { withdrawal: Withdrawal::Done })]
    {
        let mut c = sent();
        c.apply(Input::Accepted { version: 3 }, at(2));
        c.apply(Input::LinkLost, at(3));
        c.apply(Input::TimePassed, at(90_000));
        let mut obeyed = document(4, json!({"dim_pct": 40}), json!({"dim_pct": 40}));
        obeyed.reported_meta =
            json!({"dim_pct": {"timestamp": at(reported_at_s).wall.as_s()}}).as_object().unwrap().clone();
        assert_eq!(c.next(view(&obeyed, 1), at(90_000)), Some(Action::Get), "{name}");
        assert_eq!(c.next(view(&obeyed, 2), at(90_001)), None, "{name}: nothing is put back");
        assert_eq!(c.phase, want, "{name}");
    }
}

#[test]
fn what_is_over_does_not_leave_although_no_tick_came_before_the_answer() {
    let mut c = command(Some(json!(100)));
    let base = document(2, json!({"dim_pct": 100}), json!({}));
    assert_eq!(c.next(view(&base, 1), at(30_000)), None);
    assert_eq!(c.phase, Phase::Expired { withdrawal: Withdrawal::NotNeeded });
}

#[test]
fn a_withdrawal_that_is_refused_ends_and_says_so_and_a_busy_service_is_not_hammered() {
    for (code, want, next) in [
        (403, Withdrawal::Refused { code: 403 }, None),
        (429, Withdrawal::Needed, None),
        (409, Withdrawal::Needed, Some(Action::Get)),
    ] {
        let mut c = sent();
        c.apply(Input::Accepted { version: 3 }, at(2));
        c.apply(Input::TimePassed, at(700));
        let found = document(5, json!({"dim_pct": 40}), json!({"dim_pct": 100}));
        c.next(view(&found, 1), at(700));
        assert!(matches!(c.next(view(&found, 2), at(700)), Some(Action::Update { .. })));
        c.apply(Input::Rejected(&Rejection { code, message: "no".into() }), at(700));
        assert_eq!(c.phase, Phase::Expired { withdrawal: want }, "{code}");
        assert_eq!(c.next(view(&found, 2), at(700)), next, "{code}");
    }
}

#[test]
fn what_somebody_else_overwrote_is_told_and_not_waited_for() {
    let mut c = sent();
    c.apply(Input::Accepted { version: 3 }, at(2));
    let theirs = document(5, json!({"dim_pct": 70}), json!({"dim_pct": 100}));
    let reason = c.overwritten(view(&theirs, 1)).unwrap();
    c.apply(Input::Overwritten(reason.clone()), at(3));
    assert_eq!(c.phase, Phase::Rejected { code: 409, reason });
    assert_eq!(c.overwritten(view(&theirs, 1)), None, "once");
}

#[test]
fn a_newer_command_takes_only_the_leaves_it_sets() {
    let mut both = sent();
    both.wants.push(Want { pointer: "/on".into(), value: json!(true), tolerance: 0.0, before: None, restore: None });
    assert!(!both.yield_to(&command(None)));
    assert_eq!(both.wants.iter().map(|w| w.pointer.as_str()).collect::<Vec<_>>(), ["/on"]);
    assert!(sent().yield_to(&command(None)));
}

#[test]
fn a_service_that_refuses_the_version_it_tells_is_not_hammered() {
    let mut c = sent();
    let conflict = Rejection { code: 409, message: "Version conflict".into() };
    let same = document(2, json!({"dim_pct": 100}), json!({"dim_pct": 100}));
    c.apply(Input::Rejected(&conflict), at(2));
    assert_eq!(c.next(view(&same, 1), at(2)), Some(Action::Get));
    assert_eq!(c.next(view(&same, 2), at(2)), None, "nothing until the time-out");
    c.apply(Input::TimePassed, at(11));
    assert_eq!(c.next(view(&same, 2), at(11)), None);
    c.apply(Input::TimePassed, at(12));
    assert_eq!(c.next(view(&same, 2), at(12)), Some(Action::Get));
}
