//! What a profile sets: which topics, which metrics.

use super::*;

#[test]
fn no_more_is_listened_to_than_is_read() {
    let all = Sparkplug::new(SparkplugSetting::default());
    assert_eq!(
        all.filters(),
        [
            "spBv1.0/+/NBIRTH/+",
            "spBv1.0/+/NDATA/+",
            "spBv1.0/+/NDEATH/+",
            "spBv1.0/+/DBIRTH/+/+",
            "spBv1.0/+/DDATA/+/+",
            "spBv1.0/+/DDEATH/+/+",
        ]
    );
    let setting =
        SparkplugSetting { group: Some("g".into()), host: Some("scada".into()), ..SparkplugSetting::default() };
    let mut one = Sparkplug::new(setting);
    assert_eq!((one.filters()[0].as_str(), one.filters()[6].as_str()), ("spBv1.0/g/NBIRTH/+", "spBv1.0/STATE/scada"));
    for (topic, want) in [
        ("spBv1.0/g/NBIRTH/n", [true, true]),
        ("spBv1.0/h/NBIRTH/n", [true, false]),
        ("spBv1.0/STATE/scada", [true, true]),
        ("spBv1.0/STATE/other", [true, false]),
        ("spBv1.0/STATE/NBIRTH/n", [true, false]),
        ("spBv1.0/g", [true, true]),
        ("spBv1.0", [false, false]),
        ("city/spBv1.0/g/NBIRTH/n", [false, false]),
    ] {
        assert_eq!([all.reads(topic), one.reads(topic)], want, "{topic}");
    }
    let theirs = Outgoing { topic: "spBv1.0/g/NCMD/n".into(), payload: b"of another host".to_vec() };
    assert_eq!(hear(&mut one, &theirs, T0), Ok(Understood::default()));
}

#[test]
fn a_setting_that_cannot_be_meant_is_refused() {
    let group = |name: &str| SparkplugSetting { group: Some(name.into()), ..SparkplugSetting::default() };
    let writable = |name: &str| SparkplugSetting { writable: vec![name.into()], ..SparkplugSetting::default() };
    for (setting, want) in [
        (group(""), "the group \"\" is no level of a topic; it needs at least one character and may not hold / + or #"),
        (
            group("a/+"),
            "the group \"a/+\" is no level of a topic; it needs at least one character and may not hold / + or #",
        ),
        (
            writable("Node Control/Reboot"),
            "\"Node Control/Reboot\" cannot be made writable; write a metric's name such as Outputs/Pump or a folder such as Outputs/, but not bdSeq or Node Control/",
        ),
        (
            writable("/"),
            "\"/\" cannot be made writable; write a metric's name such as Outputs/Pump or a folder such as Outputs/, but not bdSeq or Node Control/",
        ),
    ] {
        assert_eq!(setting.check().unwrap_err().to_string(), want);
    }
}

#[test]
fn controls_are_what_the_birth_or_the_profile_lets_be_set() {
    let read_only = |metric: Metric, yes| metric.with("readOnly", Datatype::Boolean, PropertyCarried::Boolean(yes));
    let bounded = |metric: Metric| {
        metric.with("engLow", Datatype::Float, PropertyCarried::Float(0.0)).with(
            "engHigh",
            Datatype::Double,
            PropertyCarried::Double(150.0),
        )
    };
    let text = |name| Metric::new(name, Datatype::String, Carried::Text("a".into()));
    let metrics = [
        flag("Inputs/A", true),
        read_only(flag("Inputs/B", true), false),
        flag("Outputs/E", true),
        read_only(flag("Outputs/F", true), true),
        flag("Outputs", true),
        bounded(Metric::new("Outputs/G", Datatype::Float, Carried::Float(1.0))),
        Metric::new("Outputs/H", Datatype::Double, Carried::Double(1.0)),
        bounded(Metric::new("Outputs/I", Datatype::UInt8, Carried::Int(1))),
        Metric::new("Outputs/J", Datatype::Int64, Carried::Long(1)),
        text("Outputs/K"),
        Metric::new("Outputs/L", Datatype::DateTime, Carried::Long(1)),
        Metric::new("Outputs/M", Datatype::Bytes, Carried::Bytes(vec![1].into())),
        read_only(flag("Node Control/Reboot", false), false),
    ];
    let host = &mut listening(false);
    let born = hear(host, &EdgeNode::new("g", "n", 0).birth(&metrics, T0), T0).unwrap();
    let controls = &born.said[0].about.steering.as_ref().unwrap().controls;
    let range = |min, max, step| Takes::Range { min, max, step, unit: "".into() };
    let all: Vec<(&str, &Takes, f64)> = controls.iter().map(|c| (&*c.pointer, &c.takes, c.tolerance)).collect();
    assert_eq!(
        all,
        [
            ("/Inputs/B", &Takes::Switch, 0.0),
            ("/Outputs/E", &Takes::Switch, 0.0),
            ("/Outputs/G", &range(0.0, 150.0, 0.1), 0.05),
            ("/Outputs/H", &range(-1e9, 1e9, 0.001), 0.0),
            ("/Outputs/I", &range(0.0, 150.0, 1.0), 0.5),
            ("/Outputs/J", &range(-9_007_199_254_740_992.0, 9_007_199_254_740_992.0, 1.0), 0.5),
            ("/Outputs/K", &Takes::Text { max_chars: 256 }, 0.0),
        ]
    );
    for (pointer, wanted, want) in [
        ("/Inputs/A", json!(false), "Inputs/A cannot be set: its birth does not say so, and neither does the profile"),
        (
            "/Outputs/F",
            json!(false),
            "Outputs/F cannot be set: its birth does not say so, and neither does the profile",
        ),
        (
            "/Node Control/Reboot",
            json!(true),
            "Node Control/Reboot cannot be set: its birth does not say so, and neither does the profile",
        ),
        ("/Outputs/Z", json!(1), "the thing's birth names no metric /Outputs/Z"),
        ("/Outputs/E", json!(1), "Outputs/E takes true or false, not 1"),
        ("/Outputs/I", json!(300), "Outputs/I takes a whole number from 0 to 255, not 300"),
    ] {
        assert_eq!(
            host.command("g/n", &[(pointer, &wanted)], T0),
            Err(NoCommand::Impossible(want.into())),
            "{pointer}"
        );
    }
    for thing in ["g/other", "g/n/d"] {
        assert_eq!(host.command(thing, &[], T0), Err(NoCommand::NotKnownYet), "{thing}");
    }
    assert!(matches!(host.command("lamp-1", &[], T0), Err(NoCommand::Impossible(_))));
}
