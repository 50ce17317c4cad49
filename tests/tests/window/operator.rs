//! An operator's ordinary day in the real window: the demo city, and a street on Mosquitto where things go wrong.

use super::both::{alarms, city, diagnostics, forms, markers, orders, pages, rail, settings, steer, street, table};
use super::{alone, open, screen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_finds_and_steers_the_things_of_a_city() {
    let _alone = alone().await;
    let Some(display) = screen("window-operator") else { return };
    let data = tempfile::tempdir().unwrap();
    let Some(window) = open("window-operator", &display, data.path(), &["--theme", "light"]).await else { return };
    window.wait_until_live().await;
    rail::leads_everywhere(&window).await;
    table::scrolls_to_the_end_and_back(&window).await;
    table::sorts_filters_and_opens(&window).await;
    markers::a_mark_opens_its_thing(&window, city::LAMP).await;
    diagnostics::are_seen_as_they_change(&window).await;
    diagnostics::are_copied(&window).await;
    diagnostics::are_left(&window).await;
    rail::go(&window, "map").await;
    steer::a_charger_is_limited_and_taken_out_of_service(&window).await;
    steer::a_barrier_asks_first(&window).await;
    steer::a_lamp_is_switched_off_and_on(&window).await;
    steer::an_interval_is_typed_and_the_rest_is_json(&window).await;
    forms::two_values_go_out_as_one_command(&window, city::LAMP).await;
    forms::json_is_told_at_its_line_what_the_schema_forbids(&window, city::LAMP).await;
    city::the_whole_island_has_a_thousand_things(&window).await;
    markers::every_kind_has_its_switch(&window).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_is_told_what_goes_wrong_in_a_street_and_sees_to_it() {
    let _alone = alone().await;
    let Some(display) = screen("window-street") else { return };
    let data = tempfile::tempdir().unwrap();
    let Some(mut street) = street::Street::start("window-street", data.path()).await else { return };
    let profile = street.profile().to_owned();
    let arguments = ["--profile", profile.as_str(), "--theme", "dark"];
    let Some(window) = open("window-street", &display, data.path(), &arguments).await else { return };
    street.speaks().await;
    window.wait_until_live().await;
    pages::values_and_messages_are_told_whole(&window, &street).await;
    pages::the_status_line_tells_what_comes(&window, &street).await;
    orders::a_command_waits_in_sight_and_is_taken_back(&window, &street).await;
    alarms::are_raised_after_their_delay_and_end_below_their_deadband(&window, &street).await;
    alarms::several_are_acknowledged_with_a_comment(&window, "T. Ester").await;
    alarms::one_is_taken_off_the_list_and_put_back(&window, "T. Ester").await;
    alarms::what_is_wanted_and_not_so_is_told(&window, &street).await;
    settings::identity_and_limits_are_saved_and_mistakes_told(&window).await;
    settings::the_theme_is_chosen(&window).await;
    rail::go(&window, "map").await;
    markers::a_cluster_shows_its_worst_and_opens(&window, &street, BURNING).await;
    alarms::a_critical_one_is_told_everywhere_and_seen(&window, BURNING, settings::NAME).await;
    alarms::are_unknown_while_the_link_is_down(&window, &mut street, BURNING).await;
    street.the_bus_speaks_for_the_last_time().await;
    settings::another_profile_is_chosen_and_back(&window, &street).await;
    window.close().await;

    let Some(window) = open("window-street-again", &display, data.path(), &arguments).await else { return };
    alarms::outlive_the_program(&window, BURNING, settings::NAME).await;
    settings::outlive_the_program(&window).await;
    alarms::silence_is_told(&window).await;
    window.close().await;
    street.end().await;
}

/// The bin that burns.
const BURNING: usize = 3;
