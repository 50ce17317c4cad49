//! A profile proposed from a sample of what a broker says: which topics are of the same make, where in them the thing's name
//! stands, and how their payloads are read. Pure; who listens to the broker is the caller.
//!
//! A proposal is a guess, so it is never more than text that a person reads: it is tried on the very sample it was made of, and
//! what it would read, and what it could not, stands beside it.

mod budget;
mod conventions;
mod head;
mod payload;
mod sample;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use fleetlens_engine::wire::telemetry::decode_at;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_model::text::{is_hidden, shown};
use fleetlens_model::time::WallMs;

use crate::profile::Profile;
pub use budget::Budget;
use conventions::Spoken;
pub use head::head;
use payload::Looks;
pub use sample::{Sample, Seen};
use topics::{Group, Topic};

/// The most proposals.
const PROPOSALS_MAX: usize = 24;

/// The most messages by which the look of a group is judged; the rule is then tried on all of them.
const LOOKS_MAX: usize = 2_000;

/// The deepest topics that are looked at; a template of so many levels is nobody's.
const LEVELS_MAX: usize = 64;

/// Values and names that stand beside a proposal as examples.
const EXAMPLES: usize = 6;

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

/// One `[[telemetry]]` or `[[convention]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its lines in the profile.
    pub text: String,
    /// Its template as a screen may have it, or `convention` and which.
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

impl Unread {
    /// As a screen may have it.
    fn of(topic: &str, topics: usize, why: &str) -> Unread {
        Unread { topic: shown(topic).into_owned(), topics, why: shown(why).into_owned() }
    }
}

impl Draft {
    /// Looks for rules in a sample that was heard until `now`. What the budget does not reach is told among what is not read.
    pub fn of(sample: &Sample, now: WallMs, budget: &mut Budget) -> Draft {
        let spoken = Spoken::of(sample, now, budget);
        let unread = spoken.unread.iter().map(|(topic, why)| Unread::of(topic, 1, why));
        let mut draft =
            Draft { proposals: spoken.proposals.clone(), unread: unread.collect(), shadows: sample.shadows() };
        let (topics, deep): (Vec<&str>, Vec<&str>) = sample
            .names()
            .filter(|topic| !spoken.reads(topic))
            .partition(|topic| topic.split('/').nth(LEVELS_MAX).is_none());
        let groups = topics::groups(topics.into_iter());
        let (described, groups): (Vec<Group<'_>>, Vec<Group<'_>>) =
            groups.into_iter().partition(|group| !budget.is_over() && payload::is_description(sample, group));
        let mut late = Late::default();
        for group in &groups {
            if budget.is_over() {
                late.add(group, 0);
                continue;
            }
            match propose(sample, group, &described, now, budget) {
                Ok((proposal, tried)) => {
                    draft.proposals.push(proposal);
                    late.add(group, tried);
                }
                Err(why) => {
                    let topic = group.topics.first().map(Topic::text).unwrap_or_default();
                    draft.unread.push(Unread::of(topic, group.topics.len(), &why));
                }
            }
        }
        draft.unread.extend(late.told());
        if let Some(topic) = deep.first() {
            let why = format!("topics of more than {LEVELS_MAX} levels");
            draft.unread.push(Unread::of(topic, deep.len(), &why));
        }
        draft.proposals.sort_by(|a, b| b.topics.cmp(&a.topics).then_with(|| a.template.cmp(&b.template)));
        draft.proposals.truncate(PROPOSALS_MAX);
        draft
    }

    /// Whether a profile of it would read nothing.
    pub fn is_empty(&self) -> bool {
        self.proposals.is_empty() && !self.shadows
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

/// Why nothing is known of topics that the budget did not reach.
const LATE: &str = "not looked at: so much was heard that there was no time; listen to fewer topics";

/// Topics that the budget did not reach.
#[derive(Default)]
struct Late {
    first: String,
    topics: usize,
}

impl Late {
    /// All of a group but so many.
    fn add(&mut self, group: &Group<'_>, but: usize) {
        let Some(topic) = group.topics.get(but) else { return };
        if self.topics == 0 {
            topic.text().clone_into(&mut self.first);
        }
        self.topics += group.topics.len() - but;
    }

    fn told(self) -> Option<Unread> {
        (self.topics > 0).then(|| Unread::of(&self.first, self.topics, LATE))
    }
}

/// The rule for a group, tried on its messages; and on how many of its topics.
fn propose(
    sample: &Sample,
    group: &Group<'_>,
    described: &[Group<'_>],
    now: WallMs,
    budget: &mut Budget,
) -> Result<(Proposal, usize), String> {
    let payloads = || group.topics.iter().flat_map(|topic| sample.payloads(topic.text()));
    let looks = Looks::of(payloads().take(LOOKS_MAX))?;
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
    let mut tried = group.topics.len();
    'topics: for (at, topic) in group.topics.iter().enumerate() {
        let Some(place) = rule.template.find(topic.text()) else { continue };
        for payload in sample.payloads(topic.text()) {
            if !budget.take() {
                tried = at;
                break 'topics;
            }
            match decode_at(payload, &rule.reading, &place, now) {
                Ok(said) => {
                    read += 1;
                    for one in said {
                        things.insert(one.thing.unwrap_or_else(|| place.thing.to_string()));
                        values.extend(one.values.iter().map(|(pointer, value)| example(pointer, value)));
                    }
                }
                Err(error) => {
                    let (count, _) = refused.get_or_insert_with(|| (0, error.to_string()));
                    *count += 1;
                }
            }
        }
    }
    if read == 0 && refused.is_none() && tried < group.topics.len() {
        return Err(LATE.to_owned());
    }
    if read == 0 {
        return Err(refused.map_or_else(|| "nothing of it can be read".to_owned(), |(_, why)| why));
    }
    let proposal = Proposal {
        text,
        template: shown(&template).into_owned(),
        topics: group.topics.len(),
        read,
        refused,
        things: things.into_iter().take(EXAMPLES).collect(),
        values: values.into_iter().take(EXAMPLES).collect(),
    };
    Ok((proposal, tried))
}

/// A value by its pointer, as a screen may have them.
fn example(pointer: &str, value: &Value) -> (String, String) {
    let words = match value {
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => shown(text).chars().take(40).collect(),
    };
    (shown(pointer).into_owned(), words)
}

/// A text as TOML writes it; with its hidden characters written out, so that whoever reads the profile sees them.
fn quoted(text: &str) -> String {
    if !text.contains(is_hidden) {
        return toml::Value::from(text).to_string();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_hidden(c) => _ = write!(quoted, "\\U{:08X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The kind that all these words mean, if they mean one and the same.
fn kind_of<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Kind> {
    let first = words.next().map(Kind::from_word).filter(|kind| *kind != Kind::Other)?;
    words.all(|word| Kind::from_word(word) == first).then_some(first)
}

#[cfg(test)]
mod tests;
