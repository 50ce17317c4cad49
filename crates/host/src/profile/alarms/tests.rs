use fleetlens_engine::wire::time::Zone;

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
            things: Kind::Bin.into(),
            condition: so("/fill_pct >= 90", 10.0),
            unless: None,
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
        ("above_usual(fill_pct) > 50", "", so("above_usual(fill_pct) > 50", 0.0), plain),
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
    let unless = rules_of(&FULL.replace("priority", "unless = \"state = 'maintenance'\"\npriority"));
    assert_eq!(unless.first().unwrap().unless, Some(Expression::read("state = 'maintenance'").unwrap()));
    let timed = rules_of(&FULL.replace("priority", "time_available = \"4 h\"\npriority"));
    assert_eq!(timed.first().unwrap().time_available_ms, Some(4 * 3_600_000));
}

/// A group that rules may be for.
const GROUP: &str = "[[group]]\nname = \"Marsa crew\"\nareas = [\"Marsa\"]\n";

#[test]
fn a_rule_is_for_a_kind_a_group_or_a_search_or_for_what_is_all_of_them() {
    for (more, things) in [
        ("", Things::default()),
        ("kind = \"lamp\"", Kind::Lamp.into()),
        ("group = \"Marsa crew\"", Things { group: "Marsa crew".into(), ..Things::default() }),
        ("search = \" Triq Moro \"", Things { search: "Triq Moro".into(), ..Things::default() }),
        (
            "search = \"area:marsa NOT kind:bin\"",
            Things { search: "area:marsa NOT kind:bin".into(), ..Things::default() },
        ),
        (
            "kind = \"lamp\"\ngroup = \"Marsa crew\"\nsearch = \"moro\"",
            Things { kind: Some(Kind::Lamp), group: "Marsa crew".into(), search: "moro".into() },
        ),
    ] {
        let rules =
            rules_of(&format!("{GROUP}[[alarm]]\nid = \"an-id\"\nwhen = \"silent\"\nwhat_to_do = \"go\"\n{more}"));
        let [rule] = &rules[..] else { panic!("{rules:?}") };
        assert_eq!(rule.things, things);
    }
    for (more, column, want) in [
        ("group = \"Marsa\"", 9, "no group is called \"Marsa\"; there are: Marsa crew"),
        ("   search = \"\"", 13, "the search is empty"),
        ("search = \"moro kimd:lamp\"", 10, "column 6: no field is called \"kimd\"; there is kind"),
        ("search = \"moro temp_c>5\"", 10, "column 6: a rule's search asks only what is described"),
        ("search = \"group:crew\"", 10, "column 7: a rule's search names no group"),
    ] {
        let text = format!("{HEAD}{GROUP}[[alarm]]\nid = \"a\"\nwhen = \"silent\"\nwhat_to_do = \"go\"\n{more}\n");
        let error = Profile::parse(&text, "city.toml").unwrap_err();
        let ProfileError::Wrong { line, column: at, ref why, .. } = error else { panic!("{error}") };
        assert!(why.contains(want) && (line, at) == (11, column), "{error}, {line}:{at}");
    }
    let none = format!("{HEAD}[[alarm]]\nid = \"a\"\ngroup = \"M\"\nwhen = \"silent\"\nwhat_to_do = \"go\"\n");
    let none = Profile::parse(&none, "city.toml").unwrap_err().to_string();
    assert_eq!(none, "city.toml, line 6: no group is called \"M\"; there is no [[group]]");
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
        ("when = \"/fill_pct >= 90\"", "", 5, "has no condition"),
        ("for = \"2 min\"", "states = [\"Hot\"]", 9, "only a state machine has states"),
        ("for = \"2 min\"", "detector = \"pump.json\"", 9, "leave out one of the two"),
        ("when = \"/fill_pct >= 90\"", "detector = \"pump.json\"", 8, "which of its states are alarms"),
        (
            "when = \"/fill_pct >= 90\"",
            "detector = \"../pump.json\"\nstates = [\"Hot\"]",
            8,
            "no file beside the profile",
        ),
        ("when = \"/fill_pct >= 90\"", "detector = \"{}\"\nstates = [\"Hot\"]", 8, "missing field `states`"),
        (
            "when = \"/fill_pct >= 90\"\nfor = \"2 min\"",
            "detector = \"pump.json\"\nstates = [\"Hot\"]",
            10,
            "only a condition about values has deadband",
        ),
        ("/fill_pct >= 90", "rate(fill_pct, 1h) > 5", 8, "cannot be compared"),
        ("/fill_pct >= 90", "inside('harbour')", 8, "column 8: no area is called \"harbour\"; there is no [[area]]"),
        ("kind = \"bin\"\nwhen = \"/fill_pct", "kind = \"lamp\"\nwhen = \"level", 8, "only car parks and bins"),
        ("for = \"2 min\"", "for = \"2 minuets\"", 9, "write \"30s\", \"2 min\""),
        ("for = \"2 min\"", "for = 120", 9, "expected a string"),
        ("for = \"2 min\"", "for = \"8 days\"", 9, "at most 7 days"),
        ("/fill_pct >= 90", "silent", 9, "three of the intervals"),
        ("\"/fill_pct >= 90\"\nfor = \"2 min\"", "\"command failed\"", 9, "only a condition about values has deadband"),
        ("/fill_pct >= 90", "/fill_pct >= 90 and level > 3", 10, "one limit of a number"),
        ("deadband = 10", "unless = \"mode = maintenance\"", 10, "column 8: maintenance is the name of a value"),
        ("deadband = 10", "unless = \"avg(mode, 5m) > 3\"", 10, "unless asks only what is so now"),
        ("deadband = 10", "unless = \"silent(5m)\"", 10, "unless asks only what is so now"),
        ("deadband = 10", "unless = \"inside('depot')\"", 10, "column 8: no area is called"),
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

const PUMP: &str = include_str!("../../../../../tests/fixtures/detectors/pump.json");

/// A profile with this alarm, beside a file with this text.
fn beside(alarm: &str, file: &str) -> Result<Profile, ProfileError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pump.json"), file).unwrap();
    Profile::parse_in(folder.path(), &format!("{HEAD}{alarm}"), "city.toml")
}

const IN_FILE: &str = r#"[[alarm]]
id = "pump-overpressure"
detector = "pump.json"
states = ["Dangerous"]
for = "10s"
clear_for = "1 min"
latch = true
what_to_do = "shut the valve"
"#;

#[test]
fn a_state_machine_stands_in_the_profile_or_in_a_file_beside_it() {
    let inline = IN_FILE.replace("\"pump.json\"", &format!("'''{PUMP}'''"));
    for profile in [beside(IN_FILE, PUMP).unwrap(), beside(&inline, "").unwrap()] {
        let [rule] = &profile.rules[..] else { panic!("{:?}", profile.rules) };
        let Condition::Detected(detected) = &rule.condition else { panic!("{:?}", rule.condition) };
        assert_eq!(detected.states(), ["Dangerous"]);
        assert_eq!((rule.terms.on_delay_ms, rule.terms.off_delay_ms, rule.terms.latches), (10_000, 60_000, true));
        let want = "the state machine of the alarm \"pump-overpressure\" does not do this here: state Dangerous, onEnter, event Tell: sns";
        assert_eq!(profile.left_out(), [want]);
    }
    assert!(
        Profile::parse(&format!("{HEAD}{IN_FILE}"), "city.toml").unwrap().left_out().is_empty(),
        "no file is looked at"
    );
}

#[test]
fn a_mistake_in_a_state_machine_is_told_with_its_file_and_its_place_there() {
    for (file, want) in [
        (
            PUMP.replace("> 70", ">"),
            "line 6: pump.json: state Normal, transition Overpressurized: column 32: expected a value",
        ),
        (
            PUMP.replace("\"Dangerous\"", "\"Danger\""),
            "line 6: pump.json: alarm states: \"Dangerous\" is no state; there are Normal, Rising, Danger",
        ),
        (PUMP.replacen('{', "", 1), "line 6: pump.json: the detector model is not understood:"),
        (" ".repeat(70_000), "line 6: pump.json cannot be read: it has more than 65536 bytes"),
    ] {
        let error = beside(IN_FILE, &file).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
    let none = beside(&IN_FILE.replace("pump.json", "pumps.json"), PUMP).unwrap_err().to_string();
    assert!(none.contains("line 6: pumps.json cannot be read"), "{none}");
}

#[test]
fn the_zone_of_the_city_is_what_the_profile_says_else_that_of_its_telemetry() {
    let zone = |text: &str| Profile::parse(text, "x.toml").unwrap().zone;
    let malta = Some(Zone::parse("Europe/Malta").unwrap());
    assert_eq!(zone(HEAD), None);
    assert_eq!(zone(&format!("zone = \"Europe/Malta\"\n{HEAD}")), malta);
    let telemetry = "[[telemetry]]\ntemplate = \"a/{thing}\"\ntime = \"/t\"\nzone = \"Europe/Malta\"\n";
    assert_eq!(zone(&format!("{HEAD}{telemetry}")), malta);
    assert_eq!(zone(&format!("zone = \"Asia/Tokyo\"\n{HEAD}{telemetry}")), Some(Zone::parse("Asia/Tokyo").unwrap()));
    let error = Profile::parse(&format!("zone = \"Europe/Valletta\"\n{HEAD}"), "x.toml").unwrap_err().to_string();
    assert!(error.contains("line 1: there is no time zone"), "{error}");
}
