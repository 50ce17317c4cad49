//! What is fetched from servers of others: one bounded GET at a time over a connection that is kept for the next.
//!
//! No redirect is followed and no proxy is asked. What fails is told with the server's name alone, because a key may stand in the rest
//! of an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetlens_link::Tls;
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use url::Url;

use crate::dial::{Place, client};
use crate::webhook::retry_after_ms;

/// How long one may take, from looking up the server to the last byte.
const WITHIN: Duration = Duration::from_secs(15);

/// The largest head of an answer that is read, in bytes.
const HEAD_MAX_BYTES: usize = 32 << 10;

/// How many connections wait for the next question.
const IDLE_MAX: usize = 4;

/// How long one waits for it.
const IDLE_AGE: Duration = Duration::from_secs(20);

/// Who we say we are, as those who give tiles away want to know.
const WHO: &str = concat!("Fleetlens/", env!("CARGO_PKG_VERSION"));

/// Fetches from servers, over connections that are kept.
pub struct Fetcher {
    near: bool,
    tls: Tls,
    client: OnceCell<Arc<ClientConfig>>,
    idle: Mutex<Vec<Idle>>,
    within: Duration,
}

/// A connection that nobody uses.
struct Idle {
    place: Place,
    is_encrypted: bool,
    is_public: bool,
    sender: SendRequest<Empty<Bytes>>,
    since: Instant,
}

impl Idle {
    fn is_of_use(&self) -> bool {
        !self.sender.is_closed() && self.since.elapsed() < IDLE_AGE
    }
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// Its status.
    pub status: u16,
    /// What it calls the content; may be empty.
    pub media: String,
    /// The content as it came, zipped or not.
    pub bytes: Vec<u8>,
    /// When it wants to be asked again, in milliseconds.
    pub after_ms: Option<u64>,
    /// The server to which it sends elsewhere; may be empty.
    pub elsewhere: Option<String>,
    /// It lies on the internet and not in this network.
    pub is_public: bool,
}

/// Why nothing was fetched. It never repeats the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It cannot be read.
    #[error("the address cannot be read ({0}); write \"https://host/…\"")]
    Unreadable(String),
    /// Neither HTTP nor HTTPS.
    #[error("the address begins with neither https:// nor http://")]
    Scheme,
    /// User and password in it.
    #[error("user name and password do not belong into the address")]
    Named,
    /// It is in this network, and whoever asks may be elsewhere.
    #[error(
        "{0} is in the network of the machine where Fleetlens runs, and a window that may be elsewhere names no machine there; write it into map_hosts of settings.toml on that machine"
    )]
    Near(String),
    /// Nobody knows the name, nobody listens, or the network is gone.
    #[error("{place} cannot be reached: {why}")]
    Unreached {
        /// The server.
        place: String,
        /// What the system says.
        why: String,
    },
    /// The encrypted connection failed.
    #[error("{0}")]
    Untrusted(String),
    /// It took too long.
    #[error("{place} did not answer within {seconds} s")]
    Slow {
        /// The server.
        place: String,
        /// So long was waited.
        seconds: u64,
    },
    /// It broke off.
    #[error("{place} broke off: {why}")]
    Broken {
        /// The server.
        place: String,
        /// What the library says.
        why: String,
    },
    /// It would be larger than agreed.
    #[error("{place} sends more than {max_bytes} bytes")]
    TooLarge {
        /// The server.
        place: String,
        /// What was agreed.
        max_bytes: usize,
    },
}

impl Fetcher {
    /// One that goes to servers of this network only where it is `near`.
    pub fn new(near: bool) -> Fetcher {
        Fetcher { near, tls: Tls::default(), client: OnceCell::new(), idle: Mutex::default(), within: WITHIN }
    }

    /// The same, but nothing takes longer than this.
    pub fn within(self, within: Duration) -> Fetcher {
        Fetcher { within, ..self }
    }

    /// What is at an address, if that is no more than so many bytes. Dropped, it ends the connection.
    pub async fn get(&self, address: &str, max_bytes: usize) -> Result<Got, FetchError> {
        let (url, place) = read(address)?;
        let slow = || FetchError::Slow { place: place.to_string(), seconds: self.within.as_secs() };
        tokio::time::timeout(self.within, self.exchange(&url, &place, max_bytes)).await.map_err(|_| slow())?
    }

    async fn exchange(&self, url: &Url, place: &Place, max_bytes: usize) -> Result<Got, FetchError> {
        let is_encrypted = url.scheme() == "https";
        let broken = |error: hyper::Error| FetchError::Broken {
            place: place.to_string(),
            why: shown(&error.to_string()).into(),
        };
        while let Some(mut idle) = self.take(place, is_encrypted) {
            // One that the server has left meanwhile says so before it takes anything.
            if let Ok(response) = idle.sender.send_request(request(url)?).await {
                return self.read(response, idle, max_bytes).await;
            }
        }
        let (stream, is_public) = self.connect(place).await?;
        let mut sender = if is_encrypted {
            let config = self.client.get_or_try_init(|| client(&self.tls)).await;
            let config = config.map_err(FetchError::Untrusted)?;
            let stream = place.encrypted_with(stream, Arc::clone(config)).await.map_err(FetchError::Untrusted)?;
            speak(stream).await.map_err(broken)?
        } else {
            speak(stream).await.map_err(broken)?
        };
        let response = sender.send_request(request(url)?).await.map_err(broken)?;
        let idle = Idle { place: place.clone(), is_encrypted, is_public, sender, since: Instant::now() };
        self.read(response, idle, max_bytes).await
    }

    async fn read(&self, response: Response<Incoming>, idle: Idle, max_bytes: usize) -> Result<Got, FetchError> {
        let (head, mut body) = response.into_parts();
        let place = idle.place.to_string();
        let word = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let elsewhere = head.status.is_redirection().then(|| {
            let url = word(LOCATION).and_then(|to| Url::parse(to).ok());
            url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
        });
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|error| FetchError::Broken { place: place.clone(), why: shown(&error.to_string()).into() })?;
            let data = frame.data_ref().map(Bytes::as_ref).unwrap_or_default();
            if bytes.len() + data.len() > max_bytes {
                return Err(FetchError::TooLarge { place, max_bytes });
            }
            bytes.extend_from_slice(data);
        }
        let got = Got {
            status: head.status.as_u16(),
            media: word(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase(),
            bytes,
            after_ms: retry_after_ms(&head.headers, WallMs(jiff::Timestamp::now().as_millisecond())),
            elsewhere,
            is_public: idle.is_public,
        };
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(Idle::is_of_use);
        if kept.len() < IDLE_MAX {
            kept.push(Idle { since: Instant::now(), ..idle });
        }
        Ok(got)
    }

    fn take(&self, place: &Place, is_encrypted: bool) -> Option<Idle> {
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(Idle::is_of_use);
        let is_it = |idle: &Idle| idle.place == *place && idle.is_encrypted == is_encrypted && idle.sender.is_ready();
        let at = kept.iter().position(is_it)?;
        Some(kept.swap_remove(at))
    }

    /// To an address that was looked at, so that a name which means another one a moment later leads nowhere else.
    async fn connect(&self, place: &Place) -> Result<(TcpStream, bool), FetchError> {
        let unreached = |why: String| FetchError::Unreached { place: place.to_string(), why };
        let found = tokio::net::lookup_host((place.host.as_str(), place.port));
        let found: Vec<SocketAddr> = found.await.map_err(|error| unreached(error.to_string()))?.collect();
        let allowed: Vec<SocketAddr> = found.iter().copied().filter(|at| self.near || is_public(at.ip())).collect();
        if allowed.is_empty() && !found.is_empty() {
            return Err(FetchError::Near(place.to_string()));
        }
        let mut why = "the name has no address".to_owned();
        for at in allowed {
            match TcpStream::connect(at).await {
                Ok(stream) => {
                    // Small packets that somebody waits for; where it cannot be set they are only later.
                    _ = stream.set_nodelay(true);
                    return Ok((stream, is_public(at.ip())));
                }
                Err(error) => why = error.to_string(),
            }
        }
        Err(unreached(why))
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("near", &self.near).finish_non_exhaustive()
    }
}

/// The server of an address as people call it, without anything that could be secret. Fails on what cannot be fetched.
pub fn server(address: &str) -> Result<String, FetchError> {
    let (url, place) = read(address)?;
    Ok(match url.port() {
        Some(_) => place.to_string(),
        None => place.host,
    })
}

/// The same with its port, whether that is written or not.
pub fn server_and_port(address: &str) -> Result<String, FetchError> {
    read(address).map(|(_, place)| place.to_string())
}

/// Another address as it stands in what was fetched from this one.
pub fn joined(base: &str, address: &str) -> Result<String, FetchError> {
    let unreadable = |error: url::ParseError| FetchError::Unreadable(error.to_string());
    let joined = Url::parse(base).map_err(unreadable)?.join(address).map_err(unreadable)?;
    // What stands in braces is filled in later.
    Ok(joined.as_str().replace("%7B", "{").replace("%7D", "}"))
}

fn read(address: &str) -> Result<(Url, Place), FetchError> {
    let url = Url::parse(address).map_err(|error| FetchError::Unreadable(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FetchError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Named);
    }
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    Ok((url, Place { host, port }))
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, FetchError> {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    Request::get(format!("{}{query}", url.path()))
        .header(HOST, host)
        .header(USER_AGENT, WHO)
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "gzip")
        .body(Empty::new())
        .map_err(|_| FetchError::Unreadable("no request can be made of it".into()))
}

async fn speak<S>(stream: S) -> Result<SendRequest<Empty<Bytes>>, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let spoken = http1::Builder::new().max_buf_size(HEAD_MAX_BYTES).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = spoken?;
    // It ends when the sender is dropped or the server has gone; what goes wrong is told to who asks.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// Whether an address is one of the internet (IANA's registries of special-purpose addresses).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    );
    !is_special
}

/// Global unicast but for what carries an address of IPv4 and what is for examples.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    (0x2000..0x4000).contains(&a) && a != 0x2002 && !(a == 0x2001 && matches!(b, 0 | 0x0db8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_this_network_is_known_however_it_is_written() {
        for (ip, want) in [
            ("9.9.9.9", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.20.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("2620:fe::fe", true),
            ("::1", false),
            ("::ffff:10.0.0.1", false),
            ("::10.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("2002:a00:1::", false),
            ("fd00::1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), want, "{ip}");
        }
    }

    #[tokio::test]
    async fn a_window_from_elsewhere_reaches_no_machine_of_this_network_and_nothing_repeats_a_key() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"] {
            let refused = Fetcher::new(false).get(&format!("http://{host}:{port}/?key=T0KEN"), 10).await.unwrap_err();
            assert!(matches!(refused, FetchError::Near(_)), "{host}: {refused}");
            assert!(!refused.to_string().contains("T0KEN"));
        }
        assert_eq!(listener.accept().map(drop).map_err(|e| e.kind()), Err(std::io::ErrorKind::WouldBlock));
        for (address, want) in
            [("file:///etc/passwd", FetchError::Scheme), ("https://ada:T0KEN@city.example/", FetchError::Named)]
        {
            assert_eq!(Fetcher::new(true).get(address, 10).await, Err(want));
        }
    }

    #[test]
    fn an_address_within_another_keeps_its_braces() {
        for (base, address, want) in [
            ("https://h/a/style.json", "{z}/{x}/{y}.png", "https://h/a/{z}/{x}/{y}.png"),
            ("https://h/a/style.json", "//t/{z}", "https://t/{z}"),
            ("https://h/a", "https://o/{z}/{x}/{y}?k=1", "https://o/{z}/{x}/{y}?k=1"),
        ] {
            assert_eq!(joined(base, address).unwrap(), want);
        }
        assert_eq!(server("https://h.example/a?key=1").unwrap(), "h.example");
        assert_eq!(server("http://h.example:8080/{z}").unwrap(), "h.example:8080");
    }
}
