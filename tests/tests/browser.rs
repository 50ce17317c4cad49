//! The window in Chromium over `fleetlens serve`: who is let in, the city, a lamp, the broker and the program that go and come back,
//! and what axe-core says. The flows are those of the desktop's window (`both/`).
#![cfg(test)]

#[path = "browser/boards.rs"]
mod boards;
mod both;
#[path = "browser/charts.rs"]
mod charts;
#[path = "browser/choose.rs"]
mod choose;
#[path = "browser/console.rs"]
mod console;
#[path = "browser/dialogs.rs"]
mod dialogs;
#[path = "browser/elsewhere.rs"]
mod elsewhere;
#[path = "browser/export.rs"]
mod export;
#[path = "browser/forms.rs"]
mod forms;
#[path = "browser/gallery.rs"]
mod gallery;
#[path = "browser/ground.rs"]
mod ground;
#[path = "browser/jobs.rs"]
mod jobs;
#[path = "browser/language.rs"]
mod language;
#[path = "browser/maps.rs"]
mod maps;
#[path = "browser/operator.rs"]
mod operator;
#[path = "browser/outbox.rs"]
mod outbox;
#[path = "browser/palette.rs"]
mod palette;
#[path = "browser/parts.rs"]
mod parts;
#[path = "browser/plain.rs"]
mod plain;
#[path = "browser/replay.rs"]
mod replay;
#[path = "browser/rules.rs"]
mod rules;
#[path = "browser/setup.rs"]
mod setup;
#[path = "browser/traces.rs"]
mod traces;
#[path = "browser/views.rs"]
mod views;

use std::time::{Duration, Instant};

use fleetlens_sim::{BrokerAt, CityOptions};
use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::broker::{Mosquitto, free_port};
use fleetlens_tests::browser::{Browser, DESKTOP, PHONE};
use fleetlens_tests::disk::SmallDisk;
use fleetlens_tests::page::by_testid;
use fleetlens_tests::person::{ENDS_WITHIN, SOON};
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;
use tokio::sync::{Mutex, MutexGuard};

use both::{bulk, city, diagnostics, history, told};

/// One at a time: two cores draw the map in software.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_printed_address_opens_the_window() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("door", data.path(), &["--things", "20"]);
    let wrong = serve.token().chars().rev().collect::<String>();
    let cookie = format!("fleetlens-{}={}", serve.authority().rsplit(':').next().unwrap(), serve.token());
    let socket = |origin: &'static str| {
        vec![
            ("Cookie", cookie.as_str()),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Origin", origin),
        ]
    };
    for (request, headers, want) in [
        ("GET /", vec![], "401"),
        ("GET /phone.html", vec![], "401"),
        ("GET /tiles/14/8852/6439", vec![], "401"),
        ("GET /ws", vec![], "401"),
        (&format!("GET /?token={wrong}"), vec![], "401"),
        ("GET /", vec![("Cookie", cookie.as_str())], "200"),
        ("GET /tiles/14/8852/6439", vec![("Cookie", cookie.as_str())], "200"),
        ("GET /", vec![("Cookie", cookie.as_str()), ("Host", "rebound.example")], "421"),
        ("GET /ws", socket("http://elsewhere.example"), "403"),
    ] {
        let answer = serve.ask(request, &headers);
        assert!(answer.starts_with(&format!("HTTP/1.1 {want} ")), "{request} {headers:?}: {answer}");
    }
    told("without the token, with a wrong one, under another name and from another page nobody comes in");

    let locked = format!("http://{}/", serve.authority());
    let Some(browser) = Browser::open("browser-door", &serve, &locked, DESKTOP, "dark").await else { return };
    let words = browser.text_of("body").await.unwrap_or_default();
    assert!(words.contains("locked") && words.contains("fleetlens serve"), "{words}");
    assert_accessible(&browser, "the locked page").await;
    browser.screenshot("browser-locked-dark-1440").await;
    browser.goto(serve.window()).await;
    browser.wait_until_live().await;
    // What is shown stands behind the `#`.
    let address = browser.address().await;
    assert_eq!(address.split('#').next(), Some(locked.as_str()), "the token must not stand in the address");
    assert!(!address.contains(serve.token()), "the token stands in the address: {address}");
    let words = browser.text_of("body").await.unwrap_or_default().to_lowercase();
    for word in ["tauri", "no host"] {
        assert!(!words.contains(word), "in a browser that is live somebody reads {word:?}: {words}");
    }
    browser.goto(&locked).await;
    browser.wait_until_live().await;
    told("the printed address opens it, and from then on the plain one does");
    browser.close().await;
    let took = serve.close().await;
    assert!(took < ENDS_WITHIN, "the program took {took:?} to end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sees_the_demo_city_in_a_browser_and_dims_a_lamp() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("city", data.path(), &[]);
    let start = Instant::now();
    let Some(browser) = Browser::open("browser-city", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;
    let took = start.elapsed();
    told(&format!("live {} ms after the browser was started", took.as_millis()));
    city::streets_and_marks_are_drawn(&browser).await;
    browser.screenshot("browser-city-dark-1440").await;
    let before = city::a_lamp_is_opened(&browser).await;
    city::a_lamp_is_dimmed_and_settles(&browser, &before, 40).await;
    browser.screenshot("browser-settled-dark-1440").await;

    for theme in ["dark", "light"] {
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the thing's drawer, {theme}")).await;
        browser.type_into(&by_testid("find"), "lamp").await;
        browser.wait_for_element(&by_testid("found-row"), SOON).await;
        assert_accessible(&browser, &format!("the found list, {theme}")).await;
        browser.tidy_up().await;
    }
    browser.screenshot("browser-settled-light-1440").await;
    browser.close_thing().await;
    for theme in ["light", "dark"] {
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the map, {theme}")).await;
    }
    told("axe-core finds nothing on the map, the thing's drawer and the found list, dark and light");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_changed_a_shadow_is_told_on_the_desk_and_on_the_phone() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("history", data.path(), &[]);
    let Some(browser) = Browser::open("browser-history", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;
    city::a_lamp_is_opened(&browser).await;
    history::of_a_lamp_tells_the_person_and_the_device(&browser, [25, 65]).await;
    browser.click(&by_testid("open-page")).await;
    for theme in ["dark", "light"] {
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the history of a shadow, {theme}")).await;
        browser.screenshot(&format!("browser-history-{theme}-1440")).await;
    }
    browser.resize(PHONE.0, PHONE.1).await;
    browser.goto(serve.phone()).await;
    browser.wait_until_live().await;
    for theme in ["light", "dark"] {
        browser.click(&by_testid("tab-map")).await;
        if browser.count(&by_testid("short")).await > 0 {
            browser.click("[data-testid=short] .answers .big").await;
        }
        browser.set_theme(theme).await;
        browser.open_thing(city::LAMP).await;
        history::outlives_the_program(&browser, 65).await;
        assert_accessible(&browser, &format!("the history of a shadow on the phone, {theme}")).await;
        browser.screenshot(&format!("browser-history-{theme}-390")).await;
    }
    let wide = "const e = document.querySelector('[data-testid=page]'); return e.scrollWidth - e.clientWidth";
    assert_eq!(browser.ask::<i64>(wide, Vec::new()).await, 0, "it is wider than the phone");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_looks_how_the_program_stands_and_copies_the_report() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("diagnostics", data.path(), &[]);
    let Some(browser) = Browser::open("browser-diagnostics", &serve, serve.window(), DESKTOP, "dark").await else {
        return;
    };
    browser.wait_until_live().await;
    diagnostics::are_seen_as_they_change(&browser).await;
    browser.allow_reading_the_clipboard().await;
    diagnostics::are_copied(&browser).await;
    let report: String = browser.ask("return navigator.clipboard.readText()", Vec::new()).await;
    for words in ["Fleetlens diagnostics, ", "\nLink\n", "\nEngine\n", "half within", "samples", "fleetlens.log"] {
        assert!(report.contains(words), "the report does not say {words:?}:\n{report}");
    }
    assert!(!report.contains(serve.token()), "the token is in the report:\n{report}");
    let log = std::fs::read_to_string(data.path().join("logs/fleetlens.log")).unwrap();
    assert!(log.contains("connected") && !log.contains(serve.token()), "{log}");
    for theme in ["light", "dark"] {
        browser.set_theme(theme).await;
        assert_accessible(&browser, &format!("the diagnostics, {theme}")).await;
        browser.screenshot(&format!("browser-diagnostics-{theme}-1440")).await;
    }
    diagnostics::are_left(&browser).await;

    browser.resize(PHONE.0, PHONE.1).await;
    browser.goto(serve.phone()).await;
    browser.wait_until_live().await;
    for theme in ["light", "dark"] {
        browser.set_theme(theme).await;
        browser.click(&by_testid("to-settings")).await;
        browser.click("[data-testid=settings-sheet][open] [data-testid=to-diagnostics]").await;
        browser.wait_for_element("[data-testid=diagnostics-engine] [data-fact='Commits']", SOON).await;
        browser.screenshot(&format!("browser-diagnostics-{theme}-390")).await;
        assert_accessible(&browser, &format!("the diagnostics on the phone, {theme}")).await;
        let wide: i64 = browser
            .ask(
                "const e = document.querySelector('[data-testid=settings-sheet] .modal-body'); \
            return e.scrollWidth - e.clientWidth",
                Vec::new(),
            )
            .await;
        assert_eq!(wide, 0, "it is wider than the phone");
        browser.click(&by_testid("settings-close")).await;
        browser.wait_until_gone("[data-testid=settings-sheet][open]", SOON).await;
    }
    told("axe-core finds nothing on the diagnostics, dark and light, on the desk and on the phone");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}

/// What lies over everything else, in both themes and on a narrow screen.
async fn pictures(browser: &Browser, what: &str, name: &str) {
    for theme in ["light", "dark"] {
        // What changes it otherwise lies under the sheet.
        browser.ask::<()>("document.documentElement.dataset.theme = arguments[0]", vec![theme.into()]).await;
        browser.screenshot(&format!("{name}-{theme}-1440")).await;
        assert_accessible(browser, &format!("{what}, {theme}")).await;
    }
    browser.resize(PHONE.0, PHONE.1).await;
    browser.screenshot(&format!("{name}-dark-390")).await;
    browser.resize(DESKTOP.0, DESKTOP.1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_commands_many_at_once() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("bulk", data.path(), &[]);
    let Some(browser) = Browser::open("browser-bulk", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;
    bulk::lamps_are_chosen(&browser).await;
    browser.screenshot("browser-bulk-chosen-dark-1440").await;
    assert_accessible(&browser, "the table with rows chosen").await;
    bulk::a_dry_run_is_looked_at(&browser, 45).await;
    for theme in ["light", "dark"] {
        // What changes it lies under the sheet.
        browser.ask::<()>("document.documentElement.dataset.theme = arguments[0]", vec![theme.into()]).await;
        browser.screenshot(&format!("browser-bulk-sheet-{theme}-1440")).await;
        assert_accessible(&browser, &format!("the sheet for many, {theme}")).await;
    }
    bulk::it_goes_through(&browser).await;
    for theme in ["light", "dark"] {
        browser.set_theme(theme).await;
        browser.screenshot(&format!("browser-bulk-list-{theme}-1440")).await;
        assert_accessible(&browser, &format!("the list of bulk commands, {theme}")).await;
        browser.click(&by_testid("bulk-open")).await;
        browser.wait_for_element(&by_testid("bulk-thing"), SOON).await;
        browser.screenshot(&format!("browser-bulk-{theme}-1440")).await;
        assert_accessible(&browser, &format!("a bulk command, {theme}")).await;
        browser.resize(PHONE.0, PHONE.1).await;
        browser.screenshot(&format!("browser-bulk-{theme}-390")).await;
        browser.resize(DESKTOP.0, DESKTOP.1).await;
        browser.click(&by_testid("bulk-back")).await;
    }
    bulk::what_failed_is_asked_again(&browser).await;
    pictures(&browser, "the sheet that asks again", "browser-bulk-again").await;
    browser.click("[data-testid=bulk-sheet][open] [data-testid=bulk-cancel]").await;
    let things: usize = browser
        .ask(
            "return Number(document.querySelector('.stretch').textContent.split(' of ')[1].replace(/\\D/g, ''))",
            Vec::new(),
        )
        .await;
    let sheet = export::saved(&browser, "fleetlens-bulk-2-").await;
    assert_eq!((sheet[0].as_str(), sheet.len()), ("thing,wanted,result,command,time,detail", things + 1));
    assert!(sheet.iter().any(|line| line.contains(",cannot,")) && sheet.iter().any(|line| line.contains(",waiting,")));
    browser.screenshot("browser-bulk-saved-dark-1440").await;
    told("what came of each thing is saved as a sheet");
    bulk::what_is_dangerous_is_said_in_words(&browser).await;
    pictures(&browser, "the question before many", "browser-bulk-danger").await;
    browser.click("[data-testid=confirm][open] [data-testid=confirm-no]").await;
    browser.wait_until_gone("[data-testid=confirm][open]", SOON).await;
    browser.screenshot("browser-bulk-any-dark-1440").await;
    browser.click("[data-testid=bulk-sheet][open] [data-testid=bulk-cancel]").await;
    told("axe-core finds nothing on the chosen rows, the sheet, the list and a bulk command, dark and light");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_on_mosquitto_stays_in_the_browser_while_the_broker_is_away_and_the_disk_is_full() {
    let _alone = alone().await;
    let Some(mut broker) = Mosquitto::start("browser-city") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let malta =
        fleetlens_sim::start(CityOptions { broker: Some(at), seed: 3, ..CityOptions::default() }).await.unwrap();
    let Some(disk) = SmallDisk::mount(48) else { return };
    let profile = ProfileText::new("Mosquitto", broker.url()).write(disk.path());
    let serve = Serve::start("mosquitto", disk.path(), &["--profile", profile.to_str().unwrap()]);
    let Some(browser) = Browser::open("browser-mosquitto", &serve, serve.window(), DESKTOP, "light").await else {
        return;
    };
    browser.wait_until_live().await;
    city::a_lamp_is_opened(&browser).await;
    city::the_picture_stays_without_a_broker(&browser, &mut broker, "browser-1440").await;
    a_full_disk_is_told_until_there_is_room(&browser, &disk).await;
    browser.close().await;
    serve.close().await;
    malta.stop().await;
}

/// Everything stays live for a while, and a notice says what becomes of it.
async fn a_full_disk_is_told_until_there_is_room(browser: &Browser, disk: &SmallDisk) {
    disk.fill();
    // What the cache has already taken of the disk it may use up first.
    let within = Duration::from_secs(90);
    let words = browser.wait_for_text(&by_testid("cache-fault"), within, |text| text.contains("disk is full")).await;
    assert!(words.contains("The cache cannot be written"), "{words}");
    browser.wait_for_cards("values to stay live", SOON, |cards| cards.get("/power_w").is_some_and(city::is_live)).await;
    assert_eq!(browser.count(".notices .notice").await, 0, "what the banner says is said once more");
    assert_accessible(browser, "the notice of a full disk").await;
    browser.screenshot("browser-disk-full-light-1440").await;
    disk.empty();
    browser.wait_until_gone(&by_testid("cache-fault"), SOON).await;
    told(&format!("a full disk is told until there is room again: {words}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_windows_outlive_the_program_that_serves_them() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let token = data.path().join("token");
    let arguments = ["--token-file", token.to_str().unwrap()];
    let serve = Serve::listen("before", data.path(), &address, &arguments);
    let Some(desk) = Browser::open("browser-desk", &serve, serve.window(), DESKTOP, "dark").await else { return };
    let Some(phone) = Browser::open("browser-phone", &serve, serve.phone(), PHONE, "light").await else { return };
    desk.wait_until_live().await;
    phone.wait_until_live().await;
    desk.open_thing(city::LAMP).await;
    phone.open_thing(city::LAMP).await;
    desk.wait_for_leaf("/dim_pct", |_, reported| !reported.is_empty()).await;
    desk.dim(30).await;
    for page in [&desk, &phone] {
        page.wait_for_leaf("/dim_pct", |wanted, reported| wanted == "30" && reported == "30").await;
    }
    told("what one window does the other one shows");

    // The program dies.
    let known = desk.cards().await;
    serve.kill();
    for (page, name) in [(&desk, "browser-cut-dark-1440"), (&phone, "browser-cut-light-390")] {
        let words = page.wait_for_text(&by_testid("cut"), SOON, |text| text.contains("has ended")).await;
        assert!(words.starts_with("Cut off since"), "{words}");
        page.wait_for_cards("every value to be old", SOON, city::all_old).await;
        page.screenshot(name).await;
    }
    assert_eq!(desk.cards().await.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>());
    told("when the program dies both windows keep their picture, marked as old, and say what happened");
    desk.prepare_dim(80).await;
    desk.send_dim().await;
    let refused = desk.wait_for_text(DIM_REFUSED, SOON, |text| text.contains("not connected")).await;
    told(&format!("a command that cannot be sent is answered at once: {refused}"));

    // It is started again, with the token it had.
    let serve = Serve::listen("again", data.path(), &address, &arguments);
    for page in [&desk, &phone] {
        page.wait_until_gone(&by_testid("cut"), SOON).await;
        page.wait_for_cards("live values", SOON, |cards| cards.get("/power_w").is_some_and(city::is_live)).await;
    }
    told("when it is back both windows go on by themselves");

    // And again, with another.
    serve.close().await;
    let serve = Serve::listen("other-token", data.path(), &address, &[]);
    let words = desk.wait_for_text(&by_testid("cut"), SOON, |text| text.contains("another token")).await;
    told(&format!("with another token the window says so: {words}"));
    desk.screenshot("browser-locked-out-dark-1440").await;
    desk.goto(serve.window()).await;
    desk.wait_until_live().await;
    desk.close().await;
    phone.close().await;
    serve.close().await;
}

/// Where a control says why its wish was not taken.
const DIM_REFUSED: &str = "[data-testid=control][data-pointer=\"/dim_pct\"] [data-testid=fault]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_groups_folds_in_a_flood_and_sounds() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let Some(town) = console::Town::start("browser-console", data.path(), 40).await else { return };
    let serve = Serve::start("console", data.path(), &["--profile", town.profile()]);
    let Some(browser) = Browser::open("browser-console", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;
    console::the_health_page_is_empty_at_first(&browser).await;
    console::groups_are_folded_chosen_and_acknowledged(&browser, &town).await;
    console::what_is_told_sounds_and_is_silenced(&browser, &town).await;
    console::a_flood_folds_the_list_and_marks_what_came_first(&browser, &town).await;
    console::the_health_page_says_how_well_they_serve(&browser).await;
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
    town.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_active_alarms_scroll_smoothly() {
    let _alone = alone().await;
    const MANY: usize = 10_000;
    let data = tempfile::tempdir().unwrap();
    let Some(town) = console::Town::start("browser-many", data.path(), MANY).await else { return };
    let serve = Serve::start("many", data.path(), &["--profile", town.profile()]);
    let Some(browser) = Browser::open("browser-many", &serve, serve.window(), DESKTOP, "dark").await else { return };
    browser.wait_until_live().await;
    let scrolled = console::ten_thousand_scroll(&browser, &town, MANY).await;
    let console::Scrolled { frames, median_ms, p95_ms, max_ms, blank, elements } = scrolled;
    told(&format!(
        "{MANY} active alarms scroll: {frames} pictures, median {median_ms:.1} ms, 95 % within {p95_ms:.1} ms, longest {max_ms:.1} ms, \
         {blank} of them before their lines came, {elements} elements"
    ));
    // What a machine of two cores that draws in software and does other things too holds; the figure of a quiet one is in
    // docs/PERFORMANCE.md.
    assert!(median_ms < 50.0 && p95_ms < 200.0, "the list does not scroll smoothly");
    assert!(elements < 60, "{elements} elements for a screen of lines");
    assert_eq!(browser.faults().await, Vec::<String>::new(), "something went wrong in the page");
    browser.close().await;
    serve.close().await;
    town.end().await;
}
