//! What can be wrong with a configuration, and why a message was not taken.

use thiserror::Error;

/// A configuration that can never work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// Not an address of a broker.
    #[error(
        "{given:?} is not a broker's address ({why}); write mqtt://host:1883, mqtts://host:8883, ws://host/mqtt or wss://host/mqtt"
    )]
    Url {
        /// As it was given, without credentials.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// A CA, a certificate or ALPN for a connection that is not encrypted.
    #[error("{given:?} is not encrypted, so ca, certificate, key and alpn are of no use; write mqtts:// or wss://")]
    TlsUnused {
        /// As it was given.
        given: String,
    },
    /// A password that everybody on the way could read.
    #[error(
        "{given:?} is not encrypted, and the password would go there in clear; write mqtts:// or wss://, or allow it inside a network you trust: clear_password = true in a profile, --clear-password on the command line"
    )]
    ClearPassword {
        /// As it was given.
        given: String,
    },
    /// More than MQTT can say.
    #[error("a {what} of {bytes} bytes is too long; at most 65535 are possible")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its bytes.
        bytes: usize,
    },
    /// No client id.
    #[error("the client id is empty; a session that survives a lost connection needs one of its own")]
    ClientId,
    /// A keep-alive that the client library or MQTT does not allow.
    #[error("a keep-alive of {0} s is too short; at least 5 s are needed")]
    KeepAlive(u16),
    /// Something that only MQTT 5 can say, for 3.1.1.
    #[error("MQTT 3.1.1 has no properties; leave mqtt5 out, or choose protocol \"5\"")]
    Mqtt5Unused,
    /// User properties that cannot be said.
    #[error("user properties cannot be sent: {0}")]
    UserProperties(String),
    /// A receive maximum that MQTT forbids (MQTT 5, 3.1.2.11.3).
    #[error("a receive maximum of 0 would let no message in; 1–65535 are right")]
    ReceiveMaximum,
    /// Not a topic filter.
    #[error("{0:?} is not a topic filter; + stands for a whole level and # only at the end")]
    Filter(String),
    /// QoS 2 and above are not offered.
    #[error("QoS {qos} for {filter:?} is not offered; 0 or 1 are")]
    Qos {
        /// The filter.
        filter: String,
        /// The asked guarantee.
        qos: u8,
    },
    /// A packet limit below what any message needs, or above what MQTT can say.
    #[error("a limit of {0} bytes a packet is outside 256–268435455")]
    PacketLimit(u32),
    /// A queue without a place.
    #[error("the {0} has no places; at least 1 is needed")]
    NoPlaces(&'static str),
    /// No runtime to run on.
    #[error("a link can only be started inside a tokio runtime")]
    NoRuntime,
    /// The system gives no thread.
    #[error("the link cannot be started: {0}; close something, or allow this user more threads")]
    NoThread(String),
}

/// Why a message was not handed to the broker. It was not sent and will not be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotSent {
    /// There is no connection.
    #[error("the link is down")]
    Down,
    /// As many messages wait as the outbox holds.
    #[error("{waiting} messages are already waiting to be sent")]
    Full {
        /// How many.
        waiting: usize,
    },
    /// Larger than the broker or our own limit allows.
    #[error("the message has {bytes} bytes with its topic; at most {most} are allowed here")]
    TooLarge {
        /// Its packet's size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// Not a topic one can publish to.
    #[error("{0:?} is not a topic; it must not be empty and has no +, # or NUL")]
    Topic(String),
    /// QoS 2 and above are not offered.
    #[error("QoS {0} is not offered; 0 or 1 are")]
    Qos(u8),
}
