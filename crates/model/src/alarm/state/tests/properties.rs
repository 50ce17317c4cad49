use proptest::prelude::*;

use super::*;

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        6 => Just(SO),
        6 => Just(NOT_SO),
        2 => Just(NO_DATA),
        1 => Just(ERROR),
        1 => Just(UNHEARD),
        4 => Just(TIME),
        2 => Just(lost(0)),
        // What stood on the screen is put in where it is known.
        4 => Just(acknowledge(0)),
        1 => Just(Input::Reset),
        1 => (1u64..3_000).prop_map(shelve),
        1 => Just(Input::Unshelve),
        1 => prop::option::of(Just("gw-3".to_owned())).prop_map(Input::Suppress),
        1 => prop::option::of(Just(seen(0, "replaced"))).prop_map(Input::OutOfService),
        1 => Just(Input::RuleGone),
        1 => Just(Input::HappenedAgain),
    ]
}

/// An acknowledgement of what stands on the screen; others as they are.
fn of_screen(mut input: Input, state: &State) -> Input {
    if let Input::Acknowledge { raised_ms, .. } = &mut input {
        *raised_ms = state.raised_ms.unwrap_or(WallMs(0));
    }
    input
}

fn policies() -> impl Strategy<Value = Policy> {
    prop_oneof![Just(Policy::Alert), Just(Policy::Normal), Just(Policy::KeepLast)]
}

/// By how many seconds our wall clock is set, forward or back, which the monotonic one knows nothing of.
fn jumps() -> impl Strategy<Value = i64> {
    prop_oneof![12 => Just(0i64), 1 => -1_000..1_000i64, 1 => -1_000_000..1_000_000i64]
}

fn set(now: Now, by_s: i64) -> Now {
    Now { wall: now.wall.plus(by_s * 1_000), ..now }
}

prop_compose! {
    fn terms()(
        on in prop_oneof![Just(0u64), 1..200u64],
        off in prop_oneof![Just(0u64), 1..200u64],
        latches: bool,
        realarm in prop::option::of(100..900u64),
        no_data in policies(),
        error in policies(),
    ) -> Terms {
        let realarm_ms = realarm.map(|s| s * 1_000);
        Terms { on_delay_ms: on * 1_000, off_delay_ms: off * 1_000, latches, realarm_ms, no_data, error }
    }
}

/// What an alarm must be, worked out from everything that was heard and nothing that a person did.
#[derive(Default)]
struct Must {
    active: bool,
    /// What the last word said that said anything, and for how many milliseconds of listening.
    lean: Option<(bool, u64)>,
    listens: bool,
    at: MonoMs,
    no_data: u32,
}

impl Must {
    fn hear(&mut self, input: &Input, terms: &Terms, at: MonoMs) {
        if let Some((_, lasted_ms)) = self.lean.as_mut().filter(|_| self.listens) {
            *lasted_ms += at.since(self.at);
        }
        self.at = at;
        let of = |policy| match policy {
            Policy::Alert => Some(true),
            Policy::Normal => Some(false),
            Policy::KeepLast => None,
        };
        let so = match input {
            Input::Judged(Judged::So) => Some(true),
            Input::Judged(Judged::NotSo) => Some(false),
            Input::Judged(Judged::NoData) if self.no_data == 0 => None,
            Input::Judged(Judged::NoData) => of(terms.no_data),
            Input::Judged(Judged::Error) => of(terms.error),
            Input::RuleGone => {
                (self.active, self.lean, self.no_data) = (false, None, 0);
                return;
            }
            Input::HappenedAgain => {
                (self.active, self.lean, self.no_data, self.listens) = (true, Some((true, 0)), 0, true);
                return;
            }
            Input::LinkLost(_) | Input::Judged(Judged::Unheard) => {
                self.listens = false;
                return;
            }
            Input::TimePassed => {
                self.turn(terms);
                return;
            }
            Input::Acknowledge { .. }
            | Input::Reset
            | Input::Shelve(_)
            | Input::Unshelve
            | Input::Suppress(_)
            | Input::OutOfService(_) => return,
        };
        self.no_data = if matches!(input, Input::Judged(Judged::NoData)) { self.no_data + 1 } else { 0 };
        self.listens = true;
        if let Some(so) = so.filter(|so| self.lean.is_none_or(|(before, _)| before != *so)) {
            self.lean = Some((so, 0));
        }
        self.turn(terms);
    }

    fn turn(&mut self, terms: &Terms) {
        if let Some((so, lasted_ms)) = self.lean.filter(|_| self.listens) {
            let delay_ms = if so { terms.on_delay_ms } else { terms.off_delay_ms };
            if lasted_ms >= delay_ms {
                self.active = so;
            }
        }
    }
}

proptest! {
    /// No sequence of inputs loses an active alarm, or clears one without its condition clearing: it is active exactly as what was
    /// heard says, whatever people did, and every change of it is told by an effect.
    #[test]
    fn an_alarm_is_active_as_its_condition_says_and_nothing_else(
        terms in terms(),
        story in prop::collection::vec((0u64..120, jumps(), inputs()), 1..60),
    ) {
        let (mut state, mut must, mut s, mut by_s) = (State::default(), Must::default(), 0, 0);
        let mut owed = false;
        for (after, jump, input) in story {
            (s, by_s) = (s + after, by_s + jump);
            let input = of_screen(input, &state);
            must.hear(&input, &terms, now(s).mono);
            let before = state.clone();
            let (next, effects) = state.step(input.clone(), &terms, set(now(s), by_s));
            if let Input::Judged(judged) = input && before.is_as(judged, &terms) {
                prop_assert!(effects.is_empty() && next.stands_like(&before), "{before:?} is not as {judged:?}: {effects:?}");
            }
            state = next;
            let has = |effect: &Effect| effects.contains(effect);
            prop_assert_eq!(state.active, must.active, "after {:?} at {}: {:?}", input, s, &before);
            prop_assert_eq!(has(&CLEARED), before.active && !state.active, "cleared without a word");
            prop_assert!(before.active || !state.active || has(&RAISED), "raised without a word");
            // Told of at once when it can be, never otherwise, and never of what nobody knows.
            let is_told = has(&TOLD) || has(&AGAIN);
            // What people were told of is open until one of them has acknowledged it.
            let is_seen = matches!(input, Input::Acknowledge { .. })
                && !effects.iter().any(|effect| matches!(effect, Effect::Refused(_)));
            owed = (owed && !is_seen) || is_told;
            prop_assert!(!owed || state.is_open(), "nobody has acknowledged it");
            prop_assert!(!has(&OVER) || !(owed || state.active || state.latched), "over too early");
            prop_assert!(!has(&RAISED) || state.acknowledged.is_none(), "what was seen was something else");
            let can_be = !state.is_hidden() && state.unknown_since.is_none();
            prop_assert!(!is_told || can_be, "told of what is hidden or unknown");
            let lacks = state.active && state.acknowledged.is_none() && state.told_ms.is_none();
            prop_assert!(!lacks || !can_be, "nobody was told");
            let is_back = effects.iter().any(|effect| matches!(effect, Effect::Unshelved { .. }));
            let is_open = state.active && state.acknowledged.is_none();
            prop_assert!(!(is_back && is_open && can_be) || is_told, "nobody was told that it is back");
            prop_assert!(!matches!(input, Input::LinkLost(_)) || effects.is_empty(), "a lost link tells nothing");
            prop_assert!(!matches!(input, Input::LinkLost(_)) || state.unknown_since.is_some());
            let is_news = has(&RAISED) || has(&AGAIN);
            prop_assert_eq!(is_news, state.raised_ms > before.raised_ms, "a moment names one state of it");
            prop_assert!(is_news || state.raised_ms == before.raised_ms, "a moment names one state of it");
        }
    }

    /// A restart is a lost link: what was written down goes on exactly like what was not.
    #[test]
    fn a_state_that_was_written_down_goes_on_exactly(
        terms in terms(),
        before in prop::collection::vec((0u64..120, jumps(), inputs()), 1..30),
        after in prop::collection::vec((0u64..120, jumps(), inputs()), 1..30),
    ) {
        let (mut state, mut s, mut by_s) = (State::default(), 0, 0);
        for (after, jump, input) in before {
            (s, by_s) = (s + after, by_s + jump);
            let input = of_screen(input, &state);
            (state, _) = state.step(input, &terms, set(now(s), by_s));
        }
        let written = serde_json::to_string(&state).unwrap();
        let (mut kept, _) = state.step(lost(s), &terms, set(now(s), by_s));
        let read: State = serde_json::from_str(&written).unwrap();
        // The monotonic clock of another process.
        let restarted = |s: u64| Now { mono: MonoMs(7 + s * 1_000), ..now(s) };
        let (mut again, _) = read.step(lost(s), &terms, set(restarted(s), by_s));
        for (after, jump, input) in after {
            (s, by_s) = (s + after, by_s + jump);
            let input = of_screen(input, &kept);
            let (one, one_effects) = kept.step(input.clone(), &terms, set(now(s), by_s));
            let (other, other_effects) = again.step(input, &terms, set(restarted(s), by_s));
            prop_assert_eq!(one_effects, other_effects);
            prop_assert_eq!(one.standing(), other.standing());
            prop_assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&other).unwrap());
            (kept, again) = (one, other);
        }
    }

    /// Time changes nothing before it is due, so nobody has to look.
    #[test]
    fn nothing_turns_before_it_is_due(
        terms in terms(),
        story in prop::collection::vec((0u64..120, jumps(), inputs()), 1..30),
    ) {
        let (mut state, mut s, mut by_s) = (State::default(), 0, 0);
        for (after, jump, input) in story {
            (s, by_s) = (s + after, by_s + jump);
            let now = set(now(s), by_s);
            let input = of_screen(input, &state);
            (state, _) = state.step(input, &terms, now);
            let due_ms = state.due_in_ms(&terms, now);
            let early = due_ms.map_or(100_000_000, |due_ms| due_ms.saturating_sub(1));
            let later = |ms: u64| Now { wall: now.wall.plus(ms as i64), mono: now.mono.plus(ms) };
            let (_, effects) = state.clone().step(TIME, &terms, later(early));
            prop_assert!(due_ms == Some(0) || effects.is_empty(), "{:?} before {:?}", effects, due_ms);
            if let Some(due_ms) = due_ms {
                let (turned, effects) = state.clone().step(TIME, &terms, later(due_ms));
                prop_assert!(!effects.is_empty() && turned != state, "nothing was due after {} ms", due_ms);
            }
        }
    }
}
