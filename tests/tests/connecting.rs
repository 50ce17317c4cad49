//! Every way to a broker, with Mosquitto at the other end: what comes about, and what each mistake is called.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fleetlens_link::{Event, Link, LinkConfig, Protocol, Tls};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::papers::{Papers, permit};
use fleetlens_tests::place;
use fleetlens_tests::wait::told;
use serde_json::Value;

const BOTH: [Protocol; 2] = [Protocol::V4, Protocol::V5];

/// Far more than any of it takes.
const PATIENCE: Duration = Duration::from_secs(30);

fn config(url: &str, protocol: Protocol, tls: &Tls) -> LinkConfig {
    let filters = vec![("t".into(), 1)];
    LinkConfig { protocol, tls: tls.clone(), filters, clean_start: true, ..LinkConfig::new(url, "c") }
}

async fn assert_up(url: &str, protocol: Protocol, tls: &Tls) {
    let (link, mut events) = Link::start(config(url, protocol, tls)).unwrap();
    told(&mut events, url, PATIENCE, |event| matches!(event, Event::Up { .. }).then_some(())).await;
    link.try_publish("t".into(), b"hello".to_vec(), 1, false).unwrap();
    let heard = |event| if let Event::Received(message) = event { Some(message.payload) } else { None };
    assert_eq!(told(&mut events, url, PATIENCE, heard).await, b"hello", "{url}, {protocol}");
    link.stop().await;
}

async fn assert_fails(url: &str, protocol: Protocol, tls: &Tls, says: &str) {
    let (link, mut events) = Link::start(config(url, protocol, tls)).unwrap();
    let why = |event| if let Event::Connecting { reason } = event { reason } else { None };
    let why = told(&mut events, url, PATIENCE, why).await;
    assert!(why.contains(says), "{url}, {protocol}: {why}");
    link.stop().await;
}

#[tokio::test]
async fn an_encrypted_connection_comes_about_or_says_what_to_change() {
    let papers = Papers::made();
    let started = Mosquitto::start_with("encrypted", |[good, named, expired, asking, older, web, encrypted_web]| {
        [
            papers.listener(good, "server", ""),
            papers.listener(named, "other-name", ""),
            papers.listener(expired, "expired", ""),
            papers.listener(asking, "server", "require_certificate true"),
            papers.listener(older, "server", "require_certificate true\ntls_version tlsv1.2"),
            format!("listener {web} 127.0.0.1\nprotocol websockets\n"),
            papers.listener(encrypted_web, "server", "protocol websockets"),
        ]
        .concat()
    });
    let Some((broker, [good, named, expired, asking, older, web, encrypted_web])) = started else { return };
    let plain = broker.url();
    let at = |scheme: &str, port: u16| format!("{scheme}://localhost:{port}");
    let (ours, nobodys, none) = (papers.believing("ca.pem"), papers.believing("stranger.pem"), Tls::default());
    let alpn = Tls { alpn: vec!["mqtt".into()], ..ours.clone() };
    for protocol in BOTH {
        for (url, tls) in [
            (at("mqtts", good), &ours),
            (format!("mqtts://127.0.0.1:{good}"), &ours),
            (at("mqtts", good), &alpn),
            (at("mqtts", asking), &papers.as_client("us")),
            (at("mqtts", older), &papers.as_client("us")),
            (at("ws", web), &none),
            (at("wss", encrypted_web), &ours),
        ] {
            assert_up(&url, protocol, tls).await;
        }
        for (url, tls, says) in [
            (at("mqtts", good), &nobodys, "stranger.pem did not sign the certificate"),
            (at("wss", encrypted_web), &nobodys, "stranger.pem did not sign the certificate"),
            (at("mqtts", named), &ours, "is for broker.example, not for localhost"),
            (at("mqtts", expired), &ours, "has expired"),
            (plain.replace("mqtt://", "mqtts://"), &ours, "may not be encrypted there"),
            (at("mqtt", good), &none, "expect TLS"),
            (at("mqtts", asking), &ours, "wants a certificate of ours"),
            (at("mqtts", older), &ours, "wants a certificate of ours"),
            (at("mqtts", older), &papers.as_client("somebody"), "does not take our certificate"),
            (at("mqtts", asking), &papers.as_client("somebody"), "does not take our certificate"),
            (plain.replace("mqtt://", "ws://"), &none, "if there is no WebSocket at this port"),
            (at("mqtts", good), &papers.believing("none.pem"), "none.pem cannot be read"),
            (at("mqtts", good), &papers.believing("us.key"), "in PEM form"),
        ] {
            assert_fails(&url, protocol, tls, says).await;
        }
    }
    permit(&papers.at("us.key"), 0o644);
    assert_fails(&at("mqtts", asking), Protocol::V5, &papers.as_client("us"), "chmod 600").await;
}

/// What a profile's `[broker]` says is what happens: a password out of a file, a CA beside the profile; and a mistake in either is
/// told in words.
#[tokio::test]
async fn a_profile_leads_through_tls_with_a_password_that_it_does_not_hold() {
    let papers = Papers::made();
    let passwords = papers.at("passwords");
    let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["ada", "secret"]).status();
    if !made.is_ok_and(|status| status.success()) {
        return place::skip("no mosquitto_passwd");
    }
    let lines =
        |[port]: [u16; 1]| format!("password_file {}\n{}", passwords.display(), papers.listener(port, "server", ""));
    let Some((broker, [port])) = Mosquitto::start_with("password", lines) else { return };
    let city = ["sim", "--broker", &broker.url(), "--things", "20", "--rate", "40", "--for", "4s"].map(str::to_owned);
    let sim = Command::new(place::program("fleetlens")).args(city).output().unwrap();
    assert!(sim.status.success(), "{}", String::from_utf8_lossy(&sim.stderr));

    for (name, password, mode, says) in [
        ("right", "secret\n", 0o600, None),
        ("wrong", "terces\n", 0o600, Some("does not let")),
        ("open", "secret\n", 0o644, Some("chmod 600")),
    ] {
        let folder = papers.at(name);
        fs::create_dir(&folder).unwrap();
        fs::copy(papers.at("ca.pem"), folder.join("ca.pem")).unwrap();
        fs::write(folder.join("password"), password).unwrap();
        permit(&folder.join("password"), mode);
        let profile = format!(
            "name = \"{name}\"\n[broker]\nurl = \"mqtts://localhost:{port}\"\nuser = \"ada\"\n\
             password = {{ file = \"password\" }}\nca = \"ca.pem\"\n[[telemetry]]\n\
             template = \"city/{{area}}/{{kind}}/{{thing}}/telemetry\"\nenvelope = \"/values\"\ntime = \"/ts\"\n\
             meta = \"city/{{area}}/{{kind}}/{{thing}}/meta\"\n"
        );
        fs::write(folder.join("city.toml"), profile).unwrap();
        let (collected, log) = collect(&folder);
        match says {
            // Descriptions are retained: they are there although the city has gone.
            None => {
                assert_eq!(
                    (&collected["things"], &collected["refused"]["total"]),
                    (&Value::from(20), &Value::from(0)),
                    "{log}"
                )
            }
            Some(says) => {
                assert_eq!(collected["received"], 0, "{collected}");
                assert!(log.contains(says), "{log}");
            }
        }
        assert!(!log.contains("secret") && !log.contains("terces"), "{log}");
    }
}

/// What `fleetlens collect` tells of a profile in eight seconds, and its log.
fn collect(folder: &Path) -> (Value, String) {
    let mut command = Command::new(place::program("fleetlens"));
    command.args(["collect", "--json", "--for", "8s", "--profile"]).arg(folder.join("city.toml"));
    let output = command.arg("--db").arg(folder.join("city.db")).env("RUST_LOG", "info").output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    (serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {log}")), log)
}
