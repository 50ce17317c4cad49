//! The device-shadow service as an ordinary MQTT client, so that it works on any broker that allows topics under `$aws/`.

use std::time::{SystemTime, UNIX_EPOCH};

use fleetlens_link::{Event, Events, Link, LinkConfig, Protocol};
use fleetlens_wire::shadow::request_filters;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::complaints::Complaints;
use crate::outgoing::{LOOK_AGAIN, Message, Outgoing};
use crate::shadows::Shadows;
use crate::{BrokerAt, SimError};

/// Requests at QoS 0 cannot be held back; when so many answers wait, further ones are passed over.
const ANSWERS_WAITING_MAX: usize = 20_000;

/// A running shadow service. Its shadows live as long as it does, over lost connections and restarted brokers, and are kept in
/// memory alone: when it ends they are gone, unless whoever stops it takes them. Dropping it ends it without waiting.
#[derive(Debug)]
pub struct ShadowService {
    stop: DropGuard,
    up: watch::Receiver<bool>,
    answered: watch::Receiver<u64>,
    running: JoinHandle<Shadows>,
}

impl ShadowService {
    /// Starts it on a broker, with these shadows; it connects by itself and stays connected.
    ///
    /// Fails on an address that can never work.
    pub fn start(at: &BrokerAt, shadows: Shadows) -> Result<Self, SimError> {
        let config = LinkConfig {
            protocol: Protocol::V4, // whatever the broker, it speaks this
            clean_start: true,
            filters: request_filters().map(|filter| (filter, 1)).to_vec(),
            credentials: at.credentials.clone(),
            // A made-up city has nothing to hide.
            clear_password: true,
            // Two services on one broker must not throw each other out; 23 bytes, which is all that a broker must take.
            ..LinkConfig::new(at.url.as_str(), format!("fl-sim-{:08x}-shadows", rand::random::<u32>()))
        };
        let (link, events) = Link::start(config)?;
        let stop = CancellationToken::new();
        let (is_up, up) = watch::channel(false);
        let (count, answered) = watch::channel(0);
        let complaints = Complaints::default();
        let service = Service { shadows, outgoing: Outgoing::new(link), complaints, is_up, answered: count };
        let running = tokio::spawn(service.run(events, stop.clone()));
        Ok(Self { stop: stop.drop_guard(), up, answered, running })
    }

    /// Waits until it is connected and subscribed. Never returns while there is no broker: bound it with a time-out.
    pub async fn ready(&mut self) {
        // An error means that the service has ended; then there is nothing to wait for.
        _ = self.up.wait_for(|up| *up).await;
    }

    /// Messages it has answered with since it began.
    pub fn answered(&self) -> u64 {
        *self.answered.borrow()
    }

    /// Says goodbye to the broker; gives the shadows as they are.
    pub async fn stop(self) -> Shadows {
        drop(self.stop);
        self.running.await.unwrap_or_default()
    }
}

struct Service {
    shadows: Shadows,
    outgoing: Outgoing,
    complaints: Complaints,
    is_up: watch::Sender<bool>,
    answered: watch::Sender<u64>,
}

impl Service {
    async fn run(mut self, mut events: Events, stop: CancellationToken) -> Shadows {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                event = events.recv() => match event {
                    Some(event) => self.hear(event),
                    None => break,
                },
                () = tokio::time::sleep(LOOK_AGAIN), if self.outgoing.len() > 0 => {}
            }
            let answers = self.outgoing.flush();
            self.answered.send_modify(|answered| *answered += answers);
        }
        self.outgoing.stop().await;
        self.shadows
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Up { .. } => _ = self.is_up.send_replace(true),
            Event::Down { reason } => {
                tracing::warn!(reason, "the shadow service lost its broker");
                self.outgoing.clear();
                self.is_up.send_replace(false);
            }
            Event::Connecting { reason: Some(reason) } => _ = self.complaints.say("the shadow service", &reason),
            Event::Connecting { reason: None } | Event::Acknowledged { .. } => {}
            Event::Shed { topics } => tracing::warn!(?topics, "shadow requests were shed"),
            Event::Refused { topic, reason, delivery } => {
                tracing::warn!(topic, reason, "refused");
                if let Some(delivery) = delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
            Event::Received(request) => {
                let too_many = request.delivery.is_none() && self.outgoing.len() >= ANSWERS_WAITING_MAX;
                // A retained request is an old one that the broker plays to everybody who subscribes: not asked of us now.
                if !request.retained && !too_many {
                    for (topic, payload) in self.shadows.handle(&request.topic, &request.payload, now_s()) {
                        self.outgoing.publish(Message { topic, payload, retain: false });
                    }
                }
                if let Some(delivery) = request.delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
        }
    }
}

/// The service's clock, in epoch seconds.
fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_dropped_service_ends() {
        // The discard port: nothing listens there.
        let nowhere = BrokerAt { url: "mqtt://127.0.0.1:9".into(), credentials: None };
        let service = ShadowService::start(&nowhere, Shadows::default()).unwrap();
        let mut up = service.up.clone();
        drop(service);
        let ended = async { while up.changed().await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("its end");
    }
}
