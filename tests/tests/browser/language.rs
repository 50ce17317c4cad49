//! The window speaks the language that was chosen, and comes back where it was.

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;

use super::alone;

const LANGUAGE: &str = "return `${document.documentElement.lang} ${document.documentElement.dir}`";

async fn speaks(page: &Browser, language: &str) {
    page.wait_for("the language", SOON, LANGUAGE, |now: String| if now == language { Ok(()) } else { Err(now) }).await;
    page.wait_until_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_speaks_the_language_that_was_chosen() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("language", data.path(), &["--things", "40"]);
    let Some(page) = Browser::open("browser-language", &serve, serve.window(), DESKTOP, "light").await else { return };
    speaks(&page, "en ltr").await;
    page.keys("gs").await;
    let choose = |name: &str| {
        let script = "const all = [...document.querySelectorAll('[data-testid=settings-theme] [role=radio], \
                      [data-testid=settings-theme] button')]; \
                      all.find(one => one.textContent.trim() === arguments[0]).click()";
        page.ask::<()>(script, vec![name.into()])
    };
    page.wait_for_element(&by_testid("settings-theme"), SOON).await;
    page.wait_for("the address of where it is", SOON, "return location.hash", |hash: String| {
        if hash == "#/view/settings" { Ok(()) } else { Err(hash) }
    })
    .await;
    choose("Deutsch").await;
    speaks(&page, "de ltr").await;
    page.wait_for_text(&by_testid("settings-theme"), SOON, |text| text.contains("Sprache")).await;
    assert_accessible(&page, "settings in German").await;
    page.screenshot("language-de-settings-light-1440").await;
    for (keys, view, title) in
        [("gm", "map", "Karte"), ("gt", "things", "Geräte"), ("ga", "alarms", "Alarme"), ("gb", "boards", "Dashboards")]
    {
        page.keys(keys).await;
        page.wait_for_text(".rail [aria-current]", SOON, |text| text.contains(title)).await;
        page.still(0, SOON).await;
        page.screenshot(&format!("language-de-{view}-light-1440")).await;
    }

    // Every text in brackets, from right to left.
    page.ask::<()>("localStorage.setItem('fleetlens.language', 'ar-XB'); location.reload()", Vec::new()).await;
    speaks(&page, "ar-XB rtl").await;
    page.keys("gs").await;
    page.wait_for_text(&by_testid("settings-theme"), SOON, |text| text.contains("⟦Language⟧")).await;
    page.screenshot("language-pseudo-settings-light-1440").await;

    choose("English").await;
    speaks(&page, "en ltr").await;
    page.wait_for_text(&by_testid("settings-theme"), SOON, |text| text.contains("Language")).await;
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}
