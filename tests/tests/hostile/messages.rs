//! Messages through Mosquitto that are broken, absurd or meant to mislead: refused whole with the reason, or shown as what they are.

use std::time::{SystemTime, UNIX_EPOCH};

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::{Rows, ValueRow};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::telemetry::{Quality, Source, Timed, Value};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::peer::Peer;

use super::station::{SOON, Station};

/// The tests' city, and a list whose messages name their things.
fn profile(url: &str) -> String {
    format!(
        "name = \"hostile\"\n[broker]\nurl = \"{url}\"\n[[telemetry]]\n\
         template = \"city/{{area}}/{{kind}}/{{thing}}/telemetry\"\nenvelope = \"/values\"\ntime = \"/ts\"\n\
         meta = \"city/{{area}}/{{kind}}/{{thing}}/meta\"\n[[telemetry]]\ntemplate = \"list/{{kind}}\"\nthing = \"/id\"\n\
         [[telemetry]]\ntemplate = \"senml/{{kind}}\"\nshape = \"senml\"\n[[telemetry]]\ntemplate = \"fiware/{{kind}}\"\n\
         shape = \"fiware\"\n[shadows]\nenabled = true\n"
    )
}

/// What is said on a lamp's topic and cannot be a message, with the reason.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let nested = |depth: usize| format!("{{\"values\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    let text = |text: &str| text.as_bytes().to_vec();
    let lamp = "city/a/lamp/l-1/telemetry";
    let mut oversize = vec![b' '; 256 * 1024 + 1];
    oversize[..2].copy_from_slice(b"{}");
    let many = (0..513).map(|n| format!("\"v{n}\":{n}")).collect::<Vec<_>>().join(",");
    vec![
        (lamp, vec![], "not JSON"),
        (lamp, text("{"), "not JSON"),
        (lamp, text("{\"values\":{\"n\":01}}"), "not JSON"),
        (lamp, text("{\"values\":{\"n\":NaN}}"), "not JSON"),
        (lamp, text("\"text\""), "a single value where an object belongs"),
        (lamp, text("{\"values\":[1,2]}"), "an object of values"),
        (lamp, text("{\"ts\":1700000000000}"), "\"/values\" is missing"),
        (lamp, b"{\"values\":{\"a\":\"\xff\"}}".to_vec(), "not UTF-8 from byte 16"),
        (lamp, b"\x00\x01\x02\x03".to_vec(), "not JSON"),
        (lamp, oversize, "262145 bytes; at most 262144"),
        (lamp, "[".repeat(10_000).into_bytes(), "not JSON"),
        (lamp, nested(10_000).into_bytes(), "not JSON"),
        (lamp, "{\"a\":".repeat(10_000).into_bytes(), "not JSON"),
        (lamp, nested(9).into_bytes(), "nests deeper than 8"),
        (lamp, text("{\"values\":{\"n\":1e400}}"), "not JSON: number out of range"),
        (lamp, text("{\"values\":{\"n\":-1e99999}}"), "not JSON: number out of range"),
        (lamp, format!("{{\"values\":{{\"n\":{}}}}}", "9".repeat(400)).into_bytes(), "not JSON: number out of range"),
        (lamp, format!("{{\"values\":{{{many}}}}}").into_bytes(), "more than 512 values"),
        (lamp, format!("{{\"values\":{{\"{}\":1}}}}", "n".repeat(300)).into_bytes(), "at most 256 are allowed"),
        (lamp, format!("{{\"values\":{{\"n\":\"{}\"}}}}", "x".repeat(1025)).into_bytes(), "at most 1024 bytes"),
        (lamp, text("{\"ts\":-1,\"values\":{\"n\":1}}"), "must be a time"),
        (lamp, text("{\"ts\":1e300,\"values\":{\"n\":1}}"), "must be a time"),
        (lamp, text("{\"ts\":\"soon\",\"values\":{\"n\":1}}"), "must be a time"),
        ("city/a/lamp//telemetry", text("{\"values\":{\"n\":1}}"), "name is empty"),
        ("city/a/lamp/l-\u{202e}1/telemetry", text("{\"values\":{\"n\":1}}"), "hidden character '\\u{202e}'"),
        ("city/a/lamp/l-\u{2066}1/meta", text("{}"), "hidden character '\\u{2066}'"),
        ("city/a/lamp/l-1/meta", text("{\"lat\":\"north\"}"), "not JSON"),
        ("city/a/lamp/l-1/meta", format!("{{\"name\":\"{}\"}}", "x".repeat(17_000)).into_bytes(), "at most 16384"),
        ("list/bin", text("[{\"id\":\"b-\\u0007\",\"n\":1}]"), "hidden character '\\u{7}'"),
        ("list/bin", text("[{\"id\":\"b-1\",\"n\":1},{\"id\":\"\",\"n\":1}]"), "the thing's name, a text"),
        ("list/bin", text("[{\"id\":\"b-1\",\"n\":1},{\"n\":1}]"), "\"/id\" is missing"),
        ("list/bin", format!("[{}]", vec!["{}"; 513].join(",")).into_bytes(), "513 entries; at most 512"),
        ("senml/bin", text("[{\"bn\":\"b:\",\"n\":\"t\",\"v\":1e400}]"), "not JSON: number out of range"),
        ("senml/bin", text("[{\"n\":\"t\",\"v\":1}]"), "\"bn\" is missing"),
        ("fiware/bin", text("[{\"id\":7}]"), "field"),
        ("$aws/things/l-1/shadow/update/documents", text("[]"), "an array where an object belongs"),
        ("$aws/things/l-1/shadow/get/accepted", nested(10_000).into_bytes(), "not JSON"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_is_refused_with_the_reason_and_costs_nothing_else() {
    let Some(broker) = Mosquitto::start("hostile-broken") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut station = Station::start_with(&profile(&broker.url()), folder.path()).await;
    station.wait_until_up().await;
    let peer = Peer::connect(&broker.url(), "stranger", &[]).await;
    for (n, (topic, payload, want)) in broken().into_iter().enumerate() {
        let refused = n as u64 + 1;
        peer.publish(topic, payload).await;
        let what = format!("{want:?} of {topic:?}");
        let newest = station
            .wait_for(&what, |status| (status.refused >= refused).then(|| status.refusals.first().cloned()).flatten());
        let newest = newest.await;
        assert!(newest.reason.contains(want), "{topic:?}: {newest:?}");
        assert!(newest.reason.chars().count() <= 512 && newest.topic.chars().count() <= 256, "{newest:?}");
        assert_eq!((station.status().refused, station.status().things), (refused, 0), "{newest:?}");
    }
    peer.publish("city/a/lamp/l-1/telemetry", r#"{"values":{"n":1}}"#).await;
    station.wait_for("a good message", |status| (status.things == 1).then_some(())).await;
    peer.leave().await;
    station.stop().await;
}

/// Names and texts that would be something else on a page, or turn it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markup_stays_text_and_hidden_characters_are_written_out() {
    let Some(broker) = Mosquitto::start("hostile-names") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut station = Station::start_with(&profile(&broker.url()), folder.path()).await;
    station.wait_until_up().await;
    let peer = Peer::connect(&broker.url(), "stranger", &[]).await;
    let name = "<img src=x onerror=alert(1)>'\"&amp;${1}{{1}}%s";
    peer.publish(
        &format!("city/<b>a<!--/lamp/{name}/telemetry"),
        "{\"values\":{\"<i>\\u202ewoh\":\"\\u202egnp.\\u0000exe\",\"n\":1}}",
    )
    .await;
    peer.publish_retained(
        &format!("city/<b>a<!--/lamp/{name}/meta"),
        "{\"name\":\"<script>x</script>\\u202e\\u2066 Lamp\\u0007\",\"street\":\"\\u202d<br>\",\"units\":{\"n\":\"\\u202ekW\"}}",
    )
    .await;
    station.wait_for("both messages", |status| (status.stored == 2).then_some(())).await;
    let found = station.desk.find(name).await.unwrap();
    let page = station.desk.look(Look::Thing { thing: found.thing }).await;
    let head = &station.desk.page(page).head;
    assert_eq!(
        (head.name.as_str(), head.title.as_str(), head.street.as_str()),
        (name, "<script>x</script> Lamp", "<br>")
    );
    assert_eq!(head.area, "<b>a<!--");
    let values = &station.desk.page(page).values;
    let row = |starts: &str| values.iter().find(|row| row.pointer.starts_with(starts)).unwrap();
    let turned = row("/<i>");
    assert_eq!(turned.label, "<i>\\u{202e}woh");
    assert_eq!(turned.value, Value::Text("\\u{202e}gnp.\\u{0}exe".into()));
    assert_eq!(row("/n").unit, "kW");

    let messages = station.desk.look(Look::Messages { thing: found.thing }).await;
    let Some(Rows::Messages(messages)) = station.desk.rows(messages) else { panic!("no messages") };
    let payload = messages.iter().map(|message| message.payload.as_str()).collect::<String>();
    assert!(payload.contains("<script>") && !payload.contains(['\u{202e}', '\u{0}']), "{payload:?}");
    peer.leave().await;
    station.stop().await;
}

/// A broker keeps a lie for whoever comes next: the value is marked as retained, has the age it really has or one that is
/// called a guess, and its thing counts as never heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retained_lie_about_the_time_makes_nothing_look_fresh() {
    const YEAR_MS: i64 = 365 * 86_400_000;
    let Some(broker) = Mosquitto::start("hostile-lies") else { return };
    let folder = tempfile::tempdir().unwrap();
    let peer = Peer::connect(&broker.url(), "stranger", &["city/#"]).await;
    let now = now_ms();
    let lies = [("future", now + 10 * YEAR_MS), ("past", now - 10 * YEAR_MS), ("epoch", 1), ("a-little", now + 60_000)];
    for (name, at_ms) in lies {
        let payload = format!("{{\"ts\":{at_ms},\"values\":{{\"n\":1}}}}");
        peer.publish_retained(&format!("city/a/lamp/{name}/telemetry"), payload).await;
    }
    peer.wait_for("the broker to have them all", |message| message.topic.contains("a-little").then_some(())).await;
    let mut station = Station::start_with(&profile(&broker.url()), folder.path()).await;
    station.wait_for("all of them", |status| (status.stored == 4).then_some(())).await;
    for (name, at_ms) in lies {
        let page = station.desk.look_at_thing(name).await;
        let ValueRow { source, quality, timed, age_ms, device_ms, .. } = *station.desk.value(page, "/n").unwrap();
        assert_eq!(source, Source::Retained, "{name}");
        assert_eq!(station.desk.page(page).head.freshness, Freshness::Never, "{name}");
        let years = age_ms as i64 / YEAR_MS;
        match name {
            "future" => {
                assert_eq!((quality, timed), (Quality::Estimated, Timed::ByUs), "{name}");
                assert!(device_ms.0 <= now + 120_000, "it is dated by us: {device_ms:?}");
            }
            "past" => assert_eq!((quality, timed, years, device_ms.0), (Quality::Good, Timed::ByDevice, 10, at_ms)),
            // One second after the epoch, read as seconds, is still half a century ago.
            "epoch" => assert!(timed == Timed::ByDevice && years > 50, "{years} years"),
            _ => assert!(timed == Timed::ByDevice && age_ms < 120_000, "{name}: {age_ms} ms"),
        }
    }
    // What a device says now is stronger than what somebody kept.
    peer.publish("city/a/lamp/future/telemetry", format!("{{\"ts\":{},\"values\":{{\"n\":2}}}}", now_ms())).await;
    let page = station.desk.look_at_thing("future").await;
    let live = station.desk.wait_for("the live value", SOON, |desk| {
        let row = desk.value(page, "/n").cloned().ok_or("no value")?;
        if row.source == Source::Live { Ok(row) } else { Err(format!("{row:?}")) }
    });
    let live = live.await;
    assert_eq!((live.value, live.quality), (Value::Number(2.0), Quality::Good));
    peer.leave().await;
    station.stop().await;
}

/// Our clock, in milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}
