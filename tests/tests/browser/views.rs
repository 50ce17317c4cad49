//! The main views look as they were kept, dark and light, at a desk and on a phone, and hold where people read from right to left.
//!
//! The city says the same in every run, and long enough ago that an age in hours stays the same while pictures are taken. What must
//! differ all the same (times of day, ages of seconds, the chart's axis of time) is hidden.

use std::path::Path;

use fleetlens_sim::shadows::Shadows;
use fleetlens_sim::{BrokerAt, ShadowService};
use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::kept::assert_as_kept;
use fleetlens_tests::lamp::{Lamp, now_ms};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::person::SOON;
use fleetlens_tests::profile::{ProfileText, fire, full};
use fleetlens_tests::serve::Serve;
use serde_json::{Value, json};

use super::alone;
use super::both::told;

/// When everything was measured.
const AGO_MS: i64 = 2 * 3_600_000 + 20 * 60_000;

/// How many things there are beside the lamp.
const THINGS: usize = 30;

/// What tells of the very moment, with as much room as before.
const UNTIMED: &str = "
    time, .app > .status, .td.heard, .since, [data-testid=status-broker], [data-testid=status-last], [data-testid=status-cache],
    [data-testid=freshness], [data-testid=span], [data-testid=chart] canvas, .profile .broker, .profile .file, .settings code,
    [data-testid=settings-cache] dd, [data-testid=settings-map] .note { visibility: hidden !important; }
    *, *::before, *::after { caret-color: transparent !important; }
    ";

/// A small city that says the same in every run.
struct Still {
    broker: Mosquitto,
    service: ShadowService,
    lamp: Lamp,
    things: Peer,
    profile: String,
}

impl Still {
    /// `None` without Mosquitto.
    async fn start(name: &str, data: &Path) -> Option<Still> {
        let broker = Mosquitto::start(name)?;
        let at = BrokerAt { url: broker.url(), credentials: None };
        let mut service = ShadowService::start(&at, Shadows::default()).expect("the shadow service can be");
        service.ready().await;
        let lamp = Lamp::start(&broker.url(), "lamp-0412").await;
        // Nothing here becomes silent while pictures are taken.
        let calm = json!({ "kind": "lamp", "name": "Lamp 0412", "lat": 35.8978, "lon": 14.5125, "area": "Valletta",
            "street": "Triq ir-Repubblika", "interval_s": 86_400, "units": { "dim_pct": "%", "power_w": "W", "temp_c": "°C" } });
        lamp.peer().publish_retained("city/valletta/lamp/lamp-0412/meta", calm.to_string()).await;
        let things = Peer::connect(&broker.url(), &format!("{name}-things"), &[]).await;
        for n in 0..THINGS {
            let (kind, area, _) = thing(n);
            // Valletta's streets run up its hill, Sliema's lie across the water.
            let (lat, lon) = match n % 2 {
                0 => (35.8950 + (n / 2) as f64 * 4.1e-4, 14.5080 + (n * 7 % 30) as f64 * 2.7e-4),
                _ => (35.9080 + (n / 2) as f64 * 3.7e-4, 14.4960 + (n * 7 % 30) as f64 * 2.9e-4),
            };
            let meta = json!({ "kind": kind, "name": format!("{kind} {n}"), "lat": lat, "lon": lon, "area": area,
                "street": "Triq il-Kbira", "capacity": 60, "interval_s": 86_400,
                "units": { "fill_pct": "%", "temp_c": "°C", "dim_pct": "%", "power_w": "W" } });
            things.publish_retained(&topic(n, "meta"), meta.to_string()).await;
        }
        let folder = data.join("profiles");
        std::fs::create_dir_all(&folder).unwrap();
        let profile = folder.join("still.toml");
        let text = ProfileText::new("Still city", broker.url()).toml() + fire("").as_str() + full("").as_str();
        std::fs::write(&profile, text).unwrap();
        let profile = profile.to_str().expect("a temporary folder has a plain name").to_owned();
        Some(Still { broker, service, lamp, things, profile })
    }

    /// Everything says its values, as of long ago.
    async fn speak(&self) {
        let ts = now_ms() - AGO_MS;
        self.lamp.measure(ts, &json!({ "dim_pct": 100, "power_w": 61.5, "temp_c": 24.0 })).await;
        for n in 0..THINGS {
            let (_, _, values) = thing(n);
            self.things.publish(&topic(n, "telemetry"), json!({ "ts": ts, "values": values }).to_string()).await;
        }
    }

    async fn end(self) {
        self.things.leave().await;
        drop(self.lamp);
        self.service.stop().await;
        drop(self.broker);
    }
}

/// Kind, district and values of a thing. Two bins need somebody, one of them at once.
fn thing(n: usize) -> (&'static str, &'static str, Value) {
    let area = if n.is_multiple_of(2) { "Valletta" } else { "Sliema" };
    let (kind, values) = match (n, n % 3) {
        (6, _) => ("bin", json!({ "fill_pct": 95, "temp_c": 22.0 })),
        (12, _) => ("bin", json!({ "fill_pct": 40, "temp_c": 81.0 })),
        (_, 0) => ("bin", json!({ "fill_pct": (n * 7) % 89, "temp_c": 21.5 })),
        (_, 1) => ("lamp", json!({ "dim_pct": (n * 10) % 101, "power_w": 30 + n })),
        _ => ("parking", json!({ "free": (n * 5) % 60 })),
    };
    (kind, area, values)
}

fn topic(n: usize, last: &str) -> String {
    let (kind, area, _) = thing(n);
    format!("city/{}/{kind}/{kind}-{n:04}/{last}", area.to_lowercase())
}

/// Everything of the city has arrived.
async fn all_there(page: &Page) {
    page.wait_until_live().await;
    let script = "return document.documentElement.dataset.things ?? ''";
    page.wait_for("the whole city", SOON, script, |things: String| {
        if things == (THINGS + 1).to_string() { Ok(()) } else { Err(format!("{things} things")) }
    })
    .await;
}

/// Takes the picture of a view and compares it with the kept one.
async fn as_kept(page: &Browser, name: &str, drawn_by: &str) {
    page.ask::<()>("document.activeElement?.blur()", Vec::new()).await;
    // While something slides in, its colours are others.
    page.still(0, SOON).await;
    assert_accessible(page, name).await;
    // What the page's policy lets a script do; an element of style it does not.
    let hide = "const s = new CSSStyleSheet(); s.replaceSync(arguments[0]); document.adoptedStyleSheets.push(s)";
    page.ask::<()>(hide, vec![UNTIMED.into()]).await;
    let picture = page.screenshot(name).await;
    page.ask::<()>("document.adoptedStyleSheets.pop()", Vec::new()).await;
    assert_as_kept(name, &picture, drawn_by);
    told(&format!("{name} is as it was kept"));
}

/// The same view where people read from right to left: nothing runs out of the window.
async fn holds_from_right_to_left(page: &Browser, view: &str, wide: &str) {
    page.ask::<()>("document.documentElement.dir = 'rtl'", Vec::new()).await;
    let overflows =
        "return Math.max(0, document.documentElement.scrollWidth - innerWidth) + document.documentElement.scrollLeft";
    page.wait_for(&format!("{view} to fit from right to left"), SOON, overflows, |px: f64| {
        if px == 0.0 { Ok(()) } else { Err(format!("{px} px too wide")) }
    })
    .await;
    let outside: Vec<String> = page.ask(OUTSIDE, Vec::new()).await;
    page.screenshot(&format!("rtl-{view}-light-{wide}")).await;
    assert_eq!(outside, Vec::<String>::new(), "{view} from right to left: outside of the window");
    page.ask::<()>("document.documentElement.removeAttribute('dir')", Vec::new()).await;
}

/// What a person could press that lies outside of the window, unless it lies in something that scrolls.
const OUTSIDE: &str = "const scrolls = e => { for (let p = e.parentElement; p; p = p.parentElement) { \
    const s = getComputedStyle(p); if (/auto|scroll/.test(s.overflow + s.overflowX)) return true; } return false; }; \
    return [...document.querySelectorAll('button, input, select, a[href], [role=slider]')].filter(e => { \
    const r = e.getBoundingClientRect(); const s = getComputedStyle(e); \
    return r.width > 1 && s.visibility === 'visible' && !e.closest('[aria-hidden=true], .unseen') && !scrolls(e) \
    && (r.left < -1 || r.right > innerWidth + 1); }).map(e => e.dataset.testid || e.outerHTML.slice(0, 80))";

async fn in_both_themes(page: &Browser, view: &str, drawn_by: &str) {
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        as_kept(page, &format!("view-{view}-{theme}-1440"), drawn_by).await;
    }
    holds_from_right_to_left(page, view, "1440").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_views_look_as_they_were_kept() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let Some(city) = Still::start("browser-views", data.path()).await else { return };
    let serve = Serve::start("views", data.path(), &["--profile", &city.profile]);
    let Some(page) = Browser::open("browser-views", &serve, serve.window(), DESKTOP, "dark").await else { return };
    all_there(&page).await;
    city.speak().await;
    let drawn_by = page.version().await;
    page.wait_for_text(&by_testid("badge-alarms"), SOON, |text| text == "2").await;
    page.keys("f").await;
    for (keys, view, there) in [
        ("gm", "map", "attention"),
        ("gt", "things", "things-row"),
        ("ga", "alarms", "alarm"),
        ("gc", "commands", "outbox"),
        ("gj", "jobs", "jobs-view"),
        ("gs", "settings", "settings"),
    ] {
        page.keys(keys).await;
        page.wait_for_element(&by_testid(there), SOON).await;
        in_both_themes(&page, view, &drawn_by).await;
    }
    page.keys("gm").await;
    page.open_thing("lamp-0412").await;
    in_both_themes(&page, "thing", &drawn_by).await;
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;

    let Some(phone) = Browser::open("browser-views-phone", &serve, serve.phone(), PHONE, "light").await else { return };
    phone.wait_until_live().await;
    for theme in ["dark", "light"] {
        phone.prefer(theme).await;
        for (tab, view) in
            [("tab-map", "map"), ("tab-alarms", "alarms"), ("tab-queue", "queue"), ("tab-thing", "thing")]
        {
            if view == "thing" && theme == "dark" {
                phone.open_thing("lamp-0412").await;
            } else {
                phone.click(&by_testid(tab)).await;
            }
            as_kept(&phone, &format!("view-{view}-{theme}-390"), &drawn_by).await;
            if theme == "light" {
                holds_from_right_to_left(&phone, view, "390").await;
            }
        }
    }
    assert_eq!(phone.faults().await, Vec::<String>::new(), "something went wrong in the page");
    phone.close().await;
    serve.close().await;
    city.end().await;
}
