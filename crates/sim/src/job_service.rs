//! The jobs service as an ordinary MQTT client beside the shadow service.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fleetlens_link::{Event, Events, Link, LinkConfig, Protocol};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::complaints::Complaints;
use crate::jobs::Jobs;
use crate::outgoing::{LOOK_AGAIN, Message, Outgoing};
use crate::{BrokerAt, SimError};

/// What it is asked on.
const FILTERS: [&str; 4] = [
    "$aws/things/+/jobs/get",
    "$aws/things/+/jobs/start-next",
    "$aws/things/+/jobs/+/get",
    "$aws/things/+/jobs/+/update",
];

/// How often it is looked at what is due.
const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// Requests at QoS 0 cannot be held back; when so many answers wait, further ones are passed over.
const ANSWERS_WAITING_MAX: usize = 20_000;

/// A running jobs service. Its jobs live as long as it does, and are kept in memory alone. Dropping it ends it without waiting.
#[derive(Debug)]
pub struct JobService {
    stop: DropGuard,
    up: watch::Receiver<bool>,
    running: JoinHandle<Jobs>,
}

impl JobService {
    /// Starts it on a broker, with these jobs; it connects by itself and stays connected.
    ///
    /// Fails on an address that can never work.
    pub fn start(at: &BrokerAt, jobs: Jobs) -> Result<Self, SimError> {
        let config = LinkConfig {
            protocol: Protocol::V4, // whatever the broker, it speaks this
            clean_start: true,
            filters: FILTERS.map(|filter| (filter.to_owned(), 1)).to_vec(),
            credentials: at.credentials.clone(),
            // A made-up city has nothing to hide.
            clear_password: true,
            ..LinkConfig::new(at.url.as_str(), format!("fl-sim-{:08x}-jobs", rand::random::<u32>()))
        };
        let (link, events) = Link::start(config)?;
        let stop = CancellationToken::new();
        let (is_up, up) = watch::channel(false);
        let (outgoing, complaints) = (Outgoing::new(link), Complaints::default());
        let service = Service { jobs, outgoing, complaints, is_up, began: Instant::now() };
        let running = tokio::spawn(service.run(events, stop.clone()));
        Ok(Self { stop: stop.drop_guard(), up, running })
    }

    /// Waits until it is connected and subscribed. Never returns while there is no broker: bound it with a time-out.
    pub async fn ready(&mut self) {
        // An error means that the service has ended; then there is nothing to wait for.
        _ = self.up.wait_for(|up| *up).await;
    }

    /// Says goodbye to the broker; gives the jobs as they are.
    pub async fn stop(self) -> Jobs {
        drop(self.stop);
        self.running.await.unwrap_or_default()
    }
}

struct Service {
    jobs: Jobs,
    outgoing: Outgoing,
    complaints: Complaints,
    is_up: watch::Sender<bool>,
    began: Instant,
}

impl Service {
    async fn run(mut self, mut events: Events, stop: CancellationToken) -> Jobs {
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
                    let due = self.jobs.work(elapsed_ms, now_s());
                    self.publish(due);
                }
                () = tokio::time::sleep(LOOK_AGAIN), if self.outgoing.len() > 0 => {}
            }
            self.outgoing.flush();
        }
        self.outgoing.stop().await;
        self.jobs
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Up { .. } => _ = self.is_up.send_replace(true),
            Event::Down { reason } => {
                tracing::warn!(reason, "the jobs service lost its broker");
                self.outgoing.clear();
                self.is_up.send_replace(false);
            }
            Event::Connecting { reason: Some(reason) } => _ = self.complaints.say("the jobs service", &reason),
            Event::Connecting { reason: None } | Event::Acknowledged { .. } => {}
            Event::Shed { topics } => tracing::warn!(?topics, "requests for jobs were shed"),
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
                    let answers = self.jobs.handle(&request.topic, &request.payload, now_s());
                    self.publish(answers);
                }
                if let Some(delivery) = request.delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
        }
    }

    fn publish(&mut self, messages: Vec<(String, Vec<u8>)>) {
        for (topic, payload) in messages {
            self.outgoing.publish(Message { topic, payload, retain: false });
        }
    }
}

/// The service's clock, in epoch seconds.
fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}
