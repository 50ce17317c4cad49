//! What the cache tells of itself to whoever looks after it: what each kind of record takes, how the file stands, what waits.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use fleetlens_model::figures::{CacheFigures, CacheKind, WriterFigures};
use fleetlens_model::record::Share;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, ErrorCode};

use crate::aside;
use crate::mover::Tail;
use crate::open::{self, MIGRATIONS};
use crate::table::run::{self, Tier};
use crate::table::{journal, meta};
use crate::writer::Counts;

/// The version of the tables that this program writes.
#[expect(clippy::cast_possible_truncation, reason = "there are a handful")]
pub const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// Sentences of damage that are worth reading.
const FINDINGS: usize = 5;

/// SQLite's version.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// A cache beside which something lies that tells of damage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Damage was met in use, and this was noted of it: the next start salvages.
    pub damaged: Option<String>,
    /// Earlier caches that were found damaged and moved aside, the oldest first.
    pub moved_aside: Vec<PathBuf>,
}

impl Beside {
    /// What lies beside a cache. A folder that cannot be read holds nothing.
    pub fn of(path: &Path) -> Beside {
        let damaged = aside::noted_damage(path).map(|noted| noted.to_string());
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        let of_ours = format!("{name}.broken-");
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_one = |file: &PathBuf| {
            let name = file.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            name.starts_with(&of_ours) && !name.ends_with("-wal") && !name.ends_with("-shm")
        };
        let mut moved_aside: Vec<PathBuf> = files.filter(is_one).collect();
        moved_aside.sort();
        Beside { damaged, moved_aside }
    }
}

/// Everything the file tells.
pub(crate) fn read(db: &Connection, path: &Path) -> rusqlite::Result<CacheFigures> {
    let began = Instant::now();
    // Of one moment: what leaves the journal comes to a run.
    let db = db.unchecked_transaction()?;
    let pragma = |name: &str| -> rusqlite::Result<u64> {
        let n: i64 = db.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(u64::try_from(n).unwrap_or(0))
    };
    let (schema, page_bytes) = (pragma("user_version")?, pragma("page_size")?);
    let (free_pages, pages) = (pragma("freelist_count")?, pragma("page_count")?);
    let runs = run::live(&db)?;
    let (unpacked_batches, ..) = journal::size(&db)?;
    let journal_span = journal::span(&db)?;
    let raw = || runs.iter().filter(|run| run.tier == Tier::Samples);
    let oldest_unpacked_ms = journal_span.map(|(from, _)| WallMs(from));
    let oldest = raw().map(|run| run.from_ms).chain(journal_span.map(|span| span.0)).min();
    let newest = raw().map(|run| run.to_ms).chain(journal_span.map(|span| span.1)).max();
    let mut kinds = Vec::with_capacity(CacheKind::ALL.len());
    for kind in CacheKind::ALL {
        let share = match kind {
            CacheKind::Tail => {
                let (_, entries, bytes) = journal::size(&db)?;
                Share { entries, bytes }
            }
            CacheKind::Samples => of_tier(&runs, Tier::Samples),
            CacheKind::Minutes => of_tier(&runs, Tier::Minutes),
            CacheKind::Hours => of_tier(&runs, Tier::Hours),
            CacheKind::Days => of_tier(&runs, Tier::Days),
            CacheKind::Latest => of_table(&db, "latest")?,
            CacheKind::Things => of_table(&db, "thing")?,
            CacheKind::Series => of_table(&db, "series")?,
            CacheKind::Shadows => of_table(&db, "shadow")?,
            CacheKind::ShadowChanges => of_table(&db, "shadow_change")?,
            CacheKind::Commands => of_table(&db, "command")?,
            CacheKind::Bulks => of_table(&db, "bulk_thing")?,
            CacheKind::Alarms => of_table(&db, "alarm")?,
            CacheKind::Jobs => {
                let (jobs, parts) = (of_table(&db, "job")?, of_table(&db, "job_execution")?);
                Share { entries: jobs.entries + parts.entries, bytes: jobs.bytes + parts.bytes }
            }
            CacheKind::Audit => of_table(&db, "audit")?,
            CacheKind::Refusals => of_table(&db, "refusal")?,
            CacheKind::Packets => of_table(&db, "packets")?,
            CacheKind::Free => Share { entries: 0, bytes: free_pages.saturating_mul(page_bytes) },
            // All that is not told by then.
            CacheKind::Around => {
                let told: u64 = kinds.iter().map(|(_, share): &(CacheKind, Share)| share.bytes).sum();
                Share { entries: 0, bytes: pages.saturating_mul(page_bytes).saturating_sub(told) }
            }
        };
        kinds.push((kind, share));
    }
    let link_seen_ms = meta::link_last_seen(&db)?;
    db.finish()?;
    Ok(CacheFigures {
        schema: u32::try_from(schema).unwrap_or(u32::MAX),
        file_bytes: open::bytes_of(path),
        log_bytes: open::log_bytes(path),
        page_bytes,
        free_pages,
        kinds,
        unpacked_batches,
        oldest_unpacked_ms,
        oldest_ms: oldest.map(WallMs),
        newest_ms: newest.map(WallMs),
        link_seen_ms,
        read_in_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

fn of_tier(runs: &[run::Run], tier: Tier) -> Share {
    let of_tier = runs.iter().filter(|run| run.tier == tier);
    of_tier.fold(Share::default(), |share, run| Share {
        entries: share.entries + run.entries,
        bytes: share.bytes + run.bytes,
    })
}

/// Rows of a table and the pages they take. Reads the table's pages: for those that are small beside the history.
fn of_table(db: &Connection, table: &'static str) -> rusqlite::Result<Share> {
    let entries: i64 = db.query_one(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
    let bytes: Option<i64> =
        db.query_one("SELECT sum(pgsize) FROM dbstat WHERE name = ?1 AND aggregate = TRUE", [table], |row| row.get(0))?;
    let positive = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(Share { entries: positive(entries), bytes: positive(bytes.unwrap_or(0)) })
}

/// See [`crate::Reading::quick_check`].
pub(crate) fn quick_check(db: &Connection, within: Duration) -> rusqlite::Result<Option<Vec<String>>> {
    let interrupt = db.get_interrupt_handle();
    let (done, is_done) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(within) == Err(RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let found = (|| {
            let mut statement = db.prepare(&format!("PRAGMA quick_check({FINDINGS})"))?;
            let sentences = statement.query_map([], |row| row.get::<_, String>(0))?;
            sentences.collect::<rusqlite::Result<Vec<String>>>()
        })();
        drop(done);
        match found {
            Ok(sentences) if sentences == ["ok"] => Ok(Some(Vec::new())),
            Ok(sentences) => Ok(Some(sentences)),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(None),
            Err(error) => Err(error),
        }
    })
}

pub(crate) fn of_writer(counts: &Counts, tail: &Tail) -> WriterFigures {
    let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    // Answered first: what is taken between the two looks makes it more, never less than nothing.
    let answered = of(&counts.answered);
    WriterFigures {
        waiting: of(&counts.taken).saturating_sub(answered),
        unpacked_samples: of(&tail.samples),
        unpacked_bytes: of(&tail.bytes),
        duplicates: of(&counts.duplicates),
        left_out: of(&counts.left_out),
        damaged: of(&counts.damaged),
    }
}
