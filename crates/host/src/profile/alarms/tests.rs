use fleetlens_model::alarm::{Equals, Side};

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

#[test]
fn a_rule_is_read_as_it_is_written() {
    let fill = Threshold {
        measure: Measure::Value("/fill_pct".into()),
        side: Side::Above,
        limit: 90.0,
        deadband: 10.0,
        on_delay_ms: 120_000,
    };
    assert_eq!(
        rules_of(FULL),
        [Rule {
            id: "bin-full".into(),
            name: "nearly full".into(),
            kind: Some(Kind::Bin),
            condition: Condition::Threshold(fill.clone()),
            priority: Priority::Critical,
            cause: "nobody came".into(),
            consequence: "it runs over".into(),
            what_to_do: "put it on the next round".into(),
        }]
    );
    let value = |value| Equals { pointer: "/state".into(), value, on_delay_ms: 0 };
    for (when, more, want) in [
        (
            "/battery_pct <= 15.5",
            "",
            Condition::Threshold(Threshold {
                measure: Measure::Value("/battery_pct".into()),
                side: Side::Below,
                limit: 15.5,
                deadband: 0.0,
                on_delay_ms: 0,
            }),
        ),
        (
            "level >= 90",
            "kind = \"bin\"\nfor = \"2min\"\ndeadband = 10.0",
            Condition::Threshold(Threshold { measure: Measure::Level, ..fill }),
        ),
        ("/state = fault", "", Condition::Equals(value(Value::Text("fault".into())))),
        ("/state = out of order", "", Condition::Equals(value(Value::Text("out of order".into())))),
        (
            "/state = true",
            "for = \"1h\"",
            Condition::Equals(Equals { on_delay_ms: 3_600_000, ..value(Value::Flag(true)) }),
        ),
        ("silent", "", Condition::Silent),
        ("command failed", "", Condition::CommandFailed),
        ("not converged", "", Condition::NotConverged { after_ms: 300_000 }),
        ("not converged", "for = \"30s\"", Condition::NotConverged { after_ms: 30_000 }),
    ] {
        let rules = rules_of(&format!("[[alarm]]\nid = \"an-id\"\nwhen = \"{when}\"\nwhat_to_do = \"go\"\n{more}"));
        let [rule] = &rules[..] else { panic!("{rules:?}") };
        assert_eq!(rule.condition, want, "{when}");
        assert_eq!((rule.name.as_str(), rule.priority), ("an id", Priority::Warning));
    }
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
        ("/fill_pct >= 90", "fill_pct >= 90", 8, "write \"/fill_pct\""),
        ("/fill_pct >= 90", "/fill_pct > 90", 8, "\">\" compares nothing; write \"/value >= 90\""),
        ("/fill_pct >= 90", "/fill_pct >= ninety", 8, "\"ninety\" is no number"),
        ("/fill_pct >= 90", "/fill_pct >= nan", 8, "is no number"),
        ("/fill_pct >= 90", "/fill_pct = 90", 8, "write >= 90 or <= 90"),
        ("/fill_pct >= 90", "", 8, "is no condition"),
        ("/fill_pct >= 90", "sometimes", 8, "\"silent\""),
        ("kind = \"bin\"\nwhen = \"/fill_pct", "kind = \"lamp\"\nwhen = \"level", 8, "only car parks and bins"),
        ("for = \"2 min\"", "for = \"2 minuets\"", 9, "write \"30s\", \"2 min\""),
        ("for = \"2 min\"", "for = 120", 9, "expected a string"),
        ("for = \"2 min\"", "for = \"8 days\"", 9, "at most 7 days"),
        ("/fill_pct >= 90", "silent", 9, "three of the intervals"),
        ("\"/fill_pct >= 90\"\nfor = \"2 min\"", "\"command failed\"", 9, "only a number has a deadband"),
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
