//! The task that keeps the connection: one library session after the other, never one twice.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::address::Address;
use crate::backoff::Backoff;
use crate::config::LinkConfig;
use crate::event::{Event, Message};
use crate::fault::Fault;
use crate::overflow::Overflow;
use crate::session::{Requests, Session, Step, Through};
use crate::shared::{Limits, Shared, packet_bytes};
use crate::subscriptions::Subscriptions;

/// From CONNACK to the last SUBACK; a broker that takes longer is not serving us.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(20);
/// How long the last DISCONNECT may take.
const GOODBYE_WITHIN: Duration = Duration::from_millis(800);

/// Nobody listens any more.
struct Gone;

/// How one connection ended.
struct Ended {
    fault: Fault,
    greeted: bool,
    up_since: Option<Instant>,
}

pub(crate) struct Task {
    config: LinkConfig,
    address: Address,
    events: mpsc::Sender<Event>,
    shared: Arc<Shared>,
    session: Option<Session>,
    /// Counts the connections, so that a delivery of one is never acknowledged on another.
    number: u64,
    overflow: Overflow,
    backoff: Backoff,
}

impl Task {
    pub fn new(config: LinkConfig, address: Address, events: mpsc::Sender<Event>, shared: Arc<Shared>) -> Task {
        let (overflow, backoff) = (Overflow::default(), Backoff::default());
        Task { config, address, events, shared, session: None, number: 0, overflow, backoff }
    }

    /// Until it is asked to stop, or nobody listens any more; then says goodbye to the broker.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Gone = self.keep_connected() => {}
        }
        if self.shared.say_goodbye()
            && let Some(session) = self.session.take()
        {
            _ = tokio::time::timeout(GOODBYE_WITHIN, goodbye(session)).await;
        }
    }

    async fn keep_connected(&mut self) -> Gone {
        let mut reason = None;
        loop {
            let Ok(()) = self.tell(Event::Connecting { reason }).await else { return Gone };
            if self.number > 0 {
                let wait = self.backoff.next(rand::random());
                tracing::debug!(wait_ms = wait.as_millis(), "waiting before the next connection");
                let Ok(()) = self.rest(wait).await else { return Gone };
            }
            let Ok(ended) = self.connection().await else { return Gone };
            self.shared.lower(ended.fault.about(ended.greeted));
            self.session = None;
            let sentence = ended.fault.sentence(&self.address, &self.config, ended.greeted);
            tracing::info!(broker = %self.address, reason = sentence, "no connection");
            if let Some(since) = ended.up_since {
                self.backoff.was_up_for(since.elapsed());
                let Ok(()) = self.tell(Event::Down { reason: sentence.clone() }).await else { return Gone };
            }
            if ended.fault.is_unreadable_packet() {
                let refused = Event::Refused { topic: String::new(), reason: sentence.clone(), delivery: None };
                let Ok(()) = self.tell(refused).await else { return Gone };
            }
            reason = Some(sentence);
        }
    }

    /// One connection from its first byte to its end.
    async fn connection(&mut self) -> Result<Ended, Gone> {
        self.number += 1;
        let through = match Through::prepare(&self.config, &self.address).await {
            Ok(through) => through,
            Err(fault) => return Ok(Ended { fault, greeted: false, up_since: None }),
        };
        let (session, requests) = Session::new(&self.config, &self.address, through);
        self.session = Some(session);
        let filters = self.config.filters.clone();
        let mut subscriptions = Subscriptions::default();
        // Publishes at QoS 1 on the way, to name the topic when the broker refuses one (MQTT 5).
        let mut in_flight: HashMap<u16, String> = HashMap::new();
        let mut session_is_old = false;
        let mut subscribed_by = None;
        let mut silent_after = silence(self.config.keep_alive_s);
        let mut ended = Ended { fault: Fault::Closed, greeted: false, up_since: None };
        loop {
            let up = ended.up_since.map(|_| (&mut subscriptions, &requests));
            match self.next(subscribed_by, silent_after, up).await? {
                Ok(Step::Greeted { .. }) if ended.greeted => {
                    // MQTT 5, 3.2: a second one is an error. Taken for a first, it would forget what is on the way.
                    let fault = Fault::NotUnderstood("it sent a second CONNACK".to_owned());
                    return Ok(Ended { fault, ..ended });
                }
                Ok(Step::Greeted { session_present, packet_max_bytes, keep_alive_s, qos_max }) => {
                    let ours = self.config.max_packet_bytes;
                    let limits =
                        Limits { packet_bytes: packet_max_bytes.unwrap_or(ours).min(ours), qos: qos_max.unwrap_or(1) };
                    self.shared.greet(self.number, requests.clone(), limits);
                    ended.greeted = true;
                    session_is_old = session_present;
                    let ours_s = self.config.keep_alive_s;
                    silent_after = silence(keep_alive_s.map_or(ours_s, |theirs_s| theirs_s.min(ours_s)));
                    subscribed_by = Some(Instant::now() + SUBSCRIBED_WITHIN);
                    match Subscriptions::ask(&filters, &requests) {
                        Ok(asked) => subscriptions = asked,
                        Err(_) => return Ok(Ended { fault: Fault::NoSubAck, ..ended }),
                    }
                }
                Ok(Step::Published { topic, payload, qos, retained, redelivered, packet_id, properties }) => {
                    let delivery = self.shared.deliver(packet_id);
                    let most = self.config.max_packet_bytes;
                    match topic {
                        Ok(topic) if !fits(&topic, &payload, most) => {
                            let bytes = payload.len();
                            let reason = format!(
                                "a message of {bytes} bytes is too large: packets of up to {most} are taken; have its sender split it"
                            );
                            self.tell(Event::Refused { topic, reason, delivery }).await?;
                        }
                        Ok(topic) => {
                            let message =
                                Message { topic, payload, qos, retained, redelivered, packet_id, properties, delivery };
                            self.received(message).await?;
                        }
                        Err(topic) => {
                            let reason = "the topic is not UTF-8".to_owned();
                            self.tell(Event::Refused { topic, reason, delivery }).await?;
                        }
                    }
                }
                Ok(Step::SubscribeSent { packet_id }) => subscriptions.sent(packet_id),
                Ok(Step::Subscribed { packet_id, answers }) => {
                    for (topic, reason) in subscriptions.answered(packet_id, answers) {
                        self.tell(Event::Refused { topic, reason, delivery: None }).await?;
                    }
                }
                Ok(Step::PublishSent { packet_id }) => {
                    let topic = self.shared.sent();
                    if packet_id == 0 {
                        self.shared.finished();
                    } else if let Some(topic) = topic {
                        in_flight.insert(packet_id, topic);
                    }
                }
                Ok(Step::PublishAnswered { packet_id, refusal }) => {
                    let topic = in_flight.remove(&packet_id).unwrap_or_default();
                    if let Some(reason) = refusal {
                        self.tell(Event::Refused { topic, reason, delivery: None }).await?;
                    }
                    // After the refusal: who sees that nothing is left has been told all of it.
                    self.shared.finished();
                }
                Ok(Step::GoodbyeSent | Step::Other) => {}
                Err(fault) => return Ok(Ended { fault, ..ended }),
            }
            if ended.greeted && ended.up_since.is_none() && subscriptions.are_complete() {
                // First, so that whoever hears of it can publish.
                self.shared.raise();
                self.tell(Event::Up { session_present: session_is_old, granted: subscriptions.granted() }).await?;
                ended.up_since = Some(Instant::now());
                subscribed_by = None;
            }
            if ended.up_since.is_some() {
                subscriptions.ask_later(&self.shared, &requests);
                if let Some(topic) = self.shared.too_many() {
                    let reason =
                        "more topics were announced than are subscribed to; whoever announces them names ever new ones"
                            .to_owned();
                    self.tell(Event::Refused { topic, reason, delivery: None }).await?;
                }
            }
        }
    }

    /// The connection's next step; meanwhile what overflowed goes in as there is room, and on a connection that is `up` further
    /// filters are asked for as they become known.
    async fn next(
        &mut self,
        subscribed_by: Option<Instant>,
        silent_after: Duration,
        mut up: Option<(&mut Subscriptions, &Requests)>,
    ) -> Result<Result<Step, Fault>, Gone> {
        let Task { session, events, overflow, shared, .. } = self;
        let Some(session) = session else { return Ok(Err(Fault::Closed)) };
        // The library has no time-out for a write that stalls at version 5; pings make at least one step a keep-alive.
        let silent_at = Instant::now() + silent_after;
        // Kept over the turns of the loop: dropping it half-way could lose a packet on its way out.
        let mut step = pin!(session.poll());
        loop {
            tokio::select! {
                step = &mut step => return Ok(step),
                () = shared.has_more(), if up.is_some() => {
                    if let Some((subscriptions, requests)) = &mut up {
                        subscriptions.ask_later(shared, requests);
                    }
                }
                room = events.reserve(), if !overflow.is_empty() => {
                    let room = room.map_err(|_| Gone)?;
                    if let Some(event) = overflow.take() {
                        room.send(event);
                    }
                }
                () = sleep_until(subscribed_by.unwrap_or(silent_at)), if subscribed_by.is_some() => {
                    return Ok(Err(Fault::NoSubAck));
                }
                () = sleep_until(silent_at) => return Ok(Err(Fault::Silent)),
                () = events.closed() => return Err(Gone),
            }
        }
    }

    /// Hands a message in. Live QoS 0 gives way when there is no room; everything else waits, and nothing is read meanwhile.
    async fn received(&mut self, message: Message) -> Result<(), Gone> {
        if !message.may_be_shed() {
            return self.tell(Event::Received(message)).await;
        }
        if !self.overflow.is_empty() {
            // Going in now would overtake an older value of its topic.
            self.overflow.put(message);
            return Ok(());
        }
        match self.events.try_reserve() {
            Ok(room) => room.send(Event::Received(message)),
            Err(TrySendError::Full(())) => self.overflow.put(message),
            Err(TrySendError::Closed(())) => return Err(Gone),
        }
        Ok(())
    }

    /// Waits for room. If there was none, one that overflowed goes first, so that a busy QoS 1 stream cannot starve them.
    async fn tell(&mut self, event: Event) -> Result<(), Gone> {
        if self.events.capacity() == 0
            && let Some(waiting) = self.overflow.take()
        {
            self.events.send(waiting).await.map_err(|_| Gone)?;
        }
        self.events.send(event).await.map_err(|_| Gone)
    }

    /// Waits before the next try; what overflowed goes in meanwhile.
    async fn rest(&mut self, wait: Duration) -> Result<(), Gone> {
        let until = Instant::now() + wait;
        loop {
            tokio::select! {
                () = sleep_until(until) => return Ok(()),
                room = self.events.reserve(), if !self.overflow.is_empty() => {
                    let room = room.map_err(|_| Gone)?;
                    if let Some(event) = self.overflow.take() {
                        room.send(event);
                    }
                }
                () = self.events.closed() => return Err(Gone),
            }
        }
    }
}

/// Whether a message is within our limit. Asked here, because with MQTT 3.1.1 the library must read more than we take.
fn fits(topic: &str, payload: &[u8], most: u32) -> bool {
    u32::try_from(packet_bytes(topic.len(), payload.len())).is_ok_and(|bytes| bytes <= most)
}

/// When a connection that makes no step is dead: two pings unanswered, and something for the way.
fn silence(keep_alive_s: u16) -> Duration {
    Duration::from_secs(2 * u64::from(keep_alive_s) + 5)
}

/// Sends what is queued and, at its end, the DISCONNECT. What comes in meanwhile is not ours any more: the broker keeps it.
async fn goodbye(mut session: Session) {
    while let Ok(step) = session.poll().await {
        if step == Step::GoodbyeSent {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(places: usize) -> (Task, mpsc::Receiver<Event>) {
        let config = LinkConfig::new("mqtt://nowhere", "c");
        let address = Address::of("mqtt://nowhere").expect("it is an address");
        let (events, receiver) = mpsc::channel(places);
        (Task::new(config, address, events, Arc::new(Shared::new(1))), receiver)
    }

    fn live(topic: &str, value: u8) -> Message {
        let (topic, payload) = (topic.to_owned(), vec![value]);
        Message {
            topic,
            payload,
            qos: 0,
            retained: false,
            redelivered: false,
            packet_id: 0,
            properties: None,
            delivery: None,
        }
    }

    #[tokio::test]
    async fn a_newer_value_never_overtakes_one_that_overflowed() {
        let (mut task, mut events) = task(1);
        for value in 1..=2 {
            assert!(task.received(live("a", value)).await.is_ok());
        }
        assert_eq!(events.try_recv(), Ok(Event::Received(live("a", 1))));
        // There is room again, but 2 has not gone in yet.
        assert!(task.received(live("a", 3)).await.is_ok());
        assert!(events.is_empty());
        assert_eq!(task.overflow.take(), Some(Event::Shed { topics: vec![("a".into(), 1)] }));
        assert_eq!(task.overflow.take(), Some(Event::Received(live("a", 3))));
    }

    #[tokio::test]
    async fn what_overflowed_gets_its_turn_in_a_stream_that_waits() {
        let (mut task, mut events) = task(1);
        for topic in ["first", "a", "b"] {
            assert!(task.received(live(topic, 0)).await.is_ok());
        }
        let telling = tokio::spawn(async move {
            for n in 0..3 {
                let firm = Message { qos: 1, retained: false, ..live(&n.to_string(), 0) };
                assert!(task.received(firm).await.is_ok());
            }
        });
        let mut order = Vec::new();
        while let Some(event) = events.recv().await {
            if let Event::Received(message) = event {
                order.push(message.topic);
            }
        }
        telling.await.unwrap();
        let place = |topic: &str| order.iter().position(|seen| seen == topic).expect(topic);
        assert!(place("a") < place("b") && place("b") < place("2"), "{order:?}");
        assert!(place("0") < place("1") && place("1") < place("2"), "{order:?}");
    }
}
