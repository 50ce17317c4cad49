//! Opening a cache: whose it is, which schema it has, and whether somebody else has it.
//!
//! **A cache's file is never opened and closed by our own hand while this process may have it open in SQLite**: where locks are POSIX's,
//! closing any descriptor of a file drops all of the process on it (sqlite.org/howtocorrupt.html, 2.2). Another program that then
//! looks into the cache takes itself for the only one, and takes the log away under the writer, which goes on committing into nothing.
//! SQLite keeps its own descriptors from that; what we have to read ourselves is read by a [`kept`] one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
#[cfg(not(unix))]
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use fleetlens_model::described::Commons;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::record::{Restored, Share, StoreStats};
use fleetlens_model::shared::{SharedText, Texts};
use fleetlens_model::telemetry::Sample;
use fleetlens_model::time::WallMs;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::StoreError;
use crate::table::run::{self, Tier};
use crate::table::{
    alarm, bulk, command, job, journal, latest, meta, packets, position, rhythm, series, shadow, thing,
};
use crate::upgrade;

/// Stands in the file's header, so that other programs and `file(1)` can tell it: "Flnz".
const APPLICATION_ID: i32 = 0x466c_6e7a;

/// What makes a schema version of the one before: SQL and, where rows change their shape, what moves them after it.
pub(crate) type Migration = (&'static str, Option<fn(&Connection) -> rusqlite::Result<()>>);

/// Append-only. The version is how many were applied.
pub(crate) const MIGRATIONS: &[Migration] = &[
    (include_str!("../migrations/0001_initial.sql"), None),
    (include_str!("../migrations/0002_silence_and_who_cancelled.sql"), None),
    (include_str!("../migrations/0003_alarms.sql"), None),
    (include_str!("../migrations/0004_journal_and_runs.sql"), Some(upgrade::to_4)),
    (include_str!("../migrations/0005_audit.sql"), None),
    (include_str!("../migrations/0006_commands.sql"), None),
    (include_str!("../migrations/0007_alarm_states.sql"), None),
    (include_str!("../migrations/0008_rhythms_and_positions.sql"), None),
    (include_str!("../migrations/0009_advisory_alarms.sql"), None),
];

/// Waits for another program's lock this long: somebody may look into the file with other tools.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Pages of 4 KiB in the write-ahead log before they move into the file: some 4 MiB. Four times as many were no faster
/// (`cargo xtask bench store`), and under a steady stream the log is that long all day.
const CHECKPOINT_PAGES: i64 = 1_000;

/// The log's file is cut to this when it begins anew after a burst, and made empty in a lull; a shorter one is left alone, because
/// space that is there already is written faster.
pub(crate) const LOG_KEPT_BYTES: u64 = 4 * 1024 * 1024;

/// Page cache of the writer, in KiB. What it writes most are new pages at the end; the system keeps the others as well.
const WRITER_CACHE_KIB: i64 = 4_096;

/// The right to a cache, given back when dropped. Held beside the file, because SQLite's own locks come and go.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    /// [`kept`], while the cache is open.
    cache: Option<Arc<File>>,
}

impl Drop for Lock {
    /// Said, not left to the closing of the file: a program that another thread starts just now holds a copy of every open file
    /// until it is loaded, and with it the lock.
    fn drop(&mut self) {
        // Of a file that was locked and is still open there is nothing to refuse; closing it comes next in any case.
        let _ = self.file.unlock();
    }
}

impl Lock {
    pub fn take(path: &Path) -> Result<Lock, StoreError> {
        let io = StoreError::io(path);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(&io)?;
        }
        let beside = beside(path, ".lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(beside).map_err(&io)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file, cache: None }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Whoever has the right has the file open in SQLite, and lets go of it before this.
    pub fn keeps(mut self, path: &Path) -> Lock {
        self.cache = kept(path).ok();
        self
    }
}

/// Opens or makes the cache for writing and reads what a start needs. Refuses, without changing a byte, what is not ours.
pub(crate) fn open(path: &Path, profile: &str, new_installation: u64) -> Result<(Connection, Restored), StoreError> {
    check_header(path)?;
    let at = StoreError::at(path);
    let mut db = Connection::open(path).map_err(&at)?;
    // Until it is known to be ours nothing is moved into the file, not even what a killed writer left in its log.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(&at)?;
    db.busy_timeout(BUSY).map_err(&at)?;
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&at)?;
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(&at)?;
    let tables: i64 = db.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(&at)?;
    check_version(path, version, application, tables == 0)?;
    if version > 0 {
        // Every cache says whose it is.
        let lost = || StoreError::Corrupt { path: path.to_owned(), detail: "it does not say whose it is".to_owned() };
        let found = meta::profile(&db).map_err(&at)?.ok_or_else(lost)?;
        if found != profile {
            return Err(StoreError::OtherProfile { path: path.to_owned(), found, wanted: profile.to_owned() });
        }
    }
    if tables == 0 {
        // Before the file has its first page: later it would take writing the whole file anew.
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(&at)?;
    }
    configure(&mut db).map_err(&at)?;
    migrate(&mut db, version, profile, new_installation).map_err(&at)?;
    let restored = restore(&db, open_reader(path)?, path)?;
    // Last: a file that turns out to be damaged is left as it was.
    run::give_up_all(&db).map_err(&at)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(&at)?;
    Ok((db, restored))
}

/// Opens somebody's cache to look into it, after the same looks as [`open`]; of whatever profile it is.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    open_to_read_of(path, false)
}

/// Refuses what is not this profile's cache, or a newer program's, without a change to it; what cannot even be read says nothing of
/// whose it is.
pub(crate) fn check_whose(path: &Path, profile: &str) -> Result<(), StoreError> {
    let found = match open_to_read(path) {
        Ok(db) => meta::profile(&db).ok().flatten(),
        Err(error @ (StoreError::Newer { .. } | StoreError::Foreign { .. })) => return Err(error),
        Err(_) => None,
    };
    match found {
        Some(found) if found != profile => {
            Err(StoreError::OtherProfile { path: path.to_owned(), found, wanted: profile.to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}

fn open_to_read_of(path: &Path, as_it_lies: bool) -> Result<Connection, StoreError> {
    // SQLite says of a file that is not there only that it cannot be opened.
    if std::fs::metadata(path).map_err(StoreError::io(path))?.len() == 0 {
        return Err(StoreError::NotADatabase { path: path.to_owned() });
    }
    check_header(path)?;
    let db = open_reader_of(path, as_it_lies)?;
    let at = StoreError::at(path);
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&at)?;
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(&at)?;
    check_version(path, version, application, false)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version < known {
        return Err(StoreError::Older { path: path.to_owned(), found: version, known });
    }
    Ok(db)
}

/// Opens a cache that is there, for reading only.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    open_reader_of(path, false)
}

/// [`open_reader`]; `as_it_lies` reads the file alone, as one that nobody changes: where the files of a log cannot be made, SQLite
/// refuses to read it otherwise (sqlite.org/wal.html, "Read-Only Databases").
pub(crate) fn open_reader_of(path: &Path, as_it_lies: bool) -> Result<Connection, StoreError> {
    let at = StoreError::at(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = match as_it_lies {
        true => Connection::open_with_flags(immutable(path)?, flags | OpenFlags::SQLITE_OPEN_URI),
        false => Connection::open_with_flags(path, flags),
    }
    .map_err(&at)?;
    db.busy_timeout(BUSY).map_err(&at)?;
    Ok(db)
}

/// The file as SQLite names one that nobody changes (sqlite.org/uri.html).
fn immutable(path: &Path) -> Result<String, StoreError> {
    let whole = std::path::absolute(path).map_err(StoreError::io(path))?;
    let no_text = || StoreError::Io { path: path.to_owned(), detail: "its name is not UTF-8".to_owned() };
    let mut uri = "file:".to_owned();
    for byte in whole.to_str().ok_or_else(no_text)?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(uri + "?immutable=1")
}

/// [`open_to_read`] where perhaps nothing can be written, and whether it is read as it lies.
pub(crate) fn open_to_look(path: &Path) -> Result<(Connection, bool), StoreError> {
    match open_to_read(path) {
        // Without a log the file is all there is.
        Err(StoreError::Io { .. } | StoreError::DiskFull { .. }) if log_bytes(path) == 0 => {
            Ok((open_to_read_of(path, true)?, true))
        }
        opened => Ok((opened?, false)),
    }
}

/// Reads what a start needs from a cache of this schema and profile that cannot be written, and whether it was read as it lies.
pub(crate) fn look(path: &Path, profile: &str) -> Result<(Restored, bool), StoreError> {
    let (db, as_it_lies) = open_to_look(path)?;
    let found = meta::profile(&db).map_err(StoreError::at(path))?.unwrap_or_default();
    if found != profile {
        return Err(StoreError::OtherProfile { path: path.to_owned(), found, wanted: profile.to_owned() });
    }
    Ok((restore(&db, open_reader_of(path, as_it_lies)?, path)?, as_it_lies))
}

/// Room that opening a cache may take.
const PROBE_BYTES: usize = 1 << 20;

/// Fails where a cache that is there, or files beside it, cannot be written, or there is no room.
pub(crate) fn may_be_written(path: &Path) -> std::io::Result<()> {
    // By SQLite, which opens what it may not write for reading: whoever looks into the file meanwhile keeps his locks.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(std::io::Error::other)?;
    if db.is_readonly(rusqlite::MAIN_DB).map_err(std::io::Error::other)? {
        return Err(ErrorKind::PermissionDenied.into());
    }
    drop(db);
    let probe = beside(path, ".probe");
    let written = std::fs::write(&probe, vec![0; PROBE_BYTES]);
    match std::fs::remove_file(probe) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => written,
    }
}

/// Bytes on the disk, the write-ahead log included.
pub(crate) fn bytes_on_disk(path: &Path) -> u64 {
    bytes_of(path) + log_bytes(path)
}

/// Bytes of the write-ahead log on the disk; 0 where there is none.
pub(crate) fn log_bytes(path: &Path) -> u64 {
    bytes_of(&beside(path, "-wal"))
}

pub(crate) fn bytes_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

pub(crate) fn stats(db: &Connection, path: &Path) -> Result<StoreStats, StoreError> {
    measure(db, path).map_err(StoreError::at(path))
}

fn measure(db: &Connection, path: &Path) -> rusqlite::Result<StoreStats> {
    // Of one moment: what leaves the journal comes to a run.
    let moment = db.unchecked_transaction()?;
    measured(&moment, path)
}

/// The same within a transaction.
pub(crate) fn measured(db: &Connection, path: &Path) -> rusqlite::Result<StoreStats> {
    let runs = run::live(db)?;
    let of_tier = |tier: Tier| {
        let of_tier = runs.iter().filter(|run| run.tier == tier);
        of_tier.fold(Share::default(), |share, run| Share {
            entries: share.entries + run.entries,
            bytes: share.bytes + run.bytes,
        })
    };
    let (_, entries, bytes) = journal::size(db)?;
    let tail = Share { entries, bytes };
    let packed = of_tier(Tier::Samples);
    let raw = runs.iter().filter(|run| run.tier == Tier::Samples).map(|run| run.from_ms);
    let oldest_ms = raw.chain(journal::span(db)?.map(|span| span.0)).min().map(WallMs);
    Ok(StoreStats {
        bytes: bytes_on_disk(path),
        oldest_ms,
        samples: tail.entries + packed.entries,
        tail,
        packed,
        minutes: of_tier(Tier::Minutes),
        hours: of_tier(Tier::Hours),
        days: of_tier(Tier::Days),
    })
}

/// Files that are open to be read by our own hand.
static KEPT: Mutex<Vec<Weak<File>>> = Mutex::new(Vec::new());

/// A file to read by our own hand: the same one for the same file, whoever asks. Whoever has the file open in SQLite holds this as well,
/// and lets go of it afterwards; so it is closed only when no lock of this process is left on it. The position in it is everybody's.
#[cfg(unix)]
pub(crate) fn kept(path: &Path) -> std::io::Result<Arc<File>> {
    use std::os::unix::fs::MetadataExt;

    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|file| file.strong_count() > 0);
    let its = |about: std::fs::Metadata| (about.dev(), about.ino());
    let wanted = its(std::fs::metadata(path)?);
    let mut known = all.iter().filter_map(Weak::upgrade);
    if let Some(file) = known.find(|file| file.metadata().is_ok_and(|about| its(about) == wanted)) {
        return Ok(file);
    }
    let file = Arc::new(File::open(path)?);
    all.push(Arc::downgrade(&file));
    Ok(file)
}

/// Elsewhere a lock is its descriptor's own.
#[cfg(not(unix))]
pub(crate) fn kept(path: &Path) -> std::io::Result<Arc<File>> {
    File::open(path).map(Arc::new)
}

/// The first bytes of a file, at most a header's.
fn header_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut header = vec![0; HEADER_BYTES];
    let file = kept(path)?;
    #[cfg(unix)]
    let read = |at: usize, into: &mut [u8]| std::os::unix::fs::FileExt::read_at(&*file, into, at as u64);
    #[cfg(not(unix))]
    let read = |_: usize, into: &mut [u8]| (&*file).read(into);
    let mut known = 0;
    while let Some(rest) = header.get_mut(known..).filter(|rest| !rest.is_empty()) {
        match read(known, rest) {
            Ok(0) => break,
            Ok(more) => known += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    header.truncate(known);
    Ok(header)
}

/// How long the header of a database is.
const HEADER_BYTES: usize = 100;

/// Looks at the first bytes before SQLite touches the file: magic at 0, `user_version` at 60, `application_id` at 68
/// (sqlite.org/fileformat2.html, 1.3). What only the log knows is looked at after opening.
fn check_header(path: &Path) -> Result<(), StoreError> {
    let header = match header_of(path) {
        Ok(header) => header,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io(path)(error)),
    };
    if header.is_empty() {
        return Ok(());
    }
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map(i32::from_be_bytes)
    };
    match (header.starts_with(b"SQLite format 3\0"), number(60), number(68)) {
        // Whether it has tables is seen after opening.
        (true, Some(version), Some(application)) => {
            check_version(path, i64::from(version), application, true)?;
            // What SQLite always writes there for us. Other numbers make it refuse the file, or not write to it, in other words than
            // that it is damaged.
            let fixed = header.get(18..24).is_some_and(|fixed| matches!(fixed, [1 | 2, 1 | 2, 0, 64, 32, 32]));
            let format = number(44).is_some_and(|format| (0..=4).contains(&format));
            let utf8 = number(56).is_some_and(|encoding| (0..=1).contains(&encoding));
            if fixed && format && utf8 {
                Ok(())
            } else {
                Err(StoreError::Corrupt { path: path.to_owned(), detail: "its header is not one of ours".to_owned() })
            }
        }
        _ => Err(StoreError::NotADatabase { path: path.to_owned() }),
    }
}

/// `empty`: there is no table, so it can become ours.
fn check_version(path: &Path, version: i64, application: i32, empty: bool) -> Result<(), StoreError> {
    let path = path.to_owned();
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    match (application, version) {
        (APPLICATION_ID, found) if found > known => Err(StoreError::Newer { path, found, known }),
        (APPLICATION_ID, 1..) => Ok(()),
        // New, or left behind by one that was killed before its first commit.
        (0, 0) if empty => Ok(()),
        _ => Err(StoreError::Foreign { path }),
    }
}

fn configure(db: &mut Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(64);
    // An acknowledgement promises that the rows survive a power cut; with NORMAL they may not (docs/adr/0003-delivery.md, 5).
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(mode, "the cache's file system has no write-ahead log; writing is slower");
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES.cast_signed())?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    db.pragma_update(None, "temp_store", "MEMORY")
}

/// Applies what is missing, all of it in one transaction, and moves it into the file, so that an older program sees the new
/// version in its header.
pub(crate) fn migrate(db: &mut Connection, version: i64, profile: &str, new_installation: u64) -> rusqlite::Result<()> {
    let applied = usize::try_from(version).unwrap_or(0);
    let Some(missing) = MIGRATIONS.get(applied..).filter(|missing| !missing.is_empty()) else { return Ok(()) };
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (sql, moves) in missing {
        transaction.execute_batch(sql)?;
        if let Some(moves) = moves {
            moves(&transaction)?;
        }
    }
    if version == 0 {
        meta::found(&transaction, profile, new_installation)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    db.pragma_query(None, "wal_checkpoint", |_| Ok(()))
}

/// What a start needs. Two threads read it, of a half each: the values on `beside`, another connection to the same file.
fn restore(db: &Connection, beside: Connection, path: &Path) -> Result<Restored, StoreError> {
    let read = || {
        std::thread::scope(|scope| {
            let values = scope.spawn(move || values(&beside));
            let restored = described(db, path)?;
            Ok(values.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?.add_to(restored))
        })
    };
    // `SQLITE_ERROR`: our questions fit our tables; where they do not, what the file says of its tables is damaged.
    read().map_err(|error: rusqlite::Error| {
        // The latter where SQLite says at which place of the question it stumbled.
        let placed =
            if let rusqlite::Error::SqlInputError { error, .. } = &error { Some(error.extended_code) } else { None };
        match error.sqlite_extended_error_code().or(placed) {
            Some(1) => StoreError::Corrupt { path: path.to_owned(), detail: error.to_string() },
            _ => StoreError::at(path)(error),
        }
    })
}

/// The same of a cache in memory, which has one connection.
pub(crate) fn restore_alone(db: &Connection, path: &Path) -> Result<Restored, StoreError> {
    let read = || Ok(values(db)?.add_to(described(db, path)?));
    read().map_err(StoreError::at(path))
}

/// The values and what they are of.
struct Values {
    series: Vec<(SeriesKey, ThingKey, SharedText)>,
    latest: Vec<Sample>,
    texts: Texts,
}

fn values(db: &Connection) -> rusqlite::Result<Values> {
    let mut texts = Texts::default();
    let series = series::all(db, &mut texts)?;
    Ok(Values { series, latest: latest::all(db)?, texts })
}

impl Values {
    fn add_to(self, mut restored: Restored) -> Restored {
        restored.texts.absorb(self.texts);
        Restored { series: self.series, latest: self.latest, ..restored }
    }
}

/// Everything but the values.
fn described(db: &Connection, path: &Path) -> rusqlite::Result<Restored> {
    let totals = meta::Totals::read(db)?;
    let (mut texts, mut commons) = (Texts::default(), Commons::default());
    let things = thing::restored(db, &mut texts, &mut commons)?;
    Ok(Restored {
        installation: meta::installation(db)?,
        things: things.all,
        silent: things.silent,
        shadows: shadow::all(db, &mut texts)?,
        commands: command::recent(db)?,
        alarms: alarm::recent(db)?,
        rhythms: rhythm::all(db)?,
        positions: position::all(db)?,
        bulks: bulk::all(db)?,
        jobs: job::all(db)?,
        thing_jobs: job::all_parts(db, &mut texts)?,
        last_alarm: totals.last_alarm,
        last_command: totals.last_command,
        last_audit: totals.audit.seq,
        last_change: totals.last_change,
        last_seq: totals.last_seq,
        unacked: packets::all(db)?,
        link_seen_ms: meta::link_last_seen(db)?,
        stats: measure(db, path)?,
        texts,
        commons,
        ..Restored::default()
    })
}

/// `path` with something behind its name.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_given_back_is_free_though_a_program_that_is_being_started_still_has_its_lock_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("malta.db");
        let lock = Lock::take(&path).unwrap();
        // What a fork leaves with the child until it is another program.
        let _copy = lock.file.try_clone().unwrap();
        assert!(matches!(Lock::take(&path), Err(StoreError::InUse { .. })));
        drop(lock);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_commit_is_on_the_disk_before_it_is_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let (db, _) = open(&folder.path().join("malta.db"), "malta", 1).unwrap();
        let pragma = |name: &str| -> String {
            let text = |row: &rusqlite::Row<'_>| {
                row.get_ref(0).map(|value| match value.as_i64() {
                    Ok(number) => number.to_string(),
                    Err(_) => value.as_str().unwrap_or_default().to_owned(),
                })
            };
            db.pragma_query_value(None, name, text).unwrap()
        };
        for (name, want) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")] {
            assert_eq!(pragma(name), want, "{name}");
        }
    }

    #[test]
    fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("malta.db");
        let (_writer, _) = open(&path, "malta", 1).unwrap();
        let reader = open_reader(&path).unwrap();
        let error = meta::set(&reader, "profile", "gozo").unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
    }
}
