//! Things are chosen on the map: all in the picture, by a box, by a line around them, one more with Shift; and the table knows of it.

use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::serve::Serve;

use super::alone;
use super::both::told;

const SOON: Duration = Duration::from_secs(30);

/// How many the bar says are chosen.
async fn chosen(page: &Page) -> usize {
    let words = page.wait_for_text("[data-testid=chosen-on-map] p", SOON, |text| text.contains(" chosen: ")).await;
    let digits: String = words.chars().take_while(|c| *c != ' ').filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number: {words}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn things_are_chosen_on_the_map() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("choose", data.path(), &[]);
    let Some(page) = Browser::open("browser-choose", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_until_live().await;

    page.click(&by_testid("choose-picture")).await;
    let all = chosen(&page).await;
    assert!(all > 100 && all <= page.things_drawn().await, "{all} of those on the map");
    page.screenshot("map-chosen-all-dark-1440").await;
    page.keys("\u{e00c}").await;
    page.wait_until_gone(&by_testid("chosen-on-map"), SOON).await;
    told("everything in the picture is chosen by one press, and Escape chooses none");

    page.click(&by_testid("choose-box")).await;
    page.drag(&[(500.0, 250.0), (900.0, 600.0)], false).await;
    let boxed = chosen(&page).await;
    assert!(boxed > 0 && boxed < all, "{boxed} of {all}");
    assert_eq!(page.count("[data-testid=choose-box][aria-pressed=true]").await, 0, "one box, and the map moves again");
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        page.screenshot(&format!("map-chosen-{theme}-1440")).await;
        assert_accessible(&page, &format!("things chosen on the map, {theme}")).await;
    }
    page.drag(&[(300.0, 200.0), (500.0, 700.0)], true).await;
    let more = chosen(&page).await;
    assert!(more > boxed, "{more}, and {boxed} before");
    told("a box chooses what lies in it, and with Shift more");

    page.click(&by_testid("choose-lasso")).await;
    page.drag(&[(600.0, 300.0), (900.0, 300.0), (900.0, 600.0), (750.0, 350.0), (600.0, 600.0)], false).await;
    let line = chosen(&page).await;
    assert!(line > 0 && line < all, "{line} of {all}");
    page.click(&by_testid("map-command")).await;
    page.wait_for_element("dialog[open]", SOON).await;
    page.screenshot("map-chosen-command-light-1440").await;
    page.keys("\u{e00c}").await;
    page.wait_until_gone("dialog[open]", SOON).await;
    assert_eq!(chosen(&page).await, line, "what was chosen stays so while one thinks about it");
    page.click(&by_testid("map-to-table")).await;
    let words = page.wait_for_text(&by_testid("chosen-count"), SOON, |text| text.ends_with(" chosen")).await;
    assert!(words.replace([',', '\u{202f}', '\u{2009}', '\u{a0}', ' '], "").starts_with(&line.to_string()), "{words}");
    told("what is chosen by a line can be commanded, and is chosen in the table too");

    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}
