//! What the local cache keeps: the one list of writes that the engine asks for and the store performs, and what comes back at start-up.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;
use crate::alarm::detector::Position;
use crate::alarm::rhythm::Day;
use crate::audit::Entry;
use crate::bulk;
use crate::command::Command;
use crate::described::{Commons, Described};
use crate::downsample::Bucket;
use crate::id::{BulkId, SeriesKey, ThingKey, ThingName};
use crate::job::{Job, ThingJob};
use crate::shadow::change::Change;
use crate::shadow::{Document, Packed};
use crate::shared::{SharedText, Texts};
use crate::telemetry::Sample;
use crate::thing::Meta;
use crate::time::WallMs;

/// So many of the last QoS 1 packets are known by their ids: more than a broker has on the way to one client, and no more than half of
/// the ids there are, so that what an id stood for a round ago is forgotten before the id comes again.
pub const PACKETS_KNOWN: usize = 32_767;

/// One change of the cache. Writes are performed in order; those of one batch in one transaction.
///
/// Nearly all are samples, so whatever is bigger and seldom lies elsewhere: a batch takes as little as its samples do.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A thing, new or described anew.
    Thing {
        /// Its key.
        thing: ThingKey,
        /// Its name; never changes for a key.
        name: ThingName,
        /// What is known of it.
        meta: Box<Meta>,
    },
    /// A thing fell silent, or spoke again after it had.
    Silent {
        /// The thing.
        thing: ThingKey,
        /// Whether it is silent now.
        silent: bool,
    },
    /// A series that was not there before.
    Series {
        /// Its key.
        series: SeriesKey,
        /// Its thing.
        thing: ThingKey,
        /// JSON pointer of its value.
        pointer: String,
    },
    /// A value. Dropped when its sequence is not above all before it (the batch was given again), and when it was dated by the device
    /// and series, time and value are already there (ADR 3); becomes the latest of its series if it [`Sample::supersedes`] the one
    /// that is.
    Sample(Sample),
    /// A shadow as it is now.
    Shadow {
        /// Its thing.
        thing: ThingKey,
        /// Empty for the classic one.
        name: String,
        /// The document; `None` when the shadow was deleted.
        document: Option<Box<Document>>,
        /// When we heard of it.
        heard_ms: WallMs,
    },
    /// A shadow's document became otherwise, in the same batch as the document. One whose number is not above all before it was given
    /// again, and nothing is added; beyond [`crate::shadow::change::CHANGES_KEPT`] the shadow's oldest goes.
    ShadowChanged {
        /// Its thing.
        thing: ThingKey,
        /// Empty for the classic one.
        name: String,
        /// What changed, and who did it.
        change: Box<Change>,
    },
    /// A command as it is now, new or known.
    Command(Box<Command>),
    /// An alarm as it is now, new or known.
    Alarm(Box<Alarm>),
    /// A bulk command as it is now, new or known, without its things.
    Bulk(Box<bulk::Head>),
    /// Things of a bulk command as they are now, new or known. One that is asked is in the same batch as its command.
    BulkRows {
        /// The bulk command.
        bulk: BulkId,
        /// Each with its place, from 0.
        rows: Box<[(u32, bulk::Row)]>,
    },
    /// A bulk command is no longer kept, nor are its things in it; their commands are.
    BulkGone(BulkId),
    /// A job as it is now, new or known.
    Job(Box<Job>),
    /// A thing's part of a job as it is now, new or known; its job is there.
    ThingJob(Box<ThingJob>),
    /// A job that is not kept any more, by its id, with all its things' parts.
    JobGone(String),
    /// What was learned of a day of the week of a series, in the place of what was known of it.
    Rhythm {
        /// The series.
        series: SeriesKey,
        /// 0–6 from Monday.
        weekday: u8,
        /// Its hours.
        day: Box<Day>,
    },
    /// Nothing is learned of a series any more, and what was is forgotten.
    RhythmGone(SeriesKey),
    /// Where a thing is in a rule's state machine.
    Position(Box<Placed>),
    /// It is in none any more.
    PositionGone {
        /// The thing.
        thing: ThingKey,
        /// The rule's id.
        rule: String,
    },
    /// Something for the audit log, in the same batch as what it tells of. Of a number that is there already nothing is added: the same
    /// entry was given again, another one breaks a rule.
    Audit(Box<Entry>),
    /// A QoS 1 packet whose rows are in this transaction (ADR 3).
    Unacked {
        /// MQTT packet id, not 0.
        packet_id: u16,
        /// Digest of topic and payload.
        digest: u64,
    },
    /// The broker began a new session with us: what packet ids stood for until now they stand for no more.
    NewSession,
    /// A message that was refused.
    Refused {
        /// Its topic, cut to 256 characters.
        topic: String,
        /// Why.
        reason: String,
        /// When.
        at_ms: WallMs,
    },
    /// When our link was last known to be up: what everything cached is "as of".
    LinkSeen {
        /// The moment.
        at_ms: WallMs,
    },
}

/// Where a thing is in a rule's state machine, as the cache keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The thing.
    pub thing: ThingKey,
    /// The rule's id.
    pub rule: String,
    /// Where.
    pub position: Position,
    /// When that was, by our wall clock, if its timers ran then; `None` when they stood still, because we did not listen.
    pub running_ms: Option<WallMs>,
}

/// A refusal as the cache counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The topic, at most 256 characters.
    pub topic: String,
    /// Why.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// The last time.
    pub last_ms: WallMs,
}

/// Everything the engine needs to show the last picture without a broker. In order of key wherever there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Restored {
    /// This installation's random number, made when the cache was: a part of every client token.
    pub installation: u64,
    /// Every thing.
    pub things: Vec<(ThingKey, ThingName, Described)>,
    /// The things that were silent when we last listened.
    pub silent: Vec<ThingKey>,
    /// Every series.
    pub series: Vec<(SeriesKey, ThingKey, SharedText)>,
    /// The latest sample of every series that has one.
    pub latest: Vec<Sample>,
    /// Every shadow with the time we last heard of it.
    pub shadows: Vec<(ThingKey, SharedText, Packed, WallMs)>,
    /// Open commands and, for the timelines, the newest 20 ended ones of each thing.
    pub commands: Vec<Command>,
    /// Every open alarm and the newest [`ENDED_ALARMS_RESTORED`] others.
    pub alarms: Vec<Alarm>,
    /// What was learned of days of the week, by series and day.
    pub rhythms: Vec<(SeriesKey, u8, Day)>,
    /// Where things are in state machines.
    pub positions: Vec<Placed>,
    /// Every bulk command that is kept, with its things in their places.
    pub bulks: Vec<(bulk::Head, Vec<bulk::Row>)>,
    /// Every job that is kept, by its id.
    pub jobs: Vec<Job>,
    /// How far each thing is with each of them, by job and thing.
    pub thing_jobs: Vec<ThingJob>,
    /// The highest alarm id ever given.
    pub last_alarm: u64,
    /// The highest command id ever given.
    pub last_command: u64,
    /// The highest number ever given to an entry of the audit log.
    pub last_audit: u64,
    /// The highest number ever given to a change of a shadow.
    pub last_change: u64,
    /// The highest sample sequence ever given.
    pub last_seq: u64,
    /// QoS 1 packets that were committed and perhaps not acknowledged.
    pub unacked: Vec<(u16, u64)>,
    /// When our link was last known to be up.
    pub link_seen_ms: Option<WallMs>,
    /// Size and age of the cache.
    pub stats: StoreStats,
    /// The texts that are shared by what is above.
    pub texts: Texts,
    /// What the descriptions above have in common.
    pub commons: Commons,
}

/// What came after one moment and up to another, each in the order of time: what a replay plays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Passage {
    /// Up to when: less than was asked for where there was more than was wanted.
    pub until: WallMs,
    /// What was said, in the order in which it was received.
    pub samples: Vec<Sample>,
    /// Shadows as they became.
    pub shadows: Vec<ShadowThen>,
    /// Alarms as they became.
    pub alarms: Vec<(WallMs, Alarm)>,
}

/// A shadow as it became.
#[derive(Clone, Debug, PartialEq)]
pub struct ShadowThen {
    /// When we heard of it.
    pub heard_ms: WallMs,
    /// Its thing.
    pub thing: ThingKey,
    /// Empty for the classic one.
    pub name: String,
    /// What it said; `None` where nobody can tell, or there was none any more.
    pub document: Option<Document>,
}

/// How many alarms that are not open any more come back at start-up, for the history.
pub const ENDED_ALARMS_RESTORED: usize = 500;

/// How much the cache keeps. What is over a limit goes, samples before minutes before hours, the oldest first; latest values, shadows,
/// open commands, open alarms and the audit log stay whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// How old samples, changes of shadows, ended commands and ended alarms may become, in days; within [`Retention::KEEP_DAYS`].
    pub keep_days: u32,
    /// How old what happened in each minute may become, in days; within [`Retention::KEEP_DAYS`].
    pub minutes_days: u32,
    /// How old what happened in each hour may become, in days; within [`Retention::KEEP_DAYS`]. `None` is for ever. What happened on
    /// each day stays.
    pub hours_days: Option<u32>,
    /// How big the cache may become on the disk, in megabytes (10⁶ bytes); within [`Retention::MAX_MB`].
    pub max_mb: u32,
}

impl Retention {
    /// The days it may be told to keep.
    pub const KEEP_DAYS: RangeInclusive<u32> = 1..=3_650;
    /// The megabytes it may be told to keep.
    pub const MAX_MB: RangeInclusive<u32> = 16..=1_000_000;
}

impl Default for Retention {
    /// A month, a year of minutes, every hour, and two gigabytes.
    fn default() -> Retention {
        Retention { keep_days: 30, minutes_days: 365, hours_days: None, max_mb: 2_000 }
    }
}

/// How big and how old the cache is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStats {
    /// Bytes on the disk, write-ahead log included.
    pub bytes: u64,
    /// When its oldest sample was measured.
    pub oldest_ms: Option<WallMs>,
    /// Samples in it.
    pub samples: u64,
    /// Of those the newest, as they came.
    pub tail: Share,
    /// And the others, compressed.
    pub packed: Share,
    /// What happened in each minute of a series.
    pub minutes: Share,
    /// In each hour.
    pub hours: Share,
    /// In each day.
    pub days: Share,
}

/// What one kind of record takes of the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Samples, or minutes, hours, days of one series.
    pub entries: u64,
    /// Bytes of them; the tables around them take some more.
    pub bytes: u64,
}

/// A stretch of one series, downsampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Which series.
    pub series: SeriesKey,
    /// From here, included.
    pub from_ms: WallMs,
    /// To here, excluded.
    pub to_ms: WallMs,
    /// Width of a bucket, at least 1.
    pub bucket_ms: u64,
    /// Only samples up to this sequence, so that what arrives after the question is not counted twice.
    pub up_to_seq: u64,
}

/// The answer to a [`HistoryQuery`], in the order of time.
pub type History = Vec<Bucket>;
