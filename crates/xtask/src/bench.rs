//! `cargo xtask bench`: measurements that say how the program does, not whether it works.

use std::io::{Write, stdout};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Result, bail};

use crate::place::Place;
use crate::setup::{self, Purpose};
use crate::steps::Steps;
use crate::window::{self, Optimisation};
use crate::{program, programs};

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
    /// Whether it drives our programs, which are then built with it.
    drives: bool,
    measures: &'static str,
}

const BENCHMARKS: [Benchmark; 2] = [
    Benchmark {
        name: "ingest",
        example: "bench_ingest",
        drives: false,
        measures: "messages per second from Mosquitto onto the disk, beside a program that commits each by itself; \
                   and a minute of a city of 10 000 things",
    },
    Benchmark {
        name: "window",
        example: "bench_window",
        drives: true,
        measures: "how evenly the window draws while a city of 10 000 things speaks, beside the same window while none does",
    },
];

impl Benchmark {
    fn is_there(&self, place: &Place) -> bool {
        let examples = place.root.join("tests/examples");
        examples.join(format!("{}.rs", self.example)).is_file() || examples.join(self.example).join("main.rs").is_file()
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

    let purposes = [Purpose::Run, Purpose::Screenless, Purpose::Test];
    let mut steps = Steps::new(setup::STEPS + 2);
    setup::prepare(place, &mut steps, &purposes)?;
    if benchmark.drives {
        steps.step("the window", |step| window::build(place, step, Optimisation::default()))?;
    }
    let release = place.target.join("release");
    steps.step("the benchmark", |step| programs::build_optimised(place, step, benchmark.example, benchmark.drives))?;
    let mut command = Command::new(release.join("examples").join(benchmark.example));
    command.current_dir(&place.root).env("FLEETLENS_BIN_DIR", &release).stdin(Stdio::null());
    if options.json {
        command.arg("--json");
    }
    program::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
