//! `fleetlens audit`: whether the audit log of a cache is as it was written, and what it tells.
//!
//! `verify` ends with 0 where it is whole and with 1 where it is not. `export` writes CSV or JSON Lines as `fleetlens export` does; in
//! JSON every field is what was hashed, with numbers as numbers and null for nothing, so that others can go through the chain themselves
//! (docs/adr/0011-audit.md).

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use fleetlens_host::model::audit::Filter;
use fleetlens_host::model::audit::chain::Head;
use fleetlens_host::sheet::audit::{self as rows, Told};
use fleetlens_host::sheet::{Format, Sheet};

use crate::cache;
use crate::moment::{self, Moment};

#[derive(Args)]
pub struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Look whether any row was changed, removed or moved since it was written; 1 if so, with the row.
    Verify(Verify),
    /// Write the rows as CSV or JSON Lines.
    Export(Export),
}

#[derive(Args)]
struct Verify {
    /// The cache's file; the app may have it open.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// A row that must be there, as an earlier `verify` named it: its number, a colon, its hash; may be given often.
    #[arg(long, value_name = "ROW:HASH", value_parser = noted)]
    noted: Vec<Head>,
}

#[derive(Args)]
struct Export {
    /// The cache's file; the app may have it open.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// CSV (RFC 4180), or JSON Lines.
    #[arg(long, value_enum)]
    format: Format,
    /// Only of this thing.
    #[arg(long, value_name = "NAME")]
    thing: Option<String>,
    /// Only of the command with this trace id.
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Only by this person.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only with this text in thing, shadow, person, event or detail.
    #[arg(long)]
    text: Option<String>,
    /// From this time on: 2026-11-21T08:00:00+01:00, or -2h.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true)]
    from: Option<Moment>,
    /// Up to this time, which is not included.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true)]
    to: Option<Moment>,
    /// Only so many of those, the newest, and the newest first [default: all, in the order they were written].
    #[arg(long, value_name = "ROWS")]
    newest: Option<usize>,
    /// Where to write [default: to the terminal, or the next program].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Audit {
    /// Prints and ends.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Verify(verify) => verify.run(),
            Verb::Export(export) => export.run().map(|()| ExitCode::SUCCESS),
        }
    }
}

impl Verify {
    fn run(self) -> anyhow::Result<ExitCode> {
        let outcome = cache::open(&self.db)?.verify_audit(&self.noted)?;
        let db = self.db.display();
        let (said, code) = match outcome {
            Ok(summary) => {
                let Head { seq, hash } = summary.head;
                let said = match summary.first_ms.zip(summary.last_ms) {
                    None => format!("the audit log of {db} is empty"),
                    Some((first, last)) => format!(
                        "the audit log of {db} is whole: {seq} rows from {} to {}\nthe last: {seq}:{hash}",
                        moment::rfc3339(first),
                        moment::rfc3339(last)
                    ),
                };
                (said, ExitCode::SUCCESS)
            }
            Err(broken) => (format!("the audit log of {db} is broken: {broken}"), ExitCode::FAILURE),
        };
        cache::unless_unread(writeln!(io::stdout(), "{said}"))?;
        Ok(code)
    }
}

impl Export {
    fn run(self) -> anyhow::Result<()> {
        let now = moment::now();
        let Export { db, format, thing, trace, actor, text, from, to, newest, output } = self;
        let at = |moment: Option<Moment>| moment.map(|moment| moment.at(now));
        let filter = Filter { thing, trace, actor, text, from_ms: at(from), to_ms: at(to) };
        let reading = cache::open(&db)?;
        let mut sheet = Sheet::begin(format, cache::sink(output.as_deref(), &db)?, rows::fields())?;
        let Told { rows, unread, written } = rows::write(&reading, &filter, newest, &mut sheet)?;
        cache::unless_unread(written.and_then(|()| sheet.end()))?;
        if rows == 0 {
            eprintln!("fleetlens: no row of the audit log of {} matches", db.display());
        }
        if unread > 0 {
            eprintln!(
                "fleetlens: {unread} rows say nothing that could be read; `fleetlens audit verify` names the first"
            );
        }
        Ok(())
    }
}

/// A row as `verify` names it.
fn noted(given: &str) -> Result<Head, String> {
    let wrong = || {
        format!("{given:?} is no row; give its number, a colon and its 64 hexadecimal digits, as verify prints them")
    };
    let (seq, hash) = given.split_once(':').ok_or_else(wrong)?;
    let seq = seq.parse::<u64>().ok().filter(|seq| *seq > 0).ok_or_else(wrong)?;
    Ok(Head { seq, hash: hash.parse().map_err(|_| wrong())? })
}

#[cfg(test)]
mod tests {
    use fleetlens_host::model::audit::chain::Hash;

    use super::*;

    #[test]
    fn a_row_is_noted_as_it_was_printed() {
        let head = Head { seq: 412, hash: Hash([0xa5; 32]) };
        assert_eq!(noted(&format!("{}:{}", head.seq, head.hash)), Ok(head));
        for wrong in ["", "412", "412:", "0:00", "x:00", &format!("0:{}", head.hash), &format!("-1:{}", head.hash)] {
            assert!(noted(wrong).is_err_and(|why| why.contains("as verify prints them")), "{wrong}");
        }
    }
}
