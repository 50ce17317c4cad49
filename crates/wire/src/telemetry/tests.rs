use super::*;
use crate::testing::chance;

/// When the payloads came.
const NOW: WallMs = WallMs(1_700_000_100_000);

fn reading(envelope: &str, time: Option<&str>) -> Reading {
    let pointer = |text: &str| Pointer::parse(text).unwrap();
    Reading { envelope: pointer(envelope), time: time.map(pointer), ..Reading::default() }
}

fn one(payload: &[u8], reading: &Reading) -> Result<Telemetry, WireError> {
    decode(payload, reading, NOW).map(|mut said| {
        assert_eq!(said.len(), 1);
        said.remove(0)
    })
}

#[test]
fn values_are_series_after_the_envelope_is_taken_off() {
    let n = Value::Number;
    for (name, payload, reading, claimed, values) in [
        ("bare", r#"{"b":2,"a":1}"#, reading("", None), None, vec![("/a", n(1.0)), ("/b", n(2.0))]),
        (
            "thingsboard",
            r#"{"ts":1700000000123,"values":{"power_w":61.8,"on":true}}"#,
            reading("/values", Some("/ts")),
            Some(1_700_000_000_123),
            vec![("/on", Value::Flag(true)), ("/power_w", n(61.8))],
        ),
        (
            "one member whose name does not matter",
            r#"{"DUE":{"tst":"2023-11-14T22:13:20Z","lat":null}}"#,
            reading("/*", Some("/*/tst")),
            Some(1_700_000_000_000),
            vec![],
        ),
        (
            "the time lies among the values",
            r#"{"VP":{"tsi":1700000000,"spd":3}}"#,
            reading("/VP", Some("/VP/tsi")),
            Some(1_700_000_000_000),
            vec![("/spd", n(3.0))],
        ),
        (
            "nested, an array, nothing",
            r#"{"a":{"b~/c":"x"},"l":[1,null],"n":null}"#,
            reading("", Some("/ts")),
            None,
            vec![("/a/b~0~1c", Value::Text("x".into())), ("/l/0", n(1.0))],
        ),
    ] {
        let got = one(payload.as_bytes(), &reading).unwrap();
        assert_eq!(got.claimed, claimed.map(WallMs), "{name}");
        let want: Vec<(String, Value)> = values.into_iter().map(|(p, v)| (p.to_string(), v)).collect();
        assert_eq!(got.values, want, "{name}");
    }
}

#[test]
fn the_longest_name_is_kept() {
    for name in ["n".repeat(255), "~".repeat(127) + "n"] {
        let payload = format!(r#"{{"{name}":1}}"#);
        let values = one(payload.as_bytes(), &reading("", None)).unwrap().values;
        assert_eq!(values[0].0.len(), POINTER_MAX_BYTES, "{name}");
    }
}

#[test]
fn a_bad_payload_is_refused_whole_and_says_why() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let many: String = (0..600).map(|i| format!("\"v{i}\":1,")).collect();
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(1025));
    let named = |name: &str| format!(r#"{{"values":{{"{name}":1}}}}"#);
    let nested = |length: usize| format!(r#"{{"{0}":{{"{0}":1}}}}"#, "n".repeat(length));
    for (name, payload, says) in [
        ("empty", String::new(), "not JSON"),
        ("a single value", "1".into(), "a single value where an object belongs"),
        ("a list of numbers", "[1]".into(), "\"/0\" is 1; it must be an object"),
        ("a long list", format!("[{}1]", "{},".repeat(512)), "lists 513 entries; at most 512"),
        (
            "many in a list",
            format!("[{}{{}}]", format!("{{\"values\":{{{many}\"z\":1}}}},").repeat(2)),
            "more than 512 values",
        ),
        ("beyond f64", r#"{"values":{"a":1e999}}"#.into(), "not JSON"),
        ("deep", deep, "not JSON: recursion limit"),
        ("many", format!("{{\"values\":{{{}\"z\":1}}}}", many), "more than 512 values"),
        ("long text", format!(r#"{{"values":{long}}}"#), "at most 1024 bytes"),
        ("a long name", named(&"n".repeat(256)), "nnn…\", has 257 bytes; at most 256"),
        ("a long name of two bytes a letter", named(&"ħ".repeat(128)), "has 257 bytes; at most 256"),
        ("names long together", format!(r#"{{"values":{}}}"#, nested(130)), "has 262 bytes; at most 256"),
        ("escapes count as they are kept", named(&"~".repeat(128)), "has 257 bytes; at most 256"),
        ("no envelope", r#"{"a":1}"#.into(), "\"/values\" is missing"),
        ("values are no object", r#"{"values":3}"#.into(), "an object of values"),
        (
            "a time that is none",
            r#"{"ts":"now","values":{}}"#.into(),
            "a time in seconds or milliseconds since 1970, or such as",
        ),
        ("a time before 1970", r#"{"ts":-5,"values":{}}"#.into(), "a time in seconds or milliseconds"),
        ("huge", " ".repeat(PAYLOAD_MAX_BYTES + 1), "at most 262144"),
    ] {
        let error = one(payload.as_bytes(), &reading("/values", Some("/ts"))).unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
    }
    let error = one(b"{\"values\":{\"a\":\"\xff\"}}", &reading("/values", None)).unwrap_err().to_string();
    assert!(error.contains("not UTF-8 from byte"), "{error}");
}
#[test]
fn a_list_is_several_messages_that_name_their_things() {
    let reading = Reading {
        list: Pointer::parse("/data").unwrap(),
        whose: Whose::Pointer(Pointer::parse("/poiID").unwrap()),
        ..reading("", Some("/at"))
    };
    let payload = r#"{"data":[{"poiID":1,"libres":250,"at":1700000000},{"poiID":"10","libres":2,"at":null}]}"#;
    let said = decode(payload.as_bytes(), &reading, NOW).unwrap();
    let read: Vec<_> = said.iter().map(|one| (one.thing.as_deref(), one.claimed, one.values.len())).collect();
    assert_eq!(read, [(Some("1"), Some(WallMs(1_700_000_000_000)), 1), (Some("10"), None, 1)]);
    assert_eq!(decode(br#"{"data":[]}"#, &reading, NOW), Ok(vec![]), "nothing was said");
    for (payload, says) in [
        (r#"{"data":[{"poiID":1},{}]}"#, "\"/poiID\" is missing"),
        (r#"{"data":[{"poiID":1.5}]}"#, "the thing's name, a text or a whole number"),
        (r#"{"data":7}"#, "a single value"),
        ("[]", "\"/data\" is missing"),
    ] {
        let error = decode(payload.as_bytes(), &reading, NOW).unwrap_err().to_string();
        assert!(error.contains(says), "{payload}: {error}");
    }
}

#[test]
fn values_go_by_our_names_and_some_describe_the_thing() {
    let renamed = |pointer: &str, times| Use::As { pointer: pointer.into(), times, least: Some(-0.5) };
    let uses = BTreeMap::from([
        ("/spd".to_owned(), renamed("/speed_kmh", 3.6)),
        ("/long".to_owned(), renamed("/lon", 1.0)),
        ("/acc".to_owned(), renamed("/acc", 1.0)),
        ("/tsi".to_owned(), Use::Nothing),
        ("/nombre".to_owned(), Use::Says(Fact::Title)),
        ("/capacidad".to_owned(), Use::Says(Fact::Capacity)),
    ]);
    let reading = Reading { uses, ..reading("", None) };
    let payload = r#"{"spd":10,"long":24.9,"tsi":5,"nombre":"Salitre","capacidad":"342","libres":-1,"acc":-1}"#;
    let said = one(payload.as_bytes(), &reading).unwrap();
    let n = Value::Number;
    let want = [("/libres", n(-1.0)), ("/lon", n(24.9)), ("/speed_kmh", n(36.0))];
    assert_eq!(said.values, want.map(|(pointer, value)| (pointer.to_owned(), value)));
    let about = About { title: Some("Salitre".into()), capacity: Some(342), ..About::default() };
    assert_eq!(said.about, about);
    for (payload, says) in [
        (r#"{"long":1,"lon":2}"#, "two values are called \"/lon\""),
        (r#"{"spd":1e308}"#, "in the unit of its new name"),
    ] {
        let error = one(payload.as_bytes(), &reading).unwrap_err().to_string();
        assert!(error.contains(says), "{payload}: {error}");
    }
}

/// A payload of each shape that says something, and how it is read.
fn shapes() -> [(&'static str, Reading, &'static str); 4] {
    let shaped = |shape| Reading { shape, whose: Whose::Shape, ..Reading::default() };
    [
        ("json", reading("/*", Some("/*/t")), r#"[{"VP":{"t":"2024-02-13T16:32:59Z","lat":60.2,"a":[true,"x"]}}]"#),
        (
            "senml",
            shaped(Shape::Senml),
            r#"[{"bn":"urn:dev:a:","bt":1.7e9,"bu":"Cel","n":"t","v":2.5},{"n":"on","t":-5,"vb":true,"s":1}]"#,
        ),
        (
            "fiware",
            shaped(Shape::Fiware),
            r#"{"id":"a","type":"OffStreetParking","name":{"type":"Text","value":"S"},"totalSpotNumber":3,
                "availableSpotNumber":{"type":"Number","value":2,"metadata":{"timestamp":{"value":"2024-02-13T16:32:59Z"}}},
                "location":{"type":"Point","coordinates":[1,2]},"dateObserved":1.7e9}"#,
        ),
        (
            "parkapi",
            shaped(Shape::Parkapi),
            r#"{"id":1,"name":"S","lat":"1.5","lon":2,"capacity":9,"realtime_free_capacity":"3",
                "realtime_data_updated_at":"2024-02-13T16:32:59Z","realtime_opening_status":"OPEN","realtime_x":{"a":1}}"#,
        ),
    ]
}

#[test]
fn every_shape_has_the_same_bounds() {
    for (name, reading, fine) in shapes() {
        let said = decode(fine.as_bytes(), &reading, NOW).unwrap();
        assert!(said.iter().any(|one| !one.values.is_empty()), "{name}");
        let (open, close) = fine.trim().split_at(fine.rfind('}').unwrap());
        let with = |more: &str| format!("{open},{more}{close}");
        let nested = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        for (what, payload, says) in [
            ("depth", with(&format!("\"v\":{nested}")), "not JSON: recursion limit"),
            ("depth that JSON allows", with(&format!("\"deep\":{}1{}", "[".repeat(9), "]".repeat(9))), "deeper than 8"),
            ("beyond f64", with("\"v\":1e999"), "not JSON: number out of range"),
            ("size", format!("{fine}{}", " ".repeat(PAYLOAD_MAX_BYTES)), "at most 262144"),
            ("a long list", format!("[{}{{}}]", "{},".repeat(4_096)), "lists 4097 entries"),
        ] {
            let error = decode(payload.as_bytes(), &reading, NOW).unwrap_err().to_string();
            assert!(error.contains(says), "{name}, {what}: {error}");
        }
        let error = decode(b"[\"\xc3\x28\"]", &reading, NOW).unwrap_err().to_string();
        assert_eq!(error, "the payload is not UTF-8 from byte 2 on", "{name}");
    }
    let members: String = (0..513).map(|i| format!(",\"v{i}\":1")).collect();
    let records: Vec<String> = (0..513).map(|i| format!(r#"{{"n":"v{i}","v":1}}"#)).collect();
    for (payload, reading) in [
        (format!(r#"{{"VP":{{"a":1{members}}}}}"#), &shapes()[0].1),
        (format!(r#"[{{"bn":"a:"}},{}]"#, records.join(",")), &shapes()[1].1),
        (format!(r#"{{"id":"a","type":"T"{members}}}"#), &shapes()[2].1),
    ] {
        let error = decode(payload.as_bytes(), reading, NOW).unwrap_err();
        assert_eq!(error, WireError::TooMany { max: VALUES_MAX });
    }
    let members: String = (0..500).map(|i| format!(",\"v{i}\":1")).collect();
    let one = format!("{{\"VP\":{{\"a\":1{members}}}}}");
    let error = decode(format!("[{}]", vec![one; 9].join(",")).as_bytes(), &shapes()[0].1, NOW).unwrap_err();
    assert_eq!(error, WireError::TooMany { max: PAYLOAD_VALUES_MAX });
}

/// Bytes changed, taken out and put in at random, the same every time: whatever comes of them is read or refused in bounds.
#[test]
fn whatever_is_done_to_a_payload_it_is_read_or_refused_in_bounds() {
    let mut below = chance(0x2545_f491_4f6c_dd1d);
    let pieces: [&[u8]; 8] = [b"null", b"-1e308", b"\"\"", b"{}", b"[1]", b"\\u202e", b"\xff", b"\"None\""];
    let mut read = 0;
    for _ in 0..4_000 {
        for (name, reading, fine) in shapes() {
            let mut payload = fine.as_bytes().to_vec();
            for _ in 0..=below(3) {
                let at = below(payload.len());
                match below(3) {
                    0 => payload[at] = pieces[below(8)][0],
                    1 => drop(payload.drain(at..(at + below(12)).min(payload.len()))),
                    _ => drop(payload.splice(at..at, pieces[below(8)].iter().copied())),
                }
            }
            match decode(&payload, &reading, NOW) {
                Ok(said) => {
                    read += 1;
                    let numbers = said.iter().flat_map(|one| &one.values).filter_map(|(_, value)| value.as_number());
                    assert!(numbers.into_iter().all(f64::is_finite), "{name}: {}", String::from_utf8_lossy(&payload));
                }
                Err(error) => assert!(error.to_string().chars().count() <= crate::REFUSAL_MAX_CHARS, "{error}"),
            }
        }
    }
    assert!(read > 500, "{read}: what is only refused tries nothing");
}
