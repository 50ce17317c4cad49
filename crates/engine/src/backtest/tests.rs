#![expect(clippy::wildcard_enum_match_arm, reason = "of what is written the test looks at what a trial is made of")]

use fleetlens_model::alarm::detected::Detected;
use fleetlens_model::alarm::fence::{Area, Fence, Shape};
use fleetlens_model::alarm::state::{Policy, Terms};
use fleetlens_model::alarm::{Priority, Things};
use fleetlens_model::command::{Attempt, Phase, Withdrawal};
use fleetlens_model::expression::Expression;
use fleetlens_model::geo::LonLat;
use fleetlens_model::group::Group;
use fleetlens_model::id::CommandId;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::Kind;

use super::*;
use crate::fleet::tests::{at as second, config, down, give, meta, over, rule, says, so, up};

/// So long is what is lived through, in seconds.
const SPAN_S: u64 = 5 * 3600;

/// What was written of the city meanwhile, and what was raised of each rule.
#[derive(Default)]
struct Lived {
    past: Past,
    fired: Vec<(String, ThingKey, WallMs, Option<WallMs>)>,
}

impl Lived {
    fn take(&mut self, effects: Effects) {
        for write in effects.writes {
            match write {
                Write::Thing { thing, name, meta } => {
                    self.past.things.retain(|(key, ..)| *key != thing);
                    self.past.things.push((thing, name, *meta));
                }
                Write::Series { series, thing, pointer } => self.past.series.push((series, thing, pointer)),
                Write::Sample(sample) => self.past.samples.push(sample),
                Write::Alarm(alarm) => {
                    let of = |(rule, thing, _, to): &&mut (String, ThingKey, WallMs, Option<WallMs>)| {
                        *rule == alarm.rule && *thing == alarm.thing && to.is_none()
                    };
                    let open = self.fired.iter_mut().find(of);
                    match (open, alarm.state.active) {
                        (None, true) => {
                            self.fired.push((alarm.rule.clone(), alarm.thing, alarm.state.since_ms.unwrap(), None));
                        }
                        (Some(open), false) => open.3 = alarm.state.cleared_ms,
                        (Some(_), true) | (None, false) => {}
                    }
                }
                _ => {}
            }
        }
    }
}

/// Over 70 for two minutes is dangerous, three readings at or below lead back.
const MACHINE: &str = include_str!("../../../../tests/fixtures/detectors/pump.json");

/// A cache that holds nothing of before the span.
fn nothing(_: HistoryQuery) -> Vec<Bucket> {
    Vec::new()
}

/// With the group and the area that the rules name.
fn with(rules: Vec<Rule>, of: FleetConfig) -> FleetConfig {
    let shape = Shape::Circle { middle: LonLat { lon_deg: 14.5, lat_deg: 35.9 }, radius_m: 500.0 };
    let depot = Area { name: "depot".into(), fence: Fence::new(shape, 100.0).unwrap() };
    let crew = Group { name: "Crew".into(), things: vec!["b".into(), "c".into()], ..Group::default() };
    FleetConfig { rules, groups: vec![crew], areas: vec![depot], ..of }
}

fn rules() -> Vec<Rule> {
    let terms = |on_delay_s: u64, off_delay_s: u64| Terms {
        on_delay_ms: on_delay_s * 1000,
        off_delay_ms: off_delay_s * 1000,
        ..Terms::default()
    };
    let bin = Some(Kind::Bin);
    let machine = Detected::read(&MACHINE.replace("pressure_bar", "fill_pct"), &["Dangerous".to_owned()]).unwrap();
    let of_crew = Things { group: "Crew".into(), ..Things::default() };
    let unless = Some(Expression::read("tipped or inside('depot')").unwrap());
    vec![
        rule("silent", None, Condition::Silent, Priority::Warning),
        rule("full", bin, over("/fill_pct", 90.0, 15.0, 120_000), Priority::Critical),
        rule("at-once", bin, so("fill_pct > 95", 0.0, terms(0, 0)), Priority::Warning),
        rule("slow", bin, so("level >= 80 and temp_c > 20", 0.0, terms(90, 400)), Priority::Warning),
        rule("latched", bin, so("tipped", 0.0, Terms { latches: true, ..terms(30, 0) }), Priority::Warning),
        rule(
            "again",
            bin,
            so("fill_pct > 97", 0.0, Terms { realarm_ms: Some(600_000), ..terms(0, 0) }),
            Priority::Warning,
        ),
        rule(
            "doubted",
            bin,
            so("10 / (temp_c - 20) > 1", 0.0, Terms { error: Policy::Alert, ..terms(0, 0) }),
            Priority::Warning,
        ),
        rule("mean", bin, so("avg(fill_pct, 10m) >= 70", 5.0, terms(0, 0)), Priority::Warning),
        rule("rises", bin, so("rate(temp_c, 15m) > 8 / 1h", 0.0, terms(60, 0)), Priority::Warning),
        rule("away", bin, so("not inside('depot')", 0.0, terms(60, 0)), Priority::Warning),
        Rule { unless, ..rule("unless", bin, so("fill_pct > 85", 0.0, terms(0, 60)), Priority::Warning) },
        Rule {
            things: of_crew.clone(),
            ..rule("crew", None, so("fill_pct > 85", 0.0, terms(0, 0)), Priority::Warning)
        },
        Rule { things: of_crew, ..rule("crew-silent", None, Condition::Silent, Priority::Warning) },
        rule("machine", bin, Condition::Detected(Box::new(machine)), Priority::Critical),
        rule("quiet", bin, so("silent(12m) or missing(temp_c, 20m)", 0.0, terms(0, 0)), Priority::Warning),
    ]
}

/// A few bins for some hours, some of them behind a gateway, with holes; our link is lost once. What an engine made of it.
fn lived(seed: u64, rules: Vec<Rule>) -> (Lived, Range<WallMs>) {
    let mut chance = seed;
    let mut below = move |n: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % n
    };
    let config = FleetConfig { things_max: 10_000, ..config(Role::Operator) };
    let restored = Restored { installation: 0xabc, ..Restored::default() };
    let mut fleet = Fleet::new(with(rules, config), restored, second(0));
    let mut lived = Lived::default();
    lived.take(give(&mut fleet, up(), second(0)));
    lived.take(give(&mut fleet, meta("gateway", "gw", r#"{"interval_s":60}"#), second(0)));
    for (bin, behind) in [("a", "gw"), ("b", "gw"), ("c", "")] {
        let described = format!(r#"{{"interval_s":30,"gateway":"{behind}"}}"#);
        lived.take(give(&mut fleet, meta("bin", bin, &described), second(0)));
    }
    let lost = 9_000..10_800;
    let mut quiet_until = [0; 4];
    let (mut fill, mut temp) = ([60_i64; 3], [15_i64; 3]);
    for s in 1..SPAN_S {
        let now = second(s);
        if s == lost.start {
            lived.take(give(&mut fleet, down(), now));
        } else if s == lost.end {
            lived.take(give(&mut fleet, up(), now));
        }
        lived.take(give(&mut fleet, Input::Ticked, now));
        if lost.contains(&s) {
            continue;
        }
        for (n, thing) in ["a", "b", "c", "gw"].into_iter().enumerate() {
            if s < quiet_until[n] || s > 1 && !(s + n as u64 * 7).is_multiple_of(30) {
                continue;
            }
            if below(60) == 0 {
                quiet_until[n] = s + 60 + below(2_000);
            }
            let Some((fill, temp)) = fill.get_mut(n).zip(temp.get_mut(n)) else {
                lived.take(give(&mut fleet, says("gateway", "gw", s, r#"{"up":1}"#), now));
                continue;
            };
            *fill = (*fill + below(23) as i64 - 10).clamp(0, 100);
            *temp = (*temp + below(5) as i64 - 2).clamp(0, 40);
            let tipped = below(20) == 0;
            let place = format!(r#","lat":35.9,"lon":{}"#, 14.5 + *fill as f64 / 10_000.0);
            let also = if below(40) == 0 { String::new() } else { format!(r#","temp_c":{temp}"#) };
            let values = format!(r#"{{"fill_pct":{fill},"tipped":{tipped}{place}{also}}}"#);
            lived.take(give(&mut fleet, says("bin", thing, s, &values), now));
        }
    }
    (lived, second(0).wall..second(SPAN_S).wall)
}

#[test]
fn what_is_tried_on_the_past_is_what_was_raised_as_it_happened() {
    let mut many = 0;
    for seed in 1..5 {
        let (lived, span) = lived(seed, rules());
        for tried in rules() {
            let config = with(rules(), FleetConfig::default());
            let deaf = vec![second(9_000).wall..second(10_800).wall];
            let trial = Trial { config, rule: tried.id.clone(), span: span.clone(), deaf };
            let found = fired(&trial, lived.past.clone(), nothing, || true).unwrap();
            let found: Vec<_> = found.into_iter().map(|one| (one.thing, one.from_ms, one.to_ms)).collect();
            let of_rule = lived.fired.iter().filter(|(rule, ..)| *rule == tried.id);
            let mut raised: Vec<_> = of_rule.map(|(_, thing, from, to)| (*thing, *from, *to)).collect();
            raised.sort();
            many += raised.len();
            // A window is full a second later where its values were met a second later.
            let about = |found: &(ThingKey, WallMs, Option<WallMs>), raised: &(ThingKey, WallMs, Option<WallMs>)| {
                let near = |one: WallMs, other: WallMs| one.0.abs_diff(other.0) <= 3_000;
                let ends = match (found.2, raised.2) {
                    (Some(found), Some(raised)) => near(found, raised),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                found.0 == raised.0 && near(found.1, raised.1) && ends
            };
            let is_timed = ["mean", "rises", "quiet"].contains(&tried.id.as_str());
            let same = if is_timed {
                found.len() == raised.len() && found.iter().zip(&raised).all(|(found, raised)| about(found, raised))
            } else {
                found == raised
            };
            assert!(same, "seed {seed}, {}\nfound  {found:?}\nraised {raised:?}", tried.id);
        }
    }
    assert!(many > 200, "something has to happen: {many}");
}

/// Two bins for five weeks, a word each twenty minutes, sometimes twice as full as at this hour of other weeks; a link lost for a day.
fn lived_by_the_week(rules: Vec<Rule>) -> Lived {
    let mut chance = 7_u64;
    let mut below = move |n: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % n
    };
    let config = FleetConfig { things_max: 10_000, ..config(Role::Operator) };
    let mut fleet = Fleet::new(with(rules, config), Restored::default(), second(0));
    let mut lived = Lived::default();
    lived.take(give(&mut fleet, up(), second(0)));
    let (day_s, lost) = (86_400, 26 * 86_400..27 * 86_400);
    for s in (0..35 * day_s).step_by(1_200) {
        if s == lost.start {
            lived.take(give(&mut fleet, down(), second(s)));
        } else if s == lost.end {
            lived.take(give(&mut fleet, up(), second(s)));
        }
        if lost.contains(&s) {
            continue;
        }
        let hour = s % day_s / 3_600;
        for bin in ["a", "b"] {
            let usual = if (8..18).contains(&hour) { 40 } else { 10 };
            let fill = if below(40) == 0 { usual * 2 + 5 } else { usual };
            lived.take(give(&mut fleet, says("bin", bin, s, &format!(r#"{{"fill_pct":{fill}}}"#)), second(s)));
        }
        lived.take(give(&mut fleet, Input::Ticked, second(s + 1)));
    }
    lived
}

/// What a cache tells of the samples that were kept.
fn hours(kept: &[Sample], query: HistoryQuery) -> Vec<Bucket> {
    let mut hours: BTreeMap<i64, Bucket> = BTreeMap::new();
    let its = kept.iter().filter(|sample| sample.series == query.series && sample.seq <= query.up_to_seq);
    for sample in its.filter(|sample| (query.from_ms..query.to_ms).contains(&sample.device_ms)) {
        let width_ms = query.bucket_ms.cast_signed();
        let start_ms = WallMs(sample.device_ms.0.div_euclid(width_ms) * width_ms);
        let said = sample.value.as_number().unwrap();
        let new = Bucket { start_ms, min: said, max: said, sum: 0.0, last: said, count: 0 };
        let hour = hours.entry(start_ms.0).or_insert(new);
        *hour = Bucket {
            min: hour.min.min(said),
            max: hour.max.max(said),
            sum: hour.sum + said,
            last: said,
            count: hour.count + 1,
            ..*hour
        };
    }
    hours.into_values().collect()
}

#[test]
fn what_was_usual_is_learned_from_before_the_span_and_goes_on_being_learned_in_it() {
    let usual = |id: &str, text: &str| rule(id, Some(Kind::Bin), so(text, 0.0, Terms::default()), Priority::Warning);
    let rules = vec![usual("above", "above_usual(level) > 50"), usual("unusual", "unusual(fill_pct) >= 20")];
    let lived = lived_by_the_week(rules.clone());
    let day = |n: u64| second(n * 86_400).wall;
    for rule in &rules {
        let tried = |from: u64, history: &dyn Fn(HistoryQuery) -> Vec<Bucket>| {
            let deaf = vec![day(26)..day(27)];
            let config = with(rules.clone(), FleetConfig::default());
            let trial = Trial { config, rule: rule.id.clone(), span: day(from)..day(35), deaf };
            let found = fired(&trial, lived.past.clone(), history, || true).unwrap();
            found.into_iter().map(|one| (one.thing, one.from_ms, one.to_ms)).collect::<Vec<_>>()
        };
        let raised_from = |at: WallMs| {
            let of_rule = lived.fired.iter().filter(|(id, _, from, _)| *id == rule.id && *from >= at);
            let mut raised: Vec<_> = of_rule.map(|(_, thing, from, to)| (*thing, *from, *to)).collect();
            raised.sort();
            raised
        };
        let cache = |query| hours(&lived.past.samples, query);
        // From three weeks on it is the hour of the week.
        assert!(raised_from(day(23)).len() > 20, "{:?}", lived.fired);
        assert_eq!(tried(23, &cache), raised_from(day(23)), "{}", rule.id);
        // Nothing before: as an engine that began then, which knows hours of the day after a week.
        assert_eq!(tried(0, &nothing), raised_from(day(0)), "{}", rule.id);
        assert!(raised_from(day(0)).first().is_some_and(|(_, from, _)| *from >= day(7)));
        let late = tried(23, &nothing);
        assert!(late.iter().all(|(_, from, _)| *from >= day(30)) && !late.is_empty(), "{late:?}");
    }
}

/// A command for the first bin that came to this, so many seconds after the start.
fn command(id: u64, phase: Phase, steps: &[(Step, u64)]) -> Command {
    Command {
        id: CommandId(id),
        thing: ThingKey(2),
        shadow: String::new(),
        token: format!("t{id}"),
        wants: Vec::new(),
        by: Actor::default(),
        cancelled_by: None,
        expires_ms: second(0).wall,
        phase,
        steps: steps.iter().map(|(step, s)| (*step, second(*s).wall)).collect(),
        attempt: Attempt::Idle,
        deadline: None,
    }
}

#[test]
fn what_became_of_commands_is_told_once_more_and_an_old_failure_is_over() {
    let refused = || Phase::Rejected { code: 409, reason: "somebody else".into() };
    let expired = || Phase::Expired { withdrawal: Withdrawal::Done };
    let day_s = 86_400;
    let commands = vec![
        command(1, refused(), &[(Step::Asked, 50), (Step::Rejected, 100)]),
        command(3, Phase::Settled, &[(Step::Asked, 3_000), (Step::Settled, 5_000)]),
        // A second failure is news while the first stands; nobody listens when it comes.
        command(2, expired(), &[(Step::Asked, 150), (Step::Expired, 250)]),
        command(4, expired(), &[(Step::Asked, 6_000), (Step::Accepted, 6_001), (Step::Expired, 6_100)]),
        command(5, Phase::Sent, &[(Step::Asked, 6_200), (Step::Sent, 6_200)]),
        command(6, refused(), &[(Step::Rejected, 9 * day_s)]),
    ];
    let things = [(1, "gw"), (2, "a")]
        .map(|(key, name)| (ThingKey(key), ThingName::new(name).unwrap(), Meta { kind: Kind::Bin, ..Meta::default() }));
    let past = Past { things: things.into(), commands, ..Past::default() };
    let rules = vec![
        rule("failed", None, Condition::CommandFailed, Priority::Warning),
        rule("in-words", None, so("command_failed", 0.0, Terms::default()), Priority::Warning),
    ];
    for id in ["failed", "in-words"] {
        let config = FleetConfig { rules: rules.clone(), ..FleetConfig::default() };
        let (span, deaf) = (second(0).wall..second(3 * day_s).wall, vec![second(200).wall..second(300).wall]);
        let trial = Trial { config, rule: id.into(), span, deaf };
        let fired = fired(&trial, past.clone(), nothing, || true).unwrap();
        let s = |at: WallMs| at.since(second(0).wall) / 1_000;
        let times: Vec<_> = fired.iter().map(|one| (one.thing, s(one.from_ms), one.to_ms.map(s))).collect();
        let a = ThingKey(2);
        assert_eq!(times, [(a, 101, Some(5_001)), (a, 6_101, Some(6_100 + day_s))], "{id}");
        assert_eq!(fired.iter().map(|one| one.told).collect::<Vec<_>>(), if id == "failed" { [2, 1] } else { [1, 1] });
        if id == "failed" {
            assert_eq!(fired[1].sentence, "command accepted, never obeyed");
        }
    }
}

#[test]
fn each_rule_of_the_test_says_something() {
    let (lived, _) = lived(2, rules());
    for tried in rules() {
        assert!(lived.fired.iter().any(|(rule, ..)| *rule == tried.id), "{}", tried.id);
    }
}

#[test]
fn an_alarm_is_told_as_often_as_people_would_have_been_told() {
    let (lived, span) = lived(3, Vec::new());
    let again = |ms| Terms { realarm_ms: ms, ..Terms::default() };
    let told = |ms| {
        let rules = vec![rule("full", Some(Kind::Bin), so("fill_pct >= 0", 0.0, again(ms)), Priority::Warning)];
        let config = FleetConfig { rules, ..FleetConfig::default() };
        let trial = Trial { config, rule: "full".into(), span: span.clone(), deaf: Vec::new() };
        fired(&trial, lived.past.clone(), nothing, || true)
            .unwrap()
            .iter()
            .map(|one| (one.to_ms, one.told))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(None), [(None, 1); 3], "once for each bin, from its first word to the end");
    assert!(told(Some(3_600_000)).iter().all(|(_, told)| (5..=6).contains(told)), "{:?}", told(Some(3_600_000)));
}

#[test]
fn half_a_past_is_no_answer() {
    let (lived, span) = lived(2, Vec::new());
    let trial = Trial { config: with(rules(), FleetConfig::default()), rule: "silent".into(), span, deaf: Vec::new() };
    let asked = std::cell::Cell::new(0);
    let until = |n: u32| {
        asked.set(0);
        fired(&trial, lived.past.clone(), nothing, || asked.replace(asked.get() + 1) < n)
    };
    assert!(until(u32::MAX).is_some_and(|fired| !fired.is_empty()));
    let all = asked.get();
    for n in [0, all / 2, all - 1] {
        assert_eq!((until(n), asked.get()), (None, n + 1), "of {all}");
    }
}

#[test]
fn what_the_history_cannot_tell_is_said_and_not_answered_with_nothing() {
    for (condition, says) in [
        (Condition::NotConverged { after_ms: 1 }, Some("what was wanted")),
        (Condition::CommandFailed, None),
        (Condition::Told, Some("itself")),
        (Condition::Silent, None),
    ] {
        let rule = rule("x", None, condition, Priority::Warning);
        assert_eq!(cannot_answer(&rule).is_some(), says.is_some());
        assert!(cannot_answer(&rule).unwrap_or_default().contains(says.unwrap_or_default()));
    }
    for (text, is_answered) in [
        ("fill_pct > 3 and silent(5m)", true),
        ("fill_pct > 3 or not_converged(5m)", false),
        ("not command_failed", true),
        ("above_usual(fill_pct) > 30 or unusual(level) > 6", true),
        ("missing(fill_pct)", true),
    ] {
        let rule = rule("x", None, so(text, 0.0, Terms::default()), Priority::Warning);
        assert_eq!(cannot_answer(&rule).is_none(), is_answered, "{text}");
    }
}

#[test]
fn what_turns_by_time_is_looked_for_no_oftener_than_can_be_waited_for() {
    let days = |n: i64| WallMs(0)..WallMs(n * 86_400_000);
    assert_eq!([look_every_ms(&(WallMs(0)..WallMs(0))), look_every_ms(&days(1))], [1_000, 5_000]);
    assert_eq!([look_every_ms(&days(7)), look_every_ms(&days(400))], [31_000, 60_000]);
}
