//! The task that keeps the connection: one library session after the other, never one twice.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use fleetlens_model::heard::Heard;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::address::Address;
use crate::backoff::Backoff;
use crate::config::LinkConfig;
use crate::event::{Event, Message, may_be_shed};
use crate::fault::Fault;
use crate::inbox::{Gone, Inbox};
use crate::overflow::Overflow;
use crate::pace::Pace;
use crate::properties::Properties;
use crate::session::{IN_FLIGHT_MAX, Requests, Session, Step, Through};
use crate::shared::{Limits, Sent, Shared, packet_bytes};
use crate::subscriptions::Subscriptions;

/// From CONNACK to the last SUBACK; a broker that takes longer is not serving us.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(20);
/// How long the last DISCONNECT may take.
const GOODBYE_WITHIN: Duration = Duration::from_millis(800);

/// Messages that overflow before whoever listens gets a turn on this thread.
const TURN_AFTER: u64 = 256;

/// When what is to be acknowledged may come between two steps of the connection. What is half-way is let go for it.
#[derive(Clone, Copy)]
enum Turn<'a> {
    /// Not before the broker has greeted.
    Never,
    AtOnce,
    /// As soon as so many of the requests made were returned: then it only reads, and nothing is lost with what is half-way.
    WithAllReturned(&'a Requests, usize),
}

impl Turn<'_> {
    fn may_come(self) -> bool {
        !matches!(self, Turn::Never)
    }

    fn is_now(self) -> bool {
        match self {
            Turn::Never => false,
            Turn::AtOnce => true,
            Turn::WithAllReturned(requests, returned) => requests.made() == returned,
        }
    }
}

/// How one connection ended.
struct Ended {
    fault: Fault,
    greeted: bool,
    up_since: Option<Instant>,
}

pub(crate) struct Task {
    config: LinkConfig,
    address: Address,
    inbox: Inbox,
    shared: Arc<Shared>,
    session: Option<Session>,
    /// Counts the connections, so that a delivery of one is never acknowledged on another.
    number: u64,
    overflow: Overflow,
    /// How many messages overflowed.
    overflowed: u64,
    pace: Pace,
    backoff: Backoff,
}

impl Task {
    pub fn new(config: LinkConfig, address: Address, inbox: Inbox, shared: Arc<Shared>) -> Task {
        let (overflow, pace, backoff) = (Overflow::default(), Pace::default(), Backoff::default());
        Task { config, address, inbox, shared, session: None, number: 0, overflow, overflowed: 0, pace, backoff }
    }

    /// Until it is asked to stop, or nobody listens any more; then says goodbye to the broker.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Gone = self.keep_connected() => {}
        }
        let packet_ids = self.shared.take_acknowledged();
        if self.shared.say_goodbye()
            && let Some(session) = self.session.take()
        {
            _ = timeout(GOODBYE_WITHIN, goodbye(session, &packet_ids)).await;
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
        let mut in_flight: HashMap<u16, Sent> = HashMap::new();
        let mut session_is_old = false;
        let mut subscribed_by = None;
        let mut silent_after = silence(self.config.keep_alive_s);
        let mut ended = Ended { fault: Fault::Closed, greeted: false, up_since: None };
        // Requests that came back as steps: while all have, the library holds none of them half-way.
        let mut returned = 0;
        loop {
            let step = match self.session.as_mut().and_then(Session::read_ahead) {
                Some(step) => step,
                None => {
                    // Whatever is done beside reading is done once for all that was read together.
                    if ended.greeted
                        && let Some(fault) = self.acknowledge(silent_after).await
                    {
                        return Ok(Ended { fault, ..ended });
                    }
                    if ended.up_since.is_some() {
                        self.look_after(&mut subscriptions, &requests).await?;
                    }
                    let up = ended.up_since.map(|_| (&mut subscriptions, &requests));
                    // With as many on the way as it sends at once the library takes no request, so it holds none.
                    let takes_none = in_flight.len() >= usize::from(IN_FLIGHT_MAX);
                    let turn = match (ended.greeted, takes_none) {
                        (false, _) => Turn::Never,
                        (true, true) => Turn::AtOnce,
                        (true, false) => Turn::WithAllReturned(&requests, returned),
                    };
                    self.next(subscribed_by, silent_after, up, turn).await?
                }
            };
            if matches!(step, Ok(Step::SubscribeSent { .. } | Step::PublishSent { .. } | Step::GoodbyeSent)) {
                returned += 1;
            }
            match step {
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
                Ok(Step::Published {
                    topic: Ok(topic),
                    payload,
                    qos,
                    retained,
                    redelivered,
                    packet_id,
                    properties,
                }) => {
                    let delivery = self.shared.deliver(packet_id);
                    let (topic, payload) = (topic.as_str(), &*payload);
                    let heard = Heard { topic, payload, retained, redelivered, packet_id, delivery };
                    self.received(heard, qos, properties).await?;
                }
                Ok(Step::Published { topic: Err(topic), packet_id, .. }) => {
                    let delivery = self.shared.deliver(packet_id);
                    let reason = "the topic is not UTF-8".to_owned();
                    self.tell(Event::Refused { topic, reason, delivery }).await?;
                }
                Ok(Step::SubscribeSent { packet_id }) => subscriptions.sent(packet_id),
                Ok(Step::Subscribed { packet_id, answers }) => {
                    for (topic, reason) in subscriptions.answered(packet_id, answers) {
                        self.tell(Event::Refused { topic, reason, delivery: None }).await?;
                    }
                }
                Ok(Step::PublishSent { packet_id }) => {
                    let sent = self.shared.sent();
                    if packet_id == 0 {
                        self.shared.finished();
                    } else if let Some(sent) = sent {
                        in_flight.insert(packet_id, sent);
                    }
                }
                Ok(Step::PublishAnswered { packet_id, refusal }) => {
                    let Sent { topic, receipt } = in_flight.remove(&packet_id).unwrap_or_default();
                    match (refusal, receipt) {
                        (Some(reason), _) => self.tell(Event::Refused { topic, reason, delivery: None }).await?,
                        (None, Some(receipt)) => self.tell(Event::Acknowledged { receipt }).await?,
                        (None, None) => {}
                    }
                    // After that: who sees that nothing is left has been told all of it.
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
        }
    }

    /// Tells the broker what is safe with us; a fault where it does not take that.
    async fn acknowledge(&mut self, silent_after: Duration) -> Option<Fault> {
        let packet_ids = self.shared.take_acknowledged();
        let session = self.session.as_mut().filter(|_| !packet_ids.is_empty())?;
        match timeout(silent_after, session.acknowledge(&packet_ids)).await {
            Ok(outcome) => outcome.err(),
            Err(_) => Some(Fault::Silent),
        }
    }

    /// Filters that became known meanwhile.
    async fn look_after(&mut self, subscriptions: &mut Subscriptions, requests: &Requests) -> Result<(), Gone> {
        subscriptions.ask_later(&self.shared, requests);
        if let Some(topic) = self.shared.too_many() {
            let reason =
                "more topics were announced than are subscribed to; whoever announces them names ever new ones"
                    .to_owned();
            self.tell(Event::Refused { topic, reason, delivery: None }).await?;
        }
        Ok(())
    }

    /// The connection's next step; meanwhile what overflowed goes in as there is room, and on a connection that is `up` further
    /// filters are asked for as they become known. Where much comes the connection is left alone for a moment first.
    async fn next(
        &mut self,
        subscribed_by: Option<Instant>,
        silent_after: Duration,
        mut up: Option<(&mut Subscriptions, &Requests)>,
        turn: Turn<'_>,
    ) -> Result<Result<Step, Fault>, Gone> {
        let Task { session, inbox, overflow, shared, pace, .. } = self;
        let Some(session) = session else { return Ok(Err(Fault::Closed)) };
        // Kept over the turns of the loop: dropping it half-way could lose a packet on its way out.
        let mut step = pin!(session.poll());
        // Nothing else is looked at while there is something to read.
        if let Poll::Ready(step) = poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await {
            return Ok(step);
        }
        // Before waiting for anything: what was read belongs to whoever listens.
        inbox.hand_over()?;
        let now = Instant::now();
        // Without budget left it is this task that pauses, and there may be more to read.
        if let Some(pause) = pace.pause(now)
            && tokio::task::coop::has_budget_remaining()
        {
            // Not `tokio::time::sleep`, whose timer costs a turn of the reactor and a wake-up, which is what is to be saved. The thread
            // is the link's own, so nobody else waits; what we publish meanwhile goes out this much later.
            std::thread::sleep(pause);
        }
        // The library has no time-out for a write that stalls at version 5; pings make at least one step a keep-alive.
        let silent_at = now + silent_after;
        loop {
            tokio::select! {
                biased;
                step = &mut step => return Ok(step),
                () = shared.has_acknowledged(), if turn.may_come() => {
                    if turn.is_now() {
                        return Ok(Ok(Step::Other));
                    }
                }
                () = shared.has_more(), if up.is_some() => {
                    if let Some((subscriptions, requests)) = &mut up {
                        subscriptions.ask_later(shared, requests);
                    }
                }
                room = inbox.place(), if !overflow.is_empty() => {
                    room?;
                    let_in(overflow, inbox)?;
                    inbox.hand_over()?;
                }
                () = sleep_until(subscribed_by.unwrap_or(silent_at)), if subscribed_by.is_some() => {
                    return Ok(Err(Fault::NoSubAck));
                }
                () = sleep_until(silent_at) => return Ok(Err(Fault::Silent)),
                () = inbox.closed() => return Err(Gone),
            }
        }
    }

    /// Hands a message in. Live QoS 0 gives way when there is no room; everything else waits, and nothing is read meanwhile.
    async fn received(&mut self, heard: Heard<'_>, qos: u8, properties: Option<Box<Properties>>) -> Result<(), Gone> {
        self.pace.count();
        let most = self.config.max_packet_bytes;
        if !fits(heard.topic, heard.payload, most) {
            let bytes = heard.payload.len();
            let reason = format!(
                "a message of {bytes} bytes is too large: packets of up to {most} are taken; have its sender split it"
            );
            let (topic, delivery) = (heard.topic.to_owned(), heard.delivery);
            return self.tell(Event::Refused { topic, reason, delivery }).await;
        }
        if may_be_shed(heard.topic, qos, heard.retained) {
            if !self.overflow.is_empty() && self.inbox.try_place() {
                let_in(&mut self.overflow, &mut self.inbox)?;
            }
            // Going in now would overtake an older value of its topic.
            if !self.overflow.is_empty() || !self.inbox.try_place() {
                self.overflow.put(heard, properties);
                // There may be more to read for ever, and only who has what was read and gets its turn makes room.
                self.inbox.hand_over()?;
                self.overflowed = self.overflowed.wrapping_add(1);
                if self.overflowed.is_multiple_of(TURN_AFTER) {
                    yield_now().await;
                }
                return Ok(());
            }
        } else {
            self.wait_for_place().await?;
        }
        match properties {
            None => {
                if self.inbox.gather(heard)? {
                    // Else this would go on until its budget is used up, and nobody would have made room.
                    yield_now().await;
                }
                Ok(())
            }
            properties => self.inbox.send(Event::Received(Message { properties, ..heard.into() })),
        }
    }

    /// Tells something that is no live message of QoS 0.
    async fn tell(&mut self, event: Event) -> Result<(), Gone> {
        self.wait_for_place().await?;
        self.inbox.send(event)
    }

    /// Waits for room. If there was none, one that overflowed goes first, so that a busy QoS 1 stream cannot starve them.
    async fn wait_for_place(&mut self) -> Result<(), Gone> {
        if self.inbox.try_place() {
            return Ok(());
        }
        // Who has everything that was read makes room.
        self.inbox.hand_over()?;
        if let Some(waiting) = self.overflow.take() {
            self.inbox.place().await?;
            self.inbox.send(waiting)?;
        }
        self.inbox.place().await
    }

    /// Waits before the next try; what overflowed goes in meanwhile.
    async fn rest(&mut self, wait: Duration) -> Result<(), Gone> {
        let until = Instant::now() + wait;
        self.inbox.hand_over()?;
        loop {
            tokio::select! {
                () = sleep_until(until) => return Ok(()),
                room = self.inbox.place(), if !self.overflow.is_empty() => {
                    room?;
                    let_in(&mut self.overflow, &mut self.inbox)?;
                    self.inbox.hand_over()?;
                }
                () = self.inbox.closed() => return Err(Gone),
            }
        }
    }
}

/// Lets in what overflowed while there are places; one was taken for the first.
fn let_in(overflow: &mut Overflow, inbox: &mut Inbox) -> Result<(), Gone> {
    while let Some(event) = overflow.take() {
        if let Event::Received(message @ Message { properties: None, .. }) = &event {
            inbox.gather(message.heard())?;
        } else {
            inbox.send(event)?;
        }
        if overflow.is_empty() || !inbox.try_place() {
            break;
        }
    }
    Ok(())
}

/// Whether a message is within our limit. Asked here, because with MQTT 3.1.1 the library must read more than we take.
fn fits(topic: &str, payload: &[u8], most: u32) -> bool {
    u32::try_from(packet_bytes(topic.len(), payload.len())).is_ok_and(|bytes| bytes <= most)
}

/// When a connection that makes no step is dead: two pings unanswered, and something for the way.
fn silence(keep_alive_s: u16) -> Duration {
    Duration::from_secs(2 * u64::from(keep_alive_s) + 5)
}

/// Sends what is safe with us, what is queued and, at its end, the DISCONNECT. What comes in meanwhile is not ours any more: the broker
/// keeps it.
async fn goodbye(mut session: Session, packet_ids: &[u16]) {
    if session.acknowledge(packet_ids).await.is_err() {
        return;
    }
    while let Ok(step) = session.poll().await {
        if step == Step::GoodbyeSent {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::{Events, inbox};

    fn task(places: usize) -> (Task, Events) {
        let config = LinkConfig::new("mqtt://nowhere", "c");
        let address = Address::of("mqtt://nowhere").expect("it is an address");
        let (inbox, events) = inbox(places);
        (Task::new(config, address, inbox, Arc::new(Shared::new(1))), events)
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
            assert!(task.received(live("a", value).heard(), 0, None).await.is_ok());
        }
        task.inbox.hand_over().unwrap();
        assert_eq!(events.try_recv(), Ok(Event::Received(live("a", 1))));
        // There is room again, and 2 goes in first.
        for value in 3..=5 {
            assert!(task.received(live("a", value).heard(), 0, None).await.is_ok());
        }
        assert_eq!(events.try_recv(), Ok(Event::Received(live("a", 2))));
        assert!(events.is_empty());
        assert_eq!(task.overflow.take(), Some(Event::Shed { topics: vec![("a".into(), 2)] }));
        assert_eq!(task.overflow.take(), Some(Event::Received(live("a", 5))));
    }

    #[tokio::test]
    async fn what_overflowed_gets_its_turn_in_a_stream_that_waits() {
        let (mut task, mut events) = task(1);
        for topic in ["first", "a", "b"] {
            assert!(task.received(live(topic, 0).heard(), 0, None).await.is_ok());
        }
        let telling = tokio::spawn(async move {
            for n in 0..3 {
                assert!(task.received(live(&n.to_string(), 0).heard(), 1, None).await.is_ok());
            }
            task.inbox.hand_over().unwrap();
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
