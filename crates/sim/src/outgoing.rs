//! What waits to be published, in order, in front of a link that takes only so much at a time.

use std::collections::VecDeque;
use std::time::Duration;

use fleetlens_link::{Link, NotSent};

/// A message on its way out, at QoS 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for those who come later.
    pub retain: bool,
}

/// While something waits for room, look again this often.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(2);

enum Step {
    Publish(Message),
    /// Acknowledges a message once everything queued before it was handed over.
    Acknowledge(u64),
}

/// A queue in front of a [`Link`].
pub(crate) struct Outgoing {
    link: Link,
    waiting: VecDeque<Step>,
}

impl Outgoing {
    pub fn new(link: Link) -> Self {
        Self { link, waiting: VecDeque::new() }
    }

    /// How many messages and acknowledgements wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn publish(&mut self, message: Message) {
        self.waiting.push_back(Step::Publish(message));
    }

    pub fn acknowledge(&mut self, delivery: u64) {
        self.waiting.push_back(Step::Acknowledge(delivery));
    }

    /// The connection is gone, and with it everything that waited for it.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Hands over as much as the link takes; gives how many messages that were.
    pub fn flush(&mut self) -> u64 {
        let mut handed_over = 0;
        while let Some(step) = self.waiting.front() {
            match step {
                Step::Acknowledge(delivery) => self.link.acknowledge(*delivery),
                Step::Publish(message) => {
                    match self.link.try_publish(message.topic.clone(), message.payload.clone(), 1, message.retain) {
                        Ok(()) => handed_over += 1,
                        Err(NotSent::Full { .. }) => break,
                        Err(NotSent::Down) => {
                            self.clear(); // the link's word about it is on its way
                            break;
                        }
                        Err(error @ (NotSent::TooLarge { .. } | NotSent::Topic(_) | NotSent::Qos(_))) => {
                            tracing::warn!(topic = message.topic, %error, "not published");
                        }
                    }
                }
            }
            self.waiting.pop_front();
        }
        handed_over
    }

    /// Says goodbye to the broker.
    pub async fn stop(self) {
        self.link.stop().await;
    }
}
