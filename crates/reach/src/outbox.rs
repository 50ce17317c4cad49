//! What has to outlive the program: what is not delivered yet, and which alarms still wait for somebody.

use std::collections::BTreeMap;
use std::future::Future;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::notice::{Notice, Occurrence};
use crate::since::Since;

/// One row of the journal. Its form is this crate's; whoever stores it keeps it as a whole (it is serde), under its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Unique within the journal.
    pub key: u64,
    /// What it is.
    pub kept: Kept,
}

/// What a row of the journal is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// A notice that a route has not delivered yet.
    Waiting(Waiting),
    /// An alarm that is active, as far as we were told.
    Watched(Watched),
    /// What was told of an alarm that is over, the newest last: what is told once more is known.
    Ended(Vec<Occurrence>),
}

/// A notice that a route has not delivered yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The route's name.
    pub(crate) route: String,
    pub(crate) notice: Notice,
    /// With which others it was sent the first time: it is sent with the same ones again, so that the other side can tell.
    pub(crate) batch: Option<Batch>,
}

/// Notices that are sent together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// The key of the first of them.
    pub first: u64,
    /// How often they were tried in vain; only the first one's is kept up to date.
    pub failed: u32,
    /// When they were tried first.
    pub since: Since,
}

/// An alarm that is active, as far as we were told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// What was told of it last.
    pub(crate) notice: Notice,
    /// Since when it waits for somebody to acknowledge it.
    pub(crate) since: Since,
    pub(crate) acknowledged: bool,
    /// The names of the routes that were told.
    pub(crate) told: Vec<String>,
    /// What was told of it lately, the newest last: what is told once more is known.
    pub(crate) occurrences: Vec<Occurrence>,
}

/// The journal could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct OutboxError(pub String);

/// Where [`Record`]s are kept over restarts. Each call is one transaction.
pub trait Outbox: Send + 'static {
    /// Keeps these, in the place of those with the same keys; resolves when they are safe.
    fn put(&mut self, records: Vec<Record>) -> impl Future<Output = Result<(), OutboxError>> + Send;
    /// Lets go of those with these keys; one that is not there is no fault.
    fn remove(&mut self, keys: Vec<u64>) -> impl Future<Output = Result<(), OutboxError>> + Send;
    /// Everything that is kept, in any order.
    fn all(&mut self) -> impl Future<Output = Result<Vec<Record>, OutboxError>> + Send;
}

/// An outbox that a restart empties: for tests, and for who has nowhere to write.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    records: BTreeMap<u64, Record>,
}

impl Memory {
    /// What is kept, by key.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }
}

impl Outbox for Memory {
    async fn put(&mut self, records: Vec<Record>) -> Result<(), OutboxError> {
        self.records.extend(records.into_iter().map(|record| (record.key, record)));
        Ok(())
    }

    async fn remove(&mut self, keys: Vec<u64>) -> Result<(), OutboxError> {
        keys.iter().for_each(|key| _ = self.records.remove(key));
        Ok(())
    }

    async fn all(&mut self) -> Result<Vec<Record>, OutboxError> {
        Ok(self.records.values().cloned().collect())
    }
}
