//! The audit log through the whole app: what a person asks of a lamp of the demo city is told step by step, `fleetlens audit` writes it
//! out while the app runs, and finds what was done to it afterwards.
#![cfg(test)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use fleetlens_host::{CityOptions, Host, HostOptions};
use fleetlens_ipc::rows::FoundRow;
use fleetlens_ipc::{Intent, Look};
use fleetlens_model::command::Phase;
use fleetlens_model::kind::Kind;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::person::SOON;
use fleetlens_tests::place;
use rusqlite::Connection;
use serde_json::Value;

fn fleetlens(arguments: &[&str]) -> Output {
    Command::new(place::program("fleetlens")).args(arguments).output().unwrap()
}

/// Whether it ended with 0, and what it printed.
fn verify(db: &str, noted: &[&str]) -> (bool, String) {
    let noted = noted.iter().flat_map(|head| ["--noted", head]);
    let arguments: Vec<&str> = ["audit", "verify", "--db", db].into_iter().chain(noted).collect();
    let output = fleetlens(&arguments);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn exported(db: &str, filter: &[&str]) -> Vec<Value> {
    let arguments = [&["audit", "export", "--db", db, "--format", "json"], filter].concat();
    let output = fleetlens(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn some_lamp(desk: &mut Desk) -> FoundRow {
    let view = desk.look(Look::Find { text: "lamp".to_owned(), limit: 50 }).await;
    desk.wait_for("a lamp in the find box", SOON, |desk| {
        let found = desk.found(view);
        found.iter().find(|row| row.kind == Kind::Lamp).cloned().ok_or_else(|| format!("{} rows", found.len()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_asked_is_told_whole_and_what_was_done_to_the_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let city = CityOptions { things: 120, rate: Some(60.0), seed: 7, ..CityOptions::default() };
    let options = HostOptions { demo: Some(city), ..HostOptions::demo(folder.path()) };
    let host = Arc::new(Host::start(options).await.unwrap());
    let mut desk = Desk::attach(&host).await;
    let lamp = some_lamp(&mut desk).await;
    let page = desk.look(Look::Thing { thing: lamp.thing }).await;
    desk.wait_for("the lamp's shadow", SOON, |desk| desk.leaf(page, "/dim_pct").map(drop).ok_or("none".into())).await;
    let command = desk.command(page, "/dim_pct", "35").await.unwrap();
    desk.wait_for("the lamp to obey", SOON, |desk| match desk.command_row(page, command) {
        Some(row) if row.phase == Phase::Settled => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    // Over, so that this is refused.
    desk.ask(Intent::CancelCommand { command }).await.unwrap_err();

    // The app has the file open meanwhile.
    let db = folder.path().join("demo.db");
    let db = db.to_str().unwrap();
    let (whole, said) = verify(db, &[]);
    assert!(whole && said.contains("is whole: "), "{said}");
    let all = exported(db, &["--thing", &lamp.name]);
    let mut events: Vec<&str> = all.iter().map(|row| row["event"].as_str().unwrap()).collect();
    // The broker's word and the service's come as they like.
    assert!(events.contains(&"acknowledged"), "{all:?}");
    events.retain(|event| *event != "acknowledged");
    // The lamp may have said something else meanwhile, and the command is sent again on that version.
    events.dedup();
    let life = ["asked", "committed", "published", "accepted", "settled", "refused"];
    assert_eq!(events, life, "{all:?}");
    let trace = all[0]["trace"].as_str().unwrap();
    assert_eq!(trace.len(), 26);
    assert_eq!(exported(db, &["--trace", &trace.to_lowercase()]), all);
    assert!(all.iter().skip(1).all(|row| row["after_ms"].is_u64() == (row["event"] != "refused")), "{all:?}");
    assert_eq!(exported(db, &["--text", "DIM_PCT", "--newest", "1"]), [all[0].clone()]);
    assert_eq!(exported(db, &["--from", "-1h", "--actor", all[0]["actor"].as_str().unwrap()]).len(), 2);
    assert!(exported(db, &["--to", "-1h"]).is_empty());
    desk.detach().await;
    host.stop().await;

    let (_, said) = verify(db, &[]);
    let last = said.trim_end().rsplit_once("the last: ").unwrap().1.to_owned();
    written_out(db, folder.path(), &all);
    let accepted = all.iter().find(|row| row["event"] == "accepted").unwrap();
    found_out(db, folder.path(), accepted["seq"].as_u64().unwrap(), &last);
}

/// As a sheet, into a file.
fn written_out(db: &str, folder: &Path, all: &[Value]) {
    let sheet = folder.join("audit.csv");
    let into = sheet.to_str().unwrap();
    let output = fleetlens(&["audit", "export", "--db", db, "--format", "csv", "--output", into]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let written = std::fs::read_to_string(&sheet).unwrap();
    let lines: Vec<&str> = written.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "seq,at_ms,by,actor,role,thing,shadow,command,trace,event,after_ms,detail,time,hash");
    assert_eq!(lines.len(), 1 + all.len(), "{written}");
    for (line, row) in lines.iter().skip(1).zip(all) {
        assert!(line.ends_with(row["hash"].as_str().unwrap()), "{line}");
    }
    let onto = fleetlens(&["audit", "export", "--db", db, "--format", "csv", "--output", db]);
    assert!(!onto.status.success(), "{onto:?}");
}

/// A row is changed with other tools, and then the log cut before it.
fn found_out(db: &str, folder: &Path, row: u64, last: &str) {
    let changed = folder.join("changed.db");
    let cut = folder.join("cut.db");
    for (copy, sql, want) in [
        (
            &changed,
            format!("UPDATE audit SET detail = 'version 99' WHERE seq = {row}"),
            format!("row {row} was changed"),
        ),
        (
            &cut,
            format!(
                "DELETE FROM audit WHERE seq >= {row}; UPDATE meta SET value = {} WHERE name = 'last_audit'",
                row - 1
            ),
            String::new(),
        ),
    ] {
        std::fs::copy(db, copy).unwrap();
        let at = Connection::open(copy).unwrap();
        at.execute_batch("DROP TRIGGER audit_unchanged; DROP TRIGGER audit_unshortened").unwrap();
        at.execute_batch(&sql).unwrap();
        drop(at);
        let (whole, said) = verify(copy.to_str().unwrap(), &[]);
        assert!(!whole && said.contains("is broken: ") && said.contains(&want), "{said}");
    }
    // Also where the cache's own note was made to fit, by what was noted elsewhere.
    let at = Connection::open(&cut).unwrap();
    at.execute_batch(
        "UPDATE meta SET value = (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1) WHERE name = 'audit_hash'",
    )
    .unwrap();
    drop(at);
    let cut = cut.to_str().unwrap();
    assert!(verify(cut, &[]).0);
    let (whole, said) = verify(cut, &[last]);
    assert!(!whole && said.contains(" missing"), "{said}");
    assert!(verify(db, &[last]).0);
    let wrong = fleetlens(&["audit", "verify", "--db", db, "--noted", "seven"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("\"seven\" is no row"), "{wrong:?}");
}
