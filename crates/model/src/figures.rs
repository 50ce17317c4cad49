//! What a part tells of itself, for whoever looks after it. `None` is no figure, never nothing.

use serde::{Deserialize, Serialize};

use crate::record::Share;
use crate::time::WallMs;

/// What the cache holds and how its file stands, read from the file alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheFigures {
    /// The version of its tables.
    pub schema: u32,
    /// The file, in bytes.
    pub file_bytes: u64,
    /// The write-ahead log beside it, in bytes.
    pub log_bytes: u64,
    /// A page, in bytes.
    pub page_bytes: u64,
    /// Pages of the file that hold nothing and are used before it grows.
    pub free_pages: u64,
    /// What each kind of record takes; every kind once, in the order of [`CacheKind::ALL`].
    pub kinds: Vec<(CacheKind, Share)>,
    /// Batches that wait to be packed.
    pub unpacked_batches: u64,
    /// When the oldest sample that waits to be packed was measured.
    pub oldest_unpacked_ms: Option<WallMs>,
    /// When its oldest sample was measured.
    pub oldest_ms: Option<WallMs>,
    /// When its newest sample was measured.
    pub newest_ms: Option<WallMs>,
    /// When the link was last known to be up.
    pub link_seen_ms: Option<WallMs>,
    /// How long it took to read this, in milliseconds.
    pub read_in_ms: u64,
}

/// A kind of record in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// The newest samples, as they came.
    Tail,
    /// Samples, packed.
    Samples,
    /// What happened in each minute of a series.
    Minutes,
    /// In each hour.
    Hours,
    /// In each day.
    Days,
    /// The latest of every series, a row for some hundred of them.
    Latest,
    /// Things.
    Things,
    /// Series of things.
    Series,
    /// Shadows.
    Shadows,
    /// What changed in shadows.
    ShadowChanges,
    /// Commands with their steps.
    Commands,
    /// Things of bulk commands.
    Bulks,
    /// Alarms.
    Alarms,
    /// Jobs, and how far each thing is with them.
    Jobs,
    /// Entries of the audit log.
    Audit,
    /// What was refused, and why.
    Refusals,
    /// Packet ids of committed batches, by which a redelivery is known.
    Packets,
    /// Empty pages.
    Free,
    /// What stands around the others: indexes, half-filled pages, the tables' own.
    Around,
}

impl CacheKind {
    /// Every kind: the history first, then what is now, then what holds it.
    pub const ALL: [CacheKind; 19] = [
        CacheKind::Tail,
        CacheKind::Samples,
        CacheKind::Minutes,
        CacheKind::Hours,
        CacheKind::Days,
        CacheKind::Latest,
        CacheKind::Things,
        CacheKind::Series,
        CacheKind::Shadows,
        CacheKind::ShadowChanges,
        CacheKind::Commands,
        CacheKind::Bulks,
        CacheKind::Alarms,
        CacheKind::Jobs,
        CacheKind::Audit,
        CacheKind::Refusals,
        CacheKind::Packets,
        CacheKind::Free,
        CacheKind::Around,
    ];

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            CacheKind::Tail => "samples, not yet packed",
            CacheKind::Samples => "samples, packed",
            CacheKind::Minutes => "minutes",
            CacheKind::Hours => "hours",
            CacheKind::Days => "days",
            CacheKind::Latest => "latest values",
            CacheKind::Things => "things",
            CacheKind::Series => "series",
            CacheKind::Shadows => "shadows",
            CacheKind::ShadowChanges => "changes of shadows",
            CacheKind::Commands => "commands",
            CacheKind::Bulks => "things of bulk commands",
            CacheKind::Alarms => "alarms",
            CacheKind::Jobs => "jobs",
            CacheKind::Audit => "audit log",
            CacheKind::Refusals => "refusals",
            CacheKind::Packets => "packet ids of batches",
            CacheKind::Free => "free pages",
            CacheKind::Around => "indexes and the rest",
        }
    }
}

/// What the cache's threads do now and did in this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriterFigures {
    /// Batches that are being written or wait for it.
    pub waiting: u64,
    /// Samples that wait to be packed.
    pub unpacked_samples: u64,
    /// Bytes of them.
    pub unpacked_bytes: u64,
    /// Samples left out because they were there already.
    pub duplicates: u64,
    /// Rows left out because they broke a rule, which is a fault of this program.
    pub left_out: u64,
    /// Times that something was met that is damaged.
    pub damaged: u64,
}

/// How long something took, over the last minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// How often it happened.
    pub count: u64,
    /// Over how long this looks back, in seconds.
    pub over_s: u32,
    /// Half of them took no longer, in microseconds.
    pub p50_us: u64,
    /// 99 of 100 took no longer, in microseconds.
    pub p99_us: u64,
    /// The longest, in microseconds.
    pub max_us: u64,
}
