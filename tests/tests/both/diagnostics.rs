//! How the program stands: figures that are the city's own and change, and a report of them that can be mailed.

use std::collections::BTreeMap;

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use thirtyfour::Key;

use super::{rail, told};

const FACTS: &str = "return Object.fromEntries([...document.querySelectorAll('[data-fact]')].map(e => [e.dataset.fact, e.innerText.trim()]))";

/// The digits of a figure: `12 345 of 20 000` is the first of them.
fn figure(facts: &BTreeMap<String, String>, name: &str) -> Result<u64, String> {
    let text = facts.get(name).ok_or_else(|| format!("no {name} among {facts:?}"))?;
    let first: String = text.split(" of ").next().unwrap_or("").chars().filter(|c| c.is_ascii_digit()).collect();
    first.parse().map_err(|_| format!("{name} is {text:?}"))
}

/// Opened from the settings they are figures of this program, and become others by themselves.
pub async fn are_seen_as_they_change(page: &Page) {
    rail::go(page, "settings").await;
    page.click("[data-testid=settings-about] [data-testid=to-diagnostics]").await;
    let before = page
        .wait_for("figures of this program", SOON, FACTS, |facts: BTreeMap<String, String>| {
            // Received and stored, looked at in one moment.
            let (received, stored) = (figure(&facts, "Received")?, figure(&facts, "On the disk")?);
            let there = received > 0 && stored > 0 && figure(&facts, "Half within")? > 0;
            if there { Ok(facts) } else { Err(format!("{facts:?}")) }
        })
        .await;
    for (name, words) in [
        ("Now", "up for"),
        ("Guarantee", "QoS 1"),
        ("Inbox", " of "),
        ("Writes gathered", " of 20"),
        ("Commits", " in "),
        ("99 % within", "ms"),
        ("Last commit", " ago"),
        ("Newest sample", " ago"),
        ("Cannot be written", "no, it can"),
        ("Version", &format!("contract {}", fleetlens_ipc::CONTRACT)),
        ("SQLite", "3."),
        ("Log", "fleetlens.log"),
    ] {
        assert!(before.get(name).is_some_and(|text| text.contains(words)), "{name} does not say {words:?}: {before:?}");
    }
    assert_eq!(figure(&before, "Log lines dropped"), Ok(0));
    assert_eq!(figure(&before, "Windows"), Ok(1));
    let received = figure(&before, "Received").unwrap();
    page.wait_for("more to be received", SOON, FACTS, |facts: BTreeMap<String, String>| {
        let now = figure(&facts, "Received")?;
        if now > received { Ok(()) } else { Err(format!("{now}, before {received}")) }
    })
    .await;
    let kinds = page.texts_of("[data-testid=kinds] tbody tr").await;
    for kind in ["samples", "things", "shadows"] {
        assert!(kinds.iter().any(|row| row.contains(kind)), "no {kind} among {kinds:?}");
    }
    assert!(page.count("[data-testid=by-kind] span").await > 3);
    told("diagnostics are opened from the settings; their figures are this program's, and change by themselves");
}

/// The report is copied, and says that it is.
pub async fn are_copied(page: &Page) {
    page.click(&by_testid("copy-report")).await;
    page.wait_for_text(&by_testid("copy-said"), SOON, |text| text == "Copied").await;
    page.wait_for_text(&by_testid("copy-said"), SOON, |text| text == "Copy report").await;
    told("the report is copied, and that is said");
}

/// One step back leads to the settings.
pub async fn are_left(page: &Page) {
    page.press(Key::Escape).await;
    page.wait_for_element(&by_testid("settings-about"), SOON).await;
    page.wait_until_gone(&by_testid("diagnostics"), SOON).await;
}
