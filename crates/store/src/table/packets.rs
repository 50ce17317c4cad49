//! `packets`: QoS 1 packets whose rows are here and whose acknowledgement may not have reached the broker: packet id and digest, a row
//! for those of each transaction. A packet id that is used again makes the older one meaningless; so after [`PACKETS_KNOWN`] newer ones
//! a row goes, and with a new session all do.

use std::collections::VecDeque;

use fleetlens_model::record::PACKETS_KNOWN;
use rusqlite::{Connection, params};

use super::damaged;
use crate::codec::Damaged;
use crate::codec::bytes::{Input, seal, sealed, unsealed};

const VERSION: u8 = 1;

/// The packets of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    of: Vec<(u16, u64)>,
    /// Whether those before them are of a session that is no more.
    is_new_session: bool,
}

impl Packets {
    /// Those of a new session, and none yet.
    pub fn of_new_session() -> Packets {
        Packets { of: Vec::new(), is_new_session: true }
    }

    pub fn push(&mut self, packet_id: u16, digest: u64) {
        self.of.push((packet_id, digest));
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty() && !self.is_new_session
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = unsealed(VERSION);
        for (packet_id, digest) in &self.of {
            bytes.extend(packet_id.to_le_bytes());
            bytes.extend(digest.to_le_bytes());
        }
        seal(&mut bytes);
        bytes
    }
}

/// The rows there are, so that the old ones can go without looking for them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Each with how many packets are in it, the oldest first.
    rows: VecDeque<(i64, usize)>,
    packets: usize,
}

impl Rows {
    pub fn read(db: &Connection) -> rusqlite::Result<Rows> {
        let mut rows = Rows::default();
        each(db, |batch, packets| rows.push(batch, packets.len()))?;
        Ok(rows)
    }

    fn push(&mut self, batch: i64, packets: usize) {
        self.rows.push_back((batch, packets));
        self.packets += packets;
    }

    /// Adds the packets of a transaction and takes out what is too old, in the file; [`Rows::did`] tells it when it is committed.
    pub fn put(&self, db: &Connection, packets: &Packets) -> rusqlite::Result<Done> {
        db.prepare_cached("INSERT INTO packets (data) VALUES (?1)")?.execute([packets.bytes()])?;
        let added = packets.of.len();
        let mut done = Done { batch: db.last_insert_rowid(), added, gone: 0 };
        let (mut left, all) = (self.packets + added, packets.is_new_session);
        for (batch, packets) in &self.rows {
            left -= packets;
            if left < PACKETS_KNOWN && !all {
                break;
            }
            db.prepare_cached("DELETE FROM packets WHERE batch = ?1")?.execute(params![batch])?;
            done.gone += 1;
        }
        Ok(done)
    }

    /// What was put is committed.
    pub fn did(&mut self, done: Done) {
        for (_, gone) in self.rows.drain(..done.gone.min(self.rows.len())) {
            self.packets -= gone;
        }
        self.push(done.batch, done.added);
    }
}

/// What was done in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    batch: i64,
    added: usize,
    gone: usize,
}

/// Takes a row over from another file, if it is whole.
pub(crate) fn take_over(db: &Connection, batch: i64, data: &[u8]) -> rusqlite::Result<()> {
    of_bytes(data).map_err(|Damaged| damaged("the packets"))?;
    db.prepare_cached("INSERT INTO packets (batch, data) VALUES (?1, ?2)")?.execute(params![batch, data]).map(drop)
}

/// The digest that each packet id had last, in the order of the packet ids.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<(u16, u64)>> {
    let mut last = std::collections::BTreeMap::new();
    each(db, |_, packets| last.extend(packets))?;
    Ok(last.into_iter().collect())
}

fn each(db: &Connection, mut each: impl FnMut(i64, Vec<(u16, u64)>)) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached("SELECT batch, data FROM packets ORDER BY batch")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let packets = of_bytes(row.get_ref(1)?.as_blob()?).map_err(|Damaged| damaged("the packets"))?;
        each(row.get(0)?, packets);
    }
    Ok(())
}

fn of_bytes(bytes: &[u8]) -> Result<Vec<(u16, u64)>, Damaged> {
    let mut input: Input<'_> = sealed(bytes, VERSION)?;
    let mut packets = Vec::new();
    while !input.is_empty() {
        packets.push((u16::from_le_bytes(input.array()?), u64::from_le_bytes(input.array()?)));
    }
    Ok(packets)
}
