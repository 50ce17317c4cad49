//! The programs of a development build: the desktop app, the phone app and the command line.

use std::process::Stdio;

use anyhow::Result;

use crate::place::Place;
use crate::program;
use crate::steps::Step;
use crate::window;

/// Which packages a cargo command for this machine is about (the window is built for wasm alone): always the same ones, whatever is built of them, because cargo chooses the
/// features of shared dependencies by it. A smaller choice would compile many of them a second time.
pub const SELECTION: [&str; 3] = ["--workspace", "--exclude", window::PACKAGE];

/// Builds the three programs.
pub fn build(place: &Place, step: &Step) -> Result<()> {
    step.say("cargo build");
    program::run(program::cargo(&place.root).arg("build").args(SELECTION).arg("--bins").stdin(Stdio::null()))
}
