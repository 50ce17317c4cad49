//! `fleetlens rule test`: a rule of a profile on what is in its cache (see `fleetlens_host::backtest`).

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use fleetlens_host::backtest::{Bounds, Question, answer};
use fleetlens_host::flags;
use fleetlens_host::ipc::rules::{Fires, Tried};
use fleetlens_host::model::alarm::duration;

use crate::moment::{self, Moment, rfc3339};
use crate::{cache, profile};

/// Values that are read at most: some gigabytes of memory at worst.
const VALUES_MAX: u64 = 50_000_000;

#[derive(Args)]
pub struct RuleVerb {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Say when a rule would have raised alarms, by the values of the cache.
    Test(Test),
}

#[derive(Args)]
struct Test {
    /// The profile: a file (TOML), the name of one in the data folder, or `demo`.
    profile: String,
    /// The id of the rule in it.
    id: String,
    /// From this time on: 2026-11-21T22:00:00+01:00, or -8h.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true, default_value = "-7d")]
    from: Moment,
    /// Up to this time, which is not included.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true, default_value = "now")]
    to: Moment,
    /// Where caches and profiles are kept [default: the app's folder].
    #[arg(long, alias = "data", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// On this cache's file, whose ever it is; the app may have it open.
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir")]
    db: Option<PathBuf>,
    /// As one line of JSON, for the next program.
    #[arg(long)]
    json: bool,
}

impl RuleVerb {
    /// Does it and ends.
    pub fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Test(test) => test.run(),
        }
    }
}

impl Test {
    fn run(self) -> anyhow::Result<()> {
        let span = moment::span(self.from, self.to, moment::now())?;
        let folder = self.data_dir.clone().or_else(flags::desktop_data_dir);
        let profile = profile::read(profile::file(&self.profile, folder.clone())?.as_deref())?;
        if !profile.rules.iter().any(|rule| rule.id == self.id) {
            let ids: Vec<&str> = profile.rules.iter().map(|rule| rule.id.as_str()).collect();
            let ids = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
            bail!("the profile {:?} has no rule {:?}; it has {ids}", profile.name, self.id);
        }
        let db = match &self.db {
            Some(db) => db.clone(),
            None => cache::of_profile(&profile, &folder.context("say with --data-dir where the cache is kept")?)?,
        };
        let reading = cache::open(&db)?;
        let question = Question {
            config: profile.fleet_config(String::new()),
            rules: profile.rules,
            id: self.id,
            before: None,
            span,
        };
        let tried = answer(&reading, &question, Bounds { values: VALUES_MAX, within: None }, || true)?;
        let mut out = io::stdout().lock();
        let written = if self.json {
            serde_json::to_writer(&mut out, &tried).map_err(io::Error::from).and_then(|()| writeln!(out))
        } else {
            print(&mut out, &tried)
        };
        cache::unless_unread(written)?;
        Ok(())
    }
}

/// For a person.
fn print(out: &mut impl Write, tried: &Tried) -> io::Result<()> {
    let Tried { from_ms, to_ms, things, looked, values, took_ms, .. } = tried;
    writeln!(out, "From {} to {}", rfc3339(*from_ms), rfc3339(*to_ms))?;
    if let Some(why) = &tried.unanswered {
        return writeln!(out, "Cannot be tried: {why}.");
    }
    writeln!(out, "Looked at {looked} of {things} things, {values} values, in {} s", f64::from(*took_ms) / 1_000.0)?;
    let Fires { count, things, told, longest_ms, any_ms, rows, .. } = &tried.now;
    let share = *any_ms as f64 * 100.0 / to_ms.since(*from_ms).max(1) as f64;
    writeln!(
        out,
        "Raised {count} times, of {things} things, told {told} times; the longest {}; {share:.1} % of the time at least one",
        duration(*longest_ms)
    )?;
    for note in &tried.notes {
        writeln!(out, "{note}")?;
    }
    for row in rows {
        let to = row.to_ms.map_or_else(|| "still so".to_owned(), rfc3339);
        let length = row.to_ms.unwrap_or(*to_ms).since(row.from_ms);
        writeln!(out, "{}\t{to}\t{}\t{}\t{}", rfc3339(row.from_ms), duration(length), row.title, row.sentence)?;
    }
    if rows.len() < *count as usize {
        writeln!(out, "… the longest {} of {count}", rows.len())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fleetlens_host::model::time::WallMs;

    use super::*;

    #[test]
    fn what_cannot_be_tried_is_said_instead_of_nothing() {
        let mut out = Vec::new();
        let tried = Tried { unanswered: Some("nobody knows".into()), to_ms: WallMs(1_000), ..Tried::default() };
        print(&mut out, &tried).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("Cannot be tried: nobody knows.\n") && !text.contains("Raised"), "{text}");
    }
}
