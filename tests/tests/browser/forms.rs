//! Forms out of a kind's schema, in a browser: the program's own for a lamp of the demo city, wide and narrow, and a profile's.

use std::fs;

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::ProfileText;
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
    browser.wait_for_element(&by_testid("form-send"), SOON).await;
    browser.screenshot("form-phone-390").await;
    assert_accessible(&browser, "the form on the phone").await;
    told("axe-core finds nothing in form and JSON editor, dark and light, wide and narrow");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_brings_its_own_schema() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("browser-schema") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
    service.ready().await;
    let mut lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    let data = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Schema", broker.url()).write(data.path());
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text + "\n[[kind]]\nkind = \"lamp\"\ndesired_schema = \"lamp.schema.json\"\n").unwrap();
    fs::write(data.path().join("lamp.schema.json"), forms::SCHEMA).unwrap();
    let serve = Serve::start("schema", data.path(), &["--profile", profile.to_str().unwrap()]);
    let Some(browser) = Browser::open("browser-schema", &serve, serve.window(), DESKTOP, "light").await else { return };
    browser.wait_until_live().await;
    lamp.measure_now().await;
    forms::a_group_of_the_profile_is_filled_in(&browser, &mut lamp).await;
    assert_accessible(&browser, "a form of the profile's schema").await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
    service.stop().await;
}
