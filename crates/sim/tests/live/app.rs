//! An app at the broker: publishes, and waits for what it wants to see.

use std::time::Duration;

use fleetlens_link::{Event, Events, Link, LinkConfig, Message, Protocol};

/// Longer than anything here takes, on a machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct App {
    link: Link,
    events: Events,
}

impl App {
    /// Connects and waits until it is subscribed.
    pub async fn connect(url: &str, config: impl FnOnce(&mut LinkConfig)) -> Self {
        let mut settings = LinkConfig { clean_start: true, ..LinkConfig::new(url, "app") };
        config(&mut settings);
        let (link, events) = Link::start(settings).unwrap();
        let mut app = Self { link, events };
        app.until("connected", |event| matches!(event, Event::Up { .. })).await;
        app
    }

    pub fn publish(&self, topic: &str, payload: &str, retain: bool) {
        self.link.try_publish(topic.into(), payload.into(), 1, retain).unwrap();
    }

    /// The first event that is wanted; all before it are passed over, and every message is acknowledged.
    pub async fn until(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        let found = async {
            loop {
                let event = self.events.recv().await.expect("the link lives");
                if let Event::Received(Message { delivery: Some(delivery), .. }) = event {
                    self.link.acknowledge(delivery);
                }
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
    }

    /// The first message on a topic that ends so.
    pub async fn message(&mut self, topic_end: &str) -> Message {
        let event = self.until(topic_end, |event| matches!(event, Event::Received(m) if m.topic.ends_with(topic_end)));
        let Event::Received(message) = event.await else { unreachable!("only messages are wanted") };
        message
    }

    pub async fn stop(self) {
        self.link.stop().await;
    }
}

pub const BOTH: [Protocol; 2] = [Protocol::V4, Protocol::V5];
