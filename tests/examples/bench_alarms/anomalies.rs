//! How rules find anomalies that people have marked: the thing's own weekly rhythm beside a fixed limit and a plain z-score, over the
//! series of the Numenta Anomaly Benchmark (MIT).
//!
//! The data lie in `$FLEET_DATA/anomaly/nab`, else in `../shared/data`; without them there are no figures of it. All three are judged as a
//! rule is, by an expression and the alarm's reducer, with the same delays and one limit for all series; nothing is chosen by what
//! is marked. The first 15 % of a series raise nothing, as in the benchmark; the fixed limits are what lies furthest in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fleetlens_model::alarm::rhythm::{Rhythm, Usual};
use fleetlens_model::alarm::state::{Effect, Input, Policy, State, Terms};
use fleetlens_model::expression::{Expression, Facts, Said, Word};
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_tests::bench::Failure;
use serde_json::{Value, json};

/// Half an hour of it raises, an hour without clears.
const TERMS: Terms = Terms {
    on_delay_ms: 30 * 60_000,
    off_delay_ms: 60 * 60_000,
    latches: false,
    realarm_ms: None,
    no_data: Policy::KeepLast,
    error: Policy::KeepLast,
};

const WEEK_MS: f64 = 7.0 * 86_400_000.0;

/// A value and the range that is not odd, or what is usual.
struct Seen {
    value: f64,
    low: f64,
    high: f64,
    usual: Option<Usual>,
}

impl Facts for Seen {
    fn word(&self, nth: usize) -> Word<'_> {
        Word::Said(Said::Number([self.value, self.low, self.high].get(nth).copied().unwrap_or(0.0)))
    }

    fn usual(&self, _nth: usize) -> Option<Usual> {
        self.usual
    }
}

/// What tells what is odd.
enum Way {
    Fixed { low: f64, high: f64 },
    Z { count: f64, mean: f64, squares: f64 },
    Rhythm(Box<Rhythm>),
}

impl Way {
    fn condition(&self) -> &'static str {
        match self {
            Way::Fixed { .. } => "x not in low..high",
            Way::Z { .. } => "x not in low..high",
            Way::Rhythm(_) => "unusual(x) >= 6",
        }
    }

    fn see(&mut self, at: WallMs, value: f64) -> Seen {
        let seen = |low, high, usual| Seen { value, low, high, usual };
        match self {
            Way::Fixed { low, high } => seen(*low, *high, None),
            Way::Z { count, mean, squares } => {
                let three = 3.0 * (*squares / count.max(1.0)).sqrt();
                let (low, high) = (*mean - three, *mean + three);
                *count += 1.0;
                let apart = value - *mean;
                *mean += apart / *count;
                *squares += apart * (value - *mean);
                seen(low, high, None)
            }
            Way::Rhythm(rhythm) => {
                rhythm.hear(value, at);
                seen(0.0, 0.0, rhythm.usual())
            }
        }
    }
}

type Series = Vec<(WallMs, f64)>;
type Windows = Vec<(WallMs, WallMs)>;

/// When alarms were raised.
fn raised(series: &Series, mut way: Way, from: usize) -> Result<Vec<WallMs>, Failure> {
    let rule = Expression::read(way.condition())?;
    let (mut state, mut raised) = (State::default(), Vec::new());
    for (nth, (at, value)) in series.iter().enumerate() {
        let now = Now { wall: *at, mono: MonoMs(u64::try_from(at.0)?) };
        let seen = way.see(*at, *value);
        if nth < from {
            continue;
        }
        let so = rule.is_so(&rule.memory(now), &seen, 0.0, now);
        let (next, effects) = state.step(Input::Judged(so.into()), &TERMS, now);
        state = next;
        raised.extend(effects.contains(&Effect::Raised).then_some(*at));
    }
    Ok(raised)
}

/// Windows with an alarm in them, and alarms outside of all.
fn score(raised: &[WallMs], windows: &Windows) -> (usize, usize) {
    let holds = |(from, to): &(WallMs, WallMs), at: &WallMs| from <= at && at <= to;
    let found = windows.iter().filter(|window| raised.iter().any(|at| holds(window, at))).count();
    let wrong = raised.iter().filter(|at| !windows.iter().any(|window| holds(window, at))).count();
    (found, wrong)
}

/// `2014-07-01 00:30:00`, and whatever follows.
fn time(text: &str) -> Option<WallMs> {
    let mut numbers = text.split(['-', ' ', ':', '.']).map(str::parse::<i64>);
    let mut next = || numbers.next()?.ok();
    let (year, month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?, next()?);
    // Days since 1970 of a civil date (Hinnant).
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some(WallMs((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000))
}

fn read(file: &Path) -> Result<Series, Failure> {
    let text = std::fs::read_to_string(file)?;
    let row = |line: &str| {
        let (at, value) = line.split_once(',')?;
        Some((time(at)?, value.trim().parse().ok()?))
    };
    // What is left out would change the figures without a word.
    let rows = text.lines().enumerate().skip(1);
    rows.map(|(nth, line)| row(line).ok_or_else(|| format!("{}, line {}: {line:?}", file.display(), nth + 1).into()))
        .collect()
}

/// What each way finds in all series; nothing where there are no data.
pub fn figures() -> Result<Option<Value>, Failure> {
    let data = std::env::var_os("FLEET_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let nab = data.join("anomaly/nab");
    let Ok(labels) = std::fs::read_to_string(nab.join("labels/combined_windows.json")) else { return Ok(None) };
    let labels: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&labels)?;
    let (mut sums, mut weeks_sum, mut windows_sum, mut count) = ([(0usize, 0usize); 3], 0.0, 0, 0);
    for (name, windows) in labels {
        let file = nab.join("data").join(&name);
        if !file.exists() {
            continue;
        }
        let series = read(&file)?;
        let windows: Windows = windows.iter().filter_map(|(from, to)| Some((time(from)?, time(to)?))).collect();
        let from = series.len() * 15 / 100;
        let (begin, end) = (series.get(from).ok_or("an empty series")?.0, series.last().ok_or("an empty series")?.0);
        let first = || series.iter().take(from).map(|(_, value)| *value);
        let low = first().fold(f64::INFINITY, f64::min);
        let high = first().fold(f64::NEG_INFINITY, f64::max);
        let ways =
            [Way::Fixed { low, high }, Way::Z { count: 0.0, mean: 0.0, squares: 0.0 }, Way::Rhythm(Box::default())];
        for (way, sum) in ways.into_iter().zip(&mut sums) {
            let (found, wrong) = score(&raised(&series, way, from)?, &windows);
            *sum = (sum.0 + found, sum.1 + wrong);
        }
        weeks_sum += end.since(begin) as f64 / WEEK_MS;
        windows_sum += windows.len();
        count += 1;
    }
    let of = |(found, wrong): (usize, usize)| json!({ "windows_found": found, "false_alarms_a_week": (wrong as f64 / weeks_sum * 100.0).round() / 100.0 });
    let [fixed, z_score, rhythm] = sums.map(of);
    Ok(Some(json!({
        "series": count,
        "weeks": weeks_sum.round(),
        "windows": windows_sum,
        "own_weekly_rhythm": rhythm,
        "fixed_limit": fixed,
        "z_score": z_score,
    })))
}
