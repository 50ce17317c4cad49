//! Set-up: what has to be on a machine before anything can be built, run or tested.
//!
//! Every part looks first and does something only when something is missing, so that a second run costs nothing.

mod apt;
pub mod npm;
pub mod packages;
pub mod rust;

use anyhow::Result;

use crate::place::Place;
use crate::steps::Steps;
pub use packages::Purpose;

/// How many steps [`prepare`] takes.
pub const STEPS: usize = 3;

/// Brings the machine to where these purposes need it: packages of the system, parts of Rust, npm parts.
pub fn prepare(place: &Place, steps: &mut Steps, purposes: &[Purpose]) -> Result<()> {
    steps.step("system packages", |step| packages::prepare(step, purposes))?;
    steps.step("parts of Rust", |step| rust::prepare(place, step, purposes))?;
    steps.step("npm parts of the window", |step| npm::prepare(place, step))
}
