//! Settings hold from the moment they are saved, and after a restart; what is wrong is said beside it.

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;

use super::street::{HARBOUR_TOPIC, OTHER_PROFILE, PROFILE, Street};
use super::{rail, told};

/// The name that is given here.
pub const NAME: &str = "R. Borg";

const SAVE_PERSON: &str = "[data-testid=settings-person] [data-testid=save]";
const SAVE_CACHE: &str = "[data-testid=settings-cache] [data-testid=save]";

/// Who is here, and how much is kept.
pub async fn identity_and_limits_are_saved_and_mistakes_told(page: &Page) {
    rail::go(page, "settings").await;
    page.replace(&by_testid("person-name"), &"x".repeat(81)).await;
    page.wait_for_text("#person-note", SOON, |text| text.contains("at most 80 characters")).await;
    page.wait_for_element(&format!("{SAVE_PERSON}[disabled]"), SOON).await;
    page.replace(&by_testid("person-name"), NAME).await;
    page.click(&format!("{SAVE_PERSON}:not([disabled])")).await;
    page.wait_for_text("[data-testid=settings-person] [data-testid=answer]", SOON, |text| text.starts_with("Saved"))
        .await;
    page.wait_for_text(&by_testid("status-who"), SOON, |text| text == format!("Operator · {NAME}")).await;
    told("a name is checked, saved, and stands in the status line");

    for (testid, wrong, told) in [
        ("keep-days", "0", "From 1 to 3 650 days."),
        ("keep-days", "a week", "A whole number, please."),
        ("minutes-days", "4 000", "From 1 to 3 650 days."),
        ("minutes-days", "63", "At least the 64 days of values."),
        ("hours-days", "63", "At least the 64 days of minutes."),
        ("max-mb", "15", "From 16 to 1 000 000 MB."),
    ] {
        page.replace(&by_testid(testid), wrong).await;
        page.wait_for_text(&format!("#{testid}-note"), SOON, |text| text == told).await;
        page.wait_for_element(&format!("{SAVE_CACHE}[disabled]"), SOON).await;
        page.replace(&by_testid(testid), "64").await;
    }
    page.replace(&by_testid("keep-days"), "7").await;
    page.wait_for_text("[data-testid=settings-cache] .note", SOON, |text| text.contains("cannot be brought back"))
        .await;
    page.click(&format!("{SAVE_CACHE}:not([disabled])")).await;
    page.wait_for_text("[data-testid=settings-cache] [data-testid=answer]", SOON, |text| text.starts_with("Saved"))
        .await;
    told("limits are checked, what they take away is said before, and they are saved");
}

/// Identity and limits are as they were saved.
pub async fn outlive_the_program(page: &Page) {
    page.wait_for_text(&by_testid("status-who"), SOON, |text| text == format!("Operator · {NAME}")).await;
    rail::go(page, "settings").await;
    page.wait_for_element(&by_testid("keep-days"), SOON).await;
    let script = "return ['person-name', 'keep-days', 'minutes-days', 'max-mb'].map(id => document.querySelector(`[data-testid=${id}]`).value)";
    page.wait_for("the settings of before", SOON, script, |held: [String; 4]| {
        if held == [NAME, "7", "64", "64"] { Ok(()) } else { Err(format!("{held:?}")) }
    })
    .await;
    told("after a restart identity and limits are as they were saved");
}

/// Another profile is chosen after a question and back again; one that cannot be read says why.
pub async fn another_profile_is_chosen_and_back(page: &Page, street: &Street) {
    rail::go(page, "settings").await;
    let row = |name: &str| format!("[data-testid=profile][data-profile=\"{name}\"]");
    let fault = page
        .wait_for_text(&format!("{} [data-testid=profile-fault]", row("broken")), SOON, |text| !text.is_empty())
        .await;
    assert!(fault.contains("line 3"), "what is wrong must be told with its line: {fault}");
    assert_eq!(page.count(&format!("{} [data-testid=profile-use]", row("broken"))).await, 0);
    for (from, to) in [(PROFILE, OTHER_PROFILE), (OTHER_PROFILE, PROFILE)] {
        page.wait_for_element(&format!("{}.active", row(from)), SOON).await;
        page.click(&format!("{} [data-testid=profile-use]", row(to))).await;
        page.wait_for_text("[data-testid=confirm][open] h2", SOON, |text| text == format!("Use {to}?")).await;
        page.click("[data-testid=confirm][open] [data-testid=confirm-yes]").await;
        rail::go(page, "settings").await;
        page.wait_for_element(&format!("{}.active", row(to)), SOON).await;
        page.wait_for_element("[data-testid=status-broker][data-link=up]", SOON).await;
        page.click(&by_testid("status-link")).await;
        page.wait_for_text(&by_testid("status-link-card"), SOON, |text| text.contains(to)).await;
        page.press(thirtyfour::Key::Escape).await;
        page.wait_until_gone(&by_testid("status-link-card"), SOON).await;
        if to == OTHER_PROFILE {
            without_a_guarantee_something_is_shed(page, street).await;
        }
    }
    page.open_thing(street.lamp.name()).await;
    page.close_thing().await;
    told("another profile is used after a question, and back; its things are there again; a broken one says why");
}

/// The other profile's broker grants QoS 0 and nothing better: the status line says what that is worth, and when more comes than can be
/// kept, how much was left out and of which topic.
async fn without_a_guarantee_something_is_shed(page: &Page, street: &Street) {
    let worth = page.wait_for_text(&by_testid("status-guarantee"), SOON, |text| text.contains("QoS 0")).await;
    assert_eq!(worth, "messages at QoS 0: what comes while we are busy or away is lost");
    assert_eq!(page.text("status-shed").await.as_deref(), Some("shed 0"));
    // What the engine cannot store piles up until there is no room; a fast machine with a fast disk would keep up.
    let held = street.the_harbours_cache_is_held();
    street.the_harbour_chatters().await;
    page.wait_for_text(&by_testid("status-cache"), SOON, |text| text == "cache cannot be written").await;
    drop(held);
    page.wait_for_text(&by_testid("status-shed"), SOON, |text| text != "shed 0").await;
    page.wait_for_text(&by_testid("status-cache"), SOON, |text| text != "cache cannot be written").await;
    page.click(&by_testid("status-sheds")).await;
    let shed = page.wait_for_text(&by_testid("status-sheds-card"), SOON, |text| text.contains(HARBOUR_TOPIC)).await;
    assert!(shed.contains("(QoS 0)") && shed.contains('×') && !shed.contains("None since the start"), "{shed}");
    page.press(thirtyfour::Key::Escape).await;
    page.wait_until_gone(&by_testid("status-sheds-card"), SOON).await;
    told("without a guarantee the status line says so, and what was shed with its topic");
}

/// The theme is chosen here too, and holds.
pub async fn the_theme_is_chosen(page: &Page) {
    rail::go(page, "settings").await;
    let script = "return document.documentElement.dataset.theme ?? ''";
    for theme in ["Light", "Dark"] {
        page.click_word("[data-testid=settings-theme]", theme).await;
        let want = theme.to_lowercase();
        page.wait_for("the theme", SOON, script, |now: String| if now == want { Ok(()) } else { Err(now) }).await;
    }
    told("the theme is chosen in the settings");
}
