//! The console of alarms: grouped, folded in a flood, first-out, sound, and ten thousand at once.

use std::path::Path;
use std::time::{Duration, Instant};

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::Browser;
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::{ProfileText, fire, full};
use serde::Deserialize;
use serde_json::json;
use thirtyfour::Key;

use super::both::{rail, told};

/// When a person is needed here: at once, so that what is asked of the list is not when its alarms come.
fn rules() -> String {
    fire("cause = \"hot ash\"\nconsequence = \"it spreads\"") + full("").as_str()
}

/// How long ten thousand alarms may take to be raised, on a machine that does other things too.
const MANY_WITHIN: Duration = Duration::from_secs(180);

/// Bins of two districts, that say only what the test says.
pub struct Town {
    broker: Mosquitto,
    bins: Peer,
    profile: String,
}

impl Town {
    /// So many bins, of which nothing is wrong yet. `None` without Mosquitto.
    pub async fn start(name: &str, data: &Path, bins: usize) -> Option<Town> {
        let broker = Mosquitto::start(name)?;
        let peer = Peer::connect(&broker.url(), &format!("{name}-bins"), &[]).await;
        for n in 1..=bins {
            let (lat, lon) = (35.88 + (n % 100) as f64 * 4e-4, 14.48 + (n / 100) as f64 * 4e-4);
            let meta = json!({ "kind": "bin", "name": format!("Bin {n:05}"), "lat": lat, "lon": lon, "area": area(n),
                "street": "Triq il-Kbira", "interval_s": 600, "units": { "fill_pct": "%", "temp_c": "°C" } });
            peer.publish_retained(&topic(n, "meta"), meta.to_string()).await;
        }
        let folder = data.join("profiles");
        std::fs::create_dir_all(&folder).unwrap();
        let profile = folder.join("town.toml");
        std::fs::write(&profile, ProfileText::new("Town", broker.url()).toml() + rules().as_str()).unwrap();
        let profile = profile.to_str().expect("a temporary folder has a plain name").to_owned();
        Some(Town { broker, bins: peer, profile })
    }

    /// What the program is told.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// A bin says how full it is.
    async fn fill(&self, n: usize, pct: u32) {
        self.bins.publish(&topic(n, "telemetry"), json!({ "values": { "fill_pct": pct } }).to_string()).await;
    }

    /// A bin says how warm it is.
    async fn warm(&self, n: usize, temp_c: f64) {
        self.bins.publish(&topic(n, "telemetry"), json!({ "values": { "temp_c": temp_c } }).to_string()).await;
    }

    /// Ends what runs in this program.
    pub async fn end(self) {
        self.bins.leave().await;
        drop(self.broker);
    }
}

fn area(n: usize) -> &'static str {
    if n.is_multiple_of(2) { "Marsa" } else { "Sliema" }
}

fn topic(n: usize, last: &str) -> String {
    format!("city/{}/bin/bin-{n:05}/{last}", area(n).to_lowercase())
}

/// The lines of the list from its top: `[Nearly full|214 alarms]` of a heading, the title of an alarm.
const LINES: &str = "const flat = t => (t ?? '').replace(/\\s+/g, ' ').trim(); \
    return [...document.querySelectorAll('[data-testid=alarm], [data-testid=alarm-group]')].sort((a, b) => \
    a.getBoundingClientRect().y - b.getBoundingClientRect().y).map(e => e.dataset.testid === 'alarm' \
    ? flat(e.querySelector('b').innerText) \
    : `[${flat(e.querySelector('b').innerText)}|${flat(e.querySelector('.seen').innerText)}]`)";

async fn lines(page: &Page, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    page.wait_for(
        what,
        SOON,
        LINES,
        |lines: Vec<String>| {
            if wanted(&lines) { Ok(lines) } else { Err(format!("{lines:?}")) }
        },
    )
    .await
}

/// The pointer leaves the list, which catches up.
async fn leave_the_list(page: &Page) {
    page.click(&by_testid("alarm-counts")).await;
}

/// By cause, district and kind; folded by pointer and by key; a whole group is chosen and acknowledged, as it stood.
pub async fn groups_are_folded_chosen_and_acknowledged(page: &Page, town: &Town) {
    rail::go(page, "alarms").await;
    page.wait_for_element(&by_testid("alarms-none"), SOON).await;
    for n in [1, 2, 4] {
        town.fill(n, 95).await;
    }
    town.warm(7, 80.0).await;
    let first = lines(page, "four alarms", |lines| lines.len() == 4).await;
    assert_eq!(first[0], "Bin 00007 is burning", "the worst comes first: {first:?}");
    page.click_word("[data-testid=alarms-view] .grouping", "Cause").await;
    let by_cause = ["[Is burning|1 alarm]", "Bin 00007 is burning", "[Nearly full|3 alarms]"];
    lines(page, "groups by cause", |lines| lines.len() == 6 && lines[..3] == by_cause).await;
    page.click_word("[data-testid=alarms-view] .grouping", "District").await;
    let by_area = lines(page, "groups by district", |lines| lines.iter().any(|line| line == "[Sliema|2 alarms]")).await;
    assert!(by_area.iter().any(|line| line == "[Marsa|2 alarms]"), "{by_area:?}");
    page.click_word("[data-testid=alarms-view] .grouping", "Cause").await;
    lines(page, "groups by cause again", |lines| lines.len() == 6 && lines[..3] == by_cause).await;

    page.click("[data-testid=alarm-group][data-group=full] .alarm-open").await;
    lines(page, "one to be folded", |lines| lines.len() == 3).await;
    leave_the_list(page).await;
    // The same by keys: the list takes the focus, the arrows go through it, Enter unfolds, Space chooses.
    let focus = "document.querySelector('[data-testid=alarm-list]').focus(); return 0";
    let _: i64 = page.ask(focus, Vec::new()).await;
    for key in [Key::Home, Key::Down, Key::Down] {
        page.press(key).await;
    }
    page.press(Key::Enter).await;
    lines(page, "Enter to unfold it", |lines| lines.len() == 6).await;
    page.press(Key::Left).await;
    lines(page, "Left to fold it", |lines| lines.len() == 3).await;
    page.keys(" ").await;
    page.wait_for_text(&by_testid("alarm-chosen"), SOON, |text| text == "3 of 4 chosen").await;
    page.screenshot("console-group-chosen-dark-1440").await;
    // What comes after the choice is not covered by it.
    town.fill(6, 95).await;
    page.wait_for_element(&by_testid("let-in"), SOON).await;
    page.keys("a").await;
    let dialog = "[data-testid=acknowledge-dialog][open]";
    page.wait_for_text(&format!("{dialog} h2"), SOON, |text| text == "Acknowledge 3 alarms").await;
    page.type_into(&format!("{dialog} [data-testid=comment]"), "round 7").await;
    page.click(&format!("{dialog} [data-testid=acknowledge-yes]")).await;
    page.wait_until_gone(dialog, SOON).await;
    leave_the_list(page).await;
    page.wait_for_text("[data-group=full] [data-testid=group-state]", SOON, |text| text == "1 not seen").await;
    told(
        "alarms are grouped by cause and district, folded by pointer and key, and acknowledged by the group as it stood",
    );

    page.click_word("[data-testid=alarms-view] .grouping", "None").await;
    page.choose(&by_testid("alarm-sort"), "oldest").await;
    lines(page, "the oldest first", |lines| lines.first().is_some_and(|line| line.ends_with("Bin 00001 nearly full")))
        .await;
    page.choose(&by_testid("alarm-cause"), "fire").await;
    lines(page, "only what burns", |lines| lines == ["Bin 00007 is burning"]).await;
    page.choose(&by_testid("alarm-cause"), "").await;
    page.choose(&by_testid("alarm-sort"), "worst").await;
    lines(page, "all of them", |lines| lines.len() == 5).await;
    told("they are sorted, and narrowed down to a cause");
}

/// What is told sounds, a critical one until there is silence, which acknowledges nothing.
pub async fn what_is_told_sounds_and_is_silenced(page: &Page, town: &Town) {
    let sounds = "return document.querySelector('[data-testid=critical]').dataset";
    #[derive(Debug, Deserialize)]
    struct Sounded {
        sounded: String,
        sounds: String,
    }
    let sounded = |what: &'static str, word: &'static str| {
        page.wait_for(what, SOON, sounds, move |now: Sounded| {
            if now.sounded == word { Ok(now.sounds.parse::<u32>().unwrap()) } else { Err(format!("{now:?}")) }
        })
    };
    town.fill(8, 95).await;
    let before = sounded("a warning to sound", "warning").await;
    town.warm(9, 75.0).await;
    let after = sounded("a critical one to sound", "critical").await;
    assert!(after > before);
    page.wait_for_element(&by_testid("silence"), SOON).await;
    let counts = page.text("alarm-counts").await;
    page.keys("m").await;
    page.wait_until_gone(&by_testid("silence"), SOON).await;
    assert_eq!(page.text("alarm-counts").await, counts, "silence acknowledges nothing");
    told("a warning and a critical alarm sound, and M silences them without acknowledging anything");
}

/// More than ten in ten minutes fold the list by cause, until a person unfolds it; the first of several is marked.
pub async fn a_flood_folds_the_list_and_marks_what_came_first(page: &Page, town: &Town) {
    for n in (12..40).step_by(2) {
        town.fill(n, 96).await;
    }
    leave_the_list(page).await;
    let strip = page
        .wait_for_text(&by_testid("flood"), SOON, |text| {
            text.contains("21 new alarms") && text.contains("folded by cause")
        })
        .await;
    assert!(strip.starts_with("Alarm flood since "), "{strip}");
    let folded = lines(page, "the list to be folded", |lines| lines.len() == 2).await;
    assert_eq!(folded, ["[Is burning|2 alarms]", "[Nearly full|19 alarms]"]);
    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        page.screenshot(&format!("console-flood-{theme}-1440")).await;
        assert_accessible(page, &format!("the folded list of a flood, {theme}")).await;
    }
    page.click(&by_testid("flood-unfold")).await;
    lines(page, "all of them", |lines| lines.len() > 6 && !lines[0].starts_with('[')).await;
    page.choose(&by_testid("alarm-sort"), "oldest").await;
    lines(page, "the first of those in Marsa to be marked", |lines| {
        lines.iter().find(|line| line.starts_with("First")).is_some_and(|line| line == "First Bin 00002 nearly full")
    })
    .await;
    page.screenshot("console-flat-dark-1440").await;
    page.choose(&by_testid("alarm-sort"), "worst").await;
    page.click_word("[data-testid=alarms-view] .grouping", "District").await;
    lines(page, "groups by district", |lines| lines.iter().any(|line| line.starts_with("[Marsa|"))).await;
    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        page.screenshot(&format!("console-districts-{theme}-1440")).await;
        assert_accessible(page, &format!("alarms by district, {theme}")).await;
    }
    page.resize(640, 900).await;
    page.screenshot("console-districts-dark-640").await;
    page.resize(1440, 900).await;
    told("in a flood the list folds by cause by itself, until a person unfolds it");
}

/// Before anything was raised there is nothing to judge; after it each figure stands with its target, and what raised most leads to its
/// alarms.
pub async fn the_health_page_says_how_well_they_serve(page: &Page) {
    rail::go(page, "alarms").await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "Health").await;
    page.wait_for_text(&by_testid("health-headline"), SOON, |text| {
        text.contains("not as") && text.contains("time in flood")
    })
    .await;
    let figures = page.texts_of(&by_testid("health-figure")).await;
    assert_eq!(figures.len(), 8, "{figures:?}");
    let of = |name: &str| {
        figures.iter().find(|text| text.starts_with(name)).unwrap_or_else(|| panic!("{name}: {figures:?}"))
    };
    assert!(of("Time in flood").contains("Poor") && of("Time in flood").contains("Target: below 1 %"), "{figures:?}");
    assert!(of("Priorities").contains("Advisory 80 %"), "{figures:?}");
    assert_eq!(page.count(".health .plot svg").await, 2);
    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        page.screenshot(&format!("console-health-{theme}-1440")).await;
        assert_accessible(page, &format!("the health of alarms, {theme}")).await;
    }
    page.resize(640, 900).await;
    page.screenshot("console-health-dark-640").await;
    page.resize(1440, 900).await;
    page.click_word("[data-testid=alarm-health]", "7 days").await;
    page.wait_for_text(&by_testid("health-span"), SOON, |text| !text.is_empty()).await;
    page.click("[data-testid=top-cause]:last-child").await;
    page.wait_for_element(&by_testid("alarm-list"), SOON).await;
    told("the health page judges eight figures, draws two plots, and leads from what was raised most to its alarms");
}

/// Nothing was raised yet.
pub async fn the_health_page_is_empty_at_first(page: &Page) {
    rail::go(page, "alarms").await;
    page.keys("h").await;
    page.wait_for_element(&by_testid("health-none"), SOON).await;
    page.screenshot("console-health-empty-dark-1440").await;
    assert_accessible(page, "the health of no alarms").await;
    page.keys("h").await;
    page.wait_for_element(&by_testid("alarms-none"), SOON).await;
    told("H leads to the health of the alarms, which says that none was raised, and back");
}

/// What a scroll through the whole list cost.
#[derive(Debug, Deserialize)]
pub struct Scrolled {
    /// Pictures that were drawn.
    pub frames: usize,
    /// Half of them came within this time of the one before, in milliseconds.
    pub median_ms: f64,
    /// Nineteen of twenty did.
    pub p95_ms: f64,
    /// The longest one did not come for.
    pub max_ms: f64,
    /// Of how many lines that were looked for in the middle of the way none was there yet.
    pub blank: usize,
    /// Elements of lines that there were at the end.
    pub elements: usize,
}

/// Scrolls for three seconds by some lines with each picture, then by screens, and measures how long each took.
const SCROLL: &str = "const done = arguments[arguments.length - 1]; const list = document.querySelector('[data-testid=alarm-list]'); \
    list.scrollTop = 0; const gaps = []; let last = performance.now(), began = last, n = 0, blank = 0; \
    const step = now => { gaps.push(now - last); last = now; n += 1; \
      list.scrollTop += now - began < 2000 ? 90 : 1500; \
      const middle = list.getBoundingClientRect(); \
      const at = document.elementFromPoint(middle.x + 300, middle.y + middle.height / 2)?.closest('[data-testid=alarm]'); \
      if (!at) blank += 1; \
      if (now - began < 4000) requestAnimationFrame(step); else { gaps.shift(); gaps.sort((a, b) => a - b); \
        window.e2eScrolled = { frames: gaps.length, median_ms: gaps[gaps.length >> 1], \
          p95_ms: gaps[Math.floor(gaps.length * 0.95)], max_ms: gaps[gaps.length - 1], blank, \
          elements: document.querySelectorAll('.alarm-list .alarm').length }; } }; \
    window.e2eScrolled = null; requestAnimationFrame(step); return 0";

/// Ten thousand active alarms: the list has them all, scrolls through them, and holds no more elements than a screen needs.
pub async fn ten_thousand_scroll(browser: &Browser, town: &Town, many: usize) -> Scrolled {
    rail::go(browser, "alarms").await;
    let began = Instant::now();
    for n in 1..=many {
        town.fill(n, 95).await;
    }
    let all = format!("{many}needaperson");
    browser.wait_for_text(&by_testid("alarm-counts"), MANY_WITHIN, |text| bare(text) == all).await;
    told(&format!("{many} alarms are raised and counted within {:.1} s", began.elapsed().as_secs_f64()));
    browser.click(&by_testid("alarm-counts")).await;
    // In a flood of this size two lines are all that is to be seen.
    lines(browser, "the list to be folded", |lines| lines.len() == 1).await;
    browser.screenshot("console-ten-thousand-folded").await;
    browser.click(&by_testid("flood-unfold")).await;
    lines(browser, "the list to be unfolded", |lines| lines.len() > 6).await;
    let _: i64 = browser.ask(SCROLL, Vec::new()).await;
    let scrolled = browser
        .wait_for(
            "the scroll to end",
            Duration::from_secs(60),
            "return window.e2eScrolled ?? null",
            |got: Option<Scrolled>| got.ok_or_else(|| "it goes on".to_owned()),
        )
        .await;
    browser.screenshot("console-ten-thousand").await;
    let began = Instant::now();
    let _: i64 =
        browser.ask("document.querySelector('[data-testid=alarm-list]').scrollTop = 1e9; return 0", Vec::new()).await;
    lines(browser, "the last line", |lines| lines.iter().any(|line| line.ends_with("Bin 00001 nearly full"))).await;
    told(&format!("its end is there {} ms after it was asked for", began.elapsed().as_millis()));
    browser.click(&by_testid("alarm-all")).await;
    let chosen = format!("{many}of{many}chosen");
    browser.wait_for_text(&by_testid("alarm-chosen"), SOON, |text| bare(text) == chosen).await;
    scrolled
}

/// Without what parts words and thousands.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
