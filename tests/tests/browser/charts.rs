//! The chart of a thing: any time by wheel, drag and key, the week before, alarms, several values on two axes, and what is taken out of it.

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::SOON;
use fleetlens_tests::serve::Serve;
use serde_json::json;

use super::alone;
use super::both::street::Street;
use super::both::told;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 1_440 * MINUTE_MS;
const CANVAS: &str = "[data-testid=chart] canvas";

/// Turns the wheel over the middle of the chart, with Ctrl or without, and tells how long the page took to draw it, in milliseconds; less
/// than 0 where the page let the wheel through.
const WHEEL: &str = "return (async () => { const c = document.querySelector(arguments[0]), b = c.getBoundingClientRect(); \
    const at = { clientX: b.left + b.width * 0.6, clientY: b.top + 40, bubbles: true, cancelable: true }; \
    const t = performance.now(); \
    const through = c.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY: arguments[1], ctrlKey: arguments[2] })); \
    for (let i = 0; i < 20; i++) await Promise.resolve(); \
    return through ? -1 : performance.now() - t; })()";

/// Drags over a part of the chart, with Shift or without.
const DRAG: &str = "const c = document.querySelector(arguments[0]), b = c.getBoundingClientRect(); \
    const send = (type, part) => c.dispatchEvent(new PointerEvent(type, { clientX: b.left + b.width * part, \
        clientY: b.top + 40, bubbles: true, pointerId: 1, pointerType: 'mouse', button: 0, shiftKey: arguments[3] })); \
    send('pointerdown', arguments[1]); \
    for (let i = 1; i <= 10; i++) send('pointermove', arguments[1] + (arguments[2] - arguments[1]) * i / 10); \
    send('pointerup', arguments[2])";

/// Points at a part of the chart.
const POINT: &str = "const c = document.querySelector(arguments[0]), b = c.getBoundingClientRect(); \
    c.dispatchEvent(new PointerEvent('pointermove', { clientX: b.left + b.width * arguments[1], clientY: b.top + 40, bubbles: true }))";

/// Keeps what the page gives to the browser.
const WATCH: &str = "window.e2eFiles = []; const make = URL.createObjectURL; \
    URL.createObjectURL = blob => { blob.text().then(text => window.e2eFiles.push(text)); return make.call(URL, blob) }";

async fn span(page: &Browser) -> String {
    page.text("span").await.unwrap_or_default()
}

/// Waits until the words of the time are others than they were.
async fn moved(page: &Browser, before: &str) -> String {
    let now = page.wait_for_text(&by_testid("span"), SOON, |text| text != before).await;
    page.wait_until_gone("[data-testid=chart] .plot.reading", SOON).await;
    now
}

async fn stands(page: &Browser) -> bool {
    page.count(&format!("{}:not(:disabled)", by_testid("now"))).await == 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_stands_on_any_time_and_shows_several_values() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let Some(street) = Street::start("browser-charts", data.path()).await else { return };
    let serve = Serve::start("charts", data.path(), &["--profile", street.profile()]);
    let Some(browser) = Browser::open("browser-charts", &serve, serve.window(), DESKTOP, "dark").await else { return };
    street.speaks().await;
    browser.wait_until_live().await;
    lamp_has_a_past(&street).await;
    street.bin(1, json!({ "fill_pct": 95, "temp_c": 21.0 })).await;
    browser.open_thing(street.lamp.name()).await;
    browser.click(&by_testid("open-page")).await;
    browser.click("[data-testid=value][data-pointer=\"/power_w\"]").await;
    browser.choose_span("6 h").await;

    any_time_is_reached(&browser).await;
    the_week_before_lies_behind(&browser).await;
    values_are_added(&browser).await;
    browser.screenshot("chart-several-dark-1440").await;
    assert_accessible(&browser, "a chart of several values, dark").await;
    browser.set_theme("light").await;
    browser.screenshot("chart-several-light-1440").await;
    assert_accessible(&browser, "a chart of several values, light").await;
    what_is_seen_is_saved(&browser).await;
    browser.click("[data-testid=value][data-pointer=\"/on\"]").await;
    browser.wait_until_gone("[data-testid=chart] .plot.reading", SOON).await;
    browser.screenshot("chart-states-light-1440").await;
    browser.close_thing().await;
    an_alarm_stands_under_its_value(&browser).await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;

    let Some(phone) = Browser::open("browser-charts-phone", &serve, serve.phone(), PHONE, "light").await else {
        return;
    };
    phone.wait_until_live().await;
    phone.open_thing(street.lamp.name()).await;
    phone.wait_for_element(CANVAS, SOON).await;
    phone.choose_span("6 h").await;
    let shown = "const c = document.querySelector('[data-testid=chart]'); c.scrollIntoView({ block: 'center' }); \
                 return [...c.querySelectorAll('button')].filter(b => b.offsetParent && b.getBoundingClientRect().height < 44) \
                 .map(b => b.textContent || b.title)";
    let small: Vec<String> = phone.ask(shown, Vec::new()).await;
    assert_eq!(small, Vec::<String>::new(), "too small for a finger");
    phone.screenshot("chart-phone-light-390").await;
    assert_accessible(&phone, "the chart on the phone").await;
    phone.close().await;
    serve.close().await;
}

/// Four hours, a value a minute, and the same a week before; silent for twenty minutes.
async fn lamp_has_a_past(street: &Street) {
    let now = now_ms();
    for before in (1..=240).rev().filter(|minute| !(60..80).contains(minute)) {
        let at = f64::from(before);
        for (ago, level) in [(7 * DAY_MS, 48.0), (0, 60.0)] {
            let values = json!({ "power_w": level + (at / 17.0).sin() * 6.0, "temp_c": 24.0 + at / 40.0,
                "dim_pct": 100, "on": before % 45 > 12 });
            street.lamp.measure(now - ago - i64::from(before) * MINUTE_MS, &values).await;
        }
    }
    street.lamp.measure(now, &json!({ "on": true })).await;
    street.lamp.measure_now().await;
}

async fn any_time_is_reached(page: &Browser) {
    page.wait_until_gone("[data-testid=chart] .plot.reading", SOON).await;
    assert!(!stands(page).await, "it follows now at first");
    let follows = span(page).await;
    let through: f64 = page.ask(WHEEL, vec![CANVAS.into(), (-400).into(), false.into()]).await;
    assert!(through < 0.0 && span(page).await == follows, "without Ctrl the wheel is the page's");
    let took_ms: f64 = page.ask(WHEEL, vec![CANVAS.into(), (-60).into(), true.into()]).await;
    let near = moved(page, &follows).await;
    assert!(stands(page).await && near.contains(" – "), "{near}");
    let of_line = page.pixels_of(CANVAS, "--chart-line").await;
    assert!(of_line > 200, "there is a line where it was zoomed to: {of_line} pixels");
    told(&format!("a turn of the wheel with Ctrl zooms at the pointer; drawn within {took_ms:.1} ms"));

    page.ask::<()>(DRAG, vec![CANVAS.into(), 0.2.into(), 0.6.into(), true.into()]).await;
    let panned = moved(page, &near).await;
    page.ask::<()>(DRAG, vec![CANVAS.into(), 0.3.into(), 0.7.into(), false.into()]).await;
    let brushed = moved(page, &panned).await;
    told(&format!("with Shift a drag moves it ({panned}), without it shows what was marked ({brushed})"));

    page.ask::<()>("document.querySelector(arguments[0]).focus()", vec![CANVAS.into()]).await;
    let mut before = brushed;
    for key in ["ArrowLeft", "ArrowRight", "-", "+"] {
        let press = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }))";
        page.ask::<()>(press, vec![key.into()]).await;
        before = moved(page, &before).await;
    }
    page.click(&by_testid("earlier")).await;
    moved(page, &before).await;
    page.screenshot("chart-zoomed-dark-1440").await;
    page.click(&by_testid("now")).await;
    page.wait_for_element(&format!("{}:disabled", by_testid("now")), SOON).await;
    page.choose_span("6 h").await;
    told("arrow keys and + and − go through time as well, and a button leads back to now");
}

async fn the_week_before_lies_behind(page: &Browser) {
    page.click(&by_testid("compare")).await;
    page.wait_for_element(&by_testid("legend"), SOON).await;
    page.wait_until_gone("[data-testid=chart] .plot.reading", SOON).await;
    page.ask::<()>(POINT, vec![CANVAS.into(), 0.6.into()]).await;
    let pointed = page.wait_for_text(&by_testid("pointed"), SOON, |text| text.contains("week before")).await;
    assert!(pointed.contains("Power") && pointed.contains(" W"), "{pointed}");
    page.screenshot("chart-week-before-dark-1440").await;
    told(&format!("the week before lies behind, with its value: {pointed}"));
}

async fn values_are_added(page: &Browser) {
    page.click(&by_testid("add-value")).await;
    page.click_word(".values-to-add", "Lamp temp. °C").await;
    page.wait_for_text(&by_testid("legend"), SOON, |text| text.contains("Lamp temp., °C")).await;
    page.click_word(".values-to-add", "Level when on %").await;
    let refused = page.wait_for_text(&by_testid("add-refused"), SOON, |text| !text.is_empty()).await;
    assert!(refused.contains("two axes") && refused.contains("is in %"), "{refused}");
    page.type_into(&by_testid("find-other"), "Bin 03").await;
    page.wait_for_element(&by_testid("other"), SOON).await;
    page.screenshot("chart-add-dark-1440").await;
    page.click(&by_testid("other")).await;
    page.wait_for_text(".values-to-add ~ .values-to-add, .of + .values-to-add", SOON, |text| text.contains("Temp"))
        .await;
    let script = "const b = [...document.querySelectorAll('.of + .values-to-add button')].find(b => b.textContent.includes('°C')); b?.click(); return !!b";
    assert!(page.ask::<bool>(script, Vec::new()).await, "the bin's temperature is not offered");
    page.wait_for_text(&by_testid("legend"), SOON, |text| text.contains("Bin") && text.contains("Temperature")).await;
    page.press(thirtyfour::Key::Escape).await;
    told(&format!("values of this and of other things are added on two axes; a third unit is refused: {refused}"));
}

async fn what_is_seen_is_saved(page: &Browser) {
    page.ask::<()>(WATCH, Vec::new()).await;
    page.click(&by_testid("save-chart")).await;
    for (button, begins, has) in [
        ("save-svg", "<svg ", vec!["Power, W", "°C", " – ", " 20"]),
        ("save-png", "", vec!["PNG"]),
        (
            "save-csv",
            "time,",
            vec!["Power, W min", "Power, W count", "Lamp temp., °C mean", "Power, W, 7 days before mean"],
        ),
    ] {
        page.ask::<()>("window.e2eFiles.length = 0", Vec::new()).await;
        page.click(&by_testid(button)).await;
        let file = "return window.e2eFiles[0] ?? null";
        let text = page
            .wait_for(button, SOON, file, |text: Option<String>| text.ok_or_else(|| "nothing yet".to_owned()))
            .await;
        assert!(text.starts_with(begins), "{button}: {}", text.chars().take(80).collect::<String>());
        for part in has {
            assert!(text.contains(part), "{button}: no {part} in {} bytes", text.len());
        }
        if button == "save-svg" {
            std::fs::write(fleetlens_tests::place::root().join("target/chart-saved.svg"), &text).ok();
        }
    }
    page.press(thirtyfour::Key::Escape).await;
    told("what is seen is saved as PNG, SVG and CSV, with title, unit and time");
}

async fn an_alarm_stands_under_its_value(page: &Browser) {
    page.open_thing("bin-01").await;
    page.click("[data-testid=value][data-pointer=\"/fill_pct\"]").await;
    let lasts = async |part: f64| page.ask::<()>(POINT, vec![CANVAS.into(), part.into()]).await;
    let mut said = String::new();
    for _ in 0..60 {
        lasts(0.975).await;
        said = page.text("pointed").await.unwrap_or_default();
        if said.contains("nearly full") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    assert!(said.contains("nearly full, raised"), "{said}");
    page.screenshot("chart-alarm-light-1440").await;
    told(&format!("an alarm stands under the value it looks at, with its words: {said}"));
}
