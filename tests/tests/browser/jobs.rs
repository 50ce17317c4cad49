//! Jobs in the window: a rollout under way, its things, the one that failed, the firmware in the field, and the thing's own page.

use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;

use super::both::{rail, told};

/// The demo city's devices take tens of seconds over a job.
const ROLLOUT_WITHIN: Duration = Duration::from_secs(180);

/// The rollout of a new firmware for lamps.
const ROLLOUT: &str = "[data-testid=job][data-job^=\"lamps-\"]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_is_followed_from_the_list_to_the_thing_that_failed() {
    let _alone = super::alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("jobs", data.path(), &["--things", "300"]);
    let Some(browser) = Browser::open("browser-jobs", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;
    rail::go(&browser, "jobs").await;
    let counts = format!("{ROLLOUT} [data-testid=job-counts]");
    let words = browser.wait_for_text(&counts, ROLLOUT_WITHIN, |text| text.contains("in progress")).await;
    told(&format!("a rollout is told as it goes: {words}"));
    let words =
        browser.wait_for_text(&counts, ROLLOUT_WITHIN, |t| t.contains("succeeded") && t.contains("failed")).await;
    assert_accessible(&browser, "the jobs, dark").await;
    browser.screenshot("browser-jobs-dark-1440").await;
    told(&format!("and what came of it: {words}"));

    let version = "[data-testid=firmware-kind][data-kind=lamp] [data-testid=version][data-version=\"2.5.0\"]";
    let share = browser.wait_for_text(version, SOON, |text| text.contains('%')).await;
    told(&format!("the new firmware is counted in the field: {share}"));

    browser.click(&format!("{ROLLOUT} [data-testid=job-choose]")).await;
    browser.wait_for_text(&by_testid("job-what"), SOON, |text| text == "Firmware update 2.5.0").await;
    browser.click_word(".jobs .segmented", "Failed").await;
    let part = "[data-testid=job-thing][data-standing=rejected]";
    let words = browser.wait_for_text(part, SOON, |text| text.contains("reason: ")).await;
    assert!(words.starts_with("Failed"), "{words}");
    // Only those that failed, as soon as the answer is there.
    browser.wait_until_gone("[data-testid=job-thing]:not([data-standing=rejected])", SOON).await;
    assert_accessible(&browser, "a job, dark").await;
    browser.screenshot("browser-job-dark-1440").await;
    browser.click(&format!("{part} [data-testid=job-thing-choose]")).await;
    let words = browser.wait_for_text(&by_testid("jobs-of-thing"), SOON, |text| text.contains("Failed")).await;
    told(&format!("a thing that failed leads to its page, which says so: {words}"));

    browser.set_theme("light").await;
    browser.close_thing().await;
    browser.click(&by_testid("job-back")).await;
    browser.wait_for_element(&by_testid("jobs"), SOON).await;
    assert_accessible(&browser, "the jobs, light").await;
    browser.resize(390, 844).await;
    browser.screenshot("browser-jobs-light-390").await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}
