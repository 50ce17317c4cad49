//! Several values set at once by the form that a kind's schema makes, and JSON that the schema forbids.

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use serde_json::json;

use super::told;

fn field(pointer: &str) -> String {
    format!("[data-testid=form] [data-testid=field][data-pointer=\"{pointer}\"]")
}

/// A lamp's level and interval are typed into the form, a wrong one is told beside its field, and what is sent is what is shown.
pub async fn two_values_go_out_as_one_command(page: &Page, lamp: &str) {
    page.open_thing(lamp).await;
    let level = page.wait_for_leaf("/dim_pct", |_, reported| reported.parse::<f64>().is_ok()).await.2;
    let want = if level == "55" { 65.0 } else { 55.0 };
    let commands = page.count(&by_testid("command")).await;
    page.click(&by_testid("form-fold")).await;
    let send = "[data-testid=form-send]";
    page.wait_for_text(&by_testid("form-told"), SOON, |told| told.contains("changes nothing")).await;
    page.wait_for_element(&format!("{send}[disabled]"), SOON).await;

    page.slide(&format!("{} [data-testid=slider]", field("/dim_pct")), want).await;
    let interval = format!("{} [data-testid=number]", field("/interval_s"));
    page.replace(&interval, "4").await;
    let wrong = format!("{} [data-testid=form-violation]", field("/interval_s"));
    let sentence = page.wait_for_text(&wrong, SOON, |told| !told.is_empty()).await;
    assert_eq!(sentence, "Sampling interval 4 s is outside 5–3600 s");
    page.wait_for_element(&format!("{send}[disabled]"), SOON).await;
    told("a value that the kind's schema forbids is told beside its field, and cannot be sent");

    page.replace(&interval, "35").await;
    page.wait_until_gone(&wrong, SOON).await;
    let changes = page.texts_of("[data-testid=form-changes] li").await;
    assert_eq!(changes.len(), 2, "exactly what changes: {changes:?}");
    assert!(changes[0].starts_with("Dim to") && changes[0].ends_with(&format!("→ {want} %")), "{changes:?}");
    assert!(changes[1].starts_with("Sampling interval") && changes[1].ends_with("→ 35 s"), "{changes:?}");
    let room = page.wait_for_text(&by_testid("form-room"), SOON, |room| room.contains("levels")).await;
    assert!(room.contains("of 8.2 kB"), "{room}");
    page.screenshot(&format!("form-{lamp}")).await;
    page.click(&format!("{send}:not([disabled])")).await;
    let level = want.to_string();
    page.wait_for_leaf("/dim_pct", |wanted, reported| wanted == level && reported == level).await;
    page.wait_for_leaf("/interval_s", |wanted, reported| wanted == "35" && reported == "35").await;
    let settled = page.wait_for_timeline("both values to settle", SOON, |t| t.standing == "settled").await;
    assert!(settled.title.contains(&format!("{want} %")) && settled.title.contains("35 s"), "one command: {settled:?}");
    assert_eq!(page.count(&by_testid("command")).await, commands + 1, "one command");
    page.wait_for_text(&by_testid("form-told"), SOON, |told| told.contains("changes nothing")).await;
    told("two values go out as one command, with exactly what changes shown before, and settle");
}

/// JSON that the schema forbids is marked at its line and cannot be sent; what the schema says nothing of can.
pub async fn json_is_told_at_its_line_what_the_schema_forbids(page: &Page, lamp: &str) {
    page.open_thing(lamp).await;
    page.click(&by_testid("json-fold")).await;
    let (css, send) = (by_testid("json-text"), "[data-testid=json-send]");
    page.wait_for_element(&css, SOON).await;
    let write = async |text: &str| {
        let script = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                      e.dispatchEvent(new Event('input', { bubbles: true }))";
        page.ask::<()>(script, vec![json!(css), json!(text)]).await;
    };
    write("{\n  \"interval_s\": 60,\n  \"dim_pct\": 400,\n  \"on\": \"yes\"\n}").await;
    page.wait_for_text(&by_testid("json-violations"), SOON, |told| told.contains("Line 4")).await;
    let told_of = page.texts_of("[data-testid=json-violation]").await;
    assert_eq!(
        told_of,
        ["Line 3 Dim to 400 % is outside 0–100 %", "Line 4 Switched on takes true or false, not \"yes\""]
    );
    assert_eq!(page.texts_of("[data-testid=json-editor] .numbers .wrong").await, ["3", "4"]);
    page.wait_for_element(&format!("{send}[disabled]"), SOON).await;
    page.screenshot(&format!("json-violations-{lamp}")).await;
    write("{\n  \"scene\": {\"name\": \"evening\"}\n}").await;
    page.wait_until_gone(&by_testid("json-violation"), SOON).await;
    page.wait_for_element(&format!("{send}:not([disabled])"), SOON).await;
    assert_eq!(page.texts_of("[data-testid=json-editor] .numbers .wrong").await, Vec::<String>::new());
    told("what the schema forbids is marked at its line and cannot be sent; what it says nothing of can");
}
