//! A page in Chromium, driven over WebDriver by chromedriver: without a screen, with a profile of its own.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{Capabilities, WebDriver};

use crate::broker::free_port;
use crate::page::{Page, SizedBy};
use crate::place;
use crate::process::{Group, Output};
use crate::serve::Serve;
use crate::wait::until_sync;

/// How long driver and browser may take to be there.
const OPENS_WITHIN: Duration = Duration::from_secs(40);

/// How long one request to the page may take.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// A screen's size in CSS pixels.
pub type Size = (u32, u32);

/// A desktop's screen.
pub const DESKTOP: Size = (1440, 900);

/// A phone's screen.
pub const PHONE: Size = (390, 844);

/// What the browser's machine draws with; no machine that runs tests has to have a graphics card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// WebGL, in software.
    Software,
    /// No WebGL at all, as on many remote desktops.
    None,
}

impl Card {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Card::Software => &["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
            Card::None => &["--disable-gpu", "--disable-3d-apis"],
        }
    }
}

/// A browser with one page, and the [`Page`] in it. Dropping it ends the browser.
pub struct Browser {
    page: Page,
    driver_program: Option<Group>,
    _profile: TempDir,
}

impl Browser {
    /// Opens an address of a running `fleetlens serve` in a new browser whose page has this size and which prefers `dark` or
    /// `light`. `name` is that of its log in `target/e2e/logs`. `None` when Chromium or chromedriver is not installed (then the
    /// test has been told as skipped).
    pub async fn open(name: &str, serve: &Serve, address: &str, size: Size, theme: &str) -> Option<Browser> {
        Browser::open_on(Card::Software, name, serve, address, size, theme).await
    }

    /// [`Browser::open`] on a machine with this graphics card.
    pub async fn open_on(
        card: Card,
        name: &str,
        serve: &Serve,
        address: &str,
        size: Size,
        theme: &str,
    ) -> Option<Browser> {
        let chromedriver = place::system_program("chromedriver")?;
        let chromium = place::system_program("chromium")?;
        let log = place::log(&format!("chromium-{name}"));
        let mut attempt = 1;
        let (driver, driver_program, profile) = loop {
            match driven(&chromedriver, &chromium, &log, card, size).await {
                Ok(driven) => break driven,
                // A machine that does much else may take too long for the first window, whose files are not in memory yet.
                Err(why) if attempt == 1 => println!("trying Chromium again: {why}; {}", place::tail(&log)),
                Err(why) => panic!("{why}; {}", place::tail(&log)),
            }
            attempt += 1;
        };

        let page = Page::new(driver, driver_program.id(), name, serve.log().to_path_buf(), SizedBy::Emulation);
        let browser = Browser { page, driver_program: Some(driver_program), _profile: profile };
        browser.prefer(theme).await;
        browser.before_pages(KEEP_FAULTS).await;
        browser.goto(address).await;
        browser.resize(size.0, size.1).await;
        Some(browser)
    }

    /// Opens an address in the page.
    pub async fn goto(&self, address: &str) {
        let gone = self.driver().goto(address).await;
        gone.unwrap_or_else(|e| panic!("cannot open {address}: {e}; {}", self.tail()));
    }

    /// Has this run in every page that is opened from now on, before the page's own scripts.
    pub async fn before_pages(&self, script: &str) {
        self.tell("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// What the page's address has become, without the token.
    pub async fn address(&self) -> String {
        self.ask("return location.href", Vec::new()).await
    }

    /// Makes the system prefer `dark` or `light`.
    pub async fn prefer(&self, theme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.tell("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// The browser and its version, such as `chrome 140.0`.
    pub async fn version(&self) -> String {
        let words: String = self.ask("return navigator.userAgent", Vec::new()).await;
        words.split(' ').find(|word| word.contains("Chrome/")).unwrap_or_default().to_owned()
    }

    /// Lets the page ask where the device is, which is there (degrees, good to 10 m).
    pub async fn tell_position(&self, lat_deg: f64, lon_deg: f64) {
        let position = json!({ "latitude": lat_deg, "longitude": lon_deg, "accuracy": 10 });
        self.tell("Emulation.setGeolocationOverride", position).await;
        self.set_permission("geolocation", "granted").await;
    }

    /// Nobody in the page may ask where the device is.
    pub async fn forbid_position(&self) {
        self.set_permission("geolocation", "denied").await;
    }

    /// Lets the page read what it has copied.
    pub async fn allow_reading_the_clipboard(&self) {
        self.set_permission("clipboard-read", "granted").await;
    }

    async fn set_permission(&self, name: &str, setting: &str) {
        self.tell("Browser.setPermission", json!({ "permission": { "name": name }, "setting": setting })).await;
    }

    /// Everything that went wrong in the page since it was opened: exceptions, errors it logged, what its policy forbade.
    pub async fn faults(&self) -> Vec<String> {
        self.ask("return window.e2eFaults ?? ['this page was not watched']", Vec::new()).await
    }

    /// Ends the browser.
    pub async fn close(mut self) {
        self.driver_program.take();
        // The driver is gone, so the answer is an error; but now dropping the session asks nobody any more.
        let _ = self.driver().clone().quit().await;
    }

    async fn tell(&self, method: &str, parameters: Value) {
        let told = self.driver().cdp().send_raw(method, parameters).await;
        told.unwrap_or_else(|e| panic!("Chromium does not know {method}: {e}"));
    }
}

impl Deref for Browser {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

/// Keeps what goes wrong in a page where [`Browser::faults`] finds it.
const KEEP_FAULTS: &str = "window.e2eFaults = []; \
    const keep = text => window.e2eFaults.push(String(text)); \
    addEventListener('error', e => keep(e.message || `${e.target?.src || e.target?.href} cannot be loaded`), true); \
    addEventListener('unhandledrejection', e => keep(e.reason)); \
    addEventListener('securitypolicyviolation', e => keep(`${e.violatedDirective} forbids ${e.blockedURI}`)); \
    const before = console.error; console.error = (...words) => { keep(words.join(' ')); before(...words); };";

/// A browser that a driver has started, with a profile of its own; or why not.
async fn driven(
    chromedriver: &Path,
    chromium: &Path,
    log: &Path,
    card: Card,
    size: Size,
) -> Result<(WebDriver, Group, TempDir), String> {
    let profile = tempfile::tempdir().expect("a folder for the browser's profile");
    let port = free_port();
    let mut command = Command::new(chromedriver);
    command.arg(format!("--port={port}"));
    // What the browser keeps beside its profile goes with it too.
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
        command.env(variable, profile.path());
    }
    let driver_program = Group::spawn(&mut command, log, Output::Logged);
    let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|e| e.to_string());
    until_sync("chromedriver to listen", OPENS_WITHIN, listens);

    let mut capabilities = Capabilities::new();
    let options = json!({ "binary": chromium, "args": arguments(profile.path(), card, size) });
    let set = capabilities.set("goog:chromeOptions", options);
    set.unwrap_or_else(|e| panic!("options are JSON: {e}"));
    let session = WebDriver::builder(format!("http://127.0.0.1:{port}"), capabilities);
    let session = session.request_timeout(REQUEST_WITHIN).connect();
    match tokio::time::timeout(OPENS_WITHIN, session).await {
        Ok(Ok(driver)) => Ok((driver, driver_program, profile)),
        Ok(Err(error)) => Err(format!("Chromium cannot be driven: {error}")),
        Err(_) => Err("Chromium does not come up".to_owned()),
    }
}

fn arguments(profile: &Path, card: Card, (width, height): Size) -> Vec<String> {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        format!("--user-data-dir={}", profile.display()),
        format!("--window-size={width},{height}"),
        "--force-device-scale-factor=1".into(),
        "--hide-scrollbars".into(),
        "--lang=en-GB".into(),
        "--no-first-run".into(),
        "--no-default-browser-check".into(),
        "--disable-background-networking".into(),
        "--disable-component-update".into(),
        "--disable-sync".into(),
        // In containers the shared memory is small.
        "--disable-dev-shm-usage".into(),
    ];
    arguments.extend(card.arguments().iter().map(|argument| (*argument).to_owned()));
    if rustix::process::geteuid().is_root() {
        // Chromium refuses its sandbox to root, and opens nothing but our own pages here.
        arguments.push("--no-sandbox".into());
    }
    arguments
}
