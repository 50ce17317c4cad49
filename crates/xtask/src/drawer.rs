//! The program that draws small maps. It is a workspace of its own (docs/adr/0015-snapshots.md), which no cargo command for the others
//! reaches.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::place::Place;
use crate::program;
use crate::steps::Step;

/// Its folder below the checkout.
const FOLDER: &str = "snapshot-draw";

/// Builds it, beside the other programs.
pub fn build(place: &Place, step: &Step) -> Result<()> {
    perform(place, step, &["build", "--locked"])
}

/// Everything that has to hold of it by itself, and builds it; what it draws is looked at by the tests of `crates/snapshot`.
pub fn check(place: &Place, step: &Step) -> Result<()> {
    perform(place, step, &["fmt", "--check"])?;
    perform(place, step, &["clippy", "--locked", "--all-targets", "--", "-D", "warnings"])?;
    perform(place, step, &["test", "--locked"])?;
    build(place, step)
}

fn perform(place: &Place, step: &Step, arguments: &[&str]) -> Result<()> {
    let mut command = command(place, arguments);
    step.say(&format!("{} (in {FOLDER})", program::line(&command)));
    program::run(&mut command)
}

fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = program::cargo(&place.root.join(FOLDER));
    // The folder above `debug`: the program is looked for beside the app, and what both are made of is compiled once.
    if let Some(target) = place.programs.parent() {
        command.env("CARGO_TARGET_DIR", target);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}
