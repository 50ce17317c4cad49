use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::command::Withdrawal;
use crate::identity::Role;

fn at(s: u64) -> Now {
    Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1_000), mono: MonoMs(5_000 + s * 1_000) }
}

fn rollout() -> Rollout {
    Rollout { batch: 3, every_s: 10, abort_at_pct: Some(50), abort_after: 4 }
}

fn bulk(things: u32, rollout: Rollout) -> Bulk {
    let order = Order {
        target: Target::Things(Vec::new()),
        shadow: String::new(),
        wishes: vec![Wish { pointer: "/dim_pct".into(), value_json: "40".into() }],
        expires_in_ms: None,
        rollout,
        continuous: false,
    };
    let by = Actor { name: "M. Vella".into(), role: Role::Operator };
    let (id, asked_ms) = (BulkId(1), at(0).wall);
    let head = Head {
        id,
        by,
        asked_ms,
        order,
        state: State::Running,
        released_ms: None,
        ended_ms: None,
        gone_on_ms: None,
        joined_ms: None,
    };
    let mut bulk = Bulk::new(head);
    bulk.join(rows(1..=things));
    bulk
}

fn rows(things: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = Row> {
    things.map(|key| Row { thing: ThingKey(key), progress: Progress::Waits })
}

/// Releases whatever is due; a thing's command has its number.
fn release(bulk: &mut Bulk, now: Now) -> Vec<u32> {
    let due = bulk.due(now);
    due.iter().for_each(|thing| assert!(bulk.ask(*thing, CommandId(u64::from(thing.0)), now), "{thing:?} was due"));
    due.into_iter().map(|thing| thing.0).collect()
}

fn tell(bulk: &mut Bulk, thing: u32, phase: Phase, now: Now) -> bool {
    let kept = bulk.tell(ThingKey(thing), CommandId(u64::from(thing)), &phase, false, now.wall);
    bulk.judge(now);
    kept
}

fn rejected() -> Phase {
    Phase::Rejected { code: 403, reason: "no".into() }
}

#[test]
fn things_are_released_in_batches_and_in_their_order() {
    let mut bulk = bulk(8, rollout());
    assert_eq!(release(&mut bulk, at(0)), [1, 2, 3]);
    assert!(release(&mut bulk, at(9)).is_empty());
    assert!(bulk.leave_out(ThingKey(4), None), "found to be so already");
    assert_eq!(release(&mut bulk, at(10)), [5, 6, 7]);
    assert!(bulk.pause(true, at(20)) && !bulk.pause(true, at(20)));
    assert!(release(&mut bulk, at(30)).is_empty(), "held");
    assert!(bulk.pause(false, at(30)));
    assert_eq!(release(&mut bulk, at(30)), [8]);
    let counts = Counts { open: 7, same: 1, ..Counts::default() };
    assert_eq!(bulk.counts(), counts);
}

#[test]
fn what_is_left_of_a_batch_may_follow_and_puts_the_next_one_off() {
    let mut bulk = bulk(8, rollout());
    assert!(bulk.ask(ThingKey(1), CommandId(1), at(0)));
    // Two were not ready before.
    assert_eq!(release(&mut bulk, at(9)), [2, 3]);
    assert!(release(&mut bulk, at(10)).is_empty());
    assert_eq!(release(&mut bulk, at(19)), [4, 5, 6]);
}

#[test]
fn it_aborts_when_too_many_of_those_that_finished_failed_and_not_before_enough_did() {
    let expired = Phase::Expired { withdrawal: Withdrawal::NotNeeded };
    let cancelled = Phase::Cancelled { withdrawal: Withdrawal::NotNeeded };
    for (name, ends, want) in [
        ("too few to say", vec![rejected(), rejected(), expired.clone()], "running"),
        ("half of them", vec![rejected(), expired.clone(), Phase::Settled, Phase::Settled], "aborted"),
        ("less than half", vec![rejected(), Phase::Settled, Phase::Settled, Phase::Settled, Phase::Settled], "running"),
        ("taken back is not failed", vec![cancelled; 5], "running"),
        ("not obeyed yet is not failed", vec![Phase::Accepted { version: 3 }; 5], "running"),
    ] {
        let mut bulk = bulk(20, Rollout { batch: 10, ..rollout() });
        release(&mut bulk, at(0));
        for (thing, phase) in (1..).zip(ends) {
            tell(&mut bulk, thing, phase, at(1));
        }
        let state = match bulk.head().state {
            State::Running => "running",
            State::Aborted { .. } => "aborted",
            State::Paused | State::Held { .. } | State::Stopped { .. } | State::Done => "another",
        };
        assert_eq!(state, want, "{name}");
        assert_eq!(bulk.due(at(60)).is_empty(), want == "aborted", "{name}");
    }
}

#[test]
fn it_is_done_when_nothing_of_it_is_open_however_that_went_and_never_when_it_goes_on_by_itself() {
    let mut all = bulk(4, Rollout { batch: 10, ..rollout() });
    release(&mut all, at(0));
    for thing in 1..=3 {
        tell(&mut all, thing, rejected(), at(1));
        assert_eq!(all.head().state, State::Running);
    }
    tell(&mut all, 4, rejected(), at(2));
    assert_eq!((&all.head().state, all.head().ended_ms), (&State::Done, Some(at(2).wall)), "there is nothing to abort");
    let mut more = bulk(1, rollout());
    more.head.order.continuous = true;
    release(&mut more, at(0));
    tell(&mut more, 1, Phase::Settled, at(1));
    assert_eq!(more.head().state, State::Running);
    assert_eq!(more.join(rows(1..=2)), 1, "the one that is new");
    assert_eq!(release(&mut more, at(10)), [2]);
    assert!(more.stop(Actor::default(), at(11)) && !more.stop(Actor::default(), at(12)));
}

#[test]
fn a_command_says_itself_where_it_stands_until_it_ends_and_nobody_elses_says_anything() {
    let mut bulk = bulk(2, rollout());
    release(&mut bulk, at(0));
    assert!(!tell(&mut bulk, 1, Phase::Sent, at(1)));
    assert!(!bulk.tell(ThingKey(1), CommandId(9), &Phase::Settled, false, at(1).wall), "another command of the thing");
    let taking_back = Phase::Cancelled { withdrawal: Withdrawal::Needed };
    assert!(tell(&mut bulk, 1, taking_back.clone(), at(2)));
    assert!(!tell(&mut bulk, 1, taking_back, at(3)), "nothing new");
    assert!(tell(&mut bulk, 1, Phase::Cancelled { withdrawal: Withdrawal::Done }, at(4)));
    assert!(bulk.lose(ThingKey(2)) && !bulk.lose(ThingKey(1)));
}

#[test]
fn never_obeyed_is_told_apart_from_expired_and_is_a_failure_too() {
    let mut bulk = bulk(2, rollout());
    release(&mut bulk, at(0));
    let expired = Phase::Expired { withdrawal: Withdrawal::Done };
    assert!(bulk.tell(ThingKey(1), CommandId(1), &expired, true, at(60).wall));
    assert!(bulk.tell(ThingKey(2), CommandId(2), &expired, false, at(60).wall));
    assert_eq!(bulk.counts(), Counts { never_obeyed: 1, expired: 1, ..Counts::default() });
    assert_eq!(bulk.counts().failed(), 2);
    // As it was kept by a program that did not tell them apart.
    let kept = r#"{"Asked":{"command":1,"phase":{"Expired":{"withdrawal":"Done"}},"at_ms":7}}"#;
    let row: Progress = serde_json::from_str(kept).unwrap();
    assert_eq!(row.outcome(), Outcome::Expired);
}

#[test]
fn no_more_things_than_are_kept_join() {
    let bulk = bulk(THINGS_MAX as u32 + 7, rollout());
    assert_eq!((bulk.rows().len(), bulk.counts().waiting as usize), (THINGS_MAX, THINGS_MAX));
}

#[test]
fn a_rollout_that_makes_no_sense_is_refused_with_a_sentence() {
    let fine = Rollout::default();
    assert_eq!(fine.check(), Ok(()));
    for (wrong, says) in [
        (Rollout { batch: 0, ..fine }, "1 to 1000 things, not 0"),
        (Rollout { every_s: 0, ..fine }, "not every 0 s"),
        (Rollout { abort_at_pct: Some(101), ..fine }, "1 to 100 %"),
        (Rollout { abort_after: 0, ..fine }, "at least 1"),
    ] {
        let refused = wrong.check().unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
}

#[test]
fn it_holds_itself_when_what_waits_could_not_be_released_for_longer_than_a_command_may_wait() {
    let sleeps = |wall: u64, mono: u64| Now { wall: at(wall).wall, mono: at(mono).mono };
    let mut fresh = bulk(8, rollout());
    assert!(!fresh.hold_if_late(30_000, at(30)), "asked 30 s ago");
    assert!(fresh.clone().hold_if_late(30_000, at(31)));
    release(&mut fresh, at(20));
    fresh.note_free(at(20));
    for (name, now, want) in [
        ("the time between two batches does not count", at(60), false),
        ("but what is over it", at(61), true),
        ("a computer that slept", sleeps(61, 21), true),
        ("a clock that was set back", sleeps(0, 61), true),
    ] {
        assert_eq!(fresh.clone().hold_if_late(30_000, now), want, "{name}");
        let mut again = Bulk::restored(fresh.head().clone(), fresh.rows().to_vec(), at(21));
        let by_wall_alone = now.wall > at(60).wall;
        assert_eq!(again.hold_if_late(30_000, now), by_wall_alone, "{name}, after a restart");
    }
    fresh.note_free(at(60));
    assert!(!fresh.clone().hold_if_late(30_000, at(90)), "it was free to, and its things were not ready");
    assert!(fresh.hold_if_late(30_000, at(91)) && !fresh.hold_if_late(30_000, at(99)));
    let State::Held { why } = &fresh.head().state else { panic!("{:?}", fresh.head().state) };
    assert_eq!(why, "nothing could be released for longer than a command of it may wait (30 s)");
    assert!(fresh.due(at(99)).is_empty() && !fresh.pause(true, at(99)) && fresh.head().state.is_open());
    // A person knows that it is still wanted.
    assert!(fresh.pause(false, at(1_000)));
    let again = Bulk::restored(fresh.head().clone(), fresh.rows().to_vec(), at(1_001));
    assert_eq!((fresh.late_ms(at(1_001)), again.late_ms(at(1_001))), (1_000, 1_000));
    assert_eq!(release(&mut fresh, at(1_001)), [4, 5, 6]);
    let mut through = bulk(2, rollout());
    release(&mut through, at(0));
    assert_eq!(through.late_ms(at(9_000)), 0, "nothing waits");
    assert!(through.note_joining(at(9_000)));
    through.join([Row { thing: ThingKey(77), progress: Progress::Waits }]);
    let again = Bulk::restored(through.head().clone(), through.rows().to_vec(), at(9_001));
    assert_eq!((again.late_ms(at(9_001)), through.late_ms(at(9_001))), (1_000, 1_000), "it waits since it joined");
    assert!(
        !through.note_joining(at(9_500)) && through.late_ms(at(9_501)) == 501_000,
        "and others after it hide nothing"
    );
}

#[test]
fn what_a_wrong_clock_noted_as_still_to_come_makes_nothing_that_waits_timely_after_a_restart() {
    const MONTH_S: u64 = 30 * 86_400;
    let ahead = at(MONTH_S);
    let mut joined = bulk(2, rollout());
    release(&mut joined, at(0));
    assert!(joined.note_joining(ahead));
    joined.join([Row { thing: ThingKey(77), progress: Progress::Waits }]);
    let mut gone_on = bulk(8, rollout());
    assert!(gone_on.pause(true, at(1)) && gone_on.pause(false, ahead));
    let mut released = bulk(8, rollout());
    release(&mut released, ahead);
    let mut asked = bulk(8, rollout());
    asked.head.asked_ms = ahead.wall;
    for (name, bulk) in [("joined", joined), ("gone on", gone_on), ("released", released), ("asked for", asked)] {
        // The clock is right again; the wish is an hour old.
        let mut again = Bulk::restored(bulk.head().clone(), bulk.rows().to_vec(), at(3_600));
        assert!(again.hold_if_late(30_000, at(3_600)), "{name} a month ahead");
    }
    // In the run in which the clock is set right, the one that cannot be set counts.
    let mut here = bulk(8, rollout());
    here.note_free(Now { wall: ahead.wall, mono: at(0).mono });
    assert_eq!((here.late_ms(at(29)), here.late_ms(at(31))), (29_000, 31_000));
}

/// What may happen to a bulk command.
#[derive(Clone, Debug)]
enum Happens {
    /// So many of those that are due are ready.
    Release(usize),
    Told(u32, Phase),
    LeftOut(u32),
    Joined(u32),
    Paused(bool),
    Stopped,
    Restarted,
}

fn happens() -> impl Strategy<Value = Happens> {
    let phase = prop_oneof![
        Just(Phase::Sent),
        Just(Phase::Settled),
        Just(rejected()),
        Just(Phase::Expired { withdrawal: Withdrawal::Needed })
    ];
    prop_oneof![
        6 => (0usize..8).prop_map(Happens::Release),
        4 => (1u32..30, phase).prop_map(|(thing, phase)| Happens::Told(thing, phase)),
        1 => (1u32..30).prop_map(Happens::LeftOut),
        1 => (20u32..40).prop_map(Happens::Joined),
        1 => any::<bool>().prop_map(Happens::Paused),
        1 => Just(Happens::Restarted),
        1 => (0u8..20).prop_map(|n| if n == 0 { Happens::Stopped } else { Happens::Restarted }),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_no_thing_is_asked_twice_no_batch_is_too_big_and_nothing_is_lost(
        steps in proptest::collection::vec((happens(), 0u64..8), 1..120),
        (batch, every_s, abort_after) in (1u32..6, 1u32..20, 1u32..10),
    ) {
        let rollout = Rollout { batch, every_s, abort_at_pct: Some(60), abort_after };
        let mut bulk = bulk(20, rollout);
        let mut asked: BTreeMap<u32, CommandId> = BTreeMap::new();
        let mut when: Vec<u64> = Vec::new();
        let (mut s, mut last_command) = (0, 0);
        for (step, passed) in steps {
            s += passed;
            let now = at(s);
            let was = bulk.head().state.clone();
            match step {
                Happens::Release(ready) => {
                    let due = bulk.due(now);
                    prop_assert!(was == State::Running || due.is_empty());
                    for thing in due.into_iter().take(ready) {
                        last_command += 1;
                        prop_assert!(bulk.ask(thing, CommandId(last_command), now));
                        prop_assert!(asked.insert(thing.0, CommandId(last_command)).is_none(), "asked twice");
                        when.push(s);
                    }
                }
                Happens::Told(thing, phase) => {
                    let command = asked.get(&thing).copied().unwrap_or(CommandId(7_000));
                    bulk.tell(ThingKey(thing), command, &phase, s % 2 == 0, now.wall);
                    bulk.judge(now);
                }
                Happens::LeftOut(thing) => drop(bulk.leave_out(ThingKey(thing), Some("gone".into()))),
                Happens::Joined(to) => drop(bulk.join(rows(1..=to))),
                Happens::Paused(held) => drop(bulk.pause(held, now)),
                Happens::Stopped => drop(bulk.stop(Actor::default(), now)),
                Happens::Restarted => {
                    let again = Bulk::restored(bulk.head().clone(), bulk.rows().to_vec(), now);
                    prop_assert_eq!(again.rows(), bulk.rows());
                    prop_assert_eq!(again.counts(), bulk.counts());
                    bulk = again;
                }
            }
            if !was.is_open() {
                prop_assert_eq!(&bulk.head().state, &was, "what has ended stays so");
            }
            // Whoever was asked has that command and no other.
            for row in bulk.rows() {
                let has = if let Progress::Asked { command, .. } = &row.progress { Some(*command) } else { None };
                prop_assert_eq!(has, asked.get(&row.thing.0).copied());
            }
            let counts = bulk.counts();
            let all = [counts.waiting, counts.open, counts.settled, counts.failed(), counts.ended, counts.same, counts.cannot];
            prop_assert_eq!(all.iter().sum::<u32>() as usize, bulk.rows().len());
        }
        for (i, from) in when.iter().enumerate() {
            let within = when.iter().skip(i).filter(|to| **to - from < u64::from(every_s)).count();
            prop_assert!(within <= batch as usize, "{within} within {every_s} s from {from}: {when:?}");
        }
    }
}
