//! kill -9 between a person's intent, its commit and its publish, again and again, sometimes together with the broker.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_host::{Host, HostOptions, Profile};
use fleetlens_ipc::rows::Rows;
use fleetlens_ipc::{Done, Intent, Look, ThingsQuery, Wish};
use fleetlens_sim::CityOptions;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::place;
use fleetlens_tests::process::{Group, Output};
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::town::Town;
use fleetlens_tests::wait::until;

use crate::judged::{all_end, counted, ended, faults};

/// Where the child finds its profile and keeps its cache.
const FOLDER: &str = "FLEETLENS_TEST_OUTBOX";
/// How often the app is killed; every third time the broker is as well.
const LIVES: usize = 12;
/// So many that each is asked for no more than the cache keeps of it.
const THINGS: usize = 48;
/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(60);
/// What is not obeyed by then, because its app was dead, is over.
const EXPIRES_MS: u64 = 15_000;

fn options(folder: &Path) -> HostOptions {
    HostOptions { profile: Some(folder.join("profile.toml")), demo: None, ..HostOptions::demo(folder.join("data")) }
}

/// Lines in a file that the child writes.
fn lines(folder: &Path, file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The child: this same test program, told by the parent to run only this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of `a_command_is_never_lost_nor_done_twice_whenever_the_app_is_killed`; runs until it is killed"]
async fn child_asks_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("run by its parent"));
    let host = Arc::new(Host::start(options(&folder)).await.unwrap());
    let mut desk = Desk::attach(&host).await;
    let query = ThingsQuery::default();
    let table = desk.look(Look::Things { query, first: 0, count: THINGS as u32, again: false }).await;
    let things = desk
        .wait_for("every thing", SOON, |desk| match desk.rows(table) {
            Some(Rows::Things(page)) if page.rows.len() == THINGS => Ok(page.rows.clone()),
            other => Err(format!("{other:?}")),
        })
        .await;
    let append = |file: &str| -> File { OpenOptions::new().append(true).create(true).open(folder.join(file)).unwrap() };
    let (mut asked, mut answered) = (append("asked"), append("answered"));
    for n in lines(&folder, "asked").len().. {
        let thing = &things[n % THINGS];
        let page = desk.look(Look::Thing { thing: thing.thing }).await;
        let seen_json = desk.leaf(page, "/interval_s").and_then(|leaf| leaf.desired.clone());
        desk.look_away(page).await;
        // A value that nobody asked for before.
        let value_json = (600 + 5 * (n / THINGS)).to_string();
        writeln!(asked, "{} {value_json}", thing.name).unwrap();
        let wishes = vec![Wish { pointer: "/interval_s".into(), value_json, seen_json }];
        let intent =
            Intent::Command { thing: thing.thing, shadow: String::new(), wishes, expires_in_ms: Some(EXPIRES_MS) };
        match desk.ask(intent).await {
            Ok(Done::Command(id)) => writeln!(answered, "{}", id.0).unwrap(),
            other => panic!("asked for a command and got {other:?}"),
        }
    }
}

fn spawn_child(folder: &Path, log: &Path) -> Group {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "killed::child_asks_until_it_is_killed", "--ignored", "--nocapture"]).env(FOLDER, folder);
    Group::spawn(&mut child, log, Output::Logged)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_never_lost_nor_done_twice_whenever_the_app_is_killed() {
    let Some(mut broker) = Mosquitto::start("outbox-killed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Killed", broker.url()).write(folder.path());
    let log = place::log("outbox-child");
    let town = Town::start(&broker.url(), &CityOptions { things: THINGS, seed: 5, ..CityOptions::default() }).await;

    for life in 0..LIVES {
        let before = lines(folder.path(), "asked").len();
        let child = spawn_child(folder.path(), &log);
        // Sometimes right after the first one is asked for, sometimes with many on their way, of which some are done.
        let enough = before + [1, 2, 40, 3, 90, 7][life % 6];
        until("the app to ask", SOON, async || match lines(folder.path(), "asked").len() {
            asked if asked >= enough => Ok(()),
            asked => Err(format!("{asked} of {enough}; {}", place::tail(&log))),
        })
        .await;
        if life % 3 == 2 {
            broker.kill();
        }
        child.kill();
        if life % 3 == 2 {
            broker.start_again();
        }
    }

    // The last life is allowed to finish.
    let host = Arc::new(Host::start(HostOptions { started: Instant::now(), ..options(folder.path()) }).await.unwrap());
    let desk = Desk::attach(&host).await;
    all_end(host, desk, SOON).await;

    let cache = folder.path().join("data").join(Profile::read(&profile).unwrap().cache_file());
    let ended = ended(&cache, "Killed").await;
    let (asked, answered) = (lines(folder.path(), "asked"), lines(folder.path(), "answered"));
    let kept = |id: &String| ended.iter().any(|one| one.command.id.0.to_string() == *id);
    let lost: Vec<&String> = answered.iter().filter(|id| !kept(id)).collect();
    assert!(lost.is_empty(), "of {} that were answered these are lost: {lost:?}", answered.len());
    assert!(ended.len() <= asked.len(), "{} commands, and {} were asked for", ended.len(), asked.len());
    let history: BTreeMap<_, _> = town.names.iter().map(|name| (name.clone(), town.did(name))).collect();
    let again = town.accepted_again();
    assert!(again.is_empty(), "accepted again:\n{}", again.join("\n"));
    let shadows = town.stop().await;
    let wrong = faults(&ended, &shadows, |name| history[name].clone(), |_| true);
    let counted = counted(&ended);
    assert!(wrong.is_empty(), "{} of {} ({counted:?}):\n{}", wrong.len(), ended.len(), wrong.join("\n"));
    assert!(counted.contains_key("settled"), "nothing was done: {counted:?}");
    println!("{} asked for, {} answered, {counted:?}", asked.len(), answered.len());
}
