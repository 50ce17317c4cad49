use super::*;
use crate::profile::{Profile, ProfileError};

const HEAD: &str = "name = \"a\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n";

/// One alarm of everything, from line 4.
const FULL: &str = r#"[[alarm]]
id = "bin-full"
name = "nearly full"
kind = "bin"
when = "/fill_pct >= 90"
for = "2 min"
deadband = 10
priority = "critical"
cause = "nobody came"
consequence = "it runs over"
what_to_do = "put it on the next round"
"#;

fn rules_of(alarms: &str) -> Vec<Rule> {
    Profile::parse(&format!("{HEAD}{alarms}"), "x.toml").unwrap().rules
}

fn so(text: &str, deadband: f64) -> Condition {
    Condition::When(Box::new(When { expression: Expression::read(text).unwrap(), deadband }))
}

#[test]
fn a_rule_is_read_as_it_is_written() {
    assert_eq!(
        rules_of(FULL),
        [Rule {
            id: "bin-full".into(),
            name: "nearly full".into(),
            kind: Some(Kind::Bin),
            condition: so("/fill_pct >= 90", 10.0),
            terms: Terms { on_delay_ms: 120_000, ..Terms::default() },
            priority: Priority::Critical,
            time_available_ms: None,
            cause: "nobody came".into(),
            consequence: "it runs over".into(),
            what_to_do: "put it on the next round".into(),
        }]
    );
    let plain = Terms::default();
    let minutes_2 = Terms { on_delay_ms: 120_000, ..plain };
    for (when, more, condition, terms) in [
        ("/battery_pct <= 15.5", "", so("/battery_pct <= 15.5", 0.0), plain),
        ("level >= 90", "kind = \"bin\"\nfor = \"2min\"\ndeadband = 10.0", so("level >= 90", 10.0), minutes_2),
        ("/state = fault", "", so("/state = 'fault'", 0.0), plain),
        ("/state = out of order", "", so("/state = 'out of order'", 0.0), plain),
        ("/fw = v1.2", "", so("/fw = 'v1.2'", 0.0), plain),
        ("/code = E:12 (it's open)", "", so("/code = \"E:12 (it's open)\"", 0.0), plain),
        ("state = 'fault'", "", so("state = 'fault'", 0.0), plain),
        ("/state = true", "for = \"2min\"", so("/state = true", 0.0), minutes_2),
        ("avg(fill_pct, 5m) >= 80 and not silent", "", so("avg(fill_pct, 5m) >= 80 and not silent", 0.0), plain),
        (
            "temp_c > 60",
            "clear_for = \"1 min\"\nlatch = true\ntell_again = \"1h\"\nno_data = \"alert\"\nerror = \"normal\"",
            so("temp_c > 60", 0.0),
            Terms {
                on_delay_ms: 0,
                off_delay_ms: 60_000,
                latches: true,
                realarm_ms: Some(3_600_000),
                no_data: Policy::Alert,
                error: Policy::Normal,
            },
        ),
        ("silent", "latch = true", Condition::Silent, Terms { latches: true, ..plain }),
        ("command failed", "", Condition::CommandFailed, plain),
        ("not converged", "", Condition::NotConverged { after_ms: 300_000 }, plain),
        ("not converged", "for = \"30s\"", Condition::NotConverged { after_ms: 30_000 }, plain),
    ] {
        let when = when.replace('"', "\\\"");
        let rules = rules_of(&format!("[[alarm]]\nid = \"an-id\"\nwhen = \"{when}\"\nwhat_to_do = \"go\"\n{more}"));
        let [rule] = &rules[..] else { panic!("{rules:?}") };
        assert_eq!((&rule.condition, rule.terms), (&condition, terms), "{when}");
        assert_eq!((rule.name.as_str(), rule.priority), ("an id", Priority::Warning));
    }
    let timed = rules_of(&FULL.replace("priority", "time_available = \"4 h\"\npriority"));
    assert_eq!(timed.first().unwrap().time_available_ms, Some(4 * 3_600_000));
}

#[test]
fn a_profile_without_alarms_has_the_usual_ones_and_one_that_wants_none_has_none() {
    assert_eq!(rules_of(""), Rule::usual());
    assert_eq!(Profile::parse(&format!("alarm = []\n{HEAD}"), "x.toml").unwrap().rules, []);
}

#[test]
fn every_mistake_in_a_rule_is_told_with_its_line() {
    for (given, instead, line, want) in [
        ("id = \"bin-full\"", "id = \"Bin full\"", 5, "1 to 64 of a–z"),
        ("id = \"bin-full\"", "", 4, "missing field `id`"),
        ("name = \"nearly full\"", "name = \"\"", 6, "1 to 60"),
        ("kind = \"bin\"", "kind = \"bins\"", 7, "one of parking, lamp, bin"),
        ("/fill_pct >= 90", "/fill_pct >> 90", 8, "column 12"),
        ("/fill_pct >= 90", "/fill_pct = 'x'", 10, "one limit of a number"),
        ("/fill_pct >= 90", "", 8, "column 1"),
        ("/fill_pct >= 90", "rate(fill_pct, 1h) > 5", 8, "cannot be compared"),
        ("/fill_pct >= 90", "above_usual(fill_pct) > 50", 8, "not learned here yet"),
        ("/fill_pct >= 90", "inside('harbour')", 8, "cannot be described here yet"),
        ("kind = \"bin\"\nwhen = \"/fill_pct", "kind = \"lamp\"\nwhen = \"level", 8, "only car parks and bins"),
        ("for = \"2 min\"", "for = \"2 minuets\"", 9, "write \"30s\", \"2 min\""),
        ("for = \"2 min\"", "for = 120", 9, "expected a string"),
        ("for = \"2 min\"", "for = \"8 days\"", 9, "at most 7 days"),
        ("/fill_pct >= 90", "silent", 9, "three of the intervals"),
        ("\"/fill_pct >= 90\"\nfor = \"2 min\"", "\"command failed\"", 9, "only a condition about values has deadband"),
        ("/fill_pct >= 90", "/fill_pct >= 90 and level > 3", 10, "one limit of a number"),
        ("deadband = 10", "tell_again = \"30s\"", 10, "a minute at the soonest"),
        ("deadband = 10", "no_data = \"never\"", 10, "unknown variant `never`"),
        ("deadband = 10", "deadband = -1", 10, "0 or more"),
        ("priority = \"critical\"", "priority = \"urgent\"", 11, "unknown variant `urgent`"),
        ("cause = \"nobody came\"", "cause = \"a\\nb\"", 12, "one line"),
        ("what_to_do = \"put it on the next round\"", "what_to_do = \" \"", 14, "1 to 300"),
        ("what_to_do = \"put it on the next round\"", "", 4, "missing field `what_to_do`"),
        ("priority", "prio", 11, "unknown field `prio`"),
    ] {
        let text = format!("{HEAD}{}", FULL.replacen(given, instead, 1));
        let error = Profile::parse(&text, "city.toml").unwrap_err();
        let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{instead}: {error}") };
        assert!(why.contains(want), "{instead}: {error}");
        assert_eq!(at, line, "{instead}: {error}");
    }
    let twice = Profile::parse(&format!("{HEAD}{FULL}{FULL}"), "city.toml").unwrap_err();
    assert!(twice.to_string().starts_with("city.toml, line 16: there is an alarm with the id \"bin-full\""), "{twice}");
    let many: String = (0..201).map(|i| FULL.replace("bin-full", &format!("bin-{i}"))).collect();
    let many = Profile::parse(&format!("{HEAD}{many}"), "city.toml").unwrap_err();
    assert!(many.to_string().contains("201 alarms; at most 200"), "{many}");
}
