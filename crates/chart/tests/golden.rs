//! Charts as SVG against committed files. `UPDATE_GOLDENS=1 cargo test -p fleetlens-chart` writes them anew; look at them then.

use std::path::PathBuf;

use fleetlens_chart::{
    AlarmMark, Axis, Caption, ChartError, Clock, Counts, Entry, Geometry, Goal, Growth, Line, Mark, Measure, Plot,
    ROW_CSS_PX, Rank, Ranks, Rgb, SVG_TEXT, Scale, Shape, Side, Stroke, Theme, Trace, draw, draw_captioned,
    draw_counts, draw_growth, draw_ranks, nearest,
};
use fleetlens_model::alarm::Priority;
use fleetlens_model::downsample::{Bucket, Downsampler};
use fleetlens_model::time::WallMs;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::drawing::IntoDrawingArea;
use plotters::prelude::SVGBackend;

/// 2025-11-14T09:44:00Z.
const FROM: WallMs = WallMs(1_763_113_440_000);
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

const W: Measure = Measure { unit: "W", decimals: 1, limits: None, states: None };

/// One series as the window draws the first one.
fn trace(buckets: &[Bucket], bucket_ms: u64) -> Trace<'_> {
    Trace {
        buckets,
        bucket_ms,
        gap_ms: bucket_ms * 2,
        shift_ms: 0,
        side: Side::Left,
        stroke: Stroke::Solid,
        line: Theme::DARK.line,
        envelope: Theme::DARK.envelope,
    }
}

fn plot<'a>(traces: &'a [Trace<'a>], span_ms: i64) -> Plot<'a> {
    Plot {
        traces,
        left: W,
        right: None,
        from_ms: FROM,
        until_ms: FROM.plus(span_ms),
        utc_offset_min: 60,
        marks: &[],
        alarms: &[],
        theme: Theme::DARK,
        scale: 1.0,
        text: SVG_TEXT,
        font: "Inter, sans-serif",
    }
}

/// The same in the colours of the light theme.
fn light(trace: Trace<'_>) -> Trace<'_> {
    Trace { line: Theme::LIGHT.line, envelope: Theme::LIGHT.envelope, ..trace }
}

/// Samples every `every_ms` folded into buckets; `value` is asked at each moment since [`FROM`] and may know nothing.
fn buckets(bucket_ms: u64, span_ms: i64, every_ms: usize, value: impl Fn(i64) -> Option<f64>) -> Vec<Bucket> {
    let mut folded = Downsampler::new(bucket_ms);
    for t in (0..span_ms).step_by(every_ms) {
        if let Some(value) = value(t) {
            folded.add(FROM.plus(t), value);
        }
    }
    folded.buckets().to_vec()
}

/// A wobble between -1 and 1 that is the same on every machine.
fn wobble(t: i64) -> f64 {
    ((t / 1_000 * 7_919) % 2_001) as f64 / 1_000.0 - 1.0
}

/// Silent from minute 20 to 34, but for one word at 27.
fn is_heard(t: i64) -> bool {
    !(20 * MINUTE_MS..=34 * MINUTE_MS).contains(&t) || t == 27 * MINUTE_MS
}

fn svg(plot: &Plot, width_px: u32, height_px: u32) -> Result<String, ChartError> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (width_px, height_px)).into_drawing_area();
        draw(plot, &root)?;
    }
    Ok(text)
}

#[test]
fn every_chart_looks_as_it_did() {
    let hour =
        buckets(30_000, HOUR_MS, 10_000, |t| Some(if t < 30 * MINUTE_MS { 24.6 } else { 61.6 } + wobble(t) * 1.4));
    let gap = buckets(30_000, HOUR_MS, 10_000, |t| is_heard(t).then(|| 61.0 + wobble(t) * 2.0));
    let flat = buckets(30_000, HOUR_MS, 10_000, |_| Some(40.0));
    let single = buckets(30_000, HOUR_MS, 10_000, |t| (t == 25 * MINUTE_MS).then_some(48.2));
    let week = buckets(3_600_000, 7 * DAY_MS, 600_000, |t| {
        let day_part = (t % DAY_MS) as f64 / DAY_MS as f64;
        Some((1_420.0 - 1_100.0 * (1.0 - (2.0 * day_part - 1.0).abs()) + wobble(t) * 60.0).round())
    });
    let day = buckets(300_000, DAY_MS, 60_000, |t| Some(18_000.0 + 9_000.0 * wobble(t / 3_600 / 5 * 1_000).signum()));
    let marks = [
        Mark { at_ms: FROM.plus(30 * MINUTE_MS), label: "dim to 100 %" },
        Mark { at_ms: FROM.plus(31 * MINUTE_MS), label: "dim to 95 %" },
        Mark { at_ms: FROM.plus(58 * MINUTE_MS), label: "dim to 90 %" },
        Mark { at_ms: FROM.plus(-1), label: "before" },
    ];
    let of = |unit, decimals| Measure { unit, decimals, ..W };
    let hours = [trace(&hour, 30_000)];
    let (hours_light, gaps) = ([light(trace(&hour, 30_000))], [trace(&gap, 30_000)]);
    let (flats, singles, nothing) = ([trace(&flat, 30_000)], [trace(&single, 30_000)], [trace(&[], 30_000)]);
    let (weeks, days) = ([light(trace(&week, 3_600_000))], [trace(&day, 300_000)]);
    let cases = [
        ("hour-with-marks-dark", Plot { marks: &marks, ..plot(&hours, HOUR_MS) }, (361, 140)),
        (
            "hour-with-marks-light-2x",
            Plot { marks: &marks, theme: Theme::LIGHT, scale: 2.0, ..plot(&hours_light, HOUR_MS) },
            (722, 280),
        ),
        ("gap", plot(&gaps, HOUR_MS), (361, 140)),
        ("flat", Plot { left: of("%", 0), ..plot(&flats, HOUR_MS) }, (361, 140)),
        ("single", Plot { left: of("°C", 1), ..plot(&singles, HOUR_MS) }, (361, 140)),
        ("empty", plot(&nothing, HOUR_MS), (361, 140)),
        ("week-light", Plot { left: of("spaces", 0), theme: Theme::LIGHT, ..plot(&weeks, 7 * DAY_MS) }, (720, 220)),
        ("day-of-thousands", Plot { left: of("", 0), ..plot(&days, DAY_MS) }, (520, 180)),
        ("smallest", plot(&hours, HOUR_MS), (60, 40)),
    ];
    let drawn = cases.map(|(name, plot, (width_px, height_px))| (name, svg(&plot, width_px, height_px).unwrap()));
    let differing = differing(&drawn).unwrap();
    assert!(differing.is_empty(), "other than committed: {differing:?}; UPDATE_GOLDENS=1 rewrites them");
}

/// A second and a third series, a week before, two axes, alarms and a caption.
#[test]
fn several_series_look_as_they_did() {
    const WARN: Rgb = (227, 165, 60);
    const CRIT: Rgb = (244, 112, 112);
    const ADVISORY: Rgb = (142, 155, 171);
    let power = buckets(30_000, HOUR_MS, 10_000, |t| is_heard(t).then(|| 61.0 + wobble(t) * 2.0));
    let before = buckets(30_000, HOUR_MS, 10_000, |t| Some(55.0 + (t as f64 / 300_000.0).sin() * 4.0));
    let temp = buckets(30_000, HOUR_MS, 10_000, |t| Some(24.0 + t as f64 / 600_000.0));
    let on = buckets(30_000, HOUR_MS, 10_000, |t| {
        is_heard(t).then(|| f64::from(u8::from(t % (17 * MINUTE_MS) < 9 * MINUTE_MS || t / 10_000 % 7 == 0)))
    });
    let alarm = |from: i64, until: Option<i64>, priority, colour| AlarmMark {
        raised_ms: FROM.plus(from * MINUTE_MS),
        cleared_ms: until.map(|until| FROM.plus(until * MINUTE_MS)),
        priority,
        colour,
    };
    let alarms = [
        alarm(5, Some(12), Priority::Warning, WARN),
        alarm(-30, Some(3), Priority::Critical, CRIT),
        alarm(40, None, Priority::Critical, CRIT),
        alarm(20, Some(30), Priority::Advisory, ADVISORY),
        alarm(-30, Some(-3), Priority::Critical, CRIT),
    ];
    let marks = [Mark { at_ms: FROM.plus(30 * MINUTE_MS), label: "dim to 100 %" }];
    let week: Vec<Bucket> =
        before.iter().map(|bucket| Bucket { start_ms: bucket.start_ms.plus(-7 * DAY_MS), ..*bucket }).collect();
    let traces = [
        Trace { shift_ms: 7 * DAY_MS, stroke: Stroke::Faint, ..trace(&week, 30_000) },
        Trace {
            side: Side::Right,
            stroke: Stroke::Dashed(6, 3),
            line: (90, 169, 230),
            envelope: (90, 169, 230),
            ..trace(&temp, 30_000)
        },
        trace(&power, 30_000),
    ];
    let degrees = Measure { unit: "°C", decimals: 1, ..W };
    let several = Plot { right: Some(degrees), marks: &marks, alarms: &alarms, ..plot(&traces, HOUR_MS) };
    let states = Measure { unit: "", decimals: 0, limits: None, states: Some(("Off", "On")) };
    let bands = [trace(&on, 30_000)];
    let band = Plot { left: states, ..plot(&bands, HOUR_MS) };
    let beyond = buckets(30_000, HOUR_MS, 10_000, |t| Some(if t == 0 { 3.0 } else { 1.0 }));
    let no_bands = [trace(&beyond, 30_000)];
    let entry = |name, nth: usize| Entry { name, line: traces[nth].line, stroke: traces[nth].stroke };
    let caption = Caption {
        title: "Lamp 17",
        span: "Fri 14 Nov 2025, 10:44 – 11:44",
        entries: &[entry("Power, W, a week before", 0), entry("Lamp temp., °C", 1), entry("Power, W", 2)],
    };
    let captioned = drawn((560, 300), |root| draw_captioned(&several, &caption, root)).unwrap();
    let light = [light(trace(&power, 30_000))];
    let light = Plot { alarms: &alarms, theme: Theme::LIGHT, scale: 2.0, ..plot(&light, HOUR_MS) };
    let pictures = [
        ("several-dark", svg(&several, 560, 200).unwrap()),
        ("alarms-light-2x", svg(&light, 722, 280).unwrap()),
        ("states-dark", svg(&band, 361, 140).unwrap()),
        ("captioned", captioned),
    ];
    let differing = differing(&pictures).unwrap();
    assert!(differing.is_empty(), "other than committed: {differing:?}; UPDATE_GOLDENS=1 rewrites them");
    let numbers = svg(&Plot { left: states, ..plot(&no_bands, HOUR_MS) }, 361, 140).unwrap();
    assert!(pictures[2].1.contains("Off") && !numbers.contains("Off"), "a value beyond both states is a number");
    let small = drawn((100, 80), |root| draw_captioned(&several, &caption, root));
    assert_eq!(small, Err(ChartError::NoRoom { width_px: 100, height_px: 80 }));
}

#[test]
fn a_week_before_is_found_under_the_pointer_where_it_is_drawn() {
    let known = buckets(30_000, HOUR_MS, 10_000, |t| Some(t as f64));
    let week: Vec<Bucket> =
        known.iter().map(|bucket| Bucket { start_ms: bucket.start_ms.plus(-7 * DAY_MS), ..*bucket }).collect();
    let traces = [trace(&known, 30_000), Trace { shift_ms: 7 * DAY_MS, ..trace(&week, 30_000) }];
    let plot = plot(&traces, HOUR_MS);
    let geometry = Geometry::of(&plot, 721, 140).unwrap();
    for (now, before) in known.iter().zip(&week) {
        let x_px = geometry.bucket_x_px(&traces[0], now);
        assert_eq!(nearest(&plot, 0, x_px, 721, 140), Some(now));
        assert_eq!(nearest(&plot, 1, x_px, 721, 140), Some(before));
    }
    assert_eq!(nearest(&plot, 2, 300.0, 721, 140), None);
}

/// Which pictures are not as committed; all are as committed once they were written anew.
fn differing<'a>(drawn: &[(&'a str, String)]) -> std::io::Result<Vec<&'a str>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut differing = Vec::new();
    for (name, drawn) in drawn {
        let file = folder.join(format!("{name}.svg"));
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            std::fs::write(&file, drawn)?;
        } else if std::fs::read_to_string(&file).unwrap_or_default() != *drawn {
            differing.push(*name);
        }
    }
    Ok(differing)
}

fn growth_svg(growth: &Growth, width_px: u32, height_px: u32) -> Result<String, ChartError> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (width_px, height_px)).into_drawing_area();
        draw_growth(growth, &root)?;
    }
    Ok(text)
}

#[test]
fn every_growth_looks_as_it_did() {
    let memory = [(1_000.0, 21.0), (10_000.0, 48.0), (100_000.0, 151.0)];
    let allowed = [(1_000.0, 61.0), (10_000.0, 70.0), (100_000.0, 160.0)];
    let (stored, shown) =
        ([(500.0, 4.2), (2_000.0, 5.1), (10_000.0, 38.0)], [(500.0, 99.0), (2_000.0, 99.4), (10_000.0, 100.1)]);
    let alone = [(500.0, 1.0), (2_000.0, 1.1), (10_000.0, 1.3)];
    let growth = Growth {
        x: Axis { label: "things", scale: Scale::Logarithmic },
        y: Axis { label: "MB", scale: Scale::Linear },
        lines: &[
            Line { name: "resident", points: &memory, baseline: false },
            Line { name: "the goal", points: &allowed, baseline: true },
        ],
        goal: None,
        theme: Theme::LIGHT,
        scale: 1.0,
        text: SVG_TEXT,
        font: "Inter, sans-serif",
    };
    let rates = Growth {
        x: Axis { label: "messages/s", scale: Scale::Linear },
        y: Axis { label: "p99, ms", scale: Scale::Logarithmic },
        lines: &[
            Line { name: "stored", points: &stored, baseline: false },
            Line { name: "shown", points: &shown, baseline: false },
            Line { name: "the link alone", points: &alone, baseline: true },
        ],
        goal: Some((120.0, "goal 120 ms")),
        theme: Theme::DARK,
        ..growth
    };
    // Names that would lie on each other, and points that cannot be shown.
    let odd = [(1.0, 0.0), (10.0, f64::NAN), (100.0, 5.0)];
    let together = Growth {
        lines: &[
            Line { name: "one", points: &odd, baseline: false },
            Line { name: "another", points: &odd, baseline: false },
            Line { name: "none", points: &[], baseline: false },
        ],
        y: Axis { label: "ms", scale: Scale::Logarithmic },
        ..growth
    };
    let drawn = [
        ("growth-things-light", growth_svg(&growth, 560, 240).unwrap()),
        ("growth-rate-dark", growth_svg(&rates, 560, 240).unwrap()),
        ("growth-together", growth_svg(&together, 360, 140).unwrap()),
        ("growth-of-nothing", growth_svg(&Growth { lines: &[], ..growth }, 360, 140).unwrap()),
    ];
    let differing = differing(&drawn).unwrap();
    assert!(differing.is_empty(), "other than committed: {differing:?}; UPDATE_GOLDENS=1 rewrites them");
    assert!(!drawn[2].1.contains("NaN"));
    assert!(matches!(growth_svg(&growth, 100, 80), Err(ChartError::NoRoom { .. })));
    assert!(matches!(growth_svg(&Growth { scale: 0.0, ..growth }, 560, 240), Err(ChartError::NoScale)));
}

fn drawn(
    (width_px, height_px): (u32, u32),
    draw: impl FnOnce(&DrawingArea<SVGBackend, Shift>) -> Result<(), ChartError>,
) -> Result<String, ChartError> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (width_px, height_px)).into_drawing_area();
        draw(&root)?;
    }
    Ok(text)
}

/// The goals of alarms an hour.
const GOALS: [Goal; 2] = [
    Goal { value: 6.0, name: "6: acceptable", colour: (147, 87, 0) },
    Goal { value: 12.0, name: "12: the most", colour: (185, 38, 38) },
];

fn counts(values: &[f64]) -> Counts<'_> {
    Counts {
        shape: Shape::Columns,
        values,
        begins_ms: FROM.plus(-14 * MINUTE_MS),
        each_ms: 3_600_000,
        from_ms: FROM,
        until_ms: FROM.plus(8 * HOUR_MS),
        clock: &[Clock { from_ms: FROM, utc_offset_min: 60 }],
        goals: &GOALS,
        unit: "alarms an hour",
        margins: (36.0, 96.0),
        theme: Theme::LIGHT,
        scale: 1.0,
        text: SVG_TEXT,
        font: "Inter, sans-serif",
    }
}

#[test]
fn all_counts_look_as_they_did() {
    let shift = [3.0, 0.0, 7.0, 12.0, 44.0, 1.0, f64::NAN, 2.0, 5.0];
    let quiet = [1.0, 0.0, 2.0];
    let many = [5_000.0, 12_000.0, 900.0];
    let steps = counts(&shift);
    let of = |counts: Counts| drawn((560, 180), |root| draw_counts(&counts, root)).unwrap();
    let pictures = [
        ("counts-columns-light", of(steps)),
        ("counts-quiet", of(counts(&quiet))),
        ("counts-goals-near-each-other", of(counts(&many))),
        (
            "counts-steps-dark",
            of(Counts { shape: Shape::Steps, theme: Theme::DARK, goals: &[], unit: "open", ..steps }),
        ),
        ("counts-of-nothing", of(counts(&[]))),
    ];
    let differing = differing(&pictures).unwrap();
    assert!(differing.is_empty(), "other than committed: {differing:?}; UPDATE_GOLDENS=1 rewrites them");
    assert!(!pictures[1].1.contains("12: the most"), "what nothing comes near is not in the way");
    for (counts, size, want) in [
        (steps, (100, 180), ChartError::NoRoom { width_px: 100, height_px: 180 }),
        (Counts { until_ms: FROM, ..steps }, (560, 180), ChartError::NoSpan { from_ms: FROM.0, until_ms: FROM.0 }),
        (Counts { scale: 0.0, ..steps }, (560, 180), ChartError::NoScale),
    ] {
        assert_eq!(drawn(size, |root| draw_counts(&counts, root)), Err(want));
    }
}

#[test]
fn all_ranks_look_as_they_did() {
    let rank = |name, value, label| Rank { name, value, label };
    let rows = [
        rank("silent", 1_204.0, "1204"),
        rank("a name that runs on and on over half of the picture", 301.0, "301"),
        rank("ħot & <dusty>", 1.0, "1"),
        rank("no number", f64::NAN, "–"),
    ];
    let ranks = Ranks { rows: &rows, theme: Theme::LIGHT, scale: 1.0, text: SVG_TEXT, font: "Inter, sans-serif" };
    let of = |ranks: Ranks, size| drawn(size, |root| draw_ranks(&ranks, root)).unwrap();
    let pictures = [
        ("ranks-light", of(ranks, (380, 4 * ROW_CSS_PX))),
        ("ranks-dark-2x", of(Ranks { scale: 2.0, theme: Theme::DARK, ..ranks }, (760, 8 * ROW_CSS_PX))),
        ("ranks-of-nothing", of(Ranks { rows: &[], ..ranks }, (380, ROW_CSS_PX))),
    ];
    let differing = differing(&pictures).unwrap();
    assert!(differing.is_empty(), "other than committed: {differing:?}; UPDATE_GOLDENS=1 rewrites them");
    assert!(pictures[0].1.contains("&lt;dusty&gt;") && pictures[0].1.contains('…'));
}

#[test]
fn a_gap_is_not_bridged_and_a_lone_value_is_a_dot() {
    let gap = buckets(30_000, HOUR_MS, 10_000, |t| is_heard(t).then_some(61.0));
    let drawn = svg(&plot(&[trace(&gap, 30_000)], HOUR_MS), 361, 140).unwrap();
    assert_eq!(drawn.matches("<polyline").count(), 2);
    assert_eq!(drawn.matches("<circle").count(), 1);
    let joined = [Trace { gap_ms: 20 * 60_000, ..trace(&gap, 30_000) }];
    assert_eq!(svg(&plot(&joined, HOUR_MS), 361, 140).unwrap().matches("<polyline").count(), 1);
}

#[test]
fn the_pointer_finds_what_is_drawn_under_it_and_nothing_in_a_gap() {
    let known = buckets(30_000, HOUR_MS, 10_000, |t| is_heard(t).then_some(t as f64));
    let traces = [trace(&known, 30_000)];
    let plot = plot(&traces, HOUR_MS);
    let (width_px, height_px) = (721, 140);
    let geometry = Geometry::of(&plot, width_px, height_px).unwrap();
    for bucket in &known {
        assert_eq!(nearest(&plot, 0, geometry.bucket_x_px(&traces[0], bucket), width_px, height_px), Some(bucket));
    }
    let found = |minutes: f64| {
        let x_px = geometry.x_px(FROM.plus((minutes * 60_000.0) as i64));
        nearest(&plot, 0, x_px, width_px, height_px).map(|bucket| (bucket.start_ms.0 - FROM.0) / MINUTE_MS)
    };
    for (minutes, want) in
        [(10.1, Some(10)), (23.8, None), (27.2, Some(27)), (30.5, None), (34.0, Some(34)), (60.0, Some(59))]
    {
        assert_eq!(found(minutes), want, "at {minutes} min");
    }
    let (left, right) = (nearest(&plot, 0, 0.0, width_px, height_px), nearest(&plot, 0, 721.0, width_px, height_px));
    assert_eq!((left, right), (None, known.last()), "left lie the labels, further away than a finger's width");
    assert_eq!(geometry.time_at(geometry.x_px(FROM.plus(12 * MINUTE_MS))), FROM.plus(12 * MINUTE_MS));
}

#[test]
fn labels_are_as_tall_as_they_say_and_the_words_of_a_mark_stand_above_the_line() {
    let high = buckets(30_000, HOUR_MS, 10_000, |_| Some(100.0));
    let marks = [Mark { at_ms: FROM.plus(30 * MINUTE_MS), label: "dim to 100 %" }];
    for unit in ["", "%", "a unit that runs on over half of the chart"] {
        let traces = [trace(&high, 30_000)];
        let plot = Plot { marks: &marks, left: Measure { unit, ..W }, ..plot(&traces, HOUR_MS) };
        let drawn = svg(&plot, 361, 140).unwrap();
        assert!(drawn.contains("font-size=\"11\"") && !drawn.contains("font-size=\"8"), "{unit:?}");
        let words = drawn.lines().position(|line| line.contains("dim to 100 %"));
        let tag = drawn.lines().nth(words.map_or(0, |at| at.saturating_sub(1))).unwrap_or_default();
        assert_eq!(words.is_some(), unit.len() < 10, "no words over the unit's: {unit:?}");
        if words.is_some() {
            let y = tag.split("y=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().parse::<f64>().unwrap();
            assert!(y + 11.0 <= Geometry::of(&plot, 361, 140).unwrap().top_px, "{tag}");
        }
    }
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let nothing = [trace(&[], 1_000)];
    let fine = plot(&nothing, HOUR_MS);
    for (name, plot, size, want) in [
        ("no room", fine, (59, 40), ChartError::NoRoom { width_px: 59, height_px: 40 }),
        (
            "no room at twice the scale",
            Plot { scale: 2.0, ..fine },
            (60, 79),
            ChartError::NoRoom { width_px: 60, height_px: 79 },
        ),
        (
            "no span",
            Plot { until_ms: FROM, ..fine },
            (300, 100),
            ChartError::NoSpan { from_ms: FROM.0, until_ms: FROM.0 },
        ),
        ("no scale", Plot { scale: f64::NAN, ..fine }, (300, 100), ChartError::NoScale),
    ] {
        assert_eq!(svg(&plot, size.0, size.1), Err(want), "{name}");
        assert_eq!(nearest(&plot, 0, 10.0, size.0, size.1), None, "{name}");
    }
}

#[test]
fn values_that_are_no_numbers_and_buckets_outside_the_span_change_nothing() {
    let mut known = buckets(30_000, HOUR_MS, 10_000, |t| Some(wobble(t)));
    let before = svg(&plot(&[trace(&known, 30_000)], HOUR_MS), 361, 140).unwrap();
    let stranger =
        |start_ms: WallMs, value: f64| Bucket { start_ms, min: value, max: value, sum: value, last: value, count: 1 };
    known.insert(0, stranger(FROM.plus(-30_001), 9_000.0));
    known.insert(40, stranger(FROM.plus(20 * MINUTE_MS), f64::INFINITY));
    known.push(stranger(FROM.plus(HOUR_MS + 1), -9_000.0));
    assert_eq!(svg(&plot(&[trace(&known, 30_000)], HOUR_MS), 361, 140).unwrap(), before);
}
