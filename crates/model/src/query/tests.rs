use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::alarm::Priority;
use crate::geo::LonLat;
use crate::shadow::Half;

/// A lamp in Qormi with an alarm.
struct Lamp {
    connected: Option<bool>,
}

const LAMP: Lamp = Lamp { connected: Some(true) };

/// The same facts, asked by the names of one query.
struct Asked<'a>(&'a Lamp, &'a Query);

impl Facts for Asked<'_> {
    fn words(&self) -> &str {
        "lamp 12\nl-0012\ntriq aldo moro\nħal qormi"
    }

    fn text(&self, field: TextField) -> &str {
        match field {
            TextField::Name => "l-0012",
            TextField::Title => "Lamp 12",
            TextField::Street => "Triq Aldo Moro",
            TextField::Area => "Ħal Qormi",
            TextField::Gateway => "",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Lamp
    }

    fn standing(&self) -> Standing {
        Standing::Warning
    }

    fn is_in(&self, nth: usize) -> bool {
        self.1.groups()[nth].holds("Marsa crew")
    }

    fn has_delta(&self, shadow: Option<&str>) -> Option<bool> {
        match shadow {
            None | Some("") => Some(true),
            Some("net") => Some(false),
            Some(_) => None,
        }
    }

    fn is_connected(&self) -> Option<bool> {
        self.0.connected
    }

    fn any_alarm(&self, is: &mut dyn FnMut(&str, Priority, bool) -> bool) -> bool {
        is("lamp-hot", Priority::Warning, true)
    }

    fn age_s(&self) -> Option<f64> {
        Some(300.0)
    }

    fn place(&self) -> Option<LonLat> {
        LonLat::new(14.47, 35.88)
    }

    fn value(&self, nth: usize) -> Option<Fact<'_>> {
        match self.1.values()[nth].as_str() {
            "/temp_c" => Some(Fact::Number(41.5)),
            "/on" => Some(Fact::Flag(true)),
            "/firmware" => Some(Fact::Text(Cow::Borrowed("2.4.1 Beta"))),
            "/a.b/c" => Some(Fact::Number(1.0)),
            _ => None,
        }
    }

    fn leaf(&self, nth: usize) -> Held<'_> {
        let leaf = &self.1.leaves()[nth];
        match (leaf.shadow.as_str(), leaf.half, leaf.pointer.as_str()) {
            ("", Half::Reported, "/dim_pct") => Held::Value(Fact::Number(70.0)),
            ("", Half::Desired, "/dim_pct") => Held::Value(Fact::Number(-5.0)),
            ("net", Half::Reported, "/dns") => Held::Whole(json!(["::1", "10.0.0.1", {"a": 1}])),
            ("net", Half::Reported, "/none") => Held::Whole(json!({})),
            _ => Held::Nothing,
        }
    }
}

fn finds(text: &str, lamp: &Lamp) -> bool {
    let query = Query::read(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    query.finds(&Asked(lamp, &query))
}

#[test]
fn a_thing_is_found_by_what_is_true_of_it() {
    for (text, want) in [
        ("", true),
        ("   ", true),
        ("*", true),
        ("NOT *", false),
        ("lamp 12", true),
        ("MORO 0012", true),
        ("\"aldo moro\"", true),
        ("\"moro aldo\"", false),
        ("lamp -qormi", false),
        ("lamp - 12", true),
        ("+lamp +moro", true),
        ("lamp bin", false),
        ("lamp OR bin", true),
        ("lamp AND (bin OR moro)", true),
        ("bin lamp OR moro", true),
        ("bin AND (lamp OR moro)", false),
        ("NOT bin", true),
        ("NOT NOT bin", false),
        ("lam*", true),
        ("l?mp", true),
        ("am*", false),
        ("kind:lamp", true),
        ("kind:LAMP", true),
        ("thingTypeName:lamp", true),
        ("kind:(bin OR lamp)", true),
        ("kind:(l* AND -lamp)", false),
        ("kind:*", true),
        ("thingName:l-0012", true),
        ("thingName:l-*", true),
        ("name:l", false),
        ("name:[l-0000 TO l-0099]", true),
        ("name:{l-0012 TO *]", false),
        ("title:lamp", true),
        ("street:moro", true),
        ("street:\"aldo moro\"", true),
        ("area:\"ħal qormi\"", true),
        ("area:qor*", true),
        ("gateway:*", false),
        ("NOT gateway:*", true),
        ("group:\"marsa crew\"", true),
        ("group:marsa", true),
        ("group:depot", false),
        ("status:warning", true),
        ("status:(warning OR critical)", true),
        ("NOT status:normal", true),
        ("value.temp_c:41.5", true),
        ("temp_c>40", true),
        ("temp_c > 40", true),
        ("temp_c:>40", true),
        ("temp_c >= 41.5 temp_c <= 41.5", true),
        ("temp_c < 41.5", false),
        ("temp_c:[40 TO 42]", true),
        ("temp_c:{41.5 TO 42]", false),
        ("temp_c:[* TO 42]", true),
        ("temp_c:4*", false),
        ("on:true", true),
        ("on:false", false),
        ("value.firmware:2.4.1", true),
        ("value.firmware:beta", true),
        ("value.firmware:2.4*", true),
        ("value.firmware:[\"2.4\" TO \"2.5\"]", true),
        ("value.firmware>\"3\"", false),
        ("value.firmware>3", false),
        ("value.firmware:*", true),
        ("value.nothing:*", false),
        ("value.a\\.b.c:1", true),
        ("shadow.reported.dim_pct:[50 TO 100]", true),
        ("shadow.reported.dim_pct:70.0", true),
        ("shadow.desired.dim_pct:-5", true),
        ("shadow.desired.dim_pct<0", true),
        ("shadow.name.net.reported.dns:10.0.0.1", true),
        ("shadow.name.net.reported.dns:\"::1\"", true),
        ("shadow.name.net.reported.dns:::1", true),
        ("shadow.name.net.reported.dns:8.8.8.8", false),
        ("shadow.name.net.reported.none:*", true),
        ("shadow.name.net.reported.some:*", false),
        ("hasDelta:true", true),
        ("shadow.hasDelta:true", true),
        ("shadow.name.net.hasDelta:false", true),
        ("shadow.name.other.hasDelta:*", false),
        ("connectivity.connected:true", true),
        ("alarm.active:true", true),
        ("alarm.active:false", false),
        ("alarm.priority:warning", true),
        ("alarm.priority>=warning", true),
        ("alarm.priority:[advisory TO warning}", false),
        ("alarm.rule:lamp-*", true),
        ("alarm.rule:*", true),
        ("age:<10m", true),
        ("age<300s", false),
        ("age:[5m TO 1h]", true),
        ("age>0.1h", false),
        ("age:*", true),
        ("near:35.88,14.48,1km", true),
        ("near:35.88,14.48,500m", false),
        ("near:geo_distance,35.88,14.48,1km", true),
        ("near:*", true),
        ("kind:lamp AND shadow.reported.dim_pct:[50 TO 100] AND NOT connectivity.connected:true", false),
        ("kind:lamp temp_c>40 NOT temp_c>50", true),
    ] {
        assert_eq!(finds(text, &LAMP), want, "{text}");
    }
}

#[test]
fn what_nobody_knows_is_neither_so_nor_otherwise() {
    let nobody_says = Lamp { connected: None };
    for (text, want) in [
        ("connectivity.connected:true", false),
        ("connectivity.connected:false", false),
        ("NOT connectivity.connected:true", true),
        ("connectivity.connected:*", false),
    ] {
        assert_eq!(finds(text, &nobody_says), want, "{text}");
    }
}

#[test]
fn a_mistake_is_told_by_its_column_with_what_would_be_right() {
    for (text, column, why) in [
        ("kind:", 6, "expected what kind is to be"),
        ("kind: lamp", 6, "expected what kind is to be"),
        ("kind:lamb", 6, "there are: parking, lamp"),
        ("kind>lamp", 6, "kind has no order"),
        ("kimd:lamp", 1, "there is kind;"),
        ("Kind:lamp", 1, "there is kind;"),
        ("lamp AND fil_pct>5", 10, "there is fill_pct;"),
        ("00:1A:2B", 1, "a text with : in it stands in quotes"),
        ("vibration:5", 1, "value.vibration"),
        ("lamp AND", 9, "found the end"),
        ("AND lamp", 1, "before AND"),
        ("lamp OR OR bin", 9, "before OR"),
        ("(lamp", 1, "there is no )"),
        ("lamp)", 5, "there is no ("),
        ("()", 2, "found )"),
        ("\"lamp", 1, "no second \""),
        ("lamp \\", 6, "behind \\"),
        ("\"kind\":lamp", 1, "without quotes"),
        (":lamp", 1, "a field before"),
        ("> 5", 1, "a field before"),
        ("[50 TO 100]", 1, "behind a field"),
        ("fill_pct:[50 100]", 14, "expected TO"),
        ("fill_pct:[50 TO 100", 20, "expected ] or }"),
        ("fill_pct:[100 TO 50]", 10, "first end is above"),
        ("fill_pct:[a TO b]", 11, "is no number"),
        ("fill_pct>50%", 10, "is no number"),
        ("value.x:[\"a\" TO 5]", 17, "texts in quotes"),
        ("hasDelta:yes", 10, "true or false"),
        ("connectivity.connected>1", 1, "true or false"),
        ("age:10m", 5, "age:<10m"),
        ("age:<10", 6, "with its unit"),
        ("age:<10x", 6, "with its unit"),
        ("near:35.9,14.5", 6, "three parts"),
        ("near:95,14.5,1km", 6, "no place"),
        ("near:35.9,14.5,5mi", 6, "m or km"),
        ("shadow.dim_pct:5", 1, "reported"),
        ("alarm.x:5", 1, "alarm.active"),
        ("value.:5", 1, "both sides"),
        ("va*:5", 1, "no wildcards"),
        ("kind:lamp or kind:bin", 11, "write OR"),
        ("kind=lamp", 1, "write kind:lamp"),
        ("ħal kimd:x", 5, "there is kind;"),
        ("triq\nkimd:x", 1, "there is kind;"),
    ] {
        let mistake = Query::read(text).expect_err(text);
        assert_eq!(mistake.column, column, "{text}: {mistake}");
        assert!(mistake.why.contains(why), "{text}: {mistake}");
    }
}

#[test]
fn small_words_of_a_title_are_words_where_nobody_writes_a_query() {
    assert!(Query::read("salt and pepper").is_ok());
    assert!(Query::read("kind:lamp \"and\"").is_ok());
}

#[test]
fn a_query_is_bounded() {
    let long = "a".repeat(TEXT_MAX_BYTES + 1);
    assert!(Query::read(&long).unwrap_err().why.contains("at most 1000"));
    assert!(Query::read(&" ".repeat(TEXT_MAX_BYTES + 1)).is_err());
    let deep = |steps: usize| format!("{}a{}", "(".repeat(steps), ")".repeat(steps));
    assert!(Query::read(&deep(DEPTH_MAX.into())).is_ok());
    assert!(Query::read(&deep(usize::from(DEPTH_MAX) + 1)).unwrap_err().why.contains("too deeply"));
    assert!(Query::read(&"a ".repeat(TERMS_MAX)).is_ok());
    assert_eq!(Query::read(&"a ".repeat(TERMS_MAX + 1)).unwrap_err().column, 2 * TERMS_MAX + 1);
    let alone = format!("kind:({})", "lamp OR ".repeat(TERMS_MAX) + "bin");
    assert!(Query::read(&alone).is_err(), "what stands in the brackets of a field counts as well");
}

#[test]
fn what_a_query_needs_is_known_before_it_is_asked() {
    let read = |text: &str| Query::read(text).unwrap();
    for (text, kinds) in [
        ("kind:lamp temp_c>5", vec![Kind::Lamp]),
        ("kind:lamp OR kind:bin", vec![Kind::Lamp, Kind::Bin]),
        ("kind:lamp kind:bin", vec![]),
        ("(kind:lamp temp_c>5) OR (kind:bin fill_pct>5)", vec![Kind::Lamp, Kind::Bin]),
        ("NOT kind:(parking OR charger OR vehicle OR gateway OR other OR bin)", vec![Kind::Lamp]),
        ("kind:lamp OR moro", Kind::ALL.to_vec()),
        ("", Kind::ALL.to_vec()),
    ] {
        assert_eq!(read(text).kinds(), kinds, "{text}");
    }
    for (text, needs) in [
        ("kind:lamp alarm.active:true", true),
        ("alarm.rule:a OR alarm.priority:critical", true),
        ("alarm.active:false", false),
        ("NOT alarm.active:true", false),
        ("alarm.rule:a OR lamp", false),
        ("", false),
    ] {
        assert_eq!(read(text).needs_an_alarm(), needs, "{text}");
    }
    for (text, goes) in [
        ("lamp kind:lamp area:x street:y gateway:z name:a group:g", true),
        ("temp_c>5", false),
        ("near:35.9,14.5,1km", false),
        ("hasDelta:true", false),
    ] {
        assert_eq!(read(text).goes_by_description(), goes, "{text}");
    }
}

#[test]
fn where_only_descriptions_count_another_term_is_told() {
    let read = |text: &str| Query::read(text).unwrap();
    let check = |text: &str| read(text).only_by_description("a rule's search", "write it in when");
    assert_eq!(check("moro kind:lamp"), Ok(()));
    let mistake = check("moro temp_c>5").unwrap_err();
    assert_eq!((mistake.column, mistake.why.contains("temp_c changes")), (6, true), "{mistake}");
    assert_eq!(check("moro group:x").unwrap_err().column, 12);
    let groups = ["Marsa crew", "Depot"];
    assert_eq!(read("group:depot OR group:mar*").check_groups(groups), Ok(()));
    let mistake = read("lamp group:harbour").check_groups(groups).unwrap_err();
    assert_eq!((mistake.column, mistake.why.contains("Marsa crew, Depot")), (12, true), "{mistake}");
}

/// Words, fields and what stands between them, as people might put them together, right and wrong.
fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zħΣİ\\-+*?\\\\.=]{1,6}",
        Just("AND".to_owned()),
        Just("OR".to_owned()),
        Just("NOT".to_owned()),
        Just("TO".to_owned()),
        "[()\":<>\\[\\]{}]",
        "(kind|name|area|group|status|age|near|temp_c|value\\.[a-c]|shadow\\.reported\\.[a-c]|hasDelta|alarm\\.rule)[:<>]",
        "-?[0-9]{1,3}(\\.[0-9])?[smhd]?",
    ];
    (proptest::collection::vec((piece, any::<bool>()), 0..14)).prop_map(|pieces| {
        pieces.into_iter().map(|(piece, space)| if space { format!("{piece} ") } else { piece }).collect()
    })
}

/// Queries that are right.
fn query() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        "[a-zA-ZħΣİ][a-z0-9]{0,5}\\*?",
        "\"[a-z \\\\(:ħ]{0,3}[a-z]\"",
        "kind:(lamp|bin|\\*|b\\*)",
        "(name|title|street|area|gateway|alarm\\.rule):[a-zħ*?\\-]{1,5}",
        "(name|area):\\[[a-f]{1,2} TO [m-z]{1,2}[\\]}]",
        "group:\"[a-z ]{1,6}\"",
        "(status:warning|alarm\\.priority>=warning|alarm\\.active:(true|false|\\*))",
        "(hasDelta|shadow\\.hasDelta|shadow\\.name\\.net\\.hasDelta|connectivity\\.connected):(true|false|\\*)",
        "age(<|>=|:<)[0-9]{1,3}(\\.5)?[smhd]",
        "near:-?[0-9]{1,2}\\.[0-9]{1,4},-?[1-9]{1,2}\\.[0-9],[0-9]{1,4}(m|km)",
        "(temp_c|value\\.a\\.b|value\\.a\\\\\\.b|shadow\\.desired\\.a|shadow\\.name\\.x\\.reported\\.y)(:|>|<=)-?[0-9]{1,4}(\\.25)?",
        "(value\\.a|shadow\\.reported\\.b):[\\[{](\\*|-?[0-9]{1,2}) TO (\\*|1[0-9]{2})[\\]}]",
        "value\\.a:[\\[{]\"[a-f]\" TO \"[m-z \\\\\\\\]{1}\"\\]",
    ];
    term.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.clone().prop_map(|a| format!("NOT ({a})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_typed_is_read_or_told_by_a_column_that_is_there(text in anything()) {
        match Query::read(&text) {
            Ok(query) => {
                query.finds(&Asked(&LAMP, &query));
            }
            Err(mistake) => {
                let line = text.split('\n').nth(mistake.line - 1).unwrap();
                prop_assert!((1..=line.chars().count() + 1).contains(&mistake.column), "{} in {:?}", mistake, text);
                prop_assert!(!mistake.why.is_empty());
            }
        }
        for cursor in 0..=text.len() {
            let completion = complete(&text, cursor, &Vocabulary::default());
            for choice in &completion.choices {
                let (put, at) = completion.put(&text, choice);
                prop_assert!(put.is_char_boundary(at));
            }
        }
    }

    #[test]
    fn a_query_that_is_written_again_means_the_same(text in query()) {
        // A place on the earth that is none, or a range of one letter the wrong way round.
        let Ok(query) = Query::read(&text) else { return Ok(()) };
        let written = query.to_string();
        let again = match Query::read(&written) {
            Ok(again) => again,
            Err(mistake) => return Err(TestCaseError::fail(format!("{mistake}: {written}, of {text}"))),
        };
        prop_assert_eq!(again.to_string(), written.clone(), "of {}", text);
        prop_assert_eq!(query.finds(&Asked(&LAMP, &query)), again.finds(&Asked(&LAMP, &again)), "{}", written);
    }

    #[test]
    fn not_not_is_nothing_and_not_is_the_other(text in query()) {
        let Ok(query) = Query::read(&text) else { return Ok(()) };
        let so = query.finds(&Asked(&LAMP, &query));
        prop_assert_eq!(finds(&format!("NOT ({text})"), &LAMP), !so);
        prop_assert_eq!(finds(&format!("NOT (NOT ({text}))"), &LAMP), so);
        prop_assert_eq!(finds(&format!("-(-({text}))"), &LAMP), so);
    }

    #[test]
    fn only_the_kinds_that_it_says_can_be_found(text in query()) {
        let Ok(query) = Query::read(&text) else { return Ok(()) };
        if query.finds(&Asked(&LAMP, &query)) {
            prop_assert!(query.kinds().contains(&Kind::Lamp), "{}", text);
        }
    }

    #[test]
    fn plain_words_are_each_somewhere_in_what_a_thing_is_found_by(words in proptest::collection::vec("[a-z0-9]{1,4}", 1..6)) {
        let found_by = "lamp 12\nl-0012\ntriq aldo moro\nħal qormi";
        let want = words.iter().all(|word| found_by.contains(word.as_str()));
        prop_assert_eq!(finds(&words.join(" "), &LAMP), want);
    }
}

#[test]
fn a_text_with_wildcards_is_bounded_and_one_without_is_not() {
    let stars = |many: usize| format!("name:{}", "*a".repeat(many));
    assert!(Query::read(&stars(WILD_MAX / 2)).is_ok());
    let mistake = Query::read(&stars(WILD_MAX / 2 + 1)).unwrap_err();
    assert_eq!(
        (mistake.column, mistake.why.as_str()),
        (6, "a text with * or ? has at most 64 characters; this one has 66")
    );
    assert!(Query::read(&format!("lamp {}", "?".repeat(65))).is_err());
    assert!(Query::read(&"a".repeat(200)).is_ok() && Query::read(&format!("\"{}\"", "*".repeat(200))).is_ok());
}
