//! The desktop's real window, driven as a person would: on the demo city with its own broker, and on Mosquitto. One start of
//! the app serves several steps, each of which says what it has checked; pictures for people are left in `target/e2e`.
#![cfg(test)]

mod both;
#[path = "window/city.rs"]
mod city;
#[path = "window/commands.rs"]
mod commands;
#[path = "window/operator.rs"]
mod operator;
#[path = "window/refusals.rs"]
mod refusals;
#[path = "window/roles.rs"]
mod roles;
#[path = "window/windows.rs"]
mod windows;

use std::path::Path;

use fleetlens_tests::display::Display;
use fleetlens_tests::window::Window;
use tokio::sync::{Mutex, MutexGuard};

/// The desktop's program.
const DESKTOP: &str = "fleetlens-desktop";

/// One window at a time: two cores draw the map in software.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// A screen with room around the largest window.
fn screen(name: &str) -> Option<Display> {
    Display::open(name, 1600, 1000)
}

/// The desktop app on a data folder, with what else it is told.
async fn open(name: &str, display: &Display, data: &Path, arguments: &[&str]) -> Option<Window> {
    let window = open_at_once(name, display, data, arguments).await?;
    window.resize(1440, 900).await;
    Some(window)
}

/// [`open`], and returns as soon as there is a page.
async fn open_at_once(name: &str, display: &Display, data: &Path, arguments: &[&str]) -> Option<Window> {
    let data = data.to_str().expect("a temporary folder has a plain name");
    Window::open(name, DESKTOP, display, ["--data-dir", data].iter().chain(arguments).copied()).await
}
