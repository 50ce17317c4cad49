//! Conversations of edge nodes with us.

mod refused;
mod setting;

use fleetlens_model::id::ThingName;
use fleetlens_model::kind::{Control, Takes};
use fleetlens_model::telemetry::{Quality, Value};
use serde_json::json;

use super::edge::{Carried, EdgeNode, Metric, Property, PropertyCarried, PropertySet, commands};
use super::*;

/// 2023-11-14T22:13:20Z.
const T0: WallMs = WallMs(1_700_000_000_000);

fn at_s(s: i64) -> WallMs {
    T0.plus(s * 1_000)
}

fn listening(rebirth: bool) -> Sparkplug {
    let writable = vec!["Outputs/".into(), "Set point".into()];
    Sparkplug::new(SparkplugSetting { rebirth, writable, ..SparkplugSetting::default() })
}

fn hear(host: &mut Sparkplug, message: &Outgoing, at: WallMs) -> Result<Understood, WireError> {
    assert!(host.reads(&message.topic), "{}", message.topic);
    host.read(Incoming { topic: &message.topic, payload: &message.payload, retained: false, at })
}

/// What is said, in short: the thing, its presence, how old in seconds since [`T0`], and the values.
fn short(understood: &Understood) -> Vec<String> {
    let say = |said: &Telemetry| {
        assert!(ThingName::new(said.thing.clone().unwrap()).is_ok());
        let mut text = said.thing.clone().unwrap();
        if let Some(presence) = said.presence {
            text += &format!(" {presence:?}");
        }
        if let Some(claimed) = said.claimed {
            text += &format!(" @{}", (claimed.0 - T0.0) / 1_000);
        }
        if said.quality != Quality::Good {
            text += &format!(" {:?}", said.quality);
        }
        for (pointer, value) in &said.values {
            text += &match value {
                Value::Number(n) => format!(" {pointer}={n}"),
                Value::Flag(flag) => format!(" {pointer}={flag}"),
                Value::Text(words) => format!(" {pointer}={words:?}"),
            };
        }
        text
    };
    understood.said.iter().map(say).collect()
}

fn number(name: &str, n: f64) -> Metric {
    Metric::new(name, Datatype::Double, Carried::Double(n))
}

fn flag(name: &str, flag: bool) -> Metric {
    Metric::new(name, Datatype::Boolean, Carried::Boolean(flag))
}

fn refusal(outcome: Result<Understood, WireError>) -> String {
    let refused = match outcome {
        Ok(understood) => {
            assert!(understood.said.is_empty(), "refused whole");
            understood.refused.expect("refused")
        }
        Err(refused) => refused,
    };
    refused.to_string()
}

/// The Raspberry Pi of the specification (section 6.4.19), with a device and aliases.
fn pi() -> (EdgeNode, [Metric; 2], [Metric; 3]) {
    let voltage = Metric::new("Supply Voltage", Datatype::Float, Carried::Float(12.1)).aliased(7).with(
        "engUnit",
        Datatype::String,
        PropertyCarried::Text("V".into()),
    );
    let make = Metric::new("Properties/Hardware Make", Datatype::String, Carried::Text("Raspberry Pi".into()));
    let button = flag("Inputs/Button", false).aliased(1);
    let green = flag("Outputs/LEDs/Green", false).aliased(2);
    let level = Metric::new("Set point", Datatype::Int16, Carried::Int(0xffff_fffb))
        .with("engLow", Datatype::Int32, PropertyCarried::Int((-40_i32).cast_unsigned()))
        .with("engHigh", Datatype::Int32, PropertyCarried::Int(40))
        .with("engUnit", Datatype::String, PropertyCarried::Text("°C".into()));
    (EdgeNode::new("Sparkplug B Devices", "Raspberry Pi", 3), [voltage, make], [button, green, level])
}

#[test]
fn a_fleet_is_born_speaks_obeys_and_dies() {
    let (mut node, own, pibrella) = pi();
    let host = &mut listening(false);

    let born = hear(host, &node.birth(&own, T0), T0).unwrap();
    assert_eq!(
        short(&born),
        [
            "Sparkplug B Devices/Raspberry Pi Here @0",
            "Sparkplug B Devices/Raspberry Pi @0 /Properties/Hardware Make=\"Raspberry Pi\" /Supply Voltage=12.1",
        ]
    );
    let about = &born.said[0].about;
    assert_eq!(
        (about.title.as_deref(), about.interval_s, about.gateway.as_deref()),
        (Some("Raspberry Pi"), Some(604_800), None)
    );
    assert_eq!(about.units, [("/Supply Voltage".to_owned(), "V".to_owned())]);
    assert_eq!(about.steering, Some(crate::about::Steering { convention: "sparkplug", controls: vec![] }));

    let born = hear(host, &node.device_birth("Pibrella", &pibrella, T0), T0).unwrap();
    let thing = "Sparkplug B Devices/Raspberry Pi/Pibrella";
    assert_eq!(
        short(&born),
        [
            format!("{thing} Here @0"),
            format!("{thing} @0 /Inputs/Button=false /Outputs/LEDs/Green=false /Set point=-5"),
        ]
    );
    let about = &born.said[0].about;
    assert_eq!(
        (about.title.as_deref(), about.gateway.as_deref()),
        (Some("Pibrella"), Some("Sparkplug B Devices/Raspberry Pi"))
    );
    let control = |pointer: &'static str, takes, tolerance| Control {
        pointer: pointer.into(),
        label: pointer.trim_start_matches('/').into(),
        takes,
        asks_first: true,
        expiry_ms: 30_000,
        tolerance,
        dangers: Vec::new(),
        switch_words: None,
    };
    let set_point = Takes::Range { min: -40.0, max: 40.0, step: 1.0, unit: "°C".into() };
    assert_eq!(
        about.steering.as_ref().unwrap().controls,
        [control("/Outputs/LEDs/Green", Takes::Switch, 0.0), control("/Set point", set_point, 0.5)]
    );

    let pressed = node.device_data("Pibrella", &[Metric::by_alias(1, Carried::Boolean(true)).at(at_s(9))], at_s(10));
    assert_eq!(short(&hear(host, &pressed, at_s(10)).unwrap()), [format!("{thing} @9 /Inputs/Button=true")]);

    let wants = [("/Outputs/LEDs/Green", &json!(true)), ("/Set point", &json!(-7))];
    let told = host.command(thing, &wants, at_s(11)).unwrap();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(told.topic, "spBv1.0/Sparkplug B Devices/DCMD/Raspberry Pi/Pibrella");
    assert!(node.filters()[1].strip_suffix('+').is_some_and(|ours| told.topic.starts_with(ours)));
    assert_eq!(
        commands(&told.payload).unwrap(),
        [
            Metric { datatype: Some(11), ..Metric::by_alias(2, Carried::Boolean(true)).at(at_s(11)) },
            Metric::new("Set point", Datatype::Int16, Carried::Int((-7_i32).cast_unsigned())).at(at_s(11)),
        ]
    );
    // timestamp = 1700000011000, then metric {alias 2, timestamp, datatype 11, boolean true}, and no sequence number.
    let written: Vec<u8> = host.command(thing, &wants[..1], at_s(11)).unwrap().remove(0).payload;
    let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "08f8a596ffbc31120d100218f8a596ffbc31200b7001");

    // The device obeys: what it reports is what was wanted.
    let obeyed = commands(&told.payload).unwrap();
    let report = node.device_data("Pibrella", &obeyed, at_s(12));
    assert_eq!(
        short(&hear(host, &report, at_s(12)).unwrap()),
        [format!("{thing} @11 /Outputs/LEDs/Green=true /Set point=-7")]
    );

    let unplugged = node.device_death("Pibrella", at_s(20));
    assert_eq!(short(&hear(host, &unplugged, at_s(20)).unwrap()), [format!("{thing} Gone @20")]);
    assert_eq!(host.command(thing, &wants, at_s(21)), Err(NoCommand::NotKnownYet));
    hear(host, &node.device_birth("Pibrella", &pibrella, at_s(30)), at_s(30)).unwrap();
    assert_eq!(
        short(&hear(host, &node.death(T0), at_s(40)).unwrap()),
        ["Sparkplug B Devices/Raspberry Pi Gone".to_owned(), format!("{thing} Gone")]
    );
    assert_eq!((host.nodes.len(), host.weight), (0, Weight::default()), "the dead leave nothing behind");
}

/// The bytes of hexadecimal digits, whatever stands between.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn what_eclipse_tahu_writes_is_read() {
    let host = &mut listening(false);
    let mut said = Vec::new();
    for message in include_str!("tests/tahu.txt").split("\n\n").skip(1) {
        let (topic, hex) = message.split_once('\n').unwrap();
        said.extend(short(&hear(host, &Outgoing { topic: topic.to_owned(), payload: bytes(hex) }, T0).unwrap()));
    }
    let born = "g/n @0 /b=true /d=-0.1 /f=12.1 /i16=-300 /i32=-70000 /i64=-5000000000 /i8=-5 /s=\"abc\" /t=\"def\" /u16=65000 /u32=4000000000 /u64=5000000000 /u8=250 /uuid=\"1b0f\" /when=\"2023-11-14T22:13:20Z\"";
    assert_eq!(said, ["g/n Here @0", born, "g/n @0 /f=12.2", "g/n @1 /i8=-6", "g/n Gone"]);
}

/// An NBIRTH that no encoder of ours wrote, after the specification's example, with one metric of each way to carry a value, a template
/// in a template, a DataSet, an array, metadata, a set among the properties, and a field that nobody knows.
const FOREIGN_BIRTH: &str = "\
    08eaf2f5a8a02b12120a05626453657118eaf2f5a8a02b2008580012210a144e6f646520436f6e74726f6c2f526562697274\
    6818eaf2f5a8a02b200b700012470a0e537570706c7920566f6c74616765100718eaf2f5a8a02b20094a250a07656e67556e\
    69740a066e65737465641205080c420156120b08144a070a017812021801659a994141121c0a0b54656d7065726174757265\
    18eaf2f5a8a02b200350fcffffff0f12190a07436f756e74657218eaf2f5a8a02b200858808080808020121b0a0750726563\
    69736518eaf2f5a8a02b200a699a9999999999b93f12430a054d6f746f7218eaf2f5a8a02b20139201300a02763112190a04\
    64656570201392010e120c0a0664656570657220035001220d5f74797065735f2f6d6f746f72280012200a055461626c6518\
    eaf2f5a8a02b20108a010d0801120161180322040a02080512270a0753616d706c657318eaf2f5a8a02b2017420c120a7465\
    78742f706c61696e8201040100ffff12170a0553696e636518eaf2f5a8a02b200d58eaf2f5a8a02b12140a074e6f7468696e\
    6718eaf2f5a8a02b200c38011800a2060676656e646f72";

#[test]
fn a_birth_from_another_hand_is_read_and_what_is_not_one_value_is_left_out() {
    let payload = bytes(FOREIGN_BIRTH);
    let birth = Outgoing { topic: "spBv1.0/Sparkplug B Devices/NBIRTH/Raspberry Pi".into(), payload };
    let host = &mut listening(false);
    let at = WallMs(1_486_144_502_200);
    let born = hear(host, &birth, at).unwrap();
    assert_eq!(born.said.len(), 2);
    assert_eq!(born.said[1].claimed, Some(WallMs(1_486_144_502_122)));
    let value = |pointer: &str, value| (pointer.to_owned(), value);
    assert_eq!(
        born.said[1].values,
        [
            value("/Counter", Value::Number(1_099_511_627_776.0)),
            value("/Precise", Value::Number(0.1)),
            value("/Since", Value::Text("2017-02-03T17:55:02.122Z".into())),
            value("/Supply Voltage", Value::Number(12.1)),
            value("/Temperature", Value::Number(-4.0)),
        ]
    );
    assert_eq!(born.said[0].about.units, [("/Supply Voltage".to_owned(), "V".to_owned())]);
    // What was left out is known all the same.
    let mut node = EdgeNode::new("Sparkplug B Devices", "Raspberry Pi", 0);
    node.birth(&[], at);
    let data = node.data(&[Metric::new("Samples", Datatype::Array, Carried::Bytes(vec![0].into()))], at);
    assert_eq!(hear(host, &data, at).unwrap(), Understood::default());
}

#[test]
fn who_joins_late_reads_nothing_before_a_birth_and_asks_for_it_where_that_is_allowed() {
    let (mut node, own, pibrella) = pi();
    node.birth(&own, T0);
    node.device_birth("Pibrella", &pibrella, T0);
    let data = |node: &mut EdgeNode| node.data(&[Metric::by_alias(7, Carried::Float(12.3))], T0);
    let unborn = "the birth of this edge node (NBIRTH) was not seen; only that says what its metrics are";

    let silent = &mut listening(false);
    assert_eq!(hear(silent, &data(&mut node), at_s(1)), Err(SparkplugError::NodeUnborn.into()));
    assert_eq!((silent.nodes.len(), silent.weight), (0, Weight::default()), "nothing is remembered of strangers");

    let host = &mut listening(true);
    let asked = hear(host, &data(&mut node), at_s(1)).unwrap();
    let [wish] = asked.send.as_slice() else { panic!("{asked:?}") };
    assert_eq!(wish.topic, "spBv1.0/Sparkplug B Devices/NCMD/Raspberry Pi");
    assert_eq!(
        commands(&wish.payload).unwrap(),
        [Metric::new("Node Control/Rebirth", Datatype::Boolean, Carried::Boolean(true)).at(at_s(1))]
    );
    assert_eq!(refusal(Ok(asked)), unborn);
    let device = node.device_data("Pibrella", &[Metric::by_alias(1, Carried::Boolean(true))], T0);
    assert_eq!(hear(host, &device, at_s(2)), Err(SparkplugError::NodeUnborn.into()), "asked once for all of them");
    assert_eq!(hear(host, &data(&mut node), at_s(30)), Err(SparkplugError::NodeUnborn.into()));
    assert_eq!(hear(host, &data(&mut node), at_s(31)).unwrap().send.len(), 1, "and again when nobody answered");

    hear(host, &node.birth(&own, T0), at_s(32)).unwrap();
    let early = node.device_data("Pibrella", &[Metric::by_alias(1, Carried::Boolean(true))], T0);
    assert!(refusal(hear(host, &early, at_s(33))).starts_with("the birth of this device (DBIRTH) was not seen"));
    let said = hear(host, &data(&mut node), at_s(34)).unwrap();
    assert_eq!(short(&said), ["Sparkplug B Devices/Raspberry Pi @0 /Supply Voltage=12.3"]);
}

#[test]
fn after_a_gap_only_names_are_believed_until_the_next_birth() {
    let (mut node, own, pibrella) = pi();
    let host = &mut listening(true);
    hear(host, &node.birth(&own, T0), T0).unwrap();
    hear(host, &node.device_birth("Pibrella", &pibrella, T0), T0).unwrap();
    let thing = "Sparkplug B Devices/Raspberry Pi/Pibrella";
    let by_alias =
        |node: &mut EdgeNode| node.device_data("Pibrella", &[Metric::by_alias(1, Carried::Boolean(true))], T0);
    let by_name = |node: &mut EdgeNode| {
        let told =
            Metric { name: Some("Inputs/Button".into()), value: Some(Carried::Boolean(true)), ..Metric::default() };
        node.device_data("Pibrella", &[told], T0)
    };

    by_name(&mut node);
    let gap = hear(host, &by_name(&mut node), at_s(1)).unwrap();
    assert_eq!(gap.send.len(), 1);
    assert_eq!(
        refusal(Ok(gap)),
        "its sequence number is 3 after 1: a message of this edge node was lost, and it may have been a birth that changed what the metrics are called"
    );
    assert_eq!(short(&hear(host, &by_name(&mut node), at_s(2)).unwrap()), [format!("{thing} @0 /Inputs/Button=true")]);
    assert_eq!(
        refusal(hear(host, &by_alias(&mut node), at_s(3))),
        "it calls a metric by the alias 1, which is not certain since a message of this edge node was lost; the next birth says it anew"
    );
    assert_eq!(host.command(thing, &[("/Set point", &json!(1))], at_s(3)), Err(NoCommand::NotKnownYet));

    by_name(&mut node);
    let unplugged = hear(host, &node.device_death("Pibrella", T0), at_s(40)).unwrap();
    assert_eq!(short(&unplugged), [format!("{thing} Gone @0")], "a death is true whatever was lost before it");
    assert_eq!(unplugged.send.len(), 1, "and the birth is asked for again after half a minute");

    hear(host, &node.birth(&own, T0), at_s(41)).unwrap();
    hear(host, &node.device_birth("Pibrella", &pibrella, T0), at_s(41)).unwrap();
    assert_eq!(
        short(&hear(host, &by_alias(&mut node), at_s(42)).unwrap()),
        [format!("{thing} @0 /Inputs/Button=true")]
    );
    assert!(host.command(thing, &[("/Set point", &json!(1))], at_s(43)).is_ok());
}

#[test]
fn sequence_numbers_begin_again_after_255() {
    let host = &mut listening(false);
    let mut node = EdgeNode::new("g", "n", 0);
    hear(host, &node.birth(&[number("a", 0.0)], T0), T0).unwrap();
    for n in 0..600 {
        let data = node.data(&[number("a", f64::from(n))], T0);
        assert_eq!(short(&hear(host, &data, T0).unwrap()), [format!("g/n @0 /a={n}")]);
    }
}

#[test]
fn every_metric_has_its_own_time_and_quality() {
    let host = &mut listening(false);
    let mut node = EdgeNode::new("g", "n", 0);
    let metrics = ["a", "b", "c", "d", "e"].map(|name| number(name, 0.0));
    hear(host, &node.birth(&metrics, T0), T0).unwrap();
    let quality = |code| PropertyCarried::Int(code);
    let data = node.data(
        &[
            number("a", 1.0).at(at_s(5)),
            Metric { is_historical: Some(true), ..number("b", 2.0).at(at_s(-60)) },
            number("c", 3.0),
            number("d", 4.0).at(at_s(5)).with("Quality", Datatype::Int32, quality(500)),
            number("e", 5.0).at(at_s(5)).with("Quality", Datatype::Int32, quality(0)),
            // It changed twice within a millisecond; the order is the sender's.
            number("a", 6.0).at(at_s(5)),
            number("c", 7.0).at(at_s(5)).with("Quality", Datatype::Int32, quality(192)),
            Metric { is_null: Some(true), ..number("b", 8.0) },
            Metric { value: None, ..number("b", 9.0) },
            number("b", f64::NAN),
            Metric { timestamp: Some(0), ..number("d", 10.0) },
        ],
        at_s(6),
    );
    assert_eq!(
        short(&hear(host, &data, at_s(6)).unwrap()),
        ["g/n @-60 /b=2", "g/n @5 /a=1 /c=7", "g/n @5 /a=6", "g/n @5 Stale /d=4", "g/n @6 /c=3 /d=10"]
    );
}

#[test]
fn a_device_that_is_not_born_again_with_its_node_is_gone() {
    let host = &mut listening(false);
    let mut node = EdgeNode::new("g", "n", 0);
    let all = |host: &mut Sparkplug, node: &mut EdgeNode, devices: &[&str]| {
        hear(host, &node.birth(&[number("a", 0.0)], T0), T0).unwrap();
        for device in devices {
            hear(host, &node.device_birth(device, &[], T0), T0).unwrap();
        }
        short(&hear(host, &node.data(&[number("a", 1.0)], T0), T0).unwrap())
    };
    assert_eq!(all(host, &mut node, &["d1", "d2", "d3"]), ["g/n @0 /a=1"]);
    assert_eq!(all(host, &mut node, &["d2"]), ["g/n @0 /a=1", "g/n/d1 Gone", "g/n/d3 Gone"]);
    assert_eq!(all(host, &mut node, &["d1"]), ["g/n @0 /a=1", "g/n/d2 Gone"]);
    host.connecting();
    assert_eq!(all(host, &mut node, &[]), ["g/n @0 /a=1", "g/n/d1 Gone"], "also when that was while we were away");
    assert_eq!(host.weight, host.nodes.values().map(Node::weight).fold(Weight::default(), Weight::plus));
}

#[test]
fn after_our_link_was_down_births_are_unknown_again() {
    let (mut node, own, pibrella) = pi();
    let host = &mut listening(true);
    hear(host, &node.birth(&own, T0), T0).unwrap();
    hear(host, &node.device_birth("Pibrella", &pibrella, T0), T0).unwrap();
    let before = host.weight;
    host.connecting();
    assert!(host.weight.bytes < before.bytes && host.weight.things == 2);
    let thing = "Sparkplug B Devices/Raspberry Pi/Pibrella";
    assert_eq!(host.command(thing, &[("/Set point", &json!(1))], T0), Err(NoCommand::NotKnownYet));
    let asked = hear(host, &node.data(&[Metric::by_alias(7, Carried::Float(1.0))], T0), T0).unwrap();
    assert_eq!(asked.send.len(), 1);
    assert_eq!(
        short(&hear(host, &node.death(T0), T0).unwrap()),
        ["Sparkplug B Devices/Raspberry Pi Gone".to_owned(), format!("{thing} Gone")]
    );
}

#[test]
fn a_quiet_node_is_asked_for_the_birth_that_was_missed_and_a_born_one_is_not() {
    let host = &mut listening(true);
    for thing in ["g/quiet/pump", "g/quiet", "g/born", "spBv1.0/STATE/scada", "no slash", "g/+", "g/"] {
        host.expect(thing);
    }
    hear(host, &EdgeNode::new("g", "born", 0).birth(&[], T0), T0).unwrap();
    let asked = |host: &mut Sparkplug, at| -> Vec<String> { host.ask(at).into_iter().map(|wish| wish.topic).collect() };
    assert_eq!(asked(host, T0), ["spBv1.0/g/NCMD/quiet"]);
    assert!(asked(host, at_s(1)).is_empty(), "once");
    host.connecting();
    assert_eq!(asked(host, at_s(60)), ["spBv1.0/g/NCMD/born"], "nobody knows what it said meanwhile");
    let mut deaf = listening(false);
    deaf.expect("g/quiet");
    assert!(asked(&mut deaf, T0).is_empty(), "only where the profile allows it");
}
