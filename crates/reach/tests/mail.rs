//! Mail against a small but real server of SMTP on this machine.
#![cfg(test)]

mod common;

use std::sync::Arc;

use common::{Papers, SOON, notice, outlet, raised, reach, until};
use fleetlens_link::{Secret, Tls};
use fleetlens_model::alarm::Priority;
use fleetlens_reach::{Event, Mail, Memory, Notice, Output, Reach, Server, Told};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// `\0alarms\0hunter2`, as AUTH PLAIN has it (RFC 4616).
const PLAIN: &str = "AGFsYXJtcwBodW50ZXIy";

/// How a conversation goes.
#[derive(Clone, Debug, Default)]
struct Habits {
    /// Wants a name and a password.
    wants_auth: bool,
    /// Offers STARTTLS.
    offers_tls: bool,
    /// Encrypted from the first byte.
    is_implicit: bool,
    /// What it says to the first RCPT of each address, instead of 250.
    first_rcpt: Option<&'static str>,
    /// What it says to every MAIL, instead of 250.
    mail: Option<&'static str>,
    /// What it says at the end of the message, and then is gone.
    cut_after_data: bool,
}

/// A mail as the server has it, its dots unstuffed.
#[derive(Debug)]
struct Taken {
    from: String,
    to: String,
    text: String,
    encrypted: bool,
}

struct Smtp {
    port: u16,
    taken: mpsc::UnboundedReceiver<Taken>,
}

impl Smtp {
    async fn start(habits: Habits, papers: Option<Arc<Papers>>) -> Smtp {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, taken) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut greylisted = Vec::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // One after the other: what was greylisted is known in the next conversation.
                match &papers {
                    Some(papers) if habits.is_implicit => {
                        let Ok(stream) = papers.acceptor.accept(stream).await else { continue };
                        converse(stream, &habits, true, true, &mut greylisted, &tell).await;
                    }
                    Some(papers) => {
                        let Some(stream) = converse(stream, &habits, false, true, &mut greylisted, &tell).await else {
                            continue;
                        };
                        let Ok(stream) = papers.acceptor.accept(stream).await else { continue };
                        converse(stream, &habits, true, false, &mut greylisted, &tell).await;
                    }
                    None => _ = converse(stream, &habits, false, true, &mut greylisted, &tell).await,
                }
            }
        });
        Smtp { port, taken }
    }

    fn server(&self, scheme: &str, tls: Tls, clear: bool) -> Server {
        let credentials = Some(("alarms".to_owned(), Secret::Given("hunter2".into())));
        Server::new(&format!("{scheme}://localhost:{}", self.port), clear, tls, credentials).unwrap()
    }

    fn reach(&self, to: &[&str]) -> Reach {
        let server = self.server("smtp", Tls::default(), true);
        let one = |to: &&str| {
            let mail = Mail::new(server.clone(), "Fleetlens <alarms@city.example>", to).unwrap();
            outlet(to, Output::Mail(mail))
        };
        reach(to.iter().map(one).collect(), Memory::default())
    }

    async fn next(&mut self) -> Taken {
        tokio::time::timeout(SOON, self.taken.recv()).await.expect("a mail comes").unwrap()
    }
}

/// One conversation; the stream, where it goes on encrypted.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    habits: &Habits,
    encrypted: bool,
    greets: bool,
    greylisted: &mut Vec<String>,
    tell: &mpsc::UnboundedSender<Taken>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let (mut from, mut to, mut authorised) = (String::new(), String::new(), !habits.wants_auth);
    if greets {
        stream.write_all(b"220 mail.city.example ESMTP\r\n").await.ok()?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.strip_suffix("\r\n").expect("lines end with CRLF");
        let address = || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).unwrap().0.to_owned();
        let answer = match line.split([' ', ':']).next().unwrap() {
            "EHLO" => {
                let tls = if habits.offers_tls && !encrypted { "250-STARTTLS\r\n" } else { "" };
                format!("250-mail.city.example\r\n{tls}250-8BITMIME\r\n250 AUTH PLAIN LOGIN")
            }
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").await.ok()?;
                assert!(stream.buffer().is_empty(), "nothing is sent before the handshake");
                return Some(stream.into_inner());
            }
            "AUTH" if line == format!("AUTH PLAIN {PLAIN}") => {
                authorised = true;
                "235 welcome".to_owned()
            }
            "AUTH" => "535 5.7.8 who are you".to_owned(),
            "MAIL" if !authorised => "530 5.7.0 say who you are".to_owned(),
            "MAIL" => {
                from = address();
                habits.mail.unwrap_or("250 go on").to_owned()
            }
            "RCPT" => {
                to = address();
                match habits.first_rcpt.filter(|_| !greylisted.contains(&to)) {
                    Some(says) => {
                        greylisted.push(to.clone());
                        says.to_owned()
                    }
                    None => "250 go on".to_owned(),
                }
            }
            "DATA" => {
                stream.write_all(b"354 end with a dot\r\n").await.ok()?;
                let mut text = String::new();
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                tell.send(Taken { from: from.clone(), to: to.clone(), text, encrypted }).ok()?;
                if habits.cut_after_data {
                    return None;
                }
                "250 taken".to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            other => format!("502 {other} is not known here"),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

#[tokio::test]
async fn a_mail_is_handed_in_with_a_password_and_arrives_as_it_was_written() {
    let mut smtp = Smtp::start(Habits { wants_auth: true, ..Habits::default() }, None).await;
    let reach = smtp.reach(&["ada@city.example"]);
    let told = Notice {
        what_to_do: format!(".look at the fuse {}", "and the lamp ".repeat(70)),
        sentence: ".".into(),
        title: ".x\r\n.\r\nMAIL FROM:<eve@e.example>\r\nBcc: eve@e.example".into(),
        ..notice(1, Event::Raised, Priority::Critical)
    };
    reach.tell(Told::Notice(Box::new(told))).await.unwrap();
    let mail = smtp.next().await;
    assert_eq!(
        (mail.from.as_str(), mail.to.as_str(), mail.encrypted),
        ("alarms@city.example", "ada@city.example", false)
    );
    assert!(!mail.text.lines().any(|line| line.starts_with("Bcc") || line.starts_with("MAIL")), "{}", mail.text);
    assert!(mail.text.contains("From: Fleetlens <alarms@city.example>\r\n"), "{}", mail.text);
    assert!(mail.text.contains("\r\n.x") && mail.text.contains("Seen: .\r\n"), "a dot is a dot: {}", mail.text);
    until(&reach, "the delivery", |standing| standing.routes[0].delivered == 1).await;
    reach.stop().await;
    assert!(smtp.taken.try_recv().is_err());
}

#[tokio::test]
async fn a_greylisted_address_is_tried_again_and_a_refused_one_keeps_the_mail_from_nobody_else() {
    let mut smtp =
        Smtp::start(Habits { first_rcpt: Some("451 4.7.1 come back later"), ..Habits::default() }, None).await;
    let reach = smtp.reach(&["ada@city.example", "ben@city.example"]);
    reach.tell(raised(1)).await.unwrap();
    let mut to = [smtp.next().await.to, smtp.next().await.to];
    to.sort();
    assert_eq!(to, ["ada@city.example", "ben@city.example"]);
    until(&reach, "both", |standing| standing.routes.iter().all(|route| route.delivered == 1)).await;
    reach.stop().await;

    let mut smtp =
        Smtp::start(Habits { first_rcpt: Some("550 5.1.1 no such person"), ..Habits::default() }, None).await;
    let reach = smtp.reach(&["ada@city.example", "ben@city.example"]);
    reach.tell(raised(1)).await.unwrap();
    until(&reach, "the refusals", |standing| standing.routes.iter().all(|route| route.given_up == 1)).await;
    let why = reach.standing().borrow().routes[0].fault.clone().unwrap();
    assert!(why.contains("did not take the mail to ada@city.example") && why.contains("no such person"), "{why}");
    reach.tell(raised(2)).await.unwrap();
    let mail = smtp.next().await;
    assert!(mail.text.contains("1 more could not be sent before this"), "{}", mail.text);
    reach.stop().await;
}

#[tokio::test]
async fn a_sender_that_is_refused_is_told_and_a_wrong_password_may_be_put_right() {
    for (habits, want, is_over) in [
        (Habits { mail: Some("553 5.7.1 not your address"), ..Habits::default() }, "not your address", true),
        (Habits { mail: Some("452 4.3.1 no room"), ..Habits::default() }, "no room", false),
    ] {
        let smtp = Smtp::start(habits, None).await;
        let reach = smtp.reach(&["ada@city.example"]);
        reach.tell(raised(1)).await.unwrap();
        until(&reach, want, |standing| {
            let route = &standing.routes[0];
            route.fault.as_ref().is_some_and(|why| why.contains(want)) && (route.given_up == 1) == is_over
        })
        .await;
        reach.stop().await;
    }
    let smtp = Smtp::start(Habits { wants_auth: true, ..Habits::default() }, None).await;
    let credentials = Some(("alarms".to_owned(), Secret::Given("wr0ng".into())));
    let server = Server::new(&format!("smtp://localhost:{}", smtp.port), true, Tls::default(), credentials).unwrap();
    let mail = Mail::new(server, "alarms@city.example", "ada@city.example").unwrap();
    let reach = reach(vec![outlet("ada", Output::Mail(mail))], Memory::default());
    reach.tell(raised(1)).await.unwrap();
    until(&reach, "the reason", |standing| {
        let route = &standing.routes[0];
        route.waiting == 1
            && route.fault.as_ref().is_some_and(|why| why.contains("did not let us in") && !why.contains("wr0ng"))
    })
    .await;
    reach.stop().await;
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_sent_again_under_the_same_id() {
    let mut smtp = Smtp::start(Habits { cut_after_data: true, ..Habits::default() }, None).await;
    let reach = smtp.reach(&["ada@city.example"]);
    reach.tell(raised(1)).await.unwrap();
    let id = |mail: &Taken| mail.text.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned();
    let (first, second) = (smtp.next().await, smtp.next().await);
    assert_eq!(id(&first), id(&second));
    reach.stop().await;
}

#[tokio::test]
async fn a_flood_is_one_mail_with_what_is_in_it_in_the_subject() {
    let mut smtp = Smtp::start(Habits::default(), None).await;
    let reach = smtp.reach(&["ada@city.example"]);
    for alarm in 0..60 {
        reach.tell(raised(alarm)).await.unwrap();
    }
    until(&reach, "all of it", |standing| standing.routes[0].delivered == 60).await;
    reach.stop().await;
    let mut mails = vec![smtp.next().await];
    while let Ok(mail) = smtp.taken.try_recv() {
        mails.push(mail);
    }
    assert!(mails.len() <= 10, "{} mails", mails.len());
    assert!(mails.iter().any(|mail| mail.text.contains("notices of Malta: Gateway Marsa-")), "{}", mails[0].text);
    assert!(mails.iter().all(|mail| mail.text.lines().all(|line| line.len() <= 998)));
}

#[tokio::test]
async fn mail_is_encrypted_from_the_first_byte_or_after_starttls_and_never_not_at_all() {
    let papers = Arc::new(Papers::made());
    for (scheme, habits) in [
        ("smtps", Habits { is_implicit: true, wants_auth: true, ..Habits::default() }),
        ("smtp", Habits { offers_tls: true, wants_auth: true, ..Habits::default() }),
    ] {
        let mut smtp = Smtp::start(habits, Some(papers.clone())).await;
        let mail = Mail::new(smtp.server(scheme, papers.believed(), false), "alarms@city.example", "ada@city.example");
        let reach = reach(vec![outlet("ada", Output::Mail(mail.unwrap()))], Memory::default());
        reach.tell(raised(1)).await.unwrap();
        assert!(smtp.next().await.encrypted, "{scheme}");
        until(&reach, "the delivery", |standing| standing.routes[0].delivered == 1).await;
        reach.stop().await;
    }
    let mut without = Smtp::start(Habits::default(), None).await;
    let mail = Mail::new(without.server("smtp", Tls::default(), false), "alarms@city.example", "ada@city.example");
    let reach = reach(vec![outlet("ada", Output::Mail(mail.unwrap()))], Memory::default());
    reach.tell(raised(1)).await.unwrap();
    until(&reach, "the reason", |standing| {
        standing.routes[0].fault.as_ref().is_some_and(|why| why.contains("offers no encryption (STARTTLS)"))
    })
    .await;
    reach.stop().await;
    assert!(without.taken.try_recv().is_err(), "nothing was handed in");
}
