//! A chart: buckets read from the cache once, then live samples folded into them. Samples that arrive between the question and its
//! answer wait, so that none is missed and none counted twice.

use std::collections::BTreeMap;

use fleetlens_ipc::rows::{Change, Chart, ChartMark, Rows};
use fleetlens_model::downsample::{Bucket, Downsampler, width_ms};
use fleetlens_model::id::{CommandId, SeriesKey};
use fleetlens_model::kind::Field;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{Now, WallMs};

use super::Told;
use super::page::{bare, command_title};
use crate::fleet::{Dirty, Fleet, ReadDone, ReadTicket, interval_ms};

/// The longest span a chart shows, in milliseconds: ten years.
const SPAN_MAX_MS: u64 = 3_650 * 86_400_000;

#[derive(Debug)]
pub(super) struct ChartView {
    ticket: ReadTicket,
    series: SeriesKey,
    span_ms: u64,
    past: Downsampler,
    /// The past was read.
    ready: bool,
    waiting: Vec<(WallMs, f64)>,
    changed: BTreeMap<WallMs, Bucket>,
    marks: Vec<CommandId>,
}

impl ChartView {
    pub(super) fn new(
        ticket: ReadTicket,
        series: SeriesKey,
        span_ms: u64,
        buckets: u32,
        fleet: &Fleet,
        now: Now,
    ) -> (ChartView, Option<HistoryQuery>) {
        let span_ms = span_ms.clamp(1_000, SPAN_MAX_MS);
        let past = Downsampler::new(width_ms(span_ms, buckets.clamp(10, 4096)));
        let from = now.wall.plus(-i64::try_from(span_ms).unwrap_or(i64::MAX));
        let query = fleet.series.contains_key(&series).then(|| HistoryQuery {
            series,
            from_ms: past.start_of(from),
            // Devices may be up to two minutes ahead and still be believed.
            to_ms: now.wall.plus(fleetlens_model::telemetry::FUTURE_TOLERANCE_MS + 1),
            bucket_ms: past.width_ms(),
            up_to_seq: fleet.last_seq(),
        });
        let ready = query.is_none();
        let (waiting, changed, marks) = (Vec::new(), BTreeMap::new(), Vec::new());
        (ChartView { ticket, series, span_ms, past, ready, waiting, changed, marks }, query)
    }

    /// What of.
    pub(super) fn series(&self) -> SeriesKey {
        self.series
    }

    /// Takes the past; true when there is something to tell.
    pub(super) fn read(&mut self, done: ReadDone, fleet: &Fleet) -> bool {
        if done.ticket != self.ticket || self.ready {
            return false;
        }
        // A cache that cannot be read leaves an empty past; the fault itself is told as a notice.
        self.past = Downsampler::resume(self.past.width_ms(), done.outcome.unwrap_or_default());
        self.ready = true;
        for (at, value) in std::mem::take(&mut self.waiting) {
            self.past.add(at, value);
        }
        fleet.series.contains_key(&self.series)
    }

    pub(super) fn soil(&mut self, dirty: &Dirty, fleet: &Fleet) -> bool {
        for (_, at, value) in dirty.samples.iter().filter(|(series, _, _)| *series == self.series) {
            if !self.ready {
                self.waiting.push((*at, *value));
            } else if let Some(bucket) = self.past.add(*at, *value) {
                self.changed.insert(bucket.start_ms, bucket);
            }
        }
        let thing = fleet.series.get(&self.series).map(|s| s.thing);
        let ours = |id: &&CommandId| fleet.commands.get(id).map(|c| c.thing) == thing;
        self.marks.extend(dirty.asked.iter().filter(ours));
        self.ready && (!self.changed.is_empty() || !self.marks.is_empty())
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let Some(series) = fleet.series.get(&self.series) else {
            return if first { Told::All(Rows::Missing) } else { Told::Nothing };
        };
        if !self.ready {
            return Told::Nothing;
        }
        let changed = std::mem::take(&mut self.changed);
        let marked = std::mem::take(&mut self.marks);
        let from = now.wall.plus(-i64::try_from(self.span_ms).unwrap_or(i64::MAX));
        self.past.forget_before(self.past.start_of(from));
        let thing = fleet.things.get(&series.thing);
        let unknown = Meta::default();
        let meta = thing.map_or(&unknown, |t| &*t.meta.common);
        let mark = |id: &CommandId| {
            let command = fleet.commands.get(id)?;
            let (_, at_ms) = command.steps.first()?;
            Some(ChartMark { at_ms: *at_ms, label: command_title(command, meta, &fleet.config.schemas) })
        };
        if !first {
            let marks = marked.iter().filter_map(mark).map(Change::Mark);
            return Told::Some(changed.into_values().map(Change::Bucket).chain(marks).collect());
        }
        let field = meta.kind.field(&series.pointer);
        let commands = thing.into_iter().flat_map(|t| t.commands.iter());
        Told::All(Rows::Chart(Chart {
            series: self.series,
            label: meta.label(&series.pointer).unwrap_or_else(|| bare(&series.pointer)).to_string(),
            unit: meta.unit(&series.pointer).to_string(),
            decimals: field.map_or(2, |f| f.decimals),
            limits: field.and_then(Field::limits),
            span_ms: self.span_ms,
            until_ms: now.wall,
            bucket_ms: self.past.width_ms(),
            gap_ms: thing.map_or(60_000, |t| interval_ms(&t.meta.common) * 3).max(self.past.width_ms() * 2),
            buckets: self.past.buckets().to_vec(),
            marks: commands.filter_map(mark).filter(|m| m.at_ms >= from).collect(),
        }))
    }
}
