//! `fleetlens bulk`: the bulk commands of a cache, and what came of each of their things.
//!
//! The app may have the cache open. Of a command that has not ended it is told where it stands now.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use fleetlens_host::model::bulk::Head;
use fleetlens_host::sheet::{Format, Sheet, bulk as rows};

use crate::cache;
use crate::moment;

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
            format!("{}\t{}\t{}\t{}\t{}", id.0, moment::rfc3339(*asked_ms), by.name, state.word(), rows::wanted(head))
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
        let mut sheet = Sheet::begin(format, cache::sink(output.as_deref(), &db)?, rows::FIELDS)?;
        let written = rows::write(&reading, &head, &mut sheet)?;
        cache::unless_unread(written.and_then(|()| sheet.end()))?;
        Ok(())
    }
}
