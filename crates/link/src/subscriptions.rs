//! Which of our filters the broker has answered on this connection.

use std::collections::{HashMap, VecDeque};

use crate::session::{NotTaken, Requests};
use crate::shared::Shared;

/// Filters in one SUBSCRIBE. AWS IoT Core takes no more (service quotas, "Subscriptions per subscribe request").
const FILTERS_A_PACKET: usize = 8;

/// SUBSCRIBE packets without an answer that those for later filters may make: messages go on meanwhile.
pub(crate) const LATER_UNANSWERED: usize = 4;

/// From the requests to the last SUBACK.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    asked: VecDeque<Vec<(String, u8)>>,
    on_the_way: HashMap<u16, Vec<(String, u8)>>,
    lowest: Option<u8>,
    /// How many of the later filters were asked for on this connection.
    later: usize,
}

impl Subscriptions {
    /// Asks for everything. What a persistent session still knows is asked for again: that is allowed, replays the retained
    /// messages, and makes up for a session the broker has lost.
    pub fn ask(filters: &[(String, u8)], requests: &Requests) -> Result<Subscriptions, NotTaken> {
        let asked: VecDeque<_> = filters.chunks(FILTERS_A_PACKET).map(<[_]>::to_vec).collect();
        for filters in &asked {
            requests.subscribe(filters)?;
        }
        Ok(Subscriptions { asked, ..Subscriptions::default() })
    }

    /// Asks for those of the later filters that this connection was not asked for, a few packets at a time. What the library does
    /// not take now is asked for at its next step.
    pub fn ask_later(&mut self, shared: &Shared, requests: &Requests) {
        while self.asked.len() + self.on_the_way.len() < LATER_UNANSWERED {
            let filters: Vec<(String, u8)> = shared.later(self.later, FILTERS_A_PACKET);
            if filters.is_empty() || requests.subscribe(&filters).is_err() {
                return;
            }
            self.later += filters.len();
            self.asked.push_back(filters);
        }
    }

    /// The next SUBSCRIBE went out under this packet id.
    pub fn sent(&mut self, packet_id: u16) {
        if let Some(filters) = self.asked.pop_front() {
            self.on_the_way.insert(packet_id, filters);
        }
    }

    /// One was answered: the filters that were refused, or granted with less than was asked for (MQTT 3.1.1, 3.9.3 allows it),
    /// with the reasons. An answer nobody waits for means nothing.
    pub fn answered(&mut self, packet_id: u16, answers: Vec<Result<u8, String>>) -> Vec<(String, String)> {
        let Some(filters) = self.on_the_way.remove(&packet_id) else { return Vec::new() };
        self.lowest = answers.iter().filter_map(|answer| answer.as_ref().ok().copied()).chain(self.lowest).min();
        let wanting = filters.into_iter().zip(answers).filter_map(|((filter, asked), answer)| {
            let why = match answer {
                Ok(granted) if granted >= asked => return None,
                Ok(granted) => format!(
                    "the broker grants QoS {granted} only where QoS {asked} is asked for: its messages come without a guarantee"
                ),
                Err(why) => why,
            };
            Some((filter, why))
        });
        wanting.collect()
    }

    /// The lowest QoS that was granted, so far; 0 while none was.
    pub fn granted(&self) -> u8 {
        self.lowest.unwrap_or(0)
    }

    /// Whether every filter has its answer.
    pub fn are_complete(&self) -> bool {
        self.asked.is_empty() && self.on_the_way.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_complete_only_when_the_last_packet_is_answered() {
        let filters: Vec<(String, u8)> = (0..11).map(|n| (format!("f/{n}"), 1)).collect();
        let mut subscriptions = Subscriptions {
            asked: filters.chunks(FILTERS_A_PACKET).map(<[_]>::to_vec).collect(),
            ..Subscriptions::default()
        };
        assert_eq!(subscriptions.asked.len(), 2);
        subscriptions.sent(1);
        subscriptions.sent(2);
        let mut answers = vec![Ok(1); 8];
        answers[3] = Err("no".to_owned());
        assert_eq!(subscriptions.answered(9, vec![Ok(1)]), [], "a stranger's answer");
        assert_eq!(subscriptions.answered(1, answers), [("f/3".to_owned(), "no".to_owned())]);
        assert!(!subscriptions.are_complete());
        subscriptions.answered(2, vec![Ok(1); 3]);
        assert!(subscriptions.are_complete());
    }

    #[test]
    fn less_than_was_asked_for_is_told_and_more_is_not() {
        let filters = [("firm".to_owned(), 1), ("loose".to_owned(), 0), ("weak".to_owned(), 1)];
        let mut subscriptions = Subscriptions { asked: VecDeque::from([filters.to_vec()]), ..Subscriptions::default() };
        subscriptions.sent(1);
        let wanting = subscriptions.answered(1, vec![Ok(1), Ok(1), Ok(0)]);
        assert_eq!(wanting.len(), 1, "{wanting:?}");
        assert_eq!(wanting[0].0, "weak");
        assert!(wanting[0].1.starts_with("the broker grants QoS 0 only"), "{wanting:?}");
        assert!(subscriptions.are_complete());
    }

    #[test]
    fn nothing_to_ask_is_complete_at_once() {
        assert!(Subscriptions::default().are_complete());
    }
}
