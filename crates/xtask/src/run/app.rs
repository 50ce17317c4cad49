//! The app while it runs, and what can be seen of it from outside.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::group::Group;
use super::screen::Screen;
use super::summary::{Growth, Summary};
use super::{Expected, Options};
use crate::place::Place;
use crate::steps::elapsed;
use crate::{interrupt, leash};

/// How often the app's summary and its life are looked at.
const POLL: Duration = Duration::from_millis(100);

/// How long we wait for the number of things to come to rest before we print it as it is.
const GROWS_AT_MOST: Duration = Duration::from_secs(10);

/// How many of the log's last lines an error carries.
const LOG_TAIL_LINES: usize = 30;

/// What came of waiting for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    Expected,
    /// It is not there, and our patience is over.
    Late,
    /// The window was closed.
    Closed,
    /// We were interrupted.
    Interrupted,
}

/// The app while it runs; dropping it ends it.
pub struct App {
    /// The program's name.
    pub name: &'static str,
    group: Group,
    started: Instant,
    summary: PathBuf,
    log: PathBuf,
}

impl App {
    /// Starts it on this screen; its output goes to a log beside its summary.
    pub fn start(place: &Place, options: &Options, screen: &Screen) -> Result<Self> {
        let name = if options.mobile { "fleetlens-mobile" } else { "fleetlens-desktop" };
        let (summary, log) = (place.run().join("summary.json"), place.run().join("fleetlens.log"));
        if summary.exists() {
            fs::remove_file(&summary).with_context(|| format!("cannot remove the old {}", summary.display()))?;
        }
        let output = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let errors = output.try_clone().with_context(|| format!("cannot write to {} twice", log.display()))?;
        let mut command = leash::command(&place.program(name));
        command.args(options.arguments()).env("FLEETLENS_SUMMARY", &summary).stdout(output).stderr(errors);
        screen.show(&mut command);
        Ok(Self { name, group: Group::spawn(name, &mut command)?, started: Instant::now(), summary, log })
    }

    /// Waits for what is to be expected of the app, at most as long as the options have patience.
    pub fn wait_for(&mut self, expected: Expected, options: &Options) -> Result<Seen> {
        while !interrupt::came() {
            let summary = Summary::read(&self.summary)?;
            if summary.is_some_and(|summary| expected.is_met_by(&summary)) {
                return Ok(Seen::Expected);
            }
            match self.group.ended()? {
                // A person may close the window whenever they like.
                Some(status) if status.success() => return Ok(Seen::Closed),
                Some(status) => {
                    bail!("{} ended with {status} before there was anything to see\n{}", self.name, tail(&self.log))
                }
                None => {}
            }
            // A city of our own lives within seconds, whatever time the app was given.
            let over =
                expected != Expected::Live && options.length.is_some_and(|length| self.started.elapsed() > length);
            if over || self.started.elapsed() > options.patience {
                return Ok(Seen::Late);
            }
            thread::sleep(POLL);
        }
        Ok(Seen::Interrupted)
    }

    /// What to say of an app that should have shown live data by now.
    pub fn late(&self, patience: Duration) -> anyhow::Error {
        let state = match Summary::read(&self.summary) {
            Ok(Some(summary)) => summary.to_string(),
            Ok(None) => "it wrote no summary".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        anyhow!("{} showed no live data within {}: {state}\n{}", self.name, elapsed(patience), tail(&self.log))
    }

    /// The summary once the number of things has come to rest; null when the app never wrote one.
    pub fn settle(&mut self) -> Result<Option<Summary>> {
        let begun = Instant::now();
        let mut growth = Growth::new(0, begun);
        loop {
            let summary = Summary::read(&self.summary)?;
            let at_rest = growth.has_ended(summary.map_or(0, |summary| summary.things), Instant::now());
            let over = begun.elapsed() > GROWS_AT_MOST || interrupt::came() || self.group.ended()?.is_some();
            if at_rest || over {
                return Ok(summary);
            }
            thread::sleep(POLL);
        }
    }

    /// Stays until the app is closed, its time is over or we are interrupted; an app that fails meanwhile is an error.
    pub fn stay(&mut self, length: Option<Duration>) -> Result<()> {
        while !interrupt::came() && length.is_none_or(|length| self.started.elapsed() < length) {
            match self.group.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    bail!(
                        "{} ended with {status} after {}\n{}",
                        self.name,
                        elapsed(self.started.elapsed()),
                        tail(&self.log)
                    );
                }
                None => thread::sleep(POLL),
            }
        }
        self.group.end()
    }
}

/// The end of the app's log, for an error.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LOG_TAIL_LINES)).copied().collect::<Vec<_>>().join("\n");
    if last.is_empty() { "its log is empty".to_owned() } else { format!("its log ends with:\n{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_carries_only_the_end_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(tail(&log), "its log is empty");
        let lines: Vec<String> = (1..=100).map(|number| format!("line {number}")).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        let told = tail(&log);
        assert!(told.starts_with("its log ends with:\nline 71\n") && told.ends_with("\nline 100"), "{told}");
    }
}
