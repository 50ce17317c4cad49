use super::*;

/// Bins that are nearly full at 90 % for two minutes, with a deadband of 10.
fn bins() -> Fleet {
    let mut fleet =
        fleet_with(vec![rule("bin-full", Some(Kind::Bin), over("/fill_pct", 90.0, 10.0, 120_000), Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("bin", "b1", r#"{"name":"Bin 0012","interval_s":60}"#), at(0));
    fleet
}

fn fill(ts_s: u64, fill_pct: &str) -> Input {
    says("bin", "b1", ts_s, &format!(r#"{{"fill_pct":{fill_pct}}}"#))
}

#[test]
fn a_limit_raises_after_its_delay_and_clears_beyond_its_deadband() {
    let mut fleet = bins();
    give(&mut fleet, fill(10, "96"), at(10));
    assert!(raised_by_ticks(&mut fleet, 11..130).is_empty());
    let effects = give(&mut fleet, Input::Ticked, at(130));
    let [alarm] = kept(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(alarm.id, AlarmId(1));
    assert_eq!(
        (alarm.name.as_str(), alarm.sentence.as_str(), alarm.what_to_do.as_str(), alarm.raised_ms()),
        ("bin full", "fill 96 %, 90 % or more for 2 min", "go there", at(130).wall)
    );
    assert_eq!(fleet.things[&ThingKey(1)].alarmed, Some(Priority::Warning));
    for (s, value) in [(140, "85"), (150, "\"broken\""), (160, "99")] {
        assert!(kept(&give(&mut fleet, fill(s, value), at(s))).is_empty(), "{value} changes nothing");
    }
    let effects = give(&mut fleet, fill(170, "80"), at(170));
    let [alarm] = kept(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((alarm.is_active(), alarm.state.cleared_ms), (false, Some(at(170).wall)));
    assert_eq!(alarms(&fleet), [("b1", "bin-full", false)], "nobody has seen it: it stays open");

    // Once more while it is open: the same alarm. Seen and over: the next is a new one.
    give(&mut fleet, fill(180, "91"), at(180));
    assert_eq!(raised_by_ticks(&mut fleet, 181..302).len(), 1);
    let alarm = fleet.alarms.get(AlarmId(1)).unwrap().clone();
    assert_eq!(
        (alarm.is_active(), alarm.state.times, alarm.raised_ms(), alarm.state.cleared_ms),
        (true, 2, at(300).wall, None)
    );
    fleet.acknowledge(&[(alarm.id, alarm.raised_ms())], "", at(310), &mut Effects::default()).unwrap();
    give(&mut fleet, fill(320, "2"), at(320));
    assert_eq!((alarms(&fleet), fleet.alarms.of(AlarmScope::Ended).count()), (vec![], 1));
    give(&mut fleet, fill(330, "95"), at(330));
    raised_by_ticks(&mut fleet, 331..451);
    assert_eq!(
        fleet.alarms.of(AlarmScope::Open).map(|alarm| (alarm.id, alarm.state.times)).collect::<Vec<_>>(),
        [(AlarmId(2), 1)]
    );
}

#[test]
fn a_delay_is_broken_only_by_a_newer_value_that_is_right() {
    // When what is said (dated), and when it is raised.
    for (name, said, want) in [
        ("said once", vec![(10, 10, "95")], Some(130)),
        ("said again", vec![(10, 10, "95"), (70, 70, "97"), (125, 125, "94")], Some(130)),
        ("an older value comes late", vec![(10, 10, "95"), (60, 5, "20")], Some(130)),
        ("the same message once more", vec![(10, 10, "95"), (60, 10, "95")], Some(130)),
        ("no number", vec![(10, 10, "95"), (60, 60, "\"?\"")], Some(130)),
        ("emptied meanwhile", vec![(10, 10, "95"), (60, 60, "2")], None),
        ("below the limit for a moment", vec![(10, 10, "95"), (60, 60, "89"), (61, 61, "95")], Some(181)),
    ] {
        let mut fleet = bins();
        let mut raised = None;
        for s in 1..200 {
            let mut effects = Effects::default();
            for (_, ts, value) in said.iter().filter(|(when, _, _)| *when == s) {
                fleet.handle(fill(*ts, value), at(s), &mut effects);
            }
            fleet.handle(Input::Ticked, at(s), &mut effects);
            raised = raised.or_else(|| kept(&effects).first().map(|_| s));
        }
        assert_eq!(raised, want, "{name}");
    }
}

#[test]
fn a_thing_that_falls_silent_has_not_been_wrong_without_a_break() {
    let mut fleet = fleet_with(vec![rule("hot", None, over("/temp_c", 60.0, 0.0, 300_000), Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    give(&mut fleet, says("lamp", "l1", 0, r#"{"temp_c":70}"#), at(0));
    assert!(raised_by_ticks(&mut fleet, 1..1_000).is_empty());
    give(&mut fleet, says("lamp", "l1", 1_000, r#"{"temp_c":70}"#), at(1_000));
    assert!(raised_by_ticks(&mut fleet, 1_001..1_170).is_empty(), "it begins anew");
}

#[test]
fn a_delay_stands_still_while_our_link_is_down_and_goes_on_with_the_things_next_word() {
    let mut fleet = bins();
    give(&mut fleet, fill(10, "96"), at(10));
    give(&mut fleet, down(), at(100));
    assert!(raised_by_ticks(&mut fleet, 101..2_000).is_empty());
    give(&mut fleet, up(), at(2_000));
    assert!(raised_by_ticks(&mut fleet, 2_001..2_060).is_empty(), "what nobody has said since is not news");
    give(&mut fleet, fill(2_060, "97"), at(2_060));
    assert!(raised_by_ticks(&mut fleet, 2_061..2_090).is_empty());
    assert_eq!(raised_by_ticks(&mut fleet, 2_090..2_091).len(), 1, "90 s of 120 had passed");
}

#[test]
fn after_a_restart_alarms_are_as_they_were_and_a_delay_begins_anew() {
    let mut fleet = bins();
    give(&mut fleet, fill(10, "96"), at(10));
    raised_by_ticks(&mut fleet, 11..140);
    let samples =
        |fleet: &Fleet| fleet.series.iter().filter_map(|(key, series)| series.sample(key)).collect::<Vec<_>>();
    let restored = |fleet: &Fleet, alarms: Vec<Alarm>| Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        series: vec![(SeriesKey(1), ThingKey(1), "/fill_pct".into())],
        latest: samples(fleet),
        link_seen_ms: Some(at(150).wall),
        last_alarm: alarms.len() as u64,
        alarms,
        ..Restored::default()
    };
    let config = || FleetConfig { rules: vec![fleet.config.rules[0].clone()], ..config(Role::Operator) };

    let alarm = fleet.alarms.get(AlarmId(1)).unwrap().clone();
    let mut again = Fleet::new(config(), restored(&fleet, vec![alarm.clone()]), at(9_000));
    let mut unknown = alarm.clone();
    unknown.state.unknown_since = Some(at(150).wall);
    assert_eq!(again.alarms.of(AlarmScope::Open).collect::<Vec<_>>(), [&unknown]);
    assert_eq!(again.things[&ThingKey(1)].alarmed, Some(Priority::Warning), "on the map at once");
    assert_eq!(again.unknown_since(&again.things[&ThingKey(1)]), Some(at(150).wall));
    let effects = give(&mut again, up(), at(9_001));
    assert!(kept(&effects).is_empty());
    assert!(raised_by_ticks(&mut again, 9_002..9_030).is_empty());
    give(&mut again, fill(9_030, "5"), at(9_030));
    assert_eq!(alarms(&again), [("b1", "bin-full", false)], "until the bin says otherwise");
    give(&mut again, fill(9_040, "95"), at(9_040));
    raised_by_ticks(&mut again, 9_041..9_161);
    assert_eq!(again.alarms.get(AlarmId(1)).unwrap().state.times, 2);

    // Not raised before: what the cache knows raises nothing, and its time begins when it is said again.
    let mut anew = Fleet::new(config(), restored(&fleet, vec![]), at(9_000));
    give(&mut anew, up(), at(9_001));
    give(&mut anew, says("bin", "b1", 9_005, r#"{"battery_pct":50}"#), at(9_005));
    assert!(raised_by_ticks(&mut anew, 9_006..9_150).is_empty(), "it spoke, but not of that");
    give(&mut anew, fill(10, "96"), at(9_150));
    assert!(raised_by_ticks(&mut anew, 9_151..9_200).is_empty());
    give(&mut anew, fill(9_200, "96"), at(9_200));
    assert_eq!(raised_by_ticks(&mut anew, 9_201..9_271).len(), 1, "two minutes after it was said again");
}

#[test]
fn a_rule_that_is_gone_leaves_no_alarm_behind_for_ever() {
    let mut fleet = bins();
    give(&mut fleet, fill(10, "96"), at(10));
    raised_by_ticks(&mut fleet, 11..140);
    let alarm = fleet.alarms.get(AlarmId(1)).unwrap().clone();
    let restored = Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        alarms: vec![alarm],
        last_alarm: 1,
        ..Restored::default()
    };
    let mut again = Fleet::new(config(Role::Operator), restored, at(500));
    assert_eq!(alarms(&again), [("b1", "gone", true)]);
    give(&mut again, up(), at(501));
    assert_eq!(alarms(&again), [("b1", "gone", false)], "it waits to be seen");
}

#[test]
fn a_thing_that_turns_out_to_be_something_else_keeps_no_alarm_of_what_it_is_not() {
    let mut fleet = bins();
    give(&mut fleet, fill(10, "96"), at(10));
    raised_by_ticks(&mut fleet, 11..140);
    give(&mut fleet, meta("lamp", "b1", r#"{"name":"Lamp after all"}"#), at(150));
    assert_eq!(alarms(&fleet), [("b1", "bin-full", false)]);
}

#[test]
fn how_full_a_car_park_is_and_what_a_charger_says_raise_too() {
    let mut fleet = fleet_with(vec![
        rule("full", Some(Kind::Parking), so("level >= 98", 3.0, Terms::default()), Priority::Warning),
        rule("low", None, so("battery_pct <= 15", 5.0, Terms::default()), Priority::Warning),
        rule("fault", Some(Kind::Charger), so("state = \"fault\"", 0.0, Terms::default()), Priority::Warning),
    ]);
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("parking", "p1", r#"{"capacity":200}"#), at(0));
    for (kind, thing, said, sentence) in [
        ("parking", "p1", r#"{"free":5}"#, None),
        ("parking", "p1", r#"{"free":4}"#, Some("98 % full, 98 % or more")),
        ("parking", "p1", r#"{"free":9}"#, None),
        ("vehicle", "v1", r#"{"battery_pct":15}"#, Some("battery 15 %, 15 % or less")),
        ("charger", "c1", r#"{"state":"charging"}"#, None),
        ("charger", "c1", r#"{"state":"fault"}"#, Some("state fault")),
    ] {
        let effects = give(&mut fleet, says(kind, thing, 1, said), at(1));
        let said_of_it = kept(&effects).first().map(|alarm| alarm.sentence.clone());
        assert_eq!(said_of_it.as_deref(), sentence, "{thing} {said}");
    }
    give(&mut fleet, says("parking", "p1", 2, r#"{"free":10}"#), at(2));
    give(&mut fleet, says("charger", "c1", 2, r#"{"state":"available"}"#), at(2));
    assert_eq!(alarms(&fleet), [("c1", "fault", false), ("p1", "full", false), ("v1", "low", true)]);
}

/// What is raised and cleared, and when, while one lamp says these values at these seconds and a tick comes each second until `end`.
fn told(judging: Judging, said: &[(u64, &str)], end: u64) -> Vec<(u64, bool, String)> {
    let mut fleet = fleet_with(vec![rule("it", None, judging, Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("lamp", "l1", r#"{"interval_s":60}"#), at(0));
    let mut told = Vec::new();
    for s in 1..=end {
        let mut effects = Effects::default();
        for (ts, values) in said.iter().filter(|(ts, _)| *ts == s) {
            fleet.handle(says("lamp", "l1", *ts, values), at(s), &mut effects);
        }
        fleet.handle(Input::Ticked, at(s), &mut effects);
        told.extend(kept(&effects).into_iter().map(|alarm| (s, alarm.is_active(), alarm.sentence.clone())));
    }
    told
}

#[test]
fn conditions_are_judged_over_windows_with_time_and_with_what_else_is_known() {
    let terms = Terms::default();
    let each_20_s = |value: &str| (1..=12u64).map(|n| (n * 20, value.to_owned())).collect::<Vec<_>>();
    let strong = each_20_s(r#"{"power_w":90}"#);
    let strong: Vec<(u64, &str)> = strong.iter().map(|(s, values)| (*s, values.as_str())).collect();
    for (name, judging, said, end, want) in [
        (
            "an average over two minutes",
            so("avg(power_w, 2m) >= 80", 0.0, terms),
            strong.clone(),
            200,
            vec![(130, true, "average of power over 2 min 90.0 W, 80 W or more")],
        ),
        (
            "both of two values, and one of them is over",
            so("power_w > 50 and temp_c > 60", 0.0, terms),
            vec![(5, r#"{"power_w":60}"#), (6, r#"{"temp_c":61}"#), (9, r#"{"power_w":40}"#)],
            20,
            vec![
                (6, true, "power 60.0 W, more than 50 W and lamp temp. 61.0 °C, more than 60 °C"),
                (9, false, "power 60.0 W, more than 50 W and lamp temp. 61.0 °C, more than 60 °C"),
            ],
        ),
        (
            "outside a range",
            so("volt not in 210..250", 0.0, terms),
            vec![(5, r#"{"volt":230}"#), (6, r#"{"volt":251}"#)],
            20,
            vec![(6, true, "volt 251, not within 210 to 250")],
        ),
        (
            "it never says a value, twice",
            so("temp_c > 60", 0.0, Terms { no_data: Policy::Alert, ..terms }),
            vec![(5, r#"{"power_w":60}"#), (6, r#"{"power_w":60}"#)],
            20,
            vec![(6, true, "no data of temp_c")],
        ),
        (
            "it ceased to say a value, for half a minute, though it speaks",
            so("missing(temp_c, 30s)", 0.0, terms),
            vec![(5, r#"{"temp_c":60}"#), (30, r#"{"power_w":60}"#)],
            40,
            vec![(35, true, "says no lamp temp.")],
        ),
        (
            "without a word for ten seconds, while it drew much",
            so("silent(10s) and power_w > 50", 0.0, terms),
            vec![(5, r#"{"power_w":60}"#)],
            30,
            vec![(15, true, "no word for 10 s and power 60.0 W, more than 50 W")],
        ),
        (
            "back for as long as it must be",
            so("power_w > 50", 0.0, Terms { off_delay_ms: 10_000, ..terms }),
            vec![
                (5, r#"{"power_w":60}"#),
                (6, r#"{"power_w":40}"#),
                (10, r#"{"power_w":60}"#),
                (12, r#"{"power_w":40}"#),
            ],
            30,
            vec![(5, true, "power 60.0 W, more than 50 W"), (22, false, "power 60.0 W, more than 50 W")],
        ),
    ] {
        let told = told(judging, &said, end);
        let told: Vec<(u64, bool, &str)> =
            told.iter().map(|(s, active, words)| (*s, *active, words.as_str())).collect();
        assert_eq!(told, want, "{name}");
    }
}

#[test]
fn a_long_silence_outlives_a_cut_of_our_own_link_and_is_told_after_a_restart() {
    let config = || FleetConfig {
        rules: vec![rule("long", None, so("silent(3m)", 0.0, Terms::default()), Priority::Warning)],
        ..config(Role::Operator)
    };
    let mut fleet = Fleet::new(config(), Restored::default(), at(0));
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("lamp", "l1", r#"{"interval_s":10}"#), at(0));
    give(&mut fleet, says("lamp", "l1", 1, r#"{"power_w":9}"#), at(1));
    assert!(raised_by_ticks(&mut fleet, 2..181).is_empty());
    assert_eq!(raised_by_ticks(&mut fleet, 181..190).len(), 1);
    give(&mut fleet, down(), at(200));
    give(&mut fleet, up(), at(205));
    assert!(raised_by_ticks(&mut fleet, 206..800).is_empty(), "it is neither over nor news");
    assert_eq!(alarms(&fleet), [("l1", "long", true)]);
    give(&mut fleet, says("lamp", "l1", 801, r#"{"power_w":9}"#), at(801));
    assert_eq!(alarms(&fleet), [("l1", "long", false)]);

    let restored = Restored {
        things: fleet.things.values().map(|t| (t.key, t.name.clone(), t.meta.clone())).collect(),
        series: vec![(SeriesKey(1), ThingKey(1), "/power_w".into())],
        latest: fleet.series.iter().filter_map(|(key, series)| series.sample(key)).collect(),
        silent: vec![ThingKey(1)],
        link_seen_ms: Some(at(900).wall),
        ..Restored::default()
    };
    let mut again = Fleet::new(config(), restored, at(9_000));
    give(&mut again, up(), at(9_000));
    assert_eq!(raised_by_ticks(&mut again, 9_001..9_200).len(), 1, "nobody has said a word since");
}
