//! Encrypted connections: whom to believe, who we are, and what a handshake that failed means for a person.
//!
//! Files are read at every connection, so that a renewed certificate is taken at the next try.

// The library's enums are matched here; what this crate does not know of them is told in the library's words.
#![expect(clippy::wildcard_enum_match_arm, reason = "enums of the TLS library, which grow without us")]

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use crate::secret;

/// What differs from an encrypted connection to a broker whose certificate the system believes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificates (PEM) of those who may vouch for the broker, instead of the system's; on a phone instead of Mozilla's list.
    pub ca: Option<PathBuf>,
    /// Our certificate with the chain above it (PEM) and its key (PEM; PKCS #8, PKCS #1 or SEC 1).
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The names of the protocol to offer (RFC 7301), where one port serves several.
    pub alpn: Vec<String>,
}

/// Why no encrypted connection can be tried.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{what} {path} cannot be read: {why}")]
    Unreadable {
        /// What it should be.
        what: What,
        /// The file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// A file without what it should have.
    #[error("{what} {path} holds none in PEM form, with a line -----BEGIN {}-----{}", .what.section(), .what.remedy())]
    Empty {
        /// What it should be.
        what: What,
        /// The file.
        path: String,
    },
    /// Something that is none.
    #[error("{what} {path} cannot be used: {why}")]
    Unusable {
        /// What it should be.
        what: What,
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// Others may read our key.
    #[error("others may read the key {path} (mode {mode:03o}); take that away: chmod 600 {path}")]
    Open {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The system has no certificates.
    #[error(
        "this system has no certificates to believe in{why}; name the broker's CA in the profile (ca), or install ca-certificates"
    )]
    NoRoots {
        /// What the system says, after a colon.
        why: String,
    },
}

/// What a file of an encrypted connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Of those who vouch for the broker.
    Ca,
    /// Ours.
    Certificate,
    /// Of ours.
    Key,
}

impl What {
    /// What a section of PEM with it is called.
    fn section(self) -> &'static str {
        match self {
            What::Ca | What::Certificate => "CERTIFICATE",
            What::Key => "PRIVATE KEY",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            What::Ca | What::Certificate => "",
            What::Key => "; a key with a passphrase cannot be used, take it away (openssl pkey)",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            What::Ca => "the CA's certificate",
            What::Certificate => "our certificate",
            What::Key => "the key",
        })
    }
}

impl Tls {
    /// Whether anything is set that only an encrypted connection can heed.
    pub(crate) fn is_set(&self) -> bool {
        *self != Tls::default()
    }

    /// What the TLS library connects with; for whoever else connects from here, to be believed and to believe in the same way. Reads
    /// files and blocks meanwhile. Fails on a file that cannot be used, or a system without certificates.
    pub fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // The provider's own versions are the two that are safe; it cannot lack them.
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::NoRoots { why: format!(": {error}") })?
            .with_root_certificates(self.roots()?);
        let mut client = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(What::Certificate, certificate)?;
                builder
                    .with_client_auth_cert(chain, private_key(key)?)
                    .map_err(|error| unusable(What::Certificate, certificate, error))?
            }
        };
        client.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Arc::new(client))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca {
            for certificate in certificates(What::Ca, path)? {
                roots.add(certificate).map_err(|error| unusable(What::Ca, path, error))?;
            }
            return Ok(roots);
        }
        usual_roots()
    }
}

/// Those the system believes in.
#[cfg(not(any(target_os = "android", target_os = "ios")))]
fn usual_roots() -> Result<RootCertStore, TlsError> {
    // Some of a system's certificates may be odd; the others are enough.
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(TlsError::NoRoots { why });
    }
    Ok(roots)
}

/// Phones give theirs only to their own libraries (iOS), or through Java once the app has handed over its context (Android).
#[cfg(any(target_os = "android", target_os = "ios"))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn usual_roots() -> Result<RootCertStore, TlsError> {
    Ok(shipped_roots())
}

/// Those Mozilla believed in when this program was made.
#[cfg(any(target_os = "android", target_os = "ios", test))]
fn shipped_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

/// Who believes in them.
const BELIEVER: &str = if cfg!(any(target_os = "android", target_os = "ios")) {
    "this program, with the CAs it brings,"
} else {
    "this system"
};

fn certificates(what: What, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(TlsError::Empty { what, path: path.display().to_string() }),
        Err(error) => Err(pem_error(what, path, &error)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let named = || path.display().to_string();
    let unreadable = |e: std::io::Error| TlsError::Unreadable { what: What::Key, path: named(), why: e.to_string() };
    let private = secret::open(path).map_err(unreadable)?;
    if let Some(mode) = private.others_may {
        return Err(TlsError::Open { path: named(), mode });
    }
    PrivateKeyDer::from_pem_slice(&private.bytes).map_err(|error| pem_error(What::Key, path, &error))
}

fn pem_error(what: What, path: &Path, error: &pem::Error) -> TlsError {
    match error {
        pem::Error::Io(why) => TlsError::Unreadable { what, path: path.display().to_string(), why: why.to_string() },
        pem::Error::NoItemsFound => TlsError::Empty { what, path: path.display().to_string() },
        other => unusable(what, path, other),
    }
}

fn unusable(what: What, path: &Path, why: impl ToString) -> TlsError {
    TlsError::Unusable { what, path: path.display().to_string(), why: why.to_string() }
}

/// What a handshake that failed, or an encrypted connection that the broker ended, means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// Nobody we believe in vouches for the broker.
    UnknownIssuer,
    /// Its certificate is for other names.
    WrongName { presented: Vec<String> },
    /// It was valid until some time ago, or our clock is wrong.
    Expired,
    /// It is not valid yet, or our clock is wrong.
    NotYetValid,
    /// The certificate is wrong in another way.
    Certificate(String),
    /// What answers does not speak TLS.
    NotTls,
    /// It does not take our certificate, or our having none; brokers tell one from the other in different ways.
    OursRefused,
    /// It speaks only what is no longer safe.
    OldTls,
    /// It speaks none of the protocols we offer.
    NoProtocol,
    /// Anything else.
    Other(String),
}

impl Distrust {
    /// What stands behind an error of the operating system's kind, if it is TLS's.
    pub fn of(error: &std::io::Error) -> Option<Distrust> {
        let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(Distrust::read(inner))
    }

    /// What an error of the library means.
    pub fn read(error: &rustls::Error) -> Distrust {
        use rustls::{AlertDescription as Alert, CertificateError as Wrong, Error};
        match error {
            Error::InvalidCertificate(wrong) => match wrong {
                Wrong::UnknownIssuer => Distrust::UnknownIssuer,
                Wrong::NotValidForName => Distrust::WrongName { presented: Vec::new() },
                Wrong::NotValidForNameContext { presented, .. } => {
                    Distrust::WrongName { presented: presented.iter().map(|name| plain_name(name)).collect() }
                }
                Wrong::Expired | Wrong::ExpiredContext { .. } => Distrust::Expired,
                Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => Distrust::NotYetValid,
                other => Distrust::Certificate(other.to_string()),
            },
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => Distrust::NotTls,
            Error::NoApplicationProtocol | Error::AlertReceived(Alert::NoApplicationProtocol) => Distrust::NoProtocol,
            Error::PeerIncompatible(_) | Error::AlertReceived(Alert::ProtocolVersion) => Distrust::OldTls,
            Error::AlertReceived(
                Alert::CertificateRequired
                | Alert::HandshakeFailure
                | Alert::BadCertificate
                | Alert::UnknownCA
                | Alert::CertificateExpired
                | Alert::CertificateRevoked
                | Alert::CertificateUnknown
                | Alert::UnsupportedCertificate
                | Alert::AccessDenied
                | Alert::DecryptError,
            ) => Distrust::OursRefused,
            other => Distrust::Other(other.to_string()),
        }
    }

    /// What to change. `at` is where, `host` the name in the address, `tls` what was set.
    pub fn sentence(&self, at: &str, host: &str, tls: &Tls) -> String {
        match (self, &tls.ca) {
            (Distrust::UnknownIssuer, Some(ca)) => format!(
                "{} did not sign the certificate of {at}; name the CA that did in the profile (ca)",
                ca.display()
            ),
            (Distrust::UnknownIssuer, None) => format!(
                "nobody {BELIEVER} believes in vouches for the certificate of {at}; name the CA that signed it in the profile (ca = \"…\")"
            ),
            (Distrust::WrongName { presented }, _) if presented.is_empty() => format!(
                "the certificate of {at} names no host (it has no subjectAltName); have one made that is for {host}"
            ),
            (Distrust::WrongName { presented }, _) => format!(
                "the certificate of {at} is for {}, not for {host}; write a name it is for into the address",
                presented.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ")
            ),
            (Distrust::Expired, _) => {
                format!("the certificate of {at} has expired; renew it at the broker, or set the clock of this machine")
            }
            (Distrust::NotYetValid, _) => format!(
                "the certificate of {at} is not valid yet; set the clock of this machine, or of the one that signed it"
            ),
            (Distrust::Certificate(why), _) => format!("the certificate of {at} cannot be believed: {why}"),
            (Distrust::NotTls, _) => format!(
                "what answers at {at} does not speak TLS; take the broker's encrypted port (often 8883, or 443 for wss), or write mqtt:// or ws:// inside a trusted network"
            ),
            (Distrust::OursRefused, _) if tls.identity.is_none() => format!(
                "{at} wants a certificate of ours, or cannot agree on how to encrypt; name ours and its key in the profile (certificate, key)"
            ),
            (Distrust::OursRefused, _) => format!(
                "{at} does not take our certificate; check that a CA it believes in signed it and that it is still valid"
            ),
            (Distrust::OldTls, _) => {
                format!("{at} speaks only TLS older than 1.2, which is not safe; renew the broker")
            }
            (Distrust::NoProtocol, _) => {
                format!("{at} speaks none of the protocols of the profile's alpn; correct or leave it out")
            }
            (Distrust::Other(why), _) => format!("the encrypted connection to {at} failed: {why}"),
        }
    }
}

/// `DnsName("broker")` as `broker`.
fn plain_name(presented: &str) -> String {
    presented.split_once('(').map_or(presented, |(_, rest)| rest.trim_end_matches(')')).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let none = folder.path().join("none.pem");
        let text = file("text.pem", "hello");
        let odd = file("odd.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        for (ca, want) in [(none, "cannot be read"), (text, "in PEM form"), (odd, "cannot be used")] {
            let why = Tls { ca: Some(ca), ..Tls::default() }.client().unwrap_err().to_string();
            assert!(why.starts_with("the CA's certificate ") && why.contains(want), "{why}");
        }
    }

    /// Mosquitto takes any name, so what is offered is read where it is said: in the first message.
    #[test]
    fn the_protocols_of_the_profile_are_offered_in_their_order() {
        let tls = Tls { alpn: vec!["x-amzn-mqtt-ca".into(), "mqtt".into()], ..Tls::default() };
        let to = "broker".try_into().unwrap();
        let mut client = rustls::ClientConnection::new(tls.client().unwrap(), to).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        let mut acceptor = rustls::server::Acceptor::default();
        acceptor.read_tls(&mut hello.as_slice()).unwrap();
        let accepted = acceptor.accept().ok().flatten().unwrap();
        let offered: Vec<&[u8]> = accepted.client_hello().alpn().unwrap().collect();
        assert_eq!(offered, [&b"x-amzn-mqtt-ca"[..], b"mqtt"]);
    }

    #[test]
    fn a_phone_believes_in_the_cas_that_are_part_of_the_program() {
        let roots = shipped_roots();
        assert!(roots.len() > 50, "{}", roots.len());
        assert!(roots.subjects().iter().any(|name| holds(name.as_ref(), b"ISRG Root X1")), "Let's Encrypt");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    }

    fn holds(all: &[u8], part: &[u8]) -> bool {
        all.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn a_name_is_told_without_the_librarys_brackets() {
        for (given, want) in
            [("DnsName(\"a.example\")", "a.example"), ("IpAddress(127.0.0.1)", "127.0.0.1"), ("b", "b")]
        {
            assert_eq!(plain_name(given), want);
        }
    }
}
