//! How the rows of the audit log hold each other in place, and how one is found that was changed, removed or moved.
//!
//! The hash of a row is SHA-256 (FIPS 180-4) of the hash of the row before it and what the row says; the first row follows 32 zero
//! bytes. What a row says is [`Entry::fields`], each as the number of its bytes (four, the highest first) and then its UTF-8. Behind
//! [`FORMAT`], so that these bytes mean nothing else.
//!
//! There is no secret in it. It finds what was done to some rows; whoever can write the whole file can make a new log that holds
//! together. Against that a [`Head`] is noted somewhere else and given to [`Verifier::new`].

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::Entry;
use crate::time::WallMs;

/// What every hashed row begins with.
const FORMAT: &[u8] = b"fleetlens-audit-1";

/// The hash of a row; of no row, all zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// That of a row which says `entry` and follows one with the hash `before`.
    pub fn after(before: Hash, entry: &Entry) -> Hash {
        let mut sha = Sha256::new();
        sha.update(FORMAT);
        sha.update(before.0);
        for field in entry.fields() {
            // Nothing of ours is longer; where it were, its end is hashed all the same.
            sha.update(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            sha.update(field.as_bytes());
        }
        Hash(sha.finalize().into())
    }
}

impl std::fmt::Display for Hash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Hash {
    type Err = NoHash;
    fn from_str(text: &str) -> Result<Hash, NoHash> {
        let digits: Vec<u32> = text.chars().map_while(|c| c.to_digit(16)).collect();
        let bytes = digits.chunks_exact(2).filter_map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        });
        let bytes: Vec<u8> = bytes.collect();
        let whole = digits.len() == 64 && text.chars().count() == 64;
        <[u8; 32]>::try_from(bytes).ok().filter(|_| whole).map(Hash).ok_or(NoHash)
    }
}

/// A text is no [`Hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a hash of the audit log has 64 hexadecimal digits")]
pub struct NoHash;

/// The last row of a log, or of its beginning: enough to go on from it, and to know it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number; 0 for an empty log.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// The head once `entry` is added.
    pub fn after(self, entry: &Entry) -> Head {
        Head { seq: entry.seq, hash: Hash::after(self.hash, entry) }
    }
}

/// A row as it lies in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chained {
    /// Its number, as it lies there.
    pub seq: u64,
    /// What it says; `None` when it says nothing that any of ours could have said.
    pub entry: Option<Entry>,
    /// The hash that it has.
    pub hash: Hash,
}

/// A log that is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Its last row, which is also how many there are.
    pub head: Head,
    /// When its first row was written.
    pub first_ms: Option<WallMs>,
    /// When its last one was.
    pub last_ms: Option<WallMs>,
}

/// The first row that is not as it was written, and what is wrong with it. Rows before it are whole; of those behind it nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Break {
    /// It says something else than was written there.
    #[error("row {seq} was changed: it does not say what was written there, or has another hash")]
    Changed {
        /// Which one.
        seq: u64,
    },
    /// It is not there.
    #[error("{} missing", rows(.first, .last))]
    Missing {
        /// The first that is not.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// It stands at another number.
    #[error("row {seq} is out of order: what was written there stands at row {at}")]
    OutOfOrder {
        /// Which one.
        seq: u64,
        /// Where it is now.
        at: u64,
    },
    /// Every row follows from the one before it, but this one is not the one that was noted.
    #[error("row {seq} has another hash than was noted of it, though all rows hold together: the log was written anew")]
    WrittenAnew {
        /// Which one.
        seq: u64,
    },
}

fn rows(first: &u64, last: &u64) -> String {
    if first == last { format!("row {first} is") } else { format!("rows {first} to {last} are") }
}

/// Goes through a log, row by row.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// Hashes that rows were noted to have, by their numbers.
    noted: BTreeMap<u64, Hash>,
    /// As far as it is whole.
    whole: Summary,
    /// Where it is not.
    broken: Option<Broken>,
}

/// The place where the log ceases to be whole. What was written there may still come.
#[derive(Clone, Copy, Debug)]
enum Broken {
    /// Surely this.
    Is(Break),
    /// Unless what belongs there, whose hash may lie there still, is met further on.
    Unless(Break, Option<Hash>),
}

impl Verifier {
    /// Of a log of which these rows were noted: those must be there, with these hashes. A head of an empty log says nothing.
    pub fn new(noted: impl IntoIterator<Item = Head>) -> Verifier {
        let noted = noted.into_iter().filter(|head| head.seq > 0).map(|head| (head.seq, head.hash)).collect();
        Verifier { noted, whole: Summary::default(), broken: None }
    }

    /// Looks at the next row; `Break` when no further one can change what there is to say.
    pub fn row(&mut self, row: &Chained) -> ControlFlow<()> {
        let before = self.whole.head;
        let next = before.seq.saturating_add(1);
        // What it would be if it stood at the place that is looked at.
        let here = row.entry.as_ref().map(|entry| Hash::after(before.hash, &Entry { seq: next, ..entry.clone() }));
        match self.broken {
            None if row.seq == next && here == Some(row.hash) => {
                let at_ms = row.entry.as_ref().map(|entry| entry.at_ms);
                let first_ms = self.whole.first_ms.or(at_ms);
                self.whole = Summary { head: Head { seq: next, hash: row.hash }, first_ms, last_ms: at_ms };
                if self.noted.get(&next).is_some_and(|noted| *noted != row.hash) {
                    self.broken = Some(Broken::Is(Break::WrittenAnew { seq: next }));
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            }
            None if row.seq == next => {
                self.broken = Some(Broken::Unless(Break::Changed { seq: next }, Some(row.hash)));
                ControlFlow::Continue(())
            }
            None => {
                let last = row.seq.saturating_sub(1).max(next);
                self.broken = Some(Broken::Unless(Break::Missing { first: next, last }, None));
                self.belongs_here(row, here, None)
            }
            Some(Broken::Unless(_, its)) => self.belongs_here(row, here, its),
            Some(Broken::Is(_)) => ControlFlow::Break(()),
        }
    }

    /// Whether a row is what belongs to the place where the log is broken.
    fn belongs_here(&mut self, row: &Chained, here: Option<Hash>, its: Option<Hash>) -> ControlFlow<()> {
        if here.is_some_and(|here| here == row.hash || Some(here) == its) {
            let seq = self.whole.head.seq.saturating_add(1);
            self.broken = Some(Broken::Is(Break::OutOfOrder { seq, at: row.seq }));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// What there is to say after the last row.
    pub fn end(self) -> Result<Summary, Break> {
        if let Some(Broken::Is(fault) | Broken::Unless(fault, _)) = self.broken {
            return Err(fault);
        }
        let have = self.whole.head.seq;
        match self.noted.last_key_value() {
            Some((last, _)) if *last > have => Err(Break::Missing { first: have.saturating_add(1), last: *last }),
            Some(_) | None => Ok(self.whole),
        }
    }
}

/// Goes through rows that are at hand, in the order of their numbers.
pub fn verify(
    rows: impl IntoIterator<Item = Chained>,
    noted: impl IntoIterator<Item = Head>,
) -> Result<Summary, Break> {
    let mut verifier = Verifier::new(noted);
    for row in rows {
        if verifier.row(&row).is_break() {
            break;
        }
    }
    verifier.end()
}

#[cfg(test)]
mod tests;
