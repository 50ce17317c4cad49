//! The rail and the keys lead everywhere, and the map is never taken down.

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use thirtyfour::Key;

use super::told;

/// Every section: its word, the key after `G`, and what stands on its top; nothing on the map.
const SECTIONS: [(&str, &str, &str); 6] = [
    ("things", "t", "Things"),
    ("alarms", "a", "Alarms"),
    ("commands", "c", "Commands"),
    ("jobs", "j", "Jobs"),
    ("settings", "s", "Settings"),
    ("map", "m", ""),
];

/// Goes to a section by its button in the rail.
pub async fn go(page: &Page, section: &str) {
    page.click(&by_testid(&format!("rail-{section}"))).await;
    is_at(page, section).await;
}

async fn is_at(page: &Page, section: &str) {
    page.wait_for_element(&format!(".app[data-section={section}]"), SOON).await;
    let current = format!("[data-testid=rail-{section}][aria-current=page]");
    page.wait_for_element(&current, SOON).await;
    assert_eq!(page.count(".rail [aria-current]").await, 1, "one is at one place only");
}

/// By the pointer and by the keys, and back with Escape.
pub async fn leads_everywhere(page: &Page) {
    // A map that was made anew would not have this mark.
    page.ask::<()>("document.querySelector('[data-testid=map] canvas').dataset.e2e = 'first'", Vec::new()).await;
    for by_keys in [false, true] {
        for (section, key, heading) in SECTIONS {
            if by_keys {
                page.keys(&format!("g{key}")).await;
                is_at(page, section).await;
            } else {
                go(page, section).await;
            }
            if !heading.is_empty() {
                page.wait_for_text(".sheet h1", SOON, |text| text == heading).await;
            }
            assert_eq!(page.count("[data-testid=map] canvas[data-e2e=first]").await, 1, "{section} took the map down");
        }
    }
    page.keys("?").await;
    let keys = page.wait_for_text("dialog[open] .keys", SOON, |text| text.contains("Go to the alarms")).await;
    assert!(keys.contains("Hold live values still"), "{keys}");
    page.press(Key::Escape).await;
    page.wait_until_gone("dialog[open]", SOON).await;
    page.keys("gt").await;
    is_at(page, "things").await;
    page.press(Key::Escape).await;
    is_at(page, "map").await;
    told("rail and keys lead everywhere, ? lists the keys, Escape leads back, and the map stays");
}
