//! Which topics are of the same make, and which of their levels is what.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::kind::Kind;

use super::kind_of;

/// Words that say what a message is, not whose, where a topic ends in one.
const LAST_WORDS: [&str; 24] = [
    "telemetry",
    "meta",
    "state",
    "status",
    "data",
    "value",
    "values",
    "event",
    "events",
    "up",
    "uplink",
    "attributes",
    "availability",
    "config",
    "info",
    "sensor",
    "sensors",
    "measurement",
    "measurements",
    "reading",
    "readings",
    "attrs",
    "location",
    "position",
];

/// A topic, in its levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic<'a> {
    text: &'a str,
    levels: Vec<&'a str>,
}

impl<'a> Topic<'a> {
    fn new(text: &'a str) -> Topic<'a> {
        Topic { text, levels: text.split('/').collect() }
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    fn level(&self, at: usize) -> &'a str {
        self.levels.get(at).copied().unwrap_or_default()
    }

    /// The first level that is not empty: a topic may begin with a slash.
    fn first(&self) -> &'a str {
        self.levels.iter().find(|level| !level.is_empty()).copied().unwrap_or_default()
    }

    fn last(&self) -> &'a str {
        self.levels.last().copied().unwrap_or_default()
    }
}

/// Topics of the same make: as deep as each other, with the same first word and, where the last one says what they are, the same
/// last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub topics: Vec<Topic<'a>>,
    /// The different words of each level.
    words: Vec<BTreeSet<&'a str>>,
    /// The level of the thing's name.
    thing: usize,
}

/// Sorts topics into groups.
pub(super) fn groups<'a>(topics: impl Iterator<Item = &'a str>) -> Vec<Group<'a>> {
    let mut alike: BTreeMap<(&str, usize), Vec<Topic<'a>>> = BTreeMap::new();
    for topic in topics.map(Topic::new) {
        alike.entry((topic.first(), topic.levels.len())).or_default().push(topic);
    }
    let mut groups = Vec::new();
    for topics in alike.into_values() {
        // A last level of few words, each under many names, says what a message is.
        let lasts: BTreeSet<&str> = topics.iter().map(Topic::last).collect();
        let many = topics.len() >= 4 * lasts.len();
        let mut parted: BTreeMap<&str, Vec<Topic<'a>>> = BTreeMap::new();
        for topic in topics {
            let last = topic.last();
            let says_what = many || LAST_WORDS.contains(&last.to_ascii_lowercase().as_str());
            parted.entry(if says_what { last } else { "" }).or_default().push(topic);
        }
        groups.extend(parted.into_values().map(Group::new));
    }
    groups
}

impl<'a> Group<'a> {
    fn new(topics: Vec<Topic<'a>>) -> Group<'a> {
        let depth = topics.iter().map(|topic| topic.levels.len()).max().unwrap_or(0);
        let words: Vec<BTreeSet<&str>> =
            (0..depth).map(|at| topics.iter().map(|topic| topic.level(at)).collect()).collect();
        let first = words.iter().position(|words| !words.contains("")).unwrap_or(0);
        let says_what = |at: usize| {
            at > first
                && words.get(at).is_some_and(|words| {
                    words.iter().all(|word| LAST_WORDS.contains(&word.to_ascii_lowercase().as_str()))
                })
        };
        // The level with the most different words, the last of several; never the first, which says what to listen to.
        let thing = (first + 1..depth)
            .filter(|at| !says_what(*at))
            .max_by_key(|at| (words.get(*at).map_or(0, BTreeSet::len), *at))
            .unwrap_or(first);
        Group { topics, words, thing }
    }

    /// The kind all its things are, where one of the levels says it and always says the same.
    pub fn kind(&self) -> Option<Kind> {
        let fixed = self.words.iter().enumerate().filter(|(at, words)| *at != self.thing && words.len() == 1);
        let mut kinds = fixed.filter_map(|(_, words)| kind_of(words.iter().copied()));
        kinds.next()
    }

    /// As a profile writes it; without a thing where the payload names it.
    pub fn template(&self, names_thing: bool) -> String {
        let (mut has_kind, mut has_area) = (false, false);
        let mut levels = Vec::new();
        for (at, words) in self.words.iter().enumerate() {
            levels.push(if at == self.thing && names_thing {
                "{thing}".to_owned()
            } else if let (Some(word), 1) = (words.first(), words.len()) {
                (*word).to_owned()
            } else if !has_kind && words.iter().all(|word| Kind::from_word(word) != Kind::Other) {
                has_kind = true;
                "{kind}".to_owned()
            } else if !has_area && at < self.thing {
                has_area = true;
                "{area}".to_owned()
            } else {
                format!("{{level{}}}", at + 1)
            });
        }
        levels.join("/")
    }

    /// Whether its topics stand beside the other's: the same but for the last level, and for the same things.
    pub fn describes(&self, other: &Group<'_>) -> bool {
        let names = |group: &Group<'a>| group.words.get(group.thing).cloned().unwrap_or_default();
        let theirs = other.words.get(other.thing);
        self.words.len() == other.words.len()
            && self.thing == other.thing
            && self.words.first() == other.words.first()
            && theirs.is_some_and(|theirs| names(self).iter().any(|name| theirs.contains(name)))
    }
}
