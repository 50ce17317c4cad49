//! A person and a city: what is on the map, a lamp, the link that goes and comes back. On any page in the desktop's form, whatever
//! window it is in.

use std::collections::BTreeMap;

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::{Card, SOON, numbers};
use fleetlens_tests::picture::{Area, Picture};
use fleetlens_tests::wait::until;

use super::{ground, told};

/// The lamp a person opens.
pub const LAMP: &str = "lamp-0001";

/// The sign in the bar that holds live values still.
const HOLD: &str = "[data-testid=live]";

pub fn is_live(card: &Card) -> bool {
    card.tone == "live" && card.age.starts_with("live")
}

pub fn all_old(cards: &BTreeMap<String, Card>) -> bool {
    !cards.is_empty() && cards.values().all(|card| card.tone == "old")
}

/// The ground has streets and their names; marks are there, in their colours, and go away with their kind's chip.
pub async fn streets_and_marks_are_drawn(page: &Page) {
    assert_eq!(page.count(&by_testid("no-map")).await, 0, "{:?}", page.text("no-map").await);
    let map = page.area_of(&by_testid("map")).await;
    assert!(map.width > 800 && map.height > 600, "the map is {map:?}");
    let chip = |kind: &str| format!("{}[data-kind={kind}]", by_testid("chip"));
    page.wait_for_element(&chip("lamp"), SOON).await;
    let middle =
        Area { x: map.x + map.width / 4, y: map.y + map.height / 4, width: map.width / 2, height: map.height / 2 };
    // Vehicles drive on; what is compared has to hold still.
    page.click(HOLD).await;
    page.wait_for_element(&format!("{HOLD}[aria-pressed=true]"), SOON).await;
    let shown = page.still(300, SOON).await;
    ground::is_drawn(page, &shown, map).await;

    let marks_of = async |picture: &Picture| {
        let mut count = 0;
        for colour in ["--mark-ok", "--mark-lit"] {
            count += picture.count_of(middle, page.token(colour).await, 12);
        }
        count
    };
    let with_marks = marks_of(&shown).await;
    let script = "return [...document.querySelectorAll('[data-testid=chip]')].map(e => e.dataset.kind)";
    let kinds: Vec<String> = page.ask(script, Vec::new()).await;
    for kind in &kinds {
        page.click(&format!("{}[aria-pressed=true]", chip(kind))).await;
        page.wait_for_element(&format!("{}[aria-pressed=false]", chip(kind)), SOON).await;
    }
    let bare = page.still(300, SOON).await;
    let without_marks = marks_of(&bare).await;
    let differing = bare.differing(&shown, middle, 24);
    for kind in &kinds {
        page.click(&format!("{}[aria-pressed=false]", chip(kind))).await;
        page.wait_for_element(&format!("{}[aria-pressed=true]", chip(kind)), SOON).await;
    }
    let again = page.still(300, SOON).await;
    assert!(differing > 400, "taking every kind away changed only {differing} pixels: no marks are drawn");
    assert!(
        with_marks > without_marks + 100,
        "{with_marks} pixels of the marks' colours with them, {without_marks} without"
    );
    page.click(HOLD).await;
    page.wait_for_element(&format!("{HOLD}[aria-pressed=false]"), SOON).await;
    let back = again.differing(&bare, middle, 24);
    assert!(back * 10 > differing * 8, "the marks did not come back: {back} of {differing} pixels");
    told("streets, names and live marks are drawn, and marks go with their kind's chip");
}

pub async fn the_whole_island_has_a_thousand_things(page: &Page) {
    // The zoom button, until the whole of Malta is in the picture.
    for _ in 0..4 {
        page.click("button[aria-label=Further]").await;
        page.still(2_000, SOON).await;
    }
    let script = "return Number(document.documentElement.dataset.things ?? 0)";
    page.wait_for("a thousand things on the map", SOON, script, |things: u32| {
        if things > 1000 { Ok(()) } else { Err(format!("{things}")) }
    })
    .await;
    told("more than a thousand things are on the map of the whole island");
}

/// Opens the lamp through the find box: values with ages, a chart, a shadow.
pub async fn a_lamp_is_opened(page: &Page) -> BTreeMap<String, Card> {
    page.open_thing(LAMP).await;
    let cards = page
        .wait_for_cards("a lamp's live values", SOON, |cards| {
            ["/dim_pct", "/power_w"].iter().all(|pointer| cards.get(*pointer).is_some_and(is_live))
        })
        .await;
    for card in cards.values() {
        assert!(card.age_s().is_some_and(|age| age < 300), "a value without its age: {card:?}");
        assert!(card.number.chars().any(char::is_alphanumeric), "a card without a value: {card:?}");
    }
    assert!(cards["/power_w"].number.ends_with('W') && cards["/dim_pct"].number.ends_with('%'), "{cards:?}");
    let canvas = "[data-testid=chart] canvas";
    page.wait_for_element(canvas, SOON).await;
    until("a line on the chart", SOON, async || {
        let drawn = page.drawn_on_canvas(canvas).await;
        if drawn > 200 { Ok(()) } else { Err(format!("{drawn} pixels")) }
    })
    .await;
    page.wait_for_leaf("/dim_pct", |_, reported| !reported.is_empty() && reported != "–").await;
    assert!(page.leaves().await.len() >= 3, "{:?}", page.leaves().await);
    told("a lamp shows its values with ages, a chart and its shadow");
    cards
}

/// Asked, accepted and settled were each on the screen, in this order, and both sides of the shadow agree at the end.
pub async fn a_lamp_is_dimmed_and_settles(page: &Page, before: &BTreeMap<String, Card>, pct: u8) {
    page.dim(pct).await;
    let settled = page.wait_for_timeline("the command to settle", SOON, |t| t.standing == "settled").await;
    assert_eq!(settled.taken(), ["asked", "accepted", "settled"], "{settled:?}");
    assert!(settled.title.contains(&format!("{pct} %")), "{settled:?}");
    let shown = page.timelines_shown().await;
    let moments: Vec<(&str, usize)> = ["asked", "accepted", "settled"]
        .into_iter()
        .map(|step| {
            (
                step,
                shown.iter().position(|t| t.has(step)).unwrap_or_else(|| panic!("{step} was never shown: {shown:?}")),
            )
        })
        .collect();
    assert!(moments.is_sorted_by_key(|(_, at)| *at), "{moments:?}");
    // How long accepted stands alone is the lamp's affair, a third of a second; `refusals` has one that never obeys.
    let want = pct.to_string();
    page.wait_for_leaf("/dim_pct", |wanted, reported| wanted == want && reported == want).await;
    assert_eq!(page.count("[data-testid=shadow][data-shadow=\"\"] tr.differs").await, 0);
    // The lamp's own measurements follow.
    let (dim, power) = (format!("{pct} %"), before["/power_w"].number.clone());
    page.wait_for_cards("the lamp to measure what it was told", SOON, |cards| {
        cards["/dim_pct"].number == dim && cards["/power_w"].number != power
    })
    .await;
    told("asked, accepted and settled were shown in this order; wanted and reported agree; the lamp measures it");
}

/// What the lamp's page says just after the lamp spoke: some seconds before it speaks again, so that an app that ends now knows this.
pub async fn just_said(page: &Page) -> BTreeMap<String, Card> {
    let is_new = |card: &Card| card.age_s().is_some_and(|age_s| age_s <= 3);
    page.wait_for_cards("the lamp to have just spoken", SOON, |cards| cards.get("/power_w").is_some_and(is_new)).await
}

/// What was known, marked as cached, with the notice.
pub async fn the_same_values_are_there(page: &Page, known: &BTreeMap<String, Card>) {
    page.open_thing(LAMP).await;
    let cards = page.wait_for_cards("cached values", SOON, all_old).await;
    assert_eq!(numbers(&cards), numbers(known), "the cache shows something else");
    assert!(cards.values().all(|card| card.age.starts_with("cached")), "{cards:?}");
    page.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    told("without a broker the same values are there, marked as cached, with the notice");
}

/// How many vehicles drive in the demo city.
const VEHICLES: usize = 60;

/// The broker goes away and comes back: nothing disappears, everything is marked as old, and a command asked for meanwhile waits
/// in sight and goes out. The lamp is open. `name` is that of a picture.
pub async fn the_picture_stays_without_a_broker(page: &Page, broker: &mut Mosquitto, name: &str) {
    let drawn = page.things_drawn().await;
    let live = page.cards().await;
    broker.stop();
    let notice = page.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    assert!(notice.contains("showing what this computer knew"), "{notice}");
    told("the notice says since when and as of when");
    let lost = page.wait_for_cards("every value to be old", SOON, all_old).await;
    // More may still have come, and vehicles may have left the picture, before the link was lost.
    let left = page.things_drawn().await;
    assert!(left + VEHICLES >= drawn, "of {drawn} things on the map only {left} are left");
    assert_eq!(lost.keys().collect::<Vec<_>>(), live.keys().collect::<Vec<_>>(), "a value disappeared");
    let first = lost["/power_w"].age_s().expect("an age in seconds or minutes");
    page.wait_for_cards("ages to grow", SOON, |cards| {
        numbers(cards) == numbers(&lost) && all_old(cards) && cards["/power_w"].age_s() > Some(first + 1)
    })
    .await;
    told("nothing disappeared, every value is marked as old and its age grows");
    let freshness = page.text("freshness").await.unwrap_or_default();
    assert!(freshness.contains("Unknown since"), "{freshness}");
    page.screenshot(&format!("offline-{name}")).await;

    // A command asked for now waits, and says so.
    page.dim(70).await;
    let waiting = page.wait_for_timeline("the command to wait", SOON, |t| t.title.contains("70 %")).await;
    assert_eq!(waiting.standing, "waiting");
    assert_eq!(waiting.taken(), ["asked"], "{waiting:?}");
    assert!(waiting.text.contains("waits for the link"), "{waiting:?}");
    let wanted = "1 command waits for the link";
    page.wait_for_text(&by_testid("offline"), SOON, |text| text.contains(wanted)).await;
    told("a command asked for without a broker waits in sight");

    // The broker is back.
    broker.start_again();
    page.wait_until_gone(&by_testid("offline"), SOON).await;
    let settled = page.wait_for_timeline("the command to settle", SOON, |t| t.standing == "settled").await;
    assert!(settled.title.contains("70 %"), "{settled:?}");
    page.wait_for_leaf("/dim_pct", |wanted, reported| wanted == "70" && reported == "70").await;
    page.wait_for_cards("live values", SOON, |cards| cards.get("/power_w").is_some_and(is_live)).await;
    told("it went out when the broker was back and settled; values are live again");
}
