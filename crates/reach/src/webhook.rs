//! A webhook: one signed POST of JSON a parcel, over a connection of its own.
//!
//! No redirect is followed (what is signed for one address is not for another), no proxy is asked, and of the answer only its status,
//! `Retry-After` and the beginning of its text are looked at.

mod signature;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use fleetlens_link::{Destination, Secret, Tls};
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::fmt::rfc2822;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use crate::dial::Place;
use crate::notice::Notice;
use crate::retry::Outcome;
use crate::routes::Parcel;

/// The version of the JSON: it rises when a field changes its meaning or goes, not when one is added.
pub const VERSION: u32 = 1;

/// How long an attempt may take, from looking up the host to the answer.
const WITHIN: Duration = Duration::from_secs(20);

/// The largest head of an answer that is read, in bytes.
const HEAD_MAX_BYTES: usize = 16 << 10;

/// How much of the text of a refusal is read, in bytes, and shown, in characters.
const TEXT_MAX_BYTES: usize = 4 << 10;
const SHOWN_MAX_CHARS: usize = 200;

/// An address that takes signed JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    url: Url,
    place: Place,
    secret: Secret,
    tls: Tls,
    within: Duration,
}

/// Why a text is no address of a webhook. It never repeats the address, whose path is often as good as a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be read.
    #[error("the address of the webhook cannot be read ({0}); write \"https://host/path\"")]
    Unreadable(String),
    /// Neither HTTP nor HTTPS.
    #[error("a webhook is spoken to over HTTPS; write \"https://host/path\"")]
    Scheme,
    /// User and password in it.
    #[error(
        "user name and password do not belong into the address of a webhook; what is sent is signed with its secret"
    )]
    Named,
    /// Without encryption, to another machine, without anybody having said so.
    #[error(
        "http:// shows everybody on the way what happens in the city; write https://, or clear = true inside a trusted network"
    )]
    Clear,
    /// A CA for a connection that is not encrypted.
    #[error("a CA is only for https://; leave ca out, or write https://")]
    TlsUnused,
}

/// The body of a POST.
#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    delivery: &'a str,
    left_out: u64,
    notices: &'a [Notice],
}

impl Webhook {
    /// A webhook at `url`, whose POSTs are signed with `secret`, which is read anew for each. `clear` allows plain HTTP to another
    /// machine.
    pub fn new(url: &str, secret: Secret, tls: Tls, clear: bool) -> Result<Webhook, UrlError> {
        let url = Url::parse(url).map_err(|error| UrlError::Unreadable(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Named);
        }
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let place = Place { host, port: url.port_or_known_default().unwrap_or(443) };
        let is_encrypted = url.scheme() == "https";
        if !is_encrypted && !clear && !place.is_this_machine() {
            return Err(UrlError::Clear);
        }
        if !is_encrypted && tls != Tls::default() {
            return Err(UrlError::TlsUnused);
        }
        Ok(Webhook { url, place, secret, tls, within: WITHIN })
    }

    /// The same, but that an attempt takes no longer than this.
    pub fn within(self, within: Duration) -> Webhook {
        Webhook { within, ..self }
    }

    pub(crate) fn destination(&self) -> Destination {
        self.place.destination(self.url.scheme() == "https")
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(crate) fn ca(&self) -> Option<&Path> {
        self.tls.ca.as_deref()
    }

    /// One attempt. Dropped, it ends the connection; the other side may have the parcel all the same.
    pub async fn send(&self, parcel: &Parcel) -> Outcome {
        match tokio::time::timeout(self.within, self.attempt(parcel)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(why)) => Outcome::again(why),
            Err(_) => Outcome::again(format!("{} did not answer within {} s", self.place, self.within.as_secs_f32())),
        }
    }

    async fn attempt(&self, parcel: &Parcel) -> Result<Outcome, String> {
        let secret = self.secret.read().await.map_err(|error| error.to_string())?;
        let Parcel { delivery, left_out, notices, .. } = parcel;
        let body = Body { version: VERSION, delivery, left_out: *left_out, notices };
        let body = serde_json::to_vec(&body).map_err(|error| format!("the notice cannot be written: {error}"))?;
        let request =
            self.request(parcel, &secret, body).map_err(|error| format!("no request can be made: {error}"))?;
        let stream = self.place.connect().await?;
        if self.url.scheme() == "https" {
            let stream = self.place.encrypted(stream, &self.tls).await?;
            return self.exchange(stream, request, parcel.at).await;
        }
        self.exchange(stream, request, parcel.at).await
    }

    fn request(&self, parcel: &Parcel, secret: &str, body: Vec<u8>) -> hyper::http::Result<Request<Full<Bytes>>> {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let host = match self.url.port() {
            Some(port) => format!("{}:{port}", self.url.host_str().unwrap_or_default()),
            None => self.url.host_str().unwrap_or_default().to_owned(),
        };
        Request::post(format!("{}{query}", self.url.path()))
            .header(HOST, host)
            .header(CONNECTION, "close")
            .header(USER_AGENT, concat!("Fleetlens/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header("Fleetlens-Delivery", parcel.delivery.as_str())
            .header("Fleetlens-Signature", signature::header(secret, parcel.at.as_s(), &body))
            .body(Full::new(Bytes::from(body)))
    }

    async fn exchange<S>(&self, stream: S, request: Request<Full<Bytes>>, at: WallMs) -> Result<Outcome, String>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let broken =
            |error: hyper::Error| format!("{} ended the conversation: {}", self.place, shown(&error.to_string()));
        let connection = http1::Builder::new().max_buf_size(HEAD_MAX_BYTES).handshake(TokioIo::new(stream));
        let (mut sender, connection) = connection.await.map_err(broken)?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            let (head, mut body) = response.into_parts();
            let mut text = Vec::new();
            // A status that was said holds, whatever becomes of the rest.
            while !head.status.is_success()
                && text.len() < TEXT_MAX_BYTES
                && let Some(Ok(frame)) = body.frame().await
            {
                text.extend_from_slice(frame.data_ref().map(Bytes::as_ref).unwrap_or_default());
            }
            Ok(self.judge(head.status, &head.headers, &text, at))
        };
        tokio::pin!(answer);
        tokio::select! {
            biased;
            judged = &mut answer => judged,
            // It carries the exchange, and is over when the other side has gone; what it said before is still to be heard.
            _ = connection => answer.await,
        }
    }

    /// What an answer means.
    fn judge(&self, status: StatusCode, headers: &HeaderMap, text: &[u8], at: WallMs) -> Outcome {
        if status.is_success() {
            return Outcome::Delivered;
        }
        let said = said(text);
        let why = format!("{} answered {status}{said}", self.place);
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
        {
            return Outcome::Again { why, after_ms: retry_after_ms(headers, at) };
        }
        if status.is_redirection() {
            let why = format!("{why}; redirects are not followed, write the address that it leads to");
            return Outcome::Refused { why };
        }
        Outcome::Refused { why }
    }
}

/// The beginning of what a refusal says, behind a colon.
fn said(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..TEXT_MAX_BYTES).unwrap_or(text));
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN_MAX_CHARS).collect();
    if line.is_empty() { String::new() } else { format!(": {}", shown(&line)) }
}

/// Seconds, or a date (RFC 9110, 10.2.3), as milliseconds from `at`.
pub(crate) fn retry_after_ms(headers: &HeaderMap, at: WallMs) -> Option<u64> {
    let written = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = written.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(written).ok()?;
    Some(WallMs(date.as_millisecond()).since(at))
}

impl fmt::Debug for Webhook {
    /// Without the path, which may be as good as a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("place", &self.place).field("secret", &self.secret).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str) -> Result<Webhook, UrlError> {
        Webhook::new(url, Secret::Given("s".into()), Tls::default(), false)
    }

    #[test]
    fn an_address_that_would_show_something_is_refused_without_repeating_it() {
        for (url, want) in [
            ("https://city.example/hook/T0KEN", None),
            ("http://localhost:8080/T0KEN", None),
            ("http://[::1]:8080/", None),
            ("http://city.example/T0KEN", Some(UrlError::Clear)),
            ("ftp://city.example/T0KEN", Some(UrlError::Scheme)),
            ("https://ada:T0KEN@city.example/", Some(UrlError::Named)),
        ] {
            let made = webhook(url);
            assert!(!format!("{made:?}").contains("T0KEN"), "{made:?}");
            assert_eq!(made.err(), want, "{url}");
        }
        assert!(matches!(webhook("T0KEN"), Err(UrlError::Unreadable(_))));
        let ca = Tls { ca: Some("ca.pem".into()), ..Tls::default() };
        let unused = Webhook::new("http://localhost", Secret::Given(String::new()), ca, false);
        assert_eq!(unused.err(), Some(UrlError::TlsUnused));
    }

    #[test]
    fn an_answer_says_whether_and_when_to_try_again() {
        let at = WallMs::from_s(1_445_412_480);
        for (status, retry_after, want) in [
            (200, None, Outcome::Delivered),
            (204, None, Outcome::Delivered),
            (500, None, Outcome::Again { why: "500".into(), after_ms: None }),
            (503, Some("120"), Outcome::Again { why: "503".into(), after_ms: Some(120_000) }),
            (429, Some("Wed, 21 Oct 2015 07:28:30 GMT"), Outcome::Again { why: "429".into(), after_ms: Some(30_000) }),
            (429, Some("Wed, 21 Oct 2015 07:27:30 GMT"), Outcome::Again { why: "429".into(), after_ms: Some(0) }),
            (429, Some("soon"), Outcome::Again { why: "429".into(), after_ms: None }),
            (408, None, Outcome::Again { why: "408".into(), after_ms: None }),
            (400, None, Outcome::Refused { why: "400".into() }),
            (401, Some("1"), Outcome::Refused { why: "401".into() }),
            (302, None, Outcome::Refused { why: "not followed".into() }),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(retry_after.map(|written| (RETRY_AFTER, written.parse().unwrap())));
            let status = StatusCode::from_u16(status).unwrap();
            let got = webhook("https://h").unwrap().judge(status, &headers, b"\x1b[2Jno\nsuch hook", at);
            match (&got, &want) {
                (Outcome::Delivered, Outcome::Delivered) => {}
                (Outcome::Again { why, after_ms }, Outcome::Again { why: says, after_ms: want }) => {
                    assert!(why.contains(says) && after_ms == want, "{status}: {got:?}");
                }
                (Outcome::Refused { why }, Outcome::Refused { why: says }) => {
                    assert!(why.contains(says), "{status}: {got:?}");
                    assert!(why.contains("no such hook") && !why.contains('\x1b'), "{why:?}");
                }
                _ => panic!("{status}: {got:?}, not {want:?}"),
            }
        }
    }
}
