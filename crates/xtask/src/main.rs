//! `cargo xtask`: everything one does to this checkout besides editing it.
//!
//! Set-up belongs to the verbs that need it, so that a fresh machine needs no instructions. Progress goes to stderr; only
//! what a verb answers goes to stdout.

mod bench;
mod doctor;
mod drawer;
mod fingerprint;
mod fuzz;
mod interrupt;
mod leash;
mod place;
mod program;
mod programs;
mod run;
mod screenshots;
mod setup;
mod steps;
mod suites;
mod verify;
mod window;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use place::Place;
use setup::Purpose;
use steps::{Steps, tell};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Set up, run, test and measure Fleetlens")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build only the window, into target/ui
    Ui(window::Optimisation),
    /// Open the app on the demo city; without a screen, on a virtual one, with a picture in target/run
    Run(run::Options),
    /// Check everything: format, lints, the window, the programs, all tests
    Test(verify::Options),
    /// Say what is on this machine, what is missing, and in which versions
    Doctor(doctor::Options),
    /// Measure
    Bench(bench::Options),
    /// Try the decoders with what nobody would write
    Fuzz(fuzz::Options),
    /// Take the user guide's pictures into docs/guide/img
    Screenshots,
    #[command(hide = true)]
    Leash(leash::Options),
}

fn main() -> ExitCode {
    match perform(Arguments::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            tell(&format!("error: {error:#}"));
            if interrupt::came() { ExitCode::from(interrupt::EXIT_CODE) } else { ExitCode::FAILURE }
        }
    }
}

fn perform(verb: Verb) -> Result<ExitCode> {
    interrupt::listen()?;
    let place = &Place::find()?;
    match verb {
        Verb::Leash(options) => Err(leash::wear(&options)),
        Verb::Ui(options) => {
            let mut steps = Steps::new(setup::STEPS + 1);
            setup::prepare(place, &mut steps, &[Purpose::Run])?;
            steps.step("the window", |step| window::build(place, step, options))?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::Run(options) => run::run(place, &options),
        Verb::Test(options) => verify::run_checks(place, &options),
        Verb::Doctor(options) => doctor::run(place, &options),
        Verb::Bench(options) => bench::run(place, &options),
        Verb::Fuzz(options) => fuzz::run(place, &options),
        Verb::Screenshots => screenshots::run(place),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }
}
