//! The one thread that writes. It takes whatever has gathered into one transaction, so batches grow by themselves under load.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use fleetlens_model::record::Write;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::open::Lock;
use crate::table::meta::Totals;
use crate::table::{command, latest, meta, refusal, sample, series, shadow, thing, unacked};

/// A transaction takes no further batch once it holds this many writes (docs/adr/0003-delivery.md, 2).
const GROUP_WRITES: usize = 2_000;

/// What somebody wants written, and where to say that it is.
pub(crate) struct Batch {
    pub writes: Arc<Vec<Write>>,
    pub done: oneshot::Sender<Result<(), StoreError>>,
}

pub(crate) struct Writer {
    db: Connection,
    path: PathBuf,
    /// As the last committed transaction left them.
    totals: Totals,
    /// Samples dropped because they were there already, in this run.
    duplicates: Arc<AtomicU64>,
    _lock: Lock,
}

impl Writer {
    pub fn new(db: Connection, path: PathBuf, lock: Lock, duplicates: Arc<AtomicU64>) -> Result<Writer, StoreError> {
        let totals = Totals::read(&db).map_err(StoreError::at(&path))?;
        Ok(Writer { db, path, totals, duplicates, _lock: lock })
    }

    /// Until the queue is closed and empty; then moves the log into the file.
    pub fn run(mut self, queue: &Receiver<Batch>) -> Result<(), StoreError> {
        while let Ok(first) = queue.recv() {
            let mut writes = first.writes.len();
            let mut group = vec![first];
            while writes < GROUP_WRITES
                && let Ok(next) = queue.try_recv()
            {
                writes += next.writes.len();
                group.push(next);
            }
            self.commit(group);
        }
        // The rows are safe in the log as well: on a full disk they stay there until the next start.
        if let Err(error) = self.db.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(())) {
            tracing::warn!(%error, "the log of the cache could not be moved into its file");
        }
        self.db.close().map_err(|(_, error)| StoreError::at(&self.path)(error))
    }

    /// One transaction for all; if it fails, one for each, so that one bad batch does not fail its neighbours.
    fn commit(&mut self, group: Vec<Batch>) {
        let together = self.transaction(group.iter().flat_map(|batch| batch.writes.iter()));
        if let Err(error) = &together {
            tracing::warn!(%error, batches = group.len(), "a transaction failed");
        }
        let alone = group.len() == 1;
        for batch in group {
            let outcome = match &together {
                Err(_) if !alone => self.transaction(batch.writes.iter()),
                outcome => outcome.clone(),
            };
            // Nobody waiting any more is no concern of the rows.
            _ = batch.done.send(outcome);
        }
    }

    fn transaction<'a>(&mut self, writes: impl Iterator<Item = &'a Write>) -> Result<(), StoreError> {
        let mut totals = self.totals;
        let mut duplicates = 0;
        let all = || {
            let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut refused = false;
            for write in writes {
                match write {
                    Write::Sample(new) => {
                        totals.last_seq = totals.last_seq.max(new.seq);
                        if sample::insert(&transaction, new)? {
                            latest::offer(&transaction, new)?;
                            totals.samples += 1;
                            totals.oldest_ms =
                                totals.oldest_ms.map_or(Some(new.device_ms), |t| Some(t.min(new.device_ms)));
                        } else {
                            duplicates += 1;
                        }
                    }
                    Write::Thing { thing: key, name, meta } => thing::put(&transaction, *key, name, meta)?,
                    Write::Series { series: key, thing, pointer } => series::put(&transaction, *key, *thing, pointer)?,
                    Write::Shadow { thing, name, document, heard_ms } => {
                        shadow::put(&transaction, *thing, name, document.as_ref(), *heard_ms)?;
                    }
                    Write::Command(asked) => {
                        totals.last_command = totals.last_command.max(asked.id.0);
                        command::put(&transaction, asked)?;
                    }
                    Write::Unacked { packet_id, digest } => unacked::put(&transaction, *packet_id, *digest)?,
                    Write::Refused { topic, reason, at_ms } => {
                        refusal::add(&transaction, topic, reason, *at_ms)?;
                        refused = true;
                    }
                    Write::LinkSeen { at_ms } => meta::link_seen(&transaction, *at_ms)?,
                }
            }
            if refused {
                refusal::trim(&transaction)?;
            }
            totals.write(&self.totals, &transaction)?;
            transaction.commit()
        };
        all().map_err(StoreError::at(&self.path))?;
        self.totals = totals;
        self.duplicates.fetch_add(duplicates, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use fleetlens_model::id::{ThingKey, ThingName};
    use fleetlens_model::thing::Meta;

    use super::*;

    /// SQLite's own limit stands in for a small disk, so that this runs where nothing can be mounted; `tests/disk_full.rs` has a disk.
    #[test]
    fn what_does_not_fit_is_refused_as_a_full_disk_and_what_does_is_still_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("malta.db");
        let lock = Lock::take(&path).unwrap();
        let (db, _) = crate::open::open(&path, "malta", 1).unwrap();
        let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let limit = |db: &Connection, pages: i64| db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        limit(&db, pages + 4).unwrap();
        let mut writer = Writer::new(db, path.clone(), lock, Arc::default()).unwrap();
        let things = |keys: std::ops::Range<u32>| {
            let title = "x".repeat(1000);
            let thing = move |key| Write::Thing {
                thing: ThingKey(key),
                name: ThingName::new(key.to_string()).unwrap(),
                meta: Meta { title: title.clone(), ..Meta::default() },
            };
            Arc::new(keys.map(thing).collect::<Vec<Write>>())
        };
        let mut outcomes = Vec::new();
        let group = [things(1..3), things(10..100), things(3..5)].map(|writes| {
            let (done, outcome) = oneshot::channel();
            outcomes.push(outcome);
            Batch { writes, done }
        });
        writer.commit(group.into());
        let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.blocking_recv().unwrap()).collect();
        assert_eq!(outcomes, [Ok(()), Err(StoreError::DiskFull { path: path.clone() }), Ok(())]);

        limit(&writer.db, 1_000_000).unwrap();
        let (queue, batches) = sync_channel(1);
        let (done, outcome) = oneshot::channel();
        queue.send(Batch { writes: things(10..100), done }).unwrap();
        drop(queue);
        writer.run(&batches).unwrap();
        assert_eq!(outcome.blocking_recv().unwrap(), Ok(()), "the same batch, once there is room");
        let (_, restored) = crate::open::open(&path, "malta", 1).unwrap();
        assert_eq!(restored.things.len(), 4 + 90);
    }
}
