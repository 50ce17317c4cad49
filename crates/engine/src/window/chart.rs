//! A chart: buckets read from the cache once, then live samples folded into them. Samples that arrive between the question and its
//! answer wait, so that none is missed and none counted twice. A stretch of the past stays where it is; what is late is folded into it.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::rows::{CHART_ALARMS_MAX, Change, Chart, ChartAlarm, ChartMark, Rows};
use fleetlens_model::alarm::{Alarm, Condition};
use fleetlens_model::downsample::{Bucket, Downsampler, width_ms};
use fleetlens_model::expression::Name;
use fleetlens_model::id::{AlarmId, CommandId, SeriesKey, ThingKey};
use fleetlens_model::kind::Field;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::telemetry::{FUTURE_TOLERANCE_MS, Value};
use fleetlens_model::text::shown;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{Now, WallMs};

use super::Told;
use super::page::{bare, command_title};
use crate::fleet::{Dirty, Fleet, ReadDone, ReadTicket, Series, interval_ms};

/// The longest span a chart shows, in milliseconds: ten years, and what is read around them.
const SPAN_MAX_MS: u64 = 2 * 3_650 * 86_400_000;

/// Which time, in how many parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// `None` for now, and on with it.
    pub until_ms: Option<WallMs>,
    pub span_ms: u64,
    pub buckets: u32,
}

#[derive(Debug)]
pub(super) struct ChartView {
    ticket: ReadTicket,
    series: SeriesKey,
    until_ms: Option<WallMs>,
    span_ms: u64,
    /// In the past what was measured up to then is read, however late it came: it is not folded in once more when it comes.
    read_to: WallMs,
    past: Downsampler,
    /// The past was read.
    ready: bool,
    waiting: Vec<(WallMs, f64)>,
    changed: BTreeMap<WallMs, Bucket>,
    marks: Vec<CommandId>,
    /// As they were read.
    alarms: Vec<Alarm>,
    alarmed: BTreeSet<AlarmId>,
}

impl ChartView {
    pub(super) fn new(
        ticket: ReadTicket,
        series: SeriesKey,
        span: Span,
        fleet: &Fleet,
        now: Now,
    ) -> (ChartView, Option<(HistoryQuery, ThingKey)>) {
        let span_ms = span.span_ms.clamp(1_000, SPAN_MAX_MS);
        let past = Downsampler::new(width_ms(span_ms, span.buckets.clamp(10, 4096)));
        // Devices may be up to two minutes ahead and still be believed.
        let newest = now.wall.plus(FUTURE_TOLERANCE_MS + 1);
        let read = fleet.series.get(&series).map(|known| {
            let from = span.until_ms.unwrap_or(now.wall).plus(-i64::try_from(span_ms).unwrap_or(i64::MAX));
            let query = HistoryQuery {
                series,
                from_ms: past.start_of(from),
                to_ms: span.until_ms.map_or(newest, |until| until.min(newest)),
                bucket_ms: past.width_ms(),
                up_to_seq: fleet.last_seq(),
            };
            (query, known.thing)
        });
        let view = ChartView {
            ticket,
            series,
            until_ms: span.until_ms,
            span_ms,
            read_to: if fleet.is_past() { now.wall } else { WallMs(i64::MIN) },
            past,
            ready: read.is_none(),
            waiting: Vec::new(),
            changed: BTreeMap::new(),
            marks: Vec::new(),
            alarms: Vec::new(),
            alarmed: BTreeSet::new(),
        };
        (view, read)
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
        self.alarms = done.alarms;
        self.ready = true;
        for (at, value) in std::mem::take(&mut self.waiting) {
            self.past.add(at, value);
        }
        fleet.series.contains_key(&self.series)
    }

    pub(super) fn soil(&mut self, dirty: &Dirty, fleet: &Fleet) -> bool {
        for (series, at, value) in &dirty.samples {
            if *series != self.series || *at <= self.read_to || !self.reaches(*at) {
                continue;
            }
            if !self.ready {
                self.waiting.push((*at, *value));
            } else if let Some(bucket) = self.past.add(*at, *value) {
                self.changed.insert(bucket.start_ms, bucket);
            }
        }
        let Some(thing) = fleet.series.get(&self.series).map(|known| known.thing) else { return false };
        let ours = |id: &&CommandId| fleet.commands.get(id).is_some_and(|command| command.thing == thing);
        self.marks.extend(dirty.asked.iter().filter(ours));
        let ours = |id: &&AlarmId| fleet.alarms.get(**id).is_some_and(|alarm| alarm.thing == thing);
        self.alarmed.extend(dirty.alarms.iter().filter(ours));
        self.ready && !(self.changed.is_empty() && self.marks.is_empty() && self.alarmed.is_empty())
    }

    /// Whether a moment is in what was asked for; what follows now takes whatever comes.
    fn reaches(&self, at: WallMs) -> bool {
        self.until_ms.is_none_or(|until| at < until && at >= self.past.start_of(self.begins(until)))
    }

    /// The left edge, with this right one.
    fn begins(&self, until: WallMs) -> WallMs {
        until.plus(-i64::try_from(self.span_ms).unwrap_or(i64::MAX))
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let Some(series) = fleet.series.get(&self.series) else {
            return if first { Told::All(Rows::Missing) } else { Told::Nothing };
        };
        if !self.ready {
            return Told::Nothing;
        }
        let changed = std::mem::take(&mut self.changed);
        let (marked, alarmed) = (std::mem::take(&mut self.marks), std::mem::take(&mut self.alarmed));
        let until = self.until_ms.unwrap_or(now.wall);
        let from = self.begins(until);
        self.past.forget_before(self.past.start_of(from));
        let thing = fleet.things.get(&series.thing);
        let unknown = Meta::default();
        let meta = thing.map_or(&unknown, |t| &*t.meta.common);
        let mark = |id: &CommandId| {
            let command = fleet.commands.get(id)?;
            let (_, at_ms) = command.steps.first().filter(|(_, at_ms)| self.reaches(*at_ms))?;
            Some(ChartMark { at_ms: *at_ms, label: command_title(command, meta, &fleet.config.schemas) })
        };
        let touches = |alarm: &ChartAlarm| {
            self.until_ms.is_none_or(|until| alarm.raised_ms < until) && alarm.cleared_ms.is_none_or(|at| at >= from)
        };
        let told = |alarm: &Alarm| alarm_of(alarm, series, fleet).filter(touches);
        if !first {
            let marks = marked.iter().filter_map(mark).map(Change::Mark);
            let alarms = alarmed.iter().filter_map(|id| told(fleet.alarms.get(*id)?)).map(Change::ChartAlarm);
            return Told::Some(changed.into_values().map(Change::Bucket).chain(marks).chain(alarms).collect());
        }
        let field = meta.kind.field(&series.pointer);
        let commands = thing.into_iter().flat_map(|t| t.commands.iter());
        // What is in memory is newer than what was read.
        let open = thing.map(|thing| fleet.alarms_of(thing)).unwrap_or_default();
        let known = self.alarms.iter().map(|read| fleet.alarms.get(read.id).unwrap_or(read));
        let alarms: BTreeMap<AlarmId, ChartAlarm> =
            known.chain(open).filter_map(told).map(|alarm| (alarm.id, alarm)).collect();
        Told::All(Rows::Chart(Chart {
            series: self.series,
            thing: series.thing,
            thing_title: thing.map_or_else(String::new, |thing| thing.title().to_string()),
            label: shown(meta.label(&series.pointer).unwrap_or_else(|| bare(&series.pointer))).into_owned(),
            unit: shown(meta.unit(&series.pointer)).into_owned(),
            decimals: field.map_or(2, |f| f.decimals),
            limits: field.and_then(Field::limits),
            is_flag: matches!(series.value(), Some(Value::Flag(_))),
            span_ms: self.span_ms,
            until_ms: until,
            bucket_ms: self.past.width_ms(),
            gap_ms: thing.map_or(60_000, |t| interval_ms(&t.meta.common) * 3).max(self.past.width_ms() * 2),
            buckets: self.past.buckets().to_vec(),
            marks: commands.filter_map(mark).filter(|m| m.at_ms >= from).collect(),
            alarms: alarms.into_values().rev().take(CHART_ALARMS_MAX).collect(),
        }))
    }
}

/// Whether a name leads to a value, or may: which one is its level depends on the kind.
fn is_of(name: &Name, pointer: &str) -> bool {
    match name {
        Name::Value(named) => named == pointer,
        Name::Level | Name::Input(..) | Name::Variable(_) => true,
    }
}

/// An alarm as the chart of a series has it; `None` where its rule looks at other values and not at this one.
fn alarm_of(alarm: &Alarm, series: &Series, fleet: &Fleet) -> Option<ChartAlarm> {
    let is_ours = fleet.rules.named(&alarm.rule).is_none_or(|rule| match &rule.condition {
        Condition::When(when) => {
            let names = when.expression.needs().names;
            names.is_empty() || names.iter().any(|name| is_of(name, &series.pointer))
        }
        Condition::Silent
        | Condition::NotConverged { .. }
        | Condition::CommandFailed
        | Condition::Detected(_)
        | Condition::Told => true,
    });
    is_ours.then(|| ChartAlarm {
        id: alarm.id,
        raised_ms: alarm.raised_ms(),
        cleared_ms: alarm.state.cleared_ms.filter(|_| !alarm.is_active()),
        priority: alarm.priority,
        name: alarm.name.clone(),
    })
}
