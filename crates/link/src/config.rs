//! How to reach a broker and what to ask of it.

use std::fmt;

use crate::address::{self, Address};
use crate::error::LinkError;
use crate::properties::Mqtt5;
use crate::secret::Secret;
use crate::tls::Tls;

/// The longest packet MQTT can describe (MQTT 3.1.1, 2.2.3).
const PACKET_MAX_BYTES: u32 = 268_435_455;
/// A limit below this could not even carry a CONNECT.
const PACKET_MIN_BYTES: u32 = 256;
/// The longest text MQTT can describe (MQTT 5, 1.5.4).
pub(crate) const WORD_MAX_BYTES: usize = 65_535;
/// The client library takes no shorter one with MQTT 5.
const KEEP_ALIVE_MIN_S: u16 = 5;

/// The version of MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// MQTT 3.1.1.
    V4,
    /// MQTT 5.
    #[default]
    V5,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::V4 => "MQTT 3.1.1",
            Protocol::V5 => "MQTT 5",
        })
    }
}

/// Everything a link needs to know. Take [`LinkConfig::new`] and change what differs.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkConfig {
    /// `mqtt://host[:port]`, `mqtts://…` encrypted, `ws://host[:port][/path]` and `wss://…` through a WebSocket.
    pub url: String,
    /// The version to speak.
    pub protocol: Protocol,
    /// Our name with the broker; must be ours alone and stay the same, because the session hangs on it.
    pub client_id: String,
    /// Forgets the session at every connection: what is published while we are away is lost.
    pub clean_start: bool,
    /// How long the broker keeps the session after we are gone, in seconds; `u32::MAX` for ever. MQTT 5 only: with 3.1.1 the
    /// broker decides.
    pub session_expiry_s: u32,
    /// What else is said to a broker of MQTT 5.
    pub mqtt5: Mqtt5,
    /// How often we show that we live, in seconds; at least 5.
    pub keep_alive_s: u16,
    /// Topic filters with their QoS, 0 or 1; subscribed on every connection.
    pub filters: Vec<(String, u8)>,
    /// Events that may wait for the receiver; at least 1.
    pub inbox: usize,
    /// Publishes that may wait for the connection; at least 1.
    pub outbox: usize,
    /// The largest packet taken or sent, in bytes; 256–268435455.
    pub max_packet_bytes: u32,
    /// Who we are to the broker.
    pub credentials: Option<Credentials>,
    /// Lets the password go unencrypted to another machine, where everybody on the way can read it.
    pub clear_password: bool,
    /// How an encrypted connection differs from the usual one; only with `mqtts://` and `wss://`.
    pub tls: Tls,
}

/// User name and password or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name the broker knows us by.
    pub user: String,
    /// Where the password is; `None` for a name alone.
    pub password: Option<Secret>,
}

impl LinkConfig {
    /// A persistent MQTT 5 session of one hour without filters; 1 000 places each way; packets of up to 1 MiB.
    pub fn new(url: impl Into<String>, client_id: impl Into<String>) -> LinkConfig {
        LinkConfig {
            url: url.into(),
            protocol: Protocol::V5,
            client_id: client_id.into(),
            clean_start: false,
            session_expiry_s: 3600,
            mqtt5: Mqtt5::default(),
            keep_alive_s: 30,
            filters: Vec::new(),
            inbox: 1_000,
            outbox: 1000,
            max_packet_bytes: 1 << 20,
            credentials: None,
            clear_password: false,
            tls: Tls::default(),
        }
    }

    /// Whether it can work at all, without connecting: what [`crate::Link::start`] looks at first.
    pub fn validate(&self) -> Result<(), LinkError> {
        self.checked().map(drop)
    }

    /// Where the broker is, if everything can work.
    pub(crate) fn checked(&self) -> Result<Address, LinkError> {
        let address = Address::of(&self.url)?;
        if self.tls.is_set() && !address.is_encrypted() {
            return Err(LinkError::TlsUnused { given: self.url.clone() });
        }
        let has_password = self.credentials.as_ref().is_some_and(|credentials| credentials.password.is_some());
        if has_password && !address.is_encrypted() && !address.is_this_machine() && !self.clear_password {
            return Err(LinkError::ClearPassword { given: self.url.clone() });
        }
        self.check()?;
        Ok(address)
    }

    fn check(&self) -> Result<(), LinkError> {
        if self.client_id.is_empty() {
            return Err(LinkError::ClientId);
        }
        let user = self.credentials.as_ref().map_or(0, |credentials| credentials.user.len());
        for (what, bytes) in [("client id", self.client_id.len()), ("user", user)] {
            if bytes > WORD_MAX_BYTES {
                return Err(LinkError::TooLong { what, bytes });
            }
        }
        if self.keep_alive_s < KEEP_ALIVE_MIN_S {
            return Err(LinkError::KeepAlive(self.keep_alive_s));
        }
        if !(PACKET_MIN_BYTES..=PACKET_MAX_BYTES).contains(&self.max_packet_bytes) {
            return Err(LinkError::PacketLimit(self.max_packet_bytes));
        }
        if self.mqtt5.is_set() && self.protocol != Protocol::V5 {
            return Err(LinkError::Mqtt5Unused);
        }
        self.mqtt5.check()?;
        for (queue, places) in [("inbox", self.inbox), ("outbox", self.outbox)] {
            if places == 0 {
                return Err(LinkError::NoPlaces(queue));
            }
        }
        for (filter, qos) in &self.filters {
            if !rumqttc::valid_filter(filter) || filter.contains('\0') {
                return Err(LinkError::Filter(filter.clone()));
            }
            if *qos > 1 {
                return Err(LinkError::Qos { filter: filter.clone(), qos: *qos });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for LinkConfig {
    /// All of it; a password says only where it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkConfig")
            .field("url", &address::without_secrets(&self.url))
            .field("protocol", &self.protocol)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("session_expiry_s", &self.session_expiry_s)
            .field("mqtt5", &self.mqtt5)
            .field("keep_alive_s", &self.keep_alive_s)
            .field("filters", &self.filters)
            .field("inbox", &self.inbox)
            .field("outbox", &self.outbox)
            .field("max_packet_bytes", &self.max_packet_bytes)
            .field("credentials", &self.credentials)
            .field("clear_password", &self.clear_password)
            .field("tls", &self.tls)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_can_never_work_is_refused_before_anything_starts() {
        let good = || LinkConfig { filters: vec![("a/+/#".into(), 1)], ..LinkConfig::new("mqtt://h", "c") };
        assert_eq!(good().check(), Ok(()));
        for (bad, want) in [
            (LinkConfig { client_id: String::new(), ..good() }, LinkError::ClientId),
            (LinkConfig { keep_alive_s: 4, ..good() }, LinkError::KeepAlive(4)),
            (LinkConfig { filters: vec![("a/#/b".into(), 0)], ..good() }, LinkError::Filter("a/#/b".into())),
            (LinkConfig { filters: vec![(String::new(), 0)], ..good() }, LinkError::Filter(String::new())),
            (LinkConfig { filters: vec![("a".into(), 2)], ..good() }, LinkError::Qos { filter: "a".into(), qos: 2 }),
            (LinkConfig { max_packet_bytes: 10, ..good() }, LinkError::PacketLimit(10)),
            (
                LinkConfig {
                    protocol: Protocol::V4,
                    mqtt5: Mqtt5 { topic_alias_maximum: 1, ..Mqtt5::default() },
                    ..good()
                },
                LinkError::Mqtt5Unused,
            ),
            (LinkConfig { inbox: 0, ..good() }, LinkError::NoPlaces("inbox")),
            (LinkConfig { outbox: 0, ..good() }, LinkError::NoPlaces("outbox")),
        ] {
            assert_eq!(bad.check(), Err(want), "{bad:?}");
        }
    }

    #[test]
    fn what_only_an_encrypted_connection_can_heed_is_not_passed_over() {
        let tls = Tls { alpn: vec!["mqtt".into()], ..Tls::default() };
        let config = LinkConfig { tls, ..LinkConfig::new("mqtt://h", "c") };
        assert_eq!(config.validate(), Err(LinkError::TlsUnused { given: "mqtt://h".into() }));
    }

    #[test]
    fn a_password_goes_in_clear_only_within_this_machine_or_where_that_was_allowed() {
        let with = |url: &str, clear_password| {
            let credentials = Credentials { user: "ada".into(), password: Some(Secret::Env("P".into())) };
            LinkConfig { credentials: Some(credentials), clear_password, ..LinkConfig::new(url, "c") }.validate()
        };
        for url in ["mqtt://city", "ws://10.0.0.7/mqtt"] {
            assert_eq!(with(url, false), Err(LinkError::ClearPassword { given: url.into() }));
            assert_eq!(with(url, true), Ok(()));
        }
        for url in ["mqtts://city", "wss://city", "mqtt://localhost", "mqtt://127.0.0.1", "ws://[::1]:9001"] {
            assert_eq!(with(url, false), Ok(()), "{url}");
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        let credentials = Credentials { user: "ada".into(), password: Some(Secret::Given("secret".into())) };
        let config = LinkConfig { credentials: Some(credentials), ..LinkConfig::new("mqtt://h", "c") };
        let printed = format!("{config:?}");
        assert!(printed.contains("ada") && !printed.contains("secret"), "{printed}");
    }
}
