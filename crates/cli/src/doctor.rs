//! `fleetlens doctor`: looks at everything that a person would have to look at one after the other when something does not go.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use fleetlens_host::doctor::{Asked, Examination, examine, mask};
use fleetlens_host::flags;
use fleetlens_host::ipc::diagnostics::{Level, report};
use serde_json::json;

use crate::{cache, profile};

#[derive(Args)]
pub struct Doctor {
    /// Look at this profile: a file (TOML), the name of one in the data folder, or `demo` [default: the one in use].
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Where caches, profiles and logs are kept [default: the app's folder].
    #[arg(long, alias = "data", value_name = "FOLDER", conflicts_with = "db")]
    data_dir: Option<PathBuf>,
    /// Look at this cache's file and nothing else.
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    db: Option<PathBuf>,
    /// Leave the broker, and every network, alone.
    #[arg(long)]
    offline: bool,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Prints what was found; fails when something of it is a fault. Writes nothing, and may run beside the app.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let asked = match self.db {
            Some(file) => Asked::Cache(file),
            None => {
                let folder = self.data_dir.or_else(flags::desktop_data_dir);
                let folder = folder.context("say with --data-dir where the cache is kept")?;
                let named = self.profile.as_deref();
                let profile = named.map(|named| profile::file(named, Some(folder.clone()))).transpose()?;
                Asked::Home { folder, profile }
            }
        };
        let Examination { checks, diagnostics } = examine(asked, self.offline).await;
        let faults = checks.iter().filter(|check| check.level == Level::Fault).count();
        let text = if self.json {
            let mut found = json!({ "healthy": faults == 0, "checks": checks, "diagnostics": diagnostics });
            mask(&mut found);
            serde_json::to_string_pretty(&found)? + "\n"
        } else {
            let warnings = checks.iter().filter(|check| check.level == Level::Warn).count();
            format!("{}\n{}\n", report(&diagnostics, &checks), verdict(faults, warnings))
        };
        cache::unless_unread(std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()))?;
        Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn verdict(faults: usize, warnings: usize) -> String {
    let of = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (faults, warnings) {
        (0, 0) => "All is well.".to_owned(),
        (0, warnings) => format!("It works; {} to look at.", of(warnings, "warning")),
        (faults, 0) => format!("{} to mend.", of(faults, "fault")),
        (faults, warnings) => format!("{} to mend, {} to look at.", of(faults, "fault"), of(warnings, "warning")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_what_there_is_to_do() {
        for (faults, warnings, want) in [
            (0, 0, "All is well."),
            (0, 1, "It works; 1 warning to look at."),
            (2, 0, "2 faults to mend."),
            (1, 2, "1 fault to mend, 2 warnings to look at."),
        ] {
            assert_eq!(verdict(faults, warnings), want);
        }
    }
}
