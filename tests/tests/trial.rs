//! A broker that is tried for a window, with Mosquitto at the other end: what is proposed of what it says, and beside which field each
//! mistake is told.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::Look;
use fleetlens_ipc::profile::{
    BrokerForm, Field, Password, ProfileAsk, ProfileDone, Trial, TrialStep, Try, TryBroker, Typed,
};
use fleetlens_ipc::rows::LinkState;
use fleetlens_tests::broker::{Mosquitto, free_port};
use fleetlens_tests::desk::Desk;
use fleetlens_tests::papers::{Papers, permit};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SOON: Duration = Duration::from_secs(30);

fn form(url: &str) -> BrokerForm {
    BrokerForm { name: "Harbour".into(), url: url.into(), ..BrokerForm::default() }
}

fn asked(form: BrokerForm) -> Try {
    Try { broker: TryBroker::Form(form), filters: vec!["city/#".into(), "depot/#".into()] }
}

async fn start(data: &Path) -> Arc<Host> {
    let options = HostOptions { broker: BrokerChoice::Own, ask: true, ..HostOptions::demo(data) };
    Arc::new(Host::start(options).await.unwrap())
}

fn failure(told: &[Trial]) -> (Field, &str) {
    match told.last().map(|trial| &trial.step) {
        Some(TrialStep::Failed { field, message }) => (*field, message),
        other => panic!("it did not fail: {other:?}"),
    }
}

/// From the first question to values on the screen, and then the profile is tried again as it was changed.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_says_becomes_a_profile_that_is_used_and_tried_again() {
    let Some(broker) = Mosquitto::start("trial") else { return };
    let peer = Peer::connect(&broker.url(), "harbour", &[]).await;
    for n in 0..3 {
        let meta = format!("{{\"kind\":\"bin\",\"name\":\"Bin {n}\",\"lat\":35.9,\"lon\":14.5,\"interval_s\":60}}");
        peer.publish_retained(&format!("city/sliema/bin/bin-{n}/meta"), meta.as_str()).await;
        let says = format!("{{\"ts\":1763700000000,\"values\":{{\"fill_pct\":{n}}}}}");
        peer.publish_retained(&format!("city/sliema/bin/bin-{n}/telemetry"), says.as_str()).await;
    }
    peer.publish_retained("depot/pump/status", "{\"flow_l\": ").await;
    peer.publish_retained("elsewhere/secret", "{\"a\":1}").await;

    let data = tempfile::tempdir().unwrap();
    let host = start(data.path()).await;
    let mut desk = Desk::attach(&host).await;
    let told = desk.try_broker(asked(form(&broker.url()))).await;
    assert_eq!(told.first().map(|trial| &trial.step), Some(&TrialStep::Connecting));
    let listening = told.iter().filter(|trial| matches!(trial.step, TrialStep::Listening { .. })).count();
    assert!(listening > 5, "somebody who waits ten seconds sees something happen: {listening}");
    let last = told.last().unwrap();
    assert_eq!((last.topics, last.messages), (7, 7), "and nothing of elsewhere: {:?}", last.seen);
    let TrialStep::Done(proposed) = &last.step else { panic!("{:?}", last.step) };
    let template = "city/sliema/bin/{thing}/telemetry";
    assert_eq!(proposed.rules.iter().map(|rule| rule.template.as_str()).collect::<Vec<_>>(), [template]);
    assert_eq!(proposed.unread.iter().map(|row| row.topic.as_str()).collect::<Vec<_>>(), ["depot/pump/status"]);
    let preview = proposed.checked.preview.as_ref().unwrap();
    assert_eq!((preview.things, preview.values.len()), (3, 3));
    let first = &preview.values[0];
    assert_eq!((first.thing.as_str(), first.unit.as_str(), first.at_ms.0), ("bin-0", "%", 1_763_700_000_000));
    let log = broker.log();
    let connected = log.lines().find(|line| line.contains("as fl-try-")).unwrap_or_default();
    assert!(connected.contains("(p5, c1,"), "a session of its own that is forgotten: {connected}");

    // As it is typed on: what the sample says to it.
    let text = proposed.text.replace("/ts", "/time");
    let ProfileDone::Checked(checked) = desk.ask_profile(ProfileAsk::Check { text, replaces: None }).await.unwrap()
    else {
        panic!("not checked")
    };
    assert!(checked.preview.is_some_and(|preview| preview.values.iter().all(|row| !row.timed)), "there is no /time");

    // A template that fits nothing: the window says so instead of "0 messages".
    let text = proposed.text.replace("city/sliema", "town/sliema");
    let ProfileDone::Checked(checked) = desk.ask_profile(ProfileAsk::Check { text, replaces: None }).await.unwrap()
    else {
        panic!("not checked")
    };
    let preview = checked.preview.unwrap();
    assert_eq!((preview.read, preview.things, preview.passed_over), (0, 0, last.topics));

    let save = ProfileAsk::Save { replaces: None, text: proposed.text.clone(), password: None, and_use: true };
    assert_eq!(desk.ask_profile(save).await, Ok(ProfileDone::Saved("Harbour".into())));
    let status = desk.look(Look::Status).await;
    desk.wait_for("three bins", SOON, |desk| {
        let status = desk.status(status);
        let up = matches!(status.link, LinkState::Up { .. }) && status.profile == "Harbour";
        if up && status.things == 3 { Ok(()) } else { Err(format!("{:?}, {}", status.link, status.things)) }
    })
    .await;

    // Looked at again, beside the link that is up: the profile's own session is not disturbed.
    let broken = Try {
        broker: TryBroker::Text { text: proposed.text.clone(), replaces: Some("Harbour".into()), password: None },
        filters: vec!["depot/#".into()],
    };
    let told = desk.try_broker(broken).await;
    let TrialStep::Done(again) = &told.last().unwrap().step else { panic!("{told:?}") };
    assert_eq!(again.text, proposed.text, "what is there is not replaced");
    assert_eq!(again.unread.len(), 1);
    assert!(matches!(desk.status(status).link, LinkState::Up { .. }), "{:?}", desk.status(status).link);
    host.stop().await;
    peer.leave().await;
}

/// Every mistake of the issue, each beside the field that has to change.
#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_told_beside_the_field_that_it_is_about() {
    let papers = Papers::made();
    let passwords = papers.at("passwords");
    let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["ada", "secret"]).status();
    if !made.is_ok_and(|status| status.success()) {
        return place::skip("no mosquitto_passwd");
    }
    let started = Mosquitto::start_with("mistakes", |[good, named, asking]: [u16; 3]| {
        [
            format!("allow_anonymous false\npassword_file {}\n", passwords.display()),
            papers.listener(good, "server", ""),
            papers.listener(named, "other-name", ""),
            papers.listener(asking, "server", "require_certificate true"),
        ]
        .concat()
    });
    let Some((broker, [good, named, asking])) = started else { return };
    let data = tempfile::tempdir().unwrap();
    let host = start(data.path()).await;
    let mut desk = Desk::attach(&host).await;
    let ca = papers.at("ca.pem").display().to_string();
    let [stranger, us, key] = ["stranger.pem", "us.pem", "us.key"].map(|name| papers.at(name).display().to_string());
    // A key is its owner's alone, before anybody looks whether it is one.
    permit(Path::new(&us), 0o600);
    let typed = |password: &str| Password::Typed(Typed(password.into()));
    let ada = |url: String| BrokerForm { user: "ada".into(), password: typed("secret"), ..form(&url) };
    let mqtts = |port: u16| BrokerForm { ca: ca.clone(), ..ada(format!("mqtts://localhost:{port}")) };
    for (what, form, field, says) in [
        ("host", form("mqtt://broker.invalid"), Field::Host, "broker.invalid is not known; check its name"),
        ("port", form(&format!("mqtt://127.0.0.1:{}", free_port())), Field::Port, "no broker listens at"),
        ("name", form(&broker.url()), Field::Password, "lets nobody in without a name"),
        (
            "password",
            BrokerForm { password: typed("terces"), ..ada(broker.url()) },
            Field::Password,
            "check user and password",
        ),
        ("CA", BrokerForm { ca: stranger, ..mqtts(good) }, Field::Ca, "stranger.pem did not sign the certificate"),
        ("no CA", BrokerForm { ca: String::new(), ..mqtts(good) }, Field::Ca, "name the CA that signed it"),
        ("name in the certificate", mqtts(named), Field::CertificateName, "is for broker.example, not for localhost"),
        ("certificate", mqtts(asking), Field::Certificate, "wants a certificate of ours"),
        ("key", BrokerForm { certificate: us.clone(), key: us.clone(), ..mqtts(asking) }, Field::Key, "in PEM form"),
        ("encrypted", ada(broker.url().replace("mqtt://", "mqtts://")), Field::Port, "may not be encrypted there"),
        (
            "variable",
            BrokerForm { password: Password::Env("FLEETLENS_NOT_SET".into()), ..ada(broker.url()) },
            Field::Password,
            "FLEETLENS_NOT_SET is not set",
        ),
    ] {
        let told = desk.try_broker(asked(form)).await;
        let (told, message) = failure(&told);
        assert!(told == field && message.contains(says), "{what}: {told:?}: {message}");
        assert!(!message.contains("secret") && !message.contains("terces"), "{message}");
    }

    // With everything right it connects; the password is kept beside the profile, for its owner's eyes.
    let right = BrokerForm { certificate: us, key, ..mqtts(asking) };
    let told = desk.try_broker(asked(right)).await;
    let TrialStep::Done(proposed) = &told.last().unwrap().step else { panic!("{told:?}") };
    assert_eq!(told.last().unwrap().topics, 0);
    assert!(!proposed.text.contains("secret"), "{}", proposed.text);
    let text = format!("{}\n[shadows]\nenabled = true\n", proposed.text);
    let save = ProfileAsk::Save { replaces: None, text, password: Some(Typed("secret".into())), and_use: true };
    assert_eq!(desk.ask_profile(save).await, Ok(ProfileDone::Saved("Harbour".into())));
    let status = desk.look(Look::Status).await;
    desk.wait_for("the link with that password", SOON, |desk| match &desk.status(status).link {
        LinkState::Up { .. } => Ok(()),
        other @ (LinkState::Starting | LinkState::Connecting { .. }) => Err(format!("{other:?}")),
    })
    .await;
    host.stop().await;
    for entry in fs::read_dir(data.path().join("profiles")).unwrap() {
        let path = entry.unwrap().path();
        let holds = fs::read_to_string(&path).unwrap().contains("secret");
        assert_eq!(holds, path.extension().is_some_and(|ending| ending == "password"), "{}", path.display());
    }
}

/// A broker that speaks only MQTT 3.1.1; Mosquitto speaks both versions, so this one is played. One that knows of MQTT 5 says so
/// (3.2.2.2, 0x84); an older one says it in the old way (MQTT 3.1.1, 3.2.2.3), which nobody who speaks MQTT 5 understands.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_another_version_is_told_beside_the_version() {
    let data = tempfile::tempdir().unwrap();
    let host = start(data.path()).await;
    let mut desk = Desk::attach(&host).await;
    for (answer, field, says) in [
        (&[0x20, 3, 0, 0x84, 0][..], Field::Protocol, "choose MQTT 3.1.1"),
        (&[0x20, 2, 0, 1], Field::Port, "or not speak MQTT 5"),
    ] {
        let old = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("mqtt://{}", old.local_addr().unwrap());
        let answering = tokio::spawn(async move {
            let (mut caller, _) = old.accept().await.unwrap();
            let mut connect = [0; 512];
            let bytes = caller.read(&mut connect).await.unwrap();
            assert!(bytes > 8, "not a CONNECT: {bytes} bytes");
            caller.write_all(answer).await.unwrap();
            caller.shutdown().await.unwrap();
            connect[8]
        });
        let told = desk.try_broker(asked(form(&url))).await;
        let (told, message) = failure(&told);
        assert!(told == field && message.contains(says), "{told:?}: {message}");
        assert_eq!(answering.await.unwrap(), 5, "the version that was asked for");
    }

    let Some(broker) = Mosquitto::start("version") else { return };
    let told = desk.try_broker(asked(BrokerForm { older: true, ..form(&broker.url()) })).await;
    assert!(matches!(told.last().unwrap().step, TrialStep::Done(_)), "{told:?}");
    assert!(broker.log().contains("(p2, c1,"), "it was not spoken to as MQTT 3.1.1 with a clean session");
    host.stop().await;
}
