//! The first start on a broker of one's own.

use std::path::Path;
use std::time::Duration;

use fleetlens_sim::City;
use fleetlens_tests::display::Display;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::window::Window;

use crate::{Failure, take};

/// Ten seconds of listening, and what a busy machine makes of the rest.
const HEARD_WITHIN: Duration = Duration::from_secs(60);

pub async fn pictures(city: &City, display: &Display, folder: &Path) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let path = data.path().to_str().ok_or("a folder with a plain name")?;
    let arguments = ["--data-dir", path, "--theme", "dark"].map(str::to_owned).to_vec();
    let opened = Window::open_for_the_first_time("screenshots-first", "fleetlens-desktop", display, arguments).await;
    let window = opened.ok_or("the pictures need WebKitWebDriver")?;
    window.resize(1440, 900).await;
    window.wait_for_element(&by_testid("choose-broker"), SOON).await;
    take(&window, folder, "first-question").await;
    window.click(&by_testid("choose-broker")).await;
    window.replace(&by_testid("setup-url"), &city.address()).await;
    window.click(&by_testid("connect")).await;
    window.wait_for_element("[data-testid=profile-text]", HEARD_WITHIN).await;
    window.wait_for_text(&by_testid("preview-summary"), SOON, |text| text.contains("things")).await;
    take(&window, folder, "your-broker").await;
    window.close().await;
    Ok(())
}
