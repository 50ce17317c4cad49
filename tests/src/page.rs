//! A page that a driver shows us, whatever window it is in: what can be seen and done there by CSS selectors.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::{By, Key, WebDriver, WebElement};

use crate::picture::Picture;
use crate::place;
use crate::process::is_alive;
use crate::wait::until;

/// A page of ours in a window or a browser.
pub struct Page {
    driver: WebDriver,
    /// The process without which nothing can come any more.
    program: u32,
    name: String,
    log: PathBuf,
    sized_by: SizedBy,
}

/// How a page gets a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizedBy {
    /// Its window gets it, and has no frame of its own.
    Window,
    /// The browser is told to pretend, since its window has bars around the page.
    Emulation,
}

impl Page {
    /// A page in a driver's window. `program` is what must run for it, `name` that of its pictures of failures, `log` what
    /// people are pointed to.
    pub fn new(driver: WebDriver, program: u32, name: &str, log: PathBuf, sized_by: SizedBy) -> Page {
        // Of an earlier failure; that there is none is the usual case.
        let _ = fs::remove_file(failure_picture(name));
        Page { driver, program, name: name.to_owned(), log, sized_by }
    }

    /// The driver itself, for what has no word here.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// What a script in the page returns. `arguments[0]`… are the arguments.
    pub async fn ask<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> T {
        self.try_ask(script, arguments).await.unwrap_or_else(|e| panic!("{script}\n{e}; {}", self.tail()))
    }

    /// [`Page::ask`] where the page may be about to change.
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
            assert!(is_alive(self.program), "the program ended while waiting for: {what}; {}", self.tail());
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
        // What is out of sight may not be laid out at all (`content-visibility`), and then it has no text.
        let script = format!(
            "const e = document.querySelector({}); \
             if (e?.checkVisibility && !e.checkVisibility({{ contentVisibilityAuto: true }})) e.scrollIntoView({{ block: 'nearest' }}); \
             return e && (e.innerText ?? e.textContent)",
            json!(css)
        );
        self.wait_for(&format!("the text of {css}"), within, &script, |text: Option<String>| {
            let text = text.map(|text| plain(&text));
            text.clone().filter(|text| wanted(text)).ok_or_else(|| format!("{text:?}"))
        })
        .await
    }

    /// Clicks on an element once it is there, as a person does: where it is seen, and again while something moves over it.
    pub async fn click(&self, css: &str) {
        const PATIENCE: Duration = Duration::from_secs(15);
        // WebKit's driver does not always scroll far enough; a person does.
        let scroll = "document.querySelector(arguments[0])?.scrollIntoView({ block: 'center' })";
        let began = Instant::now();
        loop {
            let element = self.wait_for_element(css, PATIENCE).await;
            let Err(error) = element.click().await else { return };
            if began.elapsed() > PATIENCE {
                self.screenshot_to(&failure_picture(&self.name)).await;
                panic!("cannot click on {css}: {error}; a picture is in target/e2e; {}", self.tail());
            }
            self.ask::<()>(scroll, vec![css.into()]).await;
        }
    }

    /// Types into an element.
    pub async fn type_into(&self, css: &str, text: &str) {
        let element = self.wait_for_element(css, Duration::from_secs(15)).await;
        element.send_keys(text).await.unwrap_or_else(|e| panic!("cannot type into {css}: {e}"));
    }

    /// Presses a key wherever the focus is.
    pub async fn press(&self, key: Key) {
        self.keys(&key.value().to_string()).await;
    }

    /// Types letters wherever the focus is, such as `gt`.
    pub async fn keys(&self, letters: &str) {
        let focused = self.driver.active_element().await.expect("a page has a focus");
        if focused.send_keys(letters).await.is_ok() {
            return;
        }
        // What had the focus is not to be seen any more; a keyboard does not mind.
        let typed = self.driver.action_chain().send_keys(letters).perform().await;
        typed.unwrap_or_else(|e| panic!("cannot press {letters}: {e}"));
    }

    /// Types a text in place of what an element holds.
    pub async fn replace(&self, css: &str, text: &str) {
        let element = self.wait_for_element(css, Duration::from_secs(15)).await;
        let select = "const e = document.querySelector(arguments[0]); e.focus(); e.select()";
        self.ask::<()>(select, vec![css.into()]).await;
        element.send_keys(text).await.unwrap_or_else(|e| panic!("cannot type into {css}: {e}"));
    }

    /// Clicks on the button within an element that says this word and no other.
    pub async fn click_word(&self, css: &str, word: &str) {
        self.wait_for_element(css, Duration::from_secs(15)).await;
        let script = "const flat = t => t.replace(/\\s+/g, ' ').trim(); \
                      const all = [...document.querySelectorAll(arguments[0] + ' button')]; \
                      const nth = all.findIndex(b => flat(b.innerText) === arguments[1]); \
                      all[nth]?.scrollIntoView({ block: 'nearest' }); return nth";
        let nth: i64 = self.ask(script, vec![css.into(), word.into()]).await;
        let nth = usize::try_from(nth).unwrap_or_else(|_| panic!("{css} has no button {word}; {}", self.tail()));
        let buttons = self.driver.find_all(By::Css(format!("{css} button"))).await;
        let buttons = buttons.unwrap_or_else(|e| panic!("cannot look for the buttons of {css}: {e}"));
        buttons[nth].click().await.unwrap_or_else(|e| panic!("cannot click on {word} of {css}: {e}"));
    }

    /// Clicks at a point of the page, in CSS pixels, whatever is there.
    pub async fn click_at(&self, x: f64, y: f64) {
        let clicked = self.driver.action_chain().move_to(x.round() as i64, y.round() as i64).click().perform().await;
        clicked.unwrap_or_else(|e| panic!("cannot click at {x}, {y}: {e}"));
    }

    /// Drags the pointer from point to point of the page, in CSS pixels, with Shift or without.
    pub async fn drag(&self, points: &[(f64, f64)], shift: bool) {
        let whole = |(x, y): (f64, f64)| (x.round() as i64, y.round() as i64);
        let [first, rest @ ..] = points else { return };
        let (x, y) = whole(*first);
        let mut drag = self.driver.action_chain();
        if shift {
            drag = drag.key_down(Key::Shift);
        }
        drag = drag.move_to(x, y).click_and_hold();
        for point in rest {
            let (x, y) = whole(*point);
            drag = drag.move_to(x, y);
        }
        drag = drag.release();
        if shift {
            drag = drag.key_up(Key::Shift);
        }
        drag.perform().await.unwrap_or_else(|e| panic!("cannot drag along {points:?}: {e}"));
    }

    /// The middle of an element, in CSS pixels of the page; for one without a size, where it is.
    pub async fn middle_of(&self, css: &str) -> (f64, f64) {
        self.wait_for(&format!("{css} to be there"), Duration::from_secs(15), &middle(css), |at: Option<(f64, f64)>| {
            at.ok_or_else(|| "it is not".to_owned())
        })
        .await
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
        let set = match self.sized_by {
            SizedBy::Window => self.driver.set_window_rect(0, 0, width, height).await,
            SizedBy::Emulation => {
                let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
                self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
            }
        };
        set.unwrap_or_else(|e| panic!("the page cannot be resized: {e}"));
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
        let png = self.png().await;
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
        Picture::read(&self.png().await)
    }

    /// Asked again when nothing came: with software for a graphics card, a page that is just being drawn can keep a busy machine for
    /// longer than a request may take.
    async fn png(&self) -> Vec<u8> {
        until("a picture", PICTURE_WITHIN, async || {
            self.driver.screenshot_as_png().await.map_err(|e| format!("{e}; {}", self.tail()))
        })
        .await
    }

    /// The end of what the program has said.
    pub fn tail(&self) -> String {
        place::tail(&self.log)
    }
}

/// Two requests and a little.
const PICTURE_WITHIN: Duration = Duration::from_secs(45);

const SIZE: &str = "return [window.innerWidth, window.innerHeight]";

/// What the page showed when a test gave up.
fn failure_picture(name: &str) -> PathBuf {
    place::results().join(format!("FAILED-{name}.png"))
}

/// The CSS selector of a `data-testid`.
pub fn by_testid(testid: &str) -> String {
    format!("[data-testid=\"{testid}\"]")
}

/// Thin and non-breaking spaces are for people; here every space is one.
pub fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn middle(css: &str) -> String {
    format!(
        "const e = document.querySelector({}); if (!e) return null; const r = e.getBoundingClientRect(); \
         return [r.x + r.width / 2, r.y + r.height / 2]",
        json!(css)
    )
}

fn shown(css: &str) -> String {
    format!(
        "const e = document.querySelector({}); if (!e) return false; const r = e.getBoundingClientRect(); \
         return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden'",
        json!(css)
    )
}
