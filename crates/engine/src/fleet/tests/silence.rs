use super::*;

#[test]
fn losing_the_link_makes_everything_unknown_and_nothing_silent() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    give(&mut fleet, down(), at(20));
    for s in 21..2_000 {
        give(&mut fleet, Input::Ticked, at(s));
    }
    let thing = &fleet.things[&ThingKey(1)];
    assert_eq!(thing.silence.freshness(), Freshness::Unknown { since_ms: at(20).wall });
    assert_eq!(thing.alarmed, None);
    assert_eq!(
        fleet.source(&fleet.series[&SeriesKey(1)], &fleet.series[&SeriesKey(1)].latest().unwrap()),
        Source::Cached
    );
    give(&mut fleet, up(), at(2_000));
    give(&mut fleet, Input::Ticked, at(2_010));
    assert_eq!(fleet.things[&ThingKey(1)].alarmed, None, "it has its interval to speak");
    give(&mut fleet, Input::Ticked, at(2_100));
    assert_eq!(alarms(&fleet), [("lamp-1", "silent", true)]);
    give(&mut fleet, down(), at(2_101));
    give(&mut fleet, Input::Ticked, at(2_102));
    assert_eq!(alarms(&fleet), [("lamp-1", "silent", true)], "a lost link clears nothing");
}

#[test]
fn silence_is_written_down_and_survives_a_restart() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    let effects: Vec<Effects> = (2..300).map(|s| give(&mut fleet, Input::Ticked, at(s))).collect();
    let told =
        effects.iter().flat_map(|e| &e.writes).filter(|w| matches!(w, Write::Silent { silent: true, .. })).count();
    assert_eq!(told, 1);
    let effects = give(&mut fleet, lamp_says(301, 60.0), at(301));
    assert!(effects.writes.contains(&Write::Silent { thing: ThingKey(1), silent: false }));
}

/// A gateway that speaks every 30 s and lamps behind it that speak every 10 s, all heard at `s`.
fn carried(lamps: usize, s: u64) -> Fleet {
    let mut fleet = fleet_with(vec![
        rule("silent", None, Condition::Silent, Priority::Warning),
        rule("gateway-silent", Some(Kind::Gateway), Condition::Silent, Priority::Critical),
    ]);
    give(&mut fleet, up(), at(s));
    give(&mut fleet, meta("gateway", "gw", r#"{"interval_s":30}"#), at(s));
    give(&mut fleet, says("gateway", "gw", s, r#"{"heard":1}"#), at(s));
    for lamp in 1..=lamps {
        give(&mut fleet, meta("lamp", &format!("l{lamp}"), r#"{"interval_s":10,"gateway":"gw"}"#), at(s));
        give(&mut fleet, says("lamp", &format!("l{lamp}"), s, r#"{"on":true}"#), at(s));
    }
    fleet
}

fn gateway(s: u64) -> Input {
    says("gateway", "gw", s, r#"{"heard":1}"#)
}

fn lamp(name: &str, s: u64) -> Input {
    says("lamp", name, s, r#"{"on":true}"#)
}

#[test]
fn a_dead_gateway_is_one_alarm_and_not_one_for_each_thing_behind_it() {
    let mut fleet = carried(30, 0);
    let raised = raised_by_ticks(&mut fleet, 1..300);
    assert_eq!(raised, [("gw".to_string(), "gateway-silent".to_string())], "lamps fall silent before it and wait");
    let gw = &fleet.things[&fleet.by_name["gw"]];
    assert_eq!((gw.alarmed, fleet.mutes(gw)), (Some(Priority::Critical), 30));

    // It is back: what stands behind it has its usual time to speak.
    give(&mut fleet, gateway(300), at(300));
    assert_eq!(alarms(&fleet), [("gw", "gateway-silent", false)]);
    for (i, name) in ["l1", "l2", "l3"].iter().enumerate() {
        give(&mut fleet, lamp(name, 310 + i as u64), at(310 + i as u64));
    }
    let mut raised = Vec::new();
    for s in 313..400 {
        if s % 10 == 0 {
            give(&mut fleet, gateway(s), at(s));
            ["l1", "l2", "l3"].iter().for_each(|name| drop(give(&mut fleet, lamp(name, s), at(s))));
        }
        raised.extend(raised_by_ticks(&mut fleet, s..s + 1).into_iter().map(|(thing, _)| (s, thing)));
    }
    assert_eq!(raised.len(), 27, "those that stayed silent: {raised:?}");
    assert!(raised.iter().all(|(s, _)| *s == 360), "a minute after their gateway was back: {raised:?}");
    assert_eq!(fleet.mutes(&fleet.things[&fleet.by_name["gw"]]), 0, "a living gateway stands before nobody");
}

#[test]
fn a_thing_that_dies_behind_a_living_gateway_is_told_of_and_stays_so_when_the_gateway_dies_too() {
    let mut fleet = carried(2, 0);
    let mut raised = Vec::new();
    for s in 1..400 {
        if s % 10 == 0 && s <= 200 {
            give(&mut fleet, lamp("l2", s), at(s));
        }
        if s % 30 == 0 && s <= 200 {
            give(&mut fleet, gateway(s), at(s));
        }
        raised.extend(raised_by_ticks(&mut fleet, s..s + 1).into_iter().map(|(thing, _)| (s, thing)));
    }
    assert_eq!(raised, [(61, "l1".to_string()), (271, "gw".to_string())]);
    assert_eq!(alarms(&fleet), [("gw", "gateway-silent", true), ("l1", "silent", true)]);
}

#[test]
fn silence_during_our_own_absence_is_the_gateways_too() {
    let mut fleet = carried(5, 0);
    give(&mut fleet, down(), at(5));
    give(&mut fleet, up(), at(5_000));
    assert_eq!(raised_by_ticks(&mut fleet, 5_001..5_300), [("gw".to_string(), "gateway-silent".to_string())]);
}

#[test]
fn gateways_behind_each_other_are_told_of_by_the_first_and_a_circle_by_everybody() {
    for (behind, want) in [("", vec!["b"]), ("a", vec!["a", "b"]), ("b", vec!["b"]), ("nobody", vec!["b"])] {
        let mut fleet = fleet_with(vec![rule("silent", None, Condition::Silent, Priority::Warning)]);
        give(&mut fleet, up(), at(0));
        for (name, gateway) in [("a", "b"), ("b", behind)] {
            give(&mut fleet, meta("gateway", name, &format!(r#"{{"interval_s":30,"gateway":"{gateway}"}}"#)), at(0));
            give(&mut fleet, says("gateway", name, 0, r#"{"heard":1}"#), at(0));
        }
        let mut raised: Vec<String> = raised_by_ticks(&mut fleet, 1..300).into_iter().map(|(thing, _)| thing).collect();
        raised.sort();
        assert_eq!(raised, want, "b stands behind {behind:?}");
    }
}

#[test]
fn what_no_rule_speaks_of_is_not_told_and_explains_nothing() {
    let mut fleet = fleet_with(vec![rule("lamp-silent", Some(Kind::Lamp), Condition::Silent, Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("gateway", "gw", r#"{"interval_s":10}"#), at(0));
    give(&mut fleet, gateway(0), at(0));
    give(&mut fleet, meta("lamp", "l1", r#"{"interval_s":10,"gateway":"gw"}"#), at(0));
    give(&mut fleet, lamp("l1", 0), at(0));
    assert_eq!(raised_by_ticks(&mut fleet, 1..300), [("l1".to_string(), "lamp-silent".to_string())]);
}

#[test]
fn a_lost_link_under_five_thousand_alarms_raises_none_and_clears_none() {
    let mut fleet = fleet_with(vec![
        rule("silent", None, Condition::Silent, Priority::Warning),
        rule("hot", None, over("/temp_c", 60.0, 5.0, 30_000), Priority::Warning),
    ]);
    give(&mut fleet, up(), at(0));
    for i in 0..6_000 {
        give(&mut fleet, says("lamp", &format!("l{i}"), 0, r#"{"temp_c":20}"#), at(0));
    }
    raised_by_ticks(&mut fleet, 1..300);
    // A thousand speak again, half of them too hot, but not yet for long enough.
    for i in 0..1_000 {
        let temp = if i % 2 == 0 { 80 } else { 20 };
        give(&mut fleet, says("lamp", &format!("l{i}"), 300, &format!(r#"{{"temp_c":{temp}}}"#)), at(300));
    }
    let before = (alarms(&fleet).len(), fleet.alarms.counts());
    assert_eq!((before.1.active, before.1.open), (5_000, 6_000));
    give(&mut fleet, down(), at(310));
    assert!(raised_by_ticks(&mut fleet, 311..900).is_empty());
    give(&mut fleet, up(), at(900));
    let late = raised_by_ticks(&mut fleet, 901..920);
    assert_eq!((late, (alarms(&fleet).len(), fleet.alarms.counts())), (vec![], before));
    let unknown = |i: usize| fleet.unknown_since(&fleet.things[&fleet.by_name[format!("l{i}").as_str()]]);
    assert_eq!(unknown(0), Some(at(310).wall), "not heard since");
}
