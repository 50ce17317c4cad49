//! What answers requests (device shadows, jobs) as an ordinary MQTT client, so that it works on any broker that allows topics under
//! `$aws/`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fleetlens_link::{Event, Events, Link, LinkConfig, Protocol};
use fleetlens_wire::shadow::request_filters;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::complaints::Complaints;
use crate::jobs::Jobs;
use crate::outgoing::{LOOK_AGAIN, Message, Outgoing};
use crate::shadows::Shadows;
use crate::{BrokerAt, SimError};

/// Requests at QoS 0 cannot be held back; when so many answers wait, further ones are passed over.
const ANSWERS_WAITING_MAX: usize = 20_000;

/// How often it is looked at what is due.
const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// What it is asked about jobs on.
const JOB_FILTERS: [&str; 4] = [
    "$aws/things/+/jobs/get",
    "$aws/things/+/jobs/start-next",
    "$aws/things/+/jobs/+/get",
    "$aws/things/+/jobs/+/update",
];

/// The device-shadow service.
pub type ShadowService = Service<Shadows>;

/// The jobs service.
pub type JobService = Service<Jobs>;

/// Topics and payloads.
type Out = Vec<(String, Vec<u8>)>;

/// What a service knows, and what it answers.
pub trait Answers: Default + Send + 'static {
    /// What it is called in logs and client ids, in one word.
    const NAME: &'static str;

    /// What it is asked on.
    fn filters() -> Vec<String>;

    /// What is answered to a request at this time in epoch seconds.
    fn handle(&mut self, topic: &str, payload: &[u8], now_s: i64) -> Out;

    /// What is to be said without having been asked, so many milliseconds after the service began.
    fn due(&mut self, elapsed_ms: u64, now_s: i64) -> Out;
}

impl Answers for Shadows {
    const NAME: &'static str = "shadows";

    fn filters() -> Vec<String> {
        request_filters().to_vec()
    }

    fn handle(&mut self, topic: &str, payload: &[u8], now_s: i64) -> Out {
        Shadows::handle(self, topic, payload, now_s)
    }

    fn due(&mut self, _: u64, _: i64) -> Out {
        Vec::new()
    }
}

impl Answers for Jobs {
    const NAME: &'static str = "jobs";

    fn filters() -> Vec<String> {
        JOB_FILTERS.map(str::to_owned).to_vec()
    }

    fn handle(&mut self, topic: &str, payload: &[u8], now_s: i64) -> Out {
        Jobs::handle(self, topic, payload, now_s)
    }

    fn due(&mut self, elapsed_ms: u64, now_s: i64) -> Out {
        self.work(elapsed_ms, now_s)
    }
}

/// A running service. What it knows lives as long as it does, over lost connections and restarted brokers, and is kept in memory alone:
/// when it ends it is gone, unless whoever stops it takes it. Dropping it ends it without waiting.
#[derive(Debug)]
pub struct Service<A> {
    stop: DropGuard,
    up: watch::Receiver<bool>,
    answered: watch::Receiver<u64>,
    running: JoinHandle<A>,
}

impl<A: Answers> Service<A> {
    /// Starts it on a broker with what it knows; it connects by itself and stays connected.
    ///
    /// Fails on an address that can never work.
    pub fn start(at: &BrokerAt, known: A) -> Result<Self, SimError> {
        let config = LinkConfig {
            protocol: Protocol::V4, // whatever the broker, it speaks this
            clean_start: true,
            filters: A::filters().into_iter().map(|filter| (filter, 1)).collect(),
            credentials: at.credentials.clone(),
            // A made-up city has nothing to hide.
            clear_password: true,
            // Two services on one broker must not throw each other out; 23 bytes, which is all that a broker must take.
            ..LinkConfig::new(at.url.as_str(), format!("fl-sim-{:08x}-{}", rand::random::<u32>(), A::NAME))
        };
        let (link, events) = Link::start(config)?;
        let stop = CancellationToken::new();
        let (is_up, up) = watch::channel(false);
        let (count, answered) = watch::channel(0);
        let (outgoing, complaints) = (Outgoing::new(link), Complaints::default());
        let running = Running { known, outgoing, complaints, is_up, answered: count, began: Instant::now() };
        let running = tokio::spawn(running.run(events, stop.clone()));
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

    /// Says goodbye to the broker; gives what it knows.
    pub async fn stop(self) -> A {
        drop(self.stop);
        self.running.await.unwrap_or_default()
    }
}

struct Running<A> {
    known: A,
    outgoing: Outgoing,
    complaints: Complaints,
    is_up: watch::Sender<bool>,
    answered: watch::Sender<u64>,
    began: Instant,
}

impl<A: Answers> Running<A> {
    async fn run(mut self, mut events: Events, stop: CancellationToken) -> A {
        let mut looks = tokio::time::interval(LOOKS_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                event = events.recv() => match event {
                    Some(event) => self.hear(event),
                    None => break,
                },
                _ = looks.tick(), if *self.is_up.borrow() => {
                    let elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    let due = self.known.due(elapsed_ms, now_s());
                    self.publish(due);
                }
                () = tokio::time::sleep(LOOK_AGAIN), if self.outgoing.len() > 0 => {}
            }
            let answers = self.outgoing.flush();
            self.answered.send_modify(|answered| *answered += answers);
        }
        self.outgoing.stop().await;
        self.known
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Up { .. } => _ = self.is_up.send_replace(true),
            Event::Down { reason } => {
                tracing::warn!(reason, service = A::NAME, "a service lost its broker");
                self.outgoing.clear();
                self.is_up.send_replace(false);
            }
            Event::Connecting { reason: Some(reason) } => {
                self.complaints.say(&format!("the service of {}", A::NAME), &reason);
            }
            Event::Connecting { reason: None } | Event::Acknowledged { .. } => {}
            Event::Shed { topics } => tracing::warn!(?topics, service = A::NAME, "requests were shed"),
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
                    let answers = self.known.handle(&request.topic, &request.payload, now_s());
                    self.publish(answers);
                }
                if let Some(delivery) = request.delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
        }
    }

    fn publish(&mut self, messages: Out) {
        for (topic, payload) in messages {
            self.outgoing.publish(Message { topic, payload, retain: false });
        }
    }
}

/// The service's clock, in epoch seconds.
fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
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
