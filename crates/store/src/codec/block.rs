//! Pages of one series after the other: first what there is (series, how many, from when to when, how long), then the pages. To find
//! a page nothing else is unpacked.

use std::ops::Range;

use fleetlens_model::id::SeriesKey;

use super::Damaged;
use super::bytes::{Input, put_signed, put_unsigned, seal, sealed, unsealed};

const VERSION: u8 = 1;

/// A block takes no further page beyond this: a row of a few pages of the file.
const BLOCK_BYTES: usize = 16 * 1024;

/// What is said of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub series: SeriesKey,
    /// Samples or buckets in it.
    pub count: usize,
    /// The time of the first.
    pub from_ms: i64,
    /// The time of the last.
    pub to_ms: i64,
}

/// A block that is full, or the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub first_series: SeriesKey,
    pub last_series: SeriesKey,
    pub from_ms: i64,
    pub to_ms: i64,
    /// Samples or buckets in it.
    pub count: u64,
    pub pages: u64,
    pub bytes: Vec<u8>,
}

/// A block that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    entries: Vec<u8>,
    pages: Vec<u8>,
    many: u64,
    first: Option<Entry>,
    last: Option<Entry>,
    from_ms: i64,
    to_ms: i64,
    count: u64,
}

impl Filling {
    /// Adds a page, which `put` writes. The series never go down.
    pub fn push(&mut self, entry: Entry, put: impl FnOnce(&mut Vec<u8>)) {
        let start = self.pages.len();
        put(&mut self.pages);
        let (series, from_ms) = self.last.map_or((0, 0), |last| (last.series.0, last.from_ms));
        put_unsigned(&mut self.entries, u64::from(entry.series.0.saturating_sub(series)));
        put_unsigned(&mut self.entries, entry.count as u64);
        put_signed(&mut self.entries, entry.from_ms.wrapping_sub(from_ms));
        put_signed(&mut self.entries, entry.to_ms.wrapping_sub(entry.from_ms));
        put_unsigned(&mut self.entries, (self.pages.len() - start) as u64);
        self.many += 1;
        self.from_ms = if self.first.is_none() { entry.from_ms } else { self.from_ms.min(entry.from_ms) };
        self.to_ms = if self.first.is_none() { entry.to_ms } else { self.to_ms.max(entry.to_ms) };
        self.count += entry.count as u64;
        self.first.get_or_insert(entry);
        self.last = Some(entry);
    }

    pub fn is_full(&self) -> bool {
        self.entries.len() + self.pages.len() >= BLOCK_BYTES
    }

    /// The block, if there is anything in it.
    pub fn take(&mut self) -> Option<Block> {
        let Filling { entries, pages, many, first, last, from_ms, to_ms, count } = std::mem::take(self);
        let mut bytes = unsealed(VERSION);
        bytes.reserve_exact(entries.len() + pages.len() + 20);
        put_unsigned(&mut bytes, many);
        put_unsigned(&mut bytes, entries.len() as u64);
        bytes.extend(entries);
        bytes.extend(pages);
        seal(&mut bytes);
        let (first_series, last_series) = (first?.series, last?.series);
        Some(Block { first_series, last_series, from_ms, to_ms, count, pages: many, bytes })
    }
}

/// Hands over what is said of each page that is wanted, in order, and where in the block it lies.
pub(crate) fn pages(
    bytes: &[u8],
    wanted: impl Fn(&Entry) -> bool,
    mut each: impl FnMut(Entry, Range<usize>),
) -> Result<(), Damaged> {
    let mut input = sealed(bytes, VERSION)?;
    let (many, length) = (input.unsigned()?, input.count()?);
    let mut entries = Input(input.take(length)?);
    let (mut series, mut before) = (0_u32, 0_i64);
    for _ in 0..many {
        series = u32::try_from(u64::from(series) + entries.unsigned()?).map_err(|_| Damaged)?;
        let count = entries.count()?;
        let from_ms = before.wrapping_add(entries.signed()?);
        let to_ms = from_ms.wrapping_add(entries.signed()?);
        before = from_ms;
        let length = entries.count()?;
        let start = bytes.len() - input.0.len();
        input.take(length)?;
        let entry = Entry { series: SeriesKey(series), count, from_ms, to_ms };
        if wanted(&entry) {
            each(entry, start..start + length);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_back_and_only_those_that_are_wanted() {
        let entry = |series, count, from_ms| Entry { series: SeriesKey(series), count, from_ms, to_ms: from_ms + 5 };
        let entries = [entry(3, 2, 100), entry(3, 1, 90), entry(700, 9, -4)];
        let mut filling = Filling::default();
        for (n, entry) in (1..).zip(&entries) {
            filling.push(*entry, |out| out.extend(vec![n; usize::from(n)]));
        }
        let block = filling.take().unwrap();
        assert_eq!((block.first_series.0, block.last_series.0, block.from_ms, block.to_ms), (3, 700, -4, 105));
        assert_eq!(block.count, 12);
        assert_eq!(filling.take(), None);
        let read = |wanted: &dyn Fn(&Entry) -> bool| {
            let mut read = Vec::new();
            pages(&block.bytes, wanted, |entry, place| read.push((entry, block.bytes[place].to_vec()))).unwrap();
            read
        };
        assert_eq!(read(&|_| true), [(entries[0], vec![1]), (entries[1], vec![2, 2]), (entries[2], vec![3, 3, 3])]);
        assert_eq!(read(&|entry| entry.series.0 == 700), [(entries[2], vec![3, 3, 3])]);
        let mut broken = block.bytes.clone();
        broken[20] ^= 1;
        assert_eq!(pages(&broken, |_| true, |_, _| {}), Err(Damaged));
    }
}
