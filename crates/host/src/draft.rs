//! A profile proposed from a sample of what a broker says: which topics are of the same make, where in them the thing's name
//! stands, and how their payloads are read. Pure; who listens to the broker is the caller.
//!
//! A proposal is a guess, so it is never more than text that a person reads: it is tried on the very sample it was made of, and
//! what it would read, and what it could not, stands beside it.

mod payload;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use fleetlens_engine::wire::telemetry::decode_at;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;

use crate::profile::Profile;
use payload::Looks;
use topics::{Group, Topic};

/// The most messages of one topic that are looked at; more say nothing new.
const A_TOPIC: usize = 20;

/// The most topics that are looked at.
const TOPICS_MAX: usize = 20_000;

/// The most proposals.
const PROPOSALS_MAX: usize = 24;

/// Values and names that stand beside a proposal as examples.
const EXAMPLES: usize = 6;

/// Where AWS-style shadows are.
const SHADOWS: &str = "$aws/things/";

/// A sample of what a broker says, bounded whatever it says.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    topics: BTreeMap<String, Vec<Vec<u8>>>,
    messages: u64,
    shadows: bool,
}

impl Sample {
    /// Takes a message in.
    pub fn hear(&mut self, topic: &str, payload: &[u8]) {
        self.messages += 1;
        if topic.starts_with(SHADOWS) {
            self.shadows = true;
        } else if !topic.starts_with('$') && (self.topics.contains_key(topic) || self.topics.len() < TOPICS_MAX) {
            let heard = self.topics.entry(topic.to_owned()).or_default();
            if heard.len() < A_TOPIC {
                heard.push(payload.to_vec());
            }
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
}

/// A proposed profile, without its broker.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What was recognised, the most topics first.
    pub proposals: Vec<Proposal>,
    /// What was not, with the reason.
    pub unread: Vec<Unread>,
    /// Whether somebody speaks of device shadows.
    pub shadows: bool,
}

/// One `[[telemetry]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its lines in the profile.
    pub text: String,
    /// Its template.
    pub template: String,
    /// How many topics of the sample it is for.
    pub topics: usize,
    /// How many messages of the sample it reads.
    pub read: u64,
    /// How many it does not, with the first reason.
    pub refused: Option<(u64, String)>,
    /// Names of things it finds, a few.
    pub things: Vec<String>,
    /// Values it finds, by their pointers, a few.
    pub values: Vec<(String, String)>,
}

/// Topics nothing is proposed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// One of them.
    pub topic: String,
    /// How many there are.
    pub topics: usize,
    /// Why.
    pub why: String,
}

impl Draft {
    /// Looks for rules in a sample that was heard until `now`.
    pub fn of(sample: &Sample, now: WallMs) -> Draft {
        let mut draft = Draft { proposals: Vec::new(), unread: Vec::new(), shadows: sample.shadows };
        let groups = topics::groups(sample.topics.keys().map(String::as_str));
        let (described, groups): (Vec<Group<'_>>, Vec<Group<'_>>) =
            groups.into_iter().partition(|group| payload::is_description(sample, group));
        for group in &groups {
            match propose(sample, group, &described, now) {
                Ok(proposal) => draft.proposals.push(proposal),
                Err(why) => {
                    let topic = group.topics.first().map(Topic::text).unwrap_or_default().to_owned();
                    draft.unread.push(Unread { topic, topics: group.topics.len(), why });
                }
            }
        }
        draft.proposals.sort_by(|a, b| b.topics.cmp(&a.topics).then_with(|| a.template.cmp(&b.template)));
        draft.proposals.truncate(PROPOSALS_MAX);
        draft
    }

    /// The lines below `[broker]`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for proposal in &self.proposals {
            _ = writeln!(text, "{}", proposal.text);
        }
        if self.shadows {
            text += "[shadows]\nenabled = true\n";
        }
        text
    }
}

/// The rule for a group, tried on its messages.
fn propose(sample: &Sample, group: &Group<'_>, described: &[Group<'_>], now: WallMs) -> Result<Proposal, String> {
    let payloads = || group.topics.iter().filter_map(|topic| sample.topics.get(topic.text())).flatten();
    let looks = Looks::of(payloads().map(Vec::as_slice))?;
    let template = group.template(!looks.names_thing());
    let mut text = format!("[[telemetry]]\ntemplate = {}\n", quoted(&template));
    if let Some(kind) = group.kind() {
        _ = writeln!(text, "kind = {}", quoted(kind.word()));
    }
    text += &looks.text();
    if let Some(meta) = described.iter().find(|other| other.describes(group)) {
        _ = writeln!(text, "meta = {}", quoted(&meta.template(true)));
    }
    // The profile's own reader is the judge of what was written here.
    let whole = format!("name = \"draft\"\n[broker]\nurl = \"mqtt://draft\"\n{text}");
    let profile = Profile::parse(&whole, "the draft").map_err(|error| error.to_string())?;
    let Some(rule) = profile.telemetry.first() else { return Err("nothing was proposed".to_owned()) };
    let (mut things, mut values) = (BTreeSet::new(), BTreeMap::new());
    let (mut read, mut refused): (u64, Option<(u64, String)>) = (0, None);
    for topic in &group.topics {
        let Some(place) = rule.template.find(topic.text()) else { continue };
        for payload in sample.topics.get(topic.text()).into_iter().flatten() {
            match decode_at(payload, &rule.reading, &place, now) {
                Ok(said) => {
                    read += 1;
                    for one in said {
                        things.insert(one.thing.unwrap_or_else(|| place.thing.to_string()));
                        values.extend(one.values.into_iter().map(|(pointer, value)| (pointer, words(&value))));
                    }
                }
                Err(error) => {
                    let (count, _) = refused.get_or_insert_with(|| (0, error.to_string()));
                    *count += 1;
                }
            }
        }
    }
    if read == 0 {
        return Err(refused.map_or_else(|| "nothing of it can be read".to_owned(), |(_, why)| why));
    }
    Ok(Proposal {
        text,
        template,
        topics: group.topics.len(),
        read,
        refused,
        things: things.into_iter().take(EXAMPLES).collect(),
        values: values.into_iter().take(EXAMPLES).collect(),
    })
}

fn words(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => text.chars().take(40).collect(),
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The kind that all these words mean, if they mean one and the same.
fn kind_of<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Kind> {
    let first = words.next().map(Kind::from_word).filter(|kind| *kind != Kind::Other)?;
    words.all(|word| Kind::from_word(word) == first).then_some(first)
}

#[cfg(test)]
mod tests;
