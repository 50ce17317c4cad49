//! The outbox as a file beside the cache, replaced whole.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use fleetlens_reach::{Kept, Outbox, OutboxError, Record};
use serde::{Deserialize, Serialize};

use crate::ports::wall_now;
use crate::whole;

/// The form of the file. It rises when an older program could not read it any more.
const VERSION: u32 = 1;

/// More is no file of ours: what may wait and be watched takes some ten million bytes.
const BYTES_MAX: u64 = 256 << 20;

/// The file of a cache.
pub fn file_of(cache: &Path) -> PathBuf {
    let mut beside = cache.as_os_str().to_owned();
    beside.push(".reach.json");
    beside.into()
}

/// What is not delivered yet and what may still escalate, in a file. One that cannot be read is set aside.
#[derive(Debug)]
pub struct FileOutbox {
    file: PathBuf,
    /// The cache's own number: an alarm's is unique within one cache.
    installation: u64,
    records: BTreeMap<u64, Record>,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    installation: u64,
    records: Vec<&'a Record>,
}

/// What has to be known of a file before the rest of it can be read.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

#[derive(Deserialize)]
struct Found {
    installation: u64,
    records: Vec<Record>,
}

impl FileOutbox {
    /// The one of a cache. Nothing is read yet.
    pub fn beside(cache: &Path, installation: u64) -> FileOutbox {
        FileOutbox { file: file_of(cache), installation, records: BTreeMap::new() }
    }

    async fn write(&self) -> Result<(), OutboxError> {
        let written =
            Written { version: VERSION, installation: self.installation, records: self.records.values().collect() };
        let written = async { whole::keep(&self.file, &serde_json::to_vec(&written)?).await };
        written.await.map_err(|error: io::Error| OutboxError(format!("{}: {error}", self.file.display())))
    }

    async fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match tokio::fs::metadata(&self.file).await {
            Ok(about) if about.is_file() && about.len() <= BYTES_MAX => tokio::fs::read(&self.file).await.map(Some),
            // As good as one with something else in it.
            Ok(_) => Ok(Some(Vec::new())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn set_aside(&self, why: &serde_json::Error) -> Result<(), OutboxError> {
        let mut aside = self.file.as_os_str().to_owned();
        aside.push(format!(".unreadable-{}", wall_now().0));
        let aside = PathBuf::from(aside);
        let file = self.file.display();
        tokio::fs::rename(&self.file, &aside)
            .await
            .map_err(|error| OutboxError(format!("{file} cannot be read ({why}) nor set aside: {error}")))?;
        tracing::error!(
            aside = %aside.display(),
            "{file} cannot be read ({why}) and is set aside: notices that waited in it are not sent, and what stands is told anew"
        );
        Ok(())
    }
}

impl Outbox for FileOutbox {
    async fn put(&mut self, records: Vec<Record>) -> Result<(), OutboxError> {
        self.records.extend(records.into_iter().map(|record| (record.key, record)));
        self.write().await
    }

    async fn remove(&mut self, keys: Vec<u64>) -> Result<(), OutboxError> {
        keys.iter().for_each(|key| _ = self.records.remove(key));
        self.write().await
    }

    async fn all(&mut self) -> Result<Vec<Record>, OutboxError> {
        let bytes = self.read().await.map_err(|error| OutboxError(format!("{}: {error}", self.file.display())))?;
        let Some(bytes) = bytes else { return Ok(Vec::new()) };
        if let Ok(Head { version }) = serde_json::from_slice(&bytes)
            && version > VERSION
        {
            let file = self.file.display();
            return Err(OutboxError(format!(
                "{file} was written by a newer Fleetlens; use that one, or move the file"
            )));
        }
        let mut found: Found = match serde_json::from_slice(&bytes) {
            Ok(found) => found,
            Err(why) => {
                self.set_aside(&why).await?;
                return Ok(Vec::new());
            }
        };
        if found.installation != self.installation {
            // The cache is another one by now, whose alarms have the same numbers and are others.
            found.records.retain(|record| matches!(record.kept, Kept::Waiting(_)));
        }
        self.records = found.records.into_iter().map(|record| (record.key, record)).collect();
        Ok(self.records.values().cloned().collect())
    }
}
