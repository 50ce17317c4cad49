//! Forms out of a kind's schema, in a browser: the program's own for a lamp of the demo city, wide and narrow.

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::page::by_testid;
use fleetlens_tests::serve::Serve;

use super::alone;
use super::both::{city, forms, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_sends_exactly_what_it_shows_and_nothing_that_its_schema_forbids() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("forms", data.path(), &["--things", "60"]);
    let Some(browser) = Browser::open("browser-forms", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;
    forms::two_values_go_out_as_one_command(&browser, city::LAMP).await;
    forms::json_is_told_at_its_line_what_the_schema_forbids(&browser, city::LAMP).await;
    assert_accessible(&browser, "form and JSON, dark").await;
    browser.set_theme("light").await;
    assert_accessible(&browser, "form and JSON, light").await;

    browser.resize(PHONE.0, PHONE.1).await;
    browser.goto(serve.phone()).await;
    browser.wait_until_live().await;
    browser.open_thing(city::LAMP).await;
    browser.click(&by_testid("form-fold")).await;
    browser.wait_for_element(&by_testid("form-send"), fleetlens_tests::person::SOON).await;
    browser.screenshot("form-phone-390").await;
    assert_accessible(&browser, "the form on the phone").await;
    told("axe-core finds nothing in form and JSON editor, dark and light, wide and narrow");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}
