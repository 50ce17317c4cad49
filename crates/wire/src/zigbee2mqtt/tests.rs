//! Whole conversations, in the order of the wire.

use crate::testing::every_other_order;
use std::path::Path;

use fleetlens_model::freshness::Presence;
use fleetlens_model::telemetry::Value;
use serde_json::json;

use super::*;

const AT: WallMs = WallMs(1_700_000_000_000);

fn lights() -> Json {
    json!({"type": "light", "features": [
        {"type": "binary", "name": "state", "label": "State", "property": "state", "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE", "access": 7},
        {"type": "numeric", "name": "brightness", "label": "Brightness", "property": "brightness", "value_min": 0, "value_max": 254, "access": 7},
        {"type": "composite", "name": "color_xy", "label": "Color (X/Y)", "property": "color", "access": 7, "features": [
            {"type": "numeric", "name": "x", "label": "X", "property": "x", "access": 7},
            {"type": "numeric", "name": "y", "label": "Y", "property": "y", "access": 7}]}]})
}

fn numeric(name: &str, label: &str, unit: &str) -> Json {
    json!({"type": "numeric", "name": name, "label": label, "property": name, "unit": unit, "access": 1})
}

fn device(name: &str, address: &str, exposes: &[Json]) -> Json {
    json!({"friendly_name": name, "ieee_address": address, "type": "Router", "supported": true, "disabled": false,
        "endpoints": {"1": {"bindings": [], "clusters": {"input": ["genOnOff"], "output": []}}},
        "definition": {"model": "M", "vendor": "V", "description": "A device", "options": [], "exposes": exposes}})
}

fn list(devices: &[Json]) -> String {
    let mut all = vec![json!({"friendly_name": "Coordinator", "type": "Coordinator", "definition": null})];
    all.extend_from_slice(devices);
    Json::from(all).to_string()
}

fn bulb() -> Json {
    let effect = json!({"type": "enum", "name": "effect", "property": "effect", "values": ["blink"], "access": 2});
    let startup = json!({"type": "enum", "name": "power_on_behavior", "label": "Power-on behavior", "category": "config",
        "property": "power_on_behavior", "values": ["off", "on"], "access": 7});
    device("my_bulb", "0x90", &[startup, lights(), effect, numeric("linkquality", "Linkquality", "lqi")])
}

fn z2m() -> Zigbee2Mqtt {
    Zigbee2Mqtt::new("zigbee2mqtt".into())
}

fn message<'a>(topic: &'a str, payload: &'a str) -> Incoming<'a> {
    Incoming { topic, payload: payload.as_bytes(), retained: false, at: AT }
}

fn read(z2m: &mut Zigbee2Mqtt, rest: &str, payload: &str) -> Understood {
    let topic = format!("zigbee2mqtt/{rest}");
    z2m.read(message(&topic, payload)).unwrap_or_else(|error| panic!("{topic} {payload}: {error}"))
}

fn refusal(z2m: &mut Zigbee2Mqtt, rest: &str, payload: &str) -> String {
    z2m.read(message(&format!("zigbee2mqtt/{rest}"), payload)).unwrap_err().to_string()
}

/// Who was said to be there or not.
fn presences(understood: &Understood) -> Vec<(&str, Option<Presence>)> {
    understood.said.iter().map(|said| (said.thing.as_deref().unwrap(), said.presence)).collect()
}

#[test]
fn a_bridge_lists_its_things_and_they_speak_obey_and_leave() {
    let mut z2m = z2m();
    assert_eq!(
        z2m.filters(),
        [
            "zigbee2mqtt/bridge/state",
            "zigbee2mqtt/bridge/devices",
            "zigbee2mqtt/bridge/event",
            "zigbee2mqtt/+",
            "zigbee2mqtt/+/availability"
        ]
    );
    assert!(z2m.reads("zigbee2mqtt/x") && !z2m.reads("zigbee2mqtt2/x") && !z2m.reads("zigbee2mqtt"));
    assert_eq!(z2m.command("my_bulb", &[("/state", &json!(true))], AT), Err(NoCommand::NotKnownYet));

    let plug = device("kitchen/floor/plug", "0x15", &[numeric("power", "Power", "W")]);
    let listed = read(&mut z2m, "bridge/devices", &list(&[bulb(), plug]));
    assert_eq!(listed.listen, ["zigbee2mqtt/kitchen/floor/plug", "zigbee2mqtt/kitchen/floor/plug/availability"]);
    assert_eq!(presences(&listed), [("kitchen/floor/plug", None), ("my_bulb", None)]);
    let about = &listed.said[1].about;
    assert_eq!((about.title.as_deref(), about.kind, about.interval_s), (Some("my_bulb"), None, Some(604_800)));
    assert_eq!(about.units, [("/linkquality".to_owned(), "lqi".to_owned())]);
    assert!(about.labels.contains(&("/color/x".to_owned(), "X".to_owned())), "{:?}", about.labels);
    let steering = about.steering.as_ref().unwrap();
    let controls: Vec<_> = steering.controls.iter().map(|it| (&*it.pointer, &*it.label, it.asks_first)).collect();
    assert_eq!(
        controls,
        [
            ("/state", "State", false),
            ("/brightness", "Brightness", false),
            ("/power_on_behavior", "Power-on behavior", false)
        ],
        "what configures it comes last"
    );

    let online = read(&mut z2m, "bridge/state", r#"{"state":"online"}"#);
    use Presence::{Gone, Here};
    assert_eq!(presences(&online), [("kitchen/floor/plug", Some(Here)), ("my_bulb", Some(Here))]);

    let state = r#"{"state":"ON","brightness":215,"color":{"x":0.3,"y":0.4},"color_mode":"xy","linkquality":90,"effect":null,
        "last_seen":"2023-11-14T22:13:19Z","update":{"state":"idle","installed_version":1},"device":{"ieeeAddr":"0x90"},"soon":"ON"}"#;
    let said = read(&mut z2m, "my_bulb", state).said;
    assert_eq!(said[0].claimed, Some(WallMs(1_699_999_999_000)));
    let n = Value::Number;
    let text = |text: &str| Value::Text(text.into());
    let want = [
        ("/brightness", n(215.0)),
        ("/color/x", n(0.3)),
        ("/color/y", n(0.4)),
        ("/color_mode", text("xy")),
        ("/linkquality", n(90.0)),
        ("/soon", text("ON")),
        ("/state", Value::Flag(true)),
        ("/update/installed_version", n(1.0)),
        ("/update/state", text("idle")),
    ];
    assert_eq!(said[0].values, want.map(|(pointer, value)| (pointer.to_owned(), value)));

    let (off, level, word) = (json!(false), json!(40), json!("on"));
    let wants = [("/state", &off), ("/brightness", &level), ("/power_on_behavior", &word)];
    let sent = z2m.command("my_bulb", &wants, AT).unwrap();
    assert_eq!(sent[0].topic, "zigbee2mqtt/my_bulb/set");
    assert_eq!(
        serde_json::from_slice::<Json>(&sent[0].payload).unwrap(),
        json!({"state": "OFF", "brightness": 40, "power_on_behavior": "on"})
    );
    assert_eq!(read(&mut z2m, "my_bulb/set", r#"{"state":"OFF"}"#), Understood::default(), "our own");
    let obeyed = read(&mut z2m, "my_bulb", r#"{"state":"OFF","brightness":40}"#).said;
    assert_eq!(obeyed[0].values, [("/brightness".to_owned(), n(40.0)), ("/state".to_owned(), Value::Flag(false))]);

    assert_eq!(presences(&read(&mut z2m, "my_bulb/availability", "offline")), [("my_bulb", Some(Gone))]);
    assert_eq!(presences(&read(&mut z2m, "my_bulb/availability", r#"{"state":"online"}"#)), [("my_bulb", Some(Here))]);
    let far = read(&mut z2m, "kitchen/floor/plug/availability", "offline");
    assert_eq!(presences(&far), [("kitchen/floor/plug", Some(Gone))]);
    assert_eq!(read(&mut z2m, "kitchen/floor/plug", r#"{"power":4.2}"#).said[0].values.len(), 1);

    let leave = r#"{"type":"device_leave","data":{"ieee_address":"0x90"}}"#;
    assert_eq!(presences(&read(&mut z2m, "bridge/event", leave)), [("my_bulb", Some(Gone))]);
    assert_eq!(z2m.command("my_bulb", &wants, AT), Err(NoCommand::NotKnownYet));
    let joined = r#"{"type":"device_joined","data":{"friendly_name":"my_bulb","ieee_address":"0x90"}}"#;
    assert_eq!(presences(&read(&mut z2m, "bridge/event", joined)), [("my_bulb", Some(Here))]);

    assert_eq!(presences(&read(&mut z2m, "bridge/state", "offline")), [("my_bulb", Some(Gone))], "the plug was gone");
    assert_eq!(z2m.command("my_bulb", &wants, AT), Err(NoCommand::NotKnownYet), "nobody hears");
    assert_eq!(presences(&read(&mut z2m, "bridge/state", "online")), [("my_bulb", Some(Here))]);

    let renamed = device("her_bulb", "0x90", &[lights()]);
    let changed = read(&mut z2m, "bridge/devices", &list(&[renamed]));
    assert_eq!(
        presences(&changed),
        [("kitchen/floor/plug", Some(Gone)), ("my_bulb", Some(Gone)), ("her_bulb", Some(Here))]
    );
    assert_eq!(changed.said[0].about.steering.as_ref().map(|steering| steering.controls.len()), Some(0));
    assert_eq!(z2m.command("my_bulb", &wants, AT), Err(NoCommand::NotKnownYet));
    assert_eq!(read(&mut z2m, "bridge/devices", ""), Understood::default());
}

#[test]
fn a_command_that_cannot_be_is_told_why() {
    let mut z2m = z2m();
    let mut disabled = device("off", "0x1", &[lights()]);
    disabled["disabled"] = json!(true);
    read(&mut z2m, "bridge/devices", &list(&[bulb(), disabled]));
    for (thing, pointer, wanted, says) in [
        ("my_bulb", "/state", json!("ON"), "State takes true or false, not \"ON\""),
        ("my_bulb", "/brightness", json!(300), "Brightness 300"),
        ("my_bulb", "/power_on_behavior", json!("toggle"), "takes one of off, on, not \"toggle\""),
        ("my_bulb", "/effect", json!("blink"), "nothing to set at /effect"),
        ("my_bulb", "/linkquality", json!(1), "nothing to set at /linkquality"),
        ("my_bulb", "/color/x", json!(0.1), "nothing to set at /color/x"),
        ("off", "/state", json!(true), "nothing to set at /state"),
    ] {
        let Err(NoCommand::Impossible(why)) = z2m.command(thing, &[(pointer, &wanted)], AT) else {
            panic!("{pointer}")
        };
        assert!(why.contains(says), "{why}");
    }
}

/// The broker replays what is retained in any order it likes, and states come whenever they do.
#[test]
fn messages_end_in_the_same_state_in_every_order() {
    let hall = device("hall/lamp", "0x91", &[lights()]);
    let devices = list(&[bulb(), hall]);
    let messages = [
        ("bridge/devices", devices.as_str()),
        ("bridge/state", "online"),
        ("my_bulb", r#"{"state":"ON"}"#),
        ("my_bulb/availability", "offline"),
        ("hall/lamp", r#"{"state":"OFF"}"#),
        ("group", r#"{"state":"ON"}"#),
        ("long_gone/availability", "offline"),
    ];
    type Known = BTreeMap<String, (BTreeMap<String, Value>, Option<Presence>, usize)>;
    let hear = |order: &[usize]| {
        let (mut z2m, mut known) = (z2m(), Known::new());
        for index in order {
            for said in read(&mut z2m, messages[*index].0, messages[*index].1).said {
                let (values, presence, controls) = known.entry(said.thing.unwrap()).or_default();
                values.extend(said.values);
                *presence = said.presence.or(*presence);
                *controls = said.about.steering.map_or(*controls, |steering| steering.controls.len());
            }
        }
        known
    };
    let want = hear(&(0..messages.len()).collect::<Vec<_>>());
    let value = |value| BTreeMap::from([("/state".to_owned(), value)]);
    assert_eq!(
        want,
        Known::from([
            ("group".into(), (value(Value::Text("ON".into())), Some(Presence::Here), 0)),
            ("hall/lamp".into(), (value(Value::Flag(false)), Some(Presence::Here), 2)),
            ("my_bulb".into(), (value(Value::Flag(true)), Some(Presence::Gone), 3)),
        ])
    );
    every_other_order(messages.len(), |order| assert_eq!(hear(order), want, "{order:?}"));
}

#[test]
fn after_the_link_was_down_the_new_list_is_compared_with_the_old() {
    let mut z2m = z2m();
    let gone = device("sold", "0x16", &[lights()]);
    read(&mut z2m, "bridge/devices", &list(&[bulb(), gone]));
    read(&mut z2m, "bridge/state", "online");
    z2m.connecting();
    let on = json!(true);
    assert_eq!(z2m.command("my_bulb", &[("/state", &on)], AT), Err(NoCommand::NotKnownYet), "not listed yet");
    let early = read(&mut z2m, "my_bulb", r#"{"state":"ON","mode":"ON"}"#).said;
    assert_eq!(early[0].values[1], ("/state".to_owned(), Value::Flag(true)), "read by the list from before");
    let mode = json!({"type": "binary", "name": "mode", "property": "mode", "value_on": "ON", "value_off": "OFF", "access": 1});
    let listed = read(&mut z2m, "bridge/devices", &list(&[device("my_bulb", "0x90", &[lights(), mode])]));
    assert_eq!(presences(&listed), [("sold", Some(Presence::Gone)), ("my_bulb", None)]);
    assert_eq!(listed.said[1].values[0], ("/mode".to_owned(), Value::Flag(true)), "and again by the new one");
    assert!(z2m.command("my_bulb", &[("/state", &on)], AT).is_ok());
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let mut z2m = z2m();
    read(&mut z2m, "bridge/devices", &list(&[bulb()]));
    let deep = r#"{"a":"#.repeat(9) + "1" + &"}".repeat(9);
    let many: Object = (0..=512).map(|i| (format!("v{i}"), json!(i))).collect();
    for (rest, payload, says) in [
        ("my_bulb", "ON", "is not JSON"),
        ("my_bulb", "[]", "an array where an object belongs"),
        ("my_bulb", r#"{"state":"ON","last_seen":"soon"}"#, "\"last_seen\" is \"soon\"; it must be a time"),
        ("my_bulb", &deep, "deeper than 8"),
        ("my_bulb", &Json::from(many).to_string(), "more than 512 values"),
        ("my_bulb", &json!({"a": "x".repeat(1_025)}).to_string(), "at most 1024 bytes"),
        ("my_bulb/availability", "here", "\"state\" is \"here\"; it must be online or offline"),
        ("my_bulb/availability", r#"{"state":1}"#, "online or offline"),
        ("bridge/state", "{}", "\"state\" is missing"),
        ("bridge/state", &"x".repeat(257), "at most 256"),
        ("bridge/event", "{}", "\"type\" is missing"),
        ("bridge/devices", "{}", "a list of devices"),
        ("a\u{7}b", "{}", "NAME/availability"),
        ("", "{}", "NAME/availability"),
    ] {
        let refusal = refusal(&mut z2m, rest, payload);
        assert!(refusal.contains(says), "{rest}: {refusal}");
    }
    assert_eq!(z2m.things.len(), 1, "nothing is remembered of what was refused");
    for (rest, payload) in [
        ("bridge/logging", "anything"),
        ("bridge/groups", "anything"),
        ("bridge/response/permit_join", "anything"),
        ("bridge/event", r#"{"type":"device_interview","data":{"friendly_name":"my_bulb","status":"started"}}"#),
        ("bridge/event", r#"{"type":"device_leave","data":{"friendly_name":"nobody"}}"#),
        ("my_bulb/get", r#"{"state":""}"#),
        ("my_bulb/set/state", "ON"),
        ("my_bulb", ""),
    ] {
        assert_eq!(read(&mut z2m, rest, payload), Understood::default(), "{rest} {payload}");
    }
}

#[test]
fn a_bridge_without_end_finds_no_room() {
    let mut z2m = z2m();
    for i in 0..NAMES_MAX {
        read(&mut z2m, &format!("n{i}"), r#"{"a":1}"#);
    }
    assert!(refusal(&mut z2m, "more", r#"{"a":1}"#).contains("at most 20000 names of one bridge"));
    assert!(refusal(&mut z2m, "more/availability", "online").contains("at most 20000 names"));
    assert!(refusal(&mut z2m, "bridge/devices", &list(&[bulb()])).contains("at most 20000 names"));
    read(&mut z2m, "n1", r#"{"a":2}"#);
    z2m.connecting();
    read(&mut z2m, "bridge/devices", &list(&[bulb()]));

    // States that wait for the list are kept as far as there is room, and told all the same.
    z2m.connecting();
    let long = json!({ "a": vec!["x".repeat(1_000); 200] }).to_string();
    for i in 0..60 {
        assert_eq!(read(&mut z2m, &format!("n{i}"), &long).said[0].values.len(), 200);
    }
    assert!(z2m.kept_bytes <= KEPT_MAX_BYTES && z2m.kept_bytes + long.len() > KEPT_MAX_BYTES, "{}", z2m.kept_bytes);
    let kept =
        |z2m: &Zigbee2Mqtt| z2m.things.values().filter_map(|thing| thing.kept.as_ref()).map(Vec::len).sum::<usize>();
    assert_eq!(z2m.kept_bytes, kept(&z2m));
    read(&mut z2m, "n0", r#"{"a":1}"#);
    assert_eq!(z2m.kept_bytes, kept(&z2m));
    read(&mut z2m, "bridge/devices", &list(&[bulb()]));
    assert_eq!((z2m.kept_bytes, kept(&z2m)), (0, 0));
}

/// Nothing that anybody sends anywhere below the base brings it down, and whatever is said can be taken.
#[test]
fn garbage_on_every_topic_is_refused_or_harmless() {
    let levels = ["bridge", "devices", "state", "event", "my_bulb", "availability", "set", "", "Ħ", "a\u{1}"];
    let hall = device("my_bulb/availability", "0x91", &[lights()]);
    let twice = r#"{"state":"ON","stat\u0065":"OFF","last_seen":1e12}"#;
    let payloads = [
        "",
        "online",
        r#"{"state":"offline"}"#,
        "[]",
        "[[[[",
        "\0",
        r#"{"state":"ON","color":{"x":[1,{"y":null}]}}"#,
        twice,
        r#"{"type":"device_leave","data":{"friendly_name":"my_bulb"}}"#,
        r#"[{"friendly_name":"a/b","definition":{"exposes":[{"type":"x"}]}}]"#,
        &list(&[bulb()]),
        &list(&[bulb(), hall]),
        &list(&[]),
    ];
    let mut z2m = z2m();
    // Numerical Recipes' generator: the same garbage every time.
    let mut seed = 7_u32;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for _ in 0..30_000 {
        let count = 1 + next(3);
        let topic: Vec<&str> = (0..count).map(|_| levels[next(levels.len())]).collect();
        let topic = format!("zigbee2mqtt/{}", topic.join("/"));
        if let Ok(understood) = z2m.read(message(&topic, payloads[next(payloads.len())])) {
            for said in understood.said {
                assert!(said.thing.as_deref().is_some_and(devices::is_name), "{topic}");
                assert!(said.values.is_sorted_by(|(a, _), (b, _)| a < b), "{topic}");
            }
            assert!(understood.listen.iter().all(|filter| filter.starts_with("zigbee2mqtt/")), "{topic}");
        }
        if next(1_000) == 0 {
            z2m.connecting();
        }
        let _ = z2m.command("my_bulb", &[("/state", &json!(true))], AT);
    }
}

/// The examples of the project's own documentation, where the shared data are (`FLEET_DATA`, else beside the checkout).
#[test]
fn the_documentations_examples_are_read() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("FLEET_DATA").map_or(beside, Into::into);
    let Ok(samples) = std::fs::read(data.join("interop/payload_samples.json")) else {
        println!("skipped: no data");
        return;
    };
    let samples: Vec<Json> = serde_json::from_slice(&samples).unwrap();
    let mut read_count = 0;
    for sample in samples.iter().filter(|sample| sample["system"] == "zigbee2mqtt") {
        for payload in sample["payloads"].as_array().unwrap() {
            let payload = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
            let topic = sample["topic"].as_str().unwrap();
            let understood = z2m().read(message(topic, &payload)).unwrap();
            assert_eq!(!understood.said.is_empty(), topic == "zigbee2mqtt/FRIENDLY_NAME", "{topic} {payload}");
            read_count += 1;
        }
    }
    assert!(read_count >= 10, "{read_count}");
}
