//! The app's real window, driven over WebDriver by WebKitWebDriver, which starts the app itself.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::{By, Capabilities, Key, WebDriver, WebElement};

use crate::broker::free_port;
use crate::display::Display;
use crate::picture::Picture;
use crate::place;
use crate::process::{Group, Output, children_of, is_alive, signal};
use crate::wait::{until, until_sync};

/// How long the driver and the app may take to be there, and how often that is tried.
const OPENS_WITHIN: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 3;

/// How long one request to the page may take.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// How long the app may take to end: its own limit is five seconds, on a machine with nothing else to do.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// The window of one of our apps.
pub struct Window {
    driver_program: Option<Group>,
    driver: WebDriver,
    app: u32,
    name: String,
    log: PathBuf,
}

impl Window {
    /// Starts a program of ours with arguments and waits for its page. `name` is that of its log in `target/e2e/logs`.
    /// `None` when WebKitWebDriver is not installed (then the test has been told as skipped).
    pub async fn open<A: Into<OsString>>(
        name: &str,
        program: &str,
        display: &Display,
        arguments: impl IntoIterator<Item = A>,
    ) -> Option<Window> {
        let webdriver = place::system_program("WebKitWebDriver")?;
        let binary = place::program(program);
        let log = place::log(name);
        // Of an earlier failure; that there is none is the usual case.
        let _ = fs::remove_file(failure_picture(name));
        let arguments: Vec<String> =
            arguments.into_iter().map(|a| a.into().into_string().expect("arguments are text")).collect();
        for attempt in 1.. {
            let why = match try_open(&webdriver, &binary, &arguments, display, &log).await {
                Ok((driver_program, driver, app)) => {
                    return Some(Window {
                        driver_program: Some(driver_program),
                        driver,
                        app,
                        name: name.to_owned(),
                        log,
                    });
                }
                Err(why) => why,
            };
            assert!(attempt < ATTEMPTS, "{program} cannot be driven: {why}; {}", place::tail(&log));
            // WebKit's automation does not come up now and then when the machine is very busy; the app itself runs by then.
            println!("attempt {attempt}: {program} cannot be driven, trying again: {why}; {}", place::tail(&log));
        }
        None
    }

    /// The app's process id.
    pub fn app(&self) -> u32 {
        self.app
    }

    /// The driver itself, for what has no word here.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// What a script in the page returns. `arguments[0]`… are the arguments.
    pub async fn ask<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> T {
        self.try_ask(script, arguments).await.unwrap_or_else(|e| panic!("{script}\n{e}; {}", self.tail()))
    }

    /// [`Window::ask`] where the page may be about to change.
    pub async fn try_ask<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> Result<T, String> {
        let answer = self.driver.execute(script, arguments).await.map_err(|e| e.to_string())?;
        answer.convert().map_err(|e| e.to_string())
    }

    /// Looks into the page with a script until `look` makes something of its answer.
    pub async fn wait_for<A: DeserializeOwned, T>(
        &self,
        what: &str,
        within: Duration,
        script: &str,
        mut look: impl FnMut(A) -> Result<T, String>,
    ) -> T {
        let start = Instant::now();
        let mut seen = String::new();
        while start.elapsed() < within {
            assert!(is_alive(self.app), "the app ended while waiting for: {what}; {}", self.tail());
            match self.try_ask(script, Vec::new()).await.and_then(&mut look) {
                Ok(found) => return found,
                Err(why) => seen = why,
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        let picture = self.screenshot_to(&failure_picture(&self.name)).await;
        panic!(
            "waited {} s for: {what}; the last look saw: {seen}; a picture of {:?} is in target/e2e; {}",
            within.as_secs(),
            picture.size(),
            self.tail()
        );
    }

    /// The text of the first element with this `data-testid`, `None` when there is none.
    pub async fn text(&self, testid: &str) -> Option<String> {
        self.text_of(&by_testid(testid)).await
    }

    /// The text of the first element a CSS selector finds, with every white space as one plain space.
    pub async fn text_of(&self, css: &str) -> Option<String> {
        let script = "const e = document.querySelector(arguments[0]); return e && (e.innerText ?? e.textContent)";
        let text: Option<String> = self.ask(script, vec![css.into()]).await;
        text.map(|text| plain(&text))
    }

    /// The texts of all elements a CSS selector finds.
    pub async fn texts_of(&self, css: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText ?? e.textContent)";
        let texts: Vec<String> = self.ask(script, vec![css.into()]).await;
        texts.iter().map(|text| plain(text)).collect()
    }

    /// How many elements a CSS selector finds.
    pub async fn count(&self, css: &str) -> usize {
        self.ask("return document.querySelectorAll(arguments[0]).length", vec![css.into()]).await
    }

    /// Waits for an element to be there and to be seen.
    pub async fn wait_for_element(&self, css: &str, within: Duration) -> WebElement {
        self.wait_for(&format!("{css} on the screen"), within, &shown(css), |shown: bool| {
            if shown { Ok(()) } else { Err("it is not there".to_owned()) }
        })
        .await;
        let found = self.driver.find(By::Css(css)).await;
        found.unwrap_or_else(|e| panic!("{css} was there and is not: {e}"))
    }

    /// Waits until no element is found.
    pub async fn wait_until_gone(&self, css: &str, within: Duration) {
        let script = format!("return document.querySelectorAll({}).length", json!(css));
        self.wait_for(&format!("{css} to be gone"), within, &script, |count: usize| {
            if count == 0 { Ok(()) } else { Err(format!("{count} are there")) }
        })
        .await;
    }

    /// Waits until an element's text is as wanted, and returns it.
    pub async fn wait_for_text(&self, css: &str, within: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let script =
            format!("const e = document.querySelector({}); return e && (e.innerText ?? e.textContent)", json!(css));
        self.wait_for(&format!("the text of {css}"), within, &script, |text: Option<String>| {
            let text = text.map(|text| plain(&text));
            text.clone().filter(|text| wanted(text)).ok_or_else(|| format!("{text:?}"))
        })
        .await
    }

    /// Clicks on an element once it is there, as a person does: where it is seen.
    pub async fn click(&self, css: &str) {
        let element = self.wait_for_element(css, Duration::from_secs(15)).await;
        element.click().await.unwrap_or_else(|e| panic!("cannot click on {css}: {e}; {}", self.tail()));
    }

    /// Types into an element.
    pub async fn type_into(&self, css: &str, text: &str) {
        let element = self.wait_for_element(css, Duration::from_secs(15)).await;
        element.send_keys(text).await.unwrap_or_else(|e| panic!("cannot type into {css}: {e}"));
    }

    /// Presses a key wherever the focus is.
    pub async fn press(&self, key: Key) {
        let focused = self.driver.active_element().await.expect("a page has a focus");
        focused.send_keys(key).await.unwrap_or_else(|e| panic!("cannot press a key: {e}"));
    }

    /// Moves a range input, as dragging does: a value and an `input` event for every listener.
    pub async fn slide(&self, css: &str, value: f64) {
        self.wait_for_element(css, Duration::from_secs(15)).await;
        let script = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                      e.dispatchEvent(new Event('input', { bubbles: true })); \
                      e.dispatchEvent(new Event('change', { bubbles: true })); return e.value";
        let at: String = self.ask(script, vec![css.into(), value.into()]).await;
        assert_eq!(at.parse::<f64>().ok(), Some(value), "{css} does not take {value}");
    }

    /// Chooses an option of a select.
    pub async fn choose(&self, css: &str, value: &str) {
        self.wait_for_element(css, Duration::from_secs(15)).await;
        let script = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                      e.dispatchEvent(new Event('change', { bubbles: true })); return e.value";
        let chosen: String = self.ask(script, vec![css.into(), value.into()]).await;
        assert_eq!(chosen, value, "{css} has no such option");
    }

    /// Makes the window this big, in CSS pixels of its page.
    pub async fn resize(&self, width: u32, height: u32) {
        let set = self.driver.set_window_rect(0, 0, width, height).await;
        set.unwrap_or_else(|e| panic!("the window cannot be resized: {e}"));
        self.wait_for("the page to have its new size", Duration::from_secs(10), SIZE, |size: (u32, u32)| {
            if size == (width, height) { Ok(()) } else { Err(format!("{size:?}")) }
        })
        .await;
    }

    /// Takes a picture of the page and keeps it as `target/e2e/NAME.png`.
    pub async fn screenshot(&self, name: &str) -> Picture {
        self.screenshot_to(&place::results().join(format!("{name}.png"))).await
    }

    /// Takes a picture of the page and keeps it.
    pub async fn screenshot_to(&self, path: &Path) -> Picture {
        let png = self.driver.screenshot_as_png().await;
        let png = png.unwrap_or_else(|e| panic!("no picture can be taken: {e}; {}", self.tail()));
        fs::write(path, &png).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
        Picture::read(&png)
    }

    /// A picture that no longer changes: two in a row differ in at most `most` pixels.
    pub async fn still(&self, most: usize, within: Duration) -> Picture {
        let mut last = self.picture().await;
        until("a picture that holds still", within, async || {
            let next = self.picture().await;
            let differing = next.differing(&last, next.whole(), 8);
            last = next;
            if differing <= most { Ok(()) } else { Err(format!("{differing} pixels changed")) }
        })
        .await;
        last
    }

    async fn picture(&self) -> Picture {
        let png = self.driver.screenshot_as_png().await;
        Picture::read(&png.unwrap_or_else(|e| panic!("no picture can be taken: {e}; {}", self.tail())))
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

    /// The end of the app's log.
    pub fn tail(&self) -> String {
        place::tail(&self.log)
    }

    /// The driver is gone, so the answer is an error; but now dropping the session asks nobody any more.
    async fn forget_session(&self) {
        let _ = self.driver.clone().quit().await;
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

const SIZE: &str = "return [window.innerWidth, window.innerHeight]";

/// What the window showed when a test gave up.
fn failure_picture(name: &str) -> PathBuf {
    place::results().join(format!("FAILED-{name}.png"))
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

/// The CSS selector of a `data-testid`.
pub fn by_testid(testid: &str) -> String {
    format!("[data-testid=\"{testid}\"]")
}

/// Thin and non-breaking spaces are for people; here every space is one.
pub fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(css: &str) -> String {
    format!(
        "const e = document.querySelector({}); if (!e) return false; const r = e.getBoundingClientRect(); \
         return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden'",
        json!(css)
    )
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
