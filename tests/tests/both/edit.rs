//! What waits in the outbox is changed before it leaves, and goes out as it is then.

use std::time::Duration;

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::page::Page;
use fleetlens_tests::wait::until;
use serde_json::json;

use super::{rail, told};

/// Generous: a link that failed some times waits up to half a minute.
const SOON: Duration = Duration::from_secs(60);

const ORDER: &str = "[data-testid=outbox] [data-testid=order]";

const SHEET: &str = "[data-testid=edit-sheet][open]";

/// Without a link a lamp is asked for something, and the sheet that changes it is filled in.
pub async fn is_filled_in(page: &Page, broker: &mut Mosquitto) {
    broker.stop();
    page.prepare_dim(40).await;
    page.send_dim().await;
    page.wait_for_timeline("it to wait for the link", SOON, |t| t.standing == "waiting" && t.has("asked")).await;
    page.close_thing().await;
    rail::go(page, "commands").await;
    page.wait_for_text(ORDER, SOON, |text| text.contains("Waits for the link")).await;

    // By the keyboard, and what cannot be is said in the sheet.
    page.click(&format!("{ORDER} [data-testid=edit]")).await;
    let value = format!("{SHEET} [data-testid=edit-value]");
    page.replace(&value, "140\n").await;
    page.wait_for_text(&format!("{SHEET} [data-testid=edit-wrong]"), SOON, |text| text.contains("outside 0–100")).await;
    page.replace(&value, "60").await;
    page.choose(&format!("{SHEET} [data-testid=expiry]"), "3600000").await;
}

/// What the sheet says holds from then on.
pub async fn is_changed(page: &Page) {
    page.click(&format!("{SHEET} [data-testid=edit-yes]:not([disabled])")).await;
    page.wait_until_gone(SHEET, SOON).await;
    let words = page.wait_for_text(ORDER, SOON, |text| text.contains("Dim to 60 %")).await;
    assert!(words.contains("expires in 59 min") || words.contains("expires in 1 h"), "{words}");
    told("a command that waits is given another value and another end, and what cannot be is said");
}

/// With the link it leaves with its new value, once; and then it is changed no more.
pub async fn goes_out_as_it_is_then(page: &Page, broker: &mut Mosquitto, lamp: &mut Lamp) {
    broker.start_again();
    page.wait_for_text(ORDER, SOON, |text| text.contains("Accepted")).await;
    until("the service to want it as it was changed", SOON, async || {
        let document = lamp.document().await;
        let wanted = document.desired.as_ref().and_then(|desired| desired.get("dim_pct")).cloned();
        if wanted == Some(json!(60)) { Ok(()) } else { Err(format!("{wanted:?}")) }
    })
    .await;
    assert_eq!(page.count(&format!("{ORDER} [data-testid=edit]")).await, 0, "what has left is changed no more");
    lamp.report(&json!({ "dim_pct": 60 })).await;
}
