//! The window's program comes in two parts: the map needs one of them, and what is opened with a press waits for the other.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::place;
use fleetlens_tests::serve::Serve;

use super::alone;

/// The part that comes later; its name tells of which build it is.
fn later_part() -> OsString {
    let is_it = |name: &OsString| name.to_string_lossy().starts_with("split_later");
    let names = fs::read_dir(place::target().join("ui")).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().find(is_it).expect("the built window has a later part")
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_map_stands_without_the_later_part_which_is_asked_for_until_it_comes() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let window = data.path().join("ui");
    copy_all(&place::target().join("ui"), &window);
    let later = later_part();
    fs::remove_file(window.join(&later)).unwrap();
    let folder = window.to_str().expect("a temporary folder has a plain name");
    let serve = Serve::start("parts", &data.path().join("data"), &["--things", "60", "--ui", folder]);
    let Some(page) = Browser::open("browser-parts", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_until_live().await;
    page.keys("gt").await;
    page.wait_for_element(&by_testid("unfetched"), SOON).await;
    page.screenshot("parts-unfetched-dark-1440").await;

    fs::copy(place::target().join("ui").join(&later), window.join(&later)).unwrap();
    page.wait_for_element(&by_testid("things-row"), SOON).await;
    page.wait_until_gone(&by_testid("unfetched"), SOON).await;
    page.close().await;
    serve.close().await;
}
