//! Whatever happens, in whatever order: nothing is lost, nothing is sent twice, and what was acknowledged does not escalate.

use proptest::prelude::*;

use super::*;

/// Something that may happen.
#[derive(Clone, Debug)]
enum Step {
    Told {
        alarm: u64,
        event: Event,
        critical: bool,
    },
    /// The last event once more.
    Repeated,
    Acknowledged(u64),
    /// The oldest attempt is answered.
    Answered(Outcome),
    Passed {
        ms: u64,
    },
    /// The wall clock is set.
    Set {
        ms: i64,
    },
    Restart {
        away_ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let event = prop_oneof![3 => Just(Event::Raised), 1 => Just(Event::ToldAgain), 2 => Just(Event::Cleared)];
    let outcome = prop_oneof![
        6 => Just(Outcome::Delivered),
        3 => Just(again()),
        1 => Just(Outcome::Again { why: "busy".into(), after_ms: Some(90_000) }),
        1 => Just(Outcome::Refused { why: "no".into() }),
    ];
    prop_oneof![
        6 => (0..6u64, event, any::<bool>()).prop_map(|(alarm, event, critical)| Step::Told { alarm, event, critical }),
        1 => Just(Step::Repeated),
        2 => (0..6u64).prop_map(Step::Acknowledged),
        5 => outcome.prop_map(Step::Answered),
        4 => (0..20 * MIN).prop_map(|ms| Step::Passed { ms }),
        1 => (0..10 * 60 * MIN).prop_map(|ms| Step::Passed { ms }),
        1 => (-40_000_000..40_000_000i64).prop_map(|ms| Step::Set { ms }),
        1 => (0..60 * MIN).prop_map(|away_ms| Step::Restart { away_ms }),
    ]
}

fn config() -> Vec<Route> {
    let at_once = Some(Priority::Critical);
    vec![
        route("office"),
        Route { from: Priority::Critical, quiet: nights(), at_once, ..route("night") },
        Route { quiet: nights(), cleared: false, ..route("day") },
        Route { after_ms: 10 * MIN, ..route("duty") },
        Route { after_ms: 30 * MIN, from: Priority::Critical, quiet: nights(), ..route("chief") },
    ]
}

/// What was seen from outside.
#[derive(Default)]
struct Seen {
    /// Attempts that were not answered yet.
    open: VecDeque<Parcel>,
    /// Route and occurrence → the delivery that it went with.
    went: BTreeMap<(String, Occurrence), String>,
    over: BTreeSet<(String, Occurrence)>,
    /// Alarms that somebody has acknowledged and that were not told since.
    acknowledged: BTreeSet<AlarmId>,
}

impl Seen {
    fn sent(&mut self, parcels: Vec<Parcel>) -> Result<(), TestCaseError> {
        for parcel in parcels {
            prop_assert!(!parcel.notices.is_empty() && parcel.notices.len() <= line::TOGETHER_MAX);
            for notice in &parcel.notices {
                let key = (parcel.route.clone(), notice.occurrence());
                prop_assert!(!self.over.contains(&key), "{key:?} is sent once more after it was over");
                let is_first = !self.went.contains_key(&key);
                if is_first && notice.event == Event::Escalated {
                    prop_assert!(!self.acknowledged.contains(&notice.alarm), "{key:?} was acknowledged");
                }
                let known = self.went.entry(key.clone()).or_insert_with(|| parcel.delivery.clone());
                prop_assert_eq!(known, &parcel.delivery, "{:?} went with another one", key);
            }
            self.open.retain(|open| open.route != parcel.route);
            self.open.push_back(parcel);
        }
        Ok(())
    }

    fn answered(&mut self, parcel: &Parcel, outcome: &Outcome) {
        if matches!(outcome, Outcome::Delivered | Outcome::Refused { .. }) {
            let of = |notice: &Notice| (parcel.route.clone(), notice.occurrence());
            self.over.extend(parcel.notices.iter().map(of));
        }
    }
}

/// Which routes that are told at once an event is for.
fn expected(config: &[Route], notice: &Notice, raised: bool) -> Vec<(String, Occurrence)> {
    let is_for = |route: &&Route| {
        let cleared = notice.event != Event::Cleared || (route.cleared && raised);
        route.after_ms == 0 && route.from <= notice.priority && cleared
    };
    config.iter().filter(is_for).map(|route| (route.name.clone(), notice.occurrence())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_sent_twice_or_escalated_after_it_was_acknowledged(steps in prop::collection::vec(step(), 1..120)) {
        let config = config();
        let mut desk = Desk::new(config.clone());
        let mut seen = Seen::default();
        let mut want: BTreeSet<(String, Occurrence)> = BTreeSet::new();
        let mut last: Option<Notice> = None;
        // As the engine does: an alarm is raised at one priority, and only what was raised is cleared.
        let mut raised: BTreeMap<u64, Priority> = BTreeMap::new();
        let mut tick = 0;
        for step in steps {
            let sent = match step {
                Step::Told { alarm, event, critical } => {
                    let priority = if critical { Priority::Critical } else { Priority::Warning };
                    let event = if raised.contains_key(&alarm) { event } else { Event::Raised };
                    let priority = raised.get(&alarm).copied().unwrap_or(priority);
                    if event == Event::Cleared { raised.remove(&alarm) } else { raised.insert(alarm, priority) };
                    tick += 1;
                    let notice = notice(alarm, event, priority, tick);
                    want.extend(expected(&config, &notice, true));
                    seen.acknowledged.remove(&notice.alarm);
                    last = Some(notice.clone());
                    desk.give(Input::Told(notice))
                }
                Step::Repeated => match &last {
                    Some(notice) => {
                        let before = desk.journal.len();
                        let sent = desk.give(Input::Told(notice.clone()));
                        prop_assert_eq!(before, desk.journal.len(), "what was told already changes nothing");
                        sent
                    }
                    None => Vec::new(),
                },
                Step::Acknowledged(alarm) => {
                    let sent = desk.give(Input::Acknowledged(AlarmId(alarm)));
                    if raised.contains_key(&alarm) {
                        seen.acknowledged.insert(AlarmId(alarm));
                    }
                    sent
                }
                Step::Answered(outcome) => match seen.open.pop_front() {
                    Some(parcel) => {
                        seen.answered(&parcel, &outcome);
                        let given_up = desk.routes.figures();
                        let sent = desk.answer(&parcel, outcome);
                        // One that was tried too often is over as well.
                        let now = desk.routes.figures();
                        if given_up.iter().zip(&now).any(|(before, now)| before.given_up < now.given_up) {
                            seen.answered(&parcel, &Outcome::Refused { why: String::new() });
                        }
                        sent
                    }
                    None => Vec::new(),
                },
                Step::Passed { ms } => desk.after(ms),
                Step::Set { ms } => {
                    desk.now.wall = desk.now.wall.plus(ms);
                    desk.give(Input::TimePassed)
                }
                Step::Restart { away_ms } => {
                    seen.open.clear();
                    desk.restart(away_ms)
                }
            };
            seen.sent(sent)?;
        }
        // The other sides are well again, and a day passes.
        for _ in 0..300 {
            while let Some(parcel) = seen.open.pop_front() {
                seen.answered(&parcel, &Outcome::Delivered);
                let sent = desk.answer(&parcel, Outcome::Delivered);
                seen.sent(sent)?;
            }
            let sent = desk.after(5 * MIN);
            seen.sent(sent)?;
        }
        let lost: Vec<_> = want.difference(&seen.over).collect();
        prop_assert!(lost.is_empty(), "{lost:?}");
        let waits = desk.journal.values().any(|record| matches!(record.kept, Kept::Waiting(_)));
        prop_assert!(!waits, "{:?}", desk.journal);
    }

    #[test]
    fn while_it_is_idle_nothing_happens(steps in prop::collection::vec(step(), 1..40), share in 0.0..1.0f64) {
        let mut desk = Desk::new(config());
        for step in steps {
            match step {
                Step::Told { alarm, event, .. } => _ = desk.told(alarm, event, Priority::Critical),
                Step::Acknowledged(alarm) => _ = desk.give(Input::Acknowledged(AlarmId(alarm))),
                Step::Passed { ms } => _ = desk.after(ms),
                Step::Restart { away_ms } => _ = desk.restart(away_ms),
                Step::Repeated | Step::Answered(_) | Step::Set { .. } => {}
            }
            if let Some(idle_ms) = desk.routes.idle_ms(desk.now) {
                // Held back until the end of quiet hours is looked for every few seconds; all else is known to the millisecond.
                let before = idle_ms.saturating_sub(1).min(LOOK_MS - 1);
                let sent = desk.after((before as f64 * share) as u64);
                prop_assert!(sent.is_empty() || idle_ms == LOOK_MS, "{sent:?} within {idle_ms} ms");
            }
        }
    }
}
