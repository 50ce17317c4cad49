//! `cargo xtask bench chart`: how long a million points of one series take until they are drawn at the width of a screen, and what a chart
//! costs that is told of ten values a second, beside a line through every point.
//!
//! ```text
//! cargo xtask bench chart --json -- --points 1000000 --times 40
//! ```
//!
//! *Drawn* is into pixels in memory by plotters' own rasteriser, on one core and without labels' glyphs: a canvas of a window has others to
//! do that. The points are read out of a cache as the window's chart reads them, by its roll-ups where they are exact.

use std::convert::Infallible;
use std::time::Instant;

use fleetlens_chart::stretch::{Read, Stand};
use fleetlens_chart::{Measure, Plot, Side, Stretch, Stroke, Theme, Trace, draw};
use fleetlens_model::downsample::{Bucket, Downsampler, width_ms};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use fleetlens_tests::bench::filling::{self, PROFILE};
use fleetlens_tests::bench::samples::{BEGIN, EVERY_MS};
use fleetlens_tests::bench::{Arguments, Failure, Report, cpu_s, folder_on_a_disk, median, ms};
use plotters::drawing::IntoDrawingArea;
use plotters::element::PathElement;
use plotters::style::{Color, RGBColor};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

/// A chart as wide as a screen, in device pixels.
const SIZE: (u32, u32) = (1_440, 320);

/// About so many buckets are drawn on it: one for one and a half pixels.
const BUCKETS: u32 = 960;

/// Series of a lamp; the benchmark draws the power of the only one.
const SERIES: u32 = 5;
const POWER: SeriesKey = SeriesKey(3);

/// How often a value comes that is drawn at once, and how long a chart is that shows them.
const STREAM_PER_S: u32 = 10;
const STREAM_MS: i64 = 3_600_000;

/// Pixels in memory; plotters rasterises into them.
struct Pixels(Vec<[u8; 3]>);

impl Pixels {
    fn new() -> Pixels {
        Pixels(vec![[0; 3]; SIZE.0 as usize * SIZE.1 as usize])
    }
}

impl DrawingBackend for Pixels {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        SIZE
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Result<(), DrawingErrorKind<Infallible>> {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return Ok(()) };
        if x < SIZE.0 as usize
            && let Some(pixel) = self.0.get_mut(y * SIZE.0 as usize + x)
        {
            let (r, g, b) = colour.rgb;
            for (old, new) in pixel.iter_mut().zip([r, g, b]) {
                *old = (f64::from(*old) * (1.0 - colour.alpha) + f64::from(new) * colour.alpha) as u8;
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        _: &str,
        _: &S,
        _: BackendCoord,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        _: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((u32::try_from(text.len()).unwrap_or(0) * 7, 11))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        _: bool,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        // Filled ones only: a chart draws no others.
        for y in top..=bottom {
            for x in left..=right {
                self.draw_pixel((x, y), style.color())?;
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["points", "times"])?;
    let points: u64 = arguments.number("points", 1_000_000, 100_000)?;
    let times: usize = arguments.number("times", 40, 5)?;

    let folder = folder_on_a_disk()?;
    let path = folder.path().join("cache.db");
    filling::cache(&path, SERIES, points * u64::from(SERIES), 10_000).await?;
    let (store, _) = Store::open(&path, PROFILE, 1)?;
    let span_ms = i64::try_from(points)? * EVERY_MS;
    let until = BEGIN.plus(span_ms);

    let mut report = Report::new("chart");
    report.setting("points", points);
    report.setting("times", times as u64);
    report.setting("width_px", SIZE.0);

    let read = Read::of(Stand::Follows { span_ms }, BUCKETS);
    let query = HistoryQuery {
        series: POWER,
        from_ms: BEGIN,
        to_ms: until,
        bucket_ms: width_ms(read.span_ms, read.buckets),
        up_to_seq: u64::MAX,
    };
    let shown = Stretch { from_ms: BEGIN, until_ms: until };
    let (mut reading, mut drawing, mut both) = (Vec::new(), Vec::new(), Vec::new());
    let mut buckets = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        buckets = store.history(query).await?;
        let read = begun.elapsed();
        picture(&buckets, query.bucket_ms, shown)?;
        both.push(ms(begun.elapsed()));
        reading.push(ms(read));
        drawing.push(ms(begun.elapsed()) - ms(read));
    }
    let known: u64 = buckets.iter().map(|bucket| u64::from(bucket.count)).sum();
    if known < points {
        return Err(format!("{known} of {points} points are in the picture").into());
    }
    report.figure("buckets", buckets.len() as u64);
    report.figure("read_ms", sorted_median(&mut reading));
    report.figure("draw_ms", sorted_median(&mut drawing));
    let ours_ms = sorted_median(&mut both);
    report.figure("read_and_draw_ms", ours_ms);

    let raw = store.history(HistoryQuery { bucket_ms: 1_000, ..query }).await?;
    store.close().await?;
    let mut every = Vec::new();
    for _ in 0..times.min(10) {
        let begun = Instant::now();
        every_point(&raw, shown)?;
        every.push(ms(begun.elapsed()));
    }
    let every_ms = sorted_median(&mut every);
    report.figure("line_through_every_point_ms", every_ms);
    report.ratio("drawn_to_line_through_every_point", ours_ms, every_ms);
    report.at_most("read_and_draw_ms", ours_ms, 50.0);

    let bucket_ms = width_ms(STREAM_MS.cast_unsigned(), BUCKETS);
    let ours = stream(times * 10, bucket_ms, |held, shown| picture(held.buckets(), held.width_ms(), shown))?;
    let every_ms = u64::from(1_000 / STREAM_PER_S);
    let theirs = stream(times * 10, every_ms, |held, shown| every_point(held.buckets(), shown))?;
    report.figure("streaming_share_of_a_core", ours);
    report.figure("streaming_every_point_share_of_a_core", theirs);
    report.ratio("streaming_to_every_point", ours, theirs);
    report.at_most("streaming_share_of_a_core", ours, 0.1);
    report.print(&arguments);
    Ok(())
}

fn sorted_median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    median(times)
}

fn picture(buckets: &[Bucket], bucket_ms: u64, shown: Stretch) -> Result<(), Failure> {
    let traces = [Trace {
        buckets,
        bucket_ms,
        gap_ms: bucket_ms * 2,
        shift_ms: 0,
        side: Side::Left,
        stroke: Stroke::Solid,
        line: Theme::DARK.line,
        envelope: Theme::DARK.envelope,
    }];
    let plot = Plot {
        traces: &traces,
        left: Measure { unit: "W", decimals: 1, limits: None, states: None },
        right: None,
        from_ms: shown.from_ms,
        until_ms: shown.until_ms,
        utc_offset_min: 60,
        marks: &[],
        alarms: &[],
        theme: Theme::DARK,
        scale: 1.0,
        text: 1.0,
        font: "sans-serif",
    };
    draw(&plot, &Pixels::new().into_drawing_area())?;
    Ok(())
}

/// The baseline: a line through every point, as the plainest chart has it.
fn every_point(points: &[Bucket], shown: Stretch) -> Result<(), Failure> {
    let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
    let (low, high) = points.iter().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(p.min), high.max(p.max)));
    let span_ms = shown.span_ms() as f64;
    let at = |point: &Bucket| {
        let x = (point.start_ms.0 - shown.from_ms.0) as f64 / span_ms * width;
        let y = height - (point.last - low) / (high - low).max(f64::EPSILON) * height;
        (x as i32, y as i32)
    };
    let line: Vec<(i32, i32)> = points.iter().map(at).collect();
    let root = Pixels::new().into_drawing_area();
    root.fill(&RGBColor(21, 26, 33))?;
    root.draw(&PathElement::new(line, Color::stroke_width(&RGBColor(201, 211, 222), 1)))?;
    Ok(())
}

/// What share of a core it takes to keep a chart up with values that come: an hour of them is there, then each that comes is folded into
/// buckets of this width, and everything is drawn anew.
fn stream(
    steps: usize,
    bucket_ms: u64,
    draw: impl Fn(&Downsampler, Stretch) -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let every_ms = 1_000 / i64::from(STREAM_PER_S);
    let value = |t: i64| 60.0 + ((t / 100 * 7_919) % 2_001) as f64 / 500.0;
    let mut folded = Downsampler::new(bucket_ms);
    let mut t = 0;
    while t < STREAM_MS {
        folded.add(BEGIN.plus(t), value(t));
        t += every_ms;
    }
    let me = std::process::id();
    let (begun, cpu) = (Instant::now(), cpu_s(me));
    for _ in 0..steps {
        folded.add(BEGIN.plus(t), value(t));
        t += every_ms;
        let until: WallMs = BEGIN.plus(t);
        let shown = Stretch::ending(until, STREAM_MS);
        folded.forget_before(shown.from_ms);
        draw(&folded, shown)?;
    }
    let spent_s = match (cpu, cpu_s(me)) {
        (Some(before), Some(after)) => after - before,
        _ => begun.elapsed().as_secs_f64(),
    };
    Ok(spent_s / steps.max(1) as f64 * f64::from(STREAM_PER_S))
}
