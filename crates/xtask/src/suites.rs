//! The suites: every test program that cargo has built, two at a time. Cargo runs them one after the other, and most of their time is
//! spent waiting for a window or a broker.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::place::Place;
use crate::program;
use crate::programs::SELECTION;
use crate::steps::{Step, elapsed, tell};

/// How many run at the same time. A window and what it looks at are busy for two thirds of the time on one processor.
const AT_ONCE: usize = 2;

/// A test program that runs longer hangs: the longest takes a fifth of it.
const ENDS_WITHIN: Duration = Duration::from_secs(25 * 60);

/// How often a running one is asked whether it has ended: the standard library waits for ever or not at all, and nobody notices so
/// little beside tests that take seconds.
const POLL: Duration = Duration::from_millis(50);

/// Those that take longest begin first, so that the end is not a wait for one of them.
const LONGEST: [&str; 4] = ["browser", "window", "phone", "hostile"];

/// A test program, or what cargo alone can run.
#[derive(Debug, PartialEq, Eq)]
struct Suite {
    /// The package, and for an end-to-end test the file: what `--only` takes.
    name: String,
    /// Where cargo would start it.
    folder: PathBuf,
    run: Run,
}

#[derive(Debug, PartialEq, Eq)]
enum Run {
    Program(PathBuf),
    /// The examples in the documentation, which no program is built of.
    Documentation,
}

/// Builds the tests and runs them, or only the one file of `tests/tests`; fails when one of them does, after all have run.
pub fn run(place: &Place, step: &Step, only: Option<&str>) -> Result<()> {
    let mut suites = built(place, step, only)?;
    if only.is_none() {
        suites.push(Suite { name: "documentation".into(), folder: place.root.clone(), run: Run::Documentation });
    }
    // What was just built is gigabytes that are still on their way to the disk, and whoever waits for that disk first waits for them.
    rustix::fs::sync();
    step.say(&format!("{} test programs, {AT_ONCE} at a time", suites.len()));
    let failed = Mutex::new(Vec::new());
    side_by_side(in_order(suites), |suite| {
        tell(&format!("begins: {}", suite.name));
        let once = || {
            let performed = suite.perform(place)?;
            performed.show(&suite.name).context("what it said cannot be shown")?;
            Ok(performed)
        };
        let mut performed = once();
        if performed.as_ref().is_ok_and(Performed::died_in_skia) {
            tell(&format!(
                "{}: WebKit's page died within Skia, and so not of what it was shown; once more",
                suite.name
            ));
            performed = once();
        }
        let outcome = performed.and_then(|performed| performed.outcome);
        if let Err(error) = outcome {
            tell(&format!("error: {}: {error:#}", suite.name));
            locked(&failed).push(suite.name);
        }
    });
    let failed = locked(&failed);
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Does the work in its order, [`AT_ONCE`] at a time.
fn side_by_side<T: Send>(work: Vec<T>, each: impl Fn(T) + Sync) {
    let waiting = Mutex::new(VecDeque::from(work));
    // A function of its own, so that the lock is given back before the work begins.
    let next = || locked(&waiting).pop_front();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(one) = next() {
                    each(one);
                }
            });
        }
    });
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Suite {
    /// Runs it and keeps what it says, because another one speaks meanwhile.
    fn perform(&self, place: &Place) -> Result<Performed> {
        let start = Instant::now();
        let mut file = tempfile::tempfile().context("there is no room for what a test says")?;
        let outcome = self.command(place, &file).and_then(|mut command| run_within(&mut command, ENDS_WITHIN));
        let took = start.elapsed();
        let mut said = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut said)).context("what it said cannot be read")?;
        Ok(Performed { said, took, outcome })
    }

    fn command(&self, place: &Place, said: &File) -> Result<Command> {
        let mut command = match &self.run {
            Run::Program(path) => {
                let mut command = Command::new(path);
                command.env("CARGO_MANIFEST_DIR", &self.folder);
                command
            }
            Run::Documentation => {
                let mut command = program::cargo(&place.root);
                command.arg("test").args(SELECTION).arg("--doc");
                command
            }
        };
        let copy = || said.try_clone().context("there is no room for what a test says");
        command.current_dir(&self.folder).env("FLEETLENS_BIN_DIR", &place.programs);
        command.stdin(Stdio::null()).stdout(copy()?).stderr(copy()?);
        Ok(command)
    }
}

/// What became of a suite.
struct Performed {
    said: Vec<u8>,
    took: Duration,
    outcome: Result<()>,
}

impl Performed {
    /// Whether it failed because WebKit's own process died over a shader that Skia itself writes ("integer is too large: 0", seen once in
    /// some hundred windows with WebKitGTK 2.50 on two busy cores). Nothing that is shown to it has a part in that.
    fn died_in_skia(&self) -> bool {
        let of = b"Source/ThirdParty/skia/";
        self.outcome.is_err() && self.said.windows(of.len()).any(|part| part == of)
    }

    fn show(&self, name: &str) -> std::io::Result<()> {
        let word = if self.outcome.is_ok() { "ok" } else { "FAILED" };
        let mut out = stdout().lock();
        writeln!(out, "\n──── {name} {word} in {}", elapsed(self.took))?;
        out.write_all(&self.said)?;
        out.flush()
    }
}

/// Runs a program, but not for ever: what hangs is ended, so that what it said is seen. Not in a `Group` of its own, so that Ctrl-C ends
/// the tests with us; what a test has started does not outlive it (`tests/src/process.rs`).
fn run_within(command: &mut Command, within: Duration) -> Result<()> {
    let name = program::line(command);
    let mut child = command.spawn().with_context(|| format!("cannot start `{name}`"))?;
    let start = Instant::now();
    while start.elapsed() < within {
        match child.try_wait().with_context(|| format!("cannot wait for `{name}`"))? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("`{name}` ended with {status}"),
            None => thread::sleep(POLL),
        }
    }
    child.kill().and_then(|()| child.wait()).with_context(|| format!("cannot end `{name}`"))?;
    bail!("`{name}` did not end within {} and was ended", elapsed(within))
}

/// The longest first, the others as they were built.
fn in_order(mut suites: Vec<Suite>) -> Vec<Suite> {
    let place = |suite: &Suite| LONGEST.iter().position(|name| *name == suite.name).unwrap_or(LONGEST.len());
    suites.sort_by_key(place);
    suites
}

/// What cargo tells about a program that it has built (`--message-format`, The Cargo Book, "External tools").
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    executable: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

fn built(place: &Place, step: &Step, only: Option<&str>) -> Result<Vec<Suite>> {
    let mut command = program::cargo(&place.root);
    command.arg("test").args(SELECTION).args(["--no-run", "--message-format=json-render-diagnostics"]);
    match only {
        Some(file) => command.args(["--test", file]),
        None => command.args(["--lib", "--bins", "--tests"]),
    };
    step.say(&program::line(&command));
    suites(&program::text(command.stdin(Stdio::null()))?)
}

/// Reads what cargo tells, a line a message.
fn suites(told: &str) -> Result<Vec<Suite>> {
    let mut suites = Vec::new();
    for line in told.lines().filter(|line| line.starts_with('{')) {
        let artifact: Artifact = serde_json::from_str(line).with_context(|| format!("cargo said {line}"))?;
        let (Some(program), Some(target)) = (artifact.executable, artifact.target) else { continue };
        if artifact.reason != "compiler-artifact" || !artifact.profile.is_some_and(|profile| profile.test) {
            continue;
        }
        let folder = artifact.manifest_path.parent().map(Path::to_path_buf);
        let folder = folder.ok_or_else(|| anyhow!("cargo names no folder of {}", target.name))?;
        suites.push(Suite { name: target.name, folder, run: Run::Program(program) });
    }
    Ok(suites)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, test: bool) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","manifest_path":"/x/tests/Cargo.toml","target":{{"name":"{name}","kind":["test"]}},"profile":{{"test":{test}}},"executable":"/x/{name}-1"}}"#
        )
    }

    #[test]
    fn only_tests_are_run_and_the_longest_of_them_first() {
        let library = r#"{"reason":"compiler-artifact","manifest_path":"/x/Cargo.toml","target":{"name":"serde"},"profile":{"test":false},"executable":null}"#;
        let script = r#"{"reason":"build-script-executed","package_id":"serde"}"#;
        let all = [library, script, &told("tidy", true), &told("phone", true), &told("fleetlens", false)].join("\n");
        let suites = in_order(suites(&all).unwrap());
        let names: Vec<_> = suites.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!(names, ["phone", "tidy"]);
        assert_eq!(suites[0].folder, Path::new("/x/tests"));
        assert_eq!(suites[0].run, Run::Program("/x/phone-1".into()));
    }

    #[test]
    fn two_run_at_the_same_time() {
        let running = Mutex::new(0);
        let both = std::sync::Condvar::new();
        side_by_side((0..AT_ONCE).collect(), |_| {
            *locked(&running) += 1;
            both.notify_all();
            let waited = both.wait_timeout_while(locked(&running), Duration::from_secs(20), |n| *n < AT_ONCE).unwrap();
            assert!(!waited.1.timed_out(), "each waits for the other");
        });
    }

    #[test]
    fn what_a_suite_says_is_kept_and_how_it_ended_told() {
        let place = Place::find().unwrap();
        let perform = |program: &str| {
            let run = Run::Program(program::find(program).unwrap());
            Suite { name: program.into(), folder: place.root.clone(), run }.perform(&place).unwrap()
        };
        let said = perform("pwd");
        assert!(said.outcome.is_ok());
        assert_eq!(String::from_utf8_lossy(&said.said).trim(), place.root.to_str().unwrap());
        assert!(perform("false").outcome.unwrap_err().to_string().contains("ended with exit status: 1"));
    }

    #[test]
    fn only_a_failure_within_skia_is_nobodys() {
        const DIED: &str = "Source/ThirdParty/skia/src/core/SkRuntimeEffectPriv.h:204: fatal error";
        for (said, failed, want) in [(DIED, true, true), (DIED, false, false), ("panicked", true, false)] {
            let outcome = if failed { Err(anyhow::anyhow!("ended with 101")) } else { Ok(()) };
            let performed = Performed { said: said.as_bytes().to_vec(), took: Duration::ZERO, outcome };
            assert_eq!(performed.died_in_skia(), want, "{said}, failed: {failed}");
        }
    }

    #[test]
    fn what_hangs_is_ended() {
        let error = run_within(Command::new("sleep").arg("60"), Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.to_string(), "`sleep 60` did not end within 0.1 s and was ended");
    }

    #[test]
    fn a_message_of_another_form_is_told_with_what_cargo_said() {
        assert!(format!("{:#}", suites(r#"{"reason":1}"#).unwrap_err()).contains(r#"{"reason":1}"#));
    }
}
