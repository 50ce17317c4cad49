use crate::testing::chance;
use serde_json::json;

use super::*;

fn render_all(source: &str, value: &str, extra: &[(&str, &Json)]) -> Result<String, Fault> {
    let template = Template::parse(source)?;
    let (text, read) = (Json::from(value), serde_json::from_str::<Json>(value));
    let mut given = vec![("value", &text)];
    given.extend(read.as_ref().ok().map(|json| ("value_json", json)));
    given.extend(extra);
    template.render(&given, &mut Fuel::of_a_message())
}

fn render(source: &str, value: &str) -> Result<String, Fault> {
    render_all(source, value, &[])
}

#[test]
fn templates_say_what_they_say_in_home_assistant() {
    let climate = r#"{"t":23.20,"n":7,"on":true,"off":false,"none":null,"s":"Eco","list":[1,2,3],
        "in":{"a b":{"c":[5,6]}},"ts":"12.7"}"#;
    for (source, want) in [
        ("23", "23"),
        ("{{ value_json.t }}", "23.2"),
        ("  {{- value_json['t'] | float | round(1) -}}  ", "23.2"),
        ("{{ value_json.in['a b'].c[1] }}", "6"),
        ("{{ value_json.list[-1] }}{{ value_json.list.0 }}", "31"),
        ("{{ value_json.on }} {{ value_json.off }} {{ value_json.none }}", "True False None"),
        ("{{ 'ON' if value_json.on else 'OFF' }}", "ON"),
        ("{% if value_json.n > 10 %}high{% elif value_json.n >= 7 %}mid{% else %}low{% endif %}", "mid"),
        ("{%- set x = value_json.n * 2 -%}\n{{ x + 1 }}\n", "15"),
        ("{# nothing #}{{ value_json.n / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 }}", "3.5 3 -4 2 8"),
        ("{{ 1 + 2 * 3 - 4 / 2 }} {{ (1 + 2) * 3 }} {{ -5 | abs }}", "5.0 9 5"),
        ("{{ value_json.ts | int }} {{ 'x' | int(4) }} {{ value_json.ts | float + 1 }}", "12 4 13.7"),
        ("{{ 21.456 | round(2) }} {{ 2.5 | round }} {{ 2.1 | round(0, 'ceil') }} {{ 7 | round(2) }}", "21.46 2 3 7.0"),
        ("{{ value_json.missing | default('none yet') }}", "none yet"),
        ("{{ value_json.missing }}", ""),
        ("{{ value_json.none | default('x', true) }}", "x"),
        (
            "{{ value_json.missing is defined }} {{ value_json.n is not none }} {{ value_json.n is number }}",
            "False True True",
        ),
        ("{{ 'c' in value_json.in['a b'] and not value_json.off or false }}", "True"),
        ("{{ value_json.s | lower ~ '/' ~ value_json.s | upper }}", "eco/ECO"),
        ("{{ value_json.s == 'Eco' }} {{ 1 == 1.0 }} {{ 0 < value_json.n < 9 }}", "True True True"),
        ("{{ iif(value_json.on, 'yes', 'no') }} {{ value_json.off | iif('yes', 'no') }}", "yes no"),
        ("{{ {'Eco': 'economy', 'Max': 'most'}[value_json.s] }}", "economy"),
        ("{{ {'a': 1}.get('b', 5) }} {{ 'a,b'.split(',')[1] }} {{ value_json.s.startswith('E') }}", "5 b True"),
        (
            "{{ value_json.list | length }} {{ value_json.list | max }} {{ value_json.list | sum }} {{ [1,2] | join('-') }}",
            "3 3 6 1-2",
        ),
        ("{{ value_json.s[0:2] }} {{ 'abc'[::] if false else 'ok' }}", "err"),
        ("{{ value_json.s[0:2] }}{{ value_json.s[-1] }}", "Eco"),
        (
            "{{ (value_json.n | bitwise_and(4)) > 0 }} {{ value_json.n is odd }} {{ value_json.n is divisibleby 7 }}",
            "True True True",
        ),
        ("{{ {'n': [1, none, {'state': 'ON'}]} | tojson }}", r#"{"n":[1,null,{"state":"ON"}]}"#),
        ("{{ '{\"a\": 4}' | from_json }}", r#"{"a":4}"#),
        ("{{ is_number('12') }} {{ float('x', 0) }} {{ int('7') + 1 }} {{ min(3, 2) }}", "True 0 8 2"),
        ("{{ 'it''s' }}{{ 'a\\'b\\n' | trim }}", "itsa'b"),
        ("{{ value_json.s | replace('E', 'De') | title }}", "Deco"),
        ("{{ 1.5e3 }} {{ 1_000 }}", "1500.0 1000"),
    ] {
        let got = render(source, climate);
        match want {
            "err" => assert!(got.is_err(), "{source}: {got:?}"),
            want => assert_eq!(got.as_deref(), Ok(want), "{source}"),
        }
    }
    assert_eq!(render("{{ value | int * 2 }} {{ value_json + 1 }}", "21").as_deref(), Ok("42 22"));
    let extra = json!(80);
    assert_eq!(render_all("{\"p\":{{ position }}}", "", &[("position", &extra)]).as_deref(), Ok("{\"p\":80}"));
}

#[test]
fn what_is_not_in_the_message_is_told_apart_from_what_is_wrong() {
    for source in [
        "{{ value_json.a.b }}",
        "{{ value_json.a | float }}",
        "{{ value_json.a + 1 }}",
        "{{ value_json.a | is_defined }}",
    ] {
        assert!(matches!(render(source, "{}"), Err(Fault::Undefined(_))), "{source}: {:?}", render(source, "{}"));
    }
    assert_eq!(render("{{ value_json.x }}", "plain"), Err(Fault::Undefined("value_json".into())));
    for (source, says) in [
        ("{{ 'a' * 3 }}", "\"a\" is no number to calculate with"),
        ("{{ value | float }}", "\"plain\" is no number"),
        ("{{ 1 / 0 }}", "divided by zero"),
        ("{{ 1e308 * 10 }}", "beyond 64-bit floating point"),
        ("{{ 'a' < 1 }}", "not compared"),
        ("{{ value.keys() }}", "is no object"),
        ("{{ value | round }}", "is no number"),
    ] {
        let error = render(source, "plain").unwrap_err().to_string();
        assert!(error.contains(says), "{source}: {error}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_before_any_message_comes() {
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(200), ")".repeat(200));
    let nots = format!("{{{{ {}true }}}}", "not ".repeat(2_000));
    let minuses = format!("{{{{ {}1 }}}}", "-".repeat(2_000));
    let long = format!("{{{{ 1{} }}}}", "+1".repeat(2_000));
    let filters = format!("{{{{ 1{} }}}}", "|int".repeat(1_000));
    let dots = format!("{{{{ a{} }}}}", ".a".repeat(1_000));
    let ifs = "{% if 1 %}".repeat(200);
    let huge = "x".repeat(SOURCE_MAX_BYTES + 1);
    for (source, says) in [
        ("{{ states('sensor.a') }}", "the function \"states\" is not known here"),
        ("{{ now() }}", "the function \"now\""),
        ("{{ value | timestamp_custom('%H') }}", "the filter \"timestamp_custom\""),
        ("{{ value | regex_replace('a') }}", "the filter \"regex_replace\""),
        ("{{ value.format(1) }}", "the method \"format\""),
        ("{{ value is fancy }}", "the test \"fancy\""),
        ("{% for a in value %}{% endfor %}", "{% for %} is not read here"),
        ("{% macro a() %}{% endmacro %}", "{% macro %}"),
        ("{{ value", "{{ is never closed by }}"),
        ("{{ 'a }}", "a text is never closed by '"),
        ("{# a", "{# is never closed"),
        ("{% if 1 %}a", "never closed by endif"),
        ("a{% endif %}", "endif stands where no if is open"),
        ("{{ 1 + }}", "stands where something else belongs"),
        ("{{ a b }}", "\"b\" stands where something else belongs"),
        ("{{ ; }}", "';' has no meaning"),
        (deep.as_str(), "nests deeper than 24"),
        (nots.as_str(), "nests deeper than 24"),
        (minuses.as_str(), "nests deeper than 24"),
        (ifs.as_str(), "nests deeper than 24"),
        (long.as_str(), "more than 120 parts"),
        (filters.as_str(), "more than 120 parts"),
        (dots.as_str(), "more than 120 parts"),
        (huge.as_str(), "at most 8192 are read"),
    ] {
        let error = Template::parse(source).unwrap_err().to_string();
        assert!(error.contains(says), "{source}: {error}");
        assert!(error.chars().count() < 200, "{error}");
    }
}

/// What took other engines hundreds of megabytes.
#[test]
fn no_template_costs_more_than_a_message_may() {
    let payload = "x".repeat(50_000);
    let doubled = format!("{{% set a = value %}}{}{{{{ a }}}}", "{% set a = a ~ a %}".repeat(200));
    let added = format!("{{% set a = [value] %}}{}", "{% set a = a + a %}".repeat(200));
    let nested = format!("{{% set a = [value] %}}{}", "{% set a = [a, a] %}".repeat(200));
    let keyed = format!("{{% set a = [value] %}}{}", "{% set a = {value: a, 'b': a} %}".repeat(200));
    let spread = "{{ value | replace('x', value) }}".to_owned();
    let emitted = "{{ value }}".repeat(700);
    let joined = "{{ value | join(value) }}".to_owned();
    let listed = "{{ value | list | list | first }}".repeat(200);
    for source in [doubled, added, nested, keyed, spread, emitted, joined, listed] {
        assert_eq!(render(&source, &payload), Err(Fault::TooLong), "{}", source.get(..60).unwrap_or(&source));
    }
    let template = Template::parse(&"{{ value_json | tojson | length }}".repeat(200)).unwrap();
    let big = json!(vec![1; 10_000]);
    let mut fuel = Fuel::of_a_message();
    let outcomes: Vec<_> = (0..20).map(|_| template.render(&[("value_json", &big)], &mut fuel)).collect();
    assert!(outcomes[0].is_ok(), "{:?}", outcomes[0]);
    assert_eq!(outcomes[19], Err(Fault::OutOfFuel), "the fuel is that of the message, not of each template");
}

/// As deep as it may be, on a thread as small as those that read messages.
#[test]
fn the_deepest_template_fits_the_stack() {
    let sum = format!("1{}", "+1".repeat(119));
    let brackets = format!("{}{sum}{}", "(".repeat(22), ")".repeat(22));
    let nots = format!("{}({sum})", "not ".repeat(21));
    let chained = format!("value_json{}", ".a".repeat(119));
    let filtered = format!("'x'{}", "|upper".repeat(119));
    let listed = format!("{{% set a = 1 %}}{}{{{{ a }}}}", "{% set a=[a] %}".repeat(16));
    let ifs = format!("{}{{{{ {sum} }}}}{}", "{% if 1 %}".repeat(22), "{% endif %}".repeat(22));
    for (source, want) in [
        (format!("{{{{ {brackets} }}}}"), Ok("120")),
        (format!("{{{{ {nots} }}}}"), Ok("False")),
        (format!("{{{{ {chained} }}}}"), Err(())),
        (format!("{{{{ {filtered} }}}}"), Ok("X")),
        (ifs, Ok("120")),
    ] {
        let got = render(&source, "{}");
        assert_eq!(got.as_deref().map_err(drop), want, "{}", source.get(..60).unwrap_or(&source));
    }
    assert!(render(&listed, "{}").unwrap().starts_with("[[[["));
    let deeper = render(&listed.replace("{{", "{% set a=[a] %}{{"), "{}").unwrap_err().to_string();
    assert_eq!(deeper, "it puts together more than 16 brackets");
}

/// Pieces of templates in any order: whatever comes of them is read or refused, and rendered in bounds.
#[test]
fn whatever_a_template_is_it_is_read_or_refused() {
    let mut below = chance(0x9e37_79b9_7f4a_7c15);
    let pieces = [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "-",
        " ",
        "value_json",
        "value",
        ".a",
        "['a']",
        "[0]",
        "(",
        ")",
        "|",
        "float",
        "int",
        "round",
        "default",
        "'x'",
        "\"",
        "\\",
        "1",
        "2.5",
        "1e9",
        "if",
        "elif",
        "else",
        "endif",
        "set x =",
        "x",
        "not",
        "and",
        "or",
        "is",
        "in",
        "defined",
        "none",
        "+",
        "*",
        "/",
        "//",
        "%",
        "**",
        "~",
        "==",
        "<",
        ",",
        ":",
        "{",
        "}",
        "ħ",
        "\u{202e}",
        "iif",
        "tojson",
    ];
    let (mut read, mut rendered) = (0, 0);
    for _ in 0..40_000 {
        let mut source = String::from("{{ value_json");
        for _ in 0..below(8) {
            source.push_str(pieces[below(pieces.len())]);
            source.push_str([" ", ""][below(2)]);
        }
        source.push_str([" }}", ""][below(2)]);
        if let Ok(template) = Template::parse(&source) {
            read += 1;
            let json = json!({ "a": [1, "b"], "x": -1 });
            let value = Json::from("ħx");
            match template.render(&[("value", &value), ("value_json", &json)], &mut Fuel::of_a_message()) {
                Ok(text) => {
                    rendered += 1;
                    assert!(text.len() <= BUILT_MAX_BYTES);
                }
                Err(fault) => assert!(fault.to_string().chars().count() < 250, "{fault}"),
            }
        }
    }
    assert!(read > 500 && rendered > 200, "{read} read, {rendered} rendered: what is only refused tries nothing");
}
