//! The programs of a development build: the desktop app, the phone app and the command line.

use std::process::Stdio;

use anyhow::Result;

use crate::place::Place;
use crate::program;
use crate::steps::Step;
use crate::window;

/// Which packages a cargo command for this machine is about (the window is built for wasm alone): always the same ones,
/// whatever is built of them, because cargo chooses the features of shared dependencies by it. A smaller choice would
/// compile many of them a second time.
pub const SELECTION: [&str; 3] = ["--workspace", "--exclude", window::PACKAGE];

/// Builds the three programs.
pub fn build(place: &Place, step: &Step) -> Result<()> {
    cargo_build(place, step, &["--bins"])
}

/// Builds the three programs with the tests, so that one choice of features serves both.
pub fn build_with_tests(place: &Place, step: &Step) -> Result<()> {
    cargo_build(place, step, &["--bins", "--tests"])
}

/// Builds the three programs and an example of the tests' package.
pub fn build_with_example(place: &Place, step: &Step, example: &str) -> Result<()> {
    cargo_build(place, step, &["--bins", "--example", example])
}

/// Builds an example of the tests' package as users get programs, with the programs if it drives them.
pub fn build_optimised(place: &Place, step: &Step, example: &str, with_programs: bool) -> Result<()> {
    let bins: &[&str] = if with_programs { &["--bins"] } else { &[] };
    cargo_build(place, step, &[&["--release", "--example", example], bins].concat())
}

fn cargo_build(place: &Place, step: &Step, what: &[&str]) -> Result<()> {
    let mut command = program::cargo(&place.root);
    command.arg("build").args(SELECTION).args(what).stdin(Stdio::null());
    step.say(&program::line(&command));
    program::run(&mut command)
}
