//! Mail: one plain-text message a parcel to one address, over a connection of its own.
//!
//! `lettre` writes the message and holds the conversation; the connection and its encryption are ours, so that a mail server is
//! believed for the same reasons as a broker. Encryption that was asked for is never left out because a server does not offer it.

mod message;
mod starttls;

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use fleetlens_link::{Destination, Secret, Tls};
use fleetlens_model::text::shown;
use lettre::address::AddressError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self};
use lettre::{Address, message::Mailbox};
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use crate::dial::{Bounded, Place};
use crate::retry::Outcome;
use crate::routes::Parcel;

/// How long an attempt may take, from looking up the host to the server's word that it has the mail.
const WITHIN: Duration = Duration::from_secs(60);

/// All that a server may say in one conversation, in bytes.
const SAID_MAX_BYTES: usize = 64 << 10;

/// What we call ourselves: the machine's name is nobody's business, and a mail server of one's own knows who logs in.
const HELLO: &str = "fleetlens.invalid";

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte (RFC 8314); usually port 465.
    Implicit,
    /// After a greeting in clear (RFC 3207); usually port 587.
    StartTls,
    /// Not at all; usually port 25.
    None,
}

/// Where mail is handed in, and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    place: Place,
    encryption: Encryption,
    tls: Tls,
    credentials: Option<(String, Secret)>,
}

/// Why mail cannot be sent as it is written. It never repeats a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The address of the server cannot be read.
    #[error(
        "the address of a mail server is \"smtps://host\", encrypted, or \"smtp://host\", which STARTTLS encrypts: {0}"
    )]
    Server(String),
    /// User and password in it.
    #[error("user and password do not belong into the address; write user = \"…\" and password = {{ file = \"…\" }}")]
    Named,
    /// `smtps://` is always encrypted.
    #[error("smtps:// is encrypted; write smtp:// with clear = true, or leave clear out")]
    NotClear,
    /// A CA for a connection that is not encrypted.
    #[error("a CA is only for encrypted connections; leave ca out, or clear")]
    TlsUnused,
    /// A password that everybody on the way could read.
    #[error("the password would go unencrypted to another machine; leave clear out, or the password")]
    ClearPassword,
    /// No address of a person.
    #[error("{given:?} is no address of a mailbox ({why}); write \"ada@city.example\"")]
    Address {
        /// As it was written.
        given: String,
        /// What is wrong.
        why: String,
    },
}

impl Server {
    /// The mail server at `url`: `smtps://host[:port]` encrypted from the first byte, `smtp://host[:port]` after STARTTLS, or not at
    /// all where `clear` says so. `credentials` are the user and where the password is.
    pub fn new(url: &str, clear: bool, tls: Tls, credentials: Option<(String, Secret)>) -> Result<Server, MailError> {
        let wrong = |why: &str| MailError::Server(why.to_owned());
        let url = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(MailError::Named);
        }
        let (encryption, usual_port) = match (url.scheme(), clear) {
            ("smtps", false) => (Encryption::Implicit, 465),
            ("smtp", false) => (Encryption::StartTls, 587),
            ("smtp", true) => (Encryption::None, 25),
            ("smtps", true) => return Err(MailError::NotClear),
            (other, _) => return Err(wrong(&format!("{other}:// is not spoken here"))),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("nothing may follow host and port"));
        }
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("the host is missing"));
        }
        let place = Place { host, port: url.port().unwrap_or(usual_port) };
        if encryption == Encryption::None {
            if tls != Tls::default() {
                return Err(MailError::TlsUnused);
            }
            if credentials.is_some() && !place.is_this_machine() {
                return Err(MailError::ClearPassword);
            }
        }
        Ok(Server { place, encryption, tls, credentials })
    }
}

/// Mail to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    server: Server,
    from: Mailbox,
    to: Mailbox,
    within: Duration,
}

/// An address, alone or behind a name: `Duty <duty@city.example>`. Only of ASCII: others need a server that takes them, which is
/// known too late.
pub(crate) fn mailbox(written: &str) -> Result<Mailbox, MailError> {
    let wrong = |why: &str| MailError::Address { given: shown(written).into_owned(), why: why.to_owned() };
    if !written.is_ascii() || written.chars().any(char::is_control) {
        return Err(wrong("it has other letters than those of ASCII"));
    }
    written.parse::<Mailbox>().map_err(|error: AddressError| wrong(&error.to_string()))
}

impl Mail {
    /// Mail from one mailbox to another, written `ada@city.example` or `Ada <ada@city.example>`.
    pub fn new(server: Server, from: &str, to: &str) -> Result<Mail, MailError> {
        Ok(Mail { server, from: mailbox(from)?, to: mailbox(to)?, within: WITHIN })
    }

    /// The address that it goes to, without a name.
    pub fn to(&self) -> &str {
        self.to.email.as_ref()
    }

    /// The same, but that an attempt takes no longer than this.
    pub fn within(self, within: Duration) -> Mail {
        Mail { within, ..self }
    }

    pub(crate) fn destination(&self) -> Destination {
        self.server.place.destination(self.server.encryption != Encryption::None)
    }

    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.server.credentials.as_ref().map(|(_, password)| password)
    }

    pub(crate) fn ca(&self) -> Option<&Path> {
        self.server.tls.ca.as_deref()
    }

    /// One attempt. Dropped, it ends the connection; the server may have the mail all the same.
    pub async fn send(&self, parcel: &Parcel) -> Outcome {
        match tokio::time::timeout(self.within, self.attempt(parcel)).await {
            Ok(Ok(())) => Outcome::Delivered,
            Ok(Err(outcome)) => outcome,
            Err(_) => {
                let within_s = self.within.as_secs_f32();
                Outcome::again(format!("the mail server {} did not take it within {within_s} s", self.server.place))
            }
        }
    }

    async fn attempt(&self, parcel: &Parcel) -> Result<(), Outcome> {
        let password = match &self.server.credentials {
            None => None,
            Some((user, secret)) => {
                let password = secret.read().await.map_err(|error| Outcome::again(error.to_string()))?;
                Some(Credentials::new(user.clone(), password))
            }
        };
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(parcel.at.0).unwrap_or(0));
        let message = message::written(parcel, &self.from, &self.to, at)
            .map_err(|error| Outcome::Refused { why: format!("the mail cannot be written: {error}") })?;
        let place = &self.server.place;
        let stream = self.stream().await.map_err(Outcome::again)?;
        let hello = ClientId::Domain(HELLO.to_owned());
        // Whatever ends a conversation before it was about our mail may be another time: an overloaded server, a password that is
        // being changed. There is a day to put it right.
        let again =
            |error: smtp::Error| Outcome::again(format!("the mail server {place} did not let us in: {}", said(&error)));
        let mut conversation = AsyncSmtpConnection::connect_with_transport(stream, &hello).await.map_err(again)?;
        if let Some(credentials) = &password {
            conversation.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await.map_err(again)?;
        }
        let result = hand_in(&mut conversation, &self.from.email, &self.to.email, &message).await;
        if result.is_ok() {
            // Whether it says goodbye is its own business: it has the mail.
            _ = conversation.quit().await;
        }
        result.map_err(|error| {
            let why = format!("the mail server {place} did not take the mail to {}: {}", self.to.email, said(&error));
            if error.is_permanent() { Outcome::Refused { why } } else { Outcome::again(why) }
        })
    }

    /// A connection that is encrypted as it should be, before the server's greeting.
    async fn stream(&self) -> Result<Box<dyn AsyncTokioStream>, String> {
        let Server { place, encryption, tls, .. } = &self.server;
        let stream = place.connect().await?;
        let peer = stream.peer_addr().map_err(|error| error.to_string())?;
        Ok(match encryption {
            Encryption::None => Box::new(Bounded::new(stream, peer, SAID_MAX_BYTES, b"")),
            Encryption::Implicit => {
                Box::new(Bounded::new(place.encrypted(stream, tls).await?, peer, SAID_MAX_BYTES, b""))
            }
            Encryption::StartTls => {
                let mut clear = Bounded::new(stream, peer, SAID_MAX_BYTES, b"");
                starttls::asked(&mut clear, HELLO).await.map_err(|why| format!("{place} {why}"))?;
                let stream = place.encrypted(clear.into_inner(), tls).await?;
                // The server greets once, and that was in clear.
                Box::new(Bounded::new(stream, peer, SAID_MAX_BYTES, b"220 encrypted\r\n"))
            }
        })
    }
}

/// From the sender's address to the end of the message (RFC 5321, 3.3).
async fn hand_in(
    conversation: &mut AsyncSmtpConnection,
    from: &Address,
    to: &Address,
    message: &[u8],
) -> Result<(), smtp::Error> {
    conversation.command(MailFrom::new(Some(from.clone()), Vec::new())).await?;
    conversation.command(Rcpt::new(to.clone(), Vec::new())).await?;
    conversation.command(Data).await?;
    conversation.message(message).await?;
    Ok(())
}

/// What a server or the network said, in one line.
fn said(error: &smtp::Error) -> String {
    let text = error.to_string();
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    shown(&line).into_owned()
}

impl<S> AsyncTokioStream for Bounded<S>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin,
{
    fn peer_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.peer())
    }
}

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail to {}", self.to.email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_with_how_it_is_encrypted_and_clear_is_never_a_guess() {
        let credentials = || Some(("ada".to_owned(), Secret::Given("p".into())));
        let ca = || Tls { ca: Some("ca.pem".into()), ..Tls::default() };
        for (url, clear, tls, credentials, want) in [
            ("smtps://mail.city.example", false, ca(), credentials(), Ok((Encryption::Implicit, 465))),
            ("smtp://mail.city.example", false, Tls::default(), credentials(), Ok((Encryption::StartTls, 587))),
            ("smtp://mail.city.example:2525", true, Tls::default(), None, Ok((Encryption::None, 2525))),
            ("smtp://[::1]", true, Tls::default(), credentials(), Ok((Encryption::None, 25))),
            ("smtp://mail.city.example", true, Tls::default(), credentials(), Err(MailError::ClearPassword)),
            ("smtp://mail.city.example", true, ca(), None, Err(MailError::TlsUnused)),
            ("smtps://mail.city.example", true, Tls::default(), None, Err(MailError::NotClear)),
            ("smtps://ada:hunter2@mail.city.example", false, Tls::default(), None, Err(MailError::Named)),
        ] {
            let made = Server::new(url, clear, tls, credentials);
            assert!(!format!("{made:?}").contains("hunter2"), "{made:?}");
            assert_eq!(made.map(|server| (server.encryption, server.place.port)), want, "{url}");
        }
        for url in ["mail.city.example", "https://mail", "smtp://mail/path", "smtp://"] {
            assert!(matches!(Server::new(url, false, Tls::default(), None), Err(MailError::Server(_))), "{url}");
        }
    }

    #[test]
    fn a_mailbox_is_one_address_and_nothing_that_could_end_its_line() {
        for (written, want) in [
            ("ada@city.example", true),
            ("Ada Duty <ada@city.example>", true),
            ("ada", false),
            ("ada@city.example\r\nRCPT TO:<eve@e>", false),
            ("ada@city.example, eve@city.example", false),
            ("żaba@city.example", false),
            ("", false),
        ] {
            assert_eq!(mailbox(written).is_ok(), want, "{written:?}");
        }
    }
}
