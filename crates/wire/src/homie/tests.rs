//! Whole conversations, in the order of the wire.

use crate::testing::every_other_order;
use std::collections::BTreeMap;

use fleetlens_model::freshness::Presence;
use fleetlens_model::telemetry::Value;
use serde_json::json;

use super::*;
use crate::room::REMEMBERED_MAX_BYTES;

const AT: WallMs = WallMs(1_700_000_000_000);

/// A lamp on a bridge, as its maker's documents would have it.
const LAMP: &str = r#"{"homie":"5.0","version":1,"name":"Lamp 7","root":"bridge","nodes":{"light":{"name":"Light","properties":{
    "power":{"name":"Power","datatype":"boolean","settable":true,"format":"off,on"},
    "level":{"name":"Level","datatype":"integer","format":"0:100:5","unit":"%","settable":true},
    "mode":{"name":"Mode","datatype":"enum","format":"steady,blink","settable":true},
    "pressed":{"name":"Button","datatype":"enum","format":"short,long","retained":false}}}}}"#;

const BRIDGE: &str = r#"{"homie":"5.0","version":1,"name":"Bridge","children":["lamp"],"nodes":{}}"#;

fn homie() -> Homie {
    Homie::new("homie".into())
}

fn message<'a>(topic: &'a str, payload: &'a str, retained: bool) -> Incoming<'a> {
    Incoming { topic, payload: payload.as_bytes(), retained, at: AT }
}

fn read(homie: &mut Homie, topic: &str, payload: &str) -> Understood {
    homie.read(message(topic, payload, false)).unwrap_or_else(|error| panic!("{topic} {payload}: {error}"))
}

fn refusal(homie: &mut Homie, topic: &str, payload: &str) -> String {
    homie.read(message(topic, payload, false)).unwrap_err().to_string()
}

/// What an engine would know of the things: the last of everything that was said.
#[derive(Debug, Default, PartialEq)]
struct Known {
    things: BTreeMap<String, Thing>,
}

#[derive(Debug, Default, PartialEq)]
struct Thing {
    values: BTreeMap<String, Value>,
    presence: Option<Presence>,
    alerts: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    controls: Vec<String>,
}

impl Known {
    fn hear(&mut self, understood: Understood) {
        for said in understood.said {
            let thing = self.things.entry(said.thing.unwrap()).or_default();
            thing.values.extend(said.values);
            thing.presence = said.presence.or(thing.presence);
            thing.labels.extend(said.about.labels);
            for (id, alert) in said.alerts {
                match alert {
                    Some(alert) => thing.alerts.insert(id, alert),
                    None => thing.alerts.remove(&id),
                };
            }
            if let Some(steering) = said.about.steering {
                assert_eq!(steering.convention, "homie");
                thing.controls = steering.controls.iter().map(|control| control.pointer.to_string()).collect();
            }
        }
    }
}

#[test]
fn a_device_describes_itself_speaks_obeys_and_leaves() {
    let mut homie = homie();
    assert_eq!(homie.filters(), ["homie/5/+/$state", "homie/5/+/$description", "homie/5/+/$alert/+"]);
    assert!(homie.reads("homie/5/lamp/$state") && !homie.reads("homie/4/lamp/$state") && !homie.reads("homie/5"));

    let begins = read(&mut homie, "homie/5/lamp/$state", "init");
    assert_eq!((begins.said[0].thing.as_deref(), begins.said[0].presence), (Some("lamp"), None), "known, not here yet");
    assert_eq!(begins.said[0].about.interval_s, Some(604_800));
    let command = |homie: &Homie, wants: &[(&str, &Json)]| homie.command("lamp", wants, AT);
    assert_eq!(command(&homie, &[("/light/power", &json!(true))]), Err(NoCommand::NotKnownYet));

    assert_eq!(read(&mut homie, "homie/5/bridge/$description", BRIDGE), Understood::default(), "it has no properties");
    let described = read(&mut homie, "homie/5/lamp/$description", LAMP);
    assert_eq!(described.listen, ["homie/5/lamp/+/+/$target", "homie/5/lamp/+/+"]);
    let about = &described.said[0].about;
    assert_eq!(about.title.as_deref(), Some("Lamp 7"));
    assert_eq!(about.units, [("/light/level".to_owned(), "%".to_owned())]);
    let pointers: Vec<_> = about.steering.iter().flat_map(|it| &it.controls).map(|c| &*c.pointer).collect();
    assert_eq!(pointers, ["/light/level", "/light/mode", "/light/power"]);
    assert_eq!(command(&homie, &[("/light/power", &json!(true))]), Err(NoCommand::NotKnownYet), "it only begins");

    assert_eq!(read(&mut homie, "homie/5/lamp/$state", "ready").said[0].presence, Some(Presence::Here));
    let level = read(&mut homie, "homie/5/lamp/light/level", "20");
    assert_eq!(level.said[0].values, [("/light/level".to_owned(), Value::Number(20.0))]);
    let pressed = read(&mut homie, "homie/5/lamp/light/pressed", "short");
    assert_eq!(pressed.said[0].values, [("/light/pressed".to_owned(), Value::Text("short".into()))]);
    let replayed = homie.read(message("homie/5/lamp/light/pressed", "short", true)).unwrap();
    assert_eq!(replayed, Understood::default(), "an event that is replayed happened long ago");

    let (on, level) = (json!(true), json!(45));
    let sent = command(&homie, &[("/light/power", &on), ("/light/level", &level)]).unwrap();
    let set = |property: &str, payload: &str| Outgoing {
        topic: format!("homie/5/lamp/light/{property}/set"),
        payload: payload.as_bytes().to_vec(),
    };
    assert_eq!(sent, [set("power", "true"), set("level", "45")]);
    assert_eq!(read(&mut homie, "homie/5/lamp/light/level/set", "45"), Understood::default(), "our own");

    let target = read(&mut homie, "homie/5/lamp/light/level/$target", "45");
    assert_eq!(target.said[0].values, [("/light/level/target".to_owned(), Value::Number(45.0))]);
    assert_eq!(target.said[0].about.labels, [("/light/level/target".to_owned(), "Level target".to_owned())]);
    assert_eq!(target.said[0].about.units, [("/light/level/target".to_owned(), "%".to_owned())]);
    assert_eq!(
        read(&mut homie, "homie/5/lamp/light/power", "true").said[0].values,
        [("/light/power".to_owned(), Value::Flag(true))]
    );

    assert_eq!(read(&mut homie, "homie/5/lamp/$state", "sleeping").said[0].presence, Some(Presence::Asleep));
    assert!(command(&homie, &[("/light/mode", &json!("blink"))]).is_ok(), "a broker may keep it for a sleeper");
    assert_eq!(read(&mut homie, "homie/5/lamp/$state", "lost").said[0].presence, Some(Presence::Gone));
    assert_eq!(command(&homie, &[("/light/power", &on)]), Err(NoCommand::NotKnownYet), "nobody hears");
    let again = read(&mut homie, "homie/5/lamp/$state", "ready");
    assert!(again.said[0].about.steering.is_some(), "whoever waits to command it hears of it");

    read(&mut homie, "homie/5/lamp/$alert/hot", "Too hot");
    let gone = read(&mut homie, "homie/5/lamp/$state", "");
    assert_eq!(gone.said[0].presence, Some(Presence::Gone));
    assert_eq!(gone.said[0].alerts, [("hot".to_owned(), None)]);
    assert_eq!(gone.said[0].about.steering.as_ref().map(|steering| steering.controls.len()), Some(0));
    for topic in ["light/level", "light/level/$target", "$description", "$alert/hot"] {
        assert_eq!(read(&mut homie, &format!("homie/5/lamp/{topic}"), "").said, [], "{topic}");
    }
    assert_eq!(homie.devices.keys().collect::<Vec<_>>(), ["bridge"], "nothing is left of it");
    assert!(homie.trees.is_empty());
}

#[test]
fn a_command_that_cannot_be_is_told_why() {
    let mut homie = homie();
    assert_eq!(homie.command("lamp", &[], AT), Err(NoCommand::NotKnownYet));
    read(&mut homie, "homie/5/lamp/$state", "ready");
    read(&mut homie, "homie/5/lamp/$description", LAMP);
    for (pointer, wanted, says) in [
        ("/light/level", json!(2.5), "Level takes a whole number, not 2.5"),
        ("/light/mode", json!("off"), "Mode takes one of the values of its format, not \"off\""),
        ("/light/pressed", json!("short"), "nothing to set at /light/pressed"),
        ("/light/soon", json!(1), "nothing to set at /light/soon"),
        ("/light/level/target", json!(1), "nothing to set at /light/level/target"),
    ] {
        let wants = [("/light/power", &json!(true)), (pointer, &wanted)];
        let Err(NoCommand::Impossible(why)) = homie.command("lamp", &wants, AT) else { panic!("{pointer}") };
        assert!(why.contains(says), "{why}");
    }
}

/// The broker replays what is retained in any order it likes.
#[test]
fn retained_messages_end_in_the_same_state_in_every_order() {
    let messages = [
        ("homie/5/lamp/$state", "ready"),
        ("homie/5/lamp/$description", LAMP),
        ("homie/5/lamp/light/level", "20"),
        ("homie/5/lamp/light/level/$target", "30"),
        ("homie/5/lamp/$alert/hot", "Too hot"),
        ("homie/5/bridge/$state", "lost"),
        ("homie/5/lamp/light/pressed", "short"),
    ];
    let hear = |order: &[usize]| {
        let (mut homie, mut known) = (homie(), Known::default());
        for index in order {
            let (topic, payload) = messages[*index];
            known.hear(homie.read(message(topic, payload, true)).unwrap());
        }
        known
    };
    let want = hear(&(0..messages.len()).collect::<Vec<_>>());
    let lamp = &want.things["lamp"];
    assert_eq!(lamp.presence, Some(Presence::Gone), "its root is lost");
    assert_eq!(lamp.values["/light/level"], Value::Number(20.0));
    assert_eq!(lamp.values["/light/level/target"], Value::Number(30.0));
    assert_eq!(lamp.values.len(), 2, "an event that is replayed is none");
    assert_eq!(lamp.labels["/light/level/target"], "Level target");
    assert_eq!((lamp.alerts["hot"].as_str(), lamp.controls.len()), ("Too hot", 3));

    every_other_order(messages.len(), |order| assert_eq!(hear(order), want, "{order:?}"));
}

#[test]
fn a_lost_root_takes_its_tree_with_it_and_brings_it_back() {
    let mut homie = homie();
    let child = |root: &str| json!({"homie": "5.0", "name": "x", "root": root, "parent": "relay"}).to_string();
    for (device, state) in [("relay", "ready"), ("light1", "sleeping"), ("light2", "init"), ("light3", "disconnected")]
    {
        read(&mut homie, &format!("homie/5/{device}/$description"), &child("bridge"));
        read(&mut homie, &format!("homie/5/{device}/$state"), state);
    }
    read(&mut homie, "homie/5/other/$state", "ready");
    let said = |understood: Understood| -> Vec<(String, Option<Presence>)> {
        understood.said.into_iter().map(|said| (said.thing.unwrap(), said.presence)).collect()
    };
    let is = |pairs: &[(&str, Presence)]| -> Vec<_> {
        pairs.iter().map(|(thing, presence)| ((*thing).to_owned(), Some(*presence))).collect()
    };
    use Presence::{Asleep, Gone, Here};
    assert_eq!(said(read(&mut homie, "homie/5/bridge/$state", "ready")), is(&[("bridge", Here)]));
    assert_eq!(
        said(read(&mut homie, "homie/5/bridge/$state", "lost")),
        is(&[("bridge", Gone), ("light1", Gone), ("light2", Gone), ("relay", Gone)]),
        "the one that was gone already is no news"
    );
    assert_eq!(
        said(read(&mut homie, "homie/5/relay/$state", "ready")),
        [("relay".to_owned(), None)],
        "not its own words"
    );
    read(&mut homie, "homie/5/light2/$state", "ready");
    assert_eq!(
        said(read(&mut homie, "homie/5/bridge/$state", "ready")),
        is(&[("bridge", Here), ("light1", Asleep), ("light2", Here), ("relay", Here)])
    );
    read(&mut homie, "homie/5/light2/$description", &child("bridge2"));
    assert_eq!(
        said(read(&mut homie, "homie/5/bridge/$state", "lost")),
        is(&[("bridge", Gone), ("light1", Gone), ("relay", Gone)]),
        "it moved to another root"
    );
    assert_eq!(
        said(read(&mut homie, "homie/5/bridge/$state", "")),
        is(&[("bridge", Gone), ("light1", Asleep), ("relay", Here)]),
        "a root that is no more is not lost"
    );
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason_and_nothing_of_it_is_remembered() {
    let mut homie = homie();
    read(&mut homie, "homie/5/lamp/$state", "ready");
    read(&mut homie, "homie/5/lamp/$description", LAMP);
    for (topic, payload, says) in [
        ("homie/5/lamp/$state", "alert", "\"alert\"; it must be init, ready, disconnected, sleeping or lost"),
        ("homie/5/lamp/$description", "{", "is not JSON"),
        ("homie/5/lamp/$description", r#"{"homie":"3.0.1"}"#, "such as 5.0"),
        ("homie/5/lamp/light/level", "bright", "\"/light/level\" is \"bright\"; it must be a whole number"),
        ("homie/5/lamp/light/level/$target", "5.5", "\"/light/level/target\""),
        ("homie/5/lamp/light/power", "on", "true or false"),
        ("homie/5/lamp/light/mode", "dim", "one of the values of its format"),
        ("homie/5/lamp/light/soon", "1", "has no value \"/light/soon\""),
        ("homie/5/lamp/light", "1", "DEVICE/NODE/PROPERTY"),
        ("homie/5/Lamp/$state", "ready", "each of a–z, 0–9 and -"),
    ] {
        let refusal = refusal(&mut homie, topic, payload);
        assert!(refusal.contains(says), "{topic}: {refusal}");
    }
    let latin_1 = Incoming { payload: b"\xe4", ..message("homie/5/new/$state", "", false) };
    assert!(homie.read(latin_1).unwrap_err().to_string().contains("UTF-8"));
    assert!(refusal(&mut homie, "homie/5/new/light/mode", &"x".repeat(1_025)).contains("at most 1024"));
    assert_eq!(homie.devices.len(), 1);
    assert_eq!(read(&mut homie, "homie/5/lamp/light/level", "5").said[0].values.len(), 1, "the old description holds");
}

#[test]
fn alerts_are_raised_and_cleared_by_their_ids() {
    let mut homie = homie();
    read(&mut homie, "homie/5/lamp/$state", "ready");
    let said = read(&mut homie, "homie/5/lamp/$alert/battery", "Battery is low,\u{202e} at 8%").said;
    assert_eq!(said[0].alerts, [("battery".to_owned(), Some("Battery is low, at 8%".to_owned()))]);
    let said = read(&mut homie, "homie/5/lamp/$alert/odd", "\u{202e}").said;
    assert_eq!(said[0].alerts, [("odd".to_owned(), Some("odd".to_owned()))], "nothing to show but its id");
    let said = read(&mut homie, "homie/5/lamp/$alert/battery", "").said;
    assert_eq!(said[0].alerts, [("battery".to_owned(), None)]);
    for i in 1..ALERTS_MAX {
        read(&mut homie, &format!("homie/5/lamp/$alert/a{i}"), "x");
    }
    assert!(refusal(&mut homie, "homie/5/lamp/$alert/more", "x").contains("at most 64 alerts"));
    read(&mut homie, "homie/5/lamp/$alert/odd", "still");
}

#[test]
fn what_is_not_said_again_after_the_link_was_down_has_been_taken_back() {
    let mut homie = homie();
    for device in ["stays", "left"] {
        read(&mut homie, &format!("homie/5/{device}/$state"), "ready");
        read(&mut homie, &format!("homie/5/{device}/$alert/hot"), "Too hot");
        read(&mut homie, &format!("homie/5/{device}/$alert/dark"), "Too dark");
    }
    homie.connecting();
    homie.connecting();
    assert_eq!(homie.command("stays", &[], AT), Err(NoCommand::NotKnownYet));
    let later = |ms| Incoming { at: AT.plus(ms), ..message("homie/5/$broadcast/x", "", false) };
    read(&mut homie, "homie/5/stays/$state", "ready");
    read(&mut homie, "homie/5/stays/$alert/hot", "Too hot");
    assert_eq!(homie.read(later(119_999)).unwrap().said, []);
    let said = homie.read(later(120_000)).unwrap().said;
    let cleared = |ids: &[&str]| -> Vec<_> { ids.iter().map(|id| ((*id).to_owned(), None)).collect() };
    assert_eq!(said.len(), 2);
    assert_eq!((said[0].thing.as_deref(), said[0].presence), (Some("left"), Some(Presence::Gone)));
    assert_eq!(said[0].alerts, cleared(&["dark", "hot"]));
    assert_eq!((said[1].thing.as_deref(), said[1].presence), (Some("stays"), None));
    assert_eq!(said[1].alerts, cleared(&["dark"]));
    assert_eq!(homie.read(later(240_000)).unwrap().said, [], "told once");
}

#[test]
fn a_link_that_falls_again_and_again_remembers_no_more_than_one_that_stays() {
    let mut homie = homie();
    for round in 0..3 {
        read(&mut homie, "homie/5/lamp/$state", "ready");
        for n in 0..ALERTS_MAX {
            read(&mut homie, &format!("homie/5/lamp/$alert/a{round}-{n}"), "x");
        }
        homie.connecting();
    }
    let alerts = &homie.before.alerts["lamp"];
    assert!(alerts.len() == ALERTS_MAX && alerts.iter().all(|alert| alert.starts_with("a0-")), "{alerts:?}");
    let taken = DEVICE_BYTES + "lamp".len() + alerts.iter().map(|it| device::entry_bytes(it, "")).sum::<usize>();
    assert_eq!(homie.before.room.taken(), taken, "told twice, kept once");

    homie.before.alerts.extend((0..THINGS_MAX - 1).map(|n| (n.to_string(), BTreeSet::new())));
    for device in ["lamp", "more"] {
        read(&mut homie, &format!("homie/5/{device}/$state"), "ready");
    }
    homie.connecting();
    assert_eq!((homie.before.alerts.len(), homie.before.alerts.contains_key("more")), (THINGS_MAX, false));

    let mut full = Homie::new("homie".into());
    full.before.room.exchange(0, REMEMBERED_MAX_BYTES).unwrap();
    read(&mut full, "homie/5/lamp/$state", "ready");
    full.connecting();
    assert!(full.before.alerts.is_empty(), "{:?}", full.before.alerts);
}

#[test]
fn a_fleet_without_end_finds_no_room() {
    let mut homie = homie();
    let long = "x".repeat(1_000);
    for i in 0..VALUES_MAX {
        read(&mut homie, &format!("homie/5/lamp/light/p{i}"), &long);
    }
    assert!(refusal(&mut homie, "homie/5/lamp/light/more", "1").contains("at most 512 values"));
    read(&mut homie, "homie/5/lamp/light/p1", "said again");

    // One description over and over, for as many devices as there is room for.
    let big = json!({"homie": "5.0", "name": "x", "later": "x".repeat(200_000)}).to_string();
    let full = (0..2_000).find_map(|i| homie.read(message(&format!("homie/5/d{i}/$description"), &big, true)).err());
    let full = full.unwrap().to_string();
    assert!(full.contains("at most 209715200 bytes of what things say of themselves"), "{full}");
    let known = homie.devices.len();
    assert!(homie.read(message("homie/5/one-more/$description", &big, true)).is_err());
    assert_eq!(homie.devices.len(), known, "nothing is remembered of a refused one");
    // To take a description back makes room again.
    read(&mut homie, "homie/5/d0/$description", "");
    read(&mut homie, "homie/5/one-more/$description", &big);
    homie.connecting();
    read(&mut homie, "homie/5/d0/$description", &big);
}

#[test]
fn things_are_counted() {
    let mut homie = homie();
    for i in 0..THINGS_MAX {
        homie.read(message(&format!("homie/5/d{i}/$state"), "ready", true)).unwrap();
    }
    assert!(refusal(&mut homie, "homie/5/more/$state", "ready").contains("at most 200000 things"));
    read(&mut homie, "homie/5/d0/$state", "");
    read(&mut homie, "homie/5/more/$state", "ready");
}

#[test]
fn one_root_carries_as_many_as_its_last_will_can_tell() {
    let mut homie = homie();
    let child = json!({"homie": "5.0", "name": "x", "root": "bridge"}).to_string();
    for i in 0..TREE_MAX {
        read(&mut homie, &format!("homie/5/c{i}/$description"), &child);
    }
    assert!(refusal(&mut homie, "homie/5/more/$description", &child).contains("at most 20000 devices of one root"));
    read(&mut homie, "homie/5/c0/$description", &child);
}

#[test]
fn what_was_kept_aside_is_told_in_the_order_of_its_pointers() {
    let mut homie = homie();
    let float = json!({"datatype": "float"});
    let document = json!({"homie": "5.0", "name": "x", "nodes": {"n": {"properties": {"a": float, "a-b": float}}}});
    for rest in ["n/a-b", "n/a/$target", "n/a"] {
        assert_eq!(read(&mut homie, &format!("homie/5/d/{rest}"), "1").said, []);
    }
    read(&mut homie, "homie/5/d/$state", "ready");
    let said = read(&mut homie, "homie/5/d/$description", &document.to_string()).said;
    let pointers: Vec<_> = said[0].values.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/n/a", "/n/a-b", "/n/a/target"]);
}

/// What a device takes of the room.
fn bytes((id, device): (&String, &Device)) -> usize {
    let aside = device.aside.iter().map(|(place, aside)| device::entry_bytes(&place.property, &aside.text));
    let alerts = device.alerts.iter().map(|(alert, shown)| device::entry_bytes(alert, shown));
    let description = device.description.as_ref().map_or(0, |description| description.bytes);
    DEVICE_BYTES + id.len() + description + aside.chain(alerts).sum::<usize>()
}

/// Nothing that anybody sends anywhere below the domain brings it down, and whatever is said can be taken.
#[test]
fn garbage_on_every_topic_is_refused_or_harmless() {
    let levels =
        ["lamp", "bridge", "$state", "$description", "$alert", "$target", "set", "light", "level", "", "Ħ", "$x"];
    let payloads: [&[u8]; 14] = [
        b"", b"ready", b"lost", b"init", LAMP.as_bytes(), BRIDGE.as_bytes(), b"1", b"-", b"{}", b"[[[[", b"\0", b"\xff\xfe",
        b"{\"homie\":\"5.0\",\"root\":\"lamp\",\"nodes\":{\"light\":{\"properties\":{\"level\":{\"datatype\":\"float\"}}}}}",
        b"{\"homie\":\"5.0\",\"nodes\":{\"light\":{\"properties\":{\"level\":{\"datatype\":\"json\",\"settable\":true}}}}}",
    ];
    let mut homie = homie();
    // Numerical Recipes' generator: the same garbage every time.
    let mut seed = 7_u32;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for step in 0..50_000 {
        let count = 1 + next(5);
        let topic: Vec<&str> = (0..count).map(|_| levels[next(levels.len())]).collect();
        let topic = format!("homie/5/{}", topic.join("/"));
        let payload = payloads[next(payloads.len())];
        let at = AT.plus(step * 10);
        if let Ok(understood) = homie.read(Incoming { topic: &topic, payload, retained: next(2) == 0, at }) {
            for said in understood.said {
                assert!(said.thing.as_deref().is_some_and(topic::is_id), "{topic}");
                assert!(said.values.is_sorted_by(|(a, _), (b, _)| a < b), "{topic}");
            }
            assert!(understood.listen.iter().all(|filter| filter.starts_with("homie/5/")), "{topic}");
        }
        if next(10_000) == 0 {
            homie.connecting();
        }
        if next(100) == 0 {
            assert_eq!(homie.room.taken(), homie.devices.iter().map(bytes).sum::<usize>(), "after {topic}");
        }
        let _ = homie.command("lamp", &[("/light/level", &json!(1))], at);
    }
}
