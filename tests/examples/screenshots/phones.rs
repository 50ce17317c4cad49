//! What a technician and a driver see.

use std::path::Path;

use fleetlens_sim::{City, CityOptions};
use fleetlens_tests::display::Display;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;

use crate::{Failure, LAMP, STUCK, open, take, tell_the_past};

/// The phone's size, in CSS pixels.
const SIZE: (u32, u32) = (390, 844);

/// Car parks near the middle of Valletta.
pub async fn driver(city: &City, display: &Display, folder: &Path) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let arguments = ["--theme", "light", "--role", "driver"];
    let window = open("fleetlens-mobile", city, display, data.path(), &arguments).await?;
    window.resize(SIZE.0, SIZE.1).await;
    window.wait_for_element(&by_testid("lot"), SOON).await;
    window.wait_for_element(&by_testid("pin"), SOON).await;
    // A whole round of counts, so that each has an age.
    window.wait_for_text(&by_testid("lots"), SOON, |text| !text.contains("at least")).await;
    take(&window, folder, "driver").await;
    window.close().await;
    Ok(())
}

/// Near, alarms, and a lamp in a basement.
pub async fn technician(
    city: &mut City,
    options: &CityOptions,
    display: &Display,
    folder: &Path,
) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let arguments = ["--theme", "light", "--role", "technician"];
    let window = open("fleetlens-mobile", city, display, data.path(), &arguments).await?;
    window.resize(SIZE.0, SIZE.1).await;
    window.wait_until_live().await;
    tell_the_past(city, options).await?;
    window.click(&by_testid("tab-find")).await;
    window.wait_for_element(&by_testid("near-row"), SOON).await;
    take(&window, folder, "phone-near").await;

    // The stuck lamp does nothing for half a minute, and that is an alarm.
    window.open_thing(STUCK).await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported != "–").await;
    window.click("[data-testid=big][data-pointer=\"/dim_pct\"]").await;
    window.prepare_dim(60).await;
    window.choose("[data-testid=composer-sheet][open] [data-testid=expiry]", "30000").await;
    window.send_dim().await;
    window.wait_for_timeline("the stuck lamp's command to expire", SOON, |t| t.has("withdrawn")).await;
    window.click(&by_testid("tab-alarms")).await;
    window.wait_for_element(&by_testid("alarm-card"), SOON).await;
    take(&window, folder, "phone-alarms").await;

    window.open_thing(LAMP).await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported != "–").await;
    city.stop_broker().await;
    window.wait_for_element(&by_testid("offline"), SOON).await;
    window.click("[data-testid=big][data-pointer=\"/dim_pct\"]").await;
    window.dim(40).await;
    window.wait_for_element(&by_testid("waiting"), SOON).await;
    take(&window, folder, "phone-thing").await;
    window.close().await;
    Ok(())
}
