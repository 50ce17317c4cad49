//! A run that is being made: its samples or buckets come series by series, its blocks leave as they are full.

use fleetlens_model::id::SeriesKey;

use crate::codec::Kept;
use crate::codec::block::{Block, Entry, Filling};
use crate::codec::page::{self, PAGE_SAMPLES, Scratch};
use crate::codec::rolled::{self, PAGE_BUCKETS, Rolled};
use crate::table::run::{Run, RunKey, Tier};

/// What a run is, but for what is in it.
#[derive(Debug)]
pub(crate) struct Building {
    run: Run,
    filling: Filling,
    full: Vec<Block>,
    /// Bytes of the blocks that are full and have not been taken.
    waiting: usize,
    scratch: Scratch,
    /// Samples of the series that was said last, which are no full page yet.
    open: Vec<Kept>,
    open_series: SeriesKey,
}

impl Building {
    /// Begins a run of what was said in this stretch of sequences.
    pub fn new(key: RunKey, tier: Tier, level: u32, (first_seq, last_seq): (u64, u64)) -> Building {
        let run = Run {
            key,
            tier,
            level,
            first_seq,
            last_seq,
            from_ms: i64::MAX,
            to_ms: i64::MIN,
            entries: 0,
            pages: 0,
            bytes: 0,
        };
        Building {
            run,
            filling: Filling::default(),
            full: Vec::new(),
            waiting: 0,
            scratch: Scratch::default(),
            open: Vec::new(),
            open_series: SeriesKey(0),
        }
    }

    pub fn key(&self) -> RunKey {
        self.run.key
    }

    pub fn tier(&self) -> Tier {
        self.run.tier
    }

    /// Adds samples in the order of series and time.
    pub fn samples(&mut self, series: SeriesKey, samples: impl IntoIterator<Item = Kept>) {
        if self.open_series != series {
            self.close_page();
            self.open_series = series;
        }
        for kept in samples {
            if self.open.len() == PAGE_SAMPLES {
                self.close_page();
            }
            self.open.push(kept);
        }
    }

    /// Adds a full page as it is, behind the samples of its series that were added.
    pub fn whole_page(&mut self, entry: Entry, bytes: &[u8]) {
        self.close_page();
        self.push(entry, |out| out.extend(bytes));
    }

    /// Adds buckets of a series in the order of time, all of them at once.
    pub fn buckets(&mut self, series: SeriesKey, buckets: &[Rolled]) {
        let width_ms = self.run.tier.width_ms();
        for page in buckets.chunks(PAGE_BUCKETS) {
            let (Some(first), Some(last)) = (page.first(), page.last()) else { continue };
            let (from_ms, to_ms) = (first.bucket.start_ms.0, last.bucket.start_ms.0);
            let entry = Entry { series, count: page.len(), from_ms, to_ms };
            self.push(entry, |out| rolled::put(out, page, width_ms));
        }
    }

    /// Samples that are no full page are one now.
    fn close_page(&mut self) {
        // Taken and put back for the sake of their memory.
        let (mut open, mut scratch) = (std::mem::take(&mut self.open), std::mem::take(&mut self.scratch));
        if let (Some(first), Some(last)) = (open.first(), open.last()) {
            let (series, count) = (self.open_series, open.len());
            let entry = Entry { series, count, from_ms: first.device_ms, to_ms: last.device_ms };
            self.push(entry, |out| page::put(out, &open, &mut scratch));
        }
        open.clear();
        (self.open, self.scratch) = (open, scratch);
    }

    fn push(&mut self, entry: Entry, put: impl FnOnce(&mut Vec<u8>)) {
        self.filling.push(entry, put);
        if self.filling.is_full() {
            self.close_block();
        }
    }

    fn close_block(&mut self) {
        let Some(block) = self.filling.take() else { return };
        self.run.from_ms = self.run.from_ms.min(block.from_ms);
        self.run.to_ms = self.run.to_ms.max(block.to_ms);
        self.run.entries += block.count;
        self.run.pages += block.pages;
        self.run.bytes += block.bytes.len() as u64;
        self.waiting += block.bytes.len();
        self.full.push(block);
    }

    /// Bytes that wait to be taken.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// The blocks that are full.
    pub fn take(&mut self) -> Vec<Block> {
        self.waiting = 0;
        std::mem::take(&mut self.full)
    }

    /// The last blocks and the run, or nothing when there was nothing to put in.
    pub fn finish(mut self) -> (Vec<Block>, Option<Run>) {
        self.close_page();
        self.close_block();
        let run = (self.run.entries > 0).then_some(self.run);
        (self.full, run)
    }
}
