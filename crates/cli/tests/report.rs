//! `fleetlens report` as a shell sees it: on a cache that the app has open, and where there is none to tell of.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use fleetlens_host::model::alarm::state::State;
use fleetlens_host::model::alarm::{Alarm, Priority};
use fleetlens_host::model::id::{AlarmId, ThingKey, ThingName};
use fleetlens_host::model::record::Write;
use fleetlens_host::model::thing::Meta;
use fleetlens_host::model::time::WallMs;
use fleetlens_store::Store;

/// 2026-05-28T20:26:40Z.
const T0: i64 = 1_780_000_000_000;

const SPAN: [&str; 4] = ["--from", "2026-05-28T22:00:00+02:00", "--to", "2026-05-29T00:00:00+02:00"];

fn report(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fleetlens")).arg("report").args(arguments).output().unwrap()
}

/// Why it failed.
fn refused(arguments: &[&str]) -> String {
    let output = report(arguments);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A cache of the demo's profile with an alarm, open.
async fn open(path: &Path) -> Store {
    let (store, _) = Store::open(path, "demo", 1).unwrap();
    let alarm = Alarm {
        id: AlarmId(1),
        thing: ThingKey(1),
        rule: "silent".into(),
        name: "silent".into(),
        priority: Priority::Warning,
        sentence: "said nothing for 6 min".into(),
        what_to_do: "Look at it.".into(),
        assigned: String::new(),
        state: State::told(WallMs(T0), None, 1, None),
    };
    let meta = Box::new(Meta { title: "Lamp <1>".into(), ..Meta::default() });
    let lamp = Write::Thing { thing: ThingKey(1), name: ThingName::new("lamp-1").unwrap(), meta };
    store.commit(Arc::new(vec![lamp, Write::Alarm(Box::new(alarm))])).await.unwrap();
    store
}

#[tokio::test]
async fn it_writes_a_page_of_the_cache_that_the_app_has_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("demo.db")).await;
    let data = folder.path().to_str().unwrap();
    let out = folder.path().join("night.html");
    let of = ["--profile", "demo", "--data-dir", data, "--zone", "Europe/Malta", "--out", out.to_str().unwrap()];
    let output = report(&[&SPAN[..], &of].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let page = fs::read_to_string(&out).unwrap();
    for part in [
        "Thu 28 May 2026",
        "Europe/Malta (UTC+2)",
        "22:26:40",
        "Lamp &lt;1&gt;",
        "said nothing for 6 min",
        "Look at it.",
    ] {
        assert!(page.contains(part), "{part}");
    }

    // The same cache by its file, and the page for the next program.
    let db = folder.path().join("demo.db");
    let db = db.to_str().unwrap();
    let output = report(&[&SPAN[..], &["--db", db, "--zone", "UTC"]].concat());
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && page.starts_with("<!DOCTYPE html>") && page.contains("20:26:40"));
    store.close().await.unwrap();

    let onto = refused(&[&SPAN[..], &["--db", db, "--out", db]].concat());
    assert!(onto.contains("is the cache itself; write to another file"), "{onto}");
    // Nobody chose a profile: it is the demo city's.
    assert!(report(&[&SPAN[..], &["--data-dir", data]].concat()).status.success());
}

#[test]
fn what_cannot_be_told_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let no_cache = folder.path().join("list.db");
    fs::write(&no_cache, "a shopping list").unwrap();
    let no_cache = no_cache.to_str().unwrap();
    let at = |from: &'static str, to: &'static str| [&["--db", no_cache, "--from", from, "--to", to][..]].concat();
    for (arguments, sentence) in [
        ([&SPAN[..], &["--profile", "demo", "--data-dir", data]].concat(), "the profile \"Demo city\" has no cache in"),
        ([&SPAN[..], &["--profile", "gozo", "--data-dir", data]].concat(), "there is no profile \"gozo\""),
        ([&SPAN[..], &["--db", "nowhere.db"]].concat(), "there is no file nowhere.db"),
        ([&SPAN[..], &["--db", no_cache]].concat(), "is not a cache of Fleetlens"),
        (at("-1h", "-2h"), "--from must lie before --to"),
        (at("-1h", "-1h"), "--from must lie before --to"),
        (at("9998-01-01T00:00:00Z", "9998-01-02T00:00:00Z"), "which is still to come; --from must lie before now"),
        (at("yesterday", "now"), "\"yesterday\" is no time; give 2026-11-21T08:00:00+01:00, -2h or now"),
        ([&SPAN[..], &["--db", no_cache, "--zone", "Malta"]].concat(), "\"Malta\" is no time zone"),
        (vec!["--db", no_cache], "--from"),
        ([&SPAN[..], &["--db", no_cache, "--profile", "demo"]].concat(), "cannot be used with"),
    ] {
        let said = refused(&arguments);
        assert!(said.contains(sentence), "{arguments:?}: {said}");
    }
}
