//! What is saved in a browser goes through the browser, whole.

use fleetlens_tests::browser::Browser;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;

use super::both::rail;

/// Has the page keep what it gives to the browser.
const WATCH: &str = "window.e2eSheets = []; const make = URL.createObjectURL; \
                     URL.createObjectURL = blob => { blob.text().then(text => window.e2eSheets.push(text)); return make.call(URL, blob) }";

/// Saves a sheet, and gives its lines.
pub async fn saved(page: &Browser, name: &str) -> Vec<String> {
    whole(page, name, ".csv").await.lines().map(str::to_owned).collect()
}

/// The report of the last hours, by one press: a page with what was raised and where. A time without an end has none.
pub async fn a_shift_is_reported(page: &Browser, raised: &str) {
    rail::go(page, "alarms").await;
    let report = whole(page, "fleetlens-report-", ".html").await;
    for part in ["<!DOCTYPE html>", "Alarm report", "Where alarms were raised", "data:image/png;base64,", raised] {
        assert!(report.contains(part), "{part} is not in the report of {} bytes", report.len());
    }
    page.screenshot("report-saved-1440").await;
    let time = by_testid("report-time");
    page.choose(&time, "other").await;
    page.wait_for_element(&format!("{}:disabled", by_testid("export")), SOON).await;
    page.choose(&time, "8").await;
    page.wait_for_element(&format!("{}:not(:disabled)", by_testid("export")), SOON).await;
}

/// Saves it, and gives what the browser got.
async fn whole(page: &Browser, name: &str, ending: &str) -> String {
    page.ask::<()>(WATCH, Vec::new()).await;
    page.click(&by_testid("export")).await;
    let said = page.wait_for_text(&by_testid("exported"), SOON, |text| !text.is_empty()).await;
    assert!(said.starts_with(name) && said.ends_with(&format!("{ending} is with the browser")), "{said}");
    let file = "return window.e2eSheets[0] ?? null";
    page.wait_for("the file", SOON, file, |text: Option<String>| text.ok_or_else(|| "nothing yet".to_owned())).await
}
