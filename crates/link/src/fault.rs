//! Why a connection failed, and how to say that to a person.

use std::error::Error;
use std::io;

use fleetlens_model::text::is_hidden;

use crate::about::About;
use crate::address::Address;
use crate::config::{LinkConfig, Protocol};
use crate::tls::Distrust;

/// What ended a connection, or kept one from being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operating system said so.
    Io { kind: io::ErrorKind, host_unknown: bool, text: String },
    /// A password or a certificate of ours cannot be had; which.
    Unprepared(About, String),
    /// The encrypted connection did not come about, or was ended for what it is.
    Distrusted(Distrust),
    /// What answers is a web server, but not a broker's.
    NotOverWebSocket(String),
    /// Nothing came back in time while connecting.
    NoAnswer,
    /// The broker answered CONNECT with a refusal.
    Refused(Refusal),
    /// What came is not MQTT, or not as MQTT has it.
    NotUnderstood(String),
    /// The other side closed without a word.
    Closed,
    /// No answer to our pings, or nothing moved any more.
    Silent,
    /// Not every SUBSCRIBE was answered in time.
    NoSubAck,
    /// A packet larger than we take.
    TooLarge { bytes: usize, most: u32 },
    /// A topic that is not UTF-8.
    TopicNotUtf8,
    /// The broker said goodbye (MQTT 5).
    Told { session_taken_over: bool, text: String },
    /// Something else inside the client library.
    Other(String),
}

/// Why a broker refuses a connection: what a person has to know of the return codes of both versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Protocol,
    ClientId,
    Credentials,
    NotAuthorized,
    Unavailable,
    Other(String),
}

impl Fault {
    /// What kept a connection from being made; tells an unknown host from the other failures of the operating system.
    pub fn of_connecting(error: &io::Error) -> Fault {
        if let Some(distrust) = Distrust::of(error) {
            return Fault::Distrusted(distrust);
        }
        // A failed look-up carries no code of the operating system on Unix, and WSAHOST_NOT_FOUND or WSANO_DATA on Windows;
        // a failed connection always carries one.
        let host_unknown = matches!(error.raw_os_error(), None | Some(11001 | 11004));
        Fault::Io { kind: error.kind(), host_unknown, text: error.to_string() }
    }

    /// What kept TLS or a WebSocket from being agreed on, out of whatever the libraries wrapped it in.
    pub fn of_handshake(error: &(dyn Error + 'static)) -> Fault {
        let mut inner = Some(error);
        while let Some(error) = inner {
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return Fault::Distrusted(Distrust::read(tls));
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return match Distrust::of(io) {
                    Some(distrust) => Fault::Distrusted(distrust),
                    None => Fault::Io { kind: io.kind(), host_unknown: false, text: io.to_string() },
                };
            }
            inner = error.source();
        }
        // The library's own words for an answer without the protocol's name are empty.
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Fault::NotOverWebSocket(why)
    }

    /// What ended a connection that was made.
    pub fn of_stream(error: &io::Error) -> Fault {
        if let Some(distrust) = Distrust::of(error) {
            return Fault::Distrusted(distrust);
        }
        if error.kind() == io::ErrorKind::Other {
            // The library's own: the stream ended inside what would have been a packet.
            return Fault::NotUnderstood(error.to_string());
        }
        Fault::Io { kind: error.kind(), host_unknown: false, text: error.to_string() }
    }

    /// What a client may send, and a broker may not.
    pub fn of_a_client() -> Fault {
        Fault::NotUnderstood("a packet that only clients send".to_owned())
    }

    /// An acknowledgement of what we have not sent.
    pub fn of_nobody(packet_id: u16) -> Fault {
        Fault::NotUnderstood(format!("it acknowledges packet {packet_id}, which we have not sent"))
    }

    /// Whether the broker holds a packet for us that can never be read: it comes back with every session, so somebody has to know.
    pub fn is_unreadable_packet(&self) -> bool {
        matches!(self, Fault::TopicNotUtf8 | Fault::TooLarge { .. })
    }

    /// What failed and what to change, in one sentence. `greeted`: the broker had accepted the connection before.
    pub fn sentence(&self, at: &Address, config: &LinkConfig, greeted: bool) -> String {
        quoted(&self.words(at, config, greeted), SENTENCE_MAX_CHARS)
    }

    fn words(&self, at: &Address, config: &LinkConfig, greeted: bool) -> String {
        let protocol = config.protocol;
        match self {
            Fault::Unprepared(_, why) => why.clone(),
            Fault::Distrusted(distrust) => distrust.sentence(&at.to_string(), &at.host, &config.tls),
            Fault::NotOverWebSocket(why) => {
                format!("what answers at {at} is not a broker's WebSocket ({why}); check port and path in the profile")
            }
            Fault::Io { host_unknown: true, .. } => {
                format!("the host {} is not known; check its name in the profile, or this machine's network", at.host)
            }
            Fault::Io { kind: io::ErrorKind::ConnectionRefused, .. } => {
                format!("no broker listens at {at}; start it, or correct the address in the profile")
            }
            Fault::Io { kind: io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable, .. } => {
                format!("there is no way to {at}; check this machine's network")
            }
            Fault::Io {
                kind: io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe,
                ..
            } => Fault::Closed.words(at, config, greeted),
            Fault::Io { text, .. } => format!("the connection to {at} failed: {text}"),
            Fault::NoAnswer => {
                format!("{at} does not answer; check the address, and that no firewall stands between")
            }
            Fault::Refused(refusal) => refusal.sentence(at, config),
            Fault::NotUnderstood(text) if !greeted => {
                format!(
                    "what answers at {at} does not speak {protocol} ({text}); check port and protocol version in the profile, and whether it expects TLS (mqtts://)"
                )
            }
            Fault::NotUnderstood(text) => format!("{at} sent a packet that is not {protocol} ({text})"),
            Fault::Closed if !greeted && at.is_encrypted() => format!(
                "{at} closed the connection before it was agreed on; it may not be encrypted there, want a certificate of ours, or not be an MQTT broker"
            ),
            Fault::Closed if !greeted && at.carrier.is_web_socket() => format!(
                "{at} closed the connection before it was agreed on; if there is no WebSocket at this port, write mqtt:// or take the port where there is"
            ),
            Fault::Closed if !greeted => format!(
                "{at} closed the connection without an answer; it may not be an MQTT broker, expect TLS, or not speak {protocol}"
            ),
            // Before MQTT 5 nobody is told why, and Mosquitto's reason is lost in the library (a DISCONNECT without properties).
            Fault::Closed => {
                format!("{at} closed the connection (if this keeps happening, another program may use our client id)")
            }
            Fault::Silent => format!("{at} has gone silent: it answers no ping"),
            Fault::NoSubAck => format!("{at} does not answer our subscriptions"),
            Fault::TooLarge { bytes, most } => {
                let remedy = keep_it_away(protocol);
                format!("{at} sent a packet of {bytes} bytes, and at most {most} can be read; {remedy}")
            }
            Fault::TopicNotUtf8 => {
                format!("{at} sent a message whose topic is not UTF-8; {}", keep_it_away(protocol))
            }
            Fault::Told { session_taken_over: true, .. } => {
                format!("another program connected to {at} with our client id; give each its own")
            }
            Fault::Told { text, .. } => format!("{at} ended the connection: {}", quoted(text, QUOTE_MAX_CHARS)),
            Fault::Other(text) => format!("the connection to {at} failed: {text}"),
        }
    }
}

/// The longest sentence, in characters, whatever the library, a certificate or the broker put into it.
const SENTENCE_MAX_CHARS: usize = 600;

/// The longest quotation of a broker's own words, in characters.
const QUOTE_MAX_CHARS: usize = 200;

/// A text that strangers had a hand in: not more of it than fits, and nothing that hides or turns what stands beside it.
fn quoted(text: &str, most_chars: usize) -> String {
    let mut shown = text.chars().filter(|c| !is_hidden(*c));
    let mut said: String = shown.by_ref().take(most_chars).collect();
    if shown.next().is_some() {
        said.push('…');
    }
    said
}

/// What to do about a packet that ends every connection. MQTT 5 can name our limit to the broker, and the library reads any topic.
fn keep_it_away(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::V4 => "choose MQTT 5 in the profile, where such a message is passed over, or clear it at the broker",
        Protocol::V5 => "clear the message at the broker and find its sender",
    }
}

impl Refusal {
    fn sentence(&self, at: &Address, config: &LinkConfig) -> String {
        let (protocol, user) = (config.protocol, config.credentials.as_ref().map(|credentials| &credentials.user));
        match (self, user) {
            (Refusal::Protocol, _) => {
                let other = match protocol {
                    Protocol::V4 => Protocol::V5,
                    Protocol::V5 => Protocol::V4,
                };
                format!("{at} does not speak {protocol}; choose {other} in the profile")
            }
            (Refusal::ClientId, _) => format!("{at} does not take our client id; choose another in the profile"),
            (Refusal::Credentials | Refusal::NotAuthorized, None) if config.tls.identity.is_some() => format!(
                "{at} does not let our certificate in with this client id; check what the broker allows it, and client_id"
            ),
            (Refusal::Credentials | Refusal::NotAuthorized, None) => {
                format!("{at} lets nobody in without a name; give user and password in the profile")
            }
            (Refusal::Credentials, Some(user)) => {
                format!("{at} does not take the password of {user:?}; correct user or password of the profile")
            }
            // Brokers say this of a wrong password as well as of one who may not connect.
            (Refusal::NotAuthorized, Some(user)) => {
                format!(
                    "{at} does not let {user:?} in; check user and password, and that the broker allows this client id"
                )
            }
            (Refusal::Unavailable, _) => format!("{at} is not taking connections just now"),
            (Refusal::Other(text), _) => format!("{at} refused the connection: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_to_change() {
        let at = Address::of("mqtt://city").unwrap();
        let config = LinkConfig::new("mqtt://city", "c");
        let os = |code| Fault::of_connecting(&io::Error::from_raw_os_error(code));
        let lookup =
            Fault::of_connecting(&io::Error::other("failed to lookup address information: Name or service not known"));
        let told = |text| Fault::Told { session_taken_over: false, text };
        for (fault, greeted, want) in [
            (lookup, false, "the host city is not known"),
            #[cfg(target_os = "linux")]
            (os(111), false, "no broker listens at city:1883; start it"),
            #[cfg(target_os = "linux")]
            (os(101), false, "there is no way to city:1883"),
            #[cfg(target_os = "linux")]
            (Fault::of_stream(&io::Error::from_raw_os_error(104)), false, "expect TLS"),
            #[cfg(target_os = "linux")]
            (Fault::of_stream(&io::Error::from_raw_os_error(104)), true, "city:1883 closed the connection (if"),
            (Fault::of_stream(&io::Error::other("bytes remaining on stream")), false, "does not speak MQTT 5 (bytes"),
            (Fault::NoAnswer, false, "firewall"),
            (Fault::NotUnderstood("x".into()), false, "does not speak MQTT 5 (x)"),
            (Fault::Closed, false, "may not be an MQTT broker"),
            (Fault::Refused(Refusal::Protocol), false, "choose MQTT 3.1.1"),
            (Fault::Refused(Refusal::Credentials), false, "give user and password"),
            (Fault::Refused(Refusal::NotAuthorized), false, "give user and password"),
            (Fault::Unprepared(About::Key, "the key is gone".into()), false, "the key is gone"),
            (Fault::Distrusted(Distrust::UnknownIssuer), false, "name the CA that signed it"),
            (Fault::Told { session_taken_over: true, text: String::new() }, true, "our client id"),
            (Fault::TooLarge { bytes: 9, most: 8 }, true, "9 bytes, and at most 8"),
            (told("\u{202e}go\naway\u{feff}".to_owned()), true, "ended the connection: goaway"),
            (told("x".repeat(65_535)), true, "xxx…"),
        ] {
            let sentence = fault.sentence(&at, &config, greeted);
            assert!(
                sentence.contains(want) && sentence.chars().count() <= SENTENCE_MAX_CHARS + 1,
                "{fault:?}: {sentence}"
            );
        }
    }
}
