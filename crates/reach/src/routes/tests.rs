//! What the routes do, one behaviour a test; `anything` holds that it is so whatever happens.

mod anything;

use fleetlens_model::time::MonoMs;

use super::*;
use crate::notice::tests::notice;
use crate::quiet::Stretch;

const MIN: u64 = 60_000;

fn route(name: &str) -> Route {
    Route { name: name.into(), from: Priority::Warning, after_ms: 0, cleared: true, quiet: None, at_once: None }
}

/// Quiet from 22:00 to 06:00 UTC on all days.
fn nights() -> Option<Quiet> {
    let days = jiff::civil::Weekday::Monday.cycle_forward().take(7).collect();
    Quiet::new("UTC", vec![Stretch { days, from_min: 22 * 60, to_min: 6 * 60 }])
}

/// Routes with a clock that both run on, and a journal.
struct Desk {
    routes: Routes,
    now: Now,
    journal: BTreeMap<u64, Record>,
    config: Vec<Route>,
}

impl Desk {
    /// At noon of a day.
    fn new(config: Vec<Route>) -> Desk {
        let now = Now { wall: WallMs(1_763_985_600_000), mono: MonoMs(0) };
        let (routes, _) = Routes::new(config.clone(), Patience::default(), Vec::new(), now);
        Desk { routes, now, journal: BTreeMap::new(), config }
    }

    fn give(&mut self, input: Input) -> Vec<Parcel> {
        let effects = self.routes.handle(input, self.now, 0.5);
        self.journal.extend(effects.put.into_iter().map(|record| (record.key, record)));
        effects.removed.iter().for_each(|key| _ = self.journal.remove(key));
        effects.parcels
    }

    fn told(&mut self, alarm: u64, event: Event, priority: Priority) -> Vec<Parcel> {
        let at_ms = self.now.wall.0;
        self.give(Input::Told(notice(alarm, event, priority, at_ms)))
    }

    fn after(&mut self, ms: u64) -> Vec<Parcel> {
        self.now = Now { wall: self.now.wall.plus(ms as i64), mono: self.now.mono.plus(ms) };
        self.give(Input::TimePassed)
    }

    fn answer(&mut self, parcel: &Parcel, outcome: Outcome) -> Vec<Parcel> {
        let Parcel { route, delivery, .. } = parcel.clone();
        self.give(Input::Answered { route, delivery, outcome })
    }

    /// Everything is taken; what was sent, and what that let go.
    fn taken(&mut self, parcels: Vec<Parcel>) -> Vec<Parcel> {
        let mut all = Vec::new();
        let mut open = VecDeque::from(parcels);
        while let Some(parcel) = open.pop_front() {
            open.extend(self.answer(&parcel, Outcome::Delivered));
            all.push(parcel);
        }
        all
    }

    /// The program ends and comes back after so long, with a monotonic clock of its own.
    fn restart(&mut self, away_ms: u64) -> Vec<Parcel> {
        self.now = Now { wall: self.now.wall.plus(away_ms as i64), mono: MonoMs(7) };
        let kept = self.journal.values().cloned().collect();
        let (routes, effects) = Routes::new(self.config.clone(), Patience::default(), kept, self.now);
        effects.removed.iter().for_each(|key| _ = self.journal.remove(key));
        self.routes = routes;
        self.give(Input::TimePassed)
    }
}

/// Parcels as `route: alarm event, …`.
fn shown(parcels: &[Parcel]) -> Vec<String> {
    let of = |notice: &Notice| format!("{} {}", notice.alarm.0, notice.event.label());
    let one =
        |parcel: &Parcel| format!("{}: {}", parcel.route, parcel.notices.iter().map(of).collect::<Vec<_>>().join(", "));
    parcels.iter().map(one).collect()
}

fn again() -> Outcome {
    Outcome::again("no")
}

#[test]
fn a_notice_goes_to_the_routes_that_are_for_its_priority() {
    let critical = Route { from: Priority::Critical, ..route("duty") };
    let mut desk = Desk::new(vec![route("office"), critical]);
    let sent = desk.told(1, Event::Raised, Priority::Warning);
    assert_eq!(shown(&desk.taken(sent)), ["office: 1 raised"]);
    let sent = desk.told(2, Event::Raised, Priority::Critical);
    assert_eq!(shown(&desk.taken(sent)), ["office: 2 raised", "duty: 2 raised"]);
    assert!(desk.journal.values().all(|record| matches!(record.kept, Kept::Watched(_))), "{:?}", desk.journal);
}

#[test]
fn the_same_event_told_twice_is_sent_once_also_after_a_restart() {
    let mut desk = Desk::new(vec![route("office")]);
    let sent = desk.told(1, Event::Raised, Priority::Warning);
    assert_eq!(desk.taken(sent).len(), 1);
    assert_eq!(desk.told(1, Event::Raised, Priority::Warning), []);
    desk.restart(0);
    assert_eq!(desk.told(1, Event::Raised, Priority::Warning), []);
    desk.now.wall = desk.now.wall.plus(1);
    assert_eq!(shown(&desk.told(1, Event::ToldAgain, Priority::Warning)), ["office: 1 told again"]);
}

#[test]
fn what_comes_while_something_is_on_its_way_is_sent_together_after_it() {
    let mut desk = Desk::new(vec![route("office")]);
    let first = desk.told(1, Event::Raised, Priority::Warning);
    assert_eq!(desk.told(2, Event::Raised, Priority::Warning), []);
    assert_eq!(desk.told(3, Event::Raised, Priority::Critical), []);
    assert_eq!(shown(&desk.answer(&first[0], Outcome::Delivered)), ["office: 2 raised, 3 raised"]);
    assert_eq!(desk.answer(&first[0], Outcome::Delivered), [], "an answer to what is over changes nothing");
}

#[test]
fn what_failed_is_tried_again_as_it_was_and_later_each_time() {
    let mut desk = Desk::new(vec![route("office")]);
    let first = desk.told(1, Event::Raised, Priority::Warning).remove(0);
    for wait_ms in [1_500, 3_000, 6_000] {
        assert_eq!(desk.answer(&first, again()), []);
        assert_eq!(desk.answer(&first, Outcome::Delivered), [], "it was answered already");
        desk.told(wait_ms, Event::Raised, Priority::Warning);
        assert_eq!(desk.routes.idle_ms(desk.now), Some(wait_ms));
        assert_eq!(desk.after(wait_ms - 1), []);
        let next = desk.after(1);
        assert_eq!(next, [Parcel { at: desk.now.wall, ..first.clone() }]);
    }
    assert_eq!(desk.routes.figures()[0].fault.as_deref(), Some("no"));
    let rest = desk.answer(&first, Outcome::Delivered);
    assert_eq!(shown(&rest), ["office: 1500 raised, 3000 raised, 6000 raised"]);
    assert_eq!(desk.routes.figures()[0].fault, None);
}

#[test]
fn what_the_other_side_asks_for_is_heeded() {
    let mut desk = Desk::new(vec![route("office")]);
    let first = desk.told(1, Event::Raised, Priority::Warning).remove(0);
    desk.answer(&first, Outcome::Again { why: "busy".into(), after_ms: Some(120_000) });
    assert_eq!(desk.routes.idle_ms(desk.now), Some(120_000));
}

#[test]
fn what_is_refused_or_tried_for_a_day_is_given_up_and_told_with_the_next() {
    let mut desk = Desk::new(vec![route("office")]);
    let first = desk.told(1, Event::Raised, Priority::Warning).remove(0);
    desk.told(2, Event::Raised, Priority::Warning);
    let mut second = desk.answer(&first, Outcome::Refused { why: "no such hook".into() }).remove(0);
    assert_eq!((shown(std::slice::from_ref(&second)), second.left_out), (vec!["office: 2 raised".to_owned()], 1));
    let began = desk.now.mono;
    let mut attempts = 1;
    loop {
        desk.answer(&second, again());
        let Some(idle_ms) = desk.routes.idle_ms(desk.now) else { break };
        second = desk.after(idle_ms).remove(0);
        attempts += 1;
    }
    assert!((10..=100).contains(&attempts), "{attempts} attempts");
    assert!(desk.now.mono.since(began) <= 24 * 60 * MIN, "{:?}", desk.now.mono);
    assert_eq!(desk.routes.figures()[0].given_up, 2);
    let third = desk.told(3, Event::Raised, Priority::Warning).remove(0);
    assert_eq!(third.left_out, 2);
    desk.answer(&third, Outcome::Delivered);
    assert_eq!(desk.told(4, Event::Raised, Priority::Warning)[0].left_out, 0);
}

#[test]
fn a_full_queue_leaves_out_the_oldest_of_the_lowest_priority() {
    let mut desk = Desk::new(vec![route("office")]);
    let first = desk.told(0, Event::Raised, Priority::Warning);
    for alarm in 1..line::QUEUE_MAX as u64 {
        desk.told(alarm, Event::Raised, if alarm % 2 == 0 { Priority::Warning } else { Priority::Critical });
    }
    for alarm in 2_000..2_010 {
        desk.told(alarm, Event::Raised, Priority::Critical);
    }
    assert_eq!(desk.routes.figures()[0].left_out, 10);
    let waiting = desk.journal.values().filter(|record| matches!(record.kept, Kept::Waiting(_)));
    assert_eq!(waiting.count(), line::QUEUE_MAX);
    let sent = desk.taken(first);
    let alarms: Vec<u64> = sent.iter().flat_map(|parcel| &parcel.notices).map(|notice| notice.alarm.0).collect();
    assert_eq!(alarms.len(), line::QUEUE_MAX);
    assert!((1..=10).all(|n| !alarms.contains(&(n * 2))) && alarms.contains(&22) && alarms.contains(&1));
    assert!(sent.iter().all(|parcel| parcel.notices.len() <= line::TOGETHER_MAX));
    assert_eq!(sent.iter().map(|parcel| parcel.left_out).collect::<Vec<_>>()[..3], [0, 10, 0]);
    let worst_first: Vec<Priority> = sent.iter().skip(1).map(|parcel| parcel.notices[0].priority).collect();
    assert!(worst_first.is_sorted_by(|a, b| a >= b), "{worst_first:?}");
}

#[test]
fn what_is_long_is_sent_in_several_parcels() {
    let mut desk = Desk::new(vec![route("office")]);
    let first = desk.told(0, Event::Raised, Priority::Warning);
    for alarm in 1..=60 {
        let long = Notice {
            cause: "x".repeat(5_000),
            sentence: "ż".repeat(1_000),
            ..notice(alarm, Event::Raised, Priority::Warning, 0)
        };
        desk.give(Input::Told(long));
    }
    let sent = desk.taken(first);
    assert_eq!(sent.iter().map(|parcel| parcel.notices.len()).collect::<Vec<_>>(), [1, 32, 28]);
}

#[test]
fn in_quiet_hours_only_what_may_is_sent_and_the_rest_together_at_their_end() {
    let at_once = Some(Priority::Critical);
    let mut desk = Desk::new(vec![Route { quiet: nights(), at_once, ..route("office") }]);
    desk.after(11 * 60 * MIN);
    assert_eq!(desk.told(1, Event::Raised, Priority::Warning), []);
    let sent = desk.told(2, Event::Raised, Priority::Critical);
    assert_eq!(shown(&desk.taken(sent)), ["office: 2 raised"]);
    desk.told(1, Event::Cleared, Priority::Warning);
    desk.told(3, Event::Raised, Priority::Warning);
    assert_eq!(desk.after(7 * 60 * MIN - 1), []);
    assert_eq!(shown(&desk.after(1)), ["office: 1 raised, 1 cleared, 3 raised"]);
}

#[test]
fn a_clock_that_is_set_back_into_the_quiet_hours_sends_nothing_again() {
    let mut desk = Desk::new(vec![Route { quiet: nights(), ..route("office") }]);
    desk.after(17 * 60 * MIN);
    desk.told(1, Event::Raised, Priority::Critical);
    let sent = desk.after(MIN * 60);
    assert_eq!(desk.taken(sent).len(), 1);
    desk.now.wall = desk.now.wall.plus(-2 * 60 * MIN as i64);
    for _ in 0..4 {
        assert_eq!(desk.after(MIN * 60), []);
    }
}

#[test]
fn what_nobody_acknowledges_goes_on_step_by_step() {
    let step = |name: &str, after_min: u64| Route { after_ms: after_min * MIN, ..route(name) };
    let mut desk = Desk::new(vec![route("office"), step("duty", 10), step("chief", 30)]);
    let sent = desk.told(1, Event::Raised, Priority::Critical);
    desk.taken(sent);
    assert_eq!(desk.routes.idle_ms(desk.now), Some(10 * MIN));
    assert_eq!(desk.after(10 * MIN - 1), []);
    let sent = desk.after(1);
    assert_eq!(shown(&desk.taken(sent)), ["duty: 1 not acknowledged"]);
    let sent = desk.after(20 * MIN);
    assert_eq!(shown(&desk.taken(sent)), ["chief: 1 not acknowledged"]);
    assert_eq!(desk.after(1_000 * MIN), []);
    let sent = desk.told(1, Event::Cleared, Priority::Critical);
    assert_eq!(shown(&desk.taken(sent)), ["office: 1 cleared", "duty: 1 cleared", "chief: 1 cleared"]);
    assert!(desk.journal.values().all(|record| matches!(record.kept, Kept::Ended(_))), "{:?}", desk.journal);
}

#[test]
fn what_was_told_of_alarms_that_are_over_is_remembered_within_bounds() {
    let mut desk = Desk::new(vec![route("office")]);
    for alarm in 0..ENDED_MAX as u64 + 5 {
        for event in [Event::Raised, Event::Cleared] {
            let sent = desk.told(alarm, event, Priority::Warning);
            desk.taken(sent);
        }
    }
    assert_eq!(desk.journal.len(), ENDED_MAX);
    desk.restart(0);
    for event in [Event::Raised, Event::Cleared] {
        let at_ms = desk.now.wall.0;
        assert_eq!(desk.give(Input::Told(notice(700, event, Priority::Warning, at_ms))), [], "{event:?}");
    }
}

#[test]
fn acknowledging_or_clearing_ends_the_escalation_until_it_is_told_again() {
    let step = Route { after_ms: 10 * MIN, ..route("duty") };
    let desk = || {
        let mut desk = Desk::new(vec![step.clone()]);
        desk.told(1, Event::Raised, Priority::Critical);
        desk.after(9 * MIN);
        desk
    };
    let mut acknowledged = desk();
    acknowledged.give(Input::Acknowledged(AlarmId(1)));
    assert_eq!(acknowledged.after(60 * MIN), []);
    assert_eq!(acknowledged.told(1, Event::ToldAgain, Priority::Critical), []);
    assert_eq!(acknowledged.after(9 * MIN), []);
    assert_eq!(shown(&acknowledged.after(MIN)), ["duty: 1 not acknowledged"]);

    let mut cleared = desk();
    assert_eq!(cleared.told(1, Event::Cleared, Priority::Critical), [], "duty was never told of it");
    assert_eq!(cleared.after(60 * MIN), []);

    let mut told_again = desk();
    told_again.told(1, Event::ToldAgain, Priority::Critical);
    assert_eq!(shown(&told_again.after(MIN)), ["duty: 1 not acknowledged"], "telling again does not put it off");
}

#[test]
fn an_escalation_that_quiet_hours_hold_is_called_off_by_an_acknowledgement() {
    let mut desk = Desk::new(vec![Route { after_ms: 10 * MIN, quiet: nights(), ..route("chief") }]);
    desk.after(11 * 60 * MIN);
    desk.told(1, Event::Raised, Priority::Critical);
    desk.told(2, Event::Raised, Priority::Critical);
    assert_eq!(desk.after(10 * MIN), []);
    desk.told(3, Event::Raised, Priority::Critical);
    assert_eq!(desk.after(10 * MIN), []);
    desk.give(Input::Acknowledged(AlarmId(1)));
    desk.told(1, Event::Cleared, Priority::Critical);
    desk.told(3, Event::Cleared, Priority::Critical);
    let sent = desk.after(7 * 60 * MIN);
    assert_eq!(shown(&desk.taken(sent)), ["chief: 2 not acknowledged"], "the chief never heard of the others");
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let step = Route { after_ms: 10 * MIN, ..route("duty") };
    let held = Route { quiet: nights(), ..route("held") };
    let mut desk = Desk::new(vec![route("office"), step, held]);
    desk.after(11 * 60 * MIN);
    let first = desk.told(1, Event::Raised, Priority::Critical).remove(0);
    desk.told(2, Event::Raised, Priority::Critical);
    desk.answer(&first, again());
    let sent = desk.restart(4 * MIN);
    assert_eq!(sent, [Parcel { at: desk.now.wall, ..first.clone() }], "what was tried is tried as it was");
    let sent = desk.taken(sent);
    assert_eq!(shown(&sent), ["office: 1 raised", "office: 2 raised"]);
    assert_eq!(desk.after(6 * MIN - 1), []);
    let sent = desk.after(1);
    assert_eq!(shown(&desk.taken(sent)), ["duty: 1 not acknowledged, 2 not acknowledged"], "the time away counts");
    assert_eq!(shown(&desk.restart(7 * 60 * MIN)), ["held: 1 raised, 2 raised"]);
}

#[test]
fn what_waits_for_a_route_that_is_no_more_is_let_go() {
    let mut desk = Desk::new(vec![route("office"), route("gone")]);
    desk.told(1, Event::Raised, Priority::Critical);
    desk.config.pop();
    let sent = desk.restart(0);
    assert_eq!(shown(&desk.taken(sent)), ["office: 1 raised"]);
    assert!(desk.journal.values().all(|record| matches!(record.kept, Kept::Watched(_))), "{:?}", desk.journal);
}

#[test]
fn alarms_that_are_watched_are_bounded_and_the_least_is_let_go() {
    let mut desk = Desk::new(vec![Route { after_ms: 10 * MIN, ..route("duty") }]);
    for alarm in 0..watch::WATCHED_MAX as u64 {
        desk.told(alarm, Event::Raised, if alarm == 0 { Priority::Warning } else { Priority::Critical });
    }
    desk.give(Input::Acknowledged(AlarmId(7)));
    desk.told(10_000, Event::Raised, Priority::Critical);
    desk.told(10_001, Event::Raised, Priority::Critical);
    assert_eq!(desk.routes.unwatched(), 2);
    let watched: Vec<u64> = desk
        .journal
        .values()
        .filter_map(|record| match &record.kept {
            Kept::Watched(watched) => Some(watched.notice.alarm.0),
            Kept::Waiting(_) | Kept::Ended(_) => None,
        })
        .collect();
    assert!(
        !watched.contains(&7) && !watched.contains(&0) && watched.contains(&1),
        "first acknowledged, then the least"
    );
}
