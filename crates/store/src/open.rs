//! Opening a cache: whose it is, which schema it has, whether somebody else has it, and moving a broken one out of the way.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetlens_model::record::{Restored, StoreStats};
use fleetlens_model::time::WallMs;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::StoreError;
use crate::table::{alarm, command, latest, meta, series, shadow, thing, unacked};

/// Stands in the file's header, so that other programs and `file(1)` can tell it: "Flnz".
const APPLICATION_ID: i32 = 0x466c_6e7a;

/// What makes each schema version of the one before; append-only. The version is how many were applied.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_silence_and_who_cancelled.sql"),
    include_str!("../migrations/0003_alarms.sql"),
];

/// Waits for another program's lock this long: somebody may look into the file with other tools.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Pages of 4 KiB in the write-ahead log before they move into the file: some 4 MiB. Four times as many were no faster
/// (`examples/bench_store.rs`), and under a steady stream the log is that long all day.
const CHECKPOINT_PAGES: i64 = 1_000;

/// The log's file is cut to this when it begins anew after a burst, and made empty in a lull; a shorter one is left alone, because
/// space that is there already is written faster.
pub(crate) const LOG_KEPT_BYTES: u64 = 4 * 1024 * 1024;

/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i64 = 16_384;

/// The right to a cache, given back when dropped. Held beside the file, because SQLite's own locks come and go.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
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
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
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
        let found = meta::profile(&db).map_err(&at)?.unwrap_or_default();
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
    let restored = restore(&db, path)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(&at)?;
    Ok((db, restored))
}

/// Opens somebody's cache to look into it, after the same looks as [`open`]; of whatever profile it is.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    // SQLite says of a file that is not there only that it cannot be opened.
    if std::fs::metadata(path).map_err(StoreError::io(path))?.len() == 0 {
        return Err(StoreError::NotADatabase { path: path.to_owned() });
    }
    check_header(path)?;
    let db = open_reader(path)?;
    let at = StoreError::at(path);
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&at)?;
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(&at)?;
    check_version(path, version, application, false)?;
    Ok(db)
}

/// Opens a cache that is there, for reading only.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let at = StoreError::at(path);
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(&at)?;
    db.busy_timeout(BUSY).map_err(&at)?;
    Ok(db)
}

/// Renames a broken cache, with its log, to `<name>.broken-<wall ms>`; nothing is deleted and nothing overwritten.
pub(crate) fn quarantine(path: &Path, now: WallMs) -> Result<PathBuf, StoreError> {
    let io = StoreError::io(path);
    let free = |name: &PathBuf| !name.exists() && !beside(name, "-wal").exists();
    let stamp = beside(path, &format!(".broken-{}", now.0));
    let target = std::iter::once(stamp.clone())
        .chain((1..1000).map(|n| beside(&stamp, &format!("-{n}"))))
        .find(free)
        .ok_or_else(|| io(ErrorKind::AlreadyExists.into()))?;
    std::fs::rename(path, &target).map_err(&io)?;
    for part in ["-wal", "-shm"] {
        match std::fs::rename(beside(path, part), beside(&target, part)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(io(error)),
        }
    }
    Ok(target)
}

/// Bytes on the disk, the write-ahead log included.
pub(crate) fn bytes_on_disk(path: &Path) -> u64 {
    bytes_of(path) + log_bytes(path)
}

/// Bytes of the write-ahead log on the disk; 0 where there is none.
pub(crate) fn log_bytes(path: &Path) -> u64 {
    bytes_of(&beside(path, "-wal"))
}

fn bytes_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

pub(crate) fn stats(db: &Connection, path: &Path) -> Result<StoreStats, StoreError> {
    let totals = meta::Totals::read(db).map_err(StoreError::at(path))?;
    Ok(StoreStats { bytes: bytes_on_disk(path), oldest_ms: totals.oldest_ms, samples: totals.samples })
}

/// Looks at the first bytes before SQLite touches the file: magic at 0, `user_version` at 60, `application_id` at 68
/// (sqlite.org/fileformat2.html, 1.3). What only the log knows is looked at after opening.
fn check_header(path: &Path) -> Result<(), StoreError> {
    let io = StoreError::io(path);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let mut header = Vec::with_capacity(100);
    file.by_ref().take(100).read_to_end(&mut header).map_err(&io)?;
    if header.is_empty() {
        return Ok(());
    }
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map(i32::from_be_bytes)
    };
    match (header.starts_with(b"SQLite format 3\0"), number(60), number(68)) {
        // Whether it has tables is seen after opening.
        (true, Some(version), Some(application)) => check_version(path, i64::from(version), application, true),
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
fn migrate(db: &mut Connection, version: i64, profile: &str, new_installation: u64) -> rusqlite::Result<()> {
    let applied = usize::try_from(version).unwrap_or(0);
    let Some(missing) = MIGRATIONS.get(applied..).filter(|missing| !missing.is_empty()) else { return Ok(()) };
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    if version == 0 {
        meta::found(&transaction, profile, new_installation)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    db.pragma_query(None, "wal_checkpoint", |_| Ok(()))
}

fn restore(db: &Connection, path: &Path) -> Result<Restored, StoreError> {
    let read = || {
        let totals = meta::Totals::read(db)?;
        Ok(Restored {
            installation: meta::installation(db)?,
            things: thing::all(db)?,
            silent: thing::silent(db)?,
            series: series::all(db)?,
            latest: latest::all(db)?,
            shadows: shadow::all(db)?,
            commands: command::recent(db)?,
            alarms: alarm::recent(db)?,
            last_alarm: totals.last_alarm,
            last_command: totals.last_command,
            last_seq: totals.last_seq,
            unacked: unacked::all(db)?,
            link_seen_ms: meta::link_last_seen(db)?,
            stats: StoreStats { bytes: bytes_on_disk(path), oldest_ms: totals.oldest_ms, samples: totals.samples },
        })
    };
    read().map_err(StoreError::at(path))
}

/// `path` with something behind its name.
fn beside(path: &Path, end: &str) -> PathBuf {
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
