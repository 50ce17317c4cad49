//! The map on a machine without WebGL: pictures of the ground, everything on it painted, and everything as it is with a graphics card.

use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, Card, DESKTOP, PHONE};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::serve::Serve;

use super::alone;
use super::both::{city, told};

const SOON: Duration = Duration::from_secs(30);

/// Each picture of the ground is a process of its own, and all of them draw in software here.
const DRAWN_WITHIN: Duration = Duration::from_secs(90);

/// Waits until every picture of the ground is there.
async fn wait_for_ground(page: &Page) {
    let script = "const all = [...document.querySelectorAll('.leaflet-tile')]; \
                  return [all.length, all.filter(e => e.naturalWidth === 512).length]";
    page.wait_for("the pictures of the ground", DRAWN_WITHIN, script, |(all, there): (usize, usize)| {
        if all > 0 && all == there { Ok(()) } else { Err(format!("{there} of {all}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_webgl_there_are_streets_and_everything_on_them() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("ground", data.path(), &[]);
    let opened = Browser::open_on(Card::None, "browser-ground", &serve, serve.window(), DESKTOP, "dark").await;
    let Some(page) = opened else { return };
    let webgl = "return ['webgl', 'webgl2'].filter(kind => document.createElement('canvas').getContext(kind))";
    assert_eq!(page.ask::<Vec<String>>(webgl, Vec::new()).await, Vec::<String>::new(), "there is WebGL");
    page.wait_for_text(&by_testid("plain-note"), SOON, |text| text == "Drawn without a graphics card").await;
    wait_for_ground(&page).await;
    page.wait_until_live().await;
    page.screenshot("ground-dark-1440").await;
    city::streets_and_marks_are_drawn(&page).await;

    page.open_thing(city::LAMP).await;
    let (x, y) = page.middle_of(&by_testid("chosen-at")).await;
    page.screenshot("ground-chosen-dark-1440").await;
    page.close_thing().await;
    page.click_at(x, y).await;
    page.wait_for_title(city::LAMP).await;
    page.close_thing().await;
    told("a thing is found by a click where it is painted");

    let middle = "return document.querySelector('.leaflet-map-pane').style.transform";
    let before: String = page.ask(middle, Vec::new()).await;
    page.ask::<Option<bool>>("document.querySelector('.ground-plain').focus()", Vec::new()).await;
    page.keys("\u{e012}").await;
    page.wait_for("the map to move", SOON, middle, |now: String| if now == before { Err(now) } else { Ok(()) }).await;
    told("the map moves by the keyboard");

    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        wait_for_ground(&page).await;
        assert_accessible(&page, &format!("the map without WebGL, {theme}")).await;
        page.screenshot(&format!("ground-whole-{theme}-1440")).await;
    }
    page.resize(1024, 700).await;
    wait_for_ground(&page).await;
    page.screenshot("ground-dark-1024").await;
    page.resize(PHONE.0, PHONE.1).await;
    page.goto(serve.phone()).await;
    page.wait_until_live().await;
    page.wait_for_element(&by_testid("plain-note"), SOON).await;
    page.screenshot("ground-phone-390").await;
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_map_shows_is_switched_and_stays_so() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("layers", data.path(), &[]);
    let Some(page) = Browser::open("browser-layers", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_until_live().await;
    let panel = by_testid("layers-panel");
    let kind = |kind: &str| format!("{}[data-kind={kind}]", by_testid("layers-kind"));
    let layer = |layer: &str| format!("{}[data-layer={layer}]", by_testid("layers-layer"));
    assert_eq!(page.count(&by_testid("hidden-note")).await, 0);
    page.click(&by_testid("layers")).await;
    page.wait_for_element(&panel, SOON).await;
    page.click(&kind("lamp")).await;
    page.wait_for_text(&by_testid("hidden-note"), SOON, |text| text.starts_with("Hidden: 300 lamps")).await;
    page.wait_for_element("[data-testid=chip][data-kind=lamp][aria-pressed=false]", SOON).await;
    told("a kind that is switched off says so on the map, and its chip goes along");

    // The area of the demo's rule would be painted all the time.
    page.click(&layer("areas")).await;
    page.click(&layer("heat")).await;
    let legend = page.wait_for_text(&by_testid("heat-legend"), SOON, |text| text.contains("measured at")).await;
    assert!(legend.contains("0 %") && legend.contains("100 %"), "{legend}");
    page.wait_for("the shade of car parks", SOON, painted(), enough(2_000)).await;
    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        assert_accessible(&page, &format!("the switches of the map, {theme}")).await;
        page.screenshot(&format!("layers-{theme}-1440")).await;
    }
    told("how full car parks are is a shade with a legend");

    page.click(&layer("heat")).await;
    page.click(&layer("ground")).await;
    page.screenshot("layers-no-ground-1440").await;
    page.click(&layer("ground")).await;
    page.keys("\u{e00c}").await;
    page.wait_until_gone(&panel, SOON).await;
    let focused = "return document.activeElement?.dataset.testid ?? ''";
    assert_eq!(page.ask::<String>(focused, Vec::new()).await, "layers", "the button has the keyboard again");
    page.goto(serve.window()).await;
    page.wait_until_live().await;
    page.wait_for_element(&by_testid("hidden-note"), SOON).await;
    page.click(&by_testid("show-hidden")).await;
    page.wait_until_gone(&by_testid("hidden-note"), SOON).await;
    told("it stays so over a reload, until all is shown again");

    page.open_thing(city::LAMP).await;
    for _ in 0..3 {
        page.click("button[aria-label=Closer]").await;
        // It goes on from where it is, and that is nowhere yet while it moves.
        page.still(2_000, SOON).await;
    }
    page.wait_for("names beside marks", SOON, painted(), enough(200)).await;
    page.screenshot("layers-names-1440").await;
    page.click(&by_testid("layers")).await;
    page.click(&layer("names")).await;
    page.click(&layer("trails")).await;
    page.wait_for("no names", SOON, painted(), |count: usize| if count == 0 { Ok(()) } else { Err(count.to_string()) })
        .await;
    told("things have names from close by, and none where they are switched off");
    page.resize(1024, 700).await;
    page.screenshot("layers-1024").await;
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}

/// How many pixels of what lies over the map are painted.
fn painted() -> &'static str {
    "const over = document.querySelector('.ground-over'); if (!over?.width) return 0; \
     const { data } = over.getContext('2d').getImageData(0, 0, over.width, over.height); \
     let count = 0; for (let at = 3; at < data.length; at += 4) count += data[at] > 20; return count"
}

fn enough(least: usize) -> impl FnMut(usize) -> Result<(), String> {
    move |count| if count >= least { Ok(()) } else { Err(format!("{count} pixels")) }
}
