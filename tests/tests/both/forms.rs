//! Several values set at once by the form that a kind's schema makes, and JSON that the schema forbids.

use fleetlens_tests::lamp::Lamp;
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

/// A schema of the profile's own for lamps: a group that none of them has ever spoken of, and nothing else but the level.
pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "dim_pct": { "title": "Dim to", "type": "integer", "minimum": 0, "maximum": 100, "x-step": 5, "x-unit": "%" },
    "firmware": { "type": "string", "readOnly": true },
    "radio": {
      "title": "Radio", "description": "How it reaches the city.", "type": "object", "required": ["apn"],
      "x-danger": "A wrong access point cuts it off.",
      "properties": {
        "apn": { "title": "Access point", "type": "string", "maxLength": 8 },
        "hops": { "title": "Hops", "type": "integer", "minimum": 0 }
      }
    }
  }
}"#;

/// A group of the profile's own schema is filled in; what is missing in it is told, and what will happen to people before it is sent.
pub async fn a_group_of_the_profile_is_filled_in(page: &Page, lamp: &mut Lamp) {
    page.open_thing(lamp.name()).await;
    page.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;
    page.click(&by_testid("form-fold")).await;
    page.wait_for_element(&field("/dim_pct"), SOON).await;
    let group = "[data-testid=form] [data-testid=group][data-pointer=\"/radio\"]";
    page.wait_until_gone(&format!("{group}:not([hidden])"), SOON).await;
    assert_eq!(page.count(&field("/firmware")).await, 0, "only the lamp itself says its firmware");
    page.wait_for_text(&by_testid("form-all"), SOON, |word| word == "Show 2 more, which it has never said").await;
    page.click(&by_testid("form-all")).await;
    page.wait_for_text(group, SOON, |words| words.contains("Radio") && words.contains("How it reaches the city")).await;

    let (apn, hops) = (field("/radio/apn"), field("/radio/hops"));
    page.replace(&format!("{hops} input"), "3.5").await;
    page.wait_for_text(&format!("{hops} [data-testid=form-violation]"), SOON, |told| {
        told == "Hops takes a whole number, not 3.5"
    })
    .await;
    page.replace(&format!("{hops} input"), "3").await;
    let missing = format!("{group} > .wrongs [data-testid=form-violation]");
    page.wait_for_text(&missing, SOON, |told| told == "Radio needs “apn” (Access point) as well").await;
    page.wait_for_element("[data-testid=form-send][disabled]", SOON).await;
    page.replace(&format!("{apn} input"), "city").await;
    page.wait_until_gone(&missing, SOON).await;
    let mut changes = page.texts_of("[data-testid=form-changes] li").await;
    changes.sort();
    assert_eq!(changes, ["Radio · Access point – → city", "Radio · Hops – → 3"]);
    page.wait_for_text(&by_testid("danger"), SOON, |told| told == "A wrong access point cuts it off.").await;
    page.screenshot("form-of-the-profile").await;

    page.click("[data-testid=form-send]:not([disabled])").await;
    let question = "[data-testid=confirm][open]";
    let asked = page.wait_for_text(question, SOON, |text| text.contains("Send this to")).await;
    assert!(asked.contains("cuts it off") && asked.contains("Radio · Hops"), "{asked}");
    page.click(&format!("{question} [data-testid=confirm-yes]")).await;
    page.wait_until_gone(question, SOON).await;
    page.wait_for_leaf("/radio/hops", |wanted, _| wanted == "3").await;
    let desired = lamp.document().await.desired.map(serde_json::Value::from);
    assert_eq!(desired, Some(json!({"radio": {"apn": "city", "hops": 3}})), "one command with both");
    told("a group of the profile's own schema is filled in, what it lacks is told, and what is dangerous asks first");

    page.click(&by_testid("json-fold")).await;
    let script = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                  e.dispatchEvent(new Event('input', { bubbles: true }))";
    page.wait_for_element(&by_testid("json-text"), SOON).await;
    page.ask::<()>(script, vec![json!(by_testid("json-text")), json!("{\n\"on\": false\n}")]).await;
    let told_of = page.wait_for_text(&by_testid("json-violation"), SOON, |told| !told.is_empty()).await;
    assert_eq!(told_of, "Line 2 “on” is not known here; known: dim_pct, firmware, radio");
    page.wait_for_element("[data-testid=json-send][disabled]", SOON).await;
    told("what a closed schema does not name cannot be sent as JSON either");
}
