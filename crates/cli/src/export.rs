//! `fleetlens export`: the measured values of a cache, thing by thing, series by series, in the order of time.
//!
//! CSV is as RFC 4180 has it, with a header. A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`,
//! a tab or a line break) gets a `'` before it, which spreadsheets do not show. JSON is JSON Lines: one object a line, so that both
//! ends can stream it.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::Args;
use fleetlens_host::model::telemetry::{Sample, Value};
use fleetlens_host::sheet::{Format, Sheet, harmless};
use serde::Serialize;

use crate::cache::{self, Known};
use crate::moment::{self, Moment};

#[derive(Args)]
pub struct Export {
    /// The cache's file; the app may have it open.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// CSV (RFC 4180), or JSON Lines.
    #[arg(long, value_enum)]
    format: Format,
    /// Only this thing; may be given often.
    #[arg(long, value_name = "NAME")]
    thing: Vec<String>,
    /// Only this value of each thing, by its JSON pointer such as /power_w; may be given often.
    #[arg(long, value_name = "POINTER")]
    series: Vec<String>,
    /// From this time on: 2026-11-21T08:00:00+01:00, or -2h.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true)]
    from: Moment,
    /// Up to this time, which is not included.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true, default_value = "now")]
    to: Moment,
    /// Where to write [default: to the terminal, or the next program].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Line<'a> {
    thing: &'a str,
    pointer: &'a str,
    unit: &'a str,
    device_time: String,
    received_time: String,
    value: serde_json::Value,
    source: &'static str,
    quality: &'static str,
    timed: &'static str,
}

const HEADER: [&str; 9] =
    ["thing", "pointer", "unit", "device_time", "received_time", "value", "source", "quality", "timed"];

impl Export {
    /// Writes and ends.
    pub fn run(self) -> anyhow::Result<()> {
        let now = moment::now();
        let span = moment::span(self.from, self.to, now)?;
        let reading = cache::open(&self.db)?;
        let things = cache::named(cache::things(&reading)?, &self.thing, &self.db)?;
        self.check_series(&things)?;
        let mut sheet = Sheet::begin(self.format, cache::sink(self.output.as_deref(), &self.db)?, HEADER)?;
        let mut written = 0u64;
        for thing in &things {
            for (pointer, series) in &thing.series {
                if !self.series.is_empty() && !self.series.contains(pointer) {
                    continue;
                }
                let mut outcome = Ok(());
                let all = reading.samples(*series, span.clone(), |sample| {
                    outcome = write(&mut sheet, thing, pointer, &sample);
                    written += 1;
                    if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })?;
                if !all {
                    return Ok(cache::unless_unread(outcome)?);
                }
            }
        }
        cache::unless_unread(sheet.end())?;
        if written == 0 {
            let stats = reading.stats()?;
            let oldest = stats.oldest_ms.map_or("none".to_owned(), moment::rfc3339);
            eprintln!(
                "fleetlens: no value was measured from {} to {}; the cache holds {}, the oldest of {oldest}",
                moment::rfc3339(span.start),
                moment::rfc3339(span.end),
                stats.samples
            );
        }
        Ok(())
    }

    /// Every pointer asked for is that of some thing.
    fn check_series(&self, things: &[Known]) -> anyhow::Result<()> {
        for pointer in &self.series {
            if things.iter().any(|thing| thing.series.contains_key(pointer)) {
                continue;
            }
            let mut all: Vec<&str> = things.iter().flat_map(|thing| thing.series.keys().map(String::as_str)).collect();
            all.sort_unstable();
            all.dedup();
            ensure!(!all.is_empty(), "no thing has a value {pointer:?}; none has any");
            bail!(
                "no thing has a value {pointer:?}; the nearest are {}",
                cache::nearest(pointer, all.into_iter()).join(", ")
            );
        }
        Ok(())
    }
}

fn write(sheet: &mut Sheet<'_>, thing: &Known, pointer: &str, sample: &Sample) -> io::Result<()> {
    let line = Line {
        thing: &thing.name,
        pointer,
        unit: thing.meta.unit(pointer),
        device_time: moment::rfc3339(sample.device_ms),
        received_time: moment::rfc3339(sample.received_ms),
        value: cache::json(&sample.value),
        source: cache::source(sample.source),
        quality: cache::quality(sample.quality),
        timed: cache::timed(sample.timed),
    };
    sheet.write(&line, || {
        let value = match &sample.value {
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => harmless(text),
        };
        [
            harmless(line.thing),
            harmless(line.pointer),
            harmless(line.unit),
            line.device_time.clone(),
            line.received_time.clone(),
            value,
            line.source.to_owned(),
            line.quality.to_owned(),
            line.timed.to_owned(),
        ]
    })
}
