//! Fleetlens without a window: what a broker brought is collected into a file, looked at while that goes on, and written out.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use fleetlens_host::Profile;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;
use fleetlens_tests::process::{self, Group};
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until_sync;
use rustix::process::Signal;
use serde_json::Value;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(30);

/// Where the demo city's devices speak.
const TELEMETRY: &str = "city/+/+/+/telemetry";

fn fleetlens(arguments: &[&str]) -> Output {
    Command::new(place::program("fleetlens")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// How many messages of each thing stand in a cache, by the times they were measured.
fn exported(db: &str) -> BTreeMap<String, usize> {
    let lines = said(&fleetlens(&["export", "--db", db, "--format", "json", "--from", "-1h"]));
    let mut times: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        times.entry(text("thing")).or_default().insert(text("device_time"));
    }
    times.into_iter().map(|(thing, times)| (thing, times.len())).collect()
}

/// The same of what the broker sent around.
fn heard(peer: &Peer) -> BTreeMap<String, usize> {
    let mut times: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    peer.count(|message| {
        let thing = message.topic.split('/').nth(3).unwrap().to_owned();
        let time = serde_json::from_slice::<Value>(&message.payload).ok().and_then(|payload| payload["ts"].as_i64());
        if let Some(time) = time {
            times.entry(thing).or_default().insert(time);
        }
        true
    });
    times.into_iter().map(|(thing, times)| (thing, times.len())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_brought_is_collected_queried_and_exported_and_nothing_is_missing() {
    let Some(broker) = Mosquitto::start("headless") else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText { client_id: Some("collector".into()), ..ProfileText::new("headless", broker.url()) };
    let profile = text.write(folder.path());
    let db = folder.path().join("city.db");
    let db = db.to_str().unwrap();
    let peer = Peer::connect(&broker.url(), "headless", &[TELEMETRY]).await;

    let mut command = Command::new(place::program("fleetlens"));
    command.args(["collect", "--json", "--db", db, "--profile"]).arg(&profile);
    let log = place::log("headless-collect");
    let mut collect = Group::spawn(&mut command, &log, process::Output::Read);
    let mut result = collect.take_stdout();
    until_sync("the collector listens", SOON, || {
        let listens = broker.log().contains("Sending SUBACK to collector");
        if listens { Ok(()) } else { Err(place::tail(&log)) }
    });
    for _ in 0..3 {
        peer.publish("city/valletta/lamp/broken/telemetry", "{\"ts\": ").await;
    }
    let url = broker.url();
    let city = ["sim", "--broker", url.as_str(), "--things", "60", "--rate", "80", "--for", "5s"];
    said(&fleetlens(&city));

    // The collector has the file open meanwhile.
    let all = until_sync("everything is stored", SOON, || {
        let (stored, sent) = (exported(db), heard(&peer));
        if stored == sent && !sent.is_empty() { Ok(sent) } else { Err(format!("{stored:?} of {sent:?}")) }
    });
    let messages: usize = all.values().sum();
    assert!(messages > 100, "{all:?}");
    process::signal(collect.id(), Signal::INT);
    assert!(collect.end().success(), "{}", place::tail(&log));
    let mut told = String::new();
    result.read_to_string(&mut told).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let count = |key: &str| told[key].as_u64().unwrap();
    assert_eq!((count("shed"), told["refused"]["total"].as_u64()), (0, Some(3)), "{told}");
    let reasons = told["refused"]["by_reason"].as_array().unwrap();
    assert_eq!((reasons.len(), reasons[0]["count"].as_u64()), (1, Some(3)), "{told}");
    assert_eq!(reasons[0]["topic"], "city/valletta/lamp/broken/telemetry");
    assert_eq!(count("received"), count("stored") + 3, "{told}");
    assert!(count("stored") as usize >= messages && count("things") as usize >= all.len(), "{told}");
    assert!(told["seconds"].as_f64().unwrap() >= 5.0 && told["messages_per_s"].as_f64().unwrap() > 1.0, "{told}");

    looked_at(db, &all);
    written_out(db, folder.path(), &all);
    peer.leave().await;
}

/// `query` as a person and a program use it.
fn looked_at(db: &str, all: &BTreeMap<String, usize>) {
    let thing = all.keys().next().unwrap();
    let rows: Vec<Value> =
        serde_json::from_str(&said(&fleetlens(&["query", "--db", db, "--thing", thing, "--format", "json"]))).unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["thing"] == thing.as_str()), "{rows:?}");
    assert!(rows.iter().all(|row| row["age_s"].as_i64().unwrap() < 600 && row["source"] == "live"), "{rows:?}");

    let table = said(&fleetlens(&["query", "--db", db, "--kind", "lamp"]));
    let mut lines = table.lines();
    let head = lines.next().unwrap();
    assert!(head.starts_with("thing "), "{table}");
    let column = head.find("pointer").unwrap();
    for line in lines {
        assert_eq!(line.chars().nth(column), Some('/'), "not aligned: {line}");
    }
}

/// `export` with its limits, into a file.
fn written_out(db: &str, folder: &Path, all: &BTreeMap<String, usize>) {
    let (thing, messages) = all.iter().next().unwrap();
    let lines = said(&fleetlens(&["export", "--db", db, "--format", "json", "--thing", thing, "--from", "-1h"]));
    let pointer = serde_json::from_str::<Value>(lines.lines().next().unwrap()).unwrap()["pointer"].clone();
    let pointer = pointer.as_str().unwrap();
    let sheet = folder.join("one.csv");
    let sheet_arg = sheet.to_str().unwrap();
    let one = ["--thing", thing, "--series", pointer, "--from", "-1h", "--to", "now", "--output", sheet_arg];
    said(&fleetlens(&[&["export", "--db", db, "--format", "csv"][..], &one].concat()));
    let sheet = std::fs::read_to_string(sheet).unwrap();
    let rows: Vec<&str> = sheet.split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(rows[0], "thing,pointer,unit,device_time,received_time,value,source,quality,timed");
    assert_eq!(rows.len() - 1, *messages, "{sheet}");
    assert!(rows[1..].iter().all(|row| row.starts_with(&format!("{thing},{pointer},"))), "{sheet}");

    let before = fleetlens(&["export", "--db", db, "--format", "csv", "--from", "-3h", "--to", "-2h"]);
    assert_eq!(said(&before).lines().count(), 1, "the header alone");
    assert!(String::from_utf8_lossy(&before.stderr).contains("no value was measured"));
}

#[test]
fn wrong_words_are_answered_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.db");
    let empty = empty.to_str().unwrap();
    said(&fleetlens(&[
        "collect",
        "--profile",
        "demo",
        "--broker",
        "mqtt://127.0.0.1:1",
        "--db",
        empty,
        "--for",
        "10ms",
    ]));
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "a shopping list").unwrap();
    let list = list.to_str().unwrap();
    let data = folder.path().to_str().unwrap();
    let export = ["export", "--format", "csv", "--db"];
    for (arguments, sentence) in [
        (vec!["collect", "--profile", "nowhere", "--data-dir", data, "--db", empty], "there are demo"),
        (vec!["collect", "--profile", "demo", "--broker", "http://x", "--db", empty], "mqtt://"),
        (vec!["query", "--db", "no-such.db"], "there is no file no-such.db"),
        (vec!["query", "--db", list], "is not a cache of Fleetlens"),
        (vec!["query", "--db", empty, "--kind", "tree"], "there are parking, lamp"),
        (vec!["query", "--db", empty, "--thing", "lamp-1"], "there is no thing \"lamp-1\""),
        ([&export[..], &[empty, "--from", "yesterday"]].concat(), "give 2026-11-21T08:00:00+01:00, -2h or now"),
        ([&export[..], &[empty, "--from", "-1h", "--to", "-2h"]].concat(), "--from must lie before --to"),
        ([&export[..], &[empty, "--from", "-1h", "--output", empty]].concat(), "is the cache itself"),
        ([&export[..], &[empty, "--from", "-1h", "--series", "/x"]].concat(), "no thing has a value \"/x\""),
    ] {
        let output = fleetlens(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(sentence), "{arguments:?}: {said}");
    }
}

/// Somebody who has a broker and no profile: one is proposed, and it reads what the broker says.
#[test]
fn a_profile_is_proposed_and_reads_what_the_broker_says() {
    let Some(broker) = Mosquitto::start("propose") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (url, profile) = (broker.url(), folder.path().join("proposed.toml"));
    let url = url.as_str();
    let heard = std::thread::scope(|scope| {
        let propose = scope.spawn(|| {
            let listen =
                ["propose", "--broker", url, "--listen", "city/#", "--for", "6s", "--name", "Proposed", "--out"];
            fleetlens(&[&listen[..], &[profile.to_str().unwrap()]].concat())
        });
        said(&fleetlens(&["sim", "--broker", url, "--things", "40", "--rate", "80", "--for", "6s"]));
        propose.join().unwrap()
    });
    let told = String::from_utf8_lossy(&heard.stderr).into_owned();
    assert!(heard.status.success() && told.contains("city/{area}/{kind}/{thing}/telemetry"), "{told}");
    let (proposed, demo) = (Profile::read(&profile).unwrap(), Profile::demo().unwrap());
    assert_eq!((proposed.telemetry, proposed.meta), (demo.telemetry, demo.meta), "{told}");
    let again = fleetlens(&[
        "propose",
        "--broker",
        url,
        "--listen",
        "city/#",
        "--for",
        "1s",
        "--out",
        profile.to_str().unwrap(),
    ]);
    assert!(!again.status.success(), "what is there is not overwritten");

    let db = folder.path().join("city.db");
    let collect =
        ["collect", "--json", "--for", "3s", "--profile", profile.to_str().unwrap(), "--db", db.to_str().unwrap()];
    let told: Value = serde_json::from_str(&said(&fleetlens(&collect))).unwrap();
    assert_eq!((&told["things"], &told["refused"]["total"]), (&Value::from(40), &Value::from(0)), "{told}");
}
