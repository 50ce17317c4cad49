//! Announcements and messages that are wrong, too much or meant ill.

use super::*;
use crate::REFUSAL_MAX_CHARS;
use crate::testing::chance;

#[test]
fn an_announcement_that_cannot_be_taken_is_refused_whole_and_says_why() {
    let sensor = "homeassistant/sensor/x/config";
    let device = "homeassistant/device/x/config";
    let members = |n: usize| {
        (0..n).map(|i| (format!("c{i}"), json!({"p": "sensor", "stat_t": "s"}))).collect::<serde_json::Map<_, _>>()
    };
    for (topic, config, says) in [
        (
            sensor,
            json!({"stat_t": "fleet/+/state"}),
            "the state_topic of the sensor \"x\" is \"fleet/+/state\"; it must be one topic",
        ),
        (sensor, json!({"stat_t": "#"}), "without wildcards"),
        (sensor, json!({"stat_t": "$SYS/broker/load"}), "that does not begin with $"),
        (sensor, json!({"~": "$SYS", "stat_t": "~/broker"}), "that does not begin with $"),
        (sensor, json!({"~": "a/#", "stat_t": "b/~"}), "without wildcards"),
        (sensor, json!({"stat_t": ""}), "it must be one topic"),
        (sensor, json!({"stat_t": "a\u{0}b"}), "it must be one topic"),
        (sensor, json!({"stat_t": 5}), "the field \"state_topic\" is 5; it must be a topic"),
        (sensor, json!({"stat_t": "x".repeat(1025)}), "at most 1024 bytes"),
        (sensor, json!({"stat_t": "s", "avty_t": "+"}), "the availability_topic of the sensor \"x\""),
        (sensor, json!({"stat_t": "s", "avty": [{"t": "+/a"}]}), "the topic of the sensor \"x\""),
        (sensor, json!({"stat_t": "s", "avty": [{}]}), "\"availability/topic\" is missing"),
        (sensor, json!({"stat_t": "s", "avty": ["a"]}), "a list of objects"),
        (sensor, json!({"stat_t": "s", "avty_mode": "most"}), "all, any or latest"),
        (
            sensor,
            json!({"stat_t": "s", "val_tpl": "{{ states('a') }}"}),
            "the value_template of the sensor \"x\" failed: the function \"states\" is not known here",
        ),
        (sensor, json!({"stat_t": "s", "val_tpl": 7}), "must be a template"),
        (sensor, json!({"stat_t": "s", "dev": "lamp"}), "\"device\" is \"lamp\"; it must be an object"),
        (sensor, json!({"stat_t": "s", "dev": {"ids": [["a"]]}}), "identifiers or connections"),
        (sensor, json!({"stat_t": "s", "dev": {"ids": "a\u{7}"}}), "the hidden character"),
        (sensor, json!({"stat_t": "s", "dev": {"ids": "a".repeat(257)}}), "at most 256 are allowed"),
        (sensor, json!({"stat_t": "s", "exp_aft": "soon"}), "\"expire_after\" is \"soon\"; it must be a number"),
        (sensor, json!([]), "an array where an object belongs"),
        ("homeassistant/select/x/config", json!({"stat_t": "s", "ops": "a"}), "a list of texts"),
        ("homeassistant/select/x/config", json!({"stat_t": "s"}), "\"options\" is missing"),
        ("homeassistant/select/x/config", json!({"stat_t": "s", "ops": vec!["a"; 257]}), "lists 257 entries"),
        (
            "homeassistant/number/x/config",
            json!({"stat_t": "s", "cmd_t": "c", "min": 5, "max": 5}),
            "\"min\" is 5.0; it must be less than",
        ),
        ("homeassistant/number/x/config", json!({"stat_t": "s", "cmd_t": "c", "step": 0}), "more than 0"),
        (
            "homeassistant/switch/x/config",
            json!({"stat_t": "s", "cmd_t": "all/#"}),
            "the command_topic of the switch \"x\"",
        ),
        ("homeassistant/light/x/config", json!({"stat_t": "s", "schema": "yaml"}), "basic, json or template"),
        ("homeassistant/light/x/config", json!({"stat_t": "s", "bri_scl": 0}), "at least 1"),
        ("homeassistant/cover/x/config", json!({"pos_t": "s", "pos_open": 0}), "another number than position_closed"),
        ("homeassistant/sen-sor/x/config", json!({"stat_t": "s"}), "announces nothing"),
        ("homeassistant/sensor/x y/config", json!({"stat_t": "s"}), "announces nothing"),
        ("homeassistant/sensor//config", json!({"stat_t": "s"}), "announces nothing"),
        ("homeassistant/sensor/ħ/x/config", json!({"stat_t": "s"}), "announces nothing"),
        (device, json!({"dev": {"ids": "a"}}), "\"components\" is missing"),
        (device, json!({"cmps": {"a": {"stat_t": "s"}}}), "\"components/a/platform\" is missing"),
        (device, json!({"cmps": {"a": 1}}), "\"components/a\" is 1"),
        (device, json!({"cmps": members(513)}), "lists 513 entries; at most 512"),
        (
            device,
            json!({"cmps": {"a": {"p": "sensor", "stat_t": "s"}, "b": {"p": "sensor", "stat_t": "+"}}}),
            "the state_topic of the sensor \"b\"",
        ),
        (device, json!({"cmps": {"a".repeat(300): {"p": "sensor", "stat_t": "s"}}}), "has 301 bytes; at most 256"),
    ] {
        let mut home = empty();
        let error = hear(&mut home, topic, &config.to_string()).unwrap_err().to_string();
        assert!(error.contains(says), "{config}: {error}");
        assert!(error.chars().count() <= REFUSAL_MAX_CHARS, "{error}");
        assert_eq!(format!("{home:?}"), format!("{:?}", empty()), "{config}: nothing is remembered");
    }
    let mut home = empty();
    for (payload, says) in [
        (vec![b' '; PAYLOAD_MAX_BYTES + 1], "at most 262144"),
        (b"{\"a\":\xff}".to_vec(), "not UTF-8 from byte 5"),
        (b"{".to_vec(), "not JSON"),
        (format!("{}1{}", "[".repeat(100), "]".repeat(100)).into_bytes(), "deeper than 12"),
        (format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(), "recursion limit"),
    ] {
        let error = home.read(Incoming { topic: sensor, payload: &payload, retained: true, at: NOW }).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_prefix_that_would_listen_to_everything_listens_to_nothing() {
    for prefix in ["", "+", "#", "$SYS", "a/#"] {
        assert!(HomeAssistant::new(prefix.to_owned()).filters().is_empty(), "{prefix}");
    }
    let city = HomeAssistant::new("city/ha".to_owned());
    assert_eq!(city.filters()[0], "city/ha/+/+/config");
    for (topic, is_read) in [
        ("city/ha/sensor/a/config", true),
        ("city/ha/sensor/n/a/config", true),
        ("city/ha/sensor/n/m/a/config", false),
        ("city/ha/config", false),
        ("city/ha/sensor/config", false),
        ("city/ha/status", false),
        ("city/hasensor/a/config", false),
        ("homeassistant/sensor/a/config", false),
    ] {
        assert_eq!(city.reads(topic), is_read, "{topic}");
    }
}

#[test]
fn a_state_that_is_none_is_refused_and_nothing_of_the_message_is_taken() {
    let mut home = empty();
    let device = json!({"ids": "d"});
    announce(
        &mut home,
        "homeassistant/sensor/a/config",
        &json!({
            "stat_t": "s", "unit_of_meas": "W", "val_tpl": "{{ value_json.a }}", "dev": device, "avty_t": "s",
            "avty_tpl": "{{ value_json.up }}"
        }),
    );
    announce(
        &mut home,
        "homeassistant/binary_sensor/b/config",
        &json!({"stat_t": "s", "val_tpl": "{{ value_json.b }}", "dev": device}),
    );
    announce(
        &mut home,
        "homeassistant/sensor/c/config",
        &json!({"stat_t": "s", "val_tpl": "{{ value_json.c | float }}", "dev": device}),
    );
    for (payload, says) in [
        (r#"{"a":1,"b":"maybe"}"#, "the binary_sensor \"b\" says \"maybe\"; it must be \"ON\" or \"OFF\""),
        (r#"{"a":"much"}"#, "the sensor \"a\" says \"much\"; it must be a number"),
        (r#"{"a":"1e999"}"#, "it must be a number"),
        (r#"{"c":"x","up":"online"}"#, "the template of the sensor \"c\" failed: \"x\" is no number"),
        ("plain", "the payload is not JSON"),
        ("\u{feff}{}", "the payload is not JSON"),
    ] {
        let error = hear(&mut home, "s", payload).unwrap_err().to_string();
        assert!(error.contains(says), "{payload}: {error}");
    }
    let deep = format!("{}1{}", "[".repeat(20), "]".repeat(20));
    assert_eq!(hear(&mut home, "s", &deep), Err(WireError::TooDeep { max: 16 }));
    let all = home.entities("d").collect::<Vec<_>>();
    assert!(
        availability::presence(all.iter().map(|entity| &entity.availability)).is_none(),
        "not even that it is there"
    );
    let fine = values(&mut home, "s", r#"{"a":1,"b":"ON"}"#);
    assert_eq!(fine, [at("/a", n(1.0)), at("/b", Value::Flag(true))]);
    let error = home.read(Incoming { topic: "s", payload: b"\xff", retained: false, at: NOW }).unwrap_err();
    assert_eq!(error, WireError::NotUtf8 { at: 0 });
}

#[test]
fn a_hostile_fleet_costs_no_more_than_it_may() {
    let mut home = empty();
    let thing = json!({"ids": "d"});
    let components = |n: usize, m: usize| {
        (n..m).map(|i| (format!("c{i}"), json!({"p": "sensor", "stat_t": "s"}))).collect::<serde_json::Map<_, _>>()
    };
    announce(&mut home, "homeassistant/device/a/config", &json!({"dev": thing, "cmps": components(0, 512)}));
    let error = hear(&mut home, "homeassistant/sensor/more/config", &json!({"dev": thing, "stat_t": "s"}).to_string());
    assert_eq!(error, Err(WireError::TooMany { max: 512 }));
    assert_eq!(values(&mut home, "s", "x").len(), 512);
    // A text that everybody reads, worked on by everybody.
    let work = "{{ value | upper | lower | upper | lower | upper | lower | length }}".repeat(20);
    for i in 0..30 {
        let config = json!({"stat_t": "work", "val_tpl": work, "dev": {"ids": format!("w{i}")}});
        announce(&mut home, &format!("homeassistant/sensor/w{i}/config"), &config);
    }
    let error = hear(&mut home, "work", &"x".repeat(60_000)).unwrap_err().to_string();
    assert!(error.contains("take more steps than the 1000000 that one message may cost"), "{error}");
}

#[test]
fn what_is_remembered_is_counted_and_has_an_end() {
    let mut home = empty();
    let config = |i: usize| json!({"stat_t": "s", "dev": {"ids": format!("f{i}")}}).to_string();
    let topic = |i: usize| format!("homeassistant/sensor/f{i}/config");
    hear(&mut home, &topic(0), &config(0)).unwrap();
    let one = home.room.taken();
    hear(&mut home, &topic(0), &config(0)).unwrap();
    assert_eq!(home.room.taken(), one, "said again it is counted once");
    assert!((500..2_500).contains(&one), "{one}");
    // As if others had announced all that may be, but for a few.
    home.room.exchange(0, crate::room::REMEMBERED_MAX_BYTES - 3 * one).unwrap();
    hear(&mut home, &topic(1), &config(1)).unwrap();
    hear(&mut home, &topic(2), &config(2)).unwrap();
    let refused = hear(&mut home, &topic(3), &config(3));
    assert!(matches!(refused, Err(WireError::Full { .. })), "{refused:?}");
    assert!(!home.things.contains_key("f3"));
    hear(&mut home, &topic(1), "").unwrap();
    assert!(hear(&mut home, &topic(3), &config(3)).is_ok(), "there is room again");
}

#[test]
fn no_more_topics_are_listened_to_than_may_be() {
    let mut home = empty();
    let config = json!({"stat_t": "known"}).to_string();
    hear(&mut home, "homeassistant/sensor/a/config", &config).unwrap();
    // As if others had asked for all that may be listened to, but for one.
    home.listeners.extend((0..LISTENED_MAX - 2).map(|n| (n.to_string(), BTreeSet::new())));
    let two = json!({"stat_t": "x", "avty_t": "y"}).to_string();
    let refused = hear(&mut home, "homeassistant/sensor/b/config", &two).unwrap_err().to_string();
    assert_eq!(refused, "there is no room for it: at most 400000 topics to listen to are remembered");
    assert!(
        hear(&mut home, "homeassistant/sensor/c/config", &config).is_ok(),
        "what is listened to anyway costs nothing"
    );
    assert!(hear(&mut home, "homeassistant/sensor/d/config", &json!({"stat_t": "x"}).to_string()).is_ok());
}

#[test]
fn a_small_payload_does_not_become_a_large_memory() {
    let sensors = |config: &str| {
        let config: Json = serde_json::from_str(config).unwrap();
        (0..512).map(|i| (format!("c{i}"), config.clone())).collect::<serde_json::Map<_, _>>()
    };
    let source = json!({"t": "a", "val_tpl": format!("{{{{ 1{} }}}}", "+1".repeat(110))});
    let sums = format!("{{{{ 1{} }}}}", "+1".repeat(118));
    for (name, config) in [
        ("a shared availability", json!({"avty": vec![source; 32], "cmps": sensors(r#"{"p":"sensor","stat_t":"s"}"#)})),
        (
            "a long base in every topic",
            json!({
                "~": "b".repeat(1_000), "avty": vec![json!({"t": "~"}); 32],
                "cmps": sensors(r#"{"p":"sensor","stat_t":"~"}"#)
            }),
        ),
        ("templates", json!({"cmps": sensors(&json!({"p": "sensor", "stat_t": "s", "val_tpl": sums}).to_string())})),
    ] {
        let mut home = empty();
        let payload = config.to_string();
        assert!(payload.len() < PAYLOAD_MAX_BYTES, "{name}: {} bytes", payload.len());
        let error = hear(&mut home, "homeassistant/device/x/config", &payload).unwrap_err().to_string();
        assert!(error.contains("takes more than 8388608 bytes"), "{name}: {error}");
        assert!(home.announced.is_empty());
    }
}

/// Bytes changed, taken out and put in at random, on every topic there is: whatever comes of it is read or refused in bounds.
#[test]
fn garbage_on_every_topic_is_read_or_refused() {
    let mut below = chance(0x2545_f491_4f6c_dd1d);
    let [(light_topic, light), (power_topic, power)] = lamp();
    let cover = json!({
        "stat_t": "fleet/lamp-0417", "cmd_t": "c", "pos_t": "p", "set_pos_t": "sp",
        "val_tpl": "{{ value_json.state | lower }}", "dev": {"ids": "0x0417"}
    });
    let tracker = json!({"json_attr_t": "p", "dev": {"ids": ["t"]}});
    let device = json!({
        "cmps": {
            "a": {"p": "fan", "pct_stat_t": "p", "pct_cmd_t": "q", "stat_t": "p"},
            "b": {"p": "climate", "mode_stat_t": "p", "mode_cmd_t": "q"}
        }
    });
    let fine: Vec<(&str, String)> = vec![
        (light_topic, light.to_string()),
        (power_topic, power.to_string()),
        ("homeassistant/cover/cover/config", cover.to_string()),
        ("homeassistant/device_tracker/t/config", tracker.to_string()),
        ("homeassistant/device/x/config", device.to_string()),
        ("fleet/lamp-0417", r#"{"state":"ON","brightness":127,"power":23.46}"#.to_owned()),
        ("fleet/lamp-0417/availability", r#"{"state":"online"}"#.to_owned()),
        ("bridge/state", "online".to_owned()),
        ("p", r#"{"latitude":1,"longitude":2,"position":3}"#.to_owned()),
    ];
    let pieces: [&[u8]; 12] = [
        b"null",
        b"-1e308",
        b"\"\"",
        b"{}",
        b"[1]",
        b"\\u202e",
        b"\xff",
        b"\"None\"",
        b"~",
        b"{{ value }}",
        b"\"+/#\"",
        b"config",
    ];
    let mut home = empty();
    let (mut taken, mut values) = (0, 0);
    for round in 0..10_000 {
        let (topic, payload) = &fine[below(fine.len())];
        let mut payload = payload.as_bytes().to_vec();
        for _ in 0..below(3) {
            let at = below(payload.len().max(1)).min(payload.len());
            match below(3) {
                0 => payload.iter_mut().skip(at).take(1).for_each(|byte| *byte = pieces[below(12)][0]),
                1 => drop(payload.drain(at..(at + below(12)).min(payload.len()))),
                _ => drop(payload.splice(at..at, pieces[below(12)].iter().copied())),
            }
        }
        match home.read(Incoming { topic, payload: &payload, retained: round % 2 == 0, at: NOW }) {
            Ok(understood) => {
                taken += 1;
                values += understood.said.iter().map(|told| told.values.len()).sum::<usize>();
                for told in &understood.said {
                    assert!(told.thing.is_some() && told.values.is_sorted_by(|a, b| a.0 < b.0), "{told:?}");
                    assert!(told.values.iter().filter_map(|(_, value)| value.as_number()).all(f64::is_finite));
                }
                assert!(understood.listen.iter().all(|topic| !topic.contains(['+', '#']) && !topic.starts_with('$')));
            }
            Err(error) => assert!(error.to_string().chars().count() <= REFUSAL_MAX_CHARS, "{error}"),
        }
    }
    assert!(taken > 2_000 && values > 1_000, "{taken} taken, {values} values: what is only refused tries nothing");
    let topics: Vec<String> = home.announced.keys().cloned().collect();
    for topic in topics {
        hear(&mut home, &topic, "").unwrap();
    }
    assert_eq!(format!("{home:?}"), format!("{:?}", empty()), "whatever happened, taken back it is forgotten");
}
