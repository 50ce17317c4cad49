//! What was last heard on each topic, for entities that are announced after it came: a retained state is sent once, when the first
//! of those who share a topic is announced.

use std::collections::HashMap;

use fleetlens_model::time::WallMs;

/// The longest message that is kept, in bytes.
const ONE_MAX_BYTES: usize = 4 * 1024;

/// All that is kept, in bytes; what comes when it is full is not.
const ALL_MAX_BYTES: usize = 16 * 1024 * 1024;

/// The last messages of topics.
#[derive(Debug, Default)]
pub(super) struct Heard {
    by_topic: HashMap<String, (String, WallMs)>,
    bytes: usize,
}

impl Heard {
    /// Keeps a message in place of the one before it.
    pub(super) fn put(&mut self, topic: &str, text: &str, at: WallMs) {
        self.forget(topic);
        let bytes = topic.len() + text.len();
        if text.len() <= ONE_MAX_BYTES && self.bytes + bytes <= ALL_MAX_BYTES {
            self.bytes += bytes;
            self.by_topic.insert(topic.to_owned(), (text.to_owned(), at));
        }
    }

    /// What was last heard on a topic, and when.
    pub(super) fn get(&self, topic: &str) -> Option<(&str, WallMs)> {
        self.by_topic.get(topic).map(|(text, at)| (text.as_str(), *at))
    }

    /// Nobody listens there any more.
    pub(super) fn forget(&mut self, topic: &str) {
        if let Some((text, _)) = self.by_topic.remove(topic) {
            self.bytes -= topic.len() + text.len();
        }
    }
}
