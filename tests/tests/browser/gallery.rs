//! The page with every component: it can be read by everybody, and looks as it was kept.

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::kept::assert_as_kept;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;

use super::alone;
use super::both::told;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_component_looks_as_it_was_kept_in_both_themes_and_with_more_contrast() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("gallery", data.path(), &["--things", "1"]);
    let address = serve.window().replace("/?token", "/gallery?token");
    let Some(page) = Browser::open("browser-gallery", &serve, &address, DESKTOP, "dark").await else { return };
    page.wait_for_element(&by_testid("gallery"), SOON).await;
    let drawn_by = page.version().await;
    for (theme, contrast) in [("dark", "Usual"), ("light", "Usual"), ("light", "More"), ("dark", "More")] {
        page.set_theme(theme).await;
        page.click_word("[role=radiogroup][aria-label=Contrast]", contrast).await;
        for (wide, size) in [("1440", DESKTOP), ("390", PHONE)] {
            page.resize(size.0, size.1).await;
            let whole = "return document.documentElement.scrollHeight";
            let height: u32 = page.ask(whole, Vec::new()).await;
            page.resize(size.0, height).await;
            // Nothing has the focus, so that no ring is in the picture.
            page.ask::<()>("document.activeElement?.blur()", Vec::new()).await;
            let name = format!("gallery-{theme}-{}-{wide}", contrast.to_lowercase());
            assert_accessible(&page, &name).await;
            let overflows: bool =
                page.ask("return document.documentElement.scrollWidth > innerWidth", Vec::new()).await;
            assert!(!overflows, "{name} is wider than its window");
            page.still(0, SOON).await;
            let picture = page.screenshot(&name).await;
            assert_as_kept(&name, &picture, &drawn_by);
            told(&format!("{name} is as it was kept"));
        }
    }
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}
