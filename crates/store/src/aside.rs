//! A cache that is damaged: that is noted beside it, what can be read of it is made a new one, and the two change places. Wherever that
//! is killed, the next start ends it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fleetlens_model::time::WallMs;

use crate::error::StoreError;
use crate::open::{beside, open};
use crate::salvage::{self, Salvaged, Wanted};

/// Beside a cache: damage was met in it while it was in use, and the next start is to salvage it.
pub(crate) fn damage_mark(path: &Path) -> PathBuf {
    beside(path, ".damaged")
}

/// Notes damage for the next start.
pub(crate) fn mark_damaged(path: &Path, detail: &str) {
    let mark = damage_mark(path);
    if let Err(error) = std::fs::write(&mark, detail) {
        tracing::error!(%error, mark = %mark.display(), "the damage could not be noted for the next start");
    }
}

/// What the run before noted of the cache; nothing when there was nothing to note, or there is no cache any more.
pub(crate) fn noted_damage(path: &Path) -> Option<StoreError> {
    let detail = std::fs::read(damage_mark(path)).ok().filter(|_| path.exists())?;
    let detail = String::from_utf8_lossy(&detail).chars().take(500).collect();
    Some(StoreError::Corrupt { path: path.to_owned(), detail })
}

/// What is made of a damaged cache is made beside it, and takes its place when it is whole.
pub(crate) fn salvage_place(path: &Path) -> PathBuf {
    beside(path, ".salvage")
}

/// Brings to an end what was killed while it took the place of a damaged cache: until the damaged one is out of the way the new one
/// is worth nothing, from then on it is the cache.
pub(crate) fn finish_salvage(path: &Path) -> Result<(), StoreError> {
    let made = salvage_place(path);
    if !made.exists() {
        return Ok(());
    }
    if !path.exists() && !beside(&made, "-wal").exists() {
        // The log of the damaged one, if it had no time to follow it: beside another file of its name SQLite would take it for its log.
        follow(path).map_err(StoreError::io(path))?;
        return std::fs::rename(&made, path).map_err(StoreError::io(path));
    }
    remove(&made).map_err(StoreError::io(&made))
}

/// Makes a new cache of what can be read of the damaged one at `from`, beside `path`, whole and closed.
pub(crate) fn salvage(path: &Path, profile: &str, new_installation: u64) -> Result<Salvaged, StoreError> {
    let made = salvage_place(path);
    remove(&made).map_err(StoreError::io(&made))?;
    let (db, _) = open(&made, profile, new_installation)?;
    let taken = salvage::into(&db, &made, path, profile, Wanted::All)?;
    db.close().map_err(|(_, error)| StoreError::at(&made)(error))?;
    // That it opens is seen before the old one goes.
    let (db, _) = open(&made, profile, new_installation)?;
    db.close().map_err(|(_, error)| StoreError::at(&made)(error))?;
    if beside(&made, "-wal").exists() {
        // SQLite says nothing when what is in the log cannot be brought into the file at the end.
        return Err(StoreError::Io { path: made, detail: "its log could not be brought into it".to_owned() });
    }
    Ok(taken)
}

/// Brings the log of a cache that was moved aside to where that is: to the newest that has none.
fn follow(path: &Path) -> std::io::Result<()> {
    if !beside(path, "-wal").exists() && !beside(path, "-shm").exists() {
        return Ok(());
    }
    let aside = newest_aside(path)?.unwrap_or_else(|| beside(path, ".broken-log"));
    move_log(path, &aside)
}

/// The newest of those that [`quarantine`] moved away from here and that has no log.
fn newest_aside(path: &Path) -> std::io::Result<Option<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stem = beside(path, ".broken-");
    let Some(stem) = stem.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_one = name
            .to_str()
            .is_some_and(|name| name.starts_with(stem) && !name.ends_with("-wal") && !name.ends_with("-shm"));
        if !is_one || beside(&entry.path(), "-wal").exists() {
            continue;
        }
        // Moving changes no content: what was written last was moved last.
        let written = entry.metadata()?.modified()?;
        if newest.as_ref().is_none_or(|(known, _)| *known <= written) {
            newest = Some((written, entry.path()));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

/// Renames what belongs to a cache beside its file, where it is there.
fn move_log(from: &Path, to: &Path) -> std::io::Result<()> {
    for part in ["-wal", "-shm"] {
        match std::fs::rename(beside(from, part), beside(to, part)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Removes a cache of ours that nobody has, and its log.
fn remove(path: &Path) -> std::io::Result<()> {
    for end in ["", "-wal", "-shm"] {
        match std::fs::remove_file(beside(path, end)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Moves a damaged cache aside and puts in its place what was salvaged, or nothing where that failed.
pub(crate) fn replace(
    path: &Path,
    profile: &str,
    new_installation: u64,
    now: WallMs,
) -> Result<(PathBuf, Salvaged), StoreError> {
    let salvaged = match salvage(path, profile, new_installation) {
        Ok(salvaged) => salvaged,
        Err(error) => {
            tracing::warn!(%error, "nothing could be salvaged");
            _ = remove(&salvage_place(path));
            if matches!(error, StoreError::DiskFull { .. } | StoreError::Io { .. }) {
                // It can be once there is room, or the disk takes what is written: the cache stays where it is till then.
                return Err(error);
            }
            Salvaged { ended_early: Some(error.to_string()), ..Salvaged::default() }
        }
    };
    let moved_to = quarantine(path, now)?;
    match std::fs::remove_file(damage_mark(path)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(StoreError::io(path)(error)),
        _ => {}
    }
    finish_salvage(path)?;
    Ok((moved_to, salvaged))
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
    move_log(path, &target).map_err(&io)?;
    Ok(target)
}
