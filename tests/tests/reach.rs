//! Alarms reach people who are not before any window: a real broker, the whole host, and a web server of the test's own.
#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetlens_host::{BrokerChoice, HostOptions};
use fleetlens_ipc::rows::{AlarmRow, Rows};
use fleetlens_ipc::{AlarmScope, Done, Intent, Look};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::{Desk, started_up};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::{ProfileText, fire};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(60);

/// After how long an alarm goes to the next one.
const STEP: Duration = Duration::from_secs(8);

const CAUSE: &str = "cause = \"somebody threw ashes into it\"";

const SECRET: &str = "a secret of the city";

/// A POST as it came.
struct Post {
    delivery: String,
    body: Value,
}

impl Post {
    /// Event and thing of each notice.
    fn notices(&self) -> Vec<(&str, &str)> {
        let notices = self.body["notices"].as_array().unwrap();
        notices.iter().map(|one| (one["event"].as_str().unwrap(), one["thing"].as_str().unwrap())).collect()
    }
}

/// A web server that answers so many requests with 200, after so many that it never answers.
struct Server {
    port: u16,
    posts: mpsc::UnboundedReceiver<Post>,
}

impl Server {
    async fn start(unanswered: usize) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sent, posts) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut held = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let post = read(&mut stream).await;
                if held.len() < unanswered {
                    held.push(stream);
                } else {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                }
                if sent.send(post).is_err() {
                    return;
                }
            }
        });
        Server { port, posts }
    }

    async fn next(&mut self, what: &str) -> Post {
        let post = timeout(SOON, self.posts.recv()).await;
        post.unwrap_or_else(|_| panic!("waited {} s for: {what}", SOON.as_secs())).unwrap()
    }

    fn nothing_more(&mut self) {
        if let Ok(post) = self.posts.try_recv() {
            panic!("nobody should be told: {}", post.body);
        }
    }
}

/// Reads one POST and checks its signature as the guide says.
async fn read(stream: &mut TcpStream) -> Post {
    let mut bytes = Vec::new();
    loop {
        let mut some = [0; 4096];
        let n = stream.read(&mut some).await.unwrap();
        assert!(n > 0, "a request that was cut");
        bytes.extend(&some[..n]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        assert!(head.starts_with("POST /duty HTTP/1.1"), "{head}");
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .into_iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
                .unwrap()
        };
        let body = &bytes[end + 4..];
        if body.len() < header("content-length").parse().unwrap() {
            continue;
        }
        let signature = header("fleetlens-signature");
        let (at, v1) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).unwrap();
        assert_eq!(v1, hmac_sha256(SECRET.as_bytes(), &[at.as_bytes(), b".", body].concat()), "it is signed");
        let post = Post { delivery: header("fleetlens-delivery"), body: serde_json::from_slice(body).unwrap() };
        assert_eq!(post.body["delivery"], post.delivery.as_str());
        return post;
    }
}

/// RFC 2104, in hexadecimal digits; for keys of up to a block.
fn hmac_sha256(key: &[u8], text: &[u8]) -> String {
    let pad = |with: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([&pad(0x36), text].concat());
    let outer = Sha256::digest([&pad(0x5c)[..], &inner[..]].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A profile with these lines of `[[reach]]`, and what its host is started with.
fn options(folder: &Path, url: String, reach: &str) -> HostOptions {
    let file: PathBuf = folder.join("profile.toml");
    fs::write(&file, ProfileText::new("Reach", url).toml() + fire(CAUSE).as_str() + reach).unwrap();
    let secret = folder.join("duty.secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    HostOptions { profile: Some(file), demo: None, broker: BrokerChoice::Own, ..HostOptions::demo(folder.join("data")) }
}

fn duty(server: &Server, more: &str) -> String {
    format!(
        "\n[[reach]]\nname = \"duty\"\nwebhook = \"http://127.0.0.1:{}/duty\"\nsecret = {{ file = \"duty.secret\" }}\n{more}\n",
        server.port
    )
}

async fn says_temp(bins: &Peer, name: &str, temp_c: f64) {
    let values = json!({ "values": { "temp_c": temp_c } }).to_string();
    bins.publish(&format!("city/west/bin/{name}/telemetry"), values).await;
}

/// Bins with descriptions, once the host has a link to them.
async fn bins(broker: &Mosquitto, names: &[&str]) -> Peer {
    let bins = Peer::connect(&broker.url(), "reach-bins", &[]).await;
    for name in names {
        let meta = json!({ "kind": "bin", "name": format!("Bin {name}"), "lat": 35.9, "lon": 14.5, "interval_s": 600 });
        bins.publish_retained(&format!("city/west/bin/{name}/meta"), meta.to_string()).await;
    }
    bins
}

async fn alarm_of(desk: &mut Desk, title: &str) -> AlarmRow {
    let view = desk.look(Look::Alarms { scope: AlarmScope::Open, limit: 100 }).await;
    desk.wait_for("the alarm", SOON, |desk| match desk.rows(view) {
        Some(Rows::Alarms(list)) => {
            let row = list.rows.iter().find(|row| row.thing_title == title).cloned();
            row.ok_or_else(|| format!("{} alarms", list.rows.len()))
        }
        other => Err(format!("{other:?}")),
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_posted_and_again_after_a_restart_when_nobody_answered() {
    let Some(broker) = Mosquitto::start("reach") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(1).await;
    let options = options(folder.path(), broker.url(), &duty(&server, ""));
    let host = started_up(options.clone()).await;
    let bins = bins(&broker, &["b1", "b2"]).await;
    says_temp(&bins, "b2", 20.0).await;
    says_temp(&bins, "b1", 71.5).await;
    let first = server.next("the post that is not answered").await;
    let notice = &first.body["notices"][0];
    for (field, want) in [
        ("event", "raised"),
        ("fleet", "Reach"),
        ("thing", "b1"),
        ("title", "Bin b1"),
        ("rule", "fire"),
        ("name", "is burning"),
        ("priority", "critical"),
        ("cause", "somebody threw ashes into it"),
        ("what_to_do", "call the fire brigade"),
    ] {
        assert_eq!(notice[field], want, "{field} of {notice}");
    }
    assert!(notice["sentence"].as_str().unwrap().contains("71.5"), "{notice}");
    assert_eq!(notice["position"], json!({ "lat_deg": 35.9, "lon_deg": 14.5 }));
    assert_eq!(first.notices(), [("raised", "b1")]);
    assert_eq!((first.body["version"].as_u64(), first.body["left_out"].as_u64()), (Some(1), Some(0)));
    host.stop().await;

    // Nobody has said that it has arrived.
    let host = started_up(options.clone()).await;
    let again = server.next("the same once more").await;
    assert_eq!((&again.delivery, again.notices()), (&first.delivery, vec![("raised", "b1")]));
    says_temp(&bins, "b1", 20.0).await;
    let cleared = server.next("that it is over").await;
    assert_eq!(cleared.notices(), [("cleared", "b1")]);
    assert_ne!(cleared.delivery, first.delivery);
    host.stop().await;

    // Everything is delivered: a restart tells nothing, and what comes next comes first.
    let host = started_up(options).await;
    says_temp(&bins, "b2", 80.0).await;
    assert_eq!(server.next("the other bin").await.notices(), [("raised", "b2")]);
    server.nothing_more();
    host.stop().await;
    bins.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_has_acknowledged_goes_to_nobody_else() {
    let Some(broker) = Mosquitto::start("reach-step") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(0).await;
    let step = format!("after = \"{} s\"", STEP.as_secs());
    let options = options(folder.path(), broker.url(), &duty(&server, &step));
    let host = started_up(options).await;
    let mut desk = Desk::attach(&host).await;
    let bins = bins(&broker, &["b1", "b2"]).await;
    says_temp(&bins, "b1", 71.5).await;
    let alarm = alarm_of(&mut desk, "Bin b1").await;
    let alarms = vec![(alarm.id, alarm.raised_ms)];
    let done = desk.ask(Intent::Acknowledge { alarms, comment: "on my way".into() }).await;
    assert!(matches!(done, Ok(Done::Acknowledged(1))), "{done:?}");
    // The other begins later, so whoever hears of it would have heard of the first before.
    says_temp(&bins, "b2", 71.5).await;
    let post = server.next("the one that nobody has acknowledged").await;
    assert_eq!(post.notices(), [("escalated", "b2")]);
    server.nothing_more();
    desk.detach().await;
    host.stop().await;
    bins.leave().await;
}
