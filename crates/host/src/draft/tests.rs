use super::sample::TOPICS_MAX;
use super::*;

const NOW: WallMs = WallMs(1_763_700_000_000);

fn draft(messages: &[(&str, &str)]) -> Draft {
    let mut sample = Sample::default();
    for (topic, payload) in messages {
        sample.hear(topic, payload.as_bytes());
    }
    Draft::of(&sample, NOW, &mut Budget::ample())
}

fn texts(draft: &Draft) -> Vec<&str> {
    draft.proposals.iter().map(|proposal| proposal.text.as_str()).collect()
}

#[test]
fn the_demo_citys_topics_are_recognised_as_its_own_profile_has_them() {
    let says = r#"{"ts":1763700000000,"values":{"power_w":61.8}}"#;
    let meta = r#"{"kind":"lamp","name":"Lamp 1","lat":35.9,"lon":14.5,"interval_s":10}"#;
    let draft = draft(&[
        ("city/valletta/lamp/lamp-1/telemetry", says),
        ("city/valletta/lamp/lamp-2/telemetry", says),
        ("city/sliema/bin/bin-7/telemetry", says),
        ("city/valletta/lamp/lamp-1/meta", meta),
        ("city/sliema/bin/bin-7/meta", meta),
        ("$aws/things/lamp-1/shadow/update/delta", "{}"),
    ]);
    assert_eq!(
        texts(&draft),
        [
            "[[telemetry]]\ntemplate = \"city/{area}/{kind}/{thing}/telemetry\"\nenvelope = \"/values\"\ntime = \"/ts\"\n\
          meta = \"city/{area}/{kind}/{thing}/meta\"\n"
        ]
    );
    assert_eq!((draft.shadows, draft.unread.len()), (true, 0));
    let proposal = &draft.proposals[0];
    assert_eq!((proposal.topics, proposal.read, &proposal.refused), (3, 3, &None));
    assert_eq!(proposal.things, ["bin-7", "lamp-1", "lamp-2"]);
    assert_eq!(proposal.values, [("/power_w".to_owned(), "61.8".to_owned())]);
    let whole = format!("name = \"X\"\n[broker]\nurl = \"mqtt://h\"\n{}", draft.text());
    assert!(Profile::parse(&whole, "x").unwrap().shadows);
}

#[test]
fn topics_and_payloads_of_others_are_recognised() {
    for (what, messages, want) in [
        (
            "names at the end",
            vec![("zigbee2mqtt/kitchen", r#"{"battery":90}"#), ("zigbee2mqtt/hall", r#"{"battery":80}"#)],
            "template = \"zigbee2mqtt/{thing}\"\n",
        ),
        (
            "a single thing",
            vec![("depot/pump/status", r#"{"on":true,"time":"2026-11-21T08:00:00Z"}"#)],
            "template = \"depot/{thing}/status\"\ntime = \"/time\"\n",
        ),
        (
            "an envelope of any name, the time and the position in it",
            vec![
                ("/hfp/v2/bus/12", r#"{"VP":{"tst":"2026-11-21T08:00:00.1Z","lat":60.1,"long":24.9}}"#),
                ("/hfp/v2/bus/13", r#"{"DUE":{"tst":"2026-11-21T08:00:00.1Z","lat":60.1,"long":24.9}}"#),
            ],
            "template = \"/hfp/v2/bus/{thing}\"\nenvelope = \"/*\"\ntime = \"/*/tst\"\nlon = \"/long\"\n",
        ),
        (
            "a kind that never changes",
            vec![("town/lamp/1", r#"{"w":1}"#), ("town/lamp/2", r#"{"w":1}"#)],
            "template = \"town/lamp/{thing}\"\nkind = \"lamp\"\n",
        ),
        (
            "SenML",
            vec![("sensors/a", r#"[{"bn":"urn:dev:1","n":"temp","v":21.5}]"#)],
            "template = \"sensors/a\"\nshape = \"senml\"\n",
        ),
        (
            "FIWARE",
            vec![("ngsi/p", r#"{"id":"urn:p:1","type":"OffStreetParking","availableSpotNumber":12}"#)],
            "template = \"ngsi/p\"\nshape = \"fiware\"\n",
        ),
        (
            "ParkAPI",
            vec![("parks/all", r#"[{"uid":"1","type":"CAR_PARK","realtime_free_capacity":12}]"#)],
            "template = \"parks/all\"\nshape = \"parkapi\"\n",
        ),
    ] {
        let draft = draft(&messages);
        let want = format!("[[telemetry]]\n{want}");
        assert_eq!(texts(&draft), [want.as_str()], "{what}: {:?}", draft.unread);
    }
}

#[test]
fn what_cannot_be_read_is_told_with_the_reason_and_never_proposed() {
    let draft =
        draft(&[("house/temp", "21.5"), ("cam/a/jpeg", "\u{0}\u{1}"), ("empty/a", ""), ("$SYS/broker/uptime", "3 s")]);
    assert_eq!(draft.proposals, []);
    let told: Vec<(&str, &str)> =
        draft.unread.iter().map(|unread| (unread.topic.as_str(), unread.why.as_str())).collect();
    assert_eq!(
        told,
        [
            ("cam/a/jpeg", "messages that are not JSON"),
            ("empty/a", "messages that are not JSON"),
            (
                "house/temp",
                "a single value a message; name it in a rule of your own, with value = \"/name\" or {value}"
            ),
        ]
    );
}

#[test]
fn a_message_in_ten_that_is_broken_is_counted_beside_the_proposal() {
    let messages: Vec<(String, &str)> =
        (0..10).map(|n| (format!("bins/{n}"), if n == 3 { "{\"fill" } else { r#"{"fill":1}"# })).collect();
    let messages: Vec<(&str, &str)> = messages.iter().map(|(topic, payload)| (topic.as_str(), *payload)).collect();
    let draft = draft(&messages);
    let [proposal] = draft.proposals.as_slice() else { panic!("{draft:?}") };
    assert_eq!(proposal.read, 9);
    assert!(
        proposal.refused.as_ref().is_some_and(|(count, why)| *count == 1 && why.contains("not JSON")),
        "{proposal:?}"
    );
}

#[test]
fn a_flood_of_topics_is_bounded() {
    let mut sample = Sample::default();
    for n in 0..TOPICS_MAX + 1_000 {
        sample.hear(&format!("flood/{n}"), b"{\"a\":1}");
    }
    assert_eq!((sample.topics(), sample.messages()), (TOPICS_MAX, (TOPICS_MAX + 1_000) as u64));
    assert_eq!(Draft::of(&sample, NOW, &mut Budget::ample()).proposals.len(), 1);
}

#[test]
fn what_the_budget_does_not_reach_is_told() {
    let mut sample = Sample::default();
    for n in 0..10 {
        sample.hear(&format!("bins/{n}"), b"{\"a\":1}");
        sample.hear(&format!("lamps/{n}"), b"{\"a\":1}");
        sample.hear(&format!("z{n:02}/bridge/info"), b"{}");
    }
    let none = Draft::of(&sample, NOW, &mut Budget::new(1_000, std::time::Duration::ZERO));
    let late = none.unread.iter().find(|row| row.why.contains("there was no time; listen to fewer")).unwrap();
    assert_eq!((late.topic.as_str(), late.topics), ("bins/0", 20));

    // The ten of the bridges, the bins, and half of the lamps.
    let some = Draft::of(&sample, NOW, &mut Budget::new(25, std::time::Duration::from_secs(600)));
    let late = some.unread.iter().find(|row| row.why.contains("there was no time; listen to fewer")).unwrap();
    assert_eq!((late.topic.as_str(), late.topics), ("lamps/5", 5));
    let reads: Vec<u64> =
        some.proposals.iter().filter(|rule| rule.template.ends_with("{thing}")).map(|rule| rule.read).collect();
    assert_eq!(reads, [10, 5]);
    let all = Draft::of(&sample, NOW, &mut Budget::ample());
    assert!(all.unread.iter().all(|row| !row.why.contains("time")), "{:?}", all.unread);

    for n in 0..20 {
        sample.hear(&format!("y{n:02}/bridge/info"), b"{}");
    }
    sample.hear(&"deep/".repeat(LEVELS_MAX), b"{\"a\":1}");
    let all = Draft::of(&sample, NOW, &mut Budget::ample());
    assert_eq!(all.proposals.iter().filter(|rule| rule.template.contains("zigbee2mqtt")).count(), 16);
    for says in ["there are 14 more", "more than 64 levels"] {
        assert!(all.unread.iter().any(|row| row.why.contains(says)), "{says}: {:?}", all.unread);
    }
}

#[test]
fn hidden_characters_of_a_broker_are_written_out_wherever_a_person_reads_them() {
    let mut sample = Sample::default();
    for n in 0..4 {
        sample.hear(&format!("bins\u{202e}\"/{n}"), "{\"a\u{200b}\":\"x\u{2066}\"}".as_bytes());
        sample.hear(&format!("odd\u{1b}[2J/{n}"), b"no JSON");
    }
    let draft = Draft::of(&sample, NOW, &mut Budget::ample());
    let [proposal] = draft.proposals.as_slice() else { panic!("{draft:?}") };
    assert_eq!(proposal.template, "bins\\u{202e}\"/{thing}");
    assert_eq!(proposal.values, [("/a\\u{200b}".to_owned(), "x\\u{2066}".to_owned())]);
    assert_eq!(draft.unread[0].topic, "odd\\u{1b}[2J/0");
    assert!(draft.text().contains("\"bins\\U0000202E\\\"/{thing}\""), "{}", draft.text());
    let whole = format!("name = \"X\"\n[broker]\nurl = \"mqtt://h\"\n{}", draft.text());
    assert!(!whole.replace('\n', "").contains(is_hidden));
    let rule = &Profile::parse(&whole, "x").unwrap().telemetry[0];
    assert!(rule.template.find("bins\u{202e}\"/7").is_some(), "it reads the topics that were heard");
}
