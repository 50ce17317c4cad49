//! Webhooks against a server of HTTP on this machine that says what it is told to say.
#![cfg(test)]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::{Papers, SOON, Shared, notice, outlet, raised, reach, until};
use fleetlens_link::{Secret, Tls};
use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_reach::{Event, Memory, Output, Reach, Told, Webhook};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const SECRET: &str = "a secret of the city, which is longer than the sixty-four bytes of a block of SHA-256";

/// What the server does with one request.
#[derive(Clone, Debug)]
enum Says {
    /// These bytes, and closes.
    This(String),
    /// Nothing, and keeps the connection.
    Nothing,
}

fn status(status: &str) -> Says {
    Says::This(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
}

/// A request as it came.
#[derive(Debug)]
struct Request {
    head: String,
    body: Vec<u8>,
    at: Instant,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next();
        found.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn delivery(&self) -> String {
        let delivery = self.header("Fleetlens-Delivery").to_owned();
        assert_eq!(self.json()["delivery"], delivery);
        delivery
    }

    fn alarms(&self) -> Vec<u64> {
        self.json()["notices"].as_array().unwrap().iter().map(|notice| notice["alarm"].as_u64().unwrap()).collect()
    }

    /// Checks the signature as somebody would who has read the guide.
    fn is_signed_with(&self, secret: &str) -> bool {
        let signature = self.header("Fleetlens-Signature");
        let (at, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let message = [at.as_bytes(), b".", &self.body].concat();
        let mac_of: String = hmac_sha256(secret.as_bytes(), &message).iter().map(|b| format!("{b:02x}")).collect();
        mac == mac_of
    }
}

/// RFC 2104 by the book, so that it is not the library's word against its own.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

/// A server that says one thing after the other, and the last one for ever.
struct Server {
    port: u16,
    requests: mpsc::UnboundedReceiver<Request>,
    _papers: Option<Arc<Papers>>,
}

impl Server {
    async fn start(says: Vec<Says>) -> Server {
        Server::with(says, None).await
    }

    async fn with(says: Vec<Says>, papers: Option<Arc<Papers>>) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, requests) = mpsc::unbounded_channel();
        let encrypts = papers.clone();
        tokio::spawn(async move {
            let mut says = says.into_iter().peekable();
            let mut kept = Vec::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let now = if says.len() > 1 { says.next().unwrap() } else { says.peek().unwrap().clone() };
                kept.push(tokio::spawn(match &encrypts {
                    None => Box::pin(serve(stream, now, heard.clone()))
                        as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
                    Some(papers) => {
                        let (papers, heard) = (papers.clone(), heard.clone());
                        Box::pin(async move {
                            if let Ok(stream) = papers.acceptor.accept(stream).await {
                                serve(stream, now, heard).await;
                            }
                        })
                    }
                }));
            }
        });
        Server { port, requests, _papers: papers }
    }

    fn webhook(&self) -> Webhook {
        let url = format!("http://127.0.0.1:{}/hook/T0KEN?city=malta", self.port);
        Webhook::new(&url, Secret::Given(SECRET.into()), Tls::default(), false).unwrap()
    }

    fn reach(&self) -> Reach {
        reach(vec![outlet("hook", Output::Webhook(self.webhook()))], Memory::default())
    }

    async fn next(&mut self) -> Request {
        tokio::time::timeout(SOON, self.requests.recv()).await.expect("a request comes").unwrap()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, says: Says, heard: mpsc::UnboundedSender<Request>) {
    let mut bytes = Vec::new();
    let (head, mut body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8(bytes[..at].to_vec()).unwrap(), bytes[at + 4..].to_vec());
        }
    };
    let mut request = Request { head, body: Vec::new(), at: Instant::now() };
    let length: usize = request.header("Content-Length").parse().unwrap();
    while body.len() < length {
        assert!(stream.read_buf(&mut body).await.unwrap() > 0);
    }
    request.body = body;
    _ = heard.send(request);
    match says {
        Says::This(answer) => {
            _ = stream.write_all(answer.as_bytes()).await;
            _ = stream.shutdown().await;
        }
        Says::Nothing => std::future::pending().await,
    }
}

#[tokio::test]
async fn a_notice_is_posted_signed_and_as_the_guide_says() {
    let mut server = Server::start(vec![status("204 No Content")]).await;
    let reach = server.reach();
    reach.tell(raised(7)).await.unwrap();
    let request = server.next().await;
    assert!(request.head.starts_with("POST /hook/T0KEN?city=malta HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("Content-Type"), "application/json");
    assert_eq!(request.header("Host"), format!("127.0.0.1:{}", server.port));
    assert!(request.is_signed_with(SECRET) && !request.is_signed_with("another"));
    let delivery = request.delivery();
    assert_eq!(delivery.len(), 32);
    let want = json!({
        "version": 1,
        "delivery": delivery,
        "left_out": 0,
        "notices": [{
            "event": "raised", "alarm": 7, "fleet": "Malta", "thing": "gw-7", "title": "Gateway Marsa-7",
            "rule": "gateway-silent", "name": "silent", "priority": "critical", "sentence": "nothing heard for 3 min",
            "cause": "", "consequence": "12 lamps cannot be steered",
            "what_to_do": ".look at the fuse\nand then again", "at": "2025-11-23T04:52:31.25Z",
        }],
    });
    assert_eq!(request.json(), want);
    until(&reach, "the delivery", |standing| standing.routes[0].delivered == 1 && standing.routes[0].waiting == 0)
        .await;
    reach.stop().await;
}

#[tokio::test]
async fn what_may_pass_is_tried_again_as_the_same_delivery() {
    let cut = Says::This("HTTP/1.1 200 O".into());
    for (name, says, attempts) in [
        ("500 twice", vec![status("500 No"), status("503 No"), status("200 OK")], 3),
        ("cut within the head", vec![cut, status("200 OK")], 2),
        ("no HTTP", vec![Says::This("SSH-2.0-OpenSSH_9.2\r\n".into()), status("200 OK")], 2),
        ("closed without a word", vec![Says::This(String::new()), status("200 OK")], 2),
    ] {
        let mut server = Server::start(says).await;
        let reach = server.reach();
        reach.tell(raised(1)).await.unwrap();
        let first = server.next().await;
        for _ in 1..attempts {
            let next = server.next().await;
            assert_eq!(next.delivery(), first.delivery(), "{name}");
            assert_eq!(next.body, first.body, "{name}");
            assert!(next.is_signed_with(SECRET), "{name}");
        }
        until(&reach, name, |standing| standing.routes[0].delivered == 1 && standing.routes[0].fault.is_none()).await;
        reach.stop().await;
        assert!(server.requests.try_recv().is_err(), "{name}: once is enough");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_after_its_status_is_an_answer() {
    let cut = Says::This("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthan".into());
    let mut server = Server::start(vec![cut]).await;
    let reach = server.reach();
    reach.tell(raised(1)).await.unwrap();
    server.next().await;
    until(&reach, "the delivery", |standing| standing.routes[0].delivered == 1).await;
    reach.stop().await;
}

#[tokio::test]
async fn retry_after_is_heeded_up_to_the_longest_wait() {
    let busy = Says::This("HTTP/1.1 429 Too Many\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n".into());
    let mut server = Server::start(vec![busy, status("200 OK")]).await;
    let reach = server.reach();
    reach.tell(raised(1)).await.unwrap();
    let (first, second) = (server.next().await, server.next().await);
    let waited = second.at.duration_since(first.at);
    assert!(waited >= Duration::from_millis(390), "{waited:?}: an hour was asked for, 400 ms is the longest");
    until(&reach, "the delivery", |standing| standing.routes[0].delivered == 1).await;
    reach.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again_and_says_why_without_the_address() {
    let redirect =
        Says::This("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".into());
    let long = "x".repeat(1 << 20);
    let endless = Says::This(format!("HTTP/1.1 403 Forbidden\r\n\r\nno such city {long}"));
    for (says, want) in [
        (status("400 Bad Request"), "answered 400 Bad Request"),
        (status("404 Not Found"), "answered 404 Not Found"),
        (redirect, "redirects are not followed"),
        (endless, "no such city"),
    ] {
        let mut server = Server::start(vec![says, status("200 OK")]).await;
        let reach = server.reach();
        reach.tell(raised(1)).await.unwrap();
        server.next().await;
        until(&reach, want, |standing| standing.routes[0].given_up == 1).await;
        let why = reach.standing().borrow().routes[0].fault.clone().unwrap();
        assert!(why.contains(want) && !why.contains("T0KEN") && why.len() < 500, "{why}");
        reach.tell(raised(2)).await.unwrap();
        let second = server.next().await;
        assert_eq!((second.alarms(), second.json()["left_out"].clone()), (vec![2], json!(1)), "{want}");
        reach.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_is_given_up_after_so_many_attempts() {
    let mut server = Server::start(vec![Says::Nothing]).await;
    let webhook = server.webhook().within(Duration::from_millis(250));
    let hanging = reach(vec![outlet("hook", Output::Webhook(webhook))], Memory::default());
    hanging.tell(raised(1)).await.unwrap();
    until(&hanging, "the end", |standing| standing.routes[0].given_up == 1).await;
    let mut attempts = 0;
    while server.requests.try_recv().is_ok() {
        attempts += 1;
    }
    assert_eq!(attempts, common::impatient().attempts);
    let why = hanging.standing().borrow().routes[0].fault.clone().unwrap();
    assert!(why.contains("did not answer within 0.25 s"), "{why}");
    hanging.stop().await;

    let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{gone}/");
    let webhook = Webhook::new(&url, Secret::Given(SECRET.into()), Tls::default(), false).unwrap();
    let nobody = reach(vec![outlet("hook", Output::Webhook(webhook))], Memory::default());
    nobody.tell(raised(1)).await.unwrap();
    until(&nobody, "the end", |standing| standing.routes[0].given_up == 1).await;
    let why = nobody.standing().borrow().routes[0].fault.clone().unwrap();
    assert!(why.contains(&format!("no connection to 127.0.0.1:{gone}")), "{why}");
    nobody.stop().await;
}

#[tokio::test]
async fn a_flood_is_a_few_posts_and_an_acknowledgement_is_taken_in() {
    let mut server = Server::start(vec![status("200 OK")]).await;
    let reach = server.reach();
    for alarm in 0..250 {
        reach.tell(raised(alarm)).await.unwrap();
    }
    reach.tell(Told::Acknowledged(AlarmId(3))).await.unwrap();
    reach.tell(Told::Notice(Box::new(notice(3, Event::Cleared, Priority::Critical)))).await.unwrap();
    until(&reach, "all of it", |standing| standing.routes[0].delivered == 251).await;
    let mut alarms = Vec::new();
    let mut posts = 0;
    while alarms.len() < 251 {
        alarms.extend(server.next().await.alarms());
        posts += 1;
    }
    assert!(posts <= 20, "{posts} posts");
    assert_eq!(alarms.iter().collect::<std::collections::BTreeSet<_>>().len(), 250);
    reach.stop().await;
}

#[tokio::test]
async fn a_restart_goes_on_with_the_same_delivery() {
    let mut server = Server::start(vec![Says::Nothing, status("200 OK")]).await;
    let outbox = Shared::default();
    let outlets = || vec![outlet("hook", Output::Webhook(server.webhook()))];
    let before = reach(outlets(), outbox.clone());
    before.tell(raised(1)).await.unwrap();
    let after_outlets = outlets();
    let first = server.next().await;
    before.tell(raised(2)).await.unwrap();
    before.stop().await;
    assert_eq!(outbox.records().len(), 4, "two notices and two alarms: {:?}", outbox.records());
    let after = reach(after_outlets, outbox.clone());
    let again = server.next().await;
    assert_eq!((again.delivery(), again.alarms()), (first.delivery(), vec![1]));
    assert_eq!(server.next().await.alarms(), [2]);
    until(&after, "the rest", |standing| standing.routes[0].delivered == 2).await;
    after.stop().await;
    assert_eq!(outbox.records().len(), 2, "two alarms are active");
}

#[tokio::test]
async fn an_outbox_that_fails_is_told_and_keeps_nothing_from_anybody() {
    let mut server = Server::start(vec![status("200 OK")]).await;
    let outbox = Shared::default();
    let reach = reach(vec![outlet("hook", Output::Webhook(server.webhook()))], outbox.clone());
    // The outbox was read once something was delivered.
    reach.tell(raised(0)).await.unwrap();
    server.next().await;
    outbox.fails.store(true, Ordering::SeqCst);
    reach.tell(raised(1)).await.unwrap();
    server.next().await;
    until(&reach, "the fault", |standing| standing.journal_fault.as_deref() == Some("the disk is full")).await;
    outbox.fails.store(false, Ordering::SeqCst);
    until(&reach, "its end", |standing| standing.journal_fault.is_none()).await;
    reach.stop().await;
    assert_eq!(outbox.records().len(), 2, "what could not be written then is written now");
}

#[tokio::test]
async fn an_encrypted_webhook_is_believed_if_the_ca_vouches_for_it() {
    let papers = Arc::new(Papers::made());
    let mut server = Server::with(vec![status("200 OK")], Some(papers.clone())).await;
    let secret = || Secret::Given(SECRET.into());
    let url = format!("https://localhost:{}/", server.port);
    let stranger = Webhook::new(&url, secret(), Papers::made().believed(), false);
    // The stranger's file is gone with its folder: a file that cannot be read is a reason like any other.
    let other_ca = Papers::of("a stranger");
    let distrusted = Webhook::new(&url, secret(), other_ca.believed(), false).unwrap();
    for (webhook, want) in
        [(stranger.unwrap(), "cannot be read"), (distrusted, "name the CA that signed its certificate")]
    {
        let reach = reach(vec![outlet("hook", Output::Webhook(webhook))], Memory::default());
        reach.tell(raised(1)).await.unwrap();
        until(&reach, want, |standing| standing.routes[0].fault.as_ref().is_some_and(|why| why.contains(want))).await;
        reach.stop().await;
    }
    let webhook = Webhook::new(&url, secret(), papers.believed(), false).unwrap();
    let reach = reach(vec![outlet("hook", Output::Webhook(webhook))], Memory::default());
    reach.tell(raised(2)).await.unwrap();
    let request = server.next().await;
    assert!(request.is_signed_with(SECRET) && request.alarms() == [2]);
    reach.stop().await;
}
