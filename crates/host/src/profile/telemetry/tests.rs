use super::*;
use crate::profile::{Profile, ProfileError};

const FULL: &str = r#"name = "feeds"
broker.url = "mqtt://h"

[[telemetry]]
template = "/hfp/{event}/{thing}/{thing}/#"
kind = "vehicle"
interval_s = 5
envelope = "/*"
time = "/*/tst"
zone = "Europe/Helsinki"
lon = "/long"
values."/spd" = { name = "/speed_kmh", times = 3.6, least = 0 }
values."/tsi" = false
describe.name = "/desi"

[[telemetry]]
template = "parks"
list = "/data"
thing = "/id"

[[telemetry]]
template = "ngsi/{area}"
shape = "fiware"

[[telemetry]]
template = "home/{thing}/{value}"

[[telemetry]]
template = "mast/{thing}"
value = "/wind_ms"
"#;

#[test]
fn a_rule_says_how_its_messages_are_read() {
    let profile = Profile::parse(FULL, "x.toml").unwrap();
    let [hfp, parks, ngsi, home, mast] = profile.telemetry.as_slice() else { panic!("{:?}", profile.telemetry) };
    assert_eq!((hfp.kind, hfp.interval_s, hfp.reading.whose.clone()), (Some(Kind::Vehicle), Some(5), Whose::Topic));
    assert_eq!(hfp.template.filter(), "/hfp/+/+/+/#");
    let renamed = |pointer: &str, times, least| Use::As { pointer: pointer.into(), times, least };
    let uses = [
        ("/desi", Use::Says(Fact::Title)),
        ("/long", renamed("/lon", 1.0, None)),
        ("/spd", renamed("/speed_kmh", 3.6, Some(0.0))),
        ("/tsi", Use::Nothing),
    ];
    assert_eq!(hfp.reading.uses, uses.map(|(pointer, to)| (pointer.to_owned(), to)).into());
    assert_eq!(hfp.reading.zone, Zone::parse("Europe/Helsinki").ok());
    assert_eq!(parks.reading.whose, Whose::Pointer(Pointer::parse("/id").unwrap()));
    assert_eq!((ngsi.reading.shape, &ngsi.reading.whose), (Shape::Fiware, &Whose::Shape));
    assert_eq!((home.reading.shape, home.reading.value.as_str()), (Shape::Scalar, ""));
    assert_eq!((mast.reading.shape, mast.reading.value.as_str()), (Shape::Scalar, "/wind_ms"));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    for (given, instead, line, want) in [
        ("{thing}/{thing}/#", "{thing}/#/x", 5, "# as the whole last level"),
        ("\"/hfp/{event}/{thing}/{thing}/#\"", "\"/hfp/#\"", 5, "write {thing} for its level"),
        ("\"/hfp/{event}", "\"/{event}", 5, "subscribe to everything"),
        ("kind = \"vehicle\"", "kind = \"bus\"", 6, "unknown variant `bus`"),
        ("interval_s = 5", "interval_s = 0", 7, "outside 1–604800 s"),
        ("envelope = \"/*\"", "envelope = \"VP\"", 8, "write \"/VP\""),
        ("/*/tst", "/*/t~st", 9, "~0 for ~"),
        ("Europe/Helsinki", "Helsinki", 10, "such as \"Europe/Madrid\""),
        ("lon = \"/long\"", "lon = \"/spd\"", 12, "\"/spd\" has a use already"),
        ("{ name = \"/speed_kmh\", times = 3.6, least = 0 }", "7", 12, "write \"/name\", { name"),
        (
            "{ name = \"/speed_kmh\", times = 3.6, least = 0 }",
            "{ name = \"/a\", times = 0 }",
            12,
            "leaves nothing of a value",
        ),
        ("{ name = \"/speed_kmh\", times = 3.6, least = 0 }", "\"speed\"", 12, "write \"/speed\""),
        ("/tsi\" = false", "/tsi\" = true", 13, "or false"),
        ("describe.name", "describe.nome", 14, "unknown field `nome`"),
        ("template = \"parks\"", "template = \"parks/{thing}\"", 17, "the payload names the thing"),
        ("thing = \"/id\"", "", 17, "write {thing} for its level"),
        ("thing = \"/id\"", "thing = \"id\"", 19, "write \"/id\""),
        ("shape = \"fiware\"", "shape = \"xml\"", 23, "unknown variant `xml`"),
        ("shape = \"fiware\"", "shape = \"fiware\"\nlat = \"/x\"", 24, "lat does nothing with shape = \"fiware\""),
        ("shape = \"fiware\"", "shape = \"parkapi\"\nlat = \"/x\"", 24, "lat does nothing with shape = \"parkapi\""),
        ("shape = \"fiware\"", "shape = \"datex2\"\nlist = \"/x\"", 24, "list does nothing with shape = \"datex2\""),
        ("home/{thing}/{value}", "home/{value}", 26, "write {thing} for its level"),
        ("{value}\"", "{value}\"\nshape = \"senml\"", 27, "leave out shape, or value and {value}"),
        ("{value}\"", "{value}\"\nvalue = \"/x\"", 27, "leave one of the two out"),
        ("value = \"/wind_ms\"", "value = \"wind_ms\"", 30, "write \"/wind_ms\""),
        ("value = \"/wind_ms\"", "value = \"\"", 30, "such as \"/temperature\""),
        ("value = \"/wind_ms\"", "value = \"/w\"\ntime = \"/t\"", 31, "time does nothing where the payload is one"),
        ("shape = \"fiware\"", "shape = \"senml\"\ntime = \"/t\"", 24, "time does nothing with shape = \"senml\""),
    ] {
        let error = Profile::parse(&FULL.replacen(given, instead, 1), "x.toml").unwrap_err();
        let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{instead}: {error}") };
        assert!(why.contains(want), "{instead}: {error}");
        assert_eq!(at, line, "{instead}: {error}");
    }
}

#[test]
fn the_profiles_we_ship_can_be_read() {
    for (name, text) in [
        ("hsl", include_str!("../../../../../assets/profiles/hsl.toml")),
        ("malaga", include_str!("../../../../../assets/profiles/malaga.toml")),
        ("malaga-fiware", include_str!("../../../../../assets/profiles/malaga-fiware.toml")),
    ] {
        let profile = Profile::parse(text, name).unwrap_or_else(|error| panic!("{error}"));
        let filters = profile.fleet_config(String::new()).filters();
        assert!(!filters.is_empty() && filters.iter().all(|filter| filter != "#" && !filter.starts_with('$')));
    }
}
