//! Many at once: things are chosen in the table, looked at in a dry run, commanded in batches, and what came of each is seen.

use fleetlens_model::kind::Kind;
use fleetlens_tests::page::{Page, by_testid, plain};
use fleetlens_tests::person::SOON;
use serde_json::json;
use thirtyfour::Key;

use super::{rail, told};

/// The element that the table's keys go through.
const TABLE: &str = "[data-testid=things-table]";

fn mark(place: usize) -> String {
    format!("[aria-rowindex=\"{}\"] [data-testid=mark]", place + 2)
}

fn in_sheet(testid: &str) -> String {
    format!("[data-testid=bulk-sheet][open] [data-testid={testid}]")
}

async fn chosen(page: &Page, want: &str) {
    page.wait_for_text(&by_testid("chosen-count"), SOON, |text| plain(text) == want).await;
}

/// Lamps, a row each: one by one, with Shift, by the keyboard, and all of the search.
pub async fn lamps_are_chosen(page: &Page) {
    rail::go(page, "things").await;
    page.click("[data-testid=kind-chip][data-kind=lamp]").await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| plain(text).starts_with("300 of ")).await;
    page.wait_for_element(&mark(5), SOON).await;
    page.click(&mark(0)).await;
    chosen(page, "1 chosen").await;
    let shift = "document.querySelector(arguments[0]).dispatchEvent(new MouseEvent('click', { shiftKey: true, bubbles: true }))";
    page.ask::<()>(shift, vec![json!(mark(5))]).await;
    chosen(page, "6 chosen").await;
    page.click(&by_testid("choose-all")).await;
    chosen(page, "All 300 of this search chosen").await;
    page.click(&by_testid("choose-none")).await;
    page.wait_until_gone(&by_testid("chosen-bar"), SOON).await;
    page.ask::<()>("document.querySelector(arguments[0]).focus()", vec![json!(TABLE)]).await;
    page.press(Key::Home).await;
    page.keys(" ").await;
    chosen(page, "1 chosen").await;
    page.ask::<()>(shift, vec![json!(mark(5))]).await;
    chosen(page, "6 chosen").await;
    told("rows are chosen by the mouse, with Shift, by Space, and all of a search");
}

/// What it would do is seen before anything is sent.
pub async fn a_dry_run_is_looked_at(page: &Page, pct: u8) {
    page.click(&by_testid("bulk-begin")).await;
    page.wait_for_element(&in_sheet("slider"), SOON).await;
    page.slide(&in_sheet("slider"), f64::from(pct)).await;
    page.click(&in_sheet("dry-run")).await;
    page.wait_for_element(&in_sheet("dry-run-row"), SOON).await;
    let found = page.wait_for_text(&in_sheet("dry-run-found"), SOON, |text| text.contains("would be asked")).await;
    told(&format!("a dry run says: {}", found.lines().next().unwrap_or_default()));
    page.replace(&in_sheet("bulk-batch"), "0").await;
    page.click(&in_sheet("bulk-send")).await;
    page.wait_for_text(&in_sheet("bulk-fault"), SOON, |text| text.contains("a batch is 1 to")).await;
    page.replace(&in_sheet("bulk-batch"), "2").await;
    page.replace(&in_sheet("bulk-every"), "1").await;
}

/// It is sent, goes through its batches, and each of its things is told.
pub async fn it_goes_through(page: &Page) {
    page.click(&in_sheet("bulk-send")).await;
    page.wait_for_element(&by_testid("bulk-view"), SOON).await;
    let rows = "return document.querySelectorAll('[data-testid=bulk-thing]').length";
    page.wait_for("its six things", SOON, rows, |rows: usize| if rows == 6 { Ok(()) } else { Err(rows.to_string()) })
        .await;
    page.wait_for_text(&by_testid("bulk-state"), SOON, |text| text == "Done").await;
    let counts = page.wait_for_text("[data-testid=bulk-view] [data-testid=bulk-counts]", SOON, |_| true).await;
    assert!(counts.contains("6 done"), "{counts}");
    assert_eq!(page.count("[data-testid=bulk-thing][data-standing=settled]").await, 6);
    page.click_word("[data-testid=bulk-things] .segmented", "Failed").await;
    page.wait_for_element(&by_testid("bulk-none"), SOON).await;
    page.click_word("[data-testid=bulk-things] .segmented", "All").await;
    page.wait_for_element(&by_testid("bulk-thing"), SOON).await;
    page.click(&by_testid("bulk-back")).await;
    page.wait_for_element("[data-testid=bulks] [data-testid=bulk][data-state=done]", SOON).await;
    told("six lamps are dimmed two at a time, and each is told");
}

/// Chooses these kinds in the table and nothing else.
async fn only_kinds(page: &Page, kinds: &[&str]) {
    rail::go(page, "things").await;
    let pressed =
        "[...document.querySelectorAll('[data-testid=kind-chip][aria-pressed=true]')].map(e => e.dataset.kind)";
    let before: Vec<String> = page.ask(&format!("return {pressed}"), Vec::new()).await;
    let turned = before.iter().map(String::as_str).filter(|kind| !kinds.contains(kind));
    let added = kinds.iter().copied().filter(|kind| !before.iter().any(|known| known == kind));
    for kind in turned.chain(added).collect::<Vec<_>>() {
        page.click(&format!("[data-testid=kind-chip][data-kind={kind}]")).await;
    }
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text.contains(" of ")).await;
    // Until they come, the rows are those of the search before.
    let words: Vec<&str> = kinds.iter().map(|kind| Kind::from_word(kind).singular()).collect();
    page.wait_for_text("[aria-rowindex=\"2\"] .td.kind", SOON, |text| words.contains(&text)).await;
    page.wait_for_element(&mark(0), SOON).await;
}

/// Of lamps and bins only lamps can be dimmed: it is stopped, and the others are asked again, with the dry run first.
pub async fn what_failed_is_asked_again(page: &Page) {
    only_kinds(page, &["lamp", "bin"]).await;
    page.click(&mark(0)).await;
    page.click(&by_testid("choose-all")).await;
    page.click(&by_testid("bulk-begin")).await;
    page.slide(&in_sheet("slider"), 35.0).await;
    page.click(&in_sheet("dry-run")).await;
    page.wait_for_text(&in_sheet("dry-run-found"), SOON, |text| text.contains("it has nothing that is set at")).await;
    page.click(&in_sheet("bulk-send")).await;
    page.wait_for_element(&by_testid("bulk-view"), SOON).await;
    page.click(&by_testid("bulk-stop")).await;
    let question = "[data-testid=confirm][open]";
    page.wait_for_text(question, SOON, |text| text.contains("cannot be started again")).await;
    page.click(&format!("{question} [data-testid=confirm-yes]")).await;
    page.wait_for_text(&by_testid("bulk-state"), SOON, |text| text == "Stopped").await;
    page.click(&by_testid("bulk-again")).await;
    let what = page.wait_for_text(&in_sheet("bulk-again-what"), SOON, |text| !text.is_empty()).await;
    assert_eq!(what, "Dim to 35 %");
    let words = page.wait_for_text("[data-testid=bulk-sheet][open]", SOON, |text| text.contains("cannot:")).await;
    assert!(words.contains("again") && words.contains("Nothing would change."), "{words}");
    page.wait_for_element("[data-testid=bulk-sheet][open] [data-testid=bulk-send][disabled]", SOON).await;
    told("one that is stopped asks first, and what failed is asked again after a dry run of its own");
}

/// A value that is typed is no less dangerous than one that a control sets.
pub async fn what_is_dangerous_is_said_in_words(page: &Page) {
    only_kinds(page, &["charger"]).await;
    page.click(&mark(0)).await;
    page.click(&by_testid("bulk-begin")).await;
    let last = "const e = document.querySelector(arguments[0]); return e.options[e.options.length - 1].value";
    page.wait_for_element(&in_sheet("bulk-control"), SOON).await;
    let last: String = page.ask(last, vec![json!(in_sheet("bulk-control"))]).await;
    page.choose(&in_sheet("bulk-control"), &last).await;
    page.replace(&in_sheet("bulk-pointer"), "/enabled").await;
    page.replace(&in_sheet("bulk-json"), "false").await;
    page.click(&in_sheet("dry-run")).await;
    page.wait_for_element(&in_sheet("dry-run-row"), SOON).await;
    page.wait_for_element(&format!("{}:not([disabled])", in_sheet("bulk-send")), SOON).await;
    page.click(&in_sheet("bulk-send")).await;
    let question = "[data-testid=confirm][open]";
    let words = page.wait_for_text(question, SOON, |text| text.contains("the session ends")).await;
    assert!(words.contains("Set /enabled of 1 thing?"), "{words}");
    told("a value without a control of its own is asked about in words as well");
}
