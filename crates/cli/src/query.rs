//! `fleetlens query`: the latest values of a cache.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fleetlens_host::model::kind::Kind;
use fleetlens_host::model::telemetry::{Sample, Value};
use fleetlens_host::model::text::is_hidden;
use fleetlens_host::model::time::WallMs;
use serde::Serialize;

use crate::cache::{self, Known};
use crate::moment;

/// The longest text in a cell of the table, in characters.
const CELL_MAX_CHARS: usize = 48;

#[derive(Args)]
pub struct Query {
    /// The cache's file; the app may have it open.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// Only this thing; may be given often.
    #[arg(long, value_name = "NAME")]
    thing: Vec<String>,
    /// Only things of this kind.
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Only things with this text in their name, title, area or street.
    #[arg(long)]
    text: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Aligned columns, for people.
    Table,
    /// An array of objects, for programs.
    Json,
}

/// One latest value. How it came is as it was stored: nothing is live in a file.
#[derive(Serialize)]
struct Row<'a> {
    thing: &'a str,
    title: &'a str,
    kind: &'static str,
    pointer: &'a str,
    value: serde_json::Value,
    unit: &'a str,
    source: &'static str,
    quality: &'static str,
    device_time: String,
    received_time: String,
    timed: &'static str,
    /// Since it was measured.
    age_s: i64,
}

impl Query {
    /// Prints and ends.
    pub fn run(self) -> anyhow::Result<()> {
        let reading = cache::open(&self.db)?;
        let mut things = cache::named(cache::things(&reading)?, &self.thing, &self.db)?;
        things.retain(|thing| self.matches(thing));
        let latest = reading.latest()?;
        let now = moment::now();
        let mut values = Vec::new();
        for thing in &things {
            for (pointer, series) in &thing.series {
                let found = latest.binary_search_by_key(series, |sample| sample.series);
                if let Some(sample) = found.ok().and_then(|at| latest.get(at)) {
                    values.push((thing, pointer.as_str(), sample));
                }
            }
        }
        let out = BufWriter::new(io::stdout().lock());
        cache::unless_unread(match self.format {
            Format::Table => table(out, &values, now),
            Format::Json => json(out, &values, now),
        })?;
        if values.is_empty() {
            eprintln!(
                "fleetlens: nothing in {} matches; it holds {} things",
                self.db.display(),
                reading.things()?.len()
            );
        }
        Ok(())
    }

    fn matches(&self, thing: &Known) -> bool {
        let Known { name, meta, .. } = thing;
        let text = self.text.as_deref().map(str::to_lowercase);
        let has = |text: &String| {
            [name, &meta.title, &meta.area, &meta.street].iter().any(|of| of.to_lowercase().contains(text))
        };
        self.kind.is_none_or(|kind| kind == meta.kind) && text.as_ref().is_none_or(has)
    }
}

fn table(mut out: impl Write, values: &[(&Known, &str, &Sample)], now: WallMs) -> io::Result<()> {
    let head = ["thing", "title", "pointer", "value", "unit", "source", "quality", "age"].map(str::to_owned);
    let rows = values.iter().map(|(thing, pointer, sample)| {
        let shown = match &sample.value {
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => cell(text),
        };
        [
            cell(&thing.name),
            cell(&thing.meta.title),
            cell(pointer),
            shown,
            cell(thing.meta.unit(pointer)),
            cache::source(sample.source).to_owned(),
            cache::quality(sample.quality).to_owned(),
            moment::age(sample.device_ms, now),
        ]
    });
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..).map_while(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    out.flush()
}

/// What a device says, as a terminal may have it: on one line, without codes that move the cursor, not without end.
fn cell(text: &str) -> String {
    let mut shown: String =
        text.chars().take(CELL_MAX_CHARS).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(CELL_MAX_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn json(mut out: impl Write, values: &[(&Known, &str, &Sample)], now: WallMs) -> io::Result<()> {
    let rows: Vec<Row> = values
        .iter()
        .map(|(thing, pointer, sample)| Row {
            thing: &thing.name,
            title: &thing.meta.title,
            kind: thing.meta.kind.word(),
            pointer,
            value: cache::json(&sample.value),
            unit: thing.meta.unit(pointer),
            source: cache::source(sample.source),
            quality: cache::quality(sample.quality),
            device_time: moment::rfc3339(sample.device_ms),
            received_time: moment::rfc3339(sample.received_ms),
            timed: cache::timed(sample.timed),
            age_s: now.0.saturating_sub(sample.device_ms.0).max(0) / 1_000,
        })
        .collect();
    serde_json::to_writer_pretty(&mut out, &rows)?;
    writeln!(out)?;
    out.flush()
}

fn kind(given: &str) -> Result<Kind, String> {
    let words: Vec<&str> = Kind::ALL.into_iter().map(Kind::word).collect();
    Kind::ALL
        .into_iter()
        .find(|kind| kind.word() == given)
        .ok_or_else(|| format!("{given:?} is no kind; there are {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_short_line_whatever_a_device_says() {
        assert_eq!(cell("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(cell(&"ħ".repeat(49)), format!("{}…", "ħ".repeat(48)));
    }
}
