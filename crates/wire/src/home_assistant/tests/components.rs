//! Every component: what it announces, what it says, what is sent to it, and what it says when it obeyed.

use fleetlens_model::kind::BARRIER_EXPIRY_MS;

use super::*;

/// Announces one entity of the device "d" as object "x".
fn one(component: &str, config: Json) -> (HomeAssistant, Understood) {
    let mut home = empty();
    let mut config = config;
    config["device"] = json!({"identifiers": ["d"]});
    let said = announce(&mut home, &format!("homeassistant/{component}/x/config"), &config);
    (home, said)
}

fn flag(flag: bool) -> Value {
    Value::Flag(flag)
}

#[test]
fn values_say_what_their_component_means() {
    for (component, config, topic, payload, want) in [
        ("sensor", json!({"stat_t": "s", "unit_of_meas": "W"}), "s", "12.5", vec![at("/x", n(12.5))]),
        ("sensor", json!({"stat_t": "s", "stat_cla": "measurement"}), "s", " 3 ", vec![at("/x", n(3.0))]),
        ("sensor", json!({"stat_t": "s"}), "s", "1.2.3", vec![at("/x", word("1.2.3"))]),
        ("sensor", json!({"stat_t": "s"}), "s", "unknown", vec![]),
        ("sensor", json!({"stat_t": "s", "unit_of_meas": "W"}), "s", "unavailable", vec![]),
        ("sensor", json!({"stat_t": "s", "val_tpl": "{{ value_json.a.b }}"}), "s", "{}", vec![]),
        ("sensor", json!({"stat_t": "s", "val_tpl": "{{ value_json.a }}"}), "s", r#"{"a":null}"#, vec![]),
        ("sensor", json!({"stat_t": "s"}), "s", "", vec![]),
        (
            "binary_sensor",
            json!({"stat_t": "s", "pl_on": true, "pl_off": false, "val_tpl": "{{ value_json.o }}"}),
            "s",
            r#"{"o":true}"#,
            vec![at("/x", flag(true))],
        ),
        ("binary_sensor", json!({"stat_t": "s"}), "s", "OFF", vec![at("/x", flag(false))]),
        (
            "switch",
            json!({"stat_t": "s", "cmd_t": "c", "stat_on": "1", "stat_off": "0"}),
            "s",
            "1",
            vec![at("/x", flag(true))],
        ),
        ("siren", json!({"stat_t": "s"}), "s", r#"{"state":"ON","tone":"bell"}"#, vec![at("/x", flag(true))]),
        ("siren", json!({"stat_t": "s"}), "s", "OFF", vec![at("/x", flag(false))]),
        (
            "light",
            json!({"bri_stat_t": "b", "bri_scl": 100, "stat_t": "s", "cmd_t": "c"}),
            "b",
            "40",
            vec![at("/x/brightness", n(40.0))],
        ),
        (
            "light",
            json!({"schema": "json", "stat_t": "s", "brightness": true}),
            "s",
            r#"{"state":null,"brightness":255}"#,
            vec![at("/x/brightness", n(100.0))],
        ),
        (
            "light",
            json!({"schema": "json", "stat_t": "s", "sup_clrm": ["onoff"]}),
            "s",
            r#"{"state":"ON","brightness":9}"#,
            vec![at("/x", flag(true))],
        ),
        (
            "light",
            json!({
                "schema": "template", "stat_t": "s", "stat_tpl": "{{ value.split(',')[0] }}",
                "bri_tpl": "{{ value.split(',')[1] }}"
            }),
            "s",
            "on,51",
            vec![at("/x", flag(true)), at("/x/brightness", n(20.0))],
        ),
        ("number", json!({"stat_t": "s", "cmd_t": "c"}), "s", "7", vec![at("/x", n(7.0))]),
        (
            "select",
            json!({"stat_t": "s", "cmd_t": "c", "ops": ["None", "a"]}),
            "s",
            "None",
            vec![at("/x", word("None"))],
        ),
        ("text", json!({"stat_t": "s", "cmd_t": "c"}), "s", "hello", vec![at("/x", word("hello"))]),
        ("cover", json!({"stat_t": "s", "cmd_t": "c"}), "s", "opening", vec![at("/x", word("opening"))]),
        (
            "cover",
            json!({"pos_t": "p", "set_pos_t": "c", "pos_open": 0, "pos_clsd": 50}),
            "p",
            "10",
            vec![at("/x", word("open")), at("/x/position", n(80.0))],
        ),
        (
            "cover",
            json!({"pos_t": "p", "cmd_t": "c"}),
            "p",
            r#"{"position":0,"tilt_position":9}"#,
            vec![at("/x", word("closed")), at("/x/position", n(0.0))],
        ),
        ("valve", json!({"stat_t": "s"}), "s", r#"{"state":"closing"}"#, vec![at("/x", word("closing"))]),
        ("valve", json!({"stat_t": "s", "pos": true, "pos_open": 10}), "s", "5", vec![at("/x/position", n(50.0))]),
        (
            "lock",
            json!({"stat_t": "s", "stat_locked": "1", "stat_unlocked": "0"}),
            "s",
            "1",
            vec![at("/x", word("locked"))],
        ),
        ("lock", json!({"stat_t": "s"}), "s", "JAMMED", vec![at("/x", word("jammed"))]),
        (
            "climate",
            json!({
                "mode_stat_t": "s", "mode_stat_tpl": "{{ value_json.m }}", "temp_stat_t": "s",
                "temp_stat_tpl": "{{ value_json.t }}", "curr_temp_t": "s",
                "curr_temp_tpl": "{{ value_json.c }}", "act_t": "s", "act_tpl": "{{ value_json.a }}"
            }),
            "s",
            r#"{"m":"heat","t":21,"c":19.5,"a":"heating"}"#,
            vec![
                at("/x/action", word("heating")),
                at("/x/current_temperature", n(19.5)),
                at("/x/mode", word("heat")),
                at("/x/temperature", n(21.0)),
            ],
        ),
        ("water_heater", json!({"mode_stat_t": "s"}), "s", "eco", vec![at("/x/mode", word("eco"))]),
        (
            "humidifier",
            json!({"stat_t": "s", "hum_stat_t": "h", "hum_cmd_t": "c", "cmd_t": "c"}),
            "h",
            "45",
            vec![at("/x/target_humidity", n(45.0))],
        ),
        (
            "fan",
            json!({"stat_t": "s", "cmd_t": "c", "pct_stat_t": "p", "spd_rng_max": 4}),
            "p",
            "3",
            vec![at("/x/percentage", n(75.0))],
        ),
        (
            "fan",
            json!({"cmd_t": "c", "osc_stat_t": "o"}),
            "o",
            "oscillate_off",
            vec![at("/x/oscillation", flag(false))],
        ),
        (
            "device_tracker",
            json!({"stat_t": "s", "json_attr_t": "a"}),
            "s",
            "not_home",
            vec![at("/x", word("not_home"))],
        ),
        (
            "device_tracker",
            json!({"json_attr_t": "a"}),
            "a",
            r#"{"latitude":35.9,"longitude":14.5,"gps_accuracy":12,"more":[1]}"#,
            vec![at("/lat", n(35.9)), at("/lon", n(14.5)), at("/x/gps_accuracy", n(12.0))],
        ),
        (
            "update",
            json!({"stat_t": "s"}),
            "s",
            r#"{"installed_version":"1.0","latest_version":"1.1"}"#,
            vec![at("/x/installed_version", word("1.0")), at("/x/latest_version", word("1.1"))],
        ),
        ("update", json!({"stat_t": "s", "l_ver_t": "l"}), "l", "2.0", vec![at("/x/latest_version", word("2.0"))]),
        ("event", json!({"stat_t": "s"}), "s", r#"{"event_type":"press","n":1}"#, vec![at("/x", word("press"))]),
        (
            "vacuum",
            json!({"stat_t": "s"}),
            "s",
            r#"{"state":"docked","battery_level":61}"#,
            vec![at("/x", word("docked"))],
        ),
        ("lawn_mower", json!({"activity_state_topic": "s"}), "s", "mowing", vec![at("/x", word("mowing"))]),
        (
            "alarm_control_panel",
            json!({"stat_t": "s", "cmd_t": "c"}),
            "s",
            "armed_away",
            vec![at("/x", word("armed_away"))],
        ),
    ] {
        let (mut home, _) = one(component, config.clone());
        assert_eq!(values(&mut home, topic, payload), want, "{component} {config} {payload}");
    }
}

#[test]
fn what_has_no_state_is_neither_shown_nor_commanded() {
    for (component, config) in [
        ("button", json!({"cmd_t": "c"})),
        ("scene", json!({"cmd_t": "c"})),
        ("switch", json!({"cmd_t": "c"})),
        ("notify", json!({"cmd_t": "c"})),
        ("camera", json!({"t": "pictures"})),
        ("device_automation", json!({"t": "actions", "atype": "trigger"})),
        ("text", json!({"stat_t": "s", "cmd_t": "c", "mode": "password"})),
    ] {
        let mut home = empty();
        let said = announce(&mut home, &format!("homeassistant/{component}/x/config"), &config);
        assert_eq!(said, Understood::default(), "{component}");
    }
    for (component, config) in [
        ("lock", json!({"stat_t": "s", "cmd_t": "c", "code_format": "^\\d{4}$"})),
        ("climate", json!({"mode_stat_t": "s", "temp_cmd_t": "c"})),
        ("alarm_control_panel", json!({"stat_t": "s", "cmd_t": "c"})),
        ("cover", json!({"stat_t": "s", "set_pos_t": "c"})),
        ("sensor", json!({"stat_t": "s", "cmd_t": "c"})),
        ("light", json!({"stat_t": "s", "cmd_t": "c", "on_cmd_type": "brightness"})),
    ] {
        let (_, said) = one(component, config);
        assert!(said.said[0].about.steering.as_ref().unwrap().controls.is_empty(), "{component}");
    }
}

/// A command, the bytes it sends, and the state with which a device obeys: it must say what was wanted.
#[test]
fn what_a_device_says_when_it_obeyed_is_what_was_wanted() {
    let to = |topic: &str, payload: &str| (topic.to_owned(), payload.to_owned());
    let dimmer = json!({
        "stat_t": "s", "cmd_t": "c", "bri_stat_t": "s", "bri_cmd_t": "bc", "on_cmd_type": "brightness", "bri_scl": 99,
        "stat_val_tpl": "{{ 'OFF' if value_json.value == 0 else 'ON' }}", "bri_val_tpl": "{{ value_json.value }}"
    });
    let curtain = json!({
        "stat_t": "s", "cmd_t": "c", "pos_t": "s", "set_pos_t": "c", "pos_tpl": "{{ value_json.position }}",
        "set_pos_tpl": "{ \"position\": {{ position }} }",
        "val_tpl": "{% if \"motor\" in value_json and value_json.motor %} {{ value_json.motor }} {% else %} stop {% endif %}",
        "stat_opening": "up", "stat_closing": "down", "stat_stopped": "stop"
    });
    for (component, config, pointer, want, sent, state) in [
        ("light", dimmer.clone(), "/x", json!(true), vec![to("bc", "99")], ("s", r#"{"value":99}"#)),
        ("light", dimmer.clone(), "/x", json!(false), vec![to("c", "OFF")], ("s", r#"{"value":0}"#)),
        ("light", dimmer, "/x/brightness", json!(50), vec![to("bc", "50")], ("s", r#"{"value":50}"#)),
        ("cover", curtain.clone(), "/x", json!("closed"), vec![to("c", "CLOSE")], ("s", r#"{"position":0}"#)),
        ("cover", curtain.clone(), "/x/movement", json!("stopped"), vec![to("c", "STOP")], ("s", r#"{"position":9}"#)),
        (
            "cover",
            curtain,
            "/x/position",
            json!(70),
            vec![to("c", "{ \"position\": 70 }")],
            ("s", r#"{"position":70,"motor":"down"}"#),
        ),
        ("switch", json!({"stat_t": "s", "cmd_t": "c"}), "/x", json!(true), vec![to("c", "ON")], ("s", "ON")),
        (
            "switch",
            json!({"stat_t": "s", "cmd_t": "c", "cmd_tpl": "{\"p\":\"{{ value | lower }}\"}", "stat_off": "no"}),
            "/x",
            json!(false),
            vec![to("c", r#"{"p":"off"}"#)],
            ("s", "no"),
        ),
        (
            "siren",
            json!({"stat_t": "s", "cmd_t": "c"}),
            "/x",
            json!(true),
            vec![to("c", r#"{"state":"ON"}"#)],
            ("s", "ON"),
        ),
        (
            "siren",
            json!({"stat_t": "s", "cmd_t": "c", "cmd_tpl": "{{ state }}!"}),
            "/x",
            json!(false),
            vec![to("c", "OFF!")],
            ("s", "OFF"),
        ),
        (
            "light",
            json!({"stat_t": "s", "cmd_t": "c", "bri_stat_t": "b", "bri_cmd_t": "bc"}),
            "/x/brightness",
            json!(50),
            vec![to("bc", "128"), to("c", "ON")],
            ("b", "128"),
        ),
        (
            "light",
            json!({"stat_t": "s", "cmd_t": "c", "bri_stat_t": "b", "bri_cmd_t": "bc", "on_cmd_type": "first"}),
            "/x/brightness",
            json!(1),
            vec![to("c", "ON"), to("bc", "3")],
            ("b", "3"),
        ),
        (
            "light",
            json!({
                "stat_t": "s", "cmd_t": "c", "bri_stat_t": "b", "bri_cmd_t": "bc", "on_cmd_type": "brightness",
                "bri_scl": 10
            }),
            "/x/brightness",
            json!(33),
            vec![to("bc", "3")],
            ("b", "3"),
        ),
        (
            "light",
            json!({
                "schema": "template", "stat_t": "s", "cmd_t": "c", "stat_tpl": "{{ value.split(',')[0] }}",
                "bri_tpl": "{{ value.split(',')[1] }}", "cmd_on_tpl": "{{ state }},{{ brightness | d('') }}",
                "cmd_off_tpl": "off"
            }),
            "/x/brightness",
            json!(20),
            vec![to("c", "on,51")],
            ("s", "on,51"),
        ),
        (
            "light",
            json!({
                "schema": "template", "stat_t": "s", "cmd_t": "c", "stat_tpl": "{{ value }}",
                "cmd_on_tpl": "on,{{ brightness | d('') }}", "cmd_off_tpl": "gone"
            }),
            "/x",
            json!(false),
            vec![to("c", "gone")],
            ("s", "off"),
        ),
        (
            "number",
            json!({"stat_t": "s", "cmd_t": "c", "min": 0, "max": 5, "step": 0.5}),
            "/x",
            json!(2.5),
            vec![to("c", "2.5")],
            ("s", "2.5"),
        ),
        (
            "number",
            json!({"stat_t": "s", "cmd_t": "c", "cmd_tpl": "{\"n\": {{ value * 10 }}}"}),
            "/x",
            json!(4.0),
            vec![to("c", "{\"n\": 40}")],
            ("s", "4"),
        ),
        (
            "select",
            json!({"stat_t": "s", "cmd_t": "c", "ops": ["Eco", "Full"]}),
            "/x",
            json!("Full"),
            vec![to("c", "Full")],
            ("s", "Full"),
        ),
        (
            "text",
            json!({"stat_t": "s", "cmd_t": "c", "max": 20}),
            "/x",
            json!("closed today"),
            vec![to("c", "closed today")],
            ("s", "closed today"),
        ),
        (
            "cover",
            json!({"stat_t": "s", "cmd_t": "c", "pl_open": "UP", "pl_cls": "DOWN"}),
            "/x",
            json!("closed"),
            vec![to("c", "DOWN")],
            ("s", "closed"),
        ),
        (
            "cover",
            json!({"stat_t": "s", "cmd_t": "c"}),
            "/x",
            json!("stopped"),
            vec![to("c", "STOP")],
            ("s", "stopped"),
        ),
        ("cover", json!({"pos_t": "p", "cmd_t": "c"}), "/x", json!("open"), vec![to("c", "OPEN")], ("p", "73")),
        (
            "cover",
            json!({
                "pos_t": "p", "set_pos_t": "c", "pos_open": 0, "pos_clsd": 100,
                "set_pos_tpl": "{{ value }}/{{ position }}/{{ position_open }}"
            }),
            "/x/position",
            json!(70.0),
            vec![to("c", "30/70/0")],
            ("p", "30"),
        ),
        ("valve", json!({"stat_t": "s", "cmd_t": "c"}), "/x", json!("open"), vec![to("c", "OPEN")], ("s", "open")),
        (
            "valve",
            json!({"stat_t": "s", "cmd_t": "c", "pos": true, "pos_open": 7}),
            "/x/position",
            json!(50),
            vec![to("c", "4")],
            ("s", "4"),
        ),
        (
            "lock",
            json!({"stat_t": "s", "cmd_t": "c"}),
            "/x",
            json!("unlocked"),
            vec![to("c", "UNLOCK")],
            ("s", "UNLOCKED"),
        ),
        (
            "lock",
            json!({"stat_t": "s", "cmd_t": "c", "pl_open": "FREE"}),
            "/x",
            json!("open"),
            vec![to("c", "FREE")],
            ("s", "OPEN"),
        ),
        (
            "climate",
            json!({"temp_stat_t": "s", "temp_cmd_t": "c", "temp_step": 0.5}),
            "/x/temperature",
            json!(21.5),
            vec![to("c", "21.5")],
            ("s", "21.5"),
        ),
        (
            "climate",
            json!({"mode_stat_t": "s", "mode_cmd_t": "c", "modes": ["off", "heat"]}),
            "/x/mode",
            json!("heat"),
            vec![to("c", "heat")],
            ("s", "heat"),
        ),
        ("humidifier", json!({"stat_t": "s", "cmd_t": "c"}), "/x", json!(true), vec![to("c", "ON")], ("s", "ON")),
        (
            "fan",
            json!({"pct_stat_t": "p", "pct_cmd_t": "c", "spd_rng_max": 3}),
            "/x/percentage",
            json!(50),
            vec![to("c", "2")],
            ("p", "2"),
        ),
        (
            "fan",
            json!({"dir_stat_t": "s", "dir_cmd_t": "c"}),
            "/x/direction",
            json!("reverse"),
            vec![to("c", "reverse")],
            ("s", "reverse"),
        ),
    ] {
        let (mut home, said) = one(component, config.clone());
        let control = control(&said, pointer);
        assert_eq!(control.check(&want), Ok(()), "{component} {config}");
        let is_dangerous = ["siren", "cover", "valve", "lock"].contains(&component);
        assert_eq!(control.asks_first, is_dangerous, "{component}");
        assert_eq!(control.expiry_ms == BARRIER_EXPIRY_MS, is_dangerous, "{component}");
        assert_eq!(sends(&home, "d", &[(pointer, want.clone())]), sent, "{component} {config}");
        let told = values(&mut home, state.0, state.1);
        let value = told.iter().find(|(at, _)| at == pointer).map(|(_, value)| value);
        let is_met = match value {
            Some(Value::Flag(flag)) => want == json!(flag),
            Some(Value::Text(text)) => want == json!(text),
            Some(Value::Number(number)) => (number - want.as_f64().unwrap()).abs() <= control.tolerance,
            None => false,
        };
        assert!(is_met, "{component} {config}: {value:?} after {want}");
    }
}

#[test]
fn what_might_hurt_somebody_is_asked_first_whatever_it_is_announced_as() {
    for (component, config, asks) in [
        ("switch", json!({"stat_t": "s", "cmd_t": "c", "name": "Garage"}), true),
        ("switch", json!({"stat_t": "s", "cmd_t": "c", "name": "Child lock"}), false),
        ("number", json!({"stat_t": "s", "cmd_t": "c", "name": "Main valve"}), true),
        ("switch", json!({"stat_t": "s", "cmd_t": "c", "name": "Fountain"}), false),
    ] {
        let (_, said) = one(component, config.clone());
        assert_eq!(control(&said, "/x").asks_first, asks, "{config}");
    }
    let many: Vec<String> = (0..33).map(|n| n.to_string()).collect();
    let (mut home, said) = one("select", json!({"stat_t": "s", "cmd_t": "c", "ops": many}));
    assert!(said.said[0].about.steering.as_ref().unwrap().controls.is_empty(), "more are no row of buttons");
    assert_eq!(values(&mut home, "s", "32"), [at("/x", word("32"))]);
}

#[test]
fn a_command_that_means_nothing_is_refused_with_the_reason() {
    let (home, _) = one("light", json!({"schema": "json", "stat_t": "s", "cmd_t": "c", "brightness": true}));
    for (thing, wants, says) in [
        ("d", vec![("/x/brightness", json!(0))], "outside 1–100 %"),
        ("d", vec![("/x/brightness", json!("full"))], "takes a number"),
        ("d", vec![("/x", json!(1))], "takes true or false"),
        ("d", vec![("/y", json!(true))], "/y of this thing cannot be set"),
        ("d", vec![("/x", json!(false)), ("/x/brightness", json!(5))], "cannot be switched off as well"),
        ("e", vec![("/x", json!(true))], "has not described itself"),
    ] {
        let wants: Vec<(&str, &Json)> = wants.iter().map(|(pointer, want)| (*pointer, want)).collect();
        let error = home.command(thing, &wants, NOW).unwrap_err().to_string();
        assert!(error.contains(says), "{wants:?}: {error}");
    }
    let (home, _) = one("number", json!({"stat_t": "s", "cmd_t": "c", "cmd_tpl": "{{ value.lower() }}"}));
    let error = home.command("d", &[("/x", &json!(5))], NOW).unwrap_err().to_string();
    assert!(error.contains("the command template of the number \"x\" failed: 5 is no text"), "{error}");
}

#[test]
fn availability_is_asked_of_all_any_or_the_latest() {
    let with = |mode: &str| {
        let list = json!([{"topic": "a"}, {"topic": "b", "payload_available": "up", "payload_not_available": "down"}]);
        one("sensor", json!({"stat_t": "s", "availability": list, "availability_mode": mode})).0
    };
    let (here, gone) = (Some(Presence::Here), Some(Presence::Gone));
    for (mode, steps) in [
        ("all", [("a", "online", None), ("b", "up", here), ("a", "offline", gone), ("b", "down", gone)]),
        ("any", [("a", "offline", None), ("b", "up", here), ("b", "down", gone), ("a", "online", here)]),
        ("latest", [("a", "online", here), ("b", "down", gone), ("b", "online", None), ("a", "online", here)]),
    ] {
        let mut home = with(mode);
        for (topic, payload, want) in steps {
            assert_eq!(presence(&mut home, topic, payload), want, "{mode} {topic} {payload}");
        }
    }
}
