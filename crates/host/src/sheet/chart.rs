//! What a chart shows: a line a bucket, in the order of time.

use std::collections::BTreeMap;
use std::io;

use fleetlens_ipc::ChartColumn;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, StoreError};

use super::{Sheet, harmless, rfc3339};

/// Which time, in which steps.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The beginning.
    pub from_ms: WallMs,
    /// The end, not included.
    pub until_ms: WallMs,
    /// Width of a bucket, at least 1.
    pub bucket_ms: u64,
}

/// The columns of a sheet: the beginning of each bucket in UTC, and four of each value.
pub fn fields(columns: &[ChartColumn]) -> Vec<String> {
    let of = |column: &ChartColumn| {
        let heading = harmless(&column.heading);
        ["min", "mean", "max", "count"].map(|what| format!("{heading} {what}"))
    };
    std::iter::once("time".to_owned()).chain(columns.iter().flat_map(of)).collect()
}

/// Writes its lines for as long as `goes_on` says so: what could not be read fails, what could not be written is in the answer. A bucket in
/// which nothing was said of any of the values has no line.
pub fn write_while(
    reading: &Reading,
    columns: &[ChartColumn],
    stretch: Stretch,
    sheet: &mut Sheet<'_>,
    goes_on: impl Fn() -> io::Result<()>,
) -> Result<io::Result<()>, StoreError> {
    let mut lines: BTreeMap<WallMs, Vec<Option<Bucket>>> = BTreeMap::new();
    for (nth, column) in columns.iter().enumerate() {
        let bucket_ms = stretch.bucket_ms.max(1);
        let earlier_ms = i64::try_from(column.earlier_ms).unwrap_or(i64::MAX);
        let query = HistoryQuery {
            series: column.series,
            from_ms: stretch.from_ms.plus(earlier_ms.saturating_neg()),
            to_ms: stretch.until_ms.plus(earlier_ms.saturating_neg()),
            bucket_ms,
            // Everything that is there.
            up_to_seq: i64::MAX.cast_unsigned(),
        };
        for bucket in reading.history(&query)? {
            let start_ms = line_of(bucket.start_ms.plus(earlier_ms), bucket_ms);
            let line = lines.entry(start_ms).or_insert_with(|| vec![None; columns.len()]);
            if let Some(cell) = line.get_mut(nth) {
                *cell = Some(bucket);
            }
        }
        if let Err(error) = goes_on() {
            return Ok(Err(error));
        }
    }
    for (start_ms, cells) in lines {
        let record = || std::iter::once(rfc3339(start_ms)).chain(cells.iter().flat_map(cell));
        if let Err(error) = goes_on().and_then(|()| sheet.write(&(), record)) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// The beginning of the bucket that a moment lies in: what is moved by a week may lie across two.
fn line_of(at_ms: WallMs, bucket_ms: u64) -> WallMs {
    let width_ms = i64::try_from(bucket_ms).unwrap_or(i64::MAX);
    WallMs(at_ms.0.div_euclid(width_ms).saturating_mul(width_ms))
}

fn cell(bucket: &Option<Bucket>) -> [String; 4] {
    bucket.as_ref().map_or_else(Default::default, |bucket| {
        let Bucket { min, max, count, .. } = bucket;
        [min.to_string(), bucket.mean().to_string(), max.to_string(), count.to_string()]
    })
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::SeriesKey;

    use super::*;

    #[test]
    fn what_is_moved_by_a_week_stands_in_a_line_of_the_others() {
        for (at_ms, bucket_ms, want_ms) in
            [(604_800_000, 60_000, 604_800_000), (604_801_000, 7_000, 604_800_000), (-1, 1_000, -1_000)]
        {
            assert_eq!(line_of(WallMs(at_ms), bucket_ms), WallMs(want_ms), "{at_ms} in steps of {bucket_ms}");
        }
    }

    #[test]
    fn every_value_has_four_columns_and_none_of_them_is_a_formula() {
        let column = |heading: &str| ChartColumn { series: SeriesKey(1), earlier_ms: 0, heading: heading.into() };
        assert_eq!(
            fields(&[column("Power, W"), column("=1+1")]).join("|"),
            "time|Power, W min|Power, W mean|Power, W max|Power, W count|'=1+1 min|'=1+1 mean|'=1+1 max|'=1+1 count"
        );
    }
}
