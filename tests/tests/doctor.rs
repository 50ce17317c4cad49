//! `fleetlens doctor` with the real program, brokers, files and disks: what is well is called well, beside a program that runs and
//! after it; what is not is named with what to do; and nothing of what it prints is secret.
#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use fleetlens_host::Profile;
use fleetlens_tests::broker::{Mosquitto, free_port};
use fleetlens_tests::disk::SmallDisk;
use fleetlens_tests::papers::Papers;
use fleetlens_tests::place;
use fleetlens_tests::process::{self, Group};
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until_sync;
use rustix::process::Signal;
use serde_json::Value;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(30);

/// Nothing may print it.
const PLANTED: &str = "hunter2-planted";

/// What the doctor found in a folder, and whether it ended well.
struct Found {
    text: String,
    all: Value,
    is_well: bool,
}

impl Found {
    fn of(arguments: &[&str]) -> Found {
        let text = doctor(arguments);
        let json = doctor(&[arguments, &["--json"]].concat());
        assert_eq!(text.status.code(), json.status.code(), "{text:?}");
        let all: Value = serde_json::from_slice(&json.stdout).unwrap_or_else(|e| panic!("{e}: {json:?}"));
        let is_well = json.status.success();
        assert_eq!(all["healthy"], is_well, "{all}");
        assert_eq!(json.status.code(), Some(i32::from(!is_well)));
        let text = String::from_utf8(text.stdout).unwrap();
        for said in [&text, &all.to_string()] {
            assert!(!said.contains(PLANTED), "{said}");
        }
        Found { text, all, is_well }
    }

    fn home(folder: &Path, more: &[&str]) -> Found {
        Found::of(&[&["--data-dir", folder.to_str().unwrap()], more].concat())
    }

    /// The checks of this level as `what: found -> todo`.
    fn of_level(&self, level: &str) -> Vec<String> {
        let checks = self.all["checks"].as_array().unwrap().iter().filter(|check| check["level"] == level);
        let words = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
        checks
            .map(|check| format!("{}: {} -> {}", words(check, "what"), words(check, "found"), words(check, "todo")))
            .collect()
    }

    /// The one fault there is, which says all of these words and what to do.
    fn is_fault(&self, what: &str, words: &[&str]) {
        let faults = self.of_level("fault");
        let [fault] = faults.as_slice() else { panic!("one fault was expected: {faults:?}\n{}", self.text) };
        assert!(fault.starts_with(&format!("{what}: ")) && !fault.ends_with("-> "), "{fault}");
        words.iter().for_each(|word| assert!(fault.contains(word), "it does not say {word:?}: {fault}"));
        assert!(!self.is_well && self.text.contains("1 fault to mend"), "{}", self.text);
    }
}

fn doctor(arguments: &[&str]) -> Output {
    Command::new(place::program("fleetlens")).arg("doctor").args(arguments).output().unwrap()
}

/// A data folder in which this profile is in use.
fn home(folder: &Path, profile: &str) -> PathBuf {
    fs::create_dir_all(folder.join("profiles")).unwrap();
    let file = folder.join("profiles/city.toml");
    fs::write(&file, profile).unwrap();
    if let Ok(profile) = Profile::read(&file) {
        fs::write(folder.join("settings.toml"), format!("profile = \"{}\"\n", profile.name)).unwrap();
        return folder.join(profile.cache_file());
    }
    folder.join("none.db")
}

/// Lets a collector make a cache of some messages, with its log beside it.
fn collected(db: &Path, profile: &Path, broker: &Mosquitto) -> Group {
    let mut command = Command::new(place::program("fleetlens"));
    command.args(["collect", "--db"]).arg(db).arg("--profile").arg(profile);
    let log = place::log("doctor-collect");
    let collect = Group::spawn(&mut command, &log, process::Output::Logged);
    until_sync("the collector listens", SOON, || {
        if broker.log().contains("Sending SUBACK") { Ok(()) } else { Err(place::tail(&log)) }
    });
    let city = ["sim", "--broker", &broker.url(), "--things", "40", "--rate", "200", "--for", "3s"].map(str::to_owned);
    let sim = Command::new(place::program("fleetlens")).args(city).output().unwrap();
    assert!(sim.status.success(), "{}", String::from_utf8_lossy(&sim.stderr));
    collect
}

/// Where a program that has a cache tells how it stands.
fn standing_of(cache: &Path) -> PathBuf {
    PathBuf::from(format!("{}.standing.json", cache.display()))
}

fn entries(found: &Found, kind: &str) -> u64 {
    let kinds = found.all["diagnostics"]["cache"]["kinds"].as_array().unwrap();
    kinds.iter().find(|of| of[0] == kind).unwrap()[1]["entries"].as_u64().unwrap()
}

#[test]
fn what_is_well_is_called_well_while_the_program_runs_and_after() {
    let Some(broker) = Mosquitto::start("doctor") else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = home(folder.path(), &ProfileText::new("Harbour", broker.url()).toml());
    let collect = collected(&cache, &folder.path().join("profiles/city.toml"), &broker);

    let beside = Found::home(folder.path(), &[]);
    assert!(beside.is_well && beside.of_level("fault").is_empty(), "{}", beside.text);
    assert!(entries(&beside, "tail") + entries(&beside, "samples") > 50, "{}", beside.text);
    assert_eq!(entries(&beside, "things"), 40);
    let ok = beside.of_level("ok").join("\n");
    for words in
        ["broker: 127.0.0.1 is 127.0.0.1", "let us in without a name", "SQLite sees no damage", "\"Harbour\" is in use"]
    {
        assert!(ok.contains(words), "it does not say {words:?}: {ok}");
    }
    assert!(ok.contains("app: it told"), "{ok}");
    for words in ["Engine, as told ", "commits", "writer's queue", "inbox ", "Drops since the start"] {
        assert!(beside.text.contains(words), "it does not say {words:?}: {}", beside.text);
    }
    let standing = standing_of(&cache);
    let told = fs::read_to_string(&standing).unwrap();
    process::signal(collect.id(), Signal::INT);
    assert!(
        collect.end().success(),
        "it was disturbed: {}",
        place::tail(&place::results().join("logs/doctor-collect.log"))
    );

    let log = fs::read_to_string(folder.path().join("logs/fleetlens.log")).unwrap();
    assert!(log.contains("the log begins") && log.contains("connected"), "{log}");

    let after = Found::home(folder.path(), &["--offline"]);
    assert!(after.is_well && after.text.contains("not asked, as you wish"), "{}", after.text);
    assert!(after.all["diagnostics"]["link"].is_null(), "what does not run has no figures");
    assert!(
        after.of_level("ok").join("").contains("app: none tells that it runs with this cache") && !standing.exists()
    );
    // One that ended without a word.
    let mut told: Value = serde_json::from_str(&told).unwrap();
    told["made_ms"] = (told["made_ms"].as_i64().unwrap() - 3_600_000).into();
    fs::write(&standing, told.to_string()).unwrap();
    let ended = Found::home(folder.path(), &["--offline"]);
    assert!(ended.of_level("warn").join("").contains("and nothing since"), "{}", ended.text);
    assert!(ended.is_well && ended.text.contains("Engine, as told 1 h ago"), "{}", ended.text);
    fs::remove_file(&standing).unwrap();
    let alone = Found::of(&["--db", cache.to_str().unwrap()]);
    assert!(alone.is_well && entries(&alone, "things") == 40, "{}", alone.text);

    // A cache that is damaged, in the middle of its things.
    let mut bytes = fs::read(&cache).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..].fill(0xA5);
    fs::write(&cache, &bytes).unwrap();
    let damaged = Found::home(folder.path(), &["--offline"]);
    damaged.is_fault("cache", &["salvages what can be read"]);
    fs::write(&cache, "no database at all").unwrap();
    Found::home(folder.path(), &["--offline"]).is_fault("cache", &["not a database"]);
    fs::write(folder.path().join(format!("{}.broken-7", cache.file_name().unwrap().to_str().unwrap())), "").unwrap();
    fs::remove_file(&cache).unwrap();
    let aside = Found::home(folder.path(), &["--offline"]);
    assert!(
        aside.is_well && aside.of_level("warn").join("").contains("1 damaged caches were moved aside"),
        "{}",
        aside.text
    );
}

#[test]
fn a_broker_that_is_away_and_a_password_that_is_wrong_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    home(folder.path(), &ProfileText::new("Harbour", format!("mqtt://127.0.0.1:{}", free_port())).toml());
    Found::home(folder.path(), &[]).is_fault("broker", &["127.0.0.1", "see whether the broker runs"]);
    home(folder.path(), &ProfileText::new("Harbour", "mqtt://no-such-host.invalid".into()).toml());
    Found::home(folder.path(), &[]).is_fault("broker", &["nobody knows no-such-host.invalid", "network"]);

    let papers = Papers::made();
    let passwords = papers.at("passwords");
    let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["ada", PLANTED]).status();
    if !made.is_ok_and(|status| status.success()) {
        return place::skip("no mosquitto_passwd");
    }
    let lines =
        |[port]: [u16; 1]| format!("password_file {}\n{}", passwords.display(), papers.listener(port, "server", ""));
    let Some((_broker, [port])) = Mosquitto::start_with("doctor-password", lines) else { return };
    let profile = |ca: &str| {
        format!(
            "name = \"Harbour\"\n[broker]\nurl = \"mqtts://localhost:{port}\"\nuser = \"ada\"\n\
             password = {{ file = \"password\" }}\n{ca}[[telemetry]]\ntemplate = \"city/{{area}}/{{kind}}/{{thing}}/t\"\n"
        )
    };
    let trusted = format!("ca = \"{}\"\n", papers.at("ca.pem").display());
    home(folder.path(), &profile(&trusted));
    let password = folder.path().join("profiles/password");
    let write = |words: &str, mode: u32| {
        fs::write(&password, words).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(mode)).unwrap();
    };
    write(PLANTED, 0o600);
    let right = Found::home(folder.path(), &[]);
    assert!(
        right.is_well && right.text.contains("encrypted, its certificate is trusted, and let us in by name"),
        "{}",
        right.text
    );
    write(&format!("{PLANTED}-not"), 0o600);
    Found::home(folder.path(), &[]).is_fault("broker", &["does not let", "look at user and password"]);
    write(PLANTED, 0o644);
    Found::home(folder.path(), &[]).is_fault("broker", &["chmod 600"]);
    write(PLANTED, 0o600);
    home(folder.path(), &profile(""));
    Found::home(folder.path(), &[]).is_fault("broker", &["who may vouch"]);
}

#[test]
fn secrets_in_wrong_places_are_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let good = "name = \"Harbour\"\n[broker]\nurl = \"mqtt://127.0.0.1:1\"\n[shadows]\nenabled = true\n";
    home(folder.path(), good);
    let bad = |name: &str, broker: &str| {
        let text = format!("name = \"{name}\"\n[broker]\n{broker}\n[shadows]\nenabled = true\n");
        fs::write(folder.path().join(format!("profiles/{name}.toml")), text).unwrap();
    };
    bad("a-address", &format!("url = \"mqtt://ada:{PLANTED}@h\""));
    bad("b-password", &format!("url = \"mqtt://h\"\nuser = \"ada\"\npassword = \"{PLANTED}\""));
    bad("c-query", &format!("url = \"wss://h/mqtt?token={PLANTED}\""));
    bad("d-unknown", &format!("url = \"mqtt://h\"\npass = \"{PLANTED}\""));
    bad("e-broken", &format!("url = \"mqtt://h\"\npassword = \"{PLANTED}"));
    fs::create_dir(folder.path().join("logs")).unwrap();
    let line = format!("2026-11-22T08:00:00.000000Z ERROR x: mqtt://ada:{PLANTED}@h token={PLANTED}\n");
    fs::write(folder.path().join("logs/fleetlens.log"), line).unwrap();
    let found = Found::home(folder.path(), &["--offline"]);
    assert!(found.is_well, "{}", found.text);
    let warnings = found.of_level("warn");
    assert_eq!(warnings.iter().filter(|warning| warning.starts_with("profiles: ")).count(), 5, "{warnings:?}");
    assert!(
        warnings.iter().any(|warning| warning.starts_with("log: the last error: 2026-11-22T08:00:00")),
        "{warnings:?}"
    );
    assert!(found.text.contains("6 warnings to look at"), "{}", found.text);

    // And the one in use.
    for name in ["a-address", "b-password"] {
        fs::write(folder.path().join("settings.toml"), format!("profile = \"{name}\"\n")).unwrap();
        Found::home(folder.path(), &["--offline"]).is_fault("profile", &["line"]);
    }
}

#[test]
fn a_folder_that_cannot_be_written_and_a_disk_without_room_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    Found::home(&file, &["--offline"]).is_fault("folder", &["is no folder"]);
    fs::write(folder.path().join("settings.toml"), "profile = 7").unwrap();
    let broken = Found::home(folder.path(), &["--offline"]);
    assert!(broken.is_well && broken.of_level("warn").join("").starts_with("settings: "), "{}", broken.text);

    let Some(disk) = SmallDisk::mount(8) else { return };
    Found::home(disk.path(), &["--offline"]).is_fault("disk", &["are free", "free some space"]);
    // How it is mounted binds root as well.
    let read_only = Command::new("mount").args(["-o", "remount,ro,size=200m"]).arg(disk.path()).output().unwrap();
    assert!(read_only.status.success(), "{read_only:?}");
    Found::home(disk.path(), &["--offline"]).is_fault("folder", &["cannot be written"]);
}
