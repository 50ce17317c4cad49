//! An operator's ordinary day in a browser: the flows of the desktop's window, and what axe-core says of every part of it.

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;

use super::both::{alarms, city, markers, orders, pages, rail, settings, steer, street, table, told};
use super::{alone, dialogs, export};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_finds_and_steers_the_things_of_a_city() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("operator", data.path(), &[]);
    let Some(browser) = Browser::open("browser-operator", &serve, serve.window(), DESKTOP, "dark").await else {
        return;
    };
    browser.wait_until_live().await;
    rail::leads_everywhere(&browser).await;
    table::scrolls_to_the_end_and_back(&browser).await;
    table::sorts_filters_and_opens(&browser).await;
    markers::a_mark_opens_its_thing(&browser, city::LAMP).await;
    steer::a_charger_is_limited_and_taken_out_of_service(&browser).await;
    steer::a_barrier_asks_first(&browser).await;
    steer::a_lamp_is_switched_off_and_on(&browser).await;
    steer::an_interval_is_typed_and_the_rest_is_json(&browser).await;
    city::the_whole_island_has_a_thousand_things(&browser).await;
    markers::every_kind_has_its_switch(&browser).await;
    dialogs::the_question_is_accessible(&browser).await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_is_told_what_goes_wrong_in_a_street_and_sees_to_it() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let Some(mut street) = street::Street::start("browser-street", data.path()).await else { return };
    let profile = street.profile().to_owned();
    let arguments = ["--profile", profile.as_str()];
    let serve = Serve::start("street", data.path(), &arguments);
    let Some(browser) = Browser::open("browser-street", &serve, serve.window(), DESKTOP, "dark").await else { return };
    street.speaks().await;
    browser.wait_until_live().await;
    pages::values_and_messages_are_told_whole(&browser, &street).await;
    pages::the_status_line_tells_what_comes(&browser, &street).await;
    orders::a_command_waits_in_sight_and_is_taken_back(&browser, &street).await;
    alarms::are_raised_after_their_delay_and_end_below_their_deadband(&browser, &street).await;
    alarms::several_are_acknowledged_with_a_comment(&browser, "T. Ester").await;
    alarms::one_is_taken_off_the_list_and_put_back(&browser, "T. Ester").await;
    alarms::what_is_wanted_and_not_so_is_told(&browser, &street).await;
    export::a_shift_is_reported(&browser, "nearly full").await;
    settings::identity_and_limits_are_saved_and_mistakes_told(&browser).await;
    settings::the_theme_is_chosen(&browser).await;
    rail::go(&browser, "map").await;
    markers::a_cluster_shows_its_worst_and_opens(&browser, &street, BURNING).await;
    alarms::a_critical_one_is_told_everywhere_and_seen(&browser, BURNING, settings::NAME).await;
    alarms::are_unknown_while_the_link_is_down(&browser, &mut street, BURNING).await;
    street.the_bus_speaks_for_the_last_time().await;
    settings::another_profile_is_chosen_and_back(&browser, &street).await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    serve.close().await;

    let serve = Serve::start("street-again", data.path(), &arguments);
    browser.goto(serve.window()).await;
    browser.wait_until_live().await;
    alarms::outlive_the_program(&browser, BURNING, settings::NAME).await;
    settings::outlive_the_program(&browser).await;
    street.lamp.measure_now().await;
    dialogs::have_something_to_say(&browser, &street).await;
    every_part_is_accessible(&browser, &street).await;
    dialogs::the_offline_notice_is_accessible(&browser, &mut street).await;
    alarms::silence_is_told(&browser).await;
    browser.resize(PHONE.0, PHONE.1).await;
    for theme in ["light", "dark"] {
        browser.goto(serve.phone()).await;
        browser.wait_until_live().await;
        browser.set_theme(theme).await;
        the_phone_is_accessible(&browser, &street, theme).await;
    }
    told("axe-core finds nothing on the phone's page, dark and light");
    browser.close().await;
    serve.close().await;
    street.end().await;
}

/// The bin that burns.
const BURNING: usize = 3;

/// Map, table, page, alarms, commands and settings, with rows in all of them, dark and light.
async fn every_part_is_accessible(page: &Page, street: &street::Street) {
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        for section in ["map", "things", "alarms", "commands", "settings"] {
            rail::go(page, section).await;
            page.still(2_000, SOON).await;
            page.screenshot(&format!("{section}-{theme}-1440")).await;
            assert_accessible(page, &format!("{section}, {theme}")).await;
        }
        rail::go(page, "map").await;
        page.open_thing(street.lamp.name()).await;
        page.click(&by_testid("open-page")).await;
        page.click(&by_testid("json-fold")).await;
        page.click(&by_testid("messages-fold")).await;
        page.wait_for_element(&by_testid("message"), SOON).await;
        page.screenshot(&format!("page-{theme}-1440")).await;
        assert_accessible(page, &format!("the thing's page, {theme}")).await;
        page.open_thing(&street::name(BURNING)).await;
        page.wait_for_element(&by_testid("alarm-card"), SOON).await;
        assert_accessible(page, &format!("an alarmed thing, {theme}")).await;
        page.close_thing().await;
        dialogs::are_accessible(page, theme).await;
    }
    told("axe-core finds nothing in any part of the window, dark and light");
}

/// The phone's page: the map, what is near, all alarms, a thing.
async fn the_phone_is_accessible(page: &Page, street: &street::Street, theme: &str) {
    for tab in ["tab-map", "tab-find", "tab-alarms"] {
        page.click(&by_testid(tab)).await;
        page.still(2_000, SOON).await;
        page.screenshot(&format!("phone-{tab}-{theme}-390")).await;
        assert_accessible(page, &format!("the phone's {tab}, {theme}")).await;
    }
    page.open_thing(street.lamp.name()).await;
    assert_accessible(page, &format!("the phone's thing, {theme}")).await;
}
