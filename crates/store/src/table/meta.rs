//! `meta`: what there is one of in a cache, by name. What is not known yet has no row.
//!
//! | name | value |
//! |---|---|
//! | `profile` | whose cache it is |
//! | `installation` | this installation's random number, as signed bits |
//! | `link_seen_ms` | when our link was last known to be up |
//! | `aged_ms` | when what is too old was last taken out, by the time that was gone by |
//! | `ahead_ms` | since when the time is too far ahead of that to be gone by; no row while it is not |
//! | `last_command`, `last_alarm`, `last_change`, `last_seq` | the highest numbers ever given; they outlive the rows that had them |
//! | `last_audit`, `audit_hash` | the last row of the audit log: its number and its hash |
//! | `gone_samples_ms`, `gone_minutes_ms`, `gone_hours_ms` | before this not everything is there any more; no row while nothing went |
//! | `cuts`, `kind_changes` | what of single kinds went, and how often a thing became one of another kind; see `cuts.rs` |

use fleetlens_model::audit::chain::{Hash, Head};
use fleetlens_model::time::WallMs;
use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OptionalExtension, params};

use super::run::Tier;
use super::{audit, count, counted};

/// Numbers that every batch of samples, commands, alarms, changes of shadows or entries of the audit log moves. The writer holds them in memory and writes them with its transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub last_command: u64,
    pub last_alarm: u64,
    pub last_change: u64,
    pub last_seq: u64,
    /// The last row of the audit log.
    pub audit: Head,
}

pub(crate) fn set(db: &Connection, name: &str, value: impl ToSql) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![name, value])?;
    Ok(())
}

fn unset(db: &Connection, name: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([name]).map(drop)
}

pub(crate) fn get<T: FromSql>(db: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_one([name], |row| row.get(0)).optional()
}

/// Makes a cache somebody's.
pub(crate) fn found(db: &Connection, profile: &str, installation: u64) -> rusqlite::Result<()> {
    set(db, "profile", profile)?;
    set(db, "installation", installation.cast_signed())
}

pub(crate) fn profile(db: &Connection) -> rusqlite::Result<Option<String>> {
    get(db, "profile")
}

pub(crate) fn installation(db: &Connection) -> rusqlite::Result<u64> {
    Ok(get::<i64>(db, "installation")?.unwrap_or_default().cast_unsigned())
}

/// Moves `link_seen_ms`; a wall clock that was set back moves it back too.
pub(crate) fn link_seen(db: &Connection, at: WallMs) -> rusqlite::Result<()> {
    set(db, "link_seen_ms", at.0)
}

pub(crate) fn link_last_seen(db: &Connection) -> rusqlite::Result<Option<WallMs>> {
    Ok(get(db, "link_seen_ms")?.map(WallMs))
}

/// When what is too old was last taken out.
pub(crate) fn aged(db: &Connection) -> rusqlite::Result<Option<WallMs>> {
    Ok(get(db, "aged_ms")?.map(WallMs))
}

/// What is too old by this time is out, or about to be.
pub(crate) fn set_aged(db: &Connection, at: WallMs) -> rusqlite::Result<()> {
    set(db, "aged_ms", at.0)
}

/// Since when the time is too far ahead to be gone by.
pub(crate) fn ahead_since(db: &Connection) -> rusqlite::Result<Option<WallMs>> {
    Ok(get(db, "ahead_ms")?.map(WallMs))
}

/// Since when it is, or that it is not.
pub(crate) fn set_ahead_since(db: &Connection, since: Option<WallMs>) -> rusqlite::Result<()> {
    since.map_or_else(|| unset(db, "ahead_ms"), |since| set(db, "ahead_ms", since.0))
}

/// Before when not everything of this tier is there any more; `None` while nothing went.
pub(crate) fn gone(db: &Connection, tier: Tier) -> rusqlite::Result<Option<WallMs>> {
    match gone_name(tier) {
        Some(name) => Ok(get(db, name)?.map(WallMs)),
        None => Ok(None),
    }
}

/// Something of this tier goes that reaches up to here.
pub(crate) fn set_gone(db: &Connection, tier: Tier, before: WallMs) -> rusqlite::Result<()> {
    match gone_name(tier) {
        Some(name) if gone(db, tier)?.is_none_or(|known| known < before) => set(db, name, before.0),
        Some(_) | None => Ok(()),
    }
}

/// The last row of the audit log, as it was noted when it was added; `None` where nothing was.
pub(crate) fn noted_audit(db: &Connection) -> rusqlite::Result<Option<Head>> {
    let (seq, hash) = (get::<i64>(db, "last_audit")?, get::<[u8; 32]>(db, "audit_hash")?);
    let Some((seq, hash)) = seq.zip(hash) else { return Ok(None) };
    Ok(Some(Head { seq: count(0, seq)?, hash: Hash(hash) }))
}

/// Notes the last row of the audit log.
pub(crate) fn note_audit(db: &Connection, last: Head) -> rusqlite::Result<()> {
    set(db, "last_audit", counted(last.seq)?)?;
    set(db, "audit_hash", last.hash.0)
}

/// Where the audit log goes on: behind the row that was noted, though it may be gone, so that it is missed; or behind one that somebody
/// else put there, so that its number is not given again.
fn gone_on_from(db: &Connection) -> rusqlite::Result<Head> {
    let (noted, there) = (noted_audit(db)?.unwrap_or_default(), audit::last(db)?);
    Ok(if there.seq > noted.seq { there } else { noted })
}

fn gone_name(tier: Tier) -> Option<&'static str> {
    match tier {
        Tier::Samples => Some("gone_samples_ms"),
        Tier::Minutes => Some("gone_minutes_ms"),
        Tier::Hours => Some("gone_hours_ms"),
        Tier::Days => None,
    }
}

impl Totals {
    pub fn read(db: &Connection) -> rusqlite::Result<Totals> {
        let number = |name| count(0, get(db, name)?.unwrap_or_default());
        Ok(Totals {
            last_command: number("last_command")?,
            last_alarm: number("last_alarm")?,
            last_change: number("last_change")?,
            last_seq: number("last_seq")?,
            audit: gone_on_from(db)?,
        })
    }

    /// Writes what differs from `before`.
    pub fn write(&self, before: &Totals, db: &Connection) -> rusqlite::Result<()> {
        for (name, now, then) in [
            ("last_command", self.last_command, before.last_command),
            ("last_alarm", self.last_alarm, before.last_alarm),
            ("last_change", self.last_change, before.last_change),
            ("last_seq", self.last_seq, before.last_seq),
        ] {
            if now != then {
                set(db, name, counted(now)?)?;
            }
        }
        if self.audit != before.audit {
            note_audit(db, self.audit)?;
        }
        Ok(())
    }
}
