//! Why a connection failed, and how to say that to a person.

use std::io;

use crate::address::Address;
use crate::config::Protocol;

/// What ended a connection, or kept one from being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operating system said so.
    Io { kind: io::ErrorKind, host_unknown: bool, text: String },
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
        // A failed look-up carries no code of the operating system on Unix, and WSAHOST_NOT_FOUND or WSANO_DATA on Windows;
        // a failed connection always carries one.
        let host_unknown = matches!(error.raw_os_error(), None | Some(11001 | 11004));
        Fault::Io { kind: error.kind(), host_unknown, text: error.to_string() }
    }

    /// What ended a connection that was made.
    pub fn of_stream(error: &io::Error) -> Fault {
        if error.kind() == io::ErrorKind::Other {
            // The library's own: the stream ended inside what would have been a packet.
            return Fault::NotUnderstood(error.to_string());
        }
        Fault::Io { kind: error.kind(), host_unknown: false, text: error.to_string() }
    }

    /// Whether the broker holds a packet for us that can never be read: it comes back with every session, so somebody has to know.
    pub fn is_unreadable_packet(&self) -> bool {
        matches!(self, Fault::TopicNotUtf8 | Fault::TooLarge { .. })
    }

    /// What failed and what to change, in one sentence. `greeted`: the broker had accepted the connection before.
    pub fn sentence(&self, at: &Address, protocol: Protocol, greeted: bool) -> String {
        match self {
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
            } => Fault::Closed.sentence(at, protocol, greeted),
            Fault::Io { text, .. } => format!("the connection to {at} failed: {text}"),
            Fault::NoAnswer => {
                format!("{at} does not answer; check the address, and that no firewall stands between")
            }
            Fault::Refused(refusal) => refusal.sentence(at, protocol),
            Fault::NotUnderstood(text) if !greeted => {
                format!(
                    "what answers at {at} does not speak {protocol} ({text}); check port and protocol version in the profile"
                )
            }
            Fault::NotUnderstood(text) => format!("{at} sent a packet that is not {protocol} ({text})"),
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
            Fault::Told { text, .. } => format!("{at} ended the connection: {text}"),
            Fault::Other(text) => format!("the connection to {at} failed: {text}"),
        }
    }
}

/// What to do about a packet that ends every connection. MQTT 5 can name our limit to the broker, and the library reads any topic.
fn keep_it_away(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::V4 => "choose MQTT 5 in the profile, where such a message is passed over, or clear it at the broker",
        Protocol::V5 => "clear the message at the broker and find its sender",
    }
}

impl Refusal {
    fn sentence(&self, at: &Address, protocol: Protocol) -> String {
        match self {
            Refusal::Protocol => {
                let other = match protocol {
                    Protocol::V4 => Protocol::V5,
                    Protocol::V5 => Protocol::V4,
                };
                format!("{at} does not speak {protocol}; choose {other} in the profile")
            }
            Refusal::ClientId => format!("{at} does not take our client id; choose another in the profile"),
            // Profiles hold no user name and password yet, so this is most often a broker that wants some.
            Refusal::Credentials => {
                format!(
                    "{at} does not take our user name and password, or our having none; allow our client id without them at the broker"
                )
            }
            Refusal::NotAuthorized => {
                format!(
                    "{at} does not let us in; if it wants another user name and password, allow our client id without them at the broker"
                )
            }
            Refusal::Unavailable => format!("{at} is not taking connections just now"),
            Refusal::Other(text) => format!("{at} refused the connection: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_to_change() {
        let at = Address { host: "city".to_owned(), port: 1883 };
        let os = |code| Fault::of_connecting(&io::Error::from_raw_os_error(code));
        let lookup =
            Fault::of_connecting(&io::Error::other("failed to lookup address information: Name or service not known"));
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
            (Fault::Refused(Refusal::Credentials), false, "allow our client id without them"),
            (Fault::Refused(Refusal::NotAuthorized), false, "if it wants another user name and password"),
            (Fault::Told { session_taken_over: true, text: String::new() }, true, "our client id"),
            (Fault::TooLarge { bytes: 9, most: 8 }, true, "9 bytes, and at most 8"),
        ] {
            let sentence = fault.sentence(&at, Protocol::V5, greeted);
            assert!(sentence.contains(want), "{fault:?}: {sentence}");
        }
    }
}
