//! kill -9 in the middle: the app is killed again and again while messages pour in, and at the end every one of them is in
//! the cache, once. What was acknowledged must be on the disk, and what comes again must be known.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_host::{Host, HostOptions, Profile};
use fleetlens_ipc::Look;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;
use fleetlens_tests::process::{Group, Output};
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;
use serde_json::json;

/// Where the child finds its profile and keeps its cache.
const FOLDER: &str = "FLEETLENS_TEST_KILL";
/// The app's name with the broker.
const CLIENT: &str = "fleetlens-kill";
/// How often the app is killed.
const LIVES: usize = 50;
/// And at most so often, until a message came twice.
const LIVES_MAX: usize = 8 * LIVES;
/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(30);
/// A number here makes the moments of the kills those of an earlier run, as far as two processes can be.
const SEED: &str = "FLEETLENS_TEST_KILL_SEED";

fn options(folder: &Path) -> HostOptions {
    HostOptions { profile: Some(folder.join("profile.toml")), demo: None, ..HostOptions::demo(folder.join("data")) }
}

/// The child: this same test program, told by the parent to run only this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of `every_message_is_there_once_whenever_the_app_is_killed`; runs until it is killed"]
async fn child_listens_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("run by its parent"));
    let host = Host::start(options(&folder)).await.unwrap();
    panic!("{}", host.failed().await);
}

fn spawn_child(folder: &Path, log: &Path) -> Group {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child_listens_until_it_is_killed", "--ignored", "--nocapture"]).env(FOLDER, folder);
    Group::spawn(&mut child, log, Output::Logged)
}

/// A small generator (SplitMix64), so that a seed is all the randomness there is.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, from: u64, to: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        from + (z ^ (z >> 31)) % (to - from + 1)
    }
}

/// Message `n` in a series of its own, so that a value that came twice cannot hide behind one that did not come. Every second
/// one has no time of its own: of those a redelivery can only be known by its packet.
async fn publish(peer: &Peer, n: u64) {
    let topic = format!("city/valletta/lamp/lamp-{:04}/telemetry", n / 100);
    let mut payload = json!({ "values": { format!("n{n}"): n } });
    if n.is_multiple_of(2) {
        payload["ts"] = now_ms().into();
    }
    peer.publish(&topic, payload.to_string()).await;
}

fn is_message(message: &fleetlens_link::Message, n: u64) -> Option<()> {
    String::from_utf8_lossy(&message.payload).contains(&format!("\"n{n}\":")).then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_there_once_whenever_the_app_is_killed() {
    let Some(broker) = Mosquitto::start("kill") else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText { client_id: Some(CLIENT.into()), ..ProfileText::new("Kill", broker.url()) };
    let profile = text.write(folder.path());
    let log = place::log("kill-child");
    let peer = Peer::connect(&broker.url(), "publisher", &["city/#"]).await;

    let given = std::env::var(SEED).ok().map(|seed| seed.parse().expect("a seed is a number"));
    let seed = given.unwrap_or_else(|| now_ms().cast_unsigned());
    println!("{SEED}={seed} kills at the same moments");
    let mut dice = Dice(seed);
    let mut published = 0;
    let redelivered = || broker.log().lines().filter(|line| line.contains(&format!("to {CLIENT} (d1, q1"))).count();
    let mut life = 0;
    // Where the disk is fast everything may be acknowledged before each kill; then it is killed more often.
    while life < LIVES || redelivered() == 0 && life < LIVES_MAX {
        life += 1;
        let child = spawn_child(folder.path(), &log);
        until("the app to have subscribed", SOON, async || {
            let log = broker.log();
            let subscribed = log.lines().filter(|line| line.contains(&format!("Sending SUBACK to {CLIENT}"))).count();
            if subscribed >= life {
                Ok(())
            } else {
                Err(format!("{subscribed} times; {}", place::tail(broker.log_file())))
            }
        })
        .await;
        let first = published + 1;
        published += dice.roll(10, 200);
        for n in first..=published {
            publish(&peer, n).await;
        }
        // The broker has passed this one on; the app is somewhere between there and the disk.
        let passed_on = dice.roll(first, first + (published - first) / 4);
        peer.wait_for(&format!("message {passed_on}"), |message| is_message(message, passed_on)).await;
        peer.forget();
        child.kill();
    }
    published += 1;
    publish(&peer, published).await;

    // The last life is allowed to finish.
    let host = Arc::new(Host::start(HostOptions { started: Instant::now(), ..options(folder.path()) }).await.unwrap());
    let mut desk = Desk::attach(&host).await;
    let found = desk.look(Look::Find { text: format!("lamp-{:04}", published / 100), limit: 10 }).await;
    let last = desk
        .wait_for("the thing of the last message", SOON, |desk| {
            desk.found(found).first().map(|row| row.thing).ok_or_else(|| "nothing found".to_owned())
        })
        .await;
    let page = desk.look(Look::Thing { thing: last }).await;
    desk.wait_for("the last message", SOON, |desk| {
        desk.value(page, &format!("/n{published}"))
            .map(drop)
            .ok_or_else(|| format!("{} values", desk.page(page).values.len()))
    })
    .await;
    desk.detach().await;
    host.stop().await;
    drop(host);

    let redelivered = redelivered();
    assert!(redelivered > 0, "no message came twice, so nothing was tested");
    let seen = stored(&folder.path().join("data").join(Profile::read(&profile).unwrap().cache_file())).await;
    let wrong: Vec<String> = (1..=published)
        .filter_map(|n| match seen.get(&format!("/n{n}")) {
            Some((1, value)) if *value == n as f64 => None,
            other => Some(format!("{n}: {other:?}")),
        })
        .collect();
    assert!(wrong.is_empty(), "of {published} messages ({redelivered} came again) these are not there once: {wrong:?}");
    assert_eq!(seen.len() as u64, published, "something is there that nobody sent");
    println!("{published} messages over {life} kills, {redelivered} came again, each is there once");
}

/// How many samples each series holds, and the last of them.
async fn stored(path: &Path) -> BTreeMap<String, (u32, f64)> {
    let (store, restored) = Store::open(path, "Kill", 0).unwrap();
    let mut seen = BTreeMap::new();
    for (series, _, pointer) in restored.series {
        let all = HistoryQuery {
            series,
            from_ms: WallMs(0),
            to_ms: WallMs(now_ms() + 86_400_000),
            bucket_ms: 1,
            up_to_seq: u64::MAX,
        };
        let history = store.history(all).await.unwrap();
        let count = history.iter().map(|bucket| bucket.count).sum();
        let last = history.last().map_or(f64::NAN, |bucket| bucket.last);
        assert!(seen.insert(pointer.to_string(), (count, last)).is_none(), "two series of one name");
    }
    store.close().await.unwrap();
    seen
}
