//! Marks on the map are where things are, and do what a click on them promises.

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use fleetlens_tests::picture::Area;
use fleetlens_tests::wait::until;
use serde::Deserialize;

use super::street::{self, Street};
use super::told;

/// Waits until the map's last picture holds this many things.
async fn drawn(page: &Page, what: &str, wanted: impl Fn(usize) -> bool) -> usize {
    let script = "return Number(document.documentElement.dataset.things ?? 0)";
    page.wait_for(what, SOON, script, |count: usize| if wanted(count) { Ok(count) } else { Err(format!("{count}")) })
        .await
}

/// With the whole island in the picture, every kind goes and comes with its switch, all of its things and no others.
pub async fn every_kind_has_its_switch(page: &Page) {
    let script = "return [...document.querySelectorAll('[data-testid=chip]')].map(e => \
        [e.dataset.kind, Number(e.querySelector('.count').textContent.replace(/\\D/g, ''))])";
    let kinds: Vec<(String, usize)> = page.ask(script, Vec::new()).await;
    let mut words: Vec<&str> = kinds.iter().map(|(kind, _)| kind.as_str()).collect();
    words.sort_unstable();
    assert_eq!(words, ["bin", "charger", "gateway", "lamp", "parking", "vehicle"]);
    let all: usize = kinds.iter().map(|(_, count)| count).sum();
    assert_eq!(all, 1650);
    drawn(page, "the whole city", |count| count == all).await;
    for (kind, count) in &kinds {
        let chip = format!("[data-testid=chip][data-kind={kind}]");
        page.click(&format!("{chip}[aria-pressed=true]")).await;
        drawn(page, &format!("the city without {kind}"), |drawn| drawn == all - count).await;
        page.click(&format!("{chip}[aria-pressed=false]")).await;
        drawn(page, "the whole city again", |drawn| drawn == all).await;
    }
    told("all six kinds can be switched off and on, each with all of its things");
}

/// A thing is found by its name and its mark is clicked where it stands; the same thing opens.
pub async fn a_mark_opens_its_thing(page: &Page, name: &str) {
    page.open_thing(name).await;
    let (x, y) = at_rest(page, &by_testid("chosen-at")).await;
    page.tidy_up().await;
    page.close_thing().await;
    page.wait_until_gone(&by_testid("title"), SOON).await;
    page.click_at(x, y).await;
    page.wait_for_title(name).await;
    page.close_thing().await;
    told(&format!("{name} is found by name, and a click on its mark opens it"));
}

/// Where an element is once it has stopped moving.
async fn at_rest(page: &Page, css: &str) -> (f64, f64) {
    let mut last = (f64::NAN, f64::NAN);
    until(&format!("{css} to hold still"), SOON, async || {
        let now = page.middle_of(css).await;
        let was = std::mem::replace(&mut last, now);
        if was == now { Ok(now) } else { Err(format!("{was:?} {now:?}")) }
    })
    .await
}

/// A cluster as the page has it for the keyboard.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Cluster {
    count: usize,
    need: usize,
    x: f64,
    y: f64,
}

const CLUSTERS: &str = "return [...document.querySelectorAll('[data-testid=cluster]')].map(e => { \
    const r = e.getBoundingClientRect(); return { count: Number(e.dataset.count), need: Number(e.dataset.need), \
    x: r.x + r.width / 2, y: r.y + r.height / 2 } })";

/// Twenty bins, of which one is too full, which somebody has seen, are one badge; when another burns it takes the colour of that, and
/// a click on it comes so close that the bin itself can be clicked.
pub async fn a_cluster_shows_its_worst_and_opens(page: &Page, street: &Street, burning: usize) {
    for _ in 0..3 {
        page.click("button[aria-label=Further]").await;
        page.still(2_000, SOON).await;
    }
    let crowd = async |need: usize| {
        page.wait_for("one cluster of all bins", SOON, CLUSTERS, |clusters: Vec<Cluster>| match &clusters[..] {
            [only] if only.count >= street::BINS && only.need == need => Ok(only.clone()),
            other => Err(format!("{other:?}")),
        })
        .await
    };
    let calm = crowd(0).await;
    let around = Area::around(calm.x, calm.y, 30);
    let crit = page.token("--crit").await;
    let before = page.still(2_000, SOON).await.count_of(around, crit, 24);
    street.bin(burning, serde_json::json!({ "temp_c": 71.0 })).await;
    let alarmed = crowd(1).await;
    let after = page.still(2_000, SOON).await.count_of(around, crit, 24);
    assert!(after > before + 40, "the badge is not in the alarm's colour: {after} pixels of it, {before} before");
    page.screenshot("cluster-worst").await;
    told("many bins are one badge with a number, and one that burns shows on it");

    page.click_at(alarmed.x, alarmed.y).await;
    page.wait_for("the bins by themselves", SOON, CLUSTERS, |clusters: Vec<Cluster>| {
        if clusters.is_empty() { Ok(()) } else { Err(format!("{clusters:?}")) }
    })
    .await;
    told("a click on the badge comes closer until the bins stand by themselves");
    a_mark_opens_its_thing(page, &street::name(burning)).await;
}
