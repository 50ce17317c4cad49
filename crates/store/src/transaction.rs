//! One transaction: all of its writes, or all but those that break a rule of the schema.

use std::collections::BTreeSet;

use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Sample, Value};
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, TransactionBehavior};

use crate::codec::batch::Batch;
use crate::error::breaks_a_rule;
use crate::table::meta::Totals;
use crate::table::packets::{self, Packets};
use crate::table::{
    alarm, audit, bulk, cannot_keep, command, counted, job, journal, meta, position, refusal, rhythm, series, shadow,
    shadow_change, thing,
};

/// The topic under which left-out writes stand among the refusals.
const TOPIC: &str = "cache";

/// What the writer knows of the file, so that a transaction need not look it up.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub totals: Totals,
    pub packets: packets::Rows,
    /// By key, whether there is such a series.
    series: Vec<bool>,
    /// Memory for the samples of one transaction after the other.
    batch: Batch,
}

impl Known {
    pub fn read(db: &Connection) -> rusqlite::Result<Known> {
        let mut known = Known { totals: Totals::read(db)?, packets: packets::Rows::read(db)?, ..Known::default() };
        series::keys(db)?.into_iter().for_each(|key| known.has(key));
        Ok(known)
    }

    /// A transaction is committed.
    pub fn did(&mut self, tally: &Tally) {
        self.totals = tally.totals;
        tally.series.iter().for_each(|key| self.has(*key));
        if let Some(done) = tally.packets {
            self.packets.did(done);
        }
    }

    fn has(&mut self, key: SeriesKey) {
        let at = key.0 as usize;
        if self.series.len() <= at {
            self.series.resize(at + 1, false);
        }
        if let Some(place) = self.series.get_mut(at) {
            *place = true;
        }
    }
}

/// What a transaction changed beside its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub totals: Totals,
    /// Samples that were there already.
    pub duplicates: u64,
    /// Our time, as the last of its writes that has one says.
    pub moment: Option<WallMs>,
    /// Samples and bytes of its row in the journal.
    pub journal: Option<(u64, u64)>,
    series: BTreeSet<SeriesKey>,
    packets: Option<packets::Done>,
    /// Whether the refusals have grown.
    refused: bool,
}

/// A transaction under way: what goes into one row at its end.
struct Under<'a> {
    db: &'a Connection,
    series: &'a [bool],
    rows: &'a packets::Rows,
    batch: &'a mut Batch,
    packets: Packets,
    tally: Tally,
}

/// A write that broke a rule and was not performed.
#[derive(Debug)]
pub(crate) struct LeftOut {
    /// Which one, for the log.
    pub which: String,
    /// What it was and the rule it broke, for the refusals: without keys and numbers, so that many of one fault are one refusal.
    pub reason: String,
    /// Whether somebody is answered, and something is sent, because of it: then nobody may be told that it is stored.
    pub is_waited_for: bool,
}

/// Performs every write or, on an error, none.
pub(crate) fn whole<'a>(
    db: &mut Connection,
    known: &mut Known,
    writes: impl Iterator<Item = &'a Write>,
) -> rusqlite::Result<Tally> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = known.totals;
    let mut under = Under::new(&transaction, known);
    for write in writes {
        under.perform(write)?;
    }
    let tally = under.finish(&before)?;
    transaction.commit()?;
    Ok(tally)
}

/// Performs every write but those that break a rule, which are counted as refusals; on any other error, none. Slower than
/// [`whole`]: a savepoint for each.
pub(crate) fn without_the_bad(
    db: &mut Connection,
    known: &mut Known,
    writes: &[Write],
) -> rusqlite::Result<(Tally, Vec<LeftOut>)> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = known.totals;
    let mut under = Under::new(&transaction, known);
    let mut left_out = Vec::new();
    for write in writes {
        transaction.execute_batch("SAVEPOINT one")?;
        // What it adds to the samples, packets and series it adds last, when nothing of it can fail any more.
        let (totals, said_at, refused) = (under.tally.totals, under.tally.moment, under.tally.refused);
        match under.perform(write) {
            Ok(()) => transaction.execute_batch("RELEASE one")?,
            Err(error) if breaks_a_rule(&error) => {
                transaction.execute_batch("ROLLBACK TO one; RELEASE one")?;
                (under.tally.totals, under.tally.moment, under.tally.refused) = (totals, said_at, refused);
                let reason = format!("{} was left out: {error}", kind(write));
                let is_waited_for = is_waited_for(write);
                left_out.push(LeftOut { which: which(write), reason, is_waited_for });
            }
            Err(error) => return Err(error),
        }
    }
    // The cache has no clock. What came with the bad write says when well enough.
    let at = match writes.iter().rev().find_map(moment) {
        Some(at) => at,
        None => meta::link_last_seen(&transaction)?.unwrap_or_default(),
    };
    for LeftOut { reason, .. } in &left_out {
        refusal::add(&transaction, TOPIC, reason, at)?;
        under.tally.refused = true;
    }
    let tally = under.finish(&before)?;
    transaction.commit()?;
    Ok((tally, left_out))
}

impl<'a> Under<'a> {
    fn new(db: &'a Connection, Known { totals, packets: rows, series, batch }: &'a mut Known) -> Under<'a> {
        batch.clear();
        let tally = Tally { totals: *totals, ..Tally::default() };
        Under { db, series, rows, batch, packets: Packets::default(), tally }
    }

    fn perform(&mut self, write: &Write) -> rusqlite::Result<()> {
        let Under { db, tally, .. } = self;
        tally.moment = moment(write).or(tally.moment);
        let totals = &mut tally.totals;
        match write {
            Write::Sample(new) => self.sample(new),
            Write::Thing { thing: key, name, meta } => thing::put(db, *key, name, meta),
            Write::Silent { thing: key, silent } => thing::set_silent(db, *key, *silent),
            Write::Series { series: key, thing, pointer } => {
                series::put(db, *key, *thing, pointer)?;
                tally.series.insert(*key);
                Ok(())
            }
            Write::Shadow { thing, name, document, heard_ms } => {
                shadow::put(db, *thing, name, document.as_deref(), *heard_ms)
            }
            // Given again.
            Write::ShadowChanged { change, .. } if change.seq <= totals.last_change => Ok(()),
            Write::ShadowChanged { thing, name, change } => {
                totals.last_change = change.seq;
                shadow_change::add(db, *thing, name, change)
            }
            Write::Command(asked) => {
                totals.last_command = totals.last_command.max(asked.id.0);
                command::put(db, asked)
            }
            Write::Alarm(told) => {
                totals.last_alarm = totals.last_alarm.max(told.id.0);
                alarm::put(db, told)
            }
            Write::Rhythm { series, weekday, day } => rhythm::put(db, *series, *weekday, day),
            Write::RhythmGone(series) => rhythm::forget(db, *series),
            Write::Position(placed) => position::put(db, placed),
            Write::PositionGone { thing, rule } => position::forget(db, *thing, rule),
            Write::Bulk(head) => bulk::put(db, head),
            Write::BulkRows { bulk, rows } => bulk::put_rows(db, *bulk, rows),
            Write::BulkGone(gone) => bulk::forget(db, *gone),
            Write::Job(told) => job::put(db, told),
            Write::ThingJob(part) => job::put_part(db, part),
            Write::JobGone(id) => job::remove(db, id),
            Write::Audit(entry) => {
                totals.audit = audit::add(db, entry, totals.audit)?;
                Ok(())
            }
            Write::Unacked { packet_id: 0, .. } => Err(cannot_keep("no packet has the id 0")),
            Write::Unacked { packet_id, digest } => {
                self.packets.push(*packet_id, *digest);
                Ok(())
            }
            Write::NewSession => {
                self.packets = Packets::of_new_session();
                Ok(())
            }
            Write::Refused { topic, reason, at_ms } => {
                tally.refused = true;
                refusal::add(db, topic, reason, *at_ms)
            }
            Write::LinkSeen { at_ms } => meta::link_seen(db, *at_ms),
        }
    }

    /// Sequences rise, so one that is not above all others is of a batch that was given again.
    fn sample(&mut self, new: &Sample) -> rusqlite::Result<()> {
        let key = new.series;
        if !self.series.get(key.0 as usize).is_some_and(|there| *there) && !self.tally.series.contains(&key) {
            return Err(cannot_keep("there is no such series"));
        }
        if let Value::Number(number) = new.value
            && !number.is_finite()
        {
            return Err(cannot_keep("it is no number"));
        }
        counted(new.seq)?;
        if new.seq <= self.tally.totals.last_seq {
            self.tally.duplicates += 1;
            return Ok(());
        }
        self.tally.totals.last_seq = new.seq;
        self.batch.push(new);
        Ok(())
    }

    fn finish(mut self, before: &Totals) -> rusqlite::Result<Tally> {
        if !self.batch.is_empty() {
            journal::put(self.db, self.batch, self.tally.totals.last_seq)?;
            self.tally.journal = Some((self.batch.samples, self.batch.seal().len() as u64));
        }
        if !self.packets.is_empty() {
            self.tally.packets = Some(self.rows.put(self.db, &self.packets)?);
        }
        if self.tally.refused {
            refusal::trim(self.db)?;
        }
        self.tally.totals.write(before, self.db)?;
        Ok(self.tally)
    }
}

/// Whether somebody is answered, or something is sent, on account of it.
fn is_waited_for(write: &Write) -> bool {
    matches!(write, Write::Command(_) | Write::Alarm(_) | Write::Audit(_) | Write::Bulk(_) | Write::BulkRows { .. })
}

fn kind(write: &Write) -> &'static str {
    match write {
        Write::Thing { .. } => "a thing",
        Write::Silent { .. } => "a thing's silence",
        Write::Series { .. } => "a series",
        Write::Sample(_) => "a sample",
        Write::Shadow { .. } => "a shadow",
        Write::ShadowChanged { .. } => "a change of a shadow",
        Write::Command(_) => "a command",
        Write::Alarm(_) => "an alarm",
        Write::Rhythm { .. } | Write::RhythmGone(_) => "what is usual for a series",
        Write::Position(_) | Write::PositionGone { .. } => "where a thing is in a state machine",
        Write::Bulk(_) => "a bulk command",
        Write::BulkRows { .. } => "things of a bulk command",
        Write::BulkGone(_) => "the end of a bulk command",
        Write::Job(_) | Write::JobGone(_) => "a job",
        Write::ThingJob(_) => "a thing's part of a job",
        Write::Audit(_) => "an entry of the audit log",
        Write::Unacked { .. } => "a packet id",
        Write::NewSession => "a new session",
        Write::Refused { .. } => "a refusal",
        Write::LinkSeen { .. } => "the link's time",
    }
}

fn which(write: &Write) -> String {
    match write {
        Write::Thing { thing, name, .. } => format!("thing {} {:?}", thing.0, name.as_str()),
        Write::Silent { thing, silent } => format!("silence {silent} of thing {}", thing.0),
        Write::Series { series, thing, pointer } => format!("series {} {pointer:?} of thing {}", series.0, thing.0),
        Write::Sample(sample) => format!("sample {} of series {}", sample.seq, sample.series.0),
        Write::Shadow { thing, name, document, .. } => {
            format!("shadow {name:?} of thing {}, version {:?}", thing.0, document.as_ref().map(|d| d.version))
        }
        Write::ShadowChanged { thing, name, change } => {
            format!("change {} of shadow {name:?} of thing {}", change.seq, thing.0)
        }
        Write::Command(command) => {
            format!("command {} {:?} for thing {}", command.id.0, command.token, command.thing.0)
        }
        Write::Alarm(alarm) => format!("alarm {} {:?} of thing {}", alarm.id.0, alarm.rule, alarm.thing.0),
        Write::Rhythm { series, weekday, .. } => format!("day {weekday} of series {}", series.0),
        Write::RhythmGone(series) => format!("the end of what is usual for series {}", series.0),
        Write::Position(placed) => format!("place of thing {} in rule {:?}", placed.thing.0, placed.rule),
        Write::PositionGone { thing, rule } => format!("the end of thing {} in rule {rule:?}", thing.0),
        Write::Bulk(head) => format!("bulk command {}", head.id.0),
        Write::BulkRows { bulk, rows } => format!("{} things of bulk command {}", rows.len(), bulk.0),
        Write::BulkGone(gone) => format!("the end of bulk command {}", gone.0),
        Write::Job(job) => format!("job {:?}", job.id),
        Write::ThingJob(part) => format!("job {:?} of thing {:?}", part.job, part.thing),
        Write::JobGone(id) => format!("end of job {id:?}"),
        Write::Audit(entry) => format!("audit entry {} {:?} of {:?}", entry.seq, entry.event.code(), entry.thing),
        Write::Unacked { packet_id, .. } => format!("packet id {packet_id}"),
        Write::NewSession => "new session".to_owned(),
        Write::Refused { topic, reason, .. } => format!("refusal of {topic:?}: {reason}"),
        Write::LinkSeen { at_ms } => format!("link seen at {}", at_ms.0),
    }
}

/// Our time in a write, where there is one.
fn moment(write: &Write) -> Option<WallMs> {
    match write {
        Write::Sample(sample) => Some(sample.received_ms),
        Write::Shadow { heard_ms, .. } => Some(*heard_ms),
        Write::ShadowChanged { change, .. } => Some(change.heard_ms),
        Write::Command(command) => command.steps.last().map(|(_, at)| *at),
        Write::Alarm(alarm) => {
            [alarm.state.raised_ms, alarm.state.cleared_ms, alarm.seen().map(|by| by.at_ms)].into_iter().flatten().max()
        }
        Write::Bulk(head) => head.ended_ms.max(head.released_ms).or(Some(head.asked_ms)),
        Write::Audit(entry) => Some(entry.at_ms),
        Write::Refused { at_ms, .. } | Write::LinkSeen { at_ms } => Some(*at_ms),
        Write::Position(placed) => placed.running_ms,
        Write::Thing { .. }
        | Write::Silent { .. }
        | Write::Series { .. }
        | Write::Rhythm { .. }
        | Write::RhythmGone(_)
        | Write::PositionGone { .. }
        | Write::BulkRows { .. }
        | Write::BulkGone(_)
        | Write::Unacked { .. }
        | Write::NewSession => None,
        // What tells of a job has the service's time.
        Write::Job(_) | Write::ThingJob(_) | Write::JobGone(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::{ThingKey, ThingName};
    use fleetlens_model::telemetry::{Quality, Source, Timed};

    use super::*;

    #[test]
    fn nothing_stays_of_a_write_that_fails_half_way() {
        let folder = tempfile::tempdir().unwrap();
        let (mut db, _) = crate::open::open(&folder.path().join("malta.db"), "malta", 1).unwrap();
        // A rule that is met by the row itself and broken by what comes with it.
        db.execute_batch(
            "CREATE TEMP TRIGGER picky AFTER INSERT ON series WHEN new.series = 2
             BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        )
        .unwrap();
        let sample = |series, seq| {
            let at = WallMs(1_000 * seq as i64);
            Write::Sample(Sample {
                series: SeriesKey(series),
                device_ms: at,
                received_ms: at,
                seq,
                value: Value::Flag(true),
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            })
        };
        let series = |key, pointer: &str| Write::Series {
            series: SeriesKey(key),
            thing: ThingKey(1),
            pointer: pointer.to_owned(),
        };
        let writes = [
            Write::Thing { thing: ThingKey(1), name: ThingName::new("lamp-1").unwrap(), meta: Default::default() },
            series(1, "/on"),
            sample(1, 1),
            series(2, "/off"),
            sample(2, 2),
            Write::Unacked { packet_id: 7, digest: 1 },
            sample(1, 3),
        ];
        let mut known = Known::default();
        let error = whole(&mut db, &mut known, writes.iter()).unwrap_err();
        assert!(breaks_a_rule(&error), "{error}");
        let (tally, left_out) = without_the_bad(&mut db, &mut known, &writes).unwrap();
        known.did(&tally);
        let told: Vec<&str> = left_out.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(told, ["a series was left out: not this one", "a sample was left out: there is no such series"]);
        let mut stored = Vec::new();
        journal::all(&db, |sample| stored.push(sample.seq)).unwrap();
        assert_eq!(stored, [1, 3]);
        assert_eq!(packets::all(&db).unwrap(), [(7, 1)]);
        assert_eq!(known.totals, Totals { last_seq: 3, ..Totals::default() });
        assert_eq!(known.totals, Totals::read(&db).unwrap(), "and so it is in the file");
    }
}
