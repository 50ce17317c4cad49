//! What a driver sees and taps, in whichever page.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_tests::page::{Page, by_testid, plain};
use fleetlens_tests::person::SOON;
use serde::Deserialize;

use super::super::both::told;
use super::lots::{CHARGING, FREE, FULL, Lots, OLD, OLD_MIN, PARKS, SILENT};

/// A row of the list as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Lot {
    thing: String,
    title: String,
    /// `free`, `full`, `old` or `none`.
    state: String,
    /// `20`, `Full`, `No count`.
    pub count: String,
    /// `of 50`, `80 spaces`.
    below: String,
    /// `650 m · Triq il-Kanun, Valletta`.
    far: String,
    /// `counted 20 s ago`.
    age: String,
    cached: bool,
}

impl Lot {
    /// The age in seconds, `None` where it was never counted.
    pub fn age_s(&self) -> Option<u64> {
        let words: Vec<&str> = self.age.split_whitespace().collect();
        let ago = words.iter().position(|word| *word == "ago")?;
        let number: u64 = words.get(ago.checked_sub(2)?)?.parse().ok()?;
        let seconds = match words[ago - 1] {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            _ => return None,
        };
        Some(number * seconds)
    }

    fn far_m(&self) -> f64 {
        let mut words = self.far.split_whitespace();
        let (number, unit) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let number: f64 = number.parse().unwrap_or_else(|_| panic!("{self:?} has no distance"));
        match unit {
            "m" => number,
            "km" => number * 1_000.0,
            _ => panic!("{self:?} has no distance"),
        }
    }
}

/// A pin as it is read and heard.
#[derive(Clone, Debug, Deserialize)]
struct Pin {
    thing: String,
    state: String,
    /// `20 · 4 s`; empty where a nearer one needs the room.
    text: String,
    /// `Harbour, 20 free of 50, counted 4 s ago, 650 m away`.
    name: String,
    cached: bool,
}

const LOTS: &str = "const t = (e, id) => (e.querySelector(`[data-testid=${id}]`)?.innerText ?? '').replace(/\\s+/g, ' ').trim(); \
    return [...document.querySelectorAll('[data-testid=lot]')].map(e => ({ thing: e.dataset.thing, title: t(e, 'lot-title'), \
    state: e.dataset.state ?? '', count: t(e, 'lot-count'), below: (e.querySelector('.lot-count small')?.innerText ?? '').replace(/\\s+/g, ' ').trim(), \
    far: t(e, 'lot-far'), age: t(e, 'lot-age'), cached: e.classList.contains('cached') }))";

const PINS: &str = "return [...document.querySelectorAll('[data-testid=pin]')].map(e => ({ thing: e.dataset.thing, \
    state: e.dataset.state ?? '', text: e.innerText.replace(/\\s+/g, ' ').trim(), \
    name: (e.getAttribute('aria-label') ?? '').replace(/\\s+/g, ' '), cached: e.classList.contains('cached') }))";

/// The list.
pub async fn lots(page: &Page) -> Vec<Lot> {
    page.ask(LOTS, Vec::new()).await
}

/// Waits until the list is as wanted.
pub async fn wait_for_lots(page: &Page, what: &str, wanted: impl Fn(&[Lot]) -> bool) -> Vec<Lot> {
    page.wait_for(what, SOON, LOTS, |lots: Vec<Lot>| if wanted(&lots) { Ok(lots) } else { Err(format!("{lots:?}")) })
        .await
}

/// The row of a car park.
pub fn lot<'a>(lots: &'a [Lot], title: &str) -> &'a Lot {
    lots.iter().find(|lot| lot.title == title).unwrap_or_else(|| panic!("{title} is not in the list: {lots:?}"))
}

/// Waits until a car park comes first, and the others after it by their distance.
pub async fn wait_for_nearest(page: &Page, title: &str) {
    let lots = wait_for_lots(page, &format!("{title} to be the nearest"), |lots| {
        lots.first().is_some_and(|first| first.title == title)
    })
    .await;
    let far: Vec<f64> = lots.iter().map(Lot::far_m).collect();
    assert!(far.is_sorted() && far.first() < far.last(), "not the nearest first: {lots:?}");
    assert!(far[0] < 200.0, "{title} is beside us: {lots:?}");
}

/// The window opens on the car parks, with a place to look from.
pub async fn is_the_first(page: &Page) {
    page.wait_for_element(&by_testid("driver"), SOON).await;
    wait_for_lots(page, "every car park in the list", |lots| lots.len() == PARKS.len()).await;
    let script = "return document.documentElement.dataset.things ?? ''";
    let parks = PARKS.len().to_string();
    page.wait_for("the car parks on the map and nothing else", SOON, script, |things: String| {
        if things == parks { Ok(()) } else { Err(things) }
    })
    .await;
    told("the window opens on the car parks, and only they are on the map");
}

/// Free, full, old and never counted differ in words and in shape, in the list and on the pins.
pub async fn tells_them_apart(page: &Page) {
    let shown = wait_for_lots(page, "what was counted", |lots| {
        [(FREE, "20"), (FULL, "Full"), (CHARGING, "5")].iter().all(|(title, count)| lot(lots, title).count == *count)
    })
    .await;
    for (title, state, count, below) in [
        (FREE, "free", "20", "of 50"),
        (FULL, "full", "Full", "of 30"),
        (SILENT, "none", "No count", "80 spaces"),
        (OLD, "old", "12", "of 40"),
        (CHARGING, "free", "5", "of 9"),
    ] {
        let lot = lot(&shown, title);
        assert_eq!((lot.state.as_str(), lot.count.as_str(), lot.below.as_str()), (state, count, below), "{lot:?}");
        assert!(!lot.cached, "{lot:?}");
    }
    assert_eq!(lot(&shown, SILENT).age, "never counted here");
    let old = lot(&shown, OLD);
    assert_eq!(old.age_s().map(|age| age / 60), Some(OLD_MIN as u64), "{old:?}");
    assert!(old.age.ends_with("may have changed"), "{old:?}");
    assert!(lot(&shown, FREE).age_s().is_some_and(|age| age < 60), "{shown:?}");
    let pins = every_number_has_its_age(page, "the list").await;
    let words: BTreeSet<&str> = pins.iter().map(|pin| pin.state.as_str()).collect();
    assert_eq!(words, BTreeSet::from(["free", "full", "none", "old"]));
    let script = "return Object.fromEntries([...document.querySelectorAll('[data-testid=pin]')].map(e => { const s = getComputedStyle(e); \
                  return [e.dataset.state, [s.borderRadius, s.borderStyle, s.backgroundColor].join(' ')] }))";
    let looks: BTreeMap<String, String> = page.ask(script, Vec::new()).await;
    assert_eq!(looks.values().collect::<BTreeSet<_>>().len(), 4, "two kinds of pins look alike: {looks:?}");
    told("free, full, old and never counted are told apart in the list and on the pins");
}

/// A tap beside a car park makes it the first, wherever that is.
pub async fn is_nearest_first_from_a_tapped_point(page: &Page) {
    for title in [OLD, FULL] {
        let pin = page.area_of(&format!("{}[aria-label^=\"{title}\"]", by_testid("pin"))).await;
        let (x, y) = (pin.x + pin.width / 2, pin.y + pin.height + 14);
        let tap = page.driver().action_chain().move_to(x as i64, y as i64).click();
        tap.perform().await.unwrap_or_else(|e| panic!("cannot tap at {x}, {y}: {e}"));
        page.wait_for_text(&by_testid("near-what"), SOON, |text| text == "Near the point you tapped").await;
        wait_for_nearest(page, title).await;
        assert_eq!(page.count(&by_testid("here")).await, 1, "the tapped point has no mark");
        assert_eq!(page.count(&by_testid("no-position")).await, 0, "who tapped is told to tap");
    }
    told("from a tapped point the nearest comes first, and distances rise");
}

/// The switch changes what is listed and what the pins say, and says how many it leaves out.
pub async fn switches_between_classes(page: &Page, lots: &Lots) {
    let class = |word: &str| format!("{}[data-class={word}]", by_testid("class"));
    for (word, wanted, silent) in [
        ("accessible", vec![(FREE, "2", "of 4"), (FULL, "Full", "of 2")], 2),
        ("charging", vec![(FREE, "1", "of 2"), (CHARGING, "2", "of 2")], 3),
    ] {
        page.click(&class(word)).await;
        let shown = wait_for_lots(page, &format!("the {word} spaces"), |lots| {
            lots.len() == wanted.len() && wanted.iter().all(|(title, ..)| lots.iter().any(|lot| lot.title == *title))
        })
        .await;
        for (title, count, below) in wanted {
            let lot = lot(&shown, title);
            assert_eq!((lot.count.as_str(), lot.below.as_str()), (count, below), "{word}: {lot:?}");
        }
        let said = page.text("silent-lots").await.unwrap_or_default();
        let words = format!("{silent} car parks near here say nothing of {word} spaces and are left out.");
        assert_eq!(said, words, "those that said that they have none are no riddle");
        every_number_has_its_age(page, word).await;
        assert_eq!(page.count(&format!("{}[aria-pressed=true]", by_testid("class"))).await, 1);
    }
    page.click(&class("accessible")).await;
    lots.count_accessible(3).await;
    wait_for_lots(page, "another accessible space", |lots| {
        lots.iter().any(|lot| lot.title == FREE && lot.count == "3")
    })
    .await;
    page.screenshot("driver-accessible-390").await;
    page.click(&class("any")).await;
    wait_for_lots(page, "every car park again", |lots| lots.len() == PARKS.len()).await;
    told("the switch of classes changes list and pins, and says how many are left out");
}

/// A pin opens the details of its car park: every class, each with when it was counted.
pub async fn has_every_class_in_the_details(page: &Page) {
    page.click(&format!("{}[aria-label^=\"{CHARGING}\"]", by_testid("pin"))).await;
    page.wait_for_element(&by_testid("lot-card"), SOON).await;
    let lines = page.texts_of(&by_testid("lot-class")).await;
    let [all, accessible, charging] = &lines[..] else { panic!("{lines:?}") };
    assert!(all.starts_with("All spaces 5 of 9 free") || all.starts_with("All spaces 6 of 9 free"), "{all}");
    assert_eq!(accessible, "Accessible None here");
    assert!(charging.starts_with("Charging 2 of 2 free as of ") && charging.ends_with(" ago"), "{charging}");
    every_number_has_its_age(page, "the details").await;
    told("a pin opens the details: every class with when it was counted");
}

/// Neither controls nor alarms nor another kind of thing, anywhere.
pub async fn has_nothing_else(page: &Page) {
    let script = "return [...document.querySelectorAll('button, a, input, select, textarea, [role=button]')] \
                  .filter(e => !e.closest('[data-testid=lot], [data-testid=pin], .maplibregl-ctrl')) \
                  .filter(e => e.getClientRects().length).map(e => e.dataset.testid ?? e.outerHTML)";
    let controls: BTreeSet<String> = page.ask(script, Vec::new()).await;
    let known = ["class", "locate", "theme", "to-settings", "whole-fleet"];
    let known: BTreeSet<String> = known.map(str::to_owned).into();
    assert_eq!(controls, known, "something else can be touched");
    let text = page.text_of("body").await.unwrap_or_default().to_lowercase();
    for word in ["lamp", "bin-", "burning", "alarm", "fire brigade", "command", "dim"] {
        assert!(!text.contains(word), "a driver reads {word:?}: {text}");
    }
    for testid in
        ["controls", "json-editor", "command", "alarm-card", "critical", "attention", "chip", "find", "values"]
    {
        assert_eq!(page.count(&by_testid(testid)).await, 0, "a driver has {testid}");
    }
    // The map may have gone to a place from which not all of them are seen. It looks at a third more than its picture on every side
    // (`AREA_MARGIN` in ui/src/islands/map.rs), and holds those whose pins stand there.
    let script = "const m = document.querySelector('[data-testid=map] canvas').getBoundingClientRect(); \
        const near = (at, from, size) => at >= from - 0.35 * size && at <= from + 1.35 * size; \
        const within = [...document.querySelectorAll('[data-testid=pin]')].filter(e => { const r = e.getBoundingClientRect(); \
        return near(r.x + r.width / 2, m.x, m.width) && near(r.y + r.height / 2, m.y, m.height) }).length; \
        return [within, Number(document.documentElement.dataset.things ?? 0)]";
    page.wait_for("as many things on the map as there are pins", SOON, script, |[pins, drawn]: [usize; 2]| {
        if pins > 0 && pins == drawn { Ok(()) } else { Err(format!("{pins} pins, {drawn} things")) }
    })
    .await;
    told("no controls, no alarms and no other kinds of things are there, though a bin burns beside");
}

/// Without a network nothing disappears: the same counts, said to be the last known ones, with a notice since when.
pub async fn is_the_same_without_a_network(page: &Page, known: &[Lot]) {
    let notice = page.wait_for_text(&by_testid("offline"), SOON, |text| text.contains("Offline since")).await;
    assert!(notice.contains("knew at"), "{notice}");
    let counts = |lots: &[Lot]| -> BTreeMap<String, (String, String)> {
        lots.iter().map(|lot| (lot.title.clone(), (lot.count.clone(), lot.below.clone()))).collect()
    };
    let shown = wait_for_lots(page, "the last known counts", |lots| {
        lots.len() == known.len() && lots.iter().all(|lot| lot.cached || lot.state == "none")
    })
    .await;
    assert_eq!(counts(&shown), counts(known), "without a network something else is shown");
    for lot in shown.iter().filter(|lot| lot.state != "none") {
        assert!(lot.age.starts_with("last known ") && lot.age_s() >= self::lot(known, &lot.title).age_s(), "{lot:?}");
    }
    let pins = every_number_has_its_age(page, "the list without a network").await;
    assert!(pins.iter().all(|pin| pin.cached || pin.state == "none"), "{pins:?}");
    told(&format!("without a network the same counts stay, with their age: {notice}"));
}

/// Walks over everything that can be read or heard: a number of spaces has an age beside it, and every other number is a distance, a
/// time or a capacity. And list and pins say the same.
async fn every_number_has_its_age(page: &Page, what: &str) -> Vec<Pin> {
    let script = "const flat = e => e.innerText.replace(/\\s+/g, ' ').trim(), found = []; \
        const homes = ['pin', 'lot-far', 'lot-age', 'lot-count', 'lot-class', 'lot-title', 'near-what', 'silent-lots', 'offline'] \
            .map(id => `[data-testid=${id}]`).join(',') + ',.lot-count'; \
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); \
        while (walk.nextNode()) { const node = walk.currentNode, e = node.parentElement; \
            if (!/\\d/.test(node.data) || !e.getClientRects().length || e.closest('.maplibregl-ctrl, footer.status, script, style')) continue; \
            const home = e.closest(homes), row = e.closest('[data-testid=lot]'); \
            const age = row ? flat(row.querySelector('[data-testid=lot-age]')) : ''; \
            found.push([home ? home.dataset.testid ?? 'lot-count' : 'elsewhere', home ? flat(home) : node.data, age]); } \
        for (const e of document.querySelectorAll('[aria-label], [title]')) { \
            const said = [e.getAttribute('aria-label'), e.title].find(words => /\\d/.test(words ?? '')); \
            if (said && !e.closest('.maplibregl-ctrl')) found.push(['said', said.replace(/\\s+/g, ' '), e.dataset.testid ?? e.className]); } \
        return found";
    let found: Vec<(String, String, String)> = page.ask(script, Vec::new()).await;
    for (home, text, age) in &found {
        let text = plain(text);
        let is_right = match home.as_str() {
            "pin" => is_age(text.rsplit_once(" · ").map_or("", |(_, age)| age)),
            "lot-count" => age.contains(" ago") || text.ends_with(" spaces"),
            "lot-class" => text.contains(" ago") || text.contains("No count"),
            "said" if age == "pin" => text.contains(" ago") || text.contains("no count of free spaces"),
            // When exactly something was counted, beside its age.
            "said" => age == "lot-when",
            "lot-far" | "lot-age" | "lot-title" | "near-what" | "silent-lots" | "offline" => true,
            _ => false,
        };
        assert!(is_right, "{what}: {text:?} ({home}) has no age ({age:?})");
    }
    let (list, pins): (Vec<Lot>, Vec<Pin>) = (lots(page).await, page.ask(PINS, Vec::new()).await);
    let things = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let listed = things(list.iter().map(|lot| lot.thing.as_str()).collect());
    assert_eq!(listed, things(pins.iter().map(|pin| pin.thing.as_str()).collect()), "{what}: list and pins differ");
    let mut with_words = 0;
    for pin in &pins {
        let lot = list.iter().find(|lot| lot.thing == pin.thing).expect("the sets are equal");
        assert_eq!(pin.state, lot.state, "{what}");
        assert!(pin.name.starts_with(&lot.title), "{what}: {pin:?}");
        if !pin.text.is_empty() {
            with_words += 1;
            let count = pin.text.split(" · ").next().unwrap_or_default().trim_start_matches('~');
            assert_eq!(count, lot.count, "{what}: {pin:?}");
        }
    }
    assert!(found.iter().any(|(home, ..)| home == "lot-count") && with_words * 2 > pins.len(), "{what}: {found:?}");
    pins
}

fn is_age(text: &str) -> bool {
    let mut words = text.split(' ');
    let number = words.next().is_some_and(|number| number.parse::<u64>().is_ok());
    number && matches!(words.next(), Some("s" | "min" | "h" | "d")) && words.next().is_none()
}
