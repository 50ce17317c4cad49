//! Topic filters that a person gives: which are never listened to, and what a filter lets through.

use std::collections::{HashMap, HashSet};

/// Checks a filter before anything is subscribed; the error is the sentence for the screen.
pub fn check(filter: &str) -> Result<(), String> {
    if filter.starts_with("$SYS") {
        return Err("$SYS is what a broker says of itself, which no profile reads; leave it out".into());
    }
    if filter.starts_with('$') && !filter.starts_with("$aws/") {
        return Err(format!("topics that begin with $ are the broker's own; leave {} out", short(filter)));
    }
    if !filter.is_empty() && filter.split('/').all(|level| matches!(level, "#" | "+" | "")) {
        let all = "is everything a broker has, which on a large one is a load for it and for you";
        return Err(format!("{} {all}; begin with a word, such as city/#", short(filter)));
    }
    Ok(())
}

/// Whether a filter lets a topic through (MQTT 5, 4.7).
pub fn lets_through(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && !filter.starts_with('$') {
        return false;
    }
    let (mut levels, mut words) = (filter.split('/'), topic.split('/'));
    loop {
        match (levels.next(), words.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(level), Some(word)) if level == word => {}
            // city/# lets city itself through.
            (Some(_), None) | (None, Some(_)) | (Some(_), Some(_)) => return false,
        }
    }
}

/// Many filters, asked whether one of them lets a topic through, without looking at each: as many may be learned as there are things.
#[derive(Debug, Default)]
pub struct Filters {
    exact: HashSet<String>,
    /// Those with wildcards, by what stands before the first one.
    wild: HashMap<String, Vec<String>>,
    /// The most levels of such a beginning.
    levels: usize,
}

impl Filters {
    /// Of these.
    pub fn of(filters: &[String]) -> Filters {
        let mut all = Filters::default();
        for filter in filters {
            match filter.find(['+', '#']) {
                None => _ = all.exact.insert(filter.clone()),
                Some(at) => {
                    let before = filter.get(..at).unwrap_or_default();
                    all.levels = all.levels.max(before.matches('/').count());
                    all.wild.entry(before.to_owned()).or_default().push(filter.clone());
                }
            }
        }
        all
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wild.is_empty()
    }

    /// As [`lets_through`].
    pub fn lets_through(&self, topic: &str) -> bool {
        let lets = |before: &str| {
            self.wild.get(before).is_some_and(|filters| filters.iter().any(|filter| lets_through(filter, topic)))
        };
        // What a filter such as city/# begins with is one slash longer than the topic city that it lets through.
        let itself = format!("{topic}/");
        let mut beginnings = itself.match_indices('/').take(self.levels);
        self.exact.contains(topic) || lets("") || beginnings.any(|(at, _)| itself.get(..=at).is_some_and(lets))
    }
}

fn short(filter: &str) -> String {
    let some: String = filter.chars().take(60).collect();
    if some.len() < filter.len() { format!("{some:?}…") } else { format!("{some:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_listens_to_everything_nor_to_the_brokers_own_words_by_mistake() {
        for (filter, says) in [
            ("#", "everything a broker has"),
            ("+/#", "everything a broker has"),
            ("+", "everything a broker has"),
            ("/#", "everything a broker has"),
            ("$SYS/#", "$SYS is what a broker says of itself"),
            ("$SYS", "$SYS"),
            ("$share/all/#", "the broker's own"),
        ] {
            assert!(check(filter).is_err_and(|why| why.contains(says)), "{filter}: {:?}", check(filter));
        }
        for fine in ["city/#", "+/5/+/$state", "homie/5/#", "$aws/things/+/shadow/#", "a"] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_filter_lets_through_what_the_standard_says() {
        for (filter, topic, through) in [
            ("city/#", "city/a/b", true),
            ("city/#", "city", true),
            ("city/#", "cities/a", false),
            ("+/a", "x/a", true),
            ("+/a", "x/y/a", false),
            ("a/+", "a/", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("a/b/+", "a/b/c", true),
            ("a/b/+", "a/c/b", false),
            ("a/b/#", "a/b", true),
            ("a/b/#", "a", false),
            ("#", "$SYS/broker", false),
            ("$aws/things/+/shadow", "$aws/things/x/shadow", true),
        ] {
            assert_eq!(lets_through(filter, topic), through, "{filter} {topic}");
            let many = ["w/#", "a/b/c/+/d", filter, "z"].map(str::to_owned);
            assert_eq!(Filters::of(&many).lets_through(topic), through, "{filter} {topic} among others");
        }
    }
}
