//! Which of our filters the broker has answered on this connection.

use std::collections::{HashMap, VecDeque};

use crate::session::{NotTaken, Requests};

/// Filters in one SUBSCRIBE. AWS IoT Core takes no more (service quotas, "Subscriptions per subscribe request").
const FILTERS_A_PACKET: usize = 8;

/// From the requests to the last SUBACK.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions<'a> {
    asked: VecDeque<&'a [(String, u8)]>,
    on_the_way: HashMap<u16, &'a [(String, u8)]>,
}

impl<'a> Subscriptions<'a> {
    /// Asks for everything. What a persistent session still knows is asked for again: that is allowed, replays the retained
    /// messages, and makes up for a session the broker has lost.
    pub fn ask(filters: &'a [(String, u8)], requests: &Requests) -> Result<Subscriptions<'a>, NotTaken> {
        let asked: VecDeque<_> = filters.chunks(FILTERS_A_PACKET).collect();
        for filters in &asked {
            requests.subscribe(filters)?;
        }
        Ok(Subscriptions { asked, on_the_way: HashMap::new() })
    }

    /// The next SUBSCRIBE went out under this packet id.
    pub fn sent(&mut self, packet_id: u16) {
        if let Some(filters) = self.asked.pop_front() {
            self.on_the_way.insert(packet_id, filters);
        }
    }

    /// One was answered: the refused filters with their reasons. An answer nobody waits for means nothing.
    pub fn answered(&mut self, packet_id: u16, refusals: Vec<Option<String>>) -> Vec<(String, String)> {
        let Some(filters) = self.on_the_way.remove(&packet_id) else { return Vec::new() };
        let refused = filters.iter().zip(refusals).filter_map(|((filter, _), why)| Some((filter.clone(), why?)));
        refused.collect()
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
        let mut subscriptions =
            Subscriptions { asked: filters.chunks(FILTERS_A_PACKET).collect(), on_the_way: HashMap::new() };
        assert_eq!(subscriptions.asked.len(), 2);
        subscriptions.sent(1);
        subscriptions.sent(2);
        let mut answers = vec![None; 8];
        answers[3] = Some("no".to_owned());
        assert_eq!(subscriptions.answered(9, vec![None]), [], "a stranger's answer");
        assert_eq!(subscriptions.answered(1, answers), [("f/3".to_owned(), "no".to_owned())]);
        assert!(!subscriptions.are_complete());
        subscriptions.answered(2, vec![None; 3]);
        assert!(subscriptions.are_complete());
    }

    #[test]
    fn nothing_to_ask_is_complete_at_once() {
        assert!(Subscriptions::default().are_complete());
    }
}
