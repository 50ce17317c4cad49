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
    /// Measure so little that it shows only that everything works
    #[arg(long)]
    quick: bool,
    /// Draw the kept results of docs/performance instead
    #[arg(long, conflicts_with_all = ["name", "json", "quick", "more"])]
    plot: bool,
    /// What the benchmark itself is told, e.g. `-- --samples 2000000`; its source says what it knows
    #[arg(last = true)]
    more: Vec<String>,
}

/// A benchmark: an example of the tests' package that takes `--json`.
struct Benchmark {
    name: &'static str,
    example: &'static str,
    /// Whether it drives our programs, which are then built with it.
    drives: bool,
    measures: &'static str,
}

const BENCHMARKS: [Benchmark; 14] = [
    Benchmark {
        name: "ingest",
        example: "bench_ingest",
        drives: false,
        measures: "what a message costs from the broker onto the disk, through Mosquitto at QoS 0 and 1 and from a broker that sends \
                   flat out, beside mosquitto_sub, a bare rumqttc and the simplest program that stores",
    },
    Benchmark {
        name: "store",
        example: "bench_store",
        drives: false,
        measures: "bytes of a sample on the disk and samples a second, with 80 series and with 40 000, beside plain SQLite tables",
    },
    Benchmark {
        name: "query",
        example: "bench_query",
        drives: false,
        measures: "a day at 10 s and a month by the hour out of 30 days of 80 series, cold and warm, beside a clustered table",
    },
    Benchmark {
        name: "find",
        example: "bench_find",
        drives: false,
        measures: "queries over 100 000 things, from the look to the table's first rows, and a step of a board over them, beside a plain \
                   scan of their words",
    },
    Benchmark {
        name: "startup",
        example: "bench_startup",
        drives: false,
        measures: "from exec to the first picture out of a cache of 100 000 things, beside an empty cache and plain tables",
    },
    Benchmark {
        name: "opening",
        example: "bench_opening",
        drives: true,
        measures: "from exec to the first picture in the real window, of 10 000 and 100 000 cached things, beside an empty cache",
    },
    Benchmark {
        name: "memory",
        example: "bench_memory",
        drives: false,
        measures: "what the engine takes while 10 000 and 100 000 things live for ten minutes, beside the engine alone",
    },
    Benchmark {
        name: "latency",
        example: "bench_latency",
        drives: false,
        measures: "from a thing to the disk and to a window at 10 000 messages a second, beside the link alone",
    },
    Benchmark {
        name: "alarms",
        example: "bench_alarms",
        drives: false,
        measures: "what ten rules add to a message of 100 000 things, what is usual, a state machine and areas, beside none; and what a \
                   thing's own rhythm finds of marked anomalies, beside a fixed limit and a z-score",
    },
    Benchmark {
        name: "city",
        example: "bench_city",
        drives: false,
        measures: "whether a minute of a city of 10 000 things through Mosquitto is all on the disk, with our configuration and its own",
    },
    Benchmark {
        name: "commands",
        example: "bench_commands",
        drives: false,
        measures: "what a bulk command for 20 000 of 100 000 things costs the engine, and a tick while 10 000 commands are open, beside \
                   a table of tokens that only counts answers",
    },
    Benchmark {
        name: "map",
        example: "bench_map",
        drives: true,
        measures: "what 100 000 things on the map cost the window's own thread, beside MapLibre's GeoJSON source on the same map",
    },
    Benchmark {
        name: "window",
        example: "bench_window",
        drives: true,
        measures: "how evenly the window draws while 10 000 and 100 000 things speak, beside the same window while none does, and \
                   what its web process takes of memory meanwhile",
    },
    Benchmark {
        name: "chart",
        example: "bench_chart",
        drives: false,
        measures: "a million points of one series out of a cache and drawn as wide as a screen, and a chart that is told of ten values a \
                   second, beside a line through every point",
    },
];

impl Benchmark {
    fn is_there(&self, place: &Place) -> bool {
        let examples = place.root.join("tests/examples");
        examples.join(format!("{}.rs", self.example)).is_file() || examples.join(self.example).join("main.rs").is_file()
    }
}

/// Draws pictures of results that were kept; an example of the tests' package too.
const PLOT: &str = "bench_plot";

/// Runs a benchmark in an optimised build, or lists them; exit code 2 when there is none to run.
pub fn run(place: &Place, options: &Options) -> Result<ExitCode> {
    if options.plot {
        return start(place, PLOT, false, &[]);
    }
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

    let given = [("--json", options.json), ("--quick", options.quick)];
    let given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(word, _)| word);
    let words: Vec<&str> = given.chain(options.more.iter().map(String::as_str)).collect();
    start(place, benchmark.example, benchmark.drives, &words)
}

/// Builds an example as users get programs, with what it drives, and runs it.
fn start(place: &Place, example: &str, drives: bool, words: &[&str]) -> Result<ExitCode> {
    let purposes = [Purpose::Run, Purpose::Screenless, Purpose::Test];
    let mut steps = Steps::new(setup::STEPS + 2);
    setup::prepare(place, &mut steps, &purposes)?;
    if drives {
        steps.step("the window", |step| window::build(place, step, Optimisation::default()))?;
    }
    let release = place.optimised();
    steps.step("the benchmark", |step| programs::build_optimised(place, step, example, drives))?;
    let mut command = Command::new(release.join("examples").join(example));
    command.current_dir(&place.root).env("FLEETLENS_BIN_DIR", &release).args(words).stdin(Stdio::null());
    program::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
