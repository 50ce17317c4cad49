//! Rules whose conditions have a memory, through a real broker and the whole host: what is usual for a thing, and state machines.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::rows::{AlarmRow, Rows};
use fleetlens_ipc::{AlarmScope, Look};
use fleetlens_model::telemetry::Value;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::{Desk, started_up};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use serde_json::json;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(60);

/// Within this an alarm comes that is to come.
const SHORTLY: Duration = Duration::from_secs(2);

const HOUR_MS: u128 = 3_600_000;

fn options(folder: &Path, url: String, rules: &str) -> HostOptions {
    let file = folder.join("profile.toml");
    fs::write(&file, ProfileText::new("Rules", url).toml() + rules).unwrap();
    HostOptions { profile: Some(file), demo: None, broker: BrokerChoice::Own, ..HostOptions::demo(folder.join("data")) }
}

/// The open alarms as they are seen by somebody who looks just now, once they are as wanted.
async fn alarms<T>(
    host: &Arc<Host>,
    what: &str,
    within: Duration,
    so: impl Fn(&[AlarmRow]) -> Option<T>,
) -> Result<T, String> {
    let mut desk = Desk::attach(host).await;
    let view = desk.look(Look::Alarms { scope: AlarmScope::Open, limit: 100 }).await;
    let found = desk
        .try_wait_for(what, within, |desk| match desk.rows(view) {
            Some(Rows::Alarms(list)) => so(&list.rows).ok_or_else(|| format!("{:?}", list.rows)),
            other => Err(format!("{other:?}")),
        })
        .await;
    desk.detach().await;
    found
}

fn only(rows: &[AlarmRow]) -> Option<AlarmRow> {
    if let [row] = rows { Some(row.clone()) } else { None }
}

async fn says(peer: &Peer, thing: &str, at_ms: u128, value: &str, number: f64) {
    let said = json!({ "ts": u64::try_from(at_ms).unwrap(), "values": { value: number } });
    peer.publish(&format!("city/west/{thing}/telemetry"), said.to_string()).await;
}

fn now_ms() -> u128 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_machine_beside_the_profile_raises_by_its_timer_and_knows_after_a_restart_where_it_was() {
    let Some(broker) = Mosquitto::start("rules-machine") else { return };
    let folder = tempfile::tempdir().unwrap();
    let document = include_str!("../fixtures/detectors/pump.json").replace("\"seconds\": 120", "\"seconds\": 1");
    fs::write(folder.path().join("pump.json"), document).unwrap();
    let rule = "\n[[alarm]]\nid = \"pressure\"\nname = \"is under pressure\"\ndetector = \"pump.json\"\nstates = [\"Dangerous\"]\n\
                priority = \"critical\"\nwhat_to_do = \"shut the valve\"\n";
    let options = options(folder.path(), broker.url(), rule);
    let host = started_up(options.clone()).await;
    let pump = Peer::connect(&broker.url(), "rules-pump", &[]).await;
    says(&pump, "pump/p1", now_ms(), "pressure_bar", 82.0).await;
    let raised = alarms(&host, "its timer", SOON, only).await.unwrap();
    assert_eq!(
        (raised.title.as_str(), raised.sentence.as_str(), raised.active),
        ("p1 is under pressure", "Dangerous: pressure_bar 82, breaches 3", true)
    );
    host.stop().await;

    let host = started_up(options).await;
    let before = alarms(&host, "the alarm of before", SOON, only).await.unwrap();
    assert!(before.active, "{before:?}");
    // One that had forgotten its state would be back to normal with the first word.
    let mut desk = Desk::attach(&host).await;
    let page = desk.look_at_thing("p1").await;
    for (bar, still) in [(60.0, true), (61.0, true), (62.0, false)] {
        says(&pump, "pump/p1", now_ms(), "pressure_bar", bar).await;
        let is_heard = |desk: &Desk| match desk.value(page, "/pressure_bar") {
            Some(row) if row.value == Value::Number(bar) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        desk.wait_for("the word", SOON, is_heard).await;
        // Somebody who looks only now sees what the word came to.
        let now = alarms(&host, "the alarm", SOON, only).await.unwrap();
        assert_eq!((now.id, now.times, now.active), (raised.id, 1, still), "{bar}");
    }
    desk.detach().await;
    host.stop().await;
    pump.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_about_what_is_usual_learns_from_the_cache_and_keeps_what_it_learned() {
    let Some(broker) = Mosquitto::start("rules-usual") else { return };
    let folder = tempfile::tempdir().unwrap();
    // Four weeks are heard before anybody asks what is usual.
    let host = started_up(options(folder.path(), broker.url(), "")).await;
    let lamp = Peer::connect(&broker.url(), "rules-lamp", &[]).await;
    let now = now_ms();
    for hours in (1..=28 * 24).rev() {
        says(&lamp, "lamp/l1", now - hours * HOUR_MS, "power_w", 100.0).await;
    }
    let mut desk = Desk::attach(&host).await;
    let page = desk.look_at_thing("l1").await;
    let all = |desk: &Desk| {
        let value = desk.value(page, "/power_w").ok_or("no value")?;
        if u128::from(value.age_ms) < 2 * HOUR_MS { Ok(()) } else { Err(format!("{value:?}")) }
    };
    desk.wait_for("the last of four weeks", SOON, all).await;
    desk.detach().await;
    host.stop().await;

    let rule = "\n[[alarm]]\nid = \"odd\"\nwhen = \"above_usual(power_w) > 30\"\nwhat_to_do = \"look\"\n";
    let options = options(folder.path(), broker.url(), rule);
    let host = started_up(options.clone()).await;
    let mut alarm = Err(String::new());
    for _ in 0..30 {
        says(&lamp, "lamp/l1", now_ms(), "power_w", 138.0).await;
        alarm = alarms(&host, "what is odd", SHORTLY, only).await;
        if alarm.is_ok() {
            break;
        }
    }
    // A day of the week, so more than one week was known.
    let sentence = alarm.unwrap().sentence;
    assert!(sentence.starts_with("power 38 % above its usual ") && sentence.contains("day "), "{sentence}");
    host.stop().await;

    // What was learned is known with the first word; what the history knows comes only after it.
    let host = started_up(options).await;
    says(&lamp, "lamp/l1", now_ms(), "power_w", 101.0).await;
    let is_over = |rows: &[AlarmRow]| only(rows).filter(|row| !row.active);
    alarms(&host, "the end of it", SOON, is_over).await.unwrap();
    host.stop().await;
    lamp.leave().await;
}
