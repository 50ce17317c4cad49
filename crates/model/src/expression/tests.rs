use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::alarm::rhythm::Usual;
use crate::time::MonoMs;

mod sentences;
mod windows;

/// What a thing says in a test: values by their names, and the rest where it matters.
#[derive(Default)]
struct Says {
    names: Vec<Name>,
    values: BTreeMap<&'static str, Value>,
    heard: bool,
    silence: Option<Silence>,
    not_converged_ms: Option<u64>,
    command_failed: Option<bool>,
    unsaid_ms: Option<u64>,
    inside: Option<Whereabouts>,
    usual: Option<Usual>,
}

impl Says {
    fn of(expression: &Expression, values: &[(&'static str, Value)]) -> Says {
        Says {
            names: expression.needs().names.to_vec(),
            values: values.iter().cloned().collect(),
            heard: true,
            ..Says::default()
        }
    }
}

impl Facts for Says {
    fn word(&self, nth: usize) -> Word<'_> {
        match self.values.get(&*self.names[nth].words()) {
            Some(value) => Word::Said(value.into()),
            None if self.heard => Word::Never,
            None => Word::Unheard,
        }
    }

    fn unsaid_ms(&self, _nth: usize) -> Option<u64> {
        self.unsaid_ms
    }

    fn silence(&self) -> Option<Silence> {
        self.silence
    }

    fn not_converged_ms(&self) -> Option<u64> {
        self.not_converged_ms
    }

    fn command_failed(&self) -> Option<bool> {
        self.command_failed
    }

    fn is_inside(&self, _nth: usize) -> Whereabouts {
        self.inside.unwrap_or(Whereabouts::Unheard)
    }

    fn usual(&self, _nth: usize) -> Option<Usual> {
        self.usual
    }
}

fn now(s: u64) -> Now {
    Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1_000), mono: MonoMs(s * 1_000) }
}

fn read(text: &str) -> Expression {
    Expression::read(text).unwrap_or_else(|mistake| panic!("{mistake}\n{}", mistake.picture(text)))
}

fn tuesday(value: f64) -> Usual {
    Usual { value, spread: value / 10.0, hour: 10, weekday: Some(1) }
}

fn number(value: f64) -> Value {
    Value::Number(value)
}

fn word(value: &str) -> Value {
    Value::Text(value.into())
}

/// What a condition says of a thing that has a handful of values.
fn judged(text: &str) -> Result<bool, Unknown> {
    let expression = read(text);
    let values = [
        ("fill_pct", number(96.0)),
        ("temp_c", number(21.5)),
        ("battery/level", number(4.0)),
        ("zero", number(0.0)),
        ("state", word("fault")),
        ("tipped", Value::Flag(true)),
        ("level", number(50.0)),
        ("odd name", number(1.0)),
        ("phases/0/volt", number(231.0)),
    ];
    let facts = Says::of(&expression, &values);
    expression.is_so(&expression.memory(now(0)), &facts, 0.0, now(0))
}

#[test]
fn a_condition_means_what_it_says() {
    for (text, want) in [
        ("fill_pct >= 96", true),
        ("/fill_pct >= 96", true),
        ("fill_pct>96%", false),
        ("fill_pct >= 90 and temp_c < 20", false),
        ("fill_pct >= 90 && !(temp_c < 20)", true),
        ("temp_c < 20 or fill_pct >= 90 and tipped", true),
        ("(temp_c < 20 or fill_pct >= 90) and not tipped", false),
        ("not temp_c < 20", true),
        ("not not tipped", true),
        ("battery.level * 2 + 1 = 9", true),
        ("1 + 2 * 3 = 7", true),
        ("10 - 2 - 3 = 5", true),
        ("100 / 5 / 2 = 10", true),
        ("-temp_c < -21", true),
        ("--temp_c > 0", true),
        ("phases[0].volt in 210..250", true),
        ("phases.0.volt not in 210..250", false),
        ("phases[0].volt in 231..231", true),
        ("/level in /temp_c../fill_pct", true),
        ("/level in /temp_c.. 49", false),
        ("temp_c in 10.5..battery.level + 20", true),
        ("state = \"fault\"", true),
        ("'fault' == state", true),
        ("state != \"fault\"", false),
        ("tipped", true),
        ("tipped = false", false),
        ("`/odd name` = 1", true),
        ("level >= 50 %", true),
        ("1h 30m = 90min", true),
        ("temp_c / 2h > 10 / 1h", true),
        ("1.5e2 = 150", true),
        (".5 = 0.5", true),
        ("-.5 + +.5 = 0", true),
        ("temp_c - .5 = +21", true),
        ("temp_c > +21", true),
        ("+temp_c >= +(20 + 1.5)", true),
        ("zero in -.5...5", true),
        ("zero in .5..1.5", false),
        (".5e1 = 5", true),
        ("1h = .5h + 30m", true),
    ] {
        assert_eq!(judged(text), Ok(want), "{text}");
    }
}

#[test]
fn what_nobody_knows_is_neither_so_nor_not_so_unless_the_rest_decides() {
    use Unknown::{NoData, NotFinite, WrongType};
    for (text, want) in [
        ("gone > 1", Err(NoData(0))),
        ("not gone > 1", Err(NoData(0))),
        ("gone > 1 or tipped", Ok(true)),
        ("inside('port') and gone > 1", Err(Unknown::Unheard)),
        ("gone > 1 and tipped", Err(NoData(0))),
        ("gone > 1 and not tipped", Ok(false)),
        ("gone > 1 or not tipped", Err(NoData(0))),
        ("state > 1", Err(WrongType(0))),
        ("gone > 1 and state > 1", Err(WrongType(1))),
        ("tipped = \"yes\"", Err(WrongType(0))),
        ("fill_pct / zero > 1", Err(NotFinite)),
        ("fill_pct / (fill_pct - 96) > 1", Err(NotFinite)),
        ("missing(gone)", Ok(true)),
        ("missing(state)", Ok(false)),
        ("silent", Err(Unknown::Unheard)),
        ("avg(fill_pct, 5m) > 1", Err(Unknown::Unheard)),
        ("gone > 1 and silent", Err(Unknown::Unheard)),
        ("above_usual(gone) > 1", Err(NoData(0))),
        ("unusual(state) > 1", Err(WrongType(0))),
        ("unusual(fill_pct) > 1", Err(Unknown::Unheard)),
    ] {
        assert_eq!(judged(text), want, "{text}");
    }
    let nowhere = |text| {
        let expression = read(text);
        let facts = Says { inside: Some(Whereabouts::Nowhere), ..Says::of(&expression, &[]) };
        (expression.is_so(&expression.memory(now(0)), &facts, 0.0, now(0)), expression.why(Unknown::NoPlace))
    };
    let no_place = (Err(Unknown::NoPlace), "no data of where it is".to_owned());
    assert_eq!(nowhere("inside('port') or not inside('depot')"), no_place);
    let expression = read("gone > 1 or battery.level > 1");
    assert_eq!(expression.why(NoData(1)), "no data of battery/level");
    assert_eq!(expression.why(WrongType(0)), "gone is of another type than the rule needs");
}

#[test]
fn what_is_asked_of_the_thing_itself_comes_from_it() {
    for (text, want) in [
        ("silent", Ok(true)),
        ("silent(10m)", Ok(false)),
        ("silent(9m)", Ok(true)),
        ("not_converged", Ok(true)),
        ("not_converged(15m)", Ok(false)),
        ("command_failed", Ok(true)),
        ("inside(\"harbour\")", Ok(false)),
        ("not inside('harbour')", Ok(true)),
        ("missing(fill, 30m)", Ok(true)),
        ("missing(fill, 31m)", Err(Unknown::Unheard)),
        ("missing(power, 31m)", Ok(false)),
        ("above_usual(power) >= 25", Ok(true)),
        ("above_usual(power) > 25 %", Ok(false)),
        ("unusual(power) = 2.5", Ok(true)),
    ] {
        let expression = read(text);
        let is_silent = text.starts_with("silent");
        let facts = Says {
            silence: Some(Silence { quiet_ms: 9 * 60_000, is_silent, has_spoken: true }),
            not_converged_ms: Some(6 * 60_000),
            command_failed: Some(true),
            unsaid_ms: Some(30 * 60_000),
            inside: Some(Whereabouts::Outside),
            usual: Some(tuesday(80.0)),
            ..Says::of(&expression, &[("power", number(100.0))])
        };
        assert_eq!(expression.is_so(&expression.memory(now(0)), &facts, 0.0, now(0)), want, "{text}");
        let nobody = Says { names: facts.names, ..Says::default() };
        let unheard = expression.is_so(&expression.memory(now(0)), &nobody, 0.0, now(0));
        assert_eq!(unheard, Err(Unknown::Unheard), "{text} of a thing that nobody has heard");
    }
}

#[test]
fn the_silence_of_a_thing_explains_what_it_does_not_say() {
    for text in ["count(x, 1m) < 3", "avg(x, 1m) > 0", "missing(x)", "missing(x, 30m)", "last(x, 1m) > 0"] {
        let expression = read(text);
        let silent = |is_silent| Says {
            silence: Some(Silence { quiet_ms: 3_600_000, is_silent, has_spoken: true }),
            unsaid_ms: Some(3_600_000),
            ..Says::of(&expression, &[])
        };
        let memory = expression.memory(now(0));
        assert_ne!(expression.is_so(&memory, &silent(false), 0.0, now(3_600)), Err(Unknown::Unheard), "{text}");
        assert_eq!(expression.is_so(&memory, &silent(true), 0.0, now(3_600)), Err(Unknown::Unheard), "{text}");
    }
}

#[test]
fn right_again_is_what_lies_the_deadband_from_the_limit() {
    for (text, value, at_limit, in_band, out) in [
        ("x >= 90", "x", 90.0, 80.1, 80.0),
        ("x > 90", "x", 90.1, 80.1, 80.0),
        ("x <= 15", "x", 15.0, 24.9, 25.0),
        ("not x < 90", "x", 90.0, 80.0, 79.9),
        ("x in 210..250", "x", 210.0, 200.1, 200.0),
        ("x not in 210..250", "x", 209.9, 219.9, 220.0),
    ] {
        let expression = read(text);
        assert!(expression.takes_deadband(), "{text}");
        let is_so = |x: f64, deadband: f64| {
            let facts = Says::of(&expression, &[(value, number(x))]);
            expression.is_so(&expression.memory(now(0)), &facts, deadband, now(0)).unwrap()
        };
        assert!(is_so(at_limit, 0.0), "{text}: {at_limit}");
        assert!(!is_so(in_band, 0.0), "{text}: {in_band} raises nothing");
        assert!(is_so(in_band, 10.0), "{text}: {in_band} clears nothing");
        assert!(!is_so(out, 10.0), "{text}: {out} clears");
    }
    for text in ["state = \"fault\"", "x > 1 and y > 2", "rate(x, 5m) > 1 / 1h", "silent", "x = 3", "x != 3"] {
        assert!(!read(text).takes_deadband(), "{text}");
    }
    assert!(read("x > 1 and y != 2").takes_deadband(), "of x");
    // What takes none is judged without one.
    let two = read("x > 90 and y > 2");
    let facts = Says::of(&two, &[("x", number(85.0)), ("y", number(3.0))]);
    assert_eq!(two.is_so(&two.memory(now(0)), &facts, 10.0, now(0)), Ok(false));
}

#[test]
fn no_deadband_is_so_wide_that_nothing_is_right_again() {
    for (text, deadband, x, want) in [
        ("x not in 210..250", 15.0, 224.0, true),
        ("x not in 210..250", 15.0, 225.0, false),
        ("x not in 210..250", 25.0, 227.0, true),
        ("x not in 210..250", 25.0, 229.0, false),
        ("x not in 210..250", 25.0, 232.1, true),
        ("x not in 210..250", f64::INFINITY, 211.0, false),
        ("x in 210..250", 25.0, 186.0, true),
        ("x in 210..250", 25.0, 185.0, false),
        ("x >= 90", f64::INFINITY, 89.0, false),
        ("x >= 90", f64::NAN, 89.0, false),
    ] {
        let expression = read(text);
        let facts = Says::of(&expression, &[("x", number(x))]);
        let so = expression.is_so(&expression.memory(now(0)), &facts, deadband, now(0));
        assert_eq!(so, Ok(want), "{text} of {x} with {deadband}");
    }
}

#[test]
fn what_a_condition_needs_is_told() {
    let text =
        "avg(level, 5m) >= 80 and battery.level < 3 and inside('port') and not silent(10m) and /a~1b > avg(level, 5m)";
    let expression = read(text);
    let names = [Name::Level, Name::Value("/battery/level".into()), Name::Value("/a~1b".into())];
    let want = Needs {
        names: &names,
        fences: &["port".into()],
        timers: &[],
        usual: &[],
        clock: true,
        presence: true,
        convergence: false,
        commands: false,
    };
    assert_eq!(expression.needs(), want);
    let plain = read("fill_pct >= 90 or command_failed");
    assert!(!plain.needs().clock && plain.needs().commands && !plain.needs().presence);
    assert!(read("not_converged").needs().convergence);
    for text in ["silent", "silent(1m)", "avg(a, 5m) > 1", "count(a, 5m) < 1", "missing(a)", "missing(a, 30m)"] {
        assert!(read(text).needs().presence, "{text} asks whether the thing is silent");
    }
    assert_eq!(read("a > 1 and above_usual(b) > 30 and unusual(b) > 6").needs().usual, [1]);
}

#[test]
fn every_mistake_is_told_with_its_column() {
    for (text, column, want) in [
        ("", 1, "expected a value, a number or a condition, found the end"),
        ("fill_pct >=", 12, "found the end"),
        ("fill_pct >= and", 13, "found \"and\""),
        ("fill_pct 90", 10, "expected and, or, a comparison or the end, found \"90\""),
        ("state = out of order", 13, "found \"of\""),
        ("1 < fill_pct < 3", 14, "write \"and\" between them"),
        ("(fill_pct > 3", 1, "there is no ) for this ("),
        ("fill_pct > 3)", 13, "there is no ( for this )"),
        ("(a > c b)", 8, "expected ), found 'b'"),
        ("state = \"fault", 9, "there is no second \" for this one"),
        ("fill_pct > 3 kg", 14, "\"kg\" is no unit"),
        ("a in 1", 7, "expected the other end of the range"),
        ("a in 3..1", 6, "write the lower end first"),
        ("a > 1e999", 5, "too large"),
        ("a > 5m %", 5, "has no %"),
        ("@", 1, "found '@'"),
        ("`fill` > 1", 1, "is not a JSON pointer; write `/fill`"),
        ("1 = 1 and /a~2 > 1", 11, "a ~ is written ~0"),
        ("`/a~` > 1", 1, "a ~ is written ~0"),
        ("state = fault", 9, "the word is written \"fault\""),
        ("fill_pct + 1", 1, "is a number and no condition"),
        ("tipped and \"x\"", 12, "is a word and no condition"),
        ("state > \"x\"", 9, "no number"),
        ("-state = \"x\"", 10, "no number"),
        ("(a > 1) + 2 > 1", 1, "a number is needed here"),
        ("a > 5m", 5, "one is a length of time"),
        ("rate(a, 5m) > 5", 15, "write the limit as 5 / 1h"),
        ("a + 5m > 1", 5, "cannot be added"),
        ("5m * 5m * 5m * 5m > 1", 1, "cannot be multiplied"),
        ("$input.a.b > 1", 1, "detector models"),
        ("avg(level) > 1", 1, "avg takes a value and a length of time: avg(fill_pct, 5m)"),
        ("avg(level, 5) > 1", 12, "expected a length of time such as 5m or 2h, found 5"),
        ("avg(level, 25h) > 1", 12, "write 1 s to 1 d"),
        ("avg(1, 5m) > 1", 5, "expected the name of a value, found 1"),
        ("avrg(level, 5m) > 1", 1, "\"avrg\" is no function; there are avg, min"),
        ("silent(1m, 2m)", 1, "silent is written silent or silent(10m)"),
        ("inside(harbour)", 8, "expected a name in quotes"),
        ("timeout(\"t\")", 1, "no function"),
        ("fill_pct > 3\n  and 7", 7, "is a number and no condition"),
        ("a > .", 5, "found '.'"),
        ("a > .x", 5, "found '.'"),
        ("a > .5 kg", 8, "\"kg\" is no unit"),
        ("a > +.5 b", 9, "\"b\" is no unit"),
        ("a > +", 6, "found the end"),
        ("a > + and", 7, "found \"and\""),
        ("a > -.5m", 5, "one is a length of time"),
        ("a in +3..+1", 6, "write the lower end first"),
        ("+'x' = a", 2, "is a word; a number is needed"),
        ("1 in .5", 8, "the other end of the range"),
    ] {
        let mistake = Expression::read(text).unwrap_err();
        assert!(mistake.why.contains(want), "{text}: {mistake}");
        assert_eq!(mistake.column, column, "{text}: {mistake}");
    }
    let areas = read("ä > 1 and inside('port') or inside('quay') and not inside('port')");
    let unknown = |nth| areas.mistake_of_fence(nth, "no such area").to_string();
    assert_eq!([unknown(0), unknown(1)], ["column 18: no such area", "column 36: no such area"]);
    let text = "ä = \"ü\" and\n  wrong >";
    let mistake = Expression::read(text).unwrap_err();
    let want = "line 2, column 10: expected a value, a number or a condition, found the end";
    assert_eq!(mistake.to_string(), want);
    assert_eq!(mistake.picture(text), "  wrong >\n         ^");
}

#[test]
fn everything_is_bounded() {
    let deep = |n: usize| format!("{}a > 1{}", "(".repeat(n), ")".repeat(n));
    assert!(Expression::read(&deep(16)).is_ok());
    for text in [deep(17), "not ".repeat(200) + "a", format!("{}a > 1", "-".repeat(900)), "f(".repeat(400)] {
        let mistake = Expression::read(&text).unwrap_err();
        assert!(mistake.why.contains("nested too deeply; at most 16"), "{mistake}");
    }
    let names = |n: usize| (0..n).map(|n| format!("v{n} > 1")).collect::<Vec<_>>().join(" or ");
    assert!(Expression::read(&names(16)).is_ok());
    assert!(Expression::read(&names(17)).unwrap_err().why.contains("at most 16 values"));
    let windows = |n: usize| (1..=n).map(|n| format!("avg(v, {n}m) > 1")).collect::<Vec<_>>().join(" or ");
    assert!(Expression::read(&windows(8)).is_ok());
    assert!(Expression::read(&windows(9)).unwrap_err().why.contains("at most 8 windows"));
    // Long without being deep.
    assert_eq!(read(&format!("1{} = 499", "+1".repeat(490))).text().len(), 987);
    assert!(Expression::read(&"a".repeat(1_001)).unwrap_err().why.contains("1001 bytes; at most 1000"));
}

#[test]
fn on_the_disk_it_is_its_text() {
    let expression = read("fill_pct >= 90 and not silent");
    let json = serde_json::to_string(&expression).unwrap();
    assert_eq!(json, "\"fill_pct >= 90 and not silent\"");
    assert_eq!(serde_json::from_str::<Expression>(&json).unwrap(), expression);
    assert!(serde_json::from_str::<Expression>("\"fill_pct >\"").is_err());
}

#[test]
fn a_pointer_may_have_letters_of_any_language() {
    for text in ["/ħin >= 5", "/ħin>=5", "5 <= /ħin", "/ħin in 5..9"] {
        let expression = read(text);
        let is_so = |name, x| {
            let facts = Says::of(&expression, &[(name, number(x))]);
            expression.is_so(&expression.memory(now(0)), &facts, 0.0, now(0))
        };
        assert_eq!((is_so("ħin", 5.0), is_so("ħin", 4.0)), (Ok(true), Ok(false)), "{text}");
    }
}

proptest! {
    /// Whatever is written, there is an answer: an expression that can be judged and said, or a mistake that lies in the text.
    #[test]
    fn no_text_breaks_anything(text in prop_oneof![
        ".{0,80}",
        "([a-c]|[0-9]|[-+*/()<>=!.,%'\"`$&| ]|and |or |not |in |avg\\(|silent|5m|true|\\n){0,60}",
    ]) {
        match Expression::read(&text) {
            Ok(expression) => {
                let facts = Says::of(&expression, &[("a", number(f64::MAX)), ("b", word("x")), ("c", number(0.0))]);
                let memory = expression.memory(now(0));
                // Whatever is so without a deadband is so with one, of what has one limit.
                let so = |deadband| expression.is_so(&memory, &facts, deadband, now(1));
                prop_assert!(!expression.takes_deadband() || so(0.0) != Ok(true) || so(1.0) == Ok(true));
                if let Err(unknown) = so(0.0) {
                    prop_assert!(!expression.why(unknown).is_empty());
                }
                prop_assert!(!expression.sentence(&memory, &facts, &[], 1_000, now(1)).is_empty());
            }
            Err(mistake) => {
                prop_assert!(!mistake.why.is_empty(), "a mistake without a reason");
                let line = text.split('\n').nth(mistake.line - 1);
                prop_assert!(line.is_some(), "line {} of {:?}", mistake.line, text);
                let end = line.unwrap_or_default().chars().count() + 1;
                prop_assert!((1..=end).contains(&mistake.column), "{} in {:?}", mistake, text);
                prop_assert!(mistake.picture(&text).ends_with('^'));
            }
        }
    }
}
