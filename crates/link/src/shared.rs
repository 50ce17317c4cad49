//! What the handles and the task share: the connection that is there now.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::about::About;
use crate::error::NotSent;
use crate::session::{Requests, Terms};

/// Later filters that are kept: two for each thing that a fleet may have. Whoever may publish announcements can name as many as they like.
const LATER_MAX: usize = 400_000;

/// Bits of a delivery that are the packet id; the others count the connections.
const PACKET_ID_BITS: u32 = 16;

/// The connection as handles see it.
#[derive(Debug)]
pub(crate) struct Shared {
    outbox: usize,
    current: Mutex<Option<Connection>>,
    /// What the last connection failed over.
    failed_over: Mutex<Option<About>>,
    later: Mutex<Later>,
    /// There is a filter more than before.
    more: Notify,
    /// There is something to acknowledge.
    safe: Notify,
}

/// Filters that became known after the start, in the order of their coming; asked for on every connection.
#[derive(Debug, Default)]
struct Later {
    filters: Vec<(String, u8)>,
    known: HashSet<String>,
    /// One that was too many and has not been told of.
    too_many: Option<String>,
}

/// How much the broker takes of us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The largest packet, in bytes.
    pub packet_bytes: u32,
    /// The highest QoS; a broker of MQTT 5 ends the connection over a higher one (3.2.2.3.4).
    pub qos: u8,
}

/// What is remembered of a publish until the broker answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub topic: String,
    /// What to tell when the broker has it.
    pub receipt: Option<u64>,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    requests: Requests,
    up: bool,
    packet_max_bytes: usize,
    qos_max: u8,
    /// Publishes the library has not sent yet, in order: the outbox.
    waiting: VecDeque<Sent>,
    /// Publishes that the broker may not have yet: at QoS 1 until it answers, at QoS 0 until they are sent.
    unfinished: usize,
    /// Packet ids handed out and not acknowledged.
    unacknowledged: PacketIds,
    /// Those that are safe with us and wait for their PUBACK, where many leave at a time.
    acknowledged: Vec<u16>,
}

/// A set of packet ids, a bit each.
#[derive(Debug)]
struct PacketIds(Box<[u64; 1024]>);

impl PacketIds {
    fn insert(&mut self, id: u16) {
        if let Some(bits) = self.0.get_mut(usize::from(id >> 6)) {
            *bits |= 1 << (id & 63);
        }
    }

    /// Whether it was there.
    fn remove(&mut self, id: u16) -> bool {
        let Some(bits) = self.0.get_mut(usize::from(id >> 6)) else { return false };
        let bit = 1 << (id & 63);
        let was = *bits & bit != 0;
        *bits &= !bit;
        was
    }
}

impl Shared {
    pub fn new(outbox: usize) -> Shared {
        let (later, more, safe) = (Mutex::default(), Notify::new(), Notify::new());
        Shared { outbox, current: Mutex::new(None), failed_over: Mutex::new(None), later, more, safe }
    }

    /// See [`crate::Link::subscribe`].
    pub fn subscribe(&self, filters: Vec<String>) {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        for filter in filters {
            if later.known.contains(&filter) {
                continue;
            }
            if later.filters.len() >= LATER_MAX {
                later.too_many.get_or_insert(filter);
                continue;
            }
            later.known.insert(filter.clone());
            later.filters.push((filter, 1));
        }
        drop(later);
        self.more.notify_one();
    }

    /// At most `most` of the later filters, from the nth on.
    pub fn later(&self, from: usize, most: usize) -> Vec<(String, u8)> {
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.filters.iter().skip(from).take(most).cloned().collect()
    }

    /// A later filter that was too many, once.
    pub fn too_many(&self) -> Option<String> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner).too_many.take()
    }

    /// Resolves when there may be a later filter more than before.
    pub async fn has_more(&self) {
        self.more.notified().await;
    }

    /// A connection is greeted: acknowledgements are possible from now on, publishes are not yet.
    pub fn greet(&self, number: u64, requests: Requests, limits: Limits) {
        *self.lock() = Some(Connection {
            number,
            requests,
            up: false,
            packet_max_bytes: usize::try_from(limits.packet_bytes).unwrap_or(usize::MAX),
            qos_max: limits.qos,
            waiting: VecDeque::new(),
            unfinished: 0,
            unacknowledged: PacketIds(Box::new([0; 1024])),
            acknowledged: Vec::new(),
        });
    }

    /// Publishes are taken from now on.
    pub fn raise(&self) {
        if let Some(connection) = self.lock().as_mut() {
            connection.up = true;
        }
    }

    /// The connection is gone, with everything that waited for it, over this.
    pub fn lower(&self, over: About) {
        *self.lock() = None;
        *self.failed_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(over);
    }

    /// What the last connection failed over.
    pub fn failed_over(&self) -> Option<About> {
        *self.failed_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the DISCONNECT and takes nothing more; false when there is no connection.
    pub fn say_goodbye(&self) -> bool {
        let gone = self.lock().take();
        gone.is_some_and(|connection| connection.requests.say_goodbye().is_ok())
    }

    /// The number under which a packet of the current connection is acknowledged.
    pub fn deliver(&self, packet_id: u16) -> Option<u64> {
        let mut current = self.lock();
        let connection = current.as_mut().filter(|_| packet_id != 0)?;
        connection.unacknowledged.insert(packet_id);
        Some((connection.number << PACKET_ID_BITS) | u64::from(packet_id))
    }

    /// See [`crate::Link::acknowledge_all`].
    pub fn acknowledge(&self, deliveries: impl IntoIterator<Item = u64>) {
        let mut current = self.lock();
        let Some(connection) = current.as_mut() else { return };
        for delivery in deliveries {
            let Ok(packet_id) = u16::try_from(delivery & u64::from(u16::MAX)) else { continue };
            if connection.number == delivery >> PACKET_ID_BITS && connection.unacknowledged.remove(packet_id) {
                match connection.requests.acknowledge(packet_id) {
                    Some(asked) => _ = asked, // It is refused only by a session that has ended; the broker sends the packet again then.
                    None => connection.acknowledged.push(packet_id),
                }
            }
        }
        if !connection.acknowledged.is_empty() {
            drop(current);
            self.safe.notify_one();
        }
    }

    /// Resolves when there may be something to acknowledge.
    pub async fn has_acknowledged(&self) {
        self.safe.notified().await;
    }

    /// What is to be acknowledged on the current connection.
    pub fn take_acknowledged(&self) -> Vec<u16> {
        self.lock().as_mut().map(|connection| std::mem::take(&mut connection.acknowledged)).unwrap_or_default()
    }

    /// See [`crate::Link::try_publish`]; with a `receipt`, [`crate::Link::try_publish_told`].
    pub fn publish(&self, topic: String, payload: Vec<u8>, terms: Terms, receipt: Option<u64>) -> Result<(), NotSent> {
        if terms.qos > 1 {
            return Err(NotSent::Qos(terms.qos));
        }
        if topic.is_empty() || topic.contains(['+', '#', '\0']) {
            return Err(NotSent::Topic(topic));
        }
        let mut current = self.lock();
        let connection = current.as_mut().filter(|connection| connection.up).ok_or(NotSent::Down)?;
        let expiry = if terms.expiry_s.is_some() { EXPIRY_BYTES } else { 0 };
        let bytes = packet_bytes(topic.len(), payload.len()) + expiry;
        // A topic of more than 64 KiB cannot be written at all (MQTT 3.1.1, 1.5.3).
        let most = connection.packet_max_bytes;
        if bytes > most || topic.len() > usize::from(u16::MAX) {
            return Err(NotSent::TooLarge { bytes, most });
        }
        let waiting = connection.waiting.len();
        if waiting >= self.outbox {
            return Err(NotSent::Full { waiting });
        }
        let sent = Sent { topic: topic.clone(), receipt };
        let terms = Terms { qos: terms.qos.min(connection.qos_max), ..terms };
        connection.requests.publish(topic, payload, terms).map_err(|_| NotSent::Down)?;
        connection.waiting.push_back(sent);
        connection.unfinished += 1;
        Ok(())
    }

    /// The library has sent the publish that waited longest.
    pub fn sent(&self) -> Option<Sent> {
        self.lock().as_mut()?.waiting.pop_front()
    }

    /// One of ours is with the broker, or was refused by it.
    pub fn finished(&self) {
        if let Some(connection) = self.lock().as_mut() {
            connection.unfinished = connection.unfinished.saturating_sub(1);
        }
    }

    /// See [`crate::Link::unfinished`].
    pub fn unfinished(&self) -> usize {
        self.lock().as_ref().map_or(0, |connection| connection.unfinished)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        // Nothing under the lock can leave it half-changed, so a panic elsewhere does not spoil it.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message expiry interval among the properties of a PUBLISH (MQTT 5, 3.3.2.3.3).
const EXPIRY_BYTES: usize = 5;

/// The size of a PUBLISH at QoS 1 without properties; an upper bound for the others we send.
pub(crate) fn packet_bytes(topic: usize, payload: usize) -> usize {
    const FIXED_HEADER: usize = 5;
    const LENGTH_OF_TOPIC: usize = 2;
    const PACKET_ID: usize = 2;
    const NO_PROPERTIES: usize = 1;
    FIXED_HEADER + LENGTH_OF_TOPIC + PACKET_ID + NO_PROPERTIES + topic + payload
}
