//! `cargo xtask test`: everything that has to hold before a change goes in. CI calls nothing else.

use std::io::{Write, stdout};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::place::Place;
use crate::programs::SELECTION;
use crate::setup::rust::TARGET;
use crate::setup::{self, Purpose};
use crate::steps::{Step, Steps, elapsed};
use crate::window::{self, Optimisation};
use crate::{drawer, program, programs, suites};

/// What to check.
#[derive(clap::Args)]
pub struct Options {
    /// Only this one and what it needs: a check's name (see the list at the end of a run) or that of a file in tests/tests
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// The checks, in the order in which they are made: what fails soonest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Format,
    Window,
    Lint,
    LintWindow,
    TestWindow,
    Drawer,
    Build,
    Tests,
}

impl Check {
    const ALL: [Self; 8] = [
        Self::Format,
        Self::Window,
        Self::Lint,
        Self::LintWindow,
        Self::TestWindow,
        Self::Drawer,
        Self::Build,
        Self::Tests,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Window => "window",
            Self::Lint => "lint",
            Self::LintWindow => "lint-window",
            Self::TestWindow => "test-window",
            Self::Drawer => "drawer",
            Self::Build => "build",
            Self::Tests => "tests",
        }
    }

    /// What has to have succeeded before; the apps cannot be compiled without the window they embed.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Format | Self::Window | Self::LintWindow | Self::TestWindow | Self::Drawer => &[],
            Self::Lint | Self::Build => &[Self::Window],
            Self::Tests => &[Self::Window, Self::Drawer, Self::Build],
        }
    }

    fn perform(self, place: &Place, step: &Step, test: Option<&str>) -> Result<()> {
        let mut command = program::cargo(&place.root);
        match self {
            Self::Format => command.args(["fmt", "--all", "--check"]),
            Self::Window => return window::build(place, step, Optimisation::default()),
            Self::Lint => command.arg("clippy").args(SELECTION).args(["--all-targets", "--", "-D", "warnings"]),
            // With the profile of the window's build, whose procedural macros are compiled by now.
            Self::LintWindow => command
                .args(["clippy", "--package", window::PACKAGE, "--target", TARGET, "--profile", window::PROFILE])
                .args(["--all-targets", "--", "-D", "warnings"]),
            // On this machine instead of in a browser: the window's tests are about what it decides, not about what it draws.
            // With the others it cannot be tested, because one choice of packages has one choice of features.
            Self::TestWindow => command.args(["test", "--package", window::PACKAGE]),
            Self::Drawer => return drawer::check(place, step),
            Self::Build => return programs::build_with_tests(place, step),
            Self::Tests => return suites::run(place, step, test),
        };
        run(step, &mut command)
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Ok,
    Failed,
    /// Something it needs failed.
    Skipped,
}

/// Sets up, makes the checks and ends with one line for each. A failed check does not keep the others from being made,
/// except those that need it.
pub fn run_checks(place: &Place, options: &Options) -> Result<ExitCode> {
    let (checks, test) = choose(place, options.only.as_deref())?;
    let mut steps = Steps::new(setup::STEPS + checks.len());
    setup::prepare(place, &mut steps, &[Purpose::Run, Purpose::Screenless, Purpose::Test])?;

    let mut results: Vec<(Check, Outcome, Duration)> = Vec::new();
    for check in checks {
        let start = Instant::now();
        let blocked = check
            .needs()
            .iter()
            .any(|needed| results.iter().any(|(done, outcome, _)| done == needed && *outcome != Outcome::Ok));
        let outcome = if blocked {
            Outcome::Skipped
        } else {
            match steps.step(check.name(), |step| check.perform(place, step, test)) {
                Ok(()) => Outcome::Ok,
                Err(error) => {
                    eprintln!("error: {error:#}");
                    Outcome::Failed
                }
            }
        };
        results.push((check, outcome, start.elapsed()));
    }

    let mut out = stdout().lock();
    writeln!(out)?;
    for (check, outcome, took) in &results {
        let word = match outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        writeln!(out, "{:<12} {word:<8} {}", check.name(), elapsed(*took))?;
    }
    let all_well = results.iter().all(|(_, outcome, _)| *outcome == Outcome::Ok);
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The checks to make, and the one test file when only that was asked for.
fn choose<'a>(place: &Place, only: Option<&'a str>) -> Result<(Vec<Check>, Option<&'a str>)> {
    let Some(name) = only else {
        return Ok((Check::ALL.to_vec(), None));
    };
    let (last, test) = if let Some(check) = Check::ALL.into_iter().find(|check| check.name() == name) {
        (check, None)
    } else if place.root.join("tests/tests").join(format!("{name}.rs")).is_file() {
        (Check::Tests, Some(name))
    } else {
        let names: Vec<&str> = Check::ALL.iter().map(|check| check.name()).collect();
        bail!("{name:?} is neither a check ({}) nor a file in tests/tests", names.join(", "));
    };
    Ok((Check::ALL.into_iter().filter(|check| *check == last || last.needs().contains(check)).collect(), test))
}

fn run(step: &Step, command: &mut Command) -> Result<()> {
    step.say(&program::line(command));
    program::run(command.stdin(Stdio::null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(only: Option<&str>) -> (Vec<&'static str>, Option<String>) {
        let (checks, test) = choose(&Place::find().unwrap(), only).unwrap();
        (checks.into_iter().map(Check::name).collect(), test.map(str::to_owned))
    }

    #[test]
    fn one_check_brings_what_it_needs() {
        assert_eq!(chosen(None).0.len(), Check::ALL.len());
        assert_eq!(chosen(Some("format")), (vec!["format"], None));
        assert_eq!(chosen(Some("lint")), (vec!["window", "lint"], None));
        assert_eq!(chosen(Some("tests")), (vec!["window", "drawer", "build", "tests"], None));
        assert_eq!(chosen(Some("tidy")), (vec!["window", "drawer", "build", "tests"], Some("tidy".to_owned())));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = choose(&Place::find().unwrap(), Some("nonsense")).unwrap_err().to_string();
        assert!(message.contains("\"nonsense\"") && message.contains("lint-window"), "{message}");
    }

    #[test]
    fn what_a_check_needs_is_made_before_it() {
        for (position, check) in Check::ALL.iter().enumerate() {
            for needed in check.needs() {
                assert!(Check::ALL.iter().position(|other| other == needed).unwrap() < position, "{check:?}");
            }
        }
    }
}
