//! `unacked`: QoS 1 packets whose rows are here and whose acknowledgement may not have reached the broker, by packet id. A packet
//! id that is used again takes the place of the older one; so there are at most 65 535.

use rusqlite::{Connection, params};

/// Remembers a packet by the digest of its topic and payload.
pub(crate) fn put(db: &Connection, packet_id: u16, digest: u64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO unacked (packet_id, digest) VALUES (?1, ?2)
         ON CONFLICT (packet_id) DO UPDATE SET digest = excluded.digest",
    )?
    .execute(params![packet_id, digest.cast_signed()])?;
    Ok(())
}

/// Everything, in the order of the packet ids.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<(u16, u64)>> {
    db.prepare_cached("SELECT packet_id, digest FROM unacked ORDER BY packet_id")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
        .collect()
}
