//! What a hostile fleet looks like on a page: text, and nothing but text.

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::page::by_testid;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;

/// A name that would run a script if it were markup.
const NAME: &str = "<img src=x onerror=hostile=1>";

/// What such names and texts would leave on the page: a picture that cannot be loaded, what its handler sets, and characters
/// that hide or turn others.
const TRACES: &str = "return [document.querySelectorAll('img[src=x], svg[onload]').length, typeof window.hostile, \
    (document.body.innerText.match(/[\\u0000-\\u0008\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]/g) ?? []).length]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_page_a_strangers_markup_is_text_and_turns_nothing() {
    let Some(broker) = Mosquitto::start("hostile-page") else { return };
    let data = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("hostile page", broker.url()).write(data.path());
    let serve = Serve::start("hostile", data.path(), &["--profile", profile.to_str().unwrap()]);
    let peer = Peer::connect(&broker.url(), "stranger", &[]).await;
    let said = "{\"values\":{\"lat\":35.9,\"lon\":14.5,\"<b>\\u202ewoh\":\"\\u202e<svg onload=hostile=1>\",\"n\":1}}";
    peer.publish_retained(&format!("city/<i>/lamp/{NAME}/telemetry"), said).await;
    let described = "{\"name\":\"<script>hostile=1</script>\\u2066\",\"lat\":35.9,\"lon\":14.51,\"street\":\"<svg onload=hostile=1>\"}";
    peer.publish_retained("city/a/lamp/described/meta", described).await;
    peer.publish("city/a/lamp/turned-\u{202e}1/telemetry", "{\"values\":{\"n\":1}}").await;
    peer.publish("city/a/lamp/<svg onload=hostile=1>/telemetry", "\u{202e}{").await;

    let Some(browser) = Browser::open("hostile", &serve, serve.window(), DESKTOP, "light").await else { return };
    browser.wait_until_live().await;
    browser.open_thing(NAME).await;
    let cards = browser.wait_for_cards("the values", SOON, |cards| cards.len() >= 4).await;
    let (_, turned) = cards.iter().find(|(pointer, _)| pointer.starts_with("/<b>")).unwrap();
    assert!(turned.number.to_lowercase().contains("\\u{202e}<svg onload=hostile=1>"), "{turned:?}");
    browser.click(&by_testid("messages-fold")).await;
    browser.wait_for_text(&by_testid("messages"), SOON, |text| text.contains(NAME)).await;
    browser.click(&format!("{} .topic", by_testid("message"))).await;
    browser.wait_for_text(&by_testid("messages"), SOON, |text| text.contains("<svg onload=hostile=1>")).await;
    browser.screenshot("hostile-thing-light-1440").await;
    assert_eq!(browser.ask::<(u32, String, u32)>(TRACES, Vec::new()).await, (0, "undefined".into(), 0));

    browser.replace(&by_testid("find"), "script").await;
    let described = |text: &str| text.contains("<script>hostile=1</script>");
    browser.wait_for_text(&by_testid("found-row"), SOON, described).await;
    browser.click(&by_testid("status-refused")).await;
    let refused = browser.wait_for_text(&by_testid("refusals"), SOON, |text| text.contains("hidden character")).await;
    assert!(refused.contains("turned-\\u{202e}1") && refused.contains("<svg onload"), "{refused}");
    browser.screenshot("hostile-refused-light-1440").await;
    assert_eq!(browser.ask::<(u32, String, u32)>(TRACES, Vec::new()).await, (0, "undefined".into(), 0));
    assert_eq!(browser.faults().await, Vec::<String>::new());
    browser.close().await;
    peer.leave().await;
    serve.close().await;
}
