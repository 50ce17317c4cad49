//! Salvage: what can still be read of a damaged cache goes into a new one.
//!
//! The damaged file is only read, page by page and without SQLite ([`pages`], [`tree`]), so it stays byte for byte what it was, and a
//! broken page costs what is on it instead of everything behind it. A row is taken when it is whole: the journal, the latest values,
//! the packets and the blocks of the history by their checksums; names against the index that has them a second time; everything by
//! what the tables demand and by whether the model can be made of it. A row whose thing or series is lost is left out with it: the
//! numbers of the lost are given again, and what belonged to them must not be taken for another's.
//!
//! A block whose run is lost comes into a run of its own: one that is yet to be rolled up where no roll-up is left either, else one
//! that is, so that nothing is counted twice.
//!
//! Caches of schemas 1 to 3 keep their history in another shape ([`rows`]); of them that is taken too.

mod history;
mod pages;
mod rows;
mod tree;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use fleetlens_model::audit::chain::{Hash, Head};
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::telemetry::Sample;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use rusqlite::Connection;
use rusqlite::types::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::Damaged;
use crate::codec::batch::{self, Batch};
use crate::error::{StoreError, breaks_a_rule, is_damage};
use crate::figures::SCHEMA;
use crate::table::cuts::Cuts;
use crate::table::latest::{self, Latest};
use crate::table::{
    alarm, audit, bulk, command, from_json, job, journal, meta, packets, position, refusal, rhythm, series, shadow,
    shadow_change, thing,
};
use pages::{Pages, Place, number};
use tree::{Row, Trees};

/// What of `meta` lives on beside the highest numbers ever given.
const LIVES_ON: [&str; 7] =
    ["installation", "link_seen_ms", "aged_ms", "ahead_ms", "gone_samples_ms", "gone_minutes_ms", "gone_hours_ms"];

/// Numbers above this are damage: nobody has counted so far.
const NUMBER_MAX: i64 = 1 << 60;

/// So many bytes of blocks are one transaction.
const SLICE: usize = 16 << 20;

/// How often a salvage that takes long says how far it is.
const TELL: Duration = Duration::from_secs(5);

/// What was taken over from a damaged cache, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Things with their descriptions.
    pub things: u64,
    /// Series.
    pub series: u64,
    /// Shadows.
    pub shadows: u64,
    /// Commands, open and ended.
    pub commands: u64,
    /// Alarms, open and ended.
    pub alarms: u64,
    /// Samples of the history.
    pub samples: u64,
    /// Minutes, hours and days of the history.
    pub buckets: u64,
    /// Pages of 4 KiB that could not be read and are known to have held something.
    pub lost_pages: u64,
    /// Rows that were there and were damaged, or belonged to something that is lost.
    pub lost_rows: u64,
    /// Why it ended early or took nothing; nothing when it went through the whole file.
    pub ended_early: Option<String>,
}

impl std::fmt::Display for Salvaged {
    /// What was taken over and what was not, as a person should read it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Salvaged { things, shadows, commands, alarms, samples, lost_pages, lost_rows, .. } = self;
        if *things == 0 {
            f.write_str("nothing of it could be taken over")?;
        } else {
            write!(
                f,
                "taken over from it: {things} things, {shadows} shadows, {commands} commands, {alarms} alarms and {samples} samples"
            )?;
        }
        if lost_pages + lost_rows > 0 {
            write!(f, "; unreadable: {lost_pages} pages and {lost_rows} single rows")?;
        }
        match &self.ended_early {
            Some(why) => write!(f, "; {why}"),
            None => Ok(()),
        }
    }
}

/// How much is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What can be read.
    All,
    /// All but the history: what a start reads.
    Picture,
}

/// Takes over what can be read of the cache at `from` into a new, empty one. An error is one of the new cache's file: what was
/// taken until then is of no use.
pub(crate) fn into(
    db: &Connection,
    at: &Path,
    from: &Path,
    profile: &str,
    wanted: Wanted,
) -> Result<Salvaged, StoreError> {
    let pages = match Pages::open(from) {
        Ok(pages) => pages,
        Err(error) => {
            let ended_early = Some(StoreError::io(from)(error).to_string());
            return Ok(Salvaged { ended_early, ..Salvaged::default() });
        }
    };
    let mut taking = Taking::new(db, pages);
    taking.all(profile, wanted).map_err(StoreError::at(at))?;
    let Taking { mut told, trees, .. } = taking;
    told.lost_pages += trees.missed.pages;
    told.lost_rows += trees.missed.rows;
    Ok(told)
}

struct Taking<'a> {
    db: &'a Connection,
    trees: Trees,
    roots: HashMap<String, u32>,
    things: HashSet<ThingKey>,
    series: HashSet<SeriesKey>,
    told: Salvaged,
    last_seq: i64,
    last_command: i64,
    last_alarm: i64,
    last_change: i64,
}

impl<'a> Taking<'a> {
    fn new(db: &'a Connection, pages: Pages) -> Taking<'a> {
        Taking {
            db,
            trees: Trees::new(pages),
            roots: HashMap::new(),
            things: HashSet::new(),
            series: HashSet::new(),
            told: Salvaged::default(),
            last_seq: 0,
            last_command: 0,
            last_alarm: 0,
            last_change: 0,
        }
    }

    fn all(&mut self, profile: &str, wanted: Wanted) -> rusqlite::Result<()> {
        self.find_roots()?;
        let first = self.trees.pages.page(1).filter(|first| first.starts_with(b"SQLite format 3\0"));
        let schema =
            first.and_then(|first| number(&first, 60)).filter(|schema| (1..=SCHEMA).contains(schema)).unwrap_or(SCHEMA);
        let told = self.meta();
        if told.get("profile").is_some_and(|found| *found != Value::Text(profile.to_owned())) {
            self.told.ended_early = Some("it says that it is another profile's".to_owned());
            return Ok(());
        }
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        for name in LIVES_ON {
            if let Some(Value::Integer(number)) = told.get(name) {
                meta::set(self.db, name, number)?;
            }
        }
        if let Some(Value::Text(cuts)) = told.get(Cuts::name()) {
            match Cuts::take_over(self.db, cuts) {
                Err(error) if is_damage(&error) => self.told.lost_rows += 1,
                taken => taken?,
            }
        }
        let highest = |name| match told.get(name) {
            Some(Value::Integer(number)) => (0..NUMBER_MAX).contains(number).then_some(*number),
            _ => None,
        };
        self.last_command = highest("last_command").unwrap_or(0);
        self.last_alarm = highest("last_alarm").unwrap_or(0);
        self.last_change = highest("last_change").unwrap_or(0);
        self.last_seq = highest("last_seq").unwrap_or(0);
        self.things()?;
        self.all_series()?;
        self.small_tables()?;
        self.audit(highest("last_audit"), told.get("audit_hash"))?;
        self.db.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        if schema >= 4 {
            self.latest()?;
            self.journal()?;
        } else {
            self.latest_rows()?;
        }
        if wanted == Wanted::All {
            self.db.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
            if schema >= 4 {
                self.history(highest("last_seq").is_none())?;
            } else {
                self.sample_rows()?;
            }
        }
        for (name, number) in [
            ("last_command", self.last_command),
            ("last_alarm", self.last_alarm),
            ("last_change", self.last_change),
            ("last_seq", self.last_seq),
        ] {
            meta::set(self.db, name, number)?;
        }
        self.db.execute_batch("COMMIT")
    }

    /// Where each tree begins: as the file says, else where it begins in any new cache if there is the beginning of one.
    fn find_roots(&mut self) -> rusqlite::Result<()> {
        let roots = &mut self.roots;
        self.trees.rows(1, true, |row| {
            let root = row.whole(3).and_then(|root| u32::try_from(root).ok()).filter(|root| *root > 1);
            if let (Some(name), Some(root)) = (row.text(1), root) {
                roots.insert(name.to_owned(), root);
            }
            true
        });
        let mut fresh = self.db.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 1")?;
        let fresh: Vec<(String, u32)> =
            fresh.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        for (name, root) in fresh {
            if !roots.contains_key(&name)
                && !roots.values().any(|taken| *taken == root)
                && self.trees.pages.place(root) == Some(Place::Root)
            {
                roots.insert(name, root);
            }
        }
        Ok(())
    }

    /// The rows of a table or index, if it is known where they begin. Stops at an error of the new cache; a row that cannot be taken
    /// is counted.
    fn each(
        &mut self,
        name: &str,
        numbered: bool,
        mut take: impl FnMut(&mut Self, Row) -> Result<(), Lost>,
    ) -> rusqlite::Result<()> {
        let Some(root) = self.roots.get(name).copied() else { return Ok(()) };
        let empty = Trees::new(Pages::none());
        let mut trees = std::mem::replace(&mut self.trees, empty);
        let mut fault = None;
        trees.rows(root, numbered, |row| match take(self, row) {
            Ok(()) => true,
            Err(Lost::Row) => {
                self.told.lost_rows += 1;
                true
            }
            Err(Lost::All(error)) => {
                fault = Some(error);
                false
            }
        });
        self.trees = trees;
        fault.map_or(Ok(()), Err)
    }

    fn meta(&mut self) -> HashMap<String, Value> {
        let mut told = HashMap::new();
        let outcome = self.each("meta", false, |_, mut row| {
            let value = row.columns.pop().ok_or(Lost::Row)?;
            told.insert(row.text(0).ok_or(Lost::Row)?.to_owned(), value);
            Ok(())
        });
        // Nothing is written by it.
        debug_assert!(outcome.is_ok());
        told
    }

    /// What an index says: digests of the columns by the key, and the keys by those.
    fn index(&mut self, name: &str) -> rusqlite::Result<Index> {
        let mut index = Index::default();
        self.each(name, false, |_, mut row| {
            let Some(Value::Integer(key)) = row.columns.pop() else { return Err(Lost::Row) };
            let digest = digest(&row.columns);
            index.by_key.insert(key, digest);
            index.by_digest.insert(digest, key);
            Ok(())
        })?;
        Ok(index)
    }

    fn things(&mut self) -> rusqlite::Result<()> {
        let index = self.index("sqlite_autoindex_thing_1")?;
        self.each("thing", true, |taking, row| {
            let key = row.key.ok_or(Lost::Row)?;
            let (name, about) = (row.text(1).ok_or(Lost::Row)?, row.text(2).ok_or(Lost::Row)?);
            if !index.agrees(key, &[Value::Text(name.to_owned())]) {
                return Err(Lost::Row);
            }
            let key = ThingKey(u32::try_from(key).map_err(|_| Lost::Row)?);
            let name = ThingName::new(name).map_err(|_| Lost::Row)?;
            let about: Meta = from_json(2, about)?;
            thing::put(taking.db, key, &name, &about)?;
            if row.whole(3) == Some(1) {
                thing::set_silent(taking.db, key, true)?;
            }
            taking.things.insert(key);
            taking.told.things += 1;
            Ok(())
        })
    }

    fn all_series(&mut self) -> rusqlite::Result<()> {
        let index = self.index("sqlite_autoindex_series_1")?;
        self.each("series", true, |taking, row| {
            let key = row.key.ok_or(Lost::Row)?;
            let (thing, pointer) = (row.whole(1).ok_or(Lost::Row)?, row.text(2).ok_or(Lost::Row)?);
            if !index.agrees(key, &[Value::Integer(thing), Value::Text(pointer.to_owned())]) {
                return Err(Lost::Row);
            }
            let key = SeriesKey(u32::try_from(key).map_err(|_| Lost::Row)?);
            series::put(taking.db, key, taking.thing(thing)?, pointer)?;
            taking.series.insert(key);
            taking.told.series += 1;
            Ok(())
        })
    }

    fn thing(&self, key: i64) -> Result<ThingKey, Lost> {
        let key = u32::try_from(key).ok().map(ThingKey).filter(|key| self.things.contains(key));
        key.ok_or(Lost::Row)
    }

    fn small_tables(&mut self) -> rusqlite::Result<()> {
        self.each("shadow", false, |taking, row| {
            let thing = taking.thing(row.whole(0).ok_or(Lost::Row)?)?;
            let (name, json) = (row.text(1).ok_or(Lost::Row)?, row.text(4).ok_or(Lost::Row)?);
            let (version, heard) = (row.whole(2).ok_or(Lost::Row)?, row.whole(3).ok_or(Lost::Row)?);
            shadow::put(taking.db, thing, name, Some(&shadow::document(version, json)?), WallMs(heard))?;
            taking.told.shadows += 1;
            Ok(())
        })?;
        self.each("shadow_change", true, |taking, mut row| {
            row.columns.resize(13, Value::Null);
            let key = row.key.filter(|key| *key < NUMBER_MAX).ok_or(Lost::Row)?;
            taking.thing(row.whole(1).ok_or(Lost::Row)?)?;
            taking.whole_row(|db| shadow_change::take_over(db, key, row.columns.get(1..).unwrap_or_default()))?;
            taking.last_change = taking.last_change.max(key);
            Ok(())
        })?;
        self.each("command", true, |taking, mut row| {
            // A row of schema 1 ends before who took it back.
            row.columns.resize(14, Value::Text(String::new()));
            let key = row.key.ok_or(Lost::Row)?;
            taking.whole_row(|db| command::take_over(db, key, row.columns.get(1..).unwrap_or_default()))?;
            taking.last_command = taking.last_command.max(key);
            taking.told.commands += 1;
            Ok(())
        })?;
        self.each("alarm", true, |taking, mut row| {
            row.columns.resize(10, Value::Null);
            let key = row.key.ok_or(Lost::Row)?;
            taking.whole_row(|db| alarm::take_over(db, key, row.columns.get(1..).unwrap_or_default()))?;
            taking.last_alarm = taking.last_alarm.max(key);
            taking.told.alarms += 1;
            Ok(())
        })?;
        self.each("bulk", true, |taking, mut row| {
            row.columns.resize(4, Value::Null);
            let key = row.key.ok_or(Lost::Row)?;
            taking.whole_row(|db| bulk::take_over(db, key, row.columns.get(1..).unwrap_or_default()))
        })?;
        let unreadable = |taking: &Self| (taking.told.lost_rows, taking.trees.missed.pages, taking.trees.missed.rows);
        let before = unreadable(self);
        self.each("bulk_thing", false, |taking, mut row| {
            row.columns.resize(5, Value::Null);
            taking.thing(row.whole(2).ok_or(Lost::Row)?)?;
            taking.whole_row(|db| bulk::take_over_row(db, &row.columns))?;
            // Its command may be lost, and no other may have its number: the row would take that for its own.
            let command = row.whole(3).filter(|command| *command < NUMBER_MAX).unwrap_or(0);
            taking.last_command = taking.last_command.max(command);
            Ok(())
        })?;
        if unreadable(self) != before || !self.roots.contains_key("bulk_thing") {
            bulk::hold(self.db)?;
        }
        self.each("job", false, |taking, row| {
            let (id, told) = (row.text(0).ok_or(Lost::Row)?, row.text(1).ok_or(Lost::Row)?);
            Ok(job::take_over(taking.db, id, told)?)
        })?;
        self.each("job_execution", false, |taking, row| {
            let (id, thing, told) = (row.text(0), row.text(1), row.text(2));
            let (id, thing, told) = (id.ok_or(Lost::Row)?, thing.ok_or(Lost::Row)?, told.ok_or(Lost::Row)?);
            Ok(job::take_over_part(taking.db, id, thing, told)?)
        })?;
        self.each("rhythm", false, |taking, row| {
            let (weekday, hours) = (row.whole(0).ok_or(Lost::Row)?, row.bytes(2).ok_or(Lost::Row)?);
            let series = u32::try_from(row.whole(1).ok_or(Lost::Row)?).map_err(|_| Lost::Row).map(SeriesKey)?;
            if !taking.series.contains(&series) {
                return Err(Lost::Row);
            }
            Ok(rhythm::take_over(taking.db, weekday, series, hours)?)
        })?;
        self.each("position", false, |taking, row| {
            let thing = taking.thing(row.whole(0).ok_or(Lost::Row)?)?;
            let (rule, position) = (row.text(1).ok_or(Lost::Row)?, row.text(3).ok_or(Lost::Row)?);
            Ok(position::take_over(taking.db, thing, rule, row.whole(2), position)?)
        })?;
        self.each("refusal", false, |taking, row| {
            let (topic, reason) = (row.text(0).ok_or(Lost::Row)?, row.text(1).ok_or(Lost::Row)?);
            let (count, last) = (row.whole(2).ok_or(Lost::Row)?, row.whole(3).ok_or(Lost::Row)?);
            Ok(refusal::take_over(taking.db, topic, reason, count, last)?)
        })?;
        self.each("packets", true, |taking, row| {
            let (batch, data) = (row.key.ok_or(Lost::Row)?, row.bytes(1).ok_or(Lost::Row)?);
            Ok(packets::take_over(taking.db, batch, data)?)
        })
    }

    /// The audit log as it lies there, also what does not follow from what stands before it: it tells itself where it is broken, and
    /// that is where something was lost. It goes on behind the row that was noted last, so that this is missed if it is not there.
    fn audit(&mut self, last: Option<i64>, hash: Option<&Value>) -> rusqlite::Result<()> {
        self.each("audit", true, |taking, mut row| {
            row.columns.resize(13, Value::Null);
            let key = row.key.filter(|key| *key < NUMBER_MAX).ok_or(Lost::Row)?;
            Ok(audit::take_over(taking.db, key, row.columns.get(1..).unwrap_or_default())?)
        })?;
        let hash = match hash {
            Some(Value::Blob(bytes)) => <[u8; 32]>::try_from(bytes.as_slice()).ok(),
            _ => None,
        };
        match last.and_then(|last| u64::try_from(last).ok()).zip(hash) {
            Some((seq, hash)) => meta::note_audit(self.db, Head { seq, hash: Hash(hash) }),
            None => Ok(()),
        }
    }

    /// Nothing of a row stays that turns out to be damaged when it is there.
    fn whole_row(&self, take: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), Lost> {
        self.db.execute_batch("SAVEPOINT one")?;
        let taken = take(self.db).map_err(Lost::from);
        let end = if taken.is_ok() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
        self.db.execute_batch(end)?;
        taken
    }

    fn latest(&mut self) -> rusqlite::Result<()> {
        let mut newest = Latest::default();
        self.each("latest", true, |taking, row| {
            let samples = samples(row.bytes(1).ok_or(Lost::Row)?)?;
            let mut known = samples.into_iter().filter(|sample| taking.series.contains(&sample.series));
            known.try_for_each(|sample| {
                newest.offer(sample);
                Ok(())
            })
        })?;
        for (block, data) in newest.rows(self.db)? {
            latest::put(self.db, block, &data)?;
        }
        Ok(())
    }

    fn journal(&mut self) -> rusqlite::Result<()> {
        self.each("journal", true, |taking, row| {
            let samples = samples(row.bytes(6).ok_or(Lost::Row)?)?;
            let (mut batch, mut last_seq) = (Batch::default(), 0);
            for sample in samples.iter().filter(|sample| taking.series.contains(&sample.series)) {
                batch.push(sample);
                last_seq = last_seq.max(sample.seq);
            }
            if batch.is_empty() {
                return Err(Lost::Row);
            }
            journal::put_as(taking.db, row.key, &mut batch, last_seq)?;
            taking.last_seq = taking.last_seq.max(i64::try_from(last_seq).unwrap_or(0));
            taking.told.samples += batch.samples;
            Ok(())
        })
    }
}

/// Why a row was not taken.
enum Lost {
    /// It is damaged, or belongs to something that is.
    Row,
    /// Nothing more can be taken: the new cache cannot be written.
    All(rusqlite::Error),
}

impl From<rusqlite::Error> for Lost {
    fn from(error: rusqlite::Error) -> Lost {
        if is_damage(&error) || breaks_a_rule(&error) { Lost::Row } else { Lost::All(error) }
    }
}

impl From<Damaged> for Lost {
    fn from(_: Damaged) -> Lost {
        Lost::Row
    }
}

/// What an index says of a table a second time.
#[derive(Default)]
struct Index {
    by_key: HashMap<i64, u64>,
    by_digest: HashMap<u64, i64>,
}

impl Index {
    /// Whether it says nothing else of this key and these columns.
    fn agrees(&self, key: i64, columns: &[Value]) -> bool {
        let digest = digest(columns);
        self.by_key.get(&key).is_none_or(|other| *other == digest)
            && self.by_digest.get(&digest).is_none_or(|other| *other == key)
    }
}

fn digest(columns: &[Value]) -> u64 {
    xxh3_64(format!("{columns:?}").as_bytes())
}

fn samples(data: &[u8]) -> Result<Vec<Sample>, Damaged> {
    let mut samples = Vec::new();
    batch::each(data, |sample| samples.push(sample))?;
    Ok(samples)
}
