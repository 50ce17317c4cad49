//! Counts for the summaries of `collect`, `record` and `replay`: what was refused and why, and what stood on which topics.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use serde::{Serialize, Serializer};

/// So many different topics and reasons, or beginnings of topics, are told apart; what else comes is counted together.
const TOLD_APART: usize = 1_000;

/// What stands for all topics that were not told apart.
const OTHERS: &str = "…";

/// How many levels of a topic say where a message belongs.
const LEVELS: usize = 2;

/// Prints a summary: on one line for a program, else as a person reads it. Both are JSON.
pub fn print(summary: &impl Serialize, on_one_line: bool) -> serde_json::Result<()> {
    let text = if on_one_line { serde_json::to_string(summary) } else { serde_json::to_string_pretty(summary) }?;
    // Nobody reading it any more is no failure.
    _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// What was refused.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// All of it.
    pub total: u64,
    /// The most frequent first; those of 1 000 topics and reasons.
    pub by_reason: Vec<Reason>,
}

/// Why something was refused, and how often.
#[derive(Debug, Serialize)]
pub struct Reason {
    /// In a sentence.
    pub reason: String,
    /// The topic, or the filter; empty where there is none.
    pub topic: String,
    /// How often.
    pub count: u64,
}

impl Refused {
    /// The most frequent first.
    pub fn of(total: u64, mut by_reason: Vec<Reason>) -> Refused {
        by_reason.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.reason, &a.topic).cmp(&(&b.reason, &b.topic))));
        Refused { total, by_reason }
    }
}

/// Refusals while they are counted.
#[derive(Debug, Default)]
pub struct Refusals {
    total: u64,
    by_reason: HashMap<(String, String), u64>,
}

impl Refusals {
    /// One more; whether it is the first of its kind.
    pub fn add(&mut self, topic: String, reason: String) -> bool {
        self.total += 1;
        let of = (topic, reason);
        if self.by_reason.len() >= TOLD_APART && !self.by_reason.contains_key(&of) {
            return false;
        }
        let count = self.by_reason.entry(of).or_default();
        *count += 1;
        *count == 1
    }

    /// For the summary.
    pub fn told(self) -> Refused {
        let told = |((topic, reason), count)| Reason { reason, topic, count };
        Refused::of(self.total, self.by_reason.into_iter().map(told).collect())
    }
}

/// Messages by the first levels of their topics.
#[derive(Debug, Default)]
pub struct ByTopic {
    counts: BTreeMap<String, u64>,
    others: u64,
}

impl ByTopic {
    /// One more.
    pub fn add(&mut self, topic: &str) {
        let end = topic.match_indices('/').nth(LEVELS - 1).map_or(topic.len(), |(at, _)| at);
        let prefix = topic.get(..end).unwrap_or(topic);
        if let Some(count) = self.counts.get_mut(prefix) {
            *count += 1;
        } else if self.counts.len() < TOLD_APART {
            self.counts.insert(prefix.to_owned(), 1);
        } else {
            self.others += 1;
        }
    }
}

impl Serialize for ByTopic {
    /// An object of counts by the beginnings of topics, the most frequent first.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut told: Vec<(&str, u64)> = self.counts.iter().map(|(prefix, count)| (prefix.as_str(), *count)).collect();
        told.sort_by_key(|(_, count)| Reverse(*count));
        told.extend((self.others > 0).then_some((OTHERS, self.others)));
        to.collect_map(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_by_where_they_belong_and_never_without_end() {
        let mut counted = ByTopic::default();
        for topic in ["city/a/lamp/1", "city/b", "city/a", "/hfp/v2/x", "one", ""] {
            counted.add(topic);
        }
        (0..TOLD_APART).for_each(|n| counted.add(&format!("t/{n}/x")));
        let told = serde_json::to_string(&counted).unwrap();
        let begins = r#"{"city/a":2,"":1,"/hfp":1,"city/b":1,"one":1,"t/0":1,"#;
        assert!(told.starts_with(begins) && told.ends_with(r#","t/994":1,"…":5}"#), "{told}");
    }

    #[test]
    fn refusals_are_told_apart_so_far_and_all_counted() {
        let mut refusals = Refusals::default();
        assert!(refusals.add("a".into(), "no".into()));
        assert!(!refusals.add("a".into(), "no".into()));
        (0..TOLD_APART).for_each(|n| _ = refusals.add(n.to_string(), "no".into()));
        let told = refusals.told();
        assert_eq!((told.total, told.by_reason.len(), told.by_reason[0].count), (1_002, 1_000, 2));
    }
}
