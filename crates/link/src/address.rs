//! Where the broker is and through what, from a URL as people write it.

use std::fmt;
use std::net::IpAddr;

use crate::error::LinkError;

/// Where most brokers listen for WebSockets, when the URL names no path.
const WS_PATH: &str = "/mqtt";

/// What carries MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Tcp,
    Tls,
    WebSocket,
    EncryptedWebSocket,
}

impl Carrier {
    fn of(scheme: &str) -> Option<Carrier> {
        match scheme {
            "mqtt" | "tcp" => Some(Carrier::Tcp),
            "mqtts" | "ssl" | "tls" => Some(Carrier::Tls),
            "ws" => Some(Carrier::WebSocket),
            "wss" => Some(Carrier::EncryptedWebSocket),
            _ => None,
        }
    }

    /// The port when the URL names none (IANA).
    fn port(self) -> u16 {
        match self {
            Carrier::Tcp => 1883,
            Carrier::Tls => 8883,
            Carrier::WebSocket => 80,
            Carrier::EncryptedWebSocket => 443,
        }
    }

    pub fn is_web_socket(self) -> bool {
        matches!(self, Carrier::WebSocket | Carrier::EncryptedWebSocket)
    }
}

/// Host and port, and what carries MQTT there. An IPv6 address keeps its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
    pub carrier: Carrier,
    /// Of a WebSocket; empty otherwise.
    path: String,
}

impl Address {
    /// Reads `mqtt://host[:port]`, `mqtts://…`, `ws://host[:port][/path]` or `wss://…`.
    pub fn of(given: &str) -> Result<Address, LinkError> {
        // Not repeating them keeps passwords out of logs and off the screen.
        let wrong = |why: &str| LinkError::Url { given: without_secrets(given), why: why.to_owned() };
        if names_somebody(given) {
            return Err(wrong("user name and password do not belong into the address"));
        }
        let url = url::Url::parse(given).map_err(|error| wrong(&error.to_string()))?;
        let Some(carrier) = Carrier::of(url.scheme()) else {
            return Err(wrong(&format!("{}:// is not spoken here", url.scheme())));
        };
        let bare = matches!(url.path(), "" | "/");
        if url.query().is_some() || url.fragment().is_some() || (!bare && !carrier.is_web_socket()) {
            return Err(wrong("nothing may follow host and port, but the path of a WebSocket"));
        }
        let path = match (carrier.is_web_socket(), bare) {
            (true, true) => WS_PATH.to_owned(),
            (true, false) => url.path().to_owned(),
            (false, _) => String::new(),
        };
        match url.host_str() {
            Some(host) if !host.is_empty() => {
                Ok(Address { host: host.to_owned(), port: url.port().unwrap_or(carrier.port()), carrier, path })
            }
            _ => Err(wrong("the host is missing")),
        }
    }

    /// Whether nothing of it leaves this machine.
    pub fn is_this_machine(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self.carrier, Carrier::Tls | Carrier::EncryptedWebSocket)
    }

    /// The broker's name as the library wants it: the whole URL for a WebSocket, an IPv6 address without its brackets for TLS,
    /// whose certificate is for the address itself.
    pub fn for_library(&self) -> String {
        match self.carrier {
            Carrier::Tcp => self.host.clone(),
            Carrier::Tls => self.host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            Carrier::WebSocket => format!("ws://{self}{}", self.path),
            Carrier::EncryptedWebSocket => format!("wss://{self}{}", self.path),
        }
    }
}

/// Where an address leads to, as far as it matters for who gets to know a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The host, in lower case.
    pub host: String,
    /// The port, that of the scheme where the address names none: behind another one may be somebody else's program.
    pub port: u16,
    /// Whether what goes there is encrypted.
    pub is_encrypted: bool,
}

impl Destination {
    /// Of an address as [`crate::LinkConfig::url`] has it.
    pub fn of(url: &str) -> Result<Destination, LinkError> {
        let address = Address::of(url)?;
        let is_encrypted = address.is_encrypted();
        Ok(Destination { host: address.host.to_ascii_lowercase(), port: address.port, is_encrypted })
    }
}

/// Whether what may be an address holds a name, and so perhaps a password, before its host.
fn names_somebody(given: &str) -> bool {
    let rest = given.split_once("://").map_or(given, |(_, rest)| rest);
    rest.split(['?', '#']).next().is_some_and(|rest| rest.contains('@'))
}

/// What may be an address without what may be secret in it: everything before an `@`, and everything from `?` or `#` on.
pub(crate) fn without_secrets(given: &str) -> String {
    let (scheme, rest) = given.split_once("://").map_or(("", given), |(scheme, rest)| (scheme, rest));
    let (host, more) = rest.find(['?', '#']).map_or((rest, ""), |at| (rest.get(..at).unwrap_or(""), "…"));
    let host = host.rsplit_once('@').map_or_else(|| host.to_owned(), |(_, host)| format!("…@{host}"));
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    format!("{scheme}{host}{more}")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (given, want, library) in [
            ("mqtt://localhost", "localhost:1883", "localhost"),
            ("mqtt://localhost:1884/", "localhost:1884", "localhost"),
            ("tcp://10.0.0.7:1883", "10.0.0.7:1883", "10.0.0.7"),
            ("mqtt://[::1]:1883", "[::1]:1883", "[::1]"),
            ("mqtt://broker.city.example", "broker.city.example:1883", "broker.city.example"),
            ("mqtts://broker.city.example", "broker.city.example:8883", "broker.city.example"),
            ("mqtts://[::1]", "[::1]:8883", "::1"),
            ("ws://broker:9001", "broker:9001", "ws://broker:9001/mqtt"),
            ("ws://broker/a/b", "broker:80", "ws://broker:80/a/b"),
            ("wss://broker", "broker:443", "wss://broker:443/mqtt"),
        ] {
            let address = Address::of(given).unwrap();
            assert_eq!(address.to_string(), want, "{given}");
            assert_eq!(address.for_library(), library, "{given}");
        }
    }

    #[test]
    fn a_destination_has_its_port_whether_or_not_it_is_written() {
        for (given, port, is_encrypted) in [
            ("mqtt://Broker", 1883, false),
            ("mqtts://broker", 8883, true),
            ("mqtts://broker:8884", 8884, true),
            ("ws://broker/mqtt", 80, false),
            ("wss://broker:443", 443, true),
        ] {
            let want = Destination { host: "broker".into(), port, is_encrypted };
            assert_eq!(Destination::of(given).unwrap(), want, "{given}");
        }
    }

    #[test]
    fn an_address_that_cannot_work_says_why() {
        for (given, want) in [
            ("localhost", "relative URL"),
            ("http://localhost", "http:// is not spoken here"),
            ("mqtt://", "the host is missing"),
            ("mqtt://host:99999", "port"),
            ("mqtt://host/topic", "nothing may follow"),
            ("wss://host/mqtt?token=1", "nothing may follow"),
            ("wss://host/mqtt?X-Amz-Signature=secret", "nothing may follow"),
            ("mqtt://ada:secret@host", "user name and password"),
            ("http://ada:secret@host", "user name and password"),
            ("ada:secret@host:1883", "user name and password"),
            ("mqtt://ada:secret@host:99999", "user name and password"),
            ("mqtt://ada:se/secret@host", "user name and password"),
        ] {
            let error = Address::of(given).unwrap_err().to_string();
            assert!(error.contains(want), "{given}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
