//! A profile whose password is in the system's keychain: stored by `fleetlens password`, taken by a connection, and every way in
//! which there is none told in words, soon.
#![cfg(test)]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::papers::Papers;
use fleetlens_tests::place;
use fleetlens_tests::vault::{Bus, Lock, Vault};
use serde_json::Value;

/// More than the keychain is given to answer, much less than a person is.
const SOON: Duration = Duration::from_secs(15);

/// Where nobody serves a bus.
const NO_BUS: &str = "unix:path=/nonexistent/bus";

/// Runs `fleetlens` on this bus, with a line piped in, and says how long it took.
fn fleetlens(bus: &str, arguments: &[&str], piped: &str) -> (Output, Duration) {
    let start = Instant::now();
    let mut program = Command::new(place::program("fleetlens"));
    program.args(arguments).env("DBUS_SESSION_BUS_ADDRESS", bus).env("RUST_LOG", "info");
    let mut program =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("fleetlens starts");
    // A program that wants no password may be gone by now.
    let _ = program.stdin.take().map(|mut stdin| stdin.write_all(piped.as_bytes()));
    let output = program.wait_with_output().expect("fleetlens ends");
    (output, start.elapsed())
}

/// What is done with a bus while the test serves it must not stand in the way of that.
async fn fleetlens_meanwhile(bus: &str, arguments: &[&str], piped: &'static str) -> (Output, Duration) {
    let (bus, arguments) = (bus.to_owned(), arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
    tokio::task::spawn_blocking(move || {
        fleetlens(&bus, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), piped)
    })
    .await
    .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn without_a_keychain_everything_ends_soon_and_says_what_else_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("city.toml");
    let text = "name = \"city\"\n[broker]\nurl = \"mqtt://127.0.0.1:1\"\nuser = \"ada\"\n\
                password = { keychain = \"city\" }\n[shadows]\nenabled = true\n";
    fs::write(&profile, text).unwrap();
    let cache = folder.path().join("city.db");
    let (profile, cache) = (profile.to_str().unwrap(), cache.to_str().unwrap());
    let collect = ["collect", "--json", "--for", "2s", "--profile", profile, "--db", cache];

    let Some(empty) = Bus::start("keychain-none") else { return };
    let Some(mute) = Bus::start("keychain-mute") else { return };
    let _mute = Vault::start(&mute, Lock::Mute).await;
    for (bus, says) in [
        (NO_BUS, "this system has no keychain that can be asked"),
        (empty.address(), "this system has no keychain that can be asked"),
        (mute.address(), "the keychain does not answer"),
    ] {
        let (output, took) = fleetlens_meanwhile(bus, &["password", "set", "city"], "hunter2\n").await;
        let why = said(&output);
        assert!(!output.status.success() && why.contains(says), "{bus}: {why}");
        assert!(why.contains("{ file = ") && why.contains("{ env = ") && !why.contains("hunter2"), "{why}");
        assert!(took < SOON, "{bus}: {took:?}");
    }
    // The link says the same, and the program ends when it is to.
    for bus in [NO_BUS, empty.address(), mute.address()] {
        let (output, took) = fleetlens_meanwhile(bus, &collect, "").await;
        assert!(output.status.success() && took < SOON, "{bus}: {took:?}: {}", said(&output));
        assert!(bus == mute.address() || said(&output).contains("has no keychain"), "{bus}: {}", said(&output));
    }
}

#[tokio::test]
async fn a_stored_password_opens_the_broker_and_a_locked_keychain_asks_once() {
    let papers = Papers::made();
    let passwords = papers.at("passwords");
    let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["ada", "hunter2"]).status();
    if !made.is_ok_and(|status| status.success()) {
        return place::skip("no mosquitto_passwd");
    }
    let lines =
        |[port]: [u16; 1]| format!("password_file {}\n{}", passwords.display(), papers.listener(port, "server", ""));
    let Some((_broker, [port])) = Mosquitto::start_with("keychain", lines) else { return };
    let profile = papers.at("city.toml");
    let text = format!(
        "name = \"city\"\n[broker]\nurl = \"mqtts://localhost:{port}\"\nuser = \"ada\"\nca = \"ca.pem\"\n\
         password = {{ keychain = \"city\" }}\n[shadows]\nenabled = true\n"
    );
    fs::write(&profile, text).unwrap();
    let cache = papers.at("city.db");
    let (profile, cache) = (profile.to_str().unwrap(), cache.to_str().unwrap());
    let collect = ["collect", "--json", "--for", "6s", "--profile", profile, "--db", cache];

    let Some(bus) = Bus::start("keychain") else { return };
    let vault = Vault::start(&bus, Lock::Open).await;
    let on = bus.address();
    let (output, _) = fleetlens_meanwhile(on, &["password", "clear", "city"], "").await;
    assert!(said(&output).contains("fleetlens password set city"), "{}", said(&output));

    let (output, _) = fleetlens_meanwhile(on, &collect, "").await;
    assert!(said(&output).contains("the keychain holds no password"), "{}", said(&output));
    for (password, lock) in [("terces\n", Lock::Open), ("hunter2\n", Lock::Opens)] {
        vault.set(lock);
        let (output, _) = fleetlens_meanwhile(on, &["password", "set", "city"], password).await;
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(vault.passwords(), [("city".to_owned(), password.trim().to_owned())]);
    }
    assert_eq!(vault.asked(), 1, "to store one in a locked keychain");

    for (lock, asked, says) in [
        (Lock::Open, 1, "connected"),
        (Lock::Opens, 2, "connected"),
        // The link tries again and again; the person has said no.
        (Lock::Stays, 3, "the keychain is locked"),
    ] {
        vault.set(lock);
        let (output, _) = fleetlens_meanwhile(on, &collect, "").await;
        let log = said(&output);
        assert!(log.contains(says) && !log.contains("hunter2"), "{lock:?}: {log}");
        assert_eq!(vault.asked(), asked, "{lock:?}: {log}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["refused"]["total"], 0, "{told}");
    }
    assert_eq!(vault.passwords().len(), 1);
    vault.set(Lock::Open);
    let (output, _) = fleetlens_meanwhile(on, &["password", "clear", "city"], "").await;
    assert!(output.status.success() && vault.passwords().is_empty(), "{}", said(&output));
}
