//! `job` and `job_execution`: the jobs of a service and how far each thing is with them. `told` is JSON ([`Job`], [`Execution`]). How
//! many are kept is the engine's to say; a thing stands by its name, because a job may name things of which nothing else is known.

use fleetlens_model::job::{Execution, Job, ThingJob};
use fleetlens_model::shared::Texts;
use rusqlite::Connection;

use super::{from_json, to_json, unreadable};

/// Adds a job or replaces what is known of it.
pub(crate) fn put(db: &Connection, job: &Job) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO job (job, told) VALUES (?1, ?2) ON CONFLICT (job) DO UPDATE SET told = excluded.told",
    )?
    .execute((&job.id, to_json(job)?))
    .map(drop)
}

/// Adds a thing's part of a job or replaces what is known of it.
pub(crate) fn put_part(db: &Connection, part: &ThingJob) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO job_execution (job, thing, told) VALUES (?1, ?2, ?3)
         ON CONFLICT (job, thing) DO UPDATE SET told = excluded.told",
    )?
    .execute((&part.job, part.thing.as_str(), to_json(&part.execution)?))
    .map(drop)
}

/// Removes a job with everything of it.
pub(crate) fn remove(db: &Connection, job: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM job_execution WHERE job = ?1")?.execute([job])?;
    db.prepare_cached("DELETE FROM job WHERE job = ?1")?.execute([job]).map(drop)
}

/// Takes a job over from another file.
pub(crate) fn take_over(db: &Connection, id: &str, told: &str) -> rusqlite::Result<()> {
    let job: Job = from_json(1, told)?;
    if job.id == id { put(db, &job) } else { Err(unreadable(0, "it tells of another job")) }
}

/// Takes a thing's part of a job over from another file.
pub(crate) fn take_over_part(db: &Connection, job: &str, thing: &str, told: &str) -> rusqlite::Result<()> {
    let execution: Execution = from_json(2, told)?;
    put_part(db, &ThingJob { job: job.to_owned(), thing: thing.into(), execution })
}

/// Every job, by its id.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Job>> {
    db.prepare_cached("SELECT told FROM job ORDER BY job")?
        .query_map([], |row| from_json(0, row.get_ref(0)?.as_str()?))?
        .collect()
}

/// Every thing's part, by job and thing.
pub(crate) fn all_parts(db: &Connection, texts: &mut Texts) -> rusqlite::Result<Vec<ThingJob>> {
    db.prepare_cached("SELECT job, thing, told FROM job_execution ORDER BY job, thing")?
        .query_map([], |row| {
            Ok(ThingJob {
                job: row.get(0)?,
                thing: texts.get(row.get_ref(1)?.as_str()?),
                execution: from_json(2, row.get_ref(2)?.as_str()?)?,
            })
        })?
        .collect()
}
