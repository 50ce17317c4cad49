//! Encrypted connections and WebSockets, with Mosquitto at the other end: what comes about, and what each mistake is called.

#![cfg(test)]
mod common;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use common::mosquitto::Mosquitto;
use common::{BOTH, config, failure, message, publish, up};
use fleetlens_link::{Link, LinkConfig, LinkError, Protocol, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

/// Two CAs and what they signed, as files.
struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    fn new() -> Papers {
        let papers = Papers { folder: tempfile::tempdir().unwrap() };
        let ca = papers.authority("ca");
        let stranger = papers.authority("stranger");
        papers.certificate("server", &ca, &["localhost", "127.0.0.1"], 2099);
        papers.certificate("other-name", &ca, &["broker.example"], 2099);
        papers.certificate("expired", &ca, &["localhost"], 2001);
        papers.certificate("us", &ca, &["fleetlens"], 2099);
        papers.certificate("somebody", &stranger, &["fleetlens"], 2099);
        papers
    }

    fn authority(&self, name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("Fleetlens test {name}"));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(self.at(&format!("{name}.pem")), issuer.pem()).unwrap();
        issuer
    }

    fn certificate(&self, name: &str, by: &CertifiedIssuer<'static, KeyPair>, names: &[&str], until: i32) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, by).unwrap();
        std::fs::write(self.at(&format!("{name}.pem")), signed.pem()).unwrap();
        let path = self.at(&format!("{name}.key"));
        std::fs::write(&path, key.serialize_pem()).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Who may vouch for the broker.
    fn believing(&self, ca: &str) -> Tls {
        Tls { ca: Some(self.at(ca)), ..Tls::default() }
    }

    fn as_client(&self, name: &str) -> Tls {
        let identity = (self.at(&format!("{name}.pem")), self.at(&format!("{name}.key")));
        Tls { identity: Some(identity), ..self.believing("ca.pem") }
    }

    /// The lines of a listener with a certificate.
    fn listener(&self, port: u16, certificate: &str, more: &str) -> String {
        format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n{more}\n",
            self.at("ca.pem").display(),
            self.at(&format!("{certificate}.pem")).display(),
            self.at(&format!("{certificate}.key")).display(),
        )
    }
}

/// Ports nobody listens at just now; held until the end of the choice so that they differ.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

async fn assert_up(url: &str, protocol: Protocol, tls: &Tls) {
    let config = LinkConfig { tls: tls.clone(), ..config(url, protocol, "c", &[("t", 1)]) };
    let (link, mut events) = Link::start(config).unwrap();
    up(&mut events).await;
    publish(&link, "t", "hello", 1).unwrap();
    assert_eq!(message(&mut events).await.payload, b"hello", "{url}, {protocol}");
    link.stop().await;
}

async fn assert_fails(url: &str, protocol: Protocol, tls: &Tls, says: &str) {
    let config = LinkConfig { tls: tls.clone(), ..config(url, protocol, "c", &[]) };
    let (link, mut events) = Link::start(config).unwrap();
    let why = failure(&mut events).await;
    assert!(why.contains(says), "{url}, {protocol}: {why}");
    link.stop().await;
}

#[tokio::test]
async fn an_encrypted_connection_comes_about_or_says_what_to_change() {
    let papers = Papers::new();
    let [good, named, expired, asking, web, encrypted_web] = free_ports();
    let listeners = [
        papers.listener(good, "server", ""),
        papers.listener(named, "other-name", ""),
        papers.listener(expired, "expired", ""),
        papers.listener(asking, "server", "require_certificate true"),
        format!("listener {web} 127.0.0.1\nprotocol websockets\n"),
        papers.listener(encrypted_web, "server", "protocol websockets"),
    ];
    let Some(broker) = Mosquitto::start(&listeners.concat()) else { return };
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
            (at("ws", web), &none),
            (at("wss", encrypted_web), &ours),
        ] {
            assert_up(&url, protocol, tls).await;
        }
        for (url, tls, says) in [
            (at("mqtts", good), &nobodys, "name the CA that signed it"),
            (at("wss", encrypted_web), &nobodys, "name the CA that signed it"),
            (at("mqtts", named), &ours, "is for broker.example, not for localhost"),
            (at("mqtts", expired), &ours, "has expired"),
            (plain.replace("mqtt://", "mqtts://"), &ours, "may not be encrypted there"),
            (at("mqtt", good), &none, "expect TLS"),
            (at("mqtts", asking), &ours, "certificate of ours"),
            (at("mqtts", asking), &papers.as_client("somebody"), "does not take our certificate"),
            (plain.replace("mqtt://", "ws://"), &none, "closed the connection without an answer"),
            (at("mqtts", good), &papers.believing("none.pem"), "none.pem cannot be read"),
            (at("mqtts", good), &papers.believing("us.key"), "in PEM form"),
        ] {
            assert_fails(&url, protocol, tls, says).await;
        }
    }
    loosen(&papers.at("us.key"));
    assert_fails(&at("mqtts", asking), Protocol::V5, &papers.as_client("us"), "chmod 600").await;
}

#[cfg(unix)]
fn loosen(path: &Path) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
}

#[test]
fn what_only_an_encrypted_connection_can_heed_is_not_passed_over() {
    let tls = Tls { alpn: vec!["mqtt".into()], ..Tls::default() };
    let config = LinkConfig { tls, ..LinkConfig::new("mqtt://h", "c") };
    assert_eq!(config.validate(), Err(LinkError::TlsUnused { given: "mqtt://h".into() }));
}
