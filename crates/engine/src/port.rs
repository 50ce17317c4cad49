//! The three ports through which the engine touches the world, and what passes through them.

use std::future::Future;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use fleetlens_ipc::Parcel;
use fleetlens_ipc::rows::MessageProperties;
use fleetlens_model::alarm::{Alarm, Priority};
use fleetlens_model::geo::LonLat;
use fleetlens_model::heard::{Batch, Heard};
use fleetlens_model::id::{AlarmId, CommandId, ThingKey};
use fleetlens_model::record::{History, HistoryQuery, StoreStats, Write};
use fleetlens_model::time::{MonoMs, Now, WallMs};
use thiserror::Error;

/// A window of this run; numbered by whoever attaches it, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowId(pub u64);

/// The guarantee of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// At most once.
    AtMostOnce,
    /// At least once.
    AtLeastOnce,
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Always at least once for commands.
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// Not to be sent after this moment: a disk that took minutes must not let an old wish out. Nor to be handed on by the broker
    /// after it, where the broker can be told.
    pub until: MonoMs,
    /// The command that it is a message of, which hears whether it was sent, and when the broker has it. Then it is at least once and not
    /// retained.
    pub command: Option<CommandId>,
}

/// The link's handle of a message that must be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery(pub u64);

/// A message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Replayed by the broker on subscribe.
    pub retained: bool,
    /// DUP was set: the broker has sent it before.
    pub redelivered: bool,
    /// MQTT packet id; 0 at QoS 0.
    pub packet_id: u16,
    /// What it carried besides, with MQTT 5; `None` when nothing.
    pub properties: Option<Box<MessageProperties>>,
    /// What to acknowledge once it is on the disk; `None` at QoS 0.
    pub delivery: Option<Delivery>,
}

impl Received {
    /// The message where it lies; its properties are left out.
    pub fn heard(&self) -> Heard<'_> {
        let Received { topic, payload, retained, redelivered, packet_id, delivery, .. } = self;
        let (retained, redelivered, packet_id) = (*retained, *redelivered, *packet_id);
        Heard { topic, payload, retained, redelivered, packet_id, delivery: delivery.map(|delivery| delivery.0) }
    }
}

/// What the link tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// It tries, or waits before the next try; with what went wrong last.
    Connecting {
        /// For a person: what failed and what to change.
        reason: Option<String>,
    },
    /// Connected, every filter subscribed.
    Up {
        /// The broker kept our session: packet ids mean what they meant before.
        resumed: bool,
        /// The lowest QoS the broker granted to any of our filters.
        granted: u8,
    },
    /// The connection is gone; it tries again by itself.
    Down {
        /// For a person.
        reason: String,
    },
    /// A message.
    Received(Received),
    /// Messages that came together and carry nothing besides, in their order.
    Messages(Batch),
    /// QoS 0 messages that were left out because the inbox was full.
    Shed {
        /// How many since the last event, by topic; all that are not counted one by one under the empty topic.
        topics: Vec<(String, u64)>,
    },
    /// The broker has a message of a command.
    Acknowledged {
        /// Which one's.
        command: CommandId,
    },
    /// A packet the link could not make a message of.
    Refused {
        /// The topic as far as it can be shown.
        topic: String,
        /// Why.
        reason: String,
        /// To be acknowledged like a message.
        delivery: Option<Delivery>,
    },
}

/// The message could not be handed to the link; it was not sent and will not be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the link is down or its queue is full")]
pub struct NotSent;

/// The cache failed, or did not take everything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct StoreFault {
    /// For a person.
    pub message: String,
    /// What it means for the batch.
    pub kind: StoreFaultKind,
}

/// What a fault of the cache means for the batch that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFaultKind {
    /// Nothing of the batch is stored, and it is worth another try.
    Passing,
    /// A row that somebody waits for (a command, an alarm, an entry of the audit log) breaks a rule and would break it every time, which
    /// is a fault of the program: it was left out, and every other row of the batch is stored.
    LeftOut,
    /// The cache is damaged: nothing of the batch is stored, and another try would fail as well. Whoever opened the cache ends this
    /// engine and begins one with what can be read; what was not acknowledged the broker says again.
    Damaged,
}

/// The way out to the broker. Never blocks.
pub trait Link: Send + 'static {
    /// Hands a message over, which the broker is to hand on within `left_ms`, in milliseconds.
    fn publish(&mut self, message: Publish, left_ms: u64) -> Result<(), NotSent>;
    /// Subscribes to further filters, now and on every connection that follows. Known ones may be among them.
    fn subscribe(&mut self, filters: Vec<String>);
    /// Tells the broker that messages are safe with us. Of a connection that is gone: does nothing.
    fn acknowledge(&mut self, deliveries: Vec<Delivery>);
}

/// The local cache. Futures are driven by the engine's actor.
pub trait Store: Send + 'static {
    /// Performs the writes in one transaction, after those of every earlier call; resolves when they are on the disk. Which of them
    /// are not after a fault is what [`StoreFault::kind`] says.
    fn commit(&mut self, writes: Arc<Vec<Write>>) -> impl Future<Output = Result<(), StoreFault>> + Send + 'static;
    /// Reads a stretch of a series.
    fn history(&mut self, query: HistoryQuery) -> impl Future<Output = Result<History, StoreFault>> + Send + 'static;
    /// Reads the newest alarms of a thing whose life touches a span, at most `most`.
    fn alarms_of(
        &mut self,
        thing: ThingKey,
        span: Range<WallMs>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Alarm>, StoreFault>> + Send + 'static;
    /// Reads size and age of the cache.
    fn stats(&mut self) -> impl Future<Output = Result<StoreStats, StoreFault>> + Send + 'static;
}

/// The windows. Never blocks.
pub trait Ui: Send + 'static {
    /// Hands a parcel to a window; `Break` means the window is gone.
    fn push(&mut self, window: WindowId, parcel: Parcel) -> ControlFlow<()>;
    /// A window that does not listen is told nothing more; whoever shows it lets go of it, so that it may come anew.
    fn close(&mut self, window: WindowId);
    /// Tells a person outside the windows; whether anything can be shown there is the port's business.
    fn alert(&mut self, alert: Alert);
    /// Tells of an alarm, for people who are not before any window; whom and when is the port's business.
    fn happened(&mut self, happened: Happened);
}

/// Something a person should see although no window of ours is before them: an alarm that needs them at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The alarm.
    pub alarm: AlarmId,
    /// Its thing.
    pub thing: ThingKey,
    /// What is wrong: `Gateway Marsa-2 silent`.
    pub title: String,
    /// What was seen and what to do.
    pub body: String,
    /// Where it is: of one alarm at most one place, of a flood those of its first alarms, at most
    /// [`ALERT_PLACES_MAX`](crate::fleet::ALERT_PLACES_MAX). Of a thing whose place nobody knows there is none.
    pub places: Vec<AlertPlace>,
}

/// Where one alarm of an [`Alert`] is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertPlace {
    /// Where its thing is.
    pub at: LonLat,
    /// How urgent it is.
    pub priority: Priority,
}

/// What became of an alarm, for people who are not before any window. The same may come again after a restart.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// They are told.
    News(Box<News>),
    /// Somebody has acknowledged it or took it off the list: nobody has to be called for it any more until it is news again.
    Settled(AlarmId),
}

/// What is told of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmEvent {
    /// It became so.
    Raised,
    /// It was told before and is still so.
    ToldAgain,
    /// It is not so any more.
    Cleared,
}

/// One event of one alarm, in words that need no window. Not `reach::Notice`, though much of it is alike: that one is a promise to whoever
/// reads the webhook, and this side does not know that there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// What happened.
    pub event: AlarmEvent,
    /// The alarm.
    pub alarm: AlarmId,
    /// The profile's name.
    pub fleet: String,
    /// The thing's name, as the broker spells it.
    pub thing: String,
    /// The thing's name for people.
    pub title: String,
    /// The rule's id.
    pub rule: String,
    /// The rule's name for people.
    pub name: String,
    /// How bad it is.
    pub priority: Priority,
    /// What was seen.
    pub sentence: String,
    /// What usually causes it; may be empty.
    pub cause: String,
    /// What happens when nobody acts; may be empty.
    pub consequence: String,
    /// What to do about it.
    pub what_to_do: String,
    /// When it happened, by our wall clock; with alarm and event it names this news and no other.
    pub at_ms: WallMs,
    /// Where the thing is, if that is known.
    pub place: Option<LonLat>,
}

/// Reads both clocks.
pub trait Clock: Send + 'static {
    /// Now.
    fn now(&self) -> Now;
}
