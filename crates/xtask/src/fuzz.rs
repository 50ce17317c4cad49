//! `cargo xtask fuzz`: the decoders tried with what nobody would write, by libFuzzer. What a run finds worth keeping stays in
//! `fuzz/corpus`, as little of it as covers the same code.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::program;
use crate::steps::{Step, Steps};

/// What to try, and for how long.
#[derive(clap::Args)]
pub struct Options {
    /// One target only; without it all of them, one after the other
    target: Option<String>,
    /// How long each is tried
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u64,
}

/// A case that takes longer than this has found something, in seconds.
const CASE_WITHIN_S: u64 = 10;

/// So has one that needs more memory, in megabytes: the sanitizer's own share is some hundred.
const MEMORY_MB: u64 = 2_048;

/// What is kept of a target's cases, in bytes: all of them lie in git.
const CORPUS_MAX_BYTES: u64 = 64 * 1024;

/// And how many of them: thousands of files of a few bytes each make every checkout slow.
const CORPUS_MAX_CASES: usize = 400;

/// The compiler that has the flags: no stable one has.
const TOOLCHAIN: &str = "nightly";

/// Runs the targets; fails with the first that finds something, whose case then lies in `fuzz/artifacts`.
pub fn run(place: &Place, options: &Options) -> Result<ExitCode> {
    let folder = place.root.join("fuzz");
    let all = targets(&folder)?;
    let chosen: Vec<&String> =
        all.iter().filter(|name| options.target.as_ref().is_none_or(|one| one == *name)).collect();
    if chosen.is_empty() {
        bail!("there is no target {:?}; there are: {}", options.target.as_deref().unwrap_or_default(), all.join(", "));
    }
    let mut steps = Steps::new(1 + chosen.len());
    steps.step("what fuzzing needs", |step| prepare(place, step))?;
    for target in chosen {
        steps.step(target, |step| {
            let limits = [
                format!("-max_total_time={}", options.seconds),
                format!("-timeout={CASE_WITHIN_S}"),
                format!("-rss_limit_mb={MEMORY_MB}"),
                "-print_final_stats=1".to_owned(),
            ];
            let mut tried = cargo_fuzz(place, &["run", target, "--"]);
            perform(step, tried.args(limits))?;
            perform(step, &mut cargo_fuzz(place, &["cmin", target]))?;
            thin(&folder.join("corpus").join(target), CORPUS_MAX_CASES, CORPUS_MAX_BYTES)
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The names of the targets, in order.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        names.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Leaves so many of a folder's files, small and large ones alike, and of these the smallest that have room in so many bytes: most
/// of what a case reaches a small one does too.
fn thin(folder: &Path, most: usize, most_bytes: u64) -> Result<()> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let bytes = entry.metadata().with_context(|| format!("cannot look at {}", entry.path().display()))?.len();
        cases.push((bytes, entry.path()));
    }
    cases.sort();
    let all = cases.len().max(1);
    let mut kept = 0;
    for (n, (bytes, path)) in cases.into_iter().enumerate() {
        // Of every stretch as long as all / most the first.
        let is_chosen = all <= most || n == 0 || n * most / all != (n - 1) * most / all;
        if is_chosen && kept + bytes <= most_bytes {
            kept += bytes;
        } else {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// A compiler with the flags, and the program that knows them.
fn prepare(place: &Place, step: &Step) -> Result<()> {
    let rustup =
        program::need("rustup", "fuzzing needs a nightly compiler beside the stable one; install Rust through rustup")?;
    let installed = program::text(Command::new(&rustup).args(["toolchain", "list"]))?;
    if !installed.lines().any(|line| line.starts_with(TOOLCHAIN)) {
        perform(step, Command::new(&rustup).args(["toolchain", "install", TOOLCHAIN, "--profile", "minimal"]))?;
    }
    let mut asked = cargo_fuzz(place, &["--version"]);
    let is_there = asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !is_there {
        perform(step, program::cargo(&place.root).args(["install", "--locked", "cargo-fuzz"]))?;
    }
    Ok(())
}

/// `cargo fuzz` with the nightly compiler; ours is the one that built this program.
fn cargo_fuzz(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", TOOLCHAIN, "cargo", "fuzz"]).args(arguments).current_dir(place.root.join("fuzz"));
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    command
}

fn perform(step: &Step, command: &mut Command) -> Result<()> {
    step.say(&program::line(command));
    program::run(command.stdin(Stdio::null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_corpus_is_the_smallest_and_no_more_than_it_may_be() {
        for (most, most_bytes, want) in
            [(9, 60, &["b", "c", "d"][..]), (2, 100, &["b", "c"]), (4, 200, &["a", "b", "c", "d"])]
        {
            let folder = tempfile::tempdir().unwrap();
            for (name, bytes) in [("a", 50), ("b", 10), ("c", 30), ("d", 20)] {
                fs::write(folder.path().join(name), vec![0; bytes]).unwrap();
            }
            thin(folder.path(), most, most_bytes).unwrap();
            let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
            left.sort();
            assert_eq!(left, want, "{most} of at most {most_bytes} bytes");
        }
    }
}
