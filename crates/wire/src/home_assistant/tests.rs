use std::path::{Path, PathBuf};

use fleetlens_model::kind::{Control, DEFAULT_EXPIRY_MS, Takes};
use fleetlens_model::telemetry::Value;
use serde_json::json;

use super::*;

mod components;
mod hostile;

const NOW: WallMs = WallMs(1_700_000_000_000);

fn empty() -> HomeAssistant {
    HomeAssistant::new(DEFAULT_PREFIX.to_owned())
}

/// Gives a message to the convention.
fn hear(home: &mut HomeAssistant, topic: &str, payload: &str) -> Result<Understood, WireError> {
    home.read(Incoming { topic, payload: payload.as_bytes(), retained: false, at: NOW })
}

/// Announces something that must be fine.
fn announce(home: &mut HomeAssistant, topic: &str, config: &Json) -> Understood {
    assert!(home.reads(topic), "{topic}");
    hear(home, topic, &config.to_string()).unwrap_or_else(|error| panic!("{topic}: {error}"))
}

/// What a message says of the only thing it speaks of.
fn values(home: &mut HomeAssistant, topic: &str, payload: &str) -> Vec<(String, Value)> {
    assert!(home.reads(topic), "{topic}");
    let mut said = hear(home, topic, payload).unwrap_or_else(|error| panic!("{topic}: {error}")).said;
    assert!(said.len() <= 1, "{said:?}");
    said.pop().map(|told| told.values).unwrap_or_default()
}

fn presence(home: &mut HomeAssistant, topic: &str, payload: &str) -> Option<Presence> {
    hear(home, topic, payload).unwrap().said.first().and_then(|told| told.presence)
}

/// What a command sends, as texts.
fn sends(home: &HomeAssistant, thing: &str, wants: &[(&str, Json)]) -> Vec<(String, String)> {
    let wants: Vec<(&str, &Json)> = wants.iter().map(|(pointer, want)| (*pointer, want)).collect();
    let sent = home.command(thing, &wants, NOW).unwrap_or_else(|error| panic!("{thing}: {error}"));
    sent.into_iter().map(|one| (one.topic, String::from_utf8(one.payload).unwrap())).collect()
}

fn control<'a>(said: &'a Understood, pointer: &str) -> &'a Control {
    let steering = said.said[0].about.steering.as_ref().unwrap();
    assert_eq!(steering.convention, "home-assistant");
    steering
        .controls
        .iter()
        .find(|control| control.pointer == pointer)
        .unwrap_or_else(|| panic!("{pointer}: {steering:?}"))
}

fn at(pointer: &str, value: Value) -> (String, Value) {
    (pointer.to_owned(), value)
}

fn n(number: f64) -> Value {
    Value::Number(number)
}

fn word(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A street lamp behind a bridge, as one announces its entities: short names, `~`, several entities on one topic.
fn lamp() -> [(&'static str, Json); 2] {
    let device = json!({"ids": ["0x0417"], "name": "Lamp 0417", "mf": "Maker", "sa": "Triq il-Kbira"});
    let availability = json!([{"t": "~/availability", "val_tpl": "{{ value_json.state }}"}, {"t": "bridge/state"}]);
    [
        (
            "homeassistant/light/0x0417/light/config",
            json!({
                "~": "fleet/lamp-0417", "name": null, "uniq_id": "0x0417_light", "schema": "json", "stat_t": "~",
                "cmd_t": "~/set", "sup_clrm": ["brightness"], "bri_scl": 254, "avty": availability, "avty_mode": "all",
                "dev": device
            }),
        ),
        (
            "homeassistant/sensor/0x0417/power/config",
            json!({
                "~": "fleet/lamp-0417", "name": "Power", "uniq_id": "0x0417_power", "stat_t": "~", "unit_of_meas": "W",
                "val_tpl": "{{ value_json.power | round(1) }}", "avty": availability, "avty_mode": "all", "dev": device
            }),
        ),
    ]
}

#[test]
fn a_thing_announces_itself_speaks_obeys_and_goes() {
    let mut home = empty();
    assert_eq!(home.filters(), ["homeassistant/+/+/config", "homeassistant/+/+/+/config"]);
    let [(light_topic, light), (power_topic, power)] = lamp();
    let first = announce(&mut home, light_topic, &light);
    assert_eq!(first.listen, ["bridge/state", "fleet/lamp-0417", "fleet/lamp-0417/availability"]);
    assert!(first.send.is_empty());
    let said = announce(&mut home, power_topic, &power);
    let about = &said.said[0].about;
    assert_eq!(said.said[0].thing.as_deref(), Some("0x0417"));
    assert_eq!((about.title.as_deref(), about.area.as_deref()), (Some("Lamp 0417"), Some("Triq il-Kbira")));
    assert_eq!((about.kind, about.interval_s), (None, Some(604_800)), "silence alone means nothing");
    let words =
        |words: &[(&str, &str)]| words.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    let labels = [("/light", "Light"), ("/light/brightness", "Light brightness"), ("/power", "Power")];
    assert_eq!(about.labels, words(&labels));
    assert_eq!(about.units, words(&[("/light/brightness", "%"), ("/power", "W")]));
    let dim = control(&said, "/light/brightness");
    assert_eq!(dim.takes, Takes::Range { min: 1.0, max: 100.0, step: 1.0, unit: "%".into() });
    assert_eq!((dim.asks_first, dim.expiry_ms), (false, DEFAULT_EXPIRY_MS));
    assert_eq!(control(&said, "/light").takes, Takes::Switch);

    assert_eq!(presence(&mut home, "bridge/state", "online"), None, "the lamp has not said so yet");
    assert_eq!(presence(&mut home, "fleet/lamp-0417/availability", r#"{"state":"online"}"#), Some(Presence::Here));
    let state = r#"{"state":"ON","brightness":127,"power":23.46,"color":{"x":0.1}}"#;
    let want = [at("/light", Value::Flag(true)), at("/light/brightness", n(50.0)), at("/power", n(23.5))];
    assert_eq!(values(&mut home, "fleet/lamp-0417", state), want);
    assert_eq!(
        values(&mut home, "fleet/lamp-0417", r#"{"state":"OFF"}"#),
        [at("/light", Value::Flag(false))],
        "a part"
    );

    let sent = sends(&home, "0x0417", &[("/light/brightness", json!(40))]);
    assert_eq!((sent.len(), sent[0].0.as_str()), (1, "fleet/lamp-0417/set"));
    // In whichever order: a feature of the library that other parts of the program may switch on.
    let sent: serde_json::Value = serde_json::from_str(&sent[0].1).unwrap();
    assert_eq!(sent, json!({"brightness": 102, "state": "ON"}));
    assert_eq!(sends(&home, "0x0417", &[("/light", json!(false))])[0].1, r#"{"state":"OFF"}"#);
    let obeys = values(&mut home, "fleet/lamp-0417", r#"{"state":"ON","brightness":102}"#);
    let (_, Value::Number(reported)) = &obeys[1] else { panic!("{obeys:?}") };
    assert!((reported - 40.0).abs() <= dim.tolerance, "{reported} is as near as the lamp can come");

    assert_eq!(presence(&mut home, "bridge/state", "offline"), Some(Presence::Gone));
    assert_eq!(presence(&mut home, "bridge/state", "restarting"), None, "no word of availability");
    let said = hear(&mut home, light_topic, "").unwrap();
    assert!(said.said[0].about.steering.as_ref().unwrap().controls.is_empty(), "only the power is left");
    assert_eq!(said.said[0].presence, Some(Presence::Gone), "the bridge is still away");
    let said = hear(&mut home, power_topic, "").unwrap();
    assert_eq!((said.said[0].presence, said.said[0].thing.as_deref()), (Some(Presence::Gone), Some("0x0417")));
    assert!(!home.reads("fleet/lamp-0417") && !home.reads("bridge/state"));
    assert_eq!(home.command("0x0417", &[("/light", &json!(true))], NOW), Err(NoCommand::NotKnownYet));
    assert_eq!(hear(&mut home, power_topic, ""), Ok(Understood::default()), "taken back twice");
    assert_eq!(home.room.taken(), 0);
    assert_eq!(format!("{home:?}"), format!("{:?}", empty()), "nothing is kept of what is gone");
}

#[test]
fn what_came_before_an_entity_was_announced_is_not_lost_to_it() {
    let mut home = empty();
    let [(light_topic, light), (power_topic, power)] = lamp();
    announce(&mut home, light_topic, &light);
    hear(&mut home, "bridge/state", "online").unwrap();
    hear(&mut home, "fleet/lamp-0417/availability", r#"{"state":"online"}"#).unwrap();
    hear(&mut home, "fleet/lamp-0417", r#"{"state":"ON","power":60}"#).unwrap();
    let power = power.to_string();
    let at_ms = WallMs(NOW.0 + 5_000);
    let late = Incoming { topic: power_topic, payload: power.as_bytes(), retained: true, at: at_ms };
    let said = home.read(late).unwrap();
    let told: Vec<_> = said.said.iter().filter(|told| !told.values.is_empty()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].values.as_slice(), told[0].claimed), ([at("/power", n(60.0))].as_slice(), Some(NOW)));
    assert_eq!(said.said[0].presence, Some(Presence::Here));
    let again = announce(&mut home, light_topic, &light);
    assert_eq!(again.said[0].presence, Some(Presence::Here), "announced again it is still there");
    assert_eq!(again.said.len(), 1, "and nothing is said twice");

    home.connecting();
    assert_eq!(home.command("0x0417", &[("/light", &json!(true))], NOW), Err(NoCommand::NotKnownYet));
    assert!(home.reads("fleet/lamp-0417"), "its topics are read on");
    assert_eq!(values(&mut home, "fleet/lamp-0417", r#"{"power":61}"#), [at("/power", n(61.0))]);
    assert_eq!(presence(&mut home, "bridge/state", "online"), None, "what was said before is not believed any more");
    assert_eq!(announce(&mut home, light_topic, &light).listen.len(), 3, "subscribed anew");
    assert_eq!(sends(&home, "0x0417", &[("/light", json!(true))]).len(), 1);
}

#[test]
fn a_device_announces_all_of_its_entities_at_once() {
    let mut home = empty();
    let topic = "homeassistant/device/station-7/config";
    let whole = |components: Json| {
        json!({
            "dev": {"ids": "st7", "name": "Station 7"}, "o": {"name": "maker"}, "~": "st/7", "stat_t": "~/state",
            "avty_t": "~/up", "pl_avail": "1", "pl_not_avail": "0", "qos": 2, "cmps": components
        })
    };
    let components = json!({
        "temp/out": {"p": "sensor", "dev_cla": "temperature", "unit_of_meas": "°C", "val_tpl": "{{ value_json.t }}"},
        "door": {"p": "binary_sensor", "stat_t": "st/7/door", "name": "Station 7 Door", "exp_aft": 300},
        "reboot": {"p": "button", "cmd_t": "~/reboot"},
        "old": {"p": "sensor"}
    });
    let said = announce(&mut home, topic, &whole(components));
    assert_eq!(said.listen, ["st/7/door", "st/7/state", "st/7/up"]);
    assert_eq!(said.said[0].about.interval_s, Some(300));
    let mut labels: Vec<&str> = said.said[0].about.labels.iter().map(|(_, label)| label.as_str()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["Door", "Temp/out"], "without the device's name");
    assert_eq!(values(&mut home, "st/7/state", r#"{"t":-3.5}"#), [at("/temp~1out", n(-3.5))]);
    assert_eq!(values(&mut home, "st/7/door", "ON"), [at("/door", Value::Flag(true))]);
    assert_eq!(presence(&mut home, "st/7/up", "0"), Some(Presence::Gone));
    let migrates = announce(&mut home, topic, &json!({"migrate_discovery": true}));
    assert_eq!(migrates, Understood::default());
    assert!(home.reads("st/7/door"), "a migration takes nothing away");
    announce(
        &mut home,
        topic,
        &whole(json!({"door": {"p": "binary_sensor"}, "x": {"p": "sensor", "stat_t": "st/7/x"}})),
    );
    assert!(!home.reads("st/7/door") && home.reads("st/7/x"), "a platform alone takes a component back");
}

#[test]
fn things_and_values_have_names_that_tell_them_apart() {
    let state = json!({"state_topic": "s"});
    let with = |more: Json| {
        let mut config = state.clone();
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    for (topic, config, thing, pointer) in [
        ("sensor/a/config", with(json!({"dev": {"ids": ["d", "e"]}})), "d", "/a"),
        ("sensor/a/config", with(json!({"dev": {"ids": 17}})), "17", "/a"),
        ("sensor/a/config", with(json!({"dev": {"cns": [["mac", "02:5b"]]}})), "02:5b", "/a"),
        ("sensor/d_a/config", with(json!({"dev": {"ids": ["D"]}})), "D", "/a"),
        ("sensor/my_box_a/config", with(json!({"dev": {"ids": ["D"], "name": "My Box"}})), "D", "/a"),
        ("sensor/node/node-a/config", with(json!({"dev": {"ids": ["D"]}})), "D", "/a"),
        ("sensor/d/config", with(json!({"dev": {"ids": ["D"]}})), "D", "/sensor"),
        ("sensor/dx/config", with(json!({"dev": {"ids": ["D"]}})), "D", "/dx"),
        ("sensor/a/config", with(json!({"unique_id": "u_1"})), "u_1", "/a"),
        ("sensor/a/config", with(json!({})), "a", "/sensor"),
        ("sensor/node/a/config", with(json!({})), "node/a", "/a"),
    ] {
        let mut home = empty();
        let said = announce(&mut home, &format!("homeassistant/{topic}"), &config);
        assert_eq!(said.said[0].thing.as_deref(), Some(thing), "{topic} {config}");
        assert_eq!(said.said[0].about.labels[0].0, pointer, "{topic} {config}");
    }
    let mut home = empty();
    let device = with(json!({"dev": {"ids": "d"}}));
    announce(&mut home, "homeassistant/sensor/a/config", &device);
    announce(&mut home, "homeassistant/binary_sensor/a/config", &device);
    let said = announce(&mut home, "homeassistant/binary_sensor/a/config", &device);
    let labels: Vec<&str> = said.said[0].about.labels.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(labels, ["/a_binary_sensor", "/a"], "the later one of two, however often it says so");
    let moved = announce(&mut home, "homeassistant/sensor/a/config", &with(json!({"dev": {"ids": "e"}})));
    let things: Vec<&str> = moved.said.iter().filter_map(|told| told.thing.as_deref()).collect();
    assert_eq!(things, ["e", "d"], "what it left is told as well");
}

/// The examples of Home Assistant's own documentation, where they are laid out.
#[test]
fn the_examples_of_the_documentation_are_read() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("FLEET_DATA").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(data.join("interop/payload_samples.json")) else {
        println!("skipped: no data");
        return;
    };
    let samples: Vec<Json> = serde_json::from_str(&text).unwrap();
    let mut home = empty();
    let mut read = 0;
    for sample in samples.iter().filter(|sample| sample["system"] == "homeassistant-discovery") {
        let topic = sample["topic"].as_str().unwrap();
        let payloads = sample["payloads"].as_array().unwrap().iter();
        for payload in payloads.map(|payload| payload.as_str().map_or_else(|| payload.to_string(), str::to_owned)) {
            assert!(home.reads(topic), "{topic}");
            hear(&mut home, topic, &payload).unwrap_or_else(|error| panic!("{topic} {payload}: {error}"));
            read += 1;
        }
    }
    assert!(read >= 6, "{read}");
    let said = values(&mut home, "homeassistant/sensor/sensorBedroom/state", r#"{"temperature":23.20}"#);
    assert_eq!(said, [at("/sensor", n(23.2))]);
    assert_eq!(
        sends(&home, "irrigation", &[("/switch", json!(true))]),
        [("homeassistant/switch/irrigation/set".into(), "ON".into())]
    );
}
