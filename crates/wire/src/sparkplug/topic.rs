//! `spBv1.0/GROUP/TYPE/NODE[/DEVICE]` and `spBv1.0/STATE/HOST`, read and written (specification, chapter 4).

use fleetlens_model::id::ThingName;

use super::SparkplugError;
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// The first level of every topic of Sparkplug B.
pub(super) const NAMESPACE: &str = "spBv1.0/";

/// Where host applications say that they are there.
pub(super) const STATE: &str = "spBv1.0/STATE/";

/// The type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    NodeBirth,
    NodeData,
    NodeDeath,
    DeviceBirth,
    DeviceData,
    DeviceDeath,
    NodeCommand,
    DeviceCommand,
}

const VERBS: [Verb; 8] = [
    Verb::NodeBirth,
    Verb::NodeData,
    Verb::NodeDeath,
    Verb::DeviceBirth,
    Verb::DeviceData,
    Verb::DeviceDeath,
    Verb::NodeCommand,
    Verb::DeviceCommand,
];

impl Verb {
    /// What a host application listens to: everything but commands, which only edge nodes do.
    pub(super) const HEARD: [Verb; 6] =
        [Verb::NodeBirth, Verb::NodeData, Verb::NodeDeath, Verb::DeviceBirth, Verb::DeviceData, Verb::DeviceDeath];

    fn word(self) -> &'static str {
        match self {
            Verb::NodeBirth => "NBIRTH",
            Verb::NodeData => "NDATA",
            Verb::NodeDeath => "NDEATH",
            Verb::DeviceBirth => "DBIRTH",
            Verb::DeviceData => "DDATA",
            Verb::DeviceDeath => "DDEATH",
            Verb::NodeCommand => "NCMD",
            Verb::DeviceCommand => "DCMD",
        }
    }

    /// Whether its topic ends in a device.
    fn is_of_device(self) -> bool {
        match self {
            Verb::DeviceBirth | Verb::DeviceData | Verb::DeviceDeath | Verb::DeviceCommand => true,
            Verb::NodeBirth | Verb::NodeData | Verb::NodeDeath | Verb::NodeCommand => false,
        }
    }

    /// The filter of all such messages of a group, or of all groups (`+`).
    pub(super) fn filter(self, group: &str) -> String {
        let device = if self.is_of_device() { "/+" } else { "" };
        format!("{NAMESPACE}{group}/{}/+{device}", self.word())
    }
}

/// The topic of a message from or to an edge node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Topic<'a> {
    pub(super) group: &'a str,
    pub(super) verb: Verb,
    pub(super) node: &'a str,
    /// There where the verb is a device's.
    pub(super) device: Option<&'a str>,
}

impl<'a> Topic<'a> {
    /// Reads a topic; its names are checked, so that they can name things and be written into other topics.
    pub(super) fn parse(topic: &'a str) -> Result<Topic<'a>, SparkplugError> {
        let foreign = || SparkplugError::Topic { topic: quote(topic, QUOTE_MAX_CHARS) };
        let mut parts = topic.strip_prefix(NAMESPACE).ok_or_else(foreign)?.split('/');
        let (Some(group), Some(word), Some(node), device, None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(foreign());
        };
        let verb = VERBS.into_iter().find(|verb| verb.word() == word).ok_or_else(foreign)?;
        if verb.is_of_device() != device.is_some() {
            return Err(foreign());
        }
        let names = [Some(group), Some(node), device];
        if names.into_iter().flatten().any(|name| name.is_empty() || name.contains(['+', '#'])) {
            return Err(foreign());
        }
        let read = Topic { group, verb, node, device };
        ThingName::new(read.thing())?;
        Ok(read)
    }

    /// The node, `GROUP/NODE`: its descriptor, and the name of its thing.
    pub(super) fn descriptor(&self) -> String {
        format!("{}/{}", self.group, self.node)
    }

    /// The name of the thing whose message it is.
    pub(super) fn thing(&self) -> String {
        let mut thing = self.descriptor();
        if let Some(device) = self.device {
            thing.push('/');
            thing.push_str(device);
        }
        thing
    }
}

/// The topic of a message: the inverse of [`Topic::parse`].
pub(super) fn written(group: &str, verb: Verb, node: &str, device: Option<&str>) -> String {
    let mut topic = format!("{NAMESPACE}{group}/{}/{node}", verb.word());
    if let Some(device) = device {
        topic.push('/');
        topic.push_str(device);
    }
    topic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for verb in VERBS {
            let device = verb.is_of_device().then_some("Pump 1");
            let topic = written("STATE", verb, "NDATA", device);
            assert_eq!(Topic::parse(&topic), Ok(Topic { group: "STATE", verb, node: "NDATA", device }), "{topic}");
        }
    }

    #[test]
    fn a_topic_that_is_not_a_message_of_an_edge_node_says_why() {
        for topic in [
            "spBv1.0",
            "spBv1.0/g",
            "spBv1.0/g/NDATA",
            "spBv1.0/g/ndata/n",
            "spBv1.0/g/DDATA/n",
            "spBv1.0/g/NDATA/n/d",
            "spBv1.0/g/DDATA/n/d/e",
            "spBv1.0//NDATA/n",
            "spBv1.0/g/NDATA/",
            "spBv1.0/g/DDATA/n/",
            "spBv1.0/g/NDATA/#",
            "spAv1.0/g/NDATA/n",
        ] {
            let refused = Topic::parse(topic).unwrap_err();
            assert_eq!(refused, SparkplugError::Topic { topic: topic.into() }, "{topic}");
        }
        let long = format!("spBv1.0/g/NDATA/{}", "n".repeat(255));
        assert_eq!(
            Topic::parse(&long).unwrap_err().to_string(),
            "a thing's name has 257 bytes; at most 256 are allowed"
        );
    }
}
