use super::*;
use crate::identity::Role;
use crate::time::MonoMs;

mod properties;

fn now(s: u64) -> Now {
    Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1_000), mono: MonoMs(s * 1_000) }
}

fn seen(s: u64, comment: &str) -> Acknowledgement {
    let by = Actor { name: "M. Vella".into(), role: Role::Operator };
    Acknowledgement { by, at_ms: now(s).wall, comment: comment.into() }
}

const SO: Input = Input::Judged(Judged::So);
const NOT_SO: Input = Input::Judged(Judged::NotSo);
const NO_DATA: Input = Input::Judged(Judged::NoData);
const ERROR: Input = Input::Judged(Judged::Error);
const UNHEARD: Input = Input::Judged(Judged::Unheard);
const TIME: Input = Input::TimePassed;
const RAISED: Effect = Effect::Raised;
const CLEARED: Effect = Effect::Cleared;
const TOLD: Effect = Effect::Told { again: false };
const AGAIN: Effect = Effect::Told { again: true };
const OVER: Effect = Effect::Over;

fn lost(s: u64) -> Input {
    Input::LinkLost(now(s).wall)
}

/// An acknowledgement of what was raised at a second.
fn acknowledge(raised_s: u64) -> Input {
    Input::Acknowledge { raised_ms: now(raised_s).wall, by: seen(raised_s, "on my way") }
}

fn shelve(until_s: u64) -> Input {
    Input::Shelve(Shelving { until_ms: now(until_s).wall, by: seen(0, "it is being painted") })
}

/// What follows at which second, and how it stands in the end.
fn told(terms: &Terms, story: &[(u64, Input)]) -> (Vec<(u64, Effect)>, State) {
    let (mut state, mut told) = (State::default(), Vec::new());
    for (s, input) in story {
        let (next, effects) = state.step(input.clone(), terms, now(*s));
        told.extend(effects.into_iter().map(|effect| (*s, effect)));
        state = next;
    }
    (told, state)
}

/// Its name, what happens at which second, what follows, and how it stands in the end.
type Story = (&'static str, Vec<(u64, Input)>, Vec<(u64, Effect)>, Standing);

/// The same, with nothing but the effects and the standing.
fn check(terms: Terms, stories: Vec<Story>) {
    for (name, story, effects, standing) in stories {
        let (have, state) = told(&terms, &story);
        assert_eq!(have, effects, "{name}");
        assert_eq!(state.standing(), standing, "{name}");
    }
}

#[test]
fn two_bits_are_independent() {
    check(
        Terms::default(),
        vec![
            ("raised", vec![(1, SO), (2, SO)], vec![(1, RAISED), (1, TOLD)], Standing::Active),
            (
                "returned, not seen",
                vec![(1, SO), (2, NOT_SO)],
                vec![(1, RAISED), (1, TOLD), (2, CLEARED)],
                Standing::Returned,
            ),
            ("seen", vec![(1, SO), (2, acknowledge(1))], vec![(1, RAISED), (1, TOLD)], Standing::ActiveSeen),
            (
                "seen, then returned",
                vec![(1, SO), (2, acknowledge(1)), (3, NOT_SO)],
                vec![(1, RAISED), (1, TOLD), (3, CLEARED), (3, OVER)],
                Standing::Normal,
            ),
            (
                "returned, then seen",
                vec![(1, SO), (2, NOT_SO), (3, acknowledge(1))],
                vec![(1, RAISED), (1, TOLD), (2, CLEARED), (3, OVER)],
                Standing::Normal,
            ),
            (
                "what was seen was the one before",
                vec![(1, SO), (2, NOT_SO), (3, SO), (4, acknowledge(1))],
                vec![
                    (1, RAISED),
                    (1, TOLD),
                    (2, CLEARED),
                    (3, RAISED),
                    (3, TOLD),
                    (4, Effect::Refused(NotAcknowledged::RaisedAgain.into())),
                ],
                Standing::Active,
            ),
        ],
    );
    let (_, state) = told(&Terms::default(), &[(1, SO), (2, NOT_SO), (3, SO)]);
    assert_eq!((state.times, state.raised_ms), (2, Some(now(3).wall)));
}

#[test]
fn delays_count_listening_without_a_break() {
    let terms = Terms { on_delay_ms: 120_000, off_delay_ms: 60_000, ..Terms::default() };
    let raised = |s| vec![(s, RAISED), (s, TOLD)];
    check(
        terms,
        vec![
            ("at the end of the delay", vec![(0, SO), (119, SO), (120, TIME)], raised(120), Standing::Active),
            ("a break starts it anew", vec![(0, SO), (60, NOT_SO), (61, SO), (180, SO)], vec![], Standing::Normal),
            (
                "a lost link is no break and does not count",
                vec![(0, SO), (100, lost(100)), (5_000, TIME), (5_000, UNHEARD), (5_001, SO), (5_020, SO), (5_021, SO)],
                raised(5_021),
                Standing::Active,
            ),
            (
                "nor does what is not heard",
                vec![(0, SO), (60, UNHEARD), (500, TIME), (500, SO), (559, SO), (560, SO)],
                raised(560),
                Standing::Active,
            ),
            ("nonsense is no break", vec![(0, SO), (60, ERROR), (120, ERROR)], raised(120), Standing::Active),
            (
                "it clears after its own delay, and a moment of being so breaks that",
                vec![(0, SO), (120, SO), (130, NOT_SO), (150, SO), (160, NOT_SO), (219, TIME), (220, TIME)],
                [raised(120), vec![(220, CLEARED)]].concat(),
                Standing::Returned,
            ),
            (
                "and does not clear while nobody listens",
                vec![(0, SO), (120, SO), (130, NOT_SO), (140, lost(140)), (900, TIME)],
                raised(120),
                Standing::Active,
            ),
            (
                "or while nothing is heard",
                vec![(0, SO), (120, SO), (130, NOT_SO), (140, UNHEARD), (900, TIME)],
                raised(120),
                Standing::Active,
            ),
        ],
    );
}

#[test]
fn losing_our_link_changes_nothing_but_what_we_know() {
    let (effects, state) = told(&Terms::default(), &[(1, SO), (5, lost(4)), (6, lost(6)), (7, UNHEARD), (99, TIME)]);
    assert_eq!(effects, [(1, RAISED), (1, TOLD)]);
    assert_eq!((state.active, state.unknown_since), (true, Some(now(4).wall)), "since we first lost it");
    let (state, effects) = state.step(NOT_SO, &Terms::default(), now(100));
    assert_eq!((effects, state.unknown_since), (vec![CLEARED], None));
}

#[test]
fn what_cannot_be_judged_follows_its_policy() {
    use Policy::{Alert, KeepLast, Normal};
    for (no_data, story, active, reason) in [
        (Alert, vec![(1, NO_DATA)], false, Reason::Condition),
        (Alert, vec![(1, NO_DATA), (2, NO_DATA)], true, Reason::NoData),
        (Alert, vec![(1, NO_DATA), (2, NOT_SO), (3, NO_DATA)], false, Reason::Condition),
        (Alert, vec![(1, SO), (2, NO_DATA), (3, NO_DATA)], true, Reason::Condition),
        (Normal, vec![(1, SO), (2, NO_DATA)], true, Reason::Condition),
        (Normal, vec![(1, SO), (2, NO_DATA), (3, NO_DATA)], false, Reason::Condition),
        (KeepLast, vec![(1, SO), (2, NO_DATA), (3, NO_DATA), (4, NO_DATA)], true, Reason::Condition),
        (KeepLast, vec![(1, NO_DATA), (2, NO_DATA)], false, Reason::Condition),
        // A mistake of the rule is one at once.
        (KeepLast, vec![(1, ERROR)], true, Reason::Error),
    ] {
        let terms = Terms { no_data, error: Alert, ..Terms::default() };
        let (_, state) = told(&terms, &story);
        assert_eq!((state.active, state.reason), (active, reason), "{no_data:?} {story:?}");
    }
    let (_, state) = told(&Terms::default(), &[(1, NO_DATA), (2, NO_DATA)]);
    assert!(state.is_missing());
    assert_eq!(state.doubt, Some((Judged::NoData, 2, now(1).wall)));
    // Who has seen that there are no data has not seen that it burns.
    let terms = Terms { no_data: Alert, ..Terms::default() };
    let story = [(1, NO_DATA), (2, NO_DATA), (3, acknowledge(2)), (4, SO)];
    let (effects, state) = told(&terms, &story);
    assert_eq!(effects[2..], [(4, RAISED), (4, TOLD)]);
    assert_eq!((state.standing(), state.times, state.since_ms), (Standing::Active, 2, Some(now(2).wall)));
    // The reason is the one of the delay, also when time ends it.
    let slow = Terms { on_delay_ms: 10_000, ..terms };
    let (_, state) = told(&slow, &[(1, NO_DATA), (2, NO_DATA), (12, TIME)]);
    assert_eq!((state.active, state.reason), (true, Reason::NoData));
}

#[test]
fn what_is_active_for_want_of_data_has_no_deadband() {
    let terms = Terms { no_data: Policy::Alert, error: Policy::Alert, ..Terms::default() };
    for (story, want) in [
        (vec![], 0.0),
        (vec![(1, SO)], 10.0),
        (vec![(1, NO_DATA), (2, NO_DATA)], 0.0),
        (vec![(1, ERROR)], 0.0),
        (vec![(1, SO), (2, NO_DATA), (3, NO_DATA)], 10.0),
        (vec![(1, NO_DATA), (2, NO_DATA), (3, SO)], 10.0),
        (vec![(1, SO), (2, NOT_SO)], 0.0),
    ] {
        assert_eq!(told(&terms, &story).1.deadband(10.0), want, "{story:?}");
    }
}

#[test]
fn one_that_latches_stays_until_it_is_reset() {
    let refused = |s, why| (s, Effect::Refused(why));
    let raised = || vec![(1, RAISED), (1, TOLD)];
    check(
        Terms { latches: true, ..Terms::default() },
        vec![
            (
                "seen and returned is not enough",
                vec![(1, SO), (2, acknowledge(1)), (3, NOT_SO)],
                [raised(), vec![(3, CLEARED)]].concat(),
                Standing::Latched,
            ),
            (
                "reset",
                vec![(1, SO), (2, acknowledge(1)), (3, NOT_SO), (4, Input::Reset), (5, Input::Reset)],
                [raised(), vec![(3, CLEARED), (4, OVER), refused(5, Refused::NotLatched)]].concat(),
                Standing::Normal,
            ),
            (
                "not while it is so",
                vec![(1, SO), (2, Input::Reset)],
                [raised(), vec![refused(2, Refused::StillActive)]].concat(),
                Standing::Active,
            ),
            (
                "a reset is no acknowledgement",
                vec![(1, SO), (2, NOT_SO), (3, Input::Reset)],
                [raised(), vec![(2, CLEARED)]].concat(),
                Standing::Returned,
            ),
        ],
    );
}

#[test]
fn what_is_hidden_is_judged_and_not_told() {
    let by_hand = || (50, Effect::Unshelved { by_itself: false });
    check(
        Terms::default(),
        vec![
            ("raised on the shelf", vec![(1, shelve(100)), (2, SO)], vec![(2, RAISED)], Standing::Shelved),
            (
                "and told when its time is up",
                vec![(1, shelve(100)), (2, SO), (100, TIME)],
                vec![(2, RAISED), (100, Effect::Unshelved { by_itself: true }), (100, TOLD)],
                Standing::Active,
            ),
            (
                "or when a person takes it back",
                vec![(1, shelve(100)), (2, SO), (50, Input::Unshelve)],
                vec![(2, RAISED), by_hand(), (50, TOLD)],
                Standing::Active,
            ),
            (
                "what came and went meanwhile wants nothing",
                vec![(1, shelve(100)), (2, SO), (3, NOT_SO), (50, Input::Unshelve)],
                vec![(2, RAISED), (3, CLEARED), (3, OVER), by_hand()],
                Standing::Normal,
            ),
            (
                "what was told before still does",
                vec![(1, SO), (2, shelve(100)), (3, NOT_SO), (50, Input::Unshelve)],
                vec![(1, RAISED), (1, TOLD), (3, CLEARED), by_hand()],
                Standing::Returned,
            ),
            (
                "also when it came and went again meanwhile",
                vec![(1, SO), (2, shelve(100)), (3, NOT_SO), (4, SO), (5, NOT_SO), (50, Input::Unshelve)],
                vec![(1, RAISED), (1, TOLD), (3, CLEARED), (4, RAISED), (5, CLEARED), by_hand()],
                Standing::Returned,
            ),
            (
                "until somebody has seen it",
                vec![(1, SO), (2, shelve(100)), (3, NOT_SO), (4, SO), (5, NOT_SO), (6, acknowledge(4))],
                vec![(1, RAISED), (1, TOLD), (3, CLEARED), (4, RAISED), (5, CLEARED), (6, OVER)],
                Standing::Shelved,
            ),
            (
                "what is still so when its time is up is told again",
                vec![(1, SO), (2, shelve(100)), (100, TIME), (101, SO)],
                vec![(1, RAISED), (1, TOLD), (100, Effect::Unshelved { by_itself: true }), (100, AGAIN)],
                Standing::Active,
            ),
            (
                "or when a person takes it back, as soon as somebody knows",
                vec![(1, SO), (2, shelve(100)), (3, lost(3)), (50, Input::Unshelve), (60, SO), (61, SO)],
                vec![(1, RAISED), (1, TOLD), by_hand(), (60, AGAIN)],
                Standing::Active,
            ),
            (
                "unless somebody has seen it",
                vec![(1, SO), (2, shelve(100)), (3, acknowledge(1)), (50, Input::Unshelve), (60, SO)],
                vec![(1, RAISED), (1, TOLD), by_hand()],
                Standing::ActiveSeen,
            ),
            (
                "suppression weighs more than a shelf, out of service more than both",
                vec![
                    (1, shelve(100)),
                    (2, Input::Suppress(Some("gw-3".into()))),
                    (3, SO),
                    (4, Input::OutOfService(Some(seen(4, "replaced")))),
                    (50, Input::Unshelve),
                    (51, Input::Suppress(None)),
                ],
                vec![(3, RAISED), by_hand()],
                Standing::OutOfService,
            ),
            (
                "back in service it is told again, as from a shelf",
                vec![
                    (1, SO),
                    (2, Input::OutOfService(Some(seen(2, "replaced")))),
                    (3, Input::OutOfService(None)),
                    (4, Input::OutOfService(None)),
                ],
                vec![(1, RAISED), (1, TOLD), (3, AGAIN)],
                Standing::Active,
            ),
            (
                "and nothing is told of what nobody knows to be so still",
                vec![(1, shelve(100)), (2, SO), (50, lost(50)), (100, TIME), (200, TIME), (300, SO)],
                vec![(2, RAISED), (100, Effect::Unshelved { by_itself: true }), (300, TOLD)],
                Standing::Active,
            ),
        ],
    );
}

#[test]
fn shelving_has_an_end_and_a_reason() {
    let actor = || seen(0, "").by;
    let week_s = SHELVED_MAX_MS / 1_000;
    for (until_s, reason, right) in [
        (1_001, "painting", true),
        (1_000 + week_s, " painting ", true),
        (1_001 + week_s, "painting", false),
        (1_000, "painting", false),
        (500, "painting", false),
        (1_001, "  ", false),
    ] {
        let shelving = Shelving::new(now(until_s).wall, actor(), reason, now(1_000));
        assert_eq!(shelving.is_ok(), right, "until {until_s} because of {reason:?}");
    }
    let (effects, state) = told(&Terms::default(), &[(1_000, shelve(1_000)), (1_001, Input::Unshelve)]);
    assert_eq!(effects, [(1_000, Effect::Refused(Refused::Shelving)), (1_001, Effect::Refused(Refused::NotShelved))]);
    assert_eq!(state, State::default());
}

#[test]
fn a_clock_that_was_set_back_prolongs_nothing() {
    let at = now(100_000_000);
    let back = |s: i64| Now { wall: at.wall.plus(-s * 1_000), ..at };
    let by = Acknowledgement { at_ms: at.wall, ..seen(0, "it is being painted") };
    let shelving = Shelving { until_ms: at.wall.plus(3_600_000), by };
    let (shelved, _) = State::default().step(Input::Shelve(shelving), &Terms::default(), at);
    let terms = Terms { realarm_ms: Some(3_600_000), ..Terms::default() };
    let (told, _) = State::default().step(SO, &terms, at);
    // By a little as our clock is corrected, by three days, by a year.
    for (s, is_over) in [(0, false), (60, false), (61, true), (3 * 86_400, true), (365 * 86_400, true)] {
        let unshelved = if is_over { vec![Effect::Unshelved { by_itself: true }] } else { vec![] };
        let due_ms = if is_over { 0 } else { 3_600_000 + s as u64 * 1_000 };
        assert_eq!(shelved.due_in_ms(&Terms::default(), back(s)), Some(due_ms), "shelved, {s} s");
        assert_eq!(shelved.clone().step(TIME, &Terms::default(), back(s)).1, unshelved, "shelved, {s} s");
        let again = if is_over { vec![AGAIN] } else { vec![] };
        assert_eq!(told.due_in_ms(&terms, back(s)), Some(due_ms), "told, {s} s");
        assert_eq!(told.clone().step(TIME, &terms, back(s)).1, again, "told, {s} s");
    }
}

#[test]
fn one_that_stays_is_told_again_and_wants_to_be_seen_again() {
    let terms = Terms { realarm_ms: Some(600_000), ..Terms::default() };
    check(
        terms,
        vec![
            (
                "each time",
                vec![(0, SO), (599, TIME), (600, TIME), (601, SO), (1_200, TIME)],
                vec![(0, RAISED), (0, TOLD), (600, AGAIN), (1_200, AGAIN)],
                Standing::Active,
            ),
            (
                "also when it was seen",
                vec![(0, SO), (10, acknowledge(0)), (600, TIME)],
                vec![(0, RAISED), (0, TOLD), (600, AGAIN)],
                Standing::Active,
            ),
            (
                "not in the moment in which it is seen",
                vec![(0, SO), (600, acknowledge(0))],
                vec![(0, RAISED), (0, TOLD)],
                Standing::ActiveSeen,
            ),
            (
                "not on a shelf, not while nobody knows, and not when it has returned",
                vec![
                    (0, SO),
                    (10, shelve(700)),
                    (650, TIME),
                    (660, lost(660)),
                    (800, TIME),
                    (900, NOT_SO),
                    (9_000, TIME),
                ],
                vec![(0, RAISED), (0, TOLD), (800, Effect::Unshelved { by_itself: true }), (900, CLEARED)],
                Standing::Returned,
            ),
        ],
    );
    let always = Terms { realarm_ms: Some(0), ..Terms::default() };
    let (effects, _) = told(&always, &[(0, SO), (1, SO), (59, TIME), (60, TIME)]);
    assert_eq!(effects, [(0, RAISED), (0, TOLD), (60, AGAIN)], "at most once a minute");
    let (_, state) = told(&terms, &[(0, SO), (600, TIME)]);
    assert_eq!((state.since_ms, state.raised_ms, state.times), (Some(now(0).wall), Some(now(600).wall), 1));
}

#[test]
fn what_was_written_before_a_field_was_there_is_read() {
    assert_eq!(serde_json::from_str::<State>("{}").unwrap(), State::default());
    assert_eq!(serde_json::from_str::<Terms>("{}").unwrap(), Terms::default());
    let (_, state) = told(&Terms { no_data: Policy::Alert, ..Terms::default() }, &[(1, NO_DATA), (2, NO_DATA)]);
    let json = serde_json::to_value(&state).unwrap();
    assert_eq!((json["reason"].as_str(), json["doubt"][0].as_str()), (Some("no_data"), Some("no_data")));
}

#[test]
fn a_rule_that_is_gone_leaves_nothing_active_and_nothing_unseen() {
    let terms = Terms { latches: true, ..Terms::default() };
    let by_design = [(1, Input::Suppress(Some("mode maintenance".into()))), (2, SO), (3, Input::RuleGone)];
    let (effects, hidden) = told(&Terms::default(), &by_design);
    assert!(!hidden.is_hidden() && !hidden.is_open() && !effects.is_empty(), "nobody would ever end that either");
    let story = [(1, SO), (2, Input::RuleGone), (3, acknowledge(1))];
    assert_eq!(told(&terms, &story).0, [(1, RAISED), (1, TOLD), (2, CLEARED), (3, OVER)]);
}
