//! What is told of alarms to people who are not before any window.

use fleetlens_ipc::AlarmStep;

use super::*;
use crate::port::{AlarmEvent, Happened};

/// A lamp that is too hot at 60 °C and warm at 40 °C; who is told only hears what is critical.
fn lamps(told_from: Option<Priority>) -> Fleet {
    let config = FleetConfig { rules: rules(), told_from, ..config(Role::Operator) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("lamp", "l1", r#"{"name":"Lamp 0007","lat":35.9,"lon":14.5}"#), at(0));
    fleet
}

fn rules() -> Vec<Rule> {
    let again = Terms { realarm_ms: Some(600_000), ..Terms::default() };
    vec![
        rule("hot", Some(Kind::Lamp), so("temp_c > 60", 0.0, again), Priority::Critical),
        rule("warm", Some(Kind::Lamp), over("/temp_c", 40.0, 0.0, 0), Priority::Warning),
    ]
}

fn says_temp(s: u64, temp_c: i32) -> Input {
    says("lamp", "l1", s, &format!(r#"{{"temp_c":{temp_c}}}"#))
}

fn steer(to: AlarmStep) -> Input {
    let intent = Intent::Alarms { alarms: vec![hot()], to };
    Input::Asked { window: WindowId(1), request: RequestId(9), intent }
}

fn acknowledged(fleet: &Fleet) -> Input {
    let alarms = vec![(hot(), fleet.alarms.get(hot()).unwrap().raised_ms())];
    let intent = Intent::Acknowledge { alarms, comment: String::new() };
    Input::Asked { window: WindowId(1), request: RequestId(9), intent }
}

fn hot() -> AlarmId {
    AlarmId(1)
}

/// In short: what happened, and when, in seconds; `None` for that somebody looks after it.
fn told(effects: &Effects) -> Vec<(AlarmId, Option<(AlarmEvent, i64)>)> {
    let happened = effects.outward.iter().filter_map(|o| if let Outward::Happened(it) = o { Some(it) } else { None });
    let short = |happened: &Happened| match happened {
        Happened::News(news) => (news.alarm, Some((news.event, (news.at_ms.0 - at(0).wall.0) / 1_000))),
        Happened::Settled(alarm) => (*alarm, None),
    };
    happened.map(short).collect()
}

#[test]
fn what_is_raised_is_told_with_everything_that_somebody_elsewhere_needs() {
    let mut fleet = lamps(Some(Priority::Critical));
    let effects = give(&mut fleet, says_temp(1, 70), at(1));
    assert_eq!(kept(&effects).len(), 2, "both alarms are written with it");
    let news = effects
        .outward
        .iter()
        .filter_map(|outward| if let Outward::Happened(Happened::News(news)) = outward { Some(news) } else { None });
    let [news] = &news.collect::<Vec<_>>()[..] else { panic!("{effects:?}") };
    assert_eq!(
        (news.fleet.as_str(), news.thing.as_str(), news.title.as_str(), news.rule.as_str(), news.name.as_str()),
        ("test", "l1", "Lamp 0007", "hot", "hot")
    );
    assert_eq!(
        (news.cause.as_str(), news.consequence.as_str(), news.what_to_do.as_str()),
        ("a cause", "a consequence", "go there")
    );
    assert_eq!((news.event, news.priority, news.at_ms), (AlarmEvent::Raised, Priority::Critical, at(1).wall));
    assert!(news.sentence.contains("70"), "{}", news.sentence);
    assert_eq!(news.place.map(|place| (place.lat_deg, place.lon_deg)), Some((35.9, 14.5)));
}

#[test]
fn an_alarm_is_told_through_its_life_and_a_hidden_one_is_not() {
    let shelve = || steer(AlarmStep::Shelved { for_ms: 60_000, reason: "being repaired".into() });
    let out = || steer(AlarmStep::OutOfService { reason: "being repaired".into() });
    let raised = |s| Some((AlarmEvent::Raised, s));
    let again = |s| Some((AlarmEvent::ToldAgain, s));
    let cleared = |s| Some((AlarmEvent::Cleared, s));
    for (name, inputs, want) in [
        ("raised and over", vec![(2, says_temp(2, 70)), (3, says_temp(3, 10))], vec![raised(2), cleared(3)]),
        ("still so after ten minutes", vec![(2, says_temp(2, 70)), (602, Input::Ticked)], vec![raised(2), again(602)]),
        ("shelved is settled", vec![(2, says_temp(2, 70)), (3, shelve())], vec![raised(2), None]),
        (
            "what happens on the shelf is not told, and what is still so afterwards is",
            vec![
                (2, says_temp(2, 70)),
                (3, shelve()),
                (4, says_temp(4, 10)),
                (5, says_temp(5, 80)),
                (63, Input::Ticked),
            ],
            vec![raised(2), None, cleared(4), raised(5)],
        ),
        (
            "a person takes it off the shelf",
            vec![(2, says_temp(2, 70)), (3, shelve()), (9, steer(AlarmStep::PutBack))],
            vec![raised(2), None, again(9)],
        ),
        (
            "out of service: raised and over and nobody hears of it",
            vec![
                (2, says_temp(2, 70)),
                (3, out()),
                (4, says_temp(4, 10)),
                (5, says_temp(5, 80)),
                (6, says_temp(6, 10)),
            ],
            vec![raised(2), None, cleared(4)],
        ),
    ] {
        let mut fleet = lamps(Some(Priority::Critical));
        let mut all = Vec::new();
        for (s, input) in inputs {
            all.extend(told(&give(&mut fleet, input, at(s))));
        }
        let want: Vec<_> = want.into_iter().map(|one| (hot(), one)).collect();
        assert_eq!(all, want, "{name}");
    }
}

#[test]
fn who_acknowledges_settles_it_and_nobody_hears_what_is_not_for_them() {
    let mut fleet = lamps(Some(Priority::Critical));
    give(&mut fleet, says_temp(1, 70), at(1));
    let seen = acknowledged(&fleet);
    assert_eq!(told(&give(&mut fleet, seen.clone(), at(2))), [(hot(), None)]);
    assert_eq!(told(&give(&mut fleet, seen, at(3))), [], "it is acknowledged already");
    let mut nobody = lamps(None);
    assert_eq!(told(&give(&mut nobody, says_temp(1, 70), at(1))), []);
    let mut everybody = lamps(Some(Priority::Warning));
    assert_eq!(told(&give(&mut everybody, says_temp(1, 70), at(1))).len(), 2);
}

#[test]
fn what_stands_is_told_at_the_start_as_it_was_told_when_it_began() {
    let mut before = lamps(Some(Priority::Critical));
    let first = told(&give(&mut before, says_temp(1, 70), at(1)));
    give(&mut before, Input::Ticked, at(601));
    let start = |fleet: &Fleet| {
        let restored = Restored {
            installation: 0xabc,
            things: fleet.things.values().map(|thing| (thing.key, thing.name.clone(), thing.meta.clone())).collect(),
            alarms: fleet.alarms.of(AlarmScope::Open).chain(fleet.alarms.of(AlarmScope::Hidden)).cloned().collect(),
            ..Restored::default()
        };
        let config = FleetConfig { told_from: Some(Priority::Critical), rules: rules(), ..config(Role::Operator) };
        let mut fleet = Fleet::new(config, restored, at(700));
        told(&give(&mut fleet, Input::Started, at(700)))
    };
    assert_eq!(start(&before), first, "so that who was told knows it by its time");
    let seen = acknowledged(&before);
    give(&mut before, seen, at(650));
    assert_eq!(start(&before), [(hot(), None)]);
    give(&mut before, steer(AlarmStep::OutOfService { reason: "x".into() }), at(651));
    assert_eq!(start(&before), []);
}
