//! One transaction: all of its writes, or all but those that break a rule of the schema.

use fleetlens_model::record::Write;
use fleetlens_model::time::WallMs;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::breaks_a_rule;
use crate::table::meta::Totals;
use crate::table::{alarm, command, latest, meta, refusal, sample, series, shadow, thing, unacked};

/// The topic under which left-out writes stand among the refusals.
const TOPIC: &str = "cache";

/// What a transaction changed beside its rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub totals: Totals,
    /// Samples that were there already.
    pub duplicates: u64,
    /// When the oldest of its new samples was measured.
    pub oldest_new: Option<WallMs>,
    /// Our time, as the last of its writes that has one says.
    pub moment: Option<WallMs>,
    /// Whether the refusals have grown.
    refused: bool,
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
    before: &Totals,
    writes: impl Iterator<Item = &'a Write>,
) -> rusqlite::Result<Tally> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut tally = Tally { totals: *before, ..Tally::default() };
    for write in writes {
        perform(&transaction, write, &mut tally)?;
    }
    finish(&transaction, before, &tally)?;
    transaction.commit()?;
    Ok(tally)
}

/// Performs every write but those that break a rule, which are counted as refusals; on any other error, none. Slower than
/// [`whole`]: a savepoint for each.
pub(crate) fn without_the_bad(
    db: &mut Connection,
    before: &Totals,
    writes: &[Write],
) -> rusqlite::Result<(Tally, Vec<LeftOut>)> {
    let mut transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut tally = Tally { totals: *before, ..Tally::default() };
    let mut left_out = Vec::new();
    for write in writes {
        let savepoint = transaction.savepoint()?;
        let mut with_this = tally;
        match perform(&savepoint, write, &mut with_this) {
            Ok(()) => {
                savepoint.commit()?;
                tally = with_this;
            }
            Err(error) if breaks_a_rule(&error) => {
                // Rolls back to where it began.
                savepoint.finish()?;
                let reason = format!("{} was left out: {error}", kind(write));
                let is_waited_for = matches!(write, Write::Command(_) | Write::Alarm(_));
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
        tally.refused = true;
    }
    finish(&transaction, before, &tally)?;
    transaction.commit()?;
    Ok((tally, left_out))
}

fn perform(db: &Connection, write: &Write, tally: &mut Tally) -> rusqlite::Result<()> {
    tally.moment = moment(write).or(tally.moment);
    let totals = &mut tally.totals;
    match write {
        Write::Sample(new) => {
            totals.last_seq = totals.last_seq.max(new.seq);
            if sample::insert(db, new)? {
                latest::offer(db, new)?;
                totals.samples += 1;
                for oldest in [&mut totals.oldest_ms, &mut tally.oldest_new] {
                    *oldest = oldest.map_or(Some(new.device_ms), |t| Some(t.min(new.device_ms)));
                }
            } else {
                tally.duplicates += 1;
            }
            Ok(())
        }
        Write::Thing { thing: key, name, meta } => thing::put(db, *key, name, meta),
        Write::Silent { thing: key, silent } => thing::set_silent(db, *key, *silent),
        Write::Series { series: key, thing, pointer } => series::put(db, *key, *thing, pointer),
        Write::Shadow { thing, name, document, heard_ms } => {
            shadow::put(db, *thing, name, document.as_ref(), *heard_ms)
        }
        Write::Command(asked) => {
            totals.last_command = totals.last_command.max(asked.id.0);
            command::put(db, asked)
        }
        Write::Alarm(told) => {
            totals.last_alarm = totals.last_alarm.max(told.id.0);
            alarm::put(db, told)
        }
        Write::Unacked { packet_id, digest } => unacked::put(db, *packet_id, *digest),
        Write::Refused { topic, reason, at_ms } => {
            tally.refused = true;
            refusal::add(db, topic, reason, *at_ms)
        }
        Write::LinkSeen { at_ms } => meta::link_seen(db, *at_ms),
    }
}

fn finish(db: &Connection, before: &Totals, tally: &Tally) -> rusqlite::Result<()> {
    if tally.refused {
        refusal::trim(db)?;
    }
    tally.totals.write(before, db)
}

fn kind(write: &Write) -> &'static str {
    match write {
        Write::Thing { .. } => "a thing",
        Write::Silent { .. } => "a thing's silence",
        Write::Series { .. } => "a series",
        Write::Sample(_) => "a sample",
        Write::Shadow { .. } => "a shadow",
        Write::Command(_) => "a command",
        Write::Alarm(_) => "an alarm",
        Write::Unacked { .. } => "a packet id",
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
        Write::Command(command) => {
            format!("command {} {:?} for thing {}", command.id.0, command.token, command.thing.0)
        }
        Write::Alarm(alarm) => format!("alarm {} {:?} of thing {}", alarm.id.0, alarm.rule, alarm.thing.0),
        Write::Unacked { packet_id, .. } => format!("packet id {packet_id}"),
        Write::Refused { topic, reason, .. } => format!("refusal of {topic:?}: {reason}"),
        Write::LinkSeen { at_ms } => format!("link seen at {}", at_ms.0),
    }
}

/// Our time in a write, where there is one.
fn moment(write: &Write) -> Option<WallMs> {
    match write {
        Write::Sample(sample) => Some(sample.received_ms),
        Write::Shadow { heard_ms, .. } => Some(*heard_ms),
        Write::Command(command) => command.steps.last().map(|(_, at)| *at),
        Write::Alarm(alarm) => {
            [Some(alarm.raised_ms), alarm.cleared_ms, alarm.acknowledged.as_ref().map(|by| by.at_ms)]
                .into_iter()
                .flatten()
                .max()
        }
        Write::Refused { at_ms, .. } | Write::LinkSeen { at_ms } => Some(*at_ms),
        Write::Thing { .. } | Write::Silent { .. } | Write::Series { .. } | Write::Unacked { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
    use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};

    use super::*;

    #[test]
    fn nothing_stays_of_a_write_that_fails_half_way() {
        let folder = tempfile::tempdir().unwrap();
        let (mut db, _) = crate::open::open(&folder.path().join("malta.db"), "malta", 1).unwrap();
        // A rule that is met by the first row of a sample's write and broken by the second.
        db.execute_batch(
            "CREATE TEMP TRIGGER picky BEFORE INSERT ON latest WHEN new.seq = 2
             BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        )
        .unwrap();
        let sample = |seq| {
            let at = WallMs(1_000 * seq as i64);
            Write::Sample(Sample {
                series: SeriesKey(1),
                device_ms: at,
                received_ms: at,
                seq,
                value: Value::Flag(true),
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            })
        };
        let writes = [
            Write::Thing { thing: ThingKey(1), name: ThingName::new("lamp-1").unwrap(), meta: Default::default() },
            Write::Series { series: SeriesKey(1), thing: ThingKey(1), pointer: "/on".into() },
            sample(1),
            sample(2),
            sample(3),
        ];
        let error = whole(&mut db, &Totals::default(), writes.iter()).unwrap_err();
        assert!(breaks_a_rule(&error), "{error}");
        let (tally, left_out) = without_the_bad(&mut db, &Totals::default(), &writes).unwrap();
        assert_eq!(left_out.len(), 1, "{left_out:?}");
        assert_eq!(
            (left_out[0].which.as_str(), left_out[0].reason.as_str()),
            ("sample 2 of series 1", "a sample was left out: not this one")
        );
        let stored: Vec<u64> = db
            .prepare("SELECT seq FROM sample ORDER BY seq")
            .and_then(|mut rows| rows.query_map([], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>())
            .unwrap()
            .into_iter()
            .map(i64::cast_unsigned)
            .collect();
        assert_eq!(stored, [1, 3]);
        assert_eq!((tally.totals.samples, tally.totals.last_seq), (2, 3));
        assert_eq!(tally.totals, Totals::read(&db).unwrap(), "and so it is in the file");
    }
}
