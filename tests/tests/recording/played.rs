//! What a listener hears of a replay: the same bytes in the same order, at the pace and with the guarantee that was asked for.

use std::time::{SystemTime, UNIX_EPOCH};

use fleetlens_tests::wait::until;

use super::*;

/// A recording of these lines.
fn recording(folder: &Path, lines: &[Value]) -> PathBuf {
    let file = folder.join("made.jsonl");
    let header = json!({"fleetlens_recording": 1, "profile": "", "broker": "", "filters": []});
    let text: Vec<String> = [header].iter().chain(lines).map(Value::to_string).collect();
    std::fs::write(&file, text.join("\n") + "\n").unwrap();
    file
}

fn line(at: &str, qos: u8, retained: bool, text: &str) -> Value {
    json!({"at": at, "topic": "made/up", "qos": qos, "retained": retained, "text": text})
}

#[tokio::test]
async fn qos_and_retention_are_as_they_were_and_the_pace_as_it_is_wanted() {
    let Some(broker) = Mosquitto::start("recording-pace") else { return };
    let (url, folder) = (broker.url(), tempfile::tempdir().unwrap());
    let lines = [
        line("2026-11-21T08:00:00.000Z", 1, true, "kept"),
        line("2026-11-21T08:00:10.000Z", 0, false, "loose"),
        line("2026-11-21T08:00:05.000Z", 1, false, "from before"),
        line("2026-11-21T08:00:20.000Z", 1, false, "last"),
    ];
    let file = recording(folder.path(), &lines);
    let replay = ["replay", file.to_str().unwrap(), "--broker", &url, "--json", "--speed", "40x"];
    for (qos, want) in [("1", [1, 1, 1, 1]), ("recorded", [1, 0, 1, 1])] {
        let peer = Peer::connect(&url, "onlooker", &["made/#"]).await;
        peer.forget(); // what an earlier replay left
        let told = summary(&fleetlens(&[&replay[..], &["--qos", qos]].concat()));
        assert!(told["seconds"].as_f64().unwrap() >= 0.5, "twenty seconds, forty times as fast: {told}");
        assert_eq!((&told["published"], &told["by_topic"]), (&json!(4), &json!({"made/up": 4})));
        peer.wait_for("the last", |m| (m.payload == b"last").then_some(())).await;
        let mut heard = Vec::new();
        peer.count(|m| {
            heard.push((m.qos, String::from_utf8_lossy(&m.payload).into_owned()));
            true
        });
        let heard: Vec<_> = heard.iter().filter(|(_, text)| text != "kept").collect();
        let wanted: Vec<_> = want.iter().zip(["kept", "loose", "from before", "last"]).skip(1).collect();
        assert_eq!(heard.iter().map(|(qos, text)| (qos, text.as_str())).collect::<Vec<_>>(), wanted, "--qos {qos}");
        peer.leave().await;
    }
    let late = Peer::connect(&url, "late", &["made/#"]).await;
    let kept = late.wait_for("what is kept", |m| m.retained.then(|| m.payload.clone())).await;
    assert_eq!(kept, b"kept");
    late.leave().await;
}

#[test]
fn rebased_on_now_a_city_is_as_it_was_at_its_distance_and_no_value_comes_from_the_future() {
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText::new("rebased", "mqtt://127.0.0.1:7".into());
    let profile = ProfileText { client_id: Some("collector".into()), ..text }.write(folder.path());
    let said = |s: u32, ms: u32, values: Value| {
        let ts = 1_707_841_980_000_i64 + i64::from(s) * 1_000 - i64::from(ms);
        let topic = "city/valletta/lamp/lamp-0417/telemetry";
        let text = json!({"ts": ts, "values": values}).to_string();
        json!({"at": format!("2024-02-13T16:33:{s:02}.000Z"), "topic": topic, "qos": 1, "retained": false, "text": text})
    };
    let mut described = line("2024-02-13T16:33:00.000Z", 1, true, "{}");
    described["topic"] = json!("city/valletta/lamp/lamp-0417/meta");
    let lines = [
        described,
        said(0, 100, json!({"power_w": 1})),
        said(30, 250, json!({"power_w": 2})),
        said(59, 0, json!({"power_w": 3})),
    ];
    let file = recording(folder.path(), &lines);
    let before_ms = now_ms();
    let profile_arg = profile.to_str().unwrap();
    let at_the_end = |state: State| {
        let power = |(thing, _, _): &(String, _, _)| thing == "lamp-0417";
        let all: Vec<_> = state.into_iter().filter(|(key, _)| power(key)).collect();
        if all.len() == 3 { Ok(all) } else { Err(format!("{all:?}")) }
    };
    let more = ["--rebase-time", "--profile", profile_arg];
    let Some((told, rows)) = replayed("rebased", &profile, &file, &more, at_the_end) else { return };
    let after_ms = now_ms();
    let left = json!({"no [[telemetry]] of the profile reads the topic": 1});
    assert_eq!(told["rebased"], json!({"moved": 3, "left": left}));
    let times: Vec<i64> = rows.iter().map(|((_, _, time), _)| ms(time.as_deref().unwrap())).collect();
    let values: Vec<f64> = rows.iter().map(|(_, (value, _))| value.as_f64().unwrap()).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
    assert_eq!([times[1] - times[0], times[2] - times[1]], [29_850, 29_250], "{times:?}");
    assert!((before_ms..=after_ms).contains(&times[2]), "it ended now: {before_ms} {times:?} {after_ms}");
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn ms(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[tokio::test]
async fn helsinkis_buses_are_played_as_they_were_recorded_by_others_and_as_if_they_drove_now() {
    let Some(text) = place::data_text("fleet/hsl-mqtt/currentStopNull/hfp.dump") else { return };
    let Some(broker) = Mosquitto::start("recording-hsl") else { return };
    let (url, folder) = (broker.url(), tempfile::tempdir().unwrap());
    let file = folder.path().join("hfp.dump");
    // Whoever wrote it was cut short.
    std::fs::write(&file, format!("{text}2024-02-13T16:49:46.000000Z /hfp/v2/journey/ongoing/vp/bus {{\"VP\":{{\"de"))
        .unwrap();
    let lines: Vec<(&str, &str)> = text
        .lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .map(|rest| rest.split_at(rest.find(" {").unwrap()))
        .map(|(topic, payload)| (topic, payload.trim_start()))
        .collect();
    let peer = Peer::connect(&url, "onlooker", &["/hfp/#"]).await;
    let replay = ["replay", file.to_str().unwrap(), "--broker", &url, "--json", "--speed", "max"];

    let output = fleetlens(&replay);
    let told = summary(&output);
    assert_eq!((&told["messages"], &told["published"], &told["damaged"]), (&json!(1034), &json!(1034), &json!(1)));
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(warned.contains("line 1035, the last, is torn: its writer was cut short; it is passed over"), "{warned}");
    let heard = heard(&peer, lines.len()).await;
    for (n, ((topic, payload), (heard_topic, heard_payload))) in lines.iter().zip(&heard).enumerate() {
        assert_eq!((topic, payload), (&heard_topic.as_str(), &heard_payload.as_str()), "line {}", n + 1);
    }

    peer.forget();
    let profile = place::root().join("assets/profiles/hsl.toml");
    let before_ms = now_ms();
    let told = summary(&fleetlens(&[&replay[..], &["--rebase-time", "--profile", profile.to_str().unwrap()]].concat()));
    assert_eq!(told["rebased"], json!({"moved": 1034, "left": {}}));
    let rebased = self::heard(&peer, lines.len()).await;
    let tst = |payload: &str| {
        let event: Value = serde_json::from_str(payload).unwrap();
        let (_, event) = event.as_object().unwrap().iter().next().unwrap();
        (event["tst"].as_str().unwrap().to_owned(), event["odo"].clone())
    };
    let shift_ms = ms(&tst(&rebased[0].1).0) - ms(&tst(lines[0].1).0);
    for ((_, payload), (_, moved)) in lines.iter().zip(&rebased) {
        let ((was, odo), (is, odo_now)) = (tst(payload), tst(moved));
        assert_eq!((ms(&is) - ms(&was), &odo_now), (shift_ms, &odo), "everything at its distance: {was}, {is}");
        assert_eq!(moved.replace(&is, &was), *payload, "and nothing else changed");
    }
    let last_ms = ms(&tst(&rebased[rebased.len() - 1].1).0);
    assert!((before_ms - 2_000..=now_ms()).contains(&last_ms), "the bus drives now");
    peer.leave().await;
}

/// So many messages, in the order in which they came.
async fn heard(peer: &Peer, messages: usize) -> Vec<(String, String)> {
    until("every message", SOON, async || match peer.count(|_| true) {
        all if all == messages => Ok(()),
        all => Err(format!("{all} of {messages}")),
    })
    .await;
    let mut heard = Vec::new();
    peer.count(|m| {
        heard.push((m.topic.clone(), String::from_utf8(m.payload.clone()).unwrap()));
        true
    });
    heard
}
