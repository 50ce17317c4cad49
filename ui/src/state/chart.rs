//! A chart as the window holds it: buckets upserted by their start, old ones dropped. Pure.

use fleetlens_ipc::rows::{Chart, ChartMark};
use fleetlens_model::downsample::Bucket;
use fleetlens_model::time::WallMs;

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

/// Takes a mark, once.
pub fn take_mark(chart: &mut Chart, mark: ChartMark) {
    if !chart.marks.contains(&mark) {
        chart.marks.push(mark);
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::SeriesKey;

    use super::*;

    fn bucket(start_s: i64, last: f64) -> Bucket {
        Bucket { start_ms: WallMs(start_s * 1000), min: last, max: last, sum: last, last, count: 1 }
    }

    #[test]
    fn a_bucket_replaces_its_own_and_the_oldest_leave() {
        let mut chart = Chart {
            series: SeriesKey(1),
            label: "Level when on".into(),
            unit: "%".into(),
            decimals: 0,
            limits: Some((0.0, 100.0)),
            span_ms: 60_000,
            until_ms: WallMs(60_000),
            bucket_ms: 10_000,
            gap_ms: 30_000,
            buckets: vec![bucket(0, 1.0), bucket(50, 2.0)],
            marks: vec![ChartMark { at_ms: WallMs(500), label: "dim to 40 %".into() }],
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
    }
}
