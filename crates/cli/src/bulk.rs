//! `fleetlens bulk`: the bulk commands of a cache, and what came of each of their things.
//!
//! The app may have the cache open. Of a command that has not ended it is told where it stands now.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use fleetlens_host::model::bulk::{Head, Progress};
use fleetlens_host::model::command::Phase;
use fleetlens_host::model::id::BulkId;
use serde::Serialize;

use crate::cache;
use crate::moment;
use crate::sheet::{self, Format, Sheet};

#[derive(Args)]
pub struct Bulk {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the bulk commands that are kept, each with its number.
    List(List),
    /// Write what came of each thing of one as CSV or JSON Lines, in the order of their release.
    Export(Export),
}

#[derive(Args)]
struct List {
    /// The cache's file; the app may have it open.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
}

#[derive(Args)]
struct Export {
    /// The cache's file; the app may have it open.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// Which one, by the number that `list` prints.
    #[arg(long, value_name = "NUMBER")]
    bulk: u64,
    /// CSV (RFC 4180), or JSON Lines.
    #[arg(long, value_enum)]
    format: Format,
    /// Where to write [default: to the terminal, or the next program].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Bulk {
    /// Prints and ends.
    pub fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::List(list) => list.run(),
            Verb::Export(export) => export.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let bulks = cache::open(&self.db)?.bulks()?;
        let mut out = io::stdout().lock();
        let line = |head: &Head| {
            let Head { id, by, asked_ms, state, .. } = head;
            format!("{}\t{}\t{}\t{}\t{}", id.0, moment::rfc3339(*asked_ms), by.name, state.word(), wanted(head))
        };
        let written = bulks.iter().try_for_each(|head| writeln!(out, "{}", line(head)));
        cache::unless_unread(written)?;
        if bulks.is_empty() {
            eprintln!("fleetlens: {} has no bulk command", self.db.display());
        }
        Ok(())
    }
}

impl Export {
    fn run(self) -> anyhow::Result<()> {
        let Export { db, bulk, format, output } = self;
        let reading = cache::open(&db)?;
        let Some(head) = reading.bulks()?.into_iter().find(|head| head.id.0 == bulk) else {
            bail!("{} has no bulk command {bulk}; `fleetlens bulk list` names those that are kept", db.display());
        };
        let mut sheet = Sheet::begin(format, sheet::sink(output.as_deref(), &db)?, FIELDS)?;
        let mut written = Ok(());
        let wanted = wanted(&head);
        reading.bulk_rows(BulkId(bulk), |thing, progress| {
            let line = Line::of(thing, &wanted, &progress);
            written = sheet.write(&line, || line.fields());
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        cache::unless_unread(written.and_then(|()| sheet.end()))?;
        Ok(())
    }
}

/// The columns of a sheet.
const FIELDS: [&str; 6] = ["thing", "wanted", "result", "command", "time", "detail"];

/// What came of a thing.
#[derive(Serialize)]
struct Line<'a> {
    thing: &'a str,
    wanted: &'a str,
    /// A command's phase, or `never-obeyed`, `waiting`, `same`, `cannot`.
    result: &'static str,
    command: Option<u64>,
    /// Since when, where it has a command.
    time: Option<String>,
    /// Why, where it was refused or could not be asked.
    detail: String,
}

impl<'a> Line<'a> {
    fn of(thing: &'a str, wanted: &'a str, progress: &Progress) -> Line<'a> {
        let (result, detail) = match progress {
            Progress::Waits => ("waiting", String::new()),
            Progress::Same => ("same", String::new()),
            Progress::Cannot { why } => ("cannot", why.clone()),
            // As the audit log calls it.
            Progress::Asked { phase: Phase::Expired { .. }, never_obeyed: true, .. } => ("never-obeyed", String::new()),
            Progress::Asked { phase, .. } => result_of(phase),
        };
        let asked = match progress {
            Progress::Asked { command, at_ms, .. } => Some((command.0, moment::rfc3339(*at_ms))),
            Progress::Waits | Progress::Same | Progress::Cannot { .. } => None,
        };
        let (command, time) = asked.unzip();
        Line { thing, wanted, result, command, time, detail }
    }

    fn fields(&self) -> [String; 6] {
        let command = self.command.map(|command| command.to_string()).unwrap_or_default();
        let time = self.time.clone().unwrap_or_default();
        let texts = [self.thing, self.wanted, self.result, &command, &time, &self.detail];
        texts.map(sheet::harmless)
    }
}

fn result_of(phase: &Phase) -> (&'static str, String) {
    match phase {
        Phase::Pending => ("pending", String::new()),
        Phase::Sent => ("sent", String::new()),
        Phase::Accepted { .. } => ("accepted", String::new()),
        Phase::Rejected { code, reason } => ("rejected", format!("{code}: {reason}")),
        Phase::Settled => ("settled", String::new()),
        Phase::Overtaken { by } => ("overtaken", format!("by command {}", by.0)),
        Phase::Expired { .. } => ("expired", String::new()),
        Phase::Cancelled { .. } => ("cancelled", String::new()),
    }
}

fn wanted(head: &Head) -> String {
    let wishes = head.order.wishes.iter().map(|wish| format!("{} = {}", wish.pointer, wish.value_json));
    wishes.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use fleetlens_host::model::command::Withdrawal;
    use fleetlens_host::model::id::CommandId;
    use fleetlens_host::model::time::WallMs;

    use super::*;

    #[test]
    fn who_never_obeyed_is_not_called_expired() {
        for (never_obeyed, want) in [(false, "expired"), (true, "never-obeyed")] {
            let phase = Phase::Expired { withdrawal: Withdrawal::Done };
            let progress = Progress::Asked { command: CommandId(1), phase, at_ms: WallMs(7), never_obeyed };
            assert_eq!(Line::of("lamp-1", "/dim_pct = 40", &progress).result, want);
        }
    }
}
