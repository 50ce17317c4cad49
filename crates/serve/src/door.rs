//! Who may come in: only under a name that is ours, only with the token, and a socket only from our own page.
//!
//! The name is looked at because a stranger's page can make its own name mean our address (DNS rebinding) and would then count
//! as same-origin; the origin, because browsers let any page open a socket to anywhere, cookies included.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, HeaderName};
use url::form_urlencoded;

use crate::Token;

/// The query's key of the token.
const TOKEN: &str = "token";

/// The rules of the door.
#[derive(Clone, Debug)]
pub struct Door {
    token: Token,
    listens: SocketAddr,
    /// Names besides the address itself, such as a proxy's; without port.
    names: Vec<String>,
}

/// What becomes of somebody at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In.
    Enter,
    /// The token stands in the address: give them the cookie and send them on to this one, in which it does not.
    Welcome(String),
    /// Without the token, or with a wrong one.
    NoToken,
    /// Called by a name that is not ours.
    WrongName,
}

impl Door {
    /// The door of a listening address.
    pub fn new(token: Token, listens: SocketAddr, names: Vec<String>) -> Door {
        Door { token, listens, names }
    }

    /// Judges a request by its address and headers.
    pub fn judge(&self, uri: &Uri, headers: &HeaderMap) -> Verdict {
        if !text(headers, HOST).is_some_and(|host| self.is_ours(host)) {
            return Verdict::WrongName;
        }
        let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        match query.find(|(key, _)| key == TOKEN) {
            Some((_, given)) if self.token.is(&given) => Verdict::Welcome(clean(uri)),
            Some(_) => Verdict::NoToken,
            None if self.has_token(headers) => Verdict::Enter,
            None => Verdict::NoToken,
        }
    }

    /// Whether a socket is asked for by a page of ours: its origin is the host it asks.
    pub fn is_our_page(&self, headers: &HeaderMap) -> bool {
        let authority =
            |origin: &str| origin.strip_prefix("http://").or(origin.strip_prefix("https://")).map(str::to_owned);
        let origin = text(headers, ORIGIN).and_then(authority);
        origin.is_some_and(|origin| text(headers, HOST).is_some_and(|host| origin.eq_ignore_ascii_case(host)))
    }

    /// What a browser is told to keep. Cookies know no ports, so the name does: two programs on one computer are two.
    pub fn cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name(), self.token.reveal())
    }

    fn cookie_name(&self) -> String {
        format!("fleetlens-{}", self.listens.port())
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let bearer = text(headers, AUTHORIZATION).and_then(|words| words.strip_prefix("Bearer "));
        let name = self.cookie_name();
        let cookies = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let ours = cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        ours.chain(bearer).any(|given| self.token.is(given))
    }

    /// Whether a `Host` is one of ours. Where everybody on the network may connect, any address of digits is: only names can be
    /// made to mean somebody else's address.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(host) = host.parse::<Authority>() else { return false };
        if host.as_str().contains('@') {
            return false;
        }
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        if self.names.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            return true; // a proxy's port is not ours
        }
        let ip = self.listens.ip();
        let is_here = match name.parse::<IpAddr>() {
            Ok(called) => called == ip || ip.is_unspecified() || (called.is_loopback() && ip.is_loopback()),
            Err(_) => name.eq_ignore_ascii_case("localhost") && (ip.is_loopback() || ip.is_unspecified()),
        };
        is_here && host.port_u16().unwrap_or(80) == self.listens.port()
    }
}

/// The pages besides the window.
const PAGES: [&str; 2] = ["/phone.html", "/gallery"];

/// The page without the token. Only pages of ours, so that nobody is sent elsewhere; of the query, what the page itself reads.
fn clean(uri: &Uri) -> String {
    let page = PAGES.into_iter().find(|page| *page == uri.path()).unwrap_or("/");
    let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    match query.find(|(key, word)| key == "theme" && (word == "dark" || word == "light")) {
        Some((_, word)) => format!("{page}?theme={word}"),
        None => page.to_owned(),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn door(listens: &str) -> Door {
        Door::new(Token::parse(KEY).unwrap(), listens.parse().unwrap(), vec!["city.example".into()])
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_names_are_answered() {
        for (listens, host, ours) in [
            ("127.0.0.1:8463", "127.0.0.1:8463", true),
            ("127.0.0.1:8463", "localhost:8463", true),
            ("127.0.0.1:8463", "LocalHost:8463", true),
            ("127.0.0.1:8463", "127.0.0.1:8464", false),
            ("127.0.0.1:8463", "localhost", false),
            ("127.0.0.1:80", "localhost", true),
            ("127.0.0.1:8463", "evil.example:8463", false),
            ("127.0.0.1:8463", "localhost.evil.example:8463", false),
            ("127.0.0.1:8463", "localhost:8463@evil.example", false),
            ("127.0.0.1:8463", "192.168.1.5:8463", false),
            ("127.0.0.1:8463", "city.example", true),
            ("127.0.0.1:8463", "", false),
            ("[::1]:8463", "[::1]:8463", true),
            ("[::1]:8463", "localhost:8463", true),
            ("0.0.0.0:8463", "192.168.1.5:8463", true),
            ("0.0.0.0:8463", "localhost:8463", true),
            ("0.0.0.0:8463", "evil.example:8463", false),
            ("192.168.1.5:8463", "192.168.1.5:8463", true),
            ("192.168.1.5:8463", "192.168.1.6:8463", false),
            ("192.168.1.5:8463", "localhost:8463", false),
        ] {
            assert_eq!(door(listens).is_ours(host), ours, "{host:?} at {listens}");
        }
    }

    #[test]
    fn the_token_opens_in_the_address_in_the_cookie_and_in_the_header() {
        let door = door("127.0.0.1:8463");
        let wrong = KEY.replace('0', "1");
        let welcome = |to: &str| Verdict::Welcome(to.to_owned());
        for (address, header, want) in [
            ("/".to_owned(), None, Verdict::NoToken),
            (format!("/?token={KEY}"), None, welcome("/")),
            (format!("/phone.html?theme=light&token={KEY}"), None, welcome("/phone.html?theme=light")),
            (format!("/?token={KEY}&theme=%22%3E"), None, welcome("/")),
            (format!("//evil.example/?token={KEY}"), None, welcome("/")),
            (format!("/?token={wrong}"), None, Verdict::NoToken),
            ("/?token=".into(), Some((COOKIE, format!("fleetlens-8463={KEY}"))), Verdict::NoToken),
            ("/ws".into(), Some((COOKIE, format!("a=b; fleetlens-8463={KEY}"))), Verdict::Enter),
            ("/".into(), Some((COOKIE, format!("fleetlens-8464={KEY}"))), Verdict::NoToken),
            ("/".into(), Some((COOKIE, format!("fleetlens-8463={wrong}"))), Verdict::NoToken),
            ("/".into(), Some((AUTHORIZATION, format!("Bearer {KEY}"))), Verdict::Enter),
            ("/".into(), Some((AUTHORIZATION, format!("Basic {KEY}"))), Verdict::NoToken),
        ] {
            let mut given = headers(&[(HOST, "localhost:8463")]);
            if let Some((name, value)) = &header {
                given.insert(name.clone(), value.parse().unwrap());
            }
            assert_eq!(door.judge(&address.parse().unwrap(), &given), want, "{address} {header:?}");
            given.insert(HOST, "evil.example:8463".parse().unwrap());
            assert_eq!(door.judge(&address.parse().unwrap(), &given), Verdict::WrongName, "{address} {header:?}");
        }
        assert_eq!(door.judge(&"/".parse().unwrap(), &HeaderMap::new()), Verdict::WrongName, "nobody's name");
    }

    #[test]
    fn a_socket_opens_for_our_own_page_alone() {
        let door = door("127.0.0.1:8463");
        for (host, origin, ours) in [
            ("127.0.0.1:8463", Some("http://127.0.0.1:8463"), true),
            ("city.example", Some("https://city.example"), true),
            ("127.0.0.1:8463", Some("http://localhost:8463"), false),
            ("127.0.0.1:8463", Some("http://127.0.0.1:8464"), false),
            ("127.0.0.1:8463", Some("http://evil.example"), false),
            ("127.0.0.1:8463", Some("file://"), false),
            ("127.0.0.1:8463", Some("null"), false),
            ("127.0.0.1:8463", None, false),
        ] {
            let mut given = headers(&[(HOST, host)]);
            if let Some(origin) = origin {
                given.insert(ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(door.is_our_page(&given), ours, "{origin:?} at {host}");
        }
    }
}
