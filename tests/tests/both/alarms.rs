//! Alarms: raised after their delay, over after their deadband, seen by somebody with a comment, unknown while our link is down.

use std::time::{Duration, Instant};

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use serde::Deserialize;
use serde_json::json;

use super::street::{self, Street};
use super::{rail, table, told};

/// What is said when two are acknowledged at once.
const COMMENT: &str = "round 7 takes both";

/// An alarm as it stands in the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Alarm {
    title: String,
    state: String,
    priority: String,
    words: String,
}

const LIST: &str = "const flat = t => (t ?? '').replace(/\\s+/g, ' ').trim(); \
    return [...document.querySelectorAll('[data-testid=alarm]')].sort((a, b) => \
    a.getBoundingClientRect().y - b.getBoundingClientRect().y).map(e => ({ title: flat(e.querySelector('b')?.innerText), \
    state: e.dataset.state, priority: e.dataset.priority, words: flat(e.innerText) }))";

async fn listed(page: &Page, what: &str, wanted: impl Fn(&[Alarm]) -> bool) -> Vec<Alarm> {
    page.wait_for(
        what,
        SOON,
        LIST,
        |alarms: Vec<Alarm>| {
            if wanted(&alarms) { Ok(alarms) } else { Err(format!("{alarms:?}")) }
        },
    )
    .await
}

fn is(alarm: &Alarm, n: usize, state: &str) -> bool {
    alarm.title.starts_with(&street::title(n)) && alarm.state == state
}

/// On-delay and deadband: full is told after its delay, and over only when it is well below the limit.
pub async fn are_raised_after_their_delay_and_end_below_their_deadband(page: &Page, street: &Street) {
    rail::go(page, "alarms").await;
    page.wait_for_element(&by_testid("alarms-none"), SOON).await;
    // Beside an open drawer the rows are too narrow for the place.
    assert_eq!(page.count(&by_testid("title")).await, 0, "something is open beside the list");
    let began = Instant::now();
    street.bin(1, json!({ "fill_pct": 95 })).await;
    let rows = listed(page, "the first alarm", |rows| rows.len() == 1).await;
    assert!(began.elapsed() >= Duration::from_secs(street::ON_DELAY_S), "told after {:?}", began.elapsed());
    assert!(is(&rows[0], 1, "active") && rows[0].priority == "warning", "{rows:?}");
    for part in [
        "Bin 01 nearly full",
        "fill 95 %, 90 % or more for 2 s",
        "Put it on the next round",
        "Triq il-Merkanti",
        "Active",
    ] {
        assert!(rows[0].words.contains(part), "the row does not say “{part}”: {rows:?}");
    }
    // Below the limit, not below the deadband: when the second one is there, the first is still.
    street.bin(1, json!({ "fill_pct": 85 })).await;
    street.bin(2, json!({ "fill_pct": 97 })).await;
    let rows = listed(page, "the second alarm", |rows| rows.len() == 2).await;
    assert!(rows.iter().all(|row| row.state == "active"), "{rows:?}");
    street.bin(1, json!({ "fill_pct": 75 })).await;
    let rows = listed(page, "the first to be over", |rows| rows.iter().any(|row| is(row, 1, "returned"))).await;
    assert!(rows.iter().any(|row| is(row, 2, "active")), "{rows:?}");
    page.wait_for_text(&by_testid("alarm-counts"), SOON, |text| text == "1 needs a person · 1 returned, not seen")
        .await;
    told("an alarm is raised after its delay and is over below its deadband, and stays until somebody has seen it");

    rail::go(page, "things").await;
    page.click_word("[data-testid=things] .segmented", "Alarmed").await;
    let total = format!("2 of {} things", street::BINS + 2);
    let mut names = table::names_of(page, &total).await;
    names.sort();
    assert_eq!(names, [street::name(1), street::name(2)]);
    page.click_word("[data-testid=things] .segmented", "All").await;
    told("the table shows only what is alarmed");
}

/// Two at once, with a comment: what is over goes into the history, what is not stays, both with who, when and what was said.
pub async fn several_are_acknowledged_with_a_comment(page: &Page, who: &str) {
    rail::go(page, "alarms").await;
    listed(page, "both alarms", |rows| rows.len() == 2).await;
    page.click(&by_testid("alarm-all")).await;
    page.wait_for_text(&by_testid("alarm-chosen"), SOON, |text| text == "2 of 2 chosen").await;
    page.click("[data-testid=acknowledge]:not([disabled])").await;
    page.wait_for_text("[data-testid=acknowledge-dialog][open] h2", SOON, |text| text == "Acknowledge 2 alarms").await;
    comment(page, COMMENT).await;
    // What is over stands where it stood while the pointer is on the list.
    page.click(&by_testid("alarm-counts")).await;
    let rows = listed(page, "one to stay", |rows| rows.len() == 1).await;
    let said = format!("“{COMMENT}”");
    assert!(is(&rows[0], 2, "seen") && rows[0].words.contains(&format!("seen by {who} ")), "{rows:?}");
    assert!(rows[0].words.contains(&said), "{rows:?}");
    page.click_word("[data-testid=alarms-view] .sheet-head", "History").await;
    let ended = listed(page, "the other in the history", |rows| rows.iter().any(|row| is(row, 1, "ended"))).await;
    assert_eq!(ended.len(), 1);
    assert!(ended[0].words.contains(&format!("seen by {who} ")) && ended[0].words.contains(&said), "{ended:?}");
    told(
        "two are acknowledged at once with a comment; what is over stands in the history with who, when and what was said",
    );
}

/// What is taken off the list is on another one, with who, why and until when, until somebody puts it back.
pub async fn one_is_taken_off_the_list_and_put_back(page: &Page, who: &str) {
    rail::go(page, "alarms").await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "Open").await;
    listed(page, "the one that is seen", |rows| rows.len() == 1 && is(&rows[0], 2, "seen")).await;
    page.click(&by_testid("alarm-all")).await;
    page.click("[data-testid=take-off]:not([disabled])").await;
    page.wait_for_text("[data-testid=step-dialog][open] h2", SOON, |text| text == "Take this alarm off the list").await;
    page.click_word("[data-testid=step-dialog][open] .segmented", "8 hours").await;
    page.type_into("[data-testid=step-dialog][open] [data-testid=step-text]", "its round is late").await;
    page.screenshot("alarms-take-off").await;
    page.click("[data-testid=step-dialog][open] [data-testid=step-yes]").await;
    page.wait_until_gone("[data-testid=step-dialog][open]", SOON).await;
    page.click(&by_testid("alarm-counts")).await;
    page.wait_for_element(&by_testid("alarms-none"), SOON).await;
    page.wait_for_text(&by_testid("alarm-counts"), SOON, |text| text == "1 off the list").await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "Off the list").await;
    let rows = listed(page, "the shelved one", |rows| rows.len() == 1 && is(&rows[0], 2, "hidden")).await;
    for part in ["Shelved until", &format!("by {who}"), "“its round is late”"] {
        assert!(rows[0].words.contains(part), "the row does not say “{part}”: {rows:?}");
    }
    page.screenshot("alarms-off-the-list").await;
    page.click(&by_testid("alarm-all")).await;
    page.click("[data-testid=put-back]:not([disabled])").await;
    page.click("[data-testid=step-dialog][open] [data-testid=step-yes]").await;
    page.wait_until_gone("[data-testid=step-dialog][open]", SOON).await;
    page.click(&by_testid("alarm-counts")).await;
    page.wait_for_element(&by_testid("alarms-none"), SOON).await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "Open").await;
    listed(page, "it to be back", |rows| rows.len() == 1 && is(&rows[0], 2, "seen")).await;
    told("an alarm is taken off the list for a time, with a reason, and put back");
}

/// What somebody else wants of a lamp that does not obey is an alarm after its time, and over once the lamp is as it is wanted.
pub async fn what_is_wanted_and_not_so_is_told(page: &Page, street: &Street) {
    rail::go(page, "alarms").await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "Open").await;
    street.somebody_wants(json!({ "interval_s": 30 })).await;
    let is_it = |row: &Alarm, state: &str| row.title.starts_with("Lamp 0042 does not obey") && row.state == state;
    let rows = listed(page, "the lamp that does not obey", |rows| rows.iter().any(|row| is_it(row, "active"))).await;
    let row = rows.iter().find(|row| is_it(row, "active")).expect("it was there");
    for part in ["wanted interval_s 30, reports nothing there", "Look at its driver"] {
        assert!(row.words.contains(part), "the row does not say “{part}”: {row:?}");
    }
    street.lamp.report(&json!({ "interval_s": 30 })).await;
    listed(page, "it to be over", |rows| rows.iter().any(|row| is_it(row, "returned"))).await;
    page.click(&by_testid("alarm-all")).await;
    page.click("[data-testid=acknowledge]:not([disabled])").await;
    comment(page, "set by hand").await;
    page.click(&by_testid("alarm-counts")).await;
    listed(page, "only the bin to stay", |rows| rows.len() == 1 && is(&rows[0], 2, "seen")).await;
    told("what is wanted and not so is an alarm after its time, and over when it is so");
}

async fn comment(page: &Page, words: &str) {
    page.type_into("[data-testid=acknowledge-dialog][open] [data-testid=comment]", words).await;
    page.click("[data-testid=acknowledge-dialog][open] [data-testid=acknowledge-yes]").await;
    page.wait_until_gone("[data-testid=acknowledge-dialog][open]", SOON).await;
}

/// A bin burns: told in the banner, on the card over the map and on its page; one person sees it from there.
pub async fn a_critical_one_is_told_everywhere_and_seen(page: &Page, burning: usize, who: &str) {
    let title = format!("{} is burning", street::title(burning));
    rail::go(page, "map").await;
    page.wait_for_text(&by_testid("critical"), SOON, |text| text.contains(&format!("Critical: {title}"))).await;
    let rows = page.texts_of(&by_testid("attention-row")).await;
    assert!(rows.first().is_some_and(|row| row.contains(&title) && row.contains("Call the fire brigade")), "{rows:?}");
    page.click(&by_testid("critical-show")).await;
    let card = page.wait_for_text(&by_testid("alarm-card"), SOON, |text| text.contains(&title)).await;
    for part in
        ["temperature 71.0 °C, 60 °C or more", "Call the fire brigade", "Usually hot ash", "Otherwise it spreads"]
    {
        assert!(card.contains(part), "the card does not say “{part}”: {card}");
    }
    page.click(&by_testid("alarm-acknowledge")).await;
    comment(page, "on my way").await;
    let state = page.wait_for_text(&by_testid("alarm-state"), SOON, |text| text.contains("seen by")).await;
    assert!(state.contains(&format!("seen by {who} ")) && state.contains("“on my way”"), "{state}");
    page.close_thing().await;
    told("a critical alarm stands in a banner, on the map's card and on its page, and is acknowledged there");
}

/// Without a link nobody knows: nothing is raised, nothing over, and it says since when.
pub async fn are_unknown_while_the_link_is_down(page: &Page, street: &mut Street, burning: usize) {
    rail::go(page, "alarms").await;
    let before =
        listed(page, "both open ones", |rows| rows.len() == 2 && rows.iter().all(|row| row.state == "seen")).await;
    assert!(is(&before[0], burning, "seen"), "the worst does not come first: {before:?}");
    street.broker.stop();
    let lost = listed(page, "both to be unknown", |rows| rows.iter().all(|row| row.state == "unknown")).await;
    assert_eq!(lost.len(), 2);
    assert!(lost.iter().all(|row| row.words.contains("Unknown since our link is down")), "{lost:?}");
    page.screenshot("alarms-unknown").await;
    street.broker_comes_back().await;
    listed(page, "both to be known again", |rows| rows.len() == 2 && rows.iter().all(|row| row.state == "seen")).await;
    told("while our link is down alarms are unknown since then; when it is back they are what they were");
}

/// After a restart the same alarms stand there, seen by the same people.
pub async fn outlive_the_program(page: &Page, burning: usize, who: &str) {
    rail::go(page, "alarms").await;
    let rows = listed(page, "the same alarms", |rows| rows.len() >= 2).await;
    for n in [2, burning] {
        let row = rows.iter().find(|row| row.title.starts_with(&street::title(n)));
        let row = row.unwrap_or_else(|| panic!("{} is forgotten: {rows:?}", street::title(n)));
        assert!(row.words.contains("seen by"), "{row:?}");
    }
    assert!(rows.iter().any(|row| row.words.contains(&format!("seen by {who} "))), "{rows:?}");
    page.click_word("[data-testid=alarms-view] .sheet-head", "History").await;
    listed(page, "the history", |rows| rows.iter().any(|row| is(row, 1, "ended") && row.words.contains(COMMENT))).await;
    page.click_word("[data-testid=alarms-view] .sheet-head", "Open").await;
    told("after a restart alarms, comments and history are there");
}

/// A thing that no longer speaks is an alarm, after three intervals and at least a minute.
pub async fn silence_is_told(page: &Page) {
    rail::go(page, "alarms").await;
    let within = Duration::from_secs(90);
    let script =
        "return [...document.querySelectorAll('[data-testid=alarm]')].map(e => e.innerText.replace(/\\s+/g, ' '))";
    let words = page
        .wait_for("the bus to be silent", within, script, |rows: Vec<String>| {
            rows.iter().find(|row| row.contains("Bus 7 silent")).cloned().ok_or_else(|| format!("{rows:?}"))
        })
        .await;
    assert!(words.contains("no word for more than 1 min"), "{words}");
    told("a thing that no longer speaks is told");
}
