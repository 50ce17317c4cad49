//! The MQTT link: connect, back off, resubscribe, publish, acknowledge.
