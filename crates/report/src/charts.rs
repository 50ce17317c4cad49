//! The pictures: SVG that stands in the page and takes its colours from it.

use std::ops::Range;

use fleetlens_chart::{
    ChartError, Clock, Counts, Goal, ROW_CSS_PX, Rank, Ranks, Rgb, SVG_TEXT, Shape, Theme, draw_counts, draw_ranks,
};
use fleetlens_model::alarm::health::Happening;
use fleetlens_model::time::WallMs;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::prelude::SVGBackend;

use crate::words::count;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Of a chart over time, in CSS pixels.
const SIZE: (u32, u32) = (860, 200);

/// Left and right of charts over time, in CSS pixels: room for numbers of four digits and the names of goals, so that the charts stand over
/// each other hour by hour.
const MARGINS: (f64, f64) = (36.0, 96.0);

/// How wide bars are, in CSS pixels.
const RANKS_WIDTH: u32 = 380;

/// More columns than this are no columns any more.
const COLUMNS_MOST: i64 = 120;

/// How many steps a line has: two CSS pixels each.
const STEPS: i64 = 400;

/// Up to this length alarms are counted in ten minutes, as a flood is.
const SHORT_MS: i64 = 4 * HOUR_MS;

/// What columns may stand for, from an hour on.
const EACH_MS: [i64; 7] = [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS, 7 * DAY_MS];

const FONT: &str = "system-ui, sans-serif";

/// The colours as they are drawn. Each is another one, because the page's style sheet finds each by its value and gives it the colour of
/// the reader's scheme (see [`recoloured`]).
const INK: Theme = Theme {
    ground: (255, 255, 255),
    grid: (227, 232, 238),
    text: (79, 92, 107),
    line: (60, 72, 84),
    envelope: (133, 147, 163),
    mark: (107, 70, 214),
};
const WARN: Rgb = (147, 87, 0);
const CRIT: Rgb = (185, 38, 38);

/// The rules of style that give what is drawn the colours that the page has names for.
pub fn recoloured() -> String {
    let names = [
        (INK.ground, "surface"),
        (INK.grid, "grid"),
        (INK.text, "muted"),
        (INK.line, "ink"),
        (INK.envelope, "bar"),
        (WARN, "warn"),
        (CRIT, "crit"),
    ];
    let rule = |(colour, name): (Rgb, &str)| {
        let hex = hex(colour);
        format!(".chart [fill=\"{hex}\"]{{fill:var(--{name})}}.chart [stroke=\"{hex}\"]{{stroke:var(--{name})}}")
    };
    names.map(rule).concat()
}

/// A picture whose colours are custom properties of where it stands.
pub fn in_tokens(svg: &str) -> String {
    let names = [
        (INK.ground, "--plot-ground"),
        (INK.grid, "--plot-grid"),
        (INK.text, "--plot-text"),
        (INK.line, "--plot-line"),
        (INK.envelope, "--plot-bar"),
        (WARN, "--warn"),
        (CRIT, "--crit"),
    ];
    names.into_iter().fold(svg.to_owned(), |svg, (colour, name)| {
        let hex = hex(colour);
        let told = |attribute: &str| (format!("{attribute}=\"{hex}\""), format!("{attribute}=\"var({name})\""));
        let ((fill, its_fill), (stroke, its_stroke)) = (told("fill"), told("stroke"));
        svg.replace(&fill, &its_fill).replace(&stroke, &its_stroke)
    })
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// What a column of the chart of raised alarms is.
pub struct Raised {
    /// The picture.
    pub svg: String,
    /// What is counted, as a heading says it.
    pub told: String,
}

/// How many alarms were raised in each stretch of the span.
pub fn raised(happenings: &[Happening], span: &Range<WallMs>, clock: &[Clock]) -> Result<Raised, ChartError> {
    let span_ms = span.end.0.saturating_sub(span.start.0);
    let is_short = span_ms <= SHORT_MS;
    let usual = EACH_MS.into_iter().find(|each| span_ms / each < COLUMNS_MOST).unwrap_or(28 * DAY_MS);
    let each_ms = if is_short { 10 * MINUTE_MS } else { usual };
    // A column an hour begins with the hour of the reader's clock.
    let offset_ms = clock.first().map_or(0, |clock| i64::from(clock.utc_offset_min) * MINUTE_MS);
    let begins = WallMs((span.start.0 + offset_ms).div_euclid(each_ms) * each_ms - offset_ms);
    let columns = usize::try_from((span.end.0.saturating_sub(begins.0)).div_euclid(each_ms) + 1).unwrap_or(1);
    let mut counted = vec![0.0; columns];
    for one in happenings.iter().filter(|one| span.contains(&one.told_ms)) {
        let place = usize::try_from((one.told_ms.0 - begins.0).div_euclid(each_ms)).ok();
        if let Some(column) = place.and_then(|place| counted.get_mut(place)) {
            *column += 1.0;
        }
    }
    let hours = each_ms as f64 / HOUR_MS as f64;
    if !is_short {
        counted.iter_mut().for_each(|column| *column /= hours);
    }
    let goals = [
        Goal { value: 6.0, name: "6: acceptable", colour: WARN },
        Goal { value: 12.0, name: "12: the most", colour: CRIT },
    ];
    let flood = [Goal { value: 10.0, name: "10: a flood", colour: CRIT }];
    let counts = Counts {
        shape: Shape::Columns,
        values: &counted,
        begins_ms: begins,
        each_ms: each_ms.unsigned_abs(),
        goals: if is_short { &flood } else { &goals },
        unit: if is_short { "alarms in 10 minutes" } else { "alarms an hour" },
        ..base(span, clock)
    };
    let told = match (is_short, hours as u64) {
        (true, _) => "Alarms raised, in each ten minutes".to_owned(),
        (false, 1) => "Alarms raised, in each hour".to_owned(),
        (false, 24) => "Alarms raised an hour, on each day".to_owned(),
        (false, hours) => format!("Alarms raised an hour, in each {hours} hours"),
    };
    Ok(Raised { svg: svg(SIZE, |root| draw_counts(&counts, root))?, told })
}

/// How many alarms were open at each moment: of a step the most.
pub fn open(happenings: &[Happening], span: &Range<WallMs>, clock: &[Clock]) -> Result<String, ChartError> {
    let span_ms = span.end.0.saturating_sub(span.start.0);
    let each_ms = (span_ms / STEPS).max(1);
    let values = open_steps(happenings, span, each_ms);
    let counts = Counts {
        shape: Shape::Steps,
        values: &values,
        begins_ms: span.start,
        each_ms: each_ms.unsigned_abs(),
        goals: &[],
        unit: "open alarms",
        ..base(span, clock)
    };
    svg(SIZE, |root| draw_counts(&counts, root))
}

/// The most that were open at once within each step.
fn open_steps(happenings: &[Happening], span: &Range<WallMs>, each_ms: i64) -> Vec<f64> {
    let mut turns: Vec<(WallMs, i64)> = Vec::new();
    for one in happenings {
        turns.push((one.told_ms.max(span.start), 1));
        turns.extend(one.ended_ms().map(|ended| (ended.max(one.told_ms).max(span.start), -1)));
    }
    // What ends makes room first: at one moment nothing is counted twice.
    turns.sort_unstable();
    let steps = usize::try_from((span.end.0 - span.start.0 + each_ms - 1) / each_ms).unwrap_or(1);
    let mut most = Vec::with_capacity(steps);
    let (mut turns, mut now) = (turns.into_iter().peekable(), 0_i64);
    let mut ends = span.start;
    for _ in 0..steps {
        let begins = ends;
        ends = begins.plus(each_ms).min(span.end);
        // What ends with the step before is not in this one.
        let mut here = if turns.peek().is_some_and(|(at, _)| *at <= begins) { 0 } else { now };
        let mut moment = None;
        while let Some((at, turn)) = turns.next_if(|(at, _)| *at < ends) {
            if moment.is_some_and(|moment| moment != at) {
                here = here.max(now);
            }
            now += turn;
            moment = Some(at);
        }
        here = here.max(now);
        most.push(here.max(0) as f64);
    }
    most
}

/// Bars, the most first.
pub fn ranks(rows: &[(String, u64)]) -> Result<String, ChartError> {
    let labels: Vec<String> = rows.iter().map(|(_, n)| count(*n)).collect();
    let rows: Vec<Rank> =
        rows.iter().zip(&labels).map(|((name, n), label)| Rank { name, value: *n as f64, label }).collect();
    let height = ROW_CSS_PX * u32::try_from(rows.len().max(1)).unwrap_or(1);
    let ranks = Ranks { rows: &rows, theme: INK, scale: 1.0, text: SVG_TEXT, font: FONT };
    svg((RANKS_WIDTH, height), |root| draw_ranks(&ranks, root))
}

fn base<'a>(span: &Range<WallMs>, clock: &'a [Clock]) -> Counts<'a> {
    Counts {
        shape: Shape::Columns,
        values: &[],
        begins_ms: span.start,
        each_ms: 1,
        from_ms: span.start,
        until_ms: span.end,
        clock,
        goals: &[],
        unit: "",
        margins: MARGINS,
        theme: INK,
        scale: 1.0,
        text: SVG_TEXT,
        font: FONT,
    }
}

fn svg(
    size: (u32, u32),
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), ChartError>,
) -> Result<String, ChartError> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&root)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use fleetlens_model::alarm::Priority;
    use fleetlens_model::id::ThingKey;

    use super::*;

    fn one(told_ms: i64, ended_ms: Option<i64>) -> Happening {
        Happening {
            thing: ThingKey(1),
            rule: "hot".into(),
            priority: Priority::Warning,
            told_ms: WallMs(told_ms),
            cleared_ms: ended_ms.map(WallMs),
            acknowledged_ms: ended_ms.map(WallMs),
            untimed: 0,
        }
    }

    #[test]
    fn the_most_that_were_open_within_a_step_are_counted() {
        for (name, all, want) in [
            ("none", vec![], [0.0, 0.0, 0.0]),
            ("open throughout", vec![one(-5, None)], [1.0, 1.0, 1.0]),
            ("over before", vec![one(-5, Some(-1))], [0.0, 0.0, 0.0]),
            ("within one step", vec![one(12, Some(14))], [0.0, 1.0, 0.0]),
            ("two after each other", vec![one(12, Some(14)), one(14, Some(16))], [0.0, 1.0, 0.0]),
            ("two at once", vec![one(12, Some(15)), one(14, Some(16))], [0.0, 2.0, 0.0]),
            ("over where a step ends", vec![one(2, Some(10))], [1.0, 0.0, 0.0]),
            ("raised at the end", vec![one(30, None)], [0.0, 0.0, 0.0]),
            ("seen before it was raised", vec![one(12, Some(2))], [0.0, 0.0, 0.0]),
        ] {
            assert_eq!(open_steps(&all, &(WallMs(0)..WallMs(30)), 10), want, "{name}");
        }
    }

    #[test]
    fn every_length_of_span_has_columns_that_can_be_told_apart() {
        for (hours, want) in [
            (1, "Alarms raised, in each ten minutes"),
            (8, "Alarms raised, in each hour"),
            (25, "Alarms raised, in each hour"),
            (24 * 7, "Alarms raised an hour, in each 2 hours"),
            (24 * 31, "Alarms raised an hour, in each 12 hours"),
            (24 * 100, "Alarms raised an hour, on each day"),
            (24 * 365 * 3, "Alarms raised an hour, in each 672 hours"),
        ] {
            let span = WallMs(0)..WallMs(hours * HOUR_MS);
            let all: Vec<Happening> = (0..hours * 3).map(|n| one(n * 20 * MINUTE_MS, None)).collect();
            let found = raised(&all, &span, &[]).unwrap();
            assert_eq!(found.told, want);
            assert!(found.svg.matches("<rect").count() < 300 && found.svg.contains("</svg>"), "{hours} h");
            open(&all, &span, &[]).unwrap();
        }
        // The shortest there can be.
        raised(&[], &(WallMs(0)..WallMs(1)), &[]).unwrap();
        open(&[], &(WallMs(0)..WallMs(1)), &[]).unwrap();
    }

    #[test]
    fn a_picture_for_a_window_has_no_colour_of_its_own() {
        let all: Vec<Happening> = (0..480).map(|n| one(n * 3 * MINUTE_MS, None)).collect();
        let span = WallMs(0)..WallMs(24 * HOUR_MS);
        let svg = in_tokens(&raised(&all, &span, &[]).unwrap().svg);
        assert!(
            !svg.contains("=\"#") && svg.contains("fill=\"var(--plot-bar)\"") && svg.contains("var(--crit)"),
            "{svg}"
        );
    }

    #[test]
    fn a_name_of_a_stranger_is_text_in_a_picture() {
        let svg = ranks(&[("<script>alert(1)</script>".to_owned(), 3)]).unwrap();
        assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"), "{svg}");
    }
}
