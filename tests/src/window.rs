//! The app's real window, driven over WebDriver by WebKitWebDriver, which starts the app itself.

use std::ffi::OsString;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use thirtyfour::{Capabilities, WebDriver};

use crate::broker::free_port;
use crate::display::Display;
use crate::page::{Page, SizedBy};
use crate::place;
use crate::process::{Group, Output, children_of, is_alive, signal};
use crate::profile::unasked;
use crate::wait::{until, until_sync};

/// How long the driver and the app may take to be there, and how often that is tried.
const OPENS_WITHIN: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 3;

/// How long an app may take to be gone whose attempt failed.
const GONE_WITHIN: Duration = Duration::from_secs(6);

/// How long one request to the page may take.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// How long the app may take to end: its own limit is five seconds, on a machine with nothing else to do.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

pub use crate::page::{by_testid, plain};

/// The window of one of our apps, and the [`Page`] in it.
pub struct Window {
    page: Page,
    driver_program: Option<Group>,
    app: u32,
}

impl Window {
    /// Starts a program of ours with arguments and waits for its page; it does not ask what to show. `name` is that of its log in
    /// `target/e2e/logs`. `None` when WebKitWebDriver is not installed (then the test has been told as skipped).
    pub async fn open<A: Into<OsString>>(
        name: &str,
        program: &str,
        display: &Display,
        arguments: impl IntoIterator<Item = A>,
    ) -> Option<Window> {
        let mut arguments: Vec<String> =
            arguments.into_iter().map(|a| a.into().into_string().expect("arguments are text")).collect();
        let unasked = unasked(arguments.iter().map(String::as_str));
        arguments.extend(unasked.map(str::to_owned));
        Window::open_for_the_first_time(name, program, display, arguments).await
    }

    /// Like [`Window::open`], but where there is nothing yet it asks what to show.
    pub async fn open_for_the_first_time(
        name: &str,
        program: &str,
        display: &Display,
        arguments: Vec<String>,
    ) -> Option<Window> {
        let webdriver = place::system_program("WebKitWebDriver")?;
        let binary = place::program(program);
        let log = place::log(name);
        for attempt in 1.. {
            let why = match try_open(&webdriver, &binary, &arguments, display, &log).await {
                Ok((driver_program, driver, app)) => {
                    let page = Page::new(driver, app, name, log, SizedBy::Window);
                    return Some(Window { page, driver_program: Some(driver_program), app });
                }
                Err(why) => why,
            };
            assert!(attempt < ATTEMPTS, "{program} cannot be driven: {why}; {}", place::tail(&log));
            // The app of this attempt may have begun, and ends with its driver: it lets go of its cache first.
            tokio::time::sleep(GONE_WITHIN).await;
            // WebKit's automation does not come up now and then when the machine is very busy; the app itself runs by then.
            println!("attempt {attempt}: {program} cannot be driven, trying again: {why}; {}", place::tail(&log));
        }
        None
    }

    /// The app's process id.
    pub fn app(&self) -> u32 {
        self.app
    }

    /// Ends the app as a session's end would, with a signal to its process, and waits until it is gone; returns how long that
    /// took. Everything it and the driver started is gone afterwards.
    pub async fn close(mut self) -> Duration {
        let start = Instant::now();
        signal(self.app, Signal::TERM);
        until("the app to end", ENDS_WITHIN, async || if is_alive(self.app) { Err(self.tail()) } else { Ok(()) }).await;
        let took = start.elapsed();
        self.driver_program.take();
        self.forget_session().await;
        took
    }

    /// Kills the app where it stands.
    pub async fn kill(mut self) {
        signal(self.app, Signal::KILL);
        self.driver_program.take();
        self.forget_session().await;
    }

    /// The driver is gone, so the answer is an error; but now dropping the session asks nobody any more.
    async fn forget_session(&self) {
        let _ = self.driver().clone().quit().await;
    }
}

impl Deref for Window {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl Drop for Window {
    /// Of a test that failed: the app first, in case it left the driver's group; then the driver and everything else.
    fn drop(&mut self) {
        if let Some(driver_program) = self.driver_program.take() {
            signal(self.app, Signal::KILL);
            drop(driver_program);
        }
    }
}

/// A driver, a session of it, and the app it started.
async fn try_open(
    webdriver: &Path,
    binary: &Path,
    arguments: &[String],
    display: &Display,
    log: &Path,
) -> Result<(Group, WebDriver, u32), String> {
    let port = free_port();
    let mut command = Command::new(webdriver);
    command.args([format!("--port={port}"), "--host=127.0.0.1".to_owned()]);
    // Without it the app does not let itself be driven, and the session would wait for ever.
    command.env("TAURI_WEBVIEW_AUTOMATION", "true");
    command.env("RUST_LOG", "info,mqtt5=warn,fleetlens_host=debug,fleetlens_shell=debug").env("NO_COLOR", "1");
    display.show(&mut command);
    let driver_program = Group::spawn(&mut command, log, Output::Logged);
    let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|e| e.to_string());
    until_sync("WebKitWebDriver to listen", OPENS_WITHIN, listens);

    let mut capabilities = Capabilities::new();
    let options = json!({ "binary": binary, "args": arguments });
    capabilities.set("webkitgtk:browserOptions", options).map_err(|e| e.to_string())?;
    let url = format!("http://127.0.0.1:{port}");
    let session = WebDriver::builder(url, capabilities).request_timeout(REQUEST_WITHIN).connect();
    let session = tokio::time::timeout(OPENS_WITHIN, session).await;
    let driver = session.map_err(|_| "no session in time".to_owned())?.map_err(|e| e.to_string())?;
    let app = app_of(driver_program.id(), binary).ok_or("the app has ended already")?;
    Ok((driver_program, driver, app))
}

/// The app among what the driver started: it may have put something between.
fn app_of(driver: u32, binary: &Path) -> Option<u32> {
    let mut looked_at = vec![driver];
    while let Some(process) = looked_at.pop() {
        if fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|exe| exe == binary) {
            return Some(process);
        }
        looked_at.extend(children_of(process));
    }
    None
}
