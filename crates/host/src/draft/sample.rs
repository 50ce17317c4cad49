//! What was heard of a broker, bounded whatever it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetlens_model::text::shown;

/// The most messages of one topic that are looked at; more say nothing new.
const A_TOPIC: usize = 20;

/// The most topics that are looked at.
pub(super) const TOPICS_MAX: usize = 20_000;

/// The most bytes of topics and payloads that are kept.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Where AWS-style shadows are.
const SHADOWS: &str = "$aws/things/";

/// The longest excerpt of a message, in characters.
const EXCERPT_MAX_CHARS: usize = 120;

/// A sample of what a broker says, bounded whatever it says.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    topics: BTreeMap<String, Topic>,
    messages: u64,
    shadows: bool,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Topic {
    messages: u64,
    /// The first ones, each with its place among all.
    kept: Vec<(u64, Arc<[u8]>)>,
}

/// A topic that was heard, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The topic, as a screen may have it.
    pub topic: String,
    /// How many messages came on it.
    pub messages: u64,
    /// The beginning of the last one that was kept, in one line; what is no text shows as `�`.
    pub excerpt: String,
}

impl Sample {
    /// Takes a message in.
    pub fn hear(&mut self, topic: &str, payload: &[u8]) {
        self.messages += 1;
        if topic.starts_with(SHADOWS) {
            self.shadows = true;
        }
        if topic.starts_with('$') {
            return;
        }
        if !self.topics.contains_key(topic) {
            if self.topics.len() >= TOPICS_MAX || self.bytes + topic.len() > BYTES_MAX {
                return;
            }
            self.bytes += topic.len();
        }
        let heard = self.topics.entry(topic.to_owned()).or_default();
        heard.messages += 1;
        if heard.kept.len() < A_TOPIC && self.bytes + payload.len() <= BYTES_MAX {
            self.bytes += payload.len();
            heard.kept.push((self.messages, payload.into()));
        }
    }

    /// How many messages were heard.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// On how many topics, those of shadows left out.
    pub fn topics(&self) -> usize {
        self.topics.len()
    }

    /// Whether somebody speaks of device shadows.
    pub fn shadows(&self) -> bool {
        self.shadows
    }

    /// The names of the topics, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(String::as_str)
    }

    /// The messages of a topic that were kept, in order.
    pub(super) fn payloads(&self, topic: &str) -> impl Iterator<Item = &[u8]> {
        self.topics.get(topic).into_iter().flat_map(|topic| &topic.kept).map(|(_, payload)| &**payload)
    }

    /// Topic and payload of the messages that were kept, in the order in which they came; only of topics that `wanted` names.
    pub fn in_order(&self, wanted: impl Fn(&str) -> bool) -> Vec<(&str, &[u8])> {
        let topics = self.topics.iter().filter(|(name, _)| wanted(name));
        let mut kept: Vec<(u64, &str, &[u8])> = topics
            .flat_map(|(name, topic)| topic.kept.iter().map(|(at, payload)| (*at, name.as_str(), &**payload)))
            .collect();
        kept.sort_unstable_by_key(|(at, ..)| *at);
        kept.into_iter().map(|(_, topic, payload)| (topic, payload)).collect()
    }

    /// How many topics `wanted` does not name.
    pub fn others(&self, wanted: impl Fn(&str) -> bool) -> usize {
        self.topics.keys().filter(|name| !wanted(name)).count()
    }

    /// At most so many topics from everywhere in the alphabet, for people to look at.
    pub fn seen(&self, most: usize) -> Vec<Seen> {
        let step = self.topics.len().div_ceil(most.max(1)).max(1);
        let some = self.topics.iter().step_by(step);
        let seen = some.map(|(name, topic)| Seen {
            topic: shown(name).into_owned(),
            messages: topic.messages,
            excerpt: topic.kept.last().map(|(_, payload)| excerpt(payload)).unwrap_or_default(),
        });
        seen.collect()
    }
}

fn excerpt(payload: &[u8]) -> String {
    // A character has at most four bytes.
    let beginning = payload.get(..payload.len().min(4 * EXCERPT_MAX_CHARS)).unwrap_or_default();
    in_one_line(&String::from_utf8_lossy(beginning), EXCERPT_MAX_CHARS)
}

/// A stranger's text where people read it.
fn in_one_line(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
    shown(&line).chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_messages_are_counted_and_only_so_much_of_them_is_kept() {
        let mut sample = Sample::default();
        let large = vec![b'1'; 4 * 1024 * 1024];
        for n in 0..12 {
            sample.hear(&format!("t/{n}"), &large);
        }
        assert_eq!((sample.messages(), sample.topics()), (12, 12));
        assert_eq!(sample.in_order(|_| true).len(), 7, "with the topics' own bytes eight are too many");
        assert_eq!(sample.seen(4).len(), 4);
        assert_eq!(sample.others(|name| name == "t/3"), 11);
    }

    #[test]
    fn what_was_heard_is_shown_in_one_harmless_line_and_read_in_its_order() {
        let mut sample = Sample::default();
        sample.hear("b", b"{\n  \"a\": \xff\x1b[31m\xe2\x80\xae 1}");
        sample.hear("a\u{7}", b"x");
        sample.hear("b", b"second");
        sample.hear("$aws/things/x/shadow/get", b"");
        assert!(sample.shadows());
        assert_eq!(
            sample.in_order(|_| true),
            [("b", &b"{\n  \"a\": \xff\x1b[31m\xe2\x80\xae 1}"[..]), ("a\u{7}", b"x"), ("b", b"second")]
        );
        let seen = sample.seen(10);
        assert_eq!(seen[0], Seen { topic: "a\\u{7}".into(), messages: 1, excerpt: "x".into() });
        assert_eq!(seen[1], Seen { topic: "b".into(), messages: 2, excerpt: "second".into() });
        assert_eq!(excerpt(b"{\n\"a\": \xff\x1b[31m\xe2\x80\xae1}"), "{ \"a\": \u{fffd}\\u{1b}[31m\\u{202e}1}");
        let long = "\u{200b}".repeat(EXCERPT_MAX_CHARS);
        assert_eq!(excerpt(long.as_bytes()).chars().count(), EXCERPT_MAX_CHARS, "written out it is no longer");
    }
}
