//! Which part of a configuration a failure is about, so that a form can say it beside the field to change.

use crate::fault::{Fault, Refusal};
use crate::tls::{Distrust, TlsError, What};

/// What to look at after a connection failed; the sentence beside it says the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// The broker's host: nobody knows it, or there is no way to it.
    Host,
    /// The port, or what answers there: nobody, or not what was expected (encrypted or not, a WebSocket or not).
    Port,
    /// Who may vouch for the broker.
    Ca,
    /// The broker's certificate: it is for another name.
    Name,
    /// The broker's certificate otherwise, such as its end.
    TheirCertificate,
    /// Our certificate, or our having none.
    Certificate,
    /// Our certificate's key.
    Key,
    /// The protocols offered by ALPN.
    Alpn,
    /// User, password, or where the password is kept.
    Password,
    /// The version of MQTT.
    Protocol,
    /// The client id.
    ClientId,
    /// Nothing that a configuration could change.
    Broker,
}

impl Fault {
    /// What it is about. `greeted`: the broker had accepted the connection before.
    pub fn about(&self, greeted: bool) -> About {
        match self {
            Fault::Unprepared(about, _) => *about,
            Fault::Distrusted(distrust) => distrust.about(),
            Fault::Io { host_unknown: true, .. } => About::Host,
            Fault::Io {
                kind: std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable, ..
            } => About::Host,
            Fault::Io { .. } | Fault::NotUnderstood(_) | Fault::Closed if greeted => About::Broker,
            Fault::Io { .. } | Fault::NotOverWebSocket(_) | Fault::NoAnswer | Fault::Closed => About::Port,
            Fault::NotUnderstood(_) => About::Protocol,
            Fault::Refused(refusal) => match refusal {
                Refusal::Protocol => About::Protocol,
                Refusal::ClientId => About::ClientId,
                Refusal::Credentials | Refusal::NotAuthorized => About::Password,
                Refusal::Unavailable | Refusal::Other(_) => About::Broker,
            },
            Fault::Told { session_taken_over: true, .. } => About::ClientId,
            Fault::Silent
            | Fault::NoSubAck
            | Fault::TooLarge { .. }
            | Fault::TopicNotUtf8
            | Fault::Told { .. }
            | Fault::Other(_) => About::Broker,
        }
    }
}

impl Distrust {
    fn about(&self) -> About {
        match self {
            Distrust::UnknownIssuer => About::Ca,
            Distrust::WrongName { .. } => About::Name,
            Distrust::Expired | Distrust::NotYetValid | Distrust::Certificate(_) => About::TheirCertificate,
            Distrust::OursRefused => About::Certificate,
            Distrust::NoProtocol => About::Alpn,
            Distrust::NotTls | Distrust::OldTls | Distrust::Other(_) => About::Port,
        }
    }
}

impl TlsError {
    /// The file it is about.
    pub(crate) fn about(&self) -> About {
        match self {
            TlsError::Unreadable { what, .. } | TlsError::Empty { what, .. } | TlsError::Unusable { what, .. } => {
                match what {
                    What::Ca => About::Ca,
                    What::Certificate => About::Certificate,
                    What::Key => About::Key,
                }
            }
            TlsError::Open { .. } => About::Key,
            TlsError::NoRoots { .. } => About::Ca,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_failure_is_about_what_would_have_to_be_changed() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let lookup = io::Error::other("failed to lookup address information: Name or service not known");
        let io = |kind| Fault::Io { kind, host_unknown: false, text: String::new() };
        for (fault, greeted, want) in [
            (Fault::of_connecting(&lookup), false, About::Host),
            (io(refused().kind()), false, About::Port),
            (io(io::ErrorKind::ConnectionReset), true, About::Broker),
            (Fault::Closed, false, About::Port),
            (Fault::Closed, true, About::Broker),
            (Fault::Distrusted(Distrust::UnknownIssuer), false, About::Ca),
            (Fault::Distrusted(Distrust::WrongName { presented: Vec::new() }), false, About::Name),
            (Fault::Distrusted(Distrust::Expired), false, About::TheirCertificate),
            (Fault::Distrusted(Distrust::OursRefused), false, About::Certificate),
            (Fault::Distrusted(Distrust::NotTls), false, About::Port),
            (Fault::Refused(Refusal::NotAuthorized), false, About::Password),
            (Fault::Refused(Refusal::Protocol), false, About::Protocol),
            (Fault::Refused(Refusal::ClientId), false, About::ClientId),
            (Fault::NotUnderstood(String::new()), false, About::Protocol),
            (Fault::Unprepared(About::Key, String::new()), false, About::Key),
        ] {
            assert_eq!(fault.about(greeted), want, "{fault:?}");
        }
    }
}
