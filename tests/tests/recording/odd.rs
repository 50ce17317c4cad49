//! What goes wrong: a recorder that is killed, a broker that goes away, files and addresses that are none.

use super::*;

/// A file with as many messages as a broker needs some seconds for, a hundred a second.
fn long_recording(folder: &Path) -> PathBuf {
    let mut text = json!({"fleetlens_recording": 1, "profile": "", "broker": "", "filters": []}).to_string() + "\n";
    for n in 0..60_000 {
        let at = format!("2026-11-21T08:{:02}:{:02}.{:03}Z", n / 6_000, n / 100 % 60, n % 100 * 10);
        let line = json!({"at": at, "topic": "made/up", "qos": 1, "retained": false, "text": n.to_string()});
        text += &(line.to_string() + "\n");
    }
    let file = folder.join("long.jsonl");
    std::fs::write(&file, text).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_is_killed_leaves_a_recording_with_at_most_its_last_line_torn() {
    let Some(broker) = Mosquitto::start("recording-killed") else { return };
    let (url, folder) = (broker.url(), tempfile::tempdir().unwrap());
    let profile = ProfileText::new("killed", url.clone()).write(folder.path());
    let file = folder.path().join("killed.jsonl");
    let (profile, file_arg) = (profile.to_str().unwrap(), file.to_str().unwrap());
    let record = ["record", "--profile", profile, "--out", file_arg, "--client-id", "recorder"];
    let record = Listener::start("killed", &broker, "recorder", &record);
    let peer = Peer::connect(&url, "onlooker", &["city/#"]).await;
    let topic = "city/valletta/lamp/lamp-0417/telemetry";
    for n in 0..2_000 {
        peer.publish(topic, format!("{{\"values\":{{\"n\":{n}}}}}")).await;
        if n == 1_000 {
            until_sync("something is recorded", SOON, || {
                let recorded = messages_in(&file).len();
                if recorded > 100 { Ok(()) } else { Err(format!("{recorded} messages")) }
            });
        }
    }
    record.group.kill();
    let whole = messages_in(&file);
    for (n, message) in whole.iter().enumerate() {
        assert_eq!(message["text"], format!("{{\"values\":{{\"n\":{n}}}}}"), "in order, none missing");
    }
    let told = summary(&fleetlens(&["replay", file_arg, "--broker", &url, "--speed", "max", "--json"]));
    assert_eq!((&told["messages"], &told["published"]), (&json!(whole.len()), &json!(whole.len())), "{told}");
    assert!(told["damaged"].as_u64() <= Some(1), "{told}");
    peer.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_goes_on_after_the_broker_was_away_and_says_that_something_is_missing() {
    let Some(mut broker) = Mosquitto::start("recording-away") else { return };
    let (url, folder) = (broker.url(), tempfile::tempdir().unwrap());
    let profile = ProfileText::new("away", url.clone()).write(folder.path());
    let file = folder.path().join("away.jsonl");
    let (profile, file_arg) = (profile.to_str().unwrap(), file.to_str().unwrap());
    let record = ["record", "--profile", profile, "--out", file_arg, "--client-id", "recorder"];
    let record = Listener::start("away", &broker, "recorder", &record);
    broker.kill();
    until_sync("the recorder says so", SOON, || {
        let said = place::tail(&record.log);
        if said.contains("connection") { Ok(()) } else { Err(said) }
    });
    broker.start_again();
    let peer = Peer::connect(&url, "onlooker", &[]).await;
    until_sync("the recorder is there again", SOON, || {
        let said = place::tail(&record.log);
        if said.contains("connected again") { Ok(()) } else { Err(said) }
    });
    peer.publish("city/valletta/lamp/lamp-0417/telemetry", "{}").await;
    until_sync("the message is recorded", SOON, || {
        let recorded = messages_in(&file).len();
        if recorded == 1 { Ok(()) } else { Err(format!("{recorded}")) }
    });
    let told = record.end();
    assert_eq!((&told["recorded"], &told["interrupted"]), (&json!(1), &json!(1)), "{told}");
    peer.leave().await;
}

#[test]
fn a_replay_ends_in_order_when_it_is_asked_to_and_with_a_sentence_when_the_broker_goes_away() {
    let Some(mut broker) = Mosquitto::start("recording-cut") else { return };
    let (url, folder) = (broker.url(), tempfile::tempdir().unwrap());
    let file = long_recording(folder.path());
    for asked in [true, false] {
        let mut command = Command::new(place::program("fleetlens"));
        command.args(["replay", file.to_str().unwrap(), "--broker", &url, "--client-id", "player", "--json"]);
        let log = place::log(&format!("recording-cut-{asked}"));
        let mut replay = Group::spawn(&mut command, &log, process::Output::Read);
        let mut stdout = replay.take_stdout();
        let before = broker.log().matches("Received PUBLISH from player").count();
        until_sync("it plays", SOON, || {
            let heard = broker.log().matches("Received PUBLISH from player").count() - before;
            if heard > 10 { Ok(()) } else { Err(place::tail(&log)) }
        });
        if asked {
            process::signal(replay.id(), Signal::INT);
        } else {
            broker.kill();
        }
        let ended = until_sync("its end", SOON, || replay.ended().ok_or_else(|| "it runs".to_owned()));
        assert_eq!(ended.success(), asked, "{}", place::tail(&log));
        let mut told = String::new();
        stdout.read_to_string(&mut told).unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        let published = told["published"].as_u64().unwrap();
        assert!((10..60_000).contains(&published) && told["messages"] == 60_000, "{told}");
        if !asked {
            let said = place::tail(&log);
            assert!(said.contains("the last messages may be lost, so replay it from the beginning"), "{said}");
        }
    }
}

#[test]
fn wrong_words_are_answered_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let made = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let header = r#"{"fleetlens_recording":1,"profile":"","broker":"","filters":[]}"#;
    let empty = made("empty.jsonl", header);
    let newer = made("newer.jsonl", &header.replace(":1,", ":9,"));
    let good = made("good.dump", "2024-02-13T16:33:00Z topic {}\n");
    let list = made("list.txt", "a shopping list");
    let out = folder.path().join("out.jsonl").to_str().unwrap().to_owned();
    let nobody = format!("mqtt://127.0.0.1:{}", fleetlens_tests::broker::free_port());
    let record = ["record", "--profile", "demo", "--out"];
    for (arguments, sentence) in [
        ([&record[..], &[&good, "--broker", &nobody]].concat(), "good.dump is there already; name a new file"),
        ([&record[..], &[&out, "--broker", "http://x"]].concat(), "mqtt://"),
        ([&record[..], &[&out, "--broker", &nobody, "--for", "1s"]].concat(), "no broker listens at 127.0.0.1:"),
        (vec!["record", "--profile", "nowhere", "--data-dir", data, "--out", &out], "there are demo"),
        (vec!["replay", "no-such.jsonl", "--broker", &nobody], "there is no file no-such.jsonl"),
        (vec!["replay", &list, "--broker", &nobody], "list.txt is not a recording: its first line is neither"),
        (
            vec!["replay", &newer, "--broker", &nobody],
            "was recorded by a newer Fleetlens (form 9; this one reads up to 1)",
        ),
        (vec!["replay", &empty, "--broker", &nobody], "empty.jsonl holds no message"),
        (vec!["replay", &good, "--broker", &nobody], "no broker listens at 127.0.0.1:"),
        (vec!["replay", &good, "--broker", "localhost"], "write mqtt://host:1883"),
        (vec!["replay", &good], "--broker"),
        (vec!["replay", &good, "--broker", &nobody, "--speed", "fast"], "give 1x, 10x, 0.5x or max"),
        (vec!["replay", &good, "--broker", &nobody, "--profile", "demo"], "--rebase-time"),
    ] {
        let output = fleetlens(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(sentence), "{arguments:?}: {said}");
        assert!(!Path::new(&out).exists(), "{arguments:?} left a file behind");
    }
}
