//! What MQTT 5 can carry besides a message and what it lets two ends agree on.

use crate::error::LinkError;

/// User properties of ours, and of a message's that are handed on.
pub(crate) const USER_PROPERTIES_MAX: usize = 16;

/// Bytes of one text of a message's properties that are handed on, and of ours that may be said.
pub(crate) const TEXT_MAX_BYTES: usize = 256;

/// What is said to a broker of MQTT 5 when connecting, beyond what every connection needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mqtt5 {
    /// Names and values for the broker, whose meaning is between the two (MQTT 5, 3.1.2.11.8); at most 16 of up to 256 bytes.
    pub user_properties: Vec<(String, String)>,
    /// How many messages at QoS 1 the broker may have on the way to us; `None` for as many as [`crate::LinkConfig::inbox`].
    pub receive_maximum: Option<u16>,
    /// How many topics the broker may abbreviate; 0 for none.
    pub topic_alias_maximum: u16,
    /// Whether the broker may say in words why it refused something; `None` leaves that to it, which says yes.
    pub request_problem_information: Option<bool>,
}

impl Mqtt5 {
    /// Whether it says anything that MQTT 3.1.1 could not.
    pub(crate) fn is_set(&self) -> bool {
        *self != Mqtt5::default()
    }

    pub(crate) fn check(&self) -> Result<(), LinkError> {
        let many = self.user_properties.len();
        if many > USER_PROPERTIES_MAX {
            return Err(LinkError::UserProperties(format!(
                "{many} of them; at most {USER_PROPERTIES_MAX} are possible"
            )));
        }
        for (name, value) in &self.user_properties {
            let bytes = name.len().max(value.len());
            if name.is_empty() || bytes > TEXT_MAX_BYTES {
                return Err(LinkError::UserProperties(format!(
                    "one of {bytes} bytes; a name and a value of up to {TEXT_MAX_BYTES} are possible"
                )));
            }
            // U+0000 is forbidden and other control characters may end the connection (MQTT 5, 1.5.4).
            if name.chars().chain(value.chars()).any(char::is_control) {
                return Err(LinkError::UserProperties("one with a control character; write text".to_owned()));
            }
        }
        if self.receive_maximum == Some(0) {
            return Err(LinkError::ReceiveMaximum);
        }
        Ok(())
    }
}

/// What a message of MQTT 5 carried besides its payload (MQTT 5, 3.3.2.3), as far as it helps a person; bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// What the payload is, such as `application/json`; at most 256 bytes of it.
    pub content_type: Option<String>,
    /// Where an answer is expected; at most 256 bytes of it.
    pub response_topic: Option<String>,
    /// How long it was still to be delivered, in seconds from its arrival.
    pub expiry_s: Option<u32>,
    /// The first 16 user properties, at most 256 bytes of a name and of a value.
    pub user: Vec<(String, String)>,
    /// How many user properties there were beyond those.
    pub left_out: usize,
}

impl Properties {
    /// `None` when nothing is carried that is handed on.
    pub(crate) fn of(
        content_type: Option<String>,
        response_topic: Option<String>,
        expiry_s: Option<u32>,
        user: Vec<(String, String)>,
    ) -> Option<Box<Properties>> {
        let left_out = user.len().saturating_sub(USER_PROPERTIES_MAX);
        let user = user.into_iter().take(USER_PROPERTIES_MAX).map(|(name, value)| (cut(name), cut(value))).collect();
        let (content_type, response_topic) = (content_type.map(cut), response_topic.map(cut));
        let properties = Properties { content_type, response_topic, expiry_s, user, left_out };
        (properties != Properties::default()).then(|| Box::new(properties))
    }
}

/// As much of a stranger's text as is handed on, in a place of its own size.
fn cut(mut text: String) -> String {
    if text.len() > TEXT_MAX_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_MAX_BYTES));
        text.shrink_to_fit();
    }
    text
}

/// What a broker says in words, for a sentence of ours: its beginning, without what could change the line around it.
pub(crate) fn said(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_MAX_BYTES);
    let text = text.get(..end).unwrap_or_default();
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_properties_are_bounded_and_what_is_left_out_is_counted() {
        assert_eq!(Properties::of(None, None, None, Vec::new()), None);
        let long = "ä".repeat(10_000);
        let user = vec![(long.clone(), long.clone()); 1_000];
        let properties = Properties::of(Some(long.clone()), Some("re".into()), Some(7), user).unwrap();
        assert_eq!((properties.user.len(), properties.left_out, properties.expiry_s), (16, 984, Some(7)));
        let cut = &properties.user[0].0;
        assert_eq!((cut.len(), cut.capacity()), (TEXT_MAX_BYTES, TEXT_MAX_BYTES));
        assert_eq!(properties.content_type.map(|text| text.len()), Some(TEXT_MAX_BYTES));
        assert_eq!(said(&format!("no\n{long}")).len(), "no\u{fffd}".len() + 252);
    }

    #[test]
    fn what_cannot_be_said_to_a_broker_is_refused_before_anything_starts() {
        let with =
            |name: &str, value: &str| Mqtt5 { user_properties: vec![(name.into(), value.into())], ..Mqtt5::default() };
        assert_eq!(with("team", "").check(), Ok(()));
        for (wrong, says) in [
            (with("", "x"), "a name and a value"),
            (with("team", &"x".repeat(257)), "one of 257 bytes"),
            (with("te\0am", "x"), "control character"),
            (Mqtt5 { user_properties: vec![("a".into(), "b".into()); 17], ..Mqtt5::default() }, "17 of them"),
            (Mqtt5 { receive_maximum: Some(0), ..Mqtt5::default() }, "receive maximum"),
        ] {
            let why = wrong.check().unwrap_err().to_string();
            assert!(why.contains(says), "{why}");
        }
    }
}
