//! A rule is written in the window: its mistake stands under its column, it is tried on what was measured, kept in the profile's file
//! without writing over what somebody else wrote there, and taken out again.

use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;

use super::alone;
use super::both::told;

const SOON: Duration = Duration::from_secs(30);

/// The status bar says that the broker is there.
const LINK_UP: &str = "[data-testid=status-broker][data-link=up]";

async fn bin_says(peer: &Peer, fill_pct: u32) {
    let payload = format!(r#"{{"ts":{},"values":{{"fill_pct":{fill_pct}}}}}"#, now_ms());
    peer.publish("city/valletta/bin/bin-0007/telemetry", payload).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_written_and_tried_on_the_past() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("browser-rules") else { return };
    let peer = Peer::connect(&broker.url(), "bins", &[]).await;
    let data = tempfile::tempdir().unwrap();
    let file = ProfileText::new("Rules", broker.url()).write(data.path());
    let serve = Serve::start("rules", data.path(), &["--profile", file.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-rules", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_for_element(LINK_UP, SOON).await;
    let meta = r#"{"kind":"bin","name":"Bin 7","lat":35.8985,"lon":14.513}"#;
    peer.publish_retained("city/valletta/bin/bin-0007/meta", meta).await;
    // It was full twice.
    for fill_pct in [40, 95, 30, 97, 20] {
        bin_says(&peer, fill_pct).await;
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    page.wait_until_live().await;

    page.keys("gr").await;
    page.wait_for_text(&by_testid("rules-total"), SOON, |text| text == "3 rules of Rules").await;
    page.wait_for_element(&by_testid("rules-usual"), SOON).await;
    assert_accessible(&page, "the list of rules").await;
    page.click(&by_testid("rule-new")).await;
    page.type_into(&by_testid("rule-name"), "nearly full").await;
    let id: String = page.ask("return document.querySelector('[data-testid=rule-id]').value", vec![]).await;
    assert_eq!(id, "nearly-full", "an id is made of the name");
    page.type_into(&by_testid("rule-what_to_do"), "put it on the next round").await;
    page.choose(&by_testid("rule-kind"), "bin").await;
    page.type_into(&by_testid("rule-when"), "fill_pct >= 90 and )").await;
    page.wait_for_text(&by_testid("wrong-when"), SOON, |text| text.starts_with("Column 20: ")).await;
    let marked = page.text_of("[data-testid=when-marks] mark").await;
    assert_eq!(marked.as_deref(), Some(")"), "the mistake is marked where it stands");
    let save = by_testid("rule-save");
    assert_eq!(page.count(&format!("{save}[disabled]")).await, 1, "what is wrong is not saved");
    page.screenshot("rules-mistake-dark-1440").await;
    assert_accessible(&page, "a rule with a mistake").await;
    told("a mistake in a rule stands under its column");

    page.replace(&by_testid("rule-when"), "fill_pct >= 90").await;
    page.wait_for_element(&format!("{save}:not([disabled])"), SOON).await;
    page.click(&by_testid("past-try")).await;
    page.wait_for_text(&by_testid("past-head"), SOON, |text| text == "It would have been raised 2 times.").await;
    assert_eq!(page.count(&by_testid("past-row")).await, 2);
    let basis = page.text("past-basis").await.unwrap();
    assert!(basis.starts_with("Looked at 1 thing over") && basis.contains("5 values"), "{basis}");
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        page.screenshot(&format!("rules-tried-{theme}-1440")).await;
        assert_accessible(&page, &format!("a rule tried on the past, {theme}")).await;
    }
    page.resize(700, 900).await;
    page.screenshot("rules-tried-light-700").await;
    page.resize(DESKTOP.0, DESKTOP.1).await;
    told("a rule is tried on what was measured");

    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}

const ROW: &str = "[data-testid=rule-row][data-rule=nearly-full]";

/// Presses the button that asks first, and says yes once what it resets is told.
async fn resets(page: &Page, button: &str) -> String {
    page.click(&format!("{}:not([disabled])", by_testid(button))).await;
    page.wait_for_element(&by_testid("confirm-yes"), SOON).await;
    let told = page.text("rule-resets").await.unwrap_or_default();
    page.click(&by_testid("confirm-yes")).await;
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_kept_raises_its_alarm_and_is_taken_out() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("browser-rules-kept") else { return };
    let peer = Peer::connect(&broker.url(), "bins", &[]).await;
    let data = tempfile::tempdir().unwrap();
    let file = ProfileText::new("Kept", broker.url()).write(data.path());
    let serve = Serve::start("rules-kept", data.path(), &["--profile", file.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-rules-kept", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_for_element(LINK_UP, SOON).await;
    let meta = r#"{"kind":"bin","name":"Bin 7","lat":35.8985,"lon":14.513}"#;
    peer.publish_retained("city/valletta/bin/bin-0007/meta", meta).await;

    page.keys("gr").await;
    page.click(&format!("{}:not([disabled])", by_testid("rule-new"))).await;
    page.type_into(&by_testid("rule-name"), "nearly full").await;
    page.choose(&by_testid("rule-kind"), "bin").await;
    page.type_into(&by_testid("rule-when"), "fill_pct >= 90").await;
    page.type_into(&by_testid("rule-what_to_do"), "put it on the next round").await;
    let told_first = resets(&page, "rule-save").await;
    assert!(
        told_first.contains("has the usual ones") && told_first.contains("Nothing is open of a new rule"),
        "{told_first}"
    );
    let said = |text: &str| text == "The rule nearly-full is saved and holds from now on.";
    page.wait_for_text(&by_testid("rules-said"), SOON, said).await;
    page.wait_for_text(ROW, SOON, |text| text.contains("none now") && text.contains("0 in 7 days")).await;
    let written = || std::fs::read_to_string(&file).unwrap();
    assert!(written().contains("fill_pct >= 90"), "{}", written());
    told("a rule is saved, after it was told what that resets");

    page.wait_for_element(LINK_UP, SOON).await;
    bin_says(&peer, 95).await;
    page.wait_for_text(ROW, SOON, |text| text.contains("1 active") && text.contains("1 in 7 days")).await;
    page.screenshot("rules-active-dark-1440").await;
    assert_accessible(&page, "the list of rules, one of them active").await;
    told("the alarm that it raises is counted beside it");

    page.click(&format!("{ROW} button")).await;
    page.replace(&by_testid("rule-when"), "fill_pct >= 92").await;
    page.click(&by_testid("rule-back")).await;
    page.wait_for_text(&by_testid("rules-unsaved"), SOON, |text| text.contains("nearly-full")).await;
    page.screenshot("rules-unsaved-dark-1440").await;
    let theirs = format!("# somebody else's word\n{}", written());
    std::fs::write(&file, &theirs).unwrap();
    page.click(&by_testid("rule-go-on")).await;
    let again = resets(&page, "rule-save").await;
    assert!(again.contains("1 open alarm of this rule stays as it is"), "{again}");
    page.wait_for_text(&by_testid("rule-told"), SOON, |text| text.contains("changed meanwhile")).await;
    assert_eq!(written(), theirs, "nothing was written over");
    page.screenshot("rules-changed-meanwhile-dark-1440").await;
    let kept: String = page.ask("return document.querySelector('[data-testid=rule-when]').value", vec![]).await;
    assert_eq!(kept, "fill_pct >= 92", "what was written stays");
    resets(&page, "rule-save").await;
    page.wait_for_text(ROW, SOON, |text| text.contains("fill_pct >= 92") && text.contains("1 active")).await;
    assert!(written().starts_with("# somebody else's word\n") && written().contains("fill_pct >= 92"), "{}", written());
    told("what somebody else wrote meanwhile is not written over, and saving once more keeps both");

    page.click(&format!("{ROW} button")).await;
    let removed = resets(&page, "rule-remove").await;
    assert!(removed.contains("1 open alarm of this rule returns"), "{removed}");
    page.wait_until_gone(ROW, SOON).await;
    page.wait_for_text(&by_testid("rules-total"), SOON, |text| text == "3 rules of Kept").await;
    assert!(!written().contains("nearly-full"), "{}", written());
    page.keys("ga").await;
    page.wait_for_text(&by_testid("alarm-counts"), SOON, |text| text == "1 returned, not seen").await;
    told("a rule that is taken out lets its alarm return, and forgets nothing");

    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_of_the_demo_city_are_read_tried_and_not_changed() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("rules-demo", data.path(), &[]);
    let Some(page) = Browser::open("browser-rules-demo", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_until_live().await;
    page.keys("gr").await;
    page.wait_for_text(&by_testid("rules-locked"), SOON, |text| text.contains("comes with the program")).await;
    assert_eq!(page.count("[data-testid=rule-new][disabled]").await, 1);
    page.screenshot("rules-demo-dark-1440").await;
    assert_accessible(&page, "the rules of the demo city").await;
    page.click("[data-testid=rule-row][data-rule=not-converged] button").await;
    page.click(&by_testid("past-try")).await;
    page.wait_for_text(&by_testid("past-unanswered"), SOON, |text| text.contains("what was wanted")).await;
    assert_eq!(page.count("[data-testid=rule-save][disabled]").await, 1);
    told("what the past does not tell is said");
    page.click(&by_testid("rule-back")).await;
    page.click(&by_testid("rules-copy")).await;
    page.wait_for_element(&by_testid("profile-text"), SOON).await;
    told("the demo city's rules lead to a profile of one's own");
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}
