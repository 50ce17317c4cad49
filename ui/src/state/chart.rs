//! Charts as the window holds them: buckets upserted by their start, old ones dropped; and what is asked for.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_chart::Side;
use fleetlens_chart::stretch::{Read, Stand};
use fleetlens_ipc::Look;
use fleetlens_ipc::rows::{Chart, ChartAlarm, ChartMark};
use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use super::Store;
use super::views::Target;

/// How much earlier the time is that a chart is compared with: a week.
pub const WEEK_MS: i64 = 7 * 86_400_000;

/// Values that one chart shows at most.
pub const VALUES_MOST: usize = 4;

/// A line of the chart on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traced {
    /// Of which series.
    pub series: SeriesKey,
    /// Whether it is the week before.
    pub is_before: bool,
}

/// What the chart on the screen is made of.
#[derive(Clone, Copy)]
pub struct Charts {
    /// What came, by line; the one on the screen stays until the next comes.
    pub held: RwSignal<BTreeMap<Traced, Chart>>,
    /// Lines of which more was asked for and has not come.
    pub waits: RwSignal<BTreeSet<Traced>>,
    asked: StoredValue<BTreeMap<Traced, Read>>,
}

impl Charts {
    /// Nothing is looked at.
    pub(super) fn new() -> Charts {
        Charts {
            held: RwSignal::new(BTreeMap::new()),
            waits: RwSignal::new(BTreeSet::new()),
            asked: StoredValue::new(BTreeMap::new()),
        }
    }

    pub(super) fn replace(self, traced: Traced, chart: Chart) {
        self.waits.update(|waits| {
            waits.remove(&traced);
        });
        self.held.update(|held| {
            held.insert(traced, chart);
        });
    }

    /// The host knows no such series any more.
    pub(super) fn missing(self, traced: Traced) {
        self.waits.update(|waits| {
            waits.remove(&traced);
        });
    }

    pub(super) fn change(self, target: Target, change: impl FnOnce(&mut Chart)) {
        let Target::Chart(traced) = target else { return };
        self.held.update(|held| {
            if let Some(chart) = held.get_mut(&traced) {
                change(chart);
            }
        });
    }
}

impl Store {
    /// Looks at these lines and at no others. What was asked for already is not asked for again.
    pub fn look_at_charts(self, wanted: &BTreeMap<Traced, Read>) {
        let asked = self.charts.asked.get_value();
        for traced in asked.keys().filter(|traced| !wanted.contains_key(traced)) {
            self.away(Target::Chart(*traced));
        }
        let gone = |traced: &Traced| !wanted.contains_key(traced);
        if self.charts.held.with_untracked(|held| held.keys().any(gone)) {
            self.charts.held.update(|held| held.retain(|traced, _| !gone(traced)));
        }
        let new: Vec<(Traced, Read)> = wanted
            .iter()
            .filter(|(traced, read)| asked.get(traced) != Some(read))
            .map(|(traced, read)| (*traced, *read))
            .collect();
        self.charts.asked.set_value(wanted.clone());
        self.charts.waits.update(|waits| {
            waits.retain(|traced| !gone(traced));
            waits.extend(new.iter().map(|(traced, _)| *traced));
        });
        for (traced, read) in new {
            let Read { until_ms, span_ms, buckets } = read;
            self.look(Target::Chart(traced), Look::Chart { series: traced.series, until_ms, span_ms, buckets });
        }
    }
}

/// What is asked for: each series, and a week before each where that is compared.
pub fn reads(series: &[SeriesKey], stand: Stand, compares: bool, buckets: u32, now: WallMs) -> BTreeMap<Traced, Read> {
    let now_of = |series: &SeriesKey| (Traced { series: *series, is_before: false }, Read::of(stand, buckets));
    let before_of =
        |series: &SeriesKey| (Traced { series: *series, is_before: true }, Read::before(stand, WEEK_MS, buckets, now));
    series.iter().map(now_of).chain(series.iter().filter(|_| compares).map(before_of)).collect()
}

/// How the values of an axis are measured: its unit, and whether they say yes or no.
pub type Measured<'a> = (&'a str, bool);

/// Which axis each value is measured by: the left one has the first one's unit, the right one the next other; `None` fits on neither.
pub fn sides(values: &[Measured]) -> Vec<Option<Side>> {
    let left = values.first();
    let right = values.iter().find(|value| Some(*value) != left);
    let side = |value: &Measured| match value {
        value if Some(value) == left => Some(Side::Left),
        value if Some(value) == right => Some(Side::Right),
        _ => None,
    };
    values.iter().map(side).collect()
}

/// The values that came, in their order, each with its chart and its axis.
pub fn on_axes<'a>(
    held: &'a BTreeMap<Traced, Chart>,
    series: &[SeriesKey],
) -> Vec<(SeriesKey, &'a Chart, Option<Side>)> {
    let chart = |series: &SeriesKey| Some((*series, held.get(&Traced { series: *series, is_before: false })?));
    let there: Vec<(SeriesKey, &Chart)> = series.iter().filter_map(chart).collect();
    let measured: Vec<Measured> = there.iter().map(|(_, chart)| (chart.unit.as_str(), chart.is_flag)).collect();
    there.into_iter().zip(sides(&measured)).map(|((series, chart), side)| (series, chart, side)).collect()
}

/// The values that are not drawn, because both axes have other units.
pub fn without_axis(held: &BTreeMap<Traced, Chart>, series: &[SeriesKey]) -> Vec<SeriesKey> {
    on_axes(held, series).into_iter().filter(|(_, _, side)| side.is_none()).map(|(series, ..)| series).collect()
}

/// Takes a bucket as it is now, new or known, and drops what has left the span by then.
pub fn take_bucket(chart: &mut Chart, bucket: Bucket) {
    let place = chart.buckets.partition_point(|known| known.start_ms < bucket.start_ms);
    match chart.buckets.get_mut(place) {
        Some(known) if known.start_ms == bucket.start_ms => *known = bucket,
        _ => chart.buckets.insert(place, bucket),
    }
    let newest = chart.buckets.last().map_or(chart.until_ms, |last| last.start_ms);
    let span_ms = i64::try_from(chart.span_ms.saturating_add(chart.bucket_ms)).unwrap_or(i64::MAX);
    let oldest = WallMs(newest.0.saturating_sub(span_ms));
    chart.buckets.retain(|known| known.start_ms >= oldest);
    chart.marks.retain(|mark| mark.at_ms >= oldest);
}

/// Takes an alarm as it is now, new or known.
pub fn take_alarm(chart: &mut Chart, alarm: ChartAlarm) {
    match chart.alarms.iter_mut().find(|known| known.id == alarm.id) {
        Some(known) => *known = alarm,
        None => chart.alarms.push(alarm),
    }
}

/// Takes a mark, once.
pub fn take_mark(chart: &mut Chart, mark: ChartMark) {
    if !chart.marks.contains(&mark) {
        chart.marks.push(mark);
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::alarm::Priority;
    use fleetlens_model::id::{AlarmId, ThingKey};

    use super::*;

    #[test]
    fn a_third_unit_fits_on_no_axis() {
        let (w, c, v, flag) = (("W", false), ("°C", false), ("V", false), ("", true));
        for (values, want) in [
            (vec![w], vec![Some(Side::Left)]),
            (vec![w, w, c, w], vec![Some(Side::Left), Some(Side::Left), Some(Side::Right), Some(Side::Left)]),
            (vec![w, flag], vec![Some(Side::Left), Some(Side::Right)]),
            (vec![("", false), flag, flag], vec![Some(Side::Left), Some(Side::Right), Some(Side::Right)]),
            (vec![w, c, v, c], vec![Some(Side::Left), Some(Side::Right), None, Some(Side::Right)]),
            (vec![], vec![]),
        ] {
            assert_eq!(sides(&values), want, "{values:?}");
        }
    }

    #[test]
    fn a_week_before_is_asked_for_only_where_it_is_compared() {
        let (one, other) = (SeriesKey(1), SeriesKey(2));
        let now = WallMs(1_763_113_440_000);
        let stand = Stand::Follows { span_ms: 3_600_000 };
        assert_eq!(reads(&[one, other], stand, false, 300, now).len(), 2);
        let both = reads(&[one, other], stand, true, 300, now);
        let before = both.get(&Traced { series: other, is_before: true }).unwrap();
        let until_ms = before.until_ms.unwrap();
        assert!(until_ms > now.plus(-WEEK_MS) && until_ms < now.plus(-WEEK_MS + 3_600_000));
        assert_eq!(both.get(&Traced { series: other, is_before: false }).unwrap().until_ms, None);
    }

    fn bucket(start_s: i64, last: f64) -> Bucket {
        Bucket { start_ms: WallMs(start_s * 1000), min: last, max: last, sum: last, last, count: 1 }
    }

    #[test]
    fn a_bucket_replaces_its_own_and_the_oldest_leave() {
        let mut chart = Chart {
            series: SeriesKey(1),
            thing: ThingKey(1),
            thing_title: "Lamp 1".into(),
            label: "Level when on".into(),
            unit: "%".into(),
            decimals: 0,
            limits: Some((0.0, 100.0)),
            is_flag: false,
            span_ms: 60_000,
            until_ms: WallMs(60_000),
            bucket_ms: 10_000,
            gap_ms: 30_000,
            buckets: vec![bucket(0, 1.0), bucket(50, 2.0)],
            marks: vec![ChartMark { at_ms: WallMs(500), label: "dim to 40 %".into() }],
            alarms: Vec::new(),
        };
        take_bucket(&mut chart, bucket(50, 3.0));
        assert_eq!(chart.buckets, [bucket(0, 1.0), bucket(50, 3.0)]);
        take_bucket(&mut chart, bucket(40, 4.0));
        assert_eq!(chart.buckets, [bucket(0, 1.0), bucket(40, 4.0), bucket(50, 3.0)]);
        take_bucket(&mut chart, bucket(80, 5.0));
        assert_eq!(chart.buckets, [bucket(40, 4.0), bucket(50, 3.0), bucket(80, 5.0)]);
        assert!(chart.marks.is_empty());
        let mark = ChartMark { at_ms: WallMs(70_000), label: "on".into() };
        take_mark(&mut chart, mark.clone());
        take_mark(&mut chart, mark);
        assert_eq!(chart.marks.len(), 1);
        let alarm = ChartAlarm {
            id: AlarmId(3),
            raised_ms: WallMs(70_000),
            cleared_ms: None,
            priority: Priority::Warning,
            name: "dark".into(),
        };
        take_alarm(&mut chart, alarm.clone());
        take_alarm(&mut chart, ChartAlarm { cleared_ms: Some(WallMs(75_000)), ..alarm });
        assert_eq!(chart.alarms.iter().map(|alarm| alarm.cleared_ms).collect::<Vec<_>>(), [Some(WallMs(75_000))]);
    }
}
