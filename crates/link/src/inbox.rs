//! The way from the task to whoever listens: bounded by messages, handed over many at a time.
//!
//! Waking another thread costs more than a message does, so what was read together goes over together. However big the batches are,
//! no more messages wait than there are places.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fleetlens_model::heard::{Batch, Heard};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::event::{Event, Message};

/// Messages of one batch.
const BATCH_MAX: usize = 512;

/// No place is given while this is on its way, in bytes of topics and payloads: what was gathered besides is less than a batch.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of one batch, about.
const BATCH_MAX_BYTES: usize = 256 * 1024;

/// What came next: messages that came together, or one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// At least one message.
    Messages(Batch),
    /// Anything else, and messages that carry properties.
    Event(Event),
}

impl Next {
    fn places(&self) -> usize {
        match self {
            Next::Messages(batch) => batch.len(),
            Next::Event(_) => 1,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Next::Messages(batch) => batch.bytes(),
            Next::Event(Event::Received(message)) => message.topic.len() + message.payload.len(),
            Next::Event(_) => 0,
        }
    }
}

/// What the link tells, in the order in which it happened. When it is dropped, the link ends.
#[derive(Debug)]
pub struct Events {
    next: mpsc::Receiver<Next>,
    /// Messages of a batch that was taken one by one.
    rest: VecDeque<Event>,
    places: Arc<Semaphore>,
    places_in_all: usize,
    way: Arc<Way>,
}

/// What is on its way.
#[derive(Debug, Default)]
struct Way {
    bytes: AtomicUsize,
    /// Somebody has taken some.
    less: Notify,
}

impl Way {
    fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= BYTES_MAX
    }
}

/// How full an inbox is.
#[derive(Clone, Debug)]
pub(crate) struct Gauge {
    places: Arc<Semaphore>,
    places_in_all: usize,
}

impl Gauge {
    /// Places that are taken, and all there are.
    pub fn read(&self) -> (usize, usize) {
        (self.places_in_all.saturating_sub(self.places.available_permits()), self.places_in_all)
    }
}

/// Nobody listens any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// The end that the task has.
#[derive(Debug)]
pub(crate) struct Inbox {
    next: mpsc::Sender<Next>,
    places: Arc<Semaphore>,
    way: Arc<Way>,
    gathering: Batch,
}

/// Both ends of an inbox with so many places.
pub(crate) fn inbox(places: usize) -> (Inbox, Events) {
    // Whatever is handed over takes at least one place, so there is always room for it in the channel.
    let (sender, receiver) = mpsc::channel(places);
    let (places_in_all, places) = (places, Arc::new(Semaphore::new(places)));
    let way = Arc::new(Way::default());
    let (rest, there, its) = (VecDeque::new(), Arc::clone(&places), Arc::clone(&way));
    let events = Events { next: receiver, rest, places: there, places_in_all, way: its };
    (Inbox { next: sender, places, way, gathering: Batch::default() }, events)
}

impl Inbox {
    /// Takes a place if there is one.
    pub fn try_place(&self) -> bool {
        !self.way.is_full() && self.places.try_acquire().map(|place| place.forget()).is_ok()
    }

    /// Waits for a place and takes it. Whoever waits has handed over first what it gathered.
    pub async fn place(&self) -> Result<(), Gone> {
        loop {
            let place = self.places.acquire().await.map_err(|_| Gone)?;
            if !self.way.is_full() {
                place.forget();
                return Ok(());
            }
            drop(place);
            self.way.less.notified().await;
        }
    }

    /// Gathers a message, for which a place was taken. True when the batch was full with it and is handed over.
    pub fn gather(&mut self, message: Heard<'_>) -> Result<bool, Gone> {
        self.gathering.push(message);
        let is_full = self.gathering.len() >= BATCH_MAX || self.gathering.bytes() >= BATCH_MAX_BYTES;
        if is_full {
            self.hand_over()?;
        }
        Ok(is_full)
    }

    /// Hands over what has gathered.
    pub fn hand_over(&mut self) -> Result<(), Gone> {
        if self.gathering.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.gathering);
        self.send_next(Next::Messages(batch))
    }

    /// Hands over an event, for which a place was taken, behind what has gathered.
    pub fn send(&mut self, event: Event) -> Result<(), Gone> {
        self.hand_over()?;
        self.send_next(Next::Event(event))
    }

    fn send_next(&self, next: Next) -> Result<(), Gone> {
        self.way.bytes.fetch_add(next.bytes(), Ordering::Relaxed);
        self.next.try_send(next).map_err(|_| Gone)
    }

    /// Resolves when nobody listens any more.
    pub async fn closed(&self) {
        self.next.closed().await;
    }
}

impl Events {
    /// What comes next, one by one; `None` when the link has ended.
    pub async fn recv(&mut self) -> Option<Event> {
        if let Some(event) = self.rest.pop_front() {
            return Some(event);
        }
        let next = self.next.recv().await?;
        self.taken(next)
    }

    /// What has come already, one by one.
    pub fn try_recv(&mut self) -> Result<Event, TryRecvError> {
        if let Some(event) = self.rest.pop_front() {
            return Ok(event);
        }
        let next = self.next.try_recv()?;
        self.taken(next).ok_or(TryRecvError::Empty)
    }

    /// What comes next and up to `most` of what has come already, one by one behind what is in `into`; how many they are, 0 when the link
    /// has ended. Nothing is lost when it is dropped half-way.
    pub async fn recv_many(&mut self, into: &mut Vec<Event>, most: usize) -> usize {
        let Some(first) = self.recv().await else { return 0 };
        into.push(first);
        let more = std::iter::from_fn(|| self.try_recv().ok()).take(most.saturating_sub(1));
        let before = into.len();
        into.extend(more);
        into.len() - before + 1
    }

    /// What comes next, messages as they came together; `None` when the link has ended.
    pub async fn recv_together(&mut self) -> Option<Next> {
        if let Some(event) = self.rest.pop_front() {
            return Some(Next::Event(event));
        }
        let next = self.next.recv().await?;
        self.make_room(&next);
        Some(next)
    }

    /// How many have come that were not taken.
    pub fn len(&self) -> usize {
        self.rest.len() + self.places_in_all.saturating_sub(self.places.available_permits())
    }

    /// A look at how full it is, for whoever does not take from it.
    pub(crate) fn gauge(&self) -> Gauge {
        Gauge { places: Arc::clone(&self.places), places_in_all: self.places_in_all }
    }

    /// Whether nothing can be taken now.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.next.is_empty()
    }

    fn make_room(&self, next: &Next) {
        self.places.add_permits(next.places());
        self.way.bytes.fetch_sub(next.bytes(), Ordering::Relaxed);
        self.way.less.notify_one();
    }

    fn taken(&mut self, next: Next) -> Option<Event> {
        self.make_room(&next);
        match next {
            Next::Event(event) => Some(event),
            Next::Messages(batch) => {
                self.rest = batch.iter().map(|heard| Event::Received(Message::from(heard))).collect();
                self.rest.pop_front()
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // Whoever waits for a place waits for nothing.
        self.places.close();
        self.way.less.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(topic: &str) -> Heard<'_> {
        Heard { topic, payload: b"x", retained: false, redelivered: false, packet_id: 0, delivery: None }
    }

    #[tokio::test]
    async fn however_they_are_taken_no_more_wait_than_there_are_places() {
        let (mut inbox, mut events) = inbox(3);
        for topic in ["a", "b"] {
            assert!(inbox.try_place());
            inbox.gather(heard(topic)).unwrap();
        }
        assert!(events.is_empty(), "it gathers");
        assert!(inbox.try_place());
        let down = Event::Down { reason: "why".into() };
        inbox.send(down.clone()).unwrap();
        assert!(!inbox.try_place());
        let Some(Next::Messages(batch)) = events.recv_together().await else { panic!("what gathered goes first") };
        assert_eq!(batch.iter().collect::<Vec<_>>(), [heard("a"), heard("b")]);
        assert_eq!(events.recv().await, Some(down));
        for topic in ["c", "d", "e"] {
            assert!(inbox.try_place(), "{topic}");
            inbox.gather(heard(topic)).unwrap();
        }
        inbox.hand_over().unwrap();
        let mut one_by_one = Vec::new();
        assert_eq!(events.recv_many(&mut one_by_one, 2).await, 2);
        one_by_one.extend(std::iter::from_fn(|| events.try_recv().ok()));
        assert_eq!(one_by_one, ["c", "d", "e"].map(|topic| Event::Received(heard(topic).into())));
    }

    #[tokio::test]
    async fn who_waits_for_a_place_learns_that_nobody_listens() {
        let (mut inbox, events) = inbox(1);
        assert!(inbox.try_place());
        let (waited, ()) = tokio::join!(inbox.place(), async { drop(events) });
        assert_eq!(waited, Err(Gone));
        inbox.closed().await;
        assert_eq!(inbox.send(Event::Connecting { reason: None }), Err(Gone));
    }

    #[tokio::test]
    async fn no_more_bytes_wait_than_fit_however_many_places_there_are() {
        let (mut inbox, mut events) = inbox(10_000);
        let big = vec![b'x'; 1 << 20];
        let mut taken_in = 0;
        while inbox.try_place() {
            inbox.gather(Heard { payload: &big, ..heard("a") }).unwrap();
            taken_in += 1;
        }
        assert_eq!(taken_in, BYTES_MAX >> 20);
        let (place, next) = tokio::join!(inbox.place(), events.recv_together());
        assert!(place.is_ok() && next.is_some());
        inbox.gather(Heard { payload: &big, ..heard("a") }).unwrap();
        let (place, ()) = tokio::join!(inbox.place(), async { drop(events) });
        assert_eq!(place, Err(Gone));
    }

    #[test]
    fn a_batch_is_bounded_in_messages_and_in_bytes() {
        let (mut inbox, mut events) = inbox(10_000);
        for _ in 0..BATCH_MAX {
            assert!(inbox.try_place() && events.is_empty());
            inbox.gather(heard("a")).unwrap();
        }
        assert!(!events.is_empty());
        assert_eq!(std::iter::from_fn(|| events.try_recv().ok()).count(), BATCH_MAX);
        let big = vec![b'x'; BATCH_MAX_BYTES];
        assert_eq!(inbox.gather(Heard { payload: &big, ..heard("a") }), Ok(true));
        assert!(events.try_recv().is_ok());
    }
}
