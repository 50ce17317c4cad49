//! `cargo xtask bench`: measurements that say how the program does, not whether it works.

use std::io::{Write, stdout};
use std::process::{ExitCode, Stdio};

use anyhow::{Result, bail};

use crate::place::Place;
use crate::program;
use crate::setup::{self, Purpose};
use crate::steps::Steps;

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Which benchmark; without a name they are listed
    name: Option<String>,
    /// Print the figures as one JSON object
    #[arg(long)]
    json: bool,
}

/// A benchmark: an example of the tests' package that takes `--json`.
struct Benchmark {
    name: &'static str,
    example: &'static str,
    measures: &'static str,
}

const BENCHMARKS: [Benchmark; 1] = [Benchmark {
    name: "ingest",
    example: "bench_ingest",
    measures: "messages per second from Mosquitto onto the disk, beside a program that commits each by itself",
}];

impl Benchmark {
    fn is_there(&self, place: &Place) -> bool {
        place.root.join("tests/examples").join(format!("{}.rs", self.example)).is_file()
    }
}

/// Runs a benchmark in an optimised build, or lists them; exit code 2 when there is none to run.
pub fn run(place: &Place, options: &Options) -> Result<ExitCode> {
    let there: Vec<&Benchmark> = BENCHMARKS.iter().filter(|benchmark| benchmark.is_there(place)).collect();
    if there.is_empty() {
        eprintln!("there are no benchmarks yet");
        return Ok(ExitCode::from(2));
    }
    let Some(name) = options.name.as_deref() else {
        let mut out = stdout().lock();
        for benchmark in there {
            writeln!(out, "{:<12} {}", benchmark.name, benchmark.measures)?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(benchmark) = there.iter().find(|benchmark| benchmark.name == name) else {
        let names: Vec<&str> = there.iter().map(|benchmark| benchmark.name).collect();
        bail!("there is no benchmark {name:?}; there are: {}", names.join(", "));
    };

    setup::prepare(place, &mut Steps::new(setup::STEPS), &[Purpose::Run])?;
    let mut command = program::cargo(&place.root);
    command
        .args(["run", "--release", "--package", "fleetlens-tests", "--example", benchmark.example])
        .stdin(Stdio::null());
    if options.json {
        command.args(["--", "--json"]);
    }
    program::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
