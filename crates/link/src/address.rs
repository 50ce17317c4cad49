//! Where the broker is, from a URL as people write it.

use std::fmt;

use crate::error::LinkError;

/// The port of MQTT without TLS, when the URL names none (IANA).
const PORT: u16 = 1883;

/// Host and port. An IPv6 address keeps its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// Reads `mqtt://host[:port]`. TLS is refused rather than silently left out.
    pub fn of(given: &str) -> Result<Address, LinkError> {
        let wrong = |why: &str| LinkError::Url { given: given.to_owned(), why: why.to_owned() };
        let url = url::Url::parse(given).map_err(|error| wrong(&error.to_string()))?;
        match url.scheme() {
            "mqtt" | "tcp" => {}
            "mqtts" | "ssl" | "wss" => return Err(LinkError::TlsNotYet { given: given.to_owned() }),
            other => return Err(wrong(&format!("{other}:// is not spoken here"))),
        }
        if !url.username().is_empty() || url.password().is_some() {
            // Not repeating the URL keeps the password out of logs and off the screen.
            let why = "user name and password do not belong into the address".to_owned();
            return Err(LinkError::Url { given: format!("{}://…@…", url.scheme()), why });
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("nothing may follow host and port"));
        }
        match url.host_str() {
            Some(host) if !host.is_empty() => Ok(Address { host: host.to_owned(), port: url.port().unwrap_or(PORT) }),
            _ => Err(wrong("the host is missing")),
        }
    }
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
        for (given, want) in [
            ("mqtt://localhost", "localhost:1883"),
            ("mqtt://localhost:1884/", "localhost:1884"),
            ("tcp://10.0.0.7:1883", "10.0.0.7:1883"),
            ("mqtt://[::1]:1883", "[::1]:1883"),
            ("mqtt://broker.city.example", "broker.city.example:1883"),
        ] {
            assert_eq!(Address::of(given).unwrap().to_string(), want, "{given}");
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
            ("mqtt://ada:secret@host", "user name and password"),
            ("mqtts://host", "TLS is not built in yet"),
            ("wss://host", "TLS is not built in yet"),
        ] {
            let error = Address::of(given).unwrap_err().to_string();
            assert!(error.contains(want), "{given}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
