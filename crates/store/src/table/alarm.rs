//! `alarm`: what needed or needs a person.
//!
//! | column | meaning |
//! |---|---|
//! | `rule` | the id of the rule that raised it |
//! | `priority` | `advisory`, `warning` or `critical` |
//! | `active`, `acknowledged` | its two bits; it is open while one of them says so |
//! | `raised_ms`, `cleared_ms` | when it became so the last time, and when it ceased |
//! | `ended_ms` | when it ceased to be open: cleared or acknowledged, whichever came last; NULL while it is open or hidden |
//! | `detail` | JSON: name, sentence, what to do, who looks after it, and its state as a whole |
//!
//! Before schema 7 the detail had how often it was raised and who acknowledged it, and the columns had the rest.

use std::ops::Range;

use fleetlens_model::alarm::state::State;
use fleetlens_model::alarm::{Acknowledgement, Alarm, Priority};
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::record::ENDED_ALARMS_RESTORED;
use fleetlens_model::time::WallMs;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{count, counted, from_json, to_json, unreadable};

const COLUMNS: &str = "alarm, thing, rule, priority, active, raised_ms, cleared_ms, detail";

/// What is read only as a whole.
#[derive(Serialize)]
struct Detail<'a> {
    name: &'a str,
    sentence: &'a str,
    what_to_do: &'a str,
    assigned: &'a str,
    state: &'a State,
}

/// The same as it is read.
#[derive(Deserialize)]
struct Read {
    name: String,
    sentence: String,
    what_to_do: String,
    #[serde(default)]
    assigned: String,
    #[serde(flatten)]
    stands: Stands,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stands {
    Now {
        state: Box<State>,
    },
    /// Before schema 7.
    Before {
        times: u32,
        acknowledgement: Option<Acknowledgement>,
    },
}

/// Adds an alarm or replaces what is known of it.
pub(crate) fn put(db: &Connection, alarm: &Alarm) -> rusqlite::Result<()> {
    let Alarm { name, sentence, what_to_do, assigned, state, .. } = alarm;
    let detail = to_json(&Detail { name, sentence, what_to_do, assigned, state })?;
    db.prepare_cached(
        "INSERT INTO alarm
           (alarm, thing, rule, priority, active, raised_ms, cleared_ms, acknowledged, ended_ms, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (alarm) DO UPDATE SET
           thing = excluded.thing, rule = excluded.rule, priority = excluded.priority, active = excluded.active,
           raised_ms = excluded.raised_ms, cleared_ms = excluded.cleared_ms, acknowledged = excluded.acknowledged,
           ended_ms = excluded.ended_ms, detail = excluded.detail",
    )?
    .execute(params![
        counted(alarm.id.0)?,
        alarm.thing.0,
        alarm.rule,
        word(alarm.priority),
        state.active,
        alarm.raised_ms().0,
        state.cleared_ms.map(|at| at.0),
        state.acknowledged.is_some(),
        alarm.ended_ms().map(|at| at.0),
        detail,
    ])?;
    Ok(())
}

/// The open ones and the newest [`ENDED_ALARMS_RESTORED`] ended ones, in the order of their ids.
pub(crate) fn recent(db: &Connection) -> rusqlite::Result<Vec<Alarm>> {
    let ended = i64::try_from(ENDED_ALARMS_RESTORED).unwrap_or(i64::MAX);
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM alarm
         WHERE alarm IN (SELECT alarm FROM alarm WHERE ended_ms IS NULL)
            OR alarm IN (
              SELECT alarm FROM alarm WHERE ended_ms IS NOT NULL ORDER BY ended_ms DESC, alarm DESC LIMIT ?1
            )
         ORDER BY alarm"
    ))?
    .query_map([ended], of_row)?
    .collect()
}

/// Those whose life touches a span, whether they began before it or are open still, in the order in which they were raised.
pub(crate) fn touching(db: &Connection, span: &Range<WallMs>) -> rusqlite::Result<Vec<Alarm>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM alarm
         WHERE raised_ms < ?2 AND (ended_ms IS NULL OR ended_ms >= ?1)
         ORDER BY raised_ms, alarm"
    ))?
    .query_map((span.start.0, span.end.0), of_row)?
    .collect()
}

/// Those that are open or ended after a moment and became so until another one, in the order of their ids.
pub(crate) fn not_over_at(db: &Connection, at: WallMs, until: WallMs) -> rusqlite::Result<Vec<Alarm>> {
    // One that is told again is raised anew, and has been so since before.
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM alarm
         WHERE (alarm IN (SELECT alarm FROM alarm WHERE ended_ms IS NULL)
             OR alarm IN (SELECT alarm FROM alarm WHERE ended_ms IS NOT NULL AND ended_ms > ?1))
           AND (raised_ms <= ?2 OR json_extract(detail, '$.state.since_ms') <= ?2)
         ORDER BY alarm"
    ))?
    .query_map([at.0, until.0], of_row)?
    .collect()
}

/// The newest [`ENDED_ALARMS_RESTORED`] that ended up to a moment.
pub(crate) fn over_at(db: &Connection, at: WallMs) -> rusqlite::Result<Vec<Alarm>> {
    let ended = i64::try_from(ENDED_ALARMS_RESTORED).unwrap_or(i64::MAX);
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM alarm
         WHERE ended_ms IS NOT NULL AND ended_ms <= ?1 ORDER BY ended_ms DESC, alarm DESC LIMIT ?2"
    ))?
    .query_map((at.0, ended), of_row)?
    .collect()
}

/// How many were raised in each of so many equal parts of a span, as far as their rows tell: of each the last time.
pub(crate) fn raised_in(db: &Connection, span: &Range<WallMs>, parts: usize) -> rusqlite::Result<Vec<u32>> {
    let mut counts = vec![0_u32; parts];
    let width = i64::try_from(span.start.0.abs_diff(span.end.0)).unwrap_or(i64::MAX).max(1);
    let many = i64::try_from(parts).unwrap_or(i64::MAX);
    // What only came and went while nobody was told has no time of its own on the bar either.
    let mut statement = db.prepare_cached(
        "SELECT min((raised_ms - ?1) * ?3 / ?4, ?3 - 1), count(*) FROM alarm
         WHERE raised_ms >= ?1 AND raised_ms < ?2 GROUP BY 1",
    )?;
    let mut rows = statement.query((span.start.0, span.end.0, many, width))?;
    while let Some(row) = rows.next()? {
        let place = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX);
        if let Some(count) = counts.get_mut(place) {
            *count = row.get(1)?;
        }
    }
    Ok(counts)
}

/// The newest of one thing whose life touches a span, at most `most`, newest first.
pub(crate) fn of_thing(
    db: &Connection,
    thing: ThingKey,
    span: &Range<WallMs>,
    most: usize,
) -> rusqlite::Result<Vec<Alarm>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM alarm
         WHERE thing = ?1 AND raised_ms < ?3 AND (ended_ms IS NULL OR ended_ms >= ?2)
         ORDER BY raised_ms DESC, alarm DESC LIMIT ?4"
    ))?
    .query_map((thing.0, span.start.0, span.end.0, i64::try_from(most).unwrap_or(i64::MAX)), of_row)?
    .collect()
}

/// Takes an alarm over from another file as it is there: its number and the columns behind that, in the order of the schema.
pub(crate) fn take_over(db: &Connection, key: i64, columns: &[Value]) -> rusqlite::Result<()> {
    let number = Value::Integer(key);
    db.prepare_cached(
        "INSERT INTO alarm (alarm, thing, rule, priority, active, raised_ms, cleared_ms, acknowledged, ended_ms, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params_from_iter(std::iter::once(&number).chain(columns)))?;
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM alarm WHERE alarm = ?1"))?.query_one([key], of_row).map(drop)
}

/// Removes those that ended before `horizon`, at most `rows` of them, and says how many they were.
pub(crate) fn forget(db: &Connection, horizon: WallMs, rows: usize) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "DELETE FROM alarm WHERE alarm IN (
           SELECT alarm FROM alarm WHERE ended_ms IS NOT NULL AND ended_ms < ?1 ORDER BY ended_ms LIMIT ?2
         )",
    )?
    .execute((horizon.0, i64::try_from(rows).unwrap_or(i64::MAX)))
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Alarm> {
    let Read { name, sentence, what_to_do, assigned, stands } = from_json(7, row.get_ref(7)?.as_str()?)?;
    let state = match stands {
        Stands::Now { state } => *state,
        Stands::Before { times, acknowledgement } => {
            // Nothing was hidden then, and people were told of everything.
            let (raised_ms, cleared_ms) = (WallMs(row.get(5)?), row.get::<_, Option<i64>>(6)?.map(WallMs));
            State::told(raised_ms, cleared_ms, times, acknowledgement)
        }
    };
    Ok(Alarm {
        id: AlarmId(count(0, row.get(0)?)?),
        thing: ThingKey(row.get(1)?),
        rule: row.get(2)?,
        name,
        priority: priority_of(row.get_ref(3)?.as_str()?)?,
        sentence,
        what_to_do,
        assigned,
        state,
    })
}

fn word(priority: Priority) -> &'static str {
    match priority {
        Priority::Advisory => "advisory",
        Priority::Warning => "warning",
        Priority::Critical => "critical",
    }
}

fn priority_of(word: &str) -> rusqlite::Result<Priority> {
    match word {
        "advisory" => Ok(Priority::Advisory),
        "warning" => Ok(Priority::Warning),
        "critical" => Ok(Priority::Critical),
        _ => Err(unreadable(3, format!("{word:?} is no priority"))),
    }
}
