//! What a broker of somebody else allows, where it is known and stricter than MQTT.

use fleetlens_link::LinkConfig;
use serde::Deserialize;

/// Whose limits a connection must stay inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limits {
    /// Those of MQTT and of the broker's own CONNACK.
    #[default]
    None,
    /// AWS IoT Core's (service quotas, "Message broker and protocol limits"). What is over them ends the connection there without a word.
    Aws,
}

/// Subscriptions of a connection; at most eight go in one request (`link`).
const AWS_FILTERS_MAX: usize = 50;
/// Slashes of a topic filter that is not reserved.
const AWS_SLASHES_MAX: usize = 7;
/// Bytes of a topic and of a client id.
const AWS_TOPIC_MAX_BYTES: usize = 256;
const AWS_CLIENT_ID_MAX_BYTES: usize = 128;
/// A message of 128 kB with its topic and its header.
const AWS_PACKET_MAX_BYTES: u32 = 128 * 1024 + 512;
/// Of the 100 messages a second that a connection may send half are for asking after shadows, so that commands have room.
const AWS_GETS_PER_S: u32 = 50;
/// Where topics that AWS counts otherwise begin.
const AWS_RESERVED: &str = "$aws/";

impl Limits {
    /// How many shadows may be asked for a second; `usual` where nothing is stricter.
    pub fn gets_per_s(self, usual: u32) -> u32 {
        match self {
            Limits::None => usual,
            Limits::Aws => usual.min(AWS_GETS_PER_S),
        }
    }

    /// Makes a link keep what it can keep by itself.
    pub fn bound(self, link: &mut LinkConfig) {
        if self == Limits::Aws {
            link.max_packet_bytes = link.max_packet_bytes.min(AWS_PACKET_MAX_BYTES);
        }
    }

    /// What of a profile goes beyond them, in words. `learns_topics`: more filters become known by what is said.
    pub fn check(self, client_id: Option<&str>, filters: &[String], learns_topics: bool) -> Result<(), String> {
        if self == Limits::None {
            return Ok(());
        }
        if learns_topics {
            return Err(format!(
                "a convention of this profile subscribes to as many topics as its things name, and AWS takes {AWS_FILTERS_MAX} a connection"
            ));
        }
        if let Some(id) = client_id.filter(|id| id.len() > AWS_CLIENT_ID_MAX_BYTES) {
            return Err(format!("a client id of {} bytes; AWS takes {AWS_CLIENT_ID_MAX_BYTES}", id.len()));
        }
        if filters.len() > AWS_FILTERS_MAX {
            return Err(format!(
                "the profile subscribes to {} filters, and AWS takes {AWS_FILTERS_MAX} a connection; join templates",
                filters.len()
            ));
        }
        for filter in filters.iter().filter(|filter| !filter.starts_with(AWS_RESERVED)) {
            let (slashes, bytes) = (filter.matches('/').count(), filter.len());
            if slashes > AWS_SLASHES_MAX || bytes > AWS_TOPIC_MAX_BYTES {
                return Err(format!(
                    "the filter {filter:?} has {slashes} slashes and {bytes} bytes; AWS takes {AWS_SLASHES_MAX} and {AWS_TOPIC_MAX_BYTES}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_end_a_connection_for_is_told_before() {
        let filters = |n: usize| (0..n).map(|i| format!("city/{i}/+")).collect::<Vec<_>>();
        let shadows = vec!["$aws/things/+/shadow/name/+/update/documents/and/much/more".to_owned()];
        for (what, id, filters, says) in [
            ("the usual", None, filters(50), None),
            ("shadows are counted otherwise", None, shadows, None),
            ("too many", None, filters(51), Some("51 filters")),
            ("too deep", None, vec!["a/b/c/d/e/f/g/h/i".into()], Some("8 slashes")),
            ("too long", None, vec!["a".repeat(257)], Some("257 bytes")),
            ("a long name of ours", Some("c".repeat(129)), filters(1), Some("129 bytes")),
        ] {
            assert!(Limits::Aws.check(id.as_deref(), &filters, true).is_err(), "{what}, and topics nobody counted");
            let outcome = Limits::Aws.check(id.as_deref(), &filters, false);
            assert_eq!(outcome.is_ok(), says.is_none(), "{what}: {outcome:?}");
            assert!(says.is_none_or(|says| outcome.unwrap_err().contains(says)), "{what}");
            assert_eq!(Limits::None.check(id.as_deref(), &filters, true), Ok(()), "{what}");
        }
        let mut link = LinkConfig::new("mqtts://h", "c");
        Limits::Aws.bound(&mut link);
        assert!(link.max_packet_bytes < 132_000 && Limits::Aws.gets_per_s(100) < 100);
    }
}
