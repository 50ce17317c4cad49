//! What an operator sees.

use std::path::Path;
use std::time::Duration;

use fleetlens_sim::{City, CityOptions};
use fleetlens_tests::display::Display;
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use serde_json::json;

use crate::{Failure, LAMP, STUCK, dim, open, take, tell_the_past};

/// Within this time the dead gateway is an alarm: three of its intervals.
const GATEWAY_SILENT: Duration = Duration::from_secs(300);

pub async fn pictures(city: &mut City, options: &CityOptions, display: &Display, folder: &Path) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let window = open("fleetlens-desktop", city, display, data.path(), &["--theme", "dark"]).await?;
    window.resize(1440, 900).await;
    window.wait_until_live().await;
    tell_the_past(city, options).await?;

    // Something needs a person: the stuck lamp lets a command of half a minute expire.
    wish_of_the_stuck_lamp(&window, "30000").await;
    window.wait_for_timeline("the stuck lamp's command to expire", SOON, |t| t.has("withdrawn")).await;

    a_lamp_is_dimmed(&window, folder).await;
    everything_of_it(&window, folder).await;
    the_lists(&window, folder).await?;

    window.set_theme("dark").await;
    window.click(&by_testid("rail-map")).await;
    window.open_thing(LAMP).await;
    city.stop_broker().await;
    window.wait_for_element(&by_testid("offline"), SOON).await;
    window.dim(70).await;
    window
        .wait_for_text(&by_testid("offline"), SOON, |text| {
            text.contains("waits for the link") || text.contains("wait for the link")
        })
        .await;
    take(&window, folder, "offline").await;
    window.close().await;
    Ok(())
}

/// The stuck lamp is asked for something, for so many milliseconds.
async fn wish_of_the_stuck_lamp(page: &Page, expiry_ms: &str) {
    page.open_thing(STUCK).await;
    page.wait_for_leaf("/dim_pct", |_, reported| reported != "–").await;
    page.prepare_dim(60).await;
    page.choose("[data-testid=control][data-pointer=\"/dim_pct\"] [data-testid=expiry]", expiry_ms).await;
    page.send_dim().await;
}

/// The map with a lamp beside it, in the dark and in the light.
async fn a_lamp_is_dimmed(page: &Page, folder: &Path) {
    page.open_thing(LAMP).await;
    page.wait_for_leaf("/dim_pct", |_, reported| reported != "–").await;
    page.choose_span("15 m").await;
    page.choose_span("1 h").await;
    page.click("[data-testid=value][data-pointer=\"/power_w\"]").await;
    dim(page, 40).await;
    page.wait_for_element(&by_testid("attention"), SOON).await;
    take(page, folder, "operator-dark").await;
    page.set_theme("light").await;
    take(page, folder, "command-settled").await;
    page.close_thing().await;
    take(page, folder, "operator-light").await;
    page.set_theme("dark").await;
}

/// The page of the lamp, and JSON for what has no control.
async fn everything_of_it(page: &Page, folder: &Path) {
    page.open_thing(LAMP).await;
    page.click(&by_testid("open-page")).await;
    page.wait_for_element(&by_testid("page"), SOON).await;
    page.click(&by_testid("messages-fold")).await;
    page.wait_for_element(&by_testid("message"), SOON).await;
    take(page, folder, "thing-page").await;
    page.click(&by_testid("messages-fold")).await;
    page.set_theme("light").await;
    page.click(&by_testid("json-fold")).await;
    let fill = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                e.dispatchEvent(new Event('input', { bubbles: true })); e.scrollIntoView({ block: 'center' })";
    let text = "{\n  \"dim_pct\": 60,\n  \"schedule\": { \"night_pct\": 30, \"from\": \"23:00\" }\n}";
    page.ask::<()>(fill, vec![json!(by_testid("json-text")), json!(text)]).await;
    page.wait_for_element("[data-testid=json-changes] li", SOON).await;
    page.still(2_500, SOON).await;
    page.screenshot_to(&folder.join("json.png")).await;
    page.click(&by_testid("json-fold")).await;
    page.click(&by_testid("form-fold")).await;
    page.slide("[data-testid=form] [data-testid=field][data-pointer=\"/dim_pct\"] [data-testid=slider]", 65.0).await;
    page.wait_for_element("[data-testid=form-changes] li", SOON).await;
    into_sight(page, &by_testid("form")).await;
    page.still(2_500, SOON).await;
    page.screenshot_to(&folder.join("form.png")).await;
    page.click(&by_testid("form-fold")).await;
    page.click(&by_testid("shadow-history-fold")).await;
    page.wait_for_element(&by_testid("shadow-change"), SOON).await;
    into_sight(page, &by_testid("shadow")).await;
    page.still(2_500, SOON).await;
    page.screenshot_to(&folder.join("history.png")).await;
    page.set_theme("dark").await;
    page.close_thing().await;
}

async fn into_sight(page: &Page, css: &str) {
    page.ask::<()>("document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })", vec![json!(css)]).await;
}

/// Lamps are dimmed together: what that would do, and what came of each.
async fn many_at_once(page: &Page, folder: &Path) {
    let in_sheet = |testid: &str| format!("[data-testid=bulk-sheet][open] [data-testid={testid}]");
    page.click("[data-testid=kind-chip][data-kind=bin]").await;
    page.click("[data-testid=kind-chip][data-kind=lamp]").await;
    page.replace("[data-testid=things-filter]", "Valletta").await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| {
        !text.starts_with("300 of ") && !text.starts_with("400 of ")
    })
    .await;
    page.wait_for_element("[aria-rowindex=\"2\"] [data-testid=mark]", SOON).await;
    page.click("[aria-rowindex=\"2\"] [data-testid=mark]").await;
    page.click(&by_testid("choose-all")).await;
    page.click(&by_testid("bulk-begin")).await;
    page.wait_for_element(&in_sheet("slider"), SOON).await;
    page.slide(&in_sheet("slider"), 35.0).await;
    page.click(&in_sheet("dry-run")).await;
    page.wait_for_element(&in_sheet("dry-run-row"), SOON).await;
    page.still(2_500, SOON).await;
    page.screenshot_to(&folder.join("bulk-dry-run.png")).await;
    page.click(&in_sheet("bulk-send")).await;
    page.wait_for_element("[data-testid=bulk-thing][data-standing=settled]", SOON).await;
    take(page, folder, "bulk").await;
    page.click(&by_testid("bulk-back")).await;
}

/// The jobs of the city, and how far one of them is.
async fn jobs(page: &Page, folder: &Path) {
    page.click(&by_testid("rail-jobs")).await;
    let counts = "[data-testid=job][data-job^=\"lamps-\"] [data-testid=job-counts]";
    page.wait_for_text(counts, GATEWAY_SILENT, |text| text.contains("succeeded")).await;
    take(page, folder, "jobs").await;
}

/// Things, commands, alarms and settings.
async fn the_lists(page: &Page, folder: &Path) -> Result<(), Failure> {
    page.click(&by_testid("rail-things")).await;
    page.click("[data-testid=kind-chip]:nth-child(3)").await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text.contains(" of ")).await;
    page.click_word("[data-testid=things]", "Value").await;
    take(page, folder, "things").await;
    many_at_once(page, folder).await;
    jobs(page, folder).await;

    // One waits, beside what has ended.
    wish_of_the_stuck_lamp(page, "600000").await;
    page.wait_for_timeline("the wish to be accepted", SOON, |t| t.has("accepted")).await;
    page.close_thing().await;
    page.click(&by_testid("rail-commands")).await;
    page.wait_for_element("[data-testid=outbox] [data-testid=order]", SOON).await;
    page.click("[data-testid=outbox] [data-testid=steps]").await;
    take(page, folder, "commands").await;

    page.click(&by_testid("rail-alarms")).await;
    page.wait_for_text(&by_testid("critical"), GATEWAY_SILENT, |text| text.contains("Critical")).await;
    // A flood folds them, whenever so many come at once.
    let unfolded = "const picks = document.querySelectorAll('[data-testid=alarm-pick]').length; \
                    if (picks === 0) document.querySelector('.flood button')?.click(); return picks";
    page.wait_for(
        "alarms to choose from",
        SOON,
        unfolded,
        |picks: u32| {
            if picks > 0 { Ok(()) } else { Err("none".to_owned()) }
        },
    )
    .await;
    // One of them, the last, has somebody who sees to it.
    page.ask::<()>("[...document.querySelectorAll('[data-testid=alarm-pick]')].at(-1).click()", Vec::new()).await;
    page.click(&by_testid("acknowledge")).await;
    page.type_into("[data-testid=acknowledge-dialog][open] [data-testid=comment]", "Ċensu is on his way").await;
    page.click("[data-testid=acknowledge-dialog][open] [data-testid=acknowledge-yes]").await;
    page.wait_until_gone("[data-testid=acknowledge-dialog][open]", SOON).await;
    take(page, folder, "alarms").await;

    // A rule, tried on what the city has said so far.
    page.click(&by_testid("to-rules")).await;
    page.click("[data-testid=rule-row][data-rule=bin-full] button").await;
    page.replace(&by_testid("rule-when"), "fill_pct >= 80").await;
    page.wait_for_element("[data-testid=past-try]:not([disabled])", SOON).await;
    page.click(&by_testid("past-try")).await;
    page.wait_for_element(&by_testid("past-head"), SOON).await;
    take(page, folder, "rules").await;

    page.click(&by_testid("rail-boards")).await;
    page.wait_for_element("[data-testid=board-map] canvas", SOON).await;
    page.wait_for_element(&by_testid("board-heat"), SOON).await;
    take(page, folder, "boards").await;
    page.click(&by_testid("palette-open")).await;
    page.type_into("[data-testid=palette][open] input", "marsa").await;
    page.wait_for_text("[data-testid=palette][open]", SOON, |text| text.contains("Marsaxlokk")).await;
    page.still(2_500, SOON).await;
    page.screenshot_to(&folder.join("palette.png")).await;
    page.press(thirtyfour::Key::Escape).await;
    page.wait_until_gone("[data-testid=palette][open]", SOON).await;

    // A minute ago, by the keys of the time bar.
    page.click(&by_testid("rail-map")).await;
    page.click(&by_testid("replay-open")).await;
    let slider = page.wait_for_element(&by_testid("replay-slider"), SOON).await;
    slider.focus().await?;
    page.press(thirtyfour::Key::Left).await;
    page.wait_for_element(&by_testid("past"), SOON).await;
    take(page, folder, "replay").await;
    page.click(&by_testid("replay-now")).await;
    page.wait_until_gone(&by_testid("past"), SOON).await;
    page.click("[data-testid=replay-bar] [aria-label^=Close]").await;

    page.set_theme("light").await;
    page.click(&by_testid("rail-settings")).await;
    take(page, folder, "settings").await;
    Ok(())
}
