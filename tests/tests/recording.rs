//! Recording and replaying: what a broker delivered comes again, to the byte and in its order, and ends in the same state.
#![cfg(test)]

#[path = "recording/odd.rs"]
mod odd;
#[path = "recording/played.rs"]
mod played;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
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
use serde_json::{Value, json};

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(30);

/// What everybody hears last.
const LAST: &str = "lamp-last";

fn fleetlens(arguments: &[&str]) -> Output {
    Command::new(place::program("fleetlens")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The summary of a verb that has come to its end.
fn summary(output: &Output) -> Value {
    serde_json::from_str(&said(output)).unwrap()
}

/// A `record` or `collect` that listens.
struct Listener {
    group: Group,
    log: PathBuf,
}

impl Listener {
    /// Starts it and waits until the broker has answered for its topics.
    fn start(name: &str, broker: &Mosquitto, client_id: &str, arguments: &[&str]) -> Listener {
        let mut command = Command::new(place::program("fleetlens"));
        command.args(arguments).arg("--json");
        let log = place::log(&format!("recording-{name}"));
        let group = Group::spawn(&mut command, &log, process::Output::Read);
        until_sync(&format!("{name} listens"), SOON, || {
            let listens = broker.log().contains(&format!("Sending SUBACK to {client_id}"));
            if listens { Ok(()) } else { Err(place::tail(&log)) }
        });
        Listener { group, log }
    }

    /// Ends it as Ctrl-C does; gives its summary.
    fn end(mut self) -> Value {
        let mut stdout = self.group.take_stdout();
        process::signal(self.group.id(), Signal::INT);
        assert!(self.group.end().success(), "{}", place::tail(&self.log));
        let mut told = String::new();
        stdout.read_to_string(&mut told).unwrap();
        serde_json::from_str(&told).unwrap()
    }
}

/// The lines of a file after the first; a last one without its end is none.
fn messages_in(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
    whole.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a cache says, by thing, pointer and the device's time.
///
/// The same after every replay: which things there are, every value with the time its device gave it, and which is the latest. Not
/// the same: when it was received and, where a message carries no time, the time of its values, because our clock gave both; and
/// whether the broker had kept a message before the recorder came, since whoever listens to a replay is there when it is published.
type State = BTreeMap<(String, String, Option<String>), (Value, Value)>;

fn state(db: &str) -> State {
    let mut state = State::new();
    let latest: Vec<Value> =
        serde_json::from_str(&said(&fleetlens(&["query", "--db", db, "--format", "json"]))).unwrap();
    let lines = said(&fleetlens(&["export", "--db", db, "--format", "json", "--from", "1970-01-01T00:00:00Z"]));
    let all = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    for (is_latest, row) in latest.into_iter().map(|row| (true, row)).chain(all.map(|row| (false, row))) {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        let time = (text("timed") == "device").then(|| text("device_time"));
        let name = if is_latest { format!("the latest of {}", text("thing")) } else { text("thing") };
        state.insert((name, text("pointer"), time), (row["value"].clone(), row["quality"].clone()));
    }
    state
}

/// Replays into a broker and a cache of their own, until the cache says what `wanted` makes of it.
fn replayed<T>(
    name: &str,
    profile: &Path,
    recording: &Path,
    more: &[&str],
    mut wanted: impl FnMut(State) -> Result<T, String>,
) -> Option<(Value, T)> {
    let broker = Mosquitto::start(&format!("recording-{name}"))?;
    let folder = tempfile::tempdir().unwrap();
    let (url, db) = (broker.url(), folder.path().join("replayed.db"));
    let (profile, db) = (profile.to_str().unwrap(), db.to_str().unwrap());
    let collect = ["collect", "--profile", profile, "--broker", &url, "--db", db];
    let collect = Listener::start(&format!("{name}-collect"), &broker, "collector", &collect);
    let replay = ["replay", recording.to_str().unwrap(), "--broker", &url, "--speed", "max", "--json"];
    let told = summary(&fleetlens(&[&replay[..], more].concat()));
    let found = until_sync("the same state", SOON, || wanted(state(db)));
    let collected = collect.end();
    assert_eq!((&collected["received"], &collected["shed"]), (&told["published"], &json!(0)), "{collected}");
    Some((told, found))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_recording_always_ends_in_the_state_of_the_city_it_was_made_of() {
    let Some(broker) = Mosquitto::start("recording") else { return };
    let url = broker.url();
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText { client_id: Some("collector".into()), ..ProfileText::new("recording", url.clone()) };
    let profile = text.write(folder.path());
    let (file, db) = (folder.path().join("city.jsonl"), folder.path().join("live.db"));
    let (profile_arg, file_arg, db) = (profile.to_str().unwrap(), file.to_str().unwrap(), db.to_str().unwrap());
    let filters = Profile::read(&profile).unwrap().fleet_config(String::new()).filters();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let peer = Peer::connect(&url, "onlooker", &filters).await;
    let kept = r#"{"ts":1763700000000,"values":{"fill_pct":12.5}}"#;
    peer.publish_retained("city/valletta/bin/bin-kept/telemetry", kept).await;
    peer.wait_for("the kept message", |m| (m.payload == kept.as_bytes()).then_some(())).await;
    peer.forget();

    let collect = ["collect", "--profile", profile_arg, "--db", db];
    let collect = Listener::start("live-collect", &broker, "collector", &collect);
    let record = ["record", "--profile", profile_arg, "--out", file_arg, "--client-id", "recorder"];
    let record = Listener::start("record", &broker, "recorder", &record);
    let lamp = "city/valletta/lamp/lamp-odd/telemetry";
    peer.publish(lamp, r#"{"values":{"power_w":61.8}}"#).await;
    peer.publish(lamp, "{\"ts\": ").await;
    peer.publish(lamp, [0xff, 0, 0xd8]).await;
    peer.publish(lamp, "").await;
    said(&fleetlens(&["sim", "--broker", &url, "--things", "60", "--rate", "80", "--for", "5s"]));

    let last = format!("city/valletta/lamp/{LAST}/telemetry");
    peer.publish(&last, kept).await;
    peer.wait_for("the last message", |m| (m.topic == last).then_some(())).await;
    let live = until_sync("everything is recorded and stored", SOON, || {
        let (recorded, state) = (messages_in(&file), state(db));
        let is_there = |(thing, ..): &(String, _, _)| thing == LAST;
        let all = recorded.last().is_some_and(|m| m["topic"] == last) && state.keys().any(is_there);
        if all { Ok(state) } else { Err(format!("{} recorded, {} rows stored", recorded.len(), state.len())) }
    });
    let (recorded, collected) = (record.end(), collect.end());
    let messages = messages_in(&file);
    assert_eq!(recorded["recorded"], messages.len(), "{recorded}");
    assert_eq!(messages.len(), peer.count(|_| true) + 1, "and the one that was kept");
    assert!(messages.len() > 300 && live.len() > 500, "{} messages, {} rows", messages.len(), live.len());
    assert_eq!(collected["received"], recorded["recorded"], "both heard the same: {collected}");
    let counts = ["retained", "shed", "interrupted"].map(|key| recorded[key].as_u64().unwrap());
    assert_eq!((counts, &recorded["refused"]["total"]), ([1, 0, 0], &json!(0)), "{recorded}");
    assert!(recorded["by_topic"]["$aws/things"].as_u64() > Some(60), "{recorded}");
    let of_lamp: Vec<&Value> = messages.iter().filter(|message| message["topic"] == lamp).collect();
    assert_eq!(
        (&of_lamp[1]["text"], &of_lamp[2]["base64"], &of_lamp[3]["text"]),
        (&json!("{\"ts\": "), &json!("/wDY"), &json!(""))
    );
    peer.leave().await;

    let same = |replayed: State| if replayed == live { Ok(()) } else { Err(difference(&live, &replayed)) };
    for round in ["once", "twice"] {
        let Some((told, ())) = replayed(round, &profile, &file, &[], same) else { return };
        assert_eq!((&told["published"], &told["damaged"]), (&recorded["recorded"], &json!(0)), "{told}");
        assert_eq!(told["by_topic"], recorded["by_topic"]);
    }
}

/// The first rows that differ.
fn difference(live: &State, replayed: &State) -> String {
    let only = |a: &State, b: &State| {
        let rows: Vec<String> =
            a.iter().filter(|(key, row)| b.get(*key) != Some(row)).take(3).map(|row| format!("{row:?}")).collect();
        rows.join(", ")
    };
    format!("of {} rows live alone has {}; replayed alone {}", live.len(), only(live, replayed), only(replayed, live))
}
