//! One profile for every shape that needs no profile of its own: bare values, a list, ThingsBoard's envelope, SenML by topic and by
//! base name, and payloads that are a single value.

use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::{Timed, Value};

use super::listener::Listener;

const PROFILE: &str = r#"name = "shapes"
broker.url = "mqtt://127.0.0.1:1"

[[telemetry]]
template = "bare/{kind}/{thing}"

[[telemetry]]
template = "list/{area}"
thing = "/id"
kind = "bin"

[[telemetry]]
template = "v1/devices/{thing}/telemetry"
envelope = "/values"
time = "/ts"

[[telemetry]]
template = "senml/by-topic/{thing}"
shape = "senml"

[[telemetry]]
template = "senml/packs"
shape = "senml"
interval_s = 30
values."/temp" = "/temp_c"

[[telemetry]]
template = "home/{thing}/{value}/{value}"

[[telemetry]]
template = "mast/{thing}/wind"
value = "/wind"
values."/wind" = { name = "/wind_kmh", times = 3.6 }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shape_is_read_by_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("shapes.toml");
    std::fs::write(&profile, PROFILE).unwrap();
    let Some(mut listener) = Listener::start(&profile).await else { return };
    let messages = [
        ("bare/lamp/l-1", r#"{"power_w":61.8,"door":{"open":false}}"#),
        ("list/sliema", r#"[{"id":7,"fill_pct":40},{"id":"b-8","fill_pct":50}]"#),
        ("v1/devices/tb/telemetry", r#"{"ts":1451649600512,"values":{"key1":"value1","key2":2}}"#),
        ("senml/by-topic/ow", r#"[{"bn":"urn:dev:ow:1:","bt":1.7e9,"n":"temp","u":"Cel","v":23.1}]"#),
        (
            "senml/packs",
            r#"[{"bn":"urn:dev:mac:a/","bt":1.7e9,"n":"temp","u":"Cel","v":20},{"n":"temp","t":60,"v":21},
                {"n":"gps","u":"lat","v":35.9},{"n":"gps","u":"lon","v":14.5},{"bn":"urn:dev:mac:b/","n":"temp","v":5}]"#,
        ),
        ("home/hall/air/temp", "23.5"),
        ("home/hall/door/state", "\"open\""),
        ("home/hall/light/state", "ON"),
        ("home/hall/light/state", ""),
        ("mast/m-1/wind", "10"),
    ];
    for (topic, payload) in messages {
        listener.feed.publish(topic, payload).await;
    }
    listener.feed.publish("senml/packs", r#"[{"n":"temp","v":1}]"#).await;
    listener.feed.publish("mast/m-1/wind", r#"{"wind":10}"#).await;
    listener.wait_for_all(messages.len() as u64 + 2).await;
    let page = listener.desk.look_at_thing("urn:dev:mac:a").await;
    assert_eq!(listener.desk.page(page).head.at, LonLat::new(14.5, 35.9), "lat and lon are units of SenML");
    assert_eq!(listener.desk.value(page, "/temp_c").unwrap().unit, "°C");

    let cached = listener.end().await;
    let n = Value::Number;
    let text = |text: &str| Value::Text(text.into());
    let at = 1_700_000_000_000;
    for (thing, pointer, value, at_ms) in [
        ("l-1", "/power_w", n(61.8), None),
        ("l-1", "/door/open", Value::Flag(false), None),
        ("7", "/fill_pct", n(40.0), None),
        ("b-8", "/fill_pct", n(50.0), None),
        ("tb", "/key1", text("value1"), Some(1_451_649_600_512)),
        ("tb", "/key2", n(2.0), Some(1_451_649_600_512)),
        ("ow", "/temp", n(23.1), Some(at)),
        ("urn:dev:mac:a", "/temp_c", n(21.0), Some(at + 60_000)),
        ("urn:dev:mac:b", "/temp_c", n(5.0), Some(at)),
        ("hall", "/air/temp", n(23.5), None),
        ("hall", "/door/state", text("open"), None),
        ("hall", "/light/state", text("ON"), None),
        ("m-1", "/wind_kmh", n(36.0), None),
    ] {
        let sample = &cached.latest[&(thing.to_owned(), pointer.to_owned())];
        assert_eq!(sample.value, value, "{thing} {pointer}");
        let dated = (sample.timed == Timed::ByDevice).then_some(sample.device_ms.0);
        assert_eq!(dated, at_ms, "{thing} {pointer}");
    }
    assert_eq!((cached.latest.len(), cached.things.len()), (15, 9));
    assert_eq!((cached.things["l-1"].kind, cached.things["7"].kind), (Kind::Lamp, Kind::Bin));
    assert_eq!((cached.things["b-8"].area.as_str(), cached.things["urn:dev:mac:b"].interval_s), ("sliema", 30));
    let reasons: Vec<&str> = cached.refused.keys().map(String::as_str).collect();
    assert_eq!(
        reasons,
        [
            "the field \"bn\" is missing",
            "the payload is an object where a single value belongs, such as 23.5, true or ON"
        ]
    );
}
