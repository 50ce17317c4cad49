use super::*;

#[test]
fn a_sentence_says_what_was_seen_and_what_the_limit_is() {
    let fill = Words { label: "Fill", unit: "%", decimals: Some(0) };
    let plain = |label| Words { label, unit: "", decimals: None };
    let volt = Words { label: "Voltage", unit: "V", decimals: Some(0) };
    for (text, values, words, for_ms, want) in [
        ("fill_pct >= 90", vec![("fill_pct", number(96.4))], vec![fill], 120_000, "fill 96 %, 90 % or more for 2 min"),
        ("fill_pct < 37.5", vec![("fill_pct", number(3.0))], vec![fill], 0, "fill 3 %, less than 37.5 %"),
        ("free <= 3", vec![("free", number(3.0))], vec![plain("Free")], 0, "free 3, 3 or less"),
        ("level >= 98", vec![("level", number(99.0))], vec![fill], 60_000, "99 % full, 98 % or more for 1 min"),
        (
            "state = \"fault\"",
            vec![("state", word("fault"))],
            vec![plain("State")],
            90_000,
            "state fault for 1 min 30 s",
        ),
        ("state != 'ok'", vec![("state", word("fault"))], vec![], 0, "state fault, not ok"),
        ("tipped", vec![("tipped", Value::Flag(true))], vec![plain("Tipped over")], 0, "tipped over: yes"),
        ("not tipped", vec![("tipped", Value::Flag(false))], vec![plain("Tipped over")], 0, "tipped over: no"),
        ("v not in 210..250", vec![("v", number(262.0))], vec![volt], 0, "voltage 262 V, not within 210 to 250 V"),
        ("v in 210..250", vec![("v", number(230.0))], vec![volt], 0, "voltage 230 V, within 210 to 250 V"),
        ("not a <= 1 and b = 'x'", vec![("a", number(2.0)), ("b", word("x"))], vec![], 0, "a 2, more than 1 and b x"),
        (
            "a > 1 or b > 1 or c > 1",
            vec![("a", number(2.0)), ("b", number(0.0)), ("c", number(3.0))],
            vec![],
            0,
            "a 2, more than 1 and c 3, more than 1",
        ),
        ("a > b + 1", vec![("a", number(9.0)), ("b", number(2.0))], vec![], 0, "a 9, more than b + 1, which is 3"),
        ("a > b", vec![("a", number(9.0)), ("b", number(2.0))], vec![], 0, "a 9, more than b 2"),
        ("a / b < 0.05", vec![("a", number(1.0)), ("b", number(50.0))], vec![], 0, "a / b is 0.02, less than 0.05"),
        (
            "above_usual(v) > 30",
            vec![("v", number(310.5))],
            vec![volt],
            900_000,
            "voltage 35 % above its usual Tuesday 10:00, more than 30 % for 15 min",
        ),
        (
            "unusual(v) >= 6",
            vec![("v", number(46.0))],
            vec![volt],
            0,
            "voltage 80 % below its usual Tuesday 10:00, 8.0 times its usual spread, 6 or more",
        ),
        ("silent(10m)", vec![], vec![], 0, "no word for 12 min"),
        ("not_converged(5m)", vec![], vec![], 0, "wanted and not so for 6 min"),
        ("inside('port')", vec![], vec![], 0, "in port"),
        ("command_failed", vec![], vec![], 0, "a command failed"),
        ("missing(fill_pct)", vec![], vec![fill], 0, "says no fill"),
        ("true", vec![], vec![], 0, "it is so"),
    ] {
        let expression = read(text);
        let facts = Says {
            silence: Some(Silence { quiet_ms: 720_000, is_silent: false, has_spoken: true }),
            not_converged_ms: Some(360_000),
            command_failed: Some(true),
            inside: Some(Whereabouts::Inside),
            usual: Some(tuesday(230.0)),
            ..Says::of(&expression, &values)
        };
        let memory = expression.memory(now(0));
        assert_eq!(expression.is_so(&memory, &facts, 0.0, now(0)), Ok(true), "{text}");
        assert_eq!(expression.sentence(&memory, &facts, &words, for_ms, now(0)), want, "{text}");
    }
}

#[test]
fn a_window_is_said_with_its_length() {
    let level = Words { label: "", unit: "%", decimals: Some(0) };
    for (text, want) in [
        ("avg(level, 5m) >= 80", "average of level over 5 min 84 %, 80 % or more"),
        ("max(level, 5m) >= 80", "greatest level in 5 min 90 %, 80 % or more"),
        ("min(level, 5m) <= 80", "least level in 5 min 78 %, 80 % or less"),
        ("delta(level, 5m) > 10", "level changed by 12 % in 5 min, more than 10 %"),
        ("rate(level, 5m) > 60 / 1h", "level changes by 15 % in 5 min, more than 60 / 1h"),
        ("count(level, 5m) < 5", "2 values of level in 5 min, less than 5"),
    ] {
        let expression = read(text);
        let mut memory = expression.memory(now(0));
        expression.hear(&mut memory, 0, &number(78.0), now(60).wall, now(60));
        expression.hear(&mut memory, 0, &number(90.0), now(300).wall, now(300));
        let facts = Says::of(&expression, &[]);
        assert_eq!(expression.is_so(&memory, &facts, 0.0, now(300)), Ok(true), "{text}");
        assert_eq!(expression.sentence(&memory, &facts, &[level], 0, now(300)), want, "{text}");
    }
}
