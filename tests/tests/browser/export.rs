//! What is saved as a sheet in a browser goes through the browser, whole.

use fleetlens_tests::browser::Browser;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;

/// Has the page keep what it gives to the browser.
const WATCH: &str = "window.e2eSheets = []; const make = URL.createObjectURL; \
                     URL.createObjectURL = blob => { blob.text().then(text => window.e2eSheets.push(text)); return make.call(URL, blob) }";

/// Saves it, and gives its lines.
pub async fn saved(page: &Browser, name: &str) -> Vec<String> {
    page.ask::<()>(WATCH, Vec::new()).await;
    page.click(&by_testid("export")).await;
    let said = page.wait_for_text(&by_testid("exported"), SOON, |text| !text.is_empty()).await;
    assert!(said.starts_with(name) && said.ends_with(".csv is with the browser"), "{said}");
    let sheet = "return window.e2eSheets[0] ?? null";
    let text = page
        .wait_for("the sheet", SOON, sheet, |text: Option<String>| text.ok_or_else(|| "nothing yet".to_owned()))
        .await;
    text.lines().map(str::to_owned).collect()
}
